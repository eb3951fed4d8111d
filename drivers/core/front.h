/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Fronts: the memory that each CPU has parked last.
 *
 * The bins and the list_lru of the pool have locks that all CPUs share.  In front of them, each CPU
 * keeps up to SLUICE_FRONT_SLOTS pieces of parked memory, so that most ALLOCs of memory that was
 * closed a moment ago on the same CPU take no shared lock.  Memory in a front is in no bin and not
 * in the list_lru.  The rules of the pool still hold:
 *
 * - Only memory that was in the list_lru before gets into a front.  The kernel therefore calls the
 *   shrinker for its memory cgroup.  The shrinker, the ager, the limit of the pool and
 *   sluice_pool_drain() move all memory of all fronts into the bins first.
 * - Only a task of the owner takes memory, and only memory that is all on the wanted node.
 * - The worker also zeroes memory in fronts.
 *
 * Each front has a spinlock.  Other CPUs take it only to move or to zero the memory.  No other lock
 * is taken inside it.  pool.c calls this file.
 */
#ifndef _SLUICE_FRONT_H
#define _SLUICE_FRONT_H

#include <linux/list.h>
#include <linux/types.h>

struct sluice_bins_entry;
struct sluice_bins_search;

void sluice_front_init(void);
bool sluice_front_park(struct sluice_bins_entry **entry, u64 most);
struct sluice_bins_entry *sluice_front_take(struct sluice_bins_search *search);
void sluice_front_collect(struct list_head *parked);
unsigned int sluice_front_zero(int cpu);
u64 sluice_front_bytes(void);

#endif /* _SLUICE_FRONT_H */
