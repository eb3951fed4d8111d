/* SPDX-License-Identifier: MIT */
/* The pages of an application: their frames, huge pages, and memfds. */
#ifndef PAGES_H
#define PAGES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * frame_of - the page frame behind an address of ours, which is read for it
 *
 * Returns 0 if the kernel does not tell.
 */
uint64_t frame_of(const volatile void *address);

/** reserve_huge_pages - have so many; false, and none, if there are not as many free */
bool reserve_huge_pages(int count);

/** sealed_memfd - a memfd of that size, with seals; returns an fd or -errno */
int sealed_memfd(unsigned int flags, off_t size, int seals);

/**
 * seal_writes - F_SEAL_WRITE, for a memfd that nobody has pinned any more
 *
 * The kernel looks at the references of pages for 150 ms.  Whoever moves pages has
 * some, and may stand still meanwhile: -EBUSY is asked again, for LATE_MS.
 */
int seal_writes(int memfd);

#endif /* PAGES_H */
