// SPDX-License-Identifier: GPL-2.0
/*
 * Process descriptors of processes and threads of the tree.
 */

#include <linux/cred.h>
#include <linux/pid.h>
#include <linux/pidfs.h>
#include <linux/pid_namespace.h>
#include <linux/sched.h>
#include <uapi/linux/pidfd.h>

#include "anon.h"

/* What pidfd_open() and F_SETFL leave in f_flags. */
#define PIDFD_FLAGS	(O_RDWR | O_APPEND | O_NONBLOCK)

static_assert(PIDFD_NONBLOCK == O_NONBLOCK);

static bool pidfd_match(struct file *file)
{
	return !IS_ERR(pidfd_pid(file));
}

static int pidfd_collect(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	return ckpt_desc_collect(ctx, obj->ptr, PIDFD_FLAGS | PIDFD_THREAD);
}

static int check_pidfd(struct ckpt_ctx *ctx, struct file *file)
{
	struct pid *pid = pidfd_pid(file);
	struct task_struct *task;
	bool inside;

	task = get_pid_task(pid, PIDTYPE_PID);
	if (!task)
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "is of a process that is gone");
	inside = ckpt_in_tree(ctx, task);
	put_task_struct(task);
	if (inside)
		return 0;
	return ckpt_refuse(ctx, -EBUSY, "is of process %d, which is outside",
			   pid_vnr(pid));
}

/**
 * ckpt_pidfd_check_leaks() - are they of processes of the tree?
 * @ctx: the checkpoint, after everything was collected
 *
 * Return: 0, or the first -errno, noted as reasons.
 */
int ckpt_pidfd_check_leaks(struct ckpt_ctx *ctx)
{
	struct ckpt_where old = ctx->where;
	struct ckpt_obj *obj;
	int ret = 0, err;

	list_for_each_entry(obj, &ctx->objs, node) {
		if (obj->kind != &ckpt_kind_pidfd)
			continue;
		ctx->where.kind = obj->kind->name;
		ctx->where.task = obj->task;
		ckpt_about_file(ctx, obj->ptr);
		err = check_pidfd(ctx, obj->ptr);
		ret = ret ?: err;
	}
	ctx->where = old;
	return ret;
}

static int pidfd_save(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	struct ckpt_file_pidfd rec = {};

	ckpt_desc_fill(ctx, obj, &rec.desc);
	rec.desc.pos = 0;
	if (rec.desc.open_flags & PIDFD_THREAD)
		rec.flags |= CKPT_PIDFD_THREAD;
	rec.desc.open_flags &= ~PIDFD_THREAD;
	rec.pid = pid_nr_ns(pidfd_pid(obj->ptr), ctx->pid_ns);
	return ckpt_write(ctx, obj->kind, obj->ref, &rec, sizeof(rec));
}

static int pidfd_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_file_pidfd *p = ckpt_payload(rec, struct ckpt_file_pidfd);

	if (p->pid <= 0 || p->flags & ~CKPT_PIDFD_THREAD || p->desc.pos ||
	    !(p->desc.open_flags & O_RDWR))
		return ckpt_refuse(ctx, -EINVAL, "bad process descriptor");
	return ckpt_desc_check(ctx, &p->desc, PIDFD_FLAGS,
			       CKPT_FILE_RANDOM | CKPT_FILE_NOREUSE);
}

static int pidfd_restore(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_file_pidfd *p = ckpt_payload(rec, struct ckpt_file_pidfd);
	unsigned int thread = p->flags & CKPT_PIDFD_THREAD ? PIDFD_THREAD : 0;
	struct pid *pid = ckpt_pid(ctx, p->pid);
	const struct cred *old;
	struct file *file;
	int ret;

	if (!pid)
		return ckpt_refuse(ctx, -EINVAL,
				   "is of process %d, which is not in the image",
				   p->pid);
	/* As pidfd_prepare(). */
	if (!pid_has_task(pid, thread ? PIDTYPE_PID : PIDTYPE_TGID))
		return ckpt_refuse(ctx, -EINVAL,
				   "is of %d, which is a thread and no process",
				   p->pid);
	old = override_creds(ckpt_obj_ptr(ctx, p->desc.cred));
	file = pidfs_alloc_file(pid, p->desc.open_flags);
	revert_creds(old);
	if (IS_ERR(file))
		return ckpt_refuse(ctx, PTR_ERR(file), "cannot be made");
	ckpt_obj_set(ctx, rec->objref, file, ckpt_file_put);
	ret = ckpt_desc_restore(ctx, file, &p->desc);
	if (!ret)
		ckpt_file_set_flags(file, file->f_flags | thread);
	return ret;
}

const struct ckpt_kind ckpt_kind_pidfd = {
	.name		= "pidfd",
	.about		= "process descriptors of processes of the tree",
	.family		= CKPT_FAMILY_FILE,
	.type		= CKPT_REC_FILE_PIDFD,
	.phase		= CKPT_PHASE_OBJECT,
	.version	= 1,
	.min_version	= 1,
	CKPT_PAYLOAD(struct ckpt_file_pidfd),
	.object		= true,
	.obj_get	= ckpt_file_get,
	.obj_put	= ckpt_file_put,
	.obj_collect	= pidfd_collect,
	.obj_save	= pidfd_save,
	.file_match	= pidfd_match,
	.check		= pidfd_check,
	.restore	= pidfd_restore,
};
