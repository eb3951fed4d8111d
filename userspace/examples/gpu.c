// SPDX-License-Identifier: MIT
/*
 * Vulkan compute on dma-bufs: see gpu.h.
 *
 * To share memory with other drivers, the program needs:
 *
 *	memory		VK_EXT_external_memory_dma_buf: a dma-buf becomes VkDeviceMemory, which
 *			is bound to a VkBuffer
 *	in-fence	VK_KHR_external_semaphore_fd: a sync_file becomes the payload of a
 *			semaphore, for one wait (temporary import)
 *	out-fence	VK_KHR_external_semaphore_fd: the payload of a semaphore that a
 *			submission signals becomes a sync_file
 *	ownership	barriers from and to VK_QUEUE_FAMILY_FOREIGN_EXT: the GPU invalidates its
 *			caches before the work, and writes them back after it
 *
 * The calls are the same for all drivers, but drivers differ in where they wait.  Mesa's
 * lavapipe, a GPU in software, waits for an in-fence in its own queue.  It cannot create a
 * fence that is pending, so vkGetSemaphoreFdKHR() returns when the work has ended.  If there
 * is no /dev/udmabuf (Linux 6.1), lavapipe has no handles of type SYNC_FD.  The CPU then
 * waits instead, before a submission and after it.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "gpu.h"
#include "gpu_device.h"

#include "edges.spv.h"

/* more than the time until any fence of Sluice signals: 30 s of waiting and 30 s of running */
#define GPU_PATIENCE_NS 65000000000ULL

/* columns and lines of a work group; edges.comp must have the same */
#define GPU_GROUP 64
#define GPU_LINES 8

/* upper limit of columns and lines, so that every device supports the number of groups */
#define GPU_MAX_SIDE 65535

static int create_pipeline(struct gpu *gpu)
{
	VkDescriptorSetLayoutBinding bindings[2] = {
		{
			.binding = 0,
			.descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
			.descriptorCount = 1,
			.stageFlags = VK_SHADER_STAGE_COMPUTE_BIT,
		}, {
			.binding = 1,
			.descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
			.descriptorCount = 1,
			.stageFlags = VK_SHADER_STAGE_COMPUTE_BIT,
		},
	};
	VkDescriptorSetLayoutCreateInfo set = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
		.bindingCount = COUNT(bindings),
		.pBindings = bindings,
	};
	VkPushConstantRange constants = {
		.stageFlags = VK_SHADER_STAGE_COMPUTE_BIT,
		.size = sizeof(struct gpu_layout),
	};
	VkPipelineLayoutCreateInfo layout = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
		.setLayoutCount = 1,
		.pSetLayouts = &gpu->set_layout,
		.pushConstantRangeCount = 1,
		.pPushConstantRanges = &constants,
	};
	VkShaderModuleCreateInfo code = {
		.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO,
		.codeSize = sizeof(edges_spv),
		.pCode = edges_spv,
	};
	VkComputePipelineCreateInfo pipeline = {
		.sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
		.stage = {
			.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
			.stage = VK_SHADER_STAGE_COMPUTE_BIT,
			.pName = "main",
		},
	};
	int ret;

	ret = gpu_checked(vkCreateDescriptorSetLayout(gpu->device, &set, NULL, &gpu->set_layout),
			  "descriptor layout");
	if (!ret)
		ret = gpu_checked(vkCreatePipelineLayout(gpu->device, &layout, NULL, &gpu->layout),
				  "pipeline layout");
	if (!ret)
		ret = gpu_checked(vkCreateShaderModule(gpu->device, &code, NULL,
						       &pipeline.stage.module), "shader");
	if (ret)
		return ret;
	pipeline.layout = gpu->layout;
	ret = gpu_checked(vkCreateComputePipelines(gpu->device, VK_NULL_HANDLE, 1, &pipeline, NULL,
						   &gpu->pipeline), "pipeline");
	vkDestroyShaderModule(gpu->device, pipeline.stage.module, NULL);
	return ret;
}

static int create_done_semaphore(struct gpu *gpu, struct gpu_job *job)
{
	VkExportSemaphoreCreateInfo export = {
		.sType = VK_STRUCTURE_TYPE_EXPORT_SEMAPHORE_CREATE_INFO,
		.handleTypes = VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_SYNC_FD_BIT,
	};
	VkSemaphoreCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO,
		.pNext = &export,
	};

	return gpu_checked(vkCreateSemaphore(gpu->device, &info, NULL, &job->done),
			   "semaphore to export");
}

static int create_wait_semaphore(struct gpu *gpu, struct gpu_job *job)
{
	VkSemaphoreCreateInfo info = { .sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO };

	return gpu_checked(vkCreateSemaphore(gpu->device, &info, NULL, &job->wait),
			   "semaphore to import");
}

static int create_jobs(struct gpu *gpu)
{
	VkDescriptorPoolSize size = {
		.type = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
		.descriptorCount = 2 * GPU_JOBS,
	};
	VkDescriptorPoolCreateInfo sets = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
		.maxSets = GPU_JOBS,
		.poolSizeCount = 1,
		.pPoolSizes = &size,
	};
	VkCommandPoolCreateInfo commands = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
		.flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT,
		.queueFamilyIndex = gpu->family,
	};
	unsigned int i;
	int ret;

	ret = gpu_checked(vkCreateDescriptorPool(gpu->device, &sets, NULL, &gpu->sets),
			  "descriptor pool");
	if (!ret)
		ret = gpu_checked(vkCreateCommandPool(gpu->device, &commands, NULL, &gpu->commands),
				  "command pool");
	for (i = 0; i < GPU_JOBS && !ret; i++) {
		struct gpu_job *job = &gpu->jobs[i];
		VkDescriptorSetAllocateInfo set = {
			.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
			.descriptorPool = gpu->sets,
			.descriptorSetCount = 1,
			.pSetLayouts = &gpu->set_layout,
		};
		VkCommandBufferAllocateInfo buffer = {
			.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
			.commandPool = gpu->commands,
			.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
			.commandBufferCount = 1,
		};
		VkFenceCreateInfo fence = { .sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO };

		ret = gpu_checked(vkAllocateDescriptorSets(gpu->device, &set, &job->set),
				  "descriptor set");
		if (!ret)
			ret = gpu_checked(vkAllocateCommandBuffers(gpu->device, &buffer,
								   &job->commands), "commands");
		if (!ret)
			ret = gpu_checked(vkCreateFence(gpu->device, &fence, NULL, &job->ended),
					  "fence");
		if (!ret && gpu->sync_files)
			ret = create_wait_semaphore(gpu, job);
	}
	return ret;
}

int gpu_create(struct gpu **out)
{
	VkApplicationInfo application = {
		.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
		.pApplicationName = "sluice",
		.apiVersion = VK_API_VERSION_1_1,
	};
	VkInstanceCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
		.pApplicationInfo = &application,
	};
	struct gpu *gpu = calloc(1, sizeof(*gpu));
	int ret;

	if (!gpu)
		return -ENOMEM;
	ret = gpu_checked(vkCreateInstance(&info, NULL, &gpu->instance), "create instance");
	if (!ret)
		ret = gpu_find_device(gpu);
	if (!ret)
		ret = gpu_create_device(gpu);
	if (!ret)
		ret = create_pipeline(gpu);
	if (!ret)
		ret = create_jobs(gpu);
	if (ret) {
		gpu_destroy(gpu);
		return ret;
	}
	*out = gpu;
	return 0;
}

/* Vulkan ignores a call that destroys VK_NULL_HANDLE, so a partly created GPU is allowed. */
void gpu_destroy(struct gpu *gpu)
{
	unsigned int i;

	if (gpu->device) {
		gpu_idle(gpu);
		for (i = 0; i < GPU_JOBS; i++) {
			vkDestroySemaphore(gpu->device, gpu->jobs[i].done, NULL);
			vkDestroySemaphore(gpu->device, gpu->jobs[i].wait, NULL);
			vkDestroyFence(gpu->device, gpu->jobs[i].ended, NULL);
		}
		vkDestroyCommandPool(gpu->device, gpu->commands, NULL);
		vkDestroyDescriptorPool(gpu->device, gpu->sets, NULL);
		vkDestroyPipeline(gpu->device, gpu->pipeline, NULL);
		vkDestroyPipelineLayout(gpu->device, gpu->layout, NULL);
		vkDestroyDescriptorSetLayout(gpu->device, gpu->set_layout, NULL);
		vkDestroyDevice(gpu->device, NULL);
	}
	if (gpu->instance)
		vkDestroyInstance(gpu->instance, NULL);
	free(gpu);
}

const char *gpu_name(const struct gpu *gpu)
{
	return gpu->name;
}

bool gpu_knows_fences(const struct gpu *gpu)
{
	return gpu->sync_files;
}

/* A type of memory that is possible for the dma-buf and for the buffer (@wanted); -1 for none. */
static int memory_type(struct gpu *gpu, int dmabuf, uint32_t wanted)
{
	VkMemoryFdPropertiesKHR properties = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_FD_PROPERTIES_KHR,
	};
	VkResult result;

	result = gpu->get_memory_fd_properties(gpu->device,
					       VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT,
					       dmabuf, &properties);
	if (gpu_checked(result, "memory types of the dma-buf"))
		return -1;
	return ffs((int)(properties.memoryTypeBits & wanted)) - 1;
}

int gpu_import(struct gpu *gpu, int dmabuf, size_t size, struct gpu_buffer **out)
{
	VkExternalMemoryBufferCreateInfo external = {
		.sType = VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_BUFFER_CREATE_INFO,
		.handleTypes = VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT,
	};
	VkBufferCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
		.pNext = &external,
		.size = size,
		.usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT,
		.sharingMode = VK_SHARING_MODE_EXCLUSIVE,
	};
	VkMemoryDedicatedAllocateInfo dedicated = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_DEDICATED_ALLOCATE_INFO,
	};
	VkImportMemoryFdInfoKHR import = {
		.sType = VK_STRUCTURE_TYPE_IMPORT_MEMORY_FD_INFO_KHR,
		.pNext = &dedicated,
		.handleType = VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT,
		.fd = -1,
	};
	VkMemoryAllocateInfo allocate = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
		.pNext = &import,
	};
	VkMemoryRequirements requirements;
	struct gpu_buffer *buffer;
	off_t end;
	int ret, type;

	end = lseek(dmabuf, 0, SEEK_END);
	if (end < 0)
		return -errno;
	buffer = calloc(1, sizeof(*buffer));
	if (!buffer)
		return -ENOMEM;
	buffer->size = size;
	ret = gpu_checked(vkCreateBuffer(gpu->device, &info, NULL, &buffer->buffer), "buffer");
	if (ret)
		goto err_free;

	vkGetBufferMemoryRequirements(gpu->device, buffer->buffer, &requirements);
	ret = -EINVAL;
	if (requirements.size > (VkDeviceSize)end) {
		fprintf(stderr, "vulkan: a dma-buf of %lld bytes is too small for %llu\n",
			(long long)end, (unsigned long long)requirements.size);
		goto err_buffer;
	}
	type = memory_type(gpu, dmabuf, requirements.memoryTypeBits);
	if (type < 0)
		goto err_buffer;

	/* a successful import consumes the fd */
	import.fd = fcntl(dmabuf, F_DUPFD_CLOEXEC, 0);
	ret = -errno;
	if (import.fd < 0)
		goto err_buffer;
	dedicated.buffer = buffer->buffer;
	allocate.allocationSize = end;
	allocate.memoryTypeIndex = type;
	ret = gpu_checked(vkAllocateMemory(gpu->device, &allocate, NULL, &buffer->memory),
			  "import the dma-buf");
	if (ret) {
		close(import.fd);
		goto err_buffer;
	}
	ret = gpu_checked(vkBindBufferMemory(gpu->device, buffer->buffer, buffer->memory, 0),
			  "bind the dma-buf");
	if (ret)
		goto err_memory;
	*out = buffer;
	return 0;

err_memory:
	vkFreeMemory(gpu->device, buffer->memory, NULL);
err_buffer:
	vkDestroyBuffer(gpu->device, buffer->buffer, NULL);
err_free:
	free(buffer);
	return ret;
}

void gpu_release(struct gpu *gpu, struct gpu_buffer *buffer)
{
	gpu_idle(gpu);
	vkDestroyBuffer(gpu->device, buffer->buffer, NULL);
	vkFreeMemory(gpu->device, buffer->memory, NULL);
	free(buffer);
}

/* Take the next job; wait until its last submission has ended. */
static int take_job(struct gpu *gpu, struct gpu_job **out)
{
	struct gpu_job *job = &gpu->jobs[gpu->next];
	int ret;

	if (job->busy) {
		ret = gpu_checked(vkWaitForFences(gpu->device, 1, &job->ended, VK_TRUE,
						  GPU_PATIENCE_NS), "wait for an older submission");
		if (!ret)
			ret = gpu_checked(vkResetFences(gpu->device, 1, &job->ended), "reset fence");
		if (ret)
			return ret;
		job->busy = false;
	}
	gpu->next = (gpu->next + 1) % GPU_JOBS;
	*out = job;
	return 0;
}

static void bind_buffers(struct gpu *gpu, struct gpu_job *job, struct gpu_buffer *dst,
			 struct gpu_buffer *src)
{
	VkDescriptorBufferInfo buffers[2] = {
		{ .buffer = src->buffer, .range = VK_WHOLE_SIZE },
		{ .buffer = dst->buffer, .range = VK_WHOLE_SIZE },
	};
	VkWriteDescriptorSet write = {
		.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
		.dstSet = job->set,
		.dstBinding = 0,
		.descriptorCount = COUNT(buffers),	/* binding 0 and binding 1 */
		.descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
		.pBufferInfo = buffers,
	};

	vkUpdateDescriptorSets(gpu->device, 1, &write, 0, NULL);
}

/*
 * Acquire both buffers from their other users, or release them.  The acquisition must come
 * after the in-fence.  It therefore has the stage that waits for the in-fence.
 */
static void transfer(struct gpu *gpu, struct gpu_job *job, struct gpu_buffer *dst,
		     struct gpu_buffer *src, bool acquire)
{
	VkBufferMemoryBarrier barriers[2];
	unsigned int i;

	for (i = 0; i < COUNT(barriers); i++) {
		VkAccessFlags access = i ? VK_ACCESS_SHADER_WRITE_BIT : VK_ACCESS_SHADER_READ_BIT;

		barriers[i] = (VkBufferMemoryBarrier) {
			.sType = VK_STRUCTURE_TYPE_BUFFER_MEMORY_BARRIER,
			.srcAccessMask = acquire ? 0 : access,
			.dstAccessMask = acquire ? access : 0,
			.srcQueueFamilyIndex = acquire ? gpu->foreign : gpu->family,
			.dstQueueFamilyIndex = acquire ? gpu->family : gpu->foreign,
			.buffer = i ? dst->buffer : src->buffer,
			.size = VK_WHOLE_SIZE,
		};
	}
	vkCmdPipelineBarrier(job->commands,
			     VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT,
			     acquire ? VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT :
				       VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT,
			     0, 0, NULL, COUNT(barriers), barriers, 0, NULL);
}

static int record(struct gpu *gpu, struct gpu_job *job, struct gpu_buffer *dst,
		  struct gpu_buffer *src, const struct gpu_layout *layout)
{
	VkCommandBufferBeginInfo begin = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
		.flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT,
	};
	int ret;

	bind_buffers(gpu, job, dst, src);
	ret = gpu_checked(vkBeginCommandBuffer(job->commands, &begin), "begin commands");
	if (ret)
		return ret;
	transfer(gpu, job, dst, src, true);
	vkCmdBindPipeline(job->commands, VK_PIPELINE_BIND_POINT_COMPUTE, gpu->pipeline);
	vkCmdBindDescriptorSets(job->commands, VK_PIPELINE_BIND_POINT_COMPUTE, gpu->layout, 0, 1,
				&job->set, 0, NULL);
	vkCmdPushConstants(job->commands, gpu->layout, VK_SHADER_STAGE_COMPUTE_BIT, 0,
			   sizeof(*layout), layout);
	vkCmdDispatch(job->commands, (layout->width + GPU_GROUP - 1) / GPU_GROUP,
		      (layout->height + GPU_LINES - 1) / GPU_LINES, 1);
	transfer(gpu, job, dst, src, false);
	return gpu_checked(vkEndCommandBuffer(job->commands), "end commands");
}

/* Import a sync_file into the semaphore @job->wait, for one wait. */
static int import_fence(struct gpu *gpu, struct gpu_job *job, int fence)
{
	VkImportSemaphoreFdInfoKHR info = {
		.sType = VK_STRUCTURE_TYPE_IMPORT_SEMAPHORE_FD_INFO_KHR,
		.semaphore = job->wait,
		.flags = VK_SEMAPHORE_IMPORT_TEMPORARY_BIT,
		.handleType = VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_SYNC_FD_BIT,
		.fd = fcntl(fence, F_DUPFD_CLOEXEC, 0),
	};
	int ret;

	if (info.fd < 0)
		return -errno;
	ret = gpu_checked(gpu->import_semaphore_fd(gpu->device, &info), "import the in-fence");
	if (ret)
		close(info.fd);
	return ret;
}

/* Wait for a fence if the driver cannot.  An error of the fence is ignored, as by a GPU. */
static int wait_fence(int fence)
{
	struct pollfd pollfd = { .fd = fence, .events = POLLIN };
	int ret;

	do
		ret = poll(&pollfd, 1, GPU_PATIENCE_NS / 1000000);
	while (ret < 0 && errno == EINTR);
	return ret < 0 ? -errno : ret ? 0 : -ETIME;
}

static int export_fence(struct gpu *gpu, struct gpu_job *job, int *fence)
{
	VkSemaphoreGetFdInfoKHR info = {
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_GET_FD_INFO_KHR,
		.semaphore = job->done,
		.handleType = VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_SYNC_FD_BIT,
	};
	int ret;

	ret = gpu_checked(gpu->get_semaphore_fd(gpu->device, &info, fence), "export the out-fence");
	if (!ret)
		return 0;

	/* the semaphore stays signalled.  It must not be signalled again, so destroy it */
	gpu_idle(gpu);
	vkDestroySemaphore(gpu->device, job->done, NULL);
	job->done = VK_NULL_HANDLE;
	return ret;
}

/* Check that the source and both results are inside their buffers. */
static bool layout_fits(const struct gpu_layout *layout, const struct gpu_buffer *dst,
			const struct gpu_buffer *src)
{
	uint64_t last = (uint64_t)(layout->height - 1) * layout->stride;

	return layout->width && layout->width <= GPU_MAX_SIDE && layout->height &&
	       layout->height <= GPU_MAX_SIDE && layout->copied <= layout->width &&
	       (uint64_t)layout->width * layout->height <= src->size / sizeof(uint32_t) &&
	       layout->copy_at + last + layout->copied <= dst->size / sizeof(uint32_t) &&
	       layout->edges_at + last + layout->width <= dst->size / sizeof(uint32_t);
}

int gpu_run(struct gpu *gpu, struct gpu_buffer *dst, struct gpu_buffer *src,
	    const struct gpu_layout *layout, int in_fence, int *out_fence)
{
	VkPipelineStageFlags stage = VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT;
	VkSubmitInfo submit = {
		.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
		.waitSemaphoreCount = gpu->sync_files && in_fence >= 0,
		.pWaitDstStageMask = &stage,
		.commandBufferCount = 1,
		.signalSemaphoreCount = gpu->sync_files,
	};
	struct gpu_job *job;
	int ret;

	if (!layout_fits(layout, dst, src))
		return -EINVAL;
	ret = take_job(gpu, &job);
	if (!ret && gpu->sync_files && !job->done)
		ret = create_done_semaphore(gpu, job);
	if (!ret)
		ret = record(gpu, job, dst, src, layout);
	if (!ret && in_fence >= 0)
		ret = gpu->sync_files ? import_fence(gpu, job, in_fence) : wait_fence(in_fence);
	if (ret)
		return ret;
	submit.pWaitSemaphores = &job->wait;
	submit.pCommandBuffers = &job->commands;
	submit.pSignalSemaphores = &job->done;
	ret = gpu_checked(vkQueueSubmit(gpu->queue, 1, &submit, job->ended), "submit");
	if (ret)
		return ret;
	job->busy = true;
	*out_fence = -1;
	return gpu->sync_files ? export_fence(gpu, job, out_fence) : gpu_idle(gpu);
}

int gpu_idle(struct gpu *gpu)
{
	return gpu_checked(vkDeviceWaitIdle(gpu->device), "wait until idle");
}
