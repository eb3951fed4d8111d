// SPDX-License-Identifier: MIT
/* Dma-bufs on a screen, through atomic KMS: see kms.h. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <drm_fourcc.h>
#include <xf86drm.h>
#include <xf86drmMode.h>

#include "kms.h"

#define KMS_MAX_CARDS 64

/* more than the time until any fence of Sluice signals: 30 s of waiting and 30 s of running */
#define KMS_PATIENCE_MS 65000

/* Find the number of an object's property, and its value; 0 if the object has no such property. */
static uint32_t find_property(int fd, uint32_t object, uint32_t type, const char *name,
			      uint64_t *value)
{
	drmModeObjectProperties *all = drmModeObjectGetProperties(fd, object, type);
	uint32_t i, found = 0;

	for (i = 0; all && i < all->count_props && !found; i++) {
		drmModePropertyRes *property = drmModeGetProperty(fd, all->props[i]);

		if (property && !strcmp(property->name, name)) {
			found = property->prop_id;
			if (value)
				*value = all->prop_values[i];
		}
		drmModeFreeProperty(property);
	}
	drmModeFreeObjectProperties(all);
	return found;
}

static int find_properties(struct kms *kms)
{
	static const char *const src[4] = { "SRC_X", "SRC_Y", "SRC_W", "SRC_H" };
	static const char *const rect[4] = { "CRTC_X", "CRTC_Y", "CRTC_W", "CRTC_H" };
	const struct {
		uint32_t object, type;
		const char *name;
		uint32_t *property;
	} wanted[] = {
		{ kms->connector, DRM_MODE_OBJECT_CONNECTOR, "CRTC_ID", &kms->prop_connector_crtc },
		{ kms->crtc, DRM_MODE_OBJECT_CRTC, "MODE_ID", &kms->prop_crtc_mode },
		{ kms->crtc, DRM_MODE_OBJECT_CRTC, "ACTIVE", &kms->prop_crtc_active },
		{ kms->plane, DRM_MODE_OBJECT_PLANE, "FB_ID", &kms->prop_plane_fb },
		{ kms->plane, DRM_MODE_OBJECT_PLANE, "CRTC_ID", &kms->prop_plane_crtc },
		{ kms->plane, DRM_MODE_OBJECT_PLANE, "IN_FENCE_FD", &kms->prop_in_fence },
	};
	unsigned int i;

	for (i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		*wanted[i].property = find_property(kms->fd, wanted[i].object, wanted[i].type,
						    wanted[i].name, NULL);
		if (!*wanted[i].property)
			return -EOPNOTSUPP;
	}
	for (i = 0; i < 4; i++) {
		kms->prop_src[i] = find_property(kms->fd, kms->plane, DRM_MODE_OBJECT_PLANE,
						 src[i], NULL);
		kms->prop_crtc_rect[i] = find_property(kms->fd, kms->plane,
						       DRM_MODE_OBJECT_PLANE, rect[i], NULL);
		if (!kms->prop_src[i] || !kms->prop_crtc_rect[i])
			return -EOPNOTSUPP;
	}
	return 0;
}

/* Find the first connected screen that has the mode. */
static int find_connector(struct kms *kms, const drmModeRes *resources, drmModeModeInfo *mode,
			  uint32_t *possible_crtcs)
{
	int i, j;

	for (i = 0; i < resources->count_connectors; i++) {
		drmModeConnector *connector = drmModeGetConnector(kms->fd,
								  resources->connectors[i]);
		drmModeEncoder *encoder;
		bool found = false;

		for (j = 0; connector && connector->connection == DRM_MODE_CONNECTED &&
			    j < connector->count_modes && !found; j++) {
			if (connector->modes[j].hdisplay == kms->width &&
			    connector->modes[j].vdisplay == kms->height) {
				*mode = connector->modes[j];
				kms->connector = connector->connector_id;
				found = true;
			}
		}
		*possible_crtcs = 0;
		for (j = 0; found && j < connector->count_encoders; j++) {
			encoder = drmModeGetEncoder(kms->fd, connector->encoders[j]);
			if (encoder)
				*possible_crtcs |= encoder->possible_crtcs;
			drmModeFreeEncoder(encoder);
		}
		drmModeFreeConnector(connector);
		if (*possible_crtcs)
			return 0;
	}
	return -ENOENT;
}

static int find_primary_plane(struct kms *kms, int crtc_index)
{
	drmModePlaneRes *planes = drmModeGetPlaneResources(kms->fd);
	uint32_t i;

	kms->plane = 0;
	for (i = 0; planes && i < planes->count_planes && !kms->plane; i++) {
		drmModePlane *plane = drmModeGetPlane(kms->fd, planes->planes[i]);
		uint64_t type = DRM_PLANE_TYPE_OVERLAY;

		if (plane && plane->possible_crtcs & 1U << crtc_index &&
		    find_property(kms->fd, plane->plane_id, DRM_MODE_OBJECT_PLANE, "type",
				  &type) && type == DRM_PLANE_TYPE_PRIMARY)
			kms->plane = plane->plane_id;
		drmModeFreePlane(plane);
	}
	drmModeFreePlaneResources(planes);
	return kms->plane ? 0 : -ENOENT;
}

static int find_screen(struct kms *kms)
{
	drmModeRes *resources = drmModeGetResources(kms->fd);
	drmModeModeInfo mode;
	uint32_t crtcs;
	int ret, i;

	if (!resources)
		return -ENOENT;
	ret = find_connector(kms, resources, &mode, &crtcs);
	if (ret)
		goto out;
	ret = -ENOENT;
	for (i = 0; i < resources->count_crtcs; i++)
		if (crtcs & 1U << i)
			break;
	if (i == resources->count_crtcs)
		goto out;
	kms->crtc = resources->crtcs[i];
	ret = find_primary_plane(kms, i);
	if (!ret)
		ret = find_properties(kms);
	if (!ret)
		ret = drmModeCreatePropertyBlob(kms->fd, &mode, sizeof(mode), &kms->mode_blob);
out:
	drmModeFreeResources(resources);
	return ret;
}

static int try_card(struct kms *kms, const char *driver)
{
	drmVersion *version = drmGetVersion(kms->fd);
	bool matches;

	if (!version)
		return -ENODEV;
	snprintf(kms->driver, sizeof(kms->driver), "%.*s", version->name_len, version->name);
	drmFreeVersion(version);
	matches = !driver || !strcmp(driver, kms->driver);
	if (!matches)
		return -ENODEV;
	if (drmSetClientCap(kms->fd, DRM_CLIENT_CAP_UNIVERSAL_PLANES, 1) ||
	    drmSetClientCap(kms->fd, DRM_CLIENT_CAP_ATOMIC, 1))
		return -EOPNOTSUPP;
	return find_screen(kms);
}

int kms_open(struct kms *kms, const char *driver, uint32_t width, uint32_t height)
{
	int card, ret = -ENODEV;

	for (card = 0; card < KMS_MAX_CARDS; card++) {
		char path[32];
		int tried;

		*kms = (struct kms) { .width = width, .height = height };
		snprintf(path, sizeof(path), "/dev/dri/card%d", card);
		kms->fd = open(path, O_RDWR | O_CLOEXEC);
		if (kms->fd < 0)
			continue;
		tried = try_card(kms, driver);
		if (!tried)
			return 0;
		close(kms->fd);
		/* -ENODEV means only: another driver.  Other errors tell what the driver lacks */
		if (tried != -ENODEV)
			ret = tried;
	}
	kms->fd = -1;
	return ret;
}

/* The kernel removes the framebuffers from the screen, and frees them. */
void kms_close(struct kms *kms)
{
	if (kms->fd < 0)
		return;
	if (kms->pending)
		kms_finish(kms, KMS_PATIENCE_MS);
	drmModeDestroyPropertyBlob(kms->fd, kms->mode_blob);
	close(kms->fd);
	kms->fd = -1;
}

/* The framebuffer has a reference on its memory, so the handle is closed. */
static int add_framebuffer(struct kms *kms, uint32_t handle, uint32_t stride, uint32_t *fb)
{
	uint32_t handles[4] = { handle }, strides[4] = { stride }, offsets[4] = {};
	int ret;

	ret = drmModeAddFB2(kms->fd, kms->width, kms->height, DRM_FORMAT_XRGB8888, handles,
			    strides, offsets, fb, 0);
	drmCloseBufferHandle(kms->fd, handle);
	return ret;
}

int kms_import(struct kms *kms, int dmabuf, uint32_t stride, uint32_t *fb)
{
	uint32_t handle;

	if (drmPrimeFDToHandle(kms->fd, dmabuf, &handle))
		return -errno;
	return add_framebuffer(kms, handle, stride, fb);
}

int kms_export(struct kms *kms, uint32_t fb)
{
	drmModeFB2 *info = drmModeGetFB2(kms->fd, fb);
	int ret, dmabuf;

	if (!info)
		return -errno;
	ret = drmPrimeHandleToFD(kms->fd, info->handles[0], DRM_CLOEXEC, &dmabuf) ? -errno : 0;
	drmCloseBufferHandle(kms->fd, info->handles[0]);
	drmModeFreeFB2(info);
	return ret ? ret : dmabuf;
}

int kms_dumb(struct kms *kms, uint32_t *fb)
{
	uint32_t handle, stride;
	uint64_t size;
	int ret;

	ret = drmModeCreateDumbBuffer(kms->fd, kms->width, kms->height, 32, 0, &handle, &stride,
				      &size);
	return ret ? ret : add_framebuffer(kms, handle, stride, fb);
}

static int build_commit(const struct kms *kms, drmModeAtomicReq *request, uint32_t fb,
			int in_fence)
{
	const uint64_t src[4] = { 0, 0, (uint64_t)kms->width << 16, (uint64_t)kms->height << 16 };
	const uint64_t rect[4] = { 0, 0, kms->width, kms->height };
	int ret = 0, i;

#define ADD(object, property, value) do { \
		if (ret >= 0) \
			ret = drmModeAtomicAddProperty(request, object, property, value); \
	} while (0)

	if (!kms->modeset_done) {
		ADD(kms->connector, kms->prop_connector_crtc, kms->crtc);
		ADD(kms->crtc, kms->prop_crtc_mode, kms->mode_blob);
		ADD(kms->crtc, kms->prop_crtc_active, 1);
	}
	ADD(kms->plane, kms->prop_plane_fb, fb);
	ADD(kms->plane, kms->prop_plane_crtc, kms->crtc);
	for (i = 0; i < 4; i++) {
		ADD(kms->plane, kms->prop_src[i], src[i]);
		ADD(kms->plane, kms->prop_crtc_rect[i], rect[i]);
	}
	if (in_fence >= 0)
		ADD(kms->plane, kms->prop_in_fence, in_fence);
#undef ADD
	return ret < 0 ? ret : 0;
}

int kms_show(struct kms *kms, uint32_t fb, int in_fence, bool wait)
{
	uint32_t flags = DRM_MODE_ATOMIC_NONBLOCK | DRM_MODE_PAGE_FLIP_EVENT;
	drmModeAtomicReq *request;
	int ret;

	if (kms->pending)
		return -EBUSY;
	request = drmModeAtomicAlloc();
	if (!request)
		return -ENOMEM;
	if (!kms->modeset_done)
		flags |= DRM_MODE_ATOMIC_ALLOW_MODESET;
	ret = build_commit(kms, request, fb, in_fence);
	if (!ret)
		ret = drmModeAtomicCommit(kms->fd, request, flags, NULL);
	drmModeAtomicFree(request);
	if (ret)
		return ret;
	kms->modeset_done = true;
	kms->pending = true;
	return wait ? kms_finish(kms, KMS_PATIENCE_MS) : 0;
}

/* Read events of the kernel.  The fd is readable. */
static int read_events(struct kms *kms)
{
	char buffer[1024] __attribute__((aligned(8)));
	struct drm_event_vblank flip;
	struct drm_event event;
	ssize_t length, at;

	length = read(kms->fd, buffer, sizeof(buffer));
	if (length < 0)
		return errno == EINTR || errno == EAGAIN ? 0 : -errno;
	kms->event_bytes += length;
	for (at = 0; at + (ssize_t)sizeof(event) <= length; at += event.length) {
		memcpy(&event, buffer + at, sizeof(event));
		if (event.length < sizeof(event) || event.length > length - at)
			return -EPROTO;
		if (event.type != DRM_EVENT_FLIP_COMPLETE || event.length < sizeof(flip))
			continue;
		memcpy(&flip, buffer + at, sizeof(flip));
		kms->flip_ns = flip.tv_sec * 1000000000LL + flip.tv_usec * 1000LL;
		kms->events++;
		kms->pending = false;
	}
	return 0;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

int kms_finish(struct kms *kms, int timeout_ms)
{
	int64_t deadline = now_ms() + timeout_ms;
	int ret;

	while (kms->pending) {
		struct pollfd pollfd = { .fd = kms->fd, .events = POLLIN };
		int64_t left = deadline - now_ms();

		ret = poll(&pollfd, 1, left > 0 ? (int)left : 0);
		if (ret < 0 && errno != EINTR)
			return -errno;
		if (ret > 0)
			ret = read_events(kms);
		else if (left <= 0)
			ret = -ETIME;
		else
			ret = 0;
		if (ret)
			return ret;
	}
	return 0;
}
