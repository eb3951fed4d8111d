/* SPDX-License-Identifier: MIT */
/*
 * Who holds on to a device that comes and goes: threads, each with one kind of
 * thing that keeps buffers, mappings, attachments or fences while the device
 * below is unbound.  They make what they hold anew whenever the device is
 * there, let go of it at random moments, and ask nobody what a call answered.
 */
#ifndef HOLDERS_H
#define HOLDERS_H

#include <stdatomic.h>
#include <sys/types.h>

struct kms;

/**
 * struct holder - one thread's work
 * @device: name of the device that its buffers are from
 * @seed: of its random numbers
 * @fd: of the importer: vgem for hold_jobs(), vim2m for hold_transform()
 * @kms: the screen for hold_screen()
 * @keeper: socket of keep_in_process()
 */
struct holder {
	const char *device;
	unsigned int seed;
	int fd;
	struct kms *kms;
	int keeper;
};

/**
 * struct held - how often something was held: a loop can tell that it did what it says
 * @soft_jobs: submitted to soft0
 * @edu_jobs: and to edu0
 * @ended: of the jobs whose holder waited for the end, those that unbind ended
 */
struct held {
	atomic_ulong soft_jobs, edu_jobs, ended;
	atomic_ulong mappings, importers, sent, pictures, streams, transforms;
};

extern struct held held;

/* the mode of the screen */
#define SCREEN_WIDTH	640U
#define SCREEN_HEIGHT	480U

/** hold_jobs - jobs, fences, an importer that maps and fences, vgem; closed in any order */
void *hold_jobs(void *holder);

/** hold_mappings - mappings, also read-only ones and parts, which the CPU never stops to touch */
void *hold_mappings(void *holder);

/** hold_screen - a frame of vkms, shown when its job has ended, or not */
void *hold_screen(void *holder);

/** hold_camera - a buffer that vivid fills; the node is opened anew for each */
void *hold_camera(void *holder);

/** hold_transform - two buffers that vim2m reads and writes */
void *hold_transform(void *holder);

/**
 * keep_in_process - a process that holds the dma-bufs and fences it is sent
 * @socket: set to the end for send_to_keeper()
 *
 * It waits for fences, looks at buffers, and is killed all the time, with
 * more on the way to it.  Call it before there are threads.  Returns its pid,
 * for kill().
 */
pid_t keep_in_process(int *socket);

/** send_to_keeper - give it a dma-buf and a fence; does nothing while it is busy */
void send_to_keeper(int socket, int buffer, int fence);

#endif /* HOLDERS_H */
