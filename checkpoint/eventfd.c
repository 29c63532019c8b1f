// SPDX-License-Identifier: GPL-2.0
/*
 * The small files that event loops use: eventfd, timerfd, signalfd.
 */

#include <linux/eventfd.h>
#include <linux/signal.h>
#include <linux/time.h>
#include <linux/timerfd.h>

#include "../fs/event_state.h"
#include "anon.h"

/* --- eventfd ---------------------------------------------------------------------- */

static bool eventfd_match(struct file *file)
{
	struct eventfd_state state;

	return eventfd_get_state(file, &state);
}

static int eventfd_collect(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	struct eventfd_state state;
	int ret;

	ret = ckpt_anon_collect(ctx, obj);
	if (eventfd_get_state(obj->ptr, &state) && state.users > 1)
		ret = ckpt_refuse(ctx, -EBUSY,
				  "is used from within the kernel, as by AIO or KVM");
	return ret;
}

static int eventfd_save(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	struct ckpt_file_eventfd rec = {};
	struct eventfd_state state;

	if (!eventfd_get_state(obj->ptr, &state))
		return -EINVAL;
	ckpt_anon_fill(ctx, obj, &rec.desc);
	rec.count = state.count;
	if (state.flags & EFD_SEMAPHORE)
		rec.flags |= CKPT_EVENTFD_SEMAPHORE;
	return ckpt_write(ctx, obj->kind, obj->ref, &rec, sizeof(rec));
}

static int eventfd_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_file_eventfd *p = ckpt_payload(rec, struct ckpt_file_eventfd);

	if (p->pad || p->flags & ~CKPT_EVENTFD_SEMAPHORE)
		return ckpt_refuse(ctx, -EINVAL, "unknown flags of an eventfd");
	return ckpt_anon_check(ctx, &p->desc);
}

static int eventfd_make(const void *arg)
{
	return eventfd_create(arg);
}

static int eventfd_restore(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_file_eventfd *p = ckpt_payload(rec, struct ckpt_file_eventfd);
	struct eventfd_state state = {
		.count = p->count,
		.flags = p->flags & CKPT_EVENTFD_SEMAPHORE ? EFD_SEMAPHORE : 0,
	};

	return PTR_ERR_OR_ZERO(ckpt_anon_make(ctx, rec, &p->desc, eventfd_make,
					      &state));
}

const struct ckpt_kind ckpt_kind_eventfd = {
	.name		= "eventfd",
	.about		= "event descriptors: counter, whether a semaphore",
	.family		= CKPT_FAMILY_FILE,
	.type		= CKPT_REC_FILE_EVENTFD,
	.phase		= CKPT_PHASE_OBJECT,
	.version	= 1,
	.min_version	= 1,
	CKPT_PAYLOAD(struct ckpt_file_eventfd),
	.object		= true,
	.obj_get	= ckpt_file_get,
	.obj_put	= ckpt_file_put,
	.obj_collect	= eventfd_collect,
	.obj_save	= eventfd_save,
	.file_match	= eventfd_match,
	.check		= eventfd_check,
	.restore	= eventfd_restore,
};

/* --- signalfd --------------------------------------------------------------------- */

#define UNBLOCKABLE	(BIT_ULL(SIGKILL - 1) | BIT_ULL(SIGSTOP - 1))

static_assert(sizeof(sigset_t) == sizeof(u64));

static bool signalfd_match(struct file *file)
{
	sigset_t mask;

	return signalfd_get_mask(file, &mask);
}

static int signalfd_save(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	struct ckpt_file_signalfd rec = {};
	sigset_t mask;

	if (!signalfd_get_mask(obj->ptr, &mask))
		return -EINVAL;
	ckpt_anon_fill(ctx, obj, &rec.desc);
	rec.mask = mask.sig[0];
	return ckpt_write(ctx, obj->kind, obj->ref, &rec, sizeof(rec));
}

static int signalfd_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_file_signalfd *p =
		ckpt_payload(rec, struct ckpt_file_signalfd);

	if (p->mask & UNBLOCKABLE)
		return ckpt_refuse(ctx, -EINVAL,
				   "a signalfd for SIGKILL or SIGSTOP");
	return ckpt_anon_check(ctx, &p->desc);
}

static int signalfd_make(const void *arg)
{
	return signalfd_create(arg);
}

static int signalfd_restore(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_file_signalfd *p =
		ckpt_payload(rec, struct ckpt_file_signalfd);
	sigset_t mask = { .sig = { p->mask } };

	return PTR_ERR_OR_ZERO(ckpt_anon_make(ctx, rec, &p->desc, signalfd_make,
					      &mask));
}

const struct ckpt_kind ckpt_kind_signalfd = {
	.name		= "signalfd",
	.about		= "signal descriptors: which signals",
	.family		= CKPT_FAMILY_FILE,
	.type		= CKPT_REC_FILE_SIGNALFD,
	.phase		= CKPT_PHASE_OBJECT,
	.version	= 1,
	.min_version	= 1,
	CKPT_PAYLOAD(struct ckpt_file_signalfd),
	.object		= true,
	.obj_get	= ckpt_file_get,
	.obj_put	= ckpt_file_put,
	.obj_collect	= ckpt_anon_collect,
	.obj_save	= signalfd_save,
	.file_match	= signalfd_match,
	.check		= signalfd_check,
	.restore	= signalfd_restore,
};

/* --- timerfd ---------------------------------------------------------------------- */

/*
 * Time stands still between checkpoint and restart, as for all timers, with
 * the exception of absolute times of CLOCK_REALTIME: a program that waits for
 * a date waits for that date.
 */

static bool is_realtime(int clock)
{
	return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_ALARM;
}

static bool timerfd_match(struct file *file)
{
	struct timerfd_state state;

	return timerfd_get_state(file, &state);
}

static int timerfd_save(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	struct ckpt_file_timerfd rec = {};
	struct timerfd_state state;

	if (!timerfd_get_state(obj->ptr, &state))
		return -EINVAL;
	ckpt_anon_fill(ctx, obj, &rec.desc);
	rec.clock = state.clockid;
	rec.settime_flags = state.settime_flags;
	rec.ticks = state.ticks;
	rec.interval_ns = state.interval;
	if (state.active)
		rec.flags |= CKPT_TIMERFD_ACTIVE;
	if (state.expired)
		rec.flags |= CKPT_TIMERFD_EXPIRED;
	if (state.absolute)
		rec.flags |= CKPT_TIMERFD_ABSOLUTE;
	if (state.might_cancel)
		rec.flags |= CKPT_TIMERFD_CANCEL;
	if (state.canceled)
		rec.flags |= CKPT_TIMERFD_CANCELED;
	/* The time of one that is not started may never have been set. */
	if (state.active || state.expired)
		rec.time_ns = state.absolute ? state.expires :
					       state.expires - state.now;
	return ckpt_write(ctx, obj->kind, obj->ref, &rec, sizeof(rec));
}

static int timerfd_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_file_timerfd *p = ckpt_payload(rec, struct ckpt_file_timerfd);
	bool running = p->flags & (CKPT_TIMERFD_ACTIVE | CKPT_TIMERFD_EXPIRED);

	switch (p->clock) {
	case CLOCK_REALTIME:
	case CLOCK_MONOTONIC:
	case CLOCK_BOOTTIME:
	case CLOCK_REALTIME_ALARM:
	case CLOCK_BOOTTIME_ALARM:
		break;
	default:
		return ckpt_refuse(ctx, -EINVAL, "no clock for a timerfd: %d",
				   p->clock);
	}
	if (p->pad || p->flags & ~CKPT_TIMERFD_FLAGS ||
	    p->settime_flags & ~TFD_SETTIME_FLAGS)
		return ckpt_refuse(ctx, -EINVAL, "unknown flags of a timerfd");
	if (p->flags & CKPT_TIMERFD_ACTIVE && p->flags & CKPT_TIMERFD_EXPIRED)
		return ckpt_refuse(ctx, -EINVAL,
				   "both waits for its time and has expired");
	if (p->flags & CKPT_TIMERFD_CANCELED && !(p->flags & CKPT_TIMERFD_CANCEL))
		return ckpt_refuse(ctx, -EINVAL,
				   "was cancelled, but cannot be");
	if (p->flags & (CKPT_TIMERFD_ABSOLUTE | CKPT_TIMERFD_CANCEL) &&
	    !is_realtime(p->clock))
		return ckpt_refuse(ctx, -EINVAL,
				   "an absolute time of clock %d", p->clock);
	if (p->interval_ns > KTIME_MAX || p->time_ns < -KTIME_MAX ||
	    (p->time_ns < 0 && p->flags & CKPT_TIMERFD_ABSOLUTE) ||
	    (p->time_ns && !running))
		return ckpt_refuse(ctx, -EINVAL, "a time out of range");
	return ckpt_anon_check(ctx, &p->desc);
}

static int timerfd_make(const void *arg)
{
	return timerfd_create(arg);
}

static int timerfd_restore(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_file_timerfd *p = ckpt_payload(rec, struct ckpt_file_timerfd);
	struct timerfd_state state = {
		.clockid = p->clock,
		.settime_flags = p->settime_flags,
		.ticks = p->ticks,
		.interval = p->interval_ns,
		.expired = p->flags & CKPT_TIMERFD_EXPIRED,
		.absolute = p->flags & CKPT_TIMERFD_ABSOLUTE,
		.might_cancel = p->flags & CKPT_TIMERFD_CANCEL,
		.canceled = p->flags & CKPT_TIMERFD_CANCELED,
	};

	return PTR_ERR_OR_ZERO(ckpt_anon_make(ctx, rec, &p->desc, timerfd_make,
					      &state));
}

/* Only now, so that a restart that takes long costs the program no time. */
static void timerfd_commit(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_file_timerfd *p = ckpt_payload(rec, struct ckpt_file_timerfd);

	if (p->flags & (CKPT_TIMERFD_ACTIVE | CKPT_TIMERFD_EXPIRED))
		timerfd_start(ckpt_obj_ptr(ctx, rec->objref),
			      p->flags & CKPT_TIMERFD_ACTIVE,
			      p->flags & CKPT_TIMERFD_ABSOLUTE, p->time_ns);
}

const struct ckpt_kind ckpt_kind_timerfd = {
	.name		= "timerfd",
	.about		= "timer descriptors: clock, time that remains, interval, expirations",
	.family		= CKPT_FAMILY_FILE,
	.type		= CKPT_REC_FILE_TIMERFD,
	.phase		= CKPT_PHASE_OBJECT,
	.version	= 1,
	.min_version	= 1,
	CKPT_PAYLOAD(struct ckpt_file_timerfd),
	.object		= true,
	.obj_get	= ckpt_file_get,
	.obj_put	= ckpt_file_put,
	.obj_collect	= ckpt_anon_collect,
	.obj_save	= timerfd_save,
	.file_match	= timerfd_match,
	.check		= timerfd_check,
	.restore	= timerfd_restore,
	.commit		= timerfd_commit,
};
