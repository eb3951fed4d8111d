// SPDX-License-Identifier: MIT
/* See fences.h. */
#include <fcntl.h>
#include <linux/sync_file.h>
#include <poll.h>
#include <sys/ioctl.h>

#include "fences.h"
#include "machine.h"

/* not in the kernel's headers: drivers/dma-buf/sw_sync.c */
struct sw_sync_fence {
	__u32 value;
	char name[32];
	__s32 fence;
};

int sw_sync_timeline(void)
{
	return open("/sys/kernel/debug/sync/sw_sync", O_RDWR | O_CLOEXEC);
}

int sw_sync_fence(int timeline, unsigned int value)
{
	struct sw_sync_fence data = { .value = value, .name = "sluice-test" };
	int ret = xioctl(timeline, _IOWR('W', 0, struct sw_sync_fence), &data);

	return ret ? ret : data.fence;
}

bool signalled(int fence)
{
	struct pollfd pollfd = { .fd = fence, .events = POLLIN };

	return poll(&pollfd, 1, 0) == 1;
}

int64_t fence_time(int fence)
{
	struct sync_fence_info one = {};
	struct sync_file_info info = { .num_fences = 1, .sync_fence_info = (uintptr_t)&one };

	return xioctl(fence, SYNC_IOC_FILE_INFO, &info) ? -1 : (int64_t)one.timestamp_ns;
}
