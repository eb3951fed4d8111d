/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * /dev/sluice-bell, and the device bell0: a bell that rings once, in a timer's
 * interrupt, for the benchmarks.  In that interrupt ends all that waits for it:
 * bell0's op, the eventfd, the fences.
 *
 * An op of bell0 rings the bell by itself, as many nanoseconds after it began as
 * the value that it is to fill the memory with; with 0 it ends at once, and the bell does
 * not ring.  It leaves the memory alone.
 *
 * ring0 is a device with a ring, whose engines 0, 1 and 2 have up to 1, 2 and 8 ops in
 * flight.  Each op takes as many nanoseconds as its value; the next in the ring begins
 * at once.  One interrupt ends all ops whose time has come, and takes the next.
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

/**
 * struct bell_gap - how long a device had to wait for its next op
 * @first: when an op first ended since the last BELL_GAP: CLOCK_MONOTONIC_RAW, or 0
 * @worst: ns, at most, from the interrupt that an op ended with until the next one began;
 *	0: the next one was in the ring
 *
 * Of bell0 and ring0 together, so use one of them at a time.  Only what is behind another
 * op counts if jobs are there in time.
 */
struct bell_gap {
	__u64 first;
	__u64 worst;
};

/* Since the last BELL_GAP. */
#define BELL_GAP	_IOR('b', 6, struct bell_gap)

#endif /* _SLUICE_BELL_H */
