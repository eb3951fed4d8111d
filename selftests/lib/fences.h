/* SPDX-License-Identifier: MIT */
/* Fences of sw_sync, and the state and the time of a sync_file. */
#ifndef FENCES_H
#define FENCES_H

#include <stdbool.h>
#include <stdint.h>

/** sw_sync_timeline - make a timeline of the kernel's test fences; closing it signals them */
int sw_sync_timeline(void);

/** sw_sync_fence - make a sync_file that signals when its timeline reaches @value */
int sw_sync_fence(int timeline, unsigned int value);

/** signalled - has a sync_file signalled? */
bool signalled(int fence);

/**
 * fence_time - time at which a sync_file of one fence signalled (CLOCK_MONOTONIC); -1 if unknown
 */
int64_t fence_time(int fence);

#endif /* FENCES_H */
