/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Watches: the foreign fences that jobs of an engine wait for.
 *
 * A job has one struct sluice_dep for each of its in-fences.  A struct sluice_watch is a fence with
 * one callback for all jobs of an engine that wait for it.
 *
 * Lock: engine->lock guards watches, and @link of a dep.  deps.c makes the deps of a job,
 * dispatch.c calls the functions for waiting jobs, and job.c lets a job leave its watches.
 */
#ifndef _SLUICE_WATCH_H
#define _SLUICE_WATCH_H

#include <linux/list.h>
#include <linux/types.h>

struct dma_fence;
struct sluice_engine;
struct sluice_sched_job;
struct sluice_watch;

/**
 * struct sluice_dep - an in-fence of a job
 * @job: the engine's part of the job
 * @fence: the fence; reference held
 * @watch: the watch that it has joined, or NULL
 * @spare: memory for a watch of its own, or NULL
 * @link: in the deps of @watch; under engine->lock
 * @pending: the fence had not signalled when SUBMIT examined it, so the engine must join a watch
 * @explicit: it is an explicit in-fence, which came as an fd, so its error cancels the job
 */
struct sluice_dep {
	struct sluice_sched_job *job;
	struct dma_fence *fence;
	struct sluice_watch *watch;
	struct sluice_watch *spare;
	struct list_head link;
	bool pending;
	bool explicit;
};

int sluice_watch_create(struct sluice_dep *dep);
void sluice_watch_arm(struct sluice_sched_job *job);
struct sluice_dep *sluice_watch_next(struct sluice_engine *engine);
int sluice_dep_error(const struct sluice_sched_job *job);
void sluice_watch_leave(struct sluice_dep *dep);

#endif /* _SLUICE_WATCH_H */
