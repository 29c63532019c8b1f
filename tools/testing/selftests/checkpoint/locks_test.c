// SPDX-License-Identifier: GPL-2.0
/*
 * File locks: by flock(), POSIX and open file description locks; what they
 * exclude, what ends them, who is in the way.
 */
#include "ckpt_test.h"

#include <linux/fuse.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/prctl.h>

/* Where sqlite3 puts its locks. */
#define PENDING		0x40000000L
#define RESERVED	(PENDING + 1)
#define SHARED		(PENDING + 2)
#define SHARED_LEN	510

#define TO_THE_END	0L

static int need_file(const char *name)
{
	int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0666);

	NEED(fd >= 0);
	return fd;
}

static int lock(int fd, int cmd, short type, off_t start, off_t len)
{
	struct flock fl = { .l_type = type, .l_start = start, .l_len = len };

	return fcntl(fd, cmd, &fl);
}

/* Who is in the way of this lock of another process? l_type says F_UNLCK: none. */
static struct flock ask(const char *path, short type, off_t start, off_t len)
{
	struct flock fl = { .l_type = type, .l_start = start, .l_len = len };
	int pair[2], fd, status;
	pid_t pid;

	NEED(!pipe(pair));
	pid = fork();
	NEED(pid >= 0);
	if (!pid) {
		fd = open(path, O_RDWR);
		if (fd < 0 || fcntl(fd, F_GETLK, &fl) ||
		    write(pair[1], &fl, sizeof(fl)) != sizeof(fl))
			_exit(1);
		_exit(0);
	}
	NEED(waitpid(pid, &status, 0) == pid && !status);
	NEED(read(pair[0], &fl, sizeof(fl)) == sizeof(fl));
	close(pair[0]);
	close(pair[1]);
	return fl;
}

/* The same, of an open file of its own. */
static struct flock ask_ofd(const char *path, short type, off_t start, off_t len)
{
	struct flock fl = { .l_type = type, .l_start = start, .l_len = len };
	int fd = open(path, O_RDWR);

	NEED(fd >= 0 && !fcntl(fd, F_OFD_GETLK, &fl));
	/* Nobody has POSIX locks on it, so this takes none away. */
	close(fd);
	return fl;
}

#define CHECK_HELD(_fl, _type, _start, _len, _pid)			\
	do {								\
		struct flock _l = (_fl);				\
									\
		CHECK_EQ(_type, _l.l_type);				\
		CHECK_EQ(_start, _l.l_start);				\
		CHECK_EQ(_len, _l.l_len);				\
		CHECK_EQ(_pid, _l.l_pid);				\
	} while (0)

/* --- flock() -------------------------------------------------------------- */

ROUNDTRIP(flock_exclusive)
{
	int fd = need_file("file"), again, other;

	NEED(!flock(fd, LOCK_EX));
	again = dup(fd);
	ckpt_point();
	NEED((other = open("file", O_RDONLY)) >= 0);
	CHECK_EQ(-1, flock(other, LOCK_SH | LOCK_NB));
	CHECK_EQ(EWOULDBLOCK, errno);
	/* It belongs to the open file, which has two descriptors. */
	close(fd);
	CHECK_EQ(-1, flock(other, LOCK_SH | LOCK_NB));
	CHECK_EQ(0, flock(again, LOCK_SH));
	CHECK_EQ(0, flock(other, LOCK_SH | LOCK_NB));
	CHECK_EQ(-1, flock(other, LOCK_EX | LOCK_NB));
	close(again);
	CHECK_EQ(0, flock(other, LOCK_EX | LOCK_NB));
}

ROUNDTRIP(flock_shared)
{
	int one = need_file("file"), two = need_file("file"), other;

	NEED(!flock(one, LOCK_SH) && !flock(two, LOCK_SH));
	ckpt_point();
	NEED((other = open("file", O_RDONLY)) >= 0);
	CHECK_EQ(0, flock(other, LOCK_SH | LOCK_NB));
	CHECK_EQ(0, flock(other, LOCK_UN));
	CHECK_EQ(0, flock(one, LOCK_UN));
	CHECK_EQ(-1, flock(other, LOCK_EX | LOCK_NB));
	CHECK_EQ(0, flock(two, LOCK_UN));
	CHECK_EQ(0, flock(other, LOCK_EX | LOCK_NB));
}

/* The program has closed it, and has it mapped. */
ROUNDTRIP(flock_mapped)
{
	int fd = need_file("file"), other;
	char *mem;

	NEED(!ftruncate(fd, 4096));
	mem = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	NEED(mem != MAP_FAILED);
	NEED(!flock(fd, LOCK_EX));
	close(fd);
	ckpt_point();
	NEED((other = open("file", O_RDONLY)) >= 0);
	CHECK_EQ(-1, flock(other, LOCK_SH | LOCK_NB));
	NEED(!munmap(mem, 4096));
	CHECK_EQ(0, flock(other, LOCK_EX | LOCK_NB));
}

/* A memfd that is open only by being mapped; it has a new inode. */
ROUNDTRIP(flock_mapped_memfd)
{
	int fd = memfd_create("memfd", 0), other;
	char path[80], *mem;

	NEED(fd >= 0 && !ftruncate(fd, 4096));
	mem = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	NEED(mem != MAP_FAILED);
	NEED(!flock(fd, LOCK_EX));
	close(fd);
	ckpt_point();
	snprintf(path, sizeof(path), "/proc/self/map_files/%lx-%lx",
		 (unsigned long)mem, (unsigned long)mem + 4096);
	other = open(path, O_RDWR);
	/* Not everybody may. */
	if (other < 0)
		return;
	CHECK_EQ(-1, flock(other, LOCK_SH | LOCK_NB));
	NEED(!munmap(mem, 4096));
	CHECK_EQ(0, flock(other, LOCK_SH | LOCK_NB));
}

/* Other things that have an inode of their own; their numbers change. */
ROUNDTRIP_OPT(flock_kinds, CKPT_RT_NO_SNAP)
{
	char path[40];
	int fd[5], i, other;

	NEED(!mkdir("dir", 0777) && !mkfifo("fifo", 0666));
	NEED((fd[0] = open("dir", O_RDONLY | O_DIRECTORY)) >= 0);
	NEED((fd[1] = open("fifo", O_RDWR)) >= 0);
	fd[2] = need_file("gone");
	NEED(!unlink("gone"));
	NEED((fd[3] = memfd_create("memfd", 0)) >= 0);
	NEED((fd[4] = open("file", O_RDONLY | O_CREAT, 0666)) >= 0);
	for (i = 0; i < 5; i++)
		NEED(!flock(fd[i], LOCK_EX));
	ckpt_point();
	for (i = 0; i < 5; i++) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd[i]);
		NEED((other = open(path, O_RDONLY | O_NONBLOCK)) >= 0);
		CHECK_SAY(flock(other, LOCK_SH | LOCK_NB) < 0,
			  "number %d is not locked", i);
		close(fd[i]);
		CHECK_EQ(0, flock(other, LOCK_EX | LOCK_NB));
	}
}

/* --- POSIX locks ---------------------------------------------------------- */

ROUNDTRIP(posix_ranges)
{
	int fd = need_file("file"), other = need_file("other"), only;
	const off_t last = INT64_MAX;

	NEED(!lock(fd, F_SETLK, F_WRLCK, 0, 10));
	NEED(!lock(fd, F_SETLK, F_RDLCK, 10, 10));
	NEED(!lock(fd, F_SETLK, F_RDLCK, 50, 1));
	NEED(!lock(fd, F_SETLKW, F_WRLCK, 100, TO_THE_END));
	NEED(!lock(other, F_SETLK, F_WRLCK, last, 1));
	NEED((only = open("other", O_RDONLY)) >= 0);
	NEED(!lock(only, F_SETLK, F_RDLCK, 5, 5));
	ckpt_point();
	CHECK_HELD(ask("file", F_RDLCK, 0, 0), F_WRLCK, 0, 10, getpid());
	CHECK_HELD(ask("file", F_WRLCK, 10, 80), F_RDLCK, 10, 10, getpid());
	CHECK_EQ(F_UNLCK, ask("file", F_RDLCK, 10, 80).l_type);
	CHECK_EQ(F_UNLCK, ask("file", F_WRLCK, 20, 30).l_type);
	CHECK_HELD(ask("file", F_WRLCK, 50, 50), F_RDLCK, 50, 1, getpid());
	CHECK_EQ(F_UNLCK, ask("file", F_WRLCK, 51, 49).l_type);
	CHECK_HELD(ask("file", F_RDLCK, 1000, 1), F_WRLCK, 100, 0, getpid());
	CHECK_HELD(ask("other", F_RDLCK, last, 1), F_WRLCK, last, 0, getpid());
	CHECK_HELD(ask("other", F_WRLCK, 0, 100), F_RDLCK, 5, 5, getpid());
	/* They are the process's own: it can change them. */
	CHECK_EQ(0, lock(fd, F_SETLK, F_UNLCK, 5, 10));
	CHECK_HELD(ask("file", F_RDLCK, 0, 0), F_WRLCK, 0, 5, getpid());
	CHECK_HELD(ask("file", F_WRLCK, 5, 50), F_RDLCK, 15, 5, getpid());
	CHECK_EQ(0, lock(fd, F_SETLK, F_RDLCK, 0, 1));
	CHECK_HELD(ask("file", F_RDLCK, 0, 0), F_WRLCK, 1, 4, getpid());
}

/* Closing any descriptor of the file ends them, and nothing else does. */
ROUNDTRIP(posix_close)
{
	int fd = need_file("file"), second = need_file("file"), pair[2], other;

	NEED(!lock(fd, F_SETLK, F_WRLCK, 0, 1));
	NEED(!lock(second, F_SETLK, F_WRLCK, 10, 1));
	NEED(!pipe(pair));
	ckpt_point();
	close(pair[0]);
	close(need_file("another"));
	CHECK_EQ(F_WRLCK, ask("file", F_RDLCK, 0, 1).l_type);
	CHECK_EQ(F_WRLCK, ask("file", F_RDLCK, 10, 1).l_type);
	NEED((other = open("file", O_RDONLY)) >= 0);
	close(other);
	CHECK_EQ(F_UNLCK, ask("file", F_RDLCK, 0, 0).l_type);
}

/* Those of a descriptor that closes on exec. */
ROUNDTRIP(posix_exec)
{
	char *argv[] = { "true", NULL }, *envp[] = { NULL };
	int keep = open("keep", O_RDWR | O_CREAT, 0666), status;
	int fd = need_file("file");
	pid_t pid;

	NEED(keep >= 0);
	NEED(!lock(keep, F_SETLK, F_WRLCK, 0, 1));
	NEED(!lock(fd, F_SETLK, F_WRLCK, 0, 1));
	ckpt_point();
	/* A child has none of them, nor takes them along. */
	pid = fork();
	NEED(pid >= 0);
	if (!pid) {
		if (!lock(fd, F_SETLK, F_WRLCK, 0, 1))
			_exit(1);
		execve("/bin/true", argv, envp);
		_exit(2);
	}
	CHECK_EQ(pid, waitpid(pid, &status, 0));
	CHECK_EQ(0, status);
	CHECK_EQ(getpid(), ask("file", F_RDLCK, 0, 1).l_pid);
	CHECK_EQ(getpid(), ask("keep", F_RDLCK, 0, 1).l_pid);
}

ROUNDTRIP(posix_many)
{
	int fd = need_file("file"), i;

	for (i = 0; i < 1000; i++)
		NEED(!lock(fd, F_SETLK, i % 2 ? F_RDLCK : F_WRLCK, i * 3, 2));
	ckpt_point();
	for (i = 0; i < 1000; i += 111)
		CHECK_HELD(ask("file", F_WRLCK, i * 3, 2),
			   i % 2 ? F_RDLCK : F_WRLCK, i * 3, 2, getpid());
	CHECK_EQ(F_UNLCK, ask("file", F_WRLCK, 2, 1).l_type);
	CHECK_EQ(F_UNLCK, ask("file", F_WRLCK, 3000, 0).l_type);
}

/* In the middle of a transaction: reserved, readers may go on. */
ROUNDTRIP(posix_database)
{
	int fd = need_file("db");

	NEED(write(fd, "page", 4) == 4);
	NEED(!lock(fd, F_SETLK, F_RDLCK, PENDING, 1));
	NEED(!lock(fd, F_SETLK, F_RDLCK, SHARED, SHARED_LEN));
	NEED(!lock(fd, F_SETLK, F_UNLCK, PENDING, 1));
	NEED(!lock(fd, F_SETLK, F_WRLCK, RESERVED, 1));
	ckpt_point();
	CHECK_EQ(F_UNLCK, ask("db", F_RDLCK, PENDING, 1).l_type);
	CHECK_EQ(F_UNLCK, ask("db", F_RDLCK, SHARED, SHARED_LEN).l_type);
	CHECK_HELD(ask("db", F_WRLCK, SHARED, SHARED_LEN), F_RDLCK, SHARED,
		   SHARED_LEN, getpid());
	CHECK_HELD(ask("db", F_WRLCK, RESERVED, 1), F_WRLCK, RESERVED, 1,
		   getpid());
	/* Commit. */
	CHECK_EQ(0, lock(fd, F_SETLK, F_WRLCK, PENDING, 1));
	CHECK_EQ(0, lock(fd, F_SETLK, F_WRLCK, SHARED, SHARED_LEN));
	CHECK_HELD(ask("db", F_RDLCK, SHARED, 1), F_WRLCK, PENDING,
		   SHARED_LEN + 2, getpid());
	CHECK_EQ(4, pwrite(fd, "PAGE", 4, 0));
	CHECK_EQ(0, lock(fd, F_SETLK, F_UNLCK, 0, TO_THE_END));
	CHECK_EQ(F_UNLCK, ask("db", F_WRLCK, 0, 0).l_type);
}

/* --- locks of open file descriptions --------------------------------------- */

ROUNDTRIP(ofd)
{
	int one = need_file("file"), two = need_file("file"), again, other;

	NEED(!lock(one, F_OFD_SETLK, F_WRLCK, 0, 10));
	NEED(!lock(two, F_OFD_SETLK, F_RDLCK, 10, 10));
	NEED(!lock(one, F_OFD_SETLKW, F_WRLCK, 30, TO_THE_END));
	again = dup(one);
	ckpt_point();
	CHECK_HELD(ask_ofd("file", F_RDLCK, 0, 10), F_WRLCK, 0, 10, -1);
	CHECK_HELD(ask_ofd("file", F_WRLCK, 5 + 5, 20), F_RDLCK, 10, 10, -1);
	CHECK_HELD(ask_ofd("file", F_RDLCK, 99, 1), F_WRLCK, 30, 0, -1);
	/* Between those of the process itself, too. */
	CHECK_EQ(-1, lock(two, F_OFD_SETLK, F_RDLCK, 9, 1));
	CHECK_EQ(-1, lock(one, F_OFD_SETLK, F_WRLCK, 10, 1));
	CHECK_EQ(-1, lock(one, F_SETLK, F_RDLCK, 0, 1));
	NEED((other = open("file", O_RDONLY)) >= 0);
	close(other);
	close(one);
	CHECK_EQ(F_WRLCK, ask_ofd("file", F_RDLCK, 0, 10).l_type);
	close(again);
	CHECK_EQ(F_UNLCK, ask_ofd("file", F_RDLCK, 0, 0).l_type);
	CHECK_EQ(F_RDLCK, ask_ofd("file", F_WRLCK, 0, 0).l_type);
}

ROUNDTRIP(all_kinds_together)
{
	int fd = need_file("file"), other;

	NEED(!flock(fd, LOCK_EX));
	NEED(!lock(fd, F_SETLK, F_WRLCK, 0, 5));
	NEED(!lock(fd, F_OFD_SETLK, F_WRLCK, 5, 5));
	ckpt_point();
	CHECK_HELD(ask("file", F_RDLCK, 0, 5), F_WRLCK, 0, 5, getpid());
	CHECK_HELD(ask("file", F_RDLCK, 5, 5), F_WRLCK, 5, 5, -1);
	NEED((other = open("file", O_RDONLY)) >= 0);
	CHECK_EQ(-1, flock(other, LOCK_EX | LOCK_NB));
}

/* --- shared between processes ----------------------------------------------- */

static pid_t waiting_child(int flags)
{
	pid_t pid = syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);

	NEED(pid >= 0);
	if (pid)
		return pid;
	for (;;)
		pause();
}

/* An open file that parent and child have. */
ROUNDTRIP(flock_inherited)
{
	int fd = need_file("file"), other;
	pid_t pid;

	NEED(!flock(fd, LOCK_EX));
	NEED(!lock(fd, F_OFD_SETLK, F_WRLCK, 0, 5));
	pid = waiting_child(0);
	ckpt_point();
	close(fd);
	NEED((other = open("file", O_RDWR)) >= 0);
	CHECK_EQ(-1, flock(other, LOCK_EX | LOCK_NB));
	CHECK_EQ(-1, lock(other, F_OFD_SETLK, F_WRLCK, 0, 5));
	CHECK_EQ(0, kill(pid, SIGKILL));
	CHECK_EQ(pid, waitpid(pid, NULL, 0));
	CHECK_EQ(0, flock(other, LOCK_EX | LOCK_NB));
	CHECK_EQ(0, lock(other, F_OFD_SETLK, F_WRLCK, 0, 5));
}

/* POSIX locks are of the parent alone, which the child does not get. */
ROUNDTRIP(posix_not_inherited)
{
	int fd = need_file("file");
	pid_t pid;

	NEED(!lock(fd, F_SETLK, F_WRLCK, 0, 5));
	pid = waiting_child(0);
	ckpt_point();
	CHECK_HELD(ask("file", F_WRLCK, 0, 0), F_WRLCK, 0, 5, getpid());
	CHECK_EQ(0, kill(pid, SIGKILL));
	CHECK_EQ(pid, waitpid(pid, NULL, 0));
	CHECK_HELD(ask("file", F_WRLCK, 0, 0), F_WRLCK, 0, 5, getpid());
}

/* Unless they have one table of descriptors. */
ROUNDTRIP(posix_shared_table)
{
	int fd = need_file("file");
	pid_t pid;

	pid = waiting_child(CLONE_FILES);
	NEED(!lock(fd, F_SETLK, F_WRLCK, 0, 5));
	ckpt_point();
	CHECK_HELD(ask("file", F_WRLCK, 0, 0), F_WRLCK, 0, 5, getpid());
	CHECK_EQ(0, kill(pid, SIGKILL));
	CHECK_EQ(pid, waitpid(pid, NULL, 0));
	CHECK_HELD(ask("file", F_WRLCK, 0, 0), F_WRLCK, 0, 5, getpid());
	close(fd);
	CHECK_EQ(F_UNLCK, ask("file", F_WRLCK, 0, 0).l_type);
}

/* And then it is said who has set them. */
ROUNDTRIP(posix_set_by_child)
{
	int fd = need_file("file"), pair[2];
	pid_t pid;
	char c;

	NEED(!pipe(pair));
	pid = syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
	NEED(pid >= 0);
	if (!pid) {
		lock(fd, F_SETLK, F_WRLCK, 0, 5);
		if (write(pair[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	NEED(read(pair[0], &c, 1) == 1);
	ckpt_point();
	CHECK_HELD(ask("file", F_WRLCK, 0, 0), F_WRLCK, 0, 5, pid);
	/* It is the parent's, too. */
	CHECK_EQ(0, lock(fd, F_SETLK, F_UNLCK, 0, 2));
	CHECK_HELD(ask("file", F_WRLCK, 0, 0), F_WRLCK, 2, 3, pid);
	CHECK_EQ(0, kill(pid, SIGKILL));
	CHECK_EQ(pid, waitpid(pid, NULL, 0));
}

/* A child waits for the parent's lock, and then has it. */
ROUNDTRIP(waiter_in_tree)
{
	int fd = need_file("file"), status;
	pid_t pid;

	NEED(!lock(fd, F_SETLK, F_WRLCK, 0, 5));
	pid = fork();
	NEED(pid >= 0);
	if (!pid)
		_exit(lock(fd, F_SETLKW, F_WRLCK, 2, 10) ? 1 : 7);
	NEED(!ckpt_wait_syscall(pid, SYS_fcntl));
	ckpt_point();
	CHECK_EQ(0, ckpt_wait_syscall(pid, SYS_fcntl));
	CHECK_EQ(0, waitpid(pid, &status, WNOHANG));
	CHECK_EQ(0, lock(fd, F_SETLK, F_UNLCK, 0, 5));
	CHECK_EQ(pid, waitpid(pid, &status, 0));
	CHECK(WIFEXITED(status));
	CHECK_EQ(7, WEXITSTATUS(status));
}

/* --- with somebody outside -------------------------------------------------- */

/* What the tester wants the target to have, by its argument. */
SCENARIO(holds)
{
	int fd = need_file("file"), only;

	switch (ckpt_arg[0]) {
	case 'f':
		NEED(!flock(fd, LOCK_EX));
		break;
	case 'p':
		NEED(!lock(fd, F_SETLK, F_WRLCK, 10, 10));
		break;
	case 'r':
		/* Two locks: what is in the way of the second one is found late. */
		NEED((only = open("file", O_RDONLY)) >= 0);
		NEED(!lock(only, F_OFD_SETLK, F_RDLCK, 0, 1));
		NEED(!lock(fd, F_OFD_SETLK, F_RDLCK, 10, 10));
		break;
	default:
		NEED(!lock(fd, F_OFD_SETLK, F_WRLCK, 10, 10));
	}
	ckpt_point();
}

/* Can the tester have a lock in the same place? */
static int take_for(char kind, int fd, bool take)
{
	if (kind == 'f')
		return flock(fd, (take ? LOCK_EX : LOCK_UN) | LOCK_NB);
	return lock(fd, kind == 'p' ? F_SETLK : F_OFD_SETLK,
		    take ? F_WRLCK : F_UNLCK, 15, 100);
}

static const char *const kinds[] = { "flock", "posix", "ofd", "read" };

/* What has come back excludes others as before, and ends with the process. */
TEST_F(checkpoint, excludes_others)
{
	char path[200];
	unsigned int i;
	pid_t pid;
	int fd;

	NOT_DRY();
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		START(pid, holds, kinds[i]);
		snprintf(path, sizeof(path), "%s/file", self->t.run);
		fd = open(path, O_RDWR | O_CLOEXEC);
		ASSERT_LE(0, fd);
		EXPECT_EQ(-1, take_for(kinds[i][0], fd, true));
		ASSERT_LT(0, ckpt_checkpoint(&self->t, pid, self->t.image, 0));
		EXPECT_EQ(-1, take_for(kinds[i][0], fd, true));
		ASSERT_EQ(0, ckpt_kill(&self->t, pid));
		EXPECT_EQ(0, take_for(kinds[i][0], fd, true));
		EXPECT_EQ(0, take_for(kinds[i][0], fd, false));
		ASSERT_EQ(pid, ckpt_restart(&self->t, self->t.image, 0));
		EXPECT_EQ(-1, take_for(kinds[i][0], fd, true));
		EXPECT_EQ(EAGAIN, errno);
		ASSERT_EQ(0, ckpt_finish(&self->t, pid));
		EXPECT_EQ(0, take_for(kinds[i][0], fd, true));
		close(fd);
	}
}

/* Is there a reason that names the file, and who has it? */
static bool named(struct ckpt_test *t, const char *path, pid_t pid)
{
	char process[40];

	snprintf(process, sizeof(process), "process %d holds", pid);
	if (ckpt_reason(t, EBUSY, "locks", -1, 0, process) &&
	    ckpt_reason(t, EBUSY, "locks", -1, 0, path))
		return true;
	ckpt_show_log(t);
	return false;
}

TEST_F(checkpoint, in_the_way)
{
	char path[200];
	unsigned int i;
	pid_t pid;
	int fd;

	NOT_DRY();
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		START(pid, holds, kinds[i]);
		snprintf(path, sizeof(path), "%s/file", self->t.run);
		ASSERT_LT(0, ckpt_checkpoint(&self->t, pid, self->t.image, 0));
		if (kinds[i][0] != 'r') {
			/* The one that was saved lives on. */
			EXPECT_EQ(-EBUSY, ckpt_restart(&self->t, self->t.image,
						       RESTART_FRESH_PIDS));
			EXPECT_TRUE(named(&self->t, path, pid));
		}
		ASSERT_EQ(0, ckpt_kill(&self->t, pid));
		fd = open(path, O_RDWR | O_CLOEXEC);
		ASSERT_LE(0, fd);
		EXPECT_EQ(0, take_for(kinds[i][0], fd, true));
		EXPECT_EQ(-EBUSY, ckpt_restart(&self->t, self->t.image, 0));
		EXPECT_TRUE(named(&self->t, path, getpid()));
		/* What it had got by then it has not kept. */
		EXPECT_EQ(0, lock(fd, F_OFD_SETLK, F_WRLCK, 0, 1));
		EXPECT_EQ(0, lock(fd, F_OFD_SETLK, F_UNLCK, 0, 1));
		EXPECT_EQ(0, take_for(kinds[i][0], fd, false));
		ASSERT_EQ(pid, ckpt_restart(&self->t, self->t.image, 0));
		EXPECT_EQ(0, ckpt_finish(&self->t, pid));
		close(fd);
	}
}

/* What binds the caller is found out behind the locks. */
static int fails_late(struct ckpt_test *t)
{
	long ret;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return 1;
	ret = ckpt_restart(t, t->image, RESTART_FRESH_PIDS);
	return ret == -EPERM && strstr(t->log, "no_new_privs") ? 0 : 2;
}

TEST_F(checkpoint, failure_keeps_no_lock)
{
	char path[200];
	unsigned int i;
	pid_t pid;
	int fd;

	NOT_DRY();
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		START(pid, holds, kinds[i]);
		snprintf(path, sizeof(path), "%s/file", self->t.run);
		ASSERT_LT(0, ckpt_checkpoint(&self->t, pid, self->t.image, 0));
		ASSERT_EQ(0, ckpt_kill(&self->t, pid));
		EXPECT_EQ(0, ckpt_as_user(&self->t, getuid(), fails_late));
		fd = open(path, O_RDWR | O_CLOEXEC);
		ASSERT_LE(0, fd);
		EXPECT_EQ(0, flock(fd, LOCK_EX | LOCK_NB));
		EXPECT_EQ(0, lock(fd, F_OFD_SETLK, F_WRLCK, 0, TO_THE_END));
		close(fd);
		ASSERT_EQ(pid, ckpt_restart(&self->t, self->t.image, 0));
		EXPECT_EQ(0, ckpt_finish(&self->t, pid));
	}
}

/* Who waits for a lock waits again. */
SCENARIO(waits)
{
	int fd = need_file(ckpt_arg + 1);

	ckpt_announce();
	if (ckpt_arg[0] == 'f')
		CHECK_EQ(0, flock(fd, LOCK_EX));
	else
		CHECK_EQ(0, lock(fd, ckpt_arg[0] == 'p' ? F_SETLKW :
							  F_OFD_SETLKW,
				 F_WRLCK, 15, 100));
	ckpt_point();
}

TEST_F(checkpoint, waiter)
{
	char path[200], arg[300];
	unsigned int i;
	pid_t pid;
	int fd;

	NOT_DRY();
	for (i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/wanted", self->t.dir);
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
		ASSERT_LE(0, fd);
		EXPECT_EQ(0, take_for(kinds[i][0], fd, true));
		snprintf(arg, sizeof(arg), "%c%s", kinds[i][0], path);
		START(pid, waits, arg);
		ASSERT_EQ(0, ckpt_wait_syscall(pid, kinds[i][0] == 'f' ?
						    SYS_flock : SYS_fcntl));
		ASSERT_LT(0, ckpt_checkpoint(&self->t, pid, self->t.image, 0));
		ASSERT_EQ(0, ckpt_wait_syscall(pid, kinds[i][0] == 'f' ?
						    SYS_flock : SYS_fcntl));
		ASSERT_EQ(0, ckpt_kill(&self->t, pid));
		ASSERT_EQ(pid, ckpt_restart(&self->t, self->t.image, 0));
		ASSERT_EQ(0, ckpt_wait_syscall(pid, kinds[i][0] == 'f' ?
						    SYS_flock : SYS_fcntl));
		EXPECT_EQ(0, take_for(kinds[i][0], fd, false));
		ASSERT_EQ(0, ckpt_wait_stage(&self->t, pid, 2));
		EXPECT_EQ(-1, take_for(kinds[i][0], fd, true));
		EXPECT_EQ(0, ckpt_finish(&self->t, pid));
		EXPECT_EQ(0, take_for(kinds[i][0], fd, true));
		close(fd);
	}
}

/* --- of oneself -------------------------------------------------------------- */

/*
 * The caller that is to be replaced is in the way of what comes back, until it
 * gives the lock up.
 */
SCENARIO(undo_locked)
{
	int fd = need_file("file"), again = need_file("image"), out, other;
	long ret;

	NEED(!flock(fd, LOCK_EX));
	/* The image's descriptor does not come back, and so not its lock. */
	NEED((out = open("image", O_RDWR | O_CLOEXEC)) >= 0);
	NEED(!lock(out, F_SETLK, F_WRLCK, 0, 1));
	ret = ckpt_sys_checkpoint(0, out, 0);
	NEED(ret >= 0);
	if (ret) {
		NEED(!lseek(out, 0, SEEK_SET));
		CHECK_EQ(-EBUSY, ckpt_sys_restart(0, out, RESTART_SELF));
		NEED((other = open("file", O_RDONLY)) >= 0);
		CHECK_EQ(-1, flock(other, LOCK_SH | LOCK_NB));
		NEED(!flock(fd, LOCK_UN));
		NEED(!lseek(out, 0, SEEK_SET));
		ret = ckpt_sys_restart(0, out, RESTART_SELF);
		ckpt_target_fail(__FILE__, __LINE__, "restart of oneself: %s",
				 strerror(-ret));
		ckpt_target_die();
	}
	CHECK_EQ(-1, fcntl(out, F_GETFD));
	CHECK_EQ(FD_CLOEXEC, fcntl(again, F_GETFD));
	NEED((other = open("file", O_RDONLY)) >= 0);
	CHECK_EQ(-1, flock(other, LOCK_SH | LOCK_NB));
	CHECK_EQ(F_UNLCK, ask("image", F_WRLCK, 0, 0).l_type);
	ckpt_point();
}

TEST_F(checkpoint, undo_locked)
{
	pid_t pid;

	NOT_DRY();
	START(pid, undo_locked, NULL);
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));
}

/* --- on a FUSE file system ------------------------------------------------------ */

#define FUSE_FILE_INO	2

static void fuse_attr(struct fuse_attr *attr, uint64_t ino)
{
	memset(attr, 0, sizeof(*attr));
	attr->ino = ino;
	attr->nlink = 1;
	attr->mode = ino == FUSE_ROOT_ID ? S_IFDIR | 0755 : S_IFREG | 0666;
	attr->size = ino == FUSE_ROOT_ID ? 0 : 100;
}

/* One file, called "file", that nobody reads or writes. */
static int fuse_answer(const struct fuse_in_header *in, uint32_t flags,
		       void *answer, size_t *len)
{
	struct fuse_entry_out *entry = answer;
	struct fuse_attr_out *attr = answer;
	struct fuse_init_out *init = answer;

	switch (in->opcode) {
	case FUSE_INIT:
		init->major = FUSE_KERNEL_VERSION;
		init->minor = FUSE_KERNEL_MINOR_VERSION;
		init->flags = flags;
		init->max_write = 4096;
		*len = sizeof(*init);
		return 0;
	case FUSE_LOOKUP:
		if (strcmp((char *)(in + 1), "file"))
			return -ENOENT;
		entry->nodeid = FUSE_FILE_INO;
		fuse_attr(&entry->attr, entry->nodeid);
		*len = sizeof(*entry);
		return 0;
	case FUSE_GETATTR:
		fuse_attr(&attr->attr, in->nodeid);
		*len = sizeof(*attr);
		return 0;
	case FUSE_OPEN:
	case FUSE_OPENDIR:
		*len = sizeof(struct fuse_open_out);
		return 0;
	case FUSE_FLUSH:
	case FUSE_RELEASE:
	case FUSE_RELEASEDIR:
	case FUSE_SETLK:
		return 0;
	default:
		return -ENOSYS;
	}
}

static void fuse_serve(int dev, uint32_t flags)
{
	static char buf[1 << 16];
	const struct fuse_in_header *in = (void *)buf;
	struct {
		struct fuse_out_header header;
		uint64_t answer[32];
	} out;
	size_t len;

	while (read(dev, buf, sizeof(buf)) > 0) {
		if (in->opcode == FUSE_FORGET || in->opcode == FUSE_INTERRUPT ||
		    in->opcode == FUSE_BATCH_FORGET)
			continue;
		memset(&out, 0, sizeof(out));
		len = 0;
		out.header.unique = in->unique;
		out.header.error = fuse_answer(in, flags, out.answer, &len);
		out.header.len = sizeof(out.header) + len;
		if (write(dev, &out, out.header.len) < 0 && errno == ENODEV)
			break;
	}
	_exit(0);
}

/* Returns the server's pid, or 0. */
static pid_t fuse_mount(const char *dir, uint32_t flags)
{
	int dev = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	char options[100];
	pid_t pid;

	snprintf(options, sizeof(options),
		 "fd=%d,rootmode=40000,user_id=0,group_id=0", dev);
	if (dev < 0 || mount("test", dir, "fuse", 0, options))
		return 0;
	fflush(stdout);
	pid = fork();
	if (!pid)
		fuse_serve(dev, flags);
	close(dev);
	return pid > 0 ? pid : 0;
}

static int fuse_umount(const char *dir, pid_t server)
{
	int ret = umount(dir);

	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	return ret;
}

SCENARIO(holds_path)
{
	int fd;

	NEED((fd = open(ckpt_arg, O_RDWR)) >= 0);
	ckpt_value[0] = fd;
	ckpt_point();
	NEED(!flock(fd, LOCK_EX));
	NEED(!lock(fd, F_SETLK, F_WRLCK, 10, 10));
	ckpt_point();
}

/* Whether its locks are the kernel's own depends on what the server wants. */
TEST_F(checkpoint, fuse)
{
	char dir[100], path[120];
	pid_t pid, server;
	int fd;

	NOT_DRY();
	snprintf(dir, sizeof(dir), "%s/fuse", self->t.dir);
	snprintf(path, sizeof(path), "%s/file", dir);
	ASSERT_EQ(0, mkdir(dir, 0755));
	server = fuse_mount(dir, 0);
	if (!server)
		SKIP(return, "no FUSE: %s", strerror(errno));
	START(pid, holds_path, path);
	ASSERT_EQ(0, ckpt_go(pid));
	ASSERT_EQ(0, ckpt_wait_stage(&self->t, pid, 2));
	EXPECT_LT(0, ckpt_checkpoint(&self->t, pid, self->t.image, 0));
	ASSERT_EQ(0, ckpt_kill(&self->t, pid));
	fd = open(path, O_RDWR | O_CLOEXEC);
	EXPECT_EQ(0, take_for('f', fd, true));
	EXPECT_EQ(0, take_for('f', fd, false));
	EXPECT_EQ(pid, ckpt_restart(&self->t, self->t.image, 0));
	EXPECT_EQ(-1, take_for('f', fd, true));
	EXPECT_EQ(-1, take_for('p', fd, true));
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));
	EXPECT_EQ(0, take_for('f', fd, true));
	close(fd);
	EXPECT_EQ(0, fuse_umount(dir, server));

	/* One that keeps locks itself. */
	server = fuse_mount(dir, FUSE_POSIX_LOCKS | FUSE_FLOCK_LOCKS);
	ASSERT_LT(0, server);
	EXPECT_EQ(-EOPNOTSUPP, ckpt_restart(&self->t, self->t.image, 0));
	EXPECT_TRUE(ckpt_reason(&self->t, EOPNOTSUPP, "locks", -1, 0,
				"keeps them itself (fuse)"));
	START(pid, holds_path, path);
	EXPECT_EQ(-EOPNOTSUPP, ckpt_checkpoint(&self->t, pid, self->t.image, 0));
	EXPECT_TRUE(ckpt_reason(&self->t, EOPNOTSUPP, "locks",
				ckpt_peek_value(pid, 0), 0, "cannot be seen"));
	ASSERT_EQ(0, ckpt_kill(&self->t, pid));
	EXPECT_EQ(0, fuse_umount(dir, server));
}

/* --- refused ------------------------------------------------------------------ */

REFUSED(lease_read, EOPNOTSUPP, "locks", "lease")
{
	int fd;

	NEED((fd = open("file", O_RDONLY | O_CREAT, 0666)) >= 0);
	if (fcntl(fd, F_SETLEASE, F_RDLCK))
		ckpt_skip("no leases here: %s", strerror(errno));
	ckpt_value[0] = fd;
	ckpt_point();
	CHECK_EQ(F_RDLCK, fcntl(fd, F_GETLEASE));
	CHECK_EQ(0, fcntl(fd, F_SETLEASE, F_UNLCK));
}

REFUSED(lease_write, EOPNOTSUPP, "locks", "lease")
{
	int fd = need_file("file");

	if (fcntl(fd, F_SETLEASE, F_WRLCK))
		ckpt_skip("no leases here: %s", strerror(errno));
	ckpt_value[0] = fd;
	ckpt_point();
	CHECK_EQ(F_WRLCK, fcntl(fd, F_GETLEASE));
}

/* A device's open file may be somebody else's, too. */
REFUSED(locked_device, EOPNOTSUPP, "locks", "kind of file")
{
	int fd;

	NEED((fd = open("/dev/zero", O_RDONLY)) >= 0);
	NEED(!flock(fd, LOCK_SH));
	ckpt_value[0] = fd;
	ckpt_point();
	CHECK_EQ(0, flock(fd, LOCK_UN));
}

TEST_HARNESS_MAIN
