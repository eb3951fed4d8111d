/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ops that are in flight on a channel of the dmaengine driver, and their descriptors.
 *
 * dmaengine_op.c owns the pieces, which stand for the descriptors in flight, and reports the end
 * of ops.  The locks of a channel, from outside to inside:
 *
 *	ch->feed	mutex: one context prepares descriptors, or stops the channel, at a time.
 *			It is the ring lock: sluice_engine_next() is called with it held
 *	ch->lock	spinlock, irq: guards the ops and descriptors.  The core is not called
 *			with it held
 *
 * Only dmaengine_channel.c calls these functions.  dmaengine_op.c calls no other file of this
 * driver.
 */
#ifndef _SLUICE_DMAENGINE_OP_H
#define _SLUICE_DMAENGINE_OP_H

#include <linux/dmaengine.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/sizes.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "sluice.h"

#define DMAE_DEPTH		32	/* ops in flight */
#define DMAE_PIECES		64	/* descriptors in flight */
#define DMAE_PATTERN_SIZE	SZ_64K

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
	struct dmae_chan *ch;
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
 * struct dmae_chan - a channel, which is an engine
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
struct dmae_chan {
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

void dmae_op_forget_pieces(struct dmae_chan *ch);
void dmae_op_rewind(struct dmae_op *op);
bool dmae_op_must_wait(struct dmae_chan *ch, const struct dmae_op *op);
int dmae_op_queue(struct dmae_chan *ch, struct dmae_op *op);
void dmae_op_fail(struct dmae_chan *ch, struct dmae_op *op, int status);
void dmae_op_report(struct dmae_chan *ch, const struct dmae_op *op);

#endif /* _SLUICE_DMAENGINE_OP_H */
