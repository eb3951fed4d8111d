// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mappings of buffers for importers: see mapping.h.
 */
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include "buffer.h"
#include "compat/dma.h"
#include "dma.h"
#include "mapping.h"
#include "object.h"
#include "trace.h"

/**
 * struct sluice_mapping - the buffer mapped for one device in one direction
 * @dev: the device
 * @dir: direction
 * @mask: DMA mask of the device at the time of the mapping.  If the device has another mask,
 *	segment size or boundary now, for example from another driver, a new mapping is made
 * @max_segment: largest segment of the device in bytes, at the time of the mapping
 * @boundary: segment boundary mask of the device, at the time of the mapping
 * @sgt: the mapped table; importers get copies
 * @shared: not mapped by the DMA API: see sluice_buffer_map_shared()
 * @busy: number of views that importers use.  The caches are synced only if it is not 0
 * @link: in buffer->mappings
 */
struct sluice_mapping {
	struct device *dev;
	enum dma_data_direction dir;
	u64 mask;
	unsigned int max_segment;
	unsigned long boundary;
	struct sg_table sgt;
	bool shared;
	unsigned int busy;
	struct list_head link;
};

/**
 * struct sluice_view - a copy of a mapping's table for one importer
 * @sgt: the copy
 * @mapping: the mapping
 * @busy: the importer uses it: it has mapped the buffer, and not unmapped it yet
 * @link: in attachment->views
 */
struct sluice_view {
	struct sg_table sgt;
	struct sluice_mapping *mapping;
	bool busy;
	struct list_head link;
};

/**
 * struct sluice_attachment - an importer that has mapped the buffer
 * @dev: device of the importer, which keeps it until it detaches
 * @views: struct sluice_view
 * @link: in buffer->attachments
 */
struct sluice_attachment {
	struct device *dev;
	struct list_head views;
	struct list_head link;
};

/*
 * Find our struct of an attachment.  The first map call creates it, because many importers attach
 * and never map.
 */
static struct sluice_attachment *sluice_attachment_find(struct sluice_buffer *buffer,
							struct dma_buf_attachment *attach)
{
	struct sluice_attachment *attachment = attach->priv;

	lockdep_assert_held(&buffer->lock);
	if (attachment)
		return attachment;
	attachment = kzalloc(sizeof(*attachment), GFP_KERNEL_ACCOUNT);
	if (!attachment)
		return NULL;
	attachment->dev = attach->dev;
	INIT_LIST_HEAD(&attachment->views);
	list_add_tail(&attachment->link, &buffer->attachments);
	attach->priv = attachment;
	return attachment;
}

static void sluice_mapping_destroy(struct sluice_mapping *mapping)
{
	list_del(&mapping->link);
	if (!mapping->shared)
		dma_unmap_sgtable(mapping->dev, &mapping->sgt, mapping->dir,
				  DMA_ATTR_SKIP_CPU_SYNC);
	sg_free_table(&mapping->sgt);
	kfree(mapping);
	sluice_object_dec(SLUICE_OBJECT_MAPPING);
}

/* An importer has detached.  If it was the last of its device, destroy the device's mappings. */
static void sluice_mapping_device_left(struct sluice_buffer *buffer, struct device *dev)
{
	struct sluice_attachment *attachment;
	struct sluice_mapping *mapping, *next;

	lockdep_assert_held(&buffer->lock);
	list_for_each_entry(attachment, &buffer->attachments, link)
		if (attachment->dev == dev)
			return;
	list_for_each_entry_safe(mapping, next, &buffer->mappings, link)
		if (mapping->dev == dev)
			sluice_mapping_destroy(mapping);
}

/**
 * struct sluice_cut - where the next segment of an importer's table begins
 * @sg: piece of the buffer; NULL at the end
 * @offset: bytes from the start of the piece
 * @max: bytes that a segment may have
 * @boundary: no segment may cross a multiple of it, in bytes; a power of two, 0 for no boundary
 */
struct sluice_cut {
	struct scatterlist *sg;
	size_t offset;
	size_t max;
	u64 boundary;
};

/* Length of the next segment, which may join pieces that are adjacent in memory; 0 at the end. */
static size_t sluice_cut_next(struct sluice_cut *cut, phys_addr_t *start)
{
	size_t length = 0;

	if (!cut->sg)
		return 0;
	*start = sg_phys(cut->sg) + cut->offset;
	while (cut->sg && sg_phys(cut->sg) + cut->offset == *start + length) {
		size_t left = cut->sg->length - cut->offset, part;

		part = sluice_dma_segment_length(*start, length + left, cut->max, cut->boundary) -
		       length;
		length += part;
		if (part < left) {
			cut->offset += part;
			break;
		}
		cut->sg = sg_next(cut->sg);
		cut->offset = 0;
	}
	return length;
}

static struct sluice_cut sluice_cut_begin(const struct sluice_buffer *buffer, struct device *dev)
{
	return (struct sluice_cut) {
		.sg = buffer->sgt.sgl,
		.max = sluice_dma_segment_limit(dma_get_max_seg_size(dev)),
		.boundary = (u64)dma_get_seg_boundary(dev) + 1,
	};
}

/* Build a table of the buffer's pages, cut to the segment size and the boundary of the device. */
static int sluice_cut_table(const struct sluice_buffer *buffer, struct device *dev,
			    struct sg_table *sgt)
{
	struct sluice_cut cut = sluice_cut_begin(buffer, dev);
	struct scatterlist *sg;
	unsigned int count = 0;
	phys_addr_t phys;
	size_t length;
	int ret;

	while (sluice_cut_next(&cut, &phys))
		count++;
	ret = sg_alloc_table(sgt, count, GFP_KERNEL_ACCOUNT);
	if (ret)
		return ret;
	cut = sluice_cut_begin(buffer, dev);
	sg = sgt->sgl;
	while ((length = sluice_cut_next(&cut, &phys))) {
		sg_set_page(sg, pfn_to_page(PHYS_PFN(phys)), length, offset_in_page(phys));
		sg = sg_next(sg);
	}
	return 0;
}

/* Find the mapping for a device and a direction, or make it. */
static struct sluice_mapping *sluice_mapping_find(struct sluice_buffer *buffer,
						  struct device *dev,
						  enum dma_data_direction dir)
{
	struct sluice_mapping *mapping;
	int ret;

	lockdep_assert_held(&buffer->lock);
	list_for_each_entry(mapping, &buffer->mappings, link)
		if (mapping->dev == dev && mapping->dir == dir &&
		    mapping->mask == dma_get_mask(dev) &&
		    mapping->max_segment == dma_get_max_seg_size(dev) &&
		    mapping->boundary == dma_get_seg_boundary(dev))
			return mapping;

	mapping = kzalloc(sizeof(*mapping), GFP_KERNEL_ACCOUNT);
	if (!mapping)
		return ERR_PTR(-ENOMEM);
	ret = sluice_cut_table(buffer, dev, &mapping->sgt);
	if (ret)
		goto err_free;
	/* no sync here: the mapping outlives this call, so each sluice_mapping_get() syncs */
	mapping->shared = sluice_buffer_map_shared(buffer, dev, &mapping->sgt);
	if (!mapping->shared)
		ret = dma_map_sgtable(dev, &mapping->sgt, dir, DMA_ATTR_SKIP_CPU_SYNC);
	if (ret)
		goto err_table;
	mapping->dev = dev;
	mapping->dir = dir;
	mapping->mask = dma_get_mask(dev);
	mapping->max_segment = dma_get_max_seg_size(dev);
	mapping->boundary = dma_get_seg_boundary(dev);
	list_add_tail(&mapping->link, &buffer->mappings);
	sluice_object_inc(SLUICE_OBJECT_MAPPING);
	return mapping;

err_table:
	sg_free_table(&mapping->sgt);
err_free:
	kfree(mapping);
	return ERR_PTR(ret);
}

static struct sluice_view *sluice_view_create(struct sluice_attachment *attachment,
					      struct sluice_mapping *mapping)
{
	struct scatterlist *from, *to;
	struct sluice_view *view;
	unsigned int i;

	view = kzalloc(sizeof(*view), GFP_KERNEL_ACCOUNT);
	if (!view)
		return NULL;
	if (sg_alloc_table(&view->sgt, mapping->sgt.orig_nents, GFP_KERNEL_ACCOUNT))
		goto err_free;
	to = view->sgt.sgl;
	for_each_sgtable_sg(&mapping->sgt, from, i) {
		sg_set_page(to, sg_page(from), from->length, from->offset);
		sg_dma_address(to) = sg_dma_address(from);
		sg_dma_len(to) = sg_dma_len(from);
		to = sg_next(to);
	}
	view->sgt.nents = mapping->sgt.nents;
	view->mapping = mapping;
	list_add_tail(&view->link, &attachment->views);
	return view;

err_free:
	kfree(view);
	return NULL;
}

/* Find an unused view of the importer in this direction, or make one. */
static struct sluice_view *sluice_view_find(struct sluice_buffer *buffer,
					    struct sluice_attachment *attachment,
					    enum dma_data_direction dir)
{
	struct sluice_mapping *mapping;
	struct sluice_view *view;

	lockdep_assert_held(&buffer->lock);
	list_for_each_entry(view, &attachment->views, link)
		if (!view->busy && view->mapping->dir == dir)
			return view;
	mapping = sluice_mapping_find(buffer, attachment->dev, dir);
	if (IS_ERR(mapping))
		return ERR_CAST(mapping);
	return sluice_view_create(attachment, mapping) ?: ERR_PTR(-ENOMEM);
}

/* Shared memory needs no sync: it is coherent memory of the DMA API, and is not bounced. */
static void sluice_mapping_sync(struct sluice_mapping *mapping, bool for_cpu)
{
	if (mapping->shared)
		return;
	if (for_cpu)
		dma_sync_sgtable_for_cpu(mapping->dev, &mapping->sgt, mapping->dir);
	else
		dma_sync_sgtable_for_device(mapping->dev, &mapping->sgt, mapping->dir);
}

/**
 * sluice_mapping_detach - an importer detaches
 * @buffer: the buffer
 * @attach: the importer's attachment
 *
 * If the importer was the last of its device, the device's mappings end.
 *
 * Context: may sleep; takes buffer->lock.
 */
void sluice_mapping_detach(struct sluice_buffer *buffer, struct dma_buf_attachment *attach)
{
	struct sluice_attachment *attachment = attach->priv;
	struct sluice_view *view, *next;

	if (!attachment)
		return;
	mutex_lock(&buffer->lock);
	list_for_each_entry_safe(view, next, &attachment->views, link) {
		if (WARN_ON(view->busy))	/* the importer has not unmapped it */
			view->mapping->busy--;
		sg_free_table(&view->sgt);
		kfree(view);
	}
	list_del(&attachment->link);
	sluice_mapping_device_left(buffer, attachment->dev);
	mutex_unlock(&buffer->lock);
	kfree(attachment);
}

/**
 * sluice_mapping_get - map a buffer for an importer
 * @buffer: the buffer
 * @attach: the importer's attachment
 * @dir: direction
 *
 * Syncs the caches, so that the device may access the memory.
 *
 * Context: may sleep; takes buffer->lock.
 * Return: a table of the importer's own, or an ERR_PTR: -ENOMEM, or what the DMA API returned.
 */
struct sg_table *sluice_mapping_get(struct sluice_buffer *buffer,
				    struct dma_buf_attachment *attach, enum dma_data_direction dir)
{
	struct sluice_attachment *attachment;
	struct sluice_view *view;

	mutex_lock(&buffer->lock);
	attachment = sluice_attachment_find(buffer, attach);
	view = attachment ? sluice_view_find(buffer, attachment, dir) : ERR_PTR(-ENOMEM);
	if (!IS_ERR(view)) {
		sluice_mapping_sync(view->mapping, false);
		view->mapping->busy++;
		view->busy = true;
		trace_sluice_map(buffer, attach->dev, dir, &view->sgt);
	}
	mutex_unlock(&buffer->lock);
	return IS_ERR(view) ? ERR_CAST(view) : &view->sgt;
}

/**
 * sluice_mapping_put - an importer unmaps a buffer
 * @attach: the importer's attachment
 * @sgt: table from sluice_mapping_get()
 * @dir: direction of the mapping
 *
 * The mapping stays until the last importer of the device detaches.
 *
 * Context: may sleep; takes buffer->lock.
 */
void sluice_mapping_put(struct dma_buf_attachment *attach, struct sg_table *sgt,
			enum dma_data_direction dir)
{
	struct sluice_view *view = container_of(sgt, struct sluice_view, sgt);
	struct sluice_attachment *attachment = attach->priv;
	struct sluice_buffer *buffer = attach->dmabuf->priv;

	mutex_lock(&buffer->lock);
	trace_sluice_unmap(buffer, attachment->dev, dir, sgt);
	/*
	 * Sync for the CPU only when the last view of the mapping is unmapped.  Until then a
	 * software engine may have data in the caches, which the sync would drop.
	 */
	if (!--view->mapping->busy)
		sluice_mapping_sync(view->mapping, true);
	view->busy = false;
	mutex_unlock(&buffer->lock);
}

/**
 * sluice_mapping_sync_all - pass a range between the CPU and every device that has it mapped
 * @buffer: the buffer
 * @offset: bytes from the start of the buffer
 * @length: bytes; the range is inside the buffer
 * @for_cpu: true before the CPU uses the range, false before the devices do
 *
 * The direction of the cache maintenance is the direction of each mapping, as the DMA API requires.
 * Coherent memory needs it, too: it is coherent only for the device for which it was allocated, and
 * the device of an importer may not snoop the caches.
 *
 * Context: may sleep; takes buffer->lock.
 */
void sluice_mapping_sync_all(struct sluice_buffer *buffer, u64 offset, u64 length, bool for_cpu)
{
	bool whole = !offset && length == buffer->size;
	struct sluice_mapping *mapping;

	mutex_lock(&buffer->lock);
	list_for_each_entry(mapping, &buffer->mappings, link) {
		if (!mapping->busy || mapping->shared || !sluice_compat_need_sync(mapping->dev))
			continue;
		/* an IOMMU may join scattered pieces in one segment: then sync all of it */
		if (!whole && !sluice_dma_translated(mapping->dev))
			sluice_dma_sync_range(mapping->dev, &mapping->sgt, mapping->dir, offset,
					      length, for_cpu);
		else
			sluice_mapping_sync(mapping, for_cpu);
	}
	mutex_unlock(&buffer->lock);
}

#ifdef SLUICE_KUNIT
#include "selftests/kunit/mapping.c"
#endif
