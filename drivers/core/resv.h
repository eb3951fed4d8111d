/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The dma_resv of all buffers of a job, which are locked together.
 *
 * A set belongs to the task that submits the job, so it needs no lock.  deps.c, program.c and
 * submit.c call this file.
 */
#ifndef _SLUICE_RESV_H
#define _SLUICE_RESV_H

#include <linux/dma-resv.h>
#include <linux/types.h>

struct sluice_slot;

/**
 * struct sluice_resv_entry - a dma_resv whose fences a job waits for, and to which it adds its own
 * @resv: dma_resv of one of the job's dma-bufs
 * @usage: WRITE or READ; BOOKKEEP if the slot is EXPLICIT
 */
struct sluice_resv_entry {
	struct dma_resv *resv;
	enum dma_resv_usage usage;
};

/**
 * struct sluice_resv_set - all dma_resv of a job
 * @uninterruptible: the locks are taken without regard to signals
 * @num_entries: length of @entries
 * @entries: one for each dma_resv, sorted by its address
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
