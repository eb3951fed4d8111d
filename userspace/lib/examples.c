// SPDX-License-Identifier: MIT
/*
 * The examples of the man pages.  Each is a complete function.  The line above it names the
 * functions of the library whose pages show it, and says what it does.  selftests/manual.c runs
 * the examples.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/io_uring.h>

#include "sluice.h"

/* sluice_open sluice_device_info: print what a device is */
int print_device(const char *name)
{
	struct sluice_info info;
	int device = sluice_open(name), ret;

	if (device < 0)
		return device;
	ret = sluice_device_info(device, &info);
	if (!ret)
		printf("%s: driver %s, %u engines\n", info.name, info.driver, info.num_engines);
	close(device);
	return ret;
}

/* sluice_list: print the names of all devices */
int print_devices(void)
{
	char names[64][SLUICE_NAME_LEN];
	int i, count = sluice_list(names, 64);

	for (i = 0; i < count && i < 64; i++)
		printf("%s\n", names[i]);
	return count < 0 ? count : 0;
}

/* sluice_heap_info: print the names of all heaps of a device */
int print_heaps(int device)
{
	struct sluice_heap_info info;
	unsigned int i;
	int ret;

	for (i = 0; !(ret = sluice_heap_info(device, i, &info)); i++)
		printf("heap %u: %s\n", i, info.name);
	return ret == -EINVAL ? 0 : ret;
}

/* sluice_engine_info: find the first engine of a device that captures */
int find_camera(int device)
{
	struct sluice_engine_info info;
	unsigned int i;
	int ret;

	for (i = 0; !(ret = sluice_engine_info(device, i, &info)); i++)
		if (info.op_kinds & (1ULL << SLUICE_OP_CAPTURE))
			return i;
	return ret == -EINVAL ? -ENODEV : ret;
}

/*
 * sluice_get_format sluice_get_size sluice_get_interval: print the first size of each format, and
 * its shortest frame interval
 */
int print_formats(int device, unsigned int engine)
{
	struct sluice_enum_intervals interval;
	struct sluice_enum_formats format;
	struct sluice_enum_sizes size;
	unsigned int i;
	int ret;

	for (i = 0; !(ret = sluice_get_format(device, engine, i, &format)); i++) {
		ret = sluice_get_size(device, &format, 0, &size);
		if (ret)
			return ret;
		printf("%.4s: %ux%u\n", (char *)&format.format, size.min_width, size.min_height);
		ret = sluice_get_interval(device, &format, size.min_width, size.min_height, 0,
					  &interval);
		if (!ret)
			printf("%u/%u s\n", interval.min.numerator, interval.min.denominator);
	}
	return ret == -EINVAL ? 0 : ret;
}

/* sluice_get_source: does a camera have a signal? */
int has_signal(int device, unsigned int engine)
{
	struct sluice_source source;
	int ret = sluice_get_source(device, engine, &source);

	return ret ? ret : !!(source.status & SLUICE_SOURCE_SIGNAL);
}

/*
 * sluice_list_control sluice_list_menu: print all controls of a device, and the entries of those
 * that are menus
 */
int print_controls(int device)
{
	struct sluice_enum_controls control;
	struct sluice_enum_menu menu;
	unsigned int i;
	int64_t value;
	int ret;

	for (i = 0; !(ret = sluice_list_control(device, i, &control)); i++) {
		printf("%s\n", control.name);
		for (value = 0; control.type == SLUICE_CONTROL_MENU && value <= control.max; value++)
			if (!sluice_list_menu(device, control.id, value, &menu))
				printf("  %s\n", menu.name);
	}
	return ret == -EINVAL ? 0 : ret;
}

/*
 * sluice_find_control sluice_get_control sluice_set_control: set a control that has a name, and
 * return its earlier value
 */
int exchange_control(int device, const char *name, int64_t value, int64_t *before)
{
	struct sluice_enum_controls control;
	int ret = sluice_find_control(device, name, &control);

	if (!ret)
		ret = sluice_get_control(device, control.id, before);
	return ret ? ret : sluice_set_control(device, control.id, value);
}

/* sluice_read_events: wait until a control changes */
int wait_for_control(int device, uint32_t *id)
{
	struct sluice_event event;
	int ret;

	do
		ret = sluice_read_events(device, &event, 1);
	while (ret == 1 && event.type != SLUICE_EVENT_CONTROL);
	if (ret < 0)
		return ret;
	*id = event.id;
	return 0;
}

/* sluice_find_heap sluice_alloc: allocate a buffer without gaps in the bus addresses of a device */
int alloc_contiguous(int device, uint64_t size)
{
	int heap = sluice_find_heap(device, "contiguous");

	return heap < 0 ? heap : sluice_alloc(device, heap, size, 0);
}

/* sluice_wrap: make a buffer of memory that the program has as a file */
int wrap_memory(int device, size_t size)
{
	int memfd = memfd_create("frames", MFD_CLOEXEC | MFD_ALLOW_SEALING), ret;

	if (memfd < 0)
		return -errno;
	if (ftruncate(memfd, size) || fcntl(memfd, F_ADD_SEALS, F_SEAL_SHRINK))
		ret = -errno;
	else
		ret = sluice_wrap(device, memfd, 0, size);
	close(memfd);	/* the dma-buf keeps the pages */
	return ret;
}

/* sluice_buffer_info: how many segments does a buffer have for a device? */
int count_segments(int device, int dmabuf)
{
	struct sluice_buffer_info info;
	int ret = sluice_buffer_info(device, dmabuf, &info);

	return ret ? ret : (int)info.segments;
}

/*
 * sluice_map sluice_cpu_begin sluice_cpu_end: write the first word of a buffer, whose size is
 * known
 */
int write_word(int dmabuf, size_t size, uint32_t value)
{
	void *memory;
	int ret = sluice_map(dmabuf, size, &memory);

	if (ret)
		return ret;
	ret = sluice_cpu_begin(dmabuf, true);
	if (!ret) {
		*(uint32_t *)memory = value;
		ret = sluice_cpu_end(dmabuf, true);
	}
	munmap(memory, size);
	return ret;
}

/*
 * sluice_cpu_begin_range sluice_cpu_end_range: read the first word of a mapped Sluice buffer, and
 * maintain the caches for a page only
 */
int read_word(int device, int dmabuf, const void *memory, uint32_t *value)
{
	int ret = sluice_cpu_begin_range(device, dmabuf, false, 0, 4096);

	if (ret)
		return ret;
	*value = *(const uint32_t *)memory;
	return sluice_cpu_end_range(device, dmabuf, false, 0, 4096);
}

/* sluice_queue_create sluice_queue_info: create a queue, and print how many jobs it may hold */
int make_queue(int device)
{
	int queue = sluice_queue_create(device, 0);
	struct sluice_queue_info info;

	if (queue >= 0 && !sluice_queue_info(queue, &info))
		printf("depth %u\n", info.depth);
	return queue;
}

/*
 * sluice_attach sluice_detach sluice_op_fill sluice_submit sluice_wait: fill a buffer with zeros,
 * and wait for the end
 */
int clear(int queue, int dmabuf, uint64_t size)
{
	int slot = sluice_attach(queue, dmabuf, SLUICE_ATTACH_WRITE), ret;
	struct sluice_op op;
	uint64_t point;

	if (slot < 0)
		return slot;
	sluice_op_fill(&op, slot, 0, size, 0);
	ret = sluice_submit(queue, &op, 1, -1, NULL, 0, &point);
	if (!ret)
		ret = sluice_wait(queue, point, -1);
	sluice_detach(queue, slot);
	return ret;
}

/* sluice_op_copy sluice_fence_wait: copy from one slot to another, and wait for the fence */
int copy(int queue, unsigned int to, unsigned int from, uint64_t size)
{
	struct sluice_op op;
	int fence, ret;

	sluice_op_copy(&op, to, 0, from, 0, size);
	ret = sluice_submit(queue, &op, 1, -1, &fence, 0, NULL);
	if (ret)
		return ret;
	ret = sluice_fence_wait(fence, -1);	/* jobs always end */
	close(fence);
	return ret;
}

/* sluice_op_capture sluice_read: capture raw data, and return the number of bytes that came */
int64_t capture(int queue, unsigned int slot, uint64_t size)
{
	struct sluice_completion done;
	struct sluice_op op;
	int ret;

	sluice_op_capture(&op, slot, 0, size);
	ret = sluice_submit(queue, &op, 1, -1, NULL, 0, NULL);
	if (ret)
		return ret;
	ret = sluice_read(queue, &done, 1);
	if (ret < 0)
		return ret;
	return done.status ? done.status : (int64_t)done.bytes;
}

/*
 * sluice_ring_create sluice_ring_take sluice_ring_wait sluice_ring_destroy: submit jobs without
 * ops, and return how many of them succeeded; a system call only if no job has ended
 */
int count_successes(int device, unsigned int jobs)
{
	struct sluice_completion done[16];
	unsigned int submitted, ended = 0;
	int queue, ret = 0, successes = 0, i;
	struct sluice_ring ring;

	queue = sluice_ring_create(device, 0, jobs, 0, &ring);
	if (queue < 0)
		return queue;
	for (submitted = 0; submitted < jobs && !ret; submitted++)
		ret = sluice_submit(queue, NULL, 0, -1, NULL, submitted, NULL);
	while (!ret && ended < jobs) {
		int count = sluice_ring_take(&ring, done, 16);

		for (i = 0; i < count; i++)
			successes += !done[i].status;
		ended += count > 0 ? count : 0;
		if (count <= 0)
			ret = count ? count : sluice_ring_wait(&ring, -1);
	}
	sluice_ring_destroy(&ring);
	return ret ? ret : successes;
}

/*
 * sluice_op_capture_frame sluice_op_playback_frame: capture an image of 640x480 pixels on one
 * queue, and show it on another; the second job waits for the fence of the first
 */
int show_frame(int camera, unsigned int to, int screen, unsigned int from, uint64_t *point)
{
	struct sluice_op op;
	int fence, ret;

	sluice_op_capture_frame(&op, to, 0, 640, 480, 640 * 4);
	ret = sluice_submit(camera, &op, 1, -1, &fence, 0, NULL);
	if (ret)
		return ret;
	sluice_op_playback_frame(&op, from, 0, 640, 480, 640 * 4);
	ret = sluice_submit(screen, &op, 1, fence, NULL, 0, point);
	close(fence);
	return ret;
}

/* sluice_op_playback: play the content of a slot as raw data */
int play(int queue, unsigned int slot, uint64_t size, uint64_t *point)
{
	struct sluice_op op;

	sluice_op_playback(&op, slot, 0, size);
	return sluice_submit(queue, &op, 1, -1, NULL, 0, point);
}

/*
 * sluice_frame_format sluice_frame_planes: capture an NV12 image, whose two planes are in two
 * slots
 */
int capture_nv12(int queue, unsigned int luma, unsigned int chroma, uint32_t width, uint32_t height,
		 uint64_t *point)
{
	struct sluice_plane planes[2] = {
		{ .slot = luma, .stride = width },
		{ .slot = chroma, .stride = width },
	};
	struct sluice_op op;

	sluice_op_capture_frame(&op, luma, 0, width, height, width);
	sluice_frame_format(&op, 0x3231564e, 0);	/* DRM_FORMAT_NV12 */
	sluice_frame_planes(&op, planes, 2);
	return sluice_submit(queue, &op, 1, -1, NULL, 0, point);
}

/*
 * sluice_op_program sluice_program_dst sluice_command_write sluice_command_dst sluice_command_poll
 * sluice_command_interrupt: start a device that writes to memory: write the address to its register
 * 0x80, and the command 1 to register 0x98; then wait for interrupt 0, and until bit 0 is clear
 */
int run_device(int queue, unsigned int slot, uint64_t length, uint64_t *point)
{
	struct sluice_command commands[4];
	struct sluice_op op;

	sluice_command_dst(&commands[0], 0, 8, 0x80, 0, 0);
	sluice_command_write(&commands[1], 0, 4, 0x98, 1);
	sluice_command_interrupt(&commands[2], 0);
	sluice_command_poll(&commands[3], 0, 4, 0x98, 1, 0, 1000);
	sluice_op_program(&op, commands, 4);
	sluice_program_dst(&op, slot, 0, length);
	return sluice_submit(queue, &op, 1, -1, NULL, 0, point);
}

/*
 * sluice_program_src sluice_command_src: let a device read memory: write the address to its
 * register 0x80
 */
int feed_device(int queue, unsigned int slot, uint64_t length, uint64_t *point)
{
	struct sluice_command command;
	struct sluice_op op;

	sluice_command_src(&command, 0, 8, 0x80, 0, 0);
	sluice_op_program(&op, &command, 1);
	sluice_program_src(&op, slot, 0, length);
	return sluice_submit(queue, &op, 1, -1, NULL, 0, point);
}

/*
 * sluice_op_private: run an op of a device driver that has its own kind of op, here a checksum of
 * soft0
 */
int submit_private(int queue, const void *payload, size_t size, unsigned int result,
		   unsigned int data, uint64_t length, uint64_t *point)
{
	struct sluice_op op;

	sluice_op_private(&op, payload, size);
	sluice_program_dst(&op, result, 0, 4);
	sluice_program_src(&op, data, 0, length);
	return sluice_submit(queue, &op, 1, -1, NULL, 0, point);
}

/* sluice_eventfd: count the interrupts since the last call; the eventfd is made once */
int64_t count_interrupts(int device, int *eventfd)
{
	uint64_t count;

	if (*eventfd < 0)
		*eventfd = sluice_eventfd(device, 0);
	if (*eventfd < 0)
		return *eventfd;
	if (read(*eventfd, &count, sizeof(count)) < 0)
		return errno == EAGAIN ? 0 : -errno;
	return count;
}

/* sluice_map_registers: read the first register of a BAR */
int read_register(int device, unsigned int bar, uint32_t *value)
{
	size_t page = sysconf(_SC_PAGESIZE);
	volatile void *registers;
	int ret = sluice_map_registers(device, bar, 0, page, &registers);

	if (ret)
		return ret;
	*value = *(volatile uint32_t *)registers;
	munmap((void *)registers, page);
	return 0;
}

/* sluice_submit_after: run an op when two fences have signalled */
int run_after_both(int queue, const struct sluice_op *op, int first, int second, uint64_t *point)
{
	int fences[2] = { first, second };

	return sluice_submit_after(queue, op, 1, fences, 2, NULL, 0, point);
}

/* sluice_submit_points: show a frame when another queue has captured it, without a sync_file */
int show_when_captured(int screen, const struct sluice_op *show, int camera, uint64_t captured,
		       uint64_t *point)
{
	struct sluice_in_point after = { .queue = camera, .point = captured };

	return sluice_submit_points(screen, show, 1, &after, 1, 0, point);
}

/* sluice_submit_many: submit 32 jobs of one op each; none leaves a completion except the last */
int submit_all(int queue, const struct sluice_op ops[32], uint64_t *last)
{
	struct sluice_submit jobs[32] = { 0 };
	int i, ret;

	for (i = 0; i < 32; i++) {
		jobs[i].ops = (uintptr_t)&ops[i];
		jobs[i].num_ops = 1;
		jobs[i].op_size = sizeof(ops[i]);
		jobs[i].flags = i < 31 ? SLUICE_SUBMIT_NO_COMPLETION : 0;
	}
	ret = sluice_submit_many(queue, jobs, 32, NULL);
	if (!ret)
		*last = jobs[31].point;
	return ret;
}

/*
 * sluice_submit_cyclic sluice_ack sluice_cancel: capture 8 frames in turns into two slots with
 * SLUICE_ATTACH_EXPLICIT; the queue was created with SLUICE_QUEUE_EXCLUSIVE, and with a
 * completion_size that includes the field ops
 */
int stream(int queue, const unsigned int slots[2], uint64_t size)
{
	struct sluice_completion done;
	struct sluice_op ops[2];
	uint64_t point;
	int i, ret;

	for (i = 0; i < 2; i++)
		sluice_op_capture(&ops[i], slots[i], 0, size);
	ret = sluice_submit_cyclic(queue, ops, 2, 0, 0, &point);
	if (ret)
		return ret;
	do {
		ret = sluice_read(queue, &done, 1);
		/* use the frames here; then give their buffers back */
		if (ret == 1)
			ret = sluice_ack(queue, point, done.ops);
	} while (!ret && done.ops < 8 && (done.flags & SLUICE_COMPLETION_MORE));
	sluice_cancel(queue, point, point);
	return ret;
}

/*
 * sluice_prep_submit: fill in an io_uring request for a job of one op; the structs must stay until
 * the request has completed
 */
void prepare(struct io_uring_sqe *sqe, int queue, const struct sluice_op *op,
	     struct sluice_submit *submit, struct sluice_completion *done)
{
	*submit = (struct sluice_submit) {
		.ops = (uintptr_t)op,
		.num_ops = 1,
		.op_size = sizeof(*op),
	};
	sluice_prep_submit(sqe, queue, submit, done);
	sqe->user_data = 1;	/* after the call, which clears the request */
}

/* sluice_prep_submit_many: one io_uring request for many jobs */
void prepare_many(struct io_uring_sqe *sqe, int queue, const struct sluice_submit *jobs,
		  unsigned int num_jobs, struct sluice_submit_many *many)
{
	*many = (struct sluice_submit_many) {
		.jobs = (uintptr_t)jobs,
		.num_jobs = num_jobs,
		.job_size = sizeof(*jobs),
	};
	sluice_prep_submit_many(sqe, queue, many, NULL);
	sqe->user_data = 1;	/* after the call, which clears the request */
}

/*
 * sluice_fence_export sluice_fence_import sluice_fence_merge: let the writers of one buffer wait
 * for the users of another buffer, and for one more fence
 */
int chain_buffers(int from, int to, int more)
{
	int fence = sluice_fence_export(from, true), both, ret;

	if (fence < 0)
		return fence;
	both = sluice_fence_merge(fence, more);
	close(fence);
	if (both < 0)
		return both;
	ret = sluice_fence_import(to, both, true);
	close(both);
	return ret;
}

/*
 * sluice_stream_open sluice_stream_next sluice_stream_release sluice_stream_close: capture 100
 * frames, and let another function use each of them; it returns a fence, or -1
 */
int capture_all(int device, int (*use)(const struct sluice_frame *))
{
	const struct sluice_stream_setup setup = {
		.format = 0x34325258, .width = 640, .height = 480,	/* DRM_FORMAT_XRGB8888 */
	};
	struct sluice_stream *stream;
	struct sluice_frame frame;
	int i, ret = sluice_stream_open(device, &setup, &stream);

	for (i = 0; i < 100 && !ret; i++) {
		ret = sluice_stream_next(stream, &frame, -1);
		if (ret)
			break;
		if (frame.status)	/* the device could not capture it */
			ret = sluice_stream_release(stream, frame.index, -1);
		else
			ret = sluice_stream_release(stream, frame.index, use(&frame));
	}
	sluice_stream_close(stream);
	return ret;
}

/* sluice_stream_describe: how many frames were lost before an early frame? */
int64_t lost_before(struct sluice_stream *stream, const struct sluice_frame *early)
{
	struct sluice_frame frame;
	int ret = sluice_stream_describe(stream, early->index, &frame, 1000);

	return ret ? ret : frame.status ? frame.status : (int64_t)frame.dropped;
}

/*
 * sluice_stream_queue sluice_stream_buffer: import all buffers of a stream, then wait for its first
 * frame and for another fd at the same time; returns which of them is ready
 */
int import_and_wait(struct sluice_stream *stream, int (*import)(int dmabuf), int other)
{
	struct pollfd fds[2] = {
		{ .fd = sluice_stream_queue(stream), .events = POLLIN },
		{ .fd = other, .events = POLLIN },
	};
	int i, dmabuf, ret = 0;

	for (i = 0; !ret && (dmabuf = sluice_stream_buffer(stream, i)) >= 0; i++)
		ret = import(dmabuf);
	if (ret || poll(fds, 2, -1) < 0)
		return -1;
	return fds[0].revents ? fds[0].fd : other;
}

/*
 * sluice_stream_drain sluice_stream_layout: play 100 frames of 640 by 480
 * pixels, and wait until the last one has been shown
 */
int play_all(int device, void (*draw)(int dmabuf, const struct sluice_layout *))
{
	const struct sluice_stream_setup setup = {
		.flags = SLUICE_STREAM_PLAYBACK,
		.engine = 1,
		.format = 0x34325258, .width = 640, .height = 480,	/* DRM_FORMAT_XRGB8888 */
	};
	struct sluice_layout layout;
	struct sluice_stream *stream;
	struct sluice_frame frame;
	int i, ret = sluice_stream_open(device, &setup, &stream);

	if (ret)
		return ret;
	sluice_stream_layout(stream, &layout);
	for (i = 0; i < 100 && !ret; i++) {
		ret = sluice_stream_next(stream, &frame, -1);
		if (ret)
			break;
		draw(frame.buffer, &layout);
		ret = sluice_stream_release(stream, frame.index, -1);
	}
	if (!ret)
		ret = sluice_stream_drain(stream, 10000);
	sluice_stream_close(stream);
	return ret;
}

/* sluice_frame_layout: allocate a buffer for an NV12 image, whose strides are multiples of 256 */
int alloc_nv12(int device, uint32_t width, uint32_t height, struct sluice_layout *layout)
{
	int ret = sluice_frame_layout(0x3231564e, width, height, 256, layout);

	return ret ? ret : sluice_alloc(device, 0, layout->size, 0);
}

/* sluice_fence_join sluice_fence_status: one fence for three, which fails if one of them fails */
int join_three(int queue, const int fences[3])
{
	int fence = sluice_fence_join(queue, fences, 3);

	if (fence >= 0 && sluice_fence_status(fence) == 1) {
		close(fence);
		return -1;	/* all three have signalled: no fence is needed */
	}
	return fence;
}

/* sluice_error_text: allocate a buffer, or say why that is not possible */
int alloc_or_explain(int device, uint64_t size)
{
	int buffer = sluice_alloc(device, 0, size, 0);

	if (buffer < 0)
		fprintf(stderr, "no buffer: %s\n", sluice_error_text(buffer));
	return buffer;
}

/*
 * sluice_fence_to_timeline sluice_fence_from_timeline: make a fence the next point of a timeline,
 * and get a fence for this point and all points before it
 */
int append_point(int fence, int drm, uint32_t timeline, uint64_t point)
{
	int ret = sluice_fence_to_timeline(fence, drm, timeline, point);

	return ret ? ret : sluice_fence_from_timeline(drm, timeline, point);
}
