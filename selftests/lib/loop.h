/* SPDX-License-Identifier: MIT */
/*
 * For the loops of races: their clock, their counts, and threads that share one queue fd.
 *
 * In the environment, RACES_SECONDS is the time of each loop that reaches its goals in this time,
 * and RACES_SEED is the seed of the random numbers.
 */
#ifndef LOOP_H
#define LOOP_H

#include <stdatomic.h>
#include <stdbool.h>

#define RACES_SIZE 32768UL	/* size of a buffer */
#define LOOP_MORE 300		/* most seconds that a loop may take beyond its time */
#define RACES_TIMEOUT 7200	/* long, because the loops have clocks of their own */

/* the loop is over, and its threads must end */
extern atomic_bool over;
/* calls, and calls that failed because their device was removed */
extern atomic_ulong calls, cut;

/** setting - a number from the environment */
unsigned int setting(const char *name, unsigned int fallback);

/** loop_begin - start the clock; set the counts to 0, and remove all goals */
void loop_begin(void);

/**
 * loop_add_goal - add an event that a loop must see
 * @what: its name in messages
 * @seen: how often the loop has seen it; set to 0
 * @least: how often the loop must see it
 *
 * Threads cause events by chance, and do little on a slow machine.  A loop that has not reached its
 * goals in its time takes longer.
 */
void loop_add_goal(const char *what, atomic_ulong *seen, unsigned long least);

/**
 * loop_goes_on - is there time left, or a goal that has not been reached?
 *
 * Prints a line now and then: a guest that is silent for long counts as hung.
 */
bool loop_goes_on(void);

/** loop_reached_goals - has the loop reached all its goals?  Prints those that it has not. */
bool loop_reached_goals(void);

/** count - count a call by its result, and return the result */
int count(int result);

/** pause_up_to - sleep for a random time, at most @us microseconds */
void pause_up_to(unsigned int *seed, unsigned int us);

/**
 * struct hands - one queue fd that several threads use
 * @name: device of the queue; opened again for each queue, if possible
 * @queue: number of the fd, which is replaced all the time
 * @seed: seed of this thread's random numbers
 * @pause: most microseconds between calls; 1 for none
 */
struct hands {
	const char *name;
	int queue;
	unsigned int seed;
	unsigned int pause;
};

/** use_queue - thread: make all calls on the fd, which may be any queue, or none */
void *use_queue(void *hands);

/** replace_queue - thread: replace the queue of the fd during other threads' calls */
void *replace_queue(void *hands);

#endif /* LOOP_H */
