// SPDX-License-Identifier: MIT
/*
 * The calls of a program.  Each takes its arguments from its genes; see state.h.  This file has
 * Sluice's ioctls, the device's knobs, and processes; files.c has the rest.
 */
#include <fcntl.h>
#include <liburing.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <unistd.h>

#include "fuzz.h"
#include "knobs.h"
#include "machine.h"
#include "sluice.h"
#include "state.h"

#define XRGB8888	0x34325258

/* Devices */

static void do_open(const uint8_t *g)
{
	const char *path = g[0] < 240 ? "/dev/sluice/soft0" :
			   g[0] < 248 ? "/dev/sluice/edu0" : "/dev/sluice/pci0";

	add_fd(open(path, (g[1] < 200 ? O_RDWR : O_RDONLY) | O_CLOEXEC), DEVICE);
}

static void do_info(const uint8_t *g)
{
	struct sluice_info info = { .flags = reserved(g[1]) };

	lying_ioctl(pick_fd(g[0], DEVICE), SLUICE_IOCTL_INFO, &info, g[2]);
}

static void do_heap(const uint8_t *g)
{
	struct sluice_heap_info info = {
		.index = g[3] < 200 ? g[3] % 3 : number(g[3]),
		.flags = reserved(g[1]),
	};

	lying_ioctl(pick_fd(g[0], DEVICE), SLUICE_IOCTL_HEAP_INFO, &info, g[2]);
}

/* Gene 1 is 5 in the usual opening: 64 KiB, a size near which ops are tried. */
static void do_alloc(const uint8_t *g)
{
	struct sluice_alloc alloc = {
		.size = g[1] == 5 ? 65536 : number(g[1]),
		.heap = g[2] < 240 ? g[2] % 2 : number(g[2]),
		.flags = g[3] < 128 ? 0 : g[3] < 240 ? g[3] % 64 : number(g[3]),
		.fd_flags = g[4] < 192 ? 0 : g[4] < 248 ? g[4] % 4 : number(g[4]),
	};

	if (!lying_ioctl(pick_fd(g[0], DEVICE), SLUICE_IOCTL_ALLOC, &alloc, g[5]))
		add_fd(alloc.fd, BUFFER);
}

/* Wrap a new memfd, usually with the right seals, or any other fd. */
static void do_wrap(const uint8_t *g)
{
	static const int seals[] = { F_SEAL_SHRINK, F_SEAL_SHRINK | F_SEAL_GROW, 0, F_SEAL_WRITE };
	int memfd = g[1] < 200 ? memfd_create("fuzz", MFD_ALLOW_SEALING | MFD_CLOEXEC) : -1;
	struct sluice_wrap wrap = {
		.memfd = memfd >= 0 ? memfd : pick_fd(g[1], ANY),
		.offset = g[2] < 192 ? 0 : number(g[2]),
		.size = g[3] < 128 ? 65536 : number(g[3]),
		.fd_flags = g[4] < 192 ? 0 : g[4] < 248 ? g[4] % 4 : number(g[4]),
		.flags = reserved(g[5]),
	};

	if (memfd >= 0 && !ftruncate(memfd, 2 * 65536))
		fcntl(memfd, F_ADD_SEALS, seals[g[6] < 192 ? g[6] % 2 : g[6] % 4]);
	if (!lying_ioctl(pick_fd(g[0], DEVICE), SLUICE_IOCTL_WRAP, &wrap, g[7]))
		add_fd(wrap.fd, BUFFER);
	add_fd(memfd, ANY);
}

static void do_buffer_info(const uint8_t *g)
{
	struct sluice_buffer_info info = {
		.fd = pick_fd(g[1], BUFFER),
		.flags = reserved(g[2]),
	};

	lying_ioctl(pick_fd(g[0], DEVICE), SLUICE_IOCTL_BUFFER_INFO, &info, g[3]);
}

static void do_range_sync(const uint8_t *g)
{
	struct sluice_sync sync = {
		.fd = pick_fd(g[1], BUFFER),
		.flags = g[2] < 240 ? g[2] % 8 : number(g[2]),
		.offset = g[3] < 128 ? g[3] * 64 : number(g[3]),
		.length = g[4] < 128 ? g[4] * 64 : number(g[4]),
	};

	lying_ioctl(pick_fd(g[0], DEVICE), SLUICE_IOCTL_SYNC, &sync, g[5]);
}

/* The timeouts are short: a job that hangs must end while the program still runs. */
static void do_queue(const uint8_t *g)
{
	struct sluice_create_queue queue = {
		.engine = g[1] < 240 ? g[1] % 2 : number(g[1]),
		.priority = g[2] < 240 ? g[2] % 3 : number(g[2]),
		.timeout_ms = g[3] < 240 ? g[3] * 4 : number(g[3]),
		.depth = g[4] < 240 ? g[4] : number(g[4]),
		.fd_flags = g[5] < 240 ? 0 : number(g[5]),
		.flags = g[6] & 1 ? SLUICE_QUEUE_RING : reserved(g[6]),
		.completion_size = g[6] < 128 ? 0 : g[6] < 240 ? g[6] / 2 * 8 : number(g[6]),
	};

	if (!lying_ioctl(pick_fd(g[0], DEVICE), SLUICE_IOCTL_CREATE_QUEUE, &queue, g[7]))
		add_fd(queue.fd, QUEUE);
}

/* Slots and jobs */

static void do_attach(const uint8_t *g)
{
	struct sluice_attach attach = {
		.fd = pick_fd(g[1], BUFFER),
		.flags = g[2] < 240 ? g[2] % 8 : number(g[2]),
		.reserved = reserved(g[3]),
	};

	if (!lying_ioctl(pick_fd(g[0], QUEUE), SLUICE_IOCTL_ATTACH, &attach, g[4]))
		state.slots[state.num_slots++ % MAX_POINTS] = attach.slot;
	if (state.num_slots > MAX_POINTS)
		state.num_slots = MAX_POINTS;
}

static void do_detach(const uint8_t *g)
{
	struct sluice_detach detach = {
		.slot = pick_slot(g[1]),
		.flags = reserved(g[2]),
	};

	lying_ioctl(pick_fd(g[0], QUEUE), SLUICE_IOCTL_DETACH, &detach, g[3]);
}

static struct sluice_op *next_op(const uint8_t *g, uint32_t kind)
{
	struct sluice_op *op = &state.ops[state.num_ops < MAX_OPS ? state.num_ops++ : 0];

	memset(op, 0, sizeof(*op));
	op->kind = kind;
	op->flags = reserved(g[7]);
	op->dst = pick_slot(g[0]);
	op->dst_offset = number(g[1]);
	op->length = g[2] ? number(g[2]) : 4096;
	return op;
}

static void do_fill(const uint8_t *g)
{
	struct sluice_op *op = next_op(g, SLUICE_OP_FILL);

	op->value = number(g[3]);
	op->src_offset = reserved(g[4]);
}

static void do_copy(const uint8_t *g)
{
	struct sluice_op *op = next_op(g, SLUICE_OP_COPY);

	op->src = pick_slot(g[3]);
	op->src_offset = number(g[4]);
	op->pad[2] = reserved(g[5]);
}

static void do_capture(const uint8_t *g)
{
	struct sluice_op *op = next_op(g, SLUICE_OP_CAPTURE);

	if (g[3] < 128)
		return;
	op->frame.width = g[3] < 240 ? g[3] - 128U : number(g[3]);
	op->frame.height = g[4] < 240 ? 1 + g[4] % 16U : number(g[4]);
	op->frame.stride = g[5] < 200 ? op->frame.width * 4 + g[5] % 4 * 4 : number(g[5]);
	op->frame.format = g[6] < 240 ? XRGB8888 : number(g[6]);
}

static void do_playback(const uint8_t *g)
{
	struct sluice_op *op;

	do_capture(g);
	op = &state.ops[state.num_ops - 1];
	op->kind = SLUICE_OP_PLAYBACK;
	op->src = op->dst;
	op->src_offset = op->dst_offset;
	op->dst = reserved(g[7]);
	op->dst_offset = reserved(g[6]);
}

static void do_odd_op(const uint8_t *g)
{
	next_op(g, number(g[3]));
}

/* On registers of edu that start no DMA, because QEMU exits if bad DMA is started. */
static void do_command(const uint8_t *g)
{
	static const uint8_t registers[] = { 0x00, 0x04, 0x08, 0x20, 0x24, 0x60, 0x64 };
	unsigned int place = state.num_commands < MAX_COMMANDS ? state.num_commands++ : 0;
	struct sluice_command *command = &state.commands[place];

	memset(command, 0, sizeof(*command));
	command->kind = g[0] < 240 ? 1U + g[0] % 5 : number(g[0]);
	command->value = g[4] < 128 ? g[4] % 8U : number(g[4]);
	if (command->kind == SLUICE_COMMAND_INTERRUPT && g[1] < 240) {
		command->value = g[1] < 200 ? 0 : command->value;
		return;
	}
	command->bar = g[1] < 240 ? 0 : number(g[1]);
	command->width = g[2] < 240 ? 4 : number(g[2]);
	command->offset = g[3] < 240 ? registers[g[3] % sizeof(registers)] : number(g[3]);
	if (command->kind == SLUICE_COMMAND_POLL)
		command->mask = g[5] < 240 ? command->value | g[5] : number(g[5]);
	else if (g[5] >= 200)
		command->part = g[5] < 240 ? g[5] % 3U : number(g[5]);
	command->timeout_us = g[6] < 200 ? 0 : g[6] < 248 ? g[6] : number(g[6]);
}

/* An op with all commands since the last program; they stay in their place until new ones come. */
static void do_program(const uint8_t *g)
{
	struct sluice_op *op = next_op(g, SLUICE_OP_PROGRAM);

	op->flags = g[3] < 240 ? g[3] % 4U : number(g[3]);
	op->src = op->dst;
	op->src_offset = op->dst_offset;
	op->program.src_length = op->length;
	if (!(op->flags & SLUICE_OP_DST) && g[4] < 240)
		op->dst = op->dst_offset = op->length = 0;
	if (!(op->flags & SLUICE_OP_SRC) && g[4] < 240)
		op->src = op->src_offset = op->program.src_length = 0;
	op->program.commands = address_of(state.commands, g[5]);
	op->program.num_commands = g[6] < 240 ? state.num_commands : number(g[6]);
	op->program.command_size = g[7] < 200 ? 0 : g[7] < 240 ? 40U + g[7] % 3 * 8 : number(g[7]);
	state.num_commands = 0;
}

/* The CRC-32 of memory, or a payload that is nearly right. */
static void do_private(const uint8_t *g)
{
	struct sluice_op *op = next_op(g, SLUICE_OP_PRIVATE);

	op->flags = g[3] < 200 ? SLUICE_OP_DST | SLUICE_OP_SRC : number(g[3]);
	op->src = op->dst;
	op->src_offset = op->dst_offset;
	op->payload.src_length = op->length;
	if (op->flags & SLUICE_OP_DST && g[4] < 200)
		op->length = 4;
	memset(state.payload, 0, sizeof(state.payload));
	state.payload[0] = g[5] < 240 ? 1 : number(g[5]);
	op->payload.data = address_of(state.payload, g[6]);
	op->payload.size = g[7] < 200 ? 8 : number(g[7]);
	op->payload.reserved = reserved(g[4]);
}

/* Set a control more often than get it.  The ids are those of soft0. */
static void do_control(const uint8_t *g)
{
	static const uint32_t ids[] = { 1, 4, 6, 0x10000, 0x10001 };
	struct sluice_control control = {
		.id = g[1] < 240 ? ids[g[1] % 5] : number(g[1]),
		.flags = reserved(g[2]),
		.value = g[3] < 128 ? g[3] % 4 : g[3] < 200 ? g[3] % 100 * 5 - 250 : (int64_t)number(g[3]),
	};
	struct sluice_enum_menu menu = {
		.id = control.id, .flags = control.flags, .value = control.value,
	};
	int device = pick_fd(g[0], DEVICE);

	if (g[4] < 128)
		lying_ioctl(device, SLUICE_IOCTL_SET_CONTROL, &control, g[5]);
	else if (g[4] < 192)
		lying_ioctl(device, SLUICE_IOCTL_GET_CONTROL, &control, g[5]);
	else
		lying_ioctl(device, SLUICE_IOCTL_ENUM_MENU, &menu, g[5]);
}

static void do_list(const uint8_t *g)
{
	struct sluice_enum_controls control = {
		.index = g[1] < 200 ? g[1] % 6 : number(g[1]),
		.flags = reserved(g[2]),
	};
	struct sluice_source source = {
		.engine = g[1] < 200 ? g[1] % 3 : number(g[1]),
		.flags = reserved(g[2]),
	};
	int device = pick_fd(g[0], DEVICE);

	if (g[3] < 128)
		lying_ioctl(device, SLUICE_IOCTL_ENUM_CONTROLS, &control, g[4]);
	else
		lying_ioctl(device, SLUICE_IOCTL_SOURCE, &source, g[4]);
}

/* Make events for read() and poll() of the device. */
static void do_events(const uint8_t *g)
{
	if (g[1] < 200)
		knob("events", g[0]);
	else
		knob("signal_lost", g[0] & 1);
}

static void do_eventfd(const uint8_t *g)
{
	struct sluice_eventfd args = {
		.interrupt = g[1] < 200 ? 0 : number(g[1]),
		.fd = g[2] < 200 ? add_fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), ANY) :
				   pick_fd(g[2], ANY),
		.flags = reserved(g[3]),
		.reserved = reserved(g[4]),
	};

	lying_ioctl(pick_fd(g[0], DEVICE), SLUICE_IOCTL_EVENTFD, &args, g[5]);
}

static void do_in_fence(const uint8_t *g)
{
	if (state.num_in_fences < MAX_FENCES)
		state.in_fences[state.num_in_fences++] = pick_fd(g[0], FENCE);
}

/* Submit all ops and in-fences since the last SUBMIT that succeeded, or a wrong number of them. */
static void do_submit(const uint8_t *g)
{
	struct sluice_submit submit = {
		.ops = address_of(state.ops, g[4]),
		.in_fences = address_of(state.in_fences, g[5]),
		.num_ops = g[2] < 240 ? state.num_ops : number(g[2]),
		.num_in_fences = g[3] < 240 ? state.num_in_fences : number(g[3]),
		.flags = g[1] < 248 ? g[1] % 8 : number(g[1]),
		.fd_flags = reserved(g[6]),
		.user_data = g[7],
		.op_size = g[6] < 200 ? 0 : g[6] < 240 ? 64 : g[6] < 245 ? 72 : number(g[6]),
		.in_points = address_of(state.in_points, g[5]),
		.num_in_points = g[3] < 240 ? state.num_in_points : number(g[3]),
		.in_point_size = g[6] < 240 ? 0 : number(g[6]),
	};
	int fd = pick_fd(g[0], QUEUE);

	if (!lying_ioctl(fd, SLUICE_IOCTL_SUBMIT, &submit, g[7])) {
		state.points[state.num_points % MAX_POINTS] = submit.point;
		if (state.num_points < MAX_POINTS)
			state.num_points++;
		if (submit.flags & SLUICE_SUBMIT_OUT_FENCE)
			add_fd(submit.out_fence, FENCE);
	}
	state.num_ops = 0;
	state.num_in_fences = 0;
	state.num_in_points = 0;
}

/* Wait for a point of a queue, or for one that it does not have. */
static void do_in_point(const uint8_t *g)
{
	struct sluice_in_point *in_point = &state.in_points[state.num_in_points];

	if (state.num_in_points == MAX_FENCES)
		return;
	state.num_in_points++;
	*in_point = (struct sluice_in_point) {
		.queue = pick_fd(g[0], g[3] < 240 ? QUEUE : FENCE),
		.flags = reserved(g[2]),
		.point = g[1] < 200 ? g[1] % 8 : number(g[1]),
	};
}

/* Several jobs of a call: the first has all ops since the last SUBMIT, the others have none. */
static void fill_jobs(struct sluice_submit *jobs, unsigned int num_jobs, struct sluice_op *ops,
		      const uint8_t *g)
{
	unsigned int i;

	for (i = 0; i < num_jobs; i++)
		jobs[i] = (struct sluice_submit) {
			.ops = address_of(ops, g[4]),
			.num_ops = i && g[2] < 240 ? 0 : state.num_ops,
			.flags = g[1] >= 248 ? number(g[1]) :
				 i < num_jobs - 1 ? g[1] % 8 & ~SLUICE_SUBMIT_OUT_FENCE : g[1] % 8,
			.user_data = i,
			.in_points = address_of(state.in_points, g[5]),
			.num_in_points = i == g[5] % num_jobs ? state.num_in_points : 0,
		};
	state.num_ops = 0;
	state.num_in_points = 0;
}

static void do_submit_many(const uint8_t *g)
{
	struct sluice_submit jobs[MAX_JOBS];
	struct sluice_submit_many many = {
		.jobs = address_of(jobs, g[7]),
		.num_jobs = g[3] < 240 ? 1U + g[3] % MAX_JOBS : number(g[3]),
		.job_size = g[6] < 240 ? sizeof(jobs[0]) : number(g[6]),
		.flags = reserved(g[6]),
	};

	fill_jobs(jobs, MAX_JOBS, state.ops, g);
	if (lying_ioctl(pick_fd(g[0], QUEUE), SLUICE_IOCTL_SUBMIT_MANY, &many, g[7]))
		return;
	state.points[state.num_points % MAX_POINTS] = many.first;
	if (state.num_points < MAX_POINTS)
		state.num_points++;
	if (many.out_fence >= 0)
		add_fd(many.out_fence, FENCE);
}

static struct io_uring ring = { .ring_fd = -1 };

static bool have_ring(uint8_t gene)
{
	static const unsigned int setup[] = {
		0, IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN, IORING_SETUP_SQE128,
		IORING_SETUP_IOPOLL, IORING_SETUP_SQPOLL,
	};
	/* rarely, because a polling thread keeps a CPU busy */
	unsigned int kind = gene < 240 ? gene % 3 : 3 + gene % 2;
	static bool tried;

	if (!tried && io_uring_queue_init(MAX_CALLS, &ring, setup[kind]))
		ring.ring_fd = -1;
	tried = true;
	return ring.ring_fd >= 0;
}

/* Submit through a ring; the result is read later, or never. */
static void do_uring(const uint8_t *g)
{
	static struct sluice_completion completions[MAX_CALLS];
	static struct sluice_submit submits[MAX_CALLS];
	static struct sluice_op ops[MAX_CALLS][MAX_OPS];
	static unsigned int used;
	unsigned int i = used % MAX_CALLS;
	struct io_uring_sqe *sqe;

	if (!have_ring(g[7]) || used == MAX_CALLS)
		return;
	sqe = io_uring_get_sqe(&ring);
	if (!sqe)
		return;
	used++;
	memcpy(ops[i], state.ops, sizeof(ops[i]));
	submits[i] = (struct sluice_submit) {
		.ops = address_of(ops[i], g[4]),
		.in_fences = address_of(state.in_fences, g[5]),
		.num_ops = g[2] < 240 ? state.num_ops : number(g[2]),
		.num_in_fences = g[3] < 128 ? state.num_in_fences : 0,
		.flags = g[1] < 248 ? g[1] % 8 : number(g[1]),
		.user_data = g[7],
	};
	sluice_prep_submit(sqe, pick_fd(g[0], QUEUE), &submits[i],
			   g[6] < 32 ? NULL : &completions[i]);
	if (g[6] > 240)
		sqe->cmd_op = _IOC(_IOC_READ | _IOC_WRITE, SLUICE_IOCTL_BASE, g[6] % 8 ? 0x40 + g[6] % 2 : g[5],
				   number(g[3]) & 0x3fff);
	sqe->flags = g[5] < 160 ? 0 : g[5] < 192 ? IOSQE_ASYNC : g[5] < 224 ? IOSQE_IO_LINK : g[5];
	io_uring_submit(&ring);
	state.num_ops = 0;
	state.num_in_fences = 0;
}

/* Wait for a result for a short time, or close the ring with its commands. */
static void do_reap(const uint8_t *g)
{
	struct __kernel_timespec patience = { .tv_nsec = g[0] * 100000LL };
	struct io_uring_cqe *cqe;

	if (!have_ring(g[7]))
		return;
	if (g[1] > 230) {
		close(ring.ring_fd);
		ring.ring_fd = -1;
		return;
	}
	if (!io_uring_wait_cqe_timeout(&ring, &cqe, &patience))
		io_uring_cqe_seen(&ring, cqe);
}

static void do_fence(const uint8_t *g)
{
	struct sluice_export_fence fence = {
		.point = pick_point(g[1]),
		.flags = reserved(g[2]),
		.fd_flags = reserved(g[3]),
		.reserved = reserved(g[4]),
	};

	if (!lying_ioctl(pick_fd(g[0], QUEUE), SLUICE_IOCTL_FENCE, &fence, g[5]))
		add_fd(fence.fd, FENCE);
}

static void do_wait(const uint8_t *g)
{
	struct sluice_wait wait = {
		.point = pick_point(g[1]),
		.deadline_ns = g[2] < 240 ? now_ns() + g[2] * 200000LL : (int64_t)number(g[2] - 1),
		.flags = reserved(g[3]),
	};

	/* not for ever: the alarm would end the program without a result */
	if (wait.deadline_ns > now_ns() + 50000000)
		wait.deadline_ns = now_ns() + 50000000;
	lying_ioctl(pick_fd(g[0], QUEUE), SLUICE_IOCTL_WAIT, &wait, g[4]);
}

static void do_cancel(const uint8_t *g)
{
	struct sluice_cancel cancel = {
		.first = pick_point(g[1]),
		.last = g[2] < 64 ? UINT64_MAX : pick_point(g[2]),
		.flags = reserved(g[3]),
	};

	lying_ioctl(pick_fd(g[0], QUEUE), SLUICE_IOCTL_CANCEL, &cancel, g[4]);
}

/* Any number, any size, on any file of the program */
static void do_raw_ioctl(const uint8_t *g)
{
	unsigned int type = g[1] < 200 ? SLUICE_IOCTL_BASE : g[1] < 220 ? 'b' : g[1] < 240 ? '>' : g[1];

	memset(state.arena, g[4], 256);
	ioctl(pick_fd(g[0], ANY), _IOC(g[2] % 4, type, g[3] < 128 ? g[3] % 7 : 0x20 + g[3] % 8,
				       g[5] < 128 ? g[5] : number(g[5]) & 0x3fff), state.arena);
}

/* A device that misbehaves for a moment */

static void do_delay(const uint8_t *g)
{
	knob("delay_us", g[0] * 20UL);
}

static void do_fail(const uint8_t *g)
{
	knob("fail_next", 1 + g[0] % 3);
}

static void do_hang(const uint8_t *g)
{
	knob("hang_next", 1 + g[0] % 2);
}

static void do_show(const uint8_t *g)
{
	static const char * const files[] = { "objects", "buffers", "soft0/queues" };
	char path[64];
	ssize_t ret;
	int fd;

	if (g[0] < 128)
		snprintf(path, sizeof(path), "/sys/kernel/debug/sluice/%s", files[g[0] % 3]);
	else
		snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", pick_fd(g[1], g[0] % 4));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ret = read(fd, state.arena, state.page);
	(void)ret;
	close(fd);
}

/* Processes */

/* From here on, two processes make the same calls on the same files. */
static void do_fork(const uint8_t *g)
{
	pid_t pid;

	if (state.forked)
		return;
	state.forked = true;
	pid = fork();
	if (pid)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	alarm(2);
	if (g[0] & 1)
		_exit(0);
}

/* Kill this process in a moment, in the middle of any call. */
static void do_die(const uint8_t *g)
{
	struct itimerval soon = { .it_value.tv_usec = 1 + g[0] * 100 };

	setitimer(ITIMER_REAL, &soon, NULL);
}

static const struct {
	const char *name;
	unsigned int weight;
	void (*run)(const uint8_t *gene);
} calls[] = {
	{ "open", 4, do_open }, { "info", 2, do_info }, { "heap", 2, do_heap },
	{ "alloc", 6, do_alloc }, { "bufinfo", 4, do_buffer_info }, { "range", 4, do_range_sync },
	{ "queue", 5, do_queue },
	{ "attach", 8, do_attach }, { "detach", 5, do_detach }, { "fill", 12, do_fill },
	{ "copy", 12, do_copy }, { "capture", 5, do_capture }, { "oddop", 1, do_odd_op },
	{ "infence", 8, do_in_fence }, { "inpoint", 6, do_in_point }, { "submit", 25, do_submit },
	{ "many", 8, do_submit_many }, { "fence", 6, do_fence },
	{ "wait", 10, do_wait }, { "ioctl", 4, do_raw_ioctl }, { "read", 10, do_read },
	{ "write", 1, do_write }, { "poll", 4, do_poll }, { "epoll", 2, do_epoll },
	{ "close", 6, do_close }, { "dup", 3, do_dup }, { "pass", 3, do_pass },
	{ "mmap", 6, do_mmap }, { "touch", 5, do_touch }, { "munmap", 4, do_munmap },
	{ "sync", 6, do_sync }, { "export", 4, do_export }, { "import", 4, do_import },
	{ "seek", 1, do_seek }, { "merge", 4, do_merge }, { "fenceinfo", 2, do_fence_info },
	{ "swfence", 4, do_foreign_fence }, { "swsignal", 4, do_signal },
	{ "heapnode", 2, do_heap_node },
	{ "foreign", 3, do_foreign_buffer }, { "delay", 3, do_delay }, { "fail", 3, do_fail },
	{ "hang", 1, do_hang }, { "show", 3, do_show }, { "fork", 1, do_fork },
	{ "die", 1, do_die }, { "playback", 3, do_playback }, { "cancel", 4, do_cancel },
	{ "wrap", 4, do_wrap }, { "uring", 8, do_uring }, { "reap", 4, do_reap },
	{ "command", 8, do_command }, { "program", 5, do_program }, { "eventfd", 2, do_eventfd },
	{ "private", 5, do_private }, { "control", 3, do_control }, { "list", 2, do_list },
	{ "events", 2, do_events },
};

const unsigned int call_kinds = sizeof(calls) / sizeof(calls[0]);

const char *call_name(unsigned int kind)
{
	return calls[kind].name;
}

unsigned int call_weight(unsigned int kind)
{
	return calls[kind].weight;
}

void program_run(const struct program *program)
{
	unsigned int i;

	state.page = sysconf(_SC_PAGESIZE);
	state.arena = mmap(NULL, 3 * state.page, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (state.arena == MAP_FAILED)
		return;
	munmap(state.arena + 2 * state.page, state.page);
	for (i = 0; i < program->count; i++)
		calls[program->calls[i].kind].run(program->calls[i].gene);
	/* close them here, because coverage ends before a process's files are closed */
	for (i = 0; i < state.num_maps; i++)
		munmap(state.maps[i].start, state.maps[i].size);
	for (i = 0; i < state.num_fds; i++)
		close(state.fds[i].fd);
	if (ring.ring_fd >= 0)
		close(ring.ring_fd);
}
