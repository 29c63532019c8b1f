// SPDX-License-Identifier: GPL-2.0
/*
 * A file that appears whole or not at all: it is written under another name,
 * brought to the disk, and then renamed. A signal that ends the program takes
 * the unfinished file away.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common.h"
#include "output.h"

static const int deadly[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE };

/* For the signal handler: what to take away. */
static char *volatile unfinished;

/* A signal that has to wait until it is known whether the file is needed. */
static volatile sig_atomic_t hold, held;

/* What waits shall not seem to have been lost. */
static void tell_held(void)
{
	static const char text[] =
		": a signal came; if the processes are killed, the image is finished first\n";
	int saved = errno;
	ssize_t n;

	n = write(STDERR_FILENO, prog, strlen(prog));
	if (n > 0)
		n = write(STDERR_FILENO, text, sizeof(text) - 1);
	(void)n;
	errno = saved;
}

static void take_away(int sig)
{
	char *path = unfinished;

	if (hold) {
		if (!held)
			tell_held();
		held = sig;
		return;
	}
	unfinished = NULL;
	if (path)
		unlink(path);
	signal(sig, SIG_DFL);
	raise(sig);
}

/* An ignored signal (nohup) stays ignored. */
static void catch_signals(void)
{
	struct sigaction old, new = { .sa_handler = take_away };
	size_t i;

	sigemptyset(&new.sa_mask);
	for (i = 0; i < ARRAY_SIZE(deadly); i++)
		if (!sigaction(deadly[i], NULL, &old) &&
		    old.sa_handler == SIG_DFL)
			sigaction(deadly[i], &new, NULL);
	/* A file that gets too large is told like a disk that gets full. */
	signal(SIGXFSZ, SIG_IGN);
}

/*
 * What is being written may become all that is left of something: from here on
 * a signal only interrupts. output_commit() finishes all the same;
 * output_discard() ends the program by that signal.
 */
void output_hold(void)
{
	hold = 1;
}

static int open_in_place(struct output *out)
{
	out->fd = open(out->path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	if (out->fd < 0) {
		warn_errno(errno, "%s", out->path);
		return -1;
	}
	if (isatty(out->fd)) {
		warn_msg("%s: an image is not for a terminal", out->path);
		close(out->fd);
		return -1;
	}
	return 0;
}

static void output_free(struct output *out)
{
	free(out->path);
	free(out->tmp);
	out->path = NULL;
	out->tmp = NULL;
	out->fd = -1;
}

/*
 * Gets ready to write @path, or stdout when it is "-". 0, or -1 after a
 * message.
 */
int output_open(struct output *out, const char *path, bool force)
{
	struct stat st;

	out->tmp = NULL;
	out->path = NULL;
	out->fd = -1;
	out->force = force;
	catch_signals();

	if (!strcmp(path, "-")) {
		out->fd = STDOUT_FILENO;
		return 0;
	}

	/* A symlink stays, what it points to is replaced. */
	out->path = realpath(path, NULL);
	if (!out->path && errno == ENOENT && *path)
		out->path = strdup(path);
	if (!out->path) {
		warn_errno(errno, "%s", path);
		return -1;
	}

	if (!stat(out->path, &st)) {
		if (S_ISDIR(st.st_mode)) {
			warn_errno(EISDIR, "%s", path);
			goto fail;
		}
		if (!force && (S_ISREG(st.st_mode) || S_ISBLK(st.st_mode))) {
			warn_msg("%s exists; use --force to overwrite it",
				 path);
			goto fail;
		}
		if (!S_ISREG(st.st_mode)) {
			if (open_in_place(out))
				goto fail;
			return 0;
		}
	} else if (!force && !lstat(out->path, &st)) {
		warn_msg("%s is a symlink to nothing; use --force to replace it",
			 path);
		goto fail;
	}

	if (asprintf(&out->tmp, "%s.XXXXXX", out->path) < 0) {
		out->tmp = NULL;
		warn_errno(ENOMEM, "%s", path);
		goto fail;
	}
	/* For the owner only: an image holds all that the process knew. */
	out->fd = mkostemp(out->tmp, O_CLOEXEC);
	if (out->fd < 0) {
		warn_errno(errno, "%s", path);
		goto fail;
	}
	unfinished = out->tmp;
	return 0;

fail:
	output_free(out);
	return -1;
}

static int sync_dir(const char *path)
{
	char *copy = strdup(path);
	int fd, err = 0;

	if (!copy)
		return -ENOMEM;
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(copy);
	if (fd < 0)
		return -errno;
	/* Not every file system can. */
	if (fsync(fd) && errno != EINVAL)
		err = -errno;
	close(fd);
	return err;
}

/*
 * Without --force an existing file is never replaced, also not one that was
 * made a moment ago.
 */
static int give_name(struct output *out)
{
	if (out->force)
		return rename(out->tmp, out->path) ? -errno : 0;
	if (!renameat2(AT_FDCWD, out->tmp, AT_FDCWD, out->path,
		       RENAME_NOREPLACE))
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -errno;
	if (link(out->tmp, out->path))
		return -errno;
	unlink(out->tmp);
	return 0;
}

/*
 * All is written: bring it to the disk and give it its name. With @keep it is all
 * that is left of something: it has its name first, and is not thrown away when
 * anything fails. 0, or -errno after a message.
 */
int output_commit(struct output *out, bool keep)
{
	bool named = !out->tmp;
	int err = 0;

	if (!named && keep) {
		err = give_name(out);
		named = !err;
	}
	/* Pipes, sockets and terminals cannot. */
	if (fsync(out->fd) && errno != EINVAL && errno != EROFS && !err)
		err = -errno;
	if (close(out->fd) && !err)
		err = -errno;
	if (!named && !err) {
		err = give_name(out);
		named = !err;
	}
	if (!err && out->tmp)
		err = sync_dir(out->path);
	if (err)
		warn_errno(err, "%s", out->path ? out->path : "stdout");
	if (!named && keep)
		warn_msg("what was written is in %s", out->tmp);
	else if (!named)
		unlink(out->tmp);
	unfinished = NULL;
	hold = 0;
	output_free(out);
	return err;
}

/* It failed: leave nothing behind. */
void output_discard(struct output *out)
{
	if (out->tmp) {
		unlink(out->tmp);
		unfinished = NULL;
	}
	if (out->fd >= 0 && out->fd != STDOUT_FILENO)
		close(out->fd);
	output_free(out);
	if (held) {
		signal(held, SIG_DFL);
		raise(held);
	}
}
