// SPDX-License-Identifier: GPL-2.0-only
/*
 * dmaengine: memcpy channels of any dmaengine driver.
 *
 * Each channel is an engine.  Channels that do DMA through the same struct
 * device make up one Sluice device, whose parent that is: its DMA mask, its
 * offset between bus and physical addresses and its IOMMU hold for the memory.
 *
 * An op is a line of descriptors, one for each stretch that is a single segment
 * on either side.  A bounded batch of them is in flight; when all have called
 * back, a work item prepares the next.  That is not left to the callback, which
 * is a tasklet: some drivers prepare with GFP_KERNEL although they should not.
 *
 * A fence must end in finite time, so only channels that can be stopped are
 * taken (device_terminate_all; ioat and mv_xor have none).
 *
 * When the driver of the channels is unbound, memory that they live in is freed,
 * whoever uses them.  So our device is made a consumer of theirs: the driver core
 * unbinds us first.  Their module stays as long as we have a channel.  For the same
 * reason we are suspended before them and resumed after them.
 */
#include <linux/dma-fence.h>
#include <linux/dma-mapping.h>
#include <linux/dmaengine.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
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
#define DMAE_BATCH		32
#define DMAE_PATTERN_SIZE	SZ_64K

static char *channels[DMAE_MAX_CHANNELS];
static int num_channels;
module_param_array(channels, charp, &num_channels, 0444);
MODULE_PARM_DESC(channels, "names of the channels to take, as in /sys/class/dma (default: any)");

static unsigned int engines = 2;
module_param(engines, uint, 0444);
MODULE_PARM_DESC(engines, "how many channels to take if none is named, 1 to 16 (default 2)");

/**
 * struct dmae_piece - a descriptor in flight
 * @ch: its channel
 * @length: bytes
 */
struct dmae_piece {
	struct dmae_channel *ch;
	size_t length;
};

/**
 * struct dmae_channel - a channel, an engine
 * @chan: the kernel's; held
 * @dev: what does the DMA
 * @wq: runs @work
 * @work: prepares the next batch, or gives up after an error
 * @pattern: memory full of one value, which a fill copies from; cached nowhere
 * @pattern_dma: and as the device sees it
 * @max_piece: bytes that a descriptor may have at most
 * @stuck: could not be stopped once, and is not used any more
 * @dst: next byte to write
 * @src: copy: next byte to read
 * @fill: the op is a fill
 * @bytewise: all bytes of the fill's value are the same
 * @left: bytes for which there is no descriptor yet
 * @lock: guards all below; and above what an op changes, while @preparing is false
 * @engine: its engine, once it has had an op
 * @cookie: of the op that it has, or 0
 * @preparing: a batch is being prepared: what ends meanwhile has no consequences
 *	before that is over
 * @pending: descriptors in flight
 * @status: the first error
 * @done: bytes written
 * @pieces: the batch
 */
struct dmae_channel {
	struct dma_chan *chan;
	struct device *dev;
	struct workqueue_struct *wq;
	struct work_struct work;
	u32 *pattern;
	dma_addr_t pattern_dma;
	size_t max_piece;
	bool stuck;
	struct sluice_cursor dst;
	struct sluice_cursor src;
	bool fill;
	bool bytewise;
	u64 left;
	spinlock_t lock;
	struct sluice_engine *engine;
	u32 cookie;
	bool preparing;
	unsigned int pending;
	int status;
	u64 done;
	struct dmae_piece pieces[DMAE_BATCH];
};

/**
 * struct dmae_device - channels that share a device
 * @sdev: the Sluice device
 * @num_engines: length of @engines
 * @engines: its engines
 */
struct dmae_device {
	struct sluice_device *sdev;
	unsigned int num_engines;
	struct dmae_channel *engines[DMAE_MAX_CHANNELS];
};

/**
 * struct dmae - everything that this module has
 * @wq: runs the channels' work.  In the signalling path of fences
 * @num_channels: used of @channels
 * @channels: in the order of the parameter
 * @num_devices: used of @devices
 * @devices: as many as the channels have parents
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
 * Is there something for the work item to do?  It may have been queued for an op
 * that has ended meanwhile, and find the next one.
 */
static bool dmae_due(struct dmae_channel *ch)
{
	lockdep_assert_held(&ch->lock);
	return ch->cookie && !ch->preparing && (ch->status || (!ch->pending && ch->left));
}

/* Something has ended.  Return: the cookie of the op that this was the end of, or 0. */
static u32 dmae_decide(struct dmae_channel *ch)
{
	u32 cookie = ch->cookie;

	if (dmae_due(ch))
		queue_work(ch->wq, &ch->work);
	if (ch->preparing || ch->status || ch->pending || ch->left)
		return 0;
	ch->cookie = 0;
	return cookie;
}

/* A descriptor has ended.  Called by the channel's driver, usually in a tasklet. */
static void dmae_ended(void *data, const struct dmaengine_result *ended)
{
	struct dmae_piece *piece = data;
	struct dmae_channel *ch = piece->ch;
	struct sluice_result result = {};
	unsigned long flags;
	u32 cookie;

	spin_lock_irqsave(&ch->lock, flags);
	ch->pending--;
	if (ended->result == DMA_TRANS_NOERROR)
		ch->done += piece->length;
	else if (!ch->status)
		ch->status = -EIO;
	result.bytes = ch->done;
	cookie = dmae_decide(ch);
	spin_unlock_irqrestore(&ch->lock, flags);
	if (cookie)
		sluice_engine_done(ch->engine, cookie, &result);
}

/* Queue one descriptor: as much as is in one piece on either side. */
static int dmae_queue(struct dmae_channel *ch, struct dmae_piece *piece)
{
	const unsigned long flags = DMA_PREP_INTERRUPT | DMA_CTRL_ACK;
	struct dma_device *device = ch->chan->device;
	struct dma_async_tx_descriptor *tx;
	dma_addr_t dst, src;
	size_t length;

	dst = sluice_cursor_address(&ch->dst);
	length = min(sluice_cursor_left(&ch->dst), ch->max_piece);
	length = min_t(u64, length, ch->left);
	if (ch->fill && ch->bytewise && is_dma_fill_aligned(device, dst, 0, length)) {
		tx = dmaengine_prep_dma_memset(ch->chan, dst, ch->pattern[0] & 0xff, length,
					       flags);
	} else {
		if (ch->fill) {
			src = ch->pattern_dma;
			length = min_t(size_t, length, DMAE_PATTERN_SIZE);
		} else {
			src = sluice_cursor_address(&ch->src);
			length = min(length, sluice_cursor_left(&ch->src));
		}
		/* ops are aligned, but a foreign buffer's segments may be anything */
		if (!is_dma_copy_aligned(device, dst, src, length))
			return -EINVAL;
		tx = dmaengine_prep_dma_memcpy(ch->chan, dst, src, length, flags);
	}
	if (!tx)
		return -ENOMEM;
	piece->ch = ch;
	piece->length = length;
	tx->callback_result = dmae_ended;
	tx->callback_param = piece;
	spin_lock_irq(&ch->lock);
	ch->pending++;
	spin_unlock_irq(&ch->lock);
	if (dma_submit_error(dmaengine_submit(tx))) {
		spin_lock_irq(&ch->lock);
		ch->pending--;
		spin_unlock_irq(&ch->lock);
		return -EIO;
	}
	ch->left -= length;
	sluice_cursor_advance(&ch->dst, length);
	if (!ch->fill)
		sluice_cursor_advance(&ch->src, length);
	return 0;
}

/*
 * Prepare and start a batch; the caller has set @preparing.  If not a single
 * descriptor can be had, the op fails.
 */
static void dmae_batch(struct dmae_channel *ch)
{
	struct sluice_result result = {};
	unsigned int i, context;
	int ret = 0;
	u32 cookie;

	/*
	 * Memory for descriptors comes without reclaim, which may wait for our
	 * fences, whatever flags the channel's driver asks for it with.
	 */
	context = memalloc_noreclaim_save();
	for (i = 0; i < DMAE_BATCH && ch->left && !ret; i++)
		ret = dmae_queue(ch, &ch->pieces[i]);
	memalloc_noreclaim_restore(context);
	dma_async_issue_pending(ch->chan);

	spin_lock_irq(&ch->lock);
	ch->preparing = false;
	/* out of descriptors: those in flight come back */
	if (ret && !ch->status && (ret != -ENOMEM || i == 1))
		ch->status = ret;
	result.bytes = ch->done;
	cookie = dmae_decide(ch);
	spin_unlock_irq(&ch->lock);
	if (cookie)
		sluice_engine_done(ch->engine, cookie, &result);
}

/* Stop a channel: no descriptor is in flight and no callback runs or will. */
static void dmae_stop(struct dmae_channel *ch)
{
	int ret = dmaengine_terminate_sync(ch->chan);

	/* some drivers cannot wait for their callbacks: tasklets end with a grace period */
	if (!ch->chan->device->device_synchronize)
		synchronize_rcu();
	if (ret) {
		ch->stuck = true;
		dev_err(ch->dev, "%s cannot be stopped: %d\n", dma_chan_name(ch->chan), ret);
	}
}

static void dmae_work(struct work_struct *work)
{
	struct dmae_channel *ch = container_of(work, struct dmae_channel, work);
	bool signalling = dma_fence_begin_signalling();
	struct sluice_result result = {};
	u32 cookie;
	bool due;

	spin_lock_irq(&ch->lock);
	due = dmae_due(ch);
	if (due) {
		result.status = ch->status;
		ch->preparing = !result.status;
	}
	spin_unlock_irq(&ch->lock);

	if (result.status) {
		dmae_stop(ch);
		spin_lock_irq(&ch->lock);
		cookie = ch->cookie;
		ch->cookie = 0;
		result.bytes = ch->done;
		spin_unlock_irq(&ch->lock);
		if (cookie)
			sluice_engine_done(ch->engine, cookie, &result);
	} else if (due) {
		dmae_batch(ch);
	}
	dma_fence_end_signalling(signalling);
}

static int dmae_start(struct sluice_engine *engine, const struct sluice_op_desc *op)
{
	struct dmae_channel *ch = dmae_channel(engine);
	struct dma_device *device = ch->chan->device;

	if (ch->stuck)
		return -EIO;
	ch->fill = op->kind == SLUICE_OP_FILL;
	ch->left = op->length;
	ch->dst = op->dst_at;
	if (ch->fill) {
		/* memset takes the value of a byte */
		ch->bytewise = dma_has_cap(DMA_MEMSET, device->cap_mask) &&
			       op->value == (op->value & 0xff) * 0x01010101U;
		if (ch->pattern[0] != op->value)
			memset32(ch->pattern, op->value, DMAE_PATTERN_SIZE / sizeof(u32));
	} else {
		ch->src = op->src_at;
	}
	spin_lock_irq(&ch->lock);
	ch->engine = engine;
	ch->cookie = op->cookie;
	ch->preparing = true;
	ch->pending = 0;
	ch->status = 0;
	ch->done = 0;
	spin_unlock_irq(&ch->lock);
	dmae_batch(ch);
	return 0;
}

static enum sluice_aborted dmae_abort(struct sluice_engine *engine, u32 cookie)
{
	struct dmae_channel *ch = dmae_channel(engine);

	spin_lock_irq(&ch->lock);
	ch->cookie = 0;
	spin_unlock_irq(&ch->lock);
	cancel_work_sync(&ch->work);
	dmae_stop(ch);
	return SLUICE_ABORTED_ALL;
}

static const struct sluice_device_ops dmae_ops = {
	.start = dmae_start,
	.abort = dmae_abort,
};

static struct sluice_device *dmae_register(struct dmae_device *device)
{
	struct sluice_engine_caps caps[DMAE_MAX_CHANNELS];
	unsigned int i, align;

	for (i = 0; i < device->num_engines; i++) {
		/* a fill's value has four bytes */
		align = max_t(unsigned int, device->engines[i]->chan->device->copy_align,
			      DMAENGINE_ALIGN_4_BYTES);
		caps[i] = (struct sluice_engine_caps) {
			.op_kinds = BIT_ULL(SLUICE_OP_COPY) | BIT_ULL(SLUICE_OP_FILL),
			.op_align = 1U << align,
		};
	}
	return sluice_device_register(device->engines[0]->dev, "dmaengine", &dmae_ops, caps,
				      device->num_engines, device);
}

/* The device that channels @ch and others do DMA through, new or known. */
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

	ch->chan = chan;
	ch->dev = dmaengine_get_dma_device(chan);
	ch->wq = de->wq;
	INIT_WORK(&ch->work, dmae_work);
	spin_lock_init(&ch->lock);
	if (chan->device->copy_align > DMAENGINE_ALIGN_256_BYTES)
		return dev_err_probe(consumer, -EOPNOTSUPP, "%s copies in large units only\n",
				     dma_chan_name(chan));
	ch->max_piece = round_down(dma_get_max_seg_size(ch->dev), 1U << chan->device->copy_align);
	ch->pattern = dma_alloc_coherent(ch->dev, DMAE_PATTERN_SIZE, &ch->pattern_dma,
					 GFP_KERNEL);
	if (!ch->pattern)
		return -ENOMEM;
	if (!device_link_add(consumer, chan->device->dev, DL_FLAG_AUTOREMOVE_CONSUMER))
		return dev_err_probe(consumer, -EINVAL, "no link to the device of %s\n",
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
			/* asked again when another driver has found its device */
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

/* The channels are the business of their own driver, which does this after us. */
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
