/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Watches: a fence that jobs of an engine wait for, with one callback for all of them.
 *
 * engine->lock guards watches.
 */
#ifndef _SLUICE_WATCH_H
#define _SLUICE_WATCH_H

#include <linux/types.h>

struct sluice_dep;
struct sluice_engine;
struct sluice_job;

int sluice_watch_create(struct sluice_dep *dep);
void sluice_watch_join(struct sluice_engine *engine, struct sluice_dep *dep);
struct sluice_dep *sluice_watch_next(struct sluice_engine *engine);
void sluice_watch_leave(struct sluice_dep *dep);
void sluice_job_drop_deps(struct sluice_job *job);
int sluice_job_in_fence_error(const struct sluice_job *job);

#endif /* _SLUICE_WATCH_H */
