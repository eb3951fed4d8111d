// SPDX-License-Identifier: MIT
/*
 * The refusals of WRAP, each with its errno, and its limits: seals, sizes, the account of an open,
 * huge pages, the addresses of a device, the end of the device.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "buffers.h"
#include "harness.h"
#include "jobs.h"
#include "knobs.h"
#include "machine.h"
#include "objects.h"
#include "pages.h"
#include "pattern.h"
#include "sluice.h"

#define PAGE 4096UL
#define HUGE (2UL << 20)
#define SIZE (2 * HUGE)

TEST(each_refusal_has_its_errno)
{
	struct objects before = objects_before();
	int device = sluice_open("soft0"), good = sealed_memfd(0, 16 * PAGE, F_SEAL_SHRINK);
	int unsealed = sealed_memfd(0, 16 * PAGE, 0);
	int shrunk = sealed_memfd(0, 16 * PAGE, 0);
	int odd = sealed_memfd(0, 16 * PAGE + 100, F_SEAL_SHRINK);
	int written = sealed_memfd(0, 16 * PAGE, F_SEAL_SHRINK | F_SEAL_WRITE);
	int future = sealed_memfd(0, 16 * PAGE, F_SEAL_SHRINK | F_SEAL_FUTURE_WRITE);
	int never = memfd_create("never", MFD_CLOEXEC);
	int file = open("/tmp/wrap-file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	int other = open("/proc/version", O_RDONLY | O_CLOEXEC);
	int path = open("/tmp/wrap-file", O_PATH | O_CLOEXEC);
	int buffer = sluice_alloc(device, 0, 16 * PAGE, 0), readonly;
	char name[32];

	ASSERT_GE(buffer, 0);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", good);
	readonly = open(name, O_RDONLY | O_CLOEXEC);
	ASSERT_GE(readonly, 0);
	ASSERT_EQ(ftruncate(never, 16 * PAGE) | ftruncate(file, 16 * PAGE), 0);
	/* the file was made smaller before it was sealed: its old pages are beyond the end */
	ASSERT_EQ(ftruncate(shrunk, 8 * PAGE), 0);
	ASSERT_EQ(fcntl(shrunk, F_ADD_SEALS, F_SEAL_SHRINK), 0);

	{
		const struct {
			struct sluice_wrap args;
			int error;
		} cases[] = {
			{ { .memfd = -1, .size = PAGE }, -EBADF },
			{ { .memfd = 9999, .size = PAGE }, -EBADF },
			{ { .memfd = path, .size = PAGE }, -EBADF },
			{ { .memfd = other, .size = PAGE }, -EINVAL },
			{ { .memfd = device, .size = PAGE }, -EINVAL },
			{ { .memfd = buffer, .size = PAGE }, -EINVAL },
			{ { .memfd = good, .size = 0 }, -EINVAL },
			{ { .memfd = good, .size = PAGE - 1 }, -EINVAL },
			{ { .memfd = good, .size = 100 }, -EINVAL },
			{ { .memfd = good, .size = PAGE, .offset = 100 }, -EINVAL },
			{ { .memfd = good, .size = PAGE, .flags = 1 }, -EINVAL },
			{ { .memfd = good, .size = PAGE, .flags = 1U << 31 }, -EINVAL },
			{ { .memfd = good, .size = PAGE, .fd_flags = 4 }, -EINVAL },
			{ { .memfd = good, .size = PAGE, .fd_flags = O_CLOEXEC }, -EINVAL },
			{ { .memfd = readonly, .size = PAGE }, -EACCES },
			{ { .memfd = readonly, .size = PAGE, .fd_flags = SLUICE_FD_RDONLY }, -EACCES },
			{ { .memfd = file, .size = PAGE }, -EPERM },
			{ { .memfd = never, .size = PAGE }, -EPERM },
			{ { .memfd = unsealed, .size = PAGE }, -EPERM },
			{ { .memfd = written, .size = PAGE }, -EPERM },
			{ { .memfd = written, .size = PAGE, .fd_flags = SLUICE_FD_RDONLY }, -EPERM },
			{ { .memfd = future, .size = PAGE }, -EPERM },
			{ { .memfd = shrunk, .size = 16 * PAGE }, -ERANGE },
			{ { .memfd = good, .size = 17 * PAGE }, -ERANGE },
			{ { .memfd = good, .size = PAGE, .offset = 16 * PAGE }, -ERANGE },
			{ { .memfd = good, .size = 16 * PAGE, .offset = PAGE }, -ERANGE },
			{ { .memfd = good, .size = 1ULL << 63 }, -ERANGE },
			{ { .memfd = good, .size = -PAGE, .offset = 2 * PAGE }, -ERANGE },
			{ { .memfd = good, .size = PAGE, .offset = 1ULL << 63 }, -ERANGE },
			{ { .memfd = good, .size = PAGE, .offset = -PAGE }, -ERANGE },
			{ { .memfd = odd, .size = 17 * PAGE }, -ERANGE },
			{ { .memfd = odd, .size = 16 * PAGE }, 0 },
			{ { .memfd = shrunk, .size = 8 * PAGE }, 0 },
			{ { .memfd = good, .size = 16 * PAGE }, 0 },
		};
		unsigned int i;

		for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
			struct sluice_wrap args = cases[i].args;

			EXPECT_EQ(xioctl(device, SLUICE_IOCTL_WRAP, &args), cases[i].error)
				TH_LOG("case %u", i);
			EXPECT_EQ(args.hint, SLUICE_HINT_NONE);
			if (!cases[i].error)
				close(args.fd);
			else
				EXPECT_EQ(args.fd, -1);
		}
	}
	unlink("/tmp/wrap-file");
	close(good);
	close(unsealed);
	close(shrunk);
	close(odd);
	close(written);
	close(future);
	close(never);
	close(file);
	close(other);
	close(path);
	close(buffer);
	close(readonly);
	close(device);
	EXPECT_TRUE(objects_settle(&before));
}

TEST(counts_against_the_limit_of_the_open)
{
	struct sluice_wrap args = { .size = 3 << 20 };
	struct objects before = objects_before();
	int device = sluice_open("soft0"), other;

	args.memfd = sealed_memfd(0, 1L << 40, F_SEAL_SHRINK);
	ASSERT_GE(args.memfd, 0);
	ASSERT_EQ(open_limit_mb(4), 0);
	ASSERT_EQ(xioctl(device, SLUICE_IOCTL_WRAP, &args), 0);
	other = args.fd;
	EXPECT_EQ(xioctl(device, SLUICE_IOCTL_WRAP, &args), -EDQUOT);
	EXPECT_EQ(args.hint, SLUICE_HINT_LIMIT);
	EXPECT_EQ(args.fd, -1);
	EXPECT_EQ(sluice_alloc(device, 0, 2 << 20, 0), -EDQUOT);
	close(other);
	EXPECT_EQ(wrap_error(device, args.memfd, 0, 3 << 20), 0);
	/* a sparse file may be larger than the memory of any machine */
	ASSERT_EQ(open_limit_mb(100000000), 0);
	args.size = 1ULL << 40;
	EXPECT_EQ(xioctl(device, SLUICE_IOCTL_WRAP, &args), -EFBIG);
	EXPECT_EQ(args.hint, SLUICE_HINT_LIMIT);
	ASSERT_EQ(open_limit_mb(0), 0);
	close(args.memfd);
	close(device);
	EXPECT_TRUE(objects_settle(&before));
}

TEST(out_of_fds_is_EMFILE_and_pins_nothing)
{
	int device = sluice_open("soft0"), memfd = sealed_memfd(0, PAGE, F_SEAL_SHRINK);
	struct objects before = objects_read();
	struct rlimit old, now;

	ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &old), 0);
	now = old;
	now.rlim_cur = 0;
	ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &now), 0);
	EXPECT_EQ(sluice_wrap(device, memfd, 0, PAGE), -EMFILE);
	ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &old), 0);
	EXPECT_TRUE(objects_settle(&before));
	EXPECT_EQ(seal_writes(memfd), 0);
	close(memfd);
	close(device);
}

TEST(no_huge_pages_left_is_ENOMEM)
{
	struct sluice_wrap args = { .size = 4 * HUGE };
	int device = sluice_open("soft0");

	if (!reserve_huge_pages(2))
		SKIP(return, "no huge pages in this kernel");
	args.memfd = sealed_memfd(MFD_HUGETLB, 4 * HUGE, F_SEAL_SHRINK);
	ASSERT_GE(args.memfd, 0);
	EXPECT_EQ(xioctl(device, SLUICE_IOCTL_WRAP, &args), -ENOMEM);
	args.size = 2 * HUGE;
	EXPECT_EQ(xioctl(device, SLUICE_IOCTL_WRAP, &args), 0);
	close(args.fd);
	/* the whole huge page is charged, although a small part was asked for */
	args.size = PAGE;
	ASSERT_EQ(open_limit_mb(1), 0);
	EXPECT_EQ(xioctl(device, SLUICE_IOCTL_WRAP, &args), -EDQUOT);
	EXPECT_EQ(args.hint, SLUICE_HINT_LIMIT);
	ASSERT_EQ(open_limit_mb(0), 0);
	close(args.memfd);
	EXPECT_EQ(number_of("/proc/meminfo", "HugePages_Free:"), 2);
	reserve_huge_pages(0);
	close(device);
}

#define EDU_FRAMES ((1UL << 28) / PAGE)	/* frames that 28 bits reach */
#define CHUNK (32UL << 20)
#define SEARCH (64 * CHUNK)
#define SPARE_KB (768L << 10)	/* memory left for other processes */
#define PATIENCE_S 20

FIXTURE(reach) {
	struct objects before;
};

FIXTURE_SETUP(reach)
{
	self->before = objects_before();
}

FIXTURE_TEARDOWN(reach)
{
	EXPECT_TRUE(objects_settle(&self->before));
}

/*
 * Find a page of a file that edu reaches and one that it does not reach: stores their offsets, or
 * SEARCH.  The kernel hands out high memory first.  Returns false if the kernel does not tell where
 * pages are.
 */
static bool find_pages(int memfd, const char *file, uint64_t *low, uint64_t *high)
{
	int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	static uint64_t entries[CHUNK / PAGE];
	int64_t start = now_ns();
	uint64_t offset, i, sum = 0;

	*low = *high = SEARCH;
	for (offset = 0; offset < SEARCH && (*low == SEARCH || *high == SEARCH); offset += CHUNK) {
		if (number_of("/proc/meminfo", "MemAvailable:") < SPARE_KB ||
		    now_ns() - start > PATIENCE_S * 1000000000LL ||
		    fallocate(memfd, 0, offset, CHUNK))
			break;
		for (i = 0; i < CHUNK; i += PAGE)
			sum += ((volatile const char *)file)[offset + i];
		if (pread(pagemap, entries, sizeof(entries), ((uintptr_t)file + offset) / PAGE * 8) !=
		    sizeof(entries))
			break;
		for (i = 0; i < CHUNK / PAGE; i++) {
			uint64_t frame = entries[i] & ((1ULL << 55) - 1);

			if (!(entries[i] >> 63) || !frame)
				continue;
			if (frame < EDU_FRAMES)
				*low = offset + i * PAGE;
			else
				*high = offset + i * PAGE;
		}
	}
	close(pagemap);
	printf("# %s page below 256 MiB among %lu MiB\n", *low < SEARCH ? "a" : "no",
	       offset >> 20);
	return (*low < SEARCH || *high < SEARCH) && !sum;
}

/*
 * edu reaches 28 bits: it refuses pages beyond that, and reads and writes others.  With an IOMMU it
 * reaches all pages.
 */
TEST_F_TIMEOUT(reach, a_device_gets_only_what_it_can_address, 150)
{
	int device = sluice_open("edu0"), soft = sluice_open("soft0"), fd, queue, tries;
	struct sluice_wrap args = { .size = PAGE };
	struct sluice_op op;
	uint64_t point, low, high;
	int pinned[2];	/* keeps the pages at their place */
	char *file;

	if (device == -ENOENT)
		SKIP(close(soft); return, "no device that reaches little of the memory");
	ASSERT_GE(device, 0);
	args.memfd = sealed_memfd(0, SEARCH, F_SEAL_SHRINK);
	file = mmap(NULL, SEARCH, PROT_READ | PROT_WRITE, MAP_SHARED, args.memfd, 0);
	ASSERT_NE(file, MAP_FAILED);
	for (tries = 0; tries < 3; tries++) {
		if (!find_pages(args.memfd, file, &low, &high))
			SKIP(close(device); close(soft); return,
			     "this kernel does not tell where pages are");
		ASSERT_NE(high, SEARCH);
		pinned[0] = sluice_wrap(soft, args.memfd, high, PAGE);
		ASSERT_GE(pinned[0], 0);
		pinned[1] = low < SEARCH ? sluice_wrap(soft, args.memfd, low, PAGE) : -1;
		if (frame_of(file + high) >= EDU_FRAMES &&
		    (low == SEARCH || frame_of(file + low) < EDU_FRAMES))
			break;
		printf("# the kernel has moved a page meanwhile\n");
		close(pinned[0]);
		close(pinned[1]);
	}
	ASSERT_LT(tries, 3);
	queue = patient_queue(device, 0);
	if (translated()) {
		low = high;
	} else {
		args.offset = high;
		EXPECT_EQ(xioctl(device, SLUICE_IOCTL_WRAP, &args), -EADDRNOTAVAIL);
		EXPECT_EQ(args.hint, SLUICE_HINT_DMA_MASK);
		EXPECT_EQ(args.fd, -1);
		/* another device's buffer is refused at ATTACH */
		fd = sluice_wrap(soft, args.memfd, high, PAGE);
		ASSERT_GE(fd, 0);
		EXPECT_EQ(sluice_attach(queue, fd, 0), -EADDRNOTAVAIL);
		close(fd);
	}
	if (low < SEARCH) {
		memset(file + low, 0x3c, PAGE);
		args.offset = low;
		ASSERT_EQ(xioctl(device, SLUICE_IOCTL_WRAP, &args), 0);
		ASSERT_EQ(sluice_attach(queue, args.fd, 0), 0);
		sluice_op_copy(&op, 0, PAGE / 2, 0, 0, PAGE / 4);
		memset(file + low + PAGE / 2, 0, PAGE / 2);
		ASSERT_EQ(sluice_submit(queue, &op, 1, -1, NULL, 0, &point), 0);
		ASSERT_EQ(sluice_wait(queue, point, LATE_MS), 0);
		EXPECT_EQ(memcmp(file + low + PAGE / 2, file + low, PAGE / 4), 0);
		EXPECT_EQ(file[low + 3 * PAGE / 4], 0);
		close(args.fd);
	}
	close(pinned[0]);
	close(pinned[1]);
	close(queue);
	munmap(file, SEARCH);
	close(args.memfd);
	close(soft);
	close(device);
}

TEST(device_that_has_gone_is_ENODEV_and_leaves_the_buffer)
{
	static const char driver[] = "/sys/bus/platform/drivers/sluice-soft";
	int memfd = sealed_memfd(0, SIZE, F_SEAL_SHRINK), device, fd, tries;
	struct objects before = objects_before();
	char path[96];

	device = sluice_open("soft0");
	fd = sluice_wrap(device, memfd, 0, SIZE);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(fill_words(fd, SIZE, 14), 0);
	snprintf(path, sizeof(path), "%s/unbind", driver);
	ASSERT_EQ(write_text(path, "sluice-soft"), 0);
	EXPECT_EQ(sluice_wrap(device, memfd, 0, SIZE), -ENODEV);
	EXPECT_EQ(check_words(fd, SIZE, 14), 0);
	snprintf(path, sizeof(path), "%s/bind", driver);
	EXPECT_EQ(write_text(path, "sluice-soft"), 0);
	for (tries = 0; tries < 300 && access("/dev/sluice/soft0", F_OK); tries++)
		usleep(10000);
	close(device);
	/* the rest of the old device is freed with its last buffer */
	EXPECT_EQ(check_words(fd, SIZE, 14), 0);
	close(fd);
	EXPECT_TRUE(objects_settle(&before));
	close(memfd);
}

TEST_HARNESS_MAIN
