// SPDX-License-Identifier: MIT
/*
 * A stream: buffers that go round between the caller and the device.
 *
 * A buffer is with the caller (HELD), with the device (QUEUED), or with neither (IDLE).  Buffers
 * that are QUEUED are in a line, in the order of their jobs.  The end of a job does not change the
 * state: sluice_stream_next() takes the first buffer out of the line.  Without EARLY it waits until
 * the job of this buffer has ended.  With EARLY it does not, so the caller can have a buffer, and
 * give it back, before the job has ended.  A buffer can then have two jobs that have not ended.
 * Only the later job is that of the buffer.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "internal.h"

#define MAX		SLUICE_STREAM_MAX_BUFFERS
#define DEFAULT_BUFFERS	4

enum state { IDLE, QUEUED, HELD };

/**
 * struct buffer - a buffer of a stream
 * @dmabuf: the dma-buf
 * @slot: its slot
 * @state: see above
 * @fence: EARLY: the fence of its job; else -1
 * @point: point of its job; 0 before the first job
 * @ended: its job has ended
 * @done: the completion of its job, or of the job before it
 */
struct buffer {
	int dmabuf;
	unsigned int slot;
	enum state state;
	int fence;
	uint64_t point;
	bool ended;
	struct sluice_completion done;
};

/**
 * struct sluice_stream - a stream
 * @ring: the queue
 * @flags: SLUICE_STREAM_*
 * @op: the op of each job, without its slot
 * @layout: layout of a frame
 * @num_buffers: length of @buffers
 * @pending: jobs that have not ended
 * @lost: frames that were lost before or in frames which the caller did not get
 * @line: numbers of the QUEUED buffers, a ring that begins at @first
 * @first: see @line
 * @queued: number of buffers in @line
 * @buffers: the buffers
 */
struct sluice_stream {
	struct sluice_ring ring;
	uint32_t flags;
	struct sluice_op op;
	struct sluice_layout layout;
	uint32_t num_buffers;
	uint32_t pending;
	uint64_t lost;
	uint32_t line[MAX];
	uint32_t first;
	uint32_t queued;
	struct buffer buffers[MAX];
};

static bool is_playback(const struct sluice_stream *stream)
{
	return stream->flags & SLUICE_STREAM_PLAYBACK;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* Buffers */

static void forget_fence(struct buffer *buffer)
{
	int saved = errno;

	if (buffer->fence >= 0)
		close(buffer->fence);
	buffer->fence = -1;
	errno = saved;
}

/* Note the ends of jobs. */
static int take(struct sluice_stream *stream)
{
	struct sluice_completion completions[16];
	int count, i;

	do {
		count = sluice_ring_take(&stream->ring, completions, 16);
		for (i = 0; i < count; i++) {
			struct buffer *buffer = &stream->buffers[completions[i].user_data];

			stream->pending--;
			if (completions[i].point == buffer->point) {
				buffer->done = completions[i];
				buffer->ended = true;
			} else {
				stream->lost += completions[i].dropped;
			}
		}
	} while (count == 16);
	return count < 0 ? count : 0;
}

/* Give a buffer to the device, which then waits for @fence. */
static int give(struct sluice_stream *stream, uint32_t index, int fence)
{
	struct buffer *buffer = &stream->buffers[index];
	struct sluice_op op = stream->op;
	struct sluice_submit args = {
		.ops = (uintptr_t)&op,
		.num_ops = 1,
		.op_size = sizeof(op),
		.in_fences = (uintptr_t)&fence,
		.num_in_fences = fence != -1,
		.user_data = index,
	};
	int ret;

	if (is_playback(stream)) {
		op.src = buffer->slot;
	} else {
		op.dst = buffer->slot;
		args.flags |= SLUICE_SUBMIT_IGNORE_ERRORS;
	}
	if (stream->flags & SLUICE_STREAM_EARLY)
		args.flags |= SLUICE_SUBMIT_OUT_FENCE;
	ret = sluice_lib_call(stream->ring.queue, SLUICE_IOCTL_SUBMIT, &args);
	if (ret)
		return ret;
	forget_fence(buffer);
	if (stream->flags & SLUICE_STREAM_EARLY)
		buffer->fence = args.out_fence;
	buffer->state = QUEUED;
	buffer->point = args.point;
	buffer->ended = false;
	stream->line[(stream->first + stream->queued++) % MAX] = index;
	stream->pending++;
	return 0;
}

/* A capture: give the device the buffers that failed. */
static int give_idle(struct sluice_stream *stream)
{
	int ret = 0;
	uint32_t i;

	for (i = 0; i < stream->num_buffers && !ret; i++)
		if (stream->buffers[i].state == IDLE)
			ret = give(stream, i, -1);
	return ret;
}

static struct buffer *first_in_line(struct sluice_stream *stream)
{
	return stream->queued ? &stream->buffers[stream->line[stream->first]] : NULL;
}

static void leave_line(struct sluice_stream *stream, struct buffer *buffer, enum state state)
{
	stream->first = (stream->first + 1) % MAX;
	stream->queued--;
	buffer->state = state;
	if (buffer->ended)
		forget_fence(buffer);
}

/* Streams */

static int fill_in_op(struct sluice_stream *stream, const struct sluice_stream_setup *setup,
		      uint32_t align)
{
	struct sluice_layout *layout = &stream->layout;
	struct sluice_op *op = &stream->op;
	int ret;

	op->kind = is_playback(stream) ? SLUICE_OP_PLAYBACK : SLUICE_OP_CAPTURE;
	if (!setup->format) {
		if (!setup->size || setup->width || setup->height)
			return sluice_lib_error(-EINVAL, "a stream has either a format, a width and a "
						"height, or a size");
		layout->size = setup->size;
		layout->num_planes = 1;
	} else {
		if (setup->size)
			return sluice_lib_error(-EINVAL, "the size of an image follows from its format");
		ret = sluice_frame_layout(setup->format, setup->width, setup->height, align,
					  layout);
		if (ret)
			return ret;
		op->frame.width = setup->width;
		op->frame.height = setup->height;
		op->frame.stride = layout->stride[0];
		op->frame.format = setup->format;
	}
	op->length = layout->size;
	return 0;
}

/* The first heap that the engine can use, if the caller has not chosen one. */
static int choose_heap(int device, const struct sluice_stream_setup *setup, uint32_t max_segments)
{
	uint32_t need = setup->alloc_flags | (max_segments ? SLUICE_MEM_CONTIGUOUS : 0);
	struct sluice_heap_info heap;
	unsigned int i;
	int ret;

	if (setup->heap)
		return sluice_find_heap(device, setup->heap);
	for (i = 0; !(ret = sluice_heap_info(device, i, &heap)); i++)
		if (!(need & ~heap.properties) && !(heap.properties & SLUICE_MEM_DEVICE))
			return (int)i;
	return ret != -EINVAL ? ret :
	       sluice_lib_error(-ENOENT, "no heap of the device has the memory that the engine needs");
}

static int make_buffers(struct sluice_stream *stream, int device,
			const struct sluice_stream_setup *setup, uint32_t max_segments)
{
	uint32_t flags = (is_playback(stream) ? SLUICE_ATTACH_READ : SLUICE_ATTACH_WRITE) |
			 (stream->flags & SLUICE_STREAM_EXPLICIT ? SLUICE_ATTACH_EXPLICIT : 0);
	int heap = choose_heap(device, setup, max_segments), ret;
	uint32_t i;

	if (heap < 0)
		return heap;
	for (i = 0; i < stream->num_buffers; i++) {
		struct buffer *buffer = &stream->buffers[i];

		buffer->dmabuf = sluice_alloc(device, heap, stream->layout.size,
					      setup->alloc_flags);
		if (buffer->dmabuf < 0)
			return buffer->dmabuf;
		ret = sluice_attach(stream->ring.queue, buffer->dmabuf, flags);
		if (ret < 0)
			return ret;
		buffer->slot = ret;
	}
	return 0;
}

static int set_up(struct sluice_stream *stream, int device, const struct sluice_stream_setup *setup)
{
	struct sluice_create_queue queue = { .engine = setup->engine, .depth = 2 };
	struct sluice_engine_info engine = {};
	struct sluice_info info;
	int ret = sluice_device_info(device, &info);
	uint32_t align = setup->align;

	if (!ret)
		ret = sluice_engine_info(device, setup->engine, &engine);
	/* a module before UAPI version 5 tells nothing of its engines */
	if (ret == -ENOTTY)
		ret = 0;
	if (!ret) {
		/* an image of the default alignment suits GPUs; the engine may need more */
		if (align < engine.stride_align)
			align = engine.stride_align < 64 ? 64 : engine.stride_align;
		ret = fill_in_op(stream, setup, align);
	}
	if (ret)
		return ret;
	/* EARLY: a buffer may have two jobs */
	while (queue.depth < 2 * stream->num_buffers)
		queue.depth *= 2;
	queue.timeout_ms = setup->timeout_ms ? setup->timeout_ms : info.max_timeout_ms;
	ret = sluice_lib_create_ring(device, &queue, &stream->ring);
	if (ret < 0)
		return ret;
	ret = make_buffers(stream, device, setup, engine.max_segments);
	return ret || is_playback(stream) ? ret : give_idle(stream);
}

static bool is_valid(const struct sluice_stream_setup *setup)
{
	const uint32_t *reserved = setup->reserved;
	uint32_t all = 0;
	size_t i;

	for (i = 0; i < sizeof(setup->reserved) / sizeof(reserved[0]); i++)
		all |= reserved[i];
	return !all && setup->num_buffers <= MAX && setup->num_buffers != 1 &&
	       !(setup->flags & ~(SLUICE_STREAM_PLAYBACK | SLUICE_STREAM_EARLY |
				  SLUICE_STREAM_EXPLICIT));
}

int sluice_stream_open(int device, const struct sluice_stream_setup *setup,
		       struct sluice_stream **stream)
{
	struct sluice_stream *new;
	int saved = errno, ret;
	uint32_t i;

	*stream = NULL;
	if (!is_valid(setup))
		return sluice_lib_error(-EINVAL, "a stream has 2 to %u buffers, and no unknown flags",
					MAX);
	new = calloc(1, sizeof(*new));
	errno = saved;
	if (!new)
		return sluice_lib_error(-ENOMEM, "no memory for the stream");
	new->ring.queue = -1;
	new->flags = setup->flags;
	new->num_buffers = setup->num_buffers ? setup->num_buffers : DEFAULT_BUFFERS;
	for (i = 0; i < MAX; i++)
		new->buffers[i].dmabuf = new->buffers[i].fence = -1;
	ret = set_up(new, device, setup);
	if (ret)
		sluice_stream_close(new);
	else
		*stream = new;
	return ret;
}

void sluice_stream_layout(const struct sluice_stream *stream, struct sluice_layout *layout)
{
	*layout = stream->layout;
}

int sluice_stream_buffer(const struct sluice_stream *stream, unsigned int index)
{
	if (index >= stream->num_buffers)
		return sluice_lib_error(-EINVAL, "the stream has %u buffers", stream->num_buffers);
	return stream->buffers[index].dmabuf;
}

int sluice_stream_queue(const struct sluice_stream *stream)
{
	return stream ? stream->ring.queue : sluice_lib_error(-EBADF, "there is no stream");
}

static void describe(struct sluice_stream *stream, struct buffer *buffer,
		     struct sluice_frame *frame)
{
	*frame = (struct sluice_frame) {
		.buffer = buffer->dmabuf,
		.index = (uint32_t)(buffer - stream->buffers),
		.fence = buffer->fence,
	};
	if (!buffer->ended)
		return;
	frame->flags = buffer->done.flags;
	frame->bytes = buffer->done.bytes;
	frame->timestamp = buffer->done.timestamp;
	frame->sequence = buffer->done.sequence;
	frame->dropped = buffer->done.dropped + stream->lost;
	stream->lost = 0;
}

/*
 * Find a frame for the caller.  Returns 1 if there is one, 0 if there is none yet, or a negative
 * errno.
 */
static int find_frame(struct sluice_stream *stream, struct sluice_frame *frame)
{
	bool early = stream->flags & SLUICE_STREAM_EARLY;
	struct buffer *buffer = NULL;
	uint32_t i;

	for (i = 0; i < stream->num_buffers && is_playback(stream) && !buffer; i++)
		if (stream->buffers[i].state == IDLE)
			buffer = &stream->buffers[i];
	if (buffer) {
		buffer->state = HELD;
		describe(stream, buffer, frame);
		return 1;
	}
	buffer = first_in_line(stream);
	if (!buffer)
		return sluice_lib_error(-ENOBUFS, "the caller has all frames: release one first");
	if (!buffer->ended && (!early || stream->pending > stream->num_buffers))
		return 0;
	if (buffer->ended && buffer->done.status) {
		stream->lost += buffer->done.dropped;
		leave_line(stream, buffer, IDLE);
		return sluice_lib_status(buffer->done.status);
	}
	leave_line(stream, buffer, HELD);
	describe(stream, buffer, frame);
	return 1;
}

/* Milliseconds until a time of now_ms(), for poll(). */
static int time_left(int64_t deadline, int timeout_ms)
{
	int64_t left = deadline - now_ms();

	return timeout_ms < 0 ? -1 : left > 0 ? (int)left : 0;
}

/* The error of a wait: -ETIME could also be the error of a frame. */
static int waited(int ret)
{
	return ret == -ETIME ? sluice_lib_error(-EAGAIN, "there was no frame in time") : ret;
}

int sluice_stream_next(struct sluice_stream *stream, struct sluice_frame *frame, int timeout_ms)
{
	int64_t deadline = now_ms() + timeout_ms;
	int ret;

	for (;;) {
		int given = is_playback(stream) ? 0 : give_idle(stream);

		ret = take(stream);
		if (!ret)
			ret = find_frame(stream, frame);
		if (ret)
			return ret > 0 ? 0 : ret == -ENOBUFS && given ? given : ret;
		ret = sluice_ring_wait(&stream->ring, time_left(deadline, timeout_ms));
		if (ret)
			return waited(ret);
	}
}

int sluice_stream_release(struct sluice_stream *stream, unsigned int index, int fence)
{
	int ret;

	if (index >= stream->num_buffers || stream->buffers[index].state != HELD)
		return sluice_lib_error(-EINVAL, "the caller does not have frame %u", index);
	ret = take(stream);
	return ret ? ret : give(stream, index, fence);
}

int sluice_stream_drain(struct sluice_stream *stream, int timeout_ms)
{
	int64_t deadline = now_ms() + timeout_ms;
	struct buffer *buffer;
	int ret, error = 0;

	if (!is_playback(stream))
		return sluice_lib_error(-EINVAL, "a capture does not end by itself");
	for (;;) {
		ret = take(stream);
		if (ret || !stream->pending)
			break;
		ret = sluice_ring_wait(&stream->ring, time_left(deadline, timeout_ms));
		if (ret)
			break;
	}
	if (ret)
		return waited(ret);
	while ((buffer = first_in_line(stream))) {
		if (!error)
			error = buffer->done.status;
		leave_line(stream, buffer, IDLE);
	}
	return sluice_lib_status(error);
}

void sluice_stream_close(struct sluice_stream *stream)
{
	int saved = errno;
	uint32_t i;

	if (!stream)
		return;
	if (stream->ring.queue >= 0)
		sluice_ring_destroy(&stream->ring);
	for (i = 0; i < MAX; i++) {
		forget_fence(&stream->buffers[i]);
		if (stream->buffers[i].dmabuf >= 0)
			close(stream->buffers[i].dmabuf);
	}
	free(stream);
	errno = saved;
}
