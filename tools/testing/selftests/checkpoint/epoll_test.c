// SPDX-License-Identifier: GPL-2.0
/*
 * Epoll: what is watched, what is ready, and that no event is lost.
 */
#include "ckpt_test.h"

#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

#ifndef SYS_pidfd_open
#define SYS_pidfd_open		434
#endif
#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd		438
#endif
#ifndef EPOLLEXCLUSIVE
#define EPOLLEXCLUSIVE		(1U << 28)
#endif

#define MS		1000000LL

static int new_epoll(void)
{
	int ep = epoll_create1(0);

	NEED(ep >= 0);
	return ep;
}

static int control(int ep, int op, int fd, uint32_t events, uint64_t data)
{
	struct epoll_event event = { .events = events, .data.u64 = data };

	return epoll_ctl(ep, op, fd, &event) ? -errno : 0;
}

static void watch(int ep, int fd, uint32_t events, uint64_t data)
{
	NEED(!control(ep, EPOLL_CTL_ADD, fd, events, data));
}

/* The only event, if it is one with this data; -1 none, -2 another or several. */
static int only(int ep, uint64_t data)
{
	struct epoll_event events[8];
	int n = epoll_wait(ep, events, 8, 0);

	if (n == 0)
		return -1;
	if (n != 1 || events[0].data.u64 != data)
		return -2;
	return events[0].events;
}

static int count(int ep)
{
	struct epoll_event events[64];

	return epoll_wait(ep, events, 64, 0);
}

/* The next one within a long time; EINTR is what a checkpoint may cause. */
static uint64_t next(int ep)
{
	struct epoll_event event = {};
	int n;

	do
		n = epoll_wait(ep, &event, 1, 120000);
	while (n < 0 && errno == EINTR);
	return n == 1 ? event.data.u64 : ~0ULL;
}

static int64_t read_u64(int fd)
{
	int64_t value = -2;

	return read(fd, &value, sizeof(value)) == sizeof(value) ? value : -errno;
}

static int add_to(int fd, uint64_t value)
{
	return write(fd, &value, sizeof(value)) == sizeof(value) ? 0 : -errno;
}

static int new_event(int initial)
{
	int fd = eventfd(initial, EFD_NONBLOCK);

	NEED(fd >= 0);
	return fd;
}

/* Is there such a line in fdinfo? The kernel adds EPOLLERR and EPOLLHUP. */
static bool has_item(int ep, int fd, uint32_t events, uint64_t data)
{
	char path[64], want[64], *text;
	bool found;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", ep);
	snprintf(want, sizeof(want), "tfd: %8d events: %8x data: %16llx ", fd,
		 events, (unsigned long long)data);
	text = ckpt_read_file(path, NULL);
	found = text && strstr(text, want);
	free(text);
	return found;
}

/* --- what is watched ------------------------------------------------------ */

ROUNDTRIP(level)
{
	int ep = new_epoll(), full = new_event(1), empty = new_event(0), p[2];

	NEED(!pipe(p));
	watch(ep, full, EPOLLIN, 0xffffffff12345678);
	watch(ep, empty, EPOLLIN, 2);
	watch(ep, p[0], EPOLLIN | EPOLLRDHUP, 3);
	ckpt_point();
	CHECK_EQ(EPOLLIN, only(ep, 0xffffffff12345678));
	CHECK_EQ(EPOLLIN, only(ep, 0xffffffff12345678));
	CHECK_EQ(1, read_u64(full));
	CHECK_EQ(-1, only(ep, 0));
	CHECK_EQ(0, add_to(empty, 1));
	CHECK_EQ(EPOLLIN, only(ep, 2));
	CHECK_EQ(1, read_u64(empty));
	CHECK_EQ(1, write(p[1], "x", 1));
	CHECK_EQ(EPOLLIN, only(ep, 3));
	CHECK(has_item(ep, p[0], EPOLLIN | EPOLLRDHUP | EPOLLERR | EPOLLHUP, 3));
	CHECK_EQ(-EEXIST, control(ep, EPOLL_CTL_ADD, p[0], EPOLLIN, 0));
	CHECK_EQ(0, control(ep, EPOLL_CTL_DEL, p[0], 0, 0));
	CHECK_EQ(-1, only(ep, 3));
	CHECK_EQ(0, control(ep, EPOLL_CTL_MOD, full, EPOLLOUT, 5));
	CHECK_EQ(EPOLLOUT, only(ep, 5));
	CHECK_EQ(-ENOENT, control(ep, EPOLL_CTL_MOD, p[1], EPOLLOUT, 5));
}

ROUNDTRIP(empty_epoll)
{
	int ep = new_epoll(), fd = new_event(1);

	NEED(!fcntl(ep, F_SETFD, FD_CLOEXEC));
	ckpt_point();
	CHECK_EQ(0, count(ep));
	CHECK_EQ(FD_CLOEXEC, fcntl(ep, F_GETFD));
	CHECK_EQ(0, control(ep, EPOLL_CTL_ADD, fd, EPOLLIN, 9));
	CHECK_EQ(EPOLLIN, only(ep, 9));
}

/* The epoll has the lower or the higher number, is open twice, is watched. */
ROUNDTRIP(before_and_behind)
{
	int low = new_epoll(), fd = new_event(1), high = new_epoll();

	watch(low, fd, EPOLLIN, 1);
	watch(high, fd, EPOLLIN, 2);
	NEED(dup2(high, 100) == 100);
	ckpt_point();
	CHECK_EQ(EPOLLIN, only(low, 1));
	CHECK_EQ(EPOLLIN, only(high, 2));
	CHECK_EQ(EPOLLIN, only(100, 2));
	CHECK_EQ(0, control(100, EPOLL_CTL_DEL, fd, 0, 0));
	CHECK_EQ(-1, only(high, 2));
}

/* --- what is ready -------------------------------------------------------- */

/* Edges that were seen are not seen again, those that were not are. */
ROUNDTRIP(edge)
{
	int seen = new_event(1), unseen = new_event(0), quiet = new_event(0);
	int ep = new_epoll(), both = new_event(1), p[2], q[2], timer;
	struct itimerspec spec = { .it_value.tv_nsec = 1 };

	NEED(!pipe(p) && !pipe(q) && write(p[1], "ab", 2) == 2);
	NEED((timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK)) >= 0);
	NEED(!timerfd_settime(timer, 0, &spec, NULL));
	watch(ep, seen, EPOLLIN | EPOLLET, 1);
	watch(ep, p[0], EPOLLIN | EPOLLET, 2);
	watch(ep, p[1], EPOLLOUT | EPOLLET, 3);
	watch(ep, both, EPOLLIN | EPOLLOUT | EPOLLET, 4);
	NEED(count(ep) == 4 && count(ep) == 0);
	watch(ep, timer, EPOLLIN | EPOLLET, 7);
	NEED(next(ep) == 7 && count(ep) == 0);
	watch(ep, unseen, EPOLLIN | EPOLLET, 5);
	watch(ep, quiet, EPOLLIN | EPOLLET, 6);
	watch(ep, q[0], EPOLLIN | EPOLLET, 8);
	NEED(!add_to(unseen, 1));
	ckpt_point();
	CHECK_EQ(EPOLLIN, only(ep, 5));
	CHECK_EQ(-1, only(ep, 5));
	/* What comes now is new. */
	CHECK_EQ(0, add_to(seen, 1));
	CHECK_EQ(EPOLLIN, only(ep, 1));
	CHECK_EQ(-1, only(ep, 1));
	CHECK_EQ(1, write(p[1], "c", 1));
	CHECK_EQ(EPOLLIN, only(ep, 2));
	CHECK_EQ(-1, only(ep, 2));
	CHECK_EQ(0, add_to(quiet, 1));
	CHECK_EQ(EPOLLIN, only(ep, 6));
	CHECK_EQ(0, add_to(both, 1));
	CHECK_EQ(EPOLLIN | EPOLLOUT, only(ep, 4));
	CHECK_EQ(1, write(q[1], "c", 1));
	CHECK_EQ(EPOLLIN, only(ep, 8));
	CHECK_EQ(-1, only(ep, 8));
	CHECK(has_item(ep, seen, EPOLLIN | EPOLLET | EPOLLERR | EPOLLHUP, 1));
	/* An edge is there again with MOD, as ever. */
	CHECK_EQ(0, control(ep, EPOLL_CTL_MOD, seen, EPOLLIN | EPOLLET, 1));
	CHECK_EQ(EPOLLIN, only(ep, 1));
}

/* Several that nobody has asked for; and one whose data is gone by now. */
ROUNDTRIP(edges_that_wait)
{
	int ep = new_epoll(), fd[20], gone = new_event(0), i;
	struct epoll_event events[40];
	unsigned int seen = 0;

	for (i = 0; i < 20; i++) {
		fd[i] = new_event(0);
		watch(ep, fd[i], EPOLLIN | EPOLLET, i);
	}
	watch(ep, gone, EPOLLIN | EPOLLET, 20);
	NEED(!add_to(gone, 1) && read_u64(gone) == 1);
	for (i = 0; i < 20; i += 2)
		NEED(!add_to(fd[i], 1));
	ckpt_point();
	CHECK_EQ(10, epoll_wait(ep, events, 40, 0));
	for (i = 0; i < 10; i++)
		seen |= 1U << events[i].data.u64;
	CHECK_EQ(0x55555, seen);
	CHECK_EQ(0, count(ep));
	CHECK_EQ(0, add_to(gone, 1));
	CHECK_EQ(EPOLLIN, only(ep, 20));
}

ROUNDTRIP(oneshot)
{
	int ep = new_epoll(), used = new_event(1), fresh = new_event(1), p[2];
	int idle = new_event(0);

	NEED(!pipe(p));
	watch(ep, used, EPOLLIN | EPOLLONESHOT, 1);
	NEED(only(ep, 1) == EPOLLIN);
	/* Disabled, with EPOLLHUP since. */
	watch(ep, p[0], EPOLLIN | EPOLLONESHOT | EPOLLET, 4);
	NEED(write(p[1], "x", 1) == 1 && only(ep, 4) == EPOLLIN);
	close(p[1]);
	watch(ep, fresh, EPOLLIN | EPOLLONESHOT, 2);
	watch(ep, idle, EPOLLIN | EPOLLONESHOT, 3);
	ckpt_point();
	CHECK_EQ(EPOLLIN, only(ep, 2));
	CHECK_EQ(-1, only(ep, 2));
	CHECK_EQ(0, add_to(used, 1));
	CHECK_EQ(-1, only(ep, 1));
	CHECK(has_item(ep, used, EPOLLONESHOT, 1));
	CHECK(has_item(ep, p[0], EPOLLONESHOT | EPOLLET, 4));
	CHECK_EQ(0, add_to(idle, 1));
	CHECK_EQ(EPOLLIN, only(ep, 3));
	CHECK_EQ(-1, only(ep, 3));
	CHECK_EQ(0, control(ep, EPOLL_CTL_MOD, used, EPOLLIN | EPOLLONESHOT, 5));
	CHECK_EQ(EPOLLIN, only(ep, 5));
	CHECK_EQ(0, control(ep, EPOLL_CTL_MOD, p[0], EPOLLIN, 6));
	CHECK_EQ(EPOLLIN | EPOLLHUP, only(ep, 6));
}

/* The other end is gone, and that was seen or not. */
ROUNDTRIP(hangup)
{
	int ep = new_epoll(), edges = new_epoll(), p[2], q[2];

	NEED(!pipe(p) && !pipe(q));
	watch(ep, p[0], EPOLLIN, 1);
	watch(edges, p[0], EPOLLIN | EPOLLET, 2);
	watch(edges, q[1], EPOLLOUT | EPOLLET, 3);
	NEED(only(edges, 3) == EPOLLOUT);
	close(p[1]);
	close(q[0]);
	ckpt_point();
	CHECK_EQ(EPOLLHUP, only(ep, 1));
	CHECK_EQ(2, count(edges));
	CHECK_EQ(0, count(edges));
	CHECK_EQ(EPOLLHUP, only(ep, 1));
}

ROUNDTRIP(exclusive)
{
	int ep = new_epoll(), second = new_epoll(), fd = new_event(0);

	watch(ep, fd, EPOLLIN | EPOLLEXCLUSIVE, 1);
	watch(second, fd, EPOLLIN | EPOLLEXCLUSIVE | EPOLLET, 2);
	ckpt_point();
	CHECK(has_item(ep, fd, EPOLLIN | EPOLLERR | EPOLLHUP | EPOLLEXCLUSIVE, 1));
	CHECK_EQ(-EINVAL, control(ep, EPOLL_CTL_MOD, fd, EPOLLIN, 1));
	CHECK_EQ(0, add_to(fd, 1));
	CHECK(only(ep, 1) == EPOLLIN || only(second, 2) == EPOLLIN);
}

ROUNDTRIP(nested)
{
	int inner = new_epoll(), middle = new_epoll(), outer = new_epoll();
	int fd = new_event(0), ready = new_event(1), other = new_epoll();

	watch(inner, fd, EPOLLIN | EPOLLET, 1);
	watch(middle, inner, EPOLLIN, 2);
	watch(outer, middle, EPOLLIN, 3);
	watch(other, ready, EPOLLIN, 4);
	watch(outer, other, EPOLLIN | EPOLLET, 5);
	ckpt_point();
	CHECK_EQ(EPOLLIN, only(outer, 5));
	CHECK_EQ(-1, only(outer, 5));
	CHECK_EQ(-1, only(middle, 2));
	CHECK_EQ(0, add_to(fd, 1));
	CHECK_EQ(EPOLLIN, only(outer, 3));
	CHECK_EQ(EPOLLIN, only(middle, 2));
	CHECK_EQ(EPOLLIN, only(inner, 1));
	CHECK_EQ(-1, only(inner, 1));
	CHECK_EQ(-1, only(outer, 3));
	CHECK_EQ(-ELOOP, control(inner, EPOLL_CTL_ADD, outer, EPOLLIN, 1));
}

/* --- numbers -------------------------------------------------------------- */

/* Of items whose descriptors are closed, or are of other files by now. */
ROUNDTRIP(closed_descriptors)
{
	int ep = new_epoll(), fd = new_event(1), other, copy;

	NEED(fd == 4);
	watch(ep, fd, EPOLLIN, 1);
	NEED((copy = dup(fd)) == 5);
	watch(ep, copy, EPOLLIN, 2);
	NEED(dup2(fd, 900) == 900);
	watch(ep, 900, EPOLLIN | EPOLLET, 3);
	close(fd);
	close(900);
	/* The same number, another file. */
	NEED((other = new_event(0)) == fd);
	watch(ep, other, EPOLLIN, 4);
	/* And that of the epoll file itself. */
	NEED(dup2(ep, 50) == 50 && dup2(copy, 3) == 3);
	watch(50, 3, EPOLLIN, 5);
	NEED(count(50) == 4);
	ckpt_point();
	CHECK(has_item(50, 4, EPOLLIN | EPOLLERR | EPOLLHUP, 1));
	CHECK(has_item(50, 5, EPOLLIN | EPOLLERR | EPOLLHUP, 2));
	CHECK(has_item(50, 900, EPOLLIN | EPOLLET | EPOLLERR | EPOLLHUP, 3));
	CHECK(has_item(50, 4, EPOLLIN | EPOLLERR | EPOLLHUP, 4));
	CHECK(has_item(50, 3, EPOLLIN | EPOLLERR | EPOLLHUP, 5));
	/* 1, 2 and 5; the edge was seen. */
	CHECK_EQ(3, count(50));
	CHECK_EQ(0, add_to(other, 1));
	CHECK_EQ(4, count(50));
	/* Of which one of the old number is to be had again. */
	CHECK_EQ(copy, dup2(copy, fd) == fd ? copy : -1);
	CHECK_EQ(0, control(50, EPOLL_CTL_DEL, fd, 0, 0));
	CHECK(!has_item(50, 4, EPOLLIN | EPOLLERR | EPOLLHUP, 1));
}

/* Numbers 0 and 1, which the restart uses itself. */
ROUNDTRIP(low_numbers)
{
	int ep = new_epoll(), fd = new_event(1), out = dup(1);

	NEED(out >= 0 && dup2(fd, 0) == 0 && dup2(fd, 1) == 1);
	watch(ep, 0, EPOLLIN, 1);
	watch(ep, 1, EPOLLIN, 2);
	ckpt_point();
	dup2(out, 1);
	CHECK_EQ(2, count(ep));
	CHECK(has_item(ep, 0, EPOLLIN | EPOLLERR | EPOLLHUP, 1));
	CHECK(has_item(ep, 1, EPOLLIN | EPOLLERR | EPOLLHUP, 2));
}

/* More than a record holds. */
ROUNDTRIP(thousands)
{
	struct rlimit limit = { 4096, 4096 };
	static struct epoll_event events[4096];
	int ep = new_epoll(), i, first, nr = 3000;
	static char seen[3000];

	if (setrlimit(RLIMIT_NOFILE, &limit))
		ckpt_skip("no limit of 4096 files");
	first = ep + 1;
	for (i = 0; i < nr; i++) {
		NEED(eventfd(i % 3 == 0, 0) == first + i);
		watch(ep, first + i, EPOLLIN | (i & 1 ? EPOLLET : 0), i);
	}
	ckpt_point();
	CHECK_EQ(1000, epoll_wait(ep, events, 4096, 0));
	for (i = 0; i < 1000; i++)
		seen[events[i].data.u64]++;
	for (i = 0; i < nr; i++)
		if (!CHECK_SAY(seen[i] == (i % 3 == 0), "%d: %d", i, seen[i]))
			break;
	CHECK_EQ(500, epoll_wait(ep, events, 4096, 0));
}

/* --- signals and timers --------------------------------------------------- */

static int watch_signals(int a, int b)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, a);
	sigaddset(&set, b);
	NEED(!sigprocmask(SIG_BLOCK, &set, NULL));
	return signalfd(-1, &set, SFD_NONBLOCK);
}

ROUNDTRIP(signals)
{
	int ep = new_epoll(), outer = new_epoll(), edges = new_epoll();
	int fd = watch_signals(SIGUSR1, SIGUSR2);
	struct signalfd_siginfo info;

	NEED(fd >= 0);
	watch(ep, fd, EPOLLIN, 1);
	watch(outer, ep, EPOLLIN, 2);
	watch(edges, fd, EPOLLIN | EPOLLET, 3);
	NEED(dup2(fd, 60) == 60);
	watch(ep, 60, EPOLLIN | EPOLLONESHOT, 4);
	ckpt_point();
	CHECK_EQ(0, count(outer));
	CHECK_EQ(0, count(edges));
	kill(getpid(), SIGUSR1);
	CHECK_EQ(EPOLLIN, only(outer, 2));
	CHECK_EQ(2, count(ep));
	CHECK_EQ(EPOLLIN, only(ep, 1));
	CHECK_EQ(EPOLLIN, only(edges, 3));
	CHECK_EQ(-1, only(edges, 3));
	CHECK_EQ(sizeof(info), read(fd, &info, sizeof(info)));
	CHECK_EQ(SIGUSR1, info.ssi_signo);
	CHECK_EQ(0, count(ep));
	kill(getpid(), SIGUSR2);
	CHECK_EQ(EPOLLIN, only(ep, 1));
	CHECK_EQ(EPOLLIN, only(edges, 3));
}

ROUNDTRIP(pending_signals)
{
	int ep = new_epoll(), edges = new_epoll(), outer = new_epoll();
	int fd = watch_signals(SIGUSR1, SIGUSR2);
	struct signalfd_siginfo info;

	watch(ep, fd, EPOLLIN, 1);
	watch(edges, fd, EPOLLIN | EPOLLET, 3);
	watch(outer, edges, EPOLLIN | EPOLLET, 4);
	kill(getpid(), SIGUSR1);
	ckpt_point();
	CHECK_EQ(EPOLLIN, only(outer, 4));
	CHECK_EQ(EPOLLIN, only(ep, 1));
	CHECK_EQ(EPOLLIN, only(edges, 3));
	CHECK_EQ(-1, only(edges, 3));
	CHECK_EQ(sizeof(info), read(fd, &info, sizeof(info)));
	CHECK_EQ(0, count(ep));
}

/* Of a task that is gone: nobody's signals make it ready. */
REFUSED(signals_of_nobody, EOPNOTSUPP, "epoll", "gone")
{
	int ep = new_epoll(), fd = watch_signals(SIGUSR1, SIGUSR2);
	pid_t pid = fork();

	if (!pid) {
		watch(ep, fd, EPOLLIN, 1);
		_exit(0);
	}
	NEED(waitpid(pid, NULL, 0) == pid);
	ckpt_value[0] = ep;
	ckpt_point();
}

ROUNDTRIP_OPT(timers, CKPT_RT_NO_SNAP)
{
	int ep = new_epoll(), fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	struct itimerspec spec = { .it_value.tv_sec = 3,
				   .it_interval.tv_nsec = 10 * MS };
	int i;

	NEED(fd >= 0 && !timerfd_settime(fd, 0, &spec, NULL));
	watch(ep, fd, EPOLLIN | EPOLLET, 1);
	ckpt_point();
	for (i = 0; i < 3; i++) {
		CHECK_EQ(1, next(ep));
		CHECK(read_u64(fd) >= 1);
	}
}

/* --- several processes and threads ---------------------------------------- */

/* Numbers are those of the process that added them. */
ROUNDTRIP(inherited)
{
	int ep = new_epoll(), fd = new_event(0), ready = new_event(0);
	unsigned int got = 0;
	int status;
	pid_t pid;

	watch(ep, fd, EPOLLIN | EPOLLET, 1);
	pid = fork();
	NEED(pid >= 0);
	if (!pid) {
		NEED(dup2(fd, 80) == 80);
		watch(ep, 80, EPOLLIN | EPOLLONESHOT, 2);
		NEED(!add_to(ready, 1));
		while (got != 6) {
			uint64_t data = next(ep);

			NEED(data == 1 || data == 2);
			got |= 1U << data;
		}
		ckpt_target_end();
	}
	while (read_u64(ready) != 1)
		usleep(1000);
	ckpt_point();
	CHECK(has_item(ep, 80, EPOLLIN | EPOLLONESHOT | EPOLLERR | EPOLLHUP, 2));
	CHECK_EQ(0, add_to(fd, 1));
	CHECK_EQ(pid, waitpid(pid, &status, 0));
	CHECK_EQ(0, status);
	CHECK(has_item(ep, 80, EPOLLONESHOT, 2));
}

/* Each is woken by its own signals, also in an epoll file that both have. */
ROUNDTRIP(signals_of_each)
{
	int common = new_epoll(), ready = new_event(0), fd, ep, status;
	struct signalfd_siginfo info;
	pid_t pid;

	pid = fork();
	NEED(pid >= 0);
	fd = watch_signals(SIGUSR1, SIGUSR2);
	ep = new_epoll();
	watch(ep, fd, EPOLLIN | EPOLLET, 3);
	watch(common, fd, EPOLLIN, pid ? 4 : 5);
	if (!pid) {
		NEED(!add_to(ready, 1));
		CHECK_EQ(3, next(ep));
		CHECK_EQ(EPOLLIN, only(common, 5));
		CHECK_EQ(sizeof(info), read(fd, &info, sizeof(info)));
		CHECK_EQ(SIGUSR2, info.ssi_signo);
		CHECK_EQ(getppid(), info.ssi_pid);
		ckpt_target_end();
	}
	while (read_u64(ready) != 1)
		usleep(1000);
	ckpt_point();
	CHECK_EQ(0, count(ep));
	CHECK_EQ(0, kill(pid, SIGUSR2));
	CHECK_EQ(pid, waitpid(pid, &status, 0));
	CHECK_EQ(0, status);
	CHECK_EQ(0, count(ep));
	CHECK_EQ(0, kill(getpid(), SIGUSR1));
	CHECK_EQ(EPOLLIN, only(common, 4));
	CHECK_EQ(EPOLLIN, only(ep, 3));
	CHECK_EQ(sizeof(info), read(fd, &info, sizeof(info)));
	CHECK_EQ(SIGUSR1, info.ssi_signo);
}

/*
 * The child has the epoll file, which waits for the signals of the parent, who
 * has it not any more, and the other way round.
 */
ROUNDTRIP(signals_of_the_other)
{
	int first = new_epoll(), second = new_epoll(), ready = new_event(0);
	int go = new_event(0), fd = watch_signals(SIGUSR1, SIGUSR2), status;
	pid_t pid;

	watch(first, fd, EPOLLIN, 1);
	pid = fork();
	NEED(pid >= 0);
	if (!pid) {
		watch(second, fd, EPOLLIN, 2);
		close(second);
		NEED(!add_to(ready, 1));
		while (read_u64(go) != 1)
			usleep(1000);
		CHECK(has_item(first, fd, EPOLLIN | EPOLLERR | EPOLLHUP, 1));
		kill(getpid(), SIGUSR1);
		/* Nobody put it into the list. */
		CHECK_EQ(0, count(first));
		ckpt_target_end();
	}
	close(first);
	while (read_u64(ready) != 1)
		usleep(1000);
	ckpt_point();
	CHECK(has_item(second, fd, EPOLLIN | EPOLLERR | EPOLLHUP, 2));
	CHECK_EQ(0, add_to(go, 1));
	CHECK_EQ(pid, waitpid(pid, &status, 0));
	CHECK_EQ(0, status);
}

struct waiting {
	pthread_t thread;
	int ep;
	int ready;
	volatile bool woken;
};

static void *wait_in_thread(void *arg)
{
	struct waiting *w = arg;

	add_to(w->ready, 1);
	CHECK_EQ(7, next(w->ep));
	w->woken = true;
	return NULL;
}

ROUNDTRIP(threads)
{
	struct waiting w = { .ep = new_epoll(), .ready = new_event(0) };
	int fd = watch_signals(SIGUSR1, SIGUSR2);

	watch(w.ep, fd, EPOLLIN | EPOLLET, 7);
	NEED(!pthread_create(&w.thread, NULL, wait_in_thread, &w));
	while (read_u64(w.ready) != 1)
		usleep(1000);
	ckpt_point();
	CHECK(!w.woken);
	CHECK_EQ(0, kill(getpid(), SIGUSR1));
	CHECK_EQ(0, pthread_join(w.thread, NULL));
	CHECK(w.woken);
}

/* --- the epoll file itself ------------------------------------------------ */

struct params {
	uint32_t usecs;
	uint16_t budget;
	uint8_t prefer;
	uint8_t pad;
};

#define SET_PARAMS	_IOW(0x8a, 1, struct params)
#define GET_PARAMS	_IOR(0x8a, 2, struct params)

ROUNDTRIP(busy_polling)
{
	struct params params = { 77, 200, 1, 0 };
	int ep = new_epoll(), plain = new_epoll();

	if (ioctl(ep, SET_PARAMS, &params))
		ckpt_skip("EPIOCSPARAMS: %s", strerror(errno));
	ckpt_point();
	memset(&params, 0xff, sizeof(params));
	CHECK_EQ(0, ioctl(ep, GET_PARAMS, &params));
	CHECK_EQ(77, params.usecs);
	CHECK_EQ(200, params.budget);
	CHECK_EQ(1, params.prefer);
	CHECK_EQ(0, ioctl(plain, GET_PARAMS, &params));
	CHECK_EQ(0, params.usecs);
	CHECK_EQ(0, params.budget);
	CHECK_EQ(0, params.prefer);
}

/* A process that sleeps in epoll_wait() finds EINTR, as after a stop. */
SCENARIO(sleeps)
{
	int ep = new_epoll(), fd = new_event(0);
	struct epoll_event event;

	watch(ep, fd, EPOLLIN, 1);
	ckpt_announce();
	CHECK_EQ(-1, epoll_wait(ep, &event, 1, -1));
	CHECK_EQ(EINTR, errno);
	CHECK_EQ(0, add_to(fd, 1));
	CHECK_EQ(1, next(ep));
}

TEST_F(checkpoint, sleeper)
{
	pid_t pid;

	NOT_DRY();
	START(pid, sleeps, NULL);
	ASSERT_EQ(0, ckpt_wait_syscall(pid, SYS_epoll_wait));
	ASSERT_LT(0, ckpt_checkpoint(&self->t, pid, self->t.image, 0));
	EXPECT_EQ(0, ckpt_wait(&self->t, pid));
	ASSERT_EQ(pid, ckpt_restart(&self->t, self->t.image, 0));
	EXPECT_EQ(0, ckpt_wait(&self->t, pid));
}

/* --- with somebody outside ------------------------------------------------ */

SCENARIO(has_both)
{
	int ep = new_epoll(), fd = new_event(1);

	NEED(ep == 3 && fd == 4);
	watch(ep, fd, EPOLLIN, 1);
	ckpt_point();
	close(fd);
	ckpt_point();
	CHECK_EQ(ckpt_value[0], count(ep));
}

static int get_fd(pid_t pid, int fd)
{
	int pidfd = syscall(SYS_pidfd_open, pid, 0), got;

	if (pidfd < 0)
		return -1;
	got = syscall(SYS_pidfd_getfd, pidfd, fd, 0);
	close(pidfd);
	return got;
}

static int is_refused(struct ckpt_test *t, pid_t pid, int error,
		      const char *kind, int fd, const char *text)
{
	long ret = ckpt_checkpoint_fd(t, pid, -1, CHECKPOINT_DRY_RUN);

	if (ckpt_is_first_error(t, ret) &&
	    ckpt_reason(t, error, kind, fd, 0, text))
		return 0;
	ckpt_show_log(t);
	return ckpt_say("gave %ld, no reason with '%s'", ret, text);
}

/* Descriptors 3 and 4 are the sides of a terminal of its own. */
SCENARIO(has_terminal)
{
	int master = open("/dev/ptmx", O_RDWR | O_NOCTTY), unlock = 0, nr;
	char path[64];

	if (master < 0)
		ckpt_skip("no pseudo terminals");
	NEED(!ioctl(master, TIOCSPTLCK, &unlock));
	NEED(!ioctl(master, TIOCGPTN, &nr));
	snprintf(path, sizeof(path), "/dev/pts/%d", nr);
	NEED(master == 3 && open(path, O_RDWR | O_NOCTTY) == 4);
	ckpt_point();
}

TEST_F(checkpoint, terminal_watched_from_outside)
{
	static const char *const kinds[] = { "file_pty", "file_tty" };
	struct epoll_event event = { .events = EPOLLIN };
	struct ckpt_test *t = &self->t;
	int ep, fd, i;
	pid_t pid;

	NOT_DRY();
	START(pid, has_terminal, NULL);
	for (i = 0; i < 2; i++) {
		ep = epoll_create1(EPOLL_CLOEXEC);
		ASSERT_LE(0, ep);
		fd = get_fd(pid, 3 + i);
		ASSERT_LE(0, fd);
		ASSERT_EQ(0, epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event));
		close(fd);
		EXPECT_EQ(0, is_refused(t, pid, EBUSY, kinds[i], 3 + i,
					"watched"));
		close(ep);
	}
	EXPECT_EQ(0, ckpt_checkpoint_fd(t, pid, -1, CHECKPOINT_DRY_RUN));
	EXPECT_EQ(0, ckpt_finish(t, pid));
}

TEST_F(checkpoint, watched_from_outside)
{
	struct epoll_event event = { .events = EPOLLIN };
	struct ckpt_test *t = &self->t;
	int ep, fd;
	pid_t pid;

	NOT_DRY();
	START(pid, has_both, NULL);
	ep = epoll_create1(EPOLL_CLOEXEC);
	ASSERT_LE(0, ep);
	/* Our descriptor is closed, our item stays. */
	fd = get_fd(pid, 4);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event));
	close(fd);
	EXPECT_EQ(0, is_refused(t, pid, EBUSY, "eventfd", 4, "watched"));
	/* And likewise the epoll file. */
	fd = get_fd(pid, 3);
	ASSERT_LE(0, fd);
	close(ep);
	EXPECT_EQ(0, is_refused(t, pid, EBUSY, "epoll", 3, "shared"));
	ep = epoll_create1(EPOLL_CLOEXEC);
	ASSERT_EQ(0, epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event));
	close(fd);
	EXPECT_EQ(0, is_refused(t, pid, EBUSY, "epoll", 3, "watched"));
	close(ep);
	EXPECT_EQ(0, ckpt_checkpoint_fd(t, pid, -1, CHECKPOINT_DRY_RUN));

	/* It watches what only we have. */
	fd = get_fd(pid, 4);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ckpt_go(pid));
	ASSERT_EQ(0, ckpt_wait_stage(t, pid, 2));
	EXPECT_EQ(0, is_refused(t, pid, EBUSY, "epoll", 3,
				"what was descriptor 4"));
	close(fd);
	/* That it has forgotten now. */
	EXPECT_EQ(0, ckpt_checkpoint_fd(t, pid, -1, CHECKPOINT_DRY_RUN));
	ASSERT_LT(0, ckpt_checkpoint(t, pid, t->image, 0));
	ASSERT_EQ(0, ckpt_kill(t, pid));
	ASSERT_EQ(pid, ckpt_restart(t, t->image, 0));
	EXPECT_EQ(0, ckpt_finish(t, pid));
}

/* As many as the user may watch: one less at the restart. */
TEST_F(checkpoint, too_many_watches)
{
	static const char file[] = "/proc/sys/fs/epoll/max_user_watches";
	struct ckpt_test *t = &self->t;
	char *old;
	pid_t pid;

	NOT_DRY();
	START(pid, has_both, NULL);
	ASSERT_LT(0, ckpt_checkpoint(t, pid, t->image, 0));
	ASSERT_EQ(0, ckpt_kill(t, pid));
	old = ckpt_read_file(file, NULL);
	ASSERT_NE(NULL, old);
	if (ckpt_write_file(file, "0"))
		SKIP(return, "cannot change %s", file);
	EXPECT_EQ(-ENOSPC, ckpt_restart(t, t->image, 0));
	EXPECT_EQ(0, ckpt_write_file(file, old));
	free(old);
	EXPECT_TRUE(ckpt_reason(t, ENOSPC, "epoll_items", -1, 0,
				"max_user_watches"));
	EXPECT_FALSE(ckpt_has_children());
	EXPECT_EQ(pid, ckpt_restart(t, t->image, 0));
}

/* --- nothing is lost ------------------------------------------------------ */

#define NR_STATIONS	4
#define BATCH		40
#define ROUNDS		12

/*
 * Signals from outside come in by a signalfd and run through stations: a pipe
 * by edges, a pipe by levels, an eventfd by edges, one by oneshot. What arrives
 * at the end is counted. Each edge is read until there is no more; an edge that
 * is lost makes it stand still, but for timers, which must not help it. Ends
 * with SIGUSR2.
 */
SCENARIO(serves)
{
	int signals = watch_signals(SIGRTMIN, SIGUSR2), timer, inner;
	int ep = new_epoll(), p[2], q[2], event, once;
	struct itimerspec spec = { .it_value.tv_nsec = MS,
				   .it_interval.tv_nsec = 7 * MS };
	struct signalfd_siginfo info;
	bool ended = false;
	int64_t n;
	char c;

	inner = new_epoll();
	NEED(!pipe2(p, O_NONBLOCK) && !pipe2(q, O_NONBLOCK));
	event = new_event(0);
	once = new_event(0);
	timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	NEED(timer >= 0 && !timerfd_settime(timer, 0, &spec, NULL));
	watch(ep, signals, EPOLLIN | EPOLLET, 1);
	watch(ep, p[0], EPOLLIN | EPOLLET, 2);
	watch(inner, q[0], EPOLLIN, 3);
	watch(ep, inner, EPOLLIN, 3);
	watch(ep, event, EPOLLIN | EPOLLET, 4);
	watch(ep, once, EPOLLIN | EPOLLONESHOT, 5);
	watch(ep, timer, EPOLLIN | EPOLLET, 6);
	ckpt_announce();
	while (!ended) {
		switch (next(ep)) {
		case 1:
			while (read(signals, &info, sizeof(info)) == sizeof(info)) {
				if (info.ssi_signo == (uint32_t)SIGUSR2)
					ended = true;
				else
					NEED(write(p[1], "s", 1) == 1);
			}
			break;
		case 2:
			while (read(p[0], &c, 1) == 1)
				NEED(write(q[1], &c, 1) == 1);
			break;
		case 3:
			NEED(only(inner, 3) == EPOLLIN);
			NEED(read(q[0], &c, 1) == 1);
			NEED(!add_to(event, 1));
			break;
		case 4:
			n = read_u64(event);
			if (n > 0)
				NEED(!add_to(once, n));
			break;
		case 5:
			n = read_u64(once);
			NEED(n > 0);
			ckpt_value[0] += n;
			NEED(!control(ep, EPOLL_CTL_MOD, once,
				      EPOLLIN | EPOLLONESHOT, 5));
			break;
		case 6:
			NEED(read_u64(timer) > 0 || errno == EAGAIN);
			ckpt_value[1]++;
			break;
		default:
			NEED(!"an event in two minutes");
		}
	}
}

static int send_batch(pid_t pid, int nr)
{
	union sigval value = {};
	int i;

	for (i = 0; i < nr; i++)
		if (sigqueue(pid, SIGRTMIN, value))
			return ckpt_say("sigqueue: %s", strerror(errno));
	return 0;
}

/* All that was sent has run through. */
static int arrived(pid_t pid, long sent)
{
	int i;

	for (i = 0; i < 60000; i++) {
		if (ckpt_peek_value(pid, 0) == sent)
			return 0;
		usleep(1000);
	}
	return ckpt_say("%ld of %ld have arrived", ckpt_peek_value(pid, 0), sent);
}

TEST_F(checkpoint, no_event_is_lost)
{
	struct ckpt_test *t = &self->t;
	long sent = 0, ticks = -1;
	int round, i;
	pid_t pid;

	NOT_DRY();
	START(pid, serves, NULL);
	for (round = 0; round < ROUNDS; round++) {
		/* On the way at any station. */
		ASSERT_EQ(0, send_batch(pid, BATCH));
		sent += BATCH;
		if (round % 3)
			usleep(300 * round);
		ASSERT_LT(0, ckpt_checkpoint(t, pid, t->image,
					     round % 2 ? CHECKPOINT_KILL : 0));
		if (round % 2) {
			ASSERT_EQ(128 + SIGKILL, ckpt_wait(t, pid));
			ASSERT_EQ(pid, ckpt_restart(t, t->image, 0));
		}
		/* With a new load in the middle of the old one, too. */
		if (round % 4 < 2)
			continue;
		ASSERT_EQ(0, arrived(pid, sent));
		/* The timer goes on as well. */
		for (i = 0; i < 60000 && ckpt_peek_value(pid, 1) == ticks; i++)
			usleep(1000);
		EXPECT_NE(ticks, ckpt_peek_value(pid, 1));
		ticks = ckpt_peek_value(pid, 1);
	}
	ASSERT_EQ(0, arrived(pid, sent));
	ASSERT_EQ(0, kill(pid, SIGUSR2));
	EXPECT_EQ(0, ckpt_wait(t, pid));
}

TEST_HARNESS_MAIN
