// SPDX-License-Identifier: GPL-2.0-only
/*
 * Engines: which job runs, and how it ends.
 *
 * Decisions are taken in one work item per engine, sluice_engine_work(), which
 * is queued by whatever may change them: a submission, an in-fence, an op that
 * ended, a deadline, a queue that dies.  It looks at the first job of each
 * queue only: a queue's jobs run and end in order.  One that is not to run ends at
 * once, also while the engine has a job of another queue.
 *
 * The one decision that needs no thought is left to SUBMIT: if nothing else is
 * there to run, it starts its job itself (sluice_engine_start_now()).
 * engine->driven says that somebody, the work item or a SUBMIT, decides or
 * calls the driver, and will look again before he goes.
 *
 * A job ends in one of two places: sluice_engine_done(), mostly in an
 * interrupt, when its last op is done; or where decisions are taken, for every
 * other reason.  engine->state says who owns the running job; nobody else
 * touches it until sluice_engine_retire(), so fences of a queue signal in order.
 */
#include <linux/dma-fence.h>
#include <linux/jiffies.h>

#include "core.h"
#include "trace.h"

/**
 * sluice_engine_kick - let the engine look again
 * @engine: the engine of a device that still has users
 *
 * Any context, any lock held.
 */
void sluice_engine_kick(struct sluice_engine *engine)
{
	queue_work(engine->sdev->wq, &engine->work);
}

/**
 * sluice_engine_survey - let the engine look at all its queues
 * @engine: the engine of a device that still has users
 *
 * Because jobs are not wanted any more, or have waited for too long, which may be
 * anywhere.
 *
 * Context: any; engine->lock not held.
 */
void sluice_engine_survey(struct sluice_engine *engine)
{
	unsigned long flags;

	spin_lock_irqsave(&engine->lock, flags);
	engine->survey = true;
	sluice_engine_kick(engine);
	spin_unlock_irqrestore(&engine->lock, flags);
}

/* Look again, unless there is somebody who does so anyway. */
static void sluice_engine_kick_locked(struct sluice_engine *engine)
{
	lockdep_assert_held(&engine->lock);
	if (!engine->driven)
		sluice_engine_kick(engine);
}

static void sluice_engine_timer(struct timer_list *timer)
{
	struct sluice_engine *engine = timer_container_of(engine, timer, timer);

	sluice_engine_survey(engine);
}

/* One that goes off too early does no harm: the work item sets it again. */
static void sluice_engine_wake_at(struct sluice_engine *engine, unsigned long when)
{
	if (!timer_pending(&engine->timer) || time_before(when, engine->timer.expires))
		mod_timer(&engine->timer, when);
}

/* How long a job may wait for its in-fences, in jiffies. */
static unsigned long sluice_engine_patience(void)
{
	return msecs_to_jiffies(SLUICE_IN_FENCE_TIMEOUT_MS);
}

/**
 * sluice_engine_add - put a job at the end of its queue
 * @engine: the queue's
 * @job: complete; job->waiting still holds it back
 *
 * Return: 0, and the engine has a reference on the job; or why the queue is
 * dead.
 */
int sluice_engine_add(struct sluice_engine *engine, struct sluice_job *job)
{
	struct sluice_queue *queue = job->queue;
	unsigned long flags;
	int ret;

	spin_lock_irqsave(&engine->lock, flags);
	ret = queue->dead;
	if (!ret) {
		kref_get(&job->ref);
		if (list_empty(&queue->jobs)) {
			list_add_tail(&queue->active, &engine->active);
			engine->crowd[queue->priority]++;
		}
		list_add_tail(&job->link, &queue->jobs);
		sluice_queue_job_added(queue, job);
	}
	spin_unlock_irqrestore(&engine->lock, flags);
	return ret;
}

/* Why a job is to end without more ado, or 0. */
static int sluice_job_unwanted(const struct sluice_job *job)
{
	lockdep_assert_held(&job->queue->engine->lock);
	if (job->queue->dead)
		return job->queue->dead;
	if (job->cancelled)
		return job->cancelled;
	return sluice_job_revoked(job) ? -ENODEV : 0;
}

/* Why the first job of a queue, which does not run, is never to, or 0. */
static int sluice_job_refused(const struct sluice_job *job)
{
	int status = sluice_job_unwanted(job);

	if (!status && atomic_read_acquire(&job->waiting) &&
	    time_after_eq(jiffies, job->submitted + sluice_engine_patience()))
		status = -ETIME;
	return status;
}

/* A job has ended and its fence has signalled: let go of it, and go on. */
static void sluice_engine_retire(struct sluice_engine *engine, struct sluice_job *job)
{
	struct sluice_queue *queue = job->queue;
	unsigned long flags;

	spin_lock_irqsave(&engine->lock, flags);
	list_del(&job->link);
	if (list_empty(&queue->jobs)) {
		list_del_init(&queue->active);
		engine->crowd[queue->priority]--;
	} else {
		struct sluice_job *next = list_first_entry(&queue->jobs, struct sluice_job, link);

		/* what never ran was nobody's turn */
		if (job == engine->running)
			list_move_tail(&queue->active, &engine->active);
		/* a survey has not seen it: it was not the first of its queue */
		if (sluice_job_refused(next))
			engine->survey = true;
		else if (atomic_read(&next->waiting))
			sluice_engine_wake_at(engine, next->submitted + sluice_engine_patience());
	}
	if (job == engine->running) {
		engine->running = NULL;
		engine->state = SLUICE_ENGINE_IDLE;
	}
	if (!list_empty(&engine->active))
		sluice_engine_kick_locked(engine);
	spin_unlock_irqrestore(&engine->lock, flags);
	sluice_job_put(job);
}

static void sluice_engine_end(struct sluice_engine *engine, struct sluice_job *job, int status)
{
	trace_sluice_job_done(job, status);
	/* one without ops says nothing about the device */
	if (!status && job->num_steps)
		job->queue->hangs = 0;
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
	engine->state = SLUICE_ENGINE_STEP;
	sluice_engine_kick_locked(engine);
	spin_unlock_irqrestore(&engine->lock, flags);
}
EXPORT_SYMBOL_GPL(sluice_engine_done);

/*
 * The driver must let go of its op; the caller owns the job.  A queue whose
 * jobs do nothing but hang keeps the others from the engine for most of the
 * time, so it dies.
 */
static void sluice_engine_abort(struct sluice_engine *engine, struct sluice_job *job, int status)
{
	struct sluice_queue *queue = job->queue;

	trace_sluice_job_abort(job, status);
	engine->sdev->ops->abort(engine);
	sluice_engine_sync_step(engine, &job->steps[job->step], false);
	WRITE_ONCE(engine->aborts, engine->aborts + 1);
	if (status != -ETIME)
		return;
	WRITE_ONCE(engine->timeouts, engine->timeouts + 1);
	dev_notice_ratelimited(&engine->sdev->dev,
			       "%s: job %llu has run for %u ms without an end; engine %u was reset\n",
			       queue->name, job->point, jiffies_to_msecs(queue->timeout),
			       engine->index);
	if (++queue->hangs == SLUICE_MAX_HANGS) {
		dev_notice(&engine->sdev->dev, "%s: %u jobs in a row hung; the queue is dead\n",
			   queue->name, queue->hangs);
		sluice_queue_kill(queue, -EIO);
	}
}

/*
 * Hand the running job's next op to the driver.  A job that is about to begin
 * may turn out to have nothing to do, or a failed in-fence.
 */
static void sluice_engine_start(struct sluice_engine *engine, struct sluice_job *job)
{
	const struct sluice_step *step;
	int ret = 0;

	if (!job->step)
		ret = sluice_job_in_fence_error(job);
	if (ret || !job->num_steps) {
		spin_lock_irq(&engine->lock);
		engine->state = SLUICE_ENGINE_ENDING;
		spin_unlock_irq(&engine->lock);
		sluice_engine_end(engine, job, ret);
		return;
	}

	if (!job->step)
		trace_sluice_job_run(job, 0);
	step = &job->steps[job->step];
	sluice_engine_sync_step(engine, step, true);
	ret = engine->sdev->ops->start(engine, step);
	if (ret) {
		struct sluice_result result = { .status = ret };

		sluice_engine_done(engine, &result);
	}
}

/* What to do next, as found under the lock. */
enum sluice_decision {
	SLUICE_NOTHING,
	SLUICE_START,		/* the running job's next op */
	SLUICE_ABORT,		/* the running job, with status */
	SLUICE_END,		/* a job that does not run, with status */
};

/* The job is the next to run.  What it did not do by then is cut short. */
static void sluice_engine_take(struct sluice_engine *engine, struct sluice_job *job)
{
	lockdep_assert_held(&engine->lock);
	engine->running = job;
	engine->state = SLUICE_ENGINE_BUSY;
	engine->deadline = jiffies + job->queue->timeout;
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
	if (!*status && time_after_eq(jiffies, engine->deadline))
		*status = -ETIME;
	if (*status) {
		engine->state = SLUICE_ENGINE_ENDING;
		return busy ? SLUICE_ABORT : SLUICE_END;
	}
	if (busy) {
		sluice_engine_wake_at(engine, engine->deadline);
		return SLUICE_NOTHING;
	}
	engine->state = SLUICE_ENGINE_BUSY;
	return SLUICE_START;
}

/*
 * A job that is ready, and was submitted more than a second ago, goes before
 * all priorities, so that a stream of urgent jobs cannot hold back a fence for
 * ever.
 */
static u32 sluice_engine_urgency(const struct sluice_job *job)
{
	if (time_after_eq(jiffies, job->submitted + HZ))
		return SLUICE_PRIORITIES;
	return job->queue->priority;
}

/*
 * Of two jobs that are ready, the more urgent queue's goes first; of equally
 * urgent ones that with the earlier deadline, if anybody has set one on a fence.
 * @deadline is that of @best, the best so far or NULL, and of @job if it is better.
 */
static bool sluice_engine_prefers(const struct sluice_job *job, const struct sluice_job *best,
				  ktime_t *deadline)
{
	u32 urgency = sluice_engine_urgency(job);
	ktime_t due = KTIME_MAX;
	bool prefers = true;

	/* those that have waited for long take turns, or a deadline could starve them */
	if (urgency < SLUICE_PRIORITIES && sluice_fences_have_deadlines())
		due = sluice_queue_deadline(job->queue);
	if (best) {
		u32 other = sluice_engine_urgency(best);

		prefers = urgency != other ? urgency > other : ktime_before(due, *deadline);
	}
	if (prefers)
		*deadline = due;
	return prefers;
}

/* No queue that has jobs has a higher priority. */
static bool sluice_engine_is_first(const struct sluice_engine *engine,
				   const struct sluice_queue *queue)
{
	u32 priority;

	for (priority = queue->priority + 1; priority < SLUICE_PRIORITIES; priority++)
		if (engine->crowd[priority])
			return false;
	return true;
}

/*
 * No job runs: the first jobs of all queues compete, or end without running.
 *
 * So that the next of many queues costs no more than one of few, those behind the
 * first that is ready and has the highest priority are left out.  None of them would
 * be preferred, but for a deadline, or because its job has waited for long; or its job
 * is not wanted any more.  Fences can tell the first; for the last somebody asks for a
 * survey.  What waits for long is not left out for long: a queue that was served goes to
 * the end, so that after a turn of the others it is in front of them.
 */
static enum sluice_decision sluice_engine_pick(struct sluice_engine *engine,
					       struct sluice_job **picked, int *status)
{
	unsigned long oldest = 0;
	ktime_t deadline = KTIME_MAX;
	bool all = engine->survey || sluice_fences_have_deadlines();
	struct sluice_job *best = NULL;
	struct sluice_queue *queue;
	bool waiting = false;

	lockdep_assert_held(&engine->lock);
	list_for_each_entry(queue, &engine->active, active) {
		struct sluice_job *job = list_first_entry(&queue->jobs, struct sluice_job, link);

		*picked = job;
		*status = sluice_job_refused(job);
		if (*status)
			return SLUICE_END;
		if (atomic_read_acquire(&job->waiting)) {
			if (!waiting || time_before(job->submitted, oldest))
				oldest = job->submitted;
			waiting = true;
			continue;
		}
		if (sluice_engine_prefers(job, best, &deadline))
			best = job;
		if (!all && sluice_engine_is_first(engine, best->queue))
			break;
	}
	if (all)
		engine->survey = false;
	if (waiting)
		sluice_engine_wake_at(engine, oldest + sluice_engine_patience());
	if (!best)
		return SLUICE_NOTHING;
	*picked = best;
	sluice_engine_take(engine, best);
	return SLUICE_START;
}

/* A job runs: what of the other queues is never to run need not wait for it. */
static enum sluice_decision sluice_engine_weed(struct sluice_engine *engine,
					       struct sluice_job **weed, int *status)
{
	struct sluice_queue *queue;

	lockdep_assert_held(&engine->lock);
	if (!engine->survey)
		return SLUICE_NOTHING;
	list_for_each_entry(queue, &engine->active, active) {
		struct sluice_job *job = list_first_entry(&queue->jobs, struct sluice_job, link);

		if (job == engine->running)
			continue;
		*status = sluice_job_refused(job);
		if (*status) {	/* and there may be more */
			*weed = job;
			return SLUICE_END;
		}
		if (atomic_read(&job->waiting))
			sluice_engine_wake_at(engine, job->submitted + sluice_engine_patience());
	}
	engine->survey = false;
	return SLUICE_NOTHING;
}

static void sluice_engine_act(struct sluice_engine *engine, struct sluice_job *job,
			      enum sluice_decision decision, int status)
{
	if (decision == SLUICE_START) {
		sluice_engine_start(engine, job);
		return;
	}
	if (decision == SLUICE_ABORT)
		sluice_engine_abort(engine, job, status);
	sluice_engine_end(engine, job, status);
}

static enum sluice_decision sluice_engine_decide(struct sluice_engine *engine,
						 struct sluice_job **job, int *status)
{
	enum sluice_decision decision;

	*job = engine->running;
	if (!*job)
		return sluice_engine_pick(engine, job, status);
	decision = sluice_engine_check_running(engine, status);
	if (decision == SLUICE_NOTHING)
		decision = sluice_engine_weed(engine, job, status);
	return decision;
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
	if (engine->driven)
		goto out;
	engine->driven = true;
	for (;;) {
		decision = sluice_engine_decide(engine, &job, &status);
		if (decision == SLUICE_NOTHING)
			break;
		spin_unlock_irq(&engine->lock);
		sluice_engine_act(engine, job, decision, status);
		cond_resched();
		spin_lock_irq(&engine->lock);
	}
	engine->driven = false;
out:
	spin_unlock_irq(&engine->lock);
	dma_fence_end_signalling(signalling);
}

/* Is there nothing to decide but that this job runs? */
static bool sluice_engine_waits_for(const struct sluice_engine *engine,
				    const struct sluice_job *job)
{
	struct sluice_queue *queue = job->queue;

	lockdep_assert_held(&engine->lock);
	/* a long one would make the others depend on when the submitter gets the CPU */
	return !engine->driven && !engine->running && job->num_steps <= SLUICE_FEW_STEPS &&
	       !sluice_job_unwanted(job) &&
	       list_is_singular(&engine->active) && !list_empty(&queue->jobs) &&
	       list_first_entry(&queue->jobs, struct sluice_job, link) == job &&
	       !atomic_read_acquire(&job->waiting);
}

/**
 * sluice_engine_start_now - run a job, if the engine waits for nothing else
 * @engine: the engine
 * @job: has been published; the caller has a reference
 *
 * Saves the way through the work item, which does everything else: all other
 * jobs, and what is left of this one when its op does not end at once.
 *
 * Context: process context; no lock held.
 */
void sluice_engine_start_now(struct sluice_engine *engine, struct sluice_job *job)
{
	enum sluice_decision decision = SLUICE_START;
	bool signalling;
	int status = 0;

	signalling = dma_fence_begin_signalling();
	spin_lock_irq(&engine->lock);
	if (sluice_engine_waits_for(engine, job)) {
		engine->driven = true;
		sluice_engine_take(engine, job);
		do {
			spin_unlock_irq(&engine->lock);
			sluice_engine_act(engine, job, decision, status);
			spin_lock_irq(&engine->lock);
			if (engine->running != job)
				break;
			decision = sluice_engine_check_running(engine, &status);
		} while (decision != SLUICE_NOTHING);
		engine->driven = false;
		/* who came meanwhile has left it to us */
		if (!list_empty(&engine->active) && (!engine->running || engine->survey))
			sluice_engine_kick(engine);
	} else if (atomic_read(&job->waiting)) {
		sluice_engine_wake_at(engine, job->submitted + sluice_engine_patience());
	} else if (!engine->running) {	/* else its end is reason to look again */
		sluice_engine_kick_locked(engine);
	}
	spin_unlock_irq(&engine->lock);
	dma_fence_end_signalling(signalling);
}

/**
 * sluice_engine_cancel - end jobs of a queue
 * @engine: the queue's
 * @queue: the queue
 * @first: the first point
 * @last: the last point
 *
 * Does not wait.  Context: any.  Return: how many of them had not ended.
 */
u32 sluice_engine_cancel(struct sluice_engine *engine, struct sluice_queue *queue,
			 u64 first, u64 last)
{
	struct sluice_job *job;
	unsigned long flags;
	u32 count = 0;

	spin_lock_irqsave(&engine->lock, flags);
	list_for_each_entry(job, &queue->jobs, link) {
		if (job->point > last)
			break;
		if (job->point < first ||
		    (job == engine->running && engine->state == SLUICE_ENGINE_ENDING))
			continue;
		job->cancelled = -ECANCELED;
		count++;
	}
	if (count) {
		engine->survey = true;
		sluice_engine_kick_locked(engine);
	}
	spin_unlock_irqrestore(&engine->lock, flags);
	return count;
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
	engine->sdev = sdev;
	engine->index = index;
	spin_lock_init(&engine->lock);
	INIT_LIST_HEAD(&engine->active);
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
