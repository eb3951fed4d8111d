// SPDX-License-Identifier: GPL-2.0-only
/*
 * Channels.
 *
 * Descriptors of several ops are in flight, so that the channel has the next one when one ends.
 * They are prepared when the core kicks the channel, and in a work item.  Both are process
 * context.
 *
 * The data and the locks are described in dmaengine_channel.h and dmaengine_op.h.
 */
#include <linux/dma-fence.h>
#include <linux/dma-mapping.h>
#include <linux/rcupdate.h>
#include <linux/sched/mm.h>
#include <linux/string.h>

#include "dmaengine_channel.h"

/* Take the next op from the core.  Return: the op, or NULL if there is none. */
static struct dmae_op *dmae_channel_take(struct dmae_chan *ch)
{
	const struct sluice_op_desc *desc;
	struct dmae_op *op;

	if (!ch->engine)
		return NULL;
	desc = sluice_engine_next(ch->engine);
	if (!desc)
		return NULL;
	op = &ch->slots[desc->cookie & (SLUICE_MAX_ENGINE_DEPTH - 1)];
	op->desc = desc;
	op->cookie = desc->cookie;
	dmae_op_rewind(op);
	spin_lock_irq(&ch->lock);
	ch->in_flight++;
	list_add_tail(&op->link, &ch->ops);
	spin_unlock_irq(&ch->lock);
	return op;
}

/*
 * Find the op that gets the next descriptor; take one from the core if necessary.
 * Return: the op; NULL if there is none, if it must wait, or if DMAE_DEPTH ops are in flight.
 */
static struct dmae_op *dmae_channel_next(struct dmae_chan *ch)
{
	struct dmae_op *op;
	bool full, wait = false;

	do {
		spin_lock_irq(&ch->lock);
		full = ch->in_flight == DMAE_DEPTH;
		list_for_each_entry(op, &ch->ops, link)
			if (op->left && !op->status)
				break;
		if (!list_entry_is_head(op, &ch->ops, link)) {
			wait = op->left == op->desc->length && dmae_op_must_wait(ch, op);
			full = false;
		} else {
			op = NULL;
		}
		ch->more |= full || wait;
		spin_unlock_irq(&ch->lock);
	/* the next round finds the op that was taken */
	} while (!op && !full && dmae_channel_take(ch));
	return wait ? NULL : op;
}

/* Queue one descriptor.  Return: false if no more can be queued now. */
static bool dmae_channel_feed_one(struct dmae_chan *ch)
{
	struct dmae_op *op = dmae_channel_next(ch);
	int ret = -EIO;

	if (!op)
		return false;
	if (!ch->stuck) {
		/*
		 * The pattern is filled even if the controller has memset: the alignment of a
		 * piece may require a copy.
		 */
		if (op->desc->kind == SLUICE_OP_FILL && ch->pattern[0] != op->desc->value)
			memset32(ch->pattern, op->desc->value, DMAE_PATTERN_SIZE / sizeof(u32));
		ret = dmae_op_queue(ch, op);
	}
	if (ret && ret != -EAGAIN)
		dmae_op_fail(ch, op, ret);
	return ret != -EAGAIN;
}

/* Take ops, and prepare and issue their descriptors, until there is no room or no op. */
static void dmae_channel_feed(struct dmae_chan *ch)
{
	unsigned int context, i;

	lockdep_assert_held(&ch->feed);
	spin_lock_irq(&ch->lock);
	ch->more = false;
	spin_unlock_irq(&ch->lock);
	/*
	 * Reclaim may wait for our fences.  Forbid it for all allocations of the controller's
	 * driver, whatever flags they have.
	 */
	context = memalloc_noreclaim_save();
	for (i = 0; i < DMAE_PIECES && dmae_channel_feed_one(ch); i++)
		;
	memalloc_noreclaim_restore(context);
	if (i)
		dma_async_issue_pending(ch->chan);
	/* a quick channel always has room again: release @feed, so that an abort can take it */
	if (i == DMAE_PIECES)
		queue_work(ch->wq, &ch->work);
}

/* Stop a channel.  Afterwards no descriptor is in flight, and no callback runs or will run. */
static void dmae_channel_stop(struct dmae_chan *ch)
{
	int ret;

	lockdep_assert_held(&ch->feed);
	spin_lock_irq(&ch->lock);
	ch->stopping = true;
	spin_unlock_irq(&ch->lock);
	ret = dmaengine_terminate_sync(ch->chan);
	/* this driver cannot wait for its callbacks: a grace period waits for their tasklets */
	if (!ch->chan->device->device_synchronize)
		synchronize_rcu();
	if (ret) {
		ch->stuck = true;
		dev_err(ch->dev, "%s cannot be stopped (%d): its jobs fail from now on\n",
			dma_chan_name(ch->chan), ret);
	}
}

/*
 * A descriptor has failed.  Some controllers halt then, and some go on.  In either case stop
 * the channel, report the op, and let the other ops begin again.
 */
static void dmae_channel_recover(struct dmae_chan *ch)
{
	struct dmae_op *op, *next;
	LIST_HEAD(failed);

	dmae_channel_stop(ch);
	spin_lock_irq(&ch->lock);
	dmae_op_forget_pieces(ch);
	list_for_each_entry_safe(op, next, &ch->ops, link) {
		if (op->status)
			list_move_tail(&op->link, &failed);
		else
			dmae_op_rewind(op);
	}
	spin_unlock_irq(&ch->lock);
	list_for_each_entry_safe(op, next, &failed, link)
		dmae_op_report(ch, op);
}

/* Recover from an error, and prepare descriptors: the work that needs process context. */
static void dmae_channel_service(struct dmae_chan *ch)
{
	lockdep_assert_held(&ch->feed);
	if (READ_ONCE(ch->broken))
		dmae_channel_recover(ch);
	dmae_channel_feed(ch);
}

static void dmae_channel_work(struct work_struct *work)
{
	struct dmae_chan *ch = container_of(work, struct dmae_chan, work);
	bool signalling = dma_fence_begin_signalling();

	mutex_lock(&ch->feed);
	dmae_channel_service(ch);
	mutex_unlock(&ch->feed);
	dma_fence_end_signalling(signalling);
}

/**
 * dmae_channel_kick - there are ops: take them, and feed the channel; for ->kick()
 * @ch: the channel
 * @engine: its engine
 *
 * Context: process context, in the signalling path of fences.  May sleep.
 */
void dmae_channel_kick(struct dmae_chan *ch, struct sluice_engine *engine)
{
	mutex_lock(&ch->feed);
	ch->engine = engine;
	dmae_channel_service(ch);
	mutex_unlock(&ch->feed);
}

/**
 * dmae_channel_abort - stop the channel, and forget its ops; for ->abort()
 * @ch: the channel
 * @cookie: cookie of an op, or SLUICE_ALL_OPS
 *
 * Context: process context, in the signalling path of fences.  May sleep.
 * Return: SLUICE_ABORTED_ALL, because a channel can only be stopped as a whole.
 */
enum sluice_aborted dmae_channel_abort(struct dmae_chan *ch, u32 cookie)
{
	mutex_lock(&ch->feed);
	dmae_channel_stop(ch);
	spin_lock_irq(&ch->lock);
	dmae_op_forget_pieces(ch);
	INIT_LIST_HEAD(&ch->ops);
	ch->in_flight = 0;
	spin_unlock_irq(&ch->lock);
	/* the device may be removed: the engine is valid again at the next kick only */
	if (cookie == SLUICE_ALL_OPS)
		ch->engine = NULL;
	mutex_unlock(&ch->feed);
	return SLUICE_ABORTED_ALL;
}

/**
 * dmae_channel_init - prepare a channel
 * @ch: the channel; zeroed memory
 * @chan: the channel of the dmaengine framework.  The reference is handed over, even if this
 *	function fails
 * @wq: runs the work of the channel; in the signalling path of fences
 * @consumer: this driver's platform device, for messages
 *
 * Context: the probe function.
 * Return: 0, or a negative errno.  In either case the caller calls dmae_channel_fini().
 */
int dmae_channel_init(struct dmae_chan *ch, struct dma_chan *chan,
		      struct workqueue_struct *wq, struct device *consumer)
{
	unsigned int i;

	ch->chan = chan;
	ch->dev = dmaengine_get_dma_device(chan);
	ch->wq = wq;
	INIT_WORK(&ch->work, dmae_channel_work);
	mutex_init(&ch->feed);
	spin_lock_init(&ch->lock);
	INIT_LIST_HEAD(&ch->ops);
	dmae_op_forget_pieces(ch);
	for (i = 0; i < DMAE_PIECES; i++)
		ch->pieces[i].ch = ch;
	if (chan->device->copy_align > DMAENGINE_ALIGN_256_BYTES)
		return dev_err_probe(consumer, -EOPNOTSUPP, "%s needs alignment above 256 bytes\n",
				     dma_chan_name(chan));
	ch->max_piece = round_down(dma_get_max_seg_size(ch->dev), 1U << chan->device->copy_align);
	ch->pattern = dma_alloc_coherent(ch->dev, DMAE_PATTERN_SIZE, &ch->pattern_dma,
					 GFP_KERNEL);
	return ch->pattern ? 0 : -ENOMEM;
}

/**
 * dmae_channel_fini - release a channel
 * @ch: the channel, which has no ops
 *
 * Context: the probe or the remove function.
 */
void dmae_channel_fini(struct dmae_chan *ch)
{
	cancel_work_sync(&ch->work);
	if (ch->pattern)
		dma_free_coherent(ch->dev, DMAE_PATTERN_SIZE, ch->pattern, ch->pattern_dma);
	dma_release_channel(ch->chan);
}
