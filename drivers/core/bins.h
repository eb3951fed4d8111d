/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bins: parked memory, ordered for its search and by its age.
 *
 * Each parked struct sluice_bins_entry can be found in two ways:
 *
 * - In its bin, for ALLOC.  All memory in one bin has the same size, mapping, owner, NUMA node,
 *   highest zone and state (clean or dirty), and the same @spread and @huge.  A hash table has one
 *   entry of each bin, the newest.  The others form a ring with it.  An ALLOC therefore does not
 *   walk over all parked memory.  Memory that is being zeroed is in no bin.
 * - In a list by age.  Each zone has a list of clean and a list of dirty memory, in the order of
 *   parking.  Memory is in a list of its lowest zone.  The worker, the limit, the ager and
 *   sluice_pool_drain() take memory from the heads of these lists.
 *
 * The owner is the number of the memory cgroup to which the struct was charged when it was made.
 * No number is used twice, so no task searches the bins of a removed cgroup.  An ALLOC changes the
 * owner of such memory: see pool.h.
 *
 * A spinlock in bins.c guards the hash table, the lists, and the fields of entries.  With the lock
 * held, at most as many structs change as the caller asks for, so the hold times do not depend on
 * how much is parked.  The lock nests inside the lock of the pool's list_lru.  pool.c calls this
 * file.
 *
 * Lifetime: a claim takes memory out of the bins and lists.  From then on the caller owns the
 * memory.  If the worker is zeroing claimed memory, the caller waits for the worker (for one page
 * at most) before it frees the memory: see sluice_bins_wait().
 */
#ifndef _SLUICE_BINS_H
#define _SLUICE_BINS_H

#include <linux/list.h>
#include <linux/mmzone.h>
#include <linux/types.h>

#include "pages.h"

struct sluice_device;

/**
 * struct sluice_bins_entry - scattered memory that can be parked
 * @pages: the memory
 * @lru: in the pool's list_lru, in the list of its memory cgroup
 * @link: in one of the lists by age, or in a list of memory to be freed
 * @bin: in the hash table, if the entry is the first of its bin
 * @alike: in the ring of all memory of its bin
 * @state: see below; for memory in a front, its lock guards the field
 * @clean: for memory that is about to be parked in the bins: it is zeroed
 * @dying: it was claimed while it was being zeroed, so it must be freed
 * @listed: the memory was in the list_lru before, so the kernel calls the shrinker for its cgroup
 * @owner: number of the memory cgroup whose tasks may take the memory
 * @order: sequence number of its parking, among all memory that was ever parked
 * @parked: when it was parked, in jiffies
 */
struct sluice_bins_entry {
	struct sluice_pages pages;
	struct list_head lru;
	struct list_head link;
	struct hlist_node bin;
	struct list_head alike;
	enum sluice_bins_state {
		SLUICE_BINS_USED,	/* not parked: a buffer has it, or it is being freed */
		SLUICE_BINS_DIRTY,
		SLUICE_BINS_ZEROING,
		SLUICE_BINS_CLEAN,
	} state;
	bool clean;
	bool dying;
	bool listed;
	u64 owner;
	u64 order;
	unsigned long parked;
};

/**
 * struct sluice_bins_search - the memory that an ALLOC searches for
 * @sdev: the device, which must be able to address the memory
 * @size: bytes
 * @mapping: one of SLUICE_MEM_MAPPINGS
 * @owner: number of the caller's memory cgroup
 * @huge: only memory in huge pieces
 * @node: NUMA node on which the memory should be
 * @here: accept only memory that is all on @node.  Set if @node has enough free memory: then newly
 *	allocated memory of @node is better than parked memory of another node
 * @dirty: result: the memory must be zeroed
 */
struct sluice_bins_search {
	struct sluice_device *sdev;
	u64 size;
	u32 mapping;
	u64 owner;
	bool huge;
	int node;
	bool here;
	bool dirty;
};

void sluice_bins_init(void);
u64 sluice_bins_bytes(void);
void sluice_bins_insert(struct sluice_bins_entry *entry);
bool sluice_bins_suits(const struct sluice_bins_search *search,
		       const struct sluice_bins_entry *entry);
struct sluice_bins_entry *sluice_bins_find(struct sluice_bins_search *search);
bool sluice_bins_inherit(struct sluice_bins_entry *entry, u64 owner);
bool sluice_bins_claim(struct sluice_bins_entry *entry);
unsigned int sluice_bins_claim_oldest(enum zone_type zone, unsigned int max,
				      bool (*unwanted)(const struct sluice_bins_entry *oldest),
				      struct list_head *claimed);
struct sluice_bins_entry *sluice_bins_begin_zeroing(void);
void sluice_bins_end_zeroing(struct sluice_bins_entry *entry);
void sluice_bins_wait(struct sluice_bins_entry *entry);

#endif /* _SLUICE_BINS_H */
