// SPDX-License-Identifier: GPL-2.0-only
/*
 * Jobs: the object, its end and its release.  See job.h.
 */
#include <linux/align.h>
#include <linux/dma-fence.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "device.h"
#include "job.h"
#include "object.h"
#include "private.h"
#include "program.h"
#include "queue.h"
#include "trace.h"

/*
 * sluice_job_try_free() may free a job of this size in an interrupt, where vfree() is not allowed.
 * kvmalloc() uses vmalloc only for more than a page.
 */
static_assert(sizeof(struct sluice_job) + SLUICE_JOB_FREE_OPS *
	      (sizeof(struct sluice_op_desc) +
	       SLUICE_MAX_PLANES * (sizeof(struct sluice_range) +
				    sizeof(struct sluice_resv_entry))) +
	      SLUICE_JOB_INLINE_DEPS * sizeof(struct sluice_dep) <= SZ_4K);

/* Bytes of a block for several jobs, unless a single job needs more: never from vmalloc(). */
#define SLUICE_JOB_BLOCK_SIZE	SZ_4K

/* Bytes of the largest block that a queue keeps for its next job. */
#define SLUICE_JOB_SPARE_SIZE	SZ_2K

/**
 * struct sluice_job_block - memory for jobs of one call; it is freed with the last of them
 * @jobs: number of its jobs that have not been freed
 * @size: bytes for jobs
 * @used: bytes that jobs have; only the caller of sluice_job_create() uses it
 * @memory: the jobs, with the arrays behind them
 */
struct sluice_job_block {
	refcount_t jobs;
	u32 size;
	u32 used;
	u64 memory[];
};

/**
 * struct sluice_job_device - ended jobs of a device that the work item must free
 * @jobs: list of the jobs
 * @work: frees the jobs
 */
struct sluice_job_device {
	struct llist_head jobs;
	struct work_struct work;
};

/**
 * sluice_job_is_revoked - does the job use memory that its exporter has taken back?
 * @job: the job
 *
 * Context: any.  The answer stays valid as long as the dma_resv of all its buffers are held.
 * Return: true if at least one op uses such memory.
 */
bool sluice_job_is_revoked(const struct sluice_job *job)
{
	unsigned int i;

	for (i = 0; i < job->base.num_ops; i++)
		if (sluice_sched_job_op_revoked(&job->base, i))
			return true;
	return false;
}

/**
 * sluice_job_set_deps - replace the memory of the in-fences
 * @job: the job
 * @deps: the new memory, with a copy of the old contents: from kvmalloc_array(); or NULL
 * @max: number of in-fences for which @deps has room
 *
 * Frees the old memory.
 *
 * Context: any, if the old memory has room for at most SLUICE_JOB_FREE_OPS in-fences; else may
 * sleep.
 */
void sluice_job_set_deps(struct sluice_job *job, struct sluice_dep *deps, unsigned int max)
{
	if (job->deps_apart)
		kvfree(job->base.deps);
	job->base.deps = deps;
	job->max_deps = max;
	job->deps_apart = deps;
}

/* Drop all in-fences, and remove the job from their watches (watch.h).  Idempotent. */
static void sluice_job_drop_deps(struct sluice_job *job)
{
	unsigned int i;

	for (i = 0; i < job->base.num_deps; i++) {
		sluice_watch_leave(&job->base.deps[i]);
		dma_fence_put(job->base.deps[i].fence);
	}
	job->base.num_deps = 0;
	sluice_job_set_deps(job, NULL, 0);
}

/*
 * Try to release the in-fences, slots and queue of a job without sleeping.  Returns false if this
 * is not possible; some of them may already be released then.
 */
static bool sluice_job_try_free(struct sluice_job *job)
{
	unsigned int i, j;

	/* long work and vfree() are not allowed in an interrupt */
	if (job->base.num_ops > SLUICE_JOB_FREE_OPS || job->max_deps > SLUICE_JOB_FREE_OPS ||
	    sluice_job_has_lists(job) || is_vmalloc_addr(job->block))
		return false;
	sluice_job_drop_deps(job);
	for (i = 0; i < job->base.num_ops; i++)
		for (j = 0; j < job->ops[i].num_ranges; j++) {
			struct sluice_range *range = &job->ops[i].ranges[j];

			if (!sluice_slot_put_unless_last(range->slot))
				return false;
			range->slot = NULL;
		}
	return refcount_dec_not_one(&job->queue->ref.refcount);
}

/* The last job of a block is freed.  @queue: may keep the block; or NULL. */
static void sluice_job_free_block(struct sluice_job_block *block, struct sluice_queue *queue)
{
	size_t bytes = struct_size(block, memory, block->size / sizeof(u64));

	if (!queue || bytes > SLUICE_JOB_SPARE_SIZE || !sluice_queue_keep_spare(queue, block))
		kvfree(block);
}

/*
 * Free a job whose in-fences, slots and queue have been released.  @queue: its queue, which may
 * keep the memory: the caller has been in an RCU section since before it released the queue.  Or
 * NULL.
 */
static void sluice_job_free(struct sluice_job *job, struct sluice_device *sdev,
			    struct sluice_queue *queue)
{
	bool entered = job->entered, awake = job->awake;
	unsigned int i;

	if (sluice_job_has_lists(job))
		for (i = 0; i < job->base.num_ops; i++) {
			sluice_program_free(&job->ops[i]);
			sluice_private_free(&job->ops[i]);
		}
	dma_fence_put(job->base.fence);
	if (refcount_dec_and_test(&job->block->jobs))
		sluice_job_free_block(job->block, queue);
	sluice_object_dec(SLUICE_OBJECT_JOB);
	if (awake)
		sluice_device_rest(sdev);
	if (entered)
		sluice_device_exit(sdev);
}

/**
 * sluice_job_destroy - release all that a job holds, and free the job
 * @job: a job that no other context uses: it was never published, or it has ended
 *
 * Context: may sleep; takes the dma_resv of the slots.
 */
void sluice_job_destroy(struct sluice_job *job)
{
	struct sluice_queue *queue = job->queue;
	struct sluice_device *sdev = queue->sdev;
	unsigned int i, j;

	/*
	 * before the put of the queue: dropping in-fences needs the engine, which the queue leads
	 * to
	 */
	sluice_job_drop_deps(job);
	for (i = 0; i < job->base.num_ops; i++)
		for (j = 0; j < job->ops[i].num_ranges; j++)
			sluice_slot_put(job->ops[i].ranges[j].slot);
	/*
	 * @sdev stays valid: sluice_device_enter() was called for the job, or the caller holds the
	 * queue's file
	 */
	sluice_queue_put(queue);
	sluice_job_free(job, sdev, NULL);
}

static void sluice_job_free_work(struct work_struct *work)
{
	struct sluice_job_device *jobs = container_of(work, struct sluice_job_device, work);
	struct llist_node *list = llist_del_all(&jobs->jobs);
	struct sluice_job *job, *next;

	/*
	 * Each job keeps the device registered.  When the last job is freed,
	 * sluice_device_unregister() continues.  It waits for this work item before it frees the
	 * device.
	 */
	llist_for_each_entry_safe(job, next, list, free) {
		sluice_job_destroy(job);
		cond_resched();
	}
}

static void sluice_job_release(struct kref *ref)
{
	struct sluice_job *job = container_of(ref, struct sluice_job, ref);
	struct sluice_queue *queue = job->queue;
	struct sluice_device *sdev = queue->sdev;

	/*
	 * The job keeps the device registered.  As soon as the job is freed, here or by the work
	 * item, the device could be freed while this function still uses it.  The RCU section
	 * prevents that: sluice_device_unregister() waits for its end.  It also keeps the memory of
	 * the queue, which may be released at any time after the job has dropped its reference.
	 */
	rcu_read_lock();
	if (sluice_job_try_free(job))
		sluice_job_free(job, sdev, queue);
	else if (llist_add(&job->free, &sdev->jobs->jobs))
		queue_work(sdev->reap_wq, &sdev->jobs->work);
	rcu_read_unlock();
}

/**
 * sluice_job_put - drop a reference
 * @job: the job
 *
 * Context: any, but not with the lock of a fence held.
 */
void sluice_job_put(struct sluice_job *job)
{
	kref_put(&job->ref, sluice_job_release);
}

/* Take the block that the queue keeps, if it has room for a job.  Its memory is zeroed. */
static struct sluice_job_block *sluice_job_take_spare(struct sluice_queue *queue, size_t bytes)
{
	struct sluice_job_block *block = sluice_queue_take_spare(queue);

	if (block && block->size < bytes) {
		kvfree(block);
		return NULL;
	}
	if (block) {
		block->used = 0;
		memset(block->memory, 0, bytes);
	}
	return block;
}

/* Make a block of zeroed memory for @more jobs, or for as many of them as fit. */
static struct sluice_job_block *sluice_job_new_block(size_t bytes, unsigned int more)
{
	struct sluice_job_block *block;
	size_t size = max_t(size_t, bytes, min_t(size_t, bytes * more,
						 SLUICE_JOB_BLOCK_SIZE - sizeof(*block)));

	block = kvzalloc(struct_size(block, memory, size / sizeof(u64)), GFP_KERNEL_ACCOUNT);
	if (block)
		block->size = size;
	return block;
}

/*
 * Take zeroed memory from the block, or from another one if it has too little.  @more is the number
 * of jobs that will probably need as much.
 */
static struct sluice_job *sluice_job_alloc(struct sluice_queue *queue, size_t bytes,
					   struct sluice_job_block **in, unsigned int more)
{
	struct sluice_job_block *block = *in;
	struct sluice_job *job;

	/* the next job of the block must be aligned, too */
	bytes = ALIGN(bytes, sizeof(u64));
	if (block && bytes <= block->size - block->used) {
		refcount_inc(&block->jobs);
	} else {
		block = more == 1 ? sluice_job_take_spare(queue, bytes) : NULL;
		block = block ?: sluice_job_new_block(bytes, more);
		if (!block)
			return NULL;
		refcount_set(&block->jobs, 1);
		*in = block;
	}
	job = (void *)block->memory + block->used;
	block->used += bytes;
	job->block = block;
	return job;
}

/**
 * sluice_job_create - allocate a job, without ops and in-fences
 * @queue: the queue
 * @args: arguments of SUBMIT; checked
 * @num_ranges: number of ranges that all its ops have at most
 * @block: memory that an earlier job of the same call has left, or NULL.  It is set to the block of
 *	the job, and is valid as long as the caller has a reference on one of its jobs
 * @more: number of jobs that the call still creates, with this job
 *
 * Context: may sleep.
 * Return: the job with one reference, or NULL if there is no memory.
 */
struct sluice_job *sluice_job_create(struct sluice_queue *queue, const struct sluice_submit *args,
				     unsigned int num_ranges, struct sluice_job_block **block,
				     unsigned int more)
{
	size_t ranges = num_ranges * sizeof(struct sluice_range);
	size_t entries = num_ranges * sizeof(struct sluice_resv_entry);
	unsigned int num_deps = args->num_ops || args->num_in_fences || args->num_in_points ?
				SLUICE_JOB_INLINE_DEPS : 0;
	struct sluice_job *job;
	void *behind;

	/* all numbers have limits, which are far below an overflow */
	job = sluice_job_alloc(queue, struct_size(job, ops, args->num_ops) + ranges + entries +
			       num_deps * sizeof(struct sluice_dep), block, more);
	if (!job)
		return NULL;
	kref_init(&job->ref);
	job->queue = queue;
	kref_get(&queue->ref);
	job->user_data = args->user_data;
	job->base.entity = &queue->entity;
	job->base.ops = job->ops;
	job->base.flags = args->flags;
	behind = (void *)&job->ops[args->num_ops] + ranges;
	job->resv.entries = behind;
	job->base.deps = behind + entries;
	job->max_deps = num_deps;
	sluice_object_inc(SLUICE_OBJECT_JOB);
	return job;
}

/**
 * sluice_job_set_notify - give a job a waiter for its end
 * @job: a job that has not been published.  read() will return no completion of it
 * @notify: the waiter
 * @notify_ops: functions of @notify
 *
 * Context: any.
 */
void sluice_job_set_notify(struct sluice_job *job, struct sluice_job_notify *notify,
			   const struct sluice_job_notify_ops *notify_ops)
{
	job->notify = notify;
	job->notify_ops = notify_ops;
	notify->job = job;
	job->base.flags |= SLUICE_SUBMIT_NO_COMPLETION;
	job->resv.uninterruptible = true;
}

/**
 * sluice_job_ranges - memory for the ranges of the ops of a job
 * @job: the job, without ops
 * @num_ops: number of ops that it was created for
 *
 * Context: any.
 * Return: the array.
 */
struct sluice_range *sluice_job_ranges(struct sluice_job *job, unsigned int num_ops)
{
	return (void *)&job->ops[num_ops];
}

/* Fill in the completion of a job that ends now. */
static void sluice_job_complete(struct sluice_job *job, int status,
				struct sluice_completion *completion)
{
	struct sluice_sched_job *base = &job->base;

	/*
	 * without ops, there is no result; without a reader, only the fields that the timeline
	 * keeps are needed
	 */
	if (!base->num_ops ||
	    (base->flags & SLUICE_SUBMIT_NO_COMPLETION && !READ_ONCE(job->notify)))
		*completion = (struct sluice_completion) { .point = base->point };
	else
		sluice_sched_job_describe(base, completion);
	completion->user_data = job->user_data;
	completion->status = status;
	completion->ended = ktime_get_ns();
	if (!completion->timestamp)
		completion->timestamp = completion->ended;
}

/*
 * Signal the fence of a job, and write its completion.  queue->lock is held.  Returns the waiter
 * that sluice_job_tell() must tell, or NULL.
 */
static struct sluice_job_notify *sluice_job_end_locked(struct sluice_job *job,
						       const struct sluice_completion *completion)
{
	struct sluice_job_notify *notify;

	sluice_queue_end_point(job->queue, completion,
			       !(job->base.flags & SLUICE_SUBMIT_NO_COMPLETION));
	notify = job->notify;
	return notify && job->notify_ops->ended(notify, completion) ? notify : NULL;
}

/* Tell other contexts that a job has ended.  queue->lock is not held. */
static void sluice_job_tell(struct sluice_job *job, int status, struct sluice_job_notify *notify)
{
	trace_sluice_job_signal(&job->base, status);
	if (notify)
		job->notify_ops->complete(notify);
	sluice_queue_wake(job->queue);
}

static void sluice_job_end(struct sluice_sched_job *base, int status)
{
	struct sluice_job *job = container_of(base, struct sluice_job, base);
	struct sluice_queue *queue = job->queue;
	struct sluice_completion completion;
	struct sluice_job_notify *notify;
	unsigned long flags;

	sluice_job_complete(job, status, &completion);
	spin_lock_irqsave(&queue->lock, flags);
	notify = sluice_job_end_locked(job, &completion);
	spin_unlock_irqrestore(&queue->lock, flags);
	sluice_job_tell(job, status, notify);
}

/**
 * sluice_job_end_now - submit and end a job for which the engine has nothing to do
 * @job: a job that has not been published, with its point
 *
 * This needs no engine: a job without ops and in-fences, on a queue whose other jobs have ended.
 * The job is put on the timeline and ends in one hold of queue->lock.
 *
 * Context: process context; queue->submit_lock held.
 * Return: true if the job has ended; false if it must be given to the engine.
 */
bool sluice_job_end_now(struct sluice_job *job)
{
	struct sluice_queue *queue = job->queue;
	struct sluice_completion completion;
	struct sluice_job_notify *notify;

	if (job->base.num_ops || job->base.num_deps || job->base.in_fence_error)
		return false;
	spin_lock_irq(&queue->lock);
	if (!sluice_queue_add_idle(queue, &job->base)) {
		spin_unlock_irq(&queue->lock);
		return false;
	}
	trace_sluice_job_submit(&job->base, 0);
	trace_sluice_job_ready(&job->base, 0);
	trace_sluice_job_done(&job->base, 0);
	sluice_job_complete(job, 0, &completion);
	notify = sluice_job_end_locked(job, &completion);
	spin_unlock_irq(&queue->lock);
	sluice_job_tell(job, 0, notify);
	return true;
}

static void sluice_job_progress(struct sluice_sched_job *base, struct sluice_completion *record)
{
	struct sluice_job *job = container_of(base, struct sluice_job, base);

	if (base->flags & SLUICE_SUBMIT_NO_COMPLETION)
		return;
	record->user_data = job->user_data;
	record->flags |= SLUICE_COMPLETION_MORE;
	sluice_queue_set_progress(job->queue, record);
}

static void sluice_job_put_base(struct sluice_sched_job *base)
{
	sluice_job_put(container_of(base, struct sluice_job, base));
}

static void sluice_job_wake(struct sluice_entity *entity)
{
	wake_up_all(&container_of(entity, struct sluice_queue, entity)->wait);
}

const struct sluice_entity_ops sluice_job_entity_ops = {
	.end = sluice_job_end,
	.put = sluice_job_put_base,
	.progress = sluice_job_progress,
	.wake = sluice_job_wake,
};

/**
 * sluice_job_device_init - prepare a device for jobs
 * @sdev: a device that is being registered
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int sluice_job_device_init(struct sluice_device *sdev)
{
	struct sluice_job_device *jobs = kzalloc(sizeof(*jobs), GFP_KERNEL);

	if (!jobs)
		return -ENOMEM;
	init_llist_head(&jobs->jobs);
	INIT_WORK(&jobs->work, sluice_job_free_work);
	sdev->jobs = jobs;
	return 0;
}

/**
 * sluice_job_device_free - undo sluice_job_device_init()
 * @sdev: a device without jobs
 *
 * Context: any.
 */
void sluice_job_device_free(struct sluice_device *sdev)
{
	kfree(sdev->jobs);
}

#ifdef SLUICE_KUNIT
#include "selftests/kunit/job.c"
#endif
