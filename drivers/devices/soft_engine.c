// SPDX-License-Identifier: GPL-2.0-only
/*
 * Engines of the software device.
 *
 * The ops are copy, fill, capture, playback, and a private op that computes the CRC-32 of memory:
 * see <linux/sluice_soft.h>.
 *
 * An engine may have several ops at a time.  In an ordered engine, an op begins when the previous
 * one has ended.  Otherwise the ops run at the same time, and may end in any order.
 *
 * The data and the lock are described in soft_engine.h.
 */
#include <linux/crc32.h>
#include <linux/delay.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <uapi/linux/sluice_soft.h>

#include "soft_engine.h"
#include "soft_knobs.h"
#include "soft_source.h"

#define SOFT_AT_ONCE		SZ_4K	/* largest op that ->start() executes itself, in bytes */

/* The work of an op */

/* Copy or fill in chunks, so that an abort need not wait for all of it. */
static u64 soft_engine_copy(struct soft_op *so)
{
	const struct sluice_op_desc *op = &so->op;
	void *dst = sluice_slot_vaddr(op->dst) + op->dst_offset;
	void *src = op->src ? sluice_slot_vaddr(op->src) + op->src_offset : NULL;
	u64 done = 0;

	while (done < op->length && !READ_ONCE(so->stop)) {
		size_t chunk = min_t(u64, op->length - done, SZ_256K);

		if (src)
			memcpy(dst + done, src + done, chunk);
		else
			memset32(dst + done, op->value, chunk / sizeof(u32));
		done += chunk;
		/* a small op must not sleep: SUBMIT may execute it with preemption off */
		if (done < op->length)
			cond_resched();
	}
	return done;
}

static void soft_engine_checksum(struct soft_op *so, struct sluice_result *result)
{
	const struct sluice_op_desc *op = &so->op;
	const struct sluice_soft_crc32 *crc32 = op->payload.data;
	void *src = sluice_slot_vaddr(op->src) + op->src_offset;
	u32 crc = ~crc32->seed;
	u64 done = 0;

	while (done < op->payload.src_length) {
		size_t chunk = min_t(u64, op->payload.src_length - done, SZ_64K);

		if (READ_ONCE(so->stop))
			return;
		crc = crc32_le(crc, src + done, chunk);
		done += chunk;
		/* a small op must not sleep: SUBMIT may execute it with preemption off */
		if (done < op->payload.src_length)
			cond_resched();
	}
	*(u32 *)(sluice_slot_vaddr(op->dst) + op->dst_offset) = ~crc;
	result->bytes = sizeof(u32);
}

/**
 * soft_engine_check_private - check a private op; for ->check_private()
 * @engine: the engine
 * @op: the op.  Because of op_align, the result has an offset that is a multiple of 4
 *
 * Context: as ->check_private().
 * Return: 0 or -EINVAL.
 */
int soft_engine_check_private(struct sluice_engine *engine, struct sluice_op_desc *op)
{
	const struct sluice_soft_crc32 *crc32 = op->payload.data;

	if (op->payload.size != sizeof(*crc32) || op->flags != (SLUICE_OP_DST | SLUICE_OP_SRC) ||
	    (crc32->op != SLUICE_SOFT_CRC32 && crc32->op != SLUICE_SOFT_CRC32_ONCE))
		return -EINVAL;
	op->payload.repeats = crc32->op == SLUICE_SOFT_CRC32;
	return 0;
}

/* The life of an op */

/* Begin an op in another context, at its time. */
static void soft_engine_queue(struct soft_op *so)
{
	if (so->timed)
		hrtimer_start(&so->timer, so->when, HRTIMER_MODE_ABS);
	else
		queue_work(so->se->wq, &so->work);
}

static void soft_engine_report(struct soft_engine *se, u32 cookie,
			       const struct sluice_result *result)
{
	sluice_engine_done(se->engine, cookie, result);
	if (soft_knobs_take(&se->knobs->twice_next))
		sluice_engine_done(se->engine, cookie, result);
}

/*
 * Called with the lock held.  So soft_engine_abort() finds each op either in this list, or already
 * reported.
 */
static void soft_engine_report_held(struct soft_engine *se)
{
	struct soft_op *so, *next;

	lockdep_assert_held(&se->lock);
	list_for_each_entry_safe(so, next, &se->held, link) {
		/* before the report, because the core may then use the entry for another op */
		list_del_init(&so->link);
		soft_engine_report(se, so->op.cookie, &so->result);
	}
}

static void soft_engine_end(struct soft_op *so, const struct sluice_result *result)
{
	struct soft_engine *se = so->se;
	struct soft_op *next;
	bool held;

	spin_lock_irq(&se->lock);
	list_del_init(&so->link);
	next = list_first_entry_or_null(&se->ops, struct soft_op, link);
	/* during an abort no op begins */
	if (se->ordered && next && !se->stopping)
		soft_engine_queue(next);
	held = soft_knobs_take(&se->knobs->reverse_next);
	if (held) {
		so->result = *result;
		list_add(&so->link, &se->held);
	}
	if (!atomic_read(&se->knobs->reverse_next))
		soft_engine_report_held(se);
	spin_unlock_irq(&se->lock);
	if (!held)
		soft_engine_report(se, so->op.cookie, result);
}

static void soft_engine_run(struct soft_op *so)
{
	struct soft_engine *se = so->se;
	struct sluice_result result = {};

	if (soft_knobs_take(&se->knobs->hang_next))
		return;
	if (soft_knobs_take(&se->knobs->fail_next))
		result.status = -EIO;
	else if (so->op.kind == SLUICE_OP_CAPTURE && soft_source_is_lost(se->source))
		result.status = -ENOLINK;
	else if (so->op.kind == SLUICE_OP_CAPTURE)
		soft_frames_capture(&se->frames, &so->op, so->frame, &so->stop, &result);
	else if (so->op.kind == SLUICE_OP_PLAYBACK)
		soft_frames_play(&se->frames, &so->op, so->frame, &so->stop, &result);
	else if (so->op.kind == SLUICE_OP_PRIVATE)
		soft_engine_checksum(so, &result);
	else
		result.bytes = soft_engine_copy(so);
	/* an op that was stopped has not ended, and must not be reported */
	if (!READ_ONCE(so->stop))
		soft_engine_end(so, &result);
}

static void soft_engine_work(struct work_struct *work)
{
	soft_engine_run(container_of(work, struct soft_op, work));
}

static enum hrtimer_restart soft_engine_timer(struct hrtimer *timer)
{
	struct soft_op *so = container_of(timer, struct soft_op, timer);

	queue_work(so->se->wq, &so->work);
	return HRTIMER_NORESTART;
}

/*
 * Set the time at which an op begins.  A capture or playback begins when a frame begins.  Each op
 * has another frame.
 */
static void soft_engine_set_time(struct soft_op *so)
{
	struct soft_engine *se = so->se;
	bool framed = so->op.kind == SLUICE_OP_CAPTURE || so->op.kind == SLUICE_OP_PLAYBACK;
	u32 delay_us = READ_ONCE(se->knobs->delay_us);
	u64 frame;

	so->timed = framed || delay_us;
	if (!so->timed)
		return;
	so->when = ktime_get();
	if (framed) {
		frame = soft_source_frame_at(se->source, so->when) + 1;
		so->frame = se->depth > 1 ? max(frame, se->next_frame) : frame;
		se->next_frame = so->frame + 1;
		so->when = soft_source_frame_time(se->source, so->frame);
	}
	so->when = ktime_add_us(so->when, delay_us);
}

/* For tests: if a knob asks for it, report ends of ops that are not in flight. */
static void soft_engine_misreport(struct soft_engine *se, u32 cookie)
{
	const struct sluice_result result = {};

	if (se->late)
		sluice_engine_done(se->engine, se->late, &result);
	se->late = 0;
	if (!soft_knobs_take(&se->knobs->stray_next))
		return;
	sluice_engine_done(se->engine, 0, &result);
	sluice_engine_done(se->engine, U32_MAX, &result);
	/* this cookie selects the entry of the op, but it is the cookie of another op */
	sluice_engine_done(se->engine, cookie ^ (1U << 31), &result);
}

/**
 * soft_engine_start - begin an op; for ->start()
 * @se: the engine
 * @engine: the engine for the core
 * @op: the op.  If it is short and need not wait, it is executed before this function returns
 *
 * Context: as ->start().
 * Return: 0.
 */
int soft_engine_start(struct soft_engine *se, struct sluice_engine *engine,
		      const struct sluice_op_desc *op)
{
	struct soft_op *so = &se->slots[op->cookie & (SLUICE_MAX_ENGINE_DEPTH - 1)];
	u64 bytes = op->kind == SLUICE_OP_PRIVATE ? op->payload.src_length : op->length;
	bool first;

	se->engine = engine;
	soft_engine_misreport(se, op->cookie);
	so->op = *op;
	so->stop = false;
	soft_engine_set_time(so);
	spin_lock_irq(&se->lock);
	first = !se->ordered || list_empty(&se->ops);
	list_add_tail(&so->link, &se->ops);
	spin_unlock_irq(&se->lock);
	if (!first)
		return 0;
	if (so->timed || bytes > SOFT_AT_ONCE)
		soft_engine_queue(so);
	else
		soft_engine_run(so);
	return 0;
}

static void soft_engine_stop(struct soft_op *so)
{
	WRITE_ONCE(so->stop, true);
	hrtimer_cancel(&so->timer);
	cancel_work_sync(&so->work);
	/* remove it from engine->ops or engine->held, if it has not ended */
	spin_lock_irq(&so->se->lock);
	list_del_init(&so->link);
	spin_unlock_irq(&so->se->lock);
}

/**
 * soft_engine_abort - stop one op, or all; for ->abort()
 * @se: the engine
 * @cookie: cookie of an op, or SLUICE_ALL_OPS
 *
 * In an ordered engine all ops are stopped together.
 *
 * Context: as ->abort().  May sleep.
 * Return: SLUICE_ABORTED_ALL or SLUICE_ABORTED_ONE.
 */
enum sluice_aborted soft_engine_abort(struct soft_engine *se, u32 cookie)
{
	bool all = cookie == SLUICE_ALL_OPS || se->ordered;
	u32 abort_us = READ_ONCE(se->knobs->abort_us);
	unsigned int i;

	if (abort_us)
		fsleep(abort_us);
	spin_lock_irq(&se->lock);
	se->stopping = true;
	spin_unlock_irq(&se->lock);
	for (i = 0; i < se->depth; i++)
		if (all || se->slots[i].op.cookie == cookie)
			soft_engine_stop(&se->slots[i]);
	spin_lock_irq(&se->lock);
	se->stopping = false;
	spin_unlock_irq(&se->lock);
	if (all)
		se->next_frame = 0;
	if (cookie != SLUICE_ALL_OPS && soft_knobs_take(&se->knobs->late_next))
		se->late = cookie;
	return all ? SLUICE_ABORTED_ALL : SLUICE_ABORTED_ONE;
}

/**
 * soft_engine_init - prepare an engine
 * @se: the engine; zeroed memory, except @se->depth and @se->ordered
 * @source: the source of the camera, with the clock of the frames
 * @knobs: the knobs of the device
 * @wq: runs the ops
 *
 * Context: the probe function.
 * Return: 0 or -ENOMEM.
 */
int soft_engine_init(struct soft_engine *se, struct soft_source *source, struct soft_knobs *knobs,
		     struct workqueue_struct *wq)
{
	unsigned int i;

	se->source = source;
	se->knobs = knobs;
	se->wq = wq;
	soft_frames_init(&se->frames, source, knobs);
	spin_lock_init(&se->lock);
	INIT_LIST_HEAD(&se->ops);
	INIT_LIST_HEAD(&se->held);
	se->slots = kcalloc(se->depth, sizeof(*se->slots), GFP_KERNEL);
	if (!se->slots)
		return -ENOMEM;
	for (i = 0; i < se->depth; i++) {
		struct soft_op *so = &se->slots[i];

		so->se = se;
		INIT_LIST_HEAD(&so->link);
		hrtimer_setup(&so->timer, soft_engine_timer, CLOCK_MONOTONIC, HRTIMER_MODE_ABS);
		INIT_WORK(&so->work, soft_engine_work);
	}
	return 0;
}

/**
 * soft_engine_fini - release an engine
 * @se: the engine, which has no ops; also if soft_engine_init() has failed or was not called
 *
 * Context: the probe or the remove function.
 */
void soft_engine_fini(struct soft_engine *se)
{
	kfree(se->slots);
}
