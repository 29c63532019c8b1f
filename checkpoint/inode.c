// SPDX-License-Identifier: GPL-2.0
/*
 * Regular files without a name: unlinked while they were open, or made by
 * O_TMPFILE. Their contents are a part of the image.
 *
 * A restart makes a new file without a name in the directory where the old one
 * was, or above that. Page contents are read into it in CKPT_PHASE_PAGES, so the object's
 * file is open for reading and writing until the end of the restart.
 */

#include <linux/cred.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/namei.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/user_namespace.h>

#include "../fs/internal.h"
#include "file.h"

/* f_flags keeps that a file was made by O_TMPFILE. */
#define UNLINKED_SHOWN	(CKPT_OPEN_SHOWN | __O_TMPFILE)

/* --- saving: the contents' owner ------------------------------------------------ */

/*
 * The directory, as a path with a reference; when it was removed, too, the
 * nearest one above it that was not.
 */
static void inode_dir(struct file *file, struct path *dir)
{
	const struct path *path = file_user_path(file);
	struct dentry *parent;

	dir->mnt = mntget(path->mnt);
	dir->dentry = dget_parent(path->dentry);
	while (d_unlinked(dir->dentry)) {
		parent = dget_parent(dir->dentry);
		dput(dir->dentry);
		dir->dentry = parent;
	}
}

static int inode_save(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	struct inode *inode = obj->ptr;
	struct ckpt_inode rec = {};
	struct kstat stat;
	struct file *file;
	struct path dir;
	char *buf, *name;
	int ret;

	file = ckpt_file_of_inode(ctx, &ckpt_kind_file_unlinked, inode);
	ret = vfs_getattr(file_user_path(file), &stat, STATX_BASIC_STATS,
			  AT_STATX_SYNC_AS_STAT);
	if (ret)
		return ckpt_refuse(ctx, ret, "its attributes cannot be read");
	rec.size = stat.size;
	rec.mtime_sec = stat.mtime.tv_sec;
	rec.mtime_nsec = stat.mtime.tv_nsec;
	rec.mode = stat.mode & S_IALLUGO;
	rec.uid = from_kuid(ctx->user_ns, stat.uid);
	rec.gid = from_kgid(ctx->user_ns, stat.gid);
	if (rec.uid == (uid_t)-1 || rec.gid == (gid_t)-1)
		return ckpt_refuse(ctx, -EOVERFLOW,
				   "its owner is nobody in the caller's user namespace");
	rec.cred = ckpt_ref(ctx, ckpt_file_cred(ctx, file));
	if (READ_ONCE(inode->i_state) & I_LINKABLE)
		rec.flags |= CKPT_INODE_LINKABLE;

	buf = kmalloc(PATH_MAX, GFP_KERNEL);
	if (!buf)
		return -ENOMEM;
	inode_dir(file, &dir);
	name = ckpt_path(ctx, &dir, buf, PATH_MAX);
	path_put(&dir);
	if (IS_ERR(name))
		ret = ckpt_refuse(ctx, PTR_ERR(name),
				  "its directory has moved away");
	else
		ret = ckpt_write_tail(ctx, obj->kind, obj->ref, &rec,
				      sizeof(rec), name, strlen(name) + 1);
	kfree(buf);
	return ret;
}

/**
 * ckpt_inode_open() - open a file without a name to read its contents
 * @ctx: the checkpoint
 * @obj: a collected object of kind inode
 *
 * Return: a file for reading that does not change its times; the caller puts
 * it. Or an ERR_PTR().
 */
struct file *ckpt_inode_open(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	struct file *file;

	file = ckpt_file_of_inode(ctx, &ckpt_kind_file_unlinked, obj->ptr);
	return kernel_file_open(file_user_path(file),
				O_RDONLY | O_LARGEFILE | O_NOATIME,
				current_cred());
}

/* --- restarting: the contents' owner ----------------------------------------------- */

static int inode_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_inode *p = ckpt_payload(rec, struct ckpt_inode);

	if (p->flags & ~CKPT_INODE_LINKABLE || p->mode & ~S_IALLUGO ||
	    p->size > LLONG_MAX || p->mtime_nsec >= NSEC_PER_SEC ||
	    p->uid == (uid_t)-1 || p->gid == (gid_t)-1)
		return ckpt_refuse(ctx, -EINVAL,
				   "bad attributes of a file without a name");
	if (!ckpt_ref_is_type(ctx, p->cred, CKPT_REC_CRED))
		return ckpt_refuse(ctx, -EINVAL,
				   "a file without a name and credentials");
	if (!ckpt_path_valid(p->dir, ckpt_tail_len(rec, sizeof(*p))))
		return ckpt_refuse(ctx, -EINVAL, "bad path");
	return 0;
}

/* For file systems without O_TMPFILE: make it with a name, remove that. */
static struct file *inode_make_and_unlink(const char *dir)
{
	struct file *file;
	char *name;
	int ret;

	name = kasprintf(GFP_KERNEL, "%s/.checkpoint-%016llx", dir,
			 get_random_u64());
	if (!name)
		return ERR_PTR(-ENOMEM);
	file = filp_open(name, O_CREAT | O_EXCL | O_RDWR | O_LARGEFILE, 0600);
	if (!IS_ERR(file)) {
		ret = do_unlinkat(AT_FDCWD, getname_kernel(name));
		if (ret) {
			fput(file);
			file = ERR_PTR(ret);
		}
	}
	kfree(name);
	return file;
}

static struct file *inode_make(const struct ckpt_inode *p)
{
	int flags = O_TMPFILE | O_RDWR | O_LARGEFILE;
	struct file *file;

	if (!(p->flags & CKPT_INODE_LINKABLE))
		flags |= O_EXCL;
	file = filp_open(p->dir, flags, 0600);
	if (file == ERR_PTR(-EOPNOTSUPP) &&
	    !(p->flags & CKPT_INODE_LINKABLE))
		file = inode_make_and_unlink(p->dir);
	return file;
}

/*
 * Owner, then mode: a change of owner takes away set-ID bits. The one who made
 * the file may do all but to give it away, which the caller may.
 */
static int inode_set_attr(struct ckpt_ctx *ctx, struct file *file,
			  const struct ckpt_inode *p)
{
	struct user_namespace *ns = current_user_ns();
	const struct cred *old;
	struct kstat stat;
	bool give;
	int ret;

	ret = vfs_getattr(&file->f_path, &stat, STATX_BASIC_STATS,
			  AT_STATX_SYNC_AS_STAT);
	if (ret)
		return ret;
	give = from_kuid(ns, stat.uid) != p->uid ||
	       from_kgid(ns, stat.gid) != p->gid;
	if (give) {
		ret = vfs_fchown(file, p->uid, p->gid);
		if (ret)
			return ckpt_refuse(ctx, ret,
					   "cannot give the file to user %u, group %u",
					   p->uid, p->gid);
	}
	old = override_creds(give ? ctx->caller_cred : file->f_cred);
	ret = vfs_fchmod(file, p->mode);
	if (!ret)
		ret = do_ftruncate(file, p->size, 0);
	revert_creds(old);
	return ret;
}

static int inode_restore(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_inode *p = ckpt_payload(rec, struct ckpt_inode);
	const struct cred *old;
	struct file *file;
	int ret;

	old = override_creds(ckpt_obj_ptr(ctx, p->cred));
	file = inode_make(p);
	revert_creds(old);
	if (IS_ERR(file))
		return ckpt_refuse(ctx, PTR_ERR(file),
				   "cannot make a file without a name in %s",
				   p->dir);
	ckpt_obj_set(ctx, rec->objref, file, ckpt_file_put);

	if (p->size > rlimit(RLIMIT_FSIZE))
		return ckpt_refuse(ctx, -EFBIG,
				   "a file of %llu bytes is over the caller's limit",
				   p->size);
	ret = inode_set_attr(ctx, file, p);
	if (ret)
		return ckpt_refuse(ctx, ret,
				   "cannot set the attributes of a file without a name");
	return 0;
}

/* The contents are there now. */
static void inode_commit(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_inode *p = ckpt_payload(rec, struct ckpt_inode);
	struct file *file = ckpt_obj_ptr(ctx, rec->objref);
	struct timespec64 times[2] = {
		{ .tv_nsec = UTIME_OMIT },
		{ .tv_sec = p->mtime_sec, .tv_nsec = p->mtime_nsec },
	};
	const struct cred *old;

	/*
	 * Writing the contents took away set-ID bits. When none of this is
	 * allowed, the file has a later time and fewer bits.
	 */
	old = override_creds(file->f_cred);
	if (p->mode & (S_ISUID | S_ISGID))
		vfs_fchmod(file, p->mode);
	vfs_utimes(&file->f_path, times);
	revert_creds(old);
}

const struct ckpt_kind ckpt_kind_inode = {
	.name		= "inode",
	.about		= "files without a name: contents, size, mode, owner, mtime",
	.family		= CKPT_FAMILY_OBJECT,
	.type		= CKPT_REC_INODE,
	.phase		= CKPT_PHASE_OBJECT,
	.version	= 1,
	.min_version	= 1,
	CKPT_PAYLOAD_TAIL(struct ckpt_inode, CKPT_MAX_PATH),
	.object		= true,
	.obj_get	= ckpt_vfs_inode_get,
	.obj_put	= ckpt_vfs_inode_put,
	.obj_save	= inode_save,
	.check		= inode_check,
	.restore	= inode_restore,
	.commit		= inode_commit,
};

/* --- descriptions --------------------------------------------------------------------- */

static bool unlinked_match(struct file *file)
{
	return ckpt_file_is_unlinked(file) && !(file->f_mode & FMODE_PATH) &&
	       ckpt_fs_supported(file_user_inode(file)->i_sb);
}

static int unlinked_collect(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	struct file *file = obj->ptr;
	const struct cred *cred = ckpt_file_cred(ctx, file);
	struct path dir;
	int ret, err;

	if (file->f_flags & __FMODE_EXEC)
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "the program that it runs was deleted");
	ret = ckpt_desc_collect(ctx, file, CKPT_OPEN_FLAGS | UNLINKED_SHOWN);

	inode_dir(file, &dir);
	err = ckpt_path_collect(ctx, &dir, cred);
	path_put(&dir);
	ret = ret ?: err;

	err = ckpt_collect(ctx, &ckpt_kind_inode,
			   (void *)file_user_inode(file));
	return ret ?: err;
}

static int unlinked_save(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	struct file *file = obj->ptr;
	struct ckpt_file_unlinked rec = {};

	ckpt_desc_fill(ctx, obj, &rec.desc);
	rec.inode = ckpt_ref(ctx, file_user_inode(file));
	return ckpt_write(ctx, obj->kind, obj->ref, &rec, sizeof(rec));
}

static int unlinked_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_file_unlinked *p =
		ckpt_payload(rec, struct ckpt_file_unlinked);

	if (p->pad || !ckpt_ref_is_type(ctx, p->inode, CKPT_REC_INODE))
		return ckpt_refuse(ctx, -EINVAL,
				   "bad contents of a file without a name");
	return ckpt_desc_check(ctx, &p->desc, CKPT_OPEN_FLAGS | UNLINKED_SHOWN,
			       CKPT_FILE_MAPPED | CKPT_FILE_RANDOM |
			       CKPT_FILE_NOREUSE);
}

static int unlinked_restore(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_file_unlinked *p =
		ckpt_payload(rec, struct ckpt_file_unlinked);
	struct file *made = ckpt_obj_ptr(ctx, p->inode);
	struct file *file;

	/*
	 * The file was made just now, of what the image holds, for this
	 * process: its mode keeps nobody away from its contents, as it did not
	 * when its creator was given a writable descriptor of a read-only file.
	 */
	file = dentry_open(&made->f_path, p->desc.open_flags & CKPT_OPEN_FLAGS,
			   ckpt_obj_ptr(ctx, p->desc.cred));
	if (IS_ERR(file))
		return ckpt_refuse(ctx, PTR_ERR(file),
				   "cannot open a file without a name");
	ckpt_obj_set(ctx, rec->objref, file, ckpt_file_put);
	return ckpt_desc_restore(ctx, file, &p->desc);
}

const struct ckpt_kind ckpt_kind_file_unlinked = {
	.name		= "file_unlinked",
	.about		= "open files without a name: flags, position, opener",
	.family		= CKPT_FAMILY_FILE,
	.type		= CKPT_REC_FILE_UNLINKED,
	.phase		= CKPT_PHASE_OBJECT,
	.version	= 1,
	.min_version	= 1,
	CKPT_PAYLOAD(struct ckpt_file_unlinked),
	.object		= true,
	.obj_get	= ckpt_file_get,
	.obj_put	= ckpt_file_put,
	.obj_collect	= unlinked_collect,
	.obj_save	= unlinked_save,
	.file_match	= unlinked_match,
	.check		= unlinked_check,
	.restore	= unlinked_restore,
};
