// SPDX-License-Identifier: MIT
/* sluicectl program: control a device through its registers, from the shell. */
#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tool.h"

#define MAX_WORDS 5

static uint64_t parse_number(const char *text, unsigned int line)
{
	uint64_t value;
	char *end;

	errno = 0;
	value = strtoull(text, &end, 0);
	if (errno || end == text || *end || *text == '-')
		die("line %u: '%s' is not a number: write a number such as 4092 or 0xffc", line,
		    text);
	return value;
}

/* Parse BAR:OFFSET or BAR:OFFSET/WIDTH.  The width is 4 bytes unless it is given. */
static void parse_register(char *text, unsigned int line, struct sluice_command *command)
{
	char *colon = strchr(text, ':'), *slash = strchr(text, '/');
	uint64_t bar, width = 4;

	if (!colon || (slash && slash < colon))
		die("line %u: '%s' is not a register: write BAR:OFFSET for a register of 4 bytes, "
		    "or BAR:OFFSET/WIDTH", line, text);
	*colon = '\0';
	if (slash) {
		*slash = '\0';
		width = parse_number(slash + 1, line);
	}
	bar = parse_number(text, line);
	command->offset = parse_number(colon + 1, line);
	if (bar > 5)
		die("line %u: there is no BAR %" PRIu64 ": write a number from 0 to 5", line, bar);
	if (width != 1 && width != 2 && width != 4 && width != 8)
		die("line %u: a register has 1, 2, 4 or 8 bytes, not %" PRIu64, line, width);
	if (command->offset % width)
		die("line %u: the offset 0x%" PRIx64 " is not a multiple of the register's width, "
		    "%" PRIu64 " bytes: change the offset, or write BAR:OFFSET/WIDTH with a "
		    "smaller width", line, (uint64_t)command->offset, width);
	command->bar = bar;
	command->width = width;
}

static const struct {
	const char *name;
	uint32_t kind;
	unsigned int fewest, most;	/* words after the name */
	const char *how;
} known[] = {
	{ "write", SLUICE_COMMAND_WRITE, 2, 2, "write REGISTER VALUE" },
	{ "src", SLUICE_COMMAND_WRITE_SRC, 1, 3, "src REGISTER [PLACE [LENGTH]]" },
	{ "dst", SLUICE_COMMAND_WRITE_DST, 1, 3, "dst REGISTER [PLACE [LENGTH]]" },
	{ "src-low", SLUICE_COMMAND_WRITE_SRC, 1, 3, "src-low REGISTER [PLACE [LENGTH]]" },
	{ "dst-low", SLUICE_COMMAND_WRITE_DST, 1, 3, "dst-low REGISTER [PLACE [LENGTH]]" },
	{ "src-high", SLUICE_COMMAND_WRITE_SRC, 1, 3, "src-high REGISTER [PLACE [LENGTH]]" },
	{ "dst-high", SLUICE_COMMAND_WRITE_DST, 1, 3, "dst-high REGISTER [PLACE [LENGTH]]" },
	{ "poll", SLUICE_COMMAND_POLL, 4, 4, "poll REGISTER MASK VALUE MICROSECONDS" },
	{ "interrupt", SLUICE_COMMAND_INTERRUPT, 1, 1, "interrupt NUMBER" },
};

static void parse_command(char **words, unsigned int count, unsigned int line,
			  struct sluice_command *command)
{
	uint64_t numbers[MAX_WORDS] = {};
	unsigned int i, which;

	for (which = 0; which < sizeof(known) / sizeof(known[0]); which++)
		if (!strcmp(words[0], known[which].name))
			break;
	if (which == sizeof(known) / sizeof(known[0]))
		die("line %u: there is no command '%s': the commands are write, src, src-low, "
		    "src-high, dst, dst-low, dst-high, poll and interrupt", line, words[0]);
	if (count - 1 < known[which].fewest || count - 1 > known[which].most)
		die("line %u: '%s' has too few or too many arguments: write it as '%s'", line,
		    words[0], known[which].how);
	*command = (struct sluice_command) { .kind = known[which].kind };
	if (command->kind == SLUICE_COMMAND_INTERRUPT) {
		command->value = parse_number(words[1], line);
		return;
	}
	parse_register(words[1], line, command);
	for (i = 2; i < count; i++)
		numbers[i - 2] = parse_number(words[i], line);
	if (command->kind == SLUICE_COMMAND_POLL) {
		command->mask = numbers[0];
		command->value = numbers[1];
		command->timeout_us = numbers[2];
		if (command->value & ~command->mask)
			die("line %u: the value 0x%" PRIx64 " has bits outside the mask 0x%" PRIx64
			    ", so the poll can never match: clear these bits", line, numbers[1],
			    numbers[0]);
	} else {
		command->value = numbers[0];
		command->length = numbers[1];
	}
	if (strstr(words[0], "-low"))
		command->part = SLUICE_ADDRESS_LOW;
	if (strstr(words[0], "-high"))
		command->part = SLUICE_ADDRESS_HIGH;
	if (command->part && command->width != 4)
		die("line %u: %s needs a register of 4 bytes, not %u: write BAR:OFFSET", line,
		    words[0], command->width);
	if (command->width < 4 && (command->kind == SLUICE_COMMAND_WRITE_SRC ||
				   command->kind == SLUICE_COMMAND_WRITE_DST))
		die("line %u: an address needs a register of 4 or 8 bytes, not %u: write "
		    "BAR:OFFSET or BAR:OFFSET/8", line, command->width);
	if (command->width < 8 && command->kind != SLUICE_COMMAND_WRITE_SRC &&
	    command->kind != SLUICE_COMMAND_WRITE_DST &&
	    (command->value | command->mask) >> (8 * command->width))
		die("line %u: 0x%" PRIx64 " does not fit into a register of %u bytes: write a "
		    "smaller number, or BAR:OFFSET/WIDTH with a larger width", line,
		    (uint64_t)(command->value | command->mask), command->width);
}

/* Each line has one command.  Empty lines, and text after a '#', are ignored. */
static unsigned int read_commands(struct sluice_command *commands)
{
	unsigned int count = 0, line = 0;
	size_t room = 0;
	char *text = NULL;
	int error;

	while (errno = 0, getline(&text, &room, stdin) >= 0) {
		char *words[MAX_WORDS + 1], *comment = strchr(text, '#'), *rest = text, *word;
		unsigned int found = 0;

		line++;
		if (comment)
			*comment = '\0';
		while ((word = strsep(&rest, " \t\n")))
			if (*word && found <= MAX_WORDS)
				words[found++] = word;
		if (!found)
			continue;
		if (count == SLUICE_MAX_COMMANDS)
			die("line %u: a program has at most %u commands: split it into several",
			    line, SLUICE_MAX_COMMANDS);
		parse_command(words, found, line, &commands[count++]);
	}
	error = errno;
	free(text);
	if (ferror(stdin))
		die("cannot read the commands from standard input: %s", strerror(error));
	if (!count)
		die("there are no commands: write them to standard input, one on each line");
	return count;
}

/* Submit the program.  Errors that the user can correct have messages of their own. */
static void submit_program(int queue, const struct sluice_op *op, bool wants_fence, int *fence)
{
	struct sluice_submit args = {
		.ops = (uintptr_t)op,
		.num_ops = 1,
		.op_size = sizeof(*op),
		.flags = wants_fence ? SLUICE_SUBMIT_OUT_FENCE : 0,
		.fd_flags = wants_fence ? SLUICE_FD_INHERIT : 0,
	};

	if (!ioctl(queue, SLUICE_IOCTL_SUBMIT, &args)) {
		*fence = args.out_fence;
		return;
	}
	switch (errno) {
	case EACCES:
		die("root has not allowed a register of the program: as root, write the ranges of "
		    "all its registers, each as BAR:OFFSET+LENGTH, to the file 'registers' of the "
		    "device in /sys/bus/pci/devices");
	case EPERM:
		die("this kernel is locked down, as with Secure Boot, so a program may use no "
		    "register: use a device driver for this device instead of sluice-pci");
	case EADDRNOTAVAIL:
		die("an address of the program cannot be written: the memory has several segments "
		    "(use --heap contiguous, or give src and dst a LENGTH), or the address needs "
		    "more than a register of 4 bytes (use src-low and src-high)");
	case ERANGE:
		die("a command names memory outside the buffer: check its PLACE and LENGTH against "
		    "--size and --from");
	case EINVAL:
		die("the device has no such interrupt ('sluicectl info' shows how many it has), or "
		    "the times of all polls are more than %u us together", SLUICE_MAX_POLL_US);
	}
	check(-errno, "submit the program");
}

/* Pass the buffer and the fence to @command.  The job is usually still running then. */
static void run_then(const char *command, int dmabuf, int fence, uint64_t size)
{
	char text[24];
	int status;

	snprintf(text, sizeof(text), "%d", dmabuf);
	setenv("SLUICE_BUFFER", text, 1);
	snprintf(text, sizeof(text), "%d", fence);
	setenv("SLUICE_FENCE", text, 1);
	snprintf(text, sizeof(text), "%" PRIu64, size);
	setenv("SLUICE_SIZE", text, 1);
	fflush(stdout);
	status = system(command);
	if (status)
		die("the command of --then failed with status %d",
		    WIFEXITED(status) ? WEXITSTATUS(status) : -1);
}

static void print_result(const struct options *options, const struct sluice_info *info,
			 unsigned int count, double seconds, uint64_t point)
{
	struct json_object *object;

	if (!options->json) {
		printf("%s did %u commands in %.1f ms (point %" PRIu64 ")\n", info->name, count,
		       seconds * 1e3, point);
		return;
	}
	object = json_object_new_object();
	json_add_string(object, "device", info->name);
	json_add_number(object, "commands", count);
	json_add_double(object, "seconds", seconds);
	json_add_number(object, "point", point);
	print_json(object);
}

int do_program(const struct options *options)
{
	static struct sluice_command commands[SLUICE_MAX_COMMANDS];
	const char *heap = options->heap_given ? options->heap : "contiguous";
	uint64_t size = options->size, src_size = options->size;
	struct sluice_completion completion;
	struct sluice_info info;
	int device;
	int queue, src, dst, copy = -1, fence = -1;
	void *data = NULL, *memory;
	struct target *target = NULL;
	struct sluice_op op;
	unsigned int count;
	double began;

	if (options->from && !strcmp(options->from, "-"))
		die_usage("--from - is not possible here, because standard input has the commands: "
			  "name a file");
	count = read_commands(commands);
	device = open_device(options->device, &info);
	need_op(&info, SLUICE_OP_PROGRAM, "run programs");
	if (options->to)
		target = open_target(options->to);
	if (options->from) {
		data = read_file(options->from, 0, info.open_limit, &src_size);
		if (!options->size_given)
			size = src_size;
	}
	src = new_buffer(device, heap, src_size);
	dst = new_buffer(device, heap, size);
	if (data) {
		memory = map_buffer(src, src_size);
		check(sluice_cpu_begin(src, true), "write to the buffer");
		memcpy(memory, data, src_size);
		check(sluice_cpu_end(src, true), "write to the buffer");
		free(data);
	}
	queue = open_queue(device, &info);
	sluice_op_program(&op, commands, count);
	sluice_program_src(&op, attach_buffer(queue, src, SLUICE_ATTACH_READ), 0, src_size);
	sluice_program_dst(&op, attach_buffer(queue, dst, SLUICE_ATTACH_WRITE), 0, size);
	began = seconds_now();
	submit_program(queue, &op, options->then, &fence);
	if (options->then) {
		copy = dup(dst);	/* not close-on-exec: the command inherits it */
		check(copy < 0 ? -errno : 0, "duplicate the fd of the buffer");
		run_then(options->then, copy, fence, size);
		close(copy);
		close(fence);
	}
	completion = read_completion(queue, "running the program");
	began = seconds_now() - began;
	if (target) {
		memory = map_buffer(dst, size);
		check(sluice_cpu_begin(dst, false), "read the buffer");
		write_target(target, memory, size);
		check(sluice_cpu_end(dst, false), "read the buffer");
		close_target(target);
	}
	print_result(options, &info, count, began, completion.point);
	return 0;
}
