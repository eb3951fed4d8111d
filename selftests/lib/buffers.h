/* SPDX-License-Identifier: MIT */
/* Buffers: why an allocation or a wrap fails, and where a buffer is. */
#ifndef BUFFERS_H
#define BUFFERS_H

#include <stdint.h>

/**
 * alloc_hint - ALLOC, and why it failed
 * @device: node
 * @heap: number
 * @size: in bytes
 * @hint: set to a SLUICE_HINT_*
 *
 * Returns a dma-buf, or a negative errno.
 */
int alloc_hint(int device, int heap, uint64_t size, uint32_t *hint);

/**
 * is_beyond - does a dma-buf begin where a device with so many bits does not reach?
 * @device: one that reaches it
 *
 * Most memory is beyond edu's 28 bits, but where a kernel takes the next page from
 * is its own affair.  Returns 1, 0, or -errno.
 */
int is_beyond(int device, int dmabuf, unsigned int bits);

/** wrap_error - wrap and close again; returns 0 or -errno */
int wrap_error(int device, int memfd, uint64_t offset, uint64_t size);

#endif /* BUFFERS_H */
