/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A device of the pci driver.  This header is shared by pci.c, which binds the device, and
 * pci_program.c, which runs programs on it.
 */
#ifndef _SLUICE_PCI_H
#define _SLUICE_PCI_H

#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "sluice.h"

#define PCI_MAX_RANGES		16
#define PCI_MAX_INTERRUPTS	32
#define PCI_NO_INTERRUPT	PCI_MAX_INTERRUPTS

/**
 * struct pci_range - registers that root has allowed
 * @bar: number of the BAR
 * @offset: bytes from the start of the BAR
 * @length: bytes, not 0; the range is inside the BAR
 */
struct pci_range {
	unsigned int bar;
	u64 offset;
	u64 length;
};

/**
 * struct pci_vector - argument of an interrupt handler
 * @sluice: the device
 * @number: number of the interrupt for userspace
 * @irq: number of the interrupt for the kernel.  It is stored here, because pci_irq_vector() takes
 *	a mutex
 */
struct pci_vector {
	struct sluice_pci *sluice;
	unsigned int number;
	int irq;
};

/**
 * struct sluice_pci - one device
 * @pdev: the PCI device
 * @sdev: its Sluice device
 * @heaps: BARs that are heaps, as a bit mask
 * @num_vectors: number of interrupts that were requested
 * @vectors: arguments of their handlers
 * @setup: mutex: one change of the ranges at a time; taken outside @lock
 * @regs: kernel mappings of the BARs that have had ranges; each is set once, under @setup
 * @wq: runs @work; in the signalling path of fences
 * @work: begins a program that may take time, and continues a program after an interrupt
 * @reset_work: resets the function; outside the signalling path
 * @foreign_reset: the current reset or sleep was not started by @reset_work; under the lock of the
 *	PCI device, as is @blocked
 * @blocked: sluice_device_block() is in force, until the reset is over
 * @used: ranges have been set at least once, so the device may have been started
 * @lock: spinlock, irq: guards the fields below
 * @num_ranges: length of @ranges.  While it is 0, the device is not a bus master
 * @ranges: registers that programs may use, or processes by mmap()
 * @for_mmap: the ranges are for processes, else for programs.  They are never for both: a process
 *	with registers could decide when the fence of a program signals
 * @listening: interrupts are handled: the device is registered, and is not being unbound
 * @resetting: the device was stopped and must be reset; bus mastering is off
 * @stuck: the device could not be reset; bus mastering stays off until the device is bound again
 * @engine: the engine, since its first op
 * @cookie: cookie of the op in flight, or 0.  The context that sets it to 0 is the only one that
 *	ends the op
 * @starting: pci_program_start() is running the program.  Another context that ends the op waits
 *	until this is false
 * @op: the last op that was started; valid while @cookie is not 0
 * @next: index of its next command; owned by the context that runs the program, and by no context
 *	while the program waits for an interrupt
 * @awaited: the interrupt that the program waits for, or PCI_NO_INTERRUPT
 * @fired: interrupts that have come since the op began, and that the program has not waited for
 *	yet, as a bit mask
 */
struct sluice_pci {
	struct pci_dev *pdev;
	struct sluice_device *sdev;
	unsigned long heaps;
	unsigned int num_vectors;
	struct pci_vector vectors[PCI_MAX_INTERRUPTS];
	struct mutex setup;
	void __iomem *regs[PCI_STD_NUM_BARS];
	struct workqueue_struct *wq;
	struct work_struct work;
	struct delayed_work reset_work;
	bool foreign_reset;
	bool blocked;
	bool used;
	spinlock_t lock;
	unsigned int num_ranges;
	struct pci_range ranges[PCI_MAX_RANGES];
	bool for_mmap;
	bool listening;
	bool resetting;
	bool stuck;
	struct sluice_engine *engine;
	u32 cookie;
	bool starting;
	const struct sluice_op_desc *op;
	u32 next;
	unsigned int awaited;
	unsigned long fired;
};

bool pci_ranges_cover(struct sluice_pci *sluice, bool for_mmap, unsigned int bar, u64 offset,
		      u64 length);

int pci_program_init(struct sluice_pci *sluice);
void pci_program_leave(struct sluice_pci *sluice);
void pci_program_exit(struct sluice_pci *sluice);
void pci_program_interrupt(struct sluice_pci *sluice, unsigned int number);
int pci_program_check(void *priv, const struct sluice_command *command);
int pci_program_start(struct sluice_engine *engine, const struct sluice_op_desc *op);
enum sluice_aborted pci_program_abort(struct sluice_engine *engine, u32 cookie);
void pci_program_forbid(struct sluice_pci *sluice);
void pci_program_reset_prepare(struct pci_dev *pdev);
void pci_program_reset_done(struct pci_dev *pdev);
extern const struct dev_pm_ops pci_program_pm;

#endif /* _SLUICE_PCI_H */
