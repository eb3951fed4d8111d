/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * SUBMIT through io_uring.
 *
 * queue->lock guards the state of a command.
 */
#ifndef _SLUICE_URING_H
#define _SLUICE_URING_H

#include <linux/types.h>

struct io_uring_cmd;
struct sluice_completion;
struct sluice_job;

/**
 * struct sluice_uring - an io_uring command that has not completed: see uring.c
 * @job: its job, unless the state is OVER; no reference
 * @completion: copy of the completion for @address, or NULL if the caller does not want one
 * @address: the caller's struct sluice_completion, of the queue's completion_size
 * @status: status of the job; valid after its end
 * @state: decides which context completes the command; under queue->lock.  ISSUED: it is being
 *	submitted; if the job ends now, the submitter completes it.  PENDING: it waits for the job;
 *	the end of the job, or a cancel, completes it.  OVER: the job has ended, or is not waited
 *	for any more
 */
struct sluice_uring {
	struct sluice_job *job;
	struct sluice_completion *completion;
	void __user *address;
	s32 status;
	enum sluice_uring_state {
		SLUICE_URING_ISSUED,
		SLUICE_URING_PENDING,
		SLUICE_URING_OVER,
	} state;
};

#ifdef CONFIG_IO_URING
int sluice_uring_cmd(struct io_uring_cmd *cmd, unsigned int issue_flags);
bool sluice_uring_job_ended(struct sluice_uring *uring, const struct sluice_completion *completion);
void sluice_uring_complete(struct sluice_uring *uring);
#else
static inline bool sluice_uring_job_ended(struct sluice_uring *uring,
					  const struct sluice_completion *completion)
{
	return false;
}

static inline void sluice_uring_complete(struct sluice_uring *uring)
{
}
#endif

#endif /* _SLUICE_URING_H */
