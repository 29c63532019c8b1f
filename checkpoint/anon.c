// SPDX-License-Identifier: GPL-2.0
/*
 * What files share that have no path but are made by a system call.
 *
 * A restart makes them by what stands behind this system call, which puts
 * them into the table of descriptors of current. So current gets an empty
 * table for a moment. Its own is not touched: it may have none, or one that
 * others use.
 */

#include <linux/cred.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/init_task.h>
#include <linux/sched/task.h>

#include "anon.h"

/* What open flags and F_SETFL leave in f_flags. */
#define ANON_FLAGS	(O_RDWR | O_APPEND | O_NONBLOCK)

/* --- descriptors for a moment ------------------------------------------------ */

static struct files_struct *swap_files(struct files_struct *files)
{
	struct files_struct *old;

	task_lock(current);
	old = current->files;
	current->files = files;
	task_unlock(current);
	return old;
}

/**
 * ckpt_scratch_begin() - give current an empty table of descriptors
 * @scratch: remembers its own
 *
 * Return: 0 or -ENOMEM.
 */
int ckpt_scratch_begin(struct ckpt_scratch *scratch)
{
	/* The table of the kernel threads is empty: a copy is a new table. */
	scratch->files = dup_fd(&init_files, NULL);
	if (IS_ERR(scratch->files))
		return PTR_ERR(scratch->files);
	scratch->old = swap_files(scratch->files);
	return 0;
}

/**
 * ckpt_scratch_end() - give current its own table back
 * @scratch: from ckpt_scratch_begin(); what is open in it is closed
 */
void ckpt_scratch_end(struct ckpt_scratch *scratch)
{
	swap_files(scratch->old);
	put_files_struct(scratch->files);
}

/**
 * ckpt_scratch_add() - let a descriptor be one of this file
 * @scratch: which has nothing at this number
 * @fd: the number; from an image, so this may be more than there can be
 * @file: the file; file_close_fd() takes away what was added, and its reference
 *
 * Return: 0 or -errno.
 */
int ckpt_scratch_add(struct ckpt_scratch *scratch, int fd, struct file *file)
{
	int ret;

	/* The search for a free number starts there. */
	spin_lock(&scratch->files->file_lock);
	scratch->files->next_fd = fd;
	spin_unlock(&scratch->files->file_lock);

	ret = __get_unused_fd_flags(0, (unsigned long)fd + 1);
	if (ret < 0)
		return ret;
	if (WARN_ON_ONCE(ret != fd)) {
		put_unused_fd(ret);
		return -EBUSY;
	}
	fd_install(fd, get_file(file));
	return 0;
}

/* --- the kinds -------------------------------------------------------------------- */

/**
 * ckpt_anon_collect() - find what cannot be saved of such a description
 * @ctx: the checkpoint
 * @obj: the description's object
 *
 * Return: 0, or -errno, noted as a reason.
 */
int ckpt_anon_collect(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	return ckpt_desc_collect(ctx, obj->ptr, ANON_FLAGS);
}

/**
 * ckpt_anon_fill() - the part of a record that all of them have
 * @ctx: the checkpoint
 * @obj: the description's object
 * @desc: is filled
 */
void ckpt_anon_fill(struct ckpt_ctx *ctx, struct ckpt_obj *obj,
		    struct ckpt_file_desc *desc)
{
	ckpt_desc_fill(ctx, obj, desc);
	desc->pos = 0;
}

/**
 * ckpt_anon_check() - judge what ckpt_anon_fill() wrote
 * @ctx: the restart
 * @desc: from an image
 *
 * Return: 0 or -EINVAL, noted as a reason.
 */
int ckpt_anon_check(struct ckpt_ctx *ctx, const struct ckpt_file_desc *desc)
{
	if (desc->pos || !(desc->open_flags & O_RDWR))
		return ckpt_refuse(ctx, -EINVAL, "bad flags of an open file");
	return ckpt_desc_check(ctx, desc, ANON_FLAGS,
			       CKPT_FILE_RANDOM | CKPT_FILE_NOREUSE);
}

/**
 * ckpt_anon_make() - make the file of a record
 * @ctx: the restart
 * @rec: the record; its object is set
 * @desc: what all of them have
 * @make: makes it, and returns a descriptor of current or -errno
 * @arg: for @make
 *
 * Return: the file, which @ctx holds, or an ERR_PTR(), noted as a reason.
 */
struct file *ckpt_anon_make(struct ckpt_ctx *ctx, struct ckpt_rec *rec,
			    const struct ckpt_file_desc *desc,
			    int (*make)(const void *arg), const void *arg)
{
	const struct cred *old;
	struct ckpt_scratch scratch;
	struct file *file;
	int fd, ret;

	ret = ckpt_scratch_begin(&scratch);
	if (ret)
		return ERR_PTR(ret);
	old = override_creds(ckpt_obj_ptr(ctx, desc->cred));
	fd = make(arg);
	revert_creds(old);
	file = fd < 0 ? ERR_PTR(fd) : file_close_fd(fd);
	ckpt_scratch_end(&scratch);
	if (IS_ERR(file)) {
		ckpt_refuse(ctx, fd, fd == -EPERM ?
			    "no permission to make it" : "cannot be made");
		return file;
	}

	ckpt_obj_set(ctx, rec->objref, file, ckpt_file_put);
	ret = ckpt_desc_restore(ctx, file, desc);
	return ret ? ERR_PTR(ret) : file;
}
