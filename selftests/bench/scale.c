// SPDX-License-Identifier: MIT
/*
 * Many queues, many waiting jobs, many in-fences.  The cost of one must not depend on their number.
 *
 * The many objects wait for a busy engine (busy.h), or for a job that hangs.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "busy.h"
#include "irqsource.h"

static int fences[SLUICE_MAX_IN_FENCES] = { -1 };

static int submit(int queue, uint32_t flags, unsigned int in_fences)
{
	struct sluice_submit args = {
		.flags = flags, .in_fences = (uintptr_t)fences, .num_in_fences = in_fences,
	};

	return xioctl(queue, SLUICE_IOCTL_SUBMIT, &args);
}

/* Jobs behind one that keeps the engine busy until all have been submitted. */

#define MANY_JOBS	10000

static int before_all(struct scene *scene)
{
	return busy_begin(scene, MANY_JOBS);
}

static int submit_all(struct scene *scene)
{
	(void)scene;
	return busy_run(MANY_JOBS, 0);
}

static int read_all(struct scene *scene)
{
	(void)scene;
	return busy_read(MANY_JOBS);
}

static const struct steps few_jobs = {
	.setup = busy_open_count, .before = busy_begin_few, .step = busy_run_few,
	.correct = busy_correct, .after = busy_read_few, .teardown = busy_close,
	.batch = BUSY_JOBS,
};

static const struct steps many_jobs = {
	.setup = busy_open_count, .before = before_all, .step = submit_all,
	.correct = busy_correct, .after = read_all, .teardown = busy_close,
	.batch = MANY_JOBS,
};

/*
 * The same while other jobs wait that do not get their turn, because they wait for a hanging job of
 * another device.
 */

#define WAITING_QUEUES	3

static int waiting[WAITING_QUEUES];

static int open_and_wait(struct scene *scene)
{
	unsigned int i;
	int ret;

	for (i = 0; i < WAITING_QUEUES; i++)
		waiting[i] = -1;
	ret = hang_begin(&fences[0]);
	for (i = 0; i < WAITING_QUEUES && !ret; i++) {
		waiting[i] = busy_open_queue();
		ret = waiting[i] < 0 ? waiting[i] : 0;
	}
	for (i = 0; i < scene->count && !ret; i++)
		ret = submit(waiting[i % WAITING_QUEUES], SLUICE_SUBMIT_NO_COMPLETION, 1);
	close(fences[0]);
	fences[0] = -1;
	return ret ? ret : busy_open(scene, 1);
}

static void close_waiting(struct scene *scene)
{
	unsigned int i;

	busy_close(scene);
	for (i = 0; i < WAITING_QUEUES; i++)
		close(waiting[i]);
	hang_end();
	settle(MIB(64));
}

static const struct steps jobs_beside_others = {
	.setup = open_and_wait, .before = busy_begin_few, .step = busy_run_few,
	.correct = busy_correct, .after = busy_read_few, .teardown = close_waiting,
	.batch = BUSY_JOBS,
};

/*
 * The longest delay of an interrupt because interrupts are off, while many queues have a job that
 * waits for a hanging job.  Each round makes the core look at queues: a job runs beside them, and
 * the jobs of one queue are cancelled and replaced.  At the end, the fence signals that all of them
 * wait for.
 *
 * Then the same while the queues are closed.  Closing so many files frees memory, which the kernel
 * does in batches with interrupts off.  The same number of pipe ends is closed for comparison.
 */

#define LATE_ROUNDS	400
#define LATE_JOBS	16	/* jobs of the queue whose jobs are cancelled */
#define LATE_PERIOD_NS	14983	/* a prime: it hits each place sooner or later */

static int *crowd, *crowd_devices;
static uint64_t *crowd_points;	/* the last point of each queue */
static unsigned int num_crowd, num_crowd_devices;

static void close_crowd(struct scene *scene)
{
	while (num_crowd)
		close(crowd[--num_crowd]);
	while (num_crowd_devices)
		close(crowd_devices[--num_crowd_devices]);
	free(crowd);
	free(crowd_devices);
	free(crowd_points);
	crowd = crowd_devices = NULL;
	crowd_points = NULL;
	busy_close(scene);
	hang_end();
	close(fences[0]);
	fences[0] = -1;
	settle(MIB(64));
}

/* Open the node once more, because one open can have only a limited number of queues. */
static int open_crowd_device(void)
{
	int fd = sluice_open("irqsource0");

	if (fd >= 0)
		crowd_devices[num_crowd_devices++] = fd;
	return fd;
}

/* Open one more queue with a job that waits. */
static int open_in_crowd(void)
{
	struct sluice_create_queue create = { .depth = LATE_JOBS };
	int ret = 0;

	if (num_crowd % SLUICE_MAX_QUEUES == 0)
		ret = open_crowd_device();
	if (ret >= 0)
		ret = xioctl(crowd_devices[num_crowd_devices - 1], SLUICE_IOCTL_CREATE_QUEUE,
			     &create);
	if (ret)
		return ret;
	crowd_points[num_crowd] = 1;
	crowd[num_crowd++] = create.fd;
	return submit(create.fd, SLUICE_SUBMIT_NO_COMPLETION, 1);
}

static int open_pipe_in_crowd(void)
{
	if (pipe(&crowd[num_crowd]))
		return -errno;
	num_crowd += 2;
	return 0;
}

static int open_crowd(unsigned int count, int (*open_one_more)(void))
{
	struct rlimit files = { count + 1024, count + 1024 };
	int ret = setrlimit(RLIMIT_NOFILE, &files) ? -errno : 0;

	crowd = calloc(count, sizeof(*crowd));
	crowd_devices = calloc(count / SLUICE_MAX_QUEUES + 1, sizeof(*crowd_devices));
	crowd_points = calloc(count, sizeof(*crowd_points));
	if (!crowd || !crowd_devices || !crowd_points)
		return -ENOMEM;
	while (!ret && num_crowd < count)
		ret = open_one_more();
	return ret;
}

static int late_round(struct scene *scene, unsigned int round)
{
	unsigned int number = round % num_crowd;
	struct sluice_submit one = {};
	int queue = crowd[number], ret, i;

	ret = busy_submit(scene->queue, &one, 0);
	if (!ret)
		ret = busy_see_end(scene->queue) ?: busy_read_end(scene->queue);
	if (!ret)
		ret = sluice_cancel(queue, 1, UINT64_MAX);
	/* jobs that have just ended, or are about to, still count against the depth */
	for (i = 0, ret = ret < 0 ? ret : 0; i < LATE_JOBS && !ret; i++) {
		ret = submit(queue, SLUICE_SUBMIT_NO_COMPLETION, 1);
		crowd_points[number] += !ret;
	}
	return ret == -EBUSY || ret == -EAGAIN ? 0 : ret;
}

/* The jobs wait for another device's job, so they are cancelled with it.  Wait for each of them. */
static int end_jobs_of_crowd(void)
{
	int ret = hang_cancel();
	unsigned int i;

	for (i = 0; i < num_crowd && ret >= 0; i++)
		ret = sluice_wait(crowd[i], crowd_points[i], -1) == -ECANCELED ? 0 : -EIO;
	return ret < 0 ? ret : 0;
}

static int late_rounds(struct scene *scene)
{
	unsigned int round;
	int ret = 0;

	for (round = 0; round < LATE_ROUNDS && !ret; round++)
		ret = late_round(scene, round);
	return ret;
}

static int run_beside_crowd(struct scene *scene)
{
	return late_rounds(scene) ?: end_jobs_of_crowd();
}

static int close_each_in_crowd(struct scene *scene)
{
	(void)scene;
	while (num_crowd)
		close(crowd[--num_crowd]);
	return 0;
}

int latest(struct scene *scene, int (*action)(struct scene *), double *value)
{
	__u64 late = 0;
	int ret = xioctl(irqsource_node(), IRQSOURCE_WATCH, (void *)LATE_PERIOD_NS);

	if (!ret)
		ret = action(scene);
	if (!ret)
		ret = xioctl(irqsource_node(), IRQSOURCE_LATE, &late);
	xioctl(irqsource_node(), IRQSOURCE_WATCH, NULL);
	*value = (double)late;
	return ret;
}

static int latest_beside(struct scene *scene, double *value)
{
	int ret = hang_begin(&fences[0]) ?: open_crowd(scene->count, open_in_crowd);

	if (!ret)
		ret = busy_open(scene, 0);
	/* the kernel has interrupts off for long when it turns pages into memory for jobs */
	if (!ret)
		ret = late_rounds(scene);
	return ret ? ret : latest(scene, run_beside_crowd, value);
}

static int latest_at_close(struct scene *scene, double *value)
{
	int ret = hang_begin(&fences[0]) ?: open_crowd(scene->count, open_in_crowd);

	if (!ret)
		ret = end_jobs_of_crowd();
	return ret ? ret : latest(scene, close_each_in_crowd, value);
}

static int latest_at_close_of_pipes(struct scene *scene, double *value)
{
	int ret = open_crowd(scene->count, open_pipe_in_crowd);

	return ret ? ret : latest(scene, close_each_in_crowd, value);
}

static const struct steps lateness = { .value = latest_beside, .teardown = close_crowd };
static const struct steps lateness_at_close = {
	.value = latest_at_close, .teardown = close_crowd,
};
static const struct steps lateness_at_close_of_pipes = {
	.value = latest_at_close_of_pipes, .teardown = close_crowd,
};

/*
 * CANCEL of a job that waits for the engine, until its end is seen, while other queues of the
 * engine have a job of many ops.  The engine is busy with a job that hangs.
 */

#define CANCEL_OPS	SLUICE_MAX_OPS

static int open_with_long_job(int device, int dmabuf)
{
	struct sluice_op ops[CANCEL_OPS];
	int queue = sluice_queue_create(device, 0), i, ret;

	if (queue < 0)
		return queue;
	ret = sluice_attach(queue, dmabuf, SLUICE_ATTACH_WRITE | SLUICE_ATTACH_EXPLICIT);
	for (i = 0; i < CANCEL_OPS; i++)
		sluice_op_fill(&ops[i], 0, 0, 4, 0);
	if (ret >= 0)
		ret = sluice_submit(queue, ops, CANCEL_OPS, -1, NULL, 0, NULL);
	if (ret)
		close(queue);
	return ret ? ret : queue;
}

static void close_long_jobs(struct scene *scene)
{
	unsigned int i;

	for (i = 0; scene->live && i < scene->count; i++)
		close(scene->live[i]);
	free(scene->live);
	hang_end();
	settle(MIB(64));
}

static int open_long_jobs(struct scene *scene)
{
	unsigned int i;
	int ret = hang_begin(&scene->event);

	scene->dmabufs[0] = sluice_alloc(soft_device(), 0, KIB(4), 0);
	scene->live = malloc(scene->count * sizeof(*scene->live));
	if (ret || scene->dmabufs[0] < 0 || !scene->live)
		return ret ?: -ENOMEM;
	memset(scene->live, -1, scene->count * sizeof(*scene->live));
	for (i = 0; i < scene->count; i++) {
		scene->live[i] = open_with_long_job(soft_device(), scene->dmabufs[0]);
		if (scene->live[i] < 0)
			return scene->live[i];
	}
	scene->queue = sluice_queue_create(soft_device(), 0);
	return sluice_attach(scene->queue, scene->dmabufs[0],
			     SLUICE_ATTACH_WRITE | SLUICE_ATTACH_EXPLICIT);
}

static int submit_to_cancel(struct scene *scene)
{
	struct sluice_op op;

	sluice_op_fill(&op, 0, 0, 4, 0);
	return sluice_submit(scene->queue, &op, 1, -1, NULL, 0, &scene->point);
}

static int cancel_and_see_end(struct scene *scene)
{
	int ret = sluice_cancel(scene->queue, scene->point, scene->point);

	return ret == 1 ? busy_see_end(scene->queue) : -EIO;
}

static int read_cancelled(struct scene *scene)
{
	return busy_read_end(scene->queue) == -ECANCELED ? 0 : -EIO;
}

static const struct steps cancels = {
	.setup = open_long_jobs, .before = submit_to_cancel, .step = cancel_and_see_end,
	.after = read_cancelled, .teardown = close_long_jobs,
};

/*
 * In-fences of another driver, all different, which signal in an interrupt.  The result is the cost
 * of each fence beyond the first: the cost of a job with one in-fence is subtracted, while the same
 * number of fences signals.
 */

static int new_fences(void)
{
	int i;

	for (i = 0; i < SLUICE_MAX_IN_FENCES; i++) {
		fences[i] = xioctl(irqsource_node(), IRQSOURCE_FENCE, NULL);
		if (fences[i] < 0)
			return fences[i];
	}
	return xioctl(irqsource_node(), IRQSOURCE_FIRE, (void *)(100L * BUSY_NS));
}

/* The time from SUBMIT to the visible end, without the wait. */
static int cost_with(struct scene *scene, unsigned int in_fences, double *cost)
{
	double submitted, end;
	int ret = new_fences(), i;

	if (ret)
		return ret;
	scene->began = now();
	ret = submit(scene->queue, 0, in_fences);
	submitted = now();
	if (!ret)
		ret = busy_see_end(scene->queue);
	end = now();
	if (!ret)
		ret = busy_correct_since(scene, submitted);
	*cost = end - scene->began;
	for (i = 0; i < SLUICE_MAX_IN_FENCES; i++)
		close(fences[i]);
	if (ret && ret != DISTURBED)
		return ret;
	return busy_read_end(scene->queue) ?: ret;
}

static double with_one, with_all;

static int compare_with(struct scene *scene, unsigned int in_fences)
{
	int ret = cost_with(scene, 1, &with_one);

	return ret ? ret : cost_with(scene, in_fences, &with_all);
}

static int without_one(struct scene *scene)
{
	scene->began = scene->ended - (with_all - with_one);
	return 0;
}

static int open_one(struct scene *scene)
{
	return busy_open(scene, 0);
}

static int with_8(struct scene *scene)
{
	return compare_with(scene, 8);
}

static int with_64(struct scene *scene)
{
	return compare_with(scene, 64);
}

static const struct steps in_fences_8 = {
	.setup = open_one, .step = with_8, .correct = without_one, .batch = 8 - 1,
};

static const struct steps in_fences_64 = {
	.setup = open_one, .step = with_64, .correct = without_one, .batch = 64 - 1,
};

/*
 * A job that waits for a job of another queue: the additional cost beside a job that does not wait.
 * The other job is either over, and only SUBMIT counts; or it ends in an interrupt, and the end of
 * both jobs counts, too.
 */

enum wait { NO_WAIT, WAIT_IN_POINT, WAIT_FENCE_FD };

static int submit_empty_after(struct scene *scene, enum wait how)
{
	struct sluice_export_fence fence = { .point = scene->point, .fd = -1 };
	struct sluice_in_point in_point = { .queue = scene->queue, .point = scene->point };
	struct sluice_submit args = {
		.in_points = (uintptr_t)&in_point, .num_in_points = how == WAIT_IN_POINT,
		.in_fences = (uintptr_t)&fence.fd, .num_in_fences = how == WAIT_FENCE_FD,
	};
	int ret = how == WAIT_FENCE_FD ? xioctl(scene->queue, SLUICE_IOCTL_FENCE, &fence) : 0;

	if (!ret)
		ret = xioctl(scene->event, SLUICE_IOCTL_SUBMIT, &args);
	if (fence.fd >= 0)
		close(fence.fd);
	return ret;
}

static int open_two(struct scene *scene)
{
	int ret = busy_open(scene, 0);

	scene->event = ret ? -1 : sluice_queue_create(soft_device(), 0);
	return ret ? ret : scene->event < 0 ? scene->event : 0;
}

static int submit_first(struct scene *scene, uint32_t ns)
{
	struct sluice_submit args = {};
	int ret = busy_submit(scene->queue, &args, ns);

	scene->point = args.point;
	return ret;
}

static int cost_after_ended(struct scene *scene, enum wait how, double *cost)
{
	int ret;

	scene->began = now();
	ret = submit_empty_after(scene, how);
	*cost = now() - scene->began;
	return ret ? ret : busy_read_end(scene->event);
}

static int cost_after_pending(struct scene *scene, enum wait how, double *cost)
{
	double submitted, end;
	int ret = submit_first(scene, 4 * BUSY_NS);

	scene->began = now();
	if (!ret)
		ret = submit_empty_after(scene, how);
	submitted = now();
	if (!ret)
		ret = busy_see_end(scene->queue) ?: busy_see_end(scene->event);
	end = now();
	if (!ret)
		ret = busy_correct_since(scene, submitted);
	*cost = end - scene->began;
	if (ret && ret != DISTURBED)
		return ret;
	return busy_read_end(scene->queue) ?: busy_read_end(scene->event) ?: ret;
}

static int open_and_end(struct scene *scene)
{
	return open_two(scene) ?: submit_first(scene, 0) ?: busy_see_end(scene->queue) ?:
	       busy_read_end(scene->queue);
}

static int in_point_ended(struct scene *scene)
{
	return cost_after_ended(scene, NO_WAIT, &with_one) ?:
	       cost_after_ended(scene, WAIT_IN_POINT, &with_all);
}

static int fence_fd_ended(struct scene *scene)
{
	return cost_after_ended(scene, NO_WAIT, &with_one) ?:
	       cost_after_ended(scene, WAIT_FENCE_FD, &with_all);
}

static int in_point_pending(struct scene *scene)
{
	return cost_after_pending(scene, NO_WAIT, &with_one) ?:
	       cost_after_pending(scene, WAIT_IN_POINT, &with_all);
}

static int fence_fd_pending(struct scene *scene)
{
	return cost_after_pending(scene, NO_WAIT, &with_one) ?:
	       cost_after_pending(scene, WAIT_FENCE_FD, &with_all);
}

static const struct steps after_point = {
	.setup = open_and_end, .step = in_point_ended, .correct = without_one,
};

static const struct steps after_fd = {
	.setup = open_and_end, .step = fence_fd_ended, .correct = without_one,
};

static const struct steps after_pending_point = {
	.setup = open_two, .step = in_point_pending, .correct = without_one,
};

static const struct steps after_pending_fd = {
	.setup = open_two, .step = fence_fd_pending, .correct = without_one,
};

const struct bench scale_benches[] = {
	{
		.area = "queues", .name = "a job, 64 queues have jobs", .goal = 1.1,
		.ours = { .name = "64 queues", .steps = &few_jobs, .count = 64 },
		.peers = { { .name = "1 queue", .steps = &few_jobs, .count = 1 } },
	}, {
		.area = "queues", .name = "a job, 10,000 others wait", .goal = 1.1,
		.ours = { .name = "10,000 wait", .steps = &jobs_beside_others, .count = MANY_JOBS },
		.peers = { { .name = "3 wait", .steps = &jobs_beside_others,
			     .count = WAITING_QUEUES } },
	}, {
		.area = "queues", .name = "a job of 10,000 in 3 queues",
		.ours = { .name = "10,000 jobs", .steps = &many_jobs, .count = 3 },
		.peers = { { .name = "256 jobs", .steps = &few_jobs, .count = 3 } },
	}, {
		.area = "queues", .name = "an interrupt, 60,000 queues wait", .goal = 1.1,
		.ours = { .name = "60,000 wait", .steps = &lateness, .count = 60000 },
		.peers = {
			{ .name = "1,000 wait", .steps = &lateness, .count = 1000 },
			{ .name = "1 waits", .steps = &lateness, .count = 1 },
		},
	}, {
		.area = "queues", .name = "an interrupt, 60,000 queues close",
		.ours = { .name = "60,000 close", .steps = &lateness_at_close, .count = 60000 },
		.peers = { { .name = "30,000 pipes", .steps = &lateness_at_close_of_pipes,
			     .count = 60000 } },
	}, {
		.area = "queues", .name = "CANCEL, 512 queues of 256 ops", .goal = 1.2,
		.ours = { .name = "512 queues", .steps = &cancels, .count = 512 },
		.peers = { { .name = "4 queues", .steps = &cancels, .count = 4 } },
	}, {
		.area = "queues", .name = "an in-fence of 64", .goal = 1.1,
		.ours = { .name = "64 in-fences", .steps = &in_fences_64 },
		.peers = { { .name = "8 in-fences", .steps = &in_fences_8 } },
	}, {
		.area = "queues", .name = "a fence from queue to queue", .goal = 0.1,
		.ours = { .name = "in-point", .steps = &after_point },
		.peers = { { .name = "FENCE, in-fence fd", .steps = &after_fd } },
	}, {
		.area = "queues", .name = "... of a job that is pending",
		.ours = { .name = "in-point", .steps = &after_pending_point },
		.peers = { { .name = "FENCE, in-fence fd", .steps = &after_pending_fd } },
	},
};

const unsigned int num_scale_benches = sizeof(scale_benches) / sizeof(scale_benches[0]);
