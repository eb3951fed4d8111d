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
		job->base.deps = NULL;
		job->max_deps = cases[i].max;
		job->deps_apart = cases[i].max > SLUICE_JOB_INLINE_DEPS;
		if (job->deps_apart) {
			job->base.deps = kvcalloc(cases[i].max, sizeof(*job->base.deps), GFP_KERNEL);
			KUNIT_ASSERT_NOT_NULL(test, job->base.deps);
		}
		KUNIT_EXPECT_EQ(test, sluice_job_try_free(job), cases[i].freed);
		sluice_job_drop_deps(job);
	}
}

/* Jobs of one call share memory.  The memory is freed with the last of them. */
static void jobs_of_a_call_share_a_block(struct kunit *test)
{
	struct sluice_queue *queue = kunit_kzalloc(test, sizeof(*queue), GFP_KERNEL);
	struct sluice_submit args = {};
	struct sluice_job_block *block = NULL, *first = NULL;
	struct sluice_job *jobs[40];
	unsigned int i, blocks = 0;

	KUNIT_ASSERT_NOT_NULL(test, queue);
	kref_init(&queue->ref);
	for (i = 0; i < ARRAY_SIZE(jobs); i++) {
		jobs[i] = sluice_job_create(queue, &args, 0, &block, ARRAY_SIZE(jobs) - i);
		KUNIT_ASSERT_NOT_NULL(test, jobs[i]);
		first = first ?: block;
		blocks += !i || jobs[i]->block != jobs[i - 1]->block;
		KUNIT_EXPECT_PTR_EQ(test, jobs[i]->block, block);
		KUNIT_EXPECT_LE(test, block->used, block->size);
		KUNIT_EXPECT_LE(test, struct_size(block, memory, block->size / sizeof(u64)),
				SLUICE_JOB_BLOCK_SIZE);
	}
	KUNIT_EXPECT_EQ(test, refcount_read(&first->jobs), first->size / sizeof(*jobs[0]));
	KUNIT_EXPECT_EQ(test, blocks,
			DIV_ROUND_UP(ARRAY_SIZE(jobs), first->size / sizeof(*jobs[0])));
	for (i = 0; i < ARRAY_SIZE(jobs); i++) {
		KUNIT_EXPECT_TRUE(test, sluice_job_try_free(jobs[i]));
		sluice_job_free(jobs[i], NULL, NULL);
	}
}

/* On 32-bit machines, the arrays of a job may end at an odd multiple of 4. */
static void jobs_of_a_block_are_aligned(struct kunit *test)
{
	size_t bytes = sizeof(struct sluice_job) + sizeof(u32);
	struct sluice_job_block *block = NULL;
	struct sluice_job *first = sluice_job_alloc(NULL, bytes, &block, 2);
	struct sluice_job *second = sluice_job_alloc(NULL, bytes, &block, 1);

	KUNIT_ASSERT_NOT_NULL(test, first);
	KUNIT_ASSERT_PTR_EQ(test, second->block, block);
	KUNIT_EXPECT_PTR_EQ(test, first->block, second->block);
	KUNIT_EXPECT_TRUE(test, IS_ALIGNED((unsigned long)second, sizeof(u64)));
	KUNIT_EXPECT_LE(test, block->used, block->size);
	kvfree(block);
}

/* A job of a queue, freed at once.  Returns where its memory was; only for comparisons. */
static void *job_test_cycle(struct kunit *test, struct sluice_queue *queue, unsigned int ranges)
{
	struct sluice_job_block *block = NULL;
	struct sluice_submit args = { .user_data = 1 };
	struct sluice_job *job = sluice_job_create(queue, &args, ranges, &block, 1);
	struct sluice_job *memory = job;

	KUNIT_ASSERT_NOT_NULL(test, job);
	KUNIT_EXPECT_NULL(test, job->notify);
	KUNIT_EXPECT_LE(test, block->used, block->size);
	/* what the next job must not find */
	job->notify = (void *)job;
	KUNIT_EXPECT_TRUE(test, sluice_job_try_free(job));
	sluice_job_free(job, NULL, queue);
	return memory;
}

/* A queue keeps the memory of one job, if it is not large, until it is freed. */
static void jobs_leave_their_memory_to_the_next(struct kunit *test)
{
	struct sluice_queue *queue = kunit_kzalloc(test, sizeof(*queue), GFP_KERNEL);
	unsigned int large = SLUICE_JOB_SPARE_SIZE / sizeof(struct sluice_range);
	struct sluice_job_block *spare;
	void *memory;

	KUNIT_ASSERT_NOT_NULL(test, queue);
	kref_init(&queue->ref);
	memory = job_test_cycle(test, queue, 4);
	spare = queue->spare;
	KUNIT_ASSERT_NOT_NULL(test, spare);
	KUNIT_EXPECT_PTR_EQ(test, job_test_cycle(test, queue, 4), memory);
	KUNIT_EXPECT_PTR_EQ(test, job_test_cycle(test, queue, 0), memory);
	KUNIT_EXPECT_PTR_EQ(test, queue->spare, (void *)spare);
	/* there is room for as many ranges as before, and not for one more */
	job_test_cycle(test, queue, 5);
	spare = queue->spare;
	KUNIT_EXPECT_GT(test, spare->size, sizeof(struct sluice_job) +
			4 * (sizeof(struct sluice_range) + sizeof(struct sluice_resv_entry)));
	job_test_cycle(test, queue, large);
	KUNIT_EXPECT_NULL(test, queue->spare);
	/* a job that ends while its queue is freed */
	queue->spare = ERR_PTR(-ENXIO);
	memory = kvzalloc(sizeof(*spare), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, memory);
	sluice_job_free_block(memory, queue);
	KUNIT_EXPECT_PTR_EQ(test, queue->spare, ERR_PTR(-ENXIO));
}

static struct kunit_case job_cases[] = {
	KUNIT_CASE(jobs_leave_their_memory_to_the_next),
	KUNIT_CASE(jobs_of_a_block_are_aligned),
	KUNIT_CASE(jobs_of_a_call_share_a_block),
	KUNIT_CASE(large_arrays_are_left_to_the_work_item),
	{ }
};

static struct kunit_suite job_suite = {
	.name = "sluice-job",
	.test_cases = job_cases,
};
kunit_test_suite(job_suite);
