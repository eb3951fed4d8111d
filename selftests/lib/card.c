// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <xf86drm.h>

#include "card.h"

#define MAX_CARDS 16

int card_open(const char *driver)
{
	char path[64];
	int card;

	snprintf(path, sizeof(path), "modprobe -q %s", driver);
	if (system(path))
		return -ENODEV;
	/* the driver has one of several cards, whose numbers depend on the order of loading */
	for (card = 0; card < MAX_CARDS; card++) {
		drmVersion *version;
		bool found;
		int fd;

		snprintf(path, sizeof(path), "/dev/dri/card%d", card);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			continue;
		version = drmGetVersion(fd);
		found = version && !strcmp(version->name, driver);
		drmFreeVersion(version);
		if (found)
			return fd;
		close(fd);
	}
	return -ENODEV;
}
