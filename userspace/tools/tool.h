/* SPDX-License-Identifier: MIT */
/* What the commands of sluice(1) share.  Whatever goes wrong ends the program with a sentence. */
#ifndef TOOL_H
#define TOOL_H

#include "sluice.h"

/** struct options - what the command line says */
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

/** die - say a sentence, and end */
void __attribute__((noreturn, format(printf, 1, 2))) die(const char *format, ...);

/** check - carry on unless @ret is negative, or say that @what could not be done */
void check(int ret, const char *what);

/** seconds_now - CLOCK_MONOTONIC */
double seconds_now(void);

int open_device(const char *name, struct sluice_info *info);

/** need_op - before any memory is touched: does the device know this kind of op? */
void need_op(const struct sluice_info *info, uint32_t kind, const char *verb);

int new_buffer(int device, const char *heap, uint64_t size);
void *map_buffer(int dmabuf, uint64_t size);

/** open_queue - one that gives slow devices all the time there is */
int open_queue(int device, const struct sluice_info *info);
int attach_buffer(int queue, int dmabuf, uint32_t flags);

/** read_completion - wait for the completion of a job that must succeed */
struct sluice_completion read_completion(int queue);

/** run_op - submit a job of one op, and wait for its completion */
struct sluice_completion run_op(int queue, const struct sluice_op *op);

/**
 * read_file - read all of a file, which may be a pipe
 * @limit: or, if this is not 0, its first bytes, that many or else it is an error
 * @size: set
 */
void *read_file(const char *path, uint64_t limit, uint64_t *size);
void write_file(const char *path, const void *memory, uint64_t size);

int do_program(const struct options *options);
int do_controls(const struct options *options);
int do_events(const struct options *options);

#endif /* TOOL_H */
