/* SPDX-License-Identifier: MIT */
/* Processes that hold buffers, or memory of their own, until the test ends them. */
#ifndef HOLD_H
#define HOLD_H

#include <stdint.h>
#include <sys/types.h>

/**
 * struct hold - what a process of hold_start() does, and what it has found
 * @uid: its user
 * @cgroup: the file cgroup.procs of its cgroup; NULL: that of the test
 * @each: bytes of each buffer of soft0
 * @most: most buffers; it stops at the first that it does not get
 * @anonymous: bytes of memory of its own that it touches after that
 * @buffers: out: number of buffers
 * @error: out: negative errno of the buffer that it did not get, or 0
 * @hint: out: the hint of that ALLOC
 */
struct hold {
	uid_t uid;
	const char *cgroup;
	uint64_t each;
	unsigned int most;
	size_t anonymous;
	unsigned int buffers;
	int error;
	uint32_t hint;
};

/**
 * hold_start - start a process, and wait until it has what it shall have
 * @hold: what it shall do; set to what it has found
 *
 * A process that is killed before has -EINTR as its error.
 *
 * Returns its pid, or -1.
 */
pid_t hold_start(struct hold *hold);

/** hold_end - end such a process; returns the signal that has ended it before, or 0 */
int hold_end(pid_t pid);

#endif /* HOLD_H */
