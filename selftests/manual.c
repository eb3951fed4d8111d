// SPDX-License-Identifier: MIT
/*
 * The examples of the man pages, on soft0.  The examples of functions for registers are only
 * compiled, because soft0 has none: program.c and direct.c test those functions.
 */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <liburing.h>

#include "harness.h"
#include "jobs.h"
#include "knobs.h"
#include "machine.h"
#include "objects.h"
#include "pattern.h"
#include "../uapi/linux/sluice_soft.h"

/* an example prints here, because the output of this program is TAP */
static char said[4096];
static size_t length;

static void say(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	length += vsnprintf(said + length, sizeof(said) - length, format, arguments);
	va_end(arguments);
}

#define printf say
#include "../userspace/lib/examples.c"
#undef printf

#define SIZE	65536UL
#define IMAGE	(640 * 480 * 4UL)

FIXTURE(manual) {
	struct objects before;
	int device, queue, screen, buffer, other;
};

FIXTURE_SETUP(manual)
{
	length = 0;
	said[0] = 0;
	self->before = objects_before();
	knob("delay_us", 0);
	self->device = sluice_open("soft0");
	ASSERT_GE(self->device, 0);
	self->queue = patient_queue(self->device, 0);
	self->screen = patient_queue(self->device, 1);
	self->buffer = alloc_contiguous(self->device, SIZE);
	self->other = sluice_alloc(self->device, 0, IMAGE, 0);
	ASSERT_GE(self->queue, 0);
	ASSERT_GE(self->screen, 0);
	ASSERT_GE(self->buffer, 0);
	ASSERT_GE(self->other, 0);
}

FIXTURE_TEARDOWN(manual)
{
	close(self->buffer);
	close(self->other);
	close(self->queue);
	close(self->screen);
	close(self->device);
	EXPECT_TRUE(objects_settle(&self->before));
}

TEST_F(manual, devices_and_their_parts)
{
	int queue = make_queue(self->device);

	EXPECT_GE(queue, 0);
	close(queue);
	EXPECT_EQ(print_device("soft0"), 0);
	EXPECT_EQ(print_devices(), 0);
	EXPECT_EQ(print_heaps(self->device), 0);
	EXPECT_EQ(find_camera(self->device), 0);
	EXPECT_EQ(print_formats(self->device, 0), 0);
	EXPECT_EQ(has_signal(self->device, 0), 1);
	EXPECT_NE(strstr(said, "depth 256\n"), NULL);
	EXPECT_NE(strstr(said, "soft0: driver soft, 2 engines\n"), NULL);
	EXPECT_NE(strstr(said, "\nsoft0\n"), NULL);
	EXPECT_NE(strstr(said, "heap 1: contiguous\n"), NULL);
	EXPECT_NE(strstr(said, "XR24: "), NULL);
}

TEST_F(manual, controls_and_events)
{
	int64_t before, again;
	uint32_t id = 0;

	EXPECT_EQ(print_controls(self->device), 0);
	EXPECT_NE(strstr(said, "freeze\n"), NULL);
	ASSERT_EQ(exchange_control(self->device, "freeze", 1, &before), 0);
	EXPECT_EQ(before, 0);
	EXPECT_EQ(wait_for_control(self->device, &id), 0);
	EXPECT_EQ(id, SLUICE_SOFT_CONTROL_FREEZE);
	EXPECT_EQ(exchange_control(self->device, "freeze", 0, &again), 0);
	EXPECT_EQ(again, 1);
	EXPECT_EQ(exchange_control(self->device, "none", 0, &again), -ENOENT);
}

TEST_F(manual, buffers_and_the_CPU)
{
	int wrapped = wrap_memory(self->device, SIZE);
	uint32_t value = 0;
	void *memory;

	ASSERT_GE(wrapped, 0);
	EXPECT_EQ(count_segments(self->device, self->buffer), 1);
	EXPECT_EQ(write_word(wrapped, SIZE, 7), 0);
	ASSERT_EQ(sluice_map(wrapped, SIZE, &memory), 0);
	EXPECT_EQ(read_word(self->device, wrapped, memory, &value), 0);
	EXPECT_EQ(value, 7);
	munmap(memory, SIZE);
	close(wrapped);
}

TEST_F(manual, ops_of_memory)
{
	int from = sluice_attach(self->queue, self->other, 0);
	int to = sluice_attach(self->queue, self->buffer, 0);
	uint32_t first = 1;
	uint64_t point;
	void *memory;

	ASSERT_EQ(write_word(self->other, IMAGE, 7), 0);
	EXPECT_EQ(copy(self->queue, to, from, SIZE), 0);
	ASSERT_EQ(sluice_map(self->buffer, SIZE, &memory), 0);
	EXPECT_EQ(read_word(self->device, self->buffer, memory, &first), 0);
	EXPECT_EQ(first, 7);
	EXPECT_EQ(clear(self->queue, self->buffer, SIZE), 0);
	EXPECT_EQ(read_word(self->device, self->buffer, memory, &first), 0);
	EXPECT_EQ(first, 0);
	munmap(memory, SIZE);
	EXPECT_EQ(submit_private(self->queue, &(struct sluice_soft_crc32) { .op = SLUICE_SOFT_CRC32 },
				 sizeof(struct sluice_soft_crc32), to, from, SIZE, &point), 0);
	EXPECT_EQ(sluice_wait(self->queue, point, LATE_MS), 0);
}

TEST_F(manual, frames)
{
	int to = sluice_attach(self->queue, self->other, SLUICE_ATTACH_WRITE);
	int raw = sluice_attach(self->queue, self->buffer, SLUICE_ATTACH_WRITE);
	int from = sluice_attach(self->screen, self->other, SLUICE_ATTACH_READ);
	uint64_t point;

	EXPECT_EQ(capture(self->queue, raw, SIZE), SIZE);
	ASSERT_EQ(show_frame(self->queue, to, self->screen, from, &point), 0);
	EXPECT_EQ(sluice_wait(self->screen, point, LATE_MS), 0);
	ASSERT_EQ(play(self->screen, from, SIZE, &point), 0);
	EXPECT_EQ(sluice_wait(self->screen, point, LATE_MS), 0);
	ASSERT_EQ(capture_nv12(self->queue, to, raw, 64, 48, &point), 0);
	EXPECT_EQ(sluice_wait(self->queue, point, LATE_MS), 0);
}

TEST_F(manual, completion_ring)
{
	EXPECT_EQ(count_successes(self->device, 100), 100);
}

TEST_F(manual, cyclic_job)
{
	struct sluice_create_queue args = {
		.engine = 1,
		.flags = SLUICE_QUEUE_EXCLUSIVE,
		.timeout_ms = SLUICE_MAX_TIMEOUT_MS,
		.completion_size = sizeof(struct sluice_completion),
	};
	unsigned int slots[2];

	/* an exclusive queue is alone on its engine */
	close(self->screen);
	self->screen = xioctl(self->device, SLUICE_IOCTL_CREATE_QUEUE, &args) ?: args.fd;
	ASSERT_GE(self->screen, 0);
	slots[0] = sluice_attach(self->screen, self->buffer, SLUICE_ATTACH_WRITE | SLUICE_ATTACH_EXPLICIT);
	slots[1] = sluice_attach(self->screen, self->other, SLUICE_ATTACH_WRITE | SLUICE_ATTACH_EXPLICIT);
	EXPECT_EQ(stream(self->screen, slots, 4096), 0);
}

static int seen;	/* calls of the functions below */

static int use_frame(const struct sluice_frame *frame)
{
	seen += frame->bytes == 640 * 480 * 4;
	return -1;
}

static int import_buffer(int dmabuf)
{
	seen += dmabuf >= 0;
	return 0;
}

static void draw_frame(int dmabuf, const struct sluice_layout *layout)
{
	seen += !fill_words(dmabuf, layout->size, 1);
}

TEST_F(manual, streams)
{
	const struct sluice_stream_setup setup = { .size = 4096, .num_buffers = 3 };
	struct sluice_stream *stream;
	struct sluice_layout layout;
	struct sluice_frame frame;
	int fds[2], buffer;

	EXPECT_EQ(capture_all(self->device, use_frame), 0);
	EXPECT_EQ(seen, 100);
	EXPECT_EQ(play_all(self->device, draw_frame), 0);
	EXPECT_EQ(seen, 200);
	ASSERT_EQ(sluice_stream_open(self->device, &setup, &stream), 0);
	ASSERT_EQ(pipe2(fds, O_CLOEXEC), 0);
	EXPECT_EQ(import_and_wait(stream, import_buffer, fds[0]), sluice_stream_queue(stream));
	EXPECT_EQ(seen, 203);
	ASSERT_EQ(sluice_stream_next(stream, &frame, LATE_MS), 0);
	EXPECT_GE(lost_before(stream, &frame), 0);
	sluice_stream_close(stream);
	close(fds[0]);
	close(fds[1]);
	EXPECT_EQ(alloc_or_explain(self->device, 0), -EINVAL);
	buffer = alloc_nv12(self->device, 640, 480, &layout);
	ASSERT_GE(buffer, 0);
	EXPECT_EQ(layout.stride[1], 768);
	close(buffer);
}

TEST_F(manual, fences)
{
	int slot = sluice_attach(self->queue, self->buffer, SLUICE_ATTACH_WRITE), first, second, joined;
	struct sluice_op op;
	uint64_t point;

	sluice_op_fill(&op, slot, 0, SIZE, 1);
	ASSERT_EQ(sluice_submit(self->queue, &op, 1, -1, &first, 0, NULL), 0);
	ASSERT_EQ(sluice_submit(self->screen, NULL, 0, -1, &second, 0, NULL), 0);
	EXPECT_EQ(run_after_both(self->queue, &op, first, second, &point), 0);
	EXPECT_EQ(chain_buffers(self->buffer, self->other, second), 0);
	joined = join_three(self->queue, (int[]) { first, second, first });
	if (joined >= 0) {
		EXPECT_EQ(sluice_fence_wait(joined, LATE_MS), 0);
		close(joined);
	}
	EXPECT_EQ(sluice_cpu_begin(self->other, true), 0);
	EXPECT_EQ(sluice_cpu_end(self->other, true), 0);
	EXPECT_EQ(sluice_wait(self->queue, point, LATE_MS), 0);
	/* soft0 is no DRM device */
	EXPECT_LT(append_point(first, self->device, 1, 1), 0);
	close(first);
	close(second);
}

TEST_F(manual, io_uring)
{
	int slot = sluice_attach(self->queue, self->buffer, SLUICE_ATTACH_WRITE);
	struct sluice_completion done;
	struct sluice_submit submit;
	struct io_uring_cqe *cqe;
	struct io_uring ring;
	struct sluice_info info;
	struct sluice_op op;
	int ret;

	ASSERT_EQ(sluice_device_info(self->device, &info), 0);
	if (!(info.caps & SLUICE_CAP_URING))
		SKIP(return, "this kernel has no io_uring");
	ret = io_uring_queue_init(8, &ring, 0);
	if (ret == -ENOSYS || ret == -EPERM)
		SKIP(return, "this machine does not allow io_uring");
	ASSERT_EQ(ret, 0);
	sluice_op_fill(&op, slot, 0, SIZE, 1);
	prepare(io_uring_get_sqe(&ring), self->queue, &op, &submit, &done);
	ASSERT_EQ(io_uring_submit(&ring), 1);
	ASSERT_EQ(io_uring_wait_cqe(&ring, &cqe), 0);
	EXPECT_EQ(cqe->res, 0);
	EXPECT_EQ(cqe->user_data, 1);
	io_uring_queue_exit(&ring);
	EXPECT_EQ(done.status, 0);
}

/* soft0 has no registers: the examples show how the library says so */
TEST_F(manual, devices_without_registers_refuse)
{
	int slot = sluice_attach(self->queue, self->buffer, 0), eventfd = -1;
	uint64_t point;
	uint32_t value;

	EXPECT_EQ(run_device(self->queue, slot, SIZE, &point), -EOPNOTSUPP);
	EXPECT_EQ(feed_device(self->queue, slot, SIZE, &point), -EOPNOTSUPP);
	EXPECT_EQ(count_interrupts(self->device, &eventfd), -EINVAL);
	EXPECT_EQ(read_register(self->device, 0, &value), -EINVAL);
}

TEST_HARNESS_MAIN
