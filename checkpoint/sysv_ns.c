// SPDX-License-Identifier: GPL-2.0
/*
 * What an IPC namespace holds that is the tree's own: sets of semaphores,
 * message queues, segments of shared memory that nobody has attached, POSIX
 * message queues that nobody has open, and the limits.
 *
 * They belong to no process. In a namespace that others use, too, they are those
 * others', and are not saved.
 *
 * A restart makes them in the caller's namespace, with their ids. Messages take
 * their places at once. What is to be undone when a process ends is an operation
 * that each process does again (see sysv.c), and the values of semaphores are
 * set with the commit, when all have done so.
 */

#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/idr.h>
#include <linux/ipc_namespace.h>
#include <linux/mount.h>
#include <linux/nsproxy.h>
#include <linux/pid_namespace.h>
#include <linux/sched/signal.h>
#include <linux/shmem_fs.h>
#include <linux/slab.h>
#include <linux/syscalls.h>
#include <linux/user_namespace.h>
#include <uapi/linux/sem.h>

#include "../ipc/msg.h"
#include "../ipc/sem.h"
#include "../ipc/shm.h"
#include "../ipc/util.h"
#include "file.h"
#include "mm.h"
#include "msg.h"
#include "sysv.h"
#include "task.h"

/* Others may want the same id at the same time. */
#define MAX_TRIES	3

static_assert(sizeof_field(struct ckpt_ipc_ns, sem) ==
	      sizeof_field(struct ipc_namespace, sem_ctls));

/* --- objects by their ids --------------------------------------------------------- */

/**
 * struct ipc_ref - a set of semaphores or a message queue
 * @ns: where it is; the tree's when saving, held when restarting
 * @id: its id
 * @made: restart: a failure removes it
 * @msgs: restart, of a queue: messages that are still to come
 */
struct ipc_ref {
	struct ipc_namespace *ns;
	int id;
	bool made;
	struct ckpt_msg_live msgs;
};

static void ref_get(void *ptr)
{
}

static void ref_put(void *ptr)
{
	kfree(ptr);
}

/* The object, locked, in an RCU section; ipc_unlock() ends both. Or NULL. */
static struct kern_ipc_perm *ref_lock(const struct ipc_ref *ref, int type)
{
	struct kern_ipc_perm *perm;

	rcu_read_lock();
	perm = ipc_obtain_object_check(&ref->ns->ids[type], ref->id);
	if (!IS_ERR(perm)) {
		ipc_lock_object(perm);
		if (ipc_valid_object(perm))
			return perm;
		ipc_unlock_object(perm);
	}
	rcu_read_unlock();
	return NULL;
}

static struct sem_array *set_of(struct kern_ipc_perm *perm)
{
	return container_of(perm, struct sem_array, sem_perm);
}

static struct msg_queue *queue_of(struct kern_ipc_perm *perm)
{
	return container_of(perm, struct msg_queue, q_perm);
}

/* --- saving: what is there ---------------------------------------------------------- */

static int collect_ref(struct ckpt_ctx *ctx, const struct ckpt_kind *kind,
		       int id)
{
	struct ipc_ref *ref;
	int ret;

	ref = kzalloc(sizeof(*ref), GFP_KERNEL_ACCOUNT);
	if (!ref)
		return -ENOMEM;
	ref->ns = ctx->ns->ipc_ns;
	ref->id = id;
	ret = ckpt_collect(ctx, kind, ref);
	if (!ckpt_obj_find(ctx, ref))
		kfree(ref);
	return ret;
}

static int collect_set(struct ckpt_ctx *ctx, struct kern_ipc_perm *perm)
{
	int nr = set_of(perm)->sem_nsems;

	if (nr > CKPT_MAX_SEMS)
		return ckpt_refuse(ctx, -E2BIG,
				   "a set of %d System V semaphores, an image holds %u",
				   nr, CKPT_MAX_SEMS);
	return collect_ref(ctx, &ckpt_kind_sysv_sem, perm->id);
}

static int collect_segment(struct ckpt_ctx *ctx, struct kern_ipc_perm *perm)
{
	struct shmid_kernel *shp = container_of(perm, struct shmid_kernel,
						shm_perm);
	struct file *file = NULL;
	unsigned long nattch = 0;
	int ret;

	ipc_lock_object(perm);
	if (ipc_valid_object(perm)) {
		file = get_file(shp->shm_file);
		nattch = shp->shm_nattch;
	}
	ipc_unlock_object(perm);
	if (!file)
		return 0;
	/* After a restart it would go with another process than its creator. */
	if (!nattch && ctx->ns->ipc_ns->shm_rmid_forced)
		ret = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "System V segment %d, which nobody has attached, goes with who has made it (kernel.shm_rmid_forced)",
				  perm->id);
	else if (shmem_mapping(file->f_mapping))
		ret = ckpt_collect(ctx, &ckpt_kind_sysv_shm, file);
	else
		ret = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "System V segment %d of its IPC namespace has huge pages",
				  perm->id);
	fput(file);
	return ret;
}

static int collect_one(struct ckpt_ctx *ctx, int type,
		       struct kern_ipc_perm *perm)
{
	if (type != IPC_SHM_IDS && !ckpt_sysv_has_owner(ctx, perm))
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "System V IPC object %d has an owner without a number in the user namespace",
				   perm->id);
	switch (type) {
	case IPC_SEM_IDS:
		return collect_set(ctx, perm);
	case IPC_MSG_IDS:
		return collect_ref(ctx, &ckpt_kind_sysv_msg, perm->id);
	default:
		return collect_segment(ctx, perm);
	}
}

static int collect_ids(struct ckpt_ctx *ctx, int type)
{
	struct ipc_ids *ids = &ctx->ns->ipc_ns->ids[type];
	struct kern_ipc_perm *perm;
	int ret = 0, idx;

	down_read(&ids->rwsem);
	idr_for_each_entry(&ids->ipcs_idr, perm, idx)
		ckpt_first(&ret, collect_one(ctx, type, perm));
	up_read(&ids->rwsem);
	return ret;
}

/**
 * ckpt_sysv_ns_collect() - collect what an own IPC namespace holds
 * @ctx: the checkpoint
 *
 * Return: 0 or -errno; a refusal has been noted.
 */
int ckpt_sysv_ns_collect(struct ckpt_ctx *ctx)
{
	int ret, type;

	ret = ckpt_collect(ctx, &ckpt_kind_ipc_ns, ctx->ns->ipc_ns);
	for (type = 0; type < ARRAY_SIZE(ctx->ns->ipc_ns->ids); type++)
		ckpt_first(&ret, collect_ids(ctx, type));
	if (IS_ENABLED(CONFIG_POSIX_MQUEUE))
		ckpt_first(&ret, ckpt_mqueue_collect_all(ctx));
	return ret;
}

static struct ckpt_ipc_perm perm_fill(struct ckpt_ctx *ctx,
				      const struct kern_ipc_perm *perm)
{
	struct user_namespace *ns = ctx->user_ns;

	return (struct ckpt_ipc_perm) {
		.id = perm->id,
		.key = perm->key,
		.mode = perm->mode & 0777,
		.uid = from_kuid(ns, perm->uid),
		.gid = from_kgid(ns, perm->gid),
		.cuid = from_kuid(ns, perm->cuid),
		.cgid = from_kgid(ns, perm->cgid),
	};
}

static int gone(struct ckpt_ctx *ctx, const struct ipc_ref *ref)
{
	return ckpt_refuse(ctx, -EIDRM,
			   "System V IPC object %d was removed meanwhile",
			   ref->id);
}

/* --- restarting: ids and rights ------------------------------------------------------- */

static int perm_check(struct ckpt_ctx *ctx, const struct ckpt_ipc_perm *p)
{
	if (p->id < 0 || p->mode & ~0777 || p->pad || p->uid == (u32)-1 ||
	    p->gid == (u32)-1 || p->cuid == (u32)-1 || p->cgid == (u32)-1)
		return ckpt_refuse(ctx, -EINVAL,
				   "bad id, mode or owner of a System V IPC object");
	return 0;
}

/* As IPC_RMID. Others may be about to use it. */
static void ref_remove(const struct ipc_ref *ref, int type)
{
	struct kern_ipc_perm *perm;

	down_write(&ref->ns->ids[type].rwsem);
	perm = ref_lock(ref, type);
	if (perm && type == IPC_SEM_IDS) {
		complexmode_enter(set_of(perm));
		freeary(ref->ns, perm);
	} else if (perm) {
		freeque(ref->ns, perm);
	}
	up_write(&ref->ns->ids[type].rwsem);
}

static long make(int type, const struct ckpt_ipc_perm *p, u32 nr)
{
	int flags = IPC_CREAT | IPC_EXCL | 0600;

	return type == IPC_SEM_IDS ? ksys_semget(p->key, nr, flags) :
				     ksys_msgget(p->key, flags);
}

/*
 * Make one with the id that it had. Until the commit it is the caller's own, and
 * nobody else's who would sleep in it: values and messages come to be in it, and
 * nobody is woken.
 */
static int ref_make(struct ckpt_ctx *ctx, struct ipc_ref *ref, int type,
		    const struct ckpt_ipc_perm *p, u32 nr)
{
	struct ipc_ids *ids = &ref->ns->ids[type];
	unsigned int tries;
	long id;
	int ret;

	if (!(ctx->own_ns & CKPT_NS_IPC))
		return ckpt_refuse(ctx, -EINVAL,
				   "System V IPC object %d of an IPC namespace that is not the tree's",
				   p->id);
	ret = ckpt_sysv_check_owner(ctx, p);
	if (ret)
		return ret;
	if (!checkpoint_restore_ns_capable(ref->ns->user_ns))
		return ckpt_refuse(ctx, -EPERM,
				   "choosing the id of System V IPC object %d needs CAP_CHECKPOINT_RESTORE",
				   p->id);
	for (tries = 0; tries < MAX_TRIES; tries++) {
		ckpt_sysv_want_id(ids, -1, p->id);
		id = make(type, p, nr);
		ckpt_sysv_want_id(ids, p->id, -1);
		if (id < 0)
			return ckpt_refuse(ctx, id,
					   "cannot make System V IPC object %d with key 0x%08x",
					   p->id, p->key);
		ref->id = id;
		if (id == p->id) {
			ref->made = true;
			return 0;
		}
		ref_remove(ref, type);
	}
	return ckpt_refuse(ctx, -EBUSY,
			   "the id of System V IPC object %d is not free",
			   p->id);
}

static struct ipc_ref *ref_new(struct ckpt_ctx *ctx, const struct ckpt_rec *rec,
			       void (*release)(void *ptr))
{
	struct ipc_ref *ref = kzalloc(sizeof(*ref), GFP_KERNEL_ACCOUNT);

	if (!ref)
		return NULL;
	ref->ns = get_ipc_ns(current->nsproxy->ipc_ns);
	ref->id = -1;
	ckpt_obj_set(ctx, rec->objref, ref, release);
	return ref;
}

/* --- the namespace ---------------------------------------------------------------------- */

static void ns_fill(const struct ipc_namespace *ns, struct ckpt_ipc_ns *rec)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(rec->sem); i++)
		rec->sem[i] = ns->sem_ctls[i];
	rec->msgmax = ns->msg_ctlmax;
	rec->msgmnb = ns->msg_ctlmnb;
	rec->msgmni = ns->msg_ctlmni;
	rec->shmmni = ns->shm_ctlmni;
	rec->shmmax = ns->shm_ctlmax;
	rec->shmall = ns->shm_ctlall;
	rec->shm_rmid_forced = ns->shm_rmid_forced;
	rec->queues_max = ns->mq_queues_max;
	rec->msg_max = ns->mq_msg_max;
	rec->msgsize_max = ns->mq_msgsize_max;
	rec->msg_default = ns->mq_msg_default;
	rec->msgsize_default = ns->mq_msgsize_default;
}

/*
 * What is made again was made before the limits were lowered: as long as this
 * goes on all is allowed that the sysctls take.
 */
static void set_highest(struct ckpt_ipc_ns *p)
{
	p->sem[0] = INT_MAX;
	p->sem[1] = INT_MAX;
	p->sem[2] = INT_MAX;
	p->sem[3] = ipc_mni;
	p->msgmax = INT_MAX;
	p->msgmnb = INT_MAX;
	p->msgmni = ipc_mni;
	p->shmmni = ipc_mni;
	p->shmmax = ULONG_MAX;
	p->shmall = ULONG_MAX;
#ifdef CONFIG_POSIX_MQUEUE
	p->queues_max = UINT_MAX;
	p->msg_max = HARD_MSGMAX;
	p->msgsize_max = HARD_MSGSIZEMAX;
#endif
}

static void ns_set(struct ipc_namespace *ns, const struct ckpt_ipc_ns *p)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(p->sem); i++)
		WRITE_ONCE(ns->sem_ctls[i], p->sem[i]);
	WRITE_ONCE(ns->msg_ctlmax, p->msgmax);
	WRITE_ONCE(ns->msg_ctlmnb, p->msgmnb);
	WRITE_ONCE(ns->msg_ctlmni, p->msgmni);
	WRITE_ONCE(ns->shm_ctlmni, p->shmmni);
	WRITE_ONCE(ns->shm_ctlmax, p->shmmax);
	WRITE_ONCE(ns->shm_ctlall, p->shmall);
	WRITE_ONCE(ns->shm_rmid_forced, p->shm_rmid_forced);
	WRITE_ONCE(ns->mq_queues_max, p->queues_max);
	WRITE_ONCE(ns->mq_msg_max, p->msg_max);
	WRITE_ONCE(ns->mq_msgsize_max, p->msgsize_max);
	WRITE_ONCE(ns->mq_msg_default, p->msg_default);
	WRITE_ONCE(ns->mq_msgsize_default, p->msgsize_default);
}

/**
 * struct limits - limits that are restored
 * @ns: where
 * @old: what they were; a failure takes them back
 * @keep: there is no failure
 *
 * Until the commit they are as high as they can be.
 */
struct limits {
	struct ipc_namespace *ns;
	struct ckpt_ipc_ns old;
	bool keep;
};

static void limits_release(void *ptr)
{
	struct limits *l = ptr;

	if (!l->keep)
		ns_set(l->ns, &l->old);
	put_ipc_ns(l->ns);
	kfree(l);
}

static void ns_get(void *ptr)
{
	get_ipc_ns(ptr);
}

static void ns_put(void *ptr)
{
	put_ipc_ns(ptr);
}

static int ipc_ns_save(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	struct ckpt_ipc_ns rec = {};

	ns_fill(obj->ptr, &rec);
	return ckpt_write(ctx, obj->kind, obj->ref, &rec, sizeof(rec));
}

static bool between(u32 value, u32 min, u32 max)
{
	return value >= min && value <= max;
}

static int ipc_ns_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_ipc_ns *p = ckpt_payload(rec, struct ckpt_ipc_ns);
	bool ok;

	/* Three of semaphores and the number of queues can be any number. */
	ok = p->sem[3] <= IPCMNI_EXTEND && p->msgmni <= IPCMNI_EXTEND &&
	     p->shmmni <= IPCMNI_EXTEND && p->msgmax <= INT_MAX &&
	     p->msgmnb <= INT_MAX && p->shm_rmid_forced <= 1;
#ifdef CONFIG_POSIX_MQUEUE
	ok = ok &&
	     between(p->msg_max, MIN_MSGMAX, HARD_MSGMAX) &&
	     between(p->msg_default, MIN_MSGMAX, HARD_MSGMAX) &&
	     between(p->msgsize_max, MIN_MSGSIZEMAX, HARD_MSGSIZEMAX) &&
	     between(p->msgsize_default, MIN_MSGSIZEMAX, HARD_MSGSIZEMAX);
#endif
	return ok ? 0 : ckpt_refuse(ctx, -EINVAL,
				    "bad limits of an IPC namespace");
}

static int ipc_ns_restore(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_ipc_ns *p = ckpt_payload(rec, struct ckpt_ipc_ns);
	struct ipc_namespace *ns = current->nsproxy->ipc_ns;
	struct ckpt_ipc_ns highest;
	struct limits *l;

	if (ctx->flags & RESTART_CALLERS_NS)
		return 0;
	if (!(ctx->own_ns & CKPT_NS_IPC))
		return ckpt_refuse(ctx, -EINVAL,
				   "limits of an IPC namespace that is not the tree's");
	if (!ns_capable(ns->user_ns, CAP_SYS_ADMIN))
		return ckpt_refuse(ctx, -EPERM,
				   "no permission to set the limits of the IPC namespace");
	if (p->sem[3] > ipc_mni || p->msgmni > ipc_mni || p->shmmni > ipc_mni)
		return ckpt_refuse(ctx, -ERANGE,
				   "more System V IPC objects than this kernel allows; see ipcmni_extend");
	l = kzalloc(sizeof(*l), GFP_KERNEL_ACCOUNT);
	if (!l)
		return -ENOMEM;
	l->ns = get_ipc_ns(ns);
	ns_fill(ns, &l->old);
	ckpt_obj_set(ctx, rec->objref, l, limits_release);
	highest = l->old;
	set_highest(&highest);
	ns_set(ns, &highest);
	return 0;
}

static void ipc_ns_commit(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_ipc_ns *p = ckpt_payload(rec, struct ckpt_ipc_ns);
	struct limits *l = ckpt_obj_ptr(ctx, rec->objref);

	if (!l)
		return;
	ns_set(l->ns, p);
	l->keep = true;
}

/* In front of all that the limits are for. */
const struct ckpt_kind ckpt_kind_ipc_ns = {
	.name		= "ipc_ns",
	.about		= "limits of an own IPC namespace",
	.family		= CKPT_FAMILY_OBJECT,
	.type		= CKPT_REC_IPC_NS,
	.phase		= CKPT_PHASE_CRED,
	.version	= 1,
	.min_version	= 1,
	CKPT_PAYLOAD(struct ckpt_ipc_ns),
	.object		= true,
	.obj_get	= ns_get,
	.obj_put	= ns_put,
	.obj_save	= ipc_ns_save,
	.check		= ipc_ns_check,
	.restore	= ipc_ns_restore,
	.commit		= ipc_ns_commit,
};

/* --- semaphores -------------------------------------------------------------------------- */

/* Context: the set's lock. Who is killed undoes operations. */
static void sems_fill(struct ckpt_ctx *ctx, struct sem_array *sma,
		      struct ckpt_sem *sems)
{
	struct sem *sem;
	int i;

	for (i = 0; i < sma->sem_nsems; i++) {
		sem = &sma->sems[i];
		spin_lock(&sem->lock);
		sems[i].value = sem->semval;
		sems[i].pid = pid_nr_ns(sem->sempid, ctx->pid_ns);
		sems[i].otime = sem->sem_otime;
		spin_unlock(&sem->lock);
	}
}

static int set_save(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	const struct ipc_ref *ref = obj->ptr;
	struct kern_ipc_perm *perm;
	struct ckpt_sysv_sem rec;
	struct ckpt_sem *sems;
	int nr, ret;

	perm = ref_lock(ref, IPC_SEM_IDS);
	if (!perm)
		return gone(ctx, ref);
	nr = set_of(perm)->sem_nsems;
	ipc_unlock(perm);
	sems = kvcalloc(nr, sizeof(*sems), GFP_KERNEL);
	if (!sems)
		return -ENOMEM;
	perm = ref_lock(ref, IPC_SEM_IDS);
	if (perm && set_of(perm)->sem_nsems == nr) {
		rec.perm = perm_fill(ctx, perm);
		rec.ctime = set_of(perm)->sem_ctime;
		sems_fill(ctx, set_of(perm), sems);
		ipc_unlock(perm);
		ret = ckpt_write_tail(ctx, obj->kind, obj->ref, &rec,
				      sizeof(rec), sems, nr * sizeof(*sems));
	} else {
		if (perm)
			ipc_unlock(perm);
		ret = gone(ctx, ref);
	}
	kvfree(sems);
	return ret;
}

static u32 nr_sems(const struct ckpt_rec *rec)
{
	return ckpt_tail_len(rec, sizeof(struct ckpt_sysv_sem)) /
	       sizeof(struct ckpt_sem);
}

static int set_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_sysv_sem *p = ckpt_payload(rec, struct ckpt_sysv_sem);
	u32 i, nr = nr_sems(rec);

	if (!nr || nr > CKPT_MAX_SEMS || ckpt_tail_len(rec, sizeof(*p)) %
				    sizeof(p->sems[0]))
		return ckpt_refuse(ctx, -EINVAL, "bad number of semaphores");
	for (i = 0; i < nr; i++)
		if (p->sems[i].value < 0 || p->sems[i].value > SEMVMX ||
		    p->sems[i].pid < 0)
			return ckpt_refuse(ctx, -EINVAL, "bad semaphore %u", i);
	return perm_check(ctx, &p->perm);
}

static void set_release(void *ptr)
{
	struct ipc_ref *ref = ptr;

	if (ref->made)
		ref_remove(ref, IPC_SEM_IDS);
	put_ipc_ns(ref->ns);
	kfree(ref);
}

static int set_restore(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_sysv_sem *p = ckpt_payload(rec, struct ckpt_sysv_sem);
	struct ipc_ref *ref = ref_new(ctx, rec, set_release);
	const struct cred *old;
	int ret;

	if (!ref)
		return -ENOMEM;
	old = override_creds(ctx->caller_cred);
	ret = ref_make(ctx, ref, IPC_SEM_IDS, &p->perm, nr_sems(rec));
	revert_creds(old);
	return ret;
}

static void set_commit(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_sysv_sem *p = ckpt_payload(rec, struct ckpt_sysv_sem);
	struct ipc_ref *ref = ckpt_obj_ptr(ctx, rec->objref);
	struct kern_ipc_perm *perm = ref_lock(ref, IPC_SEM_IDS);
	struct sem *sem;
	int i;

	ref->made = false;
	if (!perm)
		return;
	ckpt_sysv_set_owner(ctx, perm, &p->perm);
	set_of(perm)->sem_ctime = p->ctime;
	for (i = 0; i < set_of(perm)->sem_nsems; i++) {
		sem = &set_of(perm)->sems[i];
		spin_lock(&sem->lock);
		sem->semval = p->sems[i].value;
		sem->sem_otime = p->sems[i].otime;
		ckpt_sysv_set_pid(ctx, &sem->sempid, p->sems[i].pid);
		spin_unlock(&sem->lock);
	}
	ipc_unlock(perm);
}

const struct ckpt_kind ckpt_kind_sysv_sem = {
	.name		= "sysv_sem",
	.about		= "semaphores of an own IPC namespace: id, key, rights, values, times",
	.family		= CKPT_FAMILY_OBJECT,
	.type		= CKPT_REC_SYSV_SEM,
	.phase		= CKPT_PHASE_OBJECT,
	.version	= 1,
	.min_version	= 1,
	CKPT_PAYLOAD_TAIL(struct ckpt_sysv_sem,
			  CKPT_MAX_SEMS * sizeof(struct ckpt_sem)),
	.object		= true,
	.obj_get	= ref_get,
	.obj_put	= ref_put,
	.obj_save	= set_save,
	.check		= set_check,
	.restore	= set_restore,
	.commit		= set_commit,
};

/**
 * ckpt_sysv_sem_find() - find a set that this restart has made
 * @ctx: the restart
 * @semid: its id
 *
 * Return: the set, or NULL.
 */
const struct ipc_ref *ckpt_sysv_sem_find(struct ckpt_ctx *ctx, int semid)
{
	const struct ipc_ref *ref;
	struct ckpt_obj *obj;

	list_for_each_entry(obj, &ctx->objs, node) {
		ref = obj->ptr;
		if (obj->kind == &ckpt_kind_sysv_sem && ref &&
		    ref->id == semid && ref->made)
			return ref;
	}
	return NULL;
}

/**
 * ckpt_sysv_sem_ready() - let the next operation on a semaphore have its way
 * @ref: a set of ckpt_sysv_sem_find()
 * @num: of a semaphore
 * @op: what will be added to it
 *
 * Its value is set with the commit.
 */
void ckpt_sysv_sem_ready(const struct ipc_ref *ref, u32 num, int op)
{
	struct kern_ipc_perm *perm = ref_lock(ref, IPC_SEM_IDS);
	struct sem *sem;

	if (!perm)
		return;
	if (num < set_of(perm)->sem_nsems) {
		sem = &set_of(perm)->sems[num];
		spin_lock(&sem->lock);
		sem->semval = op < 0 ? -op : 0;
		spin_unlock(&sem->lock);
	}
	ipc_unlock(perm);
}

/* --- message queues ------------------------------------------------------------------------ */

/* Context: the queue's lock. Return: are there more than in the batch? */
static bool batch_fill(struct msg_queue *msq, struct ckpt_msg_batch *batch)
{
	unsigned long skip = batch->nth;
	struct msg_msg *msg;

	list_for_each_entry(msg, &msq->q_messages, m_list) {
		if (skip) {
			skip--;
			continue;
		}
		if (!ckpt_msg_add(batch, msg))
			return true;
	}
	return false;
}

static int save_texts(struct ckpt_ctx *ctx, struct ckpt_obj *obj, u64 nr,
		      u64 bytes)
{
	const struct ipc_ref *ref = obj->ptr;
	struct ckpt_msg_batch *batch;
	struct kern_ipc_perm *perm;
	bool more = false;
	int ret = 0;

	static_assert(sizeof(struct ckpt_sysv_text) ==
		      sizeof(struct ckpt_mqueue_msg));

	if (!nr)
		return 0;
	batch = ckpt_msg_batch_alloc(nr, bytes);
	if (!batch)
		return -ENOMEM;
	do {
		batch->used = 0;
		perm = ref_lock(ref, IPC_MSG_IDS);
		if (!perm) {
			ret = gone(ctx, ref);
			break;
		}
		more = batch_fill(queue_of(perm), batch);
		ipc_unlock(perm);
		ret = ckpt_msg_write(ctx, &ckpt_kind_sysv_text, obj->ref,
				     batch);
		cond_resched();
	} while (!ret && more);
	if (!ret && (batch->nth != nr || batch->offset))
		ret = ckpt_refuse(ctx, -EBUSY,
				  "the messages in System V queue %d have changed meanwhile",
				  ref->id);
	kvfree(batch);
	return ret;
}

static int queue_save(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	const struct ipc_ref *ref = obj->ptr;
	struct ckpt_sysv_msg rec = {};
	struct kern_ipc_perm *perm;
	struct msg_queue *msq;
	u64 bytes;
	int ret;

	perm = ref_lock(ref, IPC_MSG_IDS);
	if (!perm)
		return gone(ctx, ref);
	msq = queue_of(perm);
	bytes = msq->q_cbytes;
	rec.perm = perm_fill(ctx, perm);
	rec.stime = msq->q_stime;
	rec.rtime = msq->q_rtime;
	rec.ctime = msq->q_ctime;
	rec.max_bytes = msq->q_qbytes;
	rec.nr_msgs = msq->q_qnum;
	rec.lspid = pid_nr_ns(msq->q_lspid, ctx->pid_ns);
	rec.lrpid = pid_nr_ns(msq->q_lrpid, ctx->pid_ns);
	ipc_unlock(perm);
	ret = ckpt_write(ctx, obj->kind, obj->ref, &rec, sizeof(rec));
	return ret ?: save_texts(ctx, obj, rec.nr_msgs, bytes);
}

static int queue_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_sysv_msg *p = ckpt_payload(rec, struct ckpt_sysv_msg);

	/* Who may exceed kernel.msgmnb can set any size. */
	if (p->lspid < 0 || p->lrpid < 0)
		return ckpt_refuse(ctx, -EINVAL, "bad message queue");
	return perm_check(ctx, &p->perm);
}

static void queue_release(void *ptr)
{
	struct ipc_ref *ref = ptr;

	if (ref->msgs.msg)
		free_msg(ref->msgs.msg);
	if (ref->made)
		ref_remove(ref, IPC_MSG_IDS);
	put_ipc_ns(ref->ns);
	kfree(ref);
}

static int queue_restore(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_sysv_msg *p = ckpt_payload(rec, struct ckpt_sysv_msg);
	struct ipc_ref *ref = ref_new(ctx, rec, queue_release);
	struct kern_ipc_perm *perm;
	const struct cred *old;
	int ret;

	if (!ref)
		return -ENOMEM;
	ref->msgs.left = p->nr_msgs;
	if (p->max_bytes > ref->ns->msg_ctlmnb && !capable(CAP_SYS_RESOURCE))
		return ckpt_refuse(ctx, -EPERM,
				   "the size of System V queue %d is over the limit (kernel.msgmnb)",
				   p->perm.id);
	old = override_creds(ctx->caller_cred);
	ret = ref_make(ctx, ref, IPC_MSG_IDS, &p->perm, 0);
	revert_creds(old);
	if (ret)
		return ret;
	perm = ref_lock(ref, IPC_MSG_IDS);
	if (!perm)
		return gone(ctx, ref);
	queue_of(perm)->q_qbytes = p->max_bytes;
	ipc_unlock(perm);
	return 0;
}

static void queue_commit(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_sysv_msg *p = ckpt_payload(rec, struct ckpt_sysv_msg);
	struct ipc_ref *ref = ckpt_obj_ptr(ctx, rec->objref);
	struct kern_ipc_perm *perm = ref_lock(ref, IPC_MSG_IDS);
	struct msg_queue *msq;

	ref->made = false;
	if (!perm)
		return;
	ckpt_sysv_set_owner(ctx, perm, &p->perm);
	msq = queue_of(perm);
	msq->q_stime = p->stime;
	msq->q_rtime = p->rtime;
	msq->q_ctime = p->ctime;
	ckpt_sysv_set_pid(ctx, &msq->q_lspid, p->lspid);
	ckpt_sysv_set_pid(ctx, &msq->q_lrpid, p->lrpid);
	ipc_unlock(perm);
}

const struct ckpt_kind ckpt_kind_sysv_msg = {
	.name		= "sysv_msg",
	.about		= "message queues of an own IPC namespace: id, key, rights, limit, times",
	.family		= CKPT_FAMILY_OBJECT,
	.type		= CKPT_REC_SYSV_MSG,
	.phase		= CKPT_PHASE_OBJECT,
	.version	= 1,
	.min_version	= 1,
	CKPT_PAYLOAD(struct ckpt_sysv_msg),
	.object		= true,
	.obj_get	= ref_get,
	.obj_put	= ref_put,
	.obj_save	= queue_save,
	.check		= queue_check,
	.restore	= queue_restore,
	.commit		= queue_commit,
};

static int text_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_msg_piece *p = ckpt_payload(rec, struct ckpt_msg_piece);

	if (!p->type)
		return ckpt_refuse(ctx, -EINVAL, "a message without a type");
	return ckpt_msg_check(ctx, rec, LONG_MAX, INT_MAX);
}

/* As do_msgsnd() in a queue for which nobody waits. Context: the queue's lock. */
static void queue_add(struct ipc_namespace *ns, struct msg_queue *msq,
		      struct msg_msg *msg)
{
	list_add_tail(&msg->m_list, &msq->q_messages);
	msq->q_cbytes += msg->m_ts;
	msq->q_qnum++;
	percpu_counter_add_local(&ns->percpu_msg_bytes, msg->m_ts);
	percpu_counter_add_local(&ns->percpu_msg_hdrs, 1);
}

/* The queue, locked as by ref_lock(), if it takes a message, or an ERR_PTR(). */
static struct kern_ipc_perm *lock_for(struct ckpt_ctx *ctx,
				      const struct ipc_ref *ref, u64 size)
{
	struct kern_ipc_perm *perm = ref_lock(ref, IPC_MSG_IDS);
	struct msg_queue *msq;
	bool fits, waits;
	u64 max;

	if (!perm)
		return ERR_PTR(gone(ctx, ref));
	msq = queue_of(perm);
	/* The limit may have been lowered when they were in there. */
	max = max_t(u64, msq->q_qbytes, ref->ns->msg_ctlmnb);
	fits = size + msq->q_cbytes <= max && msq->q_qnum < max;
	waits = !list_empty(&msq->q_receivers);
	if (fits && !waits)
		return perm;
	ipc_unlock(perm);
	return ERR_PTR(ckpt_refuse(ctx, waits ? -EBUSY : -EINVAL,
				   waits ? "somebody waits for messages in System V queue %d" :
					   "more messages than System V queue %d takes",
				   ref->id));
}

static int text_restore(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_msg_piece *p = ckpt_payload(rec, struct ckpt_msg_piece);
	struct ipc_ref *ref = ckpt_obj_ptr(ctx, rec->objref);
	struct kern_ipc_perm *perm;
	struct msg_msg *msg;
	int ret;

	perm = lock_for(ctx, ref, p->size);
	if (IS_ERR(perm))
		return PTR_ERR(perm);
	ipc_unlock(perm);
	ret = ckpt_msg_fill(ctx, &ref->msgs, rec, &msg);
	if (ret || !msg)
		return ret;
	perm = lock_for(ctx, ref, p->size);
	if (IS_ERR(perm)) {
		free_msg(msg);
		return PTR_ERR(perm);
	}
	queue_add(ref->ns, queue_of(perm), msg);
	ipc_unlock(perm);
	return 0;
}

const struct ckpt_kind ckpt_kind_sysv_text = {
	.name		= "sysv_text",
	.about		= "messages in System V queues, with their types",
	.family		= CKPT_FAMILY_OBJECT,
	.type		= CKPT_REC_SYSV_TEXT,
	.phase		= CKPT_PHASE_OBJECT,
	.version	= 1,
	.min_version	= 1,
	CKPT_PAYLOAD_TAIL(struct ckpt_sysv_text, CKPT_MSG_CHUNK),
	.owner		= CKPT_REC_SYSV_MSG,
	.check		= text_check,
	.restore	= text_restore,
};
