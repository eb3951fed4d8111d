/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The nodes /dev/sluice/<device>: their file operations and ioctls, and the functions that a
 * dma-heap node shares with them.
 *
 * There is no lock of its own.  The kernel calls the file operations, which register.c gives to it.
 * Ioctls of one client may run at the same time in several threads.
 */
#ifndef _SLUICE_NODE_H
#define _SLUICE_NODE_H

struct file_operations;
struct sluice_alloc;
struct sluice_call;
struct sluice_heap;

extern const struct file_operations sluice_node_fops;
int sluice_node_alloc_buffer(struct sluice_call *call, const struct sluice_heap *heap,
			     struct sluice_alloc *args, int access);

#endif /* _SLUICE_NODE_H */
