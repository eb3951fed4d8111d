// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cache maintenance of a part of a mapped table.
 *
 * It uses only the bus addresses of the segments, because an importer must not look at the pages
 * of a table.  It is not for a device behind an IOMMU that translates.  One segment may be
 * scattered memory there, of which the DMA API would find only the start.
 *
 * This file takes no lock.  slot.c and export.c call it, and keep the table mapped meanwhile.
 */
#include <linux/dma-mapping.h>

#include "core.h"

/**
 * sluice_sync_range - pass a part of a table between the CPU and a device
 * @dev: the device that the table is mapped for
 * @sgt: the table, which stays mapped during the call
 * @dir: direction of the mapping
 * @offset: bytes from the start of the table to the part
 * @length: bytes of the part, which is inside the table
 * @for_cpu: true before the CPU uses the range, false before the device does
 *
 * Context: any.
 */
void sluice_sync_range(struct device *dev, struct sg_table *sgt, enum dma_data_direction dir,
		       u64 offset, u64 length, bool for_cpu)
{
	struct scatterlist *sg;
	int i;

	for_each_sgtable_dma_sg(sgt, sg, i) {
		u64 segment = sg_dma_len(sg), part;

		if (offset >= segment) {
			offset -= segment;
			continue;
		}
		part = min(length, segment - offset);
		if (for_cpu)
			dma_sync_single_for_cpu(dev, sg_dma_address(sg) + offset, part, dir);
		else
			dma_sync_single_for_device(dev, sg_dma_address(sg) + offset, part, dir);
		length -= part;
		offset = 0;
		if (!length)
			break;
	}
}
