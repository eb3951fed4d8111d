/* SPDX-License-Identifier: MIT */
/*
 * What the kernel has accounted to this process: bytes moved by read() and
 * write(), mappings of dma-bufs, and the state of fences.
 *
 * All functions return 0 or a negative errno.
 */
#ifndef ACCOUNT_H
#define ACCOUNT_H

#include <stdbool.h>
#include <stdint.h>

#define ACCOUNT_MAX_MAPS 32

/** struct counters - bytes so far, and what it costs to read these counters */
struct counters {
	long long rchar, wchar;
	long long cost;		/* in rchar, seen at the next reading */
	int64_t ns;		/* CLOCK_MONOTONIC */
};

/** counters_read - -EOPNOTSUPP if the kernel lacks CONFIG_TASK_IO_ACCOUNTING */
int counters_read(struct counters *counters);

/** struct maps - mappings of dma-bufs in this process */
struct maps {
	unsigned int count;
	uint64_t inodes[ACCOUNT_MAX_MAPS];	/* of the first ones */
};

int maps_read(struct maps *maps);

/** maps_has - is the dma-buf with this inode mapped? */
bool maps_has(const struct maps *maps, uint64_t inode);

/** struct fence_look - what a sync_file says of its fence */
struct fence_look {
	char driver[32], timeline[32];
	int status;		/* 0: pending, 1: signalled, negative: failed */
	uint64_t timestamp_ns;
};

/** fence_look_at - look at a sync_file now; -1 is a fence that has signalled */
void fence_look_at(int fence, struct fence_look *look);

/** fence_state - the status as a word */
const char *fence_state(const struct fence_look *look);

int64_t now_ns(void);

#endif /* ACCOUNT_H */
