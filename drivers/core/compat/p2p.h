/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Differences between the kernels: peer-to-peer DMA between PCI devices.
 *
 * If SLUICE_COMPAT_P2P is true, the kernel knows the routes between PCI devices, and maps memory
 * of one for the other.  It does neither at least up to 6.12, nor without CONFIG_PCI_P2PDMA.
 * There is no provider then, and the other functions are never called.
 */
#ifndef _SLUICE_COMPAT_P2P_H
#define _SLUICE_COMPAT_P2P_H

#include <linux/dma-buf.h>
#include <linux/err.h>
#include <linux/pci-p2pdma.h>
#include <linux/pci.h>
#include <linux/slab.h>

struct p2pdma_provider;

#if defined(SLUICE_HAVE_P2PDMA_PROVIDER) && defined(CONFIG_PCI_P2PDMA)
#include <linux/dma-buf-mapping.h>

#define SLUICE_COMPAT_P2P	true

/* The kernel's record of a BAR; *provider is NULL on kernels without such records. */
static inline int sluice_compat_p2p_init(struct pci_dev *pdev, int bar,
					 struct p2pdma_provider **provider)
{
	int ret = pcim_p2pdma_init(pdev);

	if (ret)
		return ret;
	*provider = pcim_p2pdma_provider(pdev, bar);
	return *provider ? 0 : -EOPNOTSUPP;
}

/* Address on the bus of a physical address in the BAR. */
static inline dma_addr_t sluice_compat_p2p_bus_address(struct p2pdma_provider *provider,
						       phys_addr_t phys)
{
	return pci_p2pdma_bus_addr_map(provider, phys);
}

/* Does the kernel know a route from @dev to the device that has the BAR? */
static inline bool sluice_compat_p2p_route(struct pci_dev *pdev, struct device *dev)
{
	return pci_p2pdma_distance(pdev, dev, false) >= 0;
}

/* Map a part of the BAR, in pieces of at most @max bytes.  The table, or an ERR_PTR. */
static inline struct sg_table *sluice_compat_p2p_map(struct dma_buf_attachment *attach,
						     struct p2pdma_provider *provider,
						     phys_addr_t start, u64 size, size_t max,
						     enum dma_data_direction dir)
{
	unsigned int i, count = size <= max ? 1 : DIV_ROUND_UP_ULL(size, max);
	struct phys_vec *pieces;
	struct sg_table *sgt;
	u64 left = size;

	pieces = kmalloc_array(count, sizeof(*pieces), GFP_KERNEL);
	if (!pieces)
		return ERR_PTR(-ENOMEM);
	for (i = 0; i < count; i++) {
		pieces[i].paddr = start;
		pieces[i].len = min_t(u64, left, max);
		start += pieces[i].len;
		left -= pieces[i].len;
	}
	sgt = dma_buf_phys_vec_to_sgt(attach, provider, pieces, count, size, dir);
	kfree(pieces);
	return sgt;
}

/* May be called after the BAR's driver was unbound: the helper does not use the provider here. */
static inline void sluice_compat_p2p_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
					   enum dma_data_direction dir)
{
	/* the helper sets it to 0, because there are no pages; dma_buf_free_sgt() needs it */
	sgt->orig_nents = sgt->nents;
	dma_buf_free_sgt(attach, sgt, dir);
}

#else

#define SLUICE_COMPAT_P2P	false

static inline int sluice_compat_p2p_init(struct pci_dev *pdev, int bar,
					 struct p2pdma_provider **provider)
{
	*provider = NULL;
	return 0;
}

static inline dma_addr_t sluice_compat_p2p_bus_address(struct p2pdma_provider *provider,
						       phys_addr_t phys)
{
	return phys;
}

static inline bool sluice_compat_p2p_route(struct pci_dev *pdev, struct device *dev)
{
	return false;
}

static inline struct sg_table *sluice_compat_p2p_map(struct dma_buf_attachment *attach,
						     struct p2pdma_provider *provider,
						     phys_addr_t start, u64 size, size_t max,
						     enum dma_data_direction dir)
{
	return ERR_PTR(-EOPNOTSUPP);
}

static inline void sluice_compat_p2p_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
					   enum dma_data_direction dir)
{
}
#endif

#endif /* _SLUICE_COMPAT_P2P_H */
