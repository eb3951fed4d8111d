// SPDX-License-Identifier: GPL-2.0-only
/*
 * Dispatch: the decisions of an engine.  See dispatch.h.
 *
 * Usually the work item of the engine decides: sluice_dispatch_work().  It calls the driver, and is
 * in the signalling path of fences.  There are two exceptions:
 *
 *	- A driver with ->kick() takes ops itself, in any context: sluice_engine_next().
 *	- SUBMIT runs its job itself, with preemption off, if the job has no ops, or if the engine
 *	  is QUICK and has nothing else to do.  The fence then need not wait for the work item.
 *
 * While the engine is stopped (engine->stopped), no op is handed out.
 */
#include <linux/dma-fence.h>
#include <linux/jiffies.h>

#include "compat/dma.h"
#include "device.h"
#include "dispatch.h"
#include "engine.h"
#include "entity.h"
#include "flight.h"
#include "format.h"
#include "offer.h"
#include "pick.h"
#include "slot.h"
#include "trace.h"
#include "watch.h"

/* Decisions about engine->look and ->signalled, before the next attempt to hand out an op. */
#define SLUICE_DISPATCH_MAX_LOOKS	16

/* The next thing to do.  It is decided with engine->lock held. */
enum sluice_dispatch_decision {
	SLUICE_DISPATCH_NOTHING,
	SLUICE_DISPATCH_START,		/* give an op to the driver */
	SLUICE_DISPATCH_KICK,		/* tell the driver that there are ops */
	SLUICE_DISPATCH_ABORT,		/* stop one op in flight, or all of them */
	SLUICE_DISPATCH_END,		/* end the next job of a queue */
	SLUICE_DISPATCH_ARM,		/* join the watches of a job's in-fences */
	SLUICE_DISPATCH_PREPARE,	/* look up the errors of a job's in-fences */
	SLUICE_DISPATCH_SETTLE,		/* settle a revoked slot that no op uses */
	SLUICE_DISPATCH_GO_ON,		/* end more jobs of a queue that are over */
	SLUICE_DISPATCH_AGAIN,		/* done already, with the lock held: decide again */
};

/**
 * struct sluice_dispatch_plan - a decision, and the objects that it is about
 * @decision: what to do
 * @job: END, ARM, PREPARE: the job
 * @flight: START: the op
 * @cookie: ABORT: cookie of the op, or SLUICE_ALL_OPS
 * @number: ABORT: number of the op
 * @status: ABORT, END: the reason
 * @refused: END: the driver has not taken the op that was offered
 */
struct sluice_dispatch_plan {
	enum sluice_dispatch_decision decision;
	struct sluice_sched_job *job;
	struct sluice_flight *flight;
	u32 cookie;
	u64 number;
	int status;
	bool refused;
};

/* Why must an op in flight be stopped?  Returns 0 if it need not. */
static int sluice_dispatch_check_flight(const struct sluice_flight *flight,
					const struct sluice_engine *engine, unsigned long now)
{
	const struct sluice_sched_job *job = flight->job;
	int why = sluice_sched_job_unwanted(job);

	if (!why && sluice_sched_job_op_revoked(job, flight->op))
		why = -ENODEV;
	if (!why && job->timed && job->starts == engine->starts &&
	    time_after_eq(now, job->deadline))
		why = -ETIME;
	return why;
}

/* The oldest kept op that the driver has, or NULL. */
static const struct sluice_flight *sluice_dispatch_first_kept(const struct sluice_engine *engine)
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
 * Must the abort of an op wait until a kept op has ended?
 *
 * To stop one op, many drivers must also stop others.  If this could happen to an op again and
 * again, its job would never end.  An op is therefore kept after its job was stopped
 * SLUICE_ENTITY_MAX_WITHDRAWALS times, or if it may not be repeated.  Aborts of other ops wait for
 * its end.  The timeout of its job limits this wait.  No op is handed out meanwhile, because it
 * could be the next kept op.
 *
 * Some ops are stopped at once.  On an ORDERED engine these are the ops in front of the kept op,
 * because it waits for them.  On each engine these are the ops whose memory is being taken back,
 * and all ops if the device is being removed.
 */
static bool sluice_dispatch_must_wait(const struct sluice_flight *flight,
				      const struct sluice_engine *engine,
				      const struct sluice_flight *kept, int why)
{
	if (!kept || flight == kept || why == -ENODEV ||
	    sluice_sched_job_op_revoked(flight->job, flight->op))
		return false;
	return !(engine->caps.flags & SLUICE_ENGINE_ORDERED) || flight->number > kept->number;
}

/*
 * Decide whether an op in flight must be stopped: it is late, its job must end, its memory is being
 * taken back, or the device will sleep.
 */
static void sluice_dispatch_check_flights(struct sluice_engine *engine,
					  struct sluice_dispatch_plan *plan)
{
	const struct sluice_flight *kept = sluice_dispatch_first_kept(engine);
	struct sluice_flight *flight;
	unsigned long now = jiffies;
	bool issued = false;
	int why;

	lockdep_assert_held(&engine->lock);
	engine->check = false;
	/* if no abort waits any more, ops can be handed out again */
	engine->pushed |= engine->held_up;
	engine->held_up = false;
	list_for_each_entry(flight, &engine->in_flight, link) {
		if (flight->state != SLUICE_FLIGHT_ISSUED)
			continue;
		issued = true;
		why = sluice_dispatch_check_flight(flight, engine, now);
		if (!why)
			continue;
		if (sluice_dispatch_must_wait(flight, engine, kept, why)) {
			engine->held_up = true;
			continue;
		}
		plan->decision = SLUICE_DISPATCH_ABORT;
		plan->cookie = flight->cookie;
		plan->number = flight->number;
		plan->status = why;
		flight->job->chained |= sluice_sched_job_is_chained(flight->job);
		break;
	}
	if (plan->decision == SLUICE_DISPATCH_NOTHING && issued && engine->withdraw) {
		plan->decision = SLUICE_DISPATCH_ABORT;
		plan->cookie = SLUICE_ALL_OPS;
		plan->status = -ECANCELED;
	}
	if (plan->decision == SLUICE_DISPATCH_ABORT) {
		engine->aborting = true;
		/* other ops may be late, too */
		engine->check = true;
	} else if (issued) {
		sluice_flight_set_timer(engine, now);
	}
}

/*
 * Decide whether to end the job of an op that the driver has not taken in time (offer.h), so that
 * the fence of the job does not stay pending for ever.
 */
static void sluice_dispatch_check_offer(struct sluice_engine *engine,
					struct sluice_dispatch_plan *plan)
{
	struct sluice_entity *entity = sluice_pick_next(engine);

	lockdep_assert_held(&engine->lock);
	engine->check = false;
	if (!engine->offered || engine->stopped || !entity ||
	    !sluice_offer_is_late(engine, entity))
		return;
	engine->offered = false;
	engine->pushed = true;
	engine->timeouts++;
	list_del_init(&entity->node);
	plan->decision = SLUICE_DISPATCH_END;
	plan->job = entity->next;
	plan->status = -ETIME;
	plan->refused = true;
	sluice_sched_job_fail(plan->job, plan->job->next_op, -ETIME);
}

static void sluice_dispatch_warn_refused(const struct sluice_engine *engine)
{
	dev_warn_ratelimited(&engine->sdev->dev,
			     "engine %u: driver %s does not take the ops that there are\n",
			     engine->index, engine->sdev->driver);
}

/* Decide about a job whose in-fences have not all signalled. */
static void sluice_dispatch_check_waiting(struct sluice_engine *engine,
					  struct sluice_sched_job *job,
					  struct sluice_dispatch_plan *plan)
{
	unsigned long deadline = sluice_sched_job_fence_deadline(job);
	bool late = time_after_eq(jiffies, deadline);

	if (late && job->armed) {
		sluice_sched_job_fail(job, 0, -ETIME);
		plan->decision = SLUICE_DISPATCH_END;
		return;
	}
	/*
	 * a late job has not joined its watches yet if it was not the next before.  Its fences may
	 * have signalled, so it joins, and is examined again
	 */
	if (late)
		list_add_tail(&job->entity->node, &engine->look);
	else
		mod_timer(&job->entity->timer, deadline);
	if (job->armed)
		return;
	job->armed = true;
	plan->decision = SLUICE_DISPATCH_ARM;
}

/* Decide about the next job of the first entity in engine->look. */
static void sluice_dispatch_check_next(struct sluice_engine *engine,
				       struct sluice_dispatch_plan *plan)
{
	struct sluice_entity *entity = list_first_entry(&engine->look, struct sluice_entity, node);
	struct sluice_sched_job *job = entity->next;

	lockdep_assert_held(&engine->lock);
	list_del_init(&entity->node);
	plan->decision = SLUICE_DISPATCH_AGAIN;
	plan->job = job;
	if (!job)
		return;
	plan->status = sluice_sched_job_refused(job);
	if (plan->status) {
		/* if the job has ops in flight, it ends after the last of them */
		sluice_sched_job_fail(job, job->next_op, plan->status);
		plan->decision = SLUICE_DISPATCH_END;
	} else if (atomic_read_acquire(&job->waiting)) {
		sluice_dispatch_check_waiting(engine, job, plan);
	} else if (!job->prepared) {
		plan->decision = SLUICE_DISPATCH_PREPARE;
	} else if (!job->num_ops) {
		plan->decision = SLUICE_DISPATCH_END;
	} else {
		sluice_entity_enqueue(entity, false);
	}
}

/*
 * Can the first revoked slot be settled?  Slots are settled in the order in which they were
 * revoked: the fence that is signalled for a slot may also stand for slots that were revoked before
 * it (sharing.h).
 */
static bool sluice_dispatch_may_settle(struct sluice_engine *engine)
{
	const struct sluice_slot *slot;

	lockdep_assert_held(&engine->lock);
	slot = list_first_entry_or_null(&engine->revoked, struct sluice_slot, revoke);
	return slot && !slot->in_flight;
}

static void sluice_dispatch_settle(struct sluice_engine *engine)
{
	struct sluice_slot *slot;

	/* only the dispatching context removes slots from the list */
	spin_lock_irq(&engine->lock);
	slot = list_first_entry(&engine->revoked, struct sluice_slot, revoke);
	list_del_init(&slot->revoke);
	spin_unlock_irq(&engine->lock);
	sluice_slot_settle(slot);
}

/* Tell one job that one of its in-fences has signalled.  Returns false if there is no such job. */
static bool sluice_dispatch_tell_one(struct sluice_engine *engine)
{
	struct sluice_dep *dep = sluice_watch_next(engine);
	struct sluice_entity *entity;

	if (!dep)
		return false;
	if (atomic_dec_and_test(&dep->job->waiting)) {
		trace_sluice_job_ready(dep->job, 0);
		/* the job is not the next if another job is in front of it, or if it has ended */
		entity = dep->job->entity;
		if (entity->next == dep->job)
			list_move_tail(&entity->node, &engine->look);
	}
	return true;
}

/* Decide whether the driver gets an op, or is kicked. */
static void sluice_dispatch_hand_out(struct sluice_engine *engine,
				     struct sluice_dispatch_plan *plan)
{
	lockdep_assert_held(&engine->lock);
	engine->looks = 0;
	if (!engine->pushed || !sluice_engine_has_room(engine))
		return;
	if (!engine->sdev->ops->start) {
		engine->pushed = false;
		if (sluice_engine_has_ops(engine)) {
			plan->decision = SLUICE_DISPATCH_KICK;
			sluice_offer_begin(engine);
		}
		return;
	}
	plan->flight = sluice_flight_begin(engine);
	if (plan->flight)
		plan->decision = SLUICE_DISPATCH_START;
	else if (!sluice_engine_has_ops(engine))
		engine->pushed = false;
}

static void sluice_dispatch_decide(struct sluice_engine *engine,
				   struct sluice_dispatch_plan *plan)
{
	bool looked = engine->looks >= SLUICE_DISPATCH_MAX_LOOKS ||
		      (list_empty(&engine->look) && list_empty(&engine->signalled));

	*plan = (struct sluice_dispatch_plan) { .decision = SLUICE_DISPATCH_NOTHING };
	if (engine->check && !list_empty(&engine->in_flight))
		sluice_dispatch_check_flights(engine, plan);
	else if (engine->check)
		sluice_dispatch_check_offer(engine, plan);
	if (plan->decision != SLUICE_DISPATCH_NOTHING)
		return;
	if (sluice_dispatch_may_settle(engine)) {
		plan->decision = SLUICE_DISPATCH_SETTLE;
		return;
	}
	if (looked)
		sluice_dispatch_hand_out(engine, plan);
	if (plan->decision != SLUICE_DISPATCH_NOTHING)
		return;
	if (!list_empty(&engine->over)) {
		plan->decision = SLUICE_DISPATCH_GO_ON;
		return;
	}
	engine->looks++;
	if (sluice_dispatch_tell_one(engine))
		plan->decision = SLUICE_DISPATCH_AGAIN;
	else if (!list_empty(&engine->look))
		sluice_dispatch_check_next(engine, plan);
}

/* All in-fences of a job have signalled: look up their errors. */
static void sluice_dispatch_prepare(struct sluice_engine *engine, struct sluice_sched_job *job)
{
	int error = sluice_dep_error(job);

	spin_lock_irq(&engine->lock);
	job->in_fence_error = error;
	job->prepared = true;
	sluice_entity_enqueue(job->entity, false);
	spin_unlock_irq(&engine->lock);
}

/*
 * Hand out no more ops of a job.  It ends in its turn, now or later, and not before its last op in
 * flight.
 */
static void sluice_dispatch_end(struct sluice_sched_job *job, unsigned long *flags)
{
	struct sluice_entity *entity = job->entity;

	lockdep_assert_held(&entity->engine->lock);
	sluice_entity_advance(job);
	sluice_sched_job_update(job);
	sluice_entity_enqueue(entity, false);
	sluice_entity_end_jobs(entity, flags);
}

/*
 * Execute a decision, without engine->lock.  The objects of the plan are still valid, because only
 * the dispatching context can change them now.
 */
static void sluice_dispatch_act(struct sluice_engine *engine,
				const struct sluice_dispatch_plan *plan)
{
	switch (plan->decision) {
	case SLUICE_DISPATCH_START:
		sluice_flight_start(engine, plan->flight);
		break;
	case SLUICE_DISPATCH_KICK:
		engine->sdev->ops->kick(engine);
		break;
	case SLUICE_DISPATCH_ABORT:
		sluice_flight_abort(engine, plan->cookie, plan->number, plan->status);
		break;
	case SLUICE_DISPATCH_ARM:
		sluice_watch_arm(plan->job);
		break;
	case SLUICE_DISPATCH_PREPARE:
		sluice_dispatch_prepare(engine, plan->job);
		break;
	case SLUICE_DISPATCH_SETTLE:
		sluice_dispatch_settle(engine);
		break;
	case SLUICE_DISPATCH_END:
		if (plan->refused)
			sluice_dispatch_warn_refused(engine);
		break;
	default:
		break;
	}
}

static void sluice_dispatch_work(struct work_struct *work)
{
	struct sluice_engine *engine = container_of(work, struct sluice_engine, work);
	struct sluice_dispatch_plan plan;
	unsigned long flags;
	bool signalling;

	signalling = dma_fence_begin_signalling();
	spin_lock_irqsave(&engine->lock, flags);
	if (engine->dispatching)
		goto out;
	engine->dispatching = true;
	for (;;) {
		sluice_dispatch_decide(engine, &plan);
		if (plan.decision == SLUICE_DISPATCH_NOTHING)
			break;
		/*
		 * keep the lock from the decision to here: without it, the end of an op in flight
		 * could end the job first
		 */
		if (plan.decision == SLUICE_DISPATCH_END)
			sluice_dispatch_end(plan.job, &flags);
		else if (plan.decision == SLUICE_DISPATCH_GO_ON)
			sluice_entity_end_jobs(list_first_entry(&engine->over,
								struct sluice_entity, over),
					       &flags);
		spin_unlock_irqrestore(&engine->lock, flags);
		sluice_dispatch_act(engine, &plan);
		cond_resched();
		spin_lock_irqsave(&engine->lock, flags);
	}
	engine->dispatching = false;
	sluice_offer_watch(engine);
	sluice_engine_wake_resters(engine);
out:
	spin_unlock_irqrestore(&engine->lock, flags);
	dma_fence_end_signalling(signalling);
}

/* Is this a software engine, and must the core sync so much memory that a start takes long? */
static bool sluice_dispatch_syncs_much(const struct sluice_engine *engine,
				       const struct sluice_sched_job *job)
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

/* May SUBMIT start ops itself?  Preemption is off, so the start must be quick. */
static bool sluice_dispatch_is_free(const struct sluice_engine *engine)
{
	lockdep_assert_held(&engine->lock);
	return engine->caps.flags & SLUICE_ENGINE_QUICK && !engine->dispatching &&
	       sluice_engine_has_room(engine) && !sluice_engine_has_ops(engine) &&
	       !sluice_engine_has_work(engine);
}

/*
 * How many ops may SUBMIT start itself?  Those of the first of its jobs, up to one that must wait,
 * or for which the start takes long.  At most SLUICE_DISPATCH_MAX_OPS.  A job that must end instead
 * of its next op is found when this op would be handed out.
 */
static unsigned int sluice_dispatch_count_ops(const struct sluice_engine *engine,
					      struct sluice_sched_job *const *jobs,
					      unsigned int count)
{
	unsigned int ops = 0, i;

	for (i = 0; i < count; i++) {
		/* the limit comes first: it bounds the ranges that the last one looks at */
		if (ops + jobs[i]->num_ops > SLUICE_DISPATCH_MAX_OPS ||
		    !jobs[i]->prepared || sluice_dispatch_syncs_much(engine, jobs[i]))
			break;
		ops += jobs[i]->num_ops;
	}
	return ops;
}

/* End the dispatching by SUBMIT, and queue the work item if there is more to do. */
static void sluice_dispatch_leave(struct sluice_engine *engine)
{
	lockdep_assert_held(&engine->lock);
	engine->dispatching = false;
	sluice_offer_watch(engine);
	sluice_engine_wake_resters(engine);
	if (sluice_engine_has_work(engine))
		sluice_engine_kick(engine);
}

/* Start ops from SUBMIT.  Later decisions about their jobs are left to the work item. */
static void sluice_dispatch_now(struct sluice_engine *engine, struct sluice_entity *entity,
				unsigned int ops)
{
	struct sluice_dispatch_plan plan = {};
	unsigned int i;

	lockdep_assert_held(&engine->lock);
	engine->dispatching = true;
	sluice_entity_enqueue(entity, false);
	/* a driver with ->start() gets one op in each round; one with ->kick() takes all of them */
	for (i = 0; i < ops && !engine->check; i++) {
		plan.decision = SLUICE_DISPATCH_NOTHING;
		sluice_dispatch_hand_out(engine, &plan);
		if (plan.decision == SLUICE_DISPATCH_NOTHING)
			break;
		spin_unlock_irq(&engine->lock);
		sluice_dispatch_act(engine, &plan);
		spin_lock_irq(&engine->lock);
	}
	sluice_dispatch_leave(engine);
}

/* The index of the next job of the queue in @jobs, or @count if another job is the next. */
static unsigned int sluice_dispatch_find_next(struct sluice_sched_job *const *jobs,
					      unsigned int count)
{
	const struct sluice_sched_job *next = jobs[0]->entity->next;

	lockdep_assert_held(&jobs[0]->entity->engine->lock);
	if (next == jobs[0])
		return 0;
	if (!next || next->point < jobs[0]->point || next->point > jobs[count - 1]->point)
		return count;
	return next->point - jobs[0]->point;
}

/*
 * End the first of the jobs, as long as they are ready and have no ops.  Returns their number.  If
 * the next of the jobs is then the next of the queue, the queue is in no list: the caller decides
 * whether it starts the ops of this job itself.  @ended is set for sluice_entity_put().
 */
static unsigned int sluice_dispatch_end_empty(struct sluice_sched_job *const *jobs,
					      unsigned int count,
					      struct sluice_sched_job **ended,
					      unsigned long *flags)
{
	struct sluice_entity *entity = jobs[0]->entity;
	unsigned int i;

	lockdep_assert_held(&entity->engine->lock);
	for (i = 0; i < count; i++) {
		struct sluice_sched_job *job = jobs[i];

		if (entity->next != job || !job->prepared || job->num_ops ||
		    sluice_sched_job_refused(job))
			break;
		sluice_entity_advance(job);
		sluice_sched_job_update(job);
	}
	if (!i)
		return 0;
	if (i == count || entity->next != jobs[i])
		sluice_entity_enqueue(entity, false);
	*ended = sluice_entity_end_most(entity, i, flags);
	return i;
}

/**
 * sluice_dispatch_submit - let published jobs run
 * @jobs: jobs of one queue with consecutive points, on each of which the caller has a reference
 * @count: number of jobs, not 0
 * @now: preemption is off, so this function may start or end jobs itself
 *
 * With @now, this ends the first jobs if they have no ops, and then starts ops if the engine is
 * QUICK and has nothing else to do.  Otherwise the work item handles the jobs.  In both cases one
 * of the jobs must be the next of its queue; a later job is handled when it becomes the next.
 *
 * Context: process context, no spinlock held.
 */
void sluice_dispatch_submit(struct sluice_sched_job *const *jobs, unsigned int count, bool now)
{
	struct sluice_entity *entity = jobs[0]->entity;
	struct sluice_engine *engine = entity->engine;
	struct sluice_sched_job *ended = NULL;
	unsigned int i, ops = 0;
	unsigned long flags;

	spin_lock_irqsave(&engine->lock, flags);
	for (i = 0; i < count; i++)
		if (atomic_dec_and_test(&jobs[i]->waiting))
			trace_sluice_job_ready(jobs[i], 0);
	i = sluice_dispatch_find_next(jobs, count);
	if (now && i < count) {
		i += sluice_dispatch_end_empty(jobs + i, count - i, &ended, &flags);
		/* jobs that were behind others, which have ended meanwhile, are in engine->look */
		if (i < count && entity->next != jobs[i])
			i = count;
	}
	/* other jobs are in front of the jobs, or the jobs have ended already */
	if (i == count)
		goto out;
	if (now && sluice_dispatch_is_free(engine))
		ops = sluice_dispatch_count_ops(engine, jobs + i, count - i);
	if (ops) {
		sluice_dispatch_now(engine, entity, ops);
	} else {
		sluice_entity_enqueue(entity, false);
		if (!engine->dispatching && sluice_engine_has_work(engine))
			sluice_engine_kick(engine);
	}
out:
	spin_unlock_irqrestore(&engine->lock, flags);
	sluice_entity_put(ended);
}

/**
 * sluice_dispatch_resume - hand out ops again after sluice_engine_stop()
 * @engine: the engine
 *
 * Context: any.
 */
void sluice_dispatch_resume(struct sluice_engine *engine)
{
	unsigned long flags;

	spin_lock_irqsave(&engine->lock, flags);
	engine->stopped = false;
	engine->withdraw = false;
	/* all deadlines are from before the sleep: restart those of the jobs in flight */
	engine->starts++;
	sluice_flight_restart_clocks(engine);
	engine->check |= engine->held_up;
	engine->pushed = true;
	sluice_engine_kick_unless_dispatching(engine);
	spin_unlock_irqrestore(&engine->lock, flags);
}

/**
 * sluice_dispatch_init - prepare an engine
 * @engine: one of the device's engines, zeroed
 * @sdev: the device
 * @index: number of the engine
 * @caps: the driver's description; copied
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.  In both cases the caller must later call sluice_dispatch_fini(), and
 * sluice_formats_free() when the device is freed.
 */
int sluice_dispatch_init(struct sluice_engine *engine, struct sluice_device *sdev,
			 unsigned int index, const struct sluice_engine_caps *caps)
{
	sluice_engine_init(engine, sdev, index, caps, sluice_dispatch_work);
	return sluice_formats_copy(&engine->caps) ?: sluice_flight_create(engine);
}

/**
 * sluice_dispatch_fini - stop the work item and the timer of an engine
 * @engine: an engine without jobs
 *
 * Context: may sleep.
 */
void sluice_dispatch_fini(struct sluice_engine *engine)
{
	timer_shutdown_sync(&engine->timer);
	cancel_work_sync(&engine->work);
	sluice_flight_free(engine);
}

#ifdef SLUICE_KUNIT
#include "selftests/kunit/dispatch.c"
#endif
