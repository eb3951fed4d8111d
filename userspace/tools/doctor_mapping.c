// SPDX-License-Identifier: MIT
/*
 * Mappings of PAGE_BACKED buffers: do the parts of the kernel that take references on pages take
 * them?  Each trial first takes ordinary memory where this can fail for another reason.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <linux/if_xdp.h>
#include <linux/io_uring.h>

#include "doctor.h"

#define TRIAL_SIZE 65536U
#define BLOCK 4096

#ifndef AF_XDP
#define AF_XDP 44
#endif
#ifndef SOL_XDP
#define SOL_XDP 283
#endif

static void *ordinary_memory(void)
{
	void *memory = mmap(NULL, TRIAL_SIZE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		die("no memory for a trial: end other programs, and try again");
	return memory;
}

/*
 * Open a file that can be read without the page cache.  Nothing is written: it is a file that
 * exists, such as this program, or a temporary file without a name.
 */
static int open_direct(void *memory)
{
	static const char * const folders[] = { "/var/tmp", "/tmp", "/dev/shm", "." };
	int fd = open("/proc/self/exe", O_RDONLY | O_DIRECT | O_CLOEXEC);
	size_t i;

	if (fd >= 0 && pread(fd, memory, BLOCK, 0) == BLOCK)
		return fd;
	if (fd >= 0)
		close(fd);
	for (i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		fd = open(folders[i], O_TMPFILE | O_RDWR | O_DIRECT | O_CLOEXEC, 0600);
		if (fd < 0)
			continue;
		if (pwrite(fd, memory, BLOCK, 0) == BLOCK && pread(fd, memory, BLOCK, 0) == BLOCK)
			return fd;
		close(fd);
	}
	return -1;
}

static void try_o_direct(void *memory, void *mapping)
{
	int fd = open_direct(memory);

	if (fd < 0) {
		report("o-direct-untried", NULL, "No file was found that O_DIRECT can read: run "
		       "doctor in a folder of a local file system.");
		return;
	}
	if (pread(fd, mapping, BLOCK, 0) == BLOCK)
		report("o-direct", NULL, "O_DIRECT reads into mappings of PAGE_BACKED buffers.");
	else
		report("o-direct-refused", NULL, "O_DIRECT does not read into a mapping of a "
		       "PAGE_BACKED buffer (%s): read into other memory and copy, and report the "
		       "kernel's version.", strerror(errno));
	close(fd);
}

static int register_buffer(int ring, void *address)
{
	struct iovec part = { address, TRIAL_SIZE };

	if (syscall(__NR_io_uring_register, ring, IORING_REGISTER_BUFFERS, &part, 1))
		return -errno;
	syscall(__NR_io_uring_register, ring, IORING_UNREGISTER_BUFFERS, NULL, 0);
	return 0;
}

static void try_io_uring(void *memory, void *mapping)
{
	struct io_uring_params params = {};
	int ring = syscall(__NR_io_uring_setup, 1, &params), ret;

	/* without io_uring there is a finding of the group "kernel" */
	if (ring < 0)
		return;
	ret = register_buffer(ring, mapping);
	if (!ret)
		report("io-uring-buffers", NULL, "io_uring takes mappings of PAGE_BACKED buffers "
		       "as fixed buffers.");
	else if (register_buffer(ring, memory))
		report("io-uring-buffers-refused", NULL, "io_uring takes no memory at all as a "
		       "fixed buffer (%s): raise the limit of locked memory (ulimit -l).",
		       strerror(-ret));
	else
		report("io-uring-buffers-refused", NULL, "io_uring takes ordinary memory as a "
		       "fixed buffer, but no mapping of a PAGE_BACKED buffer (%s): use plain reads "
		       "and writes, or a kernel from 6.12 on.", strerror(-ret));
	close(ring);
}

static int register_umem(void *address)
{
	struct xdp_umem_reg umem = {
		.addr = (uintptr_t)address, .len = TRIAL_SIZE, .chunk_size = BLOCK,
	};
	int fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0), ret;

	if (fd < 0)
		return -errno;
	ret = setsockopt(fd, SOL_XDP, XDP_UMEM_REG, &umem, sizeof(umem)) ? -errno : 0;
	close(fd);
	return ret;
}

static void try_af_xdp(void *memory, void *mapping)
{
	int ret = register_umem(memory);

	if (ret == -EPERM || ret == -EACCES) {
		report("af-xdp-permission", NULL, "You may not use AF_XDP: run as root, or with "
		       "CAP_NET_RAW.");
		return;
	}
	if (ret) {
		report("af-xdp-missing", NULL, "The kernel takes no memory for AF_XDP (%s): to "
		       "receive packets into buffers use a kernel with CONFIG_XDP_SOCKETS.",
		       strerror(-ret));
		return;
	}
	ret = register_umem(mapping);
	if (ret)
		report("af-xdp-refused", NULL, "AF_XDP takes ordinary memory, but no mapping of a "
		       "PAGE_BACKED buffer (%s): copy the packets, and report the kernel's "
		       "version.", strerror(-ret));
	else
		report("af-xdp", NULL, "AF_XDP takes mappings of PAGE_BACKED buffers for its "
		       "packets.");
}

/*
 * Zero-copy receive of io_uring.  The headers of Debian stable do not have it, so its structs are
 * here: struct io_uring_zcrx_area_reg, io_uring_region_desc and io_uring_zcrx_ifq_reg of the UAPI.
 */
#define REGISTER_ZCRX_IFQ	32
#define ZCRX_WITHOUT_DEVICE	2	/* ZCRX_REG_NODEV: all data is copied */
#define REGION_IS_USERS		1	/* IORING_MEM_REGION_TYPE_USER */
#define NEEDED_FLAGS \
	(IORING_SETUP_CQE32 | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_SINGLE_ISSUER)

struct zcrx_area {
	uint64_t addr, len, token;
	uint32_t flags, dmabuf;
	uint64_t reserved[2];
};

struct zcrx_region {
	uint64_t addr, size;
	uint32_t flags, id;
	uint64_t offset, reserved[4];
};

struct zcrx_queue {
	uint32_t device, queue, entries, flags;
	uint64_t area, region;
	struct {
		uint32_t head, tail, entries, reserved;
		uint64_t more[2];
	} offsets;
	uint32_t id, length;
	uint64_t event, reserved[2];
};

static int register_zcrx(void *address, void *rings)
{
	struct io_uring_params params = { .flags = NEEDED_FLAGS };
	struct zcrx_area area = { .addr = (uintptr_t)address, .len = TRIAL_SIZE };
	struct zcrx_region region = {
		.addr = (uintptr_t)rings, .size = BLOCK, .flags = REGION_IS_USERS,
	};
	struct zcrx_queue queue = {
		.entries = 16, .flags = ZCRX_WITHOUT_DEVICE, .area = (uintptr_t)&area,
		.region = (uintptr_t)&region,
	};
	int ring = syscall(__NR_io_uring_setup, 8, &params), ret;

	if (ring < 0)
		return -errno;
	ret = syscall(__NR_io_uring_register, ring, REGISTER_ZCRX_IFQ, &queue, 1) ? -errno : 0;
	close(ring);
	return ret;
}

static void try_zcrx(void *memory, void *mapping)
{
	void *rings = ordinary_memory();
	int ret = register_zcrx(memory, rings);

	if (ret == -EPERM || ret == -EACCES) {
		report("zcrx-permission", NULL, "You may not use zero-copy receive of io_uring, or "
		       "io_uring at all: run as root, or with CAP_NET_ADMIN.");
	} else if (ret) {
		report("zcrx-missing", NULL, "The kernel has no zero-copy receive of io_uring that "
		       "works without a network card (%s): use a kernel with CONFIG_IO_URING_ZCRX, "
		       "or AF_XDP.", strerror(-ret));
	} else {
		ret = register_zcrx(mapping, rings);
		if (ret)
			report("zcrx-refused", NULL, "Zero-copy receive takes ordinary memory, but "
			       "no mapping of a PAGE_BACKED buffer (%s): use AF_XDP, and report "
			       "the kernel's version.", strerror(-ret));
		else
			report("zcrx", NULL, "Zero-copy receive of io_uring takes mappings of "
			       "PAGE_BACKED buffers.");
	}
	munmap(rings, TRIAL_SIZE);
}

void examine_mappings(const struct patients *patients)
{
	int buffer = trial_buffer(patients, TRIAL_SIZE, false, SLUICE_MEM_PAGE_BACKED);
	void *mapping = NULL, *memory;

	if (patients->memory < 0 || buffer < 0 || sluice_map(buffer, TRIAL_SIZE, &mapping)) {
		if (buffer >= 0)
			close(buffer);
		report("mappings-untried", NULL, "Mappings were not tried, because no heap 'pages' "
		       "gave a buffer with PAGE_BACKED: first do what the findings above say.");
		return;
	}
	show_progress("trying mappings");
	memory = ordinary_memory();
	try_o_direct(memory, mapping);
	try_io_uring(memory, mapping);
	try_af_xdp(memory, mapping);
	try_zcrx(memory, mapping);
	munmap(memory, TRIAL_SIZE);
	munmap(mapping, TRIAL_SIZE);
	close(buffer);
}
