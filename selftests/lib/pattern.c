// SPDX-License-Identifier: MIT
/* See pattern.h. */
#include <errno.h>
#include <sys/mman.h>

#include "pattern.h"
#include "sluice.h"

uint32_t crc32(uint32_t crc, const void *data, size_t length)
{
	const uint8_t *byte = data;
	int bit;

	for (crc = ~crc; length--; byte++)
		for (crc ^= *byte, bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ 0xedb88320 : crc >> 1;
	return ~crc;
}

uint32_t expected_raw(uint64_t sequence, size_t index)
{
	return (uint32_t)sequence * 0x9e3779b9u + (uint32_t)index;
}

uint32_t expected_word(uint32_t seed, size_t index)
{
	return (seed + (uint32_t)index) * 2654435761u;
}

static int each_word(int dmabuf, size_t size, bool write,
		     int (*visit)(uint32_t *words, size_t count, uint32_t argument),
		     uint32_t argument)
{
	void *memory;
	int ret, end;

	ret = sluice_map(dmabuf, size, &memory);
	if (ret)
		return ret;
	ret = sluice_cpu_begin(dmabuf, write);
	if (!ret) {
		ret = visit(memory, size / sizeof(uint32_t), argument);
		end = sluice_cpu_end(dmabuf, write);
		ret = ret ? ret : end;
	}
	munmap(memory, size);
	return ret;
}

static int visit_fill(uint32_t *words, size_t count, uint32_t seed)
{
	size_t i;

	for (i = 0; i < count; i++)
		words[i] = expected_word(seed, i);
	return 0;
}

static int visit_check(uint32_t *words, size_t count, uint32_t seed)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (words[i] != expected_word(seed, i))
			return -EILSEQ;
	return 0;
}

static int visit_value(uint32_t *words, size_t count, uint32_t value)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (words[i] != value)
			return -EILSEQ;
	return 0;
}

int fill_words(int dmabuf, size_t size, uint32_t seed)
{
	return each_word(dmabuf, size, true, visit_fill, seed);
}

int check_words(int dmabuf, size_t size, uint32_t seed)
{
	return each_word(dmabuf, size, false, visit_check, seed);
}

int check_value(int dmabuf, size_t size, uint32_t value)
{
	return each_word(dmabuf, size, false, visit_value, value);
}
