/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Jobs: a list of ops with in-fences and at most one out-fence.  This file has the object and its
 * end; submit.c makes jobs.
 *
 * References: the engine holds one until the job has ended, and SUBMIT holds one while it works on
 * the job.
 *
 * The last put is often in an interrupt.  It frees the job there if that is short work, and if the
 * job does not hold the last reference on a slot or on the queue.  Otherwise it passes the job to a
 * work item: the last put of a slot takes the dma_resv, and the last put of a queue takes a mutex.
 * This work item is not in the signalling path of fences.
 *
 * Locks: engine->lock guards most of @base, and queue->lock guards @notify.  Until a job is
 * published, only its SUBMIT uses it, without a lock.
 */
#ifndef _SLUICE_JOB_H
#define _SLUICE_JOB_H

#include <linux/kref.h>
#include <linux/llist.h>
#include <linux/types.h>

#include "entity.h"
#include "resv.h"
#include "watch.h"

struct sluice_completion;
struct sluice_device;
struct sluice_job;
struct sluice_job_block;
struct sluice_job_notify;
struct sluice_queue;
struct sluice_submit;

#define SLUICE_JOB_INLINE_DEPS	2	/* in-fences whose memory is behind the job */
#define SLUICE_JOB_FREE_OPS	8	/* limit of ops and in-fences for a free in an interrupt */

/**
 * struct sluice_job_notify - a waiter for the end of jobs, embedded in a struct of the waiter
 * @job: the last of the jobs that it waits for, valid until it has ended; no reference; under
 *	queue->lock
 */
struct sluice_job_notify {
	struct sluice_job *job;
};

/**
 * struct sluice_job_notify_ops - functions of a waiter
 * @ended: a job has ended.  Called with queue->lock held, for each of the jobs in their order.
 *	Returns true if @complete must be called
 * @complete: called after @ended, without a lock, in any context
 */
struct sluice_job_notify_ops {
	bool (*ended)(struct sluice_job_notify *notify,
		      const struct sluice_completion *completion);
	void (*complete)(struct sluice_job_notify *notify);
};

/**
 * struct sluice_job - a list of ops with in-fences and at most one out-fence
 * @base: the engine's part of the job
 * @ref: held by the engine until the job has ended, and by SUBMIT
 * @block: the memory of the job, which it may share with other jobs of the same call
 * @queue: the queue; reference held
 * @notify: waiter for the end of the job, and possibly of others; or NULL.  If it is set, read()
 *	gets no completion.  Under queue->lock
 * @notify_ops: functions of @notify
 * @free: in the list of jobs that the work item frees
 * @entered: the job counts in sdev->users
 * @awake: the job keeps the hardware awake.  Only a job with programs or private ops does so; for
 *	any other job, its slots keep the hardware awake
 * @num_commands: number of commands in all programs of the job
 * @payload: bytes of all payloads in private ops of the job
 * @user_data: copied to the completion
 * @max_deps: number of in-fences for which @base.deps has room
 * @deps_apart: @base.deps is not behind the job, but has memory of its own
 * @resv: the dma_resv that get the fence of the job, at most one for each range of its ops
 * @ops: the ops.  In memory, the arrays of their ranges, of the entries of @resv and of
 *	SLUICE_JOB_INLINE_DEPS in-fences follow.  The last one is left out if the job has no ops and
 *	no explicit in-fences
 */
struct sluice_job {
	struct sluice_sched_job base;
	struct kref ref;
	bool entered;
	bool awake;
	bool deps_apart;
	struct sluice_job_block *block;
	struct sluice_queue *queue;
	struct sluice_job_notify *notify;
	const struct sluice_job_notify_ops *notify_ops;
	struct llist_node free;
	u32 num_commands;
	u32 payload;
	u64 user_data;
	struct sluice_resv_set resv;
	unsigned int max_deps;
	struct sluice_op_desc ops[];
};

/**
 * sluice_job_has_lists - do its ops have memory for commands or payloads?
 * @job: the job
 *
 * Context: any.
 * Return: true if at least one op does.
 */
static inline bool sluice_job_has_lists(const struct sluice_job *job)
{
	return job->num_commands || job->payload;
}

extern const struct sluice_entity_ops sluice_job_entity_ops;

struct sluice_job *sluice_job_create(struct sluice_queue *queue, const struct sluice_submit *args,
				     unsigned int num_ranges, struct sluice_job_block **block,
				     unsigned int more);
void sluice_job_set_notify(struct sluice_job *job, struct sluice_job_notify *notify,
			   const struct sluice_job_notify_ops *notify_ops);
struct sluice_range *sluice_job_ranges(struct sluice_job *job, unsigned int num_ops);
void sluice_job_set_deps(struct sluice_job *job, struct sluice_dep *deps, unsigned int max);
bool sluice_job_is_revoked(const struct sluice_job *job);
bool sluice_job_end_now(struct sluice_job *job);
void sluice_job_destroy(struct sluice_job *job);
void sluice_job_put(struct sluice_job *job);

int sluice_job_device_init(struct sluice_device *sdev);
void sluice_job_device_free(struct sluice_device *sdev);

#endif /* _SLUICE_JOB_H */
