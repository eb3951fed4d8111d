// SPDX-License-Identifier: GPL-2.0-only
/*
 * Queues: the fd, its slots, its timeline and its completions.
 *
 * The file holds one reference and each job another.  When the file goes, the
 * queue dies: jobs that have not ended are cancelled, and the last of them
 * frees the queue.
 */
#include <linux/anon_inodes.h>
#include <linux/fs.h>
#include <linux/hrtimer.h>
#include <linux/log2.h>
#include <linux/module.h>
#include <linux/nospec.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "core.h"
#include "trace.h"

static const struct file_operations sluice_queue_fops;

static void sluice_queue_release(struct kref *ref)
{
	struct sluice_queue *queue = container_of(ref, struct sluice_queue, ref);
	struct sluice_device *sdev = queue->sdev;
	u32 i;

	sluice_entity_fini(queue);
	mutex_lock(&sdev->lock);
	list_del(&queue->link);
	queue->engine->num_queues -= queue->joined;
	if (queue->exclusive)
		queue->engine->exclusive = false;
	mutex_unlock(&sdev->lock);
	xa_destroy(&queue->slots);
	kfifo_free(&queue->completions);
	for (i = 0; i < queue->depth; i++)
		dma_fence_put(queue->history[i].fence);
	kvfree(queue->history);
	module_put(sdev->owner);
	atomic_dec(&queue->client->queues);
	sluice_client_put(queue->client);
	kfree(queue);
	sluice_object_dec(SLUICE_OBJECT_QUEUE);
	put_device(&sdev->dev);
}

/**
 * sluice_queue_put - drop a reference
 * @queue: the queue
 *
 * Context: may sleep and take dma_resv.
 */
void sluice_queue_put(struct sluice_queue *queue)
{
	kref_put(&queue->ref, sluice_queue_release);
}

/* The queue is one of its engine's, or has it for itself.  With sdev->lock held. */
static int sluice_queue_join(struct sluice_queue *queue, bool exclusive)
{
	struct sluice_engine *engine = queue->engine;
	bool busy = engine->exclusive || (exclusive && engine->num_queues);

	lockdep_assert_held(&queue->sdev->lock);
	list_add_tail(&queue->link, &queue->sdev->queues);
	if (queue->sdev->gone)
		return -ENODEV;
	if (busy)
		return -EBUSY;
	queue->joined = true;
	engine->num_queues++;
	queue->exclusive = exclusive;
	engine->exclusive = exclusive;
	return 0;
}

/**
 * sluice_queue_create - CREATE_QUEUE
 * @call: of a client; it gets the fd
 * @args: checked
 *
 * Context: may sleep.
 * Return: 0, -EIO (its jobs hang), -ENOSPC (the client has SLUICE_MAX_QUEUES), -EBUSY (the
 * engine is another queue's alone, or would be this one's), -ENODEV, -ENOMEM or -EMFILE.
 */
int sluice_queue_create(struct sluice_call *call, struct sluice_create_queue *args)
{
	struct sluice_client *client = call->file->private_data;
	struct sluice_device *sdev = client->sdev;
	struct sluice_engine *engine;
	struct sluice_queue *queue;
	struct file *file;
	int ret;

	engine = &sdev->engines[array_index_nospec(args->engine, sdev->num_engines)];
	if (sluice_client_hangs(client, engine) == SLUICE_MAX_HANGS)
		return -EIO;
	if (!atomic_add_unless(&client->queues, 1, SLUICE_MAX_QUEUES))
		return -ENOSPC;
	ret = -ENOMEM;
	queue = kzalloc(sizeof(*queue), GFP_KERNEL_ACCOUNT);
	if (!queue)
		goto err_count;
	kref_init(&queue->ref);
	queue->sdev = sdev;
	queue->client = client;
	queue->engine = engine;
	queue->context = dma_fence_context_alloc(1);
	snprintf(queue->name, sizeof(queue->name), "%s-%llu", sdev->name, queue->context);
	sluice_entity_init(&queue->entity, args->priority,
			   args->timeout_ms ?: SLUICE_DEFAULT_TIMEOUT_MS);
	queue->entity.chain = args->flags & SLUICE_QUEUE_CHAIN_ERRORS;
	queue->completion_size = args->completion_size ?: SLUICE_COMPLETION_SIZE_V1;
	queue->depth = roundup_pow_of_two(max(args->depth ?: SLUICE_DEFAULT_DEPTH, 2U));
	mutex_init(&queue->submit_lock);
	mutex_init(&queue->drop_lock);
	mutex_init(&queue->slot_lock);
	mutex_init(&queue->read_lock);
	xa_init_flags(&queue->slots, XA_FLAGS_ALLOC);
	spin_lock_init(&queue->sharings_lock);
	queue->sharings = RB_ROOT;
	spin_lock_init(&queue->lock);
	init_waitqueue_head(&queue->wait);

	queue->history = kvcalloc(queue->depth, sizeof(*queue->history), GFP_KERNEL_ACCOUNT);
	if (!queue->history)
		goto err_free;
	ret = kfifo_alloc(&queue->completions, queue->depth, GFP_KERNEL_ACCOUNT);
	if (ret)
		goto err_history;

	/* the node's file has a reference: the module cannot be on its way out */
	__module_get(sdev->owner);
	kref_get(&client->ref);
	get_device(&sdev->dev);
	sluice_object_inc(SLUICE_OBJECT_QUEUE);
	mutex_lock(&sdev->lock);
	ret = sluice_queue_join(queue, args->flags & SLUICE_QUEUE_EXCLUSIVE);
	mutex_unlock(&sdev->lock);
	if (ret)
		goto err_put;

	ret = sluice_call_reserve_fd(call, args->fd_flags);
	if (ret < 0)
		goto err_put;
	file = anon_inode_getfile("[sluice-queue]", &sluice_queue_fops, queue, O_RDWR);
	if (IS_ERR(file)) {
		ret = PTR_ERR(file);
		goto err_put;
	}
	call->install = file;
	args->fd = call->fd;
	args->depth = queue->depth;
	return 0;

err_put:
	sluice_queue_put(queue);
	return ret;
err_history:
	kvfree(queue->history);
err_free:
	kfree(queue);
err_count:
	atomic_dec(&client->queues);
	return ret;
}

/**
 * sluice_queue_kill - end all jobs of a queue, and let no more in
 * @queue: the queue
 * @error: what they end with
 *
 * Does not wait.  Context: any.
 */
void sluice_queue_kill(struct sluice_queue *queue, int error)
{
	sluice_engine_kill(queue->engine, &queue->entity, error);
	wake_up_all(&queue->wait);
}

/**
 * sluice_queue_add_job - a job takes its place on the timeline
 * @queue: the job's
 * @job: is being published; its fence is pending from now on
 *
 * Context: any.  Return: 0, or why the queue is dead.
 */
int sluice_queue_add_job(struct sluice_queue *queue, struct sluice_job *job)
{
	struct sluice_history *history = &queue->history[job->point & (queue->depth - 1)];
	struct dma_fence *old = NULL;
	unsigned long flags;
	int ret;

	spin_lock_irqsave(&queue->lock, flags);
	ret = sluice_engine_add(queue->engine, job);
	if (!ret) {
		old = history->fence;
		queue->submitted = job->point;
		history->point = job->point;
		history->job = job;
		history->fence = dma_fence_get(job->fence);
		if (job->fence)
			sluice_object_inc(SLUICE_OBJECT_FENCE);
	}
	spin_unlock_irqrestore(&queue->lock, flags);
	dma_fence_put(old);
	return ret;
}

/**
 * sluice_queue_cancel_jobs - end jobs
 * @queue: the queue
 * @first: the first point
 * @last: the last point
 *
 * Does not wait, and lets go of the lock between two jobs.
 *
 * Context: any.  Return: how many of them had not ended.
 */
u32 sluice_queue_cancel_jobs(struct sluice_queue *queue, u64 first, u64 last)
{
	unsigned long flags;
	u32 count = 0;
	u64 point;

	spin_lock_irqsave(&queue->lock, flags);
	point = max(first, queue->done + 1);
	last = min(last, queue->submitted);
	spin_unlock_irqrestore(&queue->lock, flags);
	for (; point <= last; point++) {
		struct sluice_history *history = &queue->history[point & (queue->depth - 1)];

		spin_lock_irqsave(&queue->lock, flags);
		if (history->point == point && history->job)
			count += sluice_engine_cancel(queue->engine, history->job);
		spin_unlock_irqrestore(&queue->lock, flags);
	}
	return count;
}

/**
 * sluice_queue_job_ended - signal a job's fence, and tell everybody
 * @queue: the job's
 * @job: has ended; the caller owns it
 * @status: how: 0 or a negative errno
 *
 * The fence and the completion appear at once: who sees one sees the other.
 *
 * Context: any.
 */
void sluice_queue_job_ended(struct sluice_queue *queue, struct sluice_job *job, int status)
{
	struct sluice_history *history = &queue->history[job->point & (queue->depth - 1)];
	ktime_t now = ktime_get();
	struct sluice_completion completion = {
		.point = job->point,
		.user_data = job->user_data,
		.status = status,
		.bytes = job->result.bytes,
		.timestamp = ktime_to_ns(job->result.timestamp ?: now),
		.sequence = job->result.sequence,
		.dropped = job->result.dropped,
		.ops = job->ended,
		.xruns = job->xruns,
		.started = ktime_to_ns(job->started),
		.ended = ktime_to_ns(now),
		.flags = job->result.flags,
		.width = job->result.width,
		.height = job->result.height,
	};
	struct sluice_uring *uring;
	unsigned long flags;

	spin_lock_irqsave(&queue->lock, flags);
	history->job = NULL;
	history->status = status;
	history->ended = now;
	if (job->flags & SLUICE_SUBMIT_NO_COMPLETION)
		queue->in_flight--;
	else
		kfifo_put(&queue->completions, completion);
	queue->done = job->point;
	if (history->fence) {
		sluice_fence_end(history->fence, status, now);
		sluice_object_dec(SLUICE_OBJECT_FENCE);
	}
	uring = job->uring;
	if (uring && !sluice_uring_job_ended(uring, &completion))
		uring = NULL;
	spin_unlock_irqrestore(&queue->lock, flags);
	trace_sluice_job_signal(job, status);
	if (uring)
		sluice_uring_complete(uring);
	if (wq_has_sleeper(&queue->wait))
		wake_up_all(&queue->wait);
}

static int sluice_queue_fop_release(struct inode *inode, struct file *file)
{
	struct sluice_queue *queue = file->private_data;

	sluice_queue_kill(queue, -ECANCELED);
	/* with the queue still held, as sluice_slot_invalidate() expects of a slot in its table */
	sluice_queue_drop_slots(queue);
	sluice_queue_put(queue);
	return 0;
}

/* Why the queue takes no more jobs, or 0. */
static int sluice_queue_dead(const struct sluice_queue *queue)
{
	return READ_ONCE(queue->entity.dead);
}

static bool sluice_queue_has_record(const struct sluice_queue *queue)
{
	lockdep_assert_held(&queue->lock);
	return queue->progressed || !kfifo_is_empty(&queue->completions);
}

/* The next record for a reader, which stays where it is.  With the lock held. */
static bool sluice_queue_peek(struct sluice_queue *queue, struct sluice_completion *record)
{
	return sluice_cyclic_peek(queue, record) || kfifo_peek(&queue->completions, record);
}

/* It has been read. */
static void sluice_queue_skip(struct sluice_queue *queue, const struct sluice_completion *record)
{
	if (record->flags & SLUICE_COMPLETION_MORE) {
		sluice_cyclic_skip(queue, record);
		return;
	}
	kfifo_skip(&queue->completions);
	queue->in_flight--;
}

/* No record is there, and none will come: why, or 0. */
static int sluice_queue_over(struct sluice_queue *queue)
{
	int over = sluice_queue_dead(queue);

	spin_lock_irq(&queue->lock);
	if (queue->done != queue->submitted || sluice_queue_has_record(queue))
		over = 0;
	spin_unlock_irq(&queue->lock);
	return over;
}

/* Is there something to say to a reader: a record, or that none will come? */
static bool sluice_queue_readable(struct sluice_queue *queue)
{
	bool found;

	spin_lock_irq(&queue->lock);
	found = sluice_queue_has_record(queue);
	spin_unlock_irq(&queue->lock);
	return found || sluice_queue_over(queue);
}

/**
 * sluice_completion_copy_out - give a record to the caller
 * @to: where
 * @completion: the record
 * @size: bytes that the caller knows of it; what the kernel does not know is cleared
 *
 * Context: may sleep and fault.  Return: 0 or -EFAULT.
 */
int sluice_completion_copy_out(void __user *to, const struct sluice_completion *completion,
			       size_t size)
{
	size_t known = min(size, sizeof(*completion));

	if (copy_to_user(to, completion, known) || clear_user(to + known, size - known))
		return -EFAULT;
	return 0;
}

/* Take what there is, without waiting for more. */
static ssize_t sluice_queue_read_some(struct sluice_queue *queue, char __user *ubuf, size_t count)
{
	struct sluice_completion completion;
	size_t size = queue->completion_size;
	ssize_t done = 0;

	while (count - done >= size) {
		bool found;

		/* read_lock is held, so it stays the next one until it is skipped */
		spin_lock_irq(&queue->lock);
		found = sluice_queue_peek(queue, &completion);
		spin_unlock_irq(&queue->lock);
		if (!found)
			break;
		if (sluice_completion_copy_out(ubuf + done, &completion, size))
			return done ?: -EFAULT;
		spin_lock_irq(&queue->lock);
		sluice_queue_skip(queue, &completion);
		spin_unlock_irq(&queue->lock);
		done += size;
	}
	return done;
}

static ssize_t sluice_queue_read(struct file *file, char __user *ubuf, size_t count, loff_t *pos)
{
	struct sluice_queue *queue = file->private_data;
	ssize_t done;
	int over;

	if (count < queue->completion_size)
		return -EINVAL;
	for (;;) {
		/* nobody sleeps with the lock held: it is for the copying alone */
		if (mutex_lock_interruptible(&queue->read_lock))
			return -ERESTARTSYS;
		done = sluice_queue_read_some(queue, ubuf, count);
		mutex_unlock(&queue->read_lock);
		if (done)
			break;
		over = sluice_queue_over(queue);
		if (over)
			return over;
		/*
		 * fcntl() writes the flags as it likes, under a lock that is only
		 * for writers.  Either value will do, but one for this turn.
		 */
		if (data_race(READ_ONCE(file->f_flags)) & O_NONBLOCK)
			return -EAGAIN;
		if (wait_event_interruptible(queue->wait, sluice_queue_readable(queue)))
			return -ERESTARTSYS;
	}
	if (done > 0 && wq_has_sleeper(&queue->wait))
		wake_up_all(&queue->wait);
	return done;
}

static __poll_t sluice_queue_poll(struct file *file, poll_table *table)
{
	struct sluice_queue *queue = file->private_data;
	__poll_t events = 0;

	poll_wait(file, &queue->wait, table);
	spin_lock_irq(&queue->lock);
	if (sluice_queue_has_record(queue))
		events |= EPOLLIN | EPOLLRDNORM;
	if (queue->in_flight < queue->depth)
		events |= EPOLLOUT | EPOLLWRNORM;
	spin_unlock_irq(&queue->lock);
	if (sluice_queue_dead(queue)) {
		events &= ~(EPOLLOUT | EPOLLWRNORM);
		events |= READ_ONCE(queue->sdev->gone) ? EPOLLHUP : EPOLLERR;
	}
	return events;
}

static int sluice_queue_attach(struct sluice_call *call)
{
	struct sluice_queue *queue = call->file->private_data;
	struct sluice_attach *args = call->data;
	struct sluice_slot *slot;
	struct dma_buf *dmabuf;
	u32 number;
	int ret;

	if (args->reserved ||
	    args->flags & ~(SLUICE_ATTACH_READ | SLUICE_ATTACH_WRITE | SLUICE_ATTACH_EXPLICIT))
		return -EINVAL;
	dmabuf = dma_buf_get(args->fd);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);

	/*
	 * Reserve the number and tell the caller, before there is a slot: a
	 * reserved number finds nothing.
	 */
	mutex_lock(&queue->slot_lock);
	if (queue->slots_closed)
		ret = -ENODEV;
	else
		ret = xa_alloc(&queue->slots, &number, NULL, XA_LIMIT(0, SLUICE_MAX_SLOTS - 1),
			       GFP_KERNEL_ACCOUNT);
	mutex_unlock(&queue->slot_lock);
	if (ret) {
		ret = ret == -EBUSY ? -ENOSPC : ret;
		goto out;
	}
	args->slot = number;
	ret = sluice_call_copy_out(call);
	if (ret)
		goto err_number;

	slot = sluice_slot_create(queue->client, dmabuf, args->flags);
	if (IS_ERR(slot)) {
		ret = PTR_ERR(slot);
		goto err_number;
	}
	ret = sluice_slot_bind(slot, queue, number);
	if (ret)
		goto err_slot;
	mutex_lock(&queue->slot_lock);
	/* revoked before it had a place, where nobody found it */
	if (queue->slots_closed || sluice_slot_revoked(slot))
		ret = -ENODEV;
	else	/* the entry is reserved: no allocation */
		ret = xa_err(xa_store(&queue->slots, number, slot, GFP_KERNEL_ACCOUNT));
	mutex_unlock(&queue->slot_lock);
	if (!ret)
		goto out;
err_slot:
	sluice_slot_put(slot);
err_number:
	xa_release(&queue->slots, number);
out:
	dma_buf_put(dmabuf);
	return ret;
}

static int sluice_queue_detach(struct sluice_call *call)
{
	struct sluice_queue *queue = call->file->private_data;
	struct sluice_detach *args = call->data;
	struct sluice_slot *slot;

	if (args->flags)
		return -EINVAL;
	/* a number that ATTACH has only reserved finds nothing, and stays reserved */
	mutex_lock(&queue->slot_lock);
	slot = xa_load(&queue->slots, args->slot);
	if (slot)
		xa_erase(&queue->slots, args->slot);
	mutex_unlock(&queue->slot_lock);
	if (!slot)
		return -ENOENT;
	if (slot != SLUICE_SLOT_REVOKED)
		sluice_slot_put(slot);
	return 0;
}

static int sluice_queue_submit(struct sluice_call *call)
{
	return sluice_job_submit(call, call->file->private_data, call->data);
}

static struct sluice_history *sluice_queue_history(struct sluice_queue *queue, u64 point)
{
	struct sluice_history *history = &queue->history[point & (queue->depth - 1)];

	lockdep_assert_held(&queue->lock);
	return history->point == point ? history : NULL;
}

/*
 * A fence for a point that nobody has asked for: for one that has ended, with
 * its error and time if they are still known.
 */
static struct dma_fence *sluice_queue_late_fence(struct sluice_queue *queue, u64 point)
{
	struct dma_fence *fence = sluice_fence_create(queue->name), *other = NULL;
	struct sluice_history *history;

	if (!fence)
		return NULL;
	sluice_fence_init(fence, queue->context, point);
	spin_lock_irq(&queue->lock);
	history = sluice_queue_history(queue, point);
	if (history && history->fence) {
		other = dma_fence_get(history->fence);
	} else if (history) {
		history->fence = dma_fence_get(fence);
		if (history->job) {
			sluice_engine_give_fence(queue->engine, history->job, fence);
			sluice_object_inc(SLUICE_OBJECT_FENCE);
		} else {
			sluice_fence_end(fence, history->status, history->ended);
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

static struct dma_fence *sluice_queue_get_fence(struct sluice_queue *queue, u64 point)
{
	struct sluice_history *history;
	struct dma_fence *fence = NULL;
	bool known;

	spin_lock_irq(&queue->lock);
	known = point && point <= queue->submitted;
	history = sluice_queue_history(queue, point);
	/* nothing may wait for a job that need not ever end */
	if (history && history->job && sluice_job_is_cyclic(history->job))
		known = false;
	if (known && history)
		fence = dma_fence_get(history->fence);
	spin_unlock_irq(&queue->lock);
	if (!known)
		return ERR_PTR(-EINVAL);
	fence = fence ?: sluice_queue_late_fence(queue, point);
	return fence ?: ERR_PTR(-ENOMEM);
}

static int sluice_queue_fence(struct sluice_call *call)
{
	struct sluice_queue *queue = call->file->private_data;
	struct sluice_export_fence *args = call->data;
	struct dma_fence *fence;
	struct file *file;
	int ret;

	if (args->flags || args->reserved || args->fd_flags & ~SLUICE_FD_INHERIT)
		return -EINVAL;
	if (!IS_ENABLED(CONFIG_SYNC_FILE))
		return -EOPNOTSUPP;
	fence = sluice_queue_get_fence(queue, args->point);
	if (IS_ERR(fence))
		return PTR_ERR(fence);
	ret = sluice_call_reserve_fd(call, args->fd_flags);
	if (ret < 0)
		goto out;
	file = sluice_compat_sync_file(fence);
	if (IS_ERR(file)) {
		ret = PTR_ERR(file);
		goto out;
	}
	call->install = file;
	args->fd = call->fd;
	ret = 0;
out:
	dma_fence_put(fence);
	return ret;
}

static bool sluice_queue_done(struct sluice_queue *queue, u64 point)
{
	bool done;

	spin_lock_irq(&queue->lock);
	done = queue->done >= point;
	spin_unlock_irq(&queue->lock);
	return done;
}

static int sluice_queue_wait(struct sluice_call *call)
{
	struct sluice_queue *queue = call->file->private_data;
	struct sluice_wait *args = call->data;
	ktime_t deadline = ns_to_ktime(args->deadline_ns);
	struct sluice_history *history;
	DEFINE_WAIT(wait);
	int ret = 0;

	spin_lock_irq(&queue->lock);
	if (args->flags || !args->point || args->point > queue->submitted)
		ret = -EINVAL;
	spin_unlock_irq(&queue->lock);
	if (ret)
		return ret;

	for (;;) {
		prepare_to_wait(&queue->wait, &wait, TASK_INTERRUPTIBLE);
		if (sluice_queue_done(queue, args->point))
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
	if (ret)
		return ret;

	spin_lock_irq(&queue->lock);
	history = sluice_queue_history(queue, args->point);
	args->status = history ? history->status : 0;
	spin_unlock_irq(&queue->lock);
	return 0;
}

static int sluice_queue_cancel(struct sluice_call *call)
{
	struct sluice_queue *queue = call->file->private_data;
	struct sluice_cancel *args = call->data;

	if (args->flags & ~SLUICE_CANCEL_CLEAR || !args->first || args->first > args->last)
		return -EINVAL;
	args->cancelled = sluice_queue_cancel_jobs(queue, args->first, args->last);
	if (args->flags & SLUICE_CANCEL_CLEAR)
		sluice_engine_clear(queue->engine, &queue->entity);
	return 0;
}

static int sluice_queue_info(struct sluice_call *call)
{
	struct sluice_queue *queue = call->file->private_data;
	struct sluice_queue_info *info = call->data;

	if (info->flags)
		return -EINVAL;
	*info = (struct sluice_queue_info) {
		.engine = queue->engine->index,
		.priority = queue->entity.priority,
		.timeout_ms = jiffies_to_msecs(queue->entity.timeout),
		.depth = queue->depth,
		.completion_size = queue->completion_size,
	};
	return 0;
}

static const struct sluice_ioctl sluice_queue_ioctls[] = {
	{ SLUICE_IOCTL_ATTACH, SLUICE_ATTACH_FIRST_SIZE, 0, sluice_queue_attach },
	{ SLUICE_IOCTL_DETACH, SLUICE_DETACH_FIRST_SIZE, 0, sluice_queue_detach },
	{ SLUICE_IOCTL_SUBMIT, SLUICE_SUBMIT_FIRST_SIZE, 0, sluice_queue_submit },
	{ SLUICE_IOCTL_FENCE, SLUICE_FENCE_FIRST_SIZE, 0, sluice_queue_fence },
	{ SLUICE_IOCTL_WAIT, SLUICE_WAIT_FIRST_SIZE, 0, sluice_queue_wait },
	{ SLUICE_IOCTL_CANCEL, SLUICE_CANCEL_FIRST_SIZE, 0, sluice_queue_cancel },
	{ SLUICE_IOCTL_QUEUE_INFO, SLUICE_QUEUE_INFO_FIRST_SIZE, 0, sluice_queue_info },
	{ SLUICE_IOCTL_ACK, SLUICE_ACK_FIRST_SIZE, 0, sluice_cyclic_ack },
};

static long sluice_queue_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	return sluice_ioctl_dispatch(file, cmd, arg, sluice_queue_ioctls,
				     ARRAY_SIZE(sluice_queue_ioctls));
}

static void sluice_queue_show_fdinfo(struct seq_file *m, struct file *file)
{
	struct sluice_queue *queue = file->private_data;
	u64 submitted, done;
	u32 in_flight;

	spin_lock_irq(&queue->lock);
	submitted = queue->submitted;
	done = queue->done;
	in_flight = queue->in_flight;
	spin_unlock_irq(&queue->lock);
	seq_printf(m, "sluice-device:\t%s\n", queue->sdev->name);
	seq_printf(m, "sluice-timeline:\t%s\n", queue->name);
	seq_printf(m, "sluice-submitted:\t%llu\n", submitted);
	seq_printf(m, "sluice-ended:\t%llu\n", done);
	seq_printf(m, "sluice-in-flight:\t%u\n", in_flight);
	seq_printf(m, "sluice-depth:\t%u\n", queue->depth);
	seq_printf(m, "sluice-hangs:\t%u\n", READ_ONCE(queue->entity.hangs));
}

static const struct file_operations sluice_queue_fops = {
	.owner = THIS_MODULE,
	.release = sluice_queue_fop_release,
	.read = sluice_queue_read,
	.poll = sluice_queue_poll,
	.unlocked_ioctl = sluice_queue_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
#ifdef CONFIG_IO_URING
	.uring_cmd = sluice_uring_cmd,
#endif
	.show_fdinfo = sluice_queue_show_fdinfo,
	.llseek = noop_llseek,
};
