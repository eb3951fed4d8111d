// SPDX-License-Identifier: MIT
/*
 * A plugin for QEMU's TCG, with which make bench PROFILE= and SCALE= count instructions.
 *
 *	-plugin plugin-1.so,out=FILE,symbols=FILE[,lines=on]
 *
 * The program of the benchmarks executes markers (marker.h). Until the marker that arms the plugin,
 * only markers get a callback, so the guest boots at almost its usual speed. Then all translated
 * code is dropped, and each instruction is translated with a counter.
 *
 * The file of symbols is the guest's /proc/kallsyms, written before that: it tells where interrupts
 * and exceptions enter the kernel. When a side ends, its counters are appended to the file of out=.
 *
 * An instruction that faults, for example at a page that is not there yet, counts twice: it is
 * executed again after the fault.
 */
#include <stdlib.h>
#include <string.h>

#include "marker.h"
#include "count.h"
#include "decode.h"
#include "lines.h"
#include "qemu.h"

#define EXPORT		__attribute__((visibility("default")))
#define MAX_ENTRIES	512
#define MAX_INSN	16
#define MODULES		0xffffffffc0000000	/* modules are from here on */
#define MAX_STUBS	2

EXPORT int qemu_plugin_version = PLUGIN_VERSION;

static uint64_t plugin_id;
static int qemu_version;
static const char *symbols_path;
static FILE *out;
static bool armed, with_lines, in_side;
static uint64_t entries[MAX_ENTRIES];
static size_t num_entries;
/* a row of stubs, one for each vector */
static struct {
	uint64_t start;
	uint64_t end;
} stubs[MAX_STUBS];
static size_t num_stubs;

static void print_side(void)
{
	if (!in_side)
		return;
	in_side = false;
	fputs("side\n", out);
	count_print(out);
	if (with_lines)
		lines_print(out);
	fputs("end\n", out);
	fflush(out);
}

static bool begins(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

/* One line of kallsyms: "ffffffff81000000 T name", perhaps with a module behind it. */
static void read_symbol(const char *line)
{
	uint64_t address = 0;
	const char *name;

	for (; *line && *line != ' '; line++)
		address = address << 4 | (*line <= '9' ? *line - '0' : *line - 'a' + 10);
	if (strlen(line) < 4)
		return;
	name = line + 3;
	if (num_stubs && !stubs[num_stubs - 1].end)
		stubs[num_stubs - 1].end = address;
	if (begins(name, "irq_entries_start") || begins(name, "spurious_entries_start")) {
		if (num_stubs < MAX_STUBS)
			stubs[num_stubs++].start = address;
	} else if (begins(name, "asm_exc_") || begins(name, "asm_sysvec_")) {
		if (num_entries < MAX_ENTRIES)
			entries[num_entries++] = address;
	}
}

static void read_symbols(void)
{
	char line[512];
	FILE *file = symbols_path ? fopen(symbols_path, "r") : NULL;

	if (!file)
		return;
	while (fgets(line, sizeof(line), file))
		read_symbol(line);
	fclose(file);
}

static bool is_entry(uint64_t address)
{
	size_t i;

	for (i = 0; i < num_stubs; i++)
		if (address >= stubs[i].start && address < stubs[i].end && !(address % 8))
			return true;
	for (i = 0; i < num_entries; i++)
		if (address == entries[i])
			return true;
	return false;
}

static void on_insn(unsigned int cpu, void *data)
{
	count_executed(cpu, data);
}

static void on_memory(unsigned int cpu, uint32_t access, uint64_t address, void *data)
{
	const struct qemu_plugin_hwaddr *where;

	if (!count_step(cpu))
		return;
	where = qemu_plugin_get_hwaddr(access, address);
	if (where && !qemu_plugin_hwaddr_is_io(where))
		lines_touched(cpu, data, qemu_plugin_hwaddr_phys_addr(where), address,
			      qemu_plugin_mem_is_store(access));
}

static void on_translated(uint64_t id, struct qemu_plugin_tb *block);

static void rearm(uint64_t id)
{
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translated);
}

static void arm(void)
{
	if (armed)
		return;
	armed = true;
	read_symbols();
	/* drops all translations, later */
	qemu_plugin_reset(plugin_id, rearm);
}

static void on_marker(unsigned int cpu, void *data)
{
	switch ((uintptr_t)data) {
	case MARKER_ARM:
		arm();
		break;
	case MARKER_SIDE:
		print_side();
		in_side = true;
		count_side();
		lines_forget();
		break;
	case MARKER_WARM:
		count_side();
		lines_forget();
		break;
	case MARKER_BEGIN:
		count_begin(cpu);
		break;
	case MARKER_PAUSE:
	case MARKER_RESUME:
		count_pause(cpu, (uintptr_t)data == MARKER_PAUSE);
		break;
	case MARKER_END:
		count_end(cpu);
		break;
	case MARKER_VOID:
		count_void(cpu);
		break;
	case MARKER_DONE:
		print_side();
		break;
	default:
		break;
	}
}

typedef const void *(*old_data)(const struct qemu_plugin_insn *insn);
typedef size_t (*new_data)(const struct qemu_plugin_insn *insn, void *data, size_t size);

/* Copies the bytes of an instruction: since version 3, QEMU does it itself. */
static size_t bytes_of(const struct qemu_plugin_insn *insn, uint8_t *code)
{
	void (*volatile data)(void) = qemu_plugin_insn_data;
	size_t size = qemu_plugin_insn_size(insn);

	size = size < MAX_INSN ? size : MAX_INSN;
	if (qemu_version >= 3)
		return ((new_data)data)(insn, code, size);
	memcpy(code, ((old_data)data)(insn), size);
	return size;
}

static void instrument(struct qemu_plugin_insn *insn)
{
	uint8_t code[MAX_INSN];
	size_t size = bytes_of(insn, code);
	uintptr_t marker = decode_marker(code, size);
	uint64_t address = qemu_plugin_insn_vaddr(insn);
	unsigned int flags;
	struct place *place;

	if (armed) {
		flags = decode(code, size);
		if (!(address >> 63))
			flags |= PLACE_USER, address = 0;
		else if (is_entry(address))
			flags |= PLACE_ENTRY;
		if (address >= MODULES)
			flags |= PLACE_MODULE;
		place = place_find(address, flags);
		qemu_plugin_register_vcpu_insn_exec_cb(insn, on_insn, QEMU_NO_REGISTERS, place);
		if (with_lines && !(flags & PLACE_USER))
			qemu_plugin_register_vcpu_mem_cb(insn, on_memory, QEMU_NO_REGISTERS,
							 QEMU_READS_AND_WRITES, place);
	}
	if (marker)
		qemu_plugin_register_vcpu_insn_exec_cb(insn, on_marker, QEMU_NO_REGISTERS,
						       (void *)marker);
}

static void on_translated(uint64_t id, struct qemu_plugin_tb *block)
{
	size_t i, count = qemu_plugin_tb_n_insns(block);

	(void)id;
	for (i = 0; i < count; i++)
		instrument(qemu_plugin_tb_get_insn(block, i));
}

static void on_end(uint64_t id, void *data)
{
	(void)id;
	(void)data;
	print_side();
	fclose(out);
}

static int complain(const char *what)
{
	fprintf(stderr, "profile: %s\n", what);
	return 1;
}

EXPORT int qemu_plugin_install(uint64_t id, const struct qemu_info *info, int argc, char **argv);

EXPORT int qemu_plugin_install(uint64_t id, const struct qemu_info *info, int argc, char **argv)
{
	int i;

	if (!info->system || strcmp(info->target, "x86_64"))
		return complain("only for qemu-system-x86_64");
	if (info->machine.most_cpus > MAX_CPUS)
		return complain("too many CPUs");
	for (i = 0; i < argc; i++) {
		if (begins(argv[i], "out="))
			out = fopen(argv[i] + strlen("out="), "w");
		else if (begins(argv[i], "symbols="))
			symbols_path = strdup(argv[i] + strlen("symbols="));
		else if (!strcmp(argv[i], "lines=on"))
			with_lines = true;
		else
			return complain("unknown argument");
	}
	if (!out)
		return complain("out= names no file that can be written");
	plugin_id = id;
	qemu_version = info->version.current;
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translated);
	qemu_plugin_register_atexit_cb(id, on_end, NULL);
	return 0;
}
