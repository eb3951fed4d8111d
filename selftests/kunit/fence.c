// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit: points on a timeline, in order and across the 32-bit wrap.  Included
 * by drivers/core/fence.c.
 */
#include <kunit/test.h>
#include <linux/dma-resv.h>

static struct dma_fence *fence_at(struct kunit *test, u64 context, u64 seqno)
{
	static const struct sluice_timeline timeline = { .name = "kunit-timeline" };
	struct dma_fence *fence = sluice_fence_create(&timeline);

	KUNIT_ASSERT_NOT_NULL(test, fence);
	sluice_fence_init(fence, context, seqno);
	return fence;
}

static void fence_end(struct dma_fence *fence)
{
	dma_fence_signal(fence);
	dma_fence_put(fence);
}

static void fence_later_is_later(struct kunit *test)
{
	static const u64 seqnos[] = {
		1, 2, S32_MAX, (u64)S32_MAX + 1, U32_MAX - 1ULL, U32_MAX, U32_MAX + 1ULL,
		U32_MAX + 2ULL, (1ULL << 33) + 1, S64_MAX, (u64)S64_MAX + 1, U64_MAX - 1, U64_MAX,
	};
	u64 context = dma_fence_context_alloc(1);
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(seqnos); i++) {
		struct dma_fence *a = fence_at(test, context, seqnos[i]);

		KUNIT_EXPECT_EQ(test, a->seqno, seqnos[i]);
		for (j = 0; j < ARRAY_SIZE(seqnos); j++) {
			struct dma_fence *b = fence_at(test, context, seqnos[j]);

			KUNIT_EXPECT_EQ(test, dma_fence_is_later(a, b), i > j);
			KUNIT_EXPECT_PTR_EQ(test, dma_fence_later(a, b), i > j ? a : b);
			fence_end(b);
		}
		fence_end(a);
	}
}

/* A reservation keeps only the later of two fences of one timeline. */
static void fence_replaces_its_predecessor_across_the_wrap(struct kunit *test)
{
	u64 context = dma_fence_context_alloc(1);
	struct dma_fence *old = fence_at(test, context, U32_MAX);
	struct dma_fence *new = fence_at(test, context, U32_MAX + 1ULL);
	struct dma_resv_iter cursor;
	struct dma_fence *fence;
	unsigned int count = 0;
	struct dma_resv *resv;

	resv = kunit_kzalloc(test, sizeof(*resv), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, resv);
	dma_resv_init(resv);
	KUNIT_ASSERT_EQ(test, dma_resv_lock(resv, NULL), 0);
	KUNIT_ASSERT_EQ(test, dma_resv_reserve_fences(resv, 2), 0);
	dma_resv_add_fence(resv, old, DMA_RESV_USAGE_WRITE);
	dma_resv_add_fence(resv, new, DMA_RESV_USAGE_WRITE);
	dma_resv_for_each_fence(&cursor, resv, DMA_RESV_USAGE_WRITE, fence) {
		KUNIT_EXPECT_PTR_EQ(test, fence, new);
		count++;
	}
	KUNIT_EXPECT_EQ(test, count, 1);
	dma_resv_unlock(resv);
	fence_end(old);
	fence_end(new);
	dma_resv_fini(resv);
}

static void fence_carries_names_error_and_time(struct kunit *test)
{
	struct dma_fence *fence = fence_at(test, dma_fence_context_alloc(1), 7);
	ktime_t when = ns_to_ktime(123456789);

	KUNIT_EXPECT_STREQ(test, sluice_fence_driver_name(fence), "sluice");
	KUNIT_EXPECT_STREQ(test, sluice_fence_timeline_name(fence), "kunit-timeline");
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(fence), 0);
	KUNIT_EXPECT_FALSE(test, dma_fence_is_signaled(fence));
	dma_fence_set_error(fence, -ETIME);
	dma_fence_signal_timestamp(fence, when);
	KUNIT_EXPECT_TRUE(test, dma_fence_is_signaled(fence));
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(fence), -ETIME);
	KUNIT_EXPECT_EQ(test, ktime_to_ns(fence->timestamp), ktime_to_ns(when));
	dma_fence_put(fence);
}

static void fence_keeps_the_whole_name_of_its_timeline(struct kunit *test)
{
	struct sluice_timeline timeline = {};
	struct dma_fence *fence;

	memset(timeline.name, 'n', sizeof(timeline.name) - 1);
	fence = sluice_fence_create(&timeline);
	KUNIT_ASSERT_NOT_NULL(test, fence);
	/* the fence outlives the timeline */
	memset(timeline.name, 0, sizeof(timeline.name));
	sluice_fence_init(fence, dma_fence_context_alloc(1), 1);
	KUNIT_EXPECT_EQ(test, strlen(sluice_fence_timeline_name(fence)),
			sizeof(timeline.name) - 1);
	fence_end(fence);
}

static struct kunit_case fence_cases[] = {
	KUNIT_CASE(fence_later_is_later),
	KUNIT_CASE(fence_replaces_its_predecessor_across_the_wrap),
	KUNIT_CASE(fence_carries_names_error_and_time),
	KUNIT_CASE(fence_keeps_the_whole_name_of_its_timeline),
	{ }
};

static struct kunit_suite fence_suite = {
	.name = "sluice-fence",
	.test_cases = fence_cases,
};
kunit_test_suite(fence_suite);
