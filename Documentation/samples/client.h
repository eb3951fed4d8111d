/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * /dev/sluice-sample: a kernel module that works on other people's dma-bufs,
 * in the order of fences.  See client.c.
 */
#ifndef _SLUICE_SAMPLE_CLIENT_H
#define _SLUICE_SAMPLE_CLIENT_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define SAMPLE_MAX_LENGTH	(64U << 20)	/* bytes of a job */
#define SAMPLE_MAX_JOBS		64		/* jobs that have not ended, of all callers */
#define SAMPLE_TIMEOUT_MS	30000		/* a job waits for fences that long at most */

/**
 * struct sample_invert - SAMPLE_INVERT: invert each byte of a range, later
 * @fd: in, a dma-buf that may be written
 * @in_fence: in, a sync_file to wait for, or -1
 * @offset: in, bytes from the start of the dma-buf
 * @length: in, bytes, not 0, at most SAMPLE_MAX_LENGTH
 * @out_fence: out, a sync_file (close-on-exec) that signals when it is done
 * @flags: in, must be 0
 *
 * Does not wait: the work begins when @in_fence and every fence on the dma-buf
 * has signalled.  Its own fence is on the dma-buf, as a writer's, when the call
 * returns.  It ends without an error, or with
 * -ECANCELED	@in_fence, or a fence in it, ended with an error: nothing was done;
 * -ETIME	something had not signalled after SAMPLE_TIMEOUT_MS: nothing was done.
 *
 * Errors: -EINVAL (not a dma-buf, not a sync_file, a range that is empty or not
 * within the dma-buf, flags), -E2BIG (@length), -EACCES (a dma-buf that may
 * only be read), -EBUSY (SAMPLE_MAX_JOBS), -EADDRNOTAVAIL (a machine that
 * bounces all DMA), -EOPNOTSUPP (no mapping for the CPU, memory of a device, a
 * kernel without sync_files), -EBADF, -EMFILE, -ENOMEM, -EFAULT, -EINTR, or the
 * exporter's.
 */
struct sample_invert {
	__s32 fd;
	__s32 in_fence;
	__u64 offset;
	__u64 length;
	__s32 out_fence;
	__u32 flags;
};

#define SAMPLE_INVERT	_IOWR('s', 0, struct sample_invert)

#endif /* _SLUICE_SAMPLE_CLIENT_H */
