/* SPDX-License-Identifier: MIT */
/*
 * The test importer, selftests/kernel/importer.c, from a program.  What returns an
 * int returns what the ioctl does, or -errno.
 */
#ifndef IMPORT_H
#define IMPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "importer.h"

/* enum dma_data_direction, and of CPU access */
enum { BIDIRECTIONAL, TO_DEVICE, FROM_DEVICE };

#define NO_BOUNDARY	(~0ULL)

/** import_load - false if there is no module for this kernel */
bool import_load(void);

/** import_open - an open of the importer: what it does ends with that */
int import_open(void);

/** import_device - a platform device with these limits; its number */
int import_device(int importer, unsigned int bits, unsigned int max_seg, uint64_t boundary);

/** import_pci - a PCI device without a driver is borrowed, and has these limits */
int import_pci(int importer, const char *name, unsigned int bits, unsigned int max_seg,
	       uint64_t boundary);

/** import_attach - @flags: IMPORTER_DYNAMIC, IMPORTER_PEER; the attachment's number */
int import_attach(int importer, int device, int fd, unsigned int flags);

int import_detach(int importer, long attachment);

/** import_pin - a dynamic attachment; a pin that is left over stays */
int import_pin(int importer, long attachment);
int import_unpin(int importer, long attachment);

/**
 * import_mmap - map the attachment's buffer through the importer, at @prot, shared
 *
 * Returns the address, or MAP_FAILED with errno.
 */
void *import_mmap(int importer, int attachment, size_t size, int prot);

/** import_block - no CPU may touch the BARs of the buffer's device, as in a reset */
int import_block(int importer, int fd);
int import_unblock(int importer);

/** import_map - @args is set to what the table looks like; the mapping's number */
int import_map(int importer, int attachment, unsigned int dir, struct importer_map *args);

int import_unmap(int importer, long mapping);

/** import_differing - how many of some words differ from a pattern of fill_words() */
int import_differing(int importer, int mapping, size_t size, uint32_t seed);

#endif /* IMPORT_H */
