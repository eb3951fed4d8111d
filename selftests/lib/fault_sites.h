/* SPDX-License-Identifier: MIT */
/*
 * Make a call again and again, and let another of its allocations or copies fail each time, with
 * /proc/self/fail-nth of kernels with fault injection.
 */
#ifndef FAULT_SITES_H
#define FAULT_SITES_H

#include <stdbool.h>

/**
 * struct call - a call to try
 * @name: name in messages
 * @prepare: before each attempt, without faults: false if it failed; NULL if there is nothing to do
 * @attempt: the call: returns 0 or more, or a negative errno
 * @undo: after each attempt, without faults: restores the state before @prepare.  False if the
 *	state does not match the result
 * @may_be_sure: the call may have no place that can fail
 * @slow: one round is enough
 */
struct call {
	const char *name;
	bool (*prepare)(void);
	int (*attempt)(void);
	bool (*undo)(int result);
	bool may_be_sure;
	bool slow;
};

/* An initializer; fields that most calls do not set come last. */
#define CALL(name_, prepare_, attempt_, undo_, ...) \
	{ .name = (name_), .prepare = (prepare_), .attempt = (attempt_), .undo = (undo_), \
	  ##__VA_ARGS__ }

/** fault_sites_on - switch on all kinds of faults for this task; false if that is not possible */
bool fault_sites_on(void);

void fault_sites_off(void);

/**
 * fault_sites_each - make the call, and let its first, second, third ... place fail
 *
 * Ends when the call passes without a fault, and then does a second round: now and then the kernel
 * allocates once more (to refill a cache), which moves all later places by one, and hides one.
 * After each attempt the errno must be clean, and the counts of all objects the same as before.  If
 * not, prints a line with the reason and returns false.
 */
bool fault_sites_each(const struct call *call);

/** fault_sites_sum - print the number of faults and their effects; returns the number */
int fault_sites_sum(void);

/* for calls with nothing to undo, and for calls that return an fd */
bool undo_nothing(int result);
bool undo_close(int fd);

/** answer - ioctl() that returns its result or a negative errno */
int answer(int fd, unsigned long request, const void *argument);

#endif /* FAULT_SITES_H */
