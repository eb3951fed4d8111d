/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The heap of memory inside a device: a BAR of a PCI device, or SRAM of the chip.  Other devices
 * access its buffers directly, without a copy in system memory.
 *
 * The memory ends when the device driver is unbound.  sluice_bar_revoke() then takes it back:
 *
 * - Mappings of processes are zapped, and the next access gets SIGBUS.
 * - Importers are told, and the function waits for them.  Only importers that can be told may
 *   therefore attach.
 *
 * Afterwards only the fd of a buffer is left.
 *
 * Device drivers call sluice_device_add_bar(), and heap_sram.c sluice_bar_add().  All other
 * functions are ops of the heap and of its dma-bufs.  heap_bar.c has the locks.
 */
#ifndef _SLUICE_HEAP_BAR_H
#define _SLUICE_HEAP_BAR_H

#include <linux/compiler_types.h>
#include <linux/types.h>

struct device;
struct gen_pool;
struct p2pdma_provider;
struct sluice_bar_memory;
struct sluice_device;

/**
 * struct sluice_bar_memory_ops - functions that depend on the kind of memory
 * @check: can the DMA of @dev reach @size bytes from physical address @start?  Returns 0 or
 *	-EADDRNOTAVAIL.  May sleep.  The driver of the memory's device is still bound
 * @unmap: release the memory and @vaddr.  Called once, at the end of a revocation or after a
 *	failed registration.  If @busy is set, an importer may still access the memory.  May sleep
 */
struct sluice_bar_memory_ops {
	int (*check)(const struct sluice_bar_memory *memory, struct device *dev,
		     phys_addr_t start, u64 size);
	void (*unmap)(struct sluice_bar_memory *memory);
};

/**
 * struct sluice_bar_memory - memory inside a device, which becomes a heap
 * @ops: functions for this kind of memory
 * @name: name of the heap
 * @dev: the device that has the memory
 * @start: physical address
 * @size: bytes, whole pages
 * @vaddr: kernel mapping, write-combined.  On x86 it also makes the mappings of processes
 *	write-combined
 * @bar: number of the BAR
 * @provider: of a BAR: the kernel's record for peer-to-peer DMA, valid until the driver is
 *	unbound; NULL if the kernel has none
 * @pool: of SRAM: the pool that the memory comes from
 * @busy: set by a revocation that reached its time limit: a fence has not signalled, or an importer
 *	has not unmapped the memory, and may still access it
 */
struct sluice_bar_memory {
	const struct sluice_bar_memory_ops *ops;
	char name[8];
	struct device *dev;
	phys_addr_t start;
	u64 size;
	void __iomem *vaddr;
	int bar;
	struct p2pdma_provider *provider;
	struct gen_pool *pool;
	bool busy;
};

int sluice_bar_add(struct sluice_device *sdev, const struct sluice_bar_memory *memory);

#endif /* _SLUICE_HEAP_BAR_H */
