// SPDX-License-Identifier: GPL-2.0
/*
 * Open files that stay outside of the tree: named at the checkpoint, given at
 * the restart; wrong names and wrong gifts.
 */
#include "ckpt_test.h"
#include "ckpt_image.h"

#include <sched.h>
#include <stdarg.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/socket.h>

/* --- calls with arguments ------------------------------------------------------- */

static long call_args(struct ckpt_test *t, long nr, long id, int fd,
		      unsigned long flags, const char *args)
{
	int log = memfd_create("args", MFD_CLOEXEC);
	size_t len = strlen(args);
	ssize_t got;
	long ret;

	t->log[0] = '\0';
	t->log_len = 0;
	if (log < 0 || write(log, args, len) != (ssize_t)len)
		return ckpt_say("no file for arguments");
	ret = syscall(nr, id, (long)fd,
		      flags | CHECKPOINT_ARGS | CHECKPOINT_LOG_FD(log));
	if (ret < 0)
		ret = -errno;
	got = pread(log, t->log, sizeof(t->log) - 1, len);
	close(log);
	t->log_len = got > 0 ? got : 0;
	t->log[t->log_len] = '\0';
	return ret;
}

static long save_args(struct ckpt_test *t, pid_t pid, const char *args)
{
	int fd = open(t->image, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	long ret;

	if (fd < 0)
		return ckpt_say("%s: %s", t->image, strerror(errno));
	ret = call_args(t, __NR_checkpoint, pid, fd, 0, args);
	close(fd);
	return ret;
}

static long restart_path(struct ckpt_test *t, const char *path,
			 unsigned long flags, const char *args)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	long ret;

	if (fd < 0)
		return ckpt_say("%s: %s", path, strerror(errno));
	ret = call_args(t, __NR_restart, 0, fd, flags, args);
	close(fd);
	if (ret > 0)
		ckpt_remember(t, ret);
	return ret;
}

static long restart_args(struct ckpt_test *t, const char *args)
{
	return restart_path(t, t->image, 0, args);
}

/* The restart fails with this, and leaves no process. */
static int restart_fails(struct ckpt_test *t, int error, const char *args,
			 const char *text)
{
	long ret = restart_args(t, args);

	if (ret > 0)
		ckpt_kill(t, ret);
	if (ret != -error || !ckpt_reason(t, error, NULL, -1, 0, text)) {
		ckpt_show_log(t);
		return ckpt_say("'%s' gave %ld and not %d with '%s'", args, ret,
				-error, text);
	}
	return 0;
}

static int save_fails(struct ckpt_test *t, pid_t pid, int error,
		      const char *args, int fd, const char *text)
{
	long ret = save_args(t, pid, args);

	if (ret != -error || !ckpt_reason(t, error, NULL, fd, 0, text)) {
		ckpt_show_log(t);
		return ckpt_say("'%s' gave %ld and not %d with '%s'", args, ret,
				-error, text);
	}
	if (ckpt_file_size(t->image))
		return ckpt_say("something was written");
	return 0;
}

/* Share the target's open file. */
static int share(pid_t pid, int their)
{
	int pidfd = syscall(SYS_pidfd_open, pid, 0);
	int fd = syscall(SYS_pidfd_getfd, pidfd, their, 0);

	close(pidfd);
	return fd;
}

__attribute__((format(printf, 2, 3)))
static const char *arg(char *buf, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsprintf(buf, format, args);
	va_end(args);
	return buf;
}

/* Checkpoint with this name, kill, restart with this gift. */
static pid_t again(struct ckpt_test *t, pid_t pid, int their, int gift)
{
	char buf[64];
	long ret;

	ret = save_args(t, pid, arg(buf, "external fd:%d\n", their));
	if (ret <= 0) {
		ckpt_show_log(t);
		return ckpt_say("checkpoint gave %ld", ret);
	}
	if (ckpt_kill(t, pid))
		return -1;
	ret = restart_args(t, arg(buf, "inherit fd:%d=%d\n", their, gift));
	if (ret <= 0) {
		ckpt_show_log(t);
		return ckpt_say("restart gave %ld", ret);
	}
	return ret;
}

static bool same_file(int a, int b)
{
	return !syscall(SYS_kcmp, getpid(), getpid(), 0 /* KCMP_FILE */, a, b);
}

/* --- pipes ------------------------------------------------------------------------ */

/* Has the writing end; the tester takes the other one. */
SCENARIO(writer)
{
	int p[2];

	NEED(!pipe(p));
	ckpt_value[0] = p[1];
	ckpt_value[1] = p[0];
	ckpt_point();
	close(p[0]);
	ckpt_point();
	CHECK_EQ(5, write(p[1], "after", 5));
	CHECK_EQ(O_WRONLY, fcntl(p[1], F_GETFL) & O_ACCMODE);
}

static pid_t start_writer(struct ckpt_test *t, int *fd, int *their)
{
	pid_t pid = ckpt_start(t, "writer", NULL);

	if (pid <= 0)
		return -1;
	*their = ckpt_peek_value(pid, 0);
	*fd = share(pid, ckpt_peek_value(pid, 1));
	if (*fd < 0 || ckpt_go(pid) || ckpt_wait_stage(t, pid, 2))
		return -1;
	return pid;
}

TEST_F(checkpoint, pipe_end)
{
	int fd, their, p[2];
	char buf[64];
	pid_t pid;

	NOT_DRY();
	pid = start_writer(&self->t, &fd, &their);
	ASSERT_LT(0, pid);
	ASSERT_EQ(0, pipe(p));
	EXPECT_EQ(-EBUSY, ckpt_checkpoint(&self->t, pid, self->t.image, 0));
	pid = again(&self->t, pid, their, p[1]);
	ASSERT_LT(0, pid);
	close(p[1]);
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));
	EXPECT_EQ(5, read(p[0], buf, sizeof(buf)));
	EXPECT_EQ(0, memcmp(buf, "after", 5));
	/* Nothing of it went where it was before, and nothing is left open. */
	EXPECT_EQ(0, read(p[0], buf, sizeof(buf)));
	EXPECT_EQ(0, read(fd, buf, sizeof(buf)));
	close(p[0]);
	close(fd);
}

/*
 * The tree has a pid namespace of its own: a checkpoint is told the number that
 * its caller sees, a restart the one that the process had in there.
 */
static int own_pids(struct ckpt_test *t)
{
	static const char *const names[] = { "fd", "1" };
	int fd, their, p[2], own;
	unsigned int i;
	char buf[64];
	pid_t pid;

	own = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
	if (own < 0 || unshare(CLONE_NEWPID))
		return CKPT_SKIPPED;
	pid = start_writer(t, &fd, &their);
	if (pid <= 1)
		return 1;
	if (save_fails(t, pid, ESRCH, arg(buf, "external 1:%d\n", their), -1,
		       "is not in the tree"))
		return 2;
	if (save_args(t, pid, arg(buf, "external %d:%d\n", pid, their)) <= 0 ||
	    save_args(t, pid, arg(buf, "external fd:%d\n", their)) <= 0)
		return 3;
	if (ckpt_kill(t, pid))
		return 5;
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		if (setns(own, CLONE_NEWPID) || unshare(CLONE_NEWPID) ||
		    pipe(p))
			return 6;
		pid = restart_args(t, arg(buf, "inherit %s:%d=%d\n", names[i],
					  their, p[1]));
		if (pid <= 0) {
			ckpt_show_log(t);
			return 7;
		}
		close(p[1]);
		if (ckpt_finish(t, pid) || read(p[0], buf, sizeof(buf)) != 5)
			return 8;
		close(p[0]);
	}
	return 0;
}

TEST_F(checkpoint, own_pid_namespace)
{
	int ret;

	NOT_DRY();
	if (getuid())
		SKIP(return, "needs root");
	ret = ckpt_as_user(&self->t, 0, own_pids);
	if (ret == CKPT_SKIPPED)
		SKIP(return, "no pid namespaces");
	EXPECT_EQ(0, ret);
}

/* The same open file, not one that is like it. */
TEST_F(checkpoint, is_shared)
{
	int fd, their, p[2], got;
	pid_t pid;

	NOT_DRY();
	pid = start_writer(&self->t, &fd, &their);
	ASSERT_LT(0, pid);
	ASSERT_EQ(0, pipe(p));
	ASSERT_EQ(0, fcntl(p[1], F_SETFL, O_NONBLOCK));
	pid = again(&self->t, pid, their, p[1]);
	ASSERT_LT(0, pid);
	got = share(pid, their);
	EXPECT_TRUE(same_file(got, p[1]));
	/* Its flags are those that it has. */
	EXPECT_EQ(O_WRONLY | O_NONBLOCK, fcntl(got, F_GETFL));
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));
}

/* It goes on as if nothing were when it is not killed. */
TEST_F(checkpoint, runs_on)
{
	int fd, their;
	char buf[64];
	pid_t pid;

	NOT_DRY();
	pid = start_writer(&self->t, &fd, &their);
	ASSERT_LT(0, pid);
	EXPECT_LT(0, save_args(&self->t, pid,
			       arg(buf, "external fd:%d\n", their)));
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));
	EXPECT_EQ(5, read(fd, buf, sizeof(buf)));
}

TEST_F(checkpoint, wrong_gifts)
{
	int fd, their, p[2], s[2], null, file, event, tty;
	struct ckpt_test *t = &self->t;
	char buf[64];
	pid_t pid;

	NOT_DRY();
	pid = start_writer(t, &fd, &their);
	ASSERT_LT(0, pid);
	EXPECT_LT(0, save_args(t, pid, arg(buf, "external fd:%d\n", their)));
	ASSERT_EQ(0, ckpt_kill(t, pid));
	ASSERT_EQ(0, pipe(p));
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	null = open("/dev/null", O_RDWR);
	file = open(t->other, O_RDWR | O_CREAT, 0600);
	event = eventfd(0, 0);
	tty = open("/dev/ptmx", O_RDWR | O_NOCTTY);

	EXPECT_GT(0, ckpt_restart(t, t->image, 0));
	EXPECT_TRUE(ckpt_reason(t, EBADF, "file_external", -1, 0,
				"was a pipe outside, and nothing is given"));
	EXPECT_EQ(0, restart_fails(t, EBADF,
				   arg(buf, "inherit fd:%d=%d\n", their, 999),
				   "is not open"));
	EXPECT_EQ(0, restart_fails(t, EACCES,
				   arg(buf, "inherit fd:%d=%d\n", their, p[0]),
				   "was open for writing"));
	EXPECT_EQ(0, restart_fails(t, EINVAL,
				   arg(buf, "inherit fd:%d=%d\n", their, s[0]),
				   "was a pipe, what is given for it is a socket"));
	EXPECT_EQ(0, restart_fails(t, EINVAL,
				   arg(buf, "inherit fd:%d=%d\n", their, null),
				   "is a character device"));
	EXPECT_EQ(0, restart_fails(t, EINVAL,
				   arg(buf, "inherit fd:%d=%d\n", their, file),
				   "is a regular file"));
	EXPECT_EQ(0, restart_fails(t, EINVAL,
				   arg(buf, "inherit fd:%d=%d\n", their, event),
				   "is [eventfd]"));
	EXPECT_EQ(0, restart_fails(t, EINVAL,
				   arg(buf, "inherit fd:%d=%d\n", their, tty),
				   "is a terminal"));
	/* Names that are not in the image. */
	sprintf(buf, "inherit fd:%d=%d\ninherit fd:77=%d\n", their, p[1], p[1]);
	EXPECT_EQ(0, restart_fails(t, EINVAL, buf,
				   ":77, which is no external file"));
	sprintf(buf, "inherit 1:%d=%d\n", their, p[1]);
	EXPECT_EQ(0, restart_fails(t, EBADF, buf, "nothing is given"));
	EXPECT_TRUE(ckpt_reason(t, EINVAL, NULL, -1, 0, "is no external file"));
	sprintf(buf, "inherit fd:%d=%d\ninherit fd:%d=%d\n", their, p[1], their,
		p[0]);
	EXPECT_EQ(0, restart_fails(t, EINVAL, buf, "named twice"));
	/* The process by its number. */
	sprintf(buf, "inherit %d:%d=%d\n", pid, their, p[1]);
	EXPECT_EQ(pid, restart_args(t, buf));
	EXPECT_EQ(0, ckpt_finish(t, pid));
	EXPECT_EQ(5, read(p[0], buf, sizeof(buf)));
}

TEST_F(checkpoint, bad_arguments)
{
	static const char *const bad[] = {
		"external fd:5", "external fd:5\nexternal fd:6", "external\n",
		"external fd:\n", "external fd:x\n", "external fd:-1\n",
		"external fd:+5\n", "external fd: 5\n", "external fd:5x\n",
		"external :5\n", "external 0:5\n", "external -1:5\n",
		"external fd:5=6\n", "external fd:99999999999\n",
		"external 5\n", "inherit fd:5=6\n", "\n", "extern fd:5\n",
		"", "external fd:5\n\nexternal fd:6\n",
		"external fd:5\nexternal fd:5\n",
	};
	static const char *const bad_gift[] = {
		"inherit fd:0\n", "inherit fd:0=\n", "inherit fd:0=x\n",
		"inherit fd:0=-1\n", "inherit =0\n", "inherit 0=0\n",
		"external fd:0\n", "inherit fd:0=0=0\n",
	};
	struct ckpt_test *t = &self->t;
	char big[20000];
	unsigned int i;
	int p[2];
	pid_t pid;

	NOT_DRY();
	START(pid, writer, NULL);
	ASSERT_LT(0, ckpt_checkpoint(t, pid, t->image, 0));
	for (i = 0; i < ARRAY_SIZE(bad_gift); i++)
		EXPECT_EQ(0, restart_fails(t, EINVAL, bad_gift[i], "argument"));
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		EXPECT_EQ(-EINVAL, save_args(t, pid, bad[i]))
			TH_LOG("argument %u", i);
	memset(big, 'x', sizeof(big) - 2);
	strcpy(big + sizeof(big) - 2, "\n");
	EXPECT_EQ(-EINVAL, save_args(t, pid, big));

	/* Where nothing can be read from. */
	EXPECT_EQ(-EINVAL, ckpt_sys_checkpoint(pid, -1, CHECKPOINT_DRY_RUN |
					       CHECKPOINT_ARGS));
	ASSERT_EQ(0, pipe(p));
	EXPECT_EQ(-EINVAL, ckpt_sys_checkpoint(pid, -1, CHECKPOINT_DRY_RUN |
					       CHECKPOINT_ARGS |
					       CHECKPOINT_LOG_FD(p[1])));
	EXPECT_EQ(-EINVAL, ckpt_sys_checkpoint(0, p[1], CHECKPOINT_QUERY |
					       CHECKPOINT_ARGS));
	ASSERT_EQ(0, ckpt_kill(t, pid));
}

TEST_F(checkpoint, wrong_names)
{
	struct ckpt_test *t = &self->t;
	int fd, their;
	char buf[64];
	pid_t pid;

	NOT_DRY();
	pid = start_writer(t, &fd, &their);
	ASSERT_LT(0, pid);
	EXPECT_EQ(0, save_fails(t, pid, EBADF, "external fd:99\n", 99,
				"is not open"));
	EXPECT_EQ(0, save_fails(t, pid, ESRCH, "external 1:0\n", -1,
				"process 1, of which descriptor 0"));
	sprintf(buf, "external fd:%d\nexternal %d:%d\n", their, pid, their);
	EXPECT_EQ(0, save_fails(t, pid, EINVAL, buf, their,
				"is the same open file"));
	/* Another one does not help. */
	EXPECT_EQ(0, save_fails(t, pid, EBUSY, "external fd:0\n", their,
				"the other end of the pipe"));
	EXPECT_EQ(0, ckpt_finish(t, pid));
}

/* --- other sorts --------------------------------------------------------------------- */

SCENARIO(has_socket)
{
	char buf[8];
	int s[2];

	NEED(!socketpair(AF_UNIX, atoi(ckpt_arg), 0, s));
	ckpt_value[0] = s[0];
	ckpt_value[1] = s[1];
	ckpt_point();
	close(s[1]);
	ckpt_point();
	CHECK_EQ(4, send(s[0], "ping", 4, 0));
	CHECK_EQ(4, recv(s[0], buf, sizeof(buf), 0));
	CHECK(!memcmp(buf, "pong", 4));
}

TEST_F(checkpoint, socket)
{
	struct ckpt_test *t = &self->t;
	int fd, their, s[2], d[2], in;
	char buf[64], type[8];
	pid_t pid;

	NOT_DRY();
	sprintf(type, "%d", SOCK_STREAM);
	START(pid, has_socket, type);
	their = ckpt_peek_value(pid, 0);
	fd = share(pid, ckpt_peek_value(pid, 1));
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ckpt_go(pid));
	ASSERT_EQ(0, ckpt_wait_stage(t, pid, 2));
	EXPECT_EQ(-EBUSY, ckpt_checkpoint(t, pid, t->image, 0));
	EXPECT_LT(0, save_args(t, pid, arg(buf, "external fd:%d\n", their)));
	ASSERT_EQ(0, ckpt_kill(t, pid));

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_DGRAM, 0, d));
	in = socket(AF_INET, SOCK_STREAM, 0);
	EXPECT_EQ(0, restart_fails(t, EINVAL,
				   arg(buf, "inherit fd:%d=%d\n", their, d[0]),
				   "family 1, type 1"));
	if (in >= 0)
		EXPECT_EQ(0, restart_fails(t, EINVAL,
					   arg(buf, "inherit fd:%d=%d\n", their,
					       in), "family 1, type 1"));
	ASSERT_EQ(pid, restart_args(t, arg(buf, "inherit fd:%d=%d\n", their,
					   s[0])));
	close(s[0]);
	EXPECT_EQ(4, write(s[1], "pong", 4));
	EXPECT_EQ(0, ckpt_finish(t, pid));
	EXPECT_EQ(4, read(s[1], buf, sizeof(buf)));
}

/* Not even of a kind that could be saved: a kind of its own in /dev. */
SCENARIO(has_device)
{
	int fd = open(ckpt_arg, O_RDWR);

	NEED(fd >= 0);
	ckpt_value[0] = fd;
	ckpt_point();
	CHECK(fcntl(fd, F_GETFD) == 0);
}

TEST_F(checkpoint, device)
{
	struct ckpt_test *t = &self->t;
	int their, null, kmsg;
	char buf[64];
	pid_t pid;

	NOT_DRY();
	kmsg = open("/dev/kmsg", O_RDWR);
	if (kmsg < 0)
		SKIP(return, "no /dev/kmsg");
	START(pid, has_device, "/dev/kmsg");
	their = ckpt_peek_value(pid, 0);
	EXPECT_EQ(-EOPNOTSUPP, ckpt_checkpoint(t, pid, t->image, 0));
	EXPECT_LT(0, save_args(t, pid, arg(buf, "external fd:%d\n", their)));
	ASSERT_EQ(0, ckpt_kill(t, pid));
	null = open("/dev/null", O_RDWR);
	EXPECT_EQ(0, restart_fails(t, EINVAL,
				   arg(buf, "inherit fd:%d=%d\n", their, null),
				   "was device 1:11, what is given for it is 1:3"));
	ASSERT_EQ(pid, restart_args(t, arg(buf, "inherit fd:%d=%d\n", their,
					   kmsg)));
	EXPECT_EQ(0, ckpt_finish(t, pid));
}

/* A regular file: the position is the one of those outside. */
SCENARIO(has_file)
{
	int fd = open("file", O_RDWR | O_CREAT, 0600);
	char buf[8] = "";

	NEED(fd >= 0 && write(fd, "0123456789", 10) == 10);
	NEED(lseek(fd, 2, SEEK_SET) == 2);
	NEED(dup(fd) >= 0);
	if (ckpt_arg && !strcmp(ckpt_arg, "map"))
		NEED(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0) !=
		     MAP_FAILED);
	if (ckpt_arg && !strcmp(ckpt_arg, "lock"))
		NEED(!lockf(fd, F_LOCK, 1));
	if (ckpt_arg && !strcmp(ckpt_arg, "flock"))
		NEED(!flock(fd, LOCK_EX));
	ckpt_value[0] = fd;
	ckpt_point();
	CHECK_EQ(1, read(fd, buf, 1));
	CHECK_EQ(ckpt_value[1], buf[0]);
	CHECK_EQ(ckpt_value[2], lseek(dup(fd), 0, SEEK_CUR));
}

static int poke_value(pid_t pid, int nr, long value)
{
	return ckpt_poke(pid, &ckpt_value[nr], &value, sizeof(value));
}

static void regular(struct __test_metadata *_metadata, struct ckpt_test *t,
		    const char *how)
{
	int fd, their, other;
	pid_t pid;

	pid = ckpt_start(t, "has_file", how);
	ASSERT_LT(0, pid);
	their = ckpt_peek_value(pid, 0);
	fd = share(pid, their);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-EBUSY, ckpt_checkpoint(t, pid, t->image, 0));
	other = open(t->other, O_RDWR | O_CREAT, 0600);
	EXPECT_EQ(10, write(other, "abcdefghij", 10));
	EXPECT_EQ(4, lseek(other, 4, SEEK_SET));
	pid = again(t, pid, their, other);
	ASSERT_LT(0, pid);
	EXPECT_EQ(4, lseek(other, 0, SEEK_CUR));
	EXPECT_EQ(0, poke_value(pid, 1, 'e'));
	EXPECT_EQ(0, poke_value(pid, 2, 5));
	EXPECT_EQ(0, ckpt_finish(t, pid));
	EXPECT_EQ(5, lseek(other, 0, SEEK_CUR));
	EXPECT_EQ(2, lseek(fd, 0, SEEK_CUR));
	close(fd);
}

TEST_F(checkpoint, regular_file)
{
	NOT_DRY();
	regular(_metadata, &self->t, NULL);
	/* A lock of the open file stays where that is, outside. */
	regular(_metadata, &self->t, "flock");
}

TEST_F(checkpoint, mapped)
{
	char buf[64];
	pid_t pid;

	NOT_DRY();
	START(pid, has_file, "map");
	EXPECT_EQ(0, save_fails(&self->t, pid, EOPNOTSUPP,
				arg(buf, "external fd:%ld\n",
				    ckpt_peek_value(pid, 0)), -1,
				"maps a file that is named as external"));
	ckpt_kill(&self->t, pid);
}

TEST_F(checkpoint, locked)
{
	char buf[64];
	pid_t pid;

	NOT_DRY();
	START(pid, has_file, "lock");
	EXPECT_EQ(0, save_fails(&self->t, pid, EBUSY,
				arg(buf, "external fd:%ld\n",
				    ckpt_peek_value(pid, 0)),
				ckpt_peek_value(pid, 0),
				"a lock that was set through an external file"));
	ckpt_kill(&self->t, pid);
}

/* --- with others ------------------------------------------------------------------------ */

/* An epoll file of the tree watches it; a child has it, too. */
SCENARIO(watched)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.u64 = 7 };
	int event, ep, status, p[2];
	uint64_t nr;
	pid_t pid;

	NEED((event = eventfd(0, EFD_NONBLOCK)) >= 0);
	NEED((ep = epoll_create1(0)) >= 0);
	NEED(!epoll_ctl(ep, EPOLL_CTL_ADD, event, &ev));
	NEED(!pipe(p));
	pid = fork();
	NEED(pid >= 0);
	if (!pid) {
		close(p[1]);
		NEED(!read(p[0], &nr, 1));
		nr = 3;
		CHECK_EQ(8, write(event, &nr, 8));
		ckpt_target_end();
	}
	close(p[0]);
	ckpt_value[0] = event;
	ckpt_value[1] = pid;
	ckpt_point();
	close(p[1]);
	CHECK_EQ(1, epoll_wait(ep, &ev, 1, -1));
	CHECK_EQ(7, ev.data.u64);
	CHECK_EQ(pid, waitpid(pid, &status, 0));
	CHECK_EQ(0, status);
	CHECK_EQ(8, read(event, &nr, 8));
	CHECK_EQ(ckpt_value[2], nr);
}

TEST_F(checkpoint, eventfd_of_two)
{
	struct ckpt_test *t = &self->t;
	int fd, their, event;
	char buf[64];
	pid_t pid, child;

	NOT_DRY();
	START(pid, watched, NULL);
	their = ckpt_peek_value(pid, 0);
	child = ckpt_peek_value(pid, 1);
	fd = share(pid, their);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-EBUSY, ckpt_checkpoint(t, pid, t->image, 0));
	/* Named as the child's. */
	EXPECT_LT(0, save_args(t, pid, arg(buf, "external %d:%d\n", child,
					   their)));
	ASSERT_EQ(0, ckpt_kill(t, pid));
	event = eventfd(0, EFD_NONBLOCK);
	EXPECT_EQ(0, restart_fails(t, EBADF,
				   arg(buf, "inherit fd:%d=%d\n", their, event),
				   "was [eventfd] outside"));
	ASSERT_EQ(pid, restart_args(t, arg(buf, "inherit %d:%d=%d\n", child,
					   their, event)));
	EXPECT_EQ(0, poke_value(pid, 2, 3));
	EXPECT_EQ(0, ckpt_finish(t, pid));
	close(fd);
}

/* One of two sockets of a pair: the other one is left without its peer. */
SCENARIO(has_pair)
{
	int s[2];

	NEED(!socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	ckpt_value[0] = s[0];
	ckpt_value[1] = s[1];
	ckpt_point();
	CHECK_EQ(1, write(s[0], "x", 1));
}

TEST_F(checkpoint, half_a_pair)
{
	char buf[64];
	int a, b, s[2];
	pid_t pid;

	NOT_DRY();
	START(pid, has_pair, NULL);
	a = ckpt_peek_value(pid, 0);
	b = ckpt_peek_value(pid, 1);
	EXPECT_EQ(0, save_fails(&self->t, pid, EBUSY,
				arg(buf, "external fd:%d\n", a), b,
				"the other side of the socket"));
	sprintf(buf, "external fd:%d\nexternal fd:%d\n", a, b);
	EXPECT_LT(0, save_args(&self->t, pid, buf));
	ASSERT_EQ(0, ckpt_kill(&self->t, pid));
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	sprintf(buf, "inherit fd:%d=%d\ninherit fd:%d=%d\n", a, s[0], b, s[1]);
	ASSERT_EQ(pid, restart_args(&self->t, buf));
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));
}

/* In a message on its way, too. */
SCENARIO(in_flight)
{
	char control[CMSG_SPACE(sizeof(int))] = "", c = 'c';
	struct iovec iov = { &c, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1,
			      .msg_control = control,
			      .msg_controllen = sizeof(control) };
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
	int s[2], event, got;

	NEED((event = eventfd(0, EFD_NONBLOCK)) >= 0);
	NEED(!socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &event, sizeof(int));
	NEED(sendmsg(s[0], &msg, 0) == 1);
	ckpt_value[0] = event;
	ckpt_point();
	CHECK_EQ(1, recvmsg(s[1], &msg, 0));
	memcpy(&got, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(int));
	CHECK(same_file(event, got));
}

TEST_F(checkpoint, in_flight)
{
	int fd, their, event;
	pid_t pid;

	NOT_DRY();
	START(pid, in_flight, NULL);
	their = ckpt_peek_value(pid, 0);
	fd = share(pid, their);
	ASSERT_LE(0, fd);
	event = eventfd(0, EFD_NONBLOCK);
	pid = again(&self->t, pid, their, event);
	ASSERT_LT(0, pid);
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));
	close(fd);
}

/* A caller that is replaced passes its own. */
TEST_F(checkpoint, replaced_caller)
{
	int fd, their, p[2], status;
	char buf[64];
	pid_t pid, child;

	NOT_DRY();
	pid = start_writer(&self->t, &fd, &their);
	ASSERT_LT(0, pid);
	EXPECT_LT(0, save_args(&self->t, pid,
			       arg(buf, "external fd:%d\n", their)));
	ASSERT_EQ(0, ckpt_kill(&self->t, pid));
	ASSERT_EQ(0, pipe(p));
	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		restart_path(&self->t, self->t.image, RESTART_SELF |
			     RESTART_STOPPED | RESTART_FRESH_PIDS,
			     arg(buf, "inherit fd:%d=%d\n", their, p[1]));
		_exit(99);
	}
	ckpt_remember(&self->t, child);
	close(p[1]);
	/* Until then its memory is in the making. */
	ASSERT_EQ(child, waitpid(child, &status, WUNTRACED));
	ASSERT_TRUE(WIFSTOPPED(status));
	ASSERT_EQ(0, ckpt_wait_stage(&self->t, child, 2));
	ASSERT_EQ(0, ckpt_go(child));
	ASSERT_EQ(0, kill(child, SIGCONT));
	ASSERT_EQ(child, waitpid(child, &status, 0));
	ckpt_forget(&self->t, child);
	EXPECT_EQ(0, status);
	EXPECT_EQ(5, read(p[0], buf, sizeof(buf)));
}

/* Images that lie. */
TEST_F(checkpoint, hostile)
{
	struct ckpt_test *t = &self->t;
	struct ckpt_file_external *ext;
	struct ckpt_rec_hdr *hdr;
	int fd, their, p[2], tries = 0;
	char buf[64], *image;
	unsigned int i;
	size_t len;
	pid_t pid;
	long ret;

	NOT_DRY();
	pid = start_writer(t, &fd, &their);
	ASSERT_LT(0, pid);
	EXPECT_LT(0, save_args(t, pid, arg(buf, "external fd:%d\n", their)));
	ASSERT_EQ(0, ckpt_kill(t, pid));
	ASSERT_EQ(0, pipe(p));
	arg(buf, "inherit fd:%d=%d\n", their, p[1]);
	image = ckpt_read_file(t->image, &len);
	ASSERT_NE(NULL, image);
	hdr = ckpt_find_record(image, len, CKPT_REC_FILE_EXTERNAL, 0);
	ASSERT_NE(NULL, hdr);
	ext = (void *)(hdr + 1);
	EXPECT_EQ(pid, ext->pid);
	EXPECT_EQ(their, ext->fd);
	EXPECT_EQ(S_IFIFO, ext->mode);
	EXPECT_EQ(CKPT_EXTERNAL_WRITE, ext->flags);
	/* Any bit of it changed: refused, as it is not what was named. */
	for (i = 0; i < sizeof(*ext); i += 3) {
		FILE *file = fopen(t->other, "w");

		((uint8_t *)ext)[i] ^= 0x41;
		ckpt_mend_record(hdr);
		ASSERT_NE(NULL, file);
		ASSERT_EQ(len, fwrite(image, 1, len, file));
		fclose(file);
		ret = restart_path(t, t->other, RESTART_STOPPED, buf);
		EXPECT_TRUE(ret == -EINVAL || ret == -EBADF || ret == -EACCES)
			ckpt_say("byte %u gave %ld", i, ret);
		if (ret > 0)
			ckpt_kill(t, ret);
		EXPECT_FALSE(ckpt_has_children());
		((uint8_t *)ext)[i] ^= 0x41;
		tries++;
	}
	EXPECT_EQ(sizeof(*ext) / 3, tries);
	free(image);
}

TEST_HARNESS_MAIN
