/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Cache maintenance of a part of a mapped table.  No lock: the caller keeps the table mapped.
 */
#ifndef _SLUICE_SYNC_H
#define _SLUICE_SYNC_H

#include <linux/dma-direction.h>
#include <linux/types.h>

struct device;
struct sg_table;

void sluice_sync_range(struct device *dev, struct sg_table *sgt, enum dma_data_direction dir,
		       u64 offset, u64 length, bool for_cpu);

#endif /* _SLUICE_SYNC_H */
