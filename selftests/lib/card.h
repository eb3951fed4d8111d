/* SPDX-License-Identifier: MIT */
#ifndef CARD_H
#define CARD_H

/**
 * card_open - the first DRM node of a driver, whose module is loaded for it
 *
 * Returns an fd, or -ENODEV.
 */
int card_open(const char *driver);

#endif /* CARD_H */
