// SPDX-License-Identifier: MIT
/*
 * As faults.c, for a device that is driven by its registers: programs, eventfds, the ranges that
 * root sets, mappings of registers, the driver's probe with interrupts, and the unbind while a
 * program runs.
 */
#include <errno.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "fault_sites.h"
#include "harness.h"
#include "machine.h"
#include "objects.h"
#include "peers.h"
#include "sluice.h"

#define SIZE 4096UL
#define PCI_DRIVER "/sys/bus/pci/drivers/sluice-pci"
#define RANGES "0:0+0x1000"
#define EDU_LIVENESS 0x04
#define EDU_RAISE 0x60
#define EDU_ACK 0x64

static struct peers peers;
static int device, queue, buffer, slot, counter;
static volatile void *registers;

/* All kinds of commands, on registers that do no DMA. */
static struct sluice_op prepare_op(struct sluice_command commands[6])
{
	struct sluice_op op;

	sluice_command_write(&commands[0], 0, 4, EDU_LIVENESS, 1);
	sluice_command_poll(&commands[1], 0, 4, EDU_LIVENESS, ~0U, ~1U, 10000);
	sluice_command_dst(&commands[2], 0, 4, EDU_LIVENESS, 0, 0);
	commands[2].part = SLUICE_ADDRESS_LOW;
	sluice_command_write(&commands[3], 0, 4, EDU_RAISE, 1);
	sluice_command_interrupt(&commands[4], 0);
	sluice_command_write(&commands[5], 0, 4, EDU_ACK, 1);
	sluice_op_program(&op, commands, 6);
	sluice_program_dst(&op, slot, 0, SIZE);
	return op;
}

static int try_submit(void)
{
	struct sluice_command commands[6];
	struct sluice_op op = prepare_op(commands);
	int fence, ret = sluice_submit(queue, &op, 1, -1, &fence, 0, NULL);

	return ret ? ret : fence;
}

static bool undo_submit(int fence)
{
	struct sluice_completion completion;
	bool fine = fence < 0 || (!sluice_fence_wait(fence, 20000) &&
				  sluice_read(queue, &completion, 1) == 1 && !completion.status);

	return undo_close(fence) && fine;
}

static int try_eventfd(void)
{
	struct sluice_eventfd args = { .fd = counter };

	return ioctl(device, SLUICE_IOCTL_EVENTFD, &args) ? -errno : 0;
}

static bool undo_eventfd(int result)
{
	struct sluice_eventfd args = { .fd = -1 };

	(void)result;
	return !ioctl(device, SLUICE_IOCTL_EVENTFD, &args);
}

static int try_ranges(void)
{
	return pci_attribute(peers.edu, "registers", RANGES);
}

static bool prepare_mmap(void)
{
	return !pci_attribute(peers.edu, "registers", "mmap " RANGES);
}

static int try_mmap(void)
{
	int ret = sluice_map_registers(device, 0, 0, 4096, &registers);

	/* a fault that cannot be served would kill this process */
	return ret ? ret : !*(volatile uint32_t *)registers;
}

static bool undo_mmap(int result)
{
	return (result < 0 || (!result && !munmap((void *)registers, 4096))) && !try_ranges();
}

static const struct call calls[] = {
	CALL("SUBMIT of a program", NULL, try_submit, undo_submit, .slow = true),
	CALL("EVENTFD", NULL, try_eventfd, undo_eventfd),
	CALL("ranges of registers", NULL, try_ranges, undo_nothing),
	CALL("mmap of registers, and touch", prepare_mmap, try_mmap, undo_mmap),
};

/* The unbind, while a program waits for an interrupt that does not come. */

static bool prepare_end(void)
{
	struct sluice_command command;
	struct sluice_op op;

	device = peers_open_program(&peers);
	queue = sluice_queue_create(device, 0);
	sluice_command_interrupt(&command, 0);
	sluice_op_program(&op, &command, 1);
	return !try_ranges() && !sluice_submit(queue, &op, 1, -1, NULL, 0, NULL);
}

static int try_unbind(void)
{
	return write_text(PCI_DRIVER "/unbind", peers.edu);
}

static bool undo_unbind(int result)
{
	struct sluice_completion completion = {};
	/* if the write to sysfs failed, nothing has ended */
	bool fine = result >= 0 || !try_unbind();

	fine &= sluice_read(queue, &completion, 1) == 1 &&
		/* it may have timed out before the unbind */
		(completion.status == -ENODEV || completion.status == -ETIME);
	close(queue);
	close(device);
	return fine;
}

static const struct call unbind_call =
	CALL("unbind while a program runs", prepare_end, try_unbind, undo_unbind, .slow = true);

/* The unbind, while a process has registers mapped. */

static bool prepare_unmap(void)
{
	device = peers_open_program(&peers);
	return prepare_mmap() && !try_mmap() && !sigbus_at(registers);
}

static bool undo_unmap(int result)
{
	bool fine = result >= 0 || (!sigbus_at(registers) && !try_unbind());

	fine &= sigbus_at(registers);
	munmap((void *)registers, 4096);
	close(device);
	return fine;
}

static const struct call unmap_call =
	CALL("unbind while registers are mapped", prepare_unmap, try_unbind, undo_unmap,
	     .slow = true);

static bool prepare_probe(void)
{
	return !try_unbind();
}

/* The kernel's PCI code may return other errors if there is no memory. */
static int try_probe(void)
{
	return write_text(PCI_DRIVER "/bind", peers.edu) ? -ENOMEM : 0;
}

/* If there was no memory for interrupts, the device works without them: bind again. */
static bool undo_probe(int result)
{
	struct sluice_info info = {};
	int fd;

	if (result < 0 && try_probe())
		return false;
	fd = sluice_open("pci0");
	if (fd < 0 || sluice_device_info(fd, &info) || !info.num_interrupts) {
		close(fd);
		if (try_unbind() || try_probe())
			return false;
		fd = sluice_open("pci0");
		sluice_device_info(fd, &info);
	}
	close(fd);
	return fd >= 0 && info.num_interrupts == 1;
}

static const struct call probe_call =
	CALL("probe of pci with interrupts", prepare_probe, try_probe, undo_probe, .slow = true);

FIXTURE(program) {
	struct objects before;
};

FIXTURE_SETUP(program)
{
	self->before = objects_before();
	device = queue = buffer = counter = -1;
	if (access("/proc/self/fail-nth", F_OK))
		SKIP(return, "no fault injection (/proc/self/fail-nth) in this kernel");
	if (!peers_find(&peers))
		SKIP(return, "this machine has no edu below a PCIe bridge");
	ASSERT_TRUE(fault_sites_on());
	/* enabled by the test, too: otherwise there are thousands of places in ACPI */
	ASSERT_EQ(pci_attribute(peers.edu, "enable", "1"), 0);
	device = peers_open_program(&peers);
	ASSERT_GE(device, 0);
	queue = sluice_queue_create(device, 0);
	ASSERT_GE(queue, 0);
	buffer = sluice_alloc(device, 0, SIZE, 0);
	slot = sluice_attach(queue, buffer, 0);
	ASSERT_GE(slot, 0);
	ASSERT_EQ(try_ranges(), 0);
	counter = eventfd(0, EFD_CLOEXEC);
	ASSERT_GE(counter, 0);
}

FIXTURE_TEARDOWN(program)
{
	fault_sites_off();
	close(counter);
	close(buffer);
	close(queue);
	close(device);
	peers_leave(&peers);
	pci_attribute(peers.edu, "enable", "0");
	EXPECT_TRUE(objects_settle(&self->before));
}

TEST_F_TIMEOUT(program, calls_fail_cleanly, 300)
{
	unsigned int i;

	for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		EXPECT_TRUE(fault_sites_each(&calls[i]));
}

TEST_F_TIMEOUT(program, an_unbind_ends_it_whatever_fails, 600)
{
	close(buffer);
	close(queue);
	close(device);
	device = queue = buffer = -1;
	ASSERT_EQ(try_unbind(), 0);
	EXPECT_TRUE(fault_sites_each(&unbind_call));
	EXPECT_TRUE(fault_sites_each(&unmap_call));
	device = queue = -1;
}

TEST_F_TIMEOUT(program, a_probe_fails_cleanly, 600)
{
	close(buffer);
	close(queue);
	close(device);
	device = queue = buffer = -1;
	EXPECT_TRUE(fault_sites_each(&probe_call));
}

FIXTURE(visited) {
};

FIXTURE_SETUP(visited)
{
	if (access("/proc/self/fail-nth", F_OK))
		SKIP(return, "no fault injection (/proc/self/fail-nth) in this kernel");
	if (!peers_find(&peers))
		SKIP(return, "this machine has no edu below a PCIe bridge");
}

FIXTURE_TEARDOWN(visited)
{
}

/* the last test checks the results of those before it */
TEST_F(visited, places_are_as_many_as_there_should_be)
{
	EXPECT_GT(fault_sites_sum(), 100);
}

TEST_HARNESS_MAIN
