/* SPDX-License-Identifier: MIT */
/*
 * The lab's peers below one PCIe switch: an ivshmem-plain, whose BAR is a heap, and an edu with 64
 * address bits.  They have no driver until a test binds them.
 */
#ifndef PEERS_H
#define PEERS_H

#include <stdbool.h>

/** struct peers - the addresses of the two, such as 0000:03:00.0 */
struct peers {
	char bar[32];
	char edu[32];
};

/** peers_find - find them; false if this machine has none */
bool peers_find(struct peers *peers);

/** peers_open_bar - bind the device with the BAR; returns an fd of its node, or -errno */
int peers_open_bar(const struct peers *peers);

/** peers_open_edu - the same for the edu */
int peers_open_edu(const struct peers *peers);

/** peers_open_program - bind the edu to the driver for any device; returns the same */
int peers_open_program(const struct peers *peers);

/** peers_leave - restore their state; ignores devices that do not exist any more */
void peers_leave(const struct peers *peers);

/** pci_address - address of the hardware of a Sluice device, such as "edu0"; false if none */
bool pci_address(const char *name, char address[64]);

/** pci_bind_open - bind a PCI device to a driver; returns an fd of its node, or -errno */
int pci_bind_open(const char *address, const char *driver);

/** pci_attribute - write to a file of a PCI device in sysfs; returns 0 or -errno */
int pci_attribute(const char *address, const char *name, const char *text);

/** pci_unbind - unbind a PCI device from its driver; returns 0 or -errno */
int pci_unbind(const char *address);

/** sigbus_at - does a read of this byte raise SIGBUS? */
bool sigbus_at(const volatile void *byte);

#endif /* PEERS_H */
