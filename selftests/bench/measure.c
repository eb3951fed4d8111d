// SPDX-License-Identifier: MIT
/* Measure a side of a case: see measure.h. */
#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "marker.h"
#include "measure.h"

#define BUDGET		60000000	/* units of time for the steps of a side */
#define MOST_STEPS	301
#define FEWEST_STEPS	3
#define MOST_TRIES	20	/* of a step that is disturbed */

static double clock_cost;

double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC_RAW, &time);
	return time.tv_sec * 1e9 + time.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static struct result summarize(double *times, unsigned int count)
{
	qsort(times, count, sizeof(*times), compare);
	return (struct result) {
		.median = times[count / 2],
		.low = times[count / 4],
		.high = times[count - 1 - count / 4],
		.steps = count,
	};
}

void measure_clock(void)
{
	double times[MOST_STEPS];
	unsigned int i;

	for (i = 0; i < MOST_STEPS; i++) {
		times[i] = now();
		MARK(MARKER_VOID);
		MARK(MARKER_VOID);
		times[i] = now() - times[i];
	}
	clock_cost = summarize(times, MOST_STEPS).median;
}

/* Measure one step, with the functions around it; what a disturbed step has begun also ends. */
static int try_step(const struct steps *steps, struct scene *scene, double *time)
{
	int ret = steps->before ? steps->before(scene) : 0, after = 0;

	if (ret)
		return ret;
	scene->began = now();
	MARK(MARKER_BEGIN);
	ret = steps->step(scene);
	MARK(MARKER_END);
	scene->ended = now();
	if (!ret && steps->correct)
		ret = steps->correct(scene);
	*time = (scene->ended - scene->began - clock_cost) / (steps->batch ?: 1);
	if ((!ret || ret == DISTURBED) && steps->after)
		after = steps->after(scene);
	if (ret == DISTURBED)
		MARK(MARKER_VOID);
	return after ? after : ret;
}

static int time_step(const struct steps *steps, struct scene *scene, double *time)
{
	int ret, tries = 0;

	do
		ret = try_step(steps, scene, time);
	while (ret == DISTURBED && ++tries < MOST_TRIES);
	return ret;
}

static unsigned int steps_for(const struct steps *steps, double time)
{
	double count = BUDGET / (time * (steps->batch ?: 1) + 1);

	if (count < FEWEST_STEPS)
		count = FEWEST_STEPS;
	if (steps->most && count > steps->most)
		count = steps->most;
	if (count > MOST_STEPS)
		count = MOST_STEPS;
	return (unsigned int)count | 1;
}

static int run_steps(const struct steps *steps, struct scene *scene, struct result *result)
{
	double times[MOST_STEPS];
	unsigned int i, count;
	int ret;

	if (steps->value) {
		*result = (struct result) { .steps = 1 };
		ret = steps->value(scene, &result->median);
		result->low = result->high = result->median;
		return ret;
	}
	ret = steps->setup ? steps->setup(scene) : 0;
	/* warm up, except for a single step; the last one tells how long a step takes */
	times[0] = 0;
	for (i = 0; steps->most != 1 && (!i || (i < 3 && times[0] < BUDGET)) && !ret; i++)
		ret = time_step(steps, scene, &times[0]);
	if (ret)
		return ret;
	MARK(MARKER_WARM);
	count = steps_for(steps, times[0]);
	for (i = 0; i < count && !ret; i++)
		ret = time_step(steps, scene, &times[i]);
	*result = summarize(times, count);
	return ret;
}

static void close_fds(const int *fds, unsigned int count)
{
	while (count--)
		if (fds[count] >= 0)
			close(fds[count]);
}

static int try_side(const struct bench *bench, const struct side *side, struct result *result)
{
	struct scene scene = {
		.exporter = side->exporter,
		.size = bench->size,
		.count = side->count ?: bench->count,
		.queue = -1,
		.dmabufs = { -1, -1, -1, -1 },
		.drm = -1,
		.importer = -1,
		.event = -1,
		.memfd = -1,
	};
	int ret;

	MARK(MARKER_SIDE);
	ret = run_steps(side->steps, &scene, result);
	MARK(MARKER_DONE);
	if (side->steps->teardown)
		side->steps->teardown(&scene);
	close_fds(&scene.queue, 1);
	close_fds(&scene.importer, 1);
	close_fds(&scene.event, 1);
	close_fds(&scene.memfd, 1);
	close_fds(&scene.drm, 1);
	close_fds(scene.dmabufs, 4);
	settle(bench->size);
	return ret;
}

int measure_side(const struct bench *bench, const struct side *side, struct result *result)
{
	int ret, tries = 0;

	do
		ret = try_side(bench, side, result);
	while (side->steps->value && ret == DISTURBED && ++tries < MOST_TRIES);
	return ret;
}
