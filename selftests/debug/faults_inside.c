// SPDX-License-Identifier: MIT
/*
 * As faults.c, for calls that no program makes itself: calls of an importer in the kernel
 * (selftests/kernel/importer.c), and the probe of a driver.
 */
#include <fcntl.h>
#include <sys/ioctl.h>

#include "fault_sites.h"
#include "harness.h"
#include "import.h"
#include "machine.h"
#include "modules.h"
#include "objects.h"
#include "sluice.h"

#define SIZE (256UL << 10)

static int buffer, importer, importer_device, number;

static int try_importer_attach(void)
{
	struct importer_attach args = { .fd = buffer, .device = importer_device };

	return answer(importer, IMPORTER_ATTACH, &args);
}

static bool undo_importer_attach(int attachment)
{
	return attachment < 0 || !answer(importer, IMPORTER_DETACH, (void *)(long)attachment);
}

static bool prepare_map(void)
{
	number = try_importer_attach();
	return number >= 0;
}

static int try_map(void)
{
	struct importer_map args = { .attachment = number, .dir = 0 };
	int mapping = answer(importer, IMPORTER_MAP, &args);

	/* the importer has mapped it, but its caller does not have the number */
	if (mapping == -EFAULT)
		answer(importer, IMPORTER_UNMAP, NULL);
	return mapping;
}

static bool undo_map(int mapping)
{
	bool fine = mapping < 0 || !answer(importer, IMPORTER_UNMAP, (void *)(long)mapping);

	return undo_importer_attach(number) && fine;
}

static int try_vmap(void)
{
	struct importer_cpu args = { .fd = buffer, .what = IMPORTER_VMAP };

	return answer(importer, IMPORTER_CPU, &args);
}

static int try_kernel_access(void)
{
	struct importer_cpu args = { .fd = buffer, .what = IMPORTER_BEGIN };
	int ret = answer(importer, IMPORTER_CPU, &args);

	args.what = IMPORTER_END;
	return ret ? ret : answer(importer, IMPORTER_CPU, &args);
}

static bool prepare_unmap(void)
{
	return prepare_map() && !try_map();
}

static int try_unmap(void)
{
	int ret = answer(importer, IMPORTER_UNMAP, NULL);

	return ret ? ret : answer(importer, IMPORTER_DETACH, (void *)(long)number);
}

static const struct call calls[] = {
	CALL("importer: attach", NULL, try_importer_attach, undo_importer_attach),
	CALL("importer: map", prepare_map, try_map, undo_map),
	CALL("importer: unmap and detach", prepare_unmap, try_unmap, undo_nothing,
	     .may_be_sure = true),
	CALL("importer: vmap", NULL, try_vmap, undo_nothing),
	CALL("importer: CPU access", NULL, try_kernel_access, undo_nothing),
};

/* The probe of a driver. */

#define SOFT_DRIVER "/sys/bus/platform/drivers/sluice-soft"
#define EDU_DRIVER "/sys/bus/pci/drivers/sluice-edu"
#define DMA_DRIVER "/sys/bus/platform/drivers/sluice-dmaengine"

/* bus address, such as 0000:00:03.0 */
static char edu_name[32];

static bool bound(const char *node, int (*bind)(void), bool (*unbind)(void), int result)
{
	if (result < 0)
		return !bind() && !access(node, F_OK);
	/* device_add() ignores a failure to make the node: bind again */
	return !access(node, F_OK) || (unbind() && !bind() && !access(node, F_OK));
}

static bool unbind_soft(void)
{
	return !write_text(SOFT_DRIVER "/unbind", "sluice-soft");
}

static int bind_soft(void)
{
	return write_text(SOFT_DRIVER "/bind", "sluice-soft");
}

static bool undo_bind_soft(int result)
{
	return bound("/dev/sluice/soft0", bind_soft, unbind_soft, result);
}

static bool unbind_edu(void)
{
	return !write_text(EDU_DRIVER "/unbind", edu_name);
}

static int bind_edu(void)
{
	return write_text(EDU_DRIVER "/bind", edu_name);
}

/* The kernel's PCI code may also return -EBUSY or -EINVAL if there is no memory. */
static int try_bind_edu(void)
{
	return bind_edu() ? -ENOMEM : 0;
}

static bool undo_bind_edu(int result)
{
	return bound("/dev/sluice/edu0", bind_edu, unbind_edu, result);
}

static bool unbind_dma(void)
{
	return !write_text(DMA_DRIVER "/unbind", "sluice-dmaengine");
}

static int bind_dma(void)
{
	return write_text(DMA_DRIVER "/bind", "sluice-dmaengine");
}

/* The errno does not tell why there is no channel, or no link between devices. */
static int try_bind_dma(void)
{
	return bind_dma() ? -ENOMEM : 0;
}

static bool undo_bind_dma(int result)
{
	return bound("/dev/sluice/dmaengine0", bind_dma, unbind_dma, result);
}

static const struct call bind_soft_call =
	CALL("probe of soft", unbind_soft, bind_soft, undo_bind_soft, .slow = true);

static const struct call bind_edu_call =
	CALL("probe of edu", unbind_edu, try_bind_edu, undo_bind_edu, .slow = true);

static const struct call bind_dma_call =
	CALL("probe of dmaengine", unbind_dma, try_bind_dma, undo_bind_dma, .slow = true);

FIXTURE(inside) {
	struct objects before;
};

FIXTURE_SETUP(inside)
{
	self->before = objects_before();
	if (access("/proc/self/fail-nth", F_OK))
		SKIP(return, "no fault injection (/proc/self/fail-nth) in this kernel");
	ASSERT_TRUE(fault_sites_on());
}

FIXTURE_TEARDOWN(inside)
{
	fault_sites_off();
	EXPECT_TRUE(objects_settle(&self->before));
}

TEST_F_TIMEOUT(inside, calls_of_an_importer_fail_cleanly, 120)
{
	/* segments so small that the table is built of several allocations */
	struct importer_device args = { .dma_bits = 64, .max_seg = 1024, .boundary = ~0ULL };
	int device = sluice_open("soft0");
	unsigned int i;

	buffer = sluice_alloc(device, 0, SIZE, 0);
	ASSERT_GE(buffer, 0);
	ASSERT_TRUE(import_load());
	importer = open("/dev/sluice-importer", O_RDWR | O_CLOEXEC);
	ASSERT_GE(importer, 0);
	importer_device = answer(importer, IMPORTER_DEVICE, &args);
	ASSERT_GE(importer_device, 0);
	for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		EXPECT_TRUE(fault_sites_each(&calls[i]));
	close(importer);
	close(buffer);
	close(device);
	EXPECT_EQ(system("rmmod sluice-importer"), 0);
}

TEST_F_TIMEOUT(inside, a_probe_of_soft_fails_cleanly, 600)
{
	EXPECT_TRUE(fault_sites_each(&bind_soft_call));
}

TEST_F_TIMEOUT(inside, a_probe_of_edu_fails_cleanly, 600)
{
	FILE *pipe = popen("cd " EDU_DRIVER " && ls -d 0000:*", "r");
	char enable[96];

	ASSERT_EQ(fscanf(pipe, "%31s", edu_name), 1);
	pclose(pipe);
	/* enabled by the test, too: otherwise there are thousands of places in ACPI */
	snprintf(enable, sizeof(enable), "/sys/bus/pci/devices/%s/enable", edu_name);
	ASSERT_TRUE(unbind_edu());
	ASSERT_EQ(write_text(enable, "1"), 0);
	ASSERT_EQ(bind_edu(), 0);
	EXPECT_TRUE(fault_sites_each(&bind_edu_call));
	ASSERT_TRUE(unbind_edu());
	EXPECT_EQ(write_text(enable, "0"), 0);
	EXPECT_EQ(bind_edu(), 0);
}

TEST_F_TIMEOUT(inside, a_probe_of_dmaengine_fails_cleanly, 600)
{
	if (module_load("sluice-fake-dmac") == -ENOENT)
		SKIP(return, "no dmaengine in this kernel");
	ASSERT_EQ(module_load("sluice-dmaengine"), 0);
	/* count again, because the fixture has counted without the module's first device */
	self->before = objects_before();
	EXPECT_TRUE(fault_sites_each(&bind_dma_call));
	EXPECT_EQ(system("rmmod sluice-dmaengine && rmmod sluice-fake-dmac"), 0);
	self->before.count[0]--;
}

FIXTURE(visited) {
};

FIXTURE_SETUP(visited)
{
	if (access("/proc/self/fail-nth", F_OK))
		SKIP(return, "no fault injection (/proc/self/fail-nth) in this kernel");
}

FIXTURE_TEARDOWN(visited)
{
}

/* the last test checks the results of those before it */
TEST_F(visited, places_are_as_many_as_there_should_be)
{
	EXPECT_GT(fault_sites_sum(), 200);
}

TEST_HARNESS_MAIN
