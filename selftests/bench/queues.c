// SPDX-License-Identifier: MIT
/* Queues and fences. */
#include <errno.h>
#include <linux/dma-buf.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <drm/drm.h>
#include <drm/vgem_drm.h>

#include "bench.h"

/* no driver has it */
#define UNKNOWN_IOCTL	_IO('H', 0x7f)

static int open_queue(struct scene *scene)
{
	scene->queue = sluice_queue(soft_device(), 0);
	return scene->queue < 0 ? scene->queue : 0;
}

static int wait_ready(int fd)
{
	struct pollfd pollfd = { .fd = fd, .events = POLLIN };

	return poll(&pollfd, 1, 10000) == 1 ? 0 : -ETIME;
}

/* An empty job, until it is seen to have ended. */

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

/* The job has ended, and what it held has been given back. */
static int end_of_job(struct scene *scene)
{
	int ret = read_completion(scene);

	return ret ? ret : settle(0);
}

static const struct steps four_slots = {
	.setup = attach_four, .step = submit_four, .after = end_of_job,
};

static int unknown_ioctl(struct scene *scene)
{
	(void)scene;
	return xioctl(heap_node(), UNKNOWN_IOCTL, NULL) < 0 ? 0 : -EINVAL;
}

static const struct steps unknown = { .step = unknown_ioctl };

/* A fence as a new sync_file. */

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

const struct bench queue_benches[] = {
	{
		.area = "queues", .name = "submit an empty job, poll, read", .goal = 0.6,
		.ours = { .name = "sluice", .steps = &empty_job },
		.peers = { { .name = "vgem fence", .steps = &vgem_job } },
	}, {
		.area = "queues", .name = "SUBMIT, 4 slots, implicit sync", .size = KIB(4),
		.goal = 4,
		.ours = { .exporter = &sluice, .steps = &four_slots },
		.peers = { { .name = "unknown ioctl", .steps = &unknown } },
	}, {
		.area = "queues", .name = "fence as a new sync_file, close", .size = KIB(4),
		.goal = 0.9,
		.ours = { .name = "sluice", .steps = &point_fence },
		.peers = { { .exporter = &dma_heap, .steps = &buffer_fence } },
	},
};

const unsigned int num_queue_benches = sizeof(queue_benches) / sizeof(queue_benches[0]);
