// SPDX-License-Identifier: GPL-2.0-only
/*
 * Peer-to-peer: may one PCI device's DMA reach another's BAR, and at what address?
 *
 * Where the kernel knows (CONFIG_PCI_P2PDMA, with providers of memory without
 * struct pages), it is asked.  Elsewhere only what is certain is allowed: the
 * device itself, or one below the same PCIe switch, whose ports pass requests on
 * between them because none redirects them upwards (ACS); with no IOMMU that
 * translates, and bus addresses that equal the CPU's.
 */
#include <linux/dma-mapping.h>
#include <linux/pci-p2pdma.h>
#include <linux/slab.h>

#include "core.h"
#include "p2p.h"

/* The device's segments: whole pages, no longer and not further than it can do. */
static size_t sluice_p2p_piece(struct device *dev, phys_addr_t start, u64 left)
{
	return sluice_segment_length(start, min_t(u64, left, SZ_1G),
				     sluice_segment_limit(dma_get_max_seg_size(dev)),
				     (u64)dma_get_seg_boundary(dev) + 1);
}

static unsigned int sluice_p2p_count(struct device *dev, phys_addr_t start, u64 size)
{
	unsigned int count = 0;
	size_t piece;

	for (; size; count++) {
		piece = sluice_p2p_piece(dev, start, size);
		start += piece;
		size -= piece;
	}
	return count;
}

#ifdef SLUICE_P2PDMA

/**
 * sluice_p2p_init - prepare a BAR for peer-to-peer DMA
 * @pdev: whose; its driver is being bound
 * @bar: number
 * @provider: set to what the other functions want
 *
 * Return: 0 or a negative errno.
 */
int sluice_p2p_init(struct pci_dev *pdev, int bar, struct p2pdma_provider **provider)
{
	int ret = pcim_p2pdma_init(pdev);

	if (ret)
		return ret;
	*provider = pcim_p2pdma_provider(pdev, bar);
	return *provider ? 0 : -EOPNOTSUPP;
}

/**
 * sluice_p2p_check - can a device reach a part of a BAR?
 * @pdev: whose BAR; its driver is still bound
 * @bar: number
 * @provider: of the BAR
 * @dev: the other device
 * @start: physical address
 * @size: bytes
 *
 * Return: 0, or -EADDRNOTAVAIL.
 */
int sluice_p2p_check(struct pci_dev *pdev, int bar, struct p2pdma_provider *provider,
		     struct device *dev, phys_addr_t start, u64 size)
{
	u64 end = pci_p2pdma_bus_addr_map(provider, start + size - 1);

	/* an IOMMU may have a lower address for it: see sluice_p2p_map() */
	if (!dev_is_pci(dev) || (!sluice_dma_translated(dev) && end > dma_get_mask(dev)) ||
	    pci_p2pdma_distance(pdev, dev, false) < 0)
		return -EADDRNOTAVAIL;
	return 0;
}

/*
 * The helper asks neither for the mask, where bus addresses go past an IOMMU, nor
 * for the device's segments, where an IOMMU shows all of the memory as one.
 */
static bool sluice_p2p_fits(struct device *dev, struct sg_table *sgt)
{
	struct scatterlist *sg;
	int i;

	for_each_sgtable_dma_sg(sgt, sg, i) {
		u64 start = sg_dma_address(sg), end = start + sg_dma_len(sg) - 1;

		if (end > dma_get_mask(dev) || sg_dma_len(sg) > dma_get_max_seg_size(dev) ||
		    (start ^ end) & ~(u64)dma_get_seg_boundary(dev))
			return false;
	}
	return true;
}

/**
 * sluice_p2p_map - map a part of a BAR for an importer
 * @attach: the importer, one that sluice_p2p_check() allowed
 * @provider: of the BAR
 * @start: physical address
 * @size: bytes, whole pages
 * @dir: direction
 *
 * Context: may sleep; the dma_resv is held.  Return: a table without pages, or an
 * ERR_PTR.
 */
struct sg_table *sluice_p2p_map(struct dma_buf_attachment *attach,
				struct p2pdma_provider *provider, phys_addr_t start, u64 size,
				enum dma_data_direction dir)
{
	unsigned int i, count = sluice_p2p_count(attach->dev, start, size);
	struct phys_vec *pieces;
	struct sg_table *sgt;
	u64 left = size;

	pieces = kvmalloc_array(count, sizeof(*pieces), GFP_KERNEL_ACCOUNT);
	if (!pieces)
		return ERR_PTR(-ENOMEM);
	for (i = 0; i < count; i++) {
		pieces[i].paddr = start;
		pieces[i].len = sluice_p2p_piece(attach->dev, start, left);
		start += pieces[i].len;
		left -= pieces[i].len;
	}
	sgt = dma_buf_phys_vec_to_sgt(attach, provider, pieces, count, size, dir);
	kvfree(pieces);
	if (!IS_ERR(sgt) && !sluice_p2p_fits(attach->dev, sgt)) {
		sluice_p2p_unmap(attach, sgt, dir);
		return ERR_PTR(-EADDRNOTAVAIL);
	}
	return sgt;
}

/**
 * sluice_p2p_unmap - the opposite
 * @attach: the importer
 * @sgt: from sluice_p2p_map()
 * @dir: direction
 *
 * Also after the BAR's driver has gone.  Context: the dma_resv is held.
 */
void sluice_p2p_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
		      enum dma_data_direction dir)
{
	/* the helper says that there are no pages with this, and then frees by it */
	sgt->orig_nents = sgt->nents;
	dma_buf_free_sgt(attach, sgt, dir);
}

#else

int sluice_p2p_init(struct pci_dev *pdev, int bar, struct p2pdma_provider **provider)
{
	*provider = NULL;
	return 0;
}

static bool sluice_bridge_redirects(struct pci_dev *bridge)
{
	u16 position = pci_find_ext_capability(bridge, PCI_EXT_CAP_ID_ACS), control;

	if (!position)
		return false;
	return pci_read_config_word(bridge, position + PCI_ACS_CTRL, &control) ||
	       control & (PCI_ACS_RR | PCI_ACS_CR | PCI_ACS_EC);
}

/* Every bridge from a device up to, and without, the switch's upstream port. */
static bool sluice_path_redirects(struct pci_dev *pdev, struct pci_dev *top)
{
	while ((pdev = pci_upstream_bridge(pdev)) != top)
		if (sluice_bridge_redirects(pdev))
			return true;
	return false;
}

/* The upstream port of the first switch that both are below. */
static struct pci_dev *sluice_common_switch(struct pci_dev *a, struct pci_dev *b)
{
	struct pci_dev *up, *other;

	for (up = pci_upstream_bridge(a); up; up = pci_upstream_bridge(up)) {
		if (!pci_is_pcie(up) || pci_pcie_type(up) != PCI_EXP_TYPE_UPSTREAM)
			continue;
		for (other = pci_upstream_bridge(b); other; other = pci_upstream_bridge(other))
			if (other == up)
				return up;
	}
	return NULL;
}

static bool sluice_p2p_route(struct pci_dev *a, struct pci_dev *b)
{
	struct pci_dev *top;

	if (a == b)
		return true;
	top = sluice_common_switch(a, b);
	return top && !sluice_path_redirects(a, top) && !sluice_path_redirects(b, top);
}

int sluice_p2p_check(struct pci_dev *pdev, int bar, struct p2pdma_provider *provider,
		     struct device *dev, phys_addr_t start, u64 size)
{
	if (!dev_is_pci(dev) || sluice_dma_translated(dev) ||
	    pci_bus_address(pdev, bar) != pci_resource_start(pdev, bar) ||
	    !sluice_dma_reaches(dev, start + size - 1) ||
	    !sluice_p2p_route(pdev, to_pci_dev(dev)))
		return -EADDRNOTAVAIL;
	return 0;
}

static void sluice_p2p_unmap_pieces(struct device *dev, struct sg_table *sgt, unsigned int count,
				    enum dma_data_direction dir)
{
	struct scatterlist *sg;
	unsigned int i;

	for_each_sg(sgt->sgl, sg, count, i)
		dma_unmap_resource(dev, sg_dma_address(sg), sg_dma_len(sg), dir, 0);
	sg_free_table(sgt);
	kfree(sgt);
}

struct sg_table *sluice_p2p_map(struct dma_buf_attachment *attach,
				struct p2pdma_provider *provider, phys_addr_t start, u64 size,
				enum dma_data_direction dir)
{
	struct device *dev = attach->dev;
	struct scatterlist *sg;
	struct sg_table *sgt;
	unsigned int i;
	int ret;

	sgt = kzalloc(sizeof(*sgt), GFP_KERNEL_ACCOUNT);
	if (!sgt)
		return ERR_PTR(-ENOMEM);
	ret = sg_alloc_table(sgt, sluice_p2p_count(dev, start, size), GFP_KERNEL_ACCOUNT);
	if (ret) {
		kfree(sgt);
		return ERR_PTR(ret);
	}
	for_each_sgtable_sg(sgt, sg, i) {
		size_t piece = sluice_p2p_piece(dev, start, size);

		/* no page: there is none, and an importer is not to look for one */
		sg_dma_address(sg) = dma_map_resource(dev, start, piece, dir, 0);
		ret = dma_mapping_error(dev, sg_dma_address(sg));
		if (ret) {
			sluice_p2p_unmap_pieces(dev, sgt, i, dir);
			return ERR_PTR(ret);
		}
		sg_dma_len(sg) = piece;
		start += piece;
		size -= piece;
	}
	return sgt;
}

void sluice_p2p_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
		      enum dma_data_direction dir)
{
	sluice_p2p_unmap_pieces(attach->dev, sgt, sgt->nents, dir);
}

#endif /* SLUICE_P2PDMA */
