// SPDX-License-Identifier: GPL-2.0
/*
 * Signals: actions, masks, the alternate stack, what is pending, and a job
 * control stop.
 *
 * A new task restores itself with all signals blocked but SIGKILL and SIGSTOP.
 * So its actions and its queues can be filled before it is certain that it will
 * live: nothing of it is acted upon. The mask comes with the commit.
 */

#include <linux/sched/jobctl.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/signal.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "../kernel/time/posix-timers.h"
#include "task.h"

/* The image's form of a siginfo_t, a sigset_t and a sigaction is the ABI's. */
static_assert(sizeof(struct ckpt_siginfo) == sizeof(siginfo_t));
static_assert(offsetof(struct ckpt_siginfo, code) ==
	      offsetof(siginfo_t, si_code));
static_assert(offsetof(struct ckpt_siginfo, fields) ==
	      offsetof(siginfo_t, _sifields));
static_assert(sizeof(struct kernel_siginfo) == 48);
static_assert(sizeof(struct k_sigaction) == sizeof(struct ckpt_sigaction));
static_assert(sizeof(sigset_t) == sizeof(u64));
static_assert(_NSIG == 64);
static_assert(sizeof_field(struct ckpt_sighand, actions) ==
	      _NSIG * sizeof(struct ckpt_sigaction));

#define UNBLOCKABLE	(BIT_ULL(SIGKILL - 1) | BIT_ULL(SIGSTOP - 1))

static u64 sigset_to_u64(const sigset_t *set)
{
	return set->sig[0];
}

static sigset_t sigset_of_u64(u64 set)
{
	return (sigset_t) { .sig = { set } };
}

/* --- actions ------------------------------------------------------------------ */

static void sighand_get(void *ptr)
{
	struct sighand_struct *sighand = ptr;

	refcount_inc(&sighand->count);
}

/**
 * ckpt_sighand_put() - obj_put and release of signal actions
 * @ptr: struct sighand_struct
 */
void ckpt_sighand_put(void *ptr)
{
	__cleanup_sighand(ptr);
}

static int sighand_collect(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	struct sighand_struct *sighand = obj->ptr;
	unsigned long flags;
	int i, ret = 0;

	for (i = 0; i < _NSIG; i++) {
		spin_lock_irq(&sighand->siglock);
		flags = sighand->action[i].sa.sa_flags;
		spin_unlock_irq(&sighand->siglock);
		if (flags & ~(unsigned long)UAPI_SA_FLAGS)
			ret = ckpt_refuse(ctx, -EOPNOTSUPP,
					  "has unknown flags 0x%lx for signal %d",
					  flags, i + 1);
	}
	return ret;
}

static int sighand_save(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	struct sighand_struct *sighand = obj->ptr;
	struct ckpt_sighand *rec;
	int i, ret;

	rec = kzalloc(sizeof(*rec), GFP_KERNEL);
	if (!rec)
		return -ENOMEM;
	spin_lock_irq(&sighand->siglock);
	for (i = 0; i < _NSIG; i++) {
		const struct sigaction *sa = &sighand->action[i].sa;

		rec->actions[i] = (struct ckpt_sigaction) {
			.handler = (unsigned long)sa->sa_handler,
			.flags = sa->sa_flags,
			.restorer = (unsigned long)sa->sa_restorer,
			.mask = sigset_to_u64(&sa->sa_mask),
		};
	}
	spin_unlock_irq(&sighand->siglock);
	ret = ckpt_write(ctx, obj->kind, obj->ref, rec, sizeof(*rec));
	kfree(rec);
	return ret;
}

static int sighand_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_sighand *s = ckpt_payload(rec, struct ckpt_sighand);
	int sig;

	for (sig = 1; sig <= _NSIG; sig++) {
		const struct ckpt_sigaction *sa = &s->actions[sig - 1];

		if (sa->flags & ~(u64)UAPI_SA_FLAGS)
			return ckpt_refuse(ctx, -EINVAL,
					   "unknown flags 0x%llx for signal %d",
					   sa->flags, sig);
		if (sa->mask & UNBLOCKABLE)
			return ckpt_refuse(ctx, -EINVAL,
					   "the mask of signal %d has SIGKILL or SIGSTOP",
					   sig);
		if (BIT_ULL(sig - 1) & UNBLOCKABLE &&
		    (sa->handler || sa->flags || sa->restorer || sa->mask))
			return ckpt_refuse(ctx, -EINVAL,
					   "an action for signal %d", sig);
	}
	return 0;
}

/* A new process has the caller's actions, which mostly are none, too. */
static bool has_action(int sig, const struct sigaction *sa)
{
	const struct sigaction *now =
		&unrcu_pointer(current->sighand)->action[sig - 1].sa;

	return now->sa_handler == sa->sa_handler &&
	       now->sa_flags == sa->sa_flags &&
	       now->sa_restorer == sa->sa_restorer &&
	       sigequalsets(&now->sa_mask, &sa->sa_mask);
}

static void set_actions(const struct ckpt_sighand *s, bool is_new)
{
	struct k_sigaction ka;
	int sig;

	for (sig = 1; sig <= _NSIG; sig++) {
		const struct ckpt_sigaction *sa = &s->actions[sig - 1];

		if (BIT_ULL(sig - 1) & UNBLOCKABLE)
			continue;
		ka = (struct k_sigaction) {
			.sa.sa_handler = (__sighandler_t)sa->handler,
			.sa.sa_flags = sa->flags,
			.sa.sa_restorer = (__sigrestore_t)sa->restorer,
			.sa.sa_mask = sigset_of_u64(sa->mask),
		};
		if (!is_new || !has_action(sig, &ka.sa))
			do_sigaction(sig, &ka, NULL);
	}
}

static int sighand_restore(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct sighand_struct *sighand = unrcu_pointer(current->sighand);

	if (ctx->self && refcount_read(&sighand->count) != 1)
		return ckpt_refuse(ctx, -EBUSY,
				   "the caller shares its signal actions with another process");
	/* Behind this pending signals are queued, which it would drop. */
	if (!ctx->self)
		set_actions(ckpt_payload(rec, struct ckpt_sighand), true);
	return 0;
}

static void sighand_commit(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	if (ctx->self)
		set_actions(ckpt_payload(rec, struct ckpt_sighand), false);
}

const struct ckpt_kind ckpt_kind_sighand = {
	.name = "sighand",
	.about = "signal actions",
	.family = CKPT_FAMILY_OBJECT,
	.type = CKPT_REC_SIGHAND,
	.phase = CKPT_PHASE_SIGNAL,
	.version = 1,
	.min_version = 1,
	CKPT_PAYLOAD(struct ckpt_sighand),
	.object = true,
	.in_task = true,
	.obj_get = sighand_get,
	.obj_put = ckpt_sighand_put,
	.obj_collect = sighand_collect,
	.obj_save = sighand_save,
	.check = sighand_check,
	.restore = sighand_restore,
	.commit = sighand_commit,
};

/* --- masks and the alternate stack -------------------------------------------- */

static int signal_collect(struct ckpt_ctx *ctx, struct task_struct *task)
{
	/* sigtimedwait() is left before a task can be trapped. */
	if (!sigisemptyset(&task->real_blocked))
		return ckpt_refuse(ctx, -EBUSY, "waits in sigtimedwait()");
	return 0;
}

static int signal_save(struct ckpt_ctx *ctx, struct task_struct *task)
{
	struct ckpt_signal rec = { };
	unsigned long flags;

	if (!lock_task_sighand(task, &flags))
		return -ESRCH;
	rec.blocked = sigset_to_u64(&task->blocked);
	if (test_tsk_restore_sigmask(task)) {
		rec.flags |= CKPT_SIGNAL_RESTORE_MASK;
		rec.saved_mask = sigset_to_u64(&task->saved_sigmask);
	}
	rec.altstack_sp = task->sas_ss_sp;
	rec.altstack_size = task->sas_ss_size;
	rec.altstack_flags = task->sas_ss_flags;
	unlock_task_sighand(task, &flags);
	return ckpt_write(ctx, &ckpt_kind_signal, ckpt_ref(ctx, task), &rec,
			  sizeof(rec));
}

static int signal_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_signal *s = ckpt_payload(rec, struct ckpt_signal);
	u32 mode = s->altstack_flags & ~SS_FLAG_BITS;
	bool none;

	if (s->flags & ~CKPT_SIGNAL_RESTORE_MASK)
		return ckpt_refuse(ctx, -EINVAL, "unknown flags 0x%x",
				   s->flags);
	if ((s->blocked | s->saved_mask) & UNBLOCKABLE)
		return ckpt_refuse(ctx, -EINVAL,
				   "SIGKILL or SIGSTOP is blocked");
	if (s->saved_mask && !(s->flags & CKPT_SIGNAL_RESTORE_MASK))
		return ckpt_refuse(ctx, -EINVAL,
				   "a mask to be put back that is not");
	/* As in sigaltstack(2). */
	if (mode != SS_DISABLE && mode != SS_ONSTACK && mode != 0)
		return ckpt_refuse(ctx, -EINVAL,
				   "unknown flags 0x%x of the alternate stack",
				   s->altstack_flags);
	/* After execve() there is none, whatever the flags say. */
	none = !s->altstack_size && !s->altstack_sp;
	if (!none && (mode == SS_DISABLE || s->altstack_size < MINSIGSTKSZ))
		return ckpt_refuse(ctx, -EINVAL,
				   "an alternate stack of %llu bytes",
				   s->altstack_size);
	return 0;
}

static int signal_restore(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_signal *s = ckpt_payload(rec, struct ckpt_signal);
	bool ok;

	spin_lock_irq(ckpt_siglock());
	ok = !s->altstack_size || sigaltstack_size_valid(s->altstack_size);
	spin_unlock_irq(ckpt_siglock());
	if (!ok)
		return ckpt_refuse(ctx, -EINVAL,
				   "the alternate stack of %llu bytes is too small for this processor",
				   s->altstack_size);
	return 0;
}

static void signal_commit(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_signal *s = ckpt_payload(rec, struct ckpt_signal);

	spin_lock_irq(ckpt_siglock());
	current->sas_ss_sp = s->altstack_sp;
	current->sas_ss_size = s->altstack_size;
	current->sas_ss_flags = s->altstack_flags;

	clear_restore_sigmask();
	current->saved_sigmask = sigset_of_u64(s->saved_mask);
	current->blocked = sigset_of_u64(s->blocked);
	recalc_sigpending();
	/*
	 * To get_signal() in any case, which is where the saved task was: what
	 * follows there puts the saved mask back.
	 */
	set_thread_flag(TIF_SIGPENDING);
	if (s->flags & CKPT_SIGNAL_RESTORE_MASK)
		set_restore_sigmask();
	spin_unlock_irq(ckpt_siglock());
}

const struct ckpt_kind ckpt_kind_signal = {
	.name = "signal",
	.about = "blocked signals, the mask that ppoll() and the like put back, alternate stack",
	.family = CKPT_FAMILY_TASK,
	.type = CKPT_REC_SIGNAL,
	.phase = CKPT_PHASE_SIGNAL,
	.version = 1,
	.min_version = 1,
	CKPT_PAYLOAD(struct ckpt_signal),
	.single = true,
	.required = true,
	.task_collect = signal_collect,
	.task_save = signal_save,
	.check = signal_check,
	.restore = signal_restore,
	.commit = signal_commit,
};

/* --- pending signals ------------------------------------------------------------ */

/* Of one record, so that it stays well below CKPT_MAX_RECORD. */
#define MAX_INFOS	8192U

struct infos {
	struct ckpt_siginfo *infos;
	u32 nr;
	u64 set;
};

static u32 queue_len(const struct sigpending *pending)
{
	struct sigqueue *q;
	u32 nr = 0;

	list_for_each_entry(q, &pending->list, list)
		nr++;
	return nr;
}

/* Context: siglock held; there is room for all of the queue. */
static void queue_copy(const struct sigpending *pending, struct infos *to)
{
	siginfo_t external;
	struct sigqueue *q;

	to->set = sigset_to_u64(&pending->signal);
	to->nr = 0;
	list_for_each_entry(q, &pending->list, list) {
		struct ckpt_siginfo *info = &to->infos[to->nr++];

		copy_siginfo_to_external(&external, &q->info);
		if (q->flags & SIGQUEUE_PREALLOC)
			external._sifields._timer._sys_private = 0;
		memcpy(info, &external, sizeof(*info));
		info->flags = q->flags & SIGQUEUE_PREALLOC ?
			CKPT_SIGINFO_TIMER : 0;
	}
}

/*
 * Copy a queue. Signals can be sent meanwhile, also to a task that rests: those
 * that come behind the copy belong to the one that goes on.
 */
static int queue_get(struct task_struct *task, bool shared, struct infos *to)
{
	struct sigpending *pending;
	unsigned long flags;
	u32 nr = 0;

	for (;;) {
		if (!lock_task_sighand(task, &flags))
			return -ESRCH;
		pending = shared ? &task->signal->shared_pending :
				   &task->pending;
		if (queue_len(pending) <= nr) {
			queue_copy(pending, to);
			unlock_task_sighand(task, &flags);
			return 0;
		}
		nr = queue_len(pending) + 16;
		unlock_task_sighand(task, &flags);

		kvfree(to->infos);
		to->infos = kvcalloc(nr, sizeof(*to->infos),
				     GFP_KERNEL_ACCOUNT);
		if (!to->infos)
			return -ENOMEM;
	}
}

static int sigpending_collect(struct ckpt_ctx *ctx, struct task_struct *task)
{
	if (fatal_signal_pending(task) ||
	    task->signal->flags & SIGNAL_GROUP_EXIT)
		return ckpt_refuse(ctx, -ESRCH, "is being killed");
	return 0;
}

static int queue_save(struct ckpt_ctx *ctx, struct task_struct *task,
		      bool shared)
{
	struct infos infos = { };
	u32 done = 0;
	int ret;

	ret = queue_get(task, shared, &infos);
	/* Nothing pending, no record. */
	while (!ret && (infos.set || done < infos.nr)) {
		struct ckpt_sigpending rec = {
			.set = infos.set,
			.shared = shared,
			.nr_infos = min(infos.nr - done, MAX_INFOS),
		};

		ret = ckpt_write_tail(ctx, &ckpt_kind_sigpending,
				      ckpt_ref(ctx, task), &rec, sizeof(rec),
				      infos.infos + done,
				      rec.nr_infos * sizeof(*infos.infos));
		done += rec.nr_infos;
		infos.set = 0;
	}
	kvfree(infos.infos);
	return ret;
}

static int sigpending_save(struct ckpt_ctx *ctx, struct task_struct *task)
{
	int ret;

	ret = queue_save(ctx, task, false);
	if (!ret && ckpt_first_thread(task) == task)
		ret = queue_save(ctx, task, true);
	return ret;
}

static int sigpending_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_sigpending *p = ckpt_payload(rec, struct ckpt_sigpending);
	const size_t known = sizeof(struct kernel_siginfo) -
			     offsetof(struct ckpt_siginfo, fields);
	u32 i;

	if (p->shared > 1)
		return ckpt_refuse(ctx, -EINVAL, "unknown queue %u", p->shared);
	if (p->nr_infos > MAX_INFOS ||
	    ckpt_tail_len(rec, sizeof(*p)) != p->nr_infos * sizeof(p->infos[0]))
		return ckpt_refuse(ctx, -EINVAL,
				   "%u signals in a record of %u bytes",
				   p->nr_infos, rec->len);
	if (p->set & BIT_ULL(SIGKILL - 1))
		return ckpt_refuse(ctx, -EINVAL, "SIGKILL is pending");

	for (i = 0; i < p->nr_infos; i++) {
		const struct ckpt_siginfo *info = &p->infos[i];

		if (info->signo < 1 || info->signo > _NSIG ||
		    info->signo == SIGKILL)
			return ckpt_refuse(ctx, -EINVAL, "signal %d is pending",
					   info->signo);
		if (info->flags & ~CKPT_SIGINFO_TIMER)
			return ckpt_refuse(ctx, -EINVAL, "unknown flags 0x%x",
					   info->flags);
		if (info->flags & CKPT_SIGINFO_TIMER && info->code != SI_TIMER)
			return ckpt_refuse(ctx, -EINVAL,
					   "a timer's signal of code %d",
					   info->code);
		if (memchr_inv(info->fields + known, 0,
			       sizeof(info->fields) - known))
			return ckpt_refuse(ctx, -EINVAL,
					   "signal %d has more information than is known here",
					   info->signo);
	}
	return 0;
}

/* With fresh pids a sender in the tree has another number. */
static void translate_sender(struct ckpt_ctx *ctx, struct kernel_siginfo *info)
{
	struct pid *pid;

	switch (siginfo_layout(info->si_signo, info->si_code)) {
	case SIL_KILL:
	case SIL_CHLD:
	case SIL_RT:
		pid = info->si_pid > 0 ? ckpt_pid(ctx, info->si_pid) : NULL;
		if (pid)
			info->si_pid = pid_vnr(pid);
		break;
	default:
		break;
	}
}

/* Queue it as rt_tgsigqueueinfo(2) would, without losing any of it. */
static int queue_info(struct ckpt_ctx *ctx, const struct ckpt_siginfo *ext,
		      bool shared)
{
	struct task_struct *task = ctx->who;
	struct sigpending *pending = shared ? &task->signal->shared_pending :
					      &task->pending;
	struct kernel_siginfo info;
	struct sigqueue *last;
	bool lost;
	int ret;

	memcpy(&info, ext, sizeof(info));
	/* The padding is the image's flags. */
	memset((u8 *)&info + offsetof(struct ckpt_siginfo, flags), 0,
	       sizeof(ext->flags));
	translate_sender(ctx, &info);

	spin_lock_irq(ckpt_siglock());
	/* Somebody has already sent it to the new task: as usual, one is lost. */
	lost = info.si_signo < SIGRTMIN &&
	       sigismember(&pending->signal, info.si_signo);
	ret = send_signal_locked(info.si_signo, &info, task,
				 shared ? PIDTYPE_TGID : PIDTYPE_PID);
	if (!ret && !lost) {
		/* Without memory, or above the limit, it is sent without. */
		last = list_empty(&pending->list) ? NULL :
			list_last_entry(&pending->list, struct sigqueue, list);
		if (!last || memcmp(&last->info, &info, sizeof(info)))
			ret = -EAGAIN;
	}
	spin_unlock_irq(ckpt_siglock());
	if (ret)
		return ckpt_refuse(ctx, ret,
				   "cannot queue signal %d, see RLIMIT_SIGPENDING (now %lu)",
				   info.si_signo, rlimit(RLIMIT_SIGPENDING));
	return 0;
}

/* Let the timer send it again: it goes on when its signal is taken. */
static int queue_timer(struct ckpt_ctx *ctx, const struct ckpt_siginfo *ext,
		       bool shared)
{
	struct kernel_siginfo info;
	struct k_itimer *timer;
	unsigned long flags;
	bool thread;

	memcpy(&info, ext, sizeof(info));
	timer = ckpt_timer_find(current->signal, info.si_tid);
	if (!timer)
		return ckpt_refuse(ctx, -EINVAL,
				   "a signal of the timer %d that is not there",
				   info.si_tid);
	thread = timer->it_sigev_notify & SIGEV_THREAD_ID;
	if (timer->sigq->info.si_signo != info.si_signo ||
	    timer->it_sigev_notify == SIGEV_NONE || thread == shared ||
	    !list_empty(&timer->sigq->list) || info.si_overrun < 0)
		return ckpt_refuse(ctx, -EINVAL,
				   "signal %d cannot be of timer %d",
				   info.si_signo, info.si_tid);

	spin_lock_irqsave(&timer->it_lock, flags);
	posix_timer_queue_signal(timer);
	spin_lock(ckpt_siglock());
	timer->sigq->info.si_overrun = info.si_overrun;
	spin_unlock(ckpt_siglock());
	spin_unlock_irqrestore(&timer->it_lock, flags);
	return 0;
}

static int sigpending_restore(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_sigpending *p = ckpt_payload(rec, struct ckpt_sigpending);
	struct sigpending *pending;
	sigset_t set;
	int ret = 0;
	u32 i;

	/* They would be taken by the caller if something failed later. */
	if (ctx->self)
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "pending signals cannot be given to a replaced caller");

	for (i = 0; i < p->nr_infos && !ret; i++)
		ret = p->infos[i].flags & CKPT_SIGINFO_TIMER ?
			queue_timer(ctx, &p->infos[i], p->shared) :
			queue_info(ctx, &p->infos[i], p->shared);
	if (ret)
		return ret;

	/* Those without an entry in the queue. */
	set = sigset_of_u64(p->set);
	pending = p->shared ? &ctx->who->signal->shared_pending :
			      &ctx->who->pending;
	spin_lock_irq(ckpt_siglock());
	sigorsets(&pending->signal, &pending->signal, &set);
	spin_unlock_irq(ckpt_siglock());
	return 0;
}

const struct ckpt_kind ckpt_kind_sigpending = {
	.name = "sigpending",
	.about = "pending signals with their information, in order",
	.family = CKPT_FAMILY_TASK,
	.type = CKPT_REC_SIGPENDING,
	.phase = CKPT_PHASE_SIGNAL,
	.version = 1,
	.min_version = 1,
	CKPT_PAYLOAD_TAIL(struct ckpt_sigpending,
			  MAX_INFOS * sizeof(struct ckpt_siginfo)),
	.task_collect = sigpending_collect,
	.task_save = sigpending_save,
	.check = sigpending_check,
	.restore = sigpending_restore,
};

/* --- job control ------------------------------------------------------------------ */

/**
 * ckpt_signal_stopped() - note a job control stop, or the end of one
 * @task: the first thread of a process that stands still
 * @rec: its record
 *
 * Context: Takes siglock.
 */
void ckpt_signal_stopped(struct task_struct *task, struct ckpt_task *rec)
{
	struct signal_struct *sig = task->signal;
	struct task_struct *thread;
	unsigned long flags;

	if (!lock_task_sighand(task, &flags))
		return;
	if (sig->flags & SIGNAL_STOP_STOPPED || sig->group_stop_count) {
		rec->flags |= CKPT_TASK_STOPPED;
		for_each_thread(task, thread)
			if (!READ_ONCE(thread->exit_state))
				rec->stop_signal = thread->jobctl &
						   JOBCTL_STOP_SIGMASK;
		rec->stop_signal = rec->stop_signal ?: SIGSTOP;
		/* Zero when the parent has waited for it. */
		rec->wait_status = sig->group_exit_code;
		if (!(sig->flags & SIGNAL_STOP_STOPPED))
			rec->flags |= CKPT_TASK_STOPPING;
	} else if (sig->flags & SIGNAL_STOP_CONTINUED) {
		rec->flags |= CKPT_TASK_CONTINUED;
	}
	if (sig->flags & SIGNAL_CLD_STOPPED)
		rec->flags |= CKPT_TASK_TELL_STOPPED;
	if (sig->flags & SIGNAL_CLD_CONTINUED)
		rec->flags |= CKPT_TASK_TELL_CONTINUED;
	unlock_task_sighand(task, &flags);
}

/* Context: siglock. */
static void stop_threads(const struct ckpt_task *t)
{
	unsigned long stop = t->stop_signal | JOBCTL_STOP_PENDING;
	struct signal_struct *sig = current->signal;
	struct task_struct *thread;

	if (t->flags & CKPT_TASK_STOPPING)
		stop |= JOBCTL_STOP_CONSUME;
	else
		signal_set_stop_flags(sig, SIGNAL_STOP_STOPPED);
	sig->group_exit_code = t->wait_status;
	for_each_thread(current, thread) {
		if (!task_set_jobctl_pending(thread, stop))
			continue;
		if (t->flags & CKPT_TASK_STOPPING)
			sig->group_stop_count++;
		set_tsk_thread_flag(thread, TIF_SIGPENDING);
	}
}

/**
 * ckpt_signal_stop() - enter a saved job control stop on the way to user mode
 * @t: the record of current, the first thread, which need not be of a stopped
 *	process; the other threads stand still
 *
 * No signal is needed, so the stop does not depend on what is blocked, handled
 * or pending. When the parent does not know of it yet, the last thread of the
 * process that stops tells it, as do_signal_stop() does; else the process is
 * stopped already, and its threads join.
 *
 * Context: Takes siglock.
 */
void ckpt_signal_stop(const struct ckpt_task *t)
{
	struct signal_struct *sig = current->signal;

	spin_lock_irq(ckpt_siglock());
	/* It is being killed. */
	if (sig->flags & SIGNAL_GROUP_EXIT)
		goto out;
	if (t->flags & CKPT_TASK_STOPPED)
		stop_threads(t);
	else if (t->flags & CKPT_TASK_CONTINUED)
		signal_set_stop_flags(sig, SIGNAL_STOP_CONTINUED);
	if (t->flags & CKPT_TASK_TELL_STOPPED)
		sig->flags |= SIGNAL_CLD_STOPPED;
	if (t->flags & CKPT_TASK_TELL_CONTINUED)
		sig->flags |= SIGNAL_CLD_CONTINUED;
out:
	spin_unlock_irq(ckpt_siglock());
}
