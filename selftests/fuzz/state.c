// SPDX-License-Identifier: MIT
/*
 * How genes become arguments: an fd of the right kind that an earlier call made (or, rarely, a
 * wrong one), a number from a list of those that often find errors, or a wrong size or address of a
 * struct.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "state.h"

struct state state;

/* Numbers */

static const uint64_t numbers[] = {
	0, 4096, 4, 8, 64, 1, 2, 3, 8192, 65536, 12288, 4092, 4095, 4097, 61440, 65532, 65537,
	131072, 262144, 255, 256, 257, 1023, 1024, 4095 * 4, 1ULL << 20, (1ULL << 31) - 1, 1ULL << 31,
	(1ULL << 32) - 4096, (1ULL << 32) - 1, 1ULL << 32, (1ULL << 32) + 4096, 1ULL << 40,
	(1ULL << 63) - 1, 1ULL << 63, -65536ULL, -4096ULL, -8ULL, -4ULL, -1ULL,
};

/* The first numbers are chosen more often: half of all genes are small. */
uint64_t number(uint8_t gene)
{
	return numbers[gene % (sizeof(numbers) / sizeof(numbers[0]))];
}

/* A field that should be 0, and usually is. */
uint32_t reserved(uint8_t gene)
{
	return gene < 248 ? 0 : (uint32_t)number(gene);
}

/* Resources */

int add_fd(int fd, enum fd_kind kind)
{
	if (fd < 0)
		return fd;
	if (state.num_fds == MAX_FDS) {
		close(fd);
		return -1;
	}
	state.fds[state.num_fds].fd = fd;
	state.fds[state.num_fds++].kind = kind;
	return fd;
}

/* Choose an fd of the kind, the newest first; rarely another kind, or no fd. */
int pick_fd(uint8_t gene, enum fd_kind kind)
{
	unsigned int count = 0, i;

	if (gene >= 252)
		return gene == 252 ? -1 : gene == 253 ? 1000 : gene == 254 ? AT_FDCWD : 0x7fffffff;
	if (gene >= 240)
		kind = ANY;
	for (i = 0; i < state.num_fds; i++)
		count += kind == ANY || state.fds[i].kind == kind;
	if (!count)
		return -1;
	gene %= count;
	for (i = state.num_fds; i--; )
		if ((kind == ANY || state.fds[i].kind == kind) && !gene--)
			return state.fds[i].fd;
	return -1;
}

enum fd_kind kind_of_fd(int fd)
{
	unsigned int i;

	for (i = 0; i < state.num_fds; i++)
		if (state.fds[i].fd == fd)
			return state.fds[i].kind;
	return ANY;
}

uint32_t pick_slot(uint8_t gene)
{
	if (gene >= 240 || !state.num_slots)
		return number(gene);
	return state.slots[state.num_slots - 1 - gene % state.num_slots];
}

uint64_t pick_point(uint8_t gene)
{
	if (gene >= 240)
		return number(gene);
	if (!state.num_points)
		return gene;
	return state.points[state.num_points - 1 - gene % state.num_points];
}

/*
 * Make an ioctl, now and then with a wrong struct: another size in the command word, a tail that is
 * not zero, or an address that is not mapped.
 */
int lying_ioctl(int fd, unsigned long request, void *args, uint8_t gene)
{
	size_t size = _IOC_SIZE(request), told = size;
	uint8_t *place = state.arena;
	int ret;

	memset(state.arena, 0, 2 * state.page);
	switch (gene) {
	case 224 ... 227:
		told = size - 4 * (gene - 223);
		break;
	case 228 ... 231:
		told = size + 8 * (gene - 227);
		break;
	case 232 ... 235:	/* a tail that is not zero */
		told = size + 8;
		place[size + gene - 232] = gene;
		break;
	case 236:
		told = (1U << _IOC_SIZEBITS) - 1;
		break;
	case 237:
		told = 0;
		break;
	case 238 ... 241:	/* the end is not mapped */
		place += 2 * state.page - size + (gene - 238) * 8;
		break;
	case 242:		/* mapped up to the last byte */
		place += 2 * state.page - size;
		break;
	case 243:
		place = NULL;
		break;
	case 244:
		place = (uint8_t *)-4096L;
		break;
	case 245:
		place += 1;
		break;
	case 246 ... 249:	/* readable, but not writable */
		memcpy(place, args, size);
		mprotect(state.arena, state.page, PROT_READ);
		ret = ioctl(fd, request, place);
		mprotect(state.arena, state.page, PROT_READ | PROT_WRITE);
		return ret;
	case 250:
		request = _IOC(_IOC_NONE, _IOC_TYPE(request), _IOC_NR(request), size);
		break;
	}
	if (place >= state.arena && place < state.arena + 2 * state.page)
		memcpy(place, args, (size_t)(state.arena + 2 * state.page - place) < size ?
		       (size_t)(state.arena + 2 * state.page - place) : size);
	ret = ioctl(fd, _IOC(_IOC_DIR(request), _IOC_TYPE(request), _IOC_NR(request), told), place);
	if (!ret && place >= state.arena && place + size <= state.arena + 2 * state.page)
		memcpy(args, place, size);
	return ret;
}

uint64_t address_of(void *array, uint8_t gene)
{
	return gene < 240 ? (uintptr_t)array : gene < 244 ? 0 : number(gene);
}
