/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Engines: the lists that say what an engine must do next, and when it must look at them.
 *
 * Each engine belongs to a device, and runs the jobs of many queues.  The files below do not use
 * struct sluice_queue and struct sluice_job.  Instead they use the engine's part of a queue (struct
 * sluice_entity) and the engine's part of a job (struct sluice_sched_job).  From the lowest layer
 * to the highest:
 *
 *	engine		the struct and its lists; queues the work item
 *	entity		entities and jobs: which job is next, how jobs end
 *	watch		foreign fences that jobs wait for
 *	pick, offer	which queue is next, and the time limit for a driver to take its op
 *	flight		ops that the driver has
 *	dispatch	the decisions: the work item, and SUBMIT's short cut
 *
 * Lock: engine->lock (spinlock, irq) guards all structs of these files, except where a field says
 * otherwise.  Callbacks of foreign fences and interrupt handlers take engine->lock.  Therefore it
 * is the innermost lock: inside it, only the locks of a workqueue, a timer and a wait queue are
 * taken.
 *
 * The files of the higher layers, entity to dispatch, call this file.  Apart from them, queue.c
 * calls it to revoke a slot, and register.c to stop an engine.
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
 * @sdev: the engine's device
 * @index: 0 to num_engines - 1
 * @caps: copy of the driver's description
 * @lock: guards the fields below, and the entities of the engine's queues; the innermost lock
 * @look: entities whose next job (entity->next) the work item must examine: to watch its in-fences,
 *	or to end it without running
 * @begun: entities whose next job has begun, or was stopped too often, and has an op that can be
 *	handed out now
 * @ready: for each priority, entities whose next job may begin, in the order in which they became
 *	ready.  An entity whose next job waits for a fence, an op or an ACK is in none of the lists
 * @watches: tree of the fences that jobs wait for, by the address of the fence: see watch.c
 * @signalled: watches whose fence has signalled, but not all their jobs have been told yet
 * @looks: decisions about @look and @signalled since the last attempt to hand out an op.  Their
 *	number is limited, so that ops do not wait for long
 * @revoked: slots whose memory is being taken back.  For each, the engine holds a reference on the
 *	slot and one on its queue
 * @over: entities with jobs that are over, which the work item must end
 * @num_queues: queues of the engine; under sdev->lock
 * @exclusive: the engine's only queue is SLUICE_QUEUE_EXCLUSIVE; under sdev->lock
 * @flights: array of caps.depth entries, one for each op that the driver may have: see flight.h
 * @in_flight: ops that the driver has, in the order in which they were handed out
 * @idle: unused entries of @flights
 * @issued: number of ops that were ever handed out
 * @num_kept: number of ops in flight that have @kept of struct sluice_flight set
 * @held_up: an op must be stopped, but its abort waits until the kept op has ended.  No op is
 *	handed out meanwhile: see sluice_dispatch_must_wait()
 * @check: the work item must check whether an op in flight must be stopped, or whether the driver
 *	has not taken an op that was offered
 * @pushed: there may be ops that a driver with ->start() was not given yet, or about which a driver
 *	with ->kick() was not told yet
 * @offered: the driver had no op when it was kicked, or after its last op had ended, and has taken
 *	none since
 * @offered_at: when @offered was set, in jiffies
 * @aborting: a call of ->abort() is running or about to run: no op is handed out
 * @starts: number of sluice_dispatch_resume() calls: a deadline with a lower number is from before
 *	a sleep
 * @aborts: number of ->abort() calls for ops in flight; also tells one abort from another
 * @timeouts: number of jobs that ran into their timeout, or whose op the driver did not take
 * @stale: how often the driver reported the end of an op that was not in flight
 * @dispatching: a context takes decisions and calls the driver: @work, or a SUBMIT with preemption
 *	off
 * @stopped: no op is handed out, because the device sleeps, will sleep soon, or is being removed
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

/**
 * sluice_engine_has_ops - is there an op that could be handed out?
 * @engine: the engine
 *
 * Context: engine->lock held.
 * Return: true if there is one, whether the driver has room for it or not.
 */
static inline bool sluice_engine_has_ops(const struct sluice_engine *engine)
{
	unsigned int i;

	lockdep_assert_held(&engine->lock);
	for (i = 0; i < SLUICE_ENGINE_PRIORITIES; i++)
		if (!list_empty(&engine->ready[i]))
			return true;
	return !list_empty(&engine->begun);
}

/**
 * sluice_engine_has_room - may the driver have one more op?
 * @engine: the engine
 *
 * Context: engine->lock held.
 * Return: true if an entry is unused, the device is awake, and no op waits to be stopped.
 */
static inline bool sluice_engine_has_room(const struct sluice_engine *engine)
{
	lockdep_assert_held(&engine->lock);
	return !engine->stopped && !engine->aborting && !engine->held_up &&
	       !list_empty(&engine->idle);
}

void sluice_engine_init(struct sluice_engine *engine, struct sluice_device *sdev,
			unsigned int index, const struct sluice_engine_caps *caps,
			work_func_t work);
void sluice_engine_kick(struct sluice_engine *engine);
void sluice_engine_kick_unless_dispatching(struct sluice_engine *engine);
void sluice_engine_wake_resters(struct sluice_engine *engine);
bool sluice_engine_has_work(const struct sluice_engine *engine);
void sluice_engine_revoke(struct sluice_engine *engine, struct sluice_slot *slot);
void sluice_engine_stop(struct sluice_engine *engine, bool withdraw);
bool sluice_engine_rests(struct sluice_engine *engine);

#endif /* _SLUICE_ENGINE_H */
