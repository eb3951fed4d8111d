// SPDX-License-Identifier: GPL-2.0-only
/*
 * Registers of the pci driver.
 *
 * A program or a process may use a register only if root has allowed its range:
 *
 *	echo "0:0x80+0x20" >/sys/bus/pci/devices/ADDRESS/registers
 *
 * A user who may write the registers of a DMA engine can make the device write to memory: to
 * any memory that the IOMMU lets the device reach, or to all memory if there is no IOMMU.
 * Therefore the device is not a bus master without ranges, and a write of ranges needs
 * CAP_SYS_RAWIO.  A locked-down kernel (integrity, as with Secure Boot) lets userspace use no
 * register at all.
 *
 * The data and the locks are described in pci_registers.h.
 */
#include <linux/capability.h>
#include <linux/io.h>
#include <linux/nospec.h>
#include <linux/pm_runtime.h>
#include <linux/security.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "pci_registers.h"

/**
 * pci_registers_init - prepare the registers of a device: no range is allowed
 * @regs: the registers; zeroed memory
 * @pdev: the PCI device
 *
 * Context: the probe function.
 */
void pci_registers_init(struct pci_registers *regs, struct pci_dev *pdev)
{
	regs->pdev = pdev;
	mutex_init(&regs->setup);
	spin_lock_init(&regs->lock);
}

/* Access */

static void __iomem *pci_registers_address(const struct pci_registers *regs,
					   const struct sluice_command *command)
{
	unsigned int bar = array_index_nospec(command->bar, PCI_STD_NUM_BARS);

	return regs->bars[bar] + command->offset;
}

/**
 * pci_registers_read - read the register that a command names
 * @regs: the registers; pci_registers_cover() is true for the command
 * @command: the command; pci_program_check() has accepted its width
 *
 * Context: any.
 * Return: the value; all ones if the device is unplugged.
 */
u64 pci_registers_read(const struct pci_registers *regs, const struct sluice_command *command)
{
	void __iomem *address = pci_registers_address(regs, command);

	switch (command->width) {
	case 1:
		return readb(address);
	case 2:
		return readw(address);
	case 4:
		return readl(address);
#ifdef CONFIG_64BIT
	case 8:
		return readq(address);
#endif
	}
	return U64_MAX;		/* not reached: pci_program_check() refuses other widths */
}

/**
 * pci_registers_write - write the value of a command to the register that it names
 * @regs: the registers; pci_registers_cover() is true for the command
 * @command: the command; pci_program_check() has accepted its width
 *
 * Context: any.
 */
void pci_registers_write(const struct pci_registers *regs, const struct sluice_command *command)
{
	void __iomem *address = pci_registers_address(regs, command);
	u64 value = command->value;

	switch (command->width) {
	case 1:
		writeb(value, address);
		break;
	case 2:
		writew(value, address);
		break;
	case 4:
		writel(value, address);
		break;
#ifdef CONFIG_64BIT
	case 8:
		writeq(value, address);
		break;
#endif
	}
}

/* Bus mastering */

static void pci_registers_set_master(struct pci_registers *regs)
{
	lockdep_assert_held(&regs->lock);
	if (!regs->halted && regs->num_ranges)
		pci_set_master(regs->pdev);
	else
		pci_clear_master(regs->pdev);
}

/**
 * pci_registers_halt - turn bus mastering off, whatever the ranges are
 * @regs: the registers; the caller holds their lock
 *
 * Context: any.
 */
void pci_registers_halt(struct pci_registers *regs)
{
	regs->halted = true;
	pci_registers_set_master(regs);
}

/**
 * pci_registers_resume - turn bus mastering on again, if there are ranges
 * @regs: the registers; the caller holds their lock
 *
 * Context: any.
 */
void pci_registers_resume(struct pci_registers *regs)
{
	regs->halted = false;
	pci_registers_set_master(regs);
}

/* Ranges */

/**
 * pci_registers_locked_down - ask whether the kernel's lockdown forbids registers to userspace
 * @regs: the registers of the device
 *
 * Root may lock the kernel down after registers were allowed.  So the question is asked at each
 * use.  Programs that exist already stay.  In mappings that exist already, pages that a process
 * has already accessed stay, until a reset of the device or until root writes an empty line; other
 * pages raise SIGBUS.
 *
 * Context: process context; does not sleep.
 * Return: 0, or -EPERM if userspace must not use registers.
 */
int pci_registers_locked_down(const struct pci_registers *regs)
{
	int ret = security_locked_down(LOCKDOWN_PCI_ACCESS);

	if (ret)
		dev_dbg(&regs->pdev->dev, "locked-down kernel: no registers for userspace\n");
	return ret;
}

/* Does the range contain all of these registers? */
static bool pci_registers_contain(const struct pci_range *range, unsigned int bar, u64 offset,
				  u64 length)
{
	return range->bar == bar && offset >= range->offset && length <= range->length &&
	       offset - range->offset <= range->length - length;
}

/**
 * pci_registers_cover - check whether one of root's ranges contains some registers
 * @regs: the registers of the device
 * @for_mmap: true if processes want to use the registers, false if programs do
 * @bar: number of the BAR
 * @offset: bytes from the start of the BAR to the first register
 * @length: bytes of the registers
 *
 * Context: any.
 * Return: true if the registers may be used.  Then regs->bars[bar] is mapped.
 */
bool pci_registers_cover(struct pci_registers *regs, bool for_mmap, unsigned int bar, u64 offset,
			 u64 length)
{
	unsigned long flags;
	bool covered = false;
	unsigned int i;

	spin_lock_irqsave(&regs->lock, flags);
	for (i = 0; i < regs->num_ranges && regs->for_mmap == for_mmap && !covered; i++)
		covered = pci_registers_contain(&regs->ranges[i], bar, offset, length);
	spin_unlock_irqrestore(&regs->lock, flags);
	return covered;
}

/**
 * pci_registers_find - find the page of registers that a process wants to map
 * @regs: the registers of the device
 * @offset: SLUICE_MMAP_BAR() of the BAR, plus bytes from its start; whole pages
 * @phys: set to the physical address of the page
 *
 * Context: process context; does not sleep.
 * Return: 0, or a negative errno:
 *
 *	-EINVAL		the device has no such BAR, the BAR is a heap, or its pages cannot be mapped
 *	-EPERM		the kernel is locked down
 *	-EACCES		the page is not in a range for processes
 */
int pci_registers_find(struct pci_registers *regs, u64 offset, phys_addr_t *phys)
{
	u64 bar = offset / SLUICE_MMAP_BAR(1);
	int ret;

	offset %= SLUICE_MMAP_BAR(1);
	if (bar >= PCI_STD_NUM_BARS || regs->heaps & BIT(bar) ||
	    !(pci_resource_flags(regs->pdev, bar) & IORESOURCE_MEM) ||
	    !PAGE_ALIGNED(pci_resource_start(regs->pdev, bar)))
		return -EINVAL;
	ret = pci_registers_locked_down(regs);
	if (ret)
		return ret;
	if (!pci_registers_cover(regs, true, bar, offset, PAGE_SIZE))
		return -EACCES;
	*phys = pci_resource_start(regs->pdev, bar) + offset;
	return 0;
}

/* Does a range overlap @length bytes at the place that a register of MSI-X gives? */
static bool pci_registers_overlap(const struct pci_range *range, u32 place, u64 length)
{
	u64 offset = place & PCI_MSIX_TABLE_OFFSET;

	return range->bar == (place & PCI_MSIX_TABLE_BIR) &&
	       offset < range->offset + range->length && range->offset < offset + length;
}

/*
 * Does a range have a part of the MSI-X table or of the pending bits?  They are for the kernel
 * only: a process that writes to the table can make the device write to any address.
 */
static bool pci_registers_have_msix(struct pci_dev *pdev, const struct pci_range *range)
{
	u16 control;
	u32 table, pba, count;

	if (!pdev->msix_cap)
		return false;
	pci_read_config_word(pdev, pdev->msix_cap + PCI_MSIX_FLAGS, &control);
	pci_read_config_dword(pdev, pdev->msix_cap + PCI_MSIX_TABLE, &table);
	pci_read_config_dword(pdev, pdev->msix_cap + PCI_MSIX_PBA, &pba);
	count = (control & PCI_MSIX_FLAGS_QSIZE) + 1;
	return pci_registers_overlap(range, table, count * PCI_MSIX_ENTRY_SIZE) ||
	       pci_registers_overlap(range, pba, DIV_ROUND_UP(count, 64) * 8);
}

/*
 * Check that a range exists, and that nothing in it is used otherwise.  Map its BAR.
 * Return: 0 or a negative errno, which root gets; see pci.md.
 */
static int pci_registers_prepare(struct pci_registers *regs, const struct pci_range *range)
{
	struct pci_dev *pdev = regs->pdev;
	u64 size;

	lockdep_assert_held(&regs->setup);
	if (range->bar >= PCI_STD_NUM_BARS ||
	    !(pci_resource_flags(pdev, range->bar) & IORESOURCE_MEM))
		return -EINVAL;
	size = pci_resource_len(pdev, range->bar);
	if (!range->length || range->offset >= size || range->length > size - range->offset)
		return -ERANGE;
	if (regs->heaps & BIT(range->bar) || pci_registers_have_msix(pdev, range))
		return -EBUSY;
	if (regs->bars[range->bar])
		return 0;
	/* region and mapping are released when the driver is unbound */
	if (!devm_request_mem_region(&pdev->dev, pci_resource_start(pdev, range->bar), size,
				     "sluice-pci"))
		return -EBUSY;
	regs->bars[range->bar] = devm_ioremap(&pdev->dev, pci_resource_start(pdev, range->bar),
					      size);
	if (regs->bars[range->bar])
		return 0;
	devm_release_mem_region(&pdev->dev, pci_resource_start(pdev, range->bar), size);
	return -ENOMEM;
}

/*
 * Parse ranges of the form BAR:OFFSET+LENGTH, separated by white space or commas.  If the word
 * "mmap" is in front, they are for processes.  Otherwise they are for programs.
 */
static int pci_registers_parse(const char *text, struct pci_range *ranges, unsigned int *count,
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
static void pci_registers_take_away(struct pci_registers *regs, bool for_mmap)
{
	lockdep_assert_held(&regs->setup);
	spin_lock_irq(&regs->lock);
	regs->num_ranges = 0;
	regs->for_mmap = for_mmap;
	spin_unlock_irq(&regs->lock);
	if (for_mmap)
		regs->forbid(regs);
	else
		sluice_device_zap_registers(regs->sdev);
}

static void pci_registers_set(struct pci_registers *regs, const struct pci_range *ranges,
			      unsigned int count, bool for_mmap)
{
	if (for_mmap != regs->for_mmap)
		pci_registers_take_away(regs, for_mmap);
	spin_lock_irq(&regs->lock);
	memcpy(regs->ranges, ranges, count * sizeof(*ranges));
	regs->num_ranges = count;
	regs->used = regs->used || count;
	/* while bus mastering is halted, pci_registers_resume() sets it afterwards */
	if (!regs->halted)
		pci_registers_set_master(regs);
	spin_unlock_irq(&regs->lock);
	sluice_device_zap_registers(regs->sdev);
}

/* The file in sysfs */

static ssize_t registers_store(struct device *dev, struct device_attribute *attr,
			       const char *text, size_t size)
{
	struct pci_registers *regs = dev_get_drvdata(dev);
	struct pci_range ranges[PCI_MAX_RANGES];
	unsigned int count, i;
	bool for_mmap;
	int ret;

	if (!capable(CAP_SYS_RAWIO))
		return -EPERM;
	ret = pci_registers_parse(text, ranges, &count, &for_mmap);
	/* a locked-down kernel also lets root remove ranges that were allowed earlier */
	if (!ret && count)
		ret = pci_registers_locked_down(regs);
	if (ret)
		return ret;
	/* a device that sleeps may forget whether it is a bus master */
	ret = pm_runtime_resume_and_get(dev);
	if (ret)
		return ret;
	mutex_lock(&regs->setup);
	for (i = 0; i < count && !ret; i++)
		ret = pci_registers_prepare(regs, &ranges[i]);
	if (!ret)
		pci_registers_set(regs, ranges, count, for_mmap);
	mutex_unlock(&regs->setup);
	pm_runtime_mark_last_busy(dev);
	pm_runtime_put_autosuspend(dev);
	return ret ?: size;
}

static ssize_t registers_show(struct device *dev, struct device_attribute *attr, char *text)
{
	struct pci_registers *regs = dev_get_drvdata(dev);
	unsigned int i;
	int length = 0;

	mutex_lock(&regs->setup);
	if (regs->for_mmap && regs->num_ranges)
		length += sysfs_emit_at(text, length, "mmap\n");
	for (i = 0; i < regs->num_ranges; i++)
		length += sysfs_emit_at(text, length, "%u:%#llx+%#llx\n", regs->ranges[i].bar,
					regs->ranges[i].offset, regs->ranges[i].length);
	mutex_unlock(&regs->setup);
	return length;
}

static DEVICE_ATTR_ADMIN_RW(registers);

static struct attribute *pci_registers_attrs[] = {
	&dev_attr_registers.attr,
	NULL
};

static const struct attribute_group pci_registers_group = {
	.attrs = pci_registers_attrs,
};

const struct attribute_group *pci_registers_groups[] = {
	&pci_registers_group,
	NULL
};
