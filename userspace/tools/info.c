// SPDX-License-Identifier: MIT
/* sluicectl info: what a device is and what it can do. */
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <unistd.h>

#include "tool.h"

static const char * const capability_names[] = {
	"sync_file", "io_uring", "chain_errors", "cma", "bounced", "completion_size", "formats",
	"cyclic", "controls", "private",
};

#define NUM_CAPABILITIES (sizeof(capability_names) / sizeof(capability_names[0]))

static const char * const engine_names[] = { "ordered", "software", "writes", "reads" };

static void print_kinds(uint64_t kinds)
{
	unsigned int i;

	for (i = 0; i < NUM_KINDS; i++)
		if (kinds & 1ULL << (SLUICE_OP_COPY + i))
			printf(" %s", kind_names[i]);
}

static void print_limits(const struct sluice_engine_info *engine)
{
	if (engine->min_length)
		printf(", ops of at least %" PRIu64 " bytes", (uint64_t)engine->min_length);
	if (engine->max_length)
		printf(", ops of at most %" PRIu64 " bytes", (uint64_t)engine->max_length);
	if (engine->max_segments)
		printf(", at most %u segment%s", engine->max_segments,
		       engine->max_segments == 1 ? "" : "s");
}

static void print_engine(const struct sluice_engine_info *engine)
{
	printf("engine %-4u", engine->index);
	print_kinds(engine->op_kinds);
	printf("; depth %u, alignment %u, stride %u, %u formats", engine->depth,
	       engine->op_align, engine->stride_align, engine->num_formats);
	printf("%s%s", engine->properties & SLUICE_ENGINE_IS_ORDERED ? ", ordered" : "",
	       engine->properties & SLUICE_ENGINE_IS_SOFTWARE ? ", software" : "");
	print_limits(engine);
	putchar('\n');
}

/* The dma-heap node of a heap; returns false if there is none. */
static bool find_node(const struct sluice_info *info, const struct sluice_heap_info *heap,
		      char *node, size_t size)
{
	snprintf(node, size, "/dev/dma_heap/sluice-%s-%s", info->name, heap->name);
	return !access(node, F_OK);
}

#define NODE_LEN (sizeof("/dev/dma_heap/sluice--") + 2 * SLUICE_NAME_LEN)

static void print_heap(const struct sluice_info *info, const struct sluice_heap_info *heap)
{
	char node[NODE_LEN];

	printf("heap        %-10s up to %" PRIu64 " MiB,", heap->name,
	       (uint64_t)heap->max_size >> 20);
	print_properties(heap->properties);
	if (heap->options) {
		fputs("; options:", stdout);
		print_properties(heap->options);
	}
	if (find_node(info, heap, node, sizeof(node)))
		printf(", also %s", node);
	putchar('\n');
}

static void print_text(int device, const struct sluice_info *info)
{
	struct sluice_engine_info engine;
	struct sluice_heap_info heap;
	unsigned int i;

	printf("device      %s\ndriver      %s\nuapi        %u\n", info->name, info->driver,
	       info->uapi_version);
	printf("ops        ");
	print_kinds(info->op_kinds);
	printf("\nalignment   %u bytes\nDMA         %u bits\nengines     %u\n", info->op_align,
	       info->dma_bits, info->num_engines);
	for (i = 0; i < info->num_engines && info->caps & SLUICE_CAP_FORMATS; i++) {
		check(sluice_engine_info(device, i, &engine), "ask the device for its engines");
		print_engine(&engine);
	}
	printf("fences      %s\n", info->caps & SLUICE_CAP_SYNC_FILE ? "sync_file" :
	       "implicit sync only: this kernel has no sync_file");
	printf("io_uring    %s\n", info->caps & SLUICE_CAP_URING ? "yes" : "no");
	printf("interrupts  %u for eventfds and programs\n", info->num_interrupts);
	printf("job         up to %u ops, %u in-fences, %u ms (default %u ms)\n", info->max_ops,
	       info->max_in_fences, info->max_timeout_ms, info->default_timeout_ms);
	printf("queue       up to %u jobs, %u slots", info->max_depth, info->max_slots);
	if (info->max_queues)
		printf("; %u queues for each open file of the node", info->max_queues);
	printf("\n");
	printf("limit       %" PRIu64 " MiB for each open file of the node\n",
	       (uint64_t)info->open_limit >> 20);
	if (info->total_limit) {
		printf("            %" PRIu64 " MiB for each user; this user has %" PRIu64 " MiB\n",
		       (uint64_t)info->user_limit >> 20, (uint64_t)info->user_bytes >> 20);
		printf("            %" PRIu64 " MiB for all users; they have %" PRIu64 " MiB\n",
		       (uint64_t)info->total_limit >> 20, (uint64_t)info->total_bytes >> 20);
	}
	/* before UAPI version 4 a module does not report SLUICE_CAP_CMA */
	if (info->uapi_version >= 4)
		printf("CMA         %s\n", info->caps & SLUICE_CAP_CMA ? "yes" :
		       "no: large contiguous buffers may fail; boot with cma=SIZE");
	if (info->caps & SLUICE_CAP_BOUNCED)
		puts("bounced     the kernel bounces this device's DMA: use the heap contiguous");
	for (i = 0; i < info->num_heaps; i++) {
		check(sluice_heap_info(device, i, &heap), "ask the device for its heaps");
		print_heap(info, &heap);
	}
}

static struct json_object *engine_object(const struct sluice_engine_info *engine)
{
	struct json_object *object = json_object_new_object();

	json_add_number(object, "engine", engine->index);
	json_add_names(object, "ops", engine->op_kinds >> SLUICE_OP_COPY, kind_names, NUM_KINDS);
	json_add_names(object, "properties", engine->properties, engine_names,
		       sizeof(engine_names) / sizeof(engine_names[0]));
	json_add_number(object, "depth", engine->depth);
	json_add_number(object, "op_align", engine->op_align);
	json_add_number(object, "stride_align", engine->stride_align);
	json_add_number(object, "formats", engine->num_formats);
	/* 0 for no limit */
	json_add_number(object, "min_length", engine->min_length);
	json_add_number(object, "max_length", engine->max_length);
	json_add_number(object, "max_segments", engine->max_segments);
	return object;
}

static struct json_object *heap_object(const struct sluice_info *info,
				       const struct sluice_heap_info *heap)
{
	struct json_object *object = json_object_new_object();
	char node[NODE_LEN];

	json_add_string(object, "heap", heap->name);
	json_add_number(object, "max_size", heap->max_size);
	json_add_names(object, "properties", heap->properties, property_names, NUM_PROPERTIES);
	json_add_names(object, "options", heap->options, property_names, NUM_PROPERTIES);
	if (find_node(info, heap, node, sizeof(node)))
		json_add_string(object, "node", node);
	return object;
}

static void print_object(int device, const struct sluice_info *info)
{
	struct json_object *object = json_object_new_object();
	struct json_object *engines = json_object_new_array(), *heaps = json_object_new_array();
	struct sluice_engine_info engine;
	struct sluice_heap_info heap;
	unsigned int i;

	json_add_string(object, "device", info->name);
	json_add_string(object, "driver", info->driver);
	json_add_number(object, "uapi", info->uapi_version);
	json_add_names(object, "ops", info->op_kinds >> SLUICE_OP_COPY, kind_names, NUM_KINDS);
	json_add_names(object, "capabilities", info->caps, capability_names, NUM_CAPABILITIES);
	json_add_number(object, "op_align", info->op_align);
	json_add_number(object, "dma_bits", info->dma_bits);
	json_add_number(object, "interrupts", info->num_interrupts);
	json_add_number(object, "max_ops", info->max_ops);
	json_add_number(object, "max_in_fences", info->max_in_fences);
	json_add_number(object, "max_slots", info->max_slots);
	json_add_number(object, "max_depth", info->max_depth);
	json_add_number(object, "max_queues", info->max_queues);
	json_add_number(object, "default_timeout_ms", info->default_timeout_ms);
	json_add_number(object, "max_timeout_ms", info->max_timeout_ms);
	json_add_number(object, "open_limit", info->open_limit);
	json_add_number(object, "user_limit", info->user_limit);
	json_add_number(object, "user_bytes", info->user_bytes);
	json_add_number(object, "total_limit", info->total_limit);
	json_add_number(object, "total_bytes", info->total_bytes);
	for (i = 0; i < info->num_engines && info->caps & SLUICE_CAP_FORMATS; i++) {
		check(sluice_engine_info(device, i, &engine), "ask the device for its engines");
		json_object_array_add(engines, engine_object(&engine));
	}
	json_object_object_add(object, "engines", engines);
	for (i = 0; i < info->num_heaps; i++) {
		check(sluice_heap_info(device, i, &heap), "ask the device for its heaps");
		json_object_array_add(heaps, heap_object(info, &heap));
	}
	json_object_object_add(object, "heaps", heaps);
	print_json(object);
}

int do_info(const struct options *options)
{
	struct sluice_info info;
	int device = open_device(options->device, &info);

	if (options->json)
		print_object(device, &info);
	else
		print_text(device, &info);
	return 0;
}
