// SPDX-License-Identifier: MIT
/* sluicectl events: what a device reports, as it happens. */
#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>

#include "tool.h"

/* Find a control by its id.  Returns false if there is none. */
static bool find_control(int device, uint32_t id, struct sluice_enum_controls *control)
{
	unsigned int i;

	for (i = 0; !sluice_list_control(device, i, control); i++)
		if (control->id == id)
			return true;
	return false;
}

static void print_object(const struct sluice_event *event, const char *kind, const char *name,
			 const char *text)
{
	struct json_object *object = json_object_new_object();

	json_add_number(object, "sequence", event->sequence);
	json_add_number(object, "timestamp_ns", event->timestamp);
	json_add_string(object, "type", kind);
	if (name)
		json_add_string(object, "control", name);
	json_add_number(object, "id", event->id);
	json_add_signed(object, "value", event->value);
	if (text)
		json_add_string(object, "text", text);
	json_add_number(object, "lost", event->lost);
	json_add_bool(object, "overflow", event->flags & SLUICE_EVENT_OVERFLOW);
	print_json(object);
}

static void print_row(struct table *table, const struct sluice_event *event, const char *what)
{
	char sequence[32], timestamp[32], lost[64] = "", text[256];

	snprintf(sequence, sizeof(sequence), "%" PRIu64, (uint64_t)event->sequence);
	snprintf(timestamp, sizeof(timestamp), "%.6f", event->timestamp / 1e9);
	if (event->lost)
		snprintf(lost, sizeof(lost), "; events lost before it: %" PRIu64,
			 (uint64_t)event->lost);
	snprintf(text, sizeof(text), "%s%s%s", what, lost, event->flags & SLUICE_EVENT_OVERFLOW ?
		 "; query the state: a lost event may have been the last of its kind" : "");
	table_row(table, event->lost ? ROW_WARNING : ROW_PLAIN,
		  (const char *[]) { sequence, timestamp, text });
	/* a pipe must get each event at once */
	table_print(table);
}

/* @table is NULL for JSON. */
static void print_event(struct table *table, int device, const struct sluice_event *event)
{
	struct sluice_enum_controls control;
	char value[SLUICE_NAME_LEN], what[128];

	if (event->type == SLUICE_EVENT_CONTROL && find_control(device, event->id, &control)) {
		format_value(device, &control, event->value, value, sizeof(value));
		snprintf(what, sizeof(what), "control %s %s", control.name, value);
		if (!table)
			print_object(event, "control", control.name, value);
	} else if (event->type == SLUICE_EVENT_SOURCE) {
		snprintf(what, sizeof(what), "source %u %s", event->id, signal_of(event->value));
		if (!table)
			print_object(event, "source", NULL, signal_of(event->value));
	} else {
		snprintf(what, sizeof(what), "event 0x%x %u %" PRId64, event->type, event->id,
			 (int64_t)event->value);
		snprintf(value, sizeof(value), "0x%x", event->type);
		if (!table)
			print_object(event, value, NULL, NULL);
	}
	if (table)
		print_row(table, event, what);
}

int do_events(const struct options *options)
{
	static const struct column columns[] = {
		{ "sequence", 8, true }, { "timestamp/s", 11, true }, { "event", 0, false },
	};
	struct table *table = NULL;
	struct sluice_event event;
	struct sluice_info info;
	int device = open_device(options->device, &info), ret;
	unsigned int i;

	need_controls(&info);
	if (!options->json)
		table = new_table(columns, sizeof(columns) / sizeof(columns[0]));
	for (i = 0; !options->count || i < options->count; i++) {
		ret = sluice_read_events(device, &event, 1);
		if (ret == -ENODEV && table)
			puts("the device was removed");
		if (ret == -ENODEV)
			break;
		check(ret, "read events");
		print_event(table, device, &event);
	}
	if (table)
		free_table(table);
	return 0;
}
