// SPDX-License-Identifier: MIT
/*
 * A stream: buffers that pass between the caller and the device in turn.
 *
 * A buffer is with the caller (HELD), with the device (QUEUED), or with neither (IDLE: the buffers
 * of a playback before their first frame).  Buffers that are QUEUED are in a line, in the order of
 * their jobs.  The end of a job does not change the state: sluice_stream_next() takes the first
 * buffer out of the line.  Without EARLY it waits until the job of this buffer has ended.  With
 * EARLY it does not, so the caller can have a buffer, and give it back, before the job has ended.
 * A buffer can then have several jobs that have not ended.  Only the last one is that of the
 * buffer.
 *
 * Completions are read only as far as they are needed, so that poll() on the queue tells of the
 * next one.  The queue always has room: sluice_stream_next() gives no frame while more than N jobs
 * (for N buffers) have no completion that was read.  Then the caller can add at most N jobs, and
 * the depth of the queue is 2 N.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "internal.h"

#define MAX		SLUICE_STREAM_MAX_BUFFERS
#define DEFAULT_BUFFERS	4
#define DEFAULT_ALIGN	64U	/* bytes; GPUs and displays accept such strides */

enum state { IDLE, QUEUED, HELD };

/**
 * struct buffer - a buffer of a stream
 * @dmabuf: the dma-buf
 * @slot: its slot
 * @state: see above
 * @fence: EARLY: the fence of its job; else -1
 * @point: point of its job; 0 before the first job
 * @ended: the completion of its job was read
 * @done: the completion of its job; valid if @ended
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
 * @pending: jobs whose completion was not read
 * @lost: frames that were lost before jobs of which the caller did not ask for the result
 * @error: error of the first such job that failed
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
	int error;
	uint32_t line[MAX];
	uint32_t first;
	uint32_t queued;
	struct buffer buffers[MAX];
};

static bool is_playback(const struct sluice_stream *stream)
{
	return stream->flags & SLUICE_STREAM_PLAYBACK;
}

static bool is_early(const struct sluice_stream *stream)
{
	return stream->flags & SLUICE_STREAM_EARLY;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* Milliseconds until a time of now_ms(), for poll(). */
static int time_left(int64_t deadline, int timeout_ms)
{
	int64_t left = deadline - now_ms();

	return timeout_ms < 0 ? -1 : left > 0 ? (int)left : 0;
}

/* Jobs and their ends */

static void forget_fence(struct buffer *buffer)
{
	int saved = errno;

	if (buffer->fence >= 0)
		close(buffer->fence);
	buffer->fence = -1;
	errno = saved;
}

/* Read one completion.  Returns 1, 0 if there is none, or a negative errno. */
static int read_completion(struct sluice_stream *stream)
{
	struct sluice_completion done;
	struct buffer *buffer;
	int ret = sluice_ring_take(&stream->ring, &done, 1);

	if (ret <= 0)
		return ret;
	/* a job that others have submitted to the queue */
	if (done.user_data >= stream->num_buffers || !stream->pending)
		return 1;
	buffer = &stream->buffers[done.user_data];
	stream->pending--;
	if (done.point == buffer->point) {
		buffer->done = done;
		buffer->ended = true;
		return 1;
	}
	/* EARLY: the buffer has a later job */
	stream->lost += done.dropped;
	if (!stream->error)
		stream->error = done.status;
	return 1;
}

/*
 * Read completions until the job of a buffer has ended, and at most @most jobs have no completion.
 * Returns 1, 0 if a completion is missing, or a negative errno.
 */
static int read_until(struct sluice_stream *stream, const struct buffer *buffer, uint32_t most)
{
	while ((buffer && !buffer->ended) || stream->pending > most) {
		int ret = read_completion(stream);

		if (ret <= 0)
			return ret;
	}
	return 1;
}

/* As read_until(), but wait.  -EAGAIN if a completion is missing in time. */
static int wait_until(struct sluice_stream *stream, const struct buffer *buffer, uint32_t most,
		      int timeout_ms)
{
	int64_t deadline = now_ms() + timeout_ms;
	int ret;

	for (;;) {
		ret = read_until(stream, buffer, most);
		if (ret)
			return ret < 0 ? ret : 0;
		ret = sluice_ring_wait(&stream->ring, time_left(deadline, timeout_ms));
		/* -ETIME could also be the error of a frame */
		if (ret == -ETIME)
			return sluice_fail(-EAGAIN, "no frame within %d ms", timeout_ms);
		if (ret)
			return ret;
	}
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
	if (is_early(stream))
		args.flags |= SLUICE_SUBMIT_OUT_FENCE;
	ret = sluice_lib_call(stream->ring.queue, SLUICE_IOCTL_SUBMIT, &args);
	if (ret)
		return ret;
	forget_fence(buffer);
	if (is_early(stream))
		buffer->fence = args.out_fence;
	buffer->state = QUEUED;
	buffer->point = args.point;
	buffer->ended = false;
	stream->line[(stream->first + stream->queued++) % MAX] = index;
	stream->pending++;
	return 0;
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

/* Setting up */

static int refuse_setup(const char *reason)
{
	return sluice_fail(-EINVAL, "%s", reason);
}

static int check_setup(const struct sluice_stream_setup *setup)
{
	uint64_t used = 0;
	size_t i;

	for (i = 0; i < sizeof(setup->reserved) / sizeof(setup->reserved[0]); i++)
		used |= setup->reserved[i];
	if (used)
		return refuse_setup("a reserved field of the setup is not 0");
	if (setup->num_buffers > MAX || setup->num_buffers == 1)
		return refuse_setup("a stream has 2 to 64 buffers");
	if (setup->flags & ~(SLUICE_STREAM_PLAYBACK | SLUICE_STREAM_EARLY | SLUICE_STREAM_EXPLICIT))
		return refuse_setup("the setup has an unknown flag");
	if (setup->align & (setup->align - 1))
		return refuse_setup("align is not a power of two");
	if (setup->format ? setup->size : !setup->size)
		return refuse_setup("a stream has either a format, or a size");
	if (!setup->format && (setup->width || setup->height || setup->field))
		return refuse_setup("raw data has no width, height or field");
	return 0;
}

static bool is_in_range(uint32_t value, uint32_t min, uint32_t max, uint32_t step)
{
	return value >= min && value <= max && !((value - min) % (step ? step : 1));
}

/* Does the engine list an image of this format, field and size? */
static int find_format(int device, const struct sluice_stream_setup *setup)
{
	struct sluice_enum_formats format;
	struct sluice_enum_sizes size;
	unsigned int i, j;
	int ret;

	for (i = 0; !(ret = sluice_get_format(device, setup->engine, i, &format)); i++) {
		if (format.format != setup->format || format.modifier ||
		    setup->field > 31 || !(format.fields & 1U << setup->field))
			continue;
		for (j = 0; !sluice_get_size(device, &format, j, &size); j++)
			if (is_in_range(setup->width, size.min_width, size.max_width,
					size.step_width) &&
			    is_in_range(setup->height, size.min_height, size.max_height,
					size.step_height))
				return 0;
	}
	if (ret != -EINVAL)
		return ret;
	return sluice_fail(-EOPNOTSUPP, "the engine does not list this format with this size");
}

static int fill_in_op(struct sluice_stream *stream, int device,
		      const struct sluice_stream_setup *setup,
		      const struct sluice_engine_info *engine)
{
	uint32_t align = setup->align ? setup->align : DEFAULT_ALIGN, rest;
	struct sluice_layout *layout = &stream->layout;
	struct sluice_op *op = &stream->op;
	int ret;

	op->kind = is_playback(stream) ? SLUICE_OP_PLAYBACK : SLUICE_OP_CAPTURE;
	if (!(engine->op_kinds & 1ULL << op->kind))
		return sluice_fail(-EOPNOTSUPP, "the engine does not %s",
				   is_playback(stream) ? "play back" : "capture");
	rest = engine->op_align ? engine->op_align : 1;
	if (!setup->format) {
		if (setup->size % rest)
			return sluice_fail(-EINVAL, "the size of a frame is not a multiple "
					   "of %u", rest);
		layout->size = setup->size;
		layout->num_planes = 1;
		op->length = layout->size;
		return 0;
	}
	ret = find_format(device, setup);
	if (ret)
		return ret;
	if (align < engine->stride_align)
		align = engine->stride_align;
	if (align < engine->op_align)
		align = engine->op_align;
	ret = sluice_frame_layout(setup->format, setup->width, setup->height, align, layout);
	if (ret)
		return ret;
	op->length = (layout->size + rest - 1) / rest * rest;
	op->field = setup->field;
	op->frame.width = setup->width;
	op->frame.height = setup->height;
	op->frame.stride = layout->stride[0];
	op->frame.format = setup->format;
	return 0;
}

/* The first heap that the engine can use, if the caller has not chosen one. */
static int choose_heap(const struct sluice_stream *stream, int device,
		       const struct sluice_stream_setup *setup, uint32_t max_segments)
{
	uint32_t need = setup->alloc_flags | (max_segments ? SLUICE_MEM_CONTIGUOUS : 0);
	struct sluice_heap_info heap;
	unsigned int i;
	int ret;

	if (setup->heap)
		return sluice_find_heap(device, setup->heap);
	for (i = 0; !(ret = sluice_heap_info(device, i, &heap)); i++)
		if (!(need & ~(heap.properties | heap.options)) &&
		    heap.max_size >= stream->op.length &&
		    (need & SLUICE_MEM_DEVICE || !(heap.properties & SLUICE_MEM_DEVICE)))
			return (int)i;
	return ret != -EINVAL ? ret :
	       sluice_fail(-ENOENT, "no heap of the device has the memory that the engine needs");
}

static int make_buffers(struct sluice_stream *stream, int device,
			const struct sluice_stream_setup *setup, uint32_t max_segments)
{
	uint32_t flags = (is_playback(stream) ? SLUICE_ATTACH_READ : SLUICE_ATTACH_WRITE) |
			 (stream->flags & SLUICE_STREAM_EXPLICIT ? SLUICE_ATTACH_EXPLICIT : 0);
	int heap = choose_heap(stream, device, setup, max_segments), ret;
	uint32_t i;

	if (heap < 0)
		return heap;
	for (i = 0; i < stream->num_buffers; i++) {
		struct buffer *buffer = &stream->buffers[i];

		buffer->dmabuf = sluice_alloc(device, heap, stream->op.length, setup->alloc_flags);
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
	struct sluice_engine_info engine;
	struct sluice_info info;
	uint32_t i;
	int ret;

	ret = sluice_device_info(device, &info);
	if (!ret)
		ret = sluice_engine_info(device, setup->engine, &engine);
	if (!ret && is_early(stream) && !(info.caps & SLUICE_CAP_SYNC_FILE))
		ret = sluice_fail(-EOPNOTSUPP, "EARLY needs fences, and the kernel has no "
				  "sync_file");
	if (!ret)
		ret = fill_in_op(stream, device, setup, &engine);
	if (ret)
		return ret;
	while (queue.depth < 2 * stream->num_buffers)
		queue.depth *= 2;
	queue.timeout_ms = setup->timeout_ms ? setup->timeout_ms : info.max_timeout_ms;
	ret = sluice_lib_create_ring(device, &queue, &stream->ring);
	if (ret < 0)
		return ret;
	ret = make_buffers(stream, device, setup, engine.max_segments);
	for (i = 0; i < stream->num_buffers && !ret && !is_playback(stream); i++)
		ret = give(stream, i, -1);
	return ret;
}

int sluice_stream_open(int device, const struct sluice_stream_setup *setup,
		       struct sluice_stream **stream)
{
	struct sluice_stream *new;
	int saved = errno, ret;
	uint32_t i;

	*stream = NULL;
	ret = check_setup(setup);
	if (ret)
		return ret;
	new = calloc(1, sizeof(*new));
	errno = saved;
	if (!new)
		return sluice_fail(-ENOMEM, "no memory for the stream");
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

void sluice_stream_layout(const struct sluice_stream *stream, struct sluice_layout *layout)
{
	*layout = stream->layout;
}

int sluice_stream_buffer(const struct sluice_stream *stream, unsigned int index)
{
	if (index >= stream->num_buffers)
		return sluice_fail(-EINVAL, "the stream has %u buffers", stream->num_buffers);
	return stream->buffers[index].dmabuf;
}

int sluice_stream_queue(const struct sluice_stream *stream)
{
	return stream ? stream->ring.queue : sluice_fail(-EBADF, "there is no stream");
}

/* Frames */

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
	frame->status = buffer->done.status;
	frame->flags = buffer->done.flags;
	frame->bytes = buffer->done.bytes;
	frame->timestamp = buffer->done.timestamp;
	frame->sequence = buffer->done.sequence;
	frame->dropped = buffer->done.dropped + stream->lost;
	stream->lost = 0;
}

static struct buffer *find_idle(struct sluice_stream *stream)
{
	uint32_t i;

	for (i = 0; i < stream->num_buffers; i++)
		if (stream->buffers[i].state == IDLE)
			return &stream->buffers[i];
	return NULL;
}

/* The caller has all frames.  The device may be gone, too. */
static int no_frame(struct sluice_stream *stream)
{
	int ret = sluice_ring_wait(&stream->ring, 0);

	return ret && ret != -ETIME ? ret :
	       sluice_fail(-ENOBUFS, "the caller has all frames: release one first");
}

int sluice_stream_next(struct sluice_stream *stream, struct sluice_frame *frame, int timeout_ms)
{
	struct buffer *buffer = find_idle(stream);
	int ret;

	if (buffer) {
		buffer->state = HELD;
		describe(stream, buffer, frame);
		return 0;
	}
	buffer = first_in_line(stream);
	if (!buffer)
		return no_frame(stream);
	if (is_early(stream))
		ret = wait_until(stream, NULL, stream->num_buffers, timeout_ms);
	else
		ret = wait_until(stream, buffer, UINT32_MAX, timeout_ms);
	if (ret)
		return ret;
	leave_line(stream, buffer, HELD);
	describe(stream, buffer, frame);
	return 0;
}

static struct buffer *find_held(struct sluice_stream *stream, unsigned int index)
{
	if (index < stream->num_buffers && stream->buffers[index].state == HELD)
		return &stream->buffers[index];
	sluice_fail(-EINVAL, "the caller does not have frame %u", index);
	return NULL;
}

int sluice_stream_describe(struct sluice_stream *stream, unsigned int index,
			   struct sluice_frame *frame, int timeout_ms)
{
	struct buffer *buffer = find_held(stream, index);
	int ret = buffer ? 0 : -EINVAL;

	if (!ret && buffer->point)
		ret = wait_until(stream, buffer, UINT32_MAX, timeout_ms);
	if (!ret)
		describe(stream, buffer, frame);
	return ret;
}

int sluice_stream_release(struct sluice_stream *stream, unsigned int index, int fence)
{
	return find_held(stream, index) ? give(stream, index, fence) : -EINVAL;
}

int sluice_stream_drain(struct sluice_stream *stream, int timeout_ms)
{
	struct buffer *buffer;
	int ret;

	if (!is_playback(stream))
		return sluice_fail(-EINVAL, "a capture does not end by itself");
	ret = wait_until(stream, NULL, 0, timeout_ms);
	if (ret)
		return ret;
	while ((buffer = first_in_line(stream))) {
		if (!stream->error)
			stream->error = buffer->done.status;
		leave_line(stream, buffer, IDLE);
	}
	ret = stream->error;
	stream->error = 0;
	return sluice_lib_status(ret);
}
