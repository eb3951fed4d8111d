// SPDX-License-Identifier: MIT
/*
 * consume WIDTH HEIGHT FILE: a process that gets a buffer and a fence from another process,
 * and lets a GPU compute on the buffer.  'sluicectl program --then' starts it, and passes the
 * numbers of the two fds in the environment.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "picture.h"
#include "sluice.h"

static int inherited(const char *name)
{
	const char *text = getenv(name);

	return text ? atoi(text) : -1;
}

int main(int argc, char **argv)
{
	int dmabuf = inherited("SLUICE_BUFFER"), fence = inherited("SLUICE_FENCE"), device, ret;
	struct picture *picture;
	unsigned long width = argc == 4 ? strtoul(argv[1], NULL, 10) : 0;
	unsigned long height = argc == 4 ? strtoul(argv[2], NULL, 10) : 0;

	if (!width || !height || width > 16384 || height > 16384 || dmabuf < 0 || fence < 0) {
		fputs("usage: sluicectl program DEVICE --then 'consume WIDTH HEIGHT FILE' <LIST\n", stderr);
		return 2;
	}
	device = sluice_open(NULL);
	if (device < 0) {
		fputs("there is no Sluice device\n", stderr);
		return 1;
	}
	picture = picture_prepare(device, dmabuf, width, height);
	if (!picture)
		return 1;
	ret = picture_compute(picture, fence, argv[3]);
	picture_end(picture);
	return ret ? 1 : 0;
}
