/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The nodes /dev/sluice/<device>, and what a dma-heap node shares with them.
 *
 * register.c gives the file operations to the kernel.
 */
#ifndef _SLUICE_NODE_H
#define _SLUICE_NODE_H

#include <linux/types.h>

struct file_operations;
struct sluice_alloc;
struct sluice_call;
struct sluice_heap;

extern const struct file_operations sluice_node_fops;
int sluice_node_alloc_buffer(struct sluice_call *call, const struct sluice_heap *heap,
			     struct sluice_alloc *args, int access);

#endif /* _SLUICE_NODE_H */
