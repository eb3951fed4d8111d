// SPDX-License-Identifier: MIT
/* sluice(1): look at Sluice devices and try them from the shell. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "sluice.h"

static const char usage_text[] =
	"usage: sluice list\n"
	"       sluice info DEVICE\n"
	"       sluice alloc DEVICE [--heap NAME] [--size BYTES]\n"
	"       sluice copy DEVICE [--heap NAME] [--size BYTES] [--from FILE] [--to FILE]\n"
	"       sluice capture DEVICE [--frames N] [--size BYTES | --geometry WxH] [--to FILE]\n"
	"\n"
	"list      names every device\n"
	"info      says what a device is and can do\n"
	"alloc     allocates a buffer and tells how the device sees it\n"
	"copy      lets the device copy one buffer to another and compares them; the\n"
	"          data comes from FILE or is made up\n"
	"capture   captures frames and prints their completions; the last frame goes\n"
	"          to FILE, an image as PPM\n"
	"\n"
	"DEVICE is a name that list prints, or a path.  BYTES takes K, M or G.\n";

static void __attribute__((noreturn, format(printf, 1, 2))) die(const char *format, ...)
{
	va_list args;

	fputs("sluice: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

struct options {
	const char *device;
	const char *heap;
	uint64_t size;
	bool size_given;
	uint32_t width, height;
	unsigned int frames;
	const char *from, *to;
};

static uint64_t parse_size(const char *text)
{
	char *end;
	uint64_t size, unit = 1;

	errno = 0;
	size = strtoull(text, &end, 0);
	switch (*end) {
	case 'G': case 'g': unit <<= 10; /* fall through */
	case 'M': case 'm': unit <<= 10; /* fall through */
	case 'K': case 'k': unit <<= 10; end++;
	}
	if (errno || end == text || *end || !size || *text == '-' || size > UINT64_MAX / unit)
		die("'%s' is not a size: write a number of bytes, such as 65536, 64K or 1M", text);
	return size * unit;
}

static struct options parse(int argc, char **argv)
{
	static const struct option known[] = {
		{ "heap", required_argument, NULL, 'h' },
		{ "size", required_argument, NULL, 's' },
		{ "geometry", required_argument, NULL, 'g' },
		{ "frames", required_argument, NULL, 'n' },
		{ "from", required_argument, NULL, 'f' },
		{ "to", required_argument, NULL, 't' },
		{ NULL, 0, NULL, 0 },
	};
	struct options options = { .heap = "pages", .size = 65536, .frames = 1 };
	char tail, *end;
	int option;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (option) {
		case 'h':
			options.heap = optarg;
			break;
		case 's':
			options.size = parse_size(optarg);
			options.size_given = true;
			break;
		case 'g':
			if (sscanf(optarg, "%" SCNu32 "x%" SCNu32 "%c", &options.width,
				   &options.height, &tail) != 2 || !options.width ||
			    !options.height || options.width > 65536 || options.height > 65536)
				die("'%s' is not a geometry: write, for example, 640x480", optarg);
			break;
		case 'n':
			options.frames = strtoul(optarg, &end, 0);
			if (*end || !options.frames || *optarg == '-')
				die("'%s' is not a number of frames", optarg);
			break;
		case 'f':
			options.from = optarg;
			break;
		case 't':
			options.to = optarg;
			break;
		default:
			fputs(usage_text, stderr);
			exit(2);
		}
	}
	if (optind + 1 != argc)
		die("name one device; 'sluice list' shows what there is");
	options.device = argv[optind];
	return options;
}

static int open_device(const char *name)
{
	int fd = sluice_open(name);

	if (fd == -ENOENT)
		die("no device '%s': 'sluice list' shows what there is; is its module loaded?",
		    name);
	if (fd == -EACCES)
		die("no permission to open '%s': run as root, or give your group access to "
		    "/dev/sluice with a udev rule", name);
	if (fd < 0)
		die("cannot open '%s': %s", name, strerror(-fd));
	return fd;
}

static int open_heap(int device, const char *name)
{
	int heap = sluice_find_heap(device, name);

	if (heap == -ENOENT)
		die("the device has no heap '%s': 'sluice info' lists its heaps", name);
	if (heap < 0)
		die("cannot ask for heaps: %s", strerror(-heap));
	return heap;
}

static int alloc_buffer(int device, int heap, uint64_t size)
{
	int fd = sluice_alloc(device, heap, size, 0);

	if (fd == -EFBIG)
		die("%" PRIu64 " bytes are more than this heap can ever have", size);
	if (fd == -EDQUOT)
		die("%" PRIu64 " bytes are over the limit of one open (module parameter "
		    "open_limit_mb)", size);
	if (fd == -ENOMEM)
		die("no memory for %" PRIu64 " bytes that the device can address: try a smaller "
		    "buffer, or --heap pages", size);
	if (fd < 0)
		die("cannot allocate %" PRIu64 " bytes: %s", size, strerror(-fd));
	return fd;
}

static void *map_buffer(int dmabuf, uint64_t size)
{
	void *address;
	int ret = sluice_map(dmabuf, size, &address);

	if (ret)
		die("cannot map the buffer: %s", strerror(-ret));
	return address;
}

static void check(int ret, const char *what)
{
	if (ret < 0)
		die("%s failed: %s", what, strerror(-ret));
}

static void print_properties(uint32_t properties)
{
	printf("%s%s%s", properties & SLUICE_MEM_CACHED ? " cached" : "",
	       properties & SLUICE_MEM_COHERENT ? " coherent" : "",
	       properties & SLUICE_MEM_CONTIGUOUS ? " contiguous" : "");
}

static int do_list(void)
{
	char names[256][SLUICE_NAME_LEN];
	int i, count = sluice_list(names, 256);

	check(count, "listing /dev/sluice");
	if (!count)
		die("no device: load a device driver, for example 'modprobe sluice-soft'");
	for (i = 0; i < count; i++) {
		struct sluice_info info;
		int fd = sluice_open(names[i]);

		if (fd < 0 || sluice_get_info(fd, &info)) {
			printf("%-12s (cannot be opened)\n", names[i]);
			continue;
		}
		printf("%-12s driver %s, %u engines, %u heaps, %u-bit DMA\n", info.name,
		       info.driver, info.num_engines, info.num_heaps, info.dma_bits);
		close(fd);
	}
	return 0;
}

static int do_info(const struct options *options)
{
	int device = open_device(options->device);
	struct sluice_heap_info heap;
	struct sluice_info info;
	unsigned int i;

	check(sluice_get_info(device, &info), "INFO");
	printf("device      %s\ndriver      %s\nuapi        %u\n", info.name, info.driver,
	       info.uapi_version);
	printf("ops        %s%s%s\n", info.op_kinds & 1 << SLUICE_OP_COPY ? " copy" : "",
	       info.op_kinds & 1 << SLUICE_OP_FILL ? " fill" : "",
	       info.op_kinds & 1 << SLUICE_OP_CAPTURE ? " capture" : "");
	printf("alignment   %u bytes\nDMA         %u bits\nengines     %u\n", info.op_align,
	       info.dma_bits, info.num_engines);
	printf("fences      %s\n", info.caps & SLUICE_CAP_SYNC_FILE ? "sync_file" :
	       "implicit only: this kernel has no sync_file");
	printf("job         up to %u ops, %u in-fences, %u ms (default %u ms)\n", info.max_ops,
	       info.max_in_fences, info.max_timeout_ms, info.default_timeout_ms);
	printf("queue       up to %u jobs, %u slots\n", info.max_depth, info.max_slots);
	printf("limit       %" PRIu64 " MiB for each open\n", (uint64_t)info.open_limit >> 20);
	for (i = 0; i < info.num_heaps; i++) {
		check(sluice_get_heap(device, i, &heap), "HEAP_INFO");
		printf("heap        %-10s up to %" PRIu64 " MiB,", heap.name,
		       (uint64_t)heap.max_size >> 20);
		print_properties(heap.properties);
		putchar('\n');
	}
	return 0;
}

static int do_alloc(const struct options *options)
{
	int device = open_device(options->device);
	int buffer = alloc_buffer(device, open_heap(device, options->heap), options->size);
	struct sluice_buffer_info info;

	check(sluice_get_buffer(device, buffer, &info), "BUFFER_INFO");
	printf("size        %" PRIu64 " bytes\n", (uint64_t)info.size);
	printf("segments    %u, the largest %" PRIu64 " bytes\n", info.segments,
	       (uint64_t)info.largest_segment);
	printf("properties ");
	print_properties(info.properties);
	printf("\ninode       %" PRIu64 "\n", (uint64_t)info.inode);
	return 0;
}

static void read_file(const char *path, void *memory, uint64_t size)
{
	FILE *file = fopen(path, "rb");

	if (!file)
		die("cannot read '%s': %s", path, strerror(errno));
	if (fread(memory, 1, size, file) == 0)
		die("'%s' is empty or cannot be read", path);
	fclose(file);
}

static void write_file(const char *path, const void *memory, uint64_t size)
{
	FILE *file = fopen(path, "wb");

	if (!file || fwrite(memory, 1, size, file) != size || fclose(file))
		die("cannot write '%s': %s", path, strerror(errno));
}

static double seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

static int do_copy(const struct options *options)
{
	uint64_t size = (options->size + 3) & ~3ULL, i, point;
	int device = open_device(options->device);
	int heap = open_heap(device, options->heap);
	int src = alloc_buffer(device, heap, size), dst = alloc_buffer(device, heap, size);
	uint32_t *in = map_buffer(src, size), *out = map_buffer(dst, size);
	int queue = sluice_queue(device, 0);
	struct sluice_completion completion;
	struct sluice_op op;
	double began;
	int from, to;

	check(queue, "CREATE_QUEUE");
	check(sluice_cpu_begin(src, true), "SYNC");
	if (options->from)
		read_file(options->from, in, options->size);
	else
		for (i = 0; i < size / 4; i++)
			in[i] = (uint32_t)(i * 2654435761u);
	check(sluice_cpu_end(src, true), "SYNC");

	check(from = sluice_attach(queue, src, SLUICE_ATTACH_READ), "ATTACH");
	check(to = sluice_attach(queue, dst, SLUICE_ATTACH_WRITE), "ATTACH");
	sluice_op_copy(&op, to, 0, from, 0, size);
	began = seconds_now();
	check(sluice_submit(queue, &op, 1, -1, NULL, 0, &point), "SUBMIT");
	check(sluice_read(queue, &completion, 1), "reading the completion");
	if (completion.status == -ETIME)
		die("the device was too slow for its timeout: try a smaller --size");
	check(completion.status, "the copy");

	check(sluice_cpu_begin(dst, false), "SYNC");
	if (memcmp(in, out, size))
		die("the copy differs from the original");
	if (options->to)
		write_file(options->to, out, options->size);
	check(sluice_cpu_end(dst, false), "SYNC");
	printf("%s copied %" PRIu64 " bytes in %.1f ms; both buffers are the same\n",
	       options->device, (uint64_t)completion.bytes, (seconds_now() - began) * 1e3);
	return 0;
}

static void write_ppm(const char *path, const uint32_t *pixels, uint32_t width, uint32_t height)
{
	FILE *file = fopen(path, "wb");
	uint64_t i;

	if (!file)
		die("cannot write '%s': %s", path, strerror(errno));
	fprintf(file, "P6\n%u %u\n255\n", width, height);
	for (i = 0; i < (uint64_t)width * height; i++) {
		putc(pixels[i] >> 16 & 0xff, file);
		putc(pixels[i] >> 8 & 0xff, file);
		putc(pixels[i] & 0xff, file);
	}
	if (ferror(file) || fclose(file))
		die("cannot write '%s': %s", path, strerror(errno));
}

static int do_capture(const struct options *options)
{
	uint64_t size = options->width ? 4ULL * options->width * options->height :
					 (options->size + 3) & ~3ULL;
	int device = open_device(options->device);
	int buffer = alloc_buffer(device, open_heap(device, options->heap), size);
	int queue = sluice_queue(device, 0), slot;
	struct sluice_completion completion;
	struct sluice_op op;
	unsigned int i;

	check(queue, "CREATE_QUEUE");
	check(slot = sluice_attach(queue, buffer, SLUICE_ATTACH_WRITE), "ATTACH");
	if (options->width)
		sluice_op_capture_frame(&op, slot, 0, options->width, options->height,
					4 * options->width);
	else
		sluice_op_capture(&op, slot, 0, size);
	printf("sequence  timestamp/s     bytes  dropped\n");
	for (i = 0; i < options->frames; i++) {
		int ret = sluice_submit(queue, &op, 1, -1, NULL, i, NULL);

		if (ret == -EOPNOTSUPP)
			die("'%s' cannot capture: 'sluice info' lists the ops of a device",
			    options->device);
		check(ret, "SUBMIT");
		check(sluice_read(queue, &completion, 1), "reading the completion");
		check(completion.status, "the capture");
		printf("%8" PRIu64 " %12.6f %9" PRIu64 " %8" PRIu64 "\n",
		       (uint64_t)completion.sequence, completion.timestamp / 1e9,
		       (uint64_t)completion.bytes, (uint64_t)completion.dropped);
	}
	if (options->to) {
		void *memory = map_buffer(buffer, size);

		check(sluice_cpu_begin(buffer, false), "SYNC");
		if (options->width)
			write_ppm(options->to, memory, options->width, options->height);
		else
			write_file(options->to, memory, size);
		check(sluice_cpu_end(buffer, false), "SYNC");
	}
	return 0;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(const struct options *options);
	} commands[] = {
		{ "info", do_info },
		{ "alloc", do_alloc },
		{ "copy", do_copy },
		{ "capture", do_capture },
	};
	struct options options;
	size_t i;

	if (argc == 2 && !strcmp(argv[1], "list"))
		return do_list();
	if (argc == 2 && !strcmp(argv[1], "--help")) {
		fputs(usage_text, stdout);
		return 0;
	}
	for (i = 0; argc > 1 && i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(argv[1], commands[i].name))
			continue;
		options = parse(argc - 1, argv + 1);
		return commands[i].run(&options);
	}
	fputs(usage_text, stderr);
	return 2;
}
