// SPDX-License-Identifier: MIT
/* See modules.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "machine.h"
#include "modules.h"

int module_load(const char *name)
{
	struct utsname kernel;
	char path[256];
	int fd, ret;

	uname(&kernel);
	snprintf(path, sizeof(path), "/sluice/%s/%s.ko", kernel.release, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = syscall(SYS_finit_module, fd, "", 0) ? -errno : 0;
	close(fd);
	return ret;
}

bool module_unload(const char *name)
{
	char path[64], command[64];
	int tries;

	snprintf(path, sizeof(path), "/sys/module/%s", name);
	snprintf(command, sizeof(command), "rmmod %s 2>/dev/null", name);
	for (tries = 0; tries < LATE_MS / 10; tries++) {
		if (access(path, F_OK))
			return true;
		if (system(command))
			usleep(10000);
	}
	return false;
}
