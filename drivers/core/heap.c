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
#include <linux/mm.h>
#include <linux/nospec.h>

#include "core.h"

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
