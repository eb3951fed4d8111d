/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Ops: the copy of the caller's ops, and all checks of them.
 *
 *	fetch	copy the ops from the caller
 *	copy	check their form, and convert them; their slots are still numbers
 *	resolve	look up the slots, and check that each op is inside its slots and within the limits
 *		of the engine
 *	place	find the bus address of each range
 *
 * Lock: none, because only SUBMIT uses a job while this file works on it.  submit.c calls this
 * file.
 */
#ifndef _SLUICE_OP_H
#define _SLUICE_OP_H

#include <linux/types.h>

#include <uapi/linux/sluice.h>

struct sluice_job;

int sluice_op_fetch(const struct sluice_submit *args, struct sluice_op *ops);
unsigned int sluice_op_count_ranges(const struct sluice_op *ops, unsigned int num_ops);
int sluice_op_copy_all(struct sluice_job *job, const struct sluice_op *ops, unsigned int num_ops);
int sluice_op_resolve_all(struct sluice_job *job);
int sluice_op_place_all(struct sluice_job *job);

#endif /* _SLUICE_OP_H */
