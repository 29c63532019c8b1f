// SPDX-License-Identifier: GPL-2.0
/*
 * Signals: what is done about them, which are blocked, which wait, the stack
 * for handlers, and handlers in progress.
 */
#include "ckpt_test.h"

#include <sys/ucontext.h>

#ifndef SS_AUTODISARM
#define SS_AUTODISARM	(1U << 31)
#endif

/* As the kernel has it: with the restorer. */
struct kernel_sigaction {
	void (*handler)(int sig);
	unsigned long flags;
	void (*restorer)(void);
	uint64_t mask;
};

static struct kernel_sigaction get_action(int sig)
{
	struct kernel_sigaction action = {};

	NEED(!syscall(SYS_rt_sigaction, sig, NULL, &action, 8));
	return action;
}

static volatile sig_atomic_t nr_seen;
static siginfo_t seen[200];

static void note(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	if (nr_seen < 200)
		seen[nr_seen++] = *info;
}

static void set_handler(int sig, void (*handler)(int, siginfo_t *, void *),
			int flags)
{
	struct sigaction action = { .sa_sigaction = handler,
				    .sa_flags = flags | SA_SIGINFO };

	sigfillset(&action.sa_mask);
	NEED(!sigaction(sig, &action, NULL));
}

static void block(int how, int sig)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	NEED(!sigprocmask(how, &set, NULL));
}

ROUNDTRIP(actions)
{
	static const int flags[] = {
		0, SA_RESTART, SA_NODEFER, SA_RESETHAND, SA_ONSTACK,
		SA_NOCLDSTOP, SA_NOCLDWAIT, SA_SIGINFO,
		SA_RESTART | SA_NODEFER | SA_ONSTACK | SA_SIGINFO,
	};
	static struct kernel_sigaction before[65], after;
	struct sigaction action = {};
	int sig;

	for (sig = 1; sig < 65; sig++) {
		action.sa_sigaction = note;
		action.sa_flags = flags[sig % 9];
		sigemptyset(&action.sa_mask);
		sigaddset(&action.sa_mask, 1 + sig * 7 % 64);
		if (sig % 11 == 5)
			action.sa_handler = SIG_IGN;
		if (sig % 11 == 7)
			action.sa_handler = SIG_DFL;
		sigaction(sig, &action, NULL);
	}
	for (sig = 1; sig < 65; sig++)
		before[sig] = get_action(sig);
	ckpt_point();
	for (sig = 1; sig < 65; sig++) {
		after = get_action(sig);
		CHECK_SAY(!memcmp(&before[sig], &after, sizeof(after)),
			  "signal %d", sig);
	}
}

ROUNDTRIP(mask)
{
	uint64_t mask = 0xa5a5a5a500005a5aUL, now;

	NEED(!syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, 8));
	NEED(!syscall(SYS_rt_sigprocmask, SIG_SETMASK, NULL, &mask, 8));
	ckpt_point();
	NEED(!syscall(SYS_rt_sigprocmask, SIG_SETMASK, NULL, &now, 8));
	CHECK_EQ(mask, now);
}

/* To the process and to the thread, with what came along. */
ROUNDTRIP(pending)
{
	siginfo_t info = {};
	pid_t pid = getpid();
	int i;

	for (i = 0; i < 6; i++) {
		int sig = i < 3 ? SIGUSR1 + (i > 1) * 2 : SIGRTMIN + i;

		block(SIG_BLOCK, sig);
	}
	block(SIG_BLOCK, SIGCHLD);
	NEED(!kill(pid, SIGUSR1));
	NEED(!syscall(SYS_tgkill, pid, pid, SIGUSR2));
	/* The last that a thread gets first: tgkill's. */
	NEED(!kill(pid, SIGCHLD));
	for (i = 0; i < 3; i++)
		NEED(!sigqueue(pid, SIGRTMIN + 3,
			       (union sigval) { .sival_ptr = (void *)(0x1234567890UL + i) }));
	info.si_code = -60;
	info.si_pid = 77;
	info.si_uid = 88;
	info.si_value.sival_ptr = (void *)0xfedcba9876543210UL;
	NEED(!syscall(SYS_rt_tgsigqueueinfo, pid, pid, SIGRTMIN + 4, &info));
	NEED(!syscall(SYS_rt_sigqueueinfo, pid, SIGRTMIN + 4, &info));
	for (i = 0; i < 3; i++)
		set_handler(i == 0 ? SIGUSR1 : i == 1 ? SIGUSR2 : SIGCHLD, note, 0);
	set_handler(SIGRTMIN + 3, note, 0);
	set_handler(SIGRTMIN + 4, note, 0);
	block(SIG_BLOCK, SIGUSR2);
	ckpt_point();
	CHECK_EQ(0, nr_seen);
	block(SIG_UNBLOCK, SIGUSR1);
	CHECK_EQ(1, nr_seen);
	CHECK_EQ(SI_USER, seen[0].si_code);
	CHECK_EQ(pid, seen[0].si_pid);
	block(SIG_UNBLOCK, SIGUSR2);
	CHECK_EQ(2, nr_seen);
	CHECK_EQ(SI_TKILL, seen[1].si_code);
	block(SIG_UNBLOCK, SIGCHLD);
	CHECK_EQ(3, nr_seen);
	/* In order. */
	block(SIG_UNBLOCK, SIGRTMIN + 3);
	CHECK_EQ(6, nr_seen);
	for (i = 0; i < 3; i++) {
		CHECK_EQ(SI_QUEUE, seen[3 + i].si_code);
		CHECK_EQ(0x1234567890UL + i, seen[3 + i].si_value.sival_ptr);
	}
	block(SIG_UNBLOCK, SIGRTMIN + 4);
	CHECK_EQ(8, nr_seen);
	for (i = 6; i < 8; i++) {
		CHECK_EQ(-60, seen[i].si_code);
		CHECK_EQ(77, seen[i].si_pid);
		CHECK_EQ(88, seen[i].si_uid);
		CHECK_EQ(0xfedcba9876543210UL, seen[i].si_value.sival_ptr);
	}
}

ROUNDTRIP(many_pending)
{
	int i;

	block(SIG_BLOCK, SIGRTMIN);
	set_handler(SIGRTMIN, note, 0);
	for (i = 0; i < 150; i++)
		NEED(!sigqueue(getpid(), SIGRTMIN, (union sigval) { .sival_int = i }));
	ckpt_point();
	block(SIG_UNBLOCK, SIGRTMIN);
	CHECK_EQ(150, nr_seen);
	for (i = 0; i < 150; i++)
		CHECK_EQ(i, seen[i].si_value.sival_int);
}

/* The kernel's own, about a child that is gone since. */
ROUNDTRIP(pending_of_child)
{
	int status;
	pid_t pid;

	block(SIG_BLOCK, SIGCHLD);
	set_handler(SIGCHLD, note, 0);
	pid = fork();
	if (!pid)
		_exit(17);
	NEED(waitpid(pid, &status, 0) == pid);
	ckpt_point();
	block(SIG_UNBLOCK, SIGCHLD);
	CHECK_EQ(1, nr_seen);
	CHECK_EQ(CLD_EXITED, seen[0].si_code);
	CHECK_EQ(pid, seen[0].si_pid);
	CHECK_EQ(17, seen[0].si_status);
}

/* A signal that stops or kills, once it is let through. */
SCENARIO(deadly)
{
	int sig = atoi(ckpt_arg);

	block(SIG_BLOCK, sig);
	NEED(!kill(getpid(), sig));
	ckpt_point();
	block(SIG_UNBLOCK, sig);
	ckpt_point();
}

TEST_F(checkpoint, pending_deadly)
{
	int status;
	pid_t pid;

	NOT_DRY();
	START(pid, deadly, "15");
	ASSERT_LT(0, ckpt_checkpoint(&self->t, pid, self->t.image, 0));
	ASSERT_EQ(0, ckpt_kill(&self->t, pid));
	ASSERT_EQ(pid, ckpt_restart(&self->t, self->t.image, 0));
	ASSERT_EQ(0, ckpt_go(pid));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ckpt_forget(&self->t, pid);
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(SIGTERM, WTERMSIG(status));
}

TEST_F(checkpoint, pending_stop)
{
	int status;
	pid_t pid;

	NOT_DRY();
	/* SIGTSTP does not stop an orphaned process group; SIGTTIN neither. */
	START(pid, deadly, "10");
	ASSERT_LT(0, ckpt_checkpoint(&self->t, pid, self->t.image, 0));
	ASSERT_EQ(0, ckpt_kill(&self->t, pid));
	ASSERT_EQ(pid, ckpt_restart(&self->t, self->t.image, 0));
	/* Stops, then dies when continued. */
	ASSERT_EQ(0, kill(pid, SIGSTOP));
	ASSERT_EQ(pid, waitpid(pid, &status, WUNTRACED));
	EXPECT_TRUE(WIFSTOPPED(status));
	ASSERT_EQ(0, ckpt_go(pid));
	ASSERT_EQ(0, kill(pid, SIGCONT));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ckpt_forget(&self->t, pid);
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(SIGUSR1, WTERMSIG(status));
}

/* --- the alternate stack -------------------------------------------------- */

static char *alt_stack;
static unsigned long alt_used;

static void use_alt(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)info;
	(void)context;
	alt_used = (unsigned long)__builtin_frame_address(0);
}

ROUNDTRIP(alternate_stack)
{
	stack_t stack = { .ss_size = 65536, .ss_flags = SS_AUTODISARM }, now;

	NEED((alt_stack = malloc(65536)));
	stack.ss_sp = alt_stack;
	NEED(!sigaltstack(&stack, NULL));
	set_handler(SIGUSR1, use_alt, SA_ONSTACK);
	ckpt_point();
	NEED(!sigaltstack(NULL, &now));
	CHECK(now.ss_sp == alt_stack);
	CHECK_EQ(65536, now.ss_size);
	CHECK_EQ((int)SS_AUTODISARM, now.ss_flags);
	raise(SIGUSR1);
	CHECK(alt_used - (unsigned long)alt_stack < 65536);
}

/* In the middle of a handler, on the alternate stack. */
static void point_in_handler(int sig, siginfo_t *info, void *context)
{
	volatile char local = 1;
	sigset_t mask;
	stack_t now;

	(void)context;
	asm volatile("xorps %%xmm9, %%xmm9" : : : "xmm9");
	ckpt_point();
	CHECK(&local > alt_stack && &local < alt_stack + 65536);
	CHECK_EQ(SIGUSR1, sig);
	CHECK_EQ(SI_TKILL, info->si_code);
	NEED(!sigprocmask(SIG_BLOCK, NULL, &mask));
	CHECK(sigismember(&mask, SIGTERM));
	NEED(!sigaltstack(NULL, &now));
	CHECK_EQ(SS_ONSTACK, now.ss_flags);
	nr_seen++;
}

ROUNDTRIP(in_handler)
{
	stack_t stack = { .ss_size = 65536 };
	double kept = 42.0;
	pid_t pid = getpid();
	sigset_t mask;
	long ret;

	NEED((alt_stack = malloc(65536)));
	stack.ss_sp = alt_stack;
	NEED(!sigaltstack(&stack, NULL));
	set_handler(SIGUSR1, point_in_handler, SA_ONSTACK);
	asm volatile("movsd %1, %%xmm9\n"
		     "syscall\n"
		     "movsd %%xmm9, %1\n" : "=a"(ret), "+m"(kept)
		     : "0"(SYS_tgkill), "D"((long)pid), "S"((long)pid),
		       "d"((long)SIGUSR1)
		     : "rcx", "r11", "memory", "xmm9");
	CHECK(kept == 42.0);
	CHECK_EQ(0, ret);
	CHECK_EQ(1, nr_seen);
	NEED(!sigprocmask(SIG_BLOCK, NULL, &mask));
	CHECK(!sigismember(&mask, SIGTERM));
	stack.ss_flags = SS_DISABLE;
	CHECK_EQ(0, sigaltstack(&stack, NULL));
}

/* A handler within a handler. */
static void inner(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)info;
	(void)context;
	ckpt_point();
	nr_seen++;
}

static void outer(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)info;
	(void)context;
	block(SIG_UNBLOCK, SIGUSR2);
	raise(SIGUSR2);
	nr_seen++;
}

ROUNDTRIP(in_nested_handler)
{
	set_handler(SIGUSR1, outer, 0);
	set_handler(SIGUSR2, inner, 0);
	raise(SIGUSR1);
	CHECK_EQ(2, nr_seen);
}

/* A fault still finds its handler. */
static void *fault_addr;

static void on_fault(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	(void)sig;
	fault_addr = info->si_addr;
	/* movb $1, (%rax) has three bytes */
	uc->uc_mcontext.gregs[REG_RIP] += 3;
}

ROUNDTRIP(fault)
{
	set_handler(SIGSEGV, on_fault, 0);
	ckpt_point();
	asm volatile("movb $1, (%%rax)" : : "a"(0x1230UL) : "memory");
	CHECK_EQ(0x1230, fault_addr);
}

/* Ignored ones stay ignored, and children of those who ignore them vanish. */
ROUNDTRIP(ignored)
{
	int status;

	signal(SIGCHLD, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	ckpt_point();
	raise(SIGTERM);
	if (!fork())
		_exit(0);
	CHECK_EQ(-1, wait(&status));
	CHECK_EQ(ECHILD, errno);
}

TEST_HARNESS_MAIN
