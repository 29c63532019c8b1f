// SPDX-License-Identifier: GPL-2.0
/*
 * The restart of an interrupted system call with a relative timeout.
 *
 * Such a call leaves in task->restart_block how it goes on, with the end of its
 * timeout as an absolute time. That is saved as what is left of it, and goes on
 * from there after the restart.
 *
 * Blocks stay behind when they are not used any more. One that is known is
 * saved all the same, as the program could still come back to it by
 * restart_syscall(2); one that is not known is refused only when the task is
 * about to use it.
 */

#include <linux/hrtimer.h>
#include <linux/ktime.h>
#include <linux/restart_block.h>
#include <linux/sched/task_stack.h>
#include <linux/syscalls.h>
#include <linux/thread_info.h>
#include <linux/time64.h>

#include <asm/syscall.h>
#include <asm/unistd.h>

#include "../kernel/futex/futex.h"
#include "internal.h"

/* What futex_wait() can have left behind. */
#define FUTEX_FLAGS	(FLAGS_SIZE_MASK | FLAGS_SHARED | FLAGS_CLOCKRT | \
			 FLAGS_HAS_TIMEOUT)

/* A member that a later kernel adds must be looked at below. */
static_assert(sizeof(struct restart_block) ==
	      2 * sizeof(long) + sizeof(((struct restart_block *)0)->futex));

static bool known_clock(clockid_t clockid)
{
	return clockid == CLOCK_MONOTONIC || clockid == CLOCK_BOOTTIME ||
	       clockid == CLOCK_TAI;
}

static ktime_t clock_now(clockid_t clockid)
{
	switch (clockid) {
	case CLOCK_BOOTTIME:
		return ktime_get_boottime();
	case CLOCK_TAI:
		return ktime_get_clocktai();
	default:
		return ktime_get();
	}
}

static s64 time_left(ktime_t end, clockid_t clockid)
{
	return max_t(s64, ktime_sub(end, clock_now(clockid)), 0);
}

static bool get_nanosleep(const struct restart_block *block,
			  struct ckpt_restart_block *rec)
{
	if (!known_clock(block->nanosleep.clockid))
		return false;
	*rec = (struct ckpt_restart_block) {
		.which = CKPT_RESTART_NANOSLEEP,
		.flags = CKPT_RESTART_TIMEOUT,
		.clockid = block->nanosleep.clockid,
		.time_ns = time_left(block->nanosleep.expires,
				     block->nanosleep.clockid),
	};
	switch (block->nanosleep.type) {
	case TT_NATIVE:
		rec->flags |= CKPT_RESTART_REMAINING;
		rec->addr = (unsigned long)block->nanosleep.rmtp;
		return true;
	case TT_NONE:
		return true;
	default:
		return false;
	}
}

static bool get_poll(const struct restart_block *block,
		     struct ckpt_restart_block *rec)
{
	*rec = (struct ckpt_restart_block) {
		.which = CKPT_RESTART_POLL,
		.addr = (unsigned long)block->poll.ufds,
		.nfds = block->poll.nfds,
	};
	if (block->poll.has_timeout) {
		rec->flags |= CKPT_RESTART_TIMEOUT;
		rec->time_ns = time_left(ktime_set(block->poll.tv_sec,
						   block->poll.tv_nsec),
					 CLOCK_MONOTONIC);
	}
	return true;
}

static bool get_futex(const struct restart_block *block,
		      struct ckpt_restart_block *rec)
{
	u32 flags = block->futex.flags;

	if (flags & ~FUTEX_FLAGS ||
	    (flags & FLAGS_SIZE_MASK) != FLAGS_SIZE_32 ||
	    !(flags & FLAGS_HAS_TIMEOUT))
		return false;
	*rec = (struct ckpt_restart_block) {
		.which = CKPT_RESTART_FUTEX,
		.flags = CKPT_RESTART_TIMEOUT,
		.addr = (unsigned long)block->futex.uaddr,
		.val = block->futex.val,
		.bitset = block->futex.bitset,
	};
	if (flags & FLAGS_SHARED)
		rec->flags |= CKPT_RESTART_SHARED;
	if (flags & FLAGS_CLOCKRT) {
		rec->flags |= CKPT_RESTART_REALTIME;
		rec->time_ns = block->futex.time;
	} else {
		rec->time_ns = time_left(block->futex.time, CLOCK_MONOTONIC);
	}
	return true;
}

static bool get_block(struct task_struct *task, struct ckpt_restart_block *rec)
{
	const struct restart_block *block = &task->restart_block;
	bool known = false;

	if (block->fn == do_no_restart_syscall)
		known = true;
	else if (block->arch_data)
		known = false;	/* a 32-bit system call */
	else if (block->fn == hrtimer_nanosleep_restart)
		known = get_nanosleep(block, rec);
	else if (block->fn == do_restart_poll)
		known = get_poll(block, rec);
	else if (block->fn == futex_wait_restart)
		known = get_futex(block, rec);
	if (!known || block->fn == do_no_restart_syscall)
		*rec = (struct ckpt_restart_block) { CKPT_RESTART_NONE };
	return known;
}

/* Is restart_syscall() the next thing that the task does? */
static bool needed(struct task_struct *task)
{
	struct pt_regs *regs = task_pt_regs(task);
	long val = syscall_get_return_value(task, regs);

	/* In its own system call, which ends well. */
	if (task == current)
		return false;
	return syscall_get_nr(task, regs) != -1 &&
	       (val == -ERESTART_RESTARTBLOCK || val == __NR_restart_syscall);
}

static int block_collect(struct ckpt_ctx *ctx, struct task_struct *task)
{
	struct ckpt_restart_block rec;

	if (!get_block(task, &rec) && needed(task))
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "the restart of system call %d is not supported",
				   syscall_get_nr(task, task_pt_regs(task)));
	return 0;
}

static int block_save(struct ckpt_ctx *ctx, struct task_struct *task)
{
	struct ckpt_restart_block rec;

	get_block(task, &rec);
	if (rec.which == CKPT_RESTART_NONE)
		return 0;
	return ckpt_write(ctx, &ckpt_kind_restart_block, ckpt_ref(ctx, task),
			  &rec, sizeof(rec));
}

static int block_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	static const u32 known_flags[] = {
		[CKPT_RESTART_NONE] = 0,
		[CKPT_RESTART_NANOSLEEP] = CKPT_RESTART_TIMEOUT |
					   CKPT_RESTART_REMAINING,
		[CKPT_RESTART_POLL] = CKPT_RESTART_TIMEOUT,
		[CKPT_RESTART_FUTEX] = CKPT_RESTART_TIMEOUT |
				       CKPT_RESTART_REALTIME |
				       CKPT_RESTART_SHARED,
	};
	const struct ckpt_restart_block *r =
		ckpt_payload(rec, struct ckpt_restart_block);

	if (r->which >= ARRAY_SIZE(known_flags) ||
	    r->flags & ~known_flags[r->which])
		return ckpt_refuse(ctx, -EINVAL,
				   "an unknown way to restart a system call");
	if (r->time_ns < 0 || r->addr >= TASK_SIZE_MAX)
		return ckpt_refuse(ctx, -EINVAL,
				   "a bad time or address in a restart block");
	if ((!(r->flags & CKPT_RESTART_TIMEOUT) &&
	     (r->time_ns || (r->which != CKPT_RESTART_NONE &&
			     r->which != CKPT_RESTART_POLL))) ||
	    (r->addr && (r->which == CKPT_RESTART_NONE ||
			 (r->which == CKPT_RESTART_NANOSLEEP &&
			  !(r->flags & CKPT_RESTART_REMAINING)))) ||
	    (r->which == CKPT_RESTART_NANOSLEEP ? !known_clock(r->clockid) :
						  r->clockid) ||
	    (r->which == CKPT_RESTART_POLL ? r->nfds < 0 : r->nfds) ||
	    (r->which == CKPT_RESTART_FUTEX ? !r->bitset :
					      r->val || r->bitset))
		return ckpt_refuse(ctx, -EINVAL,
				   "values in a restart block that do not fit together");
	return 0;
}

static ktime_t time_end(const struct ckpt_restart_block *r, clockid_t clockid)
{
	return ktime_add_safe(clock_now(clockid), r->time_ns);
}

static void block_commit(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	const struct ckpt_restart_block *r =
		ckpt_payload(rec, struct ckpt_restart_block);
	struct restart_block *block = &current->restart_block;
	struct timespec64 ts;

	*block = (struct restart_block) { .fn = do_no_restart_syscall };
	switch (r->which) {
	case CKPT_RESTART_NANOSLEEP:
		block->nanosleep.clockid = r->clockid;
		block->nanosleep.expires = time_end(r, r->clockid);
		block->nanosleep.type = TT_NONE;
		if (r->flags & CKPT_RESTART_REMAINING) {
			block->nanosleep.type = TT_NATIVE;
			block->nanosleep.rmtp = (void __user *)r->addr;
		}
		set_restart_fn(block, hrtimer_nanosleep_restart);
		break;
	case CKPT_RESTART_POLL:
		block->poll.ufds = (void __user *)r->addr;
		block->poll.nfds = r->nfds;
		if (r->flags & CKPT_RESTART_TIMEOUT) {
			ts = ktime_to_timespec64(time_end(r, CLOCK_MONOTONIC));
			block->poll.has_timeout = 1;
			block->poll.tv_sec = ts.tv_sec;
			block->poll.tv_nsec = ts.tv_nsec;
		}
		set_restart_fn(block, do_restart_poll);
		break;
	case CKPT_RESTART_FUTEX:
		block->futex.uaddr = (void __user *)r->addr;
		block->futex.val = r->val;
		block->futex.bitset = r->bitset;
		block->futex.flags = FLAGS_SIZE_32 | FLAGS_HAS_TIMEOUT;
		block->futex.time = r->time_ns;
		if (r->flags & CKPT_RESTART_SHARED)
			block->futex.flags |= FLAGS_SHARED;
		if (r->flags & CKPT_RESTART_REALTIME)
			block->futex.flags |= FLAGS_CLOCKRT;
		else
			block->futex.time = time_end(r, CLOCK_MONOTONIC);
		set_restart_fn(block, futex_wait_restart);
		break;
	}
}

const struct ckpt_kind ckpt_kind_restart_block = {
	.name = "restart_block",
	.about = "interrupted nanosleep, poll and futex wait, with the time that is left",
	.family = CKPT_FAMILY_TASK,
	.type = CKPT_REC_RESTART_BLOCK,
	.phase = CKPT_PHASE_TIMER,
	.version = 1,
	.min_version = 1,
	CKPT_PAYLOAD(struct ckpt_restart_block),
	.single = true,
	.task_collect = block_collect,
	.task_save = block_save,
	.check = block_check,
	.commit = block_commit,
};
