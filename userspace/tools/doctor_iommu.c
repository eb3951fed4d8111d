// SPDX-License-Identifier: MIT
/* Between devices and memory: an IOMMU, and bounce buffers (swiotlb). */
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "doctor.h"

static void examine_groups(void)
{
	DIR *dir = opendir("/sys/kernel/iommu_groups");
	unsigned int translated = 0, all = 0;
	struct dirent *entry;
	char path[320], type[32];

	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		all++;
		snprintf(path, sizeof(path), "/sys/kernel/iommu_groups/%s/type", entry->d_name);
		translated += read_line(path, type, sizeof(type)) && !strncmp(type, "DMA", 3);
	}
	if (translated)
		report("iommu-translates", NULL, "An IOMMU translates the addresses of devices in "
		       "%u of %u groups.", translated, all);
	else if (all)
		report("iommu-passthrough", NULL, "The IOMMU does not translate: boot with "
		       "iommu.passthrough=0 if a device has too few address bits, or needs "
		       "scattered memory in one piece.");
	else if (dir)
		report("iommu-off", NULL, "No IOMMU is in use: switch it on in the firmware and "
		       "the kernel (intel_iommu=on) if a device has too few address bits, or needs "
		       "scattered memory in one piece.");
	if (dir)
		closedir(dir);
}

/* swiotlb=force, or a number of slots before it: swiotlb=65536,force */
static void examine_swiotlb(void)
{
	const char *value = boot_parameter("swiotlb=");
	const char *word = value ? strstr(value, "force") : NULL;

	while (word && !((word == value || word[-1] == ',') && (!word[5] || word[5] == ',')))
		word = strstr(word + 1, "force");
	if (word)
		report("swiotlb-forced", NULL, "swiotlb=force makes the kernel bounce all DMA: "
		       "boot without it, or use only the heap 'contiguous'.");
}

void examine_iommu(void)
{
	examine_groups();
	examine_swiotlb();
}
