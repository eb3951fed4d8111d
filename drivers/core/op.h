/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Ops: the copy of the caller's ops, and all checks of them.
 *
 * A job belongs to its SUBMIT while this file works on it, so there is no lock.  submit.c calls
 * this file.
 */
#ifndef _SLUICE_OP_H
#define _SLUICE_OP_H

#include <linux/types.h>

#include <uapi/linux/sluice.h>

struct sluice_job;

int sluice_op_copy_all(struct sluice_job *job, const struct sluice_submit *args,
		       u32 (*slots)[SLUICE_MAX_PLANES]);
int sluice_op_resolve_all(struct sluice_job *job, u32 (*slots)[SLUICE_MAX_PLANES]);
int sluice_op_place_all(struct sluice_job *job);

#endif /* _SLUICE_OP_H */
