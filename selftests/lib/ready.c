// SPDX-License-Identifier: MIT
/* See ready.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "machine.h"
#include "modules.h"
#include "ready.h"

#define NODE "/dev/sluice/soft0"
#define DEBUGFS "/sys/kernel/debug"
#define OBJECTS DEBUGFS "/sluice/objects"
#define KNOB DEBUGFS "/sluice/soft0/fail_next"

static void skip_all(const char *reason)
{
	printf("TAP version 13\n1..0 # SKIP %s\n", reason);
	fflush(stdout);
	_exit(4);
}

/* With sluice, which it needs. */
static bool load_soft(void)
{
	int tries;

	if (modules_installed()) {
		if (system("modprobe -q sluice-soft 2>/dev/null"))
			return false;
	} else {
		module_load("sluice");
		if (module_load("sluice-soft"))
			return false;
	}
	for (tries = 0; tries < LATE_MS / 10; tries++) {
		if (!access(NODE, F_OK))
			return true;
		usleep(10000);
	}
	return false;
}

/* Then the knobs of soft0 cannot be opened, and registers cannot be used. */
static bool locked_down(void)
{
	int fd = open(KNOB, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return errno == EPERM;
	close(fd);
	return false;
}

void machine_ready(void)
{
	if (geteuid())
		skip_all("the tests need root");
	if (access(NODE, F_OK) && !load_soft())
		skip_all("the module sluice-soft cannot be loaded");
	if (access(OBJECTS, R_OK) &&
	    (mount("debugfs", DEBUGFS, "debugfs", 0, NULL) || access(OBJECTS, R_OK)))
		skip_all(OBJECTS " cannot be read: the tests need debugfs");
	/* the test of lockdown itself is the exception */
	if (strcmp(program_invocation_short_name, "lockdown") && locked_down())
		skip_all("the kernel is locked down");
}

bool device_exists(const char *device)
{
	char path[64];

	snprintf(path, sizeof(path), "/dev/sluice/%s", device);
	return !access(path, F_OK);
}
