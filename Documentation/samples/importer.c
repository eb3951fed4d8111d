// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sample of a kernel module that works on dma-bufs in the order of fences.  It takes a
 * dma-buf and an in-fence, works on the memory with the CPU, and signals a fence of its own.
 * importer.h describes the interface for callers, and Documentation/tutorial.md explains each
 * step.
 *
 * The module uses only the kernel's interfaces for dma-bufs and fences, and nothing of
 * Sluice.  It accepts the memory of any exporter and the fence of any driver.  compat/ is
 * included for older kernels only.
 *
 * The life of a job:
 *
 *	created		by the ioctl, which also maps the memory
 *	published	its fence is put on the dma-buf, with the dma_resv held
 *	begun		once: when the last fence that it waits for signals, or by its timer
 *	run		by a work item of sample_wq, which signals the fence
 *	buried		freed, by a work item of sample_bury_wq
 *
 * From the publishing until the signal, nothing is allocated and no dma_resv is taken.
 */
#include <linux/dma-buf.h>
#include <linux/dma-fence-unwrap.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/file.h>
#include <linux/iosys-map.h>
#include <linux/list.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/overflow.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/swiotlb.h>
#include <linux/timer.h>
#include <linux/uaccess.h>
#include <linux/workqueue.h>

#include "compat/dma-buf.h"
#include "compat/fence.h"
#include "compat/module.h"
#include "compat/timer.h"
#include "importer.h"

/**
 * struct sample_dep - a fence that a job waits for
 * @job: the job
 * @fence: reference held
 * @cb: the callback on @fence
 * @armed: @cb was added to @fence and must be removed
 * @explicit: the fence is the in-fence of the caller, or a part of it: if it fails, so does the job
 */
struct sample_dep {
	struct sample_job *job;
	struct dma_fence *fence;
	struct dma_fence_cb cb;
	bool armed;
	bool explicit;
};

/**
 * struct sample_buffer - a dma-buf that jobs work on, mapped once for all of them
 * @ref: one reference for each job
 * @dmabuf: reference held
 * @attach: the attachment of sample_device
 * @sgt: mapped in both directions, because the CPU reads and writes
 * @map: the kernel mapping
 * @link: in sample_buffers, guarded by sample_lock
 */
struct sample_buffer {
	struct kref ref;
	struct dma_buf *dmabuf;
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;
	struct iosys_map map;
	struct list_head link;
};

/**
 * struct sample_job - a range to be inverted
 * @ref: one reference is held by the ioctl, and one from the publishing until the end of @run
 * @buffer: reference held
 * @offset: bytes from the start of the dma-buf; checked
 * @length: bytes; checked
 * @fence: the out-fence, which is also on the dma-buf; reference held
 * @waiting: number of deps that have not signalled, plus one until the job is published
 * @begun: 1 if @run was queued.  The context that changes it from 0 to 1 queues @run
 * @timer: begins the job if its deps take too long
 * @run: work item of sample_wq: inverts the range
 * @bury: work item of sample_bury_wq: frees the job
 * @num_deps: length of @deps
 * @deps: the fences to wait for; they do not change after the publishing
 */
struct sample_job {
	struct kref ref;
	struct sample_buffer *buffer;
	u64 offset;
	u64 length;
	struct dma_fence *fence;
	atomic_t waiting;
	atomic_t begun;
	struct timer_list timer;
	struct work_struct run;
	struct work_struct bury;
	unsigned int num_deps;
	struct sample_dep deps[];
};

static struct platform_device *sample_device;
static struct workqueue_struct *sample_wq;
static struct workqueue_struct *sample_bury_wq;
static atomic_t sample_jobs = ATOMIC_INIT(0);
static LIST_HEAD(sample_buffers);
/* guards sample_buffers; taken outside the dma_resv, never in the signalling path */
static DEFINE_MUTEX(sample_lock);

/* The fence */

static const char *sample_fence_name(struct dma_fence *fence)
{
	return "sluice-sample";
}

static const struct dma_fence_ops sample_fence_ops = {
	SLUICE_COMPAT_FENCE_OPS
	.get_driver_name = sample_fence_name,
	.get_timeline_name = sample_fence_name,
};

/* Each fence has a timeline of its own, because jobs may end in any order. */
static struct dma_fence *sample_fence_create(void)
{
	struct sluice_compat_fence *fence;

	if (!sluice_compat_fence_hold())
		return NULL;
	fence = kzalloc(sizeof(*fence), GFP_KERNEL_ACCOUNT);
	if (!fence) {
		sluice_compat_fence_drop();
		return NULL;
	}
	sluice_compat_fence_init(fence, &sample_fence_ops, dma_fence_context_alloc(1), 1);
	return &fence->base;
}

/* The memory */

/*
 * Attach and map the dma-buf.  This may sleep, wait and fail, so it is done before the
 * publishing.  The mapping also pins memory that could otherwise move.
 */
static int sample_buffer_map(struct sample_buffer *buffer)
{
	struct device *dev = &sample_device->dev;
	int ret;

	/* the unmap of a bounced mapping would overwrite the memory that the CPU has written */
	if (is_swiotlb_force_bounce(dev))
		return -EADDRNOTAVAIL;
	buffer->attach = dma_buf_attach(buffer->dmabuf, dev);
	if (IS_ERR(buffer->attach))
		return PTR_ERR(buffer->attach);
	buffer->sgt = dma_buf_map_attachment_unlocked(buffer->attach, DMA_BIDIRECTIONAL);
	if (IS_ERR(buffer->sgt)) {
		ret = PTR_ERR(buffer->sgt);
		goto err_detach;
	}
	ret = dma_buf_vmap_unlocked(buffer->dmabuf, &buffer->map);
	if (ret) {
		ret = ret == -EINVAL ? -EOPNOTSUPP : ret;
		goto err_unmap;
	}
	if (!buffer->map.is_iomem)
		return 0;
	ret = -EOPNOTSUPP;
	dma_buf_vunmap_unlocked(buffer->dmabuf, &buffer->map);
err_unmap:
	dma_buf_unmap_attachment_unlocked(buffer->attach, buffer->sgt, DMA_BIDIRECTIONAL);
err_detach:
	dma_buf_detach(buffer->dmabuf, buffer->attach);
	return ret;
}

/* Find or create the mapping of a dma-buf.  Return: the buffer, with a reference for a job. */
static struct sample_buffer *sample_buffer_get(struct dma_buf *dmabuf)
{
	struct sample_buffer *buffer;
	int ret;

	ret = mutex_lock_interruptible(&sample_lock);
	if (ret)
		return ERR_PTR(ret);
	list_for_each_entry(buffer, &sample_buffers, link) {
		if (buffer->dmabuf == dmabuf) {
			kref_get(&buffer->ref);
			goto out;
		}
	}
	buffer = kzalloc(sizeof(*buffer), GFP_KERNEL_ACCOUNT);
	if (!buffer) {
		buffer = ERR_PTR(-ENOMEM);
		goto out;
	}
	kref_init(&buffer->ref);
	buffer->dmabuf = dmabuf;
	ret = sample_buffer_map(buffer);
	if (ret) {
		kfree(buffer);
		buffer = ERR_PTR(ret);
		goto out;
	}
	get_dma_buf(dmabuf);
	list_add(&buffer->link, &sample_buffers);
out:
	mutex_unlock(&sample_lock);
	return buffer;
}

/*
 * Release a buffer.  The dma_resv is taken here.  sample_lock is held until the dma-buf is
 * detached, so that sample_buffer_get() does not create a second mapping before that.
 */
static void sample_buffer_release(struct kref *ref)
{
	struct sample_buffer *buffer = container_of(ref, struct sample_buffer, ref);

	list_del(&buffer->link);
	dma_buf_vunmap_unlocked(buffer->dmabuf, &buffer->map);
	dma_buf_unmap_attachment_unlocked(buffer->attach, buffer->sgt, DMA_BIDIRECTIONAL);
	dma_buf_detach(buffer->dmabuf, buffer->attach);
	mutex_unlock(&sample_lock);
	dma_buf_put(buffer->dmabuf);
	kfree(buffer);
}

/* The end of a job: outside the signalling path, because to release a buffer takes a dma_resv */

static void sample_job_free(struct sample_job *job)
{
	unsigned int i;

	for (i = 0; i < job->num_deps; i++)
		dma_fence_put(job->deps[i].fence);
	if (job->buffer)
		kref_put_mutex(&job->buffer->ref, sample_buffer_release, &sample_lock);
	if (job->fence) {
		/* the job was not published.  Signal its fence: then the fence needs no module */
		if (!dma_fence_is_signaled(job->fence)) {
			dma_fence_set_error(job->fence, -ECANCELED);
			dma_fence_signal(job->fence);
		}
		dma_fence_put(job->fence);
	}
	kvfree(job);
	atomic_dec(&sample_jobs);
	/* only the return of the work function is left, and sample_exit() waits for that */
	module_put(THIS_MODULE);
}

static void sample_bury(struct work_struct *work)
{
	sample_job_free(container_of(work, struct sample_job, bury));
}

static void sample_job_release(struct kref *ref)
{
	queue_work(sample_bury_wq, &container_of(ref, struct sample_job, ref)->bury);
}

/* The work, in the signalling path: no allocation with GFP_KERNEL, no dma_resv */

/*
 * Pass the range to the CPU, or back to the device.  The bus addresses of the module's own
 * mapping are used, because an importer may not look at the pages.
 * dma_buf_begin_cpu_access() is not usable here: it waits for all fences on the dma-buf, and
 * one of them is the fence of this job.
 */
static void sample_sync(struct sample_job *job, bool for_cpu)
{
	struct device *dev = &sample_device->dev;
	u64 offset = job->offset, left = job->length;
	struct scatterlist *sg;
	int i;

	for_each_sgtable_dma_sg(job->buffer->sgt, sg, i) {
		u64 segment = sg_dma_len(sg), part;

		if (offset >= segment) {
			offset -= segment;
			continue;
		}
		part = min(left, segment - offset);
		if (for_cpu)
			dma_sync_single_for_cpu(dev, sg_dma_address(sg) + offset, part,
						DMA_BIDIRECTIONAL);
		else
			dma_sync_single_for_device(dev, sg_dma_address(sg) + offset, part,
						   DMA_BIDIRECTIONAL);
		offset = 0;
		left -= part;
		if (!left)
			break;
	}
}

static void sample_invert(struct sample_job *job)
{
	u8 *byte = job->buffer->map.vaddr + job->offset, *end = byte + job->length;

	while (byte < end) {
		u8 *stop = byte + min_t(size_t, end - byte, SZ_64K);

		for (; byte < stop; byte++)
			*byte = ~*byte;
		cond_resched();
	}
}

/*
 * Remove the callbacks, and find out how the fences ended.  dma_fence_remove_callback() takes
 * the lock of the fence, so no callback runs afterwards.
 *
 * Errors of implicit fences are ignored.  Whether a failed fence is still on the dma-buf
 * depends on chance, and the result of a job must not.
 * Return: 0; -ETIME if a fence has not signalled; -ECANCELED if an explicit fence failed.
 */
static int sample_job_settle(struct sample_job *job)
{
	unsigned int i;
	int error = 0;

	for (i = 0; i < job->num_deps; i++) {
		struct sample_dep *dep = &job->deps[i];
		int status;

		if (dep->armed)
			dma_fence_remove_callback(dep->fence, &dep->cb);
		status = dma_fence_get_status(dep->fence);
		if (!status)
			error = -ETIME;
		else if (status < 0 && dep->explicit && !error)
			error = -ECANCELED;
	}
	return error;
}

static void sample_run(struct work_struct *work)
{
	struct sample_job *job = container_of(work, struct sample_job, run);
	bool signalling = dma_fence_begin_signalling();
	int error;

	timer_delete_sync(&job->timer);
	error = sample_job_settle(job);
	if (!error) {
		sample_sync(job, true);
		sample_invert(job);
		sample_sync(job, false);
	} else {
		dma_fence_set_error(job->fence, error);
	}
	dma_fence_signal(job->fence);
	dma_fence_end_signalling(signalling);
	kref_put(&job->ref, sample_job_release);
}

/* Begin the job, if it has not begun.  Context: any. */
static void sample_job_begin(struct sample_job *job)
{
	if (!atomic_xchg(&job->begun, 1))
		queue_work(sample_wq, &job->run);
}

static void sample_dep_done(struct sample_job *job)
{
	if (atomic_dec_and_test(&job->waiting))
		sample_job_begin(job);
}

/* Context: any in which a foreign fence signals.  The lock of this fence is held. */
static void sample_dep_callback(struct dma_fence *fence, struct dma_fence_cb *cb)
{
	sample_dep_done(container_of(cb, struct sample_dep, cb)->job);
}

static void sample_timer(struct timer_list *timer)
{
	struct sample_job *job = timer_container_of(job, timer, timer);

	sample_job_begin(job);
}

/* The call */

static void sample_job_add_dep(struct sample_job *job, struct dma_fence *fence, bool explicit)
{
	job->deps[job->num_deps++] = (struct sample_dep) {
		.job = job, .fence = fence, .explicit = explicit,
	};
}

/*
 * Create a job with its explicit deps, and room for one implicit dep.  If the in-fence
 * consists of several fences, each of them becomes a dep: a chain of fences does not report
 * the errors of its parts.
 */
static struct sample_job *sample_job_create(struct dma_fence *in_fence)
{
	struct dma_fence_unwrap cursor;
	unsigned int explicit = 0;
	struct dma_fence *fence;
	struct sample_job *job;

	dma_fence_unwrap_for_each(fence, &cursor, in_fence)
		explicit++;
	job = kvzalloc(struct_size(job, deps, explicit + 1), GFP_KERNEL_ACCOUNT);
	if (!job)
		return NULL;
	/* do not leave the loop early, because its end drops the references of the walk */
	dma_fence_unwrap_for_each(fence, &cursor, in_fence)
		if (job->num_deps < explicit)
			sample_job_add_dep(job, dma_fence_get(fence), true);
	kref_init(&job->ref);
	timer_setup(&job->timer, sample_timer, 0);
	INIT_WORK(&job->run, sample_run);
	INIT_WORK(&job->bury, sample_bury);
	/* the open file also holds the module, but the job may exist longer than the file */
	__module_get(THIS_MODULE);
	return job;
}

static int sample_job_set_range(struct sample_job *job, const struct dma_buf *dmabuf,
				const struct sample_invert *args)
{
	u64 end;

	if (args->flags || !args->length ||
	    check_add_overflow(args->offset, args->length, &end) || end > dmabuf->size)
		return -EINVAL;
	if (args->length > SAMPLE_MAX_LENGTH)
		return -E2BIG;
	if (!(dmabuf->file->f_mode & FMODE_WRITE))
		return -EACCES;
	job->offset = args->offset;
	job->length = args->length;
	return 0;
}

/* Set the range and the memory of a job. */
static int sample_job_set_memory(struct sample_job *job, const struct sample_invert *args)
{
	struct dma_buf *dmabuf = dma_buf_get(args->fd);
	struct sample_buffer *buffer;
	int ret;

	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	ret = sample_job_set_range(job, dmabuf, args);
	if (!ret) {
		buffer = sample_buffer_get(dmabuf);
		if (IS_ERR(buffer))
			ret = PTR_ERR(buffer);
		else
			job->buffer = buffer;
	}
	dma_buf_put(dmabuf);
	return ret;
}

/*
 * Publish the job's fence, and wait for the fences that were there before.  The dma_resv is
 * held during both, so that no other fence can come between them.
 */
static int sample_job_publish(struct sample_job *job)
{
	struct dma_resv *resv = job->buffer->dmabuf->resv;
	struct dma_fence *implicit = NULL;
	bool signalling;
	unsigned int i;
	int ret;

	ret = dma_resv_lock_interruptible(resv, NULL);
	if (ret)
		return ret;
	/* first what can fail: room for the fence, and the fences that a writer waits for */
	ret = dma_resv_reserve_fences(resv, 1);
	if (!ret)
		ret = dma_resv_get_singleton(resv, dma_resv_usage_rw(true), &implicit);
	if (ret)
		goto out;
	if (implicit)
		sample_job_add_dep(job, implicit, false);

	/* from here on nothing can fail or be undone */
	kref_get(&job->ref);
	atomic_set(&job->waiting, 1 + job->num_deps);
	signalling = dma_fence_begin_signalling();
	dma_resv_add_fence(resv, job->fence, DMA_RESV_USAGE_WRITE);
	for (i = 0; i < job->num_deps; i++) {
		struct sample_dep *dep = &job->deps[i];

		dep->armed = !dma_fence_add_callback(dep->fence, &dep->cb, sample_dep_callback);
		if (!dep->armed)
			sample_dep_done(job);
	}
	mod_timer(&job->timer, jiffies + msecs_to_jiffies(SAMPLE_TIMEOUT_MS));
	sample_dep_done(job);
	dma_fence_end_signalling(signalling);
out:
	dma_resv_unlock(resv);
	return ret;
}

/*
 * Submit a job.  The caller's struct is written before the publishing, while everything can
 * still be undone.  After the publishing there is no access to user memory.
 */
static int sample_job_submit(struct sample_job *job, struct sample_invert __user *user)
{
	struct file *file;
	int fd, ret;

	job->fence = sample_fence_create();
	if (!job->fence)
		return -ENOMEM;
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;
	file = sluice_compat_sync_file(job->fence);
	if (IS_ERR(file)) {
		ret = PTR_ERR(file);
		goto err_fd;
	}
	ret = put_user(fd, &user->out_fence);
	if (ret)
		goto err_file;
	ret = sample_job_publish(job);
	if (ret)
		goto err_file;
	fd_install(fd, file);
	return 0;

err_file:
	fput(file);
err_fd:
	put_unused_fd(fd);
	return ret;
}

static int sample_call(struct sample_invert __user *user)
{
	struct dma_fence *in_fence = NULL;
	struct sample_invert args;
	struct sample_job *job;
	int ret;

	if (copy_from_user(&args, user, sizeof(args)))
		return -EFAULT;
	if (args.in_fence != -1) {
		in_fence = sluice_compat_sync_file_fence(args.in_fence);
		if (!in_fence)
			return -EINVAL;
	}
	job = sample_job_create(in_fence);
	dma_fence_put(in_fence);
	if (!job)
		return -ENOMEM;
	if (atomic_inc_return(&sample_jobs) > SAMPLE_MAX_JOBS)
		ret = -EBUSY;
	else
		ret = sample_job_set_memory(job, &args);
	if (!ret)
		ret = sample_job_submit(job, user);
	if (ret)	/* it was not published, so there is no other reference */
		sample_job_free(job);
	else
		kref_put(&job->ref, sample_job_release);
	return ret;
}

static long sample_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	int ret;

	if (cmd != SAMPLE_INVERT)
		return -ENOTTY;
	ret = sample_call((struct sample_invert __user *)arg);
	return ret == -EINTR ? -ERESTARTSYS : ret;
}

static const struct file_operations sample_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = sample_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

static struct miscdevice sample_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "sluice-sample",
	.fops = &sample_fops,
	.mode = 0600,
};

/*
 * Create the device that attaches dma-bufs.  It can address all memory, and has no driver.
 * If the devices of the machine do not snoop the caches, this device does not either: its
 * syncs then do the cache maintenance.
 */
static int __init sample_device_init(void)
{
	struct platform_device_info info = {
		.name = "sluice-sample",
		.id = PLATFORM_DEVID_NONE,
		.dma_mask = DMA_BIT_MASK(64),
	};
	int ret;

	sample_device = platform_device_register_full(&info);
	if (IS_ERR(sample_device))
		return PTR_ERR(sample_device);
	ret = dma_set_mask_and_coherent(&sample_device->dev, info.dma_mask);
	if (ret) {
		platform_device_unregister(sample_device);
		return ret;
	}
	dma_set_max_seg_size(&sample_device->dev, UINT_MAX);
	return 0;
}

static int __init sample_init(void)
{
	int ret = -ENOMEM;

	/* fences depend on it: WQ_MEM_RECLAIM, so that it needs no memory for a new thread */
	sample_wq = alloc_workqueue("sluice-sample", WQ_MEM_RECLAIM | WQ_UNBOUND, 0);
	if (!sample_wq)
		return ret;
	/* its work may wait for a dma_resv whose holder waits for a fence of sample_wq */
	sample_bury_wq = alloc_workqueue("sluice-sample-bury", WQ_UNBOUND, 0);
	if (!sample_bury_wq)
		goto err_wq;
	ret = sample_device_init();
	if (ret)
		goto err_bury_wq;
	ret = misc_register(&sample_misc);
	if (ret)
		goto err_device;
	return 0;

err_device:
	platform_device_unregister(sample_device);
err_bury_wq:
	destroy_workqueue(sample_bury_wq);
err_wq:
	destroy_workqueue(sample_wq);
	return ret;
}

/*
 * No job exists here, because each job holds the module.  The end of a work function may
 * still run; destroy_workqueue() waits for it.  Fences may still exist on newer kernels,
 * where a signalled fence does not use its ops any more.  On older kernels each fence holds
 * the module until it is freed.
 */
static void __exit sample_exit(void)
{
	misc_deregister(&sample_misc);
	destroy_workqueue(sample_wq);
	destroy_workqueue(sample_bury_wq);
	platform_device_unregister(sample_device);
	sluice_compat_fences_exit();
}

module_init(sample_init);
module_exit(sample_exit);

MODULE_DESCRIPTION("Sample: works on dma-bufs in the order of fences");
MODULE_AUTHOR("The Sluice authors");
MODULE_LICENSE("GPL");
SLUICE_IMPORT_NS(DMA_BUF);
