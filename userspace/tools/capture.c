// SPDX-License-Identifier: MIT
/* sluicectl capture: frames, one after the other; the last one may go to a file. */
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tool.h"

static void print_object(const struct sluice_completion *completion)
{
	struct json_object *object = json_object_new_object();

	json_add_number(object, "sequence", completion->sequence);
	json_add_number(object, "timestamp_ns", completion->timestamp);
	json_add_number(object, "bytes", completion->bytes);
	json_add_number(object, "dropped", completion->dropped);
	print_json(object);
}

static void print_row(struct table *table, const struct sluice_completion *completion)
{
	char sequence[32], timestamp[32], bytes[32], dropped[32];

	snprintf(sequence, sizeof(sequence), "%" PRIu64, (uint64_t)completion->sequence);
	snprintf(timestamp, sizeof(timestamp), "%.6f", completion->timestamp / 1e9);
	snprintf(bytes, sizeof(bytes), "%" PRIu64, (uint64_t)completion->bytes);
	snprintf(dropped, sizeof(dropped), "%" PRIu64, (uint64_t)completion->dropped);
	table_row(table, completion->dropped ? ROW_WARNING : ROW_PLAIN,
		  (const char *[]) { sequence, timestamp, bytes, dropped });
	/* a pipe must get each row at once */
	table_print(table);
}

/* An XRGB8888 image as a binary PPM. */
static void write_ppm(struct target *target, const uint32_t *pixels, uint32_t width,
		      uint32_t height)
{
	unsigned char *line = malloc(3 * (size_t)width);
	char header[64];
	uint32_t x, y;

	if (!line)
		die("no memory for a line of %u pixels: use a smaller --geometry", width);
	write_target(target, header, snprintf(header, sizeof(header), "P6\n%u %u\n255\n", width,
					      height));
	for (y = 0; y < height; y++) {
		for (x = 0; x < width; x++) {
			uint32_t pixel = pixels[(size_t)y * width + x];

			line[3 * x] = pixel >> 16;
			line[3 * x + 1] = pixel >> 8;
			line[3 * x + 2] = pixel;
		}
		write_target(target, line, 3 * (size_t)width);
	}
	free(line);
}

static void save(const struct options *options, struct target *target, int buffer, uint64_t size)
{
	void *memory = map_buffer(buffer, size);

	check(sluice_cpu_begin(buffer, false), "read the buffer");
	if (options->width)
		write_ppm(target, memory, options->width, options->height);
	else
		write_target(target, memory, size);
	check(sluice_cpu_end(buffer, false), "read the buffer");
	close_target(target);
}

int do_capture(const struct options *options)
{
	static const struct column columns[] = {
		{ "sequence", 8, true }, { "timestamp/s", 11, true }, { "bytes", 8, true },
		{ "dropped", 7, true },
	};
	struct sluice_info info;
	int device = open_device(options->device, &info), buffer, queue, slot;
	struct sluice_completion completion;
	struct target *target = NULL;
	uint64_t size = options->size;
	struct table *table = NULL;
	struct sluice_op op;
	unsigned int i;

	need_op(&info, SLUICE_OP_CAPTURE, "capture");
	if (options->width)
		size = 4ULL * options->width * options->height;
	if (size % info.op_align)
		die("a frame of %" PRIu64 " bytes is not aligned for this device: make its size a "
		    "multiple of %u", size, info.op_align);
	if (options->to)
		target = open_target(options->to);
	buffer = new_buffer(device, options->heap, size);
	queue = open_queue(device, &info);
	slot = attach_buffer(queue, buffer, SLUICE_ATTACH_WRITE);
	if (options->width)
		sluice_op_capture_frame(&op, slot, 0, options->width, options->height,
					4 * options->width);
	else
		sluice_op_capture(&op, slot, 0, size);
	if (!options->json)
		table = new_table(columns, sizeof(columns) / sizeof(columns[0]));
	for (i = 0; i < options->frames; i++) {
		completion = run_op(queue, &op, "waiting for a frame");
		if (options->json)
			print_object(&completion);
		else
			print_row(table, &completion);
		if (!isatty(STDOUT_FILENO))
			show_progress("frame %u of %u", i + 1, options->frames);
	}
	end_progress();
	if (table)
		free_table(table);
	if (target)
		save(options, target, buffer, size);
	return 0;
}
