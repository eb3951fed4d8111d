/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The frames of an engine of the device soft: the frames that its camera captures, and the frames
 * that its screen shows.
 *
 * soft_frames.c owns the numbers of the frames, and the frame on the screen.  The spinlock
 * frames->lock guards all fields of struct soft_frames except the pointers.  No other lock is
 * taken while it is held.
 *
 * soft_engine.c and soft.c call these functions.  soft_frames.c calls soft_source.c, soft_knobs.c
 * and pattern.c.
 */
#ifndef _SLUICE_SOFT_FRAMES_H
#define _SLUICE_SOFT_FRAMES_H

#include <linux/spinlock.h>
#include <linux/types.h>

#include "pattern.h"
#include "sluice.h"

struct seq_file;
struct soft_knobs;
struct soft_source;

/**
 * struct soft_shown - a frame on the screen
 * @sequence: number of the frame
 * @bytes: bytes of its lines, without padding
 * @crc: their CRC-32
 */
struct soft_shown {
	u64 sequence;
	u64 bytes;
	u32 crc;
};

/**
 * struct soft_frames - the camera and the screen of an engine
 * @source: the source of the camera
 * @knobs: the knobs of the device
 * @lock: spinlock, irq: guards the fields below
 * @captured: number of the last captured frame, plus 1; 0 if there is none
 * @picture: number of the newest frame whose picture was in an image, plus 1; 0 if there is none
 * @played: number of the last frame that was shown, plus 1; 0 if there is none
 * @shown: the frame on the screen
 */
struct soft_frames {
	struct soft_source *source;
	struct soft_knobs *knobs;
	spinlock_t lock;
	u64 captured;
	u64 picture;
	u64 played;
	struct soft_shown shown;
};

/**
 * struct soft_formats - the formats, for sluice_device_register() only, which copies them
 * @interval: the frame interval, which is the same for all formats
 * @sizes: the sizes of each format
 * @formats: all formats in which the pattern can be drawn
 */
struct soft_formats {
	struct sluice_interval_range interval;
	struct sluice_size_range sizes[PATTERN_NUM_FORMATS];
	struct sluice_format_caps formats[PATTERN_NUM_FORMATS];
};

void soft_frames_init(struct soft_frames *frames, struct soft_source *source,
		      struct soft_knobs *knobs);
void soft_frames_capture(struct soft_frames *frames, const struct sluice_op_desc *op, u64 number,
			 const bool *stop, struct sluice_result *result);
void soft_frames_play(struct soft_frames *frames, const struct sluice_op_desc *op, u64 number,
		      const bool *stop, struct sluice_result *result);
void soft_frames_show(struct soft_frames *frames, struct seq_file *m);
struct soft_formats *soft_frames_list_formats(unsigned int fps);

#endif /* _SLUICE_SOFT_FRAMES_H */
