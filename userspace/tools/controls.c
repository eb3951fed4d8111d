// SPDX-License-Identifier: MIT
/* sluicectl controls: the controls of a device and its input signals. */
#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"

void need_controls(const struct sluice_info *info)
{
	if (!(info->caps & SLUICE_CAP_CONTROLS))
		die("the module is too old for controls and events: it has UAPI version %u; load "
		    "one with version 6 or later", info->uapi_version);
}

const char *format_value(int device, const struct sluice_enum_controls *control, int64_t value,
			 char *text, size_t size)
{
	struct sluice_enum_menu menu;
	int ret = -EINVAL;

	if (control->type == SLUICE_CONTROL_MENU)
		ret = sluice_list_menu(device, control->id, value, &menu);
	if (!ret)
		snprintf(text, size, "%s", menu.name);
	else if (ret == -EINVAL)
		snprintf(text, size, "%" PRId64, value);
	else
		check(ret, "ask the device for the names of a menu");
	return text;
}

/* Print the values that a control accepts, and its properties. */
static void print_choice(FILE *out, int device, const struct sluice_enum_controls *control)
{
	char name[SLUICE_NAME_LEN];
	int64_t i;

	switch (control->type) {
	case SLUICE_CONTROL_MENU:
		for (i = 0; i <= control->max; i++)
			fprintf(out, "%s%s", i ? " " : "",
				format_value(device, control, i, name, sizeof(name)));
		break;
	case SLUICE_CONTROL_BUTTON:
		fputs("button", out);
		break;
	default:
		fprintf(out, "%" PRId64 "..%" PRId64, (int64_t)control->min, (int64_t)control->max);
		if (control->step != 1)
			fprintf(out, "/%" PRId64, (int64_t)control->step);
	}
	if (control->properties & SLUICE_CONTROL_READ_ONLY)
		fputs(", read-only", out);
	if (control->properties & SLUICE_CONTROL_VOLATILE)
		fputs(", volatile", out);
}

/* Add a row.  Returns 0, or the negative errno with which the value could not be read. */
static int add_row(struct table *table, int device, const struct sluice_enum_controls *control)
{
	char name[SLUICE_NAME_LEN];
	int64_t value;
	size_t size;
	char *text;
	FILE *out = open_memstream(&text, &size);
	int ret = 0;

	if (!out)
		die("no memory for a table: end other programs, and try again");
	if (control->type != SLUICE_CONTROL_BUTTON) {
		ret = sluice_get_control(device, control->id, &value);
		if (ret)
			fprintf(out, "cannot be read: %s", strerror(-ret));
		else
			fputs(format_value(device, control, value, name, sizeof(name)), out);
		format_value(device, control, control->default_value, name, sizeof(name));
		fprintf(out, "  (default %s; ", name);
	} else {
		fputc('(', out);
	}
	print_choice(out, device, control);
	fputc(')', out);
	if (fclose(out))
		die("no memory for a table: end other programs, and try again");
	table_row(table, ret ? ROW_WARNING : ROW_PLAIN, (const char *[]) { control->name, text });
	free(text);
	return ret;
}

/* Print an object.  Returns as add_row() does. */
static int print_object(int device, const struct sluice_enum_controls *control)
{
	static const char * const types[] = {
		[SLUICE_CONTROL_INT] = "int", [SLUICE_CONTROL_BOOL] = "bool",
		[SLUICE_CONTROL_MENU] = "menu", [SLUICE_CONTROL_BUTTON] = "button",
	};
	bool known = control->type < sizeof(types) / sizeof(types[0]) && types[control->type];
	struct json_object *object = json_object_new_object(), *menu;
	char name[SLUICE_NAME_LEN];
	int64_t value;
	int ret = 0;

	json_add_string(object, "control", control->name);
	json_add_number(object, "id", control->id);
	json_add_string(object, "type", known ? types[control->type] : "unknown");
	if (control->type != SLUICE_CONTROL_BUTTON) {
		ret = sluice_get_control(device, control->id, &value);
		if (ret)
			json_add_string(object, "error", strerror(-ret));
		else
			json_add_signed(object, "value", value);
		json_add_signed(object, "default", control->default_value);
		json_add_signed(object, "min", control->min);
		json_add_signed(object, "max", control->max);
		json_add_signed(object, "step", control->step);
	}
	json_add_bool(object, "read_only", control->properties & SLUICE_CONTROL_READ_ONLY);
	json_add_bool(object, "volatile", control->properties & SLUICE_CONTROL_VOLATILE);
	if (control->type == SLUICE_CONTROL_MENU) {
		menu = json_object_new_array();
		for (value = 0; value <= control->max; value++)
			json_object_array_add(menu, json_object_new_string(
				format_value(device, control, value, name, sizeof(name))));
		json_object_object_add(object, "menu", menu);
	}
	print_json(object);
	return ret;
}

const char *signal_of(uint64_t status)
{
	return status & SLUICE_SOURCE_LOCKED ? "locked" :
	       status & SLUICE_SOURCE_SIGNAL ? "signal, not locked" : "no signal";
}

static void add_source_row(struct table *table, const struct sluice_source *source)
{
	char name[32], size[32] = "", interval[48] = "", text[160];

	snprintf(name, sizeof(name), "source %u", source->engine);
	if (source->width && source->height)
		snprintf(size, sizeof(size), ", %ux%u", source->width, source->height);
	if (source->interval.denominator)
		snprintf(interval, sizeof(interval), ", %u/%u s", source->interval.numerator,
			 source->interval.denominator);
	snprintf(text, sizeof(text), "%s%s%s%s", signal_of(source->status), size,
		 source->field == SLUICE_FIELD_INTERLACED ? ", interlaced" : "", interval);
	table_row(table, ROW_PLAIN, (const char *[]) { name, text });
}

static void print_source_object(const struct sluice_source *source)
{
	struct json_object *object = json_object_new_object(), *interval;

	json_add_number(object, "source", source->engine);
	json_add_string(object, "signal", signal_of(source->status));
	json_add_number(object, "width", source->width);
	json_add_number(object, "height", source->height);
	json_add_bool(object, "interlaced", source->field == SLUICE_FIELD_INTERLACED);
	if (source->interval.denominator) {
		interval = json_object_new_object();
		json_add_number(interval, "numerator", source->interval.numerator);
		json_add_number(interval, "denominator", source->interval.denominator);
		json_object_object_add(object, "interval", interval);
	}
	print_json(object);
}

static struct table *new_controls_table(void)
{
	static const struct column columns[] = { { NULL, 15, false }, {} };

	return new_table(columns, sizeof(columns) / sizeof(columns[0]));
}

/* Print one control, or die of the error with which its value could not be read. */
static void print_control(int device, const struct sluice_enum_controls *control, bool json)
{
	struct table *table;
	int ret;

	if (json) {
		ret = print_object(device, control);
	} else {
		table = new_controls_table();
		ret = add_row(table, device, control);
		table_print(table);
		free_table(table);
	}
	check(ret, "get the control");
}

static void list_controls(int device, const struct sluice_info *info, bool json)
{
	struct table *table = new_controls_table();
	struct sluice_enum_controls control;
	struct sluice_source source;
	unsigned int i;
	int ret;

	/* a control that cannot be read must not hide the others: ignore the result */
	for (i = 0; !(ret = sluice_list_control(device, i, &control)); i++)
		if (json)
			print_object(device, &control);
		else
			add_row(table, device, &control);
	if (ret != -EINVAL)
		check(ret, "ask the device for its controls");
	for (i = 0; i < info->num_engines; i++) {
		ret = sluice_get_source(device, i, &source);
		if (ret == -EOPNOTSUPP)
			continue;
		check(ret, "ask the device for its sources");
		if (json)
			print_source_object(&source);
		else
			add_source_row(table, &source);
	}
	table_print(table);
	free_table(table);
}

/* Parse a number or, for a menu, the name of a value. */
static int64_t parse_value(int device, const struct sluice_enum_controls *control,
			   const char *text)
{
	char name[SLUICE_NAME_LEN];
	int64_t value;
	char *end;

	for (value = 0; control->type == SLUICE_CONTROL_MENU && value <= control->max; value++)
		if (!strcmp(format_value(device, control, value, name, sizeof(name)), text))
			return value;
	errno = 0;
	value = strtoll(text, &end, 0);
	if (errno || end == text || *end)
		die("'%s' is not a value of %s: 'sluicectl controls' lists the values that it "
		    "accepts", text, control->name);
	return value;
}

static void set_control(int device, const struct sluice_enum_controls *control, const char *text)
{
	int64_t value = parse_value(device, control, text);
	int ret = sluice_set_control(device, control->id, value);

	if (ret == -ERANGE)
		die("%s cannot be %" PRId64 ": write a value from %" PRId64 " to %" PRId64
		    ", in steps of %" PRId64, control->name, value, (int64_t)control->min,
		    (int64_t)control->max, (int64_t)control->step);
	if (ret == -EACCES)
		die("%s is read-only: 'sluicectl controls' shows which controls can be set",
		    control->name);
	check(ret, "set the control");
}

int do_controls(const struct options *options)
{
	struct sluice_enum_controls control;
	struct sluice_info info;
	int device = open_device(options->device, &info), ret;
	char name[SLUICE_NAME_LEN];
	const char *value;
	size_t length;

	need_controls(&info);
	if (!options->control) {
		list_controls(device, &info, options->json);
		return 0;
	}
	length = strcspn(options->control, "=");
	value = options->control[length] ? options->control + length + 1 : NULL;
	snprintf(name, sizeof(name), "%.*s", (int)length, options->control);
	/* no control has so long a name: a control whose name is its first part must not match */
	ret = length < sizeof(name) ? sluice_find_control(device, name, &control) : -ENOENT;
	if (ret == -ENOENT)
		die("the device '%s' has no control '%.*s': 'sluicectl controls %s' lists its "
		    "controls", info.name, (int)length, options->control, info.name);
	check(ret, "ask the device for its controls");
	if (value)
		set_control(device, &control, value);
	else if (control.type == SLUICE_CONTROL_BUTTON)
		set_control(device, &control, "0");
	else
		print_control(device, &control, options->json);
	return 0;
}
