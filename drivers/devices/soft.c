// SPDX-License-Identifier: GPL-2.0-only
/*
 * soft: a device in software, for any machine.
 *
 * Each of its engines has:
 *
 *	ops		copy and fill with the CPU; a private op that computes the CRC-32 of
 *			memory: see <linux/sluice_soft.h>
 *	a camera	produces a frame of the test pattern in each frame interval.  A capture
 *			takes the next frame.  A frame for which there was no capture counts as
 *			dropped
 *	a screen	shows a frame in each frame interval.  A playback is the next frame that
 *			is shown.  A frame for which there was no playback counts as dropped
 *
 * Controls change the picture of all cameras: brightness; input, which may be black; trigger, a
 * flash in the next image; freeze.
 *
 * An engine may have several ops at a time: see the module parameter depth.  In an ordered
 * engine, an op begins when the previous one has ended.  Otherwise the ops run at the same
 * time, and may end in any order.
 *
 * The engine->lock of an engine is a ring lock: sluice_engine_done() may be called with it
 * held.  It guards the engine's lists and the numbers of its frames: see struct soft_engine.
 * The mutex soft->source_lock orders changes of the input signal and their reports.  Knobs
 * and controls are read and written without a lock.
 *
 * The folder /sys/kernel/debug/sluice/<device>/ shows what was on the screens.  Its other files
 * are *knobs*, which make the device misbehave for tests:
 *
 *	screen		a line for each engine: number of the frame, its bytes and CRC-32
 *	delay_us	each op takes so many microseconds longer
 *	fail_next	the next N ops end with -EIO
 *	hang_next	the next N ops do not end until they are aborted
 *	abort_us	each abort takes so many microseconds longer
 *	reverse_next	the next N ops that end are reported together, the last of them first
 *	twice_next	the end of the next N ops is reported twice
 *	late_next	the end of the next N aborted ops is reported nevertheless, when the engine
 *			gets its next op
 *	stray_next	before each of the next N ops, ends are reported with cookies that are not
 *			in flight
 *	damage_next	the next N captured frames are reported as damaged
 *	repeat_next	the next N captured images show the picture of the image before
 *	source_width	most pixels in a line of a captured image, rounded down to a multiple
 *			of 4; 0: no limit
 *	source_height	most lines of a captured image, like source_width
 *	signal_lost	1: the cameras have no signal, and captures end with -ENOLINK
 *	events		write N: raise one event for each of the ids 0 to N - 1
 *	control_error	the errno with which the next call that sets or gets a control fails
 */
#include <linux/crc32.h>
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/hrtimer.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/platform_device.h>
#include <linux/pm.h>
#include <linux/seq_file.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include <uapi/linux/sluice_soft.h>

#include "compat.h"
#include "pattern.h"
#include "sluice.h"

#define SOFT_MAX_ENGINES	16
#define SOFT_MAX_DEPTH		64
#define SOFT_MAX_EVENTS		1000	/* limit of a write to the knob events */
#define SOFT_AT_ONCE		SZ_4K	/* bytes up to which ->start() does an op itself */

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
 * struct soft_op - an op in flight, or a free entry for one
 * @link: in engine->ops, in engine->held, or in no list
 * @se: the engine
 * @op: a copy of the op that the core has handed out
 * @timer: queues @work when the frame of the op begins, or when its delay is over
 * @work: executes the op
 * @timed: the op begins with @timer
 * @when: CLOCK_MONOTONIC time at which @timer expires
 * @frame: capture, playback: number of the frame that it waits for
 * @result: how the op ended, while it is in engine->held
 * @stop: the op is being aborted, and must end early
 */
struct soft_op {
	struct list_head link;
	struct soft_engine *se;
	struct sluice_op_desc op;
	struct hrtimer timer;
	struct work_struct work;
	bool timed;
	ktime_t when;
	u64 frame;
	struct sluice_result result;
	bool stop;
};

/**
 * struct soft_engine - one engine
 * @soft: its device
 * @engine: the engine for the core, valid from the first op on
 * @next_frame: the earliest frame that the next op may get.  Used in soft_start() and
 *	soft_abort() only, and the core calls one of them at a time
 * @late: cookie of an aborted op whose end will be reported, or 0; used like @next_frame
 * @lock: spinlock, irq: guards the fields from here to @shown
 * @ops: ops that run or wait, in the order in which the core has handed them out
 * @held: ops that have ended, but are not reported yet; the last of them first
 * @stopping: an abort is in progress, and no op may begin
 * @captured: number of the last captured frame, plus 1; 0 if there is none
 * @picture: number of the newest frame whose picture was in an image, plus 1; 0 if there is none
 * @played: number of the last frame that was shown, plus 1; 0 if there is none
 * @shown: what the screen shows
 * @slots: all entries for ops; the index is the lower bits of the cookie
 */
struct soft_engine {
	struct soft *soft;
	struct sluice_engine *engine;
	u64 next_frame;
	u32 late;
	spinlock_t lock;
	struct list_head ops;
	struct list_head held;
	bool stopping;
	u64 captured;
	u64 picture;
	u64 played;
	struct soft_shown {
		u64 sequence;
		u64 bytes;
		u32 crc;
	} shown;
	struct soft_op *slots;
};

/**
 * struct soft - the device
 * @sdev: its Sluice device
 * @wq: runs the ops; in the signalling path of fences
 * @epoch: CLOCK_MONOTONIC time at which frame 0 began
 * @interval: nanoseconds from a frame to the next
 * @delay_us: knob
 * @fail_next: knob
 * @hang_next: knob
 * @abort_us: knob
 * @reverse_next: knob
 * @twice_next: knob
 * @late_next: knob
 * @stray_next: knob
 * @damage_next: knob
 * @repeat_next: knob
 * @source_width: knob
 * @source_height: knob
 * @source_lock: mutex: orders changes of the input signal and their reports
 * @signal_lost: knob
 * @events: number of events that the knob events has raised
 * @control_error: knob
 * @brightness: control, -255 to 255
 * @black: control input: the picture is black
 * @freeze: control
 * @flash: control trigger: the next image is white
 * @depth: number of entries for ops of each engine
 * @ordered: the ops of an engine wait for each other
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
	atomic_t reverse_next;
	atomic_t twice_next;
	atomic_t late_next;
	atomic_t stray_next;
	atomic_t damage_next;
	atomic_t repeat_next;
	u32 source_width;
	u32 source_height;
	struct mutex source_lock;
	bool signal_lost;
	atomic64_t events;
	atomic_t control_error;
	int brightness;
	bool black;
	bool freeze;
	atomic_t flash;
	unsigned int depth;
	bool ordered;
	unsigned int num_engines;
	struct soft_engine engines[] __counted_by(num_engines);
};

static ktime_t soft_frame_time(const struct soft *soft, u64 frame)
{
	return ktime_add_ns(soft->epoch, frame * soft->interval);
}

/* Copy or fill piece by piece, so that an abort need not wait for all of it. */
static u64 soft_move(struct soft_op *so)
{
	const struct sluice_op_desc *op = &so->op;
	void *dst = sluice_slot_vaddr(op->dst) + op->dst_offset;
	void *src = op->src ? sluice_slot_vaddr(op->src) + op->src_offset : NULL;
	u64 done = 0;

	while (done < op->length && !READ_ONCE(so->stop)) {
		size_t bite = min_t(u64, op->length - done, SZ_256K);

		if (src)
			memcpy(dst + done, src + done, bite);
		else
			memset32(dst + done, op->value, bite / sizeof(u32));
		done += bite;
		/* a small op must not sleep: SUBMIT may execute it with preemption off */
		if (done < op->length)
			cond_resched();
	}
	return done;
}

static void soft_capture_raw(struct soft_op *so)
{
	void *dst = sluice_slot_vaddr(so->op.dst) + so->op.dst_offset;
	u64 done = 0;

	while (done < so->op.length && !READ_ONCE(so->stop)) {
		size_t bite = min_t(u64, so->op.length - done, SZ_256K);

		pattern_fill_raw(dst + done, done, bite, so->frame);
		done += bite;
		cond_resched();
	}
}

/* Count the frames between this one and the newest before it.  Ops may end in any order. */
static void soft_count_dropped(struct soft_op *so, u64 *next, struct sluice_result *result)
{
	spin_lock_irq(&so->se->lock);
	if (*next && so->frame > *next)
		result->dropped = so->frame - *next;
	*next = max(*next, so->frame + 1);
	spin_unlock_irq(&so->se->lock);
}

static bool soft_knob(atomic_t *next)
{
	return atomic_add_unless(next, -1, 0);
}

/* Size of the source for a value of a knob.  All formats allow multiples of 4. */
static u32 soft_whole(u32 source)
{
	return source ? max(source / 4 * 4, 4U) : 0;
}

/* Size of the image that arrives: the size that was asked for, or less if the source has less. */
static u32 soft_source(u32 asked, u32 source)
{
	return source && source < asked ? soft_whole(source) : asked;
}

/* If fields alternate, an even frame is the top field. */
static void soft_set_field(const struct soft_op *so, struct pattern_frame *frame,
			   struct sluice_result *result)
{
	u32 field = so->op.frame.field;

	if (field == SLUICE_FIELD_ALTERNATE)
		field = so->frame % 2 ? SLUICE_FIELD_BOTTOM : SLUICE_FIELD_TOP;
	if (field == SLUICE_FIELD_TOP) {
		frame->field = PATTERN_TOP;
		result->flags |= SLUICE_FRAME_TOP;
	} else if (field == SLUICE_FIELD_BOTTOM) {
		frame->field = PATTERN_BOTTOM;
		result->flags |= SLUICE_FRAME_BOTTOM;
	}
}

/* The picture that a frame shows: its own, or the picture of the image before. */
static u64 soft_picture(const struct soft_op *so, struct sluice_result *result)
{
	struct soft *soft = so->se->soft;
	u64 picture = so->frame;

	spin_lock_irq(&so->se->lock);
	if (so->se->picture && (READ_ONCE(soft->freeze) || soft_knob(&soft->repeat_next))) {
		result->flags |= SLUICE_FRAME_REPEATED;
		picture = so->se->picture - 1;
	}
	so->se->picture = max(so->se->picture, picture + 1);
	spin_unlock_irq(&so->se->lock);
	return picture;
}

static int soft_brightness(struct soft *soft)
{
	if (soft_knob(&soft->flash))
		return 255;
	return READ_ONCE(soft->black) ? -255 : READ_ONCE(soft->brightness);
}

static void soft_capture_image(struct soft_op *so, struct sluice_result *result)
{
	struct soft *soft = so->se->soft;
	const struct sluice_op_desc *op = &so->op;
	struct pattern_frame frame = { .format = op->frame.format };
	unsigned int i;

	frame.width = soft_source(op->frame.width, READ_ONCE(soft->source_width));
	frame.height = soft_source(op->frame.height, READ_ONCE(soft->source_height));
	for (i = 0; i < op->num_ranges; i++) {
		frame.planes[i] = sluice_slot_vaddr(op->ranges[i].slot) + op->ranges[i].offset;
		frame.strides[i] = op->frame.strides[i];
		result->bytes += op->ranges[i].length;
	}
	soft_set_field(so, &frame, result);
	frame.brightness = soft_brightness(soft);
	pattern_draw(&frame, soft_picture(so, result), ktime_to_ns(result->timestamp), &so->stop);
	result->width = frame.width;
	result->height = frame.height;
}

static void soft_capture(struct soft_op *so, struct sluice_result *result)
{
	result->timestamp = soft_frame_time(so->se->soft, so->frame);
	if (so->op.frame.width) {
		soft_capture_image(so, result);
	} else {
		soft_capture_raw(so);
		result->bytes = so->op.length;
	}
	if (soft_knob(&so->se->soft->damage_next))
		result->flags |= SLUICE_FRAME_DAMAGED;
	result->sequence = so->frame;
	soft_count_dropped(so, &so->se->captured, result);
}

/* Read each byte of the lines of a plane, as a screen would.  Padding of lines is not read. */
static void soft_show_plane(struct soft_op *so, const struct sluice_range *range, u32 stride,
			    struct soft_shown *shown)
{
	void *src = sluice_slot_vaddr(range->slot) + range->offset;
	/* the range ends with the pixels of the last line, without padding */
	u64 lines = stride ? DIV_ROUND_UP_ULL(range->length, stride) : 1, done, at = 0;
	u64 line = range->length - (lines - 1) * stride;

	for (; lines; lines--, at += stride) {
		for (done = 0; done < line; ) {
			size_t bite = min_t(u64, line - done, SZ_64K);

			if (READ_ONCE(so->stop))
				return;
			shown->crc = crc32_le(shown->crc, src + at + done, bite);
			done += bite;
			cond_resched();
		}
		shown->bytes += line;
	}
}

static void soft_playback(struct soft_op *so, struct sluice_result *result)
{
	const struct sluice_op_desc *op = &so->op;
	struct soft_shown shown = { .sequence = so->frame, .crc = ~0 };
	unsigned int i;

	for (i = 0; i < op->num_ranges; i++)
		soft_show_plane(so, &op->ranges[i], op->frame.width ? op->frame.strides[i] : 0,
				&shown);
	if (READ_ONCE(so->stop))
		return;
	shown.crc = ~shown.crc;
	spin_lock_irq(&so->se->lock);
	so->se->shown = shown;
	spin_unlock_irq(&so->se->lock);
	result->bytes = shown.bytes;
	result->timestamp = soft_frame_time(so->se->soft, so->frame);
	result->sequence = so->frame;
	result->width = op->frame.width;
	result->height = op->frame.height;
	soft_count_dropped(so, &so->se->played, result);
}

static void soft_checksum(struct soft_op *so, struct sluice_result *result)
{
	const struct sluice_op_desc *op = &so->op;
	const struct sluice_soft_crc32 *crc32 = op->payload.data;
	void *src = sluice_slot_vaddr(op->src) + op->src_offset;
	u32 crc = ~crc32->seed;
	u64 done = 0;

	while (done < op->payload.src_length) {
		size_t bite = min_t(u64, op->payload.src_length - done, SZ_64K);

		if (READ_ONCE(so->stop))
			return;
		crc = crc32_le(crc, src + done, bite);
		done += bite;
		/* a small op must not sleep: SUBMIT may execute it with preemption off */
		if (done < op->payload.src_length)
			cond_resched();
	}
	*(u32 *)(sluice_slot_vaddr(op->dst) + op->dst_offset) = ~crc;
	result->bytes = sizeof(u32);
}

static void soft_run(struct soft_op *so);

/* Begin an op.  With @now it is executed in this context, unless it must wait for its time. */
static void soft_begin(struct soft_op *so, bool now)
{
	if (so->timed)
		hrtimer_start(&so->timer, so->when, HRTIMER_MODE_ABS);
	else if (now)
		soft_run(so);
	else
		queue_work(so->se->soft->wq, &so->work);
}

static void soft_report(struct soft_engine *se, u32 cookie, const struct sluice_result *result)
{
	sluice_engine_done(se->engine, cookie, result);
	if (soft_knob(&se->soft->twice_next))
		sluice_engine_done(se->engine, cookie, result);
}

/* Called with the lock held, so that soft_abort() finds each op either held or reported. */
static void soft_report_held(struct soft_engine *se)
{
	struct soft_op *so, *next;

	lockdep_assert_held(&se->lock);
	list_for_each_entry_safe(so, next, &se->held, link) {
		/* before the report, because the core may then use the entry for another op */
		list_del_init(&so->link);
		soft_report(se, so->op.cookie, &so->result);
	}
}

static void soft_end(struct soft_op *so, const struct sluice_result *result)
{
	struct soft_engine *se = so->se;
	struct soft *soft = se->soft;
	struct soft_op *next;
	bool held;

	spin_lock_irq(&se->lock);
	list_del_init(&so->link);
	next = list_first_entry_or_null(&se->ops, struct soft_op, link);
	/* during an abort no op begins */
	if (soft->ordered && next && !se->stopping)
		soft_begin(next, false);
	held = soft_knob(&soft->reverse_next);
	if (held) {
		so->result = *result;
		list_add(&so->link, &se->held);
	}
	if (!atomic_read(&soft->reverse_next))
		soft_report_held(se);
	spin_unlock_irq(&se->lock);
	if (!held)
		soft_report(se, so->op.cookie, result);
}

static void soft_run(struct soft_op *so)
{
	struct soft *soft = so->se->soft;
	struct sluice_result result = {};

	if (soft_knob(&soft->hang_next))
		return;
	if (soft_knob(&soft->fail_next))
		result.status = -EIO;
	else if (so->op.kind == SLUICE_OP_CAPTURE && READ_ONCE(soft->signal_lost))
		result.status = -ENOLINK;
	else if (so->op.kind == SLUICE_OP_CAPTURE)
		soft_capture(so, &result);
	else if (so->op.kind == SLUICE_OP_PLAYBACK)
		soft_playback(so, &result);
	else if (so->op.kind == SLUICE_OP_PRIVATE)
		soft_checksum(so, &result);
	else
		result.bytes = soft_move(so);
	/* an op that was stopped has not ended, and must not be reported */
	if (!READ_ONCE(so->stop))
		soft_end(so, &result);
}

static void soft_work(struct work_struct *work)
{
	soft_run(container_of(work, struct soft_op, work));
}

static enum hrtimer_restart soft_timer(struct hrtimer *timer)
{
	struct soft_op *so = container_of(timer, struct soft_op, timer);

	queue_work(so->se->soft->wq, &so->work);
	return HRTIMER_NORESTART;
}

/* Set the time at which an op begins.  A capture or playback begins with a frame of its own. */
static void soft_set_time(struct soft_op *so)
{
	u32 delay_us = READ_ONCE(so->se->soft->delay_us);
	struct soft *soft = so->se->soft;
	u64 frame;

	so->timed = delay_us;
	so->when = ktime_get();
	if (so->op.kind == SLUICE_OP_CAPTURE || so->op.kind == SLUICE_OP_PLAYBACK) {
		so->timed = true;
		frame = div64_u64(ktime_to_ns(ktime_sub(so->when, soft->epoch)),
				  soft->interval) + 1;
		so->frame = soft->depth > 1 ? max(frame, so->se->next_frame) : frame;
		so->se->next_frame = so->frame + 1;
		so->when = soft_frame_time(soft, so->frame);
	}
	so->when = ktime_add_us(so->when, delay_us);
}

/* Report ends of ops that are not in flight, as the knobs say. */
static void soft_misreport(struct soft_engine *se, u32 cookie)
{
	const struct sluice_result result = {};

	if (se->late)
		sluice_engine_done(se->engine, se->late, &result);
	se->late = 0;
	if (!soft_knob(&se->soft->stray_next))
		return;
	sluice_engine_done(se->engine, 0, &result);
	sluice_engine_done(se->engine, U32_MAX, &result);
	/* the entry of the op, but the cookie of another op */
	sluice_engine_done(se->engine, cookie ^ (1U << 31), &result);
}

static int soft_start(struct sluice_engine *engine, const struct sluice_op_desc *op)
{
	struct soft *soft = sluice_engine_priv(engine);
	struct soft_engine *se = &soft->engines[sluice_engine_index(engine)];
	struct soft_op *so = &se->slots[op->cookie & (SLUICE_MAX_ENGINE_DEPTH - 1)];
	u64 bytes = op->kind == SLUICE_OP_PRIVATE ? op->payload.src_length : op->length;
	bool first;

	se->engine = engine;
	soft_misreport(se, op->cookie);
	so->op = *op;
	so->stop = false;
	soft_set_time(so);
	spin_lock_irq(&se->lock);
	first = !soft->ordered || list_empty(&se->ops);
	list_add_tail(&so->link, &se->ops);
	spin_unlock_irq(&se->lock);
	if (first)
		soft_begin(so, bytes <= SOFT_AT_ONCE);
	return 0;
}

static void soft_stop_op(struct soft_op *so)
{
	WRITE_ONCE(so->stop, true);
	hrtimer_cancel(&so->timer);
	cancel_work_sync(&so->work);
	/* remove it from engine->ops or engine->held, if it has not ended */
	spin_lock_irq(&so->se->lock);
	list_del_init(&so->link);
	spin_unlock_irq(&so->se->lock);
}

/* In an ordered engine all ops are stopped together, otherwise one. */
static enum sluice_aborted soft_abort(struct sluice_engine *engine, u32 cookie)
{
	struct soft *soft = sluice_engine_priv(engine);
	struct soft_engine *se = &soft->engines[sluice_engine_index(engine)];
	bool all = cookie == SLUICE_ALL_OPS || soft->ordered;
	u32 abort_us = READ_ONCE(soft->abort_us);
	unsigned int i;

	if (abort_us)
		fsleep(abort_us);
	spin_lock_irq(&se->lock);
	se->stopping = true;
	spin_unlock_irq(&se->lock);
	for (i = 0; i < soft->depth; i++)
		if (all || se->slots[i].op.cookie == cookie)
			soft_stop_op(&se->slots[i]);
	spin_lock_irq(&se->lock);
	se->stopping = false;
	spin_unlock_irq(&se->lock);
	if (all)
		se->next_frame = 0;
	if (cookie != SLUICE_ALL_OPS && soft_knob(&soft->late_next))
		se->late = cookie;
	return all ? SLUICE_ABORTED_ALL : SLUICE_ABORTED_ONE;
}

static int soft_screen_show(struct seq_file *m, void *data)
{
	struct soft *soft = m->private;
	unsigned int i;

	for (i = 0; i < soft->num_engines; i++) {
		struct soft_engine *se = &soft->engines[i];
		struct soft_shown shown;

		spin_lock_irq(&se->lock);
		shown = se->shown;
		spin_unlock_irq(&se->lock);
		seq_printf(m, "%llu %llu %08x\n", shown.sequence, shown.bytes, shown.crc);
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(soft_screen);

/* Because of op_align, the result has an offset that is a multiple of 4. */
static int soft_check_private(struct sluice_engine *engine, struct sluice_op_desc *op)
{
	const struct sluice_soft_crc32 *crc32 = op->payload.data;

	if (op->payload.size != sizeof(*crc32) || op->flags != (SLUICE_OP_DST | SLUICE_OP_SRC) ||
	    (crc32->op != SLUICE_SOFT_CRC32 && crc32->op != SLUICE_SOFT_CRC32_ONCE))
		return -EINVAL;
	op->payload.repeats = crc32->op == SLUICE_SOFT_CRC32;
	return 0;
}

/* Read the knob and set it to 0.  Return: 0 or a negative errno. */
static int soft_control_error(struct soft *soft)
{
	unsigned int error = atomic_xchg(&soft->control_error, 0);

	return -(int)min(error, (unsigned int)MAX_ERRNO);
}

static int soft_set_control(void *priv, u32 id, s64 value)
{
	struct soft *soft = priv;
	int ret = soft_control_error(soft);

	if (ret)
		return ret;
	switch (id) {
	case SLUICE_CONTROL_INPUT:
		WRITE_ONCE(soft->black, value);
		return 0;
	case SLUICE_CONTROL_BRIGHTNESS:
		WRITE_ONCE(soft->brightness, value);
		return 0;
	case SLUICE_CONTROL_TRIGGER:
		atomic_set(&soft->flash, 1);
		return 0;
	case SLUICE_SOFT_CONTROL_FREEZE:
		WRITE_ONCE(soft->freeze, value);
		return 0;
	}
	return -EINVAL;
}

static int soft_get_control(void *priv, u32 id, s64 *value)
{
	struct soft *soft = priv;
	int ret = soft_control_error(soft);

	if (ret || id != SLUICE_SOFT_CONTROL_FRAME)
		return ret ?: -EINVAL;
	*value = div64_u64(ktime_to_ns(ktime_sub(ktime_get(), soft->epoch)), soft->interval);
	return 0;
}

static const char * const soft_inputs[] = { "scene", "black" };

static const struct sluice_control_caps soft_controls[] = {
	{ .id = SLUICE_CONTROL_INPUT, .type = SLUICE_CONTROL_MENU, .name = "input",
	  .max = ARRAY_SIZE(soft_inputs) - 1, .menu = soft_inputs },
	{ .id = SLUICE_CONTROL_BRIGHTNESS, .type = SLUICE_CONTROL_INT, .name = "brightness",
	  .min = -255, .max = 255, .step = 5 },
	{ .id = SLUICE_CONTROL_TRIGGER, .type = SLUICE_CONTROL_BUTTON, .name = "trigger" },
	{ .id = SLUICE_SOFT_CONTROL_FREEZE, .type = SLUICE_CONTROL_BOOL, .name = "freeze" },
	{ .id = SLUICE_SOFT_CONTROL_FRAME, .type = SLUICE_CONTROL_INT, .name = "frame",
	  .properties = SLUICE_CONTROL_READ_ONLY | SLUICE_CONTROL_VOLATILE, .max = S64_MAX },
};

static void soft_tell_source(struct soft *soft, struct sluice_device *sdev)
{
	struct sluice_source source = {};

	if (!soft->signal_lost) {
		source.status = SLUICE_SOURCE_SIGNAL | SLUICE_SOURCE_LOCKED;
		source.width = soft_whole(soft->source_width);
		source.height = soft_whole(soft->source_height);
		source.interval = (struct sluice_fraction) { 1, clamp(fps, 1U, 1000U) };
	}
	for (; source.engine < soft->num_engines; source.engine++)
		sluice_device_source(sdev, &source);
}

static int soft_prepare(struct sluice_device *sdev, void *priv)
{
	soft_tell_source(priv, sdev);
	return sluice_device_add_controls(sdev, soft_controls, ARRAY_SIZE(soft_controls));
}

static const struct sluice_device_ops soft_ops = {
	.prepare = soft_prepare,
	.check_private = soft_check_private,
	.set_control = soft_set_control,
	.get_control = soft_get_control,
	.start = soft_start,
	.abort = soft_abort,
};

static const struct sluice_engine_caps soft_engine_caps = {
	.op_kinds = BIT_ULL(SLUICE_OP_COPY) | BIT_ULL(SLUICE_OP_FILL) |
		    BIT_ULL(SLUICE_OP_CAPTURE) | BIT_ULL(SLUICE_OP_PLAYBACK) |
		    BIT_ULL(SLUICE_OP_PRIVATE),
	.flags = SLUICE_ENGINE_CPU | SLUICE_ENGINE_QUICK,
	.op_align = 4,
};

static void soft_free(struct soft *soft)
{
	unsigned int i;

	for (i = 0; i < soft->num_engines; i++)
		kfree(soft->engines[i].slots);
	if (soft->wq)
		destroy_workqueue(soft->wq);
	kfree(soft);
}

static int soft_init_engine(struct soft *soft, struct soft_engine *se)
{
	unsigned int i;

	se->soft = soft;
	spin_lock_init(&se->lock);
	INIT_LIST_HEAD(&se->ops);
	INIT_LIST_HEAD(&se->held);
	se->slots = kcalloc(soft->depth, sizeof(*se->slots), GFP_KERNEL);
	if (!se->slots)
		return -ENOMEM;
	for (i = 0; i < soft->depth; i++) {
		struct soft_op *so = &se->slots[i];

		so->se = se;
		INIT_LIST_HEAD(&so->link);
		hrtimer_setup(&so->timer, soft_timer, CLOCK_MONOTONIC, HRTIMER_MODE_ABS);
		INIT_WORK(&so->work, soft_work);
	}
	return 0;
}

/* Allocate the device and its engines.  Return: the device, or NULL. */
static struct soft *soft_alloc(unsigned int count)
{
	struct soft *soft = kzalloc(struct_size(soft, engines, count), GFP_KERNEL);
	unsigned int i;
	int ret;

	if (!soft)
		return NULL;
	soft->num_engines = count;
	mutex_init(&soft->source_lock);
	soft->depth = clamp(depth, 1U, SOFT_MAX_DEPTH);
	soft->ordered = ordered;
	soft->epoch = ktime_get();
	soft->interval = NSEC_PER_SEC / clamp(fps, 1U, 1000U);
	soft->wq = alloc_workqueue("sluice-soft", WQ_UNBOUND | WQ_HIGHPRI | WQ_MEM_RECLAIM, 0);
	ret = soft->wq ? 0 : -ENOMEM;
	for (i = 0; i < count && !ret; i++)
		ret = soft_init_engine(soft, &soft->engines[i]);
	if (!ret)
		return soft;
	soft_free(soft);
	return NULL;
}

/* Knobs of the input signal.  Each write is reported to the core. */
#define SOFT_SIGNAL_KNOB(name)							\
static int soft_##name##_get(void *data, u64 *value)				\
{										\
	struct soft *soft = data;						\
										\
	*value = READ_ONCE(soft->name);						\
	return 0;								\
}										\
										\
static int soft_##name##_set(void *data, u64 value)				\
{										\
	struct soft *soft = data;						\
										\
	mutex_lock(&soft->source_lock);						\
	WRITE_ONCE(soft->name, value);						\
	soft_tell_source(soft, soft->sdev);					\
	mutex_unlock(&soft->source_lock);					\
	return 0;								\
}										\
DEFINE_DEBUGFS_ATTRIBUTE(soft_##name, soft_##name##_get, soft_##name##_set, "%llu\n")

SOFT_SIGNAL_KNOB(source_width);
SOFT_SIGNAL_KNOB(source_height);
SOFT_SIGNAL_KNOB(signal_lost);

static int soft_events_set(void *data, u64 value)
{
	struct soft *soft = data;
	u32 id;

	if (value > SOFT_MAX_EVENTS)
		return -EINVAL;
	for (id = 0; id < value; id++)
		sluice_device_event(soft->sdev, SLUICE_SOFT_EVENT, id,
				    atomic64_inc_return(&soft->events));
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(soft_events, NULL, soft_events_set, "%llu\n");

static void soft_add_knobs(struct soft *soft)
{
	struct dentry *debugfs = sluice_device_debugfs(soft->sdev);

	debugfs_create_file("screen", 0400, debugfs, soft, &soft_screen_fops);
	debugfs_create_u32("delay_us", 0600, debugfs, &soft->delay_us);
	debugfs_create_atomic_t("fail_next", 0600, debugfs, &soft->fail_next);
	debugfs_create_atomic_t("hang_next", 0600, debugfs, &soft->hang_next);
	debugfs_create_u32("abort_us", 0600, debugfs, &soft->abort_us);
	debugfs_create_atomic_t("reverse_next", 0600, debugfs, &soft->reverse_next);
	debugfs_create_atomic_t("twice_next", 0600, debugfs, &soft->twice_next);
	debugfs_create_atomic_t("late_next", 0600, debugfs, &soft->late_next);
	debugfs_create_atomic_t("stray_next", 0600, debugfs, &soft->stray_next);
	debugfs_create_atomic_t("damage_next", 0600, debugfs, &soft->damage_next);
	debugfs_create_atomic_t("repeat_next", 0600, debugfs, &soft->repeat_next);
	debugfs_create_file_unsafe("source_width", 0600, debugfs, soft, &soft_source_width);
	debugfs_create_file_unsafe("source_height", 0600, debugfs, soft, &soft_source_height);
	debugfs_create_file_unsafe("signal_lost", 0600, debugfs, soft, &soft_signal_lost);
	debugfs_create_file_unsafe("events", 0200, debugfs, soft, &soft_events);
	debugfs_create_atomic_t("control_error", 0600, debugfs, &soft->control_error);
}

/**
 * struct soft_formats - the formats, for sluice_device_register() only, which copies them
 * @interval: the frame interval, which is the same for all formats
 * @sizes: the sizes of each format
 * @formats: all formats in which the pattern can be drawn
 */
struct soft_formats {
	struct sluice_interval_range interval;
	struct sluice_size_range sizes[PATTERN_NUM_FORMATS];
	struct sluice_format_caps formats[PATTERN_NUM_FORMATS];
};

static struct soft_formats *soft_list_formats(void)
{
	struct soft_formats *list = kzalloc(sizeof(*list), GFP_KERNEL);
	unsigned int i;

	if (!list)
		return NULL;
	list->interval.min = (struct sluice_fraction) { 1, clamp(fps, 1U, 1000U) };
	for (i = 0; i < PATTERN_NUM_FORMATS; i++) {
		const struct pattern_format *format = &pattern_formats[i];

		list->sizes[i] = (struct sluice_size_range) {
			.min_width = format->step_width,
			.max_width = U32_MAX,
			.step_width = format->step_width,
			.min_height = format->step_height,
			.max_height = U32_MAX,
			.step_height = format->step_height,
			.num_intervals = 1,
			.intervals = &list->interval,
		};
		list->formats[i] = (struct sluice_format_caps) {
			.format = format->fourcc,
			.fields = BIT(SLUICE_FIELD_NONE) | BIT(SLUICE_FIELD_TOP) |
				  BIT(SLUICE_FIELD_BOTTOM) | BIT(SLUICE_FIELD_ALTERNATE),
			.num_sizes = 1,
			.sizes = &list->sizes[i],
		};
	}
	return list;
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
	formats = soft_list_formats();
	if (!soft || !formats) {
		ret = -ENOMEM;
		goto out;
	}
	for (i = 0; i < count; i++) {
		caps[i] = soft_engine_caps;
		caps[i].depth = soft->depth;
		caps[i].num_formats = PATTERN_NUM_FORMATS;
		caps[i].formats = formats->formats;
		caps[i].min_length = min_length;
		caps[i].max_length = max_length;
		if (soft->ordered)
			caps[i].flags |= SLUICE_ENGINE_ORDERED;
	}
	platform_set_drvdata(pdev, soft);
	soft->sdev = sluice_device_register(&pdev->dev, "soft", &soft_ops, caps, count,
					   soft);
	if (IS_ERR(soft->sdev))
		ret = PTR_ERR(soft->sdev);
	else
		soft_add_knobs(soft);
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
