/* SPDX-License-Identifier: MIT */
/*
 * The test importer, selftests/kernel/importer.c, for programs.  Functions that return an int
 * return the result of the ioctl, or -errno.
 */
#ifndef IMPORT_H
#define IMPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "importer.h"

/* enum dma_data_direction, also for CPU access */
enum { BIDIRECTIONAL, TO_DEVICE, FROM_DEVICE };

#define NO_BOUNDARY	(~0ULL)

/** import_load - load the module; false if this kernel has none */
bool import_load(void);

/** import_open - open the importer; closing it undoes all that it has done */
int import_open(void);

/** import_device - make a platform device with these limits; returns its number */
int import_device(int importer, unsigned int bits, unsigned int max_seg, uint64_t boundary);

/**
 * import_pci - borrow a PCI device without a driver, and set these limits
 * // Returns its number.
 */
int import_pci(int importer, const char *name, unsigned int bits, unsigned int max_seg,
	       uint64_t boundary);

/** import_attach - attach @fd; @flags: IMPORTER_DYNAMIC, IMPORTER_PEER; returns the number */
int import_attach(int importer, int device, int fd, unsigned int flags);

int import_detach(int importer, long attachment);

/** import_pin - pin a dynamic attachment; closing the importer does not unpin it */
int import_pin(int importer, long attachment);
int import_unpin(int importer, long attachment);

/**
 * import_mmap - map the attachment's buffer through the importer, at @prot, shared
 *
 * Returns the address, or MAP_FAILED with errno.
 */
void *import_mmap(int importer, int attachment, size_t size, int prot);

/** import_block - block the BARs of the buffer's device for CPUs, as a reset does */
int import_block(int importer, int fd);
int import_unblock(int importer);

/** import_map - map an attachment; describes the table in @args; returns the mapping's number */
int import_map(int importer, int attachment, unsigned int dir, struct importer_map *args);

int import_unmap(int importer, long mapping);

/** import_differing - how many of some words differ from the pattern of fill_words()? */
int import_differing(int importer, int mapping, size_t size, uint32_t seed);

#endif /* IMPORT_H */
