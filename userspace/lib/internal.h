/* SPDX-License-Identifier: MIT */
/* Functions that the files of libsluice share.  They are hidden in the shared library. */
#ifndef SLUICE_INTERNAL_H
#define SLUICE_INTERNAL_H

#include "sluice.h"

/**
 * sluice_lib_call() - an ioctl that a signal does not end
 * @fd: the file
 * @request: SLUICE_IOCTL_*, or an ioctl of another part of the kernel
 * @argument: its struct
 *
 * Return: the result of the ioctl, or a negative errno.  errno is not changed.
 */
int sluice_lib_call(int fd, unsigned long request, void *argument);

/**
 * sluice_fail() - note why a function fails
 * @error: the negative errno that the function returns
 * @format: the sentence, as for printf()
 *
 * Return: @error.  errno is not changed.
 */
int sluice_fail(int error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/**
 * sluice_lib_call_error() - note why an ioctl fails
 * @request: the ioctl
 * @error: its negative errno
 *
 * Return: @error.
 */
int sluice_lib_call_error(unsigned long request, int error);

/**
 * sluice_lib_memory_error() - note why ALLOC or WRAP fails
 * @device: fd of the device
 * @hint: SLUICE_HINT_* that the call has returned
 * @size: bytes that were asked for
 * @error: the negative errno
 *
 * Return: @error.
 */
int sluice_lib_memory_error(int device, uint32_t hint, uint64_t size, int error);

/**
 * sluice_lib_status() - note with which error a job or a fence has ended
 * @status: 0 or the negative errno
 *
 * Return: @status.
 */
int sluice_lib_status(int status);

/**
 * sluice_lib_create_ring() - create a queue with a completion ring, or one to read()
 * @device: fd of the device
 * @args: arguments of CREATE_QUEUE, without SLUICE_QUEUE_RING and completion_size, which are set
 * @ring: receives the queue and its ring, as from sluice_ring_create()
 *
 * Return: the fd of the queue, or a negative errno.
 */
int sluice_lib_create_ring(int device, struct sluice_create_queue *args, struct sluice_ring *ring);

#endif
