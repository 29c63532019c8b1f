/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the selftests of checkpoint/restart share.
 *
 * A test has two sides. The target is a program which brings itself into some
 * state, says so, is checkpointed, and then looks at itself: a SCENARIO(), full
 * of CHECK()s. It runs in a fresh execution of the test program and shares
 * nothing with anyone. It may have threads and children; what they CHECK()
 * counts, too. The tester is a usual TEST_F() of
 * the kselftest harness; it starts targets, checkpoints, kills and restarts
 * them, and gets to know by their exit status what they found.
 *
 * Both sides know the addresses of the variables ckpt_started, ckpt_stage,
 * ckpt_allowed and ckpt_value, because the programs are linked to fixed addresses; the tester
 * reads and writes them through /proc/PID/mem.
 *
 * With CKPT_TEST_DRY=1 in the environment nothing is ever checkpointed: the
 * targets must find themselves unchanged then, on any kernel. This tests the
 * tests.
 */
#ifndef CKPT_TEST_H
#define CKPT_TEST_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <linux/checkpoint.h>

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(arr)	(sizeof(arr) / sizeof((arr)[0]))
#endif

/* --- the target's side ---------------------------------------------------- */

#define CKPT_NR_VALUES	16

#define CKPT_STARTED	0x6b7065726d697421ULL
extern volatile uint64_t ckpt_started;		/* CKPT_STARTED: what follows counts */
extern volatile int ckpt_stage;			/* how far the target is */
extern volatile int ckpt_allowed;		/* how far it may go */
extern volatile long ckpt_value[CKPT_NR_VALUES]; /* what the tester wants to know */
extern const char *ckpt_arg;			/* as given to ckpt_start() */

struct ckpt_scenario {
	const char *name;
	void (*run)(void);
	struct ckpt_scenario *next;
};

void ckpt_scenario_add(struct ckpt_scenario *scenario);

/* Before any test of the harness registers itself, and maps memory for that. */
#define SCENARIO(_name)							\
	static void _name##_scenario(void);				\
	static struct ckpt_scenario _name##_scenario_object = {		\
		.name = #_name, .run = _name##_scenario,		\
	};								\
	static void __attribute__((constructor(1000)))			\
	_name##_scenario_register(void)					\
	{								\
		ckpt_scenario_add(&_name##_scenario_object);		\
	}								\
	static void _name##_scenario(void)

/* Be checkpointed here: spins until the tester says go. */
void ckpt_point(void);
/* The same, but the scenario does something else than to spin. */
void ckpt_announce(void);
/* As ckpt_point(). The longest time of this clock between two looks at it, in ns. */
int64_t ckpt_point_gap(clockid_t clock);
/* This cannot be tested here; ends the target. Only before the first point. */
void ckpt_skip(const char *format, ...)
	__attribute__((noreturn, format(printf, 1, 2)));
void ckpt_target_fail(const char *file, int line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void ckpt_target_die(void) __attribute__((noreturn));
/* The end of a child of a scenario: its status says whether it is content. */
void ckpt_target_end(void) __attribute__((noreturn));

#define CHECK_SAY(_cond, _format, ...)					\
	({								\
		bool _ok = (_cond);					\
									\
		if (!_ok)						\
			ckpt_target_fail(__FILE__, __LINE__, _format,	\
					 ##__VA_ARGS__);		\
		_ok;							\
	})
#define CHECK(_cond)							\
	CHECK_SAY(_cond, "%s (errno %d)", #_cond, errno)
#define CHECK_EQ(_expected, _seen)					\
	({								\
		long long _e = (long long)(_expected);			\
		long long _s = (long long)(_seen);			\
									\
		CHECK_SAY(_e == _s, "%s is %lld (%#llx) and not %lld (%#llx)", \
			  #_seen, _s, _s, _e, _e);			\
	})
/* What has to work for the scenario to make sense. */
#define NEED(_cond)							\
	do {								\
		if (!CHECK(_cond))					\
			ckpt_target_die();				\
	} while (0)

/* Helpers for scenarios. */
uint64_t ckpt_hash(const void *mem, size_t len);
void ckpt_fill(void *mem, size_t len, uint64_t seed);
/* Offset of the first byte that ckpt_fill() would not have put there, or -1. */
ssize_t ckpt_fill_differs(const void *mem, size_t len, uint64_t seed);
#define CHECK_FILL(_mem, _len, _seed)					\
	CHECK_EQ(-1, ckpt_fill_differs(_mem, _len, _seed))
int64_t ckpt_now_ns(clockid_t clock);
/* Value of a line "name:  value" in a file of /proc/self, or NULL. */
const char *ckpt_proc_value(const char *file, const char *name);
/* The whole text of a file, in a buffer to be freed; NULL if unreadable. */
char *ckpt_read_file(const char *path, size_t *len);
int ckpt_write_file(const char *path, const char *text);

/* --- the tester's side ---------------------------------------------------- */

#define CKPT_SKIPPED	4	/* as KSFT_SKIP */

#define CKPT_MAX_PIDS	64

struct ckpt_test {
	char dir[64];			/* everything of this test is in there */
	char run[128];			/* directory of the last target */
	int nr_runs;
	pid_t pids[CKPT_MAX_PIDS];	/* to be killed in the end */
	int nr_pids;
	bool refused;			/* by the last round trip */
	char why[256];			/* reason of a skip */
	char log[1 << 16];		/* reasons of the last call */
	size_t log_len;
	char image[128];		/* path, for whom one is enough */
	char other[128];
};

/* Options of ckpt_roundtrip(). */
#define CKPT_RT_ONCE		(1U << 0) /* leave out the run without a kill */
#define CKPT_RT_FRESH		(1U << 1) /* fresh pids */
#define CKPT_RT_NO_SNAP		(1U << 2) /* no look at /proc */
#define CKPT_RT_MAY_REFUSE	(1U << 3) /* a refusal with a reason is fine */
#define CKPT_RT_KILL		(1U << 4) /* CHECKPOINT_KILL does it */

int ckpt_test_init(struct ckpt_test *t);
int ckpt_test_fini(struct ckpt_test *t);
bool ckpt_dry(void);
/* How many tries there shall be, of those that are many: 1 is all of them. */
double ckpt_scale(void);
/* How long a test may take: longer on a kernel that $SLOW says is slow. */
int ckpt_test_seconds(void);
/*
 * Is this try made, one of very many of a sort? All are on a fast kernel, and with
 * a scale of 1 or more; on slow ones chance says, so that in the end all are.
 */
bool ckpt_sample(void);
/* What is to be more than so many when all tries are made; of a sample chance says. */
int ckpt_sampled(int nr);

long ckpt_sys_checkpoint(pid_t pid, int fd, unsigned long flags);
long ckpt_sys_restart(int crid, int fd, unsigned long flags);

/*
 * Start a target and wait until it is at its first point. Returns its pid, 0
 * when it skipped, or -1 after a message.
 */
pid_t ckpt_start(struct ckpt_test *t, const char *scenario, const char *arg);
/* The same without waiting. */
pid_t ckpt_spawn(struct ckpt_test *t, const char *scenario, const char *arg);
/* Another program of ours, with at most one argument; does not wait either. */
pid_t ckpt_spawn_program(struct ckpt_test *t, const char *name, const char *arg);
/*
 * The program tiny_target at its point, with an argument (or NULL). It goes on
 * and ends with TINY_STATUS when told so.
 */
pid_t ckpt_start_tiny(struct ckpt_test *t, const char *arg);
int ckpt_go_tiny(pid_t pid);
#define TINY_STATUS	7
#define TINY_GO		((volatile void *)0x10000000UL)
int ckpt_wait_stage(struct ckpt_test *t, pid_t pid, int stage);
int ckpt_wait_syscall(pid_t pid, long nr);
int ckpt_wait_state(pid_t pid, char state);
int ckpt_wait_file(const char *path);
int ckpt_peek(pid_t pid, const volatile void *addr, void *buf, size_t len);
int ckpt_poke(pid_t pid, volatile void *addr, const void *buf, size_t len);
long ckpt_peek_value(pid_t pid, int nr);
/* Let the target go on to its next point or its end. */
int ckpt_go(pid_t pid);
/* Write to a pipe that only the target has. */
int ckpt_wake(pid_t pid, int fd);
/* Wait for its end: exit status, or 128 + signal; its failures are printed. */
int ckpt_wait(struct ckpt_test *t, pid_t pid);
/* ckpt_go() and ckpt_wait(). */
int ckpt_finish(struct ckpt_test *t, pid_t pid);
/*
 * Checkpoints so many rounds of a scenario that changes all the time, up to
 * this long apart; it is right at its end, and in its last image.
 */
int ckpt_storm(struct ckpt_test *t, const char *scenario, const char *arg,
	       int rounds, int max_us);
/* Kill and reap a process and all its descendants. */
int ckpt_kill(struct ckpt_test *t, pid_t pid);
/* How many processes a tree has, those who have exited too. */
int ckpt_tree_size(pid_t pid);
/* Reap what CHECKPOINT_KILL has killed, when there is no other target. */
int ckpt_reap(struct ckpt_test *t, pid_t pid);
void ckpt_remember(struct ckpt_test *t, pid_t pid);
void ckpt_forget(struct ckpt_test *t, pid_t pid);
bool ckpt_has_children(void);

/* The system calls with a path, a log, and -errno. Messages after failures. */
long ckpt_checkpoint(struct ckpt_test *t, pid_t pid, const char *path,
		     unsigned long flags);
long ckpt_restart(struct ckpt_test *t, const char *path, unsigned long flags);
/* With an open descriptor; no messages. */
long ckpt_checkpoint_fd(struct ckpt_test *t, pid_t pid, int fd,
			unsigned long flags);
long ckpt_restart_fd(struct ckpt_test *t, int fd, unsigned long flags);
/*
 * A child that restarts from a pipe, which has all of the image but the end;
 * returns when it has taken in what there is. Its own children come to us. Its
 * exit status: 0: a signal, 1: any other error, 2: there is a process.
 */
pid_t ckpt_stalled_restart(struct ckpt_test *t, int *in, size_t missing,
			   void (*setup)(void));
long ckpt_file_size(const char *path);

/*
 * Is there a reason in the log with this error (positive), kind (NULL: any),
 * fd (-1: any), address within its range (0: any) and text (NULL: any)?
 */
bool ckpt_reason(struct ckpt_test *t, int error, const char *kind, int fd,
		 unsigned long addr, const char *text);
/* The error of a system call is that of its first reason. */
bool ckpt_is_first_error(struct ckpt_test *t, long ret);
void ckpt_show_log(struct ckpt_test *t);

/* What /proc says about a tree of processes, as text; NULL on failure. */
char *ckpt_snapshot(pid_t pid);
/* Number of differences; they are printed. */
int ckpt_compare(const char *before, const char *after);

/*
 * The usual test. A first target is checkpointed and goes on, and must be
 * content. A second one is checkpointed, killed, restarted, compared by what
 * /proc says, goes on, and must be content. Returns 0, CKPT_SKIPPED, or -1
 * after a message.
 */
int ckpt_roundtrip(struct ckpt_test *t, const char *scenario, const char *arg,
		   unsigned int options);

/*
 * A checkpoint of this target is refused, with a reason like that; the target
 * then goes on and is content. fd and address are those that it left in
 * ckpt_value[0] and ckpt_value[1]; 0 in either: none. Returns like the above.
 */
int ckpt_refused(struct ckpt_test *t, const char *scenario, const char *arg,
		 int error, const char *kind, const char *text);

/*
 * A socket on which the next write fails with ECONNRESET, and the ones behind
 * it do not: what they write comes out at *other, a message each. Or -1.
 */
int ckpt_fails_once(int *other);

/* Run a function in a child with other rights; returns its exit status. */
int ckpt_as_user(struct ckpt_test *t, unsigned int uid,
		 int (*run)(struct ckpt_test *t));

/* Say what went wrong, and be -1. */
int ckpt_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

#ifndef CKPT_TEST_NO_HARNESS
/* What went wrong belongs to the results. */
#define TH_LOG_STREAM stdout
#include "kselftest_harness.h"

/* For emulated machines and kernels full of checks. */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT ckpt_test_seconds()

FIXTURE(checkpoint) {
	struct ckpt_test t;
};

FIXTURE_SETUP(checkpoint)
{
	if (!ckpt_dry() && ckpt_sys_checkpoint(0, -1, ~0UL) == -ENOSYS)
		SKIP(return, "this kernel has no checkpoint()");
	ASSERT_EQ(0, ckpt_test_init(&self->t));
}

FIXTURE_TEARDOWN(checkpoint)
{
	EXPECT_EQ(0, ckpt_test_fini(&self->t));
}

/* A test that is not about what dry runs do. */
#define NOT_DRY()							\
	do {								\
		if (ckpt_dry())						\
			SKIP(return, "needs checkpoint()");		\
	} while (0)

#define OK_OR_SKIP(_call)						\
	do {								\
		int _ret = (_call);					\
									\
		if (_ret == CKPT_SKIPPED)				\
			SKIP(return, "%s", self->t.why);		\
		EXPECT_EQ(0, _ret);					\
	} while (0)

/* Assigns the pid; skips or fails when there is none. */
#define START(_pid, _scenario, _arg)					\
	do {								\
		(_pid) = ckpt_start(&self->t, #_scenario, _arg);	\
		if ((_pid) == 0)					\
			SKIP(return, "%s", self->t.why);		\
		ASSERT_LT(0, (_pid));					\
	} while (0)

/* A scenario with the usual test. */
#define ROUNDTRIP_OPT(_name, _options)					\
	TEST_F(checkpoint, _name)					\
	{								\
		OK_OR_SKIP(ckpt_roundtrip(&self->t, #_name, NULL, _options)); \
	}								\
	SCENARIO(_name)
#define ROUNDTRIP(_name)	ROUNDTRIP_OPT(_name, 0)

/* For what a kernel may support or not, as long as it says so. */
#define ROUNDTRIP_OR_REFUSED(_name)					\
	ROUNDTRIP_OPT(_name, CKPT_RT_MAY_REFUSE)

/* A scenario that must be refused. */
#define REFUSED(_name, _error, _kind, _text)				\
	TEST_F(checkpoint, _name)					\
	{								\
		OK_OR_SKIP(ckpt_refused(&self->t, #_name, NULL, _error,	\
					_kind, _text));			\
	}								\
	SCENARIO(_name)

#endif /* CKPT_TEST_NO_HARNESS */
#endif /* CKPT_TEST_H */
