/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Ops in flight: the ops that the driver has.
 *
 * Lock: engine->lock guards all ops in flight.  In the states ENDING and WITHDRAWN, one context
 * owns the op and may use it without the lock.
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
 * @link: in engine->in_flight, engine->idle, or a list of ops that an abort has stopped
 * @state: decides which context may use the op
 * @cookie: cookie of the op.  The lower bits are the index in engine->flights, the upper bits a
 *	counter of the ops that used this entry
 * @number: the engine's ops are numbered from 1, in the order in which they were handed out
 * @kept: aborts of other ops usually wait until this op has ended, because its job was stopped too
 *	often, or because the op may not be repeated: see sluice_dispatch_must_wait()
 * @job: job of the op.  It is not over while the op is in flight, so it is not freed
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
