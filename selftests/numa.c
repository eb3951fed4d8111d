// SPDX-License-Identifier: MIT
/*
 * A device on another NUMA node than the program: its memory is on the device's node.  This test
 * has a guest of its own, with two nodes and an edu device on the second.
 */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "buffers.h"
#include "harness.h"
#include "machine.h"
#include "objects.h"
#include "peers.h"
#include "sluice.h"

#define SIZE (4UL << 20)
#define ADDRESSES "/sys/module/sluice/parameters/expose_addresses"
#define NODES "/sys/devices/system/node/"

static long read_number(const char *path, int base)
{
	FILE *file = fopen(path, "re");
	char text[32] = "";

	if (!file)
		return -1;
	if (!fgets(text, sizeof(text), file))
		text[0] = 0;
	fclose(file);
	return text[0] ? strtol(text, NULL, base) : -1;
}

static int node_of_device(const char *address)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/numa_node", address);
	return read_number(path, 10);
}

/* Run on a CPU of node 0. */
static bool stay_on_node_0(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	return access(NODES "node0/cpu0", F_OK) == 0 && !sched_setaffinity(0, sizeof(set), &set);
}

/* Empty the pool, because a device without a node would get memory that earlier tests left. */
static bool pool_empties(void)
{
	int tries;

	for (tries = 0; tries < LATE_MS / 10; tries++) {
		if (!read_number("/sys/kernel/debug/sluice/pool", 10))
			return true;
		write_text("/proc/sys/vm/drop_caches", "2");
		usleep(10000);
	}
	return false;
}

FIXTURE(numa) {
	struct objects before;
	struct peers peers;
	int device, soft, node;
};

FIXTURE_SETUP(numa)
{
	self->before = objects_before();
	self->soft = sluice_open("soft0");
	ASSERT_GE(self->soft, 0);
	self->device = -1;
	if (!peers_find(&self->peers) || (self->node = node_of_device(self->peers.edu)) <= 0)
		SKIP(return, "no device is on another node");
	self->device = peers_open_edu(&self->peers);
	ASSERT_GE(self->device, 0);
	ASSERT_TRUE(stay_on_node_0());
	ASSERT_TRUE(pool_empties());
}

FIXTURE_TEARDOWN(numa)
{
	if (self->device >= 0) {
		close(self->device);
		peers_leave(&self->peers);
	}
	close(self->soft);
	EXPECT_TRUE(objects_settle(&self->before));
}

static int alloc_backed(int device, uint32_t flags)
{
	return sluice_alloc(device, 0, SIZE, SLUICE_MEM_PAGE_BACKED | flags);
}

/* The node of all pages of a page-backed buffer; -1 if there are several nodes. */
static int node_of_pages(int buffer)
{
	long page = sysconf(_SC_PAGESIZE), count = SIZE / page, i;
	int *status = calloc(count, sizeof(*status)), node = -1;
	void **pages = calloc(count, sizeof(*pages));
	char *map;

	if (sluice_map(buffer, SIZE, (void **)&map))
		return -1;
	for (i = 0; i < count; i++) {
		pages[i] = map + i * page;
		map[i * page] = 1;
	}
	if (!syscall(SYS_move_pages, 0, count, pages, NULL, status, 0))
		node = status[0];
	for (i = 1; i < count; i++)
		if (status[i] != status[0])
			node = -1;
	munmap(map, SIZE);
	free(status);
	free(pages);
	return node;
}

/* Is the first segment on this node?  @device sees physical addresses. */
static bool begins_on_node(int device, int buffer, int node)
{
	long block = read_number("/sys/devices/system/memory/block_size_bytes", 16);
	struct sluice_buffer_info info;
	char path[96];
	int ret;

	write_text(ADDRESSES, "Y");
	ret = sluice_buffer_info(device, buffer, &info);
	write_text(ADDRESSES, "N");
	if (ret || info.error || !info.address || block <= 0)
		return false;
	snprintf(path, sizeof(path), NODES "node%d/memory%llu", node,
		 (unsigned long long)info.address / block);
	return access(path, F_OK) == 0;
}

TEST_F(numa, pages_are_on_the_node_of_the_device)
{
	static const uint32_t flags[] = { 0, SLUICE_MEM_HUGE };
	int i, buffer;

	for (i = 0; i < 2; i++) {
		buffer = alloc_backed(self->device, flags[i]);
		ASSERT_GE(buffer, 0);
		EXPECT_EQ(node_of_pages(buffer), self->node);
		close(buffer);
		/* again, from the pool */
		buffer = alloc_backed(self->device, flags[i]);
		ASSERT_GE(buffer, 0);
		EXPECT_EQ(node_of_pages(buffer), self->node);
		close(buffer);
	}
}

TEST_F(numa, memory_for_a_device_without_a_node_is_near_the_caller)
{
	int buffer = alloc_backed(self->soft, 0);

	ASSERT_GE(buffer, 0);
	EXPECT_EQ(node_of_pages(buffer), 0);
	close(buffer);
}

/* Memory of another node stays in the pool while the device's node has free memory. */
TEST_F(numa, pool_gives_no_memory_of_another_node)
{
	int near[4], i;

	for (i = 0; i < 4; i++) {
		near[i] = alloc_backed(self->soft, 0);
		ASSERT_GE(near[i], 0);
		ASSERT_EQ(node_of_pages(near[i]), 0);
	}
	for (i = 0; i < 4; i++)
		close(near[i]);
	for (i = 0; i < 4; i++) {
		near[i] = alloc_backed(self->device, 0);
		ASSERT_GE(near[i], 0);
		EXPECT_EQ(node_of_pages(near[i]), self->node);
	}
	for (i = 0; i < 4; i++)
		close(near[i]);
}

/* From the page allocator, or from a search if there is no CMA. */
TEST_F(numa, contiguous_memory_is_on_the_node_of_the_device)
{
	int heap = sluice_find_heap(self->device, "contiguous"), buffer;
	static const uint64_t sizes[] = { 65536, SIZE, 3 * SIZE };
	unsigned int i;

	for (i = 0; i < 3; i++) {
		uint32_t hint;

		buffer = alloc_hint(self->device, heap, sizes[i], &hint);
		ASSERT_GE(buffer, 0) TH_LOG("hint %u", hint);
		EXPECT_TRUE(begins_on_node(self->device, buffer, self->node));
		EXPECT_FALSE(begins_on_node(self->device, buffer, 0));
		close(buffer);
	}
}

TEST_HARNESS_MAIN
