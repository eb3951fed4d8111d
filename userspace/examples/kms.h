/* SPDX-License-Identifier: MIT */
/*
 * A display, through DRM/KMS: the part of an application that shows dma-bufs
 * and knows nothing of where they come from.
 *
 * Commits are atomic and never block: the kernel waits for the fence of a
 * framebuffer (IN_FENCE_FD) and says by an event when the switch has happened.
 * From then on the framebuffer shown before is free.
 *
 * All functions return 0 or a negative errno.
 */
#ifndef KMS_H
#define KMS_H

#include <stdbool.h>
#include <stdint.h>

/**
 * struct kms - one screen: a connector, its CRTC and primary plane
 * @fd: DRM node, owned
 * @driver: name of the kernel's driver
 * @width: pixels of the mode in use
 * @height: lines
 * @connector: object numbers of the kernel's
 * @crtc: likewise
 * @plane: likewise
 * @mode_blob: the mode, as a property
 * @prop_connector_crtc: numbers of the properties set by a commit
 * @prop_crtc_mode: likewise
 * @prop_crtc_active: likewise
 * @prop_plane_fb: likewise
 * @prop_plane_crtc: likewise
 * @prop_in_fence: likewise
 * @prop_src: x, y, width and height within the framebuffer, in 1/65536 pixels
 * @prop_crtc_rect: and on the screen
 * @modeset_done: the mode has been set
 * @pending: a commit is under way
 * @flip_ns: when the last switch happened, CLOCK_MONOTONIC
 * @events: switches that the kernel has told
 * @event_bytes: what read() returned to tell them
 */
struct kms {
	int fd;
	char driver[32];
	uint32_t width, height;
	uint32_t connector, crtc, plane, mode_blob;
	uint32_t prop_connector_crtc, prop_crtc_mode, prop_crtc_active;
	uint32_t prop_plane_fb, prop_plane_crtc, prop_in_fence;
	uint32_t prop_src[4], prop_crtc_rect[4];
	bool modeset_done, pending;
	int64_t flip_ns;
	unsigned int events;
	uint64_t event_bytes;
};

/**
 * kms_open - open the first screen of a driver
 * @kms: filled in; undo with kms_close()
 * @driver: "bochs-drm", "vkms", ...; NULL for the first DRM node with a screen
 * @width: pixels of the mode wanted
 * @height: lines
 *
 * -ENODEV without such a driver, -ENOENT without a screen or that mode,
 * -EOPNOTSUPP without atomic commits or in-fences.
 */
int kms_open(struct kms *kms, const char *driver, uint32_t width, uint32_t height);
void kms_close(struct kms *kms);

/**
 * kms_import - make a framebuffer of an XRGB8888 dma-buf
 * @dmabuf: not consumed
 * @stride: bytes
 * @fb: set to the framebuffer, which lives until kms_close()
 */
int kms_import(struct kms *kms, int dmabuf, uint32_t stride, uint32_t *fb);

/**
 * kms_export - the dma-buf that a framebuffer shows, as the driver knows it
 *
 * Returns a dma-buf fd: one imported is the same as was given to kms_import(),
 * which its inode tells.
 */
int kms_export(struct kms *kms, uint32_t fb);

/** kms_dumb - make a framebuffer of the driver's own memory, for drivers that import nothing */
int kms_dumb(struct kms *kms, uint32_t *fb);

/**
 * kms_show - show a framebuffer, once a fence has signalled
 * @in_fence: sync_file for the plane's IN_FENCE_FD; not consumed; -1 for none
 * @wait: return when it is on the screen; else as soon as it is under way
 *	(finish that with kms_finish() before the next one, or get -EBUSY)
 */
int kms_show(struct kms *kms, uint32_t fb, int in_fence, bool wait);

/**
 * kms_finish - wait until the framebuffer of kms_show() is on the screen
 * @timeout_ms: -ETIME afterwards; the commit goes on
 */
int kms_finish(struct kms *kms, int timeout_ms);

#endif /* KMS_H */
