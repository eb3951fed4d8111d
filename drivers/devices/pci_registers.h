/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The registers of a device of the pci driver: the ranges that root has allowed, and access to
 * them.
 *
 * pci_registers.c owns the ranges, the file "registers" in sysfs, and the kernel mappings of the
 * BARs that have ranges.  It also decides whether the device is a bus master: never without
 * ranges.  The locks, from outside to inside:
 *
 *	regs->setup	mutex: one change of the ranges at a time
 *	regs->lock	spinlock, irq: the ranges and bus mastering.  Bus mastering also depends on
 *			the program, so the same lock guards the state of the program.  The core is
 *			not called with it held
 *
 * pci_program.c and pci.c call these functions.  pci_registers.c calls neither of them, except
 * through regs->forbid.
 */
#ifndef _SLUICE_PCI_REGISTERS_H
#define _SLUICE_PCI_REGISTERS_H

#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/spinlock.h>

#include "sluice.h"

#define PCI_MAX_RANGES		16

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
 * struct pci_registers - the registers of a device; also its driver data
 * @pdev: the PCI device
 * @sdev: its Sluice device; set by pci.c, before the ranges can change
 * @heaps: BARs that are heaps, as a bit mask; set by pci.c like @sdev
 * @forbid: stops the programs, because the registers are for processes from now on; called with
 *	@setup held, without @lock.  Set by pci_program_init()
 * @setup: mutex: one change of the ranges at a time; taken outside @lock
 * @bars: kernel mappings of the BARs that have had ranges; each is set once, under @setup
 * @used: ranges have been set at least once, so the device may have been started
 * @lock: spinlock, irq: guards the fields below, and the state of the program
 * @num_ranges: length of @ranges.  While it is 0, the device is not a bus master
 * @ranges: registers that programs may use, or processes by mmap()
 * @for_mmap: the ranges are for processes, else for programs.  They are never for both: a process
 *	with registers could decide when the fence of a program signals
 * @halted: bus mastering is off, whatever the ranges are
 */
struct pci_registers {
	struct pci_dev *pdev;
	struct sluice_device *sdev;
	unsigned long heaps;
	void (*forbid)(struct pci_registers *regs);
	struct mutex setup;
	void __iomem *bars[PCI_STD_NUM_BARS];
	bool used;
	spinlock_t lock;
	unsigned int num_ranges;
	struct pci_range ranges[PCI_MAX_RANGES];
	bool for_mmap;
	bool halted;
};

extern const struct attribute_group *pci_registers_groups[];

void pci_registers_init(struct pci_registers *regs, struct pci_dev *pdev);
void pci_registers_halt(struct pci_registers *regs);
void pci_registers_resume(struct pci_registers *regs);
int pci_registers_locked_down(const struct pci_registers *regs);
bool pci_registers_cover(struct pci_registers *regs, bool for_mmap, unsigned int bar, u64 offset,
			 u64 length);
int pci_registers_find(struct pci_registers *regs, u64 offset, phys_addr_t *phys);
u64 pci_registers_read(const struct pci_registers *regs, const struct sluice_command *command);
void pci_registers_write(const struct pci_registers *regs, const struct sluice_command *command);

#endif /* _SLUICE_PCI_REGISTERS_H */
