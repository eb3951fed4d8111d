// SPDX-License-Identifier: MIT
/*
 * registers DEVICE FILE: drive QEMU's edu by programs, which access its registers.  A GPU
 * takes the result.  This program does not wait in between.
 *
 * DEVICE is an edu that is bound to the driver for any PCI device (driver_override sluice-pci).
 * Root must have allowed its DMA registers:
 *
 *	echo "0:0x64+0x4 0:0x80+0x20" >/sys/bus/pci/devices/ADDRESS/registers
 *
 * edu has a buffer of 4 KiB.  A transfer moves 4092 bytes to this buffer or from it, in 100 ms
 * (docs/specs/edu of QEMU).  Each op of the job is therefore two transfers.  A transfer has six
 * commands: four writes, a wait for the interrupt, and a write that acknowledges the interrupt.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "picture.h"
#include "sluice.h"

#define WIDTH 64
#define HEIGHT 48
#define SIZE (WIDTH * HEIGHT * 4UL)
#define PIECE 4092UL
#define PIECES ((SIZE + PIECE - 1) / PIECE)
#define COMMANDS 12

enum {
	EDU_ACK = 0x64,
	EDU_SRC = 0x80,
	EDU_DST = 0x88,
	EDU_COUNT = 0x90,
	EDU_COMMAND = 0x98,
	EDU_BUFFER = 0x40000,
	EDU_RUN = 1,
	EDU_TO_RAM = 2,
	EDU_IRQ = 4,
	EDU_IRQ_DMA = 0x100,
};

/* Commands that start a transfer and wait for its end; source and target are already written. */
static struct sluice_command *transfer(struct sluice_command *next, uint64_t length, int flags)
{
	sluice_command_write(next++, 0, 8, EDU_COUNT, length);
	sluice_command_write(next++, 0, 8, EDU_COMMAND, EDU_RUN | EDU_IRQ | flags);
	sluice_command_interrupt(next++, 0);
	sluice_command_write(next++, 0, 4, EDU_ACK, EDU_IRQ_DMA);
	return next;
}

/* An op that copies a piece: from memory to the device, then from the device to memory. */
static void copy_piece(struct sluice_op *op, struct sluice_command *commands, int to, int from,
		       uint64_t offset)
{
	uint64_t length = SIZE - offset < PIECE ? SIZE - offset : PIECE;
	struct sluice_command *next = commands;

	sluice_command_src(next++, 0, 8, EDU_SRC, 0, 0);
	sluice_command_write(next++, 0, 8, EDU_DST, EDU_BUFFER);
	next = transfer(next, length, 0);
	sluice_command_write(next++, 0, 8, EDU_SRC, EDU_BUFFER);
	sluice_command_dst(next++, 0, 8, EDU_DST, 0, 0);
	next = transfer(next, length, EDU_TO_RAM);
	sluice_op_program(op, commands, next - commands);
	sluice_program_src(op, from, offset, length);
	sluice_program_dst(op, to, offset, length);
}

/* Draw squares, which have edges. */
static int draw(int dmabuf)
{
	uint32_t *pixels, x, y;
	void *memory;
	int ret = sluice_map(dmabuf, SIZE, &memory);

	if (ret)
		return ret;
	ret = sluice_cpu_begin(dmabuf, true);
	pixels = memory;
	for (y = 0; y < HEIGHT; y++)
		for (x = 0; x < WIDTH; x++)
			pixels[y * WIDTH + x] = ((x / 8 + y / 8) % 2 ? 0xc08020 : 0x103060) + x;
	if (!ret)
		ret = sluice_cpu_end(dmabuf, true);
	munmap(memory, SIZE);
	return ret;
}

int main(int argc, char **argv)
{
	struct sluice_command commands[PIECES][COMMANDS];
	struct sluice_op ops[PIECES];
	/* edu is slow, and slower on a busy machine: use the longest timeout */
	struct sluice_create_queue queue = { .timeout_ms = SLUICE_MAX_TIMEOUT_MS };
	int device, heap, src, dst, from, to, fence, ret;
	struct picture *picture;
	unsigned int i;

	if (argc != 3) {
		fputs("usage: registers DEVICE FILE\n", stderr);
		return 2;
	}
	device = sluice_open(argv[1]);
	/* a transfer has one address, so the memory must be one segment */
	heap = sluice_find_heap(device, "contiguous");
	src = sluice_alloc(device, heap, SIZE, 0);
	dst = sluice_alloc(device, heap, SIZE, 0);
	queue.fd = -1;
	ioctl(device, SLUICE_IOCTL_CREATE_QUEUE, &queue);
	from = sluice_attach(queue.fd, src, SLUICE_ATTACH_READ);
	to = sluice_attach(queue.fd, dst, SLUICE_ATTACH_WRITE);
	if (from < 0 || to < 0 || draw(src)) {
		fprintf(stderr, "cannot use %s: is it there, and may you open it?\n", argv[1]);
		return 1;
	}
	picture = picture_prepare(device, dst, WIDTH, HEIGHT);
	if (!picture)
		return 1;
	for (i = 0; i < PIECES; i++)
		copy_piece(&ops[i], commands[i], to, from, i * PIECE);
	ret = sluice_submit(queue.fd, ops, PIECES, -1, &fence, 0, NULL);
	if (ret) {
		fprintf(stderr, "cannot submit: %s%s\n", strerror(-ret),
			ret == -EACCES ? " (root has to allow the registers)" :
			ret == -EPERM ? " (the kernel is locked down)" : "");
		return 1;
	}
	printf("job         %u ops of %u commands, %lu bytes by the device's DMA, twice\n",
	       (unsigned int)PIECES, COMMANDS, SIZE);
	ret = picture_compute(picture, fence, argv[2]);
	picture_end(picture);
	return ret ? 1 : 0;
}
