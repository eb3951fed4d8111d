// SPDX-License-Identifier: GPL-2.0-only
/*
 * The contiguous heap: memory in one piece, coherent or cached.  It comes from one of two
 * places:
 *
 *	the DMA API	dma_alloc_coherent(): from CMA if the kernel reserves some
 *			(cma=), else from the page allocator, whose largest piece is
 *			SLUICE_BLOCK bytes.  In a confidential guest it is shared with
 *			the host, so that devices reach it without a bounce buffer.
 *	a search	beyond that: a range of ordinary memory all of which is free or
 *			can be moved elsewhere, for devices that see the CPU's caches.
 *			May fail where memory is fragmented.
 *
 * Coherent memory is cached where the device sees the CPU's caches: there CACHED names the
 * same memory.  For other devices coherent memory is not cached, and CACHED memory is what
 * the DMA API calls non-coherent pages: export.c maintains the caches at CPU access.
 *
 * A device with a memory-region in the device tree has all of it from that region, by
 * way of the DMA API, and none from elsewhere.
 *
 * The DMA API's memory is allocated for the class device (see struct sluice_device),
 * which has no driver that could be unbound.  Neither what comes from CMA nor what
 * comes from a search is charged to a memory cgroup: no interface for modules does it.
 */
#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/nodemask.h>
#include <linux/of.h>
#include <linux/of_reserved_mem.h>
#include <linux/sched/signal.h>

#include "core.h"

/* The largest piece of the page allocator. */
#define SLUICE_BLOCK		((u64)PAGE_SIZE << SLUICE_COMPAT_MAX_ORDER)

/* One buffer may have this part of the memory without CMA; and what moving may cost. */
#define SLUICE_SEARCH_SHARE	8
#define SLUICE_SEARCH_TRIES	32

#ifdef CONFIG_CONTIG_ALLOC
/* One search at a time: two would only spoil each other's ranges. */
static DEFINE_MUTEX(sluice_search_lock);

/*
 * May this page be moved, or is it free?  Only a guess, without any lock: the kernel
 * looks again, and then moves what is there.
 */
static bool sluice_page_moves(unsigned long pfn, const struct zone *zone)
{
	struct page *page = pfn_to_online_page(pfn);

	if (!page || page_zone(page) != zone || PageReserved(page) || PageHuge(page))
		return false;
	return PageLRU(page) || (!page_ref_count(page) && !PageSlab(page));
}

/* A whole block of them. */
static bool sluice_block_moves(unsigned long pfn, const struct zone *zone)
{
	unsigned long i;

	for (i = 0; i < pageblock_nr_pages; i++)
		if (!sluice_page_moves(pfn + i, zone))
			return false;
	return true;
}

static struct page *sluice_search_zone(const struct sluice_device *sdev, struct zone *zone,
				       unsigned long count, unsigned int *tries)
{
	unsigned long pfn = ALIGN(zone->zone_start_pfn, pageblock_nr_pages);
	unsigned long end = zone_end_pfn(zone), run = 0;

	for (; pfn + pageblock_nr_pages <= end && *tries; pfn += pageblock_nr_pages) {
		unsigned long start = pfn - run;
		phys_addr_t last = PFN_PHYS(start + count) - 1;

		/* an unbind waits for this call */
		if (fatal_signal_pending(current) || READ_ONCE(sdev->gone))
			break;
		cond_resched();
		if (!sluice_block_moves(pfn, zone)) {
			run = 0;
			continue;
		}
		run += pageblock_nr_pages;
		if (run < count)
			continue;
		run = 0;
		if (!sdev->translated && !sluice_dma_reaches(sdev->parent, last))
			break;
		(*tries)--;
		if (!sluice_compat_alloc_contig_range(start, start + count,
						      GFP_KERNEL | __GFP_NOWARN |
						      __GFP_RETRY_MAYFAIL))
			return pfn_to_page(start);
	}
	return NULL;
}

/*
 * Not in ZONE_MOVABLE, where memory has to stay movable; nor in the DMA zones, which
 * others need more, unless there is no other.
 */
static struct page *sluice_search(const struct sluice_device *sdev, unsigned long count)
{
	unsigned int tries = SLUICE_SEARCH_TRIES;
	struct page *page = NULL;
	int first = sluice_device_node(sdev), node, i;
	enum zone_type zone;

	for (zone = ZONE_NORMAL + 1; zone-- > 0 && !page;) {
		node = first;
		for (i = 0; i < num_online_nodes() && !page; i++) {
			struct zone *candidate = &NODE_DATA(node)->node_zones[zone];

			if (populated_zone(candidate))
				page = sluice_search_zone(sdev, candidate, count, &tries);
			node = next_online_node(node);
			if (node == MAX_NUMNODES)
				node = first_online_node;
		}
	}
	return page;
}

static void sluice_search_free(struct page *page, unsigned long count)
{
	unsigned long done, part;

	/* it is not known how long the kernel takes for all at once */
	for (done = 0; done < count; done += part) {
		part = min(count - done, pageblock_nr_pages);
		free_contig_range(page_to_pfn(page) + done, part);
		cond_resched();
	}
}

static int sluice_search_alloc(struct sluice_buffer *buffer)
{
	unsigned long i, count = buffer->size >> PAGE_SHIFT;
	struct page *page;

	/* an unbind waits for this call, and must not wait for those in front of it */
	while (!mutex_trylock(&sluice_search_lock)) {
		if (READ_ONCE(buffer->sdev->gone))
			return -ENODEV;
		schedule_timeout_killable(1);
		if (fatal_signal_pending(current))
			return -EINTR;
	}
	page = sluice_search(buffer->sdev, count);
	mutex_unlock(&sluice_search_lock);
	if (!page && fatal_signal_pending(current))
		return -EINTR;
	if (!page)
		return READ_ONCE(buffer->sdev->gone) ? -ENODEV : -ENOMEM;
	if (sg_alloc_table(&buffer->sgt, 1, GFP_KERNEL_ACCOUNT)) {
		sluice_search_free(page, count);
		return -ENOMEM;
	}
	sg_set_page(buffer->sgt.sgl, page, buffer->size, 0);
	for (i = 0; i < count; i++) {
		clear_highpage(page + i);
		cond_resched();
	}
	buffer->vaddr = page_address(page);
	buffer->searched = true;
	return 0;
}
#else
static void sluice_search_free(struct page *page, unsigned long count)
{
}

static int sluice_search_alloc(struct sluice_buffer *buffer)
{
	return -ENOMEM;
}
#endif

/*
 * Ordinary memory will do only for a device that sees the CPU's caches and reaches
 * memory as it is.  One that reaches little of it leaves that little to others.
 */
static bool sluice_search_helps(const struct sluice_device *sdev)
{
	return IS_ENABLED(CONFIG_CONTIG_ALLOC) && !IS_ENABLED(CONFIG_HIGHMEM) && !sdev->zone &&
	       !sdev->reserved_size && dev_is_dma_coherent(sdev->parent) && !sdev->bounced;
}

/* The size of a region that memory can be had from, or 0 with a word in the log. */
static u64 sluice_reserved_init(struct sluice_device *sdev, struct device_node *node)
{
	struct reserved_mem *region = of_reserved_mem_lookup(node);
	int ret = -EINVAL;

	/* what is no-map has no place in the kernel's mapping, where importers sync caches */
	if (region && of_device_is_compatible(node, "shared-dma-pool") &&
	    of_property_read_bool(node, "reusable") &&
	    sluice_dma_reaches(&sdev->dev, region->base + region->size - 1))
		ret = of_reserved_mem_device_init_by_idx(&sdev->dev, sdev->parent->of_node, 0);
	if (ret) {
		dev_warn(sdev->parent, "%pOF is not used for buffers: not a reusable shared-dma-pool that the device reaches (%d)\n",
			 node, ret);
		return 0;
	}
	sdev->reserved = region->base;
	return region->size;
}

/**
 * sluice_contiguous_reserve - take memory from what the device tree reserves for a device
 * @sdev: being registered; its class device has its name, mask and ranges
 *
 * The region is the parent's first memory-region, as for of_reserved_mem_device_init().  It
 * becomes the class device's, which the heap allocates for; the parent is left alone.
 *
 * Context: may sleep.
 */
void sluice_contiguous_reserve(struct sluice_device *sdev)
{
	struct device_node *node = of_parse_phandle(sdev->parent->of_node, "memory-region", 0);

	if (!node)
		return;
	sdev->reserved_size = sluice_reserved_init(sdev, node);
	of_node_put(node);
}

/**
 * sluice_contiguous_unreserve - the opposite
 * @sdev: without buffers
 *
 * Context: may sleep.
 */
void sluice_contiguous_unreserve(struct sluice_device *sdev)
{
	if (sdev->reserved_size)
		of_reserved_mem_device_release(&sdev->dev);
}

/* All that is reserved, free or lent; no interface for modules tells a device's part. */
static u64 sluice_cma_bytes(struct device *dev)
{
	unsigned long pages = 0;
	enum zone_type zone;
	int node;

	for_each_online_node(node)
		for (zone = 0; zone < MAX_NR_ZONES; zone++)
			pages += zone_cma_pages(&NODE_DATA(node)->node_zones[zone]);
	return pages && sluice_compat_cma_area(dev) ? (u64)pages << PAGE_SHIFT : 0;
}

/**
 * sluice_contiguous_has_cma - does the kernel reserve memory for large pieces?
 * @sdev: the device
 *
 * Context: any.
 * Return: true if there is an area of CMA for it, as far as a module can tell.
 */
bool sluice_contiguous_has_cma(const struct sluice_device *sdev)
{
	return sluice_cma_bytes((struct device *)&sdev->dev);
}

/* The largest buffer that there can be.  One is one segment, whose length is 32 bits. */
static u64 sluice_contiguous_max(const struct sluice_device *sdev)
{
	u64 size = max(SLUICE_BLOCK, sluice_cma_bytes((struct device *)&sdev->dev));

	if (sdev->reserved_size)
		size = sdev->reserved_size;
	if (sluice_search_helps(sdev))
		size = max(size, ((u64)totalram_pages() << PAGE_SHIFT) / SLUICE_SEARCH_SHARE);
	return PAGE_ALIGN_DOWN(min_t(u64, size, U32_MAX));
}

/* Why there is no piece of that size. */
static u32 sluice_contiguous_why(const struct sluice_device *sdev, u64 size)
{
	if (size > U32_MAX)
		return SLUICE_HINT_LIMIT;
	if (sdev->reserved_size)
		return size > sluice_contiguous_max(sdev) ? SLUICE_HINT_LIMIT :
							    SLUICE_HINT_FRAGMENTED;
	if (sdev->zone)
		return SLUICE_HINT_DMA_MASK;
	if (!sluice_contiguous_has_cma(sdev))
		return SLUICE_HINT_NO_CMA;
	return size > sluice_contiguous_max(sdev) ? SLUICE_HINT_LIMIT : SLUICE_HINT_FRAGMENTED;
}

/* Cached memory of a device that does not see the CPU's caches. */
static bool sluice_contiguous_noncoherent(const struct sluice_buffer *buffer)
{
	return buffer->properties & SLUICE_MEM_CACHED &&
	       !dev_is_dma_coherent(&buffer->sdev->dev);
}

static bool sluice_contiguous_get(struct sluice_buffer *buffer)
{
	gfp_t gfp = GFP_KERNEL_ACCOUNT | __GFP_NOWARN | __GFP_RETRY_MAYFAIL;
	struct device *dev = &buffer->sdev->dev;
	struct page *page;

	if (sluice_contiguous_noncoherent(buffer)) {
		page = dma_alloc_pages(dev, buffer->size, &buffer->dma, DMA_BIDIRECTIONAL, gfp);
		buffer->vaddr = page ? page_address(page) : NULL;
	} else {
		buffer->vaddr = dma_alloc_coherent(dev, buffer->size, &buffer->dma, gfp);
	}
	return buffer->vaddr;
}

static void sluice_contiguous_put(struct sluice_buffer *buffer)
{
	struct device *dev = &buffer->sdev->dev;

	if (sluice_contiguous_noncoherent(buffer))
		dma_free_pages(dev, buffer->size, virt_to_page(buffer->vaddr), buffer->dma,
			       DMA_BIDIRECTIONAL);
	else
		dma_free_coherent(dev, buffer->size, buffer->vaddr, buffer->dma);
}

/* One segment. */
static int sluice_contiguous_table(struct sluice_buffer *buffer)
{
	int ret;

	if (!sluice_contiguous_noncoherent(buffer))
		return dma_get_sgtable(&buffer->sdev->dev, &buffer->sgt, buffer->vaddr,
				       buffer->dma, buffer->size);
	ret = sg_alloc_table(&buffer->sgt, 1, GFP_KERNEL_ACCOUNT);
	if (!ret)
		sg_set_page(buffer->sgt.sgl, virt_to_page(buffer->vaddr), buffer->size, 0);
	return ret;
}

/* The page allocator has powers of two, and the DMA API gives no part of one back. */
static u64 sluice_contiguous_excess(const struct sluice_buffer *buffer)
{
	if (buffer->sdev->translated || buffer->sdev->reserved_size ||
	    sluice_contiguous_has_cma(buffer->sdev))
		return 0;
	return ((u64)PAGE_SIZE << get_order(buffer->size)) - buffer->size;
}

/* The DMA API goes elsewhere when the region is full: not what the device tree wants. */
static bool sluice_contiguous_is_reserved(const struct sluice_buffer *buffer)
{
	const struct sluice_device *sdev = buffer->sdev;

	return !sdev->reserved_size ||
	       sg_phys(buffer->sgt.sgl) - sdev->reserved < sdev->reserved_size;
}

/* From the DMA API. */
static int sluice_contiguous_allocate(struct sluice_buffer *buffer, u32 *hint)
{
	int ret;

	/* what bypasses the DMA API's bounce buffers bypasses its cache maintenance, too */
	if (buffer->sdev->bounced && sluice_contiguous_noncoherent(buffer)) {
		*hint = SLUICE_HINT_BOUNCED;
		return -EADDRNOTAVAIL;
	}
	/* without CMA this can only fail, and would try hard first */
	if (buffer->size > SLUICE_BLOCK && !buffer->sdev->reserved_size &&
	    !sluice_contiguous_has_cma(buffer->sdev))
		return -ENOMEM;
	ret = sluice_buffer_charge(buffer, sluice_contiguous_excess(buffer), hint);
	if (ret)
		return ret;
	if (!sluice_contiguous_get(buffer) &&
	    (!sluice_pool_drain(buffer->sdev->zone, get_order(buffer->size)) ||
	     !sluice_contiguous_get(buffer)))
		return -ENOMEM;
	ret = sluice_contiguous_table(buffer);
	if (!ret && !sluice_contiguous_is_reserved(buffer)) {
		sg_free_table(&buffer->sgt);
		ret = -ENOMEM;
	}
	if (ret)
		sluice_contiguous_put(buffer);
	return ret;
}

static int sluice_contiguous_alloc(struct sluice_buffer *buffer, u32 *hint)
{
	int ret = sluice_contiguous_allocate(buffer, hint);

	/* a smaller one may have been refused by the memory cgroup: a search would evade that */
	if (ret == -ENOMEM && buffer->size > SLUICE_BLOCK && sluice_search_helps(buffer->sdev))
		ret = sluice_search_alloc(buffer);
	if (ret == -ENOMEM)
		*hint = sluice_contiguous_why(buffer->sdev, buffer->size);
	if (ret)
		return ret;
	buffer->end = sg_phys(buffer->sgt.sgl) + buffer->size - 1;
	return 0;
}

static void sluice_contiguous_free(struct sluice_buffer *buffer)
{
	struct page *page = sg_page(buffer->sgt.sgl);

	sg_free_table(&buffer->sgt);
	if (buffer->searched)
		sluice_search_free(page, buffer->size >> PAGE_SHIFT);
	else
		sluice_contiguous_put(buffer);
}

static int sluice_contiguous_access(struct vm_area_struct *vma, unsigned long addr, void *data,
				    int length, int write)
{
	struct sluice_buffer *buffer = vma->vm_private_data;
	u64 offset = sluice_vma_offset(vma, addr);

	length = sluice_vma_access_length(vma, addr, length, write);
	if (length > 0 && write)
		memcpy(buffer->vaddr + offset, data, length);
	else if (length > 0)
		memcpy(data, buffer->vaddr + offset, length);
	return length;
}

static const struct vm_operations_struct sluice_contiguous_vm_ops = {
	.access = sluice_contiguous_access,
};

static int sluice_contiguous_mmap(struct sluice_buffer *buffer, struct vm_area_struct *vma)
{
	int ret;

	if (buffer->searched || sluice_contiguous_noncoherent(buffer))
		ret = remap_pfn_range(vma, vma->vm_start,
				      page_to_pfn(sg_page(buffer->sgt.sgl)) + vma->vm_pgoff,
				      vma->vm_end - vma->vm_start, vma->vm_page_prot);
	else
		ret = dma_mmap_coherent(&buffer->sdev->dev, vma, buffer->vaddr, buffer->dma,
					buffer->size);
	if (ret)
		return ret;
	vma->vm_private_data = buffer;
	vma->vm_ops = &sluice_contiguous_vm_ops;
	return 0;
}

const struct sluice_heap sluice_contiguous_heap = {
	.name = "contiguous",
	.properties = SLUICE_MEM_COHERENT | SLUICE_MEM_CONTIGUOUS,
	.options = SLUICE_MEM_CACHED,
	.largest = sluice_contiguous_max,
	.why = sluice_contiguous_why,
	.alloc = sluice_contiguous_alloc,
	.free = sluice_contiguous_free,
	.mmap = sluice_contiguous_mmap,
};
