// SPDX-License-Identifier: MIT
/* Buffers: the grants of ALLOC, and the promises of a dma-buf's fd and mapping. */
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "cgroup.h"
#include "harness.h"
#include "knobs.h"
#include "machine.h"
#include "objects.h"
#include "pattern.h"
#include "sluice.h"

#define SIZE (1UL << 20)

FIXTURE(buffer) {
	struct objects before;
	int device, heap, fd;
};

FIXTURE_VARIANT(buffer) {
	const char *device;
	const char *heap;
	uint32_t properties;
};

FIXTURE_VARIANT_ADD(buffer, soft_pages) {
	.device = "soft0", .heap = "pages", .properties = SLUICE_MEM_CACHED,
};

FIXTURE_VARIANT_ADD(buffer, soft_contiguous) {
	.device = "soft0", .heap = "contiguous",
	.properties = SLUICE_MEM_COHERENT | SLUICE_MEM_CONTIGUOUS,
};

FIXTURE_VARIANT_ADD(buffer, real_pages) {
	.device = REAL_DEVICE, .heap = "pages", .properties = SLUICE_MEM_CACHED,
};

FIXTURE_VARIANT_ADD(buffer, real_contiguous) {
	.device = REAL_DEVICE, .heap = "contiguous",
	.properties = SLUICE_MEM_COHERENT | SLUICE_MEM_CONTIGUOUS | REAL_CONTIGUOUS,
};

FIXTURE_SETUP(buffer)
{
	NEEDS_DEVICE(variant->device);
	self->before = objects_before();
	self->device = sluice_open(variant->device);
	ASSERT_GE(self->device, 0);
	self->heap = sluice_find_heap(self->device, variant->heap);
	ASSERT_GE(self->heap, 0);
	self->fd = sluice_alloc(self->device, self->heap, SIZE, 0);
	ASSERT_GE(self->fd, 0);
}

FIXTURE_TEARDOWN(buffer)
{
	close(self->fd);
	close(self->device);
	EXPECT_TRUE(objects_settle(&self->before));
}

TEST_F(buffer, grants_what_the_heap_says)
{
	struct sluice_heap_info info;
	struct sluice_alloc alloc = { .size = 5000, .heap = self->heap,
				      .flags = variant->properties };
	uint32_t flag, refused = 0;

	ASSERT_EQ(sluice_heap_info(self->device, self->heap, &info), 0);
	EXPECT_EQ(info.properties, variant->properties);
	ASSERT_EQ(xioctl(self->device, SLUICE_IOCTL_ALLOC, &alloc), 0);
	EXPECT_EQ(alloc.granted, variant->properties);
	EXPECT_EQ(alloc.size, 8192);
	EXPECT_EQ(fcntl(alloc.fd, F_GETFD), FD_CLOEXEC);
	close(alloc.fd);

	for (flag = SLUICE_MEM_CACHED; flag <= SLUICE_MEM_RESERVED; flag <<= 1) {
		if (flag & (info.properties | info.options))
			continue;
		alloc.flags = flag;
		EXPECT_EQ(xioctl(self->device, SLUICE_IOCTL_ALLOC, &alloc), -EOPNOTSUPP);
		refused++;
	}
	EXPECT_GE(refused, 2);
}

TEST_F(buffer, fd_survives_exec_only_if_asked)
{
	struct sluice_alloc alloc = { .size = 4096, .heap = self->heap,
				      .fd_flags = SLUICE_FD_INHERIT };

	ASSERT_EQ(xioctl(self->device, SLUICE_IOCTL_ALLOC, &alloc), 0);
	EXPECT_EQ(fcntl(alloc.fd, F_GETFD), 0);
	close(alloc.fd);
}

TEST_F(buffer, memory_arrives_zeroed_even_when_recycled)
{
	int fd, round;

	for (round = 0; round < 4; round++) {
		fd = sluice_alloc(self->device, self->heap, SIZE, 0);
		ASSERT_GE(fd, 0);
		EXPECT_EQ(check_value(fd, SIZE, 0), 0);
		EXPECT_EQ(fill_words(fd, SIZE, round), 0);
		close(fd);
	}
}

TEST_F(buffer, two_mappings_show_the_same_memory)
{
	uint32_t *a, *b;

	ASSERT_EQ(sluice_map(self->fd, SIZE, (void **)&a), 0);
	ASSERT_EQ(sluice_map(self->fd, SIZE, (void **)&b), 0);
	ASSERT_NE(a, b);
	a[SIZE / 4 - 1] = 0x12345678;
	EXPECT_EQ(b[SIZE / 4 - 1], 0x12345678);
	munmap(a, SIZE);
	munmap(b, SIZE);
}

TEST_F(buffer, mapping_at_an_offset_shows_that_place)
{
	uint32_t *tail;
	unsigned int page;

	ASSERT_EQ(fill_words(self->fd, SIZE, 7), 0);
	for (page = 1; page < SIZE / 4096; page += 51) {
		tail = mmap(NULL, SIZE - page * 4096, PROT_READ, MAP_SHARED, self->fd,
			    page * 4096);
		ASSERT_NE(tail, MAP_FAILED);
		EXPECT_EQ(tail[0], expected_word(7, page * 1024));
		EXPECT_EQ(tail[(SIZE - page * 4096) / 4 - 1], expected_word(7, SIZE / 4 - 1));
		munmap(tail, SIZE - page * 4096);
	}
}

/* access.c tests which memory a private mapping shows. */
TEST_F(buffer, mapping_beyond_the_end_is_refused)
{
	EXPECT_EQ(mmap(NULL, SIZE + 4096, PROT_READ, MAP_SHARED, self->fd, 0), MAP_FAILED);
	EXPECT_EQ(errno, EINVAL);
	EXPECT_EQ(mmap(NULL, 4096, PROT_READ, MAP_SHARED, self->fd, SIZE), MAP_FAILED);
	EXPECT_EQ(errno, EINVAL);
	EXPECT_EQ(mmap(NULL, 8192, PROT_READ, MAP_SHARED, self->fd, SIZE - 4096), MAP_FAILED);
	EXPECT_EQ(errno, EINVAL);
	EXPECT_EQ(mmap(NULL, SIZE + 4096, PROT_READ, MAP_PRIVATE, self->fd, 0), MAP_FAILED);
	EXPECT_EQ(errno, EINVAL);
}

TEST_F(buffer, keeps_the_contract_of_dma_buf_fds)
{
	struct dma_buf_sync sync = {};
	char byte = 0;

	EXPECT_EQ(lseek(self->fd, 0, SEEK_END), (off_t)SIZE);
	EXPECT_EQ(lseek(self->fd, 0, SEEK_SET), 0);
	EXPECT_EQ(lseek(self->fd, 1, SEEK_SET), -1);
	EXPECT_EQ(errno, EINVAL);
	EXPECT_EQ(lseek(self->fd, 0, SEEK_CUR), -1);
	EXPECT_EQ(errno, EINVAL);
	EXPECT_EQ(read(self->fd, &byte, 1), -1);
	EXPECT_EQ(errno, EINVAL);
	EXPECT_EQ(write(self->fd, &byte, 1), -1);
	EXPECT_EQ(errno, EINVAL);
	EXPECT_EQ(ftruncate(self->fd, 0), -1);
	EXPECT_EQ(errno, EINVAL);
	EXPECT_EQ(xioctl(self->fd, DMA_BUF_IOCTL_SYNC, &sync), -EINVAL);
	EXPECT_EQ(xioctl(self->fd, _IO('b', 99), &sync), -ENOTTY);
	EXPECT_EQ(xioctl(self->fd, SLUICE_IOCTL_INFO, &sync), -ENOTTY);
}

TEST_F(buffer, idle_buffer_is_ready_for_everybody)
{
	struct pollfd pollfd = { .fd = self->fd, .events = POLLIN | POLLOUT };

	EXPECT_EQ(poll(&pollfd, 1, 0), 1);
	EXPECT_EQ(pollfd.revents, POLLIN | POLLOUT);
}

TEST_F(buffer, read_only_fd_gives_no_write_access)
{
	struct sluice_alloc alloc = { .size = SIZE, .heap = self->heap,
				      .fd_flags = SLUICE_FD_RDONLY };
	int queue = sluice_queue_create(self->device, 0), slot;
	void *memory;

	ASSERT_GE(queue, 0);
	ASSERT_EQ(xioctl(self->device, SLUICE_IOCTL_ALLOC, &alloc), 0);
	EXPECT_EQ(mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, alloc.fd, 0), MAP_FAILED);
	EXPECT_EQ(errno, EACCES);
	memory = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, alloc.fd, 0);
	ASSERT_NE(memory, MAP_FAILED);
	EXPECT_EQ(mprotect(memory, SIZE, PROT_READ | PROT_WRITE), -1);
	EXPECT_EQ(errno, EACCES);
	munmap(memory, SIZE);
	EXPECT_EQ(sluice_attach(queue, alloc.fd, 0), -EACCES);
	EXPECT_EQ(sluice_attach(queue, alloc.fd, SLUICE_ATTACH_WRITE), -EACCES);
	slot = sluice_attach(queue, alloc.fd, SLUICE_ATTACH_READ);
	EXPECT_GE(slot, 0);
	close(alloc.fd);
	close(queue);
}

TEST_F(buffer, memory_outlives_fd_and_device_while_mapped)
{
	uint32_t *memory;
	int device = sluice_open(variant->device), fd;

	ASSERT_GE(device, 0);
	fd = sluice_alloc(device, self->heap, SIZE, 0);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(sluice_map(fd, SIZE, (void **)&memory), 0);
	close(fd);
	close(device);
	memory[0] = 1;
	memory[SIZE / 4 - 1] = 2;
	EXPECT_EQ(memory[0] + memory[SIZE / 4 - 1], 3);
	munmap(memory, SIZE);
}

TEST_F(buffer, passes_to_another_process)
{
	pid_t child;
	int status;

	ASSERT_EQ(fill_words(self->fd, SIZE, 99), 0);
	child = fork();
	if (!child)
		_exit(check_words(self->fd, SIZE, 99) ? 1 : fill_words(self->fd, SIZE, 100) ? 2 : 0);
	ASSERT_EQ(waitpid(child, &status, 0), child);
	EXPECT_EQ(status, 0);
	EXPECT_EQ(check_words(self->fd, SIZE, 100), 0);
}

TEST_F(buffer, info_tells_how_the_device_sees_it)
{
	struct sluice_buffer_info info;
	struct stat stat;

	ASSERT_EQ(sluice_buffer_info(self->device, self->fd, &info), 0);
	ASSERT_EQ(fstat(self->fd, &stat), 0);
	EXPECT_EQ(info.kind, SLUICE_BUFFER_OURS);
	EXPECT_EQ(info.size, SIZE);
	EXPECT_EQ(info.inode, stat.st_ino);
	EXPECT_EQ(info.error, 0);
	EXPECT_GE(info.segments, 1);
	EXPECT_LE(info.segments, SIZE / 4096);
	EXPECT_LE(info.largest_segment, SIZE);
	EXPECT_EQ(info.address, 0);
	EXPECT_EQ(info.properties & variant->properties, variant->properties);
	if (variant->properties & SLUICE_MEM_CONTIGUOUS)
		EXPECT_EQ(info.segments, 1);
	if (info.segments == 1)
		EXPECT_EQ(info.largest_segment, SIZE);
}

TEST_F(buffer, sizes_from_one_byte_to_many_pages)
{
	static const uint64_t sizes[] = { 1, 4095, 4096, 4097, 65536, 69632, 2097152, 3145728 };
	struct sluice_buffer_info info;
	unsigned int i;
	int fd;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		uint64_t rounded = (sizes[i] + 4095) & ~4095ULL;

		fd = sluice_alloc(self->device, self->heap, sizes[i], 0);
		ASSERT_GE(fd, 0) TH_LOG("size %lu", (unsigned long)sizes[i]);
		ASSERT_EQ(sluice_buffer_info(self->device, fd, &info), 0);
		EXPECT_EQ(info.size, rounded);
		EXPECT_EQ(fill_words(fd, rounded, i), 0);
		EXPECT_EQ(check_words(fd, rounded, i), 0);
		close(fd);
	}
}

/* The bytes that are charged to an open of a node, from its fdinfo. */
static long charged(int device)
{
	char path[64], line[128];
	long bytes = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", device);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		sscanf(line, "sluice-buffer-bytes: %ld", &bytes);
	if (file)
		fclose(file);
	return bytes;
}

TEST(limit_of_an_open_is_kept_and_given_back)
{
	struct sluice_alloc alloc = { .size = 3 << 20 };
	struct objects before = objects_before();
	int device = sluice_open("soft0"), first;

	ASSERT_GE(device, 0);
	ASSERT_EQ(open_limit_mb(4), 0);
	ASSERT_EQ(xioctl(device, SLUICE_IOCTL_ALLOC, &alloc), 0);
	first = alloc.fd;
	alloc.size = 2 << 20;
	EXPECT_EQ(xioctl(device, SLUICE_IOCTL_ALLOC, &alloc), -EDQUOT);
	EXPECT_EQ(alloc.hint, SLUICE_HINT_LIMIT);
	EXPECT_EQ(alloc.fd, -1);
	EXPECT_EQ(charged(device), 3 << 20);
	close(first);
	EXPECT_EQ(charged(device), 0);
	EXPECT_EQ(xioctl(device, SLUICE_IOCTL_ALLOC, &alloc), 0);
	EXPECT_EQ(charged(device), 2 << 20);
	ASSERT_EQ(open_limit_mb(0), 0);
	close(alloc.fd);
	close(device);
	EXPECT_TRUE(objects_settle(&before));
}

TEST(addresses_are_told_to_root_only_when_allowed)
{
	static const char path[] = "/sys/module/sluice/parameters/expose_addresses";
	int device = sluice_open(REAL_DEVICE), fd = sluice_alloc(device, 1, 8192, 0), status;
	struct sluice_buffer_info info;
	pid_t child;

	NEEDS_DEVICE(REAL_DEVICE);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(write_text(path, "Y"), 0);
	ASSERT_EQ(sluice_buffer_info(device, fd, &info), 0);
	EXPECT_NE(info.address, 0);
	EXPECT_LT(info.address, 1ULL << REAL_DEVICE_BITS);
	child = fork();
	if (!child) {
		if (setuid(65534) || sluice_buffer_info(device, fd, &info))
			_exit(1);
		_exit(info.address ? 2 : 0);
	}
	ASSERT_EQ(waitpid(child, &status, 0), child);
	EXPECT_EQ(status, 0);
	ASSERT_EQ(write_text(path, "N"), 0);
	ASSERT_EQ(sluice_buffer_info(device, fd, &info), 0);
	EXPECT_EQ(info.address, 0);
	close(fd);
	close(device);
}

TEST(memory_is_charged_to_the_cgroup)
{
	char text[64];
	long usage = -1;
	int device, fd, status;
	pid_t child;
	FILE *file;

	if (!memory_cgroup())
		SKIP(return, "no memory cgroup in this kernel");
	device = sluice_open("soft0");
	child = fork();
	if (!child) {
		snprintf(text, sizeof(text), "%d", getpid());
		if (write_text("/tmp/sluice-cgroup/t/cgroup.procs", text))
			_exit(1);
		fd = sluice_alloc(device, 0, 16 << 20, 0);
		file = fopen("/tmp/sluice-cgroup/t/memory.current", "r");
		if (fd < 0 || !file || fscanf(file, "%ld", &usage) != 1)
			_exit(2);
		_exit(usage >= 16 << 20 ? 0 : 3);
	}
	ASSERT_EQ(waitpid(child, &status, 0), child);
	EXPECT_EQ(status, 0);

	/* beyond the limit the allocation fails, and no process is killed */
	child = fork();
	if (!child) {
		snprintf(text, sizeof(text), "%d", getpid());
		if (write_text("/tmp/sluice-cgroup/t/memory.max", "8M") ||
		    write_text("/tmp/sluice-cgroup/t/cgroup.procs", text))
			_exit(1);
		_exit(sluice_alloc(device, 0, 64 << 20, 0) == -ENOMEM ? 0 : 2);
	}
	ASSERT_EQ(waitpid(child, &status, 0), child);
	EXPECT_EQ(status, 0);
	/* a failed allocation is not charged to the open either */
	EXPECT_EQ(charged(device), 0);
	close(device);
	EXPECT_TRUE(memory_cgroup_end("/tmp/sluice-cgroup"));
}

TEST_HARNESS_MAIN
