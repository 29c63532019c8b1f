// SPDX-License-Identifier: GPL-2.0
/*
 * A task: what it is, what it refers to, its attributes; and the states in
 * which it is refused.
 *
 * The new tasks are descendants of the restart's caller, and inherit from it
 * what belongs to a place and not to a program: namespaces, cgroup, terminal,
 * session keyring.
 */

#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/fdtable.h>
#include <linux/fs_struct.h>
#include <linux/ioprio.h>
#include <linux/mempolicy.h>
#include <linux/nospec.h>
#include <linux/nsproxy.h>
#include <linux/oom.h>
#include <linux/perf_event.h>
#include <linux/personality.h>
#include <linux/pid_namespace.h>
#include <linux/posix-timers.h>
#include <linux/prctl.h>
#include <linux/resource.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/seccomp.h>
#include <linux/security.h>
#include <linux/sem.h>
#include <linux/syscall_user_dispatch.h>
#include <linux/syscalls.h>
#include <linux/user_events.h>

#include "task.h"

/* --- states and relations that are refused --------------------------------------- */

static int ptrace_collect(struct ckpt_ctx *ctx, struct task_struct *task)
{
	int ret = 0;

	if (task->ptrace)
		ret = ckpt_refuse(ctx, -EBUSY, "is traced by a debugger");
	if (!list_empty(&task->ptraced))
		ret = ckpt_refuse(ctx, -EBUSY, "traces other processes");
	return ret;
}

const struct ckpt_kind ckpt_kind_ptrace = {
	.name = "ptrace",
	.about = "not traced and not tracing",
	.refuse = "ptrace relations",
	.family = CKPT_FAMILY_TASK,
	.task_collect = ptrace_collect,
};

static int seccomp_collect(struct ckpt_ctx *ctx, struct task_struct *task)
{
#ifdef CONFIG_SECCOMP
	if (task->seccomp.mode != SECCOMP_MODE_DISABLED)
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "is confined by seccomp (%s)",
				   task->seccomp.mode == SECCOMP_MODE_STRICT ?
				   "strict mode" : "filters");
#endif
	return 0;
}

const struct ckpt_kind ckpt_kind_seccomp = {
	.name = "seccomp",
	.about = "not confined",
	.refuse = "seccomp, strict or with filters",
	.family = CKPT_FAMILY_TASK,
	.task_collect = seccomp_collect,
};

static int user_dispatch_collect(struct ckpt_ctx *ctx, struct task_struct *task)
{
#ifdef CONFIG_GENERIC_ENTRY
	if (test_task_syscall_work(task, SYSCALL_USER_DISPATCH))
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "uses PR_SET_SYSCALL_USER_DISPATCH");
#endif
	return 0;
}

const struct ckpt_kind ckpt_kind_user_dispatch = {
	.name = "user_dispatch",
	.about = "not used",
	.refuse = "syscall user dispatch",
	.family = CKPT_FAMILY_TASK,
	.task_collect = user_dispatch_collect,
};

static int io_uring_collect(struct ckpt_ctx *ctx, struct task_struct *task)
{
#ifdef CONFIG_IO_URING
	if (task->io_uring)
		return ckpt_refuse(ctx, -EOPNOTSUPP, "has used io_uring");
#endif
	return 0;
}

const struct ckpt_kind ckpt_kind_task_io_uring = {
	.name = "task_io_uring",
	.about = "not used",
	.refuse = "io_uring",
	.family = CKPT_FAMILY_TASK,
	.task_collect = io_uring_collect,
};

/* Words in its memory that tell it whether somebody traces its events. */
static bool has_user_events(struct task_struct *task)
{
	bool ret = false;
#ifdef CONFIG_USER_EVENTS
	struct user_event_mm *mm;

	rcu_read_lock();
	mm = READ_ONCE(task->user_event_mm);
	ret = mm && !list_empty(&mm->enablers);
	rcu_read_unlock();
#endif
	return ret;
}

static int perf_collect(struct ckpt_ctx *ctx, struct task_struct *task)
{
	int ret = 0;
#ifdef CONFIG_PERF_EVENTS
	struct perf_event_context *pctx;
	bool watched;

	mutex_lock(&task->perf_event_mutex);
	if (!list_empty(&task->perf_event_list))
		ret = ckpt_refuse(ctx, -EOPNOTSUPP, "has performance events");
	mutex_unlock(&task->perf_event_mutex);

	rcu_read_lock();
	pctx = READ_ONCE(task->perf_event_ctxp);
	watched = pctx && READ_ONCE(pctx->nr_events);
	rcu_read_unlock();
	if (watched)
		ret = ckpt_refuse(ctx, -EBUSY,
				  "is watched by performance events");
#endif
	if (has_user_events(task))
		ret = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "has registered user events");
	return ret;
}

const struct ckpt_kind ckpt_kind_perf = {
	.name = "perf",
	.about = "not used",
	.refuse = "performance events of or on the process",
	.family = CKPT_FAMILY_TASK,
	.task_collect = perf_collect,
};

static int uprobes_collect(struct ckpt_ctx *ctx, struct task_struct *task)
{
#ifdef CONFIG_UPROBES
	if (task->utask)
		return ckpt_refuse(ctx, -EBUSY, "has run into uprobes");
#endif
	return 0;
}

const struct ckpt_kind ckpt_kind_uprobes = {
	.name = "uprobes",
	.about = "not used",
	.refuse = "uprobes",
	.family = CKPT_FAMILY_TASK,
	.task_collect = uprobes_collect,
};

static int futex_pi_collect(struct ckpt_ctx *ctx, struct task_struct *task)
{
#ifdef CONFIG_FUTEX
	if (!list_empty(&task->pi_state_list))
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "holds a priority-inheritance futex that others wait for");
#endif
	return 0;
}

const struct ckpt_kind ckpt_kind_futex_pi = {
	.name = "futex_pi",
	.about = "futexes that nobody else waits for",
	.refuse = "priority-inheritance futexes with waiters",
	.family = CKPT_FAMILY_TASK,
	.task_collect = futex_pi_collect,
};

static int mempolicy_collect(struct ckpt_ctx *ctx, struct task_struct *task)
{
#ifdef CONFIG_NUMA
	if (task->mempolicy)
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "has a NUMA memory policy");
#endif
	return 0;
}

const struct ckpt_kind ckpt_kind_mempolicy = {
	.name = "mempolicy",
	.about = "the default",
	.refuse = "NUMA memory policies",
	.family = CKPT_FAMILY_TASK,
	.task_collect = mempolicy_collect,
};

static int core_sched_collect(struct ckpt_ctx *ctx, struct task_struct *task)
{
#ifdef CONFIG_SCHED_CORE
	if (task->core_cookie)
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "has a core scheduling cookie");
#endif
	return 0;
}

const struct ckpt_kind ckpt_kind_core_sched = {
	.name = "core_sched",
	.about = "not used",
	.refuse = "core scheduling cookies",
	.family = CKPT_FAMILY_TASK,
	.task_collect = core_sched_collect,
};

/* --- the task ----------------------------------------------------------------------- */

/* What makes a task none that can be saved. */
static int check_state(struct ckpt_ctx *ctx, struct task_struct *task)
{
	unsigned int flags = READ_ONCE(task->flags);
	struct signal_struct *sig = task->signal;

	if (READ_ONCE(task->exit_state) || flags & PF_EXITING)
		return ckpt_refuse(ctx, -ESRCH, "is exiting");
	if (flags & (PF_KTHREAD | PF_IO_WORKER | PF_WQ_WORKER | PF_USER_WORKER |
		     PF_IDLE))
		return ckpt_refuse(ctx, -EOPNOTSUPP, "is a kernel thread");
	if (READ_ONCE(sig->core_state) || flags & PF_DUMPCORE)
		return ckpt_refuse(ctx, -EBUSY, "is dumping core");
	if (READ_ONCE(sig->group_exec_task) || task->in_execve)
		return ckpt_refuse(ctx, -EBUSY, "is in execve()");
	if (READ_ONCE(task->vfork_done))
		return ckpt_refuse(ctx, -EBUSY,
				   "its parent waits for it in vfork()");
	if (sig->flags & SIGNAL_UNKILLABLE && !ckpt_ns_is_init(ctx, task))
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "is the init process of its pid namespace");
	return 0;
}

static int collect_cred(struct ckpt_ctx *ctx, struct task_struct *task)
{
	const struct cred *cred = get_task_cred(task);
	int ret;

	ret = ckpt_collect(ctx, &ckpt_kind_cred, (void *)cred);
	put_cred(cred);
	return ret;
}

static int collect_mm(struct ckpt_ctx *ctx, struct task_struct *task)
{
	struct mm_struct *mm = get_task_mm(task);
	int ret;

	if (!mm)
		return -ESRCH;
	ret = ckpt_collect(ctx, &ckpt_kind_mm, mm);
	mmput(mm);
	return ret;
}

static int collect_files(struct ckpt_ctx *ctx, struct task_struct *task)
{
	struct files_struct *files;
	int ret;

	task_lock(task);
	files = task->files;
	if (files)
		atomic_inc(&files->count);
	task_unlock(task);
	if (!files)
		return -ESRCH;
	ret = ckpt_collect(ctx, &ckpt_kind_files, files);
	put_files_struct(files);
	return ret;
}

static int collect_fs(struct ckpt_ctx *ctx, struct task_struct *task)
{
	struct fs_struct *fs;
	bool last;
	int ret;

	task_lock(task);
	fs = task->fs;
	if (fs) {
		spin_lock(&fs->lock);
		fs->users++;
		spin_unlock(&fs->lock);
	}
	task_unlock(task);
	if (!fs)
		return -ESRCH;
	ret = ckpt_collect(ctx, &ckpt_kind_fs, fs);
	spin_lock(&fs->lock);
	last = !--fs->users;
	spin_unlock(&fs->lock);
	if (last)
		free_fs_struct(fs);
	return ret;
}

static int collect_sighand(struct ckpt_ctx *ctx, struct task_struct *task)
{
	struct sighand_struct *sighand;
	unsigned long flags;
	int ret;

	sighand = lock_task_sighand(task, &flags);
	if (!sighand)
		return -ESRCH;
	refcount_inc(&sighand->count);
	unlock_task_sighand(task, &flags);
	ret = ckpt_collect(ctx, &ckpt_kind_sighand, sighand);
	__cleanup_sighand(sighand);
	return ret;
}

/* What ckpt_refuse() says of the task, while its attributes are visited. */
static void enter_task(struct ckpt_ctx *ctx, struct task_struct *task)
{
	ckpt_about_file(ctx, NULL);
	ctx->where.task = task;
	ctx->where.vm_end = 0;
	ctx->where.kind = ckpt_kind_task.name;
}

/* What decides whether a task has an attribute. */
struct which {
	bool leader;
	bool zombie;
	bool exited;
};

static struct which which_task(struct task_struct *task)
{
	return (struct which){
		.leader = thread_group_leader(task),
		.zombie = ckpt_is_zombie(task),
		.exited = ckpt_has_exited(task),
	};
}

/* Is this an attribute that such a task has? */
static bool has_kind(const struct which *which, const struct ckpt_kind *kind)
{
	return (!kind->process || which->leader) &&
	       (kind->zombie || !which->zombie) &&
	       (kind->zombie || kind->process || !which->exited);
}

static int task_obj_collect(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	static int (*const objects[])(struct ckpt_ctx *ctx,
				      struct task_struct *task) = {
		collect_cred, collect_mm, collect_files, collect_fs,
		collect_sighand,
	};
	struct task_struct *task = obj->ptr;
	const struct ckpt_where old = ctx->where;
	const struct which which = which_task(task);
	const struct ckpt_kind *const *row;
	unsigned int i;
	int ret;

	enter_task(ctx, task);
	if (which.zombie) {
		ret = collect_cred(ctx, task);
		goto out;
	}
	if (which.exited) {
		ret = collect_cred(ctx, task);
		ckpt_first(&ret, collect_sighand(ctx, task));
		goto attributes;
	}
	ret = check_state(ctx, task);
	if (ret)
		goto out;
	for (i = 0; i < ARRAY_SIZE(objects); i++) {
		ckpt_first(&ret, objects[i](ctx, task));
		enter_task(ctx, task);
	}
attributes:
	if (which.leader)
		ckpt_first(&ret, ckpt_session_collect(ctx, task));
	ckpt_for_each_row(row, CKPT_ROWS_TASK_COLLECT) {
		if (!has_kind(&which, *row))
			continue;
		enter_task(ctx, task);
		ctx->where.kind = (*row)->name;
		ckpt_first(&ret, (*row)->task_collect(ctx, task));
	}
out:
	ctx->where = old;
	return ret;
}

/*
 * As for do_notify_parent(): who has executed another program than the one that
 * made the child gets SIGCHLD.
 */
static int exit_signal_of(struct task_struct *task,
			  const struct task_struct *parent)
{
	if (thread_group_leader(task) &&
	    task->parent_exec_id != READ_ONCE(parent->self_exec_id))
		return SIGCHLD;
	return task->exit_signal;
}

static void fill_pids(struct ckpt_ctx *ctx, struct task_struct *task,
		      struct ckpt_task *rec)
{
	struct task_struct *parent;

	rcu_read_lock();
	parent = rcu_dereference(task->real_parent);
	rec->pid = task_pid_nr_ns(task, ctx->pid_ns);
	rec->tgid = task_tgid_nr_ns(task, ctx->pid_ns);
	rec->ppid = task_tgid_nr_ns(parent, ctx->pid_ns);
	rec->pgid = task_pgrp_nr_ns(task, ctx->pid_ns);
	rec->sid = task_session_nr_ns(task, ctx->pid_ns);
	rec->exit_signal = exit_signal_of(task, parent);
	if (task != ctx->task && thread_group_leader(task))
		rec->parent = task_pid_nr_ns(parent, ctx->pid_ns);
	rcu_read_unlock();
}

static int fill_refs(struct ckpt_ctx *ctx, struct task_struct *task,
		     struct ckpt_task *rec)
{
	rcu_read_lock();
	rec->cred = ckpt_ref(ctx, __task_cred(task));
	if (!ckpt_is_zombie(task))
		rec->sighand = ckpt_ref(ctx, rcu_dereference(task->sighand));
	rcu_read_unlock();
	task_lock(task);
	rec->mm = ckpt_ref(ctx, task->mm);
	rec->files = ckpt_ref(ctx, task->files);
	rec->fs = ckpt_ref(ctx, task->fs);
	task_unlock(task);
	if (ckpt_is_zombie(task))
		return 0;
	/* It was killed. */
	if (!rec->cred || !rec->sighand)
		return -ESRCH;
	if (ckpt_has_exited(task))
		return 0;
	if (!rec->mm || !rec->files || !rec->fs)
		return -ESRCH;
	return 0;
}

/* What wait(2) says of it. */
static void fill_wait(struct task_struct *task, struct ckpt_task *rec)
{
	struct signal_struct *sig = task->signal;

	if (!thread_group_leader(task))
		return;
	if (ckpt_is_zombie(task)) {
		rec->flags |= CKPT_TASK_ZOMBIE;
		rec->wait_status = sig->flags & SIGNAL_GROUP_EXIT ?
			sig->group_exit_code : task->exit_code;
		return;
	}
	if (ckpt_has_exited(task)) {
		rec->flags |= CKPT_TASK_EXITED;
		rec->exit_code = task->exit_code;
	}
	ckpt_signal_stopped(task, rec);
}

static int task_obj_save(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	struct task_struct *task = obj->ptr;
	const struct ckpt_where old = ctx->where;
	const struct which which = which_task(task);
	const struct ckpt_kind *const *row;
	struct ckpt_task rec = {};
	int ret;

	enter_task(ctx, task);
	fill_pids(ctx, task, &rec);
	ret = fill_refs(ctx, task, &rec);
	if (ret) {
		ckpt_refuse(ctx, ret, "was killed during the checkpoint");
		goto out;
	}
	get_task_comm(rec.comm, task);
	if (which.leader)
		rec.flags = ckpt_session_flags(ctx, task);
	fill_wait(task, &rec);
	ret = ckpt_write(ctx, obj->kind, obj->ref, &rec, sizeof(rec));

	ckpt_for_each_row(row, CKPT_ROWS_TASK_SAVE) {
		if (ret)
			break;
		if (!has_kind(&which, *row))
			continue;
		ctx->where.kind = (*row)->name;
		ret = (*row)->task_save(ctx, task);
	}
out:
	ctx->where = old;
	return ret;
}

static int check_refs(struct ckpt_ctx *ctx, const struct ckpt_task *t)
{
	bool ok;

	if (t->flags & CKPT_TASK_ZOMBIE)
		ok = !t->mm && !t->files && !t->fs && !t->sighand;
	else if (t->flags & CKPT_TASK_EXITED)
		ok = !t->mm && !t->files && !t->fs &&
		     ckpt_ref_is_type(ctx, t->sighand, CKPT_REC_SIGHAND);
	else
		ok = ckpt_ref_is_type(ctx, t->mm, CKPT_REC_MM) &&
		     ckpt_ref_is_type(ctx, t->files, CKPT_REC_FILES) &&
		     ckpt_ref_is_type(ctx, t->fs, CKPT_REC_FS) &&
		     ckpt_ref_is_type(ctx, t->sighand, CKPT_REC_SIGHAND);
	if (!ok || !ckpt_ref_is_type(ctx, t->cred, CKPT_REC_CRED))
		return ckpt_refuse(ctx, -EINVAL,
				   "refers to what is not in front of it");
	return 0;
}

/* A signal and whether it dumped core, or an exit code. */
static bool exit_status_ok(u32 status)
{
	u32 signal = status & 0x7f;

	return signal ? status <= 0xff && signal <= _NSIG :
			!(status & ~0xff00);
}

/* How it ended, or what stopped it. */
static bool wait_status_ok(const struct ckpt_task *t)
{
	u32 status = t->wait_status;

	if (t->flags & CKPT_TASK_EXITED ? !exit_status_ok(t->exit_code) :
					  t->exit_code)
		return false;
	if (t->flags & CKPT_TASK_ZOMBIE)
		return exit_status_ok(status);
	return status <= (t->flags & CKPT_TASK_STOPPED ? _NSIG : 0);
}

#define TASK_FLAGS	(CKPT_TASK_STOPPED | CKPT_TASK_FOREGROUND |	\
			 CKPT_TASK_TERMINAL | CKPT_TASK_STOPPING |	\
			 CKPT_TASK_CONTINUED | CKPT_TASK_ZOMBIE |	\
			 CKPT_TASK_OWN_GROUP | CKPT_TASK_OWN_SESSION |	\
			 CKPT_TASK_TELL_STOPPED | CKPT_TASK_TELL_CONTINUED | \
			 CKPT_TASK_EXITED)

static int task_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_task *t = ckpt_payload(rec, struct ckpt_task);
	bool thread = t->tgid != t->pid;

	static_assert(sizeof(t->comm) == TASK_COMM_LEN);

	if (t->pid <= 0 || t->tgid <= 0 || t->ppid < 0 || t->pgid < 0 ||
	    t->sid < 0 || t->parent < 0)
		return ckpt_refuse(ctx, -EINVAL,
				   "pids %d, process %d, parent %d, group %d, session %d",
				   t->pid, t->tgid, t->ppid, t->pgid, t->sid);
	if (thread ? t->exit_signal != -1 :
		     t->exit_signal < 0 || t->exit_signal > _NSIG)
		return ckpt_refuse(ctx, -EINVAL, "exit signal %d",
				   t->exit_signal);
	if (t->flags & ~(thread ? 0 : TASK_FLAGS) ||
	    (t->flags & CKPT_TASK_EXITED && t->flags & CKPT_TASK_ZOMBIE))
		return ckpt_refuse(ctx, -EINVAL, "unknown flags 0x%x",
				   t->flags);
	if (t->flags & CKPT_TASK_FOREGROUND && !(t->flags & CKPT_TASK_TERMINAL))
		return ckpt_refuse(ctx, -EINVAL,
				   "in the foreground of no terminal");
	if (t->flags & CKPT_TASK_STOPPED ?
	    t->stop_signal > _NSIG || !sig_kernel_stop(t->stop_signal) :
	    t->stop_signal || t->flags & CKPT_TASK_STOPPING)
		return ckpt_refuse(ctx, -EINVAL, "stopped by signal %u",
				   t->stop_signal);
	if (t->flags & CKPT_TASK_STOPPED &&
	    t->flags & (CKPT_TASK_CONTINUED | CKPT_TASK_ZOMBIE))
		return ckpt_refuse(ctx, -EINVAL,
				   "stopped and not stopped, flags 0x%x",
				   t->flags);
	if (!wait_status_ok(t))
		return ckpt_refuse(ctx, -EINVAL, "a wait status of 0x%x",
				   t->wait_status);
	if (!memchr(t->comm, 0, sizeof(t->comm)))
		return ckpt_refuse(ctx, -EINVAL, "a name without an end");
	return check_refs(ctx, t);
}

static void task_commit(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_task *t = ckpt_payload(rec, struct ckpt_task);
	struct task_struct *task = ctx->who;

	set_task_comm(task, t->comm);
	/* What it has only where a record says so. */
	task->restart_block =
		(struct restart_block){ .fn = do_no_restart_syscall };
	ckpt_arch_reset(task);
	if (t->flags & CKPT_TASK_ZOMBIE) {
		ckpt_cred_commit(task, ckpt_obj_ptr(ctx, t->cred));
		return;
	}
	if (t->flags & CKPT_TASK_EXITED) {
		ckpt_cred_commit(task, ckpt_obj_ptr(ctx, t->cred));
		ckpt_signal_stop(t);
		return;
	}
	if (ctx->self) {
		setmax_mm_hiwater_rss(&task->signal->maxrss, task->mm);
		ckpt_mm_adopt(task, ckpt_obj_ptr(ctx, t->mm));
	}
	ckpt_files_adopt(task, ckpt_obj_ptr(ctx, t->files));
	ckpt_fs_adopt(task, ckpt_obj_ptr(ctx, t->fs));
	ckpt_cred_commit(task, ckpt_obj_ptr(ctx, t->cred));
	if (t->pid == t->tgid)
		ckpt_signal_stop(t);
}

static void task_get(void *ptr)
{
	get_task_struct(ptr);
}

static void task_put(void *ptr)
{
	put_task_struct(ptr);
}

const struct ckpt_kind ckpt_kind_task = {
	.name = "task",
	.about = "pid, name, parent, process group, session, job control stop, exit status",
	.family = CKPT_FAMILY_OBJECT,
	.type = CKPT_REC_TASK,
	.phase = CKPT_PHASE_TASK,
	.version = 2,
	.min_version = 2,
	CKPT_PAYLOAD(struct ckpt_task),
	.object = true,
	.in_task = true,
	.obj_get = task_get,
	.obj_put = task_put,
	.obj_collect = task_obj_collect,
	.obj_save = task_obj_save,
	.check = task_check,
	.commit = task_commit,
};

/* --- attributes ------------------------------------------------------------------------ */

/* Only current changes its flags; a new task does not run, see commit_process(). */
static void set_flag(struct task_struct *task, unsigned int flag, bool on)
{
	if (on)
		task->flags |= flag;
	else
		task->flags &= ~flag;
}

/* The priority that ioprio_set() has set, 0 for none. */
static u32 get_ioprio(struct task_struct *task, bool *shared)
{
	u32 ioprio = 0;

	*shared = false;
#ifdef CONFIG_BLOCK
	task_lock(task);
	if (task->io_context) {
		ioprio = task->io_context->ioprio;
		*shared = atomic_read(&task->io_context->active_ref) > 1;
	}
	task_unlock(task);
#endif
	return ioprio;
}

/* As ioprio_set(2). */
static int set_ioprio(struct task_struct *task, u32 ioprio)
{
#ifdef CONFIG_BLOCK
	int ret = ioprio_check_cap(ioprio);

	return ret ?: set_task_ioprio(task, ioprio);
#else
	return -EOPNOTSUPP;
#endif
}

/* The context is there if it is needed, see restore_ioprio(). */
static void commit_ioprio(struct task_struct *task, u32 ioprio)
{
#ifdef CONFIG_BLOCK
	task_lock(task);
	if (task->io_context)
		task->io_context->ioprio = ioprio;
	task_unlock(task);
#endif
}

static int task_attr_collect(struct ckpt_ctx *ctx, struct task_struct *task)
{
	bool shared;

	get_ioprio(task, &shared);
	if (shared)
		return ckpt_refuse(ctx, -EBUSY,
				   "shares an I/O context with another task (CLONE_IO)");
	return 0;
}

static int task_attr_save(struct ckpt_ctx *ctx, struct task_struct *task)
{
	struct ckpt_task_attr rec = {
		.personality = task->personality,
		.timer_slack_ns = task->timer_slack_ns,
		.default_timer_slack_ns = task->default_timer_slack_ns,
		.oom_score_adj = task->signal->oom_score_adj,
		.oom_score_adj_min = task->signal->oom_score_adj_min,
	};
	bool shared;

	rec.ioprio = get_ioprio(task, &shared);
	if (task_no_new_privs(task))
		rec.flags |= CKPT_ATTR_NO_NEW_PRIVS;
	if (task->flags & PF_FORKNOEXEC)
		rec.flags |= CKPT_ATTR_FORKNOEXEC;
	return ckpt_write(ctx, &ckpt_kind_task_attr, ckpt_ref(ctx, task), &rec,
			  sizeof(rec));
}

static int task_attr_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_task_attr *a = ckpt_payload(rec, struct ckpt_task_attr);

	/* It asks for the current one. */
	if (a->personality == 0xffffffff)
		return ckpt_refuse(ctx, -EINVAL, "personality 0x%x",
				   a->personality);
	if (a->flags & ~(CKPT_ATTR_NO_NEW_PRIVS | CKPT_ATTR_FORKNOEXEC) ||
	    a->pad)
		return ckpt_refuse(ctx, -EINVAL, "unknown flags 0x%x",
				   a->flags);
	if (a->oom_score_adj < OOM_SCORE_ADJ_MIN ||
	    a->oom_score_adj > OOM_SCORE_ADJ_MAX ||
	    a->oom_score_adj_min < OOM_SCORE_ADJ_MIN ||
	    a->oom_score_adj_min > OOM_SCORE_ADJ_MAX)
		return ckpt_refuse(ctx, -EINVAL, "oom_score_adj %d, minimum %d",
				   a->oom_score_adj, a->oom_score_adj_min);
	if (a->ioprio > U16_MAX)
		return ckpt_refuse(ctx, -EINVAL, "I/O priority 0x%x",
				   a->ioprio);
	return 0;
}

static int restore_ioprio(struct ckpt_ctx *ctx, u32 ioprio)
{
	bool shared;
	u32 old = get_ioprio(ctx->who, &shared);
	int ret;

	if (ioprio == old)
		return 0;
	if (ctx->self && shared)
		return ckpt_refuse(ctx, -EBUSY,
				   "the caller shares its I/O context with another process");
	ret = set_ioprio(ctx->who, ioprio);
	if (ret)
		return ckpt_refuse(ctx, ret, "cannot set I/O priority 0x%x",
				   ioprio);
	/* Allowed, and nothing is to be allocated at the commit any more. */
	if (ctx->self)
		commit_ioprio(ctx->who, old);
	return 0;
}

static int task_attr_restore(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_task_attr *a = ckpt_payload(rec, struct ckpt_task_attr);
	struct task_struct *task = ctx->who;

	if (task_no_new_privs(task) && !(a->flags & CKPT_ATTR_NO_NEW_PRIVS))
		return ckpt_refuse(ctx, -EPERM,
				   "the caller has no_new_privs, the saved process had not");
#ifdef CONFIG_NUMA
	if (task->mempolicy)
		return ckpt_refuse(ctx, -EPERM,
				   "the caller has a NUMA memory policy, the saved process had none");
#endif
	if (a->oom_score_adj < task->signal->oom_score_adj_min &&
	    !capable(CAP_SYS_RESOURCE))
		return ckpt_refuse(ctx, -EACCES,
				   "oom_score_adj %d is below the caller's minimum %d, which needs CAP_SYS_RESOURCE",
				   a->oom_score_adj,
				   task->signal->oom_score_adj_min);
	/* Below: the commit has the credentials of the saved process. */
	if (a->oom_score_adj_min < task->signal->oom_score_adj_min &&
	    !capable(CAP_SYS_RESOURCE))
		a->oom_score_adj_min = task->signal->oom_score_adj_min;
	return restore_ioprio(ctx, a->ioprio);
}

static void task_attr_commit(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_task_attr *a = ckpt_payload(rec, struct ckpt_task_attr);
	struct task_struct *task = ctx->who;

	/* As execve(): these are of the caller, by addresses in its memory. */
	clear_syscall_work_syscall_user_dispatch(task);
	user_events_execve(task);

	task->personality = a->personality;
	if (a->flags & CKPT_ATTR_NO_NEW_PRIVS)
		task_set_no_new_privs(task);
	set_flag(task, PF_FORKNOEXEC, a->flags & CKPT_ATTR_FORKNOEXEC);
	task->timer_slack_ns = a->timer_slack_ns;
	task->default_timer_slack_ns = a->default_timer_slack_ns;

	/* The other threads say the same. */
	mutex_lock(&oom_adj_mutex);
	task->signal->oom_score_adj = a->oom_score_adj;
	task->signal->oom_score_adj_min = a->oom_score_adj_min;
	mutex_unlock(&oom_adj_mutex);

	if (ctx->self)
		commit_ioprio(task, a->ioprio);
}

const struct ckpt_kind ckpt_kind_task_attr = {
	.name = "task_attr",
	.about = "personality, no_new_privs, timer slack, oom_score_adj, I/O priority",
	.family = CKPT_FAMILY_TASK,
	.type = CKPT_REC_TASK_ATTR,
	.phase = CKPT_PHASE_TASK,
	.version = 1,
	.min_version = 1,
	CKPT_PAYLOAD(struct ckpt_task_attr),
	.single = true,
	.required = true,
	.task_collect = task_attr_collect,
	.task_save = task_attr_save,
	.check = task_attr_check,
	.restore = task_attr_restore,
	.commit = task_attr_commit,
};

/* --- resource limits ---------------------------------------------------------------------- */

static_assert(sizeof_field(struct ckpt_rlimits, limits) ==
	      RLIM_NLIMITS * sizeof(struct ckpt_rlimit));
static_assert(RLIM_INFINITY == U64_MAX);

static const char * const limit_names[RLIM_NLIMITS] = {
	[RLIMIT_CPU] = "CPU",
	[RLIMIT_FSIZE] = "FSIZE",
	[RLIMIT_DATA] = "DATA",
	[RLIMIT_STACK] = "STACK",
	[RLIMIT_CORE] = "CORE",
	[RLIMIT_RSS] = "RSS",
	[RLIMIT_NPROC] = "NPROC",
	[RLIMIT_NOFILE] = "NOFILE",
	[RLIMIT_MEMLOCK] = "MEMLOCK",
	[RLIMIT_AS] = "AS",
	[RLIMIT_LOCKS] = "LOCKS",
	[RLIMIT_SIGPENDING] = "SIGPENDING",
	[RLIMIT_MSGQUEUE] = "MSGQUEUE",
	[RLIMIT_NICE] = "NICE",
	[RLIMIT_RTPRIO] = "RTPRIO",
	[RLIMIT_RTTIME] = "RTTIME",
};

static int rlimits_save(struct ckpt_ctx *ctx, struct task_struct *task)
{
	struct ckpt_rlimits rec;
	int i;

	task_lock(task->group_leader);
	for (i = 0; i < RLIM_NLIMITS; i++)
		rec.limits[i] = (struct ckpt_rlimit) {
			.cur = task->signal->rlim[i].rlim_cur,
			.max = task->signal->rlim[i].rlim_max,
		};
	task_unlock(task->group_leader);
	return ckpt_write(ctx, &ckpt_kind_rlimits, ckpt_ref(ctx, task), &rec,
			  sizeof(rec));
}

static int rlimits_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_rlimits *r = ckpt_payload(rec, struct ckpt_rlimits);
	int i;

	for (i = 0; i < RLIM_NLIMITS; i++)
		if (r->limits[i].cur > r->limits[i].max)
			return ckpt_refuse(ctx, -EINVAL,
					   "RLIMIT_%s is above its maximum",
					   limit_names[i]);
	return 0;
}

/*
 * As setrlimit(2). A new task gets the higher one of both limits at first: what
 * is restored behind this may need the saved one, and may have been made when
 * the limit was higher.
 */
static int rlimits_restore(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_rlimits *r = ckpt_payload(rec, struct ckpt_rlimits);
	int i, ret;

	for (i = 0; i < RLIM_NLIMITS; i++) {
		struct rlimit new = { r->limits[i].cur, r->limits[i].max };
		struct rlimit *now = &current->signal->rlim[i];

		if (i == RLIMIT_NOFILE && new.rlim_max > sysctl_nr_open)
			return ckpt_refuse(ctx, -EPERM,
					   "RLIMIT_NOFILE %lu is above fs.nr_open",
					   new.rlim_max);
		if (new.rlim_max > now->rlim_max && !capable(CAP_SYS_RESOURCE))
			return ckpt_refuse(ctx, -EPERM,
					   "maximum of RLIMIT_%s %lu is above the caller's %lu, which needs CAP_SYS_RESOURCE",
					   limit_names[i], new.rlim_max,
					   now->rlim_max);
		ret = security_task_setrlimit(current, i, &new);
		if (ret)
			return ckpt_refuse(ctx, ret,
					   "a security module forbids RLIMIT_%s",
					   limit_names[i]);
		if (ctx->self)
			continue;
		task_lock(current->group_leader);
		now->rlim_cur = max(now->rlim_cur, new.rlim_cur);
		now->rlim_max = max(now->rlim_max, new.rlim_max);
		task_unlock(current->group_leader);
	}
	return 0;
}

static void rlimits_commit(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_rlimits *r = ckpt_payload(rec, struct ckpt_rlimits);
	int i;

	task_lock(current->group_leader);
	for (i = 0; i < RLIM_NLIMITS; i++)
		current->signal->rlim[i] = (struct rlimit) {
			.rlim_cur = r->limits[i].cur,
			.rlim_max = r->limits[i].max,
		};
	task_unlock(current->group_leader);

	if (r->limits[RLIMIT_CPU].cur != RLIM_INFINITY)
		update_rlimit_cpu(current, r->limits[RLIMIT_CPU].cur);
}

const struct ckpt_kind ckpt_kind_rlimits = {
	.name = "rlimits",
	.about = "all resource limits",
	.family = CKPT_FAMILY_TASK,
	.type = CKPT_REC_RLIMITS,
	.phase = CKPT_PHASE_CRED,
	.version = 1,
	.min_version = 1,
	CKPT_PAYLOAD(struct ckpt_rlimits),
	.single = true,
	.required = true,
	.process = true,
	.task_save = rlimits_save,
	.check = rlimits_check,
	.restore = rlimits_restore,
	.commit = rlimits_commit,
};

/* --- prctl() ---------------------------------------------------------------------------------- */

/* What PR_SET_IO_FLUSHER sets, see kernel/sys.c. */
#define IO_FLUSHER	(PF_MEMALLOC_NOIO | PF_LOCAL_THROTTLE)

#define PRCTL_FLAGS	(CKPT_PRCTL_SUBREAPER | CKPT_PRCTL_IO_FLUSHER |	\
			 CKPT_PRCTL_MCE_PROCESS | CKPT_PRCTL_MCE_EARLY |	\
			 CKPT_PRCTL_NO_TSC)

static int prctl_collect(struct ckpt_ctx *ctx, struct task_struct *task)
{
#ifdef TIF_NOCPUID
	if (test_tsk_thread_flag(task, TIF_NOCPUID))
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "has disabled CPUID (ARCH_SET_CPUID)");
#endif
	return 0;
}

/* Not affected, and things like that, are no choice of the program. */
static u32 get_spec(struct task_struct *task, unsigned long which)
{
	int ret = arch_prctl_spec_ctrl_get(task, which);

	return ret < 0 ? PR_SPEC_NOT_AFFECTED : ret;
}

static int prctl_save(struct ckpt_ctx *ctx, struct task_struct *task)
{
	struct ckpt_prctl rec = {
		.pdeath_signal = task->pdeath_signal,
		.spec_store_bypass = get_spec(task, PR_SPEC_STORE_BYPASS),
		.spec_indirect_branch = get_spec(task, PR_SPEC_INDIRECT_BRANCH),
		.spec_l1d_flush = get_spec(task, PR_SPEC_L1D_FLUSH),
	};

	if (task->signal->is_child_subreaper)
		rec.flags |= CKPT_PRCTL_SUBREAPER;
	if ((task->flags & IO_FLUSHER) == IO_FLUSHER)
		rec.flags |= CKPT_PRCTL_IO_FLUSHER;
	if (task->flags & PF_MCE_PROCESS)
		rec.flags |= CKPT_PRCTL_MCE_PROCESS;
	if (task->flags & PF_MCE_EARLY)
		rec.flags |= CKPT_PRCTL_MCE_EARLY;
#ifdef TIF_NOTSC
	if (test_tsk_thread_flag(task, TIF_NOTSC))
		rec.flags |= CKPT_PRCTL_NO_TSC;
#endif
	return ckpt_write(ctx, &ckpt_kind_prctl, ckpt_ref(ctx, task), &rec,
			  sizeof(rec));
}

static bool spec_valid(u32 spec)
{
	switch (spec & ~PR_SPEC_PRCTL) {
	case PR_SPEC_NOT_AFFECTED:
	case PR_SPEC_ENABLE:
	case PR_SPEC_DISABLE:
	case PR_SPEC_FORCE_DISABLE:
	case PR_SPEC_DISABLE_NOEXEC:
		return true;
	}
	return false;
}

static int prctl_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_prctl *p = ckpt_payload(rec, struct ckpt_prctl);

	if (p->flags & ~PRCTL_FLAGS || p->pad)
		return ckpt_refuse(ctx, -EINVAL, "unknown flags 0x%x",
				   p->flags);
	if (!valid_signal(p->pdeath_signal))
		return ckpt_refuse(ctx, -EINVAL,
				   "signal %u for the parent's death",
				   p->pdeath_signal);
	if (!spec_valid(p->spec_store_bypass) ||
	    !spec_valid(p->spec_indirect_branch) ||
	    !spec_valid(p->spec_l1d_flush))
		return ckpt_refuse(ctx, -EINVAL,
				   "speculation control 0x%x 0x%x 0x%x",
				   p->spec_store_bypass,
				   p->spec_indirect_branch, p->spec_l1d_flush);
	return 0;
}

/*
 * As PR_SET_SPECULATION_CTRL. What is fixed for all on the saving machine is
 * not the program's choice, and what is fixed here is not ours, unless it leaves
 * the program with less protection than it asked for.
 */
static int restore_spec(struct ckpt_ctx *ctx, unsigned long which, u32 saved,
			u32 by_default, const char *name)
{
	u32 now = get_spec(ctx->who, which);
	u32 want = saved & ~PR_SPEC_PRCTL;
	int ret;

	if (!(saved & PR_SPEC_PRCTL))
		return 0;
	if (!(now & PR_SPEC_PRCTL)) {
		if (want == by_default || now == PR_SPEC_NOT_AFFECTED ||
		    (now == PR_SPEC_DISABLE && by_default == PR_SPEC_ENABLE))
			return 0;
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "speculation control of %s 0x%x is not available here",
				   name, saved);
	}
	if ((now & ~PR_SPEC_PRCTL) == want)
		return 0;
	if (ctx->self)
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "speculation control of %s 0x%x is not the one of the caller to be replaced",
				   name, saved);
	ret = arch_prctl_spec_ctrl_set(ctx->who, which, want);
	if (ret)
		return ckpt_refuse(ctx, ret,
				   "cannot set speculation control of %s from 0x%x to 0x%x",
				   name, now, saved);
	return 0;
}

static int prctl_restore(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_prctl *p = ckpt_payload(rec, struct ckpt_prctl);
	int ret;

#ifdef TIF_NOCPUID
	if (test_tsk_thread_flag(ctx->who, TIF_NOCPUID))
		return ckpt_refuse(ctx, -EPERM,
				   "the caller has disabled CPUID, the saved process had not");
#endif
	if (p->flags & CKPT_PRCTL_IO_FLUSHER &&
	    (ctx->who->flags & IO_FLUSHER) != IO_FLUSHER &&
	    !capable(CAP_SYS_RESOURCE))
		return ckpt_refuse(ctx, -EPERM,
				   "PR_SET_IO_FLUSHER needs CAP_SYS_RESOURCE");
	ret = restore_spec(ctx, PR_SPEC_STORE_BYPASS, p->spec_store_bypass,
			   PR_SPEC_ENABLE, "store bypass");
	if (!ret)
		ret = restore_spec(ctx, PR_SPEC_INDIRECT_BRANCH,
				   p->spec_indirect_branch, PR_SPEC_ENABLE,
				   "indirect branches");
	/* Here "enable" is the flush. */
	if (!ret)
		ret = restore_spec(ctx, PR_SPEC_L1D_FLUSH, p->spec_l1d_flush,
				   PR_SPEC_DISABLE, "the L1D flush");
	return ret;
}

static void set_tsc(struct task_struct *task, bool off)
{
#ifdef TIF_NOTSC
	/* Who begins to run finds the processor as the flag wants it. */
	if (task == current)
		SET_TSC_CTL(off ? PR_TSC_SIGSEGV : PR_TSC_ENABLE);
	else
		update_tsk_thread_flag(task, TIF_NOTSC, off);
#endif
}

/* Behind the commit of the task, whose change of credentials resets some. */
static void prctl_commit(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_prctl *p = ckpt_payload(rec, struct ckpt_prctl);
	struct task_struct *task = ctx->who;

	task->pdeath_signal = p->pdeath_signal;
	/* Its descendants learn of it when they become its children. */
	task->signal->is_child_subreaper =
		!!(p->flags & CKPT_PRCTL_SUBREAPER);
	set_flag(task, IO_FLUSHER, p->flags & CKPT_PRCTL_IO_FLUSHER);
	set_flag(task, PF_MCE_PROCESS, p->flags & CKPT_PRCTL_MCE_PROCESS);
	set_flag(task, PF_MCE_EARLY, p->flags & CKPT_PRCTL_MCE_EARLY);
	set_tsc(task, p->flags & CKPT_PRCTL_NO_TSC);
}

const struct ckpt_kind ckpt_kind_prctl = {
	.name = "prctl",
	.about = "death signal, subreaper, I/O flusher, machine checks, TSC, speculation",
	.family = CKPT_FAMILY_TASK,
	.type = CKPT_REC_PRCTL,
	.phase = CKPT_PHASE_TASK,
	.version = 1,
	.min_version = 1,
	CKPT_PAYLOAD(struct ckpt_prctl),
	.single = true,
	.required = true,
	.task_collect = prctl_collect,
	.task_save = prctl_save,
	.check = prctl_check,
	.restore = prctl_restore,
	.commit = prctl_commit,
};
