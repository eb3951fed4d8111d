// SPDX-License-Identifier: GPL-2.0-only
/*
 * Queues: the object, its timeline and its completions.  See queue.h.
 */
#include <linux/hrtimer.h>
#include <linux/log2.h>
#include <linux/module.h>
#include <linux/nospec.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "account.h"
#include "client.h"
#include "device.h"
#include "engine.h"
#include "object.h"
#include "queue.h"
#include "ring.h"

static void sluice_queue_leave_engine(struct sluice_queue *queue)
{
	struct sluice_engine *engine = queue->entity.engine;

	mutex_lock(&queue->sdev->lock);
	list_del(&queue->link);
	engine->num_queues -= queue->joined;
	if (queue->exclusive)
		engine->exclusive = false;
	mutex_unlock(&queue->sdev->lock);
}

/* The entry of the ring of points at an index that has memory. */
static struct sluice_queue_point *sluice_queue_point_at(const struct sluice_queue *queue, u32 index)
{
	return sluice_blocks_at(&queue->points, index, sizeof(struct sluice_queue_point));
}

/* Free the memory of points and completions.  No other context uses the queue. */
static void sluice_queue_free_records(struct sluice_queue *queue)
{
	u64 i, used = min_t(u64, queue->points.limit, queue->depth);

	for (i = 0; i < used; i++)
		dma_fence_put(sluice_queue_point_at(queue, i)->fence);
	sluice_blocks_fini(&queue->points, sizeof(struct sluice_queue_point));
	sluice_blocks_fini(&queue->completions, sizeof(struct sluice_completion));
	if (queue->ring) {
		sluice_ring_destroy(queue->ring);
		sluice_account_uncharge(&queue->client->account, sluice_queue_ring_bytes(queue),
					false);
	}
}

static void sluice_queue_release(struct kref *ref)
{
	struct sluice_queue *queue = container_of(ref, struct sluice_queue, ref);
	struct sluice_device *sdev = queue->sdev;

	sluice_entity_fini(&queue->entity);
	sluice_queue_leave_engine(queue);
	sluice_slot_table_destroy(&queue->slots);
	sluice_queue_free_records(queue);
	module_put(sdev->owner);
	atomic_dec(&queue->client->queues);
	sluice_client_put(queue->client);
	kvfree(xchg(&queue->spare, ERR_PTR(-ENXIO)));
	kfree_rcu(queue, rcu);
	sluice_object_dec(SLUICE_OBJECT_QUEUE);
	put_device(&sdev->dev);
}

/**
 * sluice_queue_put - drop a reference
 * @queue: the queue
 *
 * Context: may sleep.
 */
void sluice_queue_put(struct sluice_queue *queue)
{
	kref_put(&queue->ref, sluice_queue_release);
}

/*
 * Add the queue to the list of its device, and count it in its engine.  After an error the queue is
 * in the list, but does not count: sluice_queue_release() removes it.
 */
static int sluice_queue_join_engine(struct sluice_queue *queue, bool exclusive)
{
	struct sluice_engine *engine = queue->entity.engine;
	int ret = 0;

	mutex_lock(&queue->sdev->lock);
	list_add_tail(&queue->link, &queue->sdev->queues);
	if (queue->sdev->gone)
		ret = -ENODEV;
	else if (engine->exclusive || (exclusive && engine->num_queues))
		ret = -EBUSY;
	if (!ret) {
		queue->joined = true;
		engine->num_queues++;
		queue->exclusive = exclusive;
		engine->exclusive = exclusive;
	}
	mutex_unlock(&queue->sdev->lock);
	return ret;
}

/*
 * The exporter of a slot takes its memory back, so the engine stops the ops that use the slot.  The
 * reference taken here keeps the queue until sluice_queue_slot_unmapped().
 */
static void sluice_queue_revoke_slot(struct sluice_slot_owner *owner, struct sluice_slot *slot)
{
	struct sluice_queue *queue = container_of(owner, struct sluice_queue, slots.owner);

	kref_get(&queue->ref);
	sluice_engine_revoke(queue->entity.engine, slot);
}

static void sluice_queue_slot_unmapped(struct sluice_slot_owner *owner, struct sluice_slot *slot)
{
	struct sluice_queue *queue = container_of(owner, struct sluice_queue, slots.owner);

	sluice_slot_table_drop_revoked(&queue->slots, slot);
	sluice_queue_put(queue);
}

static const struct sluice_slot_owner_ops sluice_queue_slot_ops = {
	.revoke = sluice_queue_revoke_slot,
	.unmapped = sluice_queue_slot_unmapped,
};

/* Set the fields that need no allocation, and take no reference. */
static void sluice_queue_init(struct sluice_queue *queue, struct sluice_client *client,
			      struct sluice_engine *engine, const struct sluice_entity_ops *ops,
			      const struct sluice_create_queue *args)
{
	kref_init(&queue->ref);
	queue->sdev = client->sdev;
	queue->client = client;
	queue->timeline.context = dma_fence_context_alloc(1);
	snprintf(queue->timeline.name, sizeof(queue->timeline.name), "%s-%llu",
		 queue->sdev->name, queue->timeline.context);
	sluice_entity_init(&queue->entity, engine, ops, &queue->timeline);
	queue->entity.priority = args->priority;
	queue->entity.timeout = msecs_to_jiffies(args->timeout_ms ?: SLUICE_QUEUE_TIMEOUT_MS);
	queue->entity.chain = args->flags & SLUICE_QUEUE_CHAIN_ERRORS;
	queue->entity.client_hangs = sluice_client_hangs(client, engine->index);
	queue->completion_size = args->completion_size ?: SLUICE_COMPLETION_SIZE_V1;
	queue->depth = roundup_pow_of_two(max(args->depth ?: SLUICE_QUEUE_DEPTH, 2U));
	sluice_blocks_init(&queue->points, queue->depth);
	sluice_blocks_init(&queue->completions,
			   args->flags & SLUICE_QUEUE_RING ? 0 : queue->depth);
	mutex_init(&queue->submit_lock);
	mutex_init(&queue->read_lock);
	sluice_slot_table_init(&queue->slots, &sluice_queue_slot_ops, &queue->timeline);
	spin_lock_init(&queue->lock);
	init_waitqueue_head(&queue->wait);
}

/* Make the ring of a new queue, and charge the client for it. */
static int sluice_queue_add_ring(struct sluice_queue *queue)
{
	struct sluice_account *account = &queue->client->account;
	size_t bytes = sluice_ring_bytes(queue->depth, queue->completion_size);
	u32 hint;
	int ret = sluice_account_charge(account, bytes, false, &hint);

	if (ret)
		return ret;
	queue->ring = sluice_ring_create(queue->depth, queue->completion_size);
	if (queue->ring)
		return 0;
	sluice_account_uncharge(account, bytes, false);
	return -ENOMEM;
}

/**
 * sluice_queue_create - make a queue
 * @client: the client that owns it
 * @ops: functions for its jobs
 * @args: arguments of CREATE_QUEUE; checked
 *
 * Context: may sleep.
 * Return: the queue, or an ERR_PTR:
 *
 *	-EBUSY	the engine has an exclusive queue; or @args asks for an exclusive queue, and the
 *		engine has queues
 *	-EDQUOT	the ring would exceed a limit of the client's account
 *	-EIO	SLUICE_MAX_HANGS jobs of the client have hung on this engine, without a job that
 *		succeeded in between
 *	-ENODEV	the device is removed
 *	-ENOMEM	no memory
 *	-ENOSPC	the client has SLUICE_MAX_QUEUES queues
 */
struct sluice_queue *sluice_queue_create(struct sluice_client *client,
					 const struct sluice_entity_ops *ops,
					 const struct sluice_create_queue *args)
{
	struct sluice_device *sdev = client->sdev;
	struct sluice_engine *engine;
	struct sluice_queue *queue;
	int ret;

	engine = &sdev->engines[array_index_nospec(args->engine, sdev->num_engines)];
	if (READ_ONCE(*sluice_client_hangs(client, engine->index)) == SLUICE_MAX_HANGS)
		return ERR_PTR(-EIO);
	if (!atomic_add_unless(&client->queues, 1, SLUICE_MAX_QUEUES))
		return ERR_PTR(-ENOSPC);
	ret = -ENOMEM;
	queue = kzalloc(sizeof(*queue), GFP_KERNEL_ACCOUNT);
	if (!queue)
		goto err_count;
	sluice_queue_init(queue, client, engine, ops, args);
	ret = args->flags & SLUICE_QUEUE_RING ? sluice_queue_add_ring(queue) : 0;
	if (ret)
		goto err_free;

	/* the open device node holds a reference on the module, so one more is always possible */
	__module_get(sdev->owner);
	kref_get(&client->ref);
	get_device(&sdev->dev);
	sluice_object_inc(SLUICE_OBJECT_QUEUE);
	ret = sluice_queue_join_engine(queue, args->flags & SLUICE_QUEUE_EXCLUSIVE);
	if (ret) {
		sluice_queue_put(queue);
		return ERR_PTR(ret);
	}
	return queue;

err_free:
	kfree(queue);
err_count:
	atomic_dec(&client->queues);
	return ERR_PTR(ret);
}

/**
 * sluice_queue_kill - end all jobs of a queue, and accept no more
 * @queue: the queue
 * @error: errno with which the jobs end
 *
 * Does not wait.
 *
 * Context: any.
 */
void sluice_queue_kill(struct sluice_queue *queue, int error)
{
	sluice_entity_kill(&queue->entity, error);
}

/**
 * sluice_queue_in_flight - how many jobs count against the depth?
 * @queue: the queue
 *
 * Context: queue->lock held.
 * Return: jobs that have not ended, plus completions that have not been read or taken.  At least
 * the depth if userspace has written a wrong tail to the ring.
 */
u32 sluice_queue_in_flight(const struct sluice_queue *queue)
{
	lockdep_assert_held(&queue->lock);
	if (!queue->ring)
		return queue->in_flight;
	return queue->in_flight + min(sluice_ring_unread(queue->ring), queue->depth);
}

/* Give memory to the entries that the next jobs need.  queue->submit_lock is held. */
static int sluice_queue_grow(struct sluice_queue *queue, u64 points, u32 completions)
{
	int ret = sluice_blocks_grow(&queue->points, points, sizeof(struct sluice_queue_point),
				     &queue->lock);

	if (!ret)
		ret = sluice_blocks_grow(&queue->completions, completions,
					 sizeof(struct sluice_completion), &queue->lock);
	return ret;
}

/**
 * sluice_queue_reserve - reserve room for jobs that will be submitted
 * @queue: the queue; the caller holds its submit_lock until the jobs are submitted
 * @count: number of jobs
 *
 * A queue has room for @depth jobs that are pending or whose completion is unread.  All memory that
 * the queue needs for the jobs is allocated here.
 *
 * Context: may sleep.
 * Return: 0, -EBUSY if there is no room for all of the jobs, or -ENOMEM.
 */
int sluice_queue_reserve(struct sluice_queue *queue, unsigned int count)
{
	u64 points, completions;
	bool grow;
	u32 used;
	int ret;

	lockdep_assert_held(&queue->submit_lock);
	spin_lock_irq(&queue->lock);
	used = sluice_queue_in_flight(queue);
	if (used > queue->depth || count > queue->depth - used) {
		spin_unlock_irq(&queue->lock);
		return -EBUSY;
	}
	queue->in_flight += count;
	points = queue->submitted + count + 1;
	/* the completion of a job is at most so far behind the oldest one, or comes to the start */
	completions = queue->first + queue->in_flight;
	grow = points > queue->points.limit || completions > queue->completions.limit;
	spin_unlock_irq(&queue->lock);
	if (!grow)
		return 0;
	ret = sluice_queue_grow(queue, points, completions);
	if (ret)
		sluice_queue_unreserve(queue, count);
	return ret;
}

/**
 * sluice_queue_unreserve - undo sluice_queue_reserve(), because SUBMIT has failed
 * @queue: the queue
 * @count: number of jobs that will not be submitted
 *
 * Context: may sleep.
 */
void sluice_queue_unreserve(struct sluice_queue *queue, unsigned int count)
{
	spin_lock_irq(&queue->lock);
	queue->in_flight -= count;
	spin_unlock_irq(&queue->lock);
	wake_up_all(&queue->wait);
}

/*
 * The entry that a point uses.  It may still contain an older point.  The point has been submitted,
 * or sluice_queue_reserve() has reserved room for it.
 */
static struct sluice_queue_point *sluice_queue_entry(struct sluice_queue *queue, u64 point)
{
	lockdep_assert_held(&queue->lock);
	return sluice_queue_point_at(queue, point & (queue->depth - 1));
}

/* The entry that contains a point, or NULL if the point is not one of the last @depth points. */
static struct sluice_queue_point *sluice_queue_find(struct sluice_queue *queue, u64 point)
{
	struct sluice_queue_point *entry;

	if (!point || (point & (queue->depth - 1)) >= queue->points.limit)
		return NULL;
	entry = sluice_queue_entry(queue, point);
	return entry->point == point ? entry : NULL;
}

/* The job of an entry, or NULL if it has ended. */
static struct sluice_sched_job *sluice_queue_point_job(const struct sluice_queue_point *entry)
{
	return entry->over ? NULL : entry->pending;
}

/* Write a job into the entry of its point, as the newest. */
static void sluice_queue_add_point(struct sluice_queue *queue, struct sluice_sched_job *job)
{
	struct sluice_queue_point *entry = sluice_queue_entry(queue, job->point);

	/* it has signalled, so this calls no function of others */
	dma_fence_put(entry->fence);
	queue->submitted = job->point;
	entry->point = job->point;
	entry->over = false;
	entry->pending = job;
	entry->fence = dma_fence_get(job->fence);
	if (job->fence)
		sluice_object_inc(SLUICE_OBJECT_FENCE);
}

/**
 * sluice_queue_add_idle - put a job on the timeline whose end the caller writes at once
 * @queue: the queue
 * @job: a job for which the engine has nothing to do
 *
 * Jobs end in the order of their points, so all jobs in front of it must have ended.  The engine
 * may still hold such a job for a moment; it does not use the timeline for it any more.
 *
 * After success the caller calls sluice_queue_end_point() before it releases queue->lock, so no
 * other context sees the job as pending.
 *
 * Context: queue->lock and submit_lock held.
 * Return: true; false if the engine must decide, because a job in front has not ended, the queue
 * was killed, or its errors end later jobs.
 */
bool sluice_queue_add_idle(struct sluice_queue *queue, struct sluice_sched_job *job)
{
	lockdep_assert_held(&queue->lock);
	if (queue->done != queue->submitted || sluice_queue_dead(queue) || queue->entity.chain)
		return false;
	sluice_queue_add_point(queue, job);
	return true;
}

/**
 * sluice_queue_add_jobs - put jobs on the timeline, and give them to the engine
 * @queue: the queue
 * @jobs: the jobs, with consecutive points.  The caller has taken one reference on each for the
 *	engine
 * @count: number of jobs, 1 to SLUICE_QUEUE_MAX_ADD
 * @late: add them even if the queue was killed: see sluice_entity_add()
 *
 * After success the engine owns these references, and ends the jobs.  After an error the caller
 * must drop the references.
 *
 * Context: any.
 * Return: 0, or the errno with which the queue was killed.
 */
int sluice_queue_add_jobs(struct sluice_queue *queue, struct sluice_sched_job *const *jobs,
			  unsigned int count, bool late)
{
	unsigned long flags;
	unsigned int i;
	int ret;

	spin_lock_irqsave(&queue->lock, flags);
	ret = sluice_entity_add(jobs, count, late);
	for (i = 0; i < count && !ret; i++)
		sluice_queue_add_point(queue, jobs[i]);
	spin_unlock_irqrestore(&queue->lock, flags);
	return ret;
}

/**
 * sluice_queue_job - the job of a point
 * @queue: the queue
 * @point: the point
 *
 * Context: queue->lock held.
 * Return: the job, or NULL if it has ended or there is no such point.
 */
struct sluice_sched_job *sluice_queue_job(struct sluice_queue *queue, u64 point)
{
	struct sluice_queue_point *entry = sluice_queue_find(queue, point);

	return entry ? sluice_queue_point_job(entry) : NULL;
}

/**
 * sluice_queue_cancel - cancel jobs
 * @queue: the queue
 * @first: the first point
 * @last: the last point
 *
 * Does not wait for the end of the jobs.  Releases queue->lock after each job, so that the lock is
 * never held for long.
 *
 * Context: any.
 * Return: the number of cancelled jobs.  A job that was ending anyway does not count.
 */
u32 sluice_queue_cancel(struct sluice_queue *queue, u64 first, u64 last)
{
	unsigned long flags;
	u32 count = 0;
	u64 point;

	spin_lock_irqsave(&queue->lock, flags);
	point = max(first, queue->done + 1);
	last = min(last, queue->submitted);
	spin_unlock_irqrestore(&queue->lock, flags);
	for (; point <= last; point++) {
		struct sluice_queue_point *entry;

		spin_lock_irqsave(&queue->lock, flags);
		entry = sluice_queue_find(queue, point);
		if (entry && !entry->over)
			count += sluice_sched_job_cancel(entry->pending);
		spin_unlock_irqrestore(&queue->lock, flags);
	}
	return count;
}

/**
 * sluice_queue_ack - acknowledge buffers of a CYCLIC job
 * @queue: the queue
 * @point: point of the job
 * @ops: number of ops since the beginning of the job whose buffers userspace has released
 *
 * Context: may sleep.
 * Return: 0, also if the job has ended; -EINVAL if the point is not one of the last @depth points,
 * or if its job is pending and not CYCLIC.
 */
int sluice_queue_ack(struct sluice_queue *queue, u64 point, u64 ops)
{
	struct sluice_queue_point *entry;
	struct sluice_sched_job *job;
	int ret = -EINVAL;

	spin_lock_irq(&queue->lock);
	entry = sluice_queue_find(queue, point);
	job = entry ? sluice_queue_point_job(entry) : NULL;
	if (entry && (!job || sluice_sched_job_is_cyclic(job))) {
		if (job)
			sluice_sched_job_ack(job, ops);
		ret = 0;
	}
	spin_unlock_irq(&queue->lock);
	return ret;
}

/* Store a completion for read().  sluice_queue_reserve() has allocated its memory. */
static void sluice_queue_put_completion(struct sluice_queue *queue,
					const struct sluice_completion *record)
{
	u32 index = (queue->first + queue->unread++) & (queue->depth - 1);

	*(struct sluice_completion *)
		sluice_blocks_at(&queue->completions, index, sizeof(*record)) = *record;
}

/* The oldest unread completion, or NULL. */
static const struct sluice_completion *sluice_queue_oldest(const struct sluice_queue *queue)
{
	if (!queue->unread)
		return NULL;
	return sluice_blocks_at(&queue->completions, queue->first,
				sizeof(struct sluice_completion));
}

/*
 * Remove the oldest unread completion.  Begin at the start of the array again after the last one:
 * so a queue whose completions are read soon needs memory for a few of them only.
 */
static void sluice_queue_drop_oldest(struct sluice_queue *queue)
{
	queue->unread--;
	queue->first = queue->unread ? (queue->first + 1) & (queue->depth - 1) : 0;
	queue->in_flight--;
}

/**
 * sluice_queue_end_point - signal the fence of a job that has ended, and store its completion
 * @queue: the queue
 * @record: completion of the job; its field "ended" is the time at which the job ended
 * @unread: true to store the completion for read() or in the ring; false if no task will read it
 *
 * A context that takes queue->lock sees both the signalled fence and the completion, or neither.
 *
 * Context: any; queue->lock held.
 */
void sluice_queue_end_point(struct sluice_queue *queue, const struct sluice_completion *record,
			    bool unread)
{
	struct sluice_queue_point *entry = sluice_queue_entry(queue, record->point);

	entry->over = true;
	entry->status = record->status;
	entry->ended = ns_to_ktime(record->ended);
	queue->done = record->point;
	if (entry->fence) {
		sluice_fence_end(entry->fence, record->status, entry->ended);
		sluice_object_dec(SLUICE_OBJECT_FENCE);
	}
	if (unread && !queue->ring) {
		sluice_queue_put_completion(queue, record);
		return;
	}
	queue->in_flight--;
	/* last: userspace may see it without queue->lock, and then the fence must have signalled */
	if (unread)
		sluice_ring_put(queue->ring, record);
}

/**
 * sluice_queue_set_progress - store the progress of a CYCLIC job for read() or in the ring
 * @queue: the queue
 * @record: progress of the job after one of its ops; the job has not ended
 *
 * Context: any, without engine->lock.
 */
void sluice_queue_set_progress(struct sluice_queue *queue, const struct sluice_completion *record)
{
	unsigned long flags;

	spin_lock_irqsave(&queue->lock, flags);
	/* another CPU may have stored a newer record */
	if (queue->progress.point != record->point || queue->progress.ops < record->ops) {
		queue->progress = *record;
		if (queue->ring)
			sluice_ring_set_progress(queue->ring, record);
		else
			queue->progressed = true;
	}
	spin_unlock_irqrestore(&queue->lock, flags);
	sluice_queue_wake(queue);
}

/*
 * Copy the progress record.  Returns false if it was read already, or if the completion of an
 * earlier job must be read first.
 */
static bool sluice_queue_peek_progress(struct sluice_queue *queue,
				       struct sluice_completion *record)
{
	const struct sluice_completion *first = sluice_queue_oldest(queue);

	if (!queue->progressed)
		return false;
	*record = queue->progress;
	return !first || first->point >= record->point;
}

/**
 * sluice_queue_peek - copy the next record for a reader
 * @queue: the queue; the record stays in it
 * @record: set to the record
 *
 * Context: queue->lock held.
 * Return: true, or false if there is no record.
 */
bool sluice_queue_peek(struct sluice_queue *queue, struct sluice_completion *record)
{
	lockdep_assert_held(&queue->lock);
	if (sluice_queue_peek_progress(queue, record))
		return true;
	if (!queue->unread)
		return false;
	*record = *sluice_queue_oldest(queue);
	return true;
}

/**
 * sluice_queue_skip - remove a record that was read
 * @queue: the queue
 * @record: the record, from sluice_queue_peek()
 *
 * If @record is a progress record and a newer one has replaced it, the newer one stays.
 *
 * Context: queue->lock held.
 */
void sluice_queue_skip(struct sluice_queue *queue, const struct sluice_completion *record)
{
	lockdep_assert_held(&queue->lock);
	if (!(record->flags & SLUICE_COMPLETION_MORE)) {
		sluice_queue_drop_oldest(queue);
	} else if (queue->progress.point == record->point &&
		   queue->progress.ops == record->ops) {
		queue->progressed = false;
	}
}

/**
 * sluice_queue_copy_record - copy a record to the caller
 * @queue: the queue
 * @to: the caller's memory
 * @record: the record
 *
 * Writes completion_size bytes.  Bytes beyond the end of the kernel's struct are cleared.
 *
 * Context: may sleep and fault.
 * Return: 0 or -EFAULT.
 */
int sluice_queue_copy_record(const struct sluice_queue *queue, void __user *to,
			     const struct sluice_completion *record)
{
	size_t size = queue->completion_size, known = min(size, sizeof(*record));

	if (copy_to_user(to, record, known) || clear_user(to + known, size - known))
		return -EFAULT;
	return 0;
}

/*
 * Make a fence for a point that has none, or return the fence that another task has made meanwhile.
 * If the job has ended, the new fence is signalled.  It gets the error and the end time of the job
 * if the point is still one of the last @depth points.
 */
static struct dma_fence *sluice_queue_late_fence(struct sluice_queue *queue, u64 point)
{
	struct dma_fence *fence = sluice_fence_create(&queue->timeline), *other = NULL;
	struct sluice_queue_point *entry;

	if (!fence)
		return NULL;
	sluice_fence_init(fence, queue->timeline.context, point);
	spin_lock_irq(&queue->lock);
	entry = sluice_queue_find(queue, point);
	if (entry && entry->fence) {
		other = dma_fence_get(entry->fence);
	} else if (entry) {
		entry->fence = dma_fence_get(fence);
		if (!entry->over) {
			sluice_sched_job_set_fence(entry->pending, fence);
			sluice_object_inc(SLUICE_OBJECT_FENCE);
		} else {
			sluice_fence_end(fence, entry->status, entry->ended);
		}
	} else {
		dma_fence_signal(fence);
	}
	spin_unlock_irq(&queue->lock);
	if (!other)
		return fence;
	dma_fence_put(fence);
	return other;
}

/*
 * Look a point up.  Returns 0, or -EINVAL if there is no such point, or if its job is CYCLIC and
 * has not ended.  @fence is set to its fence with a reference, or NULL if it has none.  @status is
 * set to 1 if its job has not ended, else to its result; 0 if it is not one of the last @depth.
 */
static int sluice_queue_look_up(struct sluice_queue *queue, u64 point, struct dma_fence **fence,
				int *status)
{
	struct sluice_queue_point *entry;
	struct sluice_sched_job *job;
	int ret = -EINVAL;

	*fence = NULL;
	*status = 0;
	spin_lock_irq(&queue->lock);
	entry = sluice_queue_find(queue, point);
	job = entry ? sluice_queue_point_job(entry) : NULL;
	/* a CYCLIC job need not end, and a fence must signal: no fence for a CYCLIC job */
	if (point && point <= queue->submitted && !(job && sluice_sched_job_is_cyclic(job)))
		ret = 0;
	if (!ret && entry) {
		*fence = dma_fence_get(entry->fence);
		*status = job ? 1 : entry->status;
	}
	spin_unlock_irq(&queue->lock);
	return ret;
}

/**
 * sluice_queue_get_fence - the fence of a point, made now if there is none
 * @queue: the queue
 * @point: the point
 *
 * Context: may sleep.
 * Return: the fence with a reference for the caller, or an ERR_PTR: -EINVAL if there is no such
 * point, or if its job is CYCLIC and has not ended; or -ENOMEM.
 */
struct dma_fence *sluice_queue_get_fence(struct sluice_queue *queue, u64 point)
{
	struct dma_fence *fence;
	int status, ret = sluice_queue_look_up(queue, point, &fence, &status);

	if (ret)
		return ERR_PTR(ret);
	fence = fence ?: sluice_queue_late_fence(queue, point);
	return fence ?: ERR_PTR(-ENOMEM);
}

/**
 * sluice_queue_get_pending - the fence of a point, if its job has not ended
 * @queue: the queue
 * @point: the point
 * @status: set to the result of the job; 0 if it is not one of the last @depth, and 1 if it has not
 *	ended
 *
 * Context: may sleep.
 * Return: the fence, made now if there is none, with a reference for the caller; NULL if the job
 * has ended; or an ERR_PTR as sluice_queue_get_fence() returns it.
 */
struct dma_fence *sluice_queue_get_pending(struct sluice_queue *queue, u64 point, int *status)
{
	struct dma_fence *fence;
	int ret = sluice_queue_look_up(queue, point, &fence, status);

	if (ret)
		return ERR_PTR(ret);
	if (*status <= 0) {
		dma_fence_put(fence);
		return NULL;
	}
	fence = fence ?: sluice_queue_late_fence(queue, point);
	return fence ?: ERR_PTR(-ENOMEM);
}

static bool sluice_queue_is_done(struct sluice_queue *queue, u64 point)
{
	bool done;

	spin_lock_irq(&queue->lock);
	done = queue->done >= point;
	spin_unlock_irq(&queue->lock);
	return done;
}

/* Wait until a point has ended.  The caller has checked that the point was submitted. */
static int sluice_queue_wait_for(struct sluice_queue *queue, u64 point, ktime_t deadline)
{
	DEFINE_WAIT(wait);
	int ret = 0;

	for (;;) {
		prepare_to_wait(&queue->wait, &wait, TASK_INTERRUPTIBLE);
		if (sluice_queue_is_done(queue, point))
			break;
		if (signal_pending(current)) {
			ret = -ERESTARTSYS;
			break;
		}
		if (ktime_compare(ktime_get(), deadline) >= 0) {
			ret = -ETIME;
			break;
		}
		schedule_hrtimeout(&deadline, HRTIMER_MODE_ABS);
	}
	finish_wait(&queue->wait, &wait);
	return ret;
}

/**
 * sluice_queue_wait - wait until a point has ended
 * @queue: the queue
 * @point: the point
 * @deadline: time at which the wait ends with -ETIME, on CLOCK_MONOTONIC
 * @status: set to the result of the job; 0 if the point is not one of the last @depth points
 *
 * Context: may sleep.
 * Return: 0, -EINVAL if there is no such point, -ETIME, or -ERESTARTSYS after a signal.
 */
int sluice_queue_wait(struct sluice_queue *queue, u64 point, ktime_t deadline, int *status)
{
	struct sluice_queue_point *entry;
	int ret = 0;

	spin_lock_irq(&queue->lock);
	if (!point || point > queue->submitted)
		ret = -EINVAL;
	spin_unlock_irq(&queue->lock);
	if (!ret)
		ret = sluice_queue_wait_for(queue, point, deadline);
	if (ret)
		return ret;
	spin_lock_irq(&queue->lock);
	entry = sluice_queue_find(queue, point);
	*status = entry ? entry->status : 0;
	spin_unlock_irq(&queue->lock);
	return 0;
}
