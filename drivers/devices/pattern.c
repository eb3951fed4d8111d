// SPDX-License-Identifier: GPL-2.0-only
/*
 * pattern: the test pattern that the device soft captures.  A person can recognise the scene,
 * and a program can check the fields.
 *
 * An image has these parts, from top to bottom:
 *
 *	fields		the frame number in binary: 32 rectangles, white for 1, black for 0,
 *			the most significant bit first
 *	landscape	a sun and two mountains, a large word, and a ball that bounces.  The
 *			frame number determines the place of the ball
 *	text		the frame number in decimal, and the time of the frame
 *	bars		eight colours
 *	ramp		256 levels of grey
 *
 * All shapes are drawn as horizontal spans of one colour.  If the format allows it, a span is
 * written in whole words.  A frame is therefore cheap even on an emulated processor.  Text
 * that does not fit into the image is omitted.  selftests/lib/scene.c computes the same
 * scene pixel by pixel, and must be changed with it.
 *
 * Each format has a function that writes a span:
 *
 *	YUV	colours are converted by BT.601, limited range.  Pixels that share chroma have
 *		the chroma of the first pixel in the first of their lines
 *	grey	luma of full range
 *	10 bits	the upper 8 bits are the colour, the lower 2 bits are equal to its upper 2
 *
 * Raw data is a row of 32-bit words: word i of frame s is s * 0x9e3779b9 + i.
 */
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/time64.h>

#include "pattern.h"

#define PATTERN_WORD		"SLUICE"
#define PATTERN_GLYPH_WIDTH	5
#define PATTERN_GLYPH_HEIGHT	7
#define PATTERN_ADVANCE		(PATTERN_GLYPH_WIDTH + 1)
/* upper limit of layout->unit, so that the square of a radius fits into 32 bits */
#define PATTERN_MAX_UNIT	4096
/* most pixels that are drawn between two checks of @stop */
#define PATTERN_CHUNK		65536
/* frames of a period of the ball: from the left side and back to it, from the ground and back */
#define PATTERN_SWING		120
#define PATTERN_BOUNCE		30

static const u32 pattern_bars[8] = {
	0xebebeb, 0xebeb10, 0x10ebeb, 0x10eb10, 0xeb10eb, 0xeb1010, 0x1010eb, 0x202020,
};

/* The lines of a letter, from the top.  Bit 4 is the leftmost pixel. */
static const struct {
	char name;
	u8 lines[PATTERN_GLYPH_HEIGHT];
} pattern_glyphs[] = {
	{ 'A', { 0x0e, 0x11, 0x11, 0x1f, 0x11, 0x11, 0x11 } },
	{ 'C', { 0x0e, 0x11, 0x10, 0x10, 0x10, 0x11, 0x0e } },
	{ 'E', { 0x1f, 0x10, 0x10, 0x1e, 0x10, 0x10, 0x1f } },
	{ 'F', { 0x1f, 0x10, 0x10, 0x1e, 0x10, 0x10, 0x10 } },
	{ 'I', { 0x0e, 0x04, 0x04, 0x04, 0x04, 0x04, 0x0e } },
	{ 'L', { 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x1f } },
	{ 'M', { 0x11, 0x1b, 0x15, 0x15, 0x11, 0x11, 0x11 } },
	{ 'R', { 0x1e, 0x11, 0x11, 0x1e, 0x14, 0x12, 0x11 } },
	{ 'S', { 0x0e, 0x11, 0x10, 0x0e, 0x01, 0x11, 0x0e } },
	{ 'U', { 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x0e } },
	{ '0', { 0x0e, 0x11, 0x13, 0x15, 0x19, 0x11, 0x0e } },
	{ '1', { 0x04, 0x0c, 0x04, 0x04, 0x04, 0x04, 0x0e } },
	{ '2', { 0x0e, 0x11, 0x01, 0x06, 0x08, 0x10, 0x1f } },
	{ '3', { 0x1e, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x1e } },
	{ '4', { 0x02, 0x06, 0x0a, 0x12, 0x1f, 0x02, 0x02 } },
	{ '5', { 0x1f, 0x10, 0x1e, 0x01, 0x01, 0x11, 0x0e } },
	{ '6', { 0x0e, 0x10, 0x10, 0x1e, 0x11, 0x11, 0x0e } },
	{ '7', { 0x1f, 0x01, 0x02, 0x02, 0x04, 0x04, 0x04 } },
	{ '8', { 0x0e, 0x11, 0x11, 0x0e, 0x11, 0x11, 0x0e } },
	{ '9', { 0x0e, 0x11, 0x11, 0x0f, 0x01, 0x01, 0x0e } },
	{ '.', { 0x00, 0x00, 0x00, 0x00, 0x00, 0x0c, 0x0c } },
	{ 's', { 0x00, 0x00, 0x0f, 0x10, 0x0e, 0x01, 0x1e } },
};

/**
 * struct pattern_image - an image that is being drawn
 * @frame: the request of the caller
 * @format: the entry of pattern_formats for frame->format
 * @width: pixels
 * @height: lines of the whole picture; a field has every second one of them
 * @stop: another context sets this to end the drawing early
 */
struct pattern_image {
	const struct pattern_frame *frame;
	const struct pattern_format *format;
	u32 width;
	u32 height;
	const bool *stop;
};

/**
 * struct pattern_layout - where the parts of an image begin
 * @top: first line of the landscape, below the fields
 * @horizon: first line of the ground
 * @text: first line of the text
 * @bars: first line of the bars
 * @ramp: first line of the ramp
 * @size: lines of the landscape
 * @unit: pixels; the sizes of shapes are fractions of it
 */
struct pattern_layout {
	u32 top;
	u32 horizon;
	u32 text;
	u32 bars;
	u32 ramp;
	u32 size;
	u32 unit;
};

static void pattern_lay_out(const struct pattern_image *image, struct pattern_layout *layout)
{
	layout->top = max(image->height / 32, 1U);
	layout->ramp = image->height - image->height / 16;
	layout->bars = image->height - image->height / 8;
	layout->text = image->height - image->height / 4;
	layout->size = layout->text - layout->top;
	layout->horizon = layout->top + layout->size - layout->size / 4;
	layout->unit = min3(image->width, layout->size, (u32)PATTERN_MAX_UNIT);
}

static u8 pattern_red(u32 colour)
{
	return colour >> 16;
}

static u8 pattern_green(u32 colour)
{
	return colour >> 8;
}

static u8 pattern_blue(u32 colour)
{
	return colour;
}

static u8 pattern_y(u32 colour)
{
	return ((66 * pattern_red(colour) + 129 * pattern_green(colour) +
		 25 * pattern_blue(colour) + 128) >> 8) + 16;
}

static u8 pattern_u(u32 colour)
{
	return ((-38 * pattern_red(colour) - 74 * pattern_green(colour) +
		 112 * pattern_blue(colour) + 128) >> 8) + 128;
}

static u8 pattern_v(u32 colour)
{
	return ((112 * pattern_red(colour) - 94 * pattern_green(colour) -
		 18 * pattern_blue(colour) + 128) >> 8) + 128;
}

static u8 pattern_grey(u32 colour)
{
	return (77 * pattern_red(colour) + 150 * pattern_green(colour) +
		29 * pattern_blue(colour) + 128) >> 8;
}

/* Address of line @y of a plane. */
static void *pattern_line(const struct pattern_image *image, unsigned int plane, u32 y)
{
	return image->frame->planes[plane] + (size_t)y * image->frame->strides[plane];
}

static u32 pattern_swap(u32 colour)
{
	return pattern_blue(colour) << 16 | pattern_green(colour) << 8 | pattern_red(colour);
}

static void pattern_span_xrgb(const struct pattern_image *image, u32 y, u32 left, u32 right,
			      u32 colour)
{
	u32 value = image->format->swapped ? pattern_swap(colour) : colour;

	if (image->format->alpha)
		value |= 0xff000000;
	memset32((u32 *)pattern_line(image, 0, y) + left, value, right - left);
}

static void pattern_span_rgb565(const struct pattern_image *image, u32 y, u32 left, u32 right,
				u32 colour)
{
	u16 value = (pattern_red(colour) >> 3) << 11 | (pattern_green(colour) >> 2) << 5 |
		    pattern_blue(colour) >> 3;

	memset16((u16 *)pattern_line(image, 0, y) + left, value, right - left);
}

static void pattern_span_grey(const struct pattern_image *image, u32 y, u32 left, u32 right,
			      u32 colour)
{
	memset(pattern_line(image, 0, y) + left, pattern_grey(colour), right - left);
}

/* YUYV; if swapped, UYVY. */
static void pattern_span_yuyv(const struct pattern_image *image, u32 y, u32 left, u32 right,
			      u32 colour)
{
	unsigned int luma = image->format->swapped, chroma = !luma;
	u8 *line = pattern_line(image, 0, y);
	u32 x;

	for (x = left; x < right; x++) {
		line[2 * (size_t)x + luma] = pattern_y(colour);
		if (x % 2)
			continue;
		line[2 * (size_t)x + chroma] = pattern_u(colour);
		line[2 * (size_t)x + 2 + chroma] = pattern_v(colour);
	}
}

/* NV12; if swapped, NV21. */
static void pattern_span_nv12(const struct pattern_image *image, u32 y, u32 left, u32 right,
			      u32 colour)
{
	unsigned int swapped = image->format->swapped;
	u8 *line;
	u32 x;

	memset(pattern_line(image, 0, y) + left, pattern_y(colour), right - left);
	if (y % 2)
		return;
	line = pattern_line(image, 1, y / 2);
	for (x = round_up(left, 2); x < right; x += 2) {
		line[x + swapped] = pattern_u(colour);
		line[x + !swapped] = pattern_v(colour);
	}
}

static void pattern_span_yuv420(const struct pattern_image *image, u32 y, u32 left, u32 right,
				u32 colour)
{
	u32 first = left / 2 + left % 2, end = right / 2 + right % 2;

	memset(pattern_line(image, 0, y) + left, pattern_y(colour), right - left);
	if (y % 2 || first >= end)
		return;
	memset(pattern_line(image, 1, y / 2) + first, pattern_u(colour), end - first);
	memset(pattern_line(image, 2, y / 2) + first, pattern_v(colour), end - first);
}

/* The component of a colour that the Bayer filter of a pixel selects. */
static u8 pattern_bayer(const struct pattern_image *image, u32 x, u32 y, u32 colour)
{
	switch (image->format->filters[2 * (y % 2) + x % 2]) {
	case 'R':
		return pattern_red(colour);
	case 'G':
		return pattern_green(colour);
	default:
		return pattern_blue(colour);
	}
}

static void pattern_span_bayer8(const struct pattern_image *image, u32 y, u32 left, u32 right,
				u32 colour)
{
	u8 *line = pattern_line(image, 0, y);
	u32 x;

	for (x = left; x < right; x++)
		line[x] = pattern_bayer(image, x, y, colour);
}

/* 10 bits in the lower bits of 16, little endian. */
static void pattern_span_bayer10(const struct pattern_image *image, u32 y, u32 left, u32 right,
				 u32 colour)
{
	u8 *line = pattern_line(image, 0, y);
	u32 x;

	for (x = left; x < right; x++) {
		u8 value = pattern_bayer(image, x, y, colour);

		line[2 * (size_t)x] = value << 2 | value >> 6;
		line[2 * (size_t)x + 1] = value >> 6;
	}
}

/* Four pixels in five bytes: the upper 8 bits of each, then the lower 2 bits of all four. */
static void pattern_span_raw10(const struct pattern_image *image, u32 y, u32 left, u32 right,
			       u32 colour)
{
	u8 *line = pattern_line(image, 0, y);
	u32 x;

	for (x = left; x < right; x++) {
		u8 value = pattern_bayer(image, x, y, colour), shift = 2 * (x % 4);
		u8 *block = line + (size_t)(x / 4) * 5;

		block[x % 4] = value;
		block[4] = (block[4] & ~(3 << shift)) | (value >> 6) << shift;
	}
}

#define PATTERN_FOURCC(a, b, c, d) \
	((u32)(a) | (u32)(b) << 8 | (u32)(c) << 16 | (u32)(d) << 24)

const struct pattern_format pattern_formats[PATTERN_NUM_FORMATS] = {
	{ PATTERN_FOURCC('X', 'R', '2', '4'), pattern_span_xrgb, 1, 1 },
	{ PATTERN_FOURCC('A', 'R', '2', '4'), pattern_span_xrgb, 1, 1, .alpha = true },
	{ PATTERN_FOURCC('X', 'B', '2', '4'), pattern_span_xrgb, 1, 1, .swapped = true },
	{ PATTERN_FOURCC('A', 'B', '2', '4'), pattern_span_xrgb, 1, 1, .swapped = true,
	  .alpha = true },
	{ PATTERN_FOURCC('R', 'G', '1', '6'), pattern_span_rgb565, 1, 1 },
	{ PATTERN_FOURCC('Y', 'U', 'Y', 'V'), pattern_span_yuyv, 2, 1 },
	{ PATTERN_FOURCC('U', 'Y', 'V', 'Y'), pattern_span_yuyv, 2, 1, .swapped = true },
	{ PATTERN_FOURCC('N', 'V', '1', '2'), pattern_span_nv12, 2, 2 },
	{ PATTERN_FOURCC('N', 'V', '2', '1'), pattern_span_nv12, 2, 2, .swapped = true },
	{ PATTERN_FOURCC('Y', 'U', '1', '2'), pattern_span_yuv420, 2, 2 },
	{ PATTERN_FOURCC('R', '8', ' ', ' '), pattern_span_grey, 1, 1 },
	{ PATTERN_FOURCC('G', 'R', 'E', 'Y'), pattern_span_grey, 1, 1 },
	{ PATTERN_FOURCC('R', 'G', 'G', 'B'), pattern_span_bayer8, 1, 1, "RGGB" },
	{ PATTERN_FOURCC('B', 'A', '8', '1'), pattern_span_bayer8, 1, 1, "BGGR" },
	{ PATTERN_FOURCC('R', 'G', '1', '0'), pattern_span_bayer10, 1, 1, "RGGB" },
	{ PATTERN_FOURCC('B', 'G', '1', '0'), pattern_span_bayer10, 1, 1, "BGGR" },
	{ PATTERN_FOURCC('p', 'R', 'A', 'A'), pattern_span_raw10, 4, 1, "RGGB" },
	{ PATTERN_FOURCC('p', 'B', 'A', 'A'), pattern_span_raw10, 4, 1, "BGGR" },
};

/* Divide @whole into @parts equal parts: the end of the first @part of them. */
static s64 pattern_part(u32 whole, u32 part, u32 parts)
{
	return div_u64((u64)whole * part, parts);
}

/* Each loop over lines checks this, so that an abort does not wait for the remaining lines. */
static bool pattern_goes_on(const struct pattern_image *image)
{
	return !READ_ONCE(*image->stop);
}

static u32 pattern_brighten(u32 colour, int brightness)
{
	u32 red = clamp(pattern_red(colour) + brightness, 0, 255);
	u32 green = clamp(pattern_green(colour) + brightness, 0, 255);
	u32 blue = clamp(pattern_blue(colour) + brightness, 0, 255);

	return red << 16 | green << 8 | blue;
}

/* Draw a line from @left to @right - 1.  The part outside the image is omitted. */
static void pattern_span(const struct pattern_image *image, s64 y, s64 left, s64 right, u32 colour)
{
	const struct pattern_frame *frame = image->frame;

	left = max_t(s64, left, 0);
	right = min_t(s64, right, image->width);
	if (y < 0 || y >= image->height)
		return;
	if (frame->field != PATTERN_WHOLE) {
		s64 first = frame->field == PATTERN_BOTTOM;

		if ((y & 1) != first)
			return;
		y /= 2;
	}
	colour = pattern_brighten(colour, frame->brightness);
	while (left < right && pattern_goes_on(image)) {
		u32 chunk = min_t(s64, right - left, PATTERN_CHUNK);

		image->format->span(image, y, left, left + chunk, colour);
		left += chunk;
		cond_resched();
	}
}

/* Draw a rectangle.  Lines outside the image take no time, however many they are. */
static void pattern_rectangle(const struct pattern_image *image, s64 top, s64 bottom, s64 left,
			      s64 right, u32 colour)
{
	s64 y;

	top = max_t(s64, top, 0);
	bottom = min_t(s64, bottom, image->height);
	left = max_t(s64, left, 0);
	right = min_t(s64, right, image->width);
	if (left >= right)
		return;
	for (y = top; y < bottom && pattern_goes_on(image); y++)
		pattern_span(image, y, left, right, colour);
}

/* Half the width of a circle, @dy lines from its centre. */
static s64 pattern_circle(s64 radius, s64 dy)
{
	return int_sqrt(radius * radius - dy * dy);
}

static void pattern_disc(const struct pattern_image *image, s64 x, s64 y, s64 radius, u32 colour)
{
	s64 dy;

	for (dy = -radius; dy <= radius && pattern_goes_on(image); dy++) {
		s64 half = pattern_circle(radius, dy);

		pattern_span(image, y + dy, x - half, x + half + 1, colour);
	}
}

/* Draw a disc of radius @outer, with a round hole of radius @inner in its centre. */
static void pattern_ring(const struct pattern_image *image, s64 x, s64 y, s64 outer, s64 inner,
			 u32 colour)
{
	s64 dy;

	for (dy = -outer; dy <= outer && pattern_goes_on(image); dy++) {
		s64 half = pattern_circle(outer, dy), hole;

		if (abs(dy) > inner) {
			pattern_span(image, y + dy, x - half, x + half + 1, colour);
			continue;
		}
		hole = pattern_circle(inner, dy);
		pattern_span(image, y + dy, x - half, x - hole, colour);
		pattern_span(image, y + dy, x + hole + 1, x + half + 1, colour);
	}
}

/* Draw @lines of a triangle.  Every 2 lines it is wider by 3 pixels on both sides. */
static void pattern_mountain(const struct pattern_image *image, s64 x, s64 top, s64 lines,
			     u32 colour)
{
	s64 dy;

	for (dy = 0; dy < lines && pattern_goes_on(image); dy++)
		pattern_span(image, top + dy, x - dy * 3 / 2, x + dy * 3 / 2 + 1, colour);
}

static void pattern_glyph(const struct pattern_image *image, char name, s64 x, s64 y, u32 scale,
			  u32 colour)
{
	unsigned int i, line, column;

	for (i = 0; i < ARRAY_SIZE(pattern_glyphs) && pattern_glyphs[i].name != name; i++)
		;
	if (i == ARRAY_SIZE(pattern_glyphs))
		return;
	for (line = 0; line < PATTERN_GLYPH_HEIGHT; line++) {
		for (column = 0; column < PATTERN_GLYPH_WIDTH; column++) {
			s64 left = x + column * scale, top = y + line * scale;

			if (pattern_glyphs[i].lines[line] >> (PATTERN_GLYPH_WIDTH - 1 - column) & 1)
				pattern_rectangle(image, top, top + scale, left, left + scale,
						  colour);
		}
	}
}

static void pattern_write(const struct pattern_image *image, const char *text, s64 x, s64 y,
			  u32 scale, u32 colour)
{
	for (; *text; text++, x += PATTERN_ADVANCE * scale)
		pattern_glyph(image, *text, x, y, scale, colour);
}

static void pattern_fields(const struct pattern_image *image, u32 bottom, u64 sequence)
{
	unsigned int i;

	for (i = 0; i < 32; i++)
		pattern_rectangle(image, 0, bottom, pattern_part(image->width, i, 32),
				  pattern_part(image->width, i + 1, 32),
				  sequence >> (31 - i) & 1 ? 0xffffff : 0x000000);
}

/* Colour of the sky, from dark blue (@level 0, at the top) to orange (255). */
static u32 pattern_sky(u32 level)
{
	return (0x18 + level * 3 / 4) << 16 | (0x28 + level * 7 / 16) << 8 | (0x68 - level / 8);
}

static void pattern_landscape(const struct pattern_image *image,
			      const struct pattern_layout *layout)
{
	u32 top = layout->top, size = layout->size, lines = layout->horizon - top, y;
	s64 sun_x = pattern_part(image->width, 13, 16), sun_y = top + pattern_part(size, 7, 16);
	s64 near_x = pattern_part(image->width, 5, 16), near_y = top + pattern_part(size, 3, 8);
	s64 far_x = pattern_part(image->width, 5, 8), far_y = top + pattern_part(size, 1, 2);

	for (y = 0; y < lines && pattern_goes_on(image); y++)
		pattern_span(image, top + y, 0, image->width,
			     pattern_sky(div_u64((u64)y * 256, lines)));
	pattern_rectangle(image, layout->horizon, layout->text, 0, image->width, 0x2c6e49);
	pattern_disc(image, sun_x, sun_y, layout->unit / 10, 0xffd84a);
	pattern_ring(image, sun_x, sun_y, layout->unit / 7, layout->unit / 8, 0xfff3c4);
	pattern_mountain(image, far_x, far_y, layout->horizon - far_y, 0x6a5a8c);
	pattern_mountain(image, near_x, near_y, layout->horizon - near_y, 0x3d3a5c);
	pattern_mountain(image, near_x, near_y, (layout->horizon - near_y) / 4, 0xf4f6ff);
}

static void pattern_word(const struct pattern_image *image, const struct pattern_layout *layout)
{
	const u32 letters = sizeof(PATTERN_WORD) - 1;
	u32 scale = min(image->width / 40, layout->size / 28);
	s64 x = ((s64)image->width - (letters * PATTERN_ADVANCE - 1) * scale) / 2;
	s64 y = layout->top + layout->size / 16, shadow = scale / 3;

	pattern_write(image, PATTERN_WORD, x + shadow, y + shadow, scale, 0x101830);
	pattern_write(image, PATTERN_WORD, x, y, scale, 0xffffff);
}

/* Horizontal place of the ball, 0 to @room: it swings between two walls. */
static u32 pattern_swing(u64 sequence, u32 room)
{
	u32 way;

	div_u64_rem(sequence, PATTERN_SWING, &way);
	return div_u64((u64)room * min(way, PATTERN_SWING - way), PATTERN_SWING / 2);
}

/* Height of the ball above the ground: parabolas with their vertex at @rise. */
static u32 pattern_bounce(u64 sequence, u32 rise)
{
	u32 way;

	div_u64_rem(sequence, PATTERN_BOUNCE, &way);
	return div_u64((u64)rise * 4 * way * (PATTERN_BOUNCE - way),
		       PATTERN_BOUNCE * PATTERN_BOUNCE);
}

static void pattern_ball(const struct pattern_image *image, const struct pattern_layout *layout,
			 u64 sequence)
{
	int radius = layout->unit / 12;	/* int: a 32-bit kernel cannot divide an s64 by 3 */
	s64 x = radius + pattern_swing(sequence, image->width - 2 * radius);
	s64 y = (s64)layout->text - radius - layout->size / 16 -
		pattern_bounce(sequence, layout->size / 2);

	pattern_disc(image, x, y, radius, 0xe03a3e);
	pattern_disc(image, x - radius / 3, y - radius / 3, radius / 4, 0xffffff);
}

static void pattern_numbers(const struct pattern_image *image, const struct pattern_layout *layout,
			    u64 sequence, u64 time_ns)
{
	u32 lines = layout->bars - layout->text, scale, ms;
	char number[32], time[32];
	int letters;
	s64 y;

	letters = snprintf(number, sizeof(number), "FRAME %llu", sequence);
	time_ns = div_u64_rem(div_u64(time_ns, NSEC_PER_MSEC), MSEC_PER_SEC, &ms);
	snprintf(time, sizeof(time), "%llu.%03u s", time_ns, ms);
	/* one empty letter between number and time, and half a letter at each end */
	letters += strlen(time) + 2;
	scale = min(image->width / (letters * PATTERN_ADVANCE), lines / 9);
	y = layout->text + (lines - PATTERN_GLYPH_HEIGHT * scale) / 2;

	pattern_rectangle(image, layout->text, layout->bars, 0, image->width, 0x10161e);
	pattern_write(image, number, PATTERN_ADVANCE / 2 * scale, y, scale, 0xffc840);
	pattern_write(image, time, (s64)image->width -
		      ((s64)strlen(time) * PATTERN_ADVANCE + PATTERN_ADVANCE / 2 - 1) * scale,
		      y, scale, 0xffffff);
}

static void pattern_scales(const struct pattern_image *image, const struct pattern_layout *layout)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(pattern_bars); i++)
		pattern_rectangle(image, layout->bars, layout->ramp,
				  pattern_part(image->width, i, 8),
				  pattern_part(image->width, i + 1, 8), pattern_bars[i]);
	for (i = 0; i < 256; i++)
		pattern_rectangle(image, layout->ramp, image->height,
				  pattern_part(image->width, i, 256),
				  pattern_part(image->width, i + 1, 256), i << 16 | i << 8 | i);
}

static const struct pattern_format *pattern_find(u32 fourcc)
{
	unsigned int i;

	for (i = 0; i < PATTERN_NUM_FORMATS; i++)
		if (pattern_formats[i].fourcc == fourcc)
			return &pattern_formats[i];
	return NULL;
}

/**
 * pattern_draw - draw an image
 * @frame: format, size and memory of the image
 * @sequence: frame number, for the fields, the ball and the text
 * @time_ns: nanoseconds; time at which the frame began, for the text
 * @stop: another context sets this to true to end the drawing early; the rest of the image is
 *	then not drawn
 *
 * Context: may sleep.
 */
void pattern_draw(const struct pattern_frame *frame, u64 sequence, u64 time_ns, const bool *stop)
{
	const struct pattern_image image = {
		.frame = frame,
		.format = pattern_find(frame->format),
		.width = frame->width,
		.height = frame->field == PATTERN_WHOLE ? frame->height :
			  min(frame->height, U32_MAX / 2) * 2,
		.stop = stop,
	};
	struct pattern_layout layout;

	if (WARN_ON_ONCE(!image.format))
		return;
	pattern_lay_out(&image, &layout);
	pattern_landscape(&image, &layout);
	pattern_word(&image, &layout);
	pattern_ball(&image, &layout, sequence);
	pattern_numbers(&image, &layout, sequence, time_ns);
	pattern_scales(&image, &layout);
	/* the fields are drawn last: in an image of a few lines other parts would cover them */
	pattern_fields(&image, layout.top, sequence);
}

/**
 * pattern_fill_raw - write a part of a frame of raw data
 * @memory: memory to write
 * @offset: bytes from the start of the frame to this part; a multiple of 4
 * @length: bytes of this part; a multiple of 4
 * @sequence: frame number
 *
 * Context: any.
 */
void pattern_fill_raw(void *memory, u64 offset, size_t length, u64 sequence)
{
	u32 base = (u32)sequence * 0x9e3779b9 + (u32)(offset / sizeof(u32));
	u32 *word = memory;
	size_t i;

	for (i = 0; i < length / sizeof(u32); i++)
		word[i] = base + (u32)i;
}
