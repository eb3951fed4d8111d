/* SPDX-License-Identifier: MIT */
/*
 * A fuzzer of the UAPI that follows coverage: see fuzz.c for the loop,
 * program.c for how programs come about, calls.c for what a call does.
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
 * @kind: which of the calls, see calls.c
 * @gene: what its arguments are made of.  Any values are valid: calls.c maps
 *	them onto resources that exist and on numbers worth trying, so that a
 *	mutation never breaks a program
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
/** call_name - name of a kind, as it stands in the corpus */
const char *call_name(unsigned int kind);
/** call_weight - how often it should occur in programs made up from nothing */
unsigned int call_weight(unsigned int kind);
/** program_run - make the calls, then close all that they opened */
void program_run(const struct program *program);

/* program.c */
void random_seed(uint64_t seed);
uint32_t random_below(uint32_t bound);
/** program_create - make one up */
void program_create(struct program *program);
/** program_mutate - change a few things; @other gives parts of itself */
void program_mutate(struct program *program, const struct program *other);
/** program_drop - leave one call out */
void program_drop(struct program *program, unsigned int index);
void program_print(const struct program *program, FILE *file);
/** program_parse - read one line; false if it is not a program */
bool program_parse(struct program *program, const char *line);

#endif /* FUZZ_H */
