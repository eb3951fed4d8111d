// SPDX-License-Identifier: GPL-2.0-only
/*
 * soft: a device in software, for any machine.
 *
 * Its engines copy and fill with the CPU, and each has a camera that produces a
 * frame of the test pattern at every tick of a clock, and a screen that shows
 * one.  A capture takes the next frame; frames that no capture was waiting for
 * are counted as dropped.  A playback is the next frame shown; so are frames for
 * which there was nothing to show.
 *
 * In /sys/kernel/debug/sluice/<device>/ one finds what was shown, and can tell
 * the device to misbehave, so that everything that depends on it can be tested:
 *
 *	screen		a line an engine: number of the frame, its bytes and CRC-32
 *	delay_us	every op takes that much longer
 *	fail_next	the next N ops end with -EIO
 *	hang_next	the next N ops never end, until they are aborted
 *	abort_us	an op goes on for that much longer when it is aborted
 */
#include <linux/crc32.h>
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/hrtimer.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/platform_device.h>
#include <linux/pm.h>
#include <linux/seq_file.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "compat.h"
#include "pattern.h"
#include "sluice.h"

#define SOFT_FORMAT_XRGB8888	0x34325258	/* DRM fourcc 'XR24' */
#define SOFT_MAX_ENGINES	16
#define SOFT_AT_ONCE		SZ_4K	/* bytes; quicker done than handed over */

static unsigned int engines = 2;
module_param(engines, uint, 0444);
MODULE_PARM_DESC(engines, "engines of the device, 1 to 16 (default 2)");

static unsigned int fps = 30;
module_param(fps, uint, 0444);
MODULE_PARM_DESC(fps, "frames per second of each engine's camera, 1 to 1000 (default 30)");

/**
 * struct soft_engine - one engine
 * @soft: its device
 * @engine: the core's side, valid from the first op on
 * @op: the op that runs
 * @timer: when the op has its frame, or has been delayed enough
 * @work: does the op
 * @frame: sequence of the frame that a capture or playback waits for
 * @captured: sequence of the last frame captured, plus 1; 0 for none
 * @played: the same of the last frame shown
 * @lock: guards @shown
 * @shown: what the screen shows
 * @stop: the op is being aborted
 */
struct soft_engine {
	struct soft *soft;
	struct sluice_engine *engine;
	struct sluice_op_desc op;
	struct hrtimer timer;
	struct work_struct work;
	u64 frame;
	u64 captured;
	u64 played;
	spinlock_t lock;
	struct soft_shown {
		u64 sequence;
		u64 bytes;
		u32 crc;
	} shown;
	bool stop;
};

/**
 * struct soft - the device
 * @sdev: its Sluice device
 * @wq: runs the ops
 * @epoch: when frame 0 began
 * @interval: time between frames
 * @delay_us: knob
 * @fail_next: knob
 * @hang_next: knob
 * @abort_us: knob
 * @num_engines: length of @engines
 * @engines: the engines
 */
struct soft {
	struct sluice_device *sdev;
	struct workqueue_struct *wq;
	ktime_t epoch;
	u64 interval;
	u32 delay_us;
	atomic_t fail_next;
	atomic_t hang_next;
	u32 abort_us;
	unsigned int num_engines;
	struct soft_engine engines[] __counted_by(num_engines);
};

static ktime_t soft_frame_time(const struct soft *soft, u64 frame)
{
	return ktime_add_ns(soft->epoch, frame * soft->interval);
}

/* Copy or fill in bites, so that an abort is not kept waiting. */
static u64 soft_move(struct soft_engine *se)
{
	const struct sluice_op_desc *op = &se->op;
	void *dst = sluice_slot_vaddr(op->dst) + op->dst_offset;
	void *src = op->src ? sluice_slot_vaddr(op->src) + op->src_offset : NULL;
	u64 done = 0;

	while (done < op->length && !READ_ONCE(se->stop)) {
		size_t bite = min_t(u64, op->length - done, SZ_256K);

		if (src)
			memcpy(dst + done, src + done, bite);
		else
			memset32(dst + done, op->value, bite / sizeof(u32));
		done += bite;
		/* a small one may be done in SUBMIT, with preemption off */
		if (done < op->length)
			cond_resched();
	}
	return done;
}

static void soft_capture_raw(struct soft_engine *se)
{
	void *dst = sluice_slot_vaddr(se->op.dst) + se->op.dst_offset;
	u64 done = 0;

	while (done < se->op.length && !READ_ONCE(se->stop)) {
		size_t bite = min_t(u64, se->op.length - done, SZ_256K);

		pattern_fill_raw(dst + done, done, bite, se->frame);
		done += bite;
		cond_resched();
	}
}

static void soft_capture(struct soft_engine *se, struct sluice_result *result)
{
	const struct sluice_op_desc *op = &se->op;
	void *dst = sluice_slot_vaddr(op->dst) + op->dst_offset;

	result->timestamp = soft_frame_time(se->soft, se->frame);
	if (op->frame.width) {
		pattern_draw(dst, op->frame.width, op->frame.height, op->frame.stride,
			     se->frame, ktime_to_ns(result->timestamp), &se->stop);
		result->bytes = (u64)(op->frame.height - 1) * op->frame.stride +
				op->frame.width * 4;
	} else {
		soft_capture_raw(se);
		result->bytes = op->length;
	}
	result->sequence = se->frame;
	result->dropped = se->captured ? se->frame - se->captured : 0;
	se->captured = se->frame + 1;
}

/* Look at every byte, as a screen would: those of the lines only. */
static void soft_playback(struct soft_engine *se, struct sluice_result *result)
{
	const struct sluice_op_desc *op = &se->op;
	void *src = sluice_slot_vaddr(op->src) + op->src_offset;
	u64 line = op->frame.width ? op->frame.width * 4ULL : op->length;
	u64 stride = op->frame.width ? op->frame.stride : line, at, done;
	u64 end = op->frame.width ? (u64)op->frame.height * stride : line;
	struct soft_shown shown = { .sequence = se->frame, .crc = ~0 };

	for (at = 0; at < end; at += stride) {
		for (done = 0; done < line; ) {
			size_t bite = min_t(u64, line - done, SZ_64K);

			if (READ_ONCE(se->stop))
				return;
			shown.crc = crc32_le(shown.crc, src + at + done, bite);
			done += bite;
			cond_resched();
		}
		shown.bytes += line;
	}
	shown.crc = ~shown.crc;
	spin_lock(&se->lock);
	se->shown = shown;
	spin_unlock(&se->lock);
	result->bytes = shown.bytes;
	result->timestamp = soft_frame_time(se->soft, se->frame);
	result->sequence = se->frame;
	result->dropped = se->played ? se->frame - se->played : 0;
	se->played = se->frame + 1;
}

static void soft_run(struct soft_engine *se)
{
	struct sluice_result result = {};

	if (atomic_add_unless(&se->soft->hang_next, -1, 0))
		return;
	if (atomic_add_unless(&se->soft->fail_next, -1, 0))
		result.status = -EIO;
	else if (se->op.kind == SLUICE_OP_CAPTURE)
		soft_capture(se, &result);
	else if (se->op.kind == SLUICE_OP_PLAYBACK)
		soft_playback(se, &result);
	else
		result.bytes = soft_move(se);
	/* one that was stopped in its middle has not ended */
	if (!READ_ONCE(se->stop))
		sluice_engine_done(se->engine, se->op.cookie, &result);
}

static void soft_work(struct work_struct *work)
{
	soft_run(container_of(work, struct soft_engine, work));
}

static enum hrtimer_restart soft_timer(struct hrtimer *timer)
{
	struct soft_engine *se = container_of(timer, struct soft_engine, timer);

	queue_work(se->soft->wq, &se->work);
	return HRTIMER_NORESTART;
}

static int soft_start(struct sluice_engine *engine, const struct sluice_op_desc *op)
{
	struct soft *soft = sluice_engine_priv(engine);
	struct soft_engine *se = &soft->engines[sluice_engine_index(engine)];
	bool paced = op->kind == SLUICE_OP_CAPTURE || op->kind == SLUICE_OP_PLAYBACK;
	u32 delay_us = READ_ONCE(soft->delay_us);
	ktime_t when;

	se->engine = engine;
	se->op = *op;
	se->stop = false;
	if (!paced && !delay_us) {
		if (op->length <= SOFT_AT_ONCE)
			soft_run(se);
		else
			queue_work(soft->wq, &se->work);
		return 0;
	}
	when = ktime_get();
	if (paced) {
		se->frame = div64_u64(ktime_to_ns(ktime_sub(when, soft->epoch)),
				      soft->interval) + 1;
		when = soft_frame_time(soft, se->frame);
	}
	hrtimer_start(&se->timer, ktime_add_us(when, delay_us), HRTIMER_MODE_ABS);
	return 0;
}

static enum sluice_aborted soft_abort(struct sluice_engine *engine, u32 cookie)
{
	struct soft *soft = sluice_engine_priv(engine);
	struct soft_engine *se = &soft->engines[sluice_engine_index(engine)];
	u32 abort_us = READ_ONCE(soft->abort_us);

	if (abort_us)
		fsleep(abort_us);
	WRITE_ONCE(se->stop, true);
	hrtimer_cancel(&se->timer);
	cancel_work_sync(&se->work);
	return SLUICE_ABORTED_ALL;
}

static bool soft_check_format(u32 fourcc)
{
	return fourcc == SOFT_FORMAT_XRGB8888;
}

static int soft_screen_show(struct seq_file *m, void *data)
{
	struct soft *soft = m->private;
	unsigned int i;

	for (i = 0; i < soft->num_engines; i++) {
		struct soft_engine *se = &soft->engines[i];
		struct soft_shown shown;

		spin_lock(&se->lock);
		shown = se->shown;
		spin_unlock(&se->lock);
		seq_printf(m, "%llu %llu %08x\n", shown.sequence, shown.bytes, shown.crc);
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(soft_screen);

static const struct sluice_device_ops soft_ops = {
	.check_format = soft_check_format,
	.start = soft_start,
	.abort = soft_abort,
};

static const struct sluice_engine_caps soft_engine_caps = {
	.op_kinds = BIT_ULL(SLUICE_OP_COPY) | BIT_ULL(SLUICE_OP_FILL) |
		    BIT_ULL(SLUICE_OP_CAPTURE) | BIT_ULL(SLUICE_OP_PLAYBACK),
	.flags = SLUICE_ENGINE_CPU | SLUICE_ENGINE_QUICK,
	.op_align = 4,
};

static int soft_probe(struct platform_device *pdev)
{
	unsigned int i, count = clamp(engines, 1U, SOFT_MAX_ENGINES);
	struct sluice_engine_caps caps[SOFT_MAX_ENGINES];
	struct dentry *debugfs;
	struct soft *soft;
	int ret;

	ret = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64));
	if (ret)
		return ret;
	dma_set_max_seg_size(&pdev->dev, UINT_MAX);
	soft = kzalloc(struct_size(soft, engines, count), GFP_KERNEL);
	if (!soft)
		return -ENOMEM;
	soft->wq = alloc_workqueue("sluice-soft", WQ_UNBOUND | WQ_HIGHPRI | WQ_MEM_RECLAIM, 0);
	if (!soft->wq) {
		ret = -ENOMEM;
		goto err_free;
	}
	soft->epoch = ktime_get();
	soft->interval = NSEC_PER_SEC / clamp(fps, 1U, 1000U);
	soft->num_engines = count;
	for (i = 0; i < count; i++) {
		struct soft_engine *se = &soft->engines[i];

		caps[i] = soft_engine_caps;
		se->soft = soft;
		spin_lock_init(&se->lock);
		hrtimer_setup(&se->timer, soft_timer, CLOCK_MONOTONIC, HRTIMER_MODE_ABS);
		INIT_WORK(&se->work, soft_work);
	}
	platform_set_drvdata(pdev, soft);

	soft->sdev = sluice_device_register(&pdev->dev, "soft", &soft_ops, caps, count,
					   soft);
	if (IS_ERR(soft->sdev)) {
		ret = PTR_ERR(soft->sdev);
		goto err_wq;
	}
	debugfs = sluice_device_debugfs(soft->sdev);
	debugfs_create_file("screen", 0400, debugfs, soft, &soft_screen_fops);
	debugfs_create_u32("delay_us", 0600, debugfs, &soft->delay_us);
	debugfs_create_atomic_t("fail_next", 0600, debugfs, &soft->fail_next);
	debugfs_create_atomic_t("hang_next", 0600, debugfs, &soft->hang_next);
	debugfs_create_u32("abort_us", 0600, debugfs, &soft->abort_us);
	return 0;

err_wq:
	destroy_workqueue(soft->wq);
err_free:
	kfree(soft);
	return ret;
}

static void soft_unbind(struct platform_device *pdev)
{
	struct soft *soft = platform_get_drvdata(pdev);

	sluice_device_unregister(soft->sdev);
	destroy_workqueue(soft->wq);
	kfree(soft);
}
SLUICE_PLATFORM_REMOVE(soft_remove, soft_unbind)

/* There is no hardware, but what an op writes must not change while memory is saved. */
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
