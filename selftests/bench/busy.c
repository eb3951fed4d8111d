// SPDX-License-Identifier: MIT
/* Jobs that wait for a busy engine, and a job that hangs: see busy.h. */
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "busy.h"
#include "marker.h"

int busy_queues[BUSY_QUEUES], num_busy_queues;

static double submitted;
static int hanging = -1;

int busy_open_queue(void)
{
	struct sluice_create_queue args = { .depth = SLUICE_MAX_DEPTH };
	int ret = xioctl(irqsource_device(), SLUICE_IOCTL_CREATE_QUEUE, &args);

	return ret ? ret : args.fd;
}

/* Slot 0 of each: a job without ops would not wait for the engine. */
static int attach_word(int queue, int dmabuf)
{
	int slot = sluice_attach(queue, dmabuf, SLUICE_ATTACH_WRITE | SLUICE_ATTACH_EXPLICIT);

	return slot > 0 ? -EINVAL : slot;
}

int busy_open(struct scene *scene, int count)
{
	int ret;

	scene->dmabufs[0] = sluice_alloc(irqsource_device(), 0, KIB(4), 0);
	if (scene->dmabufs[0] < 0)
		return scene->dmabufs[0];
	for (num_busy_queues = 0; num_busy_queues < count; num_busy_queues++) {
		busy_queues[num_busy_queues] = busy_open_queue();
		if (busy_queues[num_busy_queues] < 0)
			return busy_queues[num_busy_queues];
		ret = attach_word(busy_queues[num_busy_queues], scene->dmabufs[0]);
		if (ret)
			return ret;
	}
	scene->queue = busy_open_queue();
	return scene->queue < 0 ? scene->queue : attach_word(scene->queue, scene->dmabufs[0]);
}

int busy_open_count(struct scene *scene)
{
	return busy_open(scene, scene->count);
}

void busy_close(struct scene *scene)
{
	(void)scene;
	while (num_busy_queues)
		close(busy_queues[--num_busy_queues]);
}

int busy_submit(int queue, struct sluice_submit *args, uint32_t ns)
{
	struct sluice_op op;

	sluice_op_fill(&op, 0, 0, 4, ns);
	args->ops = (uintptr_t)&op;
	args->num_ops = 1;
	return xioctl(queue, SLUICE_IOCTL_SUBMIT, args);
}

int busy_begin(struct scene *scene, unsigned int jobs)
{
	struct sluice_submit args = { .flags = SLUICE_SUBMIT_NO_COMPLETION };

	return busy_submit(scene->queue, &args, (jobs + 1) * BUSY_NS);
}

static int last_queue(unsigned int jobs)
{
	return busy_queues[(jobs - 1) % num_busy_queues];
}

static int submit_one(int queue, uint32_t flags)
{
	struct sluice_submit args = { .flags = flags };
	int ret = busy_submit(queue, &args, 0);

	if (!ret && flags & SLUICE_SUBMIT_OUT_FENCE)
		close(args.out_fence);
	return ret;
}

/* The queues take turns, so that the last to get a job is the last to have none. */
int busy_run(unsigned int jobs, uint32_t flags)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < jobs && !ret; i++)
		ret = submit_one(busy_queues[i % num_busy_queues],
				 flags | SLUICE_SUBMIT_NO_COMPLETION);
	if (!ret)
		ret = submit_one(last_queue(jobs), flags);
	submitted = now();
	MARK(MARKER_PAUSE);
	return ret ? ret : busy_see_end(last_queue(jobs));
}

int busy_read(unsigned int jobs)
{
	return busy_read_end(last_queue(jobs));
}

int busy_begin_few(struct scene *scene)
{
	return busy_begin(scene, BUSY_JOBS);
}

int busy_run_few(struct scene *scene)
{
	(void)scene;
	return busy_run(BUSY_JOBS, 0);
}

int busy_read_few(struct scene *scene)
{
	(void)scene;
	return busy_read(BUSY_JOBS);
}

int busy_fired_after(double since, double *fired)
{
	int ret = irqsource_fired(fired);

	if (ret)
		return ret;
	return *fired < since ? DISTURBED : 0;
}

int busy_correct_since(struct scene *scene, double since)
{
	double fired;
	int ret = busy_fired_after(since, &fired);

	if (!ret)
		scene->began += fired - since;
	return ret;
}

int busy_correct(struct scene *scene)
{
	return busy_correct_since(scene, submitted);
}

int busy_see_end(int queue)
{
	struct pollfd pollfd = { .fd = queue, .events = POLLIN };

	return poll(&pollfd, 1, -1) == 1 ? 0 : -EIO;
}

int busy_read_end(int queue)
{
	struct sluice_completion completion;
	int ret = sluice_read(queue, &completion, 1);

	return ret < 0 ? ret : completion.status;
}

int hang_begin(int *fence)
{
	struct sluice_create_queue create = { .timeout_ms = SLUICE_MAX_TIMEOUT_MS };
	struct sluice_op op;
	int ret, buffer;

	ret = xioctl(soft_device(), SLUICE_IOCTL_CREATE_QUEUE, &create);
	if (ret)
		return ret;
	hanging = create.fd;
	buffer = sluice.alloc(KIB(4));
	if (buffer < 0)
		return buffer;
	ret = sluice_attach(hanging, buffer, 0);
	close(buffer);
	if (ret >= 0)
		ret = write_file("/sys/kernel/debug/sluice/soft0/hang_next", "1");
	if (ret)
		return ret;
	sluice_op_fill(&op, 0, 0, 4, 0);
	return sluice_submit(hanging, &op, 1, -1, fence, 0, NULL);
}

int hang_cancel(void)
{
	return sluice_cancel(hanging, 1, UINT64_MAX);
}

void hang_end(void)
{
	close(hanging);
	hanging = -1;
}
