// SPDX-License-Identifier: MIT
/*
 * See scene.h.  The driver (drivers/devices/pattern.c) draws spans, one shape over another.  This
 * file works the other way: for each pixel it finds the topmost shape.  It shares no code with the
 * driver, so that a mistake in either shows.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scene.h"

static const struct {
	char name;
	const char *lines[7];
} glyphs[] = {
	{ 'A', { ".###.", "#...#", "#...#", "#####", "#...#", "#...#", "#...#" } },
	{ 'C', { ".###.", "#...#", "#....", "#....", "#....", "#...#", ".###." } },
	{ 'E', { "#####", "#....", "#....", "####.", "#....", "#....", "#####" } },
	{ 'F', { "#####", "#....", "#....", "####.", "#....", "#....", "#...." } },
	{ 'I', { ".###.", "..#..", "..#..", "..#..", "..#..", "..#..", ".###." } },
	{ 'L', { "#....", "#....", "#....", "#....", "#....", "#....", "#####" } },
	{ 'M', { "#...#", "##.##", "#.#.#", "#.#.#", "#...#", "#...#", "#...#" } },
	{ 'R', { "####.", "#...#", "#...#", "####.", "#.#..", "#..#.", "#...#" } },
	{ 'S', { ".###.", "#...#", "#....", ".###.", "....#", "#...#", ".###." } },
	{ 'U', { "#...#", "#...#", "#...#", "#...#", "#...#", "#...#", ".###." } },
	{ '0', { ".###.", "#...#", "#..##", "#.#.#", "##..#", "#...#", ".###." } },
	{ '1', { "..#..", ".##..", "..#..", "..#..", "..#..", "..#..", ".###." } },
	{ '2', { ".###.", "#...#", "....#", "..##.", ".#...", "#....", "#####" } },
	{ '3', { "####.", "....#", "....#", ".###.", "....#", "....#", "####." } },
	{ '4', { "...#.", "..##.", ".#.#.", "#..#.", "#####", "...#.", "...#." } },
	{ '5', { "#####", "#....", "####.", "....#", "....#", "#...#", ".###." } },
	{ '6', { ".###.", "#....", "#....", "####.", "#...#", "#...#", ".###." } },
	{ '7', { "#####", "....#", "...#.", "...#.", "..#..", "..#..", "..#.." } },
	{ '8', { ".###.", "#...#", "#...#", ".###.", "#...#", "#...#", ".###." } },
	{ '9', { ".###.", "#...#", "#...#", ".####", "....#", "....#", ".###." } },
	{ '.', { ".....", ".....", ".....", ".....", ".....", ".##..", ".##.." } },
	{ 's', { ".....", ".....", ".####", "#....", ".###.", "....#", "####." } },
};

static int64_t smaller(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Does the text that begins at (left, top) have ink at (x, y)? */
static bool has_ink(const char *text, int64_t scale, int64_t left, int64_t top, int64_t x,
		    int64_t y)
{
	unsigned int i;

	if (!scale || x < left || y < top)
		return false;
	x = (x - left) / scale;
	y = (y - top) / scale;
	if (x / 6 >= (int64_t)strlen(text) || x % 6 == 5 || y >= 7)
		return false;
	for (i = 0; i < sizeof(glyphs) / sizeof(glyphs[0]); i++)
		if (glyphs[i].name == text[x / 6])
			return glyphs[i].lines[y][x % 6] == '#';
	return false;
}

static bool in_disc(int64_t dx, int64_t dy, int64_t radius)
{
	return dx * dx + dy * dy <= radius * radius;
}

static bool in_mountain(int64_t dx, int64_t dy, int64_t lines)
{
	return dy >= 0 && dy < lines && llabs(dx) <= dy * 3 / 2;
}

/*
 * The line is cut into @parts fields of equal width, rounded to pixels.  Which field contains @x?
 */
static int64_t field(int64_t width, int64_t parts, int64_t x)
{
	int64_t i = 0;

	while ((i + 1) * width / parts <= x)
		i++;
	return i;
}

static uint32_t sky(int64_t level)
{
	return (uint32_t)((24 + level * 3 / 4) << 16 | (40 + level * 7 / 16) << 8 |
			  (104 - level / 8));
}

/* @top: first line of the landscape; @size: its lines; (x, y): position in the image */
static uint32_t landscape(const struct scene *scene, int64_t top, int64_t size, int64_t x,
			  int64_t y)
{
	int64_t width = scene->width, horizon = top + size - size / 4, text = top + size;
	int64_t unit = smaller(smaller(width, size), 4096), radius = unit / 12;
	int64_t turn = scene->sequence % 120, jump = scene->sequence % 30;
	int64_t ball_x = radius + (width - 2 * radius) * smaller(turn, 120 - turn) / 60;
	int64_t ball_y = text - radius - size / 16 - size / 2 * 4 * jump * (30 - jump) / 900;
	int64_t scale = smaller(width / 40, size / 28), word_y = top + size / 16;
	int64_t word_x = (width - 35 * scale) / 2;
	int64_t near_x = 5 * width / 16, near_y = top + 3 * size / 8;
	int64_t far_x = 5 * width / 8, far_y = top + size / 2;
	int64_t sun_x = x - 13 * width / 16, sun_y = y - (top + 7 * size / 16);

	if (in_disc(x - (ball_x - radius / 3), y - (ball_y - radius / 3), radius / 4))
		return 0xffffff;
	if (in_disc(x - ball_x, y - ball_y, radius))
		return 0xe03a3e;
	if (has_ink("SLUICE", scale, word_x, word_y, x, y))
		return 0xffffff;
	if (has_ink("SLUICE", scale, word_x + scale / 3, word_y + scale / 3, x, y))
		return 0x101830;
	if (in_mountain(x - near_x, y - near_y, (horizon - near_y) / 4))
		return 0xf4f6ff;
	if (in_mountain(x - near_x, y - near_y, horizon - near_y))
		return 0x3d3a5c;
	if (in_mountain(x - far_x, y - far_y, horizon - far_y))
		return 0x6a5a8c;
	if (in_disc(sun_x, sun_y, unit / 7) && !in_disc(sun_x, sun_y, unit / 8))
		return 0xfff3c4;
	if (in_disc(sun_x, sun_y, unit / 10))
		return 0xffd84a;
	return y < horizon ? sky((y - top) * 256 / (horizon - top)) : 0x2c6e49;
}

/* @lines: lines of text; (x, y): position in the text */
static uint32_t numbers(const struct scene *scene, int64_t lines, int64_t x, int64_t y)
{
	uint64_t ms = scene->time_ns / 1000000;
	int64_t scale, top, letters;
	char number[32], time[32];

	snprintf(number, sizeof(number), "FRAME %" PRIu64, scene->sequence);
	snprintf(time, sizeof(time), "%" PRIu64 ".%03u s", ms / 1000, (unsigned int)(ms % 1000));
	letters = strlen(number) + strlen(time) + 2;
	scale = smaller(scene->width / (letters * 6), lines / 9);
	top = (lines - 7 * scale) / 2;
	if (has_ink(time, scale, scene->width - (6 * (int64_t)strlen(time) + 2) * scale, top, x, y))
		return 0xffffff;
	if (has_ink(number, scale, 3 * scale, top, x, y))
		return 0xffc840;
	return 0x10161e;
}

uint32_t scene_pixel(const struct scene *scene, int64_t x, int64_t y)
{
	static const uint32_t bars[8] = {
		0xebebeb, 0xebeb10, 0x10ebeb, 0x10eb10, 0xeb10eb, 0xeb1010, 0x1010eb, 0x202020,
	};
	int64_t width = scene->width, height = scene->height;
	int64_t top = height < 32 ? 1 : height / 32, text = height - height / 4;

	if (y < top)
		return scene->sequence >> (31 - field(width, 32, x)) & 1 ? 0xffffff : 0;
	if (y >= height - height / 16)
		return field(width, 256, x) * 0x010101;
	if (y >= height - height / 8)
		return bars[field(width, 8, x)];
	if (y >= text)
		return numbers(scene, height - height / 8 - text, x, y - text);
	return landscape(scene, top, text - top, x, y);
}
