// SPDX-License-Identifier: GPL-2.0-only
/* KUnit: a fence that comes several times is waited for once.  Included by drivers/core/deps.c. */
#include <kunit/test.h>

#define DEPS_FENCES	700
#define DEPS_TIMES	3

/* Add each of @count fences several times, the last time half of them as explicit in-fences. */
static void deps_unite(struct kunit *test, unsigned int count)
{
	static const struct sluice_timeline timeline = { .name = "kunit-deps" };
	u64 context = dma_fence_context_alloc(1);
	struct dma_fence **fences;
	struct sluice_job *job;
	unsigned int i, times;

	job = kunit_kzalloc(test, sizeof(*job) +
			    SLUICE_JOB_INLINE_DEPS * sizeof(*job->base.deps), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, job);
	fences = kunit_kcalloc(test, DEPS_FENCES, sizeof(*fences), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, fences);
	job->base.deps = (void *)job->ops;
	job->max_deps = SLUICE_JOB_INLINE_DEPS;
	for (i = 0; i < count; i++) {
		fences[i] = sluice_fence_create(&timeline);
		KUNIT_ASSERT_NOT_NULL(test, fences[i]);
		sluice_fence_init(fences[i], context, i + 1);
	}
	for (times = 1; times <= DEPS_TIMES; times++)
		for (i = 0; i < count; i++)
			KUNIT_ASSERT_EQ(test, sluice_deps_add(job, dma_fence_get(fences[i]),
								 times == DEPS_TIMES && i % 2), 0);
	KUNIT_EXPECT_EQ(test, sluice_deps_unite(&job->base), 0);
	KUNIT_EXPECT_EQ(test, job->base.num_deps, count);
	for (i = 0; i < count; i++) {
		KUNIT_EXPECT_PTR_EQ(test, job->base.deps[i].fence, fences[i]);
		KUNIT_EXPECT_EQ(test, job->base.deps[i].explicit, i % 2);
		/* the reference of the test, and that of the one entry */
		KUNIT_EXPECT_EQ(test, kref_read(&fences[i]->refcount), 2);
	}
	for (i = 0; i < count; i++)
		dma_fence_put(job->base.deps[i].fence);
	sluice_job_set_deps(job, NULL, 0);
	for (i = 0; i < count; i++) {
		dma_fence_signal(fences[i]);
		dma_fence_put(fences[i]);
	}
}

static void deps_few_are_united(struct kunit *test)
{
	unsigned int count;

	for (count = 0; count < 20; count++)
		deps_unite(test, count);
}

static void deps_many_are_united(struct kunit *test)
{
	deps_unite(test, DEPS_FENCES);
}

static struct kunit_case deps_cases[] = {
	KUNIT_CASE(deps_few_are_united),
	KUNIT_CASE(deps_many_are_united),
	{ }
};

static struct kunit_suite deps_suite = {
	.name = "sluice-deps",
	.test_cases = deps_cases,
};
kunit_test_suite(deps_suite);
