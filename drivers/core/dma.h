/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * DMA: which memory a device can address, how segments are cut, and cache maintenance of a range.
 *
 * This file owns the probe device, which lives as long as the module.  There is no lock: the
 * answers depend on the device alone, and a caller of sluice_dma_sync_range() keeps its table
 * mapped.  Any code of the core may call it.
 */
#ifndef _SLUICE_DMA_H
#define _SLUICE_DMA_H

#include <linux/dma-direction.h>
#include <linux/gfp.h>
#include <linux/minmax.h>
#include <linux/types.h>

struct device;
struct sg_table;
struct sluice_device;

int sluice_dma_init(void);
void sluice_dma_exit(void);
struct device *sluice_dma_probe_device(void);

bool sluice_dma_translated(struct device *dev);
bool sluice_dma_bounced(struct device *dev);
bool sluice_dma_within(struct device *dev, dma_addr_t end);
bool sluice_dma_reaches(struct device *dev, phys_addr_t end);
gfp_t sluice_dma_zone(const struct sluice_device *sdev);
int sluice_dma_node(const struct sluice_device *sdev);

size_t sluice_dma_segment_limit(size_t max);

/* Length of the next segment, which neither exceeds the limit nor crosses a boundary. */
static inline size_t sluice_dma_segment_length(phys_addr_t phys, size_t left, size_t max,
					       u64 boundary)
{
	left = min(left, max);
	if (boundary)
		left = min_t(u64, left, boundary - (phys & (boundary - 1)));
	return left;
}

void sluice_dma_sync_range(struct device *dev, struct sg_table *sgt, enum dma_data_direction dir,
			   u64 offset, u64 length, bool for_cpu);

#endif /* _SLUICE_DMA_H */
