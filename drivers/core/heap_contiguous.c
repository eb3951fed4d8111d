// SPDX-License-Identifier: GPL-2.0-only
/*
 * The contiguous heap: memory in one piece.  See heap_contiguous.h.
 */
#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/nodemask.h>
#include <linux/of.h>
#include <linux/of_reserved_mem.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "account.h"
#include "buffer.h"
#include "compat/dma.h"
#include "compat/mm.h"
#include "device.h"
#include "dma.h"
#include "heap.h"
#include "heap_contiguous.h"
#include "mmap.h"
#include "pool.h"

/* The largest piece that the page allocator can give. */
#define SLUICE_CONTIGUOUS_BLOCK		((u64)PAGE_SIZE << SLUICE_COMPAT_MAX_ORDER)

/**
 * struct sluice_contiguous_buffer - a buffer of the contiguous heap
 * @base: the buffer
 * @dma: DMA handle, if base.dma_alloc is set.  Otherwise the memory is ordinary pages from a search
 */
struct sluice_contiguous_buffer {
	struct sluice_buffer base;
	dma_addr_t dma;
};

static_assert(!offsetof(struct sluice_contiguous_buffer, base));

static struct sluice_contiguous_buffer *sluice_contiguous_of(const struct sluice_buffer *buffer)
{
	return container_of(buffer, struct sluice_contiguous_buffer, base);
}

/**
 * struct sluice_contiguous_region - the region of the device tree that a device's memory comes from
 * @start: physical address
 * @size: bytes
 */
struct sluice_contiguous_region {
	phys_addr_t start;
	u64 size;
};

/* Limits of a search: the part of all memory that one buffer may have (1/8), and ranges to try. */
#define SLUICE_SEARCH_SHARE	8
#define SLUICE_SEARCH_TRIES	32

#ifdef CONFIG_CONTIG_ALLOC
/* One search at a time, because two would disturb each other's ranges. */
static DEFINE_MUTEX(sluice_search_lock);

/*
 * Is this page free, or can it be moved?  The answer is only a guess, because no lock is held.  The
 * kernel checks again before it moves pages.
 */
static bool sluice_search_page_moves(unsigned long pfn, const struct zone *zone)
{
	struct page *page = pfn_to_online_page(pfn);

	if (!page || page_zone(page) != zone || PageReserved(page) || PageHuge(page))
		return false;
	return PageLRU(page) || (!page_ref_count(page) && !PageSlab(page));
}

/* Is each page of a pageblock free or movable? */
static bool sluice_search_block_moves(unsigned long pfn, const struct zone *zone)
{
	unsigned long i;

	for (i = 0; i < pageblock_nr_pages; i++)
		if (!sluice_search_page_moves(pfn + i, zone))
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

		/* an unbind must not wait long for this call */
		if (fatal_signal_pending(current) || READ_ONCE(sdev->gone))
			break;
		cond_resched();
		if (!sluice_search_block_moves(pfn, zone)) {
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
 * Search zone by zone.  ZONE_MOVABLE is left out, because its memory must stay movable.  The DMA
 * zones come last, because other devices need them more.
 */
static struct page *sluice_search(const struct sluice_device *sdev, unsigned long count)
{
	unsigned int tries = SLUICE_SEARCH_TRIES;
	struct page *page = NULL;
	int first = sluice_dma_node(sdev), node, i;
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

	/* in parts, because one call for the whole range may take long */
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

	/* an unbind waits for this call, and must not wait for other searches in front of it */
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
	sluice_buffer_set_piece(buffer, page_to_phys(page), count);
	for (i = 0; i < count; i++) {
		clear_highpage(page + i);
		cond_resched();
	}
	buffer->vaddr = page_address(page);
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
 * Can the device use memory from a search?  It must snoop the CPU's caches and need no bounce
 * buffer.  If it reaches only a low zone, that little memory is left to other users.
 */
static bool sluice_search_helps(const struct sluice_device *sdev)
{
	return IS_ENABLED(CONFIG_CONTIG_ALLOC) && !IS_ENABLED(CONFIG_HIGHMEM) && !sdev->zone &&
	       !sdev->region && dev_is_dma_coherent(sdev->parent) && !sdev->bounced;
}

/* Give the region to the class device.  Returns an errno if it cannot be used. */
static int sluice_contiguous_assign(struct sluice_device *sdev, struct device_node *node,
				    struct sluice_contiguous_region *region)
{
	struct reserved_mem *reserved = of_reserved_mem_lookup(node);

	/*
	 * a reusable region is in the kernel's mapping (it is not no-map): cache syncs of importers
	 * need this mapping
	 */
	if (!reserved || !of_device_is_compatible(node, "shared-dma-pool") ||
	    !of_property_read_bool(node, "reusable") ||
	    !sluice_dma_reaches(&sdev->dev, reserved->base + reserved->size - 1))
		return -EINVAL;
	region->start = reserved->base;
	region->size = reserved->size;
	return of_reserved_mem_device_init_by_idx(&sdev->dev, sdev->parent->of_node, 0);
}

/**
 * sluice_contiguous_reserve - use the region that the device tree reserves for a device
 * @sdev: a device that is being registered.  Its class device has its name, DMA mask and offsets
 *
 * The region is the parent's first memory-region.  It is given to the class device, for which the
 * heap allocates.  The parent is not changed.  Without a region, nothing happens.  A region that
 * cannot be used is left out, with a message in the log.
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int sluice_contiguous_reserve(struct sluice_device *sdev)
{
	struct device_node *node = of_parse_phandle(sdev->parent->of_node, "memory-region", 0);
	struct sluice_contiguous_region *region;
	int ret = 0, error;

	if (!node)
		return 0;
	region = kzalloc(sizeof(*region), GFP_KERNEL);
	if (!region) {
		ret = -ENOMEM;
		goto out;
	}
	error = sluice_contiguous_assign(sdev, node, region);
	if (error) {
		dev_warn(sdev->parent, "%pOF is not used for buffers: it must be a reusable shared-dma-pool that the device can address (%d)\n",
			 node, error);
		kfree(region);
		goto out;
	}
	sdev->region = region;
out:
	of_node_put(node);
	return ret;
}

/**
 * sluice_contiguous_unreserve - release the region of sluice_contiguous_reserve()
 * @sdev: a device that is being freed, so it has no buffers
 *
 * Context: may sleep.
 */
void sluice_contiguous_unreserve(struct sluice_device *sdev)
{
	if (!sdev->region)
		return;
	of_reserved_mem_device_release(&sdev->dev);
	kfree(sdev->region);
}

/*
 * Bytes of all CMA memory, in use or not; 0 if the device has no CMA area.  All memory counts,
 * because modules cannot ask for the size of one device's area.
 */
static u64 sluice_contiguous_cma_bytes(struct device *dev)
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
 * sluice_contiguous_has_cma - is there CMA memory for a device?
 * @sdev: the device
 *
 * Context: any.
 * Return: true if the device has a CMA area.  Some kernels do not tell modules the area of a
 * device: there, true if the kernel has any CMA memory.
 */
bool sluice_contiguous_has_cma(const struct sluice_device *sdev)
{
	return sluice_contiguous_cma_bytes((struct device *)&sdev->dev);
}

/* The largest possible buffer, in bytes.  A buffer is one segment, whose length has 32 bits. */
static u64 sluice_contiguous_max(const struct sluice_device *sdev)
{
	u64 cma = sluice_contiguous_cma_bytes((struct device *)&sdev->dev);
	u64 size = max(SLUICE_CONTIGUOUS_BLOCK, cma);

	if (sdev->region)
		size = sdev->region->size;
	if (sluice_search_helps(sdev))
		size = max(size, ((u64)totalram_pages() << PAGE_SHIFT) / SLUICE_SEARCH_SHARE);
	return PAGE_ALIGN_DOWN(min_t(u64, size, U32_MAX));
}

static u32 sluice_contiguous_properties(const struct sluice_device *sdev)
{
	return sdev->region ? SLUICE_MEM_RESERVED : 0;
}

/* The SLUICE_HINT_* for a size that cannot be allocated. */
static u32 sluice_contiguous_why(const struct sluice_device *sdev, u64 size)
{
	if (size > U32_MAX)
		return SLUICE_HINT_LIMIT;
	if (sdev->region)
		return size > sluice_contiguous_max(sdev) ? SLUICE_HINT_LIMIT :
							    SLUICE_HINT_FRAGMENTED;
	if (sdev->zone)
		return SLUICE_HINT_DMA_MASK;
	if (!sluice_contiguous_has_cma(sdev))
		return SLUICE_HINT_NO_CMA;
	return size > sluice_contiguous_max(sdev) ? SLUICE_HINT_LIMIT : SLUICE_HINT_FRAGMENTED;
}

/* Is it CACHED memory for a device that does not snoop the CPU's caches? */
static bool sluice_contiguous_noncoherent(const struct sluice_buffer *buffer)
{
	return buffer->properties & SLUICE_MEM_CACHED &&
	       !dev_is_dma_coherent(&buffer->sdev->dev);
}

static bool sluice_contiguous_get(struct sluice_buffer *buffer)
{
	gfp_t gfp = GFP_KERNEL_ACCOUNT | __GFP_NOWARN | __GFP_RETRY_MAYFAIL;
	dma_addr_t *dma = &sluice_contiguous_of(buffer)->dma;
	struct device *dev = &buffer->sdev->dev;
	struct page *page;

	if (sluice_contiguous_noncoherent(buffer)) {
		page = dma_alloc_pages(dev, buffer->size, dma, DMA_BIDIRECTIONAL, gfp);
		buffer->vaddr = page ? page_address(page) : NULL;
	} else {
		buffer->vaddr = dma_alloc_coherent(dev, buffer->size, dma, gfp);
	}
	return buffer->vaddr;
}

static void sluice_contiguous_put(struct sluice_buffer *buffer)
{
	dma_addr_t dma = sluice_contiguous_of(buffer)->dma;
	struct device *dev = &buffer->sdev->dev;

	if (sluice_contiguous_noncoherent(buffer))
		dma_free_pages(dev, buffer->size, virt_to_page(buffer->vaddr), dma,
			       DMA_BIDIRECTIONAL);
	else
		dma_free_coherent(dev, buffer->size, buffer->vaddr, dma);
}

/* Note where the memory is. */
static int sluice_contiguous_locate(struct sluice_buffer *buffer)
{
	phys_addr_t start;
	struct sg_table sgt;
	int ret;

	if (sluice_contiguous_noncoherent(buffer)) {
		start = page_to_phys(virt_to_page(buffer->vaddr));
	} else {
		ret = dma_get_sgtable(&buffer->sdev->dev, &sgt, buffer->vaddr,
				      sluice_contiguous_of(buffer)->dma, buffer->size);
		if (ret)
			return ret;
		start = sg_phys(sgt.sgl);
		sg_free_table(&sgt);
	}
	sluice_buffer_set_piece(buffer, start, buffer->size >> PAGE_SHIFT);
	return 0;
}

/*
 * Bytes that the buffer occupies beyond its size.  The page allocator has pieces of powers of two,
 * and the DMA API does not give the unused part of a piece back.
 */
static u64 sluice_contiguous_excess(const struct sluice_buffer *buffer)
{
	if (buffer->sdev->translated || buffer->sdev->region ||
	    sluice_contiguous_has_cma(buffer->sdev))
		return 0;
	return ((u64)PAGE_SIZE << get_order(buffer->size)) - buffer->size;
}

/*
 * Is the memory from the region of the device, if it has one?  When the region is full, the DMA API
 * takes other memory, which the device tree does not allow.
 */
static bool sluice_contiguous_is_reserved(const struct sluice_buffer *buffer)
{
	const struct sluice_device *sdev = buffer->sdev;

	return !sdev->region ||
	       sluice_piece_start(buffer->pieces) - sdev->region->start < sdev->region->size;
}

/* Allocate from the DMA API. */
static int sluice_contiguous_allocate(struct sluice_buffer *buffer, u32 *hint)
{
	int ret;

	/* a mapping that skips bounce buffers also skips cache maintenance, which CACHED needs */
	if (buffer->sdev->bounced && sluice_contiguous_noncoherent(buffer)) {
		*hint = SLUICE_HINT_BOUNCED;
		return -EADDRNOTAVAIL;
	}
	/* without CMA the allocation would fail, but only after much work */
	if (buffer->size > SLUICE_CONTIGUOUS_BLOCK && !buffer->sdev->region &&
	    !sluice_contiguous_has_cma(buffer->sdev))
		return -ENOMEM;
	ret = sluice_buffer_charge(buffer, sluice_contiguous_excess(buffer), hint);
	if (ret)
		return ret;
	if (!sluice_contiguous_get(buffer) &&
	    (!sluice_pool_drain(buffer->sdev->zone, get_order(buffer->size)) ||
	     !sluice_contiguous_get(buffer)))
		return -ENOMEM;
	ret = sluice_contiguous_locate(buffer);
	if (ret)
		goto err_put;
	ret = -ENOMEM;
	if (!sluice_contiguous_is_reserved(buffer))
		goto err_put;
	return 0;

err_put:
	sluice_contiguous_put(buffer);
	return ret;
}

static int sluice_contiguous_alloc(struct sluice_buffer *buffer, u32 *hint)
{
	int ret;

	/* a region has memory of its own */
	if (!buffer->sdev->region && !sluice_account_has_room(buffer->size, sluice_pool_bytes))
		return -ENOMEM;
	ret = sluice_contiguous_allocate(buffer, hint);
	buffer->dma_alloc = !ret;
	/*
	 * for a smaller buffer, -ENOMEM may come from the limit of its memory cgroup: a search
	 * would evade that limit
	 */
	if (ret == -ENOMEM && buffer->size > SLUICE_CONTIGUOUS_BLOCK &&
	    sluice_search_helps(buffer->sdev))
		ret = sluice_search_alloc(buffer);
	if (ret == -ENOMEM)
		*hint = sluice_contiguous_why(buffer->sdev, buffer->size);
	if (ret)
		return ret;
	buffer->end = sluice_piece_start(buffer->pieces) + buffer->size - 1;
	return 0;
}

static void sluice_contiguous_free(struct sluice_buffer *buffer)
{
	if (buffer->dma_alloc)
		sluice_contiguous_put(buffer);
	else
		sluice_search_free(sluice_piece_page(buffer->pieces), buffer->size >> PAGE_SHIFT);
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

	if (!buffer->dma_alloc || sluice_contiguous_noncoherent(buffer))
		ret = remap_pfn_range(vma, vma->vm_start,
				      buffer->pieces->pfn + vma->vm_pgoff,
				      vma->vm_end - vma->vm_start, vma->vm_page_prot);
	else
		ret = dma_mmap_coherent(&buffer->sdev->dev, vma, buffer->vaddr,
					sluice_contiguous_of(buffer)->dma, buffer->size);
	if (ret)
		return ret;
	vma->vm_private_data = buffer;
	vma->vm_ops = &sluice_contiguous_vm_ops;
	return 0;
}

const struct sluice_heap sluice_contiguous_heap = {
	.name = "contiguous",
	.properties = SLUICE_MEM_COHERENT | SLUICE_MEM_CONTIGUOUS,
	.more_properties = sluice_contiguous_properties,
	.options = SLUICE_MEM_CACHED,
	.largest = sluice_contiguous_max,
	.why = sluice_contiguous_why,
	.buffer_size = sizeof(struct sluice_contiguous_buffer),
	.alloc = sluice_contiguous_alloc,
	.free = sluice_contiguous_free,
	.mmap = sluice_contiguous_mmap,
};
