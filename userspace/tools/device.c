// SPDX-License-Identifier: MIT
/* Devices, their queues and their jobs, with a sentence for each error that a user can correct. */
#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tool.h"

const char * const kind_names[NUM_KINDS] = {
	"copy", "fill", "capture", "playback", "program", "private",
};

void die_without_devices(void)
{
	if (access("/sys/module/sluice", F_OK))
		die("there is no device, because Sluice's modules are not loaded: load a device "
		    "driver, for example 'modprobe sluice-soft'");
	die("there is no device: load a device driver, for example 'modprobe sluice-soft'");
}

bool find_group(gid_t gid, char *name, size_t size)
{
	FILE *file = fopen("/etc/group", "re");
	struct group *group;
	bool found = false;

	while (file && !found && (group = fgetgrent(file))) {
		found = group->gr_gid == gid;
		if (found)
			snprintf(name, size, "%s", group->gr_name);
	}
	if (file)
		fclose(file);
	return found;
}

static void __attribute__((noreturn)) die_of_permission(const char *name, int error)
{
	struct stat node;
	char path[256], group[64];

	snprintf(path, sizeof(path), "%s%s", name[0] == '/' ? "" : "/dev/sluice/", name);
	if (error == EPERM)
		die("no permission to open '%s': the container or a security module forbids it, so "
		    "pass the node to the container (podman or docker run --device %s)", name,
		    path);
	if (!stat(path, &node) && node.st_gid && (node.st_mode & 0060) == 0060) {
		if (!find_group(node.st_gid, group, sizeof(group)))
			snprintf(group, sizeof(group), "%u", node.st_gid);
		die("no permission to open '%s': its node belongs to the group '%s', so run as "
		    "root, or let root add you to this group ('usermod -aG %s USER'), and log in "
		    "again", name, group, group);
	}
	die("no permission to open '%s': run as root, or give your group access to the nodes in "
	    "/dev/sluice by a udev rule", name);
}

const char *open_error(int error)
{
	switch (error) {
	case -EACCES:
	case -EPERM:
		return "no permission";
	case -ENOENT:
	case -ENODEV:
	case -ENXIO:
		return "removed";
	case -ENOTTY:
		return "not a Sluice device";
	default:
		return strerror(-error);
	}
}

int open_device(const char *name, struct sluice_info *info)
{
	int fd = sluice_open(name), ret;

	if (fd == -ENOENT && sluice_list(NULL, 0) == 0)
		die_without_devices();
	if (fd == -ENOENT)
		die("there is no device '%s': 'sluicectl list' lists the devices; if it is not "
		    "listed, load its device driver", name);
	if (fd == -EACCES || fd == -EPERM)
		die_of_permission(name, -fd);
	if (fd < 0)
		die("cannot open the device '%s': %s; 'sluicectl list' lists the devices", name,
		    strerror(-fd));
	ret = sluice_device_info(fd, info);
	if (ret == -ENODEV)
		die("the device '%s' was removed: it was unplugged, or its driver was unbound; "
		    "'sluicectl list' lists the devices", name);
	if (ret)
		die("'%s' is not a Sluice device: 'sluicectl list' lists the devices", name);
	return fd;
}

void need_op(const struct sluice_info *info, uint32_t kind, const char *verb)
{
	if (!(info->op_kinds & 1ULL << kind))
		die("the device '%s' cannot %s: 'sluicectl info %s' lists its ops", info->name,
		    verb, info->name);
}

int open_queue(int device, const struct sluice_info *info)
{
	struct sluice_create_queue args = { .timeout_ms = info->max_timeout_ms };

	check(ioctl(device, SLUICE_IOCTL_CREATE_QUEUE, &args) < 0 ? -errno : 0,
	      "create a queue");
	return args.fd;
}

int attach_buffer(int queue, int dmabuf, uint32_t flags)
{
	int slot = sluice_attach(queue, dmabuf, flags);

	check(slot, "attach the buffer to the device");
	return slot;
}

struct sluice_completion run_op(int queue, const struct sluice_op *op, const char *what)
{
	check(sluice_submit(queue, op, 1, -1, NULL, 0, NULL), "submit the job");
	return read_completion(queue, what);
}

struct sluice_completion read_completion(int queue, const char *what)
{
	struct sluice_completion completion;

	wait_readable(queue, what, SLUICE_MAX_TIMEOUT_MS / 1000);
	if (isatty(STDOUT_FILENO))
		end_progress();
	check(sluice_read(queue, &completion, 1), "read the completion");
	if (completion.status == -ETIME)
		die("the job exceeded the longest timeout of a job ('sluicectl info' shows it): use a "
		    "smaller buffer");
	if (completion.status == -EIO)
		die("the device reported that the job failed, or a poll ran out of time: the "
		    "kernel's log may say more");
	check(completion.status, "finish the job");
	return completion;
}
