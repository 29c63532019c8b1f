// SPDX-License-Identifier: GPL-2.0
/*
 * Open files that are found again by their path: regular files, directories,
 * O_PATH descriptions of anything, and the memory devices.
 *
 * A restart opens them with the credentials of the one who opened them, in
 * the root and the mount namespace of the caller, through the permission and
 * LSM checks that open(2) has.
 */

#include <linux/cred.h>
#include <linux/delay.h>
#include <linux/errseq.h>
#include <linux/file.h>
#include <linux/filelock.h>
#include <linux/fs_struct.h>
#include <linux/magic.h>
#include <linux/major.h>
#include <linux/mount.h>
#include <linux/namei.h>
#include <linux/nsproxy.h>
#include <linux/security.h>
#include <linux/slab.h>

#include "../fs/internal.h"
#include "../fs/mount.h"
#include "external.h"
#include "file.h"

/* A flag that is new must be understood before it is saved. */
static_assert(VALID_OPEN_FLAGS ==
	      (CKPT_OPEN_FLAGS | CKPT_OPEN_SHOWN | O_CREAT | O_EXCL | O_NOCTTY |
	       O_TRUNC | O_NDELAY | FASYNC | O_CLOEXEC | O_PATH | __O_TMPFILE));

/* --- paths ---------------------------------------------------------------- */

/*
 * Was it opened before the process got into its own mount namespace? It has the
 * same name there then, or is not found.
 */
static bool is_from_outside(struct ckpt_ctx *ctx, const struct path *path)
{
	return ctx->old_fs &&
	       READ_ONCE(real_mount(path->mnt)->mnt_ns) != ctx->ns->mnt_ns;
}

/**
 * ckpt_path() - a path as the caller's root sees it, or that of the tree
 * @ctx: the checkpoint
 * @path: what is asked for
 * @buf: where the text is put, at its end
 * @size: bytes of @buf; PATH_MAX is as long as an image may have it
 *
 * Return: the text in @buf, or an ERR_PTR(): -ENOENT when it was deleted,
 * -EXDEV when it cannot be reached from the caller's root, -ENAMETOOLONG.
 */
char *ckpt_path(struct ckpt_ctx *ctx, const struct path *path, char *buf,
		size_t size)
{
	char *name;

	if (d_unlinked(path->dentry))
		return ERR_PTR(-ENOENT);
	name = __d_path(path, &ctx->root, buf, size);
	if (!name && is_from_outside(ctx, path))
		name = __d_path(path, &ctx->old_fs->root, buf, size);
	return name ?: ERR_PTR(-EXDEV);
}

/*
 * Does the text lead back to where it came from? Another mount or a symlink
 * may hide it.
 */
static int path_verify(struct ckpt_ctx *ctx, const struct path *path,
		       const char *name)
{
	struct path found;
	int ret;

	ret = kern_path(name, 0, &found);
	if (ret)
		return ret;
	if ((found.mnt != path->mnt && !is_from_outside(ctx, path)) ||
	    d_backing_inode(found.dentry) != d_backing_inode(path->dentry))
		ret = -EREMOTE;
	path_put(&found);
	return ret;
}

/**
 * ckpt_path_collect() - will a restart find this path?
 * @ctx: the checkpoint
 * @path: the path
 * @cred: with whose rights it will be looked up
 *
 * Return: 0, or -errno, noted as a reason.
 */
int ckpt_path_collect(struct ckpt_ctx *ctx, const struct path *path,
		      const struct cred *cred)
{
	const struct cred *old;
	char *buf, *name;
	int ret;

	buf = kmalloc(PATH_MAX, GFP_KERNEL);
	if (!buf)
		return -ENOMEM;
	name = ckpt_path(ctx, path, buf, PATH_MAX);
	if (IS_ERR(name)) {
		ret = PTR_ERR(name);
		name = NULL;
	} else {
		old = override_creds(cred);
		ret = path_verify(ctx, path, name);
		revert_creds(old);
	}

	switch (ret) {
	case 0:
		break;
	case -ENOENT:
		if (name)
			ckpt_refuse(ctx, -EOPNOTSUPP,
				    "its path leads to nothing: %s", name);
		else
			ckpt_refuse(ctx, -EOPNOTSUPP, "was deleted");
		break;
	case -EXDEV:
		ckpt_refuse(ctx, -EOPNOTSUPP,
			    "not reachable from the root of the caller");
		break;
	case -ENAMETOOLONG:
		ckpt_refuse(ctx, -EOPNOTSUPP, "its path is too long");
		break;
	case -EREMOTE:
		ckpt_refuse(ctx, -EOPNOTSUPP,
			    "its path is hidden by something else: %s", name);
		break;
	default:
		ckpt_refuse(ctx, ret, "its path cannot be looked up: %s",
			    name);
	}
	kfree(buf);
	return ret;
}

/**
 * ckpt_path_valid() - is this a path as ckpt_path() makes it?
 * @path: from an image
 * @len: its bytes, with the NUL
 *
 * Return: true for an absolute path with one NUL, at its end.
 */
bool ckpt_path_valid(const u8 *path, u32 len)
{
	return len >= 2 && len <= CKPT_MAX_PATH && path[0] == '/' &&
	       strnlen(path, len) == len - 1;
}

/**
 * ckpt_path_refuse() - the reason why a path does not open at a restart
 * @ctx: the restart
 * @error: -errno of a lookup or an open
 * @path: what was tried
 *
 * Return: @error.
 */
int ckpt_path_refuse(struct ckpt_ctx *ctx, int error, const char *path)
{
	switch (error) {
	case -ENOENT:
	case -ENOTDIR:
		return ckpt_refuse(ctx, error, "lost since the checkpoint: %s",
				   path);
	case -EACCES:
	case -EPERM:
		return ckpt_refuse(ctx, error, "no permission to open %s",
				   path);
	default:
		return ckpt_refuse(ctx, error, "cannot open (errno %d) %s",
				   -error, path);
	}
}

/* --- which files ------------------------------------------------------------ */

/**
 * ckpt_fs_supported() - are files of this file system what their path says?
 * @sb: the file system
 *
 * Not so for those whose files are views on the running kernel (proc, sysfs),
 * nor for those that nobody can look up in (pipefs, anonymous inodes).
 *
 * Return: true for a file system that holds files.
 */
bool ckpt_fs_supported(const struct super_block *sb)
{
	if (sb->s_type->fs_flags & FS_REQUIRES_DEV)
		return true;
	switch (sb->s_magic) {
	case TMPFS_MAGIC:
	case RAMFS_MAGIC:
	case OVERLAYFS_SUPER_MAGIC:
	case ECRYPTFS_SUPER_MAGIC:
	case BTRFS_SUPER_MAGIC:
	case BCACHEFS_SUPER_MAGIC:
	case FUSE_SUPER_MAGIC:
	case V9FS_MAGIC:
	case NFS_SUPER_MAGIC:
	case CIFS_SUPER_MAGIC:
	case SMB2_SUPER_MAGIC:
	case CEPH_SUPER_MAGIC:
	case AFS_FS_MAGIC:
	case CODA_SUPER_MAGIC:
	case JFFS2_SUPER_MAGIC:
		return true;
	default:
		return false;
	}
}

/**
 * ckpt_file_is_unlinked() - is this a regular file without any name?
 * @file: the file
 *
 * Return: true when it lives only by being open.
 */
bool ckpt_file_is_unlinked(struct file *file)
{
	const struct inode *inode = file_user_inode(file);

	return S_ISREG(inode->i_mode) && !inode->i_nlink &&
	       d_unlinked(file_user_path(file)->dentry);
}

static bool file_match(struct file *file)
{
	const struct inode *inode = file_user_inode(file);

	if (!ckpt_fs_supported(inode->i_sb))
		return false;
	if (file->f_mode & FMODE_PATH)
		return true;
	if (S_ISDIR(inode->i_mode))
		return true;
	return S_ISREG(inode->i_mode) && !ckpt_file_is_unlinked(file);
}

/* null, zero, full, random, urandom: no state behind the description. */
static bool is_mem_dev(u32 major, u32 minor)
{
	return major == MEM_MAJOR &&
	       (minor == 3 || minor == 5 || minor == 7 || minor == 8 ||
		minor == 9);
}

static bool file_dev_match(struct file *file)
{
	struct inode *inode = file_inode(file);

	return S_ISCHR(inode->i_mode) && !(file->f_mode & FMODE_PATH) &&
	       ckpt_fs_supported(inode->i_sb) &&
	       is_mem_dev(imajor(inode), iminor(inode));
}

/* --- descriptions ----------------------------------------------------------- */

/**
 * ckpt_ref_is_open_file() - does a number mean what can have a descriptor?
 * @ctx: the restart
 * @ref: the number, from an image
 *
 * Return: false also for the file of a System V segment, which only mappings
 * have.
 */
bool ckpt_ref_is_open_file(struct ckpt_ctx *ctx, ckpt_ref_t ref)
{
	return ckpt_ref_is_family(ctx, ref, CKPT_FAMILY_FILE) &&
	       !ckpt_ref_is_type(ctx, ref, CKPT_REC_FILE_SYSV);
}

/**
 * ckpt_file_cred() - with whose rights is a file opened at a restart?
 * @ctx: the checkpoint
 * @file: a collected file
 *
 * The file below a stacked file system that a mapping holds was opened with
 * the rights of the one who mounted that; the user of it is asked instead. So
 * he is for what was opened before he got into his own user namespace.
 *
 * Return: credentials that live as long as the file and the saved task.
 */
const struct cred *ckpt_file_cred(struct ckpt_ctx *ctx, struct file *file)
{
	struct ckpt_obj *obj;

	if (!(file->f_mode & FMODE_BACKING) &&
	    (file->f_cred->user_ns == ctx->user_ns ||
	     !(ctx->own_ns & CKPT_NS_USER)))
		return file->f_cred;
	obj = ckpt_obj_find(ctx, file);
	/* The task stands still; only itself changes its creds. */
	return rcu_dereference_protected(obj->task->real_cred, true);
}

/* O_ASYNC is restored behind everything, see owner.c. */
static u32 open_flags(struct file *file)
{
	u32 flags = READ_ONCE(file->f_flags) & ~(__FMODE_EXEC | FASYNC);

	/* What a stacked file system adds to the file below. */
	if (file->f_mode & FMODE_BACKING)
		flags &= ~(O_NOATIME | __FMODE_NONOTIFY);
	return flags;
}

/**
 * ckpt_desc_collect_flags() - find what cannot be saved of a description
 * @ctx: the checkpoint
 * @file: the open file description
 * @allowed: O_* that its kind can restore
 *
 * For those kinds that are opened with the rights of the caller.
 *
 * Return: 0, or the last -errno, noted as reasons.
 */
int ckpt_desc_collect_flags(struct ckpt_ctx *ctx, struct file *file,
			    u32 allowed)
{
	u32 flags = open_flags(file);
	int ret = 0;

	if (flags & __FMODE_NONOTIFY)
		ret = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "a file that came from fanotify");
	if (flags & ~(allowed | __FMODE_NONOTIFY))
		ret = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "unsupported file status flags 0x%x",
				  flags & ~allowed);
	return ret;
}

/**
 * ckpt_desc_collect() - the same, for those opened with the opener's rights
 * @ctx: the checkpoint
 * @file: the open file description
 * @allowed: O_* that its kind can restore
 *
 * Collects the credentials.
 *
 * Return: 0, or the last -errno, noted as reasons.
 */
int ckpt_desc_collect(struct ckpt_ctx *ctx, struct file *file, u32 allowed)
{
	int ret, err;

	ret = ckpt_desc_collect_flags(ctx, file, allowed);
	err = ckpt_collect(ctx, &ckpt_kind_cred,
			   (void *)ckpt_file_cred(ctx, file));
	return err ?: ret;
}

/**
 * ckpt_desc_fill() - the part of a record that all descriptions have
 * @ctx: the checkpoint
 * @obj: the description's object
 * @desc: is filled
 */
void ckpt_desc_fill(struct ckpt_ctx *ctx, struct ckpt_obj *obj,
		    struct ckpt_file_desc *desc)
{
	struct file *file = obj->ptr;

	*desc = (struct ckpt_file_desc) {
		.pos = READ_ONCE(file->f_pos),
		.open_flags = open_flags(file),
		.cred = ckpt_ref(ctx, ckpt_file_cred(ctx, file)),
	};
	if (obj->flags & CKPT_OBJ_MAPPED)
		desc->bits |= CKPT_FILE_MAPPED;
	if (file->f_flags & __FMODE_EXEC)
		desc->bits |= CKPT_FILE_EXEC;
	if (file->f_mode & FMODE_RANDOM)
		desc->bits |= CKPT_FILE_RANDOM;
	if (file->f_mode & FMODE_NOREUSE)
		desc->bits |= CKPT_FILE_NOREUSE;
}

/**
 * ckpt_desc_check_flags() - judge what ckpt_desc_fill() wrote, but who opened
 * @ctx: the restart
 * @desc: from an image
 * @allowed: O_* that the kind can have
 * @bits: CKPT_FILE_* that the kind can have
 *
 * Return: 0 or -EINVAL, noted as a reason.
 */
int ckpt_desc_check_flags(struct ckpt_ctx *ctx,
			  const struct ckpt_file_desc *desc, u32 allowed,
			  u32 bits)
{
	if (desc->pad || desc->bits & ~bits || desc->open_flags & ~allowed)
		return ckpt_refuse(ctx, -EINVAL,
				   "unknown flags of an open file");
	if (desc->pos > LLONG_MAX)
		return ckpt_refuse(ctx, -EINVAL, "bad file position");
	if (desc->open_flags & O_PATH &&
	    (desc->pos || desc->bits || desc->open_flags & ~(O_PATH |
							     CKPT_OPEN_SHOWN)))
		return ckpt_refuse(ctx, -EINVAL,
				   "bad flags of an O_PATH file");
	return 0;
}

/**
 * ckpt_desc_check() - judge what ckpt_desc_fill() wrote
 * @ctx: the restart
 * @desc: from an image
 * @allowed: O_* that the kind can have
 * @bits: CKPT_FILE_* that the kind can have
 *
 * Return: 0 or -EINVAL, noted as a reason.
 */
int ckpt_desc_check(struct ckpt_ctx *ctx, const struct ckpt_file_desc *desc,
		    u32 allowed, u32 bits)
{
	int ret;

	ret = ckpt_desc_check_flags(ctx, desc, allowed, bits);
	if (ret)
		return ret;
	if (!ckpt_ref_is_type(ctx, desc->cred, CKPT_REC_CRED))
		return ckpt_refuse(ctx, -EINVAL,
				   "an open file without credentials");
	return 0;
}

/**
 * ckpt_file_set_flags() - set f_flags, as F_SETFL does
 * @file: the file, just opened, nobody else has it
 * @flags: O_*, all of which its opening has judged or which need no judgement
 */
void ckpt_file_set_flags(struct file *file, u32 flags)
{
	spin_lock(&file->f_lock);
	file->f_flags = flags;
	file->f_iocb_flags = iocb_flags(file);
	spin_unlock(&file->f_lock);
}

/**
 * ckpt_desc_restore() - give a freshly opened file its saved state
 * @ctx: the restart
 * @file: the file; opening it has checked those flags that need a check
 * @desc: what was saved
 *
 * Return: 0, or -errno, noted as a reason.
 */
int ckpt_desc_restore(struct ckpt_ctx *ctx, struct file *file,
		      const struct ckpt_file_desc *desc)
{
	loff_t pos;

	ckpt_file_set_flags(file, desc->open_flags |
				  (file->f_flags & __FMODE_EXEC));
	spin_lock(&file->f_lock);
	if (desc->bits & CKPT_FILE_RANDOM)
		file->f_mode |= FMODE_RANDOM;
	if (desc->bits & CKPT_FILE_NOREUSE)
		file->f_mode |= FMODE_NOREUSE;
	spin_unlock(&file->f_lock);

	if (file->f_pos == desc->pos)
		return 0;
	pos = vfs_llseek(file, desc->pos, SEEK_SET);
	if (pos != desc->pos)
		return ckpt_refuse(ctx, pos < 0 ? pos : -EIO,
				   "cannot set the file position %llu",
				   desc->pos);
	return 0;
}

/**
 * ckpt_file_get() - obj_get of files
 * @ptr: struct file
 */
void ckpt_file_get(void *ptr)
{
	get_file(ptr);
}

/**
 * ckpt_file_put() - obj_put and release of files
 * @ptr: struct file
 */
void ckpt_file_put(void *ptr)
{
	fput(ptr);
}

/**
 * ckpt_vfs_inode_get() - obj_get of objects that are inodes
 * @ptr: struct inode
 */
void ckpt_vfs_inode_get(void *ptr)
{
	ihold(ptr);
}

/**
 * ckpt_vfs_inode_put() - obj_put of objects that are inodes
 * @ptr: struct inode
 */
void ckpt_vfs_inode_put(void *ptr)
{
	iput(ptr);
}

/**
 * ckpt_file_of_inode() - some collected description of an inode
 * @ctx: the checkpoint
 * @kind: of the description
 * @inode: the inode
 *
 * Return: the first one that was collected, or NULL.
 */
struct file *ckpt_file_of_inode(struct ckpt_ctx *ctx,
				const struct ckpt_kind *kind,
				const struct inode *inode)
{
	struct ckpt_obj *obj;

	list_for_each_entry(obj, &ctx->objs, node)
		if (obj->kind == kind && file_user_inode(obj->ptr) == inode)
			return obj->ptr;
	return NULL;
}

/**
 * ckpt_file_collect() - note one more use of an open file by the tree
 * @ctx: the checkpoint
 * @file: a file that a descriptor, a mapping or an mm refers to
 *
 * Finds its kind; what is not supported is refused by name.
 *
 * Return: 0, or -errno, noted as a reason.
 */
int ckpt_file_collect(struct ckpt_ctx *ctx, struct file *file)
{
	const char *kind_name = ctx->where.kind;
	const struct ckpt_kind *kind;
	int ret;

	kind = ckpt_external_is(ctx, file) ? &ckpt_kind_file_external :
					     ckpt_kind_of_file(file);
	ctx->where.kind = kind ? kind->name : "file";
	if (!kind || kind->refuse)
		ret = ckpt_file_refuse_kind(ctx, file, kind);
	else
		ret = ckpt_collect(ctx, kind, file);
	ctx->where.kind = kind_name;
	return ret;
}

/**
 * ckpt_file_mark_mapped() - a restart needs this file's contents unchanged
 * @obj: a collected file of which private pages or code are mapped, or NULL
 */
void ckpt_file_mark_mapped(struct ckpt_obj *obj)
{
	if (obj)
		obj->flags |= CKPT_OBJ_MAPPED;
}

/* --- identity ---------------------------------------------------------------- */

static int file_id_get(const struct path *path, struct ckpt_file_id *id)
{
	struct kstat stat;
	int ret;

	ret = vfs_getattr(path, &stat, STATX_BASIC_STATS | STATX_BTIME,
			  AT_STATX_SYNC_AS_STAT);
	if (ret)
		return ret;
	*id = (struct ckpt_file_id) {
		.size = stat.size,
		.mtime_sec = stat.mtime.tv_sec,
		.mtime_nsec = stat.mtime.tv_nsec,
		.mode = stat.mode & S_IFMT,
	};
	if (S_ISCHR(stat.mode) || S_ISBLK(stat.mode)) {
		id->rdev_major = MAJOR(stat.rdev);
		id->rdev_minor = MINOR(stat.rdev);
	}
	if (stat.result_mask & STATX_BTIME) {
		id->btime_sec = stat.btime.tv_sec;
		id->btime_nsec = stat.btime.tv_nsec;
		id->flags |= CKPT_FILE_ID_BTIME;
	}
	return 0;
}

static int file_id_check(struct ckpt_ctx *ctx, const struct ckpt_file_id *id)
{
	if (id->flags & ~CKPT_FILE_ID_BTIME || id->mode & ~S_IFMT ||
	    id->mtime_nsec >= NSEC_PER_SEC || id->btime_nsec >= NSEC_PER_SEC ||
	    id->size > LLONG_MAX)
		return ckpt_refuse(ctx, -EINVAL, "bad identity of a file");
	return 0;
}

/*
 * Is what is found (@now) what was saved (@id)? A file that grew is: a log that
 * others write to, or the output of the saved process itself, which went on.
 * Return: NULL, or in what it differs.
 */
static const char *file_id_differs(const struct ckpt_file_id *id,
				   const struct ckpt_file_id *now,
				   const struct ckpt_file_desc *desc)
{
	bool same, born;

	if (id->mode != now->mode || id->rdev_major != now->rdev_major ||
	    id->rdev_minor != now->rdev_minor)
		return "replaced by something of another type since the checkpoint";
	if (!S_ISREG(id->mode) && !S_ISDIR(id->mode) && !S_ISLNK(id->mode))
		return NULL;

	same = id->size == now->size && id->mtime_sec == now->mtime_sec &&
	       id->mtime_nsec == now->mtime_nsec;
	if (same)
		return NULL;
	if (desc->bits & CKPT_FILE_MAPPED)
		return "mapped, but changed since the checkpoint, or copied without its times";

	born = id->flags & now->flags & CKPT_FILE_ID_BTIME;
	if (born && (id->btime_sec != now->btime_sec ||
		     id->btime_nsec != now->btime_nsec)) {
		/* Any directory will do that is not being read. */
		if (S_ISDIR(id->mode) && !desc->pos)
			return NULL;
		return "replaced since the checkpoint, or copied without its times";
	}
	if (S_ISREG(id->mode) && now->size < id->size)
		return "shrunk since the checkpoint";
	return NULL;
}

/* --- saving ------------------------------------------------------------------ */

/*
 * The path by which a restart finds it: the one by which it was opened. When
 * that name was removed another one will do, if one is known just now.
 */
static void file_get_path(struct file *file, struct path *path)
{
	struct dentry *alias = NULL;

	*path = *file_user_path(file);
	path_get(path);
	if (d_unlinked(path->dentry) && !d_is_dir(path->dentry) &&
	    d_inode(path->dentry)->i_nlink)
		alias = d_find_alias(d_inode(path->dentry));
	if (alias) {
		dput(path->dentry);
		path->dentry = alias;
	}
}

static int file_collect_path(struct ckpt_ctx *ctx, struct file *file,
			     const struct cred *cred)
{
	struct ckpt_file_id id;
	struct path path;
	int ret;

	file_get_path(file, &path);
	if (d_unlinked(path.dentry) && file_user_inode(file)->i_nlink &&
	    !d_is_dir(path.dentry)) {
		ret = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "is open by a name that was removed, but has others that are not known");
		goto out;
	}
	ret = ckpt_path_collect(ctx, &path, cred);
	if (ret)
		goto out;
	ret = file_id_get(&path, &id);
	if (ret)
		ckpt_refuse(ctx, ret, "its attributes cannot be read");
out:
	path_put(&path);
	return ret;
}

static int file_collect(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	struct file *file = obj->ptr;
	u32 allowed = CKPT_OPEN_FLAGS | CKPT_OPEN_SHOWN;
	int ret, err;

	if (file->f_mode & FMODE_PATH)
		allowed = O_PATH | CKPT_OPEN_SHOWN;
	ret = ckpt_desc_collect(ctx, file, allowed);
	err = file_collect_path(ctx, file, ckpt_file_cred(ctx, file));
	if (err)
		return err;

	if (!(file->f_mode & FMODE_PATH) &&
	    errseq_check(&file->f_mapping->wb_err, READ_ONCE(file->f_wb_err)))
		ret = ckpt_refuse(ctx, -EIO,
				  "has an error of writing back that was not reported yet");
	if (READ_ONCE(file->f_pos) && !(file->f_mode & FMODE_LSEEK))
		ret = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "has a position but cannot seek");
	return ret;
}

/* Anybody may open these; who did so makes no difference. */
static int file_dev_collect(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	struct file *file = obj->ptr;
	int ret, err;

	ret = ckpt_desc_collect_flags(ctx, file,
				      CKPT_OPEN_FLAGS | CKPT_OPEN_SHOWN);
	err = file_collect_path(ctx, file, current_cred());
	return ret ?: err;
}

/* FILE and FILE_DEV have the same form. */
static int file_save(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	struct ckpt_file rec = {};
	char *buf, *name;
	struct path path;
	int ret;

	static_assert(sizeof(struct ckpt_file) == sizeof(struct ckpt_file_dev));

	buf = kmalloc(PATH_MAX, GFP_KERNEL);
	if (!buf)
		return -ENOMEM;
	file_get_path(obj->ptr, &path);
	name = ckpt_path(ctx, &path, buf, PATH_MAX);
	if (IS_ERR(name)) {
		ret = ckpt_refuse(ctx, PTR_ERR(name), "has moved away");
		goto out;
	}
	ret = file_id_get(&path, &rec.id);
	if (ret) {
		ckpt_refuse(ctx, ret, "its attributes cannot be read");
		goto out;
	}
	ckpt_desc_fill(ctx, obj, &rec.desc);
	if (obj->kind == &ckpt_kind_file_dev)
		rec.desc.cred = 0;
	ret = ckpt_write_tail(ctx, obj->kind, obj->ref, &rec, sizeof(rec),
			      name, strlen(name) + 1);
out:
	path_put(&path);
	kfree(buf);
	return ret;
}

/* --- restarting --------------------------------------------------------------- */

static int file_check_path(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_file *p = ckpt_payload(rec, struct ckpt_file);

	if (!ckpt_path_valid(p->path, ckpt_tail_len(rec, sizeof(*p))))
		return ckpt_refuse(ctx, -EINVAL, "bad path");
	return file_id_check(ctx, &p->id);
}

static int file_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_file *p = ckpt_payload(rec, struct ckpt_file);
	int ret;

	ret = ckpt_desc_check(ctx, &p->desc,
			      CKPT_OPEN_FLAGS | CKPT_OPEN_SHOWN | O_PATH,
			      CKPT_FILE_MAPPED | CKPT_FILE_EXEC |
			      CKPT_FILE_RANDOM | CKPT_FILE_NOREUSE);
	if (ret)
		return ret;
	if (!(p->desc.open_flags & O_PATH) && !S_ISREG(p->id.mode) &&
	    !S_ISDIR(p->id.mode))
		return ckpt_refuse(ctx, -EINVAL, "bad type of a file");
	if (p->desc.bits & CKPT_FILE_EXEC &&
	    (!S_ISREG(p->id.mode) ||
	     p->desc.open_flags & ~(O_LARGEFILE | O_NONBLOCK)))
		return ckpt_refuse(ctx, -EINVAL, "bad flags of a program");
	return file_check_path(ctx, rec);
}

static int file_dev_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_file *p = ckpt_payload(rec, struct ckpt_file);
	int ret;

	ret = ckpt_desc_check_flags(ctx, &p->desc,
				    CKPT_OPEN_FLAGS | CKPT_OPEN_SHOWN,
				    CKPT_FILE_MAPPED | CKPT_FILE_RANDOM |
				    CKPT_FILE_NOREUSE);
	if (ret)
		return ret;
	if (p->desc.cred || !S_ISCHR(p->id.mode) ||
	    !is_mem_dev(p->id.rdev_major, p->id.rdev_minor))
		return ckpt_refuse(ctx, -EINVAL, "bad device");
	return file_check_path(ctx, rec);
}

/*
 * Open what was looked up, without a second lookup: what was judged is what
 * is opened.
 */
static struct file *file_open_path(const struct path *path,
				   const struct ckpt_file_desc *desc)
{
	/*
	 * As execve() does. But what it opens with the right to execute alone
	 * the program cannot read, while our caller chooses what is done with
	 * the file: so the right to read is asked for, too.
	 */
	static const struct open_flags exec_flags = {
		.open_flag = O_LARGEFILE | O_RDONLY | __FMODE_EXEC,
		.acc_mode = MAY_EXEC | MAY_READ,
		.intent = LOOKUP_OPEN,
		.lookup_flags = LOOKUP_FOLLOW,
	};

	if (desc->bits & CKPT_FILE_EXEC)
		return do_file_open_root(path, "", &exec_flags);
	return file_open_root(path, "", desc->open_flags, 0);
}

static struct file *file_open_saved(struct ckpt_ctx *ctx, struct ckpt_file *p)
{
	unsigned int lookup = S_ISLNK(p->id.mode) ? 0 : LOOKUP_FOLLOW;
	struct ckpt_file_id now;
	const char *differs;
	struct file *file;
	struct path path;
	int ret;

	ret = kern_path(p->path, lookup, &path);
	if (ret)
		return ERR_PTR(ckpt_path_refuse(ctx, ret, p->path));

	/*
	 * As when it was saved. Also, /proc/self/mem would be the memory of the
	 * caller, which the new task still shares.
	 */
	if (!ckpt_fs_supported(path.dentry->d_sb)) {
		file = ERR_PTR(ckpt_refuse(ctx, -EOPNOTSUPP,
					   "is in a file system of type %s: %s",
					   path.dentry->d_sb->s_type->name,
					   p->path));
		goto out;
	}
	ret = file_id_get(&path, &now);
	if (ret) {
		file = ERR_PTR(ckpt_path_refuse(ctx, ret, p->path));
		goto out;
	}
	differs = file_id_differs(&p->id, &now, &p->desc);
	if (differs) {
		file = ERR_PTR(ckpt_refuse(ctx, -ESTALE, "%s: %s", differs,
					   p->path));
		goto out;
	}
	file = file_open_path(&path, &p->desc);
	if (IS_ERR(file))
		ckpt_path_refuse(ctx, PTR_ERR(file), p->path);
out:
	path_put(&path);
	return file;
}

static int file_restore(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_file *p = ckpt_payload(rec, struct ckpt_file);
	const struct cred *old, *cred = ctx->caller_cred;
	struct file *file;

	if (p->desc.cred)
		cred = ckpt_obj_ptr(ctx, p->desc.cred);
	old = override_creds(cred);
	file = file_open_saved(ctx, p);
	revert_creds(old);
	if (IS_ERR(file))
		return PTR_ERR(file);

	ckpt_obj_set(ctx, rec->objref, file, ckpt_file_put);
	return ckpt_desc_restore(ctx, file, &p->desc);
}

const struct ckpt_kind ckpt_kind_file = {
	.name		= "file",
	.about		= "regular files, directories, O_PATH: path, flags, position, opener",
	.family		= CKPT_FAMILY_FILE,
	.type		= CKPT_REC_FILE,
	.phase		= CKPT_PHASE_OBJECT,
	.version	= 1,
	.min_version	= 1,
	CKPT_PAYLOAD_TAIL(struct ckpt_file, CKPT_MAX_PATH),
	.object		= true,
	.obj_get	= ckpt_file_get,
	.obj_put	= ckpt_file_put,
	.obj_collect	= file_collect,
	.obj_save	= file_save,
	.file_match	= file_match,
	.check		= file_check,
	.restore	= file_restore,
};

const struct ckpt_kind ckpt_kind_file_dev = {
	.name		= "file_dev",
	.about		= "/dev/{null,zero,full,random,urandom}: path, flags",
	.family		= CKPT_FAMILY_FILE,
	.type		= CKPT_REC_FILE_DEV,
	.phase		= CKPT_PHASE_OBJECT,
	.version	= 1,
	.min_version	= 1,
	CKPT_PAYLOAD_TAIL(struct ckpt_file_dev, CKPT_MAX_PATH),
	.object		= true,
	.obj_get	= ckpt_file_get,
	.obj_put	= ckpt_file_put,
	.obj_collect	= file_dev_collect,
	.obj_save	= file_save,
	.file_match	= file_dev_match,
	.check		= file_dev_check,
	.restore	= file_restore,
};
