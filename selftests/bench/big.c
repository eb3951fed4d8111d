// SPDX-License-Identifier: MIT
/*
 * Buffers of a GiB and more, and memory that was cut into pieces: make bench BIG=1.  The sizes, and
 * the number of buffers that cut the memory, come from the command line.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "bench.h"
#include "importer.h"
#include "memory.h"

#define GIVEN_BACK_MS	120000	/* longer than any pool keeps memory */
#define CHURN_SEED	20261129
#define CHURN_LEAST	KIB(4)
#define CHURN_DOUBLED	8	/* how often, at most: the largest size is a MiB */

static int close_one(struct scene *scene)
{
	int fd = scene->dmabufs[0];

	scene->dmabufs[0] = -1;
	return close(fd) ? -errno : 0;
}

static int alloc_and_close(struct scene *scene)
{
	int ret = alloc_one(scene);

	return ret ? ret : close_one(scene);
}

static const struct steps cold = {
	.before = drop_pools, .step = alloc_one, .after = close_one, .most = 1,
};
static const struct steps closing = { .before = alloc_one, .step = close_one, .most = 1 };

/*
 * The pool keeps no buffer that is larger than its limit.  The cases that need one in the pool raise
 * the limit.
 */
#define POOL_LIMIT		"/sys/module/sluice/parameters/pool_limit_mb"
#define POOL_LIMIT_DEFAULT	"18446744073709551615"

static int raise_pool(struct scene *scene)
{
	(void)scene;
	return write_file(POOL_LIMIT, NO_LIMIT_MB);
}

static void lower_pool(struct scene *scene)
{
	(void)scene;
	write_file(POOL_LIMIT, POOL_LIMIT_DEFAULT);
}

/* The pool has a buffer of this size. */
static int fill_pool(struct scene *scene)
{
	int ret = raise_pool(scene);

	return ret ? ret : alloc_and_close(scene);
}

/*
 * Time to clear the buffer, but less than the ten seconds for which the pool keeps it: twice what
 * the guest needs, which clears eight bytes with an instruction.
 */
static int let_clear(struct scene *scene)
{
	usleep(20000 + 270 * (scene->size >> 20));
	return 0;
}

static const struct steps warm = {
	.setup = fill_pool, .before = let_clear, .step = alloc_one, .after = close_one,
	.teardown = lower_pool, .most = 1,
};
static const struct steps again = {
	.setup = raise_pool, .before = alloc_and_close, .step = alloc_one, .after = close_one,
	.teardown = lower_pool, .most = 1,
};

/* A shrinker gives the memory back */

static int drop_caches(struct scene *scene)
{
	(void)scene;
	return write_file("/proc/sys/vm/drop_caches", "2");
}

static int drop_and_keep(struct scene *scene)
{
	int ret = drop_pools(scene);

	return ret ? ret : alloc_and_close(scene);
}

static const struct steps give_back = {
	.setup = raise_pool, .before = drop_and_keep, .step = drop_caches, .teardown = lower_pool,
	.most = 1,
};

/* Memory that an exporter keeps for the next buffer */

static double free_bytes(void)
{
	struct sysinfo machine;

	return sysinfo(&machine) ? 0 : (double)machine.freeram * machine.mem_unit;
}

static int kept_after_close(struct scene *scene, double *value)
{
	int ret = drop_pools(scene);
	double before = free_bytes();

	ret = ret ? ret : alloc_and_close(scene);
	*value = (before - free_bytes()) / MIB(1);
	if (*value < 1)
		*value = 0;
	return ret;
}

static const struct steps kept = { .value = kept_after_close };

/* Without a shrinker: nearly all of it, because CPUs keep free pages, and other tasks use memory. */
static int ms_until_free(struct scene *scene, double *value)
{
	int ret = raise_pool(scene) ?: drop_pools(scene);
	double enough = free_bytes() - scene->size / 16, began;

	ret = ret ? ret : alloc_and_close(scene);
	for (began = now(); !ret && free_bytes() < enough; usleep(10000))
		if (now() - began > GIVEN_BACK_MS * 1e6)
			ret = -ETIMEDOUT;
	*value = (now() - began) / 1e6;
	return ret;
}

static const struct steps given_back = { .value = ms_until_free, .teardown = lower_pool };

/* Importers */

static const struct steps map_import = {
	.setup = open_any_importer, .step = attach_map, .most = 1,
};

/* Describe the memory of the buffer as an importer sees it. */
static int look(struct scene *scene, struct importer_map *map)
{
	int ret = open_any_importer(scene), mapping;

	*map = (struct importer_map) {};
	ret = ret ? ret : importer_attach(scene, 0);
	if (ret < 0)
		return ret;
	mapping = xioctl(scene->importer, IMPORTER_MAP, map);
	return mapping < 0 ? mapping : xioctl(scene->importer, IMPORTER_UNMAP, (void *)(long)mapping);
}

static int count_pieces(struct scene *scene, double *value)
{
	struct importer_map map;
	int ret = look(scene, &map);

	*value = map.segments;
	return ret;
}

static const struct steps pieces = { .value = count_pieces };

static int share_of_small(struct scene *scene, double *value)
{
	struct importer_map map;
	int ret = look(scene, &map);

	*value = 100 - 100.0 * map.huge * IMPORTER_HUGE / scene->size;
	return ret;
}

static const struct steps small_pieces = { .value = share_of_small };

/* CPU mappings */

static const struct steps map_cpu = { .setup = alloc_one, .step = map_touch_one, .most = 1 };

static int count_faults(struct scene *scene, double *value)
{
	struct rusage before, after;
	int ret = alloc_one(scene);

	if (ret)
		return ret;
	getrusage(RUSAGE_SELF, &before);
	ret = map_touch_one(scene);
	getrusage(RUSAGE_SELF, &after);
	*value = after.ru_minflt - before.ru_minflt;
	return ret;
}

static const struct steps faults = { .value = count_faults };

/* The longest time with interrupts off */

static int late_after(struct scene *scene, int (*before)(struct scene *),
		      int (*step)(struct scene *), double *value)
{
	int ret = before(scene);

	return ret ? ret : latest(scene, step, value);
}

static int late_alloc(struct scene *scene, double *value)
{
	return late_after(scene, drop_pools, alloc_one, value);
}

static int late_import(struct scene *scene, double *value)
{
	return late_after(scene, open_any_importer, attach_map, value);
}

static int late_touch(struct scene *scene, double *value)
{
	return late_after(scene, alloc_one, map_touch_one, value);
}

static int late_close(struct scene *scene, double *value)
{
	return late_after(scene, alloc_one, close_one, value);
}

static const struct steps alloc_off = { .value = late_alloc };
static const struct steps import_off = { .value = late_import };
static const struct steps touch_off = { .value = late_touch };
static const struct steps close_off = { .value = late_close };

/*
 * Fragmentation: buffers of random sizes come and go, and fill seven eighths of the free memory.
 * Then half of those that are left are closed, also at random.  The value is the mean of some
 * rounds, because it depends much on chance; all rounds together have @count buffers.
 */
#define CHURN_ROUNDS	4

static uint64_t churn_state;

/* xorshift: the same numbers on each machine */
static uint64_t churn_random(void)
{
	churn_state ^= churn_state << 13;
	churn_state ^= churn_state >> 7;
	churn_state ^= churn_state << 17;
	return churn_state;
}

/* Each doubling is as likely as any other, and each size between two doublings. */
static size_t churn_size(void)
{
	size_t least = CHURN_LEAST << churn_random() % CHURN_DOUBLED;

	return least + churn_random() % least / CHURN_LEAST * CHURN_LEAST;
}

/**
 * struct churn - buffers that come and go
 * @fds: the buffers
 * @sizes: their sizes
 * @num: how many there are
 * @bytes: the sum of the sizes
 */
struct churn {
	int fds[MAX_LIVE];
	size_t sizes[MAX_LIVE];
	unsigned int num;
	size_t bytes;
};

static struct churn churn;

static void churn_close(void)
{
	unsigned int i = churn_random() % churn.num;

	close(churn.fds[i]);
	churn.bytes -= churn.sizes[i];
	churn.num--;
	churn.fds[i] = churn.fds[churn.num];
	churn.sizes[i] = churn.sizes[churn.num];
}

static int churn_run(struct scene *scene)
{
	size_t most = free_bytes() / 8 * 7, size;
	unsigned int i, left;

	for (i = 0; i < scene->count / CHURN_ROUNDS; i++) {
		size = churn_size();
		while (churn.num && (churn.num == MAX_LIVE || churn.bytes + size > most))
			churn_close();
		churn.fds[churn.num] = scene->exporter->alloc(size);
		if (churn.fds[churn.num] < 0)
			return churn.fds[churn.num];
		churn.sizes[churn.num++] = size;
		churn.bytes += size;
	}
	for (left = churn.num / 2; churn.num > left;)
		churn_close();
	return 0;
}

static void churn_end(struct scene *scene)
{
	(void)scene;
	while (churn.num)
		churn_close();
	settle(MIB(64));
}

/* A new buffer of scene->size is allocated, and freed again. */
static int small_when_fresh(struct scene *scene, double *value)
{
	int ret = drop_pools(scene);

	ret = ret ? ret : share_of_small(scene, value);
	close(scene->importer);
	scene->importer = -1;
	return ret ? ret : close_one(scene);
}

static int mean_of_rounds(struct scene *scene, bool live, double *value)
{
	double share = 0, sum = 0;
	unsigned int i;
	int ret = 0;

	churn_state = CHURN_SEED;
	for (i = 0; i < CHURN_ROUNDS && !ret; i++) {
		ret = churn_run(scene);
		if (!live)
			churn_end(scene);
		ret = ret ? ret : small_when_fresh(scene, &share);
		churn_end(scene);
		sum += share;
	}
	*value = sum / CHURN_ROUNDS;
	return ret;
}

static int small_beside_live(struct scene *scene, double *value)
{
	return mean_of_rounds(scene, true, value);
}

static int small_after_all(struct scene *scene, double *value)
{
	return mean_of_rounds(scene, false, value);
}

static const struct steps fresh = { .value = small_when_fresh };
static const struct steps cut = { .value = small_beside_live, .teardown = churn_end };
static const struct steps whole_again = { .value = small_after_all, .teardown = churn_end };

/* Cases */

#define BOTH(how) \
	.ours = { .exporter = &sluice, .steps = &(how) }, \
	.peers = { { .exporter = &dma_heap, .steps = &(how) } }

/* The area and the size are those of the command line. */
const struct bench big_benches[] = {
	{ .name = "ALLOC, cold", BOTH(cold) },
	{ .name = "ALLOC, warm, pool_limit_mb raised", BOTH(warm) },
	{ .name = "ALLOC, at once again, pool_limit_mb raised", BOTH(again) },
	{ .name = "close", BOTH(closing) },
	{ .name = "drop_caches after close, pool_limit_mb raised", BOTH(give_back) },
	{ .name = "attach + map + back, segments of any length", BOTH(map_import) },
	{ .name = "mmap + touch + munmap", BOTH(map_cpu) },
	{ .name = "interrupts off: ALLOC, cold", BOTH(alloc_off) },
	{ .name = "interrupts off: attach + map + back", BOTH(import_off) },
	{ .name = "interrupts off: mmap + touch + munmap", BOTH(touch_off) },
	{ .name = "interrupts off: close", BOTH(close_off) },
	{ .name = "page faults of mmap + touch", .unit = "faults", BOTH(faults) },
	{ .name = "pieces", .unit = "pieces", BOTH(pieces) },
	{ .name = "not in pieces of 2 MiB", .unit = "%", BOTH(small_pieces) },
	{ .name = "kept after close", .unit = "MiB", BOTH(kept) },
	{ .name = "until the memory is free, pool_limit_mb raised", .unit = "ms", BOTH(given_back) },
};

const unsigned int num_big_benches = sizeof(big_benches) / sizeof(big_benches[0]);

/* The count is that of the command line. */
const struct bench churn_benches[] = {
	{ .name = "fresh memory", .size = MIB(64), .unit = "%", BOTH(fresh) },
	{ .name = "half of the random sizes live", .size = MIB(64), .unit = "%", BOTH(cut) },
	{ .name = "none of them lives", .size = MIB(64), .unit = "%", BOTH(whole_again) },
};

const unsigned int num_churn_benches = sizeof(churn_benches) / sizeof(churn_benches[0]);
