/* SPDX-License-Identifier: MIT */
/*
 * What the loops of races share: their clock, their counts, and threads that
 * have one queue fd in their hands together.
 *
 * RACES_SECONDS in the environment is the time of each loop that reaches its goals in
 * it, RACES_SEED the start of the random numbers.
 */
#ifndef LOOP_H
#define LOOP_H

#include <stdatomic.h>
#include <stdbool.h>

#define RACES_SIZE 32768UL	/* of a buffer */
#define LOOP_MORE 300		/* seconds that a loop may take beyond its time */
#define RACES_TIMEOUT 7200	/* for the harness: the loops have clocks of their own */

/* the loop is over: threads end */
extern atomic_bool over;
/* calls made, and calls that found their device gone */
extern atomic_ulong calls, cut;

/** setting - a number from the environment */
unsigned int setting(const char *name, unsigned int fallback);

/** loop_begin - start the clock, the counts from 0, and without goals */
void loop_begin(void);

/**
 * loop_add_goal - an event that a loop has to see
 * @what: its name in messages
 * @seen: how often the loop has seen it; set to 0
 * @least: how often it must
 *
 * Whether threads cause an event is chance, and on a slow machine they do little in the
 * loop's time.  A loop that has not reached its goals by then goes on for longer.
 */
void loop_add_goal(const char *what, atomic_ulong *seen, unsigned long least);

/**
 * loop_goes_on - is there time left, or a goal that has not been reached?
 *
 * Writes a line now and then: a guest that is silent for long counts as hung.
 */
bool loop_goes_on(void);

/** loop_reached_goals - has the loop reached all its goals?  Prints those that it has not. */
bool loop_reached_goals(void);

/** count - a call has returned this; passes it on */
int count(int result);

/** pause_up_to - sleep a random time, in microseconds */
void pause_up_to(unsigned int *seed, unsigned int us);

/**
 * struct hands - one queue fd in many hands
 * @name: device of the queue; opened anew for each queue, if it can be
 * @queue: number of the fd, which is replaced all the time
 * @seed: of this thread's random numbers
 * @pause: microseconds between calls, at most; 1 for none
 */
struct hands {
	const char *name;
	int queue;
	unsigned int seed;
	unsigned int pause;
};

/** use_queue - thread: every call that a queue has, with a number that may be any queue, or none */
void *use_queue(void *hands);

/** replace_queue - thread: give the number to another queue, in the middle of the others' calls */
void *replace_queue(void *hands);

#endif /* LOOP_H */
