// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which basic blocks of our modules were ever reached, in whatever context:
 * KCOV itself knows only system calls of tasks that asked.  Built for kernels
 * with KCOV alone.
 *
 * A block is written down by name when it is reached for the first time, because
 * its module may be gone, and another one in its place, when somebody reads
 *
 *	/sys/kernel/debug/sluice/coverage	one line a block: function+offset
 *
 * The table takes no lock: blocks are reached in interrupts, too.
 */
#include <linux/atomic.h>
#include <linux/debugfs.h>
#include <linux/export.h>
#include <linux/hash.h>
#include <linux/kcov.h>
#include <linux/seq_file.h>

#include "core.h"

#define SLUICE_COVERAGE_BITS	13
#define SLUICE_COVERAGE_SIZE	(1U << SLUICE_COVERAGE_BITS)
#define SLUICE_COVERAGE_NAME	88

/**
 * struct sluice_block - a basic block that was reached
 * @pc: 0 while the entry is free
 * @named: @name is complete
 * @name: "function+offset/size [module]", cut off if it must be
 */
struct sluice_block {
	unsigned long pc;
	bool named;
	char name[SLUICE_COVERAGE_NAME];
};

static struct sluice_block sluice_blocks[SLUICE_COVERAGE_SIZE];

static void sluice_coverage_note(unsigned long pc)
{
	unsigned int i, tries;

	i = hash_long(pc, SLUICE_COVERAGE_BITS);
	for (tries = 0; tries < SLUICE_COVERAGE_SIZE; tries++) {
		struct sluice_block *block = &sluice_blocks[i];
		unsigned long seen = READ_ONCE(block->pc);

		if (!seen)
			seen = cmpxchg(&block->pc, 0, pc);
		if (seen == pc)
			return;
		if (!seen) {
			snprintf(block->name, sizeof(block->name), "%pS", (void *)pc);
			smp_store_release(&block->named, true);
			return;
		}
		i = (i + 1) % SLUICE_COVERAGE_SIZE;
	}
}

/**
 * sluice_coverage - called by the compiler in each basic block
 *
 * Hands on to KCOV with a jump, not a call: KCOV looks at its return address.
 * Context: any.
 */
void notrace sluice_coverage(void)
{
	sluice_coverage_note((unsigned long)__builtin_return_address(0));
	__sanitizer_cov_trace_pc();
}
EXPORT_SYMBOL_GPL(sluice_coverage);

static int sluice_coverage_show(struct seq_file *m, void *data)
{
	unsigned int i;

	for (i = 0; i < SLUICE_COVERAGE_SIZE; i++)
		if (smp_load_acquire(&sluice_blocks[i].named))
			seq_printf(m, "%s\n", sluice_blocks[i].name);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(sluice_coverage);

void sluice_coverage_init(struct dentry *debugfs)
{
	debugfs_create_file("coverage", 0400, debugfs, NULL, &sluice_coverage_fops);
}
