// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit: the order of decisions.  Included by drivers/core/engine.c.
 */
#include <kunit/test.h>

#define ENGINE_QUEUES	100

static struct sluice_queue *engine_test_queue(struct kunit *test, struct sluice_engine *engine)
{
	struct sluice_queue *queue = kunit_kzalloc(test, sizeof(*queue), GFP_KERNEL);
	struct sluice_job *job = kunit_kzalloc(test, sizeof(*job), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, queue);
	KUNIT_ASSERT_NOT_NULL(test, job);
	queue->engine = engine;
	sluice_entity_init(&queue->entity, 1, SLUICE_DEFAULT_TIMEOUT_MS);
	job->queue = queue;
	job->submitted = jiffies;
	list_add_tail(&job->link, &queue->entity.jobs);
	return queue;
}

/*
 * However fast queues come that are to be looked at, one that is ready has its turn, and
 * they have theirs.
 */
static void engine_looks_keep_no_ready_job_from_it(struct kunit *test)
{
	struct sluice_queue **queues, *ready;
	struct sluice_device *sdev;
	struct sluice_engine *engine;
	enum sluice_decision decision;
	struct sluice_job *job;
	unsigned int i, looks = 0;
	int status = 0;

	sdev = kunit_kzalloc(test, struct_size(sdev, engines, 1), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, sdev);
	queues = kunit_kcalloc(test, ENGINE_QUEUES, sizeof(*queues), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, queues);
	engine = &sdev->engines[0];
	sluice_engine_init(engine, sdev, 0);
	engine->dispatching = true;	/* so that nobody else is asked to */
	for (i = 0; i < ENGINE_QUEUES; i++) {
		queues[i] = engine_test_queue(test, engine);
		job = sluice_entity_first(&queues[i]->entity);
		atomic_set(&job->waiting, 1);
		job->armed = true;
	}
	ready = engine_test_queue(test, engine);

	spin_lock_irq(&engine->lock);
	for (i = 0; i < ENGINE_QUEUES; i++)
		list_add_tail(&queues[i]->entity.node, &engine->look);
	list_add_tail(&ready->entity.node, &engine->ready[1]);
	for (i = 0; i < ENGINE_QUEUES; i++) {
		decision = sluice_engine_decide(engine, &job, &status);
		if (decision == SLUICE_START)
			break;
		looks += decision == SLUICE_AGAIN;
		/* it comes again at once */
		list_add_tail(&job->queue->entity.node, &engine->look);
	}
	spin_unlock_irq(&engine->lock);
	KUNIT_EXPECT_EQ(test, decision, SLUICE_START);
	KUNIT_EXPECT_PTR_EQ(test, job, sluice_entity_first(&ready->entity));
	KUNIT_EXPECT_EQ(test, looks, SLUICE_MOST_LOOKS);

	/* while it runs, and when nothing is ready, the others are looked at */
	spin_lock_irq(&engine->lock);
	for (looks = 0; looks < ENGINE_QUEUES; looks++) {
		if (looks == ENGINE_QUEUES / 2)
			engine->running = NULL;
		decision = sluice_engine_decide(engine, &job, &status);
		if (decision != SLUICE_AGAIN)
			break;
	}
	spin_unlock_irq(&engine->lock);
	KUNIT_EXPECT_EQ(test, looks, ENGINE_QUEUES);
	for (i = 0; i < ENGINE_QUEUES; i++)
		timer_shutdown_sync(&queues[i]->entity.timer);
	timer_shutdown_sync(&ready->entity.timer);
	timer_shutdown_sync(&engine->timer);
}

/* The task may lose the CPU before the engine has the job: then it is late some time. */
static void engine_limits_what_SUBMIT_has_not_passed_on(struct kunit *test)
{
	struct sluice_device *sdev;
	struct sluice_queue *queue;
	struct sluice_job *job;

	sdev = kunit_kzalloc(test, struct_size(sdev, engines, 1), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, sdev);
	sluice_engine_init(&sdev->engines[0], sdev, 0);
	queue = engine_test_queue(test, &sdev->engines[0]);
	job = sluice_entity_first(&queue->entity);
	list_del_init(&job->link);
	kref_init(&job->ref);
	KUNIT_EXPECT_EQ(test, sluice_engine_add(queue->engine, job), 0);
	KUNIT_EXPECT_FALSE(test, timer_pending(&queue->entity.timer));
	list_del_init(&job->link);
	job->preempted = true;
	KUNIT_EXPECT_EQ(test, sluice_engine_add(queue->engine, job), 0);
	KUNIT_EXPECT_TRUE(test, timer_pending(&queue->entity.timer));
	timer_shutdown_sync(&queue->entity.timer);
	timer_shutdown_sync(&sdev->engines[0].timer);
}

/* Whose time is up while SUBMIT decides has found it busy: SUBMIT sees to it. */
static void engine_limits_what_runs_beside_SUBMIT(struct kunit *test)
{
	struct sluice_history history = {};
	struct sluice_job *running, *empty;
	struct sluice_device *sdev;
	struct sluice_engine *engine;
	struct sluice_queue *queue;

	sdev = kunit_kzalloc(test, struct_size(sdev, engines, 1), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, sdev);
	engine = &sdev->engines[0];
	sluice_engine_init(engine, sdev, 0);
	running = sluice_entity_first(&engine_test_queue(test, engine)->entity);
	queue = engine_test_queue(test, engine);
	spin_lock_init(&queue->lock);
	init_waitqueue_head(&queue->wait);
	queue->history = &history;
	queue->depth = 1;
	queue->in_flight = 1;
	empty = sluice_entity_first(&queue->entity);
	empty->flags = SLUICE_SUBMIT_NO_COMPLETION;
	kref_init(&empty->ref);
	kref_get(&empty->ref);

	spin_lock_irq(&engine->lock);
	sluice_engine_take(engine, running);
	/* its timer has gone off */
	KUNIT_EXPECT_FALSE(test, timer_pending(&engine->timer));
	sluice_engine_end_now(engine, empty);
	spin_unlock_irq(&engine->lock);
	KUNIT_EXPECT_TRUE(test, list_empty(&empty->link));
	KUNIT_EXPECT_TRUE(test, timer_pending(&engine->timer));
	timer_shutdown_sync(&queue->entity.timer);
	timer_shutdown_sync(&running->queue->entity.timer);
	timer_shutdown_sync(&engine->timer);
}

/* One that came late to the front: its fences may have signalled before it was late. */
static void engine_asks_for_fences_before_it_says_late(struct kunit *test)
{
	enum sluice_decision decision;
	struct sluice_device *sdev;
	struct sluice_engine *engine;
	struct sluice_queue *queue;
	struct sluice_job *job;
	int status = 0;

	sdev = kunit_kzalloc(test, struct_size(sdev, engines, 1), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, sdev);
	engine = &sdev->engines[0];
	sluice_engine_init(engine, sdev, 0);
	engine->dispatching = true;	/* so that nobody else is asked to */
	queue = engine_test_queue(test, engine);
	job = sluice_entity_first(&queue->entity);
	atomic_set(&job->waiting, 1);
	job->submitted = jiffies - 2 * msecs_to_jiffies(SLUICE_IN_FENCE_TIMEOUT_MS);

	spin_lock_irq(&engine->lock);
	list_add_tail(&queue->entity.node, &engine->look);
	decision = sluice_engine_decide(engine, &job, &status);
	KUNIT_EXPECT_EQ(test, decision, SLUICE_ARM);
	/* they have not: it ends at once, and the next one of the queue is not kept waiting */
	decision = sluice_engine_decide(engine, &job, &status);
	KUNIT_EXPECT_EQ(test, decision, SLUICE_END);
	KUNIT_EXPECT_EQ(test, status, -ETIME);
	spin_unlock_irq(&engine->lock);
	timer_shutdown_sync(&queue->entity.timer);
	timer_shutdown_sync(&engine->timer);
}

static struct kunit_case engine_cases[] = {
	KUNIT_CASE(engine_looks_keep_no_ready_job_from_it),
	KUNIT_CASE(engine_limits_what_SUBMIT_has_not_passed_on),
	KUNIT_CASE(engine_limits_what_runs_beside_SUBMIT),
	KUNIT_CASE(engine_asks_for_fences_before_it_says_late),
	{ }
};

static struct kunit_suite engine_suite = {
	.name = "sluice-engine",
	.test_cases = engine_cases,
};
kunit_test_suite(engine_suite);
