// SPDX-License-Identifier: GPL-2.0
/*
 * Signals on I/O: F_SETOWN, F_SETOWN_EX, F_SETSIG, O_ASYNC.
 */
#include "ckpt_test.h"
#include "ckpt_image.h"

#include <pthread.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#define SIG	(SIGRTMIN + 3)

/* A signal with this descriptor comes, or is there. */
static void need_signal(int sig, int fd)
{
	struct timespec limit = { .tv_sec = 60 };
	siginfo_t info;
	sigset_t set;
	int got;

	sigemptyset(&set);
	sigaddset(&set, sig);
	/* A checkpoint interrupts it, as a stop does. */
	do
		got = sigtimedwait(&set, &info, &limit);
	while (got < 0 && errno == EINTR);
	if (!CHECK_EQ(sig, got))
		return;
	if (fd >= 0)
		CHECK_EQ(fd, info.si_fd);
}

static void need_no_signal(void)
{
	struct timespec none = { 0 };
	siginfo_t info;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIG);
	sigaddset(&set, SIGIO);
	sigaddset(&set, SIGURG);
	if (!CHECK_EQ(-1, sigtimedwait(&set, &info, &none)))
		CHECK_EQ(0, info.si_fd);
}

/* Without to wait in a system call that has other signals blocked. */
static void wait_pending(int sig)
{
	sigset_t set;

	do {
		usleep(1000);
		NEED(!sigpending(&set));
	} while (!sigismember(&set, sig));
}

static void block(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIG);
	sigaddset(&set, SIGIO);
	sigaddset(&set, SIGURG);
	NEED(!pthread_sigmask(SIG_BLOCK, &set, NULL));
}

static void set_async(int fd, int sig)
{
	NEED(!fcntl(fd, F_SETOWN, getpid()));
	NEED(!fcntl(fd, F_SETSIG, sig));
	NEED(!fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_ASYNC));
}

static void check_async(int fd, int sig)
{
	struct f_owner_ex owner = { 0 };

	CHECK_EQ(getpid(), fcntl(fd, F_GETOWN));
	CHECK_EQ(0, fcntl(fd, F_GETOWN_EX, &owner));
	CHECK_EQ(F_OWNER_PID, owner.type);
	CHECK_EQ(getpid(), owner.pid);
	CHECK_EQ(sig, fcntl(fd, F_GETSIG));
	CHECK_EQ(O_ASYNC, fcntl(fd, F_GETFL) & O_ASYNC);
}

ROUNDTRIP(pipe_async)
{
	int p[2];

	block();
	NEED(!pipe(p));
	NEED(fcntl(p[0], F_DUPFD, 77) == 77);
	set_async(77, SIG);
	close(p[0]);
	ckpt_point();
	need_no_signal();
	check_async(77, SIG);
	CHECK_EQ(1, write(p[1], "x", 1));
	need_signal(SIG, 77);
	need_no_signal();
	/* And off. */
	CHECK_EQ(0, fcntl(77, F_SETFL, 0));
	CHECK_EQ(1, write(p[1], "x", 1));
	need_no_signal();
}

/* The number that is told is the one with which it was set. */
ROUNDTRIP(descriptor_moved)
{
	int p[2], other;

	block();
	NEED(!pipe(p));
	set_async(p[0], SIG);
	NEED((other = dup(p[0])) >= 0);
	close(p[0]);
	ckpt_point();
	check_async(other, SIG);
	CHECK_EQ(1, write(p[1], "x", 1));
	need_signal(SIG, p[0]);
}

/* Only one end is left: closing what a restart had open makes no signal. */
ROUNDTRIP(one_end)
{
	char buf[8];
	int p[2];

	block();
	NEED(!pipe(p));
	NEED(write(p[1], "data", 4) == 4);
	close(p[1]);
	set_async(p[0], SIG);
	ckpt_point();
	need_no_signal();
	check_async(p[0], SIG);
	CHECK_EQ(4, read(p[0], buf, 8));
	CHECK_EQ(0, read(p[0], buf, 8));
}

ROUNDTRIP(both_ends)
{
	char buf[8];
	int p[2];

	block();
	NEED(!pipe(p));
	set_async(p[0], SIG);
	set_async(p[1], 0);
	ckpt_point();
	need_no_signal();
	CHECK_EQ(1, write(p[1], "x", 1));
	need_signal(SIG, p[0]);
	CHECK_EQ(1, read(p[0], buf, 8));
	need_signal(SIGIO, -1);
}

ROUNDTRIP(socket_async)
{
	int s[2];

	block();
	NEED(!socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	NEED(write(s[0], "before", 6) == 6);
	set_async(s[1], SIG);
	ckpt_point();
	need_no_signal();
	check_async(s[1], SIG);
	CHECK_EQ(1, write(s[0], "x", 1));
	need_signal(SIG, s[1]);
}

/* Without O_ASYNC there are signals for urgent data only. */
ROUNDTRIP(socket_urgent)
{
	int s[2], pid;

	block();
	NEED(!socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	NEED(!fcntl(s[1], F_SETOWN, getpid()));
	ckpt_point();
	CHECK_EQ(getpid(), fcntl(s[1], F_GETOWN));
	CHECK_EQ(0, ioctl(s[1], FIOGETOWN, &pid));
	CHECK_EQ(getpid(), pid);
	CHECK_EQ(0, fcntl(s[1], F_GETFL) & O_ASYNC);
	CHECK_EQ(1, write(s[0], "x", 1));
	need_no_signal();
	if (send(s[0], "u", 1, MSG_OOB) == 1)
		need_signal(SIGURG, -1);
}

ROUNDTRIP(inotify_async)
{
	int fd, file;

	block();
	NEED((fd = inotify_init1(0)) >= 0);
	NEED(inotify_add_watch(fd, ".", IN_CREATE) >= 0);
	set_async(fd, SIG);
	ckpt_point();
	need_no_signal();
	check_async(fd, SIG);
	CHECK((file = open("new", O_RDWR | O_CREAT, 0600)) >= 0);
	need_signal(SIG, fd);
}

ROUNDTRIP(pty_async)
{
	int master, slave;

	block();
	NEED((master = open("/dev/ptmx", O_RDWR | O_NOCTTY)) >= 0);
	NEED(!grantpt(master) && !unlockpt(master));
	NEED((slave = open(ptsname(master), O_RDWR | O_NOCTTY)) >= 0);
	set_async(slave, SIG);
	ckpt_point();
	need_no_signal();
	check_async(slave, SIG);
	CHECK_EQ(2, write(master, "x\n", 2));
	need_signal(SIG, slave);
}

/* Those who know of no signals remember the owner. */
ROUNDTRIP(regular_file)
{
	int fd = open("file", O_RDWR | O_CREAT | O_ASYNC, 0600);

	NEED(fd >= 0);
	NEED(!fcntl(fd, F_SETOWN, getpid()));
	NEED(!fcntl(fd, F_SETSIG, SIG));
	ckpt_point();
	check_async(fd, SIG);
}

/* Only the number of the signal. */
ROUNDTRIP(only_signum)
{
	struct f_owner_ex owner = { 0 };
	int p[2];

	NEED(!pipe(p));
	NEED(!fcntl(p[0], F_SETSIG, SIG));
	owner.type = F_OWNER_PGRP;
	NEED(!fcntl(p[1], F_SETOWN_EX, &owner));
	ckpt_point();
	CHECK_EQ(SIG, fcntl(p[0], F_GETSIG));
	CHECK_EQ(0, fcntl(p[0], F_GETOWN));
	CHECK_EQ(0, fcntl(p[1], F_GETOWN_EX, &owner));
	CHECK_EQ(F_OWNER_PGRP, owner.type);
	CHECK_EQ(0, owner.pid);
}

/* --- who ------------------------------------------------------------------------ */

static volatile int thread_tid, thread_go;

static void *thread(void *arg)
{
	int fd = *(int *)arg;

	thread_tid = gettid();
	while (!thread_go)
		usleep(1000);
	need_signal(SIG, fd);
	return NULL;
}

ROUNDTRIP(thread)
{
	struct f_owner_ex owner = { .type = F_OWNER_TID };
	pthread_t id;
	int p[2];

	block();
	NEED(!pipe(p));
	NEED(!pthread_create(&id, NULL, thread, &p[0]));
	while (!thread_tid)
		usleep(1000);
	owner.pid = thread_tid;
	NEED(!fcntl(p[0], F_SETOWN_EX, &owner));
	NEED(!fcntl(p[0], F_SETSIG, SIG));
	NEED(!fcntl(p[0], F_SETFL, O_ASYNC));
	ckpt_point();
	memset(&owner, 0, sizeof(owner));
	CHECK_EQ(0, fcntl(p[0], F_GETOWN_EX, &owner));
	CHECK_EQ(F_OWNER_TID, owner.type);
	CHECK_EQ(thread_tid, owner.pid);
	CHECK_EQ(1, write(p[1], "x", 1));
	/* It is the thread's alone. */
	need_no_signal();
	thread_go = 1;
	CHECK_EQ(0, pthread_join(id, NULL));
}

/* A child gets them, in a process group of its own, or by its number. */
static void child_gets(bool group)
{
	struct f_owner_ex owner = { 0 };
	int p[2], q[2], status;
	pid_t pid;
	char c;

	block();
	NEED(!pipe(p) && !pipe(q));
	pid = fork();
	NEED(pid >= 0);
	if (!pid) {
		NEED(!setpgid(0, 0));
		NEED(write(q[1], "x", 1) == 1);
		/* Who looks at /proc shall see the same at all times. */
		wait_pending(SIG);
		need_signal(SIG, p[0]);
		ckpt_target_end();
	}
	NEED(read(q[0], &c, 1) == 1);
	NEED(!fcntl(p[0], F_SETOWN, group ? -pid : pid));
	NEED(!fcntl(p[0], F_SETSIG, SIG));
	NEED(!fcntl(p[0], F_SETFL, O_ASYNC));
	ckpt_point();
	CHECK_EQ(0, fcntl(p[0], F_GETOWN_EX, &owner));
	CHECK_EQ(group ? F_OWNER_PGRP : F_OWNER_PID, owner.type);
	CHECK_EQ(pid, owner.pid);
	CHECK_EQ(1, write(p[1], "x", 1));
	CHECK_EQ(pid, waitpid(pid, &status, 0));
	CHECK_EQ(0, status);
	need_no_signal();
}

ROUNDTRIP(child)
{
	child_gets(false);
}

ROUNDTRIP(child_group)
{
	child_gets(true);
}

/* Who is gone gets nothing, whoever has that number after a restart. */
ROUNDTRIP(gone)
{
	int p[2], status;
	pid_t pid;

	block();
	NEED(!pipe(p));
	pid = fork();
	NEED(pid >= 0);
	if (!pid) {
		pause();
		_exit(0);
	}
	NEED(!fcntl(p[0], F_SETOWN, pid));
	NEED(!fcntl(p[0], F_SETFL, O_ASYNC));
	NEED(!kill(pid, SIGKILL) && waitpid(pid, &status, 0) == pid);
	ckpt_point();
	CHECK_EQ(0, fcntl(p[0], F_GETOWN));
	CHECK_EQ(O_ASYNC, fcntl(p[0], F_GETFL) & O_ASYNC);
	CHECK_EQ(1, write(p[1], "x", 1));
	need_no_signal();
}

/* A signal that waits tells the descriptor. */
ROUNDTRIP(pending)
{
	int p[2];

	block();
	NEED(!pipe(p));
	set_async(p[0], SIG);
	NEED(write(p[1], "x", 1) == 1);
	ckpt_point();
	need_signal(SIG, p[0]);
	need_no_signal();
}

ROUNDTRIP_OPT(fresh_pids, CKPT_RT_ONCE | CKPT_RT_FRESH | CKPT_RT_NO_SNAP)
{
	int p[2];

	block();
	NEED(!pipe(p));
	set_async(p[0], SIG);
	ckpt_point();
	check_async(p[0], SIG);
	CHECK_EQ(1, write(p[1], "x", 1));
	need_signal(SIG, p[0]);
}

/* --- refused -------------------------------------------------------------------- */

REFUSED(parent_outside, EBUSY, "file_pipe", "which is not in the tree")
{
	int p[2];

	NEED(!pipe(p));
	NEED(!fcntl(p[0], F_SETOWN, getppid()));
	ckpt_value[0] = p[0];
	ckpt_point();
	CHECK_EQ(getppid(), fcntl(p[0], F_GETOWN));
}

/* The child is in the group of its parent. */
SCENARIO(in_my_group)
{
	int p[2], q[2], status;
	pid_t pid;
	char c;

	NEED(!pipe(q));
	pid = fork();
	NEED(pid >= 0);
	if (!pid) {
		NEED(!pipe(p));
		NEED(!fcntl(p[0], F_SETOWN, -getpgrp()));
		c = p[0];
		NEED(write(q[1], &c, 1) == 1);
		pause();
		_exit(0);
	}
	NEED(read(q[0], &c, 1) == 1);
	ckpt_value[0] = c;
	ckpt_value[1] = pid;
	ckpt_point();
	NEED(!kill(pid, SIGKILL));
	CHECK_EQ(pid, waitpid(pid, &status, 0));
}

TEST_F(checkpoint, group_outside)
{
	pid_t pid, child;

	NOT_DRY();
	START(pid, in_my_group, NULL);
	child = ckpt_peek_value(pid, 1);
	EXPECT_GT(0, ckpt_checkpoint_fd(&self->t, child, -1,
					CHECKPOINT_DRY_RUN));
	EXPECT_TRUE(ckpt_reason(&self->t, EBUSY, "file_pipe",
				ckpt_peek_value(pid, 0), 0,
				"which is not in the tree"))
		ckpt_show_log(&self->t);
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));
}

/* Set by somebody whom nobody is any more. */
REFUSED(rights_of_nobody, EOPNOTSUPP, "file_pipe", "the rights of user 4711")
{
	int p[2];

	NEED(!pipe(p));
	if (setresuid(4711, 0, 0))
		ckpt_skip("not root");
	NEED(!fcntl(p[0], F_SETOWN, getpid()));
	NEED(!setresuid(0, 0, 0));
	NEED(!prctl(PR_SET_DUMPABLE, 1));
	ckpt_value[0] = p[0];
	ckpt_point();
}

static void watch_directory(int again)
{
	int fd = open(".", O_RDONLY | O_DIRECTORY);

	NEED(fd >= 0);
	signal(SIGIO, SIG_IGN);
	if (fcntl(fd, F_NOTIFY, DN_CREATE | DN_MULTISHOT))
		ckpt_skip("no dnotify");
	if (again)
		NEED(!fcntl(fd, F_SETOWN, 0));
	ckpt_value[0] = fd;
	ckpt_point();
}

REFUSED(dnotify, EOPNOTSUPP, "file", "F_NOTIFY")
{
	watch_directory(0);
}

/* It goes on when the owner is taken away. */
REFUSED(dnotify_without_owner, EOPNOTSUPP, "file", "F_NOTIFY")
{
	watch_directory(1);
}

REFUSED(random_async, EOPNOTSUPP, "file_dev", "O_ASYNC")
{
	int fd = open("/dev/random", O_RDONLY);

	NEED(fd >= 0);
	NEED(!fcntl(fd, F_SETFL, O_ASYNC));
	if (!(fcntl(fd, F_GETFL) & O_ASYNC))
		ckpt_skip("no O_ASYNC for /dev/random");
	ckpt_value[0] = fd;
	ckpt_point();
}

/* --- images that lie ---------------------------------------------------------------- */

SCENARIO(has_owner)
{
	int p[2];

	block();
	NEED(!pipe(p));
	set_async(p[0], SIG);
	ckpt_point();
}

TEST_F(checkpoint, hostile)
{
	struct ckpt_file_owner *owner, good;
	struct ckpt_rec_hdr *hdr;
	int tries = 0, alive;
	char *image;
	size_t len;

	NOT_DRY();
	image = ckpt_save_scenario(&self->t, "has_owner", &len);
	ASSERT_NE(NULL, image);
	hdr = ckpt_find_record(image, len, CKPT_REC_FILE_OWNER, 0);
	ASSERT_NE(NULL, hdr);
	owner = (void *)(hdr + 1);
	good = *owner;
	EXPECT_EQ(F_OWNER_PID, owner->type);
	EXPECT_EQ((unsigned int)SIG, owner->signum);

	/* Somebody who is not in the image, and runs. */
	owner->pid = 1;
	ckpt_mend_record(hdr);
	EXPECT_EQ(-EINVAL, ckpt_restart_raw(&self->t, image, len));
	EXPECT_TRUE(ckpt_reason(&self->t, EINVAL, "file_owner", -1, 0,
				"1, is not in the image"));
	*owner = good;
	owner->pid = getpid();
	ckpt_mend_record(hdr);
	EXPECT_EQ(-EINVAL, ckpt_restart_raw(&self->t, image, len));
	*owner = good;
	ckpt_mend_record(hdr);
	alive = ckpt_alter_records(&self->t, image, len, CKPT_REC_FILE_OWNER,
				   &tries);
	EXPECT_LE(0, alive);
	EXPECT_EQ(sizeof(good), tries);
	free(image);
}

TEST_HARNESS_MAIN
