/* SPDX-License-Identifier: MIT */
#ifndef CARD_H
#define CARD_H

/**
 * card_open - open the first DRM node of a driver, after loading its module
 * // Returns an fd, or -ENODEV.
 */
int card_open(const char *driver);

#endif /* CARD_H */
