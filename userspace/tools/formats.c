// SPDX-License-Identifier: MIT
/* sluicectl formats: the image formats of each engine, with their frame sizes and intervals. */
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"

static const char * const field_names[] = { "none", "top", "bottom", "interlaced", "alternate" };

#define NUM_FIELDS (sizeof(field_names) / sizeof(field_names[0]))

/* A text that grows, for one cell. */
struct text {
	FILE *stream;
	char *memory;
	size_t size;
};

static FILE *open_text(struct text *text)
{
	text->stream = open_memstream(&text->memory, &text->size);
	if (!text->stream)
		die("no memory for a table: end other programs, and try again");
	return text->stream;
}

static const char *close_text(struct text *text)
{
	if (fclose(text->stream))
		die("no memory for a table: end other programs, and try again");
	return text->memory;
}

/* Print "640", or for a range "16..1920/8": minimum, maximum and step. */
static void print_range(FILE *out, uint32_t min, uint32_t max, uint32_t step)
{
	fprintf(out, "%u", min);
	if (max != min)
		fprintf(out, "..%u", max);
	if (max != min && step != 1)
		fprintf(out, "/%u", step);
}

static void get_interval(int device, const struct sluice_enum_formats *format,
			 const struct sluice_enum_sizes *size, unsigned int index,
			 struct sluice_enum_intervals *interval)
{
	check(sluice_get_interval(device, format, size->min_width, size->min_height, index,
				  interval), "ask the device for its frame intervals");
}

static void print_intervals(FILE *out, int device, const struct sluice_enum_formats *format,
			    const struct sluice_enum_sizes *size)
{
	struct sluice_enum_intervals interval;
	unsigned int i;

	for (i = 0; i < size->num_intervals; i++) {
		get_interval(device, format, size, i, &interval);
		fprintf(out, "%s%u/%u", i ? ", " : "", interval.min.numerator,
			interval.min.denominator);
		if (memcmp(&interval.min, &interval.max, sizeof(interval.min)))
			fprintf(out, "..%u/%u", interval.max.numerator, interval.max.denominator);
	}
	fputs(size->num_intervals ? " s" : "", out);
}

/* The rows of a format: its first row names it, and each row has a frame size. */
static void add_rows(struct table *table, int device, const struct sluice_enum_formats *format)
{
	char name[64], planes[64 + 16 * NUM_FIELDS];
	int length;
	struct sluice_enum_sizes size;
	unsigned int i;

	length = snprintf(name, sizeof(name), "  %.4s", (const char *)&format->format);
	if (format->modifier)
		snprintf(name + length, sizeof(name) - length, "  modifier 0x%" PRIx64,
			 (uint64_t)format->modifier);
	length = snprintf(planes, sizeof(planes), "%u %s", format->num_planes,
			  format->num_planes == 1 ? "plane" : "planes");
	for (i = 1; i < NUM_FIELDS; i++)
		if (format->fields & 1U << i)
			length += snprintf(planes + length, sizeof(planes) - length, " %s",
					   field_names[i]);
	if (!format->num_sizes)
		table_row(table, ROW_PLAIN, (const char *[]) { name, planes, "", "" });
	for (i = 0; i < format->num_sizes; i++) {
		struct text range, intervals;
		FILE *out = open_text(&range);

		check(sluice_get_size(device, format, i, &size), "ask the device for its sizes");
		print_range(out, size.min_width, size.max_width, size.step_width);
		fputc('x', out);
		print_range(out, size.min_height, size.max_height, size.step_height);
		print_intervals(open_text(&intervals), device, format, &size);
		table_row(table, ROW_PLAIN, (const char *[]) {
			i ? "" : name, i ? "" : planes, close_text(&range), close_text(&intervals),
		});
		free(range.memory);
		free(intervals.memory);
	}
}

static struct json_object *fraction(const struct sluice_fraction *value)
{
	struct json_object *object = json_object_new_object();

	json_add_number(object, "numerator", value->numerator);
	json_add_number(object, "denominator", value->denominator);
	return object;
}

static struct json_object *size_object(int device, const struct sluice_enum_formats *format,
				       const struct sluice_enum_sizes *size)
{
	struct json_object *object = json_object_new_object();
	struct json_object *intervals = json_object_new_array();
	struct sluice_enum_intervals interval;
	unsigned int i;

	json_add_number(object, "min_width", size->min_width);
	json_add_number(object, "max_width", size->max_width);
	json_add_number(object, "step_width", size->step_width);
	json_add_number(object, "min_height", size->min_height);
	json_add_number(object, "max_height", size->max_height);
	json_add_number(object, "step_height", size->step_height);
	for (i = 0; i < size->num_intervals; i++) {
		struct json_object *range = json_object_new_object();

		get_interval(device, format, size, i, &interval);
		json_object_object_add(range, "min", fraction(&interval.min));
		json_object_object_add(range, "max", fraction(&interval.max));
		json_object_array_add(intervals, range);
	}
	json_object_object_add(object, "intervals", intervals);
	return object;
}

static void print_object(int device, const struct sluice_enum_formats *format)
{
	struct json_object *object = json_object_new_object(), *sizes = json_object_new_array();
	struct sluice_enum_sizes size;
	char name[5];
	unsigned int i;

	snprintf(name, sizeof(name), "%.4s", (const char *)&format->format);
	json_add_number(object, "engine", format->engine);
	json_add_string(object, "format", name);
	json_add_number(object, "modifier", format->modifier);
	json_add_number(object, "planes", format->num_planes);
	json_add_names(object, "fields", format->fields, field_names, NUM_FIELDS);
	for (i = 0; i < format->num_sizes; i++) {
		check(sluice_get_size(device, format, i, &size), "ask the device for its sizes");
		json_object_array_add(sizes, size_object(device, format, &size));
	}
	json_object_object_add(object, "sizes", sizes);
	print_json(object);
}

static void print_engine(int device, unsigned int index, bool json)
{
	static const struct column columns[4];
	struct sluice_enum_formats format;
	struct sluice_engine_info engine;
	struct table *table;
	unsigned int i;

	check(sluice_engine_info(device, index, &engine), "ask the device for its engines");
	if (!json)
		printf("engine %u%s\n", index, engine.num_formats ? "" : "  raw data only");
	table = new_table(columns, sizeof(columns) / sizeof(columns[0]));
	for (i = 0; i < engine.num_formats; i++) {
		check(sluice_get_format(device, index, i, &format),
		      "ask the device for its formats");
		if (json)
			print_object(device, &format);
		else
			add_rows(table, device, &format);
	}
	table_print(table);
	free_table(table);
}

int do_formats(const struct options *options)
{
	struct sluice_info info;
	int device = open_device(options->device, &info);
	unsigned int i;

	if (!(info.caps & SLUICE_CAP_FORMATS))
		die("the module is too old to list formats: it has UAPI version %u; load one with "
		    "version 5 or later", info.uapi_version);
	for (i = 0; i < info.num_engines; i++)
		print_engine(device, i, options->json);
	return 0;
}
