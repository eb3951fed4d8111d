// SPDX-License-Identifier: MIT
/* sluicectl list: the devices, a row each. */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tool.h"

/* The names of all devices; sets @count. */
static char (*list_names(int *count))[SLUICE_NAME_LEN]
{
	char (*names)[SLUICE_NAME_LEN] = NULL;
	int room = 0;

	/* devices may appear between two calls */
	while ((*count = sluice_list(names, room)) > room) {
		room = *count;
		free(names);
		names = calloc(room, sizeof(*names));
		if (!names)
			die("no memory for the names of %d devices: end other programs, and try "
			    "again", room);
	}
	check(*count, "list /dev/sluice");
	return names;
}

static void print_object(const char *name, const struct sluice_info *info, int error)
{
	struct json_object *object = json_object_new_object();

	json_add_string(object, "device", name);
	if (error) {
		json_add_string(object, "error", open_error(error));
	} else {
		json_add_string(object, "driver", info->driver);
		json_add_number(object, "engines", info->num_engines);
		json_add_number(object, "heaps", info->num_heaps);
		json_add_number(object, "dma_bits", info->dma_bits);
	}
	print_json(object);
}

static const char *plural(char *text, size_t size, unsigned int count, const char *noun)
{
	snprintf(text, size, "%u %s%s", count, noun, count == 1 ? "" : "s");
	return text;
}

static void add_row(struct table *table, const char *name, const struct sluice_info *info,
		    int error)
{
	char driver[SLUICE_NAME_LEN + 16], engines[32], heaps[32], bits[32];

	if (error) {
		snprintf(driver, sizeof(driver), "(cannot be opened: %s)", open_error(error));
		table_row(table, ROW_WARNING, (const char *[]) { name, driver, "", "", "" });
		return;
	}
	snprintf(driver, sizeof(driver), "driver %s", info->driver);
	snprintf(bits, sizeof(bits), "%u-bit DMA", info->dma_bits);
	table_row(table, ROW_PLAIN, (const char *[]) {
		name, driver, plural(engines, sizeof(engines), info->num_engines, "engine"),
		plural(heaps, sizeof(heaps), info->num_heaps, "heap"), bits,
	});
}

int do_list(const struct options *options)
{
	static const struct column columns[] = { { NULL, 11, false }, {}, {}, {}, {} };
	struct table *table = NULL;
	int count, i;
	char (*names)[SLUICE_NAME_LEN] = list_names(&count);

	if (!count)
		die_without_devices();
	if (!options->json)
		table = new_table(columns, sizeof(columns) / sizeof(columns[0]));
	for (i = 0; i < count; i++) {
		int fd = sluice_open(names[i]), error = fd < 0 ? fd : 0;
		struct sluice_info info;

		if (!error)
			error = sluice_device_info(fd, &info);
		if (options->json)
			print_object(names[i], &info, error);
		else
			add_row(table, names[i], &info, error);
		if (fd >= 0)
			close(fd);
	}
	if (table) {
		table_print(table);
		free_table(table);
	}
	free(names);
	return 0;
}
