// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit: the input signals of engines, and the events about them.  Included by
 * drivers/core/source.c.
 */
#include <kunit/test.h>

#include "event.h"

struct source_test {
	struct sluice_device *sdev;
	struct sluice_event_reader reader;
};

static int source_test_init(struct kunit *test)
{
	struct source_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, t);
	t->sdev = kunit_kzalloc(test, sizeof(*t->sdev), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, t->sdev);
	t->sdev->num_engines = 2;
	t->sdev->reap_wq = alloc_workqueue("sluice-kunit", WQ_UNBOUND, 0);
	KUNIT_ASSERT_NOT_NULL(test, t->sdev->reap_wq);
	KUNIT_ASSERT_EQ(test, sluice_events_create(t->sdev), 0);
	KUNIT_ASSERT_EQ(test, sluice_sources_create(t->sdev), 0);
	sluice_event_reader_init(t->sdev, &t->reader);
	test->priv = t;
	return 0;
}

static void source_test_exit(struct kunit *test)
{
	struct source_test *t = test->priv;

	if (!t)
		return;
	sluice_events_close(t->sdev);
	destroy_workqueue(t->sdev->reap_wq);
	sluice_sources_free(t->sdev);
	sluice_events_free(t->sdev);
}

static void source_is_told_when_it_changes(struct kunit *test)
{
	struct sluice_source source = { .engine = 1, .status = SLUICE_SOURCE_SIGNAL }, got;
	struct source_test *t = test->priv;
	struct sluice_event event;

	KUNIT_EXPECT_EQ(test, sluice_source_get(t->sdev, 1, &got), -EOPNOTSUPP);
	sluice_device_source(t->sdev, &source);
	sluice_device_source(t->sdev, &source);
	KUNIT_ASSERT_TRUE(test, sluice_event_peek(t->sdev, &t->reader, &event));
	KUNIT_EXPECT_EQ(test, event.sequence, 1ULL);
	source.width = 640;
	sluice_device_source(t->sdev, &source);
	KUNIT_EXPECT_EQ(test, sluice_source_get(t->sdev, 0, &got), -EOPNOTSUPP);
	KUNIT_ASSERT_EQ(test, sluice_source_get(t->sdev, 1, &got), 0);
	KUNIT_EXPECT_EQ(test, got.width, 640U);
	KUNIT_ASSERT_TRUE(test, sluice_event_peek(t->sdev, &t->reader, &event));
	KUNIT_EXPECT_EQ(test, event.type, (u32)SLUICE_EVENT_SOURCE);
	KUNIT_EXPECT_EQ(test, event.id, 1U);
	KUNIT_EXPECT_EQ(test, event.value, (s64)SLUICE_SOURCE_SIGNAL);
	KUNIT_EXPECT_EQ(test, event.lost, 1ULL);
}

static struct kunit_case source_cases[] = {
	KUNIT_CASE(source_is_told_when_it_changes),
	{ }
};

static struct kunit_suite source_suite = {
	.name = "sluice-sources",
	.init = source_test_init,
	.exit = source_test_exit,
	.test_cases = source_cases,
};
kunit_test_suite(source_suite);
