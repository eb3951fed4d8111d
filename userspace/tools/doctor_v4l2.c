// SPDX-License-Identifier: MIT
/*
 * V4L2 nodes.  QBUF imports a buffer, also when no picture is captured.  V4L2 has no interface for
 * fences.
 *
 * If a dma-buf cannot be attached to the device, videobuf2 never releases this dma-buf (seen in
 * Linux 6.12 and 7.2).  So a buffer is tried only if the device surely reaches its memory.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/videodev2.h>

#include "doctor.h"

/* A frame that needs more is not tried: the trial would take too much memory */
#define MAX_FRAME (64ULL << 20)

static int call(int fd, unsigned long request, void *argument)
{
	int ret;

	do
		ret = ioctl(fd, request, argument);
	while (ret < 0 && errno == EINTR);
	return ret < 0 ? -errno : 0;
}

/* The type of the queue to try; 0 if the node has none for frames. */
static uint32_t queue_type(uint32_t caps)
{
	if (caps & V4L2_CAP_VIDEO_CAPTURE)
		return V4L2_BUF_TYPE_VIDEO_CAPTURE;
	if (caps & (V4L2_CAP_VIDEO_CAPTURE_MPLANE | V4L2_CAP_VIDEO_M2M_MPLANE))
		return V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE;
	if (caps & V4L2_CAP_VIDEO_M2M)
		return V4L2_BUF_TYPE_VIDEO_CAPTURE;
	if (caps & V4L2_CAP_VIDEO_OUTPUT)
		return V4L2_BUF_TYPE_VIDEO_OUTPUT;
	if (caps & V4L2_CAP_VIDEO_OUTPUT_MPLANE)
		return V4L2_BUF_TYPE_VIDEO_OUTPUT_MPLANE;
	return 0;
}

/** struct frame - the planes of a frame, and a buffer for each */
struct frame {
	uint32_t type;
	uint32_t num_planes;
	uint64_t sizes[VIDEO_MAX_PLANES];
	int buffers[VIDEO_MAX_PLANES];
};

/* Read the sizes of the current format; returns false if they are not usable. */
static bool read_format(int node, struct frame *frame)
{
	struct v4l2_format format = { .type = frame->type };
	uint64_t sum = 0;
	uint32_t i;

	if (call(node, VIDIOC_G_FMT, &format))
		return false;
	frame->num_planes = 1;
	frame->sizes[0] = format.fmt.pix.sizeimage;
	if (V4L2_TYPE_IS_MULTIPLANAR(frame->type)) {
		frame->num_planes = format.fmt.pix_mp.num_planes;
		if (frame->num_planes > VIDEO_MAX_PLANES)
			return false;
		for (i = 0; i < frame->num_planes; i++)
			frame->sizes[i] = format.fmt.pix_mp.plane_fmt[i].sizeimage;
	}
	for (i = 0; i < frame->num_planes; i++) {
		if (!frame->sizes[i])
			return false;
		sum += frame->sizes[i];
	}
	return frame->num_planes && sum <= MAX_FRAME;
}

/* Import the buffers of a frame into the queue, which is not started. */
static int try_frame(int node, struct frame *frame)
{
	struct v4l2_requestbuffers request = {
		.count = 1, .type = frame->type, .memory = V4L2_MEMORY_DMABUF,
	};
	struct v4l2_plane planes[VIDEO_MAX_PLANES] = {};
	struct v4l2_buffer buffer = { .type = frame->type, .memory = V4L2_MEMORY_DMABUF };
	bool output = V4L2_TYPE_IS_OUTPUT(frame->type);
	uint32_t i;
	int ret = call(node, VIDIOC_REQBUFS, &request);

	if (ret)
		return ret;
	for (i = 0; i < frame->num_planes; i++) {
		planes[i].m.fd = frame->buffers[i];
		planes[i].length = frame->sizes[i];
		planes[i].bytesused = output ? frame->sizes[i] : 0;
	}
	if (V4L2_TYPE_IS_MULTIPLANAR(frame->type)) {
		buffer.m.planes = planes;
		buffer.length = frame->num_planes;
	} else {
		buffer.m.fd = frame->buffers[0];
		buffer.length = frame->sizes[0];
		buffer.bytesused = planes[0].bytesused;
	}
	ret = call(node, VIDIOC_QBUF, &buffer);
	request.count = 0;
	call(node, VIDIOC_REQBUFS, &request);
	return ret;
}

/* -ENOMEM if the buffers cannot be allocated */
static int try_heap(int node, const struct patients *patients, struct frame *frame, bool contiguous)
{
	uint32_t i, got;
	int ret = 0;

	for (got = 0; !ret && got < frame->num_planes; got++) {
		frame->buffers[got] = trial_buffer(patients, frame->sizes[got], contiguous, 0);
		if (frame->buffers[got] < 0) {
			ret = -ENOMEM;
			break;
		}
	}
	if (!ret)
		ret = try_frame(node, frame);
	for (i = 0; i < got; i++)
		close(frame->buffers[i]);
	return ret;
}

/* Does the device of a node reach all memory that our buffer can have? */
static bool reaches(const char *node, const struct patients *patients)
{
	uint64_t mask = 32;	/* what a device has at least, if its driver asks for no less */
	char path[320];

	snprintf(path, sizeof(path), "/sys/class/video4linux/%s/device/dma_mask_bits", node);
	read_number(path, &mask);
	return is_translated("video4linux", node) || trial_bits(patients) <= mask;
}

static void try_buffers(int node, const char *name, const struct patients *patients,
			struct frame *frame)
{
	bool contiguous = false;
	int ret = try_heap(node, patients, frame, false);

	if (ret && ret != -EBUSY) {
		int other = try_heap(node, patients, frame, true);

		if (ret == -ENOMEM || !other) {
			contiguous = !other;
			ret = other;
		}
	}
	if (ret == -EBUSY)
		report("importer-busy", name, "Another program uses it, so our buffer was not "
		       "tried: end this program, and run doctor again.");
	else if (ret == -ENOMEM)
		report("importer-untried", name, "There is no memory for a buffer of its frames: "
		       "choose a smaller format, or boot with cma=SIZE.");
	else
		report_buffer(name, ret, contiguous);
}

static bool examine_node(const char *path, const char *node, const struct patients *patients)
{
	struct v4l2_capability capability = {};
	struct frame frame = {};
	char name[320];
	int fd = open_importer(path, node);

	if (fd < 0)
		return true;
	if (!call(fd, VIDIOC_QUERYCAP, &capability))
		frame.type = queue_type(capability.capabilities & V4L2_CAP_DEVICE_CAPS ?
					capability.device_caps : capability.capabilities);
	if (!frame.type || !(capability.device_caps & V4L2_CAP_STREAMING)) {
		close(fd);
		return false;
	}
	snprintf(name, sizeof(name), "%s (%.16s)", node, (const char *)capability.driver);
	if (patients->memory >= 0) {
		if (!read_format(fd, &frame))
			report("importer-untried", name, "Its format gives no size of a frame, or "
			       "a very large one: set a format (v4l2-ctl -v), and run doctor "
			       "again.");
		else if (!reaches(node, patients))
			report("importer-untried", name, "It may not reach the memory of our "
			       "buffer, and the kernel never frees a buffer after such a failure: "
			       "allocate from a device with fewer address bits.");
		else
			try_buffers(fd, name, patients, &frame);
		report_fence(name, -EOPNOTSUPP, "V4L2 has no interface for fences");
	}
	close(fd);
	return true;
}

unsigned int examine_v4l2(const struct patients *patients)
{
	struct dirent **entries;
	int entry, total = scandir("/dev", &entries, NULL, alphasort);
	unsigned int count = 0;

	for (entry = 0; entry < total; entry++) {
		const char *node = entries[entry]->d_name;
		char path[300];

		snprintf(path, sizeof(path), "/dev/%s", node);
		if (!strncmp(node, "video", 5) && node[5] &&
		    strspn(node + 5, "0123456789") == strlen(node + 5)) {
			show_progress("trying %s", path);
			count += examine_node(path, node, patients);
		}
		free(entries[entry]);
	}
	if (total >= 0)
		free(entries);
	return count;
}
