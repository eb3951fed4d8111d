/* SPDX-License-Identifier: MIT */
/*
 * What a benchmark is made of.  A case (struct bench) is an entry of a table in
 * memory.c, queues.c, wakeups.c, scale.c or ring.c: what we do, what peers do beside it, and the goal.  How
 * one side does it is a struct steps, which several cases share.
 *
 * All functions return 0 (or an fd, a number) or a negative errno.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sluice.h"

#define KIB(n)		((size_t)(n) << 10)
#define MIB(n)		((size_t)(n) << 20)
#define MAX_PEERS	3
#define MAX_IMPORTERS	4
#define MAX_LIVE	10000

/**
 * struct exporter - where a dma-buf comes from
 * @name: for people
 * @alloc: a new one; returns its fd
 */
struct exporter {
	const char *name;
	int (*alloc)(size_t size);
};

extern const struct exporter sluice, dma_heap, udmabuf;

/**
 * struct scene - what the steps of one side share; zeroed, fds -1
 * @exporter: this side's, or NULL
 * @size: of the case
 * @count: of the case
 * @queue: of soft0
 * @dmabufs: the buffers
 * @slots: theirs, on @queue
 * @drm: vgem
 * @handle: of the buffer there
 * @importer: the test importer
 * @memfd: sealed against shrinking, and its pages are there
 * @point: a job's, on @queue
 * @live: buffers that only exist
 * @event: what the bell signals: an eventfd, or a sync_file
 * @began: the clock, right before the step
 * @ended: right after it
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
 * struct steps - how one side does a case; all but one of @step and @value optional
 * @setup: once
 * @before: before each @step, not measured
 * @step: measured
 * @correct: after each @step whose measured part is not all of it: moves
 *	scene->began to where that begins
 * @after: after each @step, not measured
 * @teardown: once, also after an error; close what the scene does not know of
 *	(its fds are closed anyway)
 * @batch: how often @step does what is measured; 0 stands for 1
 * @most: at most so many steps, because @before is slow; 0: no limit
 * @value: instead of measuring a step: the value itself
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
 * struct side - who does a case, and how
 * @exporter: may be NULL
 * @name: instead of the exporter's
 * @steps: how; NULL ends a list of sides
 * @count: instead of the case's
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
 * @name: what is done; unique
 * @size: bytes of a buffer
 * @count: of what the case counts
 * @goal: ours divided by the best peer's at most; 0: just measured
 * @unit: instead of that of the clock
 * @ours: our side
 * @peers: theirs
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

extern const struct bench memory_benches[], queue_benches[], wakeup_benches[], scale_benches[],
	ring_benches[];
extern const unsigned int num_memory_benches, num_queue_benches, num_wakeup_benches,
	num_scale_benches, num_ring_benches;

/* bench.c */

/** now - nanoseconds of CLOCK_MONOTONIC_RAW: no NTP bends it */
double now(void);

/* peers.c */

/** soft_device - soft0, opened once */
int soft_device(void);

/** heap_node - the system heap's node, opened once */
int heap_node(void);

/** bell_node - the node of the test module sluice-bell, opened once */
int bell_node(void);

/** bell_device - bell0, opened once */
int bell_device(void);

/** bell_rang - when the bell last rang, in the time of now() */
int bell_rang(double *time);

/** vgem_open - a new open of vgem */
int vgem_open(void);

/** vgem_import - make a dma-buf a handle, which attaches and maps it */
int vgem_import(int drm, int dmabuf, uint32_t *handle);

/** vgem_close - give a handle back */
int vgem_close(int drm, uint32_t handle);

/** vgem_export - a buffer of vgem's own: returns its fd */
int vgem_export(int drm, uint32_t *handle);

/** xioctl - ioctl() that returns what it returns or -errno */
int xioctl(int fd, unsigned long request, void *argument);

/** write_file - write a string to a file */
int write_file(const char *path, const char *text);

/** memfd_new - a memfd that may become a dma-buf; its pages are still holes */
int memfd_new(size_t size);

/** udmabuf_wrap - a dma-buf of a memfd's pages */
int udmabuf_wrap(int memfd, size_t size);

/** settle - give the kernel the time to end what a buffer of this size left to do */
int settle(size_t size);

#endif /* BENCH_H */
