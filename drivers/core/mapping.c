// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mappings of buffers for importers: see mapping.h.
 */
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/list.h>
#include <linux/log2.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include "buffer.h"
#include "compat/dma-buf.h"
#include "compat/dma.h"
#include "dma.h"
#include "mapping.h"
#include "object.h"
#include "trace.h"

/**
 * struct sluice_view - a table of a mapping for one importer
 * @sgt: the table
 * @mapping: the mapping
 * @busy: the importer uses it: it has mapped the buffer, and not unmapped it yet
 * @link: in attachment->views; empty while no importer has the first view of a mapping
 */
struct sluice_view {
	struct sg_table sgt;
	struct sluice_mapping *mapping;
	bool busy;
	struct list_head link;
};

/**
 * struct sluice_mapping - the buffer mapped for one device in one direction
 * @dev: the device
 * @dir: direction
 * @mask: DMA mask of the device at the time of the mapping.  If the device has another mask,
 *	segment size or boundary now, for example from another driver, a new mapping is made
 * @max_segment: largest segment of the device in bytes, at the time of the mapping
 * @boundary: segment boundary mask of the device, at the time of the mapping
 * @first: the first view.  Its table is the one that the DMA API has mapped.  All other views have
 *	copies of it
 * @shared: not mapped by the DMA API: see sluice_buffer_map_shared()
 * @runs: the DMA API has mapped runs of memory instead of segments: see sluice_mapping_map_runs()
 * @busy: number of views that importers use.  The caches are synced only if it is not 0
 * @synced: the mapping is busy, and counts in buffer->synced
 * @link: in buffer->mappings
 */
struct sluice_mapping {
	struct device *dev;
	enum dma_data_direction dir;
	u64 mask;
	unsigned int max_segment;
	unsigned long boundary;
	struct sluice_view first;
	bool shared;
	bool runs;
	unsigned int busy;
	bool synced;
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

/**
 * struct sluice_cut - memory of a buffer that is cut into segments
 * @piece: the piece of the buffer that follows the run
 * @end: behind the last piece
 * @start: physical address of the run: pieces that are adjacent in memory
 * @length: bytes of the run; 0 at the end
 * @max: bytes that a segment may have
 * @boundary: no segment may cross a multiple of it, in bytes; a power of two, 0 for no boundary
 */
struct sluice_cut {
	const struct sluice_piece *piece;
	const struct sluice_piece *end;
	phys_addr_t start;
	u64 length;
	size_t max;
	u64 boundary;
};

/* Go to the next run.  Returns false at the end. */
static bool sluice_cut_run(struct sluice_cut *cut)
{
	cut->length = 0;
	if (cut->piece == cut->end)
		return false;
	cut->start = sluice_piece_start(cut->piece);
	do {
		cut->length += sluice_piece_length(cut->piece);
		cut->piece++;
	} while (cut->piece != cut->end &&
		 sluice_piece_start(cut->piece) == cut->start + cut->length);
	return true;
}

/* Number of segments of a run. */
static unsigned int sluice_cut_count(const struct sluice_cut *cut)
{
	u64 window, first, rest;

	if (sluice_dma_segment_length(cut->start, cut->length, cut->max, cut->boundary) ==
	    cut->length)
		return 1;
	if (!cut->boundary)
		return DIV_ROUND_UP_ULL(cut->length, cut->max);
	/* a boundary divides the run into windows; each of them begins with a new segment */
	window = cut->boundary;
	first = min(cut->length, window - (cut->start & (window - 1)));
	rest = cut->length - first;
	return DIV_ROUND_UP_ULL(first, cut->max) +
	       (rest >> ilog2(window)) * DIV_ROUND_UP_ULL(window, cut->max) +
	       DIV_ROUND_UP_ULL(rest & (window - 1), cut->max);
}

/* Write the segments of a run.  Returns the entry behind them. */
static struct scatterlist *sluice_cut_fill(const struct sluice_cut *cut, struct scatterlist *to)
{
	phys_addr_t start = cut->start;
	u64 left = cut->length;

	while (left) {
		size_t length = sluice_dma_segment_length(start, left, cut->max, cut->boundary);

		sg_set_page(to, pfn_to_page(PHYS_PFN(start)), length, offset_in_page(start));
		start += length;
		left -= length;
		to = sg_next(to);
	}
	return to;
}

static struct sluice_cut sluice_cut_begin(const struct sluice_buffer *buffer, struct device *dev)
{
	return (struct sluice_cut) {
		.piece = buffer->pieces,
		.end = buffer->pieces + buffer->num_pieces,
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
	int ret;

	while (sluice_cut_run(&cut))
		count += sluice_cut_count(&cut);
	ret = sg_alloc_table(sgt, count, GFP_KERNEL_ACCOUNT);
	if (ret)
		return ret;
	cut = sluice_cut_begin(buffer, dev);
	sg = sgt->sgl;
	while (sluice_cut_run(&cut))
		sg = sluice_cut_fill(&cut, sg);
	return 0;
}

/* Skip the segments of a run in a table. */
static struct scatterlist *sluice_cut_skip(const struct sluice_cut *cut, struct scatterlist *sg)
{
	u64 left;

	for (left = cut->length; left; sg = sg_next(sg))
		left -= sg->length;
	return sg;
}

/* Unmap the runs in front of segment @end; NULL: all. */
static void sluice_mapping_unmap_runs(const struct sluice_buffer *buffer,
				      struct sluice_mapping *mapping, struct scatterlist *end)
{
	struct sluice_cut cut = sluice_cut_begin(buffer, mapping->dev);
	struct scatterlist *sg = mapping->first.sgt.sgl;

	while (sg != end && sluice_cut_run(&cut)) {
		dma_unmap_page_attrs(mapping->dev, sg_dma_address(sg), cut.length, mapping->dir,
				     DMA_ATTR_SKIP_CPU_SYNC);
		sg = sluice_cut_skip(&cut, sg);
	}
}

/*
 * Map each run at once, and derive the bus addresses of its segments.  The DMA API would need 170
 * instructions for each segment.  Without an IOMMU that translates, memory that is adjacent for the
 * CPU is adjacent for the device.
 *
 * This is only for devices that need no sync.  A sync of a segment inside a run would be right, but
 * dma-debug finds a mapping only if its start is less than a segment away.
 */
static int sluice_mapping_map_runs(const struct sluice_buffer *buffer,
				   struct sluice_mapping *mapping)
{
	struct sluice_cut cut = sluice_cut_begin(buffer, mapping->dev);
	struct scatterlist *sg = mapping->first.sgt.sgl;

	while (sluice_cut_run(&cut)) {
		struct page *page = pfn_to_page(PHYS_PFN(cut.start));
		dma_addr_t address = dma_map_page_attrs(mapping->dev, page, 0, cut.length,
							mapping->dir, DMA_ATTR_SKIP_CPU_SYNC);
		u64 left;

		if (dma_mapping_error(mapping->dev, address)) {
			sluice_mapping_unmap_runs(buffer, mapping, sg);
			return -EIO;
		}
		for (left = cut.length; left; sg = sg_next(sg)) {
			sg_dma_address(sg) = address;
			sg_dma_len(sg) = sg->length;
			address += sg->length;
			left -= sg->length;
		}
	}
	return 0;
}

/* Map the table.  There is no sync here: the mapping outlives this call, so each use syncs. */
static int sluice_mapping_map(const struct sluice_buffer *buffer, struct sluice_mapping *mapping)
{
	struct sg_table *sgt = &mapping->first.sgt;
	struct device *dev = mapping->dev;

	mapping->shared = sluice_buffer_map_shared(buffer, dev, sgt);
	if (mapping->shared)
		return 0;
	mapping->runs = !sluice_compat_need_sync(dev) && !sluice_dma_translated(dev) &&
			buffer->size <= dma_max_mapping_size(dev);
	if (mapping->runs)
		return sluice_mapping_map_runs(buffer, mapping);
	return dma_map_sgtable(dev, sgt, mapping->dir, DMA_ATTR_SKIP_CPU_SYNC);
}

static void sluice_mapping_unmap(const struct sluice_buffer *buffer,
				 struct sluice_mapping *mapping)
{
	if (mapping->shared || !sluice_compat_need_unmap(mapping->dev))
		return;
	if (mapping->runs)
		sluice_mapping_unmap_runs(buffer, mapping, NULL);
	else
		dma_unmap_sgtable(mapping->dev, &mapping->first.sgt, mapping->dir,
				  DMA_ATTR_SKIP_CPU_SYNC);
}

static void sluice_mapping_destroy(const struct sluice_buffer *buffer,
				   struct sluice_mapping *mapping)
{
	list_del(&mapping->link);
	sluice_mapping_unmap(buffer, mapping);
	sg_free_table(&mapping->first.sgt);
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
			sluice_mapping_destroy(buffer, mapping);
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
	ret = sluice_cut_table(buffer, dev, &mapping->first.sgt);
	if (ret)
		goto err_free;
	mapping->dev = dev;
	mapping->dir = dir;
	ret = sluice_mapping_map(buffer, mapping);
	if (ret)
		goto err_table;
	mapping->first.mapping = mapping;
	INIT_LIST_HEAD(&mapping->first.link);
	mapping->mask = dma_get_mask(dev);
	mapping->max_segment = dma_get_max_seg_size(dev);
	mapping->boundary = dma_get_seg_boundary(dev);
	list_add_tail(&mapping->link, &buffer->mappings);
	sluice_object_inc(SLUICE_OBJECT_MAPPING);
	return mapping;

err_table:
	sg_free_table(&mapping->first.sgt);
err_free:
	kfree(mapping);
	return ERR_PTR(ret);
}

/* Make a copy of the table that the DMA API has mapped. */
static struct sluice_view *sluice_view_copy(struct sluice_mapping *mapping)
{
	const struct sg_table *sgt = &mapping->first.sgt;
	struct scatterlist *from, *to;
	struct sluice_view *view;
	unsigned int i;

	view = kzalloc(sizeof(*view), GFP_KERNEL_ACCOUNT);
	if (!view)
		return NULL;
	if (sg_alloc_table(&view->sgt, sgt->orig_nents, GFP_KERNEL_ACCOUNT))
		goto err_free;
	to = view->sgt.sgl;
	for_each_sgtable_sg(sgt, from, i) {
		sg_set_page(to, sg_page(from), from->length, from->offset);
		sg_dma_address(to) = sg_dma_address(from);
		sg_dma_len(to) = sg_dma_len(from);
		to = sg_next(to);
	}
	view->sgt.nents = sgt->nents;
	view->mapping = mapping;
	return view;

err_free:
	kfree(view);
	return NULL;
}

/* The importer detaches: the first view stays with its mapping, a copy is freed. */
static void sluice_view_leave(struct sluice_view *view)
{
	list_del_init(&view->link);
	if (view == &view->mapping->first)
		return;
	sg_free_table(&view->sgt);
	kfree(view);
}

/* Find an unused view of the importer in this direction, or give it one. */
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
	view = &mapping->first;
	if (SLUICE_COMPAT_TABLES_CHANGE || !list_empty(&view->link))
		view = sluice_view_copy(mapping);
	if (!view)
		return ERR_PTR(-ENOMEM);
	list_add_tail(&view->link, &attachment->views);
	return view;
}

static void sluice_mapping_sync(struct sluice_mapping *mapping, bool for_cpu)
{
	if (for_cpu)
		dma_sync_sgtable_for_cpu(mapping->dev, &mapping->first.sgt, mapping->dir);
	else
		dma_sync_sgtable_for_device(mapping->dev, &mapping->first.sgt, mapping->dir);
}

/*
 * An importer begins to use a view.
 *
 * The order of the counter and the sync matters, because sluice_mapping_synced() reads the
 * counter without a lock.  The barrier below and the one there form a pair.  Either the CPU that
 * ends its access sees the counter and syncs.  Or its writes were complete before the counter
 * changed, and the sync below writes them back: a sync for a device is for the caches of all CPUs.
 */
static void sluice_mapping_use(struct sluice_buffer *buffer, struct sluice_mapping *mapping)
{
	lockdep_assert_held(&buffer->lock);
	if (!mapping->busy++) {
		/*
		 * Shared memory needs no sync: it is coherent memory of the DMA API, and is not
		 * bounced.  The answer for a device changes only when memory is bounced for it,
		 * and this has been decided for the memory of a mapping when it was mapped.
		 */
		mapping->synced = !mapping->shared && sluice_compat_need_sync(mapping->dev);
		if (mapping->synced)
			WRITE_ONCE(buffer->synced, buffer->synced + 1);
	}
	if (!mapping->synced)
		return;
	smp_mb();	/* the counter before the sync: see above */
	sluice_mapping_sync(mapping, false);
}

/*
 * An importer stops using a view.
 *
 * Sync for the CPU only when the last view of the mapping is unmapped.  Until then a software
 * engine may have data in the caches, which the sync would drop.
 */
static void sluice_mapping_leave(struct sluice_buffer *buffer, struct sluice_mapping *mapping)
{
	lockdep_assert_held(&buffer->lock);
	if (--mapping->busy || !mapping->synced)
		return;
	sluice_mapping_sync(mapping, true);
	mapping->synced = false;
	/* a CPU that sees the counter without this mapping also sees memory after the sync */
	smp_store_release(&buffer->synced, buffer->synced - 1);
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
			sluice_mapping_leave(buffer, view->mapping);
		view->busy = false;
		sluice_view_leave(view);
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
 * Return: a table that no other importer gets meanwhile, or an ERR_PTR: -ENOMEM, or what the DMA
 * API returned.
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
		sluice_mapping_use(buffer, view->mapping);
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
	sluice_mapping_leave(buffer, view->mapping);
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
 * Context: may sleep; may take buffer->lock.
 */
void sluice_mapping_sync_all(struct sluice_buffer *buffer, u64 offset, u64 length, bool for_cpu)
{
	bool whole = !offset && length == buffer->size;
	struct sluice_mapping *mapping;

	if (!sluice_mapping_synced(buffer, for_cpu))
		return;
	mutex_lock(&buffer->lock);
	list_for_each_entry(mapping, &buffer->mappings, link) {
		if (!mapping->synced)
			continue;
		/* an IOMMU may join scattered pieces in one segment: then sync all of it */
		if (!whole && !sluice_dma_translated(mapping->dev))
			sluice_dma_sync_range(mapping->dev, &mapping->first.sgt, mapping->dir,
					      offset, length, for_cpu);
		else
			sluice_mapping_sync(mapping, for_cpu);
	}
	mutex_unlock(&buffer->lock);
}

#ifdef SLUICE_KUNIT
#include "selftests/kunit/mapping.c"
#endif
