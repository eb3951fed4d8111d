/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Programs of the pci driver.
 *
 * pci_program.c owns the op in flight, the work items that run programs and reset the function,
 * and the state of the function: running, being reset, stuck, asleep.  The lock of the registers,
 * program->registers.lock, guards the state of the program.  The context that sets
 * program->cookie to 0, with the lock held, is the only one that ends the op.  The core is not
 * called with the lock held.
 *
 * pci.c calls these functions.  pci_program.c calls pci_registers.c, and nothing of pci.c.
 */
#ifndef _SLUICE_PCI_PROGRAM_H
#define _SLUICE_PCI_PROGRAM_H

#include <linux/pm.h>
#include <linux/workqueue.h>

#include "pci_registers.h"

#define PCI_MAX_INTERRUPTS	32
#define PCI_NO_INTERRUPT	PCI_MAX_INTERRUPTS

/**
 * struct pci_program - the program of a device, and the state of its function
 * @registers: the registers that programs use; also the driver data of the device
 * @num_irqs: number of interrupts that were requested; set by pci.c, as is @irqs
 * @irqs: their numbers for the kernel; the index is the number for userspace.  They are stored
 *	here, because pci_irq_vector() takes a mutex
 * @wq: runs @work; in the signalling path of fences
 * @work: begins a program that may take time, and continues a program after an interrupt
 * @reset_work: resets the function; outside the signalling path
 * @foreign_reset: the current reset or sleep was not started by @reset_work; under the lock of the
 *	PCI device, as is @blocked
 * @blocked: sluice_device_block() is in force, until the reset is over
 * @listening: interrupts are handled: the device is registered, and is not being unbound
 * @resetting: the device was stopped and must be reset; bus mastering is halted
 * @leaving: the device is being unbound: pci_program_exit() resets it
 * @stuck: the device could not be reset; bus mastering stays halted until the device is bound
 *	again
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
 *
 * @registers.lock guards the fields from @listening on.
 */
struct pci_program {
	struct pci_registers registers;
	unsigned int num_irqs;
	int irqs[PCI_MAX_INTERRUPTS];
	struct workqueue_struct *wq;
	struct work_struct work;
	struct delayed_work reset_work;
	bool foreign_reset;
	bool blocked;
	bool listening;
	bool resetting;
	bool leaving;
	bool stuck;
	struct sluice_engine *engine;
	u32 cookie;
	bool starting;
	const struct sluice_op_desc *op;
	u32 next;
	unsigned int awaited;
	unsigned long fired;
};

int pci_program_init(struct pci_program *program);
void pci_program_enter(struct pci_program *program);
void pci_program_leave(struct pci_program *program);
void pci_program_exit(struct pci_program *program);
bool pci_program_interrupt(struct pci_program *program, unsigned int number);
int pci_program_check(void *priv, const struct sluice_command *command);
int pci_program_start(struct sluice_engine *engine, const struct sluice_op_desc *op);
enum sluice_aborted pci_program_abort(struct sluice_engine *engine, u32 cookie);
void pci_program_reset_prepare(struct pci_dev *pdev);
void pci_program_reset_done(struct pci_dev *pdev);
extern const struct dev_pm_ops pci_program_pm;

#endif /* _SLUICE_PCI_PROGRAM_H */
