// SPDX-License-Identifier: GPL-2.0-only
/* The fd of a queue: its file operations and ioctls.  See queue_file.h. */
#include <linux/anon_inodes.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <linux/seq_file.h>
#include <linux/uaccess.h>

#include "compat/fence.h"
#include "device.h"
#include "engine.h"
#include "ioctl.h"
#include "job.h"
#include "queue.h"
#include "queue_file.h"
#include "submit.h"
#include "uring.h"

static int sluice_queue_file_release(struct inode *inode, struct file *file)
{
	struct sluice_queue *queue = file->private_data;

	sluice_queue_kill(queue, -ECANCELED);
	/* before the put: a revocation of a slot in the table takes a reference on the queue */
	sluice_slot_table_close(&queue->slots);
	sluice_queue_put(queue);
	return 0;
}

/* Returns an errno if the queue has no record and will never get one, else 0. */
static int sluice_queue_file_over(struct sluice_queue *queue)
{
	int over = sluice_queue_dead(queue);

	/* SUBMIT_MANY puts its jobs on the timeline in steps; in_flight has all of them before */
	spin_lock_irq(&queue->lock);
	if (queue->in_flight || sluice_queue_has_record(queue))
		over = 0;
	spin_unlock_irq(&queue->lock);
	return over;
}

/* Can read() return at once, with a record or with an error? */
static bool sluice_queue_file_readable(struct sluice_queue *queue)
{
	bool found;

	spin_lock_irq(&queue->lock);
	found = sluice_queue_has_record(queue);
	spin_unlock_irq(&queue->lock);
	return found || sluice_queue_file_over(queue);
}

/* Copy the available records.  Does not wait for more.  queue->read_lock is held. */
static ssize_t sluice_queue_file_read_some(struct sluice_queue *queue, char __user *ubuf,
					   size_t count)
{
	struct sluice_completion completion;
	size_t size = queue->completion_size;
	ssize_t done = 0;

	while (count - done >= size) {
		bool found;

		/*
		 * read_lock is held, so no other task takes this record.  Only a newer progress
		 * record may replace it: sluice_queue_skip() then keeps the newer one.
		 */
		spin_lock_irq(&queue->lock);
		found = sluice_queue_peek(queue, &completion);
		spin_unlock_irq(&queue->lock);
		if (!found)
			break;
		if (sluice_queue_copy_record(queue, ubuf + done, &completion))
			return done ?: -EFAULT;
		spin_lock_irq(&queue->lock);
		sluice_queue_skip(queue, &completion);
		spin_unlock_irq(&queue->lock);
		done += size;
	}
	return done;
}

static ssize_t sluice_queue_file_read(struct file *file, char __user *ubuf, size_t count,
				      loff_t *pos)
{
	struct sluice_queue *queue = file->private_data;
	ssize_t done;
	int over;

	if (queue->ring)
		return -EOPNOTSUPP;
	if (count < queue->completion_size)
		return -EINVAL;
	for (;;) {
		/* released before the wait below, so that this task does not block other readers */
		if (mutex_lock_interruptible(&queue->read_lock))
			return -ERESTARTSYS;
		done = sluice_queue_file_read_some(queue, ubuf, count);
		mutex_unlock(&queue->read_lock);
		if (done)
			break;
		over = sluice_queue_file_over(queue);
		if (over)
			return over;
		/* fcntl() may change f_flags now: the old and the new value are both correct */
		if (data_race(READ_ONCE(file->f_flags)) & O_NONBLOCK)
			return -EAGAIN;
		if (wait_event_interruptible(queue->wait, sluice_queue_file_readable(queue)))
			return -ERESTARTSYS;
	}
	/* the queue may have room for a job now, and a task may poll for it */
	if (done > 0)
		sluice_queue_wake(queue);
	return done;
}

static __poll_t sluice_queue_file_poll(struct file *file, poll_table *table)
{
	struct sluice_queue *queue = file->private_data;
	__poll_t events = 0;

	poll_wait(file, &queue->wait, table);
	spin_lock_irq(&queue->lock);
	if (sluice_queue_has_record(queue))
		events |= EPOLLIN | EPOLLRDNORM;
	if (sluice_queue_in_flight(queue) < queue->depth)
		events |= EPOLLOUT | EPOLLWRNORM;
	spin_unlock_irq(&queue->lock);
	if (sluice_queue_dead(queue)) {
		events &= ~(EPOLLOUT | EPOLLWRNORM);
		events |= READ_ONCE(queue->sdev->gone) ? EPOLLHUP : EPOLLERR;
	}
	return events;
}

static int sluice_queue_file_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct sluice_queue *queue = file->private_data;

	return queue->ring ? sluice_ring_mmap(queue->ring, vma) : -ENODEV;
}

/* Make a slot.  Its number is reserved, and has been copied to the caller. */
static int sluice_queue_file_add_slot(struct sluice_queue *queue, struct dma_buf *dmabuf,
				      u32 flags, u32 number)
{
	struct sluice_slot *slot;
	int ret;

	slot = sluice_slot_create(queue->client, dmabuf, flags);
	if (IS_ERR(slot))
		return PTR_ERR(slot);
	ret = sluice_slot_bind(slot, &queue->slots.owner, number);
	if (!ret)
		ret = sluice_slot_table_publish(&queue->slots, slot);
	if (ret)
		sluice_slot_put(slot);
	return ret;
}

static int sluice_queue_file_attach(struct sluice_call *call)
{
	struct sluice_queue *queue = call->file->private_data;
	struct sluice_attach *args = call->data;
	struct dma_buf *dmabuf;
	int ret;

	if (args->reserved ||
	    args->flags & ~(SLUICE_ATTACH_READ | SLUICE_ATTACH_WRITE | SLUICE_ATTACH_EXPLICIT))
		return -EINVAL;
	dmabuf = dma_buf_get(args->fd);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	/* copy the number out first: if the copy fails, there is no slot yet that must be undone */
	ret = sluice_slot_table_reserve(&queue->slots, &args->slot);
	if (ret)
		goto out;
	ret = sluice_call_copy_out(call);
	if (!ret)
		ret = sluice_queue_file_add_slot(queue, dmabuf, args->flags, args->slot);
	if (ret)
		sluice_slot_table_unreserve(&queue->slots, args->slot);
out:
	dma_buf_put(dmabuf);
	return ret;
}

static int sluice_queue_file_detach(struct sluice_call *call)
{
	struct sluice_queue *queue = call->file->private_data;
	struct sluice_detach *args = call->data;

	return args->flags ? -EINVAL : sluice_slot_table_remove(&queue->slots, args->slot);
}

static int sluice_queue_file_submit(struct sluice_call *call)
{
	return sluice_submit_job(call, call->file->private_data, call->data, NULL, NULL);
}

static int sluice_queue_file_submit_many(struct sluice_call *call)
{
	return sluice_submit_check_many(call->data) ?:
	       sluice_submit_jobs(call, call->file->private_data, call->data, NULL, NULL);
}

static int sluice_queue_file_fence(struct sluice_call *call)
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

static int sluice_queue_file_wait(struct sluice_call *call)
{
	struct sluice_wait *args = call->data;

	if (args->flags)
		return -EINVAL;
	return sluice_queue_wait(call->file->private_data, args->point,
				 ns_to_ktime(args->deadline_ns), &args->status);
}

static int sluice_queue_file_cancel(struct sluice_call *call)
{
	struct sluice_queue *queue = call->file->private_data;
	struct sluice_cancel *args = call->data;

	if (args->flags & ~SLUICE_CANCEL_CLEAR || !args->first || args->first > args->last)
		return -EINVAL;
	args->cancelled = sluice_queue_cancel(queue, args->first, args->last);
	if (args->flags & SLUICE_CANCEL_CLEAR)
		sluice_entity_clear(&queue->entity);
	return 0;
}

static int sluice_queue_file_ack(struct sluice_call *call)
{
	const struct sluice_ack *args = call->data;

	if (args->flags || args->reserved)
		return -EINVAL;
	return sluice_queue_ack(call->file->private_data, args->point, args->ops);
}

static int sluice_queue_file_info(struct sluice_call *call)
{
	struct sluice_queue *queue = call->file->private_data;
	struct sluice_queue_info *info = call->data;

	if (info->flags)
		return -EINVAL;
	*info = (struct sluice_queue_info) {
		.engine = queue->entity.engine->index,
		.priority = queue->entity.priority,
		.timeout_ms = jiffies_to_msecs(queue->entity.timeout),
		.depth = queue->depth,
		.completion_size = queue->completion_size,
		.ring_size = sluice_queue_ring_bytes(queue),
		.queue_flags = (queue->entity.chain ? SLUICE_QUEUE_CHAIN_ERRORS : 0) |
			(queue->exclusive ? SLUICE_QUEUE_EXCLUSIVE : 0) |
			(queue->ring ? SLUICE_QUEUE_RING : 0),
	};
	return 0;
}

static const struct sluice_ioctl sluice_queue_file_ioctls[] = {
	{ SLUICE_IOCTL_ATTACH, SLUICE_ATTACH_FIRST_SIZE, 0, sluice_queue_file_attach },
	{ SLUICE_IOCTL_DETACH, SLUICE_DETACH_FIRST_SIZE, 0, sluice_queue_file_detach },
	{ SLUICE_IOCTL_SUBMIT, SLUICE_SUBMIT_FIRST_SIZE, 0, sluice_queue_file_submit },
	{ SLUICE_IOCTL_SUBMIT_MANY, SLUICE_SUBMIT_MANY_FIRST_SIZE, SLUICE_IOCTL_OUT_ON_ERROR,
	  sluice_queue_file_submit_many },
	{ SLUICE_IOCTL_FENCE, SLUICE_FENCE_FIRST_SIZE, 0, sluice_queue_file_fence },
	{ SLUICE_IOCTL_WAIT, SLUICE_WAIT_FIRST_SIZE, 0, sluice_queue_file_wait },
	{ SLUICE_IOCTL_CANCEL, SLUICE_CANCEL_FIRST_SIZE, 0, sluice_queue_file_cancel },
	{ SLUICE_IOCTL_QUEUE_INFO, SLUICE_QUEUE_INFO_FIRST_SIZE, 0, sluice_queue_file_info },
	{ SLUICE_IOCTL_ACK, SLUICE_ACK_FIRST_SIZE, 0, sluice_queue_file_ack },
};

static long sluice_queue_file_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	return sluice_ioctl_dispatch(file, cmd, arg, sluice_queue_file_ioctls,
				     ARRAY_SIZE(sluice_queue_file_ioctls));
}

static void sluice_queue_file_show_fdinfo(struct seq_file *m, struct file *file)
{
	struct sluice_queue *queue = file->private_data;
	u64 submitted, done;
	u32 in_flight;

	spin_lock_irq(&queue->lock);
	submitted = queue->submitted;
	done = queue->done;
	in_flight = sluice_queue_in_flight(queue);
	spin_unlock_irq(&queue->lock);
	seq_printf(m, "sluice-device:\t%s\n", queue->sdev->name);
	seq_printf(m, "sluice-timeline:\t%s\n", queue->timeline.name);
	seq_printf(m, "sluice-submitted:\t%llu\n", submitted);
	seq_printf(m, "sluice-ended:\t%llu\n", done);
	seq_printf(m, "sluice-in-flight:\t%u\n", in_flight);
	seq_printf(m, "sluice-depth:\t%u\n", queue->depth);
	seq_printf(m, "sluice-hangs:\t%u\n", READ_ONCE(queue->entity.hangs));
	seq_printf(m, "sluice-ring-bytes:\t%zu\n", sluice_queue_ring_bytes(queue));
}

static const struct file_operations sluice_queue_file_fops = {
	.owner = THIS_MODULE,
	.release = sluice_queue_file_release,
	.read = sluice_queue_file_read,
	.poll = sluice_queue_file_poll,
	.mmap = sluice_queue_file_mmap,
	.unlocked_ioctl = sluice_queue_file_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
#ifdef CONFIG_IO_URING
	.uring_cmd = sluice_uring_cmd,
#endif
	.show_fdinfo = sluice_queue_file_show_fdinfo,
	.llseek = noop_llseek,
};

/**
 * sluice_queue_file_create - handler of CREATE_QUEUE
 * @call: the ioctl, on the file of a client; its fd is set to the new queue
 * @args: arguments of CREATE_QUEUE; checked
 *
 * Context: may sleep.
 * Return: 0, an error of sluice_queue_create(), -ENOMEM or -EMFILE.
 */
int sluice_queue_file_create(struct sluice_call *call, struct sluice_create_queue *args)
{
	struct sluice_queue *queue;
	struct file *file;
	int ret;

	queue = sluice_queue_create(call->file->private_data, &sluice_job_entity_ops, args);
	if (IS_ERR(queue))
		return PTR_ERR(queue);
	ret = sluice_call_reserve_fd(call, args->fd_flags);
	if (ret < 0)
		goto err_put;
	file = anon_inode_getfile("[sluice-queue]", &sluice_queue_file_fops, queue, O_RDWR);
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
}
