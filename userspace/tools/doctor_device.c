// SPDX-License-Identifier: MIT
/* The devices: may this user open them, do their heaps work, and can they address all memory? */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "doctor.h"

#define TRIAL_SIZE 4096

unsigned int address_bits(void)
{
	unsigned long long spanned = 0, present = 0, start, end = 0;
	FILE *file = fopen("/proc/zoneinfo", "re");
	char line[256];

	/* of each zone, first the number of pages it spans, at its end the first page */
	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, " spanned %llu", &spanned) == 1)
			present = 0;
		sscanf(line, " present %llu", &present);
		if (sscanf(line, " start_pfn: %llu", &start) == 1 && present &&
		    start + spanned > end)
			end = start + spanned;
	}
	if (file)
		fclose(file);
	return end ? 64 - __builtin_clzll(end * sysconf(_SC_PAGESIZE) - 1) : 0;
}

bool is_translated(const char *class, const char *name)
{
	char path[320], type[32];

	snprintf(path, sizeof(path), "/sys/class/%s/%s/device/iommu_group/type", class, name);
	return read_line(path, type, sizeof(type)) && !strncmp(type, "DMA", 3);
}

/* Width of the physical addresses of a device's buffers.  Behind an IOMMU they may be anywhere. */
static unsigned int buffer_bits(const struct patient *patient)
{
	unsigned int bits = address_bits() ?: 64;

	if (is_translated("sluice", patient->info.name) || bits < patient->info.dma_bits)
		return bits;
	return patient->info.dma_bits;
}

unsigned int trial_bits(const struct patients *patients)
{
	return buffer_bits(&patients->all[patients->memory]);
}

static int alloc_from(const struct patient *patient, unsigned int heap, uint64_t size,
		      uint32_t flags, uint32_t *hint)
{
	uint64_t page = sysconf(_SC_PAGESIZE);
	struct sluice_alloc args = {
		.size = (size + page - 1) / page * page, .heap = heap, .flags = flags,
	};
	int ret = ioctl(patient->fd, SLUICE_IOCTL_ALLOC, &args) ? -errno : args.fd;

	*hint = args.hint;
	return ret;
}

static const char *reason_of(uint32_t hint, int error)
{
	switch (hint) {
	case SLUICE_HINT_LIMIT:
		return "this open file of the node may hold no more: raise sluice.open_limit_mb";
	case SLUICE_HINT_USER_LIMIT:
		return "this user may hold no more: end other programs, or raise "
		       "sluice.user_limit_mb";
	case SLUICE_HINT_TOTAL_LIMIT:
		return "all users together may hold no more: end other programs, or raise "
		       "sluice.total_limit_mb";
	case SLUICE_HINT_DMA_MASK:
		return "no memory that the device can address is free: end other programs, or "
		       "reserve memory with cma= at boot";
	case SLUICE_HINT_NO_CMA:
	case SLUICE_HINT_FRAGMENTED:
		return "no free piece of memory is large enough: reserve memory with cma= at boot";
	}
	if (error == -ENOMEM)
		return "no memory is free, or the memory cgroup is at its limit: end other "
		       "programs, or raise the limit";
	return strerror(-error);
}

/* Try each heap.  Reports failures; returns whether one works that importers can use. */
static bool try_heaps(const struct patient *patient, unsigned int *worked)
{
	bool useful = false, bounced = false;
	unsigned int i;

	for (i = 0; i < patient->info.num_heaps; i++) {
		struct sluice_heap_info heap;
		uint32_t hint = 0;
		int buffer;

		if (sluice_heap_info(patient->fd, i, &heap))
			continue;
		buffer = alloc_from(patient, i, TRIAL_SIZE, 0, &hint);
		if (buffer >= 0) {
			useful |= !(heap.properties & SLUICE_MEM_DEVICE);
			(*worked)++;
			close(buffer);
		} else if (hint == SLUICE_HINT_BOUNCED) {
			bounced = true;
		} else {
			report("heap-fails", patient->info.name, "The heap '%s' gives no buffer of "
			       "%u bytes, because %s.", heap.name, TRIAL_SIZE,
			       reason_of(hint, buffer));
		}
	}
	if (bounced || patient->info.caps & SLUICE_CAP_BOUNCED)
		report("device-bounced", patient->info.name, "The kernel bounces the device's DMA "
		       "(a confidential guest, or swiotlb=force): use the heap 'contiguous', or "
		       "boot without swiotlb=force.");
	return useful;
}

static void examine_address_bits(const struct patient *patient)
{
	unsigned int bits = address_bits();

	if (patient->info.caps & SLUICE_CAP_BOUNCED || bits <= patient->info.dma_bits ||
	    is_translated("sluice", patient->info.name))
		return;
	report("device-address-bits", patient->info.name, "The device has addresses of %u bits, "
	       "but memory of this machine needs %u bits: its own heaps work, but memory of other "
	       "origin may be refused, so allocate from this device, or switch on an IOMMU.",
	       patient->info.dma_bits, bits);
}

static void report_closed(const char *name, int error)
{
	char path[300];

	snprintf(path, sizeof(path), "/dev/sluice/%.255s", name);
	if (error == -EACCES) {
		report_permission("node-permission", name, path, EACCES);
	} else if (error == -EPERM) {
		report("node-forbidden", name, "The container or a security module forbids %s: "
		       "pass the device to the container (podman or docker run --device %s).", path,
		       path);
	} else {
		report("device-unreadable", name, "The device at %s does not answer (%s): see the "
		       "kernel's log, then bind its driver again.", path, strerror(-error));
	}
}

static void examine_one(struct patients *patients, const char *name)
{
	struct patient *patient = &patients->all[patients->count];
	unsigned int worked = 0;
	bool useful;
	int ret;

	patient->fd = sluice_open(name);
	ret = patient->fd < 0 ? patient->fd : sluice_device_info(patient->fd, &patient->info);
	if (ret) {
		report_closed(name, ret);
		if (patient->fd >= 0)
			close(patient->fd);
		return;
	}
	useful = try_heaps(patient, &worked);
	if (worked)
		report("device-works", name, "The device (driver %s, %u-bit DMA) gives buffers "
		       "from %u of %u heaps.", patient->info.driver, patient->info.dma_bits, worked,
		       patient->info.num_heaps);
	examine_address_bits(patient);
	if (useful && (patients->memory < 0 || buffer_bits(patient) < trial_bits(patients)))
		patients->memory = patients->count;
	/* the software device first, because its jobs are quick */
	if (useful && patient->info.op_kinds & 1 << SLUICE_OP_COPY &&
	    (patients->worker < 0 || !strcmp(patient->info.driver, "sluice-soft")))
		patients->worker = patients->count;
	patients->count++;
}

/* Devices that the kernel has, but /dev/sluice does not: in a container, or without devtmpfs. */
static void examine_missing_nodes(void)
{
	DIR *dir = opendir("/sys/class/sluice");
	struct dirent *entry;
	char path[300];

	while (dir && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), "/dev/sluice/%s", entry->d_name);
		if (entry->d_name[0] != '.' && access(path, F_OK))
			report("node-missing", entry->d_name, "The kernel has this device, but %s "
			       "does not exist: in a container pass it (podman or docker run "
			       "--device %s), else run 'udevadm trigger'.", path, path);
	}
	if (dir)
		closedir(dir);
}

void examine_devices(struct patients *patients)
{
	char names[MAX_PATIENTS][SLUICE_NAME_LEN];
	int count = sluice_list(names, MAX_PATIENTS), i;

	if (count < 0)
		report("node-permission", NULL, "You may not read the folder /dev/sluice: run as "
		       "root, or let root run 'chmod 755 /dev/sluice'.");
	for (i = 0; i < count && i < MAX_PATIENTS; i++)
		examine_one(patients, names[i]);
	examine_missing_nodes();
	if (!count && module_is_there() && count_entries("/sys/class/sluice") <= 0)
		report("device-none", NULL, "The module is loaded, but there is no device: load "
		       "the driver of your device, or run 'modprobe sluice-soft' as root to try.");
}

void release_devices(struct patients *patients)
{
	while (patients->count)
		close(patients->all[--patients->count].fd);
}

int trial_buffer(const struct patients *patients, uint64_t size, bool contiguous, uint32_t flags)
{
	const struct patient *patient = &patients->all[patients->memory];
	int heap;
	uint32_t hint;

	if (patients->memory < 0)
		return -ENODEV;
	heap = sluice_find_heap(patient->fd, contiguous ? "contiguous" : "pages");
	return heap < 0 ? heap : alloc_from(patient, heap, size, flags, &hint);
}

/* The engine that fills or copies, as @kind says; -ENOENT if there is none. */
static int find_engine(const struct patient *patient, uint32_t kind,
		       struct sluice_engine_info *engine)
{
	unsigned int i;

	for (i = 0; i < patient->info.num_engines; i++) {
		if (!sluice_engine_info(patient->fd, i, engine) &&
		    engine->op_kinds & 1ULL << kind &&
		    (!engine->max_length || engine->max_length >= TRIAL_SIZE) &&
		    engine->min_length <= TRIAL_SIZE && TRIAL_SIZE % engine->op_align == 0)
			return i;
	}
	return -ENOENT;
}

static int fence_buffer(const struct patient *patient)
{
	int heap = sluice_find_heap(patient->fd, "pages"), buffer;
	uint32_t hint;

	buffer = heap < 0 ? heap : alloc_from(patient, heap, TRIAL_SIZE, 0, &hint);
	if (buffer >= 0)
		return buffer;
	heap = sluice_find_heap(patient->fd, "contiguous");
	return heap < 0 ? heap : alloc_from(patient, heap, TRIAL_SIZE, 0, &hint);
}

void make_fence(const struct patients *patients, struct trial_fence *fence)
{
	const struct patient *patient = &patients->all[patients->worker];
	struct sluice_engine_info engine;
	struct sluice_op op;
	int number, dst, src;

	*fence = (struct trial_fence) { .fd = -1, .queue = -1, .buffers = { -1, -1 } };
	if (patients->worker < 0 || !(patient->info.caps & SLUICE_CAP_SYNC_FILE))
		return;
	number = find_engine(patient, SLUICE_OP_COPY, &engine);
	if (number < 0)
		return;
	fence->queue = sluice_queue_create(patient->fd, number);
	fence->buffers[0] = fence_buffer(patient);
	fence->buffers[1] = fence_buffer(patient);
	dst = sluice_attach(fence->queue, fence->buffers[0], SLUICE_ATTACH_WRITE);
	src = sluice_attach(fence->queue, fence->buffers[1], SLUICE_ATTACH_READ);
	if (fence->queue < 0 || dst < 0 || src < 0)
		return;
	sluice_op_copy(&op, dst, 0, src, 0, TRIAL_SIZE);
	if (sluice_submit(fence->queue, &op, 1, -1, &fence->fd, 0, NULL))
		fence->fd = -1;
}

void release_fence(struct trial_fence *fence)
{
	/* a job that has not ended ends with its queue */
	if (fence->fd >= 0)
		close(fence->fd);
	if (fence->queue >= 0)
		close(fence->queue);
	if (fence->buffers[0] >= 0)
		close(fence->buffers[0]);
	if (fence->buffers[1] >= 0)
		close(fence->buffers[1]);
}
