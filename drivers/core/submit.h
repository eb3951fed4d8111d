/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * SUBMIT: from the caller's struct to a published job.
 *
 *	copy	ops and in-fence fds from the caller
 *	answer	choose the point; copy the point and the fd of the out-fence to the caller
 *	resolve	look up the slots, and check the ops
 *	lock	lock the dma_resv of all buffers, collect the fences on them, and find bus addresses
 *	publish	give the job to the queue, and add its fence to the buffers.  This fails only if the
 *		queue was killed
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

int sluice_submit_job(struct sluice_call *call, struct sluice_queue *queue,
		      struct sluice_submit *args, struct sluice_job_notify *notify,
		      const struct sluice_job_notify_ops *notify_ops);

#endif /* _SLUICE_SUBMIT_H */
