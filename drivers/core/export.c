// SPDX-License-Identifier: GPL-2.0-only
/*
 * Our dma-bufs: the dma_buf_ops of a buffer, called by the dma-buf core.  heap_bar.c has its own
 * ops for memory of a device, and shares the ops for CPU access, mmap and release with this file.
 *
 * A buffer is mapped once for each device and direction, however many importers of the device
 * attach.  The mapping stays until the last of these importers detaches, so another map call costs
 * little more than a cache sync.  Each map call returns a table of its own, a *view*, because the
 * dma-buf core of some kernels changes the tables that it passes on.  An attachment keeps its
 * views for later map calls.
 *
 * The begin_cpu_access op waits for the fences of the buffer before it syncs the caches.  The
 * dma-buf core waits only after this op, so the sync alone would be too early.
 *
 * buffer->lock guards all lists.  It nests inside the dma_resv, which the dma-buf core of newer
 * kernels holds for map and unmap.
 */
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/log2.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "core.h"
#include "trace.h"

/*
 * The longest time that a job may wait for its in-fences and then run: 60 s.  A job behind other
 * jobs may end later; the caller then gets -ETIME, and may try again.
 */
#define SLUICE_CPU_ACCESS_TIMEOUT \
	msecs_to_jiffies(SLUICE_FENCE_TIMEOUT_MS + SLUICE_MAX_TIMEOUT_MS)

/**
 * struct sluice_mapping - the buffer mapped for one device in one direction
 * @dev: the device
 * @dir: direction
 * @mask: DMA mask of the device when it was mapped.  A later driver of the device may set another
 *	mask, or change the next two fields; the mapping is not used then
 * @max_segment: largest segment of the device in bytes, when it was mapped
 * @boundary: segment boundary mask of the device, when it was mapped
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

static int sluice_dmabuf_attach(struct dma_buf *dmabuf, struct dma_buf_attachment *attach)
{
	struct sluice_buffer *buffer = dmabuf->priv;

	/* a device without a DMA mask cannot do DMA, but its driver may use CPU mappings */
	if (attach->dev->dma_mask && !sluice_buffer_reached(buffer, attach->dev)) {
		dev_dbg(attach->dev, "cannot address memory up to %pa of a buffer of %s\n",
			&buffer->end, buffer->sdev->name);
		return -EADDRNOTAVAIL;
	}
	return 0;
}

/* Created by the first map call, because many importers attach and never map. */
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
static void sluice_device_left(struct sluice_buffer *buffer, struct device *dev)
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

static void sluice_dmabuf_detach(struct dma_buf *dmabuf, struct dma_buf_attachment *attach)
{
	struct sluice_attachment *attachment = attach->priv;
	struct sluice_buffer *buffer = dmabuf->priv;
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
	sluice_device_left(buffer, attachment->dev);
	mutex_unlock(&buffer->lock);
	kfree(attachment);
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
static int sluice_cut_segments(const struct sluice_buffer *buffer, struct device *dev,
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
	ret = sluice_cut_segments(buffer, dev, &mapping->sgt);
	if (ret)
		goto err_free;
	/* several devices may have the same memory, so map without a sync, and sync explicitly */
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
	if (sg_alloc_table(&view->sgt, mapping->sgt.orig_nents, GFP_KERNEL_ACCOUNT)) {
		kfree(view);
		return NULL;
	}
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

/**
 * sluice_dmabuf_writes - does an importer map a read-only buffer for writing alone?
 * @attach: the attachment of the importer
 * @dir: direction of its mapping
 *
 * A mapping in both directions is allowed, because many importers always map in this way.  The
 * access mode of the dma-buf's file does not matter: dma-heap programs may leave it at 0, which is
 * O_RDONLY.
 *
 * Context: any.
 * Return: true if the mapping must be refused.
 */
bool sluice_dmabuf_writes(const struct dma_buf_attachment *attach, enum dma_data_direction dir)
{
	const struct sluice_buffer *buffer = attach->dmabuf->priv;

	return dir == DMA_FROM_DEVICE && buffer->readonly;
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

static struct sg_table *sluice_dmabuf_map(struct dma_buf_attachment *attach,
					  enum dma_data_direction dir)
{
	struct sluice_buffer *buffer = attach->dmabuf->priv;
	struct sluice_attachment *attachment;
	struct device *dev = attach->dev;
	struct sluice_view *view;

	if (!dev->dma_mask || !*dev->dma_mask)
		return ERR_PTR(-EADDRNOTAVAIL);
	if (sluice_dmabuf_writes(attach, dir))
		return ERR_PTR(-EACCES);

	mutex_lock(&buffer->lock);
	attachment = sluice_attachment_find(buffer, attach);
	view = attachment ? sluice_view_find(buffer, attachment, dir) : ERR_PTR(-ENOMEM);
	if (!IS_ERR(view)) {
		sluice_mapping_sync(view->mapping, false);
		view->mapping->busy++;
		view->busy = true;
		trace_sluice_map(buffer, dev, dir, &view->sgt);
	}
	mutex_unlock(&buffer->lock);
	return IS_ERR(view) ? ERR_CAST(view) : &view->sgt;
}

static void sluice_dmabuf_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
				enum dma_data_direction dir)
{
	struct sluice_view *view = container_of(sgt, struct sluice_view, sgt);
	struct sluice_attachment *attachment = attach->priv;
	struct sluice_buffer *buffer = attach->dmabuf->priv;

	mutex_lock(&buffer->lock);
	trace_sluice_unmap(buffer, attachment->dev, dir, sgt);
	/*
	 * Sync for the CPU only after the last view of the mapping.  Until then the caches
	 * may have writes of a software engine, which this sync would drop.
	 */
	if (!--view->mapping->busy)
		sluice_mapping_sync(view->mapping, true);
	view->busy = false;
	mutex_unlock(&buffer->lock);
}

/*
 * Pass a range between the CPU and every device that has it mapped, in the direction of each
 * mapping, as the DMA API requires.  This is done for all heaps: coherent memory is coherent only
 * for the device for which it was allocated, and an importer may not snoop the caches.
 */
static void sluice_sync_all(struct sluice_buffer *buffer, u64 offset, u64 length, bool for_cpu)
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

/**
 * sluice_buffer_begin_cpu - the CPU is about to use a range of a buffer
 * @buffer: the buffer
 * @dmabuf: its dma-buf
 * @write: true if the CPU also writes, false if it only reads
 * @offset: bytes from the start of the buffer
 * @length: bytes; the range is inside the buffer
 *
 * Waits for the fences of the whole buffer, because a fence has no range.
 *
 * Context: may sleep, for SLUICE_CPU_ACCESS_TIMEOUT and during a reset of the device.
 * Return: 0, or:
 *
 *	-ETIME		the fences did not signal in SLUICE_CPU_ACCESS_TIMEOUT
 *	-ERESTARTSYS	a signal arrived
 *	-EINTR		memory of a device: the task was killed during a reset
 *	-ENODEV		memory of a device: the device has been removed
 */
int sluice_buffer_begin_cpu(struct sluice_buffer *buffer, struct dma_buf *dmabuf, bool write,
			    u64 offset, u64 length)
{
	void *vaddr;
	long left;

	left = dma_resv_wait_timeout(dmabuf->resv, dma_resv_usage_rw(write), true,
				     SLUICE_CPU_ACCESS_TIMEOUT);
	if (left < 0)
		return left;
	if (!left)
		return -ETIME;
	if (buffer->heap->cpu_access) {
		int ret = buffer->heap->cpu_access(buffer, true);

		if (ret)
			return ret;
	}
	trace_sluice_sync(buffer, offset, length, true);
	sluice_sync_all(buffer, offset, length, true);
	vaddr = READ_ONCE(buffer->vaddr);
	if (is_vmalloc_addr(vaddr))
		invalidate_kernel_vmap_range(vaddr + offset, length);
	return 0;
}

/**
 * sluice_buffer_end_cpu - the CPU has used a range of a buffer
 * @buffer: the buffer
 * @offset: bytes from the start of the buffer
 * @length: bytes; the range is inside the buffer
 *
 * Context: may sleep.
 * Return: 0, or -EINTR or -ENODEV: see sluice_buffer_begin_cpu().
 */
int sluice_buffer_end_cpu(struct sluice_buffer *buffer, u64 offset, u64 length)
{
	void *vaddr = READ_ONCE(buffer->vaddr);

	trace_sluice_sync(buffer, offset, length, false);
	if (is_vmalloc_addr(vaddr))
		flush_kernel_vmap_range(vaddr + offset, length);
	if (buffer->properties & SLUICE_MEM_WRITE_COMBINED)
		wmb();	/* empty the write buffers; pairs with the DMA of devices */
	sluice_sync_all(buffer, offset, length, false);
	return buffer->heap->cpu_access ? buffer->heap->cpu_access(buffer, false) : 0;
}

int sluice_dmabuf_begin_cpu_access(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	struct sluice_buffer *buffer = dmabuf->priv;

	return sluice_buffer_begin_cpu(buffer, dmabuf,
				       dir == DMA_BIDIRECTIONAL || dir == DMA_TO_DEVICE,
				       0, buffer->size);
}

int sluice_dmabuf_end_cpu_access(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	struct sluice_buffer *buffer = dmabuf->priv;

	return sluice_buffer_end_cpu(buffer, 0, buffer->size);
}

int sluice_dmabuf_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma)
{
	struct sluice_buffer *buffer = dmabuf->priv;

	/* private: only cached memory, because copies on write are cached */
	if (!(vma->vm_flags & (VM_SHARED | VM_MAYSHARE)) &&
	    (!buffer->heap->maps_private || !(buffer->properties & SLUICE_MEM_CACHED)))
		return -EINVAL;
	/* mmap() of an importer's file uses dma_buf_mmap(), which does not check our file's mode */
	if (buffer->readonly && vma->vm_flags & VM_SHARED) {
		if (vma->vm_flags & VM_WRITE)
			return -EACCES;
		vm_flags_clear(vma, VM_MAYWRITE);
	}
	vm_flags_set(vma, VM_DONTEXPAND | VM_DONTDUMP);
	return buffer->heap->mmap(buffer, vma);
}

static int sluice_dmabuf_vmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	struct sluice_buffer *buffer = dmabuf->priv;
	int ret = 0;

	if (!buffer->vaddr)
		ret = buffer->heap->vmap(buffer);
	if (!ret)
		iosys_map_set_vaddr(map, buffer->vaddr);
	return ret;
}

void sluice_dmabuf_release(struct dma_buf *dmabuf)
{
	trace_sluice_free(dmabuf->priv);
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
 * @buffer: from sluice_buffer_create() or sluice_wrap_create(); belongs to the dma-buf on success
 * @access: O_RDONLY, O_WRONLY or O_RDWR: access mode of the dma-buf's file
 *
 * Context: may sleep.
 * Return: the dma-buf with one reference, or an ERR_PTR.
 */
struct dma_buf *sluice_buffer_export(struct sluice_buffer *buffer, int access)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct dma_buf *dmabuf;

	/* the name of the dma-heap node: fdinfo and debugfs then show where the memory is from */
	snprintf(buffer->exporter, sizeof(buffer->exporter), "sluice-%s-%s", buffer->sdev->name,
		 buffer->heap->name);
	info.exp_name = buffer->exporter;
	info.ops = buffer->heap->dmabuf_ops ?: &sluice_dmabuf_ops;
	info.size = buffer->size;
	info.flags = access;
	info.priv = buffer;
	dmabuf = dma_buf_export(&info);
	if (IS_ERR(dmabuf))
		return dmabuf;
	WRITE_ONCE(buffer->inode, file_inode(dmabuf->file)->i_ino);
	/* pairs with smp_load_acquire() in sluice_debugfs_show_name(): the dma-buf is complete */
	smp_store_release(&buffer->shown, dmabuf);
	if (buffer->heap->exported)
		buffer->heap->exported(buffer, dmabuf);
	trace_sluice_alloc(buffer);
	return dmabuf;
}

/**
 * sluice_buffer_from_dmabuf - the buffer behind a dma-buf
 * @dmabuf: any dma-buf
 *
 * Context: any.
 * Return: the buffer, valid as long as the dma-buf; NULL for a dma-buf of another exporter.
 */
struct sluice_buffer *sluice_buffer_from_dmabuf(struct dma_buf *dmabuf)
{
	return dmabuf->ops->release == sluice_dmabuf_release ? dmabuf->priv : NULL;
}

#ifdef SLUICE_KUNIT
#include "selftests/kunit/export.c"
#endif
