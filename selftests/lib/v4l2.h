/* SPDX-License-Identifier: MIT */
/*
 * For the tests with V4L2 devices: a node of a driver, and queues of dma-bufs on it.  A queue is a
 * node and a buffer type; all planes are in one dma-buf.
 *
 * All functions return 0, an fd or a negative errno.
 */
#ifndef V4L2_H
#define V4L2_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/videodev2.h>

/** v4l2_open - open the first node of a driver that has all of these V4L2_CAP_* */
int v4l2_open(const char *driver, uint32_t capabilities);

/**
 * v4l2_set_format - set exactly this size and pixel format
 * @size: set to the bytes of a picture
 */
int v4l2_set_format(int node, uint32_t type, uint32_t width, uint32_t height, uint32_t fourcc,
		    uint32_t *size);

/** v4l2_request - make a queue for @count dma-bufs; 0 removes it */
int v4l2_request(int node, uint32_t type, unsigned int count);

/** v4l2_queue - give the driver a dma-buf with @used bytes in it */
int v4l2_queue(int node, uint32_t type, unsigned int index, int dmabuf, uint32_t used);

/** v4l2_dequeue - wait for the next buffer, -ETIMEDOUT after @timeout_ms */
int v4l2_dequeue(int node, uint32_t type, int timeout_ms, struct v4l2_buffer *buffer);

/** v4l2_stream - start or stop a queue */
int v4l2_stream(int node, uint32_t type, bool on);

#endif /* V4L2_H */
