/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * In-fences of a job: explicit ones came as fds, and implicit ones are on the dma_resv of its
 * buffers.
 *
 * A job belongs to its SUBMIT while this file works on it, so there is no lock.  submit.c calls
 * this file.
 */
#ifndef _SLUICE_DEPS_H
#define _SLUICE_DEPS_H

#include <linux/types.h>

struct dma_fence;
struct sluice_job;

int sluice_deps_add_explicit(struct sluice_job *job, struct dma_fence *container);
int sluice_deps_collect_implicit(struct sluice_job *job);
int sluice_deps_prepare(struct sluice_job *job);
void sluice_deps_examine(struct sluice_job *job);

#endif /* _SLUICE_DEPS_H */
