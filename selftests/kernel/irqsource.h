/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * Interface of /dev/sluice-irqsource, and description of the Sluice devices irqsource0 and
 * ring0.  They are for benchmarks.
 *
 * The interrupt source fires in the interrupt of a timer.  This interrupt ends all that waits
 * for the interrupt source: the op of irqsource0, the eventfd, and the fences.
 *
 * An op of irqsource0 is a FILL that does not write to the memory.  Its value is a time in
 * nanoseconds: the interrupt source fires this long after the op has begun.  With the value 0
 * the op ends at once, and the interrupt source does not fire.
 *
 * ring0 is a device with a ring.  Its engines 0, 1 and 2 have up to 1, 2 and 8 ops in flight.
 * The value of an op is the time that it takes, in nanoseconds.  When an op ends, the next op
 * in the ring begins at once.  One interrupt ends all ops whose time is over, and takes new
 * ones.
 */
#ifndef _SLUICE_IRQSOURCE_H
#define _SLUICE_IRQSOURCE_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define IRQSOURCE_MAX_NS	1000000000
#define IRQSOURCE_MIN_WATCH_NS	5000

/* Fire after this number of nanoseconds, at most IRQSOURCE_MAX_NS. */
#define IRQSOURCE_FIRE	_IO('b', 0)
/* Signal this eventfd whenever the interrupt source fires; -1 to remove it. */
#define IRQSOURCE_EVENTFD	_IO('b', 1)
/* Create a fence that signals when the interrupt source fires next.  Returns a sync_file. */
#define IRQSOURCE_FENCE	_IO('b', 2)
/*
 * Time when the interrupt source fired last: CLOCK_MONOTONIC_RAW in nanoseconds, read right before
 * the first signal.
 */
#define IRQSOURCE_FIRED	_IOR('b', 3, __u64)

/*
 * Start a second timer, whose interrupt comes after each period of this number of nanoseconds,
 * IRQSOURCE_MIN_WATCH_NS to IRQSOURCE_MAX_NS; 0 stops the timer.  It measures how late its
 * interrupt comes.  The interrupt is late if the CPU has interrupts off.
 */
#define IRQSOURCE_WATCH	_IO('b', 4)
/* The longest delay of this interrupt since IRQSOURCE_WATCH, in nanoseconds. */
#define IRQSOURCE_LATE	_IOR('b', 5, __u64)

/**
 * struct irqsource_gap - how long a device waited for its next op
 * @first: time at which the first op since the last IRQSOURCE_GAP ended: CLOCK_MONOTONIC_RAW in
 *	nanoseconds; 0 if no op has ended
 * @worst: the longest time from the interrupt that ended an op until the next op began, in
 *	nanoseconds; 0 if the next op was always in the ring
 *
 * The values are of irqsource0 and ring0 together, so use one of these devices at a time.  A wait
 * for a job that was not submitted in time also counts.
 */
struct irqsource_gap {
	__u64 first;
	__u64 worst;
};

/* Return the values since the last IRQSOURCE_GAP, and begin again. */
#define IRQSOURCE_GAP	_IOR('b', 6, struct irqsource_gap)

/*
 * Execute known instructions, with which the profile of the benchmarks is checked: with interrupts
 * off, IRQSOURCE_KNOWN_NOPS of them, and IRQSOURCE_KNOWN_LOCKS with a LOCK prefix.
 */
#define IRQSOURCE_KNOWN	_IO('b', 7)
#define IRQSOURCE_KNOWN_NOPS	5000
#define IRQSOURCE_KNOWN_LOCKS	700

#endif /* _SLUICE_IRQSOURCE_H */
