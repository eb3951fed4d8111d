// SPDX-License-Identifier: GPL-2.0-only
/*
 * The heap of memory inside a device: see heap_bar.h.
 *
 * Locks:
 *
 *	bar->mmio.lock	for reading: use of the memory by the kernel, a fault, or the check of a
 *			route.  For writing: a revocation or a block.  Inside mmap_lock
 *	dma_resv	held while a mapping for DMA is made.  A revocation first revokes the memory
 *			and then takes the dma_resv, so it finds each mapping
 *	bar->ranges_lock	guards the list of buffers and bar->revoking
 *
 * A revocation reaches buffers without holding a dma-buf reference, because an exporter cannot know
 * whether there is a reference left.  sluice_bar_free() therefore waits while its buffer is
 * bar->revoking.
 */
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/fs.h>
#include <linux/io.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/wait.h>

#include "buffer.h"
#include "compat/dma-buf.h"
#include "compat/mm.h"
#include "device.h"
#include "export.h"
#include "heap.h"
#include "heap_bar.h"
#include "mmap.h"
#include "mmio.h"
#include "object.h"
#include "p2p.h"
#include "slot.h"
#include "trace.h"

#define SLUICE_BAR_REVOKE_SECONDS	60	/* for all waits of a revocation together */
#define SLUICE_BAR_ZERO_CHUNK		SZ_256K	/* bytes zeroed before the lock is released */

/**
 * struct sluice_bar - the heap of memory inside a device
 * @heap: the heap, for the core
 * @memory: the memory; holds a reference on its device.  Its vaddr is NULL after the revocation
 * @mmio: guard of the memory
 * @ranges_lock: guards @buffers and @revoking
 * @buffers: all buffers, in the order of their offsets
 * @revoking: the buffer on which a revocation is working, or NULL
 * @maps: number of mappings that importers have
 * @wait: woken when @maps drops to 0, and when @revoking changes
 */
struct sluice_bar {
	struct sluice_heap heap;
	struct sluice_bar_memory memory;
	struct sluice_mmio mmio;
	struct mutex ranges_lock;
	struct list_head buffers;
	struct sluice_bar_buffer *revoking;
	atomic_t maps;
	wait_queue_head_t wait;
};

/**
 * struct sluice_bar_buffer - a buffer in memory inside a device
 * @base: the buffer
 * @offset: bytes from the start of the memory
 * @range: in bar->buffers.  bar->ranges_lock guards it and the next three fields
 * @dmabuf: the dma-buf, or NULL before the export; valid as long as the buffer exists
 * @file_inode: inode of the dma-buf, to zap the mappings of processes; reference held
 * @revoke_pass: number of the last pass of a revocation that has handled the buffer
 */
struct sluice_bar_buffer {
	struct sluice_buffer base;
	u64 offset;
	struct list_head range;
	struct dma_buf *dmabuf;
	struct inode *file_inode;
	unsigned int revoke_pass;
};

static_assert(!offsetof(struct sluice_bar_buffer, base));

static struct sluice_bar *sluice_bar_of(const struct sluice_buffer *buffer)
{
	return container_of(buffer->heap, struct sluice_bar, heap);
}

static struct sluice_bar_buffer *sluice_bar_buffer(const struct sluice_buffer *buffer)
{
	return container_of(buffer, struct sluice_bar_buffer, base);
}

static phys_addr_t sluice_bar_phys(const struct sluice_buffer *buffer)
{
	return sluice_bar_of(buffer)->memory.start + sluice_bar_buffer(buffer)->offset;
}

/* On return, all writes of this CPU are in the device: a read cannot overtake them on the bus. */
static void sluice_bar_flush(struct sluice_bar *bar, u64 offset)
{
	/* empty the write buffers before the read; pairs with the DMA of peers */
	wmb();
	ioread8(bar->memory.vaddr + offset);
}

/* Give the buffer the first gap that is large enough. */
static int sluice_bar_reserve(struct sluice_bar *bar, struct sluice_bar_buffer *buffer, u32 *hint)
{
	u64 size = buffer->base.size, end = 0, used = 0;
	struct sluice_bar_buffer *next;

	mutex_lock(&bar->ranges_lock);
	list_for_each_entry(next, &bar->buffers, range) {
		if (next->offset - end >= size)
			break;
		end = next->offset + next->base.size;
		used += next->base.size;
	}
	if (list_entry_is_head(next, &bar->buffers, range) && bar->memory.size - end < size) {
		mutex_unlock(&bar->ranges_lock);
		if (bar->memory.size - used >= size)
			*hint = SLUICE_HINT_FRAGMENTED;
		return -ENOMEM;
	}
	buffer->offset = end;
	list_add_tail(&buffer->range, &next->range);
	mutex_unlock(&bar->ranges_lock);
	return 0;
}

static void sluice_bar_free(struct sluice_buffer *base)
{
	struct sluice_bar_buffer *buffer = sluice_bar_buffer(base);
	struct sluice_bar *bar = sluice_bar_of(base);

	mutex_lock(&bar->ranges_lock);
	while (bar->revoking == buffer) {
		mutex_unlock(&bar->ranges_lock);
		wait_event(bar->wait, READ_ONCE(bar->revoking) != buffer);
		mutex_lock(&bar->ranges_lock);
	}
	list_del(&buffer->range);
	mutex_unlock(&bar->ranges_lock);
	iput(buffer->file_inode);
}

static int sluice_bar_zero(struct sluice_bar *bar, u64 offset, u64 size)
{
	u64 done = 0;
	int ret = 0;

	while (!ret && done < size) {
		size_t chunk = min_t(u64, size - done, SLUICE_BAR_ZERO_CHUNK);

		ret = sluice_mmio_lock(&bar->mmio);
		if (ret)
			break;
		memset_io(bar->memory.vaddr + offset + done, 0, chunk);
		done += chunk;
		if (done == size)
			sluice_bar_flush(bar, offset);
		sluice_mmio_unlock(&bar->mmio);
		if (fatal_signal_pending(current))
			ret = -EINTR;
		cond_resched();
	}
	return ret;
}

static int sluice_bar_alloc(struct sluice_buffer *buffer, u32 *hint)
{
	struct sluice_bar *bar = sluice_bar_of(buffer);
	int ret;

	ret = sluice_bar_reserve(bar, sluice_bar_buffer(buffer), hint);
	if (ret)
		return ret;
	buffer->end = sluice_bar_phys(buffer) + buffer->size - 1;
	ret = sluice_bar_zero(bar, sluice_bar_buffer(buffer)->offset, buffer->size);
	if (ret)
		goto err_free;
	return 0;

err_free:
	sluice_bar_free(buffer);
	return ret;
}

static vm_fault_t sluice_bar_fault(struct vm_fault *vmf)
{
	struct sluice_buffer *buffer = vmf->vma->vm_private_data;
	struct sluice_bar *bar = sluice_bar_of(buffer);
	vm_fault_t ret;
	int error;

	/* a revocation takes the lock before it zaps, so the zap finds the page inserted here */
	while ((error = sluice_mmio_trylock(&bar->mmio)) == -EAGAIN) {
		ret = sluice_mmio_wait_fault(&bar->mmio, vmf);
		if (ret)
			return ret;
	}
	if (error)
		return VM_FAULT_SIGBUS;
	ret = sluice_fault_pfn(vmf);
	sluice_mmio_unlock(&bar->mmio);
	return ret;
}

/*
 * For gdb and /proc/PID/mem.  It uses the kernel's own mapping, because generic_access_phys()
 * reaches only pages that the process has accessed already.
 */
static int sluice_bar_access(struct vm_area_struct *vma, unsigned long addr, void *data,
			     int length, int write)
{
	struct sluice_buffer *buffer = vma->vm_private_data;
	struct sluice_bar *bar = sluice_bar_of(buffer);
	u64 offset = sluice_bar_buffer(buffer)->offset + sluice_vma_offset(vma, addr);

	length = sluice_vma_access_length(vma, addr, length, write);
	if (length <= 0)
		return length;
	if (sluice_mmio_lock(&bar->mmio))
		return -EFAULT;
	if (write)
		memcpy_toio(bar->memory.vaddr + offset, data, length);
	else
		memcpy_fromio(data, bar->memory.vaddr + offset, length);
	sluice_mmio_unlock(&bar->mmio);
	return length;
}

static const struct vm_operations_struct sluice_bar_vm_ops = {
	.fault = sluice_bar_fault,
	.access = sluice_bar_access,
};

static int sluice_bar_mmap(struct sluice_buffer *buffer, struct vm_area_struct *vma)
{
	if (sluice_mmio_revoked(&sluice_bar_of(buffer)->mmio))
		return -ENODEV;
	vma->vm_private_data = buffer;
	vm_flags_set(vma, VM_PFNMAP | VM_IO);
	vma->vm_page_prot = pgprot_decrypted(sluice_heap_pgprot(buffer->properties,
								vma->vm_page_prot));
	vma->vm_ops = &sluice_bar_vm_ops;
	return 0;
}

static int sluice_bar_cpu_access(struct sluice_buffer *buffer, bool begin)
{
	struct sluice_bar *bar = sluice_bar_of(buffer);
	int ret = sluice_mmio_lock(&bar->mmio);

	if (ret)
		return ret;
	if (!begin)	/* otherwise a peer might read the memory before the CPU's writes arrive */
		sluice_bar_flush(bar, sluice_bar_buffer(buffer)->offset);
	sluice_mmio_unlock(&bar->mmio);
	return 0;
}

static int sluice_bar_attach(struct dma_buf *dmabuf, struct dma_buf_attachment *attach)
{
	struct sluice_buffer *buffer = dmabuf->priv;
	struct sluice_bar *bar = sluice_bar_of(buffer);
	int ret;

	if (!attach->peer2peer || !dma_buf_attach_revocable(attach)) {
		dev_dbg(attach->dev, "%s of %s accepts only dynamic peer-to-peer importers\n",
			bar->memory.name, buffer->sdev->name);
		return -EOPNOTSUPP;
	}
	ret = sluice_mmio_hold(&bar->mmio);
	if (ret)
		return ret;
	ret = bar->memory.ops->check(&bar->memory, attach->dev, sluice_bar_phys(buffer),
				     buffer->size);
	sluice_mmio_unlock(&bar->mmio);
	return ret;
}

/*
 * The memory never moves, and is revoked whether it is pinned or not.  Our own slots release it
 * then.  On older kernels, a foreign importer that pins may ignore the revocation.  Its pin is
 * refused there, with one exception: see sluice_compat_pin_revocable().
 */
static int sluice_bar_pin(struct dma_buf_attachment *attach)
{
	struct sluice_buffer *buffer = attach->dmabuf->priv;
	int ret;

	if (sluice_mmio_revoked(&sluice_bar_of(buffer)->mmio))
		return -ENODEV;
	ret = sluice_slot_attached(attach) ? 0 : sluice_compat_pin_revocable(attach);
	if (ret)
		dev_dbg(attach->dev, "cannot pin a buffer of %s: a revocation may be ignored\n",
			buffer->sdev->name);
	return ret;
}

static void sluice_bar_unpin(struct dma_buf_attachment *attach)
{
	if (!sluice_slot_attached(attach))
		sluice_compat_unpin_revocable(attach);
}

static struct sg_table *sluice_bar_map(struct dma_buf_attachment *attach,
				       enum dma_data_direction dir)
{
	struct sluice_buffer *buffer = attach->dmabuf->priv;
	struct sluice_bar *bar = sluice_bar_of(buffer);
	struct sg_table *sgt;

	if (sluice_mmio_revoked(&bar->mmio))
		return ERR_PTR(-ENODEV);
	if (sluice_dmabuf_writes(attach, dir))
		return ERR_PTR(-EACCES);
	sgt = sluice_p2p_map(attach, bar->memory.provider, sluice_bar_phys(buffer), buffer->size,
			     dir);
	if (IS_ERR(sgt))
		return sgt;
	sluice_compat_map_revocable(attach, true);
	atomic_inc(&bar->maps);
	sluice_object_inc(SLUICE_OBJECT_MAPPING);
	trace_sluice_map(buffer, attach->dev, dir, sgt);
	return sgt;
}

static void sluice_bar_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
			     enum dma_data_direction dir)
{
	struct sluice_buffer *buffer = attach->dmabuf->priv;
	struct sluice_bar *bar = sluice_bar_of(buffer);

	trace_sluice_unmap(buffer, attach->dev, dir, sgt);
	sluice_p2p_unmap(attach, sgt, dir);
	sluice_compat_map_revocable(attach, false);
	sluice_object_dec(SLUICE_OBJECT_MAPPING);
	if (atomic_dec_and_test(&bar->maps))
		wake_up_all(&bar->wait);
}

static const struct dma_buf_ops sluice_bar_dmabuf_ops = {
	.attach = sluice_bar_attach,
	.pin = sluice_bar_pin,
	.unpin = sluice_bar_unpin,
	.map_dma_buf = sluice_bar_map,
	.unmap_dma_buf = sluice_bar_unmap,
	.begin_cpu_access = sluice_dmabuf_begin_cpu_access,
	.end_cpu_access = sluice_dmabuf_end_cpu_access,
	.mmap = sluice_dmabuf_mmap,
	.release = sluice_dmabuf_release,
};

static void sluice_bar_exported(struct sluice_buffer *base, struct dma_buf *dmabuf)
{
	struct sluice_bar_buffer *buffer = sluice_bar_buffer(base);
	struct sluice_bar *bar = sluice_bar_of(base);

	mutex_lock(&bar->ranges_lock);
	buffer->dmabuf = dmabuf;
	buffer->file_inode = file_inode(dmabuf->file);
	ihold(buffer->file_inode);
	mutex_unlock(&bar->ranges_lock);
}

/* The next buffer of this pass, which becomes bar->revoking; NULL when the pass is complete. */
static struct sluice_bar_buffer *sluice_bar_next(struct sluice_bar *bar, unsigned int pass)
{
	struct sluice_bar_buffer *buffer, *found = NULL;

	mutex_lock(&bar->ranges_lock);
	list_for_each_entry(buffer, &bar->buffers, range) {
		if (!buffer->dmabuf || buffer->revoke_pass == pass)
			continue;
		buffer->revoke_pass = pass;
		found = buffer;
		break;
	}
	WRITE_ONCE(bar->revoking, found);
	mutex_unlock(&bar->ranges_lock);
	wake_up_all(&bar->wait);
	return found;
}

/* Jiffies until the deadline that all waits of a revocation share; at least 1. */
static unsigned long sluice_bar_time_left(unsigned long deadline)
{
	return time_before(jiffies, deadline) ? deadline - jiffies : 1;
}

/*
 * A fault inserts a page with the lock of bar->mmio held.  If it was inserted before the block
 * began, the zap finds it.  Otherwise the fault waits until the device is not blocked any more.
 */
static void sluice_bar_block(const struct sluice_heap *heap, bool block)
{
	struct sluice_bar *bar = container_of(heap, struct sluice_bar, heap);
	struct sluice_bar_buffer *buffer;

	sluice_mmio_block(&bar->mmio, block);
	if (!block)
		return;
	mutex_lock(&bar->ranges_lock);
	list_for_each_entry(buffer, &bar->buffers, range)
		if (buffer->file_inode)
			unmap_mapping_range(buffer->file_inode->i_mapping, 0, 0, 1);
	mutex_unlock(&bar->ranges_lock);
}

static void sluice_bar_is_busy(struct sluice_bar *bar, const char *why)
{
	bar->memory.busy = true;
	dev_err(bar->memory.dev, "%s: %s\n", bar->memory.name, why);
}

static void sluice_bar_revoke(const struct sluice_heap *heap)
{
	struct sluice_bar *bar = container_of(heap, struct sluice_bar, heap);
	unsigned long deadline = jiffies + SLUICE_BAR_REVOKE_SECONDS * HZ;
	struct sluice_bar_buffer *buffer;

	sluice_mmio_revoke(&bar->mmio);
	/* tell the importers of all buffers before the first wait */
	while ((buffer = sluice_bar_next(bar, 1))) {
		unmap_mapping_range(buffer->file_inode->i_mapping, 0, 0, 1);
		dma_resv_lock(buffer->dmabuf->resv, NULL);
		dma_buf_invalidate_mappings(buffer->dmabuf);
		dma_resv_unlock(buffer->dmabuf->resv);
	}
	/* importers may use the memory until their fences have signalled, */
	while ((buffer = sluice_bar_next(bar, 2)))
		if (!dma_resv_wait_timeout(buffer->dmabuf->resv, DMA_RESV_USAGE_BOOKKEEP, false,
					   sluice_bar_time_left(deadline)))
			sluice_bar_is_busy(bar, "a fence on a buffer does not signal");
	/* and their devices may access it until they have unmapped it */
	if (!wait_event_timeout(bar->wait, !atomic_read(&bar->maps),
				sluice_bar_time_left(deadline)))
		sluice_bar_is_busy(bar, "an importer does not unmap a buffer");
	bar->memory.ops->unmap(&bar->memory);
	bar->memory.vaddr = NULL;
}

static void sluice_bar_release(const struct sluice_heap *heap)
{
	struct sluice_bar *bar = container_of(heap, struct sluice_bar, heap);

	if (bar->memory.vaddr)		/* not revoked: registration of the device failed */
		bar->memory.ops->unmap(&bar->memory);
	put_device(bar->memory.dev);
	kfree(bar);
}

/**
 * sluice_bar_add - offer memory inside a device as a heap
 * @sdev: the device, inside its ops->prepare()
 * @memory: the memory, with its kernel mapping; the struct is copied.  After an error the caller
 *	must release the memory
 *
 * Context: may sleep.
 * Return: 0, -ENOMEM, or -ENOSPC if the device has too many heaps.
 */
int sluice_bar_add(struct sluice_device *sdev, const struct sluice_bar_memory *memory)
{
	struct sluice_bar *bar = kzalloc(sizeof(*bar), GFP_KERNEL);
	int ret;

	if (!bar)
		return -ENOMEM;
	bar->memory = *memory;
	sluice_mmio_init(&bar->mmio);
	mutex_init(&bar->ranges_lock);
	INIT_LIST_HEAD(&bar->buffers);
	init_waitqueue_head(&bar->wait);
	bar->heap = (struct sluice_heap) {
		.name = bar->memory.name,
		.properties = SLUICE_MEM_WRITE_COMBINED | SLUICE_MEM_CONTIGUOUS |
			      SLUICE_MEM_DEVICE,
		.max_size = bar->memory.size,
		.buffer_size = sizeof(struct sluice_bar_buffer),
		.alloc = sluice_bar_alloc,
		.free = sluice_bar_free,
		.mmap = sluice_bar_mmap,
		.cpu_access = sluice_bar_cpu_access,
		.dmabuf_ops = &sluice_bar_dmabuf_ops,
		.exported = sluice_bar_exported,
		.block = sluice_bar_block,
		.revoke = sluice_bar_revoke,
		.release = sluice_bar_release,
	};
	ret = sluice_heap_add(sdev, &bar->heap);
	if (ret)
		goto err_free;
	get_device(bar->memory.dev);
	return 0;

err_free:
	kfree(bar);
	return ret;
}

static int sluice_bar_pci_check(const struct sluice_bar_memory *memory, struct device *dev,
				phys_addr_t start, u64 size)
{
	return sluice_p2p_check(to_pci_dev(memory->dev), memory->bar, memory->provider, dev, start,
				size);
}

static void sluice_bar_pci_unmap(struct sluice_bar_memory *memory)
{
	iounmap(memory->vaddr);
}

static const struct sluice_bar_memory_ops sluice_bar_pci_ops = {
	.check = sluice_bar_pci_check,
	.unmap = sluice_bar_pci_unmap,
};

/**
 * sluice_device_add_bar - offer a memory BAR as a heap
 * @sdev: the device, inside its ops->prepare()
 * @pdev: the PCI device, enabled, its BAR claimed by the driver
 * @bar: number of the BAR.  It must be memory without side effects (prefetchable), which the driver
 *	does not use otherwise
 *
 * The name of the heap is "bar" with the number.  sluice_device_unregister() removes the heap.  It
 * waits at most a minute for the users of the memory.
 *
 * Context: may sleep.
 * Return: 0, or:
 *
 *	-EINVAL	it is not a memory BAR, or is not whole pages
 *	-ENOMEM	no memory
 *	-ENOSPC	the device has too many heaps
 *	others	what the kernel returned for peer-to-peer DMA
 */
int sluice_device_add_bar(struct sluice_device *sdev, struct pci_dev *pdev, int bar)
{
	struct sluice_bar_memory memory = {
		.ops = &sluice_bar_pci_ops, .dev = &pdev->dev, .bar = bar,
	};
	int ret;

	if (bar < 0 || bar >= PCI_STD_NUM_BARS ||
	    !(pci_resource_flags(pdev, bar) & IORESOURCE_MEM) ||
	    !PAGE_ALIGNED(pci_resource_start(pdev, bar)) || !pci_resource_len(pdev, bar) ||
	    !PAGE_ALIGNED(pci_resource_len(pdev, bar)))
		return -EINVAL;
	ret = sluice_p2p_init(pdev, bar, &memory.provider);
	if (ret)
		return ret;
	snprintf(memory.name, sizeof(memory.name), "bar%d", bar);
	memory.start = pci_resource_start(pdev, bar);
	memory.size = pci_resource_len(pdev, bar);
	memory.vaddr = ioremap_wc(memory.start, memory.size);
	if (!memory.vaddr)
		return -ENOMEM;
	ret = sluice_bar_add(sdev, &memory);
	if (ret)
		goto err_unmap;
	return 0;

err_unmap:
	iounmap(memory.vaddr);
	return ret;
}
EXPORT_SYMBOL_GPL(sluice_device_add_bar);
