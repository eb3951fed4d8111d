// SPDX-License-Identifier: GPL-2.0-only
/*
 * Heaps: where a buffer's memory comes from.
 *
 * Both heaps keep to what the device can address, so that neither ever needs a
 * bounce buffer, and neither depends on the device's driver for its life: the
 * pages heap owns plain pages, the contiguous heap allocates for the class
 * device (see struct sluice_device), which has no driver to be unbound from.
 * Memory arrives zeroed and charged to the caller's memory cgroup; pages that
 * the DMA API takes from CMA or from a reserved region are not charged.
 */
#include <linux/dma-direct.h>
#include <linux/dma-mapping.h>
#include <linux/iommu.h>
#include <linux/nospec.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/swiotlb.h>
#include <linux/vmalloc.h>

#include "core.h"

/*
 * Large pieces first: fewer segments, fewer TLB entries.  Above order 0 the
 * allocator is not to try hard: the next smaller piece does as well.
 */
static const unsigned int sluice_orders[] = { 9, 4, 0 };

/**
 * sluice_dma_translated - can a device be shown any memory?
 * @dev: the device; a driver is bound to it
 *
 * Return: true behind an IOMMU that translates; one in pass-through does not.
 */
bool sluice_dma_translated(struct device *dev)
{
	struct iommu_domain *domain = iommu_get_domain_for_dev(dev);

	return domain && domain->type != IOMMU_DOMAIN_IDENTITY;
}

/**
 * sluice_dma_reaches - can a device address memory without a bounce buffer?
 * @dev: the device, with a DMA mask
 * @end: physical address of the last byte
 */
bool sluice_dma_reaches(struct device *dev, phys_addr_t end)
{
	if (sluice_dma_translated(dev))
		return true;
	if (is_swiotlb_force_bounce(dev))
		return false;
	return phys_to_dma(dev, end) <= min_not_zero(dma_get_mask(dev), dev->bus_dma_limit);
}

/* A zone all of which the device can address: on x86 16 MiB for less than 32 bits. */
static gfp_t sluice_zone(struct sluice_device *sdev)
{
	struct device *parent = sdev->parent;
	u64 limit = min_not_zero(sdev->dma_mask, parent->bus_dma_limit);

	if (sdev->translated || !dma_addressing_limited(parent))
		return 0;
	if (limit >= DMA_BIT_MASK(32))
		return GFP_DMA32;
	return GFP_DMA;
}

static struct page *sluice_pages_one(struct sluice_device *sdev, u64 left, unsigned int *order)
{
	gfp_t zone = sluice_zone(sdev);
	struct page *page;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sluice_orders); i++) {
		gfp_t gfp = GFP_KERNEL_ACCOUNT | __GFP_ZERO | __GFP_NOWARN | zone;

		*order = sluice_orders[i];
		if (left < (u64)PAGE_SIZE << *order)
			continue;
		if (*order)
			gfp = (gfp | __GFP_COMP | __GFP_NORETRY) & ~__GFP_RECLAIM;
		else
			gfp |= __GFP_RETRY_MAYFAIL;
		page = alloc_pages(gfp, *order);
		if (page)
			return page;
	}
	return NULL;
}

static void sluice_pages_free(struct sluice_buffer *buffer)
{
	struct scatterlist *sg;
	unsigned int i;

	if (is_vmalloc_addr(buffer->vaddr))
		vunmap(buffer->vaddr);
	for_each_sgtable_sg(&buffer->sgt, sg, i) {
		__free_pages(sg_page(sg), get_order(sg->length));
		cond_resched();
	}
	sg_free_table(&buffer->sgt);
}

/* The kernel mapping, for which all pages are needed in one array. */
static int sluice_pages_vmap(struct sluice_buffer *buffer)
{
	unsigned long i = 0, count = buffer->size >> PAGE_SHIFT;
	struct sg_page_iter iter;
	struct page **pages;

	if (buffer->sgt.nents == 1 && !PageHighMem(sg_page(buffer->sgt.sgl))) {
		buffer->vaddr = page_address(sg_page(buffer->sgt.sgl));
		return 0;
	}
	pages = kvmalloc_array(count, sizeof(*pages), GFP_KERNEL);
	if (!pages)
		return -ENOMEM;
	for_each_sgtable_page(&buffer->sgt, &iter, 0)
		pages[i++] = sg_page_iter_page(&iter);
	buffer->vaddr = vmap(pages, count, VM_MAP, PAGE_KERNEL);
	kvfree(pages);
	return buffer->vaddr ? 0 : -ENOMEM;
}

static int sluice_pages_alloc(struct sluice_buffer *buffer, u32 *hint)
{
	unsigned int order, count = 0;
	struct page *page, *next;
	struct scatterlist *sg;
	u64 left = buffer->size;
	LIST_HEAD(pages);
	int ret;

	while (left) {
		ret = -EINTR;
		if (fatal_signal_pending(current))
			goto err_pages;
		ret = -ENOMEM;
		page = sluice_pages_one(buffer->sdev, left, &order);
		if (!page) {
			*hint = sluice_zone(buffer->sdev) ? SLUICE_HINT_DMA_MASK :
							    SLUICE_HINT_NONE;
			goto err_pages;
		}
		/* until it has a place in the table, a page knows its own order */
		set_page_private(page, order);
		list_add_tail(&page->lru, &pages);
		left -= (u64)PAGE_SIZE << order;
		count++;
		cond_resched();	/* zeroing takes its time */
	}

	ret = sg_alloc_table(&buffer->sgt, count, GFP_KERNEL_ACCOUNT);
	if (ret)
		goto err_pages;
	sg = buffer->sgt.sgl;
	list_for_each_entry_safe(page, next, &pages, lru) {
		size_t length = PAGE_SIZE << page_private(page);

		list_del(&page->lru);
		set_page_private(page, 0);
		sg_set_page(sg, page, length, 0);
		buffer->end = max(buffer->end, page_to_phys(page) + length - 1);
		sg = sg_next(sg);
	}
	ret = sluice_pages_vmap(buffer);
	if (ret)
		sluice_pages_free(buffer);
	return ret;

err_pages:
	list_for_each_entry_safe(page, next, &pages, lru) {
		order = page_private(page);
		list_del(&page->lru);
		set_page_private(page, 0);
		__free_pages(page, order);
	}
	return ret;
}

static int sluice_pages_mmap(struct sluice_buffer *buffer, struct vm_area_struct *vma)
{
	u64 skip = (u64)vma->vm_pgoff << PAGE_SHIFT;
	unsigned long addr = vma->vm_start;
	struct scatterlist *sg;
	unsigned int i;
	int ret;

	for_each_sgtable_sg(&buffer->sgt, sg, i) {
		size_t length;

		if (skip >= sg->length) {
			skip -= sg->length;
			continue;
		}
		length = min_t(size_t, sg->length - skip, vma->vm_end - addr);
		ret = remap_pfn_range(vma, addr, page_to_pfn(sg_page(sg)) + (skip >> PAGE_SHIFT),
				      length, vma->vm_page_prot);
		if (ret)
			return ret;
		addr += length;
		skip = 0;
		if (addr == vma->vm_end)
			break;
	}
	return 0;
}

static int sluice_contiguous_alloc(struct sluice_buffer *buffer, u32 *hint)
{
	struct device *dev = &buffer->sdev->dev;
	int ret;

	buffer->vaddr = dma_alloc_coherent(dev, buffer->size, &buffer->dma,
					   GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!buffer->vaddr) {
		*hint = sluice_zone(buffer->sdev) ? SLUICE_HINT_DMA_MASK : SLUICE_HINT_FRAGMENTED;
		return -ENOMEM;
	}
	ret = dma_get_sgtable(dev, &buffer->sgt, buffer->vaddr, buffer->dma, buffer->size);
	if (ret) {
		dma_free_coherent(dev, buffer->size, buffer->vaddr, buffer->dma);
		return ret;
	}
	buffer->end = sg_phys(buffer->sgt.sgl) + buffer->size - 1;
	return 0;
}

static void sluice_contiguous_free(struct sluice_buffer *buffer)
{
	sg_free_table(&buffer->sgt);
	dma_free_coherent(&buffer->sdev->dev, buffer->size, buffer->vaddr, buffer->dma);
}

static int sluice_contiguous_mmap(struct sluice_buffer *buffer, struct vm_area_struct *vma)
{
	return dma_mmap_coherent(&buffer->sdev->dev, vma, buffer->vaddr, buffer->dma,
				 buffer->size);
}

static const struct sluice_heap sluice_heaps[] = {
	{
		.name = "pages",
		.properties = SLUICE_MEM_CACHED,
		.alloc = sluice_pages_alloc,
		.free = sluice_pages_free,
		.mmap = sluice_pages_mmap,
	},
	{
		.name = "contiguous",
		.properties = SLUICE_MEM_COHERENT | SLUICE_MEM_CONTIGUOUS,
		/* one segment, whose length is 32 bits */
		.max_size = PAGE_ALIGN_DOWN(U32_MAX),
		.alloc = sluice_contiguous_alloc,
		.free = sluice_contiguous_free,
		.mmap = sluice_contiguous_mmap,
	},
};

unsigned int sluice_heap_count(void)
{
	return ARRAY_SIZE(sluice_heaps);
}

/**
 * sluice_heap_get - heap by number
 * @index: as userspace counts
 *
 * Return: the heap, or NULL if there is none.
 */
const struct sluice_heap *sluice_heap_get(unsigned int index)
{
	if (index >= ARRAY_SIZE(sluice_heaps))
		return NULL;
	return &sluice_heaps[array_index_nospec(index, ARRAY_SIZE(sluice_heaps))];
}

/**
 * sluice_heap_max_size - the largest buffer that can make sense, in bytes
 * @sdev: the device
 * @heap: the heap
 */
u64 sluice_heap_max_size(const struct sluice_device *sdev, const struct sluice_heap *heap)
{
	u64 size = (u64)totalram_pages() << PAGE_SHIFT;

	if (heap->max_size)
		size = min(size, heap->max_size);
	if (!sdev->translated)
		size = min_t(u64, size, PAGE_ALIGN_DOWN(sdev->dma_mask));
	return size;
}
