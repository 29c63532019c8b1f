// SPDX-License-Identifier: GPL-2.0
/*
 * Failing allocations: checkpoint and restart with the first, the second, the
 * third ... one failing, until one passes without. Each gives an error or
 * success; nothing else, and nothing is left behind. Needs a kernel with fault
 * injection; that nothing leaks is for kmemleak to say.
 */
#include "ckpt_test.h"

#include <dirent.h>

/* More allocations than any of this makes. */
#define MANY	20000

static int set_knob(const char *dir, const char *name, const char *value)
{
	char path[400];
	int fd, ret;

	snprintf(path, sizeof(path), "/sys/kernel/debug/%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	ret = write(fd, value, strlen(value)) < 0 ? -1 : 0;
	close(fd);
	return ret;
}

/* All kinds of faults that this kernel can inject. */
static void set_all(const char *name, const char *value)
{
	struct dirent *entry;
	DIR *dir = opendir("/sys/kernel/debug");

	while (dir && (entry = readdir(dir))) {
		if (!strncmp(entry->d_name, "fail", 4))
			set_knob(entry->d_name, name, value);
	}
	if (dir)
		closedir(dir);
}

/* Returns false if this kernel cannot do it. */
static bool prepare(void)
{
	if (access("/proc/self/fail-nth", W_OK) ||
	    access("/sys/kernel/debug/failslab", F_OK))
		return false;
	/* No traces on the console, and no allocation is exempt. */
	set_all("verbose", "0");
	set_all("ignore-gfp-wait", "N");
	set_all("ignore-gfp-highmem", "N");
	set_all("min-order", "0");
	set_all("probability", "0");
	return true;
}

static int fail_nth(int nth)
{
	char text[16];
	int fd, len, ret;

	fd = open("/proc/self/fail-nth", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	len = snprintf(text, sizeof(text), "%d", nth);
	ret = write(fd, text, len) == len ? 0 : -1;
	close(fd);
	return ret;
}

/* How many were left of those that should pass; 0: one has failed. */
static int left_of(pid_t pid)
{
	char path[64], text[16] = "";
	int fd, len;

	snprintf(path, sizeof(path), "/proc/%d/fail-nth", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	len = read(fd, text, sizeof(text) - 1);
	close(fd);
	return len > 0 ? atoi(text) : -1;
}

/* An open /proc/self/fail-nth: to open it takes allocations too. */
struct knob {
	int fd;
};

static int knob_set(struct knob *knob, int nth)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%d", nth);

	return pwrite(knob->fd, text, len, 0) == len ? 0 : -1;
}

/* Had it failed? Then how many are left is 0. No more faults from here on. */
static int knob_left(struct knob *knob)
{
	char text[16];
	int len = pread(knob->fd, text, sizeof(text) - 1, 0);

	/* The one that fails can be that of this very read: not before it. */
	if (len <= 0)
		len = snprintf(text, sizeof(text), "1");
	text[len] = '\0';
	/* The same for this write, which then works the second time. */
	return knob_set(knob, 0) && knob_set(knob, 0) ? -1 : atoi(text);
}

static long checkpoint_failing(struct ckpt_test *t, pid_t pid, int fd, int nth,
			       int *left)
{
	struct knob knob = { open("/proc/self/fail-nth", O_RDWR | O_CLOEXEC) };
	int log = open(t->other, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	long ret;

	*left = -1;
	if (knob.fd < 0 || log < 0 || knob_set(&knob, nth))
		return 0;
	ret = ckpt_sys_checkpoint(pid, fd, CHECKPOINT_LOG_FD(log));
	*left = knob_left(&knob);
	close(knob.fd);
	close(log);
	return ret;
}

static int checkpoint_loop(struct ckpt_test *t, const char *arg)
{
	int nth, left = 0, fd, failures = 0, passed = 0;
	pid_t pid;
	long ret;

	pid = ckpt_start_tiny(t, arg);
	if (pid <= 0)
		return -1;
	fd = open(t->image, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	for (nth = 1; nth < MANY; nth++) {
		if (nth % 16 == 1)
			alarm(ckpt_test_seconds() / 2);
		if (ftruncate(fd, 0) || lseek(fd, 0, SEEK_SET))
			return -1;
		ret = checkpoint_failing(t, pid, fd, nth, &left);
		if (left < 0 || !ret)
			return ckpt_say("fault %d: it gave %ld, %d are left", nth,
					ret, left);
		if (left > 0)
			break;
		if (ret < 0) {
			failures++;
			continue;
		}
		passed++;
		/* Two with one FIFO cannot be. */
		if (arg)
			continue;
		/* It did without; then the image is good. */
		lseek(fd, 0, SEEK_SET);
		ret = ckpt_restart_fd(t, fd, RESTART_FRESH_PIDS);
		if (ret <= 0 || ckpt_go_tiny(ret) ||
		    ckpt_wait(t, ret) != TINY_STATUS) {
			ckpt_show_log(t);
			return ckpt_say("fault %d: a bad image", nth);
		}
	}
	alarm(0);
	close(fd);
	ckpt_say("%d faults: %d errors, %d successes", nth - 1, failures, passed);
	if (ret <= 0)
		return ckpt_say("without a fault it gave %ld", ret);
	if (failures < 10)
		return ckpt_say("that is too few");
	/* The program has come through all of it. */
	if (ckpt_go_tiny(pid) || ckpt_wait(t, pid) != TINY_STATUS)
		return ckpt_say("the program is not what it was");
	return 0;
}

TEST_F(checkpoint, checkpoint_fails)
{
	NOT_DRY();
	if (!prepare())
		SKIP(return, "this kernel has no fault injection");
	EXPECT_EQ(0, checkpoint_loop(&self->t, NULL));
	EXPECT_EQ(0, checkpoint_loop(&self->t, "rich"));
	EXPECT_EQ(0, checkpoint_loop(&self->t, "tty"));
}

static int save_tiny(struct ckpt_test *t, const char *arg)
{
	pid_t pid = ckpt_start_tiny(t, arg);

	if (pid <= 0 || ckpt_checkpoint(t, pid, t->image, 0) <= 0)
		return -1;
	return ckpt_kill(t, pid);
}

/* In the caller: reading and checking, and making the child. */
static int restart_loop(struct ckpt_test *t, const char *arg)
{
	int nth, left, log, fd, failures = 0, passed = 0;
	struct knob knob;
	long ret = 0;

	if (save_tiny(t, arg))
		return -1;
	fd = open(t->image, O_RDONLY | O_CLOEXEC);
	log = open(t->other, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	knob.fd = open("/proc/self/fail-nth", O_RDWR | O_CLOEXEC);
	if (fd < 0 || log < 0 || knob.fd < 0)
		return ckpt_say("open: %s", strerror(errno));
	for (nth = 1; nth < MANY; nth++) {
		if (nth % 16 == 1)
			alarm(ckpt_test_seconds() / 2);
		lseek(fd, 0, SEEK_SET);
		if (knob_set(&knob, nth))
			return -1;
		ret = ckpt_sys_restart(0, fd, RESTART_FRESH_PIDS |
				       RESTART_STOPPED | CHECKPOINT_LOG_FD(log));
		left = knob_left(&knob);
		if (left < 0)
			return ckpt_say("cannot set fail-nth");
		if (ret > 0) {
			ckpt_remember(t, ret);
			if (left) {
				if (kill(ret, SIGCONT) || ckpt_go_tiny(ret) ||
				    ckpt_wait(t, ret) != TINY_STATUS)
					return -1;
				break;
			}
			passed++;
			if (ckpt_kill(t, ret))
				return -1;
		} else {
			failures++;
			if (left)
				return ckpt_say("fault %d: %ld without a fault",
						nth, ret);
		}
		if (ckpt_has_children())
			return ckpt_say("fault %d: there is a child", nth);
	}
	alarm(0);
	close(knob.fd);
	close(log);
	close(fd);
	ckpt_say("%d faults: %d errors, %d successes", nth - 1, failures, passed);
	return failures < 10 ? ckpt_say("that is too few") : 0;
}

TEST_F(checkpoint, restart_fails)
{
	NOT_DRY();
	if (!prepare())
		SKIP(return, "this kernel has no fault injection");
	EXPECT_EQ(0, restart_loop(&self->t, NULL));
	EXPECT_EQ(0, restart_loop(&self->t, "rich"));
	EXPECT_EQ(0, restart_loop(&self->t, "tty"));
}

/* The caller replaces itself: all of restoring is in one task, and counted. */
static int self_loop(struct ckpt_test *t, const char *arg)
{
	static char data[5000];
	int nth, status, failures = 0, passed = 0;
	pid_t pid, got;

	if (save_tiny(t, arg))
		return -1;
	ckpt_fill(data, sizeof(data), 1);
	for (nth = 1; nth < MANY; nth++) {
		alarm(ckpt_test_seconds() / 2);
		fflush(stdout);
		pid = fork();
		if (pid < 0)
			return -1;
		if (!pid) {
			int fd = open(t->image, O_RDONLY | O_CLOEXEC);

			if (fd < 0 || fail_nth(nth))
				_exit(10);
			ckpt_sys_restart(0, fd, RESTART_SELF |
					 RESTART_FRESH_PIDS | RESTART_STOPPED);
			/* It is still what it was. */
			if (ckpt_fill_differs(data, sizeof(data), 1) != -1 ||
			    fcntl(fd, F_GETFD) != FD_CLOEXEC)
				_exit(11);
			_exit(left_of(getpid()) ? 12 : 0);
		}
		ckpt_remember(t, pid);
		got = waitpid(pid, &status, WUNTRACED);
		if (got != pid)
			return ckpt_say("wait: %s", strerror(errno));
		if (!WIFSTOPPED(status)) {
			ckpt_forget(t, pid);
			if (status)
				return ckpt_say("fault %d: ended with %#x", nth,
						status);
			failures++;
			continue;
		}
		if (left_of(pid) > 0) {
			if (kill(pid, SIGCONT) || ckpt_go_tiny(pid) ||
			    ckpt_wait(t, pid) != TINY_STATUS)
				return ckpt_say("it is not what was saved");
			break;
		}
		passed++;
		if (ckpt_kill(t, pid))
			return -1;
	}
	alarm(0);
	ckpt_say("%d faults: %d errors, %d successes", nth - 1, failures, passed);
	return failures < 10 ? ckpt_say("that is too few") : 0;
}

TEST_F(checkpoint, self_fails)
{
	NOT_DRY();
	if (!prepare())
		SKIP(return, "this kernel has no fault injection");
	EXPECT_EQ(0, self_loop(&self->t, NULL));
	EXPECT_EQ(0, self_loop(&self->t, "tty"));
}

/*
 * In the child, which has a count of its own: every so many allocations of this
 * process and its children fail, once.
 */
static int child_loop(struct ckpt_test *t, const char *dir)
{
	int i, fd, failures = 0, passed = 0, step = 1;
	char text[16];
	long ret;

	fd = open(t->image, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	set_knob(dir, "task-filter", "Y");
	set_knob(dir, "probability", "100");
	for (i = 1; i < 1500; i += step) {
		if (i > 200)
			step = 7;
		alarm(ckpt_test_seconds() / 2);
		snprintf(text, sizeof(text), "%d", i);
		set_knob(dir, "times", "0");
		set_knob(dir, "interval", text);
		lseek(fd, 0, SEEK_SET);
		if (ckpt_write_file("/proc/self/make-it-fail", "1"))
			return ckpt_say("make-it-fail: %s", strerror(errno));
		set_knob(dir, "times", "1");
		ret = ckpt_sys_restart(0, fd, RESTART_FRESH_PIDS |
				       RESTART_STOPPED);
		set_knob(dir, "times", "0");
		ckpt_write_file("/proc/self/make-it-fail", "0");
		if (ret > 0) {
			passed++;
			ckpt_remember(t, ret);
			if (ckpt_kill(t, ret))
				return -1;
		} else {
			failures++;
		}
		if (ckpt_has_children())
			return ckpt_say("try %d: there is a child", i);
	}
	alarm(0);
	close(fd);
	set_knob(dir, "probability", "0");
	set_knob(dir, "task-filter", "N");
	ckpt_say("%s: %d errors, %d successes", dir, failures, passed);
	return failures < 10 ? ckpt_say("that is too few") : 0;
}

TEST_F(checkpoint, child_fails)
{
	NOT_DRY();
	if (!prepare() || access("/proc/self/make-it-fail", W_OK))
		SKIP(return, "this kernel has no fault injection");
	ASSERT_EQ(0, save_tiny(&self->t, "rich"));
	EXPECT_EQ(0, child_loop(&self->t, "failslab"));
	EXPECT_EQ(0, child_loop(&self->t, "fail_page_alloc"));
}

TEST_HARNESS_MAIN
