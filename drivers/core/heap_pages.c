// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pages heap: see heap_pages.h.
 */
#include <linux/compiler.h>
#include <linux/err.h>
#include <linux/mm.h>

#include "account.h"
#include "buffer.h"
#include "compat/mm.h"
#include "device.h"
#include "heap.h"
#include "heap_pages.h"
#include "mmap.h"
#include "pages.h"
#include "pool.h"

/* The option HUGE exists only if a huge entry of the page tables has the size of such a piece. */
#define SLUICE_HEAP_PAGES_HUGE	(PMD_ORDER == SLUICE_PAGES_HUGE_ORDER ? SLUICE_MEM_HUGE : 0)

/* The memory of a buffer of this heap. */
static struct sluice_pages *sluice_heap_pages_of(const struct sluice_buffer *buffer)
{
	return container_of(buffer, struct sluice_pages, buffer);
}

/* The SLUICE_HINT_* after an allocation of huge pieces has failed. */
static u32 sluice_heap_pages_why_not_huge(u64 size)
{
	struct page *page;

	/* not charged, no reclaim.  If it succeeds, a limit of a memory cgroup was the reason */
	page = alloc_pages(GFP_NOWAIT | __GFP_COMP | __GFP_NOWARN, SLUICE_PAGES_HUGE_ORDER);
	if (page) {
		__free_pages(page, SLUICE_PAGES_HUGE_ORDER);
		return SLUICE_HINT_NONE;
	}
	return (u64)si_mem_available() << PAGE_SHIFT < size ? SLUICE_HINT_NONE :
							      SLUICE_HINT_FRAGMENTED;
}

/* The SLUICE_HINT_* after sluice_pages_fill() has failed. */
static u32 sluice_heap_pages_hint(const struct sluice_device *sdev, u64 size, bool huge)
{
	if (sdev->zone)
		return SLUICE_HINT_DMA_MASK;
	return huge ? sluice_heap_pages_why_not_huge(size) : SLUICE_HINT_NONE;
}

static struct sluice_pages *sluice_heap_pages_create(struct sluice_device *sdev, u64 size,
						     u32 mapping, bool huge, u32 *hint)
{
	struct sluice_pages *pages;
	int ret;

	pages = sluice_account_has_room(size, sluice_pool_bytes) ? sluice_pool_new() : NULL;
	if (!pages)
		return ERR_PTR(-ENOMEM);
	sluice_buffer_prepare(&pages->buffer);
	ret = sluice_pages_fill(pages, sdev, size, huge, sluice_pool_drain);
	if (ret == -ENOMEM)
		*hint = sluice_heap_pages_hint(sdev, size, huge);
	if (ret)
		goto err_delete;
	ret = sluice_pages_set_mapping(pages, mapping);
	if (ret)
		goto err_free;
	return pages;

err_free:
	sluice_pages_free(pages);
err_delete:
	sluice_pool_delete(pages);
	return ERR_PTR(ret);
}

static struct sluice_buffer *sluice_heap_pages_make(struct sluice_device *sdev, u64 size,
						    u32 properties, u32 *hint)
{
	u32 mapping = properties & SLUICE_MEM_MAPPINGS;
	bool huge = properties & SLUICE_MEM_HUGE;
	struct sluice_pages *pages;

	pages = sluice_pool_take(sdev, size, mapping, huge);
	if (!pages)
		pages = sluice_heap_pages_create(sdev, size, mapping, huge, hint);
	return IS_ERR(pages) ? ERR_CAST(pages) : &pages->buffer;
}

static void sluice_heap_pages_free(struct sluice_buffer *buffer)
{
	sluice_pool_park(sluice_heap_pages_of(buffer));
}

static int sluice_heap_pages_vmap(struct sluice_buffer *buffer)
{
	return sluice_pages_vmap(sluice_heap_pages_of(buffer));
}

static struct page *sluice_heap_pages_page(const struct sluice_buffer *buffer, pgoff_t index)
{
	return sluice_pages_find(sluice_heap_pages_of(buffer), index);
}

/* No buffer is possible if the DMA API would bounce it. */
static u64 sluice_heap_pages_max(const struct sluice_device *sdev)
{
	return sdev->bounced ? 0 : U64_MAX;
}

static u32 sluice_heap_pages_why(const struct sluice_device *sdev, u64 size)
{
	return sdev->bounced ? SLUICE_HINT_BOUNCED : SLUICE_HINT_LIMIT;
}

const struct sluice_heap sluice_heap_pages = {
	.name = "pages",
	.largest = sluice_heap_pages_max,
	.why = sluice_heap_pages_why,
	.properties = SLUICE_MEM_CACHED,
	.options = SLUICE_MEM_PAGE_BACKED | SLUICE_COMPAT_MAPPINGS | SLUICE_HEAP_PAGES_HUGE,
	.maps_private = true,
	.make = sluice_heap_pages_make,
	.free = sluice_heap_pages_free,
	.vmap = sluice_heap_pages_vmap,
	.mmap = sluice_mmap_pages,
	.page = sluice_heap_pages_page,
};
