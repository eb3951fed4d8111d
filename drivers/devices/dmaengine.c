// SPDX-License-Identifier: GPL-2.0-only
/*
 * dmaengine: memcpy channels of any dmaengine driver.
 *
 * Words: *this driver* is the Sluice driver in this file.  The *controller* is the hardware
 * that has the channels, and the *controller's driver* is its driver in the kernel.
 *
 * Each channel is an engine.  The channels of a controller that do DMA through the same struct
 * device make one Sluice device.  Its parent is this struct device.  The DMA mask, the IOMMU
 * and the offset between bus and physical addresses are therefore those of the controller.
 *
 * An op is split into descriptors.  Each descriptor covers bytes that are in one segment of
 * the source and in one segment of the target.  Descriptors of several ops are in flight, so
 * that the channel has the next one when one ends.  They are prepared in ->kick() and in a
 * work item, which are process context.  The callback of a descriptor does not prepare any,
 * because it runs in a tasklet, and some drivers of controllers allocate with GFP_KERNEL.
 *
 * This file owns the channels that it has requested, and the memory for the pattern of fills.
 * The locks of a channel, from outside to inside:
 *
 *	channel->feed	mutex: one context prepares descriptors, or stops the channel, at a
 *			time.  It is the ring lock: sluice_engine_next() is called with it held
 *	channel->lock	spinlock, irq: guards the ops and descriptors.  The core is not called
 *			with it held
 *
 * A channel can only be stopped as a whole, and then does not say what it did last.  The core
 * therefore hands out again the ops that were stopped for the sake of another, and they begin
 * again.  Their result must not change.  For this reason an op that overwrites the source of
 * an earlier op waits until the earlier op has ended: see dmae_must_wait().
 *
 * A fence must signal in finite time.  This driver therefore takes only channels that can be
 * stopped (device_terminate_all; for example, ioat and mv_xor do not have it).
 *
 * When the controller's driver is unbound, the memory of its channels is freed, even if they
 * are in use.  The platform device of this driver is therefore a consumer of the controller's
 * device, by a device link.  The driver core of the kernel then unbinds this driver first.  The
 * link also has the effect that this driver is suspended first, and resumed last.  While this
 * driver has a channel, the module of the controller's driver stays loaded.
 */
#include <linux/dma-fence.h>
#include <linux/dma-mapping.h>
#include <linux/dmaengine.h>
#include <linux/genalloc.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/of.h>
#include <linux/of_platform.h>
#include <linux/platform_device.h>
#include <linux/pm.h>
#include <linux/rcupdate.h>
#include <linux/sched/mm.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "compat.h"
#include "sluice.h"

#define DMAE_MAX_CHANNELS	16
#define DMAE_DEPTH		32	/* ops in flight */
#define DMAE_PIECES		64	/* descriptors in flight */
#define DMAE_PATTERN_SIZE	SZ_64K

static char *channels[DMAE_MAX_CHANNELS];
static int num_channels;
module_param_array(channels, charp, &num_channels, 0444);
MODULE_PARM_DESC(channels, "names of the channels to take, as in /sys/class/dma (default: any)");

static unsigned int engines = 2;
module_param(engines, uint, 0444);
MODULE_PARM_DESC(engines, "how many channels to take if none is named, 1 to 16 (default 2)");

/**
 * struct dmae_piece - a descriptor in flight, or a free entry for one
 * @link: in channel->free, while the entry is free
 * @ch: its channel
 * @op: the op that it belongs to
 * @length: bytes that it copies or fills
 * @patterned: it copies from channel->pattern
 */
struct dmae_piece {
	struct list_head link;
	struct dmae_channel *ch;
	struct dmae_op *op;
	size_t length;
	bool patterned;
};

/**
 * struct dmae_op - an op in flight
 * @link: in channel->ops
 * @desc: the op as the core has described it; valid while the op is in channel->ops
 * @cookie: cookie of the op
 * @dst: first byte to write that has no descriptor yet; owned by the holder of channel->feed
 * @src: copy: first byte to read that has no descriptor yet; owned like @dst
 * @left: bytes that have no descriptor yet
 * @pending: number of its descriptors in flight
 * @status: the first error, or 0.  After an error the op gets no more descriptors
 * @done: bytes written
 */
struct dmae_op {
	struct list_head link;
	const struct sluice_op_desc *desc;
	u32 cookie;
	struct sluice_cursor dst;
	struct sluice_cursor src;
	u64 left;
	unsigned int pending;
	int status;
	u64 done;
};

/**
 * struct dmae_channel - a channel, which is an engine
 * @chan: the channel of the dmaengine framework, with a reference
 * @dev: the struct device that does the DMA
 * @wq: runs @work
 * @work: prepares more descriptors, and recovers after an error
 * @max_piece: bytes that a descriptor may have at most
 * @feed: mutex: one context prepares descriptors, or stops the channel, at a time.  Guards the
 *	fields between it and @lock.  @stuck and @engine are also read without it
 * @pattern: coherent memory that is full of one value, which a fill copies from
 * @pattern_dma: its address for the device
 * @stuck: the channel could not be stopped; it gets no more descriptors, and its ops fail
 * @engine: the engine, or NULL while the core must not be asked for ops
 * @lock: spinlock, irq: guards the fields below, and the ops except their cursors
 * @ops: the ops in flight, in the order in which the core has handed them out
 * @in_flight: number of ops in flight.  An op is counted until sluice_engine_done() has
 *	returned, which is a little longer than the core counts it
 * @more: an op waits for room, or for an earlier op: queue @work when one may go on
 * @broken: a descriptor has failed, so the channel may have halted
 * @stopping: the channel is being stopped: ignore the callbacks of descriptors
 * @free: pieces that are not in flight
 * @num_free: length of @free
 * @patterned: number of pieces in flight that copy from @pattern
 * @slots: the ops; the index is the lower bits of the cookie
 * @pieces: all pieces
 */
struct dmae_channel {
	struct dma_chan *chan;
	struct device *dev;
	struct workqueue_struct *wq;
	struct work_struct work;
	size_t max_piece;
	struct mutex feed;
	u32 *pattern;
	dma_addr_t pattern_dma;
	bool stuck;
	struct sluice_engine *engine;
	spinlock_t lock;
	struct list_head ops;
	unsigned int in_flight;
	bool more;
	bool broken;
	bool stopping;
	struct list_head free;
	unsigned int num_free;
	unsigned int patterned;
	struct dmae_op slots[DMAE_DEPTH];
	struct dmae_piece pieces[DMAE_PIECES];
};

/**
 * struct dmae_device - a Sluice device: the channels that do DMA through the same struct device
 * @sdev: the Sluice device
 * @consumer: this driver's platform device; it is unbound before the suppliers of its links
 * @num_engines: number of entries of @engines that are in use
 * @engines: the channels; the index is that of the engine
 */
struct dmae_device {
	struct sluice_device *sdev;
	struct device *consumer;
	unsigned int num_engines;
	struct dmae_channel *engines[DMAE_MAX_CHANNELS];
};

/**
 * struct dmae - all data of this driver
 * @wq: runs the work of the channels; in the signalling path of fences
 * @num_channels: number of entries of @channels that are in use
 * @channels: the channels, in the order of the module parameter
 * @num_devices: number of entries of @devices that are in use
 * @devices: the Sluice devices
 */
struct dmae {
	struct workqueue_struct *wq;
	unsigned int num_channels;
	struct dmae_channel channels[DMAE_MAX_CHANNELS];
	unsigned int num_devices;
	struct dmae_device devices[DMAE_MAX_CHANNELS];
};

static struct dmae_channel *dmae_channel(struct sluice_engine *engine)
{
	struct dmae_device *device = sluice_engine_priv(engine);

	return device->engines[sluice_engine_index(engine)];
}

/*
 * If the op has ended, take it out of the list.
 * Return: true if it has ended.  Then the caller must report it, without @ch->lock.
 */
static bool dmae_take_ended(struct dmae_channel *ch, struct dmae_op *op)
{
	lockdep_assert_held(&ch->lock);
	if (op->pending || (op->left && !op->status))
		return false;
	list_del(&op->link);
	return true;
}

static void dmae_report(struct dmae_channel *ch, const struct dmae_op *op)
{
	struct sluice_result result = { .status = op->status, .bytes = op->done };
	unsigned long flags;

	sluice_engine_done(ch->engine, op->cookie, &result);
	spin_lock_irqsave(&ch->lock, flags);
	ch->in_flight--;
	if (ch->more)
		queue_work(ch->wq, &ch->work);
	spin_unlock_irqrestore(&ch->lock, flags);
}

static void dmae_put_piece(struct dmae_channel *ch, struct dmae_piece *piece)
{
	lockdep_assert_held(&ch->lock);
	list_add_tail(&piece->link, &ch->free);
	ch->num_free++;
	ch->patterned -= piece->patterned;
	piece->op->pending--;
}

/* A descriptor has ended.  Called by the channel's driver, usually in a tasklet. */
static void dmae_ended(void *data, const struct dmaengine_result *ended)
{
	struct dmae_piece *piece = data;
	struct dmae_channel *ch = piece->ch;
	struct dmae_op *op = piece->op;
	unsigned long flags;
	bool over;

	spin_lock_irqsave(&ch->lock, flags);
	/* some drivers call this for a descriptor that they have stopped, and report no error */
	if (ch->stopping || ch->stuck) {
		spin_unlock_irqrestore(&ch->lock, flags);
		return;
	}
	if (ended->result == DMA_TRANS_NOERROR) {
		op->done += piece->length;
	} else {
		op->status = op->status ?: -EIO;
		ch->broken = true;
	}
	dmae_put_piece(ch, piece);
	over = dmae_take_ended(ch, op);
	if (ch->broken || (ch->more && ch->num_free >= DMAE_PIECES / 2))
		queue_work(ch->wq, &ch->work);
	spin_unlock_irqrestore(&ch->lock, flags);
	if (over)
		dmae_report(ch, op);
}

/*
 * Find the source of the next descriptor of an op.
 * Return: the length of the descriptor: bytes that are in one segment on each side.
 */
static size_t dmae_stretch(struct dmae_channel *ch, const struct dmae_op *op, bool patterned,
			   dma_addr_t *src)
{
	size_t length = min_t(u64, min(sluice_cursor_left(&op->dst), ch->max_piece), op->left);

	if (patterned) {
		*src = ch->pattern_dma;
		return min_t(size_t, length, DMAE_PATTERN_SIZE);
	}
	*src = sluice_cursor_address(&op->src);
	return min(length, sluice_cursor_left(&op->src));
}

/* Can the controller's memset write the value?  It takes a value of one byte. */
static bool dmae_is_bytewise(const struct dmae_channel *ch, const struct sluice_op_desc *desc)
{
	return desc->kind == SLUICE_OP_FILL &&
	       dma_has_cap(DMA_MEMSET, ch->chan->device->cap_mask) &&
	       desc->value == (desc->value & 0xff) * 0x01010101U;
}

/*
 * Prepare the next descriptor of an op.  The last descriptor of an op has DMA_PREP_FENCE,
 * because some controllers start a descriptor before the previous one has ended.
 * Return: the descriptor; NULL if there is none free; an ERR_PTR if the op fails.
 */
static struct dma_async_tx_descriptor *dmae_prepare(struct dmae_channel *ch, struct dmae_op *op,
						    struct dmae_piece *piece)
{
	unsigned long flags = DMA_PREP_INTERRUPT | DMA_CTRL_ACK;
	struct dma_device *device = ch->chan->device;
	struct dma_async_tx_descriptor *tx;
	dma_addr_t dst = sluice_cursor_address(&op->dst), src;
	size_t length = min_t(u64, min(sluice_cursor_left(&op->dst), ch->max_piece), op->left);
	bool memset = dmae_is_bytewise(ch, op->desc) &&
		      is_dma_fill_aligned(device, dst, 0, length);

	piece->patterned = !memset && op->desc->kind == SLUICE_OP_FILL;
	if (!memset)
		length = dmae_stretch(ch, op, piece->patterned, &src);
	piece->length = length;
	if (length == op->left)
		flags |= DMA_PREP_FENCE;
	if (memset)
		tx = dmaengine_prep_dma_memset(ch->chan, dst, op->desc->value & 0xff, length, flags);
	/* the op is aligned, but segments of a foreign buffer may begin anywhere */
	else if (!is_dma_copy_aligned(device, dst, src, length))
		return ERR_PTR(-EINVAL);
	else
		tx = dmaengine_prep_dma_memcpy(ch->chan, dst, src, length, flags);
	if (tx) {
		tx->callback_result = dmae_ended;
		tx->callback_param = piece;
	}
	return tx;
}

/*
 * Submit a descriptor.  Some controllers start it when the previous one ends, even before
 * dma_async_issue_pending().  The descriptor and its op may therefore have ended when
 * dmaengine_submit() returns.  For this reason all fields are updated before.
 * Return: 0, or -EIO if the controller's driver refuses the descriptor.
 */
static int dmae_submit(struct dmae_channel *ch, struct dmae_op *op, struct dmae_piece *piece,
		       struct dma_async_tx_descriptor *tx)
{
	size_t length = piece->length;

	piece->op = op;
	sluice_cursor_advance(&op->dst, length);
	if (op->desc->kind == SLUICE_OP_COPY)
		sluice_cursor_advance(&op->src, length);
	spin_lock_irq(&ch->lock);
	list_del(&piece->link);
	ch->num_free--;
	ch->patterned += piece->patterned;
	op->pending++;
	op->left -= length;
	spin_unlock_irq(&ch->lock);
	if (!dma_submit_error(dmaengine_submit(tx)))
		return 0;
	/* the op fails, so its cursors need no correction */
	spin_lock_irq(&ch->lock);
	dmae_put_piece(ch, piece);
	op->left += length;
	spin_unlock_irq(&ch->lock);
	return -EIO;
}

/*
 * Queue the next descriptor of an op.
 * Return: 0 if the caller may go on, even if nothing was queued; -EAGAIN if there is no room
 * now, and @more has been set; another negative errno if the op fails with it.
 */
static int dmae_queue(struct dmae_channel *ch, struct dmae_op *op)
{
	struct dma_async_tx_descriptor *tx;
	struct dmae_piece *piece;
	bool alone, room;

	spin_lock_irq(&ch->lock);
	piece = list_first_entry_or_null(&ch->free, struct dmae_piece, link);
	ch->more |= !piece;
	alone = ch->num_free == DMAE_PIECES;
	spin_unlock_irq(&ch->lock);
	if (!piece)
		return -EAGAIN;
	tx = dmae_prepare(ch, op, piece);
	if (IS_ERR(tx))
		return PTR_ERR(tx);
	if (tx)
		return dmae_submit(ch, op, piece, tx);
	if (alone)
		return -ENOMEM;
	/*
	 * The controller's driver has no free descriptor.  Those in flight become free when
	 * they end.  If all of them have ended since the check above, there is room already.
	 */
	dma_async_issue_pending(ch->chan);
	spin_lock_irq(&ch->lock);
	room = ch->num_free == DMAE_PIECES;
	ch->more |= !room;
	spin_unlock_irq(&ch->lock);
	return room ? 0 : -EAGAIN;
}

/*
 * Must an op wait for earlier ops?  Yes, if it may overwrite memory that one of them reads: if
 * the earlier op is stopped and handed out again, it reads this memory again.  Yes also if it
 * needs the pattern, and descriptors in flight copy another value from the pattern.
 */
static bool dmae_must_wait(struct dmae_channel *ch, const struct dmae_op *op)
{
	const struct sluice_op_desc *desc = op->desc;
	const struct dmae_op *before;

	lockdep_assert_held(&ch->lock);
	if (desc->kind == SLUICE_OP_FILL && ch->patterned && ch->pattern[0] != desc->value)
		return true;
	list_for_each_entry(before, &ch->ops, link) {
		if (before == op)
			break;
		if (sluice_slot_shares(before->desc->src, desc->dst))
			return true;
	}
	return false;
}

/* Set an op to its beginning. */
static void dmae_rewind(struct dmae_op *op)
{
	op->dst = op->desc->dst_at;
	op->src = op->desc->src_at;
	op->left = op->desc->length;
	op->pending = 0;
	op->status = 0;
	op->done = 0;
}

/* Take the next op from the core.  Return: the op, or NULL if there is none. */
static struct dmae_op *dmae_take(struct dmae_channel *ch)
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
	dmae_rewind(op);
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
static struct dmae_op *dmae_next(struct dmae_channel *ch)
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
			wait = op->left == op->desc->length && dmae_must_wait(ch, op);
			full = false;
		} else {
			op = NULL;
		}
		ch->more |= full || wait;
		spin_unlock_irq(&ch->lock);
	/* the next round finds the op that was taken */
	} while (!op && !full && dmae_take(ch));
	return wait ? NULL : op;
}

/* An op fails.  It gets no more descriptors, and ends when its last one in flight has ended. */
static void dmae_fail(struct dmae_channel *ch, struct dmae_op *op, int status)
{
	bool over;

	spin_lock_irq(&ch->lock);
	op->status = op->status ?: status;
	over = dmae_take_ended(ch, op);
	spin_unlock_irq(&ch->lock);
	if (over)
		dmae_report(ch, op);
}

/* Queue one descriptor.  Return: false if no more can be queued now. */
static bool dmae_feed_one(struct dmae_channel *ch)
{
	struct dmae_op *op = dmae_next(ch);
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
		ret = dmae_queue(ch, op);
	}
	if (ret && ret != -EAGAIN)
		dmae_fail(ch, op, ret);
	return ret != -EAGAIN;
}

/* Take ops, and prepare and issue their descriptors, until there is no room or no op. */
static void dmae_feed(struct dmae_channel *ch)
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
	for (i = 0; i < DMAE_PIECES && dmae_feed_one(ch); i++)
		;
	memalloc_noreclaim_restore(context);
	if (i)
		dma_async_issue_pending(ch->chan);
	/* a quick channel always has room again: release @feed, so that an abort can take it */
	if (i == DMAE_PIECES)
		queue_work(ch->wq, &ch->work);
}

/* The channel has no descriptor in flight: mark all pieces as free. */
static void dmae_forget_pieces(struct dmae_channel *ch)
{
	unsigned int i;

	INIT_LIST_HEAD(&ch->free);
	for (i = 0; i < DMAE_PIECES; i++)
		list_add_tail(&ch->pieces[i].link, &ch->free);
	ch->num_free = DMAE_PIECES;
	ch->patterned = 0;
	ch->broken = false;
	ch->stopping = false;
}

/* Stop a channel.  Afterwards no descriptor is in flight, and no callback runs or will run. */
static void dmae_stop(struct dmae_channel *ch)
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
static void dmae_recover(struct dmae_channel *ch)
{
	struct dmae_op *op, *next;
	LIST_HEAD(failed);

	dmae_stop(ch);
	spin_lock_irq(&ch->lock);
	dmae_forget_pieces(ch);
	list_for_each_entry_safe(op, next, &ch->ops, link) {
		if (op->status)
			list_move_tail(&op->link, &failed);
		else
			dmae_rewind(op);
	}
	spin_unlock_irq(&ch->lock);
	list_for_each_entry_safe(op, next, &failed, link)
		dmae_report(ch, op);
}

/* Recover from an error, and prepare descriptors: the work that needs process context. */
static void dmae_service(struct dmae_channel *ch)
{
	lockdep_assert_held(&ch->feed);
	if (READ_ONCE(ch->broken))
		dmae_recover(ch);
	dmae_feed(ch);
}

static void dmae_work(struct work_struct *work)
{
	struct dmae_channel *ch = container_of(work, struct dmae_channel, work);
	bool signalling = dma_fence_begin_signalling();

	mutex_lock(&ch->feed);
	dmae_service(ch);
	mutex_unlock(&ch->feed);
	dma_fence_end_signalling(signalling);
}

static void dmae_kick(struct sluice_engine *engine)
{
	struct dmae_channel *ch = dmae_channel(engine);

	mutex_lock(&ch->feed);
	ch->engine = engine;
	dmae_service(ch);
	mutex_unlock(&ch->feed);
}

static enum sluice_aborted dmae_abort(struct sluice_engine *engine, u32 cookie)
{
	struct dmae_channel *ch = dmae_channel(engine);

	mutex_lock(&ch->feed);
	dmae_stop(ch);
	spin_lock_irq(&ch->lock);
	dmae_forget_pieces(ch);
	INIT_LIST_HEAD(&ch->ops);
	ch->in_flight = 0;
	spin_unlock_irq(&ch->lock);
	/* the device may be removed: the engine is valid again at the next kick only */
	if (cookie == SLUICE_ALL_OPS)
		ch->engine = NULL;
	mutex_unlock(&ch->feed);
	return SLUICE_ABORTED_ALL;
}

/*
 * Find the device that has made the gen_pool of a node.  It is the device of this node, or of
 * the parent node if the node is a part of an SRAM.
 */
static struct platform_device *dmae_find_sram(struct device_node *node)
{
	struct platform_device *pdev = of_find_device_by_node(node);

	return pdev || !node->parent ? pdev : of_find_device_by_node(node->parent);
}

/*
 * Make a heap of the largest free piece of a pool.  The device link keeps the pool until this
 * driver is unbound.
 */
static int dmae_take_sram(struct sluice_device *sdev, struct dmae_device *device,
			  struct device *sram, struct gen_pool *pool)
{
	size_t size = round_down(gen_pool_avail(pool), PAGE_SIZE);
	int ret = -ENOMEM;

	if (!device_link_add(device->consumer, sram, DL_FLAG_AUTOREMOVE_CONSUMER))
		return -EINVAL;
	for (; size && ret == -ENOMEM; size -= PAGE_SIZE)
		ret = sluice_device_add_sram(sdev, pool, size);
	/* no free piece of whole pages: the device has no such heap */
	return ret == -ENOMEM || ret == -EINVAL ? 0 : ret;
}

/*
 * ->prepare().  The controller's node of the device tree may name SRAM in its property "sram".
 * The free part of this SRAM is for buffers of the device.
 */
static int dmae_add_sram(struct sluice_device *sdev, void *priv)
{
	struct dmae_device *device = priv;
	struct device_node *ours = device->engines[0]->dev->of_node, *node;
	struct platform_device *sram;
	struct gen_pool *pool;
	int ret = 0;

	if (!IS_ENABLED(CONFIG_GENERIC_ALLOCATOR))
		return 0;
	node = of_parse_phandle(ours, "sram", 0);
	if (!node)
		return 0;
	pool = of_gen_pool_get(ours, "sram", 0);
	sram = dmae_find_sram(node);
	/* mappings by processes would be write-combined, which this property forbids */
	if (pool && sram && !of_property_read_bool(sram->dev.of_node, "no-memory-wc"))
		ret = dmae_take_sram(sdev, device, &sram->dev, pool);
	platform_device_put(sram);
	of_node_put(node);
	return ret;
}

static const struct sluice_device_ops dmae_ops = {
	.prepare = dmae_add_sram,
	.kick = dmae_kick,
	.abort = dmae_abort,
};

/*
 * Does the controller promise to end descriptors in their order?  If not, the core hands out
 * one op of a queue at a time.
 */
static bool dmae_is_ordered(const struct dmae_channel *ch)
{
	return !dma_has_cap(DMA_COMPLETION_NO_ORDER, ch->chan->device->cap_mask);
}

static struct sluice_device *dmae_register(struct dmae_device *device)
{
	struct sluice_engine_caps caps[DMAE_MAX_CHANNELS];
	unsigned int i, align;

	for (i = 0; i < device->num_engines; i++) {
		/* the value of a fill has four bytes */
		align = max_t(unsigned int, device->engines[i]->chan->device->copy_align,
			      DMAENGINE_ALIGN_4_BYTES);
		caps[i] = (struct sluice_engine_caps) {
			.op_kinds = BIT_ULL(SLUICE_OP_COPY) | BIT_ULL(SLUICE_OP_FILL),
			.flags = dmae_is_ordered(device->engines[i]) ? SLUICE_ENGINE_ORDERED : 0,
			.depth = DMAE_DEPTH,
			.op_align = 1U << align,
		};
	}
	return sluice_device_register(device->engines[0]->dev, "dmaengine", &dmae_ops, caps,
				      device->num_engines, device);
}

/* Add a channel to the Sluice device of its struct device; begin a new one if there is none. */
static void dmae_add_to_device(struct dmae *de, struct dmae_channel *ch)
{
	struct dmae_device *device;
	unsigned int i;

	for (i = 0; i < de->num_devices; i++) {
		const struct dmae_channel *first = de->devices[i].engines[0];

		if (first->dev == ch->dev && first->chan->device == ch->chan->device)
			break;
	}
	if (i == de->num_devices)
		de->num_devices++;
	device = &de->devices[i];
	device->engines[device->num_engines++] = ch;
}

static int dmae_add_channel(struct dmae *de, struct device *consumer,
				 struct dma_chan *chan)
{
	struct dmae_channel *ch = &de->channels[de->num_channels++];
	unsigned int i;

	ch->chan = chan;
	ch->dev = dmaengine_get_dma_device(chan);
	ch->wq = de->wq;
	INIT_WORK(&ch->work, dmae_work);
	mutex_init(&ch->feed);
	spin_lock_init(&ch->lock);
	INIT_LIST_HEAD(&ch->ops);
	dmae_forget_pieces(ch);
	for (i = 0; i < DMAE_PIECES; i++)
		ch->pieces[i].ch = ch;
	if (chan->device->copy_align > DMAENGINE_ALIGN_256_BYTES)
		return dev_err_probe(consumer, -EOPNOTSUPP, "%s needs alignment above 256 bytes\n",
				     dma_chan_name(chan));
	ch->max_piece = round_down(dma_get_max_seg_size(ch->dev), 1U << chan->device->copy_align);
	ch->pattern = dma_alloc_coherent(ch->dev, DMAE_PATTERN_SIZE, &ch->pattern_dma,
					 GFP_KERNEL);
	if (!ch->pattern)
		return -ENOMEM;
	if (!device_link_add(consumer, chan->device->dev, DL_FLAG_AUTOREMOVE_CONSUMER))
		return dev_err_probe(consumer, -EINVAL, "cannot link to the device of %s\n",
				     dma_chan_name(chan));
	dmae_add_to_device(de, ch);
	return 0;
}

static bool dmae_wanted(struct dma_chan *chan, void *name)
{
	return chan->device->device_terminate_all &&
	       (!name || !strcmp(name, dma_chan_name(chan)));
}

static int dmae_add_channels(struct dmae *de, struct device *consumer)
{
	unsigned int i, count = num_channels ?: clamp(engines, 1U, DMAE_MAX_CHANNELS);
	struct dma_chan *chan;
	dma_cap_mask_t mask;
	int ret;

	dma_cap_zero(mask);
	dma_cap_set(DMA_MEMCPY, mask);
	for (i = 0; i < count; i++) {
		chan = dma_request_channel(mask, dmae_wanted, channels[i]);
		if (!chan && (!i || num_channels))
			/* the kernel calls probe again when another driver has bound its device */
			return dev_err_probe(consumer, -EPROBE_DEFER,
					     "no free channel %s that copies and can be stopped\n",
					     channels[i] ?: "at all");
		if (!chan)
			break;
		ret = dmae_add_channel(de, consumer, chan);
		if (ret)
			return ret;
	}
	return 0;
}

static void dmae_destroy(struct dmae *de)
{
	unsigned int i;

	for (i = 0; i < de->num_devices; i++)
		if (!IS_ERR_OR_NULL(de->devices[i].sdev))
			sluice_device_unregister(de->devices[i].sdev);
	for (i = 0; i < de->num_channels; i++) {
		struct dmae_channel *ch = &de->channels[i];

		cancel_work_sync(&ch->work);
		if (ch->pattern)
			dma_free_coherent(ch->dev, DMAE_PATTERN_SIZE, ch->pattern,
					  ch->pattern_dma);
		dma_release_channel(ch->chan);
	}
	destroy_workqueue(de->wq);
	kfree(de);
}

static int dmae_probe(struct platform_device *pdev)
{
	struct dmae *de;
	unsigned int i;
	int ret;

	de = kzalloc(sizeof(*de), GFP_KERNEL);
	if (!de)
		return -ENOMEM;
	de->wq = alloc_workqueue("sluice-dmaengine", WQ_UNBOUND | WQ_HIGHPRI | WQ_MEM_RECLAIM, 0);
	if (!de->wq) {
		kfree(de);
		return -ENOMEM;
	}
	platform_set_drvdata(pdev, de);
	ret = dmae_add_channels(de, &pdev->dev);
	if (ret)
		goto err_destroy;
	for (i = 0; i < de->num_devices; i++) {
		struct dmae_device *device = &de->devices[i];

		device->consumer = &pdev->dev;
		device->sdev = dmae_register(device);
		if (IS_ERR(device->sdev)) {
			ret = PTR_ERR(device->sdev);
			goto err_destroy;
		}
	}
	return 0;

err_destroy:
	dmae_destroy(de);
	return ret;
}

static void dmae_unbind(struct platform_device *pdev)
{
	dmae_destroy(platform_get_drvdata(pdev));
}
SLUICE_PLATFORM_REMOVE(dmae_remove, dmae_unbind)

static int dmae_resume(struct device *dev)
{
	struct dmae *de = dev_get_drvdata(dev);
	unsigned int i;

	for (i = 0; i < de->num_devices; i++)
		sluice_device_resume(de->devices[i].sdev);
	return 0;
}

/* The controller's driver suspends the channels themselves, after this function. */
static int dmae_suspend(struct device *dev)
{
	struct dmae *de = dev_get_drvdata(dev);
	unsigned int i;
	int ret = 0;

	for (i = 0; i < de->num_devices && !ret; i++)
		ret = sluice_device_suspend(de->devices[i].sdev);
	if (ret)
		dmae_resume(dev);
	return ret;
}

static DEFINE_SIMPLE_DEV_PM_OPS(dmae_pm, dmae_suspend, dmae_resume);

static struct platform_driver dmae_driver = {
	.driver.name = "sluice-dmaengine",
	.driver.pm = pm_sleep_ptr(&dmae_pm),
	.probe = dmae_probe,
	.remove = dmae_remove,
};

static struct platform_device *dmae_pdev;

static int __init dmae_init(void)
{
	int ret;

	ret = platform_driver_register(&dmae_driver);
	if (ret)
		return ret;
	dmae_pdev = platform_device_register_simple("sluice-dmaengine", PLATFORM_DEVID_NONE,
							 NULL, 0);
	if (IS_ERR(dmae_pdev)) {
		platform_driver_unregister(&dmae_driver);
		return PTR_ERR(dmae_pdev);
	}
	return 0;
}

static void __exit dmae_exit(void)
{
	platform_device_unregister(dmae_pdev);
	platform_driver_unregister(&dmae_driver);
}

module_init(dmae_init);
module_exit(dmae_exit);

MODULE_DESCRIPTION("Sluice device driver for memcpy channels of the dmaengine framework");
MODULE_AUTHOR("The Sluice authors");
MODULE_LICENSE("GPL");
MODULE_VERSION(SLUICE_VERSION);
