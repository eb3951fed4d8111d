// SPDX-License-Identifier: MIT
/* See import.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "import.h"
#include "modules.h"
#include "pattern.h"

static int number(int fd, unsigned long request, const void *argument)
{
	int ret = ioctl(fd, request, argument);

	return ret < 0 ? -errno : ret;
}

bool import_load(void)
{
	return !access("/dev/sluice-importer", F_OK) ||
	       (!module_load("sluice-importer") && !system("udevadm settle"));
}

int import_open(void)
{
	return open("/dev/sluice-importer", O_RDWR | O_CLOEXEC);
}

int import_device(int importer, unsigned int bits, unsigned int max_seg, uint64_t boundary)
{
	struct importer_device args = {
		.dma_bits = bits, .max_seg = max_seg, .boundary = boundary,
	};

	return number(importer, IMPORTER_DEVICE, &args);
}

int import_pci(int importer, const char *name, unsigned int bits, unsigned int max_seg,
	       uint64_t boundary)
{
	struct importer_pci args = {
		.dma_bits = bits, .max_seg = max_seg, .boundary = boundary,
	};

	snprintf(args.name, sizeof(args.name), "%s", name);
	return number(importer, IMPORTER_PCI, &args);
}

int import_attach(int importer, int device, int fd, unsigned int flags)
{
	struct importer_attach args = { .fd = fd, .device = device, .flags = flags };

	return number(importer, IMPORTER_ATTACH, &args);
}

int import_detach(int importer, long attachment)
{
	return number(importer, IMPORTER_DETACH, (void *)attachment);
}

int import_pin(int importer, long attachment)
{
	return number(importer, IMPORTER_PIN, (void *)attachment);
}

int import_unpin(int importer, long attachment)
{
	return number(importer, IMPORTER_UNPIN, (void *)attachment);
}

void *import_mmap(int importer, int attachment, size_t size, int prot)
{
	return mmap(NULL, size, prot, MAP_SHARED, importer,
		    (off_t)attachment * sysconf(_SC_PAGESIZE));
}

int import_block(int importer, int fd)
{
	return number(importer, IMPORTER_BLOCK, (void *)(long)fd);
}

int import_unblock(int importer)
{
	return number(importer, IMPORTER_UNBLOCK, NULL);
}

int import_map(int importer, int attachment, unsigned int dir, struct importer_map *args)
{
	*args = (struct importer_map) { .attachment = attachment, .dir = dir };
	return number(importer, IMPORTER_MAP, args);
}

int import_unmap(int importer, long mapping)
{
	return number(importer, IMPORTER_UNMAP, (void *)mapping);
}

int import_differing(int importer, int mapping, size_t size, uint32_t seed)
{
	struct importer_word word = { .mapping = mapping };
	int wrong = 0;

	/* about two words on each page, at changing offsets */
	for (word.offset = 0; word.offset < size; word.offset += 2044)
		wrong += number(importer, IMPORTER_READ, &word) != 0 ||
			 word.value != expected_word(seed, word.offset / 4);
	return wrong;
}
