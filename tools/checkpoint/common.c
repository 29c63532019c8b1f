// SPDX-License-Identifier: GPL-2.0
/*
 * What the tools share: messages, exit codes, reasons.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "checkpoint.h"
#include "common.h"
#include "json_util.h"

const char *prog = "checkpoint";
static FILE *log_file;

/*
 * To be called first. An image must not become standard error because that was
 * closed: what is closed is taken, and stays as useless as it was.
 */
void tool_start(const char *argv0)
{
	const char *slash;
	int fd;

	for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
			open("/dev/null", fd ? O_RDONLY : O_WRONLY);
	if (!argv0 || !*argv0)
		return;
	slash = strrchr(argv0, '/');
	prog = slash ? slash + 1 : argv0;
}

__printf(1, 0)
static void vlog(const char *fmt, va_list args)
{
	if (!log_file)
		return;
	vfprintf(log_file, fmt, args);
	fputc('\n', log_file);
	fflush(log_file);
}

/* A line on stderr, and in the log file. */
void warn_msg(const char *fmt, ...)
{
	va_list args, again;

	va_start(args, fmt);
	va_copy(again, args);
	fprintf(stderr, "%s: ", prog);
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
	vlog(fmt, again);
	va_end(again);
	va_end(args);
}

/* The same, with the meaning of @error (positive or negative) behind it. */
void warn_errno(int error, const char *fmt, ...)
{
	char buf[128], *text = NULL;
	va_list args;

	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) < 0)
		text = NULL;
	va_end(args);
	warn_msg("%s: %s", text ? text : fmt,
		 ckpt_strerror(error, buf, sizeof(buf)));
	free(text);
}

/* Messages go to @path too, from here on. */
int log_open(const char *path)
{
	log_file = fopen(path, "we");
	if (!log_file) {
		warn_errno(errno, "%s", path);
		return -1;
	}
	return 0;
}

int log_close(void)
{
	int ret = 0;

	if (log_file) {
		ret = ferror(log_file);
		ret |= fclose(log_file);
		log_file = NULL;
	}
	return ret ? -1 : 0;
}

/* A line for the log file only. */
void log_msg(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vlog(fmt, args);
	va_end(args);
}

/* What was printed must have got where it belongs. */
int close_stdout(void)
{
	if (ferror(stdout) || fflush(stdout)) {
		warn_errno(errno, "write error");
		return -1;
	}
	return 0;
}

static int see_help(void)
{
	fprintf(stderr, "Try '%s --help' for more information.\n", prog);
	return EXIT_USAGE;
}

/* Tells what is wrong with the command line. The exit code. */
int bad_usage(const char *fmt, ...)
{
	char text[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	warn_msg("%s", text);
	return see_help();
}

/*
 * The options that all tools have, and what is no option: -1 when all is done,
 * or an exit code.
 */
int other_option(int c, void (*usage)(void))
{
	switch (c) {
	case 'h':
		usage();
		break;
	case 'V':
		printf("%s (libcheckpoint) %s\n", prog, ckpt_version());
		break;
	default:
		return see_help();
	}
	return close_stdout() ? EXIT_FAILED : -1;
}

/* For what comes without reasons from the kernel; NULL: nothing. */
const char *hint(int err)
{
	switch (-err) {
	case EPERM:
		return "unprivileged use is switched off (sysctl kernel.unprivileged_checkpoint)";
	case EINTR:
		return "a signal came";
	default:
		return NULL;
	}
}

bool parse_pid(const char *arg, pid_t *pid)
{
	char *end;
	long n;

	if (*arg < '0' || *arg > '9')
		return false;
	errno = 0;
	n = strtol(arg, &end, 10);
	if (errno || *end || n <= 0 || n > INT_MAX)
		return false;
	*pid = n;
	return true;
}

static bool parse_fd(const char *arg, char **end, int *fd)
{
	long n;

	if (*arg < '0' || *arg > '9')
		return false;
	errno = 0;
	n = strtol(arg, end, 10);
	if (errno || n > INT_MAX)
		return false;
	*fd = n;
	return true;
}

/* fd:N or PID:N, with @inherit followed by =FD. */
bool parse_external(const char *arg, bool inherit, struct ckpt_external *ext)
{
	const char *colon = strchr(arg, ':');
	char who[20], *end;

	if (!colon || (size_t)(colon - arg) >= sizeof(who))
		return false;
	memcpy(who, arg, colon - arg);
	who[colon - arg] = '\0';
	ext->pid = 0;
	ext->with = -1;
	if (strcmp(who, "fd") && !parse_pid(who, &ext->pid))
		return false;
	if (!parse_fd(colon + 1, &end, &ext->fd))
		return false;
	if (inherit && (*end != '=' || !parse_fd(end + 1, &end, &ext->with)))
		return false;
	return !*end;
}

/* Room for one more. */
struct ckpt_external *add_external(struct ckpt_external **list, size_t *nr)
{
	struct ckpt_external *bigger;

	bigger = reallocarray(*list, *nr + 1, sizeof(*bigger));
	if (!bigger) {
		warn_errno(ENOMEM, "options");
		exit(EXIT_FAILED);
	}
	*list = bigger;
	return &bigger[(*nr)++];
}

/* Seconds on a clock that does not jump. */
double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/*
 * The length of the character that begins here, 0 if it is none, or one that a
 * terminal would obey.
 */
static size_t utf8_len(const uint8_t *s, size_t len)
{
	uint32_t min, c;
	size_t n, i;

	if (s[0] < 0x80)
		return s[0] >= ' ' && s[0] != 0x7f;
	if (s[0] >= 0xc2 && s[0] < 0xe0) {
		n = 2;
		min = 0xa0;
		c = s[0] & 0x1f;
	} else if (s[0] >= 0xe0 && s[0] < 0xf0) {
		n = 3;
		min = 0x800;
		c = s[0] & 0x0f;
	} else if (s[0] >= 0xf0 && s[0] < 0xf5) {
		n = 4;
		min = 0x10000;
		c = s[0] & 0x07;
	} else {
		return 0;
	}
	if (n > len)
		return 0;
	for (i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (c < min || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return 0;
	return n;
}

/*
 * These bytes as UTF-8 that a terminal can be given, to be freed; NULL without
 * memory. What is none becomes \xNN, a backslash two; zeros at the end go.
 */
char *escape_bytes(const uint8_t *bytes, size_t len)
{
	static const char hex[] = "0123456789abcdef";
	char *s, *to;
	size_t i, n;

	while (len && !bytes[len - 1])
		len--;
	s = malloc(4 * len + 1);
	if (!s)
		return NULL;
	for (to = s, i = 0; i < len; i += n) {
		n = utf8_len(bytes + i, len - i);
		if (bytes[i] == '\\') {
			*to++ = '\\';
			*to++ = '\\';
		} else if (n) {
			memcpy(to, bytes + i, n);
			to += n;
		} else {
			*to++ = '\\';
			*to++ = 'x';
			*to++ = hex[bytes[i] >> 4];
			*to++ = hex[bytes[i] & 15];
			n = 1;
		}
	}
	*to = '\0';
	return s;
}

static char *escape(const char *s)
{
	char *escaped = s ? escape_bytes((const uint8_t *)s, strlen(s)) : NULL;

	return escaped ? escaped : strdup("");
}

static void show_reason(const struct ckpt_reason *reason)
{
	char *text = escape(reason->text), *comm = escape(reason->comm);
	char *kind = escape(reason->kind);
	char where[512];
	size_t len = 0;

	where[0] = '\0';
#define add(...) do {							\
	len += snprintf(where + len, sizeof(where) - len, __VA_ARGS__);	\
	if (len >= sizeof(where))					\
		len = sizeof(where) - 1;				\
} while (0)
	if (reason->pid)
		add("process %d", (int)reason->pid);
	if (reason->comm)
		add("%s(%s)", len ? " " : "", comm ? comm : "?");
	if (reason->fd != CKPT_NO_FD)
		add("%sfd %d", len ? ", " : "", reason->fd);
	if (reason->vm_end)
		add("%saddress %#" PRIx64 "-%#" PRIx64, len ? ", " : "",
		    reason->vm_start, reason->vm_end);
	if (reason->rec != CKPT_NO_REC)
		add("%simage offset %" PRIu64, len ? ", " : "", reason->rec);
	if (reason->kind)
		add("%s%s", len ? ", " : "", kind ? kind : "?");
#undef add
	warn_msg("%s%s%s", where, len ? ": " : "", text ? text : "?");
	free(text);
	free(comm);
	free(kind);
}

/* All reasons as text, a line each. */
void show_reasons(const struct ckpt_reasons *reasons)
{
	size_t i;

	for (i = 0; i < ckpt_reasons_count(reasons); i++)
		show_reason(ckpt_reasons_get(reasons, i));
}

/* JSON is UTF-8, too. */
static struct json_object *json_text(const char *s)
{
	char *text = escape(s);
	struct json_object *obj = text ? json_object_new_string(text) : NULL;

	free(text);
	return obj;
}

static struct json_object *reason_to_json(const struct ckpt_reason *reason)
{
	struct json_object *obj = json_object_new_object();
	struct json_object *range;

	if (reason->error) {
		const char *name = strerrorname_np(reason->error);

		json_put_int(obj, "errno", reason->error);
		if (name)
			json_put_str(obj, "errno_name", name);
	}
	if (reason->pid)
		json_put_int(obj, "pid", reason->pid);
	if (reason->comm)
		json_object_object_add(obj, "comm", json_text(reason->comm));
	if (reason->fd != CKPT_NO_FD)
		json_put_int(obj, "fd", reason->fd);
	if (reason->vm_end) {
		range = json_object_new_object();
		json_put_u64(range, "start", reason->vm_start);
		json_put_u64(range, "end", reason->vm_end);
		json_object_object_add(obj, "vaddr", range);
	}
	if (reason->rec != CKPT_NO_REC)
		json_put_u64(obj, "rec", reason->rec);
	if (reason->kind)
		json_object_object_add(obj, "kind", json_text(reason->kind));
	json_object_object_add(obj, "text", json_text(reason->text));
	return obj;
}

/*
 * One object: how it went, and why. @id is what the system call returned;
 * @result is its name ("crid", "pid").
 */
int show_reasons_json(FILE *out, const char *result, int error, long id,
		      const struct ckpt_reasons *reasons)
{
	struct json_object *obj = json_object_new_object();
	struct json_object *list = json_object_new_array();
	const struct ckpt_reason *reason;
	char buf[128];
	const char *name;
	size_t i;

	if (!obj || !list)
		return -1;
	json_put_bool(obj, "ok", !error);
	if (error) {
		error = abs(error);
		json_put_int(obj, "errno", error);
		name = strerrorname_np(error);
		if (name)
			json_put_str(obj, "errno_name", name);
		json_put_str(obj, "error", ckpt_strerror(error, buf, sizeof(buf)));
	} else if (id > 0) {
		json_put_u64(obj, result, id);
	}
	for (i = 0; i < ckpt_reasons_count(reasons); i++) {
		reason = ckpt_reasons_get(reasons, i);
		json_object_array_add(list, reason_to_json(reason));
	}
	json_object_object_add(obj, "reasons", list);
	fprintf(out, "%s\n", json_object_to_json_string_ext(obj, JSON_PRETTY));
	json_object_put(obj);
	return 0;
}
