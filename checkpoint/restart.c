// SPDX-License-Identifier: GPL-2.0
/*
 * Restart: read and check all metadata, make the task, let it restore itself.
 *
 * The new task is a child of the caller. It shares the caller's mm until it
 * has its own, has no files, and starts in restart_child(). It restores one
 * phase after the other, while the caller waits. Up to there anything may fail:
 * then the child exits without ever having run in user mode, and the caller
 * reaps it. Then the child commits, which cannot fail, and leaves through
 * get_signal(), the place where the saved task was stopped: a task work sets
 * the registers there, and what follows handles the restart of an interrupted
 * system call and pending signals as for the task that was saved.
 *
 * RESTART_SELF does the same without a child: the caller restores aside, and
 * commits to itself.
 */

#include <linux/completion.h>
#include <linux/kernel.h>
#include <linux/nsproxy.h>
#include <linux/pid_namespace.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/seccomp.h>
#include <linux/slab.h>
#include <linux/task_work.h>
#include <uapi/linux/wait.h>

#include "internal.h"

static void set_where(struct ckpt_ctx *ctx, const struct ckpt_rec *rec)
{
	ctx->where.rec_pos = rec ? rec->pos : U64_MAX;
	ctx->where.kind = rec ? rec->kind->name : NULL;
}

static struct ckpt_rec *task_rec(struct ckpt_ctx *ctx)
{
	struct ckpt_rec *rec;

	list_for_each_entry(rec, &ctx->recs, node)
		if (rec->type == CKPT_REC_TASK)
			return rec;
	return NULL;
}

/* Every task has one of each record that every task needs. */
static int check_required(struct ckpt_ctx *ctx)
{
	struct ckpt_rec *task = NULL, *rec;
	unsigned int i;

	list_for_each_entry(rec, &ctx->recs, node) {
		if (rec->type != CKPT_REC_TASK)
			continue;
		set_where(ctx, rec);
		if (task)
			return ckpt_refuse(ctx, -EOPNOTSUPP,
					   "several tasks in an image are not supported yet");
		task = rec;
	}
	set_where(ctx, task);
	if (!task)
		return ckpt_refuse(ctx, -EINVAL, "no task in the image");

	for (i = 0; i < ckpt_nr_kinds; i++) {
		const struct ckpt_kind *kind = ckpt_kinds[i];

		if (kind->required &&
		    !xa_load(&ctx->singles,
			     (unsigned long)task->objref << 12 | kind->type))
			return ckpt_refuse(ctx, -EINVAL,
					   "the task has no record of kind %s",
					   kind->name);
	}
	set_where(ctx, NULL);
	return 0;
}

static int read_meta(struct ckpt_ctx *ctx)
{
	struct ckpt_rec *rec;
	u32 type;

	do {
		rec = ckpt_read_rec(ctx);
		if (IS_ERR(rec))
			return PTR_ERR(rec);
		list_add_tail(&rec->node, &ctx->recs);
		type = rec->type;
		if (ctx->nr_records == 1 ? type != CKPT_REC_HEADER :
					   type == CKPT_REC_HEADER)
			return ckpt_refuse(ctx, -EINVAL,
					   "an image begins with a header");
		if (type == CKPT_REC_PAGES || type == CKPT_REC_END)
			return ckpt_refuse(ctx, -EINVAL,
					   "page contents among the metadata");
		if (type == CKPT_REC_HEADER)
			ctx->header = *ckpt_payload(rec, struct ckpt_header);
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	} while (type != CKPT_REC_META_END);
	ctx->meta_done = true;

	return check_required(ctx);
}

static int restore(struct ckpt_ctx *ctx)
{
	enum ckpt_phase phase;
	struct ckpt_rec *rec;
	int ret;

	for (phase = CKPT_PHASE_NONE + 1; phase < CKPT_NR_PHASES; phase++) {
		if (phase == CKPT_PHASE_PAGES) {
			ret = ckpt_pages_restore(ctx);
			if (ret)
				return ret;
			set_where(ctx, NULL);
			continue;
		}
		list_for_each_entry(rec, &ctx->recs, node) {
			if (rec->kind->phase != phase || !rec->kind->restore)
				continue;
			set_where(ctx, rec);
			ret = rec->kind->restore(ctx, rec);
			if (ret)
				return ret;
		}
	}
	set_where(ctx, NULL);
	return fatal_signal_pending(current) ? -EINTR : 0;
}

/* There are no failure paths after this point. */
static void commit(struct ckpt_ctx *ctx, enum ckpt_phase from,
		   enum ckpt_phase to)
{
	enum ckpt_phase phase;
	struct ckpt_rec *rec;

	for (phase = from; phase <= to; phase++)
		list_for_each_entry(rec, &ctx->recs, node)
			if (rec->kind->phase == phase && rec->kind->commit)
				rec->kind->commit(ctx, rec);
}

/*
 * Runs in get_signal(), as the last thing of a restart. Also runs when the task
 * was killed before it got there.
 */
static void cpu_work(struct callback_head *work)
{
	struct ckpt_ctx *ctx = container_of(work, struct ckpt_ctx, cpu_work);

	if (!(current->flags & PF_EXITING)) {
		commit(ctx, CKPT_PHASE_CPU, CKPT_PHASE_CPU);
		if (ctx->flags & RESTART_STOPPED)
			send_sig(SIGSTOP, current, 1);
	}
	if (ctx->self) {
		ckpt_ctx_free(ctx);
	} else {
		/* Else the caller would share every file for a moment. */
		ckpt_objs_release(ctx);
		complete(&ctx->finished);
	}
}

static void commit_and_leave(struct ckpt_ctx *ctx)
{
	commit(ctx, CKPT_PHASE_NONE + 1, CKPT_PHASE_CPU - 1);
	init_task_work(&ctx->cpu_work, cpu_work);
	WARN_ON_ONCE(task_work_add(current, &ctx->cpu_work, TWA_SIGNAL));
}

static void block_signals(sigset_t *old)
{
	sigset_t all;

	sigfillset(&all);
	sigdelsetmask(&all, sigmask(SIGKILL) | sigmask(SIGSTOP));
	sigprocmask(SIG_SETMASK, &all, old);
}

static int restart_child(void *data)
{
	struct ckpt_ctx *ctx = data;

	/* Nothing but SIGKILL interrupts a half-made task. */
	block_signals(NULL);

	ctx->result = restore(ctx);
	complete(&ctx->done);
	wait_for_completion(&ctx->go);

	if (ctx->result || ctx->abort) {
		ckpt_mm_switch_back(ctx);
		complete(&ctx->finished);
		do_exit(SIGKILL);
	}
	commit_and_leave(ctx);
	return 0;
}

/* The child of a failed restart goes unseen. */
static void reap(pid_t pid)
{
	sigset_t old;

	block_signals(&old);
	/*
	 * What stops or freezes us interrupts it, too. When we are killed the
	 * child becomes init's, who reaps it.
	 */
	while (kernel_wait4(pid, NULL, __WALL, NULL) == -ERESTARTSYS &&
	       !fatal_signal_pending(current))
		schedule_timeout_uninterruptible(1);
	sigprocmask(SIG_SETMASK, &old, NULL);
}

static int restart_new_child(struct ckpt_ctx *ctx)
{
	struct ckpt_task *saved = ckpt_payload(task_rec(ctx), struct ckpt_task);
	pid_t tid = saved->pid;
	struct kernel_clone_args args = {
		.flags = CLONE_VM | CLONE_UNTRACED,
		.no_files = 1,
		.fn = restart_child,
		.fn_arg = ctx,
		.set_tid = &tid,
		.set_tid_size = ctx->flags & RESTART_FRESH_PIDS ? 0 : 1,
	};
	sigset_t old;
	pid_t pid;
	int ret;

	/* It would be the init of that namespace. */
	if (current->nsproxy->pid_ns_for_children != task_active_pid_ns(current))
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "the caller's children are in another pid namespace");

	/* fork() would start again, but what was read is read. */
	block_signals(&old);
	pid = kernel_clone(&args);
	sigprocmask(SIG_SETMASK, &old, NULL);
	if (pid == -EEXIST)
		return ckpt_refuse(ctx, pid, "pid %d is in use", tid);
	if (pid == -EPERM && args.set_tid_size)
		return ckpt_refuse(ctx, pid,
				   "choosing pid %d needs CAP_CHECKPOINT_RESTORE; fresh pids do not",
				   tid);
	if (pid < 0)
		return ckpt_refuse(ctx, pid, "cannot make a task");

	ret = wait_for_completion_killable(&ctx->done);
	if (ret) {
		struct task_struct *child = find_get_task_by_vpid(pid);

		ret = -EINTR;
		ctx->abort = true;
		if (child) {
			send_sig(SIGKILL, child, 1);
			put_task_struct(child);
		}
		wait_for_completion(&ctx->done);
	} else {
		ret = ctx->result;
	}

	if (!ret) {
		/* From now on it is a child like any other. */
		struct task_struct *child = find_get_task_by_vpid(pid);

		write_lock_irq(&tasklist_lock);
		child->exit_signal = SIGCHLD;
		write_unlock_irq(&tasklist_lock);
		put_task_struct(child);
	}
	complete(&ctx->go);
	wait_for_completion(&ctx->finished);
	if (ret)
		reap(pid);
	return ret ?: pid;
}

static int restart_self(struct ckpt_ctx *ctx)
{
	struct ckpt_task *saved = ckpt_payload(task_rec(ctx), struct ckpt_task);
	int ret;

	if (get_nr_threads(current) != 1)
		return ckpt_refuse(ctx, -EBUSY,
				   "the caller to be replaced has %d threads",
				   get_nr_threads(current));
	if (saved->pid != task_pid_vnr(current) &&
	    !(ctx->flags & RESTART_FRESH_PIDS))
		return ckpt_refuse(ctx, -EINVAL,
				   "the caller to be replaced has pid %d, saved is %d",
				   task_pid_vnr(current), saved->pid);

	ret = restore(ctx);
	if (ret) {
		ckpt_mm_switch_back(ctx);
		return ret;
	}
	commit_and_leave(ctx);
	return 0;
}

/**
 * ckpt_do_restart() - make a task from the image in the store
 * @ctx: the restart; with ctx->self and a result of 0 it is not the caller's
 *	any more
 *
 * Context: Process context, sleeps.
 * Return: the pid of the new task in the caller's pid namespace, or 0 when the
 * caller is replaced, or -errno with reasons in @ctx; then nothing has changed.
 */
int ckpt_do_restart(struct ckpt_ctx *ctx)
{
	int ret;

	if (seccomp_mode(&current->seccomp) != SECCOMP_MODE_DISABLED)
		return ckpt_refuse(ctx, -EPERM,
				   "the caller is confined by seccomp, the restarted process would not be what was saved");

	ret = ckpt_arch_prepare(ctx);
	if (!ret)
		ret = read_meta(ctx);
	if (!ret)
		ret = ctx->self ? restart_self(ctx) : restart_new_child(ctx);
	if (ret == -EPIPE && !ctx->nr_reasons)
		ret = ckpt_refuse(ctx, -EINVAL, "the image is cut off here");
	if (ret < 0 && !ctx->nr_reasons)
		ckpt_refuse(ctx, ret, "restart failed");
	return ret;
}
