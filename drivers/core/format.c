// SPDX-License-Identifier: GPL-2.0-only
/*
 * Formats of images: the lists of an engine, and the planes of a frame.  See format.h.
 */
#include <linux/log2.h>
#include <linux/math64.h>
#include <linux/nospec.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "device.h"
#include "engine.h"
#include "format.h"

/* formats of an engine, sizes of a format, intervals of a size */
#define SLUICE_FORMAT_MAX	256
#define SLUICE_FORMAT_FIELDS	GENMASK(SLUICE_FIELD_ALTERNATE, SLUICE_FIELD_NONE)

#define FOURCC(a, b, c, d)	((u32)(a) | (u32)(b) << 8 | (u32)(c) << 16 | (u32)(d) << 24)

/**
 * struct sluice_geometry - how the pixels of a format lie in memory
 * @fourcc: the format
 * @num_planes: length of @planes
 * @hsub: pixels of a line that share one sample in the planes after the first
 * @vsub: lines that share one sample in the planes after the first
 * @align: the stride of each plane is a multiple of it, in bytes
 * @planes: the planes
 * @planes.bytes: bytes of a block; a block is the smallest part of a line with whole bytes
 * @planes.samples: samples of the plane in a block
 */
struct sluice_geometry {
	u32 fourcc;
	u8 num_planes;
	u8 hsub;
	u8 vsub;
	u8 align;
	struct {
		u8 bytes;
		u8 samples;
	} planes[3];
};

/* one plane: bytes of a block, pixels of a block */
#define PACKED(a, b, c, d, bytes, pixels, align) \
	{ FOURCC(a, b, c, d), 1, 1, 1, align, { { bytes, pixels } } }
/* a plane of luma and a plane of chroma pairs */
#define SEMIPLANAR(a, b, c, d, hsub, vsub, bytes) \
	{ FOURCC(a, b, c, d), 2, hsub, vsub, bytes, { { bytes, 1 }, { 2 * (bytes), 1 } } }
#define PLANAR(a, b, c, d, hsub, vsub) \
	{ FOURCC(a, b, c, d), 3, hsub, vsub, 1, { { 1, 1 }, { 1, 1 }, { 1, 1 } } }

static const struct sluice_geometry sluice_geometry_table[] = {
	/* RGB, by DRM's names */
	PACKED('X', 'R', '2', '4', 4, 1, 4), PACKED('A', 'R', '2', '4', 4, 1, 4),
	PACKED('X', 'B', '2', '4', 4, 1, 4), PACKED('A', 'B', '2', '4', 4, 1, 4),
	PACKED('R', 'X', '2', '4', 4, 1, 4), PACKED('R', 'A', '2', '4', 4, 1, 4),
	PACKED('B', 'X', '2', '4', 4, 1, 4), PACKED('B', 'A', '2', '4', 4, 1, 4),
	PACKED('X', 'R', '3', '0', 4, 1, 4), PACKED('A', 'R', '3', '0', 4, 1, 4),
	PACKED('X', 'B', '3', '0', 4, 1, 4), PACKED('A', 'B', '3', '0', 4, 1, 4),
	PACKED('R', 'G', '2', '4', 3, 1, 1), PACKED('B', 'G', '2', '4', 3, 1, 1),
	PACKED('R', 'G', '1', '6', 2, 1, 2), PACKED('B', 'G', '1', '6', 2, 1, 2),
	PACKED('X', 'R', '1', '5', 2, 1, 2), PACKED('A', 'R', '1', '5', 2, 1, 2),
	/* YUV in one plane: two pixels share their chroma */
	PACKED('Y', 'U', 'Y', 'V', 4, 2, 4), PACKED('Y', 'V', 'Y', 'U', 4, 2, 4),
	PACKED('U', 'Y', 'V', 'Y', 4, 2, 4), PACKED('V', 'Y', 'U', 'Y', 4, 2, 4),
	/* YUV in several planes */
	SEMIPLANAR('N', 'V', '1', '2', 2, 2, 1), SEMIPLANAR('N', 'V', '2', '1', 2, 2, 1),
	SEMIPLANAR('N', 'V', '1', '6', 2, 1, 1), SEMIPLANAR('N', 'V', '6', '1', 2, 1, 1),
	SEMIPLANAR('N', 'V', '2', '4', 1, 1, 1), SEMIPLANAR('N', 'V', '4', '2', 1, 1, 1),
	SEMIPLANAR('P', '0', '1', '0', 2, 2, 2),
	PLANAR('Y', 'U', '1', '2', 2, 2), PLANAR('Y', 'V', '1', '2', 2, 2),
	PLANAR('Y', 'U', '1', '6', 2, 1), PLANAR('Y', 'U', '2', '4', 1, 1),
	/* grey, by DRM's names, then by V4L2's */
	PACKED('R', '8', ' ', ' ', 1, 1, 1), PACKED('R', '1', '6', ' ', 2, 1, 2),
	PACKED('G', 'R', 'E', 'Y', 1, 1, 1), PACKED('Y', '1', '0', ' ', 2, 1, 2),
	PACKED('Y', '1', '2', ' ', 2, 1, 2), PACKED('Y', '1', '6', ' ', 2, 1, 2),
	PACKED('Y', '1', '0', 'P', 5, 4, 1), PACKED('Y', '1', '2', 'P', 3, 2, 1),
	/* Bayer, by V4L2's names: 8 bits; 10 and 12 bits in 16; the same in MIPI's packing */
	PACKED('B', 'A', '8', '1', 1, 1, 1), PACKED('G', 'B', 'R', 'G', 1, 1, 1),
	PACKED('G', 'R', 'B', 'G', 1, 1, 1), PACKED('R', 'G', 'G', 'B', 1, 1, 1),
	PACKED('B', 'G', '1', '0', 2, 1, 2), PACKED('G', 'B', '1', '0', 2, 1, 2),
	PACKED('B', 'A', '1', '0', 2, 1, 2), PACKED('R', 'G', '1', '0', 2, 1, 2),
	PACKED('B', 'G', '1', '2', 2, 1, 2), PACKED('G', 'B', '1', '2', 2, 1, 2),
	PACKED('B', 'A', '1', '2', 2, 1, 2), PACKED('R', 'G', '1', '2', 2, 1, 2),
	PACKED('p', 'B', 'A', 'A', 5, 4, 1), PACKED('p', 'G', 'A', 'A', 5, 4, 1),
	PACKED('p', 'g', 'A', 'A', 5, 4, 1), PACKED('p', 'R', 'A', 'A', 5, 4, 1),
	PACKED('p', 'B', 'C', 'C', 3, 2, 1), PACKED('p', 'G', 'C', 'C', 3, 2, 1),
	PACKED('p', 'g', 'C', 'C', 3, 2, 1), PACKED('p', 'R', 'C', 'C', 3, 2, 1),
};

/* Returns NULL if only the driver knows the geometry. */
static const struct sluice_geometry *sluice_geometry_find(u32 fourcc, u64 modifier)
{
	unsigned int i;

	if (modifier != SLUICE_MODIFIER_LINEAR)
		return NULL;
	for (i = 0; i < ARRAY_SIZE(sluice_geometry_table); i++)
		if (sluice_geometry_table[i].fourcc == fourcc)
			return &sluice_geometry_table[i];
	return NULL;
}

/* The lists of an engine */

static bool sluice_intervals_valid(const struct sluice_size_range *size)
{
	unsigned int i;

	if (size->num_intervals > SLUICE_FORMAT_MAX || (size->num_intervals && !size->intervals))
		return false;
	for (i = 0; i < size->num_intervals; i++) {
		const struct sluice_interval_range *interval = &size->intervals[i];

		if (!interval->min.numerator || !interval->min.denominator ||
		    !interval->max.numerator != !interval->max.denominator ||
		    !interval->step.numerator != !interval->step.denominator)
			return false;
	}
	return true;
}

static bool sluice_sizes_overlap(const struct sluice_size_range *a,
				 const struct sluice_size_range *b)
{
	u32 a_width = a->max_width ?: a->min_width, b_width = b->max_width ?: b->min_width;
	u32 a_height = a->max_height ?: a->min_height, b_height = b->max_height ?: b->min_height;

	return a->min_width <= b_width && b->min_width <= a_width &&
	       a->min_height <= b_height && b->min_height <= a_height;
}

static bool sluice_sizes_valid(const struct sluice_format_caps *format)
{
	unsigned int i, j;

	if (!format->num_sizes || format->num_sizes > SLUICE_FORMAT_MAX || !format->sizes)
		return false;
	for (i = 0; i < format->num_sizes; i++) {
		const struct sluice_size_range *size = &format->sizes[i];

		if (!size->min_width || !size->min_height ||
		    (size->max_width && size->max_width < size->min_width) ||
		    (size->max_height && size->max_height < size->min_height) ||
		    !sluice_intervals_valid(size))
			return false;
		/* ranges of sizes must not overlap, so that each size has one list of intervals */
		for (j = 0; j < i; j++)
			if (sluice_sizes_overlap(size, &format->sizes[j]))
				return false;
	}
	return true;
}

static bool sluice_format_valid(const struct sluice_format_caps *format, bool measured)
{
	const struct sluice_geometry *geometry;

	geometry = sluice_geometry_find(format->format, format->modifier);
	if (!format->format || format->fields & ~SLUICE_FORMAT_FIELDS ||
	    format->num_planes > SLUICE_MAX_PLANES || !sluice_sizes_valid(format))
		return false;
	if (!geometry)
		return measured && format->num_planes;
	return !format->num_planes || format->num_planes == geometry->num_planes;
}

/**
 * sluice_formats_valid - do the formats that a driver lists make sense?
 * @caps: description of an engine, as the driver gives it
 * @ops: the operations of its device
 *
 * Context: any.
 * Return: true if they do.
 */
bool sluice_formats_valid(const struct sluice_engine_caps *caps,
			  const struct sluice_device_ops *ops)
{
	unsigned int i, j;

	if (caps->num_formats > SLUICE_FORMAT_MAX || (caps->num_formats && !caps->formats) ||
	    (caps->stride_align && !is_power_of_2(caps->stride_align)))
		return false;
	for (i = 0; i < caps->num_formats; i++) {
		const struct sluice_format_caps *format = &caps->formats[i];

		if (!sluice_format_valid(format, ops->check_frame))
			return false;
		for (j = 0; j < i; j++)
			if (caps->formats[j].format == format->format &&
			    caps->formats[j].modifier == format->modifier)
				return false;
	}
	return true;
}

/* Fill in the maximum and the step that a discrete interval may leave out. */
static int sluice_intervals_copy(struct sluice_size_range *size)
{
	struct sluice_interval_range *intervals;
	unsigned int i;

	intervals = kmemdup(size->intervals, size->num_intervals * sizeof(*intervals), GFP_KERNEL);
	size->intervals = intervals;
	if (!intervals)
		return -ENOMEM;
	for (i = 0; i < size->num_intervals; i++) {
		if (!intervals[i].max.numerator)
			intervals[i].max = intervals[i].min;
		if (!intervals[i].step.numerator)
			intervals[i].step = (struct sluice_fraction) { 1, 1 };
	}
	return 0;
}

static int sluice_sizes_copy(struct sluice_format_caps *format)
{
	struct sluice_size_range *sizes;
	unsigned int i;
	int ret = 0;

	sizes = kmemdup(format->sizes, format->num_sizes * sizeof(*sizes), GFP_KERNEL);
	format->sizes = sizes;
	if (!sizes)
		return -ENOMEM;
	for (i = 0; i < format->num_sizes; i++) {
		struct sluice_size_range *size = &sizes[i];

		size->max_width = size->max_width ?: size->min_width;
		size->max_height = size->max_height ?: size->min_height;
		size->step_width = size->step_width ?: 1;
		size->step_height = size->step_height ?: 1;
		if (ret || !size->num_intervals)
			size->intervals = NULL;
		else
			ret = sluice_intervals_copy(size);
	}
	return ret;
}

/**
 * sluice_formats_copy - replace an engine's lists of formats by copies
 * @caps: the engine's copy of the driver's description, found valid
 *
 * When this returns, the driver's memory is not used any more.
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM; sluice_formats_free() must follow in both cases.
 */
int sluice_formats_copy(struct sluice_engine_caps *caps)
{
	struct sluice_format_caps *formats = NULL;
	unsigned int i;
	int ret = 0;

	if (caps->num_formats)
		formats = kmemdup(caps->formats, caps->num_formats * sizeof(*formats), GFP_KERNEL);
	caps->formats = formats;
	if (!formats)
		return caps->num_formats ? -ENOMEM : 0;
	for (i = 0; i < caps->num_formats; i++) {
		struct sluice_format_caps *format = &formats[i];
		const struct sluice_geometry *geometry;

		geometry = sluice_geometry_find(format->format, format->modifier);
		if (geometry)
			format->num_planes = geometry->num_planes;
		format->fields = format->fields ?: BIT(SLUICE_FIELD_NONE);
		if (ret)
			format->sizes = NULL;
		else
			ret = sluice_sizes_copy(format);
	}
	return ret;
}

/**
 * sluice_formats_free - free the lists of sluice_formats_copy()
 * @caps: description of the engine
 *
 * Context: may sleep.
 */
void sluice_formats_free(struct sluice_engine_caps *caps)
{
	unsigned int i, j;

	for (i = 0; i < caps->num_formats && caps->formats; i++) {
		const struct sluice_format_caps *format = &caps->formats[i];

		for (j = 0; j < format->num_sizes && format->sizes; j++)
			kfree(format->sizes[j].intervals);
		kfree(format->sizes);
	}
	kfree(caps->formats);
	caps->formats = NULL;
}

static const struct sluice_format_caps *sluice_format_find(const struct sluice_engine_caps *caps,
							   u32 fourcc, u64 modifier)
{
	unsigned int i;

	for (i = 0; i < caps->num_formats; i++)
		if (caps->formats[i].format == fourcc && caps->formats[i].modifier == modifier)
			return &caps->formats[i];
	return NULL;
}

/* Find the first entry of a format's list that has this size.  Returns NULL if none has it. */
static const struct sluice_size_range *sluice_size_find(const struct sluice_format_caps *format,
							u32 width, u32 height)
{
	unsigned int i;

	for (i = 0; i < format->num_sizes; i++) {
		const struct sluice_size_range *size = &format->sizes[i];

		if (width >= size->min_width && width <= size->max_width &&
		    height >= size->min_height && height <= size->max_height &&
		    !((width - size->min_width) % size->step_width) &&
		    !((height - size->min_height) % size->step_height))
			return size;
	}
	return NULL;
}

/**
 * sluice_format_enum - list one format, for ENUM_FORMATS
 * @caps: description of the engine
 * @args: in: the index.  Out: the format
 *
 * Context: any.
 * Return: 0, or -EINVAL if there is no such index.
 */
int sluice_format_enum(const struct sluice_engine_caps *caps, struct sluice_enum_formats *args)
{
	const struct sluice_format_caps *format;

	if (args->index >= caps->num_formats)
		return -EINVAL;
	format = &caps->formats[array_index_nospec(args->index, caps->num_formats)];
	args->format = format->format;
	args->modifier = format->modifier;
	args->num_planes = format->num_planes;
	args->fields = format->fields;
	args->num_sizes = format->num_sizes;
	return 0;
}

/**
 * sluice_format_enum_sizes - list one range of sizes, for ENUM_SIZES
 * @caps: description of the engine
 * @args: in: format, modifier and index.  Out: the sizes
 *
 * Context: any.
 * Return: 0, or -EINVAL if there is no such index, or the engine does not list the format.
 */
int sluice_format_enum_sizes(const struct sluice_engine_caps *caps,
			     struct sluice_enum_sizes *args)
{
	const struct sluice_format_caps *format;
	const struct sluice_size_range *size;

	format = sluice_format_find(caps, args->format, args->modifier);
	if (!format || args->index >= format->num_sizes)
		return -EINVAL;
	size = &format->sizes[array_index_nospec(args->index, format->num_sizes)];
	args->min_width = size->min_width;
	args->max_width = size->max_width;
	args->step_width = size->step_width;
	args->min_height = size->min_height;
	args->max_height = size->max_height;
	args->step_height = size->step_height;
	args->num_intervals = size->num_intervals;
	return 0;
}

/**
 * sluice_format_enum_intervals - list one range of frame intervals, for ENUM_INTERVALS
 * @caps: description of the engine
 * @args: in: format, modifier, size and index.  Out: the intervals
 *
 * Context: any.
 * Return: 0, or -EINVAL if there is no such index, or the engine does not list the format or the
 * size.
 */
int sluice_format_enum_intervals(const struct sluice_engine_caps *caps,
				 struct sluice_enum_intervals *args)
{
	const struct sluice_interval_range *interval;
	const struct sluice_format_caps *format;
	const struct sluice_size_range *size;

	format = sluice_format_find(caps, args->format, args->modifier);
	size = format ? sluice_size_find(format, args->width, args->height) : NULL;
	if (!size || args->index >= size->num_intervals)
		return -EINVAL;
	interval = &size->intervals[array_index_nospec(args->index, size->num_intervals)];
	args->min = interval->min;
	args->max = interval->max;
	args->step = interval->step;
	return 0;
}

/* The planes of a frame */

/* Compute the bytes that one plane needs.  The product of 32-bit numbers does not overflow. */
static int sluice_plane_bytes(const struct sluice_geometry *geometry,
			      const struct sluice_frame *frame, unsigned int plane, u64 *bytes)
{
	u32 width = plane ? frame->width / geometry->hsub : frame->width;
	u32 lines = plane ? frame->height / geometry->vsub : frame->height;
	u32 stride = frame->strides[plane];
	u64 line;

	if (width % geometry->planes[plane].samples)
		return -EINVAL;
	line = (u64)(width / geometry->planes[plane].samples) * geometry->planes[plane].bytes;
	if (stride < line || stride % geometry->align)
		return -EINVAL;
	*bytes = (u64)(lines - 1) * stride + line;
	return 0;
}

/* Compute the stride of a later plane in the slot of the first plane, whose stride is given. */
static int sluice_plane_stride(const struct sluice_geometry *geometry, struct sluice_frame *frame,
			       unsigned int plane)
{
	u64 stride = (u64)frame->strides[0] * geometry->planes[plane].bytes;
	u32 part = geometry->planes[0].bytes * geometry->hsub, rest;

	/* formats with several planes have one sample in a block */
	stride = div_u64_rem(stride, part, &rest);
	if (rest || stride > U32_MAX)
		return -EINVAL;
	frame->strides[plane] = stride;
	return 0;
}

/* Compute where the next plane begins, if all planes are in one slot. */
static int sluice_plane_end(const struct sluice_geometry *geometry,
			    const struct sluice_frame *frame, unsigned int plane, u64 offset,
			    u64 *end)
{
	u32 lines = plane ? frame->height / geometry->vsub : frame->height;

	return check_add_overflow(offset, (u64)lines * frame->strides[plane], end) ? -ERANGE : 0;
}

static int sluice_frame_measure(struct sluice_op_desc *desc,
				const struct sluice_geometry *geometry, bool separate)
{
	struct sluice_frame *frame = &desc->frame;
	unsigned int i;

	if (frame->width % geometry->hsub || frame->height % geometry->vsub)
		return -EINVAL;
	for (i = 0; i < frame->num_planes; i++) {
		struct sluice_range *range = &desc->ranges[i];
		int ret = 0;

		if (i && !separate)
			ret = sluice_plane_stride(geometry, frame, i) ?:
			      sluice_plane_end(geometry, frame, i - 1, range[-1].offset,
					       &range->offset);
		if (!ret)
			ret = sluice_plane_bytes(geometry, frame, i, &range->length);
		if (ret)
			return ret;
	}
	return 0;
}

/*
 * Does the engine list such a frame?  If so, compute the bytes of each plane.  The caller has set
 * the first range and the first stride or, if @separate, those of all planes.
 */
static int sluice_frame_lay_out(const struct sluice_engine_caps *caps, struct sluice_op_desc *desc,
				bool separate)
{
	struct sluice_frame *frame = &desc->frame;
	const struct sluice_geometry *geometry;
	const struct sluice_format_caps *format;
	unsigned int i;
	int ret = 0;

	if (!frame->height || !frame->format || frame->field > SLUICE_FIELD_ALTERNATE)
		return -EINVAL;
	format = sluice_format_find(caps, frame->format, frame->modifier);
	if (!format || !(format->fields & BIT(frame->field)))
		return -EOPNOTSUPP;
	geometry = sluice_geometry_find(frame->format, frame->modifier);
	if (separate ? frame->num_planes != format->num_planes :
		       !geometry && format->num_planes > 1)
		return -EINVAL;
	frame->num_planes = format->num_planes;
	desc->num_ranges = format->num_planes;
	if (geometry)
		ret = sluice_frame_measure(desc, geometry, separate);
	else
		desc->ranges[0].length = 0;	/* the driver sets it */
	for (i = 0; i < frame->num_planes && !ret; i++)
		if (caps->stride_align && frame->strides[i] & (caps->stride_align - 1))
			ret = -EINVAL;
	if (ret)
		return ret;
	return sluice_size_find(format, frame->width, frame->height) ? 0 : -EOPNOTSUPP;
}

/**
 * sluice_frame_max_ranges - how many ranges has a CAPTURE or PLAYBACK at most?
 * @op: the caller's op
 *
 * Context: any.
 * Return: 1 or SLUICE_MAX_PLANES.
 */
unsigned int sluice_frame_max_ranges(const struct sluice_op *op)
{
	return op->frame.width || op->num_planes ? SLUICE_MAX_PLANES : 1;
}

static int sluice_planes_copy(struct sluice_op_desc *desc, const struct sluice_op *op)
{
	size_t size = op->plane_size ?: SLUICE_PLANE_SIZE_V5;
	unsigned int i;
	int ret;

	if (op->num_planes > SLUICE_MAX_PLANES || size > SLUICE_MAX_RECORD_SIZE)
		return -E2BIG;
	if (size < SLUICE_PLANE_SIZE_V5 || op->dst || op->src || op->dst_offset ||
	    op->src_offset || op->length || op->frame.stride)
		return -EINVAL;
	for (i = 0; i < op->num_planes; i++) {
		struct sluice_plane plane;

		ret = copy_struct_from_user(&plane, sizeof(plane),
					    u64_to_user_ptr(op->planes + i * size), size);
		if (ret)
			return ret;
		desc->ranges[i].number = plane.slot;
		desc->ranges[i].offset = plane.offset;
		desc->frame.strides[i] = plane.stride;
	}
	return 0;
}

/* Copy the one slot that has all planes, one after another. */
static int sluice_plane_single(struct sluice_op_desc *desc, const struct sluice_op *op)
{
	bool write = desc->kind == SLUICE_OP_CAPTURE;
	unsigned int i;

	if (op->planes || op->plane_size || !op->length ||
	    (write ? op->src || op->src_offset : op->dst || op->dst_offset))
		return -EINVAL;
	for (i = 0; i < sluice_frame_max_ranges(op); i++)
		desc->ranges[i].number = write ? op->dst : op->src;
	desc->ranges[0].offset = write ? op->dst_offset : op->src_offset;
	desc->ranges[0].length = op->length;
	desc->frame.strides[0] = op->frame.stride;
	desc->num_ranges = 1;
	return 0;
}

/**
 * sluice_frame_copy - copy a CAPTURE or PLAYBACK from the caller
 * @caps: description of the engine
 * @desc: has its kind, offsets, length, and zeroed memory for sluice_frame_max_ranges() ranges;
 *	gets the ranges, with the numbers of their slots, and the frame
 * @op: the caller's op
 *
 * Context: may sleep and fault.
 * Return: 0, -EINVAL, -E2BIG, -EFAULT, -ERANGE, or -EOPNOTSUPP if the engine does not list the
 * frame.
 */
int sluice_frame_copy(const struct sluice_engine_caps *caps, struct sluice_op_desc *desc,
		      const struct sluice_op *op)
{
	unsigned int i;
	int ret;

	if (op->pad[2] || op->reserved)
		return -EINVAL;
	for (i = 0; i < sluice_frame_max_ranges(op); i++)
		desc->ranges[i].write = desc->kind == SLUICE_OP_CAPTURE;
	ret = op->num_planes ? sluice_planes_copy(desc, op) : sluice_plane_single(desc, op);
	if (ret)
		return ret;
	if (!op->frame.width)
		return op->frame.height || op->frame.stride || op->frame.format ||
		       op->num_planes || op->modifier || op->field ? -EINVAL : 0;
	desc->frame.width = op->frame.width;
	desc->frame.height = op->frame.height;
	desc->frame.format = op->frame.format;
	desc->frame.modifier = op->modifier;
	desc->frame.field = op->field;
	desc->frame.num_planes = op->num_planes;
	return sluice_frame_lay_out(caps, desc, op->num_planes);
}

/**
 * sluice_frame_check - do the planes of a frame fit at their positions?
 * @engine: the engine, whose driver is asked
 * @desc: from sluice_frame_copy(), with a width
 *
 * Sets the length of an op with separate planes.  The caller checks that the ranges are inside
 * their slots.
 *
 * Context: process; the device has been entered.
 * Return: 0, -EINVAL, -ERANGE, or the errno of the driver.
 */
int sluice_frame_check(struct sluice_engine *engine, struct sluice_op_desc *desc)
{
	u64 bytes[SLUICE_MAX_PLANES] = {}, start = desc->ranges[0].offset, end, sum = 0;
	bool separate = !desc->length;
	unsigned int i;
	int ret = 0;

	for (i = 0; i < desc->num_ranges; i++)
		bytes[i] = desc->ranges[i].length;
	if (engine->sdev->ops->check_frame)
		ret = engine->sdev->ops->check_frame(engine, &desc->frame, bytes);
	for (i = 0; i < desc->num_ranges && !ret; i++) {
		struct sluice_range *range = &desc->ranges[i];

		/* a driver may need more bytes than the core computes, but not fewer */
		range->length = max(range->length, bytes[i]);
		/* the start of the next plane was computed before the driver was asked */
		if (!separate && i + 1 < desc->num_ranges &&
		    range->length > range[1].offset - range->offset)
			ret = -EINVAL;
		if (!range->length || ret)
			ret = -EINVAL;
		else if (check_add_overflow(range->offset, range->length, &end) ||
			 check_add_overflow(sum, range->length, &sum) ||
			 (!separate && end - start > desc->length))
			ret = -ERANGE;
	}
	if (separate && !ret)
		desc->length = sum;
	return ret;
}

#ifdef SLUICE_KUNIT
#include "selftests/kunit/format.c"
#endif
