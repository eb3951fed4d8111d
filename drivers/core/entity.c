// SPDX-License-Identifier: GPL-2.0-only
/*
 * Entities: which job of a queue is next, and how jobs end.  See entity.h.
 *
 * Each entity is in at most one list of its engine, because of its next job:
 *
 *	look	the work item must examine the job: it joins the watches of its in-fences, looks
 *		up their errors, or ends it without running.  The job is new, an in-fence has
 *		signalled or has taken too long, or the job was cancelled
 *	begun	some of the job's ops have been handed out, and another one may be
 *	ready	the job may begin
 *	none	there is no next job; or it waits for an in-fence or, unless the engine is
 *		ORDERED, for an op of the queue that is in flight
 *
 * A job is over when it has no op in flight and will have none.  sluice_entity_end_jobs() ends the
 * jobs at the front of a queue that are over, in order, in the context that finds out: usually in an
 * interrupt.
 */
#include <linux/dma-fence.h>
#include <linux/jiffies.h>

#include "engine.h"
#include "entity.h"
#include "slot.h"
#include "trace.h"

#include "compat/timer.h"

/* Jobs that are ended one after another, perhaps in an interrupt. */
#define SLUICE_ENTITY_MAX_ENDS	8
/* Ops of a CYCLIC job in flight, below which an op does not wait for ACK. */
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
	/* without a job the device, and its workqueue, may be gone */
	if (entity->next)
		sluice_entity_look(entity);
	spin_unlock_irqrestore(&entity->engine->lock, flags);
}

/**
 * sluice_entity_init - initialise the engine's part of a queue
 * @entity: part of the queue, zeroed.  The caller sets @priority, @timeout, @chain and
 *	@client_hangs
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
 * sluice_sched_job_fence_deadline - when a job has waited for its in-fences for too long
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
 * sluice_entity_advance - hand out nothing of a job any more
 * @job: the job
 *
 * The caller must call this before the job is over.  A job that is over may be freed at any time,
 * so it must not be entity->next, entity->resume or in entity->again.
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
 * sluice_entity_requeue - hand out ops of a job again
 * @job: a job without an error
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
 * A job was added behind a CYCLIC job.  If no op of the next pass has been handed out yet, there is
 * no next pass.
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
	/* the context that is ending jobs checks again */
	if (!job->over || entity->ending)
		return;
	list_move_tail(&entity->over, &entity->engine->over);
	sluice_engine_kick_unless_dispatching(entity->engine);
}

/**
 * sluice_entity_add - put a job at the end of its queue
 * @job: a complete job, with @waiting not 0, so that it does not run yet.  The caller has taken a
 *	reference for the engine, which it drops itself after an error
 *
 * Context: any.
 * Return: 0, or the errno with which the entity was killed.
 */
int sluice_entity_add(struct sluice_sched_job *job)
{
	struct sluice_entity *entity = job->entity;
	unsigned long flags;
	int ret;

	spin_lock_irqsave(&entity->engine->lock, flags);
	ret = entity->dead;
	if (!ret) {
		list_add_tail(&job->link, &entity->jobs);
		INIT_LIST_HEAD(&job->again);
		sluice_entity_end_cycle(entity);
		entity->resume = entity->resume ?: job;
		entity->next = entity->next ?: job;
		/* a job behind others is examined when it becomes the next */
		if (entity->next == job && job->preempted)
			mod_timer(&entity->timer, sluice_sched_job_fence_deadline(job));
	}
	spin_unlock_irqrestore(&entity->engine->lock, flags);
	return ret;
}

/**
 * sluice_sched_job_is_chained - must a job end because of an error in front of it?
 * @job: the job
 *
 * Context: engine->lock held.
 * Return: true if its queue chains errors, and a job in front of it had one.
 */
bool sluice_sched_job_is_chained(const struct sluice_sched_job *job)
{
	return job->entity->failed && job->point > job->entity->failed;
}

/**
 * sluice_sched_job_unwanted - must a job end as soon as possible?
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
 * sluice_sched_job_has_begun - has one of its ops been handed out?
 * @job: the job
 *
 * Context: engine->lock held.
 * Return: true if so.
 */
bool sluice_sched_job_has_begun(const struct sluice_sched_job *job)
{
	return job->next_op || job->pass;
}

/**
 * sluice_sched_job_is_lapped - does the next op of a CYCLIC job use a buffer without ACK?
 * @job: the job
 *
 * Context: engine->lock held.
 * Return: true if userspace has called ACK before, and not yet for the buffer of the next op.
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
 * sluice_sched_job_refused - must the next job of a queue end instead of running on?
 * @job: the job
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
 * The next op of a CYCLIC job waits while the same op of the pass before is in flight, and until
 * userspace has acknowledged its buffer.  For the second reason it does not wait if the device
 * would run out of ops, except if the job must end then.
 */
static bool sluice_sched_job_must_wait(const struct sluice_sched_job *job)
{
	unsigned int least = job->flags & SLUICE_SUBMIT_STOP_ON_XRUN ?
			     1 : SLUICE_ENTITY_CYCLIC_LEAST;

	if (!job->pass)
		return false;
	/* an op in flight has a cookie */
	return job->ops[job->next_op].cookie ||
	       (job->in_flight >= least && sluice_sched_job_is_lapped(job));
}

/**
 * sluice_entity_enqueue - put an entity into the list of its engine that its next job needs
 * @entity: an entity that has another next job, or whose next job may be able to go on
 * @front: put it in front of others, because the job was handed out before
 *
 * Context: engine->lock held.
 */
void sluice_entity_enqueue(struct sluice_entity *entity, bool front)
{
	struct sluice_engine *engine = entity->engine;
	struct sluice_sched_job *job = entity->next;
	struct list_head *list;

	lockdep_assert_held(&engine->lock);
	list_del_init(&entity->node);
	if (!job)
		return;
	/* the end of the op in flight calls this again */
	if (entity->in_flight && !(engine->caps.flags & SLUICE_ENGINE_ORDERED))
		return;
	/* the end of an op in flight, or ACK, calls this again */
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

/* An error of a job ends the jobs behind it, of which some may be in flight. */
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
 * sluice_sched_job_fail - set the error of a job; no more of it is handed out
 * @job: the job
 * @op: index of the op that failed.  The error of an earlier op is kept
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
	/* before the next job begins, and before userspace sees the error and clears it */
	if (entity->chain && !job->cancelled && !job->chained)
		sluice_entity_chain_error(entity, job);
	sluice_entity_advance(job);
}

/**
 * sluice_sched_job_update - mark a job that is over
 * @job: a job that has fewer ops in flight than before, or an error
 *
 * Context: engine->lock held.
 */
void sluice_sched_job_update(struct sluice_sched_job *job)
{
	lockdep_assert_held(&job->entity->engine->lock);
	if (job->in_flight || (!job->result.status && job->next_op < job->num_ops))
		return;
	job->over = true;
	/* the device works for this queue and client; a job without ops does not show this */
	if (!job->result.status && job->num_ops) {
		job->entity->hangs = 0;
		WRITE_ONCE(*job->entity->client_hangs, 0);
	}
}

/**
 * sluice_sched_job_describe - fill in what the engine knows of a job
 * @job: the job
 * @record: set to the state of the job; all numbers count from its beginning
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
 * sluice_entity_end_jobs - end the first jobs of a queue that are over, in order
 * @entity: the entity, which may be freed on return
 * @flags: state of interrupts when engine->lock was taken
 *
 * One context at a time ends jobs of a queue, so its fences signal in order.  If another context is
 * here already, that one also ends the new jobs.  This may be an interrupt handler, so if there are
 * many jobs, the work item ends the rest.
 *
 * Context: engine->lock held; it is released and taken again.
 */
void sluice_entity_end_jobs(struct sluice_entity *entity, unsigned long *flags)
	__must_hold(&entity->engine->lock)
{
	struct sluice_sched_job *job, *ended = NULL;
	struct sluice_engine *engine = entity->engine;
	const struct sluice_entity_ops *ops = entity->ops;
	unsigned int ends = 0;

	lockdep_assert_held(&engine->lock);
	if (entity->ending)
		return;
	entity->ending = true;
	list_del_init(&entity->over);
	while ((job = sluice_entity_first(entity)) && job->over) {
		if (ends++ == SLUICE_ENTITY_MAX_ENDS) {
			list_add_tail(&entity->over, &engine->over);
			sluice_engine_kick_unless_dispatching(engine);
			break;
		}
		/* its ops may have ended long before a job in front of it failed */
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
	if (!ended)
		return;
	/* the put of its last job may free the queue */
	spin_unlock_irqrestore(&engine->lock, *flags);
	ops->put(ended);
	spin_lock_irqsave(&engine->lock, *flags);
}

/**
 * sluice_entity_kill - end all jobs of a queue, and accept no more
 * @entity: the entity
 * @error: errno with which the jobs end
 *
 * Does not wait.
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
	/* without a job the device, and its workqueue, may be gone */
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
	/* ops that had to be stopped because of the error need not be stopped any more */
	if (engine->held_up) {
		engine->check = true;
		sluice_engine_kick_unless_dispatching(engine);
	}
	spin_unlock_irqrestore(&engine->lock, flags);
}

/**
 * sluice_sched_job_cancel - cancel a job
 * @job: a job that has not been put by the engine
 *
 * The job ends in its turn, when the jobs in front of it have ended.  Does not wait.
 *
 * Context: any.
 * Return: true, or false if the job is ending anyway.
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
 * sluice_sched_job_ack - userspace does not need buffers of a CYCLIC job any more
 * @job: a job that has not ended
 * @ops: number of ops, from the beginning of the job; a number below an earlier one has no effect
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
