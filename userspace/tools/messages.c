// SPDX-License-Identifier: MIT
/* The last sentence of a command that fails.  Exit status: 1, or 2 for a wrong command line. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"

static void __attribute__((noreturn)) fail(int status, const char *format, va_list args)
{
	/* what was printed comes first, if both go to the same place */
	fflush(stdout);
	end_progress();
	remove_targets();
	fputs("sluicectl: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	exit(status);
}

void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fail(1, format, args);
}

void die_usage(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fail(2, format, args);
}

void check(int ret, const char *what)
{
	if (ret == -ENODEV)
		die("cannot %s: the device was removed; 'sluicectl list' lists the devices", what);
	if (ret < 0)
		die("cannot %s: %s", what, strerror(-ret));
}
