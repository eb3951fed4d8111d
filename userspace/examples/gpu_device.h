/* SPDX-License-Identifier: MIT */
/* Shared by gpu.c and gpu_device.c: the state of a GPU, and errors of Vulkan. */
#ifndef GPU_DEVICE_H
#define GPU_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vulkan/vulkan.h>

/* most submissions at a time; another one waits until the oldest has ended */
#define GPU_JOBS 4

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/**
 * struct gpu_job - objects that a submission needs until it has ended
 * @commands: recorded again for each submission
 * @set: descriptors of the two buffers
 * @ended: signals when the submission has ended; then this struct can be used again
 * @wait: the in-fence is imported into this semaphore
 * @done: the out-fence is exported from this semaphore, which is created when it is needed
 * @busy: a submission with @ended exists
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
	bool sync_files;	/* the driver supports them; otherwise the CPU waits instead */
	uint32_t foreign;	/* queue family that owns the buffers between two submissions */
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

/** gpu_checked - a VkResult as 0 or a negative errno, with a message on stderr; @what: the step */
int gpu_checked(VkResult result, const char *what);

/** gpu_find_device - choose a device that imports dma-bufs; prefer one with sync_files */
int gpu_find_device(struct gpu *gpu);

/** gpu_create_device - create the chosen device, with its queue and entry points */
int gpu_create_device(struct gpu *gpu);

#endif /* GPU_DEVICE_H */
