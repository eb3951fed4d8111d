// SPDX-License-Identifier: MIT
/* See modules.h. */
#include <errno.h>
#include <fcntl.h>
#include <linux/module.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "machine.h"
#include "modules.h"

/* The folder of the modules, or NULL if they are installed. */
static const char *modules_folder(void)
{
	static char lab[96];
	struct utsname kernel;

	if (getenv("SLUICE_MODULES"))
		return getenv("SLUICE_MODULES");
	uname(&kernel);
	snprintf(lab, sizeof(lab), "/sluice/%s", kernel.release);
	return access(lab, F_OK) ? NULL : lab;
}

bool modules_installed(void)
{
	return !modules_folder();
}

bool module_path(const char *name, char *path, size_t size)
{
	const char *folder = modules_folder();
	FILE *pipe;

	if (folder) {
		snprintf(path, size, "%s/%s.ko", folder, name);
		return !access(path, F_OK);
	}
	snprintf(path, size, "modinfo -n %s 2>/dev/null", name);
	pipe = popen(path, "re");
	path[0] = 0;
	if (pipe && !fgets(path, size, pipe))
		path[0] = 0;
	if (pipe)
		pclose(pipe);
	path[strcspn(path, "\n")] = 0;
	return !access(path, F_OK);
}

int module_load_with(const char *name, const char *parameters)
{
	char path[256], *end;
	int fd, ret, flags = 0;

	if (!module_path(name, path, sizeof(path)))
		return -ENOENT;
	/* distributions compress modules: the file is then NAME.ko.xz, for example */
	end = strrchr(path, '.');
	if (end && strcmp(end, ".ko"))
		flags = MODULE_INIT_COMPRESSED_FILE;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = syscall(SYS_finit_module, fd, parameters, flags) ? -errno : 0;
	close(fd);
	return ret;
}

int module_load(const char *name)
{
	return module_load_with(name, "");
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
