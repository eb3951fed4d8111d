// SPDX-License-Identifier: GPL-2.0-only
/*
 * Engines: which job runs, and how it ends.
 *
 * A queue's jobs run and end in order, so the engine knows only the first job of each,
 * and keeps the queues in lists, so that no decision walks over them:
 *
 *	look	its first job is to be looked at by the work item, which joins the watches
 *		of its in-fences (watch.c), looks up their errors, or ends it without running: it is
 *		new, an in-fence has signalled or has taken too long, or it was cancelled
 *	ready	its first job may run
 *	neither	it has no job, its first job runs, or waits for an in-fence
 *
 * Decisions are taken in one work item per engine, sluice_engine_work(), which is
 * queued by whatever changes a list, and at the deadline of the job that runs.  Each
 * time that it holds the lock it takes one of them.
 *
 * The one decision that needs no thought is left to SUBMIT: if nothing else is there to
 * run, it starts its job itself (sluice_engine_submit()), for a driver whose start() is
 * quick, and with preemption off: nobody waits for a task to get the CPU.
 * engine->dispatching says that the work item or such a SUBMIT decides or calls the
 * driver, and will look again before it ends.
 *
 * A job ends in one of two places: sluice_engine_done(), mostly in an interrupt, when
 * its last op is done; or where decisions are taken, for every other reason.
 * engine->state says who owns the running job; nobody else touches it until
 * sluice_engine_retire(), so fences of a queue signal in order.
 *
 * While the device sleeps (engine->stopped) the driver is not called.  A job may then
 * stand between two ops, with its state SLUICE_ENGINE_STEP.
 */
#include <linux/dma-fence.h>
#include <linux/jiffies.h>

#include "core.h"
#include "trace.h"

/* queues that are compared when fences have deadlines, and jobs of each */
#define SLUICE_DEADLINE_QUEUES	16
#define SLUICE_DEADLINE_JOBS	4
/* looks one after another: what ends without running must not keep the rest from it */
#define SLUICE_MOST_LOOKS	16

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

/* The driver may have let go of its last op: somebody may want to know. */
static void sluice_engine_rested(struct sluice_engine *engine)
{
	lockdep_assert_held(&engine->lock);
	if (engine->stopped)
		wake_up_all(&engine->sdev->users_wait);
}

static void sluice_engine_timer(struct timer_list *timer)
{
	struct sluice_engine *engine = timer_container_of(engine, timer, timer);

	sluice_engine_kick(engine);
}

/* The first job of a queue, or NULL. */
static struct sluice_job *sluice_entity_first(struct sluice_entity *entity)
{
	return list_first_entry_or_null(&entity->jobs, struct sluice_job, link);
}

/* The work item is to look at the queue's first job, wherever the queue is now. */
static void sluice_engine_look(struct sluice_engine *engine, struct sluice_entity *entity)
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
	if (!list_empty(&entity->jobs))
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
	INIT_LIST_HEAD(&entity->node);
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
	list_del_init(&queue->entity.node);
	spin_unlock_irq(&queue->engine->lock);
}

/* When a job has waited for its in-fences for too long, in jiffies. */
static unsigned long sluice_job_late(const struct sluice_job *job)
{
	return job->submitted + msecs_to_jiffies(SLUICE_IN_FENCE_TIMEOUT_MS);
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
		/* one behind others is looked at when its turn comes */
		if (job->preempted && sluice_entity_first(entity) == job)
			mod_timer(&entity->timer, sluice_job_late(job));
	}
	spin_unlock_irqrestore(&engine->lock, flags);
	return ret;
}

/* The op that runs, or is the next to, of a job; NULL at its end. */
static const struct sluice_step *sluice_job_step(const struct sluice_job *job)
{
	return job->step < job->num_steps ? &job->steps[job->step] : NULL;
}

/* Why a job is to end without more ado, or 0. */
static int sluice_job_unwanted(const struct sluice_job *job)
{
	const struct sluice_step *step = sluice_job_step(job);

	lockdep_assert_held(&job->queue->engine->lock);
	if (job->queue->entity.dead)
		return job->queue->entity.dead;
	if (job->cancelled)
		return job->cancelled;
	if (job->queue->entity.failed)
		return job->queue->entity.failed;
	if (step && (sluice_slot_revoked(step->dst) || sluice_slot_revoked(step->src)))
		return -ENODEV;
	return 0;
}

/* Why the first job of a queue, which does not run, is never to, or 0. */
static int sluice_job_refused(const struct sluice_job *job)
{
	return sluice_job_unwanted(job) ?: job->in_fence_error;
}

/* The first job of a queue is ready, or is to be looked at. */
static void sluice_engine_enqueue(struct sluice_engine *engine, struct sluice_job *job)
{
	struct sluice_entity *entity = &job->queue->entity;

	lockdep_assert_held(&engine->lock);
	if (job->prepared && !atomic_read(&job->waiting) && job->num_steps &&
	    !sluice_job_refused(job)) {
		list_move_tail(&entity->node, &engine->ready[entity->priority]);
		entity->ready_since = jiffies;
	} else {
		list_move_tail(&entity->node, &engine->look);
	}
}

/* Does any queue wait for somebody to dispatch? */
static bool sluice_engine_has_work(const struct sluice_engine *engine)
{
	unsigned int i;

	for (i = 0; i < SLUICE_PRIORITIES; i++)
		if (!list_empty(&engine->ready[i]))
			return true;
	return !list_empty(&engine->look) || !list_empty(&engine->signalled) ||
	       !list_empty(&engine->revoked);
}

/* A job has ended and its fence has signalled: let go of it, and go on. */
static void sluice_engine_retire(struct sluice_engine *engine, struct sluice_job *job)
{
	struct sluice_entity *entity = &job->queue->entity;
	unsigned long flags;

	spin_lock_irqsave(&engine->lock, flags);
	list_del_init(&job->link);
	list_del_init(&entity->node);
	if (!list_empty(&entity->jobs))
		sluice_engine_enqueue(engine, sluice_entity_first(entity));
	if (job == engine->running) {
		engine->running = NULL;
		engine->state = SLUICE_ENGINE_IDLE;
		sluice_engine_rested(engine);
	}
	if (sluice_engine_has_work(engine))
		sluice_engine_kick_locked(engine);
	spin_unlock_irqrestore(&engine->lock, flags);
	sluice_job_put(job);
}

/* Before anybody sees that the job has failed, and clears it. */
static void sluice_engine_note_error(struct sluice_engine *engine, struct sluice_job *job)
{
	unsigned long flags;

	spin_lock_irqsave(&engine->lock, flags);
	if (!job->cancelled)
		job->queue->entity.failed = -ECANCELED;
	spin_unlock_irqrestore(&engine->lock, flags);
}

static void sluice_engine_end(struct sluice_engine *engine, struct sluice_job *job, int status)
{
	trace_sluice_job_done(job, status);
	if (status && job->queue->entity.chain)
		sluice_engine_note_error(engine, job);
	/* one without ops says nothing about the device */
	if (!status && job->num_steps) {
		job->queue->entity.hangs = 0;
		sluice_client_set_hangs(job->queue->client, engine, 0);
	}
	sluice_queue_job_ended(job->queue, job, status);
	sluice_engine_retire(engine, job);
}

/*
 * A software engine uses the CPU's caches: before an op both ranges are brought
 * up to date, after it what was written goes to memory.
 */
static void sluice_engine_sync_step(struct sluice_engine *engine, const struct sluice_step *step,
				    bool before)
{
	if (!engine->sdev->ops->cpu_engine || !sluice_compat_need_sync(engine->sdev->parent))
		return;
	if (step->dst)
		sluice_slot_sync(step->dst, step->dst_offset, step->length, before);
	if (before && step->src)
		sluice_slot_sync(step->src, step->src_offset, step->length, true);
}

/**
 * sluice_engine_done - the driver's op has ended
 * @engine: where
 * @result: how
 *
 * The device does not touch the op's memory any more.  To be called once for
 * each op started, unless it was aborted.  A call without an op is ignored.
 *
 * Context: any, also inside ->start; not inside ->abort.
 */
void sluice_engine_done(struct sluice_engine *engine, const struct sluice_result *result)
{
	struct sluice_job *job;
	unsigned long flags;

	spin_lock_irqsave(&engine->lock, flags);
	job = engine->running;
	if (!job || engine->state != SLUICE_ENGINE_BUSY) {
		spin_unlock_irqrestore(&engine->lock, flags);
		return;
	}
	engine->state = SLUICE_ENGINE_ENDING;
	spin_unlock_irqrestore(&engine->lock, flags);

	/* the job is ours now */
	sluice_engine_sync_step(engine, &job->steps[job->step], false);
	job->result.status = result->status;
	job->result.bytes += result->bytes;
	if (result->timestamp) {
		job->result.timestamp = result->timestamp;
		job->result.sequence = result->sequence;
		job->result.dropped += result->dropped;
	}
	if (result->status || ++job->step == job->num_steps) {
		sluice_engine_end(engine, job, job->result.status);
		return;
	}
	/* kicked after the state: the engine sees a kill or deadline of meanwhile */
	spin_lock_irqsave(&engine->lock, flags);
	job->withdrawals = 0;
	engine->state = SLUICE_ENGINE_STEP;
	sluice_engine_rested(engine);
	sluice_engine_kick_locked(engine);
	spin_unlock_irqrestore(&engine->lock, flags);
}
EXPORT_SYMBOL_GPL(sluice_engine_done);

/*
 * The driver must let go of its op; the caller owns the job.  A queue whose
 * jobs do nothing but hang keeps the others from the engine for most of the
 * time, so it dies.  Queues that one open creates one after another count together.
 */
static void sluice_engine_abort(struct sluice_engine *engine, struct sluice_job *job, int status)
{
	struct sluice_queue *queue = job->queue;
	unsigned int hangs;

	trace_sluice_job_abort(job, status);
	engine->sdev->ops->abort(engine);
	sluice_engine_sync_step(engine, &job->steps[job->step], false);
	WRITE_ONCE(engine->aborts, engine->aborts + 1);
	if (status != -ETIME)
		return;
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

/* Hand the running job's next op to the driver. */
static void sluice_engine_start(struct sluice_engine *engine, struct sluice_job *job)
{
	const struct sluice_step *step = &job->steps[job->step];
	int ret;

	if (!job->step)
		trace_sluice_job_run(job, 0);
	sluice_engine_sync_step(engine, step, true);
	ret = engine->sdev->ops->start(engine, step);
	if (ret) {
		struct sluice_result result = { .status = ret };

		sluice_engine_done(engine, &result);
	}
}

/*
 * An op was aborted because the device is to sleep.  No fence has signalled and nobody
 * else may touch its memory, so it can be started again, as if nothing had happened.  Not
 * so a program, whose commands have effects of their own.  Return: false if the job ends.
 */
static bool sluice_engine_keep(struct sluice_engine *engine, struct sluice_job *job)
{
	bool keep = job->steps[job->step].kind != SLUICE_OP_PROGRAM &&
		    ++job->withdrawals < SLUICE_MAX_WITHDRAWALS;

	spin_lock_irq(&engine->lock);
	engine->state = keep ? SLUICE_ENGINE_STEP : SLUICE_ENGINE_ENDING;
	/* the time that was lost is not its fault */
	engine->deadline = jiffies + job->queue->entity.timeout;
	spin_unlock_irq(&engine->lock);
	return keep;
}

static void sluice_engine_withdraw(struct sluice_engine *engine, struct sluice_job *job,
				   int status)
{
	sluice_engine_abort(engine, job, status);
	if (!sluice_engine_keep(engine, job))
		sluice_engine_end(engine, job, status);
}

/* What to do next, as found under the lock. */
enum sluice_decision {
	SLUICE_NOTHING,
	SLUICE_START,		/* the running job's next op */
	SLUICE_WITHDRAW,	/* the running job's op, to be started again later */
	SLUICE_ABORT,		/* the running job, with status */
	SLUICE_END,		/* a job that does not run, with status */
	SLUICE_ARM,		/* join the watches of a job's in-fences */
	SLUICE_PREPARE,		/* look up the errors of a job's in-fences */
	SLUICE_SETTLE,		/* a slot whose memory is taken back, and that no op uses */
	SLUICE_AGAIN,		/* decided, but without consequences outside the lock */
};

/* The job is the next to run.  What it did not do by then is cut short. */
static void sluice_engine_take(struct sluice_engine *engine, struct sluice_job *job)
{
	lockdep_assert_held(&engine->lock);
	list_del_init(&job->queue->entity.node);
	engine->running = job;
	engine->state = SLUICE_ENGINE_BUSY;
	engine->deadline = jiffies + job->queue->entity.timeout;
}

/* The job that runs: is it late or unwanted, or is its next op due? */
static enum sluice_decision sluice_engine_check_running(struct sluice_engine *engine,
							int *status)
{
	struct sluice_job *job = engine->running;
	bool busy = engine->state == SLUICE_ENGINE_BUSY;

	lockdep_assert_held(&engine->lock);
	if (engine->state == SLUICE_ENGINE_ENDING)
		return SLUICE_NOTHING;
	*status = sluice_job_unwanted(job);
	/* between two ops of a device that sleeps its time does not run */
	if (!*status && !busy && engine->stopped)
		return SLUICE_NOTHING;
	if (!*status && time_after_eq(jiffies, engine->deadline))
		*status = -ETIME;
	if (*status) {
		engine->state = SLUICE_ENGINE_ENDING;
		return busy ? SLUICE_ABORT : SLUICE_END;
	}
	if (busy && engine->withdraw) {
		*status = -ECANCELED;
		engine->state = SLUICE_ENGINE_WITHDRAWN;
		return SLUICE_WITHDRAW;
	}
	if (busy) {
		mod_timer(&engine->timer, engine->deadline);
		return SLUICE_NOTHING;
	}
	engine->state = SLUICE_ENGINE_BUSY;
	return SLUICE_START;
}

/*
 * The first job of a queue that somebody asks to look at: is it ready?  If it runs, that
 * was sluice_engine_check_running()'s to see.
 */
static enum sluice_decision sluice_engine_check_first(struct sluice_engine *engine,
						      struct sluice_job **first, int *status)
{
	struct sluice_entity *entity = list_first_entry(&engine->look, struct sluice_entity, node);
	struct sluice_job *job = sluice_entity_first(entity);

	lockdep_assert_held(&engine->lock);
	list_del_init(&entity->node);
	*first = job;
	if (!job || job == engine->running)
		return SLUICE_AGAIN;
	*status = sluice_job_refused(job);
	if (*status)
		return SLUICE_END;
	if (atomic_read_acquire(&job->waiting)) {
		bool late = time_after_eq(jiffies, sluice_job_late(job));

		*status = -ETIME;
		if (late && job->armed)
			return SLUICE_END;
		/* its fences may have signalled while it was not the first: ask, then look again */
		if (late)
			list_add_tail(&entity->node, &engine->look);
		else
			mod_timer(&entity->timer, sluice_job_late(job));
		if (job->armed)
			return SLUICE_AGAIN;
		job->armed = true;
		return SLUICE_ARM;
	}
	if (!job->prepared)
		return SLUICE_PREPARE;
	if (!job->num_steps)
		return SLUICE_END;
	sluice_engine_enqueue(engine, job);
	return SLUICE_AGAIN;
}

/* When somebody needs one of the next jobs of a queue at the latest, or KTIME_MAX. */
static ktime_t sluice_entity_deadline(struct sluice_entity *entity)
{
	ktime_t earliest = KTIME_MAX;
	unsigned int jobs = 0;
	struct sluice_job *job;

	/* those in the way of a later one are as urgent as that */
	list_for_each_entry(job, &entity->jobs, link) {
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

/* A queue's first job is ready, and was submitted more than a second ago. */
static bool sluice_entity_is_late(struct sluice_entity *entity)
{
	return time_after_eq(jiffies, sluice_entity_first(entity)->submitted + HZ);
}

/*
 * No job runs: which is the next?  That of the highest priority, and of these the one
 * with the earliest deadline, if anybody has set one on a fence, or whose queue has been
 * ready for longest.  But a late one goes before all priorities and deadlines when its
 * queue has been ready for longest of its priority: a stream of urgent jobs does not hold
 * back a fence for ever.
 */
static struct sluice_job *sluice_engine_pick(struct sluice_engine *engine)
{
	struct sluice_entity *late = NULL, *best = NULL;
	int i;

	lockdep_assert_held(&engine->lock);
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
	best = late ?: best;
	return best ? sluice_entity_first(best) : NULL;
}

/*
 * Memory is being taken back, and the op that runs, if any, does not use it, or it would
 * have been aborted.  Unless it just ends.
 */
static bool sluice_engine_may_settle(const struct sluice_engine *engine)
{
	lockdep_assert_held(&engine->lock);
	return !list_empty(&engine->revoked) &&
	       !(engine->running && engine->state == SLUICE_ENGINE_ENDING);
}

static void sluice_engine_settle(struct sluice_engine *engine)
{
	struct sluice_slot *slot;

	/* whoever dispatches is the only one that takes them out */
	spin_lock_irq(&engine->lock);
	slot = list_first_entry(&engine->revoked, struct sluice_slot, revoke);
	list_del(&slot->revoke);
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
		if (sluice_entity_first(entity) == dep->job)
			list_move_tail(&entity->node, &engine->look);
	}
	return true;
}

/* The job that was picked: it runs, unless it has become unwanted. */
static enum sluice_decision sluice_engine_try(struct sluice_engine *engine,
					      struct sluice_job *job, int *status)
{
	*status = sluice_job_refused(job);
	if (*status)
		return SLUICE_END;
	sluice_engine_take(engine, job);
	return SLUICE_START;
}

static enum sluice_decision sluice_engine_decide(struct sluice_engine *engine,
						 struct sluice_job **job, int *status)
{
	enum sluice_decision decision = SLUICE_NOTHING;
	bool looked = engine->looks >= SLUICE_MOST_LOOKS ||
		      (list_empty(&engine->look) && list_empty(&engine->signalled));

	*job = engine->running;
	if (*job)
		decision = sluice_engine_check_running(engine, status);
	if (decision != SLUICE_NOTHING)
		return decision;
	if (sluice_engine_may_settle(engine))
		return SLUICE_SETTLE;
	if (looked && !engine->running && !engine->stopped) {
		engine->looks = 0;
		*job = sluice_engine_pick(engine);
		if (*job)
			return sluice_engine_try(engine, *job, status);
	}
	engine->looks++;
	if (sluice_engine_tell_one(engine))
		return SLUICE_AGAIN;
	if (!list_empty(&engine->look))
		return sluice_engine_check_first(engine, job, status);
	return SLUICE_NOTHING;
}

/* Its in-fences have all signalled. */
static void sluice_engine_prepare(struct sluice_engine *engine, struct sluice_job *job)
{
	int error = sluice_job_in_fence_error(job);

	spin_lock_irq(&engine->lock);
	job->in_fence_error = error;
	job->prepared = true;
	sluice_engine_enqueue(engine, job);
	spin_unlock_irq(&engine->lock);
}

/* Only who dispatches ends a job that does not run: until then it stays. */
static void sluice_engine_act(struct sluice_engine *engine, struct sluice_job *job,
			      enum sluice_decision decision, int status)
{
	switch (decision) {
	case SLUICE_START:
		sluice_engine_start(engine, job);
		break;
	case SLUICE_WITHDRAW:
		sluice_engine_withdraw(engine, job, status);
		break;
	case SLUICE_ABORT:
		sluice_engine_abort(engine, job, status);
		fallthrough;
	case SLUICE_END:
		sluice_engine_end(engine, job, status);
		break;
	case SLUICE_ARM:
		sluice_job_arm(job);
		break;
	case SLUICE_PREPARE:
		sluice_engine_prepare(engine, job);
		break;
	case SLUICE_SETTLE:
		sluice_engine_settle(engine);
		break;
	default:
		break;
	}
}

static void sluice_engine_work(struct work_struct *work)
{
	struct sluice_engine *engine = container_of(work, struct sluice_engine, work);
	enum sluice_decision decision;
	struct sluice_job *job;
	bool signalling;
	int status;

	signalling = dma_fence_begin_signalling();
	spin_lock_irq(&engine->lock);
	if (engine->dispatching)
		goto out;
	engine->dispatching = true;
	for (;;) {
		status = 0;
		decision = sluice_engine_decide(engine, &job, &status);
		if (decision == SLUICE_NOTHING)
			break;
		spin_unlock_irq(&engine->lock);
		sluice_engine_act(engine, job, decision, status);
		cond_resched();
		spin_lock_irq(&engine->lock);
	}
	engine->dispatching = false;
	sluice_engine_rested(engine);
out:
	spin_unlock_irq(&engine->lock);
	dma_fence_end_signalling(signalling);
}

/* Does the core do anything that takes time, for the ops of a software engine? */
static bool sluice_job_syncs_much(const struct sluice_device *sdev, const struct sluice_job *job)
{
	unsigned int i;

	if (!sdev->ops->cpu_engine || !sluice_compat_need_sync(sdev->parent))
		return false;
	for (i = 0; i < job->num_steps; i++)
		if (job->steps[i].length > PAGE_SIZE)
			return true;
	return false;
}

/* May SUBMIT start its job itself?  With preemption off, that is to take no time. */
static bool sluice_engine_is_free(const struct sluice_engine *engine, const struct sluice_job *job)
{
	const struct sluice_device *sdev = engine->sdev;

	lockdep_assert_held(&engine->lock);
	return sdev->ops->quick_start && !engine->dispatching && !engine->running &&
	       !engine->stopped && !sluice_engine_has_work(engine) && job->prepared &&
	       job->num_steps && job->num_steps <= SLUICE_FEW_STEPS && !sluice_job_refused(job) &&
	       !sluice_job_syncs_much(sdev, job);
}

/* SUBMIT has decided something; what came meanwhile was left to it. */
static void sluice_engine_leave(struct sluice_engine *engine)
{
	lockdep_assert_held(&engine->lock);
	engine->dispatching = false;
	sluice_engine_rested(engine);
	/* it may have gone off meanwhile */
	if (engine->running)
		mod_timer(&engine->timer, engine->deadline);
	if (engine->withdraw || engine->state == SLUICE_ENGINE_STEP ||
	    sluice_engine_has_work(engine))
		sluice_engine_kick(engine);
}

/* A job that waits for nothing and has nothing to do: whatever runs, it ends. */
static void sluice_engine_end_now(struct sluice_engine *engine, struct sluice_job *job)
{
	int status = sluice_job_refused(job);

	lockdep_assert_held(&engine->lock);
	engine->dispatching = true;
	spin_unlock_irq(&engine->lock);
	sluice_engine_end(engine, job, status);
	spin_lock_irq(&engine->lock);
	sluice_engine_leave(engine);
}

/* Start a job from SUBMIT; what is left of it when it has not ended is the work item's. */
static void sluice_engine_run_now(struct sluice_engine *engine, struct sluice_job *job)
{
	enum sluice_decision decision = SLUICE_START;
	int status = 0;

	lockdep_assert_held(&engine->lock);
	engine->dispatching = true;
	sluice_engine_take(engine, job);
	while (decision != SLUICE_NOTHING) {
		spin_unlock_irq(&engine->lock);
		sluice_engine_act(engine, job, decision, status);
		spin_lock_irq(&engine->lock);
		if (engine->running != job)
			break;
		/* to abort an op may take long */
		decision = engine->state == SLUICE_ENGINE_STEP ?
			   sluice_engine_check_running(engine, &status) : SLUICE_NOTHING;
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

	spin_lock_irq(&engine->lock);
	if (atomic_dec_and_test(&job->waiting))
		trace_sluice_job_ready(job, 0);
	/* another is in front of it, or it has ended already */
	if (sluice_entity_first(entity) != job || job == engine->running)
		goto out;
	if (now && job->prepared && !job->num_steps && !engine->dispatching) {
		sluice_engine_end_now(engine, job);
	} else if (now && sluice_engine_is_free(engine, job)) {
		sluice_engine_run_now(engine, job);
	} else {
		sluice_engine_enqueue(engine, job);
		/* whoever ends the job that runs looks for the next */
		if (!engine->running || !list_empty(&engine->look))
			sluice_engine_kick_locked(engine);
	}
out:
	spin_unlock_irq(&engine->lock);
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
	/* without a job the device may be gone, and its workqueue with it */
	if (!list_empty(&entity->jobs))
		sluice_engine_look(engine, entity);
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
	ends = list_empty(&job->link) ||
	       (job == engine->running && engine->state == SLUICE_ENGINE_ENDING);
	if (!ends) {
		job->cancelled = -ECANCELED;
		if (sluice_entity_first(entity) == job)
			sluice_engine_look(engine, entity);
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
 * Has an op that uses the slot aborted.  When none does, sluice_slot_settle() is called.
 *
 * Context: any, also with a dma_resv held.
 */
void sluice_engine_revoke(struct sluice_engine *engine, struct sluice_slot *slot)
{
	unsigned long flags;

	spin_lock_irqsave(&engine->lock, flags);
	list_add_tail(&slot->revoke, &engine->revoked);
	sluice_engine_kick_locked(engine);
	spin_unlock_irqrestore(&engine->lock, flags);
}

/**
 * sluice_engine_stop - the driver is to get no op any more
 * @engine: the engine
 * @withdraw: the op that it has is aborted, too, to be started again later; false to let
 *	it run out
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
	if (withdraw)
		sluice_engine_kick_locked(engine);
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
	rests = !engine->dispatching && (engine->state == SLUICE_ENGINE_IDLE ||
					 engine->state == SLUICE_ENGINE_STEP);
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
	if (engine->state == SLUICE_ENGINE_STEP)
		engine->deadline = jiffies + engine->running->queue->entity.timeout;
	sluice_engine_kick_locked(engine);
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
 */
void sluice_engine_init(struct sluice_engine *engine, struct sluice_device *sdev,
			unsigned int index)
{
	unsigned int i;

	engine->sdev = sdev;
	engine->index = index;
	spin_lock_init(&engine->lock);
	INIT_LIST_HEAD(&engine->look);
	engine->watches = RB_ROOT;
	INIT_LIST_HEAD(&engine->signalled);
	INIT_LIST_HEAD(&engine->revoked);
	for (i = 0; i < SLUICE_PRIORITIES; i++)
		INIT_LIST_HEAD(&engine->ready[i]);
	INIT_WORK(&engine->work, sluice_engine_work);
	timer_setup(&engine->timer, sluice_engine_timer, 0);
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
