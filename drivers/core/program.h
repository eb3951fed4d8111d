/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * PROGRAM: ops that are lists of register accesses.
 */
#ifndef _SLUICE_PROGRAM_H
#define _SLUICE_PROGRAM_H

struct sluice_job;
struct sluice_op;
struct sluice_op_desc;

int sluice_program_copy(struct sluice_job *job, struct sluice_op_desc *desc,
			const struct sluice_op *op);
int sluice_program_check(const struct sluice_job *job, struct sluice_op_desc *desc);
void sluice_program_free(struct sluice_op_desc *desc);

#endif /* _SLUICE_PROGRAM_H */
