// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fault_sites.h"
#include "objects.h"

#define MAX_FAULT_SITES 2000

/* Results of all tests of a program, in shared memory, because each test is a process. */
static struct {
	int fault_sites, survived, errnos[256];
} *seen;

static int fail_nth;

__attribute__((constructor)) static void share_what_is_seen(void)
{
	seen = mmap(NULL, sizeof(*seen), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

bool fault_sites_on(void)
{
	fail_nth = open("/proc/self/fail-nth", O_RDWR | O_CLOEXEC);
	/* every allocation of every size, without a report for each */
	return fail_nth >= 0 &&
	       !system("cd /sys/kernel/debug && "
		       "for d in failslab fail_page_alloc fail_usercopy; do echo 0 >$d/verbose; done; "
		       "echo N >failslab/ignore-gfp-wait; echo N >fail_page_alloc/ignore-gfp-wait; "
		       "echo 0 >fail_page_alloc/min-order");
}

void fault_sites_off(void)
{
	close(fail_nth);
}

/* Returns whether the fault was injected. */
static bool attempt_with(const struct call *call, int nth, int *result)
{
	char text[16];
	int left, length = snprintf(text, sizeof(text), "%d", nth);

	if (pwrite(fail_nth, text, length, 0) != length)
		abort();
	*result = call->attempt();
	/*
	 * The rest of the count tells whether the fault was injected.  The read and the reset of
	 * the count copy user memory, too, and may get the fault instead of the call.
	 */
	memset(text, 0, sizeof(text));
	left = pread(fail_nth, text, sizeof(text) - 1, 0) > 0 ? atoi(text) : 1;
	while (pwrite(fail_nth, "0", 1, 0) != 1)
		;
	return !left;
}

static bool fault_sites_round(const struct call *call)
{
	struct objects before = objects_read();
	const char *wrong = NULL;
	int nth, result = 0;
	bool injected;

	for (nth = 1; !wrong; nth++) {
		if (nth == MAX_FAULT_SITES)
			wrong = "no end";
		else if (call->prepare && !call->prepare())
			wrong = "not prepared";
		if (wrong)
			break;
		injected = attempt_with(call, nth, &result);
		if (!call->undo(result))
			wrong = "not as the result says";
		else if (!objects_settle(&before))
			wrong = "something was lost";
		else if (result < 0 && !injected)
			wrong = "an error without a fault";
		/* the call may survive a fault; otherwise it must return the fault's errno */
		else if (result < 0 && result != -ENOMEM && result != -EFAULT)
			wrong = "not the errno of a fault";
		if (wrong || !injected)
			break;
		seen->fault_sites++;
		/* the runner ends a guest that is silent for too long */
		if (nth % 50 == 0) {
			printf("# %s: %d sites so far\n", call->name, nth);
			fflush(stdout);
		}
		if (result >= 0)
			seen->survived++;
		else
			seen->errnos[-result]++;
	}
	if (!wrong && nth == 1 && !call->may_be_sure)
		wrong = "nothing can fail";
	if (wrong)
		printf("# %s, site %d: %s (%s)\n", call->name, nth, wrong,
		       result < 0 ? strerror(-result) : "no error");
	printf("# %-32s %3d sites\n", call->name, nth - 1);
	fflush(stdout);
	return !wrong;
}

bool fault_sites_each(const struct call *call)
{
	bool fine = fault_sites_round(call);

	return fine && (call->slow || fault_sites_round(call));
}

int fault_sites_sum(void)
{
	unsigned int i;

	for (i = 0; i < sizeof(seen->errnos) / sizeof(seen->errnos[0]); i++)
		if (seen->errnos[i])
			printf("# %3d times: %s\n", seen->errnos[i], strerror(i));
	printf("# %3d times: no harm\n", seen->survived);
	printf("# %d faults, each in another place or another round\n", seen->fault_sites);
	return seen->fault_sites;
}

bool undo_nothing(int result)
{
	(void)result;
	return true;
}

bool undo_close(int fd)
{
	return fd < 0 || !close(fd);
}

int answer(int fd, unsigned long request, const void *argument)
{
	int ret = ioctl(fd, request, argument);

	return ret < 0 ? -errno : ret;
}
