// SPDX-License-Identifier: GPL-2.0-only
/*
 * Coverage: the basic blocks of Sluice's modules that have run, in any context.  KCOV itself
 * records only system calls of tasks that have asked for it.  Only kernels with KCOV have this
 * file.
 *
 * The file owns a table of blocks, and shows it as
 *
 *	/sys/kernel/debug/sluice/coverage	one line for each block: function+offset
 *
 * The name of a block is stored when the block runs for the first time.  A later reader could not
 * find the name, because the module may be unloaded, and another module may be loaded at the same
 * address.
 *
 * The table has no lock, because blocks also run in interrupts.  An entry belongs to the context
 * that has set its @pc by cmpxchg().  The compiler adds the calls of sluice_coverage().
 */
#include <linux/atomic.h>
#include <linux/debugfs.h>
#include <linux/export.h>
#include <linux/hash.h>
#include <linux/kcov.h>
#include <linux/seq_file.h>

#include "coverage.h"

#define SLUICE_COVERAGE_BITS	13
#define SLUICE_COVERAGE_SIZE	(1U << SLUICE_COVERAGE_BITS)
#define SLUICE_COVERAGE_NAME	88

/**
 * struct sluice_block - a basic block that was reached
 * @pc: address of the block; 0 while the entry is free
 * @named: @name is complete, and does not change any more
 * @name: "function+offset/size [module]", cut off at SLUICE_COVERAGE_NAME - 1 characters
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
			/* the name first: pairs with the load in sluice_coverage_show() */
			smp_store_release(&block->named, true);
			return;
		}
		i = (i + 1) % SLUICE_COVERAGE_SIZE;
	}
}

/**
 * sluice_coverage - record a basic block; the compiler calls it in each of them
 *
 * It continues in KCOV with a jump, not with a call, because KCOV reads its own return address
 * to find the block.
 *
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
		/* pairs with the store in sluice_coverage_note(): a complete name, or none */
		if (smp_load_acquire(&sluice_blocks[i].named))
			seq_printf(m, "%s\n", sluice_blocks[i].name);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(sluice_coverage);

/**
 * sluice_coverage_init - add the file of the table
 * @debugfs: directory of sluice.ko
 *
 * Context: may sleep.
 */
void sluice_coverage_init(struct dentry *debugfs)
{
	debugfs_create_file("coverage", 0400, debugfs, NULL, &sluice_coverage_fops);
}
