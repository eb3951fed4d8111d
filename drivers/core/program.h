/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * PROGRAM: ops that are lists of register accesses.
 *
 * The list is copied and checked at SUBMIT, so an engine gets no malformed command.  The device
 * driver knows which registers exist, and which userspace may use.  It is asked at SUBMIT
 * (ops->check_command), and checks again when the op runs.  Positions in slots are replaced by bus
 * addresses at SUBMIT too: the memory of a slot does not move, and the search for a position in
 * many segments takes time.
 *
 * An op belongs to the SUBMIT of its job, so there is no lock.  op.c and job.c call this file.
 */
#ifndef _SLUICE_PROGRAM_H
#define _SLUICE_PROGRAM_H

#include <linux/types.h>

struct sluice_device;
struct sluice_op;
struct sluice_op_desc;
struct sluice_resv_set;

int sluice_program_copy(struct sluice_op_desc *desc, const struct sluice_op *op,
			u32 *num_commands);
int sluice_program_check(const struct sluice_device *sdev, const struct sluice_resv_set *set,
			 struct sluice_op_desc *desc);
void sluice_program_free(struct sluice_op_desc *desc);

#endif /* _SLUICE_PROGRAM_H */
