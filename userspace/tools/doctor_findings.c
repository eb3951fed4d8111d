// SPDX-License-Identifier: MIT
/*
 * The table of findings, and how findings are printed.  The name, the level and the group of a
 * finding do not change from version to version: scripts depend on them.  sluicectl-doctor(1) lists
 * them all.
 */
#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "doctor.h"

/* The exit status: 0 also if there are notes.  1 and 2 are those of all commands. */
#define EXIT_WARNINGS 3
#define EXIT_PROBLEMS 4

struct row {
	const char *id;
	enum level level;
};

struct group {
	const char *name;
	const struct row *rows;	/* ends with a row without a name */
};

#define ROWS(...) (const struct row[]) { __VA_ARGS__, {} }

static const struct group groups[] = {
	{ "module", ROWS(
		{ "module-loaded", LEVEL_OK },
		{ "module-unloaded", LEVEL_PROBLEM },
		{ "module-missing", LEVEL_PROBLEM },
		{ "module-other-kernel", LEVEL_PROBLEM },
		{ "module-not-indexed", LEVEL_PROBLEM },
		{ "modules-invisible", LEVEL_PROBLEM },
		{ "module-held-back", LEVEL_PROBLEM },
		{ "driver-held-back", LEVEL_WARNING },
		{ "module-unsigned", LEVEL_PROBLEM },
		{ "module-signed", LEVEL_OK },
		{ "module-version", LEVEL_WARNING },
		{ "module-outdated", LEVEL_WARNING },
		{ "signatures-enforced", LEVEL_NOTE },
		{ "lockdown", LEVEL_NOTE }) },
	{ "devices", ROWS(
		{ "device-works", LEVEL_OK },
		{ "device-none", LEVEL_PROBLEM },
		{ "node-missing", LEVEL_PROBLEM },
		{ "node-permission", LEVEL_PROBLEM },
		{ "node-forbidden", LEVEL_PROBLEM },
		{ "device-unreadable", LEVEL_PROBLEM },
		{ "heap-fails", LEVEL_WARNING },
		{ "device-bounced", LEVEL_WARNING },
		{ "device-address-bits", LEVEL_WARNING }) },
	{ "kernel", ROWS(
		{ "sync-file", LEVEL_OK },
		{ "sync-file-missing", LEVEL_WARNING },
		{ "dma-heap", LEVEL_OK },
		{ "dma-heap-missing", LEVEL_NOTE },
		{ "dma-heap-permission", LEVEL_NOTE },
		{ "dma-heap-fails", LEVEL_WARNING },
		{ "udmabuf", LEVEL_OK },
		{ "udmabuf-missing", LEVEL_NOTE },
		{ "udmabuf-permission", LEVEL_NOTE },
		{ "udmabuf-fails", LEVEL_WARNING },
		{ "drm", LEVEL_OK },
		{ "drm-missing", LEVEL_NOTE },
		{ "p2pdma", LEVEL_OK },
		{ "p2pdma-missing", LEVEL_NOTE },
		{ "io-uring", LEVEL_OK },
		{ "io-uring-missing", LEVEL_NOTE },
		{ "io-uring-disabled", LEVEL_WARNING },
		{ "io-uring-refused", LEVEL_WARNING }) },
	{ "memory", ROWS(
		{ "cma", LEVEL_OK },
		{ "cma-none", LEVEL_NOTE },
		{ "cma-missing", LEVEL_NOTE },
		{ "contiguous", LEVEL_OK },
		{ "memory-fragmented", LEVEL_WARNING },
		{ "huge-pages", LEVEL_OK },
		{ "huge-pages-none", LEVEL_NOTE },
		{ "cgroup-limit", LEVEL_NOTE },
		{ "cgroup-near-limit", LEVEL_WARNING }) },
	{ "iommu", ROWS(
		{ "iommu-translates", LEVEL_OK },
		{ "iommu-passthrough", LEVEL_NOTE },
		{ "iommu-off", LEVEL_NOTE },
		{ "swiotlb-forced", LEVEL_WARNING }) },
	{ "importers", ROWS(
		{ "importer-takes-buffer", LEVEL_OK },
		{ "importer-refuses-buffer", LEVEL_NOTE },
		{ "importer-takes-fence", LEVEL_OK },
		{ "importer-refuses-fence", LEVEL_NOTE },
		{ "importer-permission", LEVEL_WARNING },
		{ "importer-unreadable", LEVEL_WARNING },
		{ "importer-busy", LEVEL_NOTE },
		{ "importer-untried", LEVEL_NOTE },
		{ "importers-none", LEVEL_NOTE },
		{ "vulkan-missing", LEVEL_NOTE },
		{ "vulkan-crashes", LEVEL_WARNING }) },
	{ "mappings", ROWS(
		{ "mappings-untried", LEVEL_NOTE },
		{ "o-direct", LEVEL_OK },
		{ "o-direct-refused", LEVEL_WARNING },
		{ "o-direct-untried", LEVEL_NOTE },
		{ "io-uring-buffers", LEVEL_OK },
		{ "io-uring-buffers-refused", LEVEL_NOTE },
		{ "af-xdp", LEVEL_OK },
		{ "af-xdp-missing", LEVEL_NOTE },
		{ "af-xdp-permission", LEVEL_NOTE },
		{ "af-xdp-refused", LEVEL_WARNING },
		{ "zcrx", LEVEL_OK },
		{ "zcrx-missing", LEVEL_NOTE },
		{ "zcrx-permission", LEVEL_NOTE },
		{ "zcrx-refused", LEVEL_WARNING }) },
};

#define NUM_GROUPS (sizeof(groups) / sizeof(groups[0]))

static const char * const level_names[NUM_LEVELS] = {
	[LEVEL_OK] = "ok", [LEVEL_NOTE] = "note", [LEVEL_WARNING] = "warning",
	[LEVEL_PROBLEM] = "problem",
};

/* The result of all findings in JSON, by the highest level; a note is no fault */
static const char * const result_names[NUM_LEVELS] = {
	[LEVEL_OK] = "ok", [LEVEL_NOTE] = "ok", [LEVEL_WARNING] = "warning",
	[LEVEL_PROBLEM] = "problem",
};

/** struct finding - one that was reported; they are in a list */
struct finding {
	struct finding *next;
	const struct group *group;
	const struct row *row;
	char *subject;	/* or NULL */
	char *text;
};

static struct finding *first, **last = &first;
static unsigned int counts[NUM_LEVELS];

static void find_row(struct finding *finding, const char *id)
{
	const struct group *group;
	const struct row *row;

	for (group = groups; group < groups + NUM_GROUPS; group++)
		for (row = group->rows; row->id; row++)
			if (!strcmp(row->id, id)) {
				finding->group = group;
				finding->row = row;
				return;
			}
	die("the finding '%s' is not in the table of findings: report this as a bug", id);
}

void report(const char *id, const char *subject, const char *format, ...)
{
	struct finding *finding = calloc(1, sizeof(*finding));
	va_list args;
	int length;

	if (!finding)
		die("no memory for the findings: end other programs, and try again");
	find_row(finding, id);
	va_start(args, format);
	length = vasprintf(&finding->text, format, args);
	va_end(args);
	if (subject)
		finding->subject = strdup(subject);
	if (length < 0 || (subject && !finding->subject))
		die("no memory for the findings: end other programs, and try again");
	counts[finding->row->level]++;
	*last = finding;
	last = &finding->next;
}

static enum level highest_level(void)
{
	enum level level = LEVEL_PROBLEM;

	while (level && !counts[level])
		level--;
	return level;
}

static void print_text(void)
{
	static const char * const colors[NUM_LEVELS] = {
		[LEVEL_OK] = "\033[32m", [LEVEL_NOTE] = "", [LEVEL_WARNING] = "\033[33m",
		[LEVEL_PROBLEM] = "\033[31m",
	};
	const struct finding *finding;
	const struct group *group;
	bool color = want_color(), titled;

	for (group = groups; group < groups + NUM_GROUPS; group++) {
		titled = false;
		for (finding = first; finding; finding = finding->next) {
			enum level level = finding->row->level;

			if (finding->group != group)
				continue;
			if (!titled)
				printf("%s\n", group->name);
			titled = true;
			printf("  %s%-7s%s  %-24s  %s%s%s\n", color ? colors[level] : "",
			       level_names[level], color && *colors[level] ? "\033[0m" : "",
			       finding->row->id, finding->subject ?: "",
			       finding->subject ? ": " : "", finding->text);
		}
	}
	printf("\n%u problem%s, %u warning%s: %s.\n", counts[LEVEL_PROBLEM],
	       counts[LEVEL_PROBLEM] == 1 ? "" : "s", counts[LEVEL_WARNING],
	       counts[LEVEL_WARNING] == 1 ? "" : "s",
	       counts[LEVEL_PROBLEM] ? "first do what the problems say" :
	       counts[LEVEL_WARNING] ? "Sluice works, with the limits of the warnings" :
	       "nothing hinders Sluice");
}

static void print_object(int status)
{
	struct json_object *object = json_object_new_object(), *array = json_object_new_array();
	const struct finding *finding;
	const struct group *group;

	json_add_string(object, "version", SLUICE_VERSION);
	json_add_string(object, "kernel", kernel_release());
	json_add_number(object, "uid", geteuid());
	json_add_string(object, "result", result_names[highest_level()]);
	json_add_number(object, "status", status);
	json_add_number(object, "problems", counts[LEVEL_PROBLEM]);
	json_add_number(object, "warnings", counts[LEVEL_WARNING]);
	for (group = groups; group < groups + NUM_GROUPS; group++) {
		for (finding = first; finding; finding = finding->next) {
			struct json_object *one;

			if (finding->group != group)
				continue;
			one = json_object_new_object();
			json_add_string(one, "id", finding->row->id);
			json_add_string(one, "level", level_names[finding->row->level]);
			json_add_string(one, "group", group->name);
			if (finding->subject)
				json_add_string(one, "subject", finding->subject);
			json_add_string(one, "text", finding->text);
			if (json_object_array_add(array, one))
				die("no memory for the output: end other programs, and try again");
		}
	}
	json_object_object_add(object, "findings", array);
	print_json(object);
}

int print_findings(bool json)
{
	static const int statuses[NUM_LEVELS] = {
		[LEVEL_WARNING] = EXIT_WARNINGS, [LEVEL_PROBLEM] = EXIT_PROBLEMS,
	};
	int status = statuses[highest_level()];
	struct finding *finding;

	if (json)
		print_object(status);
	else
		print_text();
	while ((finding = first)) {
		first = finding->next;
		free(finding->subject);
		free(finding->text);
		free(finding);
	}
	return status;
}
