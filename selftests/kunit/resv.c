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

static int resv_test_pin(struct dma_buf_attachment *attach)
{
	return 0;
}

static const struct dma_buf_ops resv_pin_ops = { .pin = resv_test_pin };
static const struct dma_buf_ops resv_static_ops = {};
static const struct dma_buf_ops resv_our_ops = { .release = sluice_dmabuf_release };

/* An entry for each kind of exporter: with a pin op, without one, and ours. */
static void explicit_slots_lock_what_may_be_taken_back(struct kunit *test)
{
	static const struct {
		const struct dma_buf_ops *ops;
		u32 flags;
		bool told;
		unsigned int entries, fences;
	} cases[] = {
		{ &resv_pin_ops, SLUICE_ATTACH_EXPLICIT, true, 1, 1 },
		{ &resv_static_ops, SLUICE_ATTACH_EXPLICIT, true, 1, 0 },
		{ &resv_static_ops, SLUICE_ATTACH_EXPLICIT, false, 0, 0 },
		{ &resv_our_ops, SLUICE_ATTACH_EXPLICIT, true, 0, 0 },
		{ &resv_static_ops, 0, true, 1, 1 },
		{ &resv_our_ops, 0, false, 1, 1 },
	};
	static const struct dma_buf_attach_ops told;
	struct dma_buf_attachment attach = {};
	struct sluice_resv_entry entries[2];
	struct dma_buf *dmabuf;
	struct dma_resv *resv;
	unsigned int i;

	dmabuf = kunit_kzalloc(test, sizeof(*dmabuf), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, dmabuf);
	resv = kunit_kzalloc(test, sizeof(*resv), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, resv);
	dmabuf->resv = resv;
	dmabuf->priv = dmabuf;	/* in place of a buffer of ours */
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sluice_resv_set set = { .entries = entries };
		struct sluice_slot slot = {
			.dmabuf = dmabuf, .attach = &attach, .flags = cases[i].flags,
		};

		dmabuf->ops = cases[i].ops;
		attach.importer_ops = cases[i].told ? &told : NULL;
		sluice_resv_add(&set, &slot, true);
		KUNIT_EXPECT_EQ_MSG(test, set.num_entries, cases[i].entries, "case %u", i);
		KUNIT_EXPECT_EQ_MSG(test, set.num_fences, cases[i].fences, "case %u", i);
		/* the same buffer through an implicit slot */
		slot.flags = 0;
		sluice_resv_add(&set, &slot, false);
		KUNIT_EXPECT_EQ_MSG(test, set.num_entries, 1U, "case %u", i);
		KUNIT_EXPECT_EQ_MSG(test, set.num_fences, 1U, "case %u", i);
		KUNIT_EXPECT_FALSE_MSG(test, entries[0].locked_only, "case %u", i);
	}
}

static struct kunit_case resv_cases[] = {
	KUNIT_CASE(explicit_slots_lock_what_may_be_taken_back),
	KUNIT_CASE_SLOW(opposite_orders_back_off),
	{ }
};

static struct kunit_suite resv_suite = {
	.name = "sluice-resv",
	.test_cases = resv_cases,
};
kunit_test_suite(resv_suite);
