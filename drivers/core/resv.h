/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The set of a job: the dma_resv of all its buffers, which SUBMIT locks together.  If a call
 * submits several jobs, it locks the union of their sets.
 *
 * The fence of a job on the buffer of an EXPLICIT slot is for the exporter only (BOOKKEEP): before
 * the exporter moves the memory or takes it back, it must wait until the job does not use the
 * memory any more.  In return, the job waits for the exporter's own fences (KERNEL).
 *
 * An exporter without a pin op cannot move memory that is attached, so an EXPLICIT slot of such
 * memory needs no fence.  There are two kinds of these exporters.  Ours for memory of the system
 * never takes memory back: the set has no entry for it.  Another exporter may take memory back, as
 * VFIO does, and then waits until all importers have unmapped it: the set has an entry without a
 * fence.  SUBMIT locks the dma_resv, so that the slot stays mapped while SUBMIT reads its table.
 *
 * Lock: none, because only the task that submits the job uses its set.  deps.c, program.c and
 * submit.c call this file.
 */
#ifndef _SLUICE_RESV_H
#define _SLUICE_RESV_H

#include <linux/dma-resv.h>
#include <linux/types.h>

struct sluice_slot;

#define SLUICE_RESV_USAGES	3U	/* WRITE, READ, BOOKKEEP */

/**
 * struct sluice_resv_entry - a dma_resv: the job waits for its fences, and adds its own fence
 * @resv: the dma_resv of one or more dma-bufs of the job
 * @locked_only: the job neither waits for its fences nor adds one
 * @usage: usage of the job's fence: WRITE or READ; BOOKKEEP if all slots with @resv are EXPLICIT
 */
struct sluice_resv_entry {
	struct dma_resv *resv;
	bool locked_only;
	enum dma_resv_usage usage;
};

/**
 * struct sluice_resv_set - all dma_resv of a job, or of several jobs that one call submits
 * @uninterruptible: a signal does not interrupt the wait for a lock
 * @num_entries: length of @entries
 * @num_fences: number of entries that are not @locked_only
 * @entries: one entry for each dma_resv, sorted by the address of the dma_resv
 */
struct sluice_resv_set {
	bool uninterruptible;
	unsigned int num_entries;
	unsigned int num_fences;
	struct sluice_resv_entry *entries;
};

void sluice_resv_merge(struct sluice_resv_set *set, const struct sluice_resv_set *other);
void sluice_resv_add(struct sluice_resv_set *set, const struct sluice_slot *slot, bool write);
int sluice_resv_lock_one(const struct sluice_resv_set *set, struct dma_resv *resv,
			 struct ww_acquire_ctx *ctx);
int sluice_resv_lock_all(const struct sluice_resv_set *set, struct ww_acquire_ctx *ctx);
void sluice_resv_unlock_all(const struct sluice_resv_set *set, struct ww_acquire_ctx *ctx);
enum dma_resv_usage sluice_resv_waits_for(const struct sluice_resv_entry *entry);

/**
 * sluice_resv_lock - lock all dma_resv of a set
 * @set: the set; it may be empty
 * @ctx: context for sluice_resv_unlock()
 *
 * Context: may sleep.
 * Return: 0 or -EINTR.
 */
static inline int sluice_resv_lock(const struct sluice_resv_set *set, struct ww_acquire_ctx *ctx)
{
	return set->num_entries ? sluice_resv_lock_all(set, ctx) : 0;
}

/**
 * sluice_resv_unlock - release what sluice_resv_lock() has locked
 * @set: the set
 * @ctx: the same context
 *
 * Context: any.
 */
static inline void sluice_resv_unlock(const struct sluice_resv_set *set,
				      struct ww_acquire_ctx *ctx)
{
	if (set->num_entries)
		sluice_resv_unlock_all(set, ctx);
}

#endif /* _SLUICE_RESV_H */
