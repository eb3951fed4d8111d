// SPDX-License-Identifier: MIT
/* Tracepoints: what a buffer and a job go through can be read in tracefs. */
#include <fcntl.h>
#include <stdio.h>

#include "kselftest_harness.h"
#include "support.h"

#define TRACING "/sys/kernel/tracing/"
#define SIZE 65536UL

FIXTURE(trace) {
	int device, buffer, queue;
	unsigned long inode;
};

FIXTURE_SETUP(trace)
{
	struct sluice_buffer_info info;

	if (access(TRACING "events/sluice", F_OK))
		SKIP(return, "no tracepoints in this kernel");
	ASSERT_EQ(write_text(TRACING "trace", "\n"), 0);
	ASSERT_EQ(write_text(TRACING "events/sluice/enable", "1"), 0);
	self->device = sluice_open("soft0");
	self->buffer = sluice_alloc(self->device, 0, SIZE, 0);
	ASSERT_GE(self->buffer, 0);
	self->queue = sluice_queue(self->device, 1);
	ASSERT_EQ(sluice_get_buffer(self->device, self->buffer, &info), 0);
	self->inode = info.inode;
}

FIXTURE_TEARDOWN(trace)
{
	close(self->queue);
	close(self->buffer);
	close(self->device);
	write_text(TRACING "events/sluice/enable", "0");
}

/* Position in the trace of the first line at or after @from that has both texts; -1 without. */
static long find_line(long from, const char *event, const char *text)
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
	ASSERT_EQ(sluice_range_begin(self->device, self->buffer, true, 4096, 8192), 0);
	ASSERT_EQ(sluice_detach(self->queue, 0), 0);
	close(self->buffer);
	usleep(20000);

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

TEST_F(trace, a_wrapped_buffers_life)
{
	int memfd = sealed_memfd(0, SIZE, F_SEAL_SHRINK);
	int fd = sluice_wrap(self->device, memfd, 0, SIZE);
	struct sluice_buffer_info info;
	char inode[32], text[96];
	long line;

	ASSERT_GE(fd, 0);
	ASSERT_EQ(sluice_get_buffer(self->device, fd, &info), 0);
	close(fd);
	close(memfd);
	usleep(20000);
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
	ASSERT_EQ(sluice_wait(self->queue, 1, 5000), 0);
	usleep(20000);
	for (i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		line = find_line(line, events[i], "point=1 ops=1 in_fences=0 status=0");
		ASSERT_GE(line, 0);
	}

	/* one that fails says so where it does */
	ASSERT_EQ(knob("fail_next", 1), 0);
	ASSERT_EQ(sluice_submit(self->queue, &op, 1, -1, NULL, 0, NULL), 0);
	sluice_wait(self->queue, 2, 5000);
	usleep(20000);
	EXPECT_GE(find_line(0, "sluice_job_run:", "point=2 ops=1 in_fences=0 status=0"), 0);
	EXPECT_GE(find_line(0, "sluice_job_done:", "point=2 ops=1 in_fences=0 status=-5"), 0);
	EXPECT_GE(find_line(0, "sluice_job_signal:", "point=2 ops=1 in_fences=0 status=-5"), 0);
}

TEST_HARNESS_MAIN
