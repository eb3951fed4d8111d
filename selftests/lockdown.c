// SPDX-License-Identifier: MIT
/*
 * Lockdown (integrity): what a locked-down kernel must refuse, and what must work nevertheless.
 *
 * The first test locks the kernel down, for ever: so this program has a guest of its own.  A guest
 * with Secure Boot is locked down from its start, and skips this test.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"
#include "jobs.h"
#include "machine.h"
#include "objects.h"
#include "pattern.h"
#include "peers.h"
#include "sluice.h"

#define SECURITY "/sys/kernel/security"
#define LOCKDOWN SECURITY "/lockdown"
#define ADDRESSES "/sys/module/sluice/parameters/expose_addresses"
#define BARS "/sys/module/sluice_pci/parameters/bars"
#define BIND "/sys/bus/pci/drivers/sluice-pci/bind"
#define KNOB "/sys/kernel/debug/sluice/soft0/fail_next"
#define SIZE 8192UL
#define PAGE 4096UL
#define EDU_ID 0x00
#define EDU_ID_VALUE 0x10000ed
#define WHOLE "0:0+0x100000"
/* the BAR of an ivshmem that has its memory */
#define BAR "bar2"
#define BAR_MASK "4"
/* seconds for a test: the search for PCI devices is slow on a busy machine */
#define SECONDS 240

/* Is the kernel locked down?  -errno if it cannot be. */
static int is_locked_down(void)
{
	if (access(LOCKDOWN, F_OK))
		mount("securityfs", SECURITY, "securityfs", 0, NULL);
	if (access(LOCKDOWN, F_OK))
		return -errno;
	return !file_has(LOCKDOWN, "[none]");
}

/* Submit a program of one read of a register; returns the error of SUBMIT, or of the job. */
static int poll_register(int queue)
{
	struct sluice_command command;
	struct sluice_op op;

	sluice_command_poll(&command, 0, 4, EDU_ID, UINT32_MAX, EDU_ID_VALUE, 1000);
	sluice_op_program(&op, &command, 1);
	return run_op(queue, &op);
}

static int map_register(int device, volatile void **address)
{
	return sluice_map_registers(device, 0, 0, PAGE, address);
}

/* The bus address of a buffer that BUFFER_INFO tells to root; 0 for none. */
static uint64_t address_of(int device, int buffer)
{
	struct sluice_buffer_info info = {};

	return sluice_buffer_info(device, buffer, &info) ? 0 : info.address;
}

/* Two devices without a driver of their own, one for programs and one for processes. */
FIXTURE(lockdown) {
	struct objects before;
	struct peers peers;
	char other[64];
	int programs, processes, queue;
};

FIXTURE_SETUP(lockdown)
{
	int locked = is_locked_down();

	self->programs = self->processes = self->queue = -1;
	if (locked < 0)
		SKIP(return, "this kernel has no lockdown");
	if (!peers_find(&self->peers) || !pci_address("edu0", self->other))
		SKIP(return, "this machine has no two edu devices");
	self->before = objects_before();
	self->processes = peers_open_program(&self->peers);
	self->programs = pci_bind_open(self->other, "sluice-pci");
	ASSERT_GE(self->processes, 0);
	ASSERT_GE(self->programs, 0);
	self->queue = patient_queue(self->programs, 0);
	ASSERT_GE(self->queue, 0);
}

FIXTURE_TEARDOWN(lockdown)
{
	int edu;

	close(self->queue);
	close(self->programs);
	close(self->processes);
	peers_leave(&self->peers);
	pci_unbind(self->other);
	edu = pci_bind_open(self->other, "sluice-edu");
	EXPECT_GE(edu, 0);
	close(edu);
	pci_attribute(self->other, "driver_override", "\n");
	EXPECT_TRUE(objects_settle(&self->before));
}

static int allow(const char *edu, const char *ranges)
{
	return pci_attribute(edu, "registers", ranges);
}

TEST_F_TIMEOUT(lockdown, what_was_allowed_before_ends_with_it, SECONDS)
{
	volatile void *mapped, *again;
	int bar, memory;

	if (is_locked_down())
		SKIP(return, "the kernel was locked down at its start");
	if (!file_has("/proc/cmdline", "sluice.mode="))
		SKIP(return, "only a guest of the lab may be locked down");
	memory = sluice_alloc(self->programs, 1, SIZE, 0);
	bar = peers_open_bar(&self->peers);
	ASSERT_GE(memory, 0);
	ASSERT_GE(bar, 0);
	EXPECT_GE(sluice_find_heap(bar, BAR), 0);
	ASSERT_EQ(allow(self->other, WHOLE), 0);
	ASSERT_EQ(allow(self->peers.edu, "mmap " WHOLE), 0);
	ASSERT_EQ(write_text(ADDRESSES, "Y"), 0);
	EXPECT_EQ(poll_register(self->queue), 0);
	ASSERT_EQ(sluice_map_registers(self->processes, 0, 0, 2 * PAGE, &mapped), 0);
	EXPECT_EQ(*(volatile uint32_t *)mapped, EDU_ID_VALUE);
	EXPECT_NE(address_of(self->programs, memory), 0);

	ASSERT_EQ(write_text(LOCKDOWN, "integrity"), 0);
	EXPECT_EQ(poll_register(self->queue), -EPERM);
	EXPECT_EQ(map_register(self->processes, &again), -EPERM);
	EXPECT_EQ(address_of(self->programs, memory), 0);
	EXPECT_EQ(allow(self->other, "0:0+4"), -EPERM);
	/* a page that was accessed stays until root removes the range, which is always possible */
	EXPECT_EQ(*(volatile uint32_t *)mapped, EDU_ID_VALUE);
	EXPECT_TRUE(sigbus_at((volatile char *)mapped + PAGE));
	EXPECT_EQ(allow(self->peers.edu, "\n"), 0);
	EXPECT_TRUE(sigbus_at(mapped));

	EXPECT_EQ(munmap((void *)mapped, 2 * PAGE), 0);
	EXPECT_EQ(write_text(ADDRESSES, "N"), 0);
	close(memory);
	close(bar);
}

TEST_F_TIMEOUT(lockdown, no_register_is_for_userspace, SECONDS)
{
	volatile void *mapped;

	ASSERT_EQ(is_locked_down(), 1);
	EXPECT_EQ(allow(self->other, WHOLE), -EPERM);
	EXPECT_EQ(allow(self->peers.edu, "mmap " WHOLE), -EPERM);
	EXPECT_EQ(allow(self->other, "\n"), 0);
	EXPECT_EQ(allow(self->other, "no range"), -EINVAL);
	EXPECT_EQ(poll_register(self->queue), -EPERM);
	EXPECT_EQ(map_register(self->processes, &mapped), -EPERM);
}

TEST_F_TIMEOUT(lockdown, no_bar_becomes_a_heap, SECONDS)
{
	int device;

	ASSERT_EQ(is_locked_down(), 1);
	/* the driver binds, and the memory of the system is left */
	device = peers_open_bar(&self->peers);
	ASSERT_GE(device, 0);
	EXPECT_EQ(sluice_find_heap(device, BAR), -ENOENT);
	EXPECT_GE(sluice_find_heap(device, "contiguous"), 0);
	close(device);
	ASSERT_EQ(pci_unbind(self->peers.bar), 0);
	/* a mask may choose BARs with registers, so the driver does not bind at all */
	ASSERT_EQ(write_text(BARS, BAR_MASK), 0);
	EXPECT_EQ(write_text(BIND, self->peers.bar), -EPERM);
	EXPECT_EQ(write_text(BARS, "0"), 0);
}

TEST_F_TIMEOUT(lockdown, no_address_is_told, SECONDS)
{
	int memory = sluice_alloc(self->programs, 1, SIZE, 0);
	struct sluice_buffer_info info = {};

	ASSERT_EQ(is_locked_down(), 1);
	ASSERT_GE(memory, 0);
	ASSERT_EQ(write_text(ADDRESSES, "Y"), 0);
	EXPECT_EQ(sluice_buffer_info(self->programs, memory, &info), 0);
	EXPECT_EQ(info.error, 0);
	EXPECT_EQ(info.size, SIZE);
	EXPECT_EQ(info.address, 0);
	EXPECT_EQ(write_text(ADDRESSES, "N"), 0);
	close(memory);
}

TEST_F_TIMEOUT(lockdown, knobs_are_closed_and_counts_are_not, SECONDS)
{
	ASSERT_EQ(is_locked_down(), 1);
	EXPECT_EQ(write_text(KNOB, "1"), -EPERM);
	EXPECT_TRUE(file_has("/sys/kernel/debug/sluice/objects", "devices"));
}

/* Does the program beside this one skip all its tests, and say why? */
static bool skips_all(const char *name)
{
	char path[4096], text[128] = "";
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 64);
	FILE *output;

	if (length < 0)
		return false;
	path[length] = 0;
	strcpy(strrchr(path, '/') + 1, name);
	output = popen(path, "r");
	if (!output)
		return false;
	text[fread(text, 1, sizeof(text) - 1, output)] = 0;
	length = pclose(output);
	return WIFEXITED(length) && WEXITSTATUS(length) == KSFT_SKIP &&
	       !strcmp(text, "TAP version 13\n1..0 # SKIP the kernel is locked down\n");
}

TEST_F_TIMEOUT(lockdown, other_tests_are_skipped, SECONDS)
{
	ASSERT_EQ(is_locked_down(), 1);
	EXPECT_TRUE(skips_all("fence"));
	EXPECT_TRUE(skips_all("registers"));
}

/* A device with a driver of its own.  With a fixture, because tests without one run first. */
FIXTURE(job) {
	int device;
};

FIXTURE_SETUP(job)
{
	self->device = sluice_open(REAL_DEVICE);
	ASSERT_GE(self->device, 0);
}

FIXTURE_TEARDOWN(job)
{
	close(self->device);
}

TEST_F(job, runs_on_a_device_with_a_driver_of_its_own)
{
	int device = self->device, queue, src, dst, from, to;
	struct sluice_op op;

	if (is_locked_down() < 0)
		SKIP(return, "this kernel has no lockdown");
	ASSERT_EQ(is_locked_down(), 1);
	queue = patient_queue(device, 0);
	src = sluice_alloc(device, 0, SIZE, 0);
	dst = sluice_alloc(device, 0, SIZE, 0);
	from = sluice_attach(queue, src, SLUICE_ATTACH_READ);
	to = sluice_attach(queue, dst, SLUICE_ATTACH_WRITE);
	ASSERT_GE(from, 0);
	ASSERT_GE(to, 0);
	ASSERT_EQ(fill_words(src, SIZE, 7), 0);
	sluice_op_copy(&op, to, 0, from, 0, SIZE);
	EXPECT_EQ(run_op(queue, &op), 0);
	EXPECT_EQ(check_words(dst, SIZE, 7), 0);
	close(dst);
	close(src);
	close(queue);
}

TEST_HARNESS_MAIN
