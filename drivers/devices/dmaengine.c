// SPDX-License-Identifier: GPL-2.0-only
/*
 * dmaengine: memcpy channels of any dmaengine driver.
 *
 * Words: *this driver* is the Sluice driver in the files dmaengine*.c.  The *controller* is the
 * hardware that has the channels, and the *controller's driver* is its driver in the kernel.
 *
 * Each channel is an engine.  The channels of a controller that do DMA through the same struct
 * device make one Sluice device.  Its parent is this struct device.  The DMA mask, the IOMMU
 * and the offset between bus and physical addresses are therefore those of the controller.
 *
 * A fence must signal in finite time.  This driver therefore takes only channels that can be
 * stopped (device_terminate_all; for example, ioat and mv_xor do not have it).
 *
 * When the controller's driver is unbound, the memory of its channels is freed, even if they
 * are in use.  The platform device of this driver is therefore a consumer of the controller's
 * device, by a device link.  The driver core of the kernel then unbinds this driver first.  The
 * link also has the effect that this driver is suspended first, and resumed last.  While this
 * driver has a channel, the module of the controller's driver stays loaded.
 *
 * This file binds the driver, and owns the Sluice devices and the list of channels.  It has no
 * lock: both are set in the probe function, before the first device is registered.
 * dmaengine_channel.c owns each channel, and dmaengine_op.c the ops in flight.
 */
#include <linux/dmaengine.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/platform_device.h>
#include <linux/pm.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "dmaengine_channel.h"
#include "dmaengine_sram.h"
#include "sluice.h"

#define DMAE_MAX_CHANNELS	16

static char *channels[DMAE_MAX_CHANNELS];
static int dmae_num_named;
module_param_array(channels, charp, &dmae_num_named, 0444);
MODULE_PARM_DESC(channels, "names of the channels to take, as in /sys/class/dma (default: any)");

static unsigned int engines = 2;
module_param(engines, uint, 0444);
MODULE_PARM_DESC(engines, "how many channels to take if none is named, 1 to 16 (default 2)");

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
	struct dmae_chan *engines[DMAE_MAX_CHANNELS];
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
	struct dmae_chan channels[DMAE_MAX_CHANNELS];
	unsigned int num_devices;
	struct dmae_device devices[DMAE_MAX_CHANNELS];
};

static struct dmae_chan *dmae_of_engine(struct sluice_engine *engine)
{
	struct dmae_device *device = sluice_engine_priv(engine);

	return device->engines[sluice_engine_index(engine)];
}

static int dmae_prepare(struct sluice_device *sdev, void *priv)
{
	struct dmae_device *device = priv;

	return dmae_sram_add(sdev, device->engines[0]->dev, device->consumer);
}

static void dmae_kick(struct sluice_engine *engine)
{
	dmae_channel_kick(dmae_of_engine(engine), engine);
}

static enum sluice_aborted dmae_abort(struct sluice_engine *engine, u32 cookie)
{
	return dmae_channel_abort(dmae_of_engine(engine), cookie);
}

static const struct sluice_device_ops dmae_ops = {
	.prepare = dmae_prepare,
	.kick = dmae_kick,
	.abort = dmae_abort,
};

/*
 * Does the controller promise to end descriptors in their order?  If not, the core hands out
 * one op of a queue at a time.
 */
static bool dmae_is_ordered(const struct dmae_chan *ch)
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
static void dmae_add_to_device(struct dmae *de, struct dmae_chan *ch)
{
	struct dmae_device *device;
	unsigned int i;

	for (i = 0; i < de->num_devices; i++) {
		const struct dmae_chan *first = de->devices[i].engines[0];

		if (first->dev == ch->dev && first->chan->device == ch->chan->device)
			break;
	}
	if (i == de->num_devices)
		de->num_devices++;
	device = &de->devices[i];
	device->engines[device->num_engines++] = ch;
}

static int dmae_add_channel(struct dmae *de, struct device *consumer, struct dma_chan *chan)
{
	struct dmae_chan *ch = &de->channels[de->num_channels++];
	int ret;

	ret = dmae_channel_init(ch, chan, de->wq, consumer);
	if (ret)
		return ret;
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
	unsigned int i, count = dmae_num_named ?: clamp(engines, 1U, DMAE_MAX_CHANNELS);
	struct dma_chan *chan;
	dma_cap_mask_t mask;
	int ret;

	dma_cap_zero(mask);
	dma_cap_set(DMA_MEMCPY, mask);
	for (i = 0; i < count; i++) {
		chan = dma_request_channel(mask, dmae_wanted, channels[i]);
		if (!chan && (!i || dmae_num_named))
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
	for (i = 0; i < de->num_channels; i++)
		dmae_channel_fini(&de->channels[i]);
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
MODULE_INFO(import_ns, "SLUICE");
