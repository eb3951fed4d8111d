// SPDX-License-Identifier: MIT
/* Tracepoints: tracefs shows the life of a buffer and of a job. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"
#include "jobs.h"
#include "knobs.h"
#include "machine.h"
#include "objects.h"
#include "pages.h"
#include "sluice.h"

#define TRACING "/sys/kernel/tracing/"
#define SIZE 65536UL

FIXTURE(trace) {
	struct objects before;
	int device, buffer, queue;
	unsigned long inode;
};

FIXTURE_SETUP(trace)
{
	struct sluice_buffer_info info;

	self->before = objects_before();
	if (access(TRACING "events/sluice", F_OK))
		SKIP(return, "no tracepoints in this kernel");
	/* one clock for all CPUs, so that lines stay in order; this also clears the trace */
	ASSERT_EQ(write_text(TRACING "trace_clock", "mono"), 0);
	ASSERT_EQ(write_text(TRACING "events/sluice/enable", "1"), 0);
	self->device = sluice_open("soft0");
	self->buffer = sluice_alloc(self->device, 0, SIZE, 0);
	ASSERT_GE(self->buffer, 0);
	self->queue = patient_queue(self->device, 1);
	ASSERT_EQ(sluice_buffer_info(self->device, self->buffer, &info), 0);
	self->inode = info.inode;
}

FIXTURE_TEARDOWN(trace)
{
	close(self->queue);
	close(self->buffer);
	close(self->device);
	write_text(TRACING "events/sluice/enable", "0");
	write_text(TRACING "trace_clock", "local");
	EXPECT_TRUE(objects_settle(&self->before));
}

/* Position in the trace of the first line at or after @from that has both texts; -1 if none has. */
static long look_for_line(long from, const char *event, const char *text)
{
	FILE *file = fopen(TRACING "trace", "r");
	char line[512];
	long i = 0, found = -1;

	while (file && found < 0 && fgets(line, sizeof(line), file)) {
		if (i >= from && strstr(line, event) && strstr(line, text))
			found = i;
		i++;
	}
	if (file)
		fclose(file);
	return found;
}

/* Like look_for_line(), but waits: an end is traced a moment after its effects are visible. */
static long find_line(long from, const char *event, const char *text)
{
	long found = look_for_line(from, event, text);
	int tries;

	for (tries = 0; found < 0 && tries < LATE_MS / 50; tries++) {
		usleep(50000);
		found = look_for_line(from, event, text);
	}
	if (found < 0)
		printf("# no '%s' with '%s' after line %ld\n", event, text, from);
	return found;
}

TEST_F(trace, a_buffers_life)
{
	char inode[32], text[96];
	long line;

	snprintf(inode, sizeof(inode), "inode=%lu", self->inode);
	ASSERT_EQ(sluice_attach(self->queue, self->buffer, 0), 0);
	ASSERT_EQ(sluice_cpu_begin(self->buffer, true), 0);
	ASSERT_EQ(sluice_cpu_end(self->buffer, true), 0);
	ASSERT_EQ(sluice_cpu_begin_range(self->device, self->buffer, true, 4096, 8192), 0);
	ASSERT_EQ(sluice_detach(self->queue, 0), 0);
	close(self->buffer);

	snprintf(text, sizeof(text), "device=soft0 heap=pages size=%lu %s", SIZE, inode);
	line = find_line(0, "sluice_alloc:", text);
	ASSERT_GE(line, 0);
	line = find_line(line, "sluice_map:", inode);
	ASSERT_GE(line, 0);
	snprintf(text, sizeof(text), "%s offset=0 length=%lu begin", inode, SIZE);
	line = find_line(line, "sluice_sync:", text);
	ASSERT_GE(line, 0);
	snprintf(text, sizeof(text), "%s offset=0 length=%lu end", inode, SIZE);
	line = find_line(line, "sluice_sync:", text);
	ASSERT_GE(line, 0);
	snprintf(text, sizeof(text), "%s offset=4096 length=8192 begin", inode);
	line = find_line(line, "sluice_sync:", text);
	ASSERT_GE(line, 0);
	line = find_line(line, "sluice_unmap:", inode);
	ASSERT_GE(line, 0);
	EXPECT_GE(find_line(line, "sluice_free:", inode), 0);
}

/* BUFFER_INFO on a new buffer: the setup has already asked for the other. */
TEST_F(trace, looking_at_a_buffer_maps_nothing)
{
	char inode[32];

	if (translated())
		SKIP(return, "behind an IOMMU segments are known only of a mapping");
	snprintf(inode, sizeof(inode), "inode=%lu", self->inode);
	ASSERT_GE(find_line(0, "sluice_alloc:", inode), 0);
	EXPECT_EQ(look_for_line(0, "sluice_map:", inode), -1);
	/* the segments are those of a mapping */
	ASSERT_EQ(sluice_attach(self->queue, self->buffer, 0), 0);
	EXPECT_GE(find_line(0, "sluice_map:", inode), 0);
}

TEST_F(trace, a_wrapped_buffers_life)
{
	int memfd = sealed_memfd(0, SIZE, F_SEAL_SHRINK);
	int fd = sluice_wrap(self->device, memfd, 0, SIZE);
	struct sluice_buffer_info info;
	char inode[32], text[96];
	long line;

	ASSERT_GE(fd, 0);
	ASSERT_EQ(sluice_buffer_info(self->device, fd, &info), 0);
	close(fd);
	close(memfd);
	snprintf(inode, sizeof(inode), "inode=%llu", info.inode);
	snprintf(text, sizeof(text), "device=soft0 heap=wrapped size=%lu %s", SIZE, inode);
	line = find_line(0, "sluice_alloc:", text);
	ASSERT_GE(line, 0);
	EXPECT_GE(find_line(line, "sluice_free:", text), 0);
}

TEST_F(trace, a_jobs_life)
{
	static const char * const events[] = {
		"sluice_job_submit:", "sluice_job_ready:", "sluice_job_run:", "sluice_job_done:",
		"sluice_job_signal:",
	};
	struct sluice_op op;
	unsigned int i;
	long line = 0;

	ASSERT_EQ(sluice_attach(self->queue, self->buffer, 0), 0);
	sluice_op_fill(&op, 0, 0, SIZE, 1);
	ASSERT_EQ(sluice_submit(self->queue, &op, 1, -1, NULL, 0, NULL), 0);
	ASSERT_EQ(sluice_wait(self->queue, 1, LATE_MS), 0);
	for (i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		line = find_line(line, events[i], "point=1 ops=1 in_fences=0 status=0");
		ASSERT_GE(line, 0);
	}

	/* a failed op is traced with its error */
	ASSERT_EQ(knob("fail_next", 1), 0);
	ASSERT_EQ(sluice_submit(self->queue, &op, 1, -1, NULL, 0, NULL), 0);
	sluice_wait(self->queue, 2, LATE_MS);
	EXPECT_GE(find_line(0, "sluice_job_run:", "point=2 ops=1 in_fences=0 status=0"), 0);
	EXPECT_GE(find_line(0, "sluice_job_done:", "point=2 ops=1 in_fences=0 status=-5"), 0);
	EXPECT_GE(find_line(0, "sluice_job_signal:", "point=2 ops=1 in_fences=0 status=-5"), 0);
}

/* The timeouts of engine 0, in the second line of soft0's engines. */
static long engine_timeouts(void)
{
	FILE *file = fopen("/sys/kernel/debug/sluice/soft0/engines", "r");
	long timeouts = -1;

	if (!file)
		return -1;
	if (fscanf(file, "%*[^\n] 0 %*u %ld", &timeouts) != 1)
		timeouts = -1;
	fclose(file);
	return timeouts;
}

#define WAITS		TRACING "events/sluice/sluice_job_wait/"
#define WHO_WAITS	"hist:keys=timeline,fence_driver,fence_timeline"

TEST_F(trace, a_timeout_and_the_job_that_waits_for_it)
{
	struct sluice_create_queue create = { .timeout_ms = 200 };
	struct sluice_op op;
	char text[160];
	long before, line;
	struct gate gate;
	int fence;

	ASSERT_EQ(xioctl(self->device, SLUICE_IOCTL_CREATE_QUEUE, &create), 0);
	ASSERT_EQ(sluice_attach(create.fd, self->buffer, SLUICE_ATTACH_EXPLICIT), 0);
	before = engine_timeouts();
	ASSERT_GE(before, 0);
	write_text(WAITS "trigger", WHO_WAITS);
	ASSERT_EQ(write_text(TRACING "events/sluice/sluice_job_done/filter", "status < 0"), 0);
	/* the job begins when the gate opens: by then the second job waits for it */
	ASSERT_EQ(gate_shut(&gate, 0), 0);
	ASSERT_EQ(knob("hang_next", 1), 0);
	/* small, so that the submitter's context begins the op, and the op hangs */
	sluice_op_fill(&op, 0, 0, 4096, 1);
	ASSERT_EQ(sluice_submit(create.fd, &op, 1, -1, &fence, 0, NULL), 0);
	ASSERT_EQ(sluice_submit(self->queue, NULL, 0, fence, NULL, 0, NULL), 0);
	ASSERT_EQ(gate_open(&gate), 0);
	EXPECT_EQ(sluice_wait(create.fd, 1, LATE_MS), -ETIME);
	EXPECT_EQ(sluice_wait(self->queue, 1, LATE_MS), -ECANCELED);

	line = find_line(0, "sluice_job_wait:", "point=1 fence_driver=sluice fence_timeline=soft0-");
	ASSERT_GE(line, 0);
	line = find_line(line, "sluice_job_abort:", "point=1 ops=1 in_fences=0 status=-62");
	ASSERT_GE(line, 0);
	line = find_line(line, "sluice_job_done:", "point=1 ops=1 in_fences=0 status=-62");
	ASSERT_GE(line, 0);
	snprintf(text, sizeof(text), "point=1 ops=0 in_fences=1 status=%d", -ECANCELED);
	EXPECT_GE(find_line(line, "sluice_job_done:", text), 0);
	EXPECT_EQ(engine_timeouts(), before + 1);
	if (!access(WAITS "hist", F_OK)) {
		EXPECT_TRUE(file_has(WAITS "hist", "fence_driver: sluice "));
		EXPECT_TRUE(file_has(WAITS "hist", "hitcount:          1"));
		EXPECT_EQ(write_text(WAITS "trigger", "!" WHO_WAITS), 0);
	}
	EXPECT_EQ(write_text(TRACING "events/sluice/sluice_job_done/filter", "0"), 0);
	close(fence);
	close(create.fd);
}

/* The time of a job by stages: the recipes of Documentation/tracing.md. */

#define STAGES	3
#define JOBS	20

static const char * const stages[STAGES] = { "sluice_ready", "sluice_start", "sluice_ran" };

static const char * const recipe[STAGES + 1][2] = {
	{ "sluice_job_submit",
	  "hist:keys=context,point:submit=common_timestamp.usecs:size=131072:clock=mono" },
	{ "sluice_job_ready",
	  "hist:keys=context,point:ready=common_timestamp.usecs,"
	  "ready_us=common_timestamp.usecs-$submit:size=131072:clock=mono:"
	  "onmatch(sluice.sluice_job_submit).trace(sluice_ready,context,$ready_us)" },
	{ "sluice_job_run",
	  "hist:keys=context,point:run=common_timestamp.usecs,"
	  "run_us=common_timestamp.usecs-$ready:size=131072:clock=mono:"
	  "onmatch(sluice.sluice_job_ready).trace(sluice_start,context,$run_us)" },
	{ "sluice_job_done",
	  "hist:keys=context,point:done_us=common_timestamp.usecs-$run:size=131072:clock=mono:"
	  "onmatch(sluice.sluice_job_run).trace(sluice_ran,context,$done_us)" },
};

/* These files are opened without O_TRUNC, so that writes append. */
static int synthetic_event(const char *format, const char *name)
{
	char text[64];

	snprintf(text, sizeof(text), format, name);
	return write_text(TRACING "synthetic_events", text);
}

static int trigger(const char *group, const char *event, const char *remove, const char *text)
{
	char path[128], line[320];

	snprintf(path, sizeof(path), TRACING "events/%s/%s/trigger", group, event);
	snprintf(line, sizeof(line), "%s%s", remove, text);
	return write_text(path, line);
}

static void remove_recipe(void)
{
	int i;

	for (i = 0; i < STAGES; i++)
		trigger("synthetic", stages[i], "!", "hist:keys=us.log2");
	for (i = STAGES; i >= 0; i--)
		trigger("sluice", recipe[i][0], "!", recipe[i][1]);
	for (i = 0; i < STAGES; i++)
		synthetic_event("!%s u64 context; u64 us", stages[i]);
}

/* Print the kernel's error messages about a recipe. */
static void print_error_log(void)
{
	FILE *file = fopen(TRACING "error_log", "r");
	char line[512];

	while (file && fgets(line, sizeof(line), file))
		printf("# %s", line);
	if (file)
		fclose(file);
}

static int use_recipe(void)
{
	int ret = 0, i;

	for (i = 0; i < STAGES && !ret; i++)
		ret = synthetic_event("%s u64 context; u64 us", stages[i]);
	for (i = 0; i <= STAGES && !ret; i++)
		ret = trigger("sluice", recipe[i][0], "", recipe[i][1]);
	for (i = 0; i < STAGES && !ret; i++)
		ret = trigger("synthetic", stages[i], "", "hist:keys=us.log2");
	if (ret)
		print_error_log();
	return ret;
}

/* How many jobs took 2^@least microseconds or more in a stage?  -1 without a histogram. */
static long histogram(const char *stage, int least)
{
	char path[128], line[256];
	long sum = 0, hits;
	FILE *file;
	int power;

	snprintf(path, sizeof(path), TRACING "events/synthetic/%s/hist", stage);
	file = fopen(path, "r");
	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "{ us: ~ 2^%d } hitcount: %ld", &power, &hits) == 2) {
			printf("# %s %s", stage, line);
			sum += power >= least ? hits : 0;
		}
	}
	fclose(file);
	return sum;
}

/* The same for all jobs, after this number of jobs has reached the stage. */
static long settled_histogram(const char *stage, long expected)
{
	long sum = histogram(stage, 0);
	int tries;

	for (tries = 0; sum < expected && tries < LATE_MS / 50; tries++) {
		usleep(50000);
		sum = histogram(stage, 0);
	}
	return sum;
}

/* 20 jobs of 20 ms: each runs this long, and each except the first waits at least this long. */
TEST_F(trace, where_a_jobs_time_goes)
{
	struct sluice_op op;
	struct gate gate;
	int i;

	if (access(TRACING "events/sluice/sluice_job_done/hist", F_OK) ||
	    access(TRACING "synthetic_events", F_OK))
		SKIP(return, "no histograms of events in this kernel");
	/* shut before the histograms begin: no histogram has the job of the gate */
	ASSERT_EQ(gate_shut(&gate, 1), 0);
	ASSERT_EQ(use_recipe(), 0);
	ASSERT_EQ(sluice_attach(self->queue, self->buffer, 0), 0);
	ASSERT_EQ(knob("delay_us", 20000), 0);
	sluice_op_fill(&op, 0, 0, SIZE, 1);
	for (i = 0; i < JOBS; i++)
		ASSERT_EQ(sluice_submit(self->queue, &op, 1, -1, NULL, 0, NULL), 0);
	ASSERT_EQ(gate_open(&gate), 0);
	EXPECT_EQ(sluice_wait(self->queue, JOBS, LATE_MS), 0);
	EXPECT_EQ(knob("delay_us", 0), 0);

	EXPECT_EQ(settled_histogram("sluice_ready", JOBS), JOBS);
	EXPECT_EQ(settled_histogram("sluice_start", JOBS), JOBS);
	EXPECT_EQ(settled_histogram("sluice_ran", JOBS), JOBS);
	EXPECT_GE(histogram("sluice_start", 14), JOBS - 1);
	EXPECT_EQ(histogram("sluice_ran", 14), JOBS);
	remove_recipe();
}

/* The names for perf and bpftrace. */
TEST_F(trace, events_have_the_fields_of_the_recipes)
{
	static const char * const fields[][3] = {
		{ "sluice_job_submit", "u64 context;", "u64 point;" },
		{ "sluice_job_ready", "u64 context;", "u64 point;" },
		{ "sluice_job_run", "u64 context;", "u64 point;" },
		{ "sluice_job_done", "int status;", "char timeline[" },
		{ "sluice_job_abort", "int status;", "char timeline[" },
		{ "sluice_job_signal", "u64 context;", "u64 point;" },
		{ "sluice_job_wait", "char fence_timeline[", "char fence_driver[" },
		{ "sluice_job_wait", "u64 fence_context;", "u64 fence_seqno;" },
	};
	char path[128], text[4096];
	unsigned int i;

	for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		size_t length;
		FILE *file;

		snprintf(path, sizeof(path), TRACING "events/sluice/%s/format", fields[i][0]);
		file = fopen(path, "r");
		ASSERT_NE(file, NULL);
		length = fread(text, 1, sizeof(text) - 1, file);
		fclose(file);
		text[length] = '\0';
		EXPECT_NE(strstr(text, fields[i][1]), NULL);
		EXPECT_NE(strstr(text, fields[i][2]), NULL);
	}
}

TEST_HARNESS_MAIN
