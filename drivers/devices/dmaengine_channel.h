/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A channel of the dmaengine driver, which is an engine.
 *
 * dmaengine_channel.c owns the channel of the dmaengine framework, the memory for the pattern of
 * fills, and the work item.  It takes ops from the core, feeds the channel with their
 * descriptors, and stops the channel.  ch->feed and ch->lock guard a channel: see
 * dmaengine_op.h, which has struct dmae_chan.
 *
 * dmaengine.c calls these functions.  dmaengine_channel.c calls dmaengine_op.c, and nothing of
 * dmaengine.c.
 */
#ifndef _SLUICE_DMAENGINE_CHANNEL_H
#define _SLUICE_DMAENGINE_CHANNEL_H

#include "dmaengine_op.h"

int dmae_channel_init(struct dmae_chan *ch, struct dma_chan *chan,
		      struct workqueue_struct *wq, struct device *consumer);
void dmae_channel_fini(struct dmae_chan *ch);
void dmae_channel_kick(struct dmae_chan *ch, struct sluice_engine *engine);
enum sluice_aborted dmae_channel_abort(struct dmae_chan *ch, u32 cookie);

#endif /* _SLUICE_DMAENGINE_CHANNEL_H */
