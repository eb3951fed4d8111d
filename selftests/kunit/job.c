// SPDX-License-Identifier: GPL-2.0-only
/* KUnit: the jobs that may be freed in an interrupt.  Included by drivers/core/job.c. */
#include <kunit/test.h>

/* A large array of in-fences stays large when most of its fences turn out to be the same. */
static void large_arrays_are_left_to_the_work_item(struct kunit *test)
{
	static const struct {
		unsigned int max;
		bool freed;
	} cases[] = {
		{ SLUICE_JOB_INLINE_DEPS, true },
		{ SLUICE_JOB_FREE_OPS, true },
		{ 1024, false },
	};
	struct sluice_queue *queue = kunit_kzalloc(test, sizeof(*queue), GFP_KERNEL);
	struct sluice_job *job = kunit_kzalloc(test, sizeof(*job), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, queue);
	KUNIT_ASSERT_NOT_NULL(test, job);
	job->queue = queue;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		kref_init(&queue->ref);
		kref_get(&queue->ref);
		job->base.deps = job->inline_deps;
		job->max_deps = cases[i].max;
		if (cases[i].max > SLUICE_JOB_INLINE_DEPS)
			job->base.deps = kvcalloc(cases[i].max, sizeof(*job->base.deps), GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, job->base.deps);
		KUNIT_EXPECT_EQ(test, sluice_job_try_free(job), cases[i].freed);
		sluice_job_drop_deps(job);
	}
}

static struct kunit_case job_cases[] = {
	KUNIT_CASE(large_arrays_are_left_to_the_work_item),
	{ }
};

static struct kunit_suite job_suite = {
	.name = "sluice-job",
	.test_cases = job_cases,
};
kunit_test_suite(job_suite);
