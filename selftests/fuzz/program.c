// SPDX-License-Identifier: MIT
/*
 * Programs: made, changed, written and read.  As text, a program is a line of calls.  Each call is
 * a name and its genes in hex, without the zeroes at the end:
 *
 *	open alloc:0004 queue attach:00000101 fill submit:01
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

static uint64_t state = 1;

void random_seed(uint64_t seed)
{
	state = seed * 0x9e3779b97f4a7c15ULL + 1;
}

/* splitmix64 */
uint32_t random_below(uint32_t bound)
{
	uint64_t z = state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return ((z ^ (z >> 31)) >> 32) * bound >> 32;
}

/* Low numbers are the usual cases of every argument, so they are the more likely ones. */
static uint8_t random_gene(void)
{
	switch (random_below(4)) {
	case 0:
		return 0;
	case 1:
		return random_below(4);
	case 2:
		return random_below(40);
	default:
		return random_below(256);
	}
}

static unsigned int kind_of(const char *name, size_t length)
{
	unsigned int kind;

	for (kind = 0; kind < call_kinds; kind++)
		if (strlen(call_name(kind)) == length && !strncmp(call_name(kind), name, length))
			break;
	return kind;
}

static void random_call(struct call *call)
{
	unsigned int total = 0, kind, i;
	uint32_t pick;

	for (kind = 0; kind < call_kinds; kind++)
		total += call_weight(kind);
	pick = random_below(total);
	for (kind = 0; pick >= call_weight(kind); kind++)
		pick -= call_weight(kind);
	call->kind = kind;
	for (i = 0; i < GENES; i++)
		call->gene[i] = random_gene();
}

void program_create(struct program *program)
{
	static const char * const opening[] = {
		"open", "alloc:0005", "queue:00000000", "attach",
	};
	unsigned int count = 2 + random_below(12), i;

	memset(program, 0, sizeof(*program));
	/* without these, most calls would only get bad fds */
	for (i = 0; i < 4; i++) {
		struct program one;

		if (random_below(8) && program_parse(&one, opening[i]))
			program->calls[program->count++] = one.calls[0];
	}
	for (i = 0; i < count; i++)
		random_call(&program->calls[program->count++]);
}

void program_drop(struct program *program, unsigned int index)
{
	program->count--;
	memmove(&program->calls[index], &program->calls[index + 1],
		(program->count - index) * sizeof(program->calls[0]));
}

static void program_insert(struct program *program, unsigned int index, const struct call *call)
{
	struct call copy = *call;

	if (program->count == MAX_CALLS)
		return;
	memmove(&program->calls[index + 1], &program->calls[index],
		(program->count - index) * sizeof(program->calls[0]));
	program->calls[index] = copy;
	program->count++;
}

void program_mutate(struct program *program, const struct program *other)
{
	unsigned int rounds = 1 + random_below(4), from, i;
	struct call call;

	while (rounds--) {
		unsigned int index = random_below(program->count + 1);

		if (!program->count || random_below(8) < 2) {
			random_call(&call);
			program_insert(program, index, &call);
			continue;
		}
		if (index == program->count)
			index--;
		switch (random_below(8)) {
		case 0:
			program_drop(program, index);
			break;
		case 1:	/* repeat a call */
			program_insert(program, random_below(program->count + 1),
				       &program->calls[index]);
			break;
		case 2:	/* take the tail of another program */
			from = random_below(other->count + 1);
			program->count = index + 1;
			for (i = from; i < other->count; i++)
				program_insert(program, program->count, &other->calls[i]);
			break;
		case 3:
			i = random_below(GENES);
			program->calls[index].gene[i] += random_below(2) ? 1 : -1;
			break;
		default:
			program->calls[index].gene[random_below(GENES)] = random_gene();
		}
	}
}

void program_print(const struct program *program, FILE *file)
{
	unsigned int i, j, length;

	for (i = 0; i < program->count; i++) {
		const struct call *call = &program->calls[i];

		fprintf(file, "%s%s", i ? " " : "", call_name(call->kind));
		for (length = GENES; length && !call->gene[length - 1]; length--)
			;
		if (length)
			fputc(':', file);
		for (j = 0; j < length; j++)
			fprintf(file, "%02x", call->gene[j]);
	}
	fputc('\n', file);
}

bool program_parse(struct program *program, const char *line)
{
	memset(program, 0, sizeof(*program));
	for (;;) {
		struct call *call = &program->calls[program->count];
		size_t length;
		int i;

		line += strspn(line, " \n");
		if (!*line)
			return program->count > 0;
		if (program->count == MAX_CALLS)
			return false;
		length = strcspn(line, ": \n");
		call->kind = kind_of(line, length);
		if (call->kind == call_kinds)
			return false;
		line += length;
		if (*line == ':')
			line++;
		for (i = 0; i < GENES && *line && !strchr(" \n", *line); i++) {
			unsigned int value;

			if (sscanf(line, "%2x", &value) != 1 || strlen(line) < 2)
				return false;
			call->gene[i] = value;
			line += 2;
		}
		program->count++;
	}
}
