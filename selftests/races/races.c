// SPDX-License-Identifier: MIT
/*
 * Races of processes and threads, in loops with a clock: SIGKILL at random moments, and one queue
 * fd that many threads use.  The loops do not check the results of calls; the kernel's own checks,
 * the counts of objects and kmemleak find errors.  make check-races runs them, with LONG=1 for
 * longer.
 */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "harness.h"
#include "holders.h"
#include "knobs.h"
#include "loop.h"
#include "objects.h"
#include "pages.h"
#include "sluice.h"

#define SIZE RACES_SIZE
#define CHILDREN 6
#define DYING 8		/* most processes that are being killed at a time */

static atomic_ulong kills;

FIXTURE(races) {
};

FIXTURE_SETUP(races)
{
}

FIXTURE_TEARDOWN(races)
{
}

/* Make random calls until killed: the kill may come in the middle of any of them. */
static void live(const char *name, unsigned int seed, int keeper)
{
	for (;;) {
		unsigned int heap = rand_r(&seed) & 1;
		int device = sluice_open(name), queue = sluice_queue_create(device, heap), i;
		int buffer = sluice_alloc(device, heap, SIZE, 0), fence = -1, other;
		struct pollfd polled = { .fd = buffer, .events = POLLIN | POLLOUT };
		struct sluice_completion completion;
		struct sluice_buffer_info info;
		uint32_t *memory = MAP_FAILED;
		struct sluice_op ops[2];
		uint64_t point = 1;

		if (rand_r(&seed) % 3 == 0) {
			int memfd = sealed_memfd(0, SIZE, F_SEAL_SHRINK);
			int wrapped = sluice_wrap(device, memfd, 0, SIZE);

			close(memfd);
			/* edu0 cannot reach these pages, and keeps its buffer */
			if (wrapped >= 0) {
				close(buffer);
				buffer = wrapped;
			}
		}
		sluice_attach(queue, buffer, 0);
		if (sluice_map(buffer, SIZE, (void **)&memory))
			memory = MAP_FAILED;
		for (i = 0; i < 12; i++) {
			switch (rand_r(&seed) % 11) {
			case 0:
				sluice_op_fill(&ops[0], 0, 0, SIZE / 2, i);
				sluice_op_copy(&ops[1], 0, SIZE / 2, 0, 0, SIZE / 2);
				if (fence >= 0)
					close(fence);
				fence = -1;
				sluice_submit(queue, ops, 2, -1, &fence, 0, &point);
				break;
			case 1:
				sluice_op_capture(&ops[0], 0, 0, SIZE);
				sluice_submit(queue, ops, 1, fence, NULL, 0, &point);
				break;
			case 2:
				sluice_wait(queue, point, 50);
				break;
			case 3:
				if (memory != MAP_FAILED)
					memory[rand_r(&seed) % (SIZE / 4)] = i;
				break;
			case 4:
				if (!sluice_cpu_begin(buffer, i & 1))
					sluice_cpu_end(buffer, i & 1);
				break;
			case 5:
				fcntl(queue, F_SETFL, O_NONBLOCK);
				sluice_read(queue, &completion, 1);
				break;
			case 6:
				sluice_buffer_info(device, buffer, &info);
				break;
			case 7:
				sluice_detach(queue, 0);
				sluice_attach(queue, buffer, rand_r(&seed) % 8);
				break;
			case 8:
				/* the fence outlives its submitter in another process */
				if (fence >= 0)
					send_to_keeper(keeper, buffer, fence);
				break;
			case 9:
				other = sluice_fence_export(buffer, i & 1);
				if (other >= 0) {
					sluice_fence_import(buffer, other, false);
					close(other);
				}
				break;
			case 10:
				poll(&polled, 1, 20);
				break;
			}
		}
		if (memory != MAP_FAILED)
			munmap(memory, SIZE);
		if (fence >= 0)
			close(fence);
		close(queue);
		close(buffer);
		close(device);
	}
}

static pid_t spawn(unsigned int number, unsigned int seed, int keeper)
{
	pid_t child = fork();

	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		/* lower than the killer, so that it finds the processes in the middle of calls */
		setpriority(PRIO_PROCESS, 0, 5);
		live(number == CHILDREN - 1 ? "edu0" : "soft0", seed, keeper);
	}
	return child;
}

TEST_F_TIMEOUT(races, killed_at_any_moment, RACES_TIMEOUT)
{
	unsigned int seed = setting("RACES_SEED", 1), i, dying = 0;
	struct objects before = objects_read();
	pid_t children[CHILDREN], keeper;
	int socket;

	knob("delay_us", 2000);
	keeper = keep_in_process(&socket);
	ASSERT_GT(keeper, 0);
	loop_begin();
	loop_add_goal("kills", &kills, 11);
	for (i = 0; i < CHILDREN; i++) {
		children[i] = spawn(i, rand_r(&seed), socket);
		ASSERT_GT(children[i], 0);
	}
	while (loop_goes_on()) {
		pause_up_to(&seed, 20000);
		i = rand_r(&seed) % CHILDREN;
		kill(children[i], SIGKILL);
		kills++;
		dying++;
		/* a process that waits for its device to stop must not delay the others */
		while (dying && waitpid(-1, NULL, dying < DYING ? WNOHANG : 0) > 0)
			dying--;
		children[i] = spawn(i, rand_r(&seed), socket);
		ASSERT_GT(children[i], 0);
	}
	for (i = 0; i < CHILDREN; i++)
		kill(children[i], SIGKILL);
	kill(keeper, SIGKILL);
	while (waitpid(-1, NULL, 0) > 0)
		;
	close(socket);
	knob("delay_us", 0);
	printf("# %lu processes killed\n", atomic_load(&kills));
	EXPECT_TRUE(loop_reached_goals());
	EXPECT_TRUE(objects_settle(&before));
}

TEST_F_TIMEOUT(races, queue_closed_and_reused_in_the_middle_of_its_calls, RACES_TIMEOUT)
{
	struct objects before = objects_read();
	struct hands hands[6];
	pthread_t threads[6];
	int i;

	loop_begin();
	loop_add_goal("calls", &calls, 101);
	knob("delay_us", 500);
	for (i = 0; i < 6; i++) {
		hands[i] = (struct hands) {
			.name = "soft0", .queue = 100, .pause = 1,
			.seed = setting("RACES_SEED", 1) * 100 + i,
		};
		ASSERT_EQ(pthread_create(&threads[i], NULL, i ? use_queue : replace_queue,
					 &hands[i]), 0);
	}
	while (loop_goes_on())
		usleep(20000);
	over = true;
	for (i = 0; i < 6; i++)
		pthread_join(threads[i], NULL);
	knob("delay_us", 0);
	printf("# %lu calls\n", atomic_load(&calls));
	EXPECT_TRUE(loop_reached_goals());
	EXPECT_TRUE(objects_settle(&before));
}

TEST_HARNESS_MAIN
