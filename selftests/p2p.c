// SPDX-License-Identifier: MIT
/*
 * Peer-to-peer: buffers in the BAR of a PCI device, which another device reads and writes without a
 * copy in system memory; and the end of such buffers when the device is removed.
 *
 * The lab has an ivshmem-plain and an edu below one PCIe switch.  The BAR's memory is a file of the
 * host, /out/bar in the guest: this view of the memory does not depend on mappings.
 */
#include <fcntl.h>
#include <linux/udmabuf.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <drm/drm.h>

#include "fences.h"
#include "harness.h"
#include "jobs.h"
#include "machine.h"
#include "objects.h"
#include "pattern.h"
#include "peers.h"
#include "sluice.h"

#define PCI "/sys/bus/pci"
#define SIZE 8192UL
#define BAR_SIZE (4UL << 20)
#define BAR_FILE "/out/bar"
/* edu takes 100 ms for a page, and twice that for a copy: this takes 16 to 32 s */
#define LONG_SIZE (640UL << 10)
/* seconds for a test: debug kernels are slow when they search for PCI devices */
#define SECONDS 120

/* Check the BAR's memory as the host sees it.  -EILSEQ if it does not have this value. */
static int check_file(uint64_t offset, size_t size, uint32_t value)
{
	uint32_t *memory = malloc(size);
	int fd = open(BAR_FILE, O_RDONLY | O_CLOEXEC), ret = 0;
	size_t i;

	if (fd < 0 || pread(fd, memory, size, offset) != (ssize_t)size)
		ret = -EIO;
	for (i = 0; !ret && i < size / 4; i++)
		if (memory[i] != value)
			ret = -EILSEQ;
	close(fd);
	free(memory);
	return ret;
}

/* Fill with the CPU, bracketed. */
static int fill_value(int dmabuf, size_t size, uint32_t value)
{
	uint32_t *memory;
	size_t i;
	int ret = sluice_map(dmabuf, size, (void **)&memory);

	if (ret)
		return ret;
	ret = sluice_cpu_begin(dmabuf, true);
	for (i = 0; !ret && i < size / 4; i++)
		memory[i] = value;
	if (!ret)
		ret = sluice_cpu_end(dmabuf, true);
	munmap(memory, size);
	return ret;
}

FIXTURE(p2p) {
	struct objects before;
	struct peers peers;
	int bar, edu, queue, heap, buffer;
};

FIXTURE_SETUP(p2p)
{
	self->before = objects_before();
	self->bar = self->edu = self->queue = self->buffer = -1;
	if (!peers_find(&self->peers))
		SKIP(return, "this machine has no ivshmem and edu below a PCIe bridge");
	self->bar = peers_open_bar(&self->peers);
	ASSERT_GE(self->bar, 0);
	self->edu = peers_open_edu(&self->peers);
	ASSERT_GE(self->edu, 0);
	self->queue = patient_queue(self->edu, 0);
	ASSERT_GE(self->queue, 0);
	self->heap = sluice_find_heap(self->bar, "bar2");
	ASSERT_GE(self->heap, 0);
	self->buffer = sluice_alloc(self->bar, self->heap, SIZE, 0);
	ASSERT_GE(self->buffer, 0);
}

FIXTURE_TEARDOWN(p2p)
{
	close(self->buffer);
	close(self->queue);
	close(self->bar);
	close(self->edu);
	peers_leave(&self->peers);
	EXPECT_TRUE(objects_settle(&self->before));
}

/* Run one op on the queue, to its end. */
static int run(int queue, const struct sluice_op *op)
{
	uint64_t point;
	int ret = sluice_submit(queue, op, 1, -1, NULL, 0, &point);

	return ret ?: sluice_wait(queue, point, LATE_MS);
}

TEST_F_TIMEOUT(p2p, a_BAR_is_a_heap_besides_those_of_system_memory, SECONDS)
{
	struct sluice_alloc alloc = { .size = BAR_SIZE, .heap = self->heap };
	struct sluice_buffer_info buffer;
	struct sluice_heap_info heap;
	struct sluice_info info;
	int other;

	ASSERT_EQ(sluice_device_info(self->bar, &info), 0);
	EXPECT_STREQ(info.driver, "pci");
	EXPECT_EQ(info.op_kinds, 1ULL << SLUICE_OP_PROGRAM);
	EXPECT_EQ(info.num_heaps, 3);
	EXPECT_EQ(sluice_find_heap(self->bar, "pages"), 0);
	EXPECT_EQ(sluice_find_heap(self->bar, "contiguous"), 1);
	ASSERT_EQ(sluice_heap_info(self->bar, self->heap, &heap), 0);
	EXPECT_EQ(heap.max_size, BAR_SIZE);
	EXPECT_EQ(heap.properties,
		  SLUICE_MEM_WRITE_COMBINED | SLUICE_MEM_CONTIGUOUS | SLUICE_MEM_DEVICE);
	EXPECT_EQ(heap.options, 0);

	EXPECT_EQ(sluice_alloc(self->bar, self->heap, SIZE, SLUICE_MEM_CACHED), -EOPNOTSUPP);
	EXPECT_EQ(sluice_alloc(self->bar, 0, SIZE, SLUICE_MEM_DEVICE), -EOPNOTSUPP);
	EXPECT_EQ(sluice_alloc(self->bar, self->heap, BAR_SIZE + 1, 0), -EFBIG);

	/* the heap is full; freed pieces can be allocated again */
	EXPECT_EQ(xioctl(self->bar, SLUICE_IOCTL_ALLOC, &alloc), -ENOMEM);
	EXPECT_EQ(alloc.hint, SLUICE_HINT_NONE);
	other = sluice_alloc(self->bar, self->heap, BAR_SIZE - SIZE, SLUICE_MEM_DEVICE);
	ASSERT_GE(other, 0);
	EXPECT_EQ(sluice_alloc(self->bar, self->heap, 1, 0), -ENOMEM);
	close(other);
	other = sluice_alloc(self->bar, self->heap, BAR_SIZE / 2 - SIZE, 0);
	ASSERT_GE(other, 0);
	close(self->buffer);
	self->buffer = sluice_alloc(self->bar, self->heap, BAR_SIZE / 2, 0);
	ASSERT_GE(self->buffer, 0);
	alloc = (struct sluice_alloc) { .size = 2 * SIZE, .heap = self->heap };
	EXPECT_EQ(xioctl(self->bar, SLUICE_IOCTL_ALLOC, &alloc), -ENOMEM);
	EXPECT_EQ(alloc.hint, SLUICE_HINT_NONE);
	close(other);
	alloc = (struct sluice_alloc) { .size = BAR_SIZE / 2, .heap = self->heap };
	ASSERT_EQ(xioctl(self->bar, SLUICE_IOCTL_ALLOC, &alloc), 0);
	close(alloc.fd);

	ASSERT_EQ(sluice_buffer_info(self->edu, self->buffer, &buffer), 0);
	EXPECT_EQ(buffer.error, 0);
	EXPECT_EQ(buffer.kind, SLUICE_BUFFER_OURS);
	EXPECT_EQ(buffer.segments, 1);
	EXPECT_EQ(buffer.properties,
		  SLUICE_MEM_WRITE_COMBINED | SLUICE_MEM_CONTIGUOUS | SLUICE_MEM_DEVICE);
}

TEST_F_TIMEOUT(p2p, hint_tells_a_fragmented_BAR_from_a_full_one, SECONDS)
{
	int pieces[4], i;
	struct sluice_alloc alloc = { .size = BAR_SIZE / 2, .heap = self->heap };

	close(self->buffer);
	for (i = 0; i < 4; i++) {
		pieces[i] = sluice_alloc(self->bar, self->heap, BAR_SIZE / 4, 0);
		ASSERT_GE(pieces[i], 0);
	}
	close(pieces[0]);
	close(pieces[2]);
	EXPECT_EQ(xioctl(self->bar, SLUICE_IOCTL_ALLOC, &alloc), -ENOMEM);
	EXPECT_EQ(alloc.hint, SLUICE_HINT_FRAGMENTED);
	close(pieces[1]);
	close(pieces[3]);
	self->buffer = sluice_alloc(self->bar, self->heap, BAR_SIZE / 2, 0);
	EXPECT_GE(self->buffer, 0);
}

TEST_F_TIMEOUT(p2p, memory_is_the_devices_own_and_arrives_zeroed, SECONDS)
{
	ASSERT_EQ(check_value(self->buffer, SIZE, 0), 0);
	ASSERT_EQ(fill_value(self->buffer, SIZE, 0x5eed1234), 0);
	EXPECT_EQ(check_value(self->buffer, SIZE, 0x5eed1234), 0);
	/* the first buffer is at the start of the BAR */
	if (access(BAR_FILE, R_OK) == 0)
		EXPECT_EQ(check_file(0, SIZE, 0x5eed1234), 0);
	close(self->buffer);
	self->buffer = sluice_alloc(self->bar, self->heap, SIZE, 0);
	ASSERT_GE(self->buffer, 0);
	if (access(BAR_FILE, R_OK) == 0)
		EXPECT_EQ(check_file(0, SIZE, 0), 0);
	EXPECT_EQ(check_value(self->buffer, SIZE, 0), 0);
}

/*
 * The CPU's page tables for the kernel's mapping; the mappings of processes are of the same kind.
 */
TEST_F_TIMEOUT(p2p, CPU_mappings_are_write_combined, SECONDS)
{
	char path[128], line[128];
	unsigned long long start = 0, from, to;
	bool combined = false;
	FILE *file;
	int i;

	snprintf(path, sizeof(path), PCI "/devices/%s/resource", self->peers.bar);
	file = fopen(path, "r");
	ASSERT_NE(file, NULL);
	for (i = 0; i < 3; i++)
		ASSERT_NE(fgets(line, sizeof(line), file), NULL);
	fclose(file);
	ASSERT_EQ(sscanf(line, "%llx", &start), 1);

	ASSERT_EQ(fill_value(self->buffer, SIZE, 1), 0);
	file = fopen("/sys/kernel/debug/x86/pat_memtype_list", "r");
	if (!file)
		SKIP(return, "this kernel has no pat_memtype_list");
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "PAT: [mem 0x%llx-0x%llx]", &from, &to) == 2 &&
		    from <= start && to > start)
			combined = strstr(line, "write-combining");
	fclose(file);
	EXPECT_TRUE(combined);
}

TEST_F_TIMEOUT(p2p, a_peer_reads_and_writes_the_BAR, SECONDS)
{
	int second = sluice_alloc(self->bar, self->heap, SIZE, 0);
	int system = sluice_alloc(self->edu, 0, SIZE, 0);
	struct sluice_op op;

	ASSERT_GE(second, 0);
	ASSERT_GE(system, 0);
	ASSERT_EQ(sluice_attach(self->queue, self->buffer, 0), 0);
	ASSERT_EQ(sluice_attach(self->queue, second, 0), 1);
	ASSERT_EQ(sluice_attach(self->queue, system, 0), 2);

	/* into the BAR */
	sluice_op_fill(&op, 0, 0, SIZE, 0xedededed);
	ASSERT_EQ(run(self->queue, &op), 0);
	EXPECT_EQ(check_value(self->buffer, SIZE, 0xedededed), 0);
	if (access(BAR_FILE, R_OK) == 0)
		EXPECT_EQ(check_file(0, SIZE, 0xedededed), 0);
	/* out of the BAR to system memory, after a write by the CPU */
	ASSERT_EQ(fill_words(self->buffer, SIZE, 7), 0);
	sluice_op_copy(&op, 2, 0, 0, 0, SIZE);
	ASSERT_EQ(run(self->queue, &op), 0);
	EXPECT_EQ(check_words(system, SIZE, 7), 0);
	/* from one place of the BAR to another */
	sluice_op_copy(&op, 1, 0, 0, 0, SIZE);
	ASSERT_EQ(run(self->queue, &op), 0);
	EXPECT_EQ(check_words(second, SIZE, 7), 0);
	/* and from system memory */
	ASSERT_EQ(fill_value(system, SIZE, 0xabcdef01), 0);
	sluice_op_copy(&op, 1, 4096, 2, 0, 4096);
	ASSERT_EQ(run(self->queue, &op), 0);
	if (access(BAR_FILE, R_OK) == 0)
		EXPECT_EQ(check_file(SIZE + 4096, 4096, 0xabcdef01), 0);
	close(second);
	close(system);
}

/* Foreign memory, which can move while it is not pinned. */
TEST_F_TIMEOUT(p2p, a_foreign_buffer_and_a_BAR_in_one_job, SECONDS)
{
	int device = open("/dev/udmabuf", O_RDWR | O_CLOEXEC), foreign;
	int memfd = memfd_create("foreign", MFD_ALLOW_SEALING | MFD_CLOEXEC);
	struct udmabuf_create create = { .memfd = memfd, .size = SIZE };
	struct sluice_op op;

	ASSERT_GE(memfd, 0);
	if (device < 0) {
		close(memfd);
		SKIP(return, "this kernel has no udmabuf");
	}
	ASSERT_EQ(ftruncate(memfd, SIZE), 0);
	ASSERT_EQ(fcntl(memfd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
	foreign = ioctl(device, UDMABUF_CREATE, &create);
	ASSERT_GE(foreign, 0);
	ASSERT_EQ(sluice_attach(self->queue, foreign, 0), 0);
	ASSERT_EQ(sluice_attach(self->queue, self->buffer, 0), 1);
	ASSERT_EQ(fill_value(foreign, SIZE, 0xf0f0f0f0), 0);
	sluice_op_copy(&op, 1, 0, 0, 0, SIZE);
	ASSERT_EQ(run(self->queue, &op), 0);
	EXPECT_EQ(check_value(self->buffer, SIZE, 0xf0f0f0f0), 0);
	close(foreign);
	close(memfd);
	close(device);
}

TEST_F_TIMEOUT(p2p, a_device_without_a_route_is_refused_at_attach, SECONDS)
{
	const struct {
		const char *device;
		int error;
	} cases[] = {
		/* on another bus, and with 28 address bits: an IOMMU overcomes both */
		{ "edu0", translated() ? 0 : -EADDRNOTAVAIL },
		{ "soft0", -EOPNOTSUPP },	/* the CPU is no peer */
	};
	struct sluice_buffer_info info;
	struct sluice_op op;
	unsigned int i;

	for (i = 0; i < 2; i++) {
		int device = sluice_open(cases[i].device), queue = patient_queue(device, 0);

		EXPECT_EQ(sluice_attach(queue, self->buffer, 0), cases[i].error);
		ASSERT_EQ(sluice_buffer_info(device, self->buffer, &info), 0);
		EXPECT_EQ(info.error, cases[i].error);
		if (!cases[i].error) {
			sluice_op_fill(&op, 0, 4096, SIZE - 4096, 0x28282828);
			EXPECT_EQ(run(queue, &op), 0);
			EXPECT_EQ(check_file(4096, SIZE - 4096, 0x28282828), 0);
		}
		close(queue);
		close(device);
	}
}

TEST_F_TIMEOUT(p2p, an_importer_that_knows_no_peers_is_refused_at_attach, SECONDS)
{
	struct drm_prime_handle handle = { .fd = self->buffer };
	char name[16] = "";
	int card = -1, i;

	ASSERT_NE(system("modprobe -q vgem"), -1);
	for (i = 0; i < 8 && strcmp(name, "vgem"); i++) {
		struct drm_version version = { .name = name, .name_len = sizeof(name) - 1 };
		char path[32];

		close(card);
		snprintf(path, sizeof(path), "/dev/dri/card%d", i);
		card = open(path, O_RDWR | O_CLOEXEC);
		memset(name, 0, sizeof(name));
		ioctl(card, DRM_IOCTL_VERSION, &version);
	}
	if (strcmp(name, "vgem"))
		SKIP(return, "this kernel has no vgem");
	EXPECT_EQ(xioctl(card, DRM_IOCTL_PRIME_FD_TO_HANDLE, &handle), -EOPNOTSUPP);
	close(card);
}

/* By gdb and /proc/PID/mem, also pages that the process has not touched. */
TEST_F_TIMEOUT(p2p, a_debugger_reads_and_writes_a_mapping, SECONDS)
{
	int memory = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	uint32_t *mine, words[1040], value = 0xdeb09;
	off_t place;

	ASSERT_GE(memory, 0);
	ASSERT_EQ(fill_value(self->buffer, SIZE, 0x77), 0);
	ASSERT_EQ(sluice_map(self->buffer, SIZE, (void **)&mine), 0);
	place = (off_t)(uintptr_t)mine;
	ASSERT_EQ(pread(memory, words, sizeof(words), place + SIZE - sizeof(words)),
		  (ssize_t)sizeof(words));
	EXPECT_EQ(words[0], 0x77);
	EXPECT_EQ(words[1039], 0x77);
	ASSERT_EQ(pwrite(memory, &value, 4, place + 4096), 4);
	EXPECT_EQ(mine[1024], value);
	EXPECT_EQ(mine[1023], 0x77);
	/* the memory is gone, but the mapping is not */
	ASSERT_EQ(pci_unbind(self->peers.bar), 0);
	EXPECT_EQ(pread(memory, words, 4, place), -1);
	EXPECT_EQ(errno, EIO);
	EXPECT_EQ(pwrite(memory, words, 4, place), -1);
	EXPECT_EQ(errno, EIO);
	munmap(mine, SIZE);
	close(memory);
}

TEST_F_TIMEOUT(p2p, unbind_takes_mappings_and_fds_keep_saying_ENODEV, SECONDS)
{
	struct sluice_buffer_info info;
	uint32_t *mine, *late;
	int status, sync[2];
	char byte;
	pid_t child;

	ASSERT_EQ(sluice_map(self->buffer, SIZE, (void **)&mine), 0);
	ASSERT_FALSE(sigbus_at(mine));
	ASSERT_EQ(pipe(sync), 0);
	child = fork();
	ASSERT_GE(child, 0);
	if (!child) {
		volatile uint32_t *inherited = mine;

		inherited[0] = 1;
		if (write(sync[1], "", 1) != 1)
			_exit(1);
		for (;;)
			inherited[0]++;
	}
	ASSERT_EQ(read(sync[0], &byte, 1), 1);
	ASSERT_EQ(pci_unbind(self->peers.bar), 0);
	ASSERT_EQ(waitpid(child, &status, 0), child);
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(WTERMSIG(status), SIGBUS);

	EXPECT_TRUE(sigbus_at(mine));
	EXPECT_TRUE(sigbus_at(mine + SIZE / 4 - 1));
	EXPECT_EQ(sluice_map(self->buffer, SIZE, (void **)&late), -ENODEV);
	EXPECT_EQ(sluice_cpu_begin(self->buffer, true), -ENODEV);
	EXPECT_EQ(sluice_cpu_end(self->buffer, true), -ENODEV);
	EXPECT_EQ(sluice_cpu_begin_range(self->edu, self->buffer, true, 0, 4096), -ENODEV);
	EXPECT_EQ(sluice_cpu_end_range(self->edu, self->buffer, true, 0, 4096), -ENODEV);
	EXPECT_EQ(sluice_attach(self->queue, self->buffer, 0), -ENODEV);
	ASSERT_EQ(sluice_buffer_info(self->edu, self->buffer, &info), 0);
	EXPECT_EQ(info.error, -ENODEV);
	EXPECT_EQ(sluice_alloc(self->bar, self->heap, SIZE, 0), -ENODEV);

	/* the mapping stays dead when the device is bound again */
	close(self->bar);
	self->bar = peers_open_bar(&self->peers);
	ASSERT_GE(self->bar, 0);
	EXPECT_TRUE(sigbus_at(mine));
	EXPECT_EQ(sluice_attach(self->queue, self->buffer, 0), -ENODEV);
	munmap(mine, SIZE);
	close(sync[0]);
	close(sync[1]);
}

TEST_F_TIMEOUT(p2p, unbind_takes_an_idle_slot, SECONDS)
{
	struct sluice_op op;

	ASSERT_EQ(sluice_attach(self->queue, self->buffer, 0), 0);
	sluice_op_fill(&op, 0, 0, 4096, 1);
	ASSERT_EQ(run(self->queue, &op), 0);
	ASSERT_EQ(pci_unbind(self->peers.bar), 0);
	EXPECT_EQ(run(self->queue, &op), -ENODEV);
	/* the number still means the dead slot, until it is detached */
	EXPECT_EQ(sluice_detach(self->queue, 0), 0);
	EXPECT_EQ(sluice_detach(self->queue, 0), -ENOENT);
	EXPECT_EQ(run(self->queue, &op), -ENOENT);

	close(self->bar);
	self->bar = peers_open_bar(&self->peers);
	ASSERT_GE(self->bar, 0);
	close(self->buffer);
	self->buffer = sluice_alloc(self->bar, self->heap, SIZE, 0);
	ASSERT_GE(self->buffer, 0);
	ASSERT_EQ(sluice_attach(self->queue, self->buffer, 0), 0);
	EXPECT_EQ(check_value(self->buffer, SIZE, 0), 0);
	EXPECT_EQ(run(self->queue, &op), 0);
	EXPECT_EQ(check_value(self->buffer, 4096, 1), 0);
}

static void end_under_a_transfer(struct __test_metadata *_metadata, int queue, int device,
				 int buffer, uint32_t flags, const char *address,
				 const char *attribute, const char *text)
{
	int system = sluice_alloc(device, 0, SIZE, 0), fences[3], i;
	int slot = sluice_attach(queue, buffer, flags);
	int other = sluice_attach(queue, system, 0);
	struct sluice_op op;

	ASSERT_GE(slot, 0);
	ASSERT_GE(other, 0);
	sluice_op_fill(&op, slot, 0, LONG_SIZE, 1);
	ASSERT_EQ(sluice_submit(queue, &op, 1, -1, &fences[0], 0, NULL), 0);
	ASSERT_EQ(sluice_submit(queue, &op, 1, -1, &fences[1], 0, NULL), 0);
	sluice_op_fill(&op, other, 0, SIZE, 2);
	ASSERT_EQ(sluice_submit(queue, &op, 1, -1, &fences[2], 0, NULL), 0);
	usleep(300000);
	EXPECT_FALSE(signalled(fences[0]));
	ASSERT_EQ(pci_attribute(address, attribute, text), 0);
	/* after the unbind nothing uses the memory */
	EXPECT_EQ(sluice_fence_wait(fences[0], 0), -ENODEV);
	/* a queued job ends in its turn */
	EXPECT_EQ(sluice_fence_wait(fences[1], 20000), -ENODEV);
	/* unrelated jobs continue */
	EXPECT_EQ(sluice_fence_wait(fences[2], 20000), 0);
	EXPECT_EQ(check_value(system, SIZE, 2), 0);
	for (i = 0; i < 3; i++)
		close(fences[i]);
	close(system);
}

TEST_F_TIMEOUT(p2p, unbind_ends_a_transfer_under_way, SECONDS)
{
	close(self->buffer);
	self->buffer = sluice_alloc(self->bar, self->heap, LONG_SIZE, 0);
	end_under_a_transfer(_metadata, self->queue, self->edu, self->buffer, 0,
			     self->peers.bar, "driver/unbind", self->peers.bar);
}

TEST_F_TIMEOUT(p2p, unbind_ends_a_transfer_of_an_explicit_slot, SECONDS)
{
	close(self->buffer);
	self->buffer = sluice_alloc(self->bar, self->heap, LONG_SIZE, 0);
	end_under_a_transfer(_metadata, self->queue, self->edu, self->buffer,
			     SLUICE_ATTACH_EXPLICIT, self->peers.bar, "driver/unbind", self->peers.bar);
}

static void revoke_behind_a_wait(struct __test_metadata *_metadata, const FIXTURE_DATA(p2p) *self,
				 uint32_t flags)
{
	int system = sluice_alloc(self->edu, 0, SIZE, 0), held, fences[2];
	int slot = sluice_attach(self->queue, self->buffer, flags);
	int other = sluice_attach(self->queue, system, 0);
	int again = sluice_attach(self->queue, self->buffer, flags | SLUICE_ATTACH_READ);
	struct sluice_op op;
	struct gate gate;
	int soft_slot;

	ASSERT_GE(slot, 0);
	ASSERT_GE(other, 0);
	ASSERT_GE(again, 0);
	/* a fence that does not signal by itself for half a minute */
	ASSERT_EQ(gate_shut(&gate, 0), 0);
	soft_slot = sluice_attach(gate.queue, gate.buffer, 0);
	ASSERT_GE(soft_slot, 0);
	sluice_op_fill(&op, soft_slot, 0, 4096, 1);
	ASSERT_EQ(sluice_submit(gate.queue, &op, 1, -1, &held, 0, NULL), 0);
	sluice_op_fill(&op, other, 0, SIZE, 2);
	ASSERT_EQ(sluice_submit(self->queue, &op, 1, held, &fences[0], 0, NULL), 0);
	sluice_op_copy(&op, slot, 0, again, 4096, 4096);
	ASSERT_EQ(sluice_submit(self->queue, &op, 1, -1, &fences[1], 0, NULL), 0);
	ASSERT_EQ(pci_unbind(self->peers.bar), 0);
	/* the exporter has its memory back, and did not wait for the jobs in front */
	EXPECT_FALSE(signalled(held));
	EXPECT_FALSE(signalled(fences[0]));
	/* the job keeps its place in the queue, and ends there */
	EXPECT_FALSE(signalled(fences[1]));
	ASSERT_EQ(gate_open(&gate), 0);
	EXPECT_EQ(sluice_fence_wait(fences[0], LATE_MS), 0);
	EXPECT_EQ(sluice_fence_wait(fences[1], LATE_MS), -ENODEV);
	EXPECT_EQ(check_value(system, SIZE, 2), 0);
	close(held);
	close(fences[0]);
	close(fences[1]);
	close(system);
}

TEST_F_TIMEOUT(p2p, unbind_does_not_wait_for_jobs_queued_ahead, SECONDS)
{
	revoke_behind_a_wait(_metadata, self, 0);
}

TEST_F_TIMEOUT(p2p, unbind_does_not_wait_for_jobs_queued_ahead_of_an_explicit_slot, SECONDS)
{
	revoke_behind_a_wait(_metadata, self, SLUICE_ATTACH_EXPLICIT);
}

TEST_F_TIMEOUT(p2p, PCI_removal_ends_a_transfer_under_way_and_the_device_comes_back, SECONDS)
{
	uint32_t *memory;
	int tries;

	close(self->buffer);
	self->buffer = sluice_alloc(self->bar, self->heap, LONG_SIZE, 0);
	ASSERT_EQ(sluice_map(self->buffer, LONG_SIZE, (void **)&memory), 0);
	ASSERT_FALSE(sigbus_at(memory));
	end_under_a_transfer(_metadata, self->queue, self->edu, self->buffer, 0,
			     self->peers.bar, "remove", "1");
	EXPECT_TRUE(sigbus_at(memory));
	munmap(memory, LONG_SIZE);
	close(self->bar);
	ASSERT_EQ(write_text(PCI "/rescan", "1"), 0);
	for (tries = 0; tries < 300; tries++) {
		if (pci_attribute(self->peers.bar, "driver_override", "sluice-pci") == 0)
			break;
		usleep(10000);
	}
	self->bar = peers_open_bar(&self->peers);
	ASSERT_GE(self->bar, 0);
	close(self->buffer);
	self->buffer = sluice_alloc(self->bar, self->heap, SIZE, 0);
	ASSERT_GE(self->buffer, 0);
	EXPECT_EQ(check_value(self->buffer, SIZE, 0), 0);
}

/* Threads that use the BAR all the time: one reads it, and one allocates from it. */
struct users {
	int device, heap;
	volatile uint32_t *words;
	volatile bool over;
	volatile unsigned long looks, wrong, taken, refused;
};

static void *look(void *argument)
{
	struct users *users = argument;

	while (!users->over) {
		users->wrong += users->words[0] != 0x5a5a5a5a ||
				users->words[SIZE / 4 - 1] != 0x5a5a5a5a;
		users->looks++;
	}
	return NULL;
}

static void *take(void *argument)
{
	struct users *users = argument;

	while (!users->over) {
		int fd = sluice_alloc(users->device, users->heap, SIZE, 0);

		users->refused += fd < 0;
		users->taken++;
		close(fd);
	}
	return NULL;
}

/* Have both threads made progress? */
static bool both_go_on(const struct users *users)
{
	unsigned long looks = users->looks + 10, taken = users->taken + 10;
	int tries;

	for (tries = 0; tries < LATE_MS; tries++) {
		if (users->looks >= looks && users->taken >= taken)
			return true;
		usleep(1000);
	}
	return false;
}

/* During a reset, a BAR does not answer, so an access to it must wait. */
TEST_F_TIMEOUT(p2p, a_reset_delays_users_of_the_BAR, SECONDS)
{
	struct users users = { .device = self->bar, .heap = self->heap };
	pthread_t looker, taker;
	struct sluice_op op;
	void *memory;
	int i;

	ASSERT_EQ(fill_value(self->buffer, SIZE, 0x5a5a5a5a), 0);
	ASSERT_EQ(sluice_map(self->buffer, SIZE, &memory), 0);
	users.words = memory;
	ASSERT_EQ(pthread_create(&looker, NULL, look, &users), 0);
	ASSERT_EQ(pthread_create(&taker, NULL, take, &users), 0);
	for (i = 0; i < 3; i++) {
		EXPECT_TRUE(both_go_on(&users));
		EXPECT_EQ(pci_attribute(self->peers.bar, "reset", "1"), 0);
	}
	EXPECT_TRUE(both_go_on(&users));
	users.over = true;
	pthread_join(looker, NULL);
	pthread_join(taker, NULL);
	EXPECT_EQ(users.wrong, 0);
	EXPECT_EQ(users.refused, 0);
	munmap(memory, SIZE);
	/* after the reset, the peer reaches it as before */
	ASSERT_EQ(sluice_attach(self->queue, self->buffer, 0), 0);
	sluice_op_fill(&op, 0, 0, SIZE, 0xa5a5a5a5);
	EXPECT_EQ(run(self->queue, &op), 0);
	EXPECT_EQ(check_value(self->buffer, SIZE, 0xa5a5a5a5), 0);
}

/* A path holds the dma-buf's inode, but no file, so the buffer cannot be opened. */
TEST_F_TIMEOUT(p2p, unbind_meets_a_buffer_without_a_file, SECONDS)
{
	char name[32];
	int path;

	snprintf(name, sizeof(name), "/proc/self/fd/%d", self->buffer);
	path = open(name, O_PATH | O_CLOEXEC);
	ASSERT_GE(path, 0);
	close(self->buffer);
	self->buffer = -1;
	ASSERT_EQ(pci_unbind(self->peers.bar), 0);
	close(path);
}

TEST_F_TIMEOUT(p2p, a_peer_that_goes_first_leaves_the_BAR_alone, SECONDS)
{
	struct sluice_op op;

	ASSERT_EQ(sluice_attach(self->queue, self->buffer, 0), 0);
	sluice_op_fill(&op, 0, 0, SIZE, 3);
	ASSERT_EQ(run(self->queue, &op), 0);
	ASSERT_EQ(pci_unbind(self->peers.edu), 0);
	EXPECT_EQ(check_value(self->buffer, SIZE, 3), 0);
	ASSERT_EQ(fill_value(self->buffer, SIZE, 4), 0);
	EXPECT_EQ(check_value(self->buffer, SIZE, 4), 0);
}

TEST_HARNESS_MAIN
