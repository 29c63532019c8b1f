// SPDX-License-Identifier: GPL-2.0
/*
 * Signals on I/O: who gets them for an open file (F_SETOWN, F_SETOWN_EX), which
 * one it is (F_SETSIG), and whether there is one (O_ASYNC).
 *
 * Who gets them is a task or process group of the tree, so this is collected
 * when all tasks and files are known. Any open file can have an owner; only
 * those that know of O_ASYNC send signals.
 */

#include <linux/cred.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/fsnotify_backend.h>
#include <linux/net.h>
#include <linux/pid.h>
#include <linux/pipe_fs_i.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/task_work.h>
#include <linux/tty.h>

#include "external.h"
#include "file.h"
#include "socket.h"
#include "task.h"

extern const struct ckpt_kind ckpt_kind_inotify;

/**
 * struct owner - a copy of who gets the signals of a file
 * @pid:    held; NULL: nobody
 * @type:   of @pid, PIDTYPE_*
 * @signum: 0: SIGIO
 * @uid:    with whose rights they are sent, both
 * @euid:   ...
 */
struct owner {
	struct pid *pid;
	enum pid_type type;
	int signum;
	kuid_t uid;
	kuid_t euid;
};

/* The object is known by the place of the file's pointer to its owner. */
static void *object_of(struct file *file)
{
	return &file->f_owner;
}

static struct file *file_of(void *ptr)
{
	return container_of((struct fown_struct **)ptr, struct file, f_owner);
}

static void owner_hold(void *ptr)
{
	get_file(file_of(ptr));
}

static void owner_put(void *ptr)
{
	fput(file_of(ptr));
}

/* --- saving -------------------------------------------------------------------- */

/* Context: RCU. Who is gone gets nothing, and F_GETOWN does not tell him. */
static bool is_alive(struct pid *pid, enum pid_type type)
{
	return pid_task(pid, type <= PIDTYPE_TGID ? PIDTYPE_PID : type);
}

static void owner_get(struct file *file, struct owner *owner)
{
	struct fown_struct *f_owner = file_f_owner(file);

	*owner = (struct owner) {};
	if (!f_owner)
		return;
	read_lock_irq(&f_owner->lock);
	owner->type = f_owner->pid_type;
	owner->signum = f_owner->signum;
	owner->uid = f_owner->uid;
	owner->euid = f_owner->euid;
	rcu_read_lock();
	if (is_alive(f_owner->pid, f_owner->pid_type))
		owner->pid = get_pid(f_owner->pid);
	rcu_read_unlock();
	read_unlock_irq(&f_owner->lock);
}

static bool is_in_tree(struct ckpt_ctx *ctx, const struct owner *owner)
{
	struct task_struct *task;
	bool ret;

	if (owner->type > PIDTYPE_TGID)
		return ckpt_session_is_trees(ctx, owner->pid, owner->type);

	rcu_read_lock();
	task = pid_task(owner->pid, PIDTYPE_PID);
	ret = task && ckpt_in_tree(ctx, task);
	rcu_read_unlock();
	return ret;
}

/* Somebody in the tree, or who opened one of its files, with these ids. */
static const struct cred *find_cred(struct ckpt_ctx *ctx,
				    const struct owner *owner)
{
	const struct cred *cred;
	struct ckpt_obj *obj;

	list_for_each_entry(obj, &ctx->objs, node) {
		if (obj->kind != &ckpt_kind_cred)
			continue;
		cred = obj->ptr;
		if (uid_eq(cred->uid, owner->uid) &&
		    uid_eq(cred->euid, owner->euid))
			return cred;
	}
	return NULL;
}

/* Those that have a list of whom to tell; NULL behind the last of @file's. */
static struct fasync_struct **async_list(const struct ckpt_obj *obj,
					 unsigned int nr)
{
	struct file *file = obj->ptr;
	struct pipe_inode_info *pipe;
	struct fsnotify_group *group;

	if (obj->kind == &ckpt_kind_file_pipe) {
		pipe = file->private_data;
		return nr == 0 ? &pipe->fasync_readers :
		       nr == 1 ? &pipe->fasync_writers : NULL;
	}
	if (nr)
		return NULL;
	if (obj->kind == &ckpt_kind_inotify) {
		group = file->private_data;
		return &group->fsn_fa;
	}
	if (IS_ENABLED(CONFIG_TTY) && (obj->kind == &ckpt_kind_file_tty ||
				       obj->kind == &ckpt_kind_file_pty))
		return &((struct tty_file_private *)
			 file->private_data)->tty->fasync;
	if (IS_ENABLED(CONFIG_NET) && obj->kind == &ckpt_kind_file_socket)
		return &sock_from_file(file)->wq.fasync_list;
	return NULL;
}

/* The descriptor that signals tell; -1: only the flag is there. */
static int async_fd(const struct ckpt_obj *obj)
{
	struct fasync_struct *fa, **list;
	unsigned int nr;
	int fd = -1;

	rcu_read_lock();
	for (nr = 0; (list = async_list(obj, nr)); nr++)
		for (fa = READ_ONCE(*list); fa; fa = READ_ONCE(fa->fa_next))
			if (READ_ONCE(fa->fa_file) == obj->ptr)
				fd = fa->fa_fd;
	rcu_read_unlock();
	return fd;
}

static int owner_collect(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	struct file *file = file_of(obj->ptr);
	struct ckpt_obj *file_obj = ckpt_obj_find(ctx, file);
	struct owner owner;
	int ret = 0;

	/* A watch is not seen here, but it has made an owner. */
	if (S_ISDIR(file_inode(file)->i_mode))
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "signals about a directory (F_NOTIFY, F_SETOWN) are not supported");
	if (READ_ONCE(file->f_flags) & FASYNC && file->f_op->fasync &&
	    !async_list(file_obj, 0))
		ret = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "signals on I/O (O_ASYNC) of this kind of file are not supported");
	owner_get(file, &owner);
	if (!owner.pid)
		return ret;
	if (!is_in_tree(ctx, &owner))
		ret = ckpt_refuse(ctx, -EBUSY,
				  "signals on I/O (F_SETOWN) go to %s %d, which is not in the tree",
				  owner.type > PIDTYPE_TGID ? "process group" :
				  "process", pid_vnr(owner.pid));
	else if (!find_cred(ctx, &owner))
		ret = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "signals on I/O (F_SETOWN) are sent with the rights of user %u, whom no process of the tree is",
				  from_kuid_munged(current_user_ns(),
						   owner.uid));
	put_pid(owner.pid);
	return ret;
}

static int owner_save(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	static const u32 types[] = {
		[PIDTYPE_PID] = F_OWNER_TID,
		[PIDTYPE_TGID] = F_OWNER_PID,
		[PIDTYPE_PGID] = F_OWNER_PGRP,
	};
	struct file *file = file_of(obj->ptr);
	struct ckpt_file_owner rec = { .file = ckpt_ref(ctx, file), .fd = -1 };
	struct owner owner;

	owner_get(file, &owner);
	rec.type = types[owner.type];
	rec.signum = owner.signum;
	if (owner.pid) {
		rec.pid = pid_vnr(owner.pid);
		rec.cred = ckpt_ref(ctx, find_cred(ctx, &owner));
		put_pid(owner.pid);
	}
	if (READ_ONCE(file->f_flags) & FASYNC) {
		rec.flags = CKPT_OWNER_ASYNC;
		rec.fd = async_fd(ckpt_obj_find(ctx, file));
	}
	return ckpt_write(ctx, obj->kind, obj->ref, &rec, sizeof(rec));
}

/**
 * ckpt_owner_collect() - collect who gets signals of the collected files
 * @ctx: the checkpoint, after all tasks and files were collected and leaks were
 *	looked for
 *
 * Return: 0, or the first -errno, noted as reasons.
 */
int ckpt_owner_collect(struct ckpt_ctx *ctx)
{
	struct ckpt_where old = ctx->where;
	struct ckpt_obj *obj;
	int ret = 0, err;

	/* What is collected comes behind in the list. */
	list_for_each_entry(obj, &ctx->objs, node) {
		struct file *file = obj->ptr;

		if (obj->kind->family != CKPT_FAMILY_FILE ||
		    obj->kind == &ckpt_kind_file_external ||
		    (!file_f_owner(file) &&
		     !(READ_ONCE(file->f_flags) & FASYNC)))
			continue;
		ctx->where.task = obj->task;
		ctx->where.kind = obj->kind->name;
		ckpt_about_file(ctx, file);
		err = ckpt_collect(ctx, &ckpt_kind_file_owner, object_of(file));
		ret = ret ?: err;
		ctx->where = old;
	}
	return ret;
}

/* --- restarting ----------------------------------------------------------------- */

static int owner_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_file_owner *p = ckpt_payload(rec, struct ckpt_file_owner);

	if (!ckpt_ref_is_family(ctx, p->file, CKPT_FAMILY_FILE) ||
	    ckpt_ref_is_type(ctx, p->file, CKPT_REC_FILE_EXTERNAL))
		return ckpt_refuse(ctx, -EINVAL,
				   "an owner without an open file");
	if (p->pad || p->flags & ~CKPT_OWNER_ASYNC || p->pid < 0 ||
	    p->type > F_OWNER_PGRP || !valid_signal(p->signum) || p->fd < -1 ||
	    (p->fd >= 0 && !(p->flags & CKPT_OWNER_ASYNC)))
		return ckpt_refuse(ctx, -EINVAL, "bad owner of an open file");
	if (p->pid ? !ckpt_ref_is_type(ctx, p->cred, CKPT_REC_CRED) : p->cred)
		return ckpt_refuse(ctx, -EINVAL,
				   "an owner of an open file without credentials");
	return 0;
}

static int owner_restore(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_file_owner *p = ckpt_payload(rec, struct ckpt_file_owner);
	struct file *file = ckpt_obj_ptr(ctx, p->file);
	int ret;

	if (!file || S_ISDIR(file_inode(file)->i_mode))
		return ckpt_refuse(ctx, -EINVAL, "a file without an owner");
	if (p->pid && !ckpt_pid(ctx, p->pid))
		return ckpt_refuse(ctx, -EINVAL,
				   "the owner of an open file, %d, is not in the image",
				   p->pid);
	ret = file_f_owner_allocate(file);
	if (ret || !(p->flags & CKPT_OWNER_ASYNC))
		return ret;
	if (p->fd < 0) {
		spin_lock(&file->f_lock);
		file->f_flags |= FASYNC;
		spin_unlock(&file->f_lock);
		return 0;
	}
	ret = file->f_op->fasync ? file->f_op->fasync(p->fd, file, 1) : -EINVAL;
	if (ret < 0)
		return ckpt_refuse(ctx, ret, "cannot set O_ASYNC");
	return 0;
}

/*
 * Last of all objects: what happens to the files while they are restored is no
 * reason for a signal. That goes also for what was put and is closed only now.
 */
static void owner_commit(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	static const enum pid_type types[] = {
		[F_OWNER_TID] = PIDTYPE_PID,
		[F_OWNER_PID] = PIDTYPE_TGID,
		[F_OWNER_PGRP] = PIDTYPE_PGID,
	};
	struct ckpt_file_owner *p = ckpt_payload(rec, struct ckpt_file_owner);
	struct file *file = ckpt_obj_ptr(ctx, p->file);
	const struct cred *old = NULL;

	/* A caller that is replaced has works of its own. */
	if (!ctx->self && task_work_pending(current))
		task_work_run();
	if (p->cred)
		old = override_creds(ckpt_obj_ptr(ctx, p->cred));
	__f_setown(file, p->pid ? ckpt_pid(ctx, p->pid) : NULL,
		   types[p->type], 1);
	if (old)
		revert_creds(old);
	file_f_owner(file)->signum = p->signum;
}

const struct ckpt_kind ckpt_kind_file_owner = {
	.name		= "file_owner",
	.about		= "signals on I/O (F_SETOWN, F_SETSIG, O_ASYNC) to tasks of the tree",
	.family		= CKPT_FAMILY_OBJECT,
	.type		= CKPT_REC_FILE_OWNER,
	.phase		= CKPT_PHASE_FILES,
	.version	= 1,
	.min_version	= 1,
	CKPT_PAYLOAD(struct ckpt_file_owner),
	.object		= true,
	.obj_get	= owner_hold,
	.obj_put	= owner_put,
	.obj_collect	= owner_collect,
	.obj_save	= owner_save,
	.check		= owner_check,
	.restore	= owner_restore,
	.commit		= owner_commit,
};
