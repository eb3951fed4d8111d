// SPDX-License-Identifier: GPL-2.0-only
/*
 * An importer for tests: see importer.h.  It works on kernels without an IOMMU only, because it
 * treats bus addresses as physical addresses.
 *
 * importer->lock serialises the calls on one open file, except IMPORTER_CPU and IMPORTER_FENCE.
 * Calls on different open files run at the same time.
 */
#include <linux/dma-buf.h>
#include <linux/dma-direct.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/file.h>
#include <linux/io.h>
#include <linux/iosys-map.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/platform_device.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/timer.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#include "buffer.h"
#include "compat/dma-buf.h"
#include "compat/fence.h"
#include "compat/module.h"
#include "compat/timer.h"
#include "device.h"
#include "importer.h"
#include "sluice.h"

#define IMPORTER_FENCE_MAX_MS	5000

/**
 * struct importer_unit - a device
 * @dev: a platform device of this module, or a PCI device that is borrowed
 * @mask: borrowed device: its DMA mask before
 * @max_seg: borrowed device: its longest segment before, in bytes
 * @boundary: borrowed device: its segment boundary before
 */
struct importer_unit {
	struct device *dev;
	u64 mask;
	u32 max_seg;
	u64 boundary;
};

/**
 * struct importer_mapping - a mapping
 * @attachment: number of the attachment
 * @dir: direction
 * @sgt: the table, or NULL if the entry is free.  It is set and cleared with the dma_resv held,
 *	because importer_invalidate() has only this lock
 */
struct importer_mapping {
	u32 attachment;
	enum dma_data_direction dir;
	struct sg_table *sgt;
};

/**
 * struct importer - an open file
 * @lock: mutex: guards the fields below
 * @devices: the devices, by number
 * @attachments: the attachments, by number, each with a reference on its dma-buf
 * @mappings: the mappings, by number
 * @blocked: the Sluice device that IMPORTER_BLOCK has blocked, with a reference, or NULL
 */
struct importer {
	struct mutex lock;
	struct importer_unit devices[IMPORTER_MAX];
	struct dma_buf_attachment *attachments[IMPORTER_MAX];
	struct importer_mapping mappings[IMPORTER_MAX];
	struct sluice_device *blocked;
};

/**
 * struct importer_own_fence - a fence that signals after a time
 * @fence: the fence; it must be the first field, because the struct is freed by its address
 * @timer: signals the fence
 * @error: errno of the fence, or 0
 */
struct importer_own_fence {
	struct sluice_compat_fence fence;
	struct timer_list timer;
	int error;
};

static atomic_t importer_pending = ATOMIC_INIT(0);
static DECLARE_WAIT_QUEUE_HEAD(importer_idle);

static const char *importer_fence_name(struct dma_fence *fence)
{
	return "sluice-importer";
}

static const struct dma_fence_ops importer_fence_ops = {
	SLUICE_COMPAT_FENCE_OPS
	.get_driver_name = importer_fence_name,
	.get_timeline_name = importer_fence_name,
};

static void importer_fence_end(struct timer_list *timer)
{
	struct importer_own_fence *own = timer_container_of(own, timer, timer);

	if (own->error)
		dma_fence_set_error(&own->fence.base, own->error);
	dma_fence_signal(&own->fence.base);
	dma_fence_put(&own->fence.base);
	if (atomic_dec_and_test(&importer_pending))
		wake_up(&importer_idle);
}

static struct importer_unit *importer_unit(struct importer *importer)
{
	unsigned int i;

	for (i = 0; i < IMPORTER_MAX; i++)
		if (!importer->devices[i].dev)
			return &importer->devices[i];
	return ERR_PTR(-ENOSPC);
}

static void importer_limits(struct device *dev, u32 dma_bits, u32 max_seg, u64 boundary)
{
	/* probe functions also set the mask: it lets the DMA API skip syncs that are not needed */
	if (dma_set_mask_and_coherent(dev, DMA_BIT_MASK(dma_bits)))
		dev_dbg(dev, "%u bits are too few\n", dma_bits);
	dma_set_max_seg_size(dev, max_seg);
	dma_set_seg_boundary(dev, boundary);
}

static int importer_device(struct importer *importer, const struct importer_device *args)
{
	struct importer_unit *unit = importer_unit(importer);
	struct platform_device_info info = {
		.name = "sluice-importer",
		.id = PLATFORM_DEVID_AUTO,
	};
	struct platform_device *pdev;

	if (!args->dma_bits || args->dma_bits > 64)
		return -EINVAL;
	if (IS_ERR(unit))
		return PTR_ERR(unit);
	info.dma_mask = DMA_BIT_MASK(args->dma_bits);
	pdev = platform_device_register_full(&info);
	if (IS_ERR(pdev))
		return PTR_ERR(pdev);
	pdev->dev.dma_parms = &pdev->dma_parms;
	importer_limits(&pdev->dev, args->dma_bits, args->max_seg, args->boundary);
	unit->dev = &pdev->dev;
	return unit - importer->devices;
}

static int importer_pci(struct importer *importer, const struct importer_pci *args)
{
	struct importer_unit *unit = importer_unit(importer);
	unsigned int domain, bus, slot, function;
	struct pci_dev *pdev;
	struct device *dev;

	if (!args->dma_bits || args->dma_bits > 64 || args->name[sizeof(args->name) - 1] ||
	    sscanf(args->name, "%x:%x:%x.%x", &domain, &bus, &slot, &function) != 4)
		return -EINVAL;
	if (IS_ERR(unit))
		return PTR_ERR(unit);
	pdev = pci_get_domain_bus_and_slot(domain, bus, PCI_DEVFN(slot, function));
	if (!pdev)
		return -ENODEV;
	dev = &pdev->dev;
	if (dev->driver) {
		pci_dev_put(pdev);
		return -EBUSY;
	}
	*unit = (struct importer_unit) {
		.dev = dev,
		.mask = dma_get_mask(dev),
		.max_seg = dma_get_max_seg_size(dev),
		.boundary = dma_get_seg_boundary(dev),
	};
	importer_limits(dev, args->dma_bits, args->max_seg, args->boundary);
	return unit - importer->devices;
}

static void importer_leave(const struct importer_unit *unit)
{
	struct device *dev = unit->dev;

	if (!dev)
		return;
	if (!dev_is_pci(dev)) {
		platform_device_unregister(to_platform_device(dev));
		return;
	}
	importer_limits(dev, fls64(unit->mask), unit->max_seg, unit->boundary);
	put_device(dev);
}

/* Unmap.  The dma_resv of the buffer is held. */
static void importer_let_go(struct importer *importer, unsigned int number)
{
	struct importer_mapping *mapping = &importer->mappings[number];

	dma_buf_unmap_attachment(importer->attachments[mapping->attachment], mapping->sgt,
				 mapping->dir);
	mapping->sgt = NULL;
}

/*
 * The exporter asks the importer to unmap.  The dma_resv of the attachment's buffer is held,
 * and no context detaches the attachment meanwhile.
 */
static void importer_invalidate(struct dma_buf_attachment *attachment)
{
	struct importer *importer = attachment->importer_priv;
	unsigned int i;

	for (i = 0; i < IMPORTER_MAX; i++)
		/* pairs with the store in importer_map(): not NULL means that @attachment is set */
		if (smp_load_acquire(&importer->mappings[i].sgt) &&
		    importer->attachments[importer->mappings[i].attachment] == attachment)
			importer_let_go(importer, i);
}

static const struct dma_buf_attach_ops importer_dynamic_ops = {
	.invalidate_mappings = importer_invalidate,
};

static const struct dma_buf_attach_ops importer_peer_ops = {
	.allow_peer2peer = true,
	.invalidate_mappings = importer_invalidate,
};

static int importer_attach(struct importer *importer, const struct importer_attach *args)
{
	struct dma_buf_attachment *attachment;
	struct dma_buf *dmabuf;
	struct device *dev;
	unsigned int i;

	if (args->device >= IMPORTER_MAX || !importer->devices[args->device].dev)
		return -EINVAL;
	dev = importer->devices[args->device].dev;
	for (i = 0; i < IMPORTER_MAX && importer->attachments[i]; i++)
		;
	if (i == IMPORTER_MAX)
		return -ENOSPC;
	dmabuf = dma_buf_get(args->fd);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	if (args->flags & IMPORTER_DYNAMIC)
		attachment = dma_buf_dynamic_attach(dmabuf, dev, args->flags & IMPORTER_PEER ?
						    &importer_peer_ops : &importer_dynamic_ops,
						    importer);
	else
		attachment = dma_buf_attach(dmabuf, dev);
	if (IS_ERR(attachment)) {
		dma_buf_put(dmabuf);
		return PTR_ERR(attachment);
	}
	importer->attachments[i] = attachment;
	return i;
}

/* The number of whole, aligned pieces of IMPORTER_HUGE bytes between two addresses. */
static u32 importer_huge(u64 from, u64 to)
{
	u64 begin = ALIGN(from, IMPORTER_HUGE), end = ALIGN_DOWN(to, IMPORTER_HUGE);

	return end > begin ? (end - begin) / IMPORTER_HUGE : 0;
}

static void importer_look(struct device *dev, struct sg_table *sgt, struct importer_map *args)
{
	u64 boundary = dma_get_seg_boundary(dev);
	u64 run = 0, run_end = 0;
	struct scatterlist *sg;
	int i;

	args->total = 0;
	args->segments = 0;
	args->largest = 0;
	args->crossing = 0;
	args->unreachable = 0;
	args->huge = 0;
	for_each_sgtable_dma_sg(sgt, sg, i) {
		u64 first = sg_dma_address(sg), last = first + sg_dma_len(sg) - 1;

		args->total += sg_dma_len(sg);
		args->segments++;
		args->largest = max(args->largest, sg_dma_len(sg));
		args->crossing += (first & ~boundary) != (last & ~boundary);
		args->unreachable += last > dma_get_mask(dev);
		/* a run of addresses may consist of several segments */
		if (first != run_end) {
			args->huge += importer_huge(run, run_end);
			run = first;
		}
		run_end = last + 1;
	}
	args->huge += importer_huge(run, run_end);
}

static int importer_map(struct importer *importer, struct importer_map *args)
{
	struct dma_buf_attachment *attachment;
	struct sg_table *sgt;
	unsigned int i;

	if (args->attachment >= IMPORTER_MAX || args->dir >= DMA_NONE)
		return -EINVAL;
	attachment = importer->attachments[args->attachment];
	if (!attachment)
		return -EINVAL;
	for (i = 0; i < IMPORTER_MAX && importer->mappings[i].sgt; i++)
		;
	if (i == IMPORTER_MAX)
		return -ENOSPC;
	dma_resv_lock(attachment->dmabuf->resv, NULL);
	sgt = dma_buf_map_attachment(attachment, args->dir);
	if (!IS_ERR(sgt)) {
		importer->mappings[i].attachment = args->attachment;
		importer->mappings[i].dir = args->dir;
		/*
		 * Pairs with the load in importer_invalidate().  An invalidation of another
		 * buffer reads this field, and holds only the dma_resv of that buffer.
		 */
		smp_store_release(&importer->mappings[i].sgt, sgt);
		importer_look(attachment->dev, sgt, args);
	}
	dma_resv_unlock(attachment->dmabuf->resv);
	return IS_ERR(sgt) ? PTR_ERR(sgt) : i;
}

static int importer_unmap(struct importer *importer, unsigned long number)
{
	struct dma_resv *resv;
	int ret = 0;

	if (number >= IMPORTER_MAX || !importer->mappings[number].sgt)
		return -EINVAL;
	resv = importer->attachments[importer->mappings[number].attachment]->dmabuf->resv;
	dma_resv_lock(resv, NULL);
	if (importer->mappings[number].sgt)
		importer_let_go(importer, number);
	else
		ret = -EINVAL;
	dma_resv_unlock(resv);
	return ret;
}

static int importer_pin(struct importer *importer, unsigned long number, bool pin)
{
	struct dma_buf_attachment *attachment;
	int ret = 0;

	if (number >= IMPORTER_MAX || !importer->attachments[number] ||
	    !importer->attachments[number]->importer_ops)
		return -EINVAL;
	attachment = importer->attachments[number];
	dma_resv_lock(attachment->dmabuf->resv, NULL);
	if (pin)
		ret = dma_buf_pin(attachment);
	else
		dma_buf_unpin(attachment);
	dma_resv_unlock(attachment->dmabuf->resv);
	return ret;
}

static int importer_remap(struct importer *importer, const struct importer_remap *args)
{
	struct dma_buf_attachment *attachment;
	struct sg_table *sgt;
	u32 i;

	if (args->attachment >= IMPORTER_MAX || !importer->attachments[args->attachment])
		return -EINVAL;
	attachment = importer->attachments[args->attachment];
	for (i = 0; i < args->count; i++) {
		if (fatal_signal_pending(current))
			return -EINTR;
		sgt = dma_buf_map_attachment_unlocked(attachment, DMA_BIDIRECTIONAL);
		if (IS_ERR(sgt))
			return PTR_ERR(sgt);
		dma_buf_unmap_attachment_unlocked(attachment, sgt, DMA_BIDIRECTIONAL);
		cond_resched();
	}
	return 0;
}

static int importer_detach(struct importer *importer, unsigned long number)
{
	struct dma_buf *dmabuf;
	unsigned int i;

	if (number >= IMPORTER_MAX || !importer->attachments[number])
		return -EINVAL;
	/* this misbehaviour is not allowed, because it would corrupt the kernel */
	for (i = 0; i < IMPORTER_MAX; i++)
		if (importer->mappings[i].sgt && importer->mappings[i].attachment == number)
			return -EBUSY;
	dmabuf = importer->attachments[number]->dmabuf;
	dma_buf_detach(dmabuf, importer->attachments[number]);
	dma_buf_put(dmabuf);
	importer->attachments[number] = NULL;
	return 0;
}

/* Read or write a word of system memory, or of device memory, which has no struct page. */
static int importer_touch(phys_addr_t phys, u32 *value, bool write)
{
	bool memory = pfn_valid(PHYS_PFN(phys));
	void __iomem *device = NULL;
	u32 *word;

	if (!memory) {
		device = ioremap_wc(phys, sizeof(*value));
		if (!device)
			return -ENOMEM;
	}
	word = memory ? phys_to_virt(phys) : NULL;
	if (write && memory)
		WRITE_ONCE(*word, *value);
	else if (write)
		iowrite32(*value, device);
	else
		*value = memory ? READ_ONCE(*word) : ioread32(device);
	if (!memory)
		iounmap(device);
	return 0;
}

/*
 * Read or write a word of a mapping.  The dma_resv is held, so that an exporter that revokes
 * the memory waits until the access is over.
 */
static int importer_word(struct importer *importer, struct importer_word *args, bool write)
{
	struct dma_buf_attachment *attachment;
	u64 offset = args->offset;
	struct scatterlist *sg;
	struct sg_table *sgt;
	int i, ret = -EINVAL;

	if (args->mapping >= IMPORTER_MAX || !importer->mappings[args->mapping].sgt || offset % 4)
		return -EINVAL;
	attachment = importer->attachments[importer->mappings[args->mapping].attachment];
	dma_resv_lock(attachment->dmabuf->resv, NULL);
	sgt = importer->mappings[args->mapping].sgt;
	if (!sgt)
		goto unlock;
	ret = -ERANGE;
	for_each_sgtable_dma_sg(sgt, sg, i) {
		if (offset < sg_dma_len(sg)) {
			ret = importer_touch(dma_to_phys(attachment->dev,
							 sg_dma_address(sg) + offset),
					     &args->value, write);
			break;
		}
		offset -= sg_dma_len(sg);
	}
unlock:
	dma_resv_unlock(attachment->dmabuf->resv);
	return ret;
}

static int importer_vmap(struct dma_buf *dmabuf)
{
	struct iosys_map map, again;
	int ret;

	ret = dma_buf_vmap_unlocked(dmabuf, &map);
	if (ret)
		return ret;
	ret = dma_buf_vmap_unlocked(dmabuf, &again);
	if (!ret) {
		if (!iosys_map_is_equal(&map, &again))
			ret = -EILSEQ;
		dma_buf_vunmap_unlocked(dmabuf, &again);
	}
	iosys_map_wr(&map, 0, u32, iosys_map_rd(&map, 0, u32));
	dma_buf_vunmap_unlocked(dmabuf, &map);
	return ret;
}

static int importer_cpu(const struct importer_cpu *args)
{
	struct dma_buf *dmabuf;
	int ret = -EINVAL;

	if (args->dir >= DMA_NONE)
		return ret;
	dmabuf = dma_buf_get(args->fd);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	if (args->what == IMPORTER_BEGIN)
		ret = dma_buf_begin_cpu_access(dmabuf, args->dir);
	else if (args->what == IMPORTER_END)
		ret = dma_buf_end_cpu_access(dmabuf, args->dir);
	else if (args->what == IMPORTER_VMAP)
		ret = importer_vmap(dmabuf);
	dma_buf_put(dmabuf);
	return ret;
}

static int importer_fence(const struct importer_fence *args)
{
	struct importer_own_fence *own;
	struct dma_buf *dmabuf;
	int ret;

	if (args->ms > IMPORTER_FENCE_MAX_MS || args->error > 0 || args->error < -MAX_ERRNO)
		return -EINVAL;
	dmabuf = dma_buf_get(args->fd);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	ret = -ENOMEM;
	if (!sluice_compat_fence_hold())
		goto out;
	own = kzalloc(sizeof(*own), GFP_KERNEL);
	if (!own) {
		sluice_compat_fence_drop();
		goto out;
	}
	sluice_compat_fence_init(&own->fence, &importer_fence_ops, dma_fence_context_alloc(1), 1);
	timer_setup(&own->timer, importer_fence_end, 0);
	own->error = args->error;

	dma_resv_lock(dmabuf->resv, NULL);
	ret = dma_resv_reserve_fences(dmabuf->resv, 1);
	if (!ret) {
		dma_resv_add_fence(dmabuf->resv, &own->fence.base, args->write ?
				   DMA_RESV_USAGE_WRITE : DMA_RESV_USAGE_READ);
		/* the last step, because from here on the timer owns the reference to the fence */
		atomic_inc(&importer_pending);
		mod_timer(&own->timer, jiffies + msecs_to_jiffies(args->ms));
	}
	dma_resv_unlock(dmabuf->resv);
	if (ret) {
		dma_fence_signal(&own->fence.base);
		dma_fence_put(&own->fence.base);
	}
out:
	dma_buf_put(dmabuf);
	return ret;
}

static int importer_unblock(struct importer *importer)
{
	struct sluice_device *sdev = importer->blocked;
	typeof(sluice_device_unblock) *unblock;

	if (!sdev)
		return -EINVAL;
	/* symbol_get(), so that sluice.ko can be unloaded while this module is loaded */
	unblock = symbol_get(sluice_device_unblock);
	if (!unblock)
		return -ENOENT;
	unblock(sdev);
	symbol_put(sluice_device_unblock);
	importer->blocked = NULL;
	put_device(&sdev->dev);
	return 0;
}

static int importer_block(struct importer *importer, int fd)
{
	typeof(sluice_device_block) *block;
	struct sluice_device *sdev;
	struct dma_buf *dmabuf;
	int ret = -EINVAL;

	dmabuf = dma_buf_get(fd);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	if (!str_has_prefix(dmabuf->exp_name, "sluice-") || importer->blocked)
		goto out;
	sdev = ((struct sluice_buffer *)dmabuf->priv)->sdev;
	block = symbol_get(sluice_device_block);
	ret = -ENOENT;
	if (!block)
		goto out;
	importer->blocked = sdev;
	get_device(&sdev->dev);
	block(sdev);
	symbol_put(sluice_device_block);
	ret = 0;
out:
	dma_buf_put(dmabuf);
	return ret;
}

union importer_args {
	struct importer_device device;
	struct importer_pci pci;
	struct importer_attach attach;
	struct importer_map map;
	struct importer_remap remap;
	struct importer_word word;
	struct importer_cpu cpu;
	struct importer_fence fence;
};

static long importer_call(struct importer *importer, unsigned int cmd, unsigned long arg,
			  union importer_args *args)
{
	switch (cmd) {
	case IMPORTER_DEVICE:
		return importer_device(importer, &args->device);
	case IMPORTER_PCI:
		return importer_pci(importer, &args->pci);
	case IMPORTER_ATTACH:
		return importer_attach(importer, &args->attach);
	case IMPORTER_DETACH:
		return importer_detach(importer, arg);
	case IMPORTER_MAP:
		return importer_map(importer, &args->map);
	case IMPORTER_UNMAP:
		return importer_unmap(importer, arg);
	case IMPORTER_PIN:
	case IMPORTER_UNPIN:
		return importer_pin(importer, arg, cmd == IMPORTER_PIN);
	case IMPORTER_BLOCK:
		return importer_block(importer, arg);
	case IMPORTER_UNBLOCK:
		return importer_unblock(importer);
	case IMPORTER_REMAP:
		return importer_remap(importer, &args->remap);
	case IMPORTER_READ:
	case IMPORTER_WRITE:
		return importer_word(importer, &args->word, cmd == IMPORTER_WRITE);
	}
	return -ENOTTY;
}

static long importer_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct importer *importer = file->private_data;
	union importer_args args;
	long ret;

	if (_IOC_SIZE(cmd) > sizeof(args))
		return -ENOTTY;
	if (_IOC_DIR(cmd) & _IOC_WRITE &&
	    copy_from_user(&args, (void __user *)arg, _IOC_SIZE(cmd)))
		return -EFAULT;
	/* without the lock, because these calls may wait for fences */
	if (cmd == IMPORTER_CPU)
		return importer_cpu(&args.cpu);
	if (cmd == IMPORTER_FENCE)
		return importer_fence(&args.fence);
	mutex_lock(&importer->lock);
	ret = importer_call(importer, cmd, arg, &args);
	mutex_unlock(&importer->lock);
	if (ret >= 0 && _IOC_DIR(cmd) & _IOC_READ &&
	    copy_to_user((void __user *)arg, &args, _IOC_SIZE(cmd)))
		return -EFAULT;
	return ret;
}

static int importer_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct importer *importer = file->private_data;
	struct dma_buf_attachment *attachment = NULL;

	if (vma->vm_pgoff < IMPORTER_MAX)
		attachment = READ_ONCE(importer->attachments[vma->vm_pgoff]);
	return attachment ? dma_buf_mmap(attachment->dmabuf, vma, 0) : -EINVAL;
}

static int importer_open(struct inode *inode, struct file *file)
{
	struct importer *importer = kzalloc(sizeof(*importer), GFP_KERNEL);

	if (!importer)
		return -ENOMEM;
	mutex_init(&importer->lock);
	file->private_data = importer;
	return 0;
}

static int importer_release(struct inode *inode, struct file *file)
{
	struct importer *importer = file->private_data;
	unsigned int i;

	importer_unblock(importer);
	for (i = 0; i < IMPORTER_MAX; i++)
		importer_unmap(importer, i);
	for (i = 0; i < IMPORTER_MAX; i++)
		importer_detach(importer, i);
	for (i = IMPORTER_MAX; i--; )	/* backwards: a device may be borrowed twice */
		importer_leave(&importer->devices[i]);
	kfree(importer);
	return 0;
}

static const struct file_operations importer_fops = {
	.owner = THIS_MODULE,
	.open = importer_open,
	.release = importer_release,
	.unlocked_ioctl = importer_ioctl,
	.mmap = importer_mmap,
};

static struct miscdevice importer_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "sluice-importer",
	.fops = &importer_fops,
	.mode = 0600,
};

static int __init importer_init(void)
{
	return misc_register(&importer_misc);
}

static void __exit importer_exit(void)
{
	misc_deregister(&importer_misc);
	/*
	 * Wait until each fence of this module has signalled.  On newer kernels a signalled
	 * fence does not use its ops any more.  On older kernels a fence holds a reference on
	 * this module until it is freed.  The last timer may still be running code of this
	 * module.  Timers run in a softirq, for which a grace period waits.
	 */
	wait_event(importer_idle, !atomic_read(&importer_pending));
	synchronize_rcu();
	sluice_compat_fences_exit();
}

module_init(importer_init);
module_exit(importer_exit);

MODULE_DESCRIPTION("dma-buf importer for tests");
MODULE_AUTHOR("The Sluice authors");
MODULE_LICENSE("GPL");
SLUICE_IMPORT_NS(DMA_BUF);
MODULE_INFO(import_ns, "SLUICE");
