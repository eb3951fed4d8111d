// SPDX-License-Identifier: GPL-2.0-only
/*
 * SUBMIT through io_uring.  See uring.h.
 */
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "compat/uring.h"
#include "ioctl.h"
#include "job.h"
#include "queue.h"
#include "submit.h"
#include "uring.h"

/**
 * struct sluice_uring - our data of an io_uring command that has not completed; it is in cmd->pdu
 * @notify: its connection with the job; not used if the state is OVER
 * @completion: copy of the completion for @address, or NULL if the caller does not want one
 * @address: the caller's struct sluice_completion, of the queue's completion_size
 * @status: status of the job; valid after its end
 * @state: decides which context completes the command; under queue->lock.  ISSUED: it is being
 *	submitted; if the job ends now, the submitter completes it, without task work.  PENDING: it
 *	waits for the job; the end of the job, or a cancel, completes it.  OVER: the job has ended,
 *	or is not waited for any more
 */
struct sluice_uring {
	struct sluice_job_notify notify;
	struct sluice_completion *completion;
	void __user *address;
	s32 status;
	enum sluice_uring_state {
		SLUICE_URING_ISSUED,
		SLUICE_URING_PENDING,
		SLUICE_URING_OVER,
	} state;
};

static struct sluice_uring *sluice_uring_of(struct io_uring_cmd *cmd)
{
	BUILD_BUG_ON(sizeof(struct sluice_uring) > sizeof(cmd->pdu));
	return (struct sluice_uring *)cmd->pdu;
}

/*
 * Can this context write the caller's memory?  A task that exits has no memory any more, and a
 * kernel thread may use the memory of another task.
 */
static bool sluice_uring_has_user(void)
{
	return current->mm && !(current->flags & (PF_EXITING | PF_KTHREAD));
}

/* Copy the completion to the caller, if that is possible.  Returns the result of the command. */
static s32 sluice_uring_deliver(struct sluice_uring *uring)
{
	struct io_uring_cmd *cmd = container_of((void *)uring, struct io_uring_cmd, pdu);
	struct sluice_queue *queue = cmd->file->private_data;
	s32 result = uring->status;

	if (sluice_uring_has_user() &&
	    sluice_queue_copy_record(queue, uring->address, uring->completion))
		result = -EFAULT;
	kfree(uring->completion);
	return result;
}

static inline s32 sluice_uring_result(struct sluice_uring *uring)
{
	return uring->completion ? sluice_uring_deliver(uring) : uring->status;
}

static void sluice_uring_end(struct io_uring_cmd *cmd, unsigned int issue_flags)
{
	sluice_compat_uring_done(cmd, sluice_uring_result(sluice_uring_of(cmd)), issue_flags);
}

SLUICE_COMPAT_URING_TASK(sluice_uring_task, sluice_uring_end)

static bool sluice_uring_ended(struct sluice_job_notify *notify,
			       const struct sluice_completion *completion)
{
	struct sluice_uring *uring = container_of(notify, struct sluice_uring, notify);
	bool pending = uring->state == SLUICE_URING_PENDING;

	uring->status = completion->status;
	if (uring->completion)
		*uring->completion = *completion;
	/* the submitter reads the state without the lock, and then the two fields above */
	smp_store_release(&uring->state, SLUICE_URING_OVER);
	return pending;
}

/* Queue task work that completes the command in its own task. */
static void sluice_uring_complete(struct sluice_job_notify *notify)
{
	struct sluice_uring *uring = container_of(notify, struct sluice_uring, notify);
	struct io_uring_cmd *cmd = container_of((void *)uring, struct io_uring_cmd, pdu);

	sluice_compat_uring_in_task(cmd, sluice_uring_task);
}

static const struct sluice_job_notify_ops sluice_uring_notify_ops = {
	.ended = sluice_uring_ended,
	.complete = sluice_uring_complete,
};

/*
 * The ring or its task ends.  Complete the command now and cancel its job, because io_uring asks to
 * cancel again and again, until all commands are complete.  A command that is OVER completes soon
 * anyway.  A command that a worker is submitting is left alone: io_uring asks again.
 */
static void sluice_uring_cancel(struct sluice_queue *queue, struct io_uring_cmd *cmd,
				unsigned int issue_flags)
{
	struct sluice_uring *uring = sluice_uring_of(cmd);
	u64 point = 0;

	spin_lock_irq(&queue->lock);
	if (uring->state == SLUICE_URING_PENDING) {
		uring->state = SLUICE_URING_OVER;
		uring->notify.job->notify = NULL;
		point = uring->notify.job->base.point;
	}
	spin_unlock_irq(&queue->lock);
	if (!point)
		return;
	sluice_queue_cancel(queue, point, point);
	kfree(uring->completion);
	sluice_compat_uring_done(cmd, -ECANCELED, issue_flags);
}

/*
 * Called when a job was submitted.  True if the job has not ended, so the command must wait for it.
 */
static bool sluice_uring_wait(struct sluice_queue *queue, struct sluice_uring *uring)
{
	bool pending;

	spin_lock_irq(&queue->lock);
	pending = uring->state == SLUICE_URING_ISSUED;
	if (pending)
		uring->state = SLUICE_URING_PENDING;
	spin_unlock_irq(&queue->lock);
	return pending;
}

static int sluice_uring_submitted(struct sluice_queue *queue, struct io_uring_cmd *cmd,
				  unsigned int issue_flags)
{
	struct sluice_uring *uring = sluice_uring_of(cmd);
	s32 result;

	/* pairs with the release that ends the command: the result is complete then */
	if (smp_load_acquire(&uring->state) == SLUICE_URING_ISSUED) {
		/* make it cancelable before another context may complete it */
		sluice_compat_uring_cancelable(cmd, issue_flags);
		if (!sluice_uring_wait(queue, uring))
			sluice_uring_end(cmd, issue_flags);
		return -EIOCBQUEUED;
	}
	result = sluice_uring_result(uring);
	if (!result)
		return 0;
	/* an error of the device could have another meaning for io_uring, such as -EAGAIN */
	sluice_compat_uring_done(cmd, result, issue_flags);
	return -EIOCBQUEUED;
}

static int sluice_uring_submit(struct sluice_queue *queue, struct io_uring_cmd *cmd,
			       unsigned int issue_flags)
{
	const struct sluice_uring_submit *bytes = sluice_compat_uring_bytes(cmd);
	struct sluice_uring *uring = sluice_uring_of(cmd);
	size_t size = _IOC_SIZE(cmd->cmd_op);
	struct sluice_submit args;
	struct sluice_call call = {
		.file = cmd->file,
		.data = &args,
		.uarg = u64_to_user_ptr(READ_ONCE(bytes->submit)),
		.size = min(size, sizeof(args)),
		.fd = -1,
	};
	int ret;

	*uring = (struct sluice_uring) {
		.address = u64_to_user_ptr(READ_ONCE(bytes->completion)),
	};
	if (cmd->flags & IORING_URING_CMD_MASK || size < SLUICE_SUBMIT_FIRST_SIZE)
		return -EINVAL;
	ret = copy_struct_from_user(&args, sizeof(args), call.uarg, size);
	if (ret)
		return ret;
	if (uring->address) {
		if (clear_user(uring->address, queue->completion_size))
			return -EFAULT;
		uring->completion = kmalloc(sizeof(*uring->completion), GFP_KERNEL_ACCOUNT);
		if (!uring->completion)
			return -ENOMEM;
	}
	ret = sluice_call_end(&call, sluice_submit_job(&call, queue, &args, &uring->notify,
						       &sluice_uring_notify_ops));
	if (!ret)
		return sluice_uring_submitted(queue, cmd, issue_flags);
	kfree(uring->completion);
	return ret == -ERESTARTSYS ? -EINTR : ret;
}

/**
 * sluice_uring_cmd - the uring_cmd operation of a queue
 * @cmd: the command
 * @issue_flags: IO_URING_F_*
 *
 * Context: may sleep.
 * Return: -EIOCBQUEUED if io_uring has got the result already, or will get it later; otherwise the
 * result.
 */
int sluice_uring_cmd(struct io_uring_cmd *cmd, unsigned int issue_flags)
{
	struct sluice_queue *queue = cmd->file->private_data;

	if (issue_flags & SLUICE_COMPAT_URING_CANCEL) {
		sluice_uring_cancel(queue, cmd, issue_flags);
		return 0;
	}
	if (_IOC_TYPE(cmd->cmd_op) != SLUICE_IOCTL_BASE ||
	    _IOC_NR(cmd->cmd_op) != _IOC_NR(SLUICE_URING_SUBMIT))
		return -EOPNOTSUPP;
	return sluice_uring_submit(queue, cmd, issue_flags);
}
