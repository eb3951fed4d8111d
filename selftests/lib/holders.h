/* SPDX-License-Identifier: MIT */
/*
 * Holders of a device that comes and goes: threads, each with one kind of object that holds
 * buffers, mappings, attachments or fences while the device below is unbound.  They make their
 * objects again when the device is back, release them at random moments, and do not check the
 * results of calls.
 */
#ifndef HOLDERS_H
#define HOLDERS_H

#include <stdatomic.h>
#include <sys/types.h>

struct kms;

/**
 * struct holder - the work of one thread
 * @device: name of the device that its buffers come from
 * @seed: seed of its random numbers
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
 * struct held - counts that show that a loop has done its work
 * @soft_jobs: jobs submitted to soft0
 * @edu_jobs: jobs submitted to edu0
 * @ended: jobs that unbind ended while their holder waited
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

/** hold_mappings - mappings, also of parts and for reading only, with continuous CPU access */
void *hold_mappings(void *holder);

/** hold_screen - a frame in vkms, shown with or without a wait for its job */
void *hold_screen(void *holder);

/** hold_camera - a buffer that vivid fills; the node is opened anew for each */
void *hold_camera(void *holder);

/** hold_transform - two buffers that vim2m reads and writes */
void *hold_transform(void *holder);

/**
 * keep_in_process - start a process that holds the dma-bufs and fences that it is sent
 * @socket: set to the socket for send_to_keeper()
 *
 * The process waits for fences and reads buffers.  It is killed again and again, while more buffers
 * are in its socket.  Call this before starting threads.  Returns its pid, for kill().
 */
pid_t keep_in_process(int *socket);

/** send_to_keeper - send it a dma-buf and a fence; does nothing while it is busy */
void send_to_keeper(int socket, int buffer, int fence);

#endif /* HOLDERS_H */
