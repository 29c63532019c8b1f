// SPDX-License-Identifier: GPL-2.0
/*
 * The system calls: flags, and who may call them.
 */

#include <linux/capability.h>
#include <linux/file.h>
#include <linux/pid.h>
#include <linux/ptrace.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/syscalls.h>
#include <linux/sysctl.h>

#include "external.h"

static_assert((CHECKPOINT_FLAGS | RESTART_FLAGS) >> CHECKPOINT_LOG_SHIFT == 0);

static int sysctl_unprivileged_checkpoint __read_mostly = 1;

static struct ctl_table ckpt_sysctls[] = {
	{
		.procname	= "unprivileged_checkpoint",
		.data		= &sysctl_unprivileged_checkpoint,
		.maxlen		= sizeof(int),
		.mode		= 0644,
		.proc_handler	= proc_dointvec_minmax,
		.extra1		= SYSCTL_ZERO,
		.extra2		= SYSCTL_ONE,
	},
#ifdef CONFIG_CHECKPOINT_SKIP_CHECKSUM
	{
		.procname	= "checkpoint_skip_checksum",
		.data		= &ckpt_skip_checksum,
		.maxlen		= sizeof(int),
		.mode		= 0644,
		.proc_handler	= proc_dointvec_minmax,
		.extra1		= SYSCTL_ZERO,
		.extra2		= SYSCTL_ONE,
	},
#endif
};

static int __init ckpt_sysctl_init(void)
{
	register_sysctl_init("kernel", ckpt_sysctls);
	return 0;
}
late_initcall(ckpt_sysctl_init);

static int may_call(void)
{
	if (READ_ONCE(sysctl_unprivileged_checkpoint) ||
	    checkpoint_restore_ns_capable(&init_user_ns))
		return 0;
	return -EPERM;
}

/* Ids of checkpoints, of this boot. */
static int new_crid(void)
{
	static atomic_t last = ATOMIC_INIT(0);

	return (unsigned int)atomic_inc_return(&last) % INT_MAX + 1;
}

/*
 * The process of @pid, if the caller has the rights over it that ptrace needs
 * to attach. They are asked for again when it stands still (it might have
 * executed a set-user-ID program meanwhile).
 */
static int get_target(struct ckpt_ctx *ctx, pid_t pid)
{
	struct task_struct *task;
	bool leader = false;

	if (pid < 0)
		return -EINVAL;
	ctx->root_pid = pid ? find_get_pid(pid) : get_pid(task_tgid(current));
	/* A thread that executes a program is given the pid step by step. */
	read_lock(&tasklist_lock);
	task = pid_task(ctx->root_pid, PIDTYPE_PID);
	if (task) {
		get_task_struct(task);
		leader = thread_group_leader(task);
	}
	read_unlock(&tasklist_lock);
	if (!task)
		return -ESRCH;
	ctx->task = task;
	ctx->self = same_thread_group(task, current);
	if (!leader)
		return ckpt_refuse(ctx, -EINVAL,
				   "%d is a thread, not a process", pid);
	if (!ptrace_may_access(task, PTRACE_MODE_ATTACH_REALCREDS))
		return ckpt_refuse(ctx, -EPERM,
				   "no permission to trace process %d", pid);
	return 0;
}

/* What was read or written cannot be read or written again. */
static int no_restart(int ret)
{
	switch (ret) {
	case -ERESTARTSYS:
	case -ERESTARTNOINTR:
	case -ERESTARTNOHAND:
	case -ERESTART_RESTARTBLOCK:
		return -EINTR;
	default:
		return ret;
	}
}

static int refuse_fd(struct ckpt_ctx *ctx, int error, int fd)
{
	switch (error) {
	case -EBADF:
		return ckpt_refuse(ctx, error,
				   "descriptor %d is not open for an image", fd);
	case -EINVAL:
		return ckpt_refuse(ctx, error,
				   "descriptor %d is of a kind that takes no image",
				   fd);
	default:
		return error;
	}
}

static int query(int fd)
{
	struct file *file = fget(fd);
	int ret = -EBADF;

	if (!file)
		return ret;
	if (file->f_mode & FMODE_WRITE)
		ret = ckpt_kinds_print(file);
	fput(file);
	return no_restart(ret) ?: CHECKPOINT_ABI_VERSION;
}

/**
 * sys_checkpoint() - save a process
 * @pid: the process, in the caller's pid namespace; 0: the caller
 * @fd: where the image is written to; -1 in a dry run
 * @flags: CHECKPOINT_*, and CHECKPOINT_LOG_FD() for the reasons of a failure
 *
 * See checkpoint(2).
 *
 * Return: the id of the checkpoint, in a restarted process 0, or -errno. A dry
 * run returns 0 when a checkpoint would not be refused.
 */
SYSCALL_DEFINE3(checkpoint, pid_t, pid, int, fd, unsigned long, flags)
{
	struct ckpt_ctx *ctx;
	int ret, log_ret;

	if (flags & ((1UL << CHECKPOINT_LOG_SHIFT) - 1) & ~CHECKPOINT_FLAGS)
		return -EINVAL;
	ret = may_call();
	if (ret)
		return ret;
	if (flags & CHECKPOINT_QUERY)
		return flags == CHECKPOINT_QUERY && !pid ? query(fd) : -EINVAL;
	if (flags & CHECKPOINT_DRY_RUN &&
	    (fd != -1 || flags & CHECKPOINT_KILL))
		return -EINVAL;

	ctx = ckpt_ctx_alloc(flags);
	if (IS_ERR(ctx))
		return PTR_ERR(ctx);

	if (flags & CHECKPOINT_ARGS) {
		ret = ckpt_external_read(ctx, false);
		if (ret)
			goto out;
	}
	if (!(flags & CHECKPOINT_DRY_RUN)) {
		struct ckpt_store *store;

		if (fd == -1) {
			ret = ckpt_refuse(ctx, -EOPNOTSUPP,
					  "checkpoints kept in the kernel (fd -1) are not supported yet");
			goto out;
		}
		store = ckpt_store_stream_get(fd, true);
		if (IS_ERR(store)) {
			ret = refuse_fd(ctx, PTR_ERR(store), fd);
			goto out;
		}
		ctx->store = store;
	}

	ret = get_target(ctx, pid);
	if (ret)
		goto out;
	if (ctx->self && flags & CHECKPOINT_KILL) {
		ret = ckpt_refuse(ctx, -EINVAL,
				  "the caller is one of the processes to be killed");
		goto out;
	}
	if (!(flags & CHECKPOINT_DRY_RUN))
		ctx->crid = new_crid();
	ret = ckpt_do_checkpoint(ctx) ?: ctx->crid;
out:
	log_ret = ckpt_log_flush(ctx);
	if (ret >= 0 && log_ret)
		ret = log_ret;
	ckpt_ctx_free(ctx);
	return no_restart(ret);
}

/**
 * sys_restart() - make a process from an image
 * @crid: a checkpoint kept in the kernel; 0: @fd says which
 * @fd: where the image is read from; -1: @crid says which
 * @flags: RESTART_*, and CHECKPOINT_LOG_FD() for the reasons of a failure
 *
 * See restart(2).
 *
 * Return: the pid of the new process, a child of the caller, or -errno. With
 * RESTART_SELF it does not return when it succeeds.
 */
SYSCALL_DEFINE3(restart, int, crid, int, fd, unsigned long, flags)
{
	struct ckpt_store *store;
	struct ckpt_ctx *ctx;
	int ret;

	if (flags & ((1UL << CHECKPOINT_LOG_SHIFT) - 1) & ~RESTART_FLAGS)
		return -EINVAL;
	if (crid < 0 || fd < -1 || !crid == (fd == -1))
		return -EINVAL;
	ret = may_call();
	if (ret)
		return ret;

	ctx = ckpt_ctx_alloc(flags);
	if (IS_ERR(ctx))
		return PTR_ERR(ctx);
	ctx->self = flags & RESTART_SELF;

	if (flags & RESTART_ARGS) {
		ret = ckpt_external_read(ctx, true);
		if (ret)
			goto out;
	}

	if (crid) {
		ret = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "checkpoints kept in the kernel (crid) are not supported yet");
		goto out;
	}
	store = ckpt_store_stream_get(fd, false);
	if (IS_ERR(store)) {
		ret = refuse_fd(ctx, PTR_ERR(store), fd);
		goto out;
	}
	ctx->store = store;

	/* A replaced caller gives the context back at its very end. */
	ret = ckpt_do_restart(ctx);
	if (!ret)
		return 0;
out:
	ckpt_log_flush(ctx);
	ckpt_ctx_free(ctx);
	return no_restart(ret);
}
