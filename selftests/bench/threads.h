/* SPDX-License-Identifier: MIT */
/*
 * One to 64 threads at the same work, for make bench SCALE=1.
 *
 * The plugin of the profile counts. Each thread has a table of fds of its own, as if it were a
 * process, and stays on one CPU.
 */
#ifndef BENCH_THREADS_H
#define BENCH_THREADS_H

/**
 * threads_run - do each path with each number of threads
 *
 * Prints a line of JSON for each.
 *
 * Return: 0, or a negative errno.
 */
int threads_run(void);

#endif /* BENCH_THREADS_H */
