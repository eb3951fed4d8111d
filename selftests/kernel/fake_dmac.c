// SPDX-License-Identifier: GPL-2.0-only
/*
 * A fake DMA controller for tests, in software: two memcpy channels of the kernel's dmaengine.  It
 * works on kernels without an IOMMU only, because it treats bus addresses as physical
 * addresses.
 *
 * It does what the worst drivers of real controllers do: it allocates descriptors with
 * GFP_KERNEL, and calls callbacks with bottom halves disabled.  Files in its debugfs folder
 * (*knobs*) make it misbehave:
 *
 *	delay_us	each descriptor takes so many microseconds longer
 *	skip		N descriptors succeed before fail_next and hang_next take effect
 *	fail_next	the next N descriptors end with an error
 *	hang_next	a channel hangs at a descriptor until the channel is stopped: this one and
 *			those behind it do not end.  This happens N times
 *	refuse_next	the next N descriptors cannot be prepared
 *	reject_next	the next N descriptors cannot be submitted
 *	most		the most descriptors that a channel had at a time; 0 can be written
 *	room		number of descriptors of a channel; 0: no limit
 *	stubborn	a channel that is stopped reports an error, although it has stopped
 */
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/dma-direct.h>
#include <linux/dma-mapping.h>
#include <linux/dmaengine.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "compat/driver.h"

#define FAKE_DMAC_CHANNELS	2

static bool synchronize = true;
module_param(synchronize, bool, 0444);
MODULE_PARM_DESC(synchronize, "channels can wait for their callbacks (default on)");

/**
 * struct fake_dmac_descriptor - a descriptor: a copy or a fill
 * @tx: the descriptor for dmaengine
 * @link: in channel->submitted or channel->issued
 * @dst: kernel address of the target
 * @src: copy: kernel address of the source; NULL for a fill
 * @value: fill: the byte
 * @length: bytes
 */
struct fake_dmac_descriptor {
	struct dma_async_tx_descriptor tx;
	struct list_head link;
	void *dst;
	void *src;
	u8 value;
	size_t length;
};

/**
 * struct fake_dmac_channel - a channel
 * @chan: the channel for dmaengine
 * @work: executes the descriptors that are issued
 * @lock: spinlock, irq: guards the fields below, and the cookies of @chan
 * @submitted: descriptors that are submitted, and not issued yet
 * @issued: descriptors to execute, in order
 * @count: number of descriptors that exist
 * @hung: the first descriptor of @issued does not end
 */
struct fake_dmac_channel {
	struct dma_chan chan;
	struct work_struct work;
	spinlock_t lock;
	struct list_head submitted;
	struct list_head issued;
	unsigned int count;
	bool hung;
};

/**
 * struct fake_dmac - the device
 * @device: the device for dmaengine
 * @channels: the channels
 * @debugfs: the folder with the knobs
 * @delay_us: knob
 * @room: knob
 * @most: knob
 * @stubborn: knob
 * @skip: knob
 * @fail_next: knob
 * @hang_next: knob
 * @refuse_next: knob
 * @reject_next: knob
 */
struct fake_dmac {
	struct dma_device device;
	struct fake_dmac_channel channels[FAKE_DMAC_CHANNELS];
	struct dentry *debugfs;
	u32 delay_us;
	u32 room;
	u32 most;
	bool stubborn;
	atomic_t skip;
	atomic_t fail_next;
	atomic_t hang_next;
	atomic_t refuse_next;
	atomic_t reject_next;
};

static struct fake_dmac_channel *dmac_channel(struct dma_chan *chan)
{
	return container_of(chan, struct fake_dmac_channel, chan);
}

static struct fake_dmac *dmac_of(struct dma_chan *chan)
{
	return container_of(chan->device, struct fake_dmac, device);
}

static dma_cookie_t fake_dmac_submit(struct dma_async_tx_descriptor *tx)
{
	struct fake_dmac_descriptor *d = container_of(tx, struct fake_dmac_descriptor, tx);
	struct fake_dmac_channel *ch = dmac_channel(tx->chan);
	unsigned long flags;

	if (atomic_add_unless(&dmac_of(tx->chan)->reject_next, -1, 0)) {
		spin_lock_irqsave(&ch->lock, flags);
		ch->count--;
		spin_unlock_irqrestore(&ch->lock, flags);
		kfree(d);
		return -EIO;
	}
	spin_lock_irqsave(&ch->lock, flags);
	if (++ch->chan.cookie < DMA_MIN_COOKIE)
		ch->chan.cookie = DMA_MIN_COOKIE;
	tx->cookie = ch->chan.cookie;
	list_add_tail(&d->link, &ch->submitted);
	spin_unlock_irqrestore(&ch->lock, flags);
	return tx->cookie;
}

static struct dma_async_tx_descriptor *fake_dmac_prep(struct dma_chan *chan, dma_addr_t dst,
						      void *src, int value, size_t length)
{
	struct fake_dmac_channel *ch = dmac_channel(chan);
	struct fake_dmac *dmac = dmac_of(chan);
	struct fake_dmac_descriptor *d;
	unsigned long flags;

	if (atomic_add_unless(&dmac->refuse_next, -1, 0))
		return NULL;
	d = kzalloc(sizeof(*d), GFP_KERNEL);
	if (!d)
		return NULL;
	spin_lock_irqsave(&ch->lock, flags);
	if (dmac->room && ch->count >= dmac->room) {
		spin_unlock_irqrestore(&ch->lock, flags);
		kfree(d);
		return NULL;
	}
	ch->count++;
	dmac->most = max(dmac->most, ch->count);
	spin_unlock_irqrestore(&ch->lock, flags);
	dma_async_tx_descriptor_init(&d->tx, chan);
	d->tx.tx_submit = fake_dmac_submit;
	d->dst = phys_to_virt(dma_to_phys(chan->device->dev, dst));
	d->src = src;
	d->value = value;
	d->length = length;
	return &d->tx;
}

static struct dma_async_tx_descriptor *fake_dmac_prep_memcpy(struct dma_chan *chan, dma_addr_t dst,
							     dma_addr_t src, size_t length,
							     unsigned long flags)
{
	return fake_dmac_prep(chan, dst, phys_to_virt(dma_to_phys(chan->device->dev, src)), 0,
			      length);
}

static struct dma_async_tx_descriptor *fake_dmac_prep_memset(struct dma_chan *chan, dma_addr_t dst,
							     int value, size_t length,
							     unsigned long flags)
{
	return fake_dmac_prep(chan, dst, NULL, value, length);
}

static void fake_dmac_issue_pending(struct dma_chan *chan)
{
	struct fake_dmac_channel *ch = dmac_channel(chan);
	unsigned long flags;

	spin_lock_irqsave(&ch->lock, flags);
	list_splice_tail_init(&ch->submitted, &ch->issued);
	spin_unlock_irqrestore(&ch->lock, flags);
	queue_work(system_unbound_wq, &ch->work);
}

static enum dma_status fake_dmac_tx_status(struct dma_chan *chan, dma_cookie_t cookie,
					   struct dma_tx_state *state)
{
	return dma_async_is_complete(cookie, chan->completed_cookie, chan->cookie);
}

/*
 * Execute one descriptor.
 * Return: the descriptor, which has ended, or NULL if there is none or the channel hangs.
 */
static struct fake_dmac_descriptor *fake_dmac_do_next(struct fake_dmac_channel *ch,
						      struct dmaengine_result *result)
{
	struct fake_dmac *dmac = dmac_of(&ch->chan);
	struct fake_dmac_descriptor *d;
	bool well;

	spin_lock_irq(&ch->lock);
	d = list_first_entry_or_null(&ch->issued, struct fake_dmac_descriptor, link);
	well = d && !ch->hung && atomic_add_unless(&dmac->skip, -1, 0);
	if (d && !ch->hung && !well)
		ch->hung = atomic_add_unless(&dmac->hang_next, -1, 0);
	if (!d || ch->hung) {
		spin_unlock_irq(&ch->lock);
		return NULL;
	}
	list_del(&d->link);
	result->result = DMA_TRANS_NOERROR;
	if (!well && atomic_add_unless(&dmac->fail_next, -1, 0))
		result->result = DMA_TRANS_WRITE_FAILED;
	else if (d->src)
		memcpy(d->dst, d->src, d->length);
	else
		memset(d->dst, d->value, d->length);
	ch->chan.completed_cookie = d->tx.cookie;
	ch->count--;
	spin_unlock_irq(&ch->lock);
	return d;
}

static void fake_dmac_work(struct work_struct *work)
{
	struct fake_dmac_channel *ch = container_of(work, struct fake_dmac_channel, work);
	struct fake_dmac *dmac = dmac_of(&ch->chan);
	struct fake_dmac_descriptor *d;
	struct dmaengine_result result;
	u32 delay_us;

	for (;;) {
		delay_us = READ_ONCE(dmac->delay_us);
		if (delay_us)
			usleep_range(delay_us, delay_us + 100);
		/* from here on the context is like a tasklet, for the callback */
		local_bh_disable();
		d = fake_dmac_do_next(ch, &result);
		if (d && d->tx.callback_result)
			d->tx.callback_result(d->tx.callback_param, &result);
		local_bh_enable();
		if (!d)
			break;
		kfree(d);
		cond_resched();
	}
}

static int fake_dmac_terminate_all(struct dma_chan *chan)
{
	struct fake_dmac_channel *ch = dmac_channel(chan);
	struct fake_dmac_descriptor *d, *next;
	unsigned long flags;
	LIST_HEAD(gone);

	spin_lock_irqsave(&ch->lock, flags);
	list_splice_init(&ch->issued, &gone);
	list_splice_tail_init(&ch->submitted, &gone);
	ch->hung = false;
	ch->chan.completed_cookie = ch->chan.cookie;
	list_for_each_entry(d, &gone, link)
		ch->count--;
	spin_unlock_irqrestore(&ch->lock, flags);
	list_for_each_entry_safe(d, next, &gone, link)
		kfree(d);
	return READ_ONCE(dmac_of(chan)->stubborn) ? -EBUSY : 0;
}

static void fake_dmac_synchronize(struct dma_chan *chan)
{
	cancel_work_sync(&dmac_channel(chan)->work);
}

static int fake_dmac_alloc(struct dma_chan *chan)
{
	return 0;
}

static void fake_dmac_free(struct dma_chan *chan)
{
	fake_dmac_terminate_all(chan);
	fake_dmac_synchronize(chan);
}

static int fake_dmac_probe(struct platform_device *pdev)
{
	struct fake_dmac *dmac;
	struct dma_device *device;
	unsigned int i;
	int ret;

	ret = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64));
	if (ret)
		return ret;
	dmac = devm_kzalloc(&pdev->dev, sizeof(*dmac), GFP_KERNEL);
	if (!dmac)
		return -ENOMEM;
	platform_set_drvdata(pdev, dmac);
	device = &dmac->device;
	device->dev = &pdev->dev;
	dma_cap_set(DMA_MEMCPY, device->cap_mask);
	dma_cap_set(DMA_MEMSET, device->cap_mask);
	dma_cap_set(DMA_PRIVATE, device->cap_mask);
	device->copy_align = DMAENGINE_ALIGN_8_BYTES;
	device->fill_align = DMAENGINE_ALIGN_8_BYTES;
	device->directions = BIT(DMA_MEM_TO_MEM);
	device->device_alloc_chan_resources = fake_dmac_alloc;
	device->device_free_chan_resources = fake_dmac_free;
	device->device_prep_dma_memcpy = fake_dmac_prep_memcpy;
	device->device_prep_dma_memset = fake_dmac_prep_memset;
	device->device_issue_pending = fake_dmac_issue_pending;
	device->device_tx_status = fake_dmac_tx_status;
	device->device_terminate_all = fake_dmac_terminate_all;
	if (synchronize)
		device->device_synchronize = fake_dmac_synchronize;
	INIT_LIST_HEAD(&device->channels);
	for (i = 0; i < FAKE_DMAC_CHANNELS; i++) {
		struct fake_dmac_channel *ch = &dmac->channels[i];

		spin_lock_init(&ch->lock);
		INIT_LIST_HEAD(&ch->submitted);
		INIT_LIST_HEAD(&ch->issued);
		INIT_WORK(&ch->work, fake_dmac_work);
		ch->chan.device = device;
		ch->chan.cookie = DMA_MIN_COOKIE;
		ch->chan.completed_cookie = DMA_MIN_COOKIE;
		list_add_tail(&ch->chan.device_node, &device->channels);
	}
	ret = dma_async_device_register(device);
	if (ret)
		return ret;
	dmac->debugfs = debugfs_create_dir("sluice-fake-dmac", NULL);
	debugfs_create_u32("delay_us", 0600, dmac->debugfs, &dmac->delay_us);
	debugfs_create_u32("room", 0600, dmac->debugfs, &dmac->room);
	debugfs_create_u32("most", 0600, dmac->debugfs, &dmac->most);
	debugfs_create_atomic_t("skip", 0600, dmac->debugfs, &dmac->skip);
	debugfs_create_bool("stubborn", 0600, dmac->debugfs, &dmac->stubborn);
	debugfs_create_atomic_t("fail_next", 0600, dmac->debugfs, &dmac->fail_next);
	debugfs_create_atomic_t("hang_next", 0600, dmac->debugfs, &dmac->hang_next);
	debugfs_create_atomic_t("refuse_next", 0600, dmac->debugfs, &dmac->refuse_next);
	debugfs_create_atomic_t("reject_next", 0600, dmac->debugfs, &dmac->reject_next);
	return 0;
}

static void fake_dmac_unbind(struct platform_device *pdev)
{
	struct fake_dmac *dmac = platform_get_drvdata(pdev);

	debugfs_remove_recursive(dmac->debugfs);
	dma_async_device_unregister(&dmac->device);
}

SLUICE_PLATFORM_REMOVE(fake_dmac_remove, fake_dmac_unbind)

static struct platform_driver fake_dmac_driver = {
	.driver.name = "sluice-fake-dmac",
	.probe = fake_dmac_probe,
	.remove = fake_dmac_remove,
};

static struct platform_device *fake_dmac_pdev;

static int __init fake_dmac_init(void)
{
	int ret;

	ret = platform_driver_register(&fake_dmac_driver);
	if (ret)
		return ret;
	fake_dmac_pdev = platform_device_register_simple("sluice-fake-dmac", PLATFORM_DEVID_NONE,
							 NULL, 0);
	if (IS_ERR(fake_dmac_pdev)) {
		platform_driver_unregister(&fake_dmac_driver);
		return PTR_ERR(fake_dmac_pdev);
	}
	return 0;
}

static void __exit fake_dmac_exit(void)
{
	platform_device_unregister(fake_dmac_pdev);
	platform_driver_unregister(&fake_dmac_driver);
}

module_init(fake_dmac_init);
module_exit(fake_dmac_exit);

MODULE_DESCRIPTION("A fake DMA controller for tests of Sluice");
MODULE_AUTHOR("The Sluice authors");
MODULE_LICENSE("GPL");
