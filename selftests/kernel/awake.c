// SPDX-License-Identifier: GPL-2.0-only
/*
 * For selftests/pm.c: a guest of the lab sleeps and wakes up again.
 *
 * It has its root behind a virtio device, 9p, whose driver knows no sleep: virtio resets
 * the device at resume, and the root does not answer any more.  So while this module is
 * loaded, each of these devices has a PM domain that does nothing.
 *
 * And its clock wakes nobody: the kernel expects that of ACPI's event, which QEMU has for
 * suspend to RAM only.  So the clock's interrupt is armed.
 */
#include <linux/device.h>
#include <linux/interrupt.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/pm.h>

static int awake_nothing(struct device *dev)
{
	return 0;
}

static struct dev_pm_domain awake_domain = {
	.ops = {
		SYSTEM_SLEEP_PM_OPS(awake_nothing, awake_nothing)
		LATE_SYSTEM_SLEEP_PM_OPS(awake_nothing, awake_nothing)
		NOIRQ_SYSTEM_SLEEP_PM_OPS(awake_nothing, awake_nothing)
	},
};

/*
 * Not dev_pm_domain_set(), which is for devices without a driver.  Nothing looks at the
 * domain of a PCI device except system sleep, which does not begin while a module is
 * loaded or unloaded by the only program that asks for it.
 */
static void awake_set(struct dev_pm_domain *from, struct dev_pm_domain *to)
{
	struct pci_dev *pdev = NULL;

	while ((pdev = pci_get_device(PCI_VENDOR_ID_REDHAT_QUMRANET, PCI_ANY_ID, pdev)))
		if (pdev->dev.driver && !strcmp(pdev->dev.driver->name, "virtio-pci") &&
		    pdev->dev.pm_domain == from)
			pdev->dev.pm_domain = to;
}

#ifdef CONFIG_X86
#define AWAKE_CLOCK_IRQ	8	/* of every PC */

static int awake_arm_clock(bool on)
{
	return irq_set_irq_wake(AWAKE_CLOCK_IRQ, on);
}
#else
static int awake_arm_clock(bool on)
{
	return 0;
}
#endif

static int __init awake_init(void)
{
	int ret = awake_arm_clock(true);

	if (!ret)
		awake_set(NULL, &awake_domain);
	return ret;
}

static void __exit awake_exit(void)
{
	awake_set(&awake_domain, NULL);
	awake_arm_clock(false);
}

module_init(awake_init);
module_exit(awake_exit);

MODULE_DESCRIPTION("Sluice test helper: a guest sleeps and wakes up");
MODULE_AUTHOR("The Sluice authors");
MODULE_LICENSE("GPL");
