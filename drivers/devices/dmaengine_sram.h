/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * SRAM of the chip as a heap of the dmaengine driver.
 *
 * dmaengine_sram.c owns no data and takes no lock: the core owns the heap.  dmaengine.c calls this
 * function in ->prepare().  dmaengine_sram.c calls no other file of this driver.
 */
#ifndef _SLUICE_DMAENGINE_SRAM_H
#define _SLUICE_DMAENGINE_SRAM_H

struct device;
struct sluice_device;

int dmae_sram_add(struct sluice_device *sdev, struct device *dev, struct device *consumer);

#endif /* _SLUICE_DMAENGINE_SRAM_H */
