// SPDX-License-Identifier: GPL-2.0
/*
 * Namespaces that restart(1) makes before it restarts, as unshare(1) does.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/checkpoint_image.h>

#include "common.h"
#include "ns.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME	0x00000080
#endif

#define NSEC_PER_SEC	1000000000LL

static int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), err = 0;
	ssize_t n;

	if (fd < 0)
		return errno;
	n = write(fd, text, strlen(text));
	if (n != (ssize_t)strlen(text))
		err = n < 0 ? errno : EIO;
	close(fd);
	return err;
}

/* --- user ------------------------------------------------------------------------ */

/* INNER:OUTER:COUNT[,...] as the kernel takes it: blanks and new lines. */
static int write_map(pid_t pid, const char *file, const char *map)
{
	char path[64], *text = strdup(map), *c;
	int err;

	if (!text) {
		warn_errno(errno, "%s", file);
		return -1;
	}
	for (c = text; *c; c++) {
		if (*c == ':')
			*c = ' ';
		else if (*c == ',')
			*c = '\n';
	}
	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	err = write_text(path, text);
	free(text);
	if (err)
		warn_errno(err, "%s %s", path, map);
	return err ? -1 : 0;
}

static int write_maps(const struct ns_opts *opts, pid_t pid)
{
	char own_user[64], own_group[64], path[64];
	const char *users = opts->users, *groups = opts->groups;
	int ret;

	snprintf(own_user, sizeof(own_user), "0:%u:1", (unsigned int)geteuid());
	snprintf(own_group, sizeof(own_group), "0:%u:1",
		 (unsigned int)getegid());
	/* Who cannot do without is not allowed to map more than himself. */
	if (!groups) {
		groups = own_group;
		snprintf(path, sizeof(path), "/proc/%d/setgroups", (int)pid);
		if (geteuid())
			write_text(path, "deny");
	}
	ret = write_map(pid, "gid_map", groups);
	return ret ? ret : write_map(pid, "uid_map", users ? users : own_user);
}

/* Maps are written from outside of the namespace, by a child that stays there. */
static pid_t start_mapper(const struct ns_opts *opts, int *go)
{
	pid_t pid, self = getpid();
	int fds[2];
	char c;

	if (pipe2(fds, O_CLOEXEC)) {
		warn_errno(errno, "pipe");
		return -1;
	}
	pid = fork();
	if (pid < 0)
		warn_errno(errno, "fork");
	if (!pid) {
		close(fds[1]);
		/* Nothing comes when there is no namespace. */
		if (read(fds[0], &c, 1) != 1)
			_exit(1);
		_exit(write_maps(opts, self) ? 1 : 0);
	}
	close(fds[0]);
	*go = fds[1];
	return pid;
}

static int end_mapper(pid_t pid, int go, int made)
{
	int status;

	if (made && write(go, "g", 1) != 1)
		warn_errno(errno, "pipe");
	close(go);
	while (waitpid(pid, &status, 0) < 0) {
		if (errno == EINTR)
			continue;
		warn_errno(errno, "cannot wait for process %d", (int)pid);
		return -1;
	}
	return WIFEXITED(status) && !WEXITSTATUS(status) ? 0 : -1;
}

/* --- time ------------------------------------------------------------------------- */

/* What the clocks were for the saved processes, in ns; 0 or -1 after a message. */
static int saved_clocks(int image, long long *monotonic, long long *boottime)
{
	struct ckpt_namespaces ns;
	struct ckpt_header header;
	struct ckpt_rec_hdr hdr;
	off_t pos = lseek(image, 0, SEEK_CUR);
	bool first = true;

	if (pos < 0) {
		warn_msg("--time needs an image in a file");
		return -1;
	}
	for (;; first = false) {
		if (pread(image, &hdr, sizeof(hdr), pos) != sizeof(hdr) ||
		    hdr.len > 1ULL << 40)
			break;
		if (first ? hdr.type != CKPT_REC_HEADER :
			    hdr.type == CKPT_REC_HEADER)
			break;
		pos += sizeof(hdr);
		if (first && (hdr.len < sizeof(header) ||
			      pread(image, &header, sizeof(header), pos) !=
			      sizeof(header)))
			break;
		if (first) {
			*monotonic = header.monotonic_ns;
			*boottime = header.boottime_ns;
		}
		if (hdr.type == CKPT_REC_META_END)
			return 0;
		if (hdr.type == CKPT_REC_NAMESPACES && hdr.len >= sizeof(ns) &&
		    pread(image, &ns, sizeof(ns), pos) == sizeof(ns)) {
			*monotonic += ns.monotonic.sec * NSEC_PER_SEC +
				      ns.monotonic.nsec;
			*boottime += ns.boottime.sec * NSEC_PER_SEC +
				     ns.boottime.nsec;
			return 0;
		}
		pos += (hdr.len + 7) & ~7ULL;
	}
	warn_msg("the image does not begin as one");
	return -1;
}

static long long clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

/* The offsets that we have ourselves; none without namespaces of time. */
static void own_offsets(long long *monotonic, long long *boottime)
{
	FILE *file = fopen("/proc/self/timens_offsets", "re");
	long long sec, nsec;
	char name[32];

	*monotonic = 0;
	*boottime = 0;
	while (file && fscanf(file, "%31s %lld %lld", name, &sec, &nsec) == 3) {
		if (!strcmp(name, "monotonic"))
			*monotonic = sec * NSEC_PER_SEC + nsec;
		if (!strcmp(name, "boottime"))
			*boottime = sec * NSEC_PER_SEC + nsec;
	}
	if (file)
		fclose(file);
}

static void add_line(char *text, size_t size, const char *name, long long ns)
{
	long long sec = ns / NSEC_PER_SEC, nsec = ns % NSEC_PER_SEC;
	size_t len = strlen(text);

	if (nsec < 0) {
		nsec += NSEC_PER_SEC;
		sec--;
	}
	snprintf(text + len, size - len, "%s %lld %lld\n", name, sec, nsec);
}

/* The clocks go on where they were. */
static int set_clocks(int image)
{
	long long monotonic, boottime, own_monotonic, own_boottime;
	char text[160] = "";
	int fd, err;

	if (saved_clocks(image, &monotonic, &boottime))
		return -1;
	own_offsets(&own_monotonic, &own_boottime);
	add_line(text, sizeof(text), "monotonic",
		 monotonic - clock_ns(CLOCK_MONOTONIC) + own_monotonic);
	add_line(text, sizeof(text), "boottime",
		 boottime - clock_ns(CLOCK_BOOTTIME) + own_boottime);
	err = write_text("/proc/self/timens_offsets", text);
	if (err) {
		warn_errno(err, "/proc/self/timens_offsets");
		return -1;
	}
	fd = open("/proc/self/ns/time_for_children", O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWTIME)) {
		warn_errno(errno, "cannot enter the time namespace");
		return -1;
	}
	close(fd);
	return 0;
}

/* --- all ------------------------------------------------------------------------------ */

/**
 * ns_make() - make namespaces and enter them
 * @opts: which
 * @image: descriptor of the image, which is not read on; for the clocks
 *
 * Children will be in the namespaces of pids, we are not.
 *
 * Return: 0, or -1 after a message.
 */
int ns_make(const struct ns_opts *opts, int image)
{
	pid_t mapper = 0;
	int go = -1, err = 0;

	if (!opts->flags)
		return 0;
	if (opts->flags & CLONE_NEWUSER) {
		mapper = start_mapper(opts, &go);
		if (mapper < 0)
			return -1;
	}
	if (unshare(opts->flags))
		err = errno;
	if (mapper && end_mapper(mapper, go, !err) && !err)
		return -1;
	if (err) {
		warn_errno(err, "cannot make namespaces");
		return -1;
	}
	if (mapper && (setgid(0) || setuid(0))) {
		warn_errno(errno, "user 0 is not in the map of users");
		return -1;
	}
	if (opts->flags & CLONE_NEWNS &&
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL)) {
		warn_errno(errno, "cannot make mounts private");
		return -1;
	}
	if (opts->flags & CLONE_NEWTIME)
		return set_clocks(image);
	return 0;
}
