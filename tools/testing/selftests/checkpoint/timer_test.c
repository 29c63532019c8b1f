// SPDX-License-Identifier: GPL-2.0
/*
 * Timers: of the process (alarm, setitimer), POSIX timers, and the times that
 * a process has used.
 */
#include "ckpt_test.h"

#include <pthread.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/times.h>

#define MS	1000000LL

/* As the kernel has them: the id is an int, not a pointer of the library. */
static int k_timer_create(clockid_t clock, int notify, int sig, long value,
			  int *id)
{
	struct sigevent event = {
		.sigev_notify = notify, .sigev_signo = sig,
		.sigev_value.sival_ptr = (void *)value,
	};

	if (notify == SIGEV_THREAD_ID)
		event._sigev_un._tid = getpid();
	return syscall(SYS_timer_create, clock, &event, id);
}

static int k_timer_settime(int id, int flags, long long first, long long every)
{
	struct itimerspec spec = {
		.it_value = { first / 1000000000, first % 1000000000 },
		.it_interval = { every / 1000000000, every % 1000000000 },
	};

	return syscall(SYS_timer_settime, id, flags, &spec, NULL);
}

static long long ns(struct timespec ts)
{
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

static struct itimerspec k_timer_gettime(int id)
{
	struct itimerspec spec = {};

	NEED(!syscall(SYS_timer_gettime, id, &spec));
	return spec;
}

static void block(int how, int sig)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	NEED(!sigprocmask(how, &set, NULL));
}

static volatile sig_atomic_t nr_seen;
static siginfo_t last;

static void note(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	last = *info;
	nr_seen++;
}

static void set_handler(int sig)
{
	struct sigaction action = { .sa_sigaction = note,
				    .sa_flags = SA_SIGINFO };

	NEED(!sigaction(sig, &action, NULL));
}

static void burn_cpu(long long how_long)
{
	long long end = ckpt_now_ns(CLOCK_PROCESS_CPUTIME_ID) + how_long;

	while (ckpt_now_ns(CLOCK_PROCESS_CPUTIME_ID) < end)
		;
}

/* The point, without using the processor: what a CPU timer has left is kept. */
static void point_asleep(void)
{
	ckpt_announce();
	while (ckpt_allowed < ckpt_stage)
		usleep(10000);
}

/* --- of the process ------------------------------------------------------- */

ROUNDTRIP(interval_timers)
{
	static const int which[] = { ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF };
	struct itimerval value, before[3];
	int i;

	for (i = 0; i < 3; i++) {
		value.it_value.tv_sec = 100 + i;
		value.it_value.tv_usec = 0;
		value.it_interval.tv_sec = 7;
		value.it_interval.tv_usec = 123456 + i * 1000;
		NEED(!setitimer(which[i], &value, NULL));
	}
	for (i = 0; i < 3; i++)
		NEED(!getitimer(which[i], &before[i]));
	ckpt_point();
	for (i = 0; i < 3; i++) {
		long gone;

		NEED(!getitimer(which[i], &value));
		gone = (before[i].it_value.tv_sec - value.it_value.tv_sec) * 1000 +
		       (before[i].it_value.tv_usec - value.it_value.tv_usec) / 1000;
		CHECK_SAY(gone >= -20 && gone < 20000,
			  "timer %d has used %ld ms", i, gone);
		CHECK_EQ(before[i].it_interval.tv_sec, value.it_interval.tv_sec);
		/* In ticks or not, it is what it was. */
		CHECK_EQ(before[i].it_interval.tv_usec, value.it_interval.tv_usec);
	}
}

ROUNDTRIP(no_timers)
{
	struct itimerval value;
	int i;

	ckpt_point();
	for (i = 0; i < 3; i++) {
		NEED(!getitimer(i, &value));
		CHECK_EQ(0, value.it_value.tv_sec + value.it_value.tv_usec);
	}
	CHECK_EQ(0, alarm(0));
}

#define ALARM_S		5

/* The time that was left is left: it does not run while the process does not. */
SCENARIO(alarm_clock)
{
	struct itimerval value = { .it_value.tv_sec = ALARM_S };

	set_handler(SIGALRM);
	NEED(!setitimer(ITIMER_REAL, &value, NULL));
	ckpt_announce();
	while (!nr_seen)
		usleep(1000);
	CHECK_EQ(SIGALRM, last.si_signo);
	CHECK_EQ(SI_KERNEL, last.si_code);
}

TEST_F(checkpoint, alarm_left)
{
	long long first, start, end, before;
	pid_t pid;

	NOT_DRY();
	first = ckpt_now_ns(CLOCK_MONOTONIC);
	START(pid, alarm_clock, NULL);
	ASSERT_LT(0, ckpt_checkpoint(&self->t, pid, self->t.image, 0));
	before = ckpt_now_ns(CLOCK_MONOTONIC) - first;
	ASSERT_EQ(0, ckpt_kill(&self->t, pid));
	usleep(1000000);
	start = ckpt_now_ns(CLOCK_MONOTONIC);
	ASSERT_EQ(pid, ckpt_restart(&self->t, self->t.image, 0));
	EXPECT_EQ(0, ckpt_wait(&self->t, pid));
	end = ckpt_now_ns(CLOCK_MONOTONIC);
	/* Some of it went by before the checkpoint, at most all of that. */
	EXPECT_LT(ALARM_S * 1000 * MS - before - 20 * MS, end - start);
	/* A machine may be slow; the second that was slept is not all of this. */
	EXPECT_GT((ALARM_S + 20) * 1000 * MS, end - start);
}

/* A signal can be on its way at any time. */
ROUNDTRIP_OPT(periodic, CKPT_RT_NO_SNAP)
{
	struct itimerval value = { .it_value.tv_usec = 20000,
				   .it_interval.tv_usec = 20000 };
	int before;

	set_handler(SIGALRM);
	NEED(!setitimer(ITIMER_REAL, &value, NULL));
	while (nr_seen < 3)
		;
	ckpt_point();
	before = nr_seen;
	while (nr_seen < before + 3)
		;
	value.it_interval.tv_usec = 0;
	NEED(!getitimer(ITIMER_REAL, &value));
	CHECK_EQ(20000, value.it_interval.tv_usec);
}

static bool is_pending(int sig)
{
	sigset_t set;

	NEED(!sigpending(&set));
	return sigismember(&set, sig);
}

/* It has expired and goes on when its signal is taken, in step as before. */
ROUNDTRIP(periodic_pending)
{
	struct itimerval value = { .it_value.tv_usec = 20000,
				   .it_interval.tv_usec = 20000 };

	set_handler(SIGALRM);
	block(SIG_BLOCK, SIGALRM);
	NEED(!setitimer(ITIMER_REAL, &value, NULL));
	/* Another processor may have it, and come to it later than we do. */
	while (!is_pending(SIGALRM))
		usleep(1000);
	ckpt_point();
	CHECK(is_pending(SIGALRM));
	CHECK_EQ(0, nr_seen);
	block(SIG_UNBLOCK, SIGALRM);
	while (nr_seen < 3)
		;
}

ROUNDTRIP(cpu_timer)
{
	struct itimerval value = { .it_value.tv_usec = 200000 };

	set_handler(SIGVTALRM);
	NEED(!setitimer(ITIMER_VIRTUAL, &value, NULL));
	burn_cpu(20 * MS);
	point_asleep();
	while (!nr_seen)
		burn_cpu(10 * MS);
	CHECK_EQ(SIGVTALRM, last.si_signo);
}

/* --- POSIX timers --------------------------------------------------------- */

ROUNDTRIP(posix_timers)
{
	static const clockid_t clocks[] = {
		CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME,
		CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID, CLOCK_TAI,
	};
	const int nr = ARRAY_SIZE(clocks);
	struct itimerspec before[12], now;
	int id[12], i;
	long long gone;

	for (i = 0; i < nr; i++) {
		NEED(!k_timer_create(clocks[i], SIGEV_SIGNAL, SIGUSR1, 100 + i,
				     &id[i]));
		NEED(!k_timer_create(clocks[i], SIGEV_NONE, 0, 0, &id[i + nr]));
	}
	/* A hole in the ids. */
	NEED(!syscall(SYS_timer_delete, id[2]));
	NEED(!syscall(SYS_timer_delete, id[nr + 1]));
	for (i = 0; i < nr; i++) {
		if (i != 2)
			NEED(!k_timer_settime(id[i], 0, (100 + i) * 1000 * MS,
					      1234567));
		if (i != 1)
			NEED(!k_timer_settime(id[i + nr], 0, 200000 * MS, 0));
	}
	for (i = 0; i < 2 * nr; i++) {
		if (i != 2 && i != nr + 1)
			before[i] = k_timer_gettime(id[i]);
	}
	ckpt_point();
	for (i = 0; i < 2 * nr; i++) {
		if (i == 2 || i == nr + 1) {
			CHECK_EQ(-1, syscall(SYS_timer_gettime, id[i], &now));
			continue;
		}
		now = k_timer_gettime(id[i]);
		CHECK_EQ(ns(before[i].it_interval), ns(now.it_interval));
		gone = ns(before[i].it_value) - ns(now.it_value);
		CHECK_SAY(gone >= -20 * MS && gone < 20000 * MS,
			  "timer %d has used %lld ms", i, gone / MS);
		CHECK_EQ(0, syscall(SYS_timer_getoverrun, id[i]));
	}
	for (i = 0; i < 2 * nr; i++) {
		if (i != 2 && i != nr + 1)
			CHECK_EQ(0, syscall(SYS_timer_delete, id[i]));
	}
}

/*
 * Set for a time of day: rings at that time, or at once when it is over. The
 * signal may just be on its way when somebody looks at /proc.
 */
ROUNDTRIP_OPT(posix_absolute, CKPT_RT_NO_SNAP)
{
	long long end;
	int id;

	set_handler(SIGUSR1);
	NEED(!k_timer_create(CLOCK_REALTIME, SIGEV_SIGNAL, SIGUSR1, 5, &id));
	end = ckpt_now_ns(CLOCK_REALTIME) + 300 * MS;
	NEED(!k_timer_settime(id, TIMER_ABSTIME, end, 0));
	ckpt_point();
	while (!nr_seen)
		;
	CHECK(ckpt_now_ns(CLOCK_REALTIME) >= end);
	CHECK_EQ(SI_TIMER, last.si_code);
	CHECK_EQ(5, last.si_value.sival_ptr);
	CHECK_EQ(0, ns(k_timer_gettime(id).it_value));
}

ROUNDTRIP_OPT(posix_periodic, CKPT_RT_NO_SNAP)
{
	int id, before;

	set_handler(SIGRTMIN);
	NEED(!k_timer_create(CLOCK_MONOTONIC, SIGEV_THREAD_ID, SIGRTMIN, 0xabcdef,
			     &id));
	NEED(!k_timer_settime(id, 0, 10 * MS, 10 * MS));
	while (nr_seen < 2)
		;
	ckpt_point();
	before = nr_seen;
	while (nr_seen < before + 3)
		;
	CHECK_EQ(0xabcdef, last.si_value.sival_ptr);
	CHECK_EQ(id, last.si_timerid);
	CHECK_EQ(10 * MS, ns(k_timer_gettime(id).it_interval));
}

/* Its signal waits: it is there, and counts what was missed. */
ROUNDTRIP(posix_pending)
{
	int id;

	set_handler(SIGUSR1);
	block(SIG_BLOCK, SIGUSR1);
	NEED(!k_timer_create(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1, 9, &id));
	NEED(!k_timer_settime(id, 0, 5 * MS, 5 * MS));
	while (!is_pending(SIGUSR1))
		usleep(1000);
	usleep(20000);
	ckpt_point();
	usleep(20000);
	block(SIG_UNBLOCK, SIGUSR1);
	CHECK(nr_seen >= 1);
	CHECK_EQ(SI_TIMER, last.si_code);
	CHECK_EQ(9, last.si_value.sival_ptr);
	/* And goes on. */
	nr_seen = 0;
	while (nr_seen < 3)
		;
}

ROUNDTRIP(posix_cpu_timer)
{
	int id;

	set_handler(SIGUSR1);
	NEED(!k_timer_create(CLOCK_PROCESS_CPUTIME_ID, SIGEV_SIGNAL, SIGUSR1, 0,
			     &id));
	NEED(!k_timer_settime(id, 0, 200 * MS, 0));
	burn_cpu(10 * MS);
	point_asleep();
	while (!nr_seen)
		burn_cpu(10 * MS);
}

/* Takes the signal that is pending. */
static siginfo_t take(int sig)
{
	struct timespec now = {};
	siginfo_t info = {};
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	CHECK_EQ(sig, sigtimedwait(&set, &info, &now));
	return info;
}

/*
 * It has expired many times before its signal is taken, and processor time is
 * the process's own: the number is as if nothing had happened.
 */
ROUNDTRIP_OPT(posix_cpu_overrun, CKPT_RT_NO_SNAP)
{
	const long long every = 10 * MS;
	long long before, after, lost;
	siginfo_t info;
	int id;

	block(SIG_BLOCK, SIGUSR1);
	NEED(!k_timer_create(CLOCK_PROCESS_CPUTIME_ID, SIGEV_SIGNAL, SIGUSR1, 4,
			     &id));
	/* The first time is long over, so it expires at once. */
	NEED(!k_timer_settime(id, TIMER_ABSTIME, 1, every));
	burn_cpu(300 * MS);
	lost = ckpt_point_gap(CLOCK_PROCESS_CPUTIME_ID);
	before = ckpt_now_ns(CLOCK_PROCESS_CPUTIME_ID);
	info = take(SIGUSR1);
	after = ckpt_now_ns(CLOCK_PROCESS_CPUTIME_ID);
	CHECK_EQ(SI_TIMER, info.si_code);
	CHECK_EQ(4, info.si_value.sival_ptr);
	/*
	 * What the restart itself used counts on one of the clocks only; it was
	 * between two looks at it.
	 */
	CHECK_SAY(info.si_overrun >= (before - lost) / every - 5 &&
		  info.si_overrun <= after / every + 1,
		  "overrun %d after %lld to %lld ms", info.si_overrun,
		  before / MS, after / MS);
	CHECK_EQ(info.si_overrun, syscall(SYS_timer_getoverrun, id));
	/* And it goes on, looked at by a tick. */
	while (!is_pending(SIGUSR1))
		burn_cpu(every);
	info = take(SIGUSR1);
	CHECK(info.si_overrun <=
	      (ckpt_now_ns(CLOCK_PROCESS_CPUTIME_ID) - before) / every);
}

/*
 * Set anew while its signal waits, it counts in the signal itself; some kernels
 * begin anew then, so the number is that of a second timer.
 */
ROUNDTRIP(posix_signal_overrun)
{
	int one, two, overrun, i;

	block(SIG_BLOCK, SIGUSR1);
	block(SIG_BLOCK, SIGUSR2);
	NEED(!k_timer_create(CLOCK_PROCESS_CPUTIME_ID, SIGEV_SIGNAL, SIGUSR1, 0,
			     &one));
	NEED(!k_timer_create(CLOCK_PROCESS_CPUTIME_ID, SIGEV_SIGNAL, SIGUSR2, 0,
			     &two));
	for (i = 0; i < 5; i++) {
		NEED(!k_timer_settime(one, TIMER_ABSTIME, 1, 0));
		NEED(!k_timer_settime(two, TIMER_ABSTIME, 1, 0));
	}
	overrun = take(SIGUSR2).si_overrun;
	ckpt_point();
	CHECK_EQ(overrun, take(SIGUSR1).si_overrun);
	CHECK(!is_pending(SIGUSR1));
}

/* A timer made after the restart does not get an id that is in use. */
ROUNDTRIP(posix_next_id)
{
	int one, two;

	NEED(!k_timer_create(CLOCK_MONOTONIC, SIGEV_NONE, 0, 0, &one));
	ckpt_point();
	NEED(!k_timer_create(CLOCK_MONOTONIC, SIGEV_NONE, 0, 0, &two));
	CHECK(one != two);
}

/* --- times ---------------------------------------------------------------- */

static long long microseconds(struct timeval tv)
{
	return tv.tv_sec * 1000000LL + tv.tv_usec;
}

static void check_more(const struct rusage *before, const struct rusage *after)
{
	CHECK_SAY(microseconds(after->ru_utime) >= microseconds(before->ru_utime),
		  "%lld us of the user became %lld us",
		  microseconds(before->ru_utime), microseconds(after->ru_utime));
	CHECK_SAY(microseconds(after->ru_stime) >= microseconds(before->ru_stime),
		  "%lld us of the system became %lld us",
		  microseconds(before->ru_stime), microseconds(after->ru_stime));
}

/*
 * What was used is not forgotten, and nothing is added. How much of it the user
 * had is guessed from the ticks that met him, again and again, but what was told
 * once does not become less.
 */
ROUNDTRIP(used_time)
{
	long long cpu, now;
	struct rusage before, after, thread;
	struct tms tms, told;

	burn_cpu(100 * MS);
	cpu = ckpt_now_ns(CLOCK_PROCESS_CPUTIME_ID);
	NEED(times(&told) != -1);
	NEED(!getrusage(RUSAGE_SELF, &before));
	NEED(!getrusage(RUSAGE_THREAD, &thread));
	ckpt_point();
	now = ckpt_now_ns(CLOCK_PROCESS_CPUTIME_ID);
	CHECK_SAY(now >= cpu && now < cpu + 200000 * MS, "%lld ms became %lld ms",
		  cpu / MS, now / MS);
	NEED(times(&tms) != -1);
	CHECK(tms.tms_utime >= told.tms_utime);
	CHECK(tms.tms_stime >= told.tms_stime);
	NEED(!getrusage(RUSAGE_SELF, &after));
	check_more(&before, &after);
	NEED(!getrusage(RUSAGE_THREAD, &after));
	check_more(&thread, &after);
}

/*
 * A thread whose first ticks have met the user is told that all of its time was
 * the user's; those that meet the kernel then are more. What it was told does not
 * become less.
 */
static void *use_little(void *arg)
{
	static char buf[1 << 20];
	int *in = arg, zero, i;
	struct rusage before, after;
	volatile long n;
	char c;

	zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	NEED(zero >= 0);
	do {
		for (n = 0; n < 20000; n++)
			;
		NEED(!getrusage(RUSAGE_THREAD, &before));
	} while (!microseconds(before.ru_utime));
	__atomic_fetch_add(&ckpt_value[3], 1, __ATOMIC_SEQ_CST);
	NEED(read(*in, &c, 1) == 1);
	for (i = 0; i < 50; i++)
		NEED(read(zero, buf, sizeof(buf)) == sizeof(buf));
	NEED(!getrusage(RUSAGE_THREAD, &after));
	check_more(&before, &after);
	close(zero);
	return NULL;
}

ROUNDTRIP(used_little)
{
	pthread_t thread[8];
	int p[2], i;

	NEED(!pipe(p));
	for (i = 0; i < 8; i++)
		NEED(!pthread_create(&thread[i], NULL, use_little, p));
	while (__atomic_load_n(&ckpt_value[3], __ATOMIC_SEQ_CST) < 8)
		usleep(1000);
	ckpt_point();
	CHECK_EQ(8, write(p[1], "together", 8));
	for (i = 0; i < 8; i++)
		NEED(!pthread_join(thread[i], NULL));
}

/* The limit of processor time counts what was used before. */
SCENARIO(limited)
{
	/* When a virtual processor stands still its time counts as ours. */
	struct rlimit limit = { 3, 100 };

	NEED(!setrlimit(RLIMIT_CPU, &limit));
	burn_cpu(1000 * MS);
	point_asleep();
	burn_cpu(90000 * MS);
}

TEST_F(checkpoint, cpu_limit)
{
	long long start, end;
	int status;
	pid_t pid;

	NOT_DRY();
	START(pid, limited, NULL);
	ASSERT_LT(0, ckpt_checkpoint(&self->t, pid, self->t.image, 0));
	ASSERT_EQ(0, ckpt_kill(&self->t, pid));
	ASSERT_EQ(pid, ckpt_restart(&self->t, self->t.image, 0));
	start = ckpt_now_ns(CLOCK_MONOTONIC);
	ASSERT_EQ(0, ckpt_go(pid));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ckpt_forget(&self->t, pid);
	end = ckpt_now_ns(CLOCK_MONOTONIC);
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(SIGXCPU, WTERMSIG(status));
	EXPECT_GT(30000 * MS, end - start);
}

TEST_HARNESS_MAIN
