/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The pages heap: scattered memory, in pieces that are as large as possible.
 *
 * When a buffer ends, its memory is parked in the pool (pool.c) for the next buffer of the same
 * size, or is freed.  buffer.c calls the ops of the heap.  Memory has one owner at a time, a buffer
 * or the pool, so there is no lock.
 */
#ifndef _SLUICE_HEAP_PAGES_H
#define _SLUICE_HEAP_PAGES_H

#include "heap.h"

extern const struct sluice_heap sluice_heap_pages;

#endif /* _SLUICE_HEAP_PAGES_H */
