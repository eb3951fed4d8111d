// SPDX-License-Identifier: MIT
/*
 * Calls for any file, for a dma-buf and for a sync_file, and fences and buffers of other drivers.
 */
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <linux/sync_file.h>
#include <linux/udmabuf.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "state.h"

/* Files */

void do_read(const uint8_t *g)
{
	size_t size = g[1] < 128 ? sizeof(struct sluice_completion) * (1 + g[1] % 4) : number(g[1]);
	void *place = g[2] < 240 ? state.arena :
		      g[2] < 248 ? state.arena + 2 * state.page - 64 : NULL;
	int fd = pick_fd(g[0], QUEUE);
	struct pollfd wait = { .fd = fd, .events = POLLIN };

	/* a blocking read is made only if it need not wait, or rarely */
	if (g[3] < 250 && (fcntl(fd, F_SETFL, g[3] < 128 ? O_NONBLOCK : 0) ||
			   (g[3] >= 128 && poll(&wait, 1, 20) != 1)))
		return;
	if (read(fd, place, size < 2 * state.page ? size : 2 * state.page) < 0 && g[4] >= 240)
		lseek(fd, number(g[4]), SEEK_SET);
}

void do_write(const uint8_t *g)
{
	ssize_t ret = write(pick_fd(g[0], g[1] % 4), state.arena, 64);

	(void)ret;
}

void do_poll(const uint8_t *g)
{
	struct pollfd fds[2] = {
		{ .fd = pick_fd(g[0], g[1] % 5), .events = g[2] < 240 ? POLLIN | POLLOUT : g[2] },
		{ .fd = pick_fd(g[3], QUEUE), .events = POLLIN },
	};

	poll(fds, 1 + g[4] % 2, g[5] % 8);
}

void do_epoll(const uint8_t *g)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | (g[2] & 1 ? EPOLLET : 0) };
	int fd = epoll_create1(EPOLL_CLOEXEC);

	epoll_ctl(fd, EPOLL_CTL_ADD, pick_fd(g[0], 1 + g[1] % 4), &event);
	epoll_wait(fd, &event, 1, g[3] % 4);
	add_fd(fd, ANY);
}

void do_close(const uint8_t *g)
{
	unsigned int index;

	if (!state.num_fds)
		return;
	index = state.num_fds - 1 - g[0] % state.num_fds;
	close(state.fds[index].fd);
	/* now and then keep the number: a stale fd */
	if (g[1] >= 224)
		return;
	state.fds[index] = state.fds[--state.num_fds];
}

void do_dup(const uint8_t *g)
{
	int fd = pick_fd(g[0], 1 + g[1] % 4);

	add_fd(fcntl(fd, F_DUPFD_CLOEXEC, 3), kind_of_fd(fd));
}

/* Pass an fd through a socket and back; now and then close the socket with the fd inside. */
void do_pass(const uint8_t *g)
{
	union {
		char space[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {};
	char byte = 0;
	struct iovec data = { &byte, 1 };
	struct msghdr message = {
		.msg_iov = &data, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *head = CMSG_FIRSTHDR(&message);
	int pair[2], fd = pick_fd(g[0], 1 + g[1] % 4);

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return;
	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(head), &fd, sizeof(fd));
	if (sendmsg(pair[0], &message, MSG_DONTWAIT) == 1 && g[2] < 192 &&
	    recvmsg(pair[1], &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) == 1 &&
	    (head = CMSG_FIRSTHDR(&message))) {
		memcpy(&fd, CMSG_DATA(head), sizeof(fd));
		add_fd(fd, 1 + g[1] % 4);
	}
	close(pair[0]);
	close(pair[1]);
}

/* Memory */

void do_mmap(const uint8_t *g)
{
	static const int prots[] = {
		PROT_READ | PROT_WRITE, PROT_READ, PROT_WRITE, PROT_NONE, PROT_READ | PROT_EXEC,
	};
	size_t size = g[1] ? number(g[1]) : 65536;
	int prot = prots[g[3] % 5];
	void *start = mmap(NULL, size, prot, g[4] < 200 ? MAP_SHARED : g[4] < 220 ? MAP_PRIVATE :
			   MAP_SHARED | MAP_POPULATE, pick_fd(g[0], g[5] < 200 ? BUFFER : g[5] % 4),
			   number(g[2]) & ~(state.page - 1));

	if (start == MAP_FAILED)
		return;
	if (state.num_maps == MAX_MAPS) {
		munmap(start, size);
		return;
	}
	state.maps[state.num_maps].start = start;
	state.maps[state.num_maps].prot = prot;
	state.maps[state.num_maps++].size = size;
}

/*
 * Touch memory in a system call: a hole in the mapping fails the call, and does not kill the
 * process.
 */
void do_touch(const uint8_t *g)
{
	uint8_t *place;
	unsigned int i;
	int pipes[2];

	if (!state.num_maps || pipe2(pipes, O_CLOEXEC | O_NONBLOCK))
		return;
	i = g[0] % state.num_maps;
	place = (uint8_t *)state.maps[i].start + number(g[1]) % state.maps[i].size;
	if (write(pipes[1], place, 1) == 1 && read(pipes[0], place, 1) == 1 && g[2] >= 128)
		madvise(state.maps[i].start, state.maps[i].size,
			g[2] & 1 ? MADV_DONTNEED : MADV_DONTFORK);
	close(pipes[0]);
	close(pipes[1]);
}

void do_munmap(const uint8_t *g)
{
	unsigned int i;
	void *moved;

	if (!state.num_maps)
		return;
	i = g[0] % state.num_maps;
	if (g[1] >= 192) {	/* shrink, move or grow a mapping */
		moved = mremap(state.maps[i].start, state.maps[i].size,
			       g[1] < 224 ? state.page : 2 * state.maps[i].size, MREMAP_MAYMOVE);
		if (moved != MAP_FAILED) {
			state.maps[i].start = moved;
			state.maps[i].size = g[1] < 224 ? state.page : 2 * state.maps[i].size;
		}
		return;
	}
	munmap(state.maps[i].start, state.maps[i].size);
	state.maps[i] = state.maps[--state.num_maps];
}

void do_sync(const uint8_t *g)
{
	struct dma_buf_sync sync = {
		.flags = g[1] < 240 ? (g[1] % 3 + 1U) | (g[2] & 1 ? DMA_BUF_SYNC_END : 0) : number(g[1]),
	};

	lying_ioctl(pick_fd(g[0], BUFFER), DMA_BUF_IOCTL_SYNC, &sync, g[3]);
}

void do_export(const uint8_t *g)
{
	struct dma_buf_export_sync_file export = {
		.flags = g[1] < 240 ? g[1] % 3 + 1U : number(g[1]),
		.fd = -1,
	};

	if (!lying_ioctl(pick_fd(g[0], BUFFER), DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &export, g[2]))
		add_fd(export.fd, FENCE);
}

void do_import(const uint8_t *g)
{
	struct dma_buf_import_sync_file import = {
		.flags = g[1] < 240 ? g[1] % 3 + 1U : number(g[1]),
		.fd = pick_fd(g[2], FENCE),
	};

	lying_ioctl(pick_fd(g[0], BUFFER), DMA_BUF_IOCTL_IMPORT_SYNC_FILE, &import, g[3]);
}

void do_seek(const uint8_t *g)
{
	lseek(pick_fd(g[0], BUFFER), number(g[1]), g[2] % 4);
}

/* Foreign fences and buffers */

void do_merge(const uint8_t *g)
{
	struct sync_merge_data merge = { .name = "fuzz", .fd2 = pick_fd(g[1], FENCE) };

	if (!lying_ioctl(pick_fd(g[0], FENCE), SYNC_IOC_MERGE, &merge, g[2]))
		add_fd(merge.fence, FENCE);
}

void do_fence_info(const uint8_t *g)
{
	struct sync_fence_info fences[4] = {};
	struct sync_file_info info = {
		.num_fences = g[1] % 5,
		.sync_fence_info = (uintptr_t)fences,
	};

	lying_ioctl(pick_fd(g[0], FENCE), SYNC_IOC_FILE_INFO, &info, g[2]);
}

struct sw_sync_fence {
	uint32_t value;
	char name[32];
	int32_t fence;
};

void do_foreign_fence(const uint8_t *g)
{
	struct sw_sync_fence data = { .value = g[1] % 4, .name = "fuzz" };
	int fd = pick_fd(g[0], TIMELINE);

	if (fd < 0)
		fd = add_fd(open("/sys/kernel/debug/sync/sw_sync", O_RDWR | O_CLOEXEC), TIMELINE);
	if (!ioctl(fd, _IOWR('W', 0, struct sw_sync_fence), &data))
		add_fd(data.fence, FENCE);
}

void do_signal(const uint8_t *g)
{
	uint32_t steps = 1 + g[1] % 2;

	ioctl(pick_fd(g[0], TIMELINE), _IOW('W', 1, uint32_t), &steps);
}

/* A heap of Sluice as a dma-heap: its node is rarely kept open. */
void do_heap_node(const uint8_t *g)
{
	struct dma_heap_allocation_data data = {
		.len = g[1] == 5 ? 65536 : number(g[1]),
		.fd = reserved(g[2]),
		.fd_flags = g[3] < 192 ? O_RDWR | O_CLOEXEC : g[3] < 248 ? g[3] % 4 : number(g[3]),
		.heap_flags = reserved(g[4]),
	};
	int fd = open(g[0] & 1 ? "/dev/dma_heap/sluice-soft0-contiguous" :
		      "/dev/dma_heap/sluice-soft0-pages", O_RDWR | O_CLOEXEC);

	if (!lying_ioctl(fd, DMA_HEAP_IOCTL_ALLOC, &data, g[5]))
		add_fd(data.fd, BUFFER);
	if (g[6] < 192)
		close(fd);
	else
		add_fd(fd, ANY);
}

void do_foreign_buffer(const uint8_t *g)
{
	struct dma_heap_allocation_data heap = { .len = 65536, .fd_flags = O_RDWR | O_CLOEXEC };
	struct udmabuf_create pages = { .flags = UDMABUF_FLAGS_CLOEXEC, .size = 65536 };
	int fd;

	if (g[0] & 1) {
		fd = open("/dev/dma_heap/system", O_RDWR | O_CLOEXEC);
		if (!ioctl(fd, DMA_HEAP_IOCTL_ALLOC, &heap))
			add_fd(heap.fd, BUFFER);
		close(fd);
		return;
	}
	pages.memfd = memfd_create("fuzz", MFD_ALLOW_SEALING | MFD_CLOEXEC);
	if (!ftruncate(pages.memfd, pages.size) && !fcntl(pages.memfd, F_ADD_SEALS, F_SEAL_SHRINK)) {
		fd = open("/dev/udmabuf", O_RDWR | O_CLOEXEC);
		add_fd(ioctl(fd, UDMABUF_CREATE, &pages), BUFFER);
		close(fd);
	}
	add_fd(pages.memfd, ANY);
}
