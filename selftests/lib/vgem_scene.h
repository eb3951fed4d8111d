/* SPDX-License-Identifier: MIT */
/*
 * For the tests with vgem: soft0 with a queue, vgem with its calls, and all fds of the test.  All
 * functions return 0, an fd or a negative errno.
 */
#ifndef VGEM_SCENE_H
#define VGEM_SCENE_H

#include <stdbool.h>
#include <stdint.h>

#include "objects.h"

#define SIZE	65536
#define WORDS	(SIZE / sizeof(uint32_t))
#define SOON_MS	100	/* long enough to see that no event comes */

/* struct scene - soft0 with a queue, vgem, and the fds that a test made */
struct scene {
	struct objects before;
	int device;
	int queue;
	int drm;
	int fds[32];
	unsigned int num_fds;
};

int keep(struct scene *scene, int fd);
void drop(struct scene *scene, int fd);
void vgem_scene_open(struct scene *scene);
bool vgem_scene_close(struct scene *scene);
int new_buffer(struct scene *scene, const char *heap);
int vgem_import(struct scene *scene, int dmabuf, uint32_t *handle);
int vgem_export(struct scene *scene, uint32_t handle);
int vgem_release(struct scene *scene, uint32_t handle);
int vgem_create(struct scene *scene, uint32_t *handle);
uint32_t *vgem_map(struct scene *scene, uint32_t handle);
int vgem_fence(struct scene *scene, uint32_t handle, bool write, uint32_t *fence);
int vgem_signal(struct scene *scene, uint32_t fence);
int submit_copy(struct scene *scene, int dst, int src, int in_fence, int *out_fence,
		uint64_t *point);
int submit_fill(struct scene *scene, int dst, uint32_t value, int in_fence, int *out_fence,
		uint64_t *point);
bool is_ready(int dmabuf, short events, int timeout_ms);
int count_fences(int fence, const char *driver);

#endif /* VGEM_SCENE_H */
