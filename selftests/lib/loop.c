// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "loop.h"
#include "machine.h"
#include "sluice.h"

atomic_bool over;
atomic_ulong calls, cut;

#define GOALS 8	/* most goals of one loop */

static int64_t loop_end, loop_said;

static struct goal {
	const char *what;
	const atomic_ulong *seen;
	unsigned long least;
} goals[GOALS];
static unsigned int num_goals;

unsigned int setting(const char *name, unsigned int fallback)
{
	const char *text = getenv(name);

	return text && *text ? strtoul(text, NULL, 0) : fallback;
}

void loop_begin(void)
{
	over = false;
	calls = 0;
	cut = 0;
	num_goals = 0;
	loop_said = now_ns();
	loop_end = loop_said + setting("RACES_SECONDS", 20) * 1000000000LL;
}

void loop_add_goal(const char *what, atomic_ulong *seen, unsigned long least)
{
	if (num_goals == GOALS) {
		fprintf(stderr, "a loop has more than %d goals\n", GOALS);
		abort();
	}
	*seen = 0;
	goals[num_goals++] = (struct goal) { what, seen, least };
}

/* the first goal from @goal on that has not been reached, or NULL */
static const struct goal *next_open(const struct goal *goal)
{
	for (; goal < goals + num_goals; goal++)
		if (*goal->seen < goal->least)
			return goal;
	return NULL;
}

bool loop_goes_on(void)
{
	const struct goal *open = next_open(goals);
	int64_t now = now_ns();

	if (now - loop_said > 20000000000LL) {
		if (now < loop_end)
			printf("# %lld s to go\n", (long long)(loop_end - now) / 1000000000);
		else if (open)
			printf("# waiting for %s: %lu of %lu\n", open->what,
			       atomic_load(open->seen), open->least);
		fflush(stdout);
		loop_said = now;
	}
	return now < loop_end || (open && now < loop_end + LOOP_MORE * 1000000000LL);
}

bool loop_reached_goals(void)
{
	const struct goal *open, *next = goals;

	while ((open = next_open(next))) {
		printf("# %s: %lu, and not at least %lu\n", open->what,
		       atomic_load(open->seen), open->least);
		next = open + 1;
	}
	return next == goals;
}

int count(int result)
{
	atomic_fetch_add_explicit(&calls, 1, memory_order_relaxed);
	if (result == -ENODEV)
		atomic_fetch_add_explicit(&cut, 1, memory_order_relaxed);
	return result;
}

void pause_up_to(unsigned int *seed, unsigned int us)
{
	usleep(rand_r(seed) % us);
}

void *use_queue(void *argument)
{
	struct hands *hands = argument;
	unsigned int seed = hands->seed;
	int device = -1, buffer = -1;

	while (!over) {
		struct sluice_export_fence export = { .point = 1 + rand_r(&seed) % 4 };
		struct sluice_completion completion;
		int queue = hands->queue, fence = -1;
		struct sluice_op op;

		if (buffer < 0) {
			if (device >= 0)
				close(device);
			device = sluice_open(hands->name);
			buffer = sluice_alloc(device, 0, RACES_SIZE, 0);
		}
		switch (rand_r(&seed) % 7) {
		case 0:
			count(sluice_attach(queue, buffer, rand_r(&seed) % 8));
			break;
		case 1:
			count(sluice_detach(queue, rand_r(&seed) % 3));
			break;
		case 2:
			sluice_op_fill(&op, rand_r(&seed) % 3, 0, 4096, seed);
			count(sluice_submit(queue, &op, 1, -1, seed & 1 ? &fence : NULL, 0, NULL));
			if (fence >= 0)
				close(fence);
			break;
		case 3:
			if (!count(xioctl(queue, SLUICE_IOCTL_FENCE, &export)))
				close(export.fd);
			break;
		case 4:
			count(sluice_wait(queue, export.point, 2));
			break;
		case 5:
			/* do not block: the number may belong to a queue without jobs */
			fcntl(queue, F_SETFL, O_NONBLOCK);
			count(sluice_read(queue, &completion, 1));
			break;
		case 6:
			/* now and then close the last fd of a buffer while jobs use it */
			if (rand_r(&seed) % 4)
				break;
			if (buffer >= 0)
				close(buffer);
			buffer = -1;
			break;
		}
		if (hands->pause > 1)
			pause_up_to(&seed, hands->pause);
	}
	if (buffer >= 0)
		close(buffer);
	if (device >= 0)
		close(device);
	return NULL;
}

void *replace_queue(void *argument)
{
	struct hands *hands = argument;
	unsigned int seed = hands->seed;

	while (!over) {
		int device = sluice_open(hands->name);
		int other = count(sluice_queue_create(device, rand_r(&seed) & 1));

		if (device >= 0)
			close(device);
		if (other < 0) {
			usleep(1000);
			continue;
		}
		fcntl(other, F_SETFL, O_NONBLOCK);
		/* now and then close the last fd of the old queue during other threads' calls */
		if (rand_r(&seed) & 1) {
			close(hands->queue);
			pause_up_to(&seed, 200);
		}
		dup2(other, hands->queue);
		close(other);
		pause_up_to(&seed, 3000);
	}
	close(hands->queue);
	return NULL;
}
