/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * Interface of /dev/sluice-importer: an importer that does all that a test asks for, even if a
 * correct driver would not do it.  Each open file has devices, attachments and mappings of its own,
 * numbered from 0.  The close releases those that are left, mappings first.
 */
#ifndef _SLUICE_IMPORTER_H
#define _SLUICE_IMPORTER_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define IMPORTER_MAX	32	/* most devices, attachments and mappings of an open file, each */

/* IMPORTER_DEVICE: create a platform device with these limits.  Returns its number. */
struct importer_device {
	__u32 dma_bits;
	__u32 max_seg;
	__u64 boundary;
};

/*
 * IMPORTER_PCI: borrow a PCI device that has no driver, and set these limits for it.  Returns
 * its number, like IMPORTER_DEVICE.
 */
struct importer_pci {
	char name[16];		/* for example 0000:03:00.0 */
	__u32 dma_bits;
	__u32 max_seg;
	__u64 boundary;
};

#define IMPORTER_HUGE	(2UL << 20)

#define IMPORTER_DYNAMIC	(1U << 0)	/* unmaps at once when the exporter asks for it */
#define IMPORTER_PEER		(1U << 1)	/* accepts memory without struct pages */

/* IMPORTER_ATTACH: attach a dma-buf.  Returns the number of the attachment. */
struct importer_attach {
	__s32 fd;
	__u32 device;
	__u32 flags;
};

/* IMPORTER_MAP: map.  Returns the number of the mapping, and describes its table. */
struct importer_map {
	__u32 attachment;
	__u32 dir;		/* enum dma_data_direction */
	__u64 total;		/* out: bytes */
	__u32 segments;		/* out */
	__u32 largest;		/* out: bytes */
	__u32 crossing;		/* out: segments that cross the segment boundary of the device */
	__u32 unreachable;	/* out: segments that the DMA mask of the device excludes */
	__u32 huge;		/* out: pieces of IMPORTER_HUGE bytes, at multiples of it */
	__u32 unused;
};

/* IMPORTER_REMAP: map in both directions and unmap, @count times: for measurements. */
struct importer_remap {
	__u32 attachment;
	__u32 count;
};

/* IMPORTER_READ, IMPORTER_WRITE: read or write a word by the bus addresses of a mapping. */
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

/* IMPORTER_FENCE: put a fence on a dma-buf.  It signals after @ms milliseconds, at most 5000. */
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
#define IMPORTER_PIN	_IO('i', 11)	/* pin a dynamic attachment */
#define IMPORTER_UNPIN	_IO('i', 12)
#define IMPORTER_BLOCK	_IO('i', 13)	/* fd of a Sluice buffer: block its device, like a reset */
#define IMPORTER_UNBLOCK _IO('i', 14)	/* end the block; the close does the same */

/*
 * mmap() maps the dma-buf of an attachment, as a driver maps an imported buffer.  The offset,
 * in pages, is the number of the attachment.  The program must not detach it at the same
 * time.
 */

#endif /* _SLUICE_IMPORTER_H */
