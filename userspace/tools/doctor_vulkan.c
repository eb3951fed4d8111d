// SPDX-License-Identifier: MIT
/*
 * Vulkan drivers.  The loader and the drivers come from libvulkan, which is loaded only here, in a
 * process of its own: a driver that crashes or hangs is a finding.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "doctor.h"

#if !defined(DOCTOR_STATIC) && __has_include(<vulkan/vulkan_core.h>)

#include <dlfcn.h>
#include <vulkan/vulkan_core.h>

#define MAX_DEVICES 16
#define TRIAL_SIZE 65536
/* loading a driver takes seconds on a slow machine */
#define PATIENCE_MS 120000

/** struct verdict - what the child says about one driver */
struct verdict {
	char name[VK_MAX_PHYSICAL_DEVICE_NAME_SIZE];
	bool buffer;		/* it takes our buffer */
	bool fence;		/* it takes our fence */
	bool tried_buffer, tried_fence;
};

/** struct trial - what the child has */
struct trial {
	int buffer;
	int fence;
	PFN_vkGetInstanceProcAddr get;
	VkInstance instance;
	VkPhysicalDevice physical;
	VkDevice device;
};

#define INSTANCE(trial, name) ((PFN_##name)(trial)->get((trial)->instance, #name))
#define DEVICE(trial, name) \
	((PFN_##name)INSTANCE(trial, vkGetDeviceProcAddr)((trial)->device, #name))

static bool has_extension(struct trial *trial, const char *name)
{
	PFN_vkEnumerateDeviceExtensionProperties enumerate =
		INSTANCE(trial, vkEnumerateDeviceExtensionProperties);
	VkExtensionProperties *all = NULL;
	uint32_t count = 0, i;
	bool found = false;

	if (enumerate(trial->physical, NULL, &count, NULL) == VK_SUCCESS)
		all = calloc(count, sizeof(*all));
	if (all && enumerate(trial->physical, NULL, &count, all) == VK_SUCCESS)
		for (i = 0; i < count && !found; i++)
			found = !strcmp(all[i].extensionName, name);
	free(all);
	return found;
}

static bool imports_buffer(struct trial *trial)
{
	PFN_vkGetMemoryFdPropertiesKHR properties_of = DEVICE(trial, vkGetMemoryFdPropertiesKHR);
	VkMemoryFdPropertiesKHR properties = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_FD_PROPERTIES_KHR,
	};
	VkImportMemoryFdInfoKHR import = {
		.sType = VK_STRUCTURE_TYPE_IMPORT_MEMORY_FD_INFO_KHR,
		.handleType = VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT,
		.fd = fcntl(trial->buffer, F_DUPFD_CLOEXEC, 3),
	};
	VkMemoryAllocateInfo info = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO, .pNext = &import,
		.allocationSize = TRIAL_SIZE,
	};
	VkDeviceMemory memory;

	if (!properties_of ||
	    properties_of(trial->device, import.handleType, trial->buffer, &properties) ||
	    !properties.memoryTypeBits)
		return false;
	info.memoryTypeIndex = __builtin_ctz(properties.memoryTypeBits);
	/* if it succeeds, the driver owns the fd; the child's end closes it in any case */
	if (DEVICE(trial, vkAllocateMemory)(trial->device, &info, NULL, &memory) != VK_SUCCESS)
		return false;
	DEVICE(trial, vkFreeMemory)(trial->device, memory, NULL);
	return true;
}

static bool imports_fence(struct trial *trial)
{
	PFN_vkImportSemaphoreFdKHR import = DEVICE(trial, vkImportSemaphoreFdKHR);
	VkSemaphoreCreateInfo create = { .sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO };
	VkImportSemaphoreFdInfoKHR info = {
		.sType = VK_STRUCTURE_TYPE_IMPORT_SEMAPHORE_FD_INFO_KHR,
		.flags = VK_SEMAPHORE_IMPORT_TEMPORARY_BIT,
		.handleType = VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_SYNC_FD_BIT,
		.fd = fcntl(trial->fence, F_DUPFD_CLOEXEC, 3),
	};
	bool done;

	if (!import || DEVICE(trial, vkCreateSemaphore)(trial->device, &create, NULL,
							 &info.semaphore) != VK_SUCCESS)
		return false;
	done = import(trial->device, &info) == VK_SUCCESS;
	DEVICE(trial, vkDestroySemaphore)(trial->device, info.semaphore, NULL);
	return done;
}

/* Can a semaphore of this device be made from a sync_file? */
static bool offers_fences(struct trial *trial)
{
	VkPhysicalDeviceExternalSemaphoreInfo info = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_SEMAPHORE_INFO,
		.handleType = VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_SYNC_FD_BIT,
	};
	VkExternalSemaphoreProperties properties = {
		.sType = VK_STRUCTURE_TYPE_EXTERNAL_SEMAPHORE_PROPERTIES,
	};

	if (!has_extension(trial, VK_KHR_EXTERNAL_SEMAPHORE_FD_EXTENSION_NAME))
		return false;
	INSTANCE(trial, vkGetPhysicalDeviceExternalSemaphoreProperties)(trial->physical, &info,
									 &properties);
	return properties.externalSemaphoreFeatures & VK_EXTERNAL_SEMAPHORE_FEATURE_IMPORTABLE_BIT;
}

static void examine_physical(struct trial *trial, struct verdict *verdict)
{
	const char *names[4];
	float priority = 1;
	VkPhysicalDeviceProperties properties;
	VkDeviceQueueCreateInfo queue = {
		.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO, .queueCount = 1,
		.pQueuePriorities = &priority,
	};
	VkDeviceCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO, .queueCreateInfoCount = 1,
		.pQueueCreateInfos = &queue, .ppEnabledExtensionNames = names,
	};
	bool buffers = has_extension(trial, VK_KHR_EXTERNAL_MEMORY_FD_EXTENSION_NAME) &&
		       has_extension(trial, VK_EXT_EXTERNAL_MEMORY_DMA_BUF_EXTENSION_NAME);
	bool fences = offers_fences(trial);

	INSTANCE(trial, vkGetPhysicalDeviceProperties)(trial->physical, &properties);
	snprintf(verdict->name, sizeof(verdict->name), "%s", properties.deviceName);
	if (buffers) {
		names[info.enabledExtensionCount++] = VK_KHR_EXTERNAL_MEMORY_FD_EXTENSION_NAME;
		names[info.enabledExtensionCount++] = VK_EXT_EXTERNAL_MEMORY_DMA_BUF_EXTENSION_NAME;
	}
	if (fences)
		names[info.enabledExtensionCount++] = VK_KHR_EXTERNAL_SEMAPHORE_FD_EXTENSION_NAME;
	verdict->tried_buffer = trial->buffer >= 0;
	verdict->tried_fence = trial->fence >= 0;
	if (INSTANCE(trial, vkCreateDevice)(trial->physical, &info, NULL, &trial->device))
		return;
	verdict->buffer = buffers && verdict->tried_buffer && imports_buffer(trial);
	verdict->fence = fences && verdict->tried_fence && imports_fence(trial);
	DEVICE(trial, vkDestroyDevice)(trial->device, NULL);
}

/* In the child: write a verdict for each driver; returns an exit status. */
static int examine_drivers(struct trial *trial, void *library, int out)
{
	VkApplicationInfo application = {
		.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO, .apiVersion = VK_API_VERSION_1_1,
	};
	VkInstanceCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO, .pApplicationInfo = &application,
	};
	VkPhysicalDevice all[MAX_DEVICES];
	uint32_t count = MAX_DEVICES, i;
	VkResult result;

	trial->get = (PFN_vkGetInstanceProcAddr)dlsym(library, "vkGetInstanceProcAddr");
	if (!trial->get || INSTANCE(trial, vkCreateInstance)(&info, NULL, &trial->instance))
		return 0;
	result = INSTANCE(trial, vkEnumeratePhysicalDevices)(trial->instance, &count, all);
	if (result != VK_SUCCESS && result != VK_INCOMPLETE)
		return 0;
	for (i = 0; i < count; i++) {
		struct verdict verdict = {};

		trial->physical = all[i];
		examine_physical(trial, &verdict);
		if (write(out, &verdict, sizeof(verdict)) != sizeof(verdict))
			return 1;
	}
	return 0;
}

static void __attribute__((noreturn)) child(const struct patients *patients, int fence, int out)
{
	struct trial trial = { .fence = fence };
	void *library = dlopen("libvulkan.so.1", RTLD_NOW | RTLD_LOCAL);
	int silent = open("/dev/null", O_RDWR);

	if (!library)
		_exit(2);
	dup2(silent, STDOUT_FILENO);
	dup2(silent, STDERR_FILENO);
	trial.buffer = trial_buffer(patients, TRIAL_SIZE, false, 0);
	if (trial.buffer < 0)
		trial.buffer = trial_buffer(patients, TRIAL_SIZE, true, 0);
	/* without the handlers at exit of a driver */
	_exit(examine_drivers(&trial, library, out));
}

static void report_verdict(const struct verdict *verdict)
{
	char name[sizeof(verdict->name) + 16];

	snprintf(name, sizeof(name), "vulkan (%s)", verdict->name);
	if (verdict->tried_buffer)
		report_buffer(name, verdict->buffer ? 0 : -EOPNOTSUPP, false);
	if (verdict->tried_fence)
		report_fence(name, verdict->fence ? 0 : -EOPNOTSUPP,
			     verdict->fence ? "as a semaphore" :
					      "it makes no semaphore of a sync_file");
}

/* Read verdicts until the child closes its end; false after a time without one. */
static bool read_verdicts(int in, unsigned int *count)
{
	struct pollfd pollfd = { .fd = in, .events = POLLIN };
	struct verdict verdict;
	int ready;

	for (;;) {
		ready = poll(&pollfd, 1, PATIENCE_MS);
		if (ready < 0 && errno == EINTR)
			continue;
		if (ready != 1)
			return false;
		if (read(in, &verdict, sizeof(verdict)) != sizeof(verdict))
			return true;
		report_verdict(&verdict);
		(*count)++;
	}
}

unsigned int examine_vulkan(const struct patients *patients, int fence)
{
	int ends[2], status = 0;
	unsigned int count = 0;
	bool answers;
	pid_t pid;

	show_progress("trying Vulkan");
	flush_output();
	if (pipe2(ends, O_CLOEXEC))
		die("cannot make a pipe: %s", strerror(errno));
	pid = fork();
	if (pid < 0)
		die("cannot start a process: %s", strerror(errno));
	if (!pid) {
		close(ends[0]);
		child(patients, fence, ends[1]);
	}
	close(ends[1]);
	answers = read_verdicts(ends[0], &count);
	close(ends[0]);
	if (!answers)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 2)
		report("vulkan-missing", NULL, "There is no Vulkan loader: to share buffers with a "
		       "GPU through Vulkan install libvulkan1 and the driver (on Debian, apt "
		       "install mesa-vulkan-drivers).");
	else if (!answers || WIFSIGNALED(status))
		report("vulkan-crashes", NULL, "A Vulkan driver %s in its trial: update the "
		       "driver, or name a good one in the variable VK_DRIVER_FILES.", answers ?
		       "crashes" : "hangs");
	else if (!count)
		report("vulkan-missing", NULL, "No Vulkan driver has a device: to share buffers "
		       "with a GPU through Vulkan install the driver (on Debian, apt install "
		       "mesa-vulkan-drivers).");
	return count;
}

#else

unsigned int examine_vulkan(const struct patients *, int)
{
	report("vulkan-missing", NULL, "This program was built without Vulkan, so its drivers were "
	       "not tried: build it with the header vulkan/vulkan_core.h (on Debian, apt install "
	       "libvulkan-dev), not statically.");
	return 0;
}

#endif
