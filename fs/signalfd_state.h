/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The end of signalfd.c: its state, for a checkpoint and a restart.
 */

#ifdef CONFIG_CHECKPOINT_RESTART

#include "event_state.h"

/**
 * signalfd_get_mask() - read the signals that a signalfd is for
 * @file: any file
 * @mask: is filled, as signalfd() takes it
 *
 * Return: false when @file is no signalfd.
 */
bool signalfd_get_mask(struct file *file, sigset_t *mask)
{
	struct signalfd_ctx *ctx = file->private_data;

	if (file->f_op != &signalfd_fops)
		return false;
	*mask = ctx->sigmask;
	signotset(mask);
	return true;
}

/**
 * signalfd_create() - signalfd()
 * @mask: the signals
 *
 * Return: a descriptor or -errno.
 */
int signalfd_create(const sigset_t *mask)
{
	sigset_t copy = *mask;

	return do_signalfd4(-1, &copy, 0);
}

#endif /* CONFIG_CHECKPOINT_RESTART */
