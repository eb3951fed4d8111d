// SPDX-License-Identifier: MIT
/* See cgroup.h. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgroup.h"

bool memory_cgroup(void)
{
	mkdir("/tmp/sluice-cgroup", 0755);
	return !system("mount -t cgroup2 none /tmp/sluice-cgroup 2>/dev/null && "
		       "echo +memory >/tmp/sluice-cgroup/cgroup.subtree_control && "
		       "mkdir /tmp/sluice-cgroup/t");
}

bool memory_cgroup_end(const char *mount)
{
	char command[128];
	int tries;

	/* the last of its tasks may have been reaped but still be exiting */
	snprintf(command, sizeof(command), "rmdir %s/t 2>/dev/null", mount);
	for (tries = 0; tries < 200 && system(command); tries++)
		usleep(50000);
	snprintf(command, sizeof(command), "umount %s", mount);
	return tries < 200 && !system(command);
}
