// SPDX-License-Identifier: GPL-2.0
/*
 * Scheduling: policy, priority, affinity; and what time was used.
 */

#include <linux/bitmap.h>
#include <linux/cpumask.h>
#include <linux/mmu_context.h>
#include <linux/sched/cputime.h>
#include <linux/sched/prio.h>
#include <linux/sched/signal.h>
#include <linux/security.h>
#include <linux/slab.h>
#include <linux/task_io_accounting_ops.h>
#include <uapi/linux/sched/types.h>

/* task_rq_lock(), for the run time that the scheduler counts */
#include "../kernel/sched/sched.h"

#include "task.h"

/* --- policy, priority, affinity ------------------------------------------------- */

/* Words of an affinity mask, far more than there are processors. */
#define MAX_CPU_WORDS	1024U

/* The bounds that the scheduler forces upon sched_attr.sched_runtime. */
#define SLICE_MIN	(NSEC_PER_MSEC / 10)
#define SLICE_MAX	(NSEC_PER_MSEC * 100)

static int sched_collect(struct ckpt_ctx *ctx, struct task_struct *task)
{
	int ret = 0;

	switch (task->policy) {
	case SCHED_NORMAL:
	case SCHED_BATCH:
	case SCHED_IDLE:
	case SCHED_FIFO:
	case SCHED_RR:
		break;
	default:
		ret = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "has scheduling policy %u", task->policy);
	}
	if (task->flags & PF_NO_SETAFFINITY)
		ret = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "is bound to its processors");
#ifdef CONFIG_UCLAMP_TASK
	if (task->uclamp_req[UCLAMP_MIN].user_defined ||
	    task->uclamp_req[UCLAMP_MAX].user_defined)
		ret = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "has set utilization clamps");
#endif
	return ret;
}

/*
 * Copy the affinity that the program asked for, not what a cpuset made of it.
 * Return: the number of words, 0 when it did not ask.
 */
static u32 get_affinity(struct task_struct *task, u64 *cpus)
{
	unsigned long flags;
	u32 nr = 0;

	raw_spin_lock_irqsave(&task->pi_lock, flags);
	if (task->user_cpus_ptr) {
		bitmap_to_arr64(cpus, cpumask_bits(task->user_cpus_ptr),
				nr_cpu_ids);
		nr = BITS_TO_U64(nr_cpu_ids);
	}
	raw_spin_unlock_irqrestore(&task->pi_lock, flags);
	return nr;
}

static int sched_save(struct ckpt_ctx *ctx, struct task_struct *task)
{
	struct ckpt_sched rec = {
		.policy = task->policy,
		.nice = task_nice(task),
		.rt_priority = task->rt_priority,
		.slice_ns = task->se.custom_slice ? task->se.slice : 0,
	};
	u64 *cpus;
	u32 nr;
	int ret;

	if (task->sched_reset_on_fork)
		rec.flags |= CKPT_SCHED_RESET_ON_FORK;

	cpus = kcalloc(BITS_TO_U64(nr_cpu_ids), sizeof(*cpus), GFP_KERNEL);
	if (!cpus)
		return -ENOMEM;
	nr = get_affinity(task, cpus);
	if (nr)
		rec.flags |= CKPT_SCHED_AFFINITY;
	ret = ckpt_write_tail(ctx, &ckpt_kind_sched, ckpt_ref(ctx, task), &rec,
			      sizeof(rec), cpus, nr * sizeof(*cpus));
	kfree(cpus);
	return ret;
}

static int sched_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_sched *s = ckpt_payload(rec, struct ckpt_sched);
	u32 tail = ckpt_tail_len(rec, sizeof(*s));
	bool rt = false;

	switch (s->policy) {
	case SCHED_FIFO:
	case SCHED_RR:
		rt = true;
		break;
	case SCHED_NORMAL:
	case SCHED_BATCH:
	case SCHED_IDLE:
		break;
	default:
		return ckpt_refuse(ctx, -EINVAL, "unknown policy %u",
				   s->policy);
	}
	if (s->nice < MIN_NICE || s->nice > MAX_NICE)
		return ckpt_refuse(ctx, -EINVAL, "nice value %d", s->nice);
	if (rt ? s->rt_priority < 1 || s->rt_priority >= MAX_RT_PRIO :
		 s->rt_priority != 0)
		return ckpt_refuse(ctx, -EINVAL,
				   "real-time priority %u with policy %u",
				   s->rt_priority, s->policy);
	if (s->slice_ns && (s->slice_ns < SLICE_MIN || s->slice_ns > SLICE_MAX))
		return ckpt_refuse(ctx, -EINVAL, "a slice of %llu ns",
				   s->slice_ns);
	if (s->flags & ~(CKPT_SCHED_RESET_ON_FORK | CKPT_SCHED_AFFINITY))
		return ckpt_refuse(ctx, -EINVAL, "unknown flags 0x%x",
				   s->flags);
	if (tail % sizeof(s->cpus[0]) ||
	    !tail != !(s->flags & CKPT_SCHED_AFFINITY))
		return ckpt_refuse(ctx, -EINVAL, "an affinity of %u bytes",
				   tail);
	return 0;
}

static int restore_affinity(struct ckpt_ctx *ctx, const struct ckpt_rec *rec,
			    const struct ckpt_sched *s)
{
	u32 words = ckpt_tail_len(rec, sizeof(*s)) / sizeof(s->cpus[0]);
	struct task_struct *task = ctx->who;
	cpumask_var_t mask;
	int ret = 0;
	u32 i;

	if (!words && !task->user_cpus_ptr)
		return 0;
	if (!zalloc_cpumask_var(&mask, GFP_KERNEL))
		return -ENOMEM;
	if (words) {
		for (i = 0; i < nr_cpu_ids && i / 64 < words; i++)
			if (s->cpus[i / 64] & BIT_ULL(i % 64))
				cpumask_set_cpu(i, mask);
	} else {
		/* The one that was inherited from the caller goes. */
		cpumask_copy(mask, cpu_possible_mask);
	}
	if (!cpumask_intersects(mask, cpu_active_mask)) {
		ret = ckpt_refuse(ctx, -EINVAL,
				  "no processor of the saved affinity exists here");
		goto out;
	}
	/* Setting it allocates memory, so it cannot be left to the commit. */
	if (ctx->self) {
		if (!task->user_cpus_ptr ||
		    !cpumask_equal(mask, task->user_cpus_ptr))
			ret = ckpt_refuse(ctx, -EOPNOTSUPP,
					  "the affinity of the caller to be replaced differs from the saved one");
		goto out;
	}
	ret = sched_setaffinity(task_pid_vnr(task), mask);
	if (ret)
		ckpt_refuse(ctx, ret,
			    "cannot set the saved affinity %*pbl, see the caller's cpuset",
			    cpumask_pr_args(mask));
out:
	free_cpumask_var(mask);
	return ret;
}

static struct sched_attr attr_of_rec(const struct ckpt_sched *s)
{
	return (struct sched_attr) {
		.size = sizeof(struct sched_attr),
		.sched_policy = s->policy,
		.sched_flags = s->flags & CKPT_SCHED_RESET_ON_FORK ?
			SCHED_FLAG_RESET_ON_FORK : 0,
		.sched_nice = s->nice,
		.sched_priority = s->rt_priority,
		.sched_runtime = s->slice_ns,
	};
}

static struct sched_attr attr_of_task(struct task_struct *task)
{
	return (struct sched_attr) {
		.size = sizeof(struct sched_attr),
		.sched_policy = task->policy,
		.sched_flags = task->sched_reset_on_fork ?
			SCHED_FLAG_RESET_ON_FORK : 0,
		.sched_nice = task_nice(task),
		.sched_priority = task->rt_priority,
		.sched_runtime = task->se.custom_slice ? task->se.slice : 0,
	};
}

/* As setpriority(2) and sched_setattr(2). */
static int set_attr(struct ckpt_ctx *ctx, const struct sched_attr *attr)
{
	struct task_struct *task = ctx->who;
	int nice = attr->sched_nice;
	int ret;

	if (nice < task_nice(task) && !can_nice(task, nice))
		return ckpt_refuse(ctx, -EACCES,
				   "nice value %d needs CAP_SYS_NICE or RLIMIT_NICE",
				   nice);
	ret = security_task_setnice(task, nice);
	if (ret)
		return ckpt_refuse(ctx, ret,
				   "a security module forbids nice value %d",
				   nice);
	set_user_nice(task, nice);
	ret = sched_setattr(task, attr);
	if (ret)
		return ckpt_refuse(ctx, ret,
				   "policy %u with priority %u needs CAP_SYS_NICE or RLIMIT_RTPRIO",
				   attr->sched_policy, attr->sched_priority);
	return 0;
}

/* What has been permitted. Nothing is allocated for these policies. */
static void set_attr_nocheck(struct task_struct *task,
			     const struct sched_attr *attr)
{
	set_user_nice(task, attr->sched_nice);
	WARN_ON_ONCE(sched_setattr_nocheck(task, attr));
}

static int sched_restore(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_sched *s = ckpt_payload(rec, struct ckpt_sched);
	struct task_struct *task = ctx->who;
	struct sched_attr old = attr_of_task(task);
	struct sched_attr new = attr_of_rec(s);
	u64 slack = task->timer_slack_ns;
	int ret;

	if (old.sched_policy > SCHED_RR && old.sched_policy != SCHED_BATCH &&
	    old.sched_policy != SCHED_IDLE)
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "the caller has scheduling policy %u",
				   old.sched_policy);
#ifdef CONFIG_UCLAMP_TASK
	if (task->uclamp_req[UCLAMP_MIN].user_defined ||
	    task->uclamp_req[UCLAMP_MAX].user_defined)
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "the caller has set utilization clamps, the saved process had none");
#endif
	ret = restore_affinity(ctx, rec, s);
	/* Mostly a new task has them from the caller. */
	if (ret || !memcmp(&old, &new, sizeof(old)))
		return ret;
	ret = set_attr(ctx, &new);
	/* That was to see whether it may: what the caller has comes back. */
	if (ctx->self) {
		set_attr_nocheck(task, &old);
		task->timer_slack_ns = slack;
	}
	return ret;
}

/* Who has not run yet is in no run queue, whose load would change with it. */
static bool sched_needs_run(struct ckpt_ctx *ctx, const struct ckpt_rec *rec)
{
	const struct ckpt_sched *s = ckpt_payload(rec, struct ckpt_sched);
	struct sched_attr old = attr_of_task(ctx->who);
	struct sched_attr new = attr_of_rec(s);

	return s->flags & CKPT_SCHED_AFFINITY || ctx->who->user_cpus_ptr ||
	       memcmp(&old, &new, sizeof(old));
}

static void sched_commit(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct sched_attr new = attr_of_rec(ckpt_payload(rec, struct ckpt_sched));

	if (ctx->self)
		set_attr_nocheck(ctx->who, &new);
}

const struct ckpt_kind ckpt_kind_sched = {
	.name = "sched",
	.about = "nice value, policy (not deadline), priority, affinity to processors that exist",
	.family = CKPT_FAMILY_TASK,
	.type = CKPT_REC_SCHED,
	.phase = CKPT_PHASE_TASK,
	.version = 1,
	.min_version = 1,
	CKPT_PAYLOAD_TAIL(struct ckpt_sched, MAX_CPU_WORDS * sizeof(u64)),
	.single = true,
	.required = true,
	.task_collect = sched_collect,
	.task_save = sched_save,
	.check = sched_check,
	.restore = sched_restore,
	.needs_run = sched_needs_run,
	.commit = sched_commit,
};

/* --- time and other resources that were used ------------------------------------ */

/* So much that no sum of a few of them overflows: 36 years of CPU time. */
#define USAGE_MAX	BIT_ULL(60)

/* The rest of the record may be missing, and is zero then. */
#define CPUTIME_OF_THREAD	offsetofend(struct ckpt_cputime, thread)

static void get_shown(struct prev_cputime *prev, struct ckpt_usage *u)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&prev->lock, flags);
	u->shown_utime_ns = prev->utime;
	u->shown_stime_ns = prev->stime;
	raw_spin_unlock_irqrestore(&prev->lock, flags);
}

static int cputime_save(struct ckpt_ctx *ctx, struct task_struct *task)
{
	struct signal_struct *sig = task->signal;
	struct ckpt_cputime rec = { };
	unsigned long flags;

	task_cputime(task, &rec.thread.utime_ns, &rec.thread.stime_ns);
	rec.thread.gtime_ns = task_gtime(task);
	rec.thread.runtime_ns = task_sched_runtime(task);
	rec.thread.nvcsw = task->nvcsw;
	rec.thread.nivcsw = task->nivcsw;
	rec.thread.min_flt = task->min_flt;
	rec.thread.maj_flt = task->maj_flt;
	rec.thread.inblock = task_io_get_inblock(task);
	rec.thread.oublock = task_io_get_oublock(task);
	get_shown(&task->prev_cputime, &rec.thread);

	/* What the process has is told by its first thread. */
	if (!thread_group_leader(task))
		return ckpt_write(ctx, &ckpt_kind_cputime, ckpt_ref(ctx, task),
				  &rec, CPUTIME_OF_THREAD);

	if (!lock_task_sighand(task, &flags))
		return -ESRCH;
	rec.dead_threads = (struct ckpt_usage) {
		.utime_ns = sig->utime,
		.stime_ns = sig->stime,
		.gtime_ns = sig->gtime,
		.runtime_ns = sig->sum_sched_runtime,
		.nvcsw = sig->nvcsw,
		.nivcsw = sig->nivcsw,
		.min_flt = sig->min_flt,
		.maj_flt = sig->maj_flt,
		.inblock = sig->inblock,
		.oublock = sig->oublock,
		.maxrss_pages = sig->maxrss,
	};
	get_shown(&sig->prev_cputime, &rec.dead_threads);
	rec.children = (struct ckpt_usage) {
		.utime_ns = sig->cutime,
		.stime_ns = sig->cstime,
		.gtime_ns = sig->cgtime,
		.nvcsw = sig->cnvcsw,
		.nivcsw = sig->cnivcsw,
		.min_flt = sig->cmin_flt,
		.maj_flt = sig->cmaj_flt,
		.inblock = sig->cinblock,
		.oublock = sig->coublock,
		.maxrss_pages = sig->cmaxrss,
	};
	unlock_task_sighand(task, &flags);
	return ckpt_write(ctx, &ckpt_kind_cputime, ckpt_ref(ctx, task), &rec,
			  sizeof(rec));
}

static bool usage_valid(const struct ckpt_usage *u)
{
	return u->utime_ns <= USAGE_MAX && u->stime_ns <= USAGE_MAX &&
	       u->gtime_ns <= USAGE_MAX && u->runtime_ns <= USAGE_MAX &&
	       u->nvcsw <= USAGE_MAX && u->nivcsw <= USAGE_MAX &&
	       u->min_flt <= USAGE_MAX && u->maj_flt <= USAGE_MAX &&
	       u->inblock <= USAGE_MAX && u->oublock <= USAGE_MAX &&
	       u->shown_utime_ns <= USAGE_MAX &&
	       u->shown_stime_ns <= USAGE_MAX &&
	       u->maxrss_pages <= (USAGE_MAX >> PAGE_SHIFT);
}

static int cputime_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_cputime *c = ckpt_payload(rec, struct ckpt_cputime);

	if (!usage_valid(&c->thread) ||
	    (rec->len > CPUTIME_OF_THREAD &&
	     (!usage_valid(&c->dead_threads) || !usage_valid(&c->children))))
		return ckpt_refuse(ctx, -EINVAL,
				   "more was used than can have been");
	if (c->thread.maxrss_pages || c->children.runtime_ns ||
	    c->children.shown_utime_ns || c->children.shown_stime_ns)
		return ckpt_refuse(ctx, -EINVAL, "a number where 0 is due");
	return 0;
}

/*
 * The counters of a new task go on from the saved ones: they are added, so what
 * the task has used meanwhile counts, and no counter ever goes back. For the
 * same reason a replaced caller keeps its own.
 *
 * RLIMIT_CPU counts what was used before, a limit is not evaded by an image.
 */
static void add_thread(struct task_struct *task, const struct ckpt_usage *u)
{
	struct signal_struct *sig = task->signal;

	/* The scheduler and the tick count for current with interrupts off. */
	scoped_guard(task_rq_lock, task) {
		task->utime += u->utime_ns;
		task->stime += u->stime_ns;
		task->gtime += u->gtime_ns;
		/* Their difference is what it has used of its slice. */
		task->se.sum_exec_runtime += u->runtime_ns;
		task->se.prev_sum_exec_runtime += u->runtime_ns;
	}

	task->min_flt += u->min_flt;
	task->maj_flt += u->maj_flt;
	task->nvcsw += u->nvcsw;
	task->nivcsw += u->nivcsw;
	/* The thread's own are bytes, which /proc/PID/io shows. */
	sig->inblock += u->inblock;
	sig->oublock += u->oublock;
}

static void add_dead_threads(const struct ckpt_usage *u)
{
	struct signal_struct *sig = current->signal;

	sig->utime += u->utime_ns;
	sig->stime += u->stime_ns;
	sig->gtime += u->gtime_ns;
	sig->sum_sched_runtime += u->runtime_ns;
	sig->nvcsw += u->nvcsw;
	sig->nivcsw += u->nivcsw;
	sig->min_flt += u->min_flt;
	sig->maj_flt += u->maj_flt;
	sig->inblock += u->inblock;
	sig->oublock += u->oublock;
	sig->maxrss = max_t(u64, sig->maxrss, u->maxrss_pages);
}

static void add_children(const struct ckpt_usage *u)
{
	struct signal_struct *sig = current->signal;

	sig->cutime += u->utime_ns;
	sig->cstime += u->stime_ns;
	sig->cgtime += u->gtime_ns;
	sig->cnvcsw += u->nvcsw;
	sig->cnivcsw += u->nivcsw;
	sig->cmin_flt += u->min_flt;
	sig->cmaj_flt += u->maj_flt;
	sig->cinblock += u->inblock;
	sig->coublock += u->oublock;
	sig->cmaxrss = max_t(u64, sig->cmaxrss, u->maxrss_pages);
}

/* How it is divided is guessed anew, but not below this, see cputime_adjust(). */
static void set_shown(struct prev_cputime *prev, const struct ckpt_usage *u)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&prev->lock, flags);
	prev->utime = max(prev->utime, u->shown_utime_ns);
	prev->stime = max(prev->stime, u->shown_stime_ns);
	raw_spin_unlock_irqrestore(&prev->lock, flags);
}

static void cputime_commit(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_cputime *c = ckpt_payload(rec, struct ckpt_cputime);
	struct task_cputime_atomic *group =
		&current->signal->cputimer.cputime_atomic;

	if (ctx->self)
		return;

	set_shown(&ctx->who->prev_cputime, &c->thread);
	set_shown(&ctx->who->signal->prev_cputime, &c->dead_threads);
	spin_lock_irq(ckpt_siglock());
	write_seqlock(&current->signal->stats_lock);
	add_thread(ctx->who, &c->thread);
	add_dead_threads(&c->dead_threads);
	add_children(&c->children);
	write_sequnlock(&current->signal->stats_lock);

	/*
	 * The sum of both, which the tick adds to while there are CPU timers,
	 * and else is brought up to date when one is started.
	 */
	atomic64_add(c->thread.utime_ns + c->dead_threads.utime_ns,
		     &group->utime);
	atomic64_add(c->thread.stime_ns + c->dead_threads.stime_ns,
		     &group->stime);
	atomic64_add(c->thread.runtime_ns + c->dead_threads.runtime_ns,
		     &group->sum_exec_runtime);
	spin_unlock_irq(ckpt_siglock());
}

const struct ckpt_kind ckpt_kind_cputime = {
	.name = "cputime",
	.about = "what getrusage() counts; a replaced caller keeps its own",
	.family = CKPT_FAMILY_TASK,
	.type = CKPT_REC_CPUTIME,
	.phase = CKPT_PHASE_CRED,
	.version = 2,
	.min_version = 2,
	.min_len = CPUTIME_OF_THREAD,
	.len = sizeof(struct ckpt_cputime),
	.max_len = sizeof(struct ckpt_cputime) + 256,
	.single = true,
	.required = true,
	.zombie = true,
	.task_save = cputime_save,
	.check = cputime_check,
	.commit = cputime_commit,
};
