/* SPDX-License-Identifier: MIT */
/*
 * What the test programs share: a device with buffers and a queue, knobs in
 * debugfs, and the counts of the kernel's objects.
 */
#ifndef SUPPORT_H
#define SUPPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "sluice.h"

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

/*
 * The harness ends a test after 30 s, which is less than two waits of LATE_MS take.
 * To be included after it; a guest that says nothing for three minutes is ended.
 */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT 120

#define SUPPORT_OBJECTS 8

/** struct objects - a reading of /sys/kernel/debug/sluice/objects, in its order */
struct objects {
	long count[SUPPORT_OBJECTS];
};

struct objects objects_read(void);

/**
 * objects_before - a reading to come back to
 *
 * What those before have left may still be on its way out: a job being freed, a
 * fence for a grace period of RCU.  So this waits, for some seconds at most, until
 * nothing lives but devices.
 */
struct objects objects_before(void);

/**
 * objects_settle - do the counts come back to what they were?
 * @before: then
 *
 * Gives the kernel twenty seconds, because the last reference of an fd or a job
 * may be dropped late.  Prints what differs.
 */
bool objects_settle(const struct objects *before);

/** knob - write a number to a file of soft0 in debugfs; returns 0 or -errno */
int knob(const char *name, unsigned long value);

/** limit_mb - set the limit "open", "user" or "total"; 0 for the default; returns 0 or -errno */
int limit_mb(const char *name, unsigned int mb);

/** open_limit_mb - what each open of a node may have, 0 for any amount; returns 0 or -errno */
int open_limit_mb(unsigned int mb);

/**
 * alloc_hint - ALLOC, and why it failed
 * @device: node
 * @heap: number
 * @size: in bytes
 * @hint: set to a SLUICE_HINT_*
 *
 * Returns a dma-buf, or a negative errno.
 */
int alloc_hint(int device, int heap, uint64_t size, uint32_t *hint);

/** run_op - a job of one op, to its end; returns its error, or why there is no job */
int run_op(int queue, const struct sluice_op *op);

/**
 * read_all - read so many completions, however many come at a time
 *
 * Returns @count, or what sluice_read() says otherwise.
 */
int read_all(int queue, struct sluice_completion *completions, int count);

/** crc32 - go on with the checksum that soft0's screen shows; 0 to begin */
uint32_t crc32(uint32_t crc, const void *data, size_t length);

/**
 * wait_running - wait until a job runs on an engine of a device
 *
 * A knob of soft0 is read when an op starts: to change it for the next op only, wait
 * here first.  Returns false after LATE_MS without one.
 */
bool wait_running(int device, unsigned int engine);

/**
 * wait_hanging - wait until soft0 has taken notice of all of hang_next
 *
 * Returns false after LATE_MS.
 */
bool wait_hanging(void);

/** patient_queue - sluice_queue() for jobs that may take as long as any may */
int patient_queue(int device, unsigned int engine);

/** struct gate - a job that keeps an engine from all others */
struct gate {
	int device, buffer, queue;
};

/**
 * gate_shut - an engine of soft0 begins nothing any more
 *
 * Its next job hangs, in a queue of its own, until gate_open().  The engine must
 * be idle, and other queues must not be more urgent.  Returns 0 or -errno.
 */
int gate_shut(struct gate *gate, unsigned int engine);

/**
 * gate_open - let an engine go on
 *
 * Returns 0, or -ENOLCK if the gate was not shut any more: after half a minute.
 */
int gate_open(struct gate *gate);

/* Sleep in a guest: see Documentation/admin-guide/pm of the kernel, and selftests/kernel/awake.c. */
#define PM_TEST "/sys/power/pm_test"
#define PM_STATE "/sys/power/state"
#define PM_DELAY "/sys/module/suspend/parameters/pm_test_delay"
#define AWAKE "sluice_awake"

/** root_stays_awake - what the root is behind must not be reset; false if it would */
bool root_stays_awake(void);

/** sleep_until_woken - sleep as @state says, as far as @test says; 0, or -errno of the kernel */
int sleep_until_woken(const char *test, const char *state);

/**
 * sleep_devices - suspend all devices, and resume them after a second
 *
 * Returns 0, -EOPNOTSUPP if this kernel or guest cannot, or another -errno of the kernel.
 */
int sleep_devices(void);

/** file_has - is @word in what can be read of a file? */
bool file_has(const char *path, const char *word);

/** write_text - write a string to a file; returns 0 or -errno */
int write_text(const char *path, const char *text);

/**
 * module_load - load one of our modules, without parameters
 *
 * By the system call: a shell for each takes long.  Returns 0 or -errno.
 */
int module_load(const char *name);

/**
 * module_unload - unload a module
 *
 * Tries for ten seconds: rmmod fails while a last reference is on its way out.
 * Returns whether it is gone.
 */
bool module_unload(const char *name);

/**
 * memory_cgroup - make a memory cgroup, /tmp/sluice-cgroup/t
 *
 * Returns false on a kernel without.  To be undone with memory_cgroup_end().
 */
bool memory_cgroup(void);

/** memory_cgroup_end - remove the cgroup t below a mount, and unmount it */
bool memory_cgroup_end(const char *mount);

/** xioctl - ioctl() that returns 0 or -errno */
int xioctl(int fd, unsigned long request, void *argument);

/** sw_sync_timeline - a new timeline of the kernel's test fences; closing it ends them */
int sw_sync_timeline(void);

/** sw_sync_fence - a sync_file that signals when its timeline comes to @value */
int sw_sync_fence(int timeline, unsigned int value);

/**
 * frame_of - the page frame behind an address of ours, which is read for it
 *
 * Returns 0 if the kernel does not tell.
 */
uint64_t frame_of(const volatile void *address);

/**
 * is_beyond - does a dma-buf begin where a device with so many bits does not reach?
 * @device: one that reaches it
 *
 * Most memory is beyond edu's 28 bits, but where a kernel takes the next page from
 * is its own affair.  Returns 1, 0, or -errno.
 */
int is_beyond(int device, int dmabuf, unsigned int bits);

/** number_of - a number of /proc/meminfo ("MemFree:") or /proc/vmstat; -1 if it is not there */
long number_of(const char *path, const char *name);

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

/** wrap_error - wrap and close again; returns 0 or -errno */
int wrap_error(int device, int memfd, uint64_t offset, uint64_t size);

/** now_ns - CLOCK_MONOTONIC */
int64_t now_ns(void);

/** signalled - has a sync_file signalled? */
bool signalled(int fence);

/** fence_time - when a sync_file of one fence signalled, on CLOCK_MONOTONIC; -1 if it cannot be asked */
int64_t fence_time(int fence);

/** expected_raw - word @index of raw frame @sequence of the test pattern */
uint32_t expected_raw(uint64_t sequence, size_t index);

/** hex seed for a memory pattern: word @index of pattern @seed */
uint32_t expected_word(uint32_t seed, size_t index);

/** fill_words - write a pattern with the CPU, bracketed; returns 0 or -errno */
int fill_words(int dmabuf, size_t size, uint32_t seed);

/** check_words - compare a dma-buf with a pattern; -EILSEQ if it differs */
int check_words(int dmabuf, size_t size, uint32_t seed);

/** check_value - compare each word of a dma-buf with one value; -EILSEQ if it differs */
int check_value(int dmabuf, size_t size, uint32_t value);

/** translated - is there an IOMMU that chooses the addresses that devices see? */
bool translated(void);

#endif /* SUPPORT_H */
