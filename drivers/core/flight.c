// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ops in flight: the ops that the driver has.  See flight.h.
 *
 *	hand out	sluice_flight_begin(), for ->start() or for sluice_engine_next(), in the
 *			order that sluice_pick_next() chooses
 *	end		sluice_engine_done(), in any order and in any context
 *	stop		sluice_flight_abort().  An op that the driver had to stop for the sake of
 *			another op is handed out again
 *
 * An op is found by its cookie.  The cookie of an op that has ended or was stopped finds nothing,
 * so a driver that reports an end twice, or too late, does no harm.
 */
#include <linux/dma-fence.h>
#include <linux/jiffies.h>
#include <linux/slab.h>

#include "device.h"
#include "engine.h"
#include "entity.h"
#include "flight.h"
#include "offer.h"
#include "pick.h"
#include "slot.h"
#include "trace.h"

#include "compat/dma.h"

/* The flags of a frame that a driver may report. */
#define SLUICE_FLIGHT_FRAME_FLAGS	(SLUICE_FRAME_DAMAGED | SLUICE_FRAME_REPEATED | \
					 SLUICE_FRAME_TOP | SLUICE_FRAME_BOTTOM)

/* Queues whose next job must end, and that are passed on to the work item, in one search. */
#define SLUICE_FLIGHT_MAX_TRIES	4

/**
 * sluice_flight_create - allocate an entry for each op that the driver may have
 * @engine: the engine, which sluice_engine_init() has initialised
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int sluice_flight_create(struct sluice_engine *engine)
{
	unsigned int i;

	engine->flights = kcalloc(engine->caps.depth, sizeof(*engine->flights), GFP_KERNEL);
	if (!engine->flights)
		return -ENOMEM;
	for (i = 0; i < engine->caps.depth; i++) {
		engine->flights[i].cookie = i;
		list_add_tail(&engine->flights[i].link, &engine->idle);
	}
	return 0;
}

/**
 * sluice_flight_free - free the entries
 * @engine: an engine without ops in flight
 *
 * Context: any.
 */
void sluice_flight_free(struct sluice_engine *engine)
{
	kfree(engine->flights);
	engine->flights = NULL;
}

/*
 * Start the clock of a job, if it does not run yet.  It runs from the job's first op on.  On an
 * ORDERED engine, where ops wait for each other, it runs from the time at which an op of the job is
 * the oldest in flight.  So an op that hangs does not use up the time of the jobs behind it.
 */
static void sluice_flight_watch_clock(struct sluice_engine *engine, struct sluice_flight *newest)
{
	bool ordered = engine->caps.flags & SLUICE_ENGINE_ORDERED;
	struct sluice_flight *flight = newest;
	struct sluice_sched_job *job;

	lockdep_assert_held(&engine->lock);
	if (ordered)
		flight = list_first_entry_or_null(&engine->in_flight, struct sluice_flight, link);
	if (!flight)
		return;
	job = flight->job;
	if (!job->timed || job->starts != engine->starts) {
		job->timed = true;
		job->starts = engine->starts;
		job->deadline = jiffies + job->entity->timeout;
	}
	/* a timer that expires too early is set again */
	if (!timer_pending(&engine->timer) || time_before(job->deadline, engine->timer.expires))
		mod_timer(&engine->timer, job->deadline);
}

/**
 * sluice_flight_set_timer - set the timer to the time at which the next job in flight is late
 * @engine: an engine with an op in flight
 * @now: in jiffies; jobs that were late at this time have been treated
 *
 * Context: engine->lock held.
 */
void sluice_flight_set_timer(struct sluice_engine *engine, unsigned long now)
{
	unsigned long earliest = now + msecs_to_jiffies(SLUICE_MAX_TIMEOUT_MS);
	struct sluice_flight *flight;

	lockdep_assert_held(&engine->lock);
	list_for_each_entry(flight, &engine->in_flight, link)
		if (flight->job->timed && time_after(flight->job->deadline, now) &&
		    time_before(flight->job->deadline, earliest))
			earliest = flight->job->deadline;
	mod_timer(&engine->timer, earliest);
}

/**
 * sluice_flight_restart_clocks - give all jobs in flight their whole timeout again
 * @engine: the engine
 *
 * Context: engine->lock held.
 */
void sluice_flight_restart_clocks(struct sluice_engine *engine)
{
	struct sluice_flight *flight;

	lockdep_assert_held(&engine->lock);
	list_for_each_entry(flight, &engine->in_flight, link) {
		struct sluice_sched_job *job = flight->job;

		job->starts = engine->starts;
		job->deadline = jiffies + job->entity->timeout;
	}
	if (!list_empty(&engine->in_flight))
		sluice_flight_set_timer(engine, jiffies);
}

/* Add @change to the number of ops in flight of each slot that an op uses. */
static void sluice_flight_count_slots(struct sluice_engine *engine, const struct sluice_op_desc *op,
				int change)
{
	unsigned int i;

	lockdep_assert_held(&engine->lock);
	for (i = 0; i < op->num_ranges; i++)
		op->ranges[i].slot->in_flight += change;
}

/* The next cookie of an entry: never 0, and different from those that it had recently. */
static u32 sluice_flight_next_cookie(u32 cookie)
{
	cookie += 1U << SLUICE_COOKIE_BITS;
	return cookie >> SLUICE_COOKIE_BITS ? cookie : cookie + (1U << SLUICE_COOKIE_BITS);
}

/*
 * The next op of a CYCLIC job is handed out: count it if userspace has not acknowledged its buffer.
 */
static void sluice_flight_count_xrun(struct sluice_sched_job *job)
{
	u64 number = job->pass * job->num_ops + job->next_op;

	/* an op that was stopped has been checked already */
	if (!sluice_sched_job_is_cyclic(job) || number < job->counted)
		return;
	job->counted = number + 1;
	job->xruns += sluice_sched_job_is_lapped(job);
}

/* A CYCLIC job begins its next pass, if it is the last job of its queue. */
static void sluice_flight_next_pass(struct sluice_sched_job *job)
{
	if (!sluice_sched_job_is_cyclic(job) || job->next_op < job->num_ops ||
	    !list_is_last(&job->link, &job->entity->jobs))
		return;
	job->next_op = 0;
	job->pass++;
}

/* May an op be handed out again?  A program or a private op may have effects of its own. */
static bool sluice_flight_repeats(const struct sluice_op_desc *op)
{
	return op->kind != SLUICE_OP_PROGRAM &&
	       (op->kind != SLUICE_OP_PRIVATE || op->payload.repeats);
}

/* Hand out the next op of a queue's next job. */
static struct sluice_flight *sluice_flight_issue(struct sluice_engine *engine,
						 struct sluice_entity *entity)
{
	struct sluice_sched_job *job = entity->next;
	bool pushed = engine->pushed;
	struct sluice_flight *flight;

	lockdep_assert_held(&engine->lock);
	flight = list_first_entry(&engine->idle, struct sluice_flight, link);
	list_move_tail(&flight->link, &engine->in_flight);
	flight->state = SLUICE_FLIGHT_ISSUED;
	flight->cookie = sluice_flight_next_cookie(flight->cookie);
	flight->number = ++engine->issued;
	flight->kept = job->withdrawals >= SLUICE_ENTITY_MAX_WITHDRAWALS ||
		       !sluice_flight_repeats(&job->ops[job->next_op]);
	engine->num_kept += flight->kept;
	engine->offered = false;
	flight->job = job;
	flight->pass = job->pass;
	sluice_flight_count_xrun(job);
	flight->op = job->next_op++;
	if (!job->started)
		job->started = ktime_get();
	job->ops[flight->op].cookie = flight->cookie;
	job->in_flight++;
	entity->in_flight++;
	sluice_flight_count_slots(engine, &job->ops[flight->op], 1);
	if (!flight->op && !flight->pass)
		trace_sluice_job_run(job, 0);
	sluice_flight_next_pass(job);
	if (job->next_op == job->num_ops)
		sluice_entity_advance(job);
	sluice_entity_enqueue(entity, false);
	/*
	 * the caller takes all ops that there are, so no kick is needed for the next op of this job
	 */
	engine->pushed = pushed;
	sluice_flight_watch_clock(engine, flight);
	engine->looks = 0;
	return flight;
}

/**
 * sluice_flight_begin - hand out an op
 * @engine: the engine
 *
 * Context: engine->lock held.
 * Return: the op, which is in flight now; or NULL if no op may begin, or the driver has no room.
 */
struct sluice_flight *sluice_flight_begin(struct sluice_engine *engine)
{
	struct sluice_entity *entity;
	unsigned int tries;

	lockdep_assert_held(&engine->lock);
	if (!sluice_engine_has_room(engine))
		return NULL;
	for (tries = 0; tries < SLUICE_FLIGHT_MAX_TRIES; tries++) {
		entity = sluice_pick_next(engine);
		if (!entity)
			return NULL;
		if (!sluice_sched_job_refused(entity->next))
			return sluice_flight_issue(engine, entity);
		sluice_entity_look(entity);
	}
	/* other queues may have ops, when the work item has examined these */
	engine->pushed = true;
	return NULL;
}

/* Free the entry of an op.  The caller decides how its job goes on. */
static void sluice_flight_finish(struct sluice_engine *engine, struct sluice_flight *flight)
{
	struct sluice_sched_job *job = flight->job;
	struct sluice_op_desc *op = &job->ops[flight->op];

	lockdep_assert_held(&engine->lock);
	/* the same op of the next pass waits for this: see sluice_sched_job_must_wait() */
	if (!WARN_ON_ONCE(op->cookie != flight->cookie))
		op->cookie = 0;
	flight->state = SLUICE_FLIGHT_IDLE;
	flight->job = NULL;
	list_move(&flight->link, &engine->idle);
	job->in_flight--;
	job->entity->in_flight--;
	/* an op that had to wait for this one can be stopped now */
	if ((flight->kept || engine->held_up) && !list_empty(&engine->in_flight))
		engine->check = true;
	engine->num_kept -= flight->kept;
	/* without an op in flight, the work item does not make this decision */
	if (engine->held_up && list_empty(&engine->in_flight)) {
		engine->held_up = false;
		engine->pushed = true;
	}
	sluice_flight_count_slots(engine, op, -1);
	if (engine->caps.flags & SLUICE_ENGINE_ORDERED)
		sluice_flight_watch_clock(engine, NULL);
	sluice_engine_wake_resters(engine);
}

/*
 * Pass the ranges of an op between memory and the CPU's caches, for a software engine: all ranges
 * before the op, and the ranges that it has written after it.
 */
static void sluice_flight_sync(const struct sluice_engine *engine, const struct sluice_op_desc *op,
			   bool before)
{
	unsigned int i;

	if (!(engine->caps.flags & SLUICE_ENGINE_CPU) ||
	    !sluice_compat_need_sync(engine->sdev->parent))
		return;
	for (i = 0; i < op->num_ranges; i++) {
		const struct sluice_range *range = &op->ranges[i];

		if (before || range->write)
			sluice_slot_sync(range->slot, range->offset, range->length, before);
	}
}

/**
 * sluice_engine_next - take the next op
 * @engine: an engine of a driver with ->kick()
 *
 * The op does not change until the driver calls sluice_engine_done() for it, or until ->abort(),
 * which has stopped it, returns.
 *
 * The driver may call this with a spinlock of its own held, which must then disable interrupts.  If
 * the driver calls this and writes the op to its ring under one lock, the ring has the ops in
 * order.  After a call of ->abort() with SLUICE_ALL_OPS, the driver must not call this before the
 * next
 * ->kick().
 *
 * Context: any.
 * Return: the op; or NULL if there is none now (->kick() is called when there is one), if the
 * driver has caps.depth ops already, or while ->abort() of this engine is being called.
 */
const struct sluice_op_desc *sluice_engine_next(struct sluice_engine *engine)
{
	const struct sluice_op_desc *op = NULL;
	struct sluice_flight *flight;
	unsigned long flags;

	spin_lock_irqsave(&engine->lock, flags);
	flight = sluice_flight_begin(engine);
	if (flight)
		op = &flight->job->ops[flight->op];
	if (!list_empty(&engine->look))
		sluice_engine_kick_unless_dispatching(engine);
	spin_unlock_irqrestore(&engine->lock, flags);
	return op;
}
EXPORT_SYMBOL_GPL(sluice_engine_next);

/* The op in flight that has this cookie, or NULL.  The cookie comes from the driver, unchecked. */
static struct sluice_flight *sluice_flight_find(struct sluice_engine *engine, u32 cookie)
{
	unsigned int index = cookie & (SLUICE_MAX_ENGINE_DEPTH - 1);
	struct sluice_flight *flight;

	lockdep_assert_held(&engine->lock);
	if (index >= engine->caps.depth)
		return NULL;
	flight = &engine->flights[index];
	return flight->state == SLUICE_FLIGHT_ISSUED && flight->cookie == cookie ? flight : NULL;
}

/*
 * Add the result of an op to its job.  Frames lost before the first frame of a queue do not count.
 */
static void sluice_flight_add_result(struct sluice_sched_job *job, const struct sluice_result *result)
{
	struct sluice_entity *entity = job->entity;

	lockdep_assert_held(&entity->engine->lock);
	job->result.bytes += result->bytes;
	if (!result->timestamp)
		return;
	job->result.timestamp = result->timestamp;
	job->result.sequence = result->sequence;
	job->result.flags &= SLUICE_FRAME_DAMAGED | SLUICE_FRAME_REPEATED;
	job->result.flags |= result->flags & SLUICE_FLIGHT_FRAME_FLAGS;
	job->result.width = result->width;
	job->result.height = result->height;
	if (entity->streams)
		job->result.dropped += result->dropped;
	entity->streams = true;
}

/* The driver has reported the end of an op that it does not have. */
static void sluice_flight_warn_stale(struct sluice_engine *engine, u32 cookie)
{
	dev_warn_ratelimited(&engine->sdev->dev,
			     "engine %u: driver %s has ended op %#x, which it does not have\n",
			     engine->index, engine->sdev->driver, cookie);
}

/*
 * The steps at the end of an op for which engine->lock must be released.  This context owns the op,
 * so its job stays, and no other context sees the end of the op yet.
 */
static void sluice_flight_ending(struct sluice_engine *engine, struct sluice_flight *flight,
				 unsigned long *flags)
	__must_hold(&engine->lock)
{
	struct sluice_sched_job *job = flight->job;
	bool cyclic = sluice_sched_job_is_cyclic(job);
	struct sluice_completion record;

	lockdep_assert_held(&engine->lock);
	if (cyclic) {
		job->ended++;
		/* the job need not end, so each op has the whole timeout */
		job->timed = false;
		sluice_sched_job_describe(job, &record);
	}
	spin_unlock_irqrestore(&engine->lock, *flags);
	sluice_flight_sync(engine, &job->ops[flight->op], false);
	if (cyclic)
		job->entity->ops->progress(job, &record);
	spin_lock_irqsave(&engine->lock, *flags);
}

/* Does the work item have something to do, which the driver does not do itself? */
static bool sluice_flight_needs_work(const struct sluice_engine *engine)
{
	if (engine->sdev->ops->start)
		return sluice_engine_has_work(engine);
	/* a driver with ->kick() asks for more ops itself */
	return !list_empty(&engine->look) || !list_empty(&engine->revoked) ||
	       !list_empty(&engine->over) ||
	       (engine->check && !list_empty(&engine->in_flight));
}

/*
 * An op has ended with an error, or the job was cancelled.  Returns the error of the job: a job
 * that was cancelled ends with -ECANCELED even if its last op succeeds, because CANCEL has counted
 * it.
 */
static int sluice_flight_status(const struct sluice_sched_job *job,
				const struct sluice_result *result)
{
	int status = result->status ?: job->cancelled;

	return !status && sluice_sched_job_is_chained(job) ? -ECANCELED : status;
}

/**
 * sluice_engine_done - report the end of an op
 * @engine: the engine
 * @cookie: cookie of the op
 * @result: how the op ended
 *
 * From this call on, the device must not access the memory of the op.  The driver calls this once
 * for each op, except for an op that ->abort() reports as stopped.  A call for another op is
 * ignored, counted in debugfs, and written to the log.  ->kick() and ->start() are never called
 * from inside this function.
 *
 * Context: any; also inside ->start(), ->kick() and ->abort(), and under a spinlock of the driver
 * that disables interrupts and that no fence callback takes.
 * Return: true; false if the driver does not have such an op.
 */
bool sluice_engine_done(struct sluice_engine *engine, u32 cookie,
			const struct sluice_result *result)
{
	struct sluice_entity *entity;
	struct sluice_flight *flight;
	struct sluice_sched_job *job;
	unsigned long flags;
	int status;

	/* the end of its last job may free the device: sluice_device_unregister() waits for this */
	rcu_read_lock();
	spin_lock_irqsave(&engine->lock, flags);
	flight = sluice_flight_find(engine, cookie);
	if (!flight) {
		engine->stale++;
		spin_unlock_irqrestore(&engine->lock, flags);
		sluice_flight_warn_stale(engine, cookie);
		rcu_read_unlock();
		return false;
	}
	flight->state = SLUICE_FLIGHT_ENDING;
	job = flight->job;
	sluice_flight_add_result(job, result);
	job->withdrawals = 0;
	if (engine->caps.flags & SLUICE_ENGINE_CPU || sluice_sched_job_is_cyclic(job))
		sluice_flight_ending(engine, flight, &flags);
	entity = job->entity;
	status = sluice_flight_status(job, result);
	if (status)
		sluice_sched_job_fail(job, flight->op, status);
	sluice_flight_finish(engine, flight);
	sluice_sched_job_update(job);
	/* on an ORDERED engine, the entity is in its list already */
	if (status || !(engine->caps.flags & SLUICE_ENGINE_ORDERED) ||
	    (job->pass && list_empty(&entity->node)))
		sluice_entity_enqueue(entity, false);
	if (sluice_flight_needs_work(engine))
		sluice_engine_kick_unless_dispatching(engine);
	if (!engine->sdev->ops->start)
		sluice_offer_begin(engine);
	sluice_entity_end_jobs(entity, &flags);
	spin_unlock_irqrestore(&engine->lock, flags);
	rcu_read_unlock();
	return true;
}
EXPORT_SYMBOL_GPL(sluice_engine_done);

/**
 * sluice_flight_start - give an op to a driver with ->start()
 * @engine: the engine
 * @flight: from sluice_flight_begin()
 *
 * Context: the dispatching context, without engine->lock.
 */
void sluice_flight_start(struct sluice_engine *engine, struct sluice_flight *flight)
{
	const struct sluice_op_desc *op = &flight->job->ops[flight->op];
	u32 cookie = flight->cookie;
	int ret;

	sluice_flight_sync(engine, op, true);
	ret = engine->sdev->ops->start(engine, op);
	if (ret)
		sluice_engine_fail(engine, cookie, ret);
}

/*
 * A job ran into its timeout.  A queue whose jobs all hang would keep other queues from the engine
 * for most of the time, so it is killed.  All queues of a client count together, because a client
 * could make one queue after another.
 */
static void sluice_flight_hung(struct sluice_engine *engine, struct sluice_sched_job *job)
{
	struct sluice_entity *entity = job->entity;
	unsigned int hangs;

	WRITE_ONCE(engine->timeouts, engine->timeouts + 1);
	dev_notice_ratelimited(&engine->sdev->dev,
			       "%s: job %llu has run for %u ms without an end; engine %u was reset\n",
			       entity->timeline->name, job->point,
			       jiffies_to_msecs(entity->timeout), engine->index);
	hangs = min_t(unsigned int, READ_ONCE(*entity->client_hangs) + 1, SLUICE_MAX_HANGS);
	WRITE_ONCE(*entity->client_hangs, hangs);
	if (++entity->hangs >= SLUICE_MAX_HANGS || hangs == SLUICE_MAX_HANGS) {
		dev_notice_ratelimited(&engine->sdev->dev,
				       "%s: %u jobs in a row hung, %u of its open; the queue is dead\n",
				       entity->timeline->name, entity->hangs, hangs);
		sluice_entity_kill(entity, -EIO);
	}
}

/*
 * An op was stopped for the sake of another op, or because the device will sleep.  Its fence has
 * not signalled, and no other user accesses its memory, so it can be handed out again from its
 * beginning.  An op that may not be repeated ends its job instead.
 *
 * A job that was stopped too often is not stopped any more for others, and an op that may not be
 * repeated never is: see sluice_dispatch_must_wait().
 */
static void sluice_flight_take_back(struct sluice_engine *engine, struct sluice_sched_job *job,
				    unsigned int op, u64 pass)
{
	if (job->result.status)
		return;
	/* one abort may stop several of its ops */
	if (job->withdrawn != engine->aborts)
		job->withdrawals++;
	job->withdrawn = engine->aborts;
	if (!sluice_flight_repeats(&job->ops[op])) {
		sluice_sched_job_fail(job, op, -ECANCELED);
		return;
	}
	job->next_op = op;
	job->pass = pass;
	/* the lost time does not count */
	job->timed = false;
	sluice_entity_requeue(job);
}

/*
 * Collect the ops that the driver has stopped, in the order in which they were handed out.  Returns
 * the op that it was asked to stop; NULL if that op has ended before.
 */
static struct sluice_flight *sluice_flight_collect_stopped(struct sluice_engine *engine, u32 cookie,
						    u64 number, enum sluice_aborted aborted,
						    struct list_head *stopped)
{
	struct sluice_flight *flight, *next, *asked = NULL;
	bool all = cookie == SLUICE_ALL_OPS || aborted == SLUICE_ABORTED_ALL;

	lockdep_assert_held(&engine->lock);
	list_for_each_entry_safe(flight, next, &engine->in_flight, link) {
		bool found = flight->cookie == cookie;
		bool behind = flight->number > number && aborted == SLUICE_ABORTED_FROM;

		if (!(found || behind || all) || flight->state != SLUICE_FLIGHT_ISSUED)
			continue;
		flight->state = SLUICE_FLIGHT_WITHDRAWN;
		list_move_tail(&flight->link, stopped);
		if (found)
			asked = flight;
	}
	return asked;
}

/* Treat an op that the driver has stopped.  @status: its error; 0 to hand it out again. */
static void sluice_flight_stopped(struct sluice_engine *engine, struct sluice_flight *flight,
				  int status, unsigned long *flags)
{
	struct sluice_sched_job *job = flight->job;
	struct sluice_entity *entity = job->entity;
	unsigned int op = flight->op;
	u64 pass = flight->pass;

	sluice_flight_finish(engine, flight);
	if (status)
		sluice_sched_job_fail(job, op, status);
	else
		sluice_flight_take_back(engine, job, op, pass);
	sluice_sched_job_update(job);
	sluice_entity_enqueue(entity, true);
	sluice_entity_end_jobs(entity, flags);
}

/**
 * sluice_flight_abort - have the driver stop ops
 * @engine: the engine, whose @aborting the caller has set
 * @cookie: cookie of the op that must be stopped, or SLUICE_ALL_OPS
 * @number: number of that op.  It may end before the driver stops it, but the driver may still
 *	stop the ops behind it
 * @status: error of that op
 *
 * Context: the dispatching context, without engine->lock.
 */
void sluice_flight_abort(struct sluice_engine *engine, u32 cookie, u64 number, int status)
{
	struct sluice_flight *flight, *next, *asked;
	enum sluice_aborted aborted;
	unsigned long flags;
	LIST_HEAD(stopped);
	bool hung;

	aborted = engine->sdev->ops->abort(engine, cookie);
	spin_lock_irqsave(&engine->lock, flags);
	engine->aborts++;
	asked = sluice_flight_collect_stopped(engine, cookie, number, aborted, &stopped);
	hung = asked && status == -ETIME && !asked->job->result.status;
	spin_unlock_irqrestore(&engine->lock, flags);

	/* this context owns them now, and their jobs stay */
	list_for_each_entry(flight, &stopped, link) {
		trace_sluice_job_abort(flight->job, flight == asked ? status : -ECANCELED);
		sluice_flight_sync(engine, &flight->job->ops[flight->op], false);
	}
	/* before userspace can see the end of the job */
	if (hung)
		sluice_flight_hung(engine, asked->job);

	spin_lock_irqsave(&engine->lock, flags);
	/* the last op first, so that the first op of a job becomes its next */
	list_for_each_entry_safe_reverse(flight, next, &stopped, link)
		sluice_flight_stopped(engine, flight, flight == asked ? status : 0, &flags);
	/* the oldest op may be of a job whose clock was stopped above */
	if (engine->caps.flags & SLUICE_ENGINE_ORDERED)
		sluice_flight_watch_clock(engine, NULL);
	engine->aborting = false;
	engine->check = true;
	engine->pushed = true;
	spin_unlock_irqrestore(&engine->lock, flags);
}
