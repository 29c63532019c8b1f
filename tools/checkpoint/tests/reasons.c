// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of libcheckpoint that need no kernel with checkpoint/restart.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "checkpoint.h"

static int nr, failures;

static void ok(int good, const char *what)
{
	nr++;
	failures += !good;
	printf("%sok %d %s\n", good ? "" : "not ", nr, what);
}

static int same(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static struct ckpt_reasons *parse(const char *text)
{
	struct ckpt_reasons *reasons;

	if (ckpt_reasons_parse(text, strlen(text), &reasons))
		exit(1);
	return reasons;
}

static void test_full(void)
{
	static const char line[] =
		"errno=95 pid=17 comm=a\\040b\\134 fd=5 "
		"vaddr=0x1000-0xfffffffffffff000 "
		"rec=18446744073709551614 kind=socket: a: b=c\n";
	struct ckpt_reasons *reasons = parse(line);
	const struct ckpt_reason *r = ckpt_reasons_get(reasons, 0);

	ok(ckpt_reasons_count(reasons) == 1, "one reason");
	ok(r && r->error == 95 && r->pid == 17 && r->fd == 5, "numbers");
	ok(r && r->vm_start == 0x1000 && r->vm_end == 0xfffffffffffff000,
	   "addresses");
	ok(r && r->rec == UINT64_MAX - 1, "record");
	ok(r && same(r->comm, "a b\\"), "comm");
	ok(r && same(r->kind, "socket"), "kind");
	ok(r && same(r->text, "a: b=c"), "text");
	ok(!ckpt_reasons_get(reasons, 1), "nothing behind the last");
	ckpt_reasons_free(reasons);
}

static void test_sparse(void)
{
	struct ckpt_reasons *reasons =
		parse("errno=1: no\nerrno=22 new=thing rec=0: bad\n\nlast");
	const struct ckpt_reason *r = ckpt_reasons_get(reasons, 0);

	ok(ckpt_reasons_count(reasons) == 3, "three reasons");
	ok(r->error == 1 && !r->pid && r->fd == -1 && !r->vm_end &&
	   r->rec == CKPT_NO_REC && !r->comm && !r->kind, "nothing else");
	r = ckpt_reasons_get(reasons, 1);
	ok(r->error == 22 && r->rec == 0 && same(r->text, "bad"),
	   "unknown names are passed over");
	r = ckpt_reasons_get(reasons, 2);
	ok(same(r->text, "last") && same(r->line, "last") && !r->error,
	   "no newline at the end");
	ckpt_reasons_free(reasons);
}

static void test_odd(void)
{
	static const char *const lines[] = {
		": x", "=: x", "=5: x", "pid: x", "pid=: x", "pid=x: y",
		"pid=99999999999: x", "vaddr=0x1: x", "vaddr=0x1-: x",
		"vaddr=-0x1-0x2: x", "rec=-1: x", "rec=99999999999999999999: x",
		"comm=\\: x", "comm=\\0: x", "comm=\\000\\400: x", "fd=-2: x", NULL
	};
	struct ckpt_reasons *reasons;
	size_t i;
	int good = 1;

	for (i = 0; lines[i]; i++) {
		reasons = parse(lines[i]);
		good &= ckpt_reasons_count(reasons) == 1;
		good &= !!ckpt_reasons_get(reasons, 0)->text;
		ckpt_reasons_free(reasons);
	}
	ok(good, "odd lines are reasons too");
	reasons = parse("");
	ok(!ckpt_reasons_count(reasons), "no text, no reasons");
	ckpt_reasons_free(reasons);
	ok(!ckpt_reasons_parse("a\0b\nc", 5, &reasons) &&
	   ckpt_reasons_count(reasons) == 2, "a NUL within");
	ckpt_reasons_free(reasons);
	ckpt_reasons_free(NULL);
	ok(!ckpt_reasons_count(NULL), "no list, no reasons");
}

static void test_opts(void)
{
	struct {
		struct ckpt_opts opts;
		long more;
	} big = { .opts = CKPT_OPTS_INIT };
	struct ckpt_opts opts = CKPT_OPTS_INIT;
	char buf[64];

	big.opts.size = sizeof(big);
	big.more = 1;
	ok(ckpt_checkpoint(getpid(), -1, &big.opts) == -E2BIG,
	   "options that are not known");
	big.more = 0;
	ok(ckpt_restart(0, -1, &big.opts) != -E2BIG, "zeros are fine");
	opts.size = 4;
	ok(ckpt_restart(0, -1, &opts) == -EINVAL, "options that are too short");
	opts.size = sizeof(opts);
	opts.flags = 1UL << 40;
	ok(ckpt_restart(0, -1, &opts) == -EINVAL, "the log fd is not a flag");
	ok(!!strstr(ckpt_strerror(-ENOSYS, buf, sizeof(buf)), "kernel"),
	   "ENOSYS is explained");
	ok(same(ckpt_strerror(-ENOENT, buf, sizeof(buf)), strerror(ENOENT)),
	   "others are as ever");
}

int main(void)
{
	test_full();
	test_sparse();
	test_odd();
	test_opts();
	printf("1..%d\n", nr);
	return failures ? 1 : 0;
}
