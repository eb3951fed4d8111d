// SPDX-License-Identifier: MIT
/*
 * How long others wait while the kernel works on the memory of many buffers, parked or live.
 *
 * A thread of the highest priority sleeps, and looks at the clock when it is awake.  The result is
 * its longest delay.  The kernel switches to it at once, unless interrupts are off or a spinlock is
 * held.  A caller that wants this spinlock waits as long.  In one case the thread then also does
 * ALLOC and close, which may wait for other locks.
 *
 * The sides with few buffers do it several times, so that the thread looks often enough.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "memory.h"

#define MANY		9000
#define FEW		50
#define MANY_ROUNDS	3
#define FEW_ROUNDS	30
#define PERIOD_NS	29989	/* a prime: it hits each place sooner or later */

static const char pool_limit[] = "/sys/module/sluice/parameters/pool_limit_mb";
static const char list_of_buffers[] = "/sys/kernel/debug/sluice/buffers";

/**
 * struct sleeper - the thread
 * @thread: the thread
 * @alloc: it does ALLOC and close when it is awake, which count as part of the delay
 * @stop: it must end
 * @worst: its longest delay
 * @error: result of an ALLOC or close that failed
 */
struct sleeper {
	pthread_t thread;
	bool alloc;
	atomic_bool stop;
	double worst;
	int error;
};

static double monotonic(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1e9 + time.tv_nsec;
}

static int alloc_close_small(void)
{
	int fd = sluice.alloc(KIB(4));

	return fd < 0 ? fd : close(fd);
}

static void *sleep_and_look(void *argument)
{
	struct sleeper *sleeper = argument;
	double due, delay;

	/* the first one may need new pages of the slab allocator, which the kernel clears */
	if (sleeper->alloc)
		sleeper->error = alloc_close_small();
	while (!sleeper->stop && !sleeper->error) {
		struct timespec until;

		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_nsec += PERIOD_NS;
		if (until.tv_nsec >= 1000000000) {
			until.tv_nsec -= 1000000000;
			until.tv_sec++;
		}
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
		due = until.tv_sec * 1e9 + until.tv_nsec;
		if (sleeper->alloc)
			sleeper->error = alloc_close_small();
		delay = monotonic() - due;
		if (delay > sleeper->worst)
			sleeper->worst = delay;
	}
	return NULL;
}

static int start_sleeper(struct sleeper *sleeper)
{
	struct sched_param first = { .sched_priority = sched_get_priority_max(SCHED_FIFO) };
	pthread_attr_t how;
	int ret;

	pthread_attr_init(&how);
	pthread_attr_setinheritsched(&how, PTHREAD_EXPLICIT_SCHED);
	pthread_attr_setschedpolicy(&how, SCHED_FIFO);
	pthread_attr_setschedparam(&how, &first);
	ret = pthread_create(&sleeper->thread, &how, sleep_and_look, sleeper);
	pthread_attr_destroy(&how);
	return -ret;
}

static int stop_sleeper(struct sleeper *sleeper)
{
	sleeper->stop = true;
	pthread_join(sleeper->thread, NULL);
	return sleeper->error;
}

/* Many live buffers */

static int open_small(struct scene *scene)
{
	return open_live(scene, KIB(4));
}

static int park(struct scene *scene)
{
	int ret = open_small(scene);

	close_live(scene);
	return ret ? ret : settle(scene->count * KIB(4));
}

/* The actions.  This one ends when all are closed and the worker has zeroed their memory. */
static int close_all(struct scene *scene)
{
	close_live(scene);
	return settle(scene->count * KIB(4));
}

/* Memory pressure frees all parked memory. */
static int shrink(struct scene *scene)
{
	(void)scene;
	return write_file("/proc/sys/vm/drop_caches", "2");
}

/* Read the list of all live buffers. */
static int read_list(struct scene *scene)
{
	static char text[65536];
	int fd = open(list_of_buffers, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : 1;

	(void)scene;
	while (got > 0)
		got = read(fd, text, sizeof(text));
	got = got < 0 ? -errno : 0;
	close(fd);
	return got;
}

/* MiB of the small buffers, rounded up. */
static unsigned int small_mib(const struct scene *scene)
{
	return (scene->count * KIB(4) + MIB(1) - 1) / MIB(1);
}

static int set_limit(unsigned int mib)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", mib);
	return write_file(pool_limit, text);
}

/* The number that stands for the default is the largest of the kernel's type. */
static int default_limit(void)
{
	char text[32];

	snprintf(text, sizeof(text), "%lu", ULONG_MAX);
	return write_file(pool_limit, text);
}

/*
 * A large buffer is closed, which has as much memory as the pool may keep: the pool must free all
 * small ones.
 */
static int exceed_limit(struct scene *scene)
{
	int fd = sluice.alloc(MIB(small_mib(scene))), ret;

	ret = fd < 0 ? fd : set_limit(small_mib(scene));
	close(fd);
	if (!ret)
		ret = settle(MIB(small_mib(scene)));
	return default_limit() ?: ret;
}

static int watch(struct scene *scene, int (*before)(struct scene *),
		 int (*action)(struct scene *), bool alloc, double *worst)
{
	unsigned int round, rounds = scene->count == MANY ? MANY_ROUNDS : FEW_ROUNDS;
	int ret = 0;

	*worst = 0;
	for (round = 0; round < rounds && !ret; round++) {
		struct sleeper sleeper = { .alloc = alloc };

		ret = before(scene);
		ret = ret ? ret : start_sleeper(&sleeper);
		if (ret)
			break;
		ret = action(scene);
		ret = stop_sleeper(&sleeper) ?: ret;
		if (sleeper.worst > *worst)
			*worst = sleeper.worst;
		close_live(scene);
	}
	return ret;
}

static int watch_close(struct scene *scene, double *worst)
{
	return watch(scene, open_small, close_all, false, worst);
}

static int watch_shrink(struct scene *scene, double *worst)
{
	return watch(scene, park, shrink, false, worst);
}

static int watch_limit(struct scene *scene, double *worst)
{
	return watch(scene, park, exceed_limit, false, worst);
}

static int watch_list(struct scene *scene, double *worst)
{
	return watch(scene, open_small, read_list, true, worst);
}

static const struct steps closes = { .value = watch_close, .teardown = close_live };
static const struct steps shrinks = { .value = watch_shrink, .teardown = close_live };
static const struct steps limits = { .value = watch_limit, .teardown = close_live };
static const struct steps lists = { .value = watch_list, .teardown = close_live };

/* The one close that exceeds the limit. */

static int park_and_limit(struct scene *scene)
{
	int ret = park(scene);

	if (ret)
		return ret;
	scene->dmabufs[0] = sluice.alloc(MIB(small_mib(scene)));
	return scene->dmabufs[0] < 0 ? scene->dmabufs[0] : set_limit(small_mib(scene));
}

static int close_one(struct scene *scene)
{
	int fd = scene->dmabufs[0];

	scene->dmabufs[0] = -1;
	return close(fd);
}

static int empty_pool(struct scene *scene)
{
	return settle(MIB(small_mib(scene))) ?: default_limit() ?: shrink(scene);
}

static void end_limit(struct scene *scene)
{
	(void)scene;
	default_limit();
}

static const struct steps close_over_limit = {
	.before = park_and_limit, .step = close_one, .after = empty_pool, .most = 3,
	.teardown = end_limit,
};

#define BESIDE_FEW(how, what) \
	.ours = { .exporter = &sluice, .name = "9,000 " what, .steps = &how, .count = MANY }, \
	.peers = { { .exporter = &sluice, .name = "50 " what, .steps = &how, .count = FEW } }
/* The kernel frees many files and pages in batches.  Closes of the dma-heap do both at once. */
#define BESIDE_HEAP(how) \
	.ours = { .exporter = &sluice, .steps = &how, .count = MANY }, \
	.peers = { { .exporter = &dma_heap, .steps = &closes, .count = MANY, \
		     .name = "dma-heap, closed" } }

const struct bench sleeper_benches[] = {
	{
		.area = "memory", .name = "a sleeper, 9,000 buffers are closed", .goal = 1.5,
		BESIDE_HEAP(closes),
	}, {
		.area = "memory", .name = "a sleeper, 9,000 parked are reclaimed", .goal = 1.5,
		BESIDE_HEAP(shrinks),
	}, {
		.area = "memory", .name = "a sleeper, 9,000 parked over limit", .goal = 1.5,
		BESIDE_HEAP(limits),
	}, {
		.area = "memory", .name = "a sleeper, 9,000 live are listed", .goal = 1.5,
		BESIDE_FEW(lists, "live"),
	}, {
		.area = "memory", .name = "close over the limit, 9,000 parked", .goal = 1.5,
		BESIDE_FEW(close_over_limit, "parked"),
	},
};

const unsigned int num_sleeper_benches = sizeof(sleeper_benches) / sizeof(sleeper_benches[0]);
