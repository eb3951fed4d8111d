// SPDX-License-Identifier: MIT
/*
 * From a device's interrupt to a waiter in poll(): the time from the signal until the waiter runs
 * again in its program.
 *
 * The interrupt of the same timer (selftests/kernel/irqsource.c) signals all sides, and records the
 * time right before.  irqsource0's job is a normal job: it fills 64 bytes of a buffer, which has
 * its fence.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "busy.h"
#include "irqsource.h"
#include "marker.h"

#define FIRE_NS		200000	/* the waiter must be asleep by then */

static pthread_t spinner;
static volatile bool spinning;

/* Keep the CPU busy while the waiter sleeps; any other thread preempts this one. */
static void *spin(void *unused)
{
	struct sched_param param = {};

	sched_setscheduler(0, SCHED_IDLE, &param);
	while (spinning)
		;
	return unused;
}

/* The count of a case tells whether the CPU has other work. */
static int keep_busy(const struct scene *scene)
{
	if (!scene->count)
		return 0;
	spinning = true;
	return -pthread_create(&spinner, NULL, spin, NULL);
}

static void stop_spinning(struct scene *scene)
{
	(void)scene;
	if (spinning) {
		spinning = false;
		pthread_join(spinner, NULL);
	}
}

static int wait_for(int fd)
{
	struct pollfd pollfd = { .fd = fd, .events = POLLIN };

	/* the step counts from the interrupt on */
	MARK(MARKER_PAUSE);
	return poll(&pollfd, 1, -1) == 1 ? 0 : -EIO;
}

static int began_at_the_interrupt(struct scene *scene)
{
	double fired;
	int ret = irqsource_fired(&fired);

	if (ret)
		return ret;
	/* the waiter was not asleep yet */
	if (fired <= scene->began)
		return DISTURBED;
	if (fired >= scene->ended)	/* something else woke it */
		return -EIO;
	scene->began = fired;
	return 0;
}

static int wait_for_event(struct scene *scene)
{
	return wait_for(scene->event);
}

static int close_event(struct scene *scene)
{
	int event = scene->event;

	scene->event = -1;
	return close(event);
}

/* Sluice */

static int fill_job(struct scene *scene, uint32_t flags, struct sluice_submit *args)
{
	struct sluice_op op;

	sluice_op_fill(&op, scene->slots[0], 0, 64, FIRE_NS);
	*args = (struct sluice_submit) {
		.ops = (uintptr_t)&op, .num_ops = 1, .flags = flags,
	};
	return xioctl(scene->queue, SLUICE_IOCTL_SUBMIT, args);
}

static int open_irqsource_queue(struct scene *scene)
{
	scene->queue = sluice_queue_create(irqsource_device(), 0);
	if (scene->queue < 0)
		return scene->queue;
	scene->dmabufs[0] = sluice_alloc(irqsource_device(), 0, KIB(4), 0);
	if (scene->dmabufs[0] < 0)
		return scene->dmabufs[0];
	scene->slots[0] = sluice_attach(scene->queue, scene->dmabufs[0], SLUICE_ATTACH_WRITE);
	return scene->slots[0] < 0 ? scene->slots[0] : keep_busy(scene);
}

static int submit_for_completion(struct scene *scene)
{
	struct sluice_submit args;

	return fill_job(scene, 0, &args);
}

static int wait_for_queue(struct scene *scene)
{
	return wait_for(scene->queue);
}

static int read_one(struct scene *scene)
{
	return busy_read_end(scene->queue);
}

static int submit_for_fence(struct scene *scene)
{
	struct sluice_submit args;
	int ret = fill_job(scene, SLUICE_SUBMIT_OUT_FENCE | SLUICE_SUBMIT_NO_COMPLETION, &args);

	scene->event = ret ? -1 : args.out_fence;
	return ret;
}

static const struct steps queue_wakes = {
	.setup = open_irqsource_queue, .before = submit_for_completion, .step = wait_for_queue,
	.correct = began_at_the_interrupt, .after = read_one, .teardown = stop_spinning,
};

static const struct steps fence_wakes = {
	.setup = open_irqsource_queue, .before = submit_for_fence, .step = wait_for_event,
	.correct = began_at_the_interrupt, .after = close_event, .teardown = stop_spinning,
};

/* An eventfd, and a fence without a job. */

static int open_eventfd(struct scene *scene)
{
	int ret;

	scene->event = eventfd(0, EFD_CLOEXEC);
	if (scene->event < 0)
		return -errno;
	ret = xioctl(irqsource_node(), IRQSOURCE_EVENTFD, (void *)(long)scene->event);
	return ret ? ret : keep_busy(scene);
}

static int fire(struct scene *scene)
{
	(void)scene;
	return xioctl(irqsource_node(), IRQSOURCE_FIRE, (void *)FIRE_NS);
}

static int read_eventfd(struct scene *scene)
{
	uint64_t count;

	return read(scene->event, &count, sizeof(count)) == sizeof(count) ? 0 : -EIO;
}

static void drop_eventfd(struct scene *scene)
{
	stop_spinning(scene);
	xioctl(irqsource_node(), IRQSOURCE_EVENTFD, (void *)-1L);
}

static int fire_for_fence(struct scene *scene)
{
	scene->event = xioctl(irqsource_node(), IRQSOURCE_FENCE, NULL);
	return scene->event < 0 ? scene->event : fire(scene);
}

static const struct steps eventfd_wakes = {
	.setup = open_eventfd, .before = fire, .step = wait_for_event,
	.correct = began_at_the_interrupt, .after = read_eventfd, .teardown = drop_eventfd,
};

static int only_keep_busy(struct scene *scene)
{
	return keep_busy(scene);
}

static const struct steps bare_fence_wakes = {
	.setup = only_keep_busy, .before = fire_for_fence, .step = wait_for_event,
	.correct = began_at_the_interrupt, .after = close_event, .teardown = stop_spinning,
};

#define PEERS { { .name = "eventfd", .steps = &eventfd_wakes }, \
		{ .name = "bare dma_fence", .steps = &bare_fence_wakes } }

const struct bench wakeup_benches[] = {
	{
		.area = "queues", .name = "interrupt to poll() of the queue", .goal = 1.1,
		.ours = { .name = "sluice", .steps = &queue_wakes }, .peers = PEERS,
	}, {
		.area = "queues", .name = "interrupt to poll() of the fence", .goal = 1.1,
		.ours = { .name = "sluice", .steps = &fence_wakes }, .peers = PEERS,
	}, {
		.area = "queues", .name = "busy CPU: interrupt to poll(), queue", .goal = 1.1,
		.count = 1,
		.ours = { .name = "sluice", .steps = &queue_wakes }, .peers = PEERS,
	}, {
		.area = "queues", .name = "busy CPU: interrupt to poll(), fence", .goal = 1.1,
		.count = 1,
		.ours = { .name = "sluice", .steps = &fence_wakes }, .peers = PEERS,
	},
};

const unsigned int num_wakeup_benches = sizeof(wakeup_benches) / sizeof(wakeup_benches[0]);
