// SPDX-License-Identifier: MIT
/* Files of the kernel, of which any may be missing: in a container, or on another kernel. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "doctor.h"

bool read_line(const char *path, char *line, size_t size)
{
	FILE *file = fopen(path, "re");
	bool got;

	if (!file)
		return false;
	got = fgets(line, size, file);
	fclose(file);
	if (got)
		line[strcspn(line, "\n")] = '\0';
	return got;
}

bool read_number(const char *path, uint64_t *number)
{
	char line[64], *end;

	if (!read_line(path, line, sizeof(line)))
		return false;
	*number = strtoull(line, &end, 0);
	return end != line && !*end;
}

bool find_field(const char *path, const char *name, uint64_t *number)
{
	size_t length = strlen(name);
	FILE *file = fopen(path, "re");
	bool found = false;
	char line[256];

	while (file && !found && fgets(line, sizeof(line), file)) {
		if (strncmp(line, name, length) || line[length] != ':')
			continue;
		*number = strtoull(line + length + 1, NULL, 10);
		found = true;
	}
	if (file)
		fclose(file);
	return found;
}

const char *next_boot_parameter(const char *name, unsigned int index)
{
	static char line[8192];
	char *word, *rest = line;

	if (!read_line("/proc/cmdline", line, sizeof(line)))
		return NULL;
	while ((word = strtok_r(rest, " ", &rest)))
		if (!strncmp(word, name, strlen(name)) && !index--)
			return word + strlen(name);
	return NULL;
}

const char *boot_parameter(const char *name)
{
	unsigned int count = 0;

	while (next_boot_parameter(name, count))
		count++;
	return count ? next_boot_parameter(name, count - 1) : NULL;
}

const char *kernel_release(void)
{
	static struct utsname names;

	if (!names.release[0])
		uname(&names);
	return names.release;
}

int has_symbol(const char *name)
{
	FILE *file = fopen("/proc/kallsyms", "re");
	size_t length = strlen(name);
	bool any = false, found = false;
	char line[512];

	/* "ADDRESS TYPE NAME", and "[MODULE]" after a tab */
	while (file && !found && fgets(line, sizeof(line), file)) {
		char *symbol = strchr(line, ' ');

		any = true;
		symbol = symbol ? strchr(symbol + 1, ' ') : NULL;
		found = symbol && !strncmp(symbol + 1, name, length) &&
			strchr("\n\t", symbol[1 + length]);
	}
	if (file)
		fclose(file);
	return any ? found : -1;
}

int count_entries(const char *path)
{
	struct dirent *entry;
	DIR *dir = opendir(path);
	int count = 0;

	if (!dir)
		return -1;
	while ((entry = readdir(dir)))
		count += entry->d_name[0] != '.';
	closedir(dir);
	return count;
}

static bool in_group(gid_t gid)
{
	gid_t all[1024];
	int count = getgroups(1024, all), i;

	for (i = 0; i < count; i++)
		if (all[i] == gid)
			return true;
	return getegid() == gid;
}

/*
 * Why a node could not be opened, and who could open it: the part of a sentence behind a colon,
 * without a full stop.
 */
static void explain_permission(const char *path, int error, char *text, size_t size)
{
	char name[64];
	struct stat node;

	if (error == EPERM) {
		snprintf(text, size, "the container or a security module forbids it, so pass the "
			 "node to the container (podman or docker run --device %s)", path);
	} else if (stat(path, &node)) {
		snprintf(text, size, "run as root");
	} else if ((node.st_mode & 0060) == 0060 && node.st_gid && !in_group(node.st_gid) &&
		   find_group(node.st_gid, name, sizeof(name))) {
		snprintf(text, size, "its group is '%s', so let root run 'usermod -aG %s USER', "
			 "and log in again", name, name);
	} else if ((node.st_mode & 0060) == 0060 && in_group(node.st_gid)) {
		snprintf(text, size, "its group is yours, so something else forbids it, such as "
			 "the container or a security module");
	} else if (node.st_mode & 0060) {
		snprintf(text, size, "its mode %04o and its group %u do not permit it, so run as "
			 "root, or give it to a group of yours by a udev rule such as "
			 "70-sluice.rules", node.st_mode & 07777, node.st_gid);
	} else {
		snprintf(text, size, "its mode %04o gives access to no group, so run as root, or "
			 "give it to a group by a udev rule such as 70-sluice.rules",
			 node.st_mode & 07777);
	}
}

void report_permission(const char *id, const char *subject, const char *path, int error)
{
	char order[512];

	explain_permission(path, error, order, sizeof(order));
	report(id, subject, "You may not open %s: %s.", path, order);
}
