// SPDX-License-Identifier: MIT
/* Queues and fences. */
#include <errno.h>
#include <liburing.h>
#include <linux/dma-buf.h>
#include <linux/perf_event.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <drm/drm.h>
#include <drm/vgem_drm.h>

#include "bench.h"

static int open_queue(struct scene *scene)
{
	scene->queue = sluice_queue_create(soft_device(), 0);
	return scene->queue < 0 ? scene->queue : 0;
}

static int wait_ready(int fd)
{
	struct pollfd pollfd = { .fd = fd, .events = POLLIN };

	return poll(&pollfd, 1, 10000) == 1 ? 0 : -ETIMEDOUT;
}

/* Submit an empty job, and wait for its end. */

static int read_completion(struct scene *scene)
{
	struct sluice_completion completion;
	int ret = wait_ready(scene->queue);

	if (ret)
		return ret;
	ret = sluice_read(scene->queue, &completion, 1);
	return ret < 0 ? ret : completion.status;
}

static int submit_empty(struct scene *scene)
{
	int ret = sluice_submit(scene->queue, NULL, 0, -1, NULL, 0, &scene->point);

	return ret ? ret : read_completion(scene);
}

static const struct steps empty_job = { .setup = open_queue, .step = submit_empty };

/* The same with a completion ring: the end is seen without a call. */

static struct sluice_ring completion_ring;

static int open_completion_ring(struct scene *scene)
{
	(void)scene;
	return sluice_ring_create(soft_device(), 0, 0, 0, &completion_ring) < 0 ? -ENODEV :
	       completion_ring.header ? 0 : -EOPNOTSUPP;
}

static void close_completion_ring(struct scene *scene)
{
	(void)scene;
	sluice_ring_destroy(&completion_ring);
}

/* soft0 ends a job without ops in SUBMIT. */
static int submit_empty_and_take(struct scene *scene)
{
	struct sluice_completion completion;
	int ret;

	ret = sluice_submit(completion_ring.queue, NULL, 0, -1, NULL, 0, &scene->point);
	if (ret)
		return ret;
	while (!(ret = sluice_ring_take(&completion_ring, &completion, 1)))
		;
	return ret < 0 ? ret : completion.status;
}

static const struct steps empty_job_in_ring = {
	.setup = open_completion_ring, .step = submit_empty_and_take,
	.teardown = close_completion_ring,
};

static int vgem_setup(struct scene *scene)
{
	scene->drm = vgem_open();
	if (scene->drm < 0)
		return scene->drm;
	scene->dmabufs[0] = vgem_export(scene->drm, &scene->handle);
	return scene->dmabufs[0] < 0 ? scene->dmabufs[0] : 0;
}

static int vgem_fence(struct scene *scene)
{
	struct drm_vgem_fence_attach attach = {
		.handle = scene->handle,
		.flags = VGEM_FENCE_WRITE,
	};
	struct drm_vgem_fence_signal signal = {};
	int ret = xioctl(scene->drm, DRM_IOCTL_VGEM_FENCE_ATTACH, &attach);

	if (ret)
		return ret;
	signal.fence = attach.out_fence;
	ret = xioctl(scene->drm, DRM_IOCTL_VGEM_FENCE_SIGNAL, &signal);
	return ret ? ret : wait_ready(scene->dmabufs[0]);
}

static const struct steps vgem_job = { .setup = vgem_setup, .step = vgem_fence };

/* SUBMIT alone: two copies of a word between four buffers. */

static int attach_four(struct scene *scene)
{
	int ret = open_queue(scene), i;

	for (i = 0; i < 4 && !ret; i++) {
		scene->dmabufs[i] = scene->exporter->alloc(scene->size);
		if (scene->dmabufs[i] < 0)
			return scene->dmabufs[i];
		scene->slots[i] = sluice_attach(scene->queue, scene->dmabufs[i],
						i % 2 ? SLUICE_ATTACH_WRITE : SLUICE_ATTACH_READ);
		ret = scene->slots[i] < 0 ? scene->slots[i] : 0;
	}
	return ret;
}

static int submit_four(struct scene *scene)
{
	struct sluice_op ops[2];

	sluice_op_copy(&ops[0], scene->slots[1], 0, scene->slots[0], 0, 4);
	sluice_op_copy(&ops[1], scene->slots[3], 0, scene->slots[2], 0, 4);
	return sluice_submit(scene->queue, ops, 2, -1, NULL, 0, &scene->point);
}

/* Wait until the job has ended, and its memory is freed. */
static int end_of_job(struct scene *scene)
{
	int ret = read_completion(scene);

	return ret ? ret : settle(0);
}

static const struct steps four_slots = {
	.setup = attach_four, .step = submit_four, .after = end_of_job,
};

/* Fences of vgem on four buffers, two of them for writing. */

static uint32_t vgem_fences[4];

static int vgem_four_setup(struct scene *scene)
{
	int i;

	scene->drm = vgem_open();
	if (scene->drm < 0)
		return scene->drm;
	for (i = 0; i < 4; i++) {
		uint32_t handle;

		scene->dmabufs[i] = vgem_export(scene->drm, &handle);
		if (scene->dmabufs[i] < 0)
			return scene->dmabufs[i];
		scene->slots[i] = handle;
	}
	return 0;
}

static int vgem_four_fences(struct scene *scene)
{
	int ret = 0, i;

	for (i = 0; i < 4 && !ret; i++) {
		struct drm_vgem_fence_attach attach = {
			.handle = scene->slots[i], .flags = i % 2 ? VGEM_FENCE_WRITE : 0,
		};

		ret = xioctl(scene->drm, DRM_IOCTL_VGEM_FENCE_ATTACH, &attach);
		vgem_fences[i] = attach.out_fence;
	}
	return ret;
}

static int vgem_four_signal(struct scene *scene)
{
	int ret = 0, i;

	for (i = 0; i < 4 && !ret; i++) {
		struct drm_vgem_fence_signal signal = { .fence = vgem_fences[i] };

		ret = xioctl(scene->drm, DRM_IOCTL_VGEM_FENCE_SIGNAL, &signal);
	}
	return ret;
}

static const struct steps vgem_four = {
	.setup = vgem_four_setup, .step = vgem_four_fences, .after = vgem_four_signal,
};

/*
 * Many empty jobs at once, in a pipeline that has been set up: the structs are reused, and the ring
 * has the queue registered.
 */

#define BATCH	32

static struct io_uring ring;
static struct sluice_submit submits[BATCH];
static struct sluice_completion completions[BATCH];

static int open_ring(struct scene *scene)
{
	int ret = open_queue(scene);

	if (ret)
		return ret;
	memset(submits, 0, sizeof(submits));
	ret = io_uring_queue_init(BATCH, &ring,
				  IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN);
	return ret ? ret : io_uring_register_files(&ring, &scene->queue, 1);
}

static void close_ring(struct scene *scene)
{
	(void)scene;
	if (ring.ring_fd)
		io_uring_queue_exit(&ring);
	ring.ring_fd = 0;
}

static int run_batch(struct sluice_completion *records)
{
	struct io_uring_cqe *cqe;
	unsigned int head, seen = 0;
	int ret, i;

	for (i = 0; i < BATCH; i++) {
		struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);

		sluice_prep_submit(sqe, 0, &submits[i], records ? &records[i] : NULL);
		sqe->flags = IOSQE_FIXED_FILE;
		sqe->user_data = i;
	}
	ret = io_uring_submit_and_wait(&ring, BATCH);
	if (ret < 0)
		return ret;
	ret = 0;
	io_uring_for_each_cqe(&ring, head, cqe) {
		ret = cqe->res ? cqe->res : ret;
		seen++;
	}
	io_uring_cq_advance(&ring, seen);
	return ret || seen == BATCH ? ret : -EIO;
}

static int ring_batch(struct scene *scene)
{
	(void)scene;
	return run_batch(NULL);
}

static int ring_batch_completions(struct scene *scene)
{
	(void)scene;
	return run_batch(completions);
}

/* Submit only. */
static int submit_batch(struct scene *scene)
{
	int ret = 0, i;

	for (i = 0; i < BATCH && !ret; i++) {
		submits[i] = (struct sluice_submit) { .flags = SLUICE_SUBMIT_NO_COMPLETION };
		ret = xioctl(scene->queue, SLUICE_IOCTL_SUBMIT, &submits[i]);
	}
	return ret;
}

/* Submit, and read after all have ended. */
static int submit_batch_read(struct scene *scene)
{
	int ret = 0, i;

	for (i = 0; i < BATCH && !ret; i++)
		ret = sluice_submit(scene->queue, NULL, 0, -1, NULL, i, NULL);
	if (ret)
		return ret;
	ret = sluice_read(scene->queue, completions, BATCH);
	return ret < 0 ? ret : ret == BATCH ? 0 : -EIO;
}

/* The same with a completion ring. */
static int submit_batch_take(struct scene *scene)
{
	int ret = 0, i;

	(void)scene;
	for (i = 0; i < BATCH && !ret; i++)
		ret = sluice_submit(completion_ring.queue, NULL, 0, -1, NULL, i, NULL);
	if (ret)
		return ret;
	ret = sluice_ring_take(&completion_ring, completions, BATCH);
	return ret < 0 ? ret : ret == BATCH ? 0 : -EIO;
}

/* Submit each with a fence, and wait for these. */
static int submit_batch_fences(struct scene *scene)
{
	int ret = 0, i, fence;

	for (i = 0; i < BATCH && !ret; i++) {
		submits[i] = (struct sluice_submit) {
			.flags = SLUICE_SUBMIT_OUT_FENCE | SLUICE_SUBMIT_NO_COMPLETION,
		};
		ret = xioctl(scene->queue, SLUICE_IOCTL_SUBMIT, &submits[i]);
	}
	for (i = 0; i < BATCH && !ret; i++) {
		fence = submits[i].out_fence;
		ret = wait_ready(fence);
		close(fence);
	}
	return ret;
}

static struct sluice_submit_many many = {
	.jobs = (uintptr_t)submits, .num_jobs = BATCH, .job_size = sizeof(submits[0]),
};

/* All in one call; submit only. */
static int submit_in_one_call(struct scene *scene)
{
	int i;

	for (i = 0; i < BATCH; i++)
		submits[i] = (struct sluice_submit) { .flags = SLUICE_SUBMIT_NO_COMPLETION };
	return xioctl(scene->queue, SLUICE_IOCTL_SUBMIT_MANY, &many);
}

/* All in one request. */
static int ring_in_one_request(struct scene *scene)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);
	struct io_uring_cqe *cqe;
	int ret;

	(void)scene;
	sluice_prep_submit_many(sqe, 0, &many, NULL);
	sqe->flags = IOSQE_FIXED_FILE;
	ret = io_uring_submit_and_wait(&ring, 1);
	if (ret < 0)
		return ret;
	ret = io_uring_peek_cqe(&ring, &cqe);
	if (ret)
		return ret;
	ret = cqe->res;
	io_uring_cqe_seen(&ring, cqe);
	return ret;
}

static const struct steps one_call = {
	.setup = open_queue, .step = submit_in_one_call, .batch = BATCH,
};

static const struct steps one_request = {
	.setup = open_ring, .step = ring_in_one_request, .teardown = close_ring, .batch = BATCH,
};

static const struct steps ring_jobs = {
	.setup = open_ring, .step = ring_batch, .teardown = close_ring, .batch = BATCH,
};

static const struct steps ring_jobs_completions = {
	.setup = open_ring, .step = ring_batch_completions, .teardown = close_ring,
	.batch = BATCH,
};

static const struct steps submit_jobs = {
	.setup = open_queue, .step = submit_batch, .batch = BATCH,
};

static const struct steps submit_jobs_read = {
	.setup = open_queue, .step = submit_batch_read, .batch = BATCH,
};

static const struct steps submit_jobs_take = {
	.setup = open_completion_ring, .step = submit_batch_take,
	.teardown = close_completion_ring, .batch = BATCH,
};

static const struct steps submit_jobs_fences = {
	.setup = open_queue, .step = submit_batch_fences, .batch = BATCH,
};

/* Count system calls of this thread from now on, with a counter of the kernel. */
static int count_system_calls(void)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_TRACEPOINT, .size = sizeof(attr) };
	FILE *file = fopen("/sys/kernel/tracing/events/raw_syscalls/sys_enter/id", "re");
	int fd;

	if (!file)
		return -errno;
	if (fscanf(file, "%llu", &attr.config) != 1)
		attr.config = 0;
	fclose(file);
	fd = syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int system_calls(struct scene *scene, int (*setup)(struct scene *scene),
			int (*batch)(struct scene *scene), double *value)
{
	uint64_t before, after;
	int counter, ret = setup(scene);

	if (ret)
		return ret;
	counter = count_system_calls();
	if (counter < 0)
		return counter;
	ret = read(counter, &before, sizeof(before)) == sizeof(before) ? batch(scene) : -EIO;
	if (!ret && read(counter, &after, sizeof(after)) != sizeof(after))
		ret = -EIO;
	close(counter);
	/* the second read() is counted, the first had begun before */
	*value = ret ? 0 : after - before - 1;
	return ret;
}

static int ring_system_calls(struct scene *scene, double *value)
{
	return system_calls(scene, open_ring, ring_batch, value);
}

static int submit_system_calls(struct scene *scene, double *value)
{
	return system_calls(scene, open_queue, submit_batch, value);
}

static const struct steps ring_calls = { .value = ring_system_calls, .teardown = close_ring };
static const struct steps submit_calls = { .value = submit_system_calls };

/* A fence as a new sync_file */

static int end_one_job(struct scene *scene)
{
	int ret = open_queue(scene);

	return ret ? ret : submit_empty(scene);
}

static int fence_of_point(struct scene *scene)
{
	struct sluice_export_fence args = { .point = scene->point };
	int ret = xioctl(scene->queue, SLUICE_IOCTL_FENCE, &args);

	return ret ? ret : close(args.fd);
}

static const struct steps point_fence = { .setup = end_one_job, .step = fence_of_point };

static int alloc_one(struct scene *scene)
{
	scene->dmabufs[0] = scene->exporter->alloc(scene->size);
	return scene->dmabufs[0] < 0 ? scene->dmabufs[0] : 0;
}

static int fence_of_buffer(struct scene *scene)
{
	struct dma_buf_export_sync_file args = { .flags = DMA_BUF_SYNC_READ };
	int ret = xioctl(scene->dmabufs[0], DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &args);

	return ret ? ret : close(args.fd);
}

static const struct steps buffer_fence = { .setup = alloc_one, .step = fence_of_buffer };

/*
 * A job with one small op, from SUBMIT until its completion has been read: without a fence,
 * with one on its buffer, with one as an fd, and with one that the caller asks for later.
 */

static int attach_one(struct scene *scene, uint32_t flags)
{
	int ret = open_queue(scene) ?: alloc_one(scene);

	if (ret)
		return ret;
	scene->slots[0] = sluice_attach(scene->queue, scene->dmabufs[0],
					SLUICE_ATTACH_WRITE | flags);
	return scene->slots[0] < 0 ? scene->slots[0] : 0;
}

static int attach_explicit(struct scene *scene)
{
	return attach_one(scene, SLUICE_ATTACH_EXPLICIT);
}

static int attach_implicit(struct scene *scene)
{
	return attach_one(scene, 0);
}

/* soft0 does so small an op at once, so read() does not sleep. */
static int submit_word(struct scene *scene, int *fence)
{
	struct sluice_completion completion;
	struct sluice_op op;
	int ret;

	sluice_op_fill(&op, scene->slots[0], 0, 4, 0);
	ret = sluice_submit(scene->queue, &op, 1, -1, fence, 0, &scene->point);
	if (ret)
		return ret;
	ret = sluice_read(scene->queue, &completion, 1);
	return ret < 0 ? ret : completion.status;
}

static int job_alone(struct scene *scene)
{
	return submit_word(scene, NULL);
}

static int job_with_fd(struct scene *scene)
{
	int fence, ret = submit_word(scene, &fence);

	return ret ? ret : close(fence);
}

static int job_and_fence(struct scene *scene)
{
	int ret = submit_word(scene, NULL);

	return ret ? ret : fence_of_point(scene);
}

static const struct steps without_fence = { .setup = attach_explicit, .step = job_alone };
static const struct steps fence_on_buffer = { .setup = attach_implicit, .step = job_alone };
static const struct steps fence_as_fd = { .setup = attach_explicit, .step = job_with_fd };
static const struct steps fence_later = { .setup = attach_explicit, .step = job_and_fence };

/* CREATE_QUEUE and close */

static int create_and_close(struct scene *scene)
{
	struct sluice_create_queue args = { .depth = scene->count };
	int ret = xioctl(soft_device(), SLUICE_IOCTL_CREATE_QUEUE, &args);

	return ret ? ret : close(args.fd);
}

static const struct steps create_queue = { .step = create_and_close };

/* ATTACH and DETACH */

static int alloc_and_open(struct scene *scene)
{
	return alloc_one(scene) ?: open_queue(scene);
}

static int attach_detach(struct scene *scene)
{
	int slot = sluice_attach(scene->queue, scene->dmabufs[0], SLUICE_ATTACH_WRITE);

	return slot < 0 ? slot : sluice_detach(scene->queue, slot);
}

static const struct steps attach = { .setup = alloc_and_open, .step = attach_detach };

const struct bench queue_benches[] = {
	{
		.area = "queues", .name = "submit an empty job, poll, read", .goal = 0.6,
		.ours = { .name = "sluice", .steps = &empty_job },
		.peers = { { .name = "vgem fence", .steps = &vgem_job } },
	}, {
		.area = "queues", .name = "submit an empty job, seen in the ring", .goal = 0.4,
		.ours = { .name = "sluice", .steps = &empty_job_in_ring },
		.peers = { { .name = "vgem fence", .steps = &vgem_job } },
	}, {
		.area = "queues", .name = "SUBMIT, 4 slots, implicit sync", .size = KIB(4),
		.goal = 0.42,
		.ours = { .exporter = &sluice, .steps = &four_slots },
		.peers = { { .name = "4 vgem fences", .steps = &vgem_four } },
	}, {
		.area = "queues", .name = "CREATE_QUEUE + close, depth 4,096",
		.ours = { .name = "4,096", .steps = &create_queue, .count = SLUICE_MAX_DEPTH },
		.peers = { { .name = "256", .steps = &create_queue, .count = 256 } },
	}, {
		.area = "queues", .name = "ATTACH + DETACH, 4 KiB", .size = KIB(4),
		.ours = { .exporter = &sluice, .steps = &attach },
		.peers = { { .exporter = &dma_heap, .steps = &attach } },
	}, {
		.area = "queues", .name = "ATTACH + DETACH, 64 MiB", .size = MIB(64),
		.ours = { .exporter = &sluice, .steps = &attach },
		.peers = { { .exporter = &dma_heap, .steps = &attach } },
	}, {
		.area = "queues", .name = "a job without a fence, read", .size = KIB(4),
		.ours = { .exporter = &sluice, .steps = &without_fence },
		.peers = {
			{ .exporter = &sluice, .steps = &fence_on_buffer, .name = "on its buffer" },
			{ .exporter = &sluice, .steps = &fence_as_fd, .name = "OUT_FENCE" },
			{ .exporter = &sluice, .steps = &fence_later, .name = "FENCE later" },
		},
	}, {
		.area = "queues", .name = "fence as a new sync_file, close", .size = KIB(4),
		.goal = 0.9,
		.ours = { .name = "sluice", .steps = &point_fence },
		.peers = { { .exporter = &dma_heap, .steps = &buffer_fence } },
	}, {
		.area = "queues", .name = "one of 32 jobs in one call", .goal = 0.45,
		.ours = { .name = "SUBMIT_MANY", .steps = &one_call },
		.peers = { { .name = "SUBMIT alone", .steps = &submit_jobs } },
	}, {
		.area = "queues", .name = "... in one io_uring command", .goal = 0.45,
		.ours = { .name = "io_uring", .steps = &one_request },
		.peers = { { .name = "SUBMIT alone", .steps = &submit_jobs } },
	}, {
		.area = "queues", .name = "one of 32 jobs through io_uring", .goal = 0.5,
		.ours = { .name = "io_uring", .steps = &ring_jobs },
		.peers = { { .name = "SUBMIT alone", .steps = &submit_jobs } },
	}, {
		.area = "queues", .name = "... and seen to end",
		.ours = { .name = "io_uring", .steps = &ring_jobs },
		.peers = { { .name = "SUBMIT, poll, read", .steps = &empty_job },
			   { .name = "SUBMIT, fence, poll", .steps = &submit_jobs_fences } },
	}, {
		.area = "queues", .name = "... with its completion",
		.ours = { .name = "io_uring", .steps = &ring_jobs_completions },
		.peers = { { .name = "SUBMIT, read 32", .steps = &submit_jobs_read } },
	}, {
		.area = "queues", .name = "one of 32 jobs, completions in the ring",
		.ours = { .name = "ring", .steps = &submit_jobs_take },
		.peers = { { .name = "SUBMIT, read 32", .steps = &submit_jobs_read } },
	}, {
		.area = "queues", .name = "32 jobs through io_uring", .goal = 0.15,
		.unit = "system calls",
		.ours = { .name = "io_uring", .steps = &ring_calls },
		.peers = { { .name = "SUBMIT", .steps = &submit_calls } },
	},
};

const unsigned int num_queue_benches = sizeof(queue_benches) / sizeof(queue_benches[0]);
