/* SPDX-License-Identifier: MIT */
/*
 * The counters of the plugin: how often each instruction is executed in a step, and how long
 * interrupts are off.
 *
 * QEMU calls the plugin from one thread (tcg,thread=single), so there are no locks.
 */
#ifndef BENCH_COUNT_H
#define BENCH_COUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define MAX_CPUS	16

/* besides those of decode.h */
#define PLACE_USER	(1 << 16)	/* an instruction of a program */
#define PLACE_ENTRY	(1 << 17)	/* the first instruction of an interrupt or an exception */
#define PLACE_MODULE	(1 << 18)	/* an instruction of a module of the kernel */

/**
 * struct place - an instruction in memory
 * @address: its address; 0 for all instructions of programs
 * @flags: enum insn_flags, PLACE_USER, PLACE_ENTRY
 * @sum: executions in the steps that count; for count_print()
 * @sum_below: for a call in a module, executions below it; for count_print()
 * @now: executions in the present step of each CPU
 * @now_below: for a call in a module, executions in functions of the kernel that it has called, or
 *	that these have called; up to the next call in a module
 * @next: in the list of the hash
 */
struct place {
	uint64_t address;
	unsigned int flags;
	uint64_t sum;
	uint64_t sum_below;
	uint32_t now[MAX_CPUS];
	uint32_t now_below[MAX_CPUS];
	struct place *next;
};

/** place_find - the place of an instruction; never NULL */
struct place *place_find(uint64_t address, unsigned int flags);

/** count_side - forget all steps: another side begins */
void count_side(void);

/** count_begin - a step of this CPU begins */
void count_begin(unsigned int cpu);

/** count_pause - the step does not count from here on, or counts again */
void count_pause(unsigned int cpu, bool pause);

/** count_end - the step of this CPU ends */
void count_end(unsigned int cpu);

/** count_void - the last step of this CPU does not count */
void count_void(unsigned int cpu);

/** count_step - the number of the present step of this CPU, or 0 if no step counts now */
uint32_t count_step(unsigned int cpu);

/** count_caller - the instruction that has called the present function of this CPU, or NULL */
const struct place *count_caller(unsigned int cpu);

/** count_executed - this CPU executes an instruction */
void count_executed(unsigned int cpu, struct place *place);

/**
 * count_print - write the counters of the side
 * @out: the file
 *
 * Only steps count whose number of instructions is between the quartiles. For one that a timer's
 * interrupt has hit is no typical step, and the bench takes the median.
 */
void count_print(FILE *out);

#endif /* BENCH_COUNT_H */
