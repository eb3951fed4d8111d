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

#include "measure.h"

static const char *clock_unit = "ns", *only = "";

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
