/* SPDX-License-Identifier: MIT */
/* Fences: those of sw_sync, and whether and when a sync_file has signalled. */
#ifndef FENCES_H
#define FENCES_H

#include <stdbool.h>
#include <stdint.h>

/** sw_sync_timeline - a new timeline of the kernel's test fences; closing it ends them */
int sw_sync_timeline(void);

/** sw_sync_fence - a sync_file that signals when its timeline comes to @value */
int sw_sync_fence(int timeline, unsigned int value);

/** signalled - has a sync_file signalled? */
bool signalled(int fence);

/** fence_time - when a sync_file of one fence signalled, on CLOCK_MONOTONIC; -1 if unknown */
int64_t fence_time(int fence);

#endif /* FENCES_H */
