// SPDX-License-Identifier: MIT
/* The choice of a Vulkan device: see gpu_device.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gpu_device.h"

int gpu_checked(VkResult result, const char *what)
{
	if (result == VK_SUCCESS)
		return 0;
	fprintf(stderr, "vulkan: %s: error %d\n", what, result);
	switch (result) {
	case VK_ERROR_OUT_OF_HOST_MEMORY:
	case VK_ERROR_OUT_OF_DEVICE_MEMORY:
		return -ENOMEM;
	case VK_TIMEOUT:
		return -ETIME;
	case VK_ERROR_INVALID_EXTERNAL_HANDLE:
		return -EINVAL;
	case VK_ERROR_EXTENSION_NOT_PRESENT:
	case VK_ERROR_FEATURE_NOT_PRESENT:
	case VK_ERROR_INCOMPATIBLE_DRIVER:
	case VK_ERROR_DEVICE_LOST:
		return -ENODEV;
	default:
		return -EIO;
	}
}

static bool has_extension(VkPhysicalDevice physical, const char *name)
{
	VkExtensionProperties *all = NULL;
	uint32_t count = 0, i;
	bool found = false;

	if (vkEnumerateDeviceExtensionProperties(physical, NULL, &count, NULL) == VK_SUCCESS)
		all = calloc(count, sizeof(*all));
	if (all && vkEnumerateDeviceExtensionProperties(physical, NULL, &count, all) == VK_SUCCESS)
		for (i = 0; i < count && !found; i++)
			found = !strcmp(all[i].extensionName, name);
	free(all);
	return found;
}

static bool imports_dmabuf(VkPhysicalDevice physical)
{
	VkPhysicalDeviceExternalBufferInfo info = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_BUFFER_INFO,
		.usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT,
		.handleType = VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT,
	};
	VkExternalBufferProperties properties = {
		.sType = VK_STRUCTURE_TYPE_EXTERNAL_BUFFER_PROPERTIES,
	};

	if (!has_extension(physical, VK_KHR_EXTERNAL_MEMORY_FD_EXTENSION_NAME) ||
	    !has_extension(physical, VK_EXT_EXTERNAL_MEMORY_DMA_BUF_EXTENSION_NAME))
		return false;
	vkGetPhysicalDeviceExternalBufferProperties(physical, &info, &properties);
	return properties.externalMemoryProperties.externalMemoryFeatures &
	       VK_EXTERNAL_MEMORY_FEATURE_IMPORTABLE_BIT;
}

static bool shares_sync_files(VkPhysicalDevice physical)
{
	const VkExternalSemaphoreFeatureFlags both =
		VK_EXTERNAL_SEMAPHORE_FEATURE_IMPORTABLE_BIT |
		VK_EXTERNAL_SEMAPHORE_FEATURE_EXPORTABLE_BIT;
	VkPhysicalDeviceExternalSemaphoreInfo info = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_SEMAPHORE_INFO,
		.handleType = VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_SYNC_FD_BIT,
	};
	VkExternalSemaphoreProperties properties = {
		.sType = VK_STRUCTURE_TYPE_EXTERNAL_SEMAPHORE_PROPERTIES,
	};

	if (!has_extension(physical, VK_KHR_EXTERNAL_SEMAPHORE_FD_EXTENSION_NAME))
		return false;
	vkGetPhysicalDeviceExternalSemaphoreProperties(physical, &info, &properties);
	return (properties.externalSemaphoreFeatures & both) == both;
}

static bool find_compute_family(VkPhysicalDevice physical, uint32_t *family)
{
	VkQueueFamilyProperties families[16];
	uint32_t count = COUNT(families), i;

	vkGetPhysicalDeviceQueueFamilyProperties(physical, &count, families);
	for (i = 0; i < count; i++) {
		if (families[i].queueFlags & VK_QUEUE_COMPUTE_BIT) {
			*family = i;
			return true;
		}
	}
	return false;
}

int gpu_find_device(struct gpu *gpu)
{
	VkPhysicalDevice all[16];
	VkPhysicalDeviceDriverProperties driver = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES,
	};
	VkPhysicalDeviceProperties2 properties = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2,
		.pNext = &driver,
	};
	uint32_t count = COUNT(all), family, i;
	VkResult result;

	result = vkEnumeratePhysicalDevices(gpu->instance, &count, all);
	if (result != VK_SUCCESS && result != VK_INCOMPLETE)
		return gpu_checked(result, "enumerate devices");
	for (i = 0; i < count && !gpu->sync_files; i++) {
		bool sync_files = shares_sync_files(all[i]);

		if ((gpu->physical && !sync_files) || !imports_dmabuf(all[i]) ||
		    !find_compute_family(all[i], &family))
			continue;
		gpu->physical = all[i];
		gpu->family = family;
		gpu->sync_files = sync_files;
	}
	if (!gpu->physical) {
		fprintf(stderr, "vulkan: none of %u devices imports dma-bufs\n", count);
		return -ENODEV;
	}
	vkGetPhysicalDeviceProperties2(gpu->physical, &properties);
	snprintf(gpu->name, sizeof(gpu->name), "%s, %s", driver.driverName,
		 properties.properties.deviceName);
	return 0;
}

int gpu_create_device(struct gpu *gpu)
{
	const char *extensions[4] = {
		VK_KHR_EXTERNAL_MEMORY_FD_EXTENSION_NAME,
		VK_EXT_EXTERNAL_MEMORY_DMA_BUF_EXTENSION_NAME,
	};
	bool foreign = has_extension(gpu->physical, VK_EXT_QUEUE_FAMILY_FOREIGN_EXTENSION_NAME);
	float priority = 1;
	VkDeviceQueueCreateInfo queue = {
		.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
		.queueFamilyIndex = gpu->family,
		.queueCount = 1,
		.pQueuePriorities = &priority,
	};
	VkDeviceCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
		.queueCreateInfoCount = 1,
		.pQueueCreateInfos = &queue,
		.enabledExtensionCount = 2,
		.ppEnabledExtensionNames = extensions,
	};
	int ret;

	if (foreign)
		extensions[info.enabledExtensionCount++] =
			VK_EXT_QUEUE_FAMILY_FOREIGN_EXTENSION_NAME;
	if (gpu->sync_files)
		extensions[info.enabledExtensionCount++] =
			VK_KHR_EXTERNAL_SEMAPHORE_FD_EXTENSION_NAME;
	gpu->foreign = foreign ? VK_QUEUE_FAMILY_FOREIGN_EXT : VK_QUEUE_FAMILY_EXTERNAL;
	ret = gpu_checked(vkCreateDevice(gpu->physical, &info, NULL, &gpu->device), "create device");
	if (ret)
		return ret;
	vkGetDeviceQueue(gpu->device, gpu->family, 0, &gpu->queue);
	gpu->get_memory_fd_properties = (PFN_vkGetMemoryFdPropertiesKHR)
		vkGetDeviceProcAddr(gpu->device, "vkGetMemoryFdPropertiesKHR");
	gpu->import_semaphore_fd = (PFN_vkImportSemaphoreFdKHR)
		vkGetDeviceProcAddr(gpu->device, "vkImportSemaphoreFdKHR");
	gpu->get_semaphore_fd = (PFN_vkGetSemaphoreFdKHR)
		vkGetDeviceProcAddr(gpu->device, "vkGetSemaphoreFdKHR");
	if (!gpu->get_memory_fd_properties ||
	    (gpu->sync_files && (!gpu->import_semaphore_fd || !gpu->get_semaphore_fd)))
		return -ENODEV;
	return 0;
}
