// SPDX-License-Identifier: MIT
/*
 * A loop: a device with memory in a BAR comes and goes below the users of the memory: jobs and
 * slots of another device, mappings, other processes.  Now and then the other device is removed,
 * too.  After an unbind, nothing in the BAR may change.  The loop checks this through a mapping of
 * sysfs, which is no buffer.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "harness.h"
#include "loop.h"
#include "objects.h"
#include "peers.h"
#include "sluice.h"

#define HOLDERS 3
#define LOOKED_AT (512UL << 10)	/* of the BAR: buffers are allocated from its start on */
#define LARGEST (64UL << 10)

static struct peers peers;
static atomic_ulong jobs, ended, touched, taken, rounds;

/* Open the device under any number. */
static int open_any(const char *name)
{
	char node[16];
	int i, fd;

	for (i = 0; i < 4; i++) {
		struct sluice_info info;

		snprintf(node, sizeof(node), "%s%d", name, i);
		fd = sluice_open(node);
		/* the edu on the first bus reaches less, and is not used here */
		if (fd >= 0 && !sluice_device_info(fd, &info) && info.dma_bits == 64)
			return fd;
		if (fd >= 0)
			close(fd);
	}
	return -1;
}

static void touch(volatile char *memory, size_t size)
{
	atomic_fetch_add(sigbus_at(memory) || sigbus_at(memory + size - 1) ? &taken : &touched, 1);
}

/* Start a process that has the mapping and no fd; SIGBUS or this test ends it. */
static pid_t child_of(char *memory, size_t size)
{
	pid_t child = fork();
	size_t i;

	if (child)
		return child;
	signal(SIGBUS, SIG_DFL);
	for (i = 0;; i = (i + 4096) % size)
		((volatile char *)memory)[i]++;
}

static void use_buffer(unsigned int *seed, int queue, int buffer, size_t size)
{
	int slot = count(sluice_attach(queue, buffer,
				       rand_r(seed) % 3 ? 0 : SLUICE_ATTACH_EXPLICIT));
	unsigned int i, number = rand_r(seed) % 4;
	int fences[4] = { -1, -1, -1, -1 };
	bool mapped = rand_r(seed) % 4;
	void *memory = NULL;
	pid_t child = -1;
	struct sluice_op op;

	if (mapped)
		mapped = !count(sluice_map(buffer, size, &memory));
	for (i = 0; slot >= 0 && i < number; i++) {
		sluice_op_fill(&op, slot, 0, 4096 * (1 + rand_r(seed) % (size / 4096)), *seed);
		if (!count(sluice_submit(queue, &op, 1, -1, &fences[i], 0, NULL)))
			jobs++;
	}
	if (mapped && rand_r(seed) % 4 == 0)
		child = child_of(memory, size);
	if (mapped)
		touch(memory, size);
	if (rand_r(seed) % 2 && !count(sluice_cpu_begin(buffer, rand_r(seed) & 1)))
		count(sluice_cpu_end(buffer, true));
	/* the order of the releases, and the time between them, are random */
	if (slot >= 0 && rand_r(seed) % 4 == 0)
		count(sluice_detach(queue, slot));
	pause_up_to(seed, 300000);
	for (i = 0; i < 4; i++) {
		if (fences[i] < 0)
			continue;
		if (rand_r(seed) % 2 && sluice_fence_wait(fences[i], 2000) == -ENODEV)
			ended++;
		close(fences[i]);
	}
	if (mapped) {
		touch(memory, size);
		munmap(memory, size);
	}
	if (child > 0) {
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
	}
}

/* A queue with this number of slots takes long to close, while the memory is taken back. */
static void attach_often(int queue)
{
	int bar = open_any("pci"), i;
	int buffer = count(sluice_alloc(bar, sluice_find_heap(bar, "bar2"), 4096, 0));

	for (i = 0; buffer >= 0 && i < 100; i++)
		if (count(sluice_attach(queue, buffer, i & 1 ? SLUICE_ATTACH_EXPLICIT : 0)) < 0)
			break;
	if (buffer >= 0)
		close(buffer);
	if (bar >= 0)
		close(bar);
}

static void *hold(void *argument)
{
	unsigned int seed = *(unsigned int *)argument;

	while (!over) {
		size_t size = 4096 * (1 + rand_r(&seed) % (LARGEST / 4096));
		int edu = open_any("edu"), queue = count(sluice_queue_create(edu, 0));
		int buffer, bar, i;

		for (i = 0; queue >= 0 && i < 8 && !over; i++) {
			bar = open_any("pci");
			buffer = count(sluice_alloc(bar, sluice_find_heap(bar, "bar2"), size, 0));
			if (rand_r(&seed) & 1 && bar >= 0) {
				close(bar);
				bar = -1;
			}
			if (buffer >= 0) {
				use_buffer(&seed, queue, buffer, size);
				close(buffer);
			} else {
				usleep(10000);
			}
			if (bar >= 0)
				close(bar);
		}
		if (queue >= 0 && rand_r(&seed) & 1)
			attach_often(queue);
		if (queue >= 0)
			close(queue);
		if (edu >= 0)
			close(edu);
		pause_up_to(&seed, 10000);
	}
	return NULL;
}

static void *trouble_edu(void *argument)
{
	unsigned int seed = *(unsigned int *)argument;

	while (!over) {
		pause_up_to(&seed, 5000000);
		pci_unbind(peers.edu);
		close(peers_open_edu(&peers));
	}
	return NULL;
}

static uint64_t sum(const volatile uint64_t *words, size_t size)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < size / 8; i++)
		sum = sum * 3 + words[i];
	return sum;
}

/* Does anything in the BAR change, in the time that edu needs for three transfers? */
static int changes(void)
{
	char path[128];
	uint64_t first;
	void *memory;
	int fd, ret;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource2_wc", peers.bar);
	fd = open(path, O_RDWR | O_CLOEXEC);
	memory = mmap(NULL, LOOKED_AT, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (memory == MAP_FAILED)
		return -errno;
	first = sum(memory, LOOKED_AT);
	usleep(300000);
	ret = sum(memory, LOOKED_AT) != first;
	munmap(memory, LOOKED_AT);
	return ret;
}

FIXTURE(revoke) {
	struct objects before;
};

FIXTURE_SETUP(revoke)
{
	self->before = objects_before();
	if (!peers_find(&peers))
		SKIP(return, "this machine has no ivshmem and edu below a PCIe bridge");
	close(peers_open_edu(&peers));
	close(peers_open_bar(&peers));
}

FIXTURE_TEARDOWN(revoke)
{
	peers_leave(&peers);
	EXPECT_TRUE(objects_settle(&self->before));
}

TEST_F_TIMEOUT(revoke, nothing_changes_in_a_BAR_whose_device_has_gone, RACES_TIMEOUT)
{
	unsigned int seed = setting("RACES_SEED", 1), seeds[HOLDERS + 1], i;
	pthread_t threads[HOLDERS + 1];

	loop_begin();
	loop_add_goal("rounds", &rounds, setting("RACES_SECONDS", 20) / 40 + 1);
	loop_add_goal("jobs", &jobs, 1);
	loop_add_goal("jobs that are ended", &ended, 1);
	loop_add_goal("SIGBUS", &taken, 1);
	for (i = 0; i <= HOLDERS; i++) {
		seeds[i] = seed * 100 + i;
		ASSERT_EQ(pthread_create(&threads[i], NULL, i < HOLDERS ? hold : trouble_edu,
					 &seeds[i]), 0);
	}
	while (loop_goes_on()) {
		unsigned long wanted = jobs + 1 + rand_r(&seed) % 4;

		for (i = 0; i < 500 && jobs < wanted; i++)
			usleep(2000);
		pause_up_to(&seed, 50000);
		EXPECT_EQ(pci_unbind(peers.bar), 0);
		if (rounds++ % 2 == 0)
			EXPECT_EQ(changes(), 0);
		close(peers_open_bar(&peers));
	}
	over = true;
	for (i = 0; i <= HOLDERS; i++)
		pthread_join(threads[i], NULL);
	printf("# %lu rounds, %lu calls, %lu of them without memory any more\n",
	       atomic_load(&rounds), atomic_load(&calls), atomic_load(&cut));
	printf("# %lu jobs, %lu of them seen to be ended; touched %lu, SIGBUS %lu\n",
	       atomic_load(&jobs), atomic_load(&ended), atomic_load(&touched),
	       atomic_load(&taken));
	EXPECT_TRUE(loop_reached_goals());
}

TEST_HARNESS_MAIN
