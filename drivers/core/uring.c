// SPDX-License-Identifier: GPL-2.0-only
/*
 * SUBMIT through io_uring: a command on a queue's fd that submits a job and
 * completes when the job has ended.
 *
 * Submission is that of job.c, in the task that enters the ring, in the ring's
 * polling thread or in a worker; the latter two have the files and the memory
 * of the task that they work for.  It may sleep for locks, with and without
 * IO_URING_F_NONBLOCK.  To say -EAGAIN in place of that would hand the
 * command to a worker, and later ones of the same batch would overtake it: jobs
 * would not be in the order in which they were submitted.
 *
 * What a command needs until its end is in struct sluice_uring, which lies in
 * the command itself.  It does not keep its job: a job holds the device, and
 * when io_uring runs the end of a command is up to userspace.  Its states:
 *
 *	ISSUED	being submitted.  A job that ends by now leaves its result, and
 *		the submitter completes the command, without task work
 *	PENDING	the job's end sends the command to its task, to complete there
 *	OVER	the job has ended or is not waited for: who saw to that completes
 *		the command
 */
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "core.h"

static struct sluice_uring *sluice_uring_of(struct io_uring_cmd *cmd)
{
	BUILD_BUG_ON(sizeof(struct sluice_uring) > sizeof(cmd->pdu));
	return (struct sluice_uring *)cmd->pdu;
}

/* A task that exits has lost its memory; a kernel thread has somebody's. */
static bool sluice_uring_has_user(void)
{
	return current->mm && !(current->flags & (PF_EXITING | PF_KTHREAD));
}

/* The caller gets its completion, if it can.  Return: the command's result. */
static s32 sluice_uring_deliver(struct sluice_uring *uring)
{
	struct io_uring_cmd *cmd = container_of((void *)uring, struct io_uring_cmd, pdu);
	struct sluice_queue *queue = cmd->file->private_data;
	s32 result = uring->status;

	if (sluice_uring_has_user() &&
	    sluice_completion_copy_out(uring->address, uring->completion,
				       queue->completion_size))
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

/**
 * sluice_uring_job_ended - a command's job has ended
 * @uring: the job's
 * @completion: what there is to tell
 *
 * Context: any; queue->lock held.  Return: whether sluice_uring_complete() is to
 * be called when it is not held any more.
 */
bool sluice_uring_job_ended(struct sluice_uring *uring, const struct sluice_completion *completion)
{
	bool pending = uring->state == SLUICE_URING_PENDING;

	uring->status = completion->status;
	if (uring->completion)
		*uring->completion = *completion;
	/* the submitter looks at the state, and then at these, without the lock */
	smp_store_release(&uring->state, SLUICE_URING_OVER);
	return pending;
}

/**
 * sluice_uring_complete - have a command completed in its task
 * @uring: the command's
 *
 * Context: any; no lock held.
 */
void sluice_uring_complete(struct sluice_uring *uring)
{
	struct io_uring_cmd *cmd = container_of((void *)uring, struct io_uring_cmd, pdu);

	sluice_compat_uring_in_task(cmd, sluice_uring_task);
}

/*
 * The ring goes, or its task.  The command completes now, because io_uring asks
 * again and again until it has; its job is cancelled.  A command that is OVER
 * completes in a moment anyway, and for one that a worker is just submitting
 * io_uring will ask again.
 */
static void sluice_uring_cancel(struct sluice_queue *queue, struct io_uring_cmd *cmd,
				unsigned int issue_flags)
{
	struct sluice_uring *uring = sluice_uring_of(cmd);
	u64 point = 0;

	spin_lock_irq(&queue->lock);
	if (uring->state == SLUICE_URING_PENDING) {
		uring->state = SLUICE_URING_OVER;
		uring->job->uring = NULL;
		point = uring->job->point;
	}
	spin_unlock_irq(&queue->lock);
	if (!point)
		return;
	sluice_queue_cancel_jobs(queue, point, point);
	kfree(uring->completion);
	sluice_compat_uring_done(cmd, -ECANCELED, issue_flags);
}

/* A job has been submitted, and may have ended: is it still to be waited for? */
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

	if (smp_load_acquire(&uring->state) == SLUICE_URING_ISSUED) {
		/* before anybody else may complete it */
		sluice_compat_uring_cancelable(cmd, issue_flags);
		if (!sluice_uring_wait(queue, uring))
			sluice_uring_end(cmd, issue_flags);
		return -EIOCBQUEUED;
	}
	result = sluice_uring_result(uring);
	if (!result)
		return 0;
	/* what a device reports may mean something else to io_uring: -EAGAIN */
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
		.uring = uring,
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
	ret = sluice_call_end(&call, sluice_job_submit(&call, queue, &args));
	if (!ret)
		return sluice_uring_submitted(queue, cmd, issue_flags);
	kfree(uring->completion);
	return ret == -ERESTARTSYS ? -EINTR : ret;
}

/**
 * sluice_uring_cmd - the uring_cmd of a queue
 * @cmd: the command
 * @issue_flags: IO_URING_F_*
 *
 * Return: -EIOCBQUEUED for a command that has completed or will, else its result.
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
