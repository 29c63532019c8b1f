// SPDX-License-Identifier: GPL-2.0
/*
 * Namespaces.
 *
 * All tasks of a tree are in one set of namespaces. Some of these can be others
 * than the saver's: the image says which, and what the tree sees in an own uts
 * and ipc namespace is saved (for ipc see sysv_ns.c). A restart makes no
 * namespaces. Its caller has made them, as unshare(2) does, and is in them; the
 * first task can become the init process of a pid namespace that has none yet.
 *
 * A namespace is the caller's own here when the init process that is above him
 * is not in it, nor was the kernel started with it. What is restored into it
 * surprises nobody then.
 */

#include <linux/fs_struct.h>
#include <linux/ipc_namespace.h>
#include <linux/nsproxy.h>
#include <linux/pid_namespace.h>
#include <linux/sched/task.h>
#include <linux/time_namespace.h>
#include <linux/user_namespace.h>
#include <linux/utsname.h>
#include <net/net_namespace.h>

#include "sysv.h"
#include "task.h"

/* A new namespace must be looked at here. */
static_assert(sizeof(struct nsproxy) == 9 * sizeof(void *));
/* So must another name, and another clock. */
static_assert(sizeof(struct new_utsname) == 6 * (__NEW_UTS_LEN + 1));
#ifdef CONFIG_TIME_NS
static_assert(sizeof(struct timens_offsets) == 2 * sizeof(struct timespec64));
#endif

#define NS_ALL	(CKPT_NS_UTS | CKPT_NS_IPC | CKPT_NS_MNT | CKPT_NS_PID |	\
		 CKPT_NS_NET | CKPT_NS_TIME | CKPT_NS_CGROUP | CKPT_NS_USER)

static const char * const ns_names[] = {
	"uts", "ipc", "mount", "pid", "network", "time", "cgroup", "user",
};

static_assert(BIT(ARRAY_SIZE(ns_names)) - 1 == NS_ALL);

static const char *ns_name(unsigned long kinds)
{
	return ns_names[__ffs(kinds)];
}

/* Those kinds in which they differ; pid and user are not in there. */
static u32 ns_differ(const struct nsproxy *a, const struct nsproxy *b)
{
	u32 differ = 0;

	if (a->uts_ns != b->uts_ns)
		differ |= CKPT_NS_UTS;
	if (a->ipc_ns != b->ipc_ns)
		differ |= CKPT_NS_IPC;
	if (a->mnt_ns != b->mnt_ns)
		differ |= CKPT_NS_MNT;
	if (a->net_ns != b->net_ns)
		differ |= CKPT_NS_NET;
	if (a->time_ns != b->time_ns)
		differ |= CKPT_NS_TIME;
	if (a->cgroup_ns != b->cgroup_ns)
		differ |= CKPT_NS_CGROUP;
	return differ;
}

/* --- saving -------------------------------------------------------------------- */

/* Return: the former one, held. */
static struct fs_struct *swap_fs(struct fs_struct *fs)
{
	struct fs_struct *old;

	task_lock(current);
	old = current->fs;
	current->fs = fs;
	task_unlock(current);
	return old;
}

/* Names in the image are those that the first task sees. */
static int enter_root(struct ckpt_ctx *ctx, struct task_struct *task)
{
	struct fs_struct *fs;
	int ret;

	fs = copy_fs_struct(current->fs);
	if (!fs)
		return -ENOMEM;
	ret = -ESRCH;
	path_put(&ctx->root);
	ctx->root = (struct path) { };
	task_lock(task);
	if (task->fs) {
		get_fs_root(task->fs, &ctx->root);
		ret = 0;
	}
	task_unlock(task);
	if (ret) {
		free_fs_struct(fs);
		return ckpt_refuse(ctx, ret,
				   "was killed during the checkpoint");
	}
	set_fs_root(fs, &ctx->root);
	set_fs_pwd(fs, &ctx->root);
	ctx->old_fs = swap_fs(fs);
	return 0;
}

/**
 * ckpt_ns_enter() - look at everything as the tree does
 * @ctx: the checkpoint, whose tree stands still
 *
 * Paths are looked up from the root of the first task until ckpt_ns_leave()
 * when it is in another mount namespace.
 *
 * Return: 0 or -errno.
 */
int ckpt_ns_enter(struct ckpt_ctx *ctx)
{
	/* Who has exited is in none any more. */
	struct task_struct *task = ckpt_first_thread(ctx->task);
	struct pid_namespace *pid_ns;
	struct nsproxy *ns;

	rcu_read_lock();
	pid_ns = task_active_pid_ns(task);
	if (pid_ns)
		get_pid_ns(pid_ns);
	rcu_read_unlock();
	task_lock(task);
	ns = task->nsproxy;
	if (ns)
		get_nsproxy(ns);
	task_unlock(task);
	if (ns) {
		put_nsproxy(ctx->ns);
		ctx->ns = ns;
	}
	if (pid_ns) {
		put_pid_ns(ctx->pid_ns);
		ctx->pid_ns = pid_ns;
	}
	if (!ns || !pid_ns)
		return ckpt_refuse(ctx, -ESRCH,
				   "was killed during the checkpoint");

	put_user_ns(ctx->user_ns);
	rcu_read_lock();
	ctx->user_ns = get_user_ns(__task_cred(task)->user_ns);
	rcu_read_unlock();

	ctx->own_ns = ns_differ(ns, current->nsproxy);
	if (ctx->pid_ns != task_active_pid_ns(current))
		ctx->own_ns |= CKPT_NS_PID;
	if (ctx->user_ns != current_user_ns())
		ctx->own_ns |= CKPT_NS_USER;
	return ctx->own_ns & CKPT_NS_MNT ? enter_root(ctx, task) : 0;
}

/**
 * ckpt_ns_leave() - the end of ckpt_ns_enter()
 * @ctx: the checkpoint
 */
void ckpt_ns_leave(struct ckpt_ctx *ctx)
{
	if (ctx->old_fs)
		free_fs_struct(swap_fs(ctx->old_fs));
	ctx->old_fs = NULL;
}

/**
 * ckpt_ns_is_init() - is this the init process of an own pid namespace?
 * @ctx: the checkpoint
 * @task: a task of the tree
 *
 * Return: true only for the first task.
 */
bool ckpt_ns_is_init(struct ckpt_ctx *ctx, struct task_struct *task)
{
	return task == ctx->task && ctx->own_ns & CKPT_NS_PID &&
	       is_child_reaper(task_tgid(task));
}

/*
 * What is saved of such a namespace would be there twice, or in the way. Not
 * counted is the parent of the first task: who makes namespaces and forks, as
 * unshare(1) does, is in most of them himself, and waits.
 * Return: whether a process outside is in it; @pid: its number here, or 0.
 */
static bool find_outsider(struct ckpt_ctx *ctx, u32 kind, pid_t *pid)
{
	struct task_struct *group, *task, *maker;
	const struct nsproxy *ns;
	bool found = false;

	rcu_read_lock();
	maker = rcu_dereference(ctx->task->real_parent);
	for_each_process_thread(group, task) {
		if (task->flags & PF_KTHREAD || ckpt_in_tree(ctx, task) ||
		    same_thread_group(task, maker))
			continue;
		task_lock(task);
		ns = task->nsproxy;
		found = ns && !(ns_differ(ns, ctx->ns) & kind);
		task_unlock(task);
		if (!found)
			continue;
		/* None in another pid namespace, as that of a container's host. */
		*pid = task_tgid_vnr(task);
		goto out;
	}
out:
	rcu_read_unlock();
	return found;
}

static int collect_own(struct ckpt_ctx *ctx)
{
	static const u32 saved[] = { CKPT_NS_UTS, CKPT_NS_IPC };
	unsigned int i;
	int ret = 0;
	pid_t pid;

	for (i = 0; i < ARRAY_SIZE(saved); i++) {
		if (ctx->own_ns & saved[i] &&
		    find_outsider(ctx, saved[i], &pid))
			ret = ckpt_refuse(ctx, -EBUSY,
					  "shares its %s namespace with process %d outside%s",
					  ns_name(saved[i]), pid,
					  pid ? "" : " (of another pid namespace)");
	}
	return ret;
}

/* Which task tells of the namespaces of all? */
static bool is_teller(struct ckpt_ctx *ctx, struct task_struct *task)
{
	return same_thread_group(task, ctx->task) &&
	       ckpt_first_thread(ctx->task) == task;
}

static int namespaces_collect(struct ckpt_ctx *ctx, struct task_struct *task)
{
	bool teller = is_teller(ctx, task);
	unsigned long differ = 0;
	bool pid = false, time = false;
	const struct nsproxy *ns;
	int ret = 0;

	task_lock(task);
	ns = task->nsproxy;
	if (ns) {
		differ = ns_differ(ns, ctx->ns);
		pid = ns->pid_ns_for_children != ctx->pid_ns;
		time = ns->time_ns_for_children != ns->time_ns;
	}
	task_unlock(task);
	rcu_read_lock();
	if (task_active_pid_ns(task) != ctx->pid_ns)
		differ |= CKPT_NS_PID;
	if (__task_cred(task)->user_ns != ctx->user_ns)
		differ |= CKPT_NS_USER;
	rcu_read_unlock();

	for (; differ; differ &= differ - 1)
		ret = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "is in another %s namespace than the first process of the tree",
				  ns_name(differ));
	if (pid && !(differ & CKPT_NS_PID))
		ret = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "makes its children in another pid namespace than its own");
	if (time)
		ret = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "makes its children in another time namespace than its own");
	if (!ret && teller)
		ret = collect_own(ctx);
	if (!ret && teller && ctx->own_ns & CKPT_NS_IPC &&
	    IS_ENABLED(CONFIG_SYSVIPC))
		ret = ckpt_sysv_ns_collect(ctx);
	return ret;
}

#ifdef CONFIG_TIME_NS
/* What the tree's clocks differ by from the saver's, which are in the header. */
static void fill_offsets(struct ckpt_ctx *ctx, struct ckpt_namespaces *rec)
{
	const struct timens_offsets *tree = &ctx->ns->time_ns->offsets;
	const struct timens_offsets *own = &current->nsproxy->time_ns->offsets;

	rec->monotonic = ckpt_stamp(timespec64_sub(tree->monotonic,
						   own->monotonic));
	rec->boottime = ckpt_stamp(timespec64_sub(tree->boottime,
						  own->boottime));
}
#else
static void fill_offsets(struct ckpt_ctx *ctx, struct ckpt_namespaces *rec)
{
}
#endif

static int namespaces_save(struct ckpt_ctx *ctx, struct task_struct *task)
{
	struct ckpt_namespaces rec = { .own = ctx->own_ns };
	const struct new_utsname *name = &ctx->ns->uts_ns->name;

	if (!ctx->own_ns || !is_teller(ctx, task))
		return 0;
	static_assert(sizeof(rec.hostname) == sizeof(name->nodename));
	static_assert(sizeof(rec.domainname) == sizeof(name->domainname));
	if (ckpt_ns_is_init(ctx, ctx->task))
		rec.flags |= CKPT_NS_INIT;
	if (ctx->own_ns & CKPT_NS_UTS) {
		down_read(&uts_sem);
		memcpy(rec.hostname, name->nodename, sizeof(rec.hostname));
		memcpy(rec.domainname, name->domainname,
		       sizeof(rec.domainname));
		up_read(&uts_sem);
	}
	if (ctx->own_ns & CKPT_NS_TIME)
		fill_offsets(ctx, &rec);
	return ckpt_write(ctx, &ckpt_kind_namespaces, ckpt_ref(ctx, task), &rec,
			  sizeof(rec));
}

/* --- restarting ------------------------------------------------------------------ */

static bool is_zero(const void *mem, size_t len)
{
	return !memchr_inv(mem, 0, len);
}

static bool offset_ok(const struct ckpt_stamp *offset)
{
	return ckpt_stamp_ok(offset) &&
	       offset->sec <= KTIME_SEC_MAX / 2 &&
	       offset->sec >= -(KTIME_SEC_MAX / 2);
}

static int namespaces_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_namespaces *p = ckpt_payload(rec, struct ckpt_namespaces);

	if (!p->own || p->own & ~NS_ALL || p->flags & ~CKPT_NS_INIT ||
	    (p->flags & CKPT_NS_INIT && !(p->own & CKPT_NS_PID)) ||
	    !is_zero(p->pad, sizeof(p->pad)))
		return ckpt_refuse(ctx, -EINVAL, "unknown namespaces 0x%x",
				   p->own);
	if (p->own & CKPT_NS_UTS ?
	    !memchr(p->hostname, 0, sizeof(p->hostname)) ||
	    !memchr(p->domainname, 0, sizeof(p->domainname)) :
	    !is_zero(p->hostname, sizeof(p->hostname)) ||
	    !is_zero(p->domainname, sizeof(p->domainname)))
		return ckpt_refuse(ctx, -EINVAL, "bad name of a host");
	if (p->own & CKPT_NS_TIME ?
	    !offset_ok(&p->monotonic) || !offset_ok(&p->boottime) :
	    !is_zero(&p->monotonic, sizeof(p->monotonic)) ||
	    !is_zero(&p->boottime, sizeof(p->boottime)))
		return ckpt_refuse(ctx, -EINVAL, "bad offset of a clock");
	return 0;
}

/* The kinds in which the caller is not in a namespace that he has made. */
static u32 not_own(void)
{
	struct pid_namespace *ns = task_active_pid_ns(current);
	struct user_namespace *user = NULL;
	struct task_struct *init;
	u32 same = ~ns_differ(current->nsproxy, &init_nsproxy);

	rcu_read_lock();
	init = ns->child_reaper;
	if (init && !same_thread_group(init, current)) {
		task_lock(init);
		if (init->nsproxy)
			same |= ~ns_differ(current->nsproxy, init->nsproxy);
		task_unlock(init);
		user = __task_cred(init)->user_ns;
	}
	rcu_read_unlock();
	same &= ~(CKPT_NS_USER | CKPT_NS_PID);
	if (current_user_ns() == &init_user_ns || current_user_ns() == user)
		same |= CKPT_NS_USER;
	return same & NS_ALL;
}

/* Whose numbers do the new tasks get, and does the first one become init? */
static int check_pid_ns(struct ckpt_ctx *ctx, const struct ckpt_namespaces *p)
{
	struct pid_namespace *ns = current->nsproxy->pid_ns_for_children;
	bool init = p && p->flags & CKPT_NS_INIT;
	bool fresh = !READ_ONCE(ns->child_reaper);

	if (fresh && !init)
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "the first process in the pid namespace of the caller's children is its init process, which the first one in the image was not");
	if (!fresh && init && !(ctx->flags & RESTART_CALLERS_NS))
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "the first process was the init process of its pid namespace; the caller's children need a new one");
	if (ctx->self && ns != task_active_pid_ns(current))
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "the caller's children are in another pid namespace");
	put_pid_ns(ctx->pid_ns);
	ctx->pid_ns = get_pid_ns(ns);
	return 0;
}

static bool is_of_process(const struct ckpt_member *leader, ckpt_ref_t task)
{
	const struct ckpt_member *m;

	if (leader->obj->ref == task)
		return true;
	list_for_each_entry(m, &leader->threads, thread_node)
		if (m->obj->ref == task)
			return true;
	return false;
}

/**
 * ckpt_ns_prepare() - is the caller in the namespaces that the image needs?
 * @ctx: the restart, with its members
 *
 * Return: 0 or -errno, noted as a reason.
 */
int ckpt_ns_prepare(struct ckpt_ctx *ctx)
{
	const struct ckpt_namespaces *p = NULL;
	struct ckpt_rec *rec;
	struct ckpt_member *root;
	u32 missing;
	int ret;

	root = list_first_entry(&ctx->members, struct ckpt_member, node);
	list_for_each_entry(rec, &ctx->recs, node) {
		if (rec->kind != &ckpt_kind_namespaces)
			continue;
		ctx->where.rec_pos = rec->pos;
		ctx->where.kind = rec->kind->name;
		if (!is_of_process(root, rec->objref))
			return ckpt_refuse(ctx, -EINVAL,
					   "namespaces of another process than the first one");
		/* Each thread could have one. */
		if (p)
			return ckpt_refuse(ctx, -EINVAL,
					   "namespaces of a second thread");
		p = ckpt_payload(rec, struct ckpt_namespaces);
		ctx->own_ns = p->own;
	}
	ctx->where.kind = ckpt_kind_namespaces.name;
	if (current->nsproxy->time_ns_for_children != current->nsproxy->time_ns)
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "the caller's children are in another time namespace");
	missing = ctx->flags & RESTART_CALLERS_NS ? 0 :
						    ctx->own_ns & not_own();
	if (missing)
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "had an own %s namespace, the caller has not; see unshare(2)",
				   ns_name(missing));
	ret = check_pid_ns(ctx, p);
	if (ret)
		return ret;
	ctx->where.rec_pos = U64_MAX;
	ctx->where.kind = NULL;
	return 0;
}

static bool sets_names(struct ckpt_ctx *ctx, const struct ckpt_namespaces *p)
{
	return p->own & CKPT_NS_UTS && !(ctx->flags & RESTART_CALLERS_NS);
}

/* As sethostname(2). */
static int namespaces_restore(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_namespaces *p = ckpt_payload(rec, struct ckpt_namespaces);

	if (sets_names(ctx, p) &&
	    !ns_capable(current->nsproxy->uts_ns->user_ns, CAP_SYS_ADMIN))
		return ckpt_refuse(ctx, -EPERM,
				   "no permission to set the name of the host");
	return 0;
}

/* Numbers that were in use a moment ago are not given to others at once. */
static void set_next_pid(struct ckpt_ctx *ctx)
{
	struct ckpt_member *m;
	pid_t last = 1;

	list_for_each_entry(m, &ctx->members, node)
		last = max(last, task_pid_nr_ns(m->task, ctx->pid_ns));
	idr_set_cursor(&ctx->pid_ns->idr, last + 1);
}

static void namespaces_commit(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_namespaces *p = ckpt_payload(rec, struct ckpt_namespaces);
	struct new_utsname *name = &current->nsproxy->uts_ns->name;

	if (p->flags & CKPT_NS_INIT && is_child_reaper(task_tgid(current)))
		set_next_pid(ctx);
	if (!sets_names(ctx, p))
		return;
	down_write(&uts_sem);
	memcpy(name->nodename, p->hostname, sizeof(name->nodename));
	memcpy(name->domainname, p->domainname, sizeof(name->domainname));
	uts_proc_notify(UTS_PROC_HOSTNAME);
	uts_proc_notify(UTS_PROC_DOMAINNAME);
	up_write(&uts_sem);
}

const struct ckpt_kind ckpt_kind_namespaces = {
	.name = "namespaces",
	.about = "the caller's or own ones, the same for all; names of the host in an own one",
	.family = CKPT_FAMILY_TASK,
	.type = CKPT_REC_NAMESPACES,
	.phase = CKPT_PHASE_TASK,
	.version = 1,
	.min_version = 1,
	CKPT_PAYLOAD(struct ckpt_namespaces),
	.single = true,
	.task_collect = namespaces_collect,
	.task_save = namespaces_save,
	.check = namespaces_check,
	.restore = namespaces_restore,
	.commit = namespaces_commit,
};
