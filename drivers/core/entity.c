// SPDX-License-Identifier: GPL-2.0-only
/*
 * Entities: which job of a queue is next, and how jobs end.  See entity.h.
 *
 * The next job of an entity decides in which of these lists of the engine the entity is:
 *
 *	look	the work item must examine the job.  It joins the watches of the job's in-fences,
 *		looks up their errors, or ends the job without running
 *	begun	the job has begun, or aborts have stopped it too often.  Its next op can be handed
 *		out
 *	ready	the job may begin
 *	none	there is no next job, or the job waits: for SUBMIT, for an in-fence, for an ACK, or
 *		for an op of the queue that is in flight (unless the engine is ORDERED)
 *
 * A job is over when it has no op in flight and will have none.  sluice_entity_end_jobs() ends
 * such jobs from the front of the queue, in order.  It runs in the context that makes the first job
 * over, usually an interrupt handler.
 */
#include <linux/dma-fence.h>
#include <linux/jiffies.h>

#include "compat/timer.h"
#include "engine.h"
#include "entity.h"
#include "slot.h"
#include "trace.h"

/* An op waits for ACK only while at least this many ops of its CYCLIC job are in flight. */
#define SLUICE_ENTITY_CYCLIC_LEAST	2

/**
 * sluice_entity_first - the first job that has not ended
 * @entity: the entity
 *
 * Context: engine->lock held.
 * Return: the job, or NULL.
 */
struct sluice_sched_job *sluice_entity_first(struct sluice_entity *entity)
{
	return list_first_entry_or_null(&entity->jobs, struct sluice_sched_job, link);
}

/**
 * sluice_entity_look - have the work item examine the next job
 * @entity: the entity, which may be in any list
 *
 * Context: engine->lock held.
 */
void sluice_entity_look(struct sluice_entity *entity)
{
	lockdep_assert_held(&entity->engine->lock);
	list_move_tail(&entity->node, &entity->engine->look);
	sluice_engine_kick_unless_dispatching(entity->engine);
}

static void sluice_entity_timer(struct timer_list *timer)
{
	struct sluice_entity *entity = timer_container_of(entity, timer, timer);
	unsigned long flags;

	spin_lock_irqsave(&entity->engine->lock, flags);
	/* a job keeps the device and its workqueue; without one, both may be gone */
	if (entity->next)
		sluice_entity_look(entity);
	spin_unlock_irqrestore(&entity->engine->lock, flags);
}

/**
 * sluice_entity_init - initialise the engine's part of a queue
 * @entity: part of the queue, zeroed.  The caller also sets its priority, timeout, chain and
 *	client_hangs
 * @engine: the engine
 * @ops: functions of the queue
 * @timeline: timeline of the queue
 *
 * Context: any.
 */
void sluice_entity_init(struct sluice_entity *entity, struct sluice_engine *engine,
			const struct sluice_entity_ops *ops,
			const struct sluice_timeline *timeline)
{
	entity->engine = engine;
	entity->ops = ops;
	entity->timeline = timeline;
	INIT_LIST_HEAD(&entity->jobs);
	INIT_LIST_HEAD(&entity->again);
	INIT_LIST_HEAD(&entity->node);
	INIT_LIST_HEAD(&entity->over);
	timer_setup(&entity->timer, sluice_entity_timer, 0);
}

/**
 * sluice_entity_fini - remove an entity from its engine
 * @entity: an entity without jobs, of a queue that no context uses any more
 *
 * Context: may sleep.
 */
void sluice_entity_fini(struct sluice_entity *entity)
{
	timer_shutdown_sync(&entity->timer);
	spin_lock_irq(&entity->engine->lock);
	WARN_ON_ONCE(!list_empty(&entity->over));
	list_del_init(&entity->node);
	spin_unlock_irq(&entity->engine->lock);
}

/**
 * sluice_sched_job_fence_deadline - until when may a job wait for its in-fences?
 * @job: the job
 *
 * Context: any.
 * Return: the time in jiffies.
 */
unsigned long sluice_sched_job_fence_deadline(const struct sluice_sched_job *job)
{
	return job->submitted + msecs_to_jiffies(SLUICE_FENCE_TIMEOUT_MS);
}

static void sluice_entity_set_next(struct sluice_entity *entity)
{
	entity->next = list_first_entry_or_null(&entity->again, struct sluice_sched_job, again) ?:
		       entity->resume;
}

/**
 * sluice_entity_advance - hand out no more ops of a job
 * @job: the job
 *
 * A job that is over may be freed at any time.  So call this before the job is over: afterwards the
 * job is not entity->next, not entity->resume, and not in entity->again.
 *
 * Context: engine->lock held.
 */
void sluice_entity_advance(struct sluice_sched_job *job)
{
	struct sluice_entity *entity = job->entity;

	if (!list_empty(&job->again))
		list_del_init(&job->again);
	else if (entity->resume == job)
		entity->resume = list_is_last(&job->link, &entity->jobs) ? NULL :
				 list_next_entry(job, link);
	sluice_entity_set_next(entity);
}

/**
 * sluice_entity_requeue - let ops of a job be handed out again that an abort has stopped
 * @job: a job without an error, whose next_op is the first of these ops
 *
 * Context: engine->lock held.
 */
void sluice_entity_requeue(struct sluice_sched_job *job)
{
	struct sluice_entity *entity = job->entity;
	struct sluice_sched_job *other;

	if (entity->resume == job || !list_empty(&job->again))
		return;
	list_for_each_entry(other, &entity->again, again)
		if (other->point > job->point)
			break;
	list_add_tail(&job->again, &other->again);
	sluice_entity_set_next(entity);
}

/*
 * A job was added.  If the job in front of it is CYCLIC, and no op of its current pass has been
 * handed out yet, drop this pass: the CYCLIC job has no more ops.
 */
static void sluice_entity_end_cycle(struct sluice_entity *entity)
{
	struct sluice_sched_job *job = entity->resume;

	lockdep_assert_held(&entity->engine->lock);
	if (!job || !job->pass || job->next_op || list_is_last(&job->link, &entity->jobs))
		return;
	job->pass--;
	job->next_op = job->num_ops;
	if (entity->next == job)
		list_del_init(&entity->node);
	sluice_entity_advance(job);
	sluice_sched_job_update(job);
	/* a context that is in sluice_entity_end_jobs() finds the job by itself */
	if (!job->over || entity->ending)
		return;
	list_move_tail(&entity->over, &entity->engine->over);
	sluice_engine_kick_unless_dispatching(entity->engine);
}

/**
 * sluice_entity_add - put jobs at the end of their queue
 * @jobs: complete jobs of one queue, in the order of their points.  Their waiting is not 0, so they
 *	do not run yet.  For each, the caller has taken a reference for the engine, and drops it if
 *	this fails
 * @count: number of jobs, not 0
 * @late: add the jobs even if the queue was killed, because jobs of the same call are in it.  They
 *	then end as if the queue had been killed later
 *
 * Context: any.
 * Return: 0, or the errno with which the entity was killed; not with @late.
 */
int sluice_entity_add(struct sluice_sched_job *const *jobs, unsigned int count, bool late)
{
	struct sluice_entity *entity = jobs[0]->entity;
	unsigned long flags;
	unsigned int i;
	int ret;

	spin_lock_irqsave(&entity->engine->lock, flags);
	ret = entity->dead;
	if (ret && !late)
		goto out;
	ret = 0;
	for (i = 0; i < count; i++) {
		list_add_tail(&jobs[i]->link, &entity->jobs);
		INIT_LIST_HEAD(&jobs[i]->again);
	}
	sluice_entity_end_cycle(entity);
	entity->resume = entity->resume ?: jobs[0];
	entity->next = entity->next ?: jobs[0];
	/* a job behind others is examined when it becomes the next */
	if (entity->next == jobs[0] && jobs[0]->preempted)
		mod_timer(&entity->timer, sluice_sched_job_fence_deadline(jobs[0]));
out:
	spin_unlock_irqrestore(&entity->engine->lock, flags);
	return ret;
}

/**
 * sluice_sched_job_unwanted - must a job end, even if its ops in flight must be aborted?
 * @job: the job
 *
 * Context: engine->lock held.
 * Return: 0, or the errno with which it must end.
 */
int sluice_sched_job_unwanted(const struct sluice_sched_job *job)
{
	lockdep_assert_held(&job->entity->engine->lock);
	if (job->entity->dead)
		return job->entity->dead;
	if (job->cancelled)
		return job->cancelled;
	return sluice_sched_job_is_chained(job) ? -ECANCELED : 0;
}

/**
 * sluice_sched_job_is_lapped - is the ACK missing for the buffer of a job's next op?
 * @job: the job
 *
 * Context: engine->lock held.
 * Return: true if the op has run in the previous pass, and userspace uses ACK, but has not called
 * it for that run.  Always false for a job that is not CYCLIC.
 */
bool sluice_sched_job_is_lapped(const struct sluice_sched_job *job)
{
	u64 number = job->pass * job->num_ops + job->next_op;

	return job->acks && number >= job->num_ops && number - job->num_ops >= job->acked;
}

/**
 * sluice_sched_job_op_revoked - does an op use memory that is being taken back?
 * @job: the job
 * @op: index of the op
 *
 * Context: any.
 * Return: true if so.
 */
bool sluice_sched_job_op_revoked(const struct sluice_sched_job *job, unsigned int op)
{
	const struct sluice_op_desc *desc = &job->ops[op];
	unsigned int i;

	for (i = 0; i < desc->num_ranges; i++)
		if (sluice_slot_revoked(desc->ranges[i].slot))
			return true;
	return false;
}

/**
 * sluice_sched_job_refused - must a job end instead of the hand-out of its next op?
 * @job: the next job of its queue
 *
 * Context: engine->lock held.
 * Return: 0, or the errno with which it must end.
 */
int sluice_sched_job_refused(const struct sluice_sched_job *job)
{
	int why = sluice_sched_job_unwanted(job) ?: job->in_fence_error;

	if (!why && job->next_op < job->num_ops && sluice_sched_job_op_revoked(job, job->next_op))
		why = -ENODEV;
	if (!why && job->flags & SLUICE_SUBMIT_STOP_ON_XRUN && !job->in_flight &&
	    sluice_sched_job_is_lapped(job))
		why = -EPIPE;
	return why;
}

/*
 * Must the next op of a CYCLIC job wait?  It waits while the same op of the previous pass is in
 * flight.  It also waits for the ACK for its buffer, but only while the driver has at least
 * SLUICE_ENTITY_CYCLIC_LEAST ops of the job.  Otherwise the device could run out of ops.
 *
 * With STOP_ON_XRUN, it waits for the ACK as long as the driver has an op of the job.  When the
 * driver has none, the job must end: see sluice_sched_job_refused().
 */
static bool sluice_sched_job_must_wait(const struct sluice_sched_job *job)
{
	unsigned int least = job->flags & SLUICE_SUBMIT_STOP_ON_XRUN ?
			     1 : SLUICE_ENTITY_CYCLIC_LEAST;

	if (!job->pass)
		return false;
	/* the cookie of an op is not 0 while the op is in flight */
	return job->ops[job->next_op].cookie ||
	       (job->in_flight >= least && sluice_sched_job_is_lapped(job));
}

/**
 * sluice_entity_enqueue - put an entity into the list of its engine that its next job requires
 * @entity: an entity whose next job has changed, or may be able to go on
 * @front: put the entity in front of others, because an abort has stopped its op
 *
 * Context: engine->lock held.
 */
void sluice_entity_enqueue(struct sluice_entity *entity, bool front)
{
	struct sluice_engine *engine = entity->engine;
	struct sluice_sched_job *job = entity->next;
	struct list_head *list;

	lockdep_assert_held(&engine->lock);
	/* usually it is in no list, and the kernel checks each removal */
	if (!list_empty(&entity->node))
		list_del_init(&entity->node);
	if (!job)
		return;
	/* this function is called again when the op in flight ends */
	if (entity->in_flight && !(engine->caps.flags & SLUICE_ENGINE_ORDERED))
		return;
	/* this function is called again when an op in flight ends, and for each ACK */
	if (sluice_sched_job_must_wait(job))
		return;
	if (!job->prepared || atomic_read(&job->waiting) || !job->num_ops ||
	    sluice_sched_job_refused(job)) {
		list_add_tail(&entity->node, &engine->look);
		return;
	}
	list = sluice_sched_job_has_begun(job) ||
	       job->withdrawals >= SLUICE_ENTITY_MAX_WITHDRAWALS ?
	       &engine->begun : &engine->ready[entity->priority];
	if (front)
		list_add(&entity->node, list);
	else
		list_add_tail(&entity->node, list);
	entity->ready_since = jiffies;
	engine->pushed = true;
}

/* How jobs end */

/*
 * An error of a job ends the jobs behind it.  The work item stops those that have ops in flight.
 */
static void sluice_entity_chain_error(struct sluice_entity *entity,
				      const struct sluice_sched_job *job)
{
	lockdep_assert_held(&entity->engine->lock);
	if (entity->failed && entity->failed <= job->point)
		return;
	entity->failed = job->point;
	if (entity->in_flight)
		entity->engine->check = true;
}

/**
 * sluice_sched_job_fail - set the error of a job, and hand out no more of its ops
 * @job: the job
 * @op: index of the op that failed.  If an op with the same or a lower index has failed before,
 *	its error stays
 * @status: the error
 *
 * Context: engine->lock held.
 */
void sluice_sched_job_fail(struct sluice_sched_job *job, unsigned int op, int status)
{
	struct sluice_entity *entity = job->entity;

	lockdep_assert_held(&entity->engine->lock);
	if (job->result.status && job->failed <= op)
		return;
	job->result.status = status;
	job->failed = op;
	/* before the next job begins, and before userspace can see the error and call CLEAR */
	if (entity->chain && !job->cancelled && !job->chained)
		sluice_entity_chain_error(entity, job);
	sluice_entity_advance(job);
}

/**
 * sluice_sched_job_update - mark a job as over, if it is over
 * @job: a job that has fewer ops in flight than before, or fewer that can be handed out
 *
 * Context: engine->lock held.
 */
void sluice_sched_job_update(struct sluice_sched_job *job)
{
	lockdep_assert_held(&job->entity->engine->lock);
	if (job->in_flight || (!job->result.status && job->next_op < job->num_ops))
		return;
	job->over = true;
	/* a success ends the series of hangs.  A job without ops does not use the device */
	if (!job->result.status && job->num_ops) {
		job->entity->hangs = 0;
		WRITE_ONCE(*job->entity->client_hangs, 0);
	}
}

/**
 * sluice_sched_job_describe - fill in the engine's part of a completion
 * @job: the job
 * @record: set to the state of the job.  Bytes, dropped frames, ops and xruns count from the
 *	beginning of the job.  The fields that the queue sets are 0
 *
 * Context: engine->lock held, or the job is over.
 */
void sluice_sched_job_describe(const struct sluice_sched_job *job,
			       struct sluice_completion *record)
{
	*record = (struct sluice_completion) {
		.point = job->point,
		.flags = job->result.flags,
		.bytes = job->result.bytes,
		.timestamp = ktime_to_ns(job->result.timestamp),
		.sequence = job->result.sequence,
		.dropped = job->result.dropped,
		.started = ktime_to_ns(job->started),
		.ops = job->ended,
		.xruns = job->xruns,
		.width = job->result.width,
		.height = job->result.height,
	};
}

/**
 * sluice_entity_end_most - end the jobs that are over at the front of a queue, in order
 * @entity: the entity, which may be freed on return
 * @most: most jobs to end; the work item ends the rest
 * @flags: state of interrupts when engine->lock was taken
 *
 * One context at a time ends jobs of a queue, so the fences of the queue signal in order.  If
 * another context is already in this function for the queue, that context ends the jobs, and this
 * call returns.
 *
 * Context: engine->lock held; it is released and taken again.
 * Return: the last of the jobs that have ended, on which the engine still has its reference, or
 * NULL.  The caller must release engine->lock and then call sluice_entity_put().
 */
struct sluice_sched_job *sluice_entity_end_most(struct sluice_entity *entity, unsigned int most,
						unsigned long *flags)
	__must_hold(&entity->engine->lock)
{
	struct sluice_sched_job *job, *ended = NULL;
	struct sluice_engine *engine = entity->engine;
	const struct sluice_entity_ops *ops = entity->ops;
	unsigned int ends = 0;

	lockdep_assert_held(&engine->lock);
	if (entity->ending)
		return NULL;
	entity->ending = true;
	if (!list_empty(&entity->over))
		list_del_init(&entity->over);
	while ((job = sluice_entity_first(entity)) && job->over) {
		if (ends++ == most) {
			list_add_tail(&entity->over, &engine->over);
			sluice_engine_kick_unless_dispatching(engine);
			break;
		}
		/* its ops may have succeeded before a job in front of it failed */
		if (!job->result.status && sluice_sched_job_is_chained(job))
			job->result.status = -ECANCELED;
		spin_unlock_irqrestore(&engine->lock, *flags);
		if (ended)
			ops->put(ended);
		trace_sluice_job_done(job, job->result.status);
		ops->end(job, job->result.status);
		spin_lock_irqsave(&engine->lock, *flags);
		list_del_init(&job->link);
		ended = job;
	}
	entity->ending = false;
	return ended;
}

/**
 * sluice_entity_put - drop the engine's reference on the last of the jobs that have ended
 * @ended: from sluice_entity_end_most(), or NULL
 *
 * This may free the queue.
 *
 * Context: any, without engine->lock.
 */
void sluice_entity_put(struct sluice_sched_job *ended)
{
	if (ended)
		ended->entity->ops->put(ended);
}

/**
 * sluice_entity_end_jobs - end jobs that are over, as many as an interrupt handler may end
 * @entity: the entity, which may be freed on return
 * @flags: state of interrupts when engine->lock was taken
 *
 * Context: engine->lock held; it is released and taken again.
 */
void sluice_entity_end_jobs(struct sluice_entity *entity, unsigned long *flags)
	__must_hold(&entity->engine->lock)
{
	struct sluice_engine *engine = entity->engine;
	struct sluice_sched_job *ended;

	ended = sluice_entity_end_most(entity, SLUICE_ENTITY_MAX_ENDS, flags);
	if (!ended)
		return;
	spin_unlock_irqrestore(&engine->lock, *flags);
	sluice_entity_put(ended);
	spin_lock_irqsave(&engine->lock, *flags);
}

/**
 * sluice_entity_kill - end all jobs of a queue, and accept no more
 * @entity: the entity
 * @error: errno with which the jobs end
 *
 * Does not wait for the end of the jobs.
 *
 * Context: any.
 */
void sluice_entity_kill(struct sluice_entity *entity, int error)
{
	struct sluice_engine *engine = entity->engine;
	unsigned long flags;

	spin_lock_irqsave(&engine->lock, flags);
	if (!entity->dead)
		WRITE_ONCE(entity->dead, error);
	if (entity->in_flight)
		engine->check = true;
	/* a job keeps the device and its workqueue; without one, both may be gone */
	if (entity->next)
		sluice_entity_look(entity);
	else if (entity->in_flight)
		sluice_engine_kick_unless_dispatching(engine);
	spin_unlock_irqrestore(&engine->lock, flags);
	entity->ops->wake(entity);
}

/**
 * sluice_entity_clear - let jobs of a queue run again after an error
 * @entity: the entity
 *
 * Context: any.
 */
void sluice_entity_clear(struct sluice_entity *entity)
{
	struct sluice_engine *engine = entity->engine;
	unsigned long flags;

	spin_lock_irqsave(&engine->lock, flags);
	entity->failed = 0;
	/* an abort that waits may not be needed any more, if only the error was its reason */
	if (engine->held_up) {
		engine->check = true;
		sluice_engine_kick_unless_dispatching(engine);
	}
	spin_unlock_irqrestore(&engine->lock, flags);
}

/**
 * sluice_sched_job_cancel - cancel a job
 * @job: a job on which the engine still has its reference
 *
 * The job ends in its turn, after the jobs in front of it.  Does not wait for this.
 *
 * Context: any.
 * Return: true; false if the job has ended or is over, so that the call has no effect.
 */
bool sluice_sched_job_cancel(struct sluice_sched_job *job)
{
	struct sluice_engine *engine = job->entity->engine;
	unsigned long flags;
	bool ends;

	spin_lock_irqsave(&engine->lock, flags);
	ends = list_empty(&job->link) || job->over;
	if (!ends) {
		job->cancelled = -ECANCELED;
		engine->check |= job->in_flight;
		if (job->entity->next == job)
			sluice_entity_look(job->entity);
		else if (job->in_flight)
			sluice_engine_kick_unless_dispatching(engine);
	}
	spin_unlock_irqrestore(&engine->lock, flags);
	return !ends;
}

/**
 * sluice_sched_job_ack - note that userspace is done with buffers of a CYCLIC job
 * @job: a job that has not ended
 * @ops: number of ops, from the beginning of the job, whose buffers userspace is done with.  It has
 *	no effect if it is lower than in an earlier call
 *
 * Context: any.
 */
void sluice_sched_job_ack(struct sluice_sched_job *job, u64 ops)
{
	struct sluice_entity *entity = job->entity;
	unsigned long flags;

	spin_lock_irqsave(&entity->engine->lock, flags);
	job->acks = true;
	job->acked = max(job->acked, ops);
	if (entity->next == job) {
		sluice_entity_enqueue(entity, false);
		if (sluice_engine_has_work(entity->engine))
			sluice_engine_kick_unless_dispatching(entity->engine);
	}
	spin_unlock_irqrestore(&entity->engine->lock, flags);
}

/**
 * sluice_sched_job_set_fence - give a fence to a job that was submitted without one
 * @job: a job that has not ended
 * @fence: the fence; the job takes a reference of its own
 *
 * Context: any.
 */
void sluice_sched_job_set_fence(struct sluice_sched_job *job, struct dma_fence *fence)
{
	unsigned long flags;

	spin_lock_irqsave(&job->entity->engine->lock, flags);
	job->fence = dma_fence_get(fence);
	spin_unlock_irqrestore(&job->entity->engine->lock, flags);
}
