// SPDX-License-Identifier: GPL-2.0
/*
 * Processes with several threads: what each thread has of its own, what they
 * wait for, and that all of them are saved at one moment.
 */
#include "ckpt_test.h"

#include <limits.h>
#include <linux/capability.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/rseq.h>

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id	_sigev_un._tid
#endif

#define USER		1000
#define MS		1000000LL
#define MAX_WORKERS	1000

/* --- workers -------------------------------------------------------------- */

/*
 * A thread that brings itself into some state, rests while the checkpoint is
 * made, and then looks whether all is as it was.
 */
struct worker {
	pthread_t thread;
	pid_t tid;
	int nr;
	void (*set)(struct worker *w);
	void (*check)(struct worker *w);
	volatile long count;
	void *mem;
	long value[4];
};

static struct worker workers[MAX_WORKERS];
static volatile int nr_ready;
static volatile bool released;
static volatile bool stopping;

static pid_t my_tid(void)
{
	return syscall(SYS_gettid);
}

static void say_ready(void)
{
	__atomic_add_fetch(&nr_ready, 1, __ATOMIC_SEQ_CST);
}

static void rest(void)
{
	say_ready();
	while (!released)
		usleep(1000);
}

static void *work(void *arg)
{
	struct worker *w = arg;

	w->tid = my_tid();
	if (w->set)
		w->set(w);
	rest();
	CHECK_EQ(w->tid, my_tid());
	CHECK(pthread_equal(w->thread, pthread_self()));
	if (w->check)
		w->check(w);
	return w;
}

static void start_worker(int nr, void *(*run)(void *arg))
{
	pthread_attr_t attr;

	workers[nr].nr = nr;
	NEED(!pthread_attr_init(&attr));
	NEED(!pthread_attr_setstacksize(&attr, 64 << 10));
	NEED(!pthread_create(&workers[nr].thread, &attr, run, &workers[nr]));
}

static void wait_ready(int nr)
{
	while (nr_ready < nr)
		usleep(1000);
}

/* clear_child_tid is what lets a join end. */
static void join_worker(int nr)
{
	void *ret = NULL;

	CHECK_EQ(0, pthread_join(workers[nr].thread, &ret));
	CHECK(ret == &workers[nr]);
}

static void run_workers(int nr, void (*set)(struct worker *w),
			void (*check)(struct worker *w))
{
	int i;

	for (i = 0; i < nr; i++) {
		workers[i].set = set;
		workers[i].check = check;
		start_worker(i, work);
	}
	wait_ready(nr);
	ckpt_point();
	released = true;
	for (i = 0; i < nr; i++)
		join_worker(i);
}

/* --- what a thread has of its own ----------------------------------------- */

static __thread long own_variable;

static void set_name(struct worker *w)
{
	char name[32];

	snprintf(name, sizeof(name), "(w) %d)", w->nr);
	NEED(!prctl(PR_SET_NAME, name));
	own_variable = 1000 + w->nr;
	errno = 100 + w->nr;
	w->value[0] = (long)&own_variable;
	w->value[1] = (long)&errno;
}

static void check_name(struct worker *w)
{
	char name[32], now[17] = "";

	/* Of the worker's sleep, if of anything. */
	CHECK(errno == 100 + w->nr || errno == EINTR);
	CHECK_EQ(1000 + w->nr, own_variable);
	CHECK_EQ(w->value[0], &own_variable);
	CHECK_EQ(w->value[1], &errno);
	snprintf(name, sizeof(name), "(w) %d)", w->nr);
	NEED(!prctl(PR_GET_NAME, now));
	CHECK(!strcmp(name, now));
}

ROUNDTRIP(names_and_variables)
{
	run_workers(5, set_name, check_name);
}

static void set_signals(struct worker *w)
{
	uint64_t mask = 0x5a00ULL << w->nr;
	stack_t stack = { .ss_size = 32768 };

	NEED(!syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, 8));
	NEED(!syscall(SYS_rt_sigprocmask, SIG_SETMASK, NULL, &w->value[0], 8));
	if (w->nr == 2)
		return;
	NEED((w->mem = malloc(stack.ss_size)));
	stack.ss_sp = w->mem;
	NEED(!sigaltstack(&stack, NULL));
}

static void check_signals(struct worker *w)
{
	uint64_t mask = 0;
	stack_t stack;

	NEED(!syscall(SYS_rt_sigprocmask, SIG_SETMASK, NULL, &mask, 8));
	CHECK_EQ(w->value[0], mask);
	NEED(!sigaltstack(NULL, &stack));
	CHECK_EQ(w->mem ? 0 : SS_DISABLE, stack.ss_flags);
	if (w->mem)
		CHECK(stack.ss_sp == w->mem);
}

ROUNDTRIP(masks_and_stacks)
{
	run_workers(5, set_signals, check_signals);
}

static const int policies[] = { SCHED_OTHER, SCHED_BATCH, SCHED_IDLE };

static int cpu_of(struct worker *w)
{
	return w->nr % sysconf(_SC_NPROCESSORS_ONLN);
}

static void set_scheduling(struct worker *w)
{
	struct sched_param param = {};
	cpu_set_t set;

	NEED(!setpriority(PRIO_PROCESS, 0, 3 * w->nr));
	NEED(!sched_setscheduler(0, policies[w->nr % 3], &param));
	CPU_ZERO(&set);
	CPU_SET(cpu_of(w), &set);
	w->value[0] = !sched_setaffinity(0, sizeof(set), &set);
}

static void check_scheduling(struct worker *w)
{
	cpu_set_t set;

	CHECK_EQ(3 * w->nr, getpriority(PRIO_PROCESS, 0));
	CHECK_EQ(policies[w->nr % 3], sched_getscheduler(0));
	if (!w->value[0])
		return;
	NEED(!sched_getaffinity(0, sizeof(set), &set));
	CHECK_EQ(1, CPU_COUNT(&set));
	CHECK(CPU_ISSET(cpu_of(w), &set));
}

ROUNDTRIP(scheduling)
{
	run_workers(6, set_scheduling, check_scheduling);
}

static void look_at_abi(long value[3])
{
	size_t len;

	value[0] = 0;
	value[1] = 0;
	NEED(!syscall(SYS_get_robust_list, 0, &value[0], &len));
	/* Some kernels do not tell. */
	prctl(PR_GET_TID_ADDRESS, &value[1], 0, 0, 0);
	/* EBUSY says that this very one is registered. */
	errno = 0;
	syscall(SYS_rseq, (char *)__builtin_thread_pointer() + __rseq_offset,
		32, 0, RSEQ_SIG);
	value[2] = errno;
}

static void set_abi(struct worker *w)
{
	look_at_abi(w->value);
}

static void check_abi(struct worker *w)
{
	long now[3];

	look_at_abi(now);
	CHECK_EQ(w->value[0], now[0]);
	CHECK_EQ(w->value[1], now[1]);
	CHECK_EQ(w->value[2], now[2]);
	CHECK(now[0] != workers[(w->nr + 1) % 4].value[0]);
}

ROUNDTRIP(kernel_addresses)
{
	run_workers(4, set_abi, check_abi);
}

static void set_prctl(struct worker *w)
{
	NEED(!prctl(PR_SET_PDEATHSIG, w->nr ? SIGRTMIN + w->nr : 0));
	NEED(!prctl(PR_SET_TIMERSLACK, 100000 + w->nr));
	NEED(personality(w->nr % 2 ? ADDR_NO_RANDOMIZE : UNAME26) != -1);
	w->value[0] = syscall(SYS_ioprio_set, 1, 0, 2 << 13 | w->nr);
}

static void check_prctl(struct worker *w)
{
	int sig = -1;

	NEED(!prctl(PR_GET_PDEATHSIG, &sig));
	CHECK_EQ(w->nr ? SIGRTMIN + w->nr : 0, sig);
	CHECK_EQ(100000 + w->nr, prctl(PR_GET_TIMERSLACK));
	CHECK_EQ(w->nr % 2 ? ADDR_NO_RANDOMIZE : UNAME26, personality(-1));
	if (!w->value[0])
		CHECK_EQ(2 << 13 | w->nr, syscall(SYS_ioprio_get, 1, 0));
}

ROUNDTRIP(attributes)
{
	run_workers(5, set_prctl, check_prctl);
}

static void burn(clockid_t clock, int64_t ns)
{
	while (ckpt_now_ns(clock) < ns)
		;
}

static int64_t own_time(void)
{
	struct rusage usage;

	NEED(!getrusage(RUSAGE_THREAD, &usage));
	return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000 * MS +
	       (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000;
}

static void set_time(struct worker *w)
{
	burn(CLOCK_THREAD_CPUTIME_ID, 30 * MS * (w->nr + 1));
	w->value[0] = ckpt_now_ns(CLOCK_THREAD_CPUTIME_ID);
	w->value[1] = own_time();
}

static void check_time(struct worker *w)
{
	int64_t now = ckpt_now_ns(CLOCK_THREAD_CPUTIME_ID);

	CHECK(now >= w->value[0] && now < w->value[0] + 20000 * MS);
	CHECK(own_time() >= w->value[1]);
}

/* Also that of one which has ended. */
ROUNDTRIP(processor_time)
{
	int64_t before, now;

	workers[9].set = set_time;
	workers[9].nr = 9;
	released = true;
	NEED(!pthread_create(&workers[9].thread, NULL, work, &workers[9]));
	join_worker(9);
	released = false;
	nr_ready = 0;
	before = ckpt_now_ns(CLOCK_PROCESS_CPUTIME_ID);
	NEED(before > 300 * MS);
	run_workers(4, set_time, check_time);
	now = ckpt_now_ns(CLOCK_PROCESS_CPUTIME_ID);
	CHECK(now > before + (30 + 60 + 90 + 120) * MS);
}

static void set_own_files(struct worker *w)
{
	char dir[20];
	int fd;

	snprintf(dir, sizeof(dir), "dir%d", w->nr);
	NEED(!unshare(CLONE_FILES | CLONE_FS));
	NEED(!mkdir(dir, 0777) && !chdir(dir));
	umask(w->nr);
	NEED((fd = open("own", O_RDWR | O_CREAT, 0666)) >= 0);
	NEED(dup2(fd, 50 + w->nr) >= 0);
	NEED(write(fd, dir, 4) == 4);
}

static void check_own_files(struct worker *w)
{
	char name[PATH_MAX], *slash;

	CHECK_EQ(4, lseek(50 + w->nr, 0, SEEK_CUR));
	CHECK_EQ(-1, lseek(50 + !w->nr, 0, SEEK_CUR));
	NEED(getcwd(name, sizeof(name)));
	slash = strrchr(name, '/');
	CHECK(slash[1] == 'd' && atoi(slash + 4) == w->nr);
	CHECK_EQ(w->nr, umask(0));
	/* What one does is still its own. */
	CHECK_EQ(0, chdir("/"));
	CHECK_EQ(0, close(1));
}

ROUNDTRIP(own_files_and_directory)
{
	char before[PATH_MAX], now[PATH_MAX];

	NEED(getcwd(before, sizeof(before)));
	run_workers(3, set_own_files, check_own_files);
	CHECK_EQ(-1, lseek(50, 0, SEEK_CUR));
	CHECK(fcntl(1, F_GETFD) >= 0);
	NEED(getcwd(now, sizeof(now)));
	CHECK(!strcmp(before, now));
	CHECK_EQ(022, umask(0));
}

/* And all others have everything in common. */
static void use_common(struct worker *w)
{
	CHECK_EQ(0, close(20 + w->nr));
	if (!w->nr)
		CHECK_EQ(0, chdir("/"));
}

ROUNDTRIP(common_files_and_directory)
{
	char now[PATH_MAX];
	int i;

	for (i = 0; i < 3; i++)
		NEED(dup2(0, 20 + i) >= 0);
	run_workers(3, NULL, use_common);
	for (i = 0; i < 3; i++)
		CHECK_EQ(-1, fcntl(20 + i, F_GETFD));
	NEED(getcwd(now, sizeof(now)));
	CHECK(!strcmp("/", now));
}

/* The kernel knows of threads with other credentials, the C library does not. */
static void set_cred(struct worker *w)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2] = {};

	if (w->nr % 2) {
		NEED(!syscall(SYS_setresgid, 7 + w->nr, 8, 9));
		NEED(!syscall(SYS_setresuid, USER + w->nr, USER, USER + 9));
		return;
	}
	data[0].permitted = 1 << CAP_KILL | 1 << CAP_CHOWN;
	data[0].effective = 1 << w->nr;
	data[0].permitted |= data[0].effective;
	NEED(!syscall(SYS_capset, &header, data));
}

static void check_cred(struct worker *w)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2] = {};
	uid_t r, e, s;

	NEED(!syscall(SYS_getresuid, &r, &e, &s));
	CHECK_EQ(w->nr % 2 ? USER + w->nr : 0, r);
	CHECK_EQ(w->nr % 2 ? USER : 0, e);
	CHECK_EQ(w->nr % 2 ? USER + 9 : 0, s);
	NEED(!syscall(SYS_getresgid, &r, &e, &s));
	CHECK_EQ(w->nr % 2 ? 7 + w->nr : 0, r);
	NEED(!syscall(SYS_capget, &header, data));
	CHECK_EQ(w->nr % 2 ? 0 : 1 << w->nr, data[0].effective);
}

ROUNDTRIP(credentials)
{
	uid_t r, e, s;

	if (getuid())
		ckpt_skip("not root");
	run_workers(5, set_cred, check_cred);
	NEED(!syscall(SYS_getresuid, &r, &e, &s));
	CHECK_EQ(0, r + e + s);
}

/* --- waiting -------------------------------------------------------------- */

static void wait_asleep(pid_t tid)
{
	char path[64], *text, *paren, state;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	do {
		usleep(1000);
		text = ckpt_read_file(path, NULL);
		paren = text ? strrchr(text, ')') : NULL;
		state = paren ? paren[2] : 0;
		free(text);
		/* Some sleep for a while only, and are over when we are slow. */
	} while (state && state != 'S');
}

/* Threads which wait for something; they tell when they have got it. */
static void start_waiters(int nr, void *(*run)(void *arg))
{
	int i;

	for (i = 0; i < nr; i++) {
		start_worker(i, run);
		while (!*(volatile pid_t *)&workers[i].tid)
			usleep(1000);
		wait_asleep(workers[i].tid);
	}
}

static void nobody_woke(int nr)
{
	int i;

	for (i = 0; i < nr; i++)
		CHECK_EQ(0, workers[i].count);
}

static pthread_mutex_t mutex;
static pthread_cond_t cond;
static bool condition;

static void make_mutex(int shared, int protocol, int robust)
{
	pthread_mutexattr_t attr;
	pthread_condattr_t cond_attr;

	NEED(!pthread_mutexattr_init(&attr));
	NEED(!pthread_mutexattr_setpshared(&attr, shared));
	NEED(!pthread_mutexattr_setprotocol(&attr, protocol));
	NEED(!pthread_mutexattr_setrobust(&attr, robust));
	NEED(!pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ERRORCHECK));
	if (pthread_mutex_init(&mutex, &attr))
		ckpt_skip("no such mutex");
	NEED(!pthread_condattr_init(&cond_attr));
	NEED(!pthread_condattr_setpshared(&cond_attr, shared));
	NEED(!pthread_cond_init(&cond, &cond_attr));
}

static void *wait_cond(void *arg)
{
	struct worker *w = arg;

	w->tid = my_tid();
	NEED(!pthread_mutex_lock(&mutex));
	while (!condition)
		CHECK_EQ(0, pthread_cond_wait(&cond, &mutex));
	w->count++;
	CHECK_EQ(0, pthread_mutex_unlock(&mutex));
	return w;
}

static void wait_for_condition(void)
{
	int i;

	start_waiters(4, wait_cond);
	ckpt_point();
	nobody_woke(4);
	CHECK_EQ(0, pthread_mutex_lock(&mutex));
	condition = true;
	CHECK_EQ(0, pthread_cond_broadcast(&cond));
	CHECK_EQ(0, pthread_mutex_unlock(&mutex));
	for (i = 0; i < 4; i++) {
		join_worker(i);
		CHECK_EQ(1, workers[i].count);
	}
}

ROUNDTRIP(condition_variable)
{
	make_mutex(PTHREAD_PROCESS_PRIVATE, PTHREAD_PRIO_NONE, PTHREAD_MUTEX_STALLED);
	wait_for_condition();
}

ROUNDTRIP(condition_variable_shared)
{
	make_mutex(PTHREAD_PROCESS_SHARED, PTHREAD_PRIO_NONE, PTHREAD_MUTEX_STALLED);
	wait_for_condition();
}

static void *lock_mutex(void *arg)
{
	struct worker *w = arg;

	w->tid = my_tid();
	CHECK_EQ(0, pthread_mutex_lock(&mutex));
	w->count++;
	CHECK_EQ(EDEADLK, pthread_mutex_lock(&mutex));
	CHECK_EQ(0, pthread_mutex_unlock(&mutex));
	return w;
}

static void wait_for_mutex(void)
{
	int i;

	NEED(!pthread_mutex_lock(&mutex));
	start_waiters(4, lock_mutex);
	ckpt_point();
	nobody_woke(4);
	CHECK_EQ(EDEADLK, pthread_mutex_lock(&mutex));
	CHECK_EQ(0, pthread_mutex_unlock(&mutex));
	for (i = 0; i < 4; i++) {
		join_worker(i);
		CHECK_EQ(1, workers[i].count);
	}
}

ROUNDTRIP(plain_mutex)
{
	make_mutex(PTHREAD_PROCESS_PRIVATE, PTHREAD_PRIO_NONE, PTHREAD_MUTEX_STALLED);
	wait_for_mutex();
}

ROUNDTRIP(plain_mutex_shared)
{
	make_mutex(PTHREAD_PROCESS_SHARED, PTHREAD_PRIO_NONE, PTHREAD_MUTEX_STALLED);
	wait_for_mutex();
}

/* Its word has the owner's tid, and the kernel looks for that one. */
ROUNDTRIP(priority_mutex)
{
	make_mutex(PTHREAD_PROCESS_PRIVATE, PTHREAD_PRIO_INHERIT, PTHREAD_MUTEX_STALLED);
	wait_for_mutex();
}

ROUNDTRIP(priority_mutex_shared)
{
	make_mutex(PTHREAD_PROCESS_SHARED, PTHREAD_PRIO_INHERIT, PTHREAD_MUTEX_STALLED);
	wait_for_mutex();
}

ROUNDTRIP(robust_mutex)
{
	make_mutex(PTHREAD_PROCESS_PRIVATE, PTHREAD_PRIO_NONE, PTHREAD_MUTEX_ROBUST);
	wait_for_mutex();
}

static void hold_mutex(struct worker *w)
{
	(void)w;
	NEED(!pthread_mutex_lock(&mutex));
}

static void *inherit_mutex(void *arg)
{
	struct worker *w = arg;

	w->tid = my_tid();
	CHECK_EQ(EOWNERDEAD, pthread_mutex_lock(&mutex));
	CHECK_EQ(0, pthread_mutex_consistent(&mutex));
	CHECK_EQ(0, pthread_mutex_unlock(&mutex));
	return w;
}

/* The owner ends after the restart, the kernel walks its list. */
static void owner_dies(int protocol)
{
	make_mutex(PTHREAD_PROCESS_SHARED, protocol, PTHREAD_MUTEX_ROBUST);
	workers[1].set = hold_mutex;
	start_worker(1, work);
	wait_ready(1);
	start_waiters(1, inherit_mutex);
	ckpt_point();
	released = true;
	join_worker(1);
	join_worker(0);
}

ROUNDTRIP(robust_owner_dies)
{
	owner_dies(PTHREAD_PRIO_NONE);
}

ROUNDTRIP(robust_priority_owner_dies)
{
	owner_dies(PTHREAD_PRIO_INHERIT);
}

static int pipes[4][2];

/* As after a stop, a write that has begun ends with what it has written. */
static ssize_t write_all(int fd, const char *mem, ssize_t len)
{
	ssize_t done = 0, ret;

	while (done < len) {
		ret = write(fd, mem + done, len - done);
		if (ret <= 0)
			return ret;
		done += ret;
	}
	return done;
}

static void *wait_anyhow(void *arg)
{
	struct worker *w = arg;
	struct timespec ts = { 0, 400 * MS };
	struct pollfd poll_fd = { .fd = pipes[1][0], .events = POLLIN };
	int64_t start = ckpt_now_ns(CLOCK_MONOTONIC);
	sigset_t set;
	char c = 0;
	int sig = 0;

	w->tid = my_tid();
	switch (w->nr) {
	case 0:
		CHECK_EQ(1, read(pipes[0][0], &c, 1));
		CHECK_EQ('0', c);
		break;
	case 1:
		CHECK_EQ(1, poll(&poll_fd, 1, -1));
		CHECK_EQ(POLLIN, poll_fd.revents);
		break;
	case 2:
		CHECK_EQ(0, nanosleep(&ts, NULL));
		CHECK(ckpt_now_ns(CLOCK_MONOTONIC) - start >= 400 * MS);
		break;
	case 3:
		sigemptyset(&set);
		sigaddset(&set, SIGUSR2);
		CHECK_EQ(0, sigwait(&set, &sig));
		CHECK_EQ(SIGUSR2, sig);
		break;
	case 4:
		poll_fd.fd = pipes[2][0];
		CHECK_EQ(0, poll(&poll_fd, 1, 400));
		CHECK(ckpt_now_ns(CLOCK_MONOTONIC) - start >= 400 * MS);
		break;
	default:
		/* More than a pipe takes. */
		w->mem = calloc(1, 200000);
		CHECK_EQ(200000, write_all(pipes[3][1], w->mem, 200000));
	}
	w->count++;
	return w;
}

/* Two of them can end at any time. */
ROUNDTRIP_OPT(system_calls, CKPT_RT_NO_SNAP)
{
	static char buf[200000];
	size_t got = 0;
	ssize_t len;
	sigset_t set;
	int i;

	for (i = 0; i < 4; i++)
		NEED(!pipe(pipes[i]));
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	NEED(!pthread_sigmask(SIG_BLOCK, &set, NULL));
	start_waiters(6, wait_anyhow);
	ckpt_point();
	for (i = 0; i < 6; i++)
		CHECK(!workers[i].count || i == 2 || i == 4);
	CHECK_EQ(1, write(pipes[0][1], "0", 1));
	CHECK_EQ(1, write(pipes[1][1], "1", 1));
	CHECK_EQ(0, pthread_kill(workers[3].thread, SIGUSR2));
	while (got < sizeof(buf)) {
		len = read(pipes[3][0], buf, sizeof(buf) - got);
		if (!CHECK(len > 0))
			break;
		got += len;
	}
	for (i = 0; i < 6; i++)
		join_worker(i);
}

/* --- very many ------------------------------------------------------------ */

static void *count_up(void *arg)
{
	struct worker *w = arg;

	w->tid = my_tid();
	say_ready();
	while (!stopping) {
		w->count++;
		/* A thousand that do so more often leave a slow machine no time. */
		usleep(200000);
	}
	CHECK_EQ(w->tid, my_tid());
	return w;
}

SCENARIO(counting)
{
	int nr = atoi(ckpt_arg), i;
	long *before;

	NEED((before = calloc(nr, sizeof(*before))));
	for (i = 0; i < nr; i++)
		start_worker(i, count_up);
	wait_ready(nr);
	ckpt_point();
	for (i = 0; i < nr; i++)
		before[i] = workers[i].count;
	for (i = 0; i < nr; i++) {
		while (workers[i].count == before[i])
			usleep(1000);
	}
	stopping = true;
	for (i = 0; i < nr; i++)
		join_worker(i);
}

TEST_F(checkpoint, very_many)
{
	OK_OR_SKIP(ckpt_roundtrip(&self->t, "counting",
				  ckpt_scale() < 1 ? "100" : "1000", 0));
}

/* --- pending signals and timers ------------------------------------------- */

static void block_all(void)
{
	sigset_t all;

	sigfillset(&all);
	NEED(!pthread_sigmask(SIG_BLOCK, &all, NULL));
}

/* The value of a pending signal, or -1. */
static long take(int sig)
{
	struct timespec none = {};
	siginfo_t info = {};
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	if (sigtimedwait(&set, &info, &none) != sig)
		return -1;
	return info.si_value.sival_int;
}

static void take_own(struct worker *w)
{
	sigset_t set;

	NEED(!sigpending(&set));
	CHECK_EQ(1, sigismember(&set, SIGUSR1));
	CHECK_EQ(w->nr == 1, sigismember(&set, SIGUSR2));
	/* In order, and in front of those of the process. */
	CHECK_EQ(100 + w->nr, take(SIGRTMIN + 1));
	CHECK_EQ(200 + w->nr, take(SIGRTMIN + 1));
	CHECK(take(SIGUSR1) != -1);
	if (w->nr == 1)
		CHECK(take(SIGUSR2) != -1);
	say_ready();
}

ROUNDTRIP(pending_signals)
{
	union sigval value;
	int i;

	block_all();
	for (i = 0; i < 3; i++) {
		workers[i].check = take_own;
		start_worker(i, work);
	}
	wait_ready(3);
	for (i = 0; i < 3; i++) {
		NEED(!pthread_kill(workers[i].thread, SIGUSR1));
		value.sival_int = 100 + i;
		NEED(!pthread_sigqueue(workers[i].thread, SIGRTMIN + 1, value));
		value.sival_int = 200 + i;
		NEED(!pthread_sigqueue(workers[i].thread, SIGRTMIN + 1, value));
	}
	NEED(!pthread_kill(workers[1].thread, SIGUSR2));
	value.sival_int = 7;
	NEED(!sigqueue(getpid(), SIGRTMIN + 1, value));
	value.sival_int = 8;
	NEED(!sigqueue(getpid(), SIGRTMIN + 1, value));
	value.sival_int = 9;
	NEED(!pthread_sigqueue(pthread_self(), SIGRTMIN + 1, value));
	ckpt_point();
	CHECK_EQ(9, take(SIGRTMIN + 1));
	CHECK_EQ(7, take(SIGRTMIN + 1));
	released = true;
	wait_ready(6);
	/* The threads have left the last one of the process. */
	CHECK_EQ(8, take(SIGRTMIN + 1));
	CHECK_EQ(-1, take(SIGRTMIN + 1));
	CHECK_EQ(-1, take(SIGUSR1));
	for (i = 0; i < 3; i++)
		join_worker(i);
}

static timer_t make_timer(clockid_t clock, int sig, pid_t tid, int64_t first,
			  int64_t interval)
{
	struct sigevent event = {
		.sigev_notify = SIGEV_THREAD_ID,
		.sigev_signo = sig,
		.sigev_value.sival_int = sig,
	};
	struct itimerspec spec = {
		.it_value = { first / (1000 * MS), first % (1000 * MS) },
		.it_interval = { interval / (1000 * MS), interval % (1000 * MS) },
	};
	timer_t timer;

	event.sigev_notify_thread_id = tid;
	NEED(!timer_create(clock, &event, &timer));
	NEED(!timer_settime(timer, 0, &spec, NULL));
	return timer;
}

static long wait_signal(int sig)
{
	struct timespec patience = { 60, 0 };
	siginfo_t info = {};
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	if (!CHECK_EQ(sig, sigtimedwait(&set, &info, &patience)))
		return -1;
	CHECK_EQ(SI_TIMER, info.si_code);
	return info.si_value.sival_int;
}

/* A timer of a CPU clock is looked at by a tick, and only while the clock runs. */
static void burn_until_pending(int sig)
{
	int64_t end = ckpt_now_ns(CLOCK_MONOTONIC) + 60000 * MS;
	sigset_t set;

	do {
		NEED(!sigpending(&set));
	} while (!sigismember(&set, sig) &&
		 ckpt_now_ns(CLOCK_MONOTONIC) < end);
}

/* Each has a timer that ticks, and one that another thread has made. */
static void set_timers(struct worker *w)
{
	make_timer(CLOCK_MONOTONIC, SIGRTMIN + 2, my_tid(), 10 * MS, 10 * MS);
	while (!*(volatile pid_t *)&workers[0].tid)
		usleep(1000);
	if (w->nr == 1)
		make_timer(CLOCK_REALTIME, SIGRTMIN + 3, workers[0].tid,
			   300 * MS, 0);
	make_timer(CLOCK_THREAD_CPUTIME_ID, SIGRTMIN + 4, my_tid(), 200 * MS, 0);
	NEED(wait_signal(SIGRTMIN + 2) == SIGRTMIN + 2);
}

static void check_timers(struct worker *w)
{
	int i;

	for (i = 0; i < 5; i++)
		CHECK_EQ(SIGRTMIN + 2, wait_signal(SIGRTMIN + 2));
	if (!w->nr)
		CHECK_EQ(SIGRTMIN + 3, wait_signal(SIGRTMIN + 3));
	/* The clock of this thread, which must run for it. */
	burn_until_pending(SIGRTMIN + 4);
	CHECK_EQ(SIGRTMIN + 4, wait_signal(SIGRTMIN + 4));
}

ROUNDTRIP_OPT(timers_of_threads, CKPT_RT_NO_SNAP)
{
	block_all();
	run_workers(3, set_timers, check_timers);
}

/* Its clock stands still until it is told. */
static void *burn_when_told(void *arg)
{
	char c;

	say_ready();
	CHECK_EQ(1, read(pipes[0][0], &c, 1));
	while (!released)
		ckpt_now_ns(CLOCK_THREAD_CPUTIME_ID);
	return arg;
}

/* Runs on the clock of another thread. */
ROUNDTRIP_OPT(clock_of_other_thread, CKPT_RT_NO_SNAP)
{
	struct itimerspec left;
	clockid_t clock;
	timer_t timer;

	block_all();
	NEED(!pipe(pipes[0]));
	start_worker(0, burn_when_told);
	wait_ready(1);
	NEED(!pthread_getcpuclockid(workers[0].thread, &clock));
	/* So much that a processor which stands still does not use it up. */
	timer = make_timer(clock, SIGRTMIN + 5, my_tid(), 900 * MS, 0);
	ckpt_point();
	burn(CLOCK_THREAD_CPUTIME_ID, ckpt_now_ns(CLOCK_THREAD_CPUTIME_ID) +
				      950 * MS);
	CHECK_EQ(-1, take(SIGRTMIN + 5));
	CHECK_EQ(0, timer_gettime(timer, &left));
	CHECK(left.it_value.tv_nsec > 0 && left.it_value.tv_nsec <= 900 * MS);
	CHECK_EQ(1, write(pipes[0][1], "x", 1));
	CHECK_EQ(SIGRTMIN + 5, wait_signal(SIGRTMIN + 5));
	released = true;
	join_worker(0);
}

static void set_used(struct worker *w)
{
	(void)w;
	burn(CLOCK_THREAD_CPUTIME_ID, 400 * MS);
}

/* A timer of the process measures what all its threads have used. */
ROUNDTRIP_OPT(clock_of_process, CKPT_RT_NO_SNAP)
{
	int64_t first, second, before, after, left_ns, lost;
	struct itimerspec left;
	timer_t timer;
	int i;

	block_all();
	for (i = 0; i < 2; i++) {
		workers[i].set = set_used;
		start_worker(i, work);
	}
	wait_ready(2);
	first = ckpt_now_ns(CLOCK_PROCESS_CPUTIME_ID);
	timer = make_timer(CLOCK_PROCESS_CPUTIME_ID, SIGRTMIN + 5, my_tid(),
			   1000000 * MS, 0);
	second = ckpt_now_ns(CLOCK_PROCESS_CPUTIME_ID);
	/* What the restart itself uses is between two looks at the clock. */
	lost = ckpt_point_gap(CLOCK_PROCESS_CPUTIME_ID);
	/*
	 * What has been used and what is left is the same at all times, however
	 * long it takes from one line to the next.
	 */
	before = ckpt_now_ns(CLOCK_PROCESS_CPUTIME_ID);
	CHECK_EQ(0, timer_gettime(timer, &left));
	after = ckpt_now_ns(CLOCK_PROCESS_CPUTIME_ID);
	left_ns = left.it_value.tv_sec * 1000 * MS + left.it_value.tv_nsec -
		  1000000 * MS;
	CHECK_SAY(left_ns + after - first > -200 * MS &&
		  left_ns + before - second < 200 * MS + lost,
		  "expires %lld ms late, of which %lld are the restart's",
		  (long long)((left_ns + before - second) / MS),
		  (long long)(lost / MS));
	released = true;
	for (i = 0; i < 2; i++)
		join_worker(i);
}

/* --- stops ---------------------------------------------------------------- */

static volatile long total;

static void *count_total(void *arg)
{
	struct worker *w = arg;

	while (!stopping) {
		total++;
		usleep(500);
	}
	return w;
}

SCENARIO(stoppable)
{
	long before;
	int i;

	for (i = 0; i < 4; i++)
		start_worker(i, count_total);
	ckpt_point();
	before = total;
	while (total < before + 10)
		usleep(1000);
	stopping = true;
	for (i = 0; i < 4; i++)
		join_worker(i);
}

/* The numbers differ, nothing else does. */
TEST_F(checkpoint, fresh_pids)
{
	OK_OR_SKIP(ckpt_roundtrip(&self->t, "stoppable", NULL,
				  CKPT_RT_FRESH | CKPT_RT_ONCE));
}

static long look_at_total(pid_t pid)
{
	long value = -1;

	ckpt_peek(pid, &total, (void *)&value, sizeof(value));
	return value;
}

TEST_F(checkpoint, stopped)
{
	struct ckpt_test *t = &self->t;
	int status;
	long before;
	pid_t pid;

	NOT_DRY();
	START(pid, stoppable, NULL);
	ASSERT_EQ(0, kill(pid, SIGSTOP));
	ASSERT_EQ(pid, waitpid(pid, &status, WUNTRACED));
	ASSERT_TRUE(WIFSTOPPED(status));
	ASSERT_LT(0, ckpt_checkpoint(t, pid, t->image, 0));
	EXPECT_EQ(0, ckpt_wait_state(pid, 'T'));
	/* Its parent has waited for it, and does not hear of it again. */
	EXPECT_EQ(0, waitpid(pid, &status, WUNTRACED | WNOHANG));
	before = look_at_total(pid);
	usleep(20000);
	EXPECT_EQ(before, look_at_total(pid));
	ASSERT_EQ(0, ckpt_kill(t, pid));
	ASSERT_EQ(pid, ckpt_restart(t, t->image, 0));
	/* The new parent does not know yet. */
	ASSERT_EQ(pid, waitpid(pid, &status, WUNTRACED));
	EXPECT_TRUE(WIFSTOPPED(status));
	EXPECT_EQ(SIGSTOP, WSTOPSIG(status));
	before = look_at_total(pid);
	usleep(20000);
	EXPECT_EQ(before, look_at_total(pid));
	ASSERT_EQ(0, kill(pid, SIGCONT));
	EXPECT_EQ(0, ckpt_finish(t, pid));
}

TEST_F(checkpoint, restart_stopped)
{
	struct ckpt_test *t = &self->t;
	long before;
	pid_t pid;

	NOT_DRY();
	START(pid, stoppable, NULL);
	ASSERT_LT(0, ckpt_checkpoint(t, pid, t->image, 0));
	ASSERT_EQ(0, ckpt_kill(t, pid));
	ASSERT_EQ(pid, ckpt_restart(t, t->image, RESTART_STOPPED));
	EXPECT_EQ(0, ckpt_wait_state(pid, 'T'));
	before = look_at_total(pid);
	usleep(20000);
	EXPECT_EQ(before, look_at_total(pid));
	ASSERT_EQ(0, kill(pid, SIGCONT));
	EXPECT_EQ(0, ckpt_finish(t, pid));
}

/* --- oneself -------------------------------------------------------------- */

/* Returns as fork does, with all the other threads. */
static void save_self(void)
{
	long ret;
	int fd;

	NEED((fd = open("self.image", O_WRONLY | O_CREAT | O_CLOEXEC, 0600)) >= 0);
	ret = ckpt_sys_checkpoint(0, fd, 0);
	CHECK_SAY(ret >= 0, "checkpoint of oneself: %s", strerror(-ret));
	close(fd);
	ckpt_value[0] = ret;
}

static void *save_from_thread(void *arg)
{
	struct worker *w = arg;

	w->tid = my_tid();
	while (total < 10)
		usleep(100);
	save_self();
	CHECK_EQ(w->tid, my_tid());
	return w;
}

SCENARIO(self)
{
	bool thread = *ckpt_arg == 't';
	long before;
	int i;

	for (i = 1; i < 4; i++)
		start_worker(i, count_total);
	if (thread) {
		start_worker(0, save_from_thread);
		join_worker(0);
	} else {
		save_self();
	}
	before = total;
	while (total < before + 10)
		usleep(1000);
	ckpt_point();
	stopping = true;
	for (i = 1; i < 4; i++)
		join_worker(i);
}

static void self_test(struct __test_metadata *_metadata, struct ckpt_test *t,
		      const char *arg)
{
	char image[200];
	pid_t pid;

	pid = ckpt_start(t, "self", arg);
	ASSERT_LT(0, pid);
	snprintf(image, sizeof(image), "%s/self.image", t->run);
	EXPECT_LT(0, ckpt_peek_value(pid, 0));
	EXPECT_EQ(0, ckpt_finish(t, pid));
	ASSERT_EQ(pid, ckpt_restart(t, image, 0));
	ASSERT_EQ(0, ckpt_wait_stage(t, pid, 1));
	EXPECT_EQ(0, ckpt_peek_value(pid, 0));
	EXPECT_EQ(0, ckpt_finish(t, pid));
}

TEST_F(checkpoint, self_from_thread)
{
	NOT_DRY();
	self_test(_metadata, &self->t, "thread");
}

TEST_F(checkpoint, self_from_first_thread)
{
	NOT_DRY();
	self_test(_metadata, &self->t, "first");
}

/* A thread's number is no process'. */
TEST_F(checkpoint, number_of_thread)
{
	struct ckpt_test *t = &self->t;
	pid_t pid;

	NOT_DRY();
	START(pid, thread_number, NULL);
	EXPECT_EQ(-EINVAL, ckpt_checkpoint_fd(t, ckpt_peek_value(pid, 2), -1,
					      CHECKPOINT_DRY_RUN));
	EXPECT_TRUE(ckpt_reason(t, EINVAL, NULL, -1, 0, "is a thread"));
	EXPECT_EQ(0, ckpt_checkpoint_fd(t, pid, -1, CHECKPOINT_DRY_RUN));
	EXPECT_EQ(0, ckpt_finish(t, pid));
}

SCENARIO(thread_number)
{
	start_worker(0, work);
	wait_ready(1);
	ckpt_value[2] = workers[0].tid;
	ckpt_point();
	released = true;
	join_worker(0);
}

/* --- on the run ----------------------------------------------------------- */

static void *come_and_go(void *arg)
{
	total++;
	return arg;
}

static void *make_threads(void *arg)
{
	struct worker *w = arg;
	pthread_t thread[3];
	void *ret;
	int i;

	while (!stopping) {
		for (i = 0; i < 3; i++)
			NEED(!pthread_create(&thread[i], NULL, come_and_go, w));
		for (i = 0; i < 3; i++) {
			CHECK_EQ(0, pthread_join(thread[i], &ret));
			CHECK(ret == w);
		}
		ckpt_value[0]++;
	}
	return arg;
}

SCENARIO(thread_storm)
{
	int i;

	for (i = 0; i < 3; i++)
		start_worker(i, make_threads);
	ckpt_point();
	stopping = true;
	for (i = 0; i < 3; i++)
		join_worker(i);
}

TEST_F(checkpoint, threads_come_and_go)
{
	NOT_DRY();
	EXPECT_EQ(0, ckpt_storm(&self->t, "thread_storm", NULL,
				30 * ckpt_scale(), 3000));
}

/* Another than the first thread executes the program again, and again. */
static char exec_arg[16];

static void *exec_again(void *arg)
{
	char *argv[] = { "target", "--scenario", "exec_storm", exec_arg, NULL };
	char exe[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

	NEED(len > 0);
	exe[len] = '\0';
	execv(exe, argv);
	CHECK(false);
	return arg;
}

SCENARIO(exec_storm)
{
	int left = atoi(ckpt_arg), i;

	for (i = 0; i < 3; i++)
		start_worker(i, work);
	if (left > 0) {
		snprintf(exec_arg, sizeof(exec_arg), "%d", left - 1);
		start_worker(3, exec_again);
		pause();
	}
	wait_ready(3);
	released = true;
	for (i = 0; i < 3; i++)
		join_worker(i);
	ckpt_point();
}

TEST_F(checkpoint, threads_execute)
{
	struct ckpt_test *t = &self->t;
	pid_t pid;
	int i;

	NOT_DRY();
	pid = ckpt_spawn(t, "exec_storm", "100");
	ASSERT_LT(0, pid);
	/* Until then it is a copy of the tester. */
	ASSERT_EQ(0, ckpt_wait_stage(t, pid, 0));
	for (i = 0; i < 20; i++) {
		ASSERT_LT(0, ckpt_checkpoint(t, pid, t->image, 0));
		usleep(i * 137 % 3000);
	}
	ASSERT_EQ(0, ckpt_wait_stage(t, pid, 1));
	EXPECT_EQ(0, ckpt_finish(t, pid));
	ASSERT_EQ(pid, ckpt_restart(t, t->image, 0));
	ASSERT_EQ(0, ckpt_wait_stage(t, pid, 1));
	EXPECT_EQ(0, ckpt_finish(t, pid));
}

/* --- the C library under load --------------------------------------------- */

static pthread_key_t key;
static pthread_barrier_t barrier;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static sem_t sem;
static volatile int turn, in_section, pair[2];
static volatile int destroyed;

static void destroy(void *arg)
{
	if (arg)
		__atomic_add_fetch(&destroyed, 1, __ATOMIC_SEQ_CST);
}

static void *under_load(void *arg)
{
	struct worker *w = arg;
	int seen;
	bool end;

	NEED(!pthread_setspecific(key, w));
	do {
		/* All have come this far, and none further. */
		seen = turn;
		pthread_barrier_wait(&barrier);
		CHECK_EQ(seen, turn);
		if (pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD) {
			turn++;
			released = stopping;
			ckpt_value[0]++;
		}
		pthread_barrier_wait(&barrier);
		end = released;
		CHECK_EQ(0, sem_wait(&sem));
		CHECK(__atomic_add_fetch(&in_section, 1, __ATOMIC_SEQ_CST) <= 2);
		__atomic_sub_fetch(&in_section, 1, __ATOMIC_SEQ_CST);
		CHECK_EQ(0, sem_post(&sem));
		if (w->nr == turn % 4) {
			CHECK_EQ(0, pthread_rwlock_wrlock(&rwlock));
			pair[0]++;
			pair[1]++;
		} else {
			CHECK_EQ(0, pthread_rwlock_rdlock(&rwlock));
			CHECK_EQ(pair[0], pair[1]);
		}
		CHECK_EQ(0, pthread_rwlock_unlock(&rwlock));
		CHECK(pthread_getspecific(key) == w);
	} while (!end);
	return w;
}

SCENARIO(c_library)
{
	int i;

	NEED(!pthread_key_create(&key, destroy));
	NEED(!pthread_barrier_init(&barrier, NULL, 4));
	NEED(!sem_init(&sem, 0, 2));
	for (i = 0; i < 4; i++)
		start_worker(i, under_load);
	while (ckpt_value[0] < 5)
		usleep(100);
	ckpt_point();
	stopping = true;
	for (i = 0; i < 4; i++)
		join_worker(i);
	CHECK_EQ(4, destroyed);
}

TEST_F(checkpoint, c_library_roundtrip)
{
	OK_OR_SKIP(ckpt_roundtrip(&self->t, "c_library", NULL, 0));
}

TEST_F(checkpoint, c_library_under_load)
{
	NOT_DRY();
	EXPECT_EQ(0, ckpt_storm(&self->t, "c_library", NULL,
				30 * ckpt_scale(), 3000));
}

TEST_HARNESS_MAIN
