/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * On kernels with KCOV, the compiler includes this header before every file of our modules.  It
 * calls __sanitizer_cov_trace_pc() in each basic block.  The directive below makes the assembler
 * call sluice_coverage() instead: see coverage.c.
 */
#ifndef _SLUICE_COVERAGE_H
#define _SLUICE_COVERAGE_H

#ifndef __ASSEMBLY__
#ifndef SLUICE_COVERAGE_ITSELF
asm(".set __sanitizer_cov_trace_pc, sluice_coverage");
#endif
void sluice_coverage(void);
#endif

#endif /* _SLUICE_COVERAGE_H */
