/* SPDX-License-Identifier: MIT */
/* The resources of a running program, and the choice of its calls among them. */
#ifndef FUZZ_STATE_H
#define FUZZ_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sluice.h"

#define MAX_FDS		64
#define MAX_MAPS	8
#define MAX_POINTS	16
#define MAX_OPS		32
#define MAX_FENCES	8
#define MAX_JOBS	6
#define MAX_COMMANDS	16

enum fd_kind { ANY, DEVICE, BUFFER, QUEUE, FENCE, TIMELINE };

/** struct state - the resources of the program so far */
struct state {
	struct {
		int fd;
		enum fd_kind kind;
	} fds[MAX_FDS];
	unsigned int num_fds;
	struct {
		void *start;
		size_t size;
		int prot;
	} maps[MAX_MAPS];
	unsigned int num_maps;
	uint32_t slots[MAX_POINTS];
	unsigned int num_slots;
	uint64_t points[MAX_POINTS];
	unsigned int num_points;
	struct sluice_op ops[MAX_OPS];
	unsigned int num_ops;
	struct sluice_command commands[MAX_COMMANDS];
	unsigned int num_commands;
	uint32_t payload[2048];
	struct sluice_in_point in_points[MAX_FENCES];
	unsigned int num_in_points;
	int32_t in_fences[MAX_FENCES];
	unsigned int num_in_fences;
	bool forked;
	uint8_t *arena;	/* two pages, and an unmapped page behind them */
	size_t page;
};

extern struct state state;

/** number - choose a number that often finds errors; the first ones are chosen more often */
uint64_t number(uint8_t gene);
/** reserved - a value for a field that should be 0, usually 0 */
uint32_t reserved(uint8_t gene);
/** add_fd - remember an fd; returns it, or -1 */
int add_fd(int fd, enum fd_kind kind);
/** pick_fd - choose an fd of the kind, the newest first; rarely another kind, or no fd */
int pick_fd(uint8_t gene, enum fd_kind kind);
enum fd_kind kind_of_fd(int fd);
uint32_t pick_slot(uint8_t gene);
uint64_t pick_point(uint8_t gene);
/** address_of - the address of the array, or a bad one */
uint64_t address_of(void *array, uint8_t gene);
/**
 * lying_ioctl - make an ioctl, now and then with a wrong struct
 *
 * The size in the command word is wrong, a tail is not zero, or an address is not mapped.
 */
int lying_ioctl(int fd, unsigned long request, void *args, uint8_t gene);

/* files.c */
void do_read(const uint8_t *g);
void do_write(const uint8_t *g);
void do_poll(const uint8_t *g);
void do_epoll(const uint8_t *g);
void do_close(const uint8_t *g);
void do_dup(const uint8_t *g);
void do_pass(const uint8_t *g);
void do_mmap(const uint8_t *g);
void do_touch(const uint8_t *g);
void do_munmap(const uint8_t *g);
void do_sync(const uint8_t *g);
void do_export(const uint8_t *g);
void do_import(const uint8_t *g);
void do_seek(const uint8_t *g);
void do_merge(const uint8_t *g);
void do_fence_info(const uint8_t *g);
void do_foreign_fence(const uint8_t *g);
void do_signal(const uint8_t *g);
void do_heap_node(const uint8_t *g);
void do_foreign_buffer(const uint8_t *g);

#endif /* FUZZ_STATE_H */
