// SPDX-License-Identifier: GPL-2.0
/*
 * Trees of processes: who is whose child, what they share, who has exited or
 * is stopped, groups and sessions; and trees that change while they are saved.
 */
#include "ckpt_test.h"

#include <grp.h>
#include <limits.h>
#include <linux/checkpoint_image.h>
#include <pthread.h>
#include <sched.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#define USER		1000
#define MS		1000000LL
#define MAX_CHILDREN	64

/* --- what the processes of a target have in common ------------------------ */

struct shared {
	volatile int ready;		/* so many are where they shall be */
	volatile int go;		/* they look at themselves, and end */
	volatile int done;
	volatile pid_t pid[MAX_CHILDREN];
	volatile long value[MAX_CHILDREN];
	volatile int hits[MAX_CHILDREN];
};

static struct shared *shared;
static pid_t root;

static void share(void)
{
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	NEED(shared != MAP_FAILED);
	root = getpid();
}

static void add(volatile int *counter)
{
	__atomic_add_fetch(counter, 1, __ATOMIC_SEQ_CST);
}

/* Fifty who look a thousand times a second leave a slow kernel no time. */
static void wait_for(volatile int *counter, int value)
{
	while (*counter < value)
		usleep(20000);
}

/* A child is where it shall be, and waits until the root goes on. */
static void rest(void)
{
	add(&shared->ready);
	wait_for(&shared->go, 1);
}

/* The root, when all are at rest. */
static void point(int nr)
{
	wait_for(&shared->ready, nr);
	ckpt_point();
}

static pid_t child(void (*run)(int nr), int nr)
{
	pid_t pid = fork();

	NEED(pid >= 0);
	if (pid) {
		shared->pid[nr] = pid;
		return pid;
	}
	shared->pid[nr] = getpid();
	run(nr);
	ckpt_target_end();
}

static void ends_with(pid_t pid, int expected)
{
	int status = -1;

	CHECK_EQ(pid, waitpid(pid, &status, __WALL));
	CHECK_EQ(expected, status);
}

/* --- who is whose child --------------------------------------------------- */

static char *list_children(void)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
	return ckpt_read_file(path, NULL);
}

static void is_child(int nr)
{
	pid_t pid = getpid(), parent = getppid();

	rest();
	CHECK_EQ(pid, syscall(SYS_getpid));
	CHECK_EQ(pid, shared->pid[nr]);
	CHECK_EQ(parent, syscall(SYS_getppid));
	CHECK_EQ(root, parent);
	_exit(10 + nr);
}

static void with_children(int nr)
{
	char *before, *after;
	int i;

	share();
	for (i = 0; i < nr; i++)
		child(is_child, i);
	wait_for(&shared->ready, nr);
	before = list_children();
	point(nr);
	after = list_children();
	CHECK((!before && !after) || !strcmp(before, after));
	CHECK_EQ(0, waitpid(-1, NULL, WNOHANG));
	shared->go = 1;
	for (i = 0; i < nr; i++)
		ends_with(shared->pid[i], (10 + i) << 8);
	CHECK_EQ(-1, waitpid(-1, NULL, WNOHANG));
	CHECK_EQ(ECHILD, errno);
}

ROUNDTRIP(one_child)
{
	with_children(1);
}

ROUNDTRIP(three_children)
{
	with_children(3);
}

ROUNDTRIP_OPT(fifty_children, CKPT_RT_KILL)
{
	with_children(50);
}

static void goes_deeper(int nr)
{
	pid_t parent = getppid(), pid = 0;

	if (nr < 10)
		pid = child(goes_deeper, nr + 1);
	rest();
	CHECK_EQ(parent, getppid());
	CHECK_EQ(shared->pid[nr - 1], parent);
	if (pid)
		ends_with(pid, 100 << 8);
	_exit(100);
}

ROUNDTRIP(ten_generations)
{
	share();
	shared->pid[0] = root;
	child(goes_deeper, 1);
	point(10);
	shared->go = 1;
	ends_with(shared->pid[1], 100 << 8);
}

static void idles(int nr)
{
	(void)nr;
	rest();
	for (;;)
		pause();
}

ROUNDTRIP(killed_afterwards)
{
	static const int signals[] = { SIGTERM, SIGKILL, SIGUSR1, SIGALRM };
	int i;

	share();
	for (i = 0; i < 4; i++)
		child(idles, i);
	point(4);
	for (i = 0; i < 4; i++) {
		CHECK_EQ(0, kill(shared->pid[i], signals[i]));
		ends_with(shared->pid[i], signals[i]);
		CHECK_EQ(-1, kill(shared->pid[i], 0));
	}
}

/* Children belong to the thread that has made them. */
static void *make_child(void *arg)
{
	child(is_child, 1);
	wait_for(&shared->done, 1);
	ends_with(shared->pid[1], 11 << 8);
	/* Other threads' children count, unless one asks not to. */
	CHECK_EQ(-1, waitpid(-1, NULL, __WNOTHREAD | WNOHANG));
	return arg;
}

ROUNDTRIP(child_of_thread)
{
	pthread_t thread;

	share();
	child(is_child, 0);
	NEED(!pthread_create(&thread, NULL, make_child, NULL));
	point(2);
	shared->go = 1;
	CHECK_EQ(-1, waitpid(shared->pid[1], NULL, __WNOTHREAD | WNOHANG));
	ends_with(shared->pid[0], 10 << 8);
	shared->done = 1;
	CHECK_EQ(0, pthread_join(thread, NULL));
}

/* --- what they share ------------------------------------------------------ */

static char *common;		/* MAP_SHARED */
static char own[10000];		/* a copy each */
static int to_child[2], to_parent[2], file;

static void uses_memory(int nr)
{
	ckpt_fill(own, sizeof(own), nr);
	rest();
	CHECK_FILL(own, sizeof(own), nr);
	CHECK_FILL(common, 65536, 7);
	add(&shared->hits[1]);
	wait_for(&shared->done, 1);
	CHECK_FILL(common, 65536, 8);
	add(&shared->hits[0]);
	wait_for(&shared->done, 2);
	common[nr] = nr;
}

ROUNDTRIP(shared_memory)
{
	int i;

	share();
	common = mmap(NULL, 65536, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	NEED(common != MAP_FAILED);
	ckpt_fill(own, sizeof(own), 99);
	for (i = 1; i <= 3; i++)
		child(uses_memory, i);
	wait_for(&shared->ready, 3);
	ckpt_fill(common, 65536, 7);
	ckpt_point();
	shared->go = 1;
	CHECK_FILL(own, sizeof(own), 99);
	wait_for(&shared->hits[1], 3);
	ckpt_fill(common, 65536, 8);
	shared->done = 1;
	wait_for(&shared->hits[0], 3);
	memset(common, 0, 4);
	shared->done = 2;
	for (i = 1; i <= 3; i++) {
		ends_with(shared->pid[i], 0);
		CHECK_EQ(i, common[i]);
	}
}

static void echoes(int nr)
{
	char c;

	(void)nr;
	close(to_child[1]);
	close(to_parent[0]);
	NEED(write(to_parent[1], "early", 5) == 5);
	add(&shared->ready);
	while (read(to_child[0], &c, 1) == 1) {
		c++;
		CHECK_EQ(1, write(to_parent[1], &c, 1));
	}
}

ROUNDTRIP(pipes)
{
	char text[10] = "";
	int i;

	share();
	NEED(!pipe(to_child) && !pipe(to_parent));
	child(echoes, 0);
	close(to_child[0]);
	close(to_parent[1]);
	point(1);
	CHECK_EQ(5, read(to_parent[0], text, sizeof(text)));
	CHECK(!strcmp("early", text));
	for (i = 0; i < 5; i++) {
		CHECK_EQ(1, write(to_child[1], "a", 1));
		CHECK_EQ(1, read(to_parent[0], text, 1));
		CHECK_EQ('b', text[0]);
	}
	/* The other side notices when an end is closed: there is but one. */
	CHECK_EQ(0, close(to_child[1]));
	CHECK_EQ(0, read(to_parent[0], text, 1));
	ends_with(shared->pid[0], 0);
}

ROUNDTRIP(fifo)
{
	char text[10] = "";

	share();
	NEED(!mkfifo("fifo1", 0600) && !mkfifo("fifo2", 0600));
	NEED((to_child[0] = open("fifo1", O_RDWR)) >= 0);
	NEED((to_parent[0] = open("fifo2", O_RDWR)) >= 0);
	NEED((to_child[1] = open("fifo1", O_WRONLY)) >= 0);
	NEED((to_parent[1] = open("fifo2", O_WRONLY)) >= 0);
	/* Without O_RDWR, so that an end is an end. */
	close(to_child[0]);
	NEED((to_child[0] = open("fifo1", O_RDONLY | O_NONBLOCK)) >= 0);
	NEED(!fcntl(to_child[0], F_SETFL, 0));
	child(echoes, 0);
	close(to_child[0]);
	point(1);
	CHECK_EQ(5, read(to_parent[0], text, sizeof(text)));
	CHECK_EQ(1, write(to_child[1], "x", 1));
	CHECK_EQ(1, read(to_parent[0], text, 1));
	CHECK_EQ('y', text[0]);
	CHECK_EQ(0, close(to_child[1]));
	ends_with(shared->pid[0], 0);
}

static void moves_offset(int nr)
{
	(void)nr;
	NEED(lseek(file, 3, SEEK_SET) == 3);
	rest();
	CHECK_EQ(3, lseek(file, 0, SEEK_CUR));
	CHECK_EQ(2, write(file, "XY", 2));
	CHECK_EQ(0, fcntl(file, F_SETFL, O_APPEND));
}

ROUNDTRIP(shared_offset)
{
	char text[20] = "";
	int other;

	share();
	NEED((file = open("file", O_RDWR | O_CREAT, 0600)) >= 0);
	NEED(write(file, "0123456789", 10) == 10);
	NEED((other = open("file", O_RDWR)) >= 0);
	child(moves_offset, 0);
	point(1);
	CHECK_EQ(3, lseek(file, 0, SEEK_CUR));
	shared->go = 1;
	ends_with(shared->pid[0], 0);
	CHECK_EQ(5, lseek(file, 0, SEEK_CUR));
	CHECK(fcntl(file, F_GETFL) & O_APPEND);
	/* Of the same file, and not the same. */
	CHECK_EQ(0, lseek(other, 0, SEEK_CUR));
	CHECK(!(fcntl(other, F_GETFL) & O_APPEND));
	CHECK_EQ(10, read(other, text, sizeof(text)));
	CHECK(!strcmp("012XY56789", text));
}

/* --- who has exited ------------------------------------------------------- */

static volatile sig_atomic_t nr_signals;
static siginfo_t last_info;

static void count_signal(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	/* In one instruction: another signal may come when this page faults. */
	__atomic_add_fetch(&nr_signals, 1, __ATOMIC_SEQ_CST);
	last_info = *info;
}

static void on_signal(int sig)
{
	struct sigaction action = { .sa_sigaction = count_signal,
				    .sa_flags = SA_SIGINFO | SA_RESTART };

	NEED(!sigaction(sig, &action, NULL));
}

/* As many signals, and no more. */
static void heard(int nr)
{
	int ms;

	for (ms = 0; ms < 30000 && nr_signals < nr; ms++)
		usleep(1000);
	CHECK_EQ(nr, nr_signals);
}

static void block(int how, int sig)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	NEED(!sigprocmask(how, &set, NULL));
}

static bool is_pending(int sig)
{
	sigset_t set;

	NEED(!sigpending(&set));
	return sigismember(&set, sig);
}

/* Until it has, and is still to be waited for. */
static void has_exited(pid_t pid)
{
	siginfo_t info;
	int ret;

	do {
		ret = waitid(P_PID, pid, &info, WEXITED | WNOWAIT);
	} while (ret && errno == EINTR);
	NEED(!ret);
}

static void exits(int nr)
{
	switch (nr) {
	case 4:
		raise(SIGKILL);
		break;
	case 5:
		raise(SIGTERM);
		break;
	case 6:
		abort();
	default:
		_exit(nr * 60);
	}
}

static const int statuses[] = {
	0, 60 << 8, 120 << 8, 180 << 8, SIGKILL, SIGTERM, SIGABRT,
};

ROUNDTRIP(zombies)
{
	struct timespec ts = { 0, 20 * MS };
	int i, status, before;

	share();
	on_signal(SIGCHLD);
	for (i = 0; i < 7; i++)
		child(exits, i);
	for (i = 0; i < 7; i++)
		has_exited(shared->pid[i]);
	before = nr_signals;
	ckpt_point();
	nanosleep(&ts, NULL);
	/* They have done so long ago: no signal again. */
	CHECK_EQ(before, nr_signals);
	for (i = 6; i >= 0; i--) {
		CHECK_EQ(0, kill(shared->pid[i], 0));
		CHECK_EQ(shared->pid[i],
			 waitpid(shared->pid[i], &status, WNOHANG));
		CHECK_EQ(statuses[i], status);
		CHECK_EQ(-1, kill(shared->pid[i], 0));
	}
	CHECK_EQ(-1, waitpid(-1, &status, WNOHANG));
	CHECK_EQ(before, nr_signals);
}

ROUNDTRIP(zombie_signal_pends)
{
	int status;

	share();
	on_signal(SIGCHLD);
	block(SIG_BLOCK, SIGCHLD);
	child(exits, 1);
	child(exits, 2);
	has_exited(shared->pid[1]);
	has_exited(shared->pid[2]);
	NEED(is_pending(SIGCHLD));
	ckpt_point();
	CHECK(is_pending(SIGCHLD));
	CHECK_EQ(0, nr_signals);
	block(SIG_UNBLOCK, SIGCHLD);
	CHECK_EQ(1, nr_signals);
	CHECK_EQ(CLD_EXITED, last_info.si_code);
	CHECK(last_info.si_pid == shared->pid[1] ||
	      last_info.si_pid == shared->pid[2]);
	CHECK_EQ(shared->pid[1], waitpid(shared->pid[1], &status, WNOHANG));
	CHECK_EQ(shared->pid[2], waitpid(shared->pid[2], &status, WNOHANG));
}

ROUNDTRIP(zombie_signal_was_taken)
{
	sigset_t set;
	int sig, status;

	share();
	block(SIG_BLOCK, SIGCHLD);
	child(exits, 1);
	has_exited(shared->pid[1]);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	NEED(!sigwait(&set, &sig));
	ckpt_point();
	CHECK(!is_pending(SIGCHLD));
	CHECK_EQ(shared->pid[1], waitpid(-1, &status, WNOHANG));
	CHECK_EQ(60 << 8, status);
	CHECK(!is_pending(SIGCHLD));
}

static void burns(int nr)
{
	(void)nr;
	while (ckpt_now_ns(CLOCK_PROCESS_CPUTIME_ID) < 60 * MS)
		;
}

static int64_t cpu_time(const struct rusage *usage)
{
	return (usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1000 * MS +
	       (usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) * 1000;
}

/* What it has used is counted when it is waited for. */
ROUNDTRIP(usage_of_zombie)
{
	struct rusage before, after, usage;
	int status;

	share();
	child(burns, 0);
	child(burns, 1);
	has_exited(shared->pid[0]);
	has_exited(shared->pid[1]);
	NEED(wait4(shared->pid[1], &status, 0, &usage) == shared->pid[1]);
	NEED(!getrusage(RUSAGE_CHILDREN, &before));
	ckpt_point();
	NEED(!getrusage(RUSAGE_CHILDREN, &after));
	CHECK(cpu_time(&after) >= cpu_time(&before));
	CHECK(cpu_time(&after) < cpu_time(&before) + 40 * MS);
	CHECK_EQ(shared->pid[0], wait4(shared->pid[0], &status, 0, &usage));
	CHECK(cpu_time(&usage) >= 50 * MS && cpu_time(&usage) < 20000 * MS);
	NEED(!getrusage(RUSAGE_CHILDREN, &after));
	CHECK(cpu_time(&after) >= cpu_time(&before) + 50 * MS);
}

/* Of a child: the parent of the zombie is not the root. */
static void has_zombies(int nr)
{
	pid_t pid[3];
	int i;

	(void)nr;
	for (i = 0; i < 3; i++) {
		pid[i] = fork();
		if (!pid[i])
			_exit(30 + i);
		has_exited(pid[i]);
	}
	rest();
	for (i = 0; i < 3; i++)
		ends_with(pid[i], (30 + i) << 8);
}

ROUNDTRIP(zombies_of_children)
{
	int i;

	share();
	for (i = 0; i < 4; i++)
		child(has_zombies, i);
	point(4);
	shared->go = 1;
	for (i = 0; i < 4; i++)
		ends_with(shared->pid[i], 0);
}

/* --- who is stopped ------------------------------------------------------- */

static void stop(pid_t pid, int options)
{
	siginfo_t info;
	int ret;

	NEED(!kill(pid, SIGSTOP));
	do {
		ret = waitid(P_PID, pid, &info, WSTOPPED | options);
	} while (ret && errno == EINTR);
	NEED(!ret);
}

static char state(pid_t pid)
{
	char path[64], *text, *paren, ret;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	text = ckpt_read_file(path, NULL);
	paren = text ? strrchr(text, ')') : NULL;
	ret = paren ? paren[2] : 0;
	free(text);
	return ret;
}

static void wait_state(pid_t pid, char expected)
{
	int ms;

	for (ms = 0; ms < 30000 && state(pid) != expected; ms++)
		usleep(1000);
	CHECK_EQ(expected, state(pid));
}

static void continues(pid_t pid)
{
	int status = 0;

	CHECK_EQ(0, kill(pid, SIGCONT));
	CHECK_EQ(pid, waitpid(pid, &status, WCONTINUED));
	CHECK(WIFCONTINUED(status));
	CHECK_EQ(0, waitpid(pid, &status, WCONTINUED | WUNTRACED | WNOHANG));
}

/* The parent does not know yet. */
ROUNDTRIP(stop_to_be_waited_for)
{
	int status = 0;

	share();
	child(is_child, 0);
	wait_for(&shared->ready, 1);
	stop(shared->pid[0], WNOWAIT);
	on_signal(SIGCHLD);
	ckpt_point();
	CHECK_EQ(shared->pid[0], waitpid(shared->pid[0], &status, WUNTRACED));
	CHECK(WIFSTOPPED(status));
	CHECK_EQ(SIGSTOP, WSTOPSIG(status));
	CHECK_EQ(0, waitpid(shared->pid[0], &status, WUNTRACED | WNOHANG));
	wait_state(shared->pid[0], 'T');
	CHECK_EQ(0, waitpid(shared->pid[0], &status, WUNTRACED | WNOHANG));
	usleep(20000);
	CHECK_EQ(0, nr_signals);
	continues(shared->pid[0]);
	heard(1);
	shared->go = 1;
	ends_with(shared->pid[0], 10 << 8);
	heard(2);
}

ROUNDTRIP(stop_that_was_waited_for)
{
	int status = 0;

	share();
	child(is_child, 0);
	wait_for(&shared->ready, 1);
	stop(shared->pid[0], 0);
	on_signal(SIGCHLD);
	ckpt_point();
	CHECK_EQ(0, waitpid(shared->pid[0], &status, WUNTRACED | WNOHANG));
	wait_state(shared->pid[0], 'T');
	CHECK_EQ(0, waitpid(shared->pid[0], &status, WUNTRACED | WNOHANG));
	CHECK_EQ(0, nr_signals);
	usleep(20000);
	CHECK_EQ('T', state(shared->pid[0]));
	continues(shared->pid[0]);
	shared->go = 1;
	ends_with(shared->pid[0], 10 << 8);
}

ROUNDTRIP(continued_to_be_waited_for)
{
	siginfo_t info;
	int status = 0;

	share();
	child(is_child, 0);
	wait_for(&shared->ready, 1);
	stop(shared->pid[0], 0);
	NEED(!kill(shared->pid[0], SIGCONT));
	NEED(!waitid(P_PID, shared->pid[0], &info, WCONTINUED | WNOWAIT));
	ckpt_point();
	CHECK_EQ(shared->pid[0],
		 waitpid(shared->pid[0], &status, WCONTINUED | WNOHANG));
	CHECK(WIFCONTINUED(status));
	CHECK_EQ(0, waitpid(shared->pid[0], &status, WCONTINUED | WNOHANG));
	shared->go = 1;
	ends_with(shared->pid[0], 10 << 8);
}

ROUNDTRIP(stopped_and_killed)
{
	share();
	child(idles, 0);
	wait_for(&shared->ready, 1);
	stop(shared->pid[0], 0);
	ckpt_point();
	CHECK_EQ(0, kill(shared->pid[0], SIGKILL));
	ends_with(shared->pid[0], SIGKILL);
}

/* --- groups and sessions -------------------------------------------------- */

/* Where in shared->value these are. */
#define GROUP	20
#define SESSION	40

static int my_nr;

static void note_hit(int sig)
{
	(void)sig;
	add(&shared->hits[my_nr]);
}

/*
 * 0 and 1 in the root's group, 2 and 3 in that of 2, 4 and 5 in that of a
 * process which has gone; 6 leads a session with 7 in its group and 8 in a
 * group of its own, 10 is in the session and group of 9, which has gone.
 */
static void is_in_group(int nr)
{
	my_nr = nr;
	NEED(signal(SIGUSR1, note_hit) != SIG_ERR);
	if (nr == 6) {
		NEED(setsid() == getpid());
		child(is_in_group, 7);
		child(is_in_group, 8);
	}
	if (nr == 8)
		NEED(!setpgid(0, 0));
	rest();
	CHECK_EQ(shared->value[GROUP + nr], getpgid(0));
	CHECK_EQ(shared->value[SESSION + nr], getsid(0));
	if (nr == 6) {
		ends_with(shared->pid[7], 0);
		ends_with(shared->pid[8], 0);
	}
}

static void leads_and_goes(int nr)
{
	if (nr == 9) {
		NEED(setsid() == getpid());
		child(is_in_group, 10);
		while (!shared->pid[10])
			usleep(1000);
		_exit(0);
	}
	NEED(!setpgid(0, 0));
	add(&shared->done);
	wait_for(&shared->done, 2);
	_exit(0);
}

static void signal_group(pid_t group, unsigned int expected)
{
	int i, ms;

	for (i = 0; i < 11; i++)
		shared->hits[i] = 0;
	CHECK_EQ(0, kill(-group, SIGUSR1));
	for (i = 0; i < 11; i++) {
		for (ms = 0; ms < 20000 && expected & 1U << i &&
		     !shared->hits[i]; ms++)
			usleep(1000);
	}
	usleep(10000);
	for (i = 0; i < 11; i++)
		CHECK_SAY(shared->hits[i] == (int)(expected >> i & 1),
			  "process %d of group %d got %d signals", i, group,
			  shared->hits[i]);
}

static void make_groups(void)
{
	pid_t leader;
	int i;

	NEED(!prctl(PR_SET_CHILD_SUBREAPER, 1));
	my_nr = 11;
	NEED(signal(SIGUSR1, note_hit) != SIG_ERR);
	leader = child(leads_and_goes, 20);
	wait_for(&shared->done, 1);
	for (i = 0; i < 6; i++) {
		child(is_in_group, i);
		if (i == 2 || i == 3)
			NEED(!setpgid(shared->pid[i], shared->pid[2]));
		if (i >= 4)
			NEED(!setpgid(shared->pid[i], leader));
	}
	child(is_in_group, 6);
	add(&shared->done);
	ends_with(leader, 0);
	child(leads_and_goes, 9);
	ends_with(shared->pid[9], 0);
	shared->value[1] = leader;
	wait_for(&shared->ready, 10);
	for (i = 0; i < 11; i++) {
		shared->value[GROUP + i] = getpgid(shared->pid[i]);
		shared->value[SESSION + i] = getsid(shared->pid[i]);
	}
}

static void check_groups(pid_t group)
{
	pid_t leader = shared->value[1];
	int i;

	signal_group(group, 0x003);
	signal_group(shared->pid[2], 0x00c);
	signal_group(leader, 0x030);
	signal_group(shared->pid[6], 0x0c0);
	signal_group(shared->pid[8], 0x100);
	signal_group(shared->pid[9], 0x400);
	CHECK_EQ(shared->pid[9], getsid(shared->pid[10]));
	CHECK_EQ(shared->pid[9], getpgid(shared->pid[10]));
	CHECK_EQ(shared->pid[6], getsid(shared->pid[8]));
	CHECK_EQ(group, getsid(shared->pid[4]));
	/* The number of one that has gone is still taken, by its group. */
	CHECK_EQ(-1, kill(leader, 0));
	CHECK_EQ(-1, setpgid(shared->pid[0], shared->pid[9]));
	CHECK_EQ(0, setpgid(shared->pid[0], leader));
	signal_group(leader, 0x031);
	shared->value[GROUP] = leader;
	shared->go = 1;
	for (i = 0; i < 6; i++)
		ends_with(shared->pid[i], 0);
	ends_with(shared->pid[6], 0);
	ends_with(shared->pid[10], 0);
}

ROUNDTRIP(groups_and_sessions)
{
	share();
	make_groups();
	ckpt_point();
	CHECK_EQ(getpid(), getpgid(0));
	CHECK_EQ(getpid(), getsid(0));
	check_groups(getpid());
}

/* --- what clone() can share ----------------------------------------------- */

static char stacks[4][65536] __attribute__((aligned(16)));
static volatile int in_memory;

static int cloned(void *arg)
{
	int nr = (long)arg;

	add(&shared->ready);
	wait_for(&shared->go, 1);
	in_memory = 100 + nr;
	signal(SIGUSR2, SIG_IGN);
	if (dup2(0, 70) != 70 || chdir("/"))
		return 1;
	add(&shared->done);
	wait_for(&shared->go, 2);
	return 40 + nr;
}

static pid_t clone_one(int nr, int flags)
{
	pid_t pid = clone(cloned, stacks[nr] + sizeof(stacks[nr]), flags,
			  (void *)(long)nr);

	NEED(pid > 0);
	shared->pid[nr] = pid;
	return pid;
}

/* Which of these has changed by what a child has done? */
static void clone_and_check(int flags)
{
	char before[PATH_MAX], now[PATH_MAX];
	struct sigaction action;

	share();
	NEED(getcwd(before, sizeof(before)));
	clone_one(0, flags | SIGCHLD);
	point(1);
	CHECK_EQ(0, in_memory);
	shared->go = 1;
	wait_for(&shared->done, 1);
	CHECK_EQ(flags & CLONE_VM ? 100 : 0, in_memory);
	NEED(!sigaction(SIGUSR2, NULL, &action));
	CHECK_EQ(!!(flags & CLONE_SIGHAND), action.sa_handler == SIG_IGN);
	CHECK_EQ(!!(flags & CLONE_FILES), fcntl(70, F_GETFD) >= 0);
	NEED(getcwd(now, sizeof(now)));
	CHECK_EQ(!!(flags & CLONE_FS), !!strcmp(before, now));
	shared->go = 2;
	ends_with(shared->pid[0], 40 << 8);
}

ROUNDTRIP(clone_nothing)
{
	clone_and_check(0);
}

ROUNDTRIP(clone_memory)
{
	clone_and_check(CLONE_VM);
}

ROUNDTRIP(clone_memory_and_actions)
{
	clone_and_check(CLONE_VM | CLONE_SIGHAND);
}

ROUNDTRIP(clone_files)
{
	clone_and_check(CLONE_FILES);
}

ROUNDTRIP(clone_directories)
{
	clone_and_check(CLONE_FS);
}

ROUNDTRIP_OPT(clone_all, CKPT_RT_KILL)
{
	clone_and_check(CLONE_VM | CLONE_SIGHAND | CLONE_FILES | CLONE_FS);
}

/* Not the usual signal, or none. */
ROUNDTRIP(exit_signals)
{
	int status, i;

	share();
	on_signal(SIGCHLD);
	on_signal(SIGUSR1);
	clone_one(0, SIGUSR1);
	clone_one(1, 0);
	clone_one(2, CLONE_VM | SIGRTMIN);
	on_signal(SIGRTMIN);
	point(3);
	CHECK_EQ(0, nr_signals);
	shared->go = 2;
	CHECK_EQ(-1, waitpid(-1, &status, 0));
	CHECK_EQ(ECHILD, errno);
	for (i = 0; i < 3; i++) {
		CHECK_EQ(shared->pid[i],
			 waitpid(shared->pid[i], &status, __WCLONE));
		CHECK_EQ((40 + i) << 8, status);
	}
	heard(2);
}

/* A zombie that told its parent by another signal. */
ROUNDTRIP(exit_signal_of_zombie)
{
	siginfo_t info;
	int status;

	share();
	on_signal(SIGUSR1);
	shared->go = 2;
	clone_one(0, SIGUSR1);
	while (waitid(P_PID, shared->pid[0], &info, WEXITED | WNOWAIT | __WALL))
		;
	heard(1);
	ckpt_point();
	CHECK_EQ(-1, waitpid(-1, &status, WNOHANG));
	CHECK_EQ(shared->pid[0], waitpid(-1, &status, WNOHANG | __WCLONE));
	CHECK_EQ(40 << 8, status);
	CHECK_EQ(1, nr_signals);
}

/* --- orphans -------------------------------------------------------------- */

static void is_adopted(int nr)
{
	NEED(signal(SIGUSR1, note_hit) != SIG_ERR);
	my_nr = nr;
	if (nr == 3)
		NEED(!prctl(PR_SET_PDEATHSIG, SIGUSR1));
	add(&shared->ready);
	wait_for(&shared->go, nr == 1 ? 1 : 2);
	CHECK_EQ(root, getppid());
	if (nr == 3)
		CHECK_EQ(1, shared->hits[3]);
}

/* Exits at once, or when it is told. */
static void leaves_orphan(int nr)
{
	child(is_adopted, nr + 1);
	if (!nr)
		_exit(0);
	add(&shared->ready);
	wait_for(&shared->go, 1);
}

ROUNDTRIP(orphans)
{
	share();
	NEED(!prctl(PR_SET_CHILD_SUBREAPER, 1));
	child(leaves_orphan, 0);
	ends_with(shared->pid[0], 0);
	child(leaves_orphan, 2);
	point(3);
	shared->go = 1;
	ends_with(shared->pid[1], 0);
	/* An orphan of today comes to where those of old came. */
	ends_with(shared->pid[2], 0);
	shared->go = 2;
	ends_with(shared->pid[3], 0);
}

/* A subreaper in the middle of the tree. */
static void is_reaper(int nr)
{
	(void)nr;
	root = getpid();
	NEED(!prctl(PR_SET_CHILD_SUBREAPER, 1));
	child(leaves_orphan, 2);
	wait_for(&shared->go, 1);
	ends_with(shared->pid[2], 0);
	shared->go = 2;
	ends_with(shared->pid[3], 0);
}

ROUNDTRIP(orphans_of_child)
{
	share();
	child(is_reaper, 0);
	point(2);
	shared->go = 1;
	ends_with(shared->pid[0], 0);
}

/* --- vfork ---------------------------------------------------------------- */

static int stays_in_vfork(void *arg)
{
	(void)arg;
	/* The memory is the parent's. */
	ckpt_point();
	return 3;
}

SCENARIO(long_vfork)
{
	int status;
	pid_t pid;

	pid = clone(stays_in_vfork, stacks[0] + sizeof(stacks[0]),
		    CLONE_VM | CLONE_VFORK | SIGCHLD, NULL);
	CHECK(pid > 0);
	CHECK_EQ(pid, waitpid(pid, &status, 0));
	CHECK_EQ(3 << 8, status);
}

TEST_F(checkpoint, vfork_that_stays)
{
	OK_OR_SKIP(ckpt_refused(&self->t, "long_vfork", NULL, EBUSY, NULL,
				"vfork"));
}

/* --- on the run ----------------------------------------------------------- */

SCENARIO(nothing)
{
	_exit(atoi(ckpt_arg));
}

static char own_exe[PATH_MAX];

static void find_exe(void)
{
	ssize_t len = readlink("/proc/self/exe", own_exe, sizeof(own_exe) - 1);

	NEED(len > 0);
	own_exe[len] = '\0';
}

/* The status is the argument. */
static void spawn_one(int nr)
{
	char arg[16], *argv[] = { "target", "--scenario", "nothing", arg, NULL };
	int status, ret;
	pid_t pid;

	snprintf(arg, sizeof(arg), "%d", nr % 100);
	ret = posix_spawn(&pid, own_exe, NULL, NULL, argv, argv + 4);
	CHECK_EQ(0, ret);
	if (ret)
		return;
	CHECK_EQ(pid, waitpid(pid, &status, 0));
	CHECK_EQ((nr % 100) << 8, status);
}

/* Children and theirs, some are waited for, some left to the subreaper. */
static void fork_one(int nr)
{
	pid_t pid = fork(), inner;
	int status;

	NEED(pid >= 0);
	if (!pid) {
		inner = fork();
		if (!inner)
			_exit(nr % 50);
		if (nr % 3)
			NEED(waitpid(inner, &status, 0) == inner);
		if (nr % 5 == 1)
			spawn_one(nr);
		_exit(100 + nr % 50);
	}
	CHECK_EQ(pid, waitpid(pid, &status, 0));
	CHECK_EQ((100 + nr % 50) << 8, status);
}

static void storms(int nr)
{
	int round = 0, status;

	NEED(!prctl(PR_SET_CHILD_SUBREAPER, 1));
	add(&shared->ready);
	while (!shared->go) {
		if (nr % 2)
			spawn_one(round);
		else
			fork_one(round);
		while (waitpid(-1, &status, WNOHANG) > 0)
			CHECK(WIFEXITED(status) && WEXITSTATUS(status) < 50);
		shared->value[nr]++;
		round++;
	}
	while (waitpid(-1, &status, 0) > 0)
		CHECK(WIFEXITED(status) && WEXITSTATUS(status) < 50);
	CHECK_EQ(round, shared->value[nr]);
}

SCENARIO(storm)
{
	int i;

	share();
	find_exe();
	for (i = 0; i < 4; i++)
		child(storms, i);
	point(4);
	shared->go = 1;
	for (i = 0; i < 4; i++)
		ends_with(shared->pid[i], 0);
}

SCENARIO(spawns)
{
	int nr = 0;

	find_exe();
	ckpt_announce();
	while (ckpt_allowed < ckpt_stage)
		spawn_one(nr++);
}

TEST_F(checkpoint, fork_and_exec_storm)
{
	NOT_DRY();
	EXPECT_EQ(0, ckpt_storm(&self->t, "storm", NULL,
				30 * ckpt_scale(), 20000));
}

TEST_F(checkpoint, spawn_storm)
{
	NOT_DRY();
	EXPECT_EQ(0, ckpt_storm(&self->t, "spawns", NULL,
				30 * ckpt_scale(), 20000));
}

/* Without a checkpoint the program is right, too. */
TEST_F(checkpoint, storm_alone)
{
	pid_t pid;

	START(pid, storm, NULL);
	usleep(50000);
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));
	START(pid, spawns, NULL);
	usleep(50000);
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));
}

/* --- other pids ----------------------------------------------------------- */

#define NR_RELATED	8

/* 0 is the root; 1 leads a group with 2, 3 a session with 4; 5 and 6 are in
 * the group of one that has gone; 7 is the child of 2.
 */
static const int parents[NR_RELATED] = { -1, 0, 1, 0, 3, 0, 0, 2 };

static void tell(int nr)
{
	shared->pid[nr] = getpid();
	shared->value[nr] = getppid();
	shared->value[GROUP + nr] = getpgid(0);
	shared->value[SESSION + nr] = getsid(0);
	add(&shared->done);
}

static void is_related(int nr)
{
	int i;

	if (nr == 1)
		NEED(!setpgid(0, 0));
	if (nr == 3)
		NEED(setsid() == getpid());
	for (i = nr + 1; i < NR_RELATED; i++) {
		if (parents[i] == nr)
			child(is_related, i);
	}
	rest();
	tell(nr);
	wait_for(&shared->go, 2);
	for (i = nr + 1; i < NR_RELATED; i++) {
		if (parents[i] == nr)
			ends_with(shared->pid[i], i << 8);
	}
	_exit(nr);
}

/* By whatever numbers, these are the relations. */
static void check_relations(pid_t gone)
{
	static const int group_of[NR_RELATED] = { 0, 1, 1, 3, 3, 5, 5, 1 };
	static const int session_of[NR_RELATED] = { 0, 0, 0, 3, 3, 0, 0, 0 };
	int i;

	for (i = 1; i < NR_RELATED; i++) {
		CHECK_EQ(shared->pid[parents[i]], shared->value[i]);
		CHECK_EQ(shared->value[GROUP + group_of[i]],
			 shared->value[GROUP + i]);
		CHECK_EQ(shared->value[SESSION + session_of[i]],
			 shared->value[SESSION + i]);
		CHECK(shared->pid[i] != shared->value[GROUP + 5]);
	}
	CHECK_EQ(shared->pid[0], shared->value[GROUP]);
	CHECK_EQ(shared->pid[0], shared->value[SESSION]);
	CHECK_EQ(shared->pid[1], shared->value[GROUP + 1]);
	CHECK_EQ(shared->pid[3], shared->value[GROUP + 3]);
	CHECK_EQ(shared->pid[3], shared->value[SESSION + 3]);
	CHECK((shared->value[GROUP + 5] == gone) ==
	      (shared->pid[0] == root));
}

/* Who has sent it is told by the number that he has now. */
static void check_sender(int sig, pid_t sender)
{
	struct timespec none = {};
	siginfo_t info = {};
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	CHECK_EQ(sig, sigtimedwait(&set, &info, &none));
	CHECK_EQ(sender, info.si_pid);
}

SCENARIO(related)
{
	union sigval value = { .sival_int = 5 };
	pid_t leader;
	int i;

	block(SIG_BLOCK, SIGUSR1);
	block(SIG_BLOCK, SIGUSR2);
	block(SIG_BLOCK, SIGRTMIN);
	NEED(!kill(getpid(), SIGUSR1) && !raise(SIGUSR2));
	NEED(!sigqueue(getpid(), SIGRTMIN, value));

	share();
	leader = child(leads_and_goes, 20);
	wait_for(&shared->done, 1);
	for (i = 1; i < NR_RELATED; i++) {
		if (parents[i])
			continue;
		child(is_related, i);
		if (i >= 5)
			NEED(!setpgid(shared->pid[i], leader));
	}
	shared->done = 2;
	ends_with(leader, 0);
	wait_for(&shared->ready, NR_RELATED - 1);
	shared->done = 0;
	ckpt_point();
	shared->go = 1;
	tell(0);
	wait_for(&shared->done, NR_RELATED);
	check_relations(leader);
	check_sender(SIGUSR1, getpid());
	check_sender(SIGUSR2, getpid());
	check_sender(SIGRTMIN, getpid());
	shared->go = 2;
	for (i = 1; i < NR_RELATED; i++) {
		if (!parents[i])
			ends_with(shared->pid[i], i << 8);
	}
}

TEST_F(checkpoint, relations)
{
	OK_OR_SKIP(ckpt_roundtrip(&self->t, "related", NULL, 0));
}

TEST_F(checkpoint, relations_of_fresh_pids)
{
	OK_OR_SKIP(ckpt_roundtrip(&self->t, "related", NULL, CKPT_RT_FRESH |
				  CKPT_RT_ONCE | CKPT_RT_NO_SNAP));
}

/* While the original runs, and both at once. */
TEST_F(checkpoint, copies)
{
	struct ckpt_test *t = &self->t;
	pid_t pid, copy[2];
	int i;

	NOT_DRY();
	START(pid, related, NULL);
	ASSERT_LT(0, ckpt_checkpoint(t, pid, t->image, 0));
	for (i = 0; i < 2; i++) {
		copy[i] = ckpt_restart(t, t->image, RESTART_FRESH_PIDS);
		ASSERT_LT(0, copy[i]);
		EXPECT_EQ(NR_RELATED, ckpt_tree_size(copy[i]));
	}
	for (i = 0; i < 2; i++)
		EXPECT_EQ(0, ckpt_finish(t, copy[i]));
	EXPECT_EQ(0, ckpt_finish(t, pid));
}

/* --- trees that count ----------------------------------------------------- */

#define NR_COUNTERS	6

static void *counts_in_thread(void *arg)
{
	shared->pid[(long)arg] = syscall(SYS_gettid);
	add(&shared->ready);
	while (!shared->go) {
		shared->value[(long)arg]++;
		usleep(500);
	}
	return arg;
}

/* 0 to 3 are a chain of processes, 2 has a thread, 4, and 3 has another, 5. */
static void counts(int nr)
{
	pthread_t thread;
	pid_t pid = 0;

	if (nr < 3)
		pid = child(counts, nr + 1);
	if (nr >= 2)
		NEED(!pthread_create(&thread, NULL, counts_in_thread,
				     (void *)(long)(nr + 2)));
	add(&shared->ready);
	if (!nr) {
		wait_for(&shared->ready, NR_COUNTERS);
		ckpt_value[1] = (long)shared;
		ckpt_announce();
	}
	while (!shared->go) {
		shared->value[nr]++;
		usleep(500);
		if (!nr && ckpt_allowed)
			shared->go = 1;
	}
	if (nr >= 2)
		CHECK_EQ(0, pthread_join(thread, NULL));
	if (pid)
		ends_with(pid, 0);
}

SCENARIO(counters)
{
	share();
	shared->pid[0] = root;
	counts(0);
}

/*
 * The kernel may copy byte by byte: a counter that is just carrying is seen too
 * high then, but hardly twice.
 */
static int look(pid_t pid, struct shared *copy)
{
	void *at = (void *)ckpt_peek_value(pid, 1);
	struct shared again;
	int i;

	if (ckpt_peek(pid, at, &again, sizeof(again)) ||
	    ckpt_peek(pid, at, copy, sizeof(*copy)))
		return -1;
	for (i = 0; i < MAX_CHILDREN; i++) {
		if (again.value[i] < copy->value[i])
			copy->value[i] = again.value[i];
	}
	return 0;
}

/* Nobody has fallen back, and everybody goes on. */
static int all_count(pid_t pid, struct shared *last)
{
	struct shared now;
	int i, ms;

	for (i = 0; i < NR_COUNTERS; i++) {
		for (ms = 0; ms < 20000; ms++) {
			if (look(pid, &now))
				return ckpt_say("cannot look into %d", pid);
			if (now.value[i] != last->value[i])
				break;
			usleep(1000);
		}
		if (now.value[i] <= last->value[i])
			return ckpt_say("counter %d is %ld and was %ld", i,
					now.value[i], last->value[i]);
	}
	*last = now;
	return 0;
}

/* The last that a generation counted is in the image, or it was not saved. */
TEST_F(checkpoint, twenty_generations)
{
	struct ckpt_test *t = &self->t;
	struct shared last = {};
	pid_t pid;
	int i;

	NOT_DRY();
	START(pid, counters, NULL);
	for (i = 0; i < 20; i++) {
		ASSERT_EQ(0, all_count(pid, &last));
		ASSERT_LT(0, ckpt_checkpoint(t, pid, t->image,
					     i % 2 ? CHECKPOINT_KILL : 0));
		ASSERT_EQ(0, i % 2 ? ckpt_reap(t, pid) : ckpt_kill(t, pid));
		ASSERT_EQ(pid, ckpt_restart(t, t->image, 0));
	}
	EXPECT_EQ(0, all_count(pid, &last));
	EXPECT_EQ(0, ckpt_finish(t, pid));
}

/* A checkpoint every few milliseconds, one behind the other, for a minute. */
TEST_F(checkpoint, for_a_minute)
{
	struct ckpt_test *t = &self->t;
	struct shared last = {};
	int64_t end;
	pid_t pid;
	int nr;

	NOT_DRY();
	START(pid, counters, NULL);
	end = ckpt_now_ns(CLOCK_MONOTONIC) +
	      60000 * MS * (ckpt_scale() < 1 ? ckpt_scale() : 1);
	for (nr = 0; ckpt_now_ns(CLOCK_MONOTONIC) < end; nr++) {
		ASSERT_LT(0, ckpt_checkpoint(t, pid, t->image, 0));
		usleep(nr * 1009 % 5000);
		if (nr % 100 == 99)
			ASSERT_EQ(0, all_count(pid, &last));
	}
	TH_LOG("%d checkpoints", nr);
	ASSERT_EQ(0, all_count(pid, &last));
	EXPECT_EQ(0, ckpt_finish(t, pid));
	/* The last one is as good as the program. */
	ASSERT_EQ(pid, ckpt_restart(t, t->image, 0));
	EXPECT_EQ(0, ckpt_finish(t, pid));
}

/* A saver that dies at any moment leaves nobody behind in the trap. */
TEST_F(checkpoint, saver_is_killed)
{
	struct ckpt_test *t = &self->t;
	int i, fd, status, rounds = 100 * ckpt_scale();
	struct shared last = {};
	pid_t pid, saver;

	NOT_DRY();
	START(pid, counters, NULL);
	ASSERT_LE(0, fd = open(t->image, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	for (i = 0; i < rounds; i++) {
		saver = fork();
		ASSERT_LE(0, saver);
		if (!saver) {
			lseek(fd, 0, SEEK_SET);
			_exit(ckpt_sys_checkpoint(pid, fd, 0) <= 0);
		}
		usleep(i * 7919 % 20000);
		EXPECT_EQ(0, kill(saver, SIGKILL));
		ASSERT_EQ(saver, waitpid(saver, &status, 0));
		EXPECT_TRUE(WIFSIGNALED(status) || !WEXITSTATUS(status));
		if (i % 10 == 9)
			ASSERT_EQ(0, all_count(pid, &last));
	}
	close(fd);
	ASSERT_EQ(0, all_count(pid, &last));
	EXPECT_EQ(0, ckpt_finish(t, pid));
}

/* All of them, before any of them runs on. */
TEST_F(checkpoint, kill_flag)
{
	struct ckpt_test *t = &self->t;
	struct shared tree;
	pid_t pid;
	int i, status;

	NOT_DRY();
	START(pid, counters, NULL);
	ASSERT_EQ(0, look(pid, &tree));
	ASSERT_LT(0, ckpt_checkpoint(t, pid, t->image, CHECKPOINT_KILL));
	for (i = 0; i < 4; i++) {
		/* Orphans are the tester's. */
		ASSERT_EQ(tree.pid[i], waitpid(tree.pid[i], &status, 0));
		EXPECT_TRUE(WIFSIGNALED(status));
		EXPECT_EQ(SIGKILL, WTERMSIG(status));
	}
	ckpt_forget(t, pid);
	EXPECT_FALSE(ckpt_has_children());
	ASSERT_EQ(pid, ckpt_restart(t, t->image, 0));
	EXPECT_EQ(0, ckpt_finish(t, pid));
}

/* An error lets all of them live. */
TEST_F(checkpoint, kill_flag_error)
{
	struct ckpt_test *t = &self->t;
	struct shared last = {};
	pid_t pid;
	int pair[2];

	NOT_DRY();
	START(pid, counters, NULL);
	/* Nobody reads. */
	signal(SIGPIPE, SIG_IGN);
	ASSERT_EQ(0, pipe2(pair, O_CLOEXEC));
	close(pair[0]);
	EXPECT_EQ(-EPIPE, ckpt_checkpoint_fd(t, pid, pair[1], CHECKPOINT_KILL));
	close(pair[1]);
	EXPECT_EQ(0, all_count(pid, &last));
	EXPECT_EQ(0, ckpt_finish(t, pid));
}

TEST_F(checkpoint, restart_stopped)
{
	struct ckpt_test *t = &self->t;
	struct shared before, now, last = {};
	pid_t pid;
	int i;

	NOT_DRY();
	START(pid, counters, NULL);
	ASSERT_LT(0, ckpt_checkpoint(t, pid, t->image, 0));
	ASSERT_EQ(0, ckpt_kill(t, pid));
	ASSERT_EQ(pid, ckpt_restart(t, t->image, RESTART_STOPPED));
	ASSERT_EQ(0, look(pid, &before));
	for (i = 0; i < 4; i++)
		EXPECT_EQ(0, ckpt_wait_state(before.pid[i], 'T'));
	ASSERT_EQ(0, look(pid, &before));
	usleep(20000);
	ASSERT_EQ(0, look(pid, &now));
	for (i = 0; i < NR_COUNTERS; i++)
		EXPECT_EQ(before.value[i], now.value[i]);
	last = now;
	for (i = 0; i < 4; i++)
		EXPECT_EQ(0, kill(before.pid[i], SIGCONT));
	EXPECT_EQ(0, all_count(pid, &last));
	EXPECT_EQ(0, ckpt_finish(t, pid));
}

TEST_F(checkpoint, restart_of_oneself)
{
	struct ckpt_test *t = &self->t;
	pid_t pid;
	int fd;

	NOT_DRY();
	START(pid, counters, NULL);
	ASSERT_LT(0, ckpt_checkpoint(t, pid, t->image, 0));
	EXPECT_EQ(0, ckpt_finish(t, pid));
	ASSERT_LE(0, fd = open(t->image, O_RDONLY | O_CLOEXEC));
	EXPECT_EQ(-EOPNOTSUPP, ckpt_restart_fd(t, fd, RESTART_SELF |
					       RESTART_FRESH_PIDS));
	EXPECT_TRUE(ckpt_reason(t, EOPNOTSUPP, NULL, -1, 0, "replaced by 6 tasks"));
	close(fd);
}

/* --- one of the tree saves it --------------------------------------------- */

static void saves(int nr)
{
	long ret;
	int fd;

	(void)nr;
	NEED((fd = open("self.image", O_WRONLY | O_CREAT | O_CLOEXEC, 0600)) >= 0);
	wait_for(&shared->ready, 1);
	ret = ckpt_sys_checkpoint(root, fd, 0);
	CHECK_SAY(ret >= 0, "checkpoint of the parent: %s", strerror(-ret));
	close(fd);
	shared->value[0] = ret;
	/* Who saves is not to be killed. */
	fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	CHECK_EQ(-EINVAL, ckpt_sys_checkpoint(root, fd, CHECKPOINT_KILL));
	add(&shared->done);
}

SCENARIO(saved_by_grandchild)
{
	pid_t pid;

	share();
	child(is_child, 1);
	pid = fork();
	if (!pid) {
		ends_with(child(saves, 0), 0);
		ckpt_target_end();
	}
	wait_for(&shared->done, 1);
	ckpt_value[0] = shared->value[0];
	ckpt_point();
	shared->go = 1;
	ends_with(shared->pid[1], 11 << 8);
	ends_with(pid, 0);
}

TEST_F(checkpoint, saved_from_within)
{
	struct ckpt_test *t = &self->t;
	char image[200];
	pid_t pid;

	NOT_DRY();
	START(pid, saved_by_grandchild, NULL);
	snprintf(image, sizeof(image), "%s/self.image", t->run);
	EXPECT_LT(0, ckpt_peek_value(pid, 0));
	ASSERT_EQ(0, ckpt_finish(t, pid));
	ASSERT_EQ(pid, ckpt_restart(t, image, 0));
	ASSERT_EQ(0, ckpt_wait_stage(t, pid, 1));
	EXPECT_EQ(0, ckpt_peek_value(pid, 0));
	EXPECT_EQ(0, ckpt_finish(t, pid));
}

/* --- rights --------------------------------------------------------------- */

static int as_user(struct ckpt_test *t)
{
	pid_t pid, copy;

	pid = ckpt_start(t, "related", NULL);
	if (pid <= 0 || ckpt_checkpoint(t, pid, t->image, 0) <= 0 ||
	    ckpt_kill(t, pid))
		return 1;
	copy = ckpt_restart(t, t->image, RESTART_FRESH_PIDS);
	if (copy <= 0 || ckpt_finish(t, copy))
		return 2;
	/* Pids of one's choice are for the privileged. */
	if (ckpt_restart(t, t->image, 0) != -EPERM)
		return 3;
	return ckpt_has_children() ? 4 : 0;
}

TEST_F(checkpoint, unprivileged)
{
	NOT_DRY();
	if (getuid())
		SKIP(return, "not root");
	EXPECT_EQ(0, ckpt_as_user(&self->t, USER, as_user));
}

/* The root is the user's, its child is not. */
SCENARIO(two_owners)
{
	share();
	child(is_child, 0);
	NEED(!setgroups(0, NULL) && !setresgid(USER, USER, USER));
	NEED(!setresuid(USER, USER, USER));
	NEED(!prctl(PR_SET_DUMPABLE, 1));
	point(1);
	shared->go = 1;
	ends_with(shared->pid[0], 10 << 8);
}

static pid_t their_root;

static int not_ones_own(struct ckpt_test *t)
{
	long ret = ckpt_checkpoint_fd(t, their_root, -1, CHECKPOINT_DRY_RUN);

	if (ret != -EPERM || !ckpt_reason(t, EPERM, NULL, -1, 0, "permission")) {
		ckpt_show_log(t);
		return ckpt_say("gave %ld", ret);
	}
	return 0;
}

TEST_F(checkpoint, child_of_other_user)
{
	NOT_DRY();
	if (getuid())
		SKIP(return, "not root");
	START(their_root, two_owners, NULL);
	EXPECT_EQ(0, ckpt_as_user(&self->t, USER, not_ones_own));
	/* For those who may it is a tree as any other one. */
	EXPECT_EQ(0, ckpt_checkpoint_fd(&self->t, their_root, -1,
					CHECKPOINT_DRY_RUN));
	EXPECT_EQ(0, ckpt_finish(&self->t, their_root));
}

/* --- numbers in use ------------------------------------------------------- */

/* A process with this pid. */
static pid_t occupy(pid_t pid)
{
	struct {
		uint64_t flags, pidfd, child_tid, parent_tid, exit_signal;
		uint64_t stack, stack_size, tls, set_tid, set_tid_size, cgroup;
	} args = {
		.exit_signal = SIGCHLD, .set_tid = (uintptr_t)&pid,
		.set_tid_size = 1,
	};
	pid_t ret = syscall(SYS_clone3, &args, sizeof(args));

	if (!ret) {
		for (;;)
			pause();
	}
	return ret;
}

static void fails_with_pid_in_use(struct __test_metadata *_metadata,
				  struct ckpt_test *t, pid_t pid)
{
	char text[32];
	int fd, status;
	pid_t other;

	other = occupy(pid);
	if (other < 0)
		SKIP(return, "cannot choose a pid: %s", strerror(errno));
	ASSERT_EQ(pid, other);
	ASSERT_LE(0, fd = open(t->image, O_RDONLY | O_CLOEXEC));
	EXPECT_EQ(-EEXIST, ckpt_restart_fd(t, fd, 0));
	snprintf(text, sizeof(text), "%d", pid);
	EXPECT_TRUE(ckpt_reason(t, EEXIST, NULL, -1, 0, text));
	close(fd);
	ASSERT_EQ(0, kill(other, SIGKILL));
	ASSERT_EQ(other, waitpid(other, &status, 0));
	EXPECT_FALSE(ckpt_has_children());
}

TEST_F(checkpoint, pid_in_use)
{
	struct ckpt_test *t = &self->t;
	struct shared tree;
	pid_t pid;
	int i;

	NOT_DRY();
	START(pid, counters, NULL);
	ASSERT_EQ(0, look(pid, &tree));
	ASSERT_LT(0, ckpt_checkpoint(t, pid, t->image, 0));
	ASSERT_EQ(0, ckpt_kill(t, pid));
	/* Of processes and of threads. */
	for (i = 0; i < NR_COUNTERS; i++)
		fails_with_pid_in_use(_metadata, t, tree.pid[i]);
	ASSERT_EQ(pid, ckpt_restart(t, t->image, 0));
	EXPECT_EQ(0, ckpt_finish(t, pid));
}

/* Also when it is only a group's. */
TEST_F(checkpoint, group_in_use)
{
	struct ckpt_test *t = &self->t;
	pid_t pid, group;

	NOT_DRY();
	START(pid, tells_group, NULL);
	ASSERT_LT(0, ckpt_checkpoint(t, pid, t->image, 0));
	group = ckpt_peek_value(pid, 2);
	ASSERT_EQ(0, ckpt_kill(t, pid));
	fails_with_pid_in_use(_metadata, t, group);
	ASSERT_EQ(pid, ckpt_restart(t, t->image, 0));
	EXPECT_EQ(0, ckpt_finish(t, pid));
}

SCENARIO(tells_group)
{
	pid_t leader;

	share();
	leader = child(leads_and_goes, 20);
	wait_for(&shared->done, 1);
	child(is_child, 0);
	NEED(!setpgid(shared->pid[0], leader));
	shared->done = 2;
	ends_with(leader, 0);
	ckpt_value[2] = leader;
	point(1);
	shared->go = 1;
	ends_with(shared->pid[0], 10 << 8);
}

/* --- hostile images ------------------------------------------------------- */

enum { ROOT, THREAD, CHILD, ZOMBIE, INNER, NR_TASKS };

static void *rests_in_thread(void *arg)
{
	rest();
	return arg;
}

static void has_child(int nr)
{
	NEED(!setpgid(0, 0));
	child(is_child, nr + 1);
	rest();
}

SCENARIO(five_tasks)
{
	pthread_t thread;

	share();
	NEED(!pthread_create(&thread, NULL, rests_in_thread, NULL));
	child(has_child, 2);
	child(exits, 1);
	has_exited(shared->pid[1]);
	/* From here on only images of it are of interest. */
	point(3);
}

static uint32_t crc32c(uint32_t crc, const uint8_t *bytes, size_t len)
{
	int bit;

	while (len--) {
		crc ^= *bytes++;
		for (bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
	}
	return crc;
}

struct tree_image {
	uint8_t *raw;
	size_t len;
	struct ckpt_task *task[NR_TASKS];
};

static size_t record_len(const struct ckpt_rec_hdr *hdr)
{
	return sizeof(*hdr) + ((hdr->len + 7) & ~7UL);
}

static int which_task(const struct tree_image *im, const struct ckpt_task *t)
{
	if (!im->task[ROOT])
		return ROOT;
	if (t->pid != t->tgid)
		return THREAD;
	if (t->flags & CKPT_TASK_ZOMBIE)
		return ZOMBIE;
	return t->parent == im->task[ROOT]->pid ? CHILD : INNER;
}

/* Where are the tasks in the metadata? */
static int parse(struct tree_image *im)
{
	struct ckpt_rec_hdr *hdr;
	struct ckpt_task *task;
	int i, found = 0;
	size_t pos;

	memset(im->task, 0, sizeof(im->task));
	for (pos = 0; pos + sizeof(*hdr) <= im->len; pos += record_len(hdr)) {
		hdr = (void *)(im->raw + pos);
		if (hdr->type == CKPT_REC_META_END)
			break;
		if (hdr->type != CKPT_REC_TASK)
			continue;
		task = (void *)(hdr + 1);
		im->task[which_task(im, task)] = task;
		found++;
	}
	for (i = 0; i < NR_TASKS; i++)
		found -= !!im->task[i];
	return found ? ckpt_say("not the tasks that were to be") : 0;
}

static void mend(struct ckpt_task *task)
{
	struct ckpt_rec_hdr *hdr = (struct ckpt_rec_hdr *)task - 1;

	hdr->crc32c = 0;
	hdr->crc32c = ~crc32c(~0U, (uint8_t *)hdr, record_len(hdr));
}

static long try_image(struct ckpt_test *t, const struct tree_image *im,
		      unsigned long flags)
{
	long ret;
	int fd;

	fd = open(t->other, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, im->raw, im->len) != (ssize_t)im->len)
		return ckpt_say("cannot write %s", t->other);
	lseek(fd, 0, SEEK_SET);
	ret = ckpt_restart_fd(t, fd, flags);
	close(fd);
	return ret;
}

/* The member of a task gets this value, or that of another task. */
#define IS(_task, _member, _value)					\
	{ #_task "." #_member " = " #_value, _task,			\
	  offsetof(struct ckpt_task, _member), _value, -1, 0 }
#define AS(_task, _member, _other, _other_member)			\
	{ #_task "." #_member " = " #_other "." #_other_member, _task,	\
	  offsetof(struct ckpt_task, _member), 0, _other,		\
	  offsetof(struct ckpt_task, _other_member) }

static const struct {
	const char *what;
	int task;
	size_t offset;
	uint32_t value;
	int other;
	size_t other_offset;
} hostile[] = {
	IS(ROOT, pid, 0), IS(ROOT, pid, -1), IS(CHILD, tgid, 0),
	/* Two with one pid, threads without a first one, or in front of it. */
	AS(INNER, pid, CHILD, pid), AS(ZOMBIE, pid, CHILD, pid),
	AS(THREAD, pid, ROOT, pid), AS(CHILD, pid, THREAD, pid),
	IS(THREAD, tgid, 77777), AS(THREAD, tgid, THREAD, pid),
	AS(THREAD, tgid, CHILD, pid), AS(INNER, tgid, ROOT, pid),
	IS(THREAD, exit_signal, 17), IS(CHILD, exit_signal, -1),
	IS(CHILD, exit_signal, 65),
	/* Parents: nobody, oneself, one behind, one that has exited, a thread. */
	IS(CHILD, parent, 0), IS(CHILD, parent, 77777), IS(CHILD, parent, -1),
	AS(CHILD, parent, CHILD, pid), AS(CHILD, parent, INNER, pid),
	AS(INNER, parent, ZOMBIE, pid), AS(THREAD, parent, ROOT, pid),
	AS(ROOT, parent, CHILD, pid), IS(ROOT, parent, 1),
	/* Sharing that clone() does not know. */
	AS(CHILD, sighand, ROOT, sighand), AS(THREAD, mm, CHILD, mm),
	AS(INNER, sighand, CHILD, sighand), IS(THREAD, mm, 0),
	IS(CHILD, mm, 0), IS(CHILD, files, 0), IS(CHILD, fs, 0),
	IS(CHILD, cred, 0), IS(CHILD, sighand, 0), AS(CHILD, mm, CHILD, fs),
	AS(ZOMBIE, mm, ROOT, mm), AS(ZOMBIE, files, ROOT, files),
	AS(ZOMBIE, sighand, ROOT, sighand), IS(ZOMBIE, cred, 0),
	AS(THREAD, sighand, INNER, sighand),
	/* Groups and sessions that contradict each other, or their flags. */
	IS(CHILD, flags, CKPT_TASK_OWN_SESSION), IS(CHILD, flags, 0),
	IS(CHILD, flags, CKPT_TASK_OWN_GROUP), IS(ROOT, flags, 0),
	IS(INNER, flags, CKPT_TASK_OWN_SESSION | CKPT_TASK_OWN_GROUP |
	   CKPT_TASK_TERMINAL),
	IS(CHILD, sid, 77777), AS(CHILD, sid, CHILD, pid), IS(CHILD, pgid, 0),
	IS(ROOT, sid, 0), AS(ROOT, pgid, CHILD, pid), IS(ROOT, pgid, -1),
	AS(THREAD, pgid, CHILD, pid), IS(THREAD, sid, 77777),
	/* A session of which only the child is, and not whose number it has. */
	AS(ZOMBIE, sid, CHILD, pid), AS(INNER, sid, CHILD, pid),
	IS(CHILD, flags, CKPT_TASK_OWN_SESSION | CKPT_TASK_OWN_GROUP |
	   CKPT_TASK_TERMINAL),
	IS(CHILD, flags, CKPT_TASK_OWN_SESSION | CKPT_TASK_OWN_GROUP |
	   CKPT_TASK_FOREGROUND),
	IS(ROOT, flags, CKPT_TASK_OWN_SESSION | CKPT_TASK_OWN_GROUP |
	   CKPT_TASK_FOREGROUND),
	/* Who has exited, and who has stopped. */
	IS(ROOT, flags, CKPT_TASK_OWN_SESSION | CKPT_TASK_OWN_GROUP |
	   CKPT_TASK_ZOMBIE),
	IS(THREAD, flags, CKPT_TASK_OWN_SESSION | CKPT_TASK_OWN_GROUP |
	   CKPT_TASK_ZOMBIE),
	IS(ZOMBIE, flags, CKPT_TASK_OWN_SESSION | CKPT_TASK_OWN_GROUP),
	IS(ZOMBIE, wait_status, 0x10000), IS(ZOMBIE, wait_status, -1),
	IS(ZOMBIE, stop_signal, SIGSTOP), IS(CHILD, wait_status, 1),
	IS(CHILD, stop_signal, SIGSTOP),
	IS(CHILD, flags, CKPT_TASK_OWN_SESSION | CKPT_TASK_OWN_GROUP |
	   CKPT_TASK_STOPPED),
	IS(CHILD, flags, 1U << 31), IS(CHILD, exit_code, 1),
	IS(ROOT, exit_code, 0x100),
	/* Its memory is there. */
	IS(ROOT, flags, CKPT_TASK_OWN_SESSION | CKPT_TASK_OWN_GROUP |
	   CKPT_TASK_EXITED),
};

static int try_hostile(struct ckpt_test *t, struct tree_image *im,
		       unsigned int nr, unsigned long flags)
{
	struct ckpt_task *task = im->task[hostile[nr].task], saved = *task;
	uint32_t value = hostile[nr].value;
	long ret;

	if (hostile[nr].other >= 0)
		memcpy(&value, (char *)im->task[hostile[nr].other] +
		       hostile[nr].other_offset, sizeof(value));
	memcpy((char *)task + hostile[nr].offset, &value, sizeof(value));
	/* The first thread of its process, still. */
	if (saved.pid == saved.tgid && task->pid != saved.pid)
		task->tgid = task->pid;
	mend(task);
	ret = try_image(t, im, flags);
	*task = saved;
	mend(task);
	if (ret > 0)
		ckpt_kill(t, ret);
	if (ret != -EINVAL || !t->log_len || ckpt_has_children()) {
		ckpt_show_log(t);
		return ckpt_say("%s gave %ld", hostile[nr].what, ret);
	}
	return 0;
}

TEST_F(checkpoint, hostile_tasks)
{
	struct ckpt_test *t = &self->t;
	struct tree_image im;
	unsigned int i;
	pid_t pid;

	NOT_DRY();
	START(pid, five_tasks, NULL);
	ASSERT_LT(0, ckpt_checkpoint(t, pid, t->image, 0));
	ASSERT_EQ(0, ckpt_kill(t, pid));
	im.raw = (uint8_t *)ckpt_read_file(t->image, &im.len);
	ASSERT_NE(NULL, im.raw);
	ASSERT_EQ(0, parse(&im));
	for (i = 0; i < ARRAY_SIZE(hostile); i++) {
		EXPECT_EQ(0, try_hostile(t, &im, i, 0));
		EXPECT_EQ(0, try_hostile(t, &im, i, RESTART_FRESH_PIDS));
	}
	/* It is the changes that are refused. */
	ASSERT_EQ(pid, try_image(t, &im, 0));
	EXPECT_EQ(0, ckpt_kill(t, pid));
	free(im.raw);
}

/* --- random trees --------------------------------------------------------- */

#define MAX_PLAN	20

struct plan {
	int parent;
	enum { RUNS, EXITS, STOPS } how;
	bool group, session, reported;
	int threads;
	int clone_flags;
};

static struct plan plan[MAX_PLAN];
static int nr_plan, data_pipe[2];
static uint64_t seed;

static unsigned int dice(unsigned int limit)
{
	uint64_t z = (seed += 0x9e3779b97f4a7c15ULL);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return (z ^ (z >> 31)) % limit;
}

/* Who has exited or is stopped has no children. */
static void make_plan(void)
{
	int i, flags;

	nr_plan = 2 + dice(MAX_PLAN - 2);
	for (i = 1; i < nr_plan; i++) {
		do {
			plan[i].parent = dice(i);
		} while (plan[plan[i].parent].how != RUNS);
		plan[i].how = dice(3) ? RUNS : dice(2) ? EXITS : STOPS;
		plan[i].session = !dice(6);
		plan[i].group = !plan[i].session && !dice(4);
		plan[i].reported = dice(2);
		plan[i].threads = plan[i].how == EXITS ? 0 : dice(4);
		flags = dice(8);
		plan[i].clone_flags = (flags & 4 ? CLONE_FILES : 0) |
				      (flags == 3 ? CLONE_FS : 0);
	}
}

static volatile int own_ready;

static void *is_planned_thread(void *arg)
{
	add(&shared->ready);
	/* From now on it may be stopped. */
	add(&own_ready);
	wait_for(&shared->go, 1);
	return arg;
}

static void follow_plan(int nr);

static void start_planned(int nr)
{
	pid_t pid = syscall(SYS_clone, plan[nr].clone_flags | SIGCHLD, 0, 0, 0, 0);

	NEED(pid >= 0);
	if (!pid) {
		follow_plan(nr);
		ckpt_target_end();
	}
	shared->pid[nr] = pid;
}

/* Bring the children into the states that only their parent can. */
static void settle_children(int nr)
{
	int i;

	for (i = nr + 1; i < nr_plan; i++) {
		if (plan[i].parent != nr)
			continue;
		if (plan[i].how == EXITS)
			has_exited(shared->pid[i]);
		if (plan[i].how != STOPS)
			continue;
		wait_for(&shared->hits[i], 1);
		stop(shared->pid[i], plan[i].reported ? 0 : WNOWAIT);
	}
}

static void check_children(int nr)
{
	int i, status;

	for (i = nr + 1; i < nr_plan; i++) {
		pid_t pid = shared->pid[i];

		if (plan[i].parent != nr)
			continue;
		if (plan[i].how == STOPS) {
			CHECK_EQ(plan[i].reported ? 0 : pid,
				 waitpid(pid, &status, WUNTRACED | WNOHANG));
			CHECK_EQ(0, waitpid(pid, &status, WUNTRACED | WNOHANG));
			CHECK_EQ(0, kill(pid, SIGCONT));
		}
		ends_with(pid, plan[i].how == EXITS ? i << 8 : 0);
		if (plan[i].how == EXITS)
			continue;
		/* It has made a descriptor, for both of them or not. */
		CHECK_EQ(!!(plan[i].clone_flags & CLONE_FILES),
			 fcntl(100 + i, F_GETFD) >= 0);
	}
}

static void follow_plan(int nr)
{
	pid_t parent = getppid(), group, session;
	static char data[20000];
	pthread_t thread[4];
	char c;
	int i;

	if (plan[nr].session)
		NEED(setsid() > 0);
	if (plan[nr].group)
		NEED(!setpgid(0, 0));
	if (plan[nr].how == EXITS)
		_exit(nr);
	ckpt_fill(data, sizeof(data), nr);
	common[nr] = nr + 1;
	group = getpgid(0);
	session = getsid(0);
	for (i = nr + 1; i < nr_plan; i++) {
		if (plan[i].parent == nr)
			start_planned(i);
	}
	for (i = 0; i < plan[nr].threads; i++)
		NEED(!pthread_create(&thread[i], NULL, is_planned_thread, NULL));
	wait_for(&own_ready, plan[nr].threads);
	settle_children(nr);
	shared->hits[nr] = 1;
	if (plan[nr].how == STOPS)
		wait_for(&shared->go, 1);
	else if (nr)
		rest();
	else
		return;

	CHECK_FILL(data, sizeof(data), nr);
	CHECK_EQ(parent, getppid());
	CHECK_EQ(shared->pid[plan[nr].parent], parent);
	CHECK_EQ(group, getpgid(0));
	CHECK_EQ(session, getsid(0));
	CHECK_EQ(nr + 1, common[nr]);
	CHECK_EQ(1234, lseek(file, 0, SEEK_CUR));
	/* A letter is in the pipe for each of them. */
	CHECK_EQ(1, read(data_pipe[0], &c, 1));
	for (i = 0; i < plan[nr].threads; i++)
		CHECK_EQ(0, pthread_join(thread[i], NULL));
	check_children(nr);
	CHECK_EQ(100 + nr, dup2(0, 100 + nr));
}

SCENARIO(random_tree)
{
	int i, resting = 0, flags;
	char c;

	seed = atoi(ckpt_arg);
	share();
	make_plan();
	shared->pid[0] = root;
	common = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	NEED(common != MAP_FAILED && !pipe(data_pipe));
	NEED((file = open("file", O_RDWR | O_CREAT, 0600)) >= 0);
	NEED(lseek(file, 1234, SEEK_SET) == 1234);
	for (i = 1; i < nr_plan; i++) {
		resting += plan[i].threads + (plan[i].how == RUNS);
		if (plan[i].how != EXITS)
			NEED(write(data_pipe[1], "x", 1) == 1);
	}
	follow_plan(0);
	point(resting);
	shared->go = 1;
	check_children(0);
	/* Each has taken one. */
	flags = fcntl(data_pipe[0], F_GETFL);
	NEED(!fcntl(data_pipe[0], F_SETFL, flags | O_NONBLOCK));
	CHECK_EQ(-1, read(data_pipe[0], &c, 1));
}

TEST_F(checkpoint, random_trees)
{
	int i, rounds = 20 * ckpt_scale();
	unsigned int options;
	char arg[16];

	for (i = 0; i < rounds; i++) {
		snprintf(arg, sizeof(arg), "%d", i + 1);
		options = i % 4 ? CKPT_RT_ONCE : 0;
		if (i % 3 == 1)
			options |= CKPT_RT_KILL;
		EXPECT_EQ(0, ckpt_roundtrip(&self->t, "random_tree", arg,
					    options))
			TH_LOG("seed %s", arg);
	}
}

TEST_HARNESS_MAIN
