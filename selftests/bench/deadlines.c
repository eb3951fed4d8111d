// SPDX-License-Identifier: MIT
/*
 * Deadlines of fences: how early a job with one begins, and what the other jobs pay for it.
 *
 * The jobs wait for a busy engine (busy.h), in queues of one priority that are all ready.  The
 * last queue has the job with the deadline.
 */
#include <errno.h>
#include <linux/sync_file.h>
#include <unistd.h>

#include "busy.h"

#define JOBS_EACH	4	/* in each queue; the engine looks at so many */

static int fence = -1;

/* The earliest time: before all other deadlines. */
static int set_deadline(int sync_file)
{
	struct sync_set_deadline args = { .deadline_ns = 1 };

	return xioctl(sync_file, SYNC_IOC_SET_DEADLINE, &args);
}

static int submit_urgent(int queue, bool deadline)
{
	struct sluice_submit args = { .flags = SLUICE_SUBMIT_OUT_FENCE };
	int ret = busy_submit(queue, &args, 0);

	if (ret)
		return ret;
	ret = deadline ? set_deadline(args.out_fence) : 0;
	close(args.out_fence);
	return ret;
}

/* The queues take turns.  @number: which job of the last queue has the deadline, if any has. */
static int submit_beside_urgent(struct scene *scene, int number, bool deadline)
{
	int ret = busy_begin(scene, 2 * JOBS_EACH * scene->count), i, j;

	for (i = 0; i < JOBS_EACH && !ret; i++)
		for (j = 0; j < num_busy_queues && !ret; j++) {
			struct sluice_submit args = {};

			if (i == number && j == num_busy_queues - 1)
				ret = submit_urgent(busy_queues[j], deadline);
			else
				ret = busy_submit(busy_queues[j], &args, 0);
		}
	return ret;
}

/* When the jobs of a queue have ended; an op ends at once, so that is when it began. */
static int read_times(int queue, uint64_t *times)
{
	struct sluice_completion completion;
	int ret = 0, i;

	for (i = 0; i < JOBS_EACH && ret >= 0; i++) {
		ret = sluice_read(queue, &completion, 1);
		if (ret == 1 && completion.status)
			ret = completion.status;
		times[i] = completion.timestamp;
	}
	return ret < 0 ? ret : 0;
}

/* How many ops of others began before that of the job? */
static int count_before(int number, double *value)
{
	uint64_t times[BUSY_QUEUES][JOBS_EACH];
	int ret = 0, i, j;

	for (i = 0; i < num_busy_queues && !ret; i++)
		ret = read_times(busy_queues[i], times[i]);
	*value = 0;
	for (i = 0; i < num_busy_queues && !ret; i++)
		for (j = 0; j < JOBS_EACH; j++)
			*value += times[i][j] < times[num_busy_queues - 1][number];
	return ret;
}

static int ops_before(struct scene *scene, int number, bool deadline, double *value)
{
	int ret = busy_open_count(scene);
	double submitted, fired;

	if (!ret)
		ret = submit_beside_urgent(scene, number, deadline);
	submitted = now();
	if (!ret)
		ret = count_before(number, value);
	return ret ? ret : busy_fired_after(submitted, &fired);
}

static int before_first(struct scene *scene, double *value)
{
	return ops_before(scene, 0, false, value);
}

static int before_first_urgent(struct scene *scene, double *value)
{
	return ops_before(scene, 0, true, value);
}

static int before_fourth(struct scene *scene, double *value)
{
	return ops_before(scene, 3, false, value);
}

static int before_fourth_urgent(struct scene *scene, double *value)
{
	return ops_before(scene, 3, true, value);
}

static const struct steps first = { .value = before_first, .teardown = busy_close };
static const struct steps first_urgent = { .value = before_first_urgent, .teardown = busy_close };
static const struct steps fourth = { .value = before_fourth, .teardown = busy_close };
static const struct steps fourth_urgent = { .value = before_fourth_urgent, .teardown = busy_close };

/* The cost for other jobs: a fence has a deadline that signals only after all of them. */

static int open_beside_deadline(struct scene *scene)
{
	int ret = hang_begin(&fence);

	if (!ret)
		ret = set_deadline(fence);
	return ret ? ret : busy_open_count(scene);
}

static void close_beside_deadline(struct scene *scene)
{
	busy_close(scene);
	hang_end();
	close(fence);
	fence = -1;
}

static int begin_fences(struct scene *scene)
{
	return busy_begin(scene, 3 * BUSY_JOBS);
}

static int run_fences(struct scene *scene)
{
	(void)scene;
	return busy_run(BUSY_JOBS, SLUICE_SUBMIT_OUT_FENCE);
}

#define RUN(begin, run, open, close_all) { \
	.setup = open, .before = begin, .step = run, .correct = busy_correct, \
	.after = busy_read_few, .teardown = close_all, .batch = BUSY_JOBS, \
}

static const struct steps jobs = RUN(busy_begin_few, busy_run_few, busy_open_count, busy_close);
static const struct steps jobs_beside = RUN(busy_begin_few, busy_run_few, open_beside_deadline,
					       close_beside_deadline);
static const struct steps fences = RUN(begin_fences, run_fences, busy_open_count, busy_close);
static const struct steps fences_beside = RUN(begin_fences, run_fences, open_beside_deadline,
						 close_beside_deadline);

#define ORDER(which, number) \
	.unit = "ops", \
	.ours = { .name = "with a deadline", .steps = &which##_urgent, .count = number }, \
	.peers = { { .name = "without", .steps = &which, .count = number } }
#define COST(which, number) \
	.ours = { .name = "a deadline", .steps = &which##_beside, .count = number }, \
	.peers = { { .name = "no deadline", .steps = &which, .count = number } }

const struct bench deadline_benches[] = {
	{
		.area = "queues", .name = "ops before a job, 8 queues", ORDER(first, 8),
	}, {
		.area = "queues", .name = "ops before a job, 16 queues", ORDER(first, 16),
	}, {
		.area = "queues", .name = "ops before a job, 64 queues", ORDER(first, 64),
	}, {
		.area = "queues", .name = "ops before a 4th job, 16 queues", ORDER(fourth, 16),
	}, {
		.area = "queues", .name = "a job, 1 queue, a deadline", COST(jobs, 1),
	}, {
		.area = "queues", .name = "a job, 16 queues, a deadline", COST(jobs, 16),
	}, {
		.area = "queues", .name = "a job, 64 queues, a deadline", COST(jobs, 64),
	}, {
		.area = "queues", .name = "... and the jobs have fences", COST(fences, 64),
	},
};

const unsigned int num_deadline_benches = sizeof(deadline_benches) / sizeof(deadline_benches[0]);
