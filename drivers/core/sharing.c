// SPDX-License-Identifier: GPL-2.0-only
/* Sharings: the slots of a queue whose buffers have the same dma_resv.  See sharing.h. */
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/slab.h>

#include "sharing.h"

/**
 * sluice_sharing_init - initialise the sharings of a queue
 * @sharings: part of the queue
 * @context: fence context of the queue
 *
 * Context: any.
 */
void sluice_sharing_init(struct sluice_sharings *sharings, u64 context)
{
	spin_lock_init(&sharings->lock);
	sharings->tree = RB_ROOT;
	sharings->context = context;
}

static int sluice_sharing_compare(struct rb_node *new, const struct rb_node *node)
{
	unsigned long a = (unsigned long)rb_entry(new, struct sluice_sharing, node)->resv;
	unsigned long b = (unsigned long)rb_entry(node, struct sluice_sharing, node)->resv;

	return a < b ? -1 : a > b;
}

/**
 * sluice_sharing_join - add a usable slot to the sharing of a dma_resv
 * @sharings: sharings of the queue
 * @spare: zeroed memory from kzalloc().  It becomes the new sharing if the queue has no sharing of
 *	the dma_resv yet; otherwise it is freed
 * @resv: the dma_resv
 *
 * Context: does not sleep; the dma_resv is held.
 * Return: the sharing.  The slot leaves it with sluice_sharing_leave().
 */
struct sluice_sharing *sluice_sharing_join(struct sluice_sharings *sharings,
					   struct sluice_sharing *spare, struct dma_resv *resv)
{
	struct sluice_sharing *sharing = spare;
	struct rb_node *node;

	dma_resv_assert_held(resv);
	spare->resv = resv;
	spin_lock(&sharings->lock);
	node = rb_find_add(&spare->node, &sharings->tree, sluice_sharing_compare);
	if (node)
		sharing = rb_entry(node, struct sluice_sharing, node);
	sharing->slots++;
	spin_unlock(&sharings->lock);
	if (node)
		kfree(spare);
	sharing->usable++;
	return sharing;
}

/**
 * sluice_sharing_lose - count a slot as not usable any more
 * @sharings: sharings of the queue
 * @sharing: the sharing of the slot
 * @gone: fence that signals when no op uses the slot any more.  It must not signal before the
 *	fences that were passed for other slots earlier.  NULL if no op uses the slot now
 *
 * If no slot of the sharing is usable any more, the newest @gone replaces the fences of the queue
 * on the dma_resv.  The newest one is enough, because it signals last.
 *
 * Context: does not sleep; the dma_resv is held.
 */
void sluice_sharing_lose(struct sluice_sharings *sharings, struct sluice_sharing *sharing,
			 struct dma_fence *gone)
{
	dma_resv_assert_held(sharing->resv);
	if (gone) {
		dma_fence_put(sharing->gone);
		sharing->gone = dma_fence_get(gone);
	}
	if (!--sharing->usable && sharing->gone)
		dma_resv_replace_fences(sharing->resv, sharings->context, sharing->gone,
					DMA_RESV_USAGE_WRITE);
}

/**
 * sluice_sharing_leave - remove a slot that is being freed
 * @sharings: sharings of the queue
 * @sharing: the sharing of the slot.  sluice_sharing_lose() has been called for the slot
 *
 * When the last slot leaves, the sharing is freed.
 *
 * Context: process context.
 */
void sluice_sharing_leave(struct sluice_sharings *sharings, struct sluice_sharing *sharing)
{
	bool last;

	spin_lock(&sharings->lock);
	last = !--sharing->slots;
	if (last)
		rb_erase(&sharing->node, &sharings->tree);
	spin_unlock(&sharings->lock);
	if (!last)
		return;
	dma_fence_put(sharing->gone);
	kfree(sharing);
}
