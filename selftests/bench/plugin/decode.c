// SPDX-License-Identifier: MIT
/* Decodes x86-64 instructions, as far as the profile needs it. */
#include <stdbool.h>

#include "marker.h"
#include "decode.h"

static bool is_prefix(uint8_t byte)
{
	switch (byte) {
	case 0x26: case 0x2e: case 0x36: case 0x3e: case 0x64: case 0x65:
	case 0x66: case 0x67: case 0xf0: case 0xf2: case 0xf3:
		return true;
	default:
		return (byte & 0xf0) == 0x40;	/* REX */
	}
}

static unsigned int decode_two(uint8_t opcode)
{
	return opcode == 0x05 ? INSN_SYSCALL : opcode == 0x07 ? INSN_SYSRET : 0;
}

static unsigned int decode_one(uint8_t opcode, uint8_t modrm)
{
	switch (opcode) {
	case 0x86: case 0x87:	/* XCHG: locks if one operand is memory */
		return modrm >> 6 == 3 ? 0 : INSN_LOCK;
	case 0x9d:
		return INSN_POPF;
	case 0xc2: case 0xc3:
		return INSN_RET;
	case 0xcf:
		return INSN_IRET;
	case 0xe8:
		return INSN_CALL;
	case 0xfa:
		return INSN_CLI;
	case 0xfb:
		return INSN_STI;
	case 0xff:	/* a group: the second and third are CALL */
		return ((modrm >> 3 & 7) == 2 || (modrm >> 3 & 7) == 3) ? INSN_CALL : 0;
	default:
		return 0;
	}
}

unsigned int decode(const uint8_t *code, size_t size)
{
	unsigned int flags = 0;
	size_t i = 0;

	for (; i < size && is_prefix(code[i]); i++)
		if (code[i] == 0xf0)
			flags = INSN_LOCK;
	if (i == size)
		return 0;
	if (code[i] == 0x0f)
		return flags | (i + 1 < size ? decode_two(code[i + 1]) : 0);
	return flags | decode_one(code[i], i + 1 < size ? code[i + 1] : 0);
}

unsigned int decode_marker(const uint8_t *code, size_t size)
{
	uint32_t displacement;

	if (size != 7 || code[0] != 0x0f || code[1] != 0x1f || code[2] != 0x80)
		return 0;
	displacement = code[3] | code[4] << 8 | code[5] << 16 | (uint32_t)code[6] << 24;
	return (displacement & ~0xffu) == MARKER_MAGIC ? displacement & 0xff : 0;
}
