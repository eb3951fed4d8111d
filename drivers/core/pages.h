/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Scattered memory, in pieces that are as large as possible, with its kernel mapping.
 *
 * A buffer takes a struct sluice_pages from the pool.  When the buffer ends, the struct goes back
 * to the pool, which parks or frees it.  Memory has one owner at a time, a buffer or the pool, so
 * there is no lock.  The dma_resv guards the kernel mapping of a buffer.
 */
#ifndef _SLUICE_PAGES_H
#define _SLUICE_PAGES_H

#include <linux/gfp.h>
#include <linux/mmzone.h>
#include <linux/types.h>

#include "buffer.h"

struct page;
struct sluice_device;

#define SLUICE_PAGES_ORDERS	3
#define SLUICE_PAGES_HUGE_ORDER	9	/* the largest of these orders */
#define SLUICE_PAGES_HUGE_SIZE	((u64)PAGE_SIZE << SLUICE_PAGES_HUGE_ORDER)

/**
 * struct sluice_pages - scattered memory, in use by a buffer or parked in the pool
 * @buffer: the buffer, if one has the memory.  While the memory is parked, only the memory of
 *	@buffer is valid: its pieces, @end and @vaddr.  Pieces are compound pages, the largest first
 * @size: bytes, whole pages
 * @mapping: one of SLUICE_MEM_MAPPINGS
 * @node: NUMA node of the first page
 * @spread: some pages are on other nodes
 * @zone: the lowest zone that has a page of the memory
 * @top_zone: the highest zone that has a page of the memory
 * @count: number of pieces of each of the SLUICE_PAGES_ORDERS, in the order of the pieces
 * @huge: all pieces have SLUICE_PAGES_HUGE_SIZE
 */
struct sluice_pages {
	struct sluice_buffer buffer;
	u64 size;
	u32 mapping;
	int node;
	bool spread;
	enum zone_type zone;
	enum zone_type top_zone;
	unsigned int count[SLUICE_PAGES_ORDERS];
	bool huge;
};

typedef bool (*sluice_pages_drain_fn)(gfp_t zone, unsigned int order);

int sluice_pages_fill(struct sluice_pages *pages, struct sluice_device *sdev, u64 size, bool huge,
		      sluice_pages_drain_fn drain);
int sluice_pages_set_mapping(struct sluice_pages *pages, u32 mapping);
int sluice_pages_vmap(struct sluice_pages *pages);
void sluice_pages_zero(struct sluice_pages *pages, const bool *stop);
bool sluice_pages_held(struct sluice_pages *pages);
void sluice_pages_free(struct sluice_pages *pages);
struct page *sluice_pages_find(const struct sluice_pages *pages, pgoff_t index);

#endif /* _SLUICE_PAGES_H */
