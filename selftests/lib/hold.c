// SPDX-License-Identifier: MIT
/* See hold.h. */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "buffers.h"
#include "hold.h"
#include "machine.h"
#include "sluice.h"

/* Touch memory, each page of which must be there then. */
static int touch(size_t bytes)
{
	volatile char *memory;
	size_t i;

	memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return -errno;
	for (i = 0; i < bytes; i += sysconf(_SC_PAGESIZE))
		memory[i] = 1;
	return 0;
}

static int enter(const struct hold *hold)
{
	char text[16];
	int ret = 0;

	snprintf(text, sizeof(text), "%d", getpid());
	if (hold->cgroup)
		ret = write_text(hold->cgroup, text);
	if (!ret && hold->uid && setresuid(hold->uid, hold->uid, hold->uid))
		ret = -errno;
	return ret;
}

static int hold_run(struct hold *hold)
{
	int ret = enter(hold), device, fd;

	if (ret)
		return ret;
	device = sluice_open("soft0");
	if (device < 0)
		return device;
	for (; hold->buffers < hold->most; hold->buffers++) {
		fd = alloc_hint(device, 0, hold->each, &hold->hint);
		if (fd < 0)
			return fd;
	}
	return hold->anonymous ? touch(hold->anonymous) : 0;
}

#define RUNNING 1	/* an error that no call returns */

static bool is_alive(pid_t pid)
{
	siginfo_t info = {};

	return !waitid(P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT) && !info.si_pid;
}

pid_t hold_start(struct hold *hold)
{
	struct hold *found;
	pid_t pid;

	/* shared, because a pipe would need memory at the limit of the cgroup */
	found = mmap(NULL, sizeof(*found), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		     -1, 0);
	if (found == MAP_FAILED)
		return -1;
	*found = *hold;
	found->buffers = 0;
	found->error = RUNNING;
	pid = fork();
	if (!pid) {
		__atomic_store_n(&found->error, hold_run(found), __ATOMIC_RELEASE);
		for (;;)
			pause();
	}
	while (__atomic_load_n(&found->error, __ATOMIC_ACQUIRE) == RUNNING && is_alive(pid))
		usleep(1000);
	*hold = *found;
	if (hold->error == RUNNING)
		hold->error = -EINTR;
	munmap(found, sizeof(*found));
	return pid;
}

int hold_end(pid_t pid)
{
	int status;

	/* one that was killed before does not get this signal */
	kill(pid, SIGTERM);
	if (waitpid(pid, &status, 0) != pid || !WIFSIGNALED(status) || WTERMSIG(status) == SIGTERM)
		return 0;
	return WTERMSIG(status);
}
