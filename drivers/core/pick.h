/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The choice of the queue whose op an engine hands out next: by priority, by the deadlines of
 * fences, and by age.
 *
 * Lock: engine->lock.  offer.c, flight.c and dispatch.c call this file.
 */
#ifndef _SLUICE_PICK_H
#define _SLUICE_PICK_H

struct sluice_engine;
struct sluice_entity;

struct sluice_entity *sluice_pick_next(struct sluice_engine *engine);

#endif /* _SLUICE_PICK_H */
