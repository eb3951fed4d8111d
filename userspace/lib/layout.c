// SPDX-License-Identifier: MIT
/* How the pixels of a format lie in memory: the rules of SUBMIT for an image in one slot. */
#include <errno.h>
#include <string.h>

#include "internal.h"

#define DEFAULT_ALIGN	64	/* bytes; GPUs and displays accept such strides */

/**
 * struct geometry - formats that have the same layout
 * @names: their fourccs, one after the other, of four characters each
 * @num_planes: number of planes; all bytes of one sample are in one plane
 * @hsub: pixels of a line that share one sample in the planes after the first
 * @vsub: lines that share one sample in the planes after the first
 * @align: each stride must be a multiple of it, in bytes
 * @pixels: pixels of a block, which is the smallest part of a line with whole bytes.  A block of
 *	a later plane is one sample
 * @bytes: bytes of a block, of the first plane and of each later plane
 */
struct geometry {
	const char *names;
	uint8_t num_planes, hsub, vsub, align, pixels, bytes[2];
};

static const struct geometry geometries[] = {
	/* packed RGB: 32, 24 and 16 bits */
	{ "XR24AR24XB24AB24RX24RA24BX24BA24XR30AR30XB30AB30", 1, 1, 1, 4, 1, { 4 } },
	{ "RG24BG24", 1, 1, 1, 1, 1, { 3 } },
	{ "RG16BG16XR15AR15", 1, 1, 1, 2, 1, { 2 } },
	/* packed YUV */
	{ "YUYVYVYUUYVYVYUY", 1, 1, 1, 4, 2, { 4 } },
	/* luma, and a plane of chroma pairs */
	{ "NV12NV21", 2, 2, 2, 1, 1, { 1, 2 } },
	{ "NV16NV61", 2, 2, 1, 1, 1, { 1, 2 } },
	{ "NV24NV42", 2, 1, 1, 1, 1, { 1, 2 } },
	{ "P010", 2, 2, 2, 2, 1, { 2, 4 } },
	/* luma, and two planes of chroma */
	{ "YU12YV12", 3, 2, 2, 1, 1, { 1, 1 } },
	{ "YU16", 3, 2, 1, 1, 1, { 1, 1 } },
	{ "YU24", 3, 1, 1, 1, 1, { 1, 1 } },
	/* grey, and Bayer: 8 bits; up to 16 bits in two bytes; 10 and 12 bits without a gap */
	{ "R8  GREYBA81GBRGGRBGRGGB", 1, 1, 1, 1, 1, { 1 } },
	{ "R16 Y10 Y12 Y16 BG10GB10BA10RG10BG12GB12BA12RG12", 1, 1, 1, 2, 1, { 2 } },
	{ "Y10PpBAApGAApgAApRAA", 1, 1, 1, 1, 4, { 5 } },
	{ "Y12PpBCCpGCCpgCCpRCC", 1, 1, 1, 1, 2, { 3 } },
};

static const struct geometry *find(uint32_t format)
{
	const char name[4] = { (char)format, (char)(format >> 8), (char)(format >> 16),
			       (char)(format >> 24) };
	size_t i;

	for (i = 0; i < sizeof(geometries) / sizeof(geometries[0]); i++) {
		const char *at;

		for (at = geometries[i].names; *at; at += sizeof(name))
			if (!memcmp(at, name, sizeof(name)))
				return &geometries[i];
	}
	return NULL;
}

/* The stride of the first plane: its line, rounded up so that each later stride is aligned, too. */
static uint64_t first_stride(const struct geometry *geometry, uint32_t width, uint32_t align)
{
	uint64_t line = (uint64_t)(width / geometry->pixels) * geometry->bytes[0], step;

	if (align < geometry->align)
		align = geometry->align;
	step = align;
	if (geometry->num_planes > 1 && geometry->bytes[0] * geometry->hsub > geometry->bytes[1])
		step *= geometry->bytes[0] * geometry->hsub / geometry->bytes[1];
	return (line + step - 1) / step * step;
}

static int too_large(uint32_t width, uint32_t height)
{
	return sluice_fail(-EOVERFLOW, "a frame of %u pixels by %u lines is larger than a buffer "
			   "can be", width, height);
}

int sluice_frame_layout(uint32_t format, uint32_t width, uint32_t height, uint32_t align,
			struct sluice_layout *layout)
{
	const struct geometry *geometry = find(format);
	uint64_t stride, offset = 0;
	uint32_t i;

	memset(layout, 0, sizeof(*layout));
	if (!geometry)
		return sluice_fail(-EOPNOTSUPP, "the layout of the format 0x%08x is not known",
				   format);
	if (!width || !height || width % geometry->pixels || width % geometry->hsub ||
	    height % geometry->vsub || align & (align - 1) || align > 1 << 16)
		return sluice_fail(-EINVAL, "the format cannot have %u pixels by %u lines with "
				   "an alignment of %u", width, height, align);
	stride = first_stride(geometry, width, align ? align : DEFAULT_ALIGN);
	for (i = 0; i < geometry->num_planes; i++) {
		uint64_t lines = i ? height / geometry->vsub : height;

		if (i == 1)
			stride = stride * geometry->bytes[1] /
				 (geometry->bytes[0] * geometry->hsub);
		if (stride > UINT32_MAX)
			return too_large(width, height);
		layout->stride[i] = (uint32_t)stride;
		layout->offset[i] = offset;
		if (lines > (INT64_MAX - offset) / stride)
			return too_large(width, height);
		offset += stride * lines;
	}
	layout->num_planes = geometry->num_planes;
	layout->size = offset;
	return 0;
}
