/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Dispatch: the decisions of an engine: which op is handed out, which op is stopped, and which job
 * ends.
 *
 * One context at a time decides for an engine: the dispatching context.  It sets
 * engine->dispatching.  It takes one decision in each hold of engine->lock, and calls the driver
 * without this lock.
 *
 * register.c calls this file to prepare, resume and finish engines, and submit.c to run a job.
 */
#ifndef _SLUICE_DISPATCH_H
#define _SLUICE_DISPATCH_H

#include <linux/types.h>

struct sluice_device;
struct sluice_engine;
struct sluice_engine_caps;
struct sluice_sched_job;

#define SLUICE_DISPATCH_MAX_OPS	8	/* ops that SUBMIT may start itself */

int sluice_dispatch_init(struct sluice_engine *engine, struct sluice_device *sdev,
			 unsigned int index, const struct sluice_engine_caps *caps);
void sluice_dispatch_fini(struct sluice_engine *engine);
void sluice_dispatch_submit(struct sluice_sched_job *const *jobs, unsigned int count, bool now);
void sluice_dispatch_resume(struct sluice_engine *engine);

#endif /* _SLUICE_DISPATCH_H */
