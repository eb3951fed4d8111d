// SPDX-License-Identifier: GPL-2.0-only
/*
 * Peer-to-peer DMA from one PCI device to the BAR of another.  See p2p.h.
 */
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/pci.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include "compat/p2p.h"
#include "dma.h"
#include "p2p.h"

/**
 * struct sluice_p2p_mapping - a part of a BAR, mapped for one importer
 * @sgt: the importer's table: no pages, and segments that its device can use
 * @address: bus address of the part.  The device sees the part in one piece
 * @size: bytes
 * @whole: the table of the kernel's helper, if the helper has mapped it; else NULL
 */
struct sluice_p2p_mapping {
	struct sg_table sgt;
	dma_addr_t address;
	u64 size;
	struct sg_table *whole;
};

/**
 * sluice_p2p_init - prepare a BAR for peer-to-peer DMA
 * @pdev: the device that has the BAR; its driver is being bound
 * @bar: number of the BAR
 * @provider: set to the kernel's record of the BAR, for the other functions.  NULL on kernels that
 *	have no such records
 *
 * Context: may sleep.
 * Return: 0 or a negative errno of the kernel.
 */
int sluice_p2p_init(struct pci_dev *pdev, int bar, struct p2pdma_provider **provider)
{
	return sluice_compat_p2p_init(pdev, bar, provider);
}

/*
 * Ask the kernel.  An IOMMU may give the part a lower address, which sluice_p2p_map() checks.
 * Without an IOMMU, the device uses the bus address or the CPU's address, depending on the route:
 * check both.
 */
static bool sluice_p2p_reaches_provided(struct pci_dev *pdev, struct p2pdma_provider *provider,
					struct device *dev, phys_addr_t end)
{
	u64 bus_end = sluice_compat_p2p_bus_address(provider, end);

	if (!sluice_dma_translated(dev) &&
	    (bus_end > dma_get_mask(dev) || !sluice_dma_reaches(dev, end)))
		return false;
	return sluice_compat_p2p_route(pdev, dev);
}

/*
 * Map with the kernel's helper, in as few pieces as possible.  The segment limits of the device do
 * not matter here:
 *
 * - Behind an IOMMU that translates: in one piece.  The helper would map each of several pieces to
 *   the address of the first one.
 * - Elsewhere: in pieces that are a little smaller than 4 GiB.  The helper maps and unmaps each
 *   piece separately.
 *
 * In both cases the helper's table shows one range of bus addresses, from which sluice_p2p_cut()
 * cuts the device's segments.
 */
static int sluice_p2p_map_provided(struct dma_buf_attachment *attach,
				   struct p2pdma_provider *provider, phys_addr_t start,
				   struct sluice_p2p_mapping *mapping, enum dma_data_direction dir)
{
	bool translated = sluice_dma_translated(attach->dev);
	size_t max = translated ? SIZE_MAX : ALIGN_DOWN(UINT_MAX, PAGE_SIZE);

	mapping->whole = sluice_compat_p2p_map(attach, provider, start, mapping->size, max, dir);
	if (IS_ERR(mapping->whole))
		return PTR_ERR(mapping->whole);
	mapping->address = sg_dma_address(mapping->whole->sgl);
	return 0;
}

static bool sluice_p2p_bridge_redirects(struct pci_dev *bridge)
{
	u16 position = pci_find_ext_capability(bridge, PCI_EXT_CAP_ID_ACS), control;

	if (!position)
		return false;
	return pci_read_config_word(bridge, position + PCI_ACS_CTRL, &control) ||
	       control & (PCI_ACS_RR | PCI_ACS_CR | PCI_ACS_EC);
}

/*
 * Does a bridge on the way redirect requests?  The walk goes from the device up to @top.  @top
 * itself is not checked.
 */
static bool sluice_p2p_path_redirects(struct pci_dev *pdev, struct pci_dev *top)
{
	while ((pdev = pci_upstream_bridge(pdev)) != top)
		if (sluice_p2p_bridge_redirects(pdev))
			return true;
	return false;
}

/* The upstream port of the first switch that has both devices below it, or NULL. */
static struct pci_dev *sluice_p2p_common_switch(struct pci_dev *a, struct pci_dev *b)
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
	top = sluice_p2p_common_switch(a, b);
	return top && !sluice_p2p_path_redirects(a, top) && !sluice_p2p_path_redirects(b, top);
}

/* The kernel cannot tell whether a route works: accept only a route that certainly works. */
static bool sluice_p2p_reaches_certainly(struct pci_dev *pdev, int bar, struct device *dev,
					 phys_addr_t end)
{
	return !sluice_dma_translated(dev) &&
	       pci_bus_address(pdev, bar) == pci_resource_start(pdev, bar) &&
	       sluice_dma_reaches(dev, end) && sluice_p2p_route(pdev, to_pci_dev(dev));
}

/**
 * sluice_p2p_check - can a device reach a part of a BAR?
 * @pdev: the device that has the BAR; its driver is still bound
 * @bar: number of the BAR
 * @provider: from sluice_p2p_init()
 * @dev: the device that must reach the part, with a DMA mask
 * @start: physical address of the part
 * @size: bytes
 *
 * Context: may sleep.
 * Return: 0, or -EADDRNOTAVAIL if it cannot.
 */
int sluice_p2p_check(struct pci_dev *pdev, int bar, struct p2pdma_provider *provider,
		     struct device *dev, phys_addr_t start, u64 size)
{
	phys_addr_t end = start + size - 1;
	bool reaches;

	if (!dev_is_pci(dev))
		return -EADDRNOTAVAIL;
	if (SLUICE_COMPAT_P2P)
		reaches = sluice_p2p_reaches_provided(pdev, provider, dev, end);
	else
		reaches = sluice_p2p_reaches_certainly(pdev, bar, dev, end);
	return reaches ? 0 : -EADDRNOTAVAIL;
}

/* Map with dma_map_resource(), in one piece, because the memory has no struct pages. */
static int sluice_p2p_map_resource(struct dma_buf_attachment *attach, phys_addr_t start,
				   struct sluice_p2p_mapping *mapping, enum dma_data_direction dir)
{
	/* the DMA mask may be smaller than at attach, and the DMA API would warn */
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
		sluice_compat_p2p_unmap(attach, mapping->whole, dir);
	else
		dma_unmap_resource(attach->dev, mapping->address, mapping->size, dir, 0);
}

/* The mapping helper does not check the DMA mask for bus addresses, which bypass an IOMMU. */
static bool sluice_p2p_fits(struct device *dev, const struct sluice_p2p_mapping *mapping)
{
	u64 mask = dma_get_mask(dev);

	return mapping->address <= mask && mapping->size - 1 <= mask - mapping->address;
}

/* Length of the next segment for a device, at a bus address. */
static size_t sluice_p2p_segment(struct device *dev, dma_addr_t address, u64 left)
{
	return sluice_dma_segment_length(address, left,
					 sluice_dma_segment_limit(dma_get_max_seg_size(dev)),
					 (u64)dma_get_seg_boundary(dev) + 1);
}

/* Make the importer's table from the range of bus addresses. */
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
	/* no pages: an importer that looks for pages must find none */
	mapping->sgt.orig_nents = 0;
	return 0;
}

/**
 * sluice_p2p_map - map memory inside a device for an importer
 * @attach: the importer's attachment, which the check of the memory has allowed
 * @provider: from sluice_p2p_init(); NULL if the kernel has none, and for SRAM
 * @start: physical address
 * @size: bytes, whole pages
 * @dir: direction
 *
 * Context: may sleep; the dma_resv is held.
 * Return: a table without pages, or an ERR_PTR:
 *
 *	-EADDRNOTAVAIL	the bus addresses are not within the DMA mask of the device
 *	-ENOMEM		no memory
 *	others		what the kernel returned
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
 * sluice_p2p_unmap - unmap what sluice_p2p_map() has mapped
 * @attach: the importer's attachment
 * @sgt: table from sluice_p2p_map()
 * @dir: direction of the mapping
 *
 * May be called after the driver of the memory's device was unbound.
 *
 * Context: may sleep; the dma_resv is held.
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
