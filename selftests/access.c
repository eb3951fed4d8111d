// SPDX-License-Identifier: MIT
/*
 * Access to a buffer from other sides: by a debugger, by a private mapping, by debugfs; and the
 * effect of the mode of an open node.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "harness.h"
#include "objects.h"
#include "pages.h"
#include "pattern.h"
#include "sluice.h"

#define SIZE	(3UL << 20)	/* a huge piece and small ones */
#define PAGE	4096UL

FIXTURE(access) {
	struct objects before;
	int device, fd, memory;
	uint32_t *map;
};

FIXTURE_VARIANT(access) {
	const char *heap;
	uint32_t flags;
	bool wrapped, private_works;
};

FIXTURE_VARIANT_ADD(access, pages) { .heap = "pages", .private_works = true };
FIXTURE_VARIANT_ADD(access, page_backed) {
	.heap = "pages", .flags = SLUICE_MEM_PAGE_BACKED, .private_works = true,
};
FIXTURE_VARIANT_ADD(access, write_combined) {
	.heap = "pages", .flags = SLUICE_MEM_WRITE_COMBINED,
};
FIXTURE_VARIANT_ADD(access, uncached) { .heap = "pages", .flags = SLUICE_MEM_UNCACHED };
FIXTURE_VARIANT_ADD(access, contiguous) { .heap = "contiguous" };
FIXTURE_VARIANT_ADD(access, wrapped) { .heap = "pages", .wrapped = true };

FIXTURE_SETUP(access)
{
	struct sluice_heap_info heap;
	int number, memfd;

	self->before = objects_before();
	self->device = sluice_open("soft0");
	ASSERT_GE(self->device, 0);
	number = sluice_find_heap(self->device, variant->heap);
	ASSERT_EQ(sluice_heap_info(self->device, number, &heap), 0);
	if (variant->flags & ~heap.options) {
		close(self->device);
		SKIP(return, "the processor can change no mapping of the kernel's");
	}
	if (variant->wrapped) {
		memfd = sealed_memfd(0, SIZE, F_SEAL_SHRINK);
		ASSERT_GE(memfd, 0);
		self->fd = sluice_wrap(self->device, memfd, 0, SIZE);
		close(memfd);
	} else {
		self->fd = sluice_alloc(self->device, number, SIZE, variant->flags);
	}
	ASSERT_GE(self->fd, 0);
	ASSERT_EQ(fill_words(self->fd, SIZE, 5), 0);
	/* no page of this mapping has been touched */
	ASSERT_EQ(sluice_map(self->fd, SIZE, (void **)&self->map), 0);
	self->memory = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	ASSERT_GE(self->memory, 0);
}

FIXTURE_TEARDOWN(access)
{
	close(self->memory);
	munmap(self->map, SIZE);
	close(self->fd);
	close(self->device);
	EXPECT_TRUE(objects_settle(&self->before));
}

TEST_F(access, a_debugger_reads_and_writes_a_mapping)
{
	uint32_t words[2 * PAGE / 4 + 16], value = 0xdeb09;
	off_t place = (off_t)(uintptr_t)self->map, far = SIZE - sizeof(words);
	unsigned int i;

	/* from the middle of a page, across two page borders, to the end of the mapping */
	ASSERT_EQ(pread(self->memory, words, sizeof(words), place + far), (ssize_t)sizeof(words));
	for (i = 0; i < sizeof(words) / 4; i++)
		ASSERT_EQ(words[i], expected_word(5, far / 4 + i));
	ASSERT_EQ(pread(self->memory, words, 4, place + PAGE + 8), 4);
	EXPECT_EQ(words[0], expected_word(5, (PAGE + 8) / 4));
	/* the words before and behind it do not change */
	ASSERT_EQ(pwrite(self->memory, &value, 4, place + 2 * PAGE - 4), 4);
	EXPECT_EQ(self->map[2 * PAGE / 4 - 1], value);
	EXPECT_EQ(self->map[2 * PAGE / 4 - 2], expected_word(5, 2 * PAGE / 4 - 2));
	EXPECT_EQ(self->map[2 * PAGE / 4], expected_word(5, 2 * PAGE / 4));
}

TEST_F(access, a_debugger_finds_the_part_that_is_mapped)
{
	uint32_t *part = mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, self->fd, 600 * PAGE);
	off_t place = (off_t)(uintptr_t)part;
	uint32_t words[4], value = 1;

	ASSERT_NE(part, MAP_FAILED);
	ASSERT_EQ(pread(self->memory, words, 16, place + PAGE + 32), 16);
	EXPECT_EQ(words[3], expected_word(5, (601 * PAGE + 32) / 4 + 3));
	if (!(variant->flags & SLUICE_MEM_PAGE_BACKED)) {
		/* a write to a read-only mapping would change the buffer for all */
		EXPECT_EQ(pwrite(self->memory, &value, 4, place), -1);
		EXPECT_EQ(errno, EIO);
	}
	EXPECT_EQ(self->map[600 * PAGE / 4], expected_word(5, 600 * PAGE / 4));
	munmap(part, 2 * PAGE);
}

/*
 * A private mapping shows the buffer until the process writes; then it has its own copy of the
 * page.
 */
TEST_F(access, a_private_mapping_keeps_what_is_written_to_itself)
{
	uint32_t *mine = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE, self->fd, 0);

	if (!variant->private_works) {
		EXPECT_EQ(mine, MAP_FAILED);
		EXPECT_EQ(errno, EINVAL);
		return;
	}
	ASSERT_NE(mine, MAP_FAILED);
	EXPECT_EQ(mine[700 * PAGE / 4], expected_word(5, 700 * PAGE / 4));
	mine[100] = 1;			/* a write is the first access */
	mine[700 * PAGE / 4] = 2;	/* a read was the first access */
	EXPECT_EQ(mine[100], 1);
	EXPECT_EQ(mine[101], expected_word(5, 101));
	EXPECT_EQ(mine[700 * PAGE / 4], 2);
	EXPECT_EQ(self->map[100], expected_word(5, 100));
	EXPECT_EQ(check_words(self->fd, SIZE, 5), 0);
	/* the other pages still show changes of the buffer */
	self->map[300 * PAGE / 4] = 3;
	EXPECT_EQ(mine[300 * PAGE / 4], 3);
	self->map[100] = 4;
	EXPECT_EQ(mine[100], 1);
	munmap(mine, SIZE);
	/* removing a private mapping without copies has no effect on the buffer's pages */
	mine = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, self->fd, 2 * PAGE);
	ASSERT_NE(mine, MAP_FAILED);
	EXPECT_EQ(mine[0], expected_word(5, 2 * PAGE / 4));
	munmap(mine, PAGE);
}

/* Find the line of a buffer in debugfs. */
static bool listed(uint64_t inode, char *line, int room)
{
	FILE *file = fopen("/sys/kernel/debug/sluice/buffers", "r");
	unsigned long long number;
	bool found = false;

	while (file && !found && fgets(line, room, file))
		found = sscanf(line, "%*s %*s %*u %*u %llu", &number) == 1 && number == inode;
	if (file)
		fclose(file);
	return found;
}

TEST_F(access, debugfs_and_fdinfo_name_process_and_exporter)
{
	struct sluice_buffer_info info;
	char line[256], expected[128], path[40], comm[32] = "";
	bool exported = false;
	FILE *file;

	ASSERT_EQ(sluice_buffer_info(self->device, self->fd, &info), 0);
	file = fopen("/proc/self/comm", "r");
	ASSERT_NE(file, NULL);
	ASSERT_EQ(fscanf(file, "%31s", comm), 1);
	fclose(file);

	ASSERT_TRUE(listed(info.inode, line, sizeof(line)));
	snprintf(expected, sizeof(expected), "\t%llu\t0\t%d\t%s\t\n",
		 (unsigned long long)info.inode, getpid(), comm);
	EXPECT_NE(strstr(line, expected), NULL) TH_LOG("%s", line);
	ASSERT_EQ(ioctl(self->fd, DMA_BUF_SET_NAME, "left\neye"), 0);
	ASSERT_TRUE(listed(info.inode, line, sizeof(line)));
	snprintf(expected, sizeof(expected), "\t%s\tleft\\012eye\n", comm);
	EXPECT_NE(strstr(line, expected), NULL) TH_LOG("%s", line);

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", self->fd);
	snprintf(expected, sizeof(expected), "exp_name:\tsluice-soft0-%s\n",
		 variant->wrapped ? "wrapped" : variant->heap);
	file = fopen(path, "r");
	while (file && fgets(line, sizeof(line), file))
		exported |= !strcmp(line, expected);
	if (file)
		fclose(file);
	EXPECT_TRUE(exported) TH_LOG("there is no line %s", expected);
}

/*
 * ALLOC makes new memory and touches no other.  As with dma-heaps, it is enough that the node could
 * be opened, in any mode.  Flags of ALLOC say how the buffer may be used.
 */
TEST(any_open_of_a_node_allocates)
{
	static const int modes[] = { O_RDONLY, O_WRONLY, O_RDWR };
	struct objects before = objects_before();
	unsigned int i;
	int fd, buffer;
	void *map;

	for (i = 0; i < 3; i++) {
		fd = open("/dev/sluice/soft0", modes[i] | O_CLOEXEC);
		ASSERT_GE(fd, 0);
		buffer = sluice_alloc(fd, 0, PAGE, 0);
		EXPECT_GE(buffer, 0);
		EXPECT_EQ(sluice_map(buffer, PAGE, &map), 0);
		munmap(map, PAGE);
		close(buffer);
		close(fd);
	}
	/* an O_PATH fd cannot be used */
	fd = open("/dev/sluice/soft0", O_PATH | O_CLOEXEC);
	ASSERT_GE(fd, 0);
	EXPECT_EQ(sluice_alloc(fd, 0, PAGE, 0), -EBADF);
	close(fd);
	EXPECT_TRUE(objects_settle(&before));
}

TEST_HARNESS_MAIN
