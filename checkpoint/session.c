// SPDX-License-Identifier: GPL-2.0
/*
 * Process groups, sessions, and who is whose child.
 *
 * A group or session is the tree's when its leader is in the tree, or when all
 * its members are: it comes back with its number, or with a fresh one, also when
 * its leader has exited. Any other one becomes the caller's. So does a session
 * with a terminal that is not the tree's, which is the caller's terminal after a
 * restart: who led it leads a process group in the caller's session.
 */

#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/sched/autogroup.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/security.h>
#include <linux/tty.h>

#include "task.h"
#include "tty.h"

/* --- saving ------------------------------------------------------------------- */

/* Context: RCU. */
static bool has_only_members(struct ckpt_ctx *ctx, struct pid *pid,
			     enum pid_type type)
{
	struct task_struct *task = pid_task(pid, PIDTYPE_TGID);

	if (task && ckpt_in_tree(ctx, task))
		return true;
	do_each_pid_task(pid, type, task) {
		if (!ckpt_in_tree(ctx, task))
			return false;
	} while_each_pid_task(pid, type, task);
	return true;
}

/**
 * ckpt_session_is_trees() - is a process group or session the tree's?
 * @ctx: the checkpoint
 * @pid: its number, held
 * @type: PIDTYPE_PGID or PIDTYPE_SID
 *
 * Looked for once for each: the walk over its members is long, and all of them
 * must hear the same, also when somebody from outside joins or leaves meanwhile.
 *
 * Context: Process context, sleeps.
 * Return: true when it comes back with the tree.
 */
bool ckpt_session_is_trees(struct ckpt_ctx *ctx, struct pid *pid,
			   enum pid_type type)
{
	struct xarray *known = type == PIDTYPE_PGID ? &ctx->own_groups :
						      &ctx->own_sessions;
	void *answer = xa_load(known, pid_nr(pid));
	bool ours;

	if (answer)
		return xa_to_value(answer);

	rcu_read_lock();
	ours = has_only_members(ctx, pid, type);
	rcu_read_unlock();
	/* Without memory for the answer it is looked for again. */
	xa_store(known, pid_nr(pid), xa_mk_value(ours), GFP_KERNEL_ACCOUNT);
	return ours;
}

static bool is_trees(struct ckpt_ctx *ctx, struct task_struct *task,
		     enum pid_type type)
{
	struct pid *pid = get_task_pid(task, type);
	bool ret = pid && ckpt_session_is_trees(ctx, pid, type);

	put_pid(pid);
	return ret;
}

/* Return: its controlling terminal, referenced, or NULL. */
static struct tty_struct *get_terminal(struct task_struct *task)
{
	struct tty_struct *tty;
	unsigned long flags;

	if (!lock_task_sighand(task, &flags))
		return NULL;
	tty = tty_kref_get(task->signal->tty);
	unlock_task_sighand(task, &flags);
	return tty;
}

/* Of its controlling terminal: is there one, and is it in the foreground? */
static u32 terminal_flags(struct task_struct *task)
{
	struct tty_struct *tty = get_terminal(task);
	u32 ret = CKPT_TASK_TERMINAL;
	unsigned long flags;

	if (!tty)
		return 0;
	spin_lock_irqsave(&tty->ctrl.lock, flags);
	if (tty->ctrl.pgrp == task_pgrp(task))
		ret |= CKPT_TASK_FOREGROUND;
	spin_unlock_irqrestore(&tty->ctrl.lock, flags);
	tty_kref_put(tty);
	return ret;
}

/**
 * ckpt_session_flags() - whose are the group and the session of a task?
 * @ctx: the checkpoint
 * @task: a task of the tree
 *
 * Return: those of CKPT_TASK_* that say so, and what its terminal is to it.
 */
u32 ckpt_session_flags(struct ckpt_ctx *ctx, struct task_struct *task)
{
	u32 flags = terminal_flags(task);

	if (is_trees(ctx, task, PIDTYPE_PGID))
		flags |= CKPT_TASK_OWN_GROUP;
	if (is_trees(ctx, task, PIDTYPE_SID))
		flags |= CKPT_TASK_OWN_SESSION;
	return flags;
}

/**
 * ckpt_session_collect() - find what cannot be saved of a process' group
 * @ctx: the checkpoint
 * @task: a task of the tree
 *
 * Return: 0 or -EBUSY, noted as a reason.
 */
int ckpt_session_collect(struct ckpt_ctx *ctx, struct task_struct *task)
{
	u32 own = ckpt_session_flags(ctx, task);

	if (own & CKPT_TASK_OWN_SESSION && !(own & CKPT_TASK_OWN_GROUP))
		return ckpt_refuse(ctx, -EBUSY,
				   "its process group %d has members outside, its session %d is the tree's",
				   task_pgrp_vnr(task), task_session_vnr(task));
	return 0;
}

/**
 * ckpt_session_check_terminals() - will a restart have all terminals?
 * @ctx: the checkpoint, after everything was collected
 *
 * The terminal of the root is passed through, those of the tree's own are saved.
 *
 * Return: 0, or the first -EOPNOTSUPP, noted as reasons.
 */
int ckpt_session_check_terminals(struct ckpt_ctx *ctx)
{
	struct tty_struct *passed = get_terminal(ctx->task), *tty;
	struct ckpt_where old = ctx->where;
	struct ckpt_member *m;
	int ret = 0, err;

	list_for_each_entry(m, &ctx->members, node) {
		if (!thread_group_leader(m->task))
			continue;
		tty = get_terminal(m->task);
		if (tty && tty != passed && !ckpt_pty_inside(ctx, tty)) {
			ctx->where.task = m->task;
			err = ckpt_refuse(ctx, -EOPNOTSUPP,
					  "its controlling terminal %s is neither the tree's nor that of process %d",
					  tty_name(tty), task_pid_vnr(ctx->task));
			ret = ret ?: err;
		}
		tty_kref_put(tty);
	}
	ctx->where = old;
	tty_kref_put(passed);
	return ret;
}

/* --- checking ----------------------------------------------------------------- */

#define OWN	(CKPT_TASK_OWN_GROUP | CKPT_TASK_OWN_SESSION)

static struct ckpt_task *saved_task(const struct ckpt_member *m)
{
	return ckpt_payload(m->obj->rec, struct ckpt_task);
}

static bool is_leader(const struct ckpt_member *m)
{
	return m->leader == m;
}

/* A session loses its terminal with its leader. */
static bool has_terminal(struct ckpt_ctx *ctx, pid_t sid)
{
	struct ckpt_member *leader = xa_load(&ctx->pids, sid);

	return leader && saved_task(leader)->flags & CKPT_TASK_TERMINAL;
}

/* What holds for all members of a group or a session, by its number. */
static int check_same(struct ckpt_ctx *ctx, struct xarray *seen, pid_t nr,
		      struct ckpt_member *m, bool group)
{
	const struct ckpt_task *t = saved_task(m), *first;
	struct ckpt_member *other = xa_load(seen, nr);

	if (!other)
		return xa_err(xa_store(seen, nr, m, GFP_KERNEL_ACCOUNT));
	first = saved_task(other);
	if (group ? t->sid != first->sid || (t->flags ^ first->flags) & OWN :
		    (t->flags ^ first->flags) & CKPT_TASK_OWN_SESSION)
		return ckpt_refuse(ctx, -EINVAL,
				   "%d and %d disagree about their %s %d",
				   first->pid, t->pid,
				   group ? "process group" : "session", nr);
	return 0;
}

static bool is_thread(struct ckpt_ctx *ctx, pid_t nr)
{
	struct ckpt_member *m = xa_load(&ctx->pids, nr);

	return m && !is_leader(m);
}

/* If there is a process of this number. */
static bool is_in_session(struct ckpt_ctx *ctx, pid_t nr, pid_t sid)
{
	struct ckpt_member *m = xa_load(&ctx->pids, nr);

	return !m || saved_task(m)->sid == sid;
}

static int check_member(struct ckpt_ctx *ctx, struct ckpt_member *m,
			struct xarray *groups, struct xarray *sessions)
{
	const struct ckpt_task *t = saved_task(m);
	int ret;

	ctx->where.rec_pos = m->obj->rec->pos;
	ctx->where.kind = ckpt_kind_task.name;
	if ((t->flags & CKPT_TASK_OWN_SESSION &&
	     !(t->flags & CKPT_TASK_OWN_GROUP)) ||
	    (xa_load(&ctx->pids, t->pgid) &&
	     !(t->flags & CKPT_TASK_OWN_GROUP)) ||
	    (xa_load(&ctx->pids, t->sid) &&
	     !(t->flags & CKPT_TASK_OWN_SESSION)))
		return ckpt_refuse(ctx, -EINVAL,
				   "group %d and session %d do not fit flags 0x%x",
				   t->pgid, t->sid, t->flags);
	if (is_thread(ctx, t->pgid) || is_thread(ctx, t->sid))
		return ckpt_refuse(ctx, -EINVAL,
				   "group %d or session %d has the number of a thread",
				   t->pgid, t->sid);
	/* In another namespace it has no number, which does not come back. */
	if ((t->flags & CKPT_TASK_OWN_GROUP && !t->pgid) ||
	    (t->flags & CKPT_TASK_OWN_SESSION && !t->sid))
		return ckpt_refuse(ctx, -EINVAL,
				   "a group or session without a number");
	if ((t->flags & OWN) == OWN && t->flags & CKPT_TASK_TERMINAL &&
	    !has_terminal(ctx, t->sid))
		return ckpt_refuse(ctx, -EINVAL,
				   "a terminal in session %d, whose leader has none",
				   t->sid);
	/* Who leads a session leads a group of it. */
	if (t->sid == t->pid && t->pgid != t->pid)
		return ckpt_refuse(ctx, -EINVAL,
				   "the leader of session %d is in group %d",
				   t->sid, t->pgid);
	/* Nobody leaves a session but for one of his own. */
	if (!is_in_session(ctx, t->pgid, t->sid) ||
	    !is_in_session(ctx, t->sid, t->sid))
		return ckpt_refuse(ctx, -EINVAL,
				   "group %d or session %d has the number of a process of another session",
				   t->pgid, t->sid);
	ret = check_same(ctx, groups, t->pgid, m, true);
	return ret ?: check_same(ctx, sessions, t->sid, m, false);
}

/**
 * ckpt_session_check() - judge groups and sessions of all members
 * @ctx: the restart, with its members
 *
 * Return: 0 or -EINVAL, noted as a reason, or -ENOMEM.
 */
int ckpt_session_check(struct ckpt_ctx *ctx)
{
	struct xarray groups, sessions;
	struct ckpt_member *m;
	int ret = 0;

	xa_init(&groups);
	xa_init(&sessions);
	list_for_each_entry(m, &ctx->members, node) {
		if (is_leader(m))
			ret = check_member(ctx, m, &groups, &sessions);
		if (ret)
			break;
	}
	xa_destroy(&groups);
	xa_destroy(&sessions);
	if (!ret) {
		ctx->where.rec_pos = U64_MAX;
		ctx->where.kind = NULL;
	}
	return ret;
}

/* --- restarting ------------------------------------------------------------------- */

/* Return: the pid of the session that takes the place of the saved one. */
static struct pid *session_of(struct ckpt_ctx *ctx, const struct ckpt_member *m)
{
	return m->own_session ? ckpt_pid(ctx, saved_task(m)->sid) :
				task_session(current);
}

static struct pid *group_of(struct ckpt_ctx *ctx, const struct ckpt_task *t)
{
	return t->flags & CKPT_TASK_OWN_GROUP ? ckpt_pid(ctx, t->pgid) :
						task_pgrp(current);
}

/* A number whose process has exited: the group lives without it. */
static int make_group_pid(struct ckpt_ctx *ctx, pid_t nr)
{
	struct pid *pid;
	int ret;

	if (ckpt_pid(ctx, nr))
		return 0;
	pid = alloc_pid(ctx->pid_ns, &nr,
			ctx->flags & RESTART_FRESH_PIDS ? 0 : 1);
	if (IS_ERR(pid))
		return ckpt_refuse(ctx, PTR_ERR(pid),
				   "cannot have the number %d of a process group without a leader",
				   nr);
	ret = xa_err(xa_store(&ctx->group_pids, nr, pid, GFP_KERNEL_ACCOUNT));
	if (ret)
		free_pid(pid);
	return ret;
}

/**
 * ckpt_session_prepare() - make sure that groups and sessions can be restored
 * @ctx: the restart, all its tasks exist
 *
 * Return: 0, or -errno, noted as a reason: -EEXIST for a number in use, -EPERM,
 * or that of a security module.
 */
int ckpt_session_prepare(struct ckpt_ctx *ctx)
{
	struct ckpt_member *m;
	int ret;

	list_for_each_entry(m, &ctx->members, node) {
		const struct ckpt_task *t = saved_task(m);

		if (!is_leader(m))
			continue;
		if (t->flags & CKPT_TASK_OWN_GROUP) {
			ret = make_group_pid(ctx, t->pgid);
			if (ret)
				return ret;
		}
		if (t->flags & CKPT_TASK_OWN_SESSION) {
			ret = make_group_pid(ctx, t->sid);
			if (ret)
				return ret;
			m->own_session = !has_terminal(ctx, t->sid) ||
					 ckpt_pty_has_session(ctx, t->sid);
		}
		ret = security_task_setpgid(m->task,
					    pid_vnr(group_of(ctx, t)));
		if (ret)
			return ckpt_refuse(ctx, ret,
					   "a security module forbids a process group");
	}
	return 0;
}

/**
 * ckpt_session_destroy() - forget groups, give back pids that no task has got
 * @ctx: the context
 */
void ckpt_session_destroy(struct ckpt_ctx *ctx)
{
	unsigned long nr;
	struct pid *pid;

	xa_for_each(&ctx->group_pids, nr, pid)
		free_pid(pid);
	xa_destroy(&ctx->group_pids);
	xa_destroy(&ctx->own_groups);
	xa_destroy(&ctx->own_sessions);
}

/**
 * ckpt_session_adopt_children() - make each process the child of its parent
 * @ctx: the restart, which cannot fail any more; none of the tasks runs
 *
 * They were children of the caller. Who has exited exits behind this, and in
 * front of ckpt_session_commit(): parent and child are in one process group
 * then, whose stopped jobs it does not orphan.
 */
void ckpt_session_adopt_children(struct ckpt_ctx *ctx)
{
	struct ckpt_member *m, *parent;

	write_lock_irq(&tasklist_lock);
	list_for_each_entry(m, &ctx->members, node) {
		struct task_struct *task = m->task, *to;

		parent = xa_load(&ctx->pids, saved_task(m)->parent);
		if (!is_leader(m) || !parent)
			continue;
		to = parent->task;
		task->parent_exec_id = to->self_exec_id;
		if (to->signal->is_child_subreaper ||
		    to->signal->has_child_subreaper)
			task->signal->has_child_subreaper = 1;
		RCU_INIT_POINTER(task->real_parent, to);
		/* Nobody can have begun to trace it, see new_task(). */
		if (!WARN_ON_ONCE(task->ptrace))
			RCU_INIT_POINTER(task->parent, to);
		list_move_tail(&task->sibling, &to->children);
	}
	/* Threads have the parent of the first one. */
	list_for_each_entry(m, &ctx->members, node) {
		struct task_struct *leader = m->leader->task;

		if (is_leader(m))
			continue;
		m->task->parent_exec_id = leader->parent_exec_id;
		RCU_INIT_POINTER(m->task->real_parent, leader->real_parent);
		if (!WARN_ON_ONCE(m->task->ptrace))
			RCU_INIT_POINTER(m->task->parent, leader->real_parent);
	}
	write_unlock_irq(&tasklist_lock);
}

/*
 * The terminal follows a foreground group, or its members would be stopped as
 * soon as they read: it takes the place of the caller's group. This is what a
 * shell does for a job.
 * Context: tasklist_lock.
 */
static void take_foreground(struct task_struct *task)
{
	struct tty_struct *tty = task->signal->tty;

	if (!tty)
		return;
	spin_lock(&tty->ctrl.lock);
	if (tty->ctrl.session == task_session(task) &&
	    tty->ctrl.pgrp == task_pgrp(current)) {
		put_pid(tty->ctrl.pgrp);
		tty->ctrl.pgrp = get_pid(task_pgrp(task));
	}
	spin_unlock(&tty->ctrl.lock);
}

/* Context: tasklist_lock. */
static void commit_member(struct ckpt_ctx *ctx, struct ckpt_member *m)
{
	const struct ckpt_task *t = saved_task(m);
	struct pid *session = session_of(ctx, m);
	struct pid *group = group_of(ctx, t);
	struct task_struct *task = m->task;

	task->exit_signal = m->node.prev == &ctx->members ? SIGCHLD :
							     t->exit_signal;
	if (session != task_session(task)) {
		change_pid(task, PIDTYPE_SID, session);
		proc_clear_tty(task);
	}
	if (group != task_pgrp(task))
		change_pid(task, PIDTYPE_PGID, group);
	if (session == task_pid(task))
		task->signal->leader = 1;
	if (t->flags & CKPT_TASK_FOREGROUND && t->flags & CKPT_TASK_OWN_GROUP)
		take_foreground(task);
}

/**
 * ckpt_session_commit() - put each process into its group and session
 * @ctx: the restart, which cannot fail any more; none of the tasks runs
 */
void ckpt_session_commit(struct ckpt_ctx *ctx)
{
	struct ckpt_member *m;
	unsigned long nr;
	struct pid *pid;

	write_lock_irq(&tasklist_lock);
	list_for_each_entry(m, &ctx->members, node)
		if (is_leader(m))
			commit_member(ctx, m);
	write_unlock_irq(&tasklist_lock);

	list_for_each_entry(m, &ctx->members, node)
		if (is_leader(m) && m->task->signal->leader)
			sched_autogroup_create_attach(m->task);

	ckpt_pty_set_ctrl(ctx);
	list_for_each_entry(m, &ctx->members, node)
		if (m->own_session &&
		    saved_task(m)->flags & CKPT_TASK_TERMINAL)
			ckpt_pty_attach(ctx, m->task, saved_task(m)->sid);

	/* They belong to their members now. */
	xa_for_each(&ctx->group_pids, nr, pid)
		if (pid_has_task(pid, PIDTYPE_PGID) ||
		    pid_has_task(pid, PIDTYPE_SID))
			xa_erase(&ctx->group_pids, nr);
}
