/* SPDX-License-Identifier: MIT */
/* What the commands of sluicectl(1) share.  An error ends the program with one line on stderr. */
#ifndef TOOL_H
#define TOOL_H

#include "sluice.h"

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
};

/** die - print one sentence to stderr, and exit with status 1 */
void __attribute__((noreturn, format(printf, 1, 2))) die(const char *format, ...);

/** check - if @ret is a negative errno, die with the message "cannot @what" and the reason */
void check(int ret, const char *what);

/** seconds_now - the time of CLOCK_MONOTONIC in seconds */
double seconds_now(void);

int open_device(const char *name, struct sluice_info *info);

/** need_op - die unless the device has ops of this kind; call it before allocating memory */
void need_op(const struct sluice_info *info, uint32_t kind, const char *verb);

int new_buffer(int device, const char *heap, uint64_t size);
void *map_buffer(int dmabuf, uint64_t size);

/** open_queue - create a queue with the longest timeout, because some devices are slow */
int open_queue(int device, const struct sluice_info *info);
int attach_buffer(int queue, int dmabuf, uint32_t flags);

/** read_completion - wait for the next completion; die if its job failed */
struct sluice_completion read_completion(int queue);

/** run_op - submit a job of one op, and return its completion; die if the job failed */
struct sluice_completion run_op(int queue, const struct sluice_op *op);

/**
 * read_file - read a file, which may be a pipe; die if that fails
 * @path: of the file
 * @limit: number of bytes to read from the beginning, which the file must have; 0 for all
 * @size: set to the number of bytes that were read
 *
 * Return: the content, to be freed by the caller.
 */
void *read_file(const char *path, uint64_t limit, uint64_t *size);
void write_file(const char *path, const void *memory, uint64_t size);

int do_program(const struct options *options);
int do_controls(const struct options *options);
int do_events(const struct options *options);

#endif /* TOOL_H */
