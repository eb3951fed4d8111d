// SPDX-License-Identifier: MIT
/*
 * Programs: QEMU's edu, driven by lists of register accesses with the driver for any PCI device.
 *
 * Registers of edu: docs/specs/edu of QEMU.  In 100 ms, edu moves up to 4092 bytes between memory
 * and a buffer of its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fences.h"
#include "harness.h"
#include "jobs.h"
#include "machine.h"
#include "objects.h"
#include "pages.h"
#include "pattern.h"
#include "peers.h"
#include "sluice.h"

#define SIZE 8192UL
#define PIECE 4092UL
#define EDU_ID 0x00
#define EDU_ID_VALUE 0x10000ed
#define EDU_LIVENESS 0x04
#define EDU_ACK 0x64
#define EDU_COMMAND 0x98
#define EDU_BUFFER 0x40000
#define EDU_RUN 1
#define EDU_TO_RAM 2
#define EDU_IRQ 4
#define EDU_IRQ_DMA 0x100
/* the registers that the tests need */
#define RANGES "0:0x0+0x8, 0:0x60+0x8, 0:0x80+0x20"
#define WHOLE "0:0+0x100000"
#define MAPPED(ranges) "mmap " ranges
#define REGISTERS "registers"
/* transfers are slow on a busy machine; hangs should end soon */
#define PATIENT_MS 20000
#define HANG_MS 500
/* seconds for a test: debug kernels are slow when they search for PCI devices */
#define SECONDS 120

FIXTURE(program) {
	struct objects before;
	struct peers peers;
	struct sluice_command commands[16];
	unsigned int count;
	int device, queue, src, dst, from, to;
};

static int create_queue(int device, unsigned int timeout_ms)
{
	struct sluice_create_queue args = { .timeout_ms = timeout_ms };

	return xioctl(device, SLUICE_IOCTL_CREATE_QUEUE, &args) ?: args.fd;
}

FIXTURE_SETUP(program)
{
	int heap;

	self->before = objects_before();
	self->count = 0;
	self->device = self->queue = self->src = self->dst = -1;
	if (!peers_find(&self->peers))
		SKIP(return, "this machine has no edu below a PCIe bridge");
	self->device = peers_open_program(&self->peers);
	ASSERT_GE(self->device, 0);
	self->queue = create_queue(self->device, PATIENT_MS);
	ASSERT_GE(self->queue, 0);
	heap = sluice_find_heap(self->device, "contiguous");
	self->src = sluice_alloc(self->device, heap, SIZE, 0);
	self->dst = sluice_alloc(self->device, heap, SIZE, 0);
	self->from = sluice_attach(self->queue, self->src, SLUICE_ATTACH_READ);
	self->to = sluice_attach(self->queue, self->dst, SLUICE_ATTACH_WRITE);
	ASSERT_GE(self->from, 0);
	ASSERT_GE(self->to, 0);
	ASSERT_EQ(fill_words(self->src, SIZE, 7), 0);
}

FIXTURE_TEARDOWN(program)
{
	close(self->src);
	close(self->dst);
	close(self->queue);
	close(self->device);
	peers_leave(&self->peers);
	EXPECT_TRUE(objects_settle(&self->before));
}

static int allow(const FIXTURE_DATA(program) *self, const char *ranges)
{
	return pci_attribute(self->peers.edu, REGISTERS, ranges);
}

static struct sluice_command *next_command(FIXTURE_DATA(program) *self)
{
	return &self->commands[self->count++];
}

/* Add the commands of a transfer from or to byte @place of the op's range, up to its interrupt. */
static void add_transfer(FIXTURE_DATA(program) *self, bool to_ram, uint64_t place, uint64_t length)
{
	if (to_ram) {
		sluice_command_write(next_command(self), 0, 8, 0x80, EDU_BUFFER);
		sluice_command_dst(next_command(self), 0, 8, 0x88, place, length);
	} else {
		sluice_command_src(next_command(self), 0, 8, 0x80, place, length);
		sluice_command_write(next_command(self), 0, 8, 0x88, EDU_BUFFER);
	}
	sluice_command_write(next_command(self), 0, 8, 0x90, length);
	sluice_command_write(next_command(self), 0, 8, EDU_COMMAND,
			     EDU_RUN | EDU_IRQ | (to_ram ? EDU_TO_RAM : 0));
	sluice_command_interrupt(next_command(self), 0);
	sluice_command_write(next_command(self), 0, 4, EDU_ACK, EDU_IRQ_DMA);
}

/* Prepare the copy of a piece, from and to the beginning of the op's ranges. */
static void prepare_copy(FIXTURE_DATA(program) *self, struct sluice_op *op, uint64_t offset)
{
	self->count = 0;
	add_transfer(self, false, 0, PIECE);
	add_transfer(self, true, 0, PIECE);
	sluice_op_program(op, self->commands, self->count);
	sluice_program_src(op, self->from, offset, PIECE);
	sluice_program_dst(op, self->to, offset, PIECE);
}

/* Prepare an op without memory, of the commands so far. */
static void prepare_bare(FIXTURE_DATA(program) *self, struct sluice_op *op)
{
	sluice_op_program(op, self->commands, self->count);
}

static int submit(FIXTURE_DATA(program) *self, const struct sluice_op *op)
{
	return sluice_submit(self->queue, op, 1, -1, NULL, 0, NULL);
}

/* Run an op to its end.  Returns the error of the job. */
static int run(FIXTURE_DATA(program) *self, const struct sluice_op *op)
{
	return run_op(self->queue, op);
}

#define TRANSFERS 6	/* of an op */
#define PART 6		/* commands of a transfer */

/*
 * Submit a job that copies for four seconds unless it is aborted: all transfers except the last go
 * to the device.  The job has begun when this returns, because its first op is short, and its ops
 * are few.
 */
static int submit_long(FIXTURE_DATA(program) *self)
{
	struct sluice_command again[TRANSFERS * PART];
	struct sluice_op ops[8];
	int i;

	self->count = 0;
	add_transfer(self, false, 0, PIECE);
	add_transfer(self, true, 0, PIECE);
	for (i = 0; i < TRANSFERS * PART; i++)
		again[i] = self->commands[i % PART];
	for (i = 0; i < 8; i++) {
		if (i == 0 || i == 7)
			sluice_op_program(&ops[i], &self->commands[i ? PART : 0], PART);
		else
			sluice_op_program(&ops[i], again, TRANSFERS * PART);
		sluice_program_src(&ops[i], self->from, 0, PIECE);
		sluice_program_dst(&ops[i], self->to, 0, PIECE);
	}
	i = sluice_submit(self->queue, ops, 8, -1, NULL, 0, NULL);
	return i ? i : wait_running(self->device, 0) ? 0 : -ETIME;
}

/* Run on each CPU, so that it takes its pending interrupts. */
static void visit_processors(void)
{
	cpu_set_t all, one;
	int i;

	sched_getaffinity(0, sizeof(all), &all);
	for (i = 0; i < CPU_SETSIZE; i++) {
		if (!CPU_ISSET(i, &all))
			continue;
		CPU_ZERO(&one);
		CPU_SET(i, &one);
		sched_setaffinity(0, sizeof(one), &one);
	}
	sched_setaffinity(0, sizeof(all), &all);
}

/*
 * QEMU's edu does not stop at a reset, and ignores writes until its transfer ends.  Returns 0 when
 * it has ended and nothing of it is left.
 */
static int let_it_end(FIXTURE_DATA(program) *self)
{
	struct sluice_op op;
	int ret, tries = 0;

	self->count = 0;
	sluice_command_poll(next_command(self), 0, 4, EDU_COMMAND, EDU_RUN, 0, SLUICE_MAX_POLL_US);
	prepare_bare(self, &op);
	do {
		ret = run(self, &op);
	} while (ret == -EIO && ++tries < 10);
	visit_processors();
	return ret;
}

static bool bus_master(const FIXTURE_DATA(program) *self)
{
	uint16_t command = 0;
	char path[96];
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", self->peers.edu);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (pread(fd, &command, sizeof(command), 4) != sizeof(command))
		command = 0;
	close(fd);
	return command & 4;
}

TEST_F_TIMEOUT(program, copies_by_the_devices_own_dma, SECONDS)
{
	struct sluice_completion completion;
	struct sluice_info info;
	struct sluice_op op;

	ASSERT_EQ(sluice_device_info(self->device, &info), 0);
	EXPECT_EQ(info.op_kinds, 1ULL << SLUICE_OP_PROGRAM);
	EXPECT_EQ(info.num_interrupts, 1);
	ASSERT_EQ(allow(self, RANGES), 0);
	prepare_copy(self, &op, 0);
	ASSERT_EQ(submit(self, &op), 0);
	prepare_copy(self, &op, PIECE);
	ASSERT_EQ(submit(self, &op), 0);
	ASSERT_EQ(sluice_read(self->queue, &completion, 1), 1);
	EXPECT_EQ(completion.status, 0);
	EXPECT_EQ(completion.bytes, PIECE);
	ASSERT_EQ(sluice_wait(self->queue, 2, LATE_MS), 0);
	EXPECT_EQ(check_words(self->dst, 2 * PIECE, 7), 0);
	/* bytes that the program does not use keep their values */
	EXPECT_EQ(check_words(self->dst, SIZE, 7), -EILSEQ);
}

TEST_F_TIMEOUT(program, starts_after_its_in_fence_and_its_fence_is_on_the_buffer, SECONDS)
{
	int soft = sluice_open("soft0"), soft_queue = patient_queue(soft, 0);
	int slot = sluice_attach(soft_queue, self->src, 0), fence, shared;
	struct sluice_op op;
	struct gate gate;

	ASSERT_GE(slot, 0);
	ASSERT_EQ(allow(self, RANGES), 0);
	ASSERT_EQ(gate_shut(&gate, 0), 0);
	sluice_op_fill(&op, slot, 0, SIZE, 0x11111111);
	ASSERT_EQ(sluice_submit(soft_queue, &op, 1, -1, &fence, 0, NULL), 0);
	prepare_copy(self, &op, 0);
	ASSERT_EQ(sluice_submit(self->queue, &op, 1, fence, NULL, 0, NULL), 0);
	shared = sluice_fence_export(self->dst, false);
	ASSERT_GE(shared, 0);
	/* longer than the transfer would take */
	EXPECT_EQ(sluice_fence_wait(shared, 500), -ETIME);
	ASSERT_EQ(gate_open(&gate), 0);
	EXPECT_EQ(sluice_fence_wait(shared, LATE_MS), 0);
	EXPECT_TRUE(signalled(fence));
	EXPECT_EQ(sluice_wait(self->queue, 1, 0), 0);
	EXPECT_EQ(check_value(self->dst, PIECE, 0x11111111), 0);
	close(shared);
	close(fence);
	close(soft_queue);
	close(soft);
}

TEST_F_TIMEOUT(program, without_ranges_nothing_is_allowed, SECONDS)
{
	volatile void *registers;
	struct sluice_op op;

	EXPECT_FALSE(bus_master(self));
	prepare_copy(self, &op, 0);
	EXPECT_EQ(submit(self, &op), -EACCES);
	EXPECT_EQ(sluice_map_registers(self->device, 0, 0, 4096, &registers), -EACCES);
	ASSERT_EQ(allow(self, "0:0x80+0x20"), 0);
	EXPECT_TRUE(bus_master(self));
	EXPECT_EQ(submit(self, &op), -EACCES);	/* the acknowledge register is not allowed */
	ASSERT_EQ(allow(self, RANGES), 0);
	EXPECT_EQ(run(self, &op), 0);
	ASSERT_EQ(allow(self, "\n"), 0);
	EXPECT_FALSE(bus_master(self));
	EXPECT_EQ(submit(self, &op), -EACCES);
	EXPECT_EQ(check_words(self->dst, PIECE, 7), 0);
}

TEST_F_TIMEOUT(program, ranges_are_read_back_and_bad_ones_change_nothing, SECONDS)
{
	static const struct {
		const char *text;
		int error;
	} bad[] = {
		{ "0", -EINVAL }, { "0:0", -EINVAL }, { "0:0+", -EINVAL }, { "x", -EINVAL },
		{ "0:0+4x", -EINVAL }, { "0:-4+8", -EINVAL }, { "0:0+8;0:8+8", -EINVAL },
		{ "6:0+4", -EINVAL }, { "1:0+4", -EINVAL }, { "0:0+0", -ERANGE },
		{ "0:0x100000+4", -ERANGE }, { "0:0xffffc+8", -ERANGE },
		{ "0:0+0x7fffffffffffffff", -ERANGE }, { "0:0+4, 0:0+0", -ERANGE },
		{ "0:0+1 0:0+1 0:0+1 0:0+1 0:0+1 0:0+1 0:0+1 0:0+1 0:0+1 "
		  "0:0+1 0:0+1 0:0+1 0:0+1 0:0+1 0:0+1 0:0+1 0:0+1", -E2BIG },
	};
	char path[96], text[128] = "";
	unsigned int i;
	int fd;

	ASSERT_EQ(allow(self, RANGES), 0);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		EXPECT_EQ(allow(self, bad[i].text), bad[i].error)
			TH_LOG("text %u", i);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/" REGISTERS, self->peers.edu);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ASSERT_GE(read(fd, text, sizeof(text) - 1), 0);
	close(fd);
	EXPECT_STREQ(text, "0:0x0+0x8\n0:0x60+0x8\n0:0x80+0x20\n");
}

/*
 * Registers are for programs or for processes.  With both, a process could raise the interrupt that
 * a fence waits for.
 */
TEST_F_TIMEOUT(program, no_process_has_registers_while_a_fence_waits, SECONDS)
{
	struct sluice_completion completion;
	volatile uint32_t *registers;
	volatile void *mapped;
	struct sluice_op op;
	int fence;

	ASSERT_EQ(allow(self, WHOLE), 0);
	sluice_command_interrupt(next_command(self), 0);
	prepare_bare(self, &op);
	ASSERT_EQ(sluice_submit(self->queue, &op, 1, -1, &fence, 0, NULL), 0);
	ASSERT_TRUE(wait_running(self->device, 0));
	EXPECT_EQ(sluice_map_registers(self->device, 0, 0, 4096, &mapped), -EACCES);
	ASSERT_EQ(submit(self, &op), 0);
	/* when the registers are given to processes, the waiting program ends */
	ASSERT_EQ(allow(self, MAPPED(WHOLE)), 0);
	EXPECT_EQ(sluice_fence_wait(fence, LATE_MS), -EACCES);
	close(fence);
	ASSERT_EQ(sluice_map_registers(self->device, 0, 0, 4096, &mapped), 0);
	ASSERT_EQ(sluice_read(self->queue, &completion, 1), 1);
	ASSERT_EQ(sluice_read(self->queue, &completion, 1), 1);
	EXPECT_EQ(completion.status, -EACCES);
	EXPECT_EQ(submit(self, &op), -EACCES);
	registers = mapped;
	EXPECT_EQ(registers[EDU_ID / 4], EDU_ID_VALUE);
	/* when the registers are given to programs, an existing mapping shows nothing */
	ASSERT_EQ(allow(self, RANGES), 0);
	EXPECT_TRUE(sigbus_at(registers));
	prepare_copy(self, &op, 0);
	EXPECT_EQ(run(self, &op), 0);
	EXPECT_TRUE(sigbus_at(registers));
	munmap((void *)mapped, 4096);
}

TEST_F_TIMEOUT(program, a_heap_has_no_registers, SECONDS)
{
	int bar = peers_open_bar(&self->peers);
	volatile void *registers;

	ASSERT_GE(bar, 0);
	EXPECT_EQ(pci_attribute(self->peers.bar, REGISTERS, "2:0+4"), -EBUSY);
	EXPECT_EQ(sluice_map_registers(bar, 2, 0, 4096, &registers), -EINVAL);
	close(bar);
}

TEST_F_TIMEOUT(program, malformed_commands_are_refused, SECONDS)
{
	static const struct {
		struct sluice_command command;
		int error;
	} bad[] = {
		{ { .kind = 0, .width = 4 }, -EINVAL },
		{ { .kind = 6, .width = 4 }, -EINVAL },
		{ { .kind = SLUICE_COMMAND_WRITE, .width = 0 }, -EINVAL },
		{ { .kind = SLUICE_COMMAND_WRITE, .width = 3 }, -EINVAL },
		{ { .kind = SLUICE_COMMAND_WRITE, .width = 16 }, -EINVAL },
		{ { .kind = SLUICE_COMMAND_WRITE, .width = 4, .bar = 6 }, -EINVAL },
		{ { .kind = SLUICE_COMMAND_WRITE, .width = 4, .bar = 1 }, -EACCES },
		{ { .kind = SLUICE_COMMAND_WRITE, .width = 4, .offset = 2 }, -EINVAL },
		{ { .kind = SLUICE_COMMAND_WRITE, .width = 8, .offset = 4 }, -EINVAL },
		{ { .kind = SLUICE_COMMAND_WRITE, .width = 8, .offset = -8ULL }, -EINVAL },
		{ { .kind = SLUICE_COMMAND_WRITE, .width = 4, .value = 1ULL << 32 }, -EINVAL },
		{ { .kind = SLUICE_COMMAND_WRITE, .width = 4, .mask = 1 }, -EINVAL },
		{ { .kind = SLUICE_COMMAND_WRITE, .width = 4, .length = 1 }, -EINVAL },
		{ { .kind = SLUICE_COMMAND_WRITE, .width = 8, .offset = 8 }, -EACCES },
		{ { .kind = SLUICE_COMMAND_WRITE, .width = 4, .offset = 1ULL << 40 }, -EACCES },
		{ { .kind = SLUICE_COMMAND_WRITE_DST, .width = 8, .part = 3 }, -EINVAL },
		{ { .kind = SLUICE_COMMAND_WRITE_DST, .width = 8, .part = 1 }, -EINVAL },
		{ { .kind = SLUICE_COMMAND_WRITE_DST, .width = 2 }, -EINVAL },
		{ { .kind = SLUICE_COMMAND_WRITE_DST, .width = 8, .value = PIECE }, -ERANGE },
		{ { .kind = SLUICE_COMMAND_WRITE_DST, .width = 8, .length = PIECE + 1 }, -ERANGE },
		{ { .kind = SLUICE_COMMAND_WRITE_DST, .width = 8, .value = 1, .length = PIECE },
		  -ERANGE },
		{ { .kind = SLUICE_COMMAND_WRITE_DST, .width = 8, .value = -1ULL, .length = 2 },
		  -ERANGE },
		{ { .kind = SLUICE_COMMAND_WRITE_SRC, .width = 8, .length = -1ULL }, -ERANGE },
		{ { .kind = SLUICE_COMMAND_POLL, .width = 4, .mask = 1ULL << 32 }, -EINVAL },
		{ { .kind = SLUICE_COMMAND_POLL, .width = 4, .mask = 1, .value = 2 }, -EINVAL },
		{ { .kind = SLUICE_COMMAND_POLL, .width = 4,
		    .timeout_us = SLUICE_MAX_POLL_US + 1 }, -EINVAL },
		{ { .kind = SLUICE_COMMAND_INTERRUPT, .value = 1 }, -EINVAL },
		{ { .kind = SLUICE_COMMAND_INTERRUPT, .value = 1ULL << 32 }, -EINVAL },
		{ { .kind = SLUICE_COMMAND_INTERRUPT, .width = 4 }, -EINVAL },
		{ { .kind = SLUICE_COMMAND_INTERRUPT, .offset = 4 }, -EINVAL },
		{ { .kind = SLUICE_COMMAND_INTERRUPT, .timeout_us = 4 }, -EINVAL },
	};
	struct sluice_op op;
	unsigned int i;

	ASSERT_EQ(allow(self, RANGES), 0);
	prepare_copy(self, &op, 0);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		self->commands[self->count - 1] = bad[i].command;
		EXPECT_EQ(submit(self, &op), bad[i].error) TH_LOG("command %u", i);
	}
	/* none of the commands in front of it has run */
	EXPECT_EQ(check_value(self->dst, SIZE, 0), 0);
}

TEST_F_TIMEOUT(program, malformed_ops_are_refused, SECONDS)
{
	struct sluice_command many[2] = {};
	struct { struct sluice_command command; uint64_t tail; } longer[2] = {};
	struct sluice_op good, op, ops[2];

	ASSERT_EQ(allow(self, RANGES), 0);
	prepare_copy(self, &good, 0);
#define REFUSED(error, field, with) do { \
	op = good; \
	op.field = with; \
	EXPECT_EQ(submit(self, &op), error); \
} while (0)
	REFUSED(-EINVAL, flags, 4);
	REFUSED(-EINVAL, flags, SLUICE_OP_DST);	/* src is still set */
	REFUSED(-EINVAL, flags, SLUICE_OP_SRC);
	REFUSED(-EINVAL, length, 0);
	REFUSED(-EINVAL, program.src_length, 0);
	REFUSED(-EINVAL, program.command_size, 39);
	REFUSED(-E2BIG, program.command_size, 257);
	REFUSED(-E2BIG, program.command_size, 48);	/* the tails are other commands */
	REFUSED(-EINVAL, program.num_commands, 0);
	REFUSED(-E2BIG, program.num_commands, SLUICE_MAX_COMMANDS + 1);
	REFUSED(-EFAULT, program.commands, 8);
	REFUSED(-ENOENT, dst, 77);
	REFUSED(-EACCES, dst, self->from);
	REFUSED(-EACCES, src, self->to);
	REFUSED(-ERANGE, length, SIZE + 1);
	REFUSED(-ERANGE, dst_offset, SIZE);
	REFUSED(-ERANGE, program.src_length, SIZE + 1);
	REFUSED(-ERANGE, src_offset, -8ULL);
#undef REFUSED
	/* each poll is short enough, but not their sum */
	sluice_command_poll(&many[0], 0, 4, EDU_ID, 0, 0, SLUICE_MAX_POLL_US);
	sluice_command_poll(&many[1], 0, 4, EDU_ID, 0, 0, 1);
	sluice_op_program(&op, many, 2);
	EXPECT_EQ(submit(self, &op), -EINVAL);
	sluice_op_program(&op, many, 1);
	EXPECT_EQ(run(self, &op), 0);
	/* commands of a newer header, with its new fields zero */
	sluice_command_poll(&longer[0].command, 0, 4, EDU_ID, 0, 0, 1);
	longer[1] = longer[0];
	sluice_op_program(&op, &longer[0].command, 2);
	op.program.command_size = sizeof(longer[0]);
	EXPECT_EQ(run(self, &op), 0);
	longer[1].tail = 1;
	EXPECT_EQ(submit(self, &op), -E2BIG);
	/* the limit is for the job */
	ops[0] = ops[1] = good;
	ops[1].program.num_commands = SLUICE_MAX_COMMANDS;
	EXPECT_EQ(sluice_submit(self->queue, ops, 2, -1, NULL, 0, NULL), -E2BIG);
	/* a device that runs no programs */
	sluice_op_program(&op, many, 1);
	close(self->queue);
	close(self->device);
	self->device = sluice_open("soft0");
	self->queue = sluice_queue_create(self->device, 0);
	EXPECT_EQ(submit(self, &op), -EOPNOTSUPP);
}

/*
 * Pages that are not contiguous: an address is valid to the end of its page.  With an IOMMU, the
 * pages are contiguous for the device.
 */
TEST_F_TIMEOUT(program, an_address_is_that_of_one_piece, SECONDS)
{
	int memfd = sealed_memfd(0, 64 * 4096, F_SEAL_SHRINK), buffer, i;
	struct sluice_buffer_info info;
	struct sluice_op op;
	char *pages;

	/* allocated in scattered order, the pages are not contiguous, whichever memory is free */
	pages = mmap(NULL, 64 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0);
	ASSERT_NE(pages, MAP_FAILED);
	for (i = 0; i < 64; i++)
		pages[i * 37 % 64 * 4096] = 1;
	munmap(pages, 64 * 4096);
	ASSERT_EQ(allow(self, RANGES), 0);
	buffer = sluice_wrap(self->device, memfd, 0, 64 * 4096);
	ASSERT_GE(buffer, 0);
	ASSERT_EQ(sluice_buffer_info(self->device, buffer, &info), 0);
	ASSERT_EQ(info.segments > 1, !translated());
	ASSERT_EQ(sluice_detach(self->queue, self->from), 0);
	self->from = sluice_attach(self->queue, buffer, SLUICE_ATTACH_READ);
	self->count = 0;
	sluice_command_src(next_command(self), 0, 8, 0x80, 0, 0);
	prepare_bare(self, &op);
	sluice_program_src(&op, self->from, 0, 64 * 4096);
	if (translated()) {
		EXPECT_EQ(run(self, &op), 0);
	} else {
		EXPECT_EQ(submit(self, &op), -EADDRNOTAVAIL);
	}
	self->commands[0].length = 4096;
	EXPECT_EQ(run(self, &op), 0);
	self->commands[0].value = 4096 - 1;
	self->commands[0].length = 1;
	EXPECT_EQ(run(self, &op), 0);
	close(buffer);
	close(memfd);
}

TEST_F_TIMEOUT(program, polls_and_halves_of_addresses, SECONDS)
{
	struct sluice_op op;

	ASSERT_EQ(allow(self, RANGES), 0);
	/* the liveness register returns the inverse of the value that was written */
	sluice_command_poll(next_command(self), 0, 4, EDU_ID, 0xff00ffff, 0x010000ed, 0);
	sluice_command_write(next_command(self), 0, 4, EDU_LIVENESS, 0x12345678);
	sluice_command_poll(next_command(self), 0, 4, EDU_LIVENESS, ~0U, ~0x12345678U, 1000);
	sluice_command_dst(next_command(self), 0, 4, EDU_LIVENESS, 0, 0);
	self->commands[3].part = SLUICE_ADDRESS_HIGH;
	sluice_command_poll(next_command(self), 0, 4, EDU_LIVENESS, 0xffff0000, 0xffff0000, 1000);
	prepare_bare(self, &op);
	sluice_program_dst(&op, self->to, 0, SIZE);
	EXPECT_EQ(run(self, &op), 0);
	/* a value that does not come: the op fails, its device is reset, other jobs run */
	self->commands[2].value ^= 1;
	EXPECT_EQ(run(self, &op), -EIO);
	prepare_copy(self, &op, 0);
	EXPECT_EQ(run(self, &op), 0);
	EXPECT_EQ(check_words(self->dst, PIECE, 7), 0);
}

TEST_F_TIMEOUT(program, hang_is_ended_by_a_function_reset_and_the_next_runs, SECONDS)
{
	struct sluice_completion completion;
	struct sluice_op hang, op;
	int quick;

	ASSERT_EQ(allow(self, RANGES), 0);
	sluice_command_interrupt(next_command(self), 0);
	prepare_bare(self, &hang);
	quick = create_queue(self->device, HANG_MS);
	ASSERT_GE(quick, 0);
	ASSERT_EQ(sluice_submit(quick, &hang, 1, -1, NULL, 0, NULL), 0);
	ASSERT_EQ(sluice_read(quick, &completion, 1), 1);
	EXPECT_EQ(completion.status, -ETIME);
	close(quick);
	/* the next job waits for the reset */
	prepare_copy(self, &op, 0);
	EXPECT_EQ(run(self, &op), 0);
	EXPECT_TRUE(bus_master(self));
	EXPECT_EQ(check_words(self->dst, PIECE, 7), 0);
}

/* root resets the device through sysfs: the running job fails, and the next job runs. */
TEST_F_TIMEOUT(program, survives_a_reset_by_root, SECONDS)
{
	struct sluice_completion completion;
	struct sluice_op op;

	ASSERT_EQ(allow(self, RANGES), 0);
	sluice_command_interrupt(next_command(self), 0);
	prepare_bare(self, &op);
	ASSERT_EQ(submit(self, &op), 0);
	ASSERT_TRUE(wait_running(self->device, 0));
	ASSERT_EQ(pci_attribute(self->peers.edu, "reset", "1"), 0);
	ASSERT_EQ(sluice_read(self->queue, &completion, 1), 1);
	EXPECT_EQ(completion.status, -EIO);
	prepare_copy(self, &op, 0);
	EXPECT_EQ(run(self, &op), 0);
	EXPECT_EQ(check_words(self->dst, PIECE, 7), 0);
}

/*
 * A thread that reads a register all the time: it must never see the answer of a device in reset.
 */
struct looker {
	volatile uint32_t *registers;
	volatile bool over;
	volatile unsigned long looks;
	unsigned long wrong;
};

static void *look(void *argument)
{
	struct looker *looker = argument;

	while (!looker->over) {
		looker->wrong += looker->registers[EDU_ID / 4] != EDU_ID_VALUE;
		looker->looks++;
	}
	return NULL;
}

TEST_F_TIMEOUT(program, no_cpu_sees_it_in_reset, SECONDS)
{
	struct looker looker = {};
	volatile void *mapped;
	pthread_t thread;
	int i;

	ASSERT_EQ(allow(self, MAPPED(WHOLE)), 0);
	ASSERT_EQ(sluice_map_registers(self->device, 0, 0, 4096, &mapped), 0);
	looker.registers = mapped;
	ASSERT_EQ(pthread_create(&thread, NULL, look, &looker), 0);
	for (i = 0; i < LATE_MS && !looker.looks; i++)
		usleep(1000);
	for (i = 0; i < 5; i++)
		EXPECT_EQ(pci_attribute(self->peers.edu, "reset", "1"), 0);
	looker.over = true;
	pthread_join(thread, NULL);
	EXPECT_GT(looker.looks, 0);
	EXPECT_EQ(looker.wrong, 0);
	munmap((void *)mapped, 4096);
}

TEST_F_TIMEOUT(program, is_cancelled_in_the_middle_of_a_transfer, SECONDS)
{
	struct sluice_completion completion;
	struct sluice_op op;

	ASSERT_EQ(allow(self, RANGES), 0);
	ASSERT_EQ(submit_long(self), 0);
	usleep(20000);
	EXPECT_EQ(sluice_cancel(self->queue, 1, 1), 1);
	ASSERT_EQ(sluice_read(self->queue, &completion, 1), 1);
	EXPECT_EQ(completion.status, -ECANCELED);
	/* the program never reached its last op */
	EXPECT_EQ(check_value(self->dst, SIZE, 0), 0);
	ASSERT_EQ(let_it_end(self), 0);
	prepare_copy(self, &op, 0);
	EXPECT_EQ(run(self, &op), 0);
	EXPECT_EQ(check_words(self->dst, PIECE, 7), 0);
}

TEST_F_TIMEOUT(program, root_takes_registers_back_while_it_runs, SECONDS)
{
	struct sluice_completion completion;

	ASSERT_EQ(allow(self, RANGES), 0);
	ASSERT_EQ(submit_long(self), 0);
	ASSERT_EQ(allow(self, "0:0+4"), 0);
	ASSERT_EQ(sluice_read(self->queue, &completion, 1), 1);
	EXPECT_EQ(completion.status, -EACCES);
	EXPECT_EQ(check_value(self->dst, SIZE, 0), 0);
	ASSERT_EQ(allow(self, RANGES), 0);
	EXPECT_EQ(let_it_end(self), 0);
}

TEST_F_TIMEOUT(program, unbind_ends_the_running_program, SECONDS)
{
	struct sluice_op hang, op;
	int fence;

	ASSERT_EQ(allow(self, RANGES), 0);
	sluice_command_interrupt(next_command(self), 0);
	prepare_bare(self, &hang);
	ASSERT_EQ(sluice_submit(self->queue, &hang, 1, -1, &fence, 0, NULL), 0);
	ASSERT_EQ(pci_unbind(self->peers.edu), 0);
	EXPECT_EQ(sluice_fence_wait(fence, 0), -ENODEV);
	EXPECT_EQ(submit(self, &hang), -ENODEV);
	close(fence);
	/* nothing of the program is left for the next driver */
	close(self->queue);
	close(self->device);
	self->device = peers_open_program(&self->peers);
	ASSERT_GE(self->device, 0);
	EXPECT_FALSE(bus_master(self));
	self->queue = create_queue(self->device, PATIENT_MS);
	self->from = sluice_attach(self->queue, self->src, SLUICE_ATTACH_READ);
	self->to = sluice_attach(self->queue, self->dst, SLUICE_ATTACH_WRITE);
	ASSERT_EQ(allow(self, RANGES), 0);
	prepare_copy(self, &op, 0);
	EXPECT_EQ(run(self, &op), 0);
	EXPECT_EQ(check_words(self->dst, PIECE, 7), 0);
}

TEST_HARNESS_MAIN
