/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * /dev/sluice-importer: an importer that does what a test tells it, also what
 * no sane driver would.  Each open has devices, attachments and mappings of its
 * own, numbered from 0; whatever is left at close is let go then, mappings
 * first.
 */
#ifndef _SLUICE_IMPORTER_H
#define _SLUICE_IMPORTER_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define IMPORTER_MAX	32	/* devices, attachments, mappings of an open */

/* A platform device with these limits.  Returns its number. */
struct importer_device {
	__u32 dma_bits;
	__u32 max_seg;
	__u64 boundary;
};

/*
 * Borrow a PCI device that has no driver, and have these limits be its own.
 * Returns a number as IMPORTER_DEVICE does.
 */
struct importer_pci {
	char name[16];		/* as 0000:03:00.0 */
	__u32 dma_bits;
	__u32 max_seg;
	__u64 boundary;
};

#define IMPORTER_DYNAMIC	(1U << 0)	/* can be told to let go, and does at once */
#define IMPORTER_PEER		(1U << 1)	/* handles memory without pages */

/* Attach a dma-buf.  Returns the attachment's number. */
struct importer_attach {
	__s32 fd;
	__u32 device;
	__u32 flags;
};

/* Map: returns the mapping's number, and what its table looks like. */
struct importer_map {
	__u32 attachment;
	__u32 dir;		/* enum dma_data_direction */
	__u64 total;		/* out: bytes */
	__u32 segments;		/* out */
	__u32 largest;		/* out: bytes */
	__u32 crossing;		/* out: segments across the device's boundary */
	__u32 unreachable;	/* out: segments beyond the device's mask */
};

/* Map in both directions and unmap, so many times: for measuring. */
struct importer_remap {
	__u32 attachment;
	__u32 count;
};

/* Read or write a word through a mapping's bus addresses. */
struct importer_word {
	__u64 offset;
	__u32 mapping;
	__u32 value;
};

#define IMPORTER_BEGIN	0
#define IMPORTER_END	1
#define IMPORTER_VMAP	2	/* vmap, read and write a word, vunmap */

struct importer_cpu {
	__s32 fd;
	__u32 what;
	__u32 dir;
};

/* Put a fence on a dma-buf that ends by itself, at most 5 s later. */
struct importer_fence {
	__s32 fd;
	__u32 write;
	__u32 ms;
	__s32 error;
};

#define IMPORTER_DEVICE	_IOW('i', 0, struct importer_device)
#define IMPORTER_ATTACH	_IOW('i', 1, struct importer_attach)
#define IMPORTER_DETACH	_IO('i', 2)
#define IMPORTER_MAP	_IOWR('i', 3, struct importer_map)
#define IMPORTER_UNMAP	_IO('i', 4)
#define IMPORTER_READ	_IOWR('i', 5, struct importer_word)
#define IMPORTER_WRITE	_IOW('i', 6, struct importer_word)
#define IMPORTER_CPU	_IOW('i', 7, struct importer_cpu)
#define IMPORTER_FENCE	_IOW('i', 8, struct importer_fence)
#define IMPORTER_REMAP	_IOW('i', 9, struct importer_remap)
#define IMPORTER_PCI	_IOW('i', 10, struct importer_pci)
#define IMPORTER_PIN	_IO('i', 11)	/* a dynamic attachment */
#define IMPORTER_UNPIN	_IO('i', 12)
#define IMPORTER_BLOCK	_IO('i', 13)	/* fd of a buffer of Sluice's: block its device, as a reset does */
#define IMPORTER_UNBLOCK _IO('i', 14)	/* so does close */

/*
 * mmap() at the offset of an attachment's number, in pages: the attachment's dma-buf, as a
 * driver maps what it has imported.  No call that detaches may be under way.
 */

#endif /* _SLUICE_IMPORTER_H */
