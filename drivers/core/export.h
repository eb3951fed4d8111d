/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Our dma-bufs: the dma_buf_ops of a buffer.
 *
 * buffer->lock guards attachments and mappings.  It nests inside the dma_resv.
 */
#ifndef _SLUICE_EXPORT_H
#define _SLUICE_EXPORT_H

#include <linux/dma-buf.h>
#include <linux/types.h>

struct sluice_buffer;
struct vm_area_struct;

bool sluice_dmabuf_writes(const struct dma_buf_attachment *attach, enum dma_data_direction dir);
int sluice_dmabuf_begin_cpu_access(struct dma_buf *dmabuf, enum dma_data_direction dir);
int sluice_dmabuf_end_cpu_access(struct dma_buf *dmabuf, enum dma_data_direction dir);
int sluice_dmabuf_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma);
void sluice_dmabuf_release(struct dma_buf *dmabuf);
struct dma_buf *sluice_buffer_export(struct sluice_buffer *buffer, int access);
struct sluice_buffer *sluice_buffer_from_dmabuf(struct dma_buf *dmabuf);

int sluice_buffer_begin_cpu(struct sluice_buffer *buffer, struct dma_buf *dmabuf, bool write,
			    u64 offset, u64 length);
int sluice_buffer_end_cpu(struct sluice_buffer *buffer, u64 offset, u64 length);

#endif /* _SLUICE_EXPORT_H */
