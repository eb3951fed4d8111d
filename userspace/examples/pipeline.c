// SPDX-License-Identifier: MIT
/*
 * pipeline [--details] [FRAMES]: frames flow from a camera to a GPU and to a display, and at
 * the end PCI DMA copies a part.  All stages use the same memory.
 *
 *	soft0		captures into one of three dma-bufs, and signals a fence
 *	the GPU		waits for this fence, computes into one of three other dma-bufs, and
 *			signals a fence (Vulkan, gpu.c)
 *	the display	waits for this fence, and shows the result (KMS, kms.c)
 *	edu0		at the end, copies a part of the last picture to a buffer of its own.
 *			QEMU's edu is a PCI device with real DMA
 *
 * Buffers are used again:
 *
 * - The next capture into a buffer waits, in the kernel, for the fence of the GPU's work that
 *   reads this buffer.
 * - The GPU writes to the buffer of a picture when the display has reported that another picture
 *   is on the screen.
 *
 * A picture has the size of the screen.  It contains the capture, the edges of the capture,
 * and text around both.  The CPU writes the text once, before the first frame.
 *
 * The program passes only file descriptors from stage to stage.  It proves that by these
 * numbers:
 *
 * - the bytes that read() and write() moved while frames flowed, from /proc/self/io
 * - the dma-bufs that are mapped, by the program and by the GPU's driver
 * - the inodes of the dma-bufs that the GPU and the display have
 *
 * When all this is counted, the CPU checks the last picture: its frame number, and each pixel
 * of its panels.  The program fails if one of these checks fails.
 *
 * When the last picture is on the screen, the program prints "# screendump", and waits for a
 * line on its input.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "account.h"
#include "gpu.h"
#include "kms.h"
#include "screen.h"
#include "sluice.h"

#define BUFFERS 3		/* captures, and pictures */
#define DEFAULT_FRAMES 60
#define MAX_FRAMES 300		/* limited, because all fences stay open until the end */
#define PROGRESS_FRAMES 10	/* from one line of progress to the next */

/* four lines from the middle of the picture; few, because edu0 needs 200 ms for 4 KiB */
#define EDU_OFFSET ((size_t)SCREEN_STRIDE * 300)
#define EDU_BYTES ((size_t)SCREEN_STRIDE * 4)
#define EDU_TIMEOUT_MS 15000

/* more than the time that a job may wait (30 s) and run (30 s) */
#define PATIENCE_MS 65000

/**
 * struct frame - a frame of the run
 * @point: point of the capture on the camera's queue
 * @captured: fence of the capture
 * @computed: fence of the GPU; -1 if its driver reported that the work had ended
 * @capture_look: state of @captured when the GPU got it
 * @compute_look: state of @computed when the display got it
 * @gpu_begin_ns: time at which the GPU's driver was called
 */
struct frame {
	uint64_t point;
	int captured, computed;
	struct fence_look capture_look, compute_look;
	int64_t gpu_begin_ns;
};

/** struct buffer - a dma-buf, and its names in the stages */
struct buffer {
	int dmabuf;
	int slot;
	struct gpu_buffer *gpu;
	uint32_t fb;
	uint64_t inode;
};

/** struct edu_result - the copy by PCI DMA */
struct edu_result {
	bool done, verified;
	int capture_error;
	unsigned int dma_bits;
	uint64_t bytes;
	int64_t ns;
};

/** struct picture_look - results of the CPU's check of the last picture */
struct picture_look {
	bool captured;		/* the left panel equals the capture */
	bool edges;		/* the right panel has the edges of the left one */
	bool numbered;		/* @number can be read */
	uint32_t number;	/* number of the frame that the picture shows */
};

static struct frame frames[MAX_FRAMES];
static struct buffer captures[BUFFERS], pictures[BUFFERS];
static int camera, queue, edu = -1;
static struct gpu *gpu;
static struct kms display;
static char gpu_driver[16];
static bool failed;

static struct {
	unsigned int captured, computed;
	uint64_t capture_bytes, completion_bytes, progress_bytes, dropped;
	uint64_t first_sequence, last_sequence, last_time_ns;
	unsigned int capture_pending, compute_pending, gated_captures;
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

/* If a claim is false, print a message.  The program goes on, but fails at the end. */
static void expect(bool claim, const char *otherwise)
{
	if (claim)
		return;
	fflush(stdout);
	fprintf(stderr, "pipeline: %s\n", otherwise);
	failed = true;
}

/* Return a result; end the program if it is an error. */
static int check(int result, const char *what)
{
	if (result < 0)
		die("%s: %s", what, strerror(-result));
	return result;
}

/* Ask the display's driver for the inode of a framebuffer's dma-buf. */
static uint64_t inode_of_framebuffer(uint32_t fb)
{
	int dmabuf = check(kms_export(&display, fb), "ask the display for its buffer");
	struct stat stat = {};

	fstat(dmabuf, &stat);
	close(dmabuf);
	return stat.st_ino;
}

/* Setting up */

static void allocate(struct buffer *buffer, int device, size_t size)
{
	struct sluice_buffer_info info;

	buffer->dmabuf = check(sluice_alloc(device, check(sluice_find_heap(device, "pages"),
							  "heap 'pages'"),
					    size, 0), "allocate a buffer");
	check(sluice_buffer_info(device, buffer->dmabuf, &info), "buffer info");
	buffer->inode = info.inode;
}

static void set_up_camera(void)
{
	int i;

	camera = check(sluice_open("soft0"), "open soft0");
	queue = check(sluice_queue_create(camera, 0), "create a queue on soft0");
	edu = sluice_open("edu0");
	for (i = 0; i < BUFFERS; i++) {
		allocate(&captures[i], camera, PANEL_BYTES);
		captures[i].slot = check(sluice_attach(queue, captures[i].dmabuf,
						       SLUICE_ATTACH_WRITE),
					 "attach a buffer to soft0");
		/* in memory that edu0 can address, because edu0 copies from there at the end */
		allocate(&pictures[i], edu >= 0 ? edu : camera, SCREEN_BYTES);
	}
}

static void set_up_display(void)
{
	int i;

	check(kms_open(&display, NULL, SCREEN_WIDTH, SCREEN_HEIGHT), "open a display");
	for (i = 0; i < BUFFERS; i++) {
		int ret = kms_import(&display, pictures[i].dmabuf, SCREEN_STRIDE, &pictures[i].fb);

		if (ret && !strcmp(display.driver, "bochs-drm"))
			die("import a picture into the display: %s: this kernel's bochs-drm "
			    "imports no foreign buffers: use the newest kernel", strerror(-ret));
		check(ret, "import a picture into the display");
	}
}

static void set_up_gpu(void)
{
	const char *name;

	check(gpu_create(&gpu), "find a GPU");
	name = gpu_name(gpu);
	snprintf(gpu_driver, sizeof(gpu_driver), "%.*s", (int)strcspn(name, ","), name);
}

static void import_buffers(void)
{
	int i;

	for (i = 0; i < BUFFERS; i++) {
		check(gpu_import(gpu, captures[i].dmabuf, PANEL_BYTES, &captures[i].gpu),
		      "import a capture buffer into the GPU");
		check(gpu_import(gpu, pictures[i].dmabuf, SCREEN_BYTES, &pictures[i].gpu),
		      "import a picture buffer into the GPU");
	}
}

/* A driver may compile the shader at its first run.  Do that before the time is measured. */
static void warm_up(void)
{
	int done;

	check(gpu_run(gpu, pictures[0].gpu, captures[0].gpu, &screen_panels, -1, &done), "warm up");
	check(gpu_idle(gpu), "wait for the GPU");
	if (done >= 0)
		close(done);
}

/* Draw the parts that do not change from frame to frame.  The GPU does not overwrite them. */
static void set_up_labels(void)
{
	int i;

	for (i = 0; i < BUFFERS; i++) {
		uint32_t *pixels;

		check(sluice_map(pictures[i].dmabuf, SCREEN_BYTES, (void **)&pixels), "map");
		check(sluice_cpu_begin(pictures[i].dmabuf, true), "begin CPU access");
		screen_draw_labels(pixels, gpu_driver, display.driver, captures[i].inode,
				   pictures[i].inode);
		check(sluice_cpu_end(pictures[i].dmabuf, true), "end CPU access");
		munmap(pixels, SCREEN_BYTES);
	}
}

/* The flow of frames */

/*
 * Submit the capture of frame @i.  The GPU may still read the buffer, for the earlier frame
 * in it.  The capture therefore waits for the GPU's fence of the earlier frame.
 */
static void submit_capture(unsigned int i)
{
	int release = i < BUFFERS ? -1 : frames[i - BUFFERS].computed;
	struct sluice_op op;

	sluice_op_capture_frame(&op, captures[i % BUFFERS].slot, 0, PANEL_WIDTH,
				PANEL_HEIGHT, PANEL_STRIDE);
	check(sluice_submit(queue, &op, 1, release, &frames[i].captured, i, &frames[i].point),
	      "submit a capture");
	stats.gated_captures += release >= 0;
}

/* Let the GPU compute frame @i; the GPU waits for the capture's fence. */
static void submit_compute(unsigned int i)
{
	struct frame *frame = &frames[i];

	fence_look_at(frame->captured, &frame->capture_look);
	stats.capture_pending += !frame->capture_look.status;
	frame->gpu_begin_ns = now_ns();
	check(gpu_run(gpu, pictures[i % BUFFERS].gpu, captures[i % BUFFERS].gpu, &screen_panels,
		      frame->captured, &frame->computed), "compute");
	stats.gpu_ns += now_ns() - frame->gpu_begin_ns;
	stats.computed++;
	fence_look_at(frame->computed, &frame->compute_look);
	stats.compute_pending += !frame->compute_look.status;
}

/*
 * Let the display switch to frame @i; the kernel waits for the GPU's fence.  Before that,
 * wait until the display has switched to frame @i - 1.  The picture of frame @i - 2 is then
 * not on the screen any more, and the GPU writes frame @i + 1 there.  Three pictures are
 * therefore enough.
 */
static void submit_display(unsigned int i)
{
	int64_t begin = now_ns();

	check(kms_finish(&display, PATIENCE_MS), "wait for the display");
	stats.display_ns += now_ns() - begin;
	check(kms_show(&display, pictures[i % BUFFERS].fb, frames[i].computed, false), "show");
}

/* Read all completions that are ready; wait until @until of them have been read in total. */
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
			stats.last_time_ns = done->timestamp;
			stats.capture_bytes += done->bytes;
		}
	}
}

static void run(unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		/* this loop waits for no capture and no computation: fences keep their order */
		submit_capture(i);
		submit_compute(i);
		submit_display(i);
		read_completions(0);
		if ((i + 1) % PROGRESS_FRAMES && i + 1 < count)
			continue;
		stats.progress_bytes += printf("    frame %u of %u\n", i + 1, count);
		fflush(stdout);
	}
	check(gpu_idle(gpu), "wait for the GPU");
	check(kms_finish(&display, PATIENCE_MS), "wait for the display");
	read_completions(count);
}

/* Compute how long calls of the GPU's driver waited for the camera's fence. */
static void account_camera(unsigned int count)
{
	struct fence_look look;
	unsigned int i;

	for (i = 0; i < count; i++) {
		int64_t late;

		fence_look_at(frames[i].captured, &look);
		late = (int64_t)look.timestamp_ns - frames[i].gpu_begin_ns;
		if (!frames[i].capture_look.status && late > 0)
			stats.camera_ns += late;
	}
}

/* Checks by the CPU, after all counting */

/** struct part - lines of a dma-buf */
struct part {
	int dmabuf;
	size_t size;		/* of the dma-buf */
	size_t offset, stride;
};

static bool compare(const struct part *a, const struct part *b, size_t line, unsigned int lines)
{
	char *map_a, *map_b;
	bool same = true;
	unsigned int i;

	check(sluice_map(a->dmabuf, a->size, (void **)&map_a), "map");
	check(sluice_map(b->dmabuf, b->size, (void **)&map_b), "map");
	check(sluice_cpu_begin(a->dmabuf, false), "begin CPU access");
	check(sluice_cpu_begin(b->dmabuf, false), "begin CPU access");
	for (i = 0; i < lines; i++)
		same = same && !memcmp(map_a + a->offset + i * a->stride,
				       map_b + b->offset + i * b->stride, line);
	check(sluice_cpu_end(b->dmabuf, false), "end CPU access");
	check(sluice_cpu_end(a->dmabuf, false), "end CPU access");
	munmap(map_b, b->size);
	munmap(map_a, a->size);
	return same;
}

/* Is the left panel of the last picture equal to the capture? */
static bool left_panel_is_capture(unsigned int last)
{
	const struct part capture = {
		.dmabuf = captures[last % BUFFERS].dmabuf,
		.size = PANEL_BYTES,
		.stride = PANEL_STRIDE,
	};
	const struct part panel = {
		.dmabuf = pictures[last % BUFFERS].dmabuf,
		.size = SCREEN_BYTES,
		.offset = PANEL_TOP * SCREEN_STRIDE + LEFT_PANEL * 4,
		.stride = SCREEN_STRIDE,
	};

	return compare(&capture, &panel, PANEL_STRIDE, PANEL_HEIGHT);
}

static void look_at_picture(unsigned int last, struct picture_look *look)
{
	int dmabuf = pictures[last % BUFFERS].dmabuf;
	uint32_t *pixels;

	look->captured = left_panel_is_capture(last);
	check(sluice_map(dmabuf, SCREEN_BYTES, (void **)&pixels), "map");
	check(sluice_cpu_begin(dmabuf, false), "begin CPU access");
	look->edges = screen_edges_match(pixels);
	look->numbered = screen_frame_number(pixels, &look->number);
	check(sluice_cpu_end(dmabuf, false), "end CPU access");
	munmap(pixels, SCREEN_BYTES);
}

/* Copy a part of the last picture with edu0, which waits for the GPU's fence. */
static void copy_through_edu(unsigned int last, struct edu_result *result)
{
	struct sluice_create_queue create = { .timeout_ms = EDU_TIMEOUT_MS };
	const struct buffer *picture = &pictures[last % BUFFERS];
	struct part from = {
		.dmabuf = picture->dmabuf,
		.size = SCREEN_BYTES,
		.offset = EDU_OFFSET,
	};
	struct part to = { .size = EDU_BYTES };
	struct sluice_completion completion;
	struct sluice_buffer_info info;
	int src, dst, heap;
	struct sluice_info device;
	struct sluice_op op;

	check(sluice_device_info(edu, &device), "ask edu0");
	result->dma_bits = device.dma_bits;
	check(sluice_buffer_info(edu, captures[0].dmabuf, &info), "buffer info");
	result->capture_error = info.error;

	heap = check(sluice_find_heap(edu, "pages"), "heap 'pages' of edu0");
	to.dmabuf = check(sluice_alloc(edu, heap, EDU_BYTES, 0), "allocate a buffer for edu0");
	if (ioctl(edu, SLUICE_IOCTL_CREATE_QUEUE, &create))
		die("create a queue on edu0: %s", strerror(errno));
	src = check(sluice_attach(create.fd, picture->dmabuf, SLUICE_ATTACH_READ),
		    "attach the picture to edu0");
	dst = check(sluice_attach(create.fd, to.dmabuf, SLUICE_ATTACH_WRITE), "attach to edu0");
	sluice_op_copy(&op, dst, 0, src, EDU_OFFSET, EDU_BYTES);
	result->ns = now_ns();
	check(sluice_submit(create.fd, &op, 1, frames[last].computed, NULL, 0, NULL),
	      "submit a copy to edu0");
	if (check(sluice_read(create.fd, &completion, 1), "read edu0's completion") != 1)
		die("edu0 has no completion");
	result->ns = now_ns() - result->ns;
	check(completion.status, "the copy by edu0");
	result->bytes = completion.bytes;
	result->verified = compare(&from, &to, EDU_BYTES, 1);
	result->done = true;
	close(create.fd);
	close(to.dmabuf);
}

/*
 * Count the buffers of the GPU and of the display that are the expected dma-bufs.  A buffer
 * of the GPU counts if the GPU's driver has mapped the dma-buf.  A buffer of the display
 * counts if the display's driver exports a dma-buf with the same inode.  @asked is set to the
 * number of buffers.
 */
static unsigned int count_same(const struct maps *maps, unsigned int *asked)
{
	unsigned int same = 0, i;

	*asked = 3 * BUFFERS;
	for (i = 0; i < BUFFERS; i++) {
		same += maps_has(maps, captures[i].inode);
		same += maps_has(maps, pictures[i].inode);
		same += inode_of_framebuffer(pictures[i].fb) == pictures[i].inode;
	}
	return same;
}

/* The table: at most 80 columns */

static double ms(int64_t ns)
{
	return ns / 1e6;
}

static void row(const char *label, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void row(const char *label, const char *format, ...)
{
	va_list args;

	printf("  %-12s ", label);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

/* Print the main results: frames, copies, waits, memory. */
static void print_facts(unsigned int count, int64_t span, long long moved, unsigned int same,
			unsigned int asked)
{
	row("frames", "%u captured, %u computed, %u shown in %.1f s (%.1f frames/s)",
	    stats.captured, stats.computed, display.events, span / 1e9, count * 1e9 / span);
	row("copied", "This program copied %lld bytes from one stage to the next.", moved);
	row("waited", "The GPU waited for the camera's fence in %u of %u frames.",
	    stats.capture_pending, count);
	row("", "The display waited for the GPU's fence in %u of %u frames.",
	    stats.compute_pending, count);
	if (!gpu_knows_fences(gpu))
		row("", "%s knows no sync_files: the CPU waited in its place.", gpu_driver);
	else if (!stats.compute_pending)
		row("", "Its fence had signalled already in %u of %u frames.", count, count);
	row("same memory", "Each stage has the dma-buf of the stage before it: %u of %u.", same,
	    asked);
}

/* Print the results of the CPU's checks of the last picture, and of the copy of a part of it. */
static void print_checks(const struct picture_look *look, const struct edu_result *copy)
{
	row("checked", "The left panel %s the capture.", look->captured ? "equals" : "DIFFERS from");
	row("", "The right panel %s its edges, as the CPU computes them.",
	    look->edges ? "equals" : "DIFFERS from");
	if (copy->done)
		row("", "edu0's DMA copy %s.", copy->verified ? "is equal" : "DIFFERS");
	if (look->numbered)
		row("screen", "The screen shows frame %" PRIu32 " of the camera, captured at %.3f s.",
		    look->number, stats.last_time_ns / 1000000 / 1e3);
	else
		row("screen", "The screen shows NO frame number.");
}

/* Is the driver known to be software?  Any other may be for hardware. */
static bool is_software(const char *driver)
{
	static const char *const drivers[] = { "llvmpipe", "lavapipe", "bochs-drm" };
	unsigned int i;

	for (i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++)
		if (!strcmp(driver, drivers[i]))
			return true;
	return false;
}

static void print_simulated(void)
{
	bool computes = is_software(gpu_driver), shows = is_software(display.driver);

	row("simulated", "The CPU does the work of soft0%s%s%s%s.",
	    !computes ? "" : shows ? ", " : " and ", computes ? gpu_driver : "",
	    shows ? " and " : "", shows ? display.driver : "");
}

static void print_chain(unsigned int i)
{
	const struct frame *frame = &frames[i];
	char label[16];

	snprintf(label, sizeof(label), "frame %u", i + 1);
	row(label, "capture: fence %s %s:%" PRIu64, frame->capture_look.driver,
	    frame->capture_look.timeline, frame->point);
	row("", "  %s when the GPU got it", fence_state(&frame->capture_look));
	if (frame->computed < 0)
		row("", "GPU: -1, which means 'has signalled': the display needs no fence");
	else
		row("", "GPU: fence %s:%s", frame->compute_look.driver,
		    frame->compute_look.timeline);
	if (frame->computed >= 0)
		row("", "  %s when the display got it", fence_state(&frame->compute_look));
	row("", "%s: IN_FENCE_FD, then a page-flip event", display.driver);
}

static void print_edu(const struct edu_result *copy, unsigned int last)
{
	row("edu0", "copied %" PRIu64 " bytes of the last picture in %.0f ms", copy->bytes,
	    ms(copy->ns));
	row("", "waited for: %s", frames[last].computed < 0 ? "nothing, as the GPU's fence was -1" :
	    "the GPU's fence");
	row("", "PCI DMA: %" PRIu64 " bytes, in and out; the copy is %s", 2 * copy->bytes,
	    copy->verified ? "equal" : "DIFFERENT");
	row("", "reaches %u address bits: pictures are from its own heap", copy->dma_bits);
	row("", "a buffer of soft0: %s", copy->capture_error ? strerror(-copy->capture_error) :
	    "also in reach");
}

static void print_details(const struct counters *begin, const struct counters *end,
			  long long others, const struct maps *maps, unsigned int mapped_before,
			  unsigned int mapped_after, unsigned int last)
{
	const struct buffer *capture = &captures[last % BUFFERS], *picture = &pictures[last % BUFFERS];

	printf("\nDetails\n");
	row("GPU", "%.60s", gpu_name(gpu));
	row("camera", "%u x %u pixels, %zu bytes a frame, %" PRIu64 " bytes in all", PANEL_WIDTH,
	    PANEL_HEIGHT, PANEL_BYTES, stats.capture_bytes);
	row("", "30 frames a second: numbers %" PRIu64 " to %" PRIu64 ", %" PRIu64 " dropped",
	    stats.first_sequence, stats.last_sequence, stats.dropped);
	row("time", "in the GPU's driver: %.0f ms, %.0f of them for captures",
	    ms(stats.gpu_ns), ms(stats.camera_ns));
	row("", "for the display to switch: %.0f ms; nowhere else", ms(stats.display_ns));
	row("read, write", "moved %lld bytes, of which %lld are explained:",
	    end->rchar - begin->rchar + end->wchar - begin->wchar, others);
	row("", "completions %" PRIu64 ", page flips %" PRIu64 ", progress %" PRIu64
	    ", this count %lld", stats.completion_bytes, display.event_bytes, stats.progress_bytes,
	    begin->cost);
	row("mapped", "%u dma-bufs by this program, %u by the GPU's driver (later: %u)",
	    mapped_before, maps->count - mapped_before, mapped_after);
	row("reused", "%u captures got a used buffer, with the GPU's fence as in-fence",
	    stats.gated_captures);
	print_chain(0);
	if (last)
		print_chain(last);
	row("inodes", "last capture: %" PRIu64 " in soft0, %s the GPU", capture->inode,
	    maps_has(maps, capture->inode) ? "the same in" : "NOT in");
	row("", "last picture: %" PRIu64 " in soft0, %s the GPU, %" PRIu64 " in %s", picture->inode,
	    maps_has(maps, picture->inode) ? "the same in" : "NOT in",
	    inode_of_framebuffer(picture->fb), display.driver);
	row("labels", "The CPU wrote them before the first frame, then unmapped them.");
	row("CPU's work", "soft0 draws.%s", is_software(gpu_driver) ?
	    "  The GPU's driver computes in the mappings above." : "");
	if (is_software(display.driver))
		row("", "%s copies to its video memory.", display.driver);
	row("", "Between the stages, only file descriptors move.");
	if (edu >= 0)
		row("", "edu0's DMA is real, in QEMU.");
}

int main(int argc, char **argv)
{
	bool details = argc > 1 && !strcmp(argv[1], "--details");
	const char *number = argv[1 + details];
	unsigned int count = number ? (unsigned int)atoi(number) : DEFAULT_FRAMES;
	unsigned int last = count - 1, same, asked;
	struct maps maps_before, maps_begin, maps_end;
	struct counters begin, end;
	struct picture_look look = {};
	struct edu_result copy = {};
	long long moved, others;
	char answer[16];

	if (argc > 2 + details || !count || count > MAX_FRAMES)
		die("usage: pipeline [--details] [FRAMES], 1 to %d", MAX_FRAMES);
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);

	set_up_camera();
	set_up_display();
	set_up_gpu();
	set_up_labels();
	check(maps_read(&maps_before), "/proc/self/maps");
	import_buffers();
	warm_up();
	check(maps_read(&maps_begin), "/proc/self/maps");
	printf("soft0 (camera) -> %s (GPU) -> %s (display): %u frames\n", gpu_driver,
	       display.driver, count);
	fflush(stdout);

	check(counters_read(&begin), "/proc/self/io");
	run(count);
	check(counters_read(&end), "/proc/self/io");
	others = begin.cost + (long long)(stats.completion_bytes + display.event_bytes +
					  stats.progress_bytes);
	moved = end.rchar - begin.rchar + end.wchar - begin.wchar - others;
	check(maps_read(&maps_end), "/proc/self/maps");
	account_camera(count);

	/* the lab takes a picture of the screen now */
	printf("# screendump\n");
	fflush(stdout);
	if (!fgets(answer, sizeof(answer), stdin))
		answer[0] = 0;

	look_at_picture(last, &look);
	if (edu >= 0)
		copy_through_edu(last, &copy);
	same = count_same(&maps_begin, &asked);

	putchar('\n');
	print_facts(count, end.ns - begin.ns, moved, same, asked);
	print_checks(&look, &copy);
	print_simulated();
	if (details) {
		print_details(&begin, &end, others, &maps_begin, maps_before.count, maps_end.count,
			      last);
		if (copy.done)
			print_edu(&copy, last);
	}
	fflush(stdout);

	expect(look.captured, "the left panel differs from the capture");
	expect(look.edges, "the right panel differs from the edges of the left one");
	expect(look.numbered && look.number == (uint32_t)stats.last_sequence,
	       "the screen shows another frame than the last one");
	expect(!moved, "read() and write() moved bytes that are not explained");
	expect(!maps_before.count, "the program has mapped dma-bufs");
	expect(maps_end.count == maps_begin.count, "mappings came or went while frames flowed");
	expect(stats.captured == count && stats.computed == count && display.events == count,
	       "not every frame was captured, computed and shown");
	expect(same == asked, "a stage has a dma-buf of its own");
	expect(!copy.done || (copy.verified && copy.bytes == EDU_BYTES),
	       "the copy by edu0 differs from the picture");
	kms_close(&display);
	gpu_destroy(gpu);
	return failed ? 1 : 0;
}
