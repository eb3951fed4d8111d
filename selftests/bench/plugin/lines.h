/* SPDX-License-Identifier: MIT */
/*
 * Shared cache lines: lines of 64 bytes that one CPU writes in a step, and that another CPU reads
 * or writes in a step. Only accesses of the kernel count.
 */
#ifndef BENCH_LINES_H
#define BENCH_LINES_H

#include "count.h"

/** lines_forget - forget all accesses */
void lines_forget(void);

/**
 * lines_touched - an instruction of a step has accessed memory
 * @cpu: the CPU
 * @place: the instruction
 * @physical: the physical address
 * @address: the address in the kernel
 * @store: it was a write
 */
void lines_touched(unsigned int cpu, const struct place *place, uint64_t physical,
		   uint64_t address, bool store);

/** lines_print - write the shared lines */
void lines_print(FILE *out);

#endif /* BENCH_LINES_H */
