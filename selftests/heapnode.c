// SPDX-License-Identifier: MIT
/*
 * Heaps as dma-heaps.  Each case of the ABI is tried on Sluice's nodes and, if the kernel has one,
 * on its own system heap.  The answers must be the same to the bit, and on every kernel those that
 * this file expects.
 */
#include <fcntl.h>
#include <linux/dma-heap.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>

#include "cgroup.h"
#include "harness.h"
#include "jobs.h"
#include "knobs.h"
#include "machine.h"
#include "modules.h"
#include "objects.h"
#include "pattern.h"
#include "sluice.h"

#define REFERENCE	"/dev/dma_heap/system"
#define SOFT_DRIVER	"/sys/bus/platform/drivers/sluice-soft"
#define SIZE		65536UL
#define LARGEST		16383	/* the largest size that a command word can hold */

/* The struct with room for the longest tail. */
union request {
	struct dma_heap_allocation_data data;
	unsigned char bytes[LARGEST + 1];
};

static int heap_alloc(int node, uint64_t size)
{
	struct dma_heap_allocation_data data = { .len = size, .fd_flags = O_RDWR | O_CLOEXEC };
	int ret = xioctl(node, DMA_HEAP_IOCTL_ALLOC, &data);

	return ret ? ret : (int)data.fd;
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

/* The fd that the next open() returns: it shows whether a call has leaked one. */
static int lowest_fd(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	close(fd);
	return fd;
}

static int mapping_error(int fd, int prot)
{
	void *memory = mmap(NULL, 4096, prot, MAP_SHARED, fd, 0);

	if (memory == MAP_FAILED)
		return -errno;
	munmap(memory, 4096);
	return 0;
}

/* The visible effects of a call: its errno, the bytes that it wrote, and the fd that it made. */
struct answer {
	int ret;
	int installed;
	int fd_flags;
	int mode;
	int map_read;
	int map_write;
	off_t size;
	union request after;
};

static void ask(int node, unsigned int cmd, const union request *request, struct answer *answer)
{
	int fd = lowest_fd();

	memset(answer, 0, sizeof(*answer));
	answer->after = *request;
	answer->ret = xioctl(node, cmd, &answer->after);
	answer->fd_flags = fcntl(fd, F_GETFD);
	if (answer->fd_flags < 0)
		return;
	answer->installed = fd;
	answer->mode = fcntl(fd, F_GETFL);
	answer->size = lseek(fd, 0, SEEK_END);
	answer->map_read = mapping_error(fd, PROT_READ);
	answer->map_write = mapping_error(fd, PROT_READ | PROT_WRITE);
	close(fd);
}

FIXTURE(abi) {
	struct objects before;
	int node, reference;
};

FIXTURE_VARIANT(abi) {
	const char *path;
};

FIXTURE_VARIANT_ADD(abi, soft_pages) { .path = "/dev/dma_heap/sluice-soft0-pages" };
FIXTURE_VARIANT_ADD(abi, soft_contiguous) { .path = "/dev/dma_heap/sluice-soft0-contiguous" };
FIXTURE_VARIANT_ADD(abi, real_pages) { .path = "/dev/dma_heap/sluice-" REAL_DEVICE "-pages" };
FIXTURE_VARIANT_ADD(abi, real_contiguous) { .path = "/dev/dma_heap/sluice-" REAL_DEVICE "-contiguous" };

FIXTURE_SETUP(abi)
{
	if (access(variant->path, F_OK))
		SKIP(return, "this machine has no %s", variant->path);
	self->before = objects_before();
	self->node = open(variant->path, O_RDWR | O_CLOEXEC);
	ASSERT_GE(self->node, 0);
	/* -1 if the kernel has no such heap */
	self->reference = open(REFERENCE, O_RDWR | O_CLOEXEC);
}

FIXTURE_TEARDOWN(abi)
{
	close(self->node);
	if (self->reference >= 0)
		close(self->reference);
	EXPECT_TRUE(objects_settle(&self->before));
}

/* Make a request on both.  Sluice's must return @expected, and install an fd if that is 0. */
#define SAME(what, cmd, request, expected) do { \
	struct answer ours, theirs; \
	\
	ask(self->node, cmd, request, &ours); \
	EXPECT_EQ(ours.ret, expected) TH_LOG("%s", what); \
	EXPECT_EQ(ours.installed > 0, (expected) == 0) TH_LOG("%s", what); \
	if (self->reference >= 0) { \
		ask(self->reference, cmd, request, &theirs); \
		EXPECT_EQ(theirs.ret, ours.ret) TH_LOG("%s", what); \
		EXPECT_EQ(theirs.fd_flags, ours.fd_flags) TH_LOG("%s", what); \
		EXPECT_EQ(theirs.mode, ours.mode) TH_LOG("%s", what); \
		EXPECT_EQ(theirs.size, ours.size) TH_LOG("%s", what); \
		EXPECT_EQ(theirs.map_read, ours.map_read) TH_LOG("%s", what); \
		EXPECT_EQ(theirs.map_write, ours.map_write) TH_LOG("%s", what); \
		EXPECT_EQ(memcmp(&theirs, &ours, sizeof(ours)), 0) TH_LOG("%s", what); \
	} \
} while (0)

TEST_F(abi, fields_are_taken_and_refused_as_by_the_system_heap)
{
	static const struct {
		const char *what;
		struct dma_heap_allocation_data data;
		int ret;
	} cases[] = {
		{ "a buffer", { .len = SIZE, .fd_flags = O_RDWR }, 0 },
		{ "one byte", { .len = 1, .fd_flags = O_RDWR }, 0 },
		{ "a page and a byte", { .len = 4097, .fd_flags = O_RDWR }, 0 },
		{ "no length", { .len = 0, .fd_flags = O_RDWR }, -EINVAL },
		{ "a length that overflows", { .len = UINT64_MAX, .fd_flags = O_RDWR }, -EINVAL },
		{ "one that just overflows", { .len = UINT64_MAX - 4094 }, -EINVAL },
		{ "an fd in", { .len = SIZE, .fd = 1, .fd_flags = O_RDWR }, -EINVAL },
		{ "fd -1 in", { .len = SIZE, .fd = -1, .fd_flags = O_RDWR }, -EINVAL },
		{ "read only", { .len = SIZE, .fd_flags = O_RDONLY }, 0 },
		{ "write only", { .len = SIZE, .fd_flags = O_WRONLY }, 0 },
		{ "neither", { .len = SIZE, .fd_flags = O_ACCMODE }, 0 },
		{ "close on exec", { .len = SIZE, .fd_flags = O_RDWR | O_CLOEXEC }, 0 },
		{ "read only, close on exec", { .len = SIZE, .fd_flags = O_CLOEXEC }, 0 },
		{ "neither, close on exec", { .len = SIZE, .fd_flags = O_ACCMODE | O_CLOEXEC }, 0 },
		{ "not blocking", { .len = SIZE, .fd_flags = O_RDWR | O_NONBLOCK }, -EINVAL },
		{ "O_CREAT", { .len = SIZE, .fd_flags = O_RDWR | O_CREAT }, -EINVAL },
		{ "all flags but the valid ones",
		  { .len = SIZE, .fd_flags = ~(O_ACCMODE | O_CLOEXEC) }, -EINVAL },
		{ "bit 31", { .len = SIZE, .fd_flags = 1U << 31 }, -EINVAL },
		{ "heap flag 0", { .len = SIZE, .fd_flags = O_RDWR, .heap_flags = 1 }, -EINVAL },
		{ "heap flag 63", { .len = SIZE, .fd_flags = O_RDWR, .heap_flags = 1ULL << 63 },
		  -EINVAL },
	};
	union request request;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		memset(&request, 0x5a, sizeof(request));
		request.data = cases[i].data;
		SAME(cases[i].what, DMA_HEAP_IOCTL_ALLOC, &request, cases[i].ret);
	}
}

TEST_F(abi, structs_of_every_size_and_commands_of_every_kind)
{
	static const struct {
		const char *what;
		unsigned int cmd;
		int ret;
	} cases[] = {
		{ "no struct", _IOC(_IOC_READ | _IOC_WRITE, 'H', 0, 0), -EINVAL },
		{ "half a length", _IOC(_IOC_READ | _IOC_WRITE, 'H', 0, 4), 0 },
		{ "the length alone", _IOC(_IOC_READ | _IOC_WRITE, 'H', 0, 8), 0 },
		{ "half an fd", _IOC(_IOC_READ | _IOC_WRITE, 'H', 0, 10), 0 },
		{ "no heap flags", _IOC(_IOC_READ | _IOC_WRITE, 'H', 0, 16), 0 },
		{ "a byte less", _IOC(_IOC_READ | _IOC_WRITE, 'H', 0, 23), 0 },
		{ "a byte more", _IOC(_IOC_READ | _IOC_WRITE, 'H', 0, 25), 0 },
		{ "128 bytes", _IOC(_IOC_READ | _IOC_WRITE, 'H', 0, 128), 0 },
		{ "129 bytes", _IOC(_IOC_READ | _IOC_WRITE, 'H', 0, 129), 0 },
		{ "the largest", _IOC(_IOC_READ | _IOC_WRITE, 'H', 0, LARGEST), 0 },
		{ "in only", _IOC(_IOC_WRITE, 'H', 0, 24), 0 },
		{ "in only, the length alone", _IOC(_IOC_WRITE, 'H', 0, 8), 0 },
		{ "out only", _IOC(_IOC_READ, 'H', 0, 24), -EINVAL },
		{ "neither", _IOC(_IOC_NONE, 'H', 0, 24), -EINVAL },
		{ "another type", _IOC(_IOC_READ | _IOC_WRITE, 0xD5, 0, 24), 0 },
		{ "number 1", _IOC(_IOC_READ | _IOC_WRITE, 'H', 1, 24), -EINVAL },
		{ "number 255", _IOC(_IOC_READ | _IOC_WRITE, 'H', 255, 24), -EINVAL },
		{ "TCGETS", TCGETS, -EINVAL },
		{ "the device's ALLOC", SLUICE_IOCTL_ALLOC, -EINVAL },
	};
	union request request;
	unsigned int i;

	memset(&request, 0x5a, sizeof(request));
	request.data = (struct dma_heap_allocation_data) { .len = 8192, .fd_flags = O_RDWR };
	for (i = 0; i < ARRAY_SIZE(cases); i++)
		SAME(cases[i].what, cases[i].cmd, &request, cases[i].ret);
}

/* Each of these returns the answer of one heap; the next fd shows that no fd was installed. */
static int at_a_bad_address(int node, unsigned char *end, unsigned int size, unsigned int room)
{
	struct dma_heap_allocation_data data = { .len = 4096, .fd_flags = O_RDWR };
	int fd = lowest_fd(), ret;

	/* end is the first byte that cannot be reached */
	memset(end - room, 0, room);
	memcpy(end - room, &data, room < sizeof(data) ? room : sizeof(data));
	ret = xioctl(node, _IOC(_IOC_READ | _IOC_WRITE, 'H', 0, size), end - room);
	if (!ret)
		close(fd);
	return lowest_fd() == fd ? ret : -EBADFD;
}

TEST_F(abi, memory_that_faults_undoes_everything)
{
	struct dma_heap_allocation_data data = { .len = 4096, .fd_flags = O_RDWR };
	static const struct {
		unsigned int size, room;
		int ret;
	} cases[] = {
		{ 24, 24, 0 }, { 24, 23, -EFAULT }, { 24, 0, -EFAULT }, { 16, 16, 0 }, { 8, 8, 0 },
		{ 200, 200, 0 }, { 200, 199, -EFAULT }, { 200, 24, -EFAULT },
	};
	int nodes[2] = { self->node, self->reference }, n, fd;
	unsigned char *pages, *end;
	unsigned int i;

	pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(pages, MAP_FAILED);
	end = pages + 4096;
	ASSERT_EQ(mprotect(end, 4096, PROT_NONE), 0);
	for (n = 0; n < 2 && nodes[n] >= 0; n++) {
		for (i = 0; i < ARRAY_SIZE(cases); i++)
			EXPECT_EQ(at_a_bad_address(nodes[n], end, cases[i].size, cases[i].room),
				  cases[i].ret)
				TH_LOG("heap %d, %u bytes with room for %u", n, cases[i].size,
				       cases[i].room);
		EXPECT_EQ(xioctl(nodes[n], DMA_HEAP_IOCTL_ALLOC, NULL), -EFAULT);
		/* an unknown command is refused before anything is read */
		EXPECT_EQ(xioctl(nodes[n], _IOWR('H', 1, struct dma_heap_allocation_data), NULL),
			  -EINVAL);
		/* a command without _IOC_WRITE reads nothing */
		EXPECT_EQ(xioctl(nodes[n], _IOC(_IOC_READ, 'H', 0, 24), NULL), -EINVAL);
	}
	/* the struct can be read, but the fd cannot be returned */
	memcpy(pages, &data, sizeof(data));
	ASSERT_EQ(mprotect(pages, 4096, PROT_READ), 0);
	fd = lowest_fd();
	for (n = 0; n < 2 && nodes[n] >= 0; n++) {
		EXPECT_EQ(xioctl(nodes[n], DMA_HEAP_IOCTL_ALLOC, pages), -EFAULT);
		EXPECT_EQ(lowest_fd(), fd);
	}
	munmap(pages, 8192);
}

TEST_F(abi, no_fd_left_is_EMFILE)
{
	int nodes[2] = { self->node, self->reference }, n;
	struct rlimit limit, none;

	ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = (struct rlimit) { .rlim_cur = lowest_fd(), .rlim_max = limit.rlim_max };
	ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
	for (n = 0; n < 2 && nodes[n] >= 0; n++)
		EXPECT_EQ(heap_alloc(nodes[n], SIZE), -EMFILE);
	ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

TEST_F(abi, the_fd_of_a_node_does_nothing_else)
{
	int nodes[2] = { self->node, self->reference }, n;
	char byte = 0;

	for (n = 0; n < 2 && nodes[n] >= 0; n++) {
		struct pollfd pollfd = { .fd = nodes[n], .events = POLLIN | POLLOUT };

		EXPECT_EQ(read(nodes[n], &byte, 1), -1);
		EXPECT_EQ(errno, EINVAL);
		EXPECT_EQ(write(nodes[n], &byte, 1), -1);
		EXPECT_EQ(errno, EINVAL);
		EXPECT_EQ(pread(nodes[n], &byte, 1, 0), -1);
		EXPECT_EQ(errno, ESPIPE);
		EXPECT_EQ(lseek(nodes[n], 0, SEEK_END), -1);
		EXPECT_EQ(errno, ESPIPE);
		EXPECT_EQ(ftruncate(nodes[n], 0), -1);
		EXPECT_EQ(errno, EINVAL);
		EXPECT_EQ(mapping_error(nodes[n], PROT_READ), -ENODEV);
		EXPECT_EQ(poll(&pollfd, 1, 0), 1);
		EXPECT_EQ(pollfd.revents, POLLIN | POLLOUT);
	}
}

/*
 * A private mapping of one page, which any system heap has in one segment: it works, and keeps what
 * is written private.  The kernel's CMA heap refuses it, and so does the contiguous heap.
 */
TEST_F(abi, a_private_mapping_works_as_with_the_kernels_heaps)
{
	int nodes[2] = { self->node, self->reference }, n, buffer;
	volatile uint32_t *mine, *shared;

	for (n = 0; n < 2 && nodes[n] >= 0; n++) {
		buffer = heap_alloc(nodes[n], 4096);
		ASSERT_GE(buffer, 0);
		mine = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, buffer, 0);
		if (!n && strstr(variant->path, "contiguous")) {
			EXPECT_EQ(mine, MAP_FAILED);
			EXPECT_EQ(errno, EINVAL);
			close(buffer);
			continue;
		}
		ASSERT_NE(mine, MAP_FAILED);
		shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, buffer, 0);
		ASSERT_NE(shared, MAP_FAILED);
		shared[5] = 3;
		EXPECT_EQ(mine[5], 3);
		mine[5] = 4;
		EXPECT_EQ(shared[5], 3);
		EXPECT_EQ(mine[5], 4);
		munmap((void *)mine, 4096);
		munmap((void *)shared, 4096);
		close(buffer);
	}
}

/* The access mode of the node's fd does not matter: dma-heaps do not check it. */
TEST_F(abi, any_open_allocates)
{
	const char *paths[2] = { variant->path, self->reference >= 0 ? REFERENCE : NULL };
	int modes[] = { O_RDONLY, O_WRONLY }, n, fd, buffer;
	unsigned int i;

	for (n = 0; n < 2 && paths[n]; n++) {
		for (i = 0; i < 2; i++) {
			fd = open(paths[n], modes[i] | O_CLOEXEC);
			buffer = heap_alloc(fd, SIZE);
			EXPECT_GE(buffer, 0);
			EXPECT_EQ(mapping_error(buffer, PROT_READ | PROT_WRITE), 0);
			close(buffer);
			close(fd);
		}
		fd = open(paths[n], O_PATH | O_CLOEXEC);
		EXPECT_EQ(heap_alloc(fd, SIZE), -EBADF);
		close(fd);
	}
}

FIXTURE(heapnode) {
	struct objects before;
	char path[80];
	int node, device, heap;
};

FIXTURE_VARIANT(heapnode) {
	const char *device;
	const char *heap;
};

FIXTURE_VARIANT_ADD(heapnode, soft_pages) { .device = "soft0", .heap = "pages" };
FIXTURE_VARIANT_ADD(heapnode, soft_contiguous) { .device = "soft0", .heap = "contiguous" };
FIXTURE_VARIANT_ADD(heapnode, real_pages) { .device = REAL_DEVICE, .heap = "pages" };
FIXTURE_VARIANT_ADD(heapnode, real_contiguous) { .device = REAL_DEVICE, .heap = "contiguous" };

FIXTURE_SETUP(heapnode)
{
	NEEDS_DEVICE(variant->device);
	self->before = objects_before();
	snprintf(self->path, sizeof(self->path), "/dev/dma_heap/sluice-%s-%s", variant->device,
		 variant->heap);
	self->node = open(self->path, O_RDWR | O_CLOEXEC);
	ASSERT_GE(self->node, 0);
	self->device = sluice_open(variant->device);
	ASSERT_GE(self->device, 0);
	self->heap = sluice_find_heap(self->device, variant->heap);
	ASSERT_GE(self->heap, 0);
}

FIXTURE_TEARDOWN(heapnode)
{
	close(self->node);
	close(self->device);
	EXPECT_TRUE(objects_settle(&self->before));
}

TEST_F(heapnode, each_heap_has_one_for_root_only)
{
	struct stat status;

	ASSERT_EQ(stat(self->path, &status), 0);
	EXPECT_EQ(status.st_mode, S_IFCHR | 0600);
	EXPECT_EQ(status.st_uid, 0);
	EXPECT_EQ(status.st_gid, 0);
}

TEST_F(heapnode, memory_is_that_of_the_heap_and_its_device_works_on_it)
{
	struct sluice_heap_info heap;
	struct sluice_buffer_info info;
	struct sluice_op op;
	int buffer, queue;

	buffer = heap_alloc(self->node, SIZE - 100);
	ASSERT_GE(buffer, 0);
	EXPECT_EQ(lseek(buffer, 0, SEEK_END), SIZE);
	EXPECT_EQ(check_value(buffer, SIZE, 0), 0);
	ASSERT_EQ(fill_words(buffer, SIZE, 3), 0);
	EXPECT_EQ(check_words(buffer, SIZE, 3), 0);

	ASSERT_EQ(sluice_heap_info(self->device, self->heap, &heap), 0);
	ASSERT_EQ(sluice_buffer_info(self->device, buffer, &info), 0);
	EXPECT_EQ(info.kind, SLUICE_BUFFER_OURS);
	EXPECT_EQ(info.properties & heap.properties, heap.properties);
	EXPECT_EQ(info.size, SIZE);
	EXPECT_EQ(info.error, 0);

	queue = patient_queue(self->device, 0);
	ASSERT_GE(queue, 0);
	ASSERT_EQ(sluice_attach(queue, buffer, 0), 0);
	sluice_op_fill(&op, 0, 0, 4096, 0x77);
	ASSERT_EQ(sluice_submit(queue, &op, 1, -1, NULL, 0, NULL), 0);
	EXPECT_EQ(sluice_wait(queue, 1, LATE_MS), 0);
	EXPECT_EQ(check_value(buffer, 4096, 0x77), 0);
	close(queue);
	close(buffer);
}

/* A queue does not write a buffer without write access, as for buffers from ALLOC. */
TEST_F(heapnode, a_buffer_that_is_not_for_writing_is_not_written)
{
	unsigned int modes[] = { O_RDONLY, O_ACCMODE }, i;
	int queue = sluice_queue_create(self->device, 0);

	ASSERT_GE(queue, 0);
	for (i = 0; i < 2; i++) {
		struct dma_heap_allocation_data data = { .len = SIZE, .fd_flags = modes[i] };

		ASSERT_EQ(xioctl(self->node, DMA_HEAP_IOCTL_ALLOC, &data), 0);
		EXPECT_EQ(sluice_attach(queue, data.fd, SLUICE_ATTACH_WRITE), -EACCES);
		close(data.fd);
	}
	close(queue);
}

TEST_F(heapnode, more_than_there_can_be_is_ENOMEM)
{
	struct sluice_heap_info heap;

	ASSERT_EQ(sluice_heap_info(self->device, self->heap, &heap), 0);
	EXPECT_EQ(heap_alloc(self->node, heap.max_size + 1), -ENOMEM);
	EXPECT_EQ(heap_alloc(self->node, 1ULL << 50), -ENOMEM);
	EXPECT_EQ(heap_alloc(self->node, 1ULL << 63), -ENOMEM);
}

/* The number in a line of fdinfo; -1 without the line. */
static long fdinfo(int fd, const char *name, char *text, size_t room)
{
	char path[40], line[128];
	size_t length = strlen(name);
	long value = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file)) {
		if (strncmp(line, name, length) || line[length] != ':')
			continue;
		value = atol(line + length + 1);
		if (text)
			snprintf(text, room, "%.*s", (int)strcspn(line + length + 2, "\n"),
				 line + length + 2);
	}
	if (file)
		fclose(file);
	return value;
}

TEST_F(heapnode, an_open_has_an_account_and_a_limit)
{
	int other = open(self->path, O_RDWR | O_CLOEXEC), buffers[3];
	char text[64];

	ASSERT_GE(other, 0);
	EXPECT_EQ(fdinfo(self->node, "sluice-device", text, sizeof(text)), 0);
	EXPECT_STREQ(text, variant->device);
	EXPECT_EQ(fdinfo(self->node, "sluice-heap", text, sizeof(text)), 0);
	EXPECT_STREQ(text, variant->heap);
	EXPECT_EQ(fdinfo(self->device, "sluice-heap", NULL, 0), -1);

	ASSERT_EQ(open_limit_mb(1), 0);
	EXPECT_EQ(fdinfo(self->node, "sluice-buffer-limit", NULL, 0), 1 << 20);
	/* contiguous memory of a power of two is not rounded up */
	buffers[0] = heap_alloc(self->node, 1 << 19);
	EXPECT_GE(buffers[0], 0);
	EXPECT_EQ(fdinfo(self->node, "sluice-buffer-bytes", NULL, 0), 1 << 19);
	EXPECT_EQ(heap_alloc(self->node, 1 << 20), -EDQUOT);
	EXPECT_EQ(fdinfo(self->node, "sluice-buffer-bytes", NULL, 0), 1 << 19);
	buffers[1] = heap_alloc(other, 1 << 19);
	EXPECT_GE(buffers[1], 0);
	close(buffers[0]);
	buffers[2] = heap_alloc(self->node, 1 << 19);
	EXPECT_GE(buffers[2], 0);
	ASSERT_EQ(open_limit_mb(0), 0);
	close(buffers[1]);
	close(buffers[2]);
	close(other);
	EXPECT_EQ(fdinfo(self->node, "sluice-buffer-bytes", NULL, 0), 0);
}

/* Beyond the limit the allocation fails; no process is killed. */
TEST(memory_is_charged_to_the_cgroup)
{
	static const char folder[] = "/tmp/sluice-heapnode";
	struct objects before = objects_before();
	char text[16];
	int status;
	pid_t child;

	mkdir(folder, 0755);
	if (system("mount -t cgroup2 none /tmp/sluice-heapnode 2>/dev/null && "
		   "cd /tmp/sluice-heapnode && echo +memory >cgroup.subtree_control && "
		   "mkdir t && echo 24M >t/memory.max"))
		SKIP(return, "no memory cgroup in this kernel");
	child = fork();
	if (!child) {
		int node = open("/dev/dma_heap/sluice-soft0-pages", O_RDWR | O_CLOEXEC);

		snprintf(text, sizeof(text), "%d", getpid());
		if (write_text("/tmp/sluice-heapnode/t/cgroup.procs", text))
			_exit(1);
		if (heap_alloc(node, 16 << 20) < 0)
			_exit(2);
		_exit(heap_alloc(node, 16 << 20) == -ENOMEM ? 0 : 3);
	}
	ASSERT_EQ(waitpid(child, &status, 0), child);
	EXPECT_EQ(status, 0);
	EXPECT_TRUE(objects_settle(&before));
	EXPECT_TRUE(memory_cgroup_end(folder));
}

FIXTURE(gone) {
	struct objects before;
	int node, buffer;
};

FIXTURE_VARIANT(gone) {
	const char *path;
};

FIXTURE_VARIANT_ADD(gone, pages) { .path = "/dev/dma_heap/sluice-soft0-pages" };
FIXTURE_VARIANT_ADD(gone, contiguous) { .path = "/dev/dma_heap/sluice-soft0-contiguous" };

FIXTURE_SETUP(gone)
{
	self->before = objects_before();
	self->node = open(variant->path, O_RDWR | O_CLOEXEC);
	ASSERT_GE(self->node, 0);
	self->buffer = heap_alloc(self->node, SIZE);
	ASSERT_GE(self->buffer, 0);
}

FIXTURE_TEARDOWN(gone)
{
	if (access("/dev/sluice/soft0", F_OK))
		EXPECT_EQ(write_text(SOFT_DRIVER "/bind", "sluice-soft"), 0);
	EXPECT_TRUE(wait_for_node(variant->path, true));
	close(self->buffer);
	close(self->node);
	EXPECT_TRUE(objects_settle(&self->before));
}

TEST_F(gone, an_open_node_answers_ENODEV_and_buffers_stay)
{
	struct dma_heap_allocation_data data = { .len = SIZE, .heap_flags = 1 };
	int node, buffer;
	char text[64];

	ASSERT_EQ(fill_words(self->buffer, SIZE, 4), 0);
	ASSERT_EQ(write_text(SOFT_DRIVER "/unbind", "sluice-soft"), 0);
	EXPECT_TRUE(wait_for_node(variant->path, false));
	EXPECT_EQ(heap_alloc(self->node, SIZE), -ENODEV);
	/* a bad request gets the same error after the unbind */
	EXPECT_EQ(xioctl(self->node, DMA_HEAP_IOCTL_ALLOC, &data), -EINVAL);
	EXPECT_EQ(fdinfo(self->node, "sluice-device", text, sizeof(text)), 0);
	EXPECT_EQ(fdinfo(self->node, "sluice-buffer-bytes", NULL, 0), SIZE);
	EXPECT_EQ(check_words(self->buffer, SIZE, 4), 0);

	/* the node of the new binding is another device's, even with the same name and number */
	ASSERT_EQ(write_text(SOFT_DRIVER "/bind", "sluice-soft"), 0);
	ASSERT_TRUE(wait_for_node(variant->path, true));
	EXPECT_EQ(heap_alloc(self->node, SIZE), -ENODEV);
	node = open(variant->path, O_RDWR | O_CLOEXEC);
	ASSERT_GE(node, 0);
	buffer = heap_alloc(node, SIZE);
	EXPECT_GE(buffer, 0);
	close(buffer);
	close(node);
	EXPECT_EQ(check_words(self->buffer, SIZE, 4), 0);
}

static int unload(const char *module)
{
	char command[64];

	snprintf(command, sizeof(command), "rmmod %s 2>/dev/null", module);
	return system(command);
}

TEST_F(gone, modules_stay_while_the_node_is_open_and_the_core_while_a_buffer_is)
{
	EXPECT_NE(unload("sluice-soft"), 0);
	EXPECT_NE(unload("sluice"), 0);
	close(self->node);
	ASSERT_TRUE(module_unload("sluice_soft"));
	EXPECT_TRUE(wait_for_node(variant->path, false));
	EXPECT_EQ(fill_words(self->buffer, SIZE, 8), 0);
	EXPECT_NE(unload("sluice"), 0);
	ASSERT_EQ(module_load("sluice-soft"), 0);
	ASSERT_TRUE(wait_for_node(variant->path, true));
	EXPECT_EQ(check_words(self->buffer, SIZE, 8), 0);
	self->node = open(variant->path, O_RDWR | O_CLOEXEC);
	EXPECT_GE(self->node, 0);
}

static volatile bool storm_over;
static unsigned long storm_buffers;

static void *storm(void *path)
{
	while (!storm_over) {
		int node = open(path, O_RDWR | O_CLOEXEC), buffer = heap_alloc(node, 8192);

		if (buffer >= 0) {
			__atomic_add_fetch(&storm_buffers, 1, __ATOMIC_RELAXED);
			close(buffer);
		}
		if (node >= 0)
			close(node);
	}
	return NULL;
}

TEST_F_TIMEOUT(gone, coming_and_going_in_a_storm_of_opens_leaves_nothing_behind, 120)
{
	pthread_t threads[3];
	int i;

	storm_over = false;
	for (i = 0; i < 3; i++)
		ASSERT_EQ(pthread_create(&threads[i], NULL, storm, (void *)variant->path), 0);
	/* wait until it has begun */
	for (i = 0; i < 1000 && !__atomic_load_n(&storm_buffers, __ATOMIC_RELAXED); i++)
		usleep(10000);
	for (i = 0; i < 6; i++) {
		usleep(30000);
		EXPECT_EQ(write_text(SOFT_DRIVER "/unbind", "sluice-soft"), 0);
		EXPECT_EQ(write_text(SOFT_DRIVER "/bind", "sluice-soft"), 0);
	}
	storm_over = true;
	for (i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	EXPECT_GT(storm_buffers, 0);
}

TEST_HARNESS_MAIN
