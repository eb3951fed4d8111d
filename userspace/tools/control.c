// SPDX-License-Identifier: MIT
/* sluicectl controls, sluicectl events: controls, sources and events of a device. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"

static void need_controls(const struct sluice_info *info)
{
	if (!(info->caps & SLUICE_CAP_CONTROLS))
		die("the module is too old for controls and events: it has UAPI version %u; load "
		    "one with version 6 or later", info->uapi_version);
}

/* The name of a value of a menu, or its number if it has no name. */
static const char *menu_name(int device, const struct sluice_enum_controls *control,
			     int64_t value, struct sluice_enum_menu *menu)
{
	int ret = sluice_list_menu(device, control->id, value, menu);

	if (ret == -EINVAL)
		snprintf(menu->name, sizeof(menu->name), "%" PRId64, value);
	else
		check(ret, "ask the device for the names of a menu");
	return menu->name;
}

/* Print the value of a control: for a menu the name, else the number. */
static void print_value(int device, const struct sluice_enum_controls *control, int64_t value)
{
	struct sluice_enum_menu menu;

	if (control->type == SLUICE_CONTROL_MENU)
		printf("%s", menu_name(device, control, value, &menu));
	else
		printf("%" PRId64, value);
}

/* Print the values that a control accepts, and its properties. */
static void print_choice(int device, const struct sluice_enum_controls *control)
{
	struct sluice_enum_menu menu;
	int64_t i;

	switch (control->type) {
	case SLUICE_CONTROL_MENU:
		for (i = 0; i <= control->max; i++)
			printf("%s%s", i ? " " : "", menu_name(device, control, i, &menu));
		break;
	case SLUICE_CONTROL_BUTTON:
		printf("button");
		break;
	default:
		printf("%" PRId64 "..%" PRId64, (int64_t)control->min, (int64_t)control->max);
		if (control->step != 1)
			printf("/%" PRId64, (int64_t)control->step);
	}
	if (control->properties & SLUICE_CONTROL_READ_ONLY)
		printf(", read-only");
	if (control->properties & SLUICE_CONTROL_VOLATILE)
		printf(", volatile");
}

/* Print one line.  Returns 0, or the negative errno with which the value could not be read. */
static int print_control(int device, const struct sluice_enum_controls *control)
{
	int64_t value;
	int ret = 0;

	printf("%-16s ", control->name);
	if (control->type != SLUICE_CONTROL_BUTTON) {
		ret = sluice_get_control(device, control->id, &value);
		if (ret)
			printf("cannot be read: %s", strerror(-ret));
		else
			print_value(device, control, value);
		printf("  (default ");
		print_value(device, control, control->default_value);
		printf("; ");
	} else {
		putchar('(');
	}
	print_choice(device, control);
	puts(")");
	return ret;
}

/* The status of a source in words. */
static const char *signal_of(uint64_t status)
{
	return status & SLUICE_SOURCE_LOCKED ? "locked" :
	       status & SLUICE_SOURCE_SIGNAL ? "signal, not locked" : "no signal";
}

static void print_source(int device, unsigned int engine)
{
	struct sluice_source source;
	int ret = sluice_get_source(device, engine, &source);

	if (ret == -EOPNOTSUPP)
		return;
	check(ret, "ask the device for its sources");
	printf("source %-9u %s", engine, signal_of(source.status));
	if (source.width && source.height)
		printf(", %ux%u", source.width, source.height);
	if (source.field == SLUICE_FIELD_INTERLACED)
		printf(", interlaced");
	if (source.interval.denominator)
		printf(", %u/%u s", source.interval.numerator, source.interval.denominator);
	putchar('\n');
}

static void list_controls(int device, const struct sluice_info *info)
{
	struct sluice_enum_controls control;
	unsigned int i;
	int ret;

	/* a control that cannot be read must not hide the others: ignore the result */
	for (i = 0; !(ret = sluice_list_control(device, i, &control)); i++)
		print_control(device, &control);
	if (ret != -EINVAL)
		check(ret, "ask the device for its controls");
	for (i = 0; i < info->num_engines; i++)
		print_source(device, i);
}

/* Parse a number or, for a menu, the name of a value. */
static int64_t parse_value(int device, const struct sluice_enum_controls *control,
			   const char *text)
{
	struct sluice_enum_menu menu;
	int64_t value;
	char *end;

	for (value = 0; control->type == SLUICE_CONTROL_MENU && value <= control->max; value++)
		if (!strcmp(menu_name(device, control, value, &menu), text))
			return value;
	errno = 0;
	value = strtoll(text, &end, 0);
	if (errno || end == text || *end)
		die("'%s' is not a value of %s: 'sluicectl controls' lists the values that it accepts",
		    text, control->name);
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
		list_controls(device, &info);
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
		check(print_control(device, &control), "get the control");
	return 0;
}

/* Find a control by its id.  Returns false if there is none. */
static bool find_control(int device, uint32_t id, struct sluice_enum_controls *control)
{
	unsigned int i;

	for (i = 0; !sluice_list_control(device, i, control); i++)
		if (control->id == id)
			return true;
	return false;
}

static void print_event(int device, const struct sluice_event *event)
{
	struct sluice_enum_controls control;

	printf("%8" PRIu64 " %12.6f  ", (uint64_t)event->sequence, event->timestamp / 1e9);
	if (event->type == SLUICE_EVENT_CONTROL && find_control(device, event->id, &control)) {
		printf("control %s ", control.name);
		print_value(device, &control, event->value);
	} else if (event->type == SLUICE_EVENT_SOURCE) {
		printf("source %u %s", event->id, signal_of(event->value));
	} else {
		printf("event 0x%x %u %" PRId64, event->type, event->id, (int64_t)event->value);
	}
	if (event->lost)
		printf("; events lost before it: %" PRIu64, (uint64_t)event->lost);
	if (event->flags & SLUICE_EVENT_OVERFLOW)
		printf("; query the state: a lost event may have been the last of its kind");
	putchar('\n');
}

int do_events(const struct options *options)
{
	struct sluice_event event;
	struct sluice_info info;
	int device = open_device(options->device, &info), ret;
	unsigned int i;

	need_controls(&info);
	printf("sequence  timestamp/s  event\n");
	fflush(stdout);
	for (i = 0; !options->count || i < options->count; i++) {
		ret = sluice_read_events(device, &event, 1);
		if (ret == -ENODEV) {
			printf("the device was removed\n");
			return 0;
		}
		check(ret, "read events");
		print_event(device, &event);
		/* a pipe must get each event at once; main() reports errors of the output */
		fflush(stdout);
	}
	return 0;
}
