// SPDX-License-Identifier: GPL-2.0-only
/* KUnit: how many dma_resv are locked at once.  Included by drivers/core/resv.c. */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/kthread.h>

#define RESV_COUNT	6
#define RESV_ROUNDS	300

/* Two threads that want the same reservations in opposite orders. */
struct resv_locker {
	struct sluice_resv_set set;
	unsigned int *shared;
	struct completion done;
	int ret;
};

static int resv_locker(void *data)
{
	struct resv_locker *locker = data;
	unsigned int round, i;

	for (round = 0; round < RESV_ROUNDS; round++) {
		struct ww_acquire_ctx ctx;

		locker->ret = sluice_resv_lock(&locker->set, &ctx);
		if (locker->ret)
			break;
		for (i = 0; i < locker->set.num_entries; i++)
			dma_resv_assert_held(locker->set.entries[i].resv);
		/* not atomic: only the locks protect it */
		i = *locker->shared;
		cond_resched();
		*locker->shared = i + 1;
		sluice_resv_unlock(&locker->set, &ctx);
	}
	complete(&locker->done);
	return 0;
}

static void opposite_orders_back_off(struct kunit *test)
{
	struct sluice_resv_entry entries[2][RESV_COUNT];
	struct resv_locker lockers[2];
	struct task_struct *tasks[2];
	struct dma_resv *resvs;
	unsigned int i, n, shared = 0;

	resvs = kunit_kcalloc(test, RESV_COUNT, sizeof(*resvs), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, resvs);
	for (i = 0; i < RESV_COUNT; i++) {
		dma_resv_init(&resvs[i]);
		entries[0][i] = (struct sluice_resv_entry) { .resv = &resvs[i] };
		entries[1][i] = (struct sluice_resv_entry) { .resv = &resvs[RESV_COUNT - 1 - i] };
	}
	for (n = 0; n < 2; n++) {
		lockers[n] = (struct resv_locker) { .shared = &shared };
		init_completion(&lockers[n].done);
		lockers[n].set.entries = entries[n];
		lockers[n].set.num_entries = RESV_COUNT;
	}
	for (n = 0; n < 2; n++)
		tasks[n] = kthread_run(resv_locker, &lockers[n], "sluice-kunit-%u", n);
	for (n = 0; n < 2; n++) {
		if (IS_ERR(tasks[n])) {
			KUNIT_FAIL(test, "no thread");
			continue;
		}
		wait_for_completion(&lockers[n].done);
		KUNIT_EXPECT_EQ(test, lockers[n].ret, 0);
	}
	KUNIT_EXPECT_EQ(test, shared, 2 * RESV_ROUNDS);
	for (i = 0; i < RESV_COUNT; i++) {
		KUNIT_EXPECT_FALSE(test, dma_resv_is_locked(&resvs[i]));
		dma_resv_fini(&resvs[i]);
	}
}

static struct kunit_case resv_cases[] = {
	KUNIT_CASE_SLOW(opposite_orders_back_off),
	{ }
};

static struct kunit_suite resv_suite = {
	.name = "sluice-resv",
	.test_cases = resv_cases,
};
kunit_test_suite(resv_suite);
