// SPDX-License-Identifier: GPL-2.0
/*
 * A task stops at the user-mode boundary, and goes on.
 *
 * Whoever checkpoints sets JOBCTL_TRAP_CKPT in the task; the task finds it in
 * get_signal(), says JOBCTL_CKPT_TRAPPED and sleeps until the request is
 * withdrawn or it is killed. Both bits are changed under siglock only. The
 * request is withdrawn by ckpt_quiesce_end(), which every way out of the
 * checkpoint() system call goes through, also that of a killed caller: a
 * trapped task always runs again.
 *
 * The trap shows nowhere: no signal is sent, no state changes that wait(2)
 * reports. A task in a job control stop is woken out of it and reinstates it
 * behind the trap, as ptrace does at a detach.
 */

#include <linux/checkpoint.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/wait_bit.h>

#include "internal.h"

/*
 * A task can enter a job control stop after its request was made, having passed
 * the test before it (get_signal() drops siglock to look at the process group).
 * It must be woken again then; so ask again now and then.
 */
#define CKPT_RETRY	max(HZ / 100, 1)

/* Sleeping here is no load, and can be killed and frozen. */
#define CKPT_TRAPPED_STATE (TASK_KILLABLE | TASK_NOLOAD | TASK_FREEZABLE)

static void wake_jobctl(struct task_struct *task)
{
	/* Behind a change of the bits, which an unlock does not order. */
	smp_mb();
	wake_up_var(&task->jobctl);
}

/**
 * ckpt_quiesce_trap() - sleep as long as a checkpoint wants it
 *
 * Called from get_signal() when JOBCTL_TRAP_CKPT is set.
 *
 * Context: siglock held, released on return. Sleeps.
 */
void ckpt_quiesce_trap(void)
	__releases(&current->sighand->siglock)
{
	struct signal_struct *signal = current->signal;

	lockdep_assert_held(&current->sighand->siglock);

	current->jobctl |= JOBCTL_CKPT_TRAPPED;
	/* Until the request is withdrawn, and no other one has come since. */
	do {
		spin_unlock_irq(&current->sighand->siglock);
		wake_jobctl(current);
		___wait_var_event(&current->jobctl,
				  !(READ_ONCE(current->jobctl) &
				    JOBCTL_TRAP_CKPT),
				  CKPT_TRAPPED_STATE, 0, 0, schedule());
		spin_lock_irq(&current->sighand->siglock);
	} while (current->jobctl & JOBCTL_TRAP_CKPT &&
		 !fatal_signal_pending(current));
	current->jobctl &= ~(JOBCTL_TRAP_CKPT | JOBCTL_CKPT_TRAPPED);
	/* The stop out of which we were woken, if it is still in effect. */
	if (signal->flags & SIGNAL_STOP_STOPPED || signal->group_stop_count)
		current->jobctl |= JOBCTL_STOP_PENDING;
	spin_unlock_irq(&current->sighand->siglock);
	wake_jobctl(current);
}

/**
 * ckpt_is_quiesced() - does the task (still) rest in the trap?
 * @task: a task that was asked to
 *
 * Return: false when it was killed meanwhile.
 */
bool ckpt_is_quiesced(struct task_struct *task)
{
	return READ_ONCE(task->jobctl) & JOBCTL_CKPT_TRAPPED;
}

static int kick(struct task_struct *task, bool first)
{
	unsigned int state = 0;
	unsigned long flags;

	if (!lock_task_sighand(task, &flags))
		return -ESRCH;

	if (first) {
		if (task->jobctl & JOBCTL_TRAP_CKPT) {
			unlock_task_sighand(task, &flags);
			return -EBUSY;
		}
		task->jobctl |= JOBCTL_TRAP_CKPT;
	}
	if (!(task->jobctl & JOBCTL_CKPT_TRAPPED)) {
		if (task_is_stopped(task)) {
			task->jobctl &= ~JOBCTL_STOPPED;
			state = __TASK_STOPPED;
		}
		signal_wake_up_state(task, state);
	}
	unlock_task_sighand(task, &flags);
	return 0;
}

/**
 * ckpt_quiesce_ask() - ask a task to stop at the user-mode boundary
 * @ctx: the checkpoint, for reasons, which are about this task
 * @task: not current; the caller holds a reference
 * @first: for the first time; else it is woken again if it needs that
 *
 * Return: 0, when it does so in a while unless it exits or waits for a child in
 * vfork(); -ESRCH when it has exited; else a reason is noted: -EBUSY when
 * somebody else is checkpointing or tracing it, -EOPNOTSUPP for a thread of the
 * kernel. The request stands after a success at the first time, until
 * ckpt_quiesce_end().
 */
int ckpt_quiesce_ask(struct ckpt_ctx *ctx, struct task_struct *task, bool first)
{
	int ret;

	if (READ_ONCE(task->flags) & (PF_KTHREAD | PF_USER_WORKER))
		return ckpt_refuse(ctx, -EOPNOTSUPP, "is a kernel thread");
	if (READ_ONCE(task->ptrace)) {
		ctx->where.kind = "ptrace";
		ckpt_refuse(ctx, -EBUSY, "is traced by a debugger");
		ctx->where.kind = NULL;
		return -EBUSY;
	}
	ret = kick(task, first);
	if (ret == -EBUSY)
		return ckpt_refuse(ctx, ret,
				   "is being checkpointed by somebody else");
	return ret;
}

static bool is_trapped_or_gone(struct task_struct *task)
{
	return ckpt_is_quiesced(task) || READ_ONCE(task->exit_state);
}

/**
 * ckpt_quiesce_wait() - wait for a task that was asked to stand still
 * @task: the task
 *
 * Waits for a moment only: then it may have to be asked again.
 *
 * When it stands still its registers are in task_pt_regs() and its FPU state is
 * in memory, until ckpt_quiesce_end(), or until it is killed.
 *
 * Context: Process context, sleeps.
 * Return: 1 when it stands still, 0 when it does not yet, -EINTR when the caller
 * got a signal.
 */
int ckpt_quiesce_wait(struct task_struct *task)
{
	long left;

	left = ___wait_var_event(&task->jobctl,
				 ___wait_cond_timeout(is_trapped_or_gone(task)),
				 (TASK_INTERRUPTIBLE | TASK_FREEZABLE), 0,
				 CKPT_RETRY,
				 __ret = schedule_timeout(__ret));
	if (left < 0)
		return -EINTR;
	/* It said so while it was still running. */
	return ckpt_is_quiesced(task) &&
	       wait_task_inactive(task, CKPT_TRAPPED_STATE | TASK_FROZEN);
}

/**
 * ckpt_quiesce_end() - let the task go on
 * @task: a task for which ckpt_quiesce_ask() succeeded
 */
void ckpt_quiesce_end(struct task_struct *task)
{
	unsigned long flags;

	if (!lock_task_sighand(task, &flags))
		return;
	task->jobctl &= ~JOBCTL_TRAP_CKPT;
	unlock_task_sighand(task, &flags);
	wake_jobctl(task);
}
