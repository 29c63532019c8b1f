// SPDX-License-Identifier: GPL-2.0
/*
 * Namespaces: trees that are in others than whoever checkpoints them, restarts
 * in those that were made before.
 */
#include "ckpt_image.h"

#include <mqueue.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <sys/ipc.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/utsname.h>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME	0x80
#endif

/* --- the tester ---------------------------------------------------------------- */

/* What a test is about; ckpt_as_user() takes a function without arguments. */
static struct {
	const char *scenario;
	const char *arg;
	int flags;		/* CLONE_NEW* of the target ... */
	int restart_flags;	/* ... and of the restart's caller */
	unsigned long options;	/* RESTART_* */
	long error;		/* of the restart */
	const char *text;
	long save_error;
	bool dry_run;
	bool cut_off;
} want;

static int enter(const char *name, int flag)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC), ret;

	if (fd < 0)
		return -1;
	ret = setns(fd, flag);
	close(fd);
	return ret;
}

/* In a new user namespace: root is root there, others are nobody. */
static int map_self(void)
{
	return ckpt_write_file("/proc/self/uid_map", "0 0 1") ||
	       ckpt_write_file("/proc/self/setgroups", "deny") ||
	       ckpt_write_file("/proc/self/gid_map", "0 0 1");
}

/* Make namespaces and be in them; children are in those of pid and time. */
static int make(int flags, const char *offsets)
{
	if (unshare(flags))
		return ckpt_say("unshare %#x: %s", flags, strerror(errno));
	if (flags & CLONE_NEWUSER && map_self())
		return ckpt_say("maps: %s", strerror(errno));
	if (flags & CLONE_NEWNS &&
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return ckpt_say("mount: %s", strerror(errno));
	if (flags & CLONE_NEWTIME) {
		if (ckpt_write_file("/proc/self/timens_offsets", offsets) ||
		    enter("/proc/self/ns/time_for_children", CLONE_NEWTIME))
			return ckpt_say("time: %s", strerror(errno));
	}
	return 0;
}

static int restart_there(struct ckpt_test *t)
{
	size_t len;
	char *image;
	long pid;

	if (make(want.restart_flags, "monotonic 777 0\nboottime 888 0\n"))
		return 20;
	if (want.cut_off) {
		image = ckpt_read_file(t->image, &len);
		if (ckpt_restart_raw(t, image, len - 8) != -EINVAL)
			return 21;
		if (ckpt_has_children())
			return 22;
		return 0;
	}
	pid = ckpt_restart(t, t->image, want.options);
	if (want.error) {
		if (pid == want.error &&
		    ckpt_reason(t, -want.error, NULL, -1, 0, want.text))
			return 0;
		ckpt_say("restart: %ld", pid);
		return 23;
	}
	if (pid <= 0)
		return 24;
	return ckpt_finish(t, pid) ? 25 : 0;
}

/* Save it, kill it, and restart it in namespaces that are made for it. */
static int there_and_back(struct ckpt_test *t)
{
	int outside = want.flags & (CLONE_NEWPID | CLONE_NEWTIME);
	char before[65] = "", after[65] = "";
	pid_t pid;
	long ret;

	gethostname(before, sizeof(before) - 1);
	if (outside & CLONE_NEWTIME) {
		/* Only children are to be in there. */
		if (unshare(CLONE_NEWTIME) ||
		    ckpt_write_file("/proc/self/timens_offsets",
				    "monotonic 1000 5\nboottime 100000 7\n"))
			return 1;
	}
	if (outside & CLONE_NEWPID && unshare(CLONE_NEWPID))
		return 2;
	pid = ckpt_start(t, want.scenario, want.arg);
	if (pid <= 0)
		return pid ? 3 : CKPT_SKIPPED;
	if (want.dry_run)
		ret = ckpt_checkpoint_fd(t, pid, -1, CHECKPOINT_DRY_RUN);
	else
		ret = ckpt_checkpoint(t, pid, t->image, 0);
	if (want.save_error) {
		if (ret != want.save_error ||
		    !ckpt_reason(t, -want.save_error, NULL, -1, 0,
				 want.text)) {
			ckpt_say("checkpoint: %ld", ret);
			return 11;
		}
		return ckpt_kill(t, pid) ? 5 : 0;
	}
	if (ret <= 0)
		return 6;
	if (ckpt_kill(t, pid))
		return 7;
	if (outside & CLONE_NEWPID && enter("/proc/self/ns/pid", CLONE_NEWPID))
		return 8;
	if (outside & CLONE_NEWTIME &&
	    enter("/proc/self/ns/time", CLONE_NEWTIME))
		return 9;
	ret = ckpt_as_user(t, 0, restart_there);
	gethostname(after, sizeof(after) - 1);
	if (strcmp(before, after)) {
		sethostname(before, strlen(before));
		return 10;
	}
	return ret;
}

#define RUN(...)							\
	do {								\
		int _ret;						\
									\
		NOT_DRY();						\
		if (getuid())						\
			SKIP(return, "needs root");			\
		memset(&want, 0, sizeof(want));				\
		want = (typeof(want)) { __VA_ARGS__ };			\
		_ret = ckpt_as_user(&self->t, 0, there_and_back);	\
		if (_ret == CKPT_SKIPPED)				\
			SKIP(return, "%s", want.scenario);		\
		EXPECT_EQ(0, _ret);					\
	} while (0)

/* --- helpers of the targets ------------------------------------------------------ */

static void own(int flags)
{
	if (unshare(flags))
		ckpt_skip("unshare %#x: %s", flags, strerror(errno));
	if (flags & CLONE_NEWNS)
		NEED(!mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL));
}

static void name_host(void)
{
	NEED(!sethostname("saved-host", 10));
	NEED(!setdomainname("saved-domain", 12));
}

static void check_host(const char *node)
{
	struct utsname uts;

	CHECK_EQ(0, uname(&uts));
	CHECK_SAY(!strcmp(uts.nodename, node), "host %s", uts.nodename);
	CHECK_SAY(!strcmp(uts.domainname, "saved-domain") ==
		  !strcmp(node, "saved-host"), "domain %s", uts.domainname);
}

/* --- uts ----------------------------------------------------------------------------- */

SCENARIO(own_uts)
{
	own(CLONE_NEWUTS);
	name_host();
	ckpt_point();
	check_host("saved-host");
}

TEST_F(checkpoint, uts)
{
	RUN(.scenario = "own_uts", .restart_flags = CLONE_NEWUTS);
}

TEST_F(checkpoint, uts_not_own)
{
	RUN(.scenario = "own_uts", .error = -EOPNOTSUPP,
	    .text = "own uts namespace, the caller has not");
}

SCENARIO(callers_uts)
{
	char host[65] = "";

	gethostname(host, sizeof(host) - 1);
	own(CLONE_NEWUTS);
	name_host();
	ckpt_point();
	check_host(host);
}

TEST_F(checkpoint, uts_of_the_caller)
{
	RUN(.scenario = "callers_uts", .options = RESTART_CALLERS_NS);
}

/* --- ipc ----------------------------------------------------------------------------- */

struct text {
	long type;
	char text[20000];
};

static void send_text(int id, long type, size_t len)
{
	struct text t = { .type = type };

	ckpt_fill(t.text, len, type);
	NEED(!msgsnd(id, &t, len, IPC_NOWAIT));
}

static void receive_text(int id, long which, long type, size_t len)
{
	struct text t = {};

	CHECK_EQ(len, msgrcv(id, &t, sizeof(t.text), which, IPC_NOWAIT));
	CHECK_EQ(type, t.type);
	CHECK_FILL(t.text, len, type);
}

static int sem_change(int id, int num, int by, int flags)
{
	struct sembuf op = { .sem_num = num, .sem_op = by, .sem_flg = flags };

	return semop(id, &op, 1);
}

static void set_text(const char *path, const char *text)
{
	if (ckpt_write_file(path, text))
		ckpt_skip("%s: %s", path, strerror(errno));
}

static void check_text(const char *path, const char *text)
{
	char *now = ckpt_read_file(path, NULL);

	if (CHECK(now))
		CHECK_SAY(!strncmp(now, text, strlen(text)), "%s: %s", path,
			  now);
	free(now);
}

SCENARIO(own_ipc)
{
	unsigned short values[] = { 5, 0, 32767, 1, 7 };
	struct msqid_ds q_before, q_after;
	struct semid_ds s_before, s_after;
	struct mq_attr attr = { .mq_maxmsg = 3, .mq_msgsize = 50 };
	int set, other, queue, shm, gone, i;
	char *mem, text[64];
	mqd_t mq;

	own(CLONE_NEWIPC);
	set_text("/proc/sys/kernel/msgmni", "77");
	set_text("/proc/sys/kernel/msgmax", "30000");
	set_text("/proc/sys/kernel/msgmnb", "100000");
	set_text("/proc/sys/kernel/sem", "1000 2000 30 40");
	set_text("/proc/sys/kernel/shmmax", "12345678");
	set_text("/proc/sys/kernel/shm_rmid_forced", "0");
	set_text("/proc/sys/fs/mqueue/msg_default", "5");
	/* So that ids are not those that come by themselves. */
	gone = semget(IPC_PRIVATE, 1, 0600);
	set = semget(0x1234, 5, IPC_CREAT | 0640);
	other = semget(IPC_PRIVATE, 1, 0600);
	NEED(set >= 0 && other >= 0 && !semctl(gone, 0, IPC_RMID));
	NEED(!semctl(set, 0, SETALL, values));
	NEED(!sem_change(set, 0, -2, SEM_UNDO));
	NEED(!sem_change(set, 1, 3, SEM_UNDO));
	NEED(!sem_change(set, 1, -3, 0));
	NEED(!sem_change(set, 4, 1, 0));
	gone = msgget(IPC_PRIVATE, 0600);
	queue = msgget(0x4321, IPC_CREAT | 0604);
	NEED(queue >= 0 && !msgctl(gone, IPC_RMID, NULL));
	send_text(queue, 3, 10);
	send_text(queue, 1, 19999);
	send_text(queue, 3, 0);
	send_text(queue, 2, 5000);
	send_text(queue, 7, 100);
	receive_text(queue, 7, 7, 100);
	NEED(!msgctl(queue, IPC_STAT, &q_before));
	q_before.msg_qbytes = 90000;
	NEED(!msgctl(queue, IPC_SET, &q_before));
	shm = shmget(0x777, 10000, IPC_CREAT | 0600);
	NEED(shm >= 0);
	mem = shmat(shm, NULL, 0);
	ckpt_fill(mem, 10000, 9);
	NEED(!shmdt(mem));
	mq = mq_open("/left-there", O_CREAT | O_RDWR, 0600, &attr);
	NEED(mq >= 0 && !mq_send(mq, "abc", 3, 4) && !mq_close(mq));
	NEED(!msgctl(queue, IPC_STAT, &q_before));
	NEED(!semctl(set, 0, IPC_STAT, &s_before));

	ckpt_point();

	check_text("/proc/sys/kernel/msgmni", "77\n");
	check_text("/proc/sys/kernel/msgmax", "30000\n");
	check_text("/proc/sys/kernel/msgmnb", "100000\n");
	check_text("/proc/sys/kernel/sem", "1000\t2000\t30\t40\n");
	check_text("/proc/sys/kernel/shmmax", "12345678\n");
	check_text("/proc/sys/fs/mqueue/msg_default", "5\n");

	CHECK_EQ(set, semget(0x1234, 5, 0));
	CHECK_EQ(0, semctl(set, 0, IPC_STAT, &s_after));
	CHECK_EQ(0640, s_after.sem_perm.mode);
	CHECK_EQ(s_before.sem_otime, s_after.sem_otime);
	CHECK_EQ(s_before.sem_ctime, s_after.sem_ctime);
	CHECK_EQ(5, s_after.sem_nsems);
	values[0] = 3;
	values[4] = 8;
	for (i = 0; i < 5; i++)
		CHECK_EQ(values[i], semctl(set, i, GETVAL));
	CHECK_EQ(getpid(), semctl(set, 4, GETPID));
	CHECK_EQ(0, semctl(other, 0, GETVAL));
	CHECK_EQ(1, semctl(other, 0, IPC_STAT, &s_after) + 1);
	/* What is to be undone is what it was. */
	if (!fork()) {
		CHECK_EQ(0, sem_change(set, 3, -1, SEM_UNDO));
		ckpt_target_end();
	}
	CHECK(wait(&i) > 0);
	CHECK_EQ(0, i);
	CHECK_EQ(1, semctl(set, 3, GETVAL));

	CHECK_EQ(queue, msgget(0x4321, 0));
	CHECK_EQ(0, msgctl(queue, IPC_STAT, &q_after));
	CHECK_EQ(0604, q_after.msg_perm.mode);
	CHECK_EQ(q_before.msg_stime, q_after.msg_stime);
	CHECK_EQ(q_before.msg_rtime, q_after.msg_rtime);
	CHECK_EQ(q_before.msg_ctime, q_after.msg_ctime);
	CHECK_EQ(q_before.__msg_cbytes, q_after.__msg_cbytes);
	CHECK_EQ(q_before.msg_qnum, q_after.msg_qnum);
	CHECK_EQ(90000, q_after.msg_qbytes);
	CHECK_EQ(getpid(), q_after.msg_lspid);
	CHECK_EQ(getpid(), q_after.msg_lrpid);
	receive_text(queue, 2, 2, 5000);
	receive_text(queue, 0, 3, 10);
	receive_text(queue, 0, 1, 19999);
	receive_text(queue, 0, 3, 0);
	CHECK_EQ(-1, msgrcv(queue, text, 10, 0, IPC_NOWAIT));
	CHECK_EQ(ENOMSG, errno);

	CHECK_EQ(shm, shmget(0x777, 10000, 0));
	mem = shmat(shm, NULL, 0);
	CHECK_FILL(mem, 10000, 9);
	mq = mq_open("/left-there", O_RDWR);
	CHECK(mq >= 0);
	CHECK_EQ(0, mq_getattr(mq, &attr));
	CHECK_EQ(1, attr.mq_curmsgs);
	CHECK_EQ(3, mq_receive(mq, text, 50, NULL));
	CHECK(!memcmp(text, "abc", 3));
	CHECK_EQ(0, mq_unlink("/left-there"));
}

TEST_F(checkpoint, ipc)
{
	RUN(.scenario = "own_ipc", .restart_flags = CLONE_NEWIPC);
}

TEST_F(checkpoint, ipc_not_own)
{
	RUN(.scenario = "own_ipc", .error = -EOPNOTSUPP,
	    .text = "own ipc namespace, the caller has not");
}

TEST_F(checkpoint, failed_ipc)
{
	RUN(.scenario = "own_ipc", .restart_flags = CLONE_NEWIPC,
	    .cut_off = true);
}

/* What exceeds the limits was there before they were what they are. */
SCENARIO(lowered_limits)
{
	struct mq_attr attr = { .mq_maxmsg = 20, .mq_msgsize = 9000 };
	int queues[3], sets[3], shm[2], i;
	unsigned long qbytes;
	struct msqid_ds ds;
	mqd_t mq[2];

	own(CLONE_NEWIPC);
	set_text("/proc/sys/fs/mqueue/msg_max", "20");
	set_text("/proc/sys/fs/mqueue/msgsize_max", "10000");
	for (i = 0; i < 3; i++) {
		queues[i] = msgget(i + 1, IPC_CREAT | 0600);
		NEED(queues[i] >= 0);
		send_text(queues[i], 1, 1000);
		send_text(queues[i], 2, 8000);
		sets[i] = semget(i + 1, 10, IPC_CREAT | 0600);
		NEED(sets[i] >= 0);
		NEED(!sem_change(sets[i], 9, 3, SEM_UNDO));
	}
	for (i = 0; i < 2; i++) {
		shm[i] = shmget(i + 1, 20000, IPC_CREAT | 0600);
		NEED(shm[i] >= 0);
	}
	mq[0] = mq_open("/first", O_CREAT | O_RDWR, 0600, &attr);
	mq[1] = mq_open("/second", O_CREAT | O_RDWR, 0600, &attr);
	NEED(mq[0] >= 0 && mq[1] >= 0);
	NEED(!msgctl(queues[0], IPC_STAT, &ds));
	/* Becomes a number of 64 bits, which only the privileged can set. */
	if (atoi(ckpt_arg) < 2)
		ds.msg_qbytes = 3000000000;
	NEED(!msgctl(queues[0], IPC_SET, &ds));
	NEED(!msgctl(queues[0], IPC_STAT, &ds));
	qbytes = ds.msg_qbytes;
	set_text("/proc/sys/kernel/msgmni", "1");
	set_text("/proc/sys/kernel/msgmax", "0");
	set_text("/proc/sys/kernel/msgmnb", "10");
	set_text("/proc/sys/kernel/sem", "-1 -2 0 1");
	set_text("/proc/sys/kernel/shmmni", "0");
	set_text("/proc/sys/kernel/shmmax", "1");
	set_text("/proc/sys/kernel/shmall", "0");
	set_text("/proc/sys/fs/mqueue/queues_max", ckpt_arg);
	set_text("/proc/sys/fs/mqueue/msg_max", "1");
	set_text("/proc/sys/fs/mqueue/msgsize_max", "128");

	ckpt_point();

	check_text("/proc/sys/kernel/msgmni", "1\n");
	check_text("/proc/sys/kernel/msgmax", "0\n");
	check_text("/proc/sys/kernel/msgmnb", "10\n");
	check_text("/proc/sys/kernel/sem", "-1\t-2\t0\t1\n");
	check_text("/proc/sys/kernel/shmmni", "0\n");
	check_text("/proc/sys/kernel/shmmax", "1\n");
	check_text("/proc/sys/kernel/shmall", "0\n");
	check_text("/proc/sys/fs/mqueue/queues_max", ckpt_arg);
	check_text("/proc/sys/fs/mqueue/msg_max", "1\n");
	check_text("/proc/sys/fs/mqueue/msgsize_max", "128\n");
	set_text("/proc/sys/kernel/msgmax", "8192");
	for (i = 0; i < 3; i++) {
		receive_text(queues[i], 2, 2, 8000);
		receive_text(queues[i], 0, 1, 1000);
		CHECK_EQ(3, semctl(sets[i], 9, GETVAL));
	}
	CHECK_EQ(0, msgctl(queues[0], IPC_STAT, &ds));
	CHECK_EQ(qbytes, ds.msg_qbytes);
	CHECK_EQ(shm[1], shmget(2, 20000, 0));
	for (i = 0; i < 2; i++) {
		CHECK_EQ(0, mq_getattr(mq[i], &attr));
		CHECK_EQ(20, attr.mq_maxmsg);
		CHECK_EQ(9000, attr.mq_msgsize);
	}
	CHECK_EQ(-1, msgget(IPC_PRIVATE, 0600));
	CHECK_EQ(ENOSPC, errno);
}

TEST_F(checkpoint, ipc_lowered_limits)
{
	RUN(.scenario = "lowered_limits", .arg = "1",
	    .restart_flags = CLONE_NEWIPC);
}

/* None at all. */
TEST_F(checkpoint, ipc_no_limit)
{
	RUN(.scenario = "lowered_limits", .arg = "-1",
	    .restart_flags = CLONE_NEWIPC);
}

/* As anybody can do it in namespaces of users and IPC. */
TEST_F(checkpoint, ipc_lowered_limits_of_a_user)
{
	RUN(.scenario = "lowered_limits", .arg = "2",
	    .restart_flags = CLONE_NEWIPC | CLONE_NEWUSER,
	    .options = RESTART_FRESH_PIDS);
}

TEST_F(checkpoint, ipc_size_of_root)
{
	RUN(.scenario = "lowered_limits", .arg = "1",
	    .restart_flags = CLONE_NEWIPC | CLONE_NEWUSER,
	    .options = RESTART_FRESH_PIDS, .error = -EPERM,
	    .text = "is over the limit (kernel.msgmnb)");
}

TEST_F(checkpoint, ipc_fresh_pids)
{
	RUN(.scenario = "own_ipc", .restart_flags = CLONE_NEWIPC,
	    .options = RESTART_FRESH_PIDS);
}

/* Its end undoes what it has to undo, also after a restart. */
SCENARIO(undoes)
{
	int set, status;
	pid_t child;

	own(CLONE_NEWIPC);
	set = semget(IPC_PRIVATE, 2, 0600);
	NEED(set >= 0);
	NEED(!sem_change(set, 0, 4, 0));
	child = fork();
	NEED(child >= 0);
	if (!child) {
		NEED(!sem_change(set, 0, -3, SEM_UNDO));
		NEED(!sem_change(set, 1, 1, 0));
		for (;;)
			pause();
	}
	NEED(!sem_change(set, 1, -1, 0));
	ckpt_point();
	CHECK_EQ(1, semctl(set, 0, GETVAL));
	CHECK_EQ(child, semctl(set, 0, GETPID));
	CHECK_EQ(0, kill(child, SIGKILL));
	CHECK_EQ(child, waitpid(child, &status, 0));
	CHECK_EQ(4, semctl(set, 0, GETVAL));
}

TEST_F(checkpoint, undone)
{
	RUN(.scenario = "undoes", .restart_flags = CLONE_NEWIPC);
}

/* --- what of IPC is refused -------------------------------------------------------------- */

/* More than operations can name, which is known before anything is written. */
SCENARIO(too_many_semaphores)
{
	own(CLONE_NEWIPC);
	set_text("/proc/sys/kernel/sem", "70000 200000 32 128");
	NEED(semget(IPC_PRIVATE, 65537, 0600) >= 0);
	ckpt_point();
}

TEST_F(checkpoint, ipc_too_many_semaphores)
{
	RUN(.scenario = "too_many_semaphores", .save_error = -E2BIG,
	    .dry_run = true, .text = "a set of 65537 System V semaphores");
}

SCENARIO(many_semaphores)
{
	struct semid_ds set_ds;
	struct msqid_ds queue_ds;
	int set, queue;

	own(CLONE_NEWIPC);
	set_text("/proc/sys/kernel/sem", "70000 200000 32 128");
	set = semget(0x77, 65536, IPC_CREAT | 0666);
	NEED(set >= 0 && !sem_change(set, 65535, 2, SEM_UNDO));
	queue = msgget(0x78, IPC_CREAT | 0640);
	NEED(queue >= 0);
	ckpt_point();
	CHECK_EQ(0, semctl(set, 0, IPC_STAT, &set_ds));
	CHECK_EQ(0666, set_ds.sem_perm.mode);
	CHECK_EQ(0, msgctl(queue, IPC_STAT, &queue_ds));
	CHECK_EQ(0640, queue_ds.msg_perm.mode);
	CHECK_EQ(2, semctl(set, 65535, GETVAL));
	CHECK_EQ(0, semctl(set, 65534, GETVAL));
}

TEST_F(checkpoint, ipc_many_semaphores)
{
	RUN(.scenario = "many_semaphores", .restart_flags = CLONE_NEWIPC);
}

/* Wakes another one, and waits for that, until the set goes. */
static pid_t play(int set, int wait_for, int wake, int in)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	close(in);
	while (!sem_change(set, wake, 1, 0) && !sem_change(set, wait_for, -1, 0))
		;
	_exit(errno == EIDRM || errno == EINVAL ? 0 : 1);
}

static int ends(pid_t pid)
{
	int ms, status = -1;

	for (ms = 0; ms < 20000; ms++) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return status;
		usleep(1000);
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return ckpt_say("waits for a set that is gone");
}

/*
 * Until all is done what is made is the caller's own. Others of his may use it,
 * also as it is taken away again.
 */
static int used_meanwhile(struct ckpt_test *t)
{
	struct msqid_ds queue_ds;
	struct semid_ds set_ds;
	int in, set, queue, ms, ret = 0;
	pid_t restarter, a, b;

	if (make(CLONE_NEWIPC, NULL))
		return 1;
	restarter = ckpt_stalled_restart(t, &in, 8, NULL);
	if (restarter < 0)
		return 2;
	for (ms = 0; ms < 20000; ms++) {
		set = semget(0x77, 0, 0);
		queue = msgget(0x78, 0);
		if (set >= 0 && queue >= 0)
			break;
		usleep(1000);
	}
	if (semctl(set, 0, IPC_STAT, &set_ds) ||
	    msgctl(queue, IPC_STAT, &queue_ds) ||
	    (set_ds.sem_perm.mode & 0777) != 0600 ||
	    (queue_ds.msg_perm.mode & 0777) != 0600)
		ret = 3;
	a = play(set, 0, 1, in);
	b = play(set, 1, 0, in);
	usleep(50000);
	close(in);
	if (waitpid(restarter, &in, 0) != restarter || in != 1 << 8)
		ret = 4;
	if (ends(a) || ends(b))
		ret = 5;
	if (semget(0x77, 0, 0) >= 0 || msgget(0x78, 0) >= 0)
		ret = 6;
	return ret;
}

TEST_F(checkpoint, ipc_used_meanwhile)
{
	pid_t pid;
	int i;

	NOT_DRY();
	if (getuid())
		SKIP(return, "needs root");
	START(pid, many_semaphores, NULL);
	ASSERT_LT(0, ckpt_checkpoint(&self->t, pid, self->t.image, 0));
	ASSERT_EQ(0, ckpt_kill(&self->t, pid));
	for (i = 0; i < 5; i++)
		ASSERT_EQ(0, ckpt_as_user(&self->t, 0, used_meanwhile));
}

SCENARIO(forced)
{
	own(CLONE_NEWIPC);
	set_text("/proc/sys/kernel/shm_rmid_forced", "1");
	NEED(shmget(IPC_PRIVATE, 5000, 0600) >= 0);
	ckpt_point();
}

TEST_F(checkpoint, ipc_segment_of_creator)
{
	RUN(.scenario = "forced", .save_error = -EOPNOTSUPP,
	    .text = "goes with who has made it");
}

SCENARIO(forced_attached)
{
	char *mem;
	int id;

	own(CLONE_NEWIPC);
	set_text("/proc/sys/kernel/shm_rmid_forced", "1");
	id = shmget(IPC_PRIVATE, 5000, 0600);
	mem = shmat(id, NULL, 0);
	NEED(id >= 0 && mem != MAP_FAILED);
	ckpt_fill(mem, 5000, 7);
	ckpt_point();
	CHECK_FILL(mem, 5000, 7);
	check_text("/proc/sys/kernel/shm_rmid_forced", "1\n");
	CHECK_EQ(0, shmdt(mem));
	CHECK_EQ((void *)-1, shmat(id, NULL, 0));
}

TEST_F(checkpoint, ipc_segment_of_its_users)
{
	RUN(.scenario = "forced_attached", .restart_flags = CLONE_NEWIPC);
}

/* --- mount, network, cgroup ------------------------------------------------------------ */

SCENARIO(own_mounts)
{
	char path[128];
	int fd;

	own(CLONE_NEWNS);
	snprintf(path, sizeof(path), "own-%d", getpid());
	fd = open(path, O_CREAT | O_RDWR, 0600);
	NEED(fd >= 0);
	NEED(write(fd, "text", 4) == 4);
	/* The same file by another mount has another path. */
	ckpt_point();
	CHECK_EQ(4, lseek(fd, 0, SEEK_CUR));
	CHECK_EQ(4, pread(fd, path, 4, 0));
	CHECK(!memcmp(path, "text", 4));
}

TEST_F(checkpoint, mounts)
{
	RUN(.scenario = "own_mounts", .restart_flags = CLONE_NEWNS);
}

/* What is only in there is saved by its path there, and not found elsewhere. */
SCENARIO(own_tmpfs)
{
	int fd;

	own(CLONE_NEWNS);
	NEED(!mkdir("mounted", 0700));
	NEED(!mount("none", "mounted", "tmpfs", 0, NULL));
	fd = open("mounted/only-here", O_CREAT | O_RDWR, 0600);
	NEED(fd >= 0);
	ckpt_point();
}

TEST_F(checkpoint, lost_mount)
{
	RUN(.scenario = "own_tmpfs", .restart_flags = CLONE_NEWNS,
	    .error = -ENOENT, .text = "mounted/only-here");
}

SCENARIO(own_network)
{
	char c = 0;
	int sv[2];

	own(CLONE_NEWNET);
	NEED(!socketpair(AF_UNIX, SOCK_STREAM, 0, sv));
	NEED(write(sv[0], "n", 1) == 1);
	ckpt_point();
	CHECK_EQ(1, read(sv[1], &c, 1));
	CHECK_EQ('n', c);
}

TEST_F(checkpoint, network)
{
	RUN(.scenario = "own_network", .restart_flags = CLONE_NEWNET);
}

TEST_F(checkpoint, network_not_own)
{
	RUN(.scenario = "own_network", .restart_flags = CLONE_NEWUTS,
	    .error = -EOPNOTSUPP, .text = "own network namespace");
}

/* One socket from outside. */
SCENARIO(outer_socket)
{
	int sv[2];

	NEED(!socketpair(AF_UNIX, SOCK_STREAM, 0, sv));
	own(CLONE_NEWNET);
	ckpt_point();
}

TEST_F(checkpoint, socket_from_outside)
{
	RUN(.scenario = "outer_socket", .save_error = -EOPNOTSUPP,
	    .text = "socket of another network namespace");
}

/* --- cgroups ------------------------------------------------------------------------ */

#define CGROUP	"/sys/fs/cgroup/ckpt-test"

static bool is_in(pid_t pid, const char *cgroup)
{
	char path[32], *text, line[64];
	bool ret;

	snprintf(path, sizeof(path), "/proc/%d/cgroup", pid);
	text = ckpt_read_file(path, NULL);
	snprintf(line, sizeof(line), "0::%s\n", cgroup);
	ret = text && strstr(text, line);
	if (!ret)
		ckpt_say("%s: %s", path, text);
	free(text);
	return ret;
}

/* Parent and child are in different cgroups. */
SCENARIO(in_cgroups)
{
	pid_t child;

	if (ckpt_write_file(CGROUP "/cgroup.procs", "0"))
		ckpt_skip("no cgroup2: %s", strerror(errno));
	child = fork();
	NEED(child >= 0);
	if (!child)
		for (;;)
			pause();
	ckpt_value[2] = child;
	ckpt_point();
	CHECK_EQ(0, kill(child, SIGKILL));
	CHECK_EQ(child, wait(NULL));
}

TEST_F(checkpoint, cgroup_membership)
{
	char text[32];
	pid_t pid, child;

	NOT_DRY();
	if (getuid())
		SKIP(return, "needs root");
	if (mkdir(CGROUP, 0755) || mkdir(CGROUP "/inner", 0755))
		SKIP(return, "no cgroup2: %s", strerror(errno));
	pid = ckpt_start(&self->t, "in_cgroups", NULL);
	ASSERT_LT(0, pid);
	child = ckpt_peek_value(pid, 2);
	snprintf(text, sizeof(text), "%d", child);
	ASSERT_EQ(0, ckpt_write_file(CGROUP "/inner/cgroup.procs", text));
	ASSERT_LT(0, ckpt_checkpoint(&self->t, pid, self->t.image, 0));
	EXPECT_TRUE(is_in(pid, "/ckpt-test"));
	EXPECT_TRUE(is_in(child, "/ckpt-test/inner"));
	ASSERT_EQ(0, ckpt_kill(&self->t, pid));

	pid = ckpt_restart(&self->t, self->t.image, 0);
	ASSERT_LT(0, pid);
	EXPECT_TRUE(is_in(pid, "/"));
	EXPECT_TRUE(is_in(child, "/"));
	ASSERT_EQ(0, ckpt_kill(&self->t, pid));

	pid = ckpt_restart(&self->t, self->t.image, RESTART_CGROUPS);
	ASSERT_LT(0, pid);
	EXPECT_TRUE(is_in(pid, "/ckpt-test"));
	EXPECT_TRUE(is_in(child, "/ckpt-test/inner"));
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));

	EXPECT_EQ(0, rmdir(CGROUP "/inner"));
	EXPECT_EQ(-ENOENT, ckpt_restart(&self->t, self->t.image,
					RESTART_CGROUPS));
	EXPECT_TRUE(ckpt_reason(&self->t, ENOENT, "cgroup", -1, 0,
				"there is no cgroup /ckpt-test/inner"))
		ckpt_show_log(&self->t);
	EXPECT_EQ(0, rmdir(CGROUP));
}

static void *enter_inner(void *arg)
{
	NEED(!ckpt_write_file(CGROUP "/inner/cgroup.threads", "0"));
	ckpt_value[1] = gettid();
	for (;;)
		pause();
	return arg;
}

static void *stay(void *arg)
{
	ckpt_value[2] = gettid();
	for (;;)
		pause();
	return arg;
}

/* Made in the order in which the one that moves is behind the one that stays. */
SCENARIO(threads_in_cgroups)
{
	pthread_t thread;

	if (ckpt_write_file(CGROUP "/cgroup.procs", "0"))
		ckpt_skip("no cgroup2: %s", strerror(errno));
	NEED(!pthread_create(&thread, NULL, stay, NULL));
	NEED(!pthread_create(&thread, NULL, enter_inner, NULL));
	while (!ckpt_value[1] || !ckpt_value[2])
		usleep(1000);
	ckpt_point();
}

/* A thread is where the first one is, or where its own record says. */
TEST_F(checkpoint, cgroup_of_threads)
{
	pid_t pid, inner, outer;

	NOT_DRY();
	if (getuid())
		SKIP(return, "needs root");
	if (mkdir(CGROUP, 0755) || mkdir(CGROUP "/inner", 0755))
		SKIP(return, "no cgroup2: %s", strerror(errno));
	ASSERT_EQ(0, ckpt_write_file(CGROUP "/inner/cgroup.type", "threaded"));
	pid = ckpt_start(&self->t, "threads_in_cgroups", NULL);
	ASSERT_LT(0, pid);
	inner = ckpt_peek_value(pid, 1);
	outer = ckpt_peek_value(pid, 2);
	EXPECT_TRUE(is_in(inner, "/ckpt-test/inner"));
	EXPECT_TRUE(is_in(outer, "/ckpt-test"));
	ASSERT_LT(0, ckpt_checkpoint(&self->t, pid, self->t.image, 0));
	ASSERT_EQ(0, ckpt_kill(&self->t, pid));

	pid = ckpt_restart(&self->t, self->t.image, 0);
	ASSERT_LT(0, pid);
	EXPECT_TRUE(is_in(inner, "/"));
	EXPECT_TRUE(is_in(outer, "/"));
	ASSERT_EQ(0, ckpt_kill(&self->t, pid));

	pid = ckpt_restart(&self->t, self->t.image, RESTART_CGROUPS);
	ASSERT_LT(0, pid)
		ckpt_show_log(&self->t);
	EXPECT_TRUE(is_in(pid, "/ckpt-test"));
	EXPECT_TRUE(is_in(inner, "/ckpt-test/inner"));
	EXPECT_TRUE(is_in(outer, "/ckpt-test"));
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));
	EXPECT_EQ(0, rmdir(CGROUP "/inner"));
	EXPECT_EQ(0, rmdir(CGROUP));
}

/*
 * The mount that was there first is of no use: one can only be read, one shows
 * another cgroup. Who cannot come to any, cannot move.
 */
static int other_mounts(struct ckpt_test *t)
{
	char read_only[160], other[160], good[160], root[160];
	long ret;
	pid_t pid;

	snprintf(read_only, sizeof(read_only), "%s/read-only", t->dir);
	snprintf(other, sizeof(other), "%s/other", t->dir);
	snprintf(root, sizeof(root), "%s/root", t->dir);
	snprintf(good, sizeof(good), "%s/good", root);
	if (mkdir(read_only, 0755) || mkdir(other, 0755) || mkdir(root, 0755) ||
	    mkdir(good, 0755))
		return 1;
	pid = ckpt_start(t, "in_cgroups", NULL);
	if (pid <= 0 || ckpt_checkpoint(t, pid, t->image, 0) <= 0 ||
	    ckpt_kill(t, pid))
		return 2;
	if (unshare(CLONE_NEWNS) ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("none", root, "tmpfs", 0, NULL) || mkdir(good, 0755) ||
	    mount(CGROUP "/inner", other, NULL, MS_BIND, NULL) ||
	    mount("/sys/fs/cgroup", read_only, NULL, MS_BIND, NULL) ||
	    mount("none", read_only, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY,
		  NULL) ||
	    mount("/sys/fs/cgroup", good, NULL, MS_BIND, NULL) ||
	    umount("/sys/fs/cgroup"))
		return ckpt_say("mounts: %s", strerror(errno));
	pid = ckpt_restart(t, t->image, RESTART_CGROUPS);
	if (pid <= 0 || !is_in(pid, "/ckpt-test") || ckpt_kill(t, pid)) {
		ckpt_show_log(t);
		return 5;
	}
	if (umount(good))
		return 6;
	ret = ckpt_restart(t, t->image, RESTART_CGROUPS);
	if (ret != -ENODEV) {
		ckpt_say("restart gave %ld", ret);
		return 7;
	}
	return ckpt_reason(t, ENODEV, "cgroup", -1, 0,
			   "mount of the caller shows cgroup /ckpt-test") ? 0 : 8;
}

TEST_F(checkpoint, cgroup_mounts)
{
	NOT_DRY();
	if (getuid())
		SKIP(return, "needs root");
	if (mkdir(CGROUP, 0755) || mkdir(CGROUP "/inner", 0755))
		SKIP(return, "no cgroup2: %s", strerror(errno));
	EXPECT_EQ(0, ckpt_as_user(&self->t, 0, other_mounts));
	EXPECT_EQ(0, rmdir(CGROUP "/inner"));
	EXPECT_EQ(0, rmdir(CGROUP));
}

/* What the user may not write to is not written to for him. */
static int by_user(struct ckpt_test *t)
{
	struct ckpt_rec_hdr *hdr;
	size_t len;
	char *image = ckpt_save_scenario(t, "idle", &len), *path;
	int fd;

	hdr = image ? ckpt_find_record(image, len, CKPT_REC_CGROUP, 0) : NULL;
	if (!hdr)
		return 1;
	path = (char *)(hdr + 1) + sizeof(struct ckpt_cgroup);
	if (strcmp(path, "/ckpt-test"))
		return 2;
	/* Of the same length. */
	strcpy(path, "/ckpt-tesT");
	ckpt_mend_record(hdr);
	fd = open(t->other, O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (write(fd, image, len) != (ssize_t)len || lseek(fd, 0, SEEK_SET))
		return 3;
	if (ckpt_restart_fd(t, fd, RESTART_CGROUPS | RESTART_FRESH_PIDS) !=
	    -EACCES)
		return 4;
	close(fd);
	free(image);
	return ckpt_reason(t, EACCES, "cgroup", -1, 0, "cannot move") ? 0 : 5;
}

SCENARIO(idle)
{
	ckpt_point();
}

TEST_F(checkpoint, cgroup_permission)
{
	NOT_DRY();
	if (getuid())
		SKIP(return, "needs root");
	if (mkdir(CGROUP, 0755) || mkdir("/sys/fs/cgroup/ckpt-tesT", 0755))
		SKIP(return, "no cgroup2: %s", strerror(errno));
	ASSERT_EQ(0, ckpt_write_file(CGROUP "/cgroup.procs", "0"));
	EXPECT_EQ(0, ckpt_as_user(&self->t, 1000, by_user))
		ckpt_show_log(&self->t);
	ASSERT_EQ(0, ckpt_write_file("/sys/fs/cgroup/cgroup.procs", "0"));
	EXPECT_EQ(0, rmdir(CGROUP));
	EXPECT_EQ(0, rmdir("/sys/fs/cgroup/ckpt-tesT"));
}

#define OLD_CGROUP	"/sys/fs/cgroup/ckpt-old"

static void enter_old(void)
{
	if (ckpt_write_file(OLD_CGROUP "/cgroup.procs", "0"))
		_exit(3);
}

/* How many cgroups have been removed, of which something is left? */
static int nr_dying(void)
{
	char *text = ckpt_read_file("/sys/fs/cgroup/cgroup.stat", NULL);
	char *at = text ? strstr(text, "nr_dying_descendants ") : NULL;
	int nr = at ? atoi(strchr(at, ' ')) : -1;

	free(text);
	return nr;
}

/* Nothing of it is left, nor of its CPU controller. */
static bool is_gone(int nr_before)
{
	int ms;

	for (ms = 0; ms < 20000 && nr_dying() > nr_before; ms += 10)
		usleep(10000);
	/* And what waits for RCU behind it. */
	usleep(100000);
	return nr_dying() <= nr_before;
}

/*
 * Tasks of a restart that have not run yet leave a cgroup, which is removed. What
 * is set of them then must not be looked for in there: KASAN would see it.
 */
TEST_F(checkpoint, cgroup_of_new_tasks)
{
	char *text, *next, line[16];
	int in, nr = 0, status, dying;
	pid_t pid, restarter;
	bool had_cpu;

	NOT_DRY();
	if (getuid())
		SKIP(return, "needs root");
	text = ckpt_read_file("/sys/fs/cgroup/cgroup.subtree_control", NULL);
	had_cpu = text && strstr(text, "cpu ");
	free(text);
	if (ckpt_write_file("/sys/fs/cgroup/cgroup.subtree_control", "+cpu"))
		SKIP(return, "no CPU controller: %s", strerror(errno));
	ASSERT_EQ(0, mkdir(CGROUP, 0755));
	ASSERT_EQ(0, mkdir(OLD_CGROUP, 0755));
	dying = nr_dying();
	START(pid, in_cgroups, NULL);
	ASSERT_LT(0, ckpt_checkpoint(&self->t, pid, self->t.image, 0));
	ASSERT_EQ(0, ckpt_kill(&self->t, pid));
	restarter = ckpt_stalled_restart(&self->t, &in, 8, enter_old);
	ASSERT_LT(0, restarter);

	text = ckpt_read_file(OLD_CGROUP "/cgroup.procs", NULL);
	ASSERT_NE(NULL, text);
	for (next = text; *next; next = strchr(next, '\n') + 1, nr++) {
		snprintf(line, sizeof(line), "%d", atoi(next));
		EXPECT_EQ(0, ckpt_write_file(CGROUP "/cgroup.procs", line));
	}
	/* The caller, the one that makes all objects, the other one. */
	EXPECT_EQ(3, nr);
	EXPECT_EQ(0, rmdir(OLD_CGROUP));
	EXPECT_TRUE(is_gone(dying));
	for (next = text; *next; next = strchr(next, '\n') + 1)
		EXPECT_EQ(0, setpriority(PRIO_PROCESS, atoi(next), 5));
	free(text);

	close(in);
	EXPECT_EQ(restarter, waitpid(restarter, &status, 0));
	EXPECT_EQ(1, WEXITSTATUS(status));
	EXPECT_EQ(0, rmdir(CGROUP));
	if (!had_cpu)
		EXPECT_EQ(0, ckpt_write_file("/sys/fs/cgroup/cgroup.subtree_control",
					     "-cpu"));
}

SCENARIO(own_cgroups)
{
	own(CLONE_NEWCGROUP);
	ckpt_point();
}

TEST_F(checkpoint, cgroups)
{
	RUN(.scenario = "own_cgroups", .restart_flags = CLONE_NEWCGROUP);
}

/* --- pid --------------------------------------------------------------------------------- */

/* The init process, its child, and a grandchild that becomes its child. */
SCENARIO(container)
{
	int status, down[2], up[2];
	pid_t child;
	char c;

	if (getpid() != 1)
		ckpt_skip("not init");
	own(CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNS);
	name_host();
	NEED(!pipe(down) && !pipe(up));
	child = fork();
	NEED(child >= 0);
	if (!child) {
		if (!fork()) {
			CHECK_EQ(3, getpid());
			c = 'r';
			NEED(write(up[1], &c, 1) == 1);
			CHECK_EQ(1, read(down[0], &c, 1));
			while (getppid() != 1)
				usleep(1000);
			ckpt_target_end();
		}
		CHECK_EQ(2, getpid());
		CHECK_EQ(1, getppid());
		CHECK_EQ(1, read(down[0], &c, 1));
		CHECK_EQ(1, getppid());
		ckpt_target_end();
	}
	NEED(read(up[0], &c, 1) == 1);
	ckpt_point();
	CHECK_EQ(1, getpid());
	CHECK_EQ(0, getppid());
	CHECK_EQ(2, child);
	check_host("saved-host");
	/* Nothing that it has no handler for reaches an init process. */
	CHECK_EQ(0, kill(1, SIGTERM));
	NEED(write(down[1], "xy", 2) == 2);
	CHECK_EQ(2, waitpid(2, &status, 0));
	CHECK_EQ(0, status);
	CHECK_EQ(3, waitpid(3, &status, 0));
	CHECK_EQ(0, status);
	CHECK_EQ(4, child = fork() ?: (_exit(0), 0));
	CHECK_EQ(4, waitpid(4, &status, 0));
}

#define CONTAINER (CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNS)

TEST_F(checkpoint, containers)
{
	RUN(.scenario = "container", .flags = CLONE_NEWPID,
	    .restart_flags = CONTAINER);
}

TEST_F(checkpoint, failed_container)
{
	RUN(.scenario = "container", .flags = CLONE_NEWPID,
	    .restart_flags = CONTAINER, .cut_off = true);
}

TEST_F(checkpoint, init_without_namespace)
{
	RUN(.scenario = "container", .flags = CLONE_NEWPID,
	    .restart_flags = CONTAINER & ~CLONE_NEWPID, .error = -EOPNOTSUPP,
	    .text = "the caller's children need a new one");
}

TEST_F(checkpoint, init_as_another)
{
	RUN(.scenario = "own_uts", .restart_flags = CLONE_NEWUTS | CLONE_NEWPID,
	    .error = -EOPNOTSUPP, .text = "is its init process");
}

/* Numbers that only the tree sees: of groups, sessions, threads of timers. */
SCENARIO(own_numbers)
{
	struct sigevent event = {
		.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1,
	};
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd, status;
	timer_t timer;
	pid_t child;

	if (getpid() != 1)
		ckpt_skip("not init");
	NEED(getsid(0) == 1);
	fd = open("locked", O_CREAT | O_RDWR, 0600);
	NEED(fd >= 0);
	NEED(!timer_create(CLOCK_MONOTONIC, &event, &timer));
	child = fork();
	NEED(child >= 0);
	if (!child) {
		NEED(!setpgid(0, 0));
		NEED(!fcntl(fd, F_SETLK, &lock));
		for (;;)
			pause();
	}
	do {
		lock.l_type = F_WRLCK;
		NEED(!fcntl(fd, F_GETLK, &lock));
	} while (lock.l_type == F_UNLCK);
	ckpt_point();
	CHECK_EQ(1, getsid(0));
	CHECK_EQ(1, getpgrp());
	CHECK_EQ(2, getpgid(2));
	CHECK_EQ(1, getsid(2));
	lock.l_type = F_WRLCK;
	CHECK_EQ(0, fcntl(fd, F_GETLK, &lock));
	CHECK_EQ(F_WRLCK, lock.l_type);
	CHECK_EQ(2, lock.l_pid);
	CHECK_EQ(0, timer_delete(timer));
	CHECK_EQ(0, kill(2, SIGKILL));
	CHECK_EQ(2, waitpid(-2, &status, 0));
}

TEST_F(checkpoint, numbers)
{
	RUN(.scenario = "own_numbers", .flags = CLONE_NEWPID,
	    .restart_flags = CLONE_NEWPID);
}

#define UDP_FD		50
#define UNIX_FD		51

/* --- user ------------------------------------------------------------------------------- */

/* A program must have been started in there. It has two sockets from outside. */
SCENARIO(enter_user)
{
	struct sockaddr_in lo = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	struct sockaddr_un any = { .sun_family = AF_UNIX };
	int udp = socket(AF_INET, SOCK_DGRAM, 0);
	int un = socket(AF_UNIX, SOCK_DGRAM, 0);

	NEED(!bind(udp, (void *)&lo, sizeof(lo)));
	NEED(!bind(un, (void *)&any, sizeof(any.sun_family)));
	NEED(dup2(udp, UDP_FD) == UDP_FD && dup2(un, UNIX_FD) == UNIX_FD);
	if (unshare(CLONE_NEWUSER) || map_self())
		ckpt_skip("user namespace: %s", strerror(errno));
	execl("/proc/self/exe", "target", "--scenario", "own_user", "", NULL);
	NEED(!"execl");
}

SCENARIO(own_user)
{
	int fd = open("own", O_CREAT | O_RDWR, 0600), sv[2];
	struct sockaddr_in in, in_after;
	struct sockaddr_un un, un_after;
	socklen_t in_len = sizeof(in), un_len = sizeof(un), len;
	struct stat st;
	char *map;

	NEED(fd >= 0);
	NEED(write(fd, "text", 4) == 4);
	NEED(!socketpair(AF_UNIX, SOCK_STREAM, 0, sv));
	NEED(!getsockname(UDP_FD, (void *)&in, &in_len));
	NEED(!getsockname(UNIX_FD, (void *)&un, &un_len));
	ckpt_point();
	CHECK_EQ(0, getuid());
	CHECK_EQ(0, geteuid());
	CHECK_EQ(0, getgid());
	len = sizeof(in_after);
	CHECK(!getsockname(UDP_FD, (void *)&in_after, &len));
	CHECK(len == in_len && !memcmp(&in, &in_after, len));
	len = sizeof(un_after);
	CHECK(!getsockname(UNIX_FD, (void *)&un_after, &len));
	CHECK(len == un_len && !memcmp(&un, &un_after, len));
	map = ckpt_read_file("/proc/self/uid_map", NULL);
	CHECK(map);
	CHECK_SAY(strtol(map + 10, NULL, 10) == 0 &&
		  strtol(map + 21, NULL, 10) == 1, "%s", map);
	CHECK_EQ(0, fstat(fd, &st));
	CHECK_EQ(0, st.st_uid);
	CHECK_EQ(4, st.st_size);
	/* Still able to do so there, and not elsewhere. */
	CHECK_EQ(0, unshare(CLONE_NEWUTS));
	name_host();
	CHECK_EQ(4, write(sv[0], "abcd", 4));
}

TEST_F(checkpoint, users)
{
	RUN(.scenario = "enter_user", .flags = CLONE_NEWPID,
	    .restart_flags = CLONE_NEWUSER | CLONE_NEWPID);
}

TEST_F(checkpoint, users_not_own)
{
	RUN(.scenario = "enter_user", .flags = CLONE_NEWPID,
	    .restart_flags = CLONE_NEWPID, .error = -EOPNOTSUPP,
	    .text = "own user namespace, the caller has not");
}

/* What belongs to a user who does not exist in there would be somebody's. */
SCENARIO(enter_user_with)
{
	struct mq_attr attr = { .mq_maxmsg = 2, .mq_msgsize = 50 };
	char text[32];
	mqd_t mq;
	int id;

	own(CLONE_NEWIPC);
	NEED(!setresgid(1000, 1000, 0));
	NEED(!setresuid(1000, 1000, 0));
	if (!strcmp(ckpt_arg, "queue")) {
		NEED(msgget(IPC_PRIVATE, 0600) >= 0);
	} else if (!strcmp(ckpt_arg, "set")) {
		NEED(semget(IPC_PRIVATE, 1, 0600) >= 0);
	} else if (!strcmp(ckpt_arg, "segment")) {
		id = shmget(IPC_PRIVATE, 5000, 0666);
		NEED(id >= 0);
		sprintf(text, "%d", id);
	} else {
		mq = mq_open("/of-nobody", O_CREAT | O_EXCL | O_RDWR, 0600,
			     &attr);
		NEED(mq >= 0 && !mq_unlink("/of-nobody"));
		NEED(!fcntl(mq, F_SETFD, 0));
	}
	NEED(!setresuid(0, 0, 0) && !setresgid(0, 0, 0));
	if (unshare(CLONE_NEWUSER) || map_self())
		ckpt_skip("user namespace: %s", strerror(errno));
	execl("/proc/self/exe", "target", "--scenario", "user_with",
	      !strcmp(ckpt_arg, "segment") ? text : "", NULL);
	NEED(!"execl");
}

SCENARIO(user_with)
{
	if (*ckpt_arg)
		NEED(shmat(atoi(ckpt_arg), NULL, 0) != (void *)-1);
	ckpt_point();
}

TEST_F(checkpoint, users_queue)
{
	RUN(.scenario = "enter_user_with", .arg = "queue", .flags = CLONE_NEWPID,
	    .save_error = -EOPNOTSUPP, .text = "without a number");
}

TEST_F(checkpoint, users_set)
{
	RUN(.scenario = "enter_user_with", .arg = "set", .flags = CLONE_NEWPID,
	    .save_error = -EOPNOTSUPP, .text = "without a number");
}

TEST_F(checkpoint, users_segment)
{
	RUN(.scenario = "enter_user_with", .arg = "segment",
	    .flags = CLONE_NEWPID, .save_error = -EOPNOTSUPP,
	    .text = "without a number");
}

TEST_F(checkpoint, users_posix_queue)
{
	RUN(.scenario = "enter_user_with", .arg = "posix",
	    .flags = CLONE_NEWPID, .save_error = -EOPNOTSUPP,
	    .text = "without a number");
}

/* --- time -------------------------------------------------------------------------------- */

SCENARIO(own_time)
{
	int64_t before = ckpt_now_ns(CLOCK_MONOTONIC), after;

	ckpt_point();
	after = ckpt_now_ns(CLOCK_MONOTONIC);
	/* What the restart's namespace says. */
	CHECK_SAY(after - before > -230LL * 1000000000 &&
		  after < before, "%lld, %lld", (long long)before,
		  (long long)after);
}

TEST_F(checkpoint, time_offsets)
{
	struct ckpt_rec_hdr *hdr;
	struct ckpt_namespaces *p;
	size_t len;
	char *image;

	RUN(.scenario = "own_time", .flags = CLONE_NEWTIME,
	    .restart_flags = CLONE_NEWTIME);
	image = ckpt_read_file(self->t.image, &len);
	ASSERT_NE(NULL, image);
	hdr = ckpt_find_record(image, len, CKPT_REC_NAMESPACES, 0);
	ASSERT_NE(NULL, hdr);
	p = (void *)(hdr + 1);
	EXPECT_EQ(CKPT_NS_TIME, p->own);
	EXPECT_EQ(1000, p->monotonic.sec);
	EXPECT_EQ(5, p->monotonic.nsec);
	EXPECT_EQ(100000, p->boottime.sec);
	EXPECT_EQ(7, p->boottime.nsec);
	free(image);
}

/* Saver and tree are in one together: the clocks in the header are those. */
static int same_time(struct ckpt_test *t)
{
	const struct ckpt_header *header;
	uint64_t before[2], after[2];
	struct ckpt_rec_hdr *hdr;
	size_t len;
	char *image;

	if (make(CLONE_NEWTIME, "monotonic 100000 0\nboottime 200000 0\n"))
		return CKPT_SKIPPED;
	before[0] = ckpt_now_ns(CLOCK_MONOTONIC);
	before[1] = ckpt_now_ns(CLOCK_BOOTTIME);
	image = ckpt_save_scenario(t, "idle", &len);
	after[0] = ckpt_now_ns(CLOCK_MONOTONIC);
	after[1] = ckpt_now_ns(CLOCK_BOOTTIME);
	hdr = image ? ckpt_find_record(image, len, CKPT_REC_HEADER, 0) : NULL;
	if (!hdr || ckpt_find_record(image, len, CKPT_REC_NAMESPACES, 0))
		return 1;
	header = (void *)(hdr + 1);
	if (header->monotonic_ns < before[0] || header->monotonic_ns > after[0])
		return ckpt_say("monotonic %llu, %llu to %llu",
				(unsigned long long)header->monotonic_ns,
				(unsigned long long)before[0],
				(unsigned long long)after[0]);
	if (header->boottime_ns < before[1] || header->boottime_ns > after[1])
		return 3;
	free(image);
	return 0;
}

TEST_F(checkpoint, time_of_the_saver)
{
	int ret;

	NOT_DRY();
	if (getuid())
		SKIP(return, "needs root");
	ret = ckpt_as_user(&self->t, 0, same_time);
	if (ret == CKPT_SKIPPED)
		SKIP(return, "no time namespaces");
	EXPECT_EQ(0, ret);
}

/* --- trees that are refused ------------------------------------------------------------- */

static void two(int flags, bool child_first)
{
	int sv[2];
	char c;

	NEED(!socketpair(AF_UNIX, SOCK_STREAM, 0, sv));
	if (!child_first)
		own(flags);
	ckpt_value[2] = fork();
	NEED(ckpt_value[2] >= 0);
	if (!ckpt_value[2]) {
		if (child_first)
			own(flags);
		NEED(write(sv[0], "x", 1) == 1);
		for (;;)
			pause();
	}
	NEED(read(sv[1], &c, 1) == 1);
	ckpt_point();
	kill(ckpt_value[2], SIGKILL);
}

static volatile int thread_is_there;

static void *other_thread(void *arg)
{
	own(CLONE_NEWUTS);
	thread_is_there = 1;
	for (;;)
		pause();
	return arg;
}

static void *idle_thread(void *arg)
{
	thread_is_there = 1;
	for (;;)
		pause();
	return arg;
}

SCENARIO(thread_uts)
{
	pthread_t thread;

	NEED(!pthread_create(&thread, NULL, other_thread, NULL));
	while (!thread_is_there)
		usleep(1000);
	ckpt_point();
}

TEST_F(checkpoint, spanning_threads)
{
	RUN(.scenario = "thread_uts", .save_error = -EOPNOTSUPP,
	    .text = "is in another uts namespace than the first process");
}

SCENARIO(child_uts)
{
	two(CLONE_NEWUTS, true);
}

SCENARIO(child_ipc)
{
	two(CLONE_NEWIPC, true);
}

SCENARIO(child_mounts)
{
	two(CLONE_NEWNS, true);
}

SCENARIO(child_cgroups)
{
	two(CLONE_NEWCGROUP, true);
}

TEST_F(checkpoint, spanning_uts)
{
	RUN(.scenario = "child_uts", .save_error = -EOPNOTSUPP,
	    .text = "is in another uts namespace than the first process");
}

TEST_F(checkpoint, spanning_ipc)
{
	RUN(.scenario = "child_ipc", .save_error = -EOPNOTSUPP,
	    .text = "is in another ipc namespace than the first process");
}

TEST_F(checkpoint, spanning_mounts)
{
	RUN(.scenario = "child_mounts", .save_error = -EOPNOTSUPP,
	    .text = "is in another mount namespace than the first process");
}

TEST_F(checkpoint, spanning_cgroups)
{
	RUN(.scenario = "child_cgroups", .save_error = -EOPNOTSUPP,
	    .text = "is in another cgroup namespace than the first process");
}

SCENARIO(parent_uts)
{
	pid_t other;

	own(CLONE_NEWUTS);
	other = fork();
	NEED(other >= 0);
	if (!other)
		for (;;)
			pause();
	two(0, false);
	kill(other, SIGKILL);
}

/* Only the child is to be saved; another one is in the namespace, too. */
TEST_F(checkpoint, shared_with_outside)
{
	pid_t pid, child;

	NOT_DRY();
	if (getuid())
		SKIP(return, "needs root");
	START(pid, parent_uts, NULL);
	child = ckpt_peek_value(pid, 2);
	EXPECT_EQ(-EBUSY, ckpt_checkpoint(&self->t, child, self->t.image, 0));
	EXPECT_TRUE(ckpt_reason(&self->t, EBUSY, "namespaces", -1, 0,
				"shares its uts namespace with process"))
		ckpt_show_log(&self->t);
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));
}

/* In the namespace that the tester has kept there for it. */
SCENARIO(enter_uts)
{
	if (enter(ckpt_arg, CLONE_NEWUTS))
		ckpt_skip("%s: %s", ckpt_arg, strerror(errno));
	ckpt_point();
}

/* The saver is in a pid namespace that does not have the other process. */
static int inside(struct ckpt_test *t)
{
	pid_t pid;
	long ret;

	/* Numbers are to be those of here. */
	if (unshare(CLONE_NEWNS) ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("proc", "/proc", "proc", 0, NULL))
		return 11;
	pid = ckpt_start(t, "enter_uts", want.arg);
	if (pid <= 0)
		return pid ? 12 : CKPT_SKIPPED;
	ret = ckpt_checkpoint(t, pid, t->image, 0);
	if (ret != -EBUSY ||
	    !ckpt_reason(t, EBUSY, "namespaces", -1, 0,
			 "shares its uts namespace with process 0 outside")) {
		ckpt_say("checkpoint gave %ld", ret);
		ckpt_show_log(t);
		return 13;
	}
	return ckpt_finish(t, pid) ? 14 : 0;
}

static int with_outsider(struct ckpt_test *t)
{
	char path[160], ns[64];
	pid_t other;
	int ret;

	other = fork();
	if (!other) {
		if (!unshare(CLONE_NEWUTS))
			for (;;)
				pause();
		_exit(1);
	}
	ckpt_remember(t, other);
	if (ckpt_wait_syscall(other, SYS_pause))
		return 1;
	snprintf(path, sizeof(path), "%s/uts", t->dir);
	snprintf(ns, sizeof(ns), "/proc/%d/ns/uts", other);
	if (unshare(CLONE_NEWNS) ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    ckpt_write_file(path, "") ||
	    mount(ns, path, NULL, MS_BIND, NULL) || unshare(CLONE_NEWPID))
		return 2;
	want.arg = path;
	ret = ckpt_as_user(t, 0, inside);
	return umount(path) || ckpt_kill(t, other) ? 3 : ret;
}

TEST_F(checkpoint, shared_with_unseen)
{
	int ret;

	NOT_DRY();
	if (getuid())
		SKIP(return, "needs root");
	ret = ckpt_as_user(&self->t, 0, with_outsider);
	if (ret == CKPT_SKIPPED)
		SKIP(return, "%s", self->t.why);
	EXPECT_EQ(0, ret);
}

/* --- bad images --------------------------------------------------------------------------- */

static char *altered_image;
static size_t altered_len;
static uint32_t altered_type;
static int altered_ns;

static int alter(struct ckpt_test *t)
{
	int tries = 0, alive;

	if (make(altered_ns, NULL))
		return 1;
	alive = ckpt_alter_records(t, altered_image, altered_len, altered_type,
				   &tries);
	if (alive < 0 || tries < 10)
		return 2;
	return ckpt_restart_raw(t, altered_image, altered_len) > 0 ? 0 : 3;
}

static const struct {
	const char *scenario;
	uint32_t type;
	int ns;
} alterations[] = {
	{ "own_uts", CKPT_REC_NAMESPACES, CLONE_NEWUTS },
	{ "has_ipc", CKPT_REC_NAMESPACES, CLONE_NEWIPC },
	{ "has_ipc", CKPT_REC_IPC_NS, CLONE_NEWIPC },
	{ "has_ipc", CKPT_REC_SYSV_SEM, CLONE_NEWIPC },
	{ "has_ipc", CKPT_REC_SYSV_MSG, CLONE_NEWIPC },
	{ "has_ipc", CKPT_REC_SYSV_TEXT, CLONE_NEWIPC },
};

/* Few, and gone with the namespace: others start with the same. */
SCENARIO(has_ipc)
{
	int set, queue;

	own(CLONE_NEWIPC);
	set = semget(0x11, 2, IPC_CREAT | 0600);
	NEED(set >= 0 && !sem_change(set, 1, 1, SEM_UNDO));
	queue = msgget(0x12, IPC_CREAT | 0600);
	NEED(queue >= 0);
	send_text(queue, 3, 10);
	ckpt_point();
	CHECK_EQ(1, semctl(set, 1, GETVAL));
	receive_text(queue, 3, 3, 10);
}

/*
 * What a restart has made stays in the namespace when its processes are killed;
 * so each one needs a new namespace.
 */
static int restart_once(struct ckpt_test *t)
{
	if (make(altered_ns, NULL))
		return 1;
	return ckpt_restart_raw(t, altered_image, altered_len) > 0 ? 0 : 3;
}

TEST_F(checkpoint, altered)
{
	unsigned int i;

	NOT_DRY();
	if (getuid())
		SKIP(return, "needs root");
	for (i = 0; i < ARRAY_SIZE(alterations); i++) {
		altered_type = alterations[i].type;
		altered_ns = alterations[i].ns;
		altered_image = ckpt_save_scenario(&self->t,
						   alterations[i].scenario,
						   &altered_len);
		ASSERT_NE(NULL, altered_image);
		/* Of IPC, what the first one has made is in the way. */
		if (ckpt_as_user(&self->t, 0, alter))
			EXPECT_EQ(CLONE_NEWIPC, altered_ns);
		EXPECT_EQ(0, ckpt_as_user(&self->t, 0, restart_once));
		free(altered_image);
	}
}

/* What counts is not the last one: there is but one. */
SCENARIO(two_threads)
{
	pthread_t thread;

	own(CLONE_NEWUTS);
	name_host();
	NEED(!pthread_create(&thread, NULL, idle_thread, NULL));
	while (!thread_is_there)
		usleep(1000);
	ckpt_point();
}

static int restart_two(struct ckpt_test *t)
{
	if (make(CLONE_NEWUTS, NULL))
		return 1;
	if (ckpt_restart_raw(t, altered_image, altered_len) != -EINVAL ||
	    !ckpt_reason(t, EINVAL, "namespaces", -1, 0,
			 "of a second thread")) {
		ckpt_show_log(t);
		return 2;
	}
	return 0;
}

TEST_F(checkpoint, two_records)
{
	struct ckpt_rec_hdr *first, *thread, *hdr;
	char *good, *end;
	size_t len, n;

	NOT_DRY();
	if (getuid())
		SKIP(return, "needs root");
	good = ckpt_save_scenario(&self->t, "two_threads", &len);
	ASSERT_NE(NULL, good);
	first = ckpt_find_record(good, len, CKPT_REC_NAMESPACES, 0);
	thread = ckpt_find_record(good, len, CKPT_REC_TASK, 1);
	ASSERT_NE(NULL, first);
	ASSERT_NE(NULL, thread);
	for (hdr = first; hdr->type != CKPT_REC_META_END;)
		hdr = (void *)((char *)hdr + ckpt_record_len(hdr));
	end = (char *)hdr;

	/* Pages are not where they belong then, but nobody comes to them. */
	n = ckpt_record_len(first);
	altered_len = len + n;
	altered_image = malloc(altered_len);
	memcpy(altered_image, good, end - good);
	memcpy(altered_image + (end - good), first, n);
	memcpy(altered_image + (end - good) + n, end, good + len - end);
	hdr = (void *)(altered_image + (end - good));
	hdr->objref = thread->objref;
	ckpt_mend_record(hdr);
	hdr = (void *)((char *)hdr + n);
	((struct ckpt_meta_end *)(hdr + 1))->nr_records++;
	ckpt_mend_record(hdr);
	EXPECT_EQ(0, ckpt_as_user(&self->t, 0, restart_two));
	free(altered_image);
	free(good);
}

TEST_HARNESS_MAIN
