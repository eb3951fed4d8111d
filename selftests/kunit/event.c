// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit: the log of events, for drivers that write it and open files that read it.  Included by
 * drivers/core/event.c.
 */
#include <kunit/test.h>

struct event_test {
	struct sluice_device *sdev;
	struct sluice_event_reader reader;
};

static int event_test_init(struct kunit *test)
{
	struct event_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, t);
	t->sdev = kunit_kzalloc(test, sizeof(*t->sdev), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, t->sdev);
	KUNIT_ASSERT_EQ(test, sluice_events_create(t->sdev), 0);
	t->sdev->reap_wq = alloc_workqueue("sluice-kunit", WQ_UNBOUND, 0);
	KUNIT_ASSERT_NOT_NULL(test, t->sdev->reap_wq);
	sluice_event_reader_init(t->sdev, &t->reader);
	test->priv = t;
	return 0;
}

static void event_test_exit(struct kunit *test)
{
	struct event_test *t = test->priv;

	if (!t)
		return;
	sluice_event_leave(t->sdev, &t->reader);
	sluice_events_close(t->sdev);
	destroy_workqueue(t->sdev->reap_wq);
	sluice_events_free(t->sdev);
}

/* Read one record, like read(). */
static bool event_read(struct event_test *t, struct sluice_event *event)
{
	if (!sluice_event_peek(t->sdev, &t->reader, event))
		return false;
	sluice_event_skip(t->sdev, &t->reader, event);
	return true;
}

static void events_of_one_kind_are_one_record(struct kunit *test)
{
	struct event_test *t = test->priv;
	struct sluice_event event;
	s64 i;

	for (i = 0; i < 1000; i++)
		sluice_device_event(t->sdev, SLUICE_EVENT_DRIVER, 1, i);
	KUNIT_EXPECT_EQ(test, t->sdev->events->num_records, 1U);
	KUNIT_ASSERT_TRUE(test, event_read(t, &event));
	KUNIT_EXPECT_EQ(test, event.value, 999);
	KUNIT_EXPECT_EQ(test, event.sequence, 1000ULL);
	KUNIT_EXPECT_EQ(test, event.lost, 999ULL);
	KUNIT_EXPECT_EQ(test, event.flags, 0U);
	KUNIT_EXPECT_FALSE(test, event_read(t, &event));
}

static void events_of_other_types_with_the_same_id_are_others(struct kunit *test)
{
	struct event_test *t = test->priv;
	struct sluice_event event;

	sluice_device_event(t->sdev, SLUICE_EVENT_DRIVER, 1, 10);
	sluice_device_event(t->sdev, SLUICE_EVENT_DRIVER + 1, 1, 11);
	sluice_device_event(t->sdev, SLUICE_EVENT_CONTROL, 1, 12);
	KUNIT_ASSERT_TRUE(test, event_read(t, &event));
	KUNIT_EXPECT_EQ(test, event.value, 10);
	KUNIT_ASSERT_TRUE(test, event_read(t, &event));
	KUNIT_EXPECT_EQ(test, event.value, 11);
	KUNIT_ASSERT_TRUE(test, event_read(t, &event));
	KUNIT_EXPECT_EQ(test, event.value, 12);
}

/* An event that is replaced between peek and skip is read again, at its new place. */
static void event_that_changes_while_it_is_copied_comes_again(struct kunit *test)
{
	struct event_test *t = test->priv;
	struct sluice_event event;

	sluice_device_event(t->sdev, SLUICE_EVENT_DRIVER, 1, 1);
	sluice_device_event(t->sdev, SLUICE_EVENT_DRIVER, 2, 2);
	KUNIT_ASSERT_TRUE(test, sluice_event_peek(t->sdev, &t->reader, &event));
	sluice_device_event(t->sdev, SLUICE_EVENT_DRIVER, 1, 3);
	sluice_event_skip(t->sdev, &t->reader, &event);
	KUNIT_EXPECT_EQ(test, event.value, 1);
	KUNIT_ASSERT_TRUE(test, event_read(t, &event));
	KUNIT_EXPECT_EQ(test, event.value, 2);
	KUNIT_EXPECT_EQ(test, event.lost, 0ULL);
	KUNIT_ASSERT_TRUE(test, event_read(t, &event));
	KUNIT_EXPECT_EQ(test, event.value, 3);
	KUNIT_EXPECT_EQ(test, event.lost, 0ULL);
	KUNIT_EXPECT_FALSE(test, event_read(t, &event));
}

static void events_read_before_make_room_without_loss(struct kunit *test)
{
	struct event_test *t = test->priv;
	struct sluice_event event;
	u32 i;

	for (i = 0; i < 3 * SLUICE_MAX_EVENTS; i++) {
		sluice_device_event(t->sdev, SLUICE_EVENT_DRIVER, i, i);
		KUNIT_ASSERT_TRUE(test, event_read(t, &event));
		KUNIT_EXPECT_EQ(test, event.id, i);
		KUNIT_EXPECT_EQ(test, event.lost, 0ULL);
		KUNIT_EXPECT_EQ(test, event.flags, 0U);
	}
}

static void events_that_are_pushed_out_are_told_once(struct kunit *test)
{
	struct event_test *t = test->priv;
	struct sluice_event event;
	u32 i;

	for (i = 0; i < SLUICE_MAX_EVENTS + 2; i++)
		sluice_device_event(t->sdev, SLUICE_EVENT_DRIVER, i, i);
	KUNIT_ASSERT_TRUE(test, event_read(t, &event));
	KUNIT_EXPECT_EQ(test, event.id, 2U);
	KUNIT_EXPECT_EQ(test, event.lost, 2ULL);
	KUNIT_EXPECT_EQ(test, event.flags, SLUICE_EVENT_OVERFLOW);
	KUNIT_ASSERT_TRUE(test, event_read(t, &event));
	KUNIT_EXPECT_EQ(test, event.lost, 0ULL);
	KUNIT_EXPECT_EQ(test, event.flags, 0U);
}

static void events_come_with_interrupts_off_and_end_with_the_device(struct kunit *test)
{
	struct event_test *t = test->priv;
	struct sluice_event event;
	unsigned long flags;

	local_irq_save(flags);
	sluice_device_event(t->sdev, SLUICE_EVENT_DRIVER, 1, 1);
	local_irq_restore(flags);
	sluice_events_close(t->sdev);
	sluice_device_event(t->sdev, SLUICE_EVENT_DRIVER, 1, 2);
	KUNIT_ASSERT_TRUE(test, event_read(t, &event));
	KUNIT_EXPECT_EQ(test, event.value, 1);
	KUNIT_EXPECT_FALSE(test, event_read(t, &event));
}

/* The cost of an event depends on the opens that have read or polled, not on all opens. */
static void open_that_never_reads_is_not_in_the_list(struct kunit *test)
{
	struct event_test *t = test->priv;
	struct sluice_event event;

	KUNIT_EXPECT_TRUE(test, list_empty(&t->sdev->events->readers));
	sluice_device_event(t->sdev, SLUICE_EVENT_DRIVER, 1, 1);
	sluice_event_listen(t->sdev, &t->reader);
	sluice_event_listen(t->sdev, &t->reader);
	KUNIT_EXPECT_TRUE(test, list_is_singular(&t->sdev->events->readers));
	/* an open gets the events since it was opened */
	KUNIT_ASSERT_TRUE(test, event_read(t, &event));
	KUNIT_EXPECT_EQ(test, event.sequence, 1ULL);
	sluice_event_leave(t->sdev, &t->reader);
	KUNIT_EXPECT_TRUE(test, list_empty(&t->sdev->events->readers));
}

struct event_test_waiter {
	struct wait_queue_entry entry;
	unsigned int woken;
};

static int event_test_wake(struct wait_queue_entry *entry, unsigned int mode, int flags,
			   void *key)
{
	container_of(entry, struct event_test_waiter, entry)->woken++;
	return 0;
}

#define EVENT_OPENS	(2 * SLUICE_EVENT_CHUNK + 1)

/*
 * Between two chunks of the walk, opens come and are closed, and one of these is the next of the
 * walk.
 */
static void opens_are_woken_in_chunks(struct kunit *test)
{
	struct sluice_event_reader *readers;
	struct event_test_waiter *waiters;
	struct event_test *t = test->priv;
	struct sluice_event_log *log = t->sdev->events;
	unsigned int i, gone = EVENT_OPENS - 1 - SLUICE_EVENT_CHUNK;

	waiters = kunit_kcalloc(test, EVENT_OPENS + 1, sizeof(*waiters), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, waiters);
	readers = kunit_kcalloc(test, EVENT_OPENS + 1, sizeof(*readers), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, readers);
	for (i = 0; i <= EVENT_OPENS; i++) {
		sluice_event_reader_init(t->sdev, &readers[i]);
		init_waitqueue_func_entry(&waiters[i].entry, event_test_wake);
		add_wait_queue(&readers[i].wait, &waiters[i].entry);
		if (i < EVENT_OPENS)
			sluice_event_listen(t->sdev, &readers[i]);
	}
	/* the newest open is the first of the list */
	log->walk = log->readers.next;
	KUNIT_EXPECT_TRUE(test, sluice_event_wake_some(log));
	KUNIT_EXPECT_FALSE(test, mutex_is_locked(&log->readers_lock));
	KUNIT_EXPECT_PTR_EQ(test, log->walk, &readers[gone].link);
	sluice_event_leave(t->sdev, &readers[gone]);
	sluice_event_listen(t->sdev, &readers[EVENT_OPENS]);
	KUNIT_EXPECT_FALSE(test, sluice_event_wake_some(log));
	for (i = 0; i <= EVENT_OPENS; i++)
		KUNIT_EXPECT_EQ(test, waiters[i].woken, (i < EVENT_OPENS && i != gone) ? 1U : 0U);
	/* the event wakes all opens that are there */
	sluice_device_event(t->sdev, SLUICE_EVENT_DRIVER, 1, 1);
	flush_work(&log->wake);
	for (i = 0; i <= EVENT_OPENS; i++) {
		KUNIT_EXPECT_EQ(test, waiters[i].woken,
				i == gone ? 0U : i < EVENT_OPENS ? 2U : 1U);
		sluice_event_leave(t->sdev, &readers[i]);
	}
}

static struct kunit_case event_cases[] = {
	KUNIT_CASE(events_of_one_kind_are_one_record),
	KUNIT_CASE(events_of_other_types_with_the_same_id_are_others),
	KUNIT_CASE(event_that_changes_while_it_is_copied_comes_again),
	KUNIT_CASE(events_read_before_make_room_without_loss),
	KUNIT_CASE(events_that_are_pushed_out_are_told_once),
	KUNIT_CASE(events_come_with_interrupts_off_and_end_with_the_device),
	KUNIT_CASE(open_that_never_reads_is_not_in_the_list),
	KUNIT_CASE(opens_are_woken_in_chunks),
	{ }
};

static struct kunit_suite event_suite = {
	.name = "sluice-events",
	.init = event_test_init,
	.exit = event_test_exit,
	.test_cases = event_cases,
};
kunit_test_suite(event_suite);
