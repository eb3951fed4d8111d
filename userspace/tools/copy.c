// SPDX-License-Identifier: MIT
/* sluicectl copy: the device copies one buffer to another, and the tool compares the two. */
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"

/* Data of which no two words are alike. */
static void make_up(uint32_t *words, uint64_t size)
{
	uint64_t i;

	for (i = 0; i < size / sizeof(*words); i++)
		words[i] = (uint32_t)(i * 2654435761u);
}

static void print_result(const struct options *options, const struct sluice_info *info,
			 uint64_t bytes, double seconds)
{
	struct json_object *object;

	if (!options->json) {
		printf("%s copied %" PRIu64 " bytes in %.1f ms; both buffers are equal\n",
		       info->name, bytes, seconds * 1e3);
		return;
	}
	object = json_object_new_object();
	json_add_string(object, "device", info->name);
	json_add_number(object, "bytes", bytes);
	json_add_double(object, "seconds", seconds);
	json_add_bool(object, "equal", true);
	print_json(object);
}

int do_copy(const struct options *options)
{
	struct sluice_info info;
	int device = open_device(options->device, &info);
	int queue, src, dst, from, to;
	uint64_t size = options->size, whole;
	struct sluice_completion completion;
	struct target *target = NULL;
	struct sluice_op op;
	void *in, *out, *data = NULL;
	double began;

	need_op(&info, SLUICE_OP_COPY, "copy");
	if (options->to)
		target = open_target(options->to);
	/* each of the two buffers may have half of the limit */
	if (options->from)
		data = read_file(options->from, options->size_given ? size : 0,
				 info.open_limit / 2, &size);
	/* the device copies multiples of op_align, but a file may have any size */
	whole = (size + info.op_align - 1) / info.op_align * info.op_align;
	src = new_buffer(device, options->heap, whole);
	dst = new_buffer(device, options->heap, whole);
	in = map_buffer(src, whole);
	out = map_buffer(dst, whole);

	check(sluice_cpu_begin(src, true), "write to the buffer");
	if (data)
		memcpy(in, data, size);
	else
		make_up(in, size);
	check(sluice_cpu_end(src, true), "write to the buffer");
	free(data);

	queue = open_queue(device, &info);
	from = attach_buffer(queue, src, SLUICE_ATTACH_READ);
	to = attach_buffer(queue, dst, SLUICE_ATTACH_WRITE);
	sluice_op_copy(&op, to, 0, from, 0, whole);
	began = seconds_now();
	completion = run_op(queue, &op, "copying");
	began = seconds_now() - began;

	check(sluice_cpu_begin(src, false), "read the buffer");
	check(sluice_cpu_begin(dst, false), "read the buffer");
	if (memcmp(in, out, whole))
		die("the copy that the device made differs from the original: the device, or its "
		    "driver, has a fault");
	if (target)
		write_target(target, out, size);
	check(sluice_cpu_end(dst, false), "read the buffer");
	check(sluice_cpu_end(src, false), "read the buffer");
	if (target)
		close_target(target);
	print_result(options, &info, completion.bytes, began);
	return 0;
}
