/* SPDX-License-Identifier: MIT */
/* Pages of an application: their frames, huge pages, and memfds. */
#ifndef PAGES_H
#define PAGES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * frame_of - the page frame behind an address of this process, which is read first
 *
 * Returns 0 if the kernel does not tell.
 */
uint64_t frame_of(const volatile void *address);

/** reserve_huge_pages - reserve @count; false if there are not enough, and then none is reserved */
bool reserve_huge_pages(int count);

/** sealed_memfd - make a memfd of this size, with seals; returns an fd or -errno */
int sealed_memfd(unsigned int flags, off_t size, int seals);

/**
 * seal_writes - add F_SEAL_WRITE to a memfd that is not pinned any more
 *
 * The kernel waits up to 150 ms for extra references to the pages.  A task that migrates pages
 * holds such references, and may be stopped meanwhile.  So -EBUSY is tried again, for LATE_MS.
 */
int seal_writes(int memfd);

#endif /* PAGES_H */
