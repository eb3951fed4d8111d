/* SPDX-License-Identifier: MIT */
/*
 * A fuzzer of the UAPI that follows coverage: see fuzz.c for the loop, program.c for making
 * programs, calls.c for the calls.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define GENES		8
#define MAX_CALLS	32

/**
 * struct call - one step of a program
 * @kind: number of the call, see calls.c
 * @gene: values for its arguments.  Any values are valid: calls.c maps them to resources that exist
 *	and to numbers worth trying, so a mutation never makes a program invalid
 */
struct call {
	uint8_t kind;
	uint8_t gene[GENES];
};

/** struct program - calls that one process makes, in order */
struct program {
	unsigned int count;
	struct call calls[MAX_CALLS];
};

/* calls.c */
extern const unsigned int call_kinds;
/** call_name - name of a kind in the corpus */
const char *call_name(unsigned int kind);
/** call_weight - how often a call should occur in new programs */
unsigned int call_weight(unsigned int kind);
/** program_run - make the calls, then close all that they have opened */
void program_run(const struct program *program);

/* program.c */
void random_seed(uint64_t seed);
uint32_t random_below(uint32_t bound);
/** program_create - make a random program */
void program_create(struct program *program);
/** program_mutate - change a program a little, also with parts of @other */
void program_mutate(struct program *program, const struct program *other);
/** program_drop - remove one call */
void program_drop(struct program *program, unsigned int index);
void program_print(const struct program *program, FILE *file);
/** program_parse - parse one line; false if it is not a program */
bool program_parse(struct program *program, const char *line);

#endif /* FUZZ_H */
