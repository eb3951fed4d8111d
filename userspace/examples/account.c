// SPDX-License-Identifier: MIT
/* See account.h. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include <linux/sync_file.h>

#include "account.h"

int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

int counters_read(struct counters *counters)
{
	int file = open("/proc/self/io", O_RDONLY | O_CLOEXEC);
	char text[512] = "";

	if (file < 0)
		return errno == ENOENT ? -EOPNOTSUPP : -errno;
	counters->ns = now_ns();
	counters->cost = read(file, text, sizeof(text) - 1);
	close(file);
	return sscanf(text, "rchar: %lld wchar: %lld", &counters->rchar, &counters->wchar) == 2 ?
		0 : -EIO;
}

int maps_read(struct maps *maps)
{
	FILE *file = fopen("/proc/self/maps", "re");
	char line[512];

	maps->count = 0;
	if (!file)
		return -errno;
	while (fgets(line, sizeof(line), file)) {
		uint64_t inode;

		if (!strstr(line, "/dmabuf:") ||
		    sscanf(line, "%*s %*s %*s %*s %" SCNu64, &inode) != 1)
			continue;
		if (maps->count < ACCOUNT_MAX_MAPS)
			maps->inodes[maps->count] = inode;
		maps->count++;
	}
	fclose(file);
	return 0;
}

bool maps_has(const struct maps *maps, uint64_t inode)
{
	unsigned int i;

	for (i = 0; i < maps->count && i < ACCOUNT_MAX_MAPS; i++)
		if (maps->inodes[i] == inode)
			return true;
	return false;
}

void fence_look_at(int fence, struct fence_look *look)
{
	struct sync_fence_info first = { .status = 1 };
	struct sync_file_info info = {
		.num_fences = 1,
		.sync_fence_info = (uintptr_t)&first,
	};

	memset(look, 0, sizeof(*look));
	look->status = 1;
	if (fence < 0 || ioctl(fence, SYNC_IOC_FILE_INFO, &info))
		return;
	memcpy(look->driver, first.driver_name, sizeof(look->driver) - 1);
	memcpy(look->timeline, first.obj_name, sizeof(look->timeline) - 1);
	look->status = info.status;
	look->timestamp_ns = first.timestamp_ns;
}

const char *fence_state(const struct fence_look *look)
{
	return !look->status ? "pending" : look->status > 0 ? "signalled" : "failed";
}
