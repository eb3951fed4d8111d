/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * CYCLIC jobs, which go round and round over their ops.
 */
#ifndef _SLUICE_CYCLIC_H
#define _SLUICE_CYCLIC_H

#include <linux/types.h>

struct sluice_call;
struct sluice_completion;
struct sluice_job;
struct sluice_queue;

bool sluice_job_is_cyclic(const struct sluice_job *job);
int sluice_cyclic_check(const struct sluice_job *job);
void sluice_cyclic_describe(const struct sluice_job *job, struct sluice_completion *record);
void sluice_cyclic_post(struct sluice_queue *queue, const struct sluice_completion *record);
bool sluice_cyclic_peek(struct sluice_queue *queue, struct sluice_completion *record);
void sluice_cyclic_skip(struct sluice_queue *queue, const struct sluice_completion *record);
int sluice_cyclic_ack(struct sluice_call *call);

#endif /* _SLUICE_CYCLIC_H */
