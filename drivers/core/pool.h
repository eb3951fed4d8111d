/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The pool: parked memory of closed buffers, for the next buffer of the same size.
 *
 * pool.c has the locks.  The heaps call it.
 */
#ifndef _SLUICE_POOL_H
#define _SLUICE_POOL_H

#include <linux/gfp.h>
#include <linux/types.h>

struct sluice_device;
struct sluice_pages;

int sluice_pool_init(void);
void sluice_pool_exit(void);
struct sluice_pages *sluice_pool_new(void);
void sluice_pool_delete(struct sluice_pages *pages);
struct sluice_pages *sluice_pool_take(struct sluice_device *sdev, u64 size, u32 mapping,
				      bool huge);
void sluice_pool_park(struct sluice_pages *pages);
bool sluice_pool_drain(gfp_t zone, unsigned int order);
u64 sluice_pool_bytes(void);

#endif /* _SLUICE_POOL_H */
