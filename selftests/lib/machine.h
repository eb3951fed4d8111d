/* SPDX-License-Identifier: MIT */
/* The machine that the tests run on: its real device, its pace, and files of its kernel. */
#ifndef MACHINE_H
#define MACHINE_H

#include <stdbool.h>
#include <stdint.h>

/* A device that does DMA and raises interrupts: what a lab's guest has. */
#ifndef REAL_DEVICE
#define REAL_DEVICE "edu0"
#define REAL_DEVICE_BITS 28
#endif
/* What its contiguous memory has besides. */
#ifndef REAL_CONTIGUOUS
#define REAL_CONTIGUOUS 0
#endif

/*
 * All of a guest may stand still for a second or two, between any two statements,
 * and so may a worker of the kernel.  So what must have happened gets LATE_MS, and
 * what must not have happened yet is held by something that does not end by
 * itself: a gate, or a job that hangs in a patient queue.
 */
#define LATE_MS 20000	/* a slow machine's idea of "now" */

/** file_has - is @word in what can be read of a file? */
bool file_has(const char *path, const char *word);

/** write_text - write a string to a file; returns 0 or -errno */
int write_text(const char *path, const char *text);

/** xioctl - ioctl() that returns 0 or -errno */
int xioctl(int fd, unsigned long request, void *argument);

/** number_of - a number of /proc/meminfo ("MemFree:") or /proc/vmstat; -1 if it is not there */
long number_of(const char *path, const char *name);

/** now_ns - CLOCK_MONOTONIC */
int64_t now_ns(void);

/** translated - is there an IOMMU that chooses the addresses that devices see? */
bool translated(void);

#endif /* MACHINE_H */
