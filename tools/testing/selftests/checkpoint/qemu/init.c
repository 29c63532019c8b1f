// SPDX-License-Identifier: GPL-2.0
/*
 * The first process of the test guest.
 *
 * It mounts what programs expect, starts /guest/$GUEST with the result port
 * as descriptor 3, writes that program's exit status to the port as the very
 * last line, and powers off.  The console carries no verdict: a guest that
 * oopses, hangs or loses its console never reaches the last line.
 *
 * GUEST and everything else that the guest programs look at come from the
 * kernel's command line, which hands NAME=VALUE on as environment.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/wait.h>

#define RESULT_FD 3

static const struct {
	const char *type, *source, *target, *options;
	unsigned long flags;
	mode_t mode;
	bool optional;
} mounts[] = {
	{ "proc", "proc", "/proc", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC, 0555, false },
	{ "sysfs", "sysfs", "/sys", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC, 0555, false },
	{ "devtmpfs", "dev", "/dev", NULL, MS_NOSUID, 0755, false },
	{ "devpts", "devpts", "/dev/pts", "mode=620,ptmxmode=666", MS_NOSUID | MS_NOEXEC, 0755, false },
	{ "tmpfs", "shm", "/dev/shm", "mode=1777", MS_NOSUID | MS_NODEV, 01777, false },
	{ "mqueue", "mqueue", "/dev/mqueue", NULL, 0, 01777, false },
	{ "hugetlbfs", "hugetlbfs", "/dev/hugepages", NULL, 0, 0755, false },
	{ "tmpfs", "tmp", "/tmp", "mode=1777", MS_NOSUID | MS_NODEV, 01777, false },
	{ "tmpfs", "run", "/run", "mode=755", MS_NOSUID | MS_NODEV, 0755, false },
	{ "cgroup2", "cgroup2", "/sys/fs/cgroup", NULL, 0, 0755, false },
	{ "debugfs", "debugfs", "/sys/kernel/debug", NULL, 0, 0700, false },
	{ "ext4", "/dev/vdb", "/disk", NULL, 0, 0755, true },
};

static void __attribute__((noreturn)) power_off(void)
{
	sync();
	umount("/disk");
	mount(NULL, "/", NULL, MS_REMOUNT | MS_RDONLY, NULL);
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}

static void __attribute__((noreturn, format(printf, 1, 2)))
fatal(const char *format, ...)
{
	int err = errno;
	va_list args;

	va_start(args, format);
	fprintf(stderr, "init: ");
	vfprintf(stderr, format, args);
	fprintf(stderr, ": %s\n", strerror(err));
	va_end(args);
	power_off();
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, text, strlen(text)) < 0)
		fprintf(stderr, "init: %s: %s\n", path, strerror(errno));
	close(fd);
}

static void mount_all(void)
{
	for (size_t i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
		mkdir(mounts[i].target, mounts[i].mode);
		if (mount(mounts[i].source, mounts[i].target, mounts[i].type,
			  mounts[i].flags, mounts[i].options) &&
		    !mounts[i].optional && errno != EBUSY)
			fatal("mounting %s", mounts[i].target);
	}
	if (symlink("/proc/self/fd", "/dev/fd") ||
	    symlink("/proc/self/fd/0", "/dev/stdin") ||
	    symlink("/proc/self/fd/1", "/dev/stdout") ||
	    symlink("/proc/self/fd/2", "/dev/stderr"))
		fatal("symbolic links in /dev");
}

static void loopback_up(void)
{
	struct ifreq request = { .ifr_name = "lo" };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		fatal("socket");
	if (ioctl(fd, SIOCGIFFLAGS, &request))
		fatal("SIOCGIFFLAGS");
	request.ifr_flags |= IFF_UP;
	if (ioctl(fd, SIOCSIFFLAGS, &request))
		fatal("SIOCSIFFLAGS");
	close(fd);
}

/* The host names the port; its number depends on the order of devices. */
static int open_result_port(void)
{
	char path[512], name[64];
	struct dirent *entry;
	DIR *dir;
	int fd = -1;

	dir = opendir("/sys/class/virtio-ports");
	if (!dir)
		return -1;
	while (fd < 0 && (entry = readdir(dir))) {
		FILE *file;

		snprintf(path, sizeof(path), "/sys/class/virtio-ports/%s/name",
			 entry->d_name);
		file = fopen(path, "re");
		if (!file)
			continue;
		if (fgets(name, sizeof(name), file) && !strcmp(name, "result\n")) {
			snprintf(path, sizeof(path), "/dev/%s", entry->d_name);
			fd = open(path, O_WRONLY | O_CLOEXEC);
		}
		fclose(file);
	}
	closedir(dir);
	return fd;
}

static int run(const char *program, int result, bool terminal)
{
	int status;
	pid_t pid, gone;

	pid = fork();
	if (pid < 0)
		fatal("fork");
	if (!pid) {
		setsid();
		if (terminal)
			ioctl(0, TIOCSCTTY, 0);
		if (result >= 0 && dup2(result, RESULT_FD) < 0)
			fatal("dup2");
		execl(program, program, NULL);
		fatal("%s", program);
	}
	do {
		gone = wait(&status);
	} while (gone != pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(void)
{
	const char *guest = getenv("GUEST") ?: "shell";
	char program[128], line[64];
	int console, result, status, len, tries;

	if (getpid() != 1)
		return 1;
	umask(0);
	mount_all();
	umask(022);
	console = open("/dev/ttyS0", O_RDWR | O_NOCTTY);
	if (console >= 0) {
		dup2(console, 0);
		dup2(console, 1);
		dup2(console, 2);
		if (console > 2)
			close(console);
	}
	setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin", 1);
	setenv("HOME", "/root", 1);
	setenv("LC_ALL", "C", 1);
	write_file("/proc/sys/kernel/panic_on_oops", "1");
	write_file("/proc/sys/vm/nr_hugepages", "16");
	write_file("/proc/sys/net/core/fb_tunnels_only_for_init_net", "2");
	/* On a swap device everything is swapped out at will. */
	if (swapon("/dev/vdc", 0) && errno != ENOENT)
		fatal("swapon");
	loopback_up();

	/* The descriptor that programs get is RESULT_FD; ours must not be it. */
	result = open_result_port();
	/* The host tells of its ports, and their names, when it comes to it. */
	for (tries = 0; result < 0 && tries < 600 && strcmp(guest, "shell");
	     tries++) {
		usleep(50000);
		result = open_result_port();
	}
	if (result >= 0)
		result = fcntl(result, F_DUPFD_CLOEXEC, RESULT_FD + 10);
	snprintf(program, sizeof(program), "/guest/%s", guest);
	if (result < 0 && strcmp(guest, "shell"))
		fatal("no result port");
	status = run(program, result, !strcmp(guest, "shell"));
	sync();
	len = snprintf(line, sizeof(line), "\nguest: exit %d\n", status);
	if (result >= 0 && write(result, line, len) != len)
		fatal("result port");
	power_off();
}
