// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/dma-buf.h>
#include <xf86drm.h>
#include <xf86drmMode.h>

#include "holders.h"
#include "importer.h"
#include "kms.h"
#include "loop.h"
#include "machine.h"
#include "sluice.h"
#include "v4l2.h"

#define CAMERA_WIDTH	320U
#define CAMERA_HEIGHT	180U
#define CAMERA_SIZE	(256UL << 10)
#define TRANSFORM_WIDTH	64U
#define TRANSFORM_SIZE	(TRANSFORM_WIDTH * TRANSFORM_WIDTH * 2)
#define SCREEN_SIZE	(SCREEN_WIDTH * SCREEN_HEIGHT * 4UL)

#define KEPT		8	/* buffers and fences that a process keeps at a time */

struct held held;

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* Open the holder's device as soon as its node exists; -1 if that takes too long. */
static int wait_device(struct holder *holder)
{
	int tries, device = -ENODEV;

	for (tries = 0; tries < 100 && device < 0 && !over; tries++) {
		device = sluice_open(holder->device);
		if (device < 0)
			usleep(1000);
	}
	return device < 0 ? -1 : device;
}

/* Allocate a buffer; some of the buffers are read-only. */
static int new_buffer(struct holder *holder, int device, uint64_t size)
{
	struct sluice_alloc alloc = {
		.size = size,
		.heap = rand_r(&holder->seed) & 1,
		.fd_flags = rand_r(&holder->seed) % 8 ? 0 : SLUICE_FD_RDONLY,
	};

	return count(xioctl(device, SLUICE_IOCTL_ALLOC, &alloc)) ? -1 : alloc.fd;
}

static void submit(const struct holder *holder, int queue, const struct sluice_op *op,
		   int in_fence, int *out_fence)
{
	if (!count(sluice_submit(queue, op, 1, in_fence, out_fence, 0, NULL)))
		atomic_fetch_add(strcmp(holder->device, "edu0") ? &held.soft_jobs :
				 &held.edu_jobs, 1);
}

/* Do not wait for long: some jobs end only at the unbind. */
static void wait_end(int fence)
{
	if (fence >= 0 && sluice_fence_wait(fence, 500) == -ENODEV)
		atomic_fetch_add(&held.ended, 1);
}

void send_to_keeper(int socket, int buffer, int fence)
{
	int fds[2] = { buffer, fence };
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(fds))];
	} control = {};
	char byte = 0;
	struct iovec data = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &data, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};

	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof(fds));
	memcpy(CMSG_DATA(&control.header), fds, sizeof(fds));
	/* a full socket means that the keeper is busy */
	if (sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL) == 1)
		atomic_fetch_add(&held.sent, 1);
}

/* Receive pairs of a buffer and a fence, and use them, until killed. */
static void keep(int socket)
{
	int buffers[KEPT], fences[KEPT];
	unsigned int next = 0;

	memset(buffers, -1, sizeof(buffers));
	memset(fences, -1, sizeof(fences));
	for (;;) {
		int fds[2];
		union {
			struct cmsghdr header;
			char space[CMSG_SPACE(sizeof(fds))];
		} control;
		char byte;
		struct iovec data = { .iov_base = &byte, .iov_len = 1 };
		struct msghdr message = {
			.msg_iov = &data, .msg_iovlen = 1,
			.msg_control = &control, .msg_controllen = sizeof(control),
		};
		void *memory;

		if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) != 1)
			_exit(0);
		if (message.msg_controllen < CMSG_LEN(sizeof(fds)))
			continue;
		memcpy(fds, CMSG_DATA(&control.header), sizeof(fds));
		close_fd(&buffers[next]);
		close_fd(&fences[next]);
		buffers[next] = fds[0];
		fences[next] = fds[1];
		next = (next + 1) % KEPT;
		/* a foreign fence, of a device that may have been removed */
		sluice_fence_wait(fds[1], 20);
		memory = mmap(NULL, RACES_SIZE, PROT_READ, MAP_SHARED, fds[0], 0);
		if (memory == MAP_FAILED)
			continue;
		if (!sluice_cpu_begin(fds[0], false)) {
			(void)*(volatile char *)memory;
			sluice_cpu_end(fds[0], false);
		}
		munmap(memory, RACES_SIZE);
	}
}

pid_t keep_in_process(int *end)
{
	unsigned int seed = setting("RACES_SEED", 1);
	int sockets[2];
	pid_t pid, child;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets))
		return -1;
	*end = sockets[0];
	pid = fork();
	if (pid) {
		close(sockets[1]);
		return pid;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	close(sockets[0]);
	for (;;) {
		child = fork();
		if (!child) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			keep(sockets[1]);
		}
		usleep(200000 + rand_r(&seed) % 800000);
		/* -1 would be all processes for kill() */
		if (child > 0)
			kill(child, SIGKILL);
		waitpid(child, NULL, 0);
	}
}

/* Make an attachment, a mapping and a fence of the test importer.  Returns its fd. */
static int hold_in_importer(int buffer)
{
	struct importer_device device = { .dma_bits = 40, .max_seg = 4096, .boundary = ~0ULL };
	struct importer_attach attach = { .fd = buffer };
	struct importer_fence fence = { .fd = buffer, .write = 1, .ms = 20 };
	struct importer_map map = {};
	int importer = open("/dev/sluice-importer", O_RDWR | O_CLOEXEC);

	if (importer < 0)
		return -1;
	if (ioctl(importer, IMPORTER_DEVICE, &device) >= 0 &&
	    ioctl(importer, IMPORTER_ATTACH, &attach) >= 0 &&
	    ioctl(importer, IMPORTER_MAP, &map) >= 0)
		atomic_fetch_add(&held.importers, 1);
	ioctl(importer, IMPORTER_FENCE, &fence);
	return importer;
}

void *hold_jobs(void *argument)
{
	struct holder *holder = argument;
	unsigned int *seed = &holder->seed;
	int importer = -1;

	while (!over) {
		int device = wait_device(holder), queue, buffer, other, fence = -1;
		struct sluice_op op;
		uint32_t handle;

		if (device < 0)
			continue;
		queue = sluice_queue_create(device, 0);
		buffer = new_buffer(holder, device, RACES_SIZE);
		count(sluice_attach(queue, buffer, 0));
		if (rand_r(seed) % 8 == 0) {
			/* close the importer, which has kept its buffer across some unbinds */
			close_fd(&importer);
			importer = hold_in_importer(buffer);
		}
		sluice_op_fill(&op, 0, 0, RACES_SIZE, 1);
		submit(holder, queue, &op, -1, &fence);
		submit(holder, queue, &op, fence, NULL);
		if (fence >= 0 && buffer >= 0 && holder->keeper >= 0 && rand_r(seed) & 1)
			send_to_keeper(holder->keeper, buffer, fence);
		if (rand_r(seed) % 4 == 0 && !drmPrimeFDToHandle(holder->fd, buffer, &handle)) {
			usleep(1000);
			drmCloseBufferHandle(holder->fd, handle);
		}
		/* implicit sync, also on a buffer that may have a foreign fence */
		other = buffer < 0 ? -1 : sluice_fence_export(buffer, true);
		count(sluice_wait(queue, 2, rand_r(seed) % 50));
		if (rand_r(seed) & 1)
			wait_end(fence);
		if (other >= 0)
			sluice_fence_wait(other, rand_r(seed) % 20);
		/* close them in any order */
		if (rand_r(seed) & 1)
			close_fd(&queue);
		close_fd(&other);
		close_fd(&buffer);
		close_fd(&device);
		close_fd(&queue);
		close_fd(&fence);
	}
	close_fd(&importer);
	return NULL;
}

/* CPU access in the middle of a mapping: begin, read, write and end, even after an unbind. */
static void touch(struct holder *holder, int buffer, volatile char *memory, bool write)
{
	size_t at = rand_r(&holder->seed) % RACES_SIZE;

	if (rand_r(&holder->seed) % 4 == 0 && sluice_cpu_begin(buffer, write))
		return;
	(void)memory[at];
	if (write)
		memory[at] = at;
	sluice_cpu_end(buffer, write);
}

void *hold_mappings(void *argument)
{
	struct holder *holder = argument;
	unsigned int *seed = &holder->seed;

	while (!over) {
		int device = wait_device(holder), queue, buffer;
		char *whole, *reader, *part;
		struct sluice_op op;
		int looks = rand_r(seed) % 40;

		if (device < 0)
			continue;
		buffer = new_buffer(holder, device, RACES_SIZE);
		queue = sluice_queue_create(device, 0);
		count(sluice_attach(queue, buffer, 0));
		sluice_op_fill(&op, 0, 0, RACES_SIZE, 1);
		close_fd(&device);
		whole = mmap(NULL, RACES_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, buffer, 0);
		reader = mmap(NULL, RACES_SIZE, PROT_READ, MAP_SHARED, buffer, 0);
		while (looks-- && reader != MAP_FAILED && !over) {
			submit(holder, queue, &op, -1, NULL);
			touch(holder, buffer, reader, false);
			if (whole != MAP_FAILED)
				touch(holder, buffer, whole, true);
			/* map a part of it again, while the device may be removed */
			part = mmap(NULL, 4096, PROT_READ, MAP_SHARED, buffer,
				    rand_r(seed) % (RACES_SIZE / 4096) * 4096);
			if (part != MAP_FAILED) {
				(void)*(volatile char *)part;
				munmap(part, 4096);
			}
			atomic_fetch_add(&held.mappings, 1);
			pause_up_to(seed, 5000);
		}
		close_fd(&queue);
		close_fd(&buffer);
		/* unmap one half, then the other; the memory is freed with the last */
		if (reader != MAP_FAILED) {
			munmap(reader, RACES_SIZE / 2);
			(void)*(volatile char *)(reader + RACES_SIZE / 2);
			munmap(reader + RACES_SIZE / 2, RACES_SIZE / 2);
		}
		if (whole != MAP_FAILED)
			munmap(whole, RACES_SIZE);
	}
	return NULL;
}

void *hold_screen(void *argument)
{
	struct holder *holder = argument;
	unsigned int *seed = &holder->seed;
	struct kms *kms = holder->kms;
	uint32_t shown = 0;

	while (!over) {
		int device = wait_device(holder), buffer, queue, fence = -1;
		struct sluice_op op;
		uint32_t fb = 0;

		if (device < 0)
			continue;
		buffer = new_buffer(holder, device, SCREEN_SIZE);
		queue = sluice_queue_create(device, 1);
		count(sluice_attach(queue, buffer, SLUICE_ATTACH_WRITE));
		sluice_op_fill(&op, 0, 0, RACES_SIZE, 1);
		submit(holder, queue, &op, -1, &fence);
		if (buffer >= 0 && !kms_import(kms, buffer, SCREEN_WIDTH * 4, &fb)) {
			/* with the fence of the job, or with the fences on the buffer */
			if (rand_r(seed) & 1)
				close_fd(&fence);
			if (!kms_show(kms, fb, fence, false))
				atomic_fetch_add(&held.pictures, 1);
			pause_up_to(seed, 20000);
		}
		close_fd(&buffer);
		close_fd(&device);
		if (rand_r(seed) & 1)
			close_fd(&queue);
		/* only the screen holds the buffer until it shows the next one */
		kms_finish(kms, 60000);
		wait_end(fence);
		close_fd(&fence);
		close_fd(&queue);
		if (fb && shown)
			drmModeRmFB(kms->fd, shown);
		if (fb)
			shown = fb;
		pause_up_to(seed, 100000);
	}
	return NULL;
}

/* Set one frame per second: vivid must hold the buffer, and not draw all the time. */
static int open_camera(void)
{
	struct v4l2_streamparm parm = {
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.parm.capture.timeperframe = { 1, 1 },
	};
	int camera = v4l2_open("vivid", V4L2_CAP_VIDEO_CAPTURE);
	uint32_t size;

	if (camera >= 0) {
		v4l2_set_format(camera, parm.type, CAMERA_WIDTH, CAMERA_HEIGHT,
				V4L2_PIX_FMT_YUYV, &size);
		xioctl(camera, VIDIOC_S_PARM, &parm);
	}
	return camera;
}

void *hold_camera(void *argument)
{
	const uint32_t capture = V4L2_BUF_TYPE_VIDEO_CAPTURE;
	struct holder *holder = argument;
	int camera = -1;

	while (!over) {
		int device = wait_device(holder), buffer;

		if (device < 0)
			continue;
		buffer = new_buffer(holder, device, CAMERA_SIZE);
		close_fd(&device);
		if (camera < 0)
			camera = open_camera();
		/* a queue has at least two buffers */
		if (buffer >= 0 && !v4l2_request(camera, capture, 2) &&
		    !v4l2_queue(camera, capture, 0, buffer, 0) &&
		    !v4l2_stream(camera, capture, true))
			atomic_fetch_add(&held.streams, 1);
		close_fd(&buffer);
		pause_up_to(&holder->seed, 1000000);
		/* now and then close the node; then vivid draws its pattern anew */
		if (rand_r(&holder->seed) % 8 == 0)
			close_fd(&camera);
		v4l2_stream(camera, capture, false);
		v4l2_request(camera, capture, 0);
	}
	close_fd(&camera);
	return NULL;
}

void *hold_transform(void *argument)
{
	const uint32_t out = V4L2_BUF_TYPE_VIDEO_OUTPUT, capture = V4L2_BUF_TYPE_VIDEO_CAPTURE;
	struct holder *holder = argument;
	struct v4l2_buffer done;
	int node = holder->fd;
	uint32_t size;

	v4l2_set_format(node, out, TRANSFORM_WIDTH, TRANSFORM_WIDTH, V4L2_PIX_FMT_RGB565, &size);
	v4l2_set_format(node, capture, TRANSFORM_WIDTH, TRANSFORM_WIDTH, V4L2_PIX_FMT_RGB565,
			&size);
	while (!over) {
		int device = wait_device(holder), from, to;

		if (device < 0)
			continue;
		from = new_buffer(holder, device, TRANSFORM_SIZE);
		to = new_buffer(holder, device, TRANSFORM_SIZE);
		close_fd(&device);
		if (from >= 0 && to >= 0 && !v4l2_request(node, out, 1) &&
		    !v4l2_request(node, capture, 1) &&
		    !v4l2_queue(node, capture, 0, to, 0) &&
		    !v4l2_queue(node, out, 0, from, TRANSFORM_SIZE) &&
		    !v4l2_stream(node, out, true) && !v4l2_stream(node, capture, true))
			atomic_fetch_add(&held.transforms, 1);
		close_fd(&from);
		pause_up_to(&holder->seed, 50000);
		close_fd(&to);
		/* wait for its end, or stop it before that */
		if (rand_r(&holder->seed) & 1)
			v4l2_dequeue(node, capture, 500, &done);
		v4l2_stream(node, out, false);
		v4l2_stream(node, capture, false);
		v4l2_request(node, out, 0);
		v4l2_request(node, capture, 0);
	}
	return NULL;
}
