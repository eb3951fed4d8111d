/* SPDX-License-Identifier: MIT */
/* Sound for an AC97, for ac97.c and outoftree.c; include it after the harness. */
#ifndef SOUND_H
#define SOUND_H

#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>

#include "harness.h"
#include "sluice.h"

/*
 * The sound consists of words that count.  Each word is a sample of both channels.  The host looks
 * for gaps in the file that QEMU writes.  Each test has words of its own, from TONE(n) on: ac97 has
 * n from 1 to 6, outoftree 7 and 8.
 */
#define TONE(n) ((n) << 24 | 1U)

/* Allocate a buffer of words that count from @first on; -1 on failure. */
static inline int alloc_sound(int device, int heap, size_t size, uint32_t first)
{
	int buffer = sluice_alloc(device, heap, size, 0);
	uint32_t *words;
	size_t i;

	if (buffer < 0 || sluice_map(buffer, size, (void **)&words))
		return -1;
	sluice_cpu_begin(buffer, true);
	for (i = 0; i < size / 4; i++)
		words[i] = first + i;
	sluice_cpu_end(buffer, true);
	munmap(words, size);
	return buffer;
}

/* Tell selftests/vm/heard which words are in the file, and how many gaps. */
static inline void tell_sound(int tone, unsigned long words, int least, int most)
{
	printf("# has played %d=%lu:%d:%d\n", tone, words, least, most);
	fflush(stdout);
}

/* Check that sequence and dropped account for all frames.  Returns how often the sound stopped. */
static inline int check_account(struct __test_metadata *_metadata,
				const struct sluice_completion *frames, int count, uint64_t size)
{
	int i, stopped = 0;

	for (i = 0; i < count; i++) {
		EXPECT_EQ(frames[i].status, 0) TH_LOG("frame %d", i);
		EXPECT_EQ(frames[i].bytes, size);
		if (!i)
			continue;
		EXPECT_EQ(frames[i].sequence, frames[i - 1].sequence + 1 + frames[i].dropped);
		EXPECT_GE(frames[i].timestamp, frames[i - 1].timestamp);
		stopped += frames[i].dropped;
	}
	return stopped;
}

#endif /* SOUND_H */
