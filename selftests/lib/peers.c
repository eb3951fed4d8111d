// SPDX-License-Identifier: MIT
/* See peers.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "machine.h"
#include "peers.h"
#include "sluice.h"

#define PCI "/sys/bus/pci"
#define DMA_BITS "/sys/module/sluice_edu/parameters/dma_bits"

static unsigned long pci_id(const char *address, const char *name)
{
	char path[96], text[16] = "";
	int fd;

	snprintf(path, sizeof(path), PCI "/devices/%.24s/%s", address, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
		text[0] = 0;
	close(fd);
	return strtoul(text, NULL, 0);
}

/* Find the device with these ids that is not on the first bus, and store its address. */
static bool find_pci(unsigned long vendor, unsigned long device, char address[32])
{
	struct dirent *entry;
	DIR *dir = opendir(PCI "/devices");
	bool found = false;

	while (dir && !found && (entry = readdir(dir))) {
		if (!strncmp(entry->d_name, "0000:00:", 8) ||
		    pci_id(entry->d_name, "vendor") != vendor ||
		    pci_id(entry->d_name, "device") != device)
			continue;
		snprintf(address, 32, "%.24s", entry->d_name);
		found = true;
	}
	if (dir)
		closedir(dir);
	return found;
}

bool peers_find(struct peers *peers)
{
	return find_pci(0x1af4, 0x1110, peers->bar) && find_pci(0x1234, 0x11e8, peers->edu);
}

int pci_attribute(const char *address, const char *name, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), PCI "/devices/%s/%s", address, name);
	return write_text(path, text);
}

int pci_unbind(const char *address)
{
	return pci_attribute(address, "driver/unbind", address);
}

bool pci_address(const char *name, char address[64])
{
	char path[96], target[256];
	ssize_t length;

	snprintf(path, sizeof(path), "/sys/class/sluice/%s/device", name);
	length = readlink(path, target, sizeof(target) - 1);
	if (length < 0)
		return false;
	target[length] = 0;
	snprintf(address, 64, "%.60s", strrchr(target, '/') + 1);
	return true;
}

int pci_bind_open(const char *address, const char *driver)
{
	char path[128];
	int tries;

	/* a device that has a driver is not probed */
	pci_unbind(address);
	pci_attribute(address, "driver_override", driver);
	write_text(PCI "/drivers_probe", address);
	snprintf(path, sizeof(path), PCI "/devices/%s/sluice", address);
	for (tries = 0; tries < LATE_MS / 10; tries++) {
		struct dirent *entry;
		DIR *dir = opendir(path);
		int fd = -ENOENT;

		while (dir && (entry = readdir(dir)))
			if (entry->d_name[0] != '.')
				fd = sluice_open(entry->d_name);
		if (dir)
			closedir(dir);
		if (fd >= 0)
			return fd;
		usleep(10000);
	}
	return -ENODEV;
}

int peers_open_bar(const struct peers *peers)
{
	return pci_bind_open(peers->bar, "sluice-pci");
}

int peers_open_edu(const struct peers *peers)
{
	int fd = write_text(DMA_BITS, "64") ?: pci_bind_open(peers->edu, "sluice-edu");

	write_text(DMA_BITS, "28");
	return fd;
}

int peers_open_program(const struct peers *peers)
{
	return pci_bind_open(peers->edu, "sluice-pci");
}

void peers_leave(const struct peers *peers)
{
	pci_unbind(peers->bar);
	pci_unbind(peers->edu);
	pci_attribute(peers->bar, "driver_override", "\n");
	pci_attribute(peers->edu, "driver_override", "none");
}

static __thread sigjmp_buf bus_error;
static __thread volatile bool waiting;

static void on_bus_error(int number)
{
	/* not from sigbus_at(): restore the default, which ends the process at the second try */
	if (!waiting)
		signal(SIGBUS, SIG_DFL);
	else
		siglongjmp(bus_error, number);
}

bool sigbus_at(const volatile void *byte)
{
	struct sigaction action = { .sa_handler = on_bus_error };

	/* never restored, because other threads may be in sigbus_at() */
	sigaction(SIGBUS, &action, NULL);
	waiting = true;
	if (sigsetjmp(bus_error, 1)) {
		waiting = false;
		return true;
	}
	(void)*(const volatile char *)byte;
	waiting = false;
	return false;
}
