/* SPDX-License-Identifier: MIT */
/* Knobs of soft0 in debugfs, and the limits of the core. */
#ifndef KNOBS_H
#define KNOBS_H

/** knob - write a number to a file of soft0 in debugfs; returns 0 or -errno */
int knob(const char *name, unsigned long value);

/** limit_mb - set the limit "open", "user" or "total"; 0 for the default; returns 0 or -errno */
int limit_mb(const char *name, unsigned int mb);

/** open_limit_mb - set the limit for each open of a node, 0 for none; returns 0 or -errno */
int open_limit_mb(unsigned int mb);

#define RESERVE_DEFAULT	(~0UL)

/** reserve_mb - set the memory that new buffers leave to processes; returns 0 or -errno */
int reserve_mb(unsigned long mb);

#endif /* KNOBS_H */
