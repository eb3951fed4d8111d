/* SPDX-License-Identifier: MIT */
/*
 * The structs of benchmarks.  A case (struct bench) is an entry of a table in memory.c,
 * sleepers.c, queues.c, wakeups.c, scale.c, deadlines.c, ring.c or big.c: the side of Sluice, the
 * peers, and the goal.  A struct steps is the way in which a side does a case; several cases share
 * one.
 *
 * All functions return 0 (or an fd, or a number) or a negative errno.
 *
 * A step is DISTURBED if what it depends on did not hold: for example, a timer fired before all
 * jobs had been submitted, because the kernel had something else to do.
 */
#ifndef BENCH_H
#define BENCH_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sluice.h"

#define KIB(n)		((size_t)(n) << 10)
#define MIB(n)		((size_t)(n) << 20)
#define MAX_PEERS	3
#define MAX_IMPORTERS	4
#define MAX_LIVE	10000
#define DISTURBED	(-ETIME)	/* the step does not count: do it again */

/**
 * struct exporter - a source of dma-bufs
 * @name: name in the output
 * @alloc: allocates a dma-buf; returns its fd
 */
struct exporter {
	const char *name;
	int (*alloc)(size_t size);
};

extern const struct exporter sluice, dma_heap, udmabuf;

/**
 * struct scene - data that the steps of a side share; zeroed, fds -1
 * @exporter: exporter of the side, or NULL
 * @size: size of the case
 * @count: count of the case
 * @queue: queue of soft0
 * @dmabufs: the buffers
 * @slots: their slots in @queue
 * @drm: vgem
 * @handle: handle of the buffer in @drm
 * @importer: the test importer
 * @memfd: sealed against shrinking, with all its pages
 * @point: point of a job in @queue
 * @live: buffers that exist, and are not used
 * @event: the eventfd or the sync_file that the interrupt source signals
 * @began: the clock, right before the step
 * @ended: the clock, right after the step
 */
struct scene {
	const struct exporter *exporter;
	size_t size;
	unsigned int count;
	int queue;
	int dmabufs[4];
	int slots[4];
	int drm;
	uint32_t handle;
	int importer;
	int memfd;
	uint64_t point;
	int *live;
	int event;
	double began;
	double ended;
};

/**
 * struct steps - how a side does a case; all but one of @step and @value are optional
 * @setup: called once
 * @before: called before each @step, not measured
 * @step: measured
 * @correct: called after each @step if only a part of it counts: moves scene->began to the start of
 *	this part
 * @after: called after each @step, not measured; also if it or @correct returned DISTURBED
 * @teardown: called once, also after an error; closes objects that are not in the scene (the
 *	scene's fds are closed anyway)
 * @batch: how often @step does the measured work; 0 stands for 1
 * @most: most steps, an odd number, for a slow @before or @step; 0: no limit; 1: a single step,
 *	without others to warm up
 * @value: returns the value itself, instead of a measured step; if DISTURBED, it is called again
 *	with a new scene
 */
struct steps {
	int (*setup)(struct scene *scene);
	int (*before)(struct scene *scene);
	int (*step)(struct scene *scene);
	int (*correct)(struct scene *scene);
	int (*after)(struct scene *scene);
	void (*teardown)(struct scene *scene);
	unsigned int batch;
	unsigned int most;
	int (*value)(struct scene *scene, double *value);
};

/**
 * struct side - a side of a case
 * @exporter: exporter of the side; may be NULL
 * @name: used instead of the exporter's name
 * @steps: how it does the case; NULL ends a list of sides
 * @count: used instead of the case's count
 */
struct side {
	const struct exporter *exporter;
	const char *name;
	const struct steps *steps;
	unsigned int count;
};

/**
 * struct bench - a case
 * @area: "memory", "queues"
 * @name: description; unique
 * @size: bytes of a buffer
 * @count: number whose meaning depends on the steps
 * @goal: most that Sluice's value divided by the best peer's may be; 0: no goal
 * @unit: used instead of the unit of the clock
 * @ours: Sluice's side
 * @peers: the peers' sides
 */
struct bench {
	const char *area;
	const char *name;
	size_t size;
	unsigned int count;
	double goal;
	const char *unit;
	struct side ours;
	struct side peers[MAX_PEERS];
};

extern const struct bench memory_benches[], sleeper_benches[], queue_benches[], wakeup_benches[],
	scale_benches[], deadline_benches[], ring_benches[], big_benches[], churn_benches[];
extern const unsigned int num_memory_benches, num_sleeper_benches, num_queue_benches,
	num_wakeup_benches, num_scale_benches, num_deadline_benches, num_ring_benches,
	num_big_benches, num_churn_benches;

/* known.c */

/* not in the tables: a case to check the profile with */
extern const struct bench known_bench;

/* measure.c */

/** now - nanoseconds of CLOCK_MONOTONIC_RAW, which NTP does not adjust */
double now(void);

/* nodes.c */

/** soft_device - soft0, opened once */
int soft_device(void);

/** heap_node - the system heap's node, opened once */
int heap_node(void);

/** irqsource_node - the node of the test module sluice-irqsource, opened once */
int irqsource_node(void);

/** irqsource_device - irqsource0, opened once */
int irqsource_device(void);

/** irqsource_fired - time when the interrupt source fired last, on the clock of now() */
int irqsource_fired(double *time);

/** vgem_open - open vgem */
int vgem_open(void);

/** vgem_import - import a dma-buf as a handle, which attaches and maps it */
int vgem_import(int drm, int dmabuf, uint32_t *handle);

/** vgem_close - close a handle */
int vgem_close(int drm, uint32_t handle);

/** vgem_export - make a buffer of vgem; returns its fd */
int vgem_export(int drm, uint32_t *handle);

/** xioctl - ioctl() that returns its result or -errno */
int xioctl(int fd, unsigned long request, void *argument);

/** write_file - write a string to a file */
int write_file(const char *path, const char *text);

/** memfd_new - make a memfd that can become a dma-buf; it has no pages yet */
int memfd_new(size_t size);

/** udmabuf_wrap - make a dma-buf of a memfd's pages */
int udmabuf_wrap(int memfd, size_t size);

/** settle - give the kernel time for the work that a buffer of this size has left */
int settle(size_t size);

/* scale.c */

/** latest - the longest delay of an interrupt during an action, in nanoseconds */
int latest(struct scene *scene, int (*action)(struct scene *), double *value);

#endif /* BENCH_H */
