// SPDX-License-Identifier: GPL-2.0-only
/*
 * Engines: what is decided about jobs.
 *
 * A queue's jobs are handed out and end in order, so the engine looks only at the next
 * job of each (entity->next), and keeps the queues in lists, so that no decision walks
 * over them:
 *
 *	look	its next job is to be looked at by the work item, which joins the watches
 *		of its in-fences (watch.c), looks up their errors, or ends it without running:
 *		it is new, an in-fence has signalled or has taken too long, or it was
 *		cancelled
 *	begun	some of its next job's ops have been handed out, and another may be
 *	ready	its next job may begin
 *	none	it has no next job, or that waits for an in-fence or, unless the engine is
 *		ORDERED, for an op of the queue that is in flight
 *
 * Decisions are taken in one work item per engine, sluice_engine_work(), which is
 * queued by whatever changes a list, and when a job is late.  Each time that it holds the
 * lock it takes one of them.  Two of them are also taken elsewhere:
 *
 *	- A driver with ->kick takes ops itself, wherever it is: sluice_engine_next().
 *	- If nothing else is there to do, SUBMIT starts its job (sluice_engine_submit()),
 *	  for a driver that is quick, and with preemption off: nobody waits for a task to
 *	  get the CPU.
 *
 * engine->dispatching says that the work item or such a SUBMIT decides or calls the
 * driver, and will look again before it ends.
 *
 * What happens to ops in flight is in flight.c.  A job is over when it has none and will
 * have none; sluice_entity_end_jobs() ends those that are over at the front of a queue, in
 * order, wherever that becomes known: mostly in an interrupt.
 *
 * While the device sleeps (engine->stopped) the driver is not called.
 */
#include <linux/dma-fence.h>
#include <linux/jiffies.h>
#include <linux/slab.h>

#include "core.h"
#include "trace.h"

/* looks one after another: what ends without running must not keep the rest from it */
#define SLUICE_MOST_LOOKS	16
/* jobs that are ended one after another, perhaps in an interrupt */
#define SLUICE_MOST_ENDS	8
/* ops of a CYCLIC job that are in flight before one has to wait for ACK */
#define SLUICE_CYCLIC_LEAST	2

static void sluice_engine_kick(struct sluice_engine *engine)
{
	queue_work(engine->sdev->wq, &engine->work);
}

/**
 * sluice_engine_kick_locked - look again, unless there is somebody who does so anyway
 * @engine: the engine
 *
 * Context: engine->lock held.
 */
void sluice_engine_kick_locked(struct sluice_engine *engine)
{
	lockdep_assert_held(&engine->lock);
	if (!engine->dispatching)
		sluice_engine_kick(engine);
}

/**
 * sluice_engine_rested - the driver may have let go of its last op: somebody may want to know
 * @engine: the engine
 *
 * Context: engine->lock held.
 */
void sluice_engine_rested(struct sluice_engine *engine)
{
	lockdep_assert_held(&engine->lock);
	if (engine->stopped)
		wake_up_all(&engine->sdev->users_wait);
}

static bool sluice_engine_has_ops(const struct sluice_engine *engine)
{
	unsigned int i;

	lockdep_assert_held(&engine->lock);
	for (i = 0; i < SLUICE_PRIORITIES; i++)
		if (!list_empty(&engine->ready[i]))
			return true;
	return !list_empty(&engine->begun);
}

static void sluice_engine_timer(struct timer_list *timer)
{
	struct sluice_engine *engine = timer_container_of(engine, timer, timer);
	unsigned long flags;

	spin_lock_irqsave(&engine->lock, flags);
	/* without a job the device may be gone, and its workqueue with it */
	if (!list_empty(&engine->in_flight) || sluice_engine_has_ops(engine)) {
		engine->check = true;
		sluice_engine_kick_locked(engine);
	}
	spin_unlock_irqrestore(&engine->lock, flags);
}

/* The first job of a queue, or NULL. */
struct sluice_job *sluice_entity_first(struct sluice_entity *entity)
{
	return list_first_entry_or_null(&entity->jobs, struct sluice_job, link);
}

/* The work item is to look at the queue's next job, wherever the queue is now. */
void sluice_engine_look(struct sluice_engine *engine, struct sluice_entity *entity)
{
	lockdep_assert_held(&engine->lock);
	list_move_tail(&entity->node, &engine->look);
	sluice_engine_kick_locked(engine);
}

static void sluice_entity_timer(struct timer_list *timer)
{
	struct sluice_entity *entity = timer_container_of(entity, timer, timer);
	struct sluice_engine *engine = container_of(entity, struct sluice_queue, entity)->engine;
	unsigned long flags;

	spin_lock_irqsave(&engine->lock, flags);
	/* without a job the device may be gone, and its workqueue with it */
	if (entity->next)
		sluice_engine_look(engine, entity);
	spin_unlock_irqrestore(&engine->lock, flags);
}

/**
 * sluice_entity_init - prepare an engine's part of a queue
 * @entity: inside the queue
 * @priority: higher goes first
 * @timeout_ms: running time of a job
 */
void sluice_entity_init(struct sluice_entity *entity, u32 priority, unsigned int timeout_ms)
{
	INIT_LIST_HEAD(&entity->jobs);
	INIT_LIST_HEAD(&entity->again);
	INIT_LIST_HEAD(&entity->node);
	INIT_LIST_HEAD(&entity->over);
	timer_setup(&entity->timer, sluice_entity_timer, 0);
	entity->priority = priority;
	entity->timeout = msecs_to_jiffies(timeout_ms);
}

/**
 * sluice_entity_fini - forget a queue
 * @queue: one without jobs that nobody uses any more
 *
 * Context: may sleep.
 */
void sluice_entity_fini(struct sluice_queue *queue)
{
	timer_shutdown_sync(&queue->entity.timer);
	spin_lock_irq(&queue->engine->lock);
	WARN_ON_ONCE(!list_empty(&queue->entity.over));
	list_del_init(&queue->entity.node);
	spin_unlock_irq(&queue->engine->lock);
}

/* When a job has waited for its in-fences for too long, in jiffies. */
static unsigned long sluice_job_late(const struct sluice_job *job)
{
	return job->submitted + msecs_to_jiffies(SLUICE_IN_FENCE_TIMEOUT_MS);
}

static void sluice_entity_set_next(struct sluice_entity *entity)
{
	entity->next = list_first_entry_or_null(&entity->again, struct sluice_job, again) ?:
		       entity->resume;
}

/**
 * sluice_entity_pass - nothing of a job is to be handed out any more
 * @entity: the engine's part of its queue
 * @job: the job
 *
 * To be called before the job is over.  A job that is over may be freed at any time, so it must
 * be neither @entity->next nor @entity->resume, nor in @entity->again.
 *
 * Context: engine->lock held.
 */
void sluice_entity_pass(struct sluice_entity *entity, struct sluice_job *job)
{
	if (!list_empty(&job->again))
		list_del_init(&job->again);
	else if (entity->resume == job)
		entity->resume = list_is_last(&job->link, &entity->jobs) ? NULL :
				 list_next_entry(job, link);
	sluice_entity_set_next(entity);
}

/**
 * sluice_entity_return - ops of a job are to be handed out again
 * @entity: the engine's part of its queue
 * @job: the job, which has no error
 *
 * Context: engine->lock held.
 */
void sluice_entity_return(struct sluice_entity *entity, struct sluice_job *job)
{
	struct sluice_job *other;

	if (entity->resume == job || !list_empty(&job->again))
		return;
	list_for_each_entry(other, &entity->again, again)
		if (other->point > job->point)
			break;
	list_add_tail(&job->again, &other->again);
	sluice_entity_set_next(entity);
}

/*
 * There is a job behind one that goes round and round, and nothing of the pass that comes
 * next has been handed out: it does not come.
 */
static void sluice_entity_end_cycle(struct sluice_engine *engine, struct sluice_entity *entity)
{
	struct sluice_job *job = entity->resume;

	lockdep_assert_held(&engine->lock);
	if (!job || !job->pass || job->next_op || list_is_last(&job->link, &entity->jobs))
		return;
	job->pass--;
	job->next_op = job->num_ops;
	if (entity->next == job)
		list_del_init(&entity->node);
	sluice_entity_pass(entity, job);
	sluice_job_update(engine, job);
	/* who ends the queue's jobs looks again */
	if (!job->over || entity->ending)
		return;
	list_move_tail(&entity->over, &engine->over);
	sluice_engine_kick_locked(engine);
}

/**
 * sluice_engine_add - put a job at the end of its queue
 * @engine: the queue's
 * @job: complete; SUBMIT still holds it back
 *
 * Context: any.  Return: 0, and the engine has a reference on the job; or why the
 * queue is dead.
 */
int sluice_engine_add(struct sluice_engine *engine, struct sluice_job *job)
{
	struct sluice_entity *entity = &job->queue->entity;
	unsigned long flags;
	int ret;

	spin_lock_irqsave(&engine->lock, flags);
	ret = entity->dead;
	if (!ret) {
		kref_get(&job->ref);
		list_add_tail(&job->link, &entity->jobs);
		INIT_LIST_HEAD(&job->again);
		sluice_entity_end_cycle(engine, entity);
		entity->resume = entity->resume ?: job;
		entity->next = entity->next ?: job;
		/* one behind others is looked at when its turn comes */
		if (entity->next == job && job->preempted)
			mod_timer(&entity->timer, sluice_job_late(job));
	}
	spin_unlock_irqrestore(&engine->lock, flags);
	return ret;
}

/**
 * sluice_job_is_chained - is a job to end because of one in front of it?
 * @job: the job
 *
 * Context: engine->lock held.  Return: true if its queue chains errors, and there was one.
 */
bool sluice_job_is_chained(const struct sluice_job *job)
{
	const struct sluice_entity *entity = &job->queue->entity;

	return entity->failed && job->point > entity->failed;
}

/* Why a job is to end without more ado, or 0. */
static int sluice_job_unwanted(const struct sluice_job *job)
{
	lockdep_assert_held(&job->queue->engine->lock);
	if (job->queue->entity.dead)
		return job->queue->entity.dead;
	if (job->cancelled)
		return job->cancelled;
	return sluice_job_is_chained(job) ? -ECANCELED : 0;
}

/**
 * sluice_job_has_begun - has one of its ops been handed out?
 * @job: the job
 *
 * Context: engine->lock held.
 */
bool sluice_job_has_begun(const struct sluice_job *job)
{
	return job->next_op || job->pass;
}

/**
 * sluice_job_is_lapped - has a CYCLIC job's next op come round too early?
 * @job: the job
 *
 * Context: engine->lock held.  Return: true if userspace has begun to say how far it is, and
 * is not done with the buffer.
 */
bool sluice_job_is_lapped(const struct sluice_job *job)
{
	u64 number = job->pass * job->num_ops + job->next_op;

	return job->acks && number >= job->num_ops && number - job->num_ops >= job->acked;
}

static bool sluice_op_revoked(const struct sluice_op_desc *op)
{
	unsigned int i;

	for (i = 0; i < op->num_ranges; i++)
		if (sluice_slot_revoked(op->ranges[i].slot))
			return true;
	return false;
}

/* Why the next job of a queue is not to go on, or 0. */
int sluice_job_refused(const struct sluice_job *job)
{
	int why = sluice_job_unwanted(job) ?: job->in_fence_error;

	if (!why && job->next_op < job->num_ops && sluice_op_revoked(&job->ops[job->next_op]))
		why = -ENODEV;
	if (!why && job->flags & SLUICE_SUBMIT_STOP_ON_XRUN && !job->in_flight &&
	    sluice_job_is_lapped(job))
		why = -EPIPE;
	return why;
}

/**
 * sluice_flight_unwanted - why an op in flight is to be stopped, or 0
 * @flight: the op, which has not ended
 *
 * Context: engine->lock held.
 */
int sluice_flight_unwanted(const struct sluice_flight *flight)
{
	const struct sluice_job *job = flight->job;
	int why = sluice_job_unwanted(job);

	if (!why && sluice_op_revoked(&job->ops[flight->op]))
		why = -ENODEV;
	return why;
}

/*
 * A CYCLIC job's next op waits while the same one is in flight, from the pass before, or
 * while userspace is not done with its buffer.  But the device must not run dry for that,
 * unless the job is to end then.
 */
static bool sluice_job_must_wait(struct sluice_engine *engine, const struct sluice_job *job)
{
	unsigned int least = job->flags & SLUICE_SUBMIT_STOP_ON_XRUN ? 1 : SLUICE_CYCLIC_LEAST;

	if (!job->pass)
		return false;
	return sluice_flight_find(engine, job->ops[job->next_op].cookie) ||
	       (job->in_flight >= least && sluice_job_is_lapped(job));
}

/**
 * sluice_entity_enqueue - a queue has another next job, or that may be able to go on
 * @engine: the engine
 * @entity: the engine's part of the queue
 * @again: it was handed out before, and goes in front
 *
 * Context: engine->lock held.
 */
void sluice_entity_enqueue(struct sluice_engine *engine, struct sluice_entity *entity, bool again)
{
	struct sluice_job *job = entity->next;
	struct list_head *list;

	lockdep_assert_held(&engine->lock);
	list_del_init(&entity->node);
	if (!job)
		return;
	/* the end of what is in flight comes here again */
	if (entity->in_flight && !(engine->caps.flags & SLUICE_ENGINE_ORDERED))
		return;
	/* the end of what is in flight, or ACK, comes here again */
	if (sluice_job_must_wait(engine, job))
		return;
	if (!job->prepared || atomic_read(&job->waiting) || !job->num_ops ||
	    sluice_job_refused(job)) {
		list_add_tail(&entity->node, &engine->look);
		return;
	}
	list = sluice_job_has_begun(job) || job->withdrawals >= SLUICE_MAX_WITHDRAWALS ?
	       &engine->begun : &engine->ready[entity->priority];
	if (again)
		list_add(&entity->node, list);
	else
		list_add_tail(&entity->node, list);
	entity->ready_since = jiffies;
	engine->pushed = true;
}

/* The driver may have another op: there is place for it, it is awake, and none is held up. */
bool sluice_engine_has_room(const struct sluice_engine *engine)
{
	lockdep_assert_held(&engine->lock);
	return !engine->stopped && !engine->aborting && !engine->held_up &&
	       !list_empty(&engine->idle);
}

/**
 * sluice_engine_has_work - is there a decision to take?
 * @engine: the engine
 *
 * Context: engine->lock held.
 */
bool sluice_engine_has_work(const struct sluice_engine *engine)
{
	lockdep_assert_held(&engine->lock);
	return !list_empty(&engine->look) || !list_empty(&engine->signalled) ||
	       !list_empty(&engine->revoked) || !list_empty(&engine->over) ||
	       (engine->check && (engine->offered || !list_empty(&engine->in_flight))) ||
	       (engine->pushed && sluice_engine_has_room(engine) && sluice_engine_has_ops(engine));
}

/* How jobs end */

/* An error of a job ends those behind it; some of them may be in flight. */
static void sluice_entity_chain(struct sluice_engine *engine, struct sluice_entity *entity,
				const struct sluice_job *job)
{
	lockdep_assert_held(&engine->lock);
	if (entity->failed && entity->failed <= job->point)
		return;
	entity->failed = job->point;
	if (entity->in_flight)
		engine->check = true;
}

/**
 * sluice_job_fail - a job has an error: no more of it is handed out
 * @job: the job
 * @op: which of its ops failed; what an earlier one has said stays
 * @status: the error
 *
 * Context: engine->lock held.
 */
void sluice_job_fail(struct sluice_job *job, unsigned int op, int status)
{
	struct sluice_entity *entity = &job->queue->entity;

	lockdep_assert_held(&job->queue->engine->lock);
	if (job->result.status && job->failed <= op)
		return;
	job->result.status = status;
	job->failed = op;
	/* before the next one begins, or anybody sees the error and clears it */
	if (entity->chain && !job->cancelled && !job->chained)
		sluice_entity_chain(job->queue->engine, entity, job);
	sluice_entity_pass(entity, job);
}

/**
 * sluice_job_update - is a job over?
 * @engine: the engine
 * @job: one that has fewer ops in flight, or an error
 *
 * Context: engine->lock held.
 */
void sluice_job_update(struct sluice_engine *engine, struct sluice_job *job)
{
	lockdep_assert_held(&engine->lock);
	if (job->in_flight || (!job->result.status && job->next_op < job->num_ops))
		return;
	job->over = true;
	/* its queue and its open do not hang; one without ops says nothing about the device */
	if (!job->result.status && job->num_ops) {
		job->queue->entity.hangs = 0;
		sluice_client_set_hangs(job->queue->client, engine, 0);
	}
}

/**
 * sluice_entity_end_jobs - end the first jobs of a queue that are over, in order
 * @engine: the engine
 * @entity: the engine's part of the queue.  It may be gone on return
 * @flags: interrupts, as they were when engine->lock was taken
 *
 * Fences of a queue signal in order because one at a time does this; who comes meanwhile
 * leaves its jobs to that one.  It may be an interrupt: more than a few are the work item's.
 *
 * Context: engine->lock held, which is given up in between.
 */
void sluice_entity_end_jobs(struct sluice_engine *engine, struct sluice_entity *entity,
			    unsigned long *flags)
	__must_hold(&engine->lock)
{
	struct sluice_job *job, *ended = NULL;
	unsigned int ends = 0;

	lockdep_assert_held(&engine->lock);
	if (entity->ending)
		return;
	entity->ending = true;
	list_del_init(&entity->over);
	while ((job = sluice_entity_first(entity)) && job->over) {
		if (ends++ == SLUICE_MOST_ENDS) {
			list_add_tail(&entity->over, &engine->over);
			sluice_engine_kick_locked(engine);
			break;
		}
		/* its ops may have ended well before one in front of it failed */
		if (!job->result.status && sluice_job_is_chained(job))
			job->result.status = -ECANCELED;
		spin_unlock_irqrestore(&engine->lock, *flags);
		if (ended)
			sluice_job_put(ended);
		trace_sluice_job_done(job, job->result.status);
		sluice_queue_job_ended(job->queue, job, job->result.status);
		spin_lock_irqsave(&engine->lock, *flags);
		list_del_init(&job->link);
		ended = job;
	}
	entity->ending = false;
	if (!ended)
		return;
	/* with its last job the queue may go */
	spin_unlock_irqrestore(&engine->lock, *flags);
	sluice_job_put(ended);
	spin_lock_irqsave(&engine->lock, *flags);
}

/* What to do next, as found under the lock. */
enum sluice_decision {
	SLUICE_NOTHING,
	SLUICE_START,		/* give an op to the driver */
	SLUICE_KICK,		/* or tell it that there are some */
	SLUICE_ABORT,		/* an op in flight, or all of them, with status */
	SLUICE_END,		/* the next job of a queue, which has no op in flight, with status */
	SLUICE_ARM,		/* join the watches of a job's in-fences */
	SLUICE_PREPARE,		/* look up the errors of a job's in-fences */
	SLUICE_SETTLE,		/* a slot whose memory is taken back, and that no op uses */
	SLUICE_GO_ON,		/* with jobs of a queue that are over */
	SLUICE_AGAIN,		/* decided, but without consequences outside the lock */
};

/**
 * struct sluice_plan - a decision, and what it is about
 * @decision: what to do
 * @job: END, ARM, PREPARE: which
 * @flight: START: which
 * @cookie: ABORT: of the op, or SLUICE_ALL_OPS
 * @number: ABORT: the same op's
 * @status: ABORT, END: why
 * @refused: END: the driver did not take its op
 */
struct sluice_plan {
	enum sluice_decision decision;
	struct sluice_job *job;
	struct sluice_flight *flight;
	u32 cookie;
	u64 number;
	int status;
	bool refused;
};

/* Why an op in flight is to be stopped, or 0. */
static int sluice_flight_check(const struct sluice_flight *flight,
			       const struct sluice_engine *engine, unsigned long now)
{
	const struct sluice_job *job = flight->job;
	int why = sluice_flight_unwanted(flight);

	if (!why && job->timed && job->starts == engine->starts &&
	    time_after_eq(now, job->deadline))
		why = -ETIME;
	return why;
}

/* The oldest op in flight that is not to be stopped for others, or NULL. */
static const struct sluice_flight *sluice_engine_first_kept(const struct sluice_engine *engine)
{
	const struct sluice_flight *flight;

	lockdep_assert_held(&engine->lock);
	if (!engine->num_kept)
		return NULL;
	list_for_each_entry(flight, &engine->in_flight, link)
		if (flight->kept && flight->state == SLUICE_FLIGHT_ISSUED)
			return flight;
	return NULL;
}

/*
 * To stop one op, many drivers must stop others, too.  Jobs that are cancelled, or that
 * hang, one after the other must not keep another job from its end for ever.  So they wait
 * for one that has been stopped SLUICE_MAX_WITHDRAWALS times, or that may not be repeated, which
 * its own timeout bounds.  Meanwhile the driver gets no op, or one after the other could be such.
 * Where ops wait for each other, those in front of it are in its way: these are stopped.
 * And nothing waits when memory is taken back.
 */
static bool sluice_flight_must_wait(const struct sluice_flight *flight,
				    const struct sluice_engine *engine,
				    const struct sluice_flight *kept, int why)
{
	if (!kept || flight == kept || why == -ENODEV ||
	    sluice_op_revoked(&flight->job->ops[flight->op]))
		return false;
	return !(engine->caps.flags & SLUICE_ENGINE_ORDERED) || flight->number > kept->number;
}

/* Is an op in flight late or unwanted?  If the device is to sleep, they all are. */
static void sluice_engine_check_flights(struct sluice_engine *engine, struct sluice_plan *plan)
{
	const struct sluice_flight *kept = sluice_engine_first_kept(engine);
	struct sluice_flight *flight;
	unsigned long now = jiffies;
	bool issued = false;
	int why;

	lockdep_assert_held(&engine->lock);
	engine->check = false;
	/* what was not handed out because of it can be */
	engine->pushed |= engine->held_up;
	engine->held_up = false;
	list_for_each_entry(flight, &engine->in_flight, link) {
		if (flight->state != SLUICE_FLIGHT_ISSUED)
			continue;
		issued = true;
		why = sluice_flight_check(flight, engine, now);
		if (!why)
			continue;
		if (sluice_flight_must_wait(flight, engine, kept, why)) {
			engine->held_up = true;
			continue;
		}
		plan->decision = SLUICE_ABORT;
		plan->cookie = flight->cookie;
		plan->number = flight->number;
		plan->status = why;
		flight->job->chained |= sluice_job_is_chained(flight->job);
		break;
	}
	if (plan->decision == SLUICE_NOTHING && issued && engine->withdraw) {
		plan->decision = SLUICE_ABORT;
		plan->cookie = SLUICE_ALL_OPS;
		plan->status = -ECANCELED;
	}
	if (plan->decision == SLUICE_ABORT) {
		engine->aborting = true;
		/* others may be late, too */
		engine->check = true;
	} else if (issued) {
		sluice_flights_set_timer(engine, now);
	}
}

/* When a driver that has nothing should have taken the next op of a queue. */
static unsigned long sluice_engine_offer_late(const struct sluice_engine *engine,
					      const struct sluice_entity *entity)
{
	unsigned long since = engine->offered_at;

	if (time_after(entity->ready_since, since))
		since = entity->ready_since;
	return since + entity->timeout;
}

/*
 * A driver that does not take what it is offered, though it has nothing to do, must not keep
 * fences for ever.  It has as long as for an op; then the job ends that it did not take.
 */
static void sluice_engine_check_offer(struct sluice_engine *engine, struct sluice_plan *plan)
{
	struct sluice_entity *entity = sluice_engine_pick(engine);
	unsigned long late;

	lockdep_assert_held(&engine->lock);
	engine->check = false;
	if (!engine->offered || engine->stopped || !entity)
		return;
	late = sluice_engine_offer_late(engine, entity);
	if (time_before(jiffies, late))
		return;
	engine->offered = false;
	engine->pushed = true;
	engine->timeouts++;
	list_del_init(&entity->node);
	plan->decision = SLUICE_END;
	plan->job = entity->next;
	plan->status = -ETIME;
	plan->refused = true;
	sluice_job_fail(plan->job, plan->job->next_op, -ETIME);
}

static void sluice_engine_tell_refused(const struct sluice_engine *engine)
{
	dev_warn_ratelimited(&engine->sdev->dev,
			     "engine %u: driver %s does not take the ops that there are\n",
			     engine->index, engine->sdev->driver);
}

/*
 * The next job of a queue that somebody asks to look at: is it ready?
 */
static void sluice_engine_check_next(struct sluice_engine *engine, struct sluice_plan *plan)
{
	struct sluice_entity *entity = list_first_entry(&engine->look, struct sluice_entity, node);
	struct sluice_job *job = entity->next;

	lockdep_assert_held(&engine->lock);
	list_del_init(&entity->node);
	plan->decision = SLUICE_AGAIN;
	plan->job = job;
	if (!job)
		return;
	plan->status = sluice_job_refused(job);
	if (plan->status) {
		/* ops of it that are in flight go on, or are stopped: that ends it */
		sluice_job_fail(job, job->next_op, plan->status);
		plan->decision = SLUICE_END;
		return;
	}
	if (atomic_read_acquire(&job->waiting)) {
		bool late = time_after_eq(jiffies, sluice_job_late(job));

		if (late && job->armed) {
			sluice_job_fail(job, 0, -ETIME);
			plan->decision = SLUICE_END;
			return;
		}
		/* its fences may have signalled while it was not the next: ask, then look again */
		if (late)
			list_add_tail(&entity->node, &engine->look);
		else
			mod_timer(&entity->timer, sluice_job_late(job));
		if (job->armed)
			return;
		job->armed = true;
		plan->decision = SLUICE_ARM;
	} else if (!job->prepared) {
		plan->decision = SLUICE_PREPARE;
	} else if (!job->num_ops) {
		plan->decision = SLUICE_END;
	} else {
		sluice_entity_enqueue(engine, entity, false);
	}
}

/*
 * Memory is being taken back, and no op in flight uses it.  In the order in which the engine
 * was told: the fence of a slot stands for those before it, too (sharing.c).
 */
static bool sluice_engine_may_settle(struct sluice_engine *engine)
{
	const struct sluice_slot *slot;

	lockdep_assert_held(&engine->lock);
	slot = list_first_entry_or_null(&engine->revoked, struct sluice_slot, revoke);
	return slot && !slot->in_flight;
}

static void sluice_engine_settle(struct sluice_engine *engine)
{
	struct sluice_slot *slot;

	/* whoever dispatches is the only one that takes them out */
	spin_lock_irq(&engine->lock);
	slot = list_first_entry(&engine->revoked, struct sluice_slot, revoke);
	list_del_init(&slot->revoke);
	spin_unlock_irq(&engine->lock);
	sluice_slot_settle(slot);
}

/* A fence has signalled: one of the jobs that wait for it is told.  False: there is none. */
static bool sluice_engine_tell_one(struct sluice_engine *engine)
{
	struct sluice_dep *dep = sluice_watch_next(engine);
	struct sluice_entity *entity;

	if (!dep)
		return false;
	if (atomic_dec_and_test(&dep->job->waiting)) {
		trace_sluice_job_ready(dep->job, 0);
		/* it may have ended */
		entity = &dep->job->queue->entity;
		if (entity->next == dep->job)
			list_move_tail(&entity->node, &engine->look);
	}
	return true;
}

/* Will the driver take what it has been offered? */
static void sluice_engine_watch_offer(struct sluice_engine *engine)
{
	struct sluice_entity *entity;

	lockdep_assert_held(&engine->lock);
	if (!engine->offered)
		return;
	entity = sluice_engine_pick(engine);
	if (entity)
		mod_timer(&engine->timer, sluice_engine_offer_late(engine, entity));
	else
		engine->offered = false;
}

/**
 * sluice_engine_offer - a driver that takes ops itself knows that there are some
 * @engine: the engine
 *
 * If it has none it is expected to take one in time: see sluice_engine_check_offer().
 *
 * Context: engine->lock held.
 */
void sluice_engine_offer(struct sluice_engine *engine)
{
	lockdep_assert_held(&engine->lock);
	if (engine->offered || !list_empty(&engine->in_flight) || engine->stopped ||
	    !sluice_engine_has_ops(engine))
		return;
	engine->offered = true;
	engine->offered_at = jiffies;
	/* one that goes off too early is set anew */
	if (!timer_pending(&engine->timer))
		sluice_engine_watch_offer(engine);
}

/* More for the driver, if there is something, and it can take it. */
static void sluice_engine_hand_out(struct sluice_engine *engine, struct sluice_plan *plan)
{
	lockdep_assert_held(&engine->lock);
	engine->looks = 0;
	if (!engine->pushed || !sluice_engine_has_room(engine))
		return;
	if (!engine->sdev->ops->start) {
		engine->pushed = false;
		if (sluice_engine_has_ops(engine)) {
			plan->decision = SLUICE_KICK;
			sluice_engine_offer(engine);
		}
		return;
	}
	plan->flight = sluice_flight_begin(engine);
	if (plan->flight)
		plan->decision = SLUICE_START;
	else if (!sluice_engine_has_ops(engine))
		engine->pushed = false;
}

static void sluice_engine_decide(struct sluice_engine *engine, struct sluice_plan *plan)
{
	bool looked = engine->looks >= SLUICE_MOST_LOOKS ||
		      (list_empty(&engine->look) && list_empty(&engine->signalled));

	*plan = (struct sluice_plan) { .decision = SLUICE_NOTHING };
	if (engine->check && !list_empty(&engine->in_flight))
		sluice_engine_check_flights(engine, plan);
	else if (engine->check)
		sluice_engine_check_offer(engine, plan);
	if (plan->decision != SLUICE_NOTHING)
		return;
	if (sluice_engine_may_settle(engine)) {
		plan->decision = SLUICE_SETTLE;
		return;
	}
	if (looked)
		sluice_engine_hand_out(engine, plan);
	if (plan->decision != SLUICE_NOTHING)
		return;
	if (!list_empty(&engine->over)) {
		plan->decision = SLUICE_GO_ON;
		return;
	}
	engine->looks++;
	if (sluice_engine_tell_one(engine))
		plan->decision = SLUICE_AGAIN;
	else if (!list_empty(&engine->look))
		sluice_engine_check_next(engine, plan);
}

/* Its in-fences have all signalled. */
static void sluice_engine_prepare(struct sluice_engine *engine, struct sluice_job *job)
{
	int error = sluice_job_in_fence_error(job);

	spin_lock_irq(&engine->lock);
	job->in_fence_error = error;
	job->prepared = true;
	sluice_entity_enqueue(engine, &job->queue->entity, false);
	spin_unlock_irq(&engine->lock);
}

/* A job has no more ops to hand out: that was the last of it, or those in flight are. */
static void sluice_engine_end(struct sluice_engine *engine, struct sluice_job *job,
			      unsigned long *flags)
{
	struct sluice_entity *entity = &job->queue->entity;

	lockdep_assert_held(&engine->lock);
	sluice_entity_pass(entity, job);
	sluice_job_update(engine, job);
	sluice_entity_enqueue(engine, entity, false);
	sluice_entity_end_jobs(engine, entity, flags);
}

/* Without the lock: what the plan is about stays, because only who dispatches changes it. */
static void sluice_engine_act(struct sluice_engine *engine, const struct sluice_plan *plan)
{
	switch (plan->decision) {
	case SLUICE_START:
		sluice_flight_start(engine, plan->flight);
		break;
	case SLUICE_KICK:
		engine->sdev->ops->kick(engine);
		break;
	case SLUICE_ABORT:
		sluice_flight_abort(engine, plan->cookie, plan->number, plan->status);
		break;
	case SLUICE_ARM:
		sluice_job_arm(plan->job);
		break;
	case SLUICE_PREPARE:
		sluice_engine_prepare(engine, plan->job);
		break;
	case SLUICE_SETTLE:
		sluice_engine_settle(engine);
		break;
	case SLUICE_END:
		if (plan->refused)
			sluice_engine_tell_refused(engine);
		break;
	default:
		break;
	}
}

static void sluice_engine_work(struct work_struct *work)
{
	struct sluice_engine *engine = container_of(work, struct sluice_engine, work);
	struct sluice_plan plan;
	unsigned long flags;
	bool signalling;

	signalling = dma_fence_begin_signalling();
	spin_lock_irqsave(&engine->lock, flags);
	if (engine->dispatching)
		goto out;
	engine->dispatching = true;
	for (;;) {
		sluice_engine_decide(engine, &plan);
		if (plan.decision == SLUICE_NOTHING)
			break;
		/* at once: what is in flight of the job may end it, too */
		if (plan.decision == SLUICE_END)
			sluice_engine_end(engine, plan.job, &flags);
		else if (plan.decision == SLUICE_GO_ON)
			sluice_entity_end_jobs(engine, list_first_entry(&engine->over,
					       struct sluice_entity, over), &flags);
		spin_unlock_irqrestore(&engine->lock, flags);
		sluice_engine_act(engine, &plan);
		cond_resched();
		spin_lock_irqsave(&engine->lock, flags);
	}
	engine->dispatching = false;
	sluice_engine_watch_offer(engine);
	sluice_engine_rested(engine);
out:
	spin_unlock_irqrestore(&engine->lock, flags);
	dma_fence_end_signalling(signalling);
}

/* Does the core do anything that takes time, for the ops of a software engine? */
static bool sluice_job_syncs_much(const struct sluice_engine *engine, const struct sluice_job *job)
{
	unsigned int i, j;

	if (!(engine->caps.flags & SLUICE_ENGINE_CPU) ||
	    !sluice_compat_need_sync(engine->sdev->parent))
		return false;
	for (i = 0; i < job->num_ops; i++)
		for (j = 0; j < job->ops[i].num_ranges; j++)
			if (job->ops[i].ranges[j].length > PAGE_SIZE)
				return true;
	return false;
}

/* May SUBMIT start its job itself?  With preemption off, that is to take no time. */
static bool sluice_engine_is_free(const struct sluice_engine *engine, const struct sluice_job *job)
{
	lockdep_assert_held(&engine->lock);
	return engine->caps.flags & SLUICE_ENGINE_QUICK && !engine->dispatching &&
	       sluice_engine_has_room(engine) && !sluice_engine_has_ops(engine) &&
	       !sluice_engine_has_work(engine) && job->prepared && job->num_ops &&
	       job->num_ops <= SLUICE_FEW_OPS && !sluice_job_refused(job) &&
	       !sluice_job_syncs_much(engine, job);
}

/* SUBMIT has called the driver; what came meanwhile was left to it. */
static void sluice_engine_leave(struct sluice_engine *engine)
{
	lockdep_assert_held(&engine->lock);
	engine->dispatching = false;
	sluice_engine_watch_offer(engine);
	sluice_engine_rested(engine);
	if (sluice_engine_has_work(engine))
		sluice_engine_kick(engine);
}

/* Start a job from SUBMIT; what is left of it when it has not ended is the work item's. */
static void sluice_engine_run_now(struct sluice_engine *engine, struct sluice_job *job)
{
	struct sluice_plan plan = {};
	unsigned int i;

	lockdep_assert_held(&engine->lock);
	engine->dispatching = true;
	sluice_entity_enqueue(engine, &job->queue->entity, false);
	/* an op each time, unless the driver takes them itself */
	for (i = 0; i < job->num_ops && !engine->check; i++) {
		plan.decision = SLUICE_NOTHING;
		sluice_engine_hand_out(engine, &plan);
		if (plan.decision == SLUICE_NOTHING)
			break;
		spin_unlock_irq(&engine->lock);
		sluice_engine_act(engine, &plan);
		spin_lock_irq(&engine->lock);
	}
	sluice_engine_leave(engine);
}

/**
 * sluice_engine_submit - SUBMIT is done with a job
 * @engine: the engine
 * @job: has been published; the caller has a reference
 * @now: preemption is off, so the job may be started here
 *
 * Starts it, if the engine waits for nothing else; or ends it, if there is nothing to do.
 * That saves the way through the work item, which does everything else.
 *
 * Context: process context, no spinlock held.
 */
void sluice_engine_submit(struct sluice_engine *engine, struct sluice_job *job, bool now)
{
	struct sluice_entity *entity = &job->queue->entity;
	unsigned long flags;

	spin_lock_irqsave(&engine->lock, flags);
	if (atomic_dec_and_test(&job->waiting))
		trace_sluice_job_ready(job, 0);
	/* another is in front of it, or it has ended already */
	if (entity->next != job)
		goto out;
	if (now && job->prepared && !job->num_ops && !sluice_job_refused(job)) {
		sluice_engine_end(engine, job, &flags);
	} else if (now && sluice_engine_is_free(engine, job)) {
		sluice_engine_run_now(engine, job);
	} else {
		sluice_entity_enqueue(engine, entity, false);
		if (sluice_engine_has_work(engine))
			sluice_engine_kick_locked(engine);
	}
out:
	spin_unlock_irqrestore(&engine->lock, flags);
}

/**
 * sluice_engine_kill - end all jobs of a queue, and let no more in
 * @engine: the queue's
 * @entity: the engine's part of the queue
 * @error: what they end with
 *
 * Does not wait.  Context: any.
 */
void sluice_engine_kill(struct sluice_engine *engine, struct sluice_entity *entity, int error)
{
	unsigned long flags;

	spin_lock_irqsave(&engine->lock, flags);
	if (!entity->dead)
		WRITE_ONCE(entity->dead, error);
	if (entity->in_flight)
		engine->check = true;
	/* without a job the device may be gone, and its workqueue with it */
	if (entity->next)
		sluice_engine_look(engine, entity);
	else if (entity->in_flight)
		sluice_engine_kick_locked(engine);
	spin_unlock_irqrestore(&engine->lock, flags);
}

/**
 * sluice_engine_clear - let jobs of a queue run again after an error
 * @engine: the queue's
 * @entity: the engine's part of the queue
 *
 * Context: any.
 */
void sluice_engine_clear(struct sluice_engine *engine, struct sluice_entity *entity)
{
	unsigned long flags;

	spin_lock_irqsave(&engine->lock, flags);
	entity->failed = 0;
	/* what was to be stopped for the error is not in its way any more */
	if (engine->held_up) {
		engine->check = true;
		sluice_engine_kick_locked(engine);
	}
	spin_unlock_irqrestore(&engine->lock, flags);
}

/**
 * sluice_engine_cancel - end a job
 * @engine: the engine
 * @job: one that has not ended
 *
 * It ends in its place, when the jobs in front of it have.  Does not wait.
 *
 * Context: any.  Return: false if it is just ending anyway.
 */
bool sluice_engine_cancel(struct sluice_engine *engine, struct sluice_job *job)
{
	struct sluice_entity *entity = &job->queue->entity;
	unsigned long flags;
	bool ends;

	spin_lock_irqsave(&engine->lock, flags);
	ends = list_empty(&job->link) || job->over;
	if (!ends) {
		job->cancelled = -ECANCELED;
		engine->check |= job->in_flight;
		if (entity->next == job)
			sluice_engine_look(engine, entity);
		else if (job->in_flight)
			sluice_engine_kick_locked(engine);
	}
	spin_unlock_irqrestore(&engine->lock, flags);
	return !ends;
}

/**
 * sluice_engine_revoke - an exporter takes memory back
 * @engine: the engine of the slot's queue
 * @slot: the slot, marked as revoked.  The caller's reference, and one on the queue, are
 *	passed on
 *
 * Has ops that use the slot aborted.  When none does, sluice_slot_settle() is called.
 *
 * Context: any, also with a dma_resv held.
 */
void sluice_engine_revoke(struct sluice_engine *engine, struct sluice_slot *slot)
{
	unsigned long flags;

	spin_lock_irqsave(&engine->lock, flags);
	list_add_tail(&slot->revoke, &engine->revoked);
	engine->check = true;
	sluice_engine_kick_locked(engine);
	spin_unlock_irqrestore(&engine->lock, flags);
}

/**
 * sluice_engine_stop - the driver is to get no op any more
 * @engine: the engine
 * @withdraw: the ops that it has are aborted, too, to be handed out again later; false to let
 *	them run out
 *
 * All else goes on: jobs are submitted and wait, time out, are cancelled, and end if they
 * need not run.  Does not wait: see sluice_engine_rests().
 *
 * Context: any.
 */
void sluice_engine_stop(struct sluice_engine *engine, bool withdraw)
{
	unsigned long flags;

	spin_lock_irqsave(&engine->lock, flags);
	engine->stopped = true;
	engine->withdraw = withdraw;
	engine->offered = false;
	if (withdraw) {
		engine->check = true;
		sluice_engine_kick_locked(engine);
	}
	spin_unlock_irqrestore(&engine->lock, flags);
}

/**
 * sluice_engine_rests - has the driver no op, and is none of its ops being called?
 * @engine: the engine
 *
 * Once the engine is stopped and the answer is true, the driver is not called before
 * sluice_engine_go_on().  sdev->users_wait is woken when the answer may have become true.
 *
 * Context: any.  Return: true if so.
 */
bool sluice_engine_rests(struct sluice_engine *engine)
{
	unsigned long flags;
	bool rests;

	spin_lock_irqsave(&engine->lock, flags);
	rests = !engine->dispatching && list_empty(&engine->in_flight);
	spin_unlock_irqrestore(&engine->lock, flags);
	return rests;
}

/**
 * sluice_engine_go_on - the driver gets ops again
 * @engine: the engine
 *
 * Context: any.
 */
void sluice_engine_go_on(struct sluice_engine *engine)
{
	unsigned long flags;

	spin_lock_irqsave(&engine->lock, flags);
	engine->stopped = false;
	engine->withdraw = false;
	/* a job that was held up in its middle is not late for that */
	engine->starts++;
	sluice_flights_restart_clocks(engine);
	engine->check |= engine->held_up;
	engine->pushed = true;
	sluice_engine_kick_locked(engine);
	spin_unlock_irqrestore(&engine->lock, flags);
}

/**
 * sluice_engine_ack - userspace is done with buffers of a CYCLIC job
 * @engine: the engine
 * @job: one that has not ended
 * @ops: how many, from the job's beginning on; less than before changes nothing
 *
 * Context: any.
 */
void sluice_engine_ack(struct sluice_engine *engine, struct sluice_job *job, u64 ops)
{
	struct sluice_entity *entity = &job->queue->entity;
	unsigned long flags;

	spin_lock_irqsave(&engine->lock, flags);
	job->acks = true;
	job->acked = max(job->acked, ops);
	if (entity->next == job) {
		sluice_entity_enqueue(engine, entity, false);
		if (sluice_engine_has_work(engine))
			sluice_engine_kick_locked(engine);
	}
	spin_unlock_irqrestore(&engine->lock, flags);
}

/**
 * sluice_engine_give_fence - somebody is to see a job's fence after all
 * @engine: the engine
 * @job: one that has not ended, without a fence
 * @fence: which it gets; the job takes a reference of its own
 *
 * Context: any.
 */
void sluice_engine_give_fence(struct sluice_engine *engine, struct sluice_job *job,
			      struct dma_fence *fence)
{
	unsigned long flags;

	spin_lock_irqsave(&engine->lock, flags);
	job->fence = dma_fence_get(fence);
	spin_unlock_irqrestore(&engine->lock, flags);
}

/**
 * sluice_engine_init - prepare an engine
 * @engine: inside the device
 * @sdev: the device
 * @index: number
 * @caps: what the driver says of it
 *
 * Context: may sleep.  Return: 0 or -ENOMEM.
 */
int sluice_engine_init(struct sluice_engine *engine, struct sluice_device *sdev,
		       unsigned int index, const struct sluice_engine_caps *caps)
{
	unsigned int i;

	engine->sdev = sdev;
	engine->index = index;
	engine->caps = *caps;
	engine->caps.depth = caps->depth ?: 1;
	spin_lock_init(&engine->lock);
	INIT_LIST_HEAD(&engine->look);
	INIT_LIST_HEAD(&engine->begun);
	engine->watches = RB_ROOT;
	INIT_LIST_HEAD(&engine->signalled);
	INIT_LIST_HEAD(&engine->revoked);
	INIT_LIST_HEAD(&engine->over);
	for (i = 0; i < SLUICE_PRIORITIES; i++)
		INIT_LIST_HEAD(&engine->ready[i]);
	INIT_WORK(&engine->work, sluice_engine_work);
	timer_setup(&engine->timer, sluice_engine_timer, 0);
	return sluice_formats_copy(&engine->caps) ?: sluice_flights_init(engine);
}

/**
 * sluice_engine_fini - stop what may still look at an engine
 * @engine: one without jobs
 *
 * Context: may sleep.
 */
void sluice_engine_fini(struct sluice_engine *engine)
{
	timer_shutdown_sync(&engine->timer);
	cancel_work_sync(&engine->work);
	kfree(engine->flights);
	engine->flights = NULL;
}

/**
 * sluice_engine_priv - the driver's pointer
 * @engine: the engine
 *
 * Return: @priv of sluice_device_register().
 */
void *sluice_engine_priv(const struct sluice_engine *engine)
{
	return engine->sdev->priv;
}
EXPORT_SYMBOL_GPL(sluice_engine_priv);

/**
 * sluice_engine_index - number of an engine
 * @engine: the engine
 *
 * Return: 0 to @num_engines - 1.
 */
unsigned int sluice_engine_index(const struct sluice_engine *engine)
{
	return engine->index;
}
EXPORT_SYMBOL_GPL(sluice_engine_index);

#ifdef SLUICE_KUNIT
#include "selftests/kunit/engine.c"
#endif
