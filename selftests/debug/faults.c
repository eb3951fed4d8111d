// SPDX-License-Identifier: MIT
/*
 * On the path of each call, every allocation and every copy from or to user memory fails once
 * (/proc/self/fail-nth).  Each time there must be a clean errno, a device that still works, and
 * nothing leaked.  This needs a kernel with fault injection: make check-debug.
 */
#include <fcntl.h>
#include <liburing.h>
#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "fault_sites.h"
#include "fences.h"
#include "harness.h"
#include "jobs.h"
#include "knobs.h"
#include "machine.h"
#include "objects.h"
#include "pages.h"
#include "pattern.h"
#include "sluice.h"

#include <linux/sluice_soft.h>

#define SIZE (256UL << 10)
#define BUSY_FENCES 5

static int device, queue, buffer, scratch, edu;
static int busy[BUSY_FENCES], number;
static void *memory;

/* Calls on a device. */

static int try_open(void)
{
	int fd = open("/dev/sluice/soft0", O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int try_info(void)
{
	struct sluice_info info;

	return sluice_device_info(device, &info);
}

static int try_heap_info(void)
{
	struct sluice_heap_info info;

	return sluice_heap_info(device, 0, &info);
}

static int try_alloc_pages(void)
{
	return sluice_alloc(device, 0, SIZE + 4096, 0);
}

static int try_alloc_contiguous(void)
{
	return sluice_alloc(device, 1, SIZE, 0);
}

static int try_buffer_info(void)
{
	struct sluice_buffer_info info;
	int ret = sluice_buffer_info(device, buffer, &info);

	/* the reason why a buffer cannot be imported is part of the answer */
	return ret ? ret : info.error;
}

static int try_create_ring(void)
{
	struct sluice_create_queue args = { .depth = 1024, .flags = SLUICE_QUEUE_RING };
	int ret = xioctl(device, SLUICE_IOCTL_CREATE_QUEUE, &args);

	return ret ? ret : args.fd;
}

/* The queue is the one that try_create_ring() made. */
static bool prepare_ring_queue(void)
{
	number = try_create_ring();
	return number >= 0;
}

static int try_map_ring(void)
{
	memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, number, 0);
	return memory == MAP_FAILED ? -errno : 0;
}

static bool undo_map_ring(int result)
{
	bool fine = result || ((struct sluice_ring_header *)memory)->magic == SLUICE_RING_MAGIC;

	if (!result)
		munmap(memory, 4096);
	return !close(number) && fine;
}

static int try_create_queue(void)
{
	return sluice_queue_create(device, 0);
}

static int heap_node = -1;

static int try_heap_node_open(void)
{
	int fd = open("/dev/dma_heap/sluice-soft0-pages", O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static bool open_heap_node(void)
{
	heap_node = try_heap_node_open();
	return heap_node >= 0;
}

static int try_heap_node_alloc(void)
{
	struct dma_heap_allocation_data data = { .len = SIZE, .fd_flags = O_RDWR | O_CLOEXEC };
	int ret = xioctl(heap_node, DMA_HEAP_IOCTL_ALLOC, &data);

	return ret ? ret : (int)data.fd;
}

static bool undo_heap_node_alloc(int fd)
{
	close(heap_node);
	return undo_close(fd);
}

#define SPARE_USER_PAGES "/sys/kernel/debug/fail_page_alloc/ignore-gfp-highmem"

/* A memfd with all its pages. */
static bool prepare_memfd(void)
{
	scratch = sealed_memfd(0, SIZE, F_SEAL_SHRINK);
	return scratch >= 0 && !fallocate(scratch, 0, 0, SIZE);
}

/* A memfd without pages: allocations for its holes fail, too, while other pages are pinned. */
static bool prepare_holes(void)
{
	scratch = sealed_memfd(0, SIZE, F_SEAL_SHRINK);
	return scratch >= 0 && !write_text(SPARE_USER_PAGES, "N");
}

static int try_wrap(void)
{
	return sluice_wrap(device, scratch, 0, SIZE);
}

/* F_SEAL_WRITE is possible only if no page is pinned any more. */
static bool undo_wrap(int fd)
{
	bool fine = undo_close(fd) && !fcntl(scratch, F_ADD_SEALS, F_SEAL_WRITE);

	return undo_close(scratch) && fine;
}

static bool undo_wrap_holes(int fd)
{
	return !write_text(SPARE_USER_PAGES, "Y") && undo_wrap(fd);
}

static int try_list_control(void)
{
	struct sluice_enum_controls control;

	return sluice_list_control(device, 0, &control);
}

static int try_list_menu(void)
{
	struct sluice_enum_menu menu;

	return sluice_list_menu(device, SLUICE_CONTROL_INPUT, 0, &menu);
}

static int try_get_control(void)
{
	int64_t value;

	return sluice_get_control(device, SLUICE_SOFT_CONTROL_FRAME, &value);
}

static int try_set_control(void)
{
	return sluice_set_control(device, SLUICE_CONTROL_BRIGHTNESS, 5);
}

/* Is the control set, or unchanged after an error? */
static bool undo_set_control(int result)
{
	int64_t value;

	return !sluice_get_control(device, SLUICE_CONTROL_BRIGHTNESS, &value) &&
	       value == (result < 0 ? 0 : 5) &&
	       !sluice_set_control(device, SLUICE_CONTROL_BRIGHTNESS, 0);
}

static int try_source(void)
{
	struct sluice_source source;

	return sluice_get_source(device, 0, &source);
}

/* The device may have other events, too. */
static bool prepare_event(void)
{
	return !knob("events", 1);
}

static int try_read_event(void)
{
	struct sluice_event event;

	return sluice_read_events(device, &event, 1);
}

static bool undo_read_event(int result)
{
	return result == 1 || try_read_event() == 1;
}

static const struct call device_calls[] = {
	CALL("open", NULL, try_open, undo_close),
	CALL("INFO", NULL, try_info, undo_nothing),
	CALL("HEAP_INFO", NULL, try_heap_info, undo_nothing),
	CALL("ALLOC pages", NULL, try_alloc_pages, undo_close),
	CALL("ALLOC contiguous", NULL, try_alloc_contiguous, undo_close),
	CALL("open a dma-heap node", NULL, try_heap_node_open, undo_close),
	CALL("DMA_HEAP_IOCTL_ALLOC", open_heap_node, try_heap_node_alloc, undo_heap_node_alloc),
	CALL("WRAP", prepare_memfd, try_wrap, undo_wrap),
	CALL("WRAP of holes", prepare_holes, try_wrap, undo_wrap_holes),
	CALL("BUFFER_INFO", NULL, try_buffer_info, undo_nothing),
	CALL("CREATE_QUEUE", NULL, try_create_queue, undo_close),
	CALL("CREATE_QUEUE with a ring", NULL, try_create_ring, undo_close),
	CALL("mmap of a ring", prepare_ring_queue, try_map_ring, undo_map_ring),
	CALL("ENUM_CONTROLS", NULL, try_list_control, undo_nothing),
	CALL("ENUM_MENU", NULL, try_list_menu, undo_nothing),
	CALL("GET_CONTROL", NULL, try_get_control, undo_nothing),
	CALL("SET_CONTROL", NULL, try_set_control, undo_set_control),
	CALL("SOURCE", NULL, try_source, undo_nothing),
	CALL("read of an event", prepare_event, try_read_event, undo_read_event),
};

/* Calls on a queue, whose slot 0 is the buffer. */

static int try_attach(void)
{
	return sluice_attach(queue, buffer, 0);
}

static bool undo_attach(int slot)
{
	return slot < 0 || !sluice_detach(queue, slot);
}

/* Wrapped memory, which gets its kernel mapping here. */
static bool prepare_wrapped(void)
{
	if (!prepare_memfd())
		return false;
	number = sluice_wrap(device, scratch, 0, SIZE);
	return number >= 0;
}

static int try_attach_wrapped(void)
{
	return sluice_attach(queue, number, 0);
}

static bool undo_attach_wrapped(int slot)
{
	bool fine = undo_attach(slot);

	return undo_wrap(number) && fine;
}

/* A foreign buffer for a device with few address bits: the core checks its addresses first. */
static bool prepare_foreign(void)
{
	struct dma_heap_allocation_data args = { .len = SIZE, .fd_flags = O_RDWR | O_CLOEXEC };
	int heap = open("/dev/dma_heap/system", O_RDWR | O_CLOEXEC);
	int ret = xioctl(heap, DMA_HEAP_IOCTL_ALLOC, &args);

	close(heap);
	scratch = args.fd;
	return !ret;
}

static int try_attach_foreign(void)
{
	int ret = sluice_attach(edu, scratch, 0);

	/* the device does not reach the buffer at all */
	return ret == -EADDRNOTAVAIL ? SLUICE_MAX_SLOTS : ret;
}

static bool undo_attach_foreign(int slot)
{
	close(scratch);
	return slot < 0 || slot == SLUICE_MAX_SLOTS || !sluice_detach(edu, slot);
}

static bool prepare_detach(void)
{
	number = sluice_attach(queue, buffer, 0);
	return number > 0;
}

static int try_detach(void)
{
	return sluice_detach(queue, number);
}

static bool undo_detach(int result)
{
	/* the slot is detached, or still there after an error */
	return sluice_detach(queue, number) == (result < 0 ? 0 : -ENOENT);
}

static int submit(unsigned int slot, int in_fence)
{
	struct sluice_op ops[2];
	int fence, ret;

	sluice_op_fill(&ops[0], slot, 0, 4096, 1);
	sluice_op_copy(&ops[1], slot, 8192, slot, 0, 4096);
	ret = sluice_submit(queue, ops, 2, in_fence, &fence, 0, NULL);
	return ret ? ret : fence;
}

static int try_submit(void)
{
	return submit(0, -1);
}

static bool undo_submit(int fence)
{
	struct sluice_completion completion;
	bool fine;

	if (fence < 0)
		return true;
	fine = !sluice_fence_wait(fence, 5000);
	close(fence);
	return fine && sluice_read(queue, &completion, 1) == 1;
}

/* The first job of a queue: SUBMIT allocates the queue's memory. */
static bool prepare_new_queue(void)
{
	number = sluice_queue_create(device, 0);
	return number >= 0;
}

static int try_first_submit(void)
{
	int fence, ret = sluice_submit(number, NULL, 0, -1, &fence, 0, NULL);

	return ret ? ret : fence;
}

/* After an error a second attempt passes, with the same point. */
static bool undo_first_submit(int fence)
{
	struct sluice_completion completion;
	bool fine;

	if (fence < 0)
		fence = try_first_submit();
	fine = fence >= 0 && sluice_read(number, &completion, 1) == 1 && completion.point == 1;
	close(fence);
	return !close(number) && fine;
}

static int try_submit_private(void)
{
	const struct sluice_soft_crc32 payload = { .op = SLUICE_SOFT_CRC32 };
	struct sluice_op op;
	int fence, ret;

	sluice_op_private(&op, &payload, sizeof(payload));
	sluice_program_dst(&op, 0, 8192, 4);
	sluice_program_src(&op, 0, 0, 4096);
	ret = sluice_submit(queue, &op, 1, -1, &fence, 0, NULL);
	return ret ? ret : fence;
}

/* A fence that has signalled. */
static int in_fence;

static int try_submit_after(void)
{
	return submit(0, in_fence);
}

/* A buffer with fences of several timelines. */
static bool prepare_busy(void)
{
	bool fine = true;
	int i, fence;

	scratch = sluice_alloc(device, 0, SIZE, 0);
	for (i = 0; i < BUSY_FENCES; i++) {
		busy[i] = sw_sync_timeline();
		fence = sw_sync_fence(busy[i], 1);
		fine &= !sluice_fence_import(scratch, fence, false);
		close(fence);
	}
	return fine;
}

/* Closing a timeline signals its fences. */
static bool undo_busy(void)
{
	bool fine = true;
	int i;

	for (i = 0; i < BUSY_FENCES; i++)
		fine &= !close(busy[i]);
	return !close(scratch) && fine;
}

static bool prepare_submit_busy(void)
{
	bool fine = prepare_busy();

	number = sluice_attach(queue, scratch, 0);
	return fine && number > 0;
}

static int try_submit_busy(void)
{
	return submit(number, -1);
}

static bool undo_submit_busy(int fence)
{
	/* a job that was not submitted waits for no fence */
	bool fine = fence < 0 || !signalled(fence);

	fine &= undo_busy();
	fine &= undo_submit(fence);
	return !sluice_detach(queue, number) && fine;
}

static struct io_uring ring;

static bool prepare_ring(void)
{
	return !io_uring_queue_init(4, &ring, 0);
}

/* One job ends while it is submitted, the other does not. */
static int try_ring(void)
{
	static struct sluice_completion completions[2];
	static struct sluice_submit submits[2];
	static struct sluice_op ops[2];
	struct io_uring_cqe *cqe;
	int i, ret, result = 0;

	for (i = 0; i < 2; i++) {
		sluice_op_fill(&ops[i], 0, 0, i ? 65536 : 4096, 1);
		submits[i] = (struct sluice_submit) { .ops = (uintptr_t)&ops[i], .num_ops = 1 };
		sluice_prep_submit(io_uring_get_sqe(&ring), queue, &submits[i], &completions[i]);
	}
	/* io_uring's own calls fail once, too: without memory, with -EAGAIN */
	for (i = 0; i < 2;) {
		ret = io_uring_submit_and_wait(&ring, 1);
		if (ret < 0)
			result = ret == -EAGAIN ? -ENOMEM : ret;
		while (!io_uring_peek_cqe(&ring, &cqe)) {
			result = cqe->res ? cqe->res : result;
			io_uring_cqe_seen(&ring, cqe);
			i++;
		}
	}
	return result;
}

static bool undo_ring(int result)
{
	struct pollfd pollfd = { .fd = queue, .events = POLLIN };

	(void)result;
	io_uring_queue_exit(&ring);
	return poll(&pollfd, 1, 0) == 0;
}

static int export_fence(unsigned int point)
{
	struct sluice_export_fence args = { .point = point };
	int ret = xioctl(queue, SLUICE_IOCTL_FENCE, &args);

	return ret ? ret : args.fd;
}

static int try_fence(void)
{
	return export_fence(1);
}

static int try_wait(void)
{
	return sluice_wait(queue, 1, 1000);
}

/* A completion, which a failed read must not lose. */
static bool prepare_completion(void)
{
	int fence = try_submit();
	bool fine = !sluice_fence_wait(fence, 5000);

	return !close(fence) && fine;
}

static int try_read(void)
{
	struct sluice_completion completion;

	return sluice_read(queue, &completion, 1);
}

static bool undo_read(int result)
{
	struct pollfd pollfd = { .fd = queue, .events = POLLIN };

	if (poll(&pollfd, 1, 0) != (result < 0))
		return false;
	return result == 1 || try_read() == 1;
}

static int try_poll(void)
{
	struct pollfd pollfd = { .fd = queue, .events = POLLIN };
	int ret = poll(&pollfd, 1, 0);

	return ret < 0 ? -errno : ret;
}

static bool undo_poll(int result)
{
	return (result < 0 || result == 1) && try_read() == 1;
}

/* epoll allocates while it calls the poll of a queue. */
static int try_epoll(void)
{
	struct epoll_event event = { .events = EPOLLIN };
	int fd = epoll_create1(EPOLL_CLOEXEC), ret = -1;

	if (fd >= 0)
		ret = epoll_ctl(fd, EPOLL_CTL_ADD, queue, &event);
	if (!ret)
		ret = epoll_wait(fd, &event, 1, 0);
	if (ret < 0)
		ret = -errno;
	if (fd >= 0)
		close(fd);
	return ret;
}

static const struct call queue_calls[] = {
	CALL("ATTACH", NULL, try_attach, undo_attach),
	CALL("ATTACH wrapped", prepare_wrapped, try_attach_wrapped, undo_attach_wrapped),
	CALL("ATTACH foreign", prepare_foreign, try_attach_foreign, undo_attach_foreign),
	CALL("DETACH", prepare_detach, try_detach, undo_detach),
	CALL("SUBMIT", NULL, try_submit, undo_submit),
	CALL("SUBMIT of the first job", prepare_new_queue, try_first_submit, undo_first_submit),
	CALL("SUBMIT of a private op", NULL, try_submit_private, undo_submit),
	CALL("SUBMIT with an in-fence", NULL, try_submit_after, undo_submit),
	CALL("SUBMIT on a busy buffer", prepare_submit_busy, try_submit_busy, undo_submit_busy),
	CALL("SUBMIT through io_uring", prepare_ring, try_ring, undo_ring),
	CALL("FENCE", NULL, try_fence, undo_close),
	CALL("WAIT", NULL, try_wait, undo_nothing),
	CALL("read", prepare_completion, try_read, undo_read),
	CALL("poll", prepare_completion, try_poll, undo_poll),
	CALL("epoll", prepare_completion, try_epoll, undo_poll),
};

/* A queue with a running job, a job that waits for a fence, and slots. */

static int doomed, fences[2];

static bool prepare_doomed(void)
{
	int fence;
	struct sluice_op op;

	busy[0] = sw_sync_timeline();
	fence = sw_sync_fence(busy[0], 1);
	doomed = sluice_queue_create(device, 1);
	if (sluice_attach(doomed, buffer, 0) || sluice_attach(doomed, buffer, 0) != 1)
		return false;
	sluice_op_fill(&op, 0, 0, 4096, 1);
	knob("hang_next", 1);
	if (sluice_submit(doomed, &op, 1, -1, &fences[0], 0, NULL) ||
	    sluice_submit(doomed, &op, 1, fence, &fences[1], 0, NULL))
		return false;
	close(fence);
	return wait_running(device, 1);
}

static int try_close_queue(void)
{
	return close(doomed) ? -errno : 0;
}

static bool undo_close_queue(int result)
{
	int first = sluice_fence_wait(fences[0], 5000), second = sluice_fence_wait(fences[1], 5000);

	(void)result;
	knob("hang_next", 0);
	close(fences[0]);
	close(fences[1]);
	close(busy[0]);
	return first == -ECANCELED && second == -ECANCELED;
}

/* a close cannot fail, so it must not need memory that it does not have */
static const struct call close_queue_call =
	CALL("close of a queue with jobs", prepare_doomed, try_close_queue, undo_close_queue,
	     .may_be_sure = true);

/* Calls on a buffer. */

static int try_mmap(void)
{
	int ret = sluice_map(buffer, SIZE, &memory);

	return ret;
}

static bool undo_mmap(int result)
{
	return result < 0 || !munmap(memory, SIZE);
}

static bool prepare_contiguous(void)
{
	scratch = sluice_alloc(device, 1, SIZE, 0);
	return scratch >= 0;
}

static int try_mmap_contiguous(void)
{
	return sluice_map(scratch, SIZE, &memory);
}

static bool undo_mmap_contiguous(int result)
{
	return undo_mmap(result) && !close(scratch);
}

static bool prepare_mapping(void)
{
	scratch = sluice_alloc(device, 0, SIZE, 0);
	return !sluice_map(scratch, SIZE, &memory);
}

/* Touch each page for the first time; then make a hole, which splits the mapping. */
static int try_touch(void)
{
	volatile uint32_t *words = memory;
	size_t i;

	for (i = 0; i < SIZE / 4; i += 1024)
		words[i] = i;
	return munmap((char *)memory + SIZE / 2, 4096) ? -errno : 0;
}

static bool undo_touch(int result)
{
	uint32_t *words = memory;

	(void)result;
	return words[1024] == 1024 && !munmap(memory, SIZE) && !close(scratch);
}

/* The mapping keeps the buffer after its fd is closed, and is removed last. */
static int try_close_mapped(void)
{
	volatile uint32_t *words = memory;

	if (close(scratch))
		return -errno;
	words[0] = 1;
	return munmap(memory, SIZE) ? -errno : 0;
}

static bool undo_close_mapped(int result)
{
	return result >= 0 || !munmap(memory, SIZE);
}

static int try_sync(void)
{
	int ret = sluice_cpu_begin(buffer, true);

	return ret ? ret : sluice_cpu_end(buffer, true);
}

static int try_export_fences(void)
{
	return sluice_fence_export(scratch, true);
}

static bool undo_export_fences(int fence)
{
	bool fine = fence < 0 || !signalled(fence);

	return undo_close(fence) && undo_busy() && fine;
}

static bool prepare_import(void)
{
	scratch = sluice_alloc(device, 0, SIZE, 0);
	busy[0] = sw_sync_timeline();
	number = sw_sync_fence(busy[0], 1);
	return scratch >= 0 && number >= 0;
}

static int try_import_fence(void)
{
	return sluice_fence_import(scratch, number, true);
}

static bool undo_import_fence(int result)
{
	struct pollfd pollfd = { .fd = scratch, .events = POLLIN };
	bool fine = poll(&pollfd, 1, 0) == (result < 0);

	return !close(number) && !close(busy[0]) && !close(scratch) && fine;
}

static const struct call buffer_calls[] = {
	CALL("mmap of pages", NULL, try_mmap, undo_mmap),
	CALL("mmap of contiguous memory", prepare_contiguous, try_mmap_contiguous,
	     undo_mmap_contiguous),
	CALL("touch and munmap of a part", prepare_mapping, try_touch, undo_touch),
	CALL("close of a mapped buffer", prepare_mapping, try_close_mapped, undo_close_mapped,
	     .may_be_sure = true),
	CALL("SYNC", NULL, try_sync, undo_nothing),
	CALL("EXPORT_SYNC_FILE", prepare_busy, try_export_fences, undo_export_fences),
	CALL("IMPORT_SYNC_FILE", prepare_import, try_import_fence, undo_import_fence),
};

FIXTURE(faults) {
	struct objects before;
};

FIXTURE_SETUP(faults)
{
	knob("delay_us", 0);
	self->before = objects_before();
	if (access("/proc/self/fail-nth", F_OK))
		SKIP(return, "no fault injection (/proc/self/fail-nth) in this kernel");
	ASSERT_TRUE(fault_sites_on());
	device = sluice_open("soft0");
	ASSERT_GE(device, 0);
	buffer = sluice_alloc(device, 0, SIZE, 0);
	ASSERT_GE(buffer, 0);
	queue = sluice_queue_create(device, 0);
	ASSERT_GE(queue, 0);
}

/* the device still works */
FIXTURE_TEARDOWN(faults)
{
	int slot = sluice_attach(queue, buffer, 0), fence;

	ASSERT_GE(slot, 0);
	fence = submit(slot, -1);
	EXPECT_EQ(sluice_fence_wait(fence, 5000), 0);
	EXPECT_EQ(check_value(buffer, 4096, 1), 0);
	close(fence);
	fault_sites_off();
	close(queue);
	close(buffer);
	close(device);
	EXPECT_TRUE(objects_settle(&self->before));
}

#define EACH_SITE_OF(calls) \
	do { \
		unsigned int each; \
		for (each = 0; each < sizeof(calls) / sizeof((calls)[0]); each++) \
			EXPECT_TRUE(fault_sites_each(&(calls)[each])); \
	} while (0)

TEST_F_TIMEOUT(faults, in_calls_on_a_device_are_clean, 120)
{
	EACH_SITE_OF(device_calls);
}

TEST_F_TIMEOUT(faults, in_calls_on_a_queue_are_clean, 240)
{
	struct sluice_completion completion;
	struct objects idle;
	int other = sluice_open("edu0");

	edu = sluice_queue_create(other, 0);
	ASSERT_GE(edu, 0);
	ASSERT_EQ(sluice_attach(queue, buffer, 0), 0);
	idle = objects_read();
	in_fence = try_submit();
	ASSERT_GE(in_fence, 0);
	ASSERT_EQ(sluice_fence_wait(in_fence, 5000), 0);
	ASSERT_EQ(sluice_read(queue, &completion, 1), 1);
	/* the job has ended, but may not have been freed yet */
	ASSERT_TRUE(objects_settle(&idle));
	EACH_SITE_OF(queue_calls);
	close(in_fence);
	close(edu);
	close(other);
}

TEST_F_TIMEOUT(faults, at_the_close_of_a_queue_change_nothing, 120)
{
	EXPECT_TRUE(fault_sites_each(&close_queue_call));
}

TEST_F_TIMEOUT(faults, in_calls_on_a_buffer_are_clean, 120)
{
	EACH_SITE_OF(buffer_calls);
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
	EXPECT_GT(fault_sites_sum(), 400);
}

TEST_HARNESS_MAIN
