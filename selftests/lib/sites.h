/* SPDX-License-Identifier: MIT */
/*
 * A call made again and again, each time with one more of its chances to fail
 * failing: /proc/self/fail-nth, of kernels with fault injection.
 */
#ifndef SITES_H
#define SITES_H

#include <stdbool.h>

/**
 * struct call - what is tried
 * @name: for people
 * @prepare: before each attempt, without faults: false if it could not be done;
 *	NULL if there is nothing to do
 * @attempt: the call: 0 or more, or a negative errno
 * @undo: after each, without faults: back to how it was before @prepare.  False
 *	if what it finds is not what the result said
 * @may_be_sure: its path may have no place where something can fail
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

/* An initializer; what differs from most calls comes last. */
#define CALL(name_, prepare_, attempt_, undo_, ...) \
	{ .name = (name_), .prepare = (prepare_), .attempt = (attempt_), .undo = (undo_), \
	  ##__VA_ARGS__ }

/** sites_on - switch faults on for this task, of every kind; false if it cannot be done */
bool sites_on(void);

void sites_off(void);

/**
 * sites_each - make the call with the first, second, third ... chance failing
 *
 * Ends when it gets through without a fault, and does all that twice: now and
 * then the kernel allocates once more on the way (a cache is filled up), which
 * moves all later places by one, and hides one.  After each attempt the errno must
 * be a clean one and the counts of all objects back where they were.  False,
 * and a line that says why, if anything is not as it should be.
 */
bool sites_each(const struct call *call);

/** sites_sum - print how many faults there were, and what they did; returns their number */
int sites_sum(void);

/* for calls with nothing to undo, and for those that return an fd */
bool undo_nothing(int result);
bool undo_close(int fd);

/** answer - an ioctl that answers with a number, or a negative errno */
int answer(int fd, unsigned long request, const void *argument);

#endif /* SITES_H */
