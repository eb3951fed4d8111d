// SPDX-License-Identifier: MIT
/* The counters of the plugin: see count.h. */
#include <stdlib.h>
#include <string.h>

#include "count.h"
#include "decode.h"

#define HASH		(1 << 16)
#define MAX_NESTED	8	/* interrupts and exceptions */
#define MAX_CALLS	64	/* of the calls around an instruction, the last are kept */

/* Some instructions in a row with interrupts off. */
struct stretch {
	uint64_t length;
	uint64_t start;		/* address of the first */
	uint64_t caller;	/* where the function with @start has returned to, or 0 */
};

struct count {
	struct place *place;
	uint32_t count;
	uint32_t below;
};

struct call {
	const struct place *place;
	struct place *owner;	/* the last call of a module so far, or NULL */
};

/* A step that has ended. */
struct step {
	uint64_t total;
	unsigned int cpu;
	struct stretch longest;
	size_t num_counts;
	struct count *counts;
};

/* A CPU, in its present step. */
struct cpu {
	bool in_step;
	bool counts;		/* it is in a step, and not in a pause */
	bool mixed;		/* another step has begun in it */
	uint32_t step;		/* the number of the step, from 1 on */
	uint64_t total;
	struct place **touched;	/* places with a count in this step */
	size_t num_touched;
	size_t max_touched;
	bool off;		/* interrupts are off */
	unsigned int depth;	/* calls since @now has begun */
	bool returned;		/* the next instruction is in the caller */
	struct stretch now;
	struct stretch longest;
	unsigned int num_nested;
	bool nested[MAX_NESTED];	/* was @off before each interrupt? */
	unsigned int num_calls;
	struct call calls[MAX_CALLS];
};

static struct place *places[HASH];
static struct cpu cpus[MAX_CPUS];
static struct step *steps;
static size_t num_steps, max_steps;

static void *need(void *memory)
{
	if (!memory) {
		fputs("profile: out of memory\n", stderr);
		exit(1);
	}
	return memory;
}

/* Room for one more in an array. */
static void *grow(void *array, size_t count, size_t *most, size_t size)
{
	if (count < *most)
		return array;
	*most = *most ? *most * 2 : 256;
	return need(realloc(array, *most * size));
}

struct place *place_find(uint64_t address, unsigned int flags)
{
	struct place **head = &places[((address ^ address >> 16) + flags) % HASH], *place;

	for (place = *head; place; place = place->next)
		if (place->address == address && place->flags == flags)
			return place;
	place = need(calloc(1, sizeof(*place)));
	place->address = address;
	place->flags = flags;
	place->next = *head;
	*head = place;
	return place;
}

void count_side(void)
{
	size_t i;

	for (i = 0; i < num_steps; i++)
		free(steps[i].counts);
	num_steps = 0;
}

void count_begin(unsigned int cpu)
{
	struct cpu *c = &cpus[cpu];

	c->mixed = c->in_step;
	c->in_step = true;
	c->counts = true;
	c->step++;
	c->total = 0;
	c->num_calls = 0;
	c->off = false;
	c->num_nested = 0;
	c->longest = (struct stretch) {};
}

void count_pause(unsigned int cpu, bool pause)
{
	cpus[cpu].counts = cpus[cpu].in_step && !pause;
}

/* Make a record of the counters of the step that ends. */
static void keep_step(struct cpu *c, unsigned int cpu)
{
	struct step *step;
	size_t i;

	steps = grow(steps, num_steps, &max_steps, sizeof(*steps));
	step = &steps[num_steps++];
	*step = (struct step) { .total = c->total, .cpu = cpu, .longest = c->longest };
	step->counts = need(calloc(c->num_touched + 1, sizeof(*step->counts)));
	step->num_counts = c->num_touched;
	for (i = 0; i < c->num_touched; i++) {
		step->counts[i].place = c->touched[i];
		step->counts[i].count = c->touched[i]->now[cpu];
		step->counts[i].below = c->touched[i]->now_below[cpu];
	}
}

void count_end(unsigned int cpu)
{
	struct cpu *c = &cpus[cpu];
	size_t i;

	if (!c->in_step)
		return;
	c->in_step = false;
	c->counts = false;
	/* the steps of two threads cannot be told apart: neither counts */
	if (!c->mixed)
		keep_step(c, cpu);
	for (i = 0; i < c->num_touched; i++)
		c->touched[i]->now[cpu] = c->touched[i]->now_below[cpu] = 0;
	c->num_touched = 0;
}

void count_void(unsigned int cpu)
{
	size_t i = num_steps;

	while (i && steps[i - 1].cpu != cpu)
		i--;
	if (!i)
		return;
	free(steps[i - 1].counts);
	memmove(&steps[i - 1], &steps[i], (num_steps - i) * sizeof(*steps));
	num_steps--;
}

uint32_t count_step(unsigned int cpu)
{
	return cpus[cpu].counts ? cpus[cpu].step : 0;
}

static void interrupts_go_off(struct cpu *c)
{
	if (c->off)
		return;
	c->off = true;
	c->now = (struct stretch) {};
	c->depth = 0;
	c->returned = false;
}

static void interrupts_go_on(struct cpu *c)
{
	if (c->off && c->now.length > c->longest.length)
		c->longest = c->now;
	c->off = false;
}

/* Interrupts were on, if an interrupt came; an exception comes at any time. */
static void enter(struct cpu *c)
{
	if (c->num_nested < MAX_NESTED)
		c->nested[c->num_nested++] = c->off;
	interrupts_go_off(c);
}

static void leave(struct cpu *c)
{
	/* another task than the one that was interrupted: it can only have had them on */
	bool off = c->num_nested ? c->nested[--c->num_nested] : false;

	if (!off)
		interrupts_go_on(c);
}

/* Follow calls, to know who has called the function that switches interrupts off. */
static void follow(struct cpu *c, const struct place *place)
{
	if (!c->now.length)
		c->now.start = place->address;
	c->now.length++;
	if (c->now.caller)
		return;
	if (c->returned)
		c->now.caller = place->address;
	else if (place->flags & INSN_CALL)
		c->depth++;
	else if (place->flags & INSN_RET && c->depth)
		c->depth--;
	else if (place->flags & INSN_RET)
		c->returned = true;
}

static void track_interrupts(struct cpu *c, const struct place *place)
{
	if (place->flags & PLACE_USER) {
		interrupts_go_on(c);
		c->num_nested = 0;
	}
	if (place->flags & PLACE_ENTRY)
		enter(c);
	if (c->off)
		follow(c, place);
	if (place->flags & (INSN_CLI | INSN_SYSCALL))
		interrupts_go_off(c);
	else if (place->flags & (INSN_STI | INSN_SYSRET))
		interrupts_go_on(c);
	else if (place->flags & INSN_IRET)
		leave(c);
}

static struct call *last_call(struct cpu *c)
{
	return c->num_calls ? &c->calls[(c->num_calls - 1) % MAX_CALLS] : NULL;
}

static void track_calls(struct cpu *c, unsigned int cpu, struct place *place)
{
	struct call *last = last_call(c);
	struct place *owner = last ? last->owner : NULL;

	if (owner && !(place->flags & (PLACE_MODULE | PLACE_USER)))
		owner->now_below[cpu]++;
	if (place->flags & INSN_CALL)
		c->calls[c->num_calls++ % MAX_CALLS] = (struct call) {
			.place = place, .owner = place->flags & PLACE_MODULE ? place : owner,
		};
	else if (place->flags & INSN_RET && c->num_calls)
		c->num_calls--;
}

const struct place *count_caller(unsigned int cpu)
{
	const struct call *last = last_call(&cpus[cpu]);

	return last ? last->place : NULL;
}

void count_executed(unsigned int cpu, struct place *place)
{
	struct cpu *c = &cpus[cpu];

	if (!c->counts)
		return;
	c->total++;
	if (!place->now[cpu]++) {
		c->touched = grow(c->touched, c->num_touched, &c->max_touched,
				  sizeof(struct place *));
		c->touched[c->num_touched++] = place;
	}
	track_interrupts(c, place);
	track_calls(c, cpu, place);
}

static int compare(const void *a, const void *b)
{
	const struct step *x = a, *y = b;

	return x->total < y->total ? -1 : x->total > y->total;
}

static void print_places(FILE *out)
{
	struct place *place;
	size_t i;

	for (i = 0; i < HASH; i++)
		for (place = places[i]; place; place = place->next) {
			if (place->sum)
				fprintf(out, "place %llx %x %llu %llu\n",
					(unsigned long long)place->address, place->flags,
					(unsigned long long)place->sum,
					(unsigned long long)place->sum_below);
			place->sum = place->sum_below = 0;
		}
}

static void print_stretch(FILE *out, const char *name, const struct stretch *stretch)
{
	fprintf(out, "%s %llu %llx %llx\n", name, (unsigned long long)stretch->length,
		(unsigned long long)stretch->start, (unsigned long long)stretch->caller);
}

void count_print(FILE *out)
{
	struct stretch longest = {}, worst = {};
	size_t first = num_steps / 4, last = num_steps - num_steps / 4, i, j;
	uint64_t total = 0;

	qsort(steps, num_steps, sizeof(*steps), compare);
	for (i = 0; i < num_steps; i++) {
		if (steps[i].longest.length > worst.length)
			worst = steps[i].longest;
		if (i < first || i >= last)
			continue;
		if (steps[i].longest.length > longest.length)
			longest = steps[i].longest;
		total += steps[i].total;
		for (j = 0; j < steps[i].num_counts; j++) {
			steps[i].counts[j].place->sum += steps[i].counts[j].count;
			steps[i].counts[j].place->sum_below += steps[i].counts[j].below;
		}
	}
	fprintf(out, "steps %zu %zu %llu %llu\n", num_steps, last - first,
		(unsigned long long)(num_steps ? steps[num_steps / 2].total : 0),
		(unsigned long long)total);
	print_stretch(out, "off", &longest);
	print_stretch(out, "worst", &worst);
	print_places(out);
}
