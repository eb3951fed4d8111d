// SPDX-License-Identifier: MIT
/*
 * Races, as loops with a clock: SIGKILL at random moments, one queue fd in many
 * threads' hands, and a device that comes and goes below everything that holds
 * it.  Nobody asks what a call answers here; the kernel's own checks, the counts
 * of objects and kmemleak judge.  make check-races runs it; LONG=1 for longer.
 *
 * RACES_SECONDS in the environment is the time of each loop, RACES_SEED the
 * start of the random numbers.
 */
#include <drm/drm.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <linux/videodev2.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "importer.h"
#include "kselftest_harness.h"
#include "support.h"

#define SIZE 32768UL
#define CAMERA_SIZE (256UL << 10)
#define TIMEOUT 3600	/* the loops have clocks of their own */

#define SOFT_DRIVER "/sys/bus/platform/drivers/sluice-soft"
#define EDU_DRIVER "/sys/bus/pci/drivers/sluice-edu"

static atomic_bool over;
static atomic_ulong calls, streams;

static unsigned int setting(const char *name, unsigned int fallback)
{
	const char *text = getenv(name);

	return text && *text ? strtoul(text, NULL, 0) : fallback;
}

static int64_t loop_end, loop_said;

static void loop_begin(void)
{
	loop_said = now_ns();
	loop_end = loop_said + setting("RACES_SECONDS", 20) * 1000000000LL;
}

/* True while the loop has time; says so now and then, for who watches the guest. */
static bool loop_goes_on(void)
{
	int64_t now = now_ns();

	if (now - loop_said > 20000000000LL) {
		printf("# %lld s to go\n", (long long)(loop_end - now) / 1000000000);
		fflush(stdout);
		loop_said = now;
	}
	return now < loop_end;
}

static void count(int result)
{
	(void)result;
	atomic_fetch_add_explicit(&calls, 1, memory_order_relaxed);
}

FIXTURE(races) {
};

FIXTURE_SETUP(races)
{
}

FIXTURE_TEARDOWN(races)
{
}

/* Everything that a process may be in the middle of. */
static void live(const char *name, unsigned int seed)
{
	for (;;) {
		unsigned int heap = rand_r(&seed) & 1;
		int device = sluice_open(name), queue = sluice_queue(device, heap), i;
		int buffer = sluice_alloc(device, heap, SIZE, 0), fence = -1;
		struct sluice_completion completion;
		struct sluice_buffer_info info;
		uint32_t *memory = MAP_FAILED;
		struct sluice_op ops[2];
		uint64_t point = 1;

		sluice_attach(queue, buffer, 0);
		if (sluice_map(buffer, SIZE, (void **)&memory))
			memory = MAP_FAILED;
		for (i = 0; i < 12; i++) {
			switch (rand_r(&seed) % 8) {
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
				sluice_get_buffer(device, buffer, &info);
				break;
			case 7:
				sluice_detach(queue, 0);
				sluice_attach(queue, buffer, rand_r(&seed) % 8);
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

static pid_t spawn(const char *name, unsigned int seed)
{
	pid_t child = fork();

	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		live(name, seed);
	}
	return child;
}

TEST_F_TIMEOUT(races, killed_at_any_moment, TIMEOUT)
{
	unsigned int seed = setting("RACES_SEED", 1), i, kills = 0;
	struct objects before = objects_read();
	pid_t children[4];

	loop_begin();
	knob("delay_us", 2000);
	for (i = 0; i < 4; i++)
		children[i] = spawn(i == 3 ? "edu0" : "soft0", rand_r(&seed));
	while (loop_goes_on()) {
		usleep(rand_r(&seed) % 30000);
		i = rand_r(&seed) % 4;
		kill(children[i], SIGKILL);
		ASSERT_EQ(waitpid(children[i], NULL, 0), children[i]);
		children[i] = spawn(i == 3 ? "edu0" : "soft0", rand_r(&seed));
		kills++;
	}
	for (i = 0; i < 4; i++) {
		kill(children[i], SIGKILL);
		waitpid(children[i], NULL, 0);
	}
	knob("delay_us", 0);
	printf("# %u processes killed\n", kills);
	EXPECT_GT(kills, 10);
	EXPECT_TRUE(objects_settle(&before));
}

/* One number that is now a queue, now another, now closed, in all hands. */
struct shared {
	int device, buffer, queue;
	unsigned int seed;
};

static void *use_queue(void *argument)
{
	struct shared shared = *(struct shared *)argument;
	unsigned int seed = shared.seed;
	int queue = shared.queue;

	while (!over) {
		struct sluice_export_fence export = { .point = 1 + rand_r(&seed) % 4 };
		struct sluice_completion completion;
		struct sluice_op op;
		int fence = -1;

		switch (rand_r(&seed) % 6) {
		case 0:
			count(sluice_attach(queue, shared.buffer, rand_r(&seed) % 8));
			break;
		case 1:
			count(sluice_detach(queue, rand_r(&seed) % 3));
			break;
		case 2:
			sluice_op_fill(&op, rand_r(&seed) % 3, 0, 4096, seed);
			count(sluice_submit(queue, &op, 1, -1, seed & 1 ? &fence : NULL, 0, NULL));
			if (fence >= 0)
				close(fence);
			break;
		case 3:
			if (!xioctl(queue, SLUICE_IOCTL_FENCE, &export))
				close(export.fd);
			break;
		case 4:
			count(sluice_wait(queue, export.point, 2));
			break;
		case 5:
			/* never a blocking read: the number may be a queue without jobs */
			fcntl(queue, F_SETFL, O_NONBLOCK);
			count(sluice_read(queue, &completion, 1));
			break;
		}
	}
	return NULL;
}

static void *replace_queue(void *argument)
{
	struct shared *shared = argument;
	unsigned int seed = shared->seed;

	while (!over) {
		int other = sluice_queue(shared->device, rand_r(&seed) & 1);

		if (other < 0)
			continue;
		fcntl(other, F_SETFL, O_NONBLOCK);
		/* the old queue's last fd goes in the middle of the others' calls */
		if (rand_r(&seed) & 1) {
			dup2(other, shared->queue);
			close(other);
		} else {
			close(shared->queue);
			usleep(rand_r(&seed) % 200);
			dup2(other, shared->queue);
			close(other);
		}
		usleep(rand_r(&seed) % 3000);
		count(0);
	}
	return NULL;
}

TEST_F_TIMEOUT(races, queue_closed_and_reused_in_the_middle_of_its_calls, TIMEOUT)
{
	struct objects before = objects_read();
	struct shared shared[6];
	pthread_t threads[6];
	int device, buffer, i;

	device = sluice_open("soft0");
	buffer = sluice_alloc(device, 0, SIZE, 0);
	ASSERT_GE(buffer, 0);
	loop_begin();
	knob("delay_us", 500);
	over = false;
	calls = 0;
	for (i = 0; i < 6; i++) {
		shared[i] = (struct shared) {
			.device = device, .buffer = buffer, .queue = 100,
			.seed = setting("RACES_SEED", 1) * 100 + i,
		};
		ASSERT_EQ(pthread_create(&threads[i], NULL, i ? use_queue : replace_queue,
					 &shared[i]), 0);
	}
	while (loop_goes_on())
		usleep(20000);
	over = true;
	for (i = 0; i < 6; i++)
		pthread_join(threads[i], NULL);
	close(100);
	close(buffer);
	close(device);
	knob("delay_us", 0);
	printf("# %lu calls\n", atomic_load(&calls));
	EXPECT_GT(calls, 100);
	EXPECT_TRUE(objects_settle(&before));
}

/* Buffers, mappings, fences and attachments that stay while devices come and go. */
struct holder {
	const char *name;
	unsigned int seed;
	bool films;
	int importer, camera;
};

static void hold_in_importer(struct holder *holder, int buffer)
{
	struct importer_device device = { .dma_bits = 40, .max_seg = 4096, .boundary = ~0ULL };
	struct importer_attach attach = { .fd = buffer };
	struct importer_fence fence = { .fd = buffer, .write = 1, .ms = 20 };
	struct importer_map map = {};
	int importer = open("/dev/sluice-importer", O_RDWR | O_CLOEXEC);

	if (importer < 0)
		return;
	if (ioctl(importer, IMPORTER_DEVICE, &device) >= 0 &&
	    ioctl(importer, IMPORTER_ATTACH, &attach) >= 0)
		ioctl(importer, IMPORTER_MAP, &map);
	ioctl(importer, IMPORTER_FENCE, &fence);
	/* the last one's is let go now: it has held on across a few unbinds */
	if (holder->importer >= 0)
		close(holder->importer);
	holder->importer = importer;
}

static int open_vgem(void)
{
	char path[32];
	int card;

	for (card = 0; card < 8; card++) {
		char name[16] = "";
		struct drm_version version = { .name = name, .name_len = sizeof(name) - 1 };
		int fd;

		snprintf(path, sizeof(path), "/dev/dri/card%d", card);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (!ioctl(fd, DRM_IOCTL_VERSION, &version) && !strcmp(name, "vgem"))
			return fd;
		close(fd);
	}
	return -1;
}

static void hold_in_vgem(int buffer)
{
	struct drm_prime_handle prime = { .fd = buffer };
	int drm = open_vgem();

	if (drm < 0)
		return;
	ioctl(drm, DRM_IOCTL_PRIME_FD_TO_HANDLE, &prime);
	usleep(2000);
	close(drm);
}

/* A camera that streams into our memory until its next buffer comes. */
static void hold_in_vivid(struct holder *holder)
{
	struct v4l2_requestbuffers request = {
		.count = 1, .type = V4L2_BUF_TYPE_VIDEO_CAPTURE, .memory = V4L2_MEMORY_DMABUF,
	};
	struct v4l2_format format = {
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.fmt.pix = { .width = 320, .height = 180, .pixelformat = V4L2_PIX_FMT_YUYV },
	};
	struct v4l2_buffer buffer = { .type = request.type, .memory = request.memory };
	int device = sluice_open(holder->name), memory = sluice_alloc(device, 0, CAMERA_SIZE, 0);

	if (holder->camera >= 0)
		close(holder->camera);
	holder->camera = open("/dev/video0", O_RDWR | O_CLOEXEC);
	buffer.m.fd = memory;
	if (holder->camera >= 0 && memory >= 0 &&
	    !ioctl(holder->camera, VIDIOC_S_FMT, &format) &&
	    !ioctl(holder->camera, VIDIOC_REQBUFS, &request) &&
	    !ioctl(holder->camera, VIDIOC_QBUF, &buffer) &&
	    !ioctl(holder->camera, VIDIOC_STREAMON, &request.type))
		atomic_fetch_add(&streams, 1);
	if (memory >= 0)
		close(memory);
	if (device >= 0)
		close(device);
}

static void *hold(void *argument)
{
	struct holder *holder = argument;

	while (!over) {
		int device = sluice_open(holder->name), queue, buffer, fence = -1;
		uint32_t *memory = MAP_FAILED;
		struct sluice_op op;

		if (device < 0) {
			usleep(2000);
			continue;
		}
		queue = sluice_queue(device, 0);
		buffer = sluice_alloc(device, rand_r(&holder->seed) & 1, SIZE, 0);
		count(sluice_attach(queue, buffer, 0));
		if (buffer >= 0 && sluice_map(buffer, SIZE, (void **)&memory))
			memory = MAP_FAILED;
		if (buffer >= 0)
			hold_in_importer(holder, buffer);
		sluice_op_fill(&op, 0, 0, SIZE, 1);
		count(sluice_submit(queue, &op, 1, -1, &fence, 0, NULL));
		count(sluice_submit(queue, &op, 1, fence, NULL, 0, NULL));
		if (buffer >= 0 && rand_r(&holder->seed) & 1)
			hold_in_vgem(buffer);
		if (holder->films)
			hold_in_vivid(holder);
		count(sluice_wait(queue, 2, rand_r(&holder->seed) % 150));
		if (memory != MAP_FAILED) {
			memory[0] = 1;
			if (!sluice_cpu_begin(buffer, true))
				sluice_cpu_end(buffer, true);
			munmap(memory, SIZE);
		}
		/* in any order */
		if (rand_r(&holder->seed) & 1) {
			close(queue);
			queue = -1;
		}
		if (buffer >= 0)
			close(buffer);
		close(device);
		if (queue >= 0)
			close(queue);
		if (fence >= 0)
			close(fence);
	}
	if (holder->importer >= 0)
		close(holder->importer);
	if (holder->camera >= 0)
		close(holder->camera);
	return NULL;
}

static void *unload(void *argument)
{
	unsigned int seed = *(unsigned int *)argument;

	/* refused or not: what goes comes back */
	while (!over) {
		if (system(rand_r(&seed) & 1 ? "rmmod sluice-soft 2>/dev/null" :
					       "rmmod sluice 2>/dev/null") == 0)
			count(system("insmod /sluice/$(uname -r)/sluice-soft.ko 2>/dev/null"));
		usleep(rand_r(&seed) % 300000);
	}
	return NULL;
}

static bool settle_node(const char *path)
{
	int tries;

	for (tries = 0; tries < 500 && access(path, F_OK); tries++)
		usleep(10000);
	return tries < 500;
}

static bool find_edu(char *address)
{
	FILE *pipe = popen("cd " EDU_DRIVER " 2>/dev/null && ls -d 0000:*", "r");
	bool found = pipe && fscanf(pipe, "%31s", address) == 1;

	if (pipe)
		pclose(pipe);
	return found;
}

TEST_F_TIMEOUT(races, devices_come_and_go_below_everything, TIMEOUT)
{
	static const char * const names[] = { "soft0", "soft0", "edu0", "edu0" };
	unsigned int seed = setting("RACES_SEED", 1), rounds = 0, i;
	struct holder holders[4];
	struct objects before;
	pthread_t threads[5];
	char edu[32], remove[96];

	ASSERT_TRUE(find_edu(edu));
	snprintf(remove, sizeof(remove), "/sys/bus/pci/devices/%s/remove", edu);
	system("insmod /sluice/$(uname -r)/sluice-importer.ko 2>/dev/null; modprobe -q vgem; "
	       "modprobe -q vivid n_devs=1 node_types=1 no_error_inj=1; "
	       "udevadm settle");
	before = objects_read();
	knob("delay_us", 5000);
	over = false;
	calls = 0;
	for (i = 0; i < 4; i++) {
		holders[i] = (struct holder) { names[i], seed * 100 + i, !i, -1, -1 };
		ASSERT_EQ(pthread_create(&threads[i], NULL, hold, &holders[i]), 0);
	}
	ASSERT_EQ(pthread_create(&threads[4], NULL, unload, &seed), 0);
	loop_begin();
	while (loop_goes_on()) {
		usleep(rand_r(&seed) % 250000);
		switch (rounds++ % 3) {
		case 0:
			write_text(SOFT_DRIVER "/unbind", "sluice-soft");
			usleep(rand_r(&seed) % 20000);
			write_text(SOFT_DRIVER "/bind", "sluice-soft");
			break;
		case 1:
			write_text(EDU_DRIVER "/unbind", edu);
			usleep(rand_r(&seed) % 20000);
			write_text(EDU_DRIVER "/bind", edu);
			break;
		case 2:
			write_text(remove, "1");
			usleep(rand_r(&seed) % 20000);
			write_text("/sys/bus/pci/rescan", "1");
			break;
		}
	}
	over = true;
	for (i = 0; i < 5; i++)
		pthread_join(threads[i], NULL);
	system("lsmod | grep -q ^sluice_soft || insmod /sluice/$(uname -r)/sluice-soft.ko");
	write_text(SOFT_DRIVER "/bind", "sluice-soft");
	EXPECT_TRUE(settle_node("/dev/sluice/soft0"));
	EXPECT_TRUE(settle_node("/dev/sluice/edu0"));
	printf("# %u rounds, %lu calls, %lu streams\n", rounds, atomic_load(&calls),
	       atomic_load(&streams));
	EXPECT_TRUE(objects_settle(&before));
	EXPECT_EQ(system("rmmod sluice-importer"), 0);
	system("rmmod vgem vivid 2>/dev/null");
}

TEST_HARNESS_MAIN
