// SPDX-License-Identifier: GPL-2.0
/*
 * checkpoint(1): writes an image of a running process.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "checkpoint.h"
#include "common.h"
#include "json_util.h"
#include "output.h"

static struct {
	const char *output;
	const char *log;
	pid_t pid;
	struct ckpt_external *externals;
	size_t nr_externals;
	bool force;
	bool dry_run;
	bool check;
	bool kill;
	bool tcp_close;
	bool verbose;
	bool json;
	bool stats;
} opt;

/* --- progress ---------------------------------------------------------------- */

/* Only a wait that is long enough to be noticed is told about. */
#define PROGRESS_FIRST_MS	1000
#define PROGRESS_STEP_MS	200

struct progress {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t cond;
	bool stop;
	bool running;
	int fd;
};

static bool progress_wait(struct progress *progress, int ms)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += ms * 1000000L;
	until.tv_sec += until.tv_nsec / 1000000000L;
	until.tv_nsec %= 1000000000L;
	while (!progress->stop)
		if (pthread_cond_timedwait(&progress->cond, &progress->lock,
					   &until) == ETIMEDOUT)
			break;
	return !progress->stop;
}

static void *progress_thread(void *arg)
{
	struct progress *progress = arg;
	bool shown = false;
	struct stat st;
	int ms = PROGRESS_FIRST_MS;

	pthread_mutex_lock(&progress->lock);
	while (progress_wait(progress, ms)) {
		ms = PROGRESS_STEP_MS;
		if (fstat(progress->fd, &st))
			break;
		fprintf(stderr, "\r%s: %" PRIu64 " MiB written", prog,
			(uint64_t)st.st_size >> 20);
		shown = true;
	}
	if (shown)
		fprintf(stderr, "\r\033[K");
	pthread_mutex_unlock(&progress->lock);
	return NULL;
}

/* Tells how the file grows, when somebody looks on. */
static void progress_start(struct progress *progress, int fd)
{
	pthread_condattr_t attr;
	sigset_t all, old;
	struct stat st;

	memset(progress, 0, sizeof(*progress));
	progress->fd = fd;
	if (!isatty(STDERR_FILENO) || fstat(fd, &st) || !S_ISREG(st.st_mode))
		return;
	pthread_mutex_init(&progress->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&progress->cond, &attr);
	/* Signals are for the thread that waits for the kernel. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	progress->running = !pthread_create(&progress->thread, NULL,
					    progress_thread, progress);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
}

static void progress_stop(struct progress *progress)
{
	if (!progress->running)
		return;
	pthread_mutex_lock(&progress->lock);
	progress->stop = true;
	pthread_cond_signal(&progress->cond);
	pthread_mutex_unlock(&progress->lock);
	pthread_join(progress->thread, NULL);
}

/* --- what the kernel can do --------------------------------------------------- */

/* The table as JSON: a line of it each, the columns stand between tabs. */
static void print_table_json(char *text)
{
	struct json_object *top = json_object_new_object();
	struct json_object *list = json_object_new_array();
	struct json_object *row;
	char *line, *field, *lines = NULL;
	static const char *const names[] = { "family", "kind", "status",
					     "about" };
	size_t i;

	for (line = strtok_r(text, "\n", &lines); line;
	     line = strtok_r(NULL, "\n", &lines)) {
		if (*line == '#')
			continue;
		row = json_object_new_object();
		for (i = 0; i < 4 && (field = strsep(&line, "\t")); i++)
			json_put_str(row, names[i], field);
		json_object_array_add(list, row);
	}
	json_object_object_add(top, "kinds", list);
	printf("%s\n", json_object_to_json_string_ext(top, JSON_PRETTY));
	json_object_put(top);
}

static int do_check(void)
{
	char *text;
	int err;

	err = ckpt_query(&text);
	if (err) {
		warn_errno(err, "cannot ask the kernel what it supports");
		if (hint(err))
			warn_msg("%s", hint(err));
		return err == -ENOSYS ? EXIT_NO_KERNEL : EXIT_FAILED;
	}
	if (opt.json)
		print_table_json(text);
	else
		fputs(text, stdout);
	free(text);
	return close_stdout() ? EXIT_FAILED : EXIT_OK;
}

/* --- who is killed -------------------------------------------------------------- */

/* While some of them are dying, and when only their parents are waited for. */
#define DYING_SECONDS		10
#define ZOMBIE_SECONDS		0.5

struct proc {
	pid_t pid;
	pid_t parent;
	bool in_tree;
};

struct procs {
	struct proc *proc;
	size_t nr;
};

/* What /proc tells: the state, and the parent; 0 when there is no such process. */
static char proc_stat(pid_t pid, pid_t *parent)
{
	char path[64], text[256], state = 0;
	const char *behind = NULL;
	FILE *file;
	int ppid;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	if (fgets(text, sizeof(text), file))
		behind = strrchr(text, ')');
	fclose(file);
	if (!behind || sscanf(behind, ") %c %d", &state, &ppid) != 2)
		return 0;
	if (parent)
		*parent = ppid;
	return state;
}

static bool procs_add(struct procs *procs, pid_t pid, pid_t parent)
{
	struct proc *bigger;

	bigger = reallocarray(procs->proc, procs->nr + 1, sizeof(*bigger));
	if (!bigger)
		return false;
	bigger[procs->nr++] = (struct proc){ .pid = pid, .parent = parent };
	procs->proc = bigger;
	return true;
}

static int by_pid(const void *a, const void *b)
{
	const struct proc *one = a, *other = b;

	return one->pid < other->pid ? -1 : one->pid > other->pid;
}

static bool in_tree(const struct procs *procs, pid_t pid)
{
	struct proc key = { .pid = pid }, *found;

	found = bsearch(&key, procs->proc, procs->nr, sizeof(key), by_pid);
	return found && found->in_tree;
}

/*
 * The root and its descendants, as they are just now. One that is missed is not
 * waited for, no more.
 */
static void procs_find(struct procs *procs, pid_t root)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	pid_t pid, parent;
	bool more;
	size_t i;

	while (dir && (entry = readdir(dir)))
		if (parse_pid(entry->d_name, &pid) && pid != root &&
		    proc_stat(pid, &parent) &&
		    !procs_add(procs, pid, parent))
			break;
	if (dir)
		closedir(dir);
	if (!procs_add(procs, root, 0))
		return;
	procs->proc[procs->nr - 1].in_tree = true;
	qsort(procs->proc, procs->nr, sizeof(*procs->proc), by_pid);
	do {
		more = false;
		for (i = 0; i < procs->nr; i++) {
			if (procs->proc[i].in_tree ||
			    !in_tree(procs, procs->proc[i].parent))
				continue;
			procs->proc[i].in_tree = true;
			more = true;
		}
	} while (more);
}

/* Are their pids free? Not before their parents have waited for them. */
static bool procs_gone(const struct procs *procs)
{
	struct timespec pause = { .tv_nsec = 2000000 };
	double start = now(), seen = start;
	bool any, alive;
	size_t i;

	for (;;) {
		any = false;
		alive = false;
		for (i = 0; i < procs->nr; i++) {
			struct proc *proc = &procs->proc[i];

			if (!proc->in_tree)
				continue;
			if (kill(proc->pid, 0) && errno == ESRCH) {
				proc->in_tree = false;
				continue;
			}
			any = true;
			if (!alive)
				alive = proc_stat(proc->pid, NULL) != 'Z';
		}
		if (!any)
			return true;
		if (alive)
			seen = now();
		if (now() - seen > ZOMBIE_SECONDS ||
		    now() - start > DYING_SECONDS)
			return false;
		nanosleep(&pause, NULL);
	}
}

/* --- checkpoint --------------------------------------------------------------- */

static int exit_code(int err)
{
	if (err >= 0)
		return EXIT_OK;
	return err == -ENOSYS ? EXIT_NO_KERNEL : EXIT_FAILED;
}

static void report(int ret, const struct ckpt_reasons *reasons, FILE *json)
{
	size_t nr = ckpt_reasons_count(reasons);
	const char *what = opt.dry_run ? "would not checkpoint" :
					 "cannot checkpoint";

	if (opt.json)
		show_reasons_json(json, "crid", ret < 0 ? ret : 0, ret,
				  reasons);
	else
		show_reasons(reasons);
	if (ret >= 0)
		return;
	if (opt.json) {
		log_msg("%s process %d: %s", what, (int)opt.pid,
			strerror(-ret));
		return;
	}
	if (nr > 1)
		warn_errno(ret, "%s process %d (%zu reasons)", what,
			   (int)opt.pid, nr);
	else
		warn_errno(ret, "%s process %d", what, (int)opt.pid);
	if (!nr && hint(ret))
		warn_msg("%s", hint(ret));
}

static int do_dry_run(void)
{
	struct ckpt_opts opts = CKPT_OPTS_INIT;
	struct ckpt_reasons *reasons;
	int ret;

	opts.flags = CKPT_DRY_RUN;
	opts.externals = opt.externals;
	opts.nr_externals = opt.nr_externals;
	if (opt.tcp_close)
		opts.flags |= CKPT_TCP_RESET;
	opts.reasons = &reasons;
	ret = ckpt_checkpoint(opt.pid, -1, &opts);
	report(ret, reasons, stdout);
	if (ret >= 0 && opt.verbose)
		warn_msg("process %d can be checkpointed", (int)opt.pid);
	ckpt_reasons_free(reasons);
	if (close_stdout())
		return EXIT_FAILED;
	return exit_code(ret);
}

/* What a pipe or a socket took is not known: @bytes is -1. */
static void show_stats(int64_t bytes, double seconds, double sync_seconds)
{
	if (bytes >= 0)
		fprintf(stderr, "image size:      %" PRId64 " bytes\n", bytes);
	fprintf(stderr, "checkpoint time: %.6f s\n", seconds);
	fprintf(stderr, "time to disk:    %.6f s\n", sync_seconds);
	if (bytes >= 0 && seconds > 0)
		fprintf(stderr, "rate:            %.1f MiB/s\n",
			bytes / seconds / (1 << 20));
}

/* Something could not be told; but it is no failure any more. */
static void tell_done(void)
{
	warn_msg("process %d: the image is complete%s", (int)opt.pid,
		 opt.kill ? ", the processes were killed" : "");
}

static int do_checkpoint(void)
{
	struct ckpt_opts opts = CKPT_OPTS_INIT;
	double start, saved, synced;
	struct ckpt_reasons *reasons;
	struct procs procs = { 0 };
	struct progress progress;
	struct output out;
	struct stat st;
	bool is_file;
	FILE *json;
	int ret, err;

	if (output_open(&out, opt.output, opt.force))
		return EXIT_FAILED;
	json = out.fd == STDOUT_FILENO ? stderr : stdout;
	/* After --kill the file is all that is left of the process. */
	if (opt.kill) {
		output_hold();
		procs_find(&procs, opt.pid);
	}

	opts.flags = opt.kill ? CKPT_KILL : 0;
	opts.externals = opt.externals;
	opts.nr_externals = opt.nr_externals;
	if (opt.tcp_close)
		opts.flags |= CKPT_TCP_RESET;
	opts.reasons = &reasons;

	progress_start(&progress, out.fd);
	start = now();
	ret = ckpt_checkpoint(opt.pid, out.fd, &opts);
	saved = now();
	progress_stop(&progress);

	if (ret < 0) {
		report(ret, reasons, json);
		ckpt_reasons_free(reasons);
		output_discard(&out);
		return exit_code(ret);
	}

	/*
	 * We are in the tree, and go on from the image, which is written long
	 * ago; its descriptor is not ours any more.
	 */
	if (!ret)
		return EXIT_OK;

	/* It is done: a reader who is gone does not end us any more. */
	signal(SIGPIPE, SIG_IGN);
	is_file = !fstat(out.fd, &st) && S_ISREG(st.st_mode);
	err = output_commit(&out, opt.kill);
	synced = now();
	if (!procs_gone(&procs) && opt.verbose)
		warn_msg("process %d or a descendant is not gone: nobody has waited for it",
			 (int)opt.pid);
	if (opt.json)
		show_reasons_json(json, "crid", err, ret, NULL);
	if (err && opt.kill)
		warn_msg("process %d: the processes were killed",
			 (int)opt.pid);
	if (err)
		return opt.kill ? EXIT_KILLED : EXIT_FAILED;

	if (opt.verbose)
		warn_msg("process %d: checkpoint %d%s", (int)opt.pid, ret,
			 opt.kill ? ", killed" : "");
	else
		log_msg("process %d: checkpoint %d%s", (int)opt.pid, ret,
			opt.kill ? ", killed" : "");
	if (opt.stats)
		show_stats(is_file ? st.st_size : -1, saved - start,
			   synced - saved);
	if (json == stdout && close_stdout())
		tell_done();
	return EXIT_OK;
}

/* --- command line --------------------------------------------------------------- */

static void usage(void)
{
	printf("Usage: %s [options] -o IMAGE PID\n"
	       "       %s [options] PID > IMAGE\n"
	       "       %s --dry-run PID\n"
	       "       %s --check\n"
	       "Write an image of the running process PID, from which restart(1) makes it again.\n"
	       "\n"
	       "  -o, --output FILE   write the image to FILE (-: standard output, the default)\n"
	       "  -f, --force         overwrite FILE\n"
	       "  -t, --tree PID      the same as PID\n"
	       "  -n, --dry-run       write nothing, tell all that stands against it\n"
	       "      --check         tell what the running kernel can save\n"
	       "  -k, --kill          kill the process when its image is complete\n"
	       "  -R, --leave-running let it run on (the default)\n"
	       "      --external fd:N, --external PID:N\n"
	       "                      leave an open file outside that others have, too\n"
	       "      --tcp-close     let connections with others come back as ones that were reset\n"
	       "  -l, --logfile FILE, --log-file FILE\n"
	       "                      write messages to FILE too\n"
	       "      --json          write result and reasons as JSON\n"
	       "      --display-stats tell how large the image is, and how long it took\n"
	       "  -v, --verbose       tell what is done\n"
	       "  -h, --help          print this help\n"
	       "  -V, --version       print the version\n"
	       "\n"
	       "Exit status: 0: done (or could be done), 1: failed or refused, 2: wrong use,\n"
	       "3: the kernel has no checkpoint/restart, 4: --kill has killed, but the image is\n"
	       "not safe on the disk.\n"
	       "\n"
	       "For more details see checkpoint(1).\n",
	       prog, prog, prog, prog);
}

enum {
	OPT_CHECK = 256,
	OPT_JSON,
	OPT_STATS,
	OPT_EXTERNAL,
	OPT_TCP_CLOSE,
};

static const struct option long_options[] = {
	{ "output",		required_argument,	NULL, 'o' },
	{ "force",		no_argument,		NULL, 'f' },
	{ "tree",		required_argument,	NULL, 't' },
	{ "dry-run",		no_argument,		NULL, 'n' },
	{ "check",		no_argument,		NULL, OPT_CHECK },
	{ "kill",		no_argument,		NULL, 'k' },
	{ "leave-running",	no_argument,		NULL, 'R' },
	{ "external",		required_argument,	NULL, OPT_EXTERNAL },
	{ "tcp-close",		no_argument,		NULL, OPT_TCP_CLOSE },
	{ "logfile",		required_argument,	NULL, 'l' },
	{ "log-file",		required_argument,	NULL, 'l' },
	{ "json",		no_argument,		NULL, OPT_JSON },
	{ "display-stats",	no_argument,		NULL, OPT_STATS },
	{ "verbose",		no_argument,		NULL, 'v' },
	{ "help",		no_argument,		NULL, 'h' },
	{ "version",		no_argument,		NULL, 'V' },
	{ NULL, 0, NULL, 0 }
};

static int set_pid(const char *arg)
{
	pid_t pid;

	if (!parse_pid(arg, &pid))
		return bad_usage("'%s' is not a process id", arg);
	if (pid == getpid())
		return bad_usage("process %d is this program itself", (int)pid);
	if (opt.pid && opt.pid != pid)
		return bad_usage("only one process can be given");
	opt.pid = pid;
	return 0;
}

/* 0, or -1 when all is done, or an exit code. */
static int parse_args(int argc, char **argv)
{
	bool leave_running = false;
	int c, ret;

	while ((c = getopt_long(argc, argv, "o:ft:nkRl:vhV", long_options,
				NULL)) != -1) {
		switch (c) {
		case 'o':
			opt.output = optarg;
			break;
		case 'f':
			opt.force = true;
			break;
		case 't':
			ret = set_pid(optarg);
			if (ret)
				return ret;
			break;
		case 'n':
			opt.dry_run = true;
			break;
		case OPT_CHECK:
			opt.check = true;
			break;
		case 'k':
			opt.kill = true;
			break;
		case 'R':
			leave_running = true;
			break;
		case OPT_TCP_CLOSE:
			opt.tcp_close = true;
			break;
		case 'l':
			opt.log = optarg;
			break;
		case OPT_JSON:
			opt.json = true;
			break;
		case OPT_EXTERNAL:
			if (!parse_external(optarg, false,
					    add_external(&opt.externals,
							 &opt.nr_externals)))
				return bad_usage("'%s' is neither fd:N nor PID:N",
						 optarg);
			break;
		case OPT_STATS:
			opt.stats = true;
			break;
		case 'v':
			opt.verbose = true;
			break;
		default:
			return other_option(c, usage);
		}
	}
	for (; optind < argc; optind++) {
		ret = set_pid(argv[optind]);
		if (ret)
			return ret;
	}

	if (opt.check) {
		if (opt.pid || opt.dry_run || opt.output || opt.kill ||
		    opt.tcp_close || opt.nr_externals)
			return bad_usage("--check stands alone");
		return 0;
	}
	if (!opt.pid)
		return bad_usage("the process id is missing");
	if (opt.kill && leave_running)
		return bad_usage("--kill and --leave-running contradict each other");
	if (opt.dry_run) {
		if (opt.output || opt.kill)
			return bad_usage("--dry-run writes nothing and kills nothing");
		return 0;
	}
	if (!opt.output)
		opt.output = "-";
	if (!strcmp(opt.output, "-") && isatty(STDOUT_FILENO))
		return bad_usage("an image is not for a terminal; use -o FILE");
	return 0;
}

int main(int argc, char **argv)
{
	int ret;

	tool_start(argv[0]);
	ret = parse_args(argc, argv);
	if (ret)
		return ret < 0 ? EXIT_OK : ret;
	if (opt.log && log_open(opt.log))
		return EXIT_FAILED;

	if (opt.check)
		ret = do_check();
	else if (opt.dry_run)
		ret = do_dry_run();
	else
		ret = do_checkpoint();

	if (log_close() && ret == EXIT_OK) {
		warn_errno(EIO, "%s", opt.log);
		if (opt.check || opt.dry_run)
			ret = EXIT_FAILED;
		else
			tell_done();
	}
	return ret;
}
