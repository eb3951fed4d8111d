/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * On kernels with KCOV, the compiler includes this header before every file of Sluice's modules.
 * It calls __sanitizer_cov_trace_pc() in each basic block.  The directive below makes the assembler
 * call sluice_coverage() instead: see coverage.c.  SLUICE_COVERAGE tells debugfs.c to call
 * sluice_coverage_init().
 */
#ifndef _SLUICE_COVERAGE_H
#define _SLUICE_COVERAGE_H

#define SLUICE_COVERAGE

#ifndef __ASSEMBLY__
struct dentry;

#ifndef SLUICE_COVERAGE_ITSELF
asm(".set __sanitizer_cov_trace_pc, sluice_coverage");
#endif
void sluice_coverage(void);
void sluice_coverage_init(struct dentry *debugfs);
#endif

#endif /* _SLUICE_COVERAGE_H */
