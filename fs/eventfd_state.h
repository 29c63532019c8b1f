/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The end of eventfd.c: its state, for a checkpoint and a restart.
 */

#ifdef CONFIG_CHECKPOINT_RESTART

#include "event_state.h"

/**
 * eventfd_get_state() - read the state of an eventfd
 * @file: any file
 * @state: is filled
 *
 * Return: false when @file is no eventfd.
 */
bool eventfd_get_state(struct file *file, struct eventfd_state *state)
{
	struct eventfd_ctx *ctx = file->private_data;

	if (file->f_op != &eventfd_fops)
		return false;
	spin_lock_irq(&ctx->wqh.lock);
	state->count = ctx->count;
	spin_unlock_irq(&ctx->wqh.lock);
	state->flags = ctx->flags & EFD_SEMAPHORE;
	state->users = kref_read(&ctx->kref);
	return true;
}

/**
 * eventfd_create() - eventfd2() with a counter of 64 bits
 * @state: its state, but for users
 *
 * Return: a descriptor or -errno.
 */
int eventfd_create(const struct eventfd_state *state)
{
	struct eventfd_ctx *ctx;
	int fd;

	fd = do_eventfd(0, state->flags);
	if (fd < 0)
		return fd;
	ctx = eventfd_ctx_fdget(fd);
	if (IS_ERR(ctx))
		return PTR_ERR(ctx);
	spin_lock_irq(&ctx->wqh.lock);
	ctx->count = state->count;
	spin_unlock_irq(&ctx->wqh.lock);
	eventfd_ctx_put(ctx);
	return fd;
}

#endif /* CONFIG_CHECKPOINT_RESTART */
