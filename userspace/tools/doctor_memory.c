// SPDX-License-Identifier: MIT
/* Memory: what there is for contiguous buffers, huge pages, and the limit of the memory cgroup. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "doctor.h"

#define MIB ((uint64_t)1 << 20)
/* a free piece that is smaller is no good sign: the kernel makes pieces of up to 4 MiB */
#define SMALL_PIECE (2 * MIB)
/* buffers of a program need some memory beside the program itself */
#define LITTLE (64 * MIB)

static void examine_cma(void)
{
	const char *given = boot_parameter("cma=");
	uint64_t total, available = 0;

	if (!find_field("/proc/meminfo", "CmaTotal", &total)) {
		if (!access("/proc/meminfo", R_OK))
			report("cma-missing", NULL, "The kernel has no CMA: for large contiguous "
			       "buffers use a kernel with CONFIG_DMA_CMA, or a device behind an "
			       "IOMMU.");
		return;
	}
	find_field("/proc/meminfo", "CmaFree", &available);
	if (total)
		report("cma", NULL, "%" PRIu64 " MiB are reserved for contiguous buffers (CMA), of "
		       "which %" PRIu64 " MiB are free.", total >> 10, available >> 10);
	else if (given)
		report("cma-none", NULL, "No memory is reserved for contiguous buffers, although "
		       "the kernel was booted with cma=%s: reserve less, and see the kernel's log.",
		       given);
	else
		report("cma-none", NULL, "No memory is reserved for contiguous buffers: if you "
		       "need buffers of more than 4 MiB from the heap 'contiguous', boot with "
		       "cma=SIZE, such as cma=256M.");
}

/* The size of the largest free piece of memory, in bytes; 0 if it is unknown. */
static uint64_t largest_free_piece(void)
{
	FILE *file = fopen("/proc/buddyinfo", "re");
	uint64_t largest = 0, size;
	char line[512], *rest, *end;
	unsigned long count;

	/* "Node 0, zone  Normal  N N N ...": the number of free pieces of 1, 2, 4, ... pages */
	while (file && fgets(line, sizeof(line), file)) {
		rest = strstr(line, "zone ");
		rest = rest ? rest + 5 + strspn(rest + 5, " ") : NULL;
		rest = rest ? rest + strcspn(rest, " ") : NULL;
		for (size = sysconf(_SC_PAGESIZE); rest; size *= 2, rest = end) {
			count = strtoul(rest, &end, 10);
			if (end == rest)
				break;
			if (count && size > largest)
				largest = size;
		}
	}
	if (file)
		fclose(file);
	return largest;
}

static void examine_pieces(void)
{
	uint64_t largest = largest_free_piece();

	if (!largest)
		return;
	if (largest < SMALL_PIECE)
		report("memory-fragmented", NULL, "The largest free piece of memory has %" PRIu64
		       " KiB: larger contiguous buffers may fail, so boot with cma=SIZE, or let "
		       "root run 'sysctl vm.compact_memory=1'.", largest >> 10);
	else
		report("contiguous", NULL, "The largest free piece of memory has %" PRIu64 " KiB.",
		       largest >> 10);
}

static void examine_huge_pages(void)
{
	uint64_t total, available = 0, size = 0;

	if (!find_field("/proc/meminfo", "HugePages_Total", &total))
		return;
	find_field("/proc/meminfo", "HugePages_Free", &available);
	find_field("/proc/meminfo", "Hugepagesize", &size);
	if (total)
		report("huge-pages", NULL, "%" PRIu64 " of %" PRIu64 " huge pages of %" PRIu64
		       " KiB are free.", available, total, size);
	else
		report("huge-pages-none", NULL, "No huge pages are reserved: only if WRAP shall "
		       "use a memfd with huge pages, let root run 'sysctl vm.nr_hugepages=N'.");
}

/* The folder where cgroups are mounted; @root is the cgroup that this folder shows. */
static bool find_cgroups(bool second, char *mounted, char *root, size_t size)
{
	FILE *file = fopen("/proc/self/mountinfo", "re");
	bool found = false;
	char line[4096];

	while (file && !found && fgets(line, sizeof(line), file)) {
		char *end = strstr(line, " - "), *word, *rest = line, kind[64], options[512];
		int i;

		if (!end || sscanf(end, " - %63s %*s %511s", kind, options) != 2)
			continue;
		if (second ? strcmp(kind, "cgroup2") :
			     strcmp(kind, "cgroup") || !strstr(options, "memory"))
			continue;
		*end = '\0';
		/* the fourth and the fifth word */
		for (i = 0; i < 5 && (word = strtok_r(rest, " ", &rest)); i++) {
			if (i == 3)
				snprintf(root, size, "%s", word);
			if (i == 4)
				snprintf(mounted, size, "%s", word);
		}
		found = i == 5;
	}
	if (file)
		fclose(file);
	return found;
}

/* The path of this process's cgroup: behind "0::", or behind "N:memory:" of the first version. */
static bool find_own_cgroup(bool second, char *path, size_t size)
{
	FILE *file = fopen("/proc/self/cgroup", "re");
	bool found = false;
	char line[4096];

	while (file && !found && fgets(line, sizeof(line), file)) {
		char *names = strchr(line, ':'), *begin = names ? strchr(names + 1, ':') : NULL;

		if (!begin)
			continue;
		*begin++ = '\0';
		begin[strcspn(begin, "\n")] = '\0';
		found = second ? !names[1] : !!strstr(names, "memory");
		if (found)
			snprintf(path, size, "%s", begin);
	}
	if (file)
		fclose(file);
	return found;
}

/* The bytes of files that a cgroup caches: the kernel frees them if a program needs memory. */
static uint64_t cached_by(const char *path, bool second)
{
	FILE *file = fopen(path, "re");
	uint64_t sum = 0, bytes;
	char line[256], name[64];

	while (file && fgets(line, sizeof(line), file)) {
		char *plain = name;

		if (sscanf(line, "%63s %" SCNu64, name, &bytes) != 2)
			continue;
		/* in the first version the other lines leave out the cgroups below */
		if (!second && strncmp(plain, "total_", 6))
			continue;
		if (!second)
			plain += 6;
		if (!strcmp(plain, "active_file") || !strcmp(plain, "inactive_file"))
			sum += bytes;
	}
	if (file)
		fclose(file);
	return sum;
}

/* Find the cgroup, this process's own or one above, that leaves least memory. */
static bool find_limit(bool second, char *cgroup, size_t size, uint64_t *limit, uint64_t *left)
{
	char mounted[2048], root[2048], own[2048], path[5000], *slash;
	uint64_t most, used, cached;
	bool found = false;

	if (!find_cgroups(second, mounted, root, sizeof(root)) ||
	    !find_own_cgroup(second, own, sizeof(own)))
		return false;
	/* a container may see only the part below its own root */
	if (strcmp(root, "/") && !strncmp(own, root, strlen(root)))
		memmove(own, own + strlen(root), strlen(own + strlen(root)) + 1);
	for (;;) {
		snprintf(path, sizeof(path), "%s%s/%s", mounted, own,
			 second ? "memory.max" : "memory.limit_in_bytes");
		/* without a limit: "max", or a number near LONG_MAX */
		if (read_number(path, &most) && most < 1ULL << 60) {
			snprintf(path, sizeof(path), "%s%s/%s", mounted, own,
				 second ? "memory.current" : "memory.usage_in_bytes");
			if (!read_number(path, &used))
				used = 0;
			snprintf(path, sizeof(path), "%s%s/memory.stat", mounted, own);
			cached = cached_by(path, second);
			used -= cached > used ? used : cached;
			used = used > most ? most : used;
			if (!found || most - used < *left) {
				snprintf(cgroup, size, "%s", *own ? own : "/");
				*limit = most;
				*left = most - used;
			}
			found = true;
		}
		slash = strrchr(own, '/');
		if (!slash)
			break;
		*slash = '\0';
	}
	return found;
}

static void examine_cgroup(void)
{
	char cgroup[2048];
	uint64_t limit, left;

	if (!find_limit(true, cgroup, sizeof(cgroup), &limit, &left) &&
	    !find_limit(false, cgroup, sizeof(cgroup), &limit, &left))
		return;
	if (left < LITTLE)
		report("cgroup-near-limit", cgroup, "The limit of this memory cgroup is %" PRIu64
		       " MiB, and leaves %" PRIu64 " MiB for buffers: raise the limit (memory.max, "
		       "or MemoryMax= of systemd).", limit / MIB, left / MIB);
	else
		report("cgroup-limit", cgroup, "The limit of this memory cgroup is %" PRIu64
		       " MiB, and leaves %" PRIu64 " MiB: buffers count against it.", limit / MIB,
		       left / MIB);
}

void examine_memory(void)
{
	examine_cma();
	examine_pieces();
	examine_huge_pages();
	examine_cgroup();
}
