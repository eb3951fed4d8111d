/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sharings: the slots of a queue whose buffers have one dma_resv.
 *
 * The dma_resv guards a sharing; queue->sharings_lock guards the tree of sharings.
 */
#ifndef _SLUICE_SHARING_H
#define _SLUICE_SHARING_H

#include <linux/rbtree.h>

struct dma_fence;
struct dma_resv;
struct sluice_queue;

/**
 * struct sluice_sharing - the slots of a queue whose buffers have the same dma_resv
 * @node: in queue->sharings
 * @resv: the dma_resv.  The buffers of the slots keep it alive
 * @slots: slots that have not been freed; under queue->sharings_lock
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

struct sluice_sharing *sluice_sharing_join(struct sluice_queue *queue,
					   struct sluice_sharing *spare, struct dma_resv *resv);
void sluice_sharing_lose(struct sluice_queue *queue, struct sluice_sharing *sharing,
			 struct dma_fence *gone);
void sluice_sharing_leave(struct sluice_queue *queue, struct sluice_sharing *sharing);

#endif /* _SLUICE_SHARING_H */
