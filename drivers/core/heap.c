// SPDX-License-Identifier: GPL-2.0-only
/*
 * Heaps: which kinds of memory there are, and what a device can address.
 *
 * All keep to what the device can address, so that none ever needs a bounce
 * buffer, and none depends on the device's driver for its life.  Memory arrives
 * zeroed and charged to the caller's memory cgroup.
 */
#include <linux/dma-direct.h>
#include <linux/dma-mapping.h>
#include <linux/iommu.h>
#include <linux/nospec.h>
#include <linux/swiotlb.h>

#include "core.h"

/**
 * sluice_dma_translated - can a device be shown any memory?
 * @dev: the device; a driver is bound to it
 *
 * Return: true behind an IOMMU that translates; one in pass-through does not.
 */
bool sluice_dma_translated(struct device *dev)
{
	struct iommu_domain *domain = iommu_get_domain_for_dev(dev);

	return domain && domain->type != IOMMU_DOMAIN_IDENTITY;
}

/**
 * sluice_dma_reaches - can a device address memory without a bounce buffer?
 * @dev: the device, with a DMA mask
 * @end: physical address of the last byte
 */
bool sluice_dma_reaches(struct device *dev, phys_addr_t end)
{
	if (sluice_dma_translated(dev))
		return true;
	if (is_swiotlb_force_bounce(dev))
		return false;
	return phys_to_dma(dev, end) <= min_not_zero(dma_get_mask(dev), dev->bus_dma_limit);
}

/**
 * sluice_dma_zone - a zone all of which a device can address
 * @sdev: the device
 *
 * Return: GFP flags; 0 if any zone will do.  On x86 a device with less than 32
 * bits is left with 16 MiB.
 */
gfp_t sluice_dma_zone(const struct sluice_device *sdev)
{
	struct device *parent = sdev->parent;
	u64 limit = min_not_zero(sdev->dma_mask, parent->bus_dma_limit);

	if (sdev->translated || !dma_addressing_limited(parent))
		return 0;
	if (limit >= DMA_BIT_MASK(32))
		return GFP_DMA32;
	return GFP_DMA;
}

static const struct sluice_heap * const sluice_heaps[] = {
	&sluice_pages_heap,
	&sluice_contiguous_heap,
};

unsigned int sluice_heap_count(void)
{
	return ARRAY_SIZE(sluice_heaps);
}

/**
 * sluice_heap_get - heap by number
 * @index: as userspace counts
 *
 * Return: the heap, or NULL if there is none.
 */
const struct sluice_heap *sluice_heap_get(unsigned int index)
{
	if (index >= ARRAY_SIZE(sluice_heaps))
		return NULL;
	return sluice_heaps[array_index_nospec(index, ARRAY_SIZE(sluice_heaps))];
}

/**
 * sluice_heap_max_size - the largest buffer that can make sense, in bytes
 * @sdev: the device
 * @heap: the heap
 */
u64 sluice_heap_max_size(const struct sluice_device *sdev, const struct sluice_heap *heap)
{
	u64 size = (u64)totalram_pages() << PAGE_SHIFT;

	if (heap->max_size)
		size = min(size, heap->max_size);
	if (!sdev->translated)
		size = min_t(u64, size, PAGE_ALIGN_DOWN(sdev->dma_mask));
	return size;
}
