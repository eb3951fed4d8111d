// SPDX-License-Identifier: GPL-2.0-only
/* KUnit: the order of decisions, and the ops in flight.  Included by drivers/core/dispatch.c. */
#include <kunit/test.h>

#define ENGINE_QUEUES	100
#define ENGINE_DEPTH	4
#define ENGINE_JOBS	8	/* jobs of a queue; a power of two */

/* Number of ->start() calls, the arguments of the last ->abort(), and its answer. */
static struct {
	unsigned int starts;
	unsigned int aborts;
	u32 cookie;
	enum sluice_aborted answer;
} engine_driver;

static int engine_test_start(struct sluice_engine *engine, const struct sluice_op_desc *op)
{
	engine_driver.starts++;
	return 0;
}

static void engine_test_kick(struct sluice_engine *engine)
{
}

static enum sluice_aborted engine_test_abort(struct sluice_engine *engine, u32 cookie)
{
	engine_driver.aborts++;
	engine_driver.cookie = cookie;
	return engine_driver.answer;
}

static const struct sluice_device_ops engine_start_ops = {
	.start = engine_test_start,
	.abort = engine_test_abort,
};

static const struct sluice_device_ops engine_kick_ops = {
	.kick = engine_test_kick,
	.abort = engine_test_abort,
};

/* Make an engine on which only the test decides. */
static struct sluice_engine *engine_test_engine(struct kunit *test,
						const struct sluice_device_ops *ops,
						u32 depth, u32 flags)
{
	struct sluice_engine_caps caps = {
		.op_kinds = BIT_ULL(SLUICE_OP_FILL), .op_align = 4,
		.depth = depth, .flags = flags,
	};
	struct sluice_device *sdev;

	sdev = kunit_kzalloc(test, sizeof(*sdev), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, sdev);
	sdev->engines = kunit_kcalloc(test, 1, sizeof(*sdev->engines), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, sdev->engines);
	sdev->ops = ops;
	KUNIT_ASSERT_EQ(test, sluice_dispatch_init(&sdev->engines[0], sdev, 0, &caps), 0);
	sdev->engines[0].dispatching = true;
	memset(&engine_driver, 0, sizeof(engine_driver));
	return &sdev->engines[0];
}

/* A queue for an engine: its jobs, and their ends. */
struct engine_queue {
	struct sluice_entity entity;
	struct sluice_timeline timeline;
	unsigned int hangs;
	u64 submitted;
	u64 done;
	int status[ENGINE_JOBS];
};

static void engine_queue_end(struct sluice_sched_job *job, int status)
{
	struct engine_queue *queue = container_of(job->entity, struct engine_queue, entity);

	queue->done = job->point;
	queue->status[job->point & (ENGINE_JOBS - 1)] = status;
}

static void engine_queue_put(struct sluice_sched_job *job)
{
}

static void engine_queue_progress(struct sluice_sched_job *job, struct sluice_completion *record)
{
}

static void engine_queue_wake(struct sluice_entity *entity)
{
}

static const struct sluice_entity_ops engine_queue_ops = {
	.end = engine_queue_end,
	.put = engine_queue_put,
	.progress = engine_queue_progress,
	.wake = engine_queue_wake,
};

static struct engine_queue *engine_test_empty_queue(struct kunit *test,
						    struct sluice_engine *engine)
{
	struct engine_queue *queue = kunit_kzalloc(test, sizeof(*queue), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, queue);
	sluice_entity_init(&queue->entity, engine, &engine_queue_ops, &queue->timeline);
	queue->entity.client_hangs = &queue->hangs;
	queue->entity.priority = 1;
	queue->entity.timeout = 2 * HZ;
	return queue;
}

/* Add a job that is ready to run at the end of the queue.  The test owns its memory. */
static struct sluice_sched_job *engine_test_job(struct kunit *test, struct engine_queue *queue,
					  unsigned int num_ops)
{
	struct sluice_sched_job *job;
	unsigned int i;

	job = kunit_kzalloc(test, sizeof(*job), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, job);
	job->ops = kunit_kcalloc(test, num_ops ?: 1, sizeof(*job->ops), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, job->ops);
	job->entity = &queue->entity;
	job->flags = SLUICE_SUBMIT_NO_COMPLETION;
	job->submitted = jiffies;
	job->prepared = true;
	job->armed = true;
	job->num_ops = num_ops;
	for (i = 0; i < num_ops; i++)
		job->ops[i].kind = SLUICE_OP_FILL;
	job->point = ++queue->submitted;
	KUNIT_ASSERT_EQ(test, sluice_entity_add(&job, 1, false), 0);
	if (queue->entity.next == job) {
		spin_lock_irq(&queue->entity.engine->lock);
		sluice_entity_enqueue(&queue->entity, false);
		spin_unlock_irq(&queue->entity.engine->lock);
	}
	return job;
}

static struct engine_queue *engine_test_queue(struct kunit *test, struct sluice_engine *engine)
{
	struct engine_queue *queue = engine_test_empty_queue(test, engine);

	engine_test_job(test, queue, 1);
	return queue;
}

static void engine_test_end(struct sluice_engine *engine)
{
	sluice_dispatch_fini(engine);
}

static bool engine_has_ended(const struct sluice_sched_job *job)
{
	return list_empty(&job->link);
}

/*
 * Even if queues that must be looked at come all the time, a ready queue gets its turn, and the
 * others get theirs.
 */
static void engine_looks_do_not_starve_ready_jobs(struct kunit *test)
{
	struct sluice_engine *engine = engine_test_engine(test, &engine_start_ops, 1, 0);
	struct engine_queue **queues, *ready;
	unsigned int i, looks = 0;
	struct sluice_dispatch_plan plan;
	struct sluice_sched_job *job;

	queues = kunit_kcalloc(test, ENGINE_QUEUES, sizeof(*queues), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, queues);
	for (i = 0; i < ENGINE_QUEUES; i++) {
		queues[i] = engine_test_queue(test, engine);
		job = queues[i]->entity.next;
		atomic_set(&job->waiting, 1);
		list_move_tail(&queues[i]->entity.node, &engine->look);
	}
	ready = engine_test_queue(test, engine);

	spin_lock_irq(&engine->lock);
	for (i = 0; i < ENGINE_QUEUES; i++) {
		sluice_dispatch_decide(engine, &plan);
		if (plan.decision == SLUICE_DISPATCH_START)
			break;
		looks += plan.decision == SLUICE_DISPATCH_AGAIN;
		/* the queue needs another look at once */
		list_add_tail(&plan.job->entity->node, &engine->look);
	}
	spin_unlock_irq(&engine->lock);
	KUNIT_ASSERT_EQ(test, plan.decision, SLUICE_DISPATCH_START);
	KUNIT_EXPECT_PTR_EQ(test, plan.flight->job->entity, &ready->entity);
	KUNIT_EXPECT_EQ(test, looks, SLUICE_DISPATCH_MAX_LOOKS);

	/* while the job runs, and when no queue is ready, the others are looked at */
	spin_lock_irq(&engine->lock);
	for (looks = 0; looks < ENGINE_QUEUES; looks++) {
		sluice_dispatch_decide(engine, &plan);
		if (plan.decision != SLUICE_DISPATCH_AGAIN)
			break;
	}
	spin_unlock_irq(&engine->lock);
	KUNIT_EXPECT_EQ(test, looks, ENGINE_QUEUES);
	for (i = 0; i < ENGINE_QUEUES; i++)
		timer_shutdown_sync(&queues[i]->entity.timer);
	engine_test_end(engine);
}

/*
 * SUBMIT's task may lose the CPU before the engine has the job, so the job has a timeout by then.
 */
static void engine_times_a_job_that_SUBMIT_has_not_passed_on(struct kunit *test)
{
	struct sluice_engine *engine = engine_test_engine(test, &engine_start_ops, 1, 0);
	struct engine_queue *queue = engine_test_queue(test, engine);
	struct sluice_sched_job *job = queue->entity.next;

	KUNIT_EXPECT_FALSE(test, timer_pending(&queue->entity.timer));
	list_del_init(&job->link);
	queue->entity.next = NULL;
	job->preempted = true;
	KUNIT_EXPECT_EQ(test, sluice_entity_add(&job, 1, false), 0);
	KUNIT_EXPECT_TRUE(test, timer_pending(&queue->entity.timer));
	timer_shutdown_sync(&queue->entity.timer);
	engine_test_end(engine);
}

/* If a job times out while SUBMIT decides, the engine is busy, and SUBMIT must end the job. */
static void engine_times_out_a_job_during_SUBMIT(struct kunit *test)
{
	struct sluice_engine *engine = engine_test_engine(test, &engine_start_ops, 1, 0);
	struct engine_queue *queue = engine_test_queue(test, engine);
	struct sluice_sched_job *job = queue->entity.next;

	engine->sdev->wq = alloc_workqueue("sluice-kunit", WQ_UNBOUND, 0);
	KUNIT_ASSERT_NOT_NULL(test, engine->sdev->wq);
	/* the queue must not die, because it has no file whose users could be told */
	job->entity->timeout = msecs_to_jiffies(SLUICE_MAX_TIMEOUT_MS);
	spin_lock_irq(&engine->lock);
	KUNIT_EXPECT_NOT_NULL(test, sluice_flight_begin(engine));
	KUNIT_EXPECT_TRUE(test, timer_pending(&engine->timer));
	job->cancelled = -ECANCELED;
	spin_unlock_irq(&engine->lock);
	engine->timer.function(&engine->timer);
	KUNIT_EXPECT_EQ(test, engine_driver.aborts, 0);

	spin_lock_irq(&engine->lock);
	sluice_dispatch_leave(engine);
	spin_unlock_irq(&engine->lock);
	flush_work(&engine->work);
	KUNIT_EXPECT_EQ(test, engine_driver.aborts, 1);
	KUNIT_EXPECT_TRUE(test, engine_has_ended(job));
	engine_test_end(engine);
	destroy_workqueue(engine->sdev->wq);
}

/* SUBMIT ends an empty job in front of its other jobs, and starts their ops nevertheless. */
static void engine_starts_ops_behind_empty_jobs(struct kunit *test)
{
	struct sluice_engine *engine = engine_test_engine(test, &engine_start_ops, 4,
							  SLUICE_ENGINE_QUICK);
	struct engine_queue *queue = engine_test_empty_queue(test, engine);
	struct sluice_sched_job *jobs[] = {
		engine_test_job(test, queue, 0),
		engine_test_job(test, queue, 1),
	};

	/* as SUBMIT leaves them: in no list of the engine */
	list_del_init(&queue->entity.node);
	atomic_set(&jobs[0]->waiting, 1);
	atomic_set(&jobs[1]->waiting, 1);
	engine->dispatching = false;
	sluice_dispatch_submit(jobs, ARRAY_SIZE(jobs), true);
	KUNIT_EXPECT_TRUE(test, engine_has_ended(jobs[0]));
	KUNIT_EXPECT_EQ(test, engine_driver.starts, 1);
	KUNIT_EXPECT_EQ(test, jobs[1]->in_flight, 1);
	timer_shutdown_sync(&queue->entity.timer);
	engine_test_end(engine);
}

/* The ops of a job that is too large for SUBMIT are not looked at. */
static void engine_counts_ops_before_it_looks_at_them(struct kunit *test)
{
	struct sluice_engine *engine = engine_test_engine(test, &engine_start_ops, 4,
							  SLUICE_ENGINE_QUICK);
	struct engine_queue *queue = engine_test_empty_queue(test, engine);
	struct sluice_sched_job *jobs[] = {
		engine_test_job(test, queue, SLUICE_DISPATCH_MAX_OPS - 1),
		engine_test_job(test, queue, 2),
	};

	spin_lock_irq(&engine->lock);
	jobs[1]->ops = NULL;
	KUNIT_EXPECT_EQ(test, sluice_dispatch_count_ops(engine, jobs, 2),
			SLUICE_DISPATCH_MAX_OPS - 1);
	spin_unlock_irq(&engine->lock);
	timer_shutdown_sync(&queue->entity.timer);
	engine_test_end(engine);
}

/* A job may reach the front late: its fences may have signalled before it was late. */
static void engine_checks_fences_before_it_ends_a_late_job(struct kunit *test)
{
	struct sluice_engine *engine = engine_test_engine(test, &engine_start_ops, 1, 0);
	struct engine_queue *queue = engine_test_queue(test, engine);
	struct sluice_sched_job *job = queue->entity.next;
	struct sluice_dispatch_plan plan;

	atomic_set(&job->waiting, 1);
	job->armed = false;
	job->prepared = false;
	job->submitted = jiffies - 2 * msecs_to_jiffies(SLUICE_FENCE_TIMEOUT_MS);

	spin_lock_irq(&engine->lock);
	list_move_tail(&queue->entity.node, &engine->look);
	sluice_dispatch_decide(engine, &plan);
	KUNIT_EXPECT_EQ(test, plan.decision, SLUICE_DISPATCH_ARM);
	/* the fences are pending: the job ends at once, and the next job does not wait */
	sluice_dispatch_decide(engine, &plan);
	KUNIT_EXPECT_EQ(test, plan.decision, SLUICE_DISPATCH_END);
	KUNIT_EXPECT_EQ(test, job->result.status, -ETIME);
	spin_unlock_irq(&engine->lock);
	timer_shutdown_sync(&queue->entity.timer);
	engine_test_end(engine);
}

static void flights_end_in_any_order_and_jobs_in_theirs(struct kunit *test)
{
	struct sluice_engine *engine = engine_test_engine(test, &engine_kick_ops, ENGINE_DEPTH,
							  SLUICE_ENGINE_ORDERED);
	struct engine_queue *queue = engine_test_empty_queue(test, engine);
	struct sluice_result good = { .bytes = 8 }, bad = { .status = -EIO };
	const struct sluice_op_desc *ops[ENGINE_DEPTH + 1];
	struct sluice_sched_job *jobs[3];
	u32 cookies[ENGINE_DEPTH];
	unsigned int i;

	jobs[0] = engine_test_job(test, queue, 1);
	jobs[1] = engine_test_job(test, queue, 2);
	jobs[2] = engine_test_job(test, queue, 2);
	for (i = 0; i < ARRAY_SIZE(ops); i++)
		ops[i] = sluice_engine_next(engine);
	KUNIT_EXPECT_PTR_EQ(test, ops[0], (const struct sluice_op_desc *)&jobs[0]->ops[0]);
	KUNIT_EXPECT_PTR_EQ(test, ops[1], (const struct sluice_op_desc *)&jobs[1]->ops[0]);
	KUNIT_EXPECT_PTR_EQ(test, ops[2], (const struct sluice_op_desc *)&jobs[1]->ops[1]);
	KUNIT_EXPECT_PTR_EQ(test, ops[3], (const struct sluice_op_desc *)&jobs[2]->ops[0]);
	/* there is another op, but no room */
	KUNIT_EXPECT_NULL(test, ops[4]);
	for (i = 0; i < ENGINE_DEPTH; i++)
		cookies[i] = ops[i]->cookie;

	KUNIT_EXPECT_TRUE(test, sluice_engine_done(engine, cookies[2], &good));
	KUNIT_EXPECT_TRUE(test, sluice_engine_done(engine, cookies[3], &good));
	KUNIT_EXPECT_PTR_EQ(test, sluice_engine_next(engine),
			    (const struct sluice_op_desc *)&jobs[2]->ops[1]);
	KUNIT_EXPECT_TRUE(test, sluice_engine_done(engine, jobs[2]->ops[1].cookie, &good));
	KUNIT_EXPECT_TRUE(test, jobs[2]->over);
	KUNIT_EXPECT_FALSE(test, engine_has_ended(jobs[2]));
	KUNIT_EXPECT_TRUE(test, sluice_engine_done(engine, cookies[0], &good));
	KUNIT_EXPECT_TRUE(test, engine_has_ended(jobs[0]));
	KUNIT_EXPECT_FALSE(test, engine_has_ended(jobs[1]));
	KUNIT_EXPECT_TRUE(test, sluice_engine_done(engine, cookies[1], &bad));
	KUNIT_EXPECT_TRUE(test, engine_has_ended(jobs[1]));
	KUNIT_EXPECT_TRUE(test, engine_has_ended(jobs[2]));
	KUNIT_EXPECT_EQ(test, queue->done, 3);
	KUNIT_EXPECT_EQ(test, queue->status[2], -EIO);
	KUNIT_EXPECT_EQ(test, queue->status[3], 0);
	KUNIT_EXPECT_EQ(test, jobs[2]->result.bytes, 16);
	KUNIT_EXPECT_NULL(test, sluice_engine_next(engine));
	KUNIT_EXPECT_TRUE(test, list_empty(&engine->in_flight));
	engine_test_end(engine);
}

static void flights_are_ended_once(struct kunit *test)
{
	struct sluice_engine *engine = engine_test_engine(test, &engine_kick_ops, 1, 0);
	struct engine_queue *queue = engine_test_empty_queue(test, engine);
	struct sluice_sched_job *first = engine_test_job(test, queue, 1);
	struct sluice_sched_job *second = engine_test_job(test, queue, 1);
	struct sluice_result good = {};
	u32 cookie;

	/* this op was never handed out */
	KUNIT_EXPECT_FALSE(test, sluice_engine_done(engine, SLUICE_ALL_OPS, &good));
	KUNIT_EXPECT_FALSE(test, sluice_engine_done(engine, 1, &good));
	KUNIT_EXPECT_FALSE(test, sluice_engine_done(engine, U32_MAX, &good));
	KUNIT_ASSERT_NOT_NULL(test, sluice_engine_next(engine));
	cookie = first->ops[0].cookie;
	KUNIT_EXPECT_TRUE(test, sluice_engine_done(engine, cookie, &good));
	KUNIT_EXPECT_FALSE(test, sluice_engine_done(engine, cookie, &good));
	/* the same place, but another op */
	KUNIT_ASSERT_NOT_NULL(test, sluice_engine_next(engine));
	KUNIT_EXPECT_FALSE(test, sluice_engine_done(engine, cookie, &good));
	KUNIT_EXPECT_FALSE(test, engine_has_ended(second));
	KUNIT_EXPECT_EQ(test, engine->stale, 5);
	KUNIT_EXPECT_TRUE(test, sluice_engine_done(engine, second->ops[0].cookie, &good));
	KUNIT_EXPECT_TRUE(test, engine_has_ended(second));
	engine_test_end(engine);
}

/* Unless an engine runs ops in order, a queue has one op in flight. */
static void flights_of_a_queue_wait_for_each_other(struct kunit *test)
{
	struct sluice_engine *engine = engine_test_engine(test, &engine_kick_ops, ENGINE_DEPTH, 0);
	struct engine_queue *queue = engine_test_empty_queue(test, engine);
	struct engine_queue *other = engine_test_empty_queue(test, engine);
	struct sluice_sched_job *jobs[3];
	struct sluice_result good = {};

	jobs[0] = engine_test_job(test, queue, 2);
	jobs[1] = engine_test_job(test, queue, 1);
	jobs[2] = engine_test_job(test, other, 1);
	KUNIT_EXPECT_PTR_EQ(test, sluice_engine_next(engine),
			    (const struct sluice_op_desc *)&jobs[0]->ops[0]);
	KUNIT_EXPECT_PTR_EQ(test, sluice_engine_next(engine),
			    (const struct sluice_op_desc *)&jobs[2]->ops[0]);
	KUNIT_EXPECT_NULL(test, sluice_engine_next(engine));
	KUNIT_EXPECT_TRUE(test, sluice_engine_done(engine, jobs[0]->ops[0].cookie, &good));
	KUNIT_EXPECT_PTR_EQ(test, sluice_engine_next(engine),
			    (const struct sluice_op_desc *)&jobs[0]->ops[1]);
	KUNIT_EXPECT_NULL(test, sluice_engine_next(engine));
	KUNIT_EXPECT_TRUE(test, sluice_engine_done(engine, jobs[0]->ops[1].cookie, &good));
	KUNIT_EXPECT_TRUE(test, engine_has_ended(jobs[0]));
	KUNIT_EXPECT_PTR_EQ(test, sluice_engine_next(engine),
			    (const struct sluice_op_desc *)&jobs[1]->ops[0]);
	KUNIT_EXPECT_TRUE(test, sluice_engine_done(engine, jobs[1]->ops[0].cookie, &good));
	KUNIT_EXPECT_TRUE(test, sluice_engine_done(engine, jobs[2]->ops[0].cookie, &good));
	engine_test_end(engine);
}

/* The driver had to stop more ops than it was asked to. */
static void flights_stopped_without_need_come_again_in_order(struct kunit *test)
{
	struct sluice_engine *engine = engine_test_engine(test, &engine_kick_ops, ENGINE_DEPTH,
							  SLUICE_ENGINE_ORDERED);
	struct engine_queue *queue = engine_test_empty_queue(test, engine);
	struct sluice_result good = {};
	struct sluice_sched_job *jobs[3];
	unsigned int i;
	u32 old;

	for (i = 0; i < ARRAY_SIZE(jobs); i++)
		jobs[i] = engine_test_job(test, queue, i == 2 ? 2 : 1);
	for (i = 0; i < ENGINE_DEPTH; i++)
		KUNIT_EXPECT_NOT_NULL(test, sluice_engine_next(engine));
	old = jobs[2]->ops[0].cookie;
	engine_driver.answer = SLUICE_ABORTED_FROM;
	engine->aborting = true;
	KUNIT_EXPECT_NULL(test, sluice_engine_next(engine));
	sluice_flight_abort(engine, jobs[1]->ops[0].cookie, 2, -ECANCELED);

	/* the op in front continues */
	KUNIT_EXPECT_EQ(test, jobs[0]->in_flight, 1);
	KUNIT_EXPECT_EQ(test, jobs[1]->result.status, -ECANCELED);
	KUNIT_EXPECT_FALSE(test, engine_has_ended(jobs[1]));
	KUNIT_EXPECT_FALSE(test, sluice_engine_done(engine, old, &good));
	KUNIT_EXPECT_PTR_EQ(test, sluice_engine_next(engine),
			    (const struct sluice_op_desc *)&jobs[2]->ops[0]);
	KUNIT_EXPECT_PTR_EQ(test, sluice_engine_next(engine),
			    (const struct sluice_op_desc *)&jobs[2]->ops[1]);
	KUNIT_EXPECT_NULL(test, sluice_engine_next(engine));
	KUNIT_EXPECT_TRUE(test, sluice_engine_done(engine, jobs[0]->ops[0].cookie, &good));
	KUNIT_EXPECT_TRUE(test, engine_has_ended(jobs[1]));

	/* a sleep may come any number of times */
	for (i = 0; i < 2 * SLUICE_ENTITY_MAX_WITHDRAWALS; i++) {
		engine->aborting = true;
		sluice_flight_abort(engine, SLUICE_ALL_OPS, 0, -ECANCELED);
		KUNIT_EXPECT_NOT_NULL(test, sluice_engine_next(engine));
		KUNIT_EXPECT_NOT_NULL(test, sluice_engine_next(engine));
	}
	for (i = 0; i < 2; i++)
		KUNIT_EXPECT_TRUE(test, sluice_engine_done(engine, jobs[2]->ops[i].cookie, &good));
	KUNIT_EXPECT_TRUE(test, engine_has_ended(jobs[2]));
	KUNIT_EXPECT_EQ(test, jobs[2]->result.status, 0);
	KUNIT_EXPECT_EQ(test, queue->done, 3);
	engine_test_end(engine);
}

static void engine_test_decide(struct sluice_engine *engine, struct sluice_dispatch_plan *plan)
{
	spin_lock_irq(&engine->lock);
	sluice_dispatch_decide(engine, plan);
	spin_unlock_irq(&engine->lock);
}

static void engine_expect_decision(struct kunit *test, struct sluice_engine *engine,
				   enum sluice_dispatch_decision decision)
{
	struct sluice_dispatch_plan plan;

	engine_test_decide(engine, &plan);
	KUNIT_EXPECT_EQ(test, plan.decision, decision);
}

/* The engine decides to stop the first op of a job, and the driver stops it. */
static void engine_expect_abort(struct kunit *test, struct sluice_engine *engine,
				const struct sluice_sched_job *job, enum sluice_aborted answer)
{
	struct sluice_dispatch_plan plan;

	engine_test_decide(engine, &plan);
	KUNIT_ASSERT_EQ(test, plan.decision, SLUICE_DISPATCH_ABORT);
	KUNIT_EXPECT_EQ(test, plan.cookie, job->ops[0].cookie);
	engine_driver.answer = answer;
	sluice_flight_abort(engine, plan.cookie, plan.number, plan.status);
}

/* Cancel a job that is in flight, and have the driver stop ops for it. */
static void engine_test_stop(struct kunit *test, struct sluice_engine *engine,
			     struct sluice_sched_job *job, enum sluice_aborted answer)
{
	sluice_sched_job_cancel(job);
	engine_expect_abort(test, engine, job, answer);
}

/* The op that must be stopped ends before the driver stops it. */
static void flights_behind_one_that_has_ended_are_stopped(struct kunit *test)
{
	struct sluice_engine *engine = engine_test_engine(test, &engine_kick_ops, ENGINE_DEPTH,
							  SLUICE_ENGINE_ORDERED);
	struct engine_queue *queue = engine_test_empty_queue(test, engine);
	struct sluice_result good = {};
	struct sluice_sched_job *jobs[3];
	struct sluice_dispatch_plan plan;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(jobs); i++) {
		jobs[i] = engine_test_job(test, queue, 1);
		KUNIT_EXPECT_NOT_NULL(test, sluice_engine_next(engine));
	}
	sluice_sched_job_cancel(jobs[1]);
	engine_test_decide(engine, &plan);
	KUNIT_EXPECT_EQ(test, plan.decision, SLUICE_DISPATCH_ABORT);
	KUNIT_EXPECT_TRUE(test, sluice_engine_done(engine, jobs[1]->ops[0].cookie, &good));
	engine_driver.answer = SLUICE_ABORTED_FROM;
	sluice_flight_abort(engine, plan.cookie, plan.number, plan.status);
	KUNIT_EXPECT_EQ(test, jobs[0]->in_flight, 1);
	KUNIT_EXPECT_EQ(test, jobs[2]->in_flight, 0);
	KUNIT_EXPECT_PTR_EQ(test, sluice_engine_next(engine),
			    (const struct sluice_op_desc *)&jobs[2]->ops[0]);
	KUNIT_EXPECT_TRUE(test, sluice_engine_done(engine, jobs[2]->ops[0].cookie, &good));
	KUNIT_EXPECT_TRUE(test, sluice_engine_done(engine, jobs[0]->ops[0].cookie, &good));
	KUNIT_EXPECT_EQ(test, queue->done, 3);
	engine_test_end(engine);
}

/* An op is handed out again in front of jobs that are over: these end after it, and do not run. */
static void flights_that_come_again_pass_over_jobs_that_are_over(struct kunit *test)
{
	struct sluice_engine *engine = engine_test_engine(test, &engine_kick_ops, ENGINE_DEPTH,
							  SLUICE_ENGINE_ORDERED);
	struct engine_queue *queue = engine_test_empty_queue(test, engine);
	struct sluice_result good = {};
	struct sluice_sched_job *jobs[4];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(jobs); i++) {
		jobs[i] = engine_test_job(test, queue, 1);
		KUNIT_EXPECT_NOT_NULL(test, sluice_engine_next(engine));
	}
	/* one job has ended too early, one is cancelled, and all others are stopped with it */
	KUNIT_EXPECT_TRUE(test, sluice_engine_done(engine, jobs[1]->ops[0].cookie, &good));
	engine_test_stop(test, engine, jobs[2], SLUICE_ABORTED_ALL);

	KUNIT_EXPECT_PTR_EQ(test, sluice_engine_next(engine),
			    (const struct sluice_op_desc *)&jobs[0]->ops[0]);
	KUNIT_EXPECT_PTR_EQ(test, queue->entity.next, jobs[3]);
	KUNIT_EXPECT_TRUE(test, sluice_engine_done(engine, jobs[0]->ops[0].cookie, &good));
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_TRUE(test, engine_has_ended(jobs[i]));
	KUNIT_EXPECT_PTR_EQ(test, queue->entity.next, jobs[3]);
	KUNIT_EXPECT_PTR_EQ(test, sluice_engine_next(engine),
			    (const struct sluice_op_desc *)&jobs[3]->ops[0]);
	KUNIT_EXPECT_NULL(test, sluice_engine_next(engine));
	KUNIT_EXPECT_TRUE(test, sluice_engine_done(engine, jobs[3]->ops[0].cookie, &good));
	KUNIT_EXPECT_EQ(test, queue->done, 4);
	engine_test_end(engine);
}

/* Cancel a job, and have the driver stop all ops because of it. */
static void engine_test_disturb(struct kunit *test, struct sluice_engine *engine,
				struct engine_queue *queue)
{
	struct sluice_sched_job *job = engine_test_job(test, queue, 1);

	while (sluice_engine_next(engine))
		;
	engine_test_stop(test, engine, job, engine_driver.answer);
	KUNIT_EXPECT_TRUE(test, engine_has_ended(job));
}

/*
 * Several jobs are cancelled, and each time the same other op is stopped with them.  After some
 * times it must not be stopped again.
 */
static void flights_are_not_stopped_for_others_for_ever(struct kunit *test)
{
	struct sluice_engine *engine = engine_test_engine(test, &engine_kick_ops, ENGINE_DEPTH, 0);
	struct engine_queue *queue = engine_test_empty_queue(test, engine);
	struct engine_queue *other = engine_test_empty_queue(test, engine);
	struct sluice_sched_job *innocent = engine_test_job(test, queue, 1), *late;
	struct sluice_result good = {};
	unsigned int i;

	engine_driver.answer = SLUICE_ABORTED_ALL;
	KUNIT_EXPECT_NOT_NULL(test, sluice_engine_next(engine));
	for (i = 0; i < SLUICE_ENTITY_MAX_WITHDRAWALS; i++)
		engine_test_disturb(test, engine, other);
	late = engine_test_job(test, other, 1);
	/* this op is now in front of all others */
	KUNIT_EXPECT_PTR_EQ(test, sluice_engine_next(engine),
			    (const struct sluice_op_desc *)&innocent->ops[0]);
	KUNIT_EXPECT_PTR_EQ(test, sluice_engine_next(engine),
			    (const struct sluice_op_desc *)&late->ops[0]);
	sluice_sched_job_cancel(late);
	engine_expect_decision(test, engine, SLUICE_DISPATCH_NOTHING);
	/* the cancelled job does not wait for ever either */
	KUNIT_EXPECT_TRUE(test, timer_pending(&engine->timer));
	KUNIT_EXPECT_TRUE(test, sluice_engine_done(engine, innocent->ops[0].cookie, &good));
	KUNIT_EXPECT_TRUE(test, engine_has_ended(innocent));
	KUNIT_EXPECT_EQ(test, innocent->result.status, 0);
	engine_expect_abort(test, engine, late, engine_driver.answer);
	KUNIT_EXPECT_TRUE(test, engine_has_ended(late));
	engine_test_end(engine);
}

/* If ops run in order, an op in front of a protected op delays it, and is stopped. */
static void flights_in_the_way_of_a_kept_one_are_stopped(struct kunit *test)
{
	struct sluice_engine *engine = engine_test_engine(test, &engine_kick_ops, ENGINE_DEPTH,
							  SLUICE_ENGINE_ORDERED);
	struct engine_queue *queue = engine_test_empty_queue(test, engine);
	struct sluice_sched_job *jobs[3];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(jobs); i++)
		jobs[i] = engine_test_job(test, queue, 1);
	jobs[1]->withdrawals = SLUICE_ENTITY_MAX_WITHDRAWALS;
	for (i = 0; i < ARRAY_SIZE(jobs); i++)
		KUNIT_EXPECT_NOT_NULL(test, sluice_engine_next(engine));
	sluice_sched_job_cancel(jobs[2]);
	engine_expect_decision(test, engine, SLUICE_DISPATCH_NOTHING);
	sluice_sched_job_cancel(jobs[0]);
	engine_expect_abort(test, engine, jobs[0], SLUICE_ABORTED_ONE);
	/* a protected op is stopped if its own job is cancelled */
	sluice_sched_job_cancel(jobs[1]);
	for (i = 1; i < ARRAY_SIZE(jobs); i++) {
		engine_expect_abort(test, engine, jobs[i], SLUICE_ABORTED_ONE);
	}
	KUNIT_EXPECT_EQ(test, queue->done, 3);
	engine_test_end(engine);
}

/* A driver without an op that takes none. */
static void flights_that_are_never_taken_end(struct kunit *test)
{
	struct sluice_engine *engine = engine_test_engine(test, &engine_kick_ops, 1, 0);
	struct engine_queue *queue = engine_test_empty_queue(test, engine);
	struct sluice_sched_job *job = engine_test_job(test, queue, 1);
	struct sluice_dispatch_plan plan;
	unsigned long flags;

	engine_expect_decision(test, engine, SLUICE_DISPATCH_KICK);
	spin_lock_irq(&engine->lock);
	sluice_offer_watch(engine);
	spin_unlock_irq(&engine->lock);
	KUNIT_EXPECT_TRUE(test, timer_pending(&engine->timer));
	engine->check = true;
	engine_expect_decision(test, engine, SLUICE_DISPATCH_NOTHING);
	engine->offered_at -= queue->entity.timeout;
	queue->entity.ready_since -= queue->entity.timeout;
	engine->check = true;
	engine_test_decide(engine, &plan);
	KUNIT_EXPECT_EQ(test, plan.decision, SLUICE_DISPATCH_END);
	KUNIT_EXPECT_PTR_EQ(test, plan.job, job);
	KUNIT_EXPECT_EQ(test, job->result.status, -ETIME);
	/* an op that the driver has taken is not late */
	engine_test_job(test, queue, 1);
	spin_lock_irqsave(&engine->lock, flags);
	sluice_dispatch_end(job, &flags);
	sluice_offer_begin(engine);
	spin_unlock_irqrestore(&engine->lock, flags);
	KUNIT_EXPECT_TRUE(test, engine_has_ended(job));
	KUNIT_EXPECT_TRUE(test, engine->offered);
	KUNIT_EXPECT_NOT_NULL(test, sluice_engine_next(engine));
	KUNIT_EXPECT_FALSE(test, engine->offered);
	engine_test_end(engine);
}

/* Frames that are lost before a queue's first frame do not count; all later ones do. */
static void flights_count_losses_from_the_first_frame_on(struct kunit *test)
{
	struct sluice_engine *engine = engine_test_engine(test, &engine_kick_ops, 1, 0);
	struct engine_queue *queue = engine_test_empty_queue(test, engine);
	struct sluice_result lossy = { .timestamp = 1, .dropped = 7 };
	struct sluice_sched_job *jobs[2];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(jobs); i++) {
		jobs[i] = engine_test_job(test, queue, 1);
		KUNIT_EXPECT_NOT_NULL(test, sluice_engine_next(engine));
		KUNIT_EXPECT_TRUE(test, sluice_engine_done(engine, jobs[i]->ops[0].cookie, &lossy));
	}
	KUNIT_EXPECT_EQ(test, jobs[0]->result.dropped, 0);
	KUNIT_EXPECT_EQ(test, jobs[1]->result.dropped, 7);
	engine_test_end(engine);
}

/* Only the oldest op in flight can hang. */
static void flights_behind_one_that_hangs_lose_no_time(struct kunit *test)
{
	struct sluice_engine *engine = engine_test_engine(test, &engine_kick_ops, ENGINE_DEPTH,
							  SLUICE_ENGINE_ORDERED);
	struct engine_queue *queue = engine_test_empty_queue(test, engine);
	struct sluice_sched_job *jobs[2];
	struct sluice_result good = {};
	struct sluice_dispatch_plan plan;

	jobs[0] = engine_test_job(test, queue, 1);
	jobs[1] = engine_test_job(test, queue, 1);
	KUNIT_EXPECT_NOT_NULL(test, sluice_engine_next(engine));
	KUNIT_EXPECT_NOT_NULL(test, sluice_engine_next(engine));
	KUNIT_EXPECT_TRUE(test, jobs[0]->timed);
	KUNIT_EXPECT_FALSE(test, jobs[1]->timed);
	jobs[0]->deadline = jiffies;
	engine->check = true;
	spin_lock_irq(&engine->lock);
	sluice_dispatch_decide(engine, &plan);
	spin_unlock_irq(&engine->lock);
	KUNIT_EXPECT_EQ(test, plan.decision, SLUICE_DISPATCH_ABORT);
	KUNIT_EXPECT_EQ(test, plan.cookie, jobs[0]->ops[0].cookie);
	KUNIT_EXPECT_EQ(test, plan.status, -ETIME);
	/* the op ends after all, before the driver can stop it */
	KUNIT_EXPECT_TRUE(test, sluice_engine_done(engine, jobs[0]->ops[0].cookie, &good));
	engine_driver.answer = SLUICE_ABORTED_ONE;
	sluice_flight_abort(engine, plan.cookie, plan.number, plan.status);
	KUNIT_EXPECT_TRUE(test, engine_has_ended(jobs[0]));
	KUNIT_EXPECT_EQ(test, jobs[0]->result.status, 0);
	KUNIT_EXPECT_TRUE(test, jobs[1]->timed);
	KUNIT_EXPECT_TRUE(test, sluice_engine_done(engine, jobs[1]->ops[0].cookie, &good));
	engine_test_end(engine);
}

/* Expect that this op of the job is handed out next. */
static void engine_expect_next(struct kunit *test, struct sluice_engine *engine,
			       struct sluice_sched_job *job, unsigned int op)
{
	KUNIT_EXPECT_PTR_EQ(test, sluice_engine_next(engine),
			    (const struct sluice_op_desc *)&job->ops[op]);
}

static void engine_expect_done(struct kunit *test, struct sluice_engine *engine,
			       struct sluice_sched_job *job, unsigned int op)
{
	struct sluice_result good = { .bytes = 8 };

	KUNIT_EXPECT_TRUE(test, sluice_engine_done(engine, job->ops[op].cookie, &good));
}

static struct sluice_sched_job *engine_test_cycle(struct kunit *test, struct sluice_engine *engine,
					    struct engine_queue *queue, unsigned int num_ops)
{
	struct sluice_sched_job *job = engine_test_job(test, queue, num_ops);

	queue->entity.engine = engine;
	job->flags |= SLUICE_SUBMIT_CYCLIC;
	return job;
}

/* Each op is in flight once; the next pass follows in order, also after an abort. */
static void cycle_goes_round_and_ends_before_the_next_job(struct kunit *test)
{
	struct sluice_engine *engine = engine_test_engine(test, &engine_kick_ops, ENGINE_DEPTH,
							  SLUICE_ENGINE_ORDERED);
	struct engine_queue *queue = engine_test_empty_queue(test, engine);
	struct sluice_sched_job *job = engine_test_cycle(test, engine, queue, 3), *next;
	unsigned int i;

	for (i = 0; i < 3; i++)
		engine_expect_next(test, engine, job, i);
	KUNIT_EXPECT_NULL(test, sluice_engine_next(engine));
	engine_expect_done(test, engine, job, 0);
	engine_expect_next(test, engine, job, 0);
	KUNIT_EXPECT_NULL(test, sluice_engine_next(engine));
	/* op 1, op 2, and op 0 of the next pass are stopped */
	engine_driver.answer = SLUICE_ABORTED_ALL;
	engine->aborting = true;
	sluice_flight_abort(engine, SLUICE_ALL_OPS, 0, -ECANCELED);
	KUNIT_EXPECT_EQ(test, job->pass, 0);
	engine_expect_next(test, engine, job, 1);
	engine_expect_next(test, engine, job, 2);
	engine_expect_next(test, engine, job, 0);
	engine_expect_done(test, engine, job, 1);
	engine_expect_done(test, engine, job, 2);
	KUNIT_EXPECT_EQ(test, job->ended, 3);
	/* there is another job: the pass that has begun is the last */
	next = engine_test_job(test, queue, 1);
	engine_expect_next(test, engine, job, 1);
	engine_expect_next(test, engine, job, 2);
	engine_expect_next(test, engine, next, 0);
	for (i = 0; i < 3; i++)
		engine_expect_done(test, engine, job, i);
	KUNIT_EXPECT_TRUE(test, engine_has_ended(job));
	KUNIT_EXPECT_EQ(test, job->result.status, 0);
	KUNIT_EXPECT_EQ(test, job->ended, 6);
	engine_expect_done(test, engine, next, 0);
	KUNIT_EXPECT_EQ(test, queue->done, 2);
	engine_test_end(engine);
}

/* A stopped pass runs again, before the jobs behind it. */
static void cycle_that_was_stopped_comes_again_before_all_others(struct kunit *test)
{
	struct sluice_engine *engine = engine_test_engine(test, &engine_kick_ops, ENGINE_DEPTH,
							  SLUICE_ENGINE_ORDERED);
	struct engine_queue *queue = engine_test_empty_queue(test, engine);
	struct sluice_sched_job *cycle = engine_test_cycle(test, engine, queue, 2), *jobs[3];
	unsigned int i;

	for (i = 0; i < 2; i++)
		engine_expect_next(test, engine, cycle, i);
	engine_expect_done(test, engine, cycle, 0);
	engine_expect_next(test, engine, cycle, 0);
	jobs[0] = engine_test_job(test, queue, 1);
	engine_expect_done(test, engine, cycle, 1);
	engine_expect_next(test, engine, cycle, 1);
	engine_expect_next(test, engine, jobs[0], 0);
	jobs[1] = engine_test_job(test, queue, 1);
	engine_test_stop(test, engine, jobs[0], SLUICE_ABORTED_ALL);
	jobs[2] = engine_test_job(test, queue, 1);

	for (i = 0; i < 2; i++)
		engine_expect_next(test, engine, cycle, i);
	for (i = 1; i < 3; i++)
		engine_expect_next(test, engine, jobs[i], 0);
	for (i = 0; i < 2; i++)
		engine_expect_done(test, engine, cycle, i);
	KUNIT_EXPECT_TRUE(test, engine_has_ended(cycle));
	KUNIT_EXPECT_EQ(test, cycle->ended, 4);
	for (i = 1; i < 3; i++)
		engine_expect_done(test, engine, jobs[i], 0);
	KUNIT_EXPECT_EQ(test, queue->done, 4);
	engine_test_end(engine);
}

/* Between two passes, no op of the next pass is handed out if there is another job. */
static void cycle_ends_between_two_passes(struct kunit *test)
{
	struct sluice_engine *engine = engine_test_engine(test, &engine_kick_ops, ENGINE_DEPTH,
							  SLUICE_ENGINE_ORDERED);
	struct engine_queue *queue = engine_test_empty_queue(test, engine);
	struct sluice_sched_job *job = engine_test_cycle(test, engine, queue, 2), *next;
	struct sluice_dispatch_plan plan;
	unsigned long flags;

	engine_expect_next(test, engine, job, 0);
	engine_expect_next(test, engine, job, 1);
	engine_expect_done(test, engine, job, 0);
	engine_expect_done(test, engine, job, 1);
	KUNIT_EXPECT_FALSE(test, job->over);
	next = engine_test_job(test, queue, 1);
	KUNIT_EXPECT_TRUE(test, job->over);
	engine_test_decide(engine, &plan);
	while (plan.decision != SLUICE_DISPATCH_GO_ON && plan.decision != SLUICE_DISPATCH_NOTHING)
		engine_test_decide(engine, &plan);
	KUNIT_EXPECT_EQ(test, plan.decision, SLUICE_DISPATCH_GO_ON);
	spin_lock_irqsave(&engine->lock, flags);
	sluice_entity_end_jobs(&queue->entity, &flags);
	spin_unlock_irqrestore(&engine->lock, flags);
	KUNIT_EXPECT_TRUE(test, engine_has_ended(job));
	engine_expect_next(test, engine, next, 0);
	engine_expect_done(test, engine, next, 0);
	KUNIT_EXPECT_EQ(test, queue->done, 2);
	engine_test_end(engine);
}

static int engine_test_refused(struct sluice_engine *engine, const struct sluice_sched_job *job)
{
	int why;

	spin_lock_irq(&engine->lock);
	why = sluice_sched_job_refused(job);
	spin_unlock_irq(&engine->lock);
	return why;
}

/* After the first ACK, an op that is not acknowledged is kept back, except the last two. */
static void cycle_waits_for_acknowledgements(struct kunit *test)
{
	struct sluice_engine *engine = engine_test_engine(test, &engine_kick_ops, ENGINE_DEPTH,
							  SLUICE_ENGINE_ORDERED);
	struct engine_queue *queue = engine_test_empty_queue(test, engine);
	struct sluice_sched_job *job = engine_test_cycle(test, engine, queue, 3);
	unsigned int i;

	for (i = 0; i < 3; i++)
		engine_expect_next(test, engine, job, i);
	sluice_sched_job_ack(job, 0);
	engine_expect_done(test, engine, job, 0);
	KUNIT_EXPECT_NULL(test, sluice_engine_next(engine));
	sluice_sched_job_ack(job, 1);
	engine_expect_next(test, engine, job, 0);
	KUNIT_EXPECT_EQ(test, job->xruns, 0);
	engine_expect_done(test, engine, job, 1);
	KUNIT_EXPECT_NULL(test, sluice_engine_next(engine));
	engine_expect_done(test, engine, job, 2);
	engine_expect_next(test, engine, job, 1);
	KUNIT_EXPECT_EQ(test, job->xruns, 1);
	/* a job that stops on an xrun must have no op in flight then */
	job->flags |= SLUICE_SUBMIT_STOP_ON_XRUN;
	KUNIT_EXPECT_NULL(test, sluice_engine_next(engine));
	engine_expect_done(test, engine, job, 0);
	KUNIT_EXPECT_EQ(test, engine_test_refused(engine, job), 0);
	engine_expect_done(test, engine, job, 1);
	KUNIT_EXPECT_EQ(test, engine_test_refused(engine, job), -EPIPE);
	KUNIT_EXPECT_NULL(test, sluice_engine_next(engine));
	KUNIT_EXPECT_FALSE(test, list_empty(&engine->look));
	engine_test_end(engine);
}

/* An error ends the jobs behind it that are in flight, but not those in front of it. */
static void chained_errors_end_only_later_jobs(struct kunit *test)
{
	struct sluice_engine *engine = engine_test_engine(test, &engine_kick_ops, ENGINE_DEPTH,
							  SLUICE_ENGINE_ORDERED);
	struct engine_queue *queue = engine_test_empty_queue(test, engine);
	struct sluice_result bad = { .status = -EIO };
	struct sluice_sched_job *jobs[5];
	struct sluice_dispatch_plan plan;
	unsigned int i;

	queue->entity.chain = true;
	for (i = 0; i < 4; i++) {
		jobs[i] = engine_test_job(test, queue, 1);
		engine_expect_next(test, engine, jobs[i], 0);
	}
	/* 2 has ended before 1 has failed, and waits for 0; 3 is in flight */
	engine_expect_done(test, engine, jobs[2], 0);
	KUNIT_EXPECT_TRUE(test, sluice_engine_done(engine, jobs[1]->ops[0].cookie, &bad));
	engine_test_decide(engine, &plan);
	KUNIT_EXPECT_EQ(test, plan.decision, SLUICE_DISPATCH_ABORT);
	KUNIT_EXPECT_EQ(test, plan.cookie, jobs[3]->ops[0].cookie);
	KUNIT_EXPECT_EQ(test, plan.status, -ECANCELED);
	/* the error was cleared meanwhile: a job that is stopped because of it sets no new error */
	engine_expect_done(test, engine, jobs[0], 0);
	KUNIT_EXPECT_TRUE(test, engine_has_ended(jobs[2]));
	sluice_entity_clear(&queue->entity);
	engine_driver.answer = SLUICE_ABORTED_ONE;
	sluice_flight_abort(engine, plan.cookie, plan.number, plan.status);
	KUNIT_EXPECT_TRUE(test, engine_has_ended(jobs[3]));
	jobs[4] = engine_test_job(test, queue, 1);
	engine_expect_next(test, engine, jobs[4], 0);
	engine_expect_done(test, engine, jobs[4], 0);
	KUNIT_EXPECT_EQ(test, jobs[0]->result.status, 0);
	KUNIT_EXPECT_EQ(test, jobs[1]->result.status, -EIO);
	KUNIT_EXPECT_EQ(test, jobs[2]->result.status, -ECANCELED);
	KUNIT_EXPECT_EQ(test, jobs[3]->result.status, -ECANCELED);
	KUNIT_EXPECT_EQ(test, jobs[4]->result.status, 0);
	KUNIT_EXPECT_EQ(test, queue->done, 5);
	engine_test_end(engine);
}

/* Add a job with one private op, which may be repeated if @repeats is set. */
static struct sluice_sched_job *engine_test_private(struct kunit *test, struct engine_queue *queue,
					      bool repeats)
{
	struct sluice_sched_job *job = engine_test_job(test, queue, 1);

	job->ops[0].kind = SLUICE_OP_PRIVATE;
	job->ops[0].payload.repeats = repeats;
	return job;
}

/* A private op that is stopped because of another runs again only if the driver allows it. */
static void private_flights_come_again_if_they_may(struct kunit *test)
{
	struct sluice_engine *engine = engine_test_engine(test, &engine_kick_ops, ENGINE_DEPTH,
							  SLUICE_ENGINE_ORDERED);
	struct engine_queue *other = engine_test_empty_queue(test, engine);
	struct engine_queue *queue = engine_test_empty_queue(test, engine);
	struct sluice_sched_job *first, *again, *once;

	first = engine_test_job(test, other, 1);
	engine_expect_next(test, engine, first, 0);
	again = engine_test_private(test, queue, true);
	once = engine_test_private(test, queue, false);
	engine_expect_next(test, engine, again, 0);
	engine_expect_next(test, engine, once, 0);
	/* the op in front of them must be stopped, and they with it */
	engine_test_stop(test, engine, first, SLUICE_ABORTED_ALL);
	engine_expect_next(test, engine, again, 0);
	KUNIT_EXPECT_EQ(test, once->result.status, -ECANCELED);
	engine_expect_done(test, engine, again, 0);
	KUNIT_EXPECT_TRUE(test, engine_has_ended(once));
	KUNIT_EXPECT_EQ(test, again->result.status, 0);
	engine_test_end(engine);
}

/*
 * Other jobs wait for an op that may not be repeated.  Meanwhile no op is handed out, because the
 * others would have to wait for that op, too, and so on.
 */
static void flights_wait_for_one_that_is_not_repeated(struct kunit *test)
{
	struct sluice_engine *engine = engine_test_engine(test, &engine_kick_ops, ENGINE_DEPTH, 0);
	struct engine_queue *queue = engine_test_empty_queue(test, engine);
	struct engine_queue *other = engine_test_empty_queue(test, engine);
	struct sluice_sched_job *late = engine_test_job(test, other, 1), *once, *next;

	engine_expect_next(test, engine, late, 0);
	once = engine_test_private(test, queue, false);
	engine_expect_next(test, engine, once, 0);
	sluice_sched_job_cancel(late);
	engine_expect_decision(test, engine, SLUICE_DISPATCH_NOTHING);
	/* the timeout of the op limits the wait */
	KUNIT_EXPECT_TRUE(test, timer_pending(&engine->timer));
	next = engine_test_private(test, queue, false);
	KUNIT_EXPECT_NULL(test, sluice_engine_next(engine));
	engine_expect_done(test, engine, once, 0);
	KUNIT_EXPECT_EQ(test, once->result.status, 0);
	KUNIT_EXPECT_NULL(test, sluice_engine_next(engine));
	engine_expect_abort(test, engine, late, SLUICE_ABORTED_ALL);
	KUNIT_EXPECT_TRUE(test, engine_has_ended(late));
	engine_expect_decision(test, engine, SLUICE_DISPATCH_KICK);
	engine_expect_next(test, engine, next, 0);
	engine_expect_done(test, engine, next, 0);
	engine_test_end(engine);
}

/* The op that must be stopped, and the op that it waits for, end before any decision. */
static void flights_are_handed_out_after_the_waiting_op_has_ended(struct kunit *test)
{
	struct sluice_engine *engine = engine_test_engine(test, &engine_kick_ops, ENGINE_DEPTH, 0);
	struct engine_queue *queue = engine_test_empty_queue(test, engine);
	struct engine_queue *other = engine_test_empty_queue(test, engine);
	struct sluice_sched_job *late = engine_test_job(test, other, 1), *once, *next;

	engine_expect_next(test, engine, late, 0);
	once = engine_test_private(test, queue, false);
	engine_expect_next(test, engine, once, 0);
	sluice_sched_job_cancel(late);
	engine_expect_decision(test, engine, SLUICE_DISPATCH_NOTHING);
	next = engine_test_job(test, queue, 1);
	KUNIT_EXPECT_NULL(test, sluice_engine_next(engine));
	engine_expect_done(test, engine, late, 0);
	KUNIT_EXPECT_NULL(test, sluice_engine_next(engine));
	engine_expect_done(test, engine, once, 0);
	engine_expect_next(test, engine, next, 0);
	engine_expect_done(test, engine, next, 0);
	engine_test_end(engine);
}

/* The revocation of memory does not wait for a protected op. */
static void flights_of_revoked_memory_do_not_wait_for_others(struct kunit *test)
{
	struct sluice_engine *engine = engine_test_engine(test, &engine_kick_ops, ENGINE_DEPTH, 0);
	struct engine_queue *queue = engine_test_empty_queue(test, engine);
	struct engine_queue *other = engine_test_empty_queue(test, engine);
	struct sluice_slot *slot = kunit_kzalloc(test, sizeof(*slot), GFP_KERNEL);
	struct sluice_sched_job *kept = engine_test_job(test, queue, 1), *job;

	KUNIT_ASSERT_NOT_NULL(test, slot);
	INIT_LIST_HEAD(&slot->revoke);
	kept->withdrawals = SLUICE_ENTITY_MAX_WITHDRAWALS;
	job = engine_test_job(test, other, 1);
	job->ops[0].num_ranges = 1;
	job->ops[0].ranges = &(struct sluice_range) { .slot = slot };
	engine_expect_next(test, engine, kept, 0);
	engine_expect_next(test, engine, job, 0);
	sluice_sched_job_cancel(job);
	engine_expect_decision(test, engine, SLUICE_DISPATCH_NOTHING);
	slot->revoked = true;
	engine->check = true;
	engine_expect_abort(test, engine, job, SLUICE_ABORTED_ONE);
	engine_expect_done(test, engine, kept, 0);
	engine_test_end(engine);
}

/* The fence of the second slot stands for the first, too, which an op still uses. */
static void revoked_slots_are_released_in_order(struct kunit *test)
{
	struct sluice_engine *engine = engine_test_engine(test, &engine_kick_ops, 1, 0);
	struct engine_queue *queue = engine_test_empty_queue(test, engine);
	struct sluice_slot *slots = kunit_kcalloc(test, 2, sizeof(*slots), GFP_KERNEL);
	struct sluice_sched_job *job = engine_test_job(test, queue, 1);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, slots);
	job->ops[0].num_ranges = 1;
	job->ops[0].ranges = &(struct sluice_range) { .slot = &slots[0] };
	engine_expect_next(test, engine, job, 0);
	for (i = 0; i < 2; i++) {
		INIT_LIST_HEAD(&slots[i].revoke);
		sluice_engine_revoke(engine, &slots[i]);
	}
	spin_lock_irq(&engine->lock);
	KUNIT_EXPECT_FALSE(test, sluice_dispatch_may_settle(engine));
	spin_unlock_irq(&engine->lock);
	engine_expect_done(test, engine, job, 0);
	spin_lock_irq(&engine->lock);
	KUNIT_EXPECT_TRUE(test, sluice_dispatch_may_settle(engine));
	KUNIT_EXPECT_PTR_EQ(test, &slots[0],
			    list_first_entry(&engine->revoked, struct sluice_slot, revoke));
	list_del_init(&slots[0].revoke);
	list_del_init(&slots[1].revoke);
	spin_unlock_irq(&engine->lock);
	engine_test_end(engine);
}

/* If a sleep fails, the ops in flight have a timeout again. */
static void flights_have_a_timeout_after_a_failed_sleep(struct kunit *test)
{
	struct sluice_engine *engine = engine_test_engine(test, &engine_kick_ops, ENGINE_DEPTH, 0);
	struct engine_queue *queue = engine_test_empty_queue(test, engine);
	struct sluice_sched_job *job = engine_test_job(test, queue, 1);
	struct sluice_dispatch_plan plan;

	engine_expect_next(test, engine, job, 0);
	job->deadline = jiffies;
	sluice_engine_stop(engine, false);
	sluice_dispatch_resume(engine);
	engine->check = true;
	engine_test_decide(engine, &plan);
	KUNIT_EXPECT_NE(test, plan.decision, SLUICE_DISPATCH_ABORT);
	job->deadline = jiffies;
	engine->check = true;
	engine_test_decide(engine, &plan);
	KUNIT_EXPECT_EQ(test, plan.decision, SLUICE_DISPATCH_ABORT);
	KUNIT_EXPECT_EQ(test, plan.status, -ETIME);
	engine_driver.answer = SLUICE_ABORTED_ONE;
	sluice_flight_abort(engine, plan.cookie, plan.number, -ECANCELED);
	KUNIT_EXPECT_TRUE(test, engine_has_ended(job));
	engine_test_end(engine);
}

static struct kunit_case engine_cases[] = {
	KUNIT_CASE(engine_looks_do_not_starve_ready_jobs),
	KUNIT_CASE(engine_times_a_job_that_SUBMIT_has_not_passed_on),
	KUNIT_CASE(engine_times_out_a_job_during_SUBMIT),
	KUNIT_CASE(engine_starts_ops_behind_empty_jobs),
	KUNIT_CASE(engine_counts_ops_before_it_looks_at_them),
	KUNIT_CASE(engine_checks_fences_before_it_ends_a_late_job),
	KUNIT_CASE(flights_end_in_any_order_and_jobs_in_theirs),
	KUNIT_CASE(flights_are_ended_once),
	KUNIT_CASE(flights_of_a_queue_wait_for_each_other),
	KUNIT_CASE(flights_stopped_without_need_come_again_in_order),
	KUNIT_CASE(flights_behind_one_that_hangs_lose_no_time),
	KUNIT_CASE(flights_behind_one_that_has_ended_are_stopped),
	KUNIT_CASE(flights_that_come_again_pass_over_jobs_that_are_over),
	KUNIT_CASE(flights_are_not_stopped_for_others_for_ever),
	KUNIT_CASE(flights_in_the_way_of_a_kept_one_are_stopped),
	KUNIT_CASE(flights_that_are_never_taken_end),
	KUNIT_CASE(flights_count_losses_from_the_first_frame_on),
	KUNIT_CASE(private_flights_come_again_if_they_may),
	KUNIT_CASE(flights_wait_for_one_that_is_not_repeated),
	KUNIT_CASE(flights_are_handed_out_after_the_waiting_op_has_ended),
	KUNIT_CASE(flights_of_revoked_memory_do_not_wait_for_others),
	KUNIT_CASE(flights_have_a_timeout_after_a_failed_sleep),
	KUNIT_CASE(revoked_slots_are_released_in_order),
	KUNIT_CASE(chained_errors_end_only_later_jobs),
	KUNIT_CASE(cycle_goes_round_and_ends_before_the_next_job),
	KUNIT_CASE(cycle_that_was_stopped_comes_again_before_all_others),
	KUNIT_CASE(cycle_ends_between_two_passes),
	KUNIT_CASE(cycle_waits_for_acknowledgements),
	{ }
};

static struct kunit_suite engine_suite = {
	.name = "sluice-engine",
	.test_cases = engine_cases,
};
kunit_test_suite(engine_suite);
