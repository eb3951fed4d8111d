// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ops and their descriptors.
 *
 * An op is split into descriptors.  Each descriptor covers bytes that are in one segment of
 * the source and in one segment of the target.  The callback of an op's last descriptor reports the
 * op.  A callback does not prepare the next descriptor: it runs in a tasklet, and some drivers of
 * controllers allocate with GFP_KERNEL when they prepare one.
 *
 * A channel can only be stopped as a whole, and does not report how far it came.  The core
 * therefore hands out the other ops again, and they start from their beginning.  Their result must
 * not change.  For this reason an op that overwrites the source of an earlier op waits until the
 * earlier op has ended: see dmae_op_must_wait().
 *
 * The data and the locks are described in dmaengine_op.h.
 */
#include <linux/err.h>

#include "dmaengine_op.h"

/**
 * dmae_op_forget_pieces - mark all pieces (records of descriptors) as free
 * @ch: the channel.  It has no descriptor in flight.  The caller holds the lock of the channel, or
 *	the channel is not published yet
 *
 * Context: any.
 */
void dmae_op_forget_pieces(struct dmae_chan *ch)
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

/**
 * dmae_op_rewind - set an op to its beginning
 * @op: the op, which has no descriptor in flight
 *
 * Context: any.
 */
void dmae_op_rewind(struct dmae_op *op)
{
	op->dst = op->desc->dst_at;
	op->src = op->desc->src_at;
	op->left = op->desc->length;
	op->pending = 0;
	op->status = 0;
	op->done = 0;
}

/*
 * If the op has ended, take it out of the list.
 * Return: true if it has ended.  Then the caller must report it, without @ch->lock.
 */
static bool dmae_op_take_ended(struct dmae_chan *ch, struct dmae_op *op)
{
	lockdep_assert_held(&ch->lock);
	if (op->pending || (op->left && !op->status))
		return false;
	list_del(&op->link);
	return true;
}

/**
 * dmae_op_report - report the end of an op to the core
 * @ch: the channel
 * @op: the op, already removed from the list.  After the call the core may use its memory for
 *	another op
 *
 * Context: any; without the lock of the channel.
 */
void dmae_op_report(struct dmae_chan *ch, const struct dmae_op *op)
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

/**
 * dmae_op_fail - let an op fail
 * @ch: the channel
 * @op: the op, in the list of the channel
 * @status: negative errno; an earlier error of the op has precedence
 *
 * The op gets no more descriptors, and ends when its last one in flight has ended.
 *
 * Context: process context, with channel->feed held.
 */
void dmae_op_fail(struct dmae_chan *ch, struct dmae_op *op, int status)
{
	bool over;

	spin_lock_irq(&ch->lock);
	op->status = op->status ?: status;
	over = dmae_op_take_ended(ch, op);
	spin_unlock_irq(&ch->lock);
	if (over)
		dmae_op_report(ch, op);
}

static void dmae_op_put_piece(struct dmae_chan *ch, struct dmae_piece *piece)
{
	lockdep_assert_held(&ch->lock);
	list_add_tail(&piece->link, &ch->free);
	ch->num_free++;
	ch->patterned -= piece->patterned;
	piece->op->pending--;
}

/* A descriptor has ended.  Called by the channel's driver, usually in a tasklet. */
static void dmae_op_ended(void *data, const struct dmaengine_result *ended)
{
	struct dmae_piece *piece = data;
	struct dmae_chan *ch = piece->ch;
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
	dmae_op_put_piece(ch, piece);
	over = dmae_op_take_ended(ch, op);
	if (ch->broken || (ch->more && ch->num_free >= DMAE_PIECES / 2))
		queue_work(ch->wq, &ch->work);
	spin_unlock_irqrestore(&ch->lock, flags);
	if (over)
		dmae_op_report(ch, op);
}

/*
 * Find the source of the next descriptor of an op.
 * Return: the length of the descriptor: bytes that are in one segment on each side.
 */
static size_t dmae_op_stretch(struct dmae_chan *ch, const struct dmae_op *op, bool patterned,
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
static bool dmae_op_is_bytewise(const struct dmae_chan *ch, const struct sluice_op_desc *desc)
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
static struct dma_async_tx_descriptor *dmae_op_prepare(struct dmae_chan *ch, struct dmae_op *op,
						       struct dmae_piece *piece)
{
	unsigned long flags = DMA_PREP_INTERRUPT | DMA_CTRL_ACK;
	struct dma_device *device = ch->chan->device;
	struct dma_async_tx_descriptor *tx;
	dma_addr_t dst = sluice_cursor_address(&op->dst), src;
	size_t length = min_t(u64, min(sluice_cursor_left(&op->dst), ch->max_piece), op->left);
	bool memset = dmae_op_is_bytewise(ch, op->desc) &&
		      is_dma_fill_aligned(device, dst, 0, length);

	piece->patterned = !memset && op->desc->kind == SLUICE_OP_FILL;
	if (!memset)
		length = dmae_op_stretch(ch, op, piece->patterned, &src);
	piece->length = length;
	if (length == op->left)
		flags |= DMA_PREP_FENCE;
	if (memset) {
		tx = dmaengine_prep_dma_memset(ch->chan, dst, op->desc->value & 0xff, length,
					       flags);
	} else if (is_dma_copy_aligned(device, dst, src, length)) {
		tx = dmaengine_prep_dma_memcpy(ch->chan, dst, src, length, flags);
	} else {
		/* the op is aligned, but segments of an imported buffer may begin anywhere */
		return ERR_PTR(-EINVAL);
	}
	if (tx) {
		tx->callback_result = dmae_op_ended;
		tx->callback_param = piece;
	}
	return tx;
}

/*
 * Submit a descriptor.  Some controllers start it when the previous one ends, even before
 * dma_async_issue_pending().  The descriptor and its op may therefore have ended when
 * dmaengine_submit() returns.  For this reason all fields are updated before the call.
 * Return: 0, or -EIO if the controller's driver refuses the descriptor.
 */
static int dmae_op_submit(struct dmae_chan *ch, struct dmae_op *op, struct dmae_piece *piece,
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
	dmae_op_put_piece(ch, piece);
	op->left += length;
	spin_unlock_irq(&ch->lock);
	return -EIO;
}

/**
 * dmae_op_queue - queue the next descriptor of an op
 * @ch: the channel
 * @op: the op.  The value of a fill is already in the pattern of the channel
 *
 * Context: process context, with channel->feed held.
 * Return: 0 if the caller may go on, even if nothing was queued; -EAGAIN if there is no room
 * now, and @ch->more has been set; another negative errno if the op fails with it.
 */
int dmae_op_queue(struct dmae_chan *ch, struct dmae_op *op)
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
	tx = dmae_op_prepare(ch, op, piece);
	if (IS_ERR(tx))
		return PTR_ERR(tx);
	if (tx)
		return dmae_op_submit(ch, op, piece, tx);
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

/**
 * dmae_op_must_wait - decide whether an op must wait for earlier ops
 * @ch: the channel; the caller holds its lock
 * @op: the op, of which nothing is queued yet
 *
 * An op waits if it may overwrite memory that an earlier op reads: if the earlier op is stopped
 * and handed out again, it reads this memory again.  An op also waits if it needs the pattern,
 * and descriptors in flight copy another value from the pattern.
 *
 * Context: process context, with channel->feed held.
 * Return: true if the op must wait.
 */
bool dmae_op_must_wait(struct dmae_chan *ch, const struct dmae_op *op)
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
