// SPDX-License-Identifier: MIT
/* The options of all commands: one table, by which the command line is read and help is printed. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"

/* getopt_long() returns this plus the number of an option: no letter has so large a number */
#define LONG_ONLY 256

const struct option_row option_rows[NUM_OPTIONS] = {
	[OPTION_HEAP] = { "heap", "NAME", "heap of the buffer, or memfd (default: pages)" },
	[OPTION_SIZE] = { "size", "BYTES", "size of the buffer (default: 64K)" },
	[OPTION_GEOMETRY] = { "geometry", "WxH", "width and height of an image, in pixels" },
	[OPTION_FRAMES] = { "frames", "N", "number of frames (default: 1)" },
	[OPTION_FROM] = { "from", "FILE", "source of the data; - for standard input" },
	[OPTION_TO] = { "to", "FILE", "file for the result; - for standard output" },
	[OPTION_THEN] = { "then", "COMMAND", "shell command to run when the job is submitted" },
	[OPTION_COUNT] = { "count", "N", "number of events (default: unlimited)" },
	[OPTION_JSON] = { "json", NULL, "print JSON, one object on each line" },
	[OPTION_COLOR] = { "color", "WHEN", "use colours: auto (default), always or never" },
	[OPTION_HELP] = { "help", NULL, "print this help" },
};

/* A size in bytes, at most INT64_MAX: rounding it up to whole pages must not overflow. */
static uint64_t parse_size(const char *text)
{
	char *end;
	uint64_t size, unit = 1;

	errno = 0;
	size = strtoull(text, &end, 0);
	switch (*end) {
	case 'G': case 'g': unit <<= 10; /* fall through */
	case 'M': case 'm': unit <<= 10; /* fall through */
	case 'K': case 'k': unit <<= 10; end++;
	}
	if (errno || end == text || *end || !size || *text == '-' || size > INT64_MAX / unit)
		die_usage("--size '%s' is not a size: write a number of bytes from 1 on, such as "
			  "65536, 64K or 1M", text);
	return size * unit;
}

/* A number of frames, events, lines or columns: from 1 to @max, without other characters. */
static bool parse_count(const char *text, unsigned long max, unsigned int *count)
{
	unsigned long value;
	char *end;

	errno = 0;
	value = strtoul(text, &end, 10);
	*count = value;
	return !errno && end != text && !*end && *text != '-' && value && value <= max;
}

static void parse_geometry(const char *text, struct options *options)
{
	char copy[32], *height;

	if (snprintf(copy, sizeof(copy), "%s", text) < (int)sizeof(copy)) {
		height = strchr(copy, 'x');
		if (height)
			*height++ = '\0';
		if (height && parse_count(copy, 65536, &options->width) &&
		    parse_count(height, 65536, &options->height))
			return;
	}
	die_usage("--geometry '%s' is not a geometry: write width and height in pixels, each from "
		  "1 to 65536, such as 640x480", text);
}

static enum color_mode parse_color(const char *text)
{
	static const char * const words[] = {
		[COLOR_AUTO] = "auto", [COLOR_ALWAYS] = "always", [COLOR_NEVER] = "never",
	};
	enum color_mode mode;

	for (mode = COLOR_AUTO; mode <= COLOR_NEVER; mode++)
		if (!strcmp(text, words[mode]))
			return mode;
	die_usage("--color '%s' is not known: write auto, always or never", text);
}

static void parse_option(enum option_id id, const char *value, struct options *options)
{
	switch (id) {
	case OPTION_HEAP:
		options->heap = value;
		options->heap_given = true;
		break;
	case OPTION_SIZE:
		options->size = parse_size(value);
		options->size_given = true;
		break;
	case OPTION_GEOMETRY:
		parse_geometry(value, options);
		break;
	case OPTION_FRAMES:
		if (!parse_count(value, UINT32_MAX, &options->frames))
			die_usage("--frames '%s' is not a number of frames: write a number from 1 "
				  "to 4294967295", value);
		break;
	case OPTION_FROM:
		options->from = value;
		break;
	case OPTION_TO:
		options->to = value;
		break;
	case OPTION_THEN:
		options->then = value;
		break;
	case OPTION_COUNT:
		if (!parse_count(value, UINT32_MAX, &options->count))
			die_usage("--count '%s' is not a number of events: write a number from 1 "
				  "to 4294967295", value);
		break;
	case OPTION_JSON:
		options->json = true;
		break;
	case OPTION_COLOR:
		set_color(parse_color(value));
		break;
	case OPTION_HELP:
		options->help = true;
		break;
	case OPTION_NONE:
	case NUM_OPTIONS:
		break;
	}
}

static bool accepts(const struct command *command, enum option_id id)
{
	const struct option_use *use;

	for (use = command->options; use->id; use++)
		if (use->id == id)
			return true;
	return id == OPTION_HELP;
}

/* The arguments behind the options. */
static void parse_arguments(const struct command *command, char **words, int count,
			    struct options *options)
{
	static const int most[] = { [TAKES_NOTHING] = 0, [TAKES_DEVICE] = 1, [TAKES_CONTROL] = 2 };

	if (command->takes != TAKES_NOTHING && !count)
		die_usage("'sluicectl %s' needs a device: 'sluicectl list' lists the devices",
			  command->name);
	if (count > most[command->takes])
		switch (command->takes) {
		case TAKES_NOTHING:
			die_usage("unexpected argument '%s': 'sluicectl %s' takes no arguments",
				  words[0], command->name);
		case TAKES_DEVICE:
			die_usage("unexpected argument '%s': 'sluicectl %s' takes one device, and "
				  "options", words[1], command->name);
		case TAKES_CONTROL:
			die_usage("unexpected argument '%s': name one control at a time", words[2]);
		}
	options->device = count ? words[0] : NULL;
	options->control = count > 1 ? words[1] : NULL;
}

struct options parse(const struct command *command, int argc, char **argv)
{
	struct options options = { .heap = "pages", .size = 65536, .frames = 1 };
	struct option known[NUM_OPTIONS] = {};
	int option, i;

	for (i = 0; i + 1 < NUM_OPTIONS; i++)
		known[i] = (struct option) {
			.name = option_rows[i + 1].name,
			.has_arg = option_rows[i + 1].value ? required_argument : no_argument,
			.val = LONG_ONLY + i + 1,
		};
	opterr = 0;
	while ((option = getopt_long(argc, argv, ":h", known, NULL)) != -1) {
		if (option == ':')
			die_usage("the option --%s needs a value: 'sluicectl help %s' shows which",
				  option_rows[optopt - LONG_ONLY].name, command->name);
		if (option == '?' && optopt > LONG_ONLY)
			die_usage("the option --%s takes no value: leave out what follows the =",
				  option_rows[optopt - LONG_ONLY].name);
		if (option == '?' && optopt)
			die_usage("there is no option -%c: 'sluicectl help %s' lists the options",
				  optopt, command->name);
		if (option == '?')
			die_usage("there is no option %s: 'sluicectl help %s' lists the options",
				  argv[optind - 1], command->name);
		option = option == 'h' ? OPTION_HELP : option - LONG_ONLY;
		if (!accepts(command, option))
			die_usage("'sluicectl %s' does not accept --%s: 'sluicectl help %s' lists "
				  "its options", command->name, option_rows[option].name,
				  command->name);
		parse_option(option, optarg, &options);
		if (options.help)
			return options;
	}
	if (options.width && options.size_given)
		die_usage("--geometry and --size exclude each other: leave out --size, because the "
			  "geometry determines the size");
	parse_arguments(command, argv + optind, argc - optind, &options);
	return options;
}
