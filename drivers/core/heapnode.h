/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The dma-heap nodes of a device.
 */
#ifndef _SLUICE_HEAPNODE_H
#define _SLUICE_HEAPNODE_H

struct sluice_device;

void sluice_heap_nodes_add(struct sluice_device *sdev);
void sluice_heap_nodes_remove(struct sluice_device *sdev);

#endif /* _SLUICE_HEAPNODE_H */
