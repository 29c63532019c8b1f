// SPDX-License-Identifier: GPL-2.0
/*
 * What checkpoint and restart cost, against what the same kernel takes for
 * moving as many bytes, or making as many processes, by other means; and
 * against criu, where it works.
 *
 * Every figure is a median of several runs, all of them in one boot. Under
 * QEMU's icount a nanosecond is an instruction. A baseline that fails ends the
 * program. Each restarted process looks whether its memory is what it was.
 *
 * The table goes to the standard output; JSON to the file that $BENCH_JSON
 * names, or to descriptor $BENCH_JSON_FD. $BENCH_RUNS: 5 or more. $BENCH_ONLY:
 * a part of the names of those groups that are wanted.
 */
#define CKPT_TEST_NO_HARNESS
#include "ckpt_test.h"

#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/utsname.h>

#define KB		1024UL
#define MB		(1024 * KB)
#define PAGE		4096UL
#define MAX_RUNS	51
#define MAX_ROWS	300

#define RW		(PROT_READ | PROT_WRITE)
#define ANON		(MAP_PRIVATE | MAP_ANONYMOUS)

static struct ckpt_test test;
static int nr_runs = 5;

/* --- figures -------------------------------------------------------------- */

struct row {
	char name[64];
	size_t bytes;
	int runs;
	double median, min, max;
};

struct ratio {
	char name[80];
	const struct row *ours, *other;
	double value, must, goal;
};

static struct row rows[MAX_ROWS];
static struct ratio ratios[MAX_ROWS];
static int nr_rows, nr_ratios;

static void __attribute__((noreturn, format(printf, 1, 2)))
fail(const char *format, ...)
{
	va_list args;

	printf("bench: ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf(": %s\n", strerror(errno));
	ckpt_show_log(&test);
	ckpt_test_fini(&test);
	exit(1);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static const struct row *record(double *values, int n, size_t bytes,
				const char *format, ...)
{
	struct row *row = &rows[nr_rows];
	va_list args;

	if (nr_rows++ == MAX_ROWS)
		fail("too many rows");
	va_start(args, format);
	vsnprintf(row->name, sizeof(row->name), format, args);
	va_end(args);
	qsort(values, n, sizeof(*values), by_value);
	row->bytes = bytes;
	row->runs = n;
	row->median = n % 2 ? values[n / 2] :
			      (values[n / 2 - 1] + values[n / 2]) / 2;
	row->min = values[0];
	row->max = values[n - 1];
	printf("  %-54s %11.3f %11.3f %11.3f", row->name, row->median / 1e6,
	       row->min / 1e6, row->max / 1e6);
	if (bytes)
		printf(" %9.0f", row->median / (bytes / (double)PAGE));
	printf("\n");
	fflush(stdout);
	return row;
}

static void add_ratio(const char *name, const struct row *ours,
		      const struct row *other, double value, double must,
		      double goal)
{
	struct ratio *ratio = &ratios[nr_ratios];

	if (nr_ratios++ == MAX_ROWS)
		fail("too many ratios");
	snprintf(ratio->name, sizeof(ratio->name), "%s", name);
	ratio->ours = ours;
	ratio->other = other;
	ratio->value = value;
	ratio->must = must;
	ratio->goal = goal;
}

/* How many times as fast is ours? */
static void compare(const char *name, const struct row *ours,
		    const struct row *other, double must, double goal)
{
	if (ours && other)
		add_ratio(name, ours, other, other->median / ours->median, must,
			  goal);
}

/* Does so many times as much take no more than so many times as long? */
static void is_linear(const char *name, const struct row *large,
		      const struct row *small, double times)
{
	if (large && small)
		add_ratio(name, large, small,
			  times * small->median / large->median, 1 / 1.05, 1);
}

static double now(void)
{
	return ckpt_now_ns(CLOCK_MONOTONIC);
}

static double my_cpu(void)
{
	return ckpt_now_ns(CLOCK_THREAD_CPUTIME_ID);
}

/* --- targets -------------------------------------------------------------- */

static volatile sig_atomic_t told;

static void on_signal(int sig)
{
	told = sig;
}

static void sleep_until_told(void)
{
	sigset_t none;

	sigemptyset(&none);
	while (!told)
		sigsuspend(&none);
}

static void expect_signal(void)
{
	struct sigaction action = { .sa_handler = on_signal };
	sigset_t block;

	sigemptyset(&block);
	sigaddset(&block, SIGUSR1);
	NEED(!sigprocmask(SIG_BLOCK, &block, NULL));
	NEED(!sigaction(SIGUSR1, &action, NULL));
}

static void *need_map(size_t size, int flags, int fd)
{
	void *mem = mmap(NULL, size, RW, flags, fd, 0);

	NEED(mem != MAP_FAILED);
	return mem;
}

/* Distinct words, cheap to make and to check. */
static void fill(void *mem, size_t size)
{
	uint64_t *words = mem, i;

	for (i = 0; i < size / 8; i++)
		words[i] = (i + 1) * 0x9e3779b97f4a7c15ULL;
}

static bool is_filled(const void *mem, size_t size)
{
	const uint64_t *words = mem;
	uint64_t i, bad = 0;

	for (i = 0; i < size / 8; i++)
		bad |= words[i] ^ (i + 1) * 0x9e3779b97f4a7c15ULL;
	return !bad;
}

/* Sleeps until told, then looks, and ends. The argument: kind and bytes. */
SCENARIO(memory)
{
	size_t size, filled;
	char kind = ckpt_arg[0];
	char *mem;
	int fd = -1;
	long sum = 0;

	size = strtoul(ckpt_arg + 1, NULL, 10);
	filled = size;
	switch (kind) {
	case 'h':	/* huge pages */
		mem = need_map(size + 2 * MB, ANON, -1);
		mem = (char *)(((unsigned long)mem + 2 * MB - 1) & -(2 * MB));
		NEED(!madvise(mem, size, MADV_HUGEPAGE));
		break;
	case 's':	/* shared */
		mem = need_map(size, MAP_SHARED | MAP_ANONYMOUS, -1);
		break;
	default:
		mem = need_map(size, ANON, -1);
		NEED(!madvise(mem, size, MADV_NOHUGEPAGE));
	}
	if (kind == 'z') {	/* nine tenths zero pages and clean file pages */
		volatile char *file;
		size_t at;

		filled = size / 10 & -PAGE;
		NEED((fd = open("file", O_RDWR | O_CREAT, 0600)) >= 0);
		NEED(!ftruncate(fd, size / 2));
		fill(mem, filled);
		for (at = 0; at < size / 2; at += filled)
			NEED(pwrite(fd, mem, filled, at) > 0);
		NEED(!ftruncate(fd, size / 2));
		NEED(!munmap(mem + size / 2, size / 2));
		file = mmap(NULL, size / 2, PROT_READ, MAP_PRIVATE, fd, 0);
		NEED(file != MAP_FAILED);
		for (at = filled; at < size / 2; at += PAGE)
			sum += mem[at];
		for (at = 0; at < size / 2; at += PAGE)
			sum += file[at];
	}
	fill(mem, filled);
	ckpt_value[0] = sum;

	expect_signal();
	ckpt_announce();
	sleep_until_told();
	CHECK(is_filled(mem, filled));
	CHECK_EQ(0, lseek(0, 0, SEEK_CUR));
}

/* A root with children, all with as much memory. The argument: tasks, bytes. */
SCENARIO(tree)
{
	char *mem, *end;
	int nr = strtol(ckpt_arg, &end, 10), i, status;
	size_t size = strtoul(end, NULL, 10);
	volatile int *ready = need_map(PAGE, MAP_SHARED | MAP_ANONYMOUS, -1);
	pid_t *pids = need_map(nr * sizeof(*pids), ANON, -1);

	mem = need_map(size, ANON, -1);
	NEED(!madvise(mem, size, MADV_NOHUGEPAGE));
	expect_signal();
	for (i = 1; i < nr; i++) {
		pids[i] = fork();
		NEED(pids[i] >= 0);
		if (!pids[i]) {
			fill(mem, size);
			__atomic_add_fetch(ready, 1, __ATOMIC_SEQ_CST);
			sleep_until_told();
			_exit(is_filled(mem, size) ? 0 : 1);
		}
	}
	fill(mem, size);
	while (*ready < nr - 1)
		usleep(1000);
	ckpt_announce();
	sleep_until_told();
	for (i = 1; i < nr; i++)
		CHECK(!kill(pids[i], SIGUSR1));
	for (i = 1; i < nr; i++) {
		CHECK_EQ(pids[i], waitpid(pids[i], &status, 0));
		CHECK_EQ(0, status);
	}
	CHECK(is_filled(mem, size));
}

static volatile int nr_waiting;
static pthread_mutex_t door = PTHREAD_MUTEX_INITIALIZER;

static void *wait_at_door(void *arg)
{
	__atomic_add_fetch(&nr_waiting, 1, __ATOMIC_SEQ_CST);
	pthread_mutex_lock(&door);
	pthread_mutex_unlock(&door);
	return arg;
}

/* The argument: how many. */
SCENARIO(threads)
{
	int nr = atoi(ckpt_arg), i;
	pthread_t *others = need_map(nr * sizeof(*others), ANON, -1);
	pthread_attr_t attr;
	void *ret;

	expect_signal();
	NEED(!pthread_attr_init(&attr));
	NEED(!pthread_attr_setstacksize(&attr, 64 * KB));
	pthread_mutex_lock(&door);
	for (i = 1; i < nr; i++)
		NEED(!pthread_create(&others[i], &attr, wait_at_door,
				     (void *)(long)i));
	while (nr_waiting < nr - 1)
		usleep(1000);
	ckpt_announce();
	sleep_until_told();
	pthread_mutex_unlock(&door);
	for (i = 1; i < nr; i++) {
		CHECK_EQ(0, pthread_join(others[i], &ret));
		CHECK_EQ(i, (long)ret);
	}
}

struct target {
	const char *scenario;
	char arg[32];
	size_t size;		/* of its memory, 0: that does not matter */
};

static struct target memory_target(char kind, size_t size)
{
	struct target target = { "memory", .size = size };

	snprintf(target.arg, sizeof(target.arg), "%c%zu", kind, size);
	return target;
}

static pid_t start_target(const struct target *target)
{
	pid_t pid;

	pid = ckpt_start(&test, target->scenario, target->arg);
	if (pid <= 0 || ckpt_wait_syscall(pid, SYS_rt_sigsuspend))
		fail("no target");
	return pid;
}

/* The target finds its memory right, or the benchmark ends. */
static void end_target(pid_t pid)
{
	if (kill(pid, SIGUSR1) || ckpt_wait(&test, pid))
		fail("the target is not what it was");
}

static void kill_target(pid_t pid)
{
	if (ckpt_kill(&test, pid))
		fail("kill");
}

static int open_new(const char *path)
{
	int fd;

	unlink(path);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		fail("%s", path);
	return fd;
}

/* --- baselines ---------------------------------------------------------------- */

static void write_all(int fd, const char *mem, size_t size)
{
	size_t done, part;

	for (done = 0; done < size; done += part) {
		part = size - done < 4 * MB ? size - done : 4 * MB;
		if (write(fd, mem + done, part) != (ssize_t)part)
			fail("write");
	}
}

static void read_all(int fd, char *mem, size_t size)
{
	size_t done;
	ssize_t got;

	for (done = 0; done < size; done += got) {
		got = read(fd, mem + done,
			   size - done < 4 * MB ? size - done : 4 * MB);
		if (got <= 0)
			fail("read");
	}
}

/* A reader that takes all there is in a pipe; returns its pid. */
static pid_t drain(int pair[2])
{
	static char buf[MB];
	pid_t pid;

	if (pipe2(pair, O_CLOEXEC))
		fail("pipe");
	/* As large as one may have, for both sides of the comparison. */
	fcntl(pair[1], F_SETPIPE_SZ, MB);
	fflush(stdout);
	pid = fork();
	if (pid < 0)
		fail("fork");
	if (!pid) {
		close(pair[1]);
		while (read(pair[0], buf, sizeof(buf)) > 0)
			;
		_exit(0);
	}
	close(pair[0]);
	return pid;
}

static void drained(int pair[2], pid_t pid)
{
	int status;

	close(pair[1]);
	if (waitpid(pid, &status, 0) != pid || status)
		fail("the reader of the pipe ended with %#x", status);
}

struct baselines {
	const struct row *write_new, *write_again, *write_pipe;
	const struct row *read_warm, *read_fresh, *fork, *exec;
};

static void measure_baselines(struct baselines *b, size_t size)
{
	double t[MAX_RUNS], start;
	char path[200];
	char *mem, *fresh;
	int i, fd, pair[2], status;
	pid_t pid;

	snprintf(path, sizeof(path), "%s/baseline", test.dir);
	mem = mmap(NULL, size, RW, ANON, -1, 0);
	if (mem == MAP_FAILED)
		fail("mmap");
	madvise(mem, size, MADV_NOHUGEPAGE);
	fill(mem, size);

	for (i = 0; i < nr_runs; i++) {
		fd = open_new(path);
		start = now();
		write_all(fd, mem, size);
		t[i] = now() - start;
		close(fd);
	}
	b->write_new = record(t, i, size, "write(2), new tmpfs file");

	fd = open(path, O_RDWR | O_CLOEXEC);
	for (i = 0; i < nr_runs; i++) {
		lseek(fd, 0, SEEK_SET);
		start = now();
		write_all(fd, mem, size);
		t[i] = now() - start;
	}
	b->write_again = record(t, i, size, "write(2), over a tmpfs file");

	for (i = 0; i < nr_runs; i++) {
		lseek(fd, 0, SEEK_SET);
		start = now();
		read_all(fd, mem, size);
		t[i] = now() - start;
	}
	b->read_warm = record(t, i, size, "read(2), into touched memory");

	for (i = 0; i < nr_runs; i++) {
		lseek(fd, 0, SEEK_SET);
		start = now();
		fresh = mmap(NULL, size, RW, ANON, -1, 0);
		if (fresh == MAP_FAILED)
			fail("mmap");
		madvise(fresh, size, MADV_NOHUGEPAGE);
		read_all(fd, fresh, size);
		t[i] = now() - start;
		munmap(fresh, size);
	}
	b->read_fresh = record(t, i, size, "read(2), into fresh memory");
	close(fd);
	unlink(path);

	for (i = 0; i < nr_runs; i++) {
		pid = drain(pair);
		start = my_cpu();
		write_all(pair[1], mem, size);
		t[i] = my_cpu() - start;
		drained(pair, pid);
	}
	b->write_pipe = record(t, i, size, "write(2), pipe, producer's cpu time");

	for (i = 0; i < nr_runs; i++) {
		start = now();
		pid = fork();
		if (!pid)
			_exit(0);
		if (pid < 0 || waitpid(pid, &status, 0) != pid)
			fail("fork");
		t[i] = now() - start;
	}
	b->fork = record(t, i, size, "fork(2), exit, wait");
	munmap(mem, size);
}

static const struct row *measure_exec(void)
{
	char *argv[] = { "tiny_target", "exit", NULL }, *envp[] = { NULL };
	double t[MAX_RUNS], start;
	char exe[PATH_MAX];
	int i, status;
	ssize_t len;
	pid_t pid;

	len = readlink("/proc/self/exe", exe, sizeof(exe) - 20);
	if (len < 0)
		fail("/proc/self/exe");
	exe[len] = '\0';
	memcpy(strrchr(exe, '/') + 1, "tiny_target", 12);
	for (i = 0; i < nr_runs; i++) {
		start = now();
		pid = vfork();
		if (!pid) {
			execve(exe, argv, envp);
			_exit(1);
		}
		if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
			fail("%s", exe);
		t[i] = now() - start;
	}
	return record(t, i, 0, "vfork(2), exec of a small static program, exit");
}

/* --- ours -------------------------------------------------------------------------- */

struct ours {
	const struct row *file_new, *file_again, *pipe, *restart;
	long image;
};

static void save(pid_t pid, int fd)
{
	long ret = ckpt_sys_checkpoint(pid, fd, 0);

	if (ret > 0)
		return;
	errno = -ret;
	ckpt_checkpoint(&test, pid, test.other, 0);
	fail("checkpoint");
}

static pid_t bring_back(int fd)
{
	long ret;

	lseek(fd, 0, SEEK_SET);
	ret = ckpt_sys_restart(0, fd, 0);
	if (ret > 0) {
		ckpt_remember(&test, ret);
		return ret;
	}
	errno = -ret;
	ckpt_restart(&test, test.image, 0);
	fail("restart");
}

static void measure_target(struct ours *o, const struct target *target,
			   const char *what)
{
	double t[MAX_RUNS], start;
	size_t size = target->size;
	int i, fd, pair[2];
	pid_t pid, reader;

	pid = start_target(target);
	for (i = 0; i < nr_runs; i++) {
		fd = open_new(test.image);
		start = now();
		save(pid, fd);
		t[i] = now() - start;
		close(fd);
	}
	o->image = ckpt_file_size(test.image);
	o->file_new = record(t, i, size, "checkpoint, new tmpfs file%s", what);

	fd = open(test.image, O_RDWR | O_CLOEXEC);
	for (i = 0; i < nr_runs; i++) {
		lseek(fd, 0, SEEK_SET);
		start = now();
		save(pid, fd);
		t[i] = now() - start;
	}
	o->file_again = record(t, i, size, "checkpoint, over a tmpfs file%s", what);

	for (i = 0; i < nr_runs; i++) {
		reader = drain(pair);
		start = my_cpu();
		save(pid, pair[1]);
		t[i] = my_cpu() - start;
		drained(pair, reader);
	}
	o->pipe = record(t, i, size, "checkpoint, pipe, producer's cpu time%s",
			 what);

	kill_target(pid);
	for (i = 0; i < nr_runs; i++) {
		start = now();
		pid = bring_back(fd);
		t[i] = now() - start;
		end_target(pid);
	}
	o->restart = record(t, i, size, "restart from a tmpfs file%s", what);
	close(fd);
	unlink(test.image);
}

static void measure_ours(struct ours *o, char kind, size_t size,
			 const char *what)
{
	struct target target = memory_target(kind, size);

	measure_target(o, &target, what);
}

/* --- criu ----------------------------------------------------------------------------- */

static const char *criu_why;

static int run(char *const argv[], const char *log)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = vfork();
	if (!pid) {
		int fd = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0600);

		dup2(fd, 1);
		dup2(fd, 2);
		execvp(argv[0], argv);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	return status;
}

static bool have_criu(void)
{
	char *check[] = { "criu", "check", NULL };
	char log[200];
	int status;

	if (criu_why)
		return !*criu_why;
	snprintf(log, sizeof(log), "%s/criu.log", test.dir);
	status = run(check, log);
	if (!status)
		criu_why = "";
	else if (status == 127 << 8)
		criu_why = "is not there";
	else
		criu_why = "does not work here ('criu check')";
	return !*criu_why;
}

struct criu {
	const struct row *dump, *restore;
};

static void criu_failed(const char *why, const char *dir, const char *log)
{
	char path[300], *text;

	criu_why = why;
	snprintf(path, sizeof(path), "%s/%s", dir, log);
	text = ckpt_read_file(path, NULL);
	printf("  criu %s:\n%s", why, text ?: "");
	free(text);
}

/*
 * With the images on the same tmpfs. Both include the start of criu, which is
 * what its user waits for too. Without a target it is the small program.
 */
static bool measure_criu(struct criu *c, const struct target *target)
{
	char dir[200], log[240], pid_text[16];
	double dump[MAX_RUNS], restore[MAX_RUNS], start;
	char *dump_argv[] = { "criu", "dump", "-t", pid_text, "-D", dir,
			      "-o", "dump.log", "-v0", NULL };
	char *restore_argv[] = { "criu", "restore", "-D", dir, "-d", "-o",
				 "restore.log", "-v0", NULL };
	int i, status;
	pid_t pid;

	if (!have_criu())
		return false;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	snprintf(dir, sizeof(dir), "%s/criu", test.dir);
	snprintf(log, sizeof(log), "%s/criu.log", test.dir);
	for (i = 0; i < nr_runs; i++) {
		mkdir(dir, 0700);
		pid = target ? start_target(target) :
			       ckpt_start_tiny(&test, NULL);
		snprintf(pid_text, sizeof(pid_text), "%d", pid);
		start = now();
		status = run(dump_argv, log);
		dump[i] = now() - start;
		if (status) {
			ckpt_kill(&test, pid);
			criu_failed("cannot dump here", dir, "dump.log");
			return false;
		}
		/* It has killed all of the tree, which is ours by now. */
		while (waitpid(-1, &status, 0) > 0)
			;
		ckpt_forget(&test, pid);
		start = now();
		status = run(restore_argv, log);
		restore[i] = now() - start;
		if (status) {
			criu_failed("cannot restore here", dir, "restore.log");
			return false;
		}
		ckpt_remember(&test, pid);
		if (!target) {
			if (ckpt_go_tiny(pid) ||
			    ckpt_wait(&test, pid) != TINY_STATUS)
				fail("criu's process is not what it was");
		} else {
			end_target(pid);
		}
	}
	c->dump = record(dump, i, target ? target->size : 0, "criu dump");
	c->restore = record(restore, i, target ? target->size : 0,
			    "criu restore");
	return true;
}

/* --- groups --------------------------------------------------------------------------------- */

static bool wanted(const char *group)
{
	const char *only = getenv("BENCH_ONLY");

	if (only && !strstr(group, only))
		return false;
	printf("\n%s\n  %-54s %11s %11s %11s %9s\n", group, "", "median ms",
	       "min", "max", "ns/page");
	return true;
}

static void group_size(size_t size, double criu_dump, double criu_restore)
{
	struct target target = memory_target('p', size);
	struct baselines b;
	struct criu c = {};
	struct ours o;
	char name[80];
	int mb = size / MB;

	snprintf(name, sizeof(name), "%d MB of private memory", mb);
	if (!wanted(name))
		return;
	measure_baselines(&b, size);
	measure_ours(&o, 'p', size, "");
	measure_criu(&c, &target);
	snprintf(name, sizeof(name), "%d MB: checkpoint to a new file / write", mb);
	compare(name, o.file_new, b.write_new, 0.8, 0.95);
	snprintf(name, sizeof(name), "%d MB: checkpoint over a file / write", mb);
	compare(name, o.file_again, b.write_again, 0.8, 0.95);
	snprintf(name, sizeof(name), "%d MB: checkpoint into a pipe / write", mb);
	compare(name, o.pipe, b.write_pipe, 1, 2);
	snprintf(name, sizeof(name), "%d MB: restart / read, touched memory", mb);
	compare(name, o.restart, b.read_warm, 0.8, 0.95);
	snprintf(name, sizeof(name), "%d MB: restart / read, fresh memory", mb);
	compare(name, o.restart, b.read_fresh, 0, 0);
	snprintf(name, sizeof(name), "%d MB: restart / fork", mb);
	compare(name, o.restart, b.fork, 0, 0);
	snprintf(name, sizeof(name), "%d MB: checkpoint / criu dump", mb);
	compare(name, o.file_new, c.dump, criu_dump, criu_dump);
	snprintf(name, sizeof(name), "%d MB: restart / criu restore", mb);
	compare(name, o.restart, c.restore, criu_restore, criu_restore);
}

/*
 * As many processes of as much memory, which they share with their parent. As
 * after a restart all of them run when the time is taken.
 */
static const struct row *measure_forks(int nr, size_t size)
{
	double t[MAX_RUNS], start;
	volatile int *running;
	int i, k, status;
	pid_t *pids;
	char *mem;

	pids = calloc(nr, sizeof(*pids));
	mem = mmap(NULL, size, RW, ANON, -1, 0);
	running = mmap(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (!pids || mem == MAP_FAILED || running == MAP_FAILED)
		fail("no memory");
	madvise(mem, size, MADV_NOHUGEPAGE);
	fill(mem, size);
	for (i = 0; i < nr_runs; i++) {
		*running = 0;
		start = now();
		for (k = 0; k < nr; k++) {
			pids[k] = fork();
			if (pids[k] < 0)
				fail("fork");
			if (pids[k])
				continue;
			__atomic_add_fetch(running, 1, __ATOMIC_SEQ_CST);
			for (;;)
				pause();
		}
		while (*running < nr)
			sched_yield();
		t[i] = now() - start;
		for (k = 0; k < nr; k++) {
			if (kill(pids[k], SIGKILL) ||
			    waitpid(pids[k], &status, 0) != pids[k])
				fail("wait");
		}
	}
	munmap((void *)running, PAGE);
	munmap(mem, size);
	free(pids);
	return record(t, i, nr * size, "fork(2), %d times, and all run", nr);
}

/* The must and the goal for 100 are those of all sizes. */
static void group_tree(struct ours *o, int nr)
{
	struct target target = { "tree", .size = nr * MB };
	const struct row *forks;
	struct criu c = {};
	char name[80];

	snprintf(name, sizeof(name), "a tree of %d processes of 1 MB", nr);
	if (!wanted(name))
		return;
	snprintf(target.arg, sizeof(target.arg), "%d %lu", nr, MB);
	forks = measure_forks(nr, MB);
	measure_target(o, &target, "");
	measure_criu(&c, &target);
	snprintf(name, sizeof(name), "%d processes: checkpoint / criu dump", nr);
	compare(name, o->file_new, c.dump, 2, 2.5);
	snprintf(name, sizeof(name), "%d processes: restart / criu restore", nr);
	compare(name, o->restart, c.restore, 4, 6);
	snprintf(name, sizeof(name), "%d processes: restart / fork", nr);
	compare(name, o->restart, forks, 0, 0);
}

/* Tasks without much memory, where it is the task that counts. */
static void group_small_tree(struct ours *o, int nr)
{
	struct target target = { "tree" };
	const struct row *forks;
	char name[80];

	snprintf(name, sizeof(name), "a tree of %d small processes", nr);
	if (!wanted(name))
		return;
	snprintf(target.arg, sizeof(target.arg), "%d %lu", nr, PAGE);
	forks = measure_forks(nr, PAGE);
	measure_target(o, &target, "");
	snprintf(name, sizeof(name), "%d small processes: checkpoint / fork", nr);
	compare(name, o->file_new, forks, 1, 2);
	snprintf(name, sizeof(name), "%d small processes: restart / fork", nr);
	compare(name, o->restart, forks, 1, 2);
}

static void group_threads(struct ours *o, int nr)
{
	struct target target = { "threads" };
	struct criu c = {};
	char name[80];

	snprintf(name, sizeof(name), "%d threads", nr);
	if (!wanted(name))
		return;
	snprintf(target.arg, sizeof(target.arg), "%d", nr);
	measure_target(o, &target, "");
	measure_criu(&c, &target);
	snprintf(name, sizeof(name), "%d threads: checkpoint / criu dump", nr);
	compare(name, o->file_new, c.dump, 10, 20);
	snprintf(name, sizeof(name), "%d threads: restart / criu restore", nr);
	compare(name, o->restart, c.restore, 10, 20);
}

static void group_trees(void)
{
	static const int sizes[] = { 1, 10, 100, 400 };
	static const int counts[] = { 1, 10, 100, 1000 };
	struct ours trees[4] = {}, small[4] = {}, threads[4] = {};
	int i;

	for (i = 0; i < 4; i++)
		group_tree(&trees[i], sizes[i]);
	for (i = 0; i < 4; i++)
		group_small_tree(&small[i], sizes[i]);
	for (i = 0; i < 4; i++)
		group_threads(&threads[i], counts[i]);
	is_linear("checkpoint of 400 processes, linear from 10",
		  trees[3].file_new, trees[1].file_new, 40);
	is_linear("restart of 400 processes, linear from 10", trees[3].restart,
		  trees[1].restart, 40);
	is_linear("checkpoint of 400 small processes, linear from 10",
		  small[3].file_new, small[1].file_new, 40);
	is_linear("restart of 400 small processes, linear from 10",
		  small[3].restart, small[1].restart, 40);
	is_linear("checkpoint of 1000 threads, linear from 10",
		  threads[3].file_new, threads[1].file_new, 100);
	is_linear("restart of 1000 threads, linear from 10", threads[3].restart,
		  threads[1].restart, 100);
}

/* Kinds of memory that are easier, or harder. */
static void group_kinds(size_t size)
{
	struct baselines b;
	struct ours o;

	if (!wanted("64 MB of other memory"))
		return;
	measure_baselines(&b, size);
	measure_ours(&o, 'z', size, ", 90 % zero or clean");
	compare("64 MB, 90 % zero or clean: checkpoint / write", o.file_new,
		b.write_new, 0, 10);
	compare("64 MB, 90 % zero or clean: restart / read", o.restart,
		b.read_warm, 0, 10);
	measure_ours(&o, 'h', size, ", huge pages");
	compare("64 MB, huge pages: checkpoint / write", o.file_new,
		b.write_new, 0, 0);
	compare("64 MB, huge pages: restart / read", o.restart, b.read_warm, 0, 0);
	measure_ours(&o, 's', size, ", shared");
	compare("64 MB, shared: checkpoint / write", o.file_new, b.write_new,
		0, 0);
	compare("64 MB, shared: restart / read", o.restart, b.read_warm, 0, 0);
}

static void group_tiny(void)
{
	double t[MAX_RUNS], start;
	const struct row *exec, *saved, *back;
	struct criu c = {};
	pid_t pid;
	int i, fd;

	if (!wanted("a small static program"))
		return;
	exec = measure_exec();
	pid = ckpt_start_tiny(&test, NULL);
	if (pid <= 0)
		fail("tiny_target");
	for (i = 0; i < nr_runs; i++) {
		fd = open_new(test.image);
		start = now();
		save(pid, fd);
		t[i] = now() - start;
		close(fd);
	}
	saved = record(t, i, 0, "checkpoint, new tmpfs file");
	printf("  (an image of %ld bytes)\n", ckpt_file_size(test.image));
	kill_target(pid);
	fd = open(test.image, O_RDONLY | O_CLOEXEC);
	for (i = 0; i < nr_runs; i++) {
		start = now();
		pid = bring_back(fd);
		t[i] = now() - start;
		if (ckpt_go_tiny(pid) || ckpt_wait(&test, pid) != TINY_STATUS)
			fail("it is not what it was");
	}
	back = record(t, i, 0, "restart from a tmpfs file");
	close(fd);
	unlink(test.image);
	measure_criu(&c, NULL);
	compare("small: restart / vfork and exec", back, exec, 0, 0);
	compare("small: checkpoint / criu dump", saved, c.dump, 15, 30);
	compare("small: restart / criu restore", back, c.restore, 15, 30);
}

/* --- results ---------------------------------------------------------------------------------- */

static void print_ratios(void)
{
	int i;

	printf("\nhow many times as fast as the other\n  %-48s %8s %8s %8s\n",
	       "", "ratio", "must", "goal");
	for (i = 0; i < nr_ratios; i++) {
		const struct ratio *r = &ratios[i];
		const char *verdict = "";

		printf("  %-48s %8.2f", r->name, r->value);
		if (r->must || r->goal) {
			verdict = r->value < r->must ? "missed" :
				  r->value < r->goal ? "reached" : "goal";
			printf(" %8.2f %8.2f  %s", r->must, r->goal, verdict);
		}
		printf("\n");
	}
}

static void print_json(FILE *out)
{
	const char *flavour = getenv("FLAVOUR");
	struct utsname uts;
	int i;

	uname(&uts);
	fprintf(out, "{\n  \"kernel\": \"%s\",\n  \"runs\": %d,\n", uts.release,
		nr_runs);
	fprintf(out, "  \"unit\": \"ns\",\n  \"flavour\": \"%s\",\n",
		flavour ?: "");
	fprintf(out, "  \"criu\": \"%s\",\n  \"rows\": [\n",
		criu_why && !*criu_why ? "works" : criu_why ?: "not asked for");
	for (i = 0; i < nr_rows; i++)
		fprintf(out,
			"    { \"name\": \"%s\", \"bytes\": %zu, \"runs\": %d, \"median\": %.0f, \"min\": %.0f, \"max\": %.0f }%s\n",
			rows[i].name, rows[i].bytes, rows[i].runs,
			rows[i].median, rows[i].min, rows[i].max,
			i + 1 < nr_rows ? "," : "");
	fprintf(out, "  ],\n  \"ratios\": [\n");
	for (i = 0; i < nr_ratios; i++)
		fprintf(out,
			"    { \"name\": \"%s\", \"ratio\": %.4f, \"must\": %.2f, \"goal\": %.2f }%s\n",
			ratios[i].name, ratios[i].value, ratios[i].must,
			ratios[i].goal, i + 1 < nr_ratios ? "," : "");
	fprintf(out, "  ]\n}\n");
}

int main(void)
{
	const char *runs = getenv("BENCH_RUNS"), *json = getenv("BENCH_JSON");
	const char *json_fd = getenv("BENCH_JSON_FD");
	FILE *out = NULL;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (runs && atoi(runs) >= 5 && atoi(runs) <= MAX_RUNS)
		nr_runs = atoi(runs);
	if (ckpt_test_init(&test))
		return 1;
	if (ckpt_sys_checkpoint(0, -1, ~0UL) == -ENOSYS) {
		errno = ENOSYS;
		fail("checkpoint()");
	}
	group_tiny();
	group_size(1 * MB, 6, 6);
	group_size(64 * MB, 0, 0);
	group_size(256 * MB, 1, 1.5);
	group_kinds(64 * MB);
	group_trees();
	print_ratios();
	if (criu_why && *criu_why)
		printf("\ncriu %s\n", criu_why);
	if (json)
		out = fopen(json, "we");
	else if (json_fd)
		out = fdopen(atoi(json_fd), "w");
	if (out) {
		print_json(out);
		if (fclose(out))
			fail("JSON");
	} else if (json || json_fd) {
		fail("JSON");
	}
	return ckpt_test_fini(&test) ? 1 : 0;
}
