/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The source of the device soft: the input signal of all its cameras, and the clock of the frames.
 *
 * soft_source.c owns the clock, the controls, and the knobs of the input signal.  The mutex
 * source->lock orders changes of the input signal and their reports to the core.  The controls
 * and knobs are read and written without a lock.
 *
 * soft_frames.c, soft_engine.c and soft.c call these functions.  soft_source.c calls soft_knobs.c
 * only.
 */
#ifndef _SLUICE_SOFT_SOURCE_H
#define _SLUICE_SOFT_SOURCE_H

#include <linux/atomic.h>
#include <linux/ktime.h>
#include <linux/mutex.h>
#include <linux/types.h>

struct sluice_device;
struct soft_knobs;

/**
 * struct soft_source - the source of a device
 * @sdev: the Sluice device
 * @knobs: the knobs of the device
 * @num_engines: number of engines; each has a camera
 * @fps: frames per second
 * @epoch: CLOCK_MONOTONIC time at which frame 0 began
 * @interval: nanoseconds from a frame to the next
 * @lock: mutex: orders changes of the input signal and their reports
 * @width: knob source_width
 * @height: knob source_height
 * @lost: knob signal_lost
 * @brightness: control, -255 to 255
 * @black: control input: the picture is black
 * @freeze: control
 * @flash: control trigger: the next image is white
 */
struct soft_source {
	struct sluice_device *sdev;
	struct soft_knobs *knobs;
	unsigned int num_engines;
	unsigned int fps;
	ktime_t epoch;
	u64 interval;
	struct mutex lock;
	u32 width;
	u32 height;
	bool lost;
	int brightness;
	bool black;
	bool freeze;
	atomic_t flash;
};

void soft_source_init(struct soft_source *source, struct soft_knobs *knobs, unsigned int fps,
		      unsigned int num_engines);
int soft_source_prepare(struct soft_source *source, struct sluice_device *sdev);
void soft_source_add_files(struct soft_source *source);
int soft_source_set_control(struct soft_source *source, u32 id, s64 value);
int soft_source_get_control(struct soft_source *source, u32 id, s64 *value);
ktime_t soft_source_frame_time(const struct soft_source *source, u64 frame);
u64 soft_source_frame_at(const struct soft_source *source, ktime_t time);
bool soft_source_is_lost(const struct soft_source *source);
bool soft_source_is_frozen(const struct soft_source *source);
u32 soft_source_width(const struct soft_source *source, u32 asked);
u32 soft_source_height(const struct soft_source *source, u32 asked);
int soft_source_brightness(struct soft_source *source);

#endif /* _SLUICE_SOFT_SOURCE_H */
