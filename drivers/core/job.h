/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Jobs: a list of ops with in-fences and at most one out-fence.  This file has the object and its
 * end; submit.c makes jobs.
 *
 * References: the engine until the job has ended, and SUBMIT while it works on the job.  The last
 * put frees the job, or hands it to a work item that may take dma_resv.
 *
 * Locks: engine->lock guards most of @base, queue->lock @notify.  Until a job is published, its
 * SUBMIT alone uses it.
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
struct sluice_job_notify;
struct sluice_queue;
struct sluice_submit;

#define SLUICE_JOB_INLINE_DEPS	2	/* in-fences whose memory is inside the job */
#define SLUICE_JOB_FREE_OPS	8	/* ops of a job that an interrupt may free */

/**
 * struct sluice_job_notify - a waiter for the end of a job; part of a struct of that waiter
 * @job: the job, until it has ended; no reference; under queue->lock
 */
struct sluice_job_notify {
	struct sluice_job *job;
};

/**
 * struct sluice_job_notify_ops - functions of a waiter
 * @ended: the job has ended.  Called with queue->lock held.  Returns true if @complete must be
 *	called
 * @complete: called afterwards without a lock, in any context
 */
struct sluice_job_notify_ops {
	bool (*ended)(struct sluice_job_notify *notify,
		      const struct sluice_completion *completion);
	void (*complete)(struct sluice_job_notify *notify);
};

/**
 * struct sluice_job - a list of ops with in-fences and at most one out-fence
 * @base: the engine's part of the job
 * @ref: see above
 * @queue: the queue; reference held
 * @notify: waiter for the job's end, which replaces the completion for read(); or NULL; under
 *	queue->lock
 * @notify_ops: functions of @notify
 * @free: in the list of jobs that a work item frees
 * @entered: it counts in sdev->users
 * @awake: it keeps the hardware awake.  Only a job with programs or private ops needs this; the
 *	slots of other jobs do it
 * @num_commands: commands in all its programs
 * @payload: bytes of the payloads in all its private ops
 * @user_data: for the completion
 * @max_deps: room in @base.deps
 * @resv: the dma_resv that must show the job's fence.  The entries follow @ops in memory, with room
 *	for SLUICE_MAX_PLANES entries of each op
 * @inline_deps: memory of @base.deps for few in-fences
 * @ops: the ops
 */
struct sluice_job {
	struct sluice_sched_job base;
	struct kref ref;
	struct sluice_queue *queue;
	struct sluice_job_notify *notify;
	const struct sluice_job_notify_ops *notify_ops;
	struct llist_node free;
	bool entered;
	bool awake;
	u32 num_commands;
	u32 payload;
	u64 user_data;
	unsigned int max_deps;
	struct sluice_resv_set resv;
	struct sluice_dep inline_deps[SLUICE_JOB_INLINE_DEPS];
	struct sluice_op_desc ops[];
};

extern const struct sluice_entity_ops sluice_job_entity_ops;

struct sluice_job *sluice_job_create(struct sluice_queue *queue, const struct sluice_submit *args,
				     struct sluice_job_notify *notify,
				     const struct sluice_job_notify_ops *notify_ops);
void sluice_job_set_deps(struct sluice_job *job, struct sluice_dep *deps, unsigned int max);
bool sluice_job_has_lists(const struct sluice_job *job);
bool sluice_job_is_revoked(const struct sluice_job *job);
void sluice_job_destroy(struct sluice_job *job);
void sluice_job_put(struct sluice_job *job);

int sluice_job_device_init(struct sluice_device *sdev);
void sluice_job_device_free(struct sluice_device *sdev);

#endif /* _SLUICE_JOB_H */
