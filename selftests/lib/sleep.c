// SPDX-License-Identifier: MIT
/* See sleep.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "machine.h"
#include "modules.h"
#include "sleep.h"

bool root_stays_awake(void)
{
	if (access("/sys/bus/virtio/drivers/9pnet_virtio", F_OK) ||
	    !access("/sys/module/" AWAKE, F_OK))
		return true;
	return !module_load("sluice-awake");
}

int sleep_until_woken(const char *test, const char *state)
{
	int ret = write_text(PM_TEST, test);

	if (ret)
		return ret;
	ret = write_text(PM_STATE, state);
	write_text(PM_TEST, "none");
	return ret;
}

int sleep_devices(void)
{
	char delay[16] = "";
	int fd, ret;

	if (access(PM_TEST, W_OK) || !file_has(PM_STATE, "freeze") || !root_stays_awake())
		return -EOPNOTSUPP;
	fd = open(PM_DELAY, O_RDONLY | O_CLOEXEC);
	if (read(fd, delay, sizeof(delay) - 1) < 0)
		delay[0] = 0;
	close(fd);
	write_text(PM_DELAY, "1");
	ret = sleep_until_woken("devices", "freeze");
	if (delay[0])
		write_text(PM_DELAY, delay);
	if (!access("/sys/module/" AWAKE, F_OK) && !module_unload(AWAKE))
		return -EBUSY;
	return ret;
}
