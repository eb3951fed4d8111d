/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * PRIVATE: ops that a driver defines.
 */
#ifndef _SLUICE_PRIVATE_H
#define _SLUICE_PRIVATE_H

struct sluice_job;
struct sluice_op;
struct sluice_op_desc;

int sluice_private_copy(struct sluice_job *job, struct sluice_op_desc *desc,
			const struct sluice_op *op);
int sluice_private_check(const struct sluice_job *job, struct sluice_op_desc *desc);
void sluice_private_free(struct sluice_op_desc *desc);

#endif /* _SLUICE_PRIVATE_H */
