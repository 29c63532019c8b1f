// SPDX-License-Identifier: GPL-2.0
/*
 * Stands in for a kernel with checkpoint/restart, by LD_PRELOAD: so the tools
 * can be tested on any machine, and with each error.
 *
 * FAKE_IMAGE:   what a checkpoint writes, and what a restart must be given
 * FAKE_ERRNO:   fail with it
 * FAKE_REASONS: and with these reasons
 * FAKE_SECONDS: how long a checkpoint takes
 * FAKE_KILL:    how long those that --kill kills live on
 * FAKE_SYNC:    how long it takes to bring a file to the disk
 * FAKE_SYNC_ERRNO: which fails with it
 * FAKE_EXIT:    what a restarted process exits with
 * FAKE_SIGNAL:  or what kills it; 0: it waits for a signal
 * FAKE_GROUP:   1: it has a process group of its own; 2: and the terminal
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <linux/checkpoint.h>

long syscall(long nr, ...);

static int number(const char *name, int otherwise)
{
	const char *value = getenv(name);

	return value ? atoi(value) : otherwise;
}

static int put(int fd, const char *bytes, size_t len)
{
	ssize_t n;

	for (; len; bytes += n, len -= n) {
		n = write(fd, bytes, len);
		if (n < 0)
			return -1;
	}
	return 0;
}

static long fail(int error, unsigned long flags)
{
	const char *reasons = getenv("FAKE_REASONS");
	int fd = (int)(flags >> CHECKPOINT_LOG_SHIFT) - 1;

	if (reasons && fd >= 0)
		put(fd, reasons, strlen(reasons));
	errno = error;
	return -1;
}

static long fake_checkpoint(int pid, int fd, unsigned long flags)
{
	static const char table[] =
		"file\tfile\tsaved\tregular files\n"
		"file\tsocket\trefused\tsockets\n";
	struct timespec wait = { .tv_sec = number("FAKE_SECONDS", 0) };
	const char *image = getenv("FAKE_IMAGE");
	char buf[4096];
	ssize_t n;
	int in;

	if (flags & CHECKPOINT_QUERY && number("FAKE_ERRNO", 0))
		return fail(number("FAKE_ERRNO", 0), 0);
	if (flags & CHECKPOINT_QUERY)
		return put(fd, table, sizeof(table) - 1) ? -1 :
		       CHECKPOINT_ABI_VERSION;
	/* Half of an image is there when it goes wrong. */
	if (!(flags & CHECKPOINT_DRY_RUN) && put(fd, "CKPT", 4))
		return fail(errno, flags);
	if (wait.tv_sec && nanosleep(&wait, NULL))
		return fail(errno, flags);
	if (number("FAKE_ERRNO", 0))
		return fail(number("FAKE_ERRNO", 0), flags);
	if (flags & CHECKPOINT_DRY_RUN)
		return 0;
	in = image ? open(image, O_RDONLY) : -1;
	if (in < 0)
		return fail(EIO, flags);
	lseek(in, 4, SEEK_SET);
	while ((n = read(in, buf, sizeof(buf))) > 0)
		if (put(fd, buf, n))
			return fail(errno, flags);
	close(in);
	wait.tv_sec = number("FAKE_KILL", 0);
	if (flags & CHECKPOINT_KILL && wait.tv_sec && !fork()) {
		nanosleep(&wait, NULL);
		kill(pid, SIGKILL);
		_exit(0);
	}
	if (flags & CHECKPOINT_KILL && !wait.tv_sec)
		kill(pid, SIGKILL);
	return 42;
}

static long fake_restart(int fd, unsigned long flags)
{
	char buf[4096];
	size_t len = 0;
	ssize_t n;
	pid_t pid;

	if (number("FAKE_ERRNO", 0))
		return fail(number("FAKE_ERRNO", 0), flags);
	while ((n = read(fd, buf + len % 64, 64)) > 0)
		len += n;
	if (len < 64)
		return fail(EINVAL, flags);
	pid = fork();
	if (pid)
		return pid;
	if (number("FAKE_GROUP", 0))
		setpgid(0, 0);
	if (number("FAKE_GROUP", 0) == 2) {
		signal(SIGTTOU, SIG_IGN);
		tcsetpgrp(open("/dev/tty", O_RDWR), getpgrp());
	}
	if (flags & RESTART_STOPPED)
		raise(SIGSTOP);
	if (number("FAKE_SIGNAL", -1) > 0)
		raise(number("FAKE_SIGNAL", -1));
	while (!number("FAKE_SIGNAL", -1))
		pause();
	_exit(number("FAKE_EXIT", 0));
}

int fsync(int fd)
{
	struct timespec wait = { .tv_sec = number("FAKE_SYNC", 0) };

	while (nanosleep(&wait, &wait))
		;
	errno = number("FAKE_SYNC_ERRNO", 0);
	return errno ? -1 : fdatasync(fd);
}

long syscall(long nr, ...)
{
	unsigned long flags;
	int id, fd;
	va_list args;

	va_start(args, nr);
	id = va_arg(args, long);
	fd = va_arg(args, long);
	flags = va_arg(args, unsigned long);
	va_end(args);

	if (nr == __NR_checkpoint)
		return fake_checkpoint(id, fd, flags);
	if (nr == __NR_restart)
		return fake_restart(fd, flags);
	errno = ENOSYS;
	return -1;
}
