// SPDX-License-Identifier: GPL-2.0
/*
 * The tasks of the tree that is saved: a process, its threads, its descendants.
 *
 * They stand still at one moment when each of them rests in its trap, see
 * quiesce.c, and a look at the tree finds no other one: who rests does not fork.
 * Until then they may fork, exec and exit.
 */

#include <linux/fs_struct.h>
#include <linux/mm_types.h>
#include <linux/ptrace.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/sched/task_stack.h>
#include <linux/slab.h>

#include "task.h"

/* A child that a parent waits for in vfork() runs until it has exec'ed. */
#define VFORK_PATIENCE	(3 * HZ)

static const struct rhashtable_params member_params = {
	.key_len = sizeof_field(struct ckpt_member, task),
	.key_offset = offsetof(struct ckpt_member, task),
	.head_offset = offsetof(struct ckpt_member, hash_node),
};

/**
 * ckpt_tree_init() - prepare a context for the tasks of a tree
 * @ctx: the context
 *
 * Return: 0 or -ENOMEM.
 */
int ckpt_tree_init(struct ckpt_ctx *ctx)
{
	return rhashtable_init(&ctx->member_hash, &member_params);
}

/**
 * ckpt_in_tree() - is this one of the tasks that are saved?
 * @ctx: the checkpoint
 * @task: any task
 *
 * Return: true when it was found by ckpt_tree_quiesce().
 */
bool ckpt_in_tree(struct ckpt_ctx *ctx, const struct task_struct *task)
{
	return rhashtable_lookup_fast(&ctx->member_hash, &task, member_params);
}

/**
 * ckpt_is_zombie() - has this process exited and waits to be waited for?
 * @task: a task of the tree
 *
 * Return: false also for a first thread whose process lives on in others.
 */
bool ckpt_is_zombie(const struct task_struct *task)
{
	return READ_ONCE(task->exit_state) == EXIT_ZOMBIE &&
	       thread_group_leader((struct task_struct *)task) &&
	       thread_group_empty((struct task_struct *)task);
}

/**
 * ckpt_has_exited() - has this first thread exited, while others live on?
 * @task: a task of the tree
 *
 * Return: true for what is left of it.
 */
bool ckpt_has_exited(const struct task_struct *task)
{
	return READ_ONCE(task->exit_state) == EXIT_ZOMBIE &&
	       thread_group_leader((struct task_struct *)task) &&
	       !thread_group_empty((struct task_struct *)task);
}

/**
 * ckpt_first_thread() - the first living thread of a process
 * @task: a living task of the tree, which stands still
 *
 * What threads have in common, and each of them shows, is saved with this one.
 *
 * Return: the thread, which is held as a member of the tree.
 */
struct task_struct *ckpt_first_thread(struct task_struct *task)
{
	struct task_struct *thread, *first = task;

	rcu_read_lock();
	for_each_thread(task, thread) {
		if (READ_ONCE(thread->exit_state))
			continue;
		first = thread;
		break;
	}
	rcu_read_unlock();
	return first;
}

/* --- finding them ------------------------------------------------------------- */

/**
 * struct scan - one look at the tree
 * @found: those that are there, in the order of ckpt_ctx.members
 * @spare: members for new ones, allocated before
 * @missing: how many more of them are needed
 * @again: there was no memory that can be had without sleeping
 * @nr: tasks that were found
 * @new: how many of them for the first time
 */
struct scan {
	struct list_head found;
	struct list_head spare;
	unsigned int missing;
	bool again;
	unsigned int nr;
	unsigned int new;
};

static void member_free(struct ckpt_member *m)
{
	if (m->stack)
		put_task_stack(m->task);
	if (m->task)
		put_task_struct(m->task);
	kfree(m);
}

static void members_free(struct list_head *list)
{
	struct ckpt_member *m, *next;

	list_for_each_entry_safe(m, next, list, node)
		member_free(m);
	INIT_LIST_HEAD(list);
}

/* Context: tasklist_lock. */
static void scan_task(struct ckpt_ctx *ctx, struct scan *scan,
		      struct task_struct *task)
{
	struct ckpt_member *m;

	/* A worker of io_uring never comes to user mode; its user is refused. */
	if (task->flags & PF_IO_WORKER ||
	    READ_ONCE(task->exit_state) == EXIT_DEAD)
		return;

	m = rhashtable_lookup_fast(&ctx->member_hash, &task, member_params);
	if (!m) {
		m = list_first_entry_or_null(&scan->spare, struct ckpt_member,
					     node);
		if (!m) {
			scan->missing++;
			return;
		}
		m->task = get_task_struct(task);
		if (rhashtable_insert_fast(&ctx->member_hash, &m->hash_node,
					   member_params)) {
			put_task_struct(task);
			m->task = NULL;
			scan->again = true;
			return;
		}
		scan->new++;
	} else if (m->seen == ctx->nr_scans) {
		return;
	}
	m->seen = ctx->nr_scans;
	m->dead = READ_ONCE(task->exit_state) == EXIT_ZOMBIE;
	scan->nr++;
	list_move_tail(&m->node, &scan->found);
}

/* A thread that executes a program takes the place of the first one. */
static struct task_struct *find_root(struct ckpt_ctx *ctx)
{
	struct task_struct *root = pid_task(ctx->root_pid, PIDTYPE_TGID);

	if (root && root != ctx->task) {
		put_task_struct(ctx->task);
		ctx->task = get_task_struct(root);
		ctx->where.task = root;
	}
	return root;
}

/* Context: tasklist_lock. */
static void scan_all(struct ckpt_ctx *ctx, struct scan *scan)
{
	struct task_struct *root = find_root(ctx), *thread, *child;
	struct ckpt_member *m;

	if (!root)
		return;
	scan_task(ctx, scan, root);
	/* The list grows meanwhile. */
	list_for_each_entry(m, &scan->found, node) {
		if (!thread_group_leader(m->task))
			continue;
		for_each_thread(m->task, thread) {
			scan_task(ctx, scan, thread);
			list_for_each_entry(child, &thread->children, sibling)
				scan_task(ctx, scan, child);
		}
	}
}

static int alloc_spare(struct scan *scan)
{
	for (; scan->missing; scan->missing--) {
		struct ckpt_member *m = kzalloc(sizeof(*m), GFP_KERNEL_ACCOUNT);

		if (!m)
			return -ENOMEM;
		list_add(&m->node, &scan->spare);
	}
	return 0;
}

/* Those that are not there any more: exited, or somebody else's children now. */
static void sweep(struct ckpt_ctx *ctx, struct list_head *gone)
{
	struct ckpt_member *m, *next;

	list_for_each_entry_safe(m, next, gone, node) {
		if (m->asked)
			ckpt_quiesce_end(m->task);
		rhashtable_remove_fast(&ctx->member_hash, &m->hash_node,
				       member_params);
		member_free(m);
	}
	INIT_LIST_HEAD(gone);
}

/* Return: how many tasks are new in the tree, or -errno. */
static int scan_tree(struct ckpt_ctx *ctx)
{
	struct scan scan = {
		.found = LIST_HEAD_INIT(scan.found),
		.spare = LIST_HEAD_INIT(scan.spare),
	};
	int ret = 0;

	for (;;) {
		ctx->nr_scans++;
		scan.nr = 0;
		scan.again = false;
		list_splice_tail_init(&scan.found, &ctx->members);
		read_lock(&tasklist_lock);
		scan_all(ctx, &scan);
		read_unlock(&tasklist_lock);
		if (!scan.missing && !scan.again)
			break;
		ret = fatal_signal_pending(current) ? -EINTR :
						      alloc_spare(&scan);
		if (ret)
			break;
		if (scan.again)
			schedule_timeout_killable(1);
		cond_resched();
	}
	members_free(&scan.spare);
	if (!ret)
		sweep(ctx, &ctx->members);
	list_splice_tail(&scan.found, &ctx->members);
	ctx->nr_tasks = scan.nr;
	return ret ?: scan.new;
}

/* --- standing still ------------------------------------------------------------- */

static bool has_vfork_parent(struct task_struct *task)
{
	return READ_ONCE(task->vfork_done);
}

/*
 * What need not rest in a trap: the caller, who is at work here, and who has
 * exited and is waited for by its parent or by its threads.
 */
static bool is_still_anyway(struct task_struct *task)
{
	return task == current ||
	       (READ_ONCE(task->exit_state) == EXIT_ZOMBIE &&
		thread_group_leader(task));
}

static int ask(struct ckpt_ctx *ctx, struct ckpt_member *m)
{
	int ret;

	ctx->where.task = m->task;
	/* Its tracer can leave it in this state for ever. */
	if (READ_ONCE(m->task->exit_state) && READ_ONCE(m->task->ptrace))
		return ckpt_refuse(ctx, -EBUSY, "is traced by a debugger");
	if (is_still_anyway(m->task) || READ_ONCE(m->task->exit_state))
		return 0;
	if (has_vfork_parent(m->task)) {
		/* It may have been asked before its parent began to wait. */
		if (m->asked)
			ckpt_quiesce_end(m->task);
		m->asked = false;
		return 0;
	}
	/* Nobody who may not trace it may stop it. */
	if (!m->asked && !ptrace_may_access(m->task,
					    PTRACE_MODE_ATTACH_REALCREDS))
		return ckpt_refuse(ctx, -EPERM, "no permission to trace it");
	ret = ckpt_quiesce_ask(ctx, m->task, !m->asked);
	if (!ret)
		m->asked = true;
	return ret == -ESRCH ? 0 : ret;
}

static int ask_all(struct ckpt_ctx *ctx)
{
	struct ckpt_member *m;
	int ret;

	list_for_each_entry(m, &ctx->members, node) {
		ret = ask(ctx, m);
		if (ret)
			return ret;
		cond_resched();
	}
	return 0;
}

static pid_t vfork_child(struct task_struct *task)
{
	struct task_struct *child;
	pid_t pid = 0;

	read_lock(&tasklist_lock);
	list_for_each_entry(child, &task->children, sibling)
		if (has_vfork_parent(child))
			pid = task_tgid_vnr(child);
	read_unlock(&tasklist_lock);
	return pid;
}

/* Return: -EBUSY, noted, when a vfork() lasts too long. */
static int judge_vfork(struct ckpt_ctx *ctx, struct ckpt_member *m,
		       unsigned long end)
{
	pid_t pid;

	if (time_before(jiffies, end))
		return 0;
	ctx->where.task = m->task;
	if (has_vfork_parent(m->task))
		return ckpt_refuse(ctx, -EBUSY,
				   "its parent waits for it in vfork()");
	pid = vfork_child(m->task);
	if (pid)
		return ckpt_refuse(ctx, -EBUSY,
				   "waits for its child %d in vfork()", pid);
	return 0;
}

/*
 * Return: 0 when it stands still; 1 when it does something that changes the
 * tree, which must be looked at again; or -errno.
 */
static int wait_for(struct ckpt_ctx *ctx, struct ckpt_member *m,
		    unsigned long vfork_end)
{
	struct task_struct *task = m->task;
	int ret;

	while (!is_still_anyway(task)) {
		ret = judge_vfork(ctx, m, vfork_end);
		if (ret)
			return ret;
		if (!m->asked || READ_ONCE(task->flags) & PF_EXITING) {
			schedule_timeout_interruptible(1);
			return signal_pending(current) ? -EINTR : 1;
		}
		ret = ckpt_quiesce_wait(task);
		if (ret < 0)
			return ret;
		if (ret && !has_vfork_parent(task))
			return 0;
		ret = ask(ctx, m);
		if (ret)
			return ret;
		cond_resched();
	}
	/* Who has exited since the scan has left children to somebody else. */
	return task != current && !m->dead;
}

static int wait_for_all(struct ckpt_ctx *ctx, unsigned long vfork_end)
{
	struct ckpt_member *m;
	int ret, changed = 0;

	list_for_each_entry(m, &ctx->members, node) {
		ret = wait_for(ctx, m, vfork_end);
		if (ret < 0)
			return ret;
		changed |= ret;
	}
	return changed;
}

/* Registers lie on the stack, also when the task is killed. */
static int hold_stacks(struct ckpt_ctx *ctx)
{
	struct ckpt_member *m;

	list_for_each_entry(m, &ctx->members, node) {
		if (is_still_anyway(m->task))
			continue;
		m->stack = try_get_task_stack(m->task);
		if (!m->stack) {
			ctx->where.task = m->task;
			return ckpt_refuse(ctx, -ESRCH, "is exiting");
		}
	}
	return 0;
}

/**
 * ckpt_tree_quiesce() - bring the whole tree to a stand
 * @ctx: the checkpoint, ctx->task is the root; ctx->members are its tasks then
 *
 * Waits as long as a task is in an uninterruptible sleep. Tasks that fork, exec
 * and exit meanwhile are waited for. What was begun stands until
 * ckpt_tree_release(), also after a failure.
 *
 * Context: Process context, sleeps.
 * Return: 0, or -errno, noted as a reason: -EPERM, -EBUSY when somebody else is
 * checkpointing or tracing a task or when one waits in vfork() for seconds,
 * -ESRCH when the root exits, -EINTR when the caller got a signal.
 */
int ckpt_tree_quiesce(struct ckpt_ctx *ctx)
{
	unsigned long vfork_end = jiffies + VFORK_PATIENCE;
	int ret, new;

	for (;;) {
		new = scan_tree(ctx);
		if (new < 0) {
			ret = new;
			break;
		}
		ctx->where.task = ctx->task;
		if (list_empty(&ctx->members) || ckpt_is_zombie(ctx->task)) {
			ret = -ESRCH;
			break;
		}
		ret = ask_all(ctx);
		if (!ret)
			ret = wait_for_all(ctx, vfork_end);
		if (ret < 0)
			break;
		if (!ret && !new) {
			ret = hold_stacks(ctx);
			break;
		}
	}
	if (!ret && ckpt_in_tree(ctx, current))
		ctx->self = true;
	if (ret && !ctx->nr_reasons)
		ckpt_refuse(ctx, ret, ret == -ESRCH ? "is exiting" :
			    ret == -EINTR ?
			    "interrupted by a signal while it was waited for" :
			    "the tasks of the tree cannot be listed");
	return ret;
}

/**
 * ckpt_tree_check_access() - may the caller trace each task, as it is now?
 * @ctx: the checkpoint
 *
 * It may have executed a set-user-ID program before it stood still.
 *
 * Return: 0 or -EPERM, noted as a reason.
 */
int ckpt_tree_check_access(struct ckpt_ctx *ctx)
{
	struct ckpt_member *m;

	list_for_each_entry(m, &ctx->members, node) {
		ctx->where.task = m->task;
		if (!ptrace_may_access(m->task, PTRACE_MODE_ATTACH_REALCREDS))
			return ckpt_refuse(ctx, -EPERM,
					   "no permission to trace it");
	}
	ctx->where.task = ctx->task;
	return 0;
}

/* --- sharing with the outside ------------------------------------------------------ */

static struct ckpt_obj *find_kind(struct ckpt_ctx *ctx,
				  const struct ckpt_kind *kind, const void *ptr)
{
	struct ckpt_obj *obj = ptr ? ckpt_obj_find(ctx, ptr) : NULL;

	return obj && obj->kind == kind ? obj : NULL;
}

/**
 * ckpt_tree_check_leaks() - do tasks outside share what tasks have by clone()?
 * @ctx: the checkpoint, after everything was collected
 *
 * Reference counts do not tell: others hold references for a moment.
 *
 * Return: 0, or -EBUSY, noted as a reason.
 */
int ckpt_tree_check_leaks(struct ckpt_ctx *ctx)
{
	struct task_struct *group, *other;
	struct ckpt_where old = ctx->where;
	struct ckpt_obj *obj;
	const char *what;
	pid_t pid;

	rcu_read_lock();
	for_each_process_thread(group, other) {
		if (other->flags & PF_KTHREAD || ckpt_in_tree(ctx, other))
			continue;
		pid = task_pid_vnr(other);
		what = "memory";
		obj = find_kind(ctx, &ckpt_kind_mm, READ_ONCE(other->mm));
		if (obj)
			goto found;
		what = "descriptors";
		obj = find_kind(ctx, &ckpt_kind_files,
				READ_ONCE(other->files));
		if (obj)
			goto found;
		what = "directories";
		obj = find_kind(ctx, &ckpt_kind_fs, READ_ONCE(other->fs));
		if (obj)
			goto found;
		what = "signal actions";
		obj = find_kind(ctx, &ckpt_kind_sighand,
				rcu_access_pointer(other->sighand));
		if (obj)
			goto found;
	}
	rcu_read_unlock();
	return 0;

found:
	rcu_read_unlock();

	ctx->where.task = obj->task;
	ctx->where.kind = ckpt_kind_shared.name;
	ckpt_refuse(ctx, -EBUSY, "shares %s with process %d", what, pid);
	ctx->where = old;
	return -EBUSY;
}

const struct ckpt_kind ckpt_kind_shared = {
	.name = "shared",
	.about = "memory, descriptors, directories and signal actions within the tree",
	.refuse = "sharing these with processes outside by clone() or vfork()",
	.family = CKPT_FAMILY_TASK,
};

/* --- the end -------------------------------------------------------------------------- */

/**
 * ckpt_tree_check_alive() - are all tasks still what was saved?
 * @ctx: the checkpoint
 *
 * Return: 0 or -ESRCH, noted as a reason.
 */
int ckpt_tree_check_alive(struct ckpt_ctx *ctx)
{
	struct ckpt_member *m;

	list_for_each_entry(m, &ctx->members, node) {
		/* Whose stack is held was alive. */
		if (m->stack ? ckpt_is_quiesced(m->task) :
			       is_still_anyway(m->task))
			continue;
		ctx->where.task = m->task;
		return ckpt_refuse(ctx, -ESRCH,
				   "was killed during the checkpoint");
	}
	return 0;
}

/**
 * ckpt_tree_kill() - send SIGKILL to all processes, which stand still
 * @ctx: the checkpoint; the caller is not in the tree
 */
void ckpt_tree_kill(struct ckpt_ctx *ctx)
{
	struct ckpt_member *m;

	list_for_each_entry(m, &ctx->members, node)
		/* To the process: its first thread can have exited. */
		if (thread_group_leader(m->task))
			kill_pid(task_pid(m->task), SIGKILL, 1);
}

/**
 * ckpt_tree_release() - let all tasks go on
 * @ctx: the checkpoint
 */
void ckpt_tree_release(struct ckpt_ctx *ctx)
{
	struct ckpt_member *m;

	list_for_each_entry(m, &ctx->members, node)
		if (m->asked)
			ckpt_quiesce_end(m->task);
}

/**
 * ckpt_tree_destroy() - forget the tasks of a tree
 * @ctx: the context
 */
void ckpt_tree_destroy(struct ckpt_ctx *ctx)
{
	rhashtable_destroy(&ctx->member_hash);
	members_free(&ctx->members);
}
