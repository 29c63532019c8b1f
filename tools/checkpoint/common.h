/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tools share: messages, exit codes, reasons.
 */
#ifndef _TOOLS_CHECKPOINT_COMMON_H
#define _TOOLS_CHECKPOINT_COMMON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#ifndef __printf
#define __printf(a, b) __attribute__((format(printf, a, b)))
#endif

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#endif

struct ckpt_external;
struct ckpt_reasons;

/* Exit codes, as the man pages tell. */
enum {
	EXIT_OK = 0,
	EXIT_FAILED = 1,	/* failed, or was refused */
	EXIT_USAGE = 2,		/* wrong use */
	EXIT_NO_KERNEL = 3,	/* the kernel has no checkpoint/restart */
	EXIT_KILLED = 4,	/* killed, but the image is not safe on the disk */
	EXIT_RESTART = 125,	/* restart --copy-status: restart itself failed */
};

extern const char *prog;

__printf(1, 2)
void warn_msg(const char *fmt, ...);
__printf(2, 3)
void warn_errno(int error, const char *fmt, ...);

int log_open(const char *path);
int log_close(void);
__printf(1, 2)
void log_msg(const char *fmt, ...);

void tool_start(const char *argv0);
int close_stdout(void);
__printf(1, 2)
int bad_usage(const char *fmt, ...);
int other_option(int c, void (*usage)(void));
const char *hint(int err);

bool parse_pid(const char *arg, pid_t *pid);
bool parse_external(const char *arg, bool inherit, struct ckpt_external *ext);
struct ckpt_external *add_external(struct ckpt_external **list, size_t *nr);
double now(void);

char *escape_bytes(const uint8_t *bytes, size_t len);
void show_reasons(const struct ckpt_reasons *reasons);
int show_reasons_json(FILE *out, const char *result, int error, long id,
		      const struct ckpt_reasons *reasons);

#endif /* _TOOLS_CHECKPOINT_COMMON_H */
