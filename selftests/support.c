// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <linux/sync_file.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "support.h"

static char object_names[SUPPORT_OBJECTS][32];

struct objects objects_read(void)
{
	struct objects objects = {};
	FILE *file = fopen("/sys/kernel/debug/sluice/objects", "re");
	int i;

	for (i = 0; file && i < SUPPORT_OBJECTS; i++)
		if (fscanf(file, "%31s %ld", object_names[i], &objects.count[i]) != 2)
			break;
	if (file)
		fclose(file);
	else
		objects.count[0] = -1;
	return objects;
}

struct objects objects_before(void)
{
	struct objects objects;
	int tries, i;

	for (tries = 0; tries < LATE_MS / 10; tries++) {
		long sum = 0;

		objects = objects_read();
		for (i = 1; i < SUPPORT_OBJECTS; i++)
			sum += objects.count[i];
		if (!sum)
			break;
		usleep(10000);
	}
	return objects;
}

bool objects_settle(const struct objects *before)
{
	struct objects after;
	int tries, i;

	if (before->count[0] < 0) {
		printf("# no /sys/kernel/debug/sluice/objects\n");
		return false;
	}
	for (tries = 0; tries < LATE_MS / 10; tries++) {
		after = objects_read();
		if (!memcmp(&after, before, sizeof(after)))
			return true;
		usleep(10000);
	}
	for (i = 0; i < SUPPORT_OBJECTS; i++)
		if (after.count[i] != before->count[i])
			printf("# %s: %ld before, %ld after\n", object_names[i],
			       before->count[i], after.count[i]);
	return false;
}

bool file_has(const char *path, const char *text)
{
	FILE *file = fopen(path, "re");
	char line[512];
	bool found = false;

	while (file && !found && fgets(line, sizeof(line), file))
		found = strstr(line, text);
	if (file)
		fclose(file);
	return found;
}

bool root_stays_awake(void)
{
	if (access("/sys/bus/virtio/drivers/9pnet_virtio", F_OK) ||
	    !access("/sys/module/" AWAKE, F_OK))
		return true;
	return !system("insmod /sluice/$(uname -r)/sluice-awake.ko");
}

int sleep_until_woken(const char *test, const char *state)
{
	int ret = write_text(PM_TEST, test);

	if (ret)
		return ret;
	ret = write_text(PM_STATE, state);
	write_text(PM_TEST, "none");
	return ret;
}

int sleep_devices(void)
{
	char delay[16] = "";
	int fd, ret;

	if (access(PM_TEST, W_OK) || !file_has(PM_STATE, "freeze") || !root_stays_awake())
		return -EOPNOTSUPP;
	fd = open(PM_DELAY, O_RDONLY | O_CLOEXEC);
	if (read(fd, delay, sizeof(delay) - 1) < 0)
		delay[0] = 0;
	close(fd);
	write_text(PM_DELAY, "1");
	ret = sleep_until_woken("devices", "freeze");
	if (delay[0])
		write_text(PM_DELAY, delay);
	if (!access("/sys/module/" AWAKE, F_OK) && !module_unload(AWAKE))
		return -EBUSY;
	return ret;
}

int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		ret = -errno;
	close(fd);
	return ret;
}

int knob(const char *name, unsigned long value)
{
	char path[128], text[32];

	snprintf(path, sizeof(path), "/sys/kernel/debug/sluice/soft0/%s", name);
	snprintf(text, sizeof(text), "%lu", value);
	return write_text(path, text);
}

int limit_mb(const char *name, unsigned int mb)
{
	char path[80], text[16];

	snprintf(path, sizeof(path), "/sys/module/sluice/parameters/%s_limit_mb", name);
	snprintf(text, sizeof(text), "%u", mb);
	return write_text(path, text);
}

int open_limit_mb(unsigned int mb)
{
	return limit_mb("open", mb);
}

int alloc_hint(int device, int heap, uint64_t size, uint32_t *hint)
{
	struct sluice_alloc args = { .size = size, .heap = heap };
	int ret = xioctl(device, SLUICE_IOCTL_ALLOC, &args);

	*hint = args.hint;
	return ret ?: args.fd;
}

int run_op(int queue, const struct sluice_op *op)
{
	struct sluice_completion completion;
	int ret = sluice_submit(queue, op, 1, -1, NULL, 0, NULL);

	if (ret)
		return ret;
	ret = sluice_read(queue, &completion, 1);
	return ret == 1 ? completion.status : ret;
}

bool wait_running(int device, unsigned int engine)
{
	char line[256], path[96], *state;
	struct sluice_info info;
	unsigned int number;
	int tries;

	if (sluice_get_info(device, &info))
		return false;
	snprintf(path, sizeof(path), "/sys/kernel/debug/sluice/%s/queues", info.name);
	for (tries = 0; tries < LATE_MS; tries++) {
		FILE *file = fopen(path, "re");
		bool found = false;

		while (file && fgets(line, sizeof(line), file)) {
			state = strrchr(line, '\t');
			if (state && sscanf(line, "%*s %u", &number) == 1 && number == engine)
				found |= !strcmp(state, "\trunning\n");
		}
		if (file)
			fclose(file);
		if (found)
			return true;
		usleep(1000);
	}
	return false;
}

bool wait_hanging(void)
{
	int tries;

	for (tries = 0; tries < LATE_MS; tries++) {
		FILE *file = fopen("/sys/kernel/debug/sluice/soft0/hang_next", "re");
		long left = -1;

		if (file && fscanf(file, "%ld", &left) != 1)
			left = -1;
		if (file)
			fclose(file);
		if (left <= 0)
			return !left;
		usleep(1000);
	}
	return false;
}

int patient_queue(int device, unsigned int engine)
{
	struct sluice_create_queue args = { .engine = engine,
					    .timeout_ms = SLUICE_MAX_TIMEOUT_MS,
					    .completion_size = sizeof(struct sluice_completion) };
	int ret = xioctl(device, SLUICE_IOCTL_CREATE_QUEUE, &args);

	return ret ? ret : args.fd;
}

int gate_shut(struct gate *gate, unsigned int engine)
{
	struct sluice_op op;
	int ret;

	gate->device = sluice_open("soft0");
	gate->buffer = sluice_alloc(gate->device, 0, 4096, 0);
	gate->queue = patient_queue(gate->device, engine);
	ret = sluice_attach(gate->queue, gate->buffer, SLUICE_ATTACH_EXPLICIT);
	if (ret < 0)
		return ret;
	ret = knob("hang_next", 1);
	if (ret)
		return ret;
	sluice_op_fill(&op, 0, 0, 4096, 0);
	ret = sluice_submit(gate->queue, &op, 1, -1, NULL, 0, NULL);
	return ret ? ret : wait_hanging() ? 0 : -ETIME;
}

/* The last job of a queue, or 0. */
static uint64_t last_point(int queue)
{
	unsigned long point = 0;
	char text[128];
	FILE *file;

	snprintf(text, sizeof(text), "/proc/self/fdinfo/%d", queue);
	file = fopen(text, "re");
	while (file && fgets(text, sizeof(text), file))
		if (sscanf(text, "sluice-submitted: %lu", &point) == 1)
			break;
	if (file)
		fclose(file);
	return point;
}

int gate_open(struct gate *gate)
{
	int ret = sluice_cancel(gate->queue, 1, 1);

	if (ret == 1)
		ret = sluice_wait(gate->queue, 1, LATE_MS);
	else
		ret = -ENOLCK;
	/* what a test has put behind the gate is not to be cancelled by the close */
	sluice_wait(gate->queue, last_point(gate->queue), LATE_MS);
	close(gate->queue);
	close(gate->buffer);
	close(gate->device);
	return ret == -ECANCELED ? 0 : ret;
}

int module_load(const char *name)
{
	struct utsname kernel;
	char path[256];
	int fd, ret;

	uname(&kernel);
	snprintf(path, sizeof(path), "/sluice/%s/%s.ko", kernel.release, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = syscall(SYS_finit_module, fd, "", 0) ? -errno : 0;
	close(fd);
	return ret;
}

int read_all(int queue, struct sluice_completion *completions, int count)
{
	int done = 0, ret;

	while (done < count) {
		ret = sluice_read(queue, completions + done, count - done);
		if (ret <= 0)
			return ret;
		done += ret;
	}
	return done;
}

uint32_t crc32(uint32_t crc, const void *data, size_t length)
{
	const uint8_t *byte = data;
	int bit;

	for (crc = ~crc; length--; byte++)
		for (crc ^= *byte, bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ 0xedb88320 : crc >> 1;
	return ~crc;
}

bool module_unload(const char *name)
{
	char path[64], command[64];
	int tries;

	snprintf(path, sizeof(path), "/sys/module/%s", name);
	snprintf(command, sizeof(command), "rmmod %s 2>/dev/null", name);
	for (tries = 0; tries < LATE_MS / 10; tries++) {
		if (access(path, F_OK))
			return true;
		if (system(command))
			usleep(10000);
	}
	return false;
}

bool memory_cgroup(void)
{
	mkdir("/tmp/sluice-cgroup", 0755);
	return !system("mount -t cgroup2 none /tmp/sluice-cgroup 2>/dev/null && "
		       "echo +memory >/tmp/sluice-cgroup/cgroup.subtree_control && "
		       "mkdir /tmp/sluice-cgroup/t");
}

bool memory_cgroup_end(const char *mount)
{
	char command[128];
	int tries;

	/* the last of its tasks may have been waited for and still be on its way out */
	snprintf(command, sizeof(command), "rmdir %s/t 2>/dev/null", mount);
	for (tries = 0; tries < 200 && system(command); tries++)
		usleep(50000);
	snprintf(command, sizeof(command), "umount %s", mount);
	return tries < 200 && !system(command);
}

int xioctl(int fd, unsigned long request, void *argument)
{
	return ioctl(fd, request, argument) < 0 ? -errno : 0;
}

/* not in the kernel's headers: drivers/dma-buf/sw_sync.c */
struct sw_sync_fence {
	__u32 value;
	char name[32];
	__s32 fence;
};

int sw_sync_timeline(void)
{
	return open("/sys/kernel/debug/sync/sw_sync", O_RDWR | O_CLOEXEC);
}

int sw_sync_fence(int timeline, unsigned int value)
{
	struct sw_sync_fence data = { .value = value, .name = "sluice-test" };
	int ret = xioctl(timeline, _IOWR('W', 0, struct sw_sync_fence), &data);

	return ret ? ret : data.fence;
}

uint64_t frame_of(const volatile void *address)
{
	int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t entry = 0;

	(void)*(const volatile char *)address;
	if (pread(pagemap, &entry, sizeof(entry), (uintptr_t)address / 4096 * 8) != sizeof(entry))
		entry = 0;
	close(pagemap);
	return entry >> 63 ? entry & ((1ULL << 55) - 1) : 0;
}

int is_beyond(int device, int dmabuf, unsigned int bits)
{
	static const char path[] = "/sys/module/sluice/parameters/expose_addresses";
	struct sluice_buffer_info info = {};
	int ret = write_text(path, "Y");

	if (ret)
		return ret;
	ret = sluice_get_buffer(device, dmabuf, &info);
	write_text(path, "N");
	if (!ret && !info.address)
		ret = -ENXIO;
	return ret ?: info.address >> bits != 0;
}

long number_of(const char *path, const char *name)
{
	FILE *file = fopen(path, "re");
	long number = -1, value;
	char word[64];

	while (file && fscanf(file, "%63s %ld%*[^\n]", word, &value) == 2)
		if (!strcmp(word, name))
			number = value;
	if (file)
		fclose(file);
	return number;
}

bool reserve_huge_pages(int count)
{
	static const char path[] = "/proc/sys/vm/nr_hugepages";
	char text[16];

	snprintf(text, sizeof(text), "%d", count);
	write_text(path, text);
	if (number_of("/proc/meminfo", "HugePages_Free:") >= count)
		return true;
	write_text(path, "0");
	return false;
}

int sealed_memfd(unsigned int flags, off_t size, int seals)
{
	int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING | flags), ret;

	if (fd < 0)
		return -errno;
	if (!ftruncate(fd, size) && (!seals || !fcntl(fd, F_ADD_SEALS, seals)))
		return fd;
	ret = -errno;
	close(fd);
	return ret;
}

int seal_writes(int memfd)
{
	int64_t begin = now_ns();
	int ret;

	do {
		ret = fcntl(memfd, F_ADD_SEALS, F_SEAL_WRITE) ? -errno : 0;
	} while (ret == -EBUSY && now_ns() - begin < LATE_MS * 1000000LL);
	return ret;
}

int wrap_error(int device, int memfd, uint64_t offset, uint64_t size)
{
	int fd = sluice_wrap(device, memfd, offset, size);

	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

bool signalled(int fence)
{
	struct pollfd pollfd = { .fd = fence, .events = POLLIN };

	return poll(&pollfd, 1, 0) == 1;
}

int64_t fence_time(int fence)
{
	struct sync_fence_info one = {};
	struct sync_file_info info = { .num_fences = 1, .sync_fence_info = (uintptr_t)&one };

	return xioctl(fence, SYNC_IOC_FILE_INFO, &info) ? -1 : (int64_t)one.timestamp_ns;
}

uint32_t expected_raw(uint64_t sequence, size_t index)
{
	return (uint32_t)sequence * 0x9e3779b9u + (uint32_t)index;
}

uint32_t expected_word(uint32_t seed, size_t index)
{
	return (seed + (uint32_t)index) * 2654435761u;
}

static int each_word(int dmabuf, size_t size, bool write,
		     int (*visit)(uint32_t *words, size_t count, uint32_t argument),
		     uint32_t argument)
{
	void *memory;
	int ret, end;

	ret = sluice_map(dmabuf, size, &memory);
	if (ret)
		return ret;
	ret = sluice_cpu_begin(dmabuf, write);
	if (!ret) {
		ret = visit(memory, size / sizeof(uint32_t), argument);
		end = sluice_cpu_end(dmabuf, write);
		ret = ret ? ret : end;
	}
	munmap(memory, size);
	return ret;
}

static int visit_fill(uint32_t *words, size_t count, uint32_t seed)
{
	size_t i;

	for (i = 0; i < count; i++)
		words[i] = expected_word(seed, i);
	return 0;
}

static int visit_check(uint32_t *words, size_t count, uint32_t seed)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (words[i] != expected_word(seed, i))
			return -EILSEQ;
	return 0;
}

static int visit_value(uint32_t *words, size_t count, uint32_t value)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (words[i] != value)
			return -EILSEQ;
	return 0;
}

int fill_words(int dmabuf, size_t size, uint32_t seed)
{
	return each_word(dmabuf, size, true, visit_fill, seed);
}

int check_words(int dmabuf, size_t size, uint32_t seed)
{
	return each_word(dmabuf, size, false, visit_check, seed);
}

int check_value(int dmabuf, size_t size, uint32_t value)
{
	return each_word(dmabuf, size, false, visit_value, value);
}

bool translated(void)
{
	FILE *file = fopen("/sys/kernel/iommu_groups/0/type", "re");
	char type[16] = "";

	if (file) {
		if (fscanf(file, "%15s", type) != 1)
			type[0] = 0;
		fclose(file);
	}
	return !strncmp(type, "DMA", 3);
}
