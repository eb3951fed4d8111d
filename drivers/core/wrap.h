/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Wrapped memory: pages that an application owns, pinned for a buffer.
 *
 * The pages are those of a memfd, because seals are the only promise about pages that their owner
 * cannot take back.  F_SEAL_SHRINK must be set, and no seal against writing may be set.
 *
 * Lock: the kernel adds seals with the inode locked.  wrap.c holds the inode lock for reading from
 * the check of the seals until all pages are pinned.  A later F_SEAL_WRITE finds the pinned pages,
 * and the kernel refuses it.
 *
 * Pinned memory counts against the limit of an open file, like allocated memory.  Neither kind is
 * swapped or moved, and each is charged to a memory cgroup.  RLIMIT_MEMLOCK is not used, because it
 * would count pinned memory only.
 *
 * The node's ioctl WRAP calls sluice_wrap_create().
 */
#ifndef _SLUICE_WRAP_H
#define _SLUICE_WRAP_H

#include <linux/types.h>

struct file;
struct sluice_buffer;
struct sluice_client;

struct sluice_buffer *sluice_wrap_create(struct sluice_client *client, struct file *memfd,
					 u64 offset, u64 size, u32 *hint);

#endif /* _SLUICE_WRAP_H */
