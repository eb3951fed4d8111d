/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Peer-to-peer: can the DMA of one PCI device reach the BAR of another, and at which address?
 *
 * On newer kernels with CONFIG_PCI_P2PDMA, the kernel knows the route, also for memory without
 * struct pages, and is asked.  Elsewhere only a route that is certain is allowed:
 *
 * - The other device is the BAR's device itself, or is below the same PCIe switch, with no port on
 *   the way that redirects requests upwards (ACS).
 * - No IOMMU translates, and the bus addresses of the BAR equal the CPU's addresses.
 *
 * A mapping belongs to its importer, and is made and unmapped with the dma_resv of the buffer held,
 * so there is no other lock.  heap_bar.c calls this file.
 */
#ifndef _SLUICE_P2P_H
#define _SLUICE_P2P_H

#include <linux/dma-buf.h>

struct p2pdma_provider;
struct pci_dev;

int sluice_p2p_init(struct pci_dev *pdev, int bar, struct p2pdma_provider **provider);
int sluice_p2p_check(struct pci_dev *pdev, int bar, struct p2pdma_provider *provider,
		     struct device *dev, phys_addr_t start, u64 size);
struct sg_table *sluice_p2p_map(struct dma_buf_attachment *attach,
				struct p2pdma_provider *provider, phys_addr_t start, u64 size,
				enum dma_data_direction dir);
void sluice_p2p_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
		      enum dma_data_direction dir);

#endif /* _SLUICE_P2P_H */
