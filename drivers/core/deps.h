/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a job waits for: its in-fences, and the fences on the dma_resv of its buffers.
 */
#ifndef _SLUICE_DEPS_H
#define _SLUICE_DEPS_H

#include <linux/dma-resv.h>
#include <linux/list.h>
#include <linux/types.h>

struct dma_fence;
struct sluice_job;
struct sluice_watch;
struct ww_acquire_ctx;

#define SLUICE_IN_FENCE_TIMEOUT_MS	30000

/**
 * struct sluice_dep - an in-fence of a job
 * @job: the job
 * @fence: the fence; reference held
 * @watch: the watch that it has joined, or NULL: see watch.c
 * @spare: memory for a watch of its own, or NULL
 * @link: in the deps of @watch; under engine->lock
 * @pending: the fence had not signalled when SUBMIT examined it, so the engine must join a watch
 * @explicit: the caller passed it as an fd, so its error cancels the job
 */
struct sluice_dep {
	struct sluice_job *job;
	struct dma_fence *fence;
	struct sluice_watch *watch;
	struct sluice_watch *spare;
	struct list_head link;
	bool pending;
	bool explicit;
};

/**
 * struct sluice_claim - a dma_resv whose fences a job waits for, and to which it adds its own
 * @resv: dma_resv of one of the job's dma-bufs
 * @usage: WRITE or READ; BOOKKEEP if the slot is EXPLICIT
 */
struct sluice_claim {
	struct dma_resv *resv;
	enum dma_resv_usage usage;
};

int sluice_job_add_explicit(struct sluice_job *job, struct dma_fence *container);
void sluice_job_collect_claims(struct sluice_job *job);
int sluice_job_lock_one(const struct sluice_job *job, struct dma_resv *resv,
			struct ww_acquire_ctx *ctx);
int sluice_job_lock(struct sluice_job *job, struct ww_acquire_ctx *ctx);
void sluice_job_unlock(struct sluice_job *job, struct ww_acquire_ctx *ctx);
int sluice_job_collect_implicit(struct sluice_job *job);
int sluice_job_prepare_deps(struct sluice_job *job);

#endif /* _SLUICE_DEPS_H */
