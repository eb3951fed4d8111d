/* SPDX-License-Identifier: MIT */
/* Buffers: the reasons why an allocation or a wrap fails, and the addresses of a buffer. */
#ifndef BUFFERS_H
#define BUFFERS_H

#include <stdint.h>

/**
 * alloc_hint - ALLOC, with the hint if it fails
 * @device: node
 * @heap: number
 * @size: in bytes
 * @hint: set to a SLUICE_HINT_*
 *
 * Returns a dma-buf, or a negative errno.
 */
int alloc_hint(int device, int heap, uint64_t size, uint32_t *hint);

/**
 * is_beyond - does a dma-buf begin beyond the addresses of a device with @bits bits?
 * @device: a device that reaches the dma-buf
 *
 * Most memory is beyond edu's 28 bits, but the kernel chooses the pages.  Returns 1, 0, or -errno.
 */
int is_beyond(int device, int dmabuf, unsigned int bits);

/** wrap_error - wrap, and close the dma-buf; returns 0 or -errno */
int wrap_error(int device, int memfd, uint64_t offset, uint64_t size);

#endif /* BUFFERS_H */
