/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Jobs: a list of ops with in-fences and at most one out-fence.
 */
#ifndef _SLUICE_JOB_H
#define _SLUICE_JOB_H

#include <linux/atomic.h>
#include <linux/kref.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include "deps.h"
#include "sluice.h"

struct dma_fence;
struct sluice_call;
struct sluice_queue;
struct sluice_submit;
struct sluice_uring;

#define SLUICE_FEW_DEPS			2	/* in-fences of most jobs, at most */
#define SLUICE_FEW_OPS		8	/* ops of most jobs, at most */
#define SLUICE_FEW_FENCES		64	/* in-fences examined with preemption off */

/**
 * struct sluice_job - a list of ops with in-fences and at most one out-fence
 * @ref: held by the engine until the job has ended, and by SUBMIT while it works on the job.  The
 *	last put releases the job, or hands it to the reaper
 * @queue: the queue; reference held
 * @fence: the out-fence; reference held.  NULL while no buffer and no fd needs it; FENCE may
 *	set it later, under engine->lock
 * @uring: the io_uring command that waits for the job's end, or NULL; under queue->lock
 * @link: in entity->jobs of its queue; empty once it has ended
 * @again: in entity->again, or empty
 * @reap: in sdev->reap_list
 * @entered: it counts in sdev->users
 * @awake: it keeps the hardware awake.  Only a job with programs or private ops needs this; the
 *	slots of other jobs do it
 * @num_commands: commands in all its programs
 * @payload: bytes of the payloads in all its private ops
 * @point: its number on the timeline
 * @user_data: for the completion
 * @flags: SLUICE_SUBMIT_*
 * @cancelled: -ECANCELED once it was cancelled; under engine->lock
 * @armed: it has joined the watches of its in-fences; under engine->lock
 * @prepared: its in-fences have signalled, and @in_fence_error is known; under engine->lock
 * @in_fence_error: -ECANCELED if an in-fence failed, so the job must not run; else 0
 * @waiting: in-fences that have not signalled, plus one until SUBMIT is done
 * @submitted: when it was submitted, in jiffies; the time limit for in-fences begins here
 * @preempted: SUBMIT may be preempted between the publication of the fence and the hand-over to the
 *	engine.  The time limit for in-fences then covers this time as well
 * @num_deps: length of @deps
 * @max_deps: room in @deps
 * @deps: in-fences; points to @few_deps if there are no more than SLUICE_FEW_DEPS
 * @num_claims: length of @claims
 * @claims: one for each dma_resv that must show the job's fence, sorted by address.  The memory
 *	follows @ops, with room for SLUICE_MAX_PLANES claims of each op
 * @result: sum of the results of the ops.  Its status is the error of the first op, in their
 *	order, that failed, or another reason for the end.  This and the fields below, up to
 *	@deadline, are under engine->lock
 * @failed: index of the op that the status of @result comes from
 * @chained: it ends because of the error of a job in front of it, and has no error of its own
 * @over: no op is in flight, and none will be.  It ends as soon as it is the first of its queue
 * @num_ops: length of @ops
 * @started: when its first op was handed out; 0 before
 * @next_op: index of the op to be handed out next
 * @pass: CYCLIC: number of the current pass over the ops, from 0
 * @ended: CYCLIC: ops that have ended, in all passes
 * @acked: CYCLIC: ops whose buffers userspace has acknowledged (ACK), if @acks
 * @acks: CYCLIC: userspace has called ACK
 * @counted: CYCLIC: ops that have been checked for @xruns
 * @xruns: CYCLIC: ops that were handed out before the ACK for their buffers
 * @in_flight: its ops in flight
 * @withdrawals: aborts that stopped its ops for other ops or for a sleep, since the last end of
 *	one of its ops
 * @withdrawn: engine->aborts at the last of these aborts
 * @timed: @deadline is valid, if @starts equals engine->starts
 * @starts: engine->starts when @deadline was set
 * @deadline: when it becomes late, in jiffies
 * @few_deps: memory of @deps for few in-fences
 * @ops: the ops
 */
struct sluice_job {
	struct kref ref;
	struct sluice_queue *queue;
	struct dma_fence *fence;
	struct sluice_uring *uring;
	struct list_head link;
	struct list_head again;
	struct llist_node reap;
	bool entered;
	bool awake;
	u32 num_commands;
	u32 payload;
	u64 point;
	u64 user_data;
	u32 flags;
	int cancelled;
	bool armed;
	bool prepared;
	int in_fence_error;
	atomic_t waiting;
	unsigned long submitted;
	bool preempted;
	unsigned int num_deps;
	unsigned int max_deps;
	struct sluice_dep *deps;
	unsigned int num_claims;
	struct sluice_claim *claims;
	struct sluice_result result;
	unsigned int failed;
	bool chained;
	bool over;
	unsigned int num_ops;
	ktime_t started;
	unsigned int next_op;
	u64 pass;
	u64 ended;
	u64 acked;
	bool acks;
	u64 counted;
	u64 xruns;
	unsigned int in_flight;
	unsigned int withdrawals;
	unsigned int withdrawn;
	bool timed;
	unsigned int starts;
	unsigned long deadline;
	struct sluice_dep few_deps[SLUICE_FEW_DEPS];
	struct sluice_op_desc ops[];
};

/* Do its ops have memory that was allocated for commands or payloads? */
static inline bool sluice_job_has_lists(const struct sluice_job *job)
{
	return job->num_commands || job->payload;
}

int sluice_job_submit(struct sluice_call *call, struct sluice_queue *queue,
		      struct sluice_submit *args);
bool sluice_job_revoked(const struct sluice_job *job);
void sluice_job_arm(struct sluice_job *job);
void sluice_job_put(struct sluice_job *job);
void sluice_job_reap(struct work_struct *work);

#endif /* _SLUICE_JOB_H */
