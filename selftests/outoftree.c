// SPDX-License-Identifier: MIT
/*
 * Device drivers that were built out of the tree (Documentation/samples/driver): they drive their
 * devices, and the core refuses one that was compiled for another version of the driver API.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "harness.h"
#include "jobs.h"
#include "modules.h"
#include "objects.h"
#include "pattern.h"
#include "peers.h"
#include "sluice.h"
#include "sound.h"

#define SIZE	65536UL

#define SYSLOG_ACTION_READ_ALL	3
#define LOG_SIZE		(1 << 20)

static int unload(const char *name)
{
	return syscall(SYS_delete_module, name, O_NONBLOCK) ? -errno : 0;
}

static int open_card(void)
{
	int tries, device;

	for (tries = 0; tries < 1000; tries++) {
		device = sluice_open("card0");
		if (device >= 0)
			return device;
		usleep(10000);
	}
	return device;
}

static int times_in_log(const char *text)
{
	char *log = calloc(1, LOG_SIZE + 1), *at;
	int times = 0;

	if (log && klogctl(SYSLOG_ACTION_READ_ALL, log, LOG_SIZE) > 0)
		for (at = log; (at = strstr(at, text)); at++)
			times++;
	free(log);
	return times;
}

/* The reason why a sample cannot be tried, or NULL. */
static const char *not_built(const char *name)
{
	char path[256];

	return module_path(name, path, sizeof(path)) ? NULL :
	       "the sample driver was not built for this kernel";
}

FIXTURE(outoftree) {
	struct objects before;
};

FIXTURE_SETUP(outoftree)
{
	if (not_built("card"))
		SKIP(return, "%s", not_built("card"));
	self->before = objects_before();
}

FIXTURE_TEARDOWN(outoftree)
{
	EXPECT_TRUE(module_unload("card"));
	EXPECT_TRUE(objects_settle(&self->before));
}

TEST_F(outoftree, driver_is_named_after_its_module_and_gets_ops)
{
	struct sluice_info info = {};
	struct sluice_op op;
	int device, queue, buffer, slot;

	ASSERT_EQ(module_load("card"), 0);
	device = open_card();
	ASSERT_GE(device, 0);
	ASSERT_EQ(sluice_device_info(device, &info), 0);
	EXPECT_STREQ(info.driver, "card");
	queue = sluice_queue_create(device, 0);
	ASSERT_GE(queue, 0);
	buffer = sluice_alloc(device, 0, SIZE, 0);
	ASSERT_GE(buffer, 0);
	slot = sluice_attach(queue, buffer, 0);
	ASSERT_GE(slot, 0);
	sluice_op_fill(&op, slot, 0, SIZE, 0x5eed5eed);
	EXPECT_EQ(run_op(queue, &op), 0);
	EXPECT_EQ(check_value(buffer, SIZE, 0x5eed5eed), 0);
	close(buffer);
	close(queue);
	close(device);
}

TEST_F(outoftree, module_that_names_no_owner_stays_while_its_node_or_a_queue_is_open)
{
	int device, queue;

	ASSERT_EQ(module_load("card"), 0);
	device = open_card();
	ASSERT_GE(device, 0);
	EXPECT_EQ(unload("card"), -EWOULDBLOCK);
	queue = sluice_queue_create(device, 0);
	ASSERT_GE(queue, 0);
	close(device);
	EXPECT_EQ(unload("card"), -EWOULDBLOCK);
	close(queue);
	EXPECT_TRUE(module_unload("card"));
}

TEST_F(outoftree, driver_compiled_for_another_api_is_ENOEXEC_and_told_what_to_do)
{
	const char *advice = "sluice_outdated was compiled for version 0 of the driver API";
	int before = times_in_log(advice);

	EXPECT_EQ(module_load("sluice-outdated"), -ENOEXEC);
	EXPECT_EQ(times_in_log(advice), before + 1);
	EXPECT_EQ(access("/sys/module/sluice_outdated", F_OK), -1);
	EXPECT_EQ(access("/sys/devices/platform/sluice_outdated", F_OK), -1);
}

/*
 * Load a sample driver as if its source lacked the line that imports the namespace.  Returns 0 or
 * -errno; -ENODATA if the file does not import the namespace exactly once.
 */
static int load_without_namespace(const char *name)
{
	static const char import[] = "import_ns=SLUICE";
	struct utsname kernel;
	char path[256], *image = NULL, *at = NULL;
	int fd, ret = -ENODATA;
	struct stat status;

	uname(&kernel);
	snprintf(path, sizeof(path), "/sluice/%s/%s.ko", kernel.release, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (!fstat(fd, &status))
		image = malloc(status.st_size);
	if (image && read(fd, image, status.st_size) == status.st_size)
		at = memmem(image, status.st_size, import, sizeof(import));
	if (at && !memmem(at + 1, image + status.st_size - at - 1, import, sizeof(import))) {
		/* another tag, which the kernel does not know */
		memcpy(at, "imported_", 9);
		ret = syscall(SYS_init_module, image, status.st_size, "") ? -errno : 0;
	}
	free(image);
	close(fd);
	return ret;
}

TEST_F(outoftree, driver_that_does_not_import_the_namespace_is_EINVAL_and_told_why)
{
	const char *reason = "from namespace SLUICE, but does not import it";
	int before = times_in_log(reason);

	EXPECT_EQ(load_without_namespace("card"), -EINVAL);
	EXPECT_GT(times_in_log(reason), before);
	EXPECT_EQ(access("/sys/module/card", F_OK), -1);
}

/* QEMU's edu, whose buffer has 4092 bytes. */
#define BUFFER 4092UL

FIXTURE(oneshot) {
	struct objects before;
	struct peers peers;
	int device, queue, from, to;
};

FIXTURE_SETUP(oneshot)
{
	self->device = self->queue = self->from = self->to = -1;
	if (not_built("oneshot"))
		SKIP(return, "%s", not_built("oneshot"));
	if (!peers_find(&self->peers))
		SKIP(return, "this machine has no edu below a PCIe bridge");
	/* undo what an aborted test left */
	peers_leave(&self->peers);
	module_unload("oneshot");
	self->before = objects_before();
	ASSERT_EQ(module_load("oneshot"), 0);
	self->device = pci_bind_open(self->peers.edu, "oneshot");
	ASSERT_GE(self->device, 0);
	self->queue = patient_queue(self->device, 0);
	self->from = sluice_alloc(self->device, 0, SIZE, 0);
	self->to = sluice_alloc(self->device, 0, SIZE, 0);
	ASSERT_EQ(sluice_attach(self->queue, self->from, SLUICE_ATTACH_READ), 0);
	ASSERT_EQ(sluice_attach(self->queue, self->to, SLUICE_ATTACH_WRITE), 1);
}

FIXTURE_TEARDOWN(oneshot)
{
	close(self->from);
	close(self->to);
	close(self->queue);
	close(self->device);
	peers_leave(&self->peers);
	EXPECT_TRUE(module_unload("oneshot"));
	EXPECT_TRUE(objects_settle(&self->before));
}

/* Submit a copy of the words of @seed to the card and back. */
static int submit_round_trip(int queue, int from, uint32_t seed)
{
	struct sluice_op ops[2];

	if (fill_words(from, SIZE, seed))
		return -1;
	sluice_op_playback(&ops[0], 0, 0, BUFFER);
	sluice_op_capture(&ops[1], 1, 0, BUFFER);
	return sluice_submit(queue, ops, 2, -1, NULL, seed, NULL);
}

TEST_F(oneshot, data_go_to_the_card_and_come_back)
{
	struct sluice_completion completion;
	uint32_t seed;

	for (seed = 1; seed < 4; seed++) {
		ASSERT_EQ(submit_round_trip(self->queue, self->from, seed), 0);
		ASSERT_EQ(sluice_read(self->queue, &completion, 1), 1);
		EXPECT_EQ(completion.status, 0);
		EXPECT_EQ(completion.bytes, 2 * BUFFER);
		EXPECT_GT(completion.timestamp, 0);
		EXPECT_EQ(check_words(self->to, BUFFER, seed), 0);
	}
}

TEST_F(oneshot, op_that_is_too_long_is_refused)
{
	struct sluice_op op;

	sluice_op_playback(&op, 0, 0, BUFFER + 4);
	EXPECT_EQ(run_op(self->queue, &op), -EINVAL);
}

/* The interrupt of an aborted transfer comes late, and must not end the next op. */
TEST_F(oneshot, op_after_a_cancelled_one_is_whole)
{
	struct sluice_completion completion;
	uint32_t seed;

	for (seed = 1; seed < 8; seed++) {
		ASSERT_EQ(submit_round_trip(self->queue, self->from, 100 + seed), 0);
		usleep(seed * 15000);
		ASSERT_GE(sluice_cancel(self->queue, 2 * seed - 1, 2 * seed - 1), 0);
		ASSERT_EQ(sluice_read(self->queue, &completion, 1), 1);
		EXPECT_TRUE(!completion.status || completion.status == -ECANCELED);
		ASSERT_EQ(submit_round_trip(self->queue, self->from, seed), 0);
		ASSERT_EQ(sluice_read(self->queue, &completion, 1), 1);
		EXPECT_EQ(completion.status, 0);
		EXPECT_EQ(completion.bytes, 2 * BUFFER);
		EXPECT_EQ(check_words(self->to, BUFFER, seed), 0);
	}
}

/* Sound: 85 ms. */
#define PIECE 16384UL
#define PIECES 16
#define LONG (2 * 163840UL)

FIXTURE(streaming) {
	struct objects before;
	char address[64];
	int device, player, buffer;
};

FIXTURE_SETUP(streaming)
{
	self->device = self->player = self->buffer = -1;
	if (not_built("streaming"))
		SKIP(return, "%s", not_built("streaming"));
	if (!pci_address("ac970", self->address)) {
		/* an aborted test may have left the module loaded */
		module_unload("streaming");
		SKIP(return, "this machine has no /dev/sluice/ac970");
	}
	self->before = objects_before();
	ASSERT_EQ(module_load("streaming"), 0);
	ASSERT_EQ(pci_unbind(self->address), 0);
	self->device = pci_bind_open(self->address, "streaming");
	ASSERT_GE(self->device, 0);
	self->player = patient_queue(self->device, 0);
	ASSERT_GE(self->player, 0);
}

FIXTURE_TEARDOWN(streaming)
{
	close(self->buffer);
	close(self->player);
	close(self->device);
	pci_unbind(self->address);
	EXPECT_TRUE(module_unload("streaming"));
	self->device = pci_bind_open(self->address, "sluice-ac97");
	EXPECT_GE(self->device, 0);
	close(self->device);
	EXPECT_TRUE(objects_settle(&self->before));
}

/* The completions report all gaps, and no others: the host compares the sound. */
TEST_F(streaming, frames_are_played_in_order)
{
	struct sluice_completion played[PIECES];
	struct sluice_op op;
	int gaps, i;

	self->buffer = alloc_sound(self->device, 0, PIECES * PIECE, TONE(7));
	ASSERT_EQ(sluice_attach(self->player, self->buffer, SLUICE_ATTACH_READ), 0);
	for (i = 0; i < PIECES; i++) {
		sluice_op_playback(&op, 0, i * PIECE, PIECE);
		ASSERT_EQ(sluice_submit(self->player, &op, 1, -1, NULL, i, NULL), 0);
	}
	ASSERT_EQ(read_all(self->player, played, PIECES), PIECES);
	for (i = 0; i < PIECES; i++)
		EXPECT_EQ(played[i].user_data, i);
	gaps = check_account(_metadata, played, PIECES, PIECE);
	tell_sound(7, PIECES * PIECE / 4, 0, gaps);
}

/* All frames of a job are in the ring at once, so there is no gap, even if the driver is late. */
TEST_F(streaming, frames_of_a_job_are_played_without_a_gap)
{
	struct sluice_completion played;
	struct sluice_op ops[2];
	int i;

	self->buffer = alloc_sound(self->device, sluice_find_heap(self->device, "contiguous"), LONG,
				   TONE(8));
	ASSERT_EQ(sluice_attach(self->player, self->buffer, SLUICE_ATTACH_READ), 0);
	for (i = 0; i < 2; i++)
		sluice_op_playback(&ops[i], 0, i * LONG / 2, LONG / 2);
	ASSERT_EQ(sluice_submit(self->player, ops, 2, -1, NULL, 0, NULL), 0);
	ASSERT_EQ(sluice_read(self->player, &played, 1), 1);
	EXPECT_EQ(played.status, 0);
	EXPECT_EQ(played.bytes, LONG);
	EXPECT_EQ(played.dropped, 0);
	tell_sound(8, LONG / 4, 0, 0);
}

TEST_F(streaming, cancelled_frames_end_and_the_next_is_played)
{
	struct sluice_completion played[9];
	struct sluice_op op;
	int i;

	self->buffer = alloc_sound(self->device, 0, PIECE, 0);
	ASSERT_EQ(sluice_attach(self->player, self->buffer, SLUICE_ATTACH_READ), 0);
	sluice_op_playback(&op, 0, 0, PIECE);
	for (i = 0; i < 8; i++)
		ASSERT_EQ(sluice_submit(self->player, &op, 1, -1, NULL, i, NULL), 0);
	ASSERT_EQ(read_all(self->player, played, 1), 1);
	ASSERT_GE(sluice_cancel(self->player, 2, UINT64_MAX), 0);
	ASSERT_EQ(read_all(self->player, played + 1, 7), 7);
	for (i = 1; i < 8; i++)
		EXPECT_TRUE(!played[i].status || played[i].status == -ECANCELED);
	EXPECT_EQ(run_op(self->player, &op), 0);
}

TEST_HARNESS_MAIN
