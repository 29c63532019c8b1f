// SPDX-License-Identifier: GPL-2.0
/*
 * The library of the checkpoint/restart selftests, see ckpt_test.h.
 */
#define CKPT_TEST_NO_HARNESS
#include "ckpt_test.h"

#include <dirent.h>
#include <ftw.h>
#include <grp.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

/*
 * Longer than anything takes under emulation, on a machine that is busy with
 * something else. $SLOW says how much longer it takes with all the kernel's
 * checks.
 */
#define PATIENCE_MS	(45000 + 15000 * slowness())
/* Who has been killed with its image, and others who were children before. */
#define SHORT_PATIENCE_MS (2000 * slowness())

/* In the middle of exec there are other bytes in this place. */
volatile uint64_t ckpt_started;
volatile int ckpt_stage;
volatile int ckpt_allowed;
volatile long ckpt_value[CKPT_NR_VALUES];
const char *ckpt_arg = "";

static struct ckpt_scenario *scenarios;
static char report_path[PATH_MAX];
static bool target_failed;

/* --- the target's side ---------------------------------------------------- */

void ckpt_scenario_add(struct ckpt_scenario *scenario)
{
	scenario->next = scenarios;
	scenarios = scenario;
}

static void report(const char *format, va_list args)
{
	char text[1024];
	int fd, len;

	len = vsnprintf(text, sizeof(text) - 1, format, args);
	if (len < 0)
		return;
	if (len > (int)sizeof(text) - 2)
		len = sizeof(text) - 2;
	text[len++] = '\n';
	fd = open(report_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	/* For threads and children that are other users. */
	if (fd >= 0 && fchmod(fd, 0666))
		errno = 0;
	if (write(fd >= 0 ? fd : STDERR_FILENO, text, len) != len)
		target_failed = true;
	if (fd >= 0)
		close(fd);
}

static void reportf(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	report(format, args);
	va_end(args);
}

void ckpt_target_fail(const char *file, int line, const char *format, ...)
{
	char text[768];
	va_list args;
	int saved = errno;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	target_failed = true;
	reportf("%s:%d: %s", file, line, text);
	errno = saved;
}

void ckpt_target_die(void)
{
	_exit(1);
}

void ckpt_target_end(void)
{
	_exit(target_failed);
}

void ckpt_skip(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	report(format, args);
	va_end(args);
	_exit(CKPT_SKIPPED);
}

void ckpt_announce(void)
{
	/* A failure before the checkpoint is no business of the checkpoint. */
	if (target_failed)
		_exit(1);
	ckpt_stage++;
}

int64_t ckpt_point_gap(clockid_t clock)
{
	int64_t before = ckpt_now_ns(clock), after, gap = 0;

	ckpt_announce();
	do {
		after = ckpt_now_ns(clock);
		if (after - before > gap)
			gap = after - before;
		before = after;
	} while (ckpt_allowed < ckpt_stage);
	return gap;
}

void ckpt_point(void)
{
	ckpt_announce();
	while (ckpt_allowed < ckpt_stage)
		__builtin_ia32_pause();
}

static void __attribute__((constructor(1001)))
dispatch(int argc, char **argv, char **envp)
{
	struct ckpt_scenario *scenario;

	(void)envp;
	if (argc < 3 || strcmp(argv[1], "--scenario"))
		return;
	if (argc > 3)
		ckpt_arg = argv[3];
	if (!getcwd(report_path, sizeof(report_path) - 8))
		_exit(1);
	strcat(report_path, "/report");
	ckpt_started = CKPT_STARTED;
	for (scenario = scenarios; scenario; scenario = scenario->next) {
		if (strcmp(scenario->name, argv[2]))
			continue;
		scenario->run();
		ckpt_target_end();
	}
	reportf("no scenario '%s'", argv[2]);
	_exit(1);
}

/* --- helpers for both ----------------------------------------------------- */

uint64_t ckpt_hash(const void *mem, size_t len)
{
	const uint8_t *bytes = mem;
	uint64_t hash = 0xcbf29ce484222325ULL;
	size_t i;

	for (i = 0; i < len; i++)
		hash = (hash ^ bytes[i]) * 0x100000001b3ULL;
	return hash;
}

static uint64_t fill_word(uint64_t seed, uint64_t index)
{
	uint64_t word = (seed + 1) * 0x9e3779b97f4a7c15ULL + index;

	word = (word ^ (word >> 30)) * 0xbf58476d1ce4e5b9ULL;
	return word ^ (word >> 27);
}

void ckpt_fill(void *mem, size_t len, uint64_t seed)
{
	uint8_t *bytes = mem;
	uint64_t word;
	size_t i;

	for (i = 0; i + 8 <= len; i += 8) {
		word = fill_word(seed, i);
		memcpy(bytes + i, &word, 8);
	}
	word = fill_word(seed, i);
	memcpy(bytes + i, &word, len - i);
}

ssize_t ckpt_fill_differs(const void *mem, size_t len, uint64_t seed)
{
	const uint8_t *bytes = mem;
	uint64_t word;
	size_t i, part, j;

	for (i = 0; i < len; i += 8) {
		part = len - i < 8 ? len - i : 8;
		word = fill_word(seed, i);
		if (!memcmp(bytes + i, &word, part))
			continue;
		for (j = 0; bytes[i + j] == ((uint8_t *)&word)[j]; j++)
			;
		return i + j;
	}
	return -1;
}

int64_t ckpt_now_ns(clockid_t clock)
{
	struct timespec ts;

	if (clock_gettime(clock, &ts))
		return -1;
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

char *ckpt_read_file(const char *path, size_t *len)
{
	size_t size = 1 << 16, used = 0;
	char *text, *more;
	ssize_t got;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	text = malloc(size);
	while (text && (got = read(fd, text + used, size - used - 1)) > 0) {
		used += got;
		if (size - used > 4096)
			continue;
		size *= 2;
		more = realloc(text, size);
		if (!more)
			free(text);
		text = more;
	}
	close(fd);
	if (text)
		text[used] = '\0';
	if (len)
		*len = used;
	return text;
}

int ckpt_write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	ssize_t len = strlen(text);
	int ret;

	if (fd < 0)
		return -errno;
	ret = write(fd, text, len) == len ? 0 : -errno;
	close(fd);
	return ret;
}

const char *ckpt_proc_value(const char *file, const char *name)
{
	static char value[512];
	char path[64], *text, *line, *next;
	size_t len = strlen(name);

	snprintf(path, sizeof(path), "/proc/self/%s", file);
	text = ckpt_read_file(path, NULL);
	if (!text)
		return NULL;
	for (line = text; line && *line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		if (strncmp(line, name, len) || line[len] != ':')
			continue;
		line += len + 1;
		line += strspn(line, " \t");
		snprintf(value, sizeof(value), "%s", line);
		free(text);
		return value;
	}
	free(text);
	return NULL;
}

int ckpt_say(const char *format, ...)
{
	va_list args;

	printf("# ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	return -1;
}

bool ckpt_dry(void)
{
	const char *dry = getenv("CKPT_TEST_DRY");

	return dry && atoi(dry);
}

static int slowness(void)
{
	const char *slow = getenv("SLOW");

	return slow && atoi(slow) > 1 ? atoi(slow) : 1;
}

int ckpt_test_seconds(void)
{
	return 600 * slowness();
}

double ckpt_scale(void)
{
	const char *scale = getenv("CKPT_TEST_SCALE");
	double value = scale ? atof(scale) : 0;

	if (value > 0)
		return value;
	return slowness() > 4 ? 0.125 : slowness() > 1 ? 0.25 : 1;
}

/* One of how many tries is made. */
static int sample_of(void)
{
	if (ckpt_scale() >= 1)
		return 1;
	return slowness() > 4 ? 3 : slowness() > 1 ? 10 : 1;
}

bool ckpt_sample(void)
{
	static int left, chosen;
	static uint64_t random;
	int of = sample_of();

	if (of == 1)
		return true;
	if (!random)
		random = ckpt_now_ns(CLOCK_MONOTONIC) * 2 + 1;
	/* Any one of the next few: how many there are in the end is no chance. */
	if (!left) {
		random = random * 6364136223846793005 + 1442695040888963407;
		chosen = (random >> 40) % of;
		left = of;
	}
	return --left == chosen;
}

int ckpt_sampled(int nr)
{
	return sample_of() == 1 ? nr : -1;
}

static void nap(void)
{
	usleep(1000);
}

/* --- the tester's side: targets ------------------------------------------- */

/* Children whose parents are killed shall not hold their pids any longer. */
static void adopt_orphans(void)
{
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
}

/* Those that targets have left behind, and that end by themselves. */
static void reap_orphans(int patience)
{
	int ms, status;

	for (ms = 0; ms < patience && ckpt_has_children(); ms++) {
		while (waitpid(-1, &status, WNOHANG | __WALL) > 0)
			;
		nap();
	}
}

static void kill_children(struct ckpt_test *t);

int ckpt_test_init(struct ckpt_test *t)
{
	const char *base = getenv("CKPT_TEST_DIR") ?: "/tmp";

	memset(t, 0, sizeof(*t));
	snprintf(t->dir, sizeof(t->dir), "%s/ckpt.XXXXXX", base);
	if (!mkdtemp(t->dir))
		return ckpt_say("%s: %s", t->dir, strerror(errno));
	if (chmod(t->dir, 0777))
		return ckpt_say("chmod: %s", strerror(errno));
	snprintf(t->image, sizeof(t->image), "%s/image", t->dir);
	snprintf(t->other, sizeof(t->other), "%s/other", t->dir);
	adopt_orphans();
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int type,
		      struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

int ckpt_test_fini(struct ckpt_test *t)
{
	int ret = 0;

	while (t->nr_pids)
		ckpt_kill(t, t->pids[t->nr_pids - 1]);
	reap_orphans(PATIENCE_MS / 2);
	if (ckpt_has_children()) {
		ret = ckpt_say("there is a child that nobody knows of");
		kill_children(t);
	}
	nftw(t->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
	return ret;
}

void ckpt_remember(struct ckpt_test *t, pid_t pid)
{
	if (t->nr_pids == CKPT_MAX_PIDS) {
		ckpt_say("too many targets");
		abort();
	}
	t->pids[t->nr_pids++] = pid;
}

void ckpt_forget(struct ckpt_test *t, pid_t pid)
{
	int i;

	for (i = 0; i < t->nr_pids; i++) {
		if (t->pids[i] != pid)
			continue;
		t->pids[i] = t->pids[--t->nr_pids];
		return;
	}
}

bool ckpt_has_children(void)
{
	siginfo_t info;

	return !waitid(P_ALL, 0, &info,
		       WEXITED | WSTOPPED | WCONTINUED | WNOHANG | WNOWAIT |
		       __WALL);
}

/* Nothing of the tester may be left in the target. */
static void run_target(const char *dir, const char *exe, char **argv)
{
	struct rlimit cpu = { 600, 610 }, core = { 0, 0 };
	char *envp[] = { "PATH=/usr/bin:/bin", "CKPT=an environment", NULL };
	sigset_t none;
	int fd, i;

	for (i = 1; i < _NSIG; i++)
		signal(i, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	/* A leftover does not spin for ever; who is not one may on a slow machine. */
	setrlimit(RLIMIT_CPU, &cpu);
	setrlimit(RLIMIT_CORE, &core);
	umask(022);
	setsid();
	if (chdir(dir))
		_exit(99);
	for (fd = 0; fd < 3; fd++)
		close(fd);
	if (syscall(SYS_close_range, 3, ~0U, 0))
		_exit(98);
	if (open("/dev/null", O_RDONLY) != 0 ||
	    open("out", O_WRONLY | O_CREAT | O_APPEND, 0666) != 1 ||
	    dup(1) != 2)
		_exit(97);
	execve(exe, argv, envp);
	_exit(96);
}

static pid_t spawn(struct ckpt_test *t, const char *exe, char **argv)
{
	mode_t mask = umask(0);
	pid_t pid;
	int ret;

	snprintf(t->run, sizeof(t->run), "%s/r%d.%d", t->dir, ++t->nr_runs,
		 getpid());
	ret = mkdir(t->run, 0777);
	umask(mask);
	if (ret)
		return ckpt_say("%s: %s", t->run, strerror(errno));
	pid = fork();
	if (pid < 0)
		return ckpt_say("fork: %s", strerror(errno));
	if (!pid)
		run_target(t->run, exe, argv);
	ckpt_remember(t, pid);
	return pid;
}

static int own_path(char *path, size_t size)
{
	ssize_t len = readlink("/proc/self/exe", path, size - 1);

	if (len < 0)
		return ckpt_say("/proc/self/exe: %s", strerror(errno));
	path[len] = '\0';
	return 0;
}

pid_t ckpt_spawn(struct ckpt_test *t, const char *scenario, const char *arg)
{
	char *argv[] = { "target", "--scenario", (char *)scenario,
			 (char *)(arg ?: ""), NULL };
	char exe[PATH_MAX];

	if (own_path(exe, sizeof(exe)))
		return -1;
	return spawn(t, exe, argv);
}

pid_t ckpt_spawn_program(struct ckpt_test *t, const char *name, const char *arg)
{
	char *argv[] = { (char *)name, (char *)arg, NULL };
	char exe[PATH_MAX];

	if (own_path(exe, sizeof(exe) - strlen(name)))
		return -1;
	memcpy(strrchr(exe, '/') + 1, name, strlen(name) + 1);
	return spawn(t, exe, argv);
}

pid_t ckpt_start_tiny(struct ckpt_test *t, const char *arg)
{
	pid_t pid = ckpt_spawn_program(t, "tiny_target", arg);
	int go, ms;

	for (ms = 0; pid > 0 && ms < PATIENCE_MS; ms++) {
		if (!ckpt_peek(pid, TINY_GO, &go, sizeof(go)) && !go)
			return pid;
		if (waitpid(pid, &go, WNOHANG) == pid) {
			ckpt_forget(t, pid);
			return ckpt_say("tiny_target ended at once");
		}
		nap();
	}
	return ckpt_say("tiny_target does not come");
}

int ckpt_go_tiny(pid_t pid)
{
	int go = 1;

	return ckpt_poke(pid, TINY_GO, &go, sizeof(go));
}

int ckpt_peek(pid_t pid, const volatile void *addr, void *buf, size_t len)
{
	char path[32];
	ssize_t got;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	got = pread(fd, buf, len, (off_t)addr);
	close(fd);
	return got == (ssize_t)len ? 0 : -EFAULT;
}

int ckpt_poke(pid_t pid, volatile void *addr, const void *buf, size_t len)
{
	char path[32];
	ssize_t put;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	put = pwrite(fd, buf, len, (off_t)addr);
	close(fd);
	return put == (ssize_t)len ? 0 : -EFAULT;
}

long ckpt_peek_value(pid_t pid, int nr)
{
	long value = -1;

	if (ckpt_peek(pid, &ckpt_value[nr], &value, sizeof(value)))
		ckpt_say("cannot look into %d", pid);
	return value;
}

static void show_file(const char *dir, const char *name)
{
	char path[PATH_MAX], *text, *line, *next;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	text = ckpt_read_file(path, NULL);
	for (line = text; line && *line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		ckpt_say("  %s: %s", name, line);
	}
	free(text);
}

static int exit_status(struct ckpt_test *t, pid_t pid, int status)
{
	char path[PATH_MAX], *text;

	ckpt_forget(t, pid);
	if (WIFSIGNALED(status)) {
		ckpt_say("target %d died of signal %d", pid, WTERMSIG(status));
		status = 128 + WTERMSIG(status);
	} else {
		status = WEXITSTATUS(status);
	}
	if (status == CKPT_SKIPPED) {
		snprintf(path, sizeof(path), "%s/report", t->run);
		text = ckpt_read_file(path, NULL);
		snprintf(t->why, sizeof(t->why), "%.*s",
			 text ? (int)strcspn(text, "\n") : 0, text ?: "");
		free(text);
		return status;
	}
	/* A child or a thread of the target has failed, and said so. */
	snprintf(path, sizeof(path), "%s/report", t->run);
	if (!status && !access(path, F_OK))
		status = 1;
	if (status && status != TINY_STATUS) {
		ckpt_say("target %d ended with %d", pid, status);
		show_file(t->run, "report");
		show_file(t->run, "out");
	}
	return status;
}

static void show_tree(pid_t pid);

int ckpt_wait_stage(struct ckpt_test *t, pid_t pid, int stage)
{
	uint64_t started = 0;
	int ms, seen, status;

	for (ms = 0; ms < PATIENCE_MS; ms++) {
		if (!ckpt_peek(pid, &ckpt_started, &started, sizeof(started)) &&
		    started == CKPT_STARTED &&
		    !ckpt_peek(pid, &ckpt_stage, &seen, sizeof(seen)) &&
		    seen >= stage)
			return 0;
		if (waitpid(pid, &status, WNOHANG) == pid) {
			status = exit_status(t, pid, status);
			if (status == CKPT_SKIPPED)
				return CKPT_SKIPPED;
			return ckpt_say("target ended before stage %d", stage);
		}
		nap();
	}
	show_tree(pid);
	show_file(t->run, "report");
	show_file(t->run, "out");
	return ckpt_say("target %d does not come to stage %d", pid, stage);
}

pid_t ckpt_start(struct ckpt_test *t, const char *scenario, const char *arg)
{
	pid_t pid;
	int ret;

	pid = ckpt_spawn(t, scenario, arg);
	if (pid < 0)
		return -1;
	ret = ckpt_wait_stage(t, pid, 1);
	if (ret == CKPT_SKIPPED)
		return 0;
	return ret ? -1 : pid;
}

int ckpt_wait_syscall(pid_t pid, long nr)
{
	char path[32], *text;
	long seen;
	int ms;

	snprintf(path, sizeof(path), "/proc/%d/syscall", pid);
	for (ms = 0; ms < PATIENCE_MS; ms++) {
		text = ckpt_read_file(path, NULL);
		seen = text && *text >= '0' && *text <= '9' ? atol(text) : -1;
		free(text);
		/* Some go on under this name when they were interrupted. */
		if (seen == nr || seen == SYS_restart_syscall)
			return 0;
		nap();
	}
	return ckpt_say("target %d is not in system call %ld", pid, nr);
}

static char state_of(pid_t pid)
{
	char path[32], *text, *paren, state = '?';

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	text = ckpt_read_file(path, NULL);
	paren = text ? strrchr(text, ')') : NULL;
	if (paren && paren[1])
		state = paren[2];
	free(text);
	return state;
}

int ckpt_wait_state(pid_t pid, char state)
{
	int ms;

	for (ms = 0; ms < PATIENCE_MS; ms++) {
		if (state_of(pid) == state)
			return 0;
		nap();
	}
	return ckpt_say("target %d is in state %c and not %c", pid,
			state_of(pid), state);
}

int ckpt_wait_file(const char *path)
{
	int ms;

	for (ms = 0; ms < PATIENCE_MS; ms++) {
		if (!access(path, F_OK))
			return 0;
		nap();
	}
	return ckpt_say("%s does not come", path);
}

int ckpt_go(pid_t pid)
{
	int stage;

	if (ckpt_peek(pid, &ckpt_stage, &stage, sizeof(stage)) ||
	    ckpt_poke(pid, &ckpt_allowed, &stage, sizeof(stage)))
		return ckpt_say("cannot say go to %d", pid);
	return 0;
}

int ckpt_wake(pid_t pid, int fd)
{
	char path[64];
	int out, ret;

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, fd);
	out = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	if (out < 0)
		return ckpt_say("%s: %s", path, strerror(errno));
	ret = write(out, "w", 1) == 1 ? 0 : ckpt_say("cannot wake");
	close(out);
	return ret;
}

int ckpt_wait(struct ckpt_test *t, pid_t pid)
{
	int ms, status;
	pid_t got;

	for (ms = 0; ms < PATIENCE_MS; ms++) {
		got = waitpid(pid, &status, WNOHANG | __WALL);
		if (got == pid)
			return exit_status(t, pid, status);
		if (got < 0)
			return ckpt_say("wait for %d: %s", pid, strerror(errno));
		nap();
	}
	show_tree(pid);
	show_file(t->run, "report");
	ckpt_kill(t, pid);
	return ckpt_say("target %d does not end", pid);
}

int ckpt_finish(struct ckpt_test *t, pid_t pid)
{
	if (ckpt_go(pid))
		return -1;
	return ckpt_wait(t, pid);
}

int ckpt_storm(struct ckpt_test *t, const char *scenario, const char *arg,
	       int rounds, int max_us)
{
	pid_t pid = ckpt_start(t, scenario, arg);
	int i;

	if (pid <= 0)
		return -1;
	for (i = 0; i < rounds; i++) {
		if (ckpt_checkpoint(t, pid, t->image, 0) <= 0)
			return ckpt_say("checkpoint %d failed", i);
		usleep(i * 1337 % max_us);
	}
	if (ckpt_finish(t, pid))
		return -1;
	if (ckpt_restart(t, t->image, 0) != pid)
		return ckpt_say("the last image is not restarted");
	usleep(max_us);
	return ckpt_finish(t, pid);
}

/* --- trees of processes --------------------------------------------------- */

struct pids {
	pid_t *pid;
	int nr, room;
};

static void pids_add(struct pids *pids, pid_t pid)
{
	if (pids->nr == pids->room) {
		pids->room = 2 * pids->room + 64;
		pids->pid = realloc(pids->pid, pids->room * sizeof(pid_t));
		if (!pids->pid)
			abort();
	}
	pids->pid[pids->nr++] = pid;
}

/* The index, or -1. */
static int pids_find(const struct pids *pids, pid_t pid)
{
	int i;

	for (i = 0; i < pids->nr; i++) {
		if (pids->pid[i] == pid)
			return i;
	}
	return -1;
}

static int pids_order(const void *a, const void *b)
{
	return *(const pid_t *)a - *(const pid_t *)b;
}

static void pids_sort(struct pids *pids)
{
	qsort(pids->pid, pids->nr, sizeof(pid_t), pids_order);
}

static void pids_free(struct pids *pids)
{
	free(pids->pid);
	memset(pids, 0, sizeof(*pids));
}

static pid_t parent_of(const char *name)
{
	char path[300], text[1024], *paren;
	pid_t parent = 0;
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), "/proc/%s/stat", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	len = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[len > 0 ? len : 0] = '\0';
	paren = strrchr(text, ')');
	if (paren)
		sscanf(paren + 1, " %*c %d", &parent);
	return parent;
}

/* All processes, and in another list at the same index who has made them. */
static int list_processes(struct pids *all, struct pids *parents)
{
	char self[32] = "";
	struct dirent *entry;
	pid_t pid, parent;
	DIR *dir;

	/* In a pid namespace of our own /proc has other numbers. */
	if (readlink("/proc/self", self, sizeof(self) - 1) < 0 ||
	    atoi(self) != getpid())
		return -1;
	dir = opendir("/proc");
	if (!dir)
		return -1;
	while ((entry = readdir(dir))) {
		pid = atoi(entry->d_name);
		parent = pid > 0 ? parent_of(entry->d_name) : 0;
		if (!parent)
			continue;
		pids_add(all, pid);
		pids_add(parents, parent);
	}
	closedir(dir);
	return 0;
}

/*
 * Adds the descendants of those in the tree, and children that we have got
 * since: those whose parents have died meanwhile. Returns how many are new.
 */
static int find_tree(struct pids *tree, struct pids *old, bool first)
{
	struct pids all = {}, parents = {};
	int i, found, before = tree->nr;

	if (list_processes(&all, &parents))
		return 0;
	for (i = 0; i < all.nr && first; i++) {
		if (parents.pid[i] == getpid())
			pids_add(old, all.pid[i]);
	}
	do {
		found = tree->nr;
		for (i = 0; i < all.nr; i++) {
			if (pids_find(tree, all.pid[i]) >= 0 ||
			    (parents.pid[i] == getpid() ?
			     pids_find(old, all.pid[i]) >= 0 :
			     pids_find(tree, parents.pid[i]) < 0))
				continue;
			pids_add(tree, all.pid[i]);
		}
	} while (tree->nr > found);
	pids_free(&all);
	pids_free(&parents);
	return tree->nr - before;
}

/* Where all threads of a tree that does not go on are. */
static void show_tree(pid_t pid)
{
	static const char *const what[] = { "stat", "syscall", "stack" };
	struct pids tree = {}, old = {};
	struct dirent *entry;
	char path[300];
	size_t k;
	DIR *dir;
	int i;

	pids_add(&tree, pid);
	find_tree(&tree, &old, true);
	for (i = 0; i < tree.nr && i < 16; i++) {
		snprintf(path, sizeof(path), "/proc/%d/task", tree.pid[i]);
		dir = opendir(path);
		while (dir && (entry = readdir(dir))) {
			if (!atoi(entry->d_name))
				continue;
			snprintf(path, sizeof(path), "/proc/%d/task/%d",
				 tree.pid[i], atoi(entry->d_name));
			for (k = 0; k < ARRAY_SIZE(what); k++)
				show_file(path, what[k]);
		}
		if (dir)
			closedir(dir);
	}
	pids_free(&tree);
	pids_free(&old);
}

/* Kill and reap one; it may not be our child yet. */
static bool end_one(pid_t pid)
{
	int status = 0;

	if (kill(pid, SIGKILL) && errno == ESRCH)
		return true;
	return waitpid(pid, &status, WNOHANG | __WALL) == pid &&
	       (WIFEXITED(status) || WIFSIGNALED(status));
}

static int end_all(struct pids *tree, struct pids *gone)
{
	int ms, i, left = 1;

	for (ms = 0; left && ms < PATIENCE_MS; ms++) {
		left = 0;
		for (i = 0; i < tree->nr; i++) {
			if (gone->pid[i])
				continue;
			if (end_one(tree->pid[i]))
				gone->pid[i] = 1;
			else
				left++;
		}
		if (left)
			nap();
	}
	return left ? ckpt_say("%d processes cannot be killed", left) : 0;
}

int ckpt_kill(struct ckpt_test *t, pid_t pid)
{
	struct pids tree = {}, old = {}, gone = {};
	bool first = true;
	int ret = 0;

	ckpt_forget(t, pid);
	if (kill(pid, 0))
		return ckpt_say("kill %d: %s", pid, strerror(errno));
	adopt_orphans();
	pids_add(&tree, pid);
	while ((find_tree(&tree, &old, first) || first) && !ret) {
		first = false;
		while (gone.nr < tree.nr)
			pids_add(&gone, 0);
		ret = end_all(&tree, &gone);
	}
	pids_free(&tree);
	pids_free(&old);
	pids_free(&gone);
	return ret;
}

int ckpt_reap(struct ckpt_test *t, pid_t pid)
{
	int status;

	ckpt_forget(t, pid);
	if (waitpid(pid, &status, __WALL) != pid)
		return ckpt_say("waitpid %d: %s", pid, strerror(errno));
	reap_orphans(SHORT_PATIENCE_MS);
	return 0;
}

static void kill_children(struct ckpt_test *t)
{
	struct pids all = {}, parents = {};
	int i;

	list_processes(&all, &parents);
	for (i = 0; i < all.nr; i++) {
		if (parents.pid[i] == getpid())
			ckpt_kill(t, all.pid[i]);
	}
	pids_free(&all);
	pids_free(&parents);
}

int ckpt_tree_size(pid_t pid)
{
	struct pids tree = {}, old = {};
	int nr;

	pids_add(&tree, pid);
	find_tree(&tree, &old, true);
	nr = tree.nr;
	pids_free(&tree);
	pids_free(&old);
	return nr;
}

/* --- the system calls ----------------------------------------------------- */

long ckpt_sys_checkpoint(pid_t pid, int fd, unsigned long flags)
{
	long ret = syscall(__NR_checkpoint, pid, fd, flags);

	return ret < 0 ? -errno : ret;
}

long ckpt_sys_restart(int crid, int fd, unsigned long flags)
{
	long ret = syscall(__NR_restart, crid, fd, flags);

	return ret < 0 ? -errno : ret;
}

static int log_open(struct ckpt_test *t)
{
	char path[128];

	t->log_len = 0;
	t->log[0] = '\0';
	snprintf(path, sizeof(path), "%s/log.%d", t->dir, getuid());
	return open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
}

static void log_close(struct ckpt_test *t, int fd)
{
	ssize_t got;

	if (fd < 0)
		return;
	got = pread(fd, t->log, sizeof(t->log) - 1, 0);
	close(fd);
	t->log_len = got > 0 ? got : 0;
	t->log[t->log_len] = '\0';
}

long ckpt_checkpoint_fd(struct ckpt_test *t, pid_t pid, int fd,
			unsigned long flags)
{
	int log = log_open(t);
	long ret;

	if (log >= 0)
		flags |= CHECKPOINT_LOG_FD(log);
	ret = ckpt_sys_checkpoint(pid, fd, flags);
	log_close(t, log);
	return ret;
}

long ckpt_restart_fd(struct ckpt_test *t, int fd, unsigned long flags)
{
	int log = log_open(t);
	long ret;

	if (log >= 0)
		flags |= CHECKPOINT_LOG_FD(log);
	ret = ckpt_sys_restart(0, fd, flags);
	log_close(t, log);
	if (ret > 0)
		ckpt_remember(t, ret);
	return ret;
}

void ckpt_show_log(struct ckpt_test *t)
{
	char *line = t->log, *next;

	for (; line && *line; line = next) {
		next = strchr(line, '\n');
		ckpt_say("  reason: %.*s", (int)strcspn(line, "\n"), line);
		if (next)
			next++;
	}
}

long ckpt_checkpoint(struct ckpt_test *t, pid_t pid, const char *path,
		     unsigned long flags)
{
	long ret;
	int fd;

	if (ckpt_dry())
		return 1;
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0) {
		ret = -errno;
		ckpt_say("%s: %s", path, strerror(errno));
		return ret;
	}
	ret = ckpt_checkpoint_fd(t, pid, fd, flags);
	close(fd);
	if (ret < 0) {
		ckpt_say("checkpoint of %d: %s", pid, strerror(-ret));
		ckpt_show_log(t);
	}
	return ret;
}

long ckpt_restart(struct ckpt_test *t, const char *path, unsigned long flags)
{
	long ret;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		ret = -errno;
		ckpt_say("%s: %s", path, strerror(errno));
		return ret;
	}
	ret = ckpt_restart_fd(t, fd, flags);
	close(fd);
	if (ret < 0) {
		ckpt_say("restart: %s", strerror(-ret));
		ckpt_show_log(t);
	}
	return ret;
}

pid_t ckpt_stalled_restart(struct ckpt_test *t, int *in, size_t missing,
			   void (*setup)(void))
{
	size_t len, done, part;
	pid_t restarter;
	char *image;
	int pair[2];

	image = ckpt_read_file(t->image, &len);
	if (!image || len <= missing || pipe2(pair, O_CLOEXEC) ||
	    prctl(PR_SET_CHILD_SUBREAPER, 1))
		return -1;
	fflush(stdout);
	restarter = fork();
	if (!restarter) {
		long ret;

		close(pair[1]);
		if (setup)
			setup();
		ret = ckpt_sys_restart(0, pair[0], RESTART_FRESH_PIDS);
		_exit(ret == -EINTR ? 0 : ret < 0 ? 1 : 2);
	}
	close(pair[0]);
	for (done = 0; done < len - missing; done += part) {
		part = len - missing - done;
		if (part > 4096)
			part = 4096;
		if (write(pair[1], image + done, part) != (ssize_t)part)
			break;
	}
	free(image);
	*in = pair[1];
	if (ckpt_wait_syscall(restarter, __NR_restart))
		return -1;
	/* It has read all there is, and waits for more. */
	for (part = 1, done = 0; part && done < 60000; done++) {
		int left = 0;

		usleep(1000);
		if (ioctl(pair[1], FIONREAD, &left))
			return -1;
		part = left;
	}
	/* With a little to do before that, for which it may have no processor. */
	for (done = 0; done < 3; done++) {
		usleep(10000);
		if (ckpt_wait_syscall(restarter, __NR_restart))
			return -1;
	}
	return restarter;
}

long ckpt_file_size(const char *path)
{
	struct stat st;

	return stat(path, &st) ? -errno : st.st_size;
}

/* One line: pairs up to ": ", then a sentence. */
static bool reason_fits(const char *line, size_t len, int error,
			const char *kind, int fd, unsigned long addr,
			const char *text)
{
	bool kind_seen = false, fd_seen = false, addr_seen = false;
	char buf[2048], *sentence, *pair, *value, *save;
	int errno_seen = 0;

	if (len >= sizeof(buf))
		return false;
	memcpy(buf, line, len);
	buf[len] = '\0';
	sentence = strstr(buf, ": ");
	if (!sentence)
		return false;
	*sentence = '\0';
	sentence += 2;
	for (pair = strtok_r(buf, " ", &save); pair;
	     pair = strtok_r(NULL, " ", &save)) {
		value = strchr(pair, '=');
		if (!value)
			return false;
		*value++ = '\0';
		if (!strcmp(pair, "errno")) {
			errno_seen = atoi(value);
		} else if (!strcmp(pair, "kind")) {
			kind_seen = kind && !strcmp(value, kind);
		} else if (!strcmp(pair, "fd")) {
			fd_seen = fd >= 0 && atoi(value) == fd;
		} else if (!strcmp(pair, "vaddr")) {
			char *end;
			unsigned long from = strtoul(value, &end, 16);

			if (*end != '-')
				return false;
			addr_seen = addr && addr >= from &&
				    addr < strtoul(end + 1, NULL, 16);
		}
	}
	return (!error || errno_seen == error) && (!kind || kind_seen) &&
	       (fd < 0 || fd_seen) && (!addr || addr_seen) &&
	       (!text || strstr(sentence, text));
}

bool ckpt_is_first_error(struct ckpt_test *t, long ret)
{
	return ret < 0 && !strncmp(t->log, "errno=", 6) &&
	       atoi(t->log + 6) == -ret;
}

bool ckpt_reason(struct ckpt_test *t, int error, const char *kind, int fd,
		 unsigned long addr, const char *text)
{
	const char *line = t->log;

	while (*line) {
		size_t len = strcspn(line, "\n");

		if (reason_fits(line, len, error, kind, fd, addr, text))
			return true;
		line += len;
		if (*line)
			line++;
	}
	return false;
}

/* --- what /proc says ------------------------------------------------------ */

struct text {
	char *buf;
	size_t len, size;
};

static void __attribute__((format(printf, 2, 3)))
add(struct text *text, const char *format, ...)
{
	va_list args;
	int len;

	for (;;) {
		va_start(args, format);
		len = vsnprintf(text->buf + text->len, text->size - text->len,
				format, args);
		va_end(args);
		if (len < 0)
			return;
		if (text->len + len < text->size) {
			text->len += len;
			return;
		}
		text->size = 2 * text->size + len;
		text->buf = realloc(text->buf, text->size);
		if (!text->buf)
			abort();
	}
}

static char *proc_file(pid_t pid, const char *name, size_t *len)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	return ckpt_read_file(path, len);
}

/* A file as it is, unprintable bytes as \ooo, a line each. */
static void add_file(struct text *out, pid_t pid, const char *name)
{
	size_t len, i;
	char *text;

	text = proc_file(pid, name, &len);
	if (!text)
		return;
	add(out, "%s: ", name);
	for (i = 0; i < len; i++) {
		if (text[i] == '\n' && i + 1 < len)
			add(out, "\n%s: ", name);
		else if (text[i] >= 0x20 && text[i] < 0x7f && text[i] != '\\')
			add(out, "%c", text[i]);
		else if (text[i] != '\n')
			add(out, "\\%03o", (unsigned char)text[i]);
	}
	add(out, "\n");
	free(text);
}

/* A file without a name has another name that it has not, and other numbers. */
static void drop_lost_name(char *path)
{
	char *end = strstr(path, " (deleted)"), *slash = strrchr(path, '/');

	if (!end || end[10] || !slash || !strncmp(path, "/memfd:", 7) ||
	    !strncmp(path, "/dev/zero", 9))
		return;
	strcpy(slash, "/* (deleted)");
}

static void add_link(struct text *out, pid_t pid, const char *name)
{
	char path[64], target[PATH_MAX];
	ssize_t len;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	len = readlink(path, target, sizeof(target) - 1);
	if (len < 0)
		return;
	target[len] = '\0';
	/* pipe:[12] and the like have a number that differs. */
	if (target[0] != '/' && strchr(target, '['))
		*strchr(target, '[') = '\0';
	drop_lost_name(target);
	add(out, "%s: -> %s\n", name, target);
}

static bool listed(const char *name, const char *const *list)
{
	for (; *list; list++) {
		if (!strcmp(name, *list))
			return true;
	}
	return false;
}

/* Lines "name: value" of a file, the listed ones only. */
static void add_values(struct text *out, pid_t pid, const char *file,
		       const char *const *names)
{
	char *text, *line, *next, *colon;

	text = proc_file(pid, file, NULL);
	for (line = text; line && *line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		colon = strchr(line, ':');
		if (!colon)
			continue;
		*colon = '\0';
		if (listed(line, names))
			add(out, "%s: %s:%s\n", file, line, colon + 1);
	}
	free(text);
}

static void add_status(struct text *out, pid_t pid)
{
	static const char *const names[] = {
		"Name", "Umask", "TracerPid", "Uid", "Gid", "Groups", "Kthread",
		"VmSize", "VmLck", "VmPin", "VmData", "VmStk", "VmExe", "VmLib",
		"HugetlbPages", "CoreDumping", "THP_enabled",
		"untag_mask", "Threads", "SigPnd", "ShdPnd", "SigBlk",
		"SigIgn", "SigCgt", "CapInh", "CapPrm", "CapEff", "CapBnd",
		"CapAmb", "NoNewPrivs", "Seccomp", "Seccomp_filters",
		"Speculation_Store_Bypass", "SpeculationIndirectBranch",
		"Cpus_allowed", "Mems_allowed", "x86_Thread_features",
		"x86_Thread_features_locked", NULL
	};

	add_values(out, pid, "status", names);
}

/* A pid of the tree is told by its place in it: it may be another one later. */
static void add_number(struct text *out, const struct pids *tree, pid_t pid,
		       const char *name, long long value)
{
	int index = value > 0 ? pids_find(tree, value) : -1;

	if (value == pid)
		add(out, "stat: %s self\n", name);
	else if (index >= 0)
		add(out, "stat: %s #%d\n", name, index);
	else
		add(out, "stat: %s %lld\n", name, value);
}

static void add_stat(struct text *out, const struct pids *tree, pid_t pid,
		     bool zombie)
{
	/* Numbered as in proc(5). */
	static const struct {
		int nr;
		const char *name;
	} fields[] = {
		{ 4, "parent" }, { 5, "pgrp" }, { 6, "session" }, { 7, "tty_nr" },
		{ 8, "tpgid" }, { 9, "flags" }, { 18, "priority" },
		{ 19, "nice" }, { 23, "vsize" }, { 26, "startcode" },
		{ 27, "endcode" }, { 28, "startstack" },
		{ 38, "exit_signal" }, { 40, "rt_priority" },
		{ 41, "policy" }, { 45, "start_data" }, { 46, "end_data" },
		{ 47, "start_brk" }, { 48, "arg_start" }, { 49, "arg_end" },
		{ 50, "env_start" }, { 51, "env_end" },
	};
	char *text, *word, *save;
	unsigned int i = 0;
	long long value;
	int nr = 3;

	text = proc_file(pid, "stat", NULL);
	word = text ? strrchr(text, ')') : NULL;
	if (!word) {
		free(text);
		return;
	}
	for (word = strtok_r(word + 2, " ", &save); word;
	     word = strtok_r(NULL, " ", &save), nr++) {
		if (i == ARRAY_SIZE(fields) ||
		    fields[i].nr != nr)
			continue;
		value = strtoll(word, NULL, 10);
		/* Has it made an exec since fork? Others come and go. */
		if (nr == 9)
			value &= 0x40;
		/* Who has exited does not run any more, however it would. */
		if (!zombie || nr <= 6 || nr == 38)
			add_number(out, tree, pid, fields[i].name, value);
		i++;
	}
	free(text);
}

/* Takes a word with a blank in front of it out of a text. */
static void drop_word(char *text, const char *word)
{
	size_t len = strlen(word);
	char *at = text;

	while ((at = strstr(at, word))) {
		if (at[len] == ' ' || !at[len])
			memmove(at, at + len, strlen(at + len) + 1);
		else
			at += len;
	}
}

/*
 * One line for each mapping, with its flags. Neighbours that do not differ are
 * one: when mappings that could be one are not depends on their past. "sd", soft
 * dirty, is about the past only.
 */
static void add_maps(struct text *out, pid_t pid)
{
	unsigned long from, to = 0, offset, start = 0, end = 0, start_offset = 0;
	char *text, *line, *next, perms[8], name[PATH_MAX] = "", what[PATH_MAX];
	char last[PATH_MAX + 400] = "";
	int at;

	text = proc_file(pid, "smaps", NULL);
	for (line = text; line && *line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		at = 0;
		if (!(line[0] >= 'A' && line[0] <= 'Z') &&
		    sscanf(line, "%lx-%lx %7s %lx %*s %*s %n", &from, &to,
			   perms, &offset, &at) >= 4 && at) {
			snprintf(name, sizeof(name), "%s", line + at);
			drop_lost_name(name);
		} else if (!strncmp(line, "KernelPageSize:", 15)) {
			snprintf(what, sizeof(what), "pages of %d kB",
				 atoi(line + 15));
		} else if (!strncmp(line, "VmFlags:", 8)) {
			char now[sizeof(last)];

			drop_word(line + 8, " sd");
			snprintf(now, sizeof(now), "%s%s, %.40s %s", perms,
				 line + 8, what, name);
			if (start != end && end == from && !strcmp(now, last) &&
			    (!*name || *name == '[' ||
			     start_offset + (from - start) == offset)) {
				end = to;
				continue;
			}
			if (start != end)
				add(out, "maps: %lx-%lx %lx %s\n", start, end,
				    start_offset, last);
			start = from;
			end = to;
			start_offset = offset;
			strcpy(last, now);
		}
	}
	if (start != end)
		add(out, "maps: %lx-%lx %lx %s\n", start, end, start_offset,
		    last);
	free(text);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* One line for each timer; the kernel lists them in no particular order. */
static void add_timers(struct text *out, pid_t pid)
{
	char *text, *timer, *next, *timers[256], *c;
	int n = 0, i;

	text = proc_file(pid, "timers", NULL);
	for (timer = text; timer && *timer; timer = next) {
		next = strstr(timer + 1, "\nID:");
		if (next)
			*next++ = '\0';
		for (c = timer; *c; c++) {
			if (*c == '\n')
				*c = ' ';
		}
		if (n < (int)ARRAY_SIZE(timers))
			timers[n++] = timer;
	}
	qsort(timers, n, sizeof(timers[0]), by_text);
	for (i = 0; i < n; i++) {
		c = timers[i] + strlen(timers[i]);
		while (c > timers[i] && c[-1] == ' ')
			*--c = '\0';
		add(out, "timers: %s\n", timers[i]);
	}
	free(text);
}

static int by_number(const struct dirent **a, const struct dirent **b)
{
	return atoi((*a)->d_name) - atoi((*b)->d_name);
}

/* Numbers that the kernel gives, times that pass, lines in no order. */
static bool fdinfo_differs(const char *line)
{
	static const char *const those[] = {
		"ino:", "eventfd-id:", "it_value:", "tfd:", "inotify ",
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(those); i++)
		if (!strncmp(line, those[i], strlen(those[i])))
			return true;
	return false;
}

static void add_fds(struct text *out, pid_t pid)
{
	char path[64], name[32], *text, *line, *next;
	struct dirent **entries;
	int i, n;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	n = scandir(path, &entries, NULL, by_number);
	for (i = 0; i < n; i++) {
		int fd = atoi(entries[i]->d_name);
		bool dots = entries[i]->d_name[0] == '.';

		free(entries[i]);
		if (dots)
			continue;
		snprintf(name, sizeof(name), "fd/%d", fd);
		add_link(out, pid, name);
		snprintf(name, sizeof(name), "fdinfo/%d", fd);
		text = proc_file(pid, name, NULL);
		for (line = text; line && *line; line = next) {
			next = strchr(line, '\n');
			if (next)
				*next++ = '\0';
			if (!fdinfo_differs(line))
				add(out, "%s: %s\n", name, line);
		}
		free(text);
	}
	if (n >= 0)
		free(entries);
}

/* Of more threads than that the others are only counted. */
#define MAX_SNAP_THREADS	40
/* With more processes than that nobody looks who shares what with whom. */
#define MAX_SNAP_SHARERS	40

static void add_thread(struct text *out, const struct pids *tree, pid_t tid)
{
	static const char *const files[] = {
		"comm", "personality", "timerslack_ns",
	};
	static const char *const links[] = { "cwd", "root" };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(files); i++)
		add_file(out, tid, files[i]);
	for (i = 0; i < ARRAY_SIZE(links); i++)
		add_link(out, tid, links[i]);
	add_status(out, tid);
	add_stat(out, tree, tid, false);
	add_fds(out, tid);
}

static void add_threads(struct text *out, const struct pids *tree, pid_t pid)
{
	struct dirent **entries;
	char path[64];
	int i, n;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	n = scandir(path, &entries, NULL, by_number);
	for (i = 0; i < n; i++) {
		pid_t tid = atoi(entries[i]->d_name);

		free(entries[i]);
		if (tid <= 0 || tid == pid || i > MAX_SNAP_THREADS)
			continue;
		add(out, "--- thread %d of #%d\n", i, pids_find(tree, pid));
		add_thread(out, tree, tid);
	}
	if (n >= 0)
		free(entries);
}

/* What is left of one that has exited. */
static void add_zombie(struct text *out, const struct pids *tree, pid_t pid)
{
	static const char *const names[] = {
		"Name", "Uid", "Gid", "Groups", "CapPrm", "CapEff", NULL
	};

	add_values(out, pid, "status", names);
	add_stat(out, tree, pid, true);
}

static void add_process(struct text *out, const struct pids *tree, pid_t pid)
{
	static const char *const files[] = {
		"comm", "cmdline", "environ", "auxv", "limits", "personality",
		"oom_score_adj", "coredump_filter", "timerslack_ns", "uid_map",
		"cgroup",
	};
	static const char *const links[] = { "exe", "cwd", "root" };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(files); i++)
		add_file(out, pid, files[i]);
	for (i = 0; i < ARRAY_SIZE(links); i++)
		add_link(out, pid, links[i]);
	add_status(out, pid);
	add_stat(out, tree, pid, false);
	add_timers(out, pid);
	add_fds(out, pid);
	add_maps(out, pid);
	add_threads(out, tree, pid);
}

/* With whom in front of it does it share what clone() can share? */
static void add_sharing(struct text *out, const struct pids *tree, int index)
{
	/* VM, FILES, FS, SIGHAND of kcmp(2) */
	static const int types[] = { 1, 2, 3, 4 };
	unsigned int i;
	int other;

	if (index >= MAX_SNAP_SHARERS)
		return;
	for (i = 0; i < ARRAY_SIZE(types); i++) {
		for (other = 0; other < index; other++) {
			if (syscall(SYS_kcmp, tree->pid[other],
				    tree->pid[index], types[i], 0, 0))
				continue;
			add(out, "kcmp: %d as #%d\n", types[i], other);
			break;
		}
	}
}

/* Which descriptors are the same open files as those of the root? */
static void add_shared_fds(struct text *out, const struct pids *tree, int index)
{
	int fd;

	if (index >= MAX_SNAP_SHARERS)
		return;
	for (fd = 0; fd < 32; fd++) {
		if (!syscall(SYS_kcmp, tree->pid[0], tree->pid[index], 0, fd, fd))
			add(out, "kcmp: fd %d as #0\n", fd);
	}
}

char *ckpt_snapshot(pid_t pid)
{
	struct text out = { .size = 1 << 16 };
	struct pids tree = {}, old = {};
	int i;

	out.buf = malloc(out.size);
	if (!out.buf)
		return NULL;
	out.buf[0] = '\0';
	pids_add(&tree, pid);
	find_tree(&tree, &old, true);
	pids_free(&old);
	pids_sort(&tree);
	for (i = 0; i < tree.nr; i++) {
		char state = state_of(tree.pid[i]);

		add(&out, "=== process #%d%s%s\n", i,
		    state == 'Z' ? " zombie" : "",
		    state == 'T' ? " stopped" : "");
		if (state == 'Z') {
			add_zombie(&out, &tree, tree.pid[i]);
			continue;
		}
		add_process(&out, &tree, tree.pid[i]);
		add_sharing(&out, &tree, i);
		add_shared_fds(&out, &tree, i);
	}
	pids_free(&tree);
	return out.buf;
}

static size_t line_len(const char *line)
{
	return strcspn(line, "\n");
}

static const char *line_next(const char *line)
{
	line += line_len(line);
	return *line ? line + 1 : line;
}

static bool same_line(const char *a, const char *b)
{
	return line_len(a) == line_len(b) && !memcmp(a, b, line_len(a));
}

int ckpt_compare(const char *before, const char *after)
{
	int differences = 0;
	const char *a = before, *b = after, *look;

	while (*a || *b) {
		if (*a && *b && same_line(a, b)) {
			a = line_next(a);
			b = line_next(b);
			continue;
		}
		differences++;
		if (differences == 40)
			ckpt_say("  and so on");
		/* Is the old line further down? Then the new one is more. */
		look = b;
		while (*look && !(*a && same_line(a, look)))
			look = line_next(look);
		if (*look && *b) {
			if (differences < 40)
				ckpt_say("  + %.*s", (int)line_len(b), b);
			b = line_next(b);
		} else if (*a) {
			if (differences < 40)
				ckpt_say("  - %.*s", (int)line_len(a), a);
			a = line_next(a);
		} else {
			if (differences < 40)
				ckpt_say("  + %.*s", (int)line_len(b), b);
			b = line_next(b);
		}
	}
	return differences;
}

/* --- whole tests ---------------------------------------------------------- */

/* Is it this line about what changes on the way into a system call or a stop? */
static bool may_settle(const char *line)
{
	return !strncmp(line, "===", 3) || !strncmp(line, "Sig", 3) ||
	       !strncmp(line, "Shd", 3);
}

static bool differ_for_now(const char *before, const char *after)
{
	bool differ = false;

	while (*before && *after) {
		if (!same_line(before, after)) {
			if (!may_settle(before) || !may_settle(after))
				return false;
			differ = true;
		}
		before = line_next(before);
		after = line_next(after);
	}
	return differ && !*before && !*after;
}

/*
 * Who was stopped runs the last few steps to where it stops, and others go back
 * into their system calls, where they can have other signals blocked.
 */
static char *settled_snapshot(pid_t pid, const char *before)
{
	char *after = ckpt_snapshot(pid);
	int ms;

	for (ms = 0; ms < PATIENCE_MS / 4 && before && after &&
	     differ_for_now(before, after); ms += 10) {
		free(after);
		usleep(10000);
		after = ckpt_snapshot(pid);
	}
	return after;
}

static int compare_snap(pid_t pid, const char *before, const char *what)
{
	char *after = settled_snapshot(pid, before);
	int differences;

	if (!after || !before)
		return ckpt_say("no snapshot");
	differences = ckpt_compare(before, after);
	free(after);
	if (differences)
		return ckpt_say("%d differences in /proc after %s", differences,
				what);
	return 0;
}

/* Who has just said where it is can still be on its way into a system call. */
static char *steady_snapshot(pid_t pid)
{
	char *last = NULL, *now = ckpt_snapshot(pid);
	int tries;

	for (tries = 0; tries < 100 && now && (!last || strcmp(last, now));
	     tries++) {
		free(last);
		last = now;
		usleep(2000);
		now = ckpt_snapshot(pid);
	}
	free(last);
	return now;
}

static int run_unharmed(struct ckpt_test *t, const char *scenario,
			const char *arg, unsigned int options)
{
	char *before = NULL;
	int ret = -1;
	pid_t pid;
	long id;

	pid = ckpt_start(t, scenario, arg);
	if (pid <= 0)
		return pid ? -1 : CKPT_SKIPPED;
	if (ckpt_dry())
		return ckpt_finish(t, pid);
	if (!(options & CKPT_RT_NO_SNAP))
		before = steady_snapshot(pid);
	id = ckpt_checkpoint(t, pid, t->image, 0);
	if ((id == -EOPNOTSUPP || id == -EBUSY) && t->log_len &&
	    options & CKPT_RT_MAY_REFUSE)
		t->refused = true;
	else if (id <= 0)
		goto out;
	if (before && compare_snap(pid, before, "a checkpoint"))
		goto out;
	ret = ckpt_finish(t, pid);
	if (ret)
		ckpt_say("%s went on after a checkpoint and was not content",
			 scenario);
out:
	free(before);
	if (ret && t->nr_pids)
		ckpt_kill(t, pid);
	return ret;
}

int ckpt_roundtrip(struct ckpt_test *t, const char *scenario, const char *arg,
		   unsigned int options)
{
	unsigned long flags = 0;
	char *before = NULL;
	pid_t pid, restarted;
	int ret = -1;

	if (!(options & CKPT_RT_ONCE) || ckpt_dry()) {
		t->refused = false;
		ret = run_unharmed(t, scenario, arg, options);
		if (ret || ckpt_dry() || t->refused)
			return ret;
		ret = -1;
	}
	if (options & CKPT_RT_FRESH)
		flags |= RESTART_FRESH_PIDS;
	pid = ckpt_start(t, scenario, arg);
	if (pid <= 0)
		return pid ? -1 : CKPT_SKIPPED;
	if (!(options & CKPT_RT_NO_SNAP))
		before = steady_snapshot(pid);
	if (ckpt_checkpoint(t, pid, t->image, options & CKPT_RT_KILL ?
			    CHECKPOINT_KILL : 0) <= 0)
		goto out;
	if (options & CKPT_RT_KILL ? ckpt_reap(t, pid) : ckpt_kill(t, pid))
		goto out;
	restarted = ckpt_restart(t, t->image, flags);
	if (restarted <= 0)
		goto out;
	if (restarted != pid && !(options & CKPT_RT_FRESH)) {
		ckpt_say("pid %d became %d", pid, restarted);
		goto out;
	}
	if (before && compare_snap(restarted, before, "the restart"))
		goto out;
	ret = ckpt_finish(t, restarted);
	if (ret)
		ckpt_say("%s was restarted and was not content", scenario);
out:
	free(before);
	return ret;
}

int ckpt_refused(struct ckpt_test *t, const char *scenario, const char *arg,
		 int error, const char *kind, const char *text)
{
	unsigned long addr;
	pid_t pid;
	int pass, fd;
	long ret;

	pid = ckpt_start(t, scenario, arg);
	if (pid <= 0)
		return pid ? -1 : CKPT_SKIPPED;
	if (ckpt_dry())
		return ckpt_finish(t, pid);
	fd = ckpt_peek_value(pid, 0) ?: -1;
	addr = ckpt_peek_value(pid, 1);
	for (pass = 0; pass < 2; pass++) {
		int out = open(t->image, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
			       0600);

		if (out < 0)
			return ckpt_say("%s: %s", t->image, strerror(errno));
		ret = ckpt_checkpoint_fd(t, pid, pass ? out : -1,
					 pass ? 0 : CHECKPOINT_DRY_RUN);
		close(out);
		if (!ckpt_is_first_error(t, ret)) {
			ckpt_say("%s: %s gave %ld, not what the log begins with",
				 scenario, pass ? "checkpoint" : "dry run", ret);
			ckpt_show_log(t);
			return -1;
		}
		if (!ckpt_reason(t, error, kind, fd, addr, text)) {
			ckpt_say("%s: no reason with errno=%d fd=%d addr=%#lx kind=%s text '%s'",
				 scenario, error, fd, addr, kind ?: "any",
				 text ?: "");
			ckpt_show_log(t);
			return -1;
		}
		if (ckpt_file_size(t->image) != 0)
			return ckpt_say("%s: refused, but something was written",
					scenario);
	}
	ret = ckpt_finish(t, pid);
	if (ret)
		ckpt_say("%s was refused and then was not content", scenario);
	return ret;
}

int ckpt_fails_once(int *other)
{
	struct sockaddr none = { .sa_family = AF_UNSPEC };
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair))
		return ckpt_say("socketpair: %s", strerror(errno));
	*other = pair[1];
	/* Who disconnects with something unread reports an error to the peer. */
	if (write(pair[0], "lost", 4) != 4 ||
	    connect(pair[1], &none, sizeof(none)))
		return ckpt_say("connect: %s", strerror(errno));
	return pair[0];
}

int ckpt_as_user(struct ckpt_test *t, unsigned int uid,
		 int (*run)(struct ckpt_test *t))
{
	int status, ret;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid < 0)
		return ckpt_say("fork: %s", strerror(errno));
	if (!pid) {
		t->nr_pids = 0;
		adopt_orphans();
		if (setgroups(0, NULL) || setresgid(uid, uid, uid) ||
		    setresuid(uid, uid, uid))
			_exit(ckpt_say("cannot become user %u", uid));
		ret = run(t);
		while (t->nr_pids)
			ckpt_kill(t, t->pids[t->nr_pids - 1]);
		reap_orphans(PATIENCE_MS / 2);
		if (ckpt_has_children())
			ret = ckpt_say("user %u has a child that nobody knows of",
				       uid);
		fflush(NULL);
		_exit(ret);
	}
	if (waitpid(pid, &status, 0) != pid)
		return ckpt_say("wait: %s", strerror(errno));
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
