// SPDX-License-Identifier: GPL-2.0-only
/*
 * Jobs: from SUBMIT to the grave.  This file reads as a job's life:
 *
 *	copy	the ops and in-fence fds from the caller
 *	resolve	slots, ranges, fences; everything that can be refused is
 *	lock	the dma_resv of each buffer, and collect what to wait for
 *	publish	the fence, on the queue and on the buffers: no way back
 *	(run	engine.c)
 *	reap	drop references, in a context that may take dma_resv
 *
 * Nothing after publish allocates or takes a dma_resv on the way to the
 * fence's signal.  User memory is touched before any slot is held or dma_resv
 * locked, the last time to tell the caller the point and the fence's fd: what
 * follows may fail, but not for a fault.
 */
#include <linux/dma-fence-unwrap.h>
#include <linux/file.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/uaccess.h>

#include "core.h"
#include "trace.h"

#define SLUICE_MAX_OP_SIZE	256

#define SLUICE_SUBMIT_ALL \
	(SLUICE_SUBMIT_OUT_FENCE | SLUICE_SUBMIT_NO_COMPLETION | SLUICE_SUBMIT_IGNORE_ERRORS)

/* Reap */

static void sluice_job_free(struct sluice_job *job)
{
	struct sluice_device *sdev = job->queue->sdev;
	unsigned int i;
	bool entered;

	for (i = 0; i < job->num_deps; i++) {
		struct sluice_dep *dep = &job->deps[i];

		/* takes the fence's lock: the callback is not running afterwards */
		if (dep->armed)
			dma_fence_remove_callback(dep->fence, &dep->cb);
		dma_fence_put(dep->fence);
	}
	for (i = 0; i < job->num_steps; i++) {
		sluice_slot_put(job->steps[i].dst);
		sluice_slot_put(job->steps[i].src);
	}
	dma_fence_put(job->fence);
	kfree(job->deps);
	kfree(job->claims);
	sluice_queue_put(job->queue);
	entered = job->entered;
	kvfree(job);
	sluice_object_dec(SLUICE_OBJECT_JOB);
	if (entered)
		sluice_device_exit(sdev);
}

/**
 * sluice_job_reap - free jobs that have ended
 * @work: the device's reap_work
 *
 * Context: may sleep and take dma_resv.
 */
void sluice_job_reap(struct work_struct *work)
{
	struct sluice_device *sdev = container_of(work, struct sluice_device, reap_work);
	struct llist_node *list = llist_del_all(&sdev->reap_list);
	struct sluice_job *job, *next;

	/* after the last job sdev may be on its way out: see sluice_device_exit() */
	llist_for_each_entry_safe(job, next, list, reap) {
		sluice_job_free(job);
		cond_resched();
	}
}

static void sluice_job_release(struct kref *ref)
{
	struct sluice_job *job = container_of(ref, struct sluice_job, ref);
	struct sluice_device *sdev = job->queue->sdev;

	if (llist_add(&job->reap, &sdev->reap_list))
		queue_work(sdev->reap_wq, &sdev->reap_work);
}

/**
 * sluice_job_put - drop a reference
 * @job: the job
 *
 * Context: any.
 */
void sluice_job_put(struct sluice_job *job)
{
	kref_put(&job->ref, sluice_job_release);
}

/* Copy */

static int sluice_step_copy(struct sluice_step *step, struct sluice_op *op)
{
	step->kind = op->kind;
	step->dst_offset = op->dst_offset;
	step->src_offset = op->src_offset;
	step->length = op->length;
	switch (op->kind) {
	case SLUICE_OP_COPY:
		if (op->pad[0] || op->pad[1] || op->pad[2])
			return -EINVAL;
		break;
	case SLUICE_OP_FILL:
		if (op->src || op->src_offset || op->value > U32_MAX || op->pad[1] || op->pad[2])
			return -EINVAL;
		step->value = op->value;
		break;
	case SLUICE_OP_CAPTURE:
		if (op->src || op->src_offset || op->pad[2])
			return -EINVAL;
		step->frame.width = op->frame.width;
		step->frame.height = op->frame.height;
		step->frame.stride = op->frame.stride;
		step->frame.format = op->frame.format;
		break;
	default:
		return -EINVAL;
	}
	return op->flags ? -EINVAL : 0;
}

/* The numbers of the slots are kept aside until the slots may be held. */
static int sluice_job_copy_ops(struct sluice_job *job, const struct sluice_submit *args,
			       u32 (*slots)[2])
{
	size_t op_size = args->op_size ?: sizeof(struct sluice_op);
	u64 kinds = job->queue->sdev->ops->op_kinds;
	unsigned int i;
	int ret;

	for (i = 0; i < job->num_steps; i++) {
		struct sluice_op op;

		ret = copy_struct_from_user(&op, sizeof(op),
					    u64_to_user_ptr(args->ops + i * op_size), op_size);
		if (ret)
			return ret;
		ret = sluice_step_copy(&job->steps[i], &op);
		if (ret)
			return ret;
		if (!(kinds & BIT_ULL(op.kind)))
			return -EOPNOTSUPP;
		slots[i][0] = op.dst;
		slots[i][1] = op.src;
	}
	return 0;
}

/* Wait for this fence too; takes over the reference. */
static int sluice_job_add_dep(struct sluice_job *job, struct dma_fence *fence, bool explicit)
{
	struct sluice_dep *dep;

	if (job->num_deps == job->max_deps) {
		unsigned int max = max(2 * job->max_deps, 4U);

		dep = krealloc_array(job->deps, max, sizeof(*dep), GFP_KERNEL_ACCOUNT);
		if (!dep) {
			dma_fence_put(fence);
			return -ENOMEM;
		}
		job->deps = dep;
		job->max_deps = max;
	}
	dep = &job->deps[job->num_deps++];
	*dep = (struct sluice_dep) { .job = job, .fence = fence, .explicit = explicit };
	return 0;
}

/*
 * Wait for each fence in a container by itself, because a chain does not tell of
 * the errors of its fences.  One that was in a chain and has signalled by now
 * cannot be asked any more.  Takes over the reference.
 */
static int sluice_job_add_explicit(struct sluice_job *job, struct dma_fence *container)
{
	struct dma_fence_unwrap cursor;
	struct dma_fence *fence;
	int ret = 0;

	/* to the end: the walk drops its references there */
	dma_fence_unwrap_for_each(fence, &cursor, container)
		if (!ret)
			ret = sluice_job_add_dep(job, dma_fence_get(fence), true);
	dma_fence_put(container);
	return ret;
}

static struct dma_fence *sluice_fence_from_fd(int fd)
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

static int sluice_job_copy_in_fences(struct sluice_job *job, const struct sluice_submit *args)
{
	s32 fds[SLUICE_MAX_IN_FENCES];
	unsigned int i;
	int ret;

	if (copy_from_user(fds, u64_to_user_ptr(args->in_fences),
			   args->num_in_fences * sizeof(fds[0])))
		return -EFAULT;
	for (i = 0; i < args->num_in_fences; i++) {
		struct dma_fence *fence = sluice_fence_from_fd(fds[i]);

		if (IS_ERR(fence))
			return PTR_ERR(fence);
		ret = sluice_job_add_explicit(job, fence);
		if (ret)
			return ret;
	}
	return 0;
}

/* Resolve */

static int sluice_check_range(u64 offset, u64 length, const struct sluice_slot *slot)
{
	u64 end;

	if (check_add_overflow(offset, length, &end) || end > slot->dmabuf->size)
		return -ERANGE;
	return 0;
}

static int sluice_check_frame(const struct sluice_step *step, const struct sluice_device *sdev)
{
	u64 line = (u64)step->frame.width * 4;

	if (!step->frame.width)
		return step->frame.height || step->frame.stride || step->frame.format ?
			-EINVAL : 0;
	if (!step->frame.height || step->frame.stride < line || step->frame.stride % 4 ||
	    !sdev->ops->check_format || !sdev->ops->check_format(step->frame.format))
		return -EINVAL;
	if ((u64)(step->frame.height - 1) * step->frame.stride + line > step->length)
		return -ERANGE;
	return 0;
}

static int sluice_step_check(const struct sluice_step *step, const struct sluice_device *sdev)
{
	u64 align = sdev->ops->op_align;
	int ret;

	if (step->kind == SLUICE_OP_FILL)
		align = max_t(u64, align, sizeof(u32));
	if (!step->length || (step->length | step->dst_offset | step->src_offset) & (align - 1))
		return -EINVAL;
	if (!(step->dst->flags & SLUICE_ATTACH_WRITE))
		return -EACCES;
	ret = sluice_check_range(step->dst_offset, step->length, step->dst);
	if (ret)
		return ret;
	if (step->kind == SLUICE_OP_CAPTURE)
		return sluice_check_frame(step, sdev);
	if (step->kind != SLUICE_OP_COPY)
		return 0;

	if (!(step->src->flags & SLUICE_ATTACH_READ))
		return -EACCES;
	ret = sluice_check_range(step->src_offset, step->length, step->src);
	if (ret)
		return ret;
	if (step->src->dmabuf == step->dst->dmabuf &&
	    step->src_offset < step->dst_offset + step->length &&
	    step->dst_offset < step->src_offset + step->length)
		return -EINVAL;
	return 0;
}

static int sluice_step_resolve(struct sluice_step *step, struct sluice_queue *queue,
			       const u32 *slots)
{
	struct sluice_slot *slot = sluice_slot_get(queue, slots[0]);

	if (IS_ERR(slot))
		return PTR_ERR(slot);
	step->dst = slot;
	if (step->kind != SLUICE_OP_COPY)
		return 0;
	slot = sluice_slot_get(queue, slots[1]);
	if (IS_ERR(slot))
		return PTR_ERR(slot);
	step->src = slot;
	return 0;
}

static int sluice_job_resolve(struct sluice_job *job, u32 (*slots)[2])
{
	struct sluice_queue *queue = job->queue;
	unsigned int i;
	int ret;

	for (i = 0; i < job->num_steps; i++) {
		struct sluice_step *step = &job->steps[i];

		ret = sluice_step_resolve(step, queue, slots[i]);
		if (ret)
			return ret;
		ret = sluice_step_check(step, queue->sdev);
		if (ret)
			return ret;
	}
	return 0;
}

/* Lock */

static void sluice_job_claim(struct sluice_job *job, const struct sluice_slot *slot, bool write)
{
	if (!slot || slot->flags & SLUICE_ATTACH_EXPLICIT)
		return;
	job->claims[job->num_claims++] = (struct sluice_claim) {
		.resv = slot->dmabuf->resv,
		.write = write,
	};
}

static int sluice_claim_compare(const void *a, const void *b)
{
	const struct sluice_claim *x = a, *y = b;

	if (x->resv == y->resv)
		return 0;
	return x->resv < y->resv ? -1 : 1;
}

/* One claim for each dma_resv, however many ops use its buffer. */
static int sluice_job_collect_claims(struct sluice_job *job)
{
	unsigned int i, kept = 0;

	if (!job->num_steps)
		return 0;
	job->claims = kmalloc_array(2 * job->num_steps, sizeof(*job->claims), GFP_KERNEL_ACCOUNT);
	if (!job->claims)
		return -ENOMEM;
	for (i = 0; i < job->num_steps; i++) {
		sluice_job_claim(job, job->steps[i].dst, true);
		sluice_job_claim(job, job->steps[i].src, false);
	}
	sort(job->claims, job->num_claims, sizeof(*job->claims), sluice_claim_compare, NULL);
	for (i = 0; i < job->num_claims; i++) {
		if (kept && job->claims[kept - 1].resv == job->claims[i].resv)
			job->claims[kept - 1].write |= job->claims[i].write;
		else
			job->claims[kept++] = job->claims[i];
	}
	job->num_claims = kept;
	return 0;
}

static void sluice_job_unlock(struct sluice_job *job, struct ww_acquire_ctx *ctx)
{
	unsigned int i;

	for (i = 0; i < job->num_claims; i++)
		dma_resv_unlock(job->claims[i].resv);
	ww_acquire_fini(ctx);
}

/* Lock all; on -EDEADLK let all go, sleep on the contended one, start again. */
static int sluice_job_lock(struct sluice_job *job, struct ww_acquire_ctx *ctx)
{
	struct dma_resv *slow = NULL;
	unsigned int i, locked;
	int ret;

	ww_acquire_init(ctx, &reservation_ww_class);
retry:
	if (slow) {
		ret = dma_resv_lock_slow_interruptible(slow, ctx);
		if (ret)
			goto err;
	}
	for (locked = 0; locked < job->num_claims; locked++) {
		struct dma_resv *resv = job->claims[locked].resv;

		if (resv == slow)
			continue;
		ret = dma_resv_lock_interruptible(resv, ctx);
		if (ret)
			break;
	}
	if (locked == job->num_claims) {
		ww_acquire_done(ctx);
		return 0;
	}

	for (i = 0; i < job->num_claims; i++)
		if (i < locked || job->claims[i].resv == slow)
			dma_resv_unlock(job->claims[i].resv);
	if (ret == -EDEADLK) {
		slow = job->claims[locked].resv;
		goto retry;
	}
err:
	ww_acquire_fini(ctx);
	return ret;
}

/*
 * Implicit fences: reading waits for writers, writing for everybody.  Our own
 * timeline is in order anyway.  Makes room for our fence, too.
 */
static int sluice_job_collect_implicit(struct sluice_job *job)
{
	struct dma_resv_iter cursor;
	struct dma_fence *fence;
	unsigned int i;
	int ret;

	for (i = 0; i < job->num_claims; i++) {
		struct sluice_claim *claim = &job->claims[i];

		ret = dma_resv_reserve_fences(claim->resv, 1);
		if (ret)
			return ret;
		dma_resv_for_each_fence(&cursor, claim->resv,
					dma_resv_usage_rw(claim->write), fence) {
			if (fence->context == job->queue->context ||
			    dma_fence_is_signaled(fence))
				continue;
			ret = sluice_job_add_dep(job, dma_fence_get(fence), false);
			if (ret)
				return ret;
		}
	}
	return 0;
}

/* Publish */

static void sluice_job_dep_ready(struct sluice_job *job)
{
	if (!atomic_dec_and_test(&job->waiting))
		return;
	trace_sluice_job_ready(job, 0);
	sluice_engine_kick(job->queue->engine);
}

static void sluice_job_dep_callback(struct dma_fence *fence, struct dma_fence_cb *cb)
{
	sluice_job_dep_ready(container_of(cb, struct sluice_dep, cb)->job);
}

/*
 * The point of no return.  Here the job gets its place, its fence goes onto
 * the buffers, and its in-fences are armed.  The engine may end the job (the
 * queue dies) while we are at it; our reference keeps it whole.
 */
static int sluice_job_publish(struct sluice_job *job)
{
	struct sluice_queue *queue = job->queue;
	bool signalling;
	unsigned int i;
	int ret;

	job->submitted = jiffies;
	atomic_set(&job->waiting, 1 + job->num_deps);
	signalling = dma_fence_begin_signalling();
	ret = sluice_engine_add(queue->engine, job);
	if (ret)
		goto out;
	trace_sluice_job_submit(job, 0);
	for (i = 0; i < job->num_claims; i++)
		dma_resv_add_fence(job->claims[i].resv, job->fence,
				   job->claims[i].write ? DMA_RESV_USAGE_WRITE :
							  DMA_RESV_USAGE_READ);
	for (i = 0; i < job->num_deps; i++) {
		struct sluice_dep *dep = &job->deps[i];

		dep->armed = !dma_fence_add_callback(dep->fence, &dep->cb,
						     sluice_job_dep_callback);
		if (!dep->armed)
			atomic_dec(&job->waiting);
	}
	sluice_job_dep_ready(job);
	/* the engine must know of a job that is not ready: its waiting has a bound */
	if (job->num_deps)
		sluice_engine_kick(queue->engine);
out:
	dma_fence_end_signalling(signalling);
	return ret;
}

/**
 * sluice_job_in_fence_error - did what the job waited for fail?
 * @job: one whose in-fences have all signalled
 *
 * Only fences that came by fd count: implicit ones order accesses, and whether
 * a failed one is still on the buffer is a matter of chance.
 *
 * Return: 0, or -ECANCELED.  Context: any.
 */
int sluice_job_in_fence_error(const struct sluice_job *job)
{
	unsigned int i;

	if (job->flags & SLUICE_SUBMIT_IGNORE_ERRORS)
		return 0;
	for (i = 0; i < job->num_deps; i++)
		if (job->deps[i].explicit && dma_fence_get_status(job->deps[i].fence) < 0)
			return -ECANCELED;
	return 0;
}

/* SUBMIT */

static struct sluice_job *sluice_job_create(struct sluice_queue *queue,
					    const struct sluice_submit *args)
{
	struct sluice_job *job;

	job = kvzalloc(struct_size(job, steps, args->num_ops), GFP_KERNEL_ACCOUNT);
	if (!job)
		return NULL;
	kref_init(&job->ref);
	job->queue = queue;
	kref_get(&queue->ref);
	job->user_data = args->user_data;
	job->flags = args->flags;
	job->num_steps = args->num_ops;
	sluice_object_inc(SLUICE_OBJECT_JOB);
	return job;
}

static int sluice_check_submit(const struct sluice_submit *args)
{
	if (args->flags & ~SLUICE_SUBMIT_ALL || args->fd_flags & ~SLUICE_FD_INHERIT)
		return -EINVAL;
	if (args->op_size && args->op_size < sizeof(struct sluice_op))
		return -EINVAL;
	if (args->num_ops > SLUICE_MAX_OPS || args->num_in_fences > SLUICE_MAX_IN_FENCES ||
	    args->op_size > SLUICE_MAX_OP_SIZE)
		return -E2BIG;
	if (!IS_ENABLED(CONFIG_SYNC_FILE) &&
	    (args->num_in_fences || args->flags & SLUICE_SUBMIT_OUT_FENCE))
		return -EOPNOTSUPP;
	return 0;
}

/* The fence, its file if wanted, and the caller's copy of the answers. */
static int sluice_job_prepare_fence(struct sluice_job *job, struct sluice_call *call,
				    struct sluice_submit *args)
{
	struct sluice_queue *queue = job->queue;
	struct dma_fence *fence;
	struct file *file;
	int ret;

	fence = sluice_fence_create(queue->name);
	if (!fence)
		return -ENOMEM;
	job->point = queue->submitted + 1;
	sluice_fence_init(fence, queue->context, job->point);
	job->fence = fence;

	args->point = job->point;
	args->out_fence = -1;
	if (args->flags & SLUICE_SUBMIT_OUT_FENCE) {
		ret = sluice_call_reserve_fd(call, args->fd_flags);
		if (ret < 0)
			return ret;
		file = sluice_compat_sync_file(fence);
		if (IS_ERR(file))
			return PTR_ERR(file);
		call->install = file;
		args->out_fence = call->fd;
	}
	return sluice_call_copy_out(call);
}

/* With queue->submit_lock held: the point is ours if nothing fails. */
static int sluice_job_go(struct sluice_job *job, struct sluice_call *call,
			 struct sluice_submit *args, u32 (*slots)[2])
{
	struct ww_acquire_ctx ctx;
	int ret;

	ret = sluice_job_prepare_fence(job, call, args);
	if (ret)
		return ret;
	/* from here on nothing faults, so unregister need not wait for userspace */
	job->entered = sluice_device_enter(job->queue->sdev);
	if (!job->entered)
		return -ENODEV;
	ret = sluice_job_resolve(job, slots);
	if (ret)
		return ret;
	ret = sluice_job_collect_claims(job);
	if (ret)
		return ret;
	ret = sluice_job_lock(job, &ctx);
	if (ret)
		return ret;
	ret = sluice_job_collect_implicit(job);
	if (!ret)
		ret = sluice_job_publish(job);
	sluice_job_unlock(job, &ctx);
	return ret;
}

/* A queue has room for depth jobs that are pending or unread. */
static int sluice_queue_enter(struct sluice_queue *queue)
{
	int ret = 0;

	spin_lock_irq(&queue->lock);
	if (queue->in_flight < queue->depth)
		queue->in_flight++;
	else
		ret = -EBUSY;
	spin_unlock_irq(&queue->lock);
	return ret;
}

static void sluice_queue_leave(struct sluice_queue *queue)
{
	spin_lock_irq(&queue->lock);
	queue->in_flight--;
	spin_unlock_irq(&queue->lock);
	wake_up_all(&queue->wait);
}

/**
 * sluice_job_submit - SUBMIT
 * @call: the call, which gets the out-fence
 * @queue: on which
 * @args: what the caller asks
 *
 * Context: may sleep.  Return: 0, or an errno of struct sluice_submit's list,
 * and nothing has been submitted.
 */
int sluice_job_submit(struct sluice_call *call, struct sluice_queue *queue,
		      struct sluice_submit *args)
{
	u32 (*slots)[2] = NULL;
	struct sluice_job *job;
	int ret;

	ret = sluice_check_submit(args);
	if (ret)
		return ret;
	job = sluice_job_create(queue, args);
	if (!job)
		return -ENOMEM;
	slots = kmalloc_array(max(args->num_ops, 1U), sizeof(*slots), GFP_KERNEL_ACCOUNT);
	if (!slots) {
		ret = -ENOMEM;
		goto out;
	}
	ret = sluice_job_copy_ops(job, args, slots);
	if (ret)
		goto out;
	ret = sluice_job_copy_in_fences(job, args);
	if (ret)
		goto out;

	ret = mutex_lock_interruptible(&queue->submit_lock);
	if (ret)
		goto out;
	ret = sluice_queue_enter(queue);
	if (!ret) {
		ret = sluice_job_go(job, call, args, slots);
		if (ret)
			sluice_queue_leave(queue);
	}
	mutex_unlock(&queue->submit_lock);
out:
	kfree(slots);
	if (ret)	/* never published: it is ours alone */
		sluice_job_free(job);
	else
		sluice_job_put(job);
	return ret == -EINTR ? -ERESTARTSYS : ret;
}

#ifdef SLUICE_KUNIT
#include "selftests/kunit/job.c"
#endif
