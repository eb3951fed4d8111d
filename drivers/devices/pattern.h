/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _SLUICE_PATTERN_H
#define _SLUICE_PATTERN_H

#include <linux/types.h>

void pattern_draw(void *memory, u32 width, u32 height, u32 stride, u64 sequence, u64 time_ns,
		  const bool *stop);
void pattern_fill_raw(void *memory, u64 offset, size_t length, u64 sequence);

#endif /* _SLUICE_PATTERN_H */
