/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * SUBMIT and SUBMIT_MANY: from the caller's structs to published jobs.  SUBMIT is the same with one
 * job.
 *
 *	copy	ops, in-fence fds and in-points from the caller
 *	answer	choose the points; copy the first point and the fd of the out-fence to the caller
 *	resolve	look up the slots, and check the ops
 *	lock	lock the dma_resv of all buffers, collect the fences on them, and find bus addresses
 *	publish	give the jobs to the queue, and add their fences to the buffers.  This fails only if
 *		the queue was killed before
 *
 * Each step is done for all jobs before the next step begins, so either all jobs are published or
 * none.  "publish" takes several jobs at a time, but not so many that a lock is held, or preemption
 * is off, for long.  Jobs of one call need not collect the fences of each other: jobs of a queue
 * run and end in order.
 *
 * After "publish", no code allocates memory or takes a dma_resv before the fence signals.  User
 * memory is accessed only before a slot is held or a dma_resv is locked.  The last access is in
 * "answer", so the later steps cannot fail because of a fault.
 *
 * queue->submit_lock orders the SUBMITs of a queue: a SUBMIT holds it from "answer" to "publish".
 * queue_file.c and uring.c call this file.
 */
#ifndef _SLUICE_SUBMIT_H
#define _SLUICE_SUBMIT_H

struct sluice_call;
struct sluice_job_notify;
struct sluice_job_notify_ops;
struct sluice_queue;
struct sluice_submit;
struct sluice_submit_many;

int sluice_submit_job(struct sluice_call *call, struct sluice_queue *queue,
		      struct sluice_submit *args, struct sluice_job_notify *notify,
		      const struct sluice_job_notify_ops *notify_ops);
int sluice_submit_check_many(struct sluice_submit_many *args);
int sluice_submit_jobs(struct sluice_call *call, struct sluice_queue *queue,
		       struct sluice_submit_many *args, struct sluice_job_notify *notify,
		       const struct sluice_job_notify_ops *notify_ops);

#endif /* _SLUICE_SUBMIT_H */
