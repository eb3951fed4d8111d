/* SPDX-License-Identifier: MIT */
/* Decodes x86-64 instructions, as far as the profile needs it. */
#ifndef BENCH_DECODE_H
#define BENCH_DECODE_H

#include <stddef.h>
#include <stdint.h>

/**
 * enum insn_flags - properties of an instruction
 * @INSN_LOCK: an atomic operation on memory: it has a LOCK prefix, or is an XCHG with memory
 * @INSN_CLI: switches interrupts off
 * @INSN_STI: switches interrupts on
 * @INSN_POPF: loads the flags, and with them the state of interrupts
 * @INSN_IRET: returns from an interrupt or an exception
 * @INSN_SYSCALL: enters the kernel
 * @INSN_SYSRET: leaves the kernel
 * @INSN_CALL: calls a function
 * @INSN_RET: returns from one
 */
enum insn_flags {
	INSN_LOCK = 1 << 0,
	INSN_CLI = 1 << 1,
	INSN_STI = 1 << 2,
	INSN_POPF = 1 << 3,
	INSN_IRET = 1 << 4,
	INSN_SYSCALL = 1 << 5,
	INSN_SYSRET = 1 << 6,
	INSN_CALL = 1 << 7,
	INSN_RET = 1 << 8,
};

/**
 * decode - find the properties of an instruction
 * @code: its bytes
 * @size: their number
 *
 * Return: flags of enum insn_flags.
 */
unsigned int decode(const uint8_t *code, size_t size);

/**
 * decode_marker - find out whether an instruction is a marker
 * @code: its bytes
 * @size: their number
 *
 * Return: the number of the marker (marker.h), or 0.
 */
unsigned int decode_marker(const uint8_t *code, size_t size);

#endif /* BENCH_DECODE_H */
