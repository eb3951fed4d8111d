/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Formats of images: the lists of an engine, and the positions of the planes of a frame.
 *
 * The driver lists formats, sizes and frame intervals of each engine (struct sluice_engine_caps).
 * The core copies the lists at registration and enumerates them to userspace.  SUBMIT refuses a
 * frame that is not in the lists.  The copies are constant, and live as long as the device's
 * struct, even after the hardware is removed, so they need no lock.
 *
 * A table in format.c has the geometry of the usual fourccs: facts of <drm/drm_fourcc.h> and
 * <linux/videodev2.h>, without a dependency on DRM or V4L2.  The driver measures all other formats,
 * and every modifier other than LINEAR, with ->check_frame().
 */
#ifndef _SLUICE_FORMAT_H
#define _SLUICE_FORMAT_H

#include <linux/types.h>

#include "sluice.h"

struct sluice_engine;
struct sluice_enum_formats;
struct sluice_enum_intervals;
struct sluice_enum_sizes;

bool sluice_formats_valid(const struct sluice_engine_caps *caps,
			  const struct sluice_device_ops *ops);
int sluice_formats_copy(struct sluice_engine_caps *caps);
void sluice_formats_free(struct sluice_engine_caps *caps);
int sluice_format_enum(const struct sluice_engine_caps *caps, struct sluice_enum_formats *args);
int sluice_format_enum_sizes(const struct sluice_engine_caps *caps,
			     struct sluice_enum_sizes *args);
int sluice_format_enum_intervals(const struct sluice_engine_caps *caps,
				 struct sluice_enum_intervals *args);
unsigned int sluice_frame_max_ranges(const struct sluice_op *op);
int sluice_frame_copy(const struct sluice_engine_caps *caps, struct sluice_op_desc *desc,
		      const struct sluice_op *op);
int sluice_frame_check(struct sluice_engine *engine, struct sluice_op_desc *desc);

#endif /* _SLUICE_FORMAT_H */
