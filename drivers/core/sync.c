// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cache maintenance of a part of a mapped table.
 *
 * Through the segments' addresses alone: an importer may not look at the pages
 * of a table.  Not for a device behind an IOMMU that translates: one segment may
 * stand for scattered memory there, of which the DMA API would find the start.
 */
#include <linux/dma-mapping.h>

#include "core.h"

/**
 * sluice_sync_range - pass a part of a table between the CPU and a device
 * @dev: the device that it is mapped for
 * @sgt: mapped
 * @dir: in that direction
 * @offset: bytes from the start
 * @length: bytes, within the table
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
