// SPDX-License-Identifier: GPL-2.0-only
/*
 * SUBMIT: from the caller's struct to a published job.  See submit.h.
 */
#include <linux/file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "compat/fence.h"
#include "deps.h"
#include "device.h"
#include "dispatch.h"
#include "ioctl.h"
#include "job.h"
#include "op.h"
#include "queue.h"
#include "submit.h"
#include "trace.h"

#define SLUICE_SUBMIT_INLINE_OPS	8	/* ops whose slot numbers are on the stack */

/* SUBMIT publishes a job with preemption off only if the job has at most so many of them. */
#define SLUICE_SUBMIT_NOW_RESVS		16
#define SLUICE_SUBMIT_NOW_FENCES	64

#define SLUICE_SUBMIT_ALL \
	(SLUICE_SUBMIT_OUT_FENCE | SLUICE_SUBMIT_NO_COMPLETION | SLUICE_SUBMIT_IGNORE_ERRORS | \
	 SLUICE_SUBMIT_CYCLIC | SLUICE_SUBMIT_STOP_ON_XRUN)

static int sluice_submit_check(const struct sluice_submit *args)
{
	if (args->flags & ~SLUICE_SUBMIT_ALL || args->fd_flags & ~SLUICE_FD_INHERIT)
		return -EINVAL;
	if (args->op_size && args->op_size < SLUICE_OP_SIZE_V1)
		return -EINVAL;
	if (args->num_ops > SLUICE_MAX_OPS || args->num_in_fences > SLUICE_MAX_IN_FENCES ||
	    args->op_size > SLUICE_MAX_RECORD_SIZE)
		return -E2BIG;
	if (!IS_ENABLED(CONFIG_SYNC_FILE) &&
	    (args->num_in_fences || args->flags & SLUICE_SUBMIT_OUT_FENCE))
		return -EOPNOTSUPP;
	return 0;
}

/*
 * Check the rules for CYCLIC jobs.  A CYCLIC job need not end, so it must not have a fence.
 * Therefore it has no out-fence, and all its slots are EXPLICIT, of exporters without a pin op:
 * only such a slot has no entry in job->resv.  The job also needs an exclusive queue.
 */
static int sluice_submit_check_cyclic(const struct sluice_job *job)
{
	u32 flags = job->base.flags;
	unsigned int i, j;

	if (!(flags & SLUICE_SUBMIT_CYCLIC))
		return flags & SLUICE_SUBMIT_STOP_ON_XRUN ? -EINVAL : 0;
	if (!job->queue->exclusive || !job->base.num_ops || job->notify ||
	    flags & SLUICE_SUBMIT_OUT_FENCE)
		return -EINVAL;
	for (i = 0; i < job->base.num_ops; i++) {
		const struct sluice_op_desc *op = &job->ops[i];

		if (op->kind != SLUICE_OP_CAPTURE && op->kind != SLUICE_OP_PLAYBACK)
			return -EINVAL;
		for (j = 0; j < op->num_ranges; j++)
			if (!(op->ranges[j].slot->flags & SLUICE_ATTACH_EXPLICIT))
				return -EINVAL;
	}
	return job->resv.num_fences ? -EOPNOTSUPP : 0;
}

static struct dma_fence *sluice_submit_fence_from_fd(int fd)
{
	struct dma_fence *fence = sluice_compat_sync_file_fence(fd);
	struct file *file;

	if (fence)
		return fence;
	file = fget(fd);
	if (!file)
		return ERR_PTR(-EBADF);
	fput(file);
	return ERR_PTR(-EINVAL);
}

static int sluice_submit_copy_in_fences(struct sluice_job *job, const struct sluice_submit *args)
{
	s32 fds[SLUICE_MAX_IN_FENCES];
	unsigned int i;
	int ret;

	if (copy_from_user(fds, u64_to_user_ptr(args->in_fences),
			   args->num_in_fences * sizeof(fds[0])))
		return -EFAULT;
	for (i = 0; i < args->num_in_fences; i++) {
		struct dma_fence *fence = sluice_submit_fence_from_fd(fds[i]);

		if (IS_ERR(fence))
			return PTR_ERR(fence);
		ret = sluice_deps_add_explicit(job, fence);
		if (ret)
			return ret;
	}
	return 0;
}

static int sluice_submit_make_fence(struct sluice_job *job)
{
	const struct sluice_timeline *timeline = &job->queue->timeline;

	job->base.fence = sluice_fence_create(timeline->name);
	if (!job->base.fence)
		return -ENOMEM;
	sluice_fence_init(job->base.fence, timeline->context, job->base.point);
	return 0;
}

/* Choose the point, make the out-fence if the caller wants one, and copy both to the caller. */
static int sluice_submit_answer(struct sluice_job *job, struct sluice_call *call,
				struct sluice_submit *args)
{
	struct file *file;
	int ret;

	job->base.point = job->queue->submitted + 1;
	args->point = job->base.point;
	args->out_fence = -1;
	if (args->flags & SLUICE_SUBMIT_OUT_FENCE) {
		ret = sluice_submit_make_fence(job);
		if (ret)
			return ret;
		ret = sluice_call_reserve_fd(call, args->fd_flags);
		if (ret < 0)
			return ret;
		file = sluice_compat_sync_file(job->base.fence);
		if (IS_ERR(file))
			return PTR_ERR(file);
		call->install = file;
		args->out_fence = call->fd;
	}
	return sluice_call_copy_out(call);
}

static void sluice_submit_trace_deps(const struct sluice_sched_job *job)
{
	unsigned int i;

	for (i = 0; i < job->num_deps && trace_sluice_job_wait_enabled(); i++)
		if (job->deps[i].pending)
			trace_sluice_job_wait(job, job->deps[i].fence, job->deps[i].explicit);
}

/* Add the fence of the job to its buffers.  Their dma_resv are held, and have room. */
static void sluice_submit_add_fences(const struct sluice_job *job)
{
	unsigned int i;

	for (i = 0; i < job->resv.num_entries; i++) {
		const struct sluice_resv_entry *entry = &job->resv.entries[i];

		if (!entry->locked_only)
			dma_resv_add_fence(entry->resv, job->base.fence, entry->usage);
	}
}

/*
 * Put the job on the timeline, add its fence to the buffers, and give it to the engine.  As soon as
 * the job is on the timeline, the engine may end it, because the queue may be killed.  The
 * reference of the caller keeps the job alive.
 *
 * Other tasks can see the fence before sluice_dispatch_submit() has let the job run.  In between,
 * the fence depends on this task, so preemption is off.  There are two exceptions: preemption would
 * be off for too long, because the job has many buffers or in-fences; or the spinlocks of the
 * kernel sleep (PREEMPT_RT).  In both cases the time limit for in-fences also limits this delay.
 */
static int sluice_submit_publish(struct sluice_job *job)
{
	bool now = !IS_ENABLED(CONFIG_PREEMPT_RT) &&
		   job->resv.num_entries <= SLUICE_SUBMIT_NOW_RESVS &&
		   job->base.num_deps <= SLUICE_SUBMIT_NOW_FENCES;
	bool signalling;
	int ret;

	job->base.submitted = jiffies;
	job->base.preempted = !now;
	sluice_deps_examine(job);
	kref_get(&job->ref);	/* for the engine */
	signalling = dma_fence_begin_signalling();
	if (now)
		preempt_disable();
	ret = sluice_queue_add_job(job->queue, &job->base);
	if (!ret) {
		trace_sluice_job_submit(&job->base, 0);
		sluice_submit_add_fences(job);
		sluice_submit_trace_deps(&job->base);
		sluice_dispatch_submit(&job->base, now);
	}
	if (now)
		preempt_enable();
	dma_fence_end_signalling(signalling);
	/* the reference for the engine; the caller has another one */
	if (ret)
		sluice_job_put(job);
	return ret;
}

/* The steps "lock" and "publish". */
static int sluice_submit_lock_and_publish(struct sluice_job *job)
{
	struct ww_acquire_ctx ctx;
	int ret;

	ret = sluice_resv_lock(&job->resv, &ctx);
	if (ret)
		return ret;
	/* a later revocation waits for the dma_resv, then finds the job's fence and ends the job */
	ret = sluice_job_is_revoked(job) ? -ENODEV : 0;
	if (!ret && job->resv.num_entries)
		ret = sluice_deps_collect_implicit(job);
	if (!ret && job->base.num_deps)
		ret = sluice_deps_prepare(job);
	if (!ret)
		ret = sluice_op_place_all(job);
	if (!ret)
		ret = sluice_submit_publish(job);
	sluice_resv_unlock(&job->resv, &ctx);
	return ret;
}

/* Collect the dma_resv of all slots of the job in job->resv. */
static void sluice_submit_collect_resvs(struct sluice_job *job)
{
	unsigned int i, j;

	for (i = 0; i < job->base.num_ops; i++)
		for (j = 0; j < job->ops[i].num_ranges; j++)
			sluice_resv_add(&job->resv, job->ops[i].ranges[j].slot,
					job->ops[i].ranges[j].write);
}

/*
 * The steps from "answer" to "publish".  queue->submit_lock is held, so no other job takes the
 * point.
 */
static int sluice_submit_locked(struct sluice_job *job, struct sluice_call *call,
				struct sluice_submit *args, u32 (*slots)[SLUICE_MAX_PLANES])
{
	struct sluice_device *sdev = job->queue->sdev;
	int ret;

	ret = sluice_submit_answer(job, call, args);
	if (ret)
		return ret;
	/*
	 * The removal of the device waits until the job has ended.  No fault on user memory is
	 * possible from here on, so this wait is bounded.
	 */
	job->entered = sluice_device_enter(sdev);
	if (!job->entered)
		return -ENODEV;
	if (sluice_job_has_lists(job)) {
		ret = sluice_device_wake(sdev);
		if (ret)
			return ret;
		job->awake = true;
	}
	if (job->base.num_ops)
		ret = sluice_op_resolve_all(job, slots);
	if (ret)
		return ret;
	sluice_submit_collect_resvs(job);
	ret = sluice_submit_check_cyclic(job);
	if (ret)
		return ret;
	/* a job without buffers that get its fence has no fence, unless the caller asks for one */
	if (job->resv.num_fences && !job->base.fence) {
		ret = sluice_submit_make_fence(job);
		if (ret)
			return ret;
	}
	return sluice_submit_lock_and_publish(job);
}

/*
 * For io_uring only a fatal signal ends the wait for the lock.  Pending task work of io_uring would
 * end an interruptible wait as a signal does, and io_uring does not restart a command.
 */
static int sluice_submit_lock(struct sluice_job *job)
{
	if (job->notify)
		return mutex_lock_killable(&job->queue->submit_lock);
	return mutex_lock_interruptible(&job->queue->submit_lock);
}

/* All steps, for a job that has just been created. */
static int sluice_submit_copy_and_publish(struct sluice_job *job, struct sluice_call *call,
					  struct sluice_submit *args,
					  u32 (*slots)[SLUICE_MAX_PLANES])
{
	struct sluice_queue *queue = job->queue;
	int ret;

	ret = sluice_op_copy_all(job, args, slots);
	if (ret)
		return ret;
	/* skip it without in-fences: the compiler may zero-initialise the large array in it */
	if (args->num_in_fences)
		ret = sluice_submit_copy_in_fences(job, args);
	if (ret)
		return ret;
	ret = sluice_submit_lock(job);
	if (ret)
		return ret;
	ret = sluice_queue_reserve(queue, 1);
	if (!ret) {
		ret = sluice_submit_locked(job, call, args, slots);
		if (ret)
			sluice_queue_unreserve(queue, 1);
	}
	mutex_unlock(&queue->submit_lock);
	return ret;
}

/**
 * sluice_submit_job - handler of SUBMIT
 * @call: the call; its fd is set to the out-fence
 * @queue: the queue
 * @args: arguments of SUBMIT
 * @notify: waiter for the end of the job, which then gets no completion for read(); or NULL
 * @notify_ops: functions of @notify
 *
 * Context: may sleep.
 * Return: 0, or an errno from the list at struct sluice_submit.  After an error nothing has been
 * submitted.
 */
int sluice_submit_job(struct sluice_call *call, struct sluice_queue *queue,
		      struct sluice_submit *args, struct sluice_job_notify *notify,
		      const struct sluice_job_notify_ops *notify_ops)
{
	u32 inline_slots[SLUICE_SUBMIT_INLINE_OPS][SLUICE_MAX_PLANES];
	u32 (*slots)[SLUICE_MAX_PLANES] = inline_slots;
	struct sluice_job *job;
	int ret;

	ret = sluice_submit_check(args);
	if (ret)
		return ret;
	job = sluice_job_create(queue, args, notify, notify_ops);
	if (!job)
		return -ENOMEM;
	if (args->num_ops > SLUICE_SUBMIT_INLINE_OPS)
		slots = kmalloc_array(args->num_ops, sizeof(*slots), GFP_KERNEL_ACCOUNT);
	ret = slots ? sluice_submit_copy_and_publish(job, call, args, slots) : -ENOMEM;
	if (slots != inline_slots)
		kfree(slots);
	if (ret)	/* the job was never published, so no other context uses it */
		sluice_job_destroy(job);
	else
		sluice_job_put(job);
	return ret == -EINTR ? -ERESTARTSYS : ret;
}
