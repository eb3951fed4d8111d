/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Entities: the engine's part of a queue (struct sluice_entity) and of a job (struct
 * sluice_sched_job), as in the DRM scheduler.
 *
 * An entity keeps its jobs in the order of their points.  Ops are handed out in this order, and
 * jobs end in this order.  The engine therefore looks only at the next job of each entity.
 *
 * Lock: engine->lock guards both structs, except where a field says otherwise.
 *
 * struct sluice_queue embeds the entity, and struct sluice_job embeds the job.  queue.c and
 * queue_file.c add, cancel and kill jobs with the functions of this file.  flight.c and dispatch.c
 * run and end the jobs.
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

/* The ops of a job are kept after this many aborts because of other ops or a sleep. */
#define SLUICE_ENTITY_MAX_WITHDRAWALS	3
/* Jobs that one call of sluice_entity_end_jobs() ends; it may run in an interrupt handler. */
#define SLUICE_ENTITY_MAX_ENDS		8

/**
 * struct sluice_entity_ops - functions of the queue
 * @end: a job has ended: signal its fence, and write its completion.  Called for one job at a time,
 *	in the order of their points
 * @put: drop the reference that the caller of sluice_entity_add() took for the engine.  Called
 *	after @end
 * @progress: an op of a CYCLIC job has ended.  The engine has filled in @record with
 *	sluice_sched_job_describe(); the queue adds the rest
 * @wake: the entity was killed: wake all tasks that wait for jobs
 *
 * All may be called in any context, and are called without engine->lock.
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
 * @client_hangs: counts timeouts as @hangs does, but for all queues that the client has on this
 *	engine.  Any context may read and write this counter without a lock
 * @jobs: jobs that have not ended, in the order of their points
 * @again: jobs that are in front of @resume, and have ops that an abort has stopped and that must
 *	be handed out again.  In the order of their points, but not always adjacent in @jobs: jobs
 *	between them may be over.  At most as many jobs as the driver had ops
 * @resume: apart from @again, the first job of which not all ops have been handed out; or NULL
 * @next: the job whose op is handed out next: the first of @again, else @resume
 * @node: in engine->look, ->begun or ->ready, as @next requires; or in none of them
 * @ready_since: when it was last put into engine->ready or ->begun, in jiffies
 * @timer: expires when @next has waited for its in-fences for too long
 * @priority: the engine prefers a higher number
 * @timeout: running time of a job, in jiffies
 * @dead: 0, or the errno with which all jobs end
 * @chain: an error of a job ends the jobs that follow it (SLUICE_QUEUE_CHAIN_ERRORS)
 * @failed: with @chain: point of the first job that had an error, until CANCEL clears it; 0 for
 *	none.  A cancelled job does not count
 * @in_flight: ops of its jobs that the driver has
 * @streams: the queue has captured or played its first frame.  Only frames lost after that one
 *	count as dropped
 * @over: list entry in engine->over, or empty
 * @ending: a context is in sluice_entity_end_jobs(), and checks for more jobs before it leaves
 * @hangs: jobs of the queue that ran into @timeout, since the last job that succeeded.  The
 *	dispatching context increments it without the lock; the end of a job that succeeded resets
 *	it with the lock held
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
 * @preempted: the task in SUBMIT may be preempted after it publishes the fence and before it hands
 *	the job to the engine.  The time limit for in-fences then includes this time
 * @fence: the out-fence; reference held.  NULL while no buffer and no fd needs it; FENCE may
 *	set it later
 * @link: in entity->jobs; empty once the job has ended
 * @again: in entity->again, or empty
 * @cancelled: -ECANCELED once the job was cancelled
 * @armed: the in-fences that had not signalled at SUBMIT have joined watches, or there were none
 * @prepared: all in-fences have signalled, and @in_fence_error is known
 * @in_fence_error: -ECANCELED if an in-fence failed, so the job must not run; else 0.  SUBMIT sets
 *	it for an in-point that had ended with an error
 * @waiting: in-fences that had not signalled at SUBMIT and about which the job has not been told,
 *	plus one until SUBMIT is done; atomic
 * @result: what the ops have reported, added up.  Its status is the error of the failed op with the
 *	lowest index, or another reason for the end of the job
 * @failed: index of the op that the status of @result comes from
 * @chained: the job ends because of the error of a job in front of it
 * @over: no op of the job is in flight, and none will be handed out.  The job ends when all jobs in
 *	front of it have ended
 * @started: when its first op was handed out; 0 before
 * @next_op: index of the op to be handed out next
 * @pass: CYCLIC: number of the current pass over the ops, from 0
 * @ended: CYCLIC: ops that have ended, in all passes
 * @acked: CYCLIC: ops whose buffers userspace has acknowledged (ACK), in all passes
 * @acks: CYCLIC: userspace has called ACK at least once; before, no op waits for ACK
 * @counted: CYCLIC: number of the first op, in all passes, that @xruns does not cover yet
 * @xruns: CYCLIC: ops that were handed out before the ACK for their buffers
 * @in_flight: number of its ops in flight
 * @withdrawals: aborts that stopped ops of the job because of other ops or a sleep.  Set to 0 when
 *	an op of the job ends
 * @withdrawn: engine->aborts at the last of these aborts
 * @timed: the job has a @deadline; it is valid while @starts equals engine->starts
 * @starts: engine->starts when @deadline was set
 * @deadline: when the job becomes late, in jiffies
 *
 * A CYCLIC job repeats its ops until another job is behind it.  It may never end, so no task and no
 * job may wait for it: it has no fence, and its queue is the only one of the engine.  When a job is
 * added behind it, it ends after the current pass.  The fence of the job behind it therefore
 * signals in finite time.
 */
struct sluice_sched_job {
	struct sluice_entity *entity;
	struct sluice_op_desc *ops;
	struct sluice_dep *deps;
	unsigned int num_ops;
	unsigned int num_deps;
	u64 point;
	unsigned long submitted;
	u32 flags;
	bool preempted;
	bool armed;
	bool prepared;
	bool chained;
	bool over;
	bool acks;
	bool timed;
	struct dma_fence *fence;
	struct list_head link;
	struct list_head again;
	int cancelled;
	int in_fence_error;
	atomic_t waiting;
	unsigned int failed;
	struct sluice_result result;
	ktime_t started;
	unsigned int next_op;
	unsigned int in_flight;
	u64 pass;
	u64 ended;
	u64 acked;
	u64 counted;
	u64 xruns;
	unsigned int withdrawals;
	unsigned int withdrawn;
	unsigned long deadline;
	unsigned int starts;
};

static inline bool sluice_sched_job_is_cyclic(const struct sluice_sched_job *job)
{
	return job->flags & SLUICE_SUBMIT_CYCLIC;
}

/**
 * sluice_sched_job_is_chained - must a job end because of an error in front of it?
 * @job: the job
 *
 * Context: engine->lock held.
 * Return: true if its queue chains errors, and a job in front of it had one.
 */
static inline bool sluice_sched_job_is_chained(const struct sluice_sched_job *job)
{
	return job->entity->failed && job->point > job->entity->failed;
}

/**
 * sluice_sched_job_has_begun - has one of its ops been handed out?
 * @job: the job
 *
 * Context: engine->lock held.
 * Return: true if so.
 */
static inline bool sluice_sched_job_has_begun(const struct sluice_sched_job *job)
{
	return job->next_op || job->pass;
}

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
int sluice_entity_add(struct sluice_sched_job *const *jobs, unsigned int count, bool late);
void sluice_entity_kill(struct sluice_entity *entity, int error);
void sluice_entity_clear(struct sluice_entity *entity);
struct sluice_sched_job *sluice_entity_first(struct sluice_entity *entity);
void sluice_entity_advance(struct sluice_sched_job *job);
void sluice_entity_requeue(struct sluice_sched_job *job);
void sluice_entity_look(struct sluice_entity *entity);
void sluice_entity_enqueue(struct sluice_entity *entity, bool front);
struct sluice_sched_job *sluice_entity_end_most(struct sluice_entity *entity, unsigned int most,
						unsigned long *flags);
void sluice_entity_put(struct sluice_sched_job *ended);
void sluice_entity_end_jobs(struct sluice_entity *entity, unsigned long *flags);

#endif /* _SLUICE_ENTITY_H */
