// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sharings: the slots of a queue whose buffers have one reservation (dma_resv).
 *
 * On a reservation stands one fence of a queue, which stands for all of its slots there.  So
 * when an exporter takes memory back, the fence may be replaced only if none of them keeps
 * its memory.  A count tells, however many there are.
 */
#include <linux/dma-fence.h>
#include <linux/rbtree.h>
#include <linux/slab.h>

#include "core.h"

static int sluice_sharing_compare(struct rb_node *new, const struct rb_node *node)
{
	unsigned long a = (unsigned long)rb_entry(new, struct sluice_sharing, node)->resv;
	unsigned long b = (unsigned long)rb_entry(node, struct sluice_sharing, node)->resv;

	return a < b ? -1 : a > b;
}

/**
 * sluice_sharing_join - a queue has one more slot that can be used
 * @queue: the queue
 * @spare: zeroed memory, for the first one of the reservation; taken over
 * @resv: the reservation, which is held
 *
 * Return: what the slot is to leave in the end.
 */
struct sluice_sharing *sluice_sharing_join(struct sluice_queue *queue,
					   struct sluice_sharing *spare, struct dma_resv *resv)
{
	struct sluice_sharing *sharing = spare;
	struct rb_node *node;

	dma_resv_assert_held(resv);
	spare->resv = resv;
	spin_lock(&queue->sharings_lock);
	node = rb_find_add(&spare->node, &queue->sharings, sluice_sharing_compare);
	if (node)
		sharing = rb_entry(node, struct sluice_sharing, node);
	sharing->slots++;
	spin_unlock(&queue->sharings_lock);
	if (node)
		kfree(spare);
	sharing->usable++;
	return sharing;
}

/**
 * sluice_sharing_lose - one of its slots cannot be used any more
 * @queue: whose
 * @sharing: the slot's; its reservation is held
 * @gone: signals when no op uses the slot, after those of slots that were lost before; NULL
 *	if none does already
 *
 * Context: may not sleep.
 */
void sluice_sharing_lose(struct sluice_queue *queue, struct sluice_sharing *sharing,
			 struct dma_fence *gone)
{
	dma_resv_assert_held(sharing->resv);
	if (gone) {
		dma_fence_put(sharing->gone);
		sharing->gone = dma_fence_get(gone);
	}
	if (!--sharing->usable && sharing->gone)
		dma_resv_replace_fences(sharing->resv, queue->context, sharing->gone,
					DMA_RESV_USAGE_WRITE);
}

/**
 * sluice_sharing_leave - a slot has gone
 * @queue: whose
 * @sharing: the slot's, which has been lost
 *
 * Context: process context.
 */
void sluice_sharing_leave(struct sluice_queue *queue, struct sluice_sharing *sharing)
{
	bool last;

	spin_lock(&queue->sharings_lock);
	last = !--sharing->slots;
	if (last)
		rb_erase(&sharing->node, &queue->sharings);
	spin_unlock(&queue->sharings_lock);
	if (!last)
		return;
	dma_fence_put(sharing->gone);
	kfree(sharing);
}
