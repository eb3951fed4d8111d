/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * Interface of /dev/sluice-sample.  Its kernel module works on the dma-bufs of other drivers,
 * in the order of fences: see importer.c.
 */
#ifndef _SLUICE_SAMPLE_IMPORTER_H
#define _SLUICE_SAMPLE_IMPORTER_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define SAMPLE_MAX_LENGTH	(64U << 20)	/* most bytes of a job */
#define SAMPLE_MAX_JOBS		64		/* most jobs of all callers that have not ended */
#define SAMPLE_TIMEOUT_MS	30000		/* most milliseconds that a job waits for fences */

/**
 * struct sample_invert - SAMPLE_INVERT: invert each byte of a range, later
 * @fd: in, a dma-buf that may be written
 * @in_fence: in, a sync_file to wait for, or -1 for none
 * @offset: in, bytes from the start of the dma-buf
 * @length: in, bytes, 1 to SAMPLE_MAX_LENGTH
 * @out_fence: out, a sync_file (close-on-exec) that signals when the work is done
 * @flags: in, must be 0
 *
 * The call does not wait for fences.  The work begins when @in_fence and all fences on the
 * dma-buf have signalled.  When the call returns, the out-fence is also on the dma-buf, as
 * the fence of a writer.  The out-fence signals without an error, or with one of these.
 * After an error, the memory is unchanged:
 *
 *	-ECANCELED	@in_fence, or a fence in it, signalled with an error
 *	-ETIME		a fence had not signalled after SAMPLE_TIMEOUT_MS
 *
 * Errors of the call:
 *
 *	-EINVAL		@fd is not a dma-buf
 *	-EINVAL		@in_fence is not a sync_file
 *	-EINVAL		the range is empty, or not inside the dma-buf
 *	-EINVAL		@flags is not 0
 *	-E2BIG		@length is more than SAMPLE_MAX_LENGTH
 *	-EACCES		the dma-buf can only be read
 *	-EBUSY		SAMPLE_MAX_JOBS jobs have not ended
 *	-EADDRNOTAVAIL	the machine bounces all DMA
 *	-EOPNOTSUPP	the dma-buf has no kernel mapping, or is memory of a device
 *	-EOPNOTSUPP	the kernel has no sync_files
 *	-EBADF		@fd is not open
 *	-EMFILE		the process has too many open files
 *	-ENOMEM		no memory
 *	-EFAULT		the struct is not in memory of the caller
 *	-EINTR		a signal has interrupted a wait for a lock
 *	others		an error of the exporter
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

#endif /* _SLUICE_SAMPLE_IMPORTER_H */
