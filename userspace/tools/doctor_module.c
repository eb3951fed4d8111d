// SPDX-License-Identifier: MIT
/* The kernel modules: are they there, loaded, held back, signed, and of the right version? */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "doctor.h"

bool module_is_there(void)
{
	/* a container may not show /sys/module, but has nodes */
	return !access("/sys/module/sluice", F_OK) || sluice_list(NULL, 0) > 0;
}

/* The other kernels that have the module: "A, B"; returns their number. */
static unsigned int find_other_kernels(char *text, size_t size)
{
	DIR *dir = opendir("/lib/modules");
	unsigned int count = 0;
	struct dirent *entry;
	char path[1024];

	text[0] = '\0';
	while (dir && (entry = readdir(dir))) {
		size_t used = strlen(text);

		if (entry->d_name[0] == '.' || !strcmp(entry->d_name, kernel_release()) ||
		    !find_module(entry->d_name, "sluice", path, sizeof(path)))
			continue;
		if (used < size)
			snprintf(text + used, size - used, "%s%s", count ? ", " : "",
				 entry->d_name);
		count++;
	}
	if (dir)
		closedir(dir);
	return count;
}

/* Without the module: report why, and what to do. */
static void examine_absence(const char *path)
{
	const char *release = kernel_release();
	char others[512], folder[512];

	snprintf(folder, sizeof(folder), "/lib/modules/%s", release);
	if (*path && !is_indexed(release, "sluice"))
		report("module-not-indexed", "sluice", "The file %s is there, but modprobe does "
		       "not know it: run 'depmod' as root, then 'modprobe sluice-soft' to try.",
		       path);
	else if (*path)
		report("module-unloaded", "sluice", "The module is installed, but not loaded: run "
		       "'modprobe sluice-soft' as root to try, or load the driver of your device.");
	else if (find_other_kernels(others, sizeof(others)))
		report("module-other-kernel", "sluice", "The module is installed for %s, but not "
		       "for the running kernel %s: install the headers of this kernel, then run "
		       "'dkms autoinstall' or 'make install' as root.", others, release);
	else if (access(folder, F_OK))
		report("modules-invisible", "sluice", "No module is loaded, and %s does not exist, "
		       "as in a container: load the modules on the host, and pass /dev/sluice to "
		       "the container.", folder);
	else
		report("module-missing", "sluice", "The module is installed for no kernel: install "
		       "the package sluice-dkms, or run 'make install' in Sluice's source as "
		       "root.");
}

/* Is the module loaded by an alias, when its device is found?  The others are loaded by name. */
static bool has_alias(const char *module)
{
	return !strcmp(module, "sluice_edu");
}

/*
 * The names of a list such as "a,b", or of one word, that are ours: "sluice" or "sluice_*".
 * @aliases: modprobe's blacklist, which holds back a module only where an alias asks for it
 */
static void examine_held_back(const char *names, const char *where, bool aliases)
{
	char copy[1024], *word, *rest = copy, path[128], *letter;

	snprintf(copy, sizeof(copy), "%s", names);
	while ((word = strtok_r(rest, ", \t\n", &rest))) {
		for (letter = word; *letter; letter++)
			if (*letter == '-')
				*letter = '_';
		snprintf(path, sizeof(path), "/sys/module/%.100s", word);
		if ((strcmp(word, "sluice") && strncmp(word, "sluice_", 7)) || !access(path, F_OK))
			continue;
		if (aliases) {
			if (has_alias(word))
				report("driver-held-back", word, "The module is not loaded for its "
				       "devices because of %s: remove it there, or load the module "
				       "by its name.", where);
			continue;
		}
		report(word[6] ? "driver-held-back" : "module-held-back", word, "The module is "
		       "held back by %s: remove it there, then load the module.", where);
	}
}

/* A file of modprobe's configuration: "blacklist NAME", or "install NAME /bin/false". */
static void examine_configuration(const char *path)
{
	FILE *file = fopen(path, "re");
	char line[1024], where[600];

	while (file && fgets(line, sizeof(line), file)) {
		char *rest = line, *verb = strtok_r(rest, " \t\n", &rest);
		char *name = verb ? strtok_r(rest, " \t\n", &rest) : NULL;
		char *program = name ? strtok_r(rest, " \t\n", &rest) : NULL;

		if (!name)
			continue;
		if (!strcmp(verb, "blacklist"))
			snprintf(where, sizeof(where), "'blacklist %s' in %s", name, path);
		else if (!strcmp(verb, "install") && program &&
			 (strstr(program, "/false") || strstr(program, "/true")))
			snprintf(where, sizeof(where), "'install %s %s' in %s", name, program,
				 path);
		else
			continue;
		examine_held_back(name, where, *verb == 'b');
	}
	if (file)
		fclose(file);
}

/* Where modprobe looks, in this order. */
static const char * const folders[] = {
	"/etc/modprobe.d", "/run/modprobe.d", "/usr/local/lib/modprobe.d", "/usr/lib/modprobe.d",
	"/lib/modprobe.d",
};
#define NUM_FOLDERS (sizeof(folders) / sizeof(folders[0]))

/* Does an earlier folder have a file of this name, which is read instead? */
static bool is_masked(const char *name, size_t folder)
{
	char path[512];

	while (folder--) {
		snprintf(path, sizeof(path), "%s/%s", folders[folder], name);
		if (!access(path, F_OK))
			return true;
	}
	return false;
}

static void examine_configurations(void)
{
	struct dirent *entry;
	char path[512];
	size_t i;

	for (i = 0; i < NUM_FOLDERS; i++) {
		DIR *dir = opendir(folders[i]);

		while (dir && (entry = readdir(dir))) {
			size_t length = strlen(entry->d_name);

			if (length < 5 || strcmp(entry->d_name + length - 5, ".conf") ||
			    is_masked(entry->d_name, i))
				continue;
			snprintf(path, sizeof(path), "%s/%s", folders[i], entry->d_name);
			examine_configuration(path);
		}
		if (dir)
			closedir(dir);
	}
}

static void examine_boot_parameters(void)
{
	const char *value = boot_parameter("module_blacklist=");
	unsigned int i;

	/* of the kernel's own the last one counts, of modprobe's all */
	if (value)
		examine_held_back(value, "module_blacklist= on the kernel's command line", false);
	for (i = 0; (value = next_boot_parameter("modprobe.blacklist=", i)); i++)
		examine_held_back(value, "modprobe.blacklist= on the kernel's command line", true);
}

static bool has_secure_boot(void)
{
	FILE *file = fopen("/sys/firmware/efi/efivars/SecureBoot-"
			   "8be4df61-93ca-11d2-aa0d-00e098032b8c", "re");
	unsigned char content[5] = {};
	bool on;

	/* four bytes of attributes, then the value */
	on = file && fread(content, 1, 5, file) == 5 && content[4] == 1;
	if (file)
		fclose(file);
	return on;
}

/*
 * "integrity", "confidentiality" or "none".  Any user may read the file, but a kernel without
 * lockdown has none, and a container may not show it: then @known is false.
 */
static const char *lockdown_mode(bool *known)
{
	static char line[128];
	const char *parameter = boot_parameter("lockdown=");
	char *begin, *end;

	*known = read_line("/sys/kernel/security/lockdown", line, sizeof(line));
	if (*known) {
		begin = strchr(line, '[');
		end = begin ? strchr(begin, ']') : NULL;
		if (end) {
			*end = '\0';
			return begin + 1;
		}
	}
	if (parameter) {
		snprintf(line, sizeof(line), "%s", parameter);
		return line;
	}
	return "none";
}

static void examine_signature(const char *path)
{
	bool known, is_locked;
	const char *lockdown = lockdown_mode(&known), *why = NULL;
	struct modinfo info;
	char line[16];

	is_locked = strcmp(lockdown, "none");
	if (is_locked) {
		why = "the lockdown of the kernel";
		report("lockdown", NULL, "The kernel is locked down (%s): programs get no "
		       "registers, no BARs that sluice_pci.bars names and no bus addresses, so do "
		       "without them or switch Secure Boot off.", lockdown);
	}
	if (read_line("/sys/module/module/parameters/sig_enforce", line, sizeof(line)) &&
	    (line[0] == 'Y' || line[0] == '1'))
		why = why ?: "module.sig_enforce";
	/* Secure Boot alone enforces nothing: most kernels lock themselves down because of it */
	if (!known && has_secure_boot())
		why = "Secure Boot";
	if (!why)
		return;
	report("signatures-enforced", NULL, "Because of %s the kernel loads only modules with a "
	       "signature that it knows: sign the modules with a key that is enrolled, such as "
	       "DKMS's key (mokutil --import /var/lib/dkms/mok.pub).", why);
	if (!*path)
		return;
	read_modinfo(path, &info);
	/* the kernel has taken a module that is loaded */
	if (info.known && !info.is_signed && !is_locked && module_is_there())
		return;
	if (info.known && !info.is_signed)
		report("module-unsigned", "sluice", "The file %s has no signature, so the kernel "
		       "refuses it because of %s: sign it with DKMS's key or with sign-file, and "
		       "enroll the key by 'mokutil --import'.", path, why);
	else if (info.known)
		report("module-signed", "sluice", "The file %s is signed by '%s': if the kernel "
		       "refuses it, enroll this key by 'mokutil --import'.", path,
		       info.signer[0] ? info.signer : "a key without a name");
}

static void examine_version(const char *path)
{
	char loaded[64] = "";
	struct modinfo info;

	if (!read_line("/sys/module/sluice/version", loaded, sizeof(loaded))) {
		report("module-loaded", "sluice", "The module is loaded.");
		return;
	}
	report("module-loaded", "sluice", "The module, version %s, is loaded.", loaded);
	if (strcmp(loaded, SLUICE_VERSION))
		report("module-version", "sluice", "The module has version %s, but this program "
		       "has version %s: install the same version of both.", loaded, SLUICE_VERSION);
	if (!*path)
		return;
	read_modinfo(path, &info);
	if (info.version[0] && strcmp(loaded, info.version))
		report("module-outdated", "sluice", "Version %s is loaded, but version %s is "
		       "installed: end the programs that use Sluice, then unload the modules and "
		       "load them again.", loaded, info.version);
}

void examine_module(void)
{
	char path[1024] = "";

	if (!find_module(kernel_release(), "sluice", path, sizeof(path)))
		path[0] = '\0';
	if (module_is_there())
		examine_version(path);
	else
		examine_absence(path);
	examine_configurations();
	examine_boot_parameters();
	examine_signature(path);
}
