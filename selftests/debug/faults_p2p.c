// SPDX-License-Identifier: MIT
/*
 * As faults.c, for memory in a BAR: calls of programs and of a peer, the driver's probe, and the
 * unbind, which cannot fail.
 */
#include <fcntl.h>
#include <sys/mman.h>

#include "fault_sites.h"
#include "harness.h"
#include "import.h"
#include "machine.h"
#include "objects.h"
#include "peers.h"
#include "sluice.h"

#define SIZE (256UL << 10)
#define PCI_DRIVER "/sys/bus/pci/drivers/sluice-pci"

static struct peers peers;
static int bar, heap, edu, queue, buffer, number, importer, device;
static void *memory;

static int try_alloc(void)
{
	return sluice_alloc(bar, heap, SIZE, 0);
}

static int try_attach(void)
{
	return sluice_attach(queue, buffer, 0);
}

static bool undo_attach(int slot)
{
	return slot < 0 || !sluice_detach(queue, slot);
}

static int try_buffer_info(void)
{
	struct sluice_buffer_info info;
	int ret = sluice_buffer_info(edu, buffer, &info);

	return ret ? ret : info.error;
}

static bool prepare_slot(void)
{
	number = sluice_attach(queue, buffer, 0);
	return number >= 0;
}

static int try_submit(void)
{
	struct sluice_op op;
	int fence, ret;

	sluice_op_fill(&op, number, 0, 4096, 1);
	ret = sluice_submit(queue, &op, 1, -1, &fence, 0, NULL);
	return ret ? ret : fence;
}

static bool undo_submit(int fence)
{
	struct sluice_completion completion;
	bool fine = fence < 0 || (!sluice_fence_wait(fence, 10000) &&
				  sluice_read(queue, &completion, 1) == 1);

	return undo_close(fence) && !sluice_detach(queue, number) && fine;
}

static int try_sync(void)
{
	int ret = sluice_cpu_begin(buffer, true);

	return ret ? ret : sluice_cpu_end(buffer, true);
}

static int try_mmap(void)
{
	volatile uint32_t *words;
	size_t i;
	int ret = sluice_map(buffer, SIZE, &memory);

	words = memory;
	for (i = 0; !ret && i < SIZE / 4; i += 1024)
		words[i] = i;
	return ret;
}

static bool undo_mmap(int result)
{
	uint32_t *words = memory;

	return result < 0 || (words[1024] == 1024 && !munmap(memory, SIZE));
}

static const struct call calls[] = {
	CALL("ALLOC in a BAR", NULL, try_alloc, undo_close),
	CALL("ATTACH of a BAR", NULL, try_attach, undo_attach),
	CALL("BUFFER_INFO of a BAR", NULL, try_buffer_info, undo_nothing),
	CALL("SUBMIT into a BAR", prepare_slot, try_submit, undo_submit, .slow = true),
	CALL("SYNC of a BAR", NULL, try_sync, undo_nothing),
	CALL("mmap of a BAR, and touch", NULL, try_mmap, undo_mmap),
};

/* The unbind, with a slot and a mapping: a process cannot be told of a failure. */

static bool prepare_end(void)
{
	bar = peers_open_bar(&peers);
	buffer = sluice_alloc(bar, heap, SIZE, 0);
	return prepare_slot() && !sluice_map(buffer, SIZE, &memory) && !sigbus_at(memory);
}

static int try_unbind(void)
{
	return write_text(PCI_DRIVER "/unbind", peers.bar);
}

static bool undo_unbind(int result)
{
	/* if the write to sysfs failed, nothing has ended */
	bool fine = result >= 0 || (!sigbus_at(memory) && !try_unbind());

	fine &= sigbus_at(memory) && try_attach() == -ENODEV;
	munmap(memory, SIZE);
	sluice_detach(queue, number);
	close(buffer);
	close(bar);
	return fine;
}

static const struct call unbind_call =
	CALL("unbind of a BAR in use", prepare_end, try_unbind, undo_unbind, .slow = true);

static bool prepare_probe(void)
{
	return !try_unbind();
}

/* The kernel's PCI code may return other errors if there is no memory. */
static int try_probe(void)
{
	return write_text(PCI_DRIVER "/bind", peers.bar) ? -ENOMEM : 0;
}

static bool undo_probe(int result)
{
	if (result < 0)
		return !try_probe() && !access("/dev/sluice/pci0", F_OK);
	/* device_add() ignores a failure to make the node: bind again */
	return !access("/dev/sluice/pci0", F_OK) ||
	       (!try_unbind() && !try_probe() && !access("/dev/sluice/pci0", F_OK));
}

static const struct call probe_call =
	CALL("probe of pci", prepare_probe, try_probe, undo_probe, .slow = true);

/* A foreign importer, whose device has short segments. */

static int try_import(void)
{
	return import_attach(importer, device, buffer, IMPORTER_DYNAMIC | IMPORTER_PEER);
}

static bool undo_import(int attachment)
{
	return attachment < 0 || !import_detach(importer, attachment);
}

static bool prepare_map(void)
{
	number = try_import();
	return number >= 0;
}

static int try_map(void)
{
	struct importer_map table;
	int mapping = import_map(importer, number, BIDIRECTIONAL, &table);

	/* the importer has mapped it, but its caller does not have the number */
	if (mapping == -EFAULT)
		import_unmap(importer, 0);
	return mapping;
}

static bool undo_map(int mapping)
{
	bool fine = mapping < 0 || !import_unmap(importer, mapping);

	return undo_import(number) && fine;
}

static bool prepare_unmap(void)
{
	return prepare_map() && !try_map();
}

static int try_unmap(void)
{
	int ret = import_unmap(importer, 0);

	return ret ? ret : import_detach(importer, number);
}

static const struct call import_calls[] = {
	CALL("attach of a foreign importer to a BAR", NULL, try_import, undo_import),
	CALL("map of a BAR in many pieces", prepare_map, try_map, undo_map),
	CALL("unmap of a BAR in many pieces, and detach", prepare_unmap, try_unmap, undo_nothing,
	     .may_be_sure = true),
};

FIXTURE(p2p) {
	struct objects before;
};

FIXTURE_SETUP(p2p)
{
	self->before = objects_before();
	bar = edu = queue = buffer = -1;
	if (access("/proc/self/fail-nth", F_OK))
		SKIP(return, "no fault injection (/proc/self/fail-nth) in this kernel");
	if (!peers_find(&peers))
		SKIP(return, "this machine has no ivshmem and edu below a PCIe bridge");
	ASSERT_TRUE(fault_sites_on());
	/* enabled by the test, too: otherwise there are thousands of places in ACPI */
	ASSERT_EQ(pci_attribute(peers.bar, "enable", "1"), 0);
	bar = peers_open_bar(&peers);
	ASSERT_GE(bar, 0);
	heap = sluice_find_heap(bar, "bar2");
	ASSERT_GE(heap, 0);
	edu = peers_open_edu(&peers);
	ASSERT_GE(edu, 0);
	queue = sluice_queue_create(edu, 0);
	ASSERT_GE(queue, 0);
	buffer = sluice_alloc(bar, heap, SIZE, 0);
	ASSERT_GE(buffer, 0);
}

FIXTURE_TEARDOWN(p2p)
{
	fault_sites_off();
	close(buffer);
	close(queue);
	close(edu);
	close(bar);
	peers_leave(&peers);
	pci_attribute(peers.bar, "enable", "0");
	EXPECT_TRUE(objects_settle(&self->before));
}

TEST_F_TIMEOUT(p2p, calls_on_a_BAR_fail_cleanly, 300)
{
	unsigned int i;

	for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		EXPECT_TRUE(fault_sites_each(&calls[i]));
}

TEST_F_TIMEOUT(p2p, a_foreign_importer_fails_cleanly, 300)
{
	unsigned int i;

	if (!import_load())
		SKIP(return, "no sluice-importer.ko for this kernel");
	close(queue);
	close(edu);
	queue = edu = -1;
	ASSERT_EQ(pci_unbind(peers.edu), 0);
	importer = import_open();
	ASSERT_GE(importer, 0);
	/* more entries than fit on a page, so that their table has several parts */
	device = import_pci(importer, peers.edu, 64, 512, NO_BOUNDARY);
	ASSERT_GE(device, 0);
	for (i = 0; i < sizeof(import_calls) / sizeof(import_calls[0]); i++)
		EXPECT_TRUE(fault_sites_each(&import_calls[i]));
	close(importer);
}

TEST_F_TIMEOUT(p2p, an_unbind_takes_the_memory_whatever_fails, 600)
{
	close(buffer);
	close(bar);
	buffer = bar = -1;
	ASSERT_EQ(try_unbind(), 0);
	EXPECT_TRUE(fault_sites_each(&unbind_call));
	bar = buffer = -1;
}

TEST_F_TIMEOUT(p2p, a_probe_of_pci_fails_cleanly, 600)
{
	close(buffer);
	close(bar);
	buffer = bar = -1;
	EXPECT_TRUE(fault_sites_each(&probe_call));
}

FIXTURE(visited) {
};

FIXTURE_SETUP(visited)
{
	if (access("/proc/self/fail-nth", F_OK))
		SKIP(return, "no fault injection (/proc/self/fail-nth) in this kernel");
	if (!peers_find(&peers))
		SKIP(return, "this machine has no ivshmem and edu below a PCIe bridge");
}

FIXTURE_TEARDOWN(visited)
{
}

/* the last test checks the results of those before it */
TEST_F(visited, places_are_as_many_as_there_should_be)
{
	EXPECT_GT(fault_sites_sum(), 250);
}

TEST_HARNESS_MAIN
