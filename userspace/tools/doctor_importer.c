// SPDX-License-Identifier: MIT
/* The importers of this machine: what they take of Sluice, tried. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "doctor.h"

void report_buffer(const char *importer, int error, bool contiguous)
{
	if (!error && contiguous)
		report("importer-takes-buffer", importer, "It takes our buffers of the heap "
		       "'contiguous', but not those of 'pages'.");
	else if (!error)
		report("importer-takes-buffer", importer, "It takes our buffers.");
	else if (error == -EADDRNOTAVAIL)
		report("importer-refuses-buffer", importer, "It cannot address the memory of our "
		       "buffer: allocate from a device with fewer address bits, or switch on an "
		       "IOMMU.");
	else
		report("importer-refuses-buffer", importer, "It refuses our buffers (%s): copy to "
		       "a buffer of its own, or use another importer.", strerror(-error));
}

void report_fence(const char *importer, int error, const char *how)
{
	if (!error)
		report("importer-takes-fence", importer, "It takes our fences (%s).", how);
	else
		report("importer-refuses-fence", importer, "It takes no fence of ours (%s): wait "
		       "for the job before it gets the buffer.", how);
}

int open_importer(const char *path, const char *name)
{
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK), error = errno;

	if (fd >= 0)
		return fd;
	if (error == EACCES || error == EPERM) {
		report_permission("importer-permission", name, path, error);
	} else if (error == EBUSY) {
		report("importer-busy", name, "Another program uses %s alone, so it was not tried: "
		       "end that program, and run doctor again.", path);
	} else {
		report("importer-unreadable", name, "%s cannot be opened (%s): see the kernel's "
		       "log, and load its driver again.", path, strerror(error));
	}
	return -error;
}

void examine_importers(const struct patients *patients)
{
	struct trial_fence fence;
	unsigned int count;

	make_fence(patients, &fence);
	count = examine_drm(patients, fence.fd);
	count += examine_v4l2(patients);
	count += examine_vulkan(patients, fence.fd);
	release_fence(&fence);
	if (!count)
		report("importers-none", NULL, "There is no importer (no DRM card, V4L2 node or "
		       "Vulkan driver): only programs and Sluice devices can use the buffers, so "
		       "load the driver of your importer.");
	else if (patients->memory < 0)
		report("importer-untried", NULL, "No importer was tried, because no Sluice device "
		       "gave a buffer: first do what the findings above say.");
}
