// SPDX-License-Identifier: GPL-2.0
/*
 * checkpoint() and restart() themselves: from outside and of oneself, to and
 * from every sort of descriptor, their flags, their permissions, their errors.
 */
#include "ckpt_test.h"

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>

#define USER	1000
#define OTHER	1001

#define MS	1000000LL

/* --- where a process can be when it is checkpointed ----------------------- */

ROUNDTRIP(spinning)
{
	static char data[20000];
	pid_t pid = getpid(), parent = getppid();
	char *heap, local[5000];

	heap = malloc(100000);
	NEED(heap);
	ckpt_fill(data, sizeof(data), 1);
	ckpt_fill(heap, 100000, 2);
	ckpt_fill(local, sizeof(local), 3);
	ckpt_point();
	CHECK_FILL(data, sizeof(data), 1);
	CHECK_FILL(heap, 100000, 2);
	CHECK_FILL(local, sizeof(local), 3);
	CHECK_EQ(pid, syscall(SYS_getpid));
	CHECK_EQ(pid, syscall(SYS_gettid));
	CHECK_EQ(pid, getpgid(0));
	CHECK_EQ(pid, getsid(0));
	CHECK_EQ(parent, getppid());
}

/* Two points: the restarted one is checkpointed again. */
SCENARIO(two_points)
{
	static char data[10000];
	pid_t pid = getpid();

	ckpt_fill(data, sizeof(data), 1);
	ckpt_point();
	CHECK_FILL(data, sizeof(data), 1);
	ckpt_fill(data, sizeof(data), 2);
	ckpt_point();
	CHECK_FILL(data, sizeof(data), 2);
	CHECK_EQ(pid, syscall(SYS_getpid));
}

TEST_F(checkpoint, again_after_restart)
{
	pid_t pid;

	NOT_DRY();
	START(pid, two_points, NULL);
	ASSERT_LT(0, ckpt_checkpoint(&self->t, pid, self->t.image, 0));
	ASSERT_EQ(0, ckpt_kill(&self->t, pid));
	ASSERT_EQ(pid, ckpt_restart(&self->t, self->t.image, 0));
	ASSERT_EQ(0, ckpt_go(pid));
	ASSERT_EQ(0, ckpt_wait_stage(&self->t, pid, 2));
	ASSERT_LT(0, ckpt_checkpoint(&self->t, pid, self->t.image, 0));
	ASSERT_EQ(0, ckpt_kill(&self->t, pid));
	ASSERT_EQ(pid, ckpt_restart(&self->t, self->t.image, 0));
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));
}

static volatile sig_atomic_t handled;
static int wake_pipe[2];

static void count_signal(int sig)
{
	handled += sig;
}

static void on_signal(int sig, int flags)
{
	struct sigaction action = { .sa_handler = count_signal,
				    .sa_flags = flags };

	NEED(!sigaction(sig, &action, NULL));
}

/* Is checkpointed, killed and restarted in the system call, then goes on. */
static int in_syscall(struct ckpt_test *t, const char *scenario, long nr,
		      int wake_fd, int wake_signal, bool kill_it)
{
	char *before;
	int ret = -1;
	pid_t pid;

	pid = ckpt_start(t, scenario, NULL);
	if (pid <= 0 || ckpt_wait_syscall(pid, nr))
		return -1;
	before = ckpt_snapshot(pid);
	if (ckpt_checkpoint(t, pid, t->image, 0) <= 0)
		goto out;
	if (kill_it) {
		if (ckpt_kill(t, pid) || ckpt_restart(t, t->image, 0) != pid)
			goto out;
	}
	/* Nothing has happened to it: it is where it was. */
	if (ckpt_wait_syscall(pid, nr))
		goto out;
	if (!ckpt_dry()) {
		char *after = ckpt_snapshot(pid);

		if (ckpt_compare(before, after))
			ret = ckpt_say("/proc differs");
		else
			ret = 0;
		free(after);
		if (ret)
			goto out;
	}
	if (wake_fd >= 0)
		ret = ckpt_wake(pid, wake_fd);
	else
		ret = kill(pid, wake_signal);
	if (!ret)
		ret = ckpt_wait(t, pid);
out:
	free(before);
	return ret;
}

/* The pipe's descriptors are 3 and 4. */
#define BLOCKED(_name, _nr, _fd, _signal)				\
	TEST_F(checkpoint, _name)					\
	{								\
		EXPECT_EQ(0, in_syscall(&self->t, #_name, _nr, _fd, _signal, \
					false));			\
		EXPECT_TRUE(ckpt_dry() ||				\
			    !in_syscall(&self->t, #_name, _nr, _fd, _signal, \
					true));				\
	}								\
	SCENARIO(_name)

BLOCKED(blocked_in_read, SYS_read, 4, 0)
{
	char byte = 0;

	NEED(!pipe(wake_pipe));
	ckpt_announce();
	CHECK_EQ(1, read(wake_pipe[0], &byte, 1));
	CHECK_EQ('w', byte);
}

BLOCKED(blocked_in_poll, SYS_poll, 4, 0)
{
	struct pollfd pfd = { .events = POLLIN };

	NEED(!pipe(wake_pipe));
	pfd.fd = wake_pipe[0];
	ckpt_announce();
	CHECK_EQ(1, poll(&pfd, 1, -1));
	CHECK_EQ(POLLIN, pfd.revents);
}

BLOCKED(blocked_in_ppoll, SYS_ppoll, 4, 0)
{
	struct pollfd pfd = { .events = POLLIN };
	struct timespec limit = { 100, 0 };
	sigset_t mask;

	NEED(!pipe(wake_pipe));
	pfd.fd = wake_pipe[0];
	sigfillset(&mask);
	ckpt_announce();
	CHECK_EQ(1, ppoll(&pfd, 1, &limit, &mask));
	CHECK_EQ(POLLIN, pfd.revents);
	NEED(!sigprocmask(SIG_BLOCK, NULL, &mask));
	CHECK_EQ(0, sigismember(&mask, SIGUSR1));
}

BLOCKED(blocked_in_select, SYS_pselect6, 4, 0)
{
	struct timespec limit = { 100, 0 };
	fd_set set;

	NEED(!pipe(wake_pipe));
	FD_ZERO(&set);
	FD_SET(wake_pipe[0], &set);
	ckpt_announce();
	CHECK_EQ(1, pselect(wake_pipe[0] + 1, &set, NULL, NULL, &limit, NULL));
	CHECK(FD_ISSET(wake_pipe[0], &set));
}

/* A handler that restarts system calls runs, and the read goes on. */
static void feed_pipe(int sig)
{
	handled += sig;
	CHECK_EQ(1, write(wake_pipe[1], "h", 1));
}

BLOCKED(blocked_in_read_handler, SYS_read, -1, SIGUSR1)
{
	struct sigaction action = { .sa_handler = feed_pipe,
				    .sa_flags = SA_RESTART };
	char byte = 0;

	NEED(!pipe(wake_pipe));
	NEED(!sigaction(SIGUSR1, &action, NULL));
	ckpt_announce();
	CHECK_EQ(1, read(wake_pipe[0], &byte, 1));
	CHECK_EQ('h', byte);
	CHECK_EQ(SIGUSR1, handled);
}

BLOCKED(blocked_in_read_eintr, SYS_read, -1, SIGUSR1)
{
	char byte = 0;

	NEED(!pipe(wake_pipe));
	on_signal(SIGUSR1, 0);
	ckpt_announce();
	CHECK_EQ(-1, read(wake_pipe[0], &byte, 1));
	CHECK_EQ(EINTR, errno);
	CHECK_EQ(SIGUSR1, handled);
}

BLOCKED(blocked_in_pause, SYS_pause, -1, SIGUSR1)
{
	on_signal(SIGUSR1, SA_RESTART);
	ckpt_announce();
	CHECK_EQ(-1, pause());
	CHECK_EQ(EINTR, errno);
	CHECK_EQ(SIGUSR1, handled);
}

BLOCKED(blocked_in_sigsuspend, SYS_rt_sigsuspend, -1, SIGUSR1)
{
	sigset_t mask, empty, now;

	on_signal(SIGUSR1, 0);
	sigemptyset(&empty);
	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR1);
	sigaddset(&mask, SIGHUP);
	NEED(!sigprocmask(SIG_SETMASK, &mask, NULL));
	ckpt_announce();
	CHECK_EQ(-1, sigsuspend(&empty));
	CHECK_EQ(EINTR, errno);
	CHECK_EQ(SIGUSR1, handled);
	NEED(!sigprocmask(SIG_BLOCK, NULL, &now));
	CHECK_EQ(1, sigismember(&now, SIGUSR1));
	CHECK_EQ(1, sigismember(&now, SIGHUP));
	CHECK_EQ(0, sigismember(&now, SIGUSR2));
}

BLOCKED(blocked_in_sigwait, SYS_rt_sigtimedwait, -1, SIGUSR2)
{
	siginfo_t info;
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR2);
	NEED(!sigprocmask(SIG_SETMASK, &mask, NULL));
	ckpt_announce();
	/*
	 * A stop and continue makes this fail with EINTR, with or without a
	 * checkpoint (signal(7)), so only a later try may fail.
	 */
	while (sigwaitinfo(&mask, &info) < 0)
		NEED(errno == EINTR);
	CHECK_EQ(SIGUSR2, info.si_signo);
}

static int futex_word;

static void change_word(int sig)
{
	handled += sig;
	futex_word = 1;
}

BLOCKED(blocked_in_futex, SYS_futex, -1, SIGUSR1)
{
	struct sigaction action = { .sa_handler = change_word,
				    .sa_flags = SA_RESTART };

	NEED(!sigaction(SIGUSR1, &action, NULL));
	ckpt_announce();
	CHECK_EQ(-1, syscall(SYS_futex, &futex_word, FUTEX_WAIT_PRIVATE, 0,
			     NULL, NULL, 0));
	CHECK_EQ(EAGAIN, errno);
	CHECK_EQ(SIGUSR1, handled);
}

/* --- the rest of the time ------------------------------------------------- */

/*
 * Each waits for so long in a system call. It is checkpointed about in the
 * middle, is dead for a while, and must then wait for the rest: not for the
 * whole again, and not as if the time had gone on.
 */
static long wait_ms;

static struct timespec wait_time(void)
{
	return (struct timespec){ wait_ms / 1000, wait_ms % 1000 * MS };
}

static void wait_nanosleep(void)
{
	struct timespec ts = wait_time();

	CHECK_EQ(0, nanosleep(&ts, NULL));
}

static void wait_clock_nanosleep(void)
{
	struct timespec ts = wait_time();

	CHECK_EQ(0, clock_nanosleep(CLOCK_BOOTTIME, 0, &ts, NULL));
}

static void wait_poll(void)
{
	struct pollfd pfd = { .events = POLLIN };

	NEED(!pipe(wake_pipe));
	pfd.fd = wake_pipe[0];
	CHECK_EQ(0, poll(&pfd, 1, wait_ms));
}

static void wait_futex(void)
{
	struct timespec ts = wait_time();

	CHECK_EQ(-1, syscall(SYS_futex, &futex_word, FUTEX_WAIT_PRIVATE, 0,
			     &ts, NULL, 0));
	CHECK_EQ(ETIMEDOUT, errno);
}

static const struct {
	const char *name;
	void (*wait)(void);
} waits[] = {
	{ "nanosleep", wait_nanosleep },
	{ "clock_nanosleep", wait_clock_nanosleep },
	{ "poll", wait_poll },
	{ "futex", wait_futex },
};

#define NR_WAITS	((int)ARRAY_SIZE(waits))

SCENARIO(wait_rest)
{
	int nr;

	NEED(sscanf(ckpt_arg, "%d %ld", &nr, &wait_ms) == 2);
	ckpt_value[1] = ckpt_now_ns(CLOCK_REALTIME);
	ckpt_announce();
	waits[nr].wait();
	ckpt_value[0] = ckpt_now_ns(CLOCK_REALTIME);
	ckpt_point();
}

/*
 * 0; or 1: something took so long that one cannot tell whether it is right (it
 * had not begun to wait when it was saved, or did so no more, or had to wait for a
 * processor then), and nothing is left of it; or -1.
 */
static int rest_of_time(struct ckpt_test *t, long ms, bool last)
{
	char image[NR_WAITS][160], arg[32];
	long long start, saved[NR_WAITS], again[NR_WAITS];
	long long whole, rest;
	pid_t pid[NR_WAITS];
	int i, stage, ret = 0;

	for (i = 0; i < NR_WAITS; i++) {
		snprintf(image[i], sizeof(image[i]), "%s.%d", t->image, i);
		snprintf(arg, sizeof(arg), "%d %ld", i, ms);
		pid[i] = ckpt_start(t, "wait_rest", arg);
		if (pid[i] <= 0)
			return -1;
	}
	usleep(ms * 1000 / 2);
	for (i = 0; i < NR_WAITS; i++) {
		if (ckpt_checkpoint(t, pid[i], image[i], 0) <= 0)
			return -1;
		saved[i] = ckpt_now_ns(CLOCK_REALTIME);
		/* Was it over when it was saved? */
		if (ckpt_peek(pid[i], &ckpt_stage, &stage, sizeof(stage)))
			return -1;
		if (stage != 1)
			ret = 1;
		if (ckpt_kill(t, pid[i]))
			return -1;
	}
	if (ret)
		return ret;
	usleep(ms * 1000 / 2);
	for (i = 0; i < NR_WAITS; i++) {
		again[i] = ckpt_now_ns(CLOCK_REALTIME);
		if (ckpt_restart(t, image[i], 0) != pid[i])
			return -1;
	}
	for (i = 0; i < NR_WAITS; i++) {
		if (ckpt_wait_stage(t, pid[i], 2))
			return -1;
		whole = ckpt_peek_value(pid[i], 0) - again[i];
		/* It began a little later, and was saved a little earlier. */
		start = ckpt_peek_value(pid[i], 1);
		rest = ms * MS - (saved[i] - start);
		if (whole < rest - 250 * MS ||
		    (whole > rest + ms * MS * 3 / 8 && last)) {
			ret = ckpt_say("%s: %lld ms were left, waited for %lld ms",
				       waits[i].name, rest / MS, whole / MS);
		} else if (whole > rest + ms * MS * 3 / 8 && !ret) {
			ret = 1;
		}
		if (ckpt_finish(t, pid[i]))
			ret = -1;
	}
	return ret;
}

TEST_F(checkpoint, rest_of_time)
{
	long ms = 1600;
	int ret;

	NOT_DRY();
	/* Who has to wait for a processor needs a longer time to tell from none. */
	while ((ret = rest_of_time(&self->t, ms, ms > 20000)) == 1 && ms <= 20000)
		ms *= 2;
	EXPECT_EQ(0, ret);
}

/* A sleep until some time ends at that time, also when that is over. */
SCENARIO(sleep_until)
{
	struct timespec until;

	NEED(!clock_gettime(CLOCK_REALTIME, &until));
	/* Until then it has to be saved. */
	until.tv_sec += atoi(ckpt_arg);
	ckpt_announce();
	CHECK_EQ(0, clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &until,
				    NULL));
	CHECK(ckpt_now_ns(CLOCK_REALTIME) >=
	      until.tv_sec * 1000 * MS + until.tv_nsec);
}

TEST_F(checkpoint, sleep_until)
{
	char arg[16];
	pid_t pid;

	NOT_DRY();
	snprintf(arg, sizeof(arg), "%d", ckpt_scale() < 1 ? 8 : 4);
	START(pid, sleep_until, arg);
	ASSERT_EQ(0, ckpt_wait_syscall(pid, SYS_clock_nanosleep));
	ASSERT_LT(0, ckpt_checkpoint(&self->t, pid, self->t.image, 0));
	ASSERT_EQ(0, ckpt_kill(&self->t, pid));
	ASSERT_EQ(pid, ckpt_restart(&self->t, self->t.image, 0));
	EXPECT_EQ(0, ckpt_wait(&self->t, pid));
	usleep(400000);
	ASSERT_EQ(pid, ckpt_restart(&self->t, self->t.image, 0));
	EXPECT_EQ(0, ckpt_wait(&self->t, pid));
}

/* --- stopped -------------------------------------------------------------- */

SCENARIO(simple)
{
	static char data[10000];

	ckpt_fill(data, sizeof(data), 7);
	ckpt_point();
	CHECK_FILL(data, sizeof(data), 7);
}

TEST_F(checkpoint, stopped)
{
	char *before, *after;
	int status;
	pid_t pid;

	NOT_DRY();
	START(pid, simple, NULL);
	ASSERT_EQ(0, kill(pid, SIGSTOP));
	ASSERT_EQ(pid, waitpid(pid, &status, WUNTRACED));
	ASSERT_TRUE(WIFSTOPPED(status));
	before = ckpt_snapshot(pid);
	ASSERT_LT(0, ckpt_checkpoint(&self->t, pid, self->t.image, 0));
	/* It was stopped, so it is. */
	EXPECT_EQ(0, ckpt_wait_state(pid, 'T'));
	ASSERT_EQ(0, kill(pid, SIGCONT));
	ASSERT_EQ(0, ckpt_finish(&self->t, pid));

	ASSERT_EQ(pid, ckpt_restart(&self->t, self->t.image, 0));
	EXPECT_EQ(0, ckpt_wait_state(pid, 'T'));
	after = ckpt_snapshot(pid);
	EXPECT_EQ(0, ckpt_compare(before, after));
	usleep(50000);
	EXPECT_EQ(0, ckpt_wait_state(pid, 'T'));
	ASSERT_EQ(0, kill(pid, SIGCONT));
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));
	free(before);
	free(after);
}

TEST_F(checkpoint, stopped_in_read)
{
	int status;
	pid_t pid;

	NOT_DRY();
	START(pid, blocked_in_read, NULL);
	ASSERT_EQ(0, ckpt_wait_syscall(pid, SYS_read));
	ASSERT_EQ(0, kill(pid, SIGSTOP));
	ASSERT_EQ(pid, waitpid(pid, &status, WUNTRACED));
	ASSERT_LT(0, ckpt_checkpoint(&self->t, pid, self->t.image, 0));
	ASSERT_EQ(0, ckpt_kill(&self->t, pid));
	ASSERT_EQ(pid, ckpt_restart(&self->t, self->t.image, 0));
	EXPECT_EQ(0, ckpt_wait_state(pid, 'T'));
	ASSERT_EQ(0, kill(pid, SIGCONT));
	ASSERT_EQ(0, ckpt_wait_syscall(pid, SYS_read));
	ASSERT_EQ(0, ckpt_wake(pid, 4));
	EXPECT_EQ(0, ckpt_wait(&self->t, pid));
}

TEST_F(checkpoint, restart_stopped)
{
	pid_t pid;

	NOT_DRY();
	START(pid, simple, NULL);
	ASSERT_LT(0, ckpt_checkpoint(&self->t, pid, self->t.image, 0));
	ASSERT_EQ(0, ckpt_kill(&self->t, pid));
	ASSERT_EQ(pid, ckpt_restart(&self->t, self->t.image, RESTART_STOPPED));
	EXPECT_EQ(0, ckpt_wait_state(pid, 'T'));
	ASSERT_EQ(0, ckpt_go(pid));
	usleep(50000);
	EXPECT_EQ(0, ckpt_wait_state(pid, 'T'));
	ASSERT_EQ(0, kill(pid, SIGCONT));
	EXPECT_EQ(0, ckpt_wait(&self->t, pid));
}

/* A stopped one can be killed. */
TEST_F(checkpoint, restart_stopped_kill)
{
	pid_t pid;

	NOT_DRY();
	START(pid, simple, NULL);
	ASSERT_LT(0, ckpt_checkpoint(&self->t, pid, self->t.image, 0));
	ASSERT_EQ(0, ckpt_kill(&self->t, pid));
	ASSERT_EQ(pid, ckpt_restart(&self->t, self->t.image, RESTART_STOPPED));
	EXPECT_EQ(0, ckpt_kill(&self->t, pid));
}

/* --- oneself -------------------------------------------------------------- */

/*
 * Returns like fork. What the first one does after the checkpoint is not in
 * the image.
 */
SCENARIO(self)
{
	static char data[10000];
	long ret;
	int fd;

	ckpt_fill(data, sizeof(data), 1);
	fd = open("self.image", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	NEED(fd >= 0);
	ret = ckpt_dry() ? 1 : ckpt_sys_checkpoint(0, fd, 0);
	CHECK_SAY(ret >= 0, "checkpoint of oneself: %s", strerror(-ret));
	CHECK_FILL(data, sizeof(data), 1);
	/* The image is not a part of itself. */
	CHECK_EQ(ret ? FD_CLOEXEC : -1, fcntl(fd, F_GETFD));
	close(fd);
	ckpt_fill(data, sizeof(data), 2);
	ckpt_value[0] = ret;
	ckpt_value[1]++;
	ckpt_point();
	CHECK_EQ(1, ckpt_value[1]);
	CHECK_FILL(data, sizeof(data), 2);
}

TEST_F(checkpoint, self)
{
	char image[200];
	pid_t pid;

	NOT_DRY();
	START(pid, self, NULL);
	snprintf(image, sizeof(image), "%s/self.image", self->t.run);
	EXPECT_LT(0, ckpt_peek_value(pid, 0));
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));
	ASSERT_EQ(pid, ckpt_restart(&self->t, image, 0));
	ASSERT_EQ(0, ckpt_wait_stage(&self->t, pid, 1));
	EXPECT_EQ(0, ckpt_peek_value(pid, 0));
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));
}

/* Undo: memory, file offset and signal mask go back, the pid stays. */
SCENARIO(undo)
{
	static char data[10000];
	sigset_t mask, now;
	pid_t pid = getpid();
	int fd, file, rounds;
	long ret;

	sigemptyset(&mask);
	NEED((file = open("file", O_RDWR | O_CREAT, 0600)) >= 0);
	NEED(write(file, "0123456789", 10) == 10);
	NEED(lseek(file, 3, SEEK_SET) == 3);
	ckpt_fill(data, sizeof(data), 1);
	NEED((fd = open("self.image", O_WRONLY | O_CREAT | O_CLOEXEC, 0600)) >= 0);
	ret = ckpt_sys_checkpoint(0, fd, 0);
	NEED(ret >= 0);
	close(fd);
	CHECK_EQ(pid, syscall(SYS_getpid));
	CHECK_EQ(3, lseek(file, 0, SEEK_CUR));
	CHECK_FILL(data, sizeof(data), 1);
	NEED(!sigprocmask(SIG_BLOCK, NULL, &now));
	CHECK_EQ(0, sigismember(&now, SIGUSR1));
	/* What survives an undo is in the file system only. */
	rounds = open("rounds", O_WRONLY | O_CREAT | O_APPEND, 0600);
	NEED(rounds >= 0 && write(rounds, ret ? "c" : "r", 1) == 1);
	if (lseek(rounds, 0, SEEK_END) < 4) {
		close(rounds);
		ckpt_fill(data, sizeof(data), 2);
		lseek(file, 7, SEEK_SET);
		sigaddset(&mask, SIGUSR1);
		NEED(!sigprocmask(SIG_BLOCK, &mask, NULL));
		NEED((fd = open("self.image", O_RDONLY | O_CLOEXEC)) >= 0);
		ret = ckpt_sys_restart(0, fd, RESTART_SELF);
		ckpt_target_fail(__FILE__, __LINE__, "restart of oneself: %s",
				 strerror(-ret));
		ckpt_target_die();
	}
	ckpt_value[0] = ret;
	ckpt_point();
}

TEST_F(checkpoint, undo)
{
	char path[200], *rounds;
	pid_t pid;

	NOT_DRY();
	START(pid, undo, NULL);
	EXPECT_EQ(0, ckpt_peek_value(pid, 0));
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));
	snprintf(path, sizeof(path), "%s/rounds", self->t.run);
	rounds = ckpt_read_file(path, NULL);
	EXPECT_STREQ("crrr", rounds ?: "");
	free(rounds);
}

/* A restart of oneself that fails leaves oneself. */
SCENARIO(undo_fails)
{
	static char data[10000];
	long ret;
	int fd, cut;

	ckpt_fill(data, sizeof(data), 1);
	NEED((fd = open("self.image", O_RDWR | O_CREAT | O_CLOEXEC, 0600)) >= 0);
	ret = ckpt_sys_checkpoint(0, fd, 0);
	CHECK(ret > 0);
	ckpt_fill(data, sizeof(data), 2);
	for (cut = 1; cut < 8192; cut *= 2) {
		NEED(!ftruncate(fd, lseek(fd, 0, SEEK_END) - cut));
		NEED(!lseek(fd, 0, SEEK_SET));
		CHECK(ckpt_sys_restart(0, fd, RESTART_SELF) < 0);
		CHECK_FILL(data, sizeof(data), 2);
	}
	ckpt_point();
	CHECK_FILL(data, sizeof(data), 2);
}

TEST_F(checkpoint, undo_fails)
{
	pid_t pid;

	NOT_DRY();
	START(pid, undo_fails, NULL);
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));
}

/*
 * What a replaced caller had set up by addresses in its memory goes with that
 * memory: in the memory that comes back the selector says "block".
 */
SCENARIO(undo_user_dispatch)
{
	static volatile char selector = 1;	/* SYSCALL_DISPATCH_FILTER_BLOCK */
	long ret;
	int fd;

	NEED((fd = open("self.image", O_RDWR | O_CREAT | O_CLOEXEC, 0600)) >= 0);
	ret = ckpt_sys_checkpoint(0, fd, 0);
	NEED(ret >= 0);
	if (ret) {
		selector = 0;
		NEED(!lseek(fd, 0, SEEK_SET));
		if (prctl(PR_SET_SYSCALL_USER_DISPATCH,
			  PR_SYS_DISPATCH_ON, 0, 0, &selector))
			ckpt_skip("no syscall user dispatch");
		ret = ckpt_sys_restart(0, fd, RESTART_SELF);
		ckpt_target_fail(__FILE__, __LINE__, "restart of oneself: %s",
				 strerror(-ret));
		ckpt_target_die();
	}
	CHECK_EQ(1, selector);
	CHECK_EQ(getpid(), syscall(SYS_getpid));
	ckpt_point();
}

TEST_F(checkpoint, undo_user_dispatch)
{
	pid_t pid;

	NOT_DRY();
	START(pid, undo_user_dispatch, NULL);
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));
}

/* --- pids ----------------------------------------------------------------- */

SCENARIO(pid_value)
{
	ckpt_point();
	ckpt_value[0] = syscall(SYS_getpid);
	ckpt_value[1] = syscall(SYS_gettid);
	ckpt_value[2] = getpgid(0);
	ckpt_value[3] = getsid(0);
	ckpt_point();
}

TEST_F(checkpoint, fresh_pids)
{
	pid_t pid, fresh[3];
	int i;

	NOT_DRY();
	START(pid, pid_value, NULL);
	ASSERT_LT(0, ckpt_checkpoint(&self->t, pid, self->t.image, 0));
	/* The original lives; its pid is taken. */
	ASSERT_GT(0, ckpt_restart(&self->t, self->t.image, 0));
	EXPECT_LT(0, (long)self->t.log_len);
	for (i = 0; i < 3; i++) {
		fresh[i] = ckpt_restart(&self->t, self->t.image,
					RESTART_FRESH_PIDS);
		ASSERT_LT(0, fresh[i]);
		EXPECT_NE(pid, fresh[i]);
	}
	EXPECT_NE(fresh[0], fresh[1]);
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, ckpt_go(fresh[i]));
		ASSERT_EQ(0, ckpt_wait_stage(&self->t, fresh[i], 2));
		EXPECT_EQ(fresh[i], ckpt_peek_value(fresh[i], 0));
		EXPECT_EQ(fresh[i], ckpt_peek_value(fresh[i], 1));
		EXPECT_EQ(fresh[i], ckpt_peek_value(fresh[i], 2));
		EXPECT_EQ(fresh[i], ckpt_peek_value(fresh[i], 3));
		EXPECT_EQ(0, ckpt_finish(&self->t, fresh[i]));
	}
	ASSERT_EQ(0, ckpt_go(pid));
	ASSERT_EQ(0, ckpt_wait_stage(&self->t, pid, 2));
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));
}

ROUNDTRIP_OPT(fresh_roundtrip, CKPT_RT_FRESH | CKPT_RT_ONCE)
{
	static char data[20000];

	ckpt_fill(data, sizeof(data), 4);
	ckpt_point();
	CHECK_FILL(data, sizeof(data), 4);
}

TEST_F(checkpoint, restart_twice)
{
	pid_t pid;
	int i;

	NOT_DRY();
	START(pid, simple, NULL);
	ASSERT_LT(0, ckpt_checkpoint(&self->t, pid, self->t.image, 0));
	ASSERT_EQ(0, ckpt_kill(&self->t, pid));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(pid, ckpt_restart(&self->t, self->t.image, 0));
		EXPECT_EQ(0, ckpt_finish(&self->t, pid));
	}
}

/* The new one is our child in every way. */
TEST_F(checkpoint, child_of_caller)
{
	siginfo_t info = {};
	pid_t pid;

	NOT_DRY();
	START(pid, simple, NULL);
	ASSERT_LT(0, ckpt_checkpoint(&self->t, pid, self->t.image, 0));
	ASSERT_EQ(0, ckpt_kill(&self->t, pid));
	ASSERT_EQ(pid, ckpt_restart(&self->t, self->t.image, 0));
	ASSERT_EQ(0, waitid(P_PID, pid, &info, WEXITED | WNOHANG));
	EXPECT_EQ(0, info.si_pid);
	ASSERT_EQ(0, kill(pid, SIGKILL));
	ASSERT_EQ(0, waitid(P_PID, pid, &info, WEXITED));
	ckpt_forget(&self->t, pid);
	EXPECT_EQ(pid, info.si_pid);
	EXPECT_EQ(CLD_KILLED, info.si_code);
	EXPECT_EQ(SIGCHLD, info.si_signo);
}

/* --- to the program it is as if nothing had happened ---------------------- */

/* Ever new system calls of all sorts; none may fail, nothing may be lost. */
SCENARIO(busy)
{
	struct timespec ts = { 0, 300000 };
	struct pollfd pfd = { .events = POLLIN };
	unsigned long sent = 0, got = 0;
	unsigned long word;
	int ends[2];

	on_signal(SIGCONT, 0);
	NEED(!pipe(ends));
	pfd.fd = ends[0];
	ckpt_announce();
	while (ckpt_allowed < 1) {
		sent++;
		NEED(write(ends[1], &sent, sizeof(sent)) == sizeof(sent));
		NEED(poll(&pfd, 1, 100) == 1);
		NEED(read(ends[0], &word, sizeof(word)) == sizeof(word));
		NEED(word == ++got);
		NEED(poll(&pfd, 1, 1) == 0);
		NEED(!nanosleep(&ts, NULL));
		ckpt_value[0] = got;
	}
	CHECK_EQ(0, handled);
}

TEST_F(checkpoint, many_while_running)
{
	long seen, last = 0;
	pid_t pid;
	int i, ms;

	NOT_DRY();
	START(pid, busy, NULL);
	for (i = 0; i < 60; i++) {
		ASSERT_LT(0, ckpt_checkpoint(&self->t, pid, self->t.image, 0));
		usleep(i * 37 % 1000);
		if (i % 10)
			continue;
		for (ms = 0; ms < 10000; ms++) {
			seen = ckpt_peek_value(pid, 0);
			if (seen > last)
				break;
			usleep(1000);
		}
		ASSERT_LT(last, seen);
		last = seen;
	}
	/* And so does the last image. */
	ASSERT_EQ(0, ckpt_finish(&self->t, pid));
	ASSERT_EQ(pid, ckpt_restart(&self->t, self->t.image, 0));
	seen = ckpt_peek_value(pid, 0);
	EXPECT_LE(last, seen);
	for (ms = 0; ms < 10000 && ckpt_peek_value(pid, 0) < seen + 3; ms++)
		usleep(1000);
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));
}

/* The parent hears nothing of a checkpoint. */
TEST_F(checkpoint, parent_sees_nothing)
{
	siginfo_t info = {};
	pid_t pid;

	NOT_DRY();
	START(pid, simple, NULL);
	ASSERT_LT(0, ckpt_checkpoint(&self->t, pid, self->t.image, 0));
	ASSERT_EQ(0, waitid(P_PID, pid, &info, WEXITED | WSTOPPED | WCONTINUED |
					       WNOHANG));
	EXPECT_EQ(0, info.si_pid);
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));
}

/* --- descriptors for the image -------------------------------------------- */

/* Copies in a child until the end; returns its pid. */
static pid_t copy_child(int from, int to, int close_also, size_t chunk)
{
	char buf[65536];
	ssize_t got, put, done;
	pid_t pid;

	pid = fork();
	if (pid)
		return pid;
	if (close_also >= 0)
		close(close_also);
	while ((got = read(from, buf, chunk)) > 0) {
		for (done = 0; done < got; done += put) {
			put = write(to, buf + done, got - done);
			if (put <= 0)
				_exit(1);
		}
	}
	_exit(got < 0);
}

static int reap(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Checkpoint into and restart from a pair of descriptors. */
static int through(struct ckpt_test *t, bool sock, size_t chunk)
{
	int pair[2], file, ret = -1;
	pid_t pid, copier;

	pid = ckpt_start(t, "simple", NULL);
	if (pid <= 0)
		return -1;
	file = open(t->image, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (file < 0)
		return -1;
	if (sock ? socketpair(AF_UNIX, SOCK_STREAM, 0, pair) : pipe(pair))
		return -1;
	copier = copy_child(pair[0], file, pair[1], chunk);
	close(pair[0]);
	if (ckpt_checkpoint_fd(t, pid, pair[1], 0) <= 0) {
		ckpt_say("the checkpoint failed");
		ckpt_show_log(t);
		return -1;
	}
	close(pair[1]);
	if (reap(copier) || ckpt_kill(t, pid))
		return -1;
	lseek(file, 0, SEEK_SET);
	if (sock ? socketpair(AF_UNIX, SOCK_STREAM, 0, pair) : pipe(pair))
		return -1;
	copier = copy_child(file, pair[1], pair[0], chunk);
	close(pair[1]);
	if (ckpt_restart_fd(t, pair[0], 0) != pid) {
		ckpt_say("the restart failed");
		ckpt_show_log(t);
	} else {
		ret = ckpt_finish(t, pid);
	}
	close(pair[0]);
	if (reap(copier))
		ret = -1;
	close(file);
	return ret;
}

TEST_F(checkpoint, through_pipe)
{
	NOT_DRY();
	EXPECT_EQ(0, through(&self->t, false, 65536));
	EXPECT_EQ(0, through(&self->t, false, 1021));
}

TEST_F(checkpoint, through_socket)
{
	NOT_DRY();
	EXPECT_EQ(0, through(&self->t, true, 65536));
	EXPECT_EQ(0, through(&self->t, true, 1021));
}

/* From one pipe into the other: no copy between them. */
TEST_F(checkpoint, straight_through_pipe)
{
	int pair[2], status;
	pid_t pid, saver;

	NOT_DRY();
	START(pid, simple, NULL);
	ASSERT_EQ(0, pipe(pair));
	saver = fork();
	ASSERT_LE(0, saver);
	if (!saver)
		_exit(ckpt_sys_checkpoint(pid, pair[1], 0) <= 0);
	close(pair[1]);
	pid = ckpt_restart_fd(&self->t, pair[0], RESTART_FRESH_PIDS);
	EXPECT_LT(0, pid)
		ckpt_show_log(&self->t);
	ASSERT_EQ(saver, waitpid(saver, &status, 0));
	EXPECT_EQ(0, status);
	ASSERT_LT(0, pid);
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));
}

/*
 * The image goes to where the descriptor stands, and restart reads from where
 * it stands, exactly one image.
 */
TEST_F(checkpoint, two_images_in_one_file)
{
	pid_t first, second;
	off_t end1, end2;
	int fd;

	NOT_DRY();
	fd = open(self->t.image, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	ASSERT_LE(0, fd);
	ASSERT_EQ(5, write(fd, "front", 5));
	START(first, spinning, NULL);
	START(second, simple, NULL);
	ASSERT_LT(0, ckpt_checkpoint_fd(&self->t, first, fd, 0));
	end1 = lseek(fd, 0, SEEK_CUR);
	ASSERT_LT(0, ckpt_checkpoint_fd(&self->t, second, fd, 0));
	end2 = lseek(fd, 0, SEEK_CUR);
	EXPECT_LT(end1, end2);
	EXPECT_EQ(end2, ckpt_file_size(self->t.image));
	ASSERT_EQ(0, ckpt_kill(&self->t, first));
	ASSERT_EQ(0, ckpt_kill(&self->t, second));
	ASSERT_EQ(5, lseek(fd, 5, SEEK_SET));
	ASSERT_EQ(first, ckpt_restart_fd(&self->t, fd, 0));
	EXPECT_EQ(end1, lseek(fd, 0, SEEK_CUR));
	ASSERT_EQ(second, ckpt_restart_fd(&self->t, fd, 0));
	EXPECT_EQ(end2, lseek(fd, 0, SEEK_CUR));
	EXPECT_EQ(0, ckpt_finish(&self->t, second));
	close(fd);
}

/*
 * Somebody truncates the image, in a tmpfs, while it is read, and writes it
 * again. What is there is right at any time, if it is there.
 */
static pid_t truncator(const char *path, const char *image, size_t len)
{
	int slow = atoi(getenv("SLOW") ?: "1"), fd;
	unsigned int random = 1;
	size_t at;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid)
		return pid;
	fd = open(path, O_WRONLY | O_CLOEXEC);
	for (;;) {
		random = random * 1103515245 + 12345;
		at = (random >> 8) % len & ~4095UL;
		if (ftruncate(fd, at) ||
		    pwrite(fd, image + at, len - at, at) != (ssize_t)(len - at))
			_exit(1);
		/* So that some restarts come to their end. */
		usleep((random >> 8 & 2047) * slow);
	}
}

TEST_F(checkpoint, truncated_while_read)
{
	char path[] = "/dev/shm/ckpt-image.XXXXXX", *image;
	int i, fd, tries = 400 * ckpt_scale(), restarted = 0, good = 0;
	pid_t pid, other;
	size_t len;
	long ret;

	NOT_DRY();
	START(pid, big, NULL);
	ASSERT_LT(0, ckpt_checkpoint(&self->t, pid, self->t.image, 0));
	ASSERT_EQ(0, ckpt_kill(&self->t, pid));
	image = ckpt_read_file(self->t.image, &len);
	ASSERT_NE(NULL, image);
	fd = mkstemp(path);
	if (fd < 0)
		SKIP(return, "%s: %s", path, strerror(errno));
	EXPECT_EQ((ssize_t)len, write(fd, image, len));
	other = truncator(path, image, len);
	EXPECT_LT(0, other);
	for (i = 0; i < tries; i++) {
		lseek(fd, 0, SEEK_SET);
		ret = ckpt_restart_fd(&self->t, fd, RESTART_FRESH_PIDS);
		if (ret > 0) {
			restarted++;
			good += !ckpt_finish(&self->t, ret);
			continue;
		}
		/*
		 * Mostly it is cut off. But what is cut off and is there again a
		 * moment later can be read as zeros.
		 */
		EXPECT_EQ(-EINVAL, ret);
		EXPECT_TRUE(ckpt_is_first_error(&self->t, ret))
			ckpt_show_log(&self->t);
		EXPECT_FALSE(waitpid(other, NULL, WNOHANG));
	}
	TH_LOG("%d of %d restarted, %d content", restarted, tries, good);
	EXPECT_LE(restarted / 2, good);
	kill(other, SIGKILL);
	waitpid(other, NULL, 0);
	close(fd);
	unlink(path);
	free(image);
}

TEST_F(checkpoint, append)
{
	int fd, in;
	pid_t pid;

	NOT_DRY();
	ASSERT_EQ(0, ckpt_write_file(self->t.image, "front"));
	fd = open(self->t.image, O_WRONLY | O_APPEND | O_CLOEXEC);
	ASSERT_LE(0, fd);
	START(pid, simple, NULL);
	ASSERT_LT(0, ckpt_checkpoint_fd(&self->t, pid, fd, 0));
	close(fd);
	ASSERT_EQ(0, ckpt_kill(&self->t, pid));
	in = open(self->t.image, O_RDONLY | O_CLOEXEC);
	ASSERT_EQ(5, lseek(in, 5, SEEK_SET));
	ASSERT_EQ(pid, ckpt_restart_fd(&self->t, in, 0));
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));
	close(in);
}

/* --- errors while writing ------------------------------------------------- */

SCENARIO(big)
{
	const size_t size = 2 << 20;
	char *mem;

	mem = mmap(NULL, size, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	NEED(mem != MAP_FAILED);
	ckpt_fill(mem, size, 5);
	ckpt_point();
	CHECK_FILL(mem, size, 5);
}

TEST_F(checkpoint, disk_full)
{
	char dir[128], path[160], *before, *after;
	pid_t pid;
	int fd;

	NOT_DRY();
	snprintf(dir, sizeof(dir), "%s/small", self->t.dir);
	ASSERT_EQ(0, mkdir(dir, 0755));
	if (mount("small", dir, "tmpfs", 0, "size=256k"))
		SKIP(return, "cannot mount a tmpfs: %s", strerror(errno));
	snprintf(path, sizeof(path), "%s/image", dir);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	EXPECT_LE(0, fd);
	pid = ckpt_start(&self->t, "big", NULL);
	EXPECT_LT(0, pid);
	before = ckpt_snapshot(pid);
	EXPECT_EQ(-ENOSPC, ckpt_checkpoint_fd(&self->t, pid, fd, 0));
	EXPECT_TRUE(ckpt_reason(&self->t, ENOSPC, NULL, -1, 0, NULL))
		ckpt_show_log(&self->t);
	close(fd);
	after = ckpt_snapshot(pid);
	EXPECT_EQ(0, ckpt_compare(before, after));
	/* What was written is not taken for an image. */
	fd = open(path, O_RDONLY | O_CLOEXEC);
	EXPECT_GT(0, ckpt_restart_fd(&self->t, fd, RESTART_FRESH_PIDS));
	close(fd);
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));
	EXPECT_EQ(0, umount(dir));
	free(before);
	free(after);
}

TEST_F(checkpoint, broken_pipe)
{
	int pair[2];
	pid_t pid;

	NOT_DRY();
	signal(SIGPIPE, SIG_IGN);
	START(pid, big, NULL);
	ASSERT_EQ(0, pipe(pair));
	close(pair[0]);
	EXPECT_EQ(-EPIPE, ckpt_checkpoint_fd(&self->t, pid, pair[1], 0));
	close(pair[1]);
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));
}

/* The pipe breaks in the middle: of metadata, of pages, near the end. */
TEST_F(checkpoint, breaking_pipe)
{
	static const size_t amounts[] = { 1, 30000, 300001, 1 << 20, 2000000 };
	static char buf[2000000];
	pid_t pid, reader;
	unsigned int i;
	int pair[2];

	NOT_DRY();
	signal(SIGPIPE, SIG_IGN);
	START(pid, big, NULL);
	for (i = 0; i < ARRAY_SIZE(amounts); i++) {
		ASSERT_EQ(0, pipe(pair));
		/* So that what it holds is not all of the rest. */
		ASSERT_LT(0, fcntl(pair[1], F_SETPIPE_SZ, 4096));
		fflush(stdout);
		reader = fork();
		ASSERT_LE(0, reader);
		if (!reader) {
			size_t done = 0;
			ssize_t got;

			close(pair[1]);
			while (done < amounts[i]) {
				got = read(pair[0], buf + done,
					   amounts[i] - done);
				if (got <= 0)
					_exit(1);
				done += got;
			}
			_exit(0);
		}
		close(pair[0]);
		EXPECT_EQ(-EPIPE, ckpt_checkpoint_fd(&self->t, pid, pair[1], 0));
		close(pair[1]);
		EXPECT_EQ(0, reap(reader));
	}
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));
}

/* Who does not want to wait gets an error, but when the pipe is big enough. */
TEST_F(checkpoint, pipe_without_waiting)
{
	int pair[2];
	pid_t pid;

	NOT_DRY();
	START(pid, big, NULL);
	ASSERT_EQ(0, pipe2(pair, O_NONBLOCK | O_CLOEXEC));
	EXPECT_EQ(-EAGAIN, ckpt_checkpoint_fd(&self->t, pid, pair[1], 0));
	/* What is in there is not taken for an image. */
	close(pair[1]);
	EXPECT_GT(0, ckpt_restart_fd(&self->t, pair[0], RESTART_FRESH_PIDS));
	close(pair[0]);
	ASSERT_EQ(0, pipe2(pair, O_NONBLOCK | O_CLOEXEC));
	if (fcntl(pair[1], F_SETPIPE_SZ, 4 << 20) < 0) {
		EXPECT_EQ(0, ckpt_finish(&self->t, pid));
		SKIP(return, "no pipe of 4 MB");
	}
	ASSERT_LT(0, ckpt_checkpoint_fd(&self->t, pid, pair[1], 0));
	ASSERT_EQ(0, ckpt_kill(&self->t, pid));
	ASSERT_EQ(pid, ckpt_restart_fd(&self->t, pair[0], 0));
	close(pair[0]);
	close(pair[1]);
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));
}

TEST_F(checkpoint, file_too_big)
{
	struct rlimit old, small = { 100000, RLIM_INFINITY };
	pid_t pid;
	int fd;
	long ret;

	NOT_DRY();
	signal(SIGXFSZ, SIG_IGN);
	START(pid, big, NULL);
	fd = open(self->t.image, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, getrlimit(RLIMIT_FSIZE, &old));
	ASSERT_EQ(0, setrlimit(RLIMIT_FSIZE, &small));
	ret = ckpt_checkpoint_fd(&self->t, pid, fd, 0);
	ASSERT_EQ(0, setrlimit(RLIMIT_FSIZE, &old));
	EXPECT_EQ(-EFBIG, ret);
	close(fd);
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));
}

SCENARIO(many_mappings)
{
	const int nr = 2000;
	char *mem;
	int i;

	mem = mmap(NULL, nr * 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		   0);
	NEED(mem != MAP_FAILED);
	for (i = 0; i < nr; i += 2)
		NEED(!mprotect(mem + i * 4096, 4096, PROT_READ | PROT_WRITE));
	ckpt_point();
}

/*
 * The first error ends it: nothing is written behind what is missing, neither
 * of the other mappings, nor a record that says why; and there is one reason.
 */
TEST_F(checkpoint, error_ends_metadata)
{
	int out, other;
	char buf[20000];
	pid_t pid;

	NOT_DRY();
	START(pid, many_mappings, NULL);
	out = ckpt_fails_once(&other);
	ASSERT_LE(0, out);
	EXPECT_EQ(-ECONNRESET, ckpt_checkpoint_fd(&self->t, pid, out, 0));
	EXPECT_EQ(-1, recv(other, buf, sizeof(buf), MSG_DONTWAIT));
	EXPECT_TRUE(ckpt_reason(&self->t, ECONNRESET, NULL, -1, 0, NULL));
	EXPECT_EQ(self->t.log + self->t.log_len - 1, strchr(self->t.log, '\n'))
		ckpt_show_log(&self->t);
	/* It does fail only once. */
	EXPECT_EQ(1, write(out, "x", 1));
	EXPECT_EQ(1, recv(other, buf, sizeof(buf), MSG_DONTWAIT));
	close(out);
	close(other);
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));
}

/* --- somebody dies in the middle ------------------------------------------ */

/* A child that checkpoints into a pipe that nobody reads; it blocks there. */
static pid_t blocked_saver(pid_t pid, int out)
{
	pid_t saver = fork();

	if (saver)
		return saver;
	signal(SIGALRM, SIG_DFL);
	_exit(ckpt_sys_checkpoint(pid, out, 0) > 0 ? 0 : 1);
}

static long progress(pid_t pid)
{
	long before = ckpt_peek_value(pid, 0), now = before;
	int ms;

	for (ms = 0; ms < 10000 && now <= before; ms++) {
		usleep(1000);
		now = ckpt_peek_value(pid, 0);
	}
	return now - before;
}

static int settle(pid_t saver)
{
	if (ckpt_wait_syscall(saver, __NR_checkpoint))
		return -1;
	usleep(30000);
	return ckpt_wait_syscall(saver, __NR_checkpoint);
}

SCENARIO(busy_big)
{
	const size_t size = 1 << 20;
	char *mem;

	mem = mmap(NULL, size, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	NEED(mem != MAP_FAILED);
	ckpt_fill(mem, size, 6);
	ckpt_announce();
	while (ckpt_allowed < 1) {
		ckpt_value[0]++;
		usleep(100);
	}
	CHECK_FILL(mem, size, 6);
}

TEST_F(checkpoint, saver_is_killed)
{
	pid_t pid, saver;
	int pair[2];

	NOT_DRY();
	START(pid, busy_big, NULL);
	ASSERT_EQ(0, pipe(pair));
	saver = blocked_saver(pid, pair[1]);
	ASSERT_LT(0, saver);
	EXPECT_EQ(0, settle(saver));
	EXPECT_EQ(0, kill(saver, SIGKILL));
	EXPECT_EQ(-1, reap(saver));
	EXPECT_LT(0, progress(pid));
	close(pair[0]);
	close(pair[1]);
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));
}

TEST_F(checkpoint, target_is_killed)
{
	pid_t pid, saver;
	char buf[65536];
	int pair[2];

	NOT_DRY();
	START(pid, busy_big, NULL);
	ASSERT_EQ(0, pipe(pair));
	saver = blocked_saver(pid, pair[1]);
	ASSERT_LT(0, saver);
	close(pair[1]);
	EXPECT_EQ(0, settle(saver));
	EXPECT_EQ(0, ckpt_kill(&self->t, pid));
	/* Now it can write: it says how it ends, and it ends. */
	while (read(pair[0], buf, sizeof(buf)) > 0)
		;
	EXPECT_LE(0, reap(saver));
	close(pair[0]);
}

/* A target that is held can be stopped and continued in the meantime. */
TEST_F(checkpoint, signals_while_held)
{
	pid_t pid, saver;
	char buf[65536];
	int pair[2], status;

	NOT_DRY();
	START(pid, busy_big, NULL);
	ASSERT_EQ(0, pipe(pair));
	saver = blocked_saver(pid, pair[1]);
	ASSERT_LT(0, saver);
	close(pair[1]);
	EXPECT_EQ(0, settle(saver));
	EXPECT_EQ(0, kill(pid, SIGSTOP));
	EXPECT_EQ(0, kill(pid, SIGCONT));
	EXPECT_EQ(0, kill(pid, SIGSTOP));
	while (read(pair[0], buf, sizeof(buf)) > 0)
		;
	EXPECT_EQ(0, reap(saver));
	close(pair[0]);
	ASSERT_EQ(pid, waitpid(pid, &status, WUNTRACED));
	EXPECT_TRUE(WIFSTOPPED(status));
	EXPECT_EQ(0, kill(pid, SIGCONT));
	EXPECT_LT(0, progress(pid));
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));
}

/* Two at the same time: each gets an image or an error, none gets stuck. */
TEST_F(checkpoint, two_savers)
{
	pid_t pid, saver[4];
	int i, good = 0;

	NOT_DRY();
	START(pid, busy_big, NULL);
	for (i = 0; i < 4; i++) {
		saver[i] = fork();
		ASSERT_LE(0, saver[i]);
		if (!saver[i]) {
			int n, ok = 0, fd = open("/tmp", O_TMPFILE | O_RDWR, 0600);

			for (n = 0; n < 10; n++)
				ok += ckpt_sys_checkpoint(pid, fd, 0) > 0;
			_exit(!ok);
		}
	}
	for (i = 0; i < 4; i++)
		good += !reap(saver[i]);
	EXPECT_LT(0, good);
	EXPECT_LT(0, progress(pid));
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));
}

/* --- flags ---------------------------------------------------------------- */

TEST_F(checkpoint, dry_run)
{
	pid_t pid;
	int fd;

	NOT_DRY();
	START(pid, simple, NULL);
	EXPECT_EQ(0, ckpt_checkpoint_fd(&self->t, pid, -1, CHECKPOINT_DRY_RUN));
	EXPECT_EQ(0, (long)self->t.log_len)
		ckpt_show_log(&self->t);
	/* It takes no descriptor, and kills nobody. */
	fd = open(self->t.image, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-EINVAL, ckpt_sys_checkpoint(pid, fd, CHECKPOINT_DRY_RUN));
	EXPECT_EQ(-EINVAL, ckpt_sys_checkpoint(pid, -1, CHECKPOINT_DRY_RUN |
							CHECKPOINT_KILL));
	EXPECT_EQ(0, ckpt_file_size(self->t.image));
	close(fd);
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));
}

TEST_F(checkpoint, kill_flag)
{
	siginfo_t info = {};
	pid_t pid;

	NOT_DRY();
	START(pid, busy, NULL);
	ASSERT_LT(0, ckpt_checkpoint(&self->t, pid, self->t.image,
				     CHECKPOINT_KILL));
	ASSERT_EQ(0, waitid(P_PID, pid, &info, WEXITED));
	ckpt_forget(&self->t, pid);
	EXPECT_EQ(CLD_KILLED, info.si_code);
	EXPECT_EQ(SIGKILL, info.si_status);
	ASSERT_EQ(pid, ckpt_restart(&self->t, self->t.image, 0));
	EXPECT_LT(0, progress(pid));
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));
}

/* Only a complete image kills. */
TEST_F(checkpoint, kill_flag_error)
{
	int pair[2];
	pid_t pid;

	NOT_DRY();
	signal(SIGPIPE, SIG_IGN);
	START(pid, busy_big, NULL);
	ASSERT_EQ(0, pipe(pair));
	close(pair[0]);
	EXPECT_EQ(-EPIPE, ckpt_checkpoint_fd(&self->t, pid, pair[1],
					     CHECKPOINT_KILL));
	close(pair[1]);
	EXPECT_LT(0, progress(pid));
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));
}

TEST_F(checkpoint, query)
{
	char *text;
	int fd;

	NOT_DRY();
	fd = open(self->t.image, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	ASSERT_LE(0, fd);
	EXPECT_EQ(CHECKPOINT_ABI_VERSION,
		  ckpt_sys_checkpoint(0, fd, CHECKPOINT_QUERY));
	close(fd);
	text = ckpt_read_file(self->t.image, NULL);
	ASSERT_NE(NULL, text);
	EXPECT_NE(NULL, strstr(text, "socket"));
	EXPECT_NE(NULL, strstr(text, "pipe"));
	free(text);
	EXPECT_EQ(-EINVAL, ckpt_sys_checkpoint(1, -1, CHECKPOINT_QUERY));
}

TEST_F(checkpoint, bad_arguments)
{
	int fd, dir, rdonly, path;
	pid_t pid;

	NOT_DRY();
	START(pid, simple, NULL);
	fd = open(self->t.image, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	dir = open(self->t.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	rdonly = open(self->t.image, O_RDONLY | O_CLOEXEC);
	path = open(self->t.image, O_PATH | O_CLOEXEC);
	ASSERT_LE(0, path);

	EXPECT_EQ(-EINVAL, ckpt_sys_checkpoint(pid, fd, 1UL << 31));
	EXPECT_EQ(-EINVAL, ckpt_sys_checkpoint(pid, fd, 1UL << 20));
	EXPECT_EQ(-EBADF, ckpt_sys_checkpoint(pid, 999, 0));
	EXPECT_EQ(-EBADF, ckpt_sys_checkpoint(pid, rdonly, 0));
	EXPECT_EQ(-EBADF, ckpt_sys_checkpoint(pid, path, 0));
	EXPECT_GT(0, ckpt_sys_checkpoint(pid, dir, 0));
	EXPECT_EQ(-EBADF, ckpt_sys_checkpoint(pid, -2, 0));
	EXPECT_EQ(-EBADF, ckpt_sys_checkpoint(pid, fd, CHECKPOINT_LOG_FD(999)));
	EXPECT_EQ(-EBADF, ckpt_sys_checkpoint(pid, fd, CHECKPOINT_LOG_FD(rdonly)));
	EXPECT_EQ(-ESRCH, ckpt_sys_checkpoint(0x3ffffff, fd, 0));
	EXPECT_GT(0, ckpt_sys_checkpoint(-pid, fd, 0));
	EXPECT_GT(0, ckpt_sys_checkpoint(-1, fd, 0));
	EXPECT_GT(0, ckpt_sys_checkpoint(2, fd, 0));	/* a kernel thread */

	EXPECT_EQ(-EINVAL, ckpt_sys_restart(0, fd, 1UL << 31));
	EXPECT_EQ(-EINVAL, ckpt_sys_restart(0, fd, 1UL << 20));
	EXPECT_EQ(-EINVAL, ckpt_sys_restart(1, fd, 0));
	EXPECT_EQ(-EINVAL, ckpt_sys_restart(0, -1, 0));
	EXPECT_GT(0, ckpt_sys_restart(-1, -1, 0));
	EXPECT_GT(0, ckpt_sys_restart(0x7ffffff, -1, 0));
	EXPECT_EQ(-EBADF, ckpt_sys_restart(0, 999, 0));
	EXPECT_EQ(-EBADF, ckpt_sys_restart(0, path, 0));
	EXPECT_GT(0, ckpt_sys_restart(0, dir, 0));
	/* Nothing in it. */
	EXPECT_GT(0, ckpt_restart_fd(&self->t, fd, 0));
	EXPECT_LT(0, (long)self->t.log_len);

	EXPECT_EQ(0, ckpt_file_size(self->t.image));
	close(path);
	close(rdonly);
	close(dir);
	close(fd);
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));
}

TEST_F(checkpoint, zombie)
{
	siginfo_t info;
	pid_t pid;
	int fd;

	NOT_DRY();
	START(pid, simple, NULL);
	fd = open(self->t.image, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, kill(pid, SIGKILL));
	ASSERT_EQ(0, waitid(P_PID, pid, &info, WEXITED | WNOWAIT));
	EXPECT_EQ(-ESRCH, ckpt_sys_checkpoint(pid, fd, 0));
	ckpt_kill(&self->t, pid);
	EXPECT_EQ(-ESRCH, ckpt_sys_checkpoint(pid, fd, 0));
	close(fd);
}

/* --- reasons -------------------------------------------------------------- */

SCENARIO(strange_name)
{
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_GENERIC);

	NEED(fd >= 0);
	NEED(dup2(fd, 33) == 33);
	NEED(!prctl(PR_SET_NAME, "a b=:\\\x01\xffz"));
	ckpt_point();
}

TEST_F(checkpoint, log_format)
{
	char expected[200], *line;
	pid_t pid;

	NOT_DRY();
	START(pid, strange_name, NULL);
	EXPECT_GT(0, ckpt_checkpoint(&self->t, pid, self->t.image, 0));
	/* One description, one of its descriptors. */
	line = strstr(self->t.log, "errno=");
	ASSERT_NE(NULL, line);
	EXPECT_TRUE(line == self->t.log);
	snprintf(expected, sizeof(expected),
		 "errno=%d pid=%d comm=a\\040b\\075\\072\\134\\001\\377z fd=",
		 EOPNOTSUPP, pid);
	EXPECT_EQ(0, strncmp(expected, line, strlen(expected))) {
		TH_LOG("seen: %s", line);
	}
	EXPECT_NE(NULL, strstr(line, " kind=file_socket: "));
	EXPECT_EQ('\n', self->t.log[self->t.log_len - 1]);
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));
}

/* Without a log the error is the same. */
TEST_F(checkpoint, no_log)
{
	pid_t pid;
	int fd;

	NOT_DRY();
	START(pid, strange_name, NULL);
	fd = open(self->t.image, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-EOPNOTSUPP, ckpt_sys_checkpoint(pid, fd, 0));
	close(fd);
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));
}

/* --- rights --------------------------------------------------------------- */

static pid_t victim;

static int try_to_checkpoint(struct ckpt_test *t)
{
	int fd = open(t->other, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	long ret;

	if (fd < 0)
		return 100;
	ret = ckpt_checkpoint_fd(t, victim, fd, 0);
	close(fd);
	unlink(t->other);
	return ret == -EPERM ? 0 : 1;
}

TEST_F(checkpoint, others_processes)
{
	NOT_DRY();
	if (getuid())
		SKIP(return, "not root");
	START(victim, simple, NULL);
	EXPECT_EQ(0, ckpt_as_user(&self->t, USER, try_to_checkpoint));
	EXPECT_EQ(0, ckpt_finish(&self->t, victim));
}

SCENARIO(drops_root)
{
	/* Not dumpable any more: it has seen what the user may not see. */
	NEED(!setresgid(USER, USER, USER));
	NEED(!setresuid(USER, USER, USER));
	ckpt_point();
}

TEST_F(checkpoint, not_dumpable)
{
	NOT_DRY();
	if (getuid())
		SKIP(return, "not root");
	START(victim, drops_root, NULL);
	EXPECT_EQ(0, ckpt_as_user(&self->t, USER, try_to_checkpoint));
	EXPECT_EQ(0, ckpt_finish(&self->t, victim));
}

/* A user saves and restarts what is theirs. */
static int own_roundtrip(struct ckpt_test *t)
{
	pid_t pid, fresh;
	long ret;

	pid = ckpt_start(t, "simple", NULL);
	if (pid <= 0)
		return 1;
	ret = ckpt_checkpoint(t, pid, t->other, 0);
	if (ret <= 0 || ckpt_kill(t, pid))
		return 2;
	fresh = ckpt_restart(t, t->other, RESTART_FRESH_PIDS);
	if (fresh <= 0)
		return 3;
	if (ckpt_finish(t, fresh))
		return 4;
	/* To choose a pid takes a capability. */
	ret = ckpt_restart(t, t->other, 0);
	if (ret != -EPERM)
		return 5;
	unlink(t->other);
	return 0;
}

TEST_F(checkpoint, own_processes)
{
	NOT_DRY();
	if (getuid())
		SKIP(return, "not root");
	EXPECT_EQ(0, ckpt_as_user(&self->t, USER, own_roundtrip));
}

static int restart_image(struct ckpt_test *t)
{
	long ret = ckpt_restart(t, t->image, RESTART_FRESH_PIDS);

	return ret == -EPERM ? 0 : ret < 0 ? 2 : 1;
}

/* An image is no way to another's rights. */
TEST_F(checkpoint, no_gain)
{
	static const char *const scenarios[] = { "simple", "some_rights" };
	unsigned int i;
	pid_t pid;

	NOT_DRY();
	if (getuid())
		SKIP(return, "not root");
	for (i = 0; i < 2; i++) {
		pid = ckpt_start(&self->t, scenarios[i], NULL);
		ASSERT_LT(0, pid);
		ASSERT_LT(0, ckpt_checkpoint(&self->t, pid, self->t.image, 0));
		ASSERT_EQ(0, ckpt_kill(&self->t, pid));
		ASSERT_EQ(0, chmod(self->t.image, 0644));
		EXPECT_EQ(0, ckpt_as_user(&self->t, USER, restart_image));
		EXPECT_EQ(0, ckpt_as_user(&self->t, OTHER, restart_image));
		/* The image is good. */
		ASSERT_EQ(pid, ckpt_restart(&self->t, self->t.image, 0));
		EXPECT_EQ(0, ckpt_finish(&self->t, pid));
	}
}

/* The real user is the restarter's, the saved one is root: as setuid-root is. */
SCENARIO(some_rights)
{
	NEED(!setresgid(USER, USER, 0));
	NEED(!setresuid(USER, USER, 0));
	NEED(!prctl(PR_SET_DUMPABLE, 1));
	ckpt_point();
	CHECK_EQ(0, seteuid(0));
}

static int switched_off(struct ckpt_test *t)
{
	int fd = open(t->other, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	pid_t pid;
	int ret = 0;

	pid = ckpt_start(t, "simple", NULL);
	if (pid <= 0 || fd < 0)
		return 1;
	if (ckpt_sys_checkpoint(pid, fd, 0) != -EPERM)
		ret = 2;
	if (ckpt_sys_restart(0, fd, RESTART_FRESH_PIDS) != -EPERM)
		ret = 3;
	close(fd);
	return ckpt_finish(t, pid) ?: ret;
}

TEST_F(checkpoint, sysctl)
{
	static const char path[] = "/proc/sys/kernel/unprivileged_checkpoint";
	char *before;
	pid_t pid;

	NOT_DRY();
	if (getuid())
		SKIP(return, "not root");
	before = ckpt_read_file(path, NULL);
	ASSERT_NE(NULL, before)
		TH_LOG("no %s", path);
	ASSERT_EQ(0, ckpt_write_file(path, "0"));
	EXPECT_EQ(0, ckpt_as_user(&self->t, USER, switched_off));
	/* Root is not concerned. */
	pid = ckpt_start(&self->t, "simple", NULL);
	EXPECT_LT(0, pid);
	EXPECT_LT(0, ckpt_checkpoint(&self->t, pid, self->t.image, 0));
	EXPECT_EQ(0, ckpt_write_file(path, "1"));
	EXPECT_EQ(0, ckpt_as_user(&self->t, USER, own_roundtrip));
	EXPECT_EQ(0, ckpt_write_file(path, before));
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));
	free(before);
}

/* --- the caller of restart() ----------------------------------------------- */

/* An image of a program called simple, which is gone. */
static pid_t saved_simple(struct ckpt_test *t)
{
	pid_t pid = ckpt_start(t, "simple", NULL);

	if (pid <= 0 || ckpt_checkpoint(t, pid, t->image, 0) <= 0 ||
	    ckpt_kill(t, pid))
		return -1;
	return pid;
}

/*
 * Calls @end for restarters that wait at several places: so many hundredths of
 * the image are missing.
 */
static int stall_at_each(struct ckpt_test *t, const int *percent, int nr,
			 void (*setup)(void), int (*end)(pid_t pid, int in))
{
	int i, in, ret = 0;
	pid_t pid;
	long size;

	if (saved_simple(t) <= 0)
		return -1;
	size = ckpt_file_size(t->image);
	for (i = 0; i < nr && !ret; i++) {
		pid = ckpt_stalled_restart(t, &in, size * percent[i] / 100, setup);
		if (pid <= 0)
			return -1;
		ret = end(pid, in);
		if (!ret && ckpt_has_children())
			ret = ckpt_say("a child is left");
		if (ret)
			ckpt_say("where %d%% of the image are missing",
				 percent[i]);
	}
	return ret;
}

static int end_by_kill(pid_t pid, int in)
{
	if (kill(pid, SIGKILL) || reap(pid) != -1)
		return ckpt_say("the restarter cannot be killed");
	/* What was its child goes without anybody's doing. */
	while (waitpid(-1, NULL, __WALL) > 0)
		;
	close(in);
	return 0;
}

/* In the metadata, in front of the pages, within them, in front of the end. */
TEST_F(checkpoint, restarter_is_killed)
{
	static const int percent[] = { 90, 50, 10, 1 };

	NOT_DRY();
	EXPECT_EQ(0, stall_at_each(&self->t, percent, ARRAY_SIZE(percent), NULL,
				   end_by_kill));
}

static void handle_alarm(void)
{
	struct sigaction action = { .sa_handler = count_signal,
				    .sa_flags = SA_RESTART };

	sigaction(SIGALRM, &action, NULL);
}

static int end_by_signal(pid_t pid, int in)
{
	if (kill(pid, SIGALRM))
		return -1;
	usleep(100000);
	/* What has been read cannot be read again: it gives up ... */
	close(in);
	return reap(pid) < 0 ? ckpt_say("it did not give up") : 0;
}

TEST_F(checkpoint, restarter_gets_signal)
{
	static const int percent[] = { 90, 10 };

	NOT_DRY();
	EXPECT_EQ(0, stall_at_each(&self->t, percent, ARRAY_SIZE(percent),
				   handle_alarm, end_by_signal));
}

TEST_F(checkpoint, saver_gets_signal)
{
	pid_t pid, saver;
	int pair[2];

	NOT_DRY();
	START(pid, busy_big, NULL);
	ASSERT_EQ(0, pipe(pair));
	fflush(stdout);
	saver = fork();
	ASSERT_LE(0, saver);
	if (!saver) {
		handle_alarm();
		_exit(ckpt_sys_checkpoint(pid, pair[1], 0) == -EINTR ? 0 : 1);
	}
	close(pair[1]);
	EXPECT_EQ(0, settle(saver));
	EXPECT_EQ(0, kill(saver, SIGALRM));
	EXPECT_EQ(0, reap(saver));
	EXPECT_LT(0, progress(pid));
	close(pair[0]);
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));
}

/* Nobody hears of a child that could not be made. */
TEST_F(checkpoint, failure_is_silent)
{
	pid_t pid;

	NOT_DRY();
	pid = saved_simple(&self->t);
	ASSERT_LT(0, pid);
	ASSERT_EQ(0, truncate(self->t.image, ckpt_file_size(self->t.image) - 1));
	handled = 0;
	signal(SIGCHLD, count_signal);
	EXPECT_EQ(-EINVAL, ckpt_restart(&self->t, self->t.image, 0));
	EXPECT_EQ(0, handled);
	signal(SIGCHLD, SIG_IGN);
	EXPECT_EQ(-EINVAL, ckpt_restart(&self->t, self->t.image, 0));
	signal(SIGCHLD, SIG_DFL);
	EXPECT_FALSE(ckpt_has_children());
}

/* What binds the caller binds what it makes, or nothing is made. */
static int confined(struct ckpt_test *t)
{
	long ret;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return 1;
	ret = ckpt_restart(t, t->image, RESTART_FRESH_PIDS);
	return ret == -EPERM && strstr(t->log, "no_new_privs") ? 0 : 2;
}

static int confined_by_seccomp(struct ckpt_test *t)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { 1, filter };
	long ret;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog))
		return 1;
	ret = ckpt_restart(t, t->image, RESTART_FRESH_PIDS);
	return ret == -EPERM && strstr(t->log, "seccomp") ? 0 : 2;
}

static int limited_processes(struct ckpt_test *t)
{
	struct rlimit limit = { 1, 1 };
	pid_t pid;
	long ret;

	pid = saved_simple(t);
	if (pid <= 0 || setrlimit(RLIMIT_NPROC, &limit))
		return 1;
	ret = ckpt_restart(t, t->image, RESTART_FRESH_PIDS);
	return ret == -EAGAIN && t->log_len ? 0 : 2;
}

/* What it makes would be the init of another pid namespace. */
static int unshared_pids(struct ckpt_test *t)
{
	long ret;

	if (unshare(CLONE_NEWPID))
		return 3;
	ret = ckpt_restart(t, t->image, RESTART_FRESH_PIDS);
	return ret == -EOPNOTSUPP && strstr(t->log, "pid namespace") ? 0 : 2;
}

TEST_F(checkpoint, confined_caller)
{
	NOT_DRY();
	if (getuid())
		SKIP(return, "not root");
	ASSERT_LT(0, saved_simple(&self->t));
	EXPECT_EQ(0, ckpt_as_user(&self->t, 0, confined));
	EXPECT_EQ(0, ckpt_as_user(&self->t, 0, confined_by_seccomp));
	EXPECT_EQ(0, ckpt_as_user(&self->t, 0, unshared_pids));
	snprintf(self->t.image, sizeof(self->t.image), "%s/theirs", self->t.dir);
	EXPECT_EQ(0, ckpt_as_user(&self->t, USER, limited_processes));
}

static void *idle(void *arg)
{
	for (;;)
		pause();
	return arg;
}

/* A caller of several threads can have a child, and cannot be replaced. */
TEST_F(checkpoint, caller_with_threads)
{
	pthread_t thread;
	pid_t pid;
	int fd;

	NOT_DRY();
	pid = saved_simple(&self->t);
	ASSERT_LT(0, pid);
	ASSERT_EQ(0, pthread_create(&thread, NULL, idle, NULL));
	EXPECT_EQ(pid, ckpt_restart(&self->t, self->t.image, 0));
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));
	fd = open(self->t.image, O_RDONLY | O_CLOEXEC);
	EXPECT_EQ(-EBUSY, ckpt_restart_fd(&self->t, fd, RESTART_SELF |
							RESTART_FRESH_PIDS));
	close(fd);
}

/* In namespaces that were made before: there the pid is free. */
static int in_new_namespaces(struct ckpt_test *t)
{
	int status;
	pid_t pid;

	if (unshare(CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS))
		return 1;
	pid = fork();
	if (!pid) {
		pid_t saved = victim;

		if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
		    mount("proc", "/proc", "proc", 0, NULL))
			_exit(3);
		if (ckpt_restart(t, t->image, 0) != saved)
			_exit(4);
		_exit(ckpt_finish(t, saved));
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return 2;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 5;
}

SCENARIO(own_pid)
{
	pid_t pid = getpid();

	ckpt_point();
	CHECK_EQ(pid, syscall(SYS_getpid));
	CHECK_EQ(pid, getsid(0));
}

TEST_F(checkpoint, new_namespaces)
{
	NOT_DRY();
	if (getuid())
		SKIP(return, "not root");
	START(victim, own_pid, NULL);
	ASSERT_LT(0, ckpt_checkpoint(&self->t, victim, self->t.image, 0));
	/* The original lives on under the same pid. */
	EXPECT_EQ(0, ckpt_as_user(&self->t, 0, in_new_namespaces));
	EXPECT_EQ(0, ckpt_finish(&self->t, victim));
}

TEST_HARNESS_MAIN
