// SPDX-License-Identifier: MIT
/*
 * WRAP: pages of a memfd as a dma-buf, page for page, as long as either lives.  Each test of the
 * fixture runs on a file of small pages and on a file of huge pages, if the kernel can reserve
 * some.
 */
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <linux/udmabuf.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "buffers.h"
#include "harness.h"
#include "jobs.h"
#include "machine.h"
#include "objects.h"
#include "pages.h"
#include "pattern.h"
#include "sluice.h"

#define PAGE 4096UL
#define HUGE (2UL << 20)
#define SIZE (2 * HUGE)

/* The number of pinned pages, if the kernel counts them. */
static long pins(void)
{
	char line[16];
	int fd = open("/proc/sys/vm/stat_refresh", O_RDONLY | O_CLOEXEC);

	/* have the kernel sum up the counts of all CPUs now */
	if (fd >= 0) {
		if (read(fd, line, sizeof(line)) < 0)
			printf("# cannot refresh the counts\n");
		close(fd);
	}
	return number_of("/proc/vmstat", "nr_foll_pin_acquired") -
	       number_of("/proc/vmstat", "nr_foll_pin_released");
}

/* Wait until the number is the same as before; other tasks pin pages, too. */
static bool pins_settle(long before)
{
	int tries;

	for (tries = 0; tries < 1000 && pins() > before; tries++)
		usleep(20000);
	if (pins() > before)
		printf("# %ld pins before, %ld after\n", before, pins());
	return pins() <= before;
}

FIXTURE(wrap) {
	struct objects before;
	long pins, huge_free;
	int device, queue, memfd, fd;
	uint32_t *file;
};

FIXTURE_VARIANT(wrap) {
	unsigned int flags;
};

FIXTURE_VARIANT_ADD(wrap, small_pages) { .flags = 0 };
FIXTURE_VARIANT_ADD(wrap, huge_pages) { .flags = MFD_HUGETLB };

FIXTURE_SETUP(wrap)
{
	self->file = MAP_FAILED;
	self->device = self->queue = self->memfd = self->fd = -1;
	self->before = objects_before();
	if (variant->flags && !reserve_huge_pages(6))
		SKIP(return, "no huge pages in this kernel");
	self->huge_free = number_of("/proc/meminfo", "HugePages_Free:");
	self->pins = pins();
	self->device = sluice_open("soft0");
	ASSERT_GE(self->device, 0);
	self->queue = patient_queue(self->device, 0);
	ASSERT_GE(self->queue, 0);
	self->memfd = sealed_memfd(variant->flags, SIZE, F_SEAL_SHRINK);
	ASSERT_GE(self->memfd, 0);
}

FIXTURE_TEARDOWN(wrap)
{
	if (self->file != MAP_FAILED)
		munmap(self->file, SIZE);
	close(self->fd);
	close(self->memfd);
	close(self->queue);
	close(self->device);
	EXPECT_TRUE(objects_settle(&self->before));
	EXPECT_TRUE(pins_settle(self->pins));
	EXPECT_EQ(number_of("/proc/meminfo", "HugePages_Free:"), self->huge_free);
	if (variant->flags)
		reserve_huge_pages(0);
}

/* Wrap the whole file, and map the dma-buf. */
#define WRAP_ALL() do { \
		self->fd = sluice_wrap(self->device, self->memfd, 0, SIZE); \
		ASSERT_GE(self->fd, 0) TH_LOG("%s", strerror(-self->fd)); \
		self->file = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, self->memfd, 0); \
		ASSERT_NE(self->file, MAP_FAILED); \
	} while (0)

static bool words_are(const uint32_t *words, size_t size, uint32_t seed, size_t first)
{
	size_t i;

	for (i = 0; i < size / sizeof(*words); i++)
		if (words[i] != expected_word(seed, first + i))
			return false;
	return true;
}

static bool all_are(const uint32_t *words, size_t size, uint32_t value)
{
	size_t i;

	for (i = 0; i < size / sizeof(*words); i++)
		if (words[i] != value)
			return false;
	return true;
}

/* The device fills a range of slot 0. */
static int fill(int queue, uint64_t offset, uint64_t length, uint32_t value)
{
	struct sluice_op op;
	uint64_t point;
	int ret;

	sluice_op_fill(&op, 0, offset, length, value);
	ret = sluice_submit(queue, &op, 1, -1, NULL, 0, &point);
	return ret ? ret : sluice_wait(queue, point, LATE_MS);
}

TEST_F(wrap, file_and_dma_buf_are_the_same_pages)
{
	struct sluice_op op;
	uint64_t point;
	size_t i;

	WRAP_ALL();
	for (i = 0; i < SIZE / 4; i++)
		self->file[i] = expected_word(1, i);
	EXPECT_EQ(check_words(self->fd, SIZE, 1), 0);
	ASSERT_EQ(fill_words(self->fd, SIZE, 2), 0);
	EXPECT_TRUE(words_are(self->file, SIZE, 2, 0));
	/* and writes of the device */
	ASSERT_EQ(sluice_attach(self->queue, self->fd, 0), 0);
	sluice_op_copy(&op, 0, SIZE / 2, 0, 0, SIZE / 2);
	ASSERT_EQ(sluice_submit(self->queue, &op, 1, -1, NULL, 0, &point), 0);
	ASSERT_EQ(sluice_wait(self->queue, point, LATE_MS), 0);
	EXPECT_TRUE(words_are(self->file + SIZE / 8, SIZE / 2, 2, 0));
	ASSERT_EQ(fill(self->queue, PAGE, PAGE, 0xabcd), 0);
	EXPECT_TRUE(all_are(self->file + PAGE / 4, PAGE, 0xabcd));
	EXPECT_TRUE(words_are(self->file + PAGE / 2, PAGE, 2, PAGE / 2));
}

TEST_F(wrap, part_of_a_file_is_that_part)
{
	const uint64_t offset = HUGE - 3 * PAGE, size = 8 * PAGE;
	struct sluice_buffer_info info;
	uint32_t *part;
	size_t i;

	WRAP_ALL();
	close(self->fd);
	self->fd = sluice_wrap(self->device, self->memfd, offset, size);
	ASSERT_GE(self->fd, 0);
	EXPECT_EQ(lseek(self->fd, 0, SEEK_END), (off_t)size);
	for (i = 0; i < SIZE / 4; i++)
		self->file[i] = expected_word(3, i);
	ASSERT_EQ(sluice_map(self->fd, size, (void **)&part), 0);
	EXPECT_TRUE(words_are(part, size, 3, offset / 4));
	munmap(part, size);
	EXPECT_EQ(mmap(NULL, size + PAGE, PROT_READ, MAP_SHARED, self->fd, 0), MAP_FAILED);
	ASSERT_EQ(sluice_attach(self->queue, self->fd, 0), 0);
	ASSERT_EQ(fill(self->queue, 0, size, 7), 0);
	EXPECT_TRUE(words_are(self->file, offset, 3, 0));
	EXPECT_TRUE(all_are(self->file + offset / 4, size, 7));
	EXPECT_TRUE(words_are(self->file + (offset + size) / 4, SIZE - offset - size, 3,
			      (offset + size) / 4));
	/* from the middle of one huge page to the middle of the next */
	ASSERT_EQ(sluice_buffer_info(self->device, self->fd, &info), 0);
	EXPECT_EQ(info.size, size);
	if (variant->flags)
		EXPECT_LE(info.segments, 2);
}

/* WRAP adds pages for the holes to the file. */
TEST_F(wrap, holes_are_filled_with_zeroed_pages)
{
	self->fd = sluice_wrap(self->device, self->memfd, 0, SIZE);
	ASSERT_GE(self->fd, 0);
	EXPECT_EQ(check_value(self->fd, SIZE, 0), 0);
	ASSERT_EQ(sluice_attach(self->queue, self->fd, 0), 0);
	ASSERT_EQ(fill(self->queue, 0, SIZE, 0x55aa), 0);
	self->file = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, self->memfd, 0);
	ASSERT_NE(self->file, MAP_FAILED);
	EXPECT_TRUE(all_are(self->file, SIZE, 0x55aa));
}

TEST_F(wrap, data_that_the_device_wrote_survive_reclaim)
{
	self->fd = sluice_wrap(self->device, self->memfd, 0, SIZE);
	ASSERT_GE(self->fd, 0);
	ASSERT_EQ(sluice_attach(self->queue, self->fd, 0), 0);
	ASSERT_EQ(fill(self->queue, 0, SIZE, 0x1234), 0);
	ASSERT_EQ(sluice_detach(self->queue, 0), 0);
	close(self->fd);
	self->fd = -1;
	/* the CPU has not written these pages: reclaim drops them unless they are marked dirty */
	self->file = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, self->memfd, 0);
	ASSERT_NE(self->file, MAP_FAILED);
	EXPECT_TRUE(all_are(self->file, SIZE, 0x1234));
	if (madvise(self->file, SIZE, MADV_PAGEOUT))
		printf("# no MADV_PAGEOUT: %s\n", strerror(errno));
	EXPECT_TRUE(all_are(self->file, SIZE, 0x1234));
}

TEST_F(wrap, dma_buf_outlives_file_and_device)
{
	uint32_t *part;
	int again;

	WRAP_ALL();
	ASSERT_EQ(fill_words(self->fd, SIZE, 4), 0);
	munmap(self->file, SIZE);
	self->file = MAP_FAILED;
	close(self->memfd);
	close(self->queue);
	close(self->device);
	EXPECT_EQ(check_words(self->fd, SIZE, 4), 0);
	ASSERT_EQ(sluice_map(self->fd, SIZE, (void **)&part), 0);
	/* the mapping outlives all fds */
	close(self->fd);
	EXPECT_TRUE(words_are(part, SIZE, 4, 0));
	part[0] = 1;
	munmap(part, SIZE);
	self->memfd = self->queue = self->fd = -1;
	/* a new file and its buffer have none of the data */
	self->device = sluice_open("soft0");
	again = sealed_memfd(variant->flags, SIZE, F_SEAL_SHRINK);
	self->fd = sluice_wrap(self->device, again, 0, SIZE);
	EXPECT_EQ(check_value(self->fd, SIZE, 0), 0);
	close(again);
}

TEST_F(wrap, file_outlives_dma_buf)
{
	WRAP_ALL();
	ASSERT_EQ(fill_words(self->fd, SIZE, 5), 0);
	close(self->fd);
	EXPECT_TRUE(words_are(self->file, SIZE, 5, 0));
	self->fd = sluice_wrap(self->device, self->memfd, 0, SIZE);
	EXPECT_EQ(check_words(self->fd, SIZE, 5), 0);
}

TEST_F(wrap, two_dma_bufs_share_pages)
{
	int other = sluice_wrap(self->device, self->memfd, PAGE, SIZE - PAGE);
	uint32_t *part;

	ASSERT_GE(other, 0);
	WRAP_ALL();
	ASSERT_EQ(fill_words(self->fd, SIZE, 6), 0);
	ASSERT_EQ(sluice_map(other, SIZE - PAGE, (void **)&part), 0);
	EXPECT_TRUE(words_are(part, SIZE - PAGE, 6, PAGE / 4));
	munmap(part, SIZE - PAGE);
	close(self->fd);
	self->fd = other;
	EXPECT_TRUE(words_are(self->file, SIZE, 6, 0));
}

TEST_F(wrap, seals_added_later)
{
	int fresh, sealed, ret, i;

	WRAP_ALL();
	munmap(self->file, SIZE);
	self->file = MAP_FAILED;
	EXPECT_EQ(ftruncate(self->memfd, HUGE), -1);
	EXPECT_EQ(errno, EPERM);
	EXPECT_EQ(fcntl(self->memfd, F_ADD_SEALS, F_SEAL_GROW), 0);
	/* F_SEAL_WRITE promises that the file is never written, so it is refused */
	EXPECT_EQ(fcntl(self->memfd, F_ADD_SEALS, F_SEAL_WRITE), -1);
	EXPECT_EQ(errno, EBUSY);
	EXPECT_EQ(fcntl(self->memfd, F_GET_SEALS), F_SEAL_SHRINK | F_SEAL_GROW);
	EXPECT_EQ(fill_words(self->fd, SIZE, 7), 0);
	close(self->fd);
	self->fd = -1;
	/* some kernels always refuse it for huge pages, and other references come and go */
	for (i = 0; i < 5; i++) {
		fresh = sealed_memfd(variant->flags, SIZE, F_SEAL_SHRINK);
		ASSERT_EQ(fallocate(fresh, 0, 0, SIZE), 0);
		sealed = variant->flags ? fcntl(fresh, F_ADD_SEALS, F_SEAL_WRITE) :
					  seal_writes(fresh);
		close(fresh);
		ret = sealed ? fcntl(self->memfd, F_ADD_SEALS, F_SEAL_WRITE) :
			       seal_writes(self->memfd);
		if (ret == sealed)
			break;
	}
	EXPECT_EQ(ret, sealed);
	EXPECT_EQ(wrap_error(self->device, self->memfd, 0, SIZE), sealed ? 0 : -EPERM);
}

TEST_F(wrap, future_write_seal_added_later_keeps_write_access)
{
	WRAP_ALL();
	EXPECT_EQ(fcntl(self->memfd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE), 0);
	EXPECT_EQ(fill_words(self->fd, SIZE, 8), 0);
	EXPECT_TRUE(words_are(self->file, SIZE, 8, 0));
	EXPECT_EQ(wrap_error(self->device, self->memfd, 0, SIZE), -EPERM);
}

/* Pages from fallocate() may not be cleared; a read or a mapping of the file clears them. */
TEST_F(wrap, pages_of_fallocate_are_clear_and_stay_what_is_written)
{
	int fresh = sealed_memfd(variant->flags, SIZE, F_SEAL_SHRINK);
	struct sluice_wrap args = { .memfd = fresh, .size = SIZE };
	uint32_t *words;

	ASSERT_EQ(fallocate(fresh, 0, 0, SIZE), 0);
	ASSERT_EQ(xioctl(self->device, SLUICE_IOCTL_WRAP, &args), 0);
	EXPECT_EQ(check_value(args.fd, SIZE, 0), 0);
	ASSERT_EQ(fill_words(args.fd, SIZE, 12), 0);
	words = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fresh, 0);
	ASSERT_NE(words, MAP_FAILED);
	EXPECT_TRUE(words_are(words, SIZE, 12, 0));
	munmap(words, SIZE);
	close(args.fd);
	close(fresh);
}

/* The number in a line of the device fd's fdinfo. */
static long long account(int device)
{
	char path[64], line[128];
	long long bytes = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", device);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		sscanf(line, "sluice-buffer-bytes: %lld", &bytes);
	if (file)
		fclose(file);
	return bytes;
}

TEST_F(wrap, part_of_a_huge_page_counts_as_all_of_it)
{
	struct sluice_wrap args = { .memfd = self->memfd, .size = 4096 };
	long long least = variant->flags & MFD_HUGETLB ? HUGE : 4096;

	ASSERT_EQ(xioctl(self->device, SLUICE_IOCTL_WRAP, &args), 0);
	/* small pages may be parts of a large folio, too */
	EXPECT_GE(account(self->device), least);
	EXPECT_LE(account(self->device), (long long)HUGE);
	close(args.fd);
	EXPECT_EQ(account(self->device), 0);
}

TEST_F(wrap, hole_punched_later_separates_file_and_dma_buf)
{
	WRAP_ALL();
	ASSERT_EQ(fill_words(self->fd, SIZE, 9), 0);
	ASSERT_EQ(fallocate(self->memfd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, HUGE), 0);
	EXPECT_TRUE(all_are(self->file, HUGE, 0));
	EXPECT_TRUE(words_are(self->file + HUGE / 4, HUGE, 9, HUGE / 4));
	EXPECT_EQ(check_words(self->fd, SIZE, 9), 0);
}

/*
 * A hole separates a small page from the file.  A huge page is pinned and cannot be split: the
 * kernel clears a part of it, and file and buffer still share it.
 */
TEST_F(wrap, small_hole_punched_later)
{
	bool huge = variant->flags & MFD_HUGETLB;

	WRAP_ALL();
	ASSERT_EQ(fill_words(self->fd, SIZE, 9), 0);
	ASSERT_EQ(fallocate(self->memfd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 4096, 4096), 0);
	EXPECT_TRUE(all_are(self->file + 1024, 4096, 0));
	EXPECT_TRUE(words_are(self->file + 2048, SIZE - 8192, 9, 2048));
	EXPECT_EQ(check_words(self->fd, SIZE, 9), huge ? -EILSEQ : 0);
	ASSERT_EQ(sluice_attach(self->queue, self->fd, 0), 0);
	ASSERT_EQ(fill(self->queue, 4096, 4096, 0x77777777), 0);
	EXPECT_TRUE(all_are(self->file + 1024, 4096, huge ? 0x77777777 : 0));
}

TEST_F(wrap, read_only)
{
	struct sluice_wrap args = { .memfd = self->memfd, .size = SIZE,
				    .fd_flags = SLUICE_FD_RDONLY };

	ASSERT_EQ(xioctl(self->device, SLUICE_IOCTL_WRAP, &args), 0);
	self->fd = args.fd;
	EXPECT_EQ(args.granted, SLUICE_MEM_CACHED);
	EXPECT_EQ(args.hint, SLUICE_HINT_NONE);
	EXPECT_EQ(mmap(NULL, SIZE, PROT_WRITE, MAP_SHARED, self->fd, 0), MAP_FAILED);
	EXPECT_EQ(sluice_attach(self->queue, self->fd, 0), -EACCES);
	EXPECT_EQ(sluice_attach(self->queue, self->fd, SLUICE_ATTACH_READ), 0);
	EXPECT_EQ(fcntl(self->fd, F_GETFD), FD_CLOEXEC);
	/* and a buffer that is kept over exec() */
	args.fd_flags = SLUICE_FD_INHERIT;
	ASSERT_EQ(xioctl(self->device, SLUICE_IOCTL_WRAP, &args), 0);
	EXPECT_EQ(fcntl(args.fd, F_GETFD), 0);
	close(args.fd);
}

/* O_DIRECT does not work on the dma-buf's mapping, but on the file's mapping. */
TEST_F(wrap, o_direct_works_on_the_mapping_of_the_file)
{
	uint32_t *memory;
	int disk;

	system("modprobe -q brd rd_nr=1 rd_size=8192");
	disk = open("/dev/ram0", O_RDWR | O_DIRECT | O_CLOEXEC);
	if (disk < 0)
		SKIP(return, "no RAM disk (brd) in this kernel");
	WRAP_ALL();
	ASSERT_EQ(sluice_attach(self->queue, self->fd, 0), 0);
	ASSERT_EQ(fill(self->queue, 0, SIZE, 0x4711), 0);
	ASSERT_EQ(pwrite(disk, self->file, SIZE, 0), (ssize_t)SIZE);
	ASSERT_EQ(fill(self->queue, 0, SIZE, 0), 0);
	ASSERT_EQ(pread(disk, self->file, SIZE / 2, 0), (ssize_t)SIZE / 2);
	EXPECT_EQ(check_value(self->fd, SIZE / 2, 0x4711), 0);
	ASSERT_EQ(sluice_map(self->fd, SIZE, (void **)&memory), 0);
	EXPECT_TRUE(all_are(memory + SIZE / 8, SIZE / 2, 0));
	EXPECT_EQ(pwrite(disk, memory, SIZE, 0), -1);
	EXPECT_EQ(errno, EFAULT);
	munmap(memory, SIZE);
	close(disk);
}

static bool listed_as_wrapped(uint64_t inode)
{
	FILE *file = fopen("/sys/kernel/debug/sluice/buffers", "r");
	char line[256], expected[128];
	bool found = false;

	snprintf(expected, sizeof(expected), "soft0\twrapped\t%lu\t", SIZE);
	while (file && fgets(line, sizeof(line), file)) {
		unsigned long long listed;

		found |= !strncmp(line, expected, strlen(expected)) &&
			 sscanf(line + strlen(expected), "%*u %llu", &listed) == 1 &&
			 listed == inode;
	}
	if (file)
		fclose(file);
	return found;
}

TEST_F(wrap, info_tells_what_it_is)
{
	struct sluice_buffer_info info;

	WRAP_ALL();
	ASSERT_EQ(sluice_buffer_info(self->device, self->fd, &info), 0);
	EXPECT_EQ(info.kind, SLUICE_BUFFER_OURS);
	EXPECT_EQ(info.size, SIZE);
	EXPECT_EQ(info.properties & ~SLUICE_MEM_CONTIGUOUS, SLUICE_MEM_CACHED);
	EXPECT_EQ(info.error, 0);
	/* each huge page stays in one segment */
	if (variant->flags) {
		EXPECT_LE(info.segments, SIZE / HUGE);
		EXPECT_GE(info.largest_segment, HUGE);
	}
	EXPECT_TRUE(listed_as_wrapped(info.inode));
}

TEST_F(wrap, ranges_are_synced_like_a_heaps)
{
	const uint64_t offset = HUGE - 100, length = 300;

	WRAP_ALL();
	ASSERT_EQ(sluice_attach(self->queue, self->fd, 0), 0);
	ASSERT_EQ(fill(self->queue, HUGE - PAGE, 2 * PAGE, 0x21), 0);
	ASSERT_EQ(sluice_cpu_begin_range(self->device, self->fd, true, offset, length), 0);
	EXPECT_TRUE(all_are(self->file + offset / 4, length, 0x21));
	memset(self->file + offset / 4, 0x22, length);
	ASSERT_EQ(sluice_cpu_end_range(self->device, self->fd, true, offset, length), 0);
	/* then jobs that read and write it */
	ASSERT_EQ(fill(self->queue, HUGE, PAGE, 0x23), 0);
	EXPECT_TRUE(all_are(self->file + offset / 4, 100, 0x22222222));
	EXPECT_TRUE(all_are(self->file + HUGE / 4, PAGE, 0x23));
	EXPECT_EQ(sluice_cpu_begin_range(self->device, self->fd, false, 0, SIZE + 1), -ERANGE);
}

/* Pages that a process touches first after fork() still belong to the buffer. */
TEST_F(wrap, mappings_fault_in_a_fork)
{
	uint32_t *memory;
	pid_t child;
	int status;

	WRAP_ALL();
	ASSERT_EQ(sluice_map(self->fd, SIZE, (void **)&memory), 0);
	memory[0] = 1;
	child = fork();
	if (!child) {
		if (memory[0] != 1)
			_exit(1);
		memory[PAGE / 4 * 20] = 2;
		memory[SIZE / 4 - 1] = 3;
		_exit(0);
	}
	ASSERT_EQ(waitpid(child, &status, 0), child);
	EXPECT_EQ(status, 0);
	EXPECT_EQ(memory[PAGE / 4 * 20], 2);
	EXPECT_EQ(self->file[SIZE / 4 - 1], 3);
	munmap(memory, SIZE);
	EXPECT_EQ(mmap(NULL, SIZE, PROT_READ, MAP_PRIVATE, self->fd, 0), MAP_FAILED);
	EXPECT_EQ(errno, EINVAL);
}

TEST_F(wrap, pins_while_it_lives)
{
	/* older kernels hold plain references, which are not counted */
	bool counted = number_of("/proc/vmstat", "nr_foll_pin_acquired") >= 0;
	long before = pins();

	WRAP_ALL();
	if (counted && before == pins())
		printf("# this kernel counts no such pins\n");
	if (variant->flags)
		EXPECT_EQ(number_of("/proc/meminfo", "HugePages_Free:"),
			  self->huge_free - (long)(SIZE / HUGE));
	munmap(self->file, SIZE);
	self->file = MAP_FAILED;
	close(self->memfd);
	self->memfd = -1;
	/* the file is freed, its pages are not */
	if (variant->flags)
		EXPECT_EQ(number_of("/proc/meminfo", "HugePages_Free:"),
			  self->huge_free - (long)(SIZE / HUGE));
	close(self->fd);
	self->fd = -1;
	EXPECT_TRUE(pins_settle(before));
	EXPECT_EQ(number_of("/proc/meminfo", "HugePages_Free:"), self->huge_free);
}

/* A process is killed while it pins, maps and unpins: no page stays pinned. */
TEST_F(wrap, killed_at_any_moment)
{
	unsigned int seed = 1, i;
	pid_t child;

	for (i = 0; i < 25; i++) {
		child = fork();
		if (!child) {
			for (;;) {
				int fd = sluice_wrap(self->device, self->memfd, 0, SIZE);

				if (fd < 0)
					_exit(1);
				if (check_value(fd, PAGE, 0))
					_exit(2);
				close(fd);
			}
		}
		usleep(1000 + rand_r(&seed) % 20000);
		kill(child, SIGKILL);
		ASSERT_EQ(waitpid(child, NULL, 0), child);
	}
	EXPECT_EQ(wrap_error(self->device, self->memfd, 0, SIZE), 0);
}

/* At the same time, two processes wrap and one punches holes and adds seals. */
TEST_F(wrap, holes_and_seals_in_the_middle)
{
	pid_t children[3];
	int i, status;

	for (i = 0; i < 3; i++) {
		children[i] = fork();
		if (children[i])
			continue;
		for (i = i ? 1 : 0;;) {
			int ret;

			if (!i) {
				fallocate(self->memfd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
					  HUGE / 2, HUGE);
				fcntl(self->memfd, F_ADD_SEALS, F_SEAL_GROW);
				continue;
			}
			ret = wrap_error(self->device, self->memfd, PAGE, SIZE - PAGE);
			/* a new hole in a file of huge pages that could not be filled */
			if (ret && !(variant->flags && ret == -ENOMEM))
				_exit(1);
		}
	}
	sleep(2);
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(waitpid(children[i], &status, WNOHANG), 0);
		kill(children[i], SIGKILL);
		waitpid(children[i], &status, 0);
	}
}

/* /dev/udmabuf does the same with the same file, and refuses the same files. */
TEST_F(wrap, side_by_side_with_udmabuf)
{
	struct udmabuf_create create = { .memfd = self->memfd, .size = SIZE,
					 .flags = UDMABUF_FLAGS_CLOEXEC };
	static const int seals[] = { 0, F_SEAL_GROW, F_SEAL_SHRINK | F_SEAL_WRITE,
				     F_SEAL_SHRINK | F_SEAL_FUTURE_WRITE, F_SEAL_SHRINK,
				     F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL };
	int udmabuf = open("/dev/udmabuf", O_RDWR | O_CLOEXEC), theirs;
	uint32_t *memory;
	unsigned int i;

	if (udmabuf < 0)
		SKIP(return, "no /dev/udmabuf in this kernel");
	WRAP_ALL();
	theirs = ioctl(udmabuf, UDMABUF_CREATE, &create);
	ASSERT_GE(theirs, 0);
	/*
	 * Do not bracket access to udmabuf's memory: at the first bracket, udmabuf maps segments
	 * longer than its own device allows, and DMA debugging reports that.
	 */
	ASSERT_EQ(sluice_map(theirs, SIZE, (void **)&memory), 0);
	ASSERT_EQ(fill_words(self->fd, SIZE, 12), 0);
	EXPECT_TRUE(words_are(memory, SIZE, 12, 0));
	memset(memory, 0x13, SIZE);
	EXPECT_EQ(check_value(self->fd, SIZE, 0x13131313), 0);
	/* and writes of a device to Sluice's buffer */
	EXPECT_EQ(sluice_attach(self->queue, self->fd, 0), 0);
	EXPECT_EQ(fill(self->queue, 0, PAGE, 0x77), 0);
	EXPECT_TRUE(all_are(memory, PAGE, 0x77));
	munmap(memory, SIZE);
	close(theirs);

	for (i = 0; i < sizeof(seals) / sizeof(seals[0]); i++) {
		int memfd = sealed_memfd(variant->flags, SIZE, 0);

		/* some kernels do not fill holes in huge pages for udmabuf */
		ASSERT_EQ(fallocate(memfd, 0, 0, SIZE), 0);
		if (seals[i] && fcntl(memfd, F_ADD_SEALS, seals[i]))
			printf("# no seals %#x on these pages: %s\n", seals[i], strerror(errno));
		create.memfd = memfd;
		theirs = ioctl(udmabuf, UDMABUF_CREATE, &create);
		EXPECT_EQ(!wrap_error(self->device, memfd, 0, SIZE), theirs >= 0)
			TH_LOG("seals %#x", seals[i]);
		if (theirs >= 0)
			close(theirs);
		close(memfd);
	}
	close(udmabuf);
}

TEST_HARNESS_MAIN
