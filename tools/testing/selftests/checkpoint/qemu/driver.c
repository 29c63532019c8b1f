// SPDX-License-Identifier: GPL-2.0
/*
 * Runs the tests inside the guest and streams their TAP to descriptor 3:
 *
 *	== NAME
 *	<what the test wrote to its standard output>
 *	== NAME: exit STATUS | signal NUMBER | timeout
 *
 * The host sums up.  Every test runs in a session of its own; whatever it
 * leaves behind is killed before the next one starts.  Before the first and
 * after the last test the kernel's objects are counted, and on a kernel with
 * kmemleak its report must stay empty.
 *
 * Environment: TEST chooses tests by a part of their name, SLOW multiplies
 * every time limit.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define RESULT_FD	3
#define TEST_SECONDS	1800
#define PF_KTHREAD	0x00200000
#define SYS_CHECKPOINT	548
#define KMEMLEAK	"/sys/kernel/debug/kmemleak"

static int slow = 1;

struct counts {
	long tasks, files, mms, tables;
};

static void emit(const char *data, size_t len)
{
	while (len) {
		ssize_t done = write(RESULT_FD, data, len);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			_exit(1);
		data += done;
		len -= done;
	}
}

static void __attribute__((format(printf, 1, 2))) say(const char *format, ...)
{
	char line[512];
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	emit(line, len < (int)sizeof(line) ? len : (int)sizeof(line) - 1);
}

static void emit_file(const char *path, const char *prefix)
{
	char line[1024];
	FILE *file = fopen(path, "re");

	if (!file)
		return;
	while (fgets(line, sizeof(line), file)) {
		emit(prefix, strlen(prefix));
		emit(line, strlen(line));
	}
	fclose(file);
}

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool done;

	if (fd < 0)
		return false;
	done = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	close(fd);
	return done;
}

static long now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* User tasks other than init and us; kills them when asked to. */
static long user_tasks(bool end_them)
{
	char path[300], line[512], *rest;
	struct dirent *entry;
	unsigned int flags;
	long found = 0;
	DIR *dir;

	dir = opendir("/proc");
	if (!dir)
		return -1;
	while ((entry = readdir(dir))) {
		pid_t pid = atoi(entry->d_name);
		FILE *file;

		if (pid <= 1 || pid == getpid() || pid == getppid())
			continue;
		snprintf(path, sizeof(path), "/proc/%d/stat", pid);
		file = fopen(path, "re");
		if (!file)
			continue;
		rest = fgets(line, sizeof(line), file);
		fclose(file);
		rest = rest ? strrchr(line, ')') : NULL;
		if (!rest || sscanf(rest + 1, " %*c %*d %*d %*d %*d %*d %u", &flags) != 1 ||
		    flags & PF_KTHREAD)
			continue;
		found++;
		if (end_them)
			kill(pid, SIGKILL);
	}
	closedir(dir);
	return found;
}

static void end_leftovers(void)
{
	for (int i = 0; i < 100 && user_tasks(true) > 0; i++) {
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		usleep(20000);
	}
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

/*
 * What the test's processes leave behind becomes our child: it must not keep
 * its pid, which a restart may ask for.
 */
static pid_t reap(pid_t test, int *status)
{
	pid_t pid;
	int one;

	while ((pid = waitpid(-1, &one, WNOHANG)) > 0) {
		if (pid != test)
			continue;
		*status = one;
		return test;
	}
	return 0;
}

static void run_test(const char *path)
{
	const char *name = strrchr(path, '/') + 1;
	long end = now() + TEST_SECONDS * 1000L * slow;
	bool timed_out = false, open_end = true;
	int out[2], status = 0;
	char data[4096];
	pid_t pid, gone = 0;

	say("== %s\n", name);
	if (pipe2(out, O_CLOEXEC)) {
		say("not ok 1 pipe\n");
		return;
	}
	pid = fork();
	if (pid < 0) {
		say("not ok 1 fork\n");
		close(out[0]);
		close(out[1]);
		return;
	}
	if (!pid) {
		setsid();
		dup2(out[1], 1);
		dup2(open("/dev/null", O_RDONLY), 0);
		close(RESULT_FD);
		if (chdir("/tests"))
			_exit(127);
		execl(path, path, NULL);
		_exit(127);
	}
	close(out[1]);
	/*
	 * A process that the test left behind may hold the pipe for ever:
	 * once the test itself is gone, read what is there and go on.
	 */
	while (open_end) {
		struct pollfd pfd = { .fd = out[0], .events = POLLIN };
		int ready = poll(&pfd, 1, gone ? 0 : 100);

		if (ready > 0) {
			ssize_t len = read(out[0], data, sizeof(data));

			if (len > 0)
				emit(data, len);
			else
				open_end = false;
		} else if (gone) {
			break;
		}
		if (!gone)
			gone = reap(pid, &status);
		if (!gone && now() > end) {
			timed_out = true;
			kill(-pid, SIGKILL);
			kill(pid, SIGKILL);
			gone = waitpid(pid, &status, 0);
		}
	}
	if (!gone)
		waitpid(pid, &status, 0);
	close(out[0]);
	end_leftovers();
	if (timed_out)
		say("\n== %s: timeout after %d s\n", name, TEST_SECONDS * slow);
	else if (WIFSIGNALED(status))
		say("\n== %s: signal %d\n", name, WTERMSIG(status));
	else
		say("\n== %s: exit %d\n", name, WEXITSTATUS(status));
}

static long slab_objects(const char *cache)
{
	char path[128], line[64] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/sys/kernel/slab/%s/shrink", cache);
	write_file(path, "1");
	snprintf(path, sizeof(path), "/sys/kernel/slab/%s/objects", cache);
	file = fopen(path, "re");
	if (!file)
		return -1;
	if (!fgets(line, sizeof(line), file))
		line[0] = 0;
	fclose(file);
	return atol(line);
}

/* An idle processor holds on to the last mm it ran: make that ours on all. */
static void visit_processors(void)
{
	cpu_set_t all, one;

	if (sched_getaffinity(0, sizeof(all), &all))
		return;
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &all))
			continue;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		sched_setaffinity(0, sizeof(one), &one);
	}
	sched_setaffinity(0, sizeof(all), &all);
}

/* file-nr is not exact, what the caches hold is. */
static struct counts count(void)
{
	struct counts counts;

	visit_processors();
	counts.tasks = user_tasks(false);
	counts.files = slab_objects("filp");
	counts.mms = slab_objects("mm_struct");
	counts.tables = slab_objects("files_cache");
	return counts;
}

static bool same(struct counts a, struct counts b)
{
	return a.tasks == b.tasks && a.files == b.files && a.mms == b.mms &&
	       a.tables == b.tables;
}

/* The kernel frees much of it later: wait until the counts come to rest. */
static struct counts settled(const struct counts *wanted)
{
	struct counts last = count(), next;
	long end = now() + 60000L * slow;

	/* A stopped KSM keeps address spaces that are gone on its list. */
	write_file("/sys/kernel/mm/ksm/run", "2");
	for (;;) {
		write_file("/proc/sys/vm/drop_caches", "3");
		usleep(300000);
		next = count();
		if (wanted ? same(next, *wanted) : same(next, last))
			return next;
		if (now() > end)
			return next;
		last = next;
	}
}

static void compare(const char *what, int number, long before, long after)
{
	say("%sok %d number of %s: %ld before, %ld after\n",
	    before == after ? "" : "not ", number, what, before, after);
}

static void kunit(void)
{
	char pattern[] = "/sys/kernel/debug/kunit/*/results";
	glob_t found;

	if (glob(pattern, 0, NULL, &found))
		return;
	for (size_t i = 0; i < found.gl_pathc; i++) {
		char *suite = strdup(found.gl_pathv[i] + strlen("/sys/kernel/debug/kunit/"));

		*strchr(suite, '/') = 0;
		say("== kunit %s\n", suite);
		emit_file(found.gl_pathv[i], "");
		say("\n== kunit %s: exit 0\n", suite);
		free(suite);
	}
	globfree(&found);
}

static void leaks(void)
{
	struct stat st;
	FILE *file;
	int c;

	if (stat(KMEMLEAK, &st))
		return;
	say("== kmemleak\n");
	/* Younger than five seconds is not looked at; once is not enough. */
	for (int i = 0; i < 2; i++) {
		sleep(6);
		write_file(KMEMLEAK, "scan");
	}
	file = fopen(KMEMLEAK, "re");
	c = file ? fgetc(file) : 0;
	if (file)
		fclose(file);
	say("1..1\n");
	if (c == EOF) {
		say("ok 1 no leaked memory\n");
	} else {
		emit_file(KMEMLEAK, "# ");
		say("not ok 1 no leaked memory\n");
	}
	say("== kmemleak: exit 0\n");
}

static void lockdep(void)
{
	char line[256];
	FILE *file = fopen("/proc/lockdep_stats", "re");
	int on = -1;

	if (!file)
		return;
	while (fgets(line, sizeof(line), file))
		sscanf(line, " debug_locks: %d", &on);
	fclose(file);
	say("== lockdep\n1..1\n%sok 1 lockdep is still on\n== lockdep: exit 0\n",
	    on == 1 ? "" : "not ");
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int main(void)
{
	const char *only = getenv("TEST") ?: "", *factor = getenv("SLOW");
	struct counts before, after;
	struct stat st;
	glob_t tests;
	int flags = 0;

	if (factor && atoi(factor) > 0)
		slow = atoi(factor);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	fcntl(RESULT_FD, F_SETFD, FD_CLOEXEC);
	memset(&tests, 0, sizeof(tests));
	if (!glob("/tests/*_test", flags, NULL, &tests))
		flags = GLOB_APPEND;
	glob("/tests/*.sh", flags, NULL, &tests);
	if (tests.gl_pathc)
		qsort(tests.gl_pathv, tests.gl_pathc, sizeof(char *), by_name);

	/* On another kernel everything would be skipped, which reads well. */
	say("== system calls\n1..1\n%sok 1 this kernel has checkpoint()\n== system calls: exit 0\n",
	    syscall(SYS_CHECKPOINT, -1, -1, ~0UL) < 0 && errno == ENOSYS ? "not " : "");
	if (!*only || strstr("kunit", only))
		kunit();
	write_file(KMEMLEAK, "clear");
	before = settled(NULL);
	for (size_t i = 0; i < tests.gl_pathc; i++) {
		const char *path = tests.gl_pathv[i];

		if (strstr(path + strlen("/tests/"), only) &&
		    !stat(path, &st) && st.st_mode & 0111)
			run_test(path);
	}
	after = settled(&before);
	say("== nothing left behind\n1..4\n");
	compare("user tasks", 1, before.tasks, after.tasks);
	compare("open files", 2, before.files, after.files);
	compare("address spaces", 3, before.mms, after.mms);
	compare("descriptor tables", 4, before.tables, after.tables);
	say("== nothing left behind: exit 0\n");
	leaks();
	lockdep();
	globfree(&tests);
	return 0;
}
