// SPDX-License-Identifier: MIT
/* Standard output: its descriptor, colours, and JSON.  Each JSON object is a line of its own. */
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tool.h"

static enum color_mode color;
static bool closed;	/* standard output was closed when the program began */

void open_descriptors(void)
{
	/* opened for the wrong direction, so that reading and writing still fail with EBADF */
	static const int flags[] = { O_WRONLY, O_RDONLY, O_RDONLY };
	int fd;

	for (fd = 0; fd < 3; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			continue;
		if (fd == STDOUT_FILENO)
			closed = true;
		/* the lowest free descriptor is fd; without /dev/null nothing can be promised */
		if (open("/dev/null", flags[fd]) != fd)
			exit(1);
	}
}

void need_output(void)
{
	if (closed)
		die("standard output is closed: redirect it to a file, or to /dev/null");
}

void flush_output(void)
{
	int error = 0;

	if (fflush(stdout))
		error = errno;
	else if (ferror(stdout))
		error = EIO;
	if (error && closed)
		need_output();
	if (error)
		die("cannot write the output: %s", strerror(error));
}

int data_to_output(void)
{
	int fd;

	need_output();
	flush_output();
	fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	if (fd < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
		die("cannot duplicate standard output: %s", strerror(errno));
	return fd;
}

void set_color(enum color_mode mode)
{
	color = mode;
}

bool want_color(void)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	if (color != COLOR_AUTO)
		return color == COLOR_ALWAYS;
	return isatty(STDOUT_FILENO) && !(no_color && *no_color) && term && strcmp(term, "dumb");
}

void print_titles(const struct column *columns, unsigned int count)
{
	unsigned int i;

	if (!columns[0].heading)
		return;
	for (i = 0; i < count; i++) {
		int width = columns[i].right ? (int)columns[i].width : -(int)columns[i].width;

		printf(want_color() ? "%s\033[1m%*s\033[0m" : "%s%*s", i ? "  " : "", width,
		       columns[i].heading);
	}
	putchar('\n');
	flush_output();
}

static void *need_json(void *object)
{
	if (!object)
		die("no memory for the output: end other programs, and try again");
	return object;
}

void print_json(struct json_object *object)
{
	puts(need_json((void *)json_object_to_json_string_ext(need_json(object),
			JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)));
	json_object_put(object);
	flush_output();
}

static void add(struct json_object *object, const char *key, struct json_object *value)
{
	if (json_object_object_add(need_json(object), key, need_json(value)))
		need_json(NULL);
}

void json_add_string(struct json_object *object, const char *key, const char *value)
{
	add(object, key, json_object_new_string(value));
}

void json_add_number(struct json_object *object, const char *key, uint64_t value)
{
	add(object, key, json_object_new_uint64(value));
}

void json_add_signed(struct json_object *object, const char *key, int64_t value)
{
	add(object, key, json_object_new_int64(value));
}

void json_add_double(struct json_object *object, const char *key, double value)
{
	char text[32];

	snprintf(text, sizeof(text), "%.6f", value);
	add(object, key, json_object_new_double_s(value, text));
}

void json_add_bool(struct json_object *object, const char *key, bool value)
{
	add(object, key, json_object_new_boolean(value));
}

void json_add_names(struct json_object *object, const char *key, uint64_t mask,
		    const char * const *names, unsigned int count)
{
	struct json_object *array = need_json(json_object_new_array());
	unsigned int i;

	for (i = 0; i < count; i++)
		if (mask & 1ULL << i)
			json_object_array_add(array, need_json(json_object_new_string(names[i])));
	add(object, key, array);
}
