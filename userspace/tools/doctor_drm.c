// SPDX-License-Identifier: MIT
/*
 * DRM: cards, render nodes and accelerators.  Each imports a buffer.  A fence is imported as a
 * syncobj; a display without syncobjs takes it in an atomic commit, which is only tested.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <drm/drm.h>
#include <drm/drm_mode.h>

#include "doctor.h"

#define MAX_PLANES 64
#define MAX_PROPERTIES 64

/* 0 or a negative errno */
static int call(int fd, unsigned long request, void *argument)
{
	int ret;

	do
		ret = ioctl(fd, request, argument);
	while (ret < 0 && (errno == EINTR || errno == EAGAIN));
	return ret < 0 ? -errno : 0;
}

static bool capability(int card, uint64_t which)
{
	struct drm_get_cap args = { .capability = which };

	return !call(card, DRM_IOCTL_GET_CAP, &args) && args.value;
}

static int try_buffer(int card, int buffer)
{
	struct drm_prime_handle args = { .fd = buffer };
	int ret = call(card, DRM_IOCTL_PRIME_FD_TO_HANDLE, &args);

	if (!ret) {
		struct drm_gem_close gem = { .handle = args.handle };

		call(card, DRM_IOCTL_GEM_CLOSE, &gem);
	}
	return ret;
}

static int try_syncobj(int card, int fence)
{
	struct drm_syncobj_create create = {};
	struct drm_syncobj_destroy destroy = {};
	struct drm_syncobj_handle args = {
		.flags = DRM_SYNCOBJ_FD_TO_HANDLE_FLAGS_IMPORT_SYNC_FILE, .fd = fence,
	};
	int ret = call(card, DRM_IOCTL_SYNCOBJ_CREATE, &create);

	if (ret)
		return ret;
	args.handle = destroy.handle = create.handle;
	ret = call(card, DRM_IOCTL_SYNCOBJ_FD_TO_HANDLE, &args);
	call(card, DRM_IOCTL_SYNCOBJ_DESTROY, &destroy);
	return ret;
}

/* The property IN_FENCE_FD of a plane; 0 if it has none. */
static uint32_t fence_property(int card, uint32_t plane)
{
	uint32_t ids[MAX_PROPERTIES];
	uint64_t values[MAX_PROPERTIES];
	struct drm_mode_obj_get_properties args = {
		.props_ptr = (uintptr_t)ids, .prop_values_ptr = (uintptr_t)values,
		.count_props = MAX_PROPERTIES, .obj_id = plane, .obj_type = DRM_MODE_OBJECT_PLANE,
	};
	uint32_t i;

	if (call(card, DRM_IOCTL_MODE_OBJ_GETPROPERTIES, &args))
		return 0;
	for (i = 0; i < args.count_props && i < MAX_PROPERTIES; i++) {
		struct drm_mode_get_property property = { .prop_id = ids[i] };

		if (!call(card, DRM_IOCTL_MODE_GETPROPERTY, &property) &&
		    !strcmp(property.name, "IN_FENCE_FD"))
			return ids[i];
	}
	return 0;
}

/*
 * Test a commit that only gives a plane a fence, and changes nothing.  Returns -EACCES if another
 * program has the display, and -EOPNOTSUPP if the display has no atomic commits.
 */
static int try_commit(int card, int fence)
{
	struct drm_set_client_cap atomic = { .capability = DRM_CLIENT_CAP_ATOMIC, .value = 1 };
	uint32_t planes[MAX_PLANES], property, count = 1;
	uint64_t value = fence;
	struct drm_mode_get_plane_res list = {
		.plane_id_ptr = (uintptr_t)planes, .count_planes = MAX_PLANES,
	};
	struct drm_mode_atomic commit = {
		.flags = DRM_MODE_ATOMIC_TEST_ONLY, .count_objs = 1, .objs_ptr = (uintptr_t)planes,
		.count_props_ptr = (uintptr_t)&count, .props_ptr = (uintptr_t)&property,
		.prop_values_ptr = (uintptr_t)&value,
	};

	if (call(card, DRM_IOCTL_SET_CLIENT_CAP, &atomic) ||
	    call(card, DRM_IOCTL_MODE_GETPLANERESOURCES, &list) || !list.count_planes ||
	    list.count_planes > MAX_PLANES)
		return -EOPNOTSUPP;
	property = fence_property(card, planes[0]);
	return property ? call(card, DRM_IOCTL_MODE_ATOMIC, &commit) : -EOPNOTSUPP;
}

static void examine_fence(int card, const char *name, int fence)
{
	int ret;

	if (capability(card, DRM_CAP_SYNCOBJ)) {
		ret = try_syncobj(card, fence);
		report_fence(name, ret, ret ? strerror(-ret) : "as a syncobj");
		return;
	}
	ret = try_commit(card, fence);
	if (ret == -EACCES || ret == -EPERM)
		report("importer-busy", name, "Another program has the display, so our fence was "
		       "not tried: run doctor on a text console.");
	else
		report_fence(name, ret, ret == -EOPNOTSUPP ?
			     "it has neither syncobjs nor IN_FENCE_FD" :
			     ret ? strerror(-ret) : "as IN_FENCE_FD of a commit");
}

static void examine_buffer(int card, const char *name, const struct patients *patients)
{
	int buffer = trial_buffer(patients, 1, false, 0), ret = -ENOMEM;
	bool contiguous = buffer < 0;

	if (buffer >= 0)
		ret = try_buffer(card, buffer);
	if (ret) {
		int other = trial_buffer(patients, 1, true, 0);

		contiguous = other >= 0 && !try_buffer(card, other);
		if (contiguous)
			ret = 0;
		if (other >= 0)
			close(other);
	}
	if (buffer >= 0)
		close(buffer);
	report_buffer(name, ret, contiguous);
}

static void examine_node(const char *path, const char *node, const struct patients *patients,
			 int fence)
{
	char driver[64] = "", name[400];
	struct drm_version version = { .name_len = sizeof(driver) - 1, .name = driver };
	int card = open_importer(path, node);

	if (card < 0)
		return;
	if (call(card, DRM_IOCTL_VERSION, &version))
		driver[0] = '\0';
	snprintf(name, sizeof(name), "%s (%s)", node, driver[0] ? driver : "unknown driver");
	if (patients->memory >= 0)
		examine_buffer(card, name, patients);
	if (fence >= 0)
		examine_fence(card, name, fence);
	close(card);
}

unsigned int examine_drm(const struct patients *patients, int fence)
{
	static const char * const folders[] = { "/dev/dri", "/dev/accel" };
	unsigned int count = 0;
	size_t i;

	for (i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		struct dirent **entries;
		int entry, total = scandir(folders[i], &entries, NULL, alphasort);

		for (entry = 0; entry < total; entry++) {
			const char *node = entries[entry]->d_name;
			char path[300];

			snprintf(path, sizeof(path), "%s/%s", folders[i], node);
			if (!strncmp(node, "card", 4) || !strncmp(node, "renderD", 7) ||
			    !strncmp(node, "accel", 5)) {
				show_progress("trying %s", path);
				examine_node(path, node, patients, fence);
				count++;
			}
			free(entries[entry]);
		}
		if (total >= 0)
			free(entries);
	}
	return count;
}
