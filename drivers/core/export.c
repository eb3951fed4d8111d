// SPDX-License-Identifier: GPL-2.0-only
/*
 * Our dma-bufs: the dma_buf_ops of a buffer.
 *
 * Each attachment keeps the mappings that it was given: mapping again in the
 * same direction costs a cache sync and nothing more.  A mapping that is in use
 * is not handed out twice; an importer that maps again gets another.
 *
 * CPU access waits for the buffer's fences itself, and with a bound, before it
 * syncs the caches: the dma-buf core calls the exporter first and waits
 * afterwards, so that a sync without a wait of our own could come too early.
 *
 * buffer->lock guards the lists; it nests inside dma_resv, which the core holds
 * around map and unmap on newer kernels.
 */
#include <linux/dma-buf.h>
#include <linux/dma-direct.h>
#include <linux/dma-mapping.h>
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/swiotlb.h>

#include "core.h"

/*
 * A job may wait and then run that long.  With others ahead of it in the line it
 * may end later still: then the caller gets -ETIME, and may try again.
 */
#define SLUICE_CPU_ACCESS_TIMEOUT \
	msecs_to_jiffies(SLUICE_IN_FENCE_TIMEOUT_MS + SLUICE_MAX_TIMEOUT_MS)

/**
 * struct sluice_attachment - an importer's device
 * @dev: the device; the importer keeps it until it detaches
 * @mappings: struct sluice_mapping
 * @link: in buffer->attachments
 */
struct sluice_attachment {
	struct device *dev;
	struct list_head mappings;
	struct list_head link;
};

/**
 * struct sluice_mapping - the buffer mapped for one device in one direction
 * @sgt: the table that the importer has
 * @dir: direction
 * @busy: the importer has it
 * @link: in attachment->mappings
 */
struct sluice_mapping {
	struct sg_table sgt;
	enum dma_data_direction dir;
	bool busy;
	struct list_head link;
};

/* Can the device address all of the memory?  An IOMMU can show it anything. */
static bool sluice_reachable(const struct sluice_buffer *buffer, struct device *dev)
{
	u64 limit;

	if (!dev->dma_mask || sluice_dma_translated(dev))
		return true;
	if (is_swiotlb_force_bounce(dev))
		return false;
	limit = min_not_zero(dma_get_mask(dev), dev->bus_dma_limit);
	return phys_to_dma(dev, buffer->end) <= limit;
}

static int sluice_dmabuf_attach(struct dma_buf *dmabuf, struct dma_buf_attachment *attach)
{
	struct sluice_buffer *buffer = dmabuf->priv;
	struct sluice_attachment *attachment;

	if (!sluice_reachable(buffer, attach->dev)) {
		dev_dbg(attach->dev, "cannot address memory up to %pa of a buffer of %s\n",
			&buffer->end, buffer->sdev->name);
		return -EADDRNOTAVAIL;
	}
	attachment = kzalloc(sizeof(*attachment), GFP_KERNEL);
	if (!attachment)
		return -ENOMEM;
	attachment->dev = attach->dev;
	INIT_LIST_HEAD(&attachment->mappings);
	attach->priv = attachment;

	mutex_lock(&buffer->lock);
	list_add_tail(&attachment->link, &buffer->attachments);
	mutex_unlock(&buffer->lock);
	return 0;
}

static void sluice_mapping_destroy(struct device *dev, struct sluice_mapping *mapping)
{
	list_del(&mapping->link);
	dma_unmap_sgtable(dev, &mapping->sgt, mapping->dir, DMA_ATTR_SKIP_CPU_SYNC);
	sg_free_table(&mapping->sgt);
	kfree(mapping);
	sluice_object_dec(SLUICE_OBJECT_MAPPING);
}

static void sluice_dmabuf_detach(struct dma_buf *dmabuf, struct dma_buf_attachment *attach)
{
	struct sluice_attachment *attachment = attach->priv;
	struct sluice_buffer *buffer = dmabuf->priv;
	struct sluice_mapping *mapping, *next;

	mutex_lock(&buffer->lock);
	list_del(&attachment->link);
	list_for_each_entry_safe(mapping, next, &attachment->mappings, link)
		sluice_mapping_destroy(attachment->dev, mapping);
	mutex_unlock(&buffer->lock);
	kfree(attachment);
}

/* Length of the next segment: neither over the limit nor across a boundary. */
static size_t sluice_segment_length(phys_addr_t phys, size_t left, size_t max, u64 boundary)
{
	left = min(left, max);
	if (boundary)
		left = min_t(u64, left, boundary - (phys & (boundary - 1)));
	return left;
}

/*
 * Build the importer's table: the buffer's pages, cut to the segment size and
 * boundary that its device can do.  Neighbouring pages become one segment.
 */
static int sluice_cut_segments(const struct sluice_buffer *buffer, struct device *dev,
			       struct sg_table *sgt)
{
	size_t max = ALIGN_DOWN(max_t(size_t, dma_get_max_seg_size(dev), PAGE_SIZE), PAGE_SIZE);
	u64 boundary = (u64)dma_get_seg_boundary(dev) + 1;
	struct scatterlist *from, *to = NULL;
	unsigned int i, count;
	int ret, pass;

	/* the first pass counts, the second one writes */
	for (pass = 0; pass < 2; pass++) {
		phys_addr_t run = 0;
		size_t run_length = 0;

		count = 0;
		for_each_sgtable_sg((struct sg_table *)&buffer->sgt, from, i) {
			phys_addr_t phys = sg_phys(from);
			size_t left = from->length;

			while (left) {
				size_t length;

				/* grow the run while it touches and may grow */
				if (run_length && run + run_length == phys) {
					length = sluice_segment_length(run, run_length + left,
								       max, boundary);
					if (length > run_length) {
						length -= run_length;
						run_length += length;
						phys += length;
						left -= length;
						if (pass)
							to->length = run_length;
						continue;
					}
				}
				length = sluice_segment_length(phys, left, max, boundary);
				run = phys;
				run_length = length;
				if (pass) {
					to = count ? sg_next(to) : sgt->sgl;
					sg_set_page(to, pfn_to_page(PHYS_PFN(phys)), length, 0);
				}
				count++;
				phys += length;
				left -= length;
			}
		}
		if (!pass) {
			ret = sg_alloc_table(sgt, count, GFP_KERNEL);
			if (ret)
				return ret;
		}
	}
	return 0;
}

static struct sg_table *sluice_dmabuf_map(struct dma_buf_attachment *attach,
					  enum dma_data_direction dir)
{
	struct sluice_attachment *attachment = attach->priv;
	struct sluice_buffer *buffer = attach->dmabuf->priv;
	struct device *dev = attachment->dev;
	struct sluice_mapping *mapping;
	int ret;

	if (!dev->dma_mask || !*dev->dma_mask)
		return ERR_PTR(-EADDRNOTAVAIL);

	mutex_lock(&buffer->lock);
	list_for_each_entry(mapping, &attachment->mappings, link) {
		if (!mapping->busy && mapping->dir == dir)
			goto found;
	}
	ret = -ENOMEM;
	mapping = kzalloc(sizeof(*mapping), GFP_KERNEL);
	if (!mapping)
		goto err_unlock;
	ret = sluice_cut_segments(buffer, dev, &mapping->sgt);
	if (ret)
		goto err_free;
	/* several devices may have the same memory: each sync is explicit */
	ret = dma_map_sgtable(dev, &mapping->sgt, dir, DMA_ATTR_SKIP_CPU_SYNC);
	if (ret)
		goto err_table;
	mapping->dir = dir;
	list_add_tail(&mapping->link, &attachment->mappings);
	sluice_object_inc(SLUICE_OBJECT_MAPPING);
found:
	dma_sync_sgtable_for_device(dev, &mapping->sgt, dir);
	mapping->busy = true;
	mutex_unlock(&buffer->lock);
	return &mapping->sgt;

err_table:
	sg_free_table(&mapping->sgt);
err_free:
	kfree(mapping);
err_unlock:
	mutex_unlock(&buffer->lock);
	return ERR_PTR(ret);
}

static void sluice_dmabuf_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
				enum dma_data_direction dir)
{
	struct sluice_mapping *mapping = container_of(sgt, struct sluice_mapping, sgt);
	struct sluice_attachment *attachment = attach->priv;
	struct sluice_buffer *buffer = attach->dmabuf->priv;

	mutex_lock(&buffer->lock);
	dma_sync_sgtable_for_cpu(attachment->dev, sgt, mapping->dir);
	mapping->busy = false;
	mutex_unlock(&buffer->lock);
}

/*
 * Pass the memory between the CPU and every device that has it mapped; always
 * in the direction of the mapping, as the DMA API asks.
 */
static void sluice_sync_all(struct sluice_buffer *buffer, bool for_cpu)
{
	struct sluice_attachment *attachment;
	struct sluice_mapping *mapping;

	mutex_lock(&buffer->lock);
	list_for_each_entry(attachment, &buffer->attachments, link) {
		struct device *dev = attachment->dev;

		list_for_each_entry(mapping, &attachment->mappings, link) {
			if (!mapping->busy)
				continue;
			if (for_cpu)
				dma_sync_sgtable_for_cpu(dev, &mapping->sgt, mapping->dir);
			else
				dma_sync_sgtable_for_device(dev, &mapping->sgt, mapping->dir);
		}
	}
	mutex_unlock(&buffer->lock);
}

static int sluice_dmabuf_begin_cpu_access(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	bool write = dir == DMA_BIDIRECTIONAL || dir == DMA_TO_DEVICE;
	struct sluice_buffer *buffer = dmabuf->priv;
	long left;

	left = dma_resv_wait_timeout(dmabuf->resv, dma_resv_usage_rw(write), true,
				     SLUICE_CPU_ACCESS_TIMEOUT);
	if (left < 0)
		return left;
	if (!left)
		return -ETIME;
	sluice_sync_all(buffer, true);
	if (is_vmalloc_addr(buffer->vaddr))
		invalidate_kernel_vmap_range(buffer->vaddr, buffer->size);
	return 0;
}

static int sluice_dmabuf_end_cpu_access(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	struct sluice_buffer *buffer = dmabuf->priv;

	if (is_vmalloc_addr(buffer->vaddr))
		flush_kernel_vmap_range(buffer->vaddr, buffer->size);
	sluice_sync_all(buffer, false);
	return 0;
}

static int sluice_dmabuf_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma)
{
	struct sluice_buffer *buffer = dmabuf->priv;

	/* a private mapping would show copies, not the device's memory */
	if (!(vma->vm_flags & (VM_SHARED | VM_MAYSHARE)))
		return -EINVAL;
	vm_flags_set(vma, VM_DONTEXPAND | VM_DONTDUMP);
	return buffer->heap->mmap(buffer, vma);
}

static int sluice_dmabuf_vmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	struct sluice_buffer *buffer = dmabuf->priv;

	iosys_map_set_vaddr(map, buffer->vaddr);
	return 0;
}

static void sluice_dmabuf_release(struct dma_buf *dmabuf)
{
	sluice_buffer_destroy(dmabuf->priv);
}

static const struct dma_buf_ops sluice_dmabuf_ops = {
	.attach = sluice_dmabuf_attach,
	.detach = sluice_dmabuf_detach,
	.map_dma_buf = sluice_dmabuf_map,
	.unmap_dma_buf = sluice_dmabuf_unmap,
	.begin_cpu_access = sluice_dmabuf_begin_cpu_access,
	.end_cpu_access = sluice_dmabuf_end_cpu_access,
	.mmap = sluice_dmabuf_mmap,
	.vmap = sluice_dmabuf_vmap,
	.release = sluice_dmabuf_release,
};

/**
 * sluice_buffer_export - make a dma-buf of a buffer
 * @buffer: from sluice_buffer_create(); belongs to the dma-buf on success
 * @read_only: no writable mapping through its fds
 *
 * Context: may sleep.  Return: the dma-buf, with one reference, or an ERR_PTR.
 */
struct dma_buf *sluice_buffer_export(struct sluice_buffer *buffer, bool read_only)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct dma_buf *dmabuf;

	info.ops = &sluice_dmabuf_ops;
	info.size = buffer->size;
	info.flags = read_only ? O_RDONLY : O_RDWR;
	info.priv = buffer;
	dmabuf = dma_buf_export(&info);
	if (!IS_ERR(dmabuf))
		WRITE_ONCE(buffer->inode, file_inode(dmabuf->file)->i_ino);
	return dmabuf;
}

/**
 * sluice_buffer_from_dmabuf - the buffer behind a dma-buf
 * @dmabuf: any
 *
 * Return: the buffer, valid as long as the dma-buf, or NULL if it is another
 * exporter's.
 */
struct sluice_buffer *sluice_buffer_from_dmabuf(struct dma_buf *dmabuf)
{
	return dmabuf->ops == &sluice_dmabuf_ops ? dmabuf->priv : NULL;
}
