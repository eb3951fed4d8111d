/* SPDX-License-Identifier: MIT */
/*
 * Facts that the kernel reports about this process and its fences: bytes moved by read() and
 * write(), mappings of dma-bufs, and the state of fences.
 *
 * counters_read() and maps_read() return 0 or a negative errno.
 */
#ifndef ACCOUNT_H
#define ACCOUNT_H

#include <stdbool.h>
#include <stdint.h>

#define ACCOUNT_MAX_MAPS 32

/** struct counters - the bytes that read() and write() have moved until now */
struct counters {
	long long rchar, wchar;
	long long cost;		/* bytes of this reading; the next reading has them in rchar */
	int64_t ns;		/* CLOCK_MONOTONIC time of the reading */
};

/** counters_read - read the counters; -EOPNOTSUPP without CONFIG_TASK_IO_ACCOUNTING */
int counters_read(struct counters *counters);

/** struct maps - mappings of dma-bufs in this process */
struct maps {
	unsigned int count;
	uint64_t inodes[ACCOUNT_MAX_MAPS];	/* of the first ACCOUNT_MAX_MAPS mappings */
};

/** maps_read - list the mappings of dma-bufs in this process */
int maps_read(struct maps *maps);

/** maps_has - is the dma-buf with this inode mapped? */
bool maps_has(const struct maps *maps, uint64_t inode);

/** struct fence_look - the state of a sync_file's first fence */
struct fence_look {
	char driver[32], timeline[32];
	int status;		/* of the sync_file.  0: pending, 1: signalled, negative: failed */
	uint64_t timestamp_ns;	/* CLOCK_MONOTONIC time of the signal */
};

/** fence_look_at - read the present state of a sync_file; -1 means: signalled */
void fence_look_at(int fence, struct fence_look *look);

/** fence_state - the status as a word, for output */
const char *fence_state(const struct fence_look *look);

/** now_ns - the time of CLOCK_MONOTONIC, in nanoseconds */
int64_t now_ns(void);

#endif /* ACCOUNT_H */
