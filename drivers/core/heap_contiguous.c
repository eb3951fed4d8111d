// SPDX-License-Identifier: GPL-2.0-only
/*
 * The contiguous heap: coherent memory in one piece, from the DMA API.
 *
 * It is allocated for the class device (see struct sluice_device), which has no
 * driver that could be unbound.  What the DMA API takes from CMA or from a
 * reserved region is not charged to a memory cgroup.
 */
#include <linux/dma-mapping.h>

#include "core.h"

static void *sluice_contiguous_get(struct sluice_buffer *buffer)
{
	return dma_alloc_coherent(&buffer->sdev->dev, buffer->size, &buffer->dma,
				  GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
}

static int sluice_contiguous_alloc(struct sluice_buffer *buffer, u32 *hint)
{
	struct device *dev = &buffer->sdev->dev;
	int ret;

	buffer->vaddr = sluice_contiguous_get(buffer);
	if (!buffer->vaddr && sluice_pool_drain(buffer->sdev->zone, get_order(buffer->size)))
		buffer->vaddr = sluice_contiguous_get(buffer);
	if (!buffer->vaddr) {
		*hint = buffer->sdev->zone ? SLUICE_HINT_DMA_MASK : SLUICE_HINT_FRAGMENTED;
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

const struct sluice_heap sluice_contiguous_heap = {
	.name = "contiguous",
	.properties = SLUICE_MEM_COHERENT | SLUICE_MEM_CONTIGUOUS,
	/* one segment, whose length is 32 bits */
	.max_size = PAGE_ALIGN_DOWN(U32_MAX),
	.alloc = sluice_contiguous_alloc,
	.free = sluice_contiguous_free,
	.mmap = sluice_contiguous_mmap,
};
