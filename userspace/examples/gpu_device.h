/* SPDX-License-Identifier: MIT */
/* What gpu.c and gpu_device.c share: the state of a GPU, and Vulkan's errors. */
#ifndef GPU_DEVICE_H
#define GPU_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vulkan/vulkan.h>

/* submissions under way at once; more wait for the oldest */
#define GPU_JOBS 4

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/**
 * struct gpu_job - what a submission needs until it has ended
 * @commands: recorded anew each time
 * @set: the two buffers
 * @ended: signals at the end; guards the reuse of all of this
 * @wait: the in-fence goes in here
 * @done: the out-fence comes out of here; made when needed
 * @busy: @ended has been submitted
 */
struct gpu_job {
	VkCommandBuffer commands;
	VkDescriptorSet set;
	VkFence ended;
	VkSemaphore wait, done;
	bool busy;
};

struct gpu {
	char name[VK_MAX_PHYSICAL_DEVICE_NAME_SIZE + VK_MAX_DRIVER_NAME_SIZE + 4];
	VkInstance instance;
	VkPhysicalDevice physical;
	VkDevice device;
	VkQueue queue;
	uint32_t family;
	bool sync_files;	/* knows them; else the CPU waits in its place */
	uint32_t foreign;	/* who owns the buffers between two submissions */
	VkDescriptorSetLayout set_layout;
	VkPipelineLayout layout;
	VkPipeline pipeline;
	VkDescriptorPool sets;
	VkCommandPool commands;
	struct gpu_job jobs[GPU_JOBS];
	unsigned int next;
	PFN_vkGetMemoryFdPropertiesKHR get_memory_fd_properties;
	PFN_vkImportSemaphoreFdKHR import_semaphore_fd;
	PFN_vkGetSemaphoreFdKHR get_semaphore_fd;
};

struct gpu_buffer {
	VkBuffer buffer;
	VkDeviceMemory memory;
	size_t size;
};

/** gpu_checked - a VkResult as a negative errno or 0; says on stderr what was refused */
int gpu_checked(VkResult result, const char *what);

/** gpu_find_device - a device that imports dma-bufs; rather one that shares sync_files, too */
int gpu_find_device(struct gpu *gpu);

/** gpu_create_device - the device that was found, with its queue and entry points */
int gpu_create_device(struct gpu *gpu);

#endif /* GPU_DEVICE_H */
