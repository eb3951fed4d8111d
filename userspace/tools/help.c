// SPDX-License-Identifier: MIT
/* Help, from the tables of commands and of options. */
#include <stdio.h>
#include <string.h>

#include "tool.h"

#define COLUMNS 80

void print_help(void)
{
	const struct command *command;

	for (command = commands; command->name; command++)
		printf("%s sluicectl %s%s%s [OPTION...]\n",
		       command == commands ? "usage:" : "      ", command->name,
		       *command->synopsis ? " " : "", command->synopsis);
	puts("       sluicectl help [COMMAND]\n"
	     "       sluicectl --help | --version\n");
	for (command = commands; command->name; command++)
		printf("  %-10s%s\n", command->name, command->summary);
	puts("  help      describes a command and its options\n"
	     "\n"
	     "DEVICE is a name that 'sluicectl list' prints, or an absolute path.  BYTES is a\n"
	     "number that K, M or G may follow.  The heaps are those that 'sluicectl info'\n"
	     "lists, and memfd: memory of the tool that the device uses in place.\n"
	     "\n"
	     "The exit status is 0 on success, 1 on failure, and 2 if the command line is\n"
	     "wrong.  sluicectl(1) and sluicectl-COMMAND(1) are the manual pages.");
}

/* "[--size BYTES]"; returns the length. */
static int format_use(const struct option_use *use, char *text, size_t size)
{
	const struct option_row *row = &option_rows[use->id];

	return snprintf(text, size, " [--%s%s%s]", row->name, row->value ? " " : "",
			row->value ?: "");
}

static void print_option(const struct option_use *use)
{
	const struct option_row *row = &option_rows[use->id];
	char name[32];

	snprintf(name, sizeof(name), "--%s %s", row->name, row->value ?: "");
	printf("  %-17s %s\n", name, use->what ?: row->what);
}

void print_command_help(const struct command *command)
{
	static const struct option_use help = { OPTION_HELP, NULL };
	const struct option_use *use;
	int begin, column;
	char text[64];

	begin = printf("usage: sluicectl %s", command->name);
	column = begin + printf("%s%s", *command->synopsis ? " " : "", command->synopsis);
	for (use = command->options; use->id; use++) {
		int length = format_use(use, text, sizeof(text));

		if (column + length > COLUMNS) {
			printf("\n%*s", begin, "");
			column = begin;
		}
		column += length;
		fputs(text, stdout);
	}
	printf("%s\n\n%s\n", command->run == do_program ? " <LIST" : "", command->text);
	for (use = command->options; use->id; use++)
		print_option(use);
	print_option(&help);
}
