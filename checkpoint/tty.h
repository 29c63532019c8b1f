/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Terminals: what tty.c (those of others) and pty.c (the tree's own pseudo
 * terminals) share with each other and with those who restore sessions.
 */
#ifndef _CHECKPOINT_TTY_H
#define _CHECKPOINT_TTY_H

#include <linux/major.h>
#include <linux/tty.h>
#include <linux/tty_driver.h>

#include "file.h"

#define CKPT_DEV_TTY	MKDEV(TTYAUX_MAJOR, 0)

struct task_struct;

/* As in tty_io.c. */
static inline struct tty_struct *ckpt_file_tty(struct file *file)
{
	return ((struct tty_file_private *)file->private_data)->tty;
}

/* That of a Unix98 pair, or of an old one with BSD names. */
static inline bool ckpt_tty_is_master(const struct tty_struct *tty)
{
	return tty->driver->type == TTY_DRIVER_TYPE_PTY &&
	       tty->driver->subtype == PTY_TYPE_MASTER;
}

/* Of /dev/tty, whatever terminal that was. */
static inline bool ckpt_file_is_dev_tty(struct file *file)
{
	return file_inode(file)->i_rdev == CKPT_DEV_TTY;
}

/* tty.c */
int ckpt_tty_collect(struct ckpt_ctx *ctx, struct ckpt_obj *obj);
int ckpt_tty_check(struct ckpt_ctx *ctx, struct ckpt_obj *obj);
bool ckpt_tty_is_passed(struct ckpt_ctx *ctx, struct file *file);

/* pty.c: saving */
bool ckpt_pty_is(const struct tty_struct *tty);
int ckpt_pty_collect(struct ckpt_ctx *ctx, struct tty_struct *tty);
int ckpt_pty_check(struct ckpt_ctx *ctx, struct ckpt_obj *obj);
bool ckpt_pty_inside(struct ckpt_ctx *ctx, struct tty_struct *tty);
int ckpt_pty_save_slave(struct ckpt_ctx *ctx, struct ckpt_obj *obj);
/* pty.c: restarting */
bool ckpt_pty_has_session(struct ckpt_ctx *ctx, s32 sid);
void ckpt_pty_set_ctrl(struct ckpt_ctx *ctx);
void ckpt_pty_attach(struct ckpt_ctx *ctx, struct task_struct *task, s32 sid);

#endif /* _CHECKPOINT_TTY_H */
