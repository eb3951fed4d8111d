// SPDX-License-Identifier: MIT
/* Formats of images: the lists of an engine, the refused images, and each byte that is written. */
#include <linux/sync_file.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "harness.h"
#include "jobs.h"
#include "knobs.h"
#include "machine.h"
#include "objects.h"
#include "pattern.h"
#include "scene.h"
#include "sluice.h"

#define SIZE	65536UL
#define WIDTH	64U
#define HEIGHT	48U
#define STRIDE	320U	/* of the first plane: more than any format needs */
#define BUFFERS	3
#define CANARY	0xa5

#define FOURCC(text) ((uint32_t)(text)[0] | (uint32_t)(text)[1] << 8 | \
		      (uint32_t)(text)[2] << 16 | (uint32_t)(text)[3] << 24)

/* The formats of soft0, with the bytes of a line of WIDTH pixels in each plane. */
static const struct format {
	const char *name;
	unsigned int planes;
	uint32_t bytes[3], lines[3], strides[3];
} formats[] = {
	{ "XR24", 1, { 256 }, { 48 }, { 320 } },
	{ "AR24", 1, { 256 }, { 48 }, { 320 } },
	{ "XB24", 1, { 256 }, { 48 }, { 320 } },
	{ "AB24", 1, { 256 }, { 48 }, { 320 } },
	{ "RG16", 1, { 128 }, { 48 }, { 320 } },
	{ "YUYV", 1, { 128 }, { 48 }, { 320 } },
	{ "UYVY", 1, { 128 }, { 48 }, { 320 } },
	{ "NV12", 2, { 64, 64 }, { 48, 24 }, { 320, 320 } },
	{ "NV21", 2, { 64, 64 }, { 48, 24 }, { 320, 320 } },
	{ "YU12", 3, { 64, 32, 32 }, { 48, 24, 24 }, { 320, 160, 160 } },
	{ "R8  ", 1, { 64 }, { 48 }, { 320 } },
	{ "GREY", 1, { 64 }, { 48 }, { 320 } },
	{ "RGGB", 1, { 64 }, { 48 }, { 320 } },
	{ "BA81", 1, { 64 }, { 48 }, { 320 } },
	{ "RG10", 1, { 128 }, { 48 }, { 320 } },
	{ "BG10", 1, { 128 }, { 48 }, { 320 } },
	{ "pRAA", 1, { 80 }, { 48 }, { 320 } },
	{ "pBAA", 1, { 80 }, { 48 }, { 320 } },
};

#define NUM_FORMATS (sizeof(formats) / sizeof(formats[0]))

static const struct format *format_named(const char *name)
{
	unsigned int i;

	for (i = 0; strcmp(formats[i].name, name); i++)
		;
	return &formats[i];
}

/* Colour values, without the driver's macros. */
static int red(uint32_t pixel)
{
	return pixel >> 16 & 255;
}

static int green(uint32_t pixel)
{
	return pixel >> 8 & 255;
}

static int blue(uint32_t pixel)
{
	return pixel & 255;
}

/* BT.601, limited range; rounds down, also below zero. */
static int weigh(uint32_t pixel, int r, int g, int b, int offset)
{
	return (int)((unsigned int)(r * red(pixel) + g * green(pixel) + b * blue(pixel) + 128 +
				    256 * offset) >> 8) & 255;
}

static int luma(uint32_t pixel)
{
	return weigh(pixel, 66, 129, 25, 16);
}

static int chroma(uint32_t pixel, bool v)
{
	return v ? weigh(pixel, 112, -94, -18, 128) : weigh(pixel, -38, -74, 112, 128);
}

static int filtered(const char *name, uint32_t pixel, int64_t x, int64_t y)
{
	bool blue_first = name[0] == 'B' || name[1] == 'B';

	if (x % 2 != y % 2)
		return green(pixel);
	return (y % 2 == 1) == blue_first ? red(pixel) : blue(pixel);
}

/* The lines of the scene that are in memory: all, or those of a field. */
struct lines {
	int first, step;
};

static uint32_t pixel_at(const struct scene *scene, struct lines lines, int64_t x, int64_t y)
{
	return scene_pixel(scene, x, lines.first + y * lines.step);
}

/* The expected byte of a line with four bytes per pixel. */
static int expected_rgb(const char *name, uint32_t pixel, unsigned int byte)
{
	bool bgr = name[1] == 'B';

	switch (byte) {
	case 0:
		return bgr ? red(pixel) : blue(pixel);
	case 1:
		return green(pixel);
	case 2:
		return bgr ? blue(pixel) : red(pixel);
	default:
		return name[0] == 'A' ? 255 : 0;
	}
}

/* The expected byte @at of line @y of a plane. */
static int expected(const char *name, unsigned int plane, const struct scene *scene,
		    struct lines lines, int64_t at, int64_t y)
{
	uint32_t pixel;
	int value;

	if (!strcmp(name + 2, "24"))
		return expected_rgb(name, pixel_at(scene, lines, at / 4, y), at % 4);
	if (!strcmp(name, "RG16")) {
		pixel = pixel_at(scene, lines, at / 2, y);
		value = red(pixel) / 8 * 2048 + green(pixel) / 4 * 32 + blue(pixel) / 8;
		return at % 2 ? value >> 8 : value & 255;
	}
	if (!strcmp(name, "YUYV") || !strcmp(name, "UYVY")) {
		if ((at % 2 == 0) == (name[0] == 'Y'))
			return luma(pixel_at(scene, lines, at / 2, y));
		return chroma(pixel_at(scene, lines, at / 4 * 2, y), at % 4 > 1);
	}
	if (name[0] == 'N' || !strcmp(name, "YU12")) {
		if (!plane)
			return luma(pixel_at(scene, lines, at, y));
		if (name[0] == 'Y')
			return chroma(pixel_at(scene, lines, at * 2, y * 2), plane == 2);
		return chroma(pixel_at(scene, lines, at / 2 * 2, y * 2),
			      at % 2 != !strcmp(name, "NV21"));
	}
	if (!strcmp(name, "R8  ") || !strcmp(name, "GREY"))
		return weigh(pixel_at(scene, lines, at, y), 77, 150, 29, 0);
	if (!strcmp(name + 2, "10")) {
		value = filtered(name, pixel_at(scene, lines, at / 2, y), at / 2, y);
		value = value * 4 + value / 64;
		return at % 2 ? value >> 8 : value & 255;
	}
	if (name[0] == 'p') {
		int64_t x = at / 5 * 4;

		if (at % 5 < 4)
			return filtered(name, pixel_at(scene, lines, x + at % 5, y), x + at % 5, y);
		for (value = 0, at = 3; at >= 0; at--)
			value = value * 4 +
				filtered(name, pixel_at(scene, lines, x + at, y), x + at, y) / 64;
		return value;
	}
	return filtered(name, pixel_at(scene, lines, at, y), at, y);
}

static const struct lines whole = { 0, 1 };

FIXTURE(formats) {
	struct objects before;
	int device, camera, player, buffers[BUFFERS];
	uint8_t *bytes[BUFFERS];
};

static void knobs_off(void)
{
	knob("damage_next", 0);
	knob("hang_next", 0);
	knob("repeat_next", 0);
	knob("source_width", 0);
	knob("source_height", 0);
}

FIXTURE_SETUP(formats)
{
	int i;

	self->before = objects_before();
	knobs_off();
	self->device = sluice_open("soft0");
	self->camera = patient_queue(self->device, 0);
	self->player = patient_queue(self->device, 1);
	for (i = 0; i < BUFFERS; i++) {
		self->buffers[i] = sluice_alloc(self->device, 0, SIZE, 0);
		ASSERT_EQ(sluice_map(self->buffers[i], SIZE, (void **)&self->bytes[i]), 0);
		ASSERT_EQ(sluice_attach(self->camera, self->buffers[i], SLUICE_ATTACH_WRITE), i);
		ASSERT_EQ(sluice_attach(self->player, self->buffers[i], SLUICE_ATTACH_READ), i);
		sluice_cpu_begin(self->buffers[i], true);
		memset(self->bytes[i], CANARY, SIZE);
		sluice_cpu_end(self->buffers[i], true);
	}
}

FIXTURE_TEARDOWN(formats)
{
	int i;

	knobs_off();
	close(self->camera);
	close(self->player);
	for (i = 0; i < BUFFERS; i++) {
		munmap(self->bytes[i], SIZE);
		close(self->buffers[i]);
	}
	close(self->device);
	EXPECT_TRUE(objects_settle(&self->before));
}

/* An op of soft0 that captures or plays such an image. */
static struct sluice_op image(uint32_t kind, const char *name)
{
	struct sluice_op op = { .kind = kind, .length = SIZE,
				.frame = { WIDTH, HEIGHT, STRIDE, FOURCC(name) } };

	return op;
}

static struct sluice_completion run(int queue, const struct sluice_op *op)
{
	struct sluice_completion done = { .status = sluice_submit(queue, op, 1, -1, NULL, 0, NULL) };

	if (!done.status)
		sluice_read(queue, &done, 1);
	return done;
}

/* How many bytes of a plane, or between its lines, are wrong? */
static unsigned int wrong_bytes(const struct format *format, unsigned int plane,
				const uint8_t *bytes, const struct scene *scene,
				struct lines lines)
{
	uint32_t stride = format->strides[plane], height = format->lines[plane], x, y;
	unsigned int wrong = 0;

	for (y = 0; y < height; y++)
		for (x = 0; x < stride && (y < height - 1 || x < format->bytes[plane]); x++)
			wrong += bytes[y * stride + x] !=
				 (x < format->bytes[plane] ?
				  expected(format->name, plane, scene, lines, x, y) : CANARY);
	return wrong;
}

static struct scene scene_of(const struct sluice_completion *done)
{
	struct scene scene = { WIDTH, HEIGHT, done->sequence, done->timestamp };

	return scene;
}

TEST_F(formats, each_byte_of_each_format_in_one_slot)
{
	unsigned int i, j;

	for (i = 0; i < NUM_FORMATS; i++) {
		const struct format *format = &formats[i];
		struct sluice_op op = image(SLUICE_OP_CAPTURE, format->name);
		struct sluice_completion done;
		struct scene scene;
		uint32_t at = 64, bytes = 0;

		sluice_cpu_begin(self->buffers[0], true);
		memset(self->bytes[0], CANARY, SIZE);
		sluice_cpu_end(self->buffers[0], true);
		op.dst_offset = at;
		op.length = SIZE - at;
		done = run(self->camera, &op);
		ASSERT_EQ(done.status, 0)
			TH_LOG("%s", format->name);
		scene = scene_of(&done);
		sluice_cpu_begin(self->buffers[0], false);
		for (j = 0; j < format->planes; j++) {
			EXPECT_EQ(wrong_bytes(format, j, self->bytes[0] + at, &scene, whole), 0)
				TH_LOG("%s, plane %u, frame %llu", format->name, j,
				       (unsigned long long)done.sequence);
			bytes += (format->lines[j] - 1) * format->strides[j] + format->bytes[j];
			at += format->lines[j] * format->strides[j];
		}
		/* the bytes before the plane and behind it do not change */
		EXPECT_EQ(self->bytes[0][63], CANARY);
		EXPECT_EQ(self->bytes[0][at - format->strides[j - 1] + format->bytes[j - 1]],
			  CANARY);
		EXPECT_EQ(self->bytes[0][at], CANARY);
		sluice_cpu_end(self->buffers[0], false);
		EXPECT_EQ(done.bytes, bytes);
		EXPECT_EQ(done.width, WIDTH);
		EXPECT_EQ(done.height, HEIGHT);
		EXPECT_EQ(done.flags, 0);
	}
}

/* The last byte that the format needs is also the last byte of the length, and of the buffer. */
TEST_F(formats, a_frame_fits_to_the_byte)
{
	unsigned int i;

	for (i = 0; i < NUM_FORMATS; i++) {
		const struct format *format = &formats[i];
		struct sluice_op op = image(SLUICE_OP_CAPTURE, format->name);
		unsigned int j, last = format->planes - 1, need = 0;

		for (j = 0; j < last; j++)
			need += format->lines[j] * format->strides[j];
		need += (format->lines[last] - 1) * format->strides[last] + format->bytes[last];
		op.length = need;
		op.dst_offset = SIZE - need;
		EXPECT_EQ(run(self->camera, &op).status, 0)
			TH_LOG("%s", format->name);
		op.length = need - 4;
		EXPECT_EQ(run(self->camera, &op).status, -ERANGE);
		op.length = need;
		op.dst_offset += 4;
		EXPECT_EQ(run(self->camera, &op).status, -ERANGE);
	}
}

TEST_F(formats, planes_are_in_slots_of_their_own)
{
	static const char * const names[] = { "NV12", "YU12", "YUYV" };
	unsigned int i, j;

	for (i = 0; i < 3; i++) {
		const struct format *format = format_named(names[i]);
		struct sluice_op op = image(SLUICE_OP_CAPTURE, names[i]);
		struct sluice_plane planes[3];
		struct sluice_completion done;
		struct scene scene;

		for (j = 0; j < format->planes; j++)
			planes[j] = (struct sluice_plane) { 2 - j, format->strides[j], 4096 * j };
		sluice_frame_planes(&op, planes, format->planes);
		done = run(self->camera, &op);
		ASSERT_EQ(done.status, 0);
		scene = scene_of(&done);
		for (j = 0; j < format->planes; j++) {
			sluice_cpu_begin(self->buffers[2 - j], true);
			EXPECT_EQ(wrong_bytes(format, j, self->bytes[2 - j] + 4096 * j, &scene,
					      whole), 0)
				TH_LOG("%s, plane %u", names[i], j);
			memset(self->bytes[2 - j], CANARY, SIZE);
			sluice_cpu_end(self->buffers[2 - j], true);
		}
	}
}

/* All planes in one slot, the second before the first, with another stride. */
TEST_F(formats, planes_are_where_the_caller_wants_them)
{
	struct sluice_op op = image(SLUICE_OP_CAPTURE, "NV12");
	struct sluice_plane planes[2] = { { 1, 72, 32768 }, { 1, 128, 1024 } };
	struct format format = *format_named("NV12");
	struct sluice_completion done;
	struct scene scene;

	sluice_frame_planes(&op, planes, 2);
	done = run(self->camera, &op);
	ASSERT_EQ(done.status, 0);
	EXPECT_EQ(done.bytes, 47 * 72 + 64 + 23 * 128 + 64);
	scene = scene_of(&done);
	format.strides[0] = 72;
	format.strides[1] = 128;
	sluice_cpu_begin(self->buffers[1], false);
	EXPECT_EQ(wrong_bytes(&format, 0, self->bytes[1] + 32768, &scene, whole), 0);
	EXPECT_EQ(wrong_bytes(&format, 1, self->bytes[1] + 1024, &scene, whole), 0);
	sluice_cpu_end(self->buffers[1], false);
}

/* The buffer of each plane has the fence, and lives on after its slot is detached. */
TEST_F(formats, every_plane_has_the_fence)
{
	struct sluice_op op = image(SLUICE_OP_CAPTURE, "YU12");
	struct sluice_plane planes[3] = { { 0, 320, 0 }, { 1, 160, 0 }, { 2, 160, 0 } };
	int fences[BUFFERS], i;
	uint64_t point;

	ASSERT_EQ(knob("hang_next", 1), 0);
	sluice_frame_planes(&op, planes, 3);
	ASSERT_EQ(sluice_submit(self->camera, &op, 1, -1, NULL, 0, &point), 0);
	ASSERT_TRUE(wait_hanging());
	for (i = 0; i < BUFFERS; i++) {
		fences[i] = sluice_fence_export(self->buffers[i], false);
		EXPECT_EQ(sluice_fence_wait(fences[i], 0), -ETIME);
		EXPECT_EQ(sluice_detach(self->camera, i), 0);
	}
	EXPECT_EQ(sluice_cancel(self->camera, point, point), 1);
	for (i = 0; i < BUFFERS; i++) {
		EXPECT_EQ(sluice_fence_wait(fences[i], LATE_MS), -ECANCELED);
		close(fences[i]);
	}
}

TEST_F(formats, playback_shows_each_plane)
{
	struct sluice_op op = image(SLUICE_OP_PLAYBACK, "NV12");
	struct sluice_plane planes[2] = { { 0, 320, 64 }, { 2, 72, 128 } };
	unsigned long long sequence, bytes;
	struct sluice_completion done;
	unsigned int shown, crc = 0, y;
	FILE *file;

	for (y = 0; y < SIZE; y++) {
		self->bytes[0][y] = y * 7;
		self->bytes[2][y] = y * 13;
	}
	for (y = 0; y < HEIGHT; y++)
		crc = crc32(crc, self->bytes[0] + 64 + y * 320, 64);
	for (y = 0; y < HEIGHT / 2; y++)
		crc = crc32(crc, self->bytes[2] + 128 + y * 72, 64);
	sluice_frame_planes(&op, planes, 2);
	done = run(self->player, &op);
	ASSERT_EQ(done.status, 0);
	EXPECT_EQ(done.bytes, 64 * 72);
	EXPECT_EQ(done.width, WIDTH);
	EXPECT_EQ(done.height, HEIGHT);
	file = fopen("/sys/kernel/debug/sluice/soft0/screen", "re");
	ASSERT_NE(file, NULL);
	EXPECT_EQ(fscanf(file, "%*u %*u %*x %llu %llu %x", &sequence, &bytes, &shown), 3);
	fclose(file);
	EXPECT_EQ(sequence, done.sequence);
	EXPECT_EQ(bytes, 64 * 72);
	EXPECT_EQ(shown, crc);
}

TEST_F(formats, fields_are_every_second_line)
{
	static const uint32_t fields[] = { SLUICE_FIELD_TOP, SLUICE_FIELD_BOTTOM,
					   SLUICE_FIELD_ALTERNATE, SLUICE_FIELD_ALTERNATE };
	const struct format *format = format_named("YUYV");
	unsigned int i;

	for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		struct sluice_op op = image(SLUICE_OP_CAPTURE, "YUYV");
		struct sluice_completion done;
		struct scene scene;
		bool bottom;

		op.field = fields[i];
		done = run(self->camera, &op);
		ASSERT_EQ(done.status, 0);
		bottom = fields[i] == SLUICE_FIELD_ALTERNATE ? done.sequence % 2 :
			 fields[i] == SLUICE_FIELD_BOTTOM;
		EXPECT_EQ(done.flags, bottom ? SLUICE_FRAME_BOTTOM : SLUICE_FRAME_TOP);
		EXPECT_EQ(done.height, HEIGHT);
		scene = scene_of(&done);
		scene.height = 2 * HEIGHT;
		sluice_cpu_begin(self->buffers[0], false);
		EXPECT_EQ(wrong_bytes(format, 0, self->bytes[0], &scene,
				      (struct lines) { bottom, 2 }), 0)
			TH_LOG("case %u", i);
		sluice_cpu_end(self->buffers[0], false);
	}
}

TEST_F(formats, a_damaged_frame_is_told_and_is_no_error)
{
	struct sluice_op ops[3] = { image(SLUICE_OP_CAPTURE, "GREY"),
				    image(SLUICE_OP_CAPTURE, "GREY"),
				    image(SLUICE_OP_CAPTURE, "GREY") };
	struct sluice_completion done;

	ASSERT_EQ(knob("damage_next", 1), 0);
	done = run(self->camera, &ops[0]);
	EXPECT_EQ(done.status, 0);
	EXPECT_EQ(done.flags, SLUICE_FRAME_DAMAGED);
	EXPECT_EQ(done.bytes, 47 * STRIDE + 64);
	EXPECT_EQ(run(self->camera, &ops[0]).flags, 0);
	/* one frame of several in a job was damaged; the field is that of the last frame */
	ASSERT_EQ(knob("damage_next", 1), 0);
	ops[0].field = SLUICE_FIELD_TOP;
	ops[2].field = SLUICE_FIELD_BOTTOM;
	ASSERT_EQ(sluice_submit(self->camera, ops, 3, -1, NULL, 0, NULL), 0);
	ASSERT_EQ(sluice_read(self->camera, &done, 1), 1);
	EXPECT_EQ(done.status, 0);
	EXPECT_EQ(done.flags, SLUICE_FRAME_DAMAGED | SLUICE_FRAME_BOTTOM);
}

TEST_F(formats, a_repeated_frame_is_the_one_before)
{
	struct sluice_op op = image(SLUICE_OP_CAPTURE, "XR24");
	struct sluice_completion first = run(self->camera, &op), second;
	struct scene scene;

	ASSERT_EQ(knob("repeat_next", 1), 0);
	second = run(self->camera, &op);
	ASSERT_EQ(second.status, 0);
	EXPECT_EQ(second.flags, SLUICE_FRAME_REPEATED);
	EXPECT_GT(second.sequence, first.sequence);
	scene = scene_of(&second);
	scene.sequence = first.sequence;
	sluice_cpu_begin(self->buffers[0], false);
	EXPECT_EQ(wrong_bytes(&formats[0], 0, self->bytes[0], &scene, whole), 0);
	sluice_cpu_end(self->buffers[0], false);
	EXPECT_EQ(run(self->camera, &op).flags, 0);
}

TEST_F(formats, completion_tells_the_size_that_came_in)
{
	struct sluice_op op = image(SLUICE_OP_CAPTURE, "GREY");
	struct format smaller = *format_named("GREY");
	struct sluice_completion done;
	struct scene scene;

	ASSERT_EQ(knob("source_width", 42), 0);
	ASSERT_EQ(knob("source_height", 32), 0);
	done = run(self->camera, &op);
	ASSERT_EQ(done.status, 0);
	EXPECT_EQ(done.width, 40);
	EXPECT_EQ(done.height, 32);
	scene = scene_of(&done);
	scene.width = 40;
	scene.height = 32;
	smaller.bytes[0] = 40;
	smaller.lines[0] = 32;
	sluice_cpu_begin(self->buffers[0], false);
	EXPECT_EQ(wrong_bytes(&smaller, 0, self->bytes[0], &scene, whole), 0);
	EXPECT_EQ(self->bytes[0][32 * STRIDE], CANARY);
	sluice_cpu_end(self->buffers[0], false);
	/* raw data has no size */
	sluice_op_capture(&op, 0, 0, 4096);
	done = run(self->camera, &op);
	EXPECT_EQ(done.status, 0);
	EXPECT_EQ(done.width, 0);
	EXPECT_EQ(done.height, 0);
}

TEST_F(formats, an_image_that_makes_no_sense_is_refused)
{
	const struct {
		uint32_t width, height, stride;
		const char *format;
		uint64_t modifier, length;
		uint32_t field, reserved;
		int error;
	} cases[] = {
		{ 64, 48, 320, "NV12", 0, SIZE, 0, 0, 0 },
		/* unknown formats and modifiers */
		{ 64, 48, 320, "ZZZZ", 0, SIZE, 0, 0, -EOPNOTSUPP },
		{ 64, 48, 320, "\0\0\0\0", 0, SIZE, 0, 0, -EINVAL },
		{ 64, 48, 320, "NV12", 1, SIZE, 0, 0, -EOPNOTSUPP },
		{ 64, 48, 320, "NV12", (1ULL << 56) - 1, SIZE, 0, 0, -EOPNOTSUPP },
		/* a format that the core knows, but soft0 does not have */
		{ 64, 48, 320, "NV16", 0, SIZE, 0, 0, -EOPNOTSUPP },
		{ 64, 48, 320, "NV12", 0, SIZE, SLUICE_FIELD_INTERLACED, 0, -EOPNOTSUPP },
		{ 64, 48, 320, "NV12", 0, SIZE, SLUICE_FIELD_ALTERNATE + 1, 0, -EINVAL },
		{ 64, 48, 320, "NV12", 0, SIZE, 0, 1, -EINVAL },
		/* two or four pixels share their chroma */
		{ 63, 48, 320, "NV12", 0, SIZE, 0, 0, -EINVAL },
		{ 64, 47, 320, "NV12", 0, SIZE, 0, 0, -EINVAL },
		{ 63, 48, 320, "YUYV", 0, SIZE, 0, 0, -EINVAL },
		{ 62, 48, 320, "pRAA", 0, SIZE, 0, 0, -EINVAL },
		{ 63, 47, 320, "GREY", 0, SIZE, 0, 0, 0 },
		/* bad strides */
		{ 64, 48, 60, "GREY", 0, SIZE, 0, 0, -EINVAL },
		{ 64, 48, 64, "GREY", 0, SIZE, 0, 0, 0 },
		{ 64, 48, 79, "pRAA", 0, SIZE, 0, 0, -EINVAL },
		{ 64, 48, 81, "pRAA", 0, SIZE, 0, 0, 0 },
		{ 64, 48, 129, "RG16", 0, SIZE, 0, 0, -EINVAL },
		{ 64, 48, 130, "RG16", 0, SIZE, 0, 0, 0 },
		{ 64, 48, 321, "YU12", 0, SIZE, 0, 0, -EINVAL },
		/* the second plane would begin in the middle of a word */
		{ 64, 2, 65, "NV12", 0, SIZE, 0, 0, -EINVAL },
		{ 1U << 31, 48, 0, "GREY", 0, SIZE, 0, 0, -EINVAL },
		{ 1U << 31, 48, 1U << 31, "RG16", 0, SIZE, 0, 0, -EINVAL },
		/* sums that overflow, or are too large */
		{ 64, UINT32_MAX, UINT32_MAX, "GREY", 0, SIZE, 0, 0, -ERANGE },
		{ 64, UINT32_MAX - 1, UINT32_MAX - 3, "NV12", 0, -4ULL, 0, 0, -ERANGE },
		{ 64, UINT32_MAX - 1, UINT32_MAX - 3, "YU12", 0, -4ULL, 0, 0, -ERANGE },
		{ 64, 48, 2048, "GREY", 0, SIZE, 0, 0, -ERANGE },
	};
	unsigned int i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sluice_op op = {
			.kind = SLUICE_OP_CAPTURE,
			.length = cases[i].length,
			.frame = { cases[i].width, cases[i].height, cases[i].stride,
				   FOURCC(cases[i].format) },
			.modifier = cases[i].modifier,
			.field = cases[i].field,
			.reserved = cases[i].reserved,
		};

		EXPECT_EQ(run(self->camera, &op).status, cases[i].error)
			TH_LOG("case %u", i);
	}
}

TEST_F(formats, planes_that_make_no_sense_are_refused)
{
	const struct {
		struct sluice_plane planes[2];
		uint32_t num_planes, plane_size;
		int error;
	} cases[] = {
		{ { { 0, 64, 0 }, { 1, 64, 0 } }, 2, 0, 0 },
		{ { { 0, 64, 0 }, { 1, 64, 0 } }, 2, 16, 0 },
		{ { { 0, 64, 0 }, { 1, 64, 0 } }, 1, 0, -EINVAL },
		{ { { 0, 64, 0 }, { 1, 64, 0 } }, 3, 0, -EINVAL },
		{ { { 0, 64, 0 }, { 1, 64, 0 } }, 5, 0, -E2BIG },
		{ { { 0, 64, 0 }, { 1, 64, 0 } }, UINT32_MAX, 0, -E2BIG },
		{ { { 0, 64, 0 }, { 1, 64, 0 } }, 2, 8, -EINVAL },
		{ { { 0, 64, 0 }, { 1, 64, 0 } }, 2, 257, -E2BIG },
		{ { { 0, 60, 0 }, { 1, 64, 0 } }, 2, 0, -EINVAL },
		{ { { 0, 64, 0 }, { 1, 60, 0 } }, 2, 0, -EINVAL },
		{ { { 0, 64, 2 }, { 1, 64, 0 } }, 2, 0, -EINVAL },
		{ { { 0, 64, 0 }, { 1, 64, 2 } }, 2, 0, -EINVAL },
		{ { { 9, 64, 0 }, { 1, 64, 0 } }, 2, 0, -ENOENT },
		{ { { 0, 64, 0 }, { 9, 64, 0 } }, 2, 0, -ENOENT },
		{ { { 0, 64, 0 }, { UINT32_MAX, 64, 0 } }, 2, 0, -ENOENT },
		/* a slot attached for reading only */
		{ { { 3, 64, 0 }, { 1, 64, 0 } }, 2, 0, -EACCES },
		{ { { 0, 64, 0 }, { 3, 64, 0 } }, 2, 0, -EACCES },
		/* the last plane that fits, and planes that end beyond the buffer */
		{ { { 0, 64, SIZE - 48 * 64 }, { 1, 64, SIZE - 24 * 64 } }, 2, 0, 0 },
		{ { { 0, 64, SIZE - 48 * 64 + 4 }, { 1, 64, 0 } }, 2, 0, -ERANGE },
		{ { { 0, 64, 0 }, { 1, 64, SIZE - 24 * 64 + 4 } }, 2, 0, -ERANGE },
		{ { { 0, 64, -64ULL }, { 1, 64, 0 } }, 2, 0, -ERANGE },
		{ { { 0, 64, 0 }, { 1, UINT32_MAX, 0 } }, 2, 0, -ERANGE },
	};
	struct sluice_op op;
	unsigned int i;

	ASSERT_EQ(sluice_attach(self->camera, self->buffers[0], SLUICE_ATTACH_READ), 3);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		op = image(SLUICE_OP_CAPTURE, "NV12");
		sluice_frame_planes(&op, cases[i].planes, cases[i].num_planes);
		op.plane_size = cases[i].plane_size;
		EXPECT_EQ(run(self->camera, &op).status, cases[i].error)
			TH_LOG("case %u", i);
	}
}

/* Each field that must be zero if there are planes, and planes where none may be. */
TEST_F(formats, planes_exclude_a_slot_for_all)
{
	const struct sluice_plane planes[2] = { { 0, 64, 0 }, { 1, 64, 0 } };
	struct {
		struct sluice_plane plane;
		char tail[48];
	} longer[2] = { { { 0, 64, 0 }, "" }, { { 1, 64, 0 }, "" } };
	struct sluice_op good = image(SLUICE_OP_CAPTURE, "NV12"), op;

	sluice_frame_planes(&good, planes, 2);
	EXPECT_EQ(run(self->camera, &good).status, 0);
	op = good, op.dst = 1;
	EXPECT_EQ(run(self->camera, &op).status, -EINVAL);
	op = good, op.src = 1;
	EXPECT_EQ(run(self->camera, &op).status, -EINVAL);
	op = good, op.dst_offset = 4;
	EXPECT_EQ(run(self->camera, &op).status, -EINVAL);
	op = good, op.src_offset = 4;
	EXPECT_EQ(run(self->camera, &op).status, -EINVAL);
	op = good, op.length = SIZE;
	EXPECT_EQ(run(self->camera, &op).status, -EINVAL);
	op = good, op.frame.stride = 64;
	EXPECT_EQ(run(self->camera, &op).status, -EINVAL);
	op = good, op.planes = 0;
	EXPECT_EQ(run(self->camera, &op).status, -EFAULT);
	op = good, op.planes = -4096ULL;
	EXPECT_EQ(run(self->camera, &op).status, -EFAULT);
	op = good, op.num_planes = 0;
	EXPECT_EQ(run(self->camera, &op).status, -EINVAL);
	op = good, op.kind = SLUICE_OP_COPY;
	EXPECT_EQ(run(self->camera, &op).status, -EINVAL);
	op = good, memset(&op.frame, 0, sizeof(op.frame));
	EXPECT_EQ(run(self->camera, &op).status, -EINVAL);
	/* raw data has neither a modifier nor a field */
	sluice_op_capture(&op, 0, 0, 4096);
	op.modifier = 1;
	EXPECT_EQ(run(self->camera, &op).status, -EINVAL);
	op.modifier = 0;
	op.field = SLUICE_FIELD_TOP;
	EXPECT_EQ(run(self->camera, &op).status, -EINVAL);
	sluice_op_fill(&op, 0, 0, 4096, 0);
	op.field = SLUICE_FIELD_TOP;
	EXPECT_EQ(run(self->camera, &op).status, -EINVAL);
	/* planes of a newer header */
	op = good;
	op.planes = (uintptr_t)longer;
	op.plane_size = sizeof(longer[0]);
	EXPECT_EQ(run(self->camera, &op).status, 0);
	longer[1].tail[47] = 1;
	EXPECT_EQ(run(self->camera, &op).status, -E2BIG);
}

TEST_F(formats, engines_tell_what_they_are)
{
	struct sluice_engine_info info;
	unsigned int i;

	for (i = 0; i < 2; i++) {
		ASSERT_EQ(sluice_engine_info(self->device, i, &info), 0);
		EXPECT_EQ(info.index, i);
		EXPECT_EQ(info.op_kinds, 1 << SLUICE_OP_COPY | 1 << SLUICE_OP_FILL |
			  1 << SLUICE_OP_CAPTURE | 1 << SLUICE_OP_PLAYBACK |
			  1 << SLUICE_OP_PRIVATE);
		EXPECT_EQ(info.properties & (SLUICE_ENGINE_IS_SOFTWARE | SLUICE_ENGINE_WRITES |
					     SLUICE_ENGINE_READS),
			  SLUICE_ENGINE_IS_SOFTWARE | SLUICE_ENGINE_WRITES | SLUICE_ENGINE_READS);
		EXPECT_GE(info.depth, 1);
		EXPECT_EQ(info.op_align, 4);
		EXPECT_EQ(info.stride_align, 1);
		EXPECT_EQ(info.num_formats, NUM_FORMATS);
		EXPECT_EQ(info.max_segments, 0);
		EXPECT_EQ(info.min_length, 0);
		EXPECT_EQ(info.max_length, 0);
	}
	EXPECT_EQ(sluice_engine_info(self->device, 2, &info), -EINVAL);
	EXPECT_EQ(sluice_engine_info(self->device, UINT32_MAX, &info), -EINVAL);
	info = (struct sluice_engine_info) { .flags = 1 };
	EXPECT_EQ(xioctl(self->device, SLUICE_IOCTL_ENGINE_INFO, &info), -EINVAL);
}

TEST_F(formats, lists_have_what_can_be_captured)
{
	struct sluice_enum_intervals interval;
	struct sluice_enum_formats format;
	struct sluice_enum_sizes size;
	unsigned int i;

	for (i = 0; i < NUM_FORMATS; i++) {
		ASSERT_EQ(sluice_get_format(self->device, 0, i, &format), 0);
		EXPECT_EQ(format.format, FOURCC(formats[i].name));
		EXPECT_EQ(format.modifier, 0);
		EXPECT_EQ(format.num_planes, formats[i].planes);
		EXPECT_EQ(format.fields, 1 << SLUICE_FIELD_NONE | 1 << SLUICE_FIELD_TOP |
			  1 << SLUICE_FIELD_BOTTOM | 1 << SLUICE_FIELD_ALTERNATE);
		ASSERT_EQ(format.num_sizes, 1);
		ASSERT_EQ(sluice_get_size(self->device, &format, 0, &size), 0);
		EXPECT_EQ(size.min_width, size.step_width);
		EXPECT_EQ(size.max_width, UINT32_MAX);
		EXPECT_EQ(size.min_height, formats[i].planes > 1 ? 2 : 1);
		ASSERT_EQ(size.num_intervals, 1);
		ASSERT_EQ(sluice_get_interval(self->device, &format, WIDTH, HEIGHT, 0,
					      &interval), 0);
		EXPECT_EQ(interval.min.numerator, 1);
		EXPECT_EQ(interval.min.denominator, 30);
		EXPECT_EQ(memcmp(&interval.min, &interval.max, sizeof(interval.min)), 0);
		EXPECT_EQ(sluice_get_size(self->device, &format, 1, &size), -EINVAL);
		EXPECT_EQ(sluice_get_interval(self->device, &format, WIDTH, HEIGHT, 1,
					      &interval), -EINVAL);
	}
	EXPECT_EQ(sluice_get_format(self->device, 0, i, &format), -EINVAL);
	EXPECT_EQ(sluice_get_format(self->device, 0, UINT32_MAX, &format), -EINVAL);
	EXPECT_EQ(sluice_get_format(self->device, 2, 0, &format), -EINVAL);
	format = (struct sluice_enum_formats) { .flags = 1 };
	EXPECT_EQ(xioctl(self->device, SLUICE_IOCTL_ENUM_FORMATS, &format), -EINVAL);
	/* a format, a modifier and a size that are not in the lists */
	ASSERT_EQ(sluice_get_format(self->device, 0, 7, &format), 0);
	EXPECT_EQ(sluice_get_interval(self->device, &format, 63, HEIGHT, 0, &interval), -EINVAL);
	EXPECT_EQ(sluice_get_interval(self->device, &format, WIDTH, 0, 0, &interval), -EINVAL);
	format.modifier = 1;
	EXPECT_EQ(sluice_get_size(self->device, &format, 0, &size), -EINVAL);
	format.modifier = 0;
	format.format = FOURCC("ZZZZ");
	EXPECT_EQ(sluice_get_size(self->device, &format, 0, &size), -EINVAL);
	EXPECT_EQ(sluice_get_interval(self->device, &format, WIDTH, HEIGHT, 0, &interval), -EINVAL);
}

TEST_HARNESS_MAIN
