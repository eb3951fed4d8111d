/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Wrapped memory: the pages of a memfd, pinned for a buffer.
 */
#ifndef _SLUICE_WRAP_H
#define _SLUICE_WRAP_H

#include "heap.h"

struct file;
struct sluice_buffer;

extern const struct sluice_heap sluice_wrapped_heap;
int sluice_wrap_check(struct file *memfd, u64 offset, u64 size);
int sluice_wrap_fill(struct sluice_buffer *buffer, struct file *memfd, u64 offset, u32 *hint);

#endif /* _SLUICE_WRAP_H */
