// SPDX-License-Identifier: GPL-2.0
/*
 * The root, the working directory and the umask of a process.
 */

#include <linux/cred.h>
#include <linux/fs_struct.h>
#include <linux/namei.h>
#include <linux/sched/task.h>
#include <linux/security.h>
#include <linux/slab.h>

#include "file.h"

/* Is the layout still what is saved here: umask, root, pwd? */
static_assert(sizeof_field(struct fs_struct, umask) == sizeof(int));
static_assert(sizeof_field(struct fs_struct, root) == sizeof(struct path));
static_assert(sizeof_field(struct fs_struct, pwd) == sizeof(struct path));

static void fs_get(void *ptr)
{
	struct fs_struct *fs = ptr;

	spin_lock(&fs->lock);
	fs->users++;
	spin_unlock(&fs->lock);
}

static void fs_put(void *ptr)
{
	struct fs_struct *fs = ptr;
	bool last;

	spin_lock(&fs->lock);
	last = !--fs->users;
	spin_unlock(&fs->lock);
	if (last)
		free_fs_struct(fs);
}

static int fs_path_collect(struct ckpt_ctx *ctx, const struct path *path,
			   const char *what)
{
	const char *kind = ctx->where.kind;
	int ret;

	ctx->where.kind = what;
	ret = ckpt_path_collect(ctx, path, current_cred());
	/* /proc is where it was, /proc/17 is not. */
	if (!ckpt_fs_supported(path->dentry->d_sb) && !IS_ROOT(path->dentry))
		ret = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "is in a file system of type %s",
				  path->dentry->d_sb->s_type->name);
	ctx->where.kind = kind;
	return ret;
}

static int fs_collect(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	struct fs_struct *fs = obj->ptr;
	struct path root, pwd;
	int ret, err;

	get_fs_root(fs, &root);
	ret = fs_path_collect(ctx, &root, "root");
	path_put(&root);

	get_fs_pwd(fs, &pwd);
	err = fs_path_collect(ctx, &pwd, "cwd");
	path_put(&pwd);
	return ret ?: err;
}

/* The text of @path goes behind what is in @buf already. */
static int fs_path_add(struct ckpt_ctx *ctx, const struct path *path,
		       char *buf, size_t *len)
{
	char *tmp, *name;
	int ret = 0;

	tmp = kmalloc(PATH_MAX, GFP_KERNEL);
	if (!tmp)
		return -ENOMEM;
	name = ckpt_path(ctx, path, tmp, PATH_MAX);
	if (IS_ERR(name)) {
		ret = ckpt_refuse(ctx, PTR_ERR(name), "has moved away");
	} else {
		size_t n = strlen(name) + 1;

		memcpy(buf + *len, name, n);
		*len += n;
	}
	kfree(tmp);
	return ret;
}

static int fs_save(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	struct fs_struct *fs = obj->ptr;
	struct ckpt_fs rec = { .umask = READ_ONCE(fs->umask) };
	struct path root, pwd;
	size_t len = 0;
	char *buf;
	int ret;

	buf = kmalloc(2 * PATH_MAX, GFP_KERNEL);
	if (!buf)
		return -ENOMEM;
	get_fs_root(fs, &root);
	get_fs_pwd(fs, &pwd);
	ret = fs_path_add(ctx, &root, buf, &len);
	rec.root_len = len;
	if (!ret)
		ret = fs_path_add(ctx, &pwd, buf, &len);
	if (!ret)
		ret = ckpt_write_tail(ctx, obj->kind, obj->ref, &rec,
				      sizeof(rec), buf, len);
	path_put(&pwd);
	path_put(&root);
	kfree(buf);
	return ret;
}

static int fs_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_fs *p = ckpt_payload(rec, struct ckpt_fs);
	u32 len = ckpt_tail_len(rec, sizeof(*p));

	if (p->umask & ~0777)
		return ckpt_refuse(ctx, -EINVAL, "bad umask");
	if (p->root_len >= len || !ckpt_path_valid(p->paths, p->root_len) ||
	    !ckpt_path_valid(p->paths + p->root_len, len - p->root_len))
		return ckpt_refuse(ctx, -EINVAL,
				   "bad root or working directory");
	return 0;
}

/* What chdir(2) checks. */
static int fs_lookup(struct ckpt_ctx *ctx, const char *name, struct path *path)
{
	int ret;

	ret = kern_path(name, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, path);
	if (ret)
		return ckpt_path_refuse(ctx, ret, name);
	ret = path_permission(path, MAY_EXEC | MAY_CHDIR);
	if (ret) {
		path_put(path);
		return ckpt_path_refuse(ctx, ret, name);
	}
	return 0;
}

/* What chroot(2) checks; not needed to stay in the caller's root. */
static int fs_set_root(struct ckpt_ctx *ctx, struct fs_struct *fs,
		       const char *name)
{
	struct path path;
	int ret;

	ret = fs_lookup(ctx, name, &path);
	if (ret)
		return ret;
	if (path_equal(&path, &fs->root))
		goto out;
	ret = -EPERM;
	if (!ns_capable(current_user_ns(), CAP_SYS_CHROOT)) {
		ckpt_refuse(ctx, ret, "another root needs CAP_SYS_CHROOT: %s",
			    name);
		goto out;
	}
	ret = security_path_chroot(&path);
	if (ret) {
		ckpt_path_refuse(ctx, ret, name);
		goto out;
	}
	set_fs_root(fs, &path);
out:
	path_put(&path);
	return ret;
}

static int fs_restore(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_fs *p = ckpt_payload(rec, struct ckpt_fs);
	struct fs_struct *fs;
	struct path path;
	int ret;

	fs = copy_fs_struct(current->fs);
	if (!fs)
		return -ENOMEM;
	ckpt_obj_set(ctx, rec->objref, fs, fs_put);

	ret = fs_set_root(ctx, fs, p->paths);
	if (ret)
		return ret;
	ret = fs_lookup(ctx, p->paths + p->root_len, &path);
	if (ret)
		return ret;
	/* As when it was saved. */
	if (ckpt_fs_supported(path.dentry->d_sb) || IS_ROOT(path.dentry))
		set_fs_pwd(fs, &path);
	else
		ret = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "the working directory is in a file system of type %s",
				  path.dentry->d_sb->s_type->name);
	path_put(&path);
	fs->umask = p->umask;
	return ret;
}

/**
 * ckpt_fs_adopt() - use a restored root and working directory from now on
 * @task: whose records are committed
 * @fs: both, of which the task takes a reference
 *
 * Context: Process context.
 */
void ckpt_fs_adopt(struct task_struct *task, struct fs_struct *fs)
{
	struct fs_struct *old = task->fs;

	fs_get(fs);
	task_lock(task);
	task->fs = fs;
	task_unlock(task);
	fs_put(old);
}

const struct ckpt_kind ckpt_kind_fs = {
	.name		= "fs",
	.about		= "root, working directory, umask, CLONE_FS",
	.family		= CKPT_FAMILY_OBJECT,
	.type		= CKPT_REC_FS,
	.phase		= CKPT_PHASE_FILES,
	.version	= 1,
	.min_version	= 1,
	CKPT_PAYLOAD_TAIL(struct ckpt_fs, 2 * CKPT_MAX_PATH),
	.object		= true,
	.obj_get	= fs_get,
	.obj_put	= fs_put,
	.obj_collect	= fs_collect,
	.obj_save	= fs_save,
	.check		= fs_check,
	.restore	= fs_restore,
};
