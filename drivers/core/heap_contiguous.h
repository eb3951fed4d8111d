/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The contiguous heap: memory in one piece.
 */
#ifndef _SLUICE_HEAP_CONTIGUOUS_H
#define _SLUICE_HEAP_CONTIGUOUS_H

#include "heap.h"

struct sluice_device;

extern const struct sluice_heap sluice_contiguous_heap;
bool sluice_contiguous_has_cma(const struct sluice_device *sdev);
int sluice_contiguous_reserve(struct sluice_device *sdev);
void sluice_contiguous_unreserve(struct sluice_device *sdev);

#endif /* _SLUICE_HEAP_CONTIGUOUS_H */
