// SPDX-License-Identifier: GPL-2.0-only
/*
 * soft: a device in software, for any machine.
 *
 * Each of its engines has:
 *
 *	ops		copy, fill, and a private op that computes a CRC-32: see soft_engine.c
 *	a camera	captures frames of a test pattern: see soft_frames.c
 *	a screen	shows frames: see soft_frames.c
 *
 * All cameras see the same source, which has controls: see soft_source.c.
 *
 * The directory /sys/kernel/debug/sluice/<device>/ has a file about the screens:
 *
 *	screen		a line for each engine: number of the frame, its bytes and CRC-32
 *
 * Its other files are *knobs*, which make the device misbehave for tests: see soft_knobs.c and,
 * for those of the input signal, soft_source.c.
 *
 * This file binds the driver, and owns the device and its list of engines.  It has no lock: both
 * are set in the probe function, before the device is registered.
 */
#include <linux/debugfs.h>
#include <linux/dma-mapping.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/platform_device.h>
#include <linux/pm.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "sluice.h"
#include "soft_engine.h"
#include "soft_frames.h"
#include "soft_knobs.h"
#include "soft_source.h"

#define SOFT_MAX_ENGINES	16
#define SOFT_MAX_DEPTH		64

static unsigned int engines = 2;
module_param(engines, uint, 0444);
MODULE_PARM_DESC(engines, "engines of the device, 1 to 16 (default 2)");

static unsigned int fps = 30;
module_param(fps, uint, 0444);
MODULE_PARM_DESC(fps, "frames per second of each engine's camera, 1 to 1000 (default 30)");

static unsigned int depth = 1;
module_param(depth, uint, 0644);
MODULE_PARM_DESC(depth, "ops that an engine has at a time, 1 to 64 (default 1); read when the device is bound");

static bool ordered;
module_param(ordered, bool, 0644);
MODULE_PARM_DESC(ordered, "an op begins when the one before it has ended (default: it does not wait); read when the device is bound");

static ulong min_length;
module_param(min_length, ulong, 0644);
MODULE_PARM_DESC(min_length, "bytes of the shortest op (default 0: no limit); read when the device is bound");

static ulong max_length;
module_param(max_length, ulong, 0644);
MODULE_PARM_DESC(max_length, "bytes of the longest op (default 0: no limit); read when the device is bound");

/**
 * struct soft - the device
 * @sdev: its Sluice device
 * @wq: runs the ops; in the signalling path of fences
 * @knobs: its knobs
 * @source: the source of all cameras
 * @num_engines: length of @engines
 * @engines: the engines
 */
struct soft {
	struct sluice_device *sdev;
	struct workqueue_struct *wq;
	struct soft_knobs knobs;
	struct soft_source source;
	unsigned int num_engines;
	struct soft_engine engines[] __counted_by(num_engines);
};

static struct soft_engine *soft_of_engine(struct sluice_engine *engine)
{
	struct soft *soft = sluice_engine_priv(engine);

	return &soft->engines[sluice_engine_index(engine)];
}

static int soft_prepare(struct sluice_device *sdev, void *priv)
{
	struct soft *soft = priv;

	return soft_source_prepare(&soft->source, sdev);
}

static int soft_set_control(void *priv, u32 id, s64 value)
{
	struct soft *soft = priv;

	return soft_source_set_control(&soft->source, id, value);
}

static int soft_get_control(void *priv, u32 id, s64 *value)
{
	struct soft *soft = priv;

	return soft_source_get_control(&soft->source, id, value);
}

static int soft_start(struct sluice_engine *engine, const struct sluice_op_desc *op)
{
	return soft_engine_start(soft_of_engine(engine), engine, op);
}

static enum sluice_aborted soft_abort(struct sluice_engine *engine, u32 cookie)
{
	return soft_engine_abort(soft_of_engine(engine), cookie);
}

static const struct sluice_device_ops soft_ops = {
	.prepare = soft_prepare,
	.check_private = soft_engine_check_private,
	.set_control = soft_set_control,
	.get_control = soft_get_control,
	.start = soft_start,
	.abort = soft_abort,
};

static const struct sluice_engine_caps soft_caps = {
	.op_kinds = BIT_ULL(SLUICE_OP_COPY) | BIT_ULL(SLUICE_OP_FILL) |
		    BIT_ULL(SLUICE_OP_CAPTURE) | BIT_ULL(SLUICE_OP_PLAYBACK) |
		    BIT_ULL(SLUICE_OP_PRIVATE),
	.flags = SLUICE_ENGINE_CPU | SLUICE_ENGINE_QUICK,
	.op_align = 4,
};

static int soft_screen_show(struct seq_file *m, void *data)
{
	struct soft *soft = m->private;
	unsigned int i;

	for (i = 0; i < soft->num_engines; i++)
		soft_frames_show(&soft->engines[i].frames, m);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(soft_screen);

static void soft_add_files(struct soft *soft)
{
	debugfs_create_file("screen", 0400, sluice_device_debugfs(soft->sdev), soft,
			    &soft_screen_fops);
	soft_knobs_add_files(&soft->knobs, soft->sdev);
	soft_source_add_files(&soft->source);
}

static void soft_free(struct soft *soft)
{
	unsigned int i;

	for (i = 0; i < soft->num_engines; i++)
		soft_engine_fini(&soft->engines[i]);
	if (soft->wq)
		destroy_workqueue(soft->wq);
	kfree(soft);
}

/* Allocate the device and its engines.  Return: the device, or NULL. */
static struct soft *soft_alloc(unsigned int count)
{
	struct soft *soft = kzalloc(struct_size(soft, engines, count), GFP_KERNEL);
	unsigned int i, num_slots = clamp(depth, 1U, SOFT_MAX_DEPTH);
	bool in_order = ordered;
	int ret;

	if (!soft)
		return NULL;
	soft->num_engines = count;
	soft_source_init(&soft->source, &soft->knobs, clamp(fps, 1U, 1000U), count);
	soft->wq = alloc_workqueue("sluice-soft", WQ_UNBOUND | WQ_HIGHPRI | WQ_MEM_RECLAIM, 0);
	ret = soft->wq ? 0 : -ENOMEM;
	for (i = 0; i < count && !ret; i++) {
		struct soft_engine *se = &soft->engines[i];

		se->depth = num_slots;
		se->ordered = in_order;
		ret = soft_engine_init(se, &soft->source, &soft->knobs, soft->wq);
	}
	if (!ret)
		return soft;
	soft_free(soft);
	return NULL;
}

static int soft_probe(struct platform_device *pdev)
{
	unsigned int i, count = clamp(engines, 1U, SOFT_MAX_ENGINES);
	struct sluice_engine_caps caps[SOFT_MAX_ENGINES];
	struct soft_formats *formats;
	struct soft *soft;
	int ret;

	ret = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64));
	if (ret)
		return ret;
	dma_set_max_seg_size(&pdev->dev, UINT_MAX);
	soft = soft_alloc(count);
	formats = soft_frames_list_formats(clamp(fps, 1U, 1000U));
	if (!soft || !formats) {
		ret = -ENOMEM;
		goto out;
	}
	for (i = 0; i < count; i++) {
		caps[i] = soft_caps;
		caps[i].depth = soft->engines[i].depth;
		caps[i].num_formats = PATTERN_NUM_FORMATS;
		caps[i].formats = formats->formats;
		caps[i].min_length = min_length;
		caps[i].max_length = max_length;
		if (soft->engines[i].ordered)
			caps[i].flags |= SLUICE_ENGINE_ORDERED;
	}
	platform_set_drvdata(pdev, soft);
	soft->sdev = sluice_device_register(&pdev->dev, "soft", &soft_ops, caps, count,
					    soft);
	if (IS_ERR(soft->sdev))
		ret = PTR_ERR(soft->sdev);
	else
		soft_add_files(soft);
out:
	/* the core has copied the formats */
	kfree(formats);
	if (ret && soft)
		soft_free(soft);
	return ret;
}

static void soft_unbind(struct platform_device *pdev)
{
	struct soft *soft = platform_get_drvdata(pdev);

	sluice_device_unregister(soft->sdev);
	soft_free(soft);
}

SLUICE_PLATFORM_REMOVE(soft_remove, soft_unbind)

/* There is no hardware, but no op may change memory while hibernation saves it. */
static int soft_suspend(struct device *dev)
{
	struct soft *soft = dev_get_drvdata(dev);

	return sluice_device_suspend(soft->sdev);
}

static int soft_resume(struct device *dev)
{
	struct soft *soft = dev_get_drvdata(dev);

	sluice_device_resume(soft->sdev);
	return 0;
}

static DEFINE_SIMPLE_DEV_PM_OPS(soft_pm, soft_suspend, soft_resume);

static struct platform_driver soft_driver = {
	.driver.name = "sluice-soft",
	.driver.pm = pm_sleep_ptr(&soft_pm),
	.probe = soft_probe,
	.remove = soft_remove,
};

static struct platform_device *soft_pdev;

static int __init soft_init(void)
{
	int ret;

	ret = platform_driver_register(&soft_driver);
	if (ret)
		return ret;
	soft_pdev = platform_device_register_simple("sluice-soft", PLATFORM_DEVID_NONE, NULL, 0);
	if (IS_ERR(soft_pdev)) {
		platform_driver_unregister(&soft_driver);
		return PTR_ERR(soft_pdev);
	}
	return 0;
}

static void __exit soft_exit(void)
{
	platform_device_unregister(soft_pdev);
	platform_driver_unregister(&soft_driver);
}

module_init(soft_init);
module_exit(soft_exit);

MODULE_DESCRIPTION("Sluice device driver in software");
MODULE_AUTHOR("The Sluice authors");
MODULE_LICENSE("GPL");
MODULE_VERSION(SLUICE_VERSION);
MODULE_INFO(import_ns, "SLUICE");
