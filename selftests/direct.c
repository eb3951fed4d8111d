// SPDX-License-Identifier: MIT
/*
 * A device driven from userspace: its interrupts as eventfds, its registers by mmap(), within the
 * limits that root has set.  The device is QEMU's edu, with the driver for any PCI device.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"
#include "jobs.h"
#include "machine.h"
#include "objects.h"
#include "peers.h"
#include "sluice.h"

#define EDU_ID 0x00
#define EDU_ID_VALUE 0x10000ed
#define EDU_STATUS 0x24	/* interrupts that were raised and not acknowledged */
#define EDU_RAISE 0x60
#define EDU_ACK 0x64
#define RANGES "0:0x0+0x8, 0:0x60+0x8"
#define WHOLE "0:0+0x100000"
#define MAPPED(ranges) "mmap " ranges
#define MAX_EVENTFDS 256
/* seconds for a test: debug kernels are slow when they search for PCI devices */
#define SECONDS 120

FIXTURE(direct) {
	struct objects before;
	struct peers peers;
	int device, queue;
};

FIXTURE_SETUP(direct)
{
	self->before = objects_before();
	self->device = self->queue = -1;
	if (!peers_find(&self->peers))
		SKIP(return, "this machine has no edu below a PCIe bridge");
	self->device = peers_open_program(&self->peers);
	ASSERT_GE(self->device, 0);
	self->queue = patient_queue(self->device, 0);
	ASSERT_GE(self->queue, 0);
}

FIXTURE_TEARDOWN(direct)
{
	close(self->queue);
	close(self->device);
	peers_leave(&self->peers);
	EXPECT_TRUE(objects_settle(&self->before));
}

static int allow(const FIXTURE_DATA(direct) *self, const char *ranges)
{
	return pci_attribute(self->peers.edu, "registers", ranges);
}

/* The mode of the file may permit its opening, but the privilege of the writer decides. */
TEST_F_TIMEOUT(direct, only_a_privileged_writer_allows_registers, SECONDS)
{
	volatile void *mapped;
	int fd, status;
	char path[96];
	pid_t child;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/registers", self->peers.edu);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	ASSERT_GE(fd, 0);
	child = fork();
	if (!child) {
		if (setuid(65534))
			_exit(2);
		_exit(write(fd, WHOLE, strlen(WHOLE)) == -1 && errno == EPERM ? 0 : 1);
	}
	close(fd);
	ASSERT_EQ(waitpid(child, &status, 0), child);
	EXPECT_EQ(status, 0);
	EXPECT_EQ(sluice_map_registers(self->device, 0, 0, 4096, &mapped), -EACCES);
}

static bool counted(int fd, int timeout_ms, uint64_t *count)
{
	struct pollfd pollfd = { .fd = fd, .events = POLLIN };

	return poll(&pollfd, 1, timeout_ms) == 1 && read(fd, count, sizeof(*count)) == 8;
}

/*
 * The number of interrupts that the eventfd counts, up to @expected; fewer if no more come.  An
 * interrupt may be counted a moment after the program that waited for it has ended.
 */
static uint64_t counted_of(int fd, uint64_t expected)
{
	uint64_t sum = 0, count = 0;

	while (sum < expected && counted(fd, LATE_MS, &count))
		sum += count;
	return sum;
}

TEST_F_TIMEOUT(direct, interrupts_are_counted_by_eventfds, SECONDS)
{
	int first = sluice_eventfd(self->device, 0), second;
	struct sluice_eventfd args = { .interrupt = 0, .fd = -1 };
	struct sluice_command commands[3];
	struct sluice_op op;
	uint64_t count = 0;

	ASSERT_GE(first, 0);
	ASSERT_EQ(allow(self, RANGES), 0);
	sluice_command_write(&commands[0], 0, 4, EDU_RAISE, 1);
	sluice_command_interrupt(&commands[1], 0);
	sluice_command_write(&commands[2], 0, 4, EDU_ACK, 1);
	sluice_op_program(&op, commands, 3);
	EXPECT_EQ(run_op(self->queue, &op), 0);
	EXPECT_EQ(counted_of(first, 1), 1);
	EXPECT_EQ(run_op(self->queue, &op), 0);
	EXPECT_EQ(run_op(self->queue, &op), 0);
	EXPECT_EQ(counted_of(first, 2), 2);
	/* the second eventfd replaces the first */
	second = sluice_eventfd(self->device, 0);
	ASSERT_GE(second, 0);
	EXPECT_EQ(run_op(self->queue, &op), 0);
	EXPECT_EQ(counted_of(second, 1), 1);
	EXPECT_FALSE(counted(first, 100, &count));
	/* an op that an interrupt ends, and one that acknowledges the interrupt */
	sluice_op_program(&op, commands, 2);
	EXPECT_EQ(run_op(self->queue, &op), 0);
	EXPECT_EQ(counted_of(second, 1), 1);
	sluice_op_program(&op, &commands[2], 1);
	EXPECT_EQ(run_op(self->queue, &op), 0);
	sluice_op_program(&op, commands, 3);
	/* remove the eventfd */
	EXPECT_EQ(xioctl(self->device, SLUICE_IOCTL_EVENTFD, &args), 0);
	EXPECT_EQ(run_op(self->queue, &op), 0);
	EXPECT_FALSE(counted(second, 100, &count));
	close(first);
	close(second);
}

TEST_F_TIMEOUT(direct, eventfds_that_make_no_sense_are_refused, SECONDS)
{
	struct sluice_eventfd args = { .interrupt = 1, .fd = -1 };
	int soft = sluice_open("soft0"), counter = eventfd(0, EFD_CLOEXEC), i;
	static int files[MAX_EVENTFDS];
	struct sluice_info info;
	char path[64];

	ASSERT_EQ(sluice_device_info(self->device, &info), 0);
	snprintf(path, sizeof(path), "/dev/sluice/%s", info.name);
	EXPECT_EQ(xioctl(self->device, SLUICE_IOCTL_EVENTFD, &args), -EINVAL);
	args = (struct sluice_eventfd) { .fd = -2 };
	EXPECT_EQ(xioctl(self->device, SLUICE_IOCTL_EVENTFD, &args), -EINVAL);
	args = (struct sluice_eventfd) { .fd = -1, .flags = 1 };
	EXPECT_EQ(xioctl(self->device, SLUICE_IOCTL_EVENTFD, &args), -EINVAL);
	args = (struct sluice_eventfd) { .fd = -1, .reserved = 1 };
	EXPECT_EQ(xioctl(self->device, SLUICE_IOCTL_EVENTFD, &args), -EINVAL);
	args = (struct sluice_eventfd) { .fd = 999 };
	EXPECT_EQ(xioctl(self->device, SLUICE_IOCTL_EVENTFD, &args), -EBADF);
	args = (struct sluice_eventfd) { .fd = self->queue };
	EXPECT_EQ(xioctl(self->device, SLUICE_IOCTL_EVENTFD, &args), -EINVAL);
	/* the most eventfds of a device, and one more; a file has one for each interrupt */
	for (i = 0; i < MAX_EVENTFDS; i++) {
		files[i] = open(path, O_RDWR | O_CLOEXEC);
		args = (struct sluice_eventfd) { .fd = counter };
		EXPECT_EQ(xioctl(files[i], SLUICE_IOCTL_EVENTFD, &args), 0);
	}
	EXPECT_EQ(xioctl(self->device, SLUICE_IOCTL_EVENTFD, &args), -ENOSPC);
	EXPECT_EQ(xioctl(files[0], SLUICE_IOCTL_EVENTFD, &args), 0);
	for (i = 0; i < MAX_EVENTFDS; i++)
		close(files[i]);
	EXPECT_EQ(xioctl(self->device, SLUICE_IOCTL_EVENTFD, &args), 0);
	close(counter);
	/* soft has no interrupts and no registers */
	EXPECT_EQ(sluice_eventfd(soft, 0), -EINVAL);
	EXPECT_EQ(mmap(NULL, 4096, PROT_READ, MAP_SHARED, soft, 0), MAP_FAILED);
	EXPECT_EQ(errno, EINVAL);
	close(soft);
}

TEST_F_TIMEOUT(direct, registers_are_mapped_and_taken_back, SECONDS)
{
	volatile uint32_t *registers, *again;
	volatile void *mapped;
	uint64_t count = 0;
	int eventfd, readonly;
	char path[32];

	/* a page of which only a part is allowed */
	ASSERT_EQ(allow(self, MAPPED("0:0+0xfff")), 0);
	EXPECT_EQ(sluice_map_registers(self->device, 0, 0, 4096, &mapped), -EACCES);
	/* registers that are allowed for programs only */
	ASSERT_EQ(allow(self, WHOLE), 0);
	EXPECT_EQ(sluice_map_registers(self->device, 0, 0, 4096, &mapped), -EACCES);
	ASSERT_EQ(allow(self, MAPPED(WHOLE)), 0);
	EXPECT_EQ(sluice_map_registers(self->device, 0, 0xff000, 8192, &mapped), -EACCES);
	EXPECT_EQ(sluice_map_registers(self->device, 1, 0, 4096, &mapped), -EINVAL);
	EXPECT_EQ(sluice_map_registers(self->device, 6, 0, 4096, &mapped), -EINVAL);
	EXPECT_EQ(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, self->device, 0), MAP_FAILED);
	EXPECT_EQ(errno, EINVAL);
	/* a read-only fd */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", self->device);
	readonly = open(path, O_RDONLY | O_CLOEXEC);
	EXPECT_EQ(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, readonly, 0), MAP_FAILED);
	EXPECT_EQ(errno, EACCES);
	again = mmap(NULL, 4096, PROT_READ, MAP_SHARED, readonly, 0);
	ASSERT_NE((void *)again, MAP_FAILED);
	EXPECT_EQ(again[EDU_ID / 4], EDU_ID_VALUE);
	EXPECT_NE(mprotect((void *)again, 4096, PROT_READ | PROT_WRITE), 0);
	munmap((void *)again, 4096);
	close(readonly);

	ASSERT_EQ(sluice_map_registers(self->device, 0, 0, 4096, &mapped), 0);
	registers = mapped;
	registers[EDU_ACK / 4] = ~0U;	/* acknowledge earlier interrupts */
	EXPECT_EQ(registers[EDU_ID / 4], EDU_ID_VALUE);
	/* the interrupt goes to an eventfd */
	eventfd = sluice_eventfd(self->device, 0);
	ASSERT_GE(eventfd, 0);
	registers[EDU_RAISE / 4] = 8;
	EXPECT_EQ(counted_of(eventfd, 1), 1);
	EXPECT_EQ(registers[EDU_STATUS / 4], 8);
	registers[EDU_ACK / 4] = 8;
	EXPECT_EQ(registers[EDU_STATUS / 4], 0);

	ASSERT_EQ(allow(self, RANGES), 0);
	EXPECT_TRUE(sigbus_at(registers));
	ASSERT_EQ(allow(self, MAPPED(WHOLE)), 0);
	EXPECT_FALSE(sigbus_at(registers));
	/* a mapping outlives the fd and the binding of the device */
	ASSERT_EQ(sluice_map_registers(self->device, 0, 0x1000, 4096, &mapped), 0);
	again = mapped;
	EXPECT_FALSE(sigbus_at(again));
	ASSERT_EQ(pci_unbind(self->peers.edu), 0);
	EXPECT_TRUE(sigbus_at(registers));
	EXPECT_TRUE(sigbus_at(again));
	EXPECT_TRUE(counted(eventfd, LATE_MS, &count));
	EXPECT_EQ(sluice_eventfd(self->device, 0), -ENODEV);
	EXPECT_EQ(sluice_map_registers(self->device, 0, 0, 4096, &mapped), -ENODEV);
	munmap((void *)registers, 4096);
	munmap((void *)again, 4096);
	close(eventfd);
}

TEST_HARNESS_MAIN
