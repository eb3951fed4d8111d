// SPDX-License-Identifier: MIT
/* See objects.h. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "machine.h"
#include "objects.h"

static char object_names[OBJECT_KINDS][32];

struct objects objects_read(void)
{
	struct objects objects = {};
	FILE *file = fopen("/sys/kernel/debug/sluice/objects", "re");
	int i;

	for (i = 0; file && i < OBJECT_KINDS; i++)
		if (fscanf(file, "%31s %ld", object_names[i], &objects.count[i]) != 2)
			break;
	if (file)
		fclose(file);
	else
		objects.count[0] = -1;
	return objects;
}

struct objects objects_before(void)
{
	struct objects objects;
	int tries, i;

	for (tries = 0; tries < LATE_MS / 10; tries++) {
		long sum = 0;

		objects = objects_read();
		for (i = 1; i < OBJECT_KINDS; i++)
			sum += objects.count[i];
		if (!sum)
			break;
		usleep(10000);
	}
	return objects;
}

bool objects_settle(const struct objects *before)
{
	struct objects after;
	int tries, i;

	if (before->count[0] < 0) {
		printf("# no /sys/kernel/debug/sluice/objects\n");
		return false;
	}
	for (tries = 0; tries < LATE_MS / 10; tries++) {
		after = objects_read();
		if (!memcmp(&after, before, sizeof(after)))
			return true;
		usleep(10000);
	}
	for (i = 0; i < OBJECT_KINDS; i++)
		if (after.count[i] != before->count[i])
			printf("# %s: %ld before, %ld after\n", object_names[i],
			       before->count[i], after.count[i]);
	return false;
}
