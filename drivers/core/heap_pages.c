// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pages heap: scattered memory, in pieces that are as large as possible.
 *
 * struct sluice_pages is the memory of one buffer, with its table and its kernel mapping.  The
 * buffer borrows it.  When the buffer ends, the memory is parked in the pool (pool.c) for the next
 * buffer of the same size, or is freed.
 *
 * buffer.c calls the ops of the heap, and pool.c frees and zeroes memory here.  Memory has one
 * owner at a time, a buffer or the pool, so this file has no lock.  The dma_resv guards the kernel
 * mapping of a buffer.
 */
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "core.h"

/*
 * Large pieces first, because they need fewer segments and TLB entries.  The allocator tries hard
 * only for the smallest order that the caller accepts: order 0, or SLUICE_HUGE_ORDER for a buffer
 * of huge pieces only.
 */
static const unsigned int sluice_orders[SLUICE_PAGES_ORDERS] = { SLUICE_HUGE_ORDER, 4, 0 };

/**
 * struct sluice_heap_pages_buffer - a buffer of the pages heap
 * @base: the buffer; its table is a copy of the memory's table
 * @pages: the memory
 */
struct sluice_heap_pages_buffer {
	struct sluice_buffer base;
	struct sluice_pages *pages;
};

static_assert(!offsetof(struct sluice_heap_pages_buffer, base));

static struct sluice_pages *sluice_heap_pages_of(const struct sluice_buffer *buffer)
{
	return container_of(buffer, struct sluice_heap_pages_buffer, base)->pages;
}

/* The option HUGE exists only if a huge entry of the page tables has the size of such a piece. */
#define SLUICE_PAGES_HUGE	(PMD_ORDER == SLUICE_HUGE_ORDER ? SLUICE_MEM_HUGE : 0)

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

/* Allocate pieces until there are enough.  An order that has failed is not tried again. */
static int sluice_pages_collect(struct sluice_pages *pages, struct sluice_device *sdev,
				struct list_head *pieces)
{
	unsigned int orders = pages->huge ? 1 : SLUICE_PAGES_ORDERS;
	unsigned int smallest = sluice_orders[orders - 1];
	u64 left = pages->size;
	bool drained = false;
	unsigned int i = 0;
	struct page *page;

	while (left) {
		unsigned int order = sluice_orders[i];

		if (fatal_signal_pending(current))
			return -EINTR;
		page = left >= (u64)PAGE_SIZE << order ?
		       sluice_pages_one(sdev, order, order == smallest) : NULL;
		if (page) {
			list_add_tail(&page->lru, pieces);
			left -= (u64)PAGE_SIZE << order;
			pages->count[i]++;
		} else if (++i == orders) {
			if (drained || !sluice_pool_drain(sdev->zone, smallest))
				return -ENOMEM;
			drained = true;
			i--;
		}
		cond_resched();	/* zeroing takes time */
	}
	return 0;
}

static void sluice_pages_scatter(struct sluice_pages *pages, struct list_head *pieces)
{
	unsigned int i, k;

	for (i = 0; i < SLUICE_PAGES_ORDERS; i++) {
		for (k = 0; k < pages->count[i]; k++) {
			struct page *page = list_first_entry(pieces, struct page, lru);

			list_del(&page->lru);
			__free_pages(page, sluice_orders[i]);
		}
	}
}

/* Allocate the table and the array for @count pieces. */
static int sluice_pages_make_room(struct sluice_pages *pages, unsigned int count)
{
	int ret;

	if (count == 1) {
		pages->pieces = &pages->single_piece;
		pages->sgt.sgl = &pages->single_sg;
		pages->sgt.nents = 1;
		pages->sgt.orig_nents = 1;
		sg_init_table(&pages->single_sg, 1);
		return 0;
	}
	pages->pieces = kvmalloc_array(count, sizeof(*pages->pieces), GFP_KERNEL_ACCOUNT);
	if (!pages->pieces)
		return -ENOMEM;
	ret = sg_alloc_table(&pages->sgt, count, GFP_KERNEL_ACCOUNT);
	if (ret)
		kvfree(pages->pieces);
	return ret;
}

/* Allocate all of the memory, with table and array; or nothing, and return an errno. */
static int sluice_pages_fill(struct sluice_pages *pages, struct sluice_device *sdev)
{
	unsigned int i, k, index = 0, count = 0;
	struct scatterlist *sg;
	u64 offset = 0;
	LIST_HEAD(pieces);
	int ret;

	ret = sluice_pages_collect(pages, sdev, &pieces);
	if (ret)
		goto err_pieces;
	for (i = 0; i < SLUICE_PAGES_ORDERS; i++)
		count += pages->count[i];
	ret = sluice_pages_make_room(pages, count);
	if (ret)
		goto err_pieces;
	pages->huge = (u64)pages->count[0] * SLUICE_HUGE_SIZE == pages->size;
	pages->zone = __MAX_NR_ZONES;
	pages->node = page_to_nid(list_first_entry(&pieces, struct page, lru));
	sg = pages->sgt.sgl;
	for (i = 0; i < SLUICE_PAGES_ORDERS; i++) {
		size_t length = PAGE_SIZE << sluice_orders[i];

		for (k = 0; k < pages->count[i]; k++) {
			struct page *page = list_first_entry(&pieces, struct page, lru);

			list_del(&page->lru);
			/* code that maps a whole piece reads its offset in the file here */
			page_folio(page)->index = offset >> PAGE_SHIFT;
			offset += length;
			pages->pieces[index++] = page;
			sg_set_page(sg, page, length, 0);
			pages->end = max(pages->end, page_to_phys(page) + length - 1);
			pages->spread |= page_to_nid(page) != pages->node;
			pages->zone = min(pages->zone, page_zonenum(page));
			pages->top_zone = max(pages->top_zone, page_zonenum(page));
			sg = sg_next(sg);
		}
	}
	return 0;

err_pieces:
	sluice_pages_scatter(pages, &pieces);
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
	struct page **pieces = pages->pieces;
	unsigned int i;

	for (i = 0; i < SLUICE_PAGES_ORDERS - 1; i++) {
		pgoff_t all = (pgoff_t)pages->count[i] << sluice_orders[i];

		if (index < all)
			break;
		index -= all;
		pieces += pages->count[i];
	}
	return pieces[index >> sluice_orders[i]] + (index & ((1UL << sluice_orders[i]) - 1));
}

/*
 * Set the kind of the kernel's own mapping of the first @count pieces.  All mappings of a page must
 * have the same kind.
 */
static int sluice_pages_set_mapping(struct sluice_pages *pages, u32 mapping, unsigned int count,
				    unsigned int *done)
{
	struct scatterlist *sg;
	unsigned int i;
	int ret;

	for_each_sg(pages->sgt.sgl, sg, count, i) {
		ret = sluice_compat_set_memory(page_address(sg_page(sg)),
					       sg->length >> PAGE_SHIFT, mapping);
		*done = i;
		/* on the way back to cached memory, an error must not stop the other pieces */
		if (ret && mapping != SLUICE_MEM_CACHED)
			return ret;
		cond_resched();
	}
	return 0;
}

/*
 * Make the kernel mapping.  It is made when it is first asked for, because its page tables are most
 * of what a large buffer costs beyond its pages.
 *
 * It can fail only if there is no memory, also for the array of all pages.  It should not fail, so
 * it tries again for a while.  It must end, because the dma_resv is held.
 */
static int sluice_pages_vmap(struct sluice_buffer *buffer)
{
	struct sluice_pages *pages = sluice_heap_pages_of(buffer);
	unsigned long i, count = pages->size >> PAGE_SHIFT;
	struct sg_page_iter iter;
	struct page **array;
	void *vaddr = NULL;
	int tries;

	for (tries = 0; tries < SLUICE_VMAP_TRIES && !vaddr; tries++) {
		if (tries)
			schedule_timeout_uninterruptible(tries);
		array = kvmalloc_array(count, sizeof(*array), GFP_KERNEL | __GFP_NOWARN);
		if (!array)
			continue;
		i = 0;
		for_each_sgtable_page(&pages->sgt, &iter, 0)
			array[i++] = sg_page_iter_page(&iter);
		vaddr = vmap(array, count, VM_MAP, sluice_heap_pgprot(pages->mapping, PAGE_KERNEL));
		kvfree(array);
	}
	if (!vaddr)
		return -ENOMEM;
	pages->vaddr = vaddr;
	WRITE_ONCE(buffer->vaddr, vaddr);
	return 0;
}

/**
 * sluice_pages_destroy - free memory
 * @pages: memory without a user.  Pinned pages are freed when their last holder drops them
 *
 * Context: may sleep.
 */
void sluice_pages_destroy(struct sluice_pages *pages)
{
	struct scatterlist *sg;
	unsigned int i;

	if (is_vmalloc_addr(pages->vaddr))
		vunmap(pages->vaddr);
	if (pages->mapping != SLUICE_MEM_CACHED)
		sluice_pages_set_mapping(pages, SLUICE_MEM_CACHED, pages->sgt.nents, &i);
	for_each_sgtable_sg(&pages->sgt, sg, i) {
		__free_pages(sg_page(sg), get_order(sg->length));
		cond_resched();
	}
	if (pages->pieces != &pages->single_piece) {
		sg_free_table(&pages->sgt);
		kvfree(pages->pieces);
	}
	sluice_pool_delete(pages);
}

/**
 * sluice_pages_zero - zero memory that had a user
 * @pages: the memory, which has no user now
 * @state: checked before each page: the function stops at SLUICE_PAGES_DOOMED.  NULL to zero all
 *
 * Context: may sleep.
 */
void sluice_pages_zero(struct sluice_pages *pages, const enum sluice_pages_state *state)
{
	struct sg_page_iter iter;

	for_each_sgtable_page(&pages->sgt, &iter, 0) {
		if (state && READ_ONCE(*state) == SLUICE_PAGES_DOOMED)
			break;
		clear_highpage(sg_page_iter_page(&iter));
		cond_resched();
	}
}

/**
 * sluice_pages_held - is a page of the memory still pinned?
 * @pages: memory whose buffer has ended
 *
 * I/O on a page-backed mapping (O_DIRECT, a fixed buffer of io_uring) may still be running.  Such
 * memory must not go to a new buffer, but to its last holder.
 *
 * Context: any.
 * Return: true if a page has another reference than ours.
 */
bool sluice_pages_held(struct sluice_pages *pages)
{
	struct scatterlist *sg;
	unsigned int i;

	for_each_sgtable_sg(&pages->sgt, sg, i)
		if (page_count(sg_page(sg)) != 1)
			return true;
	return false;
}

/* The SLUICE_HINT_* after an allocation of huge pieces has failed. */
static u32 sluice_pages_why_not_huge(u64 size)
{
	struct page *page;

	/* not charged, no reclaim.  If it succeeds, a limit of a memory cgroup was the reason */
	page = alloc_pages(GFP_NOWAIT | __GFP_COMP | __GFP_NOWARN, SLUICE_HUGE_ORDER);
	if (page) {
		__free_pages(page, SLUICE_HUGE_ORDER);
		return SLUICE_HINT_NONE;
	}
	return (u64)si_mem_available() << PAGE_SHIFT < size ? SLUICE_HINT_NONE :
							      SLUICE_HINT_FRAGMENTED;
}

static struct sluice_pages *sluice_pages_create(struct sluice_device *sdev, u64 size, u32 mapping,
						bool huge, u32 *hint)
{
	struct sluice_pages *pages;
	unsigned int done = 0;
	struct page *page;
	int ret;

	pages = sluice_pool_new();
	if (!pages)
		return ERR_PTR(-ENOMEM);
	pages->size = size;
	pages->mapping = SLUICE_MEM_CACHED;
	pages->huge = huge;
	ret = sluice_pages_fill(pages, sdev);
	if (ret) {
		if (ret == -ENOMEM && sdev->zone)
			*hint = SLUICE_HINT_DMA_MASK;
		else if (ret == -ENOMEM && huge)
			*hint = sluice_pages_why_not_huge(size);
		sluice_pool_delete(pages);
		return ERR_PTR(ret);
	}
	if (mapping != SLUICE_MEM_CACHED) {
		ret = sluice_pages_set_mapping(pages, mapping, pages->sgt.nents, &done);
		if (ret) {
			/* a part of the piece that failed may have changed */
			sluice_pages_set_mapping(pages, SLUICE_MEM_CACHED, done + 1, &done);
			goto err_pages;
		}
		pages->mapping = mapping;
	}
	/* the kernel's mapping of all memory is enough for one piece */
	page = pages->pieces[0];
	if (pages->sgt.nents == 1 && !PageHighMem(page))
		pages->vaddr = page_address(page);
	return pages;

err_pages:
	sluice_pages_destroy(pages);
	return ERR_PTR(ret);
}

static int sluice_pages_alloc(struct sluice_buffer *buffer, u32 *hint)
{
	u32 mapping = buffer->properties & SLUICE_MEM_MAPPINGS;
	bool huge = buffer->properties & SLUICE_MEM_HUGE;
	struct sluice_pages *pages;

	pages = sluice_pool_take(buffer->sdev, buffer->size, mapping, huge);
	if (!pages)
		pages = sluice_pages_create(buffer->sdev, buffer->size, mapping, huge, hint);
	if (IS_ERR(pages))
		return PTR_ERR(pages);
	container_of(buffer, struct sluice_heap_pages_buffer, base)->pages = pages;
	buffer->sgt = pages->sgt;
	buffer->end = pages->end;
	buffer->vaddr = pages->vaddr;
	return 0;
}

static void sluice_pages_free(struct sluice_buffer *buffer)
{
	sluice_pool_park(sluice_heap_pages_of(buffer));
}

static struct page *sluice_heap_pages_page(const struct sluice_buffer *buffer, pgoff_t index)
{
	return sluice_pages_find(sluice_heap_pages_of(buffer), index);
}

/* No buffer is possible if the DMA API would bounce it. */
static u64 sluice_pages_max(const struct sluice_device *sdev)
{
	return sdev->bounced ? 0 : U64_MAX;
}

static u32 sluice_pages_why(const struct sluice_device *sdev, u64 size)
{
	return sdev->bounced ? SLUICE_HINT_BOUNCED : SLUICE_HINT_LIMIT;
}

const struct sluice_heap sluice_heap_pages = {
	.name = "pages",
	.largest = sluice_pages_max,
	.why = sluice_pages_why,
	.properties = SLUICE_MEM_CACHED,
	.options = SLUICE_MEM_PAGE_BACKED | SLUICE_COMPAT_MAPPINGS | SLUICE_PAGES_HUGE,
	.maps_private = true,
	.buffer_size = sizeof(struct sluice_heap_pages_buffer),
	.alloc = sluice_pages_alloc,
	.free = sluice_pages_free,
	.vmap = sluice_pages_vmap,
	.mmap = sluice_mmap_pages,
	.page = sluice_heap_pages_page,
};
