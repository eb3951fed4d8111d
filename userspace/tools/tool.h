/* SPDX-License-Identifier: MIT */
/*
 * Functions and types that the files of sluicectl(1) share, below the file that implements each.
 *
 * A command is a row of the table in commands.c, and a function in a file of its name.  An error
 * ends the program with one sentence on stderr.
 */
#ifndef TOOL_H
#define TOOL_H

#include <sys/types.h>

#include "sluice.h"

struct json_object;

/** enum option_id - the options of all commands; the index of the table in options.c */
enum option_id {
	OPTION_NONE,	/* ends the list of a command */
	OPTION_HEAP,
	OPTION_SIZE,
	OPTION_GEOMETRY,
	OPTION_FRAMES,
	OPTION_FROM,
	OPTION_TO,
	OPTION_THEN,
	OPTION_COUNT,
	OPTION_JSON,
	OPTION_COLOR,
	OPTION_HELP,
	NUM_OPTIONS,
};

/** struct options - the arguments and options of the command line */
struct options {
	const char *device;
	const char *heap;
	bool heap_given;
	uint64_t size;
	bool size_given;
	uint32_t width, height;
	unsigned int frames;
	unsigned int count;
	const char *control;
	const char *from, *to;
	const char *then;
	bool json;
	bool help;
};

/**
 * struct option_use - an option that a command accepts
 * @id: the option
 * @what: what it means for this command, without a full stop; NULL for the usual text
 */
struct option_use {
	enum option_id id;
	const char *what;
};

/** enum arguments - what a command takes besides options */
enum arguments {
	TAKES_NOTHING,
	TAKES_DEVICE,
	TAKES_CONTROL,	/* a device, and possibly a control */
};

/**
 * struct command - a row of the table of commands
 * @name: the first word after sluicectl
 * @takes: its arguments
 * @synopsis: these arguments, as a person reads them; may be ""
 * @summary: one line for the list of commands
 * @text: what help says about the command; lines of at most 80 columns
 * @options: the options that it accepts, in the order of the help; ends with OPTION_NONE
 * @run: does the work, and returns the exit status
 */
struct command {
	const char *name;
	enum arguments takes;
	const char *synopsis;
	const char *summary;
	const char *text;
	const struct option_use *options;
	int (*run)(const struct options *options);
};

/* commands.c: the table; a row without a name ends it */
extern const struct command commands[];

/** find_command - the command of this name; die if there is none */
const struct command *find_command(const char *name);

/* One function a command, each in the file of its name. */
int do_list(const struct options *options);
int do_info(const struct options *options);
int do_formats(const struct options *options);
int do_controls(const struct options *options);
int do_events(const struct options *options);
int do_alloc(const struct options *options);
int do_copy(const struct options *options);
int do_capture(const struct options *options);
int do_program(const struct options *options);
int do_doctor(const struct options *options);

/* options.c */

/** struct option_row - an option: its name, its value as a person reads it, its usual text */
struct option_row {
	const char *name;
	const char *value;	/* NULL for an option without a value */
	const char *what;
};
extern const struct option_row option_rows[NUM_OPTIONS];

/** parse - read the command line of a command; argv[0] is its name.  Die if it is wrong */
struct options parse(const struct command *command, int argc, char **argv);

/* help.c */
void print_help(void);
void print_command_help(const struct command *command);

/* messages.c */

/** die - print one sentence to stderr, and exit with status 1 */
void __attribute__((noreturn, format(printf, 1, 2))) die(const char *format, ...);

/** die_usage - the same for a wrong command line, with status 2 */
void __attribute__((noreturn, format(printf, 1, 2))) die_usage(const char *format, ...);

/** check - if @ret is a negative errno, die with the message "cannot @what" and the reason */
void check(int ret, const char *what);

/* output.c: standard output */

/** open_descriptors - make sure that no file becomes stdin, stdout or stderr when it is opened */
void open_descriptors(void);

/** need_output - die if standard output is closed; call it before work whose result is printed */
void need_output(void);

/** flush_output - write what was printed; die if that fails */
void flush_output(void);

/** data_to_output - return an fd of standard output for data; what is printed goes to stderr now */
int data_to_output(void);

enum color_mode { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };
void set_color(enum color_mode mode);
bool want_color(void);

/** print_json - print an object on a line of its own, and release it */
void print_json(struct json_object *object);

/** json_add_string - add a string, a number or a boolean; the library makes a copy of strings */
void json_add_string(struct json_object *object, const char *key, const char *value);
void json_add_number(struct json_object *object, const char *key, uint64_t value);
void json_add_signed(struct json_object *object, const char *key, int64_t value);
void json_add_double(struct json_object *object, const char *key, double value);
void json_add_bool(struct json_object *object, const char *key, bool value);

/** json_add_names - add an array of the names whose bits are set in @mask */
void json_add_names(struct json_object *object, const char *key, uint64_t mask,
		    const char * const *names, unsigned int count);

struct column;

/** print_titles - print the line of titles of a table that has one */
void print_titles(const struct column *columns, unsigned int count);

/* table.c, or table_plain.c in a build without libsmartcols */

#define TABLE_MAX_COLUMNS 8

/**
 * struct column - a column of a table
 * @heading: its title, which is not wider than @width; a table has titles if its first column has
 * @width: the smallest width; cells that are longer make the column wider
 * @right: align to the right
 */
struct column {
	const char *heading;
	unsigned int width;
	bool right;
};

enum row_color { ROW_PLAIN, ROW_WARNING };

struct table;

/** new_table - begin a table, and print its titles */
struct table *new_table(const struct column *columns, unsigned int count);

/** table_row - add a row; @cells is an array of one string a column, which is copied */
void table_row(struct table *table, enum row_color color, const char * const *cells);

/** table_print - print the rows since the last call */
void table_print(struct table *table);
void free_table(struct table *table);

/* progress.c: progress on a terminal, for work that takes longer than a second */
void __attribute__((format(printf, 1, 2))) show_progress(const char *format, ...);
void end_progress(void);

/** wait_readable - wait until @fd is readable, and show the progress of @what meanwhile */
void wait_readable(int fd, const char *what, unsigned int limit_s);

/** seconds_now - the time of CLOCK_MONOTONIC in seconds */
double seconds_now(void);

/* device.c */
int open_device(const char *name, struct sluice_info *info);

/** die_without_devices - say why there is no device, and what to do */
void __attribute__((noreturn)) die_without_devices(void);

/**
 * find_group - find the name of a group; false if /etc/group does not have it
 *
 * Only this file is read: a static program has no other sources of names.
 */
bool find_group(gid_t gid, char *name, size_t size);

/** open_error - say in a few words why a device cannot be opened */
const char *open_error(int error);

/** need_op - die unless the device has ops of this kind; call it before allocating memory */
void need_op(const struct sluice_info *info, uint32_t kind, const char *verb);

/** open_queue - create a queue with the longest timeout, because some devices are slow */
int open_queue(int device, const struct sluice_info *info);
int attach_buffer(int queue, int dmabuf, uint32_t flags);

/** read_completion - wait for the next completion; die if its job failed */
struct sluice_completion read_completion(int queue, const char *what);

/** run_op - submit a job of one op, and return its completion; die if the job failed */
struct sluice_completion run_op(int queue, const struct sluice_op *op, const char *what);

#define NUM_KINDS 6
extern const char * const kind_names[NUM_KINDS];	/* bit 0 is SLUICE_OP_COPY's */

/* buffer.c */
int new_buffer(int device, const char *heap, uint64_t size);
void *map_buffer(int dmabuf, uint64_t size);

#define NUM_PROPERTIES 9
extern const char * const property_names[NUM_PROPERTIES];	/* bit 0 is SLUICE_MEM_CACHED's */
void print_properties(uint32_t properties);

/* controls.c */

/** need_controls - die if the module is too old for controls and events */
void need_controls(const struct sluice_info *info);

/** format_value - the value of a control as text: for a menu its name, else the number */
const char *format_value(int device, const struct sluice_enum_controls *control, int64_t value,
			 char *text, size_t size);

/** signal_of - the status of a source in words */
const char *signal_of(uint64_t status);

/* file.c */

/**
 * read_file - read a file, which may be a pipe; die if that fails
 * @path: of the file, or - for standard input
 * @limit: number of bytes to read from the beginning, which the file must have; 0 for all
 * @most: the largest number of bytes of which buffers can be made
 * @size: set to the number of bytes that were read
 *
 * Return: the content, to be freed by the caller.
 */
void *read_file(const char *path, uint64_t limit, uint64_t most, uint64_t *size);

/**
 * struct target - a file that gets the result of a command
 *
 * A regular file is written beside its place, and gets its name at the end: until then, and after
 * an error or a signal, the old file is there.  A device or a pipe is written directly.
 */
struct target;

/** open_target - open a file to write, or - for standard output, before the work begins */
struct target *open_target(const char *path);
void write_target(struct target *target, const void *memory, uint64_t size);

/** close_target - write the rest, give the file its name, and release @target */
void close_target(struct target *target);

/** remove_targets - remove the files that were not closed */
void remove_targets(void);

#endif /* TOOL_H */
