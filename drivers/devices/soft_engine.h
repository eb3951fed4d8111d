/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An engine of the device soft, which executes ops with the CPU.
 *
 * soft_engine.c owns the ops in flight.  The spinlock se->lock guards the lists of ops: see struct
 * soft_engine.  It is a ring lock: sluice_engine_done() may be called with it held.
 *
 * soft.c calls these functions.  soft_engine.c calls soft_frames.c, soft_source.c and soft_knobs.c,
 * and nothing of soft.c.
 */
#ifndef _SLUICE_SOFT_ENGINE_H
#define _SLUICE_SOFT_ENGINE_H

#include <linux/hrtimer.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "sluice.h"
#include "soft_frames.h"

struct soft_engine;

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
 * @source: the source of the camera, with the clock of the frames
 * @knobs: the knobs of the device
 * @wq: runs the ops; in the signalling path of fences
 * @depth: length of @slots
 * @ordered: the ops wait for each other
 * @frames: the camera and the screen
 * @engine: the engine for the core, valid from the first op on
 * @next_frame: the earliest frame that the next op may get.  Used in soft_engine_start() and
 *	soft_engine_abort() only, and the core calls one of them at a time
 * @late: cookie of an aborted op whose end will be reported, or 0; used like @next_frame
 * @lock: spinlock, irq: guards the fields from here to @stopping
 * @ops: ops that run or wait, in the order in which the core has handed them out
 * @held: ops that have ended, but are not reported yet; the last of them first
 * @stopping: an abort is in progress, and no op may begin
 * @slots: all entries for ops; the index is the lower bits of the cookie
 */
struct soft_engine {
	struct soft_source *source;
	struct soft_knobs *knobs;
	struct workqueue_struct *wq;
	unsigned int depth;
	bool ordered;
	struct soft_frames frames;
	struct sluice_engine *engine;
	u64 next_frame;
	u32 late;
	spinlock_t lock;
	struct list_head ops;
	struct list_head held;
	bool stopping;
	struct soft_op *slots;
};

int soft_engine_init(struct soft_engine *se, struct soft_source *source, struct soft_knobs *knobs,
		     struct workqueue_struct *wq);
void soft_engine_fini(struct soft_engine *se);
int soft_engine_start(struct soft_engine *se, struct sluice_engine *engine,
		      const struct sluice_op_desc *op);
enum sluice_aborted soft_engine_abort(struct soft_engine *se, u32 cookie);
int soft_engine_check_private(struct sluice_engine *engine, struct sluice_op_desc *op);

#endif /* _SLUICE_SOFT_ENGINE_H */
