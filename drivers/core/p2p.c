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

/**
 * struct sluice_p2p_mapping - a part of a BAR as one importer sees it
 * @sgt: what the importer has: no pages, and segments that its device can do
 * @address: where the device sees the memory, which is one piece of it
 * @size: bytes
 * @whole: the kernel's record of it, where the kernel maps
 */
struct sluice_p2p_mapping {
	struct sg_table sgt;
	dma_addr_t address;
	u64 size;
	struct sg_table *whole;
};

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

	/*
	 * An IOMMU may have a lower address for it: see sluice_p2p_map().  Without one it
	 * depends on the route whether the bus's address counts or the CPU's.
	 */
	if (!dev_is_pci(dev) ||
	    (!sluice_dma_translated(dev) &&
	     (end > dma_get_mask(dev) || !sluice_dma_reaches(dev, start + size - 1))) ||
	    pci_p2pdma_distance(pdev, dev, false) < 0)
		return -EADDRNOTAVAIL;
	return 0;
}

/*
 * Whatever segments the device can do, all of it goes to the helper as one piece
 * behind an IOMMU, where the helper would map each of several to the first one's
 * place; and elsewhere as pieces that it also unmaps as such, as large as they can
 * be.  Its table shows one range either way, cut at 4 GiB only; the device's segments
 * are cut from that.
 */
static int sluice_p2p_map_provided(struct dma_buf_attachment *attach,
				   struct p2pdma_provider *provider, phys_addr_t start,
				   struct sluice_p2p_mapping *mapping, enum dma_data_direction dir)
{
	bool translated = sluice_dma_translated(attach->dev);
	size_t max = translated ? SIZE_MAX : ALIGN_DOWN(UINT_MAX, PAGE_SIZE);
	unsigned int i, count = translated ? 1 : DIV_ROUND_UP_ULL(mapping->size, max);
	u64 left = mapping->size;
	struct phys_vec *pieces;

	pieces = kmalloc_array(count, sizeof(*pieces), GFP_KERNEL);
	if (!pieces)
		return -ENOMEM;
	for (i = 0; i < count; i++) {
		pieces[i].paddr = start;
		pieces[i].len = min_t(u64, left, max);
		start += pieces[i].len;
		left -= pieces[i].len;
	}
	mapping->whole = dma_buf_phys_vec_to_sgt(attach, provider, pieces, count, mapping->size,
						 dir);
	kfree(pieces);
	if (IS_ERR(mapping->whole))
		return PTR_ERR(mapping->whole);
	mapping->address = sg_dma_address(mapping->whole->sgl);
	return 0;
}

/* Asks for nothing that went with the BAR's driver. */
static void sluice_p2p_unmap_provided(struct dma_buf_attachment *attach,
				      struct sluice_p2p_mapping *mapping,
				      enum dma_data_direction dir)
{
	/* the helper says that there are no pages with this, and then frees by it */
	mapping->whole->orig_nents = mapping->whole->nents;
	dma_buf_free_sgt(attach, mapping->whole, dir);
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

/* There is none: see sluice_p2p_init(). */
static int sluice_p2p_map_provided(struct dma_buf_attachment *attach,
				   struct p2pdma_provider *provider, phys_addr_t start,
				   struct sluice_p2p_mapping *mapping, enum dma_data_direction dir)
{
	return -EOPNOTSUPP;
}

static void sluice_p2p_unmap_provided(struct dma_buf_attachment *attach,
				      struct sluice_p2p_mapping *mapping,
				      enum dma_data_direction dir)
{
}

#endif /* SLUICE_P2PDMA */

/* One piece: the kernel has no struct pages for the memory. */
static int sluice_p2p_map_resource(struct dma_buf_attachment *attach, phys_addr_t start,
				   struct sluice_p2p_mapping *mapping, enum dma_data_direction dir)
{
	/* the mask may have shrunk since attach, and the DMA API would warn */
	if (!sluice_dma_reaches(attach->dev, start + mapping->size - 1))
		return -EADDRNOTAVAIL;
	mapping->address = dma_map_resource(attach->dev, start, mapping->size, dir, 0);
	return dma_mapping_error(attach->dev, mapping->address);
}

static int sluice_p2p_map_whole(struct dma_buf_attachment *attach,
				struct p2pdma_provider *provider, phys_addr_t start,
				struct sluice_p2p_mapping *mapping, enum dma_data_direction dir)
{
	if (provider)
		return sluice_p2p_map_provided(attach, provider, start, mapping, dir);
	return sluice_p2p_map_resource(attach, start, mapping, dir);
}

static void sluice_p2p_unmap_whole(struct dma_buf_attachment *attach,
				   struct sluice_p2p_mapping *mapping,
				   enum dma_data_direction dir)
{
	if (mapping->whole)
		sluice_p2p_unmap_provided(attach, mapping, dir);
	else
		dma_unmap_resource(attach->dev, mapping->address, mapping->size, dir, 0);
}

/* Who maps does not always ask for the mask: not where bus addresses go past an IOMMU. */
static bool sluice_p2p_fits(struct device *dev, const struct sluice_p2p_mapping *mapping)
{
	u64 mask = dma_get_mask(dev);

	return mapping->address <= mask && mapping->size - 1 <= mask - mapping->address;
}

/* The next segment for a device, at a place as the device sees it. */
static size_t sluice_p2p_segment(struct device *dev, dma_addr_t address, u64 left)
{
	return sluice_segment_length(address, left,
				     sluice_segment_limit(dma_get_max_seg_size(dev)),
				     (u64)dma_get_seg_boundary(dev) + 1);
}

/* Fill in the importer's table. */
static int sluice_p2p_cut(struct device *dev, struct sluice_p2p_mapping *mapping)
{
	dma_addr_t address = mapping->address, end = address + mapping->size;
	struct scatterlist *sg;
	unsigned int count = 0;
	int ret, i;

	while (address != end) {
		address += sluice_p2p_segment(dev, address, end - address);
		count++;
	}
	ret = sg_alloc_table(&mapping->sgt, count, GFP_KERNEL_ACCOUNT);
	if (ret)
		return ret;
	address = mapping->address;
	for_each_sgtable_dma_sg(&mapping->sgt, sg, i) {
		sg_dma_address(sg) = address;
		sg_dma_len(sg) = sluice_p2p_segment(dev, address, end - address);
		address += sg_dma_len(sg);
	}
	/* there are no pages, and an importer that looks for them finds none */
	mapping->sgt.orig_nents = 0;
	return 0;
}

/**
 * sluice_p2p_map - map memory inside a device for an importer
 * @attach: the importer, one that its check allowed
 * @provider: of a BAR, or NULL
 * @start: physical address
 * @size: bytes, whole pages
 * @dir: direction
 *
 * Context: may sleep; the dma_resv is held.  Return: a table without pages, or an
 * ERR_PTR: -EADDRNOTAVAIL if the device cannot address where it is seen, -ENOMEM,
 * or what the kernel says.
 */
struct sg_table *sluice_p2p_map(struct dma_buf_attachment *attach,
				struct p2pdma_provider *provider, phys_addr_t start, u64 size,
				enum dma_data_direction dir)
{
	struct sluice_p2p_mapping *mapping;
	int ret;

	mapping = kzalloc(sizeof(*mapping), GFP_KERNEL_ACCOUNT);
	if (!mapping)
		return ERR_PTR(-ENOMEM);
	mapping->size = size;
	ret = sluice_p2p_map_whole(attach, provider, start, mapping, dir);
	if (ret)
		goto err_free;
	ret = -EADDRNOTAVAIL;
	if (sluice_p2p_fits(attach->dev, mapping))
		ret = sluice_p2p_cut(attach->dev, mapping);
	if (ret)
		goto err_unmap;
	return &mapping->sgt;

err_unmap:
	sluice_p2p_unmap_whole(attach, mapping, dir);
err_free:
	kfree(mapping);
	return ERR_PTR(ret);
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
	struct sluice_p2p_mapping *mapping = container_of(sgt, struct sluice_p2p_mapping, sgt);

	sluice_p2p_unmap_whole(attach, mapping, dir);
	sgt->orig_nents = sgt->nents;
	sg_free_table(sgt);
	kfree(mapping);
}
