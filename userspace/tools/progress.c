// SPDX-License-Identifier: MIT
/*
 * Progress of work that takes longer than a second: one line on standard error that is written
 * again and again, on a terminal only.  If standard output is a terminal, too, the result appears
 * there line by line, and a line of progress would be in its way.
 */
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tool.h"

#define DELAY_S		1.0	/* shorter work shows nothing */
#define INTERVAL_S	0.2

static double began;	/* the work, when its progress was first asked for */
static bool shown;

double seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

static bool wanted(void)
{
	const char *term = getenv("TERM");

	return isatty(STDERR_FILENO) && term && strcmp(term, "dumb");
}

void show_progress(const char *format, ...)
{
	static double last;
	double now = seconds_now();
	va_list args;

	if (!wanted())
		return;
	if (!began)
		began = now;
	if (now - began < DELAY_S || now - last < INTERVAL_S)
		return;
	last = now;
	shown = true;
	fputc('\r', stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	/* remove the rest of a longer line */
	fputs("\033[K", stderr);
	fflush(stderr);
}

void end_progress(void)
{
	if (shown)
		fputs("\r\033[K", stderr);
	shown = false;
}

void wait_readable(int fd, const char *what, unsigned int limit_s)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	double start = seconds_now();

	if (!wanted())
		return;
	if (!began)
		began = start;
	while (poll(&ready, 1, INTERVAL_S * 1000) <= 0)
		show_progress("%s: %.0f s of at most %u s", what, seconds_now() - start, limit_s);
}
