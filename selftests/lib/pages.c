// SPDX-License-Identifier: MIT
/* See pages.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "machine.h"
#include "pages.h"

uint64_t frame_of(const volatile void *address)
{
	int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t entry = 0;

	(void)*(const volatile char *)address;
	if (pread(pagemap, &entry, sizeof(entry), (uintptr_t)address / 4096 * 8) != sizeof(entry))
		entry = 0;
	close(pagemap);
	return entry >> 63 ? entry & ((1ULL << 55) - 1) : 0;
}

bool reserve_huge_pages(int count)
{
	static const char path[] = "/proc/sys/vm/nr_hugepages";
	char text[16];

	snprintf(text, sizeof(text), "%d", count);
	write_text(path, text);
	if (number_of("/proc/meminfo", "HugePages_Free:") >= count)
		return true;
	write_text(path, "0");
	return false;
}

int sealed_memfd(unsigned int flags, off_t size, int seals)
{
	int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING | flags), ret;

	if (fd < 0)
		return -errno;
	if (!ftruncate(fd, size) && (!seals || !fcntl(fd, F_ADD_SEALS, seals)))
		return fd;
	ret = -errno;
	close(fd);
	return ret;
}

int seal_writes(int memfd)
{
	int64_t begin = now_ns();
	int ret;

	do {
		ret = fcntl(memfd, F_ADD_SEALS, F_SEAL_WRITE) ? -errno : 0;
	} while (ret == -EBUSY && now_ns() - begin < LATE_MS * 1000000LL);
	return ret;
}
