/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Offers: the time limit for a driver with ->kick() to take an op.
 *
 * Such a driver takes ops by itself.  While it has no op but could take one, there is an offer: it
 * must take the next op within the timeout of the op's queue.  If it does not, the core ends the
 * job with -ETIME, so that no fence waits for ever.
 *
 * Lock: engine->lock.  flight.c and dispatch.c call this file.
 */
#ifndef _SLUICE_OFFER_H
#define _SLUICE_OFFER_H

#include <linux/types.h>

struct sluice_engine;
struct sluice_entity;

void sluice_offer_begin(struct sluice_engine *engine);
void sluice_offer_watch(struct sluice_engine *engine);
bool sluice_offer_is_late(const struct sluice_engine *engine, const struct sluice_entity *entity);

#endif /* _SLUICE_OFFER_H */
