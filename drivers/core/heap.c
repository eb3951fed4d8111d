// SPDX-License-Identifier: GPL-2.0-only
/*
 * Heaps: the list of a device's heaps, and which memory the device can address.
 *
 * The list has the two heaps of the core, then those that the device driver has added.  The heaps
 * of the core allocate only memory that the device can address, so no mapping needs a bounce
 * buffer.  Their memory may outlive the binding of the device driver.
 *
 * The list does not change after the node has appeared, so it needs no lock.  device.c makes and
 * frees it.  Any code of the core may call the other functions.
 */
#include <linux/cc_platform.h>
#include <linux/dma-direct.h>
#include <linux/dma-mapping.h>
#include <linux/iommu.h>
#include <linux/nospec.h>
#include <linux/swiotlb.h>

#include "core.h"

/**
 * sluice_dma_translated - is a device behind an IOMMU that translates?
 * @dev: the device; a driver is bound to it
 *
 * Any memory can be mapped for such a device.
 *
 * Context: any.
 * Return: true if it is; false without an IOMMU, or if the IOMMU passes addresses through.
 */
bool sluice_dma_translated(struct device *dev)
{
	struct iommu_domain *domain = iommu_get_domain_for_dev(dev);

	return domain && domain->type != IOMMU_DOMAIN_IDENTITY;
}

/**
 * sluice_dma_bounced - does the DMA API bounce all mappings of a device?
 * @dev: the device, not behind an IOMMU that translates
 *
 * It does so with swiotlb=force, and in a confidential guest: the devices of the host can reach
 * only memory that the guest shares with the host.
 *
 * Context: any.
 * Return: true if the device can use coherent memory only.
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
 * Is it coherent memory, which is shared with the host, for a device that can use no other memory?
 * A device with a bounce pool of its own (restricted DMA) can reach only that pool: false.
 */
static bool sluice_buffer_shared(const struct sluice_buffer *buffer, struct device *dev)
{
	return buffer->heap == &sluice_contiguous_heap && !buffer->searched &&
	       sluice_dma_bounced(dev) && !sluice_dma_translated(dev) &&
	       !is_swiotlb_for_alloc(dev);
}

/**
 * sluice_buffer_address - bus address of a place in a buffer
 * @buffer: a buffer for which sluice_buffer_reached() is true
 * @dev: the device, not behind an IOMMU that translates
 * @phys: a physical address in the buffer
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
 * @buffer: a buffer in memory of the system
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
 * sluice_buffer_map_shared - map coherent memory without the DMA API, which would bounce it
 * @buffer: a buffer for which sluice_buffer_reached() is true
 * @dev: the device
 * @sgt: table with the pages; gets their bus addresses
 *
 * Coherent memory is already shared with the host.  The device needs only its bus addresses, and
 * nothing must be unmapped later.
 *
 * Context: any.
 * Return: true if it is mapped now; false if the caller must map it with the DMA API.
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
 * sluice_dma_zone - the highest zone that a device can address completely
 * @sdev: the device
 *
 * The limit of the device is a bus address, which is converted to an address of the CPU first.  On
 * x86 a device with less than 32 bits can use only the zone of 16 MiB.
 *
 * Context: any.
 * Return: GFP flags; 0 if any zone is allowed.
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
 * sluice_device_node - the NUMA node on which memory for a device should be
 * @sdev: the device, which is registered
 *
 * Context: any.
 * Return: the NUMA node of the hardware; that of the current CPU if the hardware reports none.
 */
int sluice_device_node(const struct sluice_device *sdev)
{
	int node = dev_to_node((struct device *)&sdev->dev);

	return node == NUMA_NO_NODE ? numa_mem_id() : node;
}

/**
 * sluice_heaps_init - add the heaps that every device has
 * @sdev: a device that is being registered
 *
 * Context: any.
 */
void sluice_heaps_init(struct sluice_device *sdev)
{
	sdev->heaps[sdev->num_heaps++] = &sluice_pages_heap;
	sdev->heaps[sdev->num_heaps++] = &sluice_contiguous_heap;
}

/**
 * sluice_heaps_release - free the heaps that belong to one device
 * @sdev: a device that is being freed, so it has no buffers
 *
 * Context: may sleep.
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
 * sluice_heaps_revoke - take memory inside a device back from all users
 * @sdev: a device that is being unregistered; nothing is allocated any more
 *
 * Context: may sleep; waits for importers, at most a minute for each heap.
 */
void sluice_heaps_revoke(struct sluice_device *sdev)
{
	unsigned int i;

	for (i = 0; i < sdev->num_heaps; i++)
		if (sdev->heaps[i]->revoke)
			sdev->heaps[i]->revoke(sdev->heaps[i]);
}

/**
 * sluice_heap_add - add a heap to a device
 * @sdev: a device whose node has not appeared yet
 * @heap: the heap; freed with the device, if this succeeds
 *
 * Context: any.
 * Return: 0, or -ENOSPC if the device has SLUICE_MAX_HEAPS heaps already.
 */
int sluice_heap_add(struct sluice_device *sdev, const struct sluice_heap *heap)
{
	if (sdev->num_heaps == SLUICE_MAX_HEAPS)
		return -ENOSPC;
	sdev->heaps[sdev->num_heaps++] = heap;
	return 0;
}

/**
 * sluice_heap_get - find a heap by number
 * @sdev: the device
 * @index: number of the heap, from userspace and not checked
 *
 * Context: any.
 * Return: the heap, or NULL if the device has no heap with this number.
 */
const struct sluice_heap *sluice_heap_get(const struct sluice_device *sdev, unsigned int index)
{
	if (index >= sdev->num_heaps)
		return NULL;
	return sdev->heaps[array_index_nospec(index, sdev->num_heaps)];
}

/**
 * sluice_heap_properties - properties of a buffer, if ALLOC asks for none
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
 * sluice_heap_max_size - the largest buffer that ALLOC may ask for
 * @sdev: the device
 * @heap: the heap
 *
 * Context: any.
 * Return: bytes.
 */
u64 sluice_heap_max_size(const struct sluice_device *sdev, const struct sluice_heap *heap)
{
	u64 size = (u64)totalram_pages() << PAGE_SHIFT;

	/* the limits below do not apply to memory inside a device */
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
 * sluice_heap_why - the reason why a buffer is too large
 * @sdev: the device
 * @heap: the heap
 * @size: bytes, more than sluice_heap_max_size() returns
 *
 * Context: any.
 * Return: SLUICE_HINT_*.
 */
u32 sluice_heap_why(const struct sluice_device *sdev, const struct sluice_heap *heap, u64 size)
{
	return heap->why ? heap->why(sdev, size) : SLUICE_HINT_LIMIT;
}
