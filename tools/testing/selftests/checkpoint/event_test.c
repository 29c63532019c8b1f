// SPDX-License-Identifier: GPL-2.0
/*
 * Event descriptors: eventfd, signalfd, timerfd, pidfd.
 */
#include "ckpt_test.h"

#include <linux/aio_abi.h>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

#ifndef SYS_pidfd_open
#define SYS_pidfd_open		434
#endif
#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal	424
#endif
#ifndef PIDFD_THREAD
#define PIDFD_THREAD		O_EXCL
#endif
#ifndef TFD_TIMER_CANCEL_ON_SET
#define TFD_TIMER_CANCEL_ON_SET	(1 << 1)
#endif

#define S		1000000000LL
#define MS		1000000LL

static short poll_now(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN | POLLOUT };

	CHECK(poll(&pfd, 1, 0) >= 0);
	return pfd.revents;
}

static int64_t read_u64(int fd)
{
	int64_t value = -2;

	return read(fd, &value, sizeof(value)) == sizeof(value) ? value : -errno;
}

static int write_u64(int fd, uint64_t value)
{
	return write(fd, &value, sizeof(value)) == sizeof(value) ? 0 : -errno;
}

/* Many of those who read these files look into fdinfo. */
static long fdinfo(int fd, const char *name, int base)
{
	char file[32];
	const char *text;

	snprintf(file, sizeof(file), "fdinfo/%d", fd);
	text = ckpt_proc_value(file, name);
	return text ? strtol(text, NULL, base) : -1;
}

/* --- eventfd -------------------------------------------------------------- */

ROUNDTRIP(counter)
{
	int fd = eventfd(5, EFD_NONBLOCK | EFD_CLOEXEC);

	NEED(fd >= 0);
	NEED(!write_u64(fd, 0x100000000ULL));
	ckpt_point();
	CHECK_EQ(POLLIN | POLLOUT, poll_now(fd));
	CHECK_EQ(O_RDWR | O_NONBLOCK, fcntl(fd, F_GETFL));
	CHECK_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
	CHECK_EQ(0x100000005, read_u64(fd));
	CHECK_EQ(-EAGAIN, read_u64(fd));
	CHECK_EQ(POLLOUT, poll_now(fd));
	CHECK_EQ(0, write_u64(fd, 7));
	CHECK_EQ(7, read_u64(fd));
}

ROUNDTRIP(counter_of_nothing)
{
	int fd = eventfd(0, 0);

	NEED(fd >= 0);
	ckpt_point();
	CHECK_EQ(POLLOUT, poll_now(fd));
	CHECK_EQ(O_RDWR, fcntl(fd, F_GETFL));
	CHECK_EQ(0, write_u64(fd, 3));
	CHECK_EQ(3, read_u64(fd));
}

ROUNDTRIP(semaphore)
{
	int fd = eventfd(3, EFD_SEMAPHORE), i;

	NEED(fd >= 0);
	NEED(!fcntl(fd, F_SETFL, O_NONBLOCK | O_APPEND));
	ckpt_point();
	CHECK_EQ(O_RDWR | O_NONBLOCK | O_APPEND, fcntl(fd, F_GETFL));
	for (i = 0; i < 3; i++)
		CHECK_EQ(1, read_u64(fd));
	CHECK_EQ(-EAGAIN, read_u64(fd));
	CHECK_EQ(0, write_u64(fd, 2));
	CHECK_EQ(1, read_u64(fd));
}

ROUNDTRIP(full_counter)
{
	int fd = eventfd(0, EFD_NONBLOCK);

	NEED(fd >= 0);
	NEED(!write_u64(fd, UINT64_MAX - 1));
	ckpt_point();
	CHECK_EQ(POLLIN, poll_now(fd));
	CHECK_EQ(-EAGAIN, write_u64(fd, 1));
	CHECK_EQ((int64_t)(UINT64_MAX - 1), read_u64(fd));
	CHECK_EQ(POLLOUT, poll_now(fd));
}

/* A poll request that holds the eventfd, and signals it when it completes. */
static void aio_poll(aio_context_t ctx, int fd, int event)
{
	struct iocb iocb = {
		.aio_lio_opcode = IOCB_CMD_POLL, .aio_fildes = fd,
		.aio_buf = POLLIN, .aio_flags = IOCB_FLAG_RESFD,
		.aio_resfd = event,
	}, *list = &iocb;

	if (syscall(SYS_io_submit, ctx, 1, &list) != 1)
		ckpt_skip("io_submit: %s", strerror(errno));
}

static aio_context_t aio_begin(void)
{
	aio_context_t ctx = 0;

	if (syscall(SYS_io_setup, 8, &ctx))
		ckpt_skip("io_setup: %s", strerror(errno));
	return ctx;
}

/* Only the kernel can make the counter run over, for a child here. */
ROUNDTRIP(overflow)
{
	int fd = eventfd(0, EFD_NONBLOCK), p[2], i, status;
	pid_t pid;

	NEED(fd >= 0 && !pipe(p));
	NEED(!write_u64(fd, UINT64_MAX - 1));
	NEED(write(p[1], "x", 1) == 1);
	pid = fork();
	if (!pid) {
		aio_poll(aio_begin(), p[0], fd);
		for (i = 0; i < 10000 && !(poll_now(fd) & POLLERR); i++)
			usleep(1000);
		_exit(0);
	}
	NEED(waitpid(pid, &status, 0) == pid);
	if (status)
		ckpt_skip("no AIO");
	NEED(poll_now(fd) == (POLLIN | POLLERR));
	ckpt_point();
	CHECK_EQ(POLLIN | POLLERR, poll_now(fd));
	CHECK_EQ(-1, read_u64(fd));
	CHECK_EQ(POLLOUT, poll_now(fd));
}

REFUSED(used_by_aio, EBUSY, "eventfd", "AIO")
{
	int fd = eventfd(0, EFD_NONBLOCK), p[2];
	aio_context_t ctx = aio_begin();

	NEED(fd >= 0 && !pipe(p));
	aio_poll(ctx, p[0], fd);
	ckpt_value[0] = fd;
	ckpt_point();
	CHECK_EQ(1, write(p[1], "x", 1));
}

ROUNDTRIP(one_counter_twice)
{
	int fd = eventfd(1, EFD_NONBLOCK), other = eventfd(2, EFD_NONBLOCK);

	NEED(fd >= 0 && other >= 0);
	NEED(dup2(fd, 77) == 77);
	ckpt_point();
	CHECK_EQ(0, write_u64(77, 10));
	CHECK_EQ(11, read_u64(fd));
	CHECK_EQ(-EAGAIN, read_u64(77));
	CHECK_EQ(2, read_u64(other));
}

/* The read waits; its bytes come behind the restart. */
SCENARIO(sleeps_in_read)
{
	int fd = eventfd(0, 0);

	NEED(fd == 3);
	ckpt_announce();
	CHECK_EQ(9, read_u64(fd));
}

static int64_t pidfd_getfd(pid_t pid, int fd)
{
	int pidfd = syscall(SYS_pidfd_open, pid, 0), got;

	got = pidfd < 0 ? -1 : syscall(438, pidfd, fd, 0);
	close(pidfd);
	return got;
}

TEST_F(checkpoint, reader_sleeps)
{
	pid_t pid;
	int fd;

	NOT_DRY();
	START(pid, sleeps_in_read, NULL);
	ASSERT_EQ(0, ckpt_wait_syscall(pid, SYS_read));
	/* Somebody outside has it, too. */
	fd = pidfd_getfd(pid, 3);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-EBUSY, ckpt_checkpoint_fd(&self->t, pid, -1,
					     CHECKPOINT_DRY_RUN));
	EXPECT_TRUE(ckpt_reason(&self->t, EBUSY, "eventfd", 3, 0, "shared"));
	close(fd);
	ASSERT_LT(0, ckpt_checkpoint(&self->t, pid, self->t.image, 0));
	ASSERT_EQ(0, ckpt_kill(&self->t, pid));
	ASSERT_EQ(pid, ckpt_restart(&self->t, self->t.image, 0));
	ASSERT_EQ(0, ckpt_wait_syscall(pid, SYS_read));
	fd = pidfd_getfd(pid, 3);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, write_u64(fd, 9));
	close(fd);
	EXPECT_EQ(0, ckpt_wait(&self->t, pid));
}

/* --- signalfd ------------------------------------------------------------- */

static int block_and_watch(int a, int b, int flags)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, a);
	sigaddset(&set, b);
	NEED(!sigprocmask(SIG_BLOCK, &set, NULL));
	return signalfd(-1, &set, flags);
}

static void queue(int sig, int value)
{
	union sigval v = { .sival_int = value };

	NEED(!sigqueue(getpid(), sig, v));
}

ROUNDTRIP(signals)
{
	int fd = block_and_watch(SIGRTMIN + 2, SIGUSR2, SFD_NONBLOCK);
	struct signalfd_siginfo info[4];

	NEED(fd >= 0);
	queue(SIGRTMIN + 2, 41);
	queue(SIGRTMIN + 2, 42);
	ckpt_point();
	CHECK_EQ(O_RDWR | O_NONBLOCK, fcntl(fd, F_GETFL));
	CHECK_EQ(POLLIN, poll_now(fd));
	NEED(read(fd, info, sizeof(info)) == 2 * sizeof(info[0]));
	CHECK_EQ(SIGRTMIN + 2, info[0].ssi_signo);
	CHECK_EQ(41, info[0].ssi_int);
	CHECK_EQ(42, info[1].ssi_int);
	CHECK_EQ(getpid(), info[1].ssi_pid);
	CHECK_EQ(-1, read(fd, info, sizeof(info)));
	CHECK_EQ(EAGAIN, errno);
	queue(SIGUSR2, 43);
	CHECK_EQ(sizeof(info[0]), read(fd, info, sizeof(info)));
	CHECK_EQ(43, info[0].ssi_int);
	/* It is for no others. */
	block_and_watch(SIGHUP, SIGHUP, 0);
	queue(SIGHUP, 44);
	CHECK_EQ(0, poll_now(fd));
}

ROUNDTRIP(all_signals)
{
	sigset_t set;
	int fd, none;

	/* The library keeps two to itself. */
	memset(&set, 0xff, sizeof(set));
	NEED((fd = signalfd(-1, &set, SFD_CLOEXEC)) >= 0);
	sigemptyset(&set);
	NEED((none = signalfd(-1, &set, 0)) >= 0);
	ckpt_point();
	CHECK_EQ(0, fdinfo(none, "sigmask", 16));
	CHECK_EQ((long)~((1UL << (SIGKILL - 1)) | (1UL << (SIGSTOP - 1))),
		 (long)strtoul(ckpt_proc_value("fdinfo/3", "sigmask") ?: "0",
			       NULL, 16));
	CHECK_EQ(O_RDWR, fcntl(fd, F_GETFL));
	/* It can still be changed. */
	sigaddset(&set, SIGUSR1);
	CHECK_EQ(none, signalfd(none, &set, 0));
	CHECK_EQ(0x200, fdinfo(none, "sigmask", 16));
}

/* --- timerfd -------------------------------------------------------------- */

static int64_t ns(struct timespec ts)
{
	return ts.tv_sec * S + ts.tv_nsec;
}

static int timer_set(int fd, int flags, int64_t first, int64_t every)
{
	struct itimerspec spec = {
		.it_value = { first / S, first % S },
		.it_interval = { every / S, every % S },
	};

	return timerfd_settime(fd, flags, &spec, NULL);
}

static int make_timer(clockid_t clock, int flags, int64_t first, int64_t every)
{
	int fd = timerfd_create(clock, TFD_NONBLOCK);

	NEED(fd >= 0);
	NEED(!timer_set(fd, flags, first, every));
	return fd;
}

static int64_t remaining(int fd)
{
	struct itimerspec spec = {};

	CHECK(!timerfd_gettime(fd, &spec));
	return ns(spec.it_value);
}

static int64_t interval(int fd)
{
	struct itimerspec spec = {};

	CHECK(!timerfd_gettime(fd, &spec));
	return ns(spec.it_interval);
}

static int wait_in(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	return poll(&pfd, 1, 30000);
}

ROUNDTRIP(time_that_remains)
{
	static const clockid_t clocks[] = {
		CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME,
		CLOCK_REALTIME_ALARM, CLOCK_BOOTTIME_ALARM,
	};
	int fd[10], i;

	for (i = 0; i < 5; i++) {
		fd[i] = make_timer(clocks[i], 0, (1000 + i) * S, i * S);
		fd[5 + i] = make_timer(clocks[i], TFD_TIMER_ABSTIME,
				       ckpt_now_ns(clocks[i]) +
				       (2000 + i) * S, 7 * S);
	}
	ckpt_point();
	for (i = 0; i < 10; i++) {
		int64_t due = i < 5 ? (1000 + i) * S : (1995 + i) * S;
		int64_t gone = due - remaining(fd[i]);

		CHECK_SAY(gone >= 0 && gone < 300 * S,
			  "timer %d has used %lld ms", i, (long long)gone / MS);
		CHECK_EQ(i < 5 ? i * S : 7 * S, interval(fd[i]));
		CHECK_EQ(-EAGAIN, read_u64(fd[i]));
		CHECK_EQ(clocks[i % 5], fdinfo(fd[i], "clockid", 10));
		CHECK_EQ(i < 5 ? 0 : TFD_TIMER_ABSTIME,
			 fdinfo(fd[i], "settime flags", 8));
	}
	/* They are timers like all others. */
	for (i = 0; i < 10; i++) {
		CHECK_EQ(0, timer_set(fd[i], 0, MS, 0));
		CHECK_EQ(1, wait_in(fd[i]));
		CHECK_EQ(1, read_u64(fd[i]));
	}
}

/*
 * What time the process was not there is none for its timers, but for those of
 * a date. The tester waits between kill and restart.
 */
SCENARIO(two_sorts)
{
	int64_t end = ckpt_now_ns(CLOCK_REALTIME) + 3600 * S, most, least, left;
	int date = make_timer(CLOCK_REALTIME, TFD_TIMER_ABSTIME, end, 0);
	int relative = make_timer(CLOCK_REALTIME, 0, 3600 * S, 0);
	int mono = make_timer(CLOCK_MONOTONIC, TFD_TIMER_ABSTIME,
			      ckpt_now_ns(CLOCK_MONOTONIC) + 3600 * S, 0);

	ckpt_point();
	most = end - ckpt_now_ns(CLOCK_REALTIME);
	left = remaining(date);
	least = end - ckpt_now_ns(CLOCK_REALTIME);
	CHECK_SAY(left <= most && left >= least, "%lld ns are left of %lld",
		  (long long)left, (long long)most);
	/* They began later, and the pause of two seconds is none for them. */
	left = remaining(relative);
	least = end - ckpt_now_ns(CLOCK_REALTIME);
	CHECK_SAY(left - least > 1500 * MS && left <= 3600 * S, "%lld ms ahead",
		  (long long)(left - least) / MS);
	left = remaining(mono);
	least = end - ckpt_now_ns(CLOCK_REALTIME);
	CHECK_SAY(left - least > 1500 * MS && left <= 3600 * S, "%lld ms ahead",
		  (long long)(left - least) / MS);
}

TEST_F(checkpoint, a_date_is_a_date)
{
	pid_t pid;

	NOT_DRY();
	START(pid, two_sorts, NULL);
	ASSERT_LT(0, ckpt_checkpoint(&self->t, pid, self->t.image, 0));
	ASSERT_EQ(0, ckpt_kill(&self->t, pid));
	usleep(2000000);
	ASSERT_EQ(pid, ckpt_restart(&self->t, self->t.image, 0));
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));
}

/* It may do so at any time. */
ROUNDTRIP_OPT(timer_fires, CKPT_RT_NO_SNAP)
{
	int fd = make_timer(CLOCK_MONOTONIC, 0, 3000 * MS, 0);
	int often = make_timer(CLOCK_BOOTTIME, 0, 3000 * MS, 20 * MS);
	int alarm = make_timer(CLOCK_REALTIME_ALARM, 0, 3000 * MS, 20 * MS);
	int i;

	ckpt_point();
	CHECK_EQ(1, wait_in(fd));
	CHECK_EQ(1, read_u64(fd));
	CHECK_EQ(-EAGAIN, read_u64(fd));
	CHECK_EQ(0, remaining(fd));
	for (i = 0; i < 3; i++) {
		CHECK_EQ(1, wait_in(often));
		CHECK(read_u64(often) >= 1);
		CHECK_EQ(1, wait_in(alarm));
		CHECK(read_u64(alarm) >= 1);
	}
}

/* Those that have fired already, looked at or not. */
ROUNDTRIP(expired)
{
	int once = make_timer(CLOCK_MONOTONIC, 0, MS, 0);
	int often = make_timer(CLOCK_MONOTONIC, 0, MS, MS);
	int rarely = make_timer(CLOCK_MONOTONIC, 0, MS, 10000 * S);
	int alarm = make_timer(CLOCK_BOOTTIME_ALARM, 0, MS, 10000 * S);
	int date = make_timer(CLOCK_REALTIME, TFD_TIMER_ABSTIME,
			      ckpt_now_ns(CLOCK_REALTIME) + MS, 10000 * S);
	int seen = make_timer(CLOCK_MONOTONIC, 0, MS, 0);
	int rearmed = make_timer(CLOCK_MONOTONIC, 0, MS, 10000 * S);
	int never = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK);
	int stopped = make_timer(CLOCK_MONOTONIC, 0, S, 5 * S);

	NEED(never >= 0 && !timer_set(stopped, 0, 0, 5 * S));
	NEED(wait_in(once) == 1 && wait_in(often) == 1 && wait_in(seen) == 1);
	NEED(wait_in(rarely) == 1 && wait_in(alarm) == 1 && wait_in(date) == 1);
	NEED(wait_in(rearmed) == 1);
	NEED(read_u64(seen) == 1);
	usleep(20000);
	/* This starts it again, and leaves the tick. */
	NEED(remaining(rearmed) > 9000 * S);
	ckpt_point();
	CHECK_EQ(1, fdinfo(often, "ticks", 10));
	CHECK_EQ(1, read_u64(once));
	CHECK_EQ(0, remaining(once));
	CHECK(read_u64(often) >= 20);
	CHECK_EQ(1, wait_in(often));
	CHECK(remaining(rarely) > 9000 * S);
	CHECK_EQ(1, read_u64(rarely));
	CHECK_EQ(-EAGAIN, read_u64(rarely));
	CHECK_EQ(1, read_u64(alarm));
	CHECK(remaining(alarm) > 9000 * S);
	CHECK_EQ(1, read_u64(date));
	CHECK(remaining(date) > 9000 * S);
	CHECK_EQ(-EAGAIN, read_u64(seen));
	CHECK_EQ(1, read_u64(rearmed));
	CHECK(remaining(rearmed) > 9000 * S);
	CHECK_EQ(0, remaining(never));
	CHECK_EQ(-EAGAIN, read_u64(never));
	CHECK_EQ(0, remaining(stopped));
	CHECK_EQ(5 * S, interval(stopped));
}

/* To what it is already: that is an event all the same. */
static void set_clock(void)
{
	struct timespec ts;

	NEED(!clock_gettime(CLOCK_REALTIME, &ts));
	if (clock_settime(CLOCK_REALTIME, &ts))
		ckpt_skip("clock_settime: %s", strerror(errno));
}

ROUNDTRIP(clock_set)
{
	int64_t far = ckpt_now_ns(CLOCK_REALTIME) + 10000 * S;
	int flags = TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET;
	int told = make_timer(CLOCK_REALTIME, flags, far, 0);
	int before = make_timer(CLOCK_REALTIME, flags, far, 0);
	int after, deaf;

	NEED(read_u64(told) == -EAGAIN);
	set_clock();
	NEED(read_u64(told) == -ECANCELED);
	after = make_timer(CLOCK_REALTIME_ALARM, flags, far, 0);
	deaf = make_timer(CLOCK_REALTIME, TFD_TIMER_ABSTIME, far, 0);
	ckpt_point();
	CHECK_EQ(-EAGAIN, read_u64(told));
	CHECK_EQ(POLLIN, poll_now(before));
	CHECK_EQ(-ECANCELED, read_u64(before));
	CHECK_EQ(-EAGAIN, read_u64(before));
	CHECK_EQ(-EAGAIN, read_u64(after));
	CHECK_EQ(flags, fdinfo(after, "settime flags", 8));
	set_clock();
	CHECK_EQ(-ECANCELED, read_u64(after));
	CHECK_EQ(-ECANCELED, read_u64(told));
	CHECK_EQ(-EAGAIN, read_u64(deaf));
	CHECK_EQ(0, timer_set(after, flags, far, 0));
}

/* --- pidfd ---------------------------------------------------------------- */

ROUNDTRIP(own_pidfd)
{
	int fd = syscall(SYS_pidfd_open, getpid(), 0);
	int quick = syscall(SYS_pidfd_open, getpid(), O_NONBLOCK);
	int thread = syscall(SYS_pidfd_open, getpid(), PIDFD_THREAD);

	NEED(fd >= 0 && quick >= 0);
	ckpt_point();
	CHECK_EQ(O_RDWR, fcntl(fd, F_GETFL));
	CHECK_EQ(O_RDWR | O_NONBLOCK, fcntl(quick, F_GETFL));
	if (thread >= 0)
		CHECK_EQ(O_RDWR | PIDFD_THREAD, fcntl(thread, F_GETFL));
	CHECK_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
	CHECK_EQ(getpid(), fdinfo(fd, "Pid", 10));
	CHECK_EQ(0, poll_now(fd));
	block_and_watch(SIGUSR1, SIGUSR1, 0);
	CHECK_EQ(0, syscall(SYS_pidfd_send_signal, fd, SIGUSR1, NULL, 0));
	CHECK_EQ(1, fdinfo(3, "Pid", 10) == getpid());
}

/* The number in it is not what counts. */
ROUNDTRIP_OPT(fresh_pidfd, CKPT_RT_FRESH | CKPT_RT_NO_SNAP)
{
	int fd = syscall(SYS_pidfd_open, getpid(), 0);

	NEED(fd >= 0);
	ckpt_point();
	CHECK_EQ(syscall(SYS_getpid), fdinfo(fd, "Pid", 10));
}

#ifndef P_PIDFD
#define P_PIDFD			3
#endif

/* Of one that lives, of one that has exited, and of each other. */
ROUNDTRIP(pidfds_of_children)
{
	int up = syscall(SYS_pidfd_open, getpid(), 0), down, gone, ep, ready;
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };
	siginfo_t info = {};
	pid_t child, zombie;
	int status;

	NEED((ready = eventfd(0, EFD_NONBLOCK)) >= 0);
	child = fork();
	if (!child) {
		block_and_watch(SIGUSR1, SIGUSR2, 0);
		NEED(!write_u64(ready, 1));
		for (;;)
			pause();
	}
	zombie = fork();
	if (!zombie)
		_exit(42);
	NEED((down = syscall(SYS_pidfd_open, child, 0)) >= 0);
	NEED((gone = syscall(SYS_pidfd_open, zombie, 0)) >= 0);
	NEED(!waitid(P_PID, zombie, &info, WEXITED | WNOWAIT));
	while (read_u64(ready) != 1)
		usleep(1000);
	NEED((ep = epoll_create1(0)) >= 0);
	NEED(!epoll_ctl(ep, EPOLL_CTL_ADD, down, &event));
	ckpt_point();
	CHECK_EQ(getpid(), fdinfo(up, "Pid", 10));
	CHECK_EQ(child, fdinfo(down, "Pid", 10));
	CHECK_EQ(0, poll_now(down));
	CHECK_EQ(0, epoll_wait(ep, &event, 1, 0));
	CHECK_EQ(POLLIN, poll_now(gone));
	memset(&info, 0, sizeof(info));
	CHECK_EQ(0, waitid(P_PIDFD, gone, &info, WEXITED));
	CHECK_EQ(zombie, info.si_pid);
	CHECK_EQ(42, info.si_status);
	CHECK_EQ(0, syscall(SYS_pidfd_send_signal, down, SIGKILL, NULL, 0));
	CHECK_EQ(1, epoll_wait(ep, &event, 1, 30000));
	CHECK_EQ(POLLIN, poll_now(down));
	CHECK_EQ(child, waitpid(child, &status, 0));
	CHECK_EQ(SIGKILL, status);
}

static void *do_nothing(void *arg)
{
	volatile int *tid = arg;

	*tid = syscall(SYS_gettid);
	while (*tid)
		usleep(1000);
	return NULL;
}

ROUNDTRIP(pidfd_of_thread)
{
	volatile int tid = 0;
	pthread_t thread;
	int fd, saved;

	NEED(!pthread_create(&thread, NULL, do_nothing, (void *)&tid));
	while (!tid)
		usleep(1000);
	saved = tid;
	fd = syscall(SYS_pidfd_open, saved, PIDFD_THREAD);
	if (fd < 0)
		ckpt_skip("PIDFD_THREAD: %s", strerror(errno));
	ckpt_point();
	CHECK_EQ(saved, fdinfo(fd, "Pid", 10));
	CHECK_EQ(0, poll_now(fd));
	tid = 0;
	CHECK_EQ(0, pthread_join(thread, NULL));
	CHECK(poll_now(fd) & POLLIN || wait_in(fd) == 1);
}

/* A counter and a timer that parent and child share. */
ROUNDTRIP(shared_by_fork)
{
	int there = eventfd(0, 0), back = eventfd(0, EFD_SEMAPHORE), timer;
	int status, i;
	pid_t pid;

	NEED(there >= 0 && back >= 0);
	timer = make_timer(CLOCK_MONOTONIC, 0, 5000 * S, 0);
	pid = fork();
	NEED(pid >= 0);
	if (!pid) {
		for (i = 0; i < 5; i++) {
			CHECK(read_u64(there) == 10 + i);
			CHECK_EQ(0, write_u64(back, 1));
		}
		CHECK(remaining(timer) > 7000 * S);
		ckpt_target_end();
	}
	NEED(!write_u64(there, 10) && read_u64(back) == 1);
	ckpt_point();
	CHECK_EQ(0, timer_set(timer, 0, 8000 * S, 0));
	for (i = 1; i < 5; i++) {
		CHECK_EQ(0, write_u64(there, 10 + i));
		CHECK_EQ(1, read_u64(back));
	}
	CHECK_EQ(pid, waitpid(pid, &status, 0));
	CHECK_EQ(0, status);
}

TEST_F(checkpoint, pidfd_of_outside)
{
	char text[64];

	snprintf(text, sizeof(text), "process %d,", getpid());
	OK_OR_SKIP(ckpt_refused(&self->t, "has_parents_pidfd", NULL, EBUSY,
				"pidfd", text));
}

SCENARIO(has_parents_pidfd)
{
	int fd = syscall(SYS_pidfd_open, getppid(), 0);

	NEED(fd >= 0);
	ckpt_value[0] = fd;
	ckpt_point();
}

REFUSED(pidfd_of_nobody, EOPNOTSUPP, "pidfd", "gone")
{
	pid_t pid = fork();
	int fd;

	if (!pid)
		_exit(0);
	NEED((fd = syscall(SYS_pidfd_open, pid, 0)) >= 0);
	NEED(waitpid(pid, NULL, 0) == pid);
	ckpt_value[0] = fd;
	ckpt_point();
}

TEST_HARNESS_MAIN
