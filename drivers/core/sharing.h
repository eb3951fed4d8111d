/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sharings: the slots of a queue whose buffers have the same dma_resv.
 *
 * A queue adds one fence to a dma_resv, which stands for all slots of the queue with this
 * dma_resv.  When an exporter takes memory back, this fence may be replaced only if all of these
 * slots are revoked or unmapped.  A sharing counts them.
 *
 * Locks: the dma_resv guards @usable and @gone of a sharing.  The lock of struct sluice_sharings
 * guards the tree and @slots.  slot.c calls this file, and slot_table.c initialises the sharings.
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
 * @lock: spinlock: guards @tree
 * @tree: struct sluice_sharing of all slots that have not been freed, by the address of the
 *	dma_resv
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
 * @slots: slots that have not been freed; under the lock of struct sluice_sharings
 * @usable: those of them that are mapped and not revoked; under the dma_resv
 * @gone: fence @gone of the slot that was revoked last while it was in use, or NULL; under the
 *	dma_resv
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
