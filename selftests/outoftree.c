// SPDX-License-Identifier: MIT
/*
 * A device driver that was built out of the tree (Documentation/samples/driver), and what
 * the core does with one that was compiled for another version of the driver API.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "support.h"

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

FIXTURE(outoftree) {
	struct objects before;
};

FIXTURE_SETUP(outoftree)
{
	struct utsname kernel;
	char path[256];

	uname(&kernel);
	snprintf(path, sizeof(path), "/sluice/%s/card.ko", kernel.release);
	if (access(path, F_OK))
		SKIP(return, "the sample driver was not built for this kernel");
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
	ASSERT_EQ(sluice_get_info(device, &info), 0);
	EXPECT_STREQ(info.driver, "card");
	queue = sluice_queue(device, 0);
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
	queue = sluice_queue(device, 0);
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

TEST_HARNESS_MAIN
