// SPDX-License-Identifier: MIT
/* sluicectl alloc: a buffer, and how the device sees it. */
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>

#include "tool.h"

static void print_object(const char *device, const struct sluice_buffer_info *info)
{
	struct json_object *object = json_object_new_object();

	json_add_string(object, "device", device);
	json_add_number(object, "size", info->size);
	json_add_number(object, "segments", info->segments);
	json_add_number(object, "largest_segment", info->largest_segment);
	json_add_names(object, "properties", info->properties, property_names, NUM_PROPERTIES);
	json_add_number(object, "inode", info->inode);
	print_json(object);
}

int do_alloc(const struct options *options)
{
	struct sluice_info device_info;
	int device = open_device(options->device, &device_info);
	int buffer = new_buffer(device, options->heap, options->size);
	struct sluice_buffer_info info;

	check(sluice_buffer_info(device, buffer, &info), "ask how the device sees the buffer");
	if (options->json) {
		print_object(device_info.name, &info);
		return 0;
	}
	printf("size        %" PRIu64 " bytes\n", (uint64_t)info.size);
	printf("segments    %u, the largest %" PRIu64 " bytes\n", info.segments,
	       (uint64_t)info.largest_segment);
	printf("properties ");
	print_properties(info.properties);
	printf("\ninode       %" PRIu64 "\n", (uint64_t)info.inode);
	return 0;
}
