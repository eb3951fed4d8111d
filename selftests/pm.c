// SPDX-License-Identifier: MIT
/*
 * System sleep and runtime PM: no job is lost or late because its device slept, and an unused
 * device sleeps.
 *
 * The kernel's own tests (/sys/power/pm_test) stop half-way, wait, and resume.  One test really
 * sleeps until the clock wakes the machine (suspend to idle).
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fences.h"
#include "harness.h"
#include "jobs.h"
#include "knobs.h"
#include "machine.h"
#include "modules.h"
#include "objects.h"
#include "pattern.h"
#include "peers.h"
#include "sleep.h"
#include "sluice.h"

#define SIZE 16384UL
#define HELD 65536UL
#define VALUE 0x3c3c3c3c
/* seconds for a test: it sleeps several times, and a busy machine is slow */
#define SECONDS 170
/* longer than a device must be unused to sleep; pci takes a second */
#define IDLE_US 2500000

#define WAKE_ALARM "/sys/class/rtc/rtc0/wakealarm"

FIXTURE(pm) {
	struct objects before;
	char delay[16];
	int soft, soft_queue, soft_buffer, soft_slot;
	int edu, edu_queue, from, to, src, dst;
};

FIXTURE_VARIANT(pm) {
	const char *test;
	const char *state;
};

/* all processes are frozen; workers and interrupts are not */
FIXTURE_VARIANT_ADD(pm, freezer) {
	.test = "freezer", .state = "freeze",
};

/* and each device's driver has suspended the device */
FIXTURE_VARIANT_ADD(pm, devices) {
	.test = "devices", .state = "freeze",
};

FIXTURE_VARIANT_ADD(pm, hibernation_freezer) {
	.test = "freezer", .state = "disk",
};

/* the drivers' callbacks are freeze, not suspend */
FIXTURE_VARIANT_ADD(pm, hibernation_devices) {
	.test = "devices", .state = "disk",
};

/* and all later steps, except the image */
FIXTURE_VARIANT_ADD(pm, hibernation_core) {
	.test = "core", .state = "disk",
};

/* the whole way, until the clock wakes the machine */
FIXTURE_VARIANT_ADD(pm, idle) {
	.test = "none", .state = "freeze",
};

FIXTURE_SETUP(pm)
{
	int fd = open(PM_DELAY, O_RDONLY | O_CLOEXEC);
	ssize_t size = read(fd, self->delay, sizeof(self->delay) - 1);

	close(fd);
	self->delay[size > 0 ? size : 0] = 0;
	self->before = objects_before();
	self->soft = self->soft_queue = self->soft_buffer = -1;
	self->edu = self->edu_queue = self->from = self->to = -1;
	if (access(PM_TEST, W_OK))
		SKIP(return, "this kernel has no " PM_TEST " (CONFIG_PM_DEBUG)");
	if (!root_stays_awake())
		SKIP(return, "the root is on 9p, and there is no sluice-awake.ko");
	write_text(PM_DELAY, "1");
	self->soft = sluice_open("soft0");
	self->soft_queue = patient_queue(self->soft, 0);
	self->soft_buffer = sluice_alloc(self->soft, 0, SIZE, 0);
	self->soft_slot = sluice_attach(self->soft_queue, self->soft_buffer, 0);
	ASSERT_GE(self->soft_slot, 0);
	self->edu = sluice_open(REAL_DEVICE);
	if (self->edu < 0)
		SKIP(return, "this machine has no " REAL_DEVICE);
	self->edu_queue = patient_queue(self->edu, 0);
	self->from = sluice_alloc(self->edu, 0, SIZE, 0);
	self->to = sluice_alloc(self->edu, 0, SIZE, 0);
	self->src = sluice_attach(self->edu_queue, self->from, SLUICE_ATTACH_READ);
	self->dst = sluice_attach(self->edu_queue, self->to, SLUICE_ATTACH_WRITE);
	ASSERT_GE(self->src, 0);
	ASSERT_GE(self->dst, 0);
	ASSERT_EQ(fill_words(self->from, SIZE, 5), 0);
}

FIXTURE_TEARDOWN(pm)
{
	knob("delay_us", 0);
	knob("hang_next", 0);
	close(self->soft_queue);
	close(self->soft_buffer);
	close(self->soft);
	close(self->edu_queue);
	close(self->from);
	close(self->to);
	close(self->edu);
	if (self->delay[0])
		write_text(PM_DELAY, self->delay);
	if (!access("/sys/module/" AWAKE, F_OK))
		EXPECT_TRUE(module_unload(AWAKE));
	EXPECT_TRUE(objects_settle(&self->before));
}

/* The reason why this variant is not possible, or NULL. */
static const char *missing(const FIXTURE_VARIANT(pm) *variant)
{
	if (!file_has(PM_STATE, variant->state))
		return !strcmp(variant->state, "disk") ?
		       "this kernel does not hibernate (/sys/power/state)" :
		       "this kernel does not suspend to idle (/sys/power/state)";
	if (!strcmp(variant->test, "none") && access(WAKE_ALARM, W_OK))
		return "nothing wakes this machine up: no " WAKE_ALARM;
	return NULL;
}

static int sleep_as(const FIXTURE_VARIANT(pm) *variant)
{
	if (!strcmp(variant->test, "none")) {
		write_text(WAKE_ALARM, "0");
		if (write_text(WAKE_ALARM, "+4"))
			return -ENXIO;
	}
	return sleep_until_woken(variant->test, variant->state);
}

/* The kernel may refuse to sleep for other reasons; then the machine did not sleep. */
#define SLEEP() do { \
	int slept = sleep_as(variant); \
	if (slept == -EOPNOTSUPP || slept == -EPERM || slept == -ENODEV || slept == -ENOMEM) \
		SKIP(return, "this kernel refuses to hibernate"); \
	ASSERT_EQ(slept, 0); \
} while (0)

/* Wait until a device runs the job of this fence, its only job. */
static bool begins(const char *device, int fence)
{
	char path[96];
	int tries;

	snprintf(path, sizeof(path), "/sys/kernel/debug/sluice/%s/queues", device);
	for (tries = 0; tries < LATE_MS; tries++) {
		if (file_has(path, "\trunning\n") || signalled(fence))
			return true;
		usleep(1000);
	}
	return false;
}

/*
 * Processes hold fences from before the sleep, and are frozen.  The order of jobs on a buffer that
 * two devices share is kept, too.
 */
TEST_F_TIMEOUT(pm, jobs_go_on_in_order_and_mappings_stay, SECONDS)
{
	const char *why = missing(variant);
	struct sluice_op op;
	uint32_t *held;
	int fence[4], i, written, written_slot, read_slot, reads;
	void *address;

	if (why)
		SKIP(return, "%s", why);
	ASSERT_EQ(sluice_map(self->soft_buffer, SIZE, &address), 0);
	held = address;
	held[SIZE / 4 - 1] = 0x42424242;
	written = sluice_alloc(self->edu, 0, SIZE, 0);
	reads = sluice_alloc(self->edu, 0, SIZE, 0);
	written_slot = sluice_attach(self->soft_queue, written, SLUICE_ATTACH_WRITE);
	ASSERT_GE(written_slot, 0);
	/* soft: one runs, the other waits in its queue */
	ASSERT_EQ(knob("delay_us", 1500000), 0);
	sluice_op_fill(&op, self->soft_slot, 0, SIZE / 2, VALUE);
	ASSERT_EQ(sluice_submit(self->soft_queue, &op, 1, -1, &fence[0], 0, NULL), 0);
	sluice_op_fill(&op, written_slot, 0, SIZE, VALUE + 1);
	ASSERT_EQ(sluice_submit(self->soft_queue, &op, 1, -1, &fence[1], 0, NULL), 0);
	/* edu: one runs, the other reads a buffer that soft writes, and so waits for soft */
	sluice_op_copy(&op, self->dst, 0, self->src, 0, SIZE);
	ASSERT_EQ(sluice_submit(self->edu_queue, &op, 1, -1, &fence[2], 0, NULL), 0);
	read_slot = sluice_attach(self->edu_queue, written, SLUICE_ATTACH_READ);
	ASSERT_GE(read_slot, 0);
	i = sluice_attach(self->edu_queue, reads, SLUICE_ATTACH_WRITE);
	ASSERT_GE(i, 0);
	sluice_op_copy(&op, i, 0, read_slot, 0, SIZE);
	ASSERT_EQ(sluice_submit(self->edu_queue, &op, 1, -1, &fence[3], 0, NULL), 0);
	EXPECT_TRUE(begins(REAL_DEVICE, fence[2]));
	SLEEP();
	EXPECT_EQ(sluice_fence_wait(fence[3], LATE_MS), 0);
	for (i = 0; i < 4; i++) {
		EXPECT_TRUE(signalled(fence[i])) TH_LOG("job %d", i);
		EXPECT_EQ(sluice_fence_wait(fence[i], 0), 0) TH_LOG("job %d", i);
		close(fence[i]);
	}
	EXPECT_EQ(held[0], VALUE);
	EXPECT_EQ(held[SIZE / 4 - 1], 0x42424242);
	munmap(address, SIZE);
	EXPECT_EQ(check_words(self->to, SIZE, 5), 0);
	EXPECT_EQ(check_value(reads, SIZE, VALUE + 1), 0);
	close(written);
	close(reads);

	/* both devices work */
	ASSERT_EQ(knob("delay_us", 0), 0);
	sluice_op_fill(&op, self->soft_slot, 0, SIZE, 7);
	EXPECT_EQ(run_op(self->soft_queue, &op), 0);
	EXPECT_EQ(fill_words(self->from, SIZE, 6), 0);
	sluice_op_copy(&op, self->dst, 0, self->src, 0, SIZE);
	EXPECT_EQ(sluice_submit(self->edu_queue, &op, 1, -1, NULL, 0, NULL), 0);
	EXPECT_EQ(sluice_wait(self->edu_queue, 3, LATE_MS), 0);
	EXPECT_EQ(check_words(self->to, SIZE, 6), 0);
}

/* The other tests need no variants: the harness runs each test of a fixture with all variants. */
FIXTURE(devices) {
	struct objects before;
	struct peers peers;
	char delay[16];
	int soft, queue, buffer, slot;
};

FIXTURE_SETUP(devices)
{
	int fd = open(PM_DELAY, O_RDONLY | O_CLOEXEC);
	ssize_t size = read(fd, self->delay, sizeof(self->delay) - 1);

	close(fd);
	self->delay[size > 0 ? size : 0] = 0;
	self->before = objects_before();
	self->soft = self->queue = self->buffer = -1;
	if (access(PM_TEST, W_OK) || !file_has(PM_STATE, "freeze"))
		SKIP(return, "this kernel has no " PM_TEST " (CONFIG_PM_DEBUG)");
	if (!root_stays_awake())
		SKIP(return, "the root is on 9p, and there is no sluice-awake.ko");
	write_text(PM_DELAY, "1");
	self->soft = sluice_open("soft0");
	self->queue = patient_queue(self->soft, 0);
	self->buffer = sluice_alloc(self->soft, 0, SIZE, 0);
	self->slot = sluice_attach(self->queue, self->buffer, 0);
	ASSERT_GE(self->slot, 0);
}

FIXTURE_TEARDOWN(devices)
{
	knob("delay_us", 0);
	knob("hang_next", 0);
	close(self->queue);
	close(self->buffer);
	close(self->soft);
	if (self->delay[0])
		write_text(PM_DELAY, self->delay);
	if (!access("/sys/module/" AWAKE, F_OK))
		EXPECT_TRUE(module_unload(AWAKE));
	EXPECT_TRUE(objects_settle(&self->before));
}

/* Has soft0 used up hang_next except for this number? */
static bool hangs_left(unsigned long left)
{
	char text[16];
	int tries;

	snprintf(text, sizeof(text), "%lu\n", left);
	for (tries = 0; tries < LATE_MS; tries++) {
		if (file_has("/sys/kernel/debug/sluice/soft0/hang_next", text))
			return true;
		usleep(1000);
	}
	return false;
}

TEST_F_TIMEOUT(devices, an_op_that_does_not_end_begins_again, SECONDS)
{
	struct sluice_completion completion;
	struct sluice_op ops[2];
	int fence, next;

	sluice_op_fill(&ops[0], self->slot, 0, SIZE / 2, VALUE);
	sluice_op_fill(&ops[1], self->slot, SIZE / 2, SIZE / 2, VALUE);
	ASSERT_EQ(knob("hang_next", 1), 0);
	ASSERT_EQ(sluice_submit(self->queue, ops, 2, -1, &fence, 0, NULL), 0);
	ASSERT_EQ(sluice_submit(self->queue, ops, 1, -1, &next, 0, NULL), 0);
	ASSERT_TRUE(wait_hanging());
	ASSERT_EQ(sleep_until_woken("devices", "freeze"), 0);
	EXPECT_EQ(sluice_fence_wait(fence, LATE_MS), 0);
	EXPECT_EQ(sluice_fence_wait(next, LATE_MS), 0);
	EXPECT_LE(fence_time(fence), fence_time(next));
	/* the aborted attempt is not counted */
	ASSERT_EQ(sluice_read(self->queue, &completion, 1), 1);
	EXPECT_EQ(completion.bytes, SIZE);
	EXPECT_EQ(check_value(self->buffer, SIZE, VALUE), 0);
	close(fence);
	close(next);
}

TEST_F_TIMEOUT(devices, an_op_that_is_in_the_way_again_and_again_begins_again, SECONDS)
{
	struct sluice_op op;
	int fence, next, i;

	sluice_op_fill(&op, self->slot, 0, SIZE, VALUE);
	ASSERT_EQ(knob("hang_next", 4), 0);
	ASSERT_EQ(sluice_submit(self->queue, &op, 1, -1, &fence, 0, NULL), 0);
	ASSERT_EQ(sluice_submit(self->queue, &op, 1, -1, &next, 0, NULL), 0);
	for (i = 3; i >= 0; i--) {
		ASSERT_TRUE(hangs_left(i));
		EXPECT_FALSE(signalled(fence));
		ASSERT_EQ(sleep_until_woken("devices", "freeze"), 0);
	}
	EXPECT_EQ(sluice_fence_wait(fence, LATE_MS), 0);
	EXPECT_EQ(sluice_fence_wait(next, LATE_MS), 0);
	close(fence);
	close(next);
}

/* Twelve seconds of sleep are longer than the job's timeout of ten. */
TEST_F_TIMEOUT(devices, a_job_is_not_late_because_its_device_slept, SECONDS)
{
	struct sluice_create_queue args = { .timeout_ms = 6000 };
	struct sluice_op ops[2];
	int slot, fence, i;

	if (write_text(PM_DELAY, "7"))
		SKIP(return, "this kernel has no " PM_DELAY);
	ASSERT_EQ(xioctl(self->soft, SLUICE_IOCTL_CREATE_QUEUE, &args), 0);
	slot = sluice_attach(args.fd, self->buffer, 0);
	ASSERT_GE(slot, 0);
	for (i = 0; i < 2; i++)
		sluice_op_fill(&ops[i], slot, i * SIZE / 2, SIZE / 2, VALUE);
	ASSERT_EQ(knob("delay_us", 1000000), 0);
	ASSERT_EQ(sluice_submit(args.fd, ops, 2, -1, &fence, 0, NULL), 0);
	ASSERT_EQ(sleep_until_woken("devices", "freeze"), 0);
	EXPECT_EQ(sluice_fence_wait(fence, LATE_MS), 0);
	EXPECT_EQ(check_value(self->buffer, SIZE, VALUE), 0);
	close(fence);
	close(args.fd);
}

#define EDU_ID_VALUE 0x10000ed
#define EDU_RAISE 0x60
#define EDU_ACK 0x64

TEST_F_TIMEOUT(devices, a_program_is_not_begun_twice, SECONDS)
{
	struct sluice_command commands[4];
	uint64_t count = 0;
	struct sluice_op op;
	int device, queue, eventfd, fence;

	if (!peers_find(&self->peers))
		SKIP(return, "this machine has no edu below a PCIe bridge");
	device = peers_open_program(&self->peers);
	ASSERT_GE(device, 0);
	ASSERT_EQ(pci_attribute(self->peers.edu, "registers", "0:0x0+0x8, 0:0x60+0x8"), 0);
	queue = patient_queue(device, 0);
	eventfd = sluice_eventfd(device, 0);
	ASSERT_GE(eventfd, 0);
	/* an interrupt that comes, and one that does not */
	sluice_command_write(&commands[0], 0, 4, EDU_RAISE, 1);
	sluice_command_interrupt(&commands[1], 0);
	sluice_command_write(&commands[2], 0, 4, EDU_ACK, 1);
	sluice_command_interrupt(&commands[3], 0);
	sluice_op_program(&op, commands, 4);
	ASSERT_EQ(sluice_submit(queue, &op, 1, -1, &fence, 0, NULL), 0);
	EXPECT_EQ(poll(&(struct pollfd){ .fd = eventfd, .events = POLLIN }, 1, LATE_MS), 1);
	ASSERT_EQ(sleep_until_woken("devices", "freeze"), 0);
	EXPECT_EQ(sluice_fence_wait(fence, LATE_MS), -ECANCELED);
	/* after the reset that aborts a program */
	sluice_command_poll(&commands[0], 0, 4, 0, ~0U, EDU_ID_VALUE, SLUICE_MAX_POLL_US);
	sluice_op_program(&op, commands, 1);
	EXPECT_EQ(sluice_submit(queue, &op, 1, -1, NULL, 0, NULL), 0);
	EXPECT_EQ(sluice_wait(queue, 2, LATE_MS), 0);
	EXPECT_EQ(read(eventfd, &count, sizeof(count)), (ssize_t)sizeof(count));
	EXPECT_EQ(count, 1);
	close(fence);
	close(eventfd);
	close(queue);
	close(device);
	peers_leave(&self->peers);
}

/* Runtime PM */

FIXTURE(runtime) {
	struct objects before;
	struct peers peers;
	char address[64];
	int device, buffer;
};

static bool is(const char *address, const char *status)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/power/runtime_status", address);
	return file_has(path, status);
}

static bool falls_asleep(const char *address)
{
	int tries;

	for (tries = 0; tries < LATE_MS / 10; tries++) {
		if (is(address, "suspended"))
			return true;
		usleep(10000);
	}
	return false;
}

/* Does it stay awake for longer than a device must be unused to sleep? */
static bool stays_awake(const char *address)
{
	usleep(IDLE_US);
	return is(address, "active");
}

/* The number of holders that keep the device awake; -1 if the kernel does not tell. */
static int usage(const char *address)
{
	char path[128], text[16] = "-1";
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/power/runtime_usage", address);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (read(fd, text, sizeof(text) - 1) < 0)
		text[0] = 0;
	close(fd);
	return atoi(text);
}

FIXTURE_SETUP(runtime)
{
	self->before = objects_before();
	self->device = self->buffer = -1;
	if (!pci_address(REAL_DEVICE, self->address))
		SKIP(return, "this machine has no " REAL_DEVICE);
	if (!is(self->address, "active") && !is(self->address, "suspend"))
		SKIP(return, "this kernel has no runtime PM (CONFIG_PM)");
	/* earlier tests may have used it */
	ASSERT_TRUE(falls_asleep(self->address));
	self->device = sluice_open(REAL_DEVICE);
	self->buffer = sluice_alloc(self->device, 0, SIZE, 0);
	ASSERT_GE(self->buffer, 0);
}

FIXTURE_TEARDOWN(runtime)
{
	close(self->buffer);
	close(self->device);
	EXPECT_TRUE(objects_settle(&self->before));
}

TEST_F_TIMEOUT(runtime, a_slot_keeps_the_device_awake, SECONDS)
{
	int queue = sluice_queue_create(self->device, 0), slot, other;

	/* an open node, memory and a queue do not need the hardware */
	ASSERT_GE(queue, 0);
	EXPECT_TRUE(is(self->address, "suspended"));
	slot = sluice_attach(queue, self->buffer, 0);
	ASSERT_GE(slot, 0);
	EXPECT_TRUE(is(self->address, "active"));
	other = sluice_attach(queue, self->buffer, 0);
	ASSERT_GE(other, 0);
	EXPECT_TRUE(stays_awake(self->address));
	EXPECT_EQ(sluice_detach(queue, slot), 0);
	EXPECT_TRUE(stays_awake(self->address));
	close(queue);
	EXPECT_TRUE(falls_asleep(self->address));
	/* a failed ATTACH does not keep it awake */
	queue = sluice_queue_create(self->device, 0);
	close(self->buffer);
	self->buffer = sluice_alloc(self->device, 0, SIZE, 0);
	EXPECT_LT(sluice_attach(queue, self->buffer, 0x80), 0);
	EXPECT_TRUE(falls_asleep(self->address));
	close(queue);
}

TEST_F_TIMEOUT(runtime, wakes_up_to_do_its_jobs, SECONDS)
{
	struct sluice_op op;
	int queue, slot, round;

	for (round = 0; round < 3; round++) {
		queue = patient_queue(self->device, 0);
		slot = sluice_attach(queue, self->buffer, 0);
		ASSERT_GE(slot, 0);
		sluice_op_fill(&op, slot, 0, SIZE, VALUE + round);
		EXPECT_EQ(run_op(queue, &op), 0);
		EXPECT_EQ(check_value(self->buffer, SIZE, VALUE + round), 0);
		close(queue);
		EXPECT_TRUE(falls_asleep(self->address));
	}
}

TEST_F_TIMEOUT(runtime, a_waiting_job_with_the_last_slot_keeps_it_awake, SECONDS)
{
	int queue = patient_queue(self->device, 0), slot, soft, soft_queue, soft_slot;
	int memory, in_fence, fence;
	struct sluice_op op;
	struct gate gate;

	soft = sluice_open("soft0");
	soft_queue = patient_queue(soft, 0);
	memory = sluice_alloc(soft, 0, SIZE, 0);
	soft_slot = sluice_attach(soft_queue, memory, 0);
	ASSERT_GE(soft_slot, 0);
	ASSERT_EQ(gate_shut(&gate, 0), 0);
	sluice_op_fill(&op, soft_slot, 0, SIZE, 1);
	ASSERT_EQ(sluice_submit(soft_queue, &op, 1, -1, &in_fence, 0, NULL), 0);

	slot = sluice_attach(queue, self->buffer, 0);
	ASSERT_GE(slot, 0);
	sluice_op_fill(&op, slot, 0, SIZE, VALUE);
	ASSERT_EQ(sluice_submit(queue, &op, 1, in_fence, &fence, 0, NULL), 0);
	ASSERT_EQ(sluice_detach(queue, slot), 0);
	EXPECT_TRUE(stays_awake(self->address));
	ASSERT_EQ(gate_open(&gate), 0);
	EXPECT_EQ(sluice_fence_wait(fence, LATE_MS), 0);
	EXPECT_EQ(check_value(self->buffer, SIZE, VALUE), 0);
	EXPECT_TRUE(falls_asleep(self->address));
	close(fence);
	close(in_fence);
	close(memory);
	close(soft_queue);
	close(soft);
	close(queue);
}

TEST_F_TIMEOUT(runtime, unbind_drops_its_runtime_pm_references, SECONDS)
{
	struct peers *peers = &self->peers;
	int before, device, queue, slot, buffer;

	if (!peers_find(peers))
		SKIP(return, "this machine has no edu below a PCIe bridge");
	before = usage(peers->edu);
	if (before < 0)
		SKIP(return, "this kernel does not tell (CONFIG_PM_ADVANCED_DEBUG)");
	device = peers_open_edu(peers);
	ASSERT_GE(device, 0);
	queue = sluice_queue_create(device, 0);
	buffer = sluice_alloc(device, 0, SIZE, 0);
	slot = sluice_attach(queue, buffer, 0);
	ASSERT_GE(slot, 0);
	EXPECT_TRUE(is(peers->edu, "active"));
	EXPECT_EQ(pci_unbind(peers->edu), 0);
	EXPECT_EQ(usage(peers->edu), before);
	close(buffer);
	close(queue);
	close(device);
	EXPECT_EQ(usage(peers->edu), before);
	peers_leave(peers);
}

TEST_F_TIMEOUT(runtime, registers_interrupts_and_programs_keep_it_awake, SECONDS)
{
	struct sluice_eventfd none = { .fd = -1 };
	struct peers *peers = &self->peers;
	struct sluice_command commands[2];
	volatile void *registers;
	int before, device, queue, eventfd, fence;
	struct sluice_op op;

	if (!peers_find(peers))
		SKIP(return, "this machine has no edu below a PCIe bridge");
	before = usage(peers->edu);
	device = peers_open_program(peers);
	ASSERT_GE(device, 0);
	/* root decides whether a device without a driver that knows it may sleep */
	EXPECT_TRUE(stays_awake(peers->edu));
	ASSERT_EQ(pci_attribute(peers->edu, "power/control", "auto"), 0);
	EXPECT_TRUE(falls_asleep(peers->edu));

	ASSERT_EQ(pci_attribute(peers->edu, "registers", "mmap 0:0+0x100000"), 0);
	EXPECT_TRUE(falls_asleep(peers->edu));
	ASSERT_EQ(sluice_map_registers(device, 0, 0, 8192, &registers), 0);
	EXPECT_TRUE(is(peers->edu, "active"));
	EXPECT_EQ(*(volatile uint32_t *)registers, EDU_ID_VALUE);
	/* there are two mappings, and then only the second */
	EXPECT_EQ(munmap((void *)registers, 4096), 0);
	EXPECT_TRUE(stays_awake(peers->edu));
	EXPECT_EQ(munmap((char *)registers + 4096, 4096), 0);
	EXPECT_TRUE(falls_asleep(peers->edu));

	eventfd = sluice_eventfd(device, 0);
	ASSERT_GE(eventfd, 0);
	EXPECT_TRUE(stays_awake(peers->edu));
	EXPECT_EQ(xioctl(device, SLUICE_IOCTL_EVENTFD, &none), 0);
	EXPECT_TRUE(falls_asleep(peers->edu));

	/* bus mastering and interrupts are enabled again after each sleep */
	ASSERT_EQ(pci_attribute(peers->edu, "registers", "0:0x0+0x8, 0:0x60+0x8"), 0);
	EXPECT_TRUE(falls_asleep(peers->edu));
	queue = patient_queue(device, 0);
	sluice_command_write(&commands[0], 0, 4, EDU_RAISE, 1);
	sluice_command_interrupt(&commands[1], 0);
	sluice_op_program(&op, commands, 2);
	EXPECT_EQ(run_op(queue, &op), 0);
	sluice_command_write(&commands[0], 0, 4, EDU_ACK, 1);
	sluice_op_program(&op, commands, 1);
	EXPECT_EQ(run_op(queue, &op), 0);
	EXPECT_TRUE(falls_asleep(peers->edu));
	/* one that waits, and is aborted: the reset comes first, then sleep */
	sluice_op_program(&op, &commands[1], 1);
	ASSERT_EQ(sluice_submit(queue, &op, 1, -1, &fence, 0, NULL), 0);
	EXPECT_TRUE(stays_awake(peers->edu));
	EXPECT_EQ(sluice_cancel(queue, 3, 3), 1);
	EXPECT_EQ(sluice_fence_wait(fence, LATE_MS), -ECANCELED);
	EXPECT_TRUE(falls_asleep(peers->edu));
	close(fence);
	close(queue);

	/* settings that are left at unbind do not reach the next driver */
	ASSERT_EQ(pci_attribute(peers->edu, "registers", "mmap 0:0+0x1000"), 0);
	ASSERT_EQ(sluice_map_registers(device, 0, 0, 4096, &registers), 0);
	ASSERT_EQ(sluice_eventfd(device, 0) >= 0, true);
	EXPECT_EQ(pci_attribute(peers->edu, "power/control", "on"), 0);
	EXPECT_EQ(pci_unbind(peers->edu), 0);
	EXPECT_EQ(usage(peers->edu), before);
	EXPECT_EQ(munmap((void *)registers, 4096), 0);
	close(device);
	EXPECT_EQ(usage(peers->edu), before);
	close(eventfd);
	peers_leave(peers);
}

TEST_F_TIMEOUT(runtime, memory_of_its_own_keeps_a_device_awake, SECONDS)
{
	struct peers *peers = &self->peers;
	int before, device;

	if (!peers_find(peers))
		SKIP(return, "this machine has no PCI device with memory");
	before = usage(peers->bar);
	device = peers_open_bar(peers);
	ASSERT_GE(device, 0);
	ASSERT_EQ(pci_attribute(peers->bar, "power/control", "auto"), 0);
	EXPECT_TRUE(stays_awake(peers->bar));
	ASSERT_EQ(pci_attribute(peers->bar, "power/control", "on"), 0);
	close(device);
	peers_leave(peers);
	EXPECT_EQ(usage(peers->bar), before);
}

TEST_HARNESS_MAIN
