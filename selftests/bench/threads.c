// SPDX-License-Identifier: MIT
/* One to 64 threads at the same work: see threads.h. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "marker.h"
#include "threads.h"

#define MAX_THREADS	64
#define WARM_STEPS	16
#define STEPS		24

struct path;

struct thread {
	const struct path *path;
	unsigned int number;
	unsigned int cpu;
	pthread_t thread;
	int device;
	int queue;
	int slot;
	int error;
};

/**
 * struct path - something that all threads do
 * @name: description
 * @device: name of the device, perhaps with %u for the number of the CPU
 * @engines: each CPU has an engine of the device
 * @setup: called once in each thread, with the device open
 * @step: called in each thread, measured
 * @settles: time passes after each step, so that the pool can clear memory
 */
struct path {
	const char *name;
	const char *device;
	bool engines;
	int (*setup)(struct thread *thread);
	int (*step)(struct thread *thread);
	bool settles;
};

static pthread_barrier_t barrier;
static unsigned int num_cpus;

static int open_queue(struct thread *thread)
{
	thread->queue = sluice_queue_create(thread->device,
					    thread->path->engines ? thread->cpu : 0);
	return thread->queue < 0 ? thread->queue : 0;
}

static int open_queue_and_slot(struct thread *thread)
{
	int ret = open_queue(thread), buffer;

	if (ret)
		return ret;
	buffer = sluice_alloc(thread->device, 0, KIB(4), 0);
	if (buffer < 0)
		return buffer;
	thread->slot = sluice_attach(thread->queue, buffer,
				     SLUICE_ATTACH_WRITE | SLUICE_ATTACH_EXPLICIT);
	close(buffer);
	return thread->slot < 0 ? thread->slot : 0;
}

static int see_end(struct thread *thread)
{
	struct pollfd pollfd = { .fd = thread->queue, .events = POLLIN };
	struct sluice_completion completion;
	int ret;

	if (poll(&pollfd, 1, 10000) != 1)
		return -ETIMEDOUT;
	ret = sluice_read(thread->queue, &completion, 1);
	return ret < 0 ? ret : completion.status;
}

static int empty_job(struct thread *thread)
{
	int ret = sluice_submit(thread->queue, NULL, 0, -1, NULL, 0, NULL);

	return ret ? ret : see_end(thread);
}

static int word_job(struct thread *thread)
{
	struct sluice_op op;
	int ret;

	sluice_op_fill(&op, thread->slot, 0, 4, 0);
	ret = sluice_submit(thread->queue, &op, 1, -1, NULL, 0, NULL);
	return ret ? ret : see_end(thread);
}

static int buffer(struct thread *thread)
{
	int fd = sluice_alloc(thread->device, 0, KIB(4), 0);

	return fd < 0 ? fd : close(fd);
}

static const struct path paths[] = {
	{
		.name = "an empty job, one engine", .device = "soft0",
		.setup = open_queue, .step = empty_job,
	}, {
		.name = "an empty job, an engine for each CPU", .device = "soft0",
		.engines = true, .setup = open_queue, .step = empty_job,
	}, {
		.name = "an empty job, a device for each CPU", .device = "edu%u",
		.setup = open_queue, .step = empty_job,
	}, {
		.name = "a job with an op, one engine", .device = "soft0",
		.setup = open_queue_and_slot, .step = word_job,
	}, {
		.name = "a job with an op, an engine for each CPU", .device = "soft0",
		.engines = true, .setup = open_queue_and_slot, .step = word_job,
	}, {
		.name = "ALLOC + close, one device", .device = "soft0",
		.step = buffer, .settles = true,
	}, {
		.name = "ALLOC + close, a device for each CPU", .device = "edu%u",
		.step = buffer, .settles = true,
	},
};

static int stay_on(unsigned int cpu)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	return sched_setaffinity(0, sizeof(cpus), &cpus) || unshare(CLONE_FILES) ? -errno : 0;
}

static int prepare(struct thread *thread)
{
	char name[16];
	int ret = stay_on(thread->cpu);

	if (ret)
		return ret;
	snprintf(name, sizeof(name), thread->path->device, thread->cpu);
	thread->device = sluice_open(name);
	if (thread->device < 0)
		return thread->device;
	return thread->path->setup ? thread->path->setup(thread) : 0;
}

static void meet(void)
{
	pthread_barrier_wait(&barrier);
}

/* A thread with an error meets the others, too. */
static void do_steps(struct thread *thread, unsigned int count)
{
	unsigned int i;
	int ret;

	for (i = 0; i < count; i++) {
		meet();
		if (thread->error)
			continue;
		MARK(MARKER_BEGIN);
		ret = thread->path->step(thread);
		MARK(MARKER_END);
		thread->error = ret;
		if (thread->path->settles)
			settle(0);
	}
}

static void *run_thread(void *data)
{
	struct thread *thread = data;

	thread->queue = -1;
	thread->error = prepare(thread);
	do_steps(thread, WARM_STEPS);
	meet();
	if (!thread->number)
		MARK(MARKER_WARM);
	do_steps(thread, STEPS);
	meet();
	if (thread->queue >= 0)
		close(thread->queue);
	if (thread->device >= 0)
		close(thread->device);
	return NULL;
}

static int run_path(const struct path *path, unsigned int count)
{
	static struct thread threads[MAX_THREADS];
	unsigned int i;
	int ret = 0;

	pthread_barrier_init(&barrier, NULL, count);
	MARK(MARKER_SIDE);
	for (i = 0; i < count && !ret; i++) {
		threads[i] = (struct thread) {
			.path = path, .number = i, .cpu = i % num_cpus,
		};
		ret = -pthread_create(&threads[i].thread, NULL, run_thread, &threads[i]);
	}
	if (ret)	/* the others wait for ever: the program ends */
		return ret;
	for (i = 0; i < count; i++) {
		pthread_join(threads[i].thread, NULL);
		ret = ret ? ret : threads[i].error;
	}
	MARK(MARKER_DONE);
	pthread_barrier_destroy(&barrier);
	printf("{\"path\": \"%s\", \"threads\": %u, \"cpus\": %u, ", path->name, count, num_cpus);
	printf("\"error\": \"%s\"}\n", ret ? strerror(-ret) : "");
	fflush(stdout);
	return ret;
}

int threads_run(void)
{
	unsigned int count, i;
	int ret = 0;

	num_cpus = sysconf(_SC_NPROCESSORS_ONLN);
	for (i = 0; i < sizeof(paths) / sizeof(paths[0]) && !ret; i++)
		for (count = 1; count <= MAX_THREADS && !ret; count *= 2)
			ret = run_path(&paths[i], count);
	return ret;
}
