/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * Private op, controls and event of the software device (sluice-soft, soft0).  An example for
 * other drivers.
 */
#ifndef _UAPI_LINUX_SLUICE_SOFT_H
#define _UAPI_LINUX_SLUICE_SOFT_H

#include <linux/types.h>

/* sluice_soft_crc32.op */
#define SLUICE_SOFT_CRC32	1	/* handed out again when it was stopped for another op */
#define SLUICE_SOFT_CRC32_ONCE	2	/* ends with -ECANCELED then, as an op with more effects must */

/**
 * struct sluice_soft_crc32 - payload of a PRIVATE: the CRC-32 of @src's range
 * @op: SLUICE_SOFT_CRC32 or SLUICE_SOFT_CRC32_ONCE
 * @seed: the CRC-32 of the data before it, or 0
 *
 * The device writes it to the first 4 bytes of @dst's range, in host byte order, as zlib's crc32()
 * computes it.  The op needs both ranges, which should not overlap: an op that is handed out again
 * may read its result.  The completion counts these 4 bytes.
 *
 * Errors: SUBMIT returns -EINVAL for another size, another @op, or without one of the ranges; and,
 * as for all ops of the device, if an offset or a length is no multiple of its op_align, which is
 * 4: there is no CRC of 5 bytes.
 */
struct sluice_soft_crc32 {
	__u32 op;
	__u32 seed;
};

/* Controls besides those of <linux/sluice.h>, where SLUICE_CONTROL_DRIVER is 0x10000. */
#define SLUICE_SOFT_CONTROL_FREEZE	0x10000	/* bool: captured images all show one picture, that of the last image before; of the first image, if there was none */
#define SLUICE_SOFT_CONTROL_FRAME	0x10001	/* read-only: number of the frame that the cameras have now */

/* Events: @id and @value as the file "events" in debugfs makes them. */
#define SLUICE_SOFT_EVENT		0x10000

#endif /* _UAPI_LINUX_SLUICE_SOFT_H */
