// SPDX-License-Identifier: GPL-2.0
/*
 * What a task is besides its memory and files: name, credentials, limits,
 * scheduling, and all that prctl() knows.
 */
#include "ckpt_test.h"

#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <pthread.h>
#include <sched.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/fsuid.h>
#include <sys/personality.h>
#include <sys/resource.h>

#define USER	1000

#ifndef PR_SET_MDWE
#define PR_SET_MDWE		65
#define PR_GET_MDWE		66
#define PR_MDWE_REFUSE_EXEC_GAIN 1
#endif
#ifndef PR_SET_MEMORY_MERGE
#define PR_SET_MEMORY_MERGE	67
#define PR_GET_MEMORY_MERGE	68
#endif
#ifndef PR_SET_IO_FLUSHER
#define PR_SET_IO_FLUSHER	57
#define PR_GET_IO_FLUSHER	58
#endif

static void need_root(void)
{
	if (getuid())
		ckpt_skip("not root");
}

ROUNDTRIP(name)
{
	char comm[17] = "";

	NEED(!prctl(PR_SET_NAME, "a (strange) n\xc3\xa4me"));
	ckpt_point();
	NEED(!prctl(PR_GET_NAME, comm));
	CHECK(!strcmp(comm, "a (strange) n\xc3\xa4"));
}

ROUNDTRIP(empty_name)
{
	char comm[17] = "x";

	NEED(!prctl(PR_SET_NAME, ""));
	ckpt_point();
	NEED(!prctl(PR_GET_NAME, comm));
	CHECK_EQ(0, comm[0]);
}

/* --- credentials ---------------------------------------------------------- */

ROUNDTRIP(all_ids_differ)
{
	uid_t r, e, s;
	int i, n;
	gid_t groups[40], now[40];

	need_root();
	for (i = 0; i < 40; i++)
		groups[i] = 5000 + i * 3;
	NEED(!setgroups(40, groups));
	NEED(!setresgid(11, 12, 13));
	NEED(!setresuid(21, 0, 23));
	setfsgid(14);
	setfsuid(24);
	ckpt_point();
	NEED(!getresuid(&r, &e, &s));
	CHECK_EQ(21, r);
	CHECK_EQ(0, e);
	CHECK_EQ(23, s);
	NEED(!getresgid(&r, &e, &s));
	CHECK_EQ(11, r);
	CHECK_EQ(12, e);
	CHECK_EQ(13, s);
	CHECK_EQ(24, setfsuid(-1));
	CHECK_EQ(14, setfsgid(-1));
	n = getgroups(40, now);
	CHECK_EQ(40, n);
	for (i = 0; i < n; i++)
		CHECK_EQ(groups[i], now[i]);
}

ROUNDTRIP(unprivileged)
{
	need_root();
	NEED(!setgroups(0, NULL));
	NEED(!setresgid(USER, USER, USER) && !setresuid(USER, USER, USER));
	ckpt_point();
	CHECK_EQ(USER, getuid());
	CHECK_EQ(0, getgroups(0, NULL));
	CHECK_EQ(-1, setuid(0));
	/* What setuid() made it is what it is. */
	CHECK_EQ(0, prctl(PR_GET_DUMPABLE));
}

struct caps {
	struct __user_cap_header_struct header;
	struct __user_cap_data_struct data[2];
};

static void get_caps(struct caps *caps)
{
	caps->header.version = _LINUX_CAPABILITY_VERSION_3;
	caps->header.pid = 0;
	NEED(!syscall(SYS_capget, &caps->header, caps->data));
}

ROUNDTRIP(capabilities)
{
	struct caps caps, now;

	need_root();
	NEED(!prctl(PR_CAPBSET_DROP, CAP_SYS_MODULE));
	get_caps(&caps);
	caps.data[0].inheritable = 1 << CAP_CHOWN | 1 << CAP_KILL;
	NEED(!syscall(SYS_capset, &caps.header, caps.data));
	NEED(!prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_KILL, 0, 0));
	caps.data[0].permitted = 1 << CAP_CHOWN | 1 << CAP_KILL |
				 1 << CAP_NET_RAW;
	caps.data[0].effective = 1 << CAP_NET_RAW;
	caps.data[1].permitted = 0;
	caps.data[1].effective = 0;
	NEED(!syscall(SYS_capset, &caps.header, caps.data));
	get_caps(&caps);
	ckpt_point();
	get_caps(&now);
	CHECK(!memcmp(caps.data, now.data, sizeof(caps.data)));
	CHECK_EQ(1, prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_KILL, 0, 0));
	CHECK_EQ(0, prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_CHOWN, 0, 0));
	CHECK_EQ(0, prctl(PR_CAPBSET_READ, CAP_SYS_MODULE));
	CHECK_EQ(1, prctl(PR_CAPBSET_READ, CAP_SYS_ADMIN));
}

ROUNDTRIP(secure_bits)
{
	int bits = SECBIT_NOROOT | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED |
		   SECBIT_KEEP_CAPS;

	need_root();
	NEED(!prctl(PR_SET_SECUREBITS, bits));
	ckpt_point();
	CHECK_EQ(bits, prctl(PR_GET_SECUREBITS));
	CHECK_EQ(1, prctl(PR_GET_KEEPCAPS));
}

ROUNDTRIP(no_new_privs)
{
	NEED(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	ckpt_point();
	CHECK_EQ(1, prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	CHECK_EQ(-1, prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0));
}

/* --- limits --------------------------------------------------------------- */

ROUNDTRIP(limits)
{
	struct rlimit before[RLIM_NLIMITS], now;
	unsigned int i;

	for (i = 0; i < RLIM_NLIMITS; i++) {
		NEED(!getrlimit(i, &before[i]));
		switch (i) {
		case RLIMIT_AS:
		case RLIMIT_DATA:
		case RLIMIT_STACK:
		case RLIMIT_FSIZE:
			before[i].rlim_cur = (1UL << 33) + i * 4096;
			break;
		case RLIMIT_CPU:
			before[i].rlim_cur = 100;
			break;
		case RLIMIT_NICE:
		case RLIMIT_RTPRIO:
			before[i].rlim_cur = i;
			before[i].rlim_max = i;
			break;
		default:
			before[i].rlim_cur = 1000 + i;
			before[i].rlim_max = 2000 + i;
		}
		if (setrlimit(i, &before[i]))
			NEED(!getrlimit(i, &before[i]));
	}
	ckpt_point();
	for (i = 0; i < RLIM_NLIMITS; i++) {
		NEED(!getrlimit(i, &now));
		CHECK_SAY(now.rlim_cur == before[i].rlim_cur &&
			  now.rlim_max == before[i].rlim_max,
			  "limit %u", i);
	}
}

/* More is in use than the limits allow now. */
ROUNDTRIP(tight_limits)
{
	static const int which[] = {
		RLIMIT_AS, RLIMIT_DATA, RLIMIT_MEMLOCK, RLIMIT_NPROC,
		RLIMIT_SIGPENDING, RLIMIT_FSIZE, RLIMIT_NOFILE,
	};
	struct rlimit limit = {};
	char *mem;
	unsigned int i;

	mem = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	NEED(mem != MAP_FAILED);
	if (!getuid())
		NEED(!mlock(mem, 1 << 20));
	ckpt_fill(mem, 1 << 20, 1);
	for (i = 0; i < ARRAY_SIZE(which); i++)
		NEED(!setrlimit(which[i], &limit));
	ckpt_point();
	CHECK_FILL(mem, 1 << 20, 1);
	CHECK(mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
}

/* --- scheduling ----------------------------------------------------------- */

ROUNDTRIP(nice_value)
{
	NEED(!setpriority(PRIO_PROCESS, 0, 13));
	ckpt_point();
	CHECK_EQ(13, getpriority(PRIO_PROCESS, 0));
}

ROUNDTRIP(negative_nice)
{
	need_root();
	NEED(!setpriority(PRIO_PROCESS, 0, -7));
	ckpt_point();
	errno = 0;
	CHECK_EQ(-7, getpriority(PRIO_PROCESS, 0));
}

static void wait_quietly(void)
{
	ckpt_announce();
	while (ckpt_allowed < ckpt_stage)
		usleep(2000);
}

ROUNDTRIP(fifo_policy)
{
	struct sched_param param = { .sched_priority = 3 };

	need_root();
	NEED(!sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &param));
	wait_quietly();
	CHECK_EQ(SCHED_FIFO | SCHED_RESET_ON_FORK, sched_getscheduler(0));
	param.sched_priority = 0;
	NEED(!sched_getparam(0, &param));
	CHECK_EQ(3, param.sched_priority);
}

ROUNDTRIP(batch_policy)
{
	struct sched_param param = {};

	NEED(!setpriority(PRIO_PROCESS, 0, 5));
	NEED(!sched_setscheduler(0, SCHED_BATCH, &param));
	ckpt_point();
	CHECK_EQ(SCHED_BATCH, sched_getscheduler(0));
	CHECK_EQ(5, getpriority(PRIO_PROCESS, 0));
}

ROUNDTRIP(idle_policy)
{
	struct sched_param param = {};

	NEED(!sched_setscheduler(0, SCHED_IDLE, &param));
	ckpt_point();
	CHECK_EQ(SCHED_IDLE, sched_getscheduler(0));
}

ROUNDTRIP_OR_REFUSED(deadline_policy)
{
	struct {
		uint32_t size, policy;
		uint64_t flags;
		int32_t nice;
		uint32_t priority;
		uint64_t runtime, deadline, period;
	} attr = {
		/* Enough for its end to come in time on a slow machine. */
		.size = sizeof(attr), .policy = 6, .runtime = 20000000,
		.deadline = 50000000, .period = 100000000,
	}, now = {};

	need_root();
	if (syscall(SYS_sched_setattr, 0, &attr, 0))
		ckpt_skip("no SCHED_DEADLINE: %s", strerror(errno));
	wait_quietly();
	NEED(!syscall(SYS_sched_getattr, 0, &now, sizeof(now), 0));
	CHECK_EQ(6, now.policy);
	CHECK_EQ(attr.runtime, now.runtime);
	CHECK_EQ(attr.deadline, now.deadline);
	CHECK_EQ(attr.period, now.period);
}

ROUNDTRIP(affinity)
{
	cpu_set_t set, now;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	NEED(!sched_setaffinity(0, sizeof(set), &set));
	ckpt_point();
	NEED(!sched_getaffinity(0, sizeof(now), &now));
	CHECK(CPU_EQUAL(&set, &now));
}

ROUNDTRIP(io_priority)
{
	int prio = 2 << 13 | 6;

	if (syscall(SYS_ioprio_set, 1, 0, prio))
		ckpt_skip("no I/O priorities");
	ckpt_point();
	CHECK_EQ(prio, syscall(SYS_ioprio_get, 1, 0));
}

/* --- personality and prctl() ---------------------------------------------- */

ROUNDTRIP(personality)
{
	NEED(personality(ADDR_NO_RANDOMIZE | READ_IMPLIES_EXEC | UNAME26) != -1);
	ckpt_point();
	CHECK_EQ(ADDR_NO_RANDOMIZE | READ_IMPLIES_EXEC | UNAME26,
		 personality(0xffffffff));
}

ROUNDTRIP(not_dumpable)
{
	NEED(!prctl(PR_SET_DUMPABLE, 0));
	ckpt_point();
	CHECK_EQ(0, prctl(PR_GET_DUMPABLE));
}

ROUNDTRIP(death_signal)
{
	int sig = 0;

	NEED(!prctl(PR_SET_PDEATHSIG, SIGUSR2));
	ckpt_point();
	NEED(!prctl(PR_GET_PDEATHSIG, &sig));
	CHECK_EQ(SIGUSR2, sig);
}

ROUNDTRIP(timer_slack)
{
	NEED(!prctl(PR_SET_TIMERSLACK, 1234567));
	ckpt_point();
	CHECK_EQ(1234567, prctl(PR_GET_TIMERSLACK));
}

ROUNDTRIP(child_subreaper)
{
	int on = 0;

	NEED(!prctl(PR_SET_CHILD_SUBREAPER, 1));
	ckpt_point();
	NEED(!prctl(PR_GET_CHILD_SUBREAPER, &on));
	CHECK_EQ(1, on);
}

ROUNDTRIP(thp_disabled)
{
	if (prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0))
		ckpt_skip("no PR_SET_THP_DISABLE");
	ckpt_point();
	CHECK_EQ(1, prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0));
}

ROUNDTRIP(machine_checks)
{
	if (prctl(PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_EARLY, 0, 0))
		ckpt_skip("no PR_MCE_KILL");
	ckpt_point();
	CHECK_EQ(PR_MCE_KILL_EARLY, prctl(PR_MCE_KILL_GET, 0, 0, 0, 0));
}

ROUNDTRIP_OR_REFUSED(speculation)
{
	long seen, now;

	seen = prctl(PR_GET_SPECULATION_CTRL, PR_SPEC_STORE_BYPASS, 0, 0, 0);
	if (seen < 0 || !(seen & PR_SPEC_PRCTL))
		ckpt_skip("speculation cannot be controlled here");
	NEED(!prctl(PR_SET_SPECULATION_CTRL, PR_SPEC_STORE_BYPASS,
		    PR_SPEC_FORCE_DISABLE, 0, 0));
	seen = prctl(PR_GET_SPECULATION_CTRL, PR_SPEC_STORE_BYPASS, 0, 0, 0);
	ckpt_point();
	now = prctl(PR_GET_SPECULATION_CTRL, PR_SPEC_STORE_BYPASS, 0, 0, 0);
	CHECK_EQ(seen, now);
}

ROUNDTRIP_OR_REFUSED(no_exec_gain)
{
	if (prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0))
		ckpt_skip("no PR_SET_MDWE");
	ckpt_point();
	CHECK_EQ(PR_MDWE_REFUSE_EXEC_GAIN, prctl(PR_GET_MDWE, 0, 0, 0, 0));
	CHECK(mmap(NULL, 4096, PROT_WRITE | PROT_EXEC,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
}

ROUNDTRIP_OR_REFUSED(memory_merge)
{
	if (prctl(PR_SET_MEMORY_MERGE, 1, 0, 0, 0))
		ckpt_skip("no PR_SET_MEMORY_MERGE");
	ckpt_point();
	CHECK_EQ(1, prctl(PR_GET_MEMORY_MERGE, 0, 0, 0, 0));
}

ROUNDTRIP_OR_REFUSED(io_flusher)
{
	need_root();
	if (prctl(PR_SET_IO_FLUSHER, 1, 0, 0, 0))
		ckpt_skip("no PR_SET_IO_FLUSHER");
	ckpt_point();
	CHECK_EQ(1, prctl(PR_GET_IO_FLUSHER, 0, 0, 0, 0));
}

ROUNDTRIP(oom_score)
{
	char *text;

	NEED(!ckpt_write_file("/proc/self/oom_score_adj", "567"));
	ckpt_point();
	text = ckpt_read_file("/proc/self/oom_score_adj", NULL);
	CHECK(text && atoi(text) == 567);
	free(text);
}

ROUNDTRIP(coredump_filter)
{
	char *text;

	if (ckpt_write_file("/proc/self/coredump_filter", "0x7b"))
		ckpt_skip("no core dumps");
	ckpt_point();
	text = ckpt_read_file("/proc/self/coredump_filter", NULL);
	CHECK(text && strtoul(text, NULL, 16) == 0x7b);
	free(text);
}

/* --- addresses that the kernel keeps -------------------------------------- */

static struct {
	void *list;
	long offset;
	void *pending;
} robust = { &robust, 0x18, NULL };

ROUNDTRIP(robust_list)
{
	void *head = NULL;
	size_t len = 0;

	NEED(!syscall(SYS_set_robust_list, &robust, sizeof(robust)));
	ckpt_point();
	NEED(!syscall(SYS_get_robust_list, 0, &head, &len));
	CHECK(head == &robust);
	CHECK_EQ(sizeof(robust), len);
}

static int tid_word;

ROUNDTRIP(tid_address)
{
	int *address = NULL;

	NEED(syscall(SYS_set_tid_address, &tid_word) == getpid());
	if (prctl(PR_GET_TID_ADDRESS, &address, 0, 0, 0))
		ckpt_skip("no PR_GET_TID_ADDRESS");
	ckpt_point();
	NEED(!prctl(PR_GET_TID_ADDRESS, &address, 0, 0, 0));
	CHECK(address == &tid_word);
}

/* --- descent -------------------------------------------------------------- */

static void *do_nothing(void *arg)
{
	return arg;
}

/* That there was another thread once makes no difference. */
ROUNDTRIP(thread_that_was)
{
	pthread_t thread;

	NEED(!pthread_create(&thread, NULL, do_nothing, NULL));
	NEED(!pthread_join(thread, NULL));
	/* Joined is not gone. */
	while (atoi(ckpt_proc_value("status", "Threads")) > 1)
		usleep(1000);
	ckpt_point();
	NEED(!pthread_create(&thread, NULL, do_nothing, NULL));
	NEED(!pthread_join(thread, NULL));
}

/* It can have children, and hears of them. */
ROUNDTRIP(children_after)
{
	int status;
	pid_t pid;

	ckpt_point();
	pid = fork();
	if (!pid)
		_exit(5);
	CHECK_EQ(pid, waitpid(pid, &status, 0));
	CHECK_EQ(5, WEXITSTATUS(status));
}

/* It can execute another program. */
ROUNDTRIP(exec_after)
{
	char *argv[] = { "target", "--scenario", "simple_end", NULL };
	char exe[300];
	ssize_t len;

	ckpt_point();
	len = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	NEED(len > 0);
	exe[len] = '\0';
	execv(exe, argv);
	CHECK(false);
}

SCENARIO(simple_end)
{
	CHECK_EQ(0, ckpt_stage);
}

/* Not a leader of a session: in that of the one who restarts it. */
SCENARIO(in_group)
{
	ckpt_point();
}

TEST_F(checkpoint, process_group)
{
	int status;
	pid_t pid, child;

	NOT_DRY();
	/* A target in our own session and group. */
	fflush(stdout);
	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		char exe[300], *argv[] = { "target", "--scenario", "in_group", NULL };
		ssize_t len = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
		int fd;

		exe[len > 0 ? len : 0] = '\0';
		for (fd = 0; fd < 3; fd++)
			close(fd);
		syscall(SYS_close_range, 3, ~0U, 0);
		if (chdir(self->t.dir) || open("/dev/null", O_RDWR) ||
		    dup(0) != 1 || dup(0) != 2)
			_exit(1);
		execv(exe, argv);
		_exit(1);
	}
	ckpt_remember(&self->t, child);
	ASSERT_EQ(0, ckpt_wait_stage(&self->t, child, 1));
	ASSERT_EQ(getpgid(0), getpgid(child));
	ASSERT_LT(0, ckpt_checkpoint(&self->t, child, self->t.image, 0));
	ASSERT_EQ(0, ckpt_kill(&self->t, child));
	pid = ckpt_restart(&self->t, self->t.image, 0);
	ASSERT_EQ(child, pid);
	EXPECT_EQ(getpgid(0), getpgid(pid));
	EXPECT_EQ(getsid(0), getsid(pid));
	ASSERT_EQ(0, ckpt_go(pid));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ckpt_forget(&self->t, pid);
	EXPECT_EQ(0, status);
}

TEST_HARNESS_MAIN
