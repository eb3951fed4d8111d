// SPDX-License-Identifier: GPL-2.0-only
/*
 * SUBMIT and SUBMIT_MANY through io_uring.  See uring.h.
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
 * @notify: its connection with the jobs; not used if the state is OVER
 * @completions: array of copies of the completions for @address, one for each job; or NULL if the
 *	caller does not want them
 * @address: the caller's array of struct sluice_completion, each of the queue's completion_size
 * @status: status of the first job that failed, or 0; valid after the end of the last job
 * @num_jobs: number of jobs
 * @state: decides which context completes the command; under queue->lock
 */
struct sluice_uring {
	struct sluice_job_notify notify;
	struct sluice_completion *completions;
	void __user *address;
	s32 status;
	u16 num_jobs;
	u16 state;
};

/*
 * sluice_uring.state
 *
 *	ISSUED	the jobs are being submitted.  If the last one ends now, the submitter completes the
 *		command, without task work
 *	PENDING	the command waits for the jobs.  The end of the last one, or a cancel, completes it
 *	OVER	the last job has ended, or the command does not wait for the jobs any more
 */
#define SLUICE_URING_ISSUED	0
#define SLUICE_URING_PENDING	1
#define SLUICE_URING_OVER	2

static_assert(SLUICE_MAX_JOBS <= U16_MAX);

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

/* Copy the completions to the caller, if that is possible.  Returns the result of the command. */
static s32 sluice_uring_deliver(struct sluice_uring *uring)
{
	struct io_uring_cmd *cmd = container_of((void *)uring, struct io_uring_cmd, pdu);
	struct sluice_queue *queue = cmd->file->private_data;
	s32 result = uring->status;
	unsigned int i;

	for (i = 0; i < uring->num_jobs && sluice_uring_has_user(); i++)
		if (sluice_queue_copy_record(queue, uring->address + i * queue->completion_size,
					     &uring->completions[i])) {
			result = -EFAULT;
			break;
		}
	kvfree(uring->completions);
	return result;
}

static inline s32 sluice_uring_result(struct sluice_uring *uring)
{
	return uring->completions ? sluice_uring_deliver(uring) : uring->status;
}

static void sluice_uring_end(struct io_uring_cmd *cmd, unsigned int issue_flags)
{
	sluice_compat_uring_done(cmd, sluice_uring_result(sluice_uring_of(cmd)), issue_flags);
}

SLUICE_COMPAT_URING_TASK(sluice_uring_task, sluice_uring_end)

/* The points of the jobs are consecutive, and notify->job is the last of them. */
static u64 sluice_uring_first(const struct sluice_uring *uring)
{
	return uring->notify.job->base.point - uring->num_jobs + 1;
}

static bool sluice_uring_ended(struct sluice_job_notify *notify,
			       const struct sluice_completion *completion)
{
	struct sluice_uring *uring = container_of(notify, struct sluice_uring, notify);
	bool pending = uring->state == SLUICE_URING_PENDING;

	uring->status = uring->status ?: completion->status;
	if (uring->completions)
		uring->completions[completion->point - sluice_uring_first(uring)] = *completion;
	if (completion->point != notify->job->base.point)
		return false;
	/* the submitter reads the state without the lock, and then the fields above */
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
 * Disconnect the jobs from the command.  The lock is released after each job, so that it is never
 * held for long.  A job that ends meanwhile still finds the command, which is not complete yet.
 */
static void sluice_uring_forget(struct sluice_queue *queue, u64 first, u64 last)
{
	u64 point;

	for (point = first; point <= last; point++) {
		struct sluice_sched_job *job;

		spin_lock_irq(&queue->lock);
		job = sluice_queue_job(queue, point);
		if (job)
			container_of(job, struct sluice_job, base)->notify = NULL;
		spin_unlock_irq(&queue->lock);
	}
}

/*
 * The ring or its task ends.  Complete the command now and cancel its jobs, because io_uring asks
 * to cancel again and again, until all commands are complete.  A command that is OVER completes
 * soon anyway.  A command that a worker is submitting is left alone: io_uring asks again.
 */
static void sluice_uring_cancel(struct sluice_queue *queue, struct io_uring_cmd *cmd,
				unsigned int issue_flags)
{
	struct sluice_uring *uring = sluice_uring_of(cmd);
	u64 first = 0, last = 0;

	spin_lock_irq(&queue->lock);
	if (uring->state == SLUICE_URING_PENDING) {
		/* notify->job stays valid until the last job has ended or is disconnected */
		last = uring->notify.job->base.point;
		first = sluice_uring_first(uring);
		uring->state = SLUICE_URING_OVER;
	}
	spin_unlock_irq(&queue->lock);
	if (!last)
		return;
	sluice_uring_forget(queue, first, last);
	sluice_queue_cancel(queue, first, last);
	kvfree(uring->completions);
	sluice_compat_uring_done(cmd, -ECANCELED, issue_flags);
}

/* True if the last of the submitted jobs has not ended, so that the command must wait for it. */
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

/* Allocate the copies of the completions, if the caller wants them. */
static int sluice_uring_prepare(struct sluice_queue *queue, struct sluice_uring *uring,
				u32 num_jobs)
{
	uring->num_jobs = num_jobs;
	if (!uring->address)
		return 0;
	if (clear_user(uring->address, (size_t)num_jobs * queue->completion_size))
		return -EFAULT;
	uring->completions = kvmalloc_array(num_jobs, sizeof(*uring->completions),
					    GFP_KERNEL_ACCOUNT);
	return uring->completions ? 0 : -ENOMEM;
}

/*
 * The beginning of both commands: initialise our data, which has no job yet, and copy the struct of
 * the caller to @args, of @size bytes.  The first UAPI version of the struct had @first bytes.
 */
static int sluice_uring_begin(struct io_uring_cmd *cmd, struct sluice_call *call, void *args,
			      size_t size, size_t first)
{
	const struct sluice_uring_submit *bytes = sluice_compat_uring_bytes(cmd);
	size_t usize = _IOC_SIZE(cmd->cmd_op);

	*sluice_uring_of(cmd) = (struct sluice_uring) {
		.address = u64_to_user_ptr(READ_ONCE(bytes->completion)),
	};
	*call = (struct sluice_call) {
		.file = cmd->file,
		.data = args,
		.uarg = u64_to_user_ptr(READ_ONCE(bytes->submit)),
		.size = min(usize, size),
		.fd = -1,
	};
	if (usize < first)
		return -EINVAL;
	return copy_struct_from_user(args, size, call->uarg, usize);
}

/* The end of both commands: @ret is the result of SUBMIT or SUBMIT_MANY. */
static int sluice_uring_submit_end(struct sluice_queue *queue, struct io_uring_cmd *cmd,
				   unsigned int issue_flags, int ret)
{
	if (!ret)
		return sluice_uring_submitted(queue, cmd, issue_flags);
	kvfree(sluice_uring_of(cmd)->completions);
	return ret == -ERESTARTSYS ? -EINTR : ret;
}

static int sluice_uring_submit(struct sluice_queue *queue, struct io_uring_cmd *cmd,
			       unsigned int issue_flags)
{
	struct sluice_uring *uring = sluice_uring_of(cmd);
	struct sluice_submit args;
	struct sluice_call call;
	int ret;

	ret = sluice_uring_begin(cmd, &call, &args, sizeof(args), SLUICE_SUBMIT_FIRST_SIZE);
	if (ret)
		return ret;
	ret = sluice_uring_prepare(queue, uring, 1) ?:
	      sluice_submit_job(&call, queue, &args, &uring->notify, &sluice_uring_notify_ops);
	return sluice_uring_submit_end(queue, cmd, issue_flags, sluice_call_end(&call, ret));
}

static int sluice_uring_submit_many(struct sluice_queue *queue, struct io_uring_cmd *cmd,
				    unsigned int issue_flags)
{
	struct sluice_uring *uring = sluice_uring_of(cmd);
	struct sluice_submit_many args;
	struct sluice_call call;
	int ret;

	ret = sluice_uring_begin(cmd, &call, &args, sizeof(args), SLUICE_SUBMIT_MANY_FIRST_SIZE);
	if (ret)
		return ret;
	ret = sluice_submit_check_many(&args) ?:
	      sluice_uring_prepare(queue, uring, args.num_jobs) ?:
	      sluice_submit_jobs(&call, queue, &args, &uring->notify, &sluice_uring_notify_ops);
	/* the field failed tells the index of the job that is the reason */
	if (ret && sluice_call_copy_out(&call))
		ret = -EFAULT;
	return sluice_uring_submit_end(queue, cmd, issue_flags, sluice_call_end(&call, ret));
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
	if (_IOC_TYPE(cmd->cmd_op) != SLUICE_IOCTL_BASE)
		return -EOPNOTSUPP;
	if (cmd->flags & IORING_URING_CMD_MASK)
		return -EINVAL;
	switch (_IOC_NR(cmd->cmd_op)) {
	case _IOC_NR(SLUICE_URING_SUBMIT):
		return sluice_uring_submit(queue, cmd, issue_flags);
	case _IOC_NR(SLUICE_URING_SUBMIT_MANY):
		return sluice_uring_submit_many(queue, cmd, issue_flags);
	}
	return -EOPNOTSUPP;
}
