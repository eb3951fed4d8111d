/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A device of the pci driver: what pci.c, which binds it, and pci_program.c, which
 * runs programs on it, share.
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
 * @bar: of which BAR
 * @offset: bytes into it
 * @length: bytes, not 0; inside the BAR
 */
struct pci_range {
	unsigned int bar;
	u64 offset;
	u64 length;
};

/**
 * struct pci_vector - an interrupt's argument
 * @sluice: the device
 * @number: of the interrupt, for userspace
 * @irq: for the kernel; asking for it takes a mutex
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
 * @heaps: BARs that are heaps, as a mask
 * @num_vectors: interrupts that were requested
 * @vectors: their arguments
 * @setup: one who sets the ranges at a time; outside @lock
 * @regs: BARs with ranges, mapped; set once, under @setup
 * @wq: runs @work: on the way to fences
 * @work: goes on with a program after an interrupt
 * @reset_work: resets the function, outside of all that fences wait for
 * @foreign_reset: the reset under way was not asked for by @reset_work; with the PCI
 *	device locked, as is the next
 * @blocked: BARs are blocked until it is over
 * @used: there have been ranges: the device may have been set to work
 * @lock: spinlock, irq: guards all below
 * @num_ranges: length of @ranges; with 0 the device is no bus master
 * @ranges: what programs, or processes by mmap(), may use
 * @for_mmap: processes, and no program.  Never both: a fence does not wait for what a
 *	process does with the device
 * @listening: interrupts count: the device is registered, and not being unbound
 * @resetting: was stopped, and is to be reset: bus mastering is off
 * @stuck: it could not be reset, and is no bus master any more
 * @engine: has an op, or NULL
 * @starting: pci_program_start() is at it: the op's end is to wait, if it comes from
 *	somewhere else
 * @taken: ops that somebody else than the engine is about to end: an abort waits for that
 * @op: the op
 * @next: its next command; owned by whoever runs the program, which while it
 *	waits for an interrupt is nobody
 * @awaited: the interrupt that the program waits for, or PCI_NO_INTERRUPT
 * @fired: interrupts since the op began that it has not waited for, as a mask
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
