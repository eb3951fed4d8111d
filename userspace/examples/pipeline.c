// SPDX-License-Identifier: MIT
/*
 * pipeline [FRAMES]: camera -> GPU -> display, and a copy by PCI DMA, on the
 * same memory all the way.
 *
 *	soft0		captures into one of three dma-bufs; its fence says when
 *	the GPU		waits for that fence, computes into one of three others;
 *			its fence says when (Vulkan, gpu.c)
 *	the display	waits for that fence and shows the result (KMS, kms.c)
 *	edu0		at the end, copies a part of the last picture to a buffer
 *			of its own: QEMU's edu is a PCI device with real DMA
 *
 * A buffer goes round: the next capture into it waits, in the kernel, for the
 * fence of the GPU's work that read it, and the GPU writes to a display buffer
 * when the display has told that another is on the screen.
 *
 * The program moves file descriptors and nothing else, and proves it by
 * counting: what read() and write() moved while frames flowed, as the kernel
 * accounts it to this process; which dma-bufs are mapped, and by whom; and the
 * inode of the dma-buf that each stage has.
 *
 * With the last picture on the screen it prints "# screendump" and waits for a
 * line on its input.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <linux/sync_file.h>

#include "gpu.h"
#include "kms.h"
#include "sluice.h"

#define WIDTH 1024
#define HEIGHT 768
#define STRIDE (WIDTH * 4)
#define FRAME_BYTES ((size_t)STRIDE * HEIGHT)

#define BUFFERS 3		/* on either side of the GPU */
#define DEFAULT_FRAMES 60
#define MAX_FRAMES 300		/* fences are kept open until the end, to be looked at */

/* edu0 takes 200 ms for 4 KiB: four lines from the middle of the picture */
#define EDU_OFFSET ((size_t)STRIDE * 300)
#define EDU_BYTES ((size_t)STRIDE * 4)
#define EDU_TIMEOUT_MS 15000

/* longer than a job may wait (30 s) and run (30 s) */
#define PATIENCE_MS 65000

/** struct fence_look - what SYNC_IOC_FILE_INFO says of a sync_file */
struct fence_look {
	char driver[32], timeline[32];
	int status;
	uint64_t timestamp_ns;
};

/**
 * struct frame - a frame on its way
 * @point: on the camera's queue
 * @captured: fence of the capture
 * @computed: fence of the GPU; -1 if the driver said that it was done
 * @capture_look: @captured when it was handed to the GPU
 * @compute_look: @computed when it was handed to the display
 * @gpu_begin_ns: when the GPU's driver was called
 */
struct frame {
	uint64_t point;
	int captured, computed;
	struct fence_look capture_look, compute_look;
	int64_t gpu_begin_ns;
};

/** struct buffer - a dma-buf, and what the stages call it */
struct buffer {
	int dmabuf;
	int slot;
	struct gpu_buffer *gpu;
	uint32_t fb;
	uint64_t inode;
};

/** struct counters - what the kernel has accounted to this process */
struct counters {
	long long rchar, wchar;
	long long cost;		/* of reading them, in rchar, seen at the next reading */
	int64_t ns;
};

/** struct maps - mappings of dma-bufs in this process */
struct maps {
	unsigned int count;
	uint64_t inodes[4 * BUFFERS];
};

static struct frame frames[MAX_FRAMES];
static struct buffer captures[BUFFERS], pictures[BUFFERS];
static int camera, queue, edu = -1;
static struct gpu *gpu;
static struct kms display;

static struct {
	unsigned int captured, computed, shown;
	uint64_t capture_bytes, completion_bytes, dropped;
	uint64_t first_sequence, last_sequence;
	unsigned int capture_pending, compute_pending, compute_fences, gated_captures;
	int64_t gpu_ns, camera_ns, display_ns;
} stats;

static void __attribute__((noreturn, format(printf, 1, 2))) die(const char *format, ...)
{
	va_list args;

	fflush(stdout);
	fputs("pipeline: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

/* Pass a result on, unless it is an error. */
static int check(int result, const char *what)
{
	if (result < 0)
		die("%s: %s", what, strerror(-result));
	return result;
}

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

/* Measuring */

static void look_at_fence(int fence, struct fence_look *look)
{
	struct sync_fence_info first = { .status = 1 };
	struct sync_file_info info = {
		.num_fences = 1,
		.sync_fence_info = (uintptr_t)&first,
	};

	memset(look, 0, sizeof(*look));
	look->status = 1;
	if (fence < 0 || ioctl(fence, SYNC_IOC_FILE_INFO, &info))
		return;
	memcpy(look->driver, first.driver_name, sizeof(look->driver) - 1);
	memcpy(look->timeline, first.obj_name, sizeof(look->timeline) - 1);
	look->status = info.status;
	look->timestamp_ns = first.timestamp_ns;
}

static void read_counters(struct counters *counters)
{
	int file = open("/proc/self/io", O_RDONLY | O_CLOEXEC);
	char text[512] = "";
	ssize_t length;

	if (file < 0)
		die("/proc/self/io: %s (the kernel needs CONFIG_TASK_IO_ACCOUNTING)",
		    strerror(errno));
	counters->ns = now_ns();
	length = read(file, text, sizeof(text) - 1);
	close(file);
	counters->cost = length;
	if (length < 0 || sscanf(text, "rchar: %lld wchar: %lld", &counters->rchar,
				 &counters->wchar) != 2)
		die("/proc/self/io: not understood");
}

/* The mappings of this process that are of dma-bufs. */
static void read_maps(struct maps *maps)
{
	FILE *file = fopen("/proc/self/maps", "re");
	char line[512];

	maps->count = 0;
	if (!file)
		die("/proc/self/maps: %s", strerror(errno));
	while (fgets(line, sizeof(line), file)) {
		uint64_t inode;

		if (!strstr(line, "/dmabuf:") ||
		    sscanf(line, "%*s %*s %*s %*s %" SCNu64, &inode) != 1)
			continue;
		if (maps->count < sizeof(maps->inodes) / sizeof(maps->inodes[0]))
			maps->inodes[maps->count] = inode;
		maps->count++;
	}
	fclose(file);
}

static bool is_mapped(const struct maps *maps, uint64_t inode)
{
	unsigned int i;

	for (i = 0; i < maps->count; i++)
		if (maps->inodes[i] == inode)
			return true;
	return false;
}

/* Inode of the dma-buf behind a framebuffer, from the display's driver. */
static uint64_t inode_of_framebuffer(uint32_t fb)
{
	int dmabuf = check(kms_export(&display, fb), "ask the display for its buffer");
	struct stat stat = {};

	fstat(dmabuf, &stat);
	close(dmabuf);
	return stat.st_ino;
}

/* Setting up */

static void allocate(struct buffer *buffer, int device)
{
	struct sluice_buffer_info info;

	buffer->dmabuf = check(sluice_alloc(device, check(sluice_find_heap(device, "pages"),
							  "heap 'pages'"),
					    FRAME_BYTES, 0), "allocate a buffer");
	check(sluice_get_buffer(device, buffer->dmabuf, &info), "buffer info");
	buffer->inode = info.inode;
}

static void set_up_camera(void)
{
	int i;

	camera = check(sluice_open("soft0"), "open soft0");
	queue = check(sluice_queue(camera, 0), "create a queue on soft0");
	edu = sluice_open("edu0");
	for (i = 0; i < BUFFERS; i++) {
		allocate(&captures[i], camera);
		captures[i].slot = check(sluice_attach(queue, captures[i].dmabuf,
						       SLUICE_ATTACH_WRITE),
					 "attach a buffer to soft0");
		/* where edu0 can reach it, because in the end it copies from there */
		allocate(&pictures[i], edu >= 0 ? edu : camera);
	}
}

static void set_up_gpu(void)
{
	int i;

	check(gpu_create(&gpu), "find a GPU");
	for (i = 0; i < BUFFERS; i++) {
		check(gpu_import(gpu, captures[i].dmabuf, FRAME_BYTES, &captures[i].gpu),
		      "import a capture buffer into the GPU");
		check(gpu_import(gpu, pictures[i].dmabuf, FRAME_BYTES, &pictures[i].gpu),
		      "import a picture buffer into the GPU");
	}
}

static void set_up_display(void)
{
	int i;

	check(kms_open(&display, NULL, WIDTH, HEIGHT), "open a display");
	for (i = 0; i < BUFFERS; i++)
		check(kms_import(&display, pictures[i].dmabuf, STRIDE, &pictures[i].fb),
		      "import a picture into the display (bochs-drm: not before Linux 7.2)");
}

/* The flow of frames */

/*
 * Ask for frame @i.  Its buffer may still be read by the GPU, for the frame
 * that had it before: that frame's fence holds the capture up.
 */
static void submit_capture(unsigned int i)
{
	int release = i < BUFFERS ? -1 : frames[i - BUFFERS].computed;
	struct sluice_op op;

	sluice_op_capture_frame(&op, captures[i % BUFFERS].slot, 0, WIDTH, HEIGHT, STRIDE);
	check(sluice_submit(queue, &op, 1, release, &frames[i].captured, i, &frames[i].point),
	      "submit a capture");
	stats.gated_captures += release >= 0;
}

/* Let the GPU compute frame @i, once it is captured. */
static void submit_compute(unsigned int i)
{
	struct gpu_layout halves = gpu_halves(WIDTH, HEIGHT);
	struct frame *frame = &frames[i];

	look_at_fence(frame->captured, &frame->capture_look);
	stats.capture_pending += !frame->capture_look.status;
	frame->gpu_begin_ns = now_ns();
	check(gpu_run(gpu, pictures[i % BUFFERS].gpu, captures[i % BUFFERS].gpu, &halves,
		      frame->captured, &frame->computed), "compute");
	stats.gpu_ns += now_ns() - frame->gpu_begin_ns;
	stats.computed++;
	look_at_fence(frame->computed, &frame->compute_look);
	stats.compute_fences += frame->computed >= 0;
	stats.compute_pending += !frame->compute_look.status;
}

/*
 * Let the display switch to frame @i, once it is computed.  When its switch to
 * frame @i - 1 has happened, the picture of frame @i - 2 is off the screen: the
 * GPU writes there for frame @i + 1, so that three pictures suffice.
 */
static void submit_display(unsigned int i)
{
	int64_t begin = now_ns();

	check(kms_finish(&display, PATIENCE_MS), "wait for the display");
	stats.display_ns += now_ns() - begin;
	check(kms_show(&display, pictures[i % BUFFERS].fb, frames[i].computed, false), "show");
	stats.shown++;
}

/* Read the completions that there are, or wait until there are @until in all. */
static void read_completions(unsigned int until)
{
	struct pollfd pollfd = { .fd = queue, .events = POLLIN };
	struct sluice_completion completions[16];
	int count, i;

	while (stats.captured < until || poll(&pollfd, 1, 0) > 0) {
		count = check(sluice_read(queue, completions, 16), "read completions");
		stats.completion_bytes += count * sizeof(completions[0]);
		for (i = 0; i < count; i++) {
			const struct sluice_completion *done = &completions[i];

			check(done->status, "a capture");
			if (!stats.captured++)
				stats.first_sequence = done->sequence;
			else
				stats.dropped += done->dropped;
			stats.last_sequence = done->sequence;
			stats.capture_bytes += done->bytes;
		}
	}
}

static void run(unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		/* none of these waits for another: the fences do */
		submit_capture(i);
		submit_compute(i);
		submit_display(i);
		read_completions(0);
	}
	check(gpu_idle(gpu), "wait for the GPU");
	check(kms_finish(&display, PATIENCE_MS), "wait for the display");
	read_completions(count);
}

/* How much of the GPU driver's time was the camera's: its fence was not there yet. */
static void account_camera(unsigned int count)
{
	struct fence_look look;
	unsigned int i;

	for (i = 0; i < count; i++) {
		int64_t late;

		look_at_fence(frames[i].captured, &look);
		late = (int64_t)look.timestamp_ns - frames[i].gpu_begin_ns;
		if (!frames[i].capture_look.status && late > 0)
			stats.camera_ns += late;
	}
}

/* What the CPU sees, once all counting is over */

static bool compare(int a, size_t a_offset, int b, size_t b_offset, size_t line, size_t stride,
		    unsigned int lines, size_t size_a, size_t size_b)
{
	char *map_a, *map_b;
	bool same = true;
	unsigned int i;

	check(sluice_map(a, size_a, (void **)&map_a), "map");
	check(sluice_map(b, size_b, (void **)&map_b), "map");
	check(sluice_cpu_begin(a, false), "begin CPU access");
	check(sluice_cpu_begin(b, false), "begin CPU access");
	for (i = 0; i < lines; i++)
		same = same && !memcmp(map_a + a_offset + i * stride,
				       map_b + b_offset + i * stride, line);
	check(sluice_cpu_end(b, false), "end CPU access");
	check(sluice_cpu_end(a, false), "end CPU access");
	munmap(map_b, size_b);
	munmap(map_a, size_a);
	return same;
}

/** struct edu_result - the copy by PCI DMA */
struct edu_result {
	bool done, verified;
	int capture_error;
	unsigned int dma_bits;
	uint64_t inode, bytes;
	int64_t ns;
};

/* Copy a part of the last picture with edu0, as soon as the GPU is done with it. */
static void copy_through_edu(unsigned int last, struct edu_result *result)
{
	struct sluice_create_queue create = { .timeout_ms = EDU_TIMEOUT_MS };
	const struct buffer *picture = &pictures[last % BUFFERS];
	struct sluice_completion completion;
	struct sluice_buffer_info info;
	int src, dst, copy, heap;
	struct sluice_info device;
	struct sluice_op op;

	check(sluice_get_info(edu, &device), "ask edu0");
	result->dma_bits = device.dma_bits;
	check(sluice_get_buffer(edu, captures[0].dmabuf, &info), "buffer info");
	result->capture_error = info.error;
	check(sluice_get_buffer(edu, picture->dmabuf, &info), "buffer info");
	result->inode = info.inode;

	heap = check(sluice_find_heap(edu, "pages"), "heap 'pages' of edu0");
	copy = check(sluice_alloc(edu, heap, EDU_BYTES, 0), "allocate a buffer for edu0");
	if (ioctl(edu, SLUICE_IOCTL_CREATE_QUEUE, &create))
		die("create a queue on edu0: %s", strerror(errno));
	src = check(sluice_attach(create.fd, picture->dmabuf, SLUICE_ATTACH_READ),
		    "attach the picture to edu0");
	dst = check(sluice_attach(create.fd, copy, SLUICE_ATTACH_WRITE), "attach to edu0");
	sluice_op_copy(&op, dst, 0, src, EDU_OFFSET, EDU_BYTES);
	result->ns = now_ns();
	check(sluice_submit(create.fd, &op, 1, frames[last].computed, NULL, 0, NULL),
	      "submit a copy to edu0");
	if (check(sluice_read(create.fd, &completion, 1), "read edu0's completion") != 1)
		die("edu0 has no completion");
	result->ns = now_ns() - result->ns;
	check(completion.status, "the copy by edu0");
	result->bytes = completion.bytes;
	result->verified = compare(picture->dmabuf, EDU_OFFSET, copy, 0, EDU_BYTES, 0, 1,
				   FRAME_BYTES, EDU_BYTES);
	result->done = true;
	close(create.fd);
	close(copy);
}

/* The table */

static const char *state(const struct fence_look *look)
{
	return !look->status ? "pending" : look->status > 0 ? "signalled" : "failed";
}

static void row(const char *label, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void row(const char *label, const char *format, ...)
{
	va_list args;

	printf("  %-18s ", label);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

static void print_chain(unsigned int i)
{
	const struct frame *frame = &frames[i];
	char label[32];

	snprintf(label, sizeof(label), "fences, frame %u", i);
	row(label, "capture %s %s:%" PRIu64 " (%s when the GPU got it)",
	    frame->capture_look.driver, frame->capture_look.timeline, frame->point,
	    state(&frame->capture_look));
	if (frame->computed < 0)
		row("", "-> GPU: -1, that is 'has signalled already': the display needed none");
	else
		row("", "-> GPU %s:%s (%s when the display got it)", frame->compute_look.driver,
		    frame->compute_look.timeline, state(&frame->compute_look));
	row("", "-> %s: IN_FENCE_FD, then a page-flip event", display.driver);
}

static unsigned int print_inodes(const struct maps *maps, const struct edu_result *copy,
				 unsigned int last)
{
	unsigned int same = 0, asked = 0, i;
	uint64_t shown;

	for (i = 0; i < BUFFERS; i++) {
		struct sluice_buffer_info info;

		same += is_mapped(maps, captures[i].inode);
		same += is_mapped(maps, pictures[i].inode);
		shown = inode_of_framebuffer(pictures[i].fb);
		same += shown == pictures[i].inode;
		asked += 3;
		if (edu < 0)
			continue;
		check(sluice_get_buffer(edu, pictures[i].dmabuf, &info), "buffer info");
		same += info.inode == pictures[i].inode;
		asked++;
	}
	shown = inode_of_framebuffer(pictures[last % BUFFERS].fb);
	row("same memory", "inode %" PRIu64 " in soft0 and %s the GPU", captures[last % BUFFERS].inode,
	    is_mapped(maps, captures[last % BUFFERS].inode) ? "in" : "NOT in");
	if (copy->done)
		row("", "inode %" PRIu64 " %s the GPU, %" PRIu64 " in %s, %" PRIu64 " in edu0",
		    pictures[last % BUFFERS].inode,
		    is_mapped(maps, pictures[last % BUFFERS].inode) ? "in" : "NOT in", shown,
		    display.driver, copy->inode);
	row("", "all buffers, all stages: %u of %u the same dma-buf", same, asked);
	return asked - same;
}

static double ms(int64_t ns)
{
	return ns / 1e6;
}

int main(int argc, char **argv)
{
	unsigned int count = argc > 1 ? (unsigned int)atoi(argv[1]) : DEFAULT_FRAMES, last;
	struct counters begin, end;
	struct maps maps_before, maps_begin, maps_end;
	struct edu_result copy = {};
	long long moved, others;
	bool left_same, fine;
	char answer[16];
	int64_t span;

	if (argc > 2 || !count || count > MAX_FRAMES)
		die("usage: pipeline [FRAMES], 1 to %d", MAX_FRAMES);
	last = count - 1;
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);

	set_up_camera();
	set_up_display();
	read_maps(&maps_before);
	set_up_gpu();
	read_maps(&maps_begin);
	printf("soft0 -> %s -> %s: %u frames of %ux%u, XRGB8888\n", gpu_name(gpu),
	       display.driver, count, WIDTH, HEIGHT);
	fflush(stdout);

	read_counters(&begin);
	run(count);
	read_counters(&end);
	span = end.ns - begin.ns;
	others = begin.cost + (long long)(stats.completion_bytes + display.event_bytes);
	moved = end.rchar - begin.rchar + end.wchar - begin.wchar - others;
	read_maps(&maps_end);
	account_camera(count);

	/* whoever runs this may want to look at the screen */
	printf("# screendump\n");
	fflush(stdout);
	if (!fgets(answer, sizeof(answer), stdin))
		answer[0] = 0;

	left_same = compare(captures[last % BUFFERS].dmabuf, 0, pictures[last % BUFFERS].dmabuf, 0,
			    STRIDE / 2, STRIDE, HEIGHT, FRAME_BYTES, FRAME_BYTES);
	if (edu >= 0)
		copy_through_edu(last, &copy);

	putchar('\n');
	row("frames", "%u captured, %u computed, %u shown (%u page flips told)", stats.captured,
	    stats.computed, stats.shown, display.events);
	row("frame", "%u x %u x 4 = %zu bytes; %" PRIu64 " bytes captured", WIDTH, HEIGHT,
	    FRAME_BYTES, stats.capture_bytes);
	row("time", "%.0f ms, %.1f frames/s", ms(span), count * 1e9 / span);
	row("dropped", "%" PRIu64 " of the camera's frames %" PRIu64 " to %" PRIu64
	    ": it makes 30 a second and does not wait", stats.dropped, stats.first_sequence,
	    stats.last_sequence);
	row("waited", "%.0f ms in the GPU's driver: %.0f for the camera's fences, the rest computing",
	    ms(stats.gpu_ns), ms(stats.camera_ns));
	row("", "%.0f ms for the display to switch; nowhere else", ms(stats.display_ns));

	row("CPU copies", "%lld bytes between stages", moved);
	row("  counted", "read() and write() of this process moved %lld bytes, of which %lld were",
	    end.rchar - begin.rchar + end.wchar - begin.wchar, others);
	row("", "completions (%" PRIu64 "), page-flip events (%" PRIu64 "), the counter itself (%lld)",
	    stats.completion_bytes, display.event_bytes, begin.cost);
	row("  mapped", "by the program itself: %u dma-bufs; by the GPU's driver: %u, after: %u",
	    maps_before.count, maps_begin.count - maps_before.count, maps_end.count);

	row("fences", "pending when handed on: %u of %u to the GPU, %u of %u to the display",
	    stats.capture_pending, count, stats.compute_pending, count);
	row("", "%u captures reused a buffer, with the GPU's fence as in-fence",
	    stats.gated_captures);
	if (!gpu_knows_fences(gpu))
		row("", "this GPU's driver knows no sync_files: the CPU waited in its place");
	else if (!stats.compute_pending)
		row("", "this GPU's driver waits for fences in its queue, but ends before it gives one");
	print_chain(0);
	if (last)
		print_chain(last);
	fine = !print_inodes(&maps_begin, &copy, last);

	if (copy.done) {
		row("edu0", "%" PRIu64 " bytes of the last picture in %.0f ms, in-fence %s",
		    copy.bytes, ms(copy.ns), frames[last].computed < 0 ?
		    "not needed (-1)" : "the GPU's");
		row("", "%" PRIu64 " bytes by PCI DMA (into the device and out), compared: %s",
		    2 * copy.bytes, copy.verified ? "equal" : "DIFFERENT");
		row("", "pictures are from edu0's heap, within its %u address bits; of soft0's it",
		    copy.dma_bits);
		row("", "%s%s", copy.capture_error ? "is refused what it cannot reach: " :
		    "could have reached this one, too",
		    copy.capture_error ? strerror(-copy.capture_error) : "");
		fine = fine && copy.verified && copy.bytes == EDU_BYTES;
	}
	row("picture", "left half %s the capture", left_same ? "equals" : "DIFFERS from");
	row("simulated", "the devices are played by the CPU: soft0 draws its frames, llvmpipe computes");
	row("", "(in the mappings above), bochs-drm copies each picture to its video memory.");
	row("", "Between them only file descriptors moved; edu0 is real DMA, in QEMU.");
	fflush(stdout);

	fine = fine && left_same && !moved && !maps_before.count &&
	       maps_end.count == maps_begin.count && display.events == count;
	kms_close(&display);
	gpu_destroy(gpu);
	return fine ? 0 : 1;
}
