// SPDX-License-Identifier: GPL-2.0
/*
 * Inotify files: watches under their numbers, and the events in the queue.
 *
 * A watch knows an inode and no path. One is looked for: a name of the inode,
 * below any mount that the caller's root reaches, which leads back to it. A
 * restart watches what it finds there, with the credentials of who made the
 * inotify file. What is made of files in between is seen by nobody: watches
 * are added deaf, and hear from the commit on. So a restart does not see
 * itself, and what cannot be done is known before.
 */

#include <linux/cred.h>
#include <linux/dcache.h>
#include <linux/fsnotify_backend.h>
#include <linux/inotify.h>
#include <linux/mnt_namespace.h>
#include <linux/mount.h>
#include <linux/namei.h>
#include <linux/nsproxy.h>
#include <linux/security.h>
#include <linux/slab.h>

#include "../fs/event_state.h"
#include "../fs/mount.h"
#include "anon.h"
#include "kinds.h"

/* What read() can give, and what inotify_add_watch() leaves. */
#define EVENT_MASK	(IN_ALL_EVENTS | IN_ISDIR | IN_UNMOUNT |	\
			 IN_IGNORED | IN_Q_OVERFLOW)
#define WATCH_MASK	(IN_ALL_EVENTS | IN_ONESHOT | IN_EXCL_UNLINK)

/* --- paths of inodes --------------------------------------------------------------- */

/* The @nr-th mount of a file system in the tree's namespace, held. */
static struct vfsmount *nth_mount(struct ckpt_ctx *ctx,
				  const struct super_block *sb, unsigned int nr)
{
	struct vfsmount *found = NULL;
	struct mount *mnt;

	read_seqlock_excl(&mount_lock);
	list_for_each_entry(mnt, &sb->s_mounts, mnt_instance) {
		if (mnt->mnt_ns != ctx->ns->mnt_ns || nr--)
			continue;
		found = mntget(&mnt->mnt);
		break;
	}
	read_sequnlock_excl(&mount_lock);
	return found;
}

/*
 * Does this name lead to the inode? Its mount does not matter: what is watched
 * is the inode.
 */
static int name_verify(const char *name, const struct inode *inode)
{
	struct path found;
	int ret;

	ret = kern_path(name, 0, &found);
	if (ret)
		return ret;
	if (d_backing_inode(found.dentry) != inode)
		ret = -EREMOTE;
	path_put(&found);
	return ret;
}

/*
 * A name of @inode, in @buf of PATH_MAX bytes.
 * Return: the name, or an ERR_PTR().
 */
static char *inode_name(struct ckpt_ctx *ctx, struct inode *inode,
			const struct cred *cred, char *buf)
{
	char *name = ERR_PTR(-EXDEV);
	const struct cred *old;
	struct path path;
	unsigned int i;
	int ret;

	path.dentry = d_find_alias(inode);
	if (!path.dentry)
		return ERR_PTR(inode->i_nlink ? -ESTALE : -ENOENT);
	for (i = 0; i < CKPT_MAX_MOUNTS; i++) {
		path.mnt = nth_mount(ctx, inode->i_sb, i);
		if (!path.mnt)
			break;
		name = ckpt_path(ctx, &path, buf, PATH_MAX);
		mntput(path.mnt);
		if (IS_ERR(name))
			continue;
		old = override_creds(cred);
		ret = name_verify(name, inode);
		revert_creds(old);
		if (!ret)
			break;
		/* It has a name, but that leads to nothing. */
		if (ret == -ENOENT || ret == -ENOTDIR)
			ret = -EREMOTE;
		name = ERR_PTR(ret);
	}
	dput(path.dentry);
	return name;
}

/* --- saving ------------------------------------------------------------------------ */

/**
 * struct watches - what an inotify file watches
 * @watch: with references on the inodes and their file systems
 * @nr: how many there are
 */
struct watches {
	struct inotify_watch *watch;
	unsigned int nr;
};

static int watches_get(struct file *file, struct watches *watches)
{
	unsigned int max = inotify_count_watches(file);

	watches->nr = 0;
	watches->watch = kvcalloc(max ?: 1, sizeof(*watches->watch),
				  GFP_KERNEL_ACCOUNT);
	if (!watches->watch)
		return -ENOMEM;
	watches->nr = inotify_get_watches(file, watches->watch, max);
	return 0;
}

static void watches_put(struct watches *watches)
{
	struct super_block *sb;
	struct inode *inode;

	while (watches->nr) {
		inode = watches->watch[--watches->nr].inode;
		sb = inode->i_sb;
		iput(inode);
		deactivate_super(sb);
	}
	kvfree(watches->watch);
}

static bool inotify_match(struct file *file)
{
	return inotify_is_file(file);
}

static int collect_watch(struct ckpt_ctx *ctx, struct file *file,
			 const struct inotify_watch *watch, char *buf)
{
	const char *name = inode_name(ctx, watch->inode, file->f_cred, buf);
	int ret;

	if (!IS_ERR(name))
		return 0;
	ret = PTR_ERR(name);
	switch (ret) {
	case -ENOENT:
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "watch %d is of a file that was deleted",
				   watch->wd);
	case -ESTALE:
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "watch %d is of a file whose name is not known",
				   watch->wd);
	case -EXDEV:
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "watch %d is of a file that is not reachable from the root of the caller",
				   watch->wd);
	case -EREMOTE:
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "watch %d is of a file that is hidden by something else",
				   watch->wd);
	default:
		return ckpt_refuse(ctx, ret,
				   "the file of watch %d cannot be looked up",
				   watch->wd);
	}
}

static int inotify_collect(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	struct watches watches;
	unsigned int i;
	int ret, err;
	char *buf;

	ret = ckpt_anon_collect(ctx, obj);
	buf = kmalloc(PATH_MAX, GFP_KERNEL);
	if (!buf)
		return -ENOMEM;
	err = watches_get(obj->ptr, &watches);
	if (err)
		goto out;
	for (i = 0; i < watches.nr; i++) {
		err = collect_watch(ctx, obj->ptr, &watches.watch[i], buf);
		ret = ret ?: err;
		cond_resched();
	}
	err = 0;
	watches_put(&watches);
out:
	kfree(buf);
	return err ?: ret;
}

static int save_watch(struct ckpt_ctx *ctx, struct ckpt_obj *obj,
		      const struct inotify_watch *watch, char *buf)
{
	struct ckpt_inotify_watch rec = {
		.wd = watch->wd,
		.mask = watch->mask,
		.mode = watch->inode->i_mode & S_IFMT,
	};
	struct file *file = obj->ptr;
	const char *name;

	name = inode_name(ctx, watch->inode, file->f_cred, buf);
	if (IS_ERR(name))
		return ckpt_refuse(ctx, PTR_ERR(name),
				   "the file of watch %d has moved away",
				   watch->wd);
	return ckpt_write_tail(ctx, &ckpt_kind_inotify_watch, obj->ref, &rec,
			       sizeof(rec), name, strlen(name) + 1);
}

static int save_watches(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	struct watches watches;
	unsigned int i;
	char *buf;
	int ret;

	buf = kmalloc(PATH_MAX, GFP_KERNEL);
	if (!buf)
		return -ENOMEM;
	ret = watches_get(obj->ptr, &watches);
	if (ret)
		goto out;
	for (i = 0; i < watches.nr && !ret; i++)
		ret = save_watch(ctx, obj, &watches.watch[i], buf);
	watches_put(&watches);
out:
	kfree(buf);
	return ret;
}

static int save_events(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	struct ckpt_inotify_event rec = {};
	struct inotify_event event;
	size_t size = 0, all, pos;
	void *buf = NULL;
	int ret = 0;

	/* Others may cause more of them meanwhile. */
	while ((all = inotify_get_events(obj->ptr, buf, size)) > size) {
		kvfree(buf);
		size = all;
		buf = kvmalloc(size, GFP_KERNEL_ACCOUNT);
		if (!buf)
			return -ENOMEM;
	}
	for (pos = 0; pos < all && !ret; pos += sizeof(event) + event.len) {
		const char *name = buf + pos + sizeof(event);

		memcpy(&event, buf + pos, sizeof(event));
		rec.wd = event.wd;
		rec.mask = event.mask;
		rec.cookie = event.cookie;
		ret = ckpt_write_tail(ctx, &ckpt_kind_inotify_event, obj->ref,
				      &rec, sizeof(rec), name,
				      strnlen(name, event.len));
	}
	kvfree(buf);
	return ret;
}

static int inotify_save(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	struct ckpt_file_inotify rec = {};
	int ret;

	ckpt_anon_fill(ctx, obj, &rec.desc);
	rec.next_wd = inotify_get_cursor(obj->ptr);
	ret = ckpt_write(ctx, obj->kind, obj->ref, &rec, sizeof(rec));
	if (!ret)
		ret = save_events(ctx, obj);
	if (!ret)
		ret = save_watches(ctx, obj);
	return ret;
}

/* --- judging ----------------------------------------------------------------------- */

static int inotify_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_file_inotify *p = ckpt_payload(rec, struct ckpt_file_inotify);

	if (p->pad || p->desc.pos || p->desc.open_flags & O_ACCMODE)
		return ckpt_refuse(ctx, -EINVAL, "bad flags of an open file");
	return ckpt_desc_check(ctx, &p->desc, O_APPEND | O_NONBLOCK,
			       CKPT_FILE_RANDOM | CKPT_FILE_NOREUSE);
}

static int inotify_watch_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_inotify_watch *p =
		ckpt_payload(rec, struct ckpt_inotify_watch);

	if (p->pad || p->wd <= 0 || p->mask & ~WATCH_MASK || p->mode & ~S_IFMT)
		return ckpt_refuse(ctx, -EINVAL, "bad watch %d", p->wd);
	if (!ckpt_path_valid(p->path, ckpt_tail_len(rec, sizeof(*p))))
		return ckpt_refuse(ctx, -EINVAL, "bad path");
	return 0;
}

static int inotify_event_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_inotify_event *p =
		ckpt_payload(rec, struct ckpt_inotify_event);
	u32 len = ckpt_tail_len(rec, sizeof(*p));

	if (p->pad || !p->mask || p->mask & ~EVENT_MASK || len > NAME_MAX ||
	    strnlen(p->name, len) != len)
		return ckpt_refuse(ctx, -EINVAL, "bad event");
	/* That some were lost belongs to no watch. */
	if (p->mask & IN_Q_OVERFLOW ?
	    p->wd != -1 || p->mask != IN_Q_OVERFLOW || p->cookie || len :
	    p->wd <= 0)
		return ckpt_refuse(ctx, -EINVAL, "bad event of watch %d",
				   p->wd);
	return 0;
}

/* --- restarting -------------------------------------------------------------------- */

static int inotify_make(const void *arg)
{
	return inotify_create();
}

static int inotify_restore(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_file_inotify *p = ckpt_payload(rec, struct ckpt_file_inotify);

	return PTR_ERR_OR_ZERO(ckpt_anon_make(ctx, rec, &p->desc, inotify_make,
					      NULL));
}

static void inotify_commit(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_file_inotify *p = ckpt_payload(rec, struct ckpt_file_inotify);

	inotify_set_cursor(ckpt_obj_ptr(ctx, rec->objref), p->next_wd);
}

/* As inotify_add_watch(). */
static int add_watch(struct ckpt_ctx *ctx, struct file *file,
		     const struct ckpt_inotify_watch *p)
{
	struct path path;
	int ret;

	ret = kern_path(p->path, 0, &path);
	if (ret)
		return ckpt_path_refuse(ctx, ret, p->path);
	ret = path_permission(&path, MAY_READ);
	if (!ret)
		ret = security_path_notify(&path, p->mask & IN_ALL_EVENTS,
					   FSNOTIFY_OBJ_TYPE_INODE);
	if (ret) {
		ckpt_path_refuse(ctx, ret, p->path);
		goto out;
	}
	if ((d_backing_inode(path.dentry)->i_mode & S_IFMT) != p->mode) {
		ret = ckpt_refuse(ctx, -ESTALE,
				  "replaced by something of another type since the checkpoint: %s",
				  p->path);
		goto out;
	}
	ret = inotify_add_deaf(file, d_backing_inode(path.dentry), p->wd);
	switch (ret) {
	case 0:
		break;
	case -EEXIST:
		ckpt_refuse(ctx, ret,
			    "watch %d is there already, or one of this file: %s",
			    p->wd, p->path);
		break;
	case -ENOSPC:
		ckpt_refuse(ctx, ret,
			    "over the limit of watches, see /proc/sys/fs/inotify/max_user_watches");
		break;
	default:
		ckpt_refuse(ctx, ret, "cannot watch %s", p->path);
	}
out:
	path_put(&path);
	return ret;
}

static int inotify_watch_restore(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_inotify_watch *p =
		ckpt_payload(rec, struct ckpt_inotify_watch);
	struct file *file = ckpt_obj_ptr(ctx, rec->objref);
	const struct cred *old;
	int ret;

	old = override_creds(file->f_cred);
	ret = add_watch(ctx, file, p);
	revert_creds(old);
	return ret;
}

static void inotify_watch_commit(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_inotify_watch *p =
		ckpt_payload(rec, struct ckpt_inotify_watch);

	inotify_set_mask(ckpt_obj_ptr(ctx, rec->objref), p->wd, p->mask);
}

static int inotify_event_restore(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_inotify_event *p =
		ckpt_payload(rec, struct ckpt_inotify_event);
	struct inotify_event event = {
		.wd = p->wd,
		.mask = p->mask,
		.cookie = p->cookie,
		.len = ckpt_tail_len(rec, sizeof(*p)),
	};
	int ret;

	ret = inotify_add_event(ckpt_obj_ptr(ctx, rec->objref), &event,
				p->name);
	if (ret == -ENOSPC)
		ckpt_refuse(ctx, ret,
			    "over the limit of events, see /proc/sys/fs/inotify/max_queued_events");
	return ret;
}

const struct ckpt_kind ckpt_kind_inotify = {
	.name		= "inotify",
	.about		= "inotify: numbers of watches",
	.family		= CKPT_FAMILY_FILE,
	.type		= CKPT_REC_FILE_INOTIFY,
	.phase		= CKPT_PHASE_OBJECT,
	.version	= 1,
	.min_version	= 1,
	CKPT_PAYLOAD(struct ckpt_file_inotify),
	.object		= true,
	.obj_get	= ckpt_file_get,
	.obj_put	= ckpt_file_put,
	.obj_collect	= inotify_collect,
	.obj_save	= inotify_save,
	.file_match	= inotify_match,
	.check		= inotify_check,
	.restore	= inotify_restore,
	.commit		= inotify_commit,
};

const struct ckpt_kind ckpt_kind_inotify_watch = {
	.name		= "inotify_watch",
	.about		= "what an inotify file watches: path, number, mask",
	.family		= CKPT_FAMILY_OBJECT,
	.type		= CKPT_REC_INOTIFY_WATCH,
	.phase		= CKPT_PHASE_OBJECT,
	.version	= 1,
	.min_version	= 1,
	CKPT_PAYLOAD_TAIL(struct ckpt_inotify_watch, CKPT_MAX_PATH),
	.owner		= CKPT_REC_FILE_INOTIFY,
	.check		= inotify_watch_check,
	.restore	= inotify_watch_restore,
	.commit		= inotify_watch_commit,
};

const struct ckpt_kind ckpt_kind_inotify_event = {
	.name		= "inotify_event",
	.about		= "events of an inotify file that were not read yet",
	.family		= CKPT_FAMILY_OBJECT,
	.type		= CKPT_REC_INOTIFY_EVENT,
	.phase		= CKPT_PHASE_OBJECT,
	.version	= 1,
	.min_version	= 1,
	CKPT_PAYLOAD_TAIL(struct ckpt_inotify_event, NAME_MAX),
	.owner		= CKPT_REC_FILE_INOTIFY,
	.check		= inotify_event_check,
	.restore	= inotify_event_restore,
};
