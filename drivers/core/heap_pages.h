/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The pages heap: scattered memory.  Memory has one owner at a time, a buffer or the pool, so there
 * is no lock.
 */
#ifndef _SLUICE_HEAP_PAGES_H
#define _SLUICE_HEAP_PAGES_H

#include <linux/list.h>
#include <linux/mmzone.h>
#include <linux/scatterlist.h>
#include <linux/types.h>

#include "heap.h"

#define SLUICE_PAGES_ORDERS	3
#define SLUICE_HUGE_ORDER	9	/* the largest of these orders */
#define SLUICE_HUGE_SIZE	((u64)PAGE_SIZE << SLUICE_HUGE_ORDER)

/**
 * struct sluice_pages - scattered memory, in use by a buffer or parked in the pool
 * @lru: in the pool's list_lru, in the list of its memory cgroup
 * @link: in one of the pool's lists by age, or in a list of memory to be freed
 * @bin: in the pool's hash table of bins, if it is the first of its bin
 * @alike: in the ring of all memory of its bin
 * @state: see below; under the pool's lock
 * @owner: number of the memory cgroup that it is charged to: see pool.c
 * @order: sequence number of its parking, among all memory that was ever parked
 * @parked: when it was parked, in jiffies
 * @size: bytes, whole pages
 * @mapping: one of SLUICE_MEM_MAPPINGS
 * @sgt: the pages, in compound pages, the largest pieces first
 * @end: highest physical address of the memory: that of its last byte
 * @node: NUMA node of the first page
 * @spread: some pages are on other nodes
 * @zone: the lowest zone that it has pages of
 * @top_zone: the highest zone that it has pages of
 * @pieces: the first page of each piece
 * @single_piece: array behind @pieces if there is one piece
 * @single_sg: table behind @sgt if there is one piece
 * @count: number of pieces of each of the SLUICE_PAGES_ORDERS, in the order of @sgt
 * @huge: all pieces have SLUICE_HUGE_SIZE
 * @vaddr: kernel mapping; NULL until it is first needed
 */
struct sluice_pages {
	struct list_head lru;
	struct list_head link;
	struct hlist_node bin;
	struct list_head alike;
	enum sluice_pages_state {
		SLUICE_PAGES_USED,	/* not parked: a buffer has it, or it is being freed */
		SLUICE_PAGES_DIRTY,
		SLUICE_PAGES_ZEROING,
		SLUICE_PAGES_DOOMED,	/* must be freed as soon as its zeroing has stopped */
		SLUICE_PAGES_CLEAN,
	} state;
	u32 mapping;
	u64 owner;
	u64 order;
	unsigned long parked;
	u64 size;
	struct sg_table sgt;
	phys_addr_t end;
	int node;
	bool spread;
	enum zone_type zone;
	enum zone_type top_zone;
	struct page **pieces;
	struct page *single_piece;
	struct scatterlist single_sg;
	unsigned int count[SLUICE_PAGES_ORDERS];
	bool huge;
	void *vaddr;
};

extern const struct sluice_heap sluice_heap_pages;
struct page *sluice_pages_find(const struct sluice_pages *pages, pgoff_t index);
void sluice_pages_destroy(struct sluice_pages *pages);
void sluice_pages_zero(struct sluice_pages *pages, const enum sluice_pages_state *state);
bool sluice_pages_held(struct sluice_pages *pages);

#endif /* _SLUICE_HEAP_PAGES_H */
