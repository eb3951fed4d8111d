/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * Private op, controls and events of the software device soft0 (driver sluice-soft).  They are
 * an example for other drivers.  <linux/sluice.h> defines the words that are used here.
 */
#ifndef _UAPI_LINUX_SLUICE_SOFT_H
#define _UAPI_LINUX_SLUICE_SOFT_H

#include <linux/types.h>

/*
 * sluice_soft_crc32.op: what happens if the kernel stops the op for another op or for a sleep
 *
 *	CRC32		the op begins again later
 *	CRC32_ONCE	the job ends with -ECANCELED.  A real op must do so if it has other effects
 *			than the memory that it writes
 */
#define SLUICE_SOFT_CRC32	1
#define SLUICE_SOFT_CRC32_ONCE	2

/**
 * struct sluice_soft_crc32 - payload of a PRIVATE: compute the CRC-32 of the range in @src
 * @op: in, SLUICE_SOFT_CRC32 or SLUICE_SOFT_CRC32_ONCE
 * @seed: in, the CRC-32 of the data that precede the range, or 0
 *
 * The device writes the CRC-32 to the first 4 bytes of the range in @dst, in host byte order.  It
 * is the value that crc32() of zlib computes.  bytes of the completion counts these 4 bytes.
 *
 * The op needs both ranges (SLUICE_OP_DST and SLUICE_OP_SRC).  They should not overlap: an op that
 * begins again may read its own result.
 *
 * Errors of SUBMIT:
 *
 *	-EINVAL		the payload does not have the size of this struct
 *	-EINVAL		@op is another number
 *	-EINVAL		one of the two ranges is missing
 *	-EINVAL		an offset or a length is not a multiple of 4, the op_align of the device:
 *			there is no CRC-32 of 5 bytes
 */
struct sluice_soft_crc32 {
	__u32 op;
	__u32 seed;
};

/*
 * sluice_enum_controls.id: controls that <linux/sluice.h> does not define, numbered from
 * SLUICE_CONTROL_DRIVER (0x10000) on
 *
 *	FREEZE	bool.  1: all captured images show the picture of the last image before; or of the
 *		first image, if there was none before
 *	FRAME	int, read-only and volatile: number of the frame that the cameras have now
 */
#define SLUICE_SOFT_CONTROL_FREEZE	0x10000
#define SLUICE_SOFT_CONTROL_FRAME	0x10001

/* sluice_event.type: raised by writes to the file "events" in debugfs, which sets @id and @value */
#define SLUICE_SOFT_EVENT		0x10000

#endif /* _UAPI_LINUX_SLUICE_SOFT_H */
