// SPDX-License-Identifier: MIT
/*
 * Measure each case, for Sluice and for every peer, and print one line of JSON for each case, for
 * selftests/bench/report.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>

#include "marker.h"
#include "measure.h"
#include "memory.h"
#include "threads.h"

static const char *clock_unit = "ns", *only = "";
static bool exactly;	/* only the case that has this name */
static bool listing;
static const char *big_sizes;	/* in MiB, separated by commas */
static unsigned int churn_count;

static void print_side(const struct side *side, int ret, const struct result *result)
{
	printf("{\"name\": \"%s\", ", side->name ?: side->exporter->name);
	if (ret)
		printf("\"error\": \"%s\"}", strerror(-ret));
	else
		printf("\"value\": %.0f, \"low\": %.0f, \"high\": %.0f, \"steps\": %u, "
		       "\"batch\": %u}", result->median, result->low, result->high, result->steps,
		       side->steps->batch ?: 1);
}

static bool is_chosen(const struct bench *bench)
{
	return exactly ? !strcmp(bench->name, only) : !!strstr(bench->name, only);
}

/* Returns whether Sluice's side succeeded; a peer may be missing. */
static bool run_bench(const struct bench *bench, const char *release)
{
	struct result result;
	int ret, ours, i;

	if (!is_chosen(bench))
		return true;
	if (listing) {
		printf("%s\t%s\n", bench->ours.steps->value ? "value" : "steps", bench->name);
		return true;
	}
	ours = measure_side(bench, &bench->ours, &result);
	printf("{\"kernel\": \"%s\", \"area\": \"%s\", \"case\": \"%s\", \"unit\": \"%s\", ",
	       release, bench->area, bench->name, bench->unit ?: clock_unit);
	if (bench->goal > 0)
		printf("\"goal\": %g, ", bench->goal);
	printf("\"sides\": [");
	print_side(&bench->ours, ours, &result);
	for (i = 0; i < MAX_PEERS && bench->peers[i].steps; i++) {
		ret = measure_side(bench, &bench->peers[i], &result);
		printf(", ");
		print_side(&bench->peers[i], ret, &result);
	}
	printf("]}\n");
	fflush(stdout);
	return !ours;
}

/* The cases of big.c with one size. */
static bool run_size(size_t mib, const char *release)
{
	char area[32];
	struct bench bench;
	unsigned int i;
	bool ok = true;

	snprintf(area, sizeof(area), mib % 1024 ? "%zu MiB" : "%zu GiB", mib % 1024 ? mib : mib / 1024);
	for (i = 0; i < num_big_benches; i++) {
		bench = big_benches[i];
		bench.area = area;
		bench.size = MIB(mib);
		ok &= run_bench(&bench, release);
	}
	return ok;
}

/* The cases of big.c, without limits of Sluice. */
static bool run_big(const char *release)
{
	const char *sizes = big_sizes;
	struct bench bench;
	unsigned int i;
	bool ok = true;
	size_t mib;
	char *end;

	if (write_file("/sys/module/sluice/parameters/open_limit_mb", NO_LIMIT_MB) ||
	    write_file("/sys/module/sluice/parameters/total_limit_mb", NO_LIMIT_MB)) {
		fprintf(stderr, "bench: cannot set the limits of Sluice; -b and -f need its module\n");
		return false;
	}
	for (i = 0; churn_count && i < num_churn_benches; i++) {
		bench = churn_benches[i];
		bench.area = "64 MiB after random sizes";
		bench.count = churn_count;
		ok &= run_bench(&bench, release);
	}
	while (sizes && *sizes) {
		mib = strtoul(sizes, &end, 10);
		if (!mib || (*end && *end != ',')) {
			fprintf(stderr, "bench: -b %s: give sizes in MiB, with commas between\n",
				big_sizes);
			return false;
		}
		ok &= run_size(mib, release);
		sizes = *end ? end + 1 : end;
	}
	return ok;
}

static void help(void)
{
	printf("usage: bench [-u UNIT] [CASE]\n"
	       "       bench -l [CASE]\n"
	       "       bench [-u UNIT] -p CASE\n"
	       "       bench -s\n"
	       "       bench [-u UNIT] [-b MIB[,MIB...]] [-f COUNT]\n"
	       "Measure Sluice beside its peers: all cases, or those whose names contain CASE.\n"
	       "Prints a line of JSON for each case, which selftests/bench/report reads.\n"
	       "-l only prints the names of the cases, and whether they have steps.  -p (the case\n"
	       "with this name) and -s (the same work with 1 to 64 threads) are for QEMU with the\n"
	       "plugin that counts instructions.  -b measures buffers of these sizes, and -f\n"
	       "fragmentation after this number of buffers.\n\n"
	       "Needs root, the modules sluice, sluice-soft and vgem, /dev/dma_heap/system and\n"
	       "/dev/udmabuf; a missing peer is left out.  \"map again\" needs the test module\n"
	       "sluice-importer; cases that begin in an interrupt need sluice-irqsource.\n\n"
	       "On a real machine the unit is ns.  Run it on an idle machine with a fixed clock\n"
	       "frequency, pinned to a CPU (taskset -c 1).  In an emulator in which each\n"
	       "instruction takes one nanosecond (QEMU, -icount shift=0), the clock counts\n"
	       "instructions: there, use -u instructions.\n");
}

/* From here on, the plugin counts. It drops the code that it has translated without counters. */
static void arm(void)
{
	MARK(MARKER_ARM);
	settle(0);
}

/* Returns whether the benchmarks shall run; if not, *status is that of the program. */
static bool read_options(int argc, char **argv, bool *scale, int *status)
{
	static const struct option options[] = { { "help", no_argument, NULL, 'h' }, {} };
	int option;

	while ((option = getopt_long(argc, argv, "u:p:lsb:f:h", options, NULL)) != -1) {
		switch (option) {
		case 'u':
			clock_unit = optarg;
			break;
		case 'p':
			only = optarg;
			exactly = true;
			break;
		case 'l':
			listing = true;
			break;
		case 's':
			*scale = true;
			break;
		case 'b':
			big_sizes = optarg;
			break;
		case 'f':
			churn_count = strtoul(optarg, NULL, 0);
			if (churn_count)
				break;
			fprintf(stderr, "bench: -f %s: give a number of buffers, above 0\n", optarg);
			*status = 1;
			return false;
		default:
			help();
			*status = option != 'h';
			return false;
		}
	}
	if (optind < argc)
		only = argv[optind];
	return true;
}

int main(int argc, char **argv)
{
	struct rlimit files = { MAX_LIVE + 100, MAX_LIVE + 100 };
	struct utsname system;
	bool ok = true, scale = false;
	unsigned int i;
	int status;

	if (!read_options(argc, argv, &scale, &status))
		return status;
	if (setrlimit(RLIMIT_NOFILE, &files)) {
		fprintf(stderr, "bench: %u open files: %s\n", MAX_LIVE + 100, strerror(errno));
		return 1;
	}
	uname(&system);
	if (exactly || scale)
		arm();
	if (scale)
		return !!threads_run();
	measure_clock();
	if (big_sizes || churn_count)
		return !run_big(system.release);
	for (i = 0; i < num_memory_benches; i++)
		ok &= run_bench(&memory_benches[i], system.release);
	for (i = 0; i < num_sleeper_benches; i++)
		ok &= run_bench(&sleeper_benches[i], system.release);
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
	if (exactly)
		ok &= run_bench(&known_bench, system.release);
	return !ok;
}
