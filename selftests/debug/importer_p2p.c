// SPDX-License-Identifier: MIT
/*
 * As importer.c, for memory in a BAR: a PCI device with given DMA limits, and an importer that can
 * honour revocation.  The importer is foreign: it has no queue of Sluice, and the core does not
 * know its ops.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "harness.h"
#include "import.h"
#include "machine.h"
#include "objects.h"
#include "pattern.h"
#include "peers.h"
#include "sluice.h"

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

/* A BAR is contiguous: only the limits of the device cut it. */
TEST_F_TIMEOUT(importer_p2p, gets_segments_within_its_limits, SECONDS)
{
	static const unsigned int max_segs[] = { 512, 4095, 4096, 12288, 65536, UINT32_MAX };
	static const uint64_t boundaries[] = { 2047, 4095, 8191, 65535, 0xffffffff, NO_BOUNDARY };
	int before = sluice_alloc(self->bar, self->heap, 4096, 0), odd;
	struct importer_map table;
	unsigned int i, j;

	/* an address that is aligned to the smallest boundary only */
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
	/* no more segments than necessary */
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

/* The mask may have shrunk since the attach, so it is checked again at the mapping. */
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

TEST_F_TIMEOUT(importer_p2p, that_is_not_dynamic_or_knows_no_peers_is_refused, SECONDS)
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

TEST_F_TIMEOUT(importer_p2p, maps_a_read_only_buffer_into_processes_for_reading_alone, SECONDS)
{
	struct sluice_alloc alloc = {
		.size = SIZE, .heap = self->heap, .fd_flags = SLUICE_FD_RDONLY,
	};
	int device = import_pci(self->importer, self->peers.edu, 64, 65536, NO_BOUNDARY);
	int attachment;
	char *memory;

	ASSERT_EQ(ioctl(self->bar, SLUICE_IOCTL_ALLOC, &alloc), 0);
	attachment = import_attach(self->importer, device, alloc.fd, PEER);
	close(alloc.fd);
	ASSERT_GE(attachment, 0);
	EXPECT_EQ(import_mmap(self->importer, attachment, SIZE, PROT_READ | PROT_WRITE),
		  MAP_FAILED);
	EXPECT_EQ(errno, EACCES);
	memory = import_mmap(self->importer, attachment, SIZE, PROT_READ);
	ASSERT_NE(memory, MAP_FAILED);
	EXPECT_EQ(memory[0], 0);
	EXPECT_EQ(mprotect(memory, SIZE, PROT_READ | PROT_WRITE), -1);
	EXPECT_EQ(errno, EACCES);
	munmap(memory, SIZE);
}

/* The state of a process, as ps shows it; 0 if it does not exist. */
static char state_of(pid_t pid)
{
	char path[64], state = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "re");
	if (!file || fscanf(file, "%*d %*s %c", &state) != 1)
		state = 0;
	if (file)
		fclose(file);
	return state;
}

/* A killed process must end, even during a reset of the device. */
static bool leaves_when_killed(pid_t pid)
{
	int tries;

	for (tries = 0; tries < LATE_MS / 10 && state_of(pid) != 'D'; tries++)
		usleep(10000);
	kill(pid, SIGKILL);
	for (tries = 0; tries < LATE_MS / 10; tries++) {
		if (waitpid(pid, NULL, WNOHANG) == pid)
			return true;
		usleep(10000);
	}
	return false;
}

TEST_F_TIMEOUT(importer_p2p, blocked_bar_lets_a_killed_process_leave, SECONDS)
{
	volatile uint32_t *memory;
	bool touched, bracketed;
	pid_t touches, brackets;

	ASSERT_EQ(sluice_map(self->buffer, SIZE, (void **)&memory), 0);
	ASSERT_EQ(import_block(self->importer, self->buffer), 0);
	touches = fork();
	if (!touches)
		_exit(memory[0]);
	brackets = fork();
	if (!brackets)
		_exit(sluice_cpu_begin(self->buffer, false));
	touched = leaves_when_killed(touches);
	bracketed = leaves_when_killed(brackets);
	EXPECT_TRUE(touched);
	EXPECT_TRUE(bracketed);
	ASSERT_EQ(import_unblock(self->importer), 0);
	if (!touched)
		waitpid(touches, NULL, 0);
	if (!bracketed)
		waitpid(brackets, NULL, 0);
	EXPECT_EQ(memory[0], 0);
	munmap((void *)memory, SIZE);
}

static void *touch(void *memory)
{
	return (void *)(long)(*(volatile uint32_t *)memory + 1);
}

/* The fault sleeps without mmap_lock, so another thread may map meanwhile. */
TEST_F_TIMEOUT(importer_p2p, blocked_bar_does_not_hold_up_other_threads, SECONDS)
{
	pid_t child;
	int status;

	ASSERT_EQ(import_block(self->importer, self->buffer), 0);
	child = fork();
	if (!child) {
		pthread_t thread;
		void *memory, *other, *result = NULL;
		int tries;

		if (sluice_map(self->buffer, SIZE, &memory) ||
		    pthread_create(&thread, NULL, touch, memory))
			_exit(1);
		/* give it time to sleep in the fault; if it does not, the test shows nothing */
		for (tries = 0; tries < 100; tries++)
			usleep(10000);
		other = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (other == MAP_FAILED || munmap(other, SIZE))
			_exit(2);
		if (import_unblock(self->importer))
			_exit(3);
		pthread_join(thread, &result);
		_exit(result == (void *)1 ? 0 : 4);
	}
	/* if the process hangs, end the block, so that the test fails */
	for (status = 0; status < LATE_MS / 10; status++) {
		int ended;

		if (waitpid(child, &ended, WNOHANG) == child) {
			EXPECT_EQ(ended, 0);
			return;
		}
		usleep(10000);
	}
	EXPECT_EQ(import_unblock(self->importer), 0);
	waitpid(child, NULL, 0);
	EXPECT_TRUE(false) TH_LOG("a thread waits for another one's fault");
}

TEST_F_TIMEOUT(importer_p2p, unmaps_many_segments_when_the_BARs_driver_is_unbound, SECONDS)
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
	/* the unbind has not waited for an importer until a timeout, which is a minute */
	EXPECT_LT(now_ns() - began, 30000000000LL);
	EXPECT_EQ(import_unmap(self->importer, mapping), -EINVAL);
	EXPECT_EQ(import_map(self->importer, attachment, BIDIRECTIONAL, &table), -ENODEV);
	EXPECT_EQ(import_detach(self->importer, attachment), 0);
}

/* Can an importer tell this kernel that it honours revocation while it has pinned? */
static bool kernel_tells(void)
{
	return !system("grep -qw dma_buf_attach_revocable /proc/kallsyms");
}

TEST_F_TIMEOUT(importer_p2p, that_pins_must_honour_revocation, SECONDS)
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
	/* the pin is refused, or the use of the pinned memory */
	if (pin)
		EXPECT_EQ(pin, -EOPNOTSUPP);
	EXPECT_EQ(import_map(self->importer, attachment, BIDIRECTIONAL, &table), -EOPNOTSUPP);
	if (!pin)
		EXPECT_EQ(import_unpin(self->importer, attachment), 0);
	/* without a pin it may map; then a pin of the mapped memory is refused */
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
