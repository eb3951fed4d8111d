// SPDX-License-Identifier: MIT
/*
 * Memory cgroups: which cgroup pays for a buffer, and what happens at its limit, as
 * Documentation/memory.md tells.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "buffers.h"
#include "cgroup.h"
#include "harness.h"
#include "hold.h"
#include "machine.h"
#include "objects.h"
#include "sluice.h"

#define MIB	(1UL << 20)
#define MOUNT	"/tmp/sluice-cgroup"
#define LIMITED	MOUNT "/t/"
#define PROCS	LIMITED "cgroup.procs"

FIXTURE(cgroups) {
	struct objects before;
	int device;
};

/* The OOM killer's messages look like those of a bug: only more severe ones go to the console. */
static void quiet(bool on)
{
	write_text("/proc/sys/kernel/printk", on ? "2" : "7");
}

FIXTURE_SETUP(cgroups)
{
	self->before = objects_before();
	if (!memory_cgroup())
		SKIP(return, "no memory cgroup in this kernel");
	self->device = sluice_open("soft0");
	ASSERT_GE(self->device, 0);
}

FIXTURE_TEARDOWN(cgroups)
{
	quiet(false);
	close(self->device);
	EXPECT_TRUE(memory_cgroup_end(MOUNT));
	EXPECT_TRUE(objects_settle(&self->before));
}

static long current(void)
{
	FILE *file = fopen(LIMITED "memory.current", "re");
	long bytes = -1;

	if (file && fscanf(file, "%ld", &bytes) != 1)
		bytes = -1;
	if (file)
		fclose(file);
	return bytes;
}

static long kills(void)
{
	return number_of(LIMITED "memory.events", "oom_kill");
}

/* A child with the fds of the test enters the cgroup; returns what it returns. */
static int in_cgroup(int (*run)(int device), int device)
{
	char text[16];
	int status;
	pid_t child = syscall(SYS_clone, CLONE_FILES | SIGCHLD, NULL, NULL, NULL, NULL);

	if (!child) {
		snprintf(text, sizeof(text), "%d", getpid());
		_exit(write_text(PROCS, text) ? 255 : run(device));
	}
	return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int alloc_16_mib(int device)
{
	return sluice_alloc(device, 0, 16 * MIB, 0);
}

/* The fd is in the table that the child shared with this process. */
TEST_F(cgroups, a_charge_stays_when_another_process_has_the_buffer)
{
	int fd = in_cgroup(alloc_16_mib, self->device);

	ASSERT_GT(fd, 0);
	ASSERT_LT(fd, 255);
	EXPECT_EQ(lseek(fd, 0, SEEK_END), (off_t)(16 * MIB));
	EXPECT_GE(current(), (long)(16 * MIB));
	EXPECT_GE(number_of(LIMITED "memory.stat", "kernel"), (long)(16 * MIB));
	close(fd);
	ASSERT_EQ(write_text("/proc/sys/vm/drop_caches", "2"), 0);
	EXPECT_LT(current(), (long)(8 * MIB));
}

static int alloc_contiguous(int device)
{
	return sluice_alloc(device, sluice_find_heap(device, "contiguous"), 4 * MIB, 0);
}

TEST_F(cgroups, contiguous_memory_of_the_page_allocator_is_charged)
{
	struct sluice_info info;
	int fd;

	ASSERT_EQ(sluice_device_info(self->device, &info), 0);
	fd = in_cgroup(alloc_contiguous, self->device);
	ASSERT_GT(fd, 0);
	if (fd == 255 || lseek(fd, 0, SEEK_END) != (off_t)(4 * MIB))
		SKIP(return, "no contiguous memory of this size is free");
	if (!(info.caps & SLUICE_CAP_CMA))
		EXPECT_GE(current(), (long)(4 * MIB));
	close(fd);
}

static int wrapped;

static int wrap_it(int device)
{
	return sluice_wrap(device, wrapped, 0, 16 * MIB);
}

/* The pages of a memfd are charged where they were touched first, and a wrap moves no charge. */
TEST_F(cgroups, wrap_moves_no_charge)
{
	int fd;

	wrapped = memfd_create("cgroups", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	ASSERT_GE(wrapped, 0);
	ASSERT_EQ(ftruncate(wrapped, 16 * MIB), 0);
	ASSERT_EQ(fallocate(wrapped, 0, 0, 16 * MIB), 0);
	ASSERT_EQ(fcntl(wrapped, F_ADD_SEALS, F_SEAL_SHRINK), 0);
	fd = in_cgroup(wrap_it, self->device);
	ASSERT_GT(fd, 0);
	ASSERT_EQ(lseek(fd, 0, SEEK_END), (off_t)(16 * MIB));
	EXPECT_LT(current(), (long)(8 * MIB));
	close(fd);
	close(wrapped);
}

/* A process that has a buffer, and enters the cgroup. */
TEST_F(cgroups, a_charge_does_not_follow_its_process)
{
	struct hold hold = { .cgroup = PROCS };
	int fd = sluice_alloc(self->device, 0, 16 * MIB, 0);
	pid_t holder;

	ASSERT_GE(fd, 0);
	holder = hold_start(&hold);
	ASSERT_EQ(hold.error, 0);
	close(fd);
	/* the holder has inherited it */
	EXPECT_LT(current(), (long)(8 * MIB));
	EXPECT_EQ(hold_end(holder), 0);
}

TEST_F(cgroups, at_the_limit_alloc_fails_and_kills_no_process)
{
	struct hold hold = { .cgroup = PROCS, .each = MIB, .most = 64 };
	pid_t holder;

	ASSERT_EQ(write_text(LIMITED "memory.max", "24M"), 0);
	holder = hold_start(&hold);
	EXPECT_EQ(hold.error, -ENOMEM);
	EXPECT_EQ(hold.hint, SLUICE_HINT_NONE);
	EXPECT_GE(hold.buffers, 16);
	EXPECT_LT(hold.buffers, 24);
	EXPECT_EQ(hold_end(holder), 0);
	EXPECT_EQ(kills(), 0);
}

/*
 * Each small buffer has some memory of the kernel's own, which also counts: records, inode, file.
 * If the limit stops the kernel there, the OOM killer takes a process of the cgroup, and no other.
 */
TEST_F(cgroups, at_the_limit_small_buffers_end_in_the_cgroup_alone)
{
	struct hold hold = { .cgroup = PROCS, .each = 4096, .most = 900 };
	struct hold bystander = { .anonymous = 32 * MIB };
	pid_t outside = hold_start(&bystander), holder;
	struct sluice_info info;
	char limit[16];
	int i, killed;

	ASSERT_EQ(bystander.error, 0);
	quiet(true);
	for (i = 0; i < 4; i++) {
		snprintf(limit, sizeof(limit), "%lu", 4 * MIB + i * MIB / 64);
		ASSERT_EQ(write_text(LIMITED "memory.max", limit), 0);
		holder = hold_start(&hold);
		killed = hold_end(holder);
		TH_LOG("%u buffers, then %s", hold.buffers,
		       killed ? strsignal(killed) : strerror(-hold.error));
		EXPECT_GE(hold.buffers, 500);
		EXPECT_EQ(hold.error, killed ? -EINTR : -ENOMEM);
		EXPECT_TRUE(!killed || killed == SIGKILL);
	}
	EXPECT_EQ(hold_end(outside), 0);
	ASSERT_EQ(sluice_device_info(self->device, &info), 0);
	EXPECT_EQ(info.total_bytes, 0);
}

/* The OOM killer takes a process of the cgroup, and its buffers are free then. */
TEST_F(cgroups, own_memory_beyond_the_limit_kills_a_process_of_the_cgroup)
{
	struct hold hold = { .cgroup = PROCS, .each = MIB, .most = 16, .anonymous = 16 * MIB };
	struct hold bystander = { .anonymous = 32 * MIB };
	pid_t outside = hold_start(&bystander), holder;
	struct sluice_info info;

	quiet(true);
	ASSERT_EQ(bystander.error, 0);
	ASSERT_EQ(write_text(LIMITED "memory.max", "24M"), 0);
	holder = hold_start(&hold);
	EXPECT_EQ(hold.error, -EINTR);
	EXPECT_EQ(hold_end(holder), SIGKILL);
	EXPECT_EQ(kills(), 1);
	EXPECT_EQ(hold_end(outside), 0);
	ASSERT_EQ(sluice_device_info(self->device, &info), 0);
	EXPECT_EQ(info.total_bytes, 0);
}

TEST_F(cgroups, a_group_that_is_killed_together_leaves_no_buffer)
{
	struct hold keeper = { .cgroup = PROCS, .each = MIB, .most = 8 };
	struct hold hold = { .cgroup = PROCS, .anonymous = 24 * MIB };
	struct sluice_info info;
	pid_t first, second;

	quiet(true);
	ASSERT_EQ(write_text(LIMITED "memory.max", "24M"), 0);
	ASSERT_EQ(write_text(LIMITED "memory.oom.group", "1"), 0);
	first = hold_start(&keeper);
	ASSERT_EQ(keeper.error, 0);
	second = hold_start(&hold);
	EXPECT_EQ(hold.error, -EINTR);
	EXPECT_EQ(hold_end(second), SIGKILL);
	EXPECT_EQ(hold_end(first), SIGKILL);
	ASSERT_EQ(sluice_device_info(self->device, &info), 0);
	EXPECT_EQ(info.total_bytes, 0);
}

TEST_HARNESS_MAIN
