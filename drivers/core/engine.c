// SPDX-License-Identifier: GPL-2.0-only
/*
 * Engines.  Their lists say what an engine must do next.  See engine.h.
 *
 * A context that adds to a list, or finds that a job is late, queues the work item of the engine.
 * It need not queue the work item while engine->dispatching is set: then another context
 * dispatches.  This context checks the lists again before it clears the flag.
 */
#include <linux/wait.h>

#include "compat/timer.h"
#include "device.h"
#include "engine.h"
#include "slot.h"

/**
 * sluice_engine_kick - queue the work item
 * @engine: the engine.  Its device has a job or is registered, so the workqueue exists
 *
 * Context: any.
 */
void sluice_engine_kick(struct sluice_engine *engine)
{
	queue_work(engine->sdev->wq, &engine->work);
}

/**
 * sluice_engine_kick_unless_dispatching - queue the work item, unless a context is dispatching
 * @engine: the engine
 *
 * A dispatching context finds the new work by itself.
 *
 * Context: engine->lock held.
 */
void sluice_engine_kick_unless_dispatching(struct sluice_engine *engine)
{
	lockdep_assert_held(&engine->lock);
	if (!engine->dispatching)
		sluice_engine_kick(engine);
}

/**
 * sluice_engine_wake_resters - wake tasks that wait until sluice_engine_rests() is true
 * @engine: an engine whose driver has just ended an op, or whose dispatching has just ended
 *
 * Context: engine->lock held.
 */
void sluice_engine_wake_resters(struct sluice_engine *engine)
{
	lockdep_assert_held(&engine->lock);
	if (engine->stopped)
		wake_up_all(&engine->sdev->users_wait);
}

/**
 * sluice_engine_has_work - has the work item something to do?
 * @engine: the engine
 *
 * Context: engine->lock held.
 * Return: true if the work item would find something to do.
 */
bool sluice_engine_has_work(const struct sluice_engine *engine)
{
	lockdep_assert_held(&engine->lock);
	return !list_empty(&engine->look) || !list_empty(&engine->signalled) ||
	       !list_empty(&engine->revoked) || !list_empty(&engine->over) ||
	       (engine->check && (engine->offered || !list_empty(&engine->in_flight))) ||
	       (engine->pushed && sluice_engine_has_room(engine) && sluice_engine_has_ops(engine));
}

static void sluice_engine_timer(struct timer_list *timer)
{
	struct sluice_engine *engine = timer_container_of(engine, timer, timer);
	unsigned long flags;

	spin_lock_irqsave(&engine->lock, flags);
	/* a job keeps the device and its workqueue alive; without a job, both may be freed */
	if (!list_empty(&engine->in_flight) || sluice_engine_has_ops(engine)) {
		engine->check = true;
		sluice_engine_kick_unless_dispatching(engine);
	}
	spin_unlock_irqrestore(&engine->lock, flags);
}

/**
 * sluice_engine_revoke - stop the ops that use a slot
 * @engine: the engine of the slot's queue
 * @slot: a slot that is marked as revoked.  The engine takes over two references that the caller
 *	has taken: one on the slot, and one on its queue
 *
 * The work item aborts the ops in flight that use the slot.  When none is left, the work item calls
 * sluice_slot_settle().
 *
 * Context: any, also with a dma_resv held.
 */
void sluice_engine_revoke(struct sluice_engine *engine, struct sluice_slot *slot)
{
	unsigned long flags;

	spin_lock_irqsave(&engine->lock, flags);
	list_add_tail(&slot->revoke, &engine->revoked);
	engine->check = true;
	sluice_engine_kick_unless_dispatching(engine);
	spin_unlock_irqrestore(&engine->lock, flags);
}

/**
 * sluice_engine_stop - stop handing out ops
 * @engine: the engine
 * @withdraw: true to abort the ops in flight, which are handed out again later; false to let them
 *	end
 *
 * Everything else goes on: jobs are submitted and wait, reach their time limits, are cancelled,
 * and end if they need not run.  Does not wait for ops in flight: see sluice_engine_rests().
 *
 * Context: any.
 */
void sluice_engine_stop(struct sluice_engine *engine, bool withdraw)
{
	unsigned long flags;

	spin_lock_irqsave(&engine->lock, flags);
	engine->stopped = true;
	engine->withdraw = withdraw;
	engine->offered = false;
	if (withdraw) {
		engine->check = true;
		sluice_engine_kick_unless_dispatching(engine);
	}
	spin_unlock_irqrestore(&engine->lock, flags);
}

/**
 * sluice_engine_rests - does the driver have no op, and does no callback of it run?
 * @engine: the engine
 *
 * When this is true for a stopped engine, the engine does not call ->start(), ->kick() or ->abort()
 * until sluice_dispatch_resume().  sdev->users_wait is woken when the answer may have become true.
 *
 * Context: any.
 * Return: true if the driver has no op and no context is dispatching.
 */
bool sluice_engine_rests(struct sluice_engine *engine)
{
	unsigned long flags;
	bool rests;

	spin_lock_irqsave(&engine->lock, flags);
	rests = !engine->dispatching && list_empty(&engine->in_flight);
	spin_unlock_irqrestore(&engine->lock, flags);
	return rests;
}

/**
 * sluice_engine_init - initialise an engine
 * @engine: one of the device's engines, zeroed
 * @sdev: the device
 * @index: number of the engine
 * @caps: the driver's description; its arrays are not copied
 * @work: function of the work item
 *
 * Context: any.
 */
void sluice_engine_init(struct sluice_engine *engine, struct sluice_device *sdev,
			unsigned int index, const struct sluice_engine_caps *caps,
			work_func_t work)
{
	unsigned int i;

	engine->sdev = sdev;
	engine->index = index;
	engine->caps = *caps;
	engine->caps.depth = caps->depth ?: 1;
	spin_lock_init(&engine->lock);
	INIT_LIST_HEAD(&engine->look);
	INIT_LIST_HEAD(&engine->begun);
	engine->watches = RB_ROOT;
	INIT_LIST_HEAD(&engine->signalled);
	INIT_LIST_HEAD(&engine->revoked);
	INIT_LIST_HEAD(&engine->over);
	for (i = 0; i < SLUICE_ENGINE_PRIORITIES; i++)
		INIT_LIST_HEAD(&engine->ready[i]);
	INIT_LIST_HEAD(&engine->in_flight);
	INIT_LIST_HEAD(&engine->idle);
	INIT_WORK(&engine->work, work);
	timer_setup(&engine->timer, sluice_engine_timer, 0);
}

/**
 * sluice_engine_priv - the driver's pointer
 * @engine: the engine
 *
 * Context: any.
 * Return: @priv of sluice_device_register().
 */
void *sluice_engine_priv(const struct sluice_engine *engine)
{
	return engine->sdev->priv;
}
EXPORT_SYMBOL_GPL(sluice_engine_priv);

/**
 * sluice_engine_index - number of an engine
 * @engine: the engine
 *
 * Context: any.
 * Return: 0 to @num_engines - 1.
 */
unsigned int sluice_engine_index(const struct sluice_engine *engine)
{
	return engine->index;
}
EXPORT_SYMBOL_GPL(sluice_engine_index);
