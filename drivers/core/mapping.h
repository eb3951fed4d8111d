/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Mappings of buffers in the memory of the system, for the devices of importers.
 *
 * A buffer is mapped once for each device and direction.  All importers of this device share the
 * mapping, which stays until the last of them detaches.  A later map call therefore costs little
 * more than a cache sync.  Each map call returns a copy of the mapping's table, a *view*, because
 * the dma-buf core of some kernels changes the tables that it passes on.  An attachment keeps its
 * views for later map calls.
 *
 * buffer->lock guards all lists.  It nests inside the dma_resv, which the dma-buf core of newer
 * kernels holds for map and unmap.  export.c calls this file.
 */
#ifndef _SLUICE_MAPPING_H
#define _SLUICE_MAPPING_H

#include <linux/dma-direction.h>
#include <linux/types.h>

struct dma_buf_attachment;
struct sg_table;
struct sluice_buffer;

struct sg_table *sluice_mapping_get(struct sluice_buffer *buffer,
				    struct dma_buf_attachment *attach, enum dma_data_direction dir);
void sluice_mapping_put(struct dma_buf_attachment *attach, struct sg_table *sgt,
			enum dma_data_direction dir);
void sluice_mapping_detach(struct sluice_buffer *buffer, struct dma_buf_attachment *attach);
void sluice_mapping_sync_all(struct sluice_buffer *buffer, u64 offset, u64 length, bool for_cpu);

#endif /* _SLUICE_MAPPING_H */
