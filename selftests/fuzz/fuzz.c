// SPDX-License-Identifier: MIT
/*
 * A fuzzer of the UAPI that follows coverage.
 *
 * It runs in the guest of a debug kernel whose modules are built for KCOV.  Each program
 * (program.c) runs in a process of its own, which a timer ends.  A program that reaches a new edge
 * is shortened and kept, and later programs are made from the kept ones.
 *
 *	fuzz CORPUS
 *
 * It first runs the stored corpus, then new programs.  In the environment, EXECUTIONS is their
 * number (default 1500), and SEED is the seed of the random numbers (default 1).  Because of
 * scheduling, runs with the same seed differ a little.  If there is a folder /out, the corpus is
 * saved there.
 *
 * Coverage includes the process's own system calls, but not interrupts and work queues.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kcov.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fuzz.h"
#include "knobs.h"
#include "machine.h"
#include "objects.h"
#include "pattern.h"
#include "peers.h"
#include "sluice.h"

#define COVER_WORDS	(1UL << 16)
#define SET_BITS	15
#define MAX_CORPUS	4096
#define REPORT_SECONDS	15
#define PROGRAM_SECONDS	3	/* then SIGALRM ends it */
#define DEATH_SECONDS	10	/* most seconds until it has ended after SIGKILL */

/** struct set - of numbers that are not 0 */
struct set {
	uint64_t member[1UL << SET_BITS];
	unsigned int count;
};

static struct set pcs, edges;
static struct program corpus[MAX_CORPUS];
static unsigned int num_corpus;
static unsigned int executions, wedged, killed;
static int kcov = -1;
static uint64_t *cover;

/* Add a number; false if it is in the set already. */
static bool set_add(struct set *set, uint64_t number)
{
	size_t place = (number * 0x9e3779b97f4a7c15ULL) >> (64 - SET_BITS);

	while (set->member[place]) {
		if (set->member[place] == number)
			return false;
		place = (place + 1) & ((1UL << SET_BITS) - 1);
	}
	if (set->count >= (1UL << SET_BITS) / 2)
		return false;
	set->member[place] = number;
	set->count++;
	return true;
}

static bool set_has(const struct set *set, uint64_t number)
{
	size_t place = (number * 0x9e3779b97f4a7c15ULL) >> (64 - SET_BITS);

	while (set->member[place] && set->member[place] != number)
		place = (place + 1) & ((1UL << SET_BITS) - 1);
	return set->member[place];
}

static bool kcov_open(void)
{
	kcov = open("/sys/kernel/debug/kcov", O_RDWR | O_CLOEXEC);
	if (kcov < 0 || ioctl(kcov, KCOV_INIT_TRACE, COVER_WORDS))
		return false;
	cover = mmap(NULL, COVER_WORDS * sizeof(*cover), PROT_READ | PROT_WRITE, MAP_SHARED,
		     kcov, 0);
	return cover != MAP_FAILED;
}

/* Wait up to some seconds for a child's end. */
static bool ended(pid_t pid, int seconds)
{
	int64_t deadline = now_ns() + seconds * 1000000000LL;
	int status;

	while (waitpid(pid, &status, WNOHANG) != pid) {
		if (now_ns() > deadline)
			return false;
		usleep(500);
	}
	killed += WIFSIGNALED(status);
	return true;
}

static void reset_knobs(void)
{
	knob("delay_us", 0);
	knob("fail_next", 0);
	knob("hang_next", 0);
}

/* Save the corpus so far, so that even an aborted run leaves one. */
static void save(const char *path)
{
	FILE *file = fopen(path, "we");
	unsigned int i;

	if (!file)
		return;
	fputs("# SPDX-License-" "Identifier: MIT\n"
	      "# Programs that reach all that the fuzzer has found so far.\n", file);
	for (i = 0; i < num_corpus; i++)
		program_print(&corpus[i], file);
	fclose(file);
}

/* Run a program, and leave its coverage in cover.  False if it could not be ended. */
static bool execute(const struct program *program)
{
	static int64_t report;
	pid_t pid;

	executions++;
	if (now_ns() > report) {
		printf("# %u executions, %u programs kept, %u PCs, %u edges\n", executions,
		       num_corpus, pcs.count, edges.count);
		fflush(stdout);
		save("/out/corpus");
		report = now_ns() + REPORT_SECONDS * 1000000000LL;
	}
	reset_knobs();
	__atomic_store_n(&cover[0], 0, __ATOMIC_RELAXED);
	pid = fork();
	if (pid < 0)
		return true;
	if (!pid) {
		int null = open("/dev/null", O_RDWR);

		setpgid(0, 0);
		dup2(null, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
		close(null);
		alarm(PROGRAM_SECONDS);
		if (ioctl(kcov, KCOV_ENABLE, KCOV_TRACE_PC))
			_exit(1);
		program_run(program);
		_exit(0);
	}
	if (!ended(pid, PROGRAM_SECONDS + 2)) {
		kill(pid, SIGKILL);
		if (!ended(pid, DEATH_SECONDS)) {
			wedged++;
			printf("# cannot be killed: ");
			program_print(program, stdout);
			return false;
		}
	}
	/* a second process of the program is still in its group */
	kill(-pid, SIGKILL);
	return true;
}

/* Add the edges of the last program to the set.  Returns how many were new. */
static unsigned int merge_cover(void)
{
	uint64_t count = __atomic_load_n(&cover[0], __ATOMIC_RELAXED), before = 1, i;
	unsigned int found = 0;

	if (count > COVER_WORDS - 1)
		count = COVER_WORDS - 1;
	for (i = 1; i <= count; i++) {
		set_add(&pcs, cover[i]);
		found += set_add(&edges, (before * 31) ^ cover[i]);
		before = cover[i];
	}
	return found;
}

/* Does the last program have all of these edges? */
static bool covers(const uint64_t *wanted, unsigned int num_wanted)
{
	static struct set here;
	uint64_t count = __atomic_load_n(&cover[0], __ATOMIC_RELAXED), before = 1, i;

	if (count > COVER_WORDS - 1)
		count = COVER_WORDS - 1;
	memset(&here, 0, sizeof(here));
	for (i = 1; i <= count; i++) {
		set_add(&here, (before * 31) ^ cover[i]);
		before = cover[i];
	}
	for (i = 0; i < num_wanted; i++)
		if (set_add(&here, wanted[i]))
			return false;
	return true;
}

/* The new edges of the last program; does not add them. */
static unsigned int new_edges(uint64_t *found, unsigned int max)
{
	static struct set copy;
	uint64_t count = __atomic_load_n(&cover[0], __ATOMIC_RELAXED), before = 1, i;
	unsigned int num_found = 0;

	if (count > COVER_WORDS - 1)
		count = COVER_WORDS - 1;
	for (i = 1; i <= count && set_has(&edges, (before * 31) ^ cover[i]); i++)
		before = cover[i];
	if (i > count)
		return 0;
	memcpy(&copy, &edges, sizeof(copy));
	for (; i <= count && num_found < max; i++) {
		if (set_add(&copy, (before * 31) ^ cover[i]))
			found[num_found++] = (before * 31) ^ cover[i];
		before = cover[i];
	}
	return num_found;
}

/* Remove every call that the new edges do not need. */
static bool shorten(struct program *program, const uint64_t *wanted, unsigned int num_wanted)
{
	unsigned int i = program->count;

	while (i--) {
		struct program shorter = *program;

		program_drop(&shorter, i);
		if (!execute(&shorter))
			return false;
		if (covers(wanted, num_wanted)) {
			*program = shorter;
			merge_cover();
		}
	}
	return true;
}

static bool keep(const struct program *program)
{
	static uint64_t wanted[4096];
	struct program kept = *program;
	unsigned int count = new_edges(wanted, 4096);
	bool alive;

	if (!count || num_corpus == MAX_CORPUS)
		return true;
	alive = shorten(&kept, wanted, count);
	for (unsigned int i = 0; i < count; i++)
		set_add(&edges, wanted[i]);
	corpus[num_corpus++] = kept;
	return alive;
}

static unsigned int replay(const char *path)
{
	char line[MAX_CALLS * 32];
	struct program program;
	unsigned int bad = 0;
	FILE *file = fopen(path, "re");

	while (file && fgets(line, sizeof(line), file)) {
		if (line[0] == '#')
			continue;
		if (!program_parse(&program, line)) {
			bad++;
			continue;
		}
		if (!execute(&program))
			break;
		if (merge_cover() && num_corpus < MAX_CORPUS)
			corpus[num_corpus++] = program;
	}
	if (!file)
		bad++;
	else
		fclose(file);
	return bad;
}

/* Does the device still work? */
static bool device_works(void)
{
	int device = sluice_open("soft0"), buffer, queue, fence = -1;
	struct sluice_op op;
	bool good;

	reset_knobs();
	buffer = sluice_alloc(device, 0, 65536, 0);
	queue = sluice_queue_create(device, 0);
	sluice_op_fill(&op, 0, 0, 65536, 0x5a5a5a5a);
	good = sluice_attach(queue, buffer, 0) == 0 &&
	       sluice_submit(queue, &op, 1, -1, &fence, 0, NULL) == 0 &&
	       sluice_fence_wait(fence, 5000) == 0 && !check_value(buffer, 65536, 0x5a5a5a5a);
	close(fence);
	close(queue);
	close(buffer);
	close(device);
	return good;
}

static void result(int number, bool good, const char *name)
{
	printf("%sok %d %s\n", good ? "" : "not ", number, name);
	fflush(stdout);
}

static unsigned int setting(const char *name, unsigned int otherwise)
{
	const char *text = getenv(name);

	return text && *text ? strtoul(text, NULL, 0) : otherwise;
}

int main(int argc, char **argv)
{
	unsigned int wanted = setting("EXECUTIONS", 1500), seed = setting("SEED", 1), bad, stored;
	struct objects before = objects_read();
	struct program program;
	struct peers peers;
	bool registers;

	printf("TAP version 13\n1..5\n");
	if (argc != 2 || !kcov_open()) {
		printf("Bail out! no corpus named, or no KCOV in this kernel\n");
		return 1;
	}
	/* a device that is driven by its registers */
	registers = peers_find(&peers);
	if (registers) {
		close(peers_open_program(&peers));
		pci_attribute(peers.edu, "registers", "0:0+0x1000");
	}
	random_seed(seed);
	bad = replay(argv[1]);
	stored = num_corpus;
	printf("# stored corpus: %u executions, %u PCs, %u edges\n", executions, pcs.count,
	       edges.count);
	result(1, !bad && !wedged, "the stored corpus runs");
	if (bad)
		printf("# %u lines that are not programs, or no file\n", bad);

	wanted += executions;
	while (executions < wanted && !wedged) {
		if (!num_corpus || !random_below(8)) {
			program_create(&program);
		} else {
			program = corpus[random_below(num_corpus)];
			program_mutate(&program, &corpus[random_below(num_corpus)]);
		}
		if (!execute(&program) || !keep(&program))
			break;
	}
	printf("# %u executions in all, %u ended by a signal; %u PCs, %u edges; %u programs more\n",
	       executions, killed, pcs.count, edges.count, num_corpus - stored);
	save("/out/corpus");
	result(2, !wedged, "every program ends, by itself or killed");
	result(3, pcs.count >= 400, "the modules were covered");
	result(4, device_works(), "the device works as before");
	close(kcov);
	if (registers)
		peers_leave(&peers);
	result(5, objects_settle(&before), "nothing is left behind");
	return 0;
}
