/* SPDX-License-Identifier: MIT */
/*
 * A display, through DRM/KMS.  This part of an application shows dma-bufs, and does not know
 * where they come from.
 *
 * Commits are atomic and do not block.  The kernel waits for the fence of a framebuffer
 * (IN_FENCE_FD), then switches to the framebuffer, and reports the switch by an event.  From
 * then on the framebuffer that was shown before can be used again.
 *
 * The functions that return an int return 0 or a negative errno, except kms_export().
 */
#ifndef KMS_H
#define KMS_H

#include <stdbool.h>
#include <stdint.h>

/**
 * struct kms - one screen: a connector, its CRTC and primary plane
 * @fd: fd of the DRM node, which kms_close() closes
 * @driver: name of the kernel's driver
 * @width: pixels of a line of the mode
 * @height: lines of the mode
 * @connector: the kernel's number of the connector
 * @crtc: the kernel's number of the CRTC
 * @plane: the kernel's number of the primary plane
 * @mode_blob: number of the property blob with the mode
 * @prop_connector_crtc: number of the property CRTC_ID of the connector
 * @prop_crtc_mode: number of the property MODE_ID of the CRTC
 * @prop_crtc_active: number of the property ACTIVE of the CRTC
 * @prop_plane_fb: number of the property FB_ID of the plane
 * @prop_plane_crtc: number of the property CRTC_ID of the plane
 * @prop_in_fence: number of the property IN_FENCE_FD of the plane
 * @prop_src: numbers of the properties for x, y, width and height in the framebuffer, whose unit
 *	is 1/65536 pixel
 * @prop_crtc_rect: numbers of the properties for x, y, width and height on the screen, in pixels
 * @modeset_done: the mode is set
 * @pending: a commit has not been reported by an event yet
 * @flip_ns: CLOCK_MONOTONIC time of the last switch, in nanoseconds
 * @events: number of switches that the kernel has reported
 * @event_bytes: bytes that read() has returned for events
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
 * @kms: set to the screen, which kms_close() releases
 * @driver: "bochs-drm", "vkms", ...; NULL for the first DRM node with a screen
 * @width: pixels of a line of the mode to use
 * @height: lines of the mode to use
 *
 * Errors:
 *
 *	-ENODEV		there is no DRM node of this driver
 *	-ENOENT		no screen is connected, or it does not have the mode
 *	-EOPNOTSUPP	the driver has no atomic commits, or no in-fences
 */
int kms_open(struct kms *kms, const char *driver, uint32_t width, uint32_t height);

/** kms_close - wait for a pending commit, and release the screen with its framebuffers */
void kms_close(struct kms *kms);

/**
 * kms_import - make a framebuffer of an XRGB8888 dma-buf
 * @dmabuf: the dma-buf; the fd stays open
 * @stride: bytes from the start of a line to the start of the next
 * @fb: set to the number of the framebuffer, which exists until kms_close()
 */
int kms_import(struct kms *kms, int dmabuf, uint32_t stride, uint32_t *fb);

/**
 * kms_export - ask the driver for the dma-buf of a framebuffer
 *
 * Returns an fd of the dma-buf, or a negative errno.  If the framebuffer was imported, it is
 * the dma-buf that was given to kms_import(): it has the same inode.
 */
int kms_export(struct kms *kms, uint32_t fb);

/** kms_dumb - make a framebuffer in the driver's own memory, for drivers that import no dma-buf */
int kms_dumb(struct kms *kms, uint32_t *fb);

/**
 * kms_show - show a framebuffer when a fence has signalled
 * @in_fence: sync_file for IN_FENCE_FD of the plane; the fd stays open; -1 for none
 * @wait: true: return when the framebuffer is on the screen.  False: return when the kernel has
 *	accepted the commit.  Call kms_finish() before the next kms_show(), which otherwise
 *	returns -EBUSY
 */
int kms_show(struct kms *kms, uint32_t fb, int in_fence, bool wait);

/**
 * kms_finish - wait until the framebuffer of kms_show() is on the screen
 * @timeout_ms: milliseconds after which it returns -ETIME; the commit is then still pending
 */
int kms_finish(struct kms *kms, int timeout_ms);

#endif /* KMS_H */
