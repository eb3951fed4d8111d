// SPDX-License-Identifier: MIT
/* Shared cache lines: see lines.h. */
#include <stdlib.h>

#include "lines.h"

#define HASH		(1 << 16)
#define LINE_BITS	6

/* The accesses of an instruction to a line. */
struct use {
	const struct place *place;
	const struct place *caller;
	uint64_t address;	/* the last address in the line */
	uint32_t loads;
	uint32_t stores;
	struct use *next;
};

struct line {
	uint64_t number;	/* the physical address of the line, divided by its size */
	uint32_t touched[MAX_CPUS];	/* steps that accessed it */
	uint32_t written[MAX_CPUS];	/* steps that wrote to it */
	uint32_t last_touched[MAX_CPUS];	/* the last of them */
	uint32_t last_written[MAX_CPUS];
	struct use *uses;
	struct line *next;
};

static struct line *lines[HASH];

static void free_uses(struct line *line)
{
	while (line->uses) {
		struct use *use = line->uses;

		line->uses = use->next;
		free(use);
	}
}

void lines_forget(void)
{
	size_t i;

	for (i = 0; i < HASH; i++)
		while (lines[i]) {
			struct line *line = lines[i];

			lines[i] = line->next;
			free_uses(line);
			free(line);
		}
}

static void *zeroed(size_t size)
{
	void *memory = calloc(1, size);

	if (!memory) {
		fputs("profile: out of memory\n", stderr);
		exit(1);
	}
	return memory;
}

static struct line *find_line(uint64_t number)
{
	struct line **head = &lines[(number ^ number >> 16) % HASH], *line;

	for (line = *head; line; line = line->next)
		if (line->number == number)
			return line;
	line = zeroed(sizeof(*line));
	line->number = number;
	line->next = *head;
	*head = line;
	return line;
}

static struct use *find_use(struct line *line, const struct place *place,
			    const struct place *caller)
{
	struct use *use;

	for (use = line->uses; use; use = use->next)
		if (use->place == place && use->caller == caller)
			return use;
	use = zeroed(sizeof(*use));
	use->place = place;
	use->caller = caller;
	use->next = line->uses;
	line->uses = use;
	return use;
}

void lines_touched(unsigned int cpu, const struct place *place, uint64_t physical,
		   uint64_t address, bool store)
{
	uint32_t step = count_step(cpu);
	struct line *line;
	struct use *use;

	if (!step || place->flags & PLACE_USER)
		return;
	line = find_line(physical >> LINE_BITS);
	use = find_use(line, place, count_caller(cpu));
	use->address = address;
	if (line->last_touched[cpu] != step)
		line->touched[cpu]++;
	line->last_touched[cpu] = step;
	if (store) {
		if (line->last_written[cpu] != step)
			line->written[cpu]++;
		line->last_written[cpu] = step;
		use->stores++;
	} else {
		use->loads++;
	}
}

/* Written by one CPU, and touched by another? */
static int is_shared(const struct line *line)
{
	unsigned int touching = 0, writing = 0, cpu;

	for (cpu = 0; cpu < MAX_CPUS; cpu++) {
		touching += !!line->touched[cpu];
		writing += !!line->written[cpu];
	}
	return writing && touching > 1;
}

static void print_line(FILE *out, const struct line *line)
{
	unsigned long long touched = 0, written = 0;
	unsigned int touching = 0, writing = 0, cpu;
	struct use *use;

	for (cpu = 0; cpu < MAX_CPUS; cpu++) {
		touched += line->touched[cpu];
		written += line->written[cpu];
		touching += !!line->touched[cpu];
		writing += !!line->written[cpu];
	}
	fprintf(out, "line %llx %llu %llu %u %u\n", (unsigned long long)line->number << LINE_BITS,
		touched, written, touching, writing);
	for (use = line->uses; use; use = use->next)
		fprintf(out, "use %llx %llx %llx %u %u\n", (unsigned long long)use->place->address,
			use->caller ? (unsigned long long)use->caller->address : 0,
			(unsigned long long)use->address, use->loads, use->stores);
}

void lines_print(FILE *out)
{
	struct line *line;
	size_t i;

	for (i = 0; i < HASH; i++)
		for (line = lines[i]; line; line = line->next)
			if (is_shared(line))
				print_line(out, line);
}
