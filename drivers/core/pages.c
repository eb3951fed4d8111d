// SPDX-License-Identifier: GPL-2.0-only
/*
 * Scattered memory, in pieces that are as large as possible: see pages.h.
 */
#include <linux/compiler.h>
#include <linux/highmem.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <uapi/linux/sluice.h>

#include "compat/mm.h"
#include "device.h"
#include "heap.h"
#include "pages.h"

/*
 * Large pieces first, because they need fewer segments and TLB entries.  The allocator tries hard
 * only for the smallest order that the caller accepts: order 0, or SLUICE_PAGES_HUGE_ORDER for a
 * buffer of huge pieces only.
 */
static const unsigned int sluice_pages_orders[SLUICE_PAGES_ORDERS] = {
	SLUICE_PAGES_HUGE_ORDER, 4, 0
};

/* Allocate on the device's NUMA node.  If it reports none, the task's memory policy decides. */
static struct page *sluice_pages_one(struct sluice_device *sdev, unsigned int order, bool hard)
{
	gfp_t gfp = GFP_KERNEL_ACCOUNT | __GFP_ZERO | __GFP_NOWARN | sdev->zone;
	int node = dev_to_node(&sdev->dev);

	if (order)
		gfp |= __GFP_COMP;
	if (hard)
		gfp |= __GFP_RETRY_MAYFAIL;
	else
		gfp = (gfp | __GFP_NORETRY) & ~__GFP_RECLAIM;
	if (node == NUMA_NO_NODE)
		return alloc_pages(gfp, order);
	return alloc_pages_node(node, gfp, order);
}

/*
 * Allocate pieces until there are enough.  An order that has failed is not tried again, unless
 * @drain has freed memory for it.
 */
static int sluice_pages_collect(struct sluice_pages *pages, struct sluice_device *sdev,
				sluice_pages_drain_fn drain, struct list_head *pieces)
{
	unsigned int orders = pages->huge ? 1 : SLUICE_PAGES_ORDERS;
	unsigned int smallest = sluice_pages_orders[orders - 1];
	u64 left = pages->size;
	bool drained = false;
	unsigned int i = 0;
	struct page *page;

	while (left) {
		unsigned int order = sluice_pages_orders[i];

		if (left < (u64)PAGE_SIZE << order) {
			i++;	/* never the smallest: the size is a multiple of it */
			continue;
		}
		if (fatal_signal_pending(current))
			return -EINTR;
		page = sluice_pages_one(sdev, order, order == smallest);
		if (page) {
			list_add_tail(&page->lru, pieces);
			left -= (u64)PAGE_SIZE << order;
			pages->count[i]++;
		} else if (++i == orders) {
			if (drained || !drain(sdev->zone, smallest))
				return -ENOMEM;
			drained = true;
			i--;
		}
		cond_resched();	/* zeroing takes time */
	}
	return 0;
}

static void sluice_pages_free_pieces(struct sluice_pages *pages, struct list_head *pieces)
{
	unsigned int i, k;

	for (i = 0; i < SLUICE_PAGES_ORDERS; i++) {
		for (k = 0; k < pages->count[i]; k++) {
			struct page *page = list_first_entry(pieces, struct page, lru);

			list_del(&page->lru);
			__free_pages(page, sluice_pages_orders[i]);
		}
	}
}

/* Allocate the array for @count pieces. */
static int sluice_pages_make_room(struct sluice_buffer *buffer, unsigned int count)
{
	buffer->num_pieces = count;
	buffer->pieces = &buffer->single_piece;
	if (count > 1)
		buffer->pieces = kvmalloc_array(count, sizeof(*buffer->pieces),
						GFP_KERNEL_ACCOUNT);
	return buffer->pieces ? 0 : -ENOMEM;
}

/* Put the pieces into the array, and note where the memory is. */
static void sluice_pages_place(struct sluice_pages *pages, struct list_head *pieces)
{
	struct sluice_piece *piece = pages->buffer.pieces;
	unsigned int i, k;
	u64 offset = 0;

	pages->huge = (u64)pages->count[0] * SLUICE_PAGES_HUGE_SIZE == pages->size;
	pages->zone = __MAX_NR_ZONES;
	pages->node = page_to_nid(list_first_entry(pieces, struct page, lru));
	for (i = 0; i < SLUICE_PAGES_ORDERS; i++) {
		size_t length = PAGE_SIZE << sluice_pages_orders[i];

		for (k = 0; k < pages->count[i]; k++) {
			struct page *page = list_first_entry(pieces, struct page, lru);

			list_del(&page->lru);
			/* the offset in the file, for code that maps a whole folio */
			page_folio(page)->index = offset >> PAGE_SHIFT;
			offset += length;
			*piece++ = (struct sluice_piece) {
				.pfn = page_to_pfn(page), .pages = length >> PAGE_SHIFT,
			};
			pages->buffer.end = max(pages->buffer.end, page_to_phys(page) + length - 1);
			pages->spread |= page_to_nid(page) != pages->node;
			pages->zone = min(pages->zone, page_zonenum(page));
			pages->top_zone = max(pages->top_zone, page_zonenum(page));
		}
	}
	/* one piece needs no vmap(): the kernel's direct map has it, except in high memory */
	piece = pages->buffer.pieces;
	if (pages->buffer.num_pieces == 1 && !PageHighMem(sluice_piece_page(piece)))
		pages->buffer.vaddr = page_address(sluice_piece_page(piece));
}

/**
 * sluice_pages_fill - allocate memory
 * @pages: a zeroed struct; gets the pieces, the end and the kernel mapping of its buffer
 * @sdev: the device, which must be able to address the memory
 * @size: bytes, whole pages; whole huge pieces if @huge
 * @huge: true for huge pieces only
 * @drain: called after an allocation has failed, with its zone and its order.  Frees parked memory,
 *	and returns true if the allocation should be tried again
 *
 * The memory is zeroed and cached.  It has a kernel mapping already if it is one piece, outside
 * high memory.
 *
 * Context: may sleep.
 * Return: 0; or -EINTR or -ENOMEM, and nothing is allocated.
 */
int sluice_pages_fill(struct sluice_pages *pages, struct sluice_device *sdev, u64 size, bool huge,
		      sluice_pages_drain_fn drain)
{
	unsigned int i, count = 0;
	LIST_HEAD(pieces);
	int ret;

	pages->size = size;
	pages->mapping = SLUICE_MEM_CACHED;
	pages->huge = huge;
	ret = sluice_pages_collect(pages, sdev, drain, &pieces);
	if (ret)
		goto err_pieces;
	for (i = 0; i < SLUICE_PAGES_ORDERS; i++)
		count += pages->count[i];
	ret = sluice_pages_make_room(&pages->buffer, count);
	if (ret)
		goto err_pieces;
	sluice_pages_place(pages, &pieces);
	return 0;

err_pieces:
	sluice_pages_free_pieces(pages, &pieces);
	return ret;
}

/**
 * sluice_pages_find - find a page by its index
 * @pages: the memory
 * @index: pages from the start of the memory, inside it
 *
 * Context: any.
 * Return: the page.
 */
struct page *sluice_pages_find(const struct sluice_pages *pages, pgoff_t index)
{
	const struct sluice_piece *pieces = pages->buffer.pieces;
	unsigned int i, order;

	for (i = 0; i < SLUICE_PAGES_ORDERS - 1; i++) {
		pgoff_t all = (pgoff_t)pages->count[i] << sluice_pages_orders[i];

		if (index < all)
			break;
		index -= all;
		pieces += pages->count[i];
	}
	order = sluice_pages_orders[i];
	return sluice_piece_page(&pieces[index >> order]) + (index & ((1UL << order) - 1));
}

/*
 * Change the caching of the first @count pieces in the kernel's direct map, because all mappings of
 * a page must have the same kind of caching.  @done: set to the index of the last piece that was
 * tried.
 */
static int sluice_pages_change(struct sluice_pages *pages, u32 mapping, unsigned int count,
			       unsigned int *done)
{
	unsigned int i;
	int ret;

	for (i = 0; i < count; i++) {
		const struct sluice_piece *piece = &pages->buffer.pieces[i];

		ret = sluice_compat_set_memory(page_address(sluice_piece_page(piece)),
					       sluice_piece_pages(piece), mapping);
		*done = i;
		/* when memory becomes cached again, an error must not stop the other pieces */
		if (ret && mapping != SLUICE_MEM_CACHED)
			return ret;
		cond_resched();
	}
	return 0;
}

/**
 * sluice_pages_set_mapping - set the kind of CPU mapping of cached memory
 * @pages: the memory, from sluice_pages_fill()
 * @mapping: one of SLUICE_MEM_MAPPINGS
 *
 * Context: may sleep.
 * Return: 0, or an errno of the kernel; the memory then is cached.
 */
int sluice_pages_set_mapping(struct sluice_pages *pages, u32 mapping)
{
	unsigned int done = 0;
	int ret;

	if (mapping == SLUICE_MEM_CACHED)
		return 0;
	ret = sluice_pages_change(pages, mapping, pages->buffer.num_pieces, &done);
	if (ret)
		goto err_cached;
	pages->mapping = mapping;
	return 0;

err_cached:
	/* a part of the piece that failed may have changed */
	sluice_pages_change(pages, SLUICE_MEM_CACHED, done + 1, &done);
	return ret;
}

/**
 * sluice_pages_vmap - make the kernel mapping
 * @pages: memory without a kernel mapping
 *
 * The mapping is made only when it is first needed, because its page tables need much memory: they
 * are the main cost of a large buffer besides its pages.
 *
 * The function fails only if there is no memory for the mapping, or for the array of all pages.
 * The dma-buf core warns about such a failure, so the function tries again for a while.  The time
 * is bounded, because the dma_resv is held.
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int sluice_pages_vmap(struct sluice_pages *pages)
{
	unsigned long i, count = pages->size >> PAGE_SHIFT;
	struct page **array;
	void *vaddr = NULL;
	int tries;

	for (tries = 0; tries < SLUICE_HEAP_VMAP_TRIES && !vaddr; tries++) {
		if (tries)
			schedule_timeout_uninterruptible(tries);
		array = kvmalloc_array(count, sizeof(*array), GFP_KERNEL | __GFP_NOWARN);
		if (!array)
			continue;
		for (i = 0; i < count; i++)
			array[i] = sluice_pages_find(pages, i);
		vaddr = vmap(array, count, VM_MAP, sluice_heap_pgprot(pages->mapping, PAGE_KERNEL));
		kvfree(array);
	}
	if (!vaddr)
		return -ENOMEM;
	WRITE_ONCE(pages->buffer.vaddr, vaddr);
	return 0;
}

/**
 * sluice_pages_free - free memory
 * @pages: memory without a user.  The struct itself is not freed.  A pinned page stays until its
 *	last reference is dropped
 *
 * Context: may sleep.
 */
void sluice_pages_free(struct sluice_pages *pages)
{
	unsigned int i;

	if (is_vmalloc_addr(pages->buffer.vaddr))
		vunmap(pages->buffer.vaddr);
	if (pages->mapping != SLUICE_MEM_CACHED)
		sluice_pages_change(pages, SLUICE_MEM_CACHED, pages->buffer.num_pieces, &i);
	for (i = 0; i < pages->buffer.num_pieces; i++) {
		const struct sluice_piece *piece = &pages->buffer.pieces[i];

		__free_pages(sluice_piece_page(piece), ilog2(sluice_piece_pages(piece)));
		cond_resched();
	}
	if (pages->buffer.pieces != &pages->buffer.single_piece)
		kvfree(pages->buffer.pieces);
}

/**
 * sluice_pages_zero - zero memory that had a user
 * @pages: the memory, which has no user now
 * @stop: checked before each page: the function stops when it is true.  NULL to zero all
 *
 * Context: may sleep.
 */
void sluice_pages_zero(struct sluice_pages *pages, const bool *stop)
{
	const struct sluice_piece *piece = pages->buffer.pieces;
	const struct sluice_piece *end = piece + pages->buffer.num_pieces;
	unsigned long i;

	for (; piece != end; piece++) {
		struct page *page = sluice_piece_page(piece);

		for (i = 0; i < sluice_piece_pages(piece); i++) {
			if (stop && READ_ONCE(*stop))
				return;
			clear_highpage(page + i);
			cond_resched();
		}
	}
}

/**
 * sluice_pages_held - is a page of the memory still pinned?
 * @pages: memory whose buffer has ended
 *
 * I/O on a page-backed mapping (O_DIRECT, a fixed buffer of io_uring) may still be running.  Such
 * memory must not go to a new buffer.  It must be freed, so that the last unpin releases the pages.
 *
 * Context: any.
 * Return: true if a page has another reference than ours.
 */
bool sluice_pages_held(struct sluice_pages *pages)
{
	unsigned int i;

	for (i = 0; i < pages->buffer.num_pieces; i++)
		if (page_count(sluice_piece_page(&pages->buffer.pieces[i])) != 1)
			return true;
	return false;
}
