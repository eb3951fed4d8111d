// SPDX-License-Identifier: MIT
/* See jobs.h. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "jobs.h"
#include "knobs.h"
#include "machine.h"
#include "sluice.h"

int run_op(int queue, const struct sluice_op *op)
{
	struct sluice_completion completion;
	int ret = sluice_submit(queue, op, 1, -1, NULL, 0, NULL);

	if (ret)
		return ret;
	ret = sluice_read(queue, &completion, 1);
	return ret == 1 ? completion.status : ret;
}

bool wait_running(int device, unsigned int engine)
{
	char line[256], path[96], *state;
	struct sluice_info info;
	unsigned int number;
	int tries;

	if (sluice_device_info(device, &info))
		return false;
	snprintf(path, sizeof(path), "/sys/kernel/debug/sluice/%s/queues", info.name);
	for (tries = 0; tries < LATE_MS; tries++) {
		FILE *file = fopen(path, "re");
		bool found = false;

		while (file && fgets(line, sizeof(line), file)) {
			state = strrchr(line, '\t');
			if (state && sscanf(line, "%*s %u", &number) == 1 && number == engine)
				found |= !strcmp(state, "\trunning\n");
		}
		if (file)
			fclose(file);
		if (found)
			return true;
		usleep(1000);
	}
	return false;
}

bool wait_hanging(void)
{
	int tries;

	for (tries = 0; tries < LATE_MS; tries++) {
		FILE *file = fopen("/sys/kernel/debug/sluice/soft0/hang_next", "re");
		long left = -1;

		if (file && fscanf(file, "%ld", &left) != 1)
			left = -1;
		if (file)
			fclose(file);
		if (left <= 0)
			return !left;
		usleep(1000);
	}
	return false;
}

int patient_queue(int device, unsigned int engine)
{
	struct sluice_create_queue args = { .engine = engine,
					    .timeout_ms = SLUICE_MAX_TIMEOUT_MS,
					    .completion_size = sizeof(struct sluice_completion) };
	int ret = xioctl(device, SLUICE_IOCTL_CREATE_QUEUE, &args);

	return ret ? ret : args.fd;
}

int gate_shut(struct gate *gate, unsigned int engine)
{
	struct sluice_op op;
	int ret;

	gate->device = sluice_open("soft0");
	gate->buffer = sluice_alloc(gate->device, 0, 4096, 0);
	gate->queue = patient_queue(gate->device, engine);
	ret = sluice_attach(gate->queue, gate->buffer, SLUICE_ATTACH_EXPLICIT);
	if (ret < 0)
		return ret;
	ret = knob("hang_next", 1);
	if (ret)
		return ret;
	sluice_op_fill(&op, 0, 0, 4096, 0);
	ret = sluice_submit(gate->queue, &op, 1, -1, NULL, 0, NULL);
	return ret ? ret : wait_hanging() ? 0 : -ETIME;
}

/* The point of the last job of a queue, or 0. */
static uint64_t last_point(int queue)
{
	unsigned long point = 0;
	char text[128];
	FILE *file;

	snprintf(text, sizeof(text), "/proc/self/fdinfo/%d", queue);
	file = fopen(text, "re");
	while (file && fgets(text, sizeof(text), file))
		if (sscanf(text, "sluice-submitted: %lu", &point) == 1)
			break;
	if (file)
		fclose(file);
	return point;
}

int gate_open(struct gate *gate)
{
	int ret = sluice_cancel(gate->queue, 1, 1);

	if (ret == 1)
		ret = sluice_wait(gate->queue, 1, LATE_MS);
	else
		ret = -ENOLCK;
	/* closing the queue must not cancel the jobs that a test has put behind the gate */
	sluice_wait(gate->queue, last_point(gate->queue), LATE_MS);
	close(gate->queue);
	close(gate->buffer);
	close(gate->device);
	return ret == -ECANCELED ? 0 : ret;
}

int read_all(int queue, struct sluice_completion *completions, int count)
{
	int done = 0, ret;

	while (done < count) {
		ret = sluice_read(queue, completions + done, count - done);
		if (ret <= 0)
			return ret;
		done += ret;
	}
	return done;
}
