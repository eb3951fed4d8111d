// SPDX-License-Identifier: MIT
/* See buffers.h. */
#include <errno.h>
#include <unistd.h>

#include "buffers.h"
#include "machine.h"
#include "sluice.h"

int alloc_hint(int device, int heap, uint64_t size, uint32_t *hint)
{
	struct sluice_alloc args = { .size = size, .heap = heap };
	int ret = xioctl(device, SLUICE_IOCTL_ALLOC, &args);

	*hint = args.hint;
	return ret ?: args.fd;
}

int is_beyond(int device, int dmabuf, unsigned int bits)
{
	static const char path[] = "/sys/module/sluice/parameters/expose_addresses";
	struct sluice_buffer_info info = {};
	int ret = write_text(path, "Y");

	if (ret)
		return ret;
	ret = sluice_buffer_info(device, dmabuf, &info);
	write_text(path, "N");
	if (!ret && !info.address)
		ret = -ENXIO;
	return ret ?: info.address >> bits != 0;
}

int wrap_error(int device, int memfd, uint64_t offset, uint64_t size)
{
	int fd = sluice_wrap(device, memfd, offset, size);

	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}
