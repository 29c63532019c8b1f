// SPDX-License-Identifier: GPL-2.0
/*
 * Restart: read and check all metadata, make the tasks, let each of them
 * restore itself.
 *
 * The caller makes all processes as children of its own, which share its memory
 * for the time being, and the first thread of each makes the others. None of
 * them runs before it is told what to do, one at a time (enum ckpt_step), and
 * then it waits for more. To wake up one is most of what a step takes: there are
 * few, and a process does them by its first thread, which restores the others,
 * too, before they run for the first time, but for what needs that they run
 * (ckpt_kind.needs_run), which they do behind all else:
 *
 *	THREADS	each process that has more than one makes its threads
 *	RESTORE	the root, the builder, makes all objects: credentials, files,
 *		address spaces with their contents, tables of descriptors;
 *		then each process, and it is the first one, adopts its address
 *		space and restores the attributes of its threads
 *
 * Until here everything can fail, and then all of them vanish (ABORT) and
 * nothing has changed. After it nothing fails any more:
 *
 *	SETTLE	the builder commits the objects; then each process commits what
 *		it has used, descriptors, signals, timers
 *	COMMIT	those do that whose timers measure what others have used, too,
 *		see commits_late()
 *	EXIT	those who were zombies are that again, and so are first threads
 *		that had exited
 *	RELEASE	the builder, or one of its threads, lets go of the objects, which
 *		belong to the tasks now, and tells all of them to run
 *	GO	they run, with the saved registers, which each of them commits in
 *		get_signal() on its way to user mode; so does a thread with its
 *		signals
 *
 * Parents, process groups and sessions change under tasklist_lock between
 * COMMIT and RELEASE, see session.c.
 *
 * RESTART_SELF does the same without a child: the caller restores aside, and
 * commits to itself.
 */

#include <linux/completion.h>
#include <linux/kernel.h>
#include <linux/nsproxy.h>
#include <linux/pid_namespace.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/seccomp.h>
#include <linux/slab.h>
#include <linux/task_work.h>
#include <trace/events/sched.h>
#include <uapi/linux/wait.h>

#include "external.h"
#include "mm.h"
#include "task.h"

static void set_where(struct ckpt_ctx *ctx, const struct ckpt_rec *rec)
{
	ctx->where.rec_pos = rec ? rec->pos : U64_MAX;
	ctx->where.kind = rec ? rec->kind->name : NULL;
}

static struct ckpt_task *saved_task(const struct ckpt_member *m)
{
	return ckpt_payload(m->obj->rec, struct ckpt_task);
}

static struct ckpt_member *root_of(struct ckpt_ctx *ctx)
{
	return list_first_entry(&ctx->members, struct ckpt_member, node);
}

static bool is_zombie(const struct ckpt_member *m)
{
	return saved_task(m)->flags & CKPT_TASK_ZOMBIE;
}

/* The first thread of a process that lives on in others. */
static bool has_exited(const struct ckpt_member *m)
{
	return saved_task(m)->flags & CKPT_TASK_EXITED;
}

/* The first thread of a process that lives, if one is known yet. */
static struct ckpt_member *first_thread(struct ckpt_member *m)
{
	if (has_exited(m) && !list_empty(&m->threads))
		m = list_first_entry(&m->threads, struct ckpt_member,
				     thread_node);
	return m;
}

/* The memory of a process; 0 when that is not known yet. */
static ckpt_ref_t mm_of(struct ckpt_member *m)
{
	return saved_task(first_thread(m))->mm;
}

/**
 * ckpt_pid() - what a saved number of a process, thread or group means now
 * @ctx: the restart; all tasks exist
 * @saved: the number in the image
 *
 * Return: the pid, which lives as long as the restart goes on, or NULL when the
 * number is not of the tree.
 */
struct pid *ckpt_pid(struct ckpt_ctx *ctx, pid_t saved)
{
	struct ckpt_member *m = xa_load(&ctx->pids, saved);

	return m ? task_pid(m->task) : xa_load(&ctx->group_pids, saved);
}

/* --- metadata ------------------------------------------------------------------ */

/* A thread has in common with the first one what clone() demands. */
static int check_thread(struct ckpt_ctx *ctx, struct ckpt_member *m)
{
	const struct ckpt_task *t = saved_task(m), *first;

	m->leader = xa_load(&ctx->pids, t->tgid);
	if (!m->leader || m->leader->leader != m->leader)
		return ckpt_refuse(ctx, -EINVAL,
				   "thread %d stands in front of process %d",
				   t->pid, t->tgid);
	first = saved_task(m->leader);
	if (t->flags & CKPT_TASK_ZOMBIE || first->flags & CKPT_TASK_ZOMBIE)
		return ckpt_refuse(ctx, -EINVAL,
				   "thread %d of process %d has exited",
				   t->pid, t->tgid);
	if (t->parent || t->sighand != first->sighand ||
	    (mm_of(m->leader) && t->mm != mm_of(m->leader)) ||
	    t->pgid != first->pgid || t->sid != first->sid)
		return ckpt_refuse(ctx, -EINVAL,
				   "thread %d does not belong to process %d",
				   t->pid, t->tgid);
	list_add_tail(&m->thread_node, &m->leader->threads);
	return 0;
}

static int check_parent(struct ckpt_ctx *ctx, struct ckpt_member *m)
{
	const struct ckpt_task *t = saved_task(m);
	struct ckpt_member *parent = xa_load(&ctx->pids, t->parent);

	if (m == root_of(ctx)) {
		if (t->parent || t->flags & CKPT_TASK_ZOMBIE)
			return ckpt_refuse(ctx, -EINVAL,
					   "the root has a parent or has exited");
		return 0;
	}
	if (!t->parent || !parent || parent == m || is_zombie(parent) ||
	    has_exited(parent))
		return ckpt_refuse(ctx, -EINVAL,
				   "process %d is the child of %d, which is not in front of it",
				   t->pid, t->parent);
	return 0;
}

/* The first one makes it, together with its memory. */
static int check_sighand(struct ckpt_ctx *ctx, struct ckpt_member *m)
{
	const struct ckpt_task *t = saved_task(m);
	struct ckpt_obj *obj = ckpt_obj_get(ctx, t->mm);

	if (obj && !obj->user)
		obj->user = m;
	obj = ckpt_obj_get(ctx, t->sighand);
	if (!obj)
		return 0;
	if (!obj->user) {
		obj->user = m;
		list_move(&obj->rec->own, &m->obj->recs);
		return 0;
	}
	/* Its threads answer for one that has exited. */
	if (!has_exited(m) && mm_of(obj->user) != t->mm)
		return ckpt_refuse(ctx, -EINVAL,
				   "%d and %d share signal actions but not memory",
				   saved_task(obj->user)->pid, t->pid);
	return 0;
}

/* What records tasks have differs. */
enum task_sort {
	SORT_FIRST,		/* the first thread of a process */
	SORT_THREAD,		/* another one */
	SORT_EXITED,		/* has_exited() */
	SORT_ZOMBIE,
	NR_SORTS
};

/* Types of records: what such a task has, and what of it must be there. */
static struct {
	DECLARE_BITMAP(had, CKPT_NR_TYPES);
	DECLARE_BITMAP(required, CKPT_NR_TYPES);
} types_of[NR_SORTS] __ro_after_init;

static enum task_sort sort_of(const struct ckpt_member *m)
{
	if (is_zombie(m))
		return SORT_ZOMBIE;
	if (has_exited(m))
		return SORT_EXITED;
	return m->leader == m ? SORT_FIRST : SORT_THREAD;
}

/* Is this an attribute that such a task has? */
static bool __init has_kind(enum task_sort sort, const struct ckpt_kind *kind)
{
	switch (sort) {
	case SORT_THREAD:
		return !kind->process;
	case SORT_EXITED:
		return kind->zombie || kind->process;
	case SORT_ZOMBIE:
		return kind->zombie;
	default:
		return true;
	}
}

/* The table is long, and there can be very many tasks. */
static int __init types_init(void)
{
	enum task_sort sort;
	unsigned int i;

	for (i = 0; i < ckpt_nr_kinds; i++) {
		const struct ckpt_kind *kind = ckpt_kinds[i];

		if (!kind->type || kind->family == CKPT_FAMILY_FRAME)
			continue;
		for (sort = 0; sort < NR_SORTS; sort++) {
			if (kind->family == CKPT_FAMILY_TASK &&
			    !has_kind(sort, kind))
				continue;
			__set_bit(kind->type, types_of[sort].had);
			if (kind->required)
				__set_bit(kind->type, types_of[sort].required);
		}
	}
	return 0;
}
core_initcall(types_init);

/* Every task has one of each record that every such task needs. */
static int check_required(struct ckpt_ctx *ctx, struct ckpt_member *m)
{
	typeof(types_of[0]) *types = &types_of[sort_of(m)];
	struct ckpt_rec *rec;
	unsigned int type;

	type = find_next_andnot_bit(types->required, m->obj->singles,
				    CKPT_NR_TYPES, 0);
	if (type < CKPT_NR_TYPES)
		return ckpt_refuse(ctx, -EINVAL,
				   "the task has no record of kind %s",
				   ckpt_kind_of_type(type)->name);
	list_for_each_entry(rec, &m->obj->recs, own) {
		if (test_bit(rec->type, types->had))
			continue;
		set_where(ctx, rec);
		return ckpt_refuse(ctx, -EINVAL,
				   "a record that such a task has not");
	}
	return 0;
}

/*
 * So that one walk does what is to be done phase by phase. Mostly they are in
 * order; one that is not goes behind the last of its phase, or of one before.
 */
static void sort_by_phase(struct ckpt_obj *obj)
{
	enum ckpt_phase highest = CKPT_PHASE_NONE, phase, i;
	struct list_head *last[CKPT_NR_PHASES] = {};
	struct ckpt_rec *rec, *next;

	list_for_each_entry_safe(rec, next, &obj->recs, own) {
		phase = rec->kind->phase;
		if (phase < highest) {
			for (i = phase; i && !last[i]; i--)
				;
			list_move(&rec->own, last[i] ?: &obj->recs);
		}
		highest = max(highest, phase);
		last[phase] = &rec->own;
	}
}

/*
 * What shall be stopped is changed in the record. The root has a new parent,
 * who does not know of a stop; the others are stopped without a word.
 */
static void set_stops(struct ckpt_ctx *ctx, struct ckpt_member *m)
{
	struct ckpt_task *t = saved_task(m);

	if (m->leader != m || t->flags & CKPT_TASK_ZOMBIE)
		return;
	if (ctx->flags & RESTART_STOPPED && !ctx->self &&
	    !(t->flags & CKPT_TASK_STOPPED)) {
		t->flags &= ~CKPT_TASK_CONTINUED;
		t->flags |= CKPT_TASK_STOPPED;
		t->stop_signal = SIGSTOP;
	}
	if (m == root_of(ctx) && t->flags & CKPT_TASK_STOPPED) {
		t->flags |= CKPT_TASK_STOPPING;
		t->wait_status = t->stop_signal;
	}
}

static int add_member(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	struct ckpt_task *t = ckpt_payload(obj->rec, struct ckpt_task);
	struct ckpt_member *m;
	int ret;

	m = kzalloc(sizeof(*m), GFP_KERNEL_ACCOUNT);
	if (!m)
		return -ENOMEM;
	m->ctx = ctx;
	m->obj = obj;
	m->leader = m;
	INIT_LIST_HEAD(&m->threads);
	INIT_LIST_HEAD(&m->thread_node);
	init_completion(&m->turn);
	list_add_tail(&m->node, &ctx->members);
	ret = xa_insert(&ctx->pids, t->pid, m, GFP_KERNEL_ACCOUNT);
	if (ret == -EBUSY)
		return ckpt_refuse(ctx, -EINVAL, "two tasks with pid %d",
				   t->pid);
	if (!ret)
		ret = t->tgid == t->pid ? check_parent(ctx, m) :
					  check_thread(ctx, m);
	if (!ret)
		ret = check_sighand(ctx, m);
	if (!ret)
		ret = check_required(ctx, m);
	if (ret)
		return ret;
	set_stops(ctx, m);
	sort_by_phase(obj);
	return 0;
}

static int check_tree(struct ckpt_ctx *ctx)
{
	struct ckpt_member *m;
	struct ckpt_obj *obj;
	int ret;

	list_for_each_entry(obj, &ctx->objs, node) {
		if (obj->kind != &ckpt_kind_task)
			continue;
		set_where(ctx, obj->rec);
		ret = add_member(ctx, obj);
		if (ret)
			return ret;
	}
	list_for_each_entry(m, &ctx->members, node) {
		set_where(ctx, m->obj->rec);
		if (has_exited(m) && list_empty(&m->threads))
			return ckpt_refuse(ctx, -EINVAL,
					   "the first thread has exited, there is no other one");
	}
	set_where(ctx, NULL);
	if (list_empty(&ctx->members))
		return ckpt_refuse(ctx, -EINVAL, "no task in the image");
	return ckpt_session_check(ctx);
}

static bool is_of_task(const struct ckpt_rec *rec)
{
	return rec->kind->family == CKPT_FAMILY_TASK || rec->kind->in_task;
}

static bool is_built(const struct ckpt_rec *rec)
{
	const struct ckpt_kind *kind = rec->kind;

	/* Objects may need what the limits of any task allow. */
	if (is_of_task(rec))
		return kind->phase == CKPT_PHASE_CRED && kind->restore;
	return kind->restore || kind->commit;
}

/* Records that are read without a look around: mostly small ones. */
#define READ_BATCH	32

static int read_meta(struct ckpt_ctx *ctx)
{
	struct ckpt_rec *rec;
	unsigned int nr = 0;
	u32 type;

	do {
		rec = ckpt_read_rec(ctx);
		if (IS_ERR(rec))
			return PTR_ERR(rec);
		list_add_tail(&rec->node, &ctx->recs);
		if (is_built(rec))
			list_add_tail(&rec->build,
				      &ctx->phases[rec->kind->phase]);
		type = rec->type;
		ctx->timers |= type == CKPT_REC_POSIX_TIMER;
		if (ctx->nr_records == 1 ? type != CKPT_REC_HEADER :
					   type == CKPT_REC_HEADER)
			return ckpt_refuse(ctx, -EINVAL,
					   "an image begins with a header");
		if (type == CKPT_REC_PAGES || type == CKPT_REC_END)
			return ckpt_refuse(ctx, -EINVAL,
					   "page contents among the metadata");
		if (type == CKPT_REC_HEADER)
			ctx->header = *ckpt_payload(rec, struct ckpt_header);
		if (++nr % READ_BATCH)
			continue;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	} while (type != CKPT_REC_META_END);
	ctx->meta_done = true;

	return check_tree(ctx);
}

/* --- objects: what the builder does -------------------------------------------------- */

/* What belongs to an address space is restored in it. */
static int enter_owner(struct ckpt_ctx *ctx, const struct ckpt_rec *rec)
{
	struct ckpt_obj *obj = ckpt_obj_get(ctx, rec->objref);

	if (!obj || obj->kind != &ckpt_kind_mm || !obj->ptr)
		return 0;
	return ckpt_mm_enter(ctx, obj->ptr);
}

static int build_phase(struct ckpt_ctx *ctx, enum ckpt_phase phase)
{
	struct ckpt_rec *rec;
	int ret;

	list_for_each_entry(rec, &ctx->phases[phase], build) {
		if (!rec->kind->restore)
			continue;
		set_where(ctx, rec);
		ret = enter_owner(ctx, rec);
		if (!ret)
			ret = rec->kind->restore(ctx, rec);
		if (ret)
			return ret;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	set_where(ctx, NULL);
	return 0;
}

static int build(struct ckpt_ctx *ctx)
{
	enum ckpt_phase phase;
	int ret = 0;

	for (phase = CKPT_PHASE_NONE + 1; phase <= CKPT_PHASE_FILES && !ret;
	     phase++) {
		ret = phase == CKPT_PHASE_PAGES ? ckpt_pages_restore(ctx) :
						  build_phase(ctx, phase);
		if (!ret && phase == CKPT_PHASE_MM_END)
			ret = ckpt_shmem_seal(ctx);
	}
	ckpt_mm_leave(ctx);
	return ret;
}

static void settle(struct ckpt_ctx *ctx)
{
	enum ckpt_phase phase;
	struct ckpt_rec *rec;

	for (phase = CKPT_PHASE_NONE + 1; phase <= CKPT_PHASE_FILES; phase++)
		list_for_each_entry(rec, &ctx->phases[phase], build)
			if (rec->kind->commit && !is_of_task(rec))
				rec->kind->commit(ctx, rec);
}

/* --- what each process does ------------------------------------------------------------ */

/* With CLONE_SIGHAND processes share it; current has made no thread yet. */
static int share_sighand(struct ckpt_ctx *ctx, struct ckpt_member *m)
{
	struct sighand_struct *old = unrcu_pointer(current->sighand), *new;
	ckpt_ref_t ref = saved_task(m)->sighand;
	struct ckpt_obj *obj = ckpt_obj_get(ctx, ref);

	if (!obj)
		return 0;
	new = obj->ptr;
	if (!new) {
		refcount_inc(&old->count);
		ckpt_obj_set(ctx, ref, old, ckpt_sighand_put);
		return 0;
	}
	/* As unshare_sighand() in fs/exec.c does it. */
	refcount_inc(&new->count);
	write_lock_irq(&tasklist_lock);
	spin_lock(&old->siglock);
	rcu_assign_pointer(current->sighand, new);
	spin_unlock(&old->siglock);
	write_unlock_irq(&tasklist_lock);
	__cleanup_sighand(old);
	return 0;
}

static int make_task(struct ckpt_ctx *ctx, struct ckpt_member *m, u64 flags);

/* The first thing that a new process does. */
static int begin(struct ckpt_ctx *ctx, struct ckpt_member *m)
{
	/* From now on nobody can begin to do so, see new_task(). */
	if (current->ptrace)
		return ckpt_refuse(ctx, -EBUSY,
				   "somebody has begun to trace the new process %d",
				   m->pid);
	return share_sighand(ctx, m);
}

static int make_threads(struct ckpt_ctx *ctx, struct ckpt_member *m)
{
	struct ckpt_member *thread;
	int ret;

	list_for_each_entry(thread, &m->threads, thread_node) {
		ret = make_task(ctx, thread, CLONE_THREAD | CLONE_SIGHAND |
				CLONE_SYSVSEM);
		if (ret)
			return ret;
	}
	return 0;
}

static int adopt_mm(struct ckpt_ctx *ctx, struct ckpt_member *m)
{
	struct ckpt_obj *obj = ckpt_obj_get(ctx, saved_task(m)->mm);
	struct mm_struct *mm;

	if (is_zombie(m) || has_exited(m))
		return ckpt_mm_adopt_empty();
	mm = obj->ptr;
	/* As copy_process() with CLONE_VM. */
	if (m != obj->user)
		ckpt_arch_share_mm(mm);
	if (m->leader != obj->user->leader)
		set_bit(MMF_MULTIPROCESS, &mm->flags);
	ckpt_mm_adopt(m->task, mm);
	return 0;
}

static void tell(struct ckpt_member *m, enum ckpt_step step)
{
	bool is_new = m->is_new;

	m->step = step;
	m->is_new = false;
	complete(&m->turn);
	if (is_new)
		wake_up_new_task(m->task);
}

/*
 * Those that need that @m runs are left out as long as it has not, and are the
 * @rest then. Return: 0, 1: there is a rest; or -errno.
 */
static int restore_records(struct ckpt_ctx *ctx, struct ckpt_member *m,
			   bool rest)
{
	bool needs_run = false;
	struct ckpt_rec *rec;
	int ret;

	list_for_each_entry(rec, &m->obj->recs, own) {
		if (rec->kind->phase == CKPT_PHASE_NONE ||
		    !rec->kind->restore || (rest && !rec->kind->needs_run))
			continue;
		if (m->is_new && rec->kind->needs_run) {
			needs_run |= rec->kind->needs_run(ctx, rec);
			continue;
		}
		set_where(ctx, rec);
		ret = rec->kind->restore(ctx, rec);
		if (ret)
			return ret;
	}
	set_where(ctx, NULL);
	return needs_run;
}

/* A thread, which sleeps again soon; see commit_process(). */
static int let_restore_rest(struct ckpt_ctx *ctx, struct ckpt_member *m)
{
	tell(m, CKPT_STEP_RESTORE);
	wait_for_completion(&ctx->thread_done);
	return ctx->result;
}

static int restore_task(struct ckpt_ctx *ctx, struct ckpt_member *m)
{
	int ret = 0;

	/* A replaced caller goes over when nothing can fail any more. */
	if (!ctx->self)
		ret = adopt_mm(ctx, m);
	if (ret)
		return ret;

	ctx->who = m->task;
	ret = restore_records(ctx, m, false);
	if (ret > 0)
		ret = let_restore_rest(ctx, m);
	cond_resched();
	return fatal_signal_pending(current) ? -EINTR : ret;
}

static int restore_process(struct ckpt_ctx *ctx, struct ckpt_member *m)
{
	struct ckpt_member *thread;
	int ret = 0;

	if (m == root_of(ctx))
		ret = build(ctx);
	if (!ret)
		ret = restore_task(ctx, m);
	list_for_each_entry(thread, &m->threads, thread_node) {
		if (ret)
			break;
		ret = restore_task(ctx, thread);
	}
	return ret;
}

static void commit_phases(struct ckpt_member *m, enum ckpt_phase from,
			  enum ckpt_phase to)
{
	struct ckpt_rec *rec;

	list_for_each_entry(rec, &m->obj->recs, own) {
		if (rec->kind->phase > to)
			break;
		if (rec->kind->phase >= from && rec->kind->commit)
			rec->kind->commit(m->ctx, rec);
	}
}

/*
 * The CPU timers of a process measure what all its threads have used, and POSIX
 * timers what another process has: when they are started, that is known.
 */
static bool commits_late(const struct ckpt_member *m)
{
	return m->leader == m && (!list_empty(&m->threads) || m->ctx->timers);
}

static void commit_process(struct ckpt_ctx *ctx, struct ckpt_member *m)
{
	struct ckpt_member *thread;

	if (m == root_of(ctx))
		settle(ctx);
	ctx->who = m->task;
	commit_phases(m, CKPT_PHASE_CRED,
		      commits_late(m) ? CKPT_PHASE_CRED : CKPT_PHASE_CPU - 1);
	list_for_each_entry(thread, &m->threads, thread_node) {
		/* It may have told us that it has done so and not sleep yet. */
		while (!thread->is_new &&
		       !wait_task_inactive(thread->task, TASK_IDLE))
			schedule_timeout_uninterruptible(1);
		ctx->who = thread->task;
		commit_phases(thread, CKPT_PHASE_CRED, CKPT_PHASE_TASK);
		cond_resched();
	}
}

/* This task does not use the context any more. */
static void leave(struct ckpt_ctx *ctx)
{
	if (atomic_dec_and_test(&ctx->nr_running))
		complete(&ctx->finished);
}

/*
 * Runs in get_signal(), as the last thing of a restart. Also runs when the task
 * was killed before it got there.
 */
static void cpu_work(struct callback_head *work)
{
	struct ckpt_member *m = container_of(work, struct ckpt_member, cpu_work);
	struct ckpt_ctx *ctx = m->ctx;

	if (!(current->flags & PF_EXITING))
		commit_phases(m, m->leader == m ? CKPT_PHASE_CPU :
						  CKPT_PHASE_SIGNAL,
			      CKPT_PHASE_CPU);
	if (!ctx->self) {
		leave(ctx);
		return;
	}
	if (ctx->flags & RESTART_STOPPED)
		send_sig(SIGSTOP, current, 1);
	ckpt_ctx_free(ctx);
}

static void go(struct ckpt_member *m)
{
	init_task_work(&m->cpu_work, cpu_work);
	WARN_ON_ONCE(task_work_add(current, &m->cpu_work, TWA_SIGNAL));
}

/* What is closed is closed before any of the tasks can look at it. */
static void release(struct ckpt_ctx *ctx)
{
	ckpt_objs_release(ctx);
	if (task_work_pending(current))
		task_work_run();
}

static int do_step(struct ckpt_ctx *ctx, struct ckpt_member *m,
		   enum ckpt_step step)
{
	switch (step) {
	case CKPT_STEP_THREADS:
		return make_threads(ctx, m);
	case CKPT_STEP_RESTORE:
		return m->leader == m ? restore_process(ctx, m) :
					restore_records(ctx, m, true);
	case CKPT_STEP_SETTLE:
		commit_process(ctx, m);
		return 0;
	case CKPT_STEP_COMMIT:
		ctx->who = m->task;
		commit_phases(m, CKPT_PHASE_CRED + 1, CKPT_PHASE_CPU - 1);
		return 0;
	default:
		return -EINVAL;
	}
}

static void block_signals(sigset_t *old)
{
	sigset_t all;

	sigfillset(&all);
	sigdelsetmask(&all, sigmask(SIGKILL) | sigmask(SIGSTOP));
	sigprocmask(SIG_SETMASK, &all, old);
}

/* Whoever has sent it SIGKILL meanwhile does not change how it ended. */
static void __noreturn exit_as_saved(int status)
{
	spin_lock_irq(ckpt_siglock());
	current->signal->flags = SIGNAL_GROUP_EXIT;
	current->signal->group_exit_code = status;
	spin_unlock_irq(ckpt_siglock());
	do_exit(status);
}

/* Who does this step, from @m on? NULL: nobody. */
static struct ckpt_member *who_does(struct ckpt_ctx *ctx, struct ckpt_member *m,
				    enum ckpt_step step)
{
	list_for_each_entry_from(m, &ctx->members, node)
		if (m->leader == m &&
		    (step != CKPT_STEP_COMMIT || commits_late(m)))
			return m;
	return NULL;
}

/* Whose turn is it next: another task's, or the caller's? */
static void pass_on(struct ckpt_ctx *ctx, struct ckpt_member *m)
{
	struct ckpt_member *next = NULL;

	if (m->leader != m) {
		complete(&ctx->thread_done);
		return;
	}
	if (ctx->in_turn && !ctx->result)
		next = who_does(ctx, list_next_entry(m, node), m->step);
	if (next)
		tell(next, m->step);
	else
		complete(&ctx->done);
}

/* All others stand still up to here; those who have exited are gone. */
static void let_go(struct ckpt_ctx *ctx)
{
	struct ckpt_member *m;

	release(ctx);
	list_for_each_entry(m, &ctx->members, node) {
		if (!is_zombie(m) && !has_exited(m))
			tell(m, CKPT_STEP_GO);
		cond_resched();
	}
}

/*
 * A half-made process holds its cred_guard_mutex, as one in execve() does: it
 * cannot be traced, which would show its memory and change its parent. Only for
 * lockdep is it of a class of its own, as the image is read under it.
 *
 * Whoever waits here does not freeze: those who have not run yet could not.
 */
static int new_task(void *data)
{
	struct ckpt_member *m = data;
	struct mutex *guard = m->leader == m ?
		&current->signal->cred_guard_mutex : NULL;
	struct ckpt_ctx *ctx = m->ctx;
	bool begun = !guard;
	bool exited;
	int status;

	/* Whoever has made it blocks all signals but SIGKILL and SIGSTOP. */
	if (guard)
		mutex_lock_nested(guard, SINGLE_DEPTH_NESTING);

	for (;;) {
		wait_for_completion_state(&m->turn, TASK_IDLE);
		if (guard && m->step >= CKPT_STEP_GO)
			mutex_unlock(guard);
		switch (m->step) {
		case CKPT_STEP_RELEASE:
			let_go(ctx);
			break;
		case CKPT_STEP_GO:
			go(m);
			return 0;
		case CKPT_STEP_EXIT:
			exited = has_exited(m);
			status = exited ? saved_task(m)->exit_code :
					  saved_task(m)->wait_status;
			leave(ctx);
			/* A first thread exits alone, the others go on. */
			if (exited)
				do_exit(status);
			exit_as_saved(status);
		case CKPT_STEP_ABORT:
			leave(ctx);
			do_exit(SIGKILL);
		default:
			ctx->result = begun ? 0 : begin(ctx, m);
			begun = true;
			if (!ctx->result)
				ctx->result = do_step(ctx, m, m->step);
			pass_on(ctx, m);
		}
	}
}

/* --- what the caller does ------------------------------------------------------------------ */

/* Whoever does a step, or is next, gives up soon. */
static void kill_all(struct ckpt_ctx *ctx)
{
	struct ckpt_member *m;

	list_for_each_entry(m, &ctx->members, node)
		if (m->leader == m)
			send_sig(SIGKILL, m->task, 1);
}

/* Nothing else runs meanwhile. When the caller is killed, so is the tree. */
static int run(struct ckpt_ctx *ctx, struct ckpt_member *m,
	       enum ckpt_step step)
{
	if (m->task == current)
		return do_step(ctx, m, step);
	tell(m, step);
	if (step >= CKPT_STEP_SETTLE) {
		wait_for_completion(&ctx->done);
	} else if (wait_for_completion_killable(&ctx->done)) {
		kill_all(ctx);
		wait_for_completion(&ctx->done);
		return -EINTR;
	}
	return ctx->result;
}

static int make_task(struct ckpt_ctx *ctx, struct ckpt_member *m, u64 flags)
{
	pid_t tid = saved_task(m)->pid;
	struct kernel_clone_args args = {
		.flags = CLONE_VM | CLONE_UNTRACED | flags,
		.no_files = 1,
		.fn = new_task,
		.fn_arg = m,
		.set_tid = &tid,
		.set_tid_size = ctx->flags & RESTART_FRESH_PIDS ? 0 : 1,
	};
	struct task_struct *task;
	int error;

	set_where(ctx, m->obj->rec);
	/* As kernel_clone(), but that it does not run yet, see tell(). */
	task = copy_process(NULL, 0, NUMA_NO_NODE, &args);
	if (!IS_ERR(task)) {
		trace_sched_process_fork(current, task);
		atomic_inc(&ctx->nr_running);
		m->task = get_task_struct(task);
		m->pid = task_pid_vnr(task);
		m->is_new = true;
		set_where(ctx, NULL);
		return 0;
	}
	error = PTR_ERR(task);
	if (error == -ERESTARTNOINTR)
		return ckpt_refuse(ctx, -EINTR,
				   "the caller is being stopped, frozen or checkpointed");
	if (error == -EEXIST)
		return ckpt_refuse(ctx, error, "pid %d is in use", tid);
	if (error == -EPERM && args.set_tid_size)
		return ckpt_refuse(ctx, error,
				   "choosing pid %d needs CAP_CHECKPOINT_RESTORE; fresh pids do not",
				   tid);
	if (error == -EINVAL && args.set_tid_size && tid >= pid_max)
		return ckpt_refuse(ctx, error,
				   "pid %d is not below kernel.pid_max here",
				   tid);
	if (error == -EAGAIN)
		return ckpt_refuse(ctx, error,
				   "cannot make a task: RLIMIT_NPROC, pids.max of the cgroup or kernel.threads-max is reached");
	return ckpt_refuse(ctx, error, "cannot make a task");
}

static int make_tasks(struct ckpt_ctx *ctx)
{
	struct ckpt_member *m;
	sigset_t old;
	int ret = 0;

	/* fork() would start again, but what was read is read. */
	block_signals(&old);
	list_for_each_entry(m, &ctx->members, node) {
		if (m->leader != m)
			continue;
		ret = make_task(ctx, m, 0);
		if (ret)
			break;
	}
	sigprocmask(SIG_SETMASK, &old, NULL);
	if (ret)
		return ret;

	list_for_each_entry(m, &ctx->members, node) {
		if (list_empty(&m->threads))
			continue;
		ret = run(ctx, m, CKPT_STEP_THREADS);
		if (ret)
			return ret;
	}
	return 0;
}

/* One behind the other, each wakes the next one. */
static int run_all(struct ckpt_ctx *ctx, enum ckpt_step step)
{
	struct ckpt_member *first = who_does(ctx, root_of(ctx), step);
	int ret = 0;

	ctx->in_turn = true;
	if (first)
		ret = run(ctx, first, step);
	ctx->in_turn = false;
	return ret;
}

/* All that can fail. */
static int prepare(struct ckpt_ctx *ctx)
{
	int ret;

	ret = ckpt_session_prepare(ctx);
	return ret ?: run_all(ctx, CKPT_STEP_RESTORE);
}

/* They exit unseen: their parents, who stand still, do not look yet. */
static void make_zombies(struct ckpt_ctx *ctx)
{
	struct ckpt_member *m;

	list_for_each_entry(m, &ctx->members, node) {
		if (!is_zombie(m) && !has_exited(m))
			continue;
		tell(m, CKPT_STEP_EXIT);
		/* Nobody is told when others live on. */
		while (has_exited(m) && !ckpt_has_exited(m->task))
			schedule_timeout_uninterruptible(1);
		if (has_exited(m))
			continue;
		wait_event(task_pid(m->task)->wait_pidfd,
			   ckpt_is_zombie(m->task));
	}
}

static void finish(struct ckpt_ctx *ctx)
{
	run_all(ctx, CKPT_STEP_SETTLE);
	run_all(ctx, CKPT_STEP_COMMIT);
	ckpt_session_adopt_children(ctx);
	make_zombies(ctx);
	ckpt_session_commit(ctx);
	tell(first_thread(root_of(ctx)), CKPT_STEP_RELEASE);
	wait_for_completion(&ctx->finished);
}

/* The children of a failed restart go unseen. */
static void reap(struct ckpt_member *m)
{
	sigset_t old;

	block_signals(&old);
	/*
	 * What stops, freezes or kills us interrupts it, too. It comes soon,
	 * unless it is traced: then it is left to whom gets our children.
	 */
	while (kernel_wait4(m->pid, NULL, __WALL, NULL) == -ERESTARTSYS &&
	       !(fatal_signal_pending(current) && READ_ONCE(m->task->ptrace)))
		schedule_timeout_uninterruptible(1);
	sigprocmask(SIG_SETMASK, &old, NULL);
}

static void abort_all(struct ckpt_ctx *ctx)
{
	struct ckpt_member *m;
	bool any = false;

	list_for_each_entry(m, &ctx->members, node) {
		if (!m->task)
			continue;
		any = true;
		tell(m, CKPT_STEP_ABORT);
		cond_resched();
	}
	if (!any)
		return;
	wait_for_completion(&ctx->finished);
	/* The first one can be an init process, which exits behind all others. */
	ckpt_session_destroy(ctx);
	list_for_each_entry_reverse(m, &ctx->members, node)
		if (m->task && m->leader == m)
			reap(m);
}

static int restart_tree(struct ckpt_ctx *ctx)
{
	int ret;

	ret = make_tasks(ctx);
	if (!ret)
		ret = prepare(ctx);
	if (ret) {
		abort_all(ctx);
		return ret;
	}
	finish(ctx);
	return root_of(ctx)->pid;
}

static int restart_self(struct ckpt_ctx *ctx)
{
	struct ckpt_member *root = root_of(ctx);
	struct ckpt_task *saved = saved_task(root);
	int ret;

	if (ctx->nr_tasks != 1)
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "a caller cannot be replaced by %u tasks",
				   ctx->nr_tasks);
	if (get_nr_threads(current) != 1)
		return ckpt_refuse(ctx, -EBUSY,
				   "the caller to be replaced has %d threads",
				   get_nr_threads(current));
	if (saved->pid != task_pid_vnr(current) &&
	    !(ctx->flags & RESTART_FRESH_PIDS))
		return ckpt_refuse(ctx, -EINVAL,
				   "the caller to be replaced has pid %d, saved is %d",
				   task_pid_vnr(current), saved->pid);

	root->task = get_task_struct(current);
	ret = run_all(ctx, CKPT_STEP_RESTORE);
	if (ret)
		return ret;
	run_all(ctx, CKPT_STEP_SETTLE);
	run_all(ctx, CKPT_STEP_COMMIT);
	go(root);
	return 0;
}

/**
 * ckpt_do_restart() - make the tree from the image in the store
 * @ctx: the restart; with ctx->self and a result of 0 it is not the caller's
 *	any more
 *
 * Context: Process context, sleeps.
 * Return: the pid of the new root in the caller's pid namespace, or 0 when the
 * caller is replaced, or -errno with reasons in @ctx; then nothing has changed.
 */
int ckpt_do_restart(struct ckpt_ctx *ctx)
{
	int ret;

	if (seccomp_mode(&current->seccomp) != SECCOMP_MODE_DISABLED)
		return ckpt_refuse(ctx, -EPERM,
				   "the caller is confined by seccomp, the restarted process would not be what was saved");

	ret = ckpt_arch_prepare(ctx);
	if (!ret)
		ret = read_meta(ctx);
	if (!ret)
		ret = ckpt_ns_prepare(ctx);
	if (!ret)
		ret = ckpt_external_match(ctx, saved_task(root_of(ctx))->pid);
	if (!ret)
		ret = ctx->self ? restart_self(ctx) : restart_tree(ctx);
	if (ret == -EPIPE && !ctx->nr_reasons)
		ret = ckpt_refuse(ctx, -EINVAL, "the image is cut off here");
	if (ret < 0 && !ctx->nr_reasons)
		ckpt_refuse(ctx, ret, "restart failed");
	return ret;
}
