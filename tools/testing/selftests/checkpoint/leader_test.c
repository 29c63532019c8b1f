// SPDX-License-Identifier: GPL-2.0
/*
 * Processes whose first thread has exited, while others live on.
 *
 * The memory of such a process is not to be had under its pid, so the two
 * sides talk by files in the directory of the target.
 */
#include "ckpt_test.h"
#include "ckpt_image.h"

#include <dirent.h>
#include <pthread.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/ipc.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/time.h>

#define THREADS		3
#define EXIT_CODE	5
#define LAST_CODE	6

static volatile int nr_there;
static pid_t pid, tids[THREADS];
static char *heap;
static int pipes[2];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static void (*prepare)(void);
static void (*check)(void);

static void wait_file(const char *name)
{
	while (access(name, F_OK))
		usleep(1000);
}

static void *thread(void *arg)
{
	long nr = (long)arg;
	char name[16];

	tids[nr] = gettid();
	sprintf(name, "thread%ld", nr);
	NEED(!prctl(PR_SET_NAME, name));
	__atomic_add_fetch(&nr_there, 1, __ATOMIC_SEQ_CST);
	if (nr) {
		char got[16] = "";

		wait_file("go");
		CHECK_EQ(tids[nr], gettid());
		CHECK(!prctl(PR_GET_NAME, got) && !strcmp(got, name));
		__atomic_sub_fetch(&nr_there, 1, __ATOMIC_SEQ_CST);
		syscall(SYS_exit, 0);
	}
	while (nr_there < THREADS)
		usleep(1000);
	if (prepare)
		prepare();
	ckpt_announce();
	wait_file("go");
	while (nr_there > 1)
		usleep(1000);
	CHECK_EQ(tids[0], gettid());
	CHECK_EQ(pid, getpid());
	CHECK(!strcmp(heap, "heap"));
	CHECK_EQ(1, write(pipes[1], "x", 1));
	CHECK_EQ(1, read(pipes[0], heap, 1));
	if (check)
		check();
	if (ckpt_arg && !strcmp(ckpt_arg, "alone"))
		syscall(SYS_exit, LAST_CODE);
	ckpt_target_end();
	return NULL;
}

/* Makes the threads, and exits when told. */
static void leave(void (*do_prepare)(void), void (*do_check)(void))
{
	pthread_t id;
	long i;

	prepare = do_prepare;
	check = do_check;
	pid = getpid();
	heap = malloc(8);
	strcpy(heap, "heap");
	NEED(!pipe(pipes));
	for (i = 0; i < THREADS; i++)
		NEED(!pthread_create(&id, NULL, thread, (void *)i));
	wait_file("leave");
	syscall(SYS_exit, EXIT_CODE);
}

static int make(struct ckpt_test *t, const char *name)
{
	char path[300];

	snprintf(path, sizeof(path), "%s/%s", t->run, name);
	return ckpt_write_file(path, "");
}

static int nr_threads(pid_t pid)
{
	struct dirent *d;
	char path[64];
	int nr = 0;
	DIR *dir;

	sprintf(path, "/proc/%d/task", pid);
	dir = opendir(path);
	while (dir && (d = readdir(dir)))
		nr += d->d_name[0] != '.';
	if (dir)
		closedir(dir);
	return nr;
}

/* A target whose first thread has exited, or 0, or -1. */
static pid_t start(struct ckpt_test *t, const char *scenario, const char *arg)
{
	pid_t pid = ckpt_start(t, scenario, arg);

	if (pid <= 0)
		return pid;
	if (make(t, "leave") || ckpt_wait_state(pid, 'Z'))
		return -1;
	return pid;
}

static int finish(struct ckpt_test *t, pid_t pid, int expected)
{
	int ret;

	if (make(t, "go"))
		return -1;
	ret = ckpt_wait(t, pid);
	return ret == expected ? 0 : ckpt_say("it ended with %d", ret);
}

static int roundtrip(struct ckpt_test *t, const char *scenario,
		     const char *arg, unsigned long flags, int expected)
{
	pid_t pid, again;

	/* It runs on after a checkpoint. */
	pid = start(t, scenario, arg);
	if (pid <= 0)
		return pid ? -1 : CKPT_SKIPPED;
	if (ckpt_checkpoint(t, pid, t->image, 0) <= 0 ||
	    finish(t, pid, expected))
		return ckpt_say("a checkpoint did harm");

	pid = start(t, scenario, arg);
	if (pid <= 0)
		return -1;
	if (ckpt_checkpoint(t, pid, t->image, 0) <= 0 || ckpt_kill(t, pid))
		return -1;
	again = ckpt_restart(t, t->image, flags);
	if (again <= 0)
		return -1;
	if (ckpt_wait_state(again, 'Z'))
		return -1;
	if (nr_threads(again) != THREADS + 1)
		return ckpt_say("%d threads", nr_threads(again));
	/* And a second time, from what came to be. */
	if (ckpt_checkpoint(t, again, t->image, 0) <= 0 ||
	    ckpt_kill(t, again))
		return -1;
	again = ckpt_restart(t, t->image, flags);
	if (again <= 0)
		return -1;
	return finish(t, again, expected);
}

#define LEADER(_name, _arg, _expected)					\
	TEST_F(checkpoint, _name)					\
	{								\
		NOT_DRY();						\
		OK_OR_SKIP(roundtrip(&self->t, #_name, _arg, 0,		\
				     _expected));			\
	}								\
	SCENARIO(_name)

LEADER(left, NULL, 0)
{
	leave(NULL, NULL);
}

/* No thread ends the process, the last one just exits. */
LEADER(last_thread, "alone", LAST_CODE)
{
	leave(NULL, NULL);
}

/* --- cgroups ------------------------------------------------------------------- */

#define CGROUP	"/sys/fs/cgroup/ckpt-left"

/* Is each thread that lives in there? */
static bool all_in(pid_t pid, const char *cgroup)
{
	char path[300], line[64], *text;
	bool ret = true;
	struct dirent *d;
	DIR *dir;

	snprintf(line, sizeof(line), "0::%s\n", cgroup);
	sprintf(path, "/proc/%d/task", pid);
	dir = opendir(path);
	while (dir && (d = readdir(dir))) {
		if (d->d_name[0] == '.' || atoi(d->d_name) == pid)
			continue;
		snprintf(path, sizeof(path), "/proc/%d/task/%s/cgroup", pid,
			 d->d_name);
		text = ckpt_read_file(path, NULL);
		if (!text || !strstr(text, line)) {
			ckpt_say("%s: %s", path, text);
			ret = false;
		}
		free(text);
	}
	if (dir)
		closedir(dir);
	return ret;
}

/* Who is left moves the process. */
TEST_F(checkpoint, cgroup)
{
	char text[16];
	pid_t pid;

	NOT_DRY();
	if (getuid())
		SKIP(return, "needs root");
	if (mkdir(CGROUP, 0755))
		SKIP(return, "no cgroup2: %s", strerror(errno));
	pid = ckpt_start(&self->t, "left", NULL);
	ASSERT_LT(0, pid);
	sprintf(text, "%d", pid);
	ASSERT_EQ(0, ckpt_write_file(CGROUP "/cgroup.procs", text));
	ASSERT_EQ(0, make(&self->t, "leave"));
	ASSERT_EQ(0, ckpt_wait_state(pid, 'Z'));
	EXPECT_TRUE(all_in(pid, "/ckpt-left"));
	ASSERT_LT(0, ckpt_checkpoint(&self->t, pid, self->t.image, 0));
	ASSERT_EQ(0, ckpt_kill(&self->t, pid));
	pid = ckpt_restart(&self->t, self->t.image, RESTART_CGROUPS);
	ASSERT_LT(0, pid);
	EXPECT_TRUE(all_in(pid, "/ckpt-left"));
	EXPECT_EQ(0, finish(&self->t, pid, 0));
	EXPECT_EQ(0, rmdir(CGROUP));
}

/* --- what belongs to the process ------------------------------------------------- */

static void take_signals(void)
{
	struct rlimit limit = { 77, 88 };
	struct itimerval timer = { .it_value.tv_sec = 1000 };
	union sigval value = { .sival_int = 4711 };

	NEED(!setrlimit(RLIMIT_NOFILE, &limit));
	NEED(!setitimer(ITIMER_REAL, &timer, NULL));
	NEED(!sigqueue(getpid(), SIGRTMIN, value));
	NEED(!kill(getpid(), SIGUSR1));
	NEED(!signal(SIGUSR2, SIG_IGN));
	NEED(!prctl(PR_SET_CHILD_SUBREAPER, 1));
	pthread_mutex_lock(&lock);
}

static void check_signals(void)
{
	struct timespec none = { 0 };
	struct itimerval timer;
	struct rlimit limit;
	siginfo_t info;
	sigset_t set;
	int reaper;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	CHECK_EQ(SIGRTMIN, sigtimedwait(&set, &info, &none));
	CHECK_EQ(4711, info.si_value.sival_int);
	CHECK_EQ(-1, sigtimedwait(&set, &info, &none));
	sigaddset(&set, SIGUSR1);
	CHECK_EQ(SIGUSR1, sigtimedwait(&set, &info, &none));
	CHECK_EQ(0, getrlimit(RLIMIT_NOFILE, &limit));
	CHECK_EQ(77, limit.rlim_cur);
	CHECK_EQ(88, limit.rlim_max);
	CHECK_EQ(0, getitimer(ITIMER_REAL, &timer));
	CHECK(timer.it_value.tv_sec > 500);
	CHECK(signal(SIGUSR2, SIG_DFL) == SIG_IGN);
	CHECK(!prctl(PR_GET_CHILD_SUBREAPER, &reaper) && reaper);
	CHECK_EQ(EBUSY, pthread_mutex_trylock(&lock));
	CHECK_EQ(0, pthread_mutex_unlock(&lock));
}

LEADER(process, NULL, 0)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	sigaddset(&set, SIGUSR1);
	NEED(!pthread_sigmask(SIG_BLOCK, &set, NULL));
	leave(take_signals, check_signals);
}

/* Operations to undo, of which the first thread has lost sight. */
static int sem;

static int change(int by)
{
	struct sembuf op = { .sem_op = by, .sem_flg = SEM_UNDO | IPC_NOWAIT };

	return semop(sem, &op, 1);
}

static void take_semaphore(void)
{
	NEED(!change(-1));
}

static void check_semaphore(void)
{
	CHECK_EQ(0, semctl(sem, 0, GETVAL));
	CHECK_EQ(0, change(1));
	CHECK_EQ(1, semctl(sem, 0, GETVAL));
	CHECK_EQ(0, change(-1));
}

SCENARIO(undo)
{
	sem = atoi(ckpt_arg);
	leave(take_semaphore, check_semaphore);
}

TEST_F(checkpoint, undo)
{
	int id = semget(IPC_PRIVATE, 1, 0600);
	char arg[16];

	NOT_DRY();
	ASSERT_LE(0, id);
	ASSERT_EQ(0, semctl(id, 0, SETVAL, 1));
	sprintf(arg, "%d", id);
	OK_OR_SKIP(roundtrip(&self->t, "undo", arg, 0, 0));
	/* And undone at the very end. */
	EXPECT_EQ(1, semctl(id, 0, GETVAL));
	EXPECT_EQ(0, semctl(id, 0, IPC_RMID));
}

/* Children of the threads. */
static pid_t child;

static void make_child(void)
{
	child = fork();
	NEED(child >= 0);
	if (!child) {
		wait_file("go");
		CHECK_EQ(pid, getppid());
		ckpt_target_end();
	}
}

static void check_child(void)
{
	int status;

	CHECK_EQ(child, waitpid(child, &status, 0));
	CHECK_EQ(0, status);
}

LEADER(with_child, NULL, 0)
{
	leave(make_child, check_child);
}

TEST_F(checkpoint, fresh_pids)
{
	pid_t pid, again;

	NOT_DRY();
	pid = start(&self->t, "left", NULL);
	ASSERT_LT(0, pid);
	ASSERT_LT(0, ckpt_checkpoint(&self->t, pid, self->t.image, 0));
	again = ckpt_restart(&self->t, self->t.image, RESTART_FRESH_PIDS);
	ASSERT_LT(0, again);
	EXPECT_EQ(0, ckpt_wait_state(again, 'Z'));
	EXPECT_EQ(THREADS + 1, nr_threads(again));
	ckpt_kill(&self->t, again);
	EXPECT_EQ(0, finish(&self->t, pid, 0));
}

TEST_F(checkpoint, killed_with_its_image)
{
	pid_t pid;

	NOT_DRY();
	pid = start(&self->t, "left", NULL);
	ASSERT_LT(0, pid);
	ASSERT_LT(0, ckpt_checkpoint(&self->t, pid, self->t.image,
				     CHECKPOINT_KILL));
	ASSERT_EQ(0, ckpt_reap(&self->t, pid));
	ASSERT_EQ(pid, ckpt_restart(&self->t, self->t.image, 0));
	EXPECT_EQ(0, finish(&self->t, pid, 0));
}

/* Stopped as a whole, and when it is made. */
TEST_F(checkpoint, stopped)
{
	struct ckpt_test *t = &self->t;
	pid_t pid;
	int status;

	NOT_DRY();
	pid = start(t, "left", NULL);
	ASSERT_LT(0, pid);
	ASSERT_EQ(0, kill(pid, SIGSTOP));
	ASSERT_EQ(pid, waitpid(pid, &status, WUNTRACED));
	ASSERT_TRUE(WIFSTOPPED(status));
	ASSERT_LT(0, ckpt_checkpoint(t, pid, t->image, 0));
	ASSERT_EQ(0, ckpt_kill(t, pid));
	ASSERT_EQ(pid, ckpt_restart(t, t->image, 0));
	EXPECT_EQ(pid, waitpid(pid, &status, WUNTRACED));
	EXPECT_TRUE(WIFSTOPPED(status));
	EXPECT_EQ(SIGSTOP, WSTOPSIG(status));
	EXPECT_EQ(0, make(t, "go"));
	EXPECT_EQ(0, kill(pid, SIGCONT));
	EXPECT_EQ(0, ckpt_wait(t, pid));

	pid = start(t, "left", NULL);
	ASSERT_LT(0, pid);
	ASSERT_LT(0, ckpt_checkpoint(t, pid, t->image, 0));
	ASSERT_EQ(0, ckpt_kill(t, pid));
	ASSERT_EQ(pid, ckpt_restart(t, t->image, RESTART_STOPPED));
	EXPECT_EQ(pid, waitpid(pid, &status, WUNTRACED));
	EXPECT_TRUE(WIFSTOPPED(status));
	EXPECT_EQ(0, kill(pid, SIGCONT));
	EXPECT_EQ(0, finish(t, pid, 0));
}

/* Images that lie about who has exited. */
TEST_F(checkpoint, hostile)
{
	struct ckpt_rec_hdr *hdr, *other;
	struct ckpt_task *task, good;
	struct ckpt_test *t = &self->t;
	char *image;
	size_t len;
	pid_t pid;

	NOT_DRY();
	pid = start(t, "left", NULL);
	ASSERT_LT(0, pid);
	ASSERT_LT(0, ckpt_checkpoint(t, pid, t->image, 0));
	ASSERT_EQ(0, ckpt_kill(t, pid));
	image = ckpt_read_file(t->image, &len);
	ASSERT_NE(NULL, image);
	hdr = ckpt_find_record(image, len, CKPT_REC_TASK, 0);
	other = ckpt_find_record(image, len, CKPT_REC_TASK, 1);
	ASSERT_NE(NULL, hdr);
	ASSERT_NE(NULL, other);
	task = (void *)(hdr + 1);
	good = *task;
	EXPECT_EQ(CKPT_TASK_EXITED, task->flags & (CKPT_TASK_EXITED |
						   CKPT_TASK_ZOMBIE));
	EXPECT_EQ(EXIT_CODE << 8, task->exit_code);
	EXPECT_EQ(0, task->mm);

	/* A zombie has no threads. */
	task->flags ^= CKPT_TASK_EXITED | CKPT_TASK_ZOMBIE;
	task->sighand = 0;
	task->exit_code = 0;
	ckpt_mend_record(hdr);
	EXPECT_EQ(-EINVAL, ckpt_restart_raw(t, image, len));
	/* It lives, but nothing of it is there, or stands too far behind. */
	*task = good;
	task->flags ^= CKPT_TASK_EXITED;
	task->exit_code = 0;
	task->mm = ((struct ckpt_task *)(other + 1))->mm;
	task->files = ((struct ckpt_task *)(other + 1))->files;
	task->fs = ((struct ckpt_task *)(other + 1))->fs;
	ckpt_mend_record(hdr);
	EXPECT_EQ(-EINVAL, ckpt_restart_raw(t, image, len));
	/* A thread cannot. */
	*task = good;
	ckpt_mend_record(hdr);
	task = (void *)(other + 1);
	task->flags |= CKPT_TASK_EXITED;
	ckpt_mend_record(other);
	EXPECT_EQ(-EINVAL, ckpt_restart_raw(t, image, len));
	task->flags = 0;
	ckpt_mend_record(other);
	EXPECT_LT(0, ckpt_restart_raw(t, image, len));
	free(image);
}

TEST_HARNESS_MAIN
