/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * SUBMIT: from the caller's struct to a published job.
 *
 * queue->submit_lock orders the SUBMITs of a queue.  queue_file.c and uring.c call this file.
 */
#ifndef _SLUICE_SUBMIT_H
#define _SLUICE_SUBMIT_H

struct sluice_call;
struct sluice_job_notify;
struct sluice_job_notify_ops;
struct sluice_queue;
struct sluice_submit;

int sluice_submit_job(struct sluice_call *call, struct sluice_queue *queue,
		      struct sluice_submit *args, struct sluice_job_notify *notify,
		      const struct sluice_job_notify_ops *notify_ops);

#endif /* _SLUICE_SUBMIT_H */
