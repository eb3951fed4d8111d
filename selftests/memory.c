// SPDX-License-Identifier: MIT
/*
 * Kinds of memory: how the CPU maps them, which system calls can use a mapping of them, and the
 * pool that keeps freed memory.
 */
#include <fcntl.h>
#include <liburing.h>
#include <linux/dma-heap.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "cgroup.h"
#include "harness.h"
#include "jobs.h"
#include "knobs.h"
#include "machine.h"
#include "objects.h"
#include "pattern.h"
#include "sluice.h"

#define SIZE (4UL << 20)
#define DISK "/dev/ram0"
#define POOL "/sys/kernel/debug/sluice/pool"
#define HUGE (2UL << 20)
#define ADDRESSES "/sys/module/sluice/parameters/expose_addresses"
#define POOL_YOUNG 8000000000LL	/* ns; the pool keeps unused memory for ten seconds */

static long pool_bytes(void)
{
	FILE *file = fopen(POOL, "r");
	long bytes = -1;

	if (file) {
		if (fscanf(file, "%ld", &bytes) != 1)
			bytes = -1;
		fclose(file);
	}
	return bytes;
}

static bool pool_empties(void)
{
	int tries;

	for (tries = 0; tries < LATE_MS / 10 && pool_bytes() > 0; tries++) {
		write_text("/proc/sys/vm/drop_caches", "2");
		usleep(10000);
	}
	return pool_bytes() == 0;
}

static int alloc_foreign(int heap)
{
	struct dma_heap_allocation_data data = { .len = 4096, .fd_flags = O_RDWR | O_CLOEXEC };

	return xioctl(heap, DMA_HEAP_IOCTL_ALLOC, &data) ? -1 : (int)data.fd;
}

FIXTURE(memory) {
	struct objects before;
	int device, fd;
	char *map;
};

FIXTURE_VARIANT(memory) {
	uint32_t flags, granted;
};

FIXTURE_VARIANT_ADD(memory, by_page_frame) {
	.flags = 0, .granted = SLUICE_MEM_CACHED,
};

FIXTURE_VARIANT_ADD(memory, page_backed) {
	.flags = SLUICE_MEM_PAGE_BACKED, .granted = SLUICE_MEM_CACHED | SLUICE_MEM_PAGE_BACKED,
};

FIXTURE_VARIANT_ADD(memory, write_combined) {
	.flags = SLUICE_MEM_WRITE_COMBINED, .granted = SLUICE_MEM_WRITE_COMBINED,
};

FIXTURE_VARIANT_ADD(memory, uncached) {
	.flags = SLUICE_MEM_UNCACHED, .granted = SLUICE_MEM_UNCACHED,
};

FIXTURE_SETUP(memory)
{
	struct sluice_alloc alloc = { .size = SIZE, .flags = variant->flags };
	struct sluice_heap_info info;

	self->before = objects_before();
	self->device = sluice_open("soft0");
	ASSERT_GE(self->device, 0);
	ASSERT_EQ(sluice_heap_info(self->device, 0, &info), 0);
	if (variant->flags & ~info.options) {
		close(self->device);
		SKIP(return, "the processor can change no mapping of the kernel's");
	}
	ASSERT_EQ(xioctl(self->device, SLUICE_IOCTL_ALLOC, &alloc), 0);
	EXPECT_EQ(alloc.granted, variant->granted);
	self->fd = alloc.fd;
	ASSERT_EQ(sluice_map(self->fd, SIZE, (void **)&self->map), 0);
}

FIXTURE_TEARDOWN(memory)
{
	munmap(self->map, SIZE);
	close(self->fd);
	close(self->device);
	EXPECT_TRUE(objects_settle(&self->before));
}

/* Does a mapping of this memory have struct pages? */
static bool has_pages(uint32_t flags)
{
	return flags & SLUICE_MEM_PAGE_BACKED;
}

TEST_F(memory, cpu_and_device_see_the_same)
{
	int queue = patient_queue(self->device, 0);
	struct sluice_op op;
	uint64_t point;

	ASSERT_EQ(check_value(self->fd, SIZE, 0), 0);
	ASSERT_EQ(sluice_attach(queue, self->fd, 0), 0);
	ASSERT_EQ(fill_words(self->fd, SIZE, 3), 0);
	sluice_op_copy(&op, 0, SIZE / 2, 0, 0, SIZE / 2);
	ASSERT_EQ(sluice_submit(queue, &op, 1, -1, NULL, 0, &point), 0);
	ASSERT_EQ(sluice_wait(queue, point, LATE_MS), 0);
	ASSERT_EQ(sluice_cpu_begin(self->fd, false), 0);
	EXPECT_EQ(memcmp(self->map, self->map + SIZE / 2, SIZE / 2), 0);
	EXPECT_EQ(((uint32_t *)self->map)[100], expected_word(3, 100));
	EXPECT_EQ(sluice_cpu_end(self->fd, false), 0);
	close(queue);
}

TEST_F(memory, buffer_info_tells_the_kind)
{
	struct sluice_buffer_info info;

	ASSERT_EQ(sluice_buffer_info(self->device, self->fd, &info), 0);
	EXPECT_EQ(info.properties & ~SLUICE_MEM_CONTIGUOUS, variant->granted);
}

TEST_F(memory, few_faults_map_it_all)
{
	struct rusage before, after;
	long faults, page = sysconf(_SC_PAGESIZE);
	size_t i;

	getrusage(RUSAGE_SELF, &before);
	for (i = 0; i < SIZE; i += page)
		self->map[i] = 1;
	getrusage(RUSAGE_SELF, &after);
	faults = after.ru_minflt - before.ru_minflt;
	printf("# %ld faults for %lu pages\n", faults, SIZE / page);
	/* at least 16 pages at a time, or 2 MiB if the kernel can map them */
	if (!has_pages(variant->flags))
		EXPECT_LE(faults, (long)(SIZE / page / 16) + 4);
	for (i = 0; i < SIZE; i += page)
		ASSERT_EQ(self->map[i], 1);
}

TEST_F(memory, parts_of_it_map_like_the_whole)
{
	long page = sysconf(_SC_PAGESIZE);
	uint32_t *part;
	size_t i;

	ASSERT_EQ(fill_words(self->fd, SIZE, 9), 0);
	part = mmap(NULL, SIZE / 2, PROT_READ, MAP_SHARED, self->fd, 3 * page);
	ASSERT_NE(part, MAP_FAILED);
	for (i = 0; i < SIZE / 8; i += 512)
		ASSERT_EQ(part[i], expected_word(9, i + 3 * page / 4));
	/* a hole in the middle of a possible huge entry */
	ASSERT_EQ(munmap((char *)part + 5 * page, page), 0);
	EXPECT_EQ(part[4 * page / 4], expected_word(9, 7 * page / 4));
	EXPECT_EQ(part[6 * page / 4], expected_word(9, 9 * page / 4));
	munmap(part, SIZE / 2);
	EXPECT_EQ(mmap(NULL, SIZE, PROT_READ, MAP_SHARED, self->fd, page), MAP_FAILED);
}

/* If the kernel had a huge entry, the pages beside the hole are mapped again by faults. */
TEST_F(memory, hole_in_the_middle)
{
	long page = sysconf(_SC_PAGESIZE), words = page / 4;
	uint32_t *map = (uint32_t *)self->map;

	ASSERT_EQ(fill_words(self->fd, SIZE, 13), 0);
	EXPECT_EQ(map[words], expected_word(13, words));
	ASSERT_EQ(munmap(self->map + 5 * page, page), 0);
	EXPECT_EQ(map[0], expected_word(13, 0));
	EXPECT_EQ(map[4 * words + 7], expected_word(13, 4 * words + 7));
	EXPECT_EQ(map[6 * words], expected_word(13, 6 * words));
	EXPECT_EQ(map[500 * words], expected_word(13, 500 * words));
	map[500 * words] = 99;
	EXPECT_EQ(map[SIZE / 4 - 1], expected_word(13, SIZE / 4 - 1));
	munmap(self->map, SIZE);
	ASSERT_EQ(sluice_map(self->fd, SIZE, (void **)&self->map), 0);
	EXPECT_EQ(((uint32_t *)self->map)[500 * words], 99);
}

/* A RAM disk: direct I/O to it pins the caller's pages. */
static int open_disk(void)
{
	system("modprobe -q brd rd_nr=1 rd_size=8192");
	return open(DISK, O_RDWR | O_DIRECT | O_CLOEXEC);
}

TEST_F(memory, o_direct)
{
	int disk = open_disk();
	uint32_t *check;

	if (disk < 0)
		SKIP(return, "no RAM disk (brd) in this kernel");
	ASSERT_EQ(fill_words(self->fd, SIZE, 5), 0);
	if (!has_pages(variant->flags)) {
		EXPECT_EQ(pwrite(disk, self->map, SIZE, 0), -1);
		EXPECT_EQ(errno, EFAULT);
		EXPECT_EQ(pread(disk, self->map, SIZE, 0), -1);
		EXPECT_EQ(errno, EFAULT);
		close(disk);
		return;
	}
	ASSERT_EQ(pwrite(disk, self->map, SIZE, 0), (ssize_t)SIZE);
	check = aligned_alloc(4096, SIZE);
	ASSERT_EQ(pread(disk, check, SIZE, 0), (ssize_t)SIZE);
	EXPECT_EQ(check[77777], expected_word(5, 77777));
	/* and back into the buffer, at an offset */
	ASSERT_EQ(pread(disk, self->map + SIZE / 2, SIZE / 2, 0), (ssize_t)SIZE / 2);
	EXPECT_EQ(memcmp(self->map + SIZE / 2, check, SIZE / 2), 0);
	free(check);
	close(disk);
}

/*
 * Read from a file into memory of fixed buffer 0.  One request may read less than it is asked for:
 * read() of /dev/zero stops early if another task needs the CPU.
 */
static int read_fixed(struct io_uring *ring, int fd, char *to, size_t length)
{
	struct io_uring_cqe *cqe;
	struct io_uring_sqe *sqe;
	size_t done = 0;
	int ret;

	while (done < length) {
		sqe = io_uring_get_sqe(ring);
		io_uring_prep_read_fixed(sqe, fd, to + done, length - done, 0, 0);
		ret = io_uring_submit_and_wait(ring, 1);
		if (ret < 0)
			return ret;
		ret = io_uring_peek_cqe(ring, &cqe);
		if (ret)
			return ret;
		ret = cqe->res;
		io_uring_cqe_seen(ring, cqe);
		if (ret <= 0)
			return ret ? ret : -ENODATA;
		done += ret;
	}
	return 0;
}

TEST_F(memory, io_uring_fixed_buffer)
{
	struct iovec vector = { .iov_base = self->map, .iov_len = SIZE };
	struct io_uring ring;
	int ret, zero;

	ret = io_uring_queue_init(4, &ring, 0);
	if (ret)
		SKIP(return, "no io_uring in this kernel");
	ret = io_uring_register_buffers(&ring, &vector, 1);
	if (!has_pages(variant->flags)) {
		/* older kernels report that they do not support mappings of files */
		EXPECT_TRUE(ret == -EFAULT || ret == -EOPNOTSUPP) TH_LOG("%s", strerror(-ret));
		io_uring_queue_exit(&ring);
		return;
	}
	if (ret == -EOPNOTSUPP) {
		io_uring_queue_exit(&ring);
		SKIP(return, "io_uring registers no mappings of files in this kernel");
	}
	ASSERT_EQ(ret, 0);
	memset(self->map, 0x55, SIZE);
	zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	EXPECT_EQ(read_fixed(&ring, zero, self->map + SIZE / 4, SIZE / 2), 0);
	EXPECT_EQ(self->map[SIZE / 4 - 1], 0x55);
	EXPECT_EQ(self->map[SIZE / 4], 0);
	EXPECT_EQ(self->map[3 * SIZE / 4 - 1], 0);
	EXPECT_EQ(self->map[3 * SIZE / 4], 0x55);
	close(zero);
	io_uring_queue_exit(&ring);
}

/* A TCP connection over the loopback device. */
static bool connect_pair(int pair[2])
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool done;

	pair[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	done = listener >= 0 && !bind(listener, (struct sockaddr *)&address, length) &&
	       !listen(listener, 1) &&
	       !getsockname(listener, (struct sockaddr *)&address, &length) &&
	       !connect(pair[0], (struct sockaddr *)&address, length);
	pair[1] = done ? accept(listener, NULL, NULL) : -1;
	close(listener);
	return done && pair[1] >= 0;
}

TEST_F(memory, msg_zerocopy)
{
	int pair[2], one = 1;
	char got[16384];
	ssize_t sent;

	ASSERT_TRUE(connect_pair(pair));
	ASSERT_EQ(setsockopt(pair[0], SOL_SOCKET, SO_ZEROCOPY, &one, sizeof(one)), 0);
	ASSERT_EQ(fill_words(self->fd, SIZE, 6), 0);
	sent = send(pair[0], self->map + 8192, sizeof(got), MSG_ZEROCOPY);
	if (has_pages(variant->flags)) {
		struct msghdr message = {};
		char control[256];
		int tries;

		ASSERT_EQ(sent, (ssize_t)sizeof(got));
		ASSERT_EQ(recv(pair[1], got, sizeof(got), MSG_WAITALL), (ssize_t)sizeof(got));
		EXPECT_EQ(memcmp(got, self->map + 8192, sizeof(got)), 0);
		/* the kernel reports when it no longer needs the pages */
		message.msg_control = control;
		message.msg_controllen = sizeof(control);
		for (tries = 0; tries < 1000; tries++) {
			if (recvmsg(pair[0], &message, MSG_ERRQUEUE) >= 0)
				break;
			usleep(10000);
		}
		EXPECT_LT(tries, 1000);
	} else {
		EXPECT_EQ(sent, -1);
		EXPECT_EQ(errno, EFAULT);
	}
	close(pair[0]);
	close(pair[1]);
}

TEST_F(memory, process_vm_readv)
{
	uint32_t words[64] = {};
	struct iovec local = { .iov_base = words, .iov_len = sizeof(words) };
	struct iovec remote = { .iov_base = self->map + 4096, .iov_len = sizeof(words) };
	int wait[2], status;
	ssize_t got;
	pid_t child;

	ASSERT_EQ(fill_words(self->fd, SIZE, 8), 0);
	ASSERT_EQ(pipe(wait), 0);
	child = fork();
	if (!child) {
		/* a shared mapping is inherited by the child */
		close(wait[1]);
		_exit(read(wait[0], &status, 1) != 0);
	}
	got = process_vm_readv(child, &local, 1, &remote, 1, 0);
	if (got < 0 && errno == ENOSYS) {
		close(wait[1]);
		close(wait[0]);
		waitpid(child, &status, 0);
		SKIP(return, "no process_vm_readv (CROSS_MEMORY_ATTACH) in this kernel");
	}
	if (has_pages(variant->flags)) {
		EXPECT_EQ(got, (ssize_t)sizeof(words));
		EXPECT_EQ(words[63], expected_word(8, 1024 + 63));
	} else {
		EXPECT_EQ(got, -1);
		EXPECT_EQ(errno, EFAULT);
	}
	close(wait[1]);
	close(wait[0]);
	EXPECT_EQ(waitpid(child, &status, 0), child);
	EXPECT_EQ(status, 0);
}

/* Pages in a pipe are not copied: the pin keeps them longer than the buffer lives. */
TEST_F(memory, pinned_pages_outlive_the_buffer)
{
	struct iovec vector = { .iov_base = self->map, .iov_len = 4096 };
	uint32_t words[1024];
	int ends[2], fd;

	ASSERT_EQ(fill_words(self->fd, SIZE, 11), 0);
	ASSERT_EQ(pipe(ends), 0);
	if (vmsplice(ends[1], &vector, 1, 0) < 0) {
		EXPECT_EQ(errno, EFAULT);
		EXPECT_FALSE(has_pages(variant->flags));
		close(ends[0]);
		close(ends[1]);
		return;
	}
	EXPECT_TRUE(has_pages(variant->flags));
	ASSERT_TRUE(pool_empties());
	munmap(self->map, SIZE);
	close(self->fd);
	/* pinned memory is not given to the next buffer */
	fd = sluice_alloc(self->device, 0, SIZE, 0);
	EXPECT_EQ(fill_words(fd, SIZE, 12), 0);
	EXPECT_EQ(read(ends[0], words, sizeof(words)), (ssize_t)sizeof(words));
	EXPECT_EQ(words[1023], expected_word(11, 1023));
	self->fd = fd;
	ASSERT_EQ(sluice_map(self->fd, SIZE, (void **)&self->map), 0);
	close(ends[0]);
	close(ends[1]);
}

TEST_F(memory, ranges_are_synced)
{
	int queue = patient_queue(self->device, 0);
	struct sluice_op op;
	int64_t before;

	/* an importer, and a job that the CPU access must wait for */
	ASSERT_EQ(sluice_attach(queue, self->fd, 0), 0);
	ASSERT_EQ(knob("delay_us", 100000), 0);
	sluice_op_fill(&op, 0, SIZE / 2, 4096, 7);
	before = now_ns();
	ASSERT_EQ(sluice_submit(queue, &op, 1, -1, NULL, 0, NULL), 0);
	EXPECT_EQ(sluice_cpu_begin_range(self->device, self->fd, true, SIZE / 2 - 100, 300), 0);
	EXPECT_GE(now_ns() - before, 100000000);
	EXPECT_EQ(((uint32_t *)self->map)[SIZE / 8], 7);
	self->map[SIZE / 2 + 8] = 9;
	EXPECT_EQ(sluice_cpu_end_range(self->device, self->fd, true, SIZE / 2 - 100, 300), 0);
	knob("delay_us", 0);
	sluice_op_copy(&op, 0, 0, 0, SIZE / 2, 4096);
	ASSERT_EQ(sluice_submit(queue, &op, 1, -1, NULL, 0, NULL), 0);
	EXPECT_EQ(sluice_cpu_begin_range(self->device, self->fd, false, 0, 16), 0);
	EXPECT_EQ(self->map[8], 9);
	EXPECT_EQ(sluice_cpu_end_range(self->device, self->fd, false, 0, 16), 0);
	close(queue);
}

TEST_F(memory, ranges_outside_are_refused)
{
	struct sluice_sync sync = { .fd = self->fd, .flags = SLUICE_SYNC_READ, .length = 1 };
	int heap, foreign;

	EXPECT_EQ(sluice_cpu_begin_range(self->device, self->fd, false, 0, SIZE), 0);
	EXPECT_EQ(sluice_cpu_end_range(self->device, self->fd, false, 0, SIZE), 0);
	EXPECT_EQ(sluice_cpu_begin_range(self->device, self->fd, false, 0, SIZE + 1), -ERANGE);
	EXPECT_EQ(sluice_cpu_begin_range(self->device, self->fd, false, SIZE, 1), -ERANGE);
	EXPECT_EQ(sluice_cpu_begin_range(self->device, self->fd, false, UINT64_MAX, 2), -ERANGE);
	EXPECT_EQ(sluice_cpu_begin_range(self->device, self->fd, false, 2, UINT64_MAX), -ERANGE);
	EXPECT_EQ(sluice_cpu_begin_range(self->device, self->fd, false, 0, 0), -EINVAL);
	EXPECT_EQ(sluice_cpu_begin_range(self->device, -1, false, 0, 1), -EBADF);
	EXPECT_EQ(sluice_cpu_begin_range(self->device, self->device, false, 0, 1), -EINVAL);
	sync.flags = SLUICE_SYNC_END;
	EXPECT_EQ(xioctl(self->device, SLUICE_IOCTL_SYNC, &sync), -EINVAL);
	sync.flags = SLUICE_SYNC_READ | 8;
	EXPECT_EQ(xioctl(self->device, SLUICE_IOCTL_SYNC, &sync), -EINVAL);
	/* a buffer of another exporter, if the kernel has one */
	heap = open("/dev/dma_heap/system", O_RDWR | O_CLOEXEC);
	if (heap < 0)
		return;
	foreign = alloc_foreign(heap);
	ASSERT_GE(foreign, 0);
	EXPECT_EQ(sluice_cpu_begin_range(self->device, foreign, false, 0, 1), -EOPNOTSUPP);
	close(foreign);
	close(heap);
}

TEST(contradictions_are_refused)
{
	int device = sluice_open("soft0");
	struct sluice_alloc alloc = { .size = 4096 };
	struct sluice_heap_info info;

	alloc.flags = SLUICE_MEM_CACHED | SLUICE_MEM_UNCACHED;
	EXPECT_EQ(xioctl(device, SLUICE_IOCTL_ALLOC, &alloc), -EINVAL);
	alloc.flags = SLUICE_MEM_WRITE_COMBINED | SLUICE_MEM_UNCACHED;
	EXPECT_EQ(xioctl(device, SLUICE_IOCTL_ALLOC, &alloc), -EINVAL);
	alloc.flags = SLUICE_MEM_WRITE_COMBINED | SLUICE_MEM_PAGE_BACKED;
	EXPECT_EQ(xioctl(device, SLUICE_IOCTL_ALLOC, &alloc), -EINVAL);
	EXPECT_EQ(alloc.fd, -1);
	alloc.heap = sluice_find_heap(device, "contiguous");
	alloc.flags = SLUICE_MEM_WRITE_COMBINED;
	EXPECT_EQ(xioctl(device, SLUICE_IOCTL_ALLOC, &alloc), -EOPNOTSUPP);
	alloc.flags = SLUICE_MEM_PAGE_BACKED;
	EXPECT_EQ(xioctl(device, SLUICE_IOCTL_ALLOC, &alloc), -EOPNOTSUPP);
	ASSERT_EQ(sluice_heap_info(device, 0, &info), 0);
	EXPECT_TRUE(info.options & SLUICE_MEM_PAGE_BACKED);
#ifdef __x86_64__
	EXPECT_TRUE(info.options & SLUICE_MEM_WRITE_COMBINED);
#endif
	ASSERT_EQ(sluice_heap_info(device, alloc.heap, &info), 0);
	EXPECT_EQ(info.options, SLUICE_MEM_CACHED);
	close(device);
}

static int alloc_dirty_close(int device, size_t size, int count)
{
	int fds[64], i;

	for (i = 0; i < count; i++) {
		fds[i] = sluice_alloc(device, 0, size, 0);
		if (fds[i] < 0 || fill_words(fds[i], size, 77))
			return -1;
	}
	for (i = 0; i < count; i++)
		close(fds[i]);
	return 0;
}

static bool pool_reaches(long bytes)
{
	int tries;

	for (tries = 0; tries < 500 && pool_bytes() != bytes; tries++)
		usleep(10000);
	if (pool_bytes() != bytes)
		printf("# the pool has %ld bytes\n", pool_bytes());
	return pool_bytes() == bytes;
}

/* For the functions that seen_young() calls: if a condition is false, return its line. */
#define NEED(what) do { \
		if (!(what)) \
			return __LINE__; \
	} while (0)

/*
 * The pool must keep memory while it is young.  A guest may be stopped between any two statements:
 * if a try took too long, its result says nothing, and it is tried again.
 */
static bool seen_young(int (*look)(int device), int device)
{
	int tries, line;

	for (tries = 0; tries < 3; tries++) {
		int64_t before = now_ns();

		line = look(device);
		if (!line)
			return true;
		printf("# line %d, after %lld ms\n", line,
		       (long long)(now_ns() - before) / 1000000);
		if (now_ns() - before < POOL_YOUNG)
			break;
	}
	return false;
}

static int keep_and_hand_out(int device)
{
	int fds[8], i;

	NEED(pool_empties());
	NEED(!alloc_dirty_close(device, 1 << 20, 8));
	NEED(pool_reaches(8 << 20));
	/* at once, dirty or not, and a little later */
	for (i = 0; i < 8; i++) {
		fds[i] = sluice_alloc(device, 0, 1 << 20, 0);
		NEED(fds[i] >= 0);
		NEED(!check_value(fds[i], 1 << 20, 0));
		if (i == 4)
			usleep(300000);
	}
	NEED(pool_reaches(0));
	for (i = 0; i < 8; i++)
		close(fds[i]);
	NEED(pool_reaches(8 << 20));
	/* memory of another size is not found there */
	fds[0] = sluice_alloc(device, 0, 2 << 20, 0);
	NEED(pool_bytes() == 8 << 20);
	close(fds[0]);
	return 0;
}

TEST(pool_keeps_memory_and_hands_it_out_zeroed)
{
	int device = sluice_open("soft0");

	EXPECT_TRUE(seen_young(keep_and_hand_out, device));
	/* memory pressure empties the pool */
	EXPECT_TRUE(pool_empties());
	close(device);
}

#define SMALL 300	/* number parked beside the buffer that fits */

/*
 * Park small buffers of this number of sizes, and large ones before or after them.  There are two
 * large ones, because ALLOC does not take the one that is being zeroed.
 */
static int find_beside(int device, int sizes, bool first)
{
	long small = 0;
	int fds[SMALL], i;

	NEED(pool_empties());
	for (i = 0; i < SMALL; i++) {
		fds[i] = sluice_alloc(device, 0, 4096 * (1 + i % sizes), 0);
		NEED(fds[i] >= 0);
		small += 4096 * (1 + i % sizes);
	}
	if (first)
		NEED(!alloc_dirty_close(device, 1 << 20, 2));
	for (i = 0; i < SMALL; i++)
		close(fds[i]);
	if (!first)
		NEED(!alloc_dirty_close(device, 1 << 20, 2));
	NEED(pool_reaches(small + (2 << 20)));
	fds[0] = sluice_alloc(device, 0, 1 << 20, 0);
	NEED(fds[0] >= 0);
	NEED(!check_value(fds[0], 1 << 20, 0));
	/* the buffer came from the pool, and the others are still there */
	NEED(pool_bytes() == small + (1 << 20));
	close(fds[0]);
	return 0;
}

static int find_behind_one_size(int device)
{
	return find_beside(device, 1, false);
}

static int find_behind_many_sizes(int device)
{
	return find_beside(device, 20, false);
}

static int find_before_many_sizes(int device)
{
	return find_beside(device, 20, true);
}

TEST(pool_finds_what_fits_whatever_else_is_parked)
{
	int device = sluice_open("soft0");

	EXPECT_TRUE(seen_young(find_behind_one_size, device));
	EXPECT_TRUE(seen_young(find_behind_many_sizes, device));
	EXPECT_TRUE(seen_young(find_before_many_sizes, device));
	EXPECT_TRUE(pool_empties());
	close(device);
}

/* Look up names that do not exist: the kernel caches them for a while, and frees them easily. */
static void fill_caches(void)
{
	int64_t begin = now_ns();
	char path[64];
	int i;

	for (i = 0; i < 100000 && now_ns() - begin < 1000000000; i++) {
		snprintf(path, sizeof(path), "/sys/none-%lld-%d", (long long)begin, i);
		access(path, F_OK);
	}
}

/*
 * If the pool holds all the memory that edu reaches, this memory is as good as free.  Now and then,
 * reclaim frees enough elsewhere and does not touch the pool.
 */
TEST(pool_gives_back_scarce_memory)
{
	struct objects before = objects_before();
	int device = sluice_open("edu0"), fds[4], count, large, i;

	if (device == -ENOENT || translated())
		SKIP(close(device); return, "no device that reaches little of the memory");
	for (i = 0; i < 12; i++) {
		for (count = 0; count < 4; count++) {
			fds[count] = sluice_alloc(device, 0, (3 << 20) + (4 * i + count) * 4096, 0);
			EXPECT_GE(fds[count], 0);
		}
		while (count)
			close(fds[--count]);
		fill_caches();
		large = sluice_alloc(device, 0, 3 << 20, 0);
		EXPECT_GE(large, 0);
		close(large);
	}
	close(device);
	EXPECT_TRUE(objects_settle(&before));
}

/* Set the limit of the pool.  Stores the limit before in @before, unless NULL. */
static bool pool_limit(const char *mib, char *before)
{
	static const char limit[] = "/sys/module/sluice/parameters/pool_limit_mb";
	FILE *file = fopen(limit, "r");
	bool read = file && (!before || fscanf(file, "%31s", before) == 1);

	if (file)
		fclose(file);
	return read && !write_text(limit, mib);
}

TEST(pool_has_a_limit)
{
	int device = sluice_open("soft0");
	char before[32];

	ASSERT_TRUE(pool_empties());
	ASSERT_TRUE(pool_limit("2", before));
	EXPECT_EQ(alloc_dirty_close(device, 1 << 20, 8), 0);
	EXPECT_TRUE(pool_reaches(2 << 20));
	EXPECT_TRUE(pool_limit("0", NULL));
	EXPECT_TRUE(pool_empties());
	EXPECT_EQ(alloc_dirty_close(device, 1 << 20, 2), 0);
	EXPECT_EQ(pool_bytes(), 0);
	/* after the limit was lowered, the next close lets the worker free the memory beyond it */
	EXPECT_TRUE(pool_limit(before, NULL));
	EXPECT_EQ(alloc_dirty_close(device, 1 << 20, 8), 0);
	EXPECT_TRUE(pool_reaches(8 << 20));
	EXPECT_TRUE(pool_limit("1", NULL));
	EXPECT_EQ(alloc_dirty_close(device, 4096, 1), 0);
	EXPECT_TRUE(pool_reaches(1 << 20));
	EXPECT_TRUE(pool_limit(before, NULL));
	EXPECT_TRUE(pool_empties());
	close(device);
}

/* Two buffers fit.  Each is a little smaller than the last, so the sum tells which are there. */
static int free_oldest(int device)
{
	static const long sizes[] = { 1 << 20, (1 << 20) - 4096, (1 << 20) - 2 * 4096,
				      (1 << 20) - 3 * 4096 };
	int i;

	NEED(pool_empties());
	for (i = 0; i < 4; i++) {
		NEED(!alloc_dirty_close(device, sizes[i], 1));
		NEED(pool_reaches(sizes[i] + (i ? sizes[i - 1] : 0)));
		/* zeroed memory and other memory are treated alike */
		if (i == 1)
			usleep(300000);
	}
	/* many small buffers make room for a large one, and the large one for a small one */
	NEED(pool_empties());
	NEED(!alloc_dirty_close(device, 8192, 64));
	NEED(!alloc_dirty_close(device, 2 << 20, 1));
	NEED(pool_reaches(2 << 20));
	NEED(!alloc_dirty_close(device, 4096, 1));
	NEED(pool_reaches(4096));
	/* a buffer that can never fit frees nothing */
	NEED(!alloc_dirty_close(device, 3 << 20, 1));
	NEED(pool_reaches(4096));
	return 0;
}

TEST(pool_over_its_limit_frees_the_oldest)
{
	int device = sluice_open("soft0");
	char before[32];

	ASSERT_TRUE(pool_limit("2", before));
	EXPECT_TRUE(seen_young(free_oldest, device));
	EXPECT_TRUE(pool_limit(before, NULL));
	EXPECT_TRUE(pool_empties());
	close(device);
}

/* Read the next line of the list of buffers.  Returns its size, or 0 for other sizes, or -1. */
static long next_in_list(int list)
{
	char text[256];
	size_t length = 0;
	long size = 0;

	while (length < sizeof(text) - 1 && read(list, &text[length], 1) == 1)
		if (text[length++] == '\n')
			break;
	text[length] = '\0';
	if (!length)
		return -1;
	return sscanf(text, "soft0\tpages\t%ld", &size) == 1 ? size : 0;
}

#define LISTED 300
#define FIRST_SIZE 8	/* pages of the first buffer; each has a page more than the last */

/*
 * A reader of the list keeps its place while buffers come and go: it finds each buffer that stays,
 * and finds it once.
 */
TEST(list_of_buffers_keeps_the_place_of_a_reader)
{
	int list = open("/sys/kernel/debug/sluice/buffers", O_RDONLY | O_CLOEXEC);
	int other = open("/sys/kernel/debug/sluice/buffers", O_RDONLY | O_CLOEXEC);
	int device = sluice_open("soft0"), fds[LISTED], found[LISTED] = {}, i, lines = 0;
	long size;

	ASSERT_GE(list, 0);
	ASSERT_GE(other, 0);
	for (i = 0; i < LISTED; i++) {
		fds[i] = sluice_alloc(device, 0, (FIRST_SIZE + i) * 4096, 0);
		ASSERT_GE(fds[i], 0);
	}
	for (i = 0; i < LISTED / 2; i++)
		next_in_list(other);
	while ((size = next_in_list(list)) >= 0) {
		i = size / 4096 - FIRST_SIZE;
		if (i >= 0 && i < LISTED)
			found[i]++;
		/* now and then one of the odd buffers is made anew, at the end of the list */
		i = 2 * lines + 1;
		if (++lines % 8 == 0 && i < LISTED) {
			close(fds[i]);
			fds[i] = sluice_alloc(device, 0, (FIRST_SIZE + i) * 4096, 0);
			ASSERT_GE(fds[i], 0);
		}
	}
	EXPECT_GE(lines, LISTED);
	for (i = 0; i < LISTED; i += 2)
		EXPECT_EQ(found[i], 1);
	/* from the start again */
	ASSERT_EQ(lseek(list, 0, SEEK_SET), 0);
	for (i = 0; next_in_list(list) >= 0; )
		i++;
	EXPECT_GT(i, LISTED);
	for (i = 0; i < LISTED; i++)
		close(fds[i]);
	EXPECT_GE(next_in_list(other), -1);
	close(list);
	close(other);
	close(device);
}

TEST(pool_frees_memory_that_stays_unused)
{
	int device = sluice_open("soft0"), tries;
	int64_t before;

	ASSERT_TRUE(pool_empties());
	before = now_ns();
	ASSERT_EQ(alloc_dirty_close(device, 1 << 20, 3), 0);
	ASSERT_TRUE(pool_reaches(3 << 20));
	for (tries = 0; tries < 90 && pool_bytes() > 0; tries++)
		sleep(1);
	EXPECT_EQ(pool_bytes(), 0);
	EXPECT_GT(now_ns() - before, 6000000000);
	close(device);
}

/* A process in the cgroup t allocates and frees. */
static int park_in_cgroup(int device, size_t size, int count)
{
	char text[64];
	int status;
	pid_t child = fork();

	if (!child) {
		snprintf(text, sizeof(text), "%d", getpid());
		if (write_text("/tmp/sluice-cgroup/t/cgroup.procs", text))
			_exit(1);
		_exit(alloc_dirty_close(device, size, count) ? 2 : 0);
	}
	NEED(waitpid(child, &status, 0) == child);
	NEED(!status);
	return 0;
}

/* The limit of a cgroup frees its 4 MiB in the pool, but not the 1 MiB of this process. */
static int free_of_a_cgroup(void)
{
	NEED(!write_text("/tmp/sluice-cgroup/t/memory.max", "1M"));
	NEED(pool_bytes() <= 2 << 20);
	NEED(pool_bytes() >= 1 << 20);
	return 0;
}

static int keep_apart(int device)
{
	NEED(pool_empties());
	NEED(!write_text("/tmp/sluice-cgroup/t/memory.max", "max"));
	NEED(!park_in_cgroup(device, 1 << 20, 4));
	NEED(pool_reaches(4 << 20));
	/* this process is in another cgroup, and gets none of the memory */
	NEED(!alloc_dirty_close(device, 1 << 20, 1));
	NEED(pool_reaches(5 << 20));
	return free_of_a_cgroup();
}

TEST(pool_keeps_cgroups_apart)
{
	int device;

	if (!memory_cgroup())
		SKIP(return, "no memory cgroup in this kernel");
	device = sluice_open("soft0");
	EXPECT_TRUE(seen_young(keep_apart, device));
	EXPECT_TRUE(memory_cgroup_end("/tmp/sluice-cgroup"));
	/* the rest has moved to the parent cgroup */
	EXPECT_TRUE(pool_empties());
	close(device);
}

/* Keep this thread on one CPU. */
static int stay_on(int cpu)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	return sched_setaffinity(0, sizeof(cpus), &cpus);
}

/*
 * Memory that was in the pool before is parked with the CPU that closed it.  ALLOC gets it zeroed,
 * on any CPU, and only in its cgroup; memory pressure frees it.
 */
static int park_on_a_cpu(int device)
{
	int fd, tries;

	NEED(pool_empties());
	NEED(!stay_on(0));
	/* at once, and zeroed by the worker */
	for (tries = 0; tries < 4; tries++) {
		NEED(!alloc_dirty_close(device, 8192, 1));
		if (tries % 2)
			usleep(50000);
		fd = sluice_alloc(device, 0, 8192, 0);
		NEED(fd >= 0);
		NEED(pool_bytes() == 0);
		NEED(!check_value(fd, 8192, 0));
		close(fd);
	}
	NEED(pool_reaches(8192));
	/* the other CPU finds it a little later */
	NEED(!stay_on(sysconf(_SC_NPROCESSORS_ONLN) - 1));
	usleep(200000);
	fd = sluice_alloc(device, 0, 8192, 0);
	NEED(fd >= 0);
	NEED(pool_bytes() == 0);
	NEED(!check_value(fd, 8192, 0));
	close(fd);
	NEED(pool_reaches(8192));
	NEED(pool_empties());
	return 0;
}

TEST(pool_keeps_memory_with_a_cpu)
{
	int device = sluice_open("soft0");
	cpu_set_t before;

	ASSERT_EQ(sched_getaffinity(0, sizeof(before), &before), 0);
	EXPECT_TRUE(seen_young(park_on_a_cpu, device));
	EXPECT_EQ(sched_setaffinity(0, sizeof(before), &before), 0);
	close(device);
}

static int keep_apart_on_a_cpu(int device)
{
	NEED(!stay_on(0));
	NEED(pool_empties());
	NEED(!write_text("/tmp/sluice-cgroup/t/memory.max", "max"));
	/* each child takes what the one before has parked */
	NEED(!park_in_cgroup(device, 1 << 20, 4));
	NEED(!park_in_cgroup(device, 1 << 20, 4));
	NEED(pool_reaches(4 << 20));
	NEED(!alloc_dirty_close(device, 1 << 20, 1));
	NEED(pool_reaches(5 << 20));
	return free_of_a_cgroup();
}

TEST(pool_with_a_cpu_keeps_cgroups_apart)
{
	cpu_set_t before;
	int device;

	if (!memory_cgroup())
		SKIP(return, "no memory cgroup in this kernel");
	device = sluice_open("soft0");
	ASSERT_EQ(sched_getaffinity(0, sizeof(before), &before), 0);
	EXPECT_TRUE(seen_young(keep_apart_on_a_cpu, device));
	EXPECT_EQ(sched_setaffinity(0, sizeof(before), &before), 0);
	EXPECT_TRUE(memory_cgroup_end("/tmp/sluice-cgroup"));
	EXPECT_TRUE(pool_empties());
	close(device);
}

static bool remove_cgroup(void)
{
	int tries;

	/* the last of its tasks may have been reaped but still be exiting */
	for (tries = 0; tries < 200 && rmdir("/tmp/sluice-cgroup/t"); tries++)
		usleep(50000);
	return tries < 200;
}

/*
 * A cgroup is removed, and its memory stays in the pool.  Tasks of its parent, such as this test,
 * get all of it.  The kernel may take a while to move the memory; until then they get other memory.
 */
static int inherit(int device)
{
	int fds[256], i = 0, count = 0;

	mkdir("/tmp/sluice-cgroup/t", 0755);
	NEED(pool_empties());
	NEED(!park_in_cgroup(device, 1 << 20, 4));
	NEED(!park_in_cgroup(device, 8192, 40));
	NEED(!park_in_cgroup(device, 2 << 20, 1));
	NEED(pool_reaches((6 << 20) + 40 * 8192));
	NEED(remove_cgroup());
	while (i < 45) {
		size_t size = i < 40 ? 8192 : i < 44 ? 1 << 20 : 2 << 20;
		long before = pool_bytes();

		NEED(count < 256);
		fds[count] = sluice_alloc(device, 0, size, 0);
		NEED(fds[count] >= 0);
		NEED(!check_value(fds[count++], size, 0));
		if (pool_bytes() == before - (long)size) {
			i++;
		} else {
			NEED(pool_bytes() == before);
			usleep(20000);
		}
	}
	NEED(pool_bytes() == 0);
	while (count)
		close(fds[--count]);
	return 0;
}

TEST(pool_of_a_removed_cgroup_is_its_parents)
{
	int device;

	if (!memory_cgroup())
		SKIP(return, "no memory cgroup in this kernel");
	device = sluice_open("soft0");
	EXPECT_TRUE(seen_young(inherit, device));
	mkdir("/tmp/sluice-cgroup/t", 0755);
	EXPECT_TRUE(memory_cgroup_end("/tmp/sluice-cgroup"));
	EXPECT_TRUE(pool_empties());
	close(device);
}

/* Is the whole buffer in segments of 2 MiB, and the first aligned to 2 MiB? */
static bool is_huge(int device, int buffer, uint64_t size)
{
	struct sluice_buffer_info info;
	int ret;

	write_text(ADDRESSES, "Y");
	ret = sluice_buffer_info(device, buffer, &info);
	write_text(ADDRESSES, "N");
	if (!ret && !info.error && info.properties & SLUICE_MEM_HUGE &&
	    info.segments <= size / HUGE && info.largest_segment >= HUGE &&
	    info.address && !(info.address % HUGE))
		return true;
	printf("# error %d, %u segments, properties %x, address %llx\n", ret ?: info.error,
	       info.segments, info.properties, (unsigned long long)info.address);
	return false;
}

static int alloc_huge(int device, uint64_t size, uint32_t flags, struct sluice_alloc *args)
{
	*args = (struct sluice_alloc) { .size = size, .flags = SLUICE_MEM_HUGE | flags };
	return xioctl(device, SLUICE_IOCTL_ALLOC, args);
}

static bool has_huge(int device)
{
	struct sluice_heap_info info;

	return !sluice_heap_info(device, 0, &info) && info.options & SLUICE_MEM_HUGE;
}

/* Also from the pool, and together with other flags. */
TEST(huge_memory_is_in_huge_pieces_and_its_size_is_whole_ones)
{
	static const uint32_t flags[] = { 0, 0, SLUICE_MEM_PAGE_BACKED,
					  SLUICE_MEM_CACHED, SLUICE_MEM_WRITE_COMBINED };
	struct objects before = objects_before();
	int device = sluice_open("soft0");
	struct sluice_heap_info info;
	struct sluice_alloc args;
	unsigned int i;

	ASSERT_EQ(sluice_heap_info(device, 0, &info), 0);
	if (!has_huge(device))
		SKIP(return, "huge pages of this machine have another size");
	for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		if (flags[i] & ~(info.properties | info.options))
			continue;
		ASSERT_EQ(alloc_huge(device, HUGE + 1, flags[i], &args), 0);
		EXPECT_EQ(args.size, 2 * HUGE);
		EXPECT_EQ(args.granted & (SLUICE_MEM_HUGE | flags[i]), SLUICE_MEM_HUGE | flags[i]);
		EXPECT_EQ(lseek(args.fd, 0, SEEK_END), (off_t)(2 * HUGE));
		EXPECT_TRUE(is_huge(device, args.fd, 2 * HUGE)) TH_LOG("flags %x", flags[i]);
		EXPECT_EQ(check_value(args.fd, 2 * HUGE, 0), 0);
		ASSERT_EQ(fill_words(args.fd, 2 * HUGE, i), 0);
		EXPECT_EQ(check_words(args.fd, 2 * HUGE, i), 0);
		close(args.fd);
	}
	close(device);
	EXPECT_TRUE(objects_settle(&before));
}

/* hugetlb has taken the free huge pages: compaction makes a few or none. */
TEST(memory_that_is_not_huge_is_never_given_for_huge)
{
	struct objects before = objects_before();
	int device = sluice_open("soft0"), plain, ret;
	struct sluice_alloc args;
	char text[32];
	long spare;

	if (!has_huge(device))
		SKIP(return, "huge pages of this machine have another size");
	ASSERT_TRUE(pool_empties());
	/* leave enough memory for other processes, and no more */
	ASSERT_EQ(reserve_mb(0), 0);
	spare = sysconf(_SC_AVPHYS_PAGES) - (256 << 20) / sysconf(_SC_PAGESIZE);
	snprintf(text, sizeof(text), "%ld", spare > 0 ? spare / 512 : 0);
	if (write_text("/proc/sys/vm/nr_hugepages", text))
		SKIP(return, "no hugetlb in this kernel");
	ret = alloc_huge(device, 16 * HUGE, 0, &args);
	if (ret) {
		EXPECT_EQ(ret, -ENOMEM);
		EXPECT_TRUE(args.hint == SLUICE_HINT_FRAGMENTED || args.hint == SLUICE_HINT_NONE);
		EXPECT_EQ(args.granted, 0);
	} else {
		EXPECT_TRUE(is_huge(device, args.fd, 16 * HUGE));
		close(args.fd);
	}
	printf("# %s, hint %u\n", strerror(-ret), args.hint);
	/* a buffer without the flag gets smaller pages */
	plain = sluice_alloc(device, 0, 2 * HUGE, 0);
	EXPECT_GE(plain, 0);
	close(plain);
	EXPECT_EQ(reserve_mb(RESERVE_DEFAULT), 0);
	EXPECT_EQ(write_text("/proc/sys/vm/nr_hugepages", "0"), 0);
	close(device);
	EXPECT_TRUE(objects_settle(&before));
}

/* The first 16 MiB belong in part to the firmware, and do not have 8 free huge pages. */
TEST(huge_memory_that_a_device_cannot_reach_is_refused)
{
	int device = sluice_open("edu0"), contiguous;
	struct sluice_alloc args;

	if (device < 0 || !has_huge(device))
		SKIP(return, "no edu device");
	if (access("/sys/class/sluice/edu0/device/iommu_group", F_OK) == 0)
		SKIP(return, "behind an IOMMU it reaches all memory");
	EXPECT_EQ(alloc_huge(device, 8 * HUGE, 0, &args), -ENOMEM);
	EXPECT_EQ(args.hint, SLUICE_HINT_DMA_MASK);
	contiguous = sluice_find_heap(device, "contiguous");
	args = (struct sluice_alloc) { .size = HUGE, .heap = contiguous, .flags = SLUICE_MEM_HUGE };
	EXPECT_EQ(xioctl(device, SLUICE_IOCTL_ALLOC, &args), -EOPNOTSUPP);
	close(device);
}

TEST_HARNESS_MAIN
