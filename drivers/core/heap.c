// SPDX-License-Identifier: GPL-2.0-only
/*
 * Heaps: the list of a device's heaps.  See heap.h.
 */
#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "device.h"
#include "heap.h"

/**
 * sluice_heaps_release - free the heaps that belong to one device
 * @sdev: a device that is being freed, so it has no buffers
 *
 * Context: may sleep.
 */
void sluice_heaps_release(struct sluice_device *sdev)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sdev->exporters); i++)
		kfree(sdev->exporters[i]);
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
 * sluice_heaps_block - keep all CPUs from the memory inside a device, or end that
 * @sdev: the device
 * @block: true to begin, false to end
 *
 * Context: process context, may sleep.
 */
void sluice_heaps_block(struct sluice_device *sdev, bool block)
{
	unsigned int i;

	for (i = 0; i < sdev->num_heaps; i++)
		if (sdev->heaps[i]->block)
			sdev->heaps[i]->block(sdev->heaps[i], block);
}

/**
 * sluice_heap_add - add a heap to a device
 * @sdev: a device whose node has not appeared yet
 * @heap: the heap; freed with the device, if this succeeds
 *
 * Context: any.
 * Return: 0, or -ENOSPC if the device has SLUICE_DEVICE_MAX_HEAPS heaps already.
 */
int sluice_heap_add(struct sluice_device *sdev, const struct sluice_heap *heap)
{
	if (sdev->num_heaps == SLUICE_DEVICE_MAX_HEAPS)
		return -ENOSPC;
	sdev->heaps[sdev->num_heaps++] = heap;
	return 0;
}

/**
 * sluice_heaps_name - make the exporter's names of the dma-bufs of a device
 * @sdev: a device that has its name and all its heaps, and whose node has not appeared yet
 *
 * They are the names of the dma-heap nodes: fdinfo and debugfs then show where memory is from.
 * They are made once, because formatting one costs as much as a tenth of an ALLOC.
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM; sluice_heaps_release() frees the names in both cases.
 */
int sluice_heaps_name(struct sluice_device *sdev)
{
	unsigned int i;

	for (i = 0; i <= sdev->num_heaps; i++) {
		sdev->exporters[i] = kasprintf(GFP_KERNEL, "sluice-%s-%s", sdev->name,
					       i < sdev->num_heaps ? sdev->heaps[i]->name :
								     SLUICE_HEAP_WRAPPED);
		if (!sdev->exporters[i])
			return -ENOMEM;
	}
	return 0;
}

/**
 * sluice_heap_exporter - the exporter's name of the dma-bufs of a heap
 * @sdev: the device
 * @heap: a heap of the device, or the heap of wrapped memory
 *
 * Context: any.
 * Return: the name, which lives as long as the device.
 */
const char *sluice_heap_exporter(const struct sluice_device *sdev, const struct sluice_heap *heap)
{
	unsigned int i = 0;

	while (i < sdev->num_heaps && sdev->heaps[i] != heap)
		i++;
	return sdev->exporters[i];
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
