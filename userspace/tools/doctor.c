// SPDX-License-Identifier: MIT
/*
 * sluicectl doctor: what on this machine hinders the use of Sluice.  It works without the modules,
 * and as any user.
 */
#include "doctor.h"

int do_doctor(const struct options *options)
{
	struct patients patients = { .memory = -1, .worker = -1 };

	examine_module();
	examine_devices(&patients);
	examine_kernel(&patients);
	examine_memory();
	examine_iommu();
	examine_importers(&patients);
	examine_mappings(&patients);
	release_devices(&patients);
	end_progress();
	return print_findings(options->json);
}
