// SPDX-License-Identifier: MIT
/* See knobs.h. */
#include <stdio.h>

#include "knobs.h"
#include "machine.h"

int knob(const char *name, unsigned long value)
{
	char path[128], text[32];

	snprintf(path, sizeof(path), "/sys/kernel/debug/sluice/soft0/%s", name);
	snprintf(text, sizeof(text), "%lu", value);
	return write_text(path, text);
}

int limit_mb(const char *name, unsigned int mb)
{
	char path[80], text[16];

	snprintf(path, sizeof(path), "/sys/module/sluice/parameters/%s_limit_mb", name);
	snprintf(text, sizeof(text), "%u", mb);
	return write_text(path, text);
}

int open_limit_mb(unsigned int mb)
{
	return limit_mb("open", mb);
}

int reserve_mb(unsigned long mb)
{
	char text[24];

	snprintf(text, sizeof(text), "%lu", mb);
	return write_text("/sys/module/sluice/parameters/reserve_mb", text);
}
