// SPDX-License-Identifier: MIT
/*
 * The end of a device: unbind through sysfs, PCI hot removal, module unload, with jobs in flight
 * and all objects still in use.
 */
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "buffers.h"
#include "harness.h"
#include "jobs.h"
#include "knobs.h"
#include "machine.h"
#include "modules.h"
#include "objects.h"
#include "pattern.h"
#include "sluice.h"

#define SIZE 65536UL
#define MANY 64	/* ops of a job that outlasts the device: edu takes 100 ms per page */

#define SOFT_DRIVER "/sys/bus/platform/drivers/sluice-soft"
#define EDU_DRIVER "/sys/bus/pci/drivers/sluice-edu"

/* Bus address of the edu device, such as 0000:00:03.0; searched once. */
static char edu_address[32];

static bool find_edu(void)
{
	FILE *pipe = popen("cd " EDU_DRIVER " 2>/dev/null && ls -d 0000:*", "r");
	bool found = pipe && fscanf(pipe, "%31s", edu_address) == 1;

	if (pipe)
		pclose(pipe);
	return found;
}

/* Submit a job of MANY equal ops. */
static int submit_many(int queue, size_t size, int *fence)
{
	struct sluice_op ops[MANY];
	int i;

	for (i = 0; i < MANY; i++)
		sluice_op_fill(&ops[i], 0, 0, size, 0x55);
	return sluice_submit(queue, ops, MANY, -1, fence, 0, NULL);
}

static bool wait_for_node(const char *path, bool there)
{
	int tries;

	for (tries = 0; tries < 1000; tries++) {
		if ((access(path, F_OK) == 0) == there)
			return true;
		usleep(10000);
	}
	return false;
}

FIXTURE(unbind) {
	struct objects before;
	char unbind[96], bind[96], id[32], node[32];
	int device, queue, buffer;
	uint32_t *memory;
};

FIXTURE_VARIANT(unbind) {
	const char *device;
	unsigned int heap;
};

FIXTURE_VARIANT_ADD(unbind, soft_pages) { .device = "soft0", .heap = 0 };
FIXTURE_VARIANT_ADD(unbind, soft_contiguous) { .device = "soft0", .heap = 1 };
FIXTURE_VARIANT_ADD(unbind, edu_pages) { .device = "edu0", .heap = 0 };
FIXTURE_VARIANT_ADD(unbind, edu_contiguous) { .device = "edu0", .heap = 1 };

FIXTURE_SETUP(unbind)
{
	bool soft = !strcmp(variant->device, "soft0");
	const char *driver = soft ? SOFT_DRIVER : EDU_DRIVER;

	NEEDS_DEVICE(variant->device);
	self->before = objects_before();
	ASSERT_TRUE(soft || find_edu());
	knob("delay_us", 0);
	snprintf(self->unbind, sizeof(self->unbind), "%s/unbind", driver);
	snprintf(self->bind, sizeof(self->bind), "%s/bind", driver);
	snprintf(self->id, sizeof(self->id), "%s", soft ? "sluice-soft" : edu_address);
	snprintf(self->node, sizeof(self->node), "/dev/sluice/%s", variant->device);
	self->device = sluice_open(variant->device);
	ASSERT_GE(self->device, 0);
	self->buffer = sluice_alloc(self->device, variant->heap, SIZE, 0);
	ASSERT_GE(self->buffer, 0);
	ASSERT_EQ(sluice_map(self->buffer, SIZE, (void **)&self->memory), 0);
	self->queue = patient_queue(self->device, 0);
	ASSERT_GE(self->queue, 0);
	ASSERT_EQ(sluice_attach(self->queue, self->buffer, 0), 0);
}

FIXTURE_TEARDOWN(unbind)
{
	if (access(self->node, F_OK))
		EXPECT_EQ(write_text(self->bind, self->id), 0);
	EXPECT_TRUE(wait_for_node(self->node, true));
	munmap(self->memory, SIZE);
	close(self->queue);
	close(self->buffer);
	close(self->device);
	EXPECT_TRUE(objects_settle(&self->before));
}

TEST_F(unbind, ends_every_fence_and_answers_ENODEV)
{
	struct pollfd pollfd = { .fd = self->queue, .events = POLLIN | POLLOUT };
	struct sluice_create_queue create = {};
	struct sluice_buffer_info buffer = { .fd = self->buffer };
	struct sluice_completion completions[4];
	struct sluice_alloc alloc = { .size = SIZE };
	struct sluice_info info = {};
	struct sluice_op op;
	struct sluice_enum_formats formats = {};
	int fences[3], i;

	knob("delay_us", 5000000);
	sluice_op_fill(&op, 0, 0, SIZE, 1);
	for (i = 0; i < 3; i++)
		ASSERT_EQ(submit_many(self->queue, SIZE, &fences[i]), 0);
	usleep(50000);
	ASSERT_EQ(write_text(self->unbind, self->id), 0);

	/* after unbind has returned, there is no fence left to wait for */
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(sluice_fence_wait(fences[i], 0), -ENODEV);
		close(fences[i]);
	}
	EXPECT_EQ(poll(&pollfd, 1, 0), 1);
	EXPECT_EQ(pollfd.revents, POLLIN | POLLHUP);
	EXPECT_EQ(sluice_read(self->queue, completions, 4), 3);
	for (i = 0; i < 3; i++)
		EXPECT_EQ(completions[i].status, -ENODEV);
	EXPECT_EQ(sluice_read(self->queue, completions, 4), -ENODEV);
	EXPECT_EQ(sluice_wait(self->queue, 3, 0), -ENODEV);

	EXPECT_EQ(sluice_submit(self->queue, &op, 1, -1, NULL, 0, NULL), -ENODEV);
	EXPECT_EQ(sluice_submit(self->queue, NULL, 0, -1, NULL, 0, NULL), -ENODEV);
	/* an image is looked up in the engine's list of formats, if it has one */
	sluice_op_capture_frame(&op, 0, 0, 16, 16, 64);
	EXPECT_EQ(sluice_submit(self->queue, &op, 1, -1, NULL, 0, NULL),
		  strcmp(variant->device, "soft0") ? -EOPNOTSUPP : -ENODEV);
	EXPECT_EQ(xioctl(self->device, SLUICE_IOCTL_ENUM_FORMATS, &formats), -ENODEV);
	EXPECT_EQ(sluice_attach(self->queue, self->buffer, 0), -ENODEV);
	EXPECT_EQ(sluice_detach(self->queue, 0), -ENOENT);
	EXPECT_EQ(xioctl(self->device, SLUICE_IOCTL_INFO, &info), -ENODEV);
	EXPECT_EQ(xioctl(self->device, SLUICE_IOCTL_ALLOC, &alloc), -ENODEV);
	EXPECT_EQ(xioctl(self->device, SLUICE_IOCTL_CREATE_QUEUE, &create), -ENODEV);
	EXPECT_EQ(xioctl(self->device, SLUICE_IOCTL_BUFFER_INFO, &buffer), -ENODEV);
	EXPECT_EQ(sluice_open(variant->device), -ENOENT);
}

TEST_F(unbind, memory_stays_valid_for_its_holders)
{
	size_t i;

	ASSERT_EQ(sluice_cpu_begin(self->buffer, true), 0);
	for (i = 0; i < SIZE / 4; i++)
		self->memory[i] = expected_word(5, i);
	ASSERT_EQ(sluice_cpu_end(self->buffer, true), 0);
	ASSERT_EQ(write_text(self->unbind, self->id), 0);
	/* the old mapping, a new mapping, and CPU access brackets */
	for (i = 0; i < SIZE / 4; i++)
		ASSERT_EQ(self->memory[i], expected_word(5, i));
	EXPECT_EQ(check_words(self->buffer, SIZE, 5), 0);
	EXPECT_EQ(fill_words(self->buffer, SIZE, 6), 0);

	/* another device, or the same one bound again, imports the buffer */
	ASSERT_EQ(write_text(self->bind, self->id), 0);
	ASSERT_TRUE(wait_for_node(self->node, true));
	{
		int device = sluice_open(variant->device), queue = patient_queue(device, 0);
		struct sluice_op op;

		ASSERT_GE(queue, 0);
		ASSERT_EQ(sluice_attach(queue, self->buffer, 0), 0);
		sluice_op_fill(&op, 0, 0, 4096, 0x44);
		ASSERT_EQ(sluice_submit(queue, &op, 1, -1, NULL, 0, NULL), 0);
		EXPECT_EQ(sluice_wait(queue, 1, LATE_MS), 0);
		EXPECT_EQ(check_value(self->buffer, 4096, 0x44), 0);
		close(queue);
		close(device);
	}
}

TEST_F(unbind, wakes_waiting_processes)
{
	pid_t waiter, reader;
	int status;

	knob("delay_us", 5000000);
	ASSERT_EQ(submit_many(self->queue, SIZE, NULL), 0);
	waiter = fork();
	if (!waiter)
		_exit(sluice_wait(self->queue, 1, -1) == -ENODEV ? 0 : 1);
	reader = fork();
	if (!reader) {
		struct sluice_completion completion;

		_exit(sluice_read(self->queue, &completion, 1) == 1 &&
		      completion.status == -ENODEV &&
		      sluice_read(self->queue, &completion, 1) == -ENODEV ? 0 : 1);
	}
	usleep(100000);
	ASSERT_EQ(write_text(self->unbind, self->id), 0);
	ASSERT_EQ(waitpid(waiter, &status, 0), waiter);
	EXPECT_EQ(status, 0);
	ASSERT_EQ(waitpid(reader, &status, 0), reader);
	EXPECT_EQ(status, 0);
}

static volatile bool storm_over;

static void *storm(void *argument)
{
	const char *name = argument;

	while (!storm_over) {
		int device = sluice_open(name), queue = -1, buffer = -1, i;

		if (device >= 0) {
			queue = sluice_queue_create(device, 0);
			buffer = sluice_alloc(device, 0, 8192, 0);
		}
		if (queue >= 0 && buffer >= 0 && sluice_attach(queue, buffer, 0) == 0) {
			struct sluice_op op;

			sluice_op_fill(&op, 0, 0, 64, 1);
			for (i = 0; i < 5; i++)
				sluice_submit(queue, &op, 1, -1, NULL, 0, NULL);
			sluice_wait(queue, 3, 20);
		}
		if (queue >= 0)
			close(queue);
		if (buffer >= 0)
			close(buffer);
		if (device >= 0)
			close(device);
	}
	return NULL;
}

TEST_F_TIMEOUT(unbind, under_a_storm_of_jobs_leaves_nothing_behind, 300)
{
	int64_t enough = now_ns() + 15000000000LL;
	pthread_t threads[3];
	int i;

	storm_over = false;
	for (i = 0; i < 3; i++)
		ASSERT_EQ(pthread_create(&threads[i], NULL, storm, (void *)variant->device), 0);
	/* fewer times on a slow machine, but at least twice */
	for (i = 0; i < 6 && (i < 2 || now_ns() < enough); i++) {
		usleep(60000);
		EXPECT_EQ(write_text(self->unbind, self->id), 0);
		EXPECT_EQ(write_text(self->bind, self->id), 0);
	}
	storm_over = true;
	for (i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
}

TEST(pci_hot_removal_during_a_transfer)
{
	char path[96];
	struct objects before;
	struct sluice_op op;
	int device, queue, buffer, fence;

	NEEDS_DEVICE("edu0");
	ASSERT_TRUE(find_edu());
	before = objects_before();
	device = sluice_open("edu0");
	buffer = sluice_alloc(device, 1, 8192, 0);
	queue = patient_queue(device, 0);
	ASSERT_EQ(sluice_attach(queue, buffer, 0), 0);
	ASSERT_EQ(submit_many(queue, 8192, &fence), 0);
	usleep(30000);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/remove", edu_address);
	ASSERT_EQ(write_text(path, "1"), 0);
	EXPECT_EQ(sluice_fence_wait(fence, 0), -ENODEV);
	close(fence);
	EXPECT_EQ(fill_words(buffer, 8192, 1), 0);
	ASSERT_EQ(write_text("/sys/bus/pci/rescan", "1"), 0);
	ASSERT_TRUE(wait_for_node("/dev/sluice/edu0", true));
	close(queue);
	close(buffer);
	close(device);

	device = sluice_open("edu0");
	buffer = sluice_alloc(device, 1, 8192, 0);
	queue = patient_queue(device, 0);
	ASSERT_EQ(sluice_attach(queue, buffer, 0), 0);
	sluice_op_fill(&op, 0, 0, 8192, 0x55);
	ASSERT_EQ(sluice_submit(queue, &op, 1, -1, NULL, 0, NULL), 0);
	EXPECT_EQ(sluice_wait(queue, 1, LATE_MS), 0);
	EXPECT_EQ(check_value(buffer, 8192, 0x55), 0);
	close(queue);
	close(buffer);
	close(device);
	EXPECT_TRUE(objects_settle(&before));
}

static int unload(const char *module)
{
	char command[64];

	snprintf(command, sizeof(command), "rmmod %s 2>/dev/null", module);
	return system(command);
}

TEST(modules_in_use_cannot_be_unloaded)
{
	struct objects before = objects_before();
	int device = sluice_open("soft0"), queue, buffer;
	void *memory;

	ASSERT_GE(device, 0);
	EXPECT_NE(unload("sluice-soft"), 0);
	EXPECT_NE(unload("sluice"), 0);
	queue = sluice_queue_create(device, 0);
	buffer = sluice_alloc(device, 0, SIZE, 0);
	close(device);
	EXPECT_NE(unload("sluice-soft"), 0);
	close(queue);
	ASSERT_EQ(sluice_map(buffer, SIZE, &memory), 0);
	close(buffer);
	/* even a mapping alone keeps the core */
	EXPECT_NE(unload("sluice"), 0);
	munmap(memory, SIZE);
	EXPECT_TRUE(objects_settle(&before));
}

TEST(driver_module_unloads_and_comes_back_while_buffers_live)
{
	int device = sluice_open("soft0"), buffer = sluice_alloc(device, 1, SIZE, 0);

	ASSERT_GE(buffer, 0);
	ASSERT_EQ(fill_words(buffer, SIZE, 8), 0);
	close(device);
	ASSERT_TRUE(module_unload("sluice_soft"));
	EXPECT_EQ(check_words(buffer, SIZE, 8), 0);
	ASSERT_EQ(module_load("sluice-soft"), 0);
	ASSERT_TRUE(wait_for_node("/dev/sluice/soft0", true));
	EXPECT_EQ(check_words(buffer, SIZE, 8), 0);
	close(buffer);
}

/* Load edu's module again, with other parameters.  False if that is not possible. */
static bool reload_edu(const char *parameters)
{
	return module_unload("sluice_edu") && !module_load_with("sluice-edu", parameters);
}

TEST(edu_that_can_address_too_little_gets_no_node)
{
	NEEDS_DEVICE("edu0");
	if (translated())
		SKIP(return, "this IOMMU's driver remembers that the lowest addresses are taken");
	ASSERT_TRUE(find_edu());
	/* no memory is below 256 bytes */
	EXPECT_TRUE(reload_edu("dma_bits=8"));
	EXPECT_NE(access("/dev/sluice/edu0", F_OK), 0);
	ASSERT_TRUE(reload_edu(""));
	ASSERT_TRUE(wait_for_node("/dev/sluice/edu0", true));
}

/* The machine has memory beyond 32 bits, which the kernel hands out first. */
TEST(edu_of_32_bits_gets_memory_that_they_address)
{
	int soft = sluice_open("soft0"), device, i, beyond, buffers[4];

	NEEDS_DEVICE("edu0");
	ASSERT_EQ(write_text("/proc/sys/vm/drop_caches", "3"), 0);
	buffers[0] = sluice_alloc(soft, 0, SIZE, 0);
	beyond = is_beyond(soft, buffers[0], 32);
	close(buffers[0]);
	ASSERT_GE(beyond, 0);
	if (!beyond)
		SKIP(close(soft); return, "no memory is free that 32 bits do not address");
	if (translated())
		SKIP(close(soft); return, "an IOMMU lets 32 bits address all memory");
	ASSERT_TRUE(find_edu());
	ASSERT_TRUE(reload_edu("dma_bits=32"));
	EXPECT_TRUE(wait_for_node("/dev/sluice/edu0", true));
	device = sluice_open("edu0");
	for (i = 0; i < 4; i++) {
		buffers[i] = sluice_alloc(device, i % 2, SIZE, 0);
		EXPECT_GE(buffers[i], 0);
		EXPECT_EQ(is_beyond(soft, buffers[i], 32), 0);
		EXPECT_EQ(fill_words(buffers[i], SIZE, i), 0);
	}
	for (i = 0; i < 4; i++) {
		EXPECT_EQ(check_words(buffers[i], SIZE, i), 0);
		close(buffers[i]);
	}
	close(device);
	close(soft);
	ASSERT_TRUE(reload_edu(""));
	ASSERT_TRUE(wait_for_node("/dev/sluice/edu0", true));
}

TEST(killed_processes_leave_nothing_behind)
{
	struct objects before = objects_before();
	unsigned int seed = 1;
	int round, status;

	knob("delay_us", 3000);
	for (round = 0; round < 25; round++) {
		pid_t child = fork();

		if (!child) {
			storm_over = false;
			storm("soft0");
			_exit(0);
		}
		usleep(5000 + rand_r(&seed) % 40000);
		kill(child, SIGKILL);
		ASSERT_EQ(waitpid(child, &status, 0), child);
	}
	knob("delay_us", 0);
	EXPECT_TRUE(objects_settle(&before));
}

TEST_HARNESS_MAIN
