/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The end of timerfd.c: its state, for a checkpoint and a restart.
 */

#ifdef CONFIG_CHECKPOINT_RESTART

#include "event_state.h"

static struct hrtimer *timerfd_hrtimer(struct timerfd_ctx *ctx)
{
	return isalarm(ctx) ? &ctx->t.alarm.timer : &ctx->t.tmr;
}

/**
 * timerfd_get_state() - read the state of a timerfd
 * @file: any file
 * @state: is filled
 *
 * Return: false when @file is no timerfd.
 */
bool timerfd_get_state(struct file *file, struct timerfd_state *state)
{
	struct timerfd_ctx *ctx = file->private_data;
	struct hrtimer *timer;

	if (file->f_op != &timerfd_fops)
		return false;
	timer = timerfd_hrtimer(ctx);

	spin_lock_irq(&ctx->wqh.lock);
	*state = (struct timerfd_state) {
		.clockid = ctx->clockid,
		.settime_flags = ctx->settime_flags,
		.ticks = ctx->ticks,
		.interval = ctx->tintv,
		.expires = isalarm(ctx) ? ctx->t.alarm.node.expires :
					  hrtimer_get_expires(timer),
		.now = hrtimer_cb_get_time(timer),
		/* Its function may wait for our lock, or be just behind it. */
		.active = !ctx->expired && hrtimer_active(timer),
		.expired = ctx->expired,
		.might_cancel = ctx->might_cancel,
		.canceled = ctx->might_cancel && ctx->moffs == KTIME_MAX,
	};
	/* A relative timer of CLOCK_REALTIME runs on CLOCK_MONOTONIC. */
	if (ctx->clockid == CLOCK_REALTIME)
		state->absolute = timer->base->clockid == CLOCK_REALTIME;
	else if (ctx->clockid == CLOCK_REALTIME_ALARM)
		state->absolute = ctx->settime_flags & TFD_TIMER_ABSTIME;
	spin_unlock_irq(&ctx->wqh.lock);
	return true;
}

/**
 * timerfd_create() - timerfd_create(), and what is not the timer's time
 * @state: its state; it is not started
 *
 * Return: a descriptor or -errno.
 */
int timerfd_create(const struct timerfd_state *state)
{
	struct timerfd_ctx *ctx;
	struct fd f;
	int fd, ret;

	fd = __do_sys_timerfd_create(state->clockid, 0);
	if (fd < 0)
		return fd;
	ret = timerfd_fget(fd, &f);
	if (ret)
		return ret;
	ctx = fd_file(f)->private_data;

	timerfd_setup_cancel(ctx, state->might_cancel ? TFD_SETTIME_FLAGS : 0);
	spin_lock_irq(&ctx->wqh.lock);
	if (!isalarm(ctx)) {
		hrtimer_init(&ctx->t.tmr, ctx->clockid, state->absolute ?
			     HRTIMER_MODE_ABS : HRTIMER_MODE_REL);
		ctx->t.tmr.function = timerfd_tmrproc;
	}
	ctx->settime_flags = state->settime_flags;
	ctx->ticks = state->ticks;
	ctx->tintv = state->interval;
	ctx->expired = state->expired;
	if (state->canceled)
		ctx->moffs = KTIME_MAX;
	spin_unlock_irq(&ctx->wqh.lock);
	fdput(f);
	return fd;
}

/**
 * timerfd_start() - give the timer of a new timerfd its time
 * @file: made by timerfd_create(), which nobody else has used yet
 * @active: it starts, else it expired at this time or is not used
 * @absolute: @time is one of the timer's clock
 * @time: else it is that many ns away from now
 */
void timerfd_start(struct file *file, bool active, bool absolute, s64 time)
{
	struct timerfd_ctx *ctx = file->private_data;
	struct hrtimer *timer = timerfd_hrtimer(ctx);
	ktime_t now, expires = time;

	spin_lock_irq(&ctx->wqh.lock);
	now = hrtimer_cb_get_time(timer);
	if (!absolute)
		expires = time > 0 ? ktime_add_safe(now, time) : now + time;
	/*
	 * Before the clock began, from where it cannot be forwarded: as if
	 * timerfd_gettime() had been called.
	 */
	if (expires < 0 && ctx->expired && ctx->tintv) {
		u64 n = ktime_divns(now - expires, ctx->tintv);

		expires += ctx->tintv * n;
		expires = expires < 0 ? expires + ctx->tintv :
					ktime_add_safe(expires, ctx->tintv);
		ctx->ticks += n;
		ctx->expired = 0;
		active = true;
	}
	expires = max_t(ktime_t, expires, 0);

	if (!active && isalarm(ctx))
		ctx->t.alarm.node.expires = expires;
	else if (!active)
		hrtimer_set_expires(timer, expires);
	else if (isalarm(ctx))
		alarm_start(&ctx->t.alarm, expires);
	else
		hrtimer_start(timer, expires, HRTIMER_MODE_ABS);
	spin_unlock_irq(&ctx->wqh.lock);
}

#endif /* CONFIG_CHECKPOINT_RESTART */
