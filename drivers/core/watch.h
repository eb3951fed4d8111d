/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Watches: the foreign fences that jobs of an engine wait for.
 *
 * A job has one struct sluice_dep for each of its in-fences.  An engine has one struct sluice_watch
 * for each fence that its jobs wait for.  The watch has one callback on the fence, for all of these
 * jobs.
 *
 * Lock: engine->lock guards watches, and @link of a dep.
 *
 * deps.c creates the deps of a job, and job.c frees them.  In between, dispatch.c calls this file.
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
 * @watch: the watch that this dep has joined, or NULL
 * @spare: memory for a watch, in case that the engine has none for @fence; else NULL
 * @link: in watch->deps until the job has been told that the fence has signalled
 * @pending: the fence had not signalled when SUBMIT examined it, so this dep must join a watch
 * @explicit: an explicit in-fence: it came as an fd or as a point, so an error of the fence cancels
 *	the job
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
