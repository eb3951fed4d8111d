// SPDX-License-Identifier: MIT
/*
 * Measure each case, for Sluice and for every peer, and print one line of JSON for each case, for
 * selftests/bench/report.
 *
 * Each step is timed by itself, minus the cost of reading the clock, and the median counts. Timer
 * interrupts and RCU callbacks hit a few steps; they would change the mean, but not the median. The
 * minimum would be a single lucky run.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

#define BUDGET		60000000	/* units of time for the steps of a side */
#define MOST_STEPS	301
#define FEWEST_STEPS	3

static const char *clock_unit = "ns", *only = "";
static double clock_cost;

/**
 * struct result - the time of a side
 * @median: median of all steps
 * @low: a quarter of the steps take no longer
 * @high: three quarters of the steps take no longer
 * @steps: number of steps
 */
struct result {
	double median;
	double low;
	double high;
	unsigned int steps;
};

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

static void measure_clock(void)
{
	double times[MOST_STEPS];
	unsigned int i;

	for (i = 0; i < MOST_STEPS; i++) {
		times[i] = now();
		times[i] = now() - times[i];
	}
	clock_cost = summarize(times, MOST_STEPS).median;
}

/* Measure one step, with the functions around it. */
static int time_step(const struct steps *steps, struct scene *scene, double *time)
{
	int ret = steps->before ? steps->before(scene) : 0;

	if (ret)
		return ret;
	scene->began = now();
	ret = steps->step(scene);
	scene->ended = now();
	if (!ret && steps->correct)
		ret = steps->correct(scene);
	*time = (scene->ended - scene->began - clock_cost) / (steps->batch ?: 1);
	if (!ret && steps->after)
		ret = steps->after(scene);
	return ret;
}

static unsigned int steps_for(const struct steps *steps, double time)
{
	double count = BUDGET / (time * (steps->batch ?: 1) + 1);

	if (steps->most && count > steps->most)
		count = steps->most;
	if (count > MOST_STEPS)
		count = MOST_STEPS;
	return count < FEWEST_STEPS ? FEWEST_STEPS : (unsigned int)count | 1;
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
	/* warm up; the last one tells how long a step takes */
	for (i = 0; (!i || (i < 3 && times[0] < BUDGET)) && !ret; i++)
		ret = time_step(steps, scene, &times[0]);
	if (ret)
		return ret;
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

static int run_side(const struct bench *bench, const struct side *side, struct result *result)
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
	int ret = run_steps(side->steps, &scene, result);

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

static void print_side(const struct side *side, int ret, const struct result *result)
{
	printf("{\"name\": \"%s\", ", side->name ?: side->exporter->name);
	if (ret)
		printf("\"error\": \"%s\"}", strerror(-ret));
	else
		printf("\"value\": %.0f, \"low\": %.0f, \"high\": %.0f, \"steps\": %u}",
		       result->median, result->low, result->high, result->steps);
}

/* Returns whether Sluice's side succeeded; a peer may be missing. */
static bool run_bench(const struct bench *bench, const char *release)
{
	struct result result;
	int ret, ours, i;

	if (!strstr(bench->name, only))
		return true;
	ours = run_side(bench, &bench->ours, &result);
	printf("{\"kernel\": \"%s\", \"area\": \"%s\", \"case\": \"%s\", \"unit\": \"%s\", ",
	       release, bench->area, bench->name, bench->unit ?: clock_unit);
	if (bench->goal > 0)
		printf("\"goal\": %g, ", bench->goal);
	printf("\"sides\": [");
	print_side(&bench->ours, ours, &result);
	for (i = 0; i < MAX_PEERS && bench->peers[i].steps; i++) {
		ret = run_side(bench, &bench->peers[i], &result);
		printf(", ");
		print_side(&bench->peers[i], ret, &result);
	}
	printf("]}\n");
	fflush(stdout);
	return !ours;
}

static void help(void)
{
	printf("usage: bench [-u UNIT] [CASE]\n"
	       "Measure Sluice beside its peers: all cases, or those whose names contain CASE.\n"
	       "Prints a line of JSON for each case, which selftests/bench/report reads.\n\n"
	       "Needs root, the modules sluice, sluice-soft and vgem, /dev/dma_heap/system and\n"
	       "/dev/udmabuf; a missing peer is left out.  \"map again\" needs the test module\n"
	       "sluice-importer; cases that begin in an interrupt need sluice-irqsource.\n\n"
	       "On a real machine the unit is ns.  Run it on an idle machine with a fixed clock\n"
	       "frequency, pinned to a CPU (taskset -c 1).  In an emulator in which each\n"
	       "instruction takes one nanosecond (QEMU, -icount shift=0), the clock counts\n"
	       "instructions: there, use -u instructions.\n");
}

int main(int argc, char **argv)
{
	struct rlimit files = { MAX_LIVE + 100, MAX_LIVE + 100 };
	struct utsname system;
	unsigned int i;
	bool ok = true;
	int option;

	static const struct option options[] = { { "help", no_argument, NULL, 'h' }, {} };

	while ((option = getopt_long(argc, argv, "u:h", options, NULL)) != -1) {
		if (option != 'u') {
			help();
			return option != 'h';
		}
		clock_unit = optarg;
	}
	if (optind < argc)
		only = argv[optind];
	if (setrlimit(RLIMIT_NOFILE, &files)) {
		fprintf(stderr, "bench: %u open files: %s\n", MAX_LIVE + 100, strerror(errno));
		return 1;
	}
	uname(&system);
	measure_clock();
	for (i = 0; i < num_memory_benches; i++)
		ok &= run_bench(&memory_benches[i], system.release);
	for (i = 0; i < num_queue_benches; i++)
		ok &= run_bench(&queue_benches[i], system.release);
	for (i = 0; i < num_wakeup_benches; i++)
		ok &= run_bench(&wakeup_benches[i], system.release);
	for (i = 0; i < num_scale_benches; i++)
		ok &= run_bench(&scale_benches[i], system.release);
	for (i = 0; i < num_deadline_benches; i++)
		ok &= run_bench(&deadline_benches[i], system.release);
	for (i = 0; i < num_ring_benches; i++)
		ok &= run_bench(&ring_benches[i], system.release);
	return !ok;
}
