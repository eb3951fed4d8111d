/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * /dev/dma_heap/sluice-<device>-<heap>: each heap of a device also has a dma-heap node.
 *
 * A program that was written for the kernel's dma-heaps can allocate here without a change.  The
 * one ioctl therefore follows the dma-heap ABI, which checks less than our UAPI does: only the
 * number of the command counts, and a struct of any size with any tail is accepted.
 *
 * heapnode.c owns the nodes, which are misc devices.  It does not use dma_heap_add(), because some
 * kernels do not let modules call it, and because a heap that was added in this way can never be
 * removed.  This module could then never be unloaded.
 *
 * There is no lock of its own.  register.c adds the nodes during registration, and removes them
 * when it begins to unregister the device.  The kernel calls open() with the lock that
 * misc_deregister() also takes.  After sluice_heapnodes_remove() no code uses a struct
 * sluice_heapnode any more: an open file uses its client, which holds the device.
 */
#ifndef _SLUICE_HEAPNODE_H
#define _SLUICE_HEAPNODE_H

struct sluice_device;

void sluice_heapnodes_add(struct sluice_device *sdev);
void sluice_heapnodes_remove(struct sluice_device *sdev);

#endif /* _SLUICE_HEAPNODE_H */
