/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * BUFFER_INFO: how a device sees a dma-buf, ours or a foreign one.
 *
 * It has no state except a module parameter, and no lock.  The node's ioctl calls it.
 */
#ifndef _SLUICE_BUFFER_INFO_H
#define _SLUICE_BUFFER_INFO_H

struct dma_buf;
struct sluice_buffer_info;
struct sluice_client;

int sluice_buffer_info(struct sluice_client *client, struct dma_buf *dmabuf,
		       struct sluice_buffer_info *info);

#endif /* _SLUICE_BUFFER_INFO_H */
