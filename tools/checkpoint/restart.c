// SPDX-License-Identifier: GPL-2.0
/*
 * restart(1): makes a process again from its image.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <libgen.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "checkpoint.h"
#include "common.h"
#include "ns.h"

static struct {
	const char *input;
	const char *log;
	const char *pidfile;
	const char *root;
	struct ckpt_external *externals;
	size_t nr_externals;
	bool wait;
	bool copy_status;
	bool fresh_pids;
	bool self;
	bool stopped;
	bool verbose;
	bool json;
	bool stats;
	bool callers_ns;
	bool cgroups;
	struct ns_opts ns;
} opt;

/* What restart itself fails with. */
static int failed(int code)
{
	return opt.copy_status ? EXIT_RESTART : code;
}

/* --- pid file ------------------------------------------------------------------ */

/*
 * A process that runs again cannot be taken back: that its pid can be written
 * must be known before. So the file is open and has room on the disk before it
 * is made, under another name if it is new; its contents change afterwards.
 */
struct pidfile {
	int dir;
	int fd;			/* -1: no regular file, opened when needed */
	char *base;
	char *tmp;		/* its name until it is written; NULL: it was there */
	bool named;		/* it is written */
	char old[4096];		/* what was in it, for --self */
	ssize_t old_len;	/* -1: not needed */
};

/* More than the digits of a pid and a newline. */
#define PIDFILE_ROOM	16

/* Can what is there be written? 0 or -errno. */
static int pidfile_use(struct pidfile *pidfile, const struct stat *st)
{
	if (S_ISDIR(st->st_mode))
		return -EISDIR;
	if (!S_ISREG(st->st_mode))
		return faccessat(pidfile->dir, pidfile->base, W_OK,
				 AT_EACCESS) ? -errno : 0;
	pidfile->fd = openat(pidfile->dir, pidfile->base,
			     (opt.self ? O_RDWR : O_WRONLY) | O_CLOEXEC);
	if (pidfile->fd < 0)
		return -errno;
	if (opt.self) {
		if (st->st_size > (off_t)sizeof(pidfile->old))
			return -EFBIG;
		pidfile->old_len = pread(pidfile->fd, pidfile->old,
					 sizeof(pidfile->old), 0);
		if (pidfile->old_len < 0)
			return -errno;
	}
	/* Some file systems cannot do this. */
	if (fallocate(pidfile->fd, FALLOC_FL_KEEP_SIZE, 0, PIDFILE_ROOM) &&
	    errno != EOPNOTSUPP && errno != EINTR)
		return -errno;
	return 0;
}

static int pidfile_make(struct pidfile *pidfile)
{
	char blanks[PIDFILE_ROOM];
	ssize_t n;

	if (asprintf(&pidfile->tmp, "%s.%d", pidfile->base, (int)getpid()) < 0) {
		pidfile->tmp = NULL;
		return -ENOMEM;
	}
	pidfile->fd = openat(pidfile->dir, pidfile->tmp,
			     O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (pidfile->fd < 0) {
		int err = -errno;

		free(pidfile->tmp);
		pidfile->tmp = NULL;
		return err;
	}
	memset(blanks, ' ', sizeof(blanks));
	n = write(pidfile->fd, blanks, sizeof(blanks));
	if (n < 0)
		return -errno;
	if (n != sizeof(blanks))
		return -ENOSPC;
	return fsync(pidfile->fd) && errno != EINVAL ? -errno : 0;
}

/* It failed: all is as it was. */
static void pidfile_undo(struct pidfile *pidfile)
{
	if (pidfile->tmp)
		unlinkat(pidfile->dir,
			 pidfile->named ? pidfile->base : pidfile->tmp, 0);
	else if (pidfile->old_len >= 0 &&
		 (pwrite(pidfile->fd, pidfile->old, pidfile->old_len, 0) < 0 ||
		  ftruncate(pidfile->fd, pidfile->old_len)))
		warn_errno(errno, "%s", opt.pidfile);
}

/* The directory is opened before a chroot. 0, or -1 after a message. */
static int pidfile_prepare(struct pidfile *pidfile)
{
	char *dir, *base;
	struct stat st;
	int err = 0;

	memset(pidfile, 0, sizeof(*pidfile));
	pidfile->dir = -1;
	pidfile->fd = -1;
	pidfile->old_len = -1;
	if (!opt.pidfile)
		return 0;
	dir = strdup(opt.pidfile);
	base = strdup(opt.pidfile);
	if (dir && base)
		pidfile->base = strdup(basename(base));
	if (!pidfile->base)
		err = -ENOMEM;
	else if (!*opt.pidfile)
		err = -ENOENT;
	if (!err) {
		pidfile->dir = open(dirname(dir),
				    O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (pidfile->dir < 0)
			err = -errno;
	}
	if (!err && !fstatat(pidfile->dir, pidfile->base, &st, 0))
		err = pidfile_use(pidfile, &st);
	else if (!err)
		err = pidfile_make(pidfile);
	free(dir);
	free(base);
	if (err) {
		warn_errno(err, "%s", opt.pidfile);
		pidfile_undo(pidfile);
	}
	return err ? -1 : 0;
}

/* 0, or -1 after a message. */
static int pidfile_write(struct pidfile *pidfile, pid_t pid)
{
	char text[PIDFILE_ROOM];
	struct stat st;
	int len, err = 0;

	if (!pidfile->base)
		return 0;
	if (pidfile->fd < 0)
		pidfile->fd = openat(pidfile->dir, pidfile->base,
				     O_WRONLY | O_CLOEXEC);
	len = snprintf(text, sizeof(text), "%d\n", (int)pid);
	/* Over the blanks; a FIFO has no such place. */
	if (pidfile->fd >= 0)
		lseek(pidfile->fd, 0, SEEK_SET);
	if (pidfile->fd < 0 || write(pidfile->fd, text, len) != len ||
	    fstat(pidfile->fd, &st) ||
	    (S_ISREG(st.st_mode) && ftruncate(pidfile->fd, len)))
		err = errno;
	if (!opt.self && pidfile->fd >= 0 && close(pidfile->fd) && !err)
		err = errno;
	if (!err && pidfile->tmp) {
		if (renameat(pidfile->dir, pidfile->tmp, pidfile->dir,
			     pidfile->base))
			err = errno;
		else
			pidfile->named = true;
	}
	if (err)
		warn_errno(err, "%s", opt.pidfile);
	return err ? -1 : 0;
}

/* --- wait ------------------------------------------------------------------------ */

static const int forwarded[] = {
	SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2,
};

static volatile sig_atomic_t child;

/*
 * What a terminal sends reaches the whole process group without our help; a
 * tree that has a group of its own needs it.
 */
static void forward(int sig, siginfo_t *info, void *context)
{
	int saved = errno;
	pid_t pid = child;

	(void)context;
	if (pid > 0 && info->si_code <= 0) {
		kill(pid, sig);
	} else if (pid > 0) {
		pid_t group = getpgid(pid);

		if (group > 0 && group != getpgrp())
			kill(group == pid ? -pid : pid, sig);
	}
	errno = saved;
}

static void forward_signals(void)
{
	struct sigaction action = {
		.sa_sigaction = forward,
		.sa_flags = SA_SIGINFO | SA_RESTART,
	};
	struct sigaction old;
	size_t i;

	sigemptyset(&action.sa_mask);
	for (i = 0; i < ARRAY_SIZE(forwarded); i++)
		if (!sigaction(forwarded[i], NULL, &old) &&
		    old.sa_handler == SIG_DFL)
			sigaction(forwarded[i], &action, NULL);
}

static int open_terminal(void)
{
	return open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
}

static void give_terminal(int tty, pid_t group)
{
	sigset_t ttou, old;

	sigemptyset(&ttou);
	sigaddset(&ttou, SIGTTOU);
	sigprocmask(SIG_BLOCK, &ttou, &old);
	tcsetpgrp(tty, group);
	sigprocmask(SIG_SETMASK, &old, NULL);
}

/*
 * The process may have led the terminal's foreground group when it was saved,
 * and then leads it again. Behind its end it is our group's, if it was before.
 */
static void take_terminal_back(void)
{
	int tty = open_terminal();

	if (tty < 0)
		return;
	give_terminal(tty, getpgrp());
	close(tty);
}

/* Is our process group the one that the terminal belongs to? */
static bool in_foreground(void)
{
	int tty = open_terminal();
	bool ret;

	if (tty < 0)
		return false;
	ret = tcgetpgrp(tty) == getpgrp();
	close(tty);
	return ret;
}

/*
 * It was stopped. When it had the terminal, in a group of its own, then the
 * shell that has started us does not know: our group stops in its place. What
 * lets us run on does the same to it.
 */
static void stop_too(pid_t pid)
{
	pid_t group = getpgid(pid);
	int tty;

	if (group <= 0 || group == getpgrp())
		return;
	tty = open_terminal();
	if (tty < 0)
		return;
	if (tcgetpgrp(tty) == group) {
		give_terminal(tty, getpgrp());
		/* Without a shell nobody could wake us; then this has no effect. */
		kill(0, SIGTSTP);
		if (tcgetpgrp(tty) == getpgrp())
			give_terminal(tty, group);
		kill(-group, SIGCONT);
	}
	close(tty);
}

/* Its exit signal need not be SIGCHLD, so __WALL. */
static int wait_for(pid_t pid, bool foreground)
{
	int status;

	for (;;) {
		if (waitpid(pid, &status, __WALL | WUNTRACED) < 0) {
			if (errno == EINTR)
				continue;
			warn_errno(errno, "cannot wait for process %d",
				   (int)pid);
			return failed(EXIT_FAILED);
		}
		if (!WIFSTOPPED(status))
			break;
		if (foreground)
			stop_too(pid);
	}
	/* Another process may have this pid from now on. */
	child = 0;
	if (foreground)
		take_terminal_back();
	if (opt.verbose && WIFSIGNALED(status))
		warn_msg("process %d: killed by signal %d (%s)", (int)pid,
			 WTERMSIG(status), strsignal(WTERMSIG(status)));
	else if (opt.verbose)
		warn_msg("process %d: exited with %d", (int)pid,
			 WEXITSTATUS(status));
	if (!opt.copy_status)
		return EXIT_OK;
	if (WIFSIGNALED(status))
		return 128 + WTERMSIG(status);
	return WEXITSTATUS(status);
}

/* --- restart ---------------------------------------------------------------------- */

/* What users meet first. */
static const char *advice(int err, const struct ckpt_reasons *reasons)
{
	static const char in_use[] =
		"--fresh-pids helps; if the saved process still runs, both write to the same files";
	const struct ckpt_reason *reason;
	size_t i;

	if (!ckpt_reasons_count(reasons))
		return hint(err);
	for (i = 0; i < ckpt_reasons_count(reasons) && !opt.fresh_pids; i++) {
		reason = ckpt_reasons_get(reasons, i);
		if (!strstr(reason->text, "pid "))
			continue;
		if (reason->error == EEXIST && !opt.self)
			return in_use;
		if (reason->error == EPERM || reason->error == EINVAL ||
		    opt.self)
			return "--fresh-pids does without the saved pid";
	}
	return NULL;
}

static int open_input(void)
{
	int fd;

	if (!opt.input || !strcmp(opt.input, "-"))
		return STDIN_FILENO;
	fd = open(opt.input, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		warn_errno(errno, "%s", opt.input);
	return fd;
}

static int enter_root(void)
{
	if (!opt.root)
		return 0;
	if (chroot(opt.root) || chdir("/")) {
		warn_errno(errno, "%s", opt.root);
		return -1;
	}
	return 0;
}

static void report(int ret, const struct ckpt_reasons *reasons)
{
	if (opt.json) {
		show_reasons_json(stdout, "pid", ret < 0 ? ret : 0, ret,
				  reasons);
		if (ret < 0)
			log_msg("cannot restart: %s", strerror(-ret));
		return;
	}
	show_reasons(reasons);
	if (ret >= 0)
		return;
	warn_errno(ret, "cannot restart%s%s", opt.input ? " from " : "",
		   opt.input ? opt.input : "");
	if (advice(ret, reasons))
		warn_msg("%s", advice(ret, reasons));
}

static int do_restart(void)
{
	struct ckpt_opts opts = CKPT_OPTS_INIT;
	struct ckpt_reasons *reasons;
	struct pidfile pidfile;
	bool foreground, is_file;
	struct stat st;
	double start;
	int fd, ret, untold;

	/* The status of a child would be lost if this were ignored. */
	signal(SIGCHLD, SIG_DFL);
	fd = open_input();
	if (fd < 0)
		return failed(EXIT_FAILED);
	if (pidfile_prepare(&pidfile))
		return failed(EXIT_FAILED);
	if (ns_make(&opt.ns, fd) || enter_root()) {
		pidfile_undo(&pidfile);
		return failed(EXIT_FAILED);
	}

	if (opt.fresh_pids)
		opts.flags |= CKPT_FRESH_PIDS;
	if (opt.self)
		opts.flags |= CKPT_SELF;
	if (opt.stopped)
		opts.flags |= CKPT_STOPPED;
	if (opt.callers_ns)
		opts.flags |= CKPT_CALLERS_NS;
	if (opt.cgroups)
		opts.flags |= CKPT_CGROUPS;
	opts.reasons = &reasons;
	opts.externals = opt.externals;
	opts.nr_externals = opt.nr_externals;

	/* Nothing comes back from a replaced process, so now or never. */
	if (opt.self && pidfile_write(&pidfile, getpid())) {
		pidfile_undo(&pidfile);
		return failed(EXIT_FAILED);
	}

	is_file = !fstat(fd, &st) && S_ISREG(st.st_mode);
	foreground = opt.wait && in_foreground();
	start = now();
	ret = ckpt_restart(0, fd, &opts);
	start = now() - start;
	if (fd != STDIN_FILENO)
		close(fd);
	if (ret < 0) {
		report(ret, reasons);
		ckpt_reasons_free(reasons);
		pidfile_undo(&pidfile);
		if (opt.json)
			close_stdout();
		return failed(ret == -ENOSYS ? EXIT_NO_KERNEL : EXIT_FAILED);
	}

	/* It runs: from here on nothing is a failure. */
	signal(SIGPIPE, SIG_IGN);
	child = ret;
	if (opt.wait)
		forward_signals();
	untold = pidfile_write(&pidfile, ret);
	report(ret, reasons);
	ckpt_reasons_free(reasons);
	if (opt.json && close_stdout())
		untold = -1;
	if (opt.verbose || untold)
		warn_msg("process %d runs again%s", ret,
			 opt.stopped ? " (stopped)" : "");
	else
		log_msg("process %d runs again", ret);
	if (opt.stats) {
		if (is_file)
			fprintf(stderr, "image size:   %lld bytes\n",
				(long long)st.st_size);
		fprintf(stderr, "restart time: %.6f s\n", start);
	}
	return opt.wait ? wait_for(ret, foreground) : EXIT_OK;
}

/* --- command line ------------------------------------------------------------------ */

static void usage(void)
{
	printf("Usage: %s [options] < IMAGE\n"
	       "       %s [options] -i IMAGE\n"
	       "Make the process run again that checkpoint(1) saved in IMAGE.\n"
	       "\n"
	       "  -i, --input FILE    read the image from FILE (-: standard input, the default)\n"
	       "  -w, --wait          wait until the process ends\n"
	       "      --copy-status   wait, and exit as the process did\n"
	       "  -F, --fresh-pids    take a fresh pid instead of the saved one\n"
	       "      --pidfile FILE  write the pid to FILE\n"
	       "      --self          become the process instead of making a child\n"
	       "      --stopped       leave the process stopped; kill -CONT lets it run\n"
	       "      --inherit fd:N=FD, --inherit PID:N=FD (--inherit-fd)\n"
	       "                      give descriptor FD for an open file that was left outside\n"
	       "  -r, --root DIR      change the root directory to DIR first\n"
	       "      --uts, --ipc, --mount, --net, --cgroup, --pid (--pidns), --time, --user\n"
	       "                      make a new namespace of this kind first\n"
	       "      --map-users I:O:N[,...], --map-groups I:O:N[,...]\n"
	       "                      maps of --user: N ids from I on are those from O on here\n"
	       "      --callers-namespaces\n"
	       "                      do without the namespaces that the process had\n"
	       "      --manage-cgroups\n"
	       "                      move to the cgroups of the saved paths\n"
	       "  -l, --logfile FILE, --log-file FILE\n"
	       "                      write messages to FILE too\n"
	       "      --json          write result and reasons as JSON\n"
	       "      --display-stats tell how long it took\n"
	       "  -v, --verbose       tell what is done, and the pid\n"
	       "  -h, --help          print this help\n"
	       "  -V, --version       print the version\n"
	       "\n"
	       "Exit status: 0: done, 1: failed or refused, 2: wrong use, 3: the kernel has no\n"
	       "checkpoint/restart. With --copy-status: the process's own, 128+N when signal N\n"
	       "ended it, 125 when restart itself failed.\n"
	       "\n"
	       "For more details see restart(1).\n",
	       prog, prog);
}

enum {
	OPT_COPY_STATUS = 256,
	OPT_PIDFILE,
	OPT_SELF,
	OPT_STOPPED,
	OPT_JSON,
	OPT_STATS,
	OPT_INHERIT,
	OPT_UTS,
	OPT_IPC,
	OPT_MOUNT,
	OPT_NET,
	OPT_CGROUP,
	OPT_PID,
	OPT_TIME,
	OPT_USER,
	OPT_MAP_USERS,
	OPT_MAP_GROUPS,
	OPT_CALLERS_NS,
	OPT_MANAGE_CGROUPS,
};

static const int ns_flags[] = {
	[OPT_UTS - OPT_UTS]	= CLONE_NEWUTS,
	[OPT_IPC - OPT_UTS]	= CLONE_NEWIPC,
	[OPT_MOUNT - OPT_UTS]	= CLONE_NEWNS,
	[OPT_NET - OPT_UTS]	= CLONE_NEWNET,
	[OPT_CGROUP - OPT_UTS]	= CLONE_NEWCGROUP,
	[OPT_PID - OPT_UTS]	= CLONE_NEWPID,
	[OPT_TIME - OPT_UTS]	= 0x80,		/* CLONE_NEWTIME */
	[OPT_USER - OPT_UTS]	= CLONE_NEWUSER,
};

static const struct option long_options[] = {
	{ "input",		required_argument,	NULL, 'i' },
	{ "wait",		no_argument,		NULL, 'w' },
	{ "copy-status",	no_argument,		NULL, OPT_COPY_STATUS },
	{ "fresh-pids",		no_argument,		NULL, 'F' },
	{ "pidfile",		required_argument,	NULL, OPT_PIDFILE },
	{ "self",		no_argument,		NULL, OPT_SELF },
	{ "stopped",		no_argument,		NULL, OPT_STOPPED },
	{ "inherit",		required_argument,	NULL, OPT_INHERIT },
	{ "inherit-fd",		required_argument,	NULL, OPT_INHERIT },
	{ "root",		required_argument,	NULL, 'r' },
	{ "logfile",		required_argument,	NULL, 'l' },
	{ "log-file",		required_argument,	NULL, 'l' },
	{ "json",		no_argument,		NULL, OPT_JSON },
	{ "display-stats",	no_argument,		NULL, OPT_STATS },
	{ "uts",		no_argument,		NULL, OPT_UTS },
	{ "ipc",		no_argument,		NULL, OPT_IPC },
	{ "mount",		no_argument,		NULL, OPT_MOUNT },
	{ "net",		no_argument,		NULL, OPT_NET },
	{ "cgroup",		no_argument,		NULL, OPT_CGROUP },
	{ "pid",		no_argument,		NULL, OPT_PID },
	{ "pidns",		no_argument,		NULL, OPT_PID },
	{ "time",		no_argument,		NULL, OPT_TIME },
	{ "user",		no_argument,		NULL, OPT_USER },
	{ "map-users",		required_argument,	NULL, OPT_MAP_USERS },
	{ "map-groups",		required_argument,	NULL, OPT_MAP_GROUPS },
	{ "callers-namespaces",	no_argument,		NULL, OPT_CALLERS_NS },
	{ "manage-cgroups",	no_argument,		NULL, OPT_MANAGE_CGROUPS },
	{ "verbose",		no_argument,		NULL, 'v' },
	{ "help",		no_argument,		NULL, 'h' },
	{ "version",		no_argument,		NULL, 'V' },
	{ NULL, 0, NULL, 0 }
};

/*
 * What is given must be there before files of our own are opened: they would get
 * the number of one that is closed. 0 or an exit code.
 */
static int add_inherited(const char *arg)
{
	struct ckpt_external *ext = add_external(&opt.externals,
						 &opt.nr_externals);

	if (!parse_external(arg, true, ext))
		return bad_usage("'%s' is neither fd:N=FD nor PID:N=FD", arg);
	if (fcntl(ext->with, F_GETFD) < 0) {
		warn_errno(errno, "--inherit %s", arg);
		return EXIT_FAILED;
	}
	return 0;
}

/* 0, or -1 when all is done, or an exit code. */
static int parse_args(int argc, char **argv)
{
	bool bad = false;
	int c, err;

	while ((c = getopt_long(argc, argv, "i:wFr:l:vhV", long_options,
				NULL)) != -1) {
		switch (c) {
		case 'i':
			opt.input = optarg;
			break;
		case 'w':
			opt.wait = true;
			break;
		case OPT_COPY_STATUS:
			opt.copy_status = true;
			opt.wait = true;
			break;
		case 'F':
			opt.fresh_pids = true;
			break;
		case OPT_PIDFILE:
			opt.pidfile = optarg;
			break;
		case OPT_SELF:
			opt.self = true;
			break;
		case OPT_STOPPED:
			opt.stopped = true;
			break;
		case 'r':
			opt.root = optarg;
			break;
		case 'l':
			opt.log = optarg;
			break;
		case OPT_JSON:
			opt.json = true;
			break;
		case OPT_INHERIT:
			err = add_inherited(optarg);
			if (err)
				return failed(err);
			break;
		case OPT_STATS:
			opt.stats = true;
			break;
		case OPT_UTS ... OPT_USER:
			opt.ns.flags |= ns_flags[c - OPT_UTS];
			break;
		case OPT_MAP_USERS:
			opt.ns.users = optarg;
			break;
		case OPT_MAP_GROUPS:
			opt.ns.groups = optarg;
			break;
		case OPT_CALLERS_NS:
			opt.callers_ns = true;
			break;
		case OPT_MANAGE_CGROUPS:
			opt.cgroups = true;
			break;
		case 'v':
			opt.verbose = true;
			break;
		case '?':
			/* --copy-status may stand behind it. */
			bad = true;
			break;
		default:
			return other_option(c, usage);
		}
	}
	if (bad)
		return failed(other_option('?', usage));
	if (optind < argc)
		return failed(bad_usage("the image is given with -i FILE, or on standard input"));
	if ((opt.ns.users || opt.ns.groups) &&
	    !(opt.ns.flags & CLONE_NEWUSER))
		return failed(bad_usage("--map-users and --map-groups are for --user"));
	if (opt.self && opt.ns.flags & CLONE_NEWPID)
		return failed(bad_usage("--self keeps its pid, and its namespace of pids"));
	if (opt.self && opt.wait)
		return failed(bad_usage("--self leaves nobody to wait"));
	if ((!opt.input || !strcmp(opt.input, "-")) && isatty(STDIN_FILENO))
		return failed(bad_usage("an image does not come from a terminal; use -i FILE"));
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
		return failed(EXIT_FAILED);
	ret = do_restart();
	/* No failure: the process runs, or ran. */
	if (log_close())
		warn_errno(EIO, "%s", opt.log);
	return ret;
}
