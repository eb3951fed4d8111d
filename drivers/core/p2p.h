/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory inside a device: heap_bar.c makes a heap of it.  p2p.c (for BARs) and heap_sram.c (for
 * SRAM) know which other devices can reach the memory.
 */
#ifndef _SLUICE_P2P_H
#define _SLUICE_P2P_H

#include <linux/dma-buf.h>

struct p2pdma_provider;
struct pci_dev;
struct gen_pool;
struct sluice_device;
struct sluice_device_memory;

/**
 * struct sluice_device_memory_ops - functions that depend on the kind of memory
 * @check: can the DMA of @dev reach @size bytes from physical address @start?  Returns 0 or
 *	-EADDRNOTAVAIL.  May sleep.  The driver of the memory's device is still bound
 * @unmap: release the memory and @vaddr.  Called once, at the end of a revocation or after a
 *	failed registration.  If @busy is set, an importer may still access the memory.  May sleep
 */
struct sluice_device_memory_ops {
	int (*check)(const struct sluice_device_memory *memory, struct device *dev,
		     phys_addr_t start, u64 size);
	void (*unmap)(struct sluice_device_memory *memory);
};

/**
 * struct sluice_device_memory - memory inside a device, which becomes a heap
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
struct sluice_device_memory {
	const struct sluice_device_memory_ops *ops;
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

int sluice_device_add_memory(struct sluice_device *sdev,
			     const struct sluice_device_memory *memory);

int sluice_p2p_init(struct pci_dev *pdev, int bar, struct p2pdma_provider **provider);
int sluice_p2p_check(struct pci_dev *pdev, int bar, struct p2pdma_provider *provider,
		     struct device *dev, phys_addr_t start, u64 size);
struct sg_table *sluice_p2p_map(struct dma_buf_attachment *attach,
				struct p2pdma_provider *provider, phys_addr_t start, u64 size,
				enum dma_data_direction dir);
void sluice_p2p_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
		      enum dma_data_direction dir);

#endif /* _SLUICE_P2P_H */
