// SPDX-License-Identifier: GPL-2.0-only
/*
 * Heaps: which kinds of memory a device offers, and what it can address.
 *
 * Each device has its own list: the two heaps of the core, then those that its
 * driver added.  The core's keep to what the device can address, so that none ever
 * needs a bounce buffer, and do not depend on the device's driver for their life.
 * Their memory arrives zeroed and charged to the caller's memory cgroup.
 */
#include <linux/cc_platform.h>
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
 * sluice_dma_bounced - does the DMA API bounce whatever it maps for a device?
 * @dev: the device, not behind an IOMMU that translates
 *
 * So it is in a guest whose memory is encrypted: the device, which is the host's, reaches
 * only memory that the guest shares.  And with swiotlb=force.
 *
 * Context: any.
 * Return: true if only coherent memory will do.
 */
bool sluice_dma_bounced(struct device *dev)
{
	return is_swiotlb_force_bounce(dev) || cc_platform_has(CC_ATTR_GUEST_MEM_ENCRYPT);
}

static bool sluice_dma_within(struct device *dev, dma_addr_t end)
{
	return end <= min_not_zero(dma_get_mask(dev), dev->bus_dma_limit);
}

/**
 * sluice_dma_reaches - can a device address memory without a bounce buffer?
 * @dev: the device, with a DMA mask
 * @end: physical address of the last byte
 *
 * Context: any.
 * Return: true if it can.
 */
bool sluice_dma_reaches(struct device *dev, phys_addr_t end)
{
	if (sluice_dma_translated(dev))
		return true;
	if (sluice_dma_bounced(dev))
		return false;
	return sluice_dma_within(dev, phys_to_dma(dev, end));
}

/*
 * Memory of the DMA API, which is shared with the host, for a device that needs it so.  One
 * that has a pool of its own, outside which it reaches nothing, needs more than that.
 */
static bool sluice_buffer_shared(const struct sluice_buffer *buffer, struct device *dev)
{
	return buffer->heap == &sluice_contiguous_heap && !buffer->searched &&
	       sluice_dma_bounced(dev) && !sluice_dma_translated(dev) &&
	       !is_swiotlb_for_alloc(dev);
}

/**
 * sluice_buffer_address - where a device sees a page of a buffer
 * @buffer: one that sluice_buffer_reached() has let pass
 * @dev: the device, not behind an IOMMU that translates
 * @phys: an address in the buffer
 *
 * Context: any.
 * Return: the bus address.
 */
dma_addr_t sluice_buffer_address(const struct sluice_buffer *buffer, struct device *dev,
				 phys_addr_t phys)
{
	return sluice_buffer_shared(buffer, dev) ? phys_to_dma_unencrypted(dev, phys) :
						   phys_to_dma(dev, phys);
}

/**
 * sluice_buffer_reached - can a device address a buffer without a bounce buffer?
 * @buffer: in the machine's memory
 * @dev: the device, with a DMA mask
 *
 * Context: any.
 * Return: true if it can.
 */
bool sluice_buffer_reached(const struct sluice_buffer *buffer, struct device *dev)
{
	if (sluice_buffer_shared(buffer, dev))
		return sluice_dma_within(dev, sluice_buffer_address(buffer, dev, buffer->end));
	return sluice_dma_reaches(dev, buffer->end);
}

/**
 * sluice_buffer_map_shared - map a buffer without the DMA API, which would bounce it
 * @buffer: one that sluice_buffer_reached() has let pass
 * @dev: the device
 * @sgt: the pages; gets their bus addresses
 *
 * Memory that was allocated as coherent is shared with the host already: its address is
 * all that a device needs, and there is nothing to undo.
 *
 * Context: any.
 * Return: true if it is mapped now, false if the DMA API is to map it.
 */
bool sluice_buffer_map_shared(const struct sluice_buffer *buffer, struct device *dev,
			      struct sg_table *sgt)
{
	struct scatterlist *sg;
	unsigned int i;

	if (!sluice_buffer_shared(buffer, dev))
		return false;
	for_each_sgtable_sg(sgt, sg, i) {
		sg_dma_address(sg) = sluice_buffer_address(buffer, dev, sg_phys(sg));
		sg_dma_len(sg) = sg->length;
	}
	return true;
}

/**
 * sluice_dma_zone - a zone all of which a device can address
 * @sdev: the device
 *
 * Return: GFP flags; 0 if any zone will do.  On x86 a device with less than 32
 * bits is left with 16 MiB.  Elsewhere a bus may show memory at other addresses
 * than the CPU does: where the device's last one lies is what counts.
 */
gfp_t sluice_dma_zone(const struct sluice_device *sdev)
{
	struct device *parent = sdev->parent;
	u64 limit = min_not_zero(sdev->dma_mask, parent->bus_dma_limit);

	if (sdev->translated || !dma_addressing_limited(parent))
		return 0;
	if (dma_to_phys(parent, limit) >= DMA_BIT_MASK(32))
		return GFP_DMA32;
	return GFP_DMA;
}

/**
 * sluice_device_node - the NUMA node that memory for a device is to be on
 * @sdev: the device; its node has appeared
 *
 * Context: any.
 * Return: the node of the hardware, or the caller's if the hardware has none.
 */
int sluice_device_node(const struct sluice_device *sdev)
{
	int node = dev_to_node((struct device *)&sdev->dev);

	return node == NUMA_NO_NODE ? numa_mem_id() : node;
}

/**
 * sluice_heaps_init - the heaps that every device has
 * @sdev: being registered
 */
void sluice_heaps_init(struct sluice_device *sdev)
{
	sdev->heaps[sdev->num_heaps++] = &sluice_pages_heap;
	sdev->heaps[sdev->num_heaps++] = &sluice_contiguous_heap;
}

/**
 * sluice_heaps_release - free the heaps that are a device's own
 * @sdev: without buffers
 */
void sluice_heaps_release(struct sluice_device *sdev)
{
	while (sdev->num_heaps) {
		const struct sluice_heap *heap = sdev->heaps[--sdev->num_heaps];

		if (heap->release)
			heap->release(heap);
	}
}

/**
 * sluice_heaps_revoke - take the memory back that goes with the device
 * @sdev: being unregistered: nobody allocates any more
 *
 * Context: may sleep, as long as importers take to let go.
 */
void sluice_heaps_revoke(struct sluice_device *sdev)
{
	unsigned int i;

	for (i = 0; i < sdev->num_heaps; i++)
		if (sdev->heaps[i]->revoke)
			sdev->heaps[i]->revoke(sdev->heaps[i]);
}

/**
 * sluice_heap_add - give a device one more heap
 * @sdev: a device whose node has not appeared yet
 * @heap: released with the device if this succeeds
 *
 * Return: 0, or -ENOSPC.
 */
int sluice_heap_add(struct sluice_device *sdev, const struct sluice_heap *heap)
{
	if (sdev->num_heaps == SLUICE_MAX_HEAPS)
		return -ENOSPC;
	sdev->heaps[sdev->num_heaps++] = heap;
	return 0;
}

/**
 * sluice_heap_get - heap by number
 * @sdev: the device
 * @index: as userspace counts
 *
 * Return: the heap, or NULL if there is none.
 */
const struct sluice_heap *sluice_heap_get(const struct sluice_device *sdev, unsigned int index)
{
	if (index >= sdev->num_heaps)
		return NULL;
	return sdev->heaps[array_index_nospec(index, sdev->num_heaps)];
}

/**
 * sluice_heap_properties - what a buffer of a heap has without being asked
 * @sdev: the device
 * @heap: the heap
 *
 * Context: any.
 * Return: SLUICE_MEM_*.
 */
u32 sluice_heap_properties(const struct sluice_device *sdev, const struct sluice_heap *heap)
{
	if (heap == &sluice_contiguous_heap && sdev->reserved_size)
		return heap->properties | SLUICE_MEM_RESERVED;
	return heap->properties;
}

/**
 * sluice_heap_max_size - the largest buffer that can make sense, in bytes
 * @sdev: the device
 * @heap: the heap
 */
u64 sluice_heap_max_size(const struct sluice_device *sdev, const struct sluice_heap *heap)
{
	u64 size = (u64)totalram_pages() << PAGE_SHIFT;

	/* neither has to do with memory that the device itself has */
	if (heap->properties & SLUICE_MEM_DEVICE)
		return heap->max_size;
	if (heap->largest)
		size = min(size, heap->largest(sdev));
	if (heap->max_size)
		size = min(size, heap->max_size);
	if (!sdev->translated)
		size = min_t(u64, size, PAGE_ALIGN_DOWN(sdev->dma_mask));
	return size;
}

/**
 * sluice_heap_why - what stands against a buffer that is too large
 * @sdev: the device
 * @heap: the heap
 * @size: bytes, more than sluice_heap_max_size()
 *
 * Context: any.
 * Return: SLUICE_HINT_*.
 */
u32 sluice_heap_why(const struct sluice_device *sdev, const struct sluice_heap *heap, u64 size)
{
	return heap->why ? heap->why(sdev, size) : SLUICE_HINT_LIMIT;
}
