/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Our dma-bufs: the dma_buf_ops of a buffer, called by the dma-buf core.  heap_bar.c has its own
 * ops for memory of a device, and shares the ops for CPU access, mmap and release with this file.
 *
 * The begin_cpu_access op waits for the fences of the buffer before it syncs the caches.  The
 * dma-buf core waits for them only after this op, when the sync has already been done.
 *
 * A dma-buf owns its buffer, so there is no lock here.  mapping.h says what guards the mappings.
 */
#ifndef _SLUICE_EXPORT_H
#define _SLUICE_EXPORT_H

#include <linux/dma-direction.h>
#include <linux/types.h>

struct dma_buf;
struct dma_buf_attachment;
struct sluice_buffer;
struct vm_area_struct;

bool sluice_dmabuf_writes(const struct dma_buf_attachment *attach, enum dma_data_direction dir);
int sluice_dmabuf_begin_cpu_access(struct dma_buf *dmabuf, enum dma_data_direction dir);
int sluice_dmabuf_end_cpu_access(struct dma_buf *dmabuf, enum dma_data_direction dir);
int sluice_dmabuf_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma);
void sluice_dmabuf_release(struct dma_buf *dmabuf);
struct dma_buf *sluice_dmabuf_create(struct sluice_buffer *buffer, int access);
struct sluice_buffer *sluice_dmabuf_buffer(struct dma_buf *dmabuf);
int sluice_dmabuf_begin_range(struct sluice_buffer *buffer, struct dma_buf *dmabuf, bool write,
			      u64 offset, u64 length);
int sluice_dmabuf_end_range(struct sluice_buffer *buffer, u64 offset, u64 length);

#endif /* _SLUICE_EXPORT_H */
