// SPDX-License-Identifier: GPL-2.0
/*
 * Interval timers and POSIX timers.
 *
 * What is saved is the time that remains: time stands still between checkpoint
 * and restart. That holds for absolute timers of CLOCK_REALTIME, too.
 */

#include <linux/hrtimer.h>
#include <linux/ktime.h>
#include <linux/posix-timers.h>
#include <linux/sched/cputime.h>
#include <linux/sched/signal.h>
#include <linux/signal.h>
#include <linux/slab.h>
#include <linux/time64.h>

#include "../kernel/time/posix-timers.h"
#include "task.h"

/* --- setitimer() ---------------------------------------------------------------- */

/* Return: ns of CPU time that remain, 0 when not armed. Context: siglock. */
static u64 cpu_remaining(struct task_struct *task, unsigned int clock)
{
	const struct cpu_itimer *it = &task->signal->it[clock];
	u64 samples[CPUCLOCK_MAX];
	struct task_cputime sum;

	if (!it->expires)
		return 0;
	if (READ_ONCE(task->signal->posix_cputimers.timers_active)) {
		thread_group_sample_cputime(task, samples);
	} else {
		thread_group_cputime(task, &sum);
		samples[CPUCLOCK_PROF] = sum.utime + sum.stime;
		samples[CPUCLOCK_VIRT] = sum.utime;
	}
	return it->expires > samples[clock] ? it->expires - samples[clock] : 1;
}

/*
 * Timers go on while a task rests. A signal that came behind the copy of the
 * pending ones, which has been saved by then, must not be lost when the timer
 * that sent it is seen as expired: so look again.
 */
static u32 timer_signals(struct sigpending *pending)
{
	u32 flags = 0;

	if (sigismember(&pending->signal, SIGALRM))
		flags |= CKPT_ITIMER_SIGALRM;
	if (sigismember(&pending->signal, SIGVTALRM))
		flags |= CKPT_ITIMER_SIGVTALRM;
	if (sigismember(&pending->signal, SIGPROF))
		flags |= CKPT_ITIMER_SIGPROF;
	return flags;
}

static int itimers_save(struct ckpt_ctx *ctx, struct task_struct *task)
{
	struct signal_struct *sig = task->signal;
	struct ckpt_itimers rec = { };
	unsigned long flags;

	for (;;) {
		if (!lock_task_sighand(task, &flags))
			return -ESRCH;
		/* It may be before or behind the sending of its signal. */
		if (!hrtimer_callback_running(&sig->real_timer))
			break;
		unlock_task_sighand(task, &flags);
		cpu_relax();
	}
	rec.real_interval = ktime_to_ns(sig->it_real_incr);
	if (hrtimer_active(&sig->real_timer))
		rec.flags |= CKPT_ITIMER_REAL_ACTIVE;
	if (rec.flags || rec.real_interval)
		rec.real_remaining =
			ktime_to_ns(hrtimer_expires_remaining(&sig->real_timer));
	rec.flags |= timer_signals(&sig->shared_pending);
	rec.virt_remaining = cpu_remaining(task, CPUCLOCK_VIRT);
	rec.virt_interval = sig->it[CPUCLOCK_VIRT].incr;
	rec.prof_remaining = cpu_remaining(task, CPUCLOCK_PROF);
	rec.prof_interval = sig->it[CPUCLOCK_PROF].incr;
	rec.next_posix_timer = sig->next_posix_timer_id;
	unlock_task_sighand(task, &flags);
	return ckpt_write(ctx, &ckpt_kind_itimers, ckpt_ref(ctx, task), &rec,
			  sizeof(rec));
}

static int itimers_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_itimers *t = ckpt_payload(rec, struct ckpt_itimers);

	if (t->flags & ~(CKPT_ITIMER_REAL_ACTIVE | CKPT_ITIMER_SIGNALS))
		return ckpt_refuse(ctx, -EINVAL, "unknown flags 0x%x",
				   t->flags);
	if (t->real_remaining < -KTIME_MAX || t->real_interval > KTIME_MAX ||
	    t->virt_remaining > KTIME_MAX || t->virt_interval > KTIME_MAX ||
	    t->prof_remaining > KTIME_MAX || t->prof_interval > KTIME_MAX)
		return ckpt_refuse(ctx, -EINVAL, "a time out of range");
	if (t->next_posix_timer > INT_MAX)
		return ckpt_refuse(ctx, -EINVAL, "%u cannot be a timer's id",
				   t->next_posix_timer);
	return 0;
}

static int send_missing(int sig)
{
	int ret = 0;

	spin_lock_irq(ckpt_siglock());
	if (!sigismember(&current->signal->shared_pending.signal, sig))
		ret = send_signal_locked(sig, SEND_SIG_PRIV, current,
					 PIDTYPE_TGID);
	spin_unlock_irq(ckpt_siglock());
	return ret;
}

static int itimers_restore(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_itimers *t = ckpt_payload(rec, struct ckpt_itimers);
	int ret = 0;

	if (ctx->self && !hlist_empty(&current->signal->posix_timers))
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "the caller to be replaced has POSIX timers");
	if (ctx->self && t->flags & CKPT_ITIMER_SIGNALS)
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "pending signals cannot be given to a replaced caller");

	/* Everything is blocked. Those that were copied are there by now. */
	if (t->flags & CKPT_ITIMER_SIGALRM)
		ckpt_first(&ret, send_missing(SIGALRM));
	if (t->flags & CKPT_ITIMER_SIGVTALRM)
		ckpt_first(&ret, send_missing(SIGVTALRM));
	if (t->flags & CKPT_ITIMER_SIGPROF)
		ckpt_first(&ret, send_missing(SIGPROF));
	return ret;
}

/* As set_cpu_itimer(), which adds a tick for what remains of the current one. */
static void set_cpu_itimer(unsigned int clock, u64 remaining, u64 interval)
{
	struct cpu_itimer *it = &current->signal->it[clock];
	u64 old = it->expires;

	if (old || remaining)
		set_process_cpu_timer(current, clock, &remaining, &old);
	it->expires = remaining;
	it->incr = interval;
}

static void itimers_commit(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_itimers *t = ckpt_payload(rec, struct ckpt_itimers);
	struct signal_struct *sig = current->signal;
	struct hrtimer *real = &sig->real_timer;
	ktime_t remaining = ns_to_ktime(t->real_remaining);

	/* Its function takes siglock, but does not start it again. */
	hrtimer_cancel(real);

	spin_lock_irq(ckpt_siglock());
	sig->it_real_incr = ns_to_ktime(t->real_interval);
	/*
	 * When it expired and its signal has not been taken, dequeue_signal()
	 * goes on from there: from a time in the past, with which
	 * ktime_add_safe() would make it one that never comes.
	 */
	if (t->flags & CKPT_ITIMER_REAL_ACTIVE)
		hrtimer_start(real, max_t(ktime_t, remaining, 1),
			      HRTIMER_MODE_REL);
	else
		hrtimer_set_expires(real, ktime_add(hrtimer_cb_get_time(real),
						    min(remaining, 0)));
	set_cpu_itimer(CPUCLOCK_VIRT, t->virt_remaining, t->virt_interval);
	set_cpu_itimer(CPUCLOCK_PROF, t->prof_remaining, t->prof_interval);
	sig->next_posix_timer_id = t->next_posix_timer;
	spin_unlock_irq(ckpt_siglock());
}

const struct ckpt_kind ckpt_kind_itimers = {
	.name = "itimers",
	.about = "alarm() and setitimer(), with the time that remains",
	.family = CKPT_FAMILY_TASK,
	.type = CKPT_REC_ITIMERS,
	.phase = CKPT_PHASE_TIMER,
	.version = 1,
	.min_version = 1,
	CKPT_PAYLOAD(struct ckpt_itimers),
	.single = true,
	.required = true,
	.process = true,
	.task_save = itimers_save,
	.check = itimers_check,
	.restore = itimers_restore,
	.commit = itimers_commit,
};

/* --- timer_create() ------------------------------------------------------------- */

/* A range in which nothing overflows that is added to it. */
#define OVERRUN_MAX	((s64)BIT_ULL(60))

/* Is @pid a thread of the process? Context: RCU. */
static bool is_thread_of(struct task_struct *task, struct pid *pid)
{
	struct task_struct *thread = pid_task(pid, PIDTYPE_PID);

	return thread && same_thread_group(thread, task);
}

/* The number that a thread has for itself. */
static pid_t own_nr(struct pid *pid)
{
	return pid_nr_ns(pid, ns_of_pid(pid));
}

/*
 * The clock as timer_create() takes it; CPU clocks of the process and of its
 * first thread without a pid, those of another thread with its one.
 * Return: false for clocks that are not supported, or not of this process.
 * Context: it_lock, RCU.
 */
static bool clock_of_timer(struct task_struct *task, struct k_itimer *timer,
			   s32 *to)
{
	clockid_t clock = timer->it_clock;
	struct pid *pid;

	switch (clock) {
	case CLOCK_REALTIME:
	case CLOCK_MONOTONIC:
	case CLOCK_BOOTTIME:
	case CLOCK_TAI:
	case CLOCK_REALTIME_ALARM:
	case CLOCK_BOOTTIME_ALARM:
		*to = clock;
		return true;
	}
	if (clock >= 0 || (clock & CLOCKFD_MASK) == CLOCKFD ||
	    CPUCLOCK_WHICH(clock) >= CPUCLOCK_MAX)
		return false;
	/* Whom the clock names is taken when the timer is made. */
	pid = timer->it.cpu.pid;
	if (!is_thread_of(task, pid))
		return false;
	*to = make_process_cpuclock(0, clock & CLOCKFD_MASK);
	if (CPUCLOCK_PERTHREAD(clock) && pid != task_pid(task))
		*to = make_thread_cpuclock(own_nr(pid), CPUCLOCK_WHICH(clock));
	return true;
}

/* Beside CKPT_PTIMER_*, not in images: what makes it one that is refused. */
#define BAD_CLOCK	BIT(30)
#define BAD_THREAD	BIT(31)

/* Context: siglock and RCU. The timers stay, but may be deleted (it_signal). */
static u32 timers_list(struct signal_struct *sig, struct k_itimer **to, u32 max)
{
	struct k_itimer *timer;
	u32 nr = 0;

	/* The newest is the first; it is made last again. */
	hlist_for_each_entry(timer, &sig->posix_timers, list)
		if (nr++ < max)
			to[max - nr] = timer;
	return nr;
}

/* Context: RCU. */
static void timer_get(struct task_struct *task, struct k_itimer *timer,
		      struct ckpt_posix_timer *rec)
{
	struct itimerspec64 cur = { };
	unsigned long flags, sigflags;

	rec->id = -1;
	spin_lock_irqsave(&timer->it_lock, flags);
	if (timer->it_signal != task->signal ||
	    !lock_task_sighand(task, &sigflags))
		goto out;
	if (!list_empty(&timer->sigq->list))
		rec->flags |= CKPT_PTIMER_PENDING;
	unlock_task_sighand(task, &sigflags);
	/* As timer_gettime() does, this brings the overrun up to date. */
	timer->kclock->timer_get(timer, &cur);
	rec->id = timer->it_id;
	if (!clock_of_timer(task, timer, &rec->clock))
		rec->flags |= BAD_CLOCK;
	rec->notify = timer->it_sigev_notify;
	rec->signo = timer->sigq->info.si_signo;
	rec->value = (unsigned long)timer->sigq->info.si_value.sival_ptr;
	rec->remaining_ns = timespec64_to_ktime(cur.it_value);
	rec->interval_ns = timer->it_interval;
	rec->overrun = min(timer->it_overrun, OVERRUN_MAX);
	rec->overrun_last = min(timer->it_overrun_last, OVERRUN_MAX);
	if (timer->it_active)
		rec->flags |= CKPT_PTIMER_ACTIVE;
	if (timer->it_requeue_pending & REQUEUE_PENDING)
		rec->flags |= CKPT_PTIMER_REQUEUE;
	if (timer->it_sigev_notify == SIGEV_THREAD_ID) {
		rec->thread = own_nr(timer->it_pid);
		if (!is_thread_of(task, timer->it_pid))
			rec->flags |= BAD_THREAD;
	}
out:
	spin_unlock_irqrestore(&timer->it_lock, flags);
}

/*
 * Copy the task's timers.
 * Return: an array to be freed with kvfree(), NULL when there is none, or an
 * ERR_PTR().
 */
static struct ckpt_posix_timer *timers_get(struct task_struct *task, u32 *nr)
{
	struct ckpt_posix_timer *recs = NULL;
	struct k_itimer **timers = NULL;
	u32 max = 0, i;
	unsigned long flags;

	for (;;) {
		rcu_read_lock();
		if (!lock_task_sighand(task, &flags)) {
			rcu_read_unlock();
			kvfree(timers);
			kvfree(recs);
			return ERR_PTR(-ESRCH);
		}
		*nr = timers_list(task->signal, timers, max);
		unlock_task_sighand(task, &flags);
		if (*nr <= max)
			break;
		rcu_read_unlock();

		kvfree(timers);
		kvfree(recs);
		max = *nr;
		timers = kvcalloc(max, sizeof(*timers), GFP_KERNEL_ACCOUNT);
		recs = kvcalloc(max, sizeof(*recs), GFP_KERNEL_ACCOUNT);
		if (!timers || !recs) {
			kvfree(timers);
			kvfree(recs);
			return ERR_PTR(-ENOMEM);
		}
	}
	for (i = 0; i < *nr; i++)
		timer_get(task, timers[max - *nr + i], &recs[i]);
	rcu_read_unlock();
	kvfree(timers);
	return recs;
}

static int posix_timer_collect(struct ckpt_ctx *ctx, struct task_struct *task)
{
	struct ckpt_posix_timer *recs;
	int ret = 0;
	u32 nr, i;

	recs = timers_get(task, &nr);
	if (IS_ERR(recs))
		return PTR_ERR(recs);
	for (i = 0; i < nr; i++) {
		struct ckpt_posix_timer *rec = &recs[i];

		if (rec->id < 0)
			continue;
		if (rec->flags & BAD_CLOCK)
			ret = ckpt_refuse(ctx, -EOPNOTSUPP,
					  "timer %d runs on clock %d",
					  rec->id, rec->clock);
		if (rec->flags & BAD_THREAD)
			ret = ckpt_refuse(ctx, -EOPNOTSUPP,
					  "timer %d notifies a thread that is gone",
					  rec->id);
	}
	kvfree(recs);
	return ret;
}

static int posix_timer_save(struct ckpt_ctx *ctx, struct task_struct *task)
{
	struct ckpt_posix_timer *recs;
	int ret = 0;
	u32 nr, i;

	recs = timers_get(task, &nr);
	if (IS_ERR(recs))
		return PTR_ERR(recs);
	for (i = 0; i < nr && !ret; i++) {
		struct ckpt_posix_timer *rec = &recs[i];

		if (rec->id < 0 || rec->flags & (BAD_CLOCK | BAD_THREAD))
			ret = -ESRCH;
		else
			ret = ckpt_write(ctx, &ckpt_kind_posix_timer,
					 ckpt_ref(ctx, task), rec,
					 sizeof(*rec));
	}
	kvfree(recs);
	return ret;
}

static int posix_timer_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_posix_timer *t = ckpt_payload(rec, struct ckpt_posix_timer);

	if (t->id < 0)
		return ckpt_refuse(ctx, -EINVAL, "%d cannot be a timer's id",
				   t->id);
	switch (t->clock) {
	case CLOCK_REALTIME:
	case CLOCK_MONOTONIC:
	case CLOCK_BOOTTIME:
	case CLOCK_TAI:
	case CLOCK_REALTIME_ALARM:
	case CLOCK_BOOTTIME_ALARM:
		break;
	default:
		if (t->clock >= 0 ||
		    (CPUCLOCK_PID(t->clock) && !CPUCLOCK_PERTHREAD(t->clock)) ||
		    (t->clock & CLOCKFD_MASK) == CLOCKFD ||
		    CPUCLOCK_WHICH(t->clock) >= CPUCLOCK_MAX)
			return ckpt_refuse(ctx, -EINVAL, "unknown clock %d",
					   t->clock);
	}
	if (t->notify == SIGEV_THREAD_ID ? t->thread <= 0 : t->thread)
		return ckpt_refuse(ctx, -EINVAL, "notifies thread %d",
				   t->thread);
	switch (t->notify) {
	case SIGEV_SIGNAL:
	case SIGEV_THREAD:
	case SIGEV_THREAD_ID:
		if (t->signo < 1 || t->signo > _NSIG)
			return ckpt_refuse(ctx, -EINVAL, "unknown signal %d",
					   t->signo);
		break;
	case SIGEV_NONE:
		if (t->flags)
			return ckpt_refuse(ctx, -EINVAL,
					   "a signal of a timer that sends none");
		break;
	default:
		return ckpt_refuse(ctx, -EINVAL, "unknown notification %d",
				   t->notify);
	}
	if (t->flags & ~(CKPT_PTIMER_ACTIVE | CKPT_PTIMER_PENDING |
			 CKPT_PTIMER_REQUEUE))
		return ckpt_refuse(ctx, -EINVAL, "unknown flags 0x%x",
				   t->flags);
	if (t->remaining_ns > KTIME_MAX || t->interval_ns > KTIME_MAX ||
	    t->overrun < -1 || t->overrun > OVERRUN_MAX ||
	    t->overrun_last < -1 || t->overrun_last > OVERRUN_MAX)
		return ckpt_refuse(ctx, -EINVAL, "a number out of range");
	return 0;
}

/**
 * ckpt_timer_find() - a POSIX timer of current's process by its id
 * @sig: current->signal; other threads of the process stand still
 * @id: its id
 *
 * Context: Takes siglock. The timer stays as only current can delete it.
 * Return: the timer or NULL.
 */
struct k_itimer *ckpt_timer_find(struct signal_struct *sig, s32 id)
{
	struct k_itimer *timer, *found = NULL;

	spin_lock_irq(ckpt_siglock());
	hlist_for_each_entry(timer, &sig->posix_timers, list)
		if (timer->it_id == id)
			found = timer;
	spin_unlock_irq(ckpt_siglock());
	return found;
}

/*
 * As timer_settime(), but that the overrun continues. A timer that was never
 * armed cannot be about to expire: there is nothing to retry.
 */
static void timer_set(struct k_itimer *timer, const struct ckpt_posix_timer *t)
{
	struct itimerspec64 to = {
		.it_value = ns_to_timespec64(t->remaining_ns),
		.it_interval = ns_to_timespec64(t->interval_ns),
	};

	lockdep_assert_held(&timer->it_lock);
	WARN_ON_ONCE(timer->kclock->timer_set(timer, 0, &to, NULL));
	timer->it_overrun = t->overrun;
	timer->it_overrun_last = t->overrun_last;
}

/*
 * The same for one that expired and goes on when its signal is taken: a timer
 * that sends no signal gets its time, but is not armed. What tells that the
 * signal is its own stays.
 */
static void timer_set_expired(struct k_itimer *timer,
			      const struct ckpt_posix_timer *t)
{
	int requeue = timer->it_requeue_pending;

	timer->it_sigev_notify = SIGEV_NONE;
	timer_set(timer, t);
	timer->it_sigev_notify = t->notify;
	timer->it_requeue_pending = requeue;
}

static int posix_timer_restore(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_posix_timer *t = ckpt_payload(rec, struct ckpt_posix_timer);
	struct sigevent event = {
		.sigev_value.sival_ptr = (void __user *)t->value,
		.sigev_signo = t->signo,
		.sigev_notify = t->notify,
	};
	struct k_itimer *timer;
	unsigned long flags;
	s32 clock = t->clock;
	struct pid *pid;
	int id;

	/* A timer's id is taken at once. */
	if (ctx->self)
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "POSIX timers cannot be given to a replaced caller");

	/* Threads have other numbers when pids are fresh. */
	if (t->notify == SIGEV_THREAD_ID) {
		pid = ckpt_pid(ctx, t->thread);
		if (!pid)
			return ckpt_refuse(ctx, -EINVAL,
					   "timer %d notifies %d, which is not in the image",
					   t->id, t->thread);
		event.sigev_notify_thread_id = pid_vnr(pid);
	}
	if (clock < 0 && CPUCLOCK_PID(clock)) {
		pid = ckpt_pid(ctx, CPUCLOCK_PID(clock));
		if (!pid)
			return ckpt_refuse(ctx, -EINVAL,
					   "timer %d runs on the clock of %d, which is not in the image",
					   t->id, CPUCLOCK_PID(clock));
		clock = make_thread_cpuclock(pid_vnr(pid),
					     CPUCLOCK_WHICH(clock));
	}
	current->signal->next_posix_timer_id = t->id;
	id = posix_timer_create(clock, &event);
	if (id < 0)
		return ckpt_refuse(ctx, id, "cannot make timer %d on clock %d",
				   t->id, t->clock);
	if (id != t->id)
		return ckpt_refuse(ctx, -EINVAL, "a second timer %d", t->id);

	if (!(t->flags & CKPT_PTIMER_REQUEUE))
		return 0;
	/* Its signal, which comes next, wants to know the interval. */
	timer = ckpt_timer_find(current->signal, id);
	spin_lock_irqsave(&timer->it_lock, flags);
	timer_set_expired(timer, t);
	/* The signal's own record makes it pending, if it is. */
	if (!(t->flags & CKPT_PTIMER_PENDING))
		timer->it_requeue_pending |= REQUEUE_PENDING;
	spin_unlock_irqrestore(&timer->it_lock, flags);
	return 0;
}

static void posix_timer_commit(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_posix_timer *t = ckpt_payload(rec, struct ckpt_posix_timer);
	struct k_itimer *timer;
	unsigned long flags;

	timer = ckpt_timer_find(current->signal, t->id);
	if (WARN_ON_ONCE(!timer))
		return;
	spin_lock_irqsave(&timer->it_lock, flags);
	/*
	 * Its signal is among the pending ones, unless it expired between the
	 * copy of those and of this. Only current takes it from the queue.
	 */
	if (t->flags & CKPT_PTIMER_PENDING && list_empty(&timer->sigq->list))
		posix_timer_queue_signal(timer);
	/* CPU clocks have gone forward since the restore, see cputime_commit(). */
	if (t->flags & CKPT_PTIMER_REQUEUE)
		timer_set_expired(timer, t);
	else
		timer_set(timer, t);
	spin_unlock_irqrestore(&timer->it_lock, flags);
}

/* In front of the phase of pending signals, which need their timers. */
const struct ckpt_kind ckpt_kind_posix_timer = {
	.name = "posix_timer",
	.about = "timer_create() with its id, the time that remains and the overrun",
	.family = CKPT_FAMILY_TASK,
	.type = CKPT_REC_POSIX_TIMER,
	.phase = CKPT_PHASE_TASK,
	.version = 2,
	.min_version = 2,
	CKPT_PAYLOAD(struct ckpt_posix_timer),
	.process = true,
	.task_collect = posix_timer_collect,
	.task_save = posix_timer_save,
	.check = posix_timer_check,
	.restore = posix_timer_restore,
	.commit = posix_timer_commit,
};
