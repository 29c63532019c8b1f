/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the KUnit tests share.
 */
#ifndef _CHECKPOINT_TESTS_TEST_H
#define _CHECKPOINT_TESTS_TEST_H

#include <kunit/test.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "../internal.h"

/* A context that keeps its reasons; ckpt_ctx_free() gives it back. */
static inline struct ckpt_ctx *test_ctx_alloc(struct kunit *test)
{
	struct ckpt_ctx *ctx = ckpt_ctx_alloc(0);

	KUNIT_ASSERT_FALSE(test, IS_ERR(ctx));
	ctx->log = kvzalloc(CKPT_MAX_LOG, GFP_KERNEL);
	if (!ctx->log || ckpt_objs_init(ctx, 0)) {
		ckpt_ctx_free(ctx);
		ctx = NULL;
	}
	KUNIT_ASSERT_NOT_NULL(test, ctx);
	return ctx;
}

/* Is there a reason with this text? */
static inline bool test_logged(const struct ckpt_ctx *ctx, const char *text)
{
	return strnstr(ctx->log, text, ctx->log_len);
}

#endif /* _CHECKPOINT_TESTS_TEST_H */
