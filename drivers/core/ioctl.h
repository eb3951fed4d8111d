/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How an ioctl, or a SUBMIT through io_uring, is served: its struct is copied in and out once, and
 * its fd is installed last.
 *
 * A call belongs to the task that makes it, so there is no lock.  The ioctl functions of nodes and
 * queues call the dispatcher.  The handlers, heapnode.c and uring.c call the other functions.
 */
#ifndef _SLUICE_IOCTL_H
#define _SLUICE_IOCTL_H

#include <linux/bits.h>
#include <linux/types.h>

struct file;

/**
 * struct sluice_call - an ioctl, or a SUBMIT through io_uring, that is being served
 * @file: the file that it was called on
 * @data: the kernel's copy of the struct
 * @uarg: the caller's struct
 * @size: bytes of the struct to write back
 * @copied: nothing is left to write back: it has been written, or the ioctl returns no data
 * @fd: reserved fd number, or -1
 * @install: file for @fd, installed after the struct has been written back
 */
struct sluice_call {
	struct file *file;
	void *data;
	void __user *uarg;
	size_t size;
	bool copied;
	int fd;
	struct file *install;
};

/**
 * struct sluice_ioctl - how one ioctl is served
 * @cmd: its command word, with the size of the current struct
 * @min_size: bytes of the struct in the UAPI version that introduced it
 * @flags: SLUICE_IOCTL_OUT_ON_ERROR
 * @fn: handler; returns 0 or a negative errno
 */
struct sluice_ioctl {
	unsigned int cmd;
	size_t min_size;
	u32 flags;
	int (*fn)(struct sluice_call *call);
};

#define SLUICE_IOCTL_OUT_ON_ERROR	BIT(0)	/* also write back after an error */

/*
 * Bytes of each struct in the UAPI version that introduced it: the oldest programs pass this size.
 * Never use sizeof here: it grows, and these programs would be refused.
 */
enum sluice_ioctl_first_size {
	SLUICE_INFO_FIRST_SIZE = 136,
	SLUICE_HEAP_INFO_FIRST_SIZE = 56,
	SLUICE_ALLOC_FIRST_SIZE = 32,
	SLUICE_BUFFER_INFO_FIRST_SIZE = 56,
	SLUICE_CREATE_QUEUE_FIRST_SIZE = 32,
	SLUICE_WRAP_FIRST_SIZE = 40,
	SLUICE_SYNC_FIRST_SIZE = 24,
	SLUICE_EVENTFD_FIRST_SIZE = 16,
	SLUICE_ATTACH_FIRST_SIZE = 16,
	SLUICE_DETACH_FIRST_SIZE = 8,
	SLUICE_SUBMIT_FIRST_SIZE = 56,
	SLUICE_SUBMIT_MANY_FIRST_SIZE = 40,
	SLUICE_FENCE_FIRST_SIZE = 24,
	SLUICE_WAIT_FIRST_SIZE = 24,
	SLUICE_CANCEL_FIRST_SIZE = 24,
	SLUICE_QUEUE_INFO_FIRST_SIZE = 24,
	SLUICE_ACK_FIRST_SIZE = 24,
	SLUICE_ENGINE_INFO_FIRST_SIZE = 40,
	SLUICE_ENUM_FORMATS_FIRST_SIZE = 40,
	SLUICE_ENUM_SIZES_FIRST_SIZE = 56,
	SLUICE_ENUM_INTERVALS_FIRST_SIZE = 56,
	SLUICE_SOURCE_FIRST_SIZE = 32,
	SLUICE_ENUM_CONTROLS_FIRST_SIZE = 88,
	SLUICE_ENUM_MENU_FIRST_SIZE = 48,
	SLUICE_CONTROL_FIRST_SIZE = 16,
};

long sluice_ioctl_dispatch(struct file *file, unsigned int cmd, unsigned long arg,
			   const struct sluice_ioctl *table, unsigned int count);
int sluice_call_copy_out(struct sluice_call *call);
int sluice_call_reserve_fd(struct sluice_call *call, u32 fd_flags);
int sluice_call_end(struct sluice_call *call, int ret);

#endif /* _SLUICE_IOCTL_H */
