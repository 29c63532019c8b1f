// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Takes the text of the reasons apart.
 *
 *	errno=95 pid=17 comm=cat fd=5 kind=socket: sockets are not supported
 *
 * A line of another form is a reason too: all of it is then its text.
 */
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "checkpoint.h"

struct ckpt_reasons {
	size_t nr;
	struct ckpt_reason *reason;
	char *text;		/* what their strings point into */
};

static bool parse_int(const char *value, int min, int *to)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(value, &end, 10);
	if (errno || end == value || *end || n < min || n > INT_MAX)
		return false;
	*to = n;
	return true;
}

static bool parse_u64(const char *value, const char *stop, uint64_t *to,
		      const char **rest)
{
	char *end;

	if (*value < '0' || *value > '9')
		return false;
	errno = 0;
	*to = strtoull(value, &end, 0);
	if (errno || end == value || !strchr(stop, *end))
		return false;
	*rest = end;
	return true;
}

static bool is_octal(char c)
{
	return c >= '0' && c <= '7';
}

/* Turns \ooo into the byte that it means, in place. */
static void unescape(char *s)
{
	char *to = s;

	while (*s) {
		if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' &&
		    is_octal(s[2]) && is_octal(s[3]) &&
		    (s[1] != '0' || s[2] != '0' || s[3] != '0')) {
			*to++ = (s[1] - '0') << 6 | (s[2] - '0') << 3 |
				(s[3] - '0');
			s += 4;
		} else {
			*to++ = *s++;
		}
	}
	*to = '\0';
}

/* One name=value. Names that a later kernel adds are passed over. */
static bool parse_pair(struct ckpt_reason *reason, char *pair)
{
	char *value = strchr(pair, '=');
	const char *rest;

	if (!value || value == pair)
		return false;
	*value++ = '\0';

	if (!strcmp(pair, "errno"))
		return parse_int(value, 0, &reason->error);
	if (!strcmp(pair, "pid"))
		return parse_int(value, 0, &reason->pid);
	if (!strcmp(pair, "fd"))
		return parse_int(value, 0, &reason->fd);
	if (!strcmp(pair, "rec"))
		return parse_u64(value, "", &reason->rec, &rest);
	if (!strcmp(pair, "vaddr"))
		return parse_u64(value, "-", &reason->vm_start, &rest) &&
		       *rest == '-' &&
		       parse_u64(rest + 1, "", &reason->vm_end, &rest);
	if (!strcmp(pair, "comm")) {
		unescape(value);
		reason->comm = value;
	} else if (!strcmp(pair, "kind")) {
		reason->kind = value;
	}
	return true;
}

static void reason_init(struct ckpt_reason *reason, const char *line)
{
	memset(reason, 0, sizeof(*reason));
	reason->line = line;
	reason->text = line;
	reason->fd = CKPT_NO_FD;
	reason->rec = CKPT_NO_REC;
}

/* @scratch is a copy of @line, to be taken apart. */
static void parse_line(struct ckpt_reason *reason, const char *line,
		       char *scratch)
{
	char *colon, *pair, *save = NULL;

	reason_init(reason, line);
	/* Values hold no colon. */
	colon = strchr(scratch, ':');
	if (!colon || colon[1] != ' ')
		return;
	*colon = '\0';
	for (pair = strtok_r(scratch, " ", &save); pair;
	     pair = strtok_r(NULL, " ", &save)) {
		if (!parse_pair(reason, pair)) {
			reason_init(reason, line);
			return;
		}
	}
	reason->text = line + (colon - scratch) + 2;
}

int ckpt_reasons_parse(const char *text, size_t len,
		       struct ckpt_reasons **out)
{
	struct ckpt_reasons *reasons;
	size_t i, lines = 0;
	char *line, *end;

	*out = NULL;
	for (i = 0; i < len; i++)
		lines += text[i] == '\n';

	reasons = calloc(1, sizeof(*reasons));
	if (!reasons)
		return -ENOMEM;
	/* The lines, and behind them a copy to take apart. */
	reasons->text = malloc(2 * (len + 1));
	reasons->reason = calloc(lines + 1, sizeof(*reasons->reason));
	if (!reasons->text || !reasons->reason) {
		ckpt_reasons_free(reasons);
		return -ENOMEM;
	}
	memcpy(reasons->text, text, len);
	for (i = 0; i < len; i++)
		if (!reasons->text[i])
			reasons->text[i] = ' ';
	reasons->text[len] = '\0';

	for (line = reasons->text; *line; line = end) {
		end = strchr(line, '\n');
		if (end)
			*end++ = '\0';
		else
			end = line + strlen(line);
		if (!*line)
			continue;
		memcpy(line + len + 1, line, strlen(line) + 1);
		parse_line(&reasons->reason[reasons->nr++], line,
			   line + len + 1);
	}
	*out = reasons;
	return 0;
}

size_t ckpt_reasons_count(const struct ckpt_reasons *reasons)
{
	return reasons ? reasons->nr : 0;
}

const struct ckpt_reason *ckpt_reasons_get(const struct ckpt_reasons *reasons,
					   size_t index)
{
	if (index >= ckpt_reasons_count(reasons))
		return NULL;
	return &reasons->reason[index];
}

void ckpt_reasons_free(struct ckpt_reasons *reasons)
{
	if (!reasons)
		return;
	free(reasons->reason);
	free(reasons->text);
	free(reasons);
}
