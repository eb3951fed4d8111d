// SPDX-License-Identifier: MIT
/* The account: how much memory one open, one user, and all opens together may hold. */
#include <errno.h>
#include <fcntl.h>
#include <linux/dma-heap.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <unistd.h>

#include "buffers.h"
#include "cgroup.h"
#include "harness.h"
#include "knobs.h"
#include "machine.h"
#include "objects.h"
#include "sluice.h"

#define MIB	(1UL << 20)
#define NOBODY	65534
#define ALL_MEMORY_MB	(1UL << 20)	/* more than any machine of the tests has */

FIXTURE(account) {
	struct objects before;
	int device, other;
};

FIXTURE_SETUP(account)
{
	self->before = objects_before();
	self->device = sluice_open("soft0");
	ASSERT_GE(self->device, 0);
	self->other = sluice_open("soft0");
	ASSERT_GE(self->other, 0);
}

FIXTURE_TEARDOWN(account)
{
	limit_mb("open", 0);
	limit_mb("user", 0);
	limit_mb("total", 0);
	reserve_mb(RESERVE_DEFAULT);
	close(self->device);
	close(self->other);
	EXPECT_TRUE(objects_settle(&self->before));
}

static uint64_t open_bytes(int fd)
{
	unsigned long long bytes = UINT64_MAX;
	char path[40], line[128];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		sscanf(line, "sluice-buffer-bytes: %llu", &bytes);
	if (file)
		fclose(file);
	return bytes;
}

/* Is nothing charged to the open, to its user, and to all opens together? */
static bool nothing_is_charged(int device)
{
	struct sluice_info info;

	if (sluice_device_info(device, &info))
		return false;
	if (open_bytes(device) || info.user_bytes || info.total_bytes)
		printf("# open %llu, user %llu, total %llu\n",
		       (unsigned long long)open_bytes(device), (unsigned long long)info.user_bytes,
		       (unsigned long long)info.total_bytes);
	return !open_bytes(device) && !info.user_bytes && !info.total_bytes;
}

TEST_F(account, the_defaults_leave_half_of_the_memory)
{
	struct sluice_info info;
	struct sysinfo machine;
	uint64_t half;

	ASSERT_EQ(sysinfo(&machine), 0);
	half = (uint64_t)machine.totalram * machine.mem_unit / 2;
	ASSERT_EQ(sluice_device_info(self->device, &info), 0);
	EXPECT_EQ(info.open_limit, half);
	EXPECT_EQ(info.total_limit, half);
	EXPECT_EQ(info.user_limit, half - half / 4);
	EXPECT_TRUE(nothing_is_charged(self->device));
}

TEST_F(account, all_opens_together_have_a_limit)
{
	int real = sluice_open(REAL_DEVICE), heap, buffers[3];
	struct dma_heap_allocation_data data = { .len = 2 * MIB, .fd_flags = O_RDWR };
	struct sluice_info info;
	uint32_t hint;

	NEEDS_DEVICE(REAL_DEVICE);
	ASSERT_EQ(limit_mb("total", 4), 0);
	buffers[0] = alloc_hint(self->device, 0, 3 * MIB, &hint);
	ASSERT_GE(buffers[0], 0);
	ASSERT_EQ(sluice_device_info(self->other, &info), 0);
	EXPECT_EQ(info.total_limit, 4 * MIB);
	EXPECT_EQ(info.total_bytes, 3 * MIB);
	EXPECT_EQ(info.user_bytes, 3 * MIB);

	EXPECT_EQ(alloc_hint(self->other, 0, 2 * MIB, &hint), -EDQUOT);
	EXPECT_EQ(hint, SLUICE_HINT_TOTAL_LIMIT);
	EXPECT_EQ(open_bytes(self->other), 0);
	if (real >= 0) {
		EXPECT_EQ(alloc_hint(real, 0, 2 * MIB, &hint), -EDQUOT);
		EXPECT_EQ(hint, SLUICE_HINT_TOTAL_LIMIT);
	}
	heap = open("/dev/dma_heap/sluice-soft0-pages", O_RDWR | O_CLOEXEC);
	ASSERT_GE(heap, 0);
	EXPECT_EQ(xioctl(heap, DMA_HEAP_IOCTL_ALLOC, &data), -EDQUOT);

	/* the limit is exact to the byte, and freed memory is available to another open */
	buffers[1] = alloc_hint(self->other, 0, MIB, &hint);
	ASSERT_GE(buffers[1], 0);
	EXPECT_EQ(alloc_hint(self->other, 0, 1, &hint), -EDQUOT);
	EXPECT_EQ(hint, SLUICE_HINT_TOTAL_LIMIT);
	close(buffers[0]);
	buffers[2] = alloc_hint(self->other, 0, 3 * MIB, &hint);
	EXPECT_GE(buffers[2], 0);
	EXPECT_EQ(open_bytes(self->other), 4 * MIB);
	/* a limit below the charged bytes refuses new memory, and frees none */
	ASSERT_EQ(limit_mb("total", 1), 0);
	EXPECT_EQ(alloc_hint(self->device, 0, 4096, &hint), -EDQUOT);
	EXPECT_EQ(hint, SLUICE_HINT_TOTAL_LIMIT);
	EXPECT_EQ(open_bytes(self->other), 4 * MIB);
	close(buffers[1]);
	close(buffers[2]);
	close(heap);
	close(real);
	EXPECT_TRUE(nothing_is_charged(self->device));
}

TEST_F(account, the_hint_names_the_smallest_limit)
{
	uint32_t hint;

	ASSERT_EQ(limit_mb("open", 2), 0);
	ASSERT_EQ(limit_mb("total", 4), 0);
	EXPECT_EQ(alloc_hint(self->device, 0, 3 * MIB, &hint), -EDQUOT);
	EXPECT_EQ(hint, SLUICE_HINT_LIMIT);
	/* beyond both limits: the hint names the limit nearest to the caller */
	EXPECT_EQ(alloc_hint(self->device, 0, 5 * MIB, &hint), -EDQUOT);
	EXPECT_EQ(hint, SLUICE_HINT_LIMIT);
	EXPECT_TRUE(nothing_is_charged(self->device));
}

/*
 * For a child that runs as a user without privileges.  Returns the number of the line that fails.
 */
#define WANT(what) do { \
		if (!(what)) \
			return __LINE__; \
	} while (0)

static int as_nobody(int roots)
{
	struct sluice_info info;
	int first, second, buffer;
	uint32_t hint;

	WANT(!setresgid(NOBODY, NOBODY, NOBODY) && !setresuid(NOBODY, NOBODY, NOBODY));
	first = sluice_open("soft0");
	second = sluice_open("soft0");
	WANT(first >= 0 && second >= 0);
	WANT(!sluice_device_info(first, &info));
	WANT(info.user_limit == 4 * MIB && !info.user_bytes && info.total_bytes == 8 * MIB);
	buffer = alloc_hint(first, 0, 3 * MIB, &hint);
	WANT(buffer >= 0);
	WANT(alloc_hint(second, 0, 2 * MIB, &hint) == -EDQUOT && hint == SLUICE_HINT_USER_LIMIT);
	WANT(!sluice_device_info(second, &info) && info.user_bytes == 3 * MIB);
	WANT(info.total_bytes == 11 * MIB);
	/* an open of another user is charged to that user, but the caller's rights count */
	WANT(alloc_hint(roots, 0, MIB, &hint) == -EDQUOT && hint == SLUICE_HINT_USER_LIMIT);
	/* the buffer outlives its open, and so does its charge */
	close(first);
	WANT(alloc_hint(second, 0, 2 * MIB, &hint) == -EDQUOT && hint == SLUICE_HINT_USER_LIMIT);
	close(buffer);
	buffer = alloc_hint(second, 0, 4 * MIB, &hint);
	WANT(buffer >= 0);
	close(second);
	return 0;
}

TEST_F(account, all_opens_of_a_user_have_a_limit_that_root_may_exceed)
{
	struct sluice_info info;
	int buffer, status;
	uint32_t hint;
	pid_t child;

	ASSERT_EQ(limit_mb("user", 4), 0);
	buffer = alloc_hint(self->device, 0, 8 * MIB, &hint);
	ASSERT_GE(buffer, 0);
	ASSERT_EQ(chmod("/dev/sluice/soft0", 0666), 0);
	child = fork();
	if (!child)
		_exit(as_nobody(self->device) & 0xff);
	EXPECT_EQ(waitpid(child, &status, 0), child);
	EXPECT_EQ(chmod("/dev/sluice/soft0", 0600), 0);
	EXPECT_EQ(WIFEXITED(status) ? WEXITSTATUS(status) : -1, 0)
		TH_LOG("the line of as_nobody(), modulo 256");
	ASSERT_EQ(sluice_device_info(self->device, &info), 0);
	EXPECT_EQ(info.user_bytes, 8 * MIB);
	EXPECT_EQ(info.total_bytes, 8 * MIB);
	close(buffer);
	EXPECT_TRUE(nothing_is_charged(self->device));
}

/*
 * A refused charge is never part of a sum, so a caller within the limit never fails because another
 * caller asks for too much at the same time.
 */
static volatile bool greed_over;

static void *greedy(void *device)
{
	uint32_t hint;
	int fd;

	while (!greed_over) {
		fd = alloc_hint((int)(long)device, 0, 5 * MIB, &hint);
		if (fd >= 0)
			close(fd);
	}
	return NULL;
}

/* a slow machine does as many rounds as fit into the time, but at least a few */
#define MODEST_ROUNDS 2000
#define MODEST_LEAST 50
#define MODEST_NS 5000000000LL

static void *modest(void *device)
{
	int64_t enough = now_ns() + MODEST_NS;
	long failed = 0;
	uint32_t hint;
	int i, fd;

	for (i = 0; i < MODEST_ROUNDS && (i < MODEST_LEAST || now_ns() < enough); i++) {
		fd = alloc_hint((int)(long)device, 0, MIB / 64, &hint);
		if (fd < 0)
			failed++;
		else
			close(fd);
	}
	return (void *)failed;
}

TEST_F_TIMEOUT(account, refused_charges_never_fail_other_callers, 180)
{
	static const char * const limits[] = { "open", "total" };
	pthread_t threads[4];
	void *failed;
	unsigned int l;
	long i;

	for (l = 0; l < 2; l++) {
		long devices[2] = { self->device, l ? self->other : self->device };

		ASSERT_EQ(limit_mb(limits[l], 4), 0);
		greed_over = false;
		for (i = 0; i < 2; i++)
			ASSERT_EQ(pthread_create(&threads[i], NULL, greedy,
						 (void *)devices[0]), 0);
		for (i = 2; i < 4; i++)
			ASSERT_EQ(pthread_create(&threads[i], NULL, modest,
						 (void *)devices[1]), 0);
		for (i = 2; i < 4; i++) {
			pthread_join(threads[i], &failed);
			EXPECT_EQ((long)failed, 0);
		}
		greed_over = true;
		for (i = 0; i < 2; i++)
			pthread_join(threads[i], NULL);
		ASSERT_EQ(limit_mb(limits[l], 0), 0);
	}
	EXPECT_TRUE(nothing_is_charged(self->device));
}

/* A limit is never exceeded, however many allocate at once. */
static void *hoard(void *device)
{
	long got = 0;
	int fds[16], i;
	uint32_t hint;

	for (i = 0; i < 16; i++) {
		fds[i] = alloc_hint((int)(long)device, 0, MIB / 4, &hint);
		got += fds[i] >= 0;
	}
	/* the fds stay open: the test counts them */
	return (void *)got;
}

TEST_F(account, no_race_goes_over_a_limit)
{
	int devices[4] = { self->device, self->other, self->device, self->other };
	struct sluice_info info;
	pthread_t threads[4];
	long got = 0, i;
	void *part;

	ASSERT_EQ(limit_mb("total", 8), 0);
	for (i = 0; i < 4; i++)
		ASSERT_EQ(pthread_create(&threads[i], NULL, hoard, (void *)(long)devices[i]), 0);
	for (i = 0; i < 4; i++) {
		pthread_join(threads[i], &part);
		got += (long)part;
	}
	/* the threads asked for 64 buffers, and 32 fit */
	EXPECT_EQ(got, 32);
	ASSERT_EQ(sluice_device_info(self->device, &info), 0);
	EXPECT_EQ(info.total_bytes, 8 * MIB);
	EXPECT_EQ(open_bytes(self->device) + open_bytes(self->other), 8 * MIB);
	for (i = 3; i < 256; i++)
		if (i != self->device && i != self->other &&
		    lseek(i, 0, SEEK_END) == (off_t)MIB / 4)
			close(i);
	EXPECT_TRUE(nothing_is_charged(self->device));
}

/* The memory is allocated after the charge, and fails: no huge pages for a hole in the file. */
TEST_F(account, a_wrap_that_fails_gives_its_charge_back)
{
	struct sluice_wrap args = { .size = 2 * MIB };
	int i;

	args.memfd = memfd_create("holes", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_HUGETLB);
	if (args.memfd < 0)
		SKIP(return, "no huge pages in this kernel");
	ASSERT_EQ(ftruncate(args.memfd, 2 * MIB), 0);
	ASSERT_EQ(fcntl(args.memfd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
	for (i = 0; i < 3; i++)
		EXPECT_EQ(xioctl(self->device, SLUICE_IOCTL_WRAP, &args), -ENOMEM);
	EXPECT_TRUE(nothing_is_charged(self->device));
	close(args.memfd);
}

/* Each CPU may allocate a MiB in small buffers before it looks at the reserve. */
static int small_buffers_until_refused(int device, int *fds, int most)
{
	uint32_t hint;
	int i, ret = 0;

	for (i = 0; i < most && ret >= 0; i++)
		fds[i] = ret = alloc_hint(device, 0, 64 << 10, &hint);
	most = ret < 0 ? i - 1 : i;
	for (i = 0; i < most; i++)
		close(fds[i]);
	return ret < 0 ? ret : 0;
}

TEST_F(account, new_buffers_leave_memory_to_processes)
{
	long cpus = sysconf(_SC_NPROCESSORS_CONF);
	int most = 16 * (cpus + 1), contiguous = sluice_find_heap(self->device, "contiguous");
	int *fds = calloc(most, sizeof(*fds)), fd;
	uint32_t hint = SLUICE_HINT_LIMIT;

	ASSERT_TRUE(fds);
	/* what the pool has is no new memory */
	ASSERT_EQ(write_text("/proc/sys/vm/drop_caches", "2"), 0);
	ASSERT_EQ(reserve_mb(ALL_MEMORY_MB), 0);
	EXPECT_EQ(alloc_hint(self->device, 0, 5 * MIB, &hint), -ENOMEM);
	EXPECT_EQ(hint, SLUICE_HINT_NONE);
	EXPECT_EQ(small_buffers_until_refused(self->device, fds, most), -ENOMEM);
	EXPECT_EQ(alloc_hint(self->device, contiguous, 2 * MIB, &hint), -ENOMEM);
	EXPECT_TRUE(nothing_is_charged(self->device));
	/* 0: none */
	ASSERT_EQ(reserve_mb(0), 0);
	fd = alloc_hint(self->device, 0, 5 * MIB, &hint);
	EXPECT_GE(fd, 0);
	close(fd);
	ASSERT_EQ(reserve_mb(RESERVE_DEFAULT), 0);
	fd = alloc_hint(self->device, 0, 7 * MIB, &hint);
	EXPECT_GE(fd, 0);
	close(fd);
	free(fds);
}

/* The same with ALLOC: the memory cgroup has no room. */
static int alloc_in_cgroup(int device)
{
	uint32_t hint;
	char text[16];
	int i;

	snprintf(text, sizeof(text), "%d", getpid());
	WANT(!write_text("/tmp/sluice-cgroup/t/memory.max", "16M"));
	WANT(!write_text("/tmp/sluice-cgroup/t/cgroup.procs", text));
	for (i = 0; i < 3; i++) {
		WANT(alloc_hint(device, 0, 32 * MIB, &hint) == -ENOMEM);
		WANT(nothing_is_charged(device));
	}
	return 0;
}

TEST_F(account, an_alloc_that_fails_gives_its_charge_back)
{
	int status;
	pid_t child;

	if (!memory_cgroup())
		SKIP(return, "no memory cgroup in this kernel");
	child = fork();
	if (!child)
		_exit(alloc_in_cgroup(self->device) & 0xff);
	EXPECT_EQ(waitpid(child, &status, 0), child);
	EXPECT_EQ(WIFEXITED(status) ? WEXITSTATUS(status) : -1, 0)
		TH_LOG("the line of alloc_in_cgroup(), modulo 256");
	EXPECT_TRUE(nothing_is_charged(self->device));
	EXPECT_TRUE(memory_cgroup_end("/tmp/sluice-cgroup"));
}

TEST_F(account, an_fd_that_cannot_be_returned_is_not_charged)
{
	struct sluice_alloc args = { .size = MIB };
	void *nowhere = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	/* the buffer is allocated, but its fd cannot be returned in a read-only struct */
	ASSERT_NE(nowhere, MAP_FAILED);
	ASSERT_EQ(mprotect(nowhere, 4096, PROT_READ | PROT_WRITE), 0);
	memcpy(nowhere, &args, sizeof(args));
	ASSERT_EQ(mprotect(nowhere, 4096, PROT_READ), 0);
	EXPECT_EQ(xioctl(self->device, SLUICE_IOCTL_ALLOC, nowhere), -EFAULT);
	EXPECT_TRUE(nothing_is_charged(self->device));
	munmap(nowhere, 4096);
}

TEST_HARNESS_MAIN
