// SPDX-License-Identifier: GPL-2.0
/*
 * The controlling terminal. It is not saved but passed through: the restarted
 * process gets the controlling terminal of the caller. Pseudo terminals of the
 * tree's own are in pty.c; which of the two a terminal is turns out when all
 * open files are known.
 */

#include <linux/cred.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/tty.h>

#include "../drivers/tty/tty.h"
#include "tty.h"

/* Which descriptors of the caller may name the device of its terminal. */
#define STDIO_FDS	3

static bool tty_match(struct file *file)
{
	/* All operations of terminals, of a hung up one too, have this. */
	return IS_ENABLED(CONFIG_TTY) && file->f_op->release == tty_release;
}

static bool is_hung_up(struct file *file)
{
	return IS_ENABLED(CONFIG_TTY) && tty_hung_up_p(file);
}

static bool is_controlling(struct task_struct *task, struct tty_struct *tty)
{
	unsigned long flags;
	bool ret;

	if (!lock_task_sighand(task, &flags))
		return false;
	ret = task->signal->tty == tty;
	unlock_task_sighand(task, &flags);
	return ret;
}

/**
 * ckpt_tty_collect() - collect a description of a terminal
 * @ctx: the checkpoint
 * @obj: of any terminal
 *
 * Return: 0 or -errno, noted as a reason.
 */
int ckpt_tty_collect(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	struct file *file = obj->ptr;
	int ret, err = 0;

	ret = ckpt_desc_collect_flags(ctx, file,
				      CKPT_OPEN_FLAGS | CKPT_OPEN_SHOWN);
	if (ckpt_pty_is(ckpt_file_tty(file)))
		err = ckpt_pty_collect(ctx, ckpt_file_tty(file));
	return ret ?: err;
}

/**
 * ckpt_tty_is_passed() - does it not matter who else has this description?
 * @ctx: the checkpoint, after everything was collected
 * @file: of a terminal
 *
 * Return: false for the tree's own pseudo terminals, while they are alive.
 */
bool ckpt_tty_is_passed(struct ckpt_ctx *ctx, struct file *file)
{
	return is_hung_up(file) || !ckpt_pty_inside(ctx, ckpt_file_tty(file));
}

/**
 * ckpt_tty_check() - will a restart have this terminal?
 * @ctx: the checkpoint, after everything was collected
 * @obj: its description
 *
 * Return: 0 or -errno, noted as a reason.
 */
int ckpt_tty_check(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	struct file *file = obj->ptr;
	struct tty_struct *tty = ckpt_file_tty(file);

	if (ckpt_pty_inside(ctx, tty))
		return is_hung_up(file) && !ckpt_file_is_dev_tty(file) ? 0 :
		       ckpt_path_collect(ctx, &file->f_path, ctx->caller_cred);
	if (is_hung_up(file))
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "a terminal that was hung up");
	/* That of an old pair: the others are of another kind. */
	if (ckpt_tty_is_master(tty))
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "the master side of a pseudo terminal with a BSD name is not supported");
	if (!is_controlling(ctx->task, tty))
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "a terminal that is not the controlling one (%s)",
				   tty_name(tty));
	return 0;
}

static int tty_save(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	struct ckpt_file_tty rec = {};
	struct file *file = obj->ptr;

	if (ckpt_pty_inside(ctx, ckpt_file_tty(file)))
		return ckpt_pty_save_slave(ctx, obj);
	ckpt_desc_fill(ctx, obj, &rec.desc);
	rec.desc.cred = 0;
	rec.desc.pos = 0;
	if (ckpt_file_is_dev_tty(file))
		rec.desc.bits |= CKPT_FILE_DEV_TTY;
	strscpy(rec.name, tty_name(ckpt_file_tty(file)), sizeof(rec.name));
	return ckpt_write(ctx, obj->kind, obj->ref, &rec, sizeof(rec));
}

static int tty_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_file_tty *p = ckpt_payload(rec, struct ckpt_file_tty);

	if (p->desc.cred || p->desc.pos ||
	    strnlen(p->name, sizeof(p->name)) == sizeof(p->name))
		return ckpt_refuse(ctx, -EINVAL, "bad terminal");
	return ckpt_desc_check_flags(ctx, &p->desc,
				     CKPT_OPEN_FLAGS | CKPT_OPEN_SHOWN,
				     CKPT_FILE_RANDOM | CKPT_FILE_NOREUSE |
				     CKPT_FILE_DEV_TTY);
}

/*
 * The caller's terminal as the caller has it open, not /dev/tty: ttyname(3)
 * then tells its name.
 */
static bool find_callers_tty(struct ckpt_ctx *ctx, struct tty_struct *tty,
			     struct path *path)
{
	struct task_struct *caller = current;
	struct file *file;
	unsigned int fd;
	bool found = false;

	rcu_read_lock();
	if (!ctx->self)
		caller = rcu_dereference(current->real_parent);
	get_task_struct(caller);
	rcu_read_unlock();

	for (fd = 0; fd < STDIO_FDS && !found; fd++) {
		rcu_read_lock();
		file = task_lookup_fdget_rcu(caller, fd);
		rcu_read_unlock();
		if (!file)
			continue;
		if (tty_match(file) && !ckpt_file_is_dev_tty(file) &&
		    !is_hung_up(file) && ckpt_file_tty(file) == tty) {
			*path = file->f_path;
			path_get(path);
			found = true;
		}
		fput(file);
	}
	put_task_struct(caller);
	return found;
}

/* Nothing here may wait for a line, or make it the controlling terminal. */
static struct file *tty_open_path(const struct path *path, u32 flags)
{
	flags |= O_NONBLOCK | O_NOCTTY;
	if (path)
		return file_open_root(path, "", flags, 0);
	return filp_open("/dev/tty", flags, 0);
}

static struct file *tty_open_saved(struct ckpt_ctx *ctx,
				   const struct ckpt_file_desc *desc)
{
	bool by_path = false;
	struct tty_struct *tty;
	struct file *file;
	struct path path;

	tty = get_current_tty();
	if (!tty)
		return ERR_PTR(ckpt_refuse(ctx, -ENOTTY,
					   "the caller has no controlling terminal"));
	if (!(desc->bits & CKPT_FILE_DEV_TTY))
		by_path = find_callers_tty(ctx, tty, &path);

	/*
	 * With the rights of the caller: the terminal is what it passes on, as
	 * to any child. It was mostly opened by somebody else, the device may
	 * be not the caller's (su), /dev/tty is everybody's.
	 */
	file = tty_open_path(by_path ? &path : NULL, desc->open_flags);
	if (by_path && file == ERR_PTR(-EACCES))
		file = tty_open_path(NULL, desc->open_flags);
	if (!IS_ERR(file) && (!tty_match(file) || is_hung_up(file) ||
			      ckpt_file_tty(file) != tty)) {
		fput(file);
		file = ERR_PTR(-ENOTTY);
	}
	if (IS_ERR(file))
		ckpt_refuse(ctx, PTR_ERR(file),
			    "cannot open the controlling terminal of the caller (%s)",
			    tty_name(tty));

	if (by_path)
		path_put(&path);
	tty_kref_put(tty);
	return file;
}

static int tty_restore(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_file_tty *p = ckpt_payload(rec, struct ckpt_file_tty);
	struct file *file;

	file = tty_open_saved(ctx, &p->desc);
	if (IS_ERR(file))
		return PTR_ERR(file);
	ckpt_obj_set(ctx, rec->objref, file, ckpt_file_put);
	return ckpt_desc_restore(ctx, file, &p->desc);
}

const struct ckpt_kind ckpt_kind_file_tty = {
	.name		= "file_tty",
	.about		= "the controlling terminal: flags; the caller's is passed through",
	.family		= CKPT_FAMILY_FILE,
	.type		= CKPT_REC_FILE_TTY,
	.phase		= CKPT_PHASE_OBJECT,
	.version	= 1,
	.min_version	= 1,
	CKPT_PAYLOAD(struct ckpt_file_tty),
	.object		= true,
	.obj_get	= ckpt_file_get,
	.obj_put	= ckpt_file_put,
	.obj_collect	= ckpt_tty_collect,
	.obj_save	= tty_save,
	.file_match	= tty_match,
	.check		= tty_check,
	.restore	= tty_restore,
};
