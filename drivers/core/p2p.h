/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory inside a device: heap_bar.c, which has its buffers; p2p.c and heap_sram.c, which know
 * who reaches it.
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
 * struct sluice_device_memory_ops - what depends on the kind of memory
 * @check: does the DMA of a device reach a part of it?  0 or -EADDRNOTAVAIL.  May sleep; the
 *	driver is still bound
 * @unmap: nobody uses it any more: give it back, @vaddr included.  May sleep
 */
struct sluice_device_memory_ops {
	int (*check)(const struct sluice_device_memory *memory, struct device *dev,
		     phys_addr_t start, u64 size);
	void (*unmap)(struct sluice_device_memory *memory);
};

/**
 * struct sluice_device_memory - memory inside a device that a heap is made of
 * @ops: see there
 * @name: of the heap
 * @dev: whose memory it is
 * @start: physical address
 * @size: bytes, whole pages
 * @vaddr: kernel mapping, write-combined: on x86 it also makes mappings of processes so
 * @bar: number of a BAR
 * @provider: of a BAR: the kernel's record for peer-to-peer, until the driver is unbound
 * @pool: of SRAM
 * @busy: somebody has not let go of it in time, and may still access it
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
