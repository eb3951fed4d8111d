// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "machine.h"
#include "v4l2.h"

#define MAX_NODES 64

int v4l2_open(const char *driver, uint32_t capabilities)
{
	int number;

	for (number = 0; number < MAX_NODES; number++) {
		struct v4l2_capability capability = {};
		char path[32];
		int fd;

		snprintf(path, sizeof(path), "/dev/video%d", number);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (!xioctl(fd, VIDIOC_QUERYCAP, &capability) &&
		    !strcmp((char *)capability.driver, driver) &&
		    (capability.device_caps & capabilities) == capabilities)
			return fd;
		close(fd);
	}
	return -ENODEV;
}

int v4l2_set_format(int node, uint32_t type, uint32_t width, uint32_t height, uint32_t fourcc,
		    uint32_t *size)
{
	struct v4l2_format format = {
		.type = type,
		.fmt.pix = {
			.width = width,
			.height = height,
			.pixelformat = fourcc,
			.field = V4L2_FIELD_NONE,
		},
	};
	int ret = xioctl(node, VIDIOC_S_FMT, &format);

	if (ret)
		return ret;
	*size = format.fmt.pix.sizeimage;
	if (format.fmt.pix.width != width || format.fmt.pix.height != height ||
	    format.fmt.pix.pixelformat != fourcc)
		return -EINVAL;
	return 0;
}

int v4l2_request(int node, uint32_t type, unsigned int count)
{
	struct v4l2_requestbuffers args = {
		.count = count,
		.type = type,
		.memory = V4L2_MEMORY_DMABUF,
	};
	int ret = xioctl(node, VIDIOC_REQBUFS, &args);

	return ret ? ret : args.count == count ? 0 : -ENOMEM;
}

int v4l2_queue(int node, uint32_t type, unsigned int index, int dmabuf, uint32_t used)
{
	struct v4l2_buffer args = {
		.index = index,
		.type = type,
		.memory = V4L2_MEMORY_DMABUF,
		.field = V4L2_FIELD_NONE,
		.bytesused = used,
		.m.fd = dmabuf,
	};

	return xioctl(node, VIDIOC_QBUF, &args);
}

int v4l2_dequeue(int node, uint32_t type, int timeout_ms, struct v4l2_buffer *buffer)
{
	short ready = V4L2_TYPE_IS_OUTPUT(type) ? POLLOUT : POLLIN;
	struct pollfd pollfd = { .fd = node, .events = ready };

	if (poll(&pollfd, 1, timeout_ms) != 1 || !(pollfd.revents & ready) ||
	    pollfd.revents & POLLERR)
		return -ETIMEDOUT;
	*buffer = (struct v4l2_buffer) { .type = type, .memory = V4L2_MEMORY_DMABUF };
	return xioctl(node, VIDIOC_DQBUF, buffer);
}

int v4l2_stream(int node, uint32_t type, bool on)
{
	return xioctl(node, on ? VIDIOC_STREAMON : VIDIOC_STREAMOFF, &type);
}
