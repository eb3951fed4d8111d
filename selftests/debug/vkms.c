// SPDX-License-Identifier: MIT
/*
 * vkms: the display without hardware.  It reads Sluice's buffers through a kernel mapping, shows by
 * a checksum that it has read them to the last pixel, and writes the picture into a buffer of
 * Sluice (writeback).
 *
 * Distributions do not build it: these tests are for the debug kernel.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <xf86drm.h>
#include <xf86drmMode.h>

#include "fences.h"
#include "harness.h"
#include "kms_scene.h"
#include "knobs.h"
#include "machine.h"
#include "modules.h"
#include "sluice.h"

#define WIDTH	640U
#define HEIGHT	480U
#define SOFT_DRIVER "/sys/bus/platform/drivers/sluice-soft"

/* struct writeback - the connector that writes the picture, and its properties in a commit */
struct writeback {
	uint32_t connector;
	uint32_t crtc_id, fb_id, out_fence_ptr;
};

static uint32_t find_property(int fd, uint32_t object, uint32_t type, const char *name)
{
	drmModeObjectProperties *all = drmModeObjectGetProperties(fd, object, type);
	uint32_t i, found = 0;

	for (i = 0; all && i < all->count_props && !found; i++) {
		drmModePropertyRes *property = drmModeGetProperty(fd, all->props[i]);

		if (property && !strcmp(property->name, name))
			found = property->prop_id;
		drmModeFreeProperty(property);
	}
	drmModeFreeObjectProperties(all);
	return found;
}

/* The state of a CRC-32 (of the kernel's crc32_le()) after some bytes. */
static uint32_t crc32_bytes(uint32_t crc, const void *data, size_t length)
{
	static uint32_t table[256];
	const unsigned char *byte = data;
	unsigned int i, bit;

	if (!table[1]) {
		for (i = 0; i < 256; i++) {
			table[i] = i;
			for (bit = 0; bit < 8; bit++)
				table[i] = table[i] >> 1 ^ (table[i] & 1 ? 0xedb88320 : 0);
		}
	}
	while (length--)
		crc = table[(crc ^ *byte++) & 0xff] ^ crc >> 8;
	return crc;
}

/* The expected checksum of a picture: vkms computes with 16 bits per channel. */
static int expected_checksum(int dmabuf, size_t size, uint32_t *checksum)
{
	uint32_t *pixels;
	size_t i;
	int ret;

	ret = sluice_map(dmabuf, size, (void **)&pixels);
	if (ret)
		return ret;
	ret = sluice_cpu_begin(dmabuf, false);
	*checksum = 0;
	for (i = 0; !ret && i < size / 4; i++) {
		uint16_t argb[4] = {
			0xffff, (pixels[i] >> 16 & 0xff) * 257, (pixels[i] >> 8 & 0xff) * 257,
			(pixels[i] & 0xff) * 257,
		};

		*checksum = crc32_bytes(*checksum, argb, sizeof(argb));
	}
	if (!ret)
		ret = sluice_cpu_end(dmabuf, false);
	munmap(pixels, size);
	return ret;
}

static int open_checksum(int drm, const char *name, int flags)
{
	char path[80], *node = drmGetDeviceNameFromFd2(drm);
	unsigned int minor = 0;

	if (node)
		sscanf(node, "/dev/dri/card%u", &minor);
	free(node);
	snprintf(path, sizeof(path), "/sys/kernel/debug/dri/%u/crtc-0/crc/%s", minor, name);
	return open(path, flags | O_CLOEXEC);
}

/*
 * The checksum of the present picture.  vkms computes slowly, and may still be at an older picture,
 * so only the checksum of a refresh after this call counts.
 */
static int shown_checksum(const struct scene *scene, uint32_t *checksum)
{
	int control = open_checksum(scene->display.fd, "control", O_WRONLY), data, ret = 0;
	struct pollfd pollfd = { .events = POLLIN };
	unsigned int frame = 0;
	uint64_t now;
	char line[64];

	if (control < 0 || write(control, "auto", 4) != 4)
		return -errno;
	close(control);
	data = open_checksum(scene->display.fd, "data", O_RDONLY);
	if (data < 0)
		return -errno;
	if (drmCrtcGetSequence(scene->display.fd, scene->display.crtc, &now, NULL))
		ret = errno == EINVAL ? -ENODATA : -errno;
	pollfd.fd = data;
	while (!ret && frame <= now) {
		memset(line, 0, sizeof(line));
		if (poll(&pollfd, 1, LATE_MS) != 1)
			ret = -ETIME;
		else if (read(data, line, sizeof(line) - 1) < 0)
			ret = -errno;
		else if (sscanf(line, "%x %x", &frame, checksum) != 2)
			ret = -EPROTO;
	}
	close(data);
	return ret;
}

/*
 * A late timer of vkms may drop a reference that DRM does not hold.  DRM then warns, and does not
 * count the frames of this display any more.
 */
#define UNCOUNTED "vkms does not count its frames any more"

#define GET_SHOWN(checksum)									\
	do {											\
		int shown_ret = shown_checksum(&self->s, checksum);				\
												\
		if (shown_ret == -ENODATA)							\
			SKIP(return, UNCOUNTED);		\
		ASSERT_EQ(shown_ret, 0);							\
	} while (0)

static int find_writeback(struct scene *scene, struct writeback *writeback)
{
	const int fd = scene->display.fd;
	drmModeRes *resources;
	int i;

	memset(writeback, 0, sizeof(*writeback));
	if (drmSetClientCap(fd, DRM_CLIENT_CAP_WRITEBACK_CONNECTORS, 1))
		return -errno;
	resources = drmModeGetResources(fd);
	for (i = 0; resources && i < resources->count_connectors; i++) {
		uint32_t id = resources->connectors[i];

		writeback->fb_id = find_property(fd, id, DRM_MODE_OBJECT_CONNECTOR,
						 "WRITEBACK_FB_ID");
		if (!writeback->fb_id)
			continue;
		writeback->connector = id;
		writeback->crtc_id = find_property(fd, id, DRM_MODE_OBJECT_CONNECTOR, "CRTC_ID");
		writeback->out_fence_ptr = find_property(fd, id, DRM_MODE_OBJECT_CONNECTOR,
							 "WRITEBACK_OUT_FENCE_PTR");
		break;
	}
	drmModeFreeResources(resources);
	return writeback->out_fence_ptr ? 0 : -ENOENT;
}

/*
 * Can the display show a picture and write it back at once?  DRM treats the two as clones, and
 * stable kernels check for flags that their older vkms does not set.
 */
static bool shows_and_writes(struct scene *scene, const struct writeback *writeback)
{
	drmModeConnector *connector = drmModeGetConnector(scene->display.fd, writeback->connector);
	drmModeEncoder *encoder = NULL;
	bool able;

	if (connector && connector->count_encoders)
		encoder = drmModeGetEncoder(scene->display.fd, connector->encoders[0]);
	able = encoder && encoder->possible_clones & (encoder->possible_clones - 1);
	drmModeFreeEncoder(encoder);
	drmModeFreeConnector(connector);
	return able;
}

/* Have the picture written to a framebuffer; a fence signals the end. */
static int write_back(struct scene *scene, const struct writeback *writeback, uint32_t fb,
		      int32_t *out_fence)
{
	drmModeAtomicReq *request = drmModeAtomicAlloc();
	int ret;

	*out_fence = -1;
	drmModeAtomicAddProperty(request, writeback->connector, writeback->crtc_id,
				 scene->display.crtc);
	drmModeAtomicAddProperty(request, writeback->connector, writeback->fb_id, fb);
	drmModeAtomicAddProperty(request, writeback->connector, writeback->out_fence_ptr,
				 (uintptr_t)out_fence);
	ret = drmModeAtomicCommit(scene->display.fd, request,
				  DRM_MODE_ATOMIC_ALLOW_MODESET | DRM_MODE_ATOMIC_NONBLOCK, NULL);
	drmModeAtomicFree(request);
	return ret;
}

FIXTURE(vkms) {
	struct scene s;
};

FIXTURE_VARIANT(vkms) {
	const char *heap;
};

FIXTURE_VARIANT_ADD(vkms, pages) { .heap = "pages" };
FIXTURE_VARIANT_ADD(vkms, contiguous) { .heap = "contiguous" };

FIXTURE_SETUP(vkms)
{
	if (system("modprobe -q vkms && udevadm settle"))
		SKIP(return, "this kernel has no vkms");
	kms_scene_open(&self->s, "vkms", WIDTH, HEIGHT, "soft0", variant->heap);
	ASSERT_EQ(self->s.opened, 0);
	ASSERT_EQ(self->s.import, 0);
}

FIXTURE_TEARDOWN(vkms)
{
	EXPECT_TRUE(kms_scene_close(&self->s));
	EXPECT_TRUE(module_unload("vkms"));
}

TEST_F(vkms, the_screen_shows_the_frame_to_the_last_pixel_and_the_next_one_after_it)
{
	uint32_t first, shown, expected;

	ASSERT_EQ(capture(&self->s), 0);
	ASSERT_EQ(kms_show(&self->s.display, self->s.fb, self->s.fence, true), 0);
	EXPECT_TRUE(signalled(self->s.fence));
	ASSERT_EQ(expected_checksum(self->s.frame, self->s.size, &expected), 0);
	GET_SHOWN(&first);
	EXPECT_EQ(first, expected);

	/* capture into the buffer on the screen: vkms must read this memory, and not a copy */
	ASSERT_EQ(capture(&self->s), 0);
	ASSERT_EQ(sluice_fence_wait(self->s.fence, LATE_MS), 0);
	ASSERT_EQ(expected_checksum(self->s.frame, self->s.size, &expected), 0);
	GET_SHOWN(&shown);
	EXPECT_EQ(shown, expected);
	EXPECT_NE(shown, first);
}

TEST_F(vkms, a_commit_waits_for_its_in_fence)
{
	int64_t begin;

	ASSERT_EQ(kms_show(&self->s.display, self->s.fb, -1, true), 0);
	ASSERT_EQ(knob("delay_us", 1500000), 0);
	ASSERT_EQ(capture(&self->s), 0);
	begin = now_ns();
	ASSERT_EQ(kms_show(&self->s.display, self->s.fb, self->s.fence, false), 0);
	EXPECT_FALSE(signalled(self->s.fence));
	EXPECT_EQ(kms_finish(&self->s.display, 100), -ETIME);
	ASSERT_EQ(kms_finish(&self->s.display, LATE_MS), 0);
	EXPECT_TRUE(signalled(self->s.fence));
	EXPECT_GE(self->s.display.flip_ns / 1000, fence_time(self->s.fence) / 1000);
	EXPECT_GE(now_ns() - begin, 1400 * MS);
}

/* The display gets no in-fence: the fence is on the buffer. */
TEST_F(vkms, a_commit_waits_for_the_writer_of_the_buffer)
{
	ASSERT_EQ(kms_show(&self->s.display, self->s.fb, -1, true), 0);
	ASSERT_EQ(knob("delay_us", 1500000), 0);
	ASSERT_EQ(capture(&self->s), 0);
	ASSERT_EQ(kms_show(&self->s.display, self->s.fb, -1, false), 0);
	EXPECT_EQ(kms_finish(&self->s.display, 100), -ETIME);
	ASSERT_EQ(kms_finish(&self->s.display, LATE_MS), 0);
	EXPECT_TRUE(signalled(self->s.fence));
	EXPECT_GE(self->s.display.flip_ns / 1000, fence_time(self->s.fence) / 1000);
}

/*
 * A display that writes: Sluice's job reads the picture after it was written.  The memory is
 * Sluice's all the way, and only fences order the work.
 */
TEST_F(vkms, a_job_waits_for_the_display_and_copies_its_picture)
{
	struct scene *s = &self->s;
	int written, copy, from, to, done, last;
	struct writeback writeback;
	struct sluice_op op;
	uint32_t fb, expected, copied;

	ASSERT_EQ(find_writeback(s, &writeback), 0);
	if (!shows_and_writes(s, &writeback))
		SKIP(return, "vkms of this kernel cannot show and write back at once");
	written = sluice_alloc(s->memory, sluice_find_heap(s->memory, variant->heap), s->size, 0);
	copy = sluice_alloc(s->memory, 0, s->size, 0);
	from = sluice_attach(s->queue, written, SLUICE_ATTACH_READ);
	to = sluice_attach(s->queue, copy, SLUICE_ATTACH_WRITE);
	ASSERT_GE(from, 0);
	ASSERT_GE(to, 0);
	ASSERT_EQ(kms_import(&s->display, written, s->stride, &fb), 0);

	ASSERT_EQ(capture(s), 0);
	ASSERT_EQ(kms_show(&s->display, s->fb, s->fence, true), 0);
	ASSERT_EQ(write_back(s, &writeback, fb, &done), 0);
	ASSERT_GE(done, 0);
	sluice_op_copy(&op, to, 0, from, 0, s->size);
	ASSERT_EQ(sluice_submit(s->queue, &op, 1, done, &last, 0, NULL), 0);
	ASSERT_EQ(sluice_fence_wait(last, LATE_MS), 0);
	EXPECT_TRUE(signalled(done));
	EXPECT_GE(fence_time(last), fence_time(done));
	ASSERT_EQ(expected_checksum(s->frame, s->size, &expected), 0);
	ASSERT_EQ(expected_checksum(copy, s->size, &copied), 0);
	EXPECT_EQ(copied, expected);
	close(done);
	close(last);
	close(written);
	close(copy);
}

/* The device is removed while the display waits for its job: -ENODEV, and the picture stays. */
TEST_F(vkms, the_picture_outlives_the_device)
{
	uint32_t before, after = 0;
	int ret;

	ASSERT_EQ(capture(&self->s), 0);
	ASSERT_EQ(kms_show(&self->s.display, self->s.fb, self->s.fence, true), 0);
	GET_SHOWN(&before);

	ASSERT_EQ(knob("hang_next", 1), 0);
	ASSERT_EQ(capture(&self->s), 0);
	ASSERT_EQ(kms_show(&self->s.display, self->s.fb, self->s.fence, false), 0);
	EXPECT_EQ(kms_finish(&self->s.display, 100), -ETIME);
	ASSERT_EQ(write_text(SOFT_DRIVER "/unbind", "sluice-soft"), 0);
	EXPECT_EQ(kms_finish(&self->s.display, LATE_MS), 0);
	EXPECT_EQ(sluice_fence_wait(self->s.fence, 0), -ENODEV);
	ret = shown_checksum(&self->s, &after);
	ASSERT_EQ(write_text(SOFT_DRIVER "/bind", "sluice-soft"), 0);
	if (ret == -ENODATA)
		SKIP(return, UNCOUNTED);
	ASSERT_EQ(ret, 0);
	EXPECT_EQ(after, before);
}

TEST_HARNESS_MAIN
