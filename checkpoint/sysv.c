// SPDX-License-Identifier: GPL-2.0
/*
 * System V IPC: shared memory that the tree has attached, and operations on
 * semaphores that its exit is to undo.
 *
 * Of a segment there are three objects: the memory (SHMEM, as other shared
 * memory), the segment with its id, key and rights, and an attached file, which
 * the mappings of one shmat() share. The mappings are those of files (vma.c).
 *
 * A restart makes the memory aside. Then it makes the segment, or takes one
 * that is there, that nobody has attached and that differs in nothing but its
 * contents, as a process that was killed leaves it behind. The memory becomes
 * the segment's; a failure takes this back.
 *
 * Semaphores belong to nobody. Those of an own IPC namespace are saved with it
 * (sysv_ns.c). Other ones are not, but must be there at a restart, which does the
 * operations again.
 */

#include <linux/capability.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/ipc_namespace.h>
#include <linux/mman.h>
#include <linux/nsproxy.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/security.h>
#include <linux/shmem_fs.h>
#include <linux/slab.h>
#include <linux/syscalls.h>
#include <linux/user_namespace.h>
#include <uapi/linux/sem.h>
#include <uapi/linux/shm.h>

#include "../ipc/sem.h"
#include "../ipc/shm.h"
#include "../ipc/util.h"
#include "file.h"
#include "mm.h"
#include "sysv.h"
#include "task.h"

#define SEGMENT_MODE	(0777 | SHM_DEST | SHM_LOCKED)
/* Others may want the same id at the same time. */
#define MAX_TRIES	3

static_assert(sizeof(struct shm_file_data) == 4 * sizeof(void *));

static struct ipc_ids *segment_ids(struct ipc_namespace *ns)
{
	return &ns->ids[IPC_SHM_IDS];
}

/* Only shmat() makes such files: their operations cannot read. */
static bool is_attached(struct file *file)
{
	return ckpt_shmem_is_sysv(file) && shmem_mapping(file->f_mapping) &&
	       file->f_op == &shm_file_operations;
}

static struct file *base_of(struct file *file)
{
	return shm_file_data(file)->file;
}

/*
 * The segment of this id, locked, in an RCU section; ipc_unlock() ends both.
 * @base: its memory; NULL: any
 */
static struct shmid_kernel *segment_lock(struct ipc_namespace *ns, int id,
					 const struct file *base)
{
	struct kern_ipc_perm *perm;
	struct shmid_kernel *shp;

	rcu_read_lock();
	perm = ipc_obtain_object_check(segment_ids(ns), id);
	if (IS_ERR(perm))
		goto none;
	ipc_lock_object(perm);
	shp = container_of(perm, struct shmid_kernel, shm_perm);
	if (ipc_valid_object(perm) && (!base || shp->shm_file == base))
		return shp;
	ipc_unlock_object(perm);
none:
	rcu_read_unlock();
	return NULL;
}

/* --- saving ------------------------------------------------------------------ */

/* The number of the inode is the id, see newseg(). */
static struct shmid_kernel *saved_lock(struct ckpt_ctx *ctx,
				       const struct file *base)
{
	return segment_lock(ctx->ns->ipc_ns, file_inode(base)->i_ino, base);
}

/**
 * ckpt_sysv_has_owner() - do all four have numbers in the tree's user namespace?
 * @ctx: the checkpoint
 * @perm: the object
 *
 * Return: false for one that cannot be saved.
 */
bool ckpt_sysv_has_owner(struct ckpt_ctx *ctx, const struct kern_ipc_perm *perm)
{
	struct user_namespace *ns = ctx->user_ns;

	return kuid_has_mapping(ns, perm->uid) &&
	       kgid_has_mapping(ns, perm->gid) &&
	       kuid_has_mapping(ns, perm->cuid) &&
	       kgid_has_mapping(ns, perm->cgid);
}

static int segment_collect(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	struct shmid_kernel *shp = saved_lock(ctx, obj->ptr);
	bool owned = false;
	int ret = 0, err;

	if (shp) {
		owned = ckpt_sysv_has_owner(ctx, &shp->shm_perm);
		ipc_unlock(&shp->shm_perm);
	}
	if (!shp)
		ret = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "a System V segment of another IPC namespace");
	else if (!owned)
		ret = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "System V segment %lu has an owner without a number in the user namespace",
				  file_inode(obj->ptr)->i_ino);
	err = ckpt_collect(ctx, &ckpt_kind_shmem, file_inode(obj->ptr));
	return ret ?: err;
}

/**
 * ckpt_sysv_count_users() - how many of a segment's users are in the tree?
 * @ctx: the checkpoint, after everything was collected
 *
 * Each mapping is a use of what shmat() has attached, and is counted by the
 * segment, too.
 */
void ckpt_sysv_count_users(struct ckpt_ctx *ctx)
{
	struct ckpt_obj *obj, *segment;

	list_for_each_entry(obj, &ctx->objs, node)
		if (obj->kind == &ckpt_kind_sysv_shm)
			obj->users = 0;
	list_for_each_entry(obj, &ctx->objs, node) {
		if (obj->kind != &ckpt_kind_file_sysv)
			continue;
		segment = ckpt_obj_find(ctx, base_of(obj->ptr));
		if (segment)
			segment->users += obj->users;
	}
}

/**
 * ckpt_sysv_check_leaks() - is a segment attached only within the tree?
 * @ctx: the checkpoint, after ckpt_sysv_count_users()
 * @obj: the segment
 *
 * Return: 0, or -EBUSY, noted as a reason.
 */
int ckpt_sysv_check_leaks(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	struct shmid_kernel *shp;
	unsigned long nattch;

	shp = saved_lock(ctx, obj->ptr);
	if (!shp)
		return 0;
	nattch = shp->shm_nattch;
	ipc_unlock(&shp->shm_perm);
	if (nattch <= obj->users)
		return 0;
	return ckpt_refuse(ctx, -EBUSY,
			   "System V segment %lu is attached by a process outside",
			   file_inode(obj->ptr)->i_ino);
}

static int segment_save(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	struct user_namespace *ns = ctx->user_ns;
	struct file *base = obj->ptr;
	struct ckpt_sysv_shm rec = {};
	struct shmid_kernel *shp;

	shp = saved_lock(ctx, base);
	if (!shp)
		return ckpt_refuse(ctx, -ESRCH,
				   "was killed during the checkpoint");
	rec.id = shp->shm_perm.id;
	rec.key = shp->shm_perm.key;
	rec.mode = shp->shm_perm.mode & SEGMENT_MODE;
	rec.uid = from_kuid(ns, shp->shm_perm.uid);
	rec.gid = from_kgid(ns, shp->shm_perm.gid);
	rec.cuid = from_kuid(ns, shp->shm_perm.cuid);
	rec.cgid = from_kgid(ns, shp->shm_perm.cgid);
	rec.cpid = pid_nr_ns(shp->shm_cprid, ctx->pid_ns);
	rec.lpid = pid_nr_ns(shp->shm_lprid, ctx->pid_ns);
	rec.atime = shp->shm_atim;
	rec.dtime = shp->shm_dtim;
	rec.ctime = shp->shm_ctim;
	ipc_unlock(&shp->shm_perm);
	rec.shmem = ckpt_ref(ctx, file_inode(base));
	return ckpt_write(ctx, obj->kind, obj->ref, &rec, sizeof(rec));
}

/* --- restarting -------------------------------------------------------------- */

/**
 * struct segment - a segment that is restored
 * @ns: where it is
 * @id: its id
 * @file: its memory now
 * @held: shm_nattch counts us, so that it neither goes away nor seems unused
 * @old: its memory before; NULL: the restart has made it
 * @atime: of it before: our mappings change this,
 * @dtime: ... this,
 * @lpid: ... and this
 */
struct segment {
	struct ipc_namespace *ns;
	int id;
	struct file *file;
	bool held;
	struct file *old;
	time64_t atime;
	time64_t dtime;
	struct pid *lpid;
};

/* Who locked it meanwhile is charged for as much, and has the other one locked. */
static void move_lock(struct file *from, struct file *to)
{
	SHMEM_I(file_inode(from))->flags &= ~VM_LOCKED;
	mapping_clear_unevictable(from->f_mapping);
	SHMEM_I(file_inode(to))->flags |= VM_LOCKED;
	mapping_set_unevictable(to->f_mapping);
}

/* Nobody but a failed restart has had it attached. */
static void put_back(struct segment *seg, struct shmid_kernel *shp)
{
	if (shp->shm_perm.mode & SHM_LOCKED)
		move_lock(shp->shm_file, seg->old);
	swap(shp->shm_file, seg->old);
	shp->shm_atim = seg->atime;
	shp->shm_dtim = seg->dtime;
	ipc_update_pid(&shp->shm_lprid, seg->lpid);
}

/*
 * It was not to be, or is what it was. Its owner can have removed it meanwhile,
 * and it is for us to do what was put off until nobody has it.
 */
static void segment_undo(struct segment *seg)
{
	struct shmid_kernel *shp;

	down_write(&segment_ids(seg->ns)->rwsem);
	shp = segment_lock(seg->ns, seg->id, seg->file);
	if (shp) {
		shp->shm_nattch--;
		/* Else somebody has attached it by now, and has the new one. */
		if (seg->old && !shp->shm_nattch)
			put_back(seg, shp);
		if (!seg->old || shp->shm_perm.mode & SHM_DEST)
			do_shm_rmid(seg->ns, &shp->shm_perm);
		else
			ipc_unlock(&shp->shm_perm);
	}
	up_write(&segment_ids(seg->ns)->rwsem);
}

static void segment_release(void *ptr)
{
	struct segment *seg = ptr;

	if (seg->held)
		segment_undo(seg);
	if (seg->old)
		fput(seg->old);
	put_pid(seg->lpid);
	fput(seg->file);
	put_ipc_ns(seg->ns);
	kfree(seg);
}

static int segment_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_sysv_shm *p = ckpt_payload(rec, struct ckpt_sysv_shm);
	struct ckpt_obj *shmem;

	if (p->id < 0 || p->mode & ~SEGMENT_MODE ||
	    (p->mode & SHM_DEST && p->key != IPC_PRIVATE))
		return ckpt_refuse(ctx, -EINVAL,
				   "bad id, key or mode of a System V segment");
	if (p->uid == (u32)-1 || p->gid == (u32)-1 || p->cuid == (u32)-1 ||
	    p->cgid == (u32)-1 || p->cpid < 0 || p->lpid < 0)
		return ckpt_refuse(ctx, -EINVAL,
				   "bad owner of a System V segment");
	shmem = ckpt_obj_get(ctx, p->shmem);
	if (!ckpt_ref_is_type(ctx, p->shmem, CKPT_REC_SHMEM) ||
	    !(ckpt_payload(shmem->rec, struct ckpt_shmem)->flags &
	      CKPT_SHMEM_SYSV) || shmem->flags & CKPT_OBJ_CREATED)
		return ckpt_refuse(ctx, -EINVAL,
				   "bad memory of a System V segment");
	shmem->flags |= CKPT_OBJ_CREATED;
	return 0;
}

static bool same_owner(const struct kern_ipc_perm *perm,
		       const struct ckpt_sysv_shm *p)
{
	struct user_namespace *ns = current_user_ns();

	return from_kuid(ns, perm->uid) == p->uid &&
	       from_kgid(ns, perm->gid) == p->gid &&
	       from_kuid(ns, perm->cuid) == p->cuid &&
	       from_kgid(ns, perm->cgid) == p->cgid;
}

/* The one that is there becomes ours if it is what was left behind. */
static int segment_reuse(struct ckpt_ctx *ctx, struct segment *seg,
			 const struct ckpt_sysv_shm *p)
{
	struct kern_ipc_perm *perm;
	struct shmid_kernel *shp;
	const char *why = NULL;
	int ret = 0;

	down_write(&segment_ids(seg->ns)->rwsem);
	rcu_read_lock();
	/* Who may remove it and make it anew may change it all. */
	perm = ipcctl_obtain_check(seg->ns, segment_ids(seg->ns), seg->id,
				   IPC_RMID, NULL, 0);
	if (IS_ERR(perm)) {
		rcu_read_unlock();
		up_write(&segment_ids(seg->ns)->rwsem);
		return ckpt_refuse(ctx, PTR_ERR(perm),
				   "System V segment %d exists and cannot be replaced",
				   seg->id);
	}
	ret = security_shm_shmctl(perm, IPC_RMID);
	ipc_lock_object(perm);
	shp = container_of(perm, struct shmid_kernel, shm_perm);
	if (shp->shm_nattch)
		why = "somebody has it attached";
	else if (perm->key != p->key ||
		 shp->shm_segsz != i_size_read(file_inode(seg->file)) ||
		 (perm->mode ^ p->mode) & SEGMENT_MODE ||
		 !same_owner(perm, p) || perm->mode & SHM_LOCKED ||
		 !shmem_mapping(shp->shm_file->f_mapping))
		why = "it is another one";
	if (!ret && !why) {
		shp->shm_nattch++;
		seg->held = true;
		seg->atime = shp->shm_atim;
		seg->dtime = shp->shm_dtim;
		seg->lpid = get_pid(shp->shm_lprid);
		seg->old = shp->shm_file;
		shp->shm_file = get_file(seg->file);
	}
	ipc_unlock(perm);
	up_write(&segment_ids(seg->ns)->rwsem);
	if (why)
		return ckpt_refuse(ctx, -EBUSY,
				   "System V segment %d exists, and %s (key 0x%08x); see ipcrm(1)",
				   seg->id, why, p->key);
	if (ret)
		return ckpt_refuse(ctx, ret,
				   "a security module forbids to replace System V segment %d",
				   seg->id);
	return 0;
}

/**
 * ckpt_sysv_want_id() - which id does the next object get?
 * @ids: of segments, sets or queues
 * @from: only if it is still this wish that is pending; -1: whatever there is
 * @to: the id, or -1 for any
 *
 * As its sysctl does it.
 */
void ckpt_sysv_want_id(struct ipc_ids *ids, int from, int to)
{
#ifdef CONFIG_CHECKPOINT_RESTORE
	down_write(&ids->rwsem);
	if (from < 0 || ids->next_id == from)
		ids->next_id = to;
	up_write(&ids->rwsem);
#endif
}

/* It was just made. */
static void remove_new(struct ipc_namespace *ns, int id)
{
	struct shmid_kernel *shp;

	down_write(&segment_ids(ns)->rwsem);
	shp = segment_lock(ns, id, NULL);
	if (shp)
		do_shm_rmid(ns, &shp->shm_perm);
	up_write(&segment_ids(ns)->rwsem);
}

static int segment_new(struct ckpt_ctx *ctx, struct segment *seg,
		       const struct ckpt_sysv_shm *p)
{
	size_t size = i_size_read(file_inode(seg->file));
	struct shmid_kernel *shp;
	unsigned int tries;
	int id;

	if (!checkpoint_restore_ns_capable(seg->ns->user_ns))
		return ckpt_refuse(ctx, -EPERM,
				   "choosing the id of System V segment %d needs CAP_CHECKPOINT_RESTORE",
				   seg->id);
	for (tries = 0; tries < MAX_TRIES; tries++) {
		ckpt_sysv_want_id(segment_ids(seg->ns), -1, seg->id);
		/* Its own memory is given back at once. */
		id = ksys_shmget(p->key, size, IPC_CREAT | IPC_EXCL |
					       SHM_NORESERVE | 0600);
		ckpt_sysv_want_id(segment_ids(seg->ns), seg->id, -1);
		if (id == seg->id || id < 0)
			break;
		remove_new(seg->ns, id);
	}
	if (id == -EEXIST)
		return ckpt_refuse(ctx, -EEXIST,
				   "there is another System V segment with key 0x%08x; see ipcrm(1)",
				   p->key);
	if (id < 0)
		return ckpt_refuse(ctx, id,
				   "cannot make a System V segment of %zu bytes",
				   size);
	if (id != seg->id)
		return ckpt_refuse(ctx, -EBUSY,
				   "the id of System V segment %d is not free",
				   seg->id);

	shp = segment_lock(seg->ns, id, NULL);
	if (!shp)
		return ckpt_refuse(ctx, -EIDRM,
				   "System V segment %d was removed", id);
	/* It is empty, but who has it would be counted for what it becomes. */
	if (shp->shm_nattch || shp->shm_perm.mode & SHM_LOCKED) {
		ipc_unlock(&shp->shm_perm);
		remove_new(seg->ns, id);
		return ckpt_refuse(ctx, -EBUSY,
				   "somebody has attached or locked System V segment %d as it was made",
				   id);
	}
	shp->shm_nattch++;
	seg->held = true;
	seg->old = shp->shm_file;
	shp->shm_file = get_file(seg->file);
	ipc_unlock(&shp->shm_perm);
	/* Nobody wants that one back. */
	fput(seg->old);
	seg->old = NULL;
	return 0;
}

/**
 * ckpt_sysv_check_owner() - may the caller make what is owned like this?
 * @ctx: the restart
 * @p: the saved owner and creator
 *
 * As IPC_SET, by which an owner can make anybody the owner. The creator is who
 * it is; to be somebody else is what setresuid() asks for.
 *
 * Context: the caller's credentials.
 * Return: 0 or -errno, noted as a reason.
 */
int ckpt_sysv_check_owner(struct ckpt_ctx *ctx, const struct ckpt_ipc_perm *p)
{
	struct user_namespace *ns = current_user_ns();
	kuid_t cuid = make_kuid(ns, p->cuid);
	kgid_t cgid = make_kgid(ns, p->cgid);

	if (!uid_valid(cuid) || !gid_valid(cgid))
		return ckpt_refuse(ctx, -EINVAL,
				   "no user or group %u:%u in this user namespace",
				   p->cuid, p->cgid);
	if (!uid_valid(make_kuid(ns, p->uid)) ||
	    !gid_valid(make_kgid(ns, p->gid)))
		return ckpt_refuse(ctx, -EINVAL,
				   "no user or group %u:%u in this user namespace",
				   p->uid, p->gid);
	if ((!uid_eq(cuid, current_euid()) && !ns_capable(ns, CAP_SETUID)) ||
	    (!gid_eq(cgid, current_egid()) && !ns_capable(ns, CAP_SETGID)))
		return ckpt_refuse(ctx, -EPERM,
				   "System V IPC object %d was made by user %u, group %u",
				   p->id, p->cuid, p->cgid);
	return 0;
}

/**
 * ckpt_sysv_set_owner() - give an object its saved owner, creator and rights
 * @ctx: the restart
 * @perm: the object, locked
 * @p: what was saved, for which ckpt_sysv_check_owner() was asked
 */
void ckpt_sysv_set_owner(struct ckpt_ctx *ctx, struct kern_ipc_perm *perm,
			 const struct ckpt_ipc_perm *p)
{
	struct user_namespace *ns = ctx->caller_cred->user_ns;

	perm->uid = make_kuid(ns, p->uid);
	perm->gid = make_kgid(ns, p->gid);
	perm->cuid = make_kuid(ns, p->cuid);
	perm->cgid = make_kgid(ns, p->cgid);
	perm->mode = (perm->mode & ~0777) | (p->mode & 0777);
}

static int set_owner(struct ckpt_ctx *ctx, struct segment *seg,
		     const struct ckpt_sysv_shm *p)
{
	const struct ckpt_ipc_perm perm = {
		.id = p->id,
		.mode = p->mode,
		.uid = p->uid,
		.gid = p->gid,
		.cuid = p->cuid,
		.cgid = p->cgid,
	};
	struct shmid_kernel *shp;
	int ret;

	ret = ckpt_sysv_check_owner(ctx, &perm);
	if (ret)
		return ret;
	shp = segment_lock(seg->ns, seg->id, seg->file);
	if (!shp)
		return ckpt_refuse(ctx, -EIDRM,
				   "System V segment %d was removed", seg->id);
	ckpt_sysv_set_owner(ctx, &shp->shm_perm, &perm);
	ipc_unlock(&shp->shm_perm);
	return 0;
}

/* As SHM_LOCK by the owner. */
static int lock_memory(struct ckpt_ctx *ctx, struct segment *seg)
{
	struct ucounts *ucounts = current_ucounts();
	struct shmid_kernel *shp;
	int ret = -EPERM;

	if (ns_capable(seg->ns->user_ns, CAP_IPC_LOCK) ||
	    rlimit(RLIMIT_MEMLOCK)) {
		ret = -EIDRM;
		shp = segment_lock(seg->ns, seg->id, seg->file);
		if (shp) {
			ret = shmem_lock(seg->file, 1, ucounts);
			if (!ret) {
				shp->shm_perm.mode |= SHM_LOCKED;
				shp->mlock_ucounts = ucounts;
			}
			ipc_unlock(&shp->shm_perm);
		}
	}
	if (ret)
		return ckpt_refuse(ctx, ret,
				   "cannot lock System V segment %d in memory",
				   seg->id);
	return 0;
}

static int segment_make(struct ckpt_ctx *ctx, struct segment *seg,
			const struct ckpt_sysv_shm *p)
{
	struct shmid_kernel *shp = segment_lock(seg->ns, seg->id, NULL);
	int ret;

	if (shp) {
		ipc_unlock(&shp->shm_perm);
		return segment_reuse(ctx, seg, p);
	}
	ret = segment_new(ctx, seg, p);
	if (!ret)
		ret = set_owner(ctx, seg, p);
	if (!ret && p->mode & SHM_LOCKED)
		ret = lock_memory(ctx, seg);
	return ret;
}

static int segment_restore(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_sysv_shm *p = ckpt_payload(rec, struct ckpt_sysv_shm);
	const struct cred *old;
	struct segment *seg;
	int ret;

	seg = kzalloc(sizeof(*seg), GFP_KERNEL_ACCOUNT);
	if (!seg)
		return -ENOMEM;
	seg->ns = get_ipc_ns(current->nsproxy->ipc_ns);
	seg->id = p->id;
	seg->file = get_file(ckpt_obj_ptr(ctx, p->shmem));
	ckpt_obj_set(ctx, rec->objref, seg, segment_release);
	/* As newseg() does it, for /proc/PID/maps. */
	file_inode(seg->file)->i_ino = p->id;

	old = override_creds(ctx->caller_cred);
	ret = segment_make(ctx, seg, p);
	revert_creds(old);
	return ret;
}

/**
 * ckpt_sysv_set_pid() - who was the last one?
 * @ctx: the restart
 * @to: where it stands
 * @saved: its saved number, 0: nobody
 *
 * With fresh pids the number of who is outside is another one's, or nobody's.
 *
 * Context: an RCU section, the object's lock.
 */
void ckpt_sysv_set_pid(struct ckpt_ctx *ctx, struct pid **to, pid_t saved)
{
	struct pid *pid = ckpt_pid(ctx, saved);

	if (!pid && !(ctx->flags & RESTART_FRESH_PIDS))
		pid = find_vpid(saved);
	ipc_update_pid(to, pid);
}

static void segment_commit(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_sysv_shm *p = ckpt_payload(rec, struct ckpt_sysv_shm);
	struct segment *seg = ckpt_obj_ptr(ctx, rec->objref);
	struct shmid_kernel *shp;

	down_write(&segment_ids(seg->ns)->rwsem);
	shp = segment_lock(seg->ns, seg->id, seg->file);
	if (shp) {
		shp->shm_nattch--;
		shp->shm_atim = p->atime;
		shp->shm_dtim = p->dtime;
		shp->shm_ctim = p->ctime;
		ckpt_sysv_set_pid(ctx, &shp->shm_cprid, p->cpid);
		ckpt_sysv_set_pid(ctx, &shp->shm_lprid, p->lpid);
		/* It was removed, before or now, and goes with its last user. */
		if ((p->mode | shp->shm_perm.mode) & SHM_DEST)
			do_shm_rmid(seg->ns, &shp->shm_perm);
		else
			ipc_unlock(&shp->shm_perm);
	}
	seg->held = false;
	up_write(&segment_ids(seg->ns)->rwsem);
}

const struct ckpt_kind ckpt_kind_sysv_shm = {
	.name		= "sysv_shm",
	.about		= "attached System V segments: id, key, rights, locked, removed, times",
	.family		= CKPT_FAMILY_OBJECT,
	.type		= CKPT_REC_SYSV_SHM,
	.phase		= CKPT_PHASE_OBJECT,
	.version	= 1,
	.min_version	= 1,
	CKPT_PAYLOAD(struct ckpt_sysv_shm),
	.object		= true,
	.obj_get	= ckpt_file_get,
	.obj_put	= ckpt_file_put,
	.obj_collect	= segment_collect,
	.obj_save	= segment_save,
	.check		= segment_check,
	.restore	= segment_restore,
	.commit		= segment_commit,
};

/* --- attached files ---------------------------------------------------------- */

static int attached_collect(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	return ckpt_collect(ctx, &ckpt_kind_sysv_shm, base_of(obj->ptr));
}

static int attached_save(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	struct file *file = obj->ptr;
	struct ckpt_file_sysv rec = {
		.segment = ckpt_ref(ctx, base_of(file)),
	};

	if (!(file->f_mode & FMODE_WRITE))
		rec.flags |= CKPT_SYSV_RDONLY;
	return ckpt_write(ctx, obj->kind, obj->ref, &rec, sizeof(rec));
}

static int attached_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_file_sysv *p = ckpt_payload(rec, struct ckpt_file_sysv);

	if (p->flags & ~CKPT_SYSV_RDONLY ||
	    !ckpt_ref_is_type(ctx, p->segment, CKPT_REC_SYSV_SHM))
		return ckpt_refuse(ctx, -EINVAL,
				   "bad attached System V segment");
	return 0;
}

/* As in do_shmat(): the file has the memory, the namespace and the id. */
static struct file *attach(const struct segment *seg, bool rdonly)
{
	struct shm_file_data *sfd;
	struct file *file;

	sfd = kzalloc(sizeof(*sfd), GFP_KERNEL);
	if (!sfd)
		return ERR_PTR(-ENOMEM);
	file = alloc_file_clone(seg->file, rdonly ? O_RDONLY : O_RDWR,
				&shm_file_operations);
	if (IS_ERR(file)) {
		kfree(sfd);
		return file;
	}
	sfd->id = seg->id;
	sfd->ns = get_ipc_ns(seg->ns);
	sfd->file = get_file(seg->file);
	file->private_data = sfd;
	return file;
}

/*
 * The memory holds what is in the image, and the caller could remove the
 * segment: its mode keeps nothing from him. A security module may.
 */
static int attached_restore(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_file_sysv *p = ckpt_payload(rec, struct ckpt_file_sysv);
	bool rdonly = p->flags & CKPT_SYSV_RDONLY;
	struct segment *seg = ckpt_obj_ptr(ctx, p->segment);
	struct shmid_kernel *shp;
	struct file *file;
	int ret = -EIDRM;

	shp = segment_lock(seg->ns, seg->id, seg->file);
	if (shp) {
		ret = security_shm_shmat(&shp->shm_perm, NULL,
					 rdonly ? SHM_RDONLY : 0);
		ipc_unlock(&shp->shm_perm);
	}
	file = ret ? ERR_PTR(ret) : attach(seg, rdonly);
	if (IS_ERR(file))
		return ckpt_refuse(ctx, PTR_ERR(file),
				   "cannot attach System V segment %d", seg->id);
	ckpt_obj_set(ctx, rec->objref, file, ckpt_file_put);
	return 0;
}

const struct ckpt_kind ckpt_kind_file_sysv = {
	.name		= "file_sysv",
	.about		= "what shmat() attaches",
	.family		= CKPT_FAMILY_FILE,
	.type		= CKPT_REC_FILE_SYSV,
	.phase		= CKPT_PHASE_OBJECT,
	.version	= 1,
	.min_version	= 1,
	CKPT_PAYLOAD(struct ckpt_file_sysv),
	.object		= true,
	.obj_get	= ckpt_file_get,
	.obj_put	= ckpt_file_put,
	.obj_collect	= attached_collect,
	.obj_save	= attached_save,
	.file_match	= is_attached,
	.check		= attached_check,
	.restore	= attached_restore,
};

/* --- operations to undo ------------------------------------------------------ */

/* A reference is put by exit_sem(), which has ids of the tree's namespace. */
static bool is_in_trees_ns(struct ckpt_ctx *ctx, struct task_struct *task)
{
	bool ret;

	task_lock(task);
	ret = task->nsproxy &&
	      task->nsproxy->ipc_ns == ctx->ns->ipc_ns;
	task_unlock(task);
	return ret;
}

/*
 * Its exit lets go of the list, and undoes what is in it if that was the last
 * reference. As long as we have siglock it is not killed, and does not exit.
 * Return: NULL also in another IPC namespace, for which there is a reason.
 */
static struct sem_undo_list *undo_get(struct ckpt_ctx *ctx,
				      struct task_struct *task)
{
	struct sem_undo_list *ulp = NULL;
	unsigned long flags;

	if (!is_in_trees_ns(ctx, task) || !lock_task_sighand(task, &flags))
		return NULL;
	if (!(task->signal->flags & SIGNAL_GROUP_EXIT))
		ulp = task->sysvsem.undo_list;
	if (ulp)
		refcount_inc(&ulp->refcnt);
	unlock_task_sighand(task, &flags);
	return ulp;
}

/* Only exit_sem() needs to see current in other namespaces. */
static struct nsproxy *swap_nsproxy(struct nsproxy *ns)
{
	struct nsproxy *old;

	task_lock(current);
	old = current->nsproxy;
	current->nsproxy = ns;
	task_unlock(current);
	return old;
}

/* What the task has left to us if it was killed is done now. */
static void undo_put(struct ckpt_ctx *ctx, struct sem_undo_list *ulp)
{
	struct sem_undo_list *own = current->sysvsem.undo_list;
	struct nsproxy *ns = swap_nsproxy(ctx->ns);

	current->sysvsem.undo_list = ulp;
	exit_sem(current);
	current->sysvsem.undo_list = own;
	swap_nsproxy(ns);
}

/*
 * Copy what the nth element adds.
 * Return: how many adjustments, maybe none, or -ENOENT behind the last one.
 */
static int undo_copy(struct ckpt_ctx *ctx, struct sem_undo_list *ulp,
		     unsigned int nth,
		     struct ckpt_sem_undo *rec)
{
	struct ipc_ids *ids = &ctx->ns->ipc_ns->ids[IPC_SEM_IDS];
	struct kern_ipc_perm *perm = ERR_PTR(-ENOENT);
	struct sem_undo *un;
	u32 i, nr = 0;
	int ret = 0;

	rcu_read_lock();
	spin_lock(&ulp->lock);
	list_for_each_entry(un, &ulp->list_proc, list_proc)
		if (!nth--)
			break;
	if (list_entry_is_head(un, &ulp->list_proc, list_proc)) {
		ret = -ENOENT;
		goto out;
	}
	/* -1 when the set was removed just now. */
	if (un->semid >= 0)
		perm = ipc_obtain_object_check(ids, un->semid);
	if (IS_ERR(perm))
		goto out;
	rec->semid = un->semid;
	rec->key = perm->key;
	rec->nr_sems = container_of(perm, struct sem_array, sem_perm)->sem_nsems;
	for (i = 0; i < min(rec->nr_sems, CKPT_MAX_SEMS); i++) {
		if (!un->semadj[i])
			continue;
		rec->adj[nr].num = i;
		rec->adj[nr].adj = un->semadj[i];
		nr++;
	}
	ret = nr;
out:
	spin_unlock(&ulp->lock);
	rcu_read_unlock();
	return ret;
}

static int undo_save_list(struct ckpt_ctx *ctx, struct task_struct *task,
			  struct sem_undo_list *ulp)
{
	struct ckpt_sem_undo *rec;
	unsigned int i;
	int nr, ret = 0;

	rec = kvzalloc(struct_size(rec, adj, CKPT_MAX_SEMS), GFP_KERNEL);
	if (!rec)
		return -ENOMEM;
	for (i = 0; !ret; i++) {
		nr = undo_copy(ctx, ulp, i, rec);
		if (nr < 0)
			break;
		if (nr)
			ret = ckpt_write_tail(ctx, &ckpt_kind_sysvsem,
					      ckpt_ref(ctx, task), rec,
					      sizeof(*rec), rec->adj,
					      nr * sizeof(rec->adj[0]));
	}
	kvfree(rec);
	return ret;
}

/*
 * The kernel allows an adjustment of -32768, but no operation of 32768. Nobody
 * else has the list, and who could change it stands still; nobody removes a set.
 */
static bool undo_is_too_much(struct ckpt_ctx *ctx,
			     const struct sem_undo_list *ulp)
{
	struct ipc_ids *ids = &ctx->ns->ipc_ns->ids[IPC_SEM_IDS];
	const struct kern_ipc_perm *perm;
	const struct sem_undo *un;
	bool ret = false;
	int i, nr;

	down_read(&ids->rwsem);
	list_for_each_entry(un, &ulp->list_proc, list_proc) {
		rcu_read_lock();
		perm = ipc_obtain_object_check(ids, un->semid);
		nr = IS_ERR(perm) ? 0 :
		     container_of(perm, struct sem_array, sem_perm)->sem_nsems;
		for (i = 0; i < nr; i++)
			ret |= un->semadj[i] == SHRT_MIN;
		rcu_read_unlock();
		cond_resched();
	}
	up_read(&ids->rwsem);
	return ret;
}

/* Threads share a list, other processes could by clone(CLONE_SYSVSEM). */
static int sysvsem_collect(struct ckpt_ctx *ctx, struct task_struct *task)
{
	struct sem_undo_list *ulp = undo_get(ctx, task);
	struct task_struct *first = ckpt_first_thread(task), *t;
	unsigned int known = 1;
	int ret = 0;

	if (!ulp)
		return 0;
	/* The first thread answers for those that share its list. */
	if (task != first && READ_ONCE(first->sysvsem.undo_list) == ulp)
		goto out;
	rcu_read_lock();
	for_each_thread(task, t)
		if (READ_ONCE(t->sysvsem.undo_list) == ulp)
			known++;
	rcu_read_unlock();
	/* An empty list is shared as well: what will be in it is undone once. */
	if (refcount_read(&ulp->refcnt) > known)
		ret = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "shares System V semaphore operations to undo with another process (CLONE_SYSVSEM)");
	else if (!list_empty_careful(&ulp->list_proc) &&
		 READ_ONCE(first->sysvsem.undo_list) != ulp)
		ret = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "a thread has System V semaphore operations of its own to undo");
	else if (undo_is_too_much(ctx, ulp))
		ret = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "a System V semaphore was raised by 32768 in all, to be undone");
out:
	undo_put(ctx, ulp);
	return ret;
}

static int sysvsem_save(struct ckpt_ctx *ctx, struct task_struct *task)
{
	struct sem_undo_list *ulp;
	int ret = 0;

	if (ckpt_first_thread(task) != task)
		return 0;
	ulp = undo_get(ctx, task);
	if (!ulp)
		return 0;
	if (!list_empty_careful(&ulp->list_proc))
		ret = undo_save_list(ctx, task, ulp);
	undo_put(ctx, ulp);
	return ret;
}

static int sysvsem_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_sem_undo *p = ckpt_payload(rec, struct ckpt_sem_undo);
	u32 i, len = ckpt_tail_len(rec, sizeof(*p));
	u32 nr = len / sizeof(p->adj[0]);
	s64 last = -1;

	if (p->semid < 0 || p->pad || !nr || len % sizeof(p->adj[0]))
		return ckpt_refuse(ctx, -EINVAL,
				   "bad System V semaphore operations to undo");
	for (i = 0; i < nr; i++) {
		s32 adj = p->adj[i].adj;

		if (p->adj[i].num <= last ||
		    p->adj[i].num >= min(p->nr_sems, CKPT_MAX_SEMS) || !adj ||
		    adj < -SHRT_MAX || adj > SHRT_MAX)
			return ckpt_refuse(ctx, -EINVAL,
					   "bad System V semaphore operation to undo");
		last = p->adj[i].num;
	}
	return 0;
}

/* Are these the semaphores that it knew? */
static int same_semaphores(struct ckpt_ctx *ctx, const struct ckpt_sem_undo *p)
{
	struct ipc_ids *ids = &current->nsproxy->ipc_ns->ids[IPC_SEM_IDS];
	struct kern_ipc_perm *perm;
	struct sem_array *sma;
	int ret = 0;

	rcu_read_lock();
	perm = ipc_obtain_object_check(ids, p->semid);
	if (IS_ERR(perm)) {
		ret = -ENOENT;
	} else {
		sma = container_of(perm, struct sem_array, sem_perm);
		if (perm->key != (key_t)p->key || sma->sem_nsems != p->nr_sems)
			ret = -ESTALE;
	}
	rcu_read_unlock();
	if (ret)
		return ckpt_refuse(ctx, ret,
				   "the System V semaphores %d (key 0x%08x) on which it has operations to undo are %s",
				   p->semid, p->key,
				   ret == -ENOENT ? "gone" : "others now");
	return 0;
}

/*
 * When the process ended its operations were undone; if it has not ended, or
 * somebody else has what it had, they cannot be done a second time. Should this
 * restart fail, the exit of the new task undoes them.
 */
static int sysvsem_restore(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_sem_undo *p = ckpt_payload(rec, struct ckpt_sem_undo);
	u32 i, nr = ckpt_tail_len(rec, sizeof(*p)) / sizeof(p->adj[0]);
	struct ipc_namespace *ns = current->nsproxy->ipc_ns;
	const struct ipc_ref *made;
	const struct cred *old;
	int ret;

	if (ctx->self)
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "System V semaphore operations to undo cannot replace those of the caller");
	ret = same_semaphores(ctx, p);
	if (ret)
		return ret;
	made = ckpt_sysv_sem_find(ctx, p->semid);
	old = override_creds(ctx->caller_cred);
	for (i = 0; i < nr && !ret; i++) {
		struct sembuf op = {
			.sem_num = p->adj[i].num,
			.sem_op = -p->adj[i].adj,
			.sem_flg = SEM_UNDO | IPC_NOWAIT,
		};

		if (made)
			ckpt_sysv_sem_ready(made, op.sem_num, op.sem_op);
		ret = __do_semtimedop(p->semid, &op, 1, NULL, ns);
		if (fatal_signal_pending(current))
			ret = -EINTR;
		cond_resched();
	}
	revert_creds(old);
	if (ret == -EAGAIN)
		return ckpt_refuse(ctx, -EBUSY,
				   "somebody else has got semaphore %u of the System V semaphores %d",
				   p->adj[i - 1].num, p->semid);
	if (ret)
		return ckpt_refuse(ctx, ret,
				   "cannot operate on the System V semaphores %d",
				   p->semid);
	return 0;
}

const struct ckpt_kind ckpt_kind_sysvsem = {
	.name		= "sysvsem",
	.about		= "semaphore operations to undo (SEM_UNDO); the semaphores must be there",
	.family		= CKPT_FAMILY_TASK,
	.type		= CKPT_REC_SEM_UNDO,
	.phase		= CKPT_PHASE_TASK,
	.version	= 1,
	.min_version	= 1,
	CKPT_PAYLOAD_TAIL(struct ckpt_sem_undo,
			  CKPT_MAX_SEMS * sizeof(struct ckpt_sem_adj)),
	.task_collect	= sysvsem_collect,
	.task_save	= sysvsem_save,
	.check		= sysvsem_check,
	.restore	= sysvsem_restore,
};
