/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Mappings of buffers in the memory of the system, for the devices of importers.
 *
 * A buffer is mapped once for each device and direction.  All importers of this device share the
 * mapping, which stays until the last of them detaches.  A later map call therefore costs little
 * more than a cache sync.
 *
 * Each map call returns a *view*, a table that no other importer has at the same time.  The first
 * importer of a mapping gets the table of the mapping itself, and the others get copies.  All of
 * them get copies on kernels whose dma-buf core changes the tables that it passes on, because the
 * DMA API needs the table of the mapping unchanged.  An attachment keeps its views for later map
 * calls.
 *
 * buffer->lock guards all lists.  It nests inside the dma_resv, which the dma-buf core of newer
 * kernels holds for map and unmap.  CPU access does not take it if no device needs cache
 * maintenance: sluice_mapping_use() says why this is safe.  export.c calls this file.
 */
#ifndef _SLUICE_MAPPING_H
#define _SLUICE_MAPPING_H

#include <linux/dma-direction.h>
#include <linux/types.h>
#include <asm/barrier.h>

#include "buffer.h"

struct dma_buf_attachment;
struct sg_table;

struct sg_table *sluice_mapping_get(struct sluice_buffer *buffer,
				    struct dma_buf_attachment *attach, enum dma_data_direction dir);
void sluice_mapping_put(struct dma_buf_attachment *attach, struct sg_table *sgt,
			enum dma_data_direction dir);
void sluice_mapping_detach(struct sluice_buffer *buffer, struct dma_buf_attachment *attach);
void sluice_mapping_sync_all(struct sluice_buffer *buffer, u64 offset, u64 length, bool for_cpu);

/**
 * sluice_mapping_synced - does a mapping in use need cache maintenance?
 * @buffer: the buffer
 * @for_cpu: true before the CPU uses the memory, false after it has used the memory
 *
 * This needs no lock: sluice_mapping_use() and sluice_mapping_leave() explain the order.
 *
 * Context: any.
 * Return: true if sluice_mapping_sync_all() must be called.
 */
static inline bool sluice_mapping_synced(const struct sluice_buffer *buffer, bool for_cpu)
{
	if (!for_cpu)
		smp_mb();	/* what the CPU has written, before the counter */
	/* acquire: the counter, before what the CPU reads next */
	return smp_load_acquire(&buffer->synced);
}

#endif /* _SLUICE_MAPPING_H */
