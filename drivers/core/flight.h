/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Ops in flight: the ops that the driver has.
 *
 * Lock: engine->lock guards all of them, except an op that one context owns: see @state.
 *
 * dispatch.c calls this file.  Drivers call sluice_engine_next() and sluice_engine_done().
 */
#ifndef _SLUICE_FLIGHT_H
#define _SLUICE_FLIGHT_H

#include <linux/list.h>
#include <linux/types.h>

struct sluice_engine;
struct sluice_sched_job;

/**
 * struct sluice_flight - an op that the driver has, or an unused entry
 * @link: in engine->in_flight or engine->idle
 * @state: decides which context may use it
 * @cookie: cookie of the op: the index in engine->flights, and a counter that makes it different
 *	for each op
 * @number: the engine's ops are numbered from 1, in the order in which they were handed out
 * @kept: it is not stopped for the sake of other ops any more: its job was stopped too often, or
 *	the op may not be repeated
 * @job: its job, which stays in its queue, and so is not freed, while the op is in flight
 * @op: index of the op in the job
 * @pass: CYCLIC: pass of the job that the op belongs to
 */
struct sluice_flight {
	struct list_head link;
	enum sluice_flight_state {
		SLUICE_FLIGHT_IDLE,
		SLUICE_FLIGHT_ISSUED,	/* the driver has it */
		SLUICE_FLIGHT_ENDING,	/* owned by sluice_engine_done() */
		SLUICE_FLIGHT_WITHDRAWN, /* owned by the context that called ->abort() */
	} state;
	u32 cookie;
	u64 number;
	bool kept;
	struct sluice_sched_job *job;
	unsigned int op;
	u64 pass;
};

int sluice_flight_create(struct sluice_engine *engine);
void sluice_flight_free(struct sluice_engine *engine);
void sluice_flight_set_timer(struct sluice_engine *engine, unsigned long now);
void sluice_flight_restart_clocks(struct sluice_engine *engine);
struct sluice_flight *sluice_flight_begin(struct sluice_engine *engine);
void sluice_flight_start(struct sluice_engine *engine, struct sluice_flight *flight);
void sluice_flight_abort(struct sluice_engine *engine, u32 cookie, u64 number, int status);

#endif /* _SLUICE_FLIGHT_H */
