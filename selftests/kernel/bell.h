/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * /dev/sluice-bell, and the device bell0: a bell that rings once, in a timer's
 * interrupt, for the benchmarks.  In that interrupt ends all that waits for it:
 * bell0's op, the eventfd, the fences.
 *
 * An op of bell0 rings the bell by itself, as many nanoseconds after it began as
 * the value that it is to fill the memory with; with 0 it ends at once, and the bell does
 * not ring.  It leaves the memory alone.
 */
#ifndef _SLUICE_BELL_H
#define _SLUICE_BELL_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define BELL_MAX_NS	1000000000
#define BELL_MIN_WATCH_NS	5000

/* Ring so many nanoseconds from now. */
#define BELL_RING	_IO('b', 0)
/* An eventfd that is signalled whenever the bell rings; -1: none. */
#define BELL_EVENTFD	_IO('b', 1)
/* A fence that is signalled when the bell rings next.  Returns a sync_file. */
#define BELL_FENCE	_IO('b', 2)
/* When it last rang: CLOCK_MONOTONIC_RAW, read right before the first signal. */
#define BELL_RANG	_IOR('b', 3, __u64)

/*
 * A second timer looks how late its interrupt comes, once each so many nanoseconds; 0: no
 * more.  What the CPU does with interrupts off makes it late.
 */
#define BELL_WATCH	_IO('b', 4)
/* By how many nanoseconds it was late at most, since BELL_WATCH. */
#define BELL_LATE	_IOR('b', 5, __u64)

#endif /* _SLUICE_BELL_H */
