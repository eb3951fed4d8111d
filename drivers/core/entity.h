/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Entities: the engine's part of a queue (struct sluice_entity) and of a job (struct
 * sluice_sched_job), as in the DRM scheduler.
 *
 * An entity has its jobs in the order of their points.  Ops are handed out, and jobs end, in this
 * order.  The engine therefore looks only at the next job of each entity.
 *
 * Lock: engine->lock guards both structs, except where a field says otherwise.
 *
 * queue.h embeds the entity, and job.h the job.  queue.c adds, cancels and kills here; watch.c,
 * flight.c and dispatch.c do the rest.
 */
#ifndef _SLUICE_ENTITY_H
#define _SLUICE_ENTITY_H

#include <linux/atomic.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/timer.h>
#include <linux/types.h>

#include "fence.h"
#include "sluice.h"

struct sluice_completion;
struct sluice_dep;
struct sluice_engine;
struct sluice_entity;
struct sluice_sched_job;

#define SLUICE_ENTITY_MAX_WITHDRAWALS	3	/* of a job, for the sake of others */

/**
 * struct sluice_entity_ops - functions of the queue; all may be called in any context
 * @end: a job has ended: signal its fence, and write its completion.  Called for one job at a time,
 *	in the order of their points, without engine->lock
 * @put: drop the reference that sluice_entity_add() was given.  Called after @end, without
 *	engine->lock
 * @progress: CYCLIC: an op of a job has ended.  @record is complete, except its user_data.  Called
 *	without engine->lock
 * @wake: the entity was killed: wake all tasks that wait for jobs
 */
struct sluice_entity_ops {
	void (*end)(struct sluice_sched_job *job, int status);
	void (*put)(struct sluice_sched_job *job);
	void (*progress)(struct sluice_sched_job *job, struct sluice_completion *record);
	void (*wake)(struct sluice_entity *entity);
};

/**
 * struct sluice_entity - the engine's part of a queue
 * @engine: the engine; constant, like the next three fields
 * @ops: functions of the queue
 * @timeline: timeline of the queue
 * @client_hangs: jobs of the queue's client that ran into their timeout on this engine, since the
 *	last of its jobs that succeeded; of all its queues.  Any context may read and write it
 * @jobs: jobs that have not ended, in the order of their points, in which they end
 * @again: jobs with ops that must be handed out again, although a later job is @resume already;
 *	in the order of their points.  Has at most as many jobs as the driver had ops.  @jobs may
 *	have jobs between them that are over
 * @resume: the first job of which not all ops have been handed out yet, or NULL
 * @next: the job whose op is handed out next: the first of @again, else @resume
 * @node: in engine->look, ->begun or ->ready, because of @next; or in no list
 * @ready_since: when it was last put into engine->ready or ->begun, in jiffies
 * @timer: expires when @next has waited for its in-fences for too long
 * @priority: the engine prefers a higher number
 * @timeout: running time of a job, in jiffies
 * @dead: 0, or the errno with which all jobs end
 * @chain: an error of a job ends the jobs that follow it (SLUICE_QUEUE_CHAIN_ERRORS)
 * @failed: with @chain: point of the first job that had an error, until CANCEL clears it; 0 for
 *	none.  A cancelled job does not count
 * @in_flight: ops of its jobs that the driver has
 * @streams: a frame of the queue has ended.  Frames that were lost before the first one do not
 *	count as dropped
 * @over: in engine->over
 * @ending: a context is ending the first jobs, and checks again before it leaves
 * @hangs: jobs that ran into @timeout, since the last job that succeeded.  The dispatching context
 *	counts; a context that ends a job resets it, with the lock held
 */
struct sluice_entity {
	struct sluice_engine *engine;
	const struct sluice_entity_ops *ops;
	const struct sluice_timeline *timeline;
	unsigned int *client_hangs;
	struct list_head jobs;
	struct list_head again;
	struct sluice_sched_job *resume;
	struct sluice_sched_job *next;
	struct list_head node;
	unsigned long ready_since;
	struct timer_list timer;
	u32 priority;
	unsigned long timeout;
	int dead;
	bool chain;
	u64 failed;
	unsigned int in_flight;
	bool streams;
	struct list_head over;
	bool ending;
	unsigned int hangs;
};

/**
 * struct sluice_sched_job - the engine's part of a job
 * @entity: the entity; constant from sluice_entity_add() on, like the fields up to @preempted
 * @ops: the ops
 * @num_ops: length of @ops
 * @deps: in-fences
 * @num_deps: length of @deps
 * @point: number of the job on its timeline
 * @flags: SLUICE_SUBMIT_*
 * @submitted: when it was submitted, in jiffies; the time limit for in-fences begins here
 * @preempted: SUBMIT may be preempted between the publication of the fence and the hand-over to the
 *	engine.  The time limit for in-fences then covers this time as well
 * @fence: the out-fence; reference held.  NULL while no buffer and no fd needs it; FENCE may
 *	set it later
 * @link: in entity->jobs; empty once it has ended
 * @again: in entity->again, or empty
 * @cancelled: -ECANCELED once it was cancelled
 * @armed: it has joined the watches of its in-fences
 * @prepared: its in-fences have signalled, and @in_fence_error is known
 * @in_fence_error: -ECANCELED if an in-fence failed, so the job must not run; else 0
 * @waiting: in-fences that have not signalled, plus one until SUBMIT is done; atomic
 * @result: sum of the results of the ops.  Its status is the error of the first op, in their
 *	order, that failed, or another reason for the end
 * @failed: index of the op that the status of @result comes from
 * @chained: it ends because of the error of a job in front of it, and has no error of its own
 * @over: no op is in flight, and none will be.  It ends as soon as it is the first of its queue
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
 *
 * A CYCLIC job goes round over its ops until another job is behind it.  No task may wait for its
 * end, so it has no fence and its queue has the engine alone.  A job behind it ends it at the end
 * of the current pass, so the fence of that job signals in finite time.
 */
struct sluice_sched_job {
	struct sluice_entity *entity;
	struct sluice_op_desc *ops;
	unsigned int num_ops;
	struct sluice_dep *deps;
	unsigned int num_deps;
	u64 point;
	u32 flags;
	unsigned long submitted;
	bool preempted;
	struct dma_fence *fence;
	struct list_head link;
	struct list_head again;
	int cancelled;
	bool armed;
	bool prepared;
	int in_fence_error;
	atomic_t waiting;
	struct sluice_result result;
	unsigned int failed;
	bool chained;
	bool over;
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
};

static inline bool sluice_sched_job_is_cyclic(const struct sluice_sched_job *job)
{
	return job->flags & SLUICE_SUBMIT_CYCLIC;
}

bool sluice_sched_job_is_chained(const struct sluice_sched_job *job);
bool sluice_sched_job_has_begun(const struct sluice_sched_job *job);
bool sluice_sched_job_is_lapped(const struct sluice_sched_job *job);
bool sluice_sched_job_op_revoked(const struct sluice_sched_job *job, unsigned int op);
int sluice_sched_job_unwanted(const struct sluice_sched_job *job);
int sluice_sched_job_refused(const struct sluice_sched_job *job);
unsigned long sluice_sched_job_fence_deadline(const struct sluice_sched_job *job);
void sluice_sched_job_fail(struct sluice_sched_job *job, unsigned int op, int status);
void sluice_sched_job_update(struct sluice_sched_job *job);
void sluice_sched_job_describe(const struct sluice_sched_job *job,
			       struct sluice_completion *record);
bool sluice_sched_job_cancel(struct sluice_sched_job *job);
void sluice_sched_job_ack(struct sluice_sched_job *job, u64 ops);
void sluice_sched_job_set_fence(struct sluice_sched_job *job, struct dma_fence *fence);

void sluice_entity_init(struct sluice_entity *entity, struct sluice_engine *engine,
			const struct sluice_entity_ops *ops,
			const struct sluice_timeline *timeline);
void sluice_entity_fini(struct sluice_entity *entity);
int sluice_entity_add(struct sluice_sched_job *job);
void sluice_entity_kill(struct sluice_entity *entity, int error);
void sluice_entity_clear(struct sluice_entity *entity);
struct sluice_sched_job *sluice_entity_first(struct sluice_entity *entity);
void sluice_entity_advance(struct sluice_sched_job *job);
void sluice_entity_requeue(struct sluice_sched_job *job);
void sluice_entity_look(struct sluice_entity *entity);
void sluice_entity_enqueue(struct sluice_entity *entity, bool front);
void sluice_entity_end_jobs(struct sluice_entity *entity, unsigned long *flags);

#endif /* _SLUICE_ENTITY_H */
