/* SPDX-License-Identifier: MIT */
/*
 * Measure a side of a case.
 *
 * Each step is timed by itself, minus the cost of reading the clock, and the median counts. Timer
 * interrupts and RCU callbacks hit a few steps; they would change the mean, but not the median. The
 * minimum would be a single lucky run.
 */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include "bench.h"

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

/** measure_clock - find out what reading the clock costs; call it first */
void measure_clock(void);

/**
 * measure_side - do the steps of a side
 * @bench: the case
 * @side: one of its sides
 * @result: what was measured
 *
 * A disturbed step (DISTURBED in bench.h) does not count and is done again, also a value.
 *
 * Return: 0, or a negative errno: DISTURBED if a step was disturbed each time.
 */
int measure_side(const struct bench *bench, const struct side *side, struct result *result);

#endif /* BENCH_MEASURE_H */
