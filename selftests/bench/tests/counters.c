// SPDX-License-Identifier: MIT
/* The counters of the plugin for QEMU, with which make bench PROFILE= and SCALE= count. */
#include <string.h>

#include "../plugin/count.h"
#include "../plugin/decode.h"
#include "../plugin/lines.h"
#include "harness.h"
#include "marker.h"

#define KERNEL(n)	(0xffffffff81000000 + (n))

static unsigned int flags_of(const char *code, size_t size)
{
	return decode((const uint8_t *)code, size);
}

#define FLAGS(code)	flags_of(code, sizeof(code) - 1)

TEST(operations_with_lock_are_recognized)
{
	EXPECT_EQ(INSN_LOCK, FLAGS("\xf0\xff\x00"));		/* lock incl (%rax) */
	EXPECT_EQ(INSN_LOCK, FLAGS("\xf0\x48\x0f\xb1\x0f"));	/* lock cmpxchg %rcx,(%rdi) */
	EXPECT_EQ(INSN_LOCK, FLAGS("\x65\xf0\x0f\xba\x28\x01"));	/* lock btsl in %gs */
	EXPECT_EQ(INSN_LOCK, FLAGS("\x48\x87\x07"));		/* xchg %rax,(%rdi) */
	EXPECT_EQ(INSN_LOCK, FLAGS("\x86\x45\x00"));		/* xchg %al,0(%rbp) */
	EXPECT_EQ(0, FLAGS("\x87\xc3"));			/* xchg %eax,%ebx */
	EXPECT_EQ(0, FLAGS("\x3e\xff\x00"));			/* incl, with a removed LOCK */
	EXPECT_EQ(0, FLAGS("\xb8\xf0\xf0\xf0\xf0"));		/* mov $0xf0f0f0f0,%eax */
}

TEST(switches_of_interrupts_and_calls_are_recognized)
{
	EXPECT_EQ(INSN_CLI, FLAGS("\xfa"));
	EXPECT_EQ(INSN_STI, FLAGS("\xfb"));
	EXPECT_EQ(INSN_POPF, FLAGS("\x9d"));
	EXPECT_EQ(INSN_IRET, FLAGS("\x48\xcf"));
	EXPECT_EQ(INSN_SYSCALL, FLAGS("\x0f\x05"));
	EXPECT_EQ(INSN_SYSRET, FLAGS("\x48\x0f\x07"));
	EXPECT_EQ(INSN_CALL, FLAGS("\xe8\x00\x00\x00\x00"));
	EXPECT_EQ(INSN_CALL, FLAGS("\xff\xd0"));		/* call *%rax */
	EXPECT_EQ(INSN_CALL, FLAGS("\x41\xff\x53\x08"));	/* call *8(%r11) */
	EXPECT_EQ(INSN_RET, FLAGS("\xc3"));
	EXPECT_EQ(0, FLAGS("\xff\xe0"));			/* jmp *%rax */
	EXPECT_EQ(0, FLAGS("\x0f\xfa\xc1"));			/* psubd */
	EXPECT_EQ(0, FLAGS("\x0f\xc3\x07"));			/* movnti */
	EXPECT_EQ(0, FLAGS("\xf3"));
}

TEST(only_markers_are_markers)
{
	static const uint8_t nop[] = { 0x0f, 0x1f, 0x80, 0, 0, 0, 0 };
	uint32_t displacement = MARKER_MAGIC + MARKER_END;
	uint8_t marker[sizeof(nop)];

	memcpy(marker, nop, sizeof(nop));
	memcpy(&marker[3], &displacement, sizeof(displacement));
	EXPECT_EQ(MARKER_END, decode_marker(marker, sizeof(marker)));
	EXPECT_EQ(0, decode_marker(marker, sizeof(marker) - 1));
	EXPECT_EQ(0, decode_marker(nop, sizeof(nop)));
}

/* One instruction of the kernel. */
static void run(unsigned int cpu, unsigned int number, unsigned int flags)
{
	count_executed(cpu, place_find(KERNEL(number), flags));
}

static void step_of(unsigned int cpu, unsigned int instructions)
{
	unsigned int i;

	count_begin(cpu);
	for (i = 0; i < instructions; i++)
		run(cpu, i, 0);
	count_end(cpu);
}

/* The text that is written for the side. */
static const char *printed(void)
{
	static char text[1 << 16];
	FILE *out;

	memset(text, 0, sizeof(text));
	out = fmemopen(text, sizeof(text) - 1, "w");
	count_print(out);
	lines_print(out);
	fclose(out);
	return text;
}

static bool prints(const char *line)
{
	return strstr(printed(), line);
}

TEST(steps_between_the_quartiles_count)
{
	static const unsigned int lengths[] = { 10, 900, 10, 10, 1, 10, 10, 12 };
	size_t i;

	count_side();
	for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
		step_of(0, lengths[i]);
	EXPECT_TRUE(prints("steps 8 4 10 40\n"));
	EXPECT_TRUE(prints("place ffffffff81000009 0 4 0\n"));
	EXPECT_FALSE(prints("place ffffffff8100000a"));
}

TEST(instructions_outside_of_steps_and_in_pauses_do_not_count)
{
	count_side();
	run(0, 1, 0);
	count_begin(0);
	run(0, 2, 0);
	count_pause(0, true);
	run(0, 3, 0);
	count_pause(0, false);
	run(0, 4, 0);
	count_end(0);
	run(0, 5, 0);
	count_pause(0, false);
	run(0, 6, 0);
	EXPECT_TRUE(prints("steps 1 1 2 2\n"));
}

TEST(void_and_mixed_steps_do_not_count)
{
	count_side();
	step_of(0, 10);
	step_of(1, 20);
	count_void(0);
	EXPECT_TRUE(prints("steps 1 1 20 20\n"));
	count_begin(2);
	run(2, 1, 0);
	step_of(2, 5);	/* another thread, on the same CPU */
	run(2, 2, 0);
	count_end(2);
	EXPECT_TRUE(prints("steps 1 1 20 20\n"));
	step_of(2, 7);
	EXPECT_TRUE(prints("steps 2 2 20 27\n"));
}

TEST(longest_time_with_interrupts_off_has_its_start_and_its_caller)
{
	count_side();
	count_begin(0);
	run(0, 1, INSN_CLI);
	run(0, 2, 0);
	run(0, 3, INSN_STI);
	run(0, 4, 0);
	run(0, 5, INSN_CALL);
	run(0, 10, INSN_CLI);
	run(0, 11, INSN_CALL);
	run(0, 20, INSN_RET);
	run(0, 12, INSN_RET);
	run(0, 6, 0);
	run(0, 7, INSN_STI);
	run(0, 8, 0);
	count_end(0);
	/* from behind CLI, with STI: 11, 20, 12, 6, 7 */
	EXPECT_TRUE(prints("off 5 ffffffff8100000b ffffffff81000006\n"));
}

TEST(interrupts_are_off_in_an_interrupt_and_as_before_after_it)
{
	count_side();
	count_begin(0);
	run(0, 1, 0);
	run(0, 50, PLACE_ENTRY);
	run(0, 51, INSN_IRET);
	run(0, 2, 0);
	run(0, 3, INSN_CLI);
	run(0, 60, PLACE_ENTRY);	/* an exception */
	run(0, 61, INSN_IRET);
	run(0, 4, 0);
	run(0, 5, INSN_STI);
	run(0, 6, 0);
	count_end(0);
	EXPECT_TRUE(prints("off 4 ffffffff8100003c"));
}

TEST(system_call_has_interrupts_off_until_it_enables_them)
{
	count_side();
	count_begin(0);
	count_executed(0, place_find(0, PLACE_USER | INSN_SYSCALL));
	run(0, 1, 0);
	run(0, 2, INSN_STI);
	run(0, 3, 0);
	run(0, 4, INSN_CLI);
	run(0, 5, 0);
	run(0, 6, 0);
	run(0, 7, INSN_SYSRET);
	count_executed(0, place_find(0, PLACE_USER));
	count_end(0);
	EXPECT_TRUE(prints("off 3 ffffffff81000005"));
}

TEST(instructions_of_the_kernel_count_for_the_last_call_of_a_module)
{
	count_side();
	count_begin(0);
	run(0, 1, INSN_CALL);				/* the kernel calls a module */
	run(0, 2, PLACE_MODULE);
	run(0, 3, PLACE_MODULE | INSN_CALL);
	run(0, 10, INSN_CALL);
	run(0, 20, INSN_RET);
	run(0, 11, INSN_RET);
	run(0, 4, PLACE_MODULE | INSN_CALL);		/* and this calls a function of its own */
	run(0, 30, PLACE_MODULE | INSN_RET);
	run(0, 5, PLACE_MODULE | INSN_RET);
	run(0, 6, 0);
	count_end(0);
	EXPECT_TRUE(prints("place ffffffff81000003 40080 1 3\n"));
	EXPECT_TRUE(prints("place ffffffff81000004 40080 1 0\n"));
	EXPECT_TRUE(prints("place ffffffff81000001 80 1 0\n"));
}

/* A step that accesses one place in memory. */
static void touch(unsigned int cpu, uint64_t address, bool store)
{
	count_begin(cpu);
	lines_touched(cpu, place_find(KERNEL(cpu), 0), address, KERNEL(address), store);
	count_end(cpu);
}

TEST(lines_are_shared_if_one_cpu_writes_and_another_touches)
{
	count_side();
	lines_forget();
	touch(0, 0x1008, true);
	touch(0, 0x1010, true);
	EXPECT_FALSE(prints("line"));	/* of one CPU alone */
	touch(0, 0x2000, false);
	touch(1, 0x2000, false);
	EXPECT_FALSE(prints("line"));	/* only read */
	touch(1, 0x103f, false);
	EXPECT_TRUE(prints("line 1000 3 2 2 1\n"));
	touch(2, 0x1040, true);				/* the next line */
	EXPECT_FALSE(prints("line 1040"));
	lines_forget();
	EXPECT_FALSE(prints("line"));
}

TEST(line_counts_once_in_a_step_and_not_outside_of_steps)
{
	count_side();
	lines_forget();
	count_begin(0);
	lines_touched(0, place_find(KERNEL(0), 0), 0x1000, KERNEL(0x1000), true);
	lines_touched(0, place_find(KERNEL(0), 0), 0x1004, KERNEL(0x1004), true);
	lines_touched(0, place_find(0, PLACE_USER), 0x3000, 0x3000, true);
	count_end(0);
	touch(1, 0x1000, false);
	touch(1, 0x3000, false);
	lines_touched(2, place_find(KERNEL(2), 0), 0x1000, KERNEL(0x1000), true);
	EXPECT_TRUE(prints("line 1000 2 1 2 1\n"));
	EXPECT_FALSE(prints("line 3000"));
}

TEST_HARNESS_MAIN
