// SPDX-License-Identifier: MIT
/*
 * As importer.c, for memory in a BAR: a PCI device that is told what its DMA can
 * do, in the hands of an importer that can be told to let go.  It is foreign: no
 * queue of ours, and the core knows nothing of its ops.
 */
#include <sys/ioctl.h>

#include "kselftest_harness.h"
#include "lib/import.h"
#include "peers.h"
#include "support.h"

#define SIZE (256UL << 10)
#define PEER (IMPORTER_DYNAMIC | IMPORTER_PEER)
#define SECONDS 120

FIXTURE(importer_p2p) {
	struct objects before;
	struct peers peers;
	int bar, heap, buffer, importer;
};

FIXTURE_SETUP(importer_p2p)
{
	if (!import_load())
		SKIP(return, "no sluice-importer.ko for this kernel");
	self->before = objects_before();
	self->bar = self->buffer = self->importer = -1;
	if (!peers_find(&self->peers))
		SKIP(return, "this machine has no ivshmem and edu below a PCIe bridge");
	self->bar = peers_open_bar(&self->peers);
	ASSERT_GE(self->bar, 0);
	self->heap = sluice_find_heap(self->bar, "bar2");
	ASSERT_GE(self->heap, 0);
	self->buffer = sluice_alloc(self->bar, self->heap, SIZE, 0);
	ASSERT_GE(self->buffer, 0);
	self->importer = import_open();
	ASSERT_GE(self->importer, 0);
}

FIXTURE_TEARDOWN(importer_p2p)
{
	close(self->importer);
	close(self->buffer);
	close(self->bar);
	peers_leave(&self->peers);
	EXPECT_TRUE(objects_settle(&self->before));
}

/* A BAR is one piece of memory: only the device's limits cut it. */
TEST_F_TIMEOUT(importer_p2p, gets_segments_within_its_limits, SECONDS)
{
	static const unsigned int max_segs[] = { 512, 4095, 4096, 12288, 65536, UINT32_MAX };
	static const uint64_t boundaries[] = { 2047, 4095, 8191, 65535, 0xffffffff, NO_BOUNDARY };
	int before = sluice_alloc(self->bar, self->heap, 4096, 0), odd;
	struct importer_map table;
	unsigned int i, j;

	/* a place that no boundary but the smallest likes */
	close(self->buffer);
	odd = sluice_alloc(self->bar, self->heap, 4096, 0);
	self->buffer = sluice_alloc(self->bar, self->heap, SIZE, 0);
	ASSERT_GE(before, 0);
	ASSERT_GE(odd, 0);
	ASSERT_GE(self->buffer, 0);
	ASSERT_EQ(fill_words(self->buffer, SIZE, 3), 0);
	for (i = 0; i < sizeof(max_segs) / sizeof(max_segs[0]); i++) {
		for (j = 0; j < sizeof(boundaries) / sizeof(boundaries[0]); j++) {
			int importer = import_open();
			int device = import_pci(importer, self->peers.edu, 64, max_segs[i],
						boundaries[j]);
			int attachment = import_attach(importer, device, self->buffer, PEER);
			int mapping = import_map(importer, attachment, BIDIRECTIONAL, &table);

			ASSERT_GE(device, 0);
			ASSERT_GE(attachment, 0);
			ASSERT_GE(mapping, 0);
			EXPECT_EQ(table.total, SIZE);
			EXPECT_LE(table.largest, max_segs[i]);
			EXPECT_EQ(table.crossing, 0);
			EXPECT_EQ(table.unreachable, 0);
			EXPECT_EQ(import_differing(importer, mapping, SIZE, 3), 0);
			close(importer);
		}
	}
	/* no more than there must be */
	EXPECT_EQ(table.segments, 1);
	close(before);
	close(odd);
}

TEST_F_TIMEOUT(importer_p2p, that_cannot_reach_the_BAR_is_refused, SECONDS)
{
	int device = import_pci(self->importer, self->peers.edu, 28, 65536, NO_BOUNDARY);

	ASSERT_GE(device, 0);
	EXPECT_EQ(import_attach(self->importer, device, self->buffer, PEER), -EADDRNOTAVAIL);
}

/* The mask is asked for again when it maps: it may have become smaller. */
TEST_F_TIMEOUT(importer_p2p, whose_mask_shrinks_is_refused_when_it_maps, SECONDS)
{
	int device = import_pci(self->importer, self->peers.edu, 64, 4096, NO_BOUNDARY);
	int attachment = import_attach(self->importer, device, self->buffer, PEER);
	struct importer_map table;

	ASSERT_GE(attachment, 0);
	ASSERT_GE(import_pci(self->importer, self->peers.edu, 28, 4096, NO_BOUNDARY), 0);
	EXPECT_EQ(import_map(self->importer, attachment, TO_DEVICE, &table), -EADDRNOTAVAIL);
	ASSERT_GE(import_pci(self->importer, self->peers.edu, 64, 4096, NO_BOUNDARY), 0);
	EXPECT_GE(import_map(self->importer, attachment, TO_DEVICE, &table), 0);
	EXPECT_EQ(table.segments, SIZE / 4096);
}

TEST_F_TIMEOUT(importer_p2p, that_cannot_be_told_or_knows_no_peers_is_refused, SECONDS)
{
	int device = import_pci(self->importer, self->peers.edu, 64, 65536, NO_BOUNDARY);

	ASSERT_GE(device, 0);
	EXPECT_EQ(import_attach(self->importer, device, self->buffer, 0), -EOPNOTSUPP);
	EXPECT_EQ(import_attach(self->importer, device, self->buffer, IMPORTER_DYNAMIC),
		  -EOPNOTSUPP);
	device = import_device(self->importer, 64, 65536, NO_BOUNDARY);
	EXPECT_EQ(import_attach(self->importer, device, self->buffer, PEER), -EADDRNOTAVAIL);
}

TEST_F_TIMEOUT(importer_p2p, that_only_writes_is_refused_a_read_only_buffer, SECONDS)
{
	struct sluice_alloc alloc = {
		.size = SIZE, .heap = self->heap, .fd_flags = SLUICE_FD_RDONLY,
	};
	int device = import_pci(self->importer, self->peers.edu, 64, 65536, NO_BOUNDARY);
	struct importer_map table;
	int attachment;

	ASSERT_EQ(ioctl(self->bar, SLUICE_IOCTL_ALLOC, &alloc), 0);
	attachment = import_attach(self->importer, device, alloc.fd, PEER);
	close(alloc.fd);
	ASSERT_GE(attachment, 0);
	EXPECT_EQ(import_map(self->importer, attachment, FROM_DEVICE, &table), -EACCES);
	EXPECT_GE(import_map(self->importer, attachment, TO_DEVICE, &table), 0);
}

TEST_F_TIMEOUT(importer_p2p, lets_go_of_many_pieces_when_the_BARs_driver_goes, SECONDS)
{
	int device = import_pci(self->importer, self->peers.edu, 64, 4096, NO_BOUNDARY);
	int attachment = import_attach(self->importer, device, self->buffer, PEER), mapping;
	struct importer_map table;
	int64_t began;

	mapping = import_map(self->importer, attachment, BIDIRECTIONAL, &table);
	ASSERT_GE(mapping, 0);
	EXPECT_EQ(table.segments, SIZE / 4096);
	began = now_ns();
	ASSERT_EQ(pci_unbind(self->peers.bar), 0);
	/* nobody was waited for in vain: that would have been a minute */
	EXPECT_LT(now_ns() - began, 30000000000LL);
	EXPECT_EQ(import_unmap(self->importer, mapping), -EINVAL);
	EXPECT_EQ(import_map(self->importer, attachment, BIDIRECTIONAL, &table), -ENODEV);
	EXPECT_EQ(import_detach(self->importer, attachment), 0);
}

/* Does the kernel tell importers that let go of what they have pinned from others? */
static bool kernel_tells(void)
{
	return !system("grep -qw dma_buf_attach_revocable /proc/kallsyms");
}

TEST_F_TIMEOUT(importer_p2p, that_pins_must_be_known_to_let_go, SECONDS)
{
	int device = import_pci(self->importer, self->peers.edu, 64, 4096, NO_BOUNDARY);
	int attachment = import_attach(self->importer, device, self->buffer, PEER), mapping, pin;
	struct importer_map table;

	ASSERT_GE(attachment, 0);
	pin = import_pin(self->importer, attachment);
	if (kernel_tells()) {
		int64_t began = now_ns();

		ASSERT_EQ(pin, 0);
		mapping = import_map(self->importer, attachment, BIDIRECTIONAL, &table);
		ASSERT_GE(mapping, 0);
		/* pinned or not */
		ASSERT_EQ(pci_unbind(self->peers.bar), 0);
		EXPECT_LT(now_ns() - began, 30000000000LL);
		EXPECT_EQ(import_unmap(self->importer, mapping), -EINVAL);
		EXPECT_EQ(import_unpin(self->importer, attachment), 0);
		EXPECT_EQ(import_pin(self->importer, attachment), -ENODEV);
		return;
	}
	/* refused at once, or when it wants to use what it has pinned */
	if (pin)
		EXPECT_EQ(pin, -EOPNOTSUPP);
	EXPECT_EQ(import_map(self->importer, attachment, BIDIRECTIONAL, &table), -EOPNOTSUPP);
	if (!pin)
		EXPECT_EQ(import_unpin(self->importer, attachment), 0);
	/* without, it may; and then may not pin what it has */
	mapping = import_map(self->importer, attachment, BIDIRECTIONAL, &table);
	ASSERT_GE(mapping, 0);
	EXPECT_EQ(import_pin(self->importer, attachment), -EOPNOTSUPP);
	EXPECT_EQ(import_unmap(self->importer, mapping), 0);
	mapping = import_map(self->importer, attachment, TO_DEVICE, &table);
	EXPECT_GE(mapping, 0);
	ASSERT_EQ(pci_unbind(self->peers.bar), 0);
	EXPECT_EQ(import_unmap(self->importer, mapping), -EINVAL);
}

TEST_HARNESS_MAIN
