/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The heap of SRAM inside the chip.  A part of a gen_pool becomes memory of a device (heap_bar.c).
 * The kernel's driver for device tree nodes "mmio-sram" makes such pools.
 *
 * Only the device tree says whether a device can reach the SRAM.  Two kinds of device may therefore
 * attach: the device that offers the heap, and a device whose device tree node names the same pool
 * in its property "sram".
 *
 * Device drivers call sluice_device_add_sram(), which sluice.h declares, and heap_bar.c calls the
 * ops.  heap_bar.c has the locks.
 */
#ifndef _SLUICE_HEAP_SRAM_H
#define _SLUICE_HEAP_SRAM_H

#include "sluice.h"

#endif /* _SLUICE_HEAP_SRAM_H */
