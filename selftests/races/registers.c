// SPDX-License-Identifier: MIT
/*
 * A loop: a device that is driven by its registers comes and goes below programs on it, mappings of
 * its registers, and eventfds.  Meanwhile root gives the registers to programs and to processes,
 * and takes them back.  Programs hang, fail and are cancelled, so that the device is in reset most
 * of the time.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "fences.h"
#include "harness.h"
#include "loop.h"
#include "objects.h"
#include "peers.h"
#include "sluice.h"

#define HOLDERS 3
#define SIZE 4096UL
#define EDU_LIVENESS 0x04
#define EDU_RAISE 0x60
#define EDU_ACK 0x64

static struct peers peers;
static atomic_ulong jobs, done, ended, touched, taken, interrupts, rounds;

/* Open the device under any number; the device with the BAR is not bound. */
static int open_device(void)
{
	char node[16];
	int i, fd;

	for (i = 0; i < 4; i++) {
		snprintf(node, sizeof(node), "pci%d", i);
		fd = sluice_open(node);
		if (fd >= 0)
			return fd;
	}
	return -1;
}

static void touch(volatile void *registers)
{
	atomic_fetch_add(sigbus_at(registers) ? &taken : &touched, 1);
}

/* Make a program that ends, fails, or hangs, on registers that do no DMA. */
static unsigned int make_program(unsigned int *seed, struct sluice_command commands[8])
{
	unsigned int kind = rand_r(seed) % 8, count = 0;

	sluice_command_dst(&commands[count++], 0, 4, EDU_LIVENESS, rand_r(seed) % SIZE, 0);
	commands[0].part = SLUICE_ADDRESS_LOW;
	if (kind == 1)
		sluice_command_poll(&commands[count++], 0, 4, 0, ~0U, 0, rand_r(seed) % 20000);
	sluice_command_write(&commands[count++], 0, 4, EDU_RAISE, 1);
	if (kind > 1 || rand_r(seed) & 1)
		sluice_command_interrupt(&commands[count++], 0);
	if (kind == 0)
		sluice_command_interrupt(&commands[count++], 0);
	if (kind & 1)
		sluice_command_write(&commands[count++], 0, 4, EDU_ACK, 1);
	return count;
}

static void use_queue_of(unsigned int *seed, int device, int buffer)
{
	struct sluice_create_queue args = { .timeout_ms = 20 + rand_r(seed) % 300, .fd = -1 };
	struct sluice_command commands[8];
	int fences[4] = { -1, -1, -1, -1 };
	unsigned int i, number = 1 + rand_r(seed) % 4;
	struct sluice_op op;
	int slot, ret;

	/* long enough that a hanging program still runs when the device is removed */
	if (rand_r(seed) % 3 == 0)
		args.timeout_ms = 20000;
	if (count(ioctl(device, SLUICE_IOCTL_CREATE_QUEUE, &args) ? -errno : 0))
		return;
	slot = count(sluice_attach(args.fd, buffer, 0));
	for (i = 0; slot >= 0 && i < number; i++) {
		sluice_op_program(&op, commands, make_program(seed, commands));
		sluice_program_dst(&op, slot, 0, SIZE);
		if (!count(sluice_submit(args.fd, &op, 1, -1, &fences[i], 0, NULL)))
			jobs++;
	}
	if (rand_r(seed) % 4 == 0)
		count(sluice_cancel(args.fd, 1, 1 + rand_r(seed) % 4));
	if (rand_r(seed) % 4 == 0)
		close(args.fd), args.fd = -1;
	for (i = 0; i < number; i++) {
		if (fences[i] < 0)
			continue;
		ret = rand_r(seed) % 4 ? sluice_fence_wait(fences[i], 60000) : 0;
		done += !ret;
		ended += ret == -ENODEV;
		/* no fence may stay pending for ever */
		if (ret == -ETIME && sluice_fence_wait(fences[i], 0) == -ETIME &&
		    !signalled(fences[i])) {
			fprintf(stderr, "a fence does not signal\n");
			abort();
		}
		close(fences[i]);
	}
	if (args.fd >= 0)
		close(args.fd);
}

static void *hold(void *argument)
{
	unsigned int seed = *(unsigned int *)argument;

	while (!over) {
		int device = open_device(), counter = count(sluice_eventfd(device, 0));
		int buffer = count(sluice_alloc(device, 0, SIZE, 0)), i;
		volatile void *registers = NULL;
		uint64_t counted;
		bool maps = rand_r(&seed) % 4, mapped = false;

		for (i = 0; buffer >= 0 && i < 6 && !over; i++) {
			/* until root has allowed all registers */
			if (maps && !mapped)
				mapped = !count(sluice_map_registers(device, 0, 0, SIZE,
								     &registers));
			use_queue_of(&seed, device, buffer);
			if (mapped)
				touch(registers);
			if (counter >= 0 && read(counter, &counted, sizeof(counted)) > 0)
				interrupts += counted;
		}
		/* the order of the releases is random */
		if (device >= 0 && rand_r(&seed) & 1) {
			close(device);
			device = -1;
		}
		if (mapped) {
			touch(registers);
			munmap((void *)registers, SIZE);
		}
		if (device >= 0)
			close(device);
		if (counter >= 0)
			close(counter);
		if (buffer >= 0)
			close(buffer);
		pause_up_to(&seed, 10000);
	}
	return NULL;
}

static void *give_and_take(void *argument)
{
	static const char * const ranges[] = {
		"0:0+0x1000", "mmap 0:0+0x1000", "0:0+0x1000", "0:0+0x10 0:0x60+0x8", "0:0+0x8",
		"mmap 0:0+0x1000", "mmap 0:0+8", "\n",
	};
	unsigned int seed = *(unsigned int *)argument;

	while (!over) {
		pci_attribute(peers.edu, "registers", ranges[rand_r(&seed) % 8]);
		if (rand_r(&seed) % 4 == 0)
			pci_attribute(peers.edu, "reset", "1");
		pause_up_to(&seed, 200000);
	}
	return NULL;
}

FIXTURE(registers) {
	struct objects before;
};

FIXTURE_SETUP(registers)
{
	self->before = objects_before();
	if (!peers_find(&peers))
		SKIP(return, "this machine has no edu below a PCIe bridge");
	close(peers_open_program(&peers));
}

FIXTURE_TEARDOWN(registers)
{
	peers_leave(&peers);
	EXPECT_TRUE(objects_settle(&self->before));
}

TEST_F_TIMEOUT(registers, device_goes_while_it_runs_and_is_reset, RACES_TIMEOUT)
{
	unsigned int seed = setting("RACES_SEED", 1), seeds[HOLDERS + 1], i;
	pthread_t threads[HOLDERS + 1];

	loop_begin();
	loop_add_goal("rounds", &rounds, setting("RACES_SECONDS", 20) / 40 + 1);
	loop_add_goal("jobs that succeed", &done, 1);
	loop_add_goal("jobs that are ended", &ended, 1);
	loop_add_goal("interrupts", &interrupts, 1);
	loop_add_goal("SIGBUS", &taken, 1);
	for (i = 0; i <= HOLDERS; i++) {
		seeds[i] = seed * 100 + i;
		ASSERT_EQ(pthread_create(&threads[i], NULL, i < HOLDERS ? hold : give_and_take,
					 &seeds[i]), 0);
	}
	while (loop_goes_on()) {
		unsigned long wanted = jobs + 1 + rand_r(&seed) % 8;

		for (i = 0; i < 500 && jobs < wanted; i++)
			usleep(2000);
		pause_up_to(&seed, 300000);
		EXPECT_EQ(pci_unbind(peers.edu), 0);
		close(peers_open_program(&peers));
		rounds++;
	}
	over = true;
	for (i = 0; i <= HOLDERS; i++)
		pthread_join(threads[i], NULL);
	printf("# %lu rounds, %lu calls; %lu jobs, %lu of them seen to succeed, %lu to be ended\n",
	       atomic_load(&rounds), atomic_load(&calls), atomic_load(&jobs), atomic_load(&done),
	       atomic_load(&ended));
	printf("# %lu interrupts counted; touched %lu, SIGBUS %lu\n", atomic_load(&interrupts),
	       atomic_load(&touched), atomic_load(&taken));
	EXPECT_TRUE(loop_reached_goals());
}

TEST_HARNESS_MAIN
