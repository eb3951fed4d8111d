// SPDX-License-Identifier: GPL-2.0-only
/*
 * Our dma-bufs: see export.h.
 */
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/iosys-map.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/module.h>

#include "buffer.h"
#include "compat/mm.h"
#include "device.h"
#include "export.h"
#include "fence.h"
#include "heap.h"
#include "mapping.h"
#include "trace.h"

/*
 * How long begin_cpu_access waits for the fences of a buffer: 60 s.  This is the longest wait of a
 * job for its in-fences plus the longest timeout of a job.  A job that waits behind other jobs may
 * end later.  The caller then gets -ETIME, and may try again.
 */
#define SLUICE_DMABUF_CPU_TIMEOUT \
	msecs_to_jiffies(SLUICE_FENCE_TIMEOUT_MS + SLUICE_MAX_TIMEOUT_MS)

static int sluice_dmabuf_attach(struct dma_buf *dmabuf, struct dma_buf_attachment *attach)
{
	struct sluice_buffer *buffer = dmabuf->priv;

	/* accept a device without a DMA mask: its driver may use CPU mappings */
	if (attach->dev->dma_mask && !sluice_buffer_reached(buffer, attach->dev)) {
		dev_dbg(attach->dev, "cannot address memory up to %pa of a buffer of %s\n",
			&buffer->end, buffer->sdev->name);
		return -EADDRNOTAVAIL;
	}
	return 0;
}

/**
 * sluice_dmabuf_writes - does an importer map a read-only buffer only for writing?
 * @attach: the attachment of the importer
 * @dir: direction of its mapping
 *
 * A mapping in both directions is allowed, because many importers always map in both directions.
 * The access mode of the dma-buf's file is not checked.  Programs for dma-heaps may leave this mode
 * at 0, which is O_RDONLY, although they write.
 *
 * Context: any.
 * Return: true if the mapping must be refused.
 */
bool sluice_dmabuf_writes(const struct dma_buf_attachment *attach, enum dma_data_direction dir)
{
	const struct sluice_buffer *buffer = attach->dmabuf->priv;

	return dir == DMA_FROM_DEVICE && buffer->readonly;
}

static void sluice_dmabuf_detach(struct dma_buf *dmabuf, struct dma_buf_attachment *attach)
{
	if (attach->priv)	/* many importers never map */
		sluice_mapping_detach(dmabuf->priv, attach);
}

static struct sg_table *sluice_dmabuf_map(struct dma_buf_attachment *attach,
					  enum dma_data_direction dir)
{
	struct device *dev = attach->dev;

	if (!dev->dma_mask || !*dev->dma_mask)
		return ERR_PTR(-EADDRNOTAVAIL);
	if (sluice_dmabuf_writes(attach, dir))
		return ERR_PTR(-EACCES);
	return sluice_mapping_get(attach->dmabuf->priv, attach, dir);
}

/*
 * Has the dma-buf ever had a fence?  A fence that comes at the same time is not missed: the
 * dma-buf core waits for all fences after the begin_cpu_access op.
 */
static inline bool sluice_dmabuf_has_fences(const struct dma_buf *dmabuf)
{
	return rcu_access_pointer(dmabuf->resv->fences);
}

/* Wait for the fences, and pass a range to the CPU. */
static int sluice_dmabuf_begin_busy(struct sluice_buffer *buffer, struct dma_buf *dmabuf,
				    bool write, u64 offset, u64 length)
{
	void *vaddr;

	if (sluice_dmabuf_has_fences(dmabuf)) {
		long left = dma_resv_wait_timeout(dmabuf->resv, dma_resv_usage_rw(write), true,
						  SLUICE_DMABUF_CPU_TIMEOUT);

		if (left <= 0)
			return left ?: -ETIME;
	}
	if (buffer->heap->cpu_access) {
		int ret = buffer->heap->cpu_access(buffer, true);

		if (ret)
			return ret;
	}
	trace_sluice_sync(buffer, offset, length, true);
	sluice_mapping_sync_all(buffer, offset, length, true);
	vaddr = READ_ONCE(buffer->vaddr);
	if (SLUICE_COMPAT_VMAP_CACHED && is_vmalloc_addr(vaddr))
		invalidate_kernel_vmap_range(vaddr + offset, length);
	return 0;
}

/* Pass a range back to the devices. */
static int sluice_dmabuf_end_busy(struct sluice_buffer *buffer, u64 offset, u64 length)
{
	void *vaddr = READ_ONCE(buffer->vaddr);

	trace_sluice_sync(buffer, offset, length, false);
	if (SLUICE_COMPAT_VMAP_CACHED && is_vmalloc_addr(vaddr))
		flush_kernel_vmap_range(vaddr + offset, length);
	if (buffer->properties & SLUICE_MEM_WRITE_COMBINED)
		wmb();	/* empty the write buffers of the CPU before a device reads by DMA */
	sluice_mapping_sync_all(buffer, offset, length, false);
	return buffer->heap->cpu_access ? buffer->heap->cpu_access(buffer, false) : 0;
}

/*
 * Is there nothing to do for an access of the CPU, except to wait for fences?  This is the usual
 * case, so it is a few loads without a call.
 */
static inline bool sluice_dmabuf_access_is_free(const struct sluice_buffer *buffer, bool begin)
{
	return !sluice_mapping_synced(buffer, begin) && !buffer->heap->cpu_access &&
	       !(SLUICE_COMPAT_VMAP_CACHED && buffer->vaddr) && !trace_sluice_sync_enabled() &&
	       (begin || !(buffer->properties & SLUICE_MEM_WRITE_COMBINED));
}

/**
 * sluice_dmabuf_begin_range - the CPU is about to use a range of a buffer
 * @buffer: the buffer
 * @dmabuf: its dma-buf
 * @write: true if the CPU also writes, false if it only reads
 * @offset: bytes from the start of the buffer
 * @length: bytes; the range is inside the buffer
 *
 * Waits for the fences of the whole buffer, because a fence has no range.  A buffer that never had
 * a fence needs no wait.
 *
 * Context: may sleep, for SLUICE_DMABUF_CPU_TIMEOUT and during a reset of the device.
 * Return: 0, or:
 *
 *	-ETIME		the fences did not signal in SLUICE_DMABUF_CPU_TIMEOUT
 *	-ERESTARTSYS	a signal arrived
 *	-EINTR		only for memory of a device: the task was killed during a reset
 *	-ENODEV		memory of a device: the device has been removed
 */
int sluice_dmabuf_begin_range(struct sluice_buffer *buffer, struct dma_buf *dmabuf, bool write,
			      u64 offset, u64 length)
{
	if (!sluice_dmabuf_has_fences(dmabuf) && sluice_dmabuf_access_is_free(buffer, true))
		return 0;
	return sluice_dmabuf_begin_busy(buffer, dmabuf, write, offset, length);
}

/**
 * sluice_dmabuf_end_range - the CPU has used a range of a buffer
 * @buffer: the buffer
 * @offset: bytes from the start of the buffer
 * @length: bytes; the range is inside the buffer
 *
 * Context: may sleep.
 * Return: 0, or -EINTR or -ENODEV: see sluice_dmabuf_begin_range().
 */
int sluice_dmabuf_end_range(struct sluice_buffer *buffer, u64 offset, u64 length)
{
	if (sluice_dmabuf_access_is_free(buffer, false))
		return 0;
	return sluice_dmabuf_end_busy(buffer, offset, length);
}

int sluice_dmabuf_begin_cpu_access(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	struct sluice_buffer *buffer = dmabuf->priv;

	if (!sluice_dmabuf_has_fences(dmabuf) && sluice_dmabuf_access_is_free(buffer, true))
		return 0;
	return sluice_dmabuf_begin_busy(buffer, dmabuf,
					dir == DMA_BIDIRECTIONAL || dir == DMA_TO_DEVICE,
					0, buffer->size);
}

int sluice_dmabuf_end_cpu_access(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	struct sluice_buffer *buffer = dmabuf->priv;

	if (sluice_dmabuf_access_is_free(buffer, false))
		return 0;
	return sluice_dmabuf_end_busy(buffer, 0, buffer->size);
}

int sluice_dmabuf_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma)
{
	struct sluice_buffer *buffer = dmabuf->priv;

	/*
	 * a private mapping needs CACHED memory, because pages that are copied on write are cached
	 */
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
	.unmap_dma_buf = sluice_mapping_put,
	.begin_cpu_access = sluice_dmabuf_begin_cpu_access,
	.end_cpu_access = sluice_dmabuf_end_cpu_access,
	.mmap = sluice_dmabuf_mmap,
	.vmap = sluice_dmabuf_vmap,
	.release = sluice_dmabuf_release,
};

/**
 * sluice_dmabuf_create - make a dma-buf of a buffer
 * @buffer: from sluice_buffer_create() or sluice_wrap_create(); belongs to the dma-buf on success
 * @access: O_RDONLY, O_WRONLY or O_RDWR: access mode of the dma-buf's file
 *
 * Context: may sleep.
 * Return: the dma-buf with one reference, or an ERR_PTR.
 */
struct dma_buf *sluice_dmabuf_create(struct sluice_buffer *buffer, int access)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct dma_buf *dmabuf;

	info.exp_name = sluice_heap_exporter(buffer->sdev, buffer->heap);
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
 * sluice_dmabuf_buffer - the buffer behind a dma-buf
 * @dmabuf: any dma-buf
 *
 * Context: any.
 * Return: the buffer, valid as long as the dma-buf; NULL for a dma-buf of another exporter.
 */
struct sluice_buffer *sluice_dmabuf_buffer(struct dma_buf *dmabuf)
{
	return dmabuf->ops->release == sluice_dmabuf_release ? dmabuf->priv : NULL;
}
