/* SPDX-License-Identifier: MIT */
/*
 * The lab's peers: an ivshmem-plain, whose BAR is a heap, and an edu with 64
 * address bits, below one PCIe switch.  They have no driver until a test binds them.
 */
#ifndef PEERS_H
#define PEERS_H

#include <stdbool.h>

/** struct peers - the addresses of the two, as 0000:03:00.0 */
struct peers {
	char bar[32];
	char edu[32];
};

/** peers_find - false if this machine has none */
bool peers_find(struct peers *peers);

/** peers_open_bar - bind the one with the BAR; returns an fd of its device, or -errno */
int peers_open_bar(const struct peers *peers);

/** peers_open_edu - the same for the edu */
int peers_open_edu(const struct peers *peers);

/** peers_open_program - the edu, by the driver that is for any device */
int peers_open_program(const struct peers *peers);

/** peers_leave - back to how they were; a device that is there no more does not matter */
void peers_leave(const struct peers *peers);

/** pci_address - of the hardware of a Sluice device, such as "edu0"; false if there is none */
bool pci_address(const char *name, char address[64]);

/** pci_bind_open - bind a PCI device to a driver; returns an fd of its device, or -errno */
int pci_bind_open(const char *address, const char *driver);

/** pci_attribute - write to a file of a PCI device in sysfs; returns 0 or -errno */
int pci_attribute(const char *address, const char *name, const char *text);

/** pci_unbind - take a PCI device from its driver; returns 0 or -errno */
int pci_unbind(const char *address);

/** sigbus_at - would reading a byte there be a SIGBUS? */
bool sigbus_at(const volatile void *byte);

#endif /* PEERS_H */
