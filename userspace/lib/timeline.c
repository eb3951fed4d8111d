// SPDX-License-Identifier: MIT
/* Points of DRM's timelines (syncobjs) as sync_files, and sync_files as points. */
#include <errno.h>
#include <string.h>

#include "internal.h"

#if __has_include(<drm/drm.h>)
#include <drm/drm.h>
#elif __has_include(<libdrm/drm.h>)
#include <libdrm/drm.h>
#endif

#ifdef DRM_IOCTL_SYNCOBJ_TRANSFER

static int syncobj_error(int error)
{
	switch (error) {
	case -EOPNOTSUPP:
		return sluice_fail(error, "the DRM device has no timelines");
	case -ENOENT:
		return sluice_fail(error, "the DRM device has no such syncobj");
	case -ENOTTY:
		return sluice_fail(error, "the fd is not that of a DRM device");
	case -EINVAL:
		return sluice_fail(error, "the timeline has no such point yet, or the fence is not "
				   "a sync_file");
	default:
		return sluice_fail(error, "DRM syncobj: %s", strerror(-error));
	}
}

/*
 * DRM converts between a sync_file and a syncobj without a timeline only.  So each function makes
 * such a syncobj, which exists until the function returns.
 */
static int make_syncobj(int drm, uint32_t *handle)
{
	struct drm_syncobj_create args = { .flags = 0 };
	int ret = sluice_lib_call(drm, DRM_IOCTL_SYNCOBJ_CREATE, &args);

	*handle = args.handle;
	return ret ? syncobj_error(ret) : 0;
}

static void destroy_syncobj(int drm, uint32_t handle)
{
	struct drm_syncobj_destroy args = { .handle = handle };

	sluice_lib_call(drm, DRM_IOCTL_SYNCOBJ_DESTROY, &args);
}

static int transfer(int drm, struct drm_syncobj_transfer args)
{
	return sluice_lib_call(drm, DRM_IOCTL_SYNCOBJ_TRANSFER, &args);
}

int sluice_fence_to_timeline(int fence, int drm, uint32_t timeline, uint64_t point)
{
	struct drm_syncobj_handle args = {
		.flags = DRM_SYNCOBJ_FD_TO_HANDLE_FLAGS_IMPORT_SYNC_FILE,
		.fd = fence,
	};
	int ret;

	/* DRM would replace the whole timeline */
	if (!point)
		return sluice_fail(-EINVAL, "the points of a timeline begin at 1");
	ret = make_syncobj(drm, &args.handle);
	if (ret)
		return ret;
	ret = sluice_lib_call(drm, DRM_IOCTL_SYNCOBJ_FD_TO_HANDLE, &args);
	if (!ret)
		ret = transfer(drm, (struct drm_syncobj_transfer) {
			.src_handle = args.handle,
			.dst_handle = timeline,
			.dst_point = point,
		});
	destroy_syncobj(drm, args.handle);
	return ret ? syncobj_error(ret) : 0;
}

int sluice_fence_from_timeline(int drm, uint32_t timeline, uint64_t point)
{
	struct drm_syncobj_handle args = {
		.flags = DRM_SYNCOBJ_HANDLE_TO_FD_FLAGS_EXPORT_SYNC_FILE,
		.fd = -1,
	};
	int ret = make_syncobj(drm, &args.handle);

	if (ret)
		return ret;
	ret = transfer(drm, (struct drm_syncobj_transfer) {
		.src_handle = timeline,
		.dst_handle = args.handle,
		.src_point = point,
	});
	if (!ret)
		ret = sluice_lib_call(drm, DRM_IOCTL_SYNCOBJ_HANDLE_TO_FD, &args);
	destroy_syncobj(drm, args.handle);
	return ret ? syncobj_error(ret) : args.fd;
}

#else

static int left_out(void)
{
	return sluice_fail(-ENOSYS, "libsluice was built without <drm/drm.h>");
}

int sluice_fence_to_timeline(int fence, int drm, uint32_t timeline, uint64_t point)
{
	(void)fence, (void)drm, (void)timeline, (void)point;
	return left_out();
}

int sluice_fence_from_timeline(int drm, uint32_t timeline, uint64_t point)
{
	(void)drm, (void)timeline, (void)point;
	return left_out();
}

#endif
