// SPDX-License-Identifier: GPL-2.0
/*
 * What the kernel does in a thread's memory when the thread exits: the robust
 * futexes that it holds, and the word that set_tid_address() names.
 *
 * Both are addresses that nobody has judged when the program gave them, and
 * that are only used as user memory, which may fail. So they are not judged
 * here either.
 */

#include <linux/sched.h>

#include "internal.h"

static int robust_collect(struct ckpt_ctx *ctx, struct task_struct *task)
{
#ifdef CONFIG_COMPAT
	if (task->compat_robust_list)
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "a robust list of a 32-bit program is not supported");
#endif
	return 0;
}

static int robust_save(struct ckpt_ctx *ctx, struct task_struct *task)
{
	struct ckpt_robust rec = {
		.robust_list = (unsigned long)task->robust_list,
		.clear_child_tid = (unsigned long)task->clear_child_tid,
	};

	return ckpt_write(ctx, &ckpt_kind_robust, ckpt_ref(ctx, task), &rec,
			  sizeof(rec));
}

/*
 * Behind mm_commit(): what a caller that is replaced still held in its own
 * memory is given back there.
 */
static void robust_commit(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	const struct ckpt_robust *r = ckpt_payload(rec, struct ckpt_robust);
	struct task_struct *task = ctx->who;

	task->robust_list = (void __user *)r->robust_list;
#ifdef CONFIG_COMPAT
	task->compat_robust_list = NULL;
#endif
	task->clear_child_tid = (void __user *)r->clear_child_tid;
}

const struct ckpt_kind ckpt_kind_robust = {
	.name = "robust",
	.about = "list of robust futexes, address of clear_child_tid",
	.family = CKPT_FAMILY_TASK,
	.type = CKPT_REC_ROBUST,
	.phase = CKPT_PHASE_TASK,
	.version = 1,
	.min_version = 1,
	CKPT_PAYLOAD(struct ckpt_robust),
	.single = true,
	.required = true,
	.task_collect = robust_collect,
	.task_save = robust_save,
	.commit = robust_commit,
};
