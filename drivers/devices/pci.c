// SPDX-License-Identifier: GPL-2.0-only
/*
 * pci: any PCI device, without a driver of its own.
 *
 * The driver binds to a device whose driver_override names it:
 *
 *	echo sluice-pci >/sys/bus/pci/devices/ADDRESS/driver_override
 *	echo ADDRESS >/sys/bus/pci/drivers_probe
 *
 * It offers userspace:
 *
 *	memory		heaps of system memory that the device can address, and its
 *			memory BARs as heaps
 *	programs	lists of register accesses and interrupts: see pci_program.c
 *	interrupts	MSI and MSI-X, counted by eventfds
 *	registers	by mmap()
 *
 * A program or a process may use a register only if root has allowed its range:
 *
 *	echo "0:0x80+0x20" >/sys/bus/pci/devices/ADDRESS/registers
 *
 * A user who may write the registers of a DMA engine can make the device write to memory: to
 * any memory that the IOMMU lets the device reach, or to all memory if there is no IOMMU.
 * Therefore the device is not a bus master without ranges, and a write of ranges needs
 * CAP_SYS_RAWIO.
 *
 * This file owns the BARs, the interrupts and the register ranges of the device.  The locks,
 * from outside to inside, are described in struct sluice_pci:
 *
 *	sluice->setup	mutex: one change of the ranges at a time
 *	sluice->lock	spinlock, irq: the ranges, and the state of the program.  The core is not
 *			called with it held
 */
#include <linux/capability.h>
#include <linux/dma-mapping.h>
#include <linux/interrupt.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/pm_runtime.h>
#include <linux/security.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "pci.h"

/* a device sleeps when it was not used for this time, if root wrote "auto" to power/control */
#define PCI_IDLE_MS	1000

static unsigned int bars;
module_param(bars, uint, 0644);
MODULE_PARM_DESC(bars,
		 "BARs that become heaps when a device is bound, as a mask (0: prefetchable memory of at least 1 MiB)");

static unsigned int dma_bits = 64;
module_param(dma_bits, uint, 0644);
MODULE_PARM_DESC(dma_bits, "width of the DMA addresses of devices bound from now on (default 64)");

/*
 * Does a BAR have the MSI-X table or the pending bits?  A process that writes to the table can
 * make the device write to any address.
 */
static bool pci_bar_has_msix(struct pci_dev *pdev, int bar)
{
	u32 table, pba;

	if (!pdev->msix_cap)
		return false;
	pci_read_config_dword(pdev, pdev->msix_cap + PCI_MSIX_TABLE, &table);
	pci_read_config_dword(pdev, pdev->msix_cap + PCI_MSIX_PBA, &pba);
	return bar == (table & PCI_MSIX_TABLE_BIR) || bar == (pba & PCI_MSIX_PBA_BIR);
}

/*
 * Does a BAR become a heap?  Unless the module parameter bars= chooses it, it must be large
 * and prefetchable.  Other memory BARs may have registers, and a read of a register may have
 * effects.
 */
static bool pci_bar_is_memory(struct pci_dev *pdev, int bar)
{
	unsigned int mask = READ_ONCE(bars);

	if (!(pci_resource_flags(pdev, bar) & IORESOURCE_MEM) || pci_bar_has_msix(pdev, bar))
		return false;
	if (mask)
		return mask & BIT(bar);
	return pci_resource_flags(pdev, bar) & IORESOURCE_PREFETCH &&
	       pci_resource_len(pdev, bar) >= SZ_1M;
}

static int pci_add_heaps(struct sluice_pci *sluice)
{
	struct pci_dev *pdev = sluice->pdev;
	int bar, ret;

	/* the mask may choose a BAR with registers, which userspace could then map */
	if (READ_ONCE(bars)) {
		ret = security_locked_down(LOCKDOWN_PCI_ACCESS);
		if (ret)
			return dev_err_probe(&pdev->dev, ret, "locked-down kernel: unset bars=\n");
	}
	for (bar = 0; bar < PCI_STD_NUM_BARS; bar++) {
		if (!pci_bar_is_memory(pdev, bar))
			continue;
		if (!devm_request_mem_region(&pdev->dev, pci_resource_start(pdev, bar),
					     pci_resource_len(pdev, bar), "sluice-pci"))
			return dev_err_probe(&pdev->dev, -EBUSY, "BAR %d is in use\n", bar);
		ret = sluice_device_add_bar(sluice->sdev, pdev, bar);
		if (ret)
			return dev_err_probe(&pdev->dev, ret, "cannot use BAR %d as heap\n", bar);
		sluice->heaps |= BIT(bar);
	}
	return 0;
}

/* Interrupts */

static irqreturn_t pci_interrupt(int irq, void *data)
{
	struct pci_vector *vector = data;
	struct sluice_pci *sluice = vector->sluice;

	/* the Sluice device is not registered yet, or is being unregistered */
	if (!READ_ONCE(sluice->listening))
		return IRQ_HANDLED;
	pci_program_interrupt(sluice, vector->number);
	sluice_device_interrupt(sluice->sdev, vector->number);
	return IRQ_HANDLED;
}

static void pci_free_interrupts(struct sluice_pci *sluice)
{
	while (sluice->num_vectors) {
		sluice->num_vectors--;
		free_irq(sluice->vectors[sluice->num_vectors].irq,
			 &sluice->vectors[sluice->num_vectors]);
	}
	pci_free_irq_vectors(sluice->pdev);
	/* pci_free_irq_vectors() enables INTx, which has no handler */
	pci_intx(sluice->pdev, 0);
}

/* Only MSI and MSI-X.  Only a driver that knows the device could silence a line interrupt. */
static int pci_request_interrupts(struct sluice_pci *sluice)
{
	struct pci_dev *pdev = sluice->pdev;
	int i, ret, count;

	count = pci_alloc_irq_vectors(pdev, 1, PCI_MAX_INTERRUPTS, PCI_IRQ_MSI | PCI_IRQ_MSIX);
	for (i = 0; i < count; i++) {
		struct pci_vector *vector = &sluice->vectors[i];

		*vector = (struct pci_vector) {
			.sluice = sluice,
			.number = i,
			.irq = pci_irq_vector(pdev, i),
		};
		ret = request_irq(vector->irq, pci_interrupt, 0, "sluice-pci", vector);
		if (ret) {
			pci_free_interrupts(sluice);
			return dev_err_probe(&pdev->dev, ret, "cannot request interrupt %d\n", i);
		}
		sluice->num_vectors++;
	}
	sluice_device_add_interrupts(sluice->sdev, sluice->num_vectors);
	return 0;
}

/* Registers */

/* Does the range contain all of these registers? */
static bool pci_range_covers(const struct pci_range *range, unsigned int bar, u64 offset,
			     u64 length)
{
	return range->bar == bar && offset >= range->offset && length <= range->length &&
	       offset - range->offset <= range->length - length;
}

/**
 * pci_ranges_cover - check whether one of root's ranges contains some registers
 * @sluice: the device
 * @for_mmap: true if processes want to use the registers, false if programs do
 * @bar: number of the BAR
 * @offset: bytes from the start of the BAR to the first register
 * @length: bytes of the registers
 *
 * Context: any.
 * Return: true if the registers may be used.  Then sluice->regs[bar] is mapped.
 */
bool pci_ranges_cover(struct sluice_pci *sluice, bool for_mmap, unsigned int bar, u64 offset,
		      u64 length)
{
	unsigned long flags;
	bool covered = false;
	unsigned int i;

	spin_lock_irqsave(&sluice->lock, flags);
	for (i = 0; i < sluice->num_ranges && sluice->for_mmap == for_mmap && !covered; i++)
		covered = pci_range_covers(&sluice->ranges[i], bar, offset, length);
	spin_unlock_irqrestore(&sluice->lock, flags);
	return covered;
}

static int pci_find_registers(void *priv, u64 offset, phys_addr_t *phys)
{
	struct sluice_pci *sluice = priv;
	u64 bar = offset / SLUICE_MMAP_BAR(1);

	offset %= SLUICE_MMAP_BAR(1);
	if (bar >= PCI_STD_NUM_BARS || sluice->heaps & BIT(bar) ||
	    !(pci_resource_flags(sluice->pdev, bar) & IORESOURCE_MEM) ||
	    !PAGE_ALIGNED(pci_resource_start(sluice->pdev, bar)))
		return -EINVAL;
	if (!pci_ranges_cover(sluice, true, bar, offset, PAGE_SIZE))
		return -EACCES;
	*phys = pci_resource_start(sluice->pdev, bar) + offset;
	return 0;
}

/* Does a range overlap @length bytes at the place that a register of MSI-X gives? */
static bool pci_range_meets(const struct pci_range *range, u32 place, u64 length)
{
	u64 offset = place & PCI_MSIX_TABLE_OFFSET;

	return range->bar == (place & PCI_MSIX_TABLE_BIR) &&
	       offset < range->offset + range->length && range->offset < offset + length;
}

/* The MSI-X table and the pending bits are for the kernel only: see pci_bar_has_msix(). */
static bool pci_range_has_msix(struct pci_dev *pdev, const struct pci_range *range)
{
	u16 control;
	u32 table, pba, count;

	if (!pdev->msix_cap)
		return false;
	pci_read_config_word(pdev, pdev->msix_cap + PCI_MSIX_FLAGS, &control);
	pci_read_config_dword(pdev, pdev->msix_cap + PCI_MSIX_TABLE, &table);
	pci_read_config_dword(pdev, pdev->msix_cap + PCI_MSIX_PBA, &pba);
	count = (control & PCI_MSIX_FLAGS_QSIZE) + 1;
	return pci_range_meets(range, table, count * PCI_MSIX_ENTRY_SIZE) ||
	       pci_range_meets(range, pba, DIV_ROUND_UP(count, 64) * 8);
}

/*
 * Check that a range exists, and that nothing in it is used otherwise.  Map its BAR.
 * Return: 0 or a negative errno, which root gets; see pci.md.
 */
static int pci_range_prepare(struct sluice_pci *sluice, const struct pci_range *range)
{
	struct pci_dev *pdev = sluice->pdev;
	u64 size;

	lockdep_assert_held(&sluice->setup);
	if (range->bar >= PCI_STD_NUM_BARS ||
	    !(pci_resource_flags(pdev, range->bar) & IORESOURCE_MEM))
		return -EINVAL;
	size = pci_resource_len(pdev, range->bar);
	if (!range->length || range->offset >= size || range->length > size - range->offset)
		return -ERANGE;
	if (sluice->heaps & BIT(range->bar) || pci_range_has_msix(pdev, range))
		return -EBUSY;
	if (sluice->regs[range->bar])
		return 0;
	/* region and mapping are released when the driver is unbound */
	if (!devm_request_mem_region(&pdev->dev, pci_resource_start(pdev, range->bar), size,
				     "sluice-pci"))
		return -EBUSY;
	sluice->regs[range->bar] = devm_ioremap(&pdev->dev, pci_resource_start(pdev, range->bar),
						size);
	if (sluice->regs[range->bar])
		return 0;
	devm_release_mem_region(&pdev->dev, pci_resource_start(pdev, range->bar), size);
	return -ENOMEM;
}

/*
 * Parse ranges of the form BAR:OFFSET+LENGTH, separated by white space or commas.  If the word
 * "mmap" is in front, they are for processes.  Otherwise they are for programs.
 */
static int pci_parse_ranges(const char *text, struct pci_range *ranges, unsigned int *count,
			    bool *for_mmap)
{
	text += strspn(text, " \t\n,");
	*for_mmap = !strncmp(text, "mmap", 4) && (!text[4] || strchr(" \t\n,", text[4]));
	if (*for_mmap)
		text += 4;
	*count = 0;
	for (;;) {
		struct pci_range *range = &ranges[*count];
		int used = 0;

		text += strspn(text, " \t\n,");
		if (!*text)
			return 0;
		if (*count == PCI_MAX_RANGES)
			return -E2BIG;
		if (sscanf(text, "%u:%lli+%lli%n", &range->bar, (s64 *)&range->offset,
			   (s64 *)&range->length, &used) != 3 ||
		    !used || strcspn(text + used, " \t\n,") ||
		    (s64)range->offset < 0 || (s64)range->length < 0)
			return -EINVAL;
		text += used;
		++*count;
	}
}

/*
 * Remove all ranges, before their use changes between programs and processes.  Afterwards no
 * program and no process uses a register.
 */
static void pci_take_ranges(struct sluice_pci *sluice, bool for_mmap)
{
	lockdep_assert_held(&sluice->setup);
	spin_lock_irq(&sluice->lock);
	sluice->num_ranges = 0;
	sluice->for_mmap = for_mmap;
	spin_unlock_irq(&sluice->lock);
	if (for_mmap)
		pci_program_forbid(sluice);
	else
		sluice_device_zap_registers(sluice->sdev);
}

static void pci_set_ranges(struct sluice_pci *sluice, const struct pci_range *ranges,
			   unsigned int count, bool for_mmap)
{
	if (for_mmap != sluice->for_mmap)
		pci_take_ranges(sluice, for_mmap);
	spin_lock_irq(&sluice->lock);
	memcpy(sluice->ranges, ranges, count * sizeof(*ranges));
	sluice->num_ranges = count;
	sluice->used = sluice->used || count;
	/* during a reset: pci_program_ready() sets the bus mastering afterwards */
	if (!sluice->resetting && !sluice->stuck) {
		if (count)
			pci_set_master(sluice->pdev);
		else
			pci_clear_master(sluice->pdev);
	}
	spin_unlock_irq(&sluice->lock);
	sluice_device_zap_registers(sluice->sdev);
}

static ssize_t registers_store(struct device *dev, struct device_attribute *attr,
			       const char *text, size_t size)
{
	struct sluice_pci *sluice = dev_get_drvdata(dev);
	struct pci_range ranges[PCI_MAX_RANGES];
	unsigned int count, i;
	bool for_mmap;
	int ret;

	if (!capable(CAP_SYS_RAWIO))
		return -EPERM;
	ret = security_locked_down(LOCKDOWN_PCI_ACCESS);
	if (!ret)
		ret = pci_parse_ranges(text, ranges, &count, &for_mmap);
	if (ret)
		return ret;
	/* a device that sleeps may forget whether it is a bus master */
	ret = pm_runtime_resume_and_get(dev);
	if (ret)
		return ret;
	mutex_lock(&sluice->setup);
	for (i = 0; i < count && !ret; i++)
		ret = pci_range_prepare(sluice, &ranges[i]);
	if (!ret)
		pci_set_ranges(sluice, ranges, count, for_mmap);
	mutex_unlock(&sluice->setup);
	pm_runtime_mark_last_busy(dev);
	pm_runtime_put_autosuspend(dev);
	return ret ?: size;
}

static ssize_t registers_show(struct device *dev, struct device_attribute *attr, char *text)
{
	struct sluice_pci *sluice = dev_get_drvdata(dev);
	unsigned int i;
	int length = 0;

	mutex_lock(&sluice->setup);
	if (sluice->for_mmap && sluice->num_ranges)
		length += sysfs_emit_at(text, length, "mmap\n");
	for (i = 0; i < sluice->num_ranges; i++)
		length += sysfs_emit_at(text, length, "%u:%#llx+%#llx\n", sluice->ranges[i].bar,
					sluice->ranges[i].offset, sluice->ranges[i].length);
	mutex_unlock(&sluice->setup);
	return length;
}

static DEVICE_ATTR_ADMIN_RW(registers);

static struct attribute *pci_registers_attrs[] = {
	&dev_attr_registers.attr,
	NULL
};
ATTRIBUTE_GROUPS(pci_registers);

/* The device */

static int pci_prepare(struct sluice_device *sdev, void *priv)
{
	struct sluice_pci *sluice = priv;

	sluice->sdev = sdev;
	return pci_add_heaps(sluice) ?: pci_request_interrupts(sluice);
}

static const struct sluice_device_ops pci_ops = {
	.prepare = pci_prepare,
	.check_command = pci_program_check,
	.find_registers = pci_find_registers,
	.start = pci_program_start,
	.abort = pci_program_abort,
};

static const struct sluice_engine_caps pci_engine = {
	.op_kinds = BIT_ULL(SLUICE_OP_PROGRAM),
	.op_align = 1,
};

static int pci_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	unsigned int bits = clamp(READ_ONCE(dma_bits), 1U, 64U);
	struct sluice_pci *sluice;
	struct sluice_device *sdev;
	int ret;

	sluice = devm_kzalloc(&pdev->dev, sizeof(*sluice), GFP_KERNEL);
	if (!sluice)
		return -ENOMEM;
	sluice->pdev = pdev;
	pci_set_drvdata(pdev, sluice);
	ret = pcim_enable_device(pdev);
	if (ret)
		return ret;
	pci_clear_master(pdev);	/* the firmware may have turned it on */
	pci_intx(pdev, 0);
	ret = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(bits));
	if (ret && bits > 32)
		ret = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(32));
	if (ret)
		return dev_err_probe(&pdev->dev, ret, "no DMA with %u address bits\n", bits);
	dma_set_max_seg_size(&pdev->dev, UINT_MAX);
	ret = pci_program_init(sluice);
	if (ret)
		return ret;
	sdev = sluice_device_register(&pdev->dev, "pci", &pci_ops, &pci_engine, 1, sluice);
	if (IS_ERR(sdev)) {
		pci_free_interrupts(sluice);
		pci_program_exit(sluice);
		return PTR_ERR(sdev);
	}
	WRITE_ONCE(sluice->listening, true);
	pm_runtime_set_autosuspend_delay(&pdev->dev, PCI_IDLE_MS);
	pm_runtime_use_autosuspend(&pdev->dev);
	pm_runtime_mark_last_busy(&pdev->dev);
	pm_runtime_put_autosuspend(&pdev->dev);
	return 0;
}

static void pci_remove(struct pci_dev *pdev)
{
	struct sluice_pci *sluice = pci_get_drvdata(pdev);

	pm_runtime_get_noresume(&pdev->dev);	/* pci_device_remove() has resumed the device */
	pm_runtime_dont_use_autosuspend(&pdev->dev);
	pci_program_leave(sluice);
	sluice_device_unregister(sluice->sdev);
	pci_free_interrupts(sluice);
	pci_program_exit(sluice);
}

/* No ids: the driver binds only to devices whose driver_override names it. */
static const struct pci_device_id pci_ids[] = {
	{ }
};

static const struct pci_error_handlers pci_errors = {
	.reset_prepare = pci_program_reset_prepare,
	.reset_done = pci_program_reset_done,
};

static struct pci_driver pci_driver = {
	.name = "sluice-pci",
	.id_table = pci_ids,
	.probe = pci_probe,
	.remove = pci_remove,
	.dev_groups = pci_registers_groups,
	.err_handler = &pci_errors,
	.driver.pm = pm_ptr(&pci_program_pm),
};
module_pci_driver(pci_driver);

MODULE_DESCRIPTION("Sluice device driver for any PCI device");
MODULE_AUTHOR("The Sluice authors");
MODULE_LICENSE("GPL");
MODULE_VERSION(SLUICE_VERSION);
