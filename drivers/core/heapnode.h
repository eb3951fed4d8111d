/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The dma-heap nodes of a device, one for each of its heaps.
 *
 * There is no lock: register.c adds the nodes during registration, and removes them when it begins
 * to unregister the device.
 */
#ifndef _SLUICE_HEAPNODE_H
#define _SLUICE_HEAPNODE_H

struct sluice_device;

void sluice_heapnodes_add(struct sluice_device *sdev);
void sluice_heapnodes_remove(struct sluice_device *sdev);

#endif /* _SLUICE_HEAPNODE_H */
