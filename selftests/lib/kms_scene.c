// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "jobs.h"
#include "kms_scene.h"
#include "knobs.h"
#include "objects.h"

void kms_scene_open(struct scene *scene, const char *driver, uint32_t width, uint32_t height,
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

bool kms_scene_close(struct scene *scene)
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

int check_screen(const struct scene *scene, const char *name)
{
	const char *folder = getenv("SLUICE_SCREENDUMPS");
	const uint32_t columns = scene->display.width, rows = scene->display.height;
	unsigned int width, height, depth, x, y;
	uint32_t *frame, shown;
	unsigned char *line;
	char path[256];
	int ret = 0;
	FILE *file;

	if (!folder)
		return -EOPNOTSUPP;
	printf("# screendump %s\n", name);
	fflush(stdout);
	if (!fgets(path, sizeof(path), stdin))
		return -EIO;
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "re");
	if (!file)
		return -errno;
	if (fscanf(file, "P6 %u %u %u", &width, &height, &depth) != 3 || fgetc(file) == EOF ||
	    width != columns || height != rows || depth != 255) {
		fclose(file);
		return -EPROTO;
	}

	line = malloc(3 * columns);
	if (!line || sluice_map(scene->frame, scene->size, (void **)&frame) ||
	    sluice_cpu_begin(scene->frame, false)) {
		free(line);
		fclose(file);
		return -ENOMEM;
	}
	for (y = 0; y < rows && !ret; y++) {
		if (fread(line, 3, columns, file) != columns)
			ret = -EIO;
		for (x = 0; x < columns && !ret; x++) {
			shown = (uint32_t)line[3 * x] << 16 | line[3 * x + 1] << 8 | line[3 * x + 2];
			if (shown == (frame[y * columns + x] & 0xffffff))
				continue;
			printf("# the screen shows %06x at %u,%u and not %06x\n", shown, x, y,
			       frame[y * columns + x] & 0xffffff);
			ret = -EILSEQ;
		}
	}
	sluice_cpu_end(scene->frame, false);
	munmap(frame, scene->size);
	free(line);
	fclose(file);
	return ret;
}
