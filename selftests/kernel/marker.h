/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * Markers: instructions that do nothing, and that the plugin of the profile recognizes.
 *
 * A marker is a NOP of seven bytes. The upper 24 bits of its displacement say that it is a marker,
 * the lowest byte says which. Without the plugin (selftests/bench/plugin) a marker costs one
 * instruction. The program of the benchmarks and irqsource.c execute markers.
 */
#ifndef BENCH_MARKER_H
#define BENCH_MARKER_H

#define MARKER_MAGIC	0x534c4300

#define MARKER_ARM	1	/* from here on, code is translated with counters */
#define MARKER_SIDE	2	/* the next side begins, without any step */
#define MARKER_WARM	3	/* steps so far were to warm up, and do not count */
#define MARKER_BEGIN	4	/* a step of this CPU begins */
#define MARKER_PAUSE	5	/* ... does not count from here ... */
#define MARKER_RESUME	6	/* ... to here */
#define MARKER_END	7	/* it ends */
#define MARKER_VOID	8	/* the last step of this CPU does not count */
#define MARKER_DONE	9	/* the last side has ended */

#if defined(__x86_64__)
#define MARK(number) \
	asm volatile(".byte 0x0f, 0x1f, 0x80\n\t.long %c0" : : "i" (MARKER_MAGIC + (number)) : "memory")
#else
#define MARK(number)	do { } while (0)
#endif

#endif /* BENCH_MARKER_H */
