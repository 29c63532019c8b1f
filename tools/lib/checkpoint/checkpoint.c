// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The system calls, and the way of the reasons from the kernel to the caller.
 */
#define _GNU_SOURCE
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/checkpoint.h>

#include "checkpoint.h"

#define stringify_1(x)	#x
#define stringify(x)	stringify_1(x)

/* The kernel writes less; what is more than this is not read. */
#define MAX_TEXT	0x100000

static_assert(CKPT_DRY_RUN == CHECKPOINT_DRY_RUN, "flag");
static_assert(CKPT_KILL == CHECKPOINT_KILL, "flag");
static_assert(CKPT_TCP_RESET == CHECKPOINT_TCP_RESET, "flag");
static_assert(CKPT_SELF == RESTART_SELF, "flag");
static_assert(CKPT_FRESH_PIDS == RESTART_FRESH_PIDS, "flag");
static_assert(CKPT_STOPPED == RESTART_STOPPED, "flag");
static_assert(CKPT_CALLERS_NS == RESTART_CALLERS_NS, "flag");
static_assert(CKPT_CGROUPS == RESTART_CGROUPS, "flag");

/*
 * Where the kernel writes text to; a memfd, or what serves as one. What it
 * reads stands in front.
 */
struct sink {
	int write_fd;
	int read_fd;
	off_t start;
};

/*
 * A pipe with its default size takes all that the kernel writes at a time. It
 * stands in for a memfd where there is none.
 */
static int sink_open(struct sink *sink)
{
	int fds[2];

	sink->start = 0;
	sink->write_fd = memfd_create("checkpoint-log", MFD_CLOEXEC);
	if (sink->write_fd >= 0) {
		sink->read_fd = sink->write_fd;
		return 0;
	}
	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK))
		return -errno;
	sink->read_fd = fds[0];
	sink->write_fd = fds[1];
	return 0;
}

static void sink_close(struct sink *sink)
{
	if (sink->write_fd >= 0)
		close(sink->write_fd);
	if (sink->read_fd >= 0 && sink->read_fd != sink->write_fd)
		close(sink->read_fd);
	sink->write_fd = -1;
	sink->read_fd = -1;
}

/* What was written, with a NUL behind it. */
static int sink_read(struct sink *sink, char **text, size_t *len)
{
	size_t used = 0, size = 4096;
	char *buf, *bigger;
	ssize_t got;
	int err;

	if (sink->read_fd == sink->write_fd) {
		if (lseek(sink->read_fd, sink->start, SEEK_SET) < 0)
			return -errno;
	} else {
		close(sink->write_fd);
		sink->write_fd = -1;
	}

	buf = malloc(size);
	if (!buf)
		return -ENOMEM;
	for (;;) {
		got = read(sink->read_fd, buf + used, size - used - 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			err = -errno;
			free(buf);
			return err;
		}
		used += got;
		if (!got || used >= MAX_TEXT)
			break;
		if (size - used < 2) {
			size *= 2;
			bigger = realloc(buf, size);
			if (!bigger) {
				free(buf);
				return -ENOMEM;
			}
			buf = bigger;
		}
	}
	buf[used] = '\0';
	*text = buf;
	*len = used;
	return 0;
}

/*
 * Brings the caller's options into our size: what it does not know is zero,
 * what we do not know must be.
 */
static int opts_copy(struct ckpt_opts *to, const struct ckpt_opts *from)
{
	const unsigned char *bytes = (const unsigned char *)from;
	size_t i;

	memset(to, 0, sizeof(*to));
	to->size = sizeof(*to);
	if (!from)
		return 0;
	if (from->size < offsetof(struct ckpt_opts, reasons))
		return -EINVAL;
	for (i = sizeof(*to); i < from->size; i++)
		if (bytes[i])
			return -E2BIG;
	memcpy(to, from, from->size < sizeof(*to) ? from->size : sizeof(*to));
	if (to->reasons)
		*to->reasons = NULL;
	/* The upper half is the kernel's way to take the log fd. */
	if (to->flags >> CHECKPOINT_LOG_SHIFT)
		return -EINVAL;
	return 0;
}

/* Hands out the reasons. That they got lost is no other failure of the call. */
static void give_reasons(struct sink *sink, const struct ckpt_opts *opts)
{
	struct ckpt_reasons *reasons;
	size_t len, i;
	char *text;
	int err;

	err = sink_read(sink, &text, &len);
	if (!err) {
		err = ckpt_reasons_parse(text, len, &reasons);
		free(text);
	}
	if (err) {
		if (opts->log)
			opts->log(opts->log_arg,
				  "the reasons could not be read");
		return;
	}

	for (i = 0; opts->log && i < ckpt_reasons_count(reasons); i++)
		opts->log(opts->log_arg, ckpt_reasons_get(reasons, i)->line);
	if (opts->reasons && ckpt_reasons_count(reasons))
		*opts->reasons = reasons;
	else
		ckpt_reasons_free(reasons);
}

/* The arguments, which need a file that the kernel can read. 0 or -errno. */
static int write_args(struct sink *sink, const struct ckpt_opts *opts,
		      bool restart)
{
	const struct ckpt_external *ext;
	char line[100], who[20];
	size_t i;
	int len;

	if (sink->read_fd != sink->write_fd)
		return -ENOSYS;
	for (i = 0; i < opts->nr_externals; i++) {
		ext = &opts->externals[i];
		if (ext->pid < 0 || ext->fd < 0 || (restart && ext->with < 0))
			return -EINVAL;
		snprintf(who, sizeof(who), ext->pid ? "%d" : "fd",
			 (int)ext->pid);
		if (restart)
			len = snprintf(line, sizeof(line), "inherit %s:%d=%d\n",
				       who, ext->fd, ext->with);
		else
			len = snprintf(line, sizeof(line), "external %s:%d\n",
				       who, ext->fd);
		if (write(sink->write_fd, line, len) != len)
			return -errno;
		sink->start += len;
	}
	return 0;
}

static int call(long nr, int id, int fd, const struct ckpt_opts *user_opts)
{
	struct sink sink = { -1, -1, 0 };
	struct ckpt_opts opts;
	unsigned long flags;
	long ret;
	int err;

	err = opts_copy(&opts, user_opts);
	if (err)
		return err;

	flags = opts.flags;
	if (opts.reasons || opts.log || opts.nr_externals) {
		err = sink_open(&sink);
		if (err)
			return err;
		flags |= CHECKPOINT_LOG_FD(sink.write_fd);
	}
	if (opts.nr_externals) {
		static_assert(CHECKPOINT_ARGS == RESTART_ARGS, "flag");
		err = write_args(&sink, &opts, nr == __NR_restart);
		if (err) {
			sink_close(&sink);
			return err;
		}
		flags |= CHECKPOINT_ARGS;
	}

	ret = syscall(nr, (long)id, (long)fd, flags);
	if (ret < 0)
		ret = -errno;
	/* RESTART_SELF has the bit of a dry run, but never comes here with 0. */
	if (sink.write_fd >= 0 && (ret < 0 || flags & CHECKPOINT_DRY_RUN))
		give_reasons(&sink, &opts);

	sink_close(&sink);
	return ret;
}

int ckpt_checkpoint(pid_t pid, int fd, const struct ckpt_opts *opts)
{
	return call(__NR_checkpoint, pid, fd, opts);
}

int ckpt_restart(int crid, int fd, const struct ckpt_opts *opts)
{
	return call(__NR_restart, crid, fd, opts);
}

int ckpt_query(char **text)
{
	struct sink sink;
	size_t len;
	int err;

	*text = NULL;
	err = sink_open(&sink);
	if (err)
		return err;
	if (syscall(__NR_checkpoint, 0L, (long)sink.write_fd,
		    CHECKPOINT_QUERY) < 0)
		err = -errno;
	else
		err = sink_read(&sink, text, &len);
	sink_close(&sink);
	return err;
}

const char *ckpt_strerror(int error, char *buf, size_t size)
{
	if (error < 0)
		error = -error;
	if (error == ENOSYS)
		return "the running kernel has no checkpoint/restart (CONFIG_CHECKPOINT_RESTART)";
	return strerror_r(error, buf, size);
}

const char *ckpt_version(void)
{
	return stringify(LIBCHECKPOINT_VERSION);
}
