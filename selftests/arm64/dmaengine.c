// SPDX-License-Identifier: MIT
/*
 * dmaengine on a Raspberry Pi 3: channels of the BCM2835's DMA controller, whose bus
 * shows memory at other addresses than the CPU does.  What holds for each real
 * device, queue.c and others prove on this one, too.
 */
#include <fcntl.h>
#include <linux/udmabuf.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "buffers.h"
#include "harness.h"
#include "machine.h"
#include "modules.h"
#include "objects.h"
#include "pattern.h"
#include "sluice.h"

#define NODE "/dev/sluice/dmaengine0"
#define MODULE "/sluice/$(uname -r)/sluice-dmaengine.ko"
#define DRIVER "/sys/bus/platform/drivers/sluice-dmaengine"
#define CONTROLLER "/sys/bus/platform/drivers/bcm2835-dma"
#define PHYSICAL_0 0xc0000000UL	/* where the device sees the memory's first byte */
#define RESERVED 0x10000000UL	/* what the device tree reserves for it: selftests/vm/build */
#define RESERVED_SIZE (32UL << 20)
#define SRAM 0x38000000UL	/* the chip's */
#define SRAM_SIZE (8UL << 20)

#define SIZE (3UL << 20)
#define LARGE (32UL << 20)

static bool node_is_there(bool there)
{
	int tries;

	for (tries = 0; tries < LATE_MS / 10 && (access(NODE, F_OK) == 0) != there; tries++)
		usleep(10000);
	return tries < LATE_MS / 10;
}

/* A dma-buf of the kernel's: scattered pages, each a segment. */
static int foreign_buffer(size_t size)
{
	struct udmabuf_create args = { .flags = UDMABUF_FLAGS_CLOEXEC, .size = size };
	int node = open("/dev/udmabuf", O_RDWR | O_CLOEXEC), ret;

	args.memfd = memfd_create("foreign", MFD_ALLOW_SEALING | MFD_CLOEXEC);
	ftruncate(args.memfd, size);
	fcntl(args.memfd, F_ADD_SEALS, F_SEAL_SHRINK);
	ret = ioctl(node, UDMABUF_CREATE, &args);
	close(args.memfd);
	close(node);
	return ret;
}

/* How many channels somebody has. */
static int channels_in_use(void)
{
	FILE *pipe = popen("cat /sys/class/dma/*/in_use | grep -c 1", "r");
	int count = -1;

	if (!pipe || fscanf(pipe, "%d", &count) != 1)
		count = -1;
	if (pipe)
		pclose(pipe);
	return count;
}

FIXTURE(dmaengine) {
	struct objects before;
	int device, src, dst, queue, from, to;
};

FIXTURE_VARIANT(dmaengine) {
	const char *heap;
	uint32_t flags;
	size_t size;
};

FIXTURE_VARIANT_ADD(dmaengine, pages) { .heap = "pages", .size = SIZE };
FIXTURE_VARIANT_ADD(dmaengine, contiguous) { .heap = "contiguous", .size = SIZE };
FIXTURE_VARIANT_ADD(dmaengine, contiguous_cached) {
	.heap = "contiguous", .flags = SLUICE_MEM_CACHED, .size = SIZE,
};
FIXTURE_VARIANT_ADD(dmaengine, sram) { .heap = "sram", .size = SIZE };
FIXTURE_VARIANT_ADD(dmaengine, foreign) { .size = SIZE };

FIXTURE_SETUP(dmaengine)
{
	struct sluice_create_queue create = { .timeout_ms = SLUICE_MAX_TIMEOUT_MS };
	int heap;

	self->before = objects_before();
	self->device = sluice_open("dmaengine0");
	ASSERT_GE(self->device, 0);
	if (variant->heap) {
		heap = sluice_find_heap(self->device, variant->heap);
		self->src = sluice_alloc(self->device, heap, variant->size, variant->flags);
		self->dst = sluice_alloc(self->device, heap, variant->size, variant->flags);
	} else {
		self->src = foreign_buffer(variant->size);
		self->dst = foreign_buffer(variant->size);
	}
	ASSERT_GE(self->src, 0);
	ASSERT_GE(self->dst, 0);
	ASSERT_EQ(xioctl(self->device, SLUICE_IOCTL_CREATE_QUEUE, &create), 0);
	self->queue = create.fd;
	self->from = sluice_attach(self->queue, self->src, SLUICE_ATTACH_READ);
	self->to = sluice_attach(self->queue, self->dst, SLUICE_ATTACH_WRITE);
	ASSERT_GE(self->from, 0);
	ASSERT_GE(self->to, 0);
}

FIXTURE_TEARDOWN(dmaengine)
{
	close(self->queue);
	close(self->src);
	close(self->dst);
	close(self->device);
	EXPECT_TRUE(objects_settle(&self->before));
}

TEST_F(dmaengine, copies_and_fills_in_as_many_batches_as_it_takes)
{
	struct sluice_completion completion;
	struct sluice_op ops[2];

	ASSERT_EQ(fill_words(self->src, variant->size, 7), 0);
	sluice_op_fill(&ops[0], self->to, 0, variant->size, 0x1234abcd);
	ASSERT_EQ(sluice_submit(self->queue, ops, 1, -1, NULL, 0, NULL), 0);
	ASSERT_EQ(sluice_read(self->queue, &completion, 1), 1);
	EXPECT_EQ(completion.status, 0);
	EXPECT_EQ(completion.bytes, variant->size);
	EXPECT_EQ(check_value(self->dst, variant->size, 0x1234abcd), 0);

	sluice_op_copy(&ops[0], self->to, 0, self->from, 0, variant->size);
	ASSERT_EQ(sluice_submit(self->queue, ops, 1, -1, NULL, 0, NULL), 0);
	ASSERT_EQ(sluice_read(self->queue, &completion, 1), 1);
	EXPECT_EQ(completion.status, 0);
	EXPECT_EQ(completion.bytes, variant->size);
	EXPECT_EQ(check_words(self->dst, variant->size, 7), 0);

	/* one value after the other: the memory that fills copy from is written anew */
	sluice_op_fill(&ops[0], self->to, 0, variant->size, 0);
	sluice_op_fill(&ops[1], self->to, 4096, variant->size - 4096, 0xffffffff);
	ASSERT_EQ(sluice_submit(self->queue, ops, 2, -1, NULL, 0, NULL), 0);
	ASSERT_EQ(sluice_read(self->queue, &completion, 1), 1);
	EXPECT_EQ(completion.status, 0);
	EXPECT_EQ(completion.bytes, 2 * variant->size - 4096);
	EXPECT_EQ(check_value(self->dst, 4096, 0), 0);
}

static uint64_t bus_address(int device, int buffer)
{
	static const char path[] = "/sys/module/sluice/parameters/expose_addresses";
	struct sluice_buffer_info info;

	write_text(path, "Y");
	if (sluice_buffer_info(device, buffer, &info) || info.error)
		info.address = 0;
	write_text(path, "N");
	return info.address;
}

/* soft0 is behind no bus: it tells physical addresses. */
TEST_F(dmaengine, bus_addresses_are_not_physical_ones)
{
	static const char path[] = "/sys/module/sluice/parameters/expose_addresses";
	struct sluice_buffer_info info, physical;
	int soft;

	if (variant->heap && !strcmp(variant->heap, "sram")) {
		uint64_t address = bus_address(self->device, self->dst);

		/* which of the two depends on the kernel; the board shows it at both */
		address -= address < PHYSICAL_0 ? 0 : PHYSICAL_0;
		EXPECT_GE(address, SRAM);
		EXPECT_LE(address + variant->size, SRAM + SRAM_SIZE);
		return;
	}
	soft = sluice_open("soft0");
	ASSERT_EQ(write_text(path, "Y"), 0);
	EXPECT_EQ(sluice_buffer_info(self->device, self->dst, &info), 0);
	EXPECT_EQ(sluice_buffer_info(soft, self->dst, &physical), 0);
	ASSERT_EQ(write_text(path, "N"), 0);
	EXPECT_EQ(info.error, 0);
	EXPECT_EQ(physical.error, 0);
	EXPECT_NE(physical.address, 0);
	EXPECT_EQ(info.address, physical.address + PHYSICAL_0);
	close(soft);
}

TEST_F(dmaengine, job_that_takes_too_long_is_stopped_and_the_next_one_works)
{
	struct sluice_create_queue create = { .timeout_ms = 100 };
	struct sluice_op ops[SLUICE_MAX_OPS];
	struct sluice_completion completion;
	int from, to, i, tries = 0;

	ASSERT_EQ(xioctl(self->device, SLUICE_IOCTL_CREATE_QUEUE, &create), 0);
	from = sluice_attach(create.fd, self->src, SLUICE_ATTACH_READ);
	to = sluice_attach(create.fd, self->dst, SLUICE_ATTACH_WRITE);
	for (i = 0; i < SLUICE_MAX_OPS; i++)
		sluice_op_copy(&ops[i], to, 0, from, 0, variant->size);
	/* the controller goes on while the processors stand still: done, and not noticed */
	do {
		ASSERT_EQ(sluice_submit(create.fd, ops, SLUICE_MAX_OPS, -1, NULL, 0, NULL), 0);
		ASSERT_EQ(sluice_read(create.fd, &completion, 1), 1);
	} while (!completion.status && ++tries < 5);
	EXPECT_EQ(completion.status, -ETIME);
	EXPECT_LT(completion.bytes, SLUICE_MAX_OPS * variant->size);

	ASSERT_EQ(fill_words(self->src, variant->size, 8), 0);
	sluice_op_copy(&ops[0], self->to, 0, self->from, 0, variant->size);
	ASSERT_EQ(sluice_submit(self->queue, ops, 1, -1, NULL, 0, NULL), 0);
	ASSERT_EQ(sluice_read(self->queue, &completion, 1), 1);
	EXPECT_EQ(completion.status, 0);
	EXPECT_EQ(completion.bytes, variant->size);
	EXPECT_EQ(check_words(self->dst, variant->size, 8), 0);
	close(create.fd);
}

TEST_F(dmaengine, queue_closed_in_mid_job_stops_the_device)
{
	struct sluice_op ops[SLUICE_MAX_OPS];
	int fence, i;

	for (i = 0; i < SLUICE_MAX_OPS; i++)
		sluice_op_copy(&ops[i], self->to, 0, self->from, 0, variant->size);
	/* the last one's fence: we may be held up for longer than the first takes */
	for (i = 0; i < 3; i++)
		ASSERT_EQ(sluice_submit(self->queue, ops, SLUICE_MAX_OPS, -1,
					i < 2 ? NULL : &fence, 0, NULL), 0);
	usleep(50000);
	EXPECT_EQ(sluice_fence_wait(fence, 0), -ETIME);
	close(self->queue);
	EXPECT_EQ(sluice_fence_wait(fence, LATE_MS), -ECANCELED);
	close(fence);
	/* nothing writes any more: what the CPU writes now stays */
	ASSERT_EQ(fill_words(self->dst, variant->size, 9), 0);
	usleep(200000);
	EXPECT_EQ(check_words(self->dst, variant->size, 9), 0);
	self->queue = -1;
}

TEST_F(dmaengine, engines_are_channels_and_run_beside_each_other)
{
	int other = sluice_queue_create(self->device, 1), half = variant->size / 2, from, to;
	struct sluice_info info;
	struct sluice_op op;

	ASSERT_EQ(sluice_device_info(self->device, &info), 0);
	EXPECT_EQ(info.num_engines, 2);
	EXPECT_EQ(channels_in_use(), 2);
	ASSERT_EQ(fill_words(self->src, variant->size, 10), 0);
	ASSERT_GE(other, 0);
	from = sluice_attach(other, self->src, SLUICE_ATTACH_READ | SLUICE_ATTACH_EXPLICIT);
	to = sluice_attach(other, self->dst, SLUICE_ATTACH_WRITE | SLUICE_ATTACH_EXPLICIT);
	sluice_op_copy(&op, self->to, 0, self->from, 0, half);
	ASSERT_EQ(sluice_submit(self->queue, &op, 1, -1, NULL, 0, NULL), 0);
	sluice_op_copy(&op, to, half, from, half, half);
	ASSERT_EQ(sluice_submit(other, &op, 1, -1, NULL, 0, NULL), 0);
	EXPECT_EQ(sluice_wait(self->queue, 1, 20000), 0);
	EXPECT_EQ(sluice_wait(other, 1, 20000), 0);
	EXPECT_EQ(check_words(self->dst, variant->size, 10), 0);
	close(other);
}

/* Name of the device that the controller's driver is bound to. */
static bool find_controller(char *name, size_t size)
{
	FILE *pipe = popen("cd " CONTROLLER " && ls | grep dma", "r");
	bool found = pipe && fgets(name, size, pipe);

	if (pipe)
		pclose(pipe);
	name[found ? strcspn(name, "\n") : 0] = 0;
	return found;
}

/*
 * The controller's driver is unbound with jobs under way: our device goes before
 * it, and can be bound again when the controller is back.  While QEMU's controller
 * copies, the processors stand still: a program that has to be loaded first would
 * find little of a job left.
 */
TEST_F(dmaengine, controller_that_goes_takes_the_device_along)
{
	struct sluice_op ops[SLUICE_MAX_OPS];
	char controller[64];
	int fences[3], i;

	ASSERT_TRUE(find_controller(controller, sizeof(controller)));
	for (i = 0; i < SLUICE_MAX_OPS; i++)
		sluice_op_copy(&ops[i], self->to, 0, self->from, 0, variant->size);
	for (i = 0; i < 3; i++)
		ASSERT_EQ(sluice_submit(self->queue, ops, SLUICE_MAX_OPS, -1, &fences[i], 0, NULL),
			  0);
	usleep(20000);
	EXPECT_EQ(sluice_fence_wait(fences[2], 0), -ETIME);
	ASSERT_EQ(write_text(CONTROLLER "/unbind", controller), 0);
	/* those before the last may have ended, if we were held up */
	for (i = 0; i < 3; i++) {
		int status = sluice_fence_wait(fences[i], 0);

		if (status || i == 2)
			EXPECT_EQ(status, -ENODEV);
		close(fences[i]);
	}
	EXPECT_NE(access(NODE, F_OK), 0);
	EXPECT_EQ(sluice_submit(self->queue, ops, 1, -1, NULL, 0, NULL), -ENODEV);

	ASSERT_EQ(write_text(CONTROLLER "/bind", controller), 0);
	ASSERT_EQ(write_text(DRIVER "/bind", "sluice-dmaengine"), 0);
	EXPECT_TRUE(node_is_there(true));
	/* the buffers are still what they were, but those of the device's own memory */
	if (variant->heap && !strcmp(variant->heap, "sram")) {
		EXPECT_EQ(fill_words(self->src, variant->size, 11), -ENODEV);
		return;
	}
	EXPECT_EQ(fill_words(self->src, variant->size, 11), 0);
	EXPECT_EQ(check_words(self->src, variant->size, 11), 0);
}

#define TRACING "/sys/kernel/tracing/"
#define PROBE TRACING "events/kprobes/sluice_test/"

/* Count calls of a function of the kernel by this process; false if it cannot be done. */
static bool calls_begin(const char *function)
{
	char text[96];

	write_text(TRACING "kprobe_events", "");
	snprintf(text, sizeof(text), "p:sluice_test %s\n", function);
	if (write_text(TRACING "kprobe_events", text))
		return false;
	snprintf(text, sizeof(text), "common_pid==%d", getpid());
	return !write_text(PROBE "filter", text) && !write_text(TRACING "trace", "\n") &&
	       !write_text(PROBE "enable", "1");
}

/* How many there were with "value=" something, the last of which is in *value. */
static int calls_values(unsigned long *value)
{
	FILE *file = fopen(TRACING "trace", "re");
	char line[256], *found;
	int count = 0;

	while (file && fgets(line, sizeof(line), file)) {
		count += strstr(line, "sluice_test:") != NULL;
		found = strstr(line, "value=");
		if (found)
			*value = strtoul(found + 6, NULL, 0);
	}
	if (file)
		fclose(file);
	write_text(PROBE "enable", "0");
	write_text(TRACING "kprobe_events", "");
	return file ? count : -1;
}

/* How many there were. */
static int calls_end(void)
{
	unsigned long value;

	return calls_values(&value);
}

/* soft0's heap is coherent for soft0: this importer sees what the caches have written back. */
TEST(cpu_access_syncs_the_caches_for_an_importer_whatever_the_heap)
{
	static const char *const heaps[] = { "pages", "contiguous" };
	int soft = sluice_open("soft0"), device = sluice_open("dmaengine0");
	struct objects before = objects_read();
	unsigned int i;

	for (i = 0; i < 2; i++) {
		int buffer = sluice_alloc(soft, sluice_find_heap(soft, heaps[i]), 65536, 0);
		int queue = sluice_queue_create(device, 0), fors, cpus;

		ASSERT_GE(buffer, 0);
		ASSERT_EQ(sluice_attach(queue, buffer, 0), 0);
		if (!calls_begin("arch_sync_dma_for_cpu"))
			SKIP(return, "no probes in this kernel");
		EXPECT_EQ(sluice_cpu_begin(buffer, true), 0);
		cpus = calls_end();
		ASSERT_TRUE(calls_begin("arch_sync_dma_for_device"));
		EXPECT_EQ(sluice_cpu_end(buffer, true), 0);
		fors = calls_end();
		EXPECT_GT(cpus, 0) TH_LOG("%s", heaps[i]);
		EXPECT_GT(fors, 0) TH_LOG("%s", heaps[i]);
		close(queue);
		close(buffer);
	}
	EXPECT_TRUE(objects_settle(&before));
	close(soft);
	close(device);
}

/* Which of the kernel's memory types a process's mapping of a buffer has; -1 if none can tell. */
static int memory_type(int buffer)
{
	unsigned long prot = 0;
	void *map;

	if (!calls_begin("remap_pfn_range value=%x4:x64"))
		return -1;
	map = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_SHARED, buffer, 0);
	if (calls_values(&prot) < 1 || map == MAP_FAILED)
		return -1;
	munmap(map, 65536);
	return prot >> 2 & 7;	/* AttrIndx */
}

/* The controller does not see the caches: its coherent memory is not cached, CACHED is. */
TEST(contiguous_memory_is_cached_if_asked_and_its_caches_are_synced)
{
	int device = sluice_open("dmaengine0"), heap = sluice_find_heap(device, "contiguous");
	struct sluice_sync sync = { .offset = 8192, .length = 4096, .flags = SLUICE_SYNC_RW };
	struct sluice_alloc args = { .size = 65536, .heap = heap, .flags = SLUICE_MEM_CACHED };
	struct objects before = objects_read();
	int coherent = sluice_alloc(device, heap, 65536, 0), queue = sluice_queue_create(device, 0);
	int pages = sluice_alloc(device, 0, 65536, 0);
	struct sluice_buffer_info info;
	unsigned long length = 0;

	ASSERT_GE(coherent, 0);
	ASSERT_EQ(xioctl(device, SLUICE_IOCTL_ALLOC, &args), 0);
	EXPECT_EQ(args.granted & ~SLUICE_MEM_RESERVED, SLUICE_MEM_CACHED | SLUICE_MEM_CONTIGUOUS);
	ASSERT_EQ(sluice_buffer_info(device, args.fd, &info), 0);
	EXPECT_EQ(info.properties, args.granted);
	EXPECT_EQ(info.segments, 1);
	if (memory_type(pages) < 0)
		SKIP(return, "no probes in this kernel");
	EXPECT_EQ(memory_type(args.fd), memory_type(pages));
	EXPECT_NE(memory_type(args.fd), memory_type(coherent));

	ASSERT_EQ(sluice_attach(queue, args.fd, 0), 0);
	ASSERT_TRUE(calls_begin("arch_sync_dma_for_cpu value=%x1:x64"));
	EXPECT_EQ(sluice_cpu_begin(args.fd, true), 0);
	EXPECT_EQ(calls_values(&length), 1);
	EXPECT_EQ(length, 65536);
	sync.fd = args.fd;
	ASSERT_TRUE(calls_begin("arch_sync_dma_for_device value=%x1:x64"));
	EXPECT_EQ(sluice_cpu_end(args.fd, true), 0);
	EXPECT_EQ(xioctl(device, SLUICE_IOCTL_SYNC, &sync), 0);
	sync.flags |= SLUICE_SYNC_END;
	EXPECT_EQ(xioctl(device, SLUICE_IOCTL_SYNC, &sync), 0);
	EXPECT_EQ(calls_values(&length), 2);
	EXPECT_EQ(length, 4096);
	close(queue);
	close(args.fd);
	close(coherent);
	close(pages);
	EXPECT_TRUE(objects_settle(&before));
	close(device);
}

/* The controller's region of the device tree: all contiguous memory is there, and no other. */
TEST(contiguous_memory_is_in_the_region_of_the_device_tree)
{
	static const uint32_t flags[] = { 0, SLUICE_MEM_CACHED };
	int device = sluice_open("dmaengine0"), heap = sluice_find_heap(device, "contiguous");
	struct objects before = objects_read();
	int fds[10], soft = sluice_open("soft0"), i, round;
	uint64_t size = RESERVED_SIZE / 8, address;
	struct sluice_heap_info info;
	uint32_t hint;

	ASSERT_EQ(sluice_heap_info(device, heap, &info), 0);
	EXPECT_EQ(info.properties, SLUICE_MEM_COHERENT | SLUICE_MEM_CONTIGUOUS |
		  SLUICE_MEM_RESERVED);
	EXPECT_EQ(info.max_size, RESERVED_SIZE);
	EXPECT_EQ(alloc_hint(device, heap, RESERVED_SIZE + 1, &hint), -EFBIG);
	EXPECT_EQ(hint, SLUICE_HINT_LIMIT);
	for (round = 0; round < 2; round++) {
		for (i = 0; i < 8; i++) {
			fds[i] = sluice_alloc(device, heap, size, flags[round]);
			ASSERT_GE(fds[i], 0);
			address = bus_address(device, fds[i]) - PHYSICAL_0;
			EXPECT_GE(address, RESERVED);
			EXPECT_LE(address + size, RESERVED + RESERVED_SIZE);
		}
		/* full: other memory, of which there is enough, does not do */
		fds[8] = alloc_hint(device, heap, 4096, &hint);
		EXPECT_EQ(fds[8], -ENOMEM);
		EXPECT_EQ(hint, SLUICE_HINT_FRAGMENTED);
		/* nor is the region for other devices */
		fds[9] = sluice_alloc(soft, sluice_find_heap(soft, "contiguous"), 4096, 0);
		EXPECT_GE(fds[9], 0);
		close(fds[9]);
		for (i = 0; i < 8; i++)
			close(fds[i]);
	}
	ASSERT_EQ(sluice_heap_info(soft, sluice_find_heap(soft, "contiguous"), &info), 0);
	EXPECT_EQ(info.properties & SLUICE_MEM_RESERVED, 0);
	close(soft);
	EXPECT_TRUE(objects_settle(&before));
	close(device);
}

/* Lines that are dropped may hold what a CPU has written and not synced yet. */
TEST(looking_where_foreign_memory_is_drops_no_lines_of_the_caches)
{
	int device = sluice_open("dmaengine0"), queue = sluice_queue_create(device, 0), slot;
	int foreign = foreign_buffer(65536);

	ASSERT_GE(foreign, 0);
	ASSERT_GE(queue, 0);
	if (!calls_begin("arch_sync_dma_for_cpu"))
		SKIP(return, "no probes in this kernel");
	slot = sluice_attach(queue, foreign, 0);
	EXPECT_EQ(calls_end(), 0);
	EXPECT_EQ(slot, 0);
	/* the probe sees them, where they belong */
	ASSERT_TRUE(calls_begin("arch_sync_dma_for_cpu"));
	EXPECT_EQ(sluice_detach(queue, slot), 0);
	EXPECT_GT(calls_end(), 0);
	close(foreign);
	close(queue);
	close(device);
}

TEST(channels_are_those_that_were_named)
{
	struct objects before = objects_read();
	struct sluice_info info;
	int device;

	ASSERT_TRUE(module_unload("sluice_dmaengine"));
	EXPECT_NE(access(NODE, F_OK), 0);
	EXPECT_EQ(channels_in_use(), 0);
	ASSERT_EQ(system("insmod " MODULE " channels=dma0chan7"), 0);
	EXPECT_TRUE(node_is_there(true));
	EXPECT_EQ(system("[ $(cat /sys/class/dma/dma0chan7/in_use) = 1 ]"), 0);
	EXPECT_EQ(channels_in_use(), 1);
	device = sluice_open("dmaengine0");
	ASSERT_EQ(sluice_device_info(device, &info), 0);
	EXPECT_EQ(info.num_engines, 1);
	EXPECT_STREQ(info.driver, "dmaengine");
	/* while the node is open its module stays */
	EXPECT_NE(system("rmmod sluice_dmaengine 2>/dev/null"), 0);
	close(device);

	ASSERT_TRUE(module_unload("sluice_dmaengine"));
	ASSERT_EQ(system("insmod " MODULE), 0);
	EXPECT_TRUE(node_is_there(true));
	EXPECT_TRUE(objects_settle(&before));
}

TEST(channel_that_is_not_there_is_waited_for_and_named)
{
	struct objects before = objects_read();

	ASSERT_TRUE(module_unload("sluice_dmaengine"));
	ASSERT_EQ(system("insmod " MODULE " channels=dma0chan2,dma7chan0"), 0);
	EXPECT_NE(access(NODE, F_OK), 0);
	EXPECT_EQ(channels_in_use(), 0);
	EXPECT_EQ(system("grep -q 'sluice-dmaengine.*dma7chan0' /sys/kernel/debug/devices_deferred"),
		  0);
	ASSERT_TRUE(module_unload("sluice_dmaengine"));
	ASSERT_EQ(system("insmod " MODULE), 0);
	EXPECT_TRUE(node_is_there(true));
	EXPECT_TRUE(objects_settle(&before));
}

TEST(memory_of_all_of_the_machine_is_reached)
{
	struct objects before = objects_read();
	int device = sluice_open("dmaengine0"), queue = sluice_queue_create(device, 0), fds[12], i;
	uint64_t point;

	ASSERT_GE(queue, 0);
	for (i = 0; i < 12; i++) {
		struct sluice_op op;

		fds[i] = sluice_alloc(device, 0, LARGE, 0);
		ASSERT_GE(fds[i], 0);
		ASSERT_EQ(sluice_attach(queue, fds[i], SLUICE_ATTACH_WRITE), i);
		sluice_op_fill(&op, i, LARGE - 65536, 65536, i + 1);
		ASSERT_EQ(sluice_submit(queue, &op, 1, -1, NULL, 0, &point), 0);
	}
	EXPECT_EQ(sluice_wait(queue, point, 20000), 0);
	close(queue);
	for (i = 0; i < 12; i++) {
		uint32_t *words = mmap(NULL, 65536, PROT_READ, MAP_SHARED, fds[i], LARGE - 65536);

		ASSERT_NE(words, MAP_FAILED);
		ASSERT_EQ(sluice_cpu_begin(fds[i], false), 0);
		EXPECT_EQ(words[0], i + 1);
		EXPECT_EQ(words[16383], i + 1);
		EXPECT_EQ(sluice_cpu_end(fds[i], false), 0);
		munmap(words, 65536);
		close(fds[i]);
	}
	close(device);
	EXPECT_TRUE(objects_settle(&before));
}

/* A byte that is there no more is a SIGBUS, which ends the child. */
static bool is_gone(volatile uint32_t *word)
{
	int status = 0;
	pid_t pid = fork();

	if (!pid)
		_exit(*word & 0);
	return pid > 0 && waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) &&
	       WTERMSIG(status) == SIGBUS;
}

TEST(sram_of_the_chip_is_a_heap_of_the_device)
{
	struct objects before = objects_read();
	int device = sluice_open("dmaengine0"), heap = sluice_find_heap(device, "sram"), fds[3], i;
	int soft = sluice_open("soft0"), queue = sluice_queue_create(soft, 0);
	struct sluice_heap_info info;
	uint32_t hint, *words;

	ASSERT_GE(heap, 0);
	ASSERT_GE(queue, 0);
	ASSERT_EQ(sluice_heap_info(device, heap, &info), 0);
	EXPECT_EQ(info.properties, SLUICE_MEM_WRITE_COMBINED | SLUICE_MEM_CONTIGUOUS |
		  SLUICE_MEM_DEVICE);
	EXPECT_EQ(info.max_size, SRAM_SIZE);
	EXPECT_EQ(alloc_hint(device, heap, SRAM_SIZE + 4096, &hint), -EFBIG);
	for (i = 0; i < 2; i++) {
		fds[i] = sluice_alloc(device, heap, SRAM_SIZE / 2, 0);
		ASSERT_GE(fds[i], 0);
		EXPECT_EQ(check_value(fds[i], SRAM_SIZE / 2, 0), 0);
		ASSERT_EQ(fill_words(fds[i], SRAM_SIZE / 2, i + 1), 0);
	}
	EXPECT_EQ(alloc_hint(device, heap, 4096, &hint), -ENOMEM);
	for (i = 0; i < 2; i++)
		EXPECT_EQ(check_words(fds[i], SRAM_SIZE / 2, i + 1), 0);
	close(fds[0]);
	/* the next one does not see what was there */
	fds[0] = sluice_alloc(device, heap, 65536, 0);
	ASSERT_GE(fds[0], 0);
	EXPECT_EQ(check_value(fds[0], 65536, 0), 0);
	/* another device has no way to it that anybody knows of */
	EXPECT_LT(sluice_attach(queue, fds[0], SLUICE_ATTACH_READ), 0);

	ASSERT_EQ(sluice_map(fds[0], 65536, (void **)&words), 0);
	EXPECT_FALSE(is_gone(words));
	EXPECT_EQ(write_text(DRIVER "/unbind", "sluice-dmaengine"), 0);
	EXPECT_TRUE(is_gone(words));
	munmap(words, 65536);
	for (i = 0; i < 2; i++)
		close(fds[i]);
	close(queue);
	close(soft);
	close(device);
	EXPECT_EQ(write_text(DRIVER "/bind", "sluice-dmaengine"), 0);
	EXPECT_TRUE(node_is_there(true));
	EXPECT_TRUE(objects_settle(&before));
	/* all of it came back */
	device = sluice_open("dmaengine0");
	fds[0] = sluice_alloc(device, sluice_find_heap(device, "sram"), SRAM_SIZE, 0);
	EXPECT_GE(fds[0], 0);
	close(fds[0]);
	close(device);
}

TEST_HARNESS_MAIN
