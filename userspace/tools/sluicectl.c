// SPDX-License-Identifier: MIT
/* sluicectl(1): inspect Sluice devices, and try them from the shell. */
#include <stdio.h>
#include <string.h>

#include "tool.h"

/* "sluicectl help [COMMAND]" */
static int help(int argc, char **argv)
{
	if (argc > 2)
		die_usage("unexpected argument '%s': 'sluicectl help' takes one command", argv[2]);
	if (argc == 2 && strcmp(argv[1], "help"))
		print_command_help(find_command(argv[1]));
	else
		print_help();
	return 0;
}

static int run(int argc, char **argv)
{
	const struct command *command = find_command(argv[0]);
	struct options options = parse(command, argc, argv);

	if (options.help) {
		print_command_help(command);
		return 0;
	}
	/* to set a control prints nothing */
	if (!options.control)
		need_output();
	return command->run(&options);
}

int main(int argc, char **argv)
{
	int ret = 0;

	open_descriptors();
	if (argc < 2)
		die_usage("a command is missing: 'sluicectl --help' lists the commands");
	argc--;
	argv++;
	if (!strcmp(argv[0], "--version") || !strcmp(argv[0], "--help") || !strcmp(argv[0], "-h")) {
		if (argc > 1)
			die_usage("unexpected argument '%s': '%s' takes no arguments", argv[1],
				  argv[0]);
		if (!strcmp(argv[0], "--version"))
			puts("sluicectl " SLUICE_VERSION);
		else
			print_help();
	} else if (!strcmp(argv[0], "help")) {
		ret = help(argc, argv);
	} else if (argv[0][0] == '-') {
		die_usage("there is no option %s before a command: 'sluicectl --help' shows where "
			  "options are written", argv[0]);
	} else {
		ret = run(argc, argv);
	}
	end_progress();
	flush_output();
	return ret;
}
