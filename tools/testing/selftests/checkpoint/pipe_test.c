// SPDX-License-Identifier: GPL-2.0
/*
 * Pipes and FIFOs within the process: ends, data, packets, sizes.
 */
#include "ckpt_test.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/uio.h>

ROUNDTRIP(some_data)
{
	char text[3000], buf[4000];
	int p[2];

	NEED(!pipe2(p, O_CLOEXEC));
	ckpt_fill(text, sizeof(text), 1);
	NEED(write(p[1], text, 2000) == 2000);
	NEED(read(p[0], buf, 500) == 500);
	NEED(write(p[1], text + 2000, 1000) == 1000);
	ckpt_point();
	CHECK_EQ(2500, read(p[0], buf + 500, sizeof(buf) - 500));
	CHECK_FILL(buf, 3000, 1);
	CHECK_EQ(FD_CLOEXEC, fcntl(p[0], F_GETFD));
	CHECK_EQ(FD_CLOEXEC, fcntl(p[1], F_GETFD));
	CHECK_EQ(1, write(p[1], "x", 1));
	CHECK_EQ(1, read(p[0], buf, 10));
	CHECK_EQ(-1, write(p[0], "x", 1));
	CHECK_EQ(EBADF, errno);
}

ROUNDTRIP(empty)
{
	struct pollfd pfd = { .events = POLLIN };
	int p[2];

	NEED(!pipe(p));
	pfd.fd = p[0];
	ckpt_point();
	CHECK_EQ(0, poll(&pfd, 1, 0));
	NEED(write(p[1], "x", 1) == 1);
	CHECK_EQ(1, poll(&pfd, 1, 0));
}

ROUNDTRIP(full)
{
	char buf[4096];
	long written = 0, got, was_read = 0;
	int p[2];

	NEED(!pipe2(p, O_NONBLOCK));
	ckpt_fill(buf, sizeof(buf), 1);
	while ((got = write(p[1], buf, sizeof(buf))) > 0)
		written += got;
	NEED(errno == EAGAIN && written == 65536);
	ckpt_point();
	CHECK_EQ(O_NONBLOCK, fcntl(p[1], F_GETFL) & O_NONBLOCK);
	CHECK_EQ(-1, write(p[1], buf, sizeof(buf)));
	CHECK_EQ(EAGAIN, errno);
	while ((got = read(p[0], buf, sizeof(buf))) > 0) {
		CHECK_EQ(sizeof(buf), got);
		CHECK_FILL(buf, sizeof(buf), 1);
		was_read += got;
	}
	CHECK_EQ(written, was_read);
}

ROUNDTRIP(size)
{
	static char buf[300000];
	int p[2], q[2], small, n;

	NEED(!pipe(p) && !pipe(q));
	NEED(fcntl(p[0], F_SETPIPE_SZ, 512 * 1024) == 512 * 1024);
	small = fcntl(q[0], F_SETPIPE_SZ, 4096);
	ckpt_fill(buf, sizeof(buf), 2);
	NEED(write(p[1], buf, sizeof(buf)) == sizeof(buf));
	ckpt_point();
	CHECK_EQ(512 * 1024, fcntl(p[1], F_GETPIPE_SZ));
	CHECK_EQ(small, fcntl(q[1], F_GETPIPE_SZ));
	NEED(!ioctl(p[0], FIONREAD, &n));
	CHECK_EQ(sizeof(buf), n);
	memset(buf, 0, sizeof(buf));
	CHECK_EQ(sizeof(buf), read(p[0], buf, sizeof(buf)));
	CHECK_FILL(buf, sizeof(buf), 2);
}

/* Many small writes, which take a page each. */
ROUNDTRIP(packets)
{
	char buf[100];
	int p[2], i;

	NEED(!pipe2(p, O_DIRECT));
	for (i = 1; i <= 10; i++) {
		memset(buf, i, i);
		NEED(write(p[1], buf, i) == i);
	}
	ckpt_point();
	CHECK_EQ(O_DIRECT, fcntl(p[1], F_GETFL) & O_DIRECT);
	for (i = 1; i <= 10; i++) {
		CHECK_EQ(i, read(p[0], buf, sizeof(buf)));
		CHECK_EQ(i, buf[i - 1]);
	}
	/* And so are those that come later. */
	NEED(write(p[1], "ab", 2) == 2 && write(p[1], "c", 1) == 1);
	CHECK_EQ(2, read(p[0], buf, sizeof(buf)));
}

static void *volatile nowhere = (void *)8;

/* A write() that fails leaves an empty page in the pipe; data follow it. */
ROUNDTRIP(empty_page)
{
	static char buf[8192];
	int p[2];

	NEED(!pipe(p));
	NEED(write(p[1], nowhere, 10) == -1 && errno == EFAULT);
	ckpt_fill(buf, 4096, 3);
	NEED(write(p[1], buf, 4096) == 4096);
	ckpt_point();
	memset(buf, 0, sizeof(buf));
	CHECK_EQ(4096, read(p[0], buf, sizeof(buf)));
	CHECK_FILL(buf, 4096, 3);
}

/* And an empty packet, which reads as an end of the file. */
REFUSED(empty_packet, EOPNOTSUPP, NULL, "an empty packet in the pipe")
{
	char buf[10];
	ssize_t got;
	int p[2];

	NEED(!pipe2(p, O_DIRECT));
	NEED(write(p[1], nowhere, 10) == -1 && errno == EFAULT);
	NEED(write(p[1], "data", 4) == 4);
	ckpt_point();
	got = read(p[0], buf, 10);
	/* Later kernels leave none. */
	if (!got)
		got = read(p[0], buf, 10);
	CHECK_EQ(4, got);
}

/* The other end is closed. */
ROUNDTRIP(only_reader)
{
	char buf[10] = "";
	int p[2];

	NEED(!pipe(p));
	NEED(write(p[1], "last", 4) == 4);
	close(p[1]);
	ckpt_point();
	CHECK_EQ(4, read(p[0], buf, 10));
	CHECK(!strcmp(buf, "last"));
	CHECK_EQ(0, read(p[0], buf, 10));
}

ROUNDTRIP(only_writer)
{
	int p[2];

	signal(SIGPIPE, SIG_IGN);
	NEED(!pipe(p));
	NEED(write(p[1], "lost", 4) == 4);
	close(p[0]);
	ckpt_point();
	CHECK_EQ(-1, write(p[1], "x", 1));
	CHECK_EQ(EPIPE, errno);
}

ROUNDTRIP(shared_ends)
{
	char buf[10] = "";
	int p[2], again, both;

	NEED(!pipe(p));
	NEED(dup2(p[1], 50) == 50);
	/* A second description of the reading end, and one of both. */
	NEED((again = open("/proc/self/fd/3", O_RDONLY | O_NONBLOCK)) >= 0);
	NEED((both = open("/proc/self/fd/3", O_RDWR)) >= 0);
	NEED(write(50, "abc", 3) == 3);
	ckpt_point();
	CHECK_EQ(O_NONBLOCK, fcntl(again, F_GETFL) & O_NONBLOCK);
	CHECK_EQ(0, fcntl(p[0], F_GETFL) & O_NONBLOCK);
	CHECK_EQ(1, read(again, buf, 1));
	CHECK_EQ('a', buf[0]);
	CHECK_EQ(1, read(p[0], buf, 1));
	CHECK_EQ('b', buf[0]);
	CHECK_EQ(1, write(both, "d", 1));
	CHECK_EQ(2, read(both, buf, 10));
	CHECK_EQ('c', buf[0]);
	/* The writers are three: all have to go until the end shows. */
	close(p[1]);
	close(50);
	CHECK_EQ(-1, read(again, buf, 1));
	CHECK_EQ(EAGAIN, errno);
	close(both);
	CHECK_EQ(0, read(again, buf, 1));
}

ROUNDTRIP(many)
{
	int p[100][2], i, n;

	for (i = 0; i < 100; i++) {
		NEED(!pipe(p[i]));
		NEED(write(p[i][1], &i, sizeof(i)) == sizeof(i));
	}
	ckpt_point();
	for (i = 0; i < 100; i++) {
		CHECK_EQ(sizeof(n), read(p[i][0], &n, sizeof(n)));
		CHECK_EQ(i, n);
	}
}

/* Pages that came by reference, whole and in part. */
ROUNDTRIP(vmspliced)
{
	static char mem[3 * 4096] __attribute__((aligned(4096)));
	struct iovec iov = { mem, sizeof(mem) };
	static char buf[sizeof(mem)];
	int p[2];

	NEED(!pipe(p));
	ckpt_fill(mem, sizeof(mem), 5);
	NEED(vmsplice(p[1], &iov, 1, 0) == sizeof(mem));
	ckpt_point();
	CHECK_EQ(sizeof(mem), read(p[0], buf, sizeof(buf)));
	CHECK_FILL(buf, sizeof(buf), 5);
}

ROUNDTRIP(spliced_from_file)
{
	char text[10000], buf[10000];
	loff_t off = 100;
	int p[2], q[2], fd;

	NEED(!pipe(p) && !pipe(q));
	ckpt_fill(text, sizeof(text), 6);
	NEED((fd = open("file", O_RDWR | O_CREAT, 0600)) >= 0);
	NEED(write(fd, text, sizeof(text)) == sizeof(text));
	NEED(splice(fd, &off, p[1], NULL, 6000, 0) == 6000);
	NEED(tee(p[0], q[1], 6000, 0) > 0);
	ckpt_point();
	CHECK_EQ(6000, read(p[0], buf, sizeof(buf)));
	CHECK(!memcmp(buf, text + 100, 6000));
	CHECK(read(q[0], buf, sizeof(buf)) > 0);
	CHECK(!memcmp(buf, text + 100, 4000));
}

ROUNDTRIP(fifo)
{
	char buf[10] = "";
	int rd, wr;

	NEED(!mkfifo("fifo", 0600));
	NEED((rd = open("fifo", O_RDONLY | O_NONBLOCK)) >= 0);
	NEED((wr = open("fifo", O_WRONLY)) >= 0);
	NEED(!fcntl(rd, F_SETFL, 0));
	NEED(write(wr, "data", 4) == 4);
	ckpt_point();
	CHECK_EQ(0, fcntl(rd, F_GETFL) & O_NONBLOCK);
	CHECK_EQ(4, read(rd, buf, 10));
	CHECK(!strcmp(buf, "data"));
	/* Others find it by its name. */
	close(wr);
	CHECK_EQ(0, read(rd, buf, 10));
	NEED((wr = open("fifo", O_WRONLY | O_NONBLOCK)) >= 0);
	NEED(write(wr, "new", 3) == 3);
	CHECK_EQ(3, read(rd, buf, 10));
}

ROUNDTRIP(fifo_both_ways)
{
	char buf[10] = "";
	int fd;

	NEED(!mkfifo("fifo", 0600));
	NEED((fd = open("fifo", O_RDWR)) >= 0);
	NEED(write(fd, "data", 4) == 4);
	ckpt_point();
	CHECK_EQ(4, read(fd, buf, 10));
	CHECK(!strcmp(buf, "data"));
}

ROUNDTRIP_OR_REFUSED(fifo_unlinked)
{
	char buf[10] = "";
	int fd;

	NEED(!mkfifo("fifo", 0600));
	NEED((fd = open("fifo", O_RDWR)) >= 0);
	NEED(write(fd, "data", 4) == 4);
	NEED(!unlink("fifo"));
	ckpt_point();
	CHECK_EQ(4, read(fd, buf, 10));
}

/* A FIFO that somebody else has opened by the time of the restart. */
SCENARIO(has_fifo)
{
	int fd;

	NEED(!mkfifo("fifo", 0600));
	NEED((fd = open("fifo", O_RDWR)) >= 0);
	NEED(write(fd, "data", 4) == 4);
	ckpt_point();
}

TEST_F(checkpoint, fifo_in_use)
{
	char path[200];
	pid_t pid;
	int fd;

	NOT_DRY();
	START(pid, has_fifo, NULL);
	ASSERT_LT(0, ckpt_checkpoint(&self->t, pid, self->t.image, 0));
	ASSERT_EQ(0, ckpt_kill(&self->t, pid));
	snprintf(path, sizeof(path), "%s/fifo", self->t.run);
	fd = open(path, O_RDWR);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-EBUSY, ckpt_restart(&self->t, self->t.image, 0));
	EXPECT_NE(NULL, strstr(self->t.log, path));
	/* Nothing was put into it. */
	EXPECT_EQ(0, fcntl(fd, F_SETFL, O_NONBLOCK));
	EXPECT_EQ(-1, read(fd, path, 1));
	close(fd);
	EXPECT_EQ(pid, ckpt_restart(&self->t, self->t.image, 0));
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));
}

/* --- with somebody outside ------------------------------------------------ */

/* The tester opens an end of a pipe of the target while it is checkpointed. */
static int outside(struct ckpt_test *t, const char *scenario, int their_fd,
		   int flags)
{
	char path[64];
	pid_t pid;
	int fd, ret = 0;
	long id;

	pid = ckpt_start(t, scenario, NULL);
	if (pid <= 0)
		return -1;
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, their_fd);
	fd = open(path, flags | O_NONBLOCK);
	if (fd < 0)
		return ckpt_say("%s: %s", path, strerror(errno));
	id = ckpt_checkpoint(t, pid, t->image, 0);
	if (id != -EBUSY || !ckpt_reason(t, EBUSY, NULL, 3, 0, NULL))
		ret = ckpt_say("gave %ld and not -EBUSY with fd=3", id);
	close(fd);
	id = ckpt_checkpoint(t, pid, t->image, 0);
	if (id <= 0)
		ret = ckpt_say("it is not shared any more");
	return ckpt_finish(t, pid) ?: ret;
}

SCENARIO(has_pipe)
{
	char buf[10];
	int p[2];

	NEED(!pipe(p));
	NEED(write(p[1], "data", 4) == 4);
	ckpt_point();
	CHECK_EQ(4, read(p[0], buf, 10));
}

TEST_F(checkpoint, end_outside)
{
	NOT_DRY();
	EXPECT_EQ(0, outside(&self->t, "has_pipe", 3, O_RDONLY));
	EXPECT_EQ(0, outside(&self->t, "has_pipe", 4, O_WRONLY));
	EXPECT_EQ(0, outside(&self->t, "has_fifo", 3, O_RDWR));
}

TEST_HARNESS_MAIN
