// SPDX-License-Identifier: MIT
/*
 * Buffers: allocation, CPU mappings, importers, CPU access, memory that a buffer uses beyond its
 * pages.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <linux/dma-buf.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"
#include "busy.h"
#include "importer.h"
#include "memory.h"

int alloc_one(struct scene *scene)
{
	scene->dmabufs[0] = scene->exporter->alloc(scene->size);
	return scene->dmabufs[0] < 0 ? scene->dmabufs[0] : 0;
}

/* ALLOC + close */

static int alloc_close(struct scene *scene)
{
	int fd = scene->exporter->alloc(scene->size);

	return fd < 0 ? fd : close(fd);
}

/* Let the kernel clear the buffer of the same size that was closed just before. */
static int let_settle(struct scene *scene)
{
	return settle(scene->size);
}

static const struct steps alloc_warm = { .before = let_settle, .step = alloc_close };

int drop_pools(struct scene *scene)
{
	int ret = settle(scene->size);

	return ret ? ret : write_file("/proc/sys/vm/drop_caches", "2");
}

/* Close smaller buffers, so that a pool has all of them in front of the one that fits. */
static int close_others(struct scene *scene)
{
	int *fds = calloc(scene->count, sizeof(*fds)), ret = 0;
	unsigned int i, opened;

	if (!fds)
		return -ENOMEM;
	for (opened = 0; opened < scene->count && !ret; opened++) {
		fds[opened] = scene->exporter->alloc(KIB(4));
		if (fds[opened] < 0)
			ret = fds[opened];
	}
	for (i = 0; i < opened; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	free(fds);
	return ret ? ret : settle(scene->count * KIB(4));
}

/* Few steps, so that they end before a pool expires the other buffers. */
static const struct steps alloc_beside = {
	.setup = close_others, .before = let_settle, .step = alloc_close, .most = 101,
};

static const struct steps alloc_cold = { .before = drop_pools, .step = alloc_close, .most = 51 };

/* Memory that is needed again at once shows the work that a pool has put off. */
static const struct steps alloc_again = { .step = alloc_close };

/* A memfd with all its pages becomes a dma-buf, again and again */

static int fill_memfd(struct scene *scene)
{
	int ret = 0;

	scene->memfd = memfd_new(scene->size);
	if (scene->memfd < 0)
		return scene->memfd;
	if (fallocate(scene->memfd, 0, 0, scene->size))
		ret = -errno;
	return ret;
}

static int wrap_close(struct scene *scene)
{
	int fd = sluice_wrap(soft_device(), scene->memfd, 0, scene->size);

	return fd < 0 ? fd : close(fd);
}

static int wrap_close_udmabuf(struct scene *scene)
{
	int fd = udmabuf_wrap(scene->memfd, scene->size);

	return fd < 0 ? fd : close(fd);
}

static const struct steps wrap = { .setup = fill_memfd, .step = wrap_close };
static const struct steps wrap_peer = { .setup = fill_memfd, .step = wrap_close_udmabuf };

/* mmap, where huge entries may be used, + a write to each page + munmap */

static int map_touch(int dmabuf, size_t size)
{
	volatile char *memory;
	void *address;
	size_t i;
	int ret;

	ret = sluice_map(dmabuf, size, &address);
	if (ret)
		return ret;
	memory = address;
	for (i = 0; i < size; i += KIB(4))
		memory[i] = 1;
	return munmap((void *)memory, size) ? -errno : 0;
}

/* The same at any address that the kernel chooses. */
static int map_touch_anywhere(struct scene *scene)
{
	volatile char *memory;
	size_t i;

	memory = mmap(NULL, scene->size, PROT_READ | PROT_WRITE, MAP_SHARED, scene->dmabufs[0], 0);
	if (memory == MAP_FAILED)
		return -errno;
	for (i = 0; i < scene->size; i += KIB(4))
		memory[i] = 1;
	return munmap((void *)memory, scene->size) ? -errno : 0;
}

static const struct steps map_anywhere = { .setup = alloc_one, .step = map_touch_anywhere };

int map_touch_one(struct scene *scene)
{
	return map_touch(scene->dmabufs[0], scene->size);
}

static const struct steps map = { .setup = alloc_one, .step = map_touch_one };

/* Importers: vgem */

static int vgem_setup(struct scene *scene)
{
	scene->drm = vgem_open();
	return scene->drm < 0 ? scene->drm : alloc_one(scene);
}

static int import_close(struct scene *scene)
{
	int ret = vgem_import(scene->drm, scene->dmabufs[0], &scene->handle);

	return ret ? ret : vgem_close(scene->drm, scene->handle);
}

static const struct steps import = { .setup = vgem_setup, .step = import_close };

/*
 * The test importer.  Each attachment has a device of its own.  Unlike vgem, which maps a handle only
 * when it is used, it maps.
 */
#define REMAPS	64

int importer_attach(struct scene *scene, uint32_t device)
{
	struct importer_attach args = { .fd = scene->dmabufs[0], .device = device };

	return xioctl(scene->importer, IMPORTER_ATTACH, &args);
}

/* The first device and the first attachment have number 0. */
static int importer_remap(struct scene *scene, uint32_t count)
{
	struct importer_remap args = { .count = count };

	return xioctl(scene->importer, IMPORTER_REMAP, &args);
}

/* @limit: the longest segment of the devices, in bytes */
static int open_limited_importer(struct scene *scene, uint32_t limit)
{
	struct importer_device device = { .dma_bits = 64, .max_seg = limit, .boundary = ~0ULL };
	int ret = alloc_one(scene), i;

	if (ret)
		return ret;
	scene->importer = open("/dev/sluice-importer", O_RDWR | O_CLOEXEC);
	if (scene->importer < 0)
		return -errno;
	for (i = 0; i < MAX_IMPORTERS && ret >= 0; i++)
		ret = xioctl(scene->importer, IMPORTER_DEVICE, &device);
	return ret < 0 ? ret : 0;
}

/* The limit of vgem's device. */
static int open_importer(struct scene *scene)
{
	return open_limited_importer(scene, 65536);
}

int open_any_importer(struct scene *scene)
{
	return open_limited_importer(scene, UINT32_MAX);
}

int attach_map(struct scene *scene)
{
	int ret = importer_attach(scene, 0);

	ret = ret ? ret : importer_remap(scene, 1);
	return ret ? ret : ioctl(scene->importer, IMPORTER_DETACH, 0) ? -errno : 0;
}

static const struct steps attach = { .setup = open_importer, .step = attach_map };
static const struct steps attach_any = { .setup = open_any_importer, .step = attach_map };

/* It stays attached, and maps and unmaps for each use, as V4L2 drivers do. */
static int attach_first(struct scene *scene)
{
	int ret = open_importer(scene);

	return ret ? ret : importer_attach(scene, 0);
}

static int map_again(struct scene *scene)
{
	return importer_remap(scene, REMAPS);
}

static const struct steps remap = { .setup = attach_first, .step = map_again, .batch = REMAPS };

/* CPU access */

static int cpu_access(struct scene *scene)
{
	struct dma_buf_sync args = { .flags = DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW };
	int ret = xioctl(scene->dmabufs[0], DMA_BUF_IOCTL_SYNC, &args);

	if (ret)
		return ret;
	args.flags = DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW;
	return xioctl(scene->dmabufs[0], DMA_BUF_IOCTL_SYNC, &args);
}

static const struct steps access_alone = { .setup = alloc_one, .step = cpu_access };

static int map_four(struct scene *scene)
{
	int ret = open_importer(scene), i;

	for (i = 0; i < MAX_IMPORTERS && ret >= 0; i++) {
		struct importer_map args = { .dir = 0 };

		ret = importer_attach(scene, i);
		if (ret < 0)
			break;
		args.attachment = ret;
		ret = xioctl(scene->importer, IMPORTER_MAP, &args);
	}
	return ret < 0 ? ret : 0;
}

static const struct steps access_mapped = { .setup = map_four, .step = cpu_access };

static int range_access(struct scene *scene)
{
	uint64_t middle = scene->size / 2;
	int device = soft_device(), fd = scene->dmabufs[0];
	int ret = sluice_cpu_begin_range(device, fd, true, middle, KIB(4));

	return ret ? ret : sluice_cpu_end_range(device, fd, true, middle, KIB(4));
}

static const struct steps access_range = { .setup = map_four, .step = range_access };

/* Many live buffers, and one more */

int open_live(struct scene *scene, size_t size)
{
	unsigned int i;

	scene->live = malloc(scene->count * sizeof(*scene->live));
	if (!scene->live)
		return -ENOMEM;
	for (i = 0; i < scene->count; i++)
		scene->live[i] = -1;
	for (i = 0; i < scene->count; i++) {
		scene->live[i] = scene->exporter->alloc(size);
		if (scene->live[i] < 0)
			return scene->live[i];
	}
	return 0;
}

void close_live(struct scene *scene)
{
	unsigned int i;

	for (i = 0; scene->live && i < scene->count; i++)
		if (scene->live[i] >= 0)
			close(scene->live[i]);
	free(scene->live);
	scene->live = NULL;
}

static int alloc_live(struct scene *scene)
{
	int ret = open_live(scene, scene->size);

	return ret ? ret : settle(scene->count * scene->size);
}

static int alloc_map_close(struct scene *scene)
{
	int fd = scene->exporter->alloc(scene->size), ret;

	if (fd < 0)
		return fd;
	ret = map_touch(fd, scene->size);
	close(fd);
	return ret;
}

/* With time to clear, so that chance does not decide which side has to clear its page. */
static const struct steps one_more = {
	.setup = alloc_live, .before = let_settle, .step = alloc_map_close,
	.teardown = close_live,
};

/*
 * Memory beyond the pages: the memory that each of @count live buffers has for itself, in whole
 * objects of each slab cache, and in whole pages.  Other users of memory change less than one
 * object for each buffer meanwhile, which is rounded away.
 */
#define MAX_CACHES	1024
#define ROUNDS		3

/**
 * struct usage - memory in use
 * @pages: pages that are neither free nor the slab allocator's; only differences are meaningful
 * @num_caches: length of @caches
 * @caches: the slab caches: bytes of an object, and number of live objects
 */
struct usage {
	double pages;
	unsigned int num_caches;
	struct {
		char name[48];
		double size;
		double objects;
	} caches[MAX_CACHES];
};

/* Pages in the lists of CPUs are free, too. */
static void usage_free_pages(struct usage *usage, FILE *zoneinfo)
{
	char line[512];
	double count;

	while (fgets(line, sizeof(line), zoneinfo))
		if (sscanf(line, " pages free %lf", &count) == 1 ||
		    sscanf(line, " count: %lf", &count) == 1)
			usage->pages -= count;
}

/* Processes, files and kernel threads come and go; buffers do not use these pages. */
static void usage_other_pages(struct usage *usage, FILE *vmstat)
{
	char line[512];
	double count;

	while (fgets(line, sizeof(line), vmstat))
		if (sscanf(line, "nr_anon_pages %lf", &count) == 1 ||
		    sscanf(line, "nr_file_pages %lf", &count) == 1)
			usage->pages -= count;
		else if (sscanf(line, "nr_kernel_stack %lf", &count) == 1)
			usage->pages -= count * KIB(1) / sysconf(_SC_PAGESIZE);
}

static void usage_caches(struct usage *usage, FILE *slabinfo)
{
	double size, objects, slab_pages, slabs;
	char line[512], name[48];

	while (fgets(line, sizeof(line), slabinfo) && usage->num_caches < MAX_CACHES) {
		if (sscanf(line, "%47s %lf %*f %lf %*f %lf : tunables %*f %*f %*f : slabdata %*f %lf",
			   name, &objects, &size, &slab_pages, &slabs) != 5)
			continue;
		usage->pages -= slab_pages * slabs;
		strcpy(usage->caches[usage->num_caches].name, name);
		usage->caches[usage->num_caches].size = size;
		usage->caches[usage->num_caches++].objects = objects;
	}
}

/* The first read of a file takes memory. */
static FILE *open_and_read(const char *path)
{
	FILE *file = fopen(path, "re");
	char line[512];

	while (file && fgets(line, sizeof(line), file))
		;
	if (file)
		rewind(file);
	return file;
}

/*
 * Free objects that a CPU keeps count as live until their cache is shrunk.  All files are opened
 * before, so that no file is opened or closed during the count.
 */
static int shrink_caches(void)
{
	unsigned int i, count = 0;
	int ret = 0, fds[MAX_CACHES];
	glob_t caches;

	/* several times, because a shrinker keeps recently used objects once */
	for (i = 0; i < 3 && !ret; i++)
		ret = write_file("/proc/sys/vm/drop_caches", "2");
	if (ret || glob("/sys/kernel/slab/*/shrink", GLOB_NOSORT, NULL, &caches))
		return ret ?: -EOPNOTSUPP;
	for (i = 0; i < caches.gl_pathc && count < MAX_CACHES; i++)
		fds[count++] = open(caches.gl_pathv[i], O_WRONLY | O_CLOEXEC);
	globfree(&caches);
	settle(MIB(64));
	for (i = 0; i < count; i++)
		if (write(fds[i], "1", 1) < 0)
			ret = -errno;
	while (count--)
		close(fds[count]);
	/* each CPU has counts of pages that are not added yet */
	return ret ? ret : write_file("/proc/sys/vm/stat_refresh", "1");
}

static int usage_read(struct usage *usage)
{
	FILE *zoneinfo = open_and_read("/proc/zoneinfo"), *vmstat = open_and_read("/proc/vmstat");
	FILE *slabinfo = open_and_read("/proc/slabinfo");
	int ret = shrink_caches();

	usage->pages = 0;
	usage->num_caches = 0;
	if (zoneinfo && vmstat && slabinfo) {
		usage_free_pages(usage, zoneinfo);
		usage_other_pages(usage, vmstat);
		usage_caches(usage, slabinfo);
	}
	if (zoneinfo)
		fclose(zoneinfo);
	if (vmstat)
		fclose(vmstat);
	if (slabinfo)
		fclose(slabinfo);
	return ret ? ret : usage->num_caches ? 0 : -EOPNOTSUPP;
}

/* The bytes that @after has more than @before, for each of @count. */
static double usage_each(const struct usage *before, const struct usage *after, unsigned int count)
{
	double bytes = round((after->pages - before->pages) / count) * sysconf(_SC_PAGESIZE);
	unsigned int i, j;

	for (i = 0; i < after->num_caches; i++)
		for (j = 0; j < before->num_caches; j++)
			if (!strcmp(after->caches[i].name, before->caches[j].name))
				bytes += round((after->caches[i].objects -
						before->caches[j].objects) / count) *
					 after->caches[i].size;
	return bytes;
}

static int overhead_once(struct scene *scene, double *value)
{
	static struct usage before, after;
	int ret;

	ret = usage_read(&before);
	ret = ret ? ret : alloc_live(scene);
	ret = ret ? ret : usage_read(&after);
	*value = usage_each(&before, &after, scene->count) - scene->size;
	close_live(scene);
	scene->live = NULL;
	return ret;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/*
 * The median of some rounds, because a kernel thread that frees or takes pages spoils a round.  The
 * first rounds leave memory behind, in the kernel and in pages of this process.
 */
static int overhead(struct scene *scene, double *value)
{
	double values[ROUNDS];
	unsigned int i;
	int ret = overhead_once(scene, &values[0]);

	for (i = 0; i < ROUNDS && !ret; i++)
		ret = overhead_once(scene, &values[i]);
	if (ret)
		return ret;
	qsort(values, ROUNDS, sizeof(values[0]), by_value);
	*value = values[ROUNDS / 2];
	return ret;
}

static const struct steps memory_used = { .value = overhead, .teardown = close_live };

/* Memory of queues: each is an object with an fd, as a buffer is, but without pages. */

static int queue_of_depth(uint32_t depth, uint32_t flags)
{
	struct sluice_create_queue args = {
		.depth = depth, .flags = flags,
		.completion_size = sizeof(struct sluice_completion),
	};
	int ret = xioctl(soft_device(), SLUICE_IOCTL_CREATE_QUEUE, &args);

	return ret ? ret : args.fd;
}

static int one_job(int queue)
{
	struct sluice_completion completion;
	int ret = queue < 0 ? queue : sluice_submit(queue, NULL, 0, -1, NULL, 0, NULL);

	if (!ret)
		ret = sluice_read(queue, &completion, 1);
	return ret < 0 ? ret : queue;
}

static int idle_queue(size_t size)
{
	(void)size;
	return queue_of_depth(0, 0);
}

static int used_queue(size_t size)
{
	return one_job(idle_queue(size));
}

static int deep_queue(size_t size)
{
	(void)size;
	return queue_of_depth(SLUICE_MAX_DEPTH, 0);
}

static int used_deep_queue(size_t size)
{
	return one_job(deep_queue(size));
}

static int ring_queue(size_t size)
{
	(void)size;
	return queue_of_depth(0, SLUICE_QUEUE_RING);
}

static int shared_buffer = -1, shared_fence = -1;

static int queue_with_slot(size_t size)
{
	int queue = used_queue(size), slot;

	if (shared_buffer < 0)
		shared_buffer = sluice_alloc(soft_device(), 0, KIB(4), 0);
	slot = sluice_attach(queue, shared_buffer, SLUICE_ATTACH_WRITE | SLUICE_ATTACH_EXPLICIT);
	return slot < 0 ? slot : queue;
}

/* The job waits, because another queue has a job that hangs on the same engine. */
static int queue_with_job(size_t size)
{
	int queue = queue_with_slot(size), ret = 0;
	struct sluice_op op;

	sluice_op_fill(&op, 0, 0, 4, 0);
	if (shared_fence < 0)
		ret = hang_begin(&shared_fence);
	if (!ret)
		ret = sluice_submit(queue, &op, 1, -1, NULL, 0, NULL);
	return ret ? ret : queue;
}

static void close_queues(struct scene *scene)
{
	close_live(scene);
	if (shared_fence >= 0)
		hang_end();
	close(shared_fence);
	close(shared_buffer);
	shared_fence = shared_buffer = -1;
}

static const struct exporter idle_queues = { "idle", idle_queue };
static const struct exporter used_queues = { "1 job ended", used_queue };
static const struct exporter deep_queues = { "idle", deep_queue };
static const struct exporter used_deep_queues = { "1 job ended", used_deep_queue };
static const struct exporter ring_queues = { "idle", ring_queue };
static const struct exporter slot_queues = { "with a slot", queue_with_slot };
static const struct exporter job_queues = { "a slot, a job waits", queue_with_job };

static const struct steps queue_used = { .value = overhead, .teardown = close_queues };

#define EACH_EXPORTER(how) \
	.ours = { .exporter = &sluice, .steps = &how }, \
	.peers = { { .exporter = &dma_heap, .steps = &how }, \
		   { .exporter = &udmabuf, .steps = &how } }
/* Only udmabuf: the system heap ignores limits, and copies a table that it made at the allocation. */
#define BESIDE_UDMABUF(how) \
	.ours = { .exporter = &sluice, .steps = &how }, \
	.peers = { { .exporter = &udmabuf, .steps = &how } }
#define WRAP \
	.ours = { .exporter = &sluice, .steps = &wrap }, \
	.peers = { { .exporter = &udmabuf, .steps = &wrap_peer } }
/* Sluice alone: memory that the worker has cleared, that ALLOC clears, and new memory. */
#define CLEARED \
	.ours = { .exporter = &sluice, .steps = &alloc_warm, .name = "cleared before" }, \
	.peers = { { .exporter = &sluice, .steps = &alloc_again, .name = "at once again" }, \
		   { .exporter = &sluice, .steps = &alloc_cold, .name = "new" } }
#define LIVE(number) \
	.ours = { .exporter = &sluice, .steps = &one_more, .count = number }, \
	.peers = { { .exporter = &sluice, .steps = &one_more, .count = 1, .name = "with 1 live" } }

/* A PC is coherent: neither the whole buffer nor a range of it has anything to maintain. */
#ifdef __x86_64__
#define RANGE_GOAL	1.1
#else
#define RANGE_GOAL	0.01
#endif

#define QUEUES	.count = 16, .unit = "bytes"

const struct bench memory_benches[] = {
	{
		.area = "memory", .name = "ALLOC + close, warm, 4 KiB", .size = KIB(4),
		.goal = 0.6, EACH_EXPORTER(alloc_warm),
	}, {
		.area = "memory", .name = "ALLOC + close, warm, 1 MiB", .size = MIB(1),
		.goal = 0.03, EACH_EXPORTER(alloc_warm),
	}, {
		.area = "memory", .name = "ALLOC + close, warm, 64 MiB", .size = MIB(64),
		.goal = 0.01, EACH_EXPORTER(alloc_warm),
	}, {
		.area = "memory", .name = "ALLOC + close, warm, 1 MiB, 1,000 parked", .size = MIB(1),
		.count = 1000, .goal = 0.01, EACH_EXPORTER(alloc_beside),
	}, {
		.area = "memory", .name = "ALLOC + close, at once again, 1 MiB", .size = MIB(1),
		EACH_EXPORTER(alloc_again),
	}, {
		.area = "memory", .name = "ALLOC + close, cold, 4 KiB", .size = KIB(4),
		.goal = 1, EACH_EXPORTER(alloc_cold),
	}, {
		.area = "memory", .name = "ALLOC + close, cold, 1 MiB", .size = MIB(1),
		.goal = 1, EACH_EXPORTER(alloc_cold),
	}, {
		.area = "memory", .name = "ALLOC + close, cold, 64 MiB", .size = MIB(64),
		.goal = 1, EACH_EXPORTER(alloc_cold),
	}, {
		.area = "memory", .name = "ALLOC + close, time to clear, 4 KiB", .size = KIB(4),
		CLEARED,
	}, {
		.area = "memory", .name = "ALLOC + close, time to clear, 1 MiB", .size = MIB(1),
		CLEARED,
	}, {
		.area = "memory", .name = "ALLOC + close, time to clear, 64 MiB", .size = MIB(64),
		CLEARED,
	}, {
		.area = "memory", .name = "WRAP + close, 4 KiB", .size = KIB(4), .goal = 1.1, WRAP,
	}, {
		.area = "memory", .name = "WRAP + close, 1 MiB", .size = MIB(1), WRAP,
	}, {
		.area = "memory", .name = "WRAP + close, 64 MiB", .size = MIB(64), .goal = 1, WRAP,
	}, {
		.area = "memory", .name = "mmap + touch + munmap, 4 KiB", .size = KIB(4),
		.goal = 1.01, EACH_EXPORTER(map),
	}, {
		.area = "memory", .name = "mmap + touch + munmap, 64 MiB", .size = MIB(64),
		.goal = 0.05, EACH_EXPORTER(map),
	}, {
		.area = "memory", .name = "the same at any address, 64 MiB", .size = MIB(64),
		EACH_EXPORTER(map_anywhere),
	}, {
		.area = "memory", .name = "import + close by vgem, 4 KiB", .size = KIB(4),
		.goal = 1.01, EACH_EXPORTER(import),
	}, {
		.area = "memory", .name = "import + close by vgem, 64 MiB", .size = MIB(64),
		.goal = 1.01, EACH_EXPORTER(import),
	}, {
		.area = "memory", .name = "attach + map + back, 4 KiB", .size = KIB(4),
		BESIDE_UDMABUF(attach),
	}, {
		.area = "memory", .name = "attach + map + back, 64 MiB", .size = MIB(64),
		.goal = 0.12, BESIDE_UDMABUF(attach),
	}, {
		.area = "memory", .name = "... segments of any length", .size = MIB(64),
		.goal = 1, EACH_EXPORTER(attach_any),
	}, {
		.area = "memory", .name = "map again vs. import, 4 KiB", .size = KIB(4), .goal = 0.1,
		.ours = { .exporter = &sluice, .steps = &remap },
		.peers = { { .exporter = &dma_heap, .steps = &import, .name = "dma-heap import" },
			   { .exporter = &udmabuf, .steps = &import, .name = "udmabuf import" } },
	}, {
		.area = "memory", .name = "map again vs. import, 64 MiB", .size = MIB(64), .goal = 0.1,
		.ours = { .exporter = &sluice, .steps = &remap },
		.peers = { { .exporter = &dma_heap, .steps = &import, .name = "dma-heap import" },
			   { .exporter = &udmabuf, .steps = &import, .name = "udmabuf import" } },
	}, {
		.area = "memory", .name = "map again, 64 MiB", .size = MIB(64), EACH_EXPORTER(remap),
	}, {
		.area = "memory", .name = "CPU access, 64 MiB, no importer", .size = MIB(64),
		.goal = 1.02, EACH_EXPORTER(access_alone),
	}, {
		.area = "memory", .name = "CPU access, 64 MiB, mapped by 4", .size = MIB(64),
		EACH_EXPORTER(access_mapped),
	}, {
		.area = "memory", .name = "... of 4 KiB of it", .size = MIB(64), .goal = RANGE_GOAL,
		.ours = { .exporter = &sluice, .steps = &access_range },
		.peers = { { .exporter = &sluice, .steps = &access_mapped, .name = "all of it" } },
	}, {
		.area = "memory", .name = "ALLOC + map + close, 100 others live", .size = KIB(4),
		.goal = 1.1, LIVE(100),
	}, {
		.area = "memory", .name = "ALLOC + map + close, 10,000 others live", .size = KIB(4),
		.goal = 1.1, LIVE(MAX_LIVE),
	}, {
		.area = "memory", .name = "memory beyond the pages, 64 MiB", .size = MIB(64),
		.count = 8, .goal = 0.6, .unit = "bytes", EACH_EXPORTER(memory_used),
	}, {
		.area = "memory", .name = "memory of a queue", QUEUES,
		.ours = { .exporter = &used_queues, .steps = &queue_used },
		.peers = { { .exporter = &idle_queues, .steps = &queue_used } },
	}, {
		.area = "memory", .name = "memory of a queue, depth 4,096", QUEUES,
		.ours = { .exporter = &used_deep_queues, .steps = &queue_used },
		.peers = { { .exporter = &deep_queues, .steps = &queue_used } },
	}, {
		.area = "memory", .name = "memory of a queue with a ring", QUEUES,
		.ours = { .exporter = &ring_queues, .steps = &queue_used },
		.peers = { { .exporter = &idle_queues, .steps = &queue_used } },
	}, {
		.area = "memory", .name = "memory of a queue and a slot", QUEUES,
		.ours = { .exporter = &slot_queues, .steps = &queue_used },
		.peers = { { .exporter = &used_queues, .steps = &queue_used } },
	}, {
		.area = "memory", .name = "memory of a queue, a slot and a job", QUEUES,
		.ours = { .exporter = &job_queues, .steps = &queue_used },
		.peers = { { .exporter = &slot_queues, .steps = &queue_used } },
	},
};

const unsigned int num_memory_benches = sizeof(memory_benches) / sizeof(memory_benches[0]);
