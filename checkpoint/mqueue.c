// SPDX-License-Identifier: GPL-2.0
/*
 * POSIX message queues that the tree has open, and the messages in them.
 *
 * A queue object stands for the inode. A restart makes the queue, or takes one
 * of the same name that is there, that nobody has open and that differs in
 * nothing but its messages, as a process that was killed leaves it behind. The
 * messages are put together aside and take their places with the commit.
 */

#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/init_task.h>
#include <linux/ipc_namespace.h>
#include <linux/mount.h>
#include <linux/namei.h>
#include <linux/nsproxy.h>
#include <linux/pid_namespace.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/user_namespace.h>

#include "../fs/mount.h"
#include "../ipc/mqueue.h"
#include "../ipc/util.h"
#include "file.h"
#include "msg.h"
#include "sysv.h"

#define OPEN_FLAGS	(O_ACCMODE | O_NONBLOCK | CKPT_OPEN_SHOWN)

static_assert(MQ_PRIO_MAX <= INT_MAX);
static_assert(sizeof(struct mq_attr) == 8 * sizeof(__kernel_long_t));

static bool is_unlinked(const struct inode *inode)
{
	return !inode->i_nlink;
}

/* --- saving: the queue --------------------------------------------------------- */

/* NULL: the tree has not opened it. */
static struct file *file_of(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	if (!obj->users)
		return NULL;
	return ckpt_file_of_inode(ctx, &ckpt_kind_file_mqueue, obj->ptr);
}

/* Its name, held, also if that was removed; NULL: nobody has it open any more. */
static struct dentry *name_of(const struct file *file, struct ckpt_obj *obj)
{
	return file ? dget(file_dentry(file)) : d_find_alias(obj->ptr);
}

/* Who has called mq_notify(), in the tree's pid namespace; 0: not in the tree. */
static pid_t notify_pid(struct ckpt_ctx *ctx, struct mqueue_inode_info *info)
{
	struct task_struct *task;
	pid_t pid = 0;

	rcu_read_lock();
	task = pid_task(info->notify_owner, PIDTYPE_TGID);
	if (task && ckpt_in_tree(ctx, task))
		pid = pid_nr_ns(info->notify_owner, ctx->pid_ns);
	rcu_read_unlock();
	return pid;
}

static int queue_collect(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	struct inode *inode = obj->ptr;
	struct mqueue_inode_info *info = MQUEUE_I(inode);
	bool foreign = false, thread = false;
	int ret = 0;

	if (inode->i_sb != ctx->ns->ipc_ns->mq_mnt->mnt_sb)
		ret = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "a POSIX message queue of another IPC namespace");
	if (!kuid_has_mapping(ctx->user_ns, inode->i_uid) ||
	    !kgid_has_mapping(ctx->user_ns, inode->i_gid))
		ret = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "a POSIX message queue has an owner without a number in the user namespace");
	spin_lock(&info->lock);
	if (info->notify_owner) {
		thread = info->notify.sigev_notify == SIGEV_THREAD;
		foreign = !notify_pid(ctx, info);
	}
	spin_unlock(&info->lock);
	if (thread)
		ret = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "a POSIX message queue notifies by a thread (SIGEV_THREAD)");
	else if (foreign)
		ret = ckpt_refuse(ctx, -EBUSY,
				  "a POSIX message queue notifies a process outside");
	return ret;
}

/**
 * ckpt_mqueue_count_users() - how often has the tree opened each queue?
 * @ctx: the checkpoint, after everything was collected
 */
void ckpt_mqueue_count_users(struct ckpt_ctx *ctx)
{
	struct ckpt_obj *obj, *queue;

	list_for_each_entry(obj, &ctx->objs, node)
		if (obj->kind == &ckpt_kind_mqueue)
			obj->users = 0;
	list_for_each_entry(obj, &ctx->objs, node) {
		if (obj->kind != &ckpt_kind_file_mqueue)
			continue;
		queue = ckpt_obj_find(ctx, file_inode(obj->ptr));
		if (queue)
			queue->users++;
	}
}

/**
 * ckpt_mqueue_check_leaks() - is a queue open only within the tree?
 * @ctx: the checkpoint, after ckpt_mqueue_count_users()
 * @obj: the queue
 *
 * Return: 0, or -EBUSY, noted as a reason.
 */
int ckpt_mqueue_check_leaks(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	struct file *file = file_of(ctx, obj);
	struct dentry *dentry = name_of(file, obj);
	unsigned int known = obj->users + 1;
	int ret = 0;

	if (!dentry)
		return 0;
	/* Its own name, and what name_of() holds. */
	if (!is_unlinked(obj->ptr))
		known++;
	ckpt_about_file(ctx, file);
	if (d_count(dentry) > known)
		ret = ckpt_refuse(ctx, -EBUSY,
				  "POSIX message queue /%pd is open in a process outside",
				  dentry);
	ckpt_about_file(ctx, NULL);
	dput(dentry);
	return ret;
}

/* The next name behind @prev, which is put, held. */
static struct dentry *next_queue(struct dentry *root, struct dentry *prev)
{
	struct dentry *next = NULL, *at;

	spin_lock(&root->d_lock);
	at = prev ? d_next_sibling(prev) : d_first_child(root);
	hlist_for_each_entry_from(at, d_sib) {
		spin_lock_nested(&at->d_lock, DENTRY_D_LOCK_NESTED);
		if (simple_positive(at))
			next = dget_dlock(at);
		spin_unlock(&at->d_lock);
		if (next)
			break;
	}
	spin_unlock(&root->d_lock);
	dput(prev);
	return next;
}

/**
 * ckpt_mqueue_collect_all() - collect the queues of an own IPC namespace
 * @ctx: the checkpoint
 *
 * Also those that nobody has open.
 *
 * Return: 0 or -errno; a refusal has been noted.
 */
int ckpt_mqueue_collect_all(struct ckpt_ctx *ctx)
{
	struct dentry *root = ctx->ns->ipc_ns->mq_mnt->mnt_root, *at = NULL;
	int ret = 0, err;

	inode_lock_shared(d_inode(root));
	while ((at = next_queue(root, at))) {
		err = ckpt_collect(ctx, &ckpt_kind_mqueue, d_inode(at));
		ret = ret ?: err;
	}
	inode_unlock_shared(d_inode(root));
	return ret;
}

/* Context: info->lock. Return: are there more than in the batch? */
static bool batch_fill(struct mqueue_inode_info *info,
		       struct ckpt_msg_batch *batch)
{
	struct posix_msg_tree_node *leaf;
	unsigned long skip = batch->nth;
	struct msg_msg *msg;
	struct rb_node *node;

	for (node = info->msg_tree_rightmost; node; node = rb_prev(node)) {
		leaf = rb_entry(node, struct posix_msg_tree_node, rb_node);
		list_for_each_entry(msg, &leaf->msg_list, m_list) {
			if (skip) {
				skip--;
				continue;
			}
			if (!ckpt_msg_add(batch, msg))
				return true;
		}
	}
	return false;
}

static int save_messages(struct ckpt_ctx *ctx, struct ckpt_obj *obj,
			 u64 nr)
{
	struct mqueue_inode_info *info = MQUEUE_I((struct inode *)obj->ptr);
	struct ckpt_msg_batch *batch;
	bool more;
	int ret;

	if (!nr)
		return 0;
	batch = ckpt_msg_batch_alloc(nr, READ_ONCE(info->qsize));
	if (!batch)
		return -ENOMEM;
	do {
		batch->used = 0;
		spin_lock(&info->lock);
		more = batch_fill(info, batch);
		spin_unlock(&info->lock);
		ret = ckpt_msg_write(ctx, &ckpt_kind_mqueue_msg, obj->ref,
				     batch);
		cond_resched();
	} while (!ret && more);
	if (!ret && (batch->nth != nr || batch->offset))
		ret = ckpt_refuse(ctx, -EBUSY,
				  "the messages in a POSIX message queue have changed meanwhile");
	kvfree(batch);
	return ret;
}

static void fill_queue(struct ckpt_ctx *ctx, struct inode *inode,
		       struct ckpt_mqueue *rec)
{
	struct user_namespace *ns = ctx->user_ns;
	struct mqueue_inode_info *info = MQUEUE_I(inode);
	struct task_struct *task;

	rec->mode = inode->i_mode & S_IALLUGO;
	rec->uid = from_kuid(ns, inode->i_uid);
	rec->gid = from_kgid(ns, inode->i_gid);
	rec->atime = ckpt_stamp(inode_get_atime(inode));
	rec->mtime = ckpt_stamp(inode_get_mtime(inode));
	rec->ctime = ckpt_stamp(inode_get_ctime(inode));
	if (is_unlinked(inode))
		rec->flags |= CKPT_MQUEUE_UNLINKED;

	spin_lock(&info->lock);
	rec->max_msgs = info->attr.mq_maxmsg;
	rec->max_size = info->attr.mq_msgsize;
	rec->nr_msgs = info->attr.mq_curmsgs;
	if (!info->notify_owner)
		goto out;
	rec->flags |= CKPT_MQUEUE_NOTIFY;
	rec->notify_pid = notify_pid(ctx, info);
	rec->notify = info->notify.sigev_notify;
	if (rec->notify != SIGEV_SIGNAL)
		goto out;
	rec->notify_signal = info->notify.sigev_signo;
	rec->notify_value = (unsigned long)info->notify.sigev_value.sival_ptr;
	rcu_read_lock();
	task = pid_task(info->notify_owner, PIDTYPE_TGID);
	if (!task || task->self_exec_id != info->notify_self_exec_id)
		rec->flags |= CKPT_MQUEUE_STALE;
	rcu_read_unlock();
out:
	spin_unlock(&info->lock);
}

static int queue_save(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	struct dentry *dentry = name_of(file_of(ctx, obj), obj);
	struct name_snapshot name;
	struct ckpt_mqueue rec = {};
	int ret;

	if (!dentry)
		return ckpt_refuse(ctx, -EIDRM,
				   "a POSIX message queue was removed meanwhile");
	fill_queue(ctx, obj->ptr, &rec);
	take_dentry_name_snapshot(&name, dentry);
	dput(dentry);
	ret = ckpt_write_tail(ctx, obj->kind, obj->ref, &rec, sizeof(rec),
			      name.name.name, name.name.len + 1);
	release_dentry_name_snapshot(&name);
	return ret ?: save_messages(ctx, obj, rec.nr_msgs);
}

/* --- restarting: the queue ------------------------------------------------------- */

/**
 * struct queue - a queue that is restored
 * @ns: where it is
 * @dentry: its name, or the one that it had
 * @made: by us, and has a name that a failure takes back
 * @found: was there before
 * @next: the tree of messages and its counts; no inode
 * @msgs: those that are still to come
 */
struct queue {
	struct ipc_namespace *ns;
	struct dentry *dentry;
	bool made;
	bool found;
	struct mqueue_inode_info next;
	struct ckpt_msg_live msgs;
};

static struct inode *root_of(const struct queue *q)
{
	return d_inode(q->ns->mq_mnt->mnt_root);
}

static void free_messages(struct mqueue_inode_info *info)
{
	struct posix_msg_tree_node *leaf, *next;
	struct msg_msg *msg, *tmp;

	rbtree_postorder_for_each_entry_safe(leaf, next, &info->msg_tree,
					     rb_node) {
		list_for_each_entry_safe(msg, tmp, &leaf->msg_list, m_list)
			free_msg(msg);
		kfree(leaf);
	}
	kfree(info->node_cache);
}

/* Context: the root's lock. */
static int unlink_locked(struct queue *q)
{
	int ret;

	/* Else it would not be the name of the inode any more. */
	dget(q->dentry);
	ret = vfs_unlink(&nop_mnt_idmap, root_of(q), q->dentry, NULL);
	dput(q->dentry);
	return ret;
}

/* It can be another user's by now, whose queues the caller may not remove. */
static void queue_unmake(struct queue *q)
{
	const struct cred *old = override_creds(&init_cred);

	inode_lock_nested(root_of(q), I_MUTEX_PARENT);
	if (!d_unhashed(q->dentry))
		unlink_locked(q);
	inode_unlock(root_of(q));
	revert_creds(old);
}

static void queue_release(void *ptr)
{
	struct queue *q = ptr;

	if (q->made)
		queue_unmake(q);
	if (q->msgs.msg)
		free_msg(q->msgs.msg);
	free_messages(&q->next);
	dput(q->dentry);
	put_ipc_ns(q->ns);
	kfree(q);
}

static bool notify_ok(const struct ckpt_mqueue *p)
{
	if (!(p->flags & CKPT_MQUEUE_NOTIFY))
		return !p->notify_pid && !p->notify && !p->notify_signal &&
		       !p->notify_value && !(p->flags & CKPT_MQUEUE_STALE);
	if (p->notify_pid <= 0)
		return false;
	if (p->notify == SIGEV_SIGNAL)
		return valid_signal(p->notify_signal);
	return p->notify == SIGEV_NONE && !p->notify_signal &&
	       !p->notify_value && !(p->flags & CKPT_MQUEUE_STALE);
}

static bool name_ok(const u8 *name, u32 len)
{
	return len >= 2 && len <= NAME_MAX + 1 &&
	       strnlen(name, len) == len - 1 && !strchr(name, '/') &&
	       strcmp(name, ".") && strcmp(name, "..");
}

static int queue_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_mqueue *p = ckpt_payload(rec, struct ckpt_mqueue);

	if (p->flags & ~(CKPT_MQUEUE_UNLINKED | CKPT_MQUEUE_NOTIFY |
			 CKPT_MQUEUE_STALE) || p->pad ||
	    p->mode & ~S_IALLUGO || !ckpt_stamp_ok(&p->atime) ||
	    !ckpt_stamp_ok(&p->mtime) || !ckpt_stamp_ok(&p->ctime))
		return ckpt_refuse(ctx, -EINVAL,
				   "bad flags, mode or times of a POSIX message queue");
	if (!p->max_msgs || p->max_msgs > HARD_MSGMAX || !p->max_size ||
	    p->max_size > HARD_MSGSIZEMAX || p->nr_msgs > p->max_msgs)
		return ckpt_refuse(ctx, -EINVAL,
				   "bad size of a POSIX message queue");
	if (!notify_ok(p))
		return ckpt_refuse(ctx, -EINVAL,
				   "bad notification of a POSIX message queue");
	if (!name_ok(p->name, ckpt_tail_len(rec, sizeof(*p))))
		return ckpt_refuse(ctx, -EINVAL,
				   "bad name of a POSIX message queue");
	return 0;
}

/* The one that is there becomes ours if it is what was left behind. */
static int queue_reuse(struct ckpt_ctx *ctx, struct queue *q,
		       const struct ckpt_mqueue *p)
{
	struct user_namespace *ns = current_user_ns();
	struct inode *inode = d_inode(q->dentry);
	struct mqueue_inode_info *info = MQUEUE_I(inode);
	const char *why = NULL;

	/* Who may remove it and make it anew may change it all. */
	if (!inode_owner_or_capable(&nop_mnt_idmap, inode))
		return ckpt_refuse(ctx, -EPERM,
				   "POSIX message queue /%s exists and cannot be replaced",
				   p->name);
	/* Its name and we. */
	if (d_count(q->dentry) > 2)
		why = "somebody has it open";
	else if (info->attr.mq_maxmsg != p->max_msgs ||
		 info->attr.mq_msgsize != p->max_size ||
		 (inode->i_mode & S_IALLUGO) != p->mode ||
		 from_kuid(ns, inode->i_uid) != p->uid ||
		 from_kgid(ns, inode->i_gid) != p->gid)
		why = "it is another one";
	if (why)
		return ckpt_refuse(ctx, -EBUSY,
				   "POSIX message queue /%s exists, and %s",
				   p->name, why);
	q->found = true;
	return 0;
}

/* As mq_open() with O_CREAT and O_EXCL, and chown(). Context: the root's lock. */
static int queue_new(struct ckpt_ctx *ctx, struct queue *q,
		     const struct ckpt_mqueue *p)
{
	struct user_namespace *ns = current_user_ns();
	struct mq_attr attr = {
		.mq_maxmsg = p->max_msgs,
		.mq_msgsize = p->max_size,
	};
	struct iattr owner = {
		.ia_valid = ATTR_UID | ATTR_GID,
		.ia_uid = make_kuid(ns, p->uid),
		.ia_gid = make_kgid(ns, p->gid),
	};
	struct inode *inode;
	int ret;

	if (!uid_valid(owner.ia_uid) || !gid_valid(owner.ia_gid))
		return ckpt_refuse(ctx, -EINVAL,
				   "no user or group %u:%u in this user namespace",
				   p->uid, p->gid);
	ret = vfs_mkobj(q->dentry, p->mode, mqueue_create_attr, &attr);
	if (ret)
		return ckpt_refuse(ctx, ret,
				   "cannot make POSIX message queue /%s for %llu messages of %llu bytes",
				   p->name, p->max_msgs, p->max_size);
	q->made = true;
	inode = d_inode(q->dentry);
	/* As long as it is the caller's. */
	if (p->flags & CKPT_MQUEUE_UNLINKED) {
		ret = unlink_locked(q);
		if (ret)
			return ckpt_refuse(ctx, ret,
					   "cannot remove POSIX message queue /%s",
					   p->name);
		q->made = false;
	}
	if (!uid_eq(inode->i_uid, owner.ia_uid) ||
	    !gid_eq(inode->i_gid, owner.ia_gid)) {
		inode_lock(inode);
		ret = notify_change(&nop_mnt_idmap, q->dentry, &owner, NULL);
		inode_unlock(inode);
	}
	if (ret)
		return ckpt_refuse(ctx, ret,
				   "cannot give POSIX message queue /%s to user %u, group %u",
				   p->name, p->uid, p->gid);
	return 0;
}

/* Context: the root's lock. */
static int queue_make(struct ckpt_ctx *ctx, struct queue *q,
		      const struct ckpt_mqueue *p)
{
	struct dentry *root = q->ns->mq_mnt->mnt_root, *dentry;
	char other[32];

	dentry = lookup_one_len(p->name, root, strlen(p->name));
	if (!IS_ERR(dentry) && p->flags & CKPT_MQUEUE_UNLINKED &&
	    d_really_is_positive(dentry)) {
		/* The name is another one's now. */
		dput(dentry);
		snprintf(other, sizeof(other), ".restart-%d",
			 task_pid_nr(current));
		dentry = lookup_one_len(other, root, strlen(other));
		if (!IS_ERR(dentry) && d_really_is_positive(dentry)) {
			dput(dentry);
			dentry = ERR_PTR(-EEXIST);
		}
	}
	if (IS_ERR(dentry))
		return ckpt_refuse(ctx, PTR_ERR(dentry),
				   "cannot look up POSIX message queue /%s",
				   p->name);
	q->dentry = dentry;
	return d_really_is_positive(dentry) ? queue_reuse(ctx, q, p) :
					      queue_new(ctx, q, p);
}

static int queue_restore(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_mqueue *p = ckpt_payload(rec, struct ckpt_mqueue);
	const struct cred *old;
	struct queue *q;
	int ret;

	q = kzalloc(sizeof(*q), GFP_KERNEL_ACCOUNT);
	if (!q)
		return -ENOMEM;
	q->ns = get_ipc_ns(current->nsproxy->ipc_ns);
	q->next.msg_tree = RB_ROOT;
	q->msgs.left = p->nr_msgs;
	ckpt_obj_set(ctx, rec->objref, q, queue_release);

	ret = mnt_want_write(q->ns->mq_mnt);
	if (ret)
		return ret;
	old = override_creds(ctx->caller_cred);
	inode_lock_nested(root_of(q), I_MUTEX_PARENT);
	ret = queue_make(ctx, q, p);
	inode_unlock(root_of(q));
	revert_creds(old);
	mnt_drop_write(q->ns->mq_mnt);
	return ret;
}

static struct timespec64 time_of(const struct ckpt_stamp *stamp)
{
	return (struct timespec64) {
		.tv_sec = stamp->sec, .tv_nsec = stamp->nsec,
	};
}

/* Context: info->lock, RCU. */
static void set_notify(struct ckpt_ctx *ctx, struct mqueue_inode_info *info,
		       const struct ckpt_mqueue *p)
{
	struct pid *pid = ckpt_pid(ctx, p->notify_pid);
	struct task_struct *task = pid ? pid_task(pid, PIDTYPE_TGID) : NULL;

	if (!task || info->notify_owner)
		return;
	info->notify.sigev_notify = p->notify;
	info->notify.sigev_signo = p->notify_signal;
	info->notify.sigev_value.sival_ptr =
		(void __user *)(unsigned long)p->notify_value;
	info->notify_self_exec_id = task->self_exec_id;
	/* It is in the way of others, and reaches nobody. */
	if (p->flags & CKPT_MQUEUE_STALE)
		info->notify_self_exec_id--;
	info->notify_owner = get_pid(pid);
	info->notify_user_ns = get_user_ns(current_user_ns());
}

/*
 * Who has opened it since it was found, and waits for a message, gets one that
 * is sent later.
 */
static void queue_commit(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_mqueue *p = ckpt_payload(rec, struct ckpt_mqueue);
	struct queue *q = ckpt_obj_ptr(ctx, rec->objref);
	struct inode *inode = d_inode(q->dentry);
	struct mqueue_inode_info *info = MQUEUE_I(inode);

	spin_lock(&info->lock);
	swap(info->msg_tree, q->next.msg_tree);
	swap(info->msg_tree_rightmost, q->next.msg_tree_rightmost);
	swap(info->node_cache, q->next.node_cache);
	swap(info->attr.mq_curmsgs, q->next.attr.mq_curmsgs);
	swap(info->qsize, q->next.qsize);
	rcu_read_lock();
	if (p->flags & CKPT_MQUEUE_NOTIFY)
		set_notify(ctx, info, p);
	rcu_read_unlock();
	inode_set_atime_to_ts(inode, time_of(&p->atime));
	inode_set_mtime_to_ts(inode, time_of(&p->mtime));
	inode_set_ctime_to_ts(inode, time_of(&p->ctime));
	spin_unlock(&info->lock);
	wake_up_interruptible(&info->wait_q);
	q->made = false;
}

const struct ckpt_kind ckpt_kind_mqueue = {
	.name		= "mqueue",
	.about		= "POSIX message queues: name, rights, limits, mq_notify() by signal",
	.family		= CKPT_FAMILY_OBJECT,
	.type		= CKPT_REC_MQUEUE,
	.phase		= CKPT_PHASE_OBJECT,
	.version	= 1,
	.min_version	= 1,
	CKPT_PAYLOAD_TAIL(struct ckpt_mqueue, NAME_MAX + 1),
	.object		= true,
	.obj_get	= ckpt_vfs_inode_get,
	.obj_put	= ckpt_vfs_inode_put,
	.obj_collect	= queue_collect,
	.obj_save	= queue_save,
	.check		= queue_check,
	.restore	= queue_restore,
	.commit		= queue_commit,
};

/* --- its messages ---------------------------------------------------------------- */

static int queue_msg_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	return ckpt_msg_check(ctx, rec, MQ_PRIO_MAX - 1, HARD_MSGSIZEMAX);
}

static int queue_msg_restore(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_msg_piece *p = ckpt_payload(rec, struct ckpt_msg_piece);
	struct queue *q = ckpt_obj_ptr(ctx, rec->objref);
	struct mqueue_inode_info *info = MQUEUE_I(d_inode(q->dentry));
	struct msg_msg *msg;
	int ret;

	if (p->size > info->attr.mq_msgsize)
		return ckpt_refuse(ctx, -EINVAL,
				   "a message that is longer than its queue allows");
	ret = ckpt_msg_fill(ctx, &q->msgs, rec, &msg);
	if (ret || !msg)
		return ret;
	ret = msg_insert(msg, &q->next);
	if (ret)
		free_msg(msg);
	return ret;
}

const struct ckpt_kind ckpt_kind_mqueue_msg = {
	.name		= "mqueue_msg",
	.about		= "messages in POSIX message queues, with their priorities",
	.family		= CKPT_FAMILY_OBJECT,
	.type		= CKPT_REC_MQUEUE_MSG,
	.phase		= CKPT_PHASE_OBJECT,
	.version	= 1,
	.min_version	= 1,
	CKPT_PAYLOAD_TAIL(struct ckpt_mqueue_msg, CKPT_MSG_CHUNK),
	.owner		= CKPT_REC_MQUEUE,
	.check		= queue_msg_check,
	.restore	= queue_msg_restore,
};

/* --- descriptions ------------------------------------------------------------------ */

static bool file_mqueue_match(struct file *file)
{
	return file->f_op == &mqueue_file_operations;
}

/* Was it opened by a path, and not by mq_open()? */
static bool has_mount(struct ckpt_ctx *ctx, struct file *file)
{
	return file->f_path.mnt != ctx->ns->ipc_ns->mq_mnt;
}

static struct path mount_of(struct file *file)
{
	return (struct path) {
		.mnt = file->f_path.mnt,
		.dentry = file->f_path.mnt->mnt_root,
	};
}

static int file_mqueue_collect(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	struct file *file = obj->ptr;
	struct path mount = mount_of(file);
	int ret, err = 0;

	ret = ckpt_desc_collect(ctx, file, OPEN_FLAGS);
	if (has_mount(ctx, file))
		err = ckpt_path_collect(ctx, &mount,
					ckpt_file_cred(ctx, file));
	if (!err && has_mount(ctx, file) &&
	    mount.dentry != mount.dentry->d_sb->s_root)
		err = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "a POSIX message queue that is mounted itself");
	ret = ret ?: err;
	err = ckpt_collect(ctx, &ckpt_kind_mqueue, file_inode(file));
	return ret ?: err;
}

static int file_mqueue_save(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	struct file *file = obj->ptr;
	struct ckpt_file_mqueue rec = {};
	struct path mount = mount_of(file);
	char *buf, *name = "";
	int ret;

	buf = kmalloc(PATH_MAX, GFP_KERNEL);
	if (!buf)
		return -ENOMEM;
	if (has_mount(ctx, file))
		name = ckpt_path(ctx, &mount, buf, PATH_MAX);
	if (IS_ERR(name)) {
		ret = ckpt_refuse(ctx, PTR_ERR(name), "has moved away");
	} else {
		ckpt_desc_fill(ctx, obj, &rec.desc);
		rec.queue = ckpt_ref(ctx, file_inode(file));
		ret = ckpt_write_tail(ctx, obj->kind, obj->ref, &rec,
				      sizeof(rec), name,
				      *name ? strlen(name) + 1 : 0);
	}
	kfree(buf);
	return ret;
}

static int file_mqueue_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_file_mqueue *p = ckpt_payload(rec, struct ckpt_file_mqueue);
	u32 len = ckpt_tail_len(rec, sizeof(*p));

	if (p->pad || !ckpt_ref_is_type(ctx, p->queue, CKPT_REC_MQUEUE) ||
	    (p->desc.open_flags & O_ACCMODE) == O_ACCMODE ||
	    (len && !ckpt_path_valid(p->mount, len)))
		return ckpt_refuse(ctx, -EINVAL,
				   "bad open POSIX message queue");
	return ckpt_desc_check(ctx, &p->desc, OPEN_FLAGS,
			       CKPT_FILE_RANDOM | CKPT_FILE_NOREUSE);
}

/* What mq_open() checks, but for a queue that was made for the tree just now. */
static int may_open(const struct queue *q, u32 flags)
{
	static const int acc[] = { MAY_READ, MAY_WRITE, MAY_READ | MAY_WRITE };

	if (!q->found)
		return 0;
	return inode_permission(&nop_mnt_idmap, d_inode(q->dentry),
				acc[flags & O_ACCMODE]);
}

static struct file *file_mqueue_open(struct ckpt_ctx *ctx, struct queue *q,
				     const struct ckpt_file_mqueue *p, bool mount)
{
	const struct cred *cred = ckpt_obj_ptr(ctx, p->desc.cred), *old;
	struct path path = { .mnt = mntget(q->ns->mq_mnt) };
	struct file *file;
	struct path at;
	int ret = 0;

	old = override_creds(cred);
	if (mount)
		ret = kern_path(p->mount, LOOKUP_FOLLOW, &at);
	if (mount && !ret) {
		swap(path.mnt, at.mnt);
		if (at.dentry != q->ns->mq_mnt->mnt_root)
			ret = -ENODEV;
		path_put(&at);
	}
	if (!ret)
		ret = may_open(q, p->desc.open_flags);
	path.dentry = q->dentry;
	file = ret ? ERR_PTR(ret) :
		     dentry_open(&path, p->desc.open_flags & (O_ACCMODE |
							      O_NONBLOCK), cred);
	mntput(path.mnt);
	revert_creds(old);
	return file;
}

static int file_mqueue_restore(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_file_mqueue *p = ckpt_payload(rec, struct ckpt_file_mqueue);
	struct queue *q = ckpt_obj_ptr(ctx, p->queue);
	bool mount = ckpt_tail_len(rec, sizeof(*p));
	struct file *file;

	if (q->msgs.left || q->msgs.msg)
		return ckpt_refuse(ctx, -EINVAL,
				   "a POSIX message queue lacks messages");
	file = file_mqueue_open(ctx, q, p, mount);
	if (file == ERR_PTR(-ENODEV))
		return ckpt_refuse(ctx, -ENODEV,
				   "there are no POSIX message queues of this IPC namespace mounted: %s",
				   p->mount);
	if (IS_ERR(file))
		return ckpt_refuse(ctx, PTR_ERR(file),
				   "cannot open POSIX message queue /%pd%s%s",
				   q->dentry, mount ? " in " : "",
				   mount ? (char *)p->mount : "");
	ckpt_obj_set(ctx, rec->objref, file, ckpt_file_put);
	return ckpt_desc_restore(ctx, file, &p->desc);
}

const struct ckpt_kind ckpt_kind_file_mqueue = {
	.name		= "file_mqueue",
	.about		= "open POSIX message queues: flags, opener, mount",
	.family		= CKPT_FAMILY_FILE,
	.type		= CKPT_REC_FILE_MQUEUE,
	.phase		= CKPT_PHASE_OBJECT,
	.version	= 1,
	.min_version	= 1,
	CKPT_PAYLOAD_TAIL(struct ckpt_file_mqueue, CKPT_MAX_PATH),
	.object		= true,
	.obj_get	= ckpt_file_get,
	.obj_put	= ckpt_file_put,
	.obj_collect	= file_mqueue_collect,
	.obj_save	= file_mqueue_save,
	.file_match	= file_mqueue_match,
	.check		= file_mqueue_check,
	.restore	= file_mqueue_restore,
};
