// SPDX-License-Identifier: MIT
/*
 * From one op to the next, on a device that does nothing else: the cost of an op when several are
 * in flight, and the time that the device waits for the next one.
 *
 * The core's work item gives irqsource0 one op after the other (->start).  ring0 takes ops itself
 * in its interrupt (->kick), and has up to 1, 2 or 8 in flight.  Both are in
 * selftests/kernel/irqsource.c, which records when ops end and begin.  The first job runs until all
 * have been submitted, so the measurement begins with its end.  The other ops take a nanosecond if
 * the CPU's work is measured, and 50,000 if the device's gaps are.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "busy.h"
#include "irqsource.h"
#include "v4l2.h"

#define JOBS		64

static struct irqsource_gap gap;

/* The count of a case is the depth of ring0, or 0 for irqsource0. */
static int open_queue(struct scene *scene)
{
	int device = scene->count ? sluice_open("ring0") : sluice_open("irqsource0");
	struct sluice_create_queue args = {
		.engine = scene->count == 8 ? 2 : scene->count == 2, .depth = 2 * JOBS,
	};
	int ret = device < 0 ? device : xioctl(device, SLUICE_IOCTL_CREATE_QUEUE, &args);

	scene->queue = ret ? -1 : args.fd;
	scene->dmabufs[0] = ret ? -1 : sluice_alloc(device, 0, KIB(4), 0);
	if (device >= 0)
		close(device);
	if (ret || scene->dmabufs[0] < 0)
		return ret ? ret : scene->dmabufs[0];
	ret = sluice_attach(scene->queue, scene->dmabufs[0],
			    SLUICE_ATTACH_WRITE | SLUICE_ATTACH_EXPLICIT);
	return ret > 0 ? -EINVAL : ret;
}

static int submit_op(struct scene *scene, uint32_t flags, uint32_t ns)
{
	struct sluice_submit args = { .flags = flags };

	return busy_submit(scene->queue, &args, ns);
}

static int submit_all_of(struct scene *scene, uint32_t ns)
{
	int i, ret = xioctl(irqsource_node(), IRQSOURCE_GAP, &gap);

	if (!ret)
		ret = submit_op(scene, SLUICE_SUBMIT_NO_COMPLETION, (JOBS + 2) * BUSY_NS);
	for (i = 0; i < JOBS && !ret; i++)
		ret = submit_op(scene, i < JOBS - 1 ? SLUICE_SUBMIT_NO_COMPLETION : 0, ns);
	return ret;
}

static int submit_all(struct scene *scene)
{
	return submit_all_of(scene, 1);
}

static int see_end(struct scene *scene)
{
	return busy_see_end(scene->queue);
}

/* Count from the end of the first op, which must be later than the last SUBMIT. */
static int from_the_first_end(struct scene *scene)
{
	int ret = xioctl(irqsource_node(), IRQSOURCE_GAP, &gap);

	if (ret)
		return ret;
	if (gap.first < scene->began)
		return DISTURBED;
	scene->began = gap.first;
	return 0;
}

static int read_end(struct scene *scene)
{
	return busy_read_end(scene->queue);
}

/*
 * Only with 8 in flight: with fewer, the timer's interrupt would set the timer to expire at once,
 * again and again.  The kernel delays such a timer, and this delay would be measured.
 */
static const struct steps stream = {
	.setup = open_queue, .before = submit_all, .step = see_end,
	.correct = from_the_first_end, .after = read_end, .batch = JOBS,
};

/* The longest time without an op on the device, over many rounds. */
static int worst_gap(struct scene *scene, double *value)
{
	int round, ret = open_queue(scene);
	double submitted;

	*value = 0;
	for (round = 0; round < 20 && !ret; round++) {
		ret = submit_all_of(scene, 50000);
		submitted = now();
		if (!ret)
			ret = see_end(scene);
		if (!ret)
			ret = read_end(scene);
		if (!ret)
			ret = xioctl(irqsource_node(), IRQSOURCE_GAP, &gap);
		if (!ret && gap.first < submitted)
			ret = DISTURBED;
		/* in the first round, caches are cold */
		if (round && gap.worst > *value)
			*value = gap.worst;
	}
	return ret;
}

static const struct steps gaps = { .value = worst_gap };

/* Take a frame and give a buffer: soft0 and vivid, neither of which draws in these calls. */

#define WIDTH		640
#define HEIGHT		480

static int submit_capture(struct scene *scene)
{
	struct sluice_op op;

	sluice_op_capture_frame(&op, 0, 0, WIDTH, HEIGHT, WIDTH * 4);
	return sluice_submit(scene->queue, &op, 1, -1, NULL, 0, NULL);
}

static int open_soft(struct scene *scene)
{
	int ret;

	scene->queue = sluice_queue_create(soft_device(), 0);
	if (scene->queue < 0)
		return scene->queue;
	scene->dmabufs[0] = sluice_alloc(soft_device(), 0, scene->size, 0);
	if (scene->dmabufs[0] < 0)
		return scene->dmabufs[0];
	ret = sluice_attach(scene->queue, scene->dmabufs[0], SLUICE_ATTACH_WRITE);
	return ret ? ret : submit_capture(scene);
}

static int read_and_submit(struct scene *scene)
{
	int ret = read_end(scene);

	return ret ? ret : submit_capture(scene);
}

static const struct steps soft_captures = {
	.setup = open_soft, .before = see_end, .step = read_and_submit, .most = 31,
};

static int open_vivid(struct scene *scene)
{
	uint32_t size;
	int i, ret;

	if (system("modprobe -q vivid n_devs=1 node_types=1 num_inputs=1 input_types=0"))
		return -ENODEV;
	scene->queue = v4l2_open("vivid", V4L2_CAP_VIDEO_CAPTURE);
	if (scene->queue < 0)
		return scene->queue;
	ret = v4l2_set_format(scene->queue, V4L2_BUF_TYPE_VIDEO_CAPTURE, WIDTH, HEIGHT,
			      V4L2_PIX_FMT_XBGR32, &size);
	if (!ret)
		ret = v4l2_request(scene->queue, V4L2_BUF_TYPE_VIDEO_CAPTURE, 3);
	for (i = 0; i < 3 && !ret; i++) {
		scene->dmabufs[i] = sluice.alloc(size);
		ret = scene->dmabufs[i] < 0 ? scene->dmabufs[i] :
		      v4l2_queue(scene->queue, V4L2_BUF_TYPE_VIDEO_CAPTURE, i,
				 scene->dmabufs[i], 0);
	}
	return ret ? ret : v4l2_stream(scene->queue, V4L2_BUF_TYPE_VIDEO_CAPTURE, true);
}

static int dequeue_and_queue(struct scene *scene)
{
	struct v4l2_buffer buffer;
	int ret = v4l2_dequeue(scene->queue, V4L2_BUF_TYPE_VIDEO_CAPTURE, 1000, &buffer);

	return ret ? ret : v4l2_queue(scene->queue, V4L2_BUF_TYPE_VIDEO_CAPTURE, buffer.index,
				      scene->dmabufs[buffer.index], 0);
}

static const struct steps vivid_captures = {
	.setup = open_vivid, .before = see_end, .step = dequeue_and_queue, .most = 31,
};

const struct bench ring_benches[] = {
	{
		.area = "queues", .name = "an op of a stream, 8 in flight",
		.ours = { .name = "8 in flight", .steps = &stream, .count = 8 },
		.peers = {
			{ .name = "1, started", .steps = &stream },
		},
	}, {
		.area = "queues", .name = "worst gap between ops, 1 in flight",
		.ours = { .name = "taken in interrupt", .steps = &gaps, .count = 1 },
		.peers = { { .name = "started", .steps = &gaps } },
	}, {
		.area = "queues", .name = "worst gap between ops, 2 in flight",
		.ours = { .name = "taken in interrupt", .steps = &gaps, .count = 2 },
		.peers = { { .name = "started", .steps = &gaps } },
	}, {
		.area = "queues", .name = "worst gap between ops, 8 in flight",
		.ours = { .name = "taken in interrupt", .steps = &gaps, .count = 8 },
		.peers = { { .name = "started", .steps = &gaps } },
	}, {
		.area = "queues", .name = "take a frame, give a buffer", .size = WIDTH * HEIGHT * 4,
		.ours = { .name = "sluice", .steps = &soft_captures },
		.peers = { { .name = "vivid", .steps = &vivid_captures } },
	},
};

const unsigned int num_ring_benches = sizeof(ring_benches) / sizeof(ring_benches[0]);
