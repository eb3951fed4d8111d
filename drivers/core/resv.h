/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The set of a job: the dma_resv of all its buffers, which SUBMIT locks together.
 *
 * The fence of a job on the buffer of an EXPLICIT slot is for the exporter only (BOOKKEEP): before
 * the exporter moves the memory or takes it back, it must wait until the job does not use the
 * memory any more.  In return, the job waits for the exporter's own fences (KERNEL).
 *
 * An EXPLICIT slot has no entry in the set if the exporter has no pin op.  Such an exporter cannot
 * move memory that is attached.  If it takes memory back, it waits until all importers have
 * unmapped it, as VFIO does, so it needs no fence.
 *
 * Lock: none, because only the task that submits the job uses its set.  deps.c, program.c and
 * submit.c call this file.
 */
#ifndef _SLUICE_RESV_H
#define _SLUICE_RESV_H

#include <linux/dma-resv.h>
#include <linux/types.h>

struct sluice_slot;

/**
 * struct sluice_resv_entry - a dma_resv: the job waits for its fences, and adds its own fence
 * @resv: the dma_resv of one or more dma-bufs of the job
 * @usage: usage of the job's fence: WRITE or READ; BOOKKEEP if all slots with @resv are EXPLICIT
 */
struct sluice_resv_entry {
	struct dma_resv *resv;
	enum dma_resv_usage usage;
};

/**
 * struct sluice_resv_set - all dma_resv of a job
 * @uninterruptible: a signal does not interrupt the wait for a lock
 * @num_entries: length of @entries
 * @entries: one entry for each dma_resv, sorted by the address of the dma_resv
 */
struct sluice_resv_set {
	bool uninterruptible;
	unsigned int num_entries;
	struct sluice_resv_entry *entries;
};

void sluice_resv_add(struct sluice_resv_set *set, const struct sluice_slot *slot, bool write);
int sluice_resv_lock_one(const struct sluice_resv_set *set, struct dma_resv *resv,
			 struct ww_acquire_ctx *ctx);
int sluice_resv_lock(const struct sluice_resv_set *set, struct ww_acquire_ctx *ctx);
void sluice_resv_unlock(const struct sluice_resv_set *set, struct ww_acquire_ctx *ctx);
enum dma_resv_usage sluice_resv_waits_for(const struct sluice_resv_entry *entry);

#endif /* _SLUICE_RESV_H */
