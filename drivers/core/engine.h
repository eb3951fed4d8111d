/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Engines: the lists that say what an engine must do next, and when it must look at them.
 *
 * Each engine belongs to a device, and takes the jobs of many queues.  The files of an engine know
 * no queue and no job.  They know a struct sluice_entity, which is the engine's part of a queue,
 * and a struct sluice_sched_job, which is its part of a job.  From the bottom:
 *
 *	engine		the struct, its lists, and the call of the work item
 *	entity		entities and jobs: which job is next, how jobs end
 *	watch		foreign fences that jobs wait for
 *	flight		ops that the driver has
 *	dispatch	the decisions: the work item, and SUBMIT's short cut
 *
 * Lock: engine->lock (spinlock, irq) guards all structs of these files, except where a field says
 * otherwise.  Callbacks of foreign fences and interrupt handlers take it.  A context that holds it
 * may therefore take no other lock, except the locks inside a workqueue, a timer and a wait queue.
 *
 * Only the files above it call this file, and queue.c for the number of queues.
 */
#ifndef _SLUICE_ENGINE_H
#define _SLUICE_ENGINE_H

#include <linux/list.h>
#include <linux/rbtree.h>
#include <linux/spinlock.h>
#include <linux/timer.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include "sluice.h"

struct sluice_device;
struct sluice_flight;
struct sluice_slot;

#define SLUICE_ENGINE_PRIORITIES		3

/**
 * struct sluice_engine - takes jobs of queues, and hands out their ops to the driver
 * @sdev: the device that it is part of
 * @index: 0 to num_engines - 1
 * @caps: copy of the driver's description
 * @lock: guards the fields below, and the entities of the engine's queues; the innermost lock
 * @look: entities whose @next the work item must examine, to watch its in-fences or to end it
 *	without running
 * @begun: entities whose @next has begun, and can go on
 * @ready: for each priority, entities whose @next may begin, in the order in which they became
 *	ready.  An entity whose @next waits for a fence, or for an op of the queue, is in no list
 * @watches: fences that jobs wait for, by address: see watch.c
 * @signalled: watches whose fence has signalled, while they have jobs that have not been told
 * @looks: decisions about @look and @signalled since the last attempt to hand out an op
 * @revoked: slots whose memory is being taken back; each holds a reference on itself and its queue
 * @over: entities whose first job is over, for the work item to end
 * @num_queues: queues of the engine; under sdev->lock
 * @exclusive: its only queue is SLUICE_QUEUE_EXCLUSIVE; under sdev->lock
 * @flights: array of caps.depth entries: see flight.c
 * @in_flight: ops that the driver has, in the order in which they were handed out
 * @idle: unused entries of @flights
 * @issued: number of ops that were ever handed out
 * @num_kept: ops in flight that are @kept
 * @held_up: an op must be stopped, and waits for the kept ops.  No op is handed out meanwhile
 * @check: the work item must check whether an op in flight must be stopped, or whether the driver
 *	has not taken an op that was offered
 * @pushed: since the driver was last kicked, more ops may have become ready to be handed out
 * @offered: the driver was kicked when it had no op, at @offered_at, and has taken none since
 * @offered_at: in jiffies
 * @aborting: ->abort() is being called: no op is handed out
 * @starts: number of sluice_device_resume() calls; tells whether a deadline is from before a sleep
 * @aborts: number of ->abort() calls for this engine's ops; also identifies each of them
 * @timeouts: number of jobs that took too long
 * @stale: how often the driver reported the end of an op that was not in flight
 * @dispatching: a context takes decisions and calls the driver: @work, or a SUBMIT that cannot be
 *	preempted
 * @stopped: the device sleeps or will sleep soon: no op is handed out
 * @withdraw: with @stopped: ops in flight must also be aborted, and are handed out again later
 * @work: takes decisions: starts and aborts ops, and ends jobs that do not run
 * @timer: queues @work when the first job in flight, or an offered op, is late
 */
struct sluice_engine {
	struct sluice_device *sdev;
	unsigned int index;
	struct sluice_engine_caps caps;
	spinlock_t lock;
	struct list_head look;
	struct list_head begun;
	struct list_head ready[SLUICE_ENGINE_PRIORITIES];
	struct rb_root watches;
	struct list_head signalled;
	unsigned int looks;
	struct list_head revoked;
	struct list_head over;
	unsigned int num_queues;
	bool exclusive;
	struct sluice_flight *flights;
	struct list_head in_flight;
	struct list_head idle;
	u64 issued;
	unsigned int num_kept;
	bool held_up;
	bool check;
	bool pushed;
	bool offered;
	unsigned long offered_at;
	bool aborting;
	unsigned int starts;
	unsigned int aborts;
	unsigned int timeouts;
	unsigned int stale;
	bool dispatching;
	bool stopped;
	bool withdraw;
	struct work_struct work;
	struct timer_list timer;
};

void sluice_engine_init(struct sluice_engine *engine, struct sluice_device *sdev,
			unsigned int index, const struct sluice_engine_caps *caps,
			work_func_t work);
void sluice_engine_kick(struct sluice_engine *engine);
void sluice_engine_kick_unless_dispatching(struct sluice_engine *engine);
void sluice_engine_wake_resters(struct sluice_engine *engine);
bool sluice_engine_has_ops(const struct sluice_engine *engine);
bool sluice_engine_has_room(const struct sluice_engine *engine);
bool sluice_engine_has_work(const struct sluice_engine *engine);
void sluice_engine_revoke(struct sluice_engine *engine, struct sluice_slot *slot);
void sluice_engine_stop(struct sluice_engine *engine, bool withdraw);
bool sluice_engine_rests(struct sluice_engine *engine);

#endif /* _SLUICE_ENGINE_H */
