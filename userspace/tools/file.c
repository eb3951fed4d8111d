// SPDX-License-Identifier: MIT
/* The files of --from and --to. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tool.h"

static void __attribute__((noreturn)) die_of_length(const char *path, uint64_t most)
{
	die("'%s' has more bytes than buffers of this device may have, which is %" PRIu64 ": use "
	    "a smaller file, or --size", path, most);
}

void *read_file(const char *path, uint64_t limit, uint64_t most, uint64_t *size)
{
	int fd = strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
	uint64_t room = limit ?: 65536, got = 0;
	struct stat file;
	ssize_t part = 1;
	char *memory;

	if (fd < 0 || fstat(fd, &file))
		die("cannot read '%s': %s", path, strerror(errno));
	if (limit > most)
		die("--size %" PRIu64 " is more than buffers of this device may have, which is %"
		    PRIu64 " bytes: make it smaller", limit, most);
	if (!limit && S_ISREG(file.st_mode) && (uint64_t)file.st_size > most)
		die_of_length(path, most);
	memory = malloc(room);
	while (memory) {
		part = read(fd, memory + got, room - got);
		if (part < 0 && errno == EINTR)
			continue;
		if (part <= 0)
			break;
		got += part;
		show_progress("reading %s: %" PRIu64 " bytes", path, got);
		if (got == limit)
			break;
		if (!limit && got > most)
			die_of_length(path, most);
		if (got == room) {
			room = room * 2 < most + 1 ? room * 2 : most + 1;
			memory = realloc(memory, room);
		}
	}
	if (!memory)
		die("no memory for the content of '%s': use a smaller file", path);
	if (part < 0)
		die("cannot read '%s': %s", path, strerror(errno));
	end_progress();
	if (!got)
		die("'%s' is empty: name a file of at least 1 byte", path);
	if (got < limit)
		die("'%s' has only %" PRIu64 " bytes, but --size is %" PRIu64 ": leave out --size, or "
		    "make it smaller", path, got, limit);
	if (fd != STDIN_FILENO)
		close(fd);
	*size = got;
	return memory;
}

struct target {
	const char *path;	/* as the user has written it */
	int fd;
	char *final;		/* the name that a regular file gets at the end */
	bool in_place;		/* a regular file in whose place no other can be put */
};

/*
 * The file beside the final one, to be removed if the program ends early.  A command has one target
 * at most.  A signal may read it at any time, so it is only written while signals are blocked.
 */
static char *unfinished;

void remove_targets(void)
{
	if (unfinished)
		unlink(unfinished);
	unfinished = NULL;
}

static void remove_and_end(int signal)
{
	/* the handler is installed for one time: the second signal ends the program */
	if (unfinished)
		unlink(unfinished);
	raise(signal);
}

static const int ending[] = { SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGTERM };
#define NUM_ENDING (sizeof(ending) / sizeof(ending[0]))

static void catch_signals(void)
{
	struct sigaction action = {
		.sa_handler = remove_and_end,
		.sa_flags = SA_RESETHAND | SA_NODEFER | SA_RESTART,
	}, old;
	unsigned int i;

	/* beyond the limit of a file's size, write() shall fail instead */
	signal(SIGXFSZ, SIG_IGN);
	for (i = 0; i < NUM_ENDING; i++)
		/* a signal that was ignored from the beginning, as by nohup, stays ignored */
		if (!sigaction(ending[i], NULL, &old) && old.sa_handler == SIG_DFL)
			sigaction(ending[i], &action, NULL);
}

static void block_signals(sigset_t *old)
{
	sigset_t set;
	unsigned int i;

	sigemptyset(&set);
	for (i = 0; i < NUM_ENDING; i++)
		sigaddset(&set, ending[i]);
	sigprocmask(SIG_BLOCK, &set, old);
}

static void __attribute__((noreturn)) die_of_writing(const struct target *target, int error)
{
	die("cannot write '%s': %s", target->path, strerror(error));
}

static char *need(char *text)
{
	if (!text)
		die("no memory for the name of a file: end other programs, and try again");
	return text;
}

/* A name beside the final one, with room for the characters that mkostemp() chooses. */
static char *name_beside(const char *final)
{
	const char *slash = strrchr(final, '/');
	int folder = slash ? slash + 1 - final : 0;
	char *name;

	/* a name may have 255 bytes, so the new one has a part of the old one only */
	if (asprintf(&name, "%.*s.%.200s.XXXXXX", folder, final, final + folder) < 0)
		name = NULL;
	return need(name);
}

static void remove_unfinished(void)
{
	sigset_t signals;

	block_signals(&signals);
	unlink(unfinished);
	free(unfinished);
	unfinished = NULL;
	sigprocmask(SIG_SETMASK, &signals, NULL);
}

/*
 * Create a file beside the final one.  Returns false if the folder does not permit it, or if the
 * new file cannot have the owner and the permissions of the old one.
 */
static bool create_beside(struct target *target, const struct stat *old)
{
	char *name = name_beside(target->final);
	mode_t mask = umask(0);
	sigset_t signals;
	int error;

	umask(mask);
	block_signals(&signals);
	target->fd = mkostemp(name, O_CLOEXEC);
	error = errno;
	if (target->fd >= 0)
		unfinished = name;
	sigprocmask(SIG_SETMASK, &signals, NULL);
	if (target->fd < 0) {
		free(name);
		/* the old file may permit what its folder does not */
		if (old && (error == EACCES || error == EPERM || error == EROFS))
			return false;
		die_of_writing(target, error);
	}
	if (old) {
		if (!fchown(target->fd, old->st_uid, old->st_gid) &&
		    !fchmod(target->fd, old->st_mode & 0777))
			return true;
		close(target->fd);
		remove_unfinished();
		return false;
	}
	/* some file systems, such as vfat, have no permissions to set */
	if (fchmod(target->fd, 0666 & ~mask) && errno != EPERM && errno != ENOTSUP &&
	    errno != ENOSYS)
		die_of_writing(target, errno);
	return true;
}

/* Is this file what standard output is? */
static bool is_output(const struct stat *file)
{
	struct stat output;

	return !fstat(STDOUT_FILENO, &output) && output.st_dev == file->st_dev &&
	       output.st_ino == file->st_ino && !S_ISCHR(file->st_mode);
}

struct target *open_target(const char *path)
{
	struct target *target = (void *)need(calloc(1, sizeof(*target)));
	struct stat old;
	bool exists;

	target->path = path;
	exists = strcmp(path, "-") && !stat(path, &old);
	if (!strcmp(path, "-") || (exists && is_output(&old))) {
		target->fd = data_to_output();
		return target;
	}
	if (!exists && errno != ENOENT)
		die_of_writing(target, errno);
	if (!exists && !lstat(path, &old))
		die("cannot write '%s', a symbolic link to a file that does not exist: name that "
		    "file", path);
	if (!exists || S_ISREG(old.st_mode)) {
		/* a symbolic link stays, and the file that it names is replaced */
		target->final = exists ? realpath(path, NULL) : strdup(path);
		if (!target->final)
			die_of_writing(target, errno);
		if (exists && access(path, W_OK))
			die_of_writing(target, errno);
		catch_signals();
		if (create_beside(target, exists ? &old : NULL))
			return target;
		free(target->final);
		target->final = NULL;
		target->in_place = true;
	}
	target->fd = open(path, O_WRONLY | O_CLOEXEC);
	if (target->fd < 0)
		die_of_writing(target, errno);
	return target;
}

void write_target(struct target *target, const void *memory, uint64_t size)
{
	const char *rest = memory;
	ssize_t part;

	while (size) {
		part = write(target->fd, rest, size);
		if (part < 0 && errno == EINTR)
			continue;
		if (part < 0)
			die_of_writing(target, errno);
		rest += part;
		size -= part;
		show_progress("writing %s: %" PRIu64 " bytes left", target->path, size);
	}
}

void close_target(struct target *target)
{
	sigset_t signals;
	int ret;

	end_progress();
	/* it may have been longer */
	if (target->in_place && ftruncate(target->fd, lseek(target->fd, 0, SEEK_CUR)))
		die_of_writing(target, errno);
	/* some file systems report only now that they are full; a pipe has no such call */
	if (fsync(target->fd) && (errno == EIO || errno == ENOSPC || errno == EDQUOT))
		die_of_writing(target, errno);
	if (close(target->fd))
		die_of_writing(target, errno);
	if (target->final) {
		block_signals(&signals);
		ret = rename(unfinished, target->final) ? errno : 0;
		if (!ret) {
			free(unfinished);
			unfinished = NULL;
		}
		sigprocmask(SIG_SETMASK, &signals, NULL);
		if (ret)
			die_of_writing(target, ret);
	}
	free(target->final);
	free(target);
}
