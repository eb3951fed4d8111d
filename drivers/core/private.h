/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * PRIVATE: ops that a driver defines.
 *
 * The core knows only the size of the payload.  It copies the payload once, so that userspace
 * cannot change it after the check, and asks the driver at SUBMIT (ops->check_private): an
 * engine gets no payload that its driver has not accepted.  The op uses memory as any op does,
 * in ranges of slots.  So explicit and implicit fences, revocation and unplug need no code in
 * the driver.
 *
 * An op belongs to the SUBMIT of its job, so there is no lock.  op.c and job.c call this file.
 */
#ifndef _SLUICE_PRIVATE_H
#define _SLUICE_PRIVATE_H

#include <linux/types.h>

struct sluice_engine;
struct sluice_engine_caps;
struct sluice_op;
struct sluice_op_desc;

int sluice_private_copy(struct sluice_op_desc *desc, const struct sluice_op *op,
			const struct sluice_engine_caps *caps, u32 *payload);
int sluice_private_check(struct sluice_engine *engine, struct sluice_op_desc *desc);
void sluice_private_free(struct sluice_op_desc *desc);

#endif /* _SLUICE_PRIVATE_H */
