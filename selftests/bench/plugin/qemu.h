/* SPDX-License-Identifier: MIT */
/*
 * The part of QEMU's interface for plugins that the plugin uses. Debian has no header for it.
 *
 * QEMU loads a plugin only if it knows the version that the plugin asks for. Versions 1 (QEMU 7)
 * and 2 (QEMU 9 and later) have all that is used here. A QEMU whose own version is 3 or more has
 * another form of qemu_plugin_insn_data, whatever the plugin has asked for.
 */
#ifndef BENCH_QEMU_H
#define BENCH_QEMU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_plugin_hwaddr;

/**
 * struct qemu_info - the QEMU that loads the plugin
 * @target: the name of the guest's architecture
 * @least: the oldest version of the interface that it supports
 * @current: the version of its own interface
 * @system: it emulates a whole machine
 * @cpus: the CPUs of the guest
 * @most_cpus: the CPUs that it can get
 */
struct qemu_info {
	const char *target;
	struct {
		int least;
		int current;
	} version;
	bool system;
	struct {
		int cpus;
		int most_cpus;
	} machine;
};

typedef void (*qemu_translation)(uint64_t id, struct qemu_plugin_tb *block);
typedef void (*qemu_execution)(unsigned int cpu, void *data);
typedef void (*qemu_access)(unsigned int cpu, uint32_t access, uint64_t address, void *data);
typedef void (*qemu_reset)(uint64_t id);
typedef void (*qemu_exit)(uint64_t id, void *data);

#define QEMU_NO_REGISTERS	0
#define QEMU_READS_AND_WRITES	3

void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, qemu_translation callback);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn, qemu_execution callback,
					    int registers, void *data);
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *insn, qemu_access callback,
				      int registers, int accesses, void *data);
void qemu_plugin_register_atexit_cb(uint64_t id, qemu_exit callback, void *data);
void qemu_plugin_reset(uint64_t id, qemu_reset callback);

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *block);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *block, size_t index);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);

bool qemu_plugin_mem_is_store(uint32_t access);
struct qemu_plugin_hwaddr *qemu_plugin_get_hwaddr(uint32_t access, uint64_t address);
bool qemu_plugin_hwaddr_is_io(const struct qemu_plugin_hwaddr *address);
uint64_t qemu_plugin_hwaddr_phys_addr(const struct qemu_plugin_hwaddr *address);

/* Its type depends on the version. */
void qemu_plugin_insn_data(void);

#endif /* BENCH_QEMU_H */
