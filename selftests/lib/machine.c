// SPDX-License-Identifier: MIT
/* See machine.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "machine.h"

bool file_has(const char *path, const char *text)
{
	FILE *file = fopen(path, "re");
	char line[512];
	bool found = false;

	while (file && !found && fgets(line, sizeof(line), file))
		found = strstr(line, text);
	if (file)
		fclose(file);
	return found;
}

int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		ret = -errno;
	close(fd);
	return ret;
}

int xioctl(int fd, unsigned long request, void *argument)
{
	return ioctl(fd, request, argument) < 0 ? -errno : 0;
}

long number_of(const char *path, const char *name)
{
	FILE *file = fopen(path, "re");
	long number = -1, value;
	char word[64];

	while (file && fscanf(file, "%63s %ld%*[^\n]", word, &value) == 2)
		if (!strcmp(word, name))
			number = value;
	if (file)
		fclose(file);
	return number;
}

int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

bool translated(void)
{
	FILE *file = fopen("/sys/kernel/iommu_groups/0/type", "re");
	char type[16] = "";

	if (file) {
		if (fscanf(file, "%15s", type) != 1)
			type[0] = 0;
		fclose(file);
	}
	return !strncmp(type, "DMA", 3);
}
