// SPDX-License-Identifier: GPL-2.0
/*
 * Restartable sequences: the registration of a thread.
 *
 * The area itself is memory like any other. A critical section in which the
 * task was stopped is aborted on the restarted task's way to user mode, as
 * after any preemption, which also writes the CPU's number into the area.
 */

#include <linux/preempt.h>
#include <linux/rseq.h>
#include <linux/uaccess.h>

#include "internal.h"

#ifdef CONFIG_RSEQ
/* As in kernel/rseq.c: the first version of the area, with padding. */
#define ORIG_RSEQ_SIZE	32

#define FEATURE_SIZE	offsetof(struct rseq, end)

static int rseq_save(struct ckpt_ctx *ctx, struct task_struct *task)
{
	struct ckpt_rseq rec = {
		.rseq = (unsigned long)task->rseq,
		.len = task->rseq ? task->rseq_len : 0,
		.sig = task->rseq ? task->rseq_sig : 0,
		.feature_size = task->rseq ? FEATURE_SIZE : 0,
	};

	return ckpt_write(ctx, &ckpt_kind_rseq, ckpt_ref(ctx, task), &rec,
			  sizeof(rec));
}

static int rseq_restore(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	const struct ckpt_rseq *r = ckpt_payload(rec, struct ckpt_rseq);

	if (!r->rseq)
		return 0;
	/* The program knows from its auxiliary vector what it may read. */
	if (r->feature_size > FEATURE_SIZE)
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "the program uses %u bytes of struct rseq, this kernel knows %zu",
				   r->feature_size, FEATURE_SIZE);
	if (r->len != ORIG_RSEQ_SIZE &&
	    (r->len < FEATURE_SIZE ||
	     !IS_ALIGNED(r->rseq, __alignof__(struct rseq))))
		return ckpt_refuse(ctx, -EINVAL,
				   "a bad length or alignment of struct rseq");
	if (!access_ok((void __user *)r->rseq, r->len))
		return ckpt_refuse(ctx, -EFAULT,
				   "struct rseq is not in user memory");
	return 0;
}

static void rseq_commit(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	const struct ckpt_rseq *r = ckpt_payload(rec, struct ckpt_rseq);

	guard(preempt)();
	rseq_execve(current);
	if (!r->rseq)
		return;
	current->rseq_len = r->len;
	current->rseq_sig = r->sig;
	current->rseq = (void __user *)r->rseq;
	rseq_preempt(current);
}
#else
static int rseq_save(struct ckpt_ctx *ctx, struct task_struct *task)
{
	struct ckpt_rseq rec = {};

	return ckpt_write(ctx, &ckpt_kind_rseq, ckpt_ref(ctx, task), &rec,
			  sizeof(rec));
}

static int rseq_restore(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	if (ckpt_payload(rec, struct ckpt_rseq)->rseq)
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "restartable sequences are not available in this kernel");
	return 0;
}

static void rseq_commit(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
}
#endif /* CONFIG_RSEQ */

static int rseq_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	const struct ckpt_rseq *r = ckpt_payload(rec, struct ckpt_rseq);

	if (r->pad || (!r->rseq && (r->len || r->sig || r->feature_size)))
		return ckpt_refuse(ctx, -EINVAL,
				   "unknown values beside struct rseq");
	/* What sys_rseq() asks for, as far as it does not change. */
	if (r->rseq && (r->len < 32 || (r->len == 32 && r->rseq % 32)))
		return ckpt_refuse(ctx, -EINVAL,
				   "a bad length or alignment of struct rseq");
	return 0;
}

/*
 * Committed with the registers: up to there a check of system calls
 * (CONFIG_DEBUG_RSEQ) would compare the critical section with the registers of
 * restart().
 */
const struct ckpt_kind ckpt_kind_rseq = {
	.name = "rseq",
	.about = "registration of restartable sequences",
	.family = CKPT_FAMILY_TASK,
	.type = CKPT_REC_RSEQ,
	.phase = CKPT_PHASE_CPU,
	.version = 1,
	.min_version = 1,
	CKPT_PAYLOAD(struct ckpt_rseq),
	.single = true,
	.required = true,
	.task_save = rseq_save,
	.check = rseq_check,
	.restore = rseq_restore,
	.commit = rseq_commit,
};
