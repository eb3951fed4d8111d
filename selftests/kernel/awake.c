// SPDX-License-Identifier: GPL-2.0-only
/*
 * Helper of selftests/pm.c.  While this module is loaded, a guest of the lab can sleep and
 * wake up again.  Two things would prevent that:
 *
 * - The root file system of the guest is 9p on a virtio device.  The driver of 9p does not
 *   support sleep.  virtio would reset the device at resume, and the root file system would not
 *   answer any more.  This module therefore gives each virtio device a PM domain that does
 *   nothing.
 * - The clock (RTC) does not wake the guest from suspend to idle.  The kernel expects an ACPI
 *   event, which QEMU raises for suspend to RAM only.  This module therefore makes the interrupt
 *   of the clock a wake-up interrupt.
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
 * Set the PM domain of all virtio devices.  dev_pm_domain_set() is not usable, because it is
 * for devices without a driver.  No lock is needed: only system sleep uses the domain of a
 * PCI device.  The program that asks for sleep is the one that loads and unloads this module,
 * so both do not happen at the same time.
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
#define AWAKE_CLOCK_IRQ	8	/* the same on every PC */

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
