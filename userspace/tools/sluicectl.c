// SPDX-License-Identifier: MIT
/* sluicectl(1): inspect Sluice devices, and try them from the shell. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "tool.h"

static const char usage_text[] =
	"usage: sluicectl list\n"
	"       sluicectl info DEVICE\n"
	"       sluicectl formats DEVICE\n"
	"       sluicectl controls DEVICE [NAME[=VALUE]]\n"
	"       sluicectl events DEVICE [--count N]\n"
	"       sluicectl alloc DEVICE [--heap NAME] [--size BYTES]\n"
	"       sluicectl copy DEVICE [--heap NAME] [--size BYTES] [--from FILE] [--to FILE]\n"
	"       sluicectl capture DEVICE [--heap NAME] [--frames N] [--to FILE]\n"
	"                      [--size BYTES | --geometry WxH]\n"
	"       sluicectl program DEVICE [--heap NAME] [--size BYTES] [--from FILE] [--to FILE]\n"
	"                      [--then COMMAND] <LIST\n"
	"       sluicectl --help | --version\n"
	"\n"
	"list      lists the devices\n"
	"info      shows what a device is and what it can do\n"
	"formats   lists image formats, frame sizes and frame intervals of each engine\n"
	"controls  lists the controls of the device and its input signals; with NAME it\n"
	"          prints one control, or presses it if it is a button; with NAME=VALUE\n"
	"          it sets the control\n"
	"events    prints events of the device: N events, or all until the device is\n"
	"          removed\n"
	"alloc     allocates a buffer and shows how the device sees it\n"
	"copy      lets the device copy one buffer to another and compares the two; the\n"
	"          data is FILE, or its first BYTES bytes; without --from the tool makes\n"
	"          up BYTES bytes\n"
	"capture   captures frames and prints their completions; FILE gets the last\n"
	"          frame, as PPM if --geometry is given\n"
	"program   lets the kernel access registers of the device; each line of LIST is\n"
	"          one command, and sluicectl(1) explains the commands:\n"
	"              write REGISTER VALUE\n"
	"              src REGISTER [PLACE [LENGTH]]  (also src-low, src-high)\n"
	"              dst REGISTER [PLACE [LENGTH]]  (also dst-low, dst-high)\n"
	"              poll REGISTER MASK VALUE MICROSECONDS\n"
	"              interrupt NUMBER\n"
	"\n"
	"DEVICE is a name that 'sluicectl list' prints, or an absolute path.  BYTES is a\n"
	"number that K, M or G may follow.  NAME after --heap is a heap that\n"
	"'sluicectl info' lists, or memfd: memory of the tool that the device uses in place.\n";

void die(const char *format, ...)
{
	va_list args;

	fputs("sluicectl: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

/* A size in bytes, at most INT64_MAX: rounding it up to whole pages must not overflow. */
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
	if (errno || end == text || *end || !size || *text == '-' || size > INT64_MAX / unit)
		die("--size '%s' is not a size: write a number of bytes from 1 on, such as 65536, "
		    "64K or 1M", text);
	return size * unit;
}

/* A number of frames, events, lines or columns: from 1 to @max, without other characters. */
static bool parse_count(const char *text, unsigned long max, unsigned int *count)
{
	unsigned long value;
	char *end;

	errno = 0;
	value = strtoul(text, &end, 10);
	*count = value;
	return !errno && end != text && !*end && *text != '-' && value && value <= max;
}

static void parse_geometry(const char *text, struct options *options)
{
	char copy[32], *height;

	if (snprintf(copy, sizeof(copy), "%s", text) < (int)sizeof(copy)) {
		height = strchr(copy, 'x');
		if (height)
			*height++ = '\0';
		if (height && parse_count(copy, 65536, &options->width) &&
		    parse_count(height, 65536, &options->height))
			return;
	}
	die("--geometry '%s' is not a geometry: write width and height in pixels, each from 1 to "
	    "65536, such as 640x480", text);
}

/* argv[0] is the command.  @allowed has the letters of its options; '=' allows a control. */
static struct options parse(int argc, char **argv, const char *allowed)
{
	static const struct option known[] = {
		{ "heap", required_argument, NULL, 'h' },
		{ "size", required_argument, NULL, 's' },
		{ "geometry", required_argument, NULL, 'g' },
		{ "frames", required_argument, NULL, 'n' },
		{ "from", required_argument, NULL, 'f' },
		{ "to", required_argument, NULL, 't' },
		{ "then", required_argument, NULL, 'x' },
		{ "count", required_argument, NULL, 'c' },
		{ NULL, 0, NULL, 0 },
	};
	struct options options = { .heap = "pages", .size = 65536, .frames = 1 };
	int option, index;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":", known, &index)) != -1) {
		if (option == ':')
			die("the option %s needs a value: 'sluicectl --help' shows which",
			    argv[optind - 1]);
		if (option == '?' && optopt)
			die("there is no option -%c: 'sluicectl --help' lists the options", optopt);
		if (option == '?')
			die("there is no option %s: 'sluicectl --help' lists the options",
			    argv[optind - 1]);
		if (!strchr(allowed, option))
			die("'sluicectl %s' does not accept --%s: 'sluicectl --help' lists its options",
			    argv[0], known[index].name);
		switch (option) {
		case 'h':
			options.heap = optarg;
			options.heap_given = true;
			break;
		case 's':
			options.size = parse_size(optarg);
			options.size_given = true;
			break;
		case 'g':
			parse_geometry(optarg, &options);
			break;
		case 'n':
			if (!parse_count(optarg, UINT32_MAX, &options.frames))
				die("--frames '%s' is not a number of frames: write a number "
				    "from 1 to 4294967295", optarg);
			break;
		case 'f':
			options.from = optarg;
			break;
		case 't':
			options.to = optarg;
			break;
		case 'x':
			options.then = optarg;
			break;
		case 'c':
			if (!parse_count(optarg, UINT32_MAX, &options.count))
				die("--count '%s' is not a number of events: write a number "
				    "from 1 to 4294967295", optarg);
			break;
		}
	}
	if (options.width && options.size_given)
		die("--geometry and --size exclude each other: leave out --size, because the "
		    "geometry determines the size");
	if (optind == argc)
		die("'sluicectl %s' needs a device: 'sluicectl list' lists the devices", argv[0]);
	/* a command that allows a control may have one more argument */
	if (strchr(allowed, '=') && optind + 2 <= argc)
		options.control = argv[optind + 1];
	if (optind + 1 + !!options.control < argc && options.control)
		die("unexpected argument '%s': name one control at a time", argv[optind + 2]);
	if (optind + 1 < argc && !options.control)
		die("unexpected argument '%s': 'sluicectl %s' takes one device, and options",
		    argv[optind + 1], argv[0]);
	options.device = argv[optind];
	return options;
}

void check(int ret, const char *what)
{
	if (ret == -ENODEV)
		die("cannot %s: the device was removed; 'sluicectl list' lists the devices", what);
	if (ret < 0)
		die("cannot %s: %s", what, strerror(-ret));
}

int open_device(const char *name, struct sluice_info *info)
{
	int fd = sluice_open(name), ret;

	if (fd == -ENOENT)
		die("there is no device '%s': 'sluicectl list' lists the devices; if it is not "
		    "listed, load its device driver", name);
	if (fd == -EACCES)
		die("no permission to open '%s': run as root, or give your group access to the "
		    "nodes in /dev/sluice by a udev rule", name);
	if (fd < 0)
		die("cannot open the device '%s': %s; 'sluicectl list' lists the devices", name,
		    strerror(-fd));
	ret = sluice_device_info(fd, info);
	if (ret == -ENODEV)
		die("the device '%s' was removed: it was unplugged, or its driver was unbound; "
		    "'sluicectl list' lists the devices", name);
	if (ret)
		die("'%s' is not a Sluice device: 'sluicectl list' lists the devices", name);
	return fd;
}

void need_op(const struct sluice_info *info, uint32_t kind, const char *verb)
{
	if (!(info->op_kinds & 1ULL << kind))
		die("the device '%s' cannot %s: 'sluicectl info %s' lists its ops", info->name,
		    verb, info->name);
}

static int open_heap(int device, const char *name)
{
	int heap = sluice_find_heap(device, name);

	if (heap == -ENOENT)
		die("the device has no heap '%s': 'sluicectl info' lists its heaps", name);
	check(heap, "ask the device for its heaps");
	return heap;
}

/* Memory of the tool, which the device uses in place: no heap allocates it. */
static int wrap_memory(int device, uint64_t size, uint32_t *hint)
{
	int memfd = memfd_create("sluice", MFD_CLOEXEC | MFD_ALLOW_SEALING), fd;
	uint64_t page = sysconf(_SC_PAGESIZE), whole = (size + page - 1) / page * page;
	struct sluice_wrap args = { .memfd = memfd, .size = whole };

	if (memfd < 0)
		return -errno;
	/* if no file can have this size, no device can have it either */
	if (ftruncate(memfd, whole))
		return -EFBIG;
	check(fcntl(memfd, F_ADD_SEALS, F_SEAL_SHRINK) ? -errno : 0, "seal the memory");
	fd = ioctl(device, SLUICE_IOCTL_WRAP, &args) ? -errno : args.fd;
	*hint = args.hint;
	close(memfd);
	return fd;
}

static int heap_memory(int device, const char *heap, uint64_t size, uint32_t *hint)
{
	struct sluice_alloc args = { .size = size, .heap = open_heap(device, heap) };
	int fd = ioctl(device, SLUICE_IOCTL_ALLOC, &args) ? -errno : args.fd;

	*hint = args.hint;
	return fd;
}

/* Die with a message that says what to do about @hint.  Returns if there is no hint. */
static void die_of_hint(uint32_t hint, int error, uint64_t size)
{
	switch (hint) {
	case SLUICE_HINT_LIMIT:
		if (error == -EDQUOT)
			die("%" PRIu64 " more bytes would exceed what one open file of the node "
			    "may hold: use a smaller buffer, or raise the module parameter "
			    "open_limit_mb; 'sluicectl info' shows the limit", size);
		die("%" PRIu64 " bytes are more than this heap can ever have: use a smaller "
		    "buffer; 'sluicectl info' shows the largest size", size);
	case SLUICE_HINT_USER_LIMIT:
		die("%" PRIu64 " more bytes would exceed what all open files of this user may "
		    "hold: use a smaller buffer, or raise the module parameter user_limit_mb; "
		    "'sluicectl info' shows how much they hold", size);
	case SLUICE_HINT_TOTAL_LIMIT:
		die("%" PRIu64 " more bytes would exceed what all open files of all users may "
		    "hold: use a smaller buffer, or raise the module parameter total_limit_mb; "
		    "'sluicectl info' shows how much they hold", size);
	case SLUICE_HINT_NO_CMA:
		die("no piece of memory has %" PRIu64 " bytes, and the kernel reserves no memory "
		    "for large buffers: use a smaller buffer, or boot with cma=SIZE (the kernel "
		    "needs CONFIG_DMA_CMA)", size);
	case SLUICE_HINT_FRAGMENTED:
		die("memory is free, but no piece of it has %" PRIu64 " bytes: use a smaller "
		    "buffer, use --heap pages, or boot with a larger cma=SIZE", size);
	case SLUICE_HINT_BOUNCED:
		die("the kernel would bounce this device's DMA (a confidential guest, or "
		    "swiotlb=force): use --heap contiguous");
	case SLUICE_HINT_DMA_MASK:
		if (error == -EADDRNOTAVAIL)
			die("the device cannot address the pages of the memfd, which the kernel "
			    "has chosen: use --heap pages or --heap contiguous");
		die("there is no memory of %" PRIu64 " bytes that the device can address: use a "
		    "smaller buffer, or --heap pages", size);
	}
}

int new_buffer(int device, const char *heap, uint64_t size)
{
	bool wrapped = !strcmp(heap, "memfd");
	uint32_t hint = SLUICE_HINT_NONE;
	int fd = wrapped ? wrap_memory(device, size, &hint) :
			   heap_memory(device, heap, size, &hint);

	if (fd < 0)
		die_of_hint(hint, fd, size);
	if (fd == -EFBIG)
		die_of_hint(SLUICE_HINT_LIMIT, fd, size);
	if (fd == -ENOMEM)
		die("no memory of %" PRIu64 " bytes is free, or the memory cgroup is at its limit: "
		    "use a smaller buffer", size);
	check(fd, wrapped ? "wrap memory" : "allocate a buffer");
	return fd;
}

void *map_buffer(int dmabuf, uint64_t size)
{
	void *address;

	check(sluice_map(dmabuf, size, &address), "map the buffer");
	return address;
}

int open_queue(int device, const struct sluice_info *info)
{
	struct sluice_create_queue args = { .timeout_ms = info->max_timeout_ms };

	check(ioctl(device, SLUICE_IOCTL_CREATE_QUEUE, &args) < 0 ? -errno : 0,
	      "create a queue");
	return args.fd;
}

int attach_buffer(int queue, int dmabuf, uint32_t flags)
{
	int slot = sluice_attach(queue, dmabuf, flags);

	check(slot, "attach the buffer to the device");
	return slot;
}

struct sluice_completion run_op(int queue, const struct sluice_op *op)
{
	check(sluice_submit(queue, op, 1, -1, NULL, 0, NULL), "submit the job");
	return read_completion(queue);
}

struct sluice_completion read_completion(int queue)
{
	struct sluice_completion completion;

	check(sluice_read(queue, &completion, 1), "read the completion");
	if (completion.status == -ETIME)
		die("the job exceeded the longest timeout of a job ('sluicectl info' shows it): use a "
		    "smaller buffer");
	if (completion.status == -EIO)
		die("the device reported that the job failed, or a poll ran out of time: the "
		    "kernel's log may say more");
	check(completion.status, "finish the job");
	return completion;
}

static void print_properties(uint32_t properties)
{
	static const char * const names[] = {
		" cached", " coherent", " contiguous", " write-combined", " uncached",
		" page-backed", " device", " huge", " reserved",
	};
	unsigned int i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (properties & 1U << i)
			fputs(names[i], stdout);
}

static int do_list(void)
{
	char names[256][SLUICE_NAME_LEN];
	int i, count = sluice_list(names, 256);

	check(count, "list /dev/sluice");
	if (!count)
		die("there is no device: load a device driver, for example 'modprobe sluice-soft'");
	for (i = 0; i < count && i < 256; i++) {
		struct sluice_info info;
		int fd = sluice_open(names[i]);

		if (fd < 0 || sluice_device_info(fd, &info)) {
			printf("%-12s (cannot be opened)\n", names[i]);
			continue;
		}
		printf("%-12s driver %s, %u engines, %u heaps, %u-bit DMA\n", info.name,
		       info.driver, info.num_engines, info.num_heaps, info.dma_bits);
		close(fd);
	}
	return 0;
}

static void print_kinds(uint64_t kinds)
{
	printf("%s%s%s%s%s%s", kinds & 1 << SLUICE_OP_COPY ? " copy" : "",
	       kinds & 1 << SLUICE_OP_FILL ? " fill" : "",
	       kinds & 1 << SLUICE_OP_CAPTURE ? " capture" : "",
	       kinds & 1 << SLUICE_OP_PLAYBACK ? " playback" : "",
	       kinds & 1 << SLUICE_OP_PROGRAM ? " program" : "",
	       kinds & 1 << SLUICE_OP_PRIVATE ? " private" : "");
}

static void print_limits(const struct sluice_engine_info *engine)
{
	if (engine->min_length)
		printf(", ops of at least %" PRIu64 " bytes", (uint64_t)engine->min_length);
	if (engine->max_length)
		printf(", ops of at most %" PRIu64 " bytes", (uint64_t)engine->max_length);
	if (engine->max_segments)
		printf(", at most %u segment%s", engine->max_segments,
		       engine->max_segments == 1 ? "" : "s");
}

static void print_engine(const struct sluice_engine_info *engine)
{
	printf("engine %-4u", engine->index);
	print_kinds(engine->op_kinds);
	printf("; depth %u, alignment %u, stride %u, %u formats", engine->depth,
	       engine->op_align, engine->stride_align, engine->num_formats);
	printf("%s%s", engine->properties & SLUICE_ENGINE_IS_ORDERED ? ", ordered" : "",
	       engine->properties & SLUICE_ENGINE_IS_SOFTWARE ? ", software" : "");
	print_limits(engine);
	putchar('\n');
}

static int do_info(const struct options *options)
{
	struct sluice_engine_info engine;
	struct sluice_heap_info heap;
	struct sluice_info info;
	int device = open_device(options->device, &info);
	char node[sizeof("/dev/dma_heap/sluice--") + 2 * SLUICE_NAME_LEN];
	unsigned int i;

	printf("device      %s\ndriver      %s\nuapi        %u\n", info.name, info.driver,
	       info.uapi_version);
	printf("ops        ");
	print_kinds(info.op_kinds);
	printf("\nalignment   %u bytes\nDMA         %u bits\nengines     %u\n", info.op_align,
	       info.dma_bits, info.num_engines);
	for (i = 0; i < info.num_engines && info.caps & SLUICE_CAP_FORMATS; i++) {
		check(sluice_engine_info(device, i, &engine), "ask the device for its engines");
		print_engine(&engine);
	}
	printf("fences      %s\n", info.caps & SLUICE_CAP_SYNC_FILE ? "sync_file" :
	       "implicit sync only: this kernel has no sync_file");
	printf("io_uring    %s\n", info.caps & SLUICE_CAP_URING ? "yes" : "no");
	printf("interrupts  %u for eventfds and programs\n", info.num_interrupts);
	printf("job         up to %u ops, %u in-fences, %u ms (default %u ms)\n", info.max_ops,
	       info.max_in_fences, info.max_timeout_ms, info.default_timeout_ms);
	printf("queue       up to %u jobs, %u slots", info.max_depth, info.max_slots);
	if (info.max_queues)
		printf("; %u queues for each open file of the node", info.max_queues);
	printf("\n");
	printf("limit       %" PRIu64 " MiB for each open file of the node\n",
	       (uint64_t)info.open_limit >> 20);
	if (info.total_limit) {
		printf("            %" PRIu64 " MiB for each user; this user has %" PRIu64 " MiB\n",
		       (uint64_t)info.user_limit >> 20, (uint64_t)info.user_bytes >> 20);
		printf("            %" PRIu64 " MiB for all users; they have %" PRIu64 " MiB\n",
		       (uint64_t)info.total_limit >> 20, (uint64_t)info.total_bytes >> 20);
	}
	/* before UAPI version 4 a module does not report SLUICE_CAP_CMA */
	if (info.uapi_version >= 4)
		printf("CMA         %s\n", info.caps & SLUICE_CAP_CMA ? "yes" :
		       "no: large contiguous buffers may fail; boot with cma=SIZE");
	if (info.caps & SLUICE_CAP_BOUNCED)
		puts("bounced     the kernel bounces this device's DMA: use the heap contiguous");
	for (i = 0; i < info.num_heaps; i++) {
		check(sluice_heap_info(device, i, &heap), "ask the device for its heaps");
		printf("heap        %-10s up to %" PRIu64 " MiB,", heap.name,
		       (uint64_t)heap.max_size >> 20);
		print_properties(heap.properties);
		if (heap.options) {
			fputs("; options:", stdout);
			print_properties(heap.options);
		}
		snprintf(node, sizeof(node), "/dev/dma_heap/sluice-%s-%s", info.name, heap.name);
		if (!access(node, F_OK))
			printf(", also %s", node);
		putchar('\n');
	}
	return 0;
}

/* Print "640", or for a range "16..1920/8": minimum, maximum and step. */
static void print_range(uint32_t min, uint32_t max, uint32_t step)
{
	printf("%u", min);
	if (max != min)
		printf("..%u", max);
	if (max != min && step != 1)
		printf("/%u", step);
}

static void print_intervals(int device, const struct sluice_enum_formats *format,
			    const struct sluice_enum_sizes *size)
{
	struct sluice_enum_intervals interval;
	unsigned int i;

	for (i = 0; i < size->num_intervals; i++) {
		check(sluice_get_interval(device, format, size->min_width, size->min_height, i,
					  &interval), "ask the device for its frame intervals");
		printf("%s%u/%u", i ? ", " : "  ", interval.min.numerator,
		       interval.min.denominator);
		if (memcmp(&interval.min, &interval.max, sizeof(interval.min)))
			printf("..%u/%u", interval.max.numerator, interval.max.denominator);
	}
	puts(size->num_intervals ? " s" : "");
}

static void print_format(int device, const struct sluice_enum_formats *format)
{
	static const char * const fields[] = { "", "top", "bottom", "interlaced", "alternate" };
	struct sluice_enum_sizes size;
	unsigned int i;

	printf("  %.4s", (const char *)&format->format);
	if (format->modifier)
		printf("  modifier 0x%" PRIx64, (uint64_t)format->modifier);
	printf("  %u %s", format->num_planes, format->num_planes == 1 ? "plane" : "planes");
	for (i = 1; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (format->fields & 1U << i)
			printf(" %s", fields[i]);
	putchar('\n');
	for (i = 0; i < format->num_sizes; i++) {
		check(sluice_get_size(device, format, i, &size), "ask the device for its sizes");
		printf("    ");
		print_range(size.min_width, size.max_width, size.step_width);
		putchar('x');
		print_range(size.min_height, size.max_height, size.step_height);
		print_intervals(device, format, &size);
	}
}

static int do_formats(const struct options *options)
{
	struct sluice_enum_formats format;
	struct sluice_engine_info engine;
	struct sluice_info info;
	int device = open_device(options->device, &info);
	unsigned int i, j;

	if (!(info.caps & SLUICE_CAP_FORMATS))
		die("the module is too old to list formats: it has UAPI version %u; load one with "
		    "version 5 or later", info.uapi_version);
	for (i = 0; i < info.num_engines; i++) {
		check(sluice_engine_info(device, i, &engine), "ask the device for its engines");
		printf("engine %u%s\n", i, engine.num_formats ? "" : "  raw data only");
		for (j = 0; j < engine.num_formats; j++) {
			check(sluice_get_format(device, i, j, &format),
			      "ask the device for its formats");
			print_format(device, &format);
		}
	}
	return 0;
}

static int do_alloc(const struct options *options)
{
	struct sluice_info device_info;
	int device = open_device(options->device, &device_info);
	int buffer = new_buffer(device, options->heap, options->size);
	struct sluice_buffer_info info;

	check(sluice_buffer_info(device, buffer, &info), "ask how the device sees the buffer");
	printf("size        %" PRIu64 " bytes\n", (uint64_t)info.size);
	printf("segments    %u, the largest %" PRIu64 " bytes\n", info.segments,
	       (uint64_t)info.largest_segment);
	printf("properties ");
	print_properties(info.properties);
	printf("\ninode       %" PRIu64 "\n", (uint64_t)info.inode);
	return 0;
}

void *read_file(const char *path, uint64_t limit, uint64_t *size)
{
	size_t room = limit ? limit : 65536, got = 0, part;
	FILE *file = fopen(path, "rb");
	char *memory = malloc(room);

	if (!file)
		die("cannot read '%s': %s", path, strerror(errno));
	while (memory) {
		part = fread(memory + got, 1, room - got, file);
		got += part;
		if (!part || got == limit)
			break;
		if (got == room)
			memory = realloc(memory, room *= 2);
	}
	if (!memory)
		die("no memory for the content of '%s': use a smaller file", path);
	if (ferror(file))
		die("cannot read '%s': %s", path, strerror(errno));
	if (!got)
		die("'%s' is empty: name a file of at least 1 byte", path);
	if (got < limit)
		die("'%s' has only %zu bytes, but --size is %" PRIu64 ": leave out --size, or make "
		    "it smaller", path, got, limit);
	fclose(file);
	*size = got;
	return memory;
}

void write_file(const char *path, const void *memory, uint64_t size)
{
	FILE *file = fopen(path, "wb");

	if (!file || fwrite(memory, 1, size, file) != size || fclose(file))
		die("cannot write '%s': %s", path, strerror(errno));
}

double seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

static int do_copy(const struct options *options)
{
	struct sluice_info info;
	int device = open_device(options->device, &info);
	int queue, src, dst, from, to;
	uint64_t size = options->size, whole, i;
	struct sluice_completion completion;
	uint32_t *in, *out;
	struct sluice_op op;
	void *data = NULL;
	double began;

	need_op(&info, SLUICE_OP_COPY, "copy");
	if (options->from)
		data = read_file(options->from, options->size_given ? size : 0, &size);
	/* the device copies multiples of op_align, but a file may have any size */
	whole = (size + info.op_align - 1) / info.op_align * info.op_align;
	src = new_buffer(device, options->heap, whole);
	dst = new_buffer(device, options->heap, whole);
	in = map_buffer(src, whole);
	out = map_buffer(dst, whole);

	check(sluice_cpu_begin(src, true), "write to the buffer");
	if (data)
		memcpy(in, data, size);
	else
		for (i = 0; i < size / sizeof(*in); i++)
			in[i] = (uint32_t)(i * 2654435761u);
	check(sluice_cpu_end(src, true), "write to the buffer");
	free(data);

	queue = open_queue(device, &info);
	from = attach_buffer(queue, src, SLUICE_ATTACH_READ);
	to = attach_buffer(queue, dst, SLUICE_ATTACH_WRITE);
	sluice_op_copy(&op, to, 0, from, 0, whole);
	began = seconds_now();
	completion = run_op(queue, &op);
	began = seconds_now() - began;

	check(sluice_cpu_begin(src, false), "read the buffer");
	check(sluice_cpu_begin(dst, false), "read the buffer");
	if (memcmp(in, out, whole))
		die("the copy that the device made differs from the original: the device, or its "
		    "driver, has a fault");
	if (options->to)
		write_file(options->to, out, size);
	check(sluice_cpu_end(dst, false), "read the buffer");
	check(sluice_cpu_end(src, false), "read the buffer");
	printf("%s copied %" PRIu64 " bytes in %.1f ms; both buffers are equal\n", info.name,
	       (uint64_t)completion.bytes, began * 1e3);
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
	struct sluice_info info;
	int device = open_device(options->device, &info), buffer, queue, slot;
	struct sluice_completion completion;
	uint64_t size = options->size;
	struct sluice_op op;
	unsigned int i;

	need_op(&info, SLUICE_OP_CAPTURE, "capture");
	if (options->width)
		size = 4ULL * options->width * options->height;
	if (size % info.op_align)
		die("a frame of %" PRIu64 " bytes is not aligned for this device: make its size a "
		    "multiple of %u", size, info.op_align);
	buffer = new_buffer(device, options->heap, size);
	queue = open_queue(device, &info);
	slot = attach_buffer(queue, buffer, SLUICE_ATTACH_WRITE);
	if (options->width)
		sluice_op_capture_frame(&op, slot, 0, options->width, options->height,
					4 * options->width);
	else
		sluice_op_capture(&op, slot, 0, size);
	printf("sequence  timestamp/s     bytes  dropped\n");
	for (i = 0; i < options->frames; i++) {
		completion = run_op(queue, &op);
		printf("%8" PRIu64 " %12.6f %9" PRIu64 " %8" PRIu64 "\n",
		       (uint64_t)completion.sequence, completion.timestamp / 1e9,
		       (uint64_t)completion.bytes, (uint64_t)completion.dropped);
	}
	if (options->to) {
		void *memory = map_buffer(buffer, size);

		check(sluice_cpu_begin(buffer, false), "read the buffer");
		if (options->width)
			write_ppm(options->to, memory, options->width, options->height);
		else
			write_file(options->to, memory, size);
		check(sluice_cpu_end(buffer, false), "read the buffer");
	}
	return 0;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		const char *options;	/* the letters that parse() allows */
		int (*run)(const struct options *options);
	} commands[] = {
		{ "info", "", do_info },
		{ "formats", "", do_formats },
		{ "controls", "=", do_controls },
		{ "events", "c", do_events },
		{ "alloc", "hs", do_alloc },
		{ "copy", "hsft", do_copy },
		{ "capture", "hsgnt", do_capture },
		{ "program", "hsftx", do_program },
	};
	struct options options;
	int ret = -1;
	size_t i;

	if (argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "help"))) {
		fputs(usage_text, stdout);
		return 0;
	}
	if (argc == 2 && !strcmp(argv[1], "--version")) {
		puts("sluicectl " SLUICE_VERSION);
		return 0;
	}
	if (argc < 2)
		die("a command is missing: 'sluicectl --help' lists the commands");
	if (!strcmp(argv[1], "list")) {
		if (argc > 2)
			die("unexpected argument '%s': 'sluicectl list' takes no arguments", argv[2]);
		ret = do_list();
	}
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(argv[1], commands[i].name))
			continue;
		options = parse(argc - 1, argv + 1, commands[i].options);
		ret = commands[i].run(&options);
	}
	if (ret < 0)
		die("there is no command '%s': 'sluicectl --help' lists the commands", argv[1]);
	if (fflush(stdout) || ferror(stdout))
		die("cannot write the output: %s", strerror(errno));
	return ret;
}
