// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ops in flight: those that the driver has.
 *
 *	hand out	sluice_flight_begin(), for ->start or for sluice_engine_next(), in
 *			the order that the engine decides
 *	end		sluice_engine_done(), in any order and any context
 *	stop		sluice_flight_abort(): what the driver had to stop without need is
 *			handed out again
 *
 * An op is found by its cookie.  That of an op which has ended or was stopped finds
 * nothing, so a driver that answers twice, or too late, does no harm.
 */
#include <linux/jiffies.h>
#include <linux/slab.h>

#include "core.h"
#include "trace.h"

/* queues that are compared when fences have deadlines, and jobs of each */
#define SLUICE_DEADLINE_QUEUES	16
#define SLUICE_DEADLINE_JOBS	4
/* queues whose next job has become unwanted, before the work item sees to them */
#define SLUICE_MOST_TRIES	4

/**
 * sluice_flights_init - make place for as many ops as the driver may have
 * @engine: the engine, with its caps
 *
 * Context: may sleep.  Return: 0 or -ENOMEM.
 */
int sluice_flights_init(struct sluice_engine *engine)
{
	unsigned int i;

	INIT_LIST_HEAD(&engine->in_flight);
	INIT_LIST_HEAD(&engine->idle);
	engine->flights = kcalloc(engine->caps.depth, sizeof(*engine->flights), GFP_KERNEL);
	if (!engine->flights)
		return -ENOMEM;
	for (i = 0; i < engine->caps.depth; i++) {
		engine->flights[i].cookie = i;
		list_add_tail(&engine->flights[i].link, &engine->idle);
	}
	return 0;
}

/* When somebody needs one of the next jobs of a queue at the latest, or KTIME_MAX. */
static ktime_t sluice_entity_deadline(struct sluice_entity *entity)
{
	ktime_t earliest = KTIME_MAX;
	unsigned int jobs = 0;
	struct sluice_job *job = entity->next;

	/* those in the way of a later one are as urgent as that */
	list_for_each_entry_from(job, &entity->jobs, link) {
		if (jobs++ == SLUICE_DEADLINE_JOBS)
			break;
		if (job->fence)
			earliest = min(earliest, sluice_fence_deadline(job->fence));
	}
	return earliest;
}

/* Of queues that are equally urgent: the one with the earliest deadline, else the first. */
static struct sluice_entity *sluice_engine_most_urgent(struct list_head *ready)
{
	struct sluice_entity *entity, *best = list_first_entry(ready, struct sluice_entity, node);
	ktime_t deadline, earliest = KTIME_MAX;
	unsigned int queues = 0;

	list_for_each_entry(entity, ready, node) {
		if (queues++ == SLUICE_DEADLINE_QUEUES)
			break;
		deadline = sluice_entity_deadline(entity);
		if (ktime_before(deadline, earliest)) {
			earliest = deadline;
			best = entity;
		}
	}
	return best;
}

/* A queue's next job is ready, and was submitted more than a second ago. */
static bool sluice_entity_is_late(struct sluice_entity *entity)
{
	return time_after_eq(jiffies, entity->next->submitted + HZ);
}

/**
 * sluice_engine_pick - which queue's op is the next?
 * @engine: the engine
 *
 * One whose job has begun goes on.  Else that of the highest priority, and of these the one
 * with the earliest deadline, if anybody has set one on a fence, or that has been ready for
 * longest.  But a late one goes before all priorities and deadlines when it has been ready
 * for longest of its priority: a stream of urgent jobs does not hold back a fence for ever.
 *
 * Context: engine->lock held.  Return: the engine's part of the queue, or NULL.
 */
struct sluice_entity *sluice_engine_pick(struct sluice_engine *engine)
{
	struct sluice_entity *late = NULL, *best = NULL;
	int i;

	lockdep_assert_held(&engine->lock);
	if (!list_empty(&engine->begun))
		return list_first_entry(&engine->begun, struct sluice_entity, node);
	for (i = SLUICE_PRIORITIES - 1; i >= 0; i--) {
		struct sluice_entity *first;

		first = list_first_entry_or_null(&engine->ready[i], struct sluice_entity, node);
		if (!first)
			continue;
		if (sluice_entity_is_late(first) &&
		    (!late || time_before(first->ready_since, late->ready_since)))
			late = first;
		if (!best)
			best = sluice_fences_have_deadlines() ?
			       sluice_engine_most_urgent(&engine->ready[i]) : first;
	}
	return late ?: best;
}

/*
 * The clock of a job runs from its first op on; where ops wait for each other, from when
 * that is the oldest: what is behind one that hangs loses no time.
 */
static void sluice_flights_watch_clock(struct sluice_engine *engine, struct sluice_flight *newest)
{
	bool ordered = engine->caps.flags & SLUICE_ENGINE_ORDERED;
	struct sluice_flight *flight = newest;
	struct sluice_job *job;

	lockdep_assert_held(&engine->lock);
	if (ordered)
		flight = list_first_entry_or_null(&engine->in_flight, struct sluice_flight, link);
	if (!flight)
		return;
	job = flight->job;
	if (!job->timed || job->starts != engine->starts) {
		job->timed = true;
		job->starts = engine->starts;
		job->deadline = jiffies + job->queue->entity.timeout;
	}
	/* one that goes off too early is set anew */
	if (!timer_pending(&engine->timer) || time_before(job->deadline, engine->timer.expires))
		mod_timer(&engine->timer, job->deadline);
}

/**
 * sluice_flights_set_timer - wait for the first job in flight to be late
 * @engine: the engine, with an op in flight
 * @now: in jiffies: what was late by then has been seen to
 *
 * Context: engine->lock held.
 */
void sluice_flights_set_timer(struct sluice_engine *engine, unsigned long now)
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
 * sluice_flights_restart_clocks - what is in flight has all its time again
 * @engine: the engine
 *
 * Context: engine->lock held.
 */
void sluice_flights_restart_clocks(struct sluice_engine *engine)
{
	struct sluice_flight *flight;

	lockdep_assert_held(&engine->lock);
	list_for_each_entry(flight, &engine->in_flight, link) {
		struct sluice_job *job = flight->job;

		job->starts = engine->starts;
		job->deadline = jiffies + job->queue->entity.timeout;
	}
	if (!list_empty(&engine->in_flight))
		sluice_flights_set_timer(engine, jiffies);
}

/* An op that uses these slots is in flight, or is not any more. */
static void sluice_op_use_slots(struct sluice_engine *engine, const struct sluice_op_desc *op,
				int change)
{
	unsigned int i;

	lockdep_assert_held(&engine->lock);
	for (i = 0; i < op->num_ranges; i++)
		op->ranges[i].slot->in_flight += change;
}

/* Another cookie for the same place: never 0, and soon not one that was in use before. */
static u32 sluice_flight_next_cookie(u32 cookie)
{
	cookie += 1U << SLUICE_COOKIE_BITS;
	return cookie >> SLUICE_COOKIE_BITS ? cookie : cookie + (1U << SLUICE_COOKIE_BITS);
}

/* A CYCLIC job's next op is handed out: did it find a buffer that userspace is done with? */
static void sluice_job_count_xrun(struct sluice_job *job)
{
	u64 number = job->pass * job->num_ops + job->next_op;

	/* not those once more that were stopped */
	if (!sluice_job_is_cyclic(job) || number < job->counted)
		return;
	job->counted = number + 1;
	job->xruns += sluice_job_is_lapped(job);
}

/* A CYCLIC job begins anew, as long as it is the last of its queue. */
static void sluice_job_go_round(struct sluice_entity *entity, struct sluice_job *job)
{
	if (!sluice_job_is_cyclic(job) || job->next_op < job->num_ops ||
	    !list_is_last(&job->link, &entity->jobs))
		return;
	job->next_op = 0;
	job->pass++;
}

/* May it be handed out again?  A program or a private op may have effects of its own. */
static bool sluice_op_repeats(const struct sluice_op_desc *op)
{
	return op->kind != SLUICE_OP_PROGRAM &&
	       (op->kind != SLUICE_OP_PRIVATE || op->payload.repeats);
}

/* The next op of a queue's next job is the driver's. */
static struct sluice_flight *sluice_flight_issue(struct sluice_engine *engine,
						 struct sluice_entity *entity)
{
	struct sluice_job *job = entity->next;
	bool pushed = engine->pushed;
	struct sluice_flight *flight;

	lockdep_assert_held(&engine->lock);
	flight = list_first_entry(&engine->idle, struct sluice_flight, link);
	list_move_tail(&flight->link, &engine->in_flight);
	flight->state = SLUICE_FLIGHT_ISSUED;
	flight->cookie = sluice_flight_next_cookie(flight->cookie);
	flight->number = ++engine->issued;
	flight->kept = job->withdrawals >= SLUICE_MAX_WITHDRAWALS ||
		       !sluice_op_repeats(&job->ops[job->next_op]);
	engine->num_kept += flight->kept;
	engine->offered = false;
	flight->job = job;
	flight->pass = job->pass;
	sluice_job_count_xrun(job);
	flight->op = job->next_op++;
	if (!job->started)
		job->started = ktime_get();
	job->ops[flight->op].cookie = flight->cookie;
	job->in_flight++;
	entity->in_flight++;
	sluice_op_use_slots(engine, &job->ops[flight->op], 1);
	if (!flight->op && !flight->pass)
		trace_sluice_job_run(job, 0);
	sluice_job_go_round(entity, job);
	if (job->next_op == job->num_ops)
		sluice_entity_pass(entity, job);
	sluice_entity_enqueue(engine, entity, false);
	/* no news: somebody is just taking all that there is */
	engine->pushed = pushed;
	sluice_flights_watch_clock(engine, flight);
	engine->looks = 0;
	return flight;
}

/**
 * sluice_flight_begin - hand out an op
 * @engine: the engine
 *
 * Context: engine->lock held.  Return: the op, in flight now; or NULL if there is none
 * that may begin, or no place for it.
 */
struct sluice_flight *sluice_flight_begin(struct sluice_engine *engine)
{
	struct sluice_entity *entity;
	unsigned int tries;

	lockdep_assert_held(&engine->lock);
	if (!sluice_engine_has_room(engine))
		return NULL;
	for (tries = 0; tries < SLUICE_MOST_TRIES; tries++) {
		entity = sluice_engine_pick(engine);
		if (!entity)
			return NULL;
		if (!sluice_job_refused(entity->next))
			return sluice_flight_issue(engine, entity);
		sluice_engine_look(engine, entity);
	}
	/* there may be others, once these have been looked at */
	engine->pushed = true;
	return NULL;
}

/* The place is free again; what becomes of the job is the caller's to decide. */
static void sluice_flight_finish(struct sluice_engine *engine, struct sluice_flight *flight)
{
	struct sluice_job *job = flight->job;
	const struct sluice_op_desc *op = &job->ops[flight->op];

	lockdep_assert_held(&engine->lock);
	flight->state = SLUICE_FLIGHT_IDLE;
	flight->job = NULL;
	list_move(&flight->link, &engine->idle);
	job->in_flight--;
	job->queue->entity.in_flight--;
	/* what had to wait for it need not any more */
	if ((flight->kept || engine->held_up) && !list_empty(&engine->in_flight))
		engine->check = true;
	engine->num_kept -= flight->kept;
	/* the decision about those in flight is not taken where there is none */
	if (engine->held_up && list_empty(&engine->in_flight)) {
		engine->held_up = false;
		engine->pushed = true;
	}
	sluice_op_use_slots(engine, op, -1);
	if (engine->caps.flags & SLUICE_ENGINE_ORDERED)
		sluice_flights_watch_clock(engine, NULL);
	sluice_engine_rested(engine);
}

/*
 * A software engine uses the CPU's caches: before an op all its ranges are brought
 * up to date, after it what was written goes to memory.
 */
static void sluice_op_sync(const struct sluice_engine *engine, const struct sluice_op_desc *op,
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
 * sluice_engine_next - the driver takes the next op
 * @engine: one of a driver with ->kick
 *
 * The op stays as it is until sluice_engine_done() is called for it, or ->abort, which
 * stops it, has returned.
 *
 * Context: any, also under a spinlock of the driver's, which must then be one that disables
 * interrupts.  The ring gets its ops in order if this and the store to the ring are under
 * one lock.  Not after ->abort was called with SLUICE_ALL_OPS, before the next ->kick.
 * Return: the op, or NULL: there is none now, ->kick tells when there is; or the driver has
 * caps.depth ops; or ->abort of this engine is being called.
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
		sluice_engine_kick_locked(engine);
	spin_unlock_irqrestore(&engine->lock, flags);
	return op;
}
EXPORT_SYMBOL_GPL(sluice_engine_next);

/**
 * sluice_flight_find - an op that the driver has
 * @engine: the engine
 * @cookie: of the op, or anything
 *
 * Context: engine->lock held.  Return: the op, or NULL.
 */
struct sluice_flight *sluice_flight_find(struct sluice_engine *engine, u32 cookie)
{
	unsigned int index = cookie & (SLUICE_MAX_ENGINE_DEPTH - 1);
	struct sluice_flight *flight;

	lockdep_assert_held(&engine->lock);
	if (index >= engine->caps.depth)
		return NULL;
	flight = &engine->flights[index];
	return flight->state == SLUICE_FLIGHT_ISSUED && flight->cookie == cookie ? flight : NULL;
}

/* What was lost before the first frame of a queue is nobody's loss. */
static void sluice_job_add_result(struct sluice_job *job, const struct sluice_result *result)
{
	struct sluice_entity *entity = &job->queue->entity;

	lockdep_assert_held(&job->queue->engine->lock);
	job->result.bytes += result->bytes;
	if (!result->timestamp)
		return;
	job->result.timestamp = result->timestamp;
	job->result.sequence = result->sequence;
	job->result.flags &= SLUICE_FRAME_DAMAGED | SLUICE_FRAME_REPEATED;
	job->result.flags |= result->flags & SLUICE_FRAME_ALL;
	job->result.width = result->width;
	job->result.height = result->height;
	if (entity->streams)
		job->result.dropped += result->dropped;
	entity->streams = true;
}

/* The driver has ended an op that it does not have: maybe long ago, maybe never. */
static void sluice_engine_stale(struct sluice_engine *engine, u32 cookie)
{
	dev_warn_ratelimited(&engine->sdev->dev,
			     "engine %u: driver %s has ended op %#x, which it does not have\n",
			     engine->index, engine->sdev->driver, cookie);
}

/*
 * What an op's end takes that must not be under engine->lock.  The op is ours, so its job
 * stays, and nobody sees its end before.
 */
static void sluice_flight_ending(struct sluice_engine *engine, struct sluice_flight *flight,
				 unsigned long *flags)
	__must_hold(&engine->lock)
{
	struct sluice_job *job = flight->job;
	struct sluice_completion record;

	lockdep_assert_held(&engine->lock);
	if (sluice_job_is_cyclic(job)) {
		job->ended++;
		/* each op has its time: there is no end to wait for */
		job->timed = false;
		sluice_cyclic_describe(job, &record);
	}
	spin_unlock_irqrestore(&engine->lock, *flags);
	sluice_op_sync(engine, &job->ops[flight->op], false);
	if (sluice_job_is_cyclic(job) && !(job->flags & SLUICE_SUBMIT_NO_COMPLETION))
		sluice_cyclic_post(job->queue, &record);
	spin_lock_irqsave(&engine->lock, *flags);
}

/**
 * sluice_engine_done - one of the driver's ops has ended
 * @engine: where
 * @cookie: of the op
 * @result: how
 *
 * The device does not touch the op's memory any more.  To be called once for each op,
 * unless ->abort says that it was stopped.  A call for another op is ignored, counted in
 * debugfs, and told in the log.  ->kick and ->start are never called from in here.
 *
 * Context: any, also inside ->start, ->kick and ->abort, and under a spinlock of the
 * driver's that disables interrupts and that no callback of a fence takes.  Return: false
 * if the driver does not have such an op.
 */
bool sluice_engine_done(struct sluice_engine *engine, u32 cookie,
			const struct sluice_result *result)
{
	struct sluice_entity *entity;
	struct sluice_flight *flight;
	struct sluice_job *job;
	unsigned long flags;
	int status;
	bool more;

	/* with its last job the device may go: sluice_device_unregister() waits for us */
	rcu_read_lock();
	spin_lock_irqsave(&engine->lock, flags);
	flight = sluice_flight_find(engine, cookie);
	if (!flight) {
		engine->stale++;
		spin_unlock_irqrestore(&engine->lock, flags);
		sluice_engine_stale(engine, cookie);
		rcu_read_unlock();
		return false;
	}
	flight->state = SLUICE_FLIGHT_ENDING;
	job = flight->job;
	sluice_job_add_result(job, result);
	job->withdrawals = 0;
	if (engine->caps.flags & SLUICE_ENGINE_CPU || sluice_job_is_cyclic(job))
		sluice_flight_ending(engine, flight, &flags);
	entity = &job->queue->entity;
	/* CANCEL has counted it */
	status = result->status ?: job->cancelled;
	if (!status && sluice_job_is_chained(job))
		status = -ECANCELED;
	if (status)
		sluice_job_fail(job, flight->op, status);
	sluice_flight_finish(engine, flight);
	sluice_job_update(engine, job);
	/* where ops of a queue are in flight together it is in its list already */
	if (status || !(engine->caps.flags & SLUICE_ENGINE_ORDERED) ||
	    (job->pass && list_empty(&entity->node)))
		sluice_entity_enqueue(engine, entity, false);
	/* a driver with ->kick asks for more itself */
	more = engine->sdev->ops->start ? sluice_engine_has_work(engine) :
	       !list_empty(&engine->look) || !list_empty(&engine->revoked) ||
	       !list_empty(&engine->over) ||
	       (engine->check && !list_empty(&engine->in_flight));
	if (more)
		sluice_engine_kick_locked(engine);
	if (!engine->sdev->ops->start)
		sluice_engine_offer(engine);
	sluice_entity_end_jobs(engine, entity, &flags);
	spin_unlock_irqrestore(&engine->lock, flags);
	rcu_read_unlock();
	return true;
}
EXPORT_SYMBOL_GPL(sluice_engine_done);

/**
 * sluice_flight_start - give an op to a driver with ->start
 * @engine: the engine
 * @flight: from sluice_flight_begin()
 *
 * Context: whoever dispatches, without engine->lock.
 */
void sluice_flight_start(struct sluice_engine *engine, struct sluice_flight *flight)
{
	const struct sluice_op_desc *op = &flight->job->ops[flight->op];
	u32 cookie = flight->cookie;
	int ret;

	sluice_op_sync(engine, op, true);
	ret = engine->sdev->ops->start(engine, op);
	if (ret)
		sluice_engine_fail(engine, cookie, ret);
}

/*
 * A queue whose jobs do nothing but hang keeps the others from the engine for most of the
 * time, so it dies.  Queues that one open creates one after another count together.
 */
static void sluice_job_has_hung(struct sluice_engine *engine, struct sluice_job *job)
{
	struct sluice_queue *queue = job->queue;
	unsigned int hangs;

	WRITE_ONCE(engine->timeouts, engine->timeouts + 1);
	dev_notice_ratelimited(&engine->sdev->dev,
			       "%s: job %llu has run for %u ms without an end; engine %u was reset\n",
			       queue->name, job->point, jiffies_to_msecs(queue->entity.timeout),
			       engine->index);
	hangs = min_t(unsigned int, sluice_client_hangs(queue->client, engine) + 1,
		      SLUICE_MAX_HANGS);
	sluice_client_set_hangs(queue->client, engine, hangs);
	if (++queue->entity.hangs >= SLUICE_MAX_HANGS || hangs == SLUICE_MAX_HANGS) {
		dev_notice_ratelimited(&engine->sdev->dev,
				       "%s: %u jobs in a row hung, %u of its open; the queue is dead\n",
				       queue->name, queue->entity.hangs, hangs);
		sluice_queue_kill(queue, -EIO);
	}
}

/*
 * An op was stopped for the sake of another, or because the device is to sleep.  No fence
 * has signalled and nobody else may touch its memory, so it can be handed out again, as if
 * nothing had happened.  Not so one that may not be repeated: it ends its job.
 *
 * One that others keep from its end again and again is kept from them in the end, and one that
 * may not be repeated from the beginning: see sluice_flight_must_wait().
 */
static void sluice_flight_take_back(struct sluice_engine *engine, struct sluice_job *job,
				    unsigned int op, u64 pass)
{
	if (job->result.status)
		return;
	/* several of its ops may be stopped at once */
	if (job->withdrawn != engine->aborts)
		job->withdrawals++;
	job->withdrawn = engine->aborts;
	if (!sluice_op_repeats(&job->ops[op])) {
		sluice_job_fail(job, op, -ECANCELED);
		return;
	}
	job->next_op = op;
	job->pass = pass;
	/* the time that was lost is not its fault */
	job->timed = false;
	sluice_entity_return(&job->queue->entity, job);
}

/*
 * Those that the driver has stopped, in the order in which they were handed out.  Return:
 * the one that it was asked for, unless that has ended before.
 */
static struct sluice_flight *sluice_flights_stopped(struct sluice_engine *engine, u32 cookie,
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

/* An op that the driver has stopped is not in flight any more. */
static void sluice_flight_stopped(struct sluice_engine *engine, struct sluice_flight *flight,
				  int status, unsigned long *flags)
{
	struct sluice_job *job = flight->job;
	struct sluice_entity *entity = &job->queue->entity;
	unsigned int op = flight->op;
	u64 pass = flight->pass;

	sluice_flight_finish(engine, flight);
	if (status)
		sluice_job_fail(job, op, status);
	else
		sluice_flight_take_back(engine, job, op, pass);
	sluice_job_update(engine, job);
	sluice_entity_enqueue(engine, entity, true);
	sluice_entity_end_jobs(engine, entity, flags);
}

/**
 * sluice_flight_abort - have the driver stop ops
 * @engine: the engine, whose @aborting the caller has set
 * @cookie: of the op that must be stopped, or SLUICE_ALL_OPS
 * @number: of that op: it may end before the driver has stopped it, and those behind it not
 * @status: why: the error of that op
 *
 * Context: whoever dispatches, without engine->lock.
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
	asked = sluice_flights_stopped(engine, cookie, number, aborted, &stopped);
	hung = asked && status == -ETIME && !asked->job->result.status;
	spin_unlock_irqrestore(&engine->lock, flags);

	/* they are ours now, and their jobs stay */
	list_for_each_entry(flight, &stopped, link) {
		trace_sluice_job_abort(flight->job, flight == asked ? status : -ECANCELED);
		sluice_op_sync(engine, &flight->job->ops[flight->op], false);
	}
	/* before anybody sees the job's end */
	if (hung)
		sluice_job_has_hung(engine, asked->job);

	spin_lock_irqsave(&engine->lock, flags);
	/* the last one first, so that the first of them is the first again */
	list_for_each_entry_safe_reverse(flight, next, &stopped, link)
		sluice_flight_stopped(engine, flight, flight == asked ? status : 0, &flags);
	/* the oldest may be of a job of which others were taken back */
	if (engine->caps.flags & SLUICE_ENGINE_ORDERED)
		sluice_flights_watch_clock(engine, NULL);
	engine->aborting = false;
	engine->check = true;
	engine->pushed = true;
	spin_unlock_irqrestore(&engine->lock, flags);
}
