/* SPDX-License-Identifier: MIT */
/* Patterns in memory that a test writes and expects. */
#ifndef PATTERN_H
#define PATTERN_H

#include <stddef.h>
#include <stdint.h>

/** crc32 - continue the checksum that soft0's screen shows; @crc is 0 at the start */
uint32_t crc32(uint32_t crc, const void *data, size_t length);

/** expected_raw - word @index of raw frame @sequence of the test pattern */
uint32_t expected_raw(uint64_t sequence, size_t index);

/** expected_word - word @index of the memory pattern @seed */
uint32_t expected_word(uint32_t seed, size_t index);

/** fill_words - write a pattern with the CPU, bracketed; returns 0 or -errno */
int fill_words(int dmabuf, size_t size, uint32_t seed);

/** check_words - compare a dma-buf with a pattern; -EILSEQ if it differs */
int check_words(int dmabuf, size_t size, uint32_t seed);

/** check_value - compare each word of a dma-buf with one value; -EILSEQ if it differs */
int check_value(int dmabuf, size_t size, uint32_t value);

#endif /* PATTERN_H */
