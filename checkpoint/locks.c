// SPDX-License-Identifier: GPL-2.0
/*
 * File locks: flock(2), POSIX record locks (F_SETLK) and those of open file
 * descriptions (F_OFD_SETLK). Leases are refused.
 *
 * All locks that the tree holds on a file are one object, which is collected
 * when all files and tables of descriptors are known. A lock is taken again
 * as the system call would take it, for the owner that it had: a POSIX lock
 * for the table of descriptors, which those who used it will use again, any
 * other one for the open file. So they go away with these when the restart
 * fails, and closing a descriptor has the effect that it always has.
 *
 * Who waited for a lock has been interrupted and will ask for it again.
 */

#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/filelock.h>
#include <linux/fs.h>
#include <linux/gfs2_ondisk.h>
#include <linux/magic.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/sched/signal.h>
#include <linux/security.h>
#include <linux/slab.h>
#if IS_ENABLED(CONFIG_FUSE_FS)
#include "../fs/fuse/fuse_i.h"
#endif

#include "external.h"
#include "file.h"

#define MAX_LOCKS	((CKPT_MAX_RECORD - sizeof(struct ckpt_locks)) / \
			 sizeof(struct ckpt_lock))

/* What a lock may have besides its kind: it was waited for. */
#define KNOWN_FLAGS	(FL_POSIX | FL_FLOCK | FL_OFDLCK | FL_SLEEP)

static_assert(OFFSET_MAX == LLONG_MAX);

/* --- which files -------------------------------------------------------------- */

enum keeper {
	KEPT_HERE,	/* by fs/locks.c alone */
	KEPT_ELSEWHERE,	/* by a server, too; fs/locks.c knows of them */
	KEPT_UNSEEN,	/* by a server; nobody here knows of them */
};

static enum keeper fuse_keeper(const struct inode *inode)
{
#if IS_ENABLED(CONFIG_FUSE_FS)
	const struct fuse_conn *fc = get_fuse_mount_super(inode->i_sb)->fc;

	if (fc->no_lock && fc->no_flock)
		return KEPT_HERE;
#endif
	return KEPT_UNSEEN;
}

/* Who keeps the locks of this file? */
static enum keeper keeper(const struct file *file)
{
	const struct inode *inode = file_inode(file);

	if (!file->f_op->lock && !file->f_op->flock)
		return KEPT_HERE;
	switch (inode->i_sb->s_magic) {
	case FUSE_SUPER_MAGIC:
		return fuse_keeper(inode);
	case AFS_FS_MAGIC:
	case CEPH_SUPER_MAGIC:
	case GFS2_MAGIC:
	case NFS_SUPER_MAGIC:
	case OCFS2_SUPER_MAGIC:
	case V9FS_MAGIC:
		return KEPT_ELSEWHERE;
	default:
		return KEPT_UNSEEN;
	}
}

/*
 * Only what has an inode of its own, and no terminals and devices, whose
 * descriptions may be shared with others.
 */
static bool is_lockable(const struct file *file)
{
	umode_t mode = file_inode(file)->i_mode;

	return S_ISREG(mode) || S_ISDIR(mode) || S_ISFIFO(mode);
}

/* Refuses locks where they cannot be taken again; both ways. */
static int check_lockable(struct ckpt_ctx *ctx, const struct file *file)
{
	if (!is_lockable(file))
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "locks of this kind of file are not supported");
	if (keeper(file) != KEPT_HERE)
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "locks on a file system that keeps them itself (%s) are not supported",
				   file_inode(file)->i_sb->s_type->name);
	return 0;
}

/* --- finding them -------------------------------------------------------------- */

/*
 * The inode itself may be another object, a pipe or shared memory, so this one
 * is known by the place of the inode's pointer to its locks.
 */
static void *object_of(struct inode *inode)
{
	return &inode->i_flctx;
}

static struct inode *inode_of(void *ptr)
{
	return container_of((struct file_lock_context **)ptr, struct inode,
			    i_flctx);
}

static void locks_get(void *ptr)
{
	ihold(inode_of(ptr));
}

static void locks_put(void *ptr)
{
	iput(inode_of(ptr));
}

/**
 * struct held - a copy of a lock
 * @owner: a table of descriptors or a file
 * @file:  through which it was set
 * @start: first byte
 * @end:   last byte
 * @flags: FL_*
 * @type:  F_RDLCK, F_WRLCK
 * @pid:   who set it, in the initial pid namespace
 */
struct held {
	fl_owner_t owner;
	struct file *file;
	u64 start;
	u64 end;
	u32 flags;
	u32 type;
	pid_t pid;
};

static bool is_posix(u32 flags)
{
	return flags & FL_POSIX && !(flags & FL_OFDLCK);
}

static bool is_tables(struct ckpt_ctx *ctx, const void *ptr)
{
	struct ckpt_obj *obj = ckpt_obj_find(ctx, ptr);

	return obj && obj->kind == &ckpt_kind_files;
}

static bool is_file(struct ckpt_ctx *ctx, const void *ptr)
{
	struct ckpt_obj *obj = ckpt_obj_find(ctx, ptr);

	return obj && obj->kind->family == CKPT_FAMILY_FILE &&
	       obj->kind != &ckpt_kind_file_external;
}

/* Does the tree hold it? Others have locks on the same files. */
static bool is_ours(struct ckpt_ctx *ctx, const struct file_lock_core *c)
{
	if (is_posix(c->flc_flags))
		return is_tables(ctx, c->flc_owner);
	return is_file(ctx, c->flc_file);
}

static void held_copy(struct held *held, struct file_lock_core *c)
{
	*held = (struct held) {
		.owner = c->flc_owner,
		.file = c->flc_file,
		.end = OFFSET_MAX,
		.flags = c->flc_flags,
		.type = c->flc_type,
		.pid = c->flc_pid,
	};
	if (c->flc_flags & FL_POSIX) {
		struct file_lock *fl = container_of(c, struct file_lock, c);

		held->start = fl->fl_start;
		held->end = fl->fl_end;
	}
}

/* Context: flc_lock. Return: how many there are; @max of them are copied. */
static u32 list_copy(struct ckpt_ctx *ctx, struct list_head *list,
		     struct held *held, u32 nr, u32 max)
{
	struct file_lock_core *c;

	list_for_each_entry(c, list, flc_list) {
		if (!is_ours(ctx, c))
			continue;
		if (nr < max)
			held_copy(&held[nr], c);
		nr++;
	}
	return nr;
}

static u32 locks_copy(struct ckpt_ctx *ctx, const struct inode *inode,
		      struct held *held, u32 max)
{
	struct file_lock_context *flctx = locks_inode_context(inode);
	u32 nr;

	if (!flctx)
		return 0;
	spin_lock(&flctx->flc_lock);
	nr = list_copy(ctx, &flctx->flc_posix, held, 0, max);
	nr = list_copy(ctx, &flctx->flc_flock, held, nr, max);
	nr = list_copy(ctx, &flctx->flc_lease, held, nr, max);
	spin_unlock(&flctx->flc_lock);
	return nr;
}

/*
 * Copy the tree's locks on a file.
 * Return: an array to be freed with kvfree(), NULL when there is none, or an
 * ERR_PTR().
 */
static struct held *held_get(struct ckpt_ctx *ctx, const struct inode *inode,
			     u32 *nr)
{
	struct held *held = NULL;
	u32 max = 0;

	/* The tree stands still; a server may take locks away. */
	while ((*nr = locks_copy(ctx, inode, held, max)) > max) {
		kvfree(held);
		max = *nr;
		held = kvcalloc(max, sizeof(*held), GFP_KERNEL_ACCOUNT);
		if (!held)
			return ERR_PTR(-ENOMEM);
	}
	return held;
}

/* --- saving -------------------------------------------------------------------- */

/* The number that the one who set the lock has for the caller, if he is saved. */
static pid_t saved_pid(struct ckpt_ctx *ctx, pid_t nr)
{
	struct task_struct *task;
	pid_t pid = 0;

	rcu_read_lock();
	task = find_task_by_pid_ns(nr, &init_pid_ns);
	if (task && ckpt_in_tree(ctx, task))
		pid = task_tgid_nr_ns(task, ctx->pid_ns);
	rcu_read_unlock();
	return pid;
}

/*
 * A program that checkpoints itself finds the image closed when it comes back;
 * closing it takes those locks away that were set through it.
 */
static bool is_of_image(struct ckpt_ctx *ctx, const struct held *held)
{
	return ctx->self && ctx->store && ctx->store->file == held->file;
}

/*
 * Make an entry of the record, or find what cannot be saved. @fd is a descriptor
 * that the file has in the table of the lock's owner, or -1.
 */
static int lock_fill(struct ckpt_ctx *ctx, const struct held *held, int fd,
		     struct ckpt_lock *lock)
{
	if (held->flags & FL_LEASE)
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "leases (F_SETLEASE) are not supported");
	if (held->flags & ~KNOWN_FLAGS ||
	    (held->type != F_RDLCK && held->type != F_WRLCK))
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "a lock of an unknown kind (flags 0x%x)",
				   held->flags);
	if (ckpt_external_is(ctx, held->file))
		return ckpt_refuse(ctx, -EBUSY,
				   "a lock that was set through an external file");
	if (!is_file(ctx, held->file))
		return ckpt_refuse(ctx, -EBUSY,
				   "a lock that was set through a file which is not open any more");

	*lock = (struct ckpt_lock) {
		.start = held->start,
		.end = held->end,
		.file = ckpt_ref(ctx, held->file),
		.fd = -1,
		.pid = saved_pid(ctx, held->pid),
		.kind = held->flags & FL_FLOCK ? CKPT_LOCK_FLOCK :
						 CKPT_LOCK_OFD,
		.flags = held->type == F_WRLCK ? CKPT_LOCK_WRITE : 0,
	};
	if (is_posix(held->flags)) {
		lock->kind = CKPT_LOCK_POSIX;
		lock->files = ckpt_ref(ctx, held->owner);
		lock->fd = fd;
		if (fd < 0)
			return ckpt_refuse(ctx, -EBUSY,
					   "a lock that was set through a descriptor which is closed");
	}
	return check_lockable(ctx, held->file);
}

/* Return: how many entries, all of which can be saved, or -errno. */
static int locks_fill(struct ckpt_ctx *ctx, const struct held *held, u32 nr,
		      struct ckpt_lock *locks)
{
	struct ckpt_where old = ctx->where;
	int ret = 0, err, fd = -1;
	u32 i, filled = 0;

	for (i = 0; i < nr; i++) {
		if (is_posix(held[i].flags) && is_of_image(ctx, &held[i]))
			continue;
		/* There may be thousands of each. */
		if (!i || held[i].file != held[i - 1].file ||
		    held[i].owner != held[i - 1].owner) {
			ckpt_about_file(ctx, held[i].file);
			fd = is_posix(held[i].flags) ?
				ckpt_fd_in_table(held[i].owner, held[i].file) :
				-1;
		}
		err = lock_fill(ctx, &held[i], fd, &locks[filled]);
		if (!err)
			filled++;
		ret = ret ?: err;
		cond_resched();
		if (fatal_signal_pending(current))
			ret = ret ?: -EINTR;
		if (ret == -EINTR)
			break;
	}
	ctx->where = old;
	return ret ?: filled;
}

static int locks_walk(struct ckpt_ctx *ctx, struct ckpt_obj *obj, bool save)
{
	struct ckpt_locks rec = {};
	struct ckpt_lock *locks;
	struct held *held;
	u32 nr;
	int ret;

	held = held_get(ctx, inode_of(obj->ptr), &nr);
	if (IS_ERR(held))
		return PTR_ERR(held);
	if (nr > MAX_LOCKS) {
		ret = ckpt_refuse(ctx, -E2BIG,
				  "%u locks on a file, an image holds %zu", nr,
				  MAX_LOCKS);
		goto out_held;
	}
	ret = -ENOMEM;
	locks = kvcalloc(nr ?: 1, sizeof(*locks), GFP_KERNEL_ACCOUNT);
	if (!locks)
		goto out_held;

	ret = locks_fill(ctx, held, nr, locks);
	if (ret >= 0 && save) {
		rec.nr_locks = ret;
		ret = ckpt_write_tail(ctx, obj->kind, obj->ref, &rec,
				      sizeof(rec), locks,
				      rec.nr_locks * sizeof(*locks));
	}
	kvfree(locks);
out_held:
	kvfree(held);
	return min(ret, 0);
}

static int locks_collect(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	return locks_walk(ctx, obj, false);
}

static int locks_save(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	return locks_walk(ctx, obj, true);
}

static int collect_file(struct ckpt_ctx *ctx, const struct ckpt_obj *obj)
{
	struct file *file = obj->ptr;
	struct inode *inode = file_inode(file);
	int ret = 0;

	if (file->f_mode & FMODE_PATH)
		return 0;
	ctx->where.task = obj->task;
	if (obj->flags & CKPT_OBJ_FD && is_file(ctx, file) &&
	    keeper(file) == KEPT_UNSEEN) {
		ckpt_about_file(ctx, file);
		ret = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "its file system (%s) keeps locks where they cannot be seen",
				  inode->i_sb->s_type->name);
		ckpt_about_file(ctx, NULL);
	}
	if (ckpt_obj_find(ctx, object_of(inode)) ||
	    !locks_copy(ctx, inode, NULL, 0))
		return ret;
	return ckpt_collect(ctx, &ckpt_kind_locks, object_of(inode)) ?: ret;
}

/**
 * ckpt_locks_collect() - collect the locks of all collected files
 * @ctx: the checkpoint, after all tasks with their files were collected
 *
 * Return: 0, or the first -errno; a refusal is noted as a reason.
 */
int ckpt_locks_collect(struct ckpt_ctx *ctx)
{
	struct ckpt_where old = ctx->where;
	struct ckpt_obj *obj;
	int ret = 0, err;

	ctx->where.kind = ckpt_kind_locks.name;
	/* What is collected comes behind in the list. */
	list_for_each_entry(obj, &ctx->objs, node) {
		if (obj->kind->family != CKPT_FAMILY_FILE)
			continue;
		err = collect_file(ctx, obj);
		ret = ret ?: err;
		cond_resched();
	}
	ctx->where = old;
	return ret;
}

/* --- restarting ------------------------------------------------------------------ */

/* Is @fd of the table a descriptor of this file? They are in ascending order. */
static bool table_has(struct ckpt_ctx *ctx, const struct ckpt_lock *lock)
{
	const struct ckpt_files *files;
	u32 from = 0, to, at;

	files = ckpt_payload(ckpt_obj_get(ctx, lock->files)->rec,
			     struct ckpt_files);
	to = files->nr_fds;
	while (from < to) {
		at = from + (to - from) / 2;
		if (files->fds[at].fd == lock->fd)
			return files->fds[at].file == lock->file;
		if (files->fds[at].fd < lock->fd)
			from = at + 1;
		else
			to = at;
	}
	return false;
}

static int lock_check(struct ckpt_ctx *ctx, const struct ckpt_lock *lock)
{
	if (lock->pad || lock->flags & ~CKPT_LOCK_WRITE || lock->pid < 0)
		return ckpt_refuse(ctx, -EINVAL, "unknown flags of a lock");
	if (lock->end > OFFSET_MAX || lock->start > lock->end)
		return ckpt_refuse(ctx, -EINVAL, "bad range of a lock");
	if (!ckpt_ref_is_open_file(ctx, lock->file) ||
	    ckpt_ref_is_type(ctx, lock->file, CKPT_REC_FILE_EXTERNAL))
		return ckpt_refuse(ctx, -EINVAL, "a lock without a file");

	switch (lock->kind) {
	case CKPT_LOCK_POSIX:
		/* Closing that descriptor is what ends it. */
		if (!ckpt_ref_is_type(ctx, lock->files, CKPT_REC_FILES) ||
		    !table_has(ctx, lock))
			return ckpt_refuse(ctx, -EINVAL,
					   "a lock without a descriptor");
		return 0;
	case CKPT_LOCK_FLOCK:
		if (lock->start || lock->end != OFFSET_MAX)
			return ckpt_refuse(ctx, -EINVAL,
					   "a lock by flock() with a range");
		fallthrough;
	case CKPT_LOCK_OFD:
		if (lock->files || lock->fd != -1)
			return ckpt_refuse(ctx, -EINVAL,
					   "a lock of an open file with a descriptor");
		return 0;
	default:
		return ckpt_refuse(ctx, -EINVAL, "unknown kind of a lock");
	}
}

static int locks_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_locks *p = ckpt_payload(rec, struct ckpt_locks);
	int ret = 0;
	u32 i;

	if (p->pad || ckpt_tail_len(rec, sizeof(*p)) !=
		      (u64)p->nr_locks * sizeof(p->locks[0]))
		return ckpt_refuse(ctx, -EINVAL, "bad number of locks");
	for (i = 0; i < p->nr_locks && !ret; i++)
		ret = lock_check(ctx, &p->locks[i]);
	return ret;
}

/*
 * The number in the initial pid namespace of the new process that was @saved.
 * Return: 0 when there is none.
 */
static pid_t restored_pid(struct ckpt_ctx *ctx, pid_t saved)
{
	struct pid *pid = ckpt_pid(ctx, saved);

	return pid ? pid_nr(pid) : 0;
}

static bool conflicts(const struct file_lock *fl, struct file_lock_core *c)
{
	const struct file_lock *other = container_of(c, struct file_lock, c);

	if (fl->c.flc_owner == c->flc_owner ||
	    (fl->c.flc_type != F_WRLCK && c->flc_type != F_WRLCK))
		return false;
	return fl->fl_start <= other->fl_end && other->fl_start <= fl->fl_end;
}

/* Who set the lock that is in the way, as the caller knows him; 0: unknown. */
static pid_t find_holder(struct file *file, const struct file_lock *fl)
{
	struct file_lock_context *flctx = locks_inode_context(file_inode(file));
	struct file_lock_core *c;
	struct list_head *list;
	pid_t nr = 0, pid = 0;

	if (!flctx)
		return 0;
	list = fl->c.flc_flags & FL_FLOCK ? &flctx->flc_flock :
					    &flctx->flc_posix;
	spin_lock(&flctx->flc_lock);
	list_for_each_entry(c, list, flc_list) {
		if (conflicts(fl, c)) {
			nr = c->flc_pid;
			break;
		}
	}
	spin_unlock(&flctx->flc_lock);

	if (nr > 0) {
		rcu_read_lock();
		pid = pid_vnr(find_pid_ns(nr, &init_pid_ns));
		rcu_read_unlock();
	}
	return pid;
}

static int refuse_lock(struct ckpt_ctx *ctx, int error, struct file *file,
		       const struct file_lock *fl)
{
	const char *type = fl->c.flc_type == F_WRLCK ? "write" : "read";
	char *buf, *name = NULL;
	pid_t pid;

	buf = kmalloc(PATH_MAX, GFP_KERNEL);
	if (buf)
		name = file_path(file, buf, PATH_MAX);
	if (IS_ERR_OR_NULL(name))
		name = "?";

	pid = find_holder(file, fl);
	if (error != -EAGAIN && error != -EACCES)
		ckpt_refuse(ctx, error, "cannot take a %s lock again: %s", type,
			    name);
	else if (pid && ctx->self && pid == task_tgid_vnr(current))
		error = ckpt_refuse(ctx, -EBUSY,
				    "the caller to be replaced holds a lock that is in the way of a %s lock: %s",
				    type, name);
	else if (pid)
		error = ckpt_refuse(ctx, -EBUSY,
				    "process %d holds a lock that is in the way of a %s lock: %s",
				    pid, type, name);
	else
		error = ckpt_refuse(ctx, -EBUSY,
				    "somebody holds a lock that is in the way of a %s lock: %s",
				    type, name);
	kfree(buf);
	return error;
}

/* What fcntl() and flock() ask of a file. */
static bool mode_allows(const struct file *file, const struct ckpt_lock *lock)
{
	fmode_t need = lock->flags & CKPT_LOCK_WRITE ? FMODE_WRITE : FMODE_READ;

	if (lock->kind == CKPT_LOCK_FLOCK)
		need = FMODE_READ | FMODE_WRITE;
	return file->f_mode & need;
}

static int lock_set(struct file *file, struct file_lock *fl)
{
	int ret;

	ret = security_file_lock(file, fl->c.flc_type);
	if (ret)
		return ret;
	if (!(fl->c.flc_flags & FL_FLOCK))
		return vfs_lock_file(file, F_SETLK, fl, NULL);
	if (file->f_op->flock)
		return file->f_op->flock(file, F_SETLK, fl);
	return locks_lock_file_wait(file, fl);
}

static int lock_restore(struct ckpt_ctx *ctx, const struct ckpt_lock *lock)
{
	struct file *file = ckpt_obj_ptr(ctx, lock->file);
	struct file_lock *fl;
	int ret;

	if (!file || !mode_allows(file, lock))
		return ckpt_refuse(ctx, -EINVAL,
				   "a lock that its file could not have got");
	ret = check_lockable(ctx, file);
	if (ret)
		return ret;

	fl = locks_alloc_lock();
	if (!fl)
		return -ENOMEM;
	fl->c.flc_file = file;
	fl->c.flc_owner = file;
	fl->c.flc_type = lock->flags & CKPT_LOCK_WRITE ? F_WRLCK : F_RDLCK;
	fl->c.flc_flags = lock->kind == CKPT_LOCK_FLOCK ? FL_FLOCK : FL_POSIX;
	if (lock->kind == CKPT_LOCK_POSIX)
		fl->c.flc_owner = ckpt_obj_ptr(ctx, lock->files);
	if (lock->kind == CKPT_LOCK_OFD)
		fl->c.flc_flags |= FL_OFDLCK;
	if (lock->pid)
		fl->c.flc_pid = restored_pid(ctx, lock->pid);
	fl->fl_start = lock->start;
	fl->fl_end = lock->end;

	ret = -EINVAL;
	if (lock->pid && !fl->c.flc_pid) {
		ckpt_refuse(ctx, ret, "a lock of process %d, which is not in the image",
			    lock->pid);
		goto out;
	}
	ret = lock_set(file, fl);
	if (ret)
		ret = refuse_lock(ctx, ret, file, fl);
out:
	locks_free_lock(fl);
	return ret;
}

static int locks_restore(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_locks *p = ckpt_payload(rec, struct ckpt_locks);
	int ret = 0;
	u32 i;

	for (i = 0; i < p->nr_locks && !ret; i++) {
		ret = lock_restore(ctx, &p->locks[i]);
		cond_resched();
		if (!ret && fatal_signal_pending(current))
			ret = -EINTR;
	}
	return ret;
}

/* In the image they stand behind the tables of descriptors. */
const struct ckpt_kind ckpt_kind_locks = {
	.name		= "locks",
	.about		= "file locks: flock(), POSIX and open file description locks",
	.family		= CKPT_FAMILY_OBJECT,
	.type		= CKPT_REC_LOCKS,
	.phase		= CKPT_PHASE_FILES,
	.version	= 1,
	.min_version	= 1,
	CKPT_PAYLOAD_TAIL(struct ckpt_locks,
			  MAX_LOCKS * sizeof(struct ckpt_lock)),
	.object		= true,
	.obj_get	= locks_get,
	.obj_put	= locks_put,
	.obj_collect	= locks_collect,
	.obj_save	= locks_save,
	.check		= locks_check,
	.restore	= locks_restore,
};
