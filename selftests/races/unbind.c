// SPDX-License-Identifier: MIT
/*
 * Devices come and go below all their holders: unbind and bind through sysfs, PCI hot removal and
 * rescan, and attempts to unload the modules, with jobs, mappings, fences, other processes and
 * importers.  lib/holders.h describes the holders.  The kernel's own checks, the counts of objects
 * and kmemleak find errors.  make check-races runs this, with LONG=1 for longer.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "card.h"
#include "harness.h"
#include "holders.h"
#include "kms.h"
#include "knobs.h"
#include "loop.h"
#include "machine.h"
#include "modules.h"
#include "objects.h"
#include "v4l2.h"

#define SOFT_DRIVER "/sys/bus/platform/drivers/sluice-soft"
#define EDU_DRIVER "/sys/bus/pci/drivers/sluice-edu"

static char edu[32], edu_remove[96];
static atomic_ulong rounds, edu_rounds, unloads;

/*
 * Unload modules at random.  A module in use stays, and sluice is always in use; others are loaded
 * again.
 */
static void *unload(void *argument)
{
	static const struct {
		const char *name, *file;
	} modules[] = {
		{ "sluice", NULL },
		{ "sluice_soft", "sluice-soft" },
		{ "sluice_edu", "sluice-edu" },
		{ "sluice_importer", "sluice-importer" },
	};
	unsigned int seed = *(unsigned int *)argument;

	while (!over) {
		unsigned int i = rand_r(&seed) % ARRAY_SIZE(modules);

		if (!syscall(SYS_delete_module, modules[i].name, O_NONBLOCK)) {
			unloads++;
			if (modules[i].file)
				module_load(modules[i].file);
			/* loading takes longer than all other steps */
			pause_up_to(&seed, 5000000);
		}
		pause_up_to(&seed, 100000);
	}
	return NULL;
}

/*
 * Slower than the rest: a transfer takes 100 ms and cannot be aborted, and each time that the
 * device is added, PCI takes a second of an emulated CPU.
 */
static void *trouble_edu(void *argument)
{
	unsigned int seed = *(unsigned int *)argument;

	while (!over) {
		pause_up_to(&seed, 2000000);
		if (edu_rounds++ & 1) {
			write_text(EDU_DRIVER "/unbind", edu);
			pause_up_to(&seed, 5000);
			write_text(EDU_DRIVER "/bind", edu);
		} else {
			write_text(edu_remove, "1");
			pause_up_to(&seed, 5000);
			write_text("/sys/bus/pci/rescan", "1");
		}
	}
	return NULL;
}

/* Give the holders time to submit new jobs to the device; otherwise it would not be used. */
static void wait_jobs(unsigned int number)
{
	unsigned long wanted = held.soft_jobs + number;
	int tries;

	for (tries = 0; tries < 200 && held.soft_jobs < wanted; tries++)
		usleep(2000);
}

static bool settle_node(const char *path)
{
	int tries;

	for (tries = 0; tries < 500 && access(path, F_OK); tries++)
		usleep(10000);
	return tries < 500;
}

static bool find_edu(void)
{
	FILE *pipe = popen("cd " EDU_DRIVER " 2>/dev/null && ls -d 0000:*", "r");
	bool found = pipe && fscanf(pipe, "%31s", edu) == 1;

	if (pipe)
		pclose(pipe);
	snprintf(edu_remove, sizeof(edu_remove), "/sys/bus/pci/devices/%s/remove", edu);
	return found;
}

FIXTURE(unbind) {
	struct objects before;
	int vgem, vim2m;
	struct kms vkms;
};

/* All slow steps are done before the clock starts. */
FIXTURE_SETUP(unbind)
{
	ASSERT_TRUE(find_edu());
	module_load("sluice-importer");
	self->vgem = card_open("vgem");
	ASSERT_LE(0, self->vgem);
	system("modprobe -q vkms; modprobe -q vim2m; "
	       "modprobe -q vivid n_devs=1 node_types=1 num_inputs=1 input_types=0; "
	       "udevadm settle");
	ASSERT_EQ(0, kms_open(&self->vkms, "vkms", SCREEN_WIDTH, SCREEN_HEIGHT));
	self->vim2m = v4l2_open("vim2m", V4L2_CAP_VIDEO_M2M);
	ASSERT_LE(0, self->vim2m);
	/* PCI prints much each time that the device is added, and ttyS0 is slow */
	system("dmesg -n 5");
	self->before = objects_before();
}

FIXTURE_TEARDOWN(unbind)
{
	kms_close(&self->vkms);
	close(self->vgem);
	close(self->vim2m);
	module_load("sluice-soft");
	module_load("sluice-edu");
	write_text(SOFT_DRIVER "/bind", "sluice-soft");
	write_text("/sys/bus/pci/rescan", "1");
	write_text(EDU_DRIVER "/bind", edu);
	system("dmesg -n 7");
	EXPECT_TRUE(settle_node("/dev/sluice/soft0"));
	EXPECT_TRUE(settle_node("/dev/sluice/edu0"));
	EXPECT_TRUE(objects_settle(&self->before));
	EXPECT_TRUE(module_unload("sluice_importer"));
	EXPECT_TRUE(module_unload("vkms"));
	EXPECT_TRUE(module_unload("vgem"));
	EXPECT_TRUE(module_unload("vim2m"));
	EXPECT_TRUE(module_unload("vivid"));
}

TEST_F_TIMEOUT(unbind, devices_come_and_go_below_everything, RACES_TIMEOUT)
{
	unsigned int seed = setting("RACES_SEED", 1), i, started = 0;
	const struct {
		void *(*work)(void *);
		const char *device;
		int fd;
	} work[] = {
		{ hold_jobs, "soft0", self->vgem },
		{ hold_jobs, "edu0", self->vgem },
		{ hold_mappings, "soft0", -1 },
		{ hold_screen, "soft0", -1 },
		{ hold_camera, "soft0", -1 },
		{ hold_transform, "soft0", self->vim2m },
	};
	struct holder holders[ARRAY_SIZE(work)];
	struct hands hands[2];
	pthread_t threads[ARRAY_SIZE(work) + ARRAY_SIZE(hands) + 2];
	pid_t keeper;
	int socket;

	/*
	 * Threads and children inherit this.  The devices and the kernel's work for them come
	 * first; otherwise the holders would use all CPU time.
	 */
	setpriority(PRIO_PROCESS, 0, 10);
	keeper = keep_in_process(&socket);
	ASSERT_GT(keeper, 0);
	loop_begin();
	loop_add_goal("rounds", &rounds, setting("RACES_SECONDS", 20) / 10 + 1);
	loop_add_goal("calls without a device", &cut, 1);
	loop_add_goal("jobs that are ended", &held.ended, 1);
	for (i = 0; i < ARRAY_SIZE(work); i++) {
		holders[i] = (struct holder) {
			.device = work[i].device, .seed = seed * 100 + i, .fd = work[i].fd,
			.kms = &self->vkms, .keeper = socket,
		};
		ASSERT_EQ(pthread_create(&threads[started++], NULL, work[i].work, &holders[i]), 0);
	}
	for (i = 0; i < ARRAY_SIZE(hands); i++) {
		hands[i] = (struct hands) { "soft0", 100, seed * 200 + i, 2000 };
		ASSERT_EQ(pthread_create(&threads[started++], NULL, i ? use_queue : replace_queue,
					 &hands[i]), 0);
	}
	setpriority(PRIO_PROCESS, 0, 0);
	ASSERT_EQ(pthread_create(&threads[started++], NULL, unload, &seed), 0);
	ASSERT_EQ(pthread_create(&threads[started++], NULL, trouble_edu, &seed), 0);
	while (loop_goes_on()) {
		/*
		 * Some jobs end at about the time of the unbind, and others would end long after
		 * it: jobs that an abort forgets must show.
		 */
		knob("delay_us", rand_r(&seed) % (rand_r(&seed) % 2 ? 20000 : 2000000));
		wait_jobs(1 + rand_r(&seed) % 3);
		pause_up_to(&seed, 20000);
		write_text(SOFT_DRIVER "/unbind", "sluice-soft");
		pause_up_to(&seed, 1000);
		write_text(SOFT_DRIVER "/bind", "sluice-soft");
		rounds++;
	}
	over = true;
	for (i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
	kill(keeper, SIGKILL);
	waitpid(keeper, NULL, 0);
	close(socket);

	printf("# soft0 unbound %lu times, edu0 %lu times; modules unloaded %lu times\n",
	       atomic_load(&rounds), atomic_load(&edu_rounds), atomic_load(&unloads));
	printf("# %lu calls, %lu of them without a device any more\n", atomic_load(&calls),
	       atomic_load(&cut));
	printf("# jobs: %lu of soft0, %lu of edu0, %lu of them seen to be ended by unbind\n",
	       atomic_load(&held.soft_jobs), atomic_load(&held.edu_jobs),
	       atomic_load(&held.ended));
	printf("# held: touched %lu, importer %lu, sent %lu, vkms %lu, vivid %lu, vim2m %lu\n",
	       atomic_load(&held.mappings), atomic_load(&held.importers),
	       atomic_load(&held.sent), atomic_load(&held.pictures),
	       atomic_load(&held.streams), atomic_load(&held.transforms));
	EXPECT_TRUE(loop_reached_goals());
}

TEST_HARNESS_MAIN
