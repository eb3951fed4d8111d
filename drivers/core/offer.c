// SPDX-License-Identifier: GPL-2.0-only
/*
 * Offers.  A driver with ->kick() takes ops itself.  An offer is the time in which it must take
 * one.  See offer.h.
 */
#include <linux/jiffies.h>

#include "engine.h"
#include "entity.h"
#include "offer.h"
#include "pick.h"

/* Until when must a driver without an op take the next op of a queue?  In jiffies. */
static unsigned long sluice_offer_deadline(const struct sluice_engine *engine,
					   const struct sluice_entity *entity)
{
	unsigned long since = engine->offered_at;

	if (time_after(entity->ready_since, since))
		since = entity->ready_since;
	return since + entity->timeout;
}

/**
 * sluice_offer_is_late - has the time ended in which the driver must take an op?
 * @engine: an engine with an offer
 * @entity: the entity whose op is the next
 *
 * Context: engine->lock held.
 * Return: true if it is over.
 */
bool sluice_offer_is_late(const struct sluice_engine *engine, const struct sluice_entity *entity)
{
	return time_after_eq(jiffies, sluice_offer_deadline(engine, entity));
}

/**
 * sluice_offer_watch - set the timer to the end of an offer's time limit
 * @engine: the engine
 *
 * Without an offer, does nothing.  If no op is left that the driver could take, ends the offer.
 *
 * Context: engine->lock held.
 */
void sluice_offer_watch(struct sluice_engine *engine)
{
	struct sluice_entity *entity;

	lockdep_assert_held(&engine->lock);
	if (!engine->offered)
		return;
	entity = sluice_pick_next(engine);
	if (entity)
		mod_timer(&engine->timer, sluice_offer_deadline(engine, entity));
	else
		engine->offered = false;
}

/**
 * sluice_offer_begin - begin an offer, if there is an op and the driver has none
 * @engine: an engine whose driver will be kicked now, or must ask for ops by itself now
 *
 * Context: engine->lock held.
 */
void sluice_offer_begin(struct sluice_engine *engine)
{
	lockdep_assert_held(&engine->lock);
	if (engine->offered || !list_empty(&engine->in_flight) || engine->stopped ||
	    !sluice_engine_has_ops(engine))
		return;
	engine->offered = true;
	engine->offered_at = jiffies;
	/* a pending timer may stay: when it expires, the work item sets it to the right time */
	if (!timer_pending(&engine->timer))
		sluice_offer_watch(engine);
}
