/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * In-fences: the fences for which a job waits.  An explicit in-fence came as an fd, or as a point
 * of a queue.  An implicit in-fence was found on the dma_resv of a buffer.
 *
 * Lock: none, because only SUBMIT uses a job while this file works on it.  submit.c calls this
 * file.
 */
#ifndef _SLUICE_DEPS_H
#define _SLUICE_DEPS_H

#include <linux/types.h>

struct dma_fence;
struct sluice_job;
struct sluice_queue;

int sluice_deps_add_explicit(struct sluice_job *job, struct dma_fence *container);
int sluice_deps_add_point(struct sluice_job *job, struct sluice_queue *queue, u64 point);
int sluice_deps_collect_implicit(struct sluice_job *job, unsigned int num_jobs);
int sluice_deps_prepare(struct sluice_job *job);
void sluice_deps_examine(struct sluice_job *job);

#endif /* _SLUICE_DEPS_H */
