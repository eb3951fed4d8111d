// SPDX-License-Identifier: MIT
/*
 * Files of modules.  libkmod reads them, because they may be compressed.  Debian has no static
 * libkmod: a static program reads only files that are not compressed.
 */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef DOCTOR_STATIC
#include <libkmod.h>
#endif

#include "doctor.h"

#ifndef DOCTOR_STATIC
void read_modinfo(const char *path, struct modinfo *info)
{
	const char *no_configuration = NULL;
	struct kmod_ctx *context = kmod_new(NULL, &no_configuration);
	struct kmod_list *list = NULL, *item;
	struct kmod_module *module = NULL;

	*info = (struct modinfo) {};
	if (!context)
		return;
	/* it would also print to stderr what it cannot read */
	kmod_set_log_priority(context, 0);
	if (!kmod_module_new_from_path(context, path, &module) &&
	    kmod_module_get_info(module, &list) >= 0) {
		info->known = true;
		kmod_list_foreach(item, list) {
			const char *key = kmod_module_info_get_key(item);
			const char *value = kmod_module_info_get_value(item);

			if (!strcmp(key, "sig_id"))
				info->is_signed = true;
			else if (!strcmp(key, "signer"))
				snprintf(info->signer, sizeof(info->signer), "%s", value);
			else if (!strcmp(key, "version"))
				snprintf(info->version, sizeof(info->version), "%s", value);
		}
		kmod_module_info_free_list(list);
	}
	if (module)
		kmod_module_unref(module);
	kmod_unref(context);
}
#else
void read_modinfo(const char *path, struct modinfo *info)
{
	static const char elf[] = "\177ELF", version[] = "\0version=";
	static const char signature[] = "~Module signature appended~\n";
	FILE *file = fopen(path, "re");
	char *content = NULL, *found;
	long size = 0;

	*info = (struct modinfo) {};
	if (file && !fseek(file, 0, SEEK_END))
		size = ftell(file);
	if (size > (long)sizeof(signature))
		content = malloc(size + 1);
	if (content && !fseek(file, 0, SEEK_SET) && fread(content, 1, size, file) == (size_t)size &&
	    !memcmp(content, elf, 4)) {
		info->known = true;
		content[size] = '\0';
		info->is_signed = !strcmp(content + size - (sizeof(signature) - 1), signature);
		found = memmem(content, size, version, sizeof(version) - 1);
		if (found)
			snprintf(info->version, sizeof(info->version), "%s",
				 found + sizeof(version) - 1);
	}
	free(content);
	if (file)
		fclose(file);
}
#endif

/* Is a path that of the module?  Its name ends with .ko, or with .ko and .xz, .zst or .gz. */
static bool is_file_of(const char *path, const char *name)
{
	const char *base = strrchr(path, '/');
	size_t i;

	base = base ? base + 1 : path;
	for (i = 0; name[i]; i++)
		if (base[i] != name[i] && !(base[i] == '-' && name[i] == '_'))
			return false;
	base += i;
	return !strcmp(base, ".ko") || !strcmp(base, ".ko.xz") || !strcmp(base, ".ko.zst") ||
	       !strcmp(base, ".ko.gz");
}

/* The path of a module in modules.dep, relative to the folder of the kernel. */
static bool find_in_index(const char *release, const char *name, char *found, size_t size)
{
	char path[512], *line = NULL;
	size_t room = 0;
	bool got = false;
	FILE *file;

	snprintf(path, sizeof(path), "/lib/modules/%s/modules.dep", release);
	file = fopen(path, "re");
	while (file && !got && getline(&line, &room, file) > 0) {
		line[strcspn(line, ":\n")] = '\0';
		got = is_file_of(line, name);
		if (got)
			snprintf(found, size, "%s", line);
	}
	free(line);
	if (file)
		fclose(file);
	return got;
}

bool is_indexed(const char *release, const char *name)
{
	char path[512];

	return find_in_index(release, name, path, sizeof(path));
}

/* nftw() has no argument for its callback */
static const char *wanted;
static char wanted_path[1024];

static int visit(const char *path, const struct stat *, int type, struct FTW *)
{
	if (type != FTW_F || !is_file_of(path, wanted))
		return 0;
	snprintf(wanted_path, sizeof(wanted_path), "%s", path);
	return 1;
}

bool find_module(const char *release, const char *name, char *path, size_t size)
{
	/* for modules that are not the kernel's own, and where ours would be in its tree */
	static const char * const folders[] = {
		"updates", "extra", "weak-updates", "kernel/drivers/misc", "kernel/drivers/dma-buf",
	};
	char relative[512], folder[512];
	size_t i;

	if (find_in_index(release, name, relative, sizeof(relative))) {
		snprintf(path, size, "/lib/modules/%s/%s", release, relative);
		if (!access(path, F_OK))
			return true;
	}
	wanted = name;
	for (i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		snprintf(folder, sizeof(folder), "/lib/modules/%s/%s", release, folders[i]);
		if (nftw(folder, visit, 8, FTW_PHYS) == 1) {
			snprintf(path, size, "%s", wanted_path);
			return true;
		}
	}
	return false;
}
