/* SPDX-License-Identifier: MIT */
/*
 * Functions and types that the files of "sluicectl doctor" share, below the file that implements each.
 *
 * Each file examines one part of the machine, and reports findings.  No function changes a setting
 * or loads a module: a trial allocates a small buffer, uses it, and releases it.
 */
#ifndef DOCTOR_H
#define DOCTOR_H

#include "tool.h"

/* doctor_findings.c: what was found, and how it is printed */

/** enum level - how much a finding matters; the name of each is in the output */
enum level {
	LEVEL_OK,
	LEVEL_NOTE,	/* a fact, or something that is missing and that few programs need */
	LEVEL_WARNING,	/* a part of Sluice does not work, or works badly */
	LEVEL_PROBLEM,	/* this user cannot use Sluice, or not this device */
	NUM_LEVELS,
};

/**
 * report - add a finding
 * @id: its name in the table of doctor_findings.c, which determines its level and its group
 * @subject: the device, node or module, or NULL
 * @format: one sentence, with a capital letter and a full stop
 */
void __attribute__((format(printf, 3, 4)))
report(const char *id, const char *subject, const char *format, ...);

/** print_findings - print all findings in the order of their groups; return the exit status */
int print_findings(bool json);

/* doctor_system.c: files of the kernel */

/** read_line - read the first line of a file, without its end; false if there is none */
bool read_line(const char *path, char *line, size_t size);

/** read_number - read a file that has one number; false if there is none */
bool read_number(const char *path, uint64_t *number);

/** find_field - the number behind "NAME:" in a file such as /proc/meminfo; false if not there */
bool find_field(const char *path, const char *name, uint64_t *number);

/**
 * next_boot_parameter - find a parameter of the kernel's command line, each time that it is there
 * @name: with its "="
 * @index: 0 for the first
 *
 * Return: the value, or NULL.  The next call overwrites it.
 */
const char *next_boot_parameter(const char *name, unsigned int index);

/**
 * boot_parameter - find a parameter of the kernel's command line
 * @name: with its "="
 *
 * Return: the value of the last one, or NULL.  The next call overwrites it.
 */
const char *boot_parameter(const char *name);

/** kernel_release - what uname -r prints */
const char *kernel_release(void);

/** has_symbol - does the running kernel have a function of this name?  -1 if it does not tell */
int has_symbol(const char *name);

/** count_entries - number of entries of a folder, without dot files; -1 if it cannot be read */
int count_entries(const char *path);

/**
 * report_permission - report why a node could not be opened, and which user could open it
 * @id: as for report()
 * @subject: as for report()
 * @path: of the node
 * @error: EACCES, or EPERM as of a device cgroup
 */
void report_permission(const char *id, const char *subject, const char *path, int error);

/* doctor_modinfo.c: a file of a module */

/**
 * struct modinfo - what the file of a module says
 * @known: the file was read
 * @is_signed: it has a signature
 * @signer: the name in the signature, or ""
 * @version: of the module, or ""
 */
struct modinfo {
	bool known;
	bool is_signed;
	char signer[128];
	char version[32];
};

void read_modinfo(const char *path, struct modinfo *info);

/** find_module - find the file of a module below /lib/modules/RELEASE; false if there is none */
bool find_module(const char *release, const char *name, char *path, size_t size);

/** is_indexed - does modules.dep of this kernel list a module? */
bool is_indexed(const char *release, const char *name);

/* doctor_device.c: devices, and buffers and fences for the trials */

#define MAX_PATIENTS 64

/** struct patient - a device that could be opened */
struct patient {
	int fd;
	struct sluice_info info;
};

/**
 * struct patients - all of them
 * @memory: the index of the device that allocates buffers for trials: of those that can, the one
 *	whose buffers have the lowest addresses; -1 if there is none
 * @worker: the index of the device whose fences are tried; -1 if there is none
 */
struct patients {
	struct patient all[MAX_PATIENTS];
	unsigned int count;
	int memory;
	int worker;
};

/** module_is_there - is the core loaded, as far as one can see? */
bool module_is_there(void);

void examine_devices(struct patients *patients);
void release_devices(struct patients *patients);

/** is_translated - does an IOMMU translate the addresses of a device of this class? */
bool is_translated(const char *class, const char *name);

/** trial_bits - width in bits of the highest physical address that a buffer for trials can have */
unsigned int trial_bits(const struct patients *patients);

/** address_bits - width in bits of the highest address of memory; 0 if it is unknown */
unsigned int address_bits(void);

/**
 * trial_buffer - allocate a buffer for a trial
 * @size: rounded up to whole pages
 * @contiguous: from the heap "contiguous", and not from the heap "pages"
 * @flags: SLUICE_MEM_* to ask for
 *
 * Return: a dma-buf, or a negative errno.
 */
int trial_buffer(const struct patients *patients, uint64_t size, bool contiguous, uint32_t flags);

/** struct trial_fence - a job of a device, and its out-fence */
struct trial_fence {
	int fd;		/* -1: there is no fence */
	int queue;
	int buffers[2];
};

void make_fence(const struct patients *patients, struct trial_fence *fence);
void release_fence(struct trial_fence *fence);

/* One function a group, in doctor_<group>.c. */
void examine_module(void);
void examine_kernel(const struct patients *patients);
void examine_memory(void);

/* doctor_iommu.c */
void examine_iommu(void);

/* doctor_importer.c: reports of the importers below */

/**
 * report_buffer - report whether an importer takes our buffer
 * @error: 0 or a negative errno
 * @contiguous: the buffer was of the heap "contiguous", because it refused one of "pages"
 */
void report_buffer(const char *importer, int error, bool contiguous);
void report_fence(const char *importer, int error, const char *how);

/** open_importer - open a node, or report why not; return an fd, or a negative errno */
int open_importer(const char *path, const char *name);

void examine_importers(const struct patients *patients);

/* doctor_drm.c, doctor_v4l2.c, doctor_vulkan.c; each returns the number of importers */
unsigned int examine_drm(const struct patients *patients, int fence);
unsigned int examine_v4l2(const struct patients *patients);
unsigned int examine_vulkan(const struct patients *patients, int fence);

/* doctor_mapping.c */
void examine_mappings(const struct patients *patients);

#endif /* DOCTOR_H */
