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
 *	registers	by mmap(): see pci_registers.c
 *
 * This file binds the device, and owns its heaps and its interrupt handlers.  It has no lock:
 * all its data are set in the probe function, before the device is registered, and change again
 * in the remove function.
 */
#include <linux/dma-mapping.h>
#include <linux/interrupt.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/pm_runtime.h>
#include <linux/security.h>
#include <linux/sizes.h>

#include "pci_program.h"
#include "pci_registers.h"

/* a device sleeps when it was not used for this time, if root wrote "auto" to power/control */
#define PCI_IDLE_MS	1000

static unsigned int bars;
module_param(bars, uint, 0644);
MODULE_PARM_DESC(bars,
		 "BARs that become heaps when a device is bound, as a mask (0: prefetchable memory of at least 1 MiB)");

static unsigned int dma_bits = 64;
module_param(dma_bits, uint, 0644);
MODULE_PARM_DESC(dma_bits, "width of the DMA addresses of devices bound from now on (default 64)");

/**
 * struct pci_vector - argument of an interrupt handler
 * @sluice: the device
 * @number: number of the interrupt for userspace
 */
struct pci_vector {
	struct sluice_pci *sluice;
	unsigned int number;
};

/**
 * struct sluice_pci - one device
 * @program: its program, its registers, and the kernel's numbers of its interrupts.  The driver
 *	data of the PCI device and of the Sluice device point to @program.registers
 * @vectors: arguments of the interrupt handlers; as many as @program.num_irqs are in use
 */
struct sluice_pci {
	struct pci_program program;
	struct pci_vector vectors[PCI_MAX_INTERRUPTS];
};

/* Heaps */

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

static int pci_add_heaps(struct pci_registers *regs)
{
	struct pci_dev *pdev = regs->pdev;
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
		/* without a mask, the driver can only guess that the BAR has no registers */
		if (security_locked_down(LOCKDOWN_PCI_ACCESS)) {
			dev_info(&pdev->dev, "locked-down kernel: no BAR becomes a heap\n");
			return 0;
		}
		if (!devm_request_mem_region(&pdev->dev, pci_resource_start(pdev, bar),
					     pci_resource_len(pdev, bar), "sluice-pci"))
			return dev_err_probe(&pdev->dev, -EBUSY, "BAR %d is in use\n", bar);
		ret = sluice_device_add_bar(regs->sdev, pdev, bar);
		if (ret)
			return dev_err_probe(&pdev->dev, ret, "cannot use BAR %d as heap\n", bar);
		regs->heaps |= BIT(bar);
	}
	return 0;
}

/* Interrupts */

static irqreturn_t pci_interrupt(int irq, void *data)
{
	struct pci_vector *vector = data;
	struct pci_program *program = &vector->sluice->program;

	if (pci_program_interrupt(program, vector->number))
		sluice_device_interrupt(program->registers.sdev, vector->number);
	return IRQ_HANDLED;
}

static void pci_free_interrupts(struct sluice_pci *sluice)
{
	struct pci_program *program = &sluice->program;
	struct pci_dev *pdev = program->registers.pdev;

	while (program->num_irqs) {
		program->num_irqs--;
		free_irq(program->irqs[program->num_irqs], &sluice->vectors[program->num_irqs]);
	}
	pci_free_irq_vectors(pdev);
	/* pci_free_irq_vectors() enables INTx, which has no handler */
	pci_intx(pdev, 0);
}

/* Only MSI and MSI-X.  Only a driver that knows the device could silence a line interrupt. */
static int pci_request_interrupts(struct sluice_pci *sluice)
{
	struct pci_program *program = &sluice->program;
	struct pci_dev *pdev = program->registers.pdev;
	int i, ret, count;

	count = pci_alloc_irq_vectors(pdev, 1, PCI_MAX_INTERRUPTS, PCI_IRQ_MSI | PCI_IRQ_MSIX);
	for (i = 0; i < count; i++) {
		struct pci_vector *vector = &sluice->vectors[i];

		*vector = (struct pci_vector) { .sluice = sluice, .number = i };
		program->irqs[i] = pci_irq_vector(pdev, i);
		ret = request_irq(program->irqs[i], pci_interrupt, 0, "sluice-pci", vector);
		if (ret) {
			pci_free_interrupts(sluice);
			return dev_err_probe(&pdev->dev, ret, "cannot request interrupt %d\n", i);
		}
		program->num_irqs++;
	}
	sluice_device_add_interrupts(program->registers.sdev, program->num_irqs);
	return 0;
}

/* The device */

static struct sluice_pci *pci_of(struct pci_registers *regs)
{
	return container_of(regs, struct sluice_pci, program.registers);
}

static int pci_prepare(struct sluice_device *sdev, void *priv)
{
	struct pci_registers *regs = priv;

	regs->sdev = sdev;
	return pci_add_heaps(regs) ?: pci_request_interrupts(pci_of(regs));
}

static int pci_find_registers(void *priv, u64 offset, phys_addr_t *phys)
{
	return pci_registers_find(priv, offset, phys);
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
	struct pci_program *program;
	struct sluice_device *sdev;
	int ret;

	sluice = devm_kzalloc(&pdev->dev, sizeof(*sluice), GFP_KERNEL);
	if (!sluice)
		return -ENOMEM;
	program = &sluice->program;
	pci_registers_init(&program->registers, pdev);
	pci_set_drvdata(pdev, &program->registers);
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
	ret = pci_program_init(program);
	if (ret)
		return ret;
	sdev = sluice_device_register(&pdev->dev, "pci", &pci_ops, &pci_engine, 1,
				      &program->registers);
	if (IS_ERR(sdev)) {
		pci_free_interrupts(sluice);
		pci_program_exit(program);
		return PTR_ERR(sdev);
	}
	pci_program_enter(program);
	pm_runtime_set_autosuspend_delay(&pdev->dev, PCI_IDLE_MS);
	pm_runtime_use_autosuspend(&pdev->dev);
	pm_runtime_mark_last_busy(&pdev->dev);
	pm_runtime_put_autosuspend(&pdev->dev);
	return 0;
}

static void pci_remove(struct pci_dev *pdev)
{
	struct sluice_pci *sluice = pci_of(pci_get_drvdata(pdev));

	pm_runtime_get_noresume(&pdev->dev);	/* pci_device_remove() has resumed the device */
	pm_runtime_dont_use_autosuspend(&pdev->dev);
	pci_program_leave(&sluice->program);
	sluice_device_unregister(sluice->program.registers.sdev);
	pci_free_interrupts(sluice);
	pci_program_exit(&sluice->program);
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
MODULE_INFO(import_ns, "SLUICE");
