/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The contiguous heap: memory in one piece, coherent or cached.  It comes from one of two
 * sources:
 *
 *	the DMA API	dma_alloc_coherent(): from CMA if the kernel reserves memory for it
 *			(cma=), else from the page allocator, whose largest piece is
 *			SLUICE_CONTIGUOUS_BLOCK bytes.  In a confidential guest this memory is
 *			shared with the host, so devices reach it without a bounce buffer.
 *	a search	if the DMA API has no memory for a buffer above SLUICE_CONTIGUOUS_BLOCK: a
 *			range of ordinary memory in which all pages are free or can be moved.  Only
 *			for devices that snoop the CPU's caches.  Fails if memory is fragmented.
 *
 * For a device that snoops, coherent memory is cached, and CACHED asks for the same memory.  For
 * other devices coherent memory is not cached.  CACHED memory is then dma_alloc_pages() memory,
 * and export.c maintains the caches at CPU access.
 *
 * If the device tree gives the device a memory-region, all memory comes from this region, through
 * the DMA API.
 *
 * Memory of the DMA API is allocated for the class device (see struct sluice_device), which has no
 * driver that could be unbound.  Memory from CMA or from a search is not charged to a memory
 * cgroup, because modules have no interface for it.
 *
 * buffer.c calls the ops of the heap, and register.c the functions for the memory-region.
 * sluice_search_lock allows one search at a time; there is no other lock.
 */
#ifndef _SLUICE_HEAP_CONTIGUOUS_H
#define _SLUICE_HEAP_CONTIGUOUS_H

#include "heap.h"

struct sluice_device;

extern const struct sluice_heap sluice_contiguous_heap;
bool sluice_contiguous_has_cma(const struct sluice_device *sdev);
int sluice_contiguous_reserve(struct sluice_device *sdev);
void sluice_contiguous_unreserve(struct sluice_device *sdev);

#endif /* _SLUICE_HEAP_CONTIGUOUS_H */
