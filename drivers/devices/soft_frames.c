// SPDX-License-Identifier: GPL-2.0-only
/*
 * Frames of the device soft.
 *
 *	camera	produces a frame of the test pattern in each frame interval.  A capture takes the
 *		next frame.  A frame for which there was no capture counts as dropped
 *	screen	shows a frame in each frame interval.  A playback is the next frame that is shown.
 *		A frame for which there was no playback counts as dropped
 *
 * The engine decides which frame an op gets, and calls these functions when the frame begins.
 * The data and the lock are described in soft_frames.h.
 */
#include <linux/crc32.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "soft_frames.h"
#include "soft_knobs.h"
#include "soft_source.h"

/**
 * soft_frames_init - prepare the camera and the screen of an engine
 * @frames: both; zeroed memory
 * @source: the source of the camera
 * @knobs: the knobs of the device
 *
 * Context: the probe function.
 */
void soft_frames_init(struct soft_frames *frames, struct soft_source *source,
		      struct soft_knobs *knobs)
{
	frames->source = source;
	frames->knobs = knobs;
	spin_lock_init(&frames->lock);
}

/* Count the frames between this one and the newest before it.  Ops may end in any order. */
static void soft_frames_count_dropped(struct soft_frames *frames, u64 *next,
				      struct sluice_result *result)
{
	spin_lock_irq(&frames->lock);
	if (*next && result->sequence > *next)
		result->dropped = result->sequence - *next;
	*next = max(*next, result->sequence + 1);
	spin_unlock_irq(&frames->lock);
}

/* The camera */

static void soft_frames_capture_raw(const struct sluice_op_desc *op, const bool *stop,
				    struct sluice_result *result)
{
	void *dst = sluice_slot_vaddr(op->dst) + op->dst_offset;
	u64 done = 0;

	while (done < op->length && !READ_ONCE(*stop)) {
		size_t chunk = min_t(u64, op->length - done, SZ_256K);

		pattern_fill_raw(dst + done, done, chunk, result->sequence);
		done += chunk;
		cond_resched();
	}
	result->bytes = op->length;
}

/* If fields alternate, an even frame is the top field. */
static void soft_frames_set_field(u32 field, struct pattern_frame *frame,
				  struct sluice_result *result)
{
	if (field == SLUICE_FIELD_ALTERNATE)
		field = result->sequence % 2 ? SLUICE_FIELD_BOTTOM : SLUICE_FIELD_TOP;
	if (field == SLUICE_FIELD_TOP) {
		frame->field = PATTERN_TOP;
		result->flags |= SLUICE_FRAME_TOP;
	} else if (field == SLUICE_FIELD_BOTTOM) {
		frame->field = PATTERN_BOTTOM;
		result->flags |= SLUICE_FRAME_BOTTOM;
	}
}

/* The picture that a frame shows: its own, or the picture of the image before. */
static u64 soft_frames_picture(struct soft_frames *frames, struct sluice_result *result)
{
	u64 picture = result->sequence;

	spin_lock_irq(&frames->lock);
	if (frames->picture && (soft_source_is_frozen(frames->source) ||
				soft_knobs_take(&frames->knobs->repeat_next))) {
		result->flags |= SLUICE_FRAME_REPEATED;
		picture = frames->picture - 1;
	}
	frames->picture = max(frames->picture, picture + 1);
	spin_unlock_irq(&frames->lock);
	return picture;
}

static void soft_frames_capture_image(struct soft_frames *frames, const struct sluice_op_desc *op,
				      const bool *stop, struct sluice_result *result)
{
	struct pattern_frame frame = { .format = op->frame.format };
	unsigned int i;

	frame.width = soft_source_width(frames->source, op->frame.width);
	frame.height = soft_source_height(frames->source, op->frame.height);
	for (i = 0; i < op->num_ranges; i++) {
		frame.planes[i] = sluice_slot_vaddr(op->ranges[i].slot) + op->ranges[i].offset;
		frame.strides[i] = op->frame.strides[i];
		result->bytes += op->ranges[i].length;
	}
	soft_frames_set_field(op->frame.field, &frame, result);
	frame.brightness = soft_source_brightness(frames->source);
	pattern_draw(&frame, soft_frames_picture(frames, result), ktime_to_ns(result->timestamp),
		     stop);
	result->width = frame.width;
	result->height = frame.height;
}

/**
 * soft_frames_capture - capture a frame into the memory of an op
 * @frames: the camera of the engine
 * @op: the op, a CAPTURE
 * @number: number of the frame
 * @stop: the op must end early; its result is not used then
 * @result: zeroed; set to the result of the op
 *
 * Context: process context, may sleep; in the signalling path of fences.
 */
void soft_frames_capture(struct soft_frames *frames, const struct sluice_op_desc *op, u64 number,
			 const bool *stop, struct sluice_result *result)
{
	result->timestamp = soft_source_frame_time(frames->source, number);
	result->sequence = number;
	if (op->frame.width)
		soft_frames_capture_image(frames, op, stop, result);
	else
		soft_frames_capture_raw(op, stop, result);
	if (soft_knobs_take(&frames->knobs->damage_next))
		result->flags |= SLUICE_FRAME_DAMAGED;
	soft_frames_count_dropped(frames, &frames->captured, result);
}

/* The screen */

/* Read each byte of the lines of a plane, as a screen would.  Padding of lines is not read. */
static void soft_frames_read_plane(const struct sluice_range *range, u32 stride, const bool *stop,
				   struct soft_shown *shown)
{
	void *src = sluice_slot_vaddr(range->slot) + range->offset;
	/* the range ends with the pixels of the last line, without padding */
	u64 lines = stride ? DIV_ROUND_UP_ULL(range->length, stride) : 1, done, at = 0;
	u64 line = range->length - (lines - 1) * stride;

	for (; lines; lines--, at += stride) {
		for (done = 0; done < line; ) {
			size_t chunk = min_t(u64, line - done, SZ_64K);

			if (READ_ONCE(*stop))
				return;
			shown->crc = crc32_le(shown->crc, src + at + done, chunk);
			done += chunk;
			cond_resched();
		}
		shown->bytes += line;
	}
}

/**
 * soft_frames_play - show the frame in the memory of an op
 * @frames: the screen of the engine
 * @op: the op, a PLAYBACK
 * @number: number of the frame
 * @stop: the op must end early; its result is not used then
 * @result: zeroed; set to the result of the op
 *
 * Context: process context, may sleep; in the signalling path of fences.
 */
void soft_frames_play(struct soft_frames *frames, const struct sluice_op_desc *op, u64 number,
		      const bool *stop, struct sluice_result *result)
{
	struct soft_shown shown = { .sequence = number, .crc = ~0 };
	unsigned int i;

	for (i = 0; i < op->num_ranges; i++)
		soft_frames_read_plane(&op->ranges[i], op->frame.width ? op->frame.strides[i] : 0,
				       stop, &shown);
	if (READ_ONCE(*stop))
		return;
	shown.crc = ~shown.crc;
	spin_lock_irq(&frames->lock);
	frames->shown = shown;
	spin_unlock_irq(&frames->lock);
	result->bytes = shown.bytes;
	result->timestamp = soft_source_frame_time(frames->source, number);
	result->sequence = number;
	result->width = op->frame.width;
	result->height = op->frame.height;
	soft_frames_count_dropped(frames, &frames->played, result);
}

/**
 * soft_frames_show - write a line about the frame on the screen, for debugfs
 * @frames: the screen of the engine
 * @m: the file
 *
 * Context: process context.
 */
void soft_frames_show(struct soft_frames *frames, struct seq_file *m)
{
	struct soft_shown shown;

	spin_lock_irq(&frames->lock);
	shown = frames->shown;
	spin_unlock_irq(&frames->lock);
	seq_printf(m, "%llu %llu %08x\n", shown.sequence, shown.bytes, shown.crc);
}

/* Formats */

/**
 * soft_frames_list_formats - list the formats of the camera and the screen
 * @fps: frames per second
 *
 * Context: process context, may sleep.
 * Return: the formats, which the caller frees with kfree(); or NULL.
 */
struct soft_formats *soft_frames_list_formats(unsigned int fps)
{
	struct soft_formats *list = kzalloc(sizeof(*list), GFP_KERNEL);
	unsigned int i;

	if (!list)
		return NULL;
	list->interval.min = (struct sluice_fraction) { 1, fps };
	for (i = 0; i < PATTERN_NUM_FORMATS; i++) {
		const struct pattern_format *format = &pattern_formats[i];

		list->sizes[i] = (struct sluice_size_range) {
			.min_width = format->step_width,
			.max_width = U32_MAX,
			.step_width = format->step_width,
			.min_height = format->step_height,
			.max_height = U32_MAX,
			.step_height = format->step_height,
			.num_intervals = 1,
			.intervals = &list->interval,
		};
		list->formats[i] = (struct sluice_format_caps) {
			.format = format->fourcc,
			.fields = BIT(SLUICE_FIELD_NONE) | BIT(SLUICE_FIELD_TOP) |
				  BIT(SLUICE_FIELD_BOTTOM) | BIT(SLUICE_FIELD_ALTERNATE),
			.num_sizes = 1,
			.sizes = &list->sizes[i],
		};
	}
	return list;
}
