/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sharings: a sharing is the group of all slots of a queue whose buffers have the same dma_resv.
 *
 * A queue has one fence on a dma_resv, which covers all slots of the sharing.  When an exporter
 * takes memory back, the fence @gone of a slot replaces this fence: see slot.h.  This is allowed
 * only when all slots of the sharing are revoked or unmapped.  The sharing therefore counts its
 * usable slots.
 *
 * Locks: the dma_resv guards @usable and @gone of a sharing.  The lock of struct sluice_sharings
 * guards the tree, and @slots of each sharing.  slot.c and slot_table.c call this file.
 */
#ifndef _SLUICE_SHARING_H
#define _SLUICE_SHARING_H

#include <linux/rbtree.h>
#include <linux/spinlock.h>
#include <linux/types.h>

struct dma_fence;
struct dma_resv;

/**
 * struct sluice_sharings - the sharings of a queue
 * @lock: spinlock; guards @tree, and @slots of each sharing
 * @tree: the sharings, sorted by the address of the dma_resv
 * @context: fence context of the queue
 */
struct sluice_sharings {
	spinlock_t lock;
	struct rb_root tree;
	u64 context;
};

/**
 * struct sluice_sharing - the slots of a queue whose buffers have the same dma_resv
 * @node: in the tree of struct sluice_sharings
 * @resv: the dma_resv.  The buffers of the slots keep it alive
 * @slots: number of slots that have not been freed; under the lock of struct sluice_sharings
 * @usable: number of slots that are mapped and not revoked; under the dma_resv
 * @gone: fence @gone of the slot that was revoked last, reference held; NULL if no slot was
 *	revoked.  Under the dma_resv
 */
struct sluice_sharing {
	struct rb_node node;
	struct dma_resv *resv;
	unsigned int slots;
	unsigned int usable;
	struct dma_fence *gone;
};

void sluice_sharing_init(struct sluice_sharings *sharings, u64 context);
struct sluice_sharing *sluice_sharing_join(struct sluice_sharings *sharings,
					   struct sluice_sharing *spare, struct dma_resv *resv);
void sluice_sharing_lose(struct sluice_sharings *sharings, struct sluice_sharing *sharing,
			 struct dma_fence *gone);
void sluice_sharing_leave(struct sluice_sharings *sharings, struct sluice_sharing *sharing);

#endif /* _SLUICE_SHARING_H */
