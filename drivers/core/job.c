// SPDX-License-Identifier: GPL-2.0-only
/*
 * Jobs: from SUBMIT to the grave.  This file reads as a job's life:
 *
 *	copy	the ops and in-fence fds from the caller
 *	resolve	slots, ranges, fences; everything that can be refused is
 *	lock	the dma_resv of each buffer, and collect what to wait for (deps.c)
 *	publish	the fence, on the queue and on the buffers: no way back
 *	(run	engine.c)
 *	reap	drop references, in a context that may take dma_resv
 *
 * Nothing after publish allocates or takes a dma_resv on the way to the
 * fence's signal.  User memory is touched before any slot is held or dma_resv
 * locked, the last time to tell the caller the point and the fence's fd: what
 * follows may fail, but not for a fault.
 */
#include <linux/file.h>
#include <linux/overflow.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "core.h"
#include "trace.h"

/* sluice_job_let_go() frees such a job in an interrupt: it must not be in vmalloc's memory */
static_assert(sizeof(struct sluice_job) + SLUICE_FEW_OPS *
	      (sizeof(struct sluice_op_desc) + SLUICE_MAX_PLANES * sizeof(struct sluice_claim)) <=
	      SZ_4K);

#define SLUICE_SUBMIT_ALL \
	(SLUICE_SUBMIT_OUT_FENCE | SLUICE_SUBMIT_NO_COMPLETION | SLUICE_SUBMIT_IGNORE_ERRORS | \
	 SLUICE_SUBMIT_CYCLIC | SLUICE_SUBMIT_STOP_ON_XRUN)

/* Reap */

/* What a job holds may be given back anywhere, but for the last references. */
static bool sluice_job_let_go(struct sluice_job *job)
{
	unsigned int i, j;

	/* maybe in an interrupt: no long work, and no vfree() */
	if (job->num_ops > SLUICE_FEW_OPS || job->max_deps > SLUICE_FEW_OPS ||
	    sluice_job_has_lists(job))
		return false;
	sluice_job_drop_deps(job);
	for (i = 0; i < job->num_ops; i++)
		for (j = 0; j < job->ops[i].num_ranges; j++) {
			struct sluice_range *range = &job->ops[i].ranges[j];

			if (!sluice_slot_put_unless_last(range->slot))
				return false;
			range->slot = NULL;
		}
	return refcount_dec_not_one(&job->queue->ref.refcount);
}

/* Without its in-fences, its slots and its queue. */
static void sluice_job_free(struct sluice_job *job, struct sluice_device *sdev)
{
	bool entered = job->entered, awake = job->awake;
	unsigned int i;

	if (sluice_job_has_lists(job))
		for (i = 0; i < job->num_ops; i++) {
			sluice_program_free(&job->ops[i]);
			sluice_private_free(&job->ops[i]);
		}
	dma_fence_put(job->fence);
	kvfree(job);
	sluice_object_dec(SLUICE_OBJECT_JOB);
	if (awake)
		sluice_device_rest(sdev);
	if (entered)
		sluice_device_exit(sdev);
}

static void sluice_job_bury(struct sluice_job *job)
{
	struct sluice_queue *queue = job->queue;
	struct sluice_device *sdev = queue->sdev;
	unsigned int i, j;

	/* before the queue: the engine, which tells them, uses it */
	sluice_job_drop_deps(job);
	for (i = 0; i < job->num_ops; i++)
		for (j = 0; j < job->ops[i].num_ranges; j++)
			sluice_slot_put(job->ops[i].ranges[j].slot);
	/* the device stays: the job has entered it, or its caller holds the queue's file */
	sluice_queue_put(queue);
	sluice_job_free(job, sdev);
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
		sluice_job_bury(job);
		cond_resched();
	}
}

static void sluice_job_release(struct kref *ref)
{
	struct sluice_job *job = container_of(ref, struct sluice_job, ref);
	struct sluice_device *sdev = job->queue->sdev;

	/*
	 * With the job goes what keeps the device, be it that the reaper is
	 * quicker: sluice_device_unregister() waits for whoever is in here.
	 */
	rcu_read_lock();
	if (sluice_job_let_go(job))
		sluice_job_free(job, sdev);
	else if (llist_add(&job->reap, &sdev->reap_list))
		queue_work(sdev->reap_wq, &sdev->reap_work);
	rcu_read_unlock();
}

/**
 * sluice_job_put - drop a reference
 * @job: the job
 *
 * Context: any; no fence's lock held.
 */
void sluice_job_put(struct sluice_job *job)
{
	kref_put(&job->ref, sluice_job_release);
}

/* Copy */

static void sluice_op_add_range(struct sluice_op_desc *desc, u32 *slots, u32 slot, u64 offset,
				u64 length, bool write)
{
	slots[desc->num_ranges] = slot;
	desc->ranges[desc->num_ranges++] = (struct sluice_range) {
		.offset = offset, .length = length, .write = write,
	};
}

/* Do an op's flags say which ranges it has?  Then @src has a length of its own. */
static bool sluice_kind_has_flags(u32 kind)
{
	return kind == SLUICE_OP_PROGRAM || kind == SLUICE_OP_PRIVATE;
}

/* Which ranges has an op that is no image, in which slots? */
static void sluice_op_add_ranges(struct sluice_op_desc *desc, const struct sluice_op *op,
				 u32 *slots)
{
	bool chosen = sluice_kind_has_flags(op->kind);

	BUILD_BUG_ON(offsetof(struct sluice_op, program.src_length) !=
		     offsetof(struct sluice_op, payload.src_length));
	if (!chosen || op->flags & SLUICE_OP_DST)
		sluice_op_add_range(desc, slots, op->dst, op->dst_offset, op->length, true);
	if (chosen ? op->flags & SLUICE_OP_SRC : op->kind == SLUICE_OP_COPY)
		sluice_op_add_range(desc, slots, op->src, op->src_offset,
				    chosen ? op->program.src_length : op->length, false);
}

static int sluice_op_copy(struct sluice_job *job, struct sluice_op_desc *desc, struct sluice_op *op,
			  u32 *slots)
{
	*desc = (struct sluice_op_desc) {
		.kind = op->kind,
		.dst_offset = op->dst_offset,
		.src_offset = op->src_offset,
		.length = op->length,
	};
	if (op->kind == SLUICE_OP_CAPTURE || op->kind == SLUICE_OP_PLAYBACK)
		return op->flags ? -EINVAL : sluice_frame_copy(&job->queue->engine->caps, desc,
							       op, slots);
	if (op->planes || op->num_planes || op->plane_size || op->modifier || op->field ||
	    op->reserved)
		return -EINVAL;
	sluice_op_add_ranges(desc, op, slots);
	switch (op->kind) {
	case SLUICE_OP_COPY:
		if (op->pad[0] || op->pad[1] || op->pad[2])
			return -EINVAL;
		break;
	case SLUICE_OP_FILL:
		if (op->src || op->src_offset || op->value > U32_MAX || op->pad[1] || op->pad[2])
			return -EINVAL;
		desc->value = op->value;
		break;
	case SLUICE_OP_PROGRAM:
		return sluice_program_copy(job, desc, op);
	case SLUICE_OP_PRIVATE:
		return sluice_private_copy(job, desc, op);
	default:
		return -EINVAL;
	}
	return op->flags ? -EINVAL : 0;
}

/* The numbers of the slots are kept aside until the slots may be held. */
static int sluice_job_copy_ops(struct sluice_job *job, const struct sluice_submit *args,
			       u32 (*slots)[SLUICE_MAX_PLANES])
{
	size_t op_size = args->op_size ?: SLUICE_OP_SIZE_V1;
	u64 kinds = job->queue->engine->caps.op_kinds;
	unsigned int i;
	int ret;

	for (i = 0; i < args->num_ops; i++) {
		struct sluice_op op;

		ret = copy_struct_from_user(&op, sizeof(op),
					    u64_to_user_ptr(args->ops + i * op_size), op_size);
		if (ret)
			return ret;
		job->num_ops = i + 1;	/* what they hold is to be put */
		ret = sluice_op_copy(job, &job->ops[i], &op, slots[i]);
		if (ret)
			return ret;
		if (!(kinds & BIT_ULL(op.kind)))
			return -EOPNOTSUPP;
	}
	return 0;
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

	if (slot && (check_add_overflow(offset, length, &end) || end > slot->dmabuf->size))
		return -ERANGE;
	return 0;
}

/* Each range inside its slot, which was attached for what the op does. */
static int sluice_op_check_ranges(const struct sluice_op_desc *desc, u64 align)
{
	unsigned int i;
	int ret;

	for (i = 0; i < desc->num_ranges; i++) {
		const struct sluice_range *range = &desc->ranges[i];

		if (range->offset & (align - 1))
			return -EINVAL;
		if (!(range->slot->flags & (range->write ? SLUICE_ATTACH_WRITE :
							   SLUICE_ATTACH_READ)))
			return -EACCES;
		ret = sluice_check_range(range->offset, range->length, range->slot);
		if (ret)
			return ret;
	}
	return 0;
}

static u64 sluice_op_src_length(const struct sluice_op_desc *desc)
{
	switch (desc->kind) {
	case SLUICE_OP_PROGRAM:
		return desc->program.src_length;
	case SLUICE_OP_PRIVATE:
		return desc->payload.src_length;
	}
	return desc->length;
}

/* May the engine do an op of so many bytes? */
static int sluice_op_check_length(const struct sluice_job *job, u64 length)
{
	const struct sluice_engine_caps *caps = &job->queue->engine->caps;

	if (length < caps->min_length || (caps->max_length && length > caps->max_length))
		return -EINVAL;
	return 0;
}

/* Planes have what they need; all of them in one slot are inside what was given for them. */
static int sluice_op_check_frame(const struct sluice_job *job, struct sluice_op_desc *desc)
{
	u64 length = desc->length;
	int ret;

	if (length & (job->queue->engine->caps.op_align - 1))
		return -EINVAL;
	ret = sluice_frame_check(job->queue->engine, desc) ?:
	      sluice_op_check_length(job, desc->length);
	if (ret || !length)
		return ret;
	return sluice_check_range(desc->ranges[0].offset, length, desc->ranges[0].slot);
}

static int sluice_op_check(const struct sluice_job *job, struct sluice_op_desc *desc)
{
	bool frame = desc->kind == SLUICE_OP_CAPTURE || desc->kind == SLUICE_OP_PLAYBACK;
	bool chosen = sluice_kind_has_flags(desc->kind);
	u64 src_length = sluice_op_src_length(desc);
	u64 align = job->queue->engine->caps.op_align;
	int ret;

	if (frame && desc->frame.width) {
		ret = sluice_op_check_frame(job, desc);
		return ret ?: sluice_op_check_ranges(desc, align);
	}
	if (desc->kind == SLUICE_OP_FILL)
		align = max_t(u64, align, sizeof(u32));
	if ((!desc->length && !chosen) || (desc->length | src_length) & (align - 1))
		return -EINVAL;
	ret = chosen ? 0 : sluice_op_check_length(job, desc->length);
	if (!ret)
		ret = sluice_op_check_ranges(desc, align);
	if (ret)
		return ret;
	if (desc->kind == SLUICE_OP_PROGRAM)
		return sluice_program_check(job, desc);
	if (desc->kind == SLUICE_OP_PRIVATE)
		return sluice_private_check(job, desc);
	if (desc->kind == SLUICE_OP_COPY && desc->src->dmabuf == desc->dst->dmabuf &&
	    desc->src_offset < desc->dst_offset + desc->length &&
	    desc->dst_offset < desc->src_offset + desc->length)
		return -EINVAL;
	return 0;
}

static int sluice_op_resolve(struct sluice_op_desc *desc, struct sluice_queue *queue,
			     const u32 *slots)
{
	unsigned int i;

	for (i = 0; i < desc->num_ranges; i++) {
		struct sluice_range *range = &desc->ranges[i];
		struct sluice_slot *slot = sluice_slot_get(queue, slots[i]);

		if (IS_ERR(slot))
			return PTR_ERR(slot);
		range->slot = slot;
		if (range->write && !desc->dst) {
			desc->dst = slot;
			desc->dst_offset = range->offset;
		} else if (!range->write && !desc->src) {
			desc->src = slot;
			desc->src_offset = range->offset;
		}
	}
	return 0;
}

static int sluice_job_resolve(struct sluice_job *job, u32 (*slots)[SLUICE_MAX_PLANES])
{
	struct sluice_queue *queue = job->queue;
	unsigned int i;
	int ret = 0;

	mutex_lock(&queue->slot_lock);
	for (i = 0; i < job->num_ops && !ret; i++)
		ret = sluice_op_resolve(&job->ops[i], queue, slots[i]);
	mutex_unlock(&queue->slot_lock);
	for (i = 0; i < job->num_ops && !ret; i++)
		ret = sluice_op_check(job, &job->ops[i]);
	return ret;
}

/*
 * The place from which it is not far to a range: that of the range before it in the op, or
 * of its like in the op before, which are in the same slot and not further on.
 */
static const struct sluice_cursor *sluice_range_near(const struct sluice_op_desc *desc,
						     unsigned int range,
						     const struct sluice_op_desc *before,
						     u64 *offset)
{
	const struct sluice_range *wanted = &desc->ranges[range], *best = NULL, *near[2] = {};
	unsigned int i;

	if (range)
		near[0] = wanted - 1;
	if (range < before->num_ranges)
		near[1] = &before->ranges[range];
	for (i = 0; i < ARRAY_SIZE(near); i++)
		if (near[i] && near[i]->slot == wanted->slot &&
		    near[i]->offset <= wanted->offset &&
		    (!best || near[i]->offset > best->offset))
			best = near[i];
	*offset = best ? best->offset : 0;
	return best ? &best->at : NULL;
}

/*
 * Has a range no more segments than the engine can do?  The walk ends where they are too
 * many, and a buffer that has no more in all needs none: so its size does not count.
 */
static bool sluice_range_fits(const struct sluice_range *range, u32 max_segments)
{
	u64 reached = sluice_cursor_left(&range->at);
	struct scatterlist *sg = range->at.sg;
	u32 segments;

	if (!max_segments || range->slot->sgt->nents <= max_segments)
		return true;
	for (segments = 1; reached < range->length && segments < max_segments; segments++) {
		sg = sg_next(sg);
		reached += sg_dma_len(sg);
	}
	return reached >= range->length;
}

static int sluice_op_place(struct sluice_op_desc *desc, const struct sluice_op_desc *before,
			   u32 max_segments)
{
	unsigned int i;

	for (i = 0; i < desc->num_ranges; i++) {
		struct sluice_range *range = &desc->ranges[i];
		const struct sluice_cursor *near;
		u64 offset;

		near = sluice_range_near(desc, i, before, &offset);
		if (near) {
			range->at = *near;
			sluice_cursor_advance(&range->at, range->offset - offset);
		} else {
			sluice_cursor_init(&range->at, range->slot, range->offset);
		}
		if (!sluice_range_fits(range, max_segments))
			return -EFBIG;
	}
	for (i = desc->num_ranges; i--; )
		*(desc->ranges[i].write ? &desc->dst_at : &desc->src_at) = desc->ranges[i].at;
	return 0;
}

/*
 * Where the ops begin in bus addresses: to walk over the segments takes too long for an
 * interrupt that hands one out.  With the dma_resv of all slots held, and none revoked.
 * 0, or -EFBIG: a range has too many segments for the engine.
 */
static int sluice_job_place_ops(struct sluice_job *job)
{
	u32 max_segments = job->queue->engine->caps.max_segments;
	static const struct sluice_op_desc none;
	const struct sluice_op_desc *before = &none;
	unsigned int i;
	int ret;

	if (job->queue->sdev->cpu_engines)
		return 0;
	for (i = 0; i < job->num_ops; i++) {
		struct sluice_op_desc *desc = &job->ops[i];

		if (desc->kind == SLUICE_OP_PROGRAM)
			continue;
		ret = sluice_op_place(desc, before, max_segments);
		if (ret)
			return ret;
		/* ops that go back and forth over many segments take their time */
		cond_resched();
		before = desc;
	}
	return 0;
}

/* Publish */

/**
 * sluice_job_arm - join the watches of a job's in-fences
 * @job: the first of its queue, once
 *
 * Only now, so that at most one job of each queue waits.
 *
 * Context: the engine's work; nobody else ends the job meanwhile.
 */
void sluice_job_arm(struct sluice_job *job)
{
	unsigned int i;

	for (i = 0; i < job->num_deps; i++)
		if (job->deps[i].pending)
			sluice_watch_join(job->queue->engine, &job->deps[i]);
}

/* Which in-fences are there to wait for?  Without any, how they ended is known now. */
static void sluice_job_look_at_deps(struct sluice_job *job)
{
	unsigned int i, pending = 0;

	for (i = 0; i < job->num_deps; i++) {
		job->deps[i].pending = !dma_fence_is_signaled(job->deps[i].fence);
		pending += job->deps[i].pending;
	}
	atomic_set(&job->waiting, 1 + pending);
	job->prepared = !pending;
	job->armed = job->prepared;
	if (job->prepared)
		job->in_fence_error = sluice_job_in_fence_error(job);
}

static void sluice_job_trace_deps(const struct sluice_job *job)
{
	unsigned int i;

	for (i = 0; i < job->num_deps && trace_sluice_job_wait_enabled(); i++)
		if (job->deps[i].pending)
			trace_sluice_job_wait(job, job->deps[i].fence, job->deps[i].explicit);
}

/*
 * The point of no return.  Here the job gets its place, and its fence goes onto the
 * buffers.  The engine may end the job (the queue dies) while we are at it; our
 * reference keeps it whole.
 *
 * From the first moment that somebody sees the fence until the engine has the job, a
 * task of userspace is in its way.  It is not preempted there, unless it has so many
 * buffers or in-fences that the kernel would be held up, or the kernel's spinlocks sleep:
 * then the time limit for in-fences counts.
 */
static int sluice_job_publish(struct sluice_job *job)
{
	bool now = !IS_ENABLED(CONFIG_PREEMPT_RT) && job->num_claims <= 2 * SLUICE_FEW_OPS &&
		   job->num_deps <= SLUICE_FEW_FENCES;
	struct sluice_queue *queue = job->queue;
	bool signalling;
	unsigned int i;
	int ret;

	job->submitted = jiffies;
	job->preempted = !now;
	sluice_job_look_at_deps(job);
	signalling = dma_fence_begin_signalling();
	if (now)
		preempt_disable();
	ret = sluice_queue_add_job(queue, job);
	if (!ret) {
		trace_sluice_job_submit(job, 0);
		for (i = 0; i < job->num_claims; i++)
			dma_resv_add_fence(job->claims[i].resv, job->fence,
					   job->claims[i].usage);
		sluice_job_trace_deps(job);
		sluice_engine_submit(queue->engine, job, now);
	}
	if (now)
		preempt_enable();
	dma_fence_end_signalling(signalling);
	return ret;
}

/**
 * sluice_job_revoked - has an exporter taken memory back that the job uses?
 * @job: the job
 *
 * Context: any.  With the dma_resv of all its buffers held the answer stays.
 */
bool sluice_job_revoked(const struct sluice_job *job)
{
	unsigned int i, j;

	for (i = 0; i < job->num_ops; i++)
		for (j = 0; j < job->ops[i].num_ranges; j++)
			if (sluice_slot_revoked(job->ops[i].ranges[j].slot))
				return true;
	return false;
}

/* SUBMIT */

static struct sluice_job *sluice_job_create(const struct sluice_call *call,
					    struct sluice_queue *queue,
					    const struct sluice_submit *args)
{
	size_t claims = size_mul(SLUICE_MAX_PLANES * sizeof(struct sluice_claim), args->num_ops);
	struct sluice_job *job;

	job = kvmalloc(size_add(struct_size(job, ops, args->num_ops), claims),
		       GFP_KERNEL_ACCOUNT);
	if (!job)
		return NULL;
	/* all but what has a count of its own: deps, ops, claims */
	memset(job, 0, offsetof(struct sluice_job, few_deps));
	kref_init(&job->ref);
	job->queue = queue;
	kref_get(&queue->ref);
	job->user_data = args->user_data;
	job->flags = args->flags;
	job->uring = call->uring;
	if (job->uring) {	/* which hears of the end: nothing is to be read */
		job->uring->job = job;
		job->flags |= SLUICE_SUBMIT_NO_COMPLETION;
	}
	job->deps = job->few_deps;
	job->max_deps = SLUICE_FEW_DEPS;
	job->claims = (void *)&job->ops[args->num_ops];
	sluice_object_inc(SLUICE_OBJECT_JOB);
	return job;
}

static int sluice_check_submit(const struct sluice_submit *args)
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

static int sluice_job_make_fence(struct sluice_job *job)
{
	job->fence = sluice_fence_create(job->queue->name);
	if (!job->fence)
		return -ENOMEM;
	sluice_fence_init(job->fence, job->queue->context, job->point);
	return 0;
}

/* The point, the fence's file if it is wanted, and the caller's copy of both. */
static int sluice_job_answer(struct sluice_job *job, struct sluice_call *call,
			     struct sluice_submit *args)
{
	struct file *file;
	int ret;

	job->point = job->queue->submitted + 1;
	args->point = job->point;
	args->out_fence = -1;
	if (args->flags & SLUICE_SUBMIT_OUT_FENCE) {
		ret = sluice_job_make_fence(job);
		if (ret)
			return ret;
		ret = sluice_call_reserve_fd(call, args->fd_flags);
		if (ret < 0)
			return ret;
		file = sluice_compat_sync_file(job->fence);
		if (IS_ERR(file))
			return PTR_ERR(file);
		call->install = file;
		args->out_fence = call->fd;
	}
	return sluice_call_copy_out(call);
}

/* With queue->submit_lock held: the point is ours if nothing fails. */
static int sluice_job_go(struct sluice_job *job, struct sluice_call *call,
			 struct sluice_submit *args, u32 (*slots)[SLUICE_MAX_PLANES])
{
	struct ww_acquire_ctx ctx;
	int ret;

	ret = sluice_job_answer(job, call, args);
	if (ret)
		return ret;
	/* from here on nothing faults, so unregister need not wait for userspace */
	job->entered = sluice_device_enter(job->queue->sdev);
	if (!job->entered)
		return -ENODEV;
	if (sluice_job_has_lists(job)) {
		ret = sluice_device_wake(job->queue->sdev);
		if (ret)
			return ret;
		job->awake = true;
	}
	if (job->num_ops)
		ret = sluice_job_resolve(job, slots);
	if (ret)
		return ret;
	sluice_job_collect_claims(job);
	ret = sluice_cyclic_check(job);
	if (ret)
		return ret;
	/* nobody sees the fence of other jobs, unless FENCE makes one */
	if (job->num_claims && !job->fence) {
		ret = sluice_job_make_fence(job);
		if (ret)
			return ret;
	}
	ret = sluice_job_lock(job, &ctx);
	if (ret)
		return ret;
	/* what is revoked later finds our fence on the buffer, and ends the job */
	ret = sluice_job_revoked(job) ? -ENODEV : sluice_job_collect_implicit(job);
	if (!ret)
		ret = sluice_job_prepare_deps(job);
	if (!ret)
		ret = sluice_job_place_ops(job);
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

/*
 * io_uring's own task work looks like a signal to an interruptible wait, and
 * nobody would restart the command.
 */
static int sluice_queue_lock_submit(struct sluice_queue *queue, const struct sluice_call *call)
{
	if (call->uring)
		return mutex_lock_killable(&queue->submit_lock);
	return mutex_lock_interruptible(&queue->submit_lock);
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
	u32 few_slots[SLUICE_FEW_OPS][SLUICE_MAX_PLANES];
	u32 (*slots)[SLUICE_MAX_PLANES] = few_slots;
	struct sluice_job *job;
	int ret;

	ret = sluice_check_submit(args);
	if (ret)
		return ret;
	job = sluice_job_create(call, queue, args);
	if (!job)
		return -ENOMEM;
	if (args->num_ops > SLUICE_FEW_OPS)
		slots = kmalloc_array(args->num_ops, sizeof(*slots), GFP_KERNEL_ACCOUNT);
	if (!slots) {
		ret = -ENOMEM;
		goto out;
	}
	ret = sluice_job_copy_ops(job, args, slots);
	if (ret)
		goto out;
	/* not called in vain: compilers clear its array */
	if (args->num_in_fences)
		ret = sluice_job_copy_in_fences(job, args);
	if (ret)
		goto out;

	ret = sluice_queue_lock_submit(queue, call);
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
	if (slots != few_slots)
		kfree(slots);
	if (ret)	/* never published: it is ours alone */
		sluice_job_bury(job);
	else
		sluice_job_put(job);
	return ret == -EINTR ? -ERESTARTSYS : ret;
}

#ifdef SLUICE_KUNIT
#include "selftests/kunit/job.c"
#endif
