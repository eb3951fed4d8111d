// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ops in flight: the ops that the driver has.  See flight.h.
 *
 *	hand out	sluice_flight_begin(), for ->start() or for sluice_engine_next(), in the
 *			order that sluice_pick_next() chooses
 *	end		sluice_engine_done(), in any context.  The ops end in any order, except on
 *			an ORDERED engine
 *	stop		sluice_flight_abort().  An op that was stopped only because of another op or
 *			a sleep is handed out again
 *
 * The driver names an op by its cookie.  After the op has ended or was stopped, its cookie is not
 * valid.  So a driver that reports an end twice, or too late, does no harm.
 */
#include <linux/dma-fence.h>
#include <linux/jiffies.h>
#include <linux/slab.h>

#include "compat/dma.h"
#include "device.h"
#include "engine.h"
#include "entity.h"
#include "flight.h"
#include "offer.h"
#include "pick.h"
#include "slot.h"
#include "trace.h"

/* The flags of a frame that a driver may report. */
#define SLUICE_FLIGHT_FRAME_FLAGS	(SLUICE_FRAME_DAMAGED | SLUICE_FRAME_REPEATED | \
					 SLUICE_FRAME_TOP | SLUICE_FRAME_BOTTOM)

/* Queues that one search for an op leaves to the work item, because their next job must end. */
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
 * Start the timeout of a job, if it is not running.  Usually this is the job of @newest, the op
 * that was just handed out.
 *
 * On an ORDERED engine, ops in flight wait for each other.  There it is the job of the oldest op in
 * flight.  So an op that hangs does not use up the time of the jobs behind it.
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
	/* a timer that is too early may stay: when it expires, the work item sets it again */
	if (!timer_pending(&engine->timer) || time_before(job->deadline, engine->timer.expires))
		mod_timer(&engine->timer, job->deadline);
}

/**
 * sluice_flight_set_timer - set the timer to the time at which the next job in flight is late
 * @engine: an engine with an op in flight
 * @now: when the caller checked the ops in flight, in jiffies.  Jobs that were late then do not
 *	set the timer
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

/* The next cookie of an entry: never 0, and different from all recent cookies of the entry. */
static u32 sluice_flight_next_cookie(u32 cookie)
{
	cookie += 1U << SLUICE_COOKIE_BITS;
	return cookie >> SLUICE_COOKIE_BITS ? cookie : cookie + (1U << SLUICE_COOKIE_BITS);
}

/* Before the next op of a CYCLIC job is handed out: count an xrun if the ACK for it is missing. */
static void sluice_flight_count_xrun(struct sluice_sched_job *job)
{
	u64 number = job->pass * job->num_ops + job->next_op;

	/* an op that an abort has stopped was checked when it was handed out for the first time */
	if (!sluice_sched_job_is_cyclic(job) || number < job->counted)
		return;
	job->counted = number + 1;
	job->xruns += sluice_sched_job_is_lapped(job);
}

/* After the last op of a pass, a CYCLIC job begins the next pass, unless a job is behind it. */
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
	/* no kick for the next op of this job: the caller asks for more ops until there is none */
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
	/* search again after the work item has examined these queues: others may have ops */
	engine->pushed = true;
	return NULL;
}

/* Free the entry of an op.  The caller decides how its job goes on. */
static void sluice_flight_finish(struct sluice_engine *engine, struct sluice_flight *flight)
{
	struct sluice_sched_job *job = flight->job;
	struct sluice_op_desc *op = &job->ops[flight->op];

	lockdep_assert_held(&engine->lock);
	/* 0 lets the same op of the next pass be handed out: see sluice_sched_job_must_wait() */
	if (!WARN_ON_ONCE(op->cookie != flight->cookie))
		op->cookie = 0;
	flight->state = SLUICE_FLIGHT_IDLE;
	flight->job = NULL;
	list_move(&flight->link, &engine->idle);
	job->in_flight--;
	job->entity->in_flight--;
	/* an abort may have waited for the end of this op: the work item must check */
	if ((flight->kept || engine->held_up) && !list_empty(&engine->in_flight))
		engine->check = true;
	engine->num_kept -= flight->kept;
	/* the work item clears @held_up only while an op is in flight, so clear it here */
	if (engine->held_up && list_empty(&engine->in_flight)) {
		engine->held_up = false;
		engine->pushed = true;
	}
	sluice_flight_count_slots(engine, op, -1);
	if (engine->caps.flags & SLUICE_ENGINE_ORDERED)
		sluice_flight_watch_clock(engine, NULL);
	sluice_engine_wake_resters(engine);
}

/* Is this a software engine, and must the core maintain the CPU's caches for it? */
static bool sluice_flight_must_sync(const struct sluice_engine *engine)
{
	return engine->caps.flags & SLUICE_ENGINE_CPU &&
	       sluice_compat_need_sync(engine->sdev->parent);
}

/*
 * For a software engine: maintain the CPU's caches.  Before an op this is for all its ranges, after
 * it for the ranges that it has written.
 */
static void sluice_flight_sync(const struct sluice_engine *engine, const struct sluice_op_desc *op,
			       bool before)
{
	unsigned int i;

	if (!sluice_flight_must_sync(engine))
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
 * The op stays unchanged until the driver calls sluice_engine_done() for it, or until a call of
 * ->abort() that stops the op has returned.
 *
 * The driver may call this with its own spinlock held, if this spinlock disables interrupts.  If
 * the driver calls this and writes the op to its ring in one hold of the spinlock, the ring has the
 * ops in the order in which they were handed out.
 *
 * After a call of ->abort() with SLUICE_ALL_OPS, the driver must not call this until the next call
 * of ->kick().
 *
 * Context: any.
 * Return: the op; or NULL if the driver has caps.depth ops already, or if no op can be handed out
 * now.  In the second case, no job is ready, an abort is running or waits for a kept op, or the
 * device sleeps; ->kick() is called when an op can be handed out.
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
 * Add the result of an op to its job.  Frames that were lost before the first frame of a queue do
 * not count as dropped.
 */
static void sluice_flight_add_result(struct sluice_sched_job *job,
				     const struct sluice_result *result)
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
 * Sync caches and report progress, at the end of an op.  Releases engine->lock for this.  The
 * caller owns the op, so the job stays, and no other context sees the end of the op yet.
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
		/* a CYCLIC job may run for ever, so its timeout is for each op */
		job->timed = false;
		sluice_sched_job_describe(job, &record);
	}
	spin_unlock_irqrestore(&engine->lock, *flags);
	sluice_flight_sync(engine, &job->ops[flight->op], false);
	if (cyclic)
		job->entity->ops->progress(job, &record);
	spin_lock_irqsave(&engine->lock, *flags);
}

/* After the end of an op: is there work that the driver does not do by itself? */
static bool sluice_flight_needs_work(const struct sluice_engine *engine)
{
	if (engine->sdev->ops->start)
		return sluice_engine_has_work(engine);
	/* a driver with ->kick() asks for more ops itself: no work item is needed for them */
	return !list_empty(&engine->look) || !list_empty(&engine->revoked) ||
	       !list_empty(&engine->over) ||
	       (engine->check && !list_empty(&engine->in_flight));
}

/*
 * The status of a job after the end of an op: 0 or an error.  A job that was cancelled ends with
 * -ECANCELED even if its last op succeeds, because CANCEL has counted the job.
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
	struct sluice_sched_job *job, *ended;
	struct sluice_entity *entity;
	struct sluice_flight *flight;
	unsigned long flags;
	int status;

	/*
	 * when the last job ends, sluice_device_unregister() goes on.  It calls synchronize_rcu()
	 * before the device is freed, and so waits for this function
	 */
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
	if (sluice_flight_must_sync(engine) || sluice_sched_job_is_cyclic(job))
		sluice_flight_ending(engine, flight, &flags);
	entity = job->entity;
	status = sluice_flight_status(job, result);
	if (status)
		sluice_sched_job_fail(job, flight->op, status);
	sluice_flight_finish(engine, flight);
	sluice_sched_job_update(job);
	/*
	 * an ORDERED engine has put the entity into its list when it handed out the op.  The list
	 * is different after an error, and a CYCLIC job may have waited for the end of this op
	 */
	if (status || !(engine->caps.flags & SLUICE_ENGINE_ORDERED) ||
	    (job->pass && list_empty(&entity->node)))
		sluice_entity_enqueue(entity, false);
	/* a dispatching context finds the work by itself */
	if (!engine->dispatching && sluice_flight_needs_work(engine))
		sluice_engine_kick(engine);
	if (!engine->sdev->ops->start)
		sluice_offer_begin(engine);
	/* the put of the job that has just ended may free the queue, and may take long: no lock */
	ended = sluice_entity_end_most(entity, SLUICE_ENTITY_MAX_ENDS, &flags);
	spin_unlock_irqrestore(&engine->lock, flags);
	sluice_entity_put(ended);
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
 * A job ran into its timeout.  If all jobs of a queue hang, the engine has little time for other
 * queues, so the queue is killed.  The queues of a client count together, because a client could
 * create one queue after another.
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
 * An op was stopped because of another op, or because the device will sleep.  The fence of its job
 * has not signalled, so no other user accesses the memory of the op, and the op can be handed out
 * again from its beginning.  An op that may not be repeated ends its job instead.
 *
 * If ops of a job were stopped too often, the next ones are kept, as are all ops that may not be
 * repeated: see sluice_dispatch_must_wait().
 */
static void sluice_flight_take_back(struct sluice_engine *engine, struct sluice_sched_job *job,
				    unsigned int op, u64 pass)
{
	if (job->result.status)
		return;
	/* one abort may stop several ops of the job, but counts once */
	if (job->withdrawn != engine->aborts)
		job->withdrawals++;
	job->withdrawn = engine->aborts;
	if (!sluice_flight_repeats(&job->ops[op])) {
		sluice_sched_job_fail(job, op, -ECANCELED);
		return;
	}
	job->next_op = op;
	job->pass = pass;
	/* give the job its whole timeout again */
	job->timed = false;
	sluice_entity_requeue(job);
}

/*
 * Collect the ops that the driver has stopped, in the order in which they were handed out.  Returns
 * the op with @cookie, or NULL if this op has ended by itself, or for SLUICE_ALL_OPS.
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

/* Finish an op that the driver has stopped.  @status: its error; 0 to hand it out again. */
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
 * sluice_flight_abort - make the driver stop ops
 * @engine: the engine.  The caller has set engine->aborting
 * @cookie: cookie of the op that must be stopped, or SLUICE_ALL_OPS
 * @number: number of that op.  If that op ends before the driver stops it, its number still tells
 *	which ops are behind it (SLUICE_ABORTED_FROM)
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

	/* this context owns the stopped ops now, so their jobs stay */
	list_for_each_entry(flight, &stopped, link) {
		trace_sluice_job_abort(flight->job, flight == asked ? status : -ECANCELED);
		sluice_flight_sync(engine, &flight->job->ops[flight->op], false);
	}
	/* before the job ends: if this kills the queue, it is dead when userspace sees the end */
	if (hung)
		sluice_flight_hung(engine, asked->job);

	spin_lock_irqsave(&engine->lock, flags);
	/* the last op first, so that job->next_op is the first of the stopped ops in the end */
	list_for_each_entry_safe_reverse(flight, next, &stopped, link)
		sluice_flight_stopped(engine, flight, flight == asked ? status : 0, &flags);
	/* start the timeout of the oldest op that is left, if its job has just lost its deadline */
	if (engine->caps.flags & SLUICE_ENGINE_ORDERED)
		sluice_flight_watch_clock(engine, NULL);
	engine->aborting = false;
	engine->check = true;
	engine->pushed = true;
	spin_unlock_irqrestore(&engine->lock, flags);
}
