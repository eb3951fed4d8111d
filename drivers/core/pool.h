/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The pool: parked memory of closed buffers, for the next buffer of the same size.
 *
 * A closed buffer leaves dirty memory.  A worker zeroes it in the background; an ALLOC that takes
 * dirty memory zeroes it itself.  Parked memory stays charged to the memory cgroup of its old
 * buffer, and only tasks of that cgroup get it again.  When that cgroup is removed, its parent
 * inherits the memory.  Memory that no ALLOC takes in SLUICE_POOL_SECONDS is freed soon after.  If
 * the pool exceeds its limit, the oldest memory is freed: at most SLUICE_POOL_BATCH structs by the
 * caller, and the rest by the worker.
 *
 * Each CPU keeps the memory that it has parked last in its front (front.h), which needs no lock
 * that CPUs share.  All other parked memory is in the bins.
 *
 * The bins (bins.h) order parked memory for its search and by its age.  For the shrinker, all
 * memory in the bins is also in a list_lru, which has one list for each memory cgroup and NUMA
 * node.  When a cgroup is removed, the kernel moves the list of this cgroup to the head of the
 * parent's list.
 *
 * An ALLOC that finds nothing in the bins examines the heads of its own cgroup's lists.  Memory of
 * another owner there comes from a removed child.  The ALLOC makes its own cgroup the owner, and
 * searches the bins again.  The owner decides only about the bin of the memory.  The list_lru
 * decides which cgroup's memory pressure frees the memory.
 *
 * Locks, outermost first: the lock of the list_lru, then the lock of the bins.  The lock of a front
 * is apart from both.  With the list_lru's
 * lock held, an ALLOC examines at most SLUICE_POOL_BATCH structs, and the shrinker one.  The hold
 * times therefore do not depend on how much is parked.  Nothing here is in the signalling path of
 * fences.
 *
 * Lifetime: a context claims memory from the bins first, and removes it from the list_lru later.
 * In between, the shrinker may still find the memory in the list_lru, and skips it.  Parking has
 * the opposite order: first the list_lru, then the bins.
 *
 * heap_pages.c calls this file, heap_contiguous.c calls sluice_pool_drain(), and module.c calls
 * sluice_pool_init() and sluice_pool_exit().  Work items and the shrinker also run here.
 */
#ifndef _SLUICE_POOL_H
#define _SLUICE_POOL_H

#include <linux/gfp.h>
#include <linux/types.h>

struct sluice_device;
struct sluice_pages;

u64 sluice_pool_bytes(void);
int sluice_pool_init(void);
void sluice_pool_exit(void);
struct sluice_pages *sluice_pool_new(void);
void sluice_pool_delete(struct sluice_pages *pages);
struct sluice_pages *sluice_pool_take(struct sluice_device *sdev, u64 size, u32 mapping,
				      bool huge);
void sluice_pool_park(struct sluice_pages *pages);
bool sluice_pool_drain(gfp_t zone, unsigned int order);

#endif /* _SLUICE_POOL_H */
