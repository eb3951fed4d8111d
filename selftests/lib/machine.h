/* SPDX-License-Identifier: MIT */
/* The machine that the tests run on: its real device, its speed, and files of its kernel. */
#ifndef MACHINE_H
#define MACHINE_H

#include <stdbool.h>
#include <stdint.h>

/* A device that does DMA and raises interrupts; this one is in the guests of the lab. */
#ifndef REAL_DEVICE
#define REAL_DEVICE "edu0"
#define REAL_DEVICE_BITS 28
#endif
/* The flags that its contiguous memory has in addition. */
#ifndef REAL_CONTIGUOUS
#define REAL_CONTIGUOUS 0
#endif

/*
 * A guest, or a worker of its kernel, may stop for a second or two between any two statements.  So
 * a test waits up to LATE_MS for an event that must happen.  To show that an event has not happened
 * yet, it holds the event back with a gate, or with a job that hangs in a patient queue.
 */
#define LATE_MS 20000	/* "now" on a slow machine */

/** file_has - does a file contain @word? */
bool file_has(const char *path, const char *word);

/** write_text - write a string to a file; returns 0 or -errno */
int write_text(const char *path, const char *text);

/** xioctl - ioctl() that returns 0 or -errno */
int xioctl(int fd, unsigned long request, void *argument);

/** number_of - a number of /proc/meminfo ("MemFree:") or /proc/vmstat; -1 if it does not exist */
long number_of(const char *path, const char *name);

/** now_ns - CLOCK_MONOTONIC */
int64_t now_ns(void);

/** translated - does an IOMMU choose the addresses that devices use? */
bool translated(void);

#endif /* MACHINE_H */
