// SPDX-License-Identifier: MIT
/*
 * scene_ppm WIDTH HEIGHT SEQUENCE SECONDS: print the camera's frame of this number as a PPM, for
 * tests that are scripts.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "scene.h"

/* Convert a decimal number of seconds to nanoseconds.  A double has too few digits. */
static uint64_t nanoseconds(const char *seconds)
{
	uint64_t ns, unit = 1000000000;
	char *digit;

	ns = strtoull(seconds, &digit, 10) * unit;
	if (*digit == '.')
		while (isdigit((unsigned char)*++digit) && unit > 1)
			ns += (uint64_t)(*digit - '0') * (unit /= 10);
	return ns;
}

int main(int argc, char **argv)
{
	struct scene scene;
	uint32_t x, y;

	if (argc != 5)
		return 2;
	scene = (struct scene) {
		.width = strtoul(argv[1], NULL, 10),
		.height = strtoul(argv[2], NULL, 10),
		.sequence = strtoull(argv[3], NULL, 10),
		.time_ns = nanoseconds(argv[4]),
	};
	printf("P6\n%u %u\n255\n", scene.width, scene.height);
	for (y = 0; y < scene.height; y++) {
		for (x = 0; x < scene.width; x++) {
			uint32_t pixel = scene_pixel(&scene, x, y);

			putchar(pixel >> 16 & 0xff);
			putchar(pixel >> 8 & 0xff);
			putchar(pixel & 0xff);
		}
	}
	return fflush(stdout) ? 1 : 0;
}
