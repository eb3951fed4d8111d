// SPDX-License-Identifier: MIT
#include <unistd.h>

#include "kms_scene.h"

void scene_open(struct scene *scene, const char *driver, uint32_t width, uint32_t height,
		const char *memory, const char *heap)
{
	*scene = (struct scene) {
		.before = objects_before(),
		.frame = -1,
		.fence = -1,
		.stride = width * 4,
		.size = (size_t)width * 4 * height,
		.display.fd = -1,
	};
	knob("delay_us", 0);
	scene->device = sluice_open("soft0");
	scene->queue = patient_queue(scene->device, 0);
	scene->memory = sluice_open(memory);
	if (scene->memory < 0)
		scene->memory = sluice_open("soft0");
	scene->frame = sluice_alloc(scene->memory, sluice_find_heap(scene->memory, heap),
				    scene->size, 0);
	scene->slot = sluice_attach(scene->queue, scene->frame, 0);
	scene->opened = scene->queue < 0 ? scene->queue :
			scene->frame < 0 ? scene->frame :
			scene->slot < 0 ? scene->slot :
			kms_open(&scene->display, driver, width, height);
	scene->import = scene->opened;
	if (scene->opened)
		return;
	scene->import = kms_import(&scene->display, scene->frame, scene->stride, &scene->fb);
	if (scene->import)
		scene->opened = kms_dumb(&scene->display, &scene->fb);
}

bool scene_close(struct scene *scene)
{
	knob("delay_us", 0);
	knob("fail_next", 0);
	knob("hang_next", 0);
	kms_close(&scene->display);
	close(scene->fence);
	close(scene->queue);
	close(scene->frame);
	close(scene->memory);
	close(scene->device);
	return objects_settle(&scene->before);
}

int capture(struct scene *scene)
{
	struct sluice_op op;

	sluice_op_capture_frame(&op, scene->slot, 0, scene->display.width,
				scene->display.height, scene->stride);
	close(scene->fence);
	return sluice_submit(scene->queue, &op, 1, -1, &scene->fence, 0, NULL);
}
