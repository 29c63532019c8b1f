// SPDX-License-Identifier: GPL-2.0
/*
 * An address space: what it has besides mappings, and how a task changes from
 * its old one to the one that is restored.
 */

#include <linux/binfmts.h>
#include <linux/coredump.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/futex.h>
#include <linux/khugepaged.h>
#include <linux/ksm.h>
#include <linux/membarrier.h>
#include <linux/mm.h>
#include <linux/mm_inline.h>
#include <linux/mmu_context.h>
#include <linux/sched/coredump.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/security.h>

#include "mm.h"

/* mm->flags by what they mean for a checkpoint. */

/* saved */
#define MMF_SAVED	(MMF_DUMPABLE_MASK | MMF_DUMP_FILTER_MASK |	\
			 MMF_DISABLE_THP_MASK | MMF_HAS_MDWE_MASK |	\
			 BIT(MMF_HAS_MDWE_NO_INHERIT) |			\
			 MMF_VM_MERGE_ANY_MASK | BIT(MMF_TOPDOWN))
/* The kernel's MMF_TOPDOWN_MASK is a negative int. */
static_assert(!(MMF_SAVED >> 32));
/* bookkeeping of the memory manager, made anew with the mm or by its users */
#define MMF_DERIVED	(BIT(MMF_VM_MERGEABLE) | BIT(MMF_VM_HUGEPAGE) |	\
			 BIT(MMF_HUGE_ZERO_PAGE) | BIT(MMF_MULTIPROCESS) | \
			 BIT(MMF_HAS_PINNED))
/* refused by name below */
#define MMF_UPROBES	(BIT(MMF_HAS_UPROBES) | BIT(MMF_RECALC_UPROBES))
#define MMF_DYING	(BIT(MMF_OOM_SKIP) | BIT(MMF_UNSTABLE) |	\
			 BIT(MMF_OOM_REAP_QUEUED))

static const struct {
	u32 flag;
	unsigned int bit;
} layout_flags[] = {
	{ CKPT_LAYOUT_THP_DISABLE, MMF_DISABLE_THP },
	{ CKPT_LAYOUT_KSM_ANY, MMF_VM_MERGE_ANY },
	{ CKPT_LAYOUT_MDWE, MMF_HAS_MDWE },
	{ CKPT_LAYOUT_MDWE_NO_INHERIT, MMF_HAS_MDWE_NO_INHERIT },
};

#define LAYOUT_FLAGS	(CKPT_LAYOUT_THP_DISABLE | CKPT_LAYOUT_KSM_ANY | \
			 CKPT_LAYOUT_MDWE | CKPT_LAYOUT_MDWE_NO_INHERIT | \
			 CKPT_LAYOUT_LOCK_FUTURE | CKPT_LAYOUT_LOCK_ONFAULT)

/* What a registration sets, as in kernel/sched/membarrier.c. */
#ifdef CONFIG_MEMBARRIER
static const struct {
	u32 cmd;
	u32 ready;
	u32 set;
	bool here;
} membarriers[] = {
	{
		MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED,
		MEMBARRIER_STATE_GLOBAL_EXPEDITED_READY,
		MEMBARRIER_STATE_GLOBAL_EXPEDITED,
		true,
	}, {
		MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED,
		MEMBARRIER_STATE_PRIVATE_EXPEDITED_READY,
		MEMBARRIER_STATE_PRIVATE_EXPEDITED,
		true,
	}, {
		MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE,
		MEMBARRIER_STATE_PRIVATE_EXPEDITED_SYNC_CORE_READY,
		MEMBARRIER_STATE_PRIVATE_EXPEDITED |
		MEMBARRIER_STATE_PRIVATE_EXPEDITED_SYNC_CORE,
		IS_ENABLED(CONFIG_ARCH_HAS_MEMBARRIER_SYNC_CORE),
	}, {
		MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ,
		MEMBARRIER_STATE_PRIVATE_EXPEDITED_RSEQ_READY,
		MEMBARRIER_STATE_PRIVATE_EXPEDITED |
		MEMBARRIER_STATE_PRIVATE_EXPEDITED_RSEQ,
		IS_ENABLED(CONFIG_RSEQ),
	},
};
#endif

#define MEMBARRIER_CMDS	(MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED |	\
			 MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED |	\
			 MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE | \
			 MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ)

/* --- collecting ---------------------------------------------------------------- */

static void mm_get(void *ptr)
{
	mmget(ptr);
}

static void mm_put(void *ptr)
{
	mmput(ptr);
}

static bool uses_aio(struct mm_struct *mm)
{
#ifdef CONFIG_AIO
	return rcu_access_pointer(mm->ioctx_table);
#else
	return false;
#endif
}

static u32 unknown_membarriers(struct mm_struct *mm)
{
#ifdef CONFIG_MEMBARRIER
	u32 known = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(membarriers); i++)
		known |= membarriers[i].ready | membarriers[i].set;
	return atomic_read(&mm->membarrier_state) & ~known;
#else
	return 0;
#endif
}

static int collect_state(struct ckpt_ctx *ctx, struct mm_struct *mm)
{
	unsigned long flags = READ_ONCE(mm->flags);
	u32 membarrier;
	int ret = 0;

	if (flags & MMF_DYING)
		return ckpt_refuse(ctx, -ESRCH, "is being killed for memory");
	if (flags & MMF_UPROBES)
		ret = ckpt_refuse(ctx, -EBUSY,
				  "a uprobe is set in its program");
	if (flags & ~(MMF_SAVED | MMF_DERIVED | MMF_UPROBES))
		ret = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "an address space with flags 0x%lx",
				  flags & ~(MMF_SAVED | MMF_DERIVED |
					    MMF_UPROBES));
	if (mm->def_flags & ~(unsigned long)(VM_LOCKED | VM_LOCKONFAULT))
		ret = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "an address space with default flags 0x%lx",
				  mm->def_flags);
	if (uses_aio(mm))
		ret = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "asynchronous I/O (io_setup) was used");
	if (atomic64_read(&mm->pinned_vm))
		ret = ckpt_refuse(ctx, -EBUSY,
				  "%lld pages are pinned for a device",
				  (s64)atomic64_read(&mm->pinned_vm));
	if (mm->user_ns != ctx->user_ns)
		ret = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "the program was started in another user namespace");
	if (mm->binfmt != current->mm->binfmt)
		ret = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "a program of another binary format");
	membarrier = unknown_membarriers(mm);
	if (membarrier)
		ret = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "unknown membarrier registrations 0x%x",
				  membarrier);
	return ret;
}

static int collect_mapping(struct ckpt_ctx *ctx, const struct ckpt_kind *kind,
			   struct vm_area_struct *vma)
{
	if (!kind)
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "an unknown kind of mapping (flags 0x%lx, operations %ps)",
				   vma->vm_flags, vma->vm_ops);
	if (kind->refuse)
		return ckpt_refuse(ctx, -EOPNOTSUPP, "%s", kind->refuse);
	return kind->vma_collect ? kind->vma_collect(ctx, vma) : 0;
}

static int save_mapping(struct ckpt_ctx *ctx, const struct ckpt_kind *kind,
			struct vm_area_struct *vma)
{
	/* Collected mappings can change if somebody is determined enough. */
	if (!kind || !kind->vma_save)
		return ckpt_refuse(ctx, -EBUSY,
				   "the mapping has changed meanwhile");
	return kind->vma_save(ctx, vma);
}

/* A copy, which holds the file and the name; only to look at. */
struct mapping {
	struct vm_area_struct vma;
	const struct ckpt_kind *kind;
};

/* So many are looked up at a time. */
#define NR_MAPPINGS	16

/*
 * Copy those at @addr and behind it, as vm_area_dup() does. Return: how many, 0 at
 * the end of the address space, or -EINTR.
 */
static int copy_mappings(struct mm_struct *mm, unsigned long addr,
			 struct mapping *to)
{
	VMA_ITERATOR(vmi, mm, addr);
	struct vm_area_struct *vma;
	int nr = 0;

	/* Without contention the lock does not look at signals. */
	if (fatal_signal_pending(current) || mmap_read_lock_killable(mm))
		return -EINTR;
	for_each_vma(vmi, vma) {
		to[nr].kind = ckpt_kind_of_vma(vma);
		/* As in vm_area_dup(): flags may be set meanwhile. */
		data_race(memcpy(&to[nr].vma, vma, sizeof(*vma)));
		dup_anon_vma_name(vma, &to[nr].vma);
		if (vma->vm_file)
			get_file(vma->vm_file);
		if (++nr == NR_MAPPINGS)
			break;
	}
	mmap_read_unlock(mm);
	return nr;
}

static void put_mapping(struct mapping *m)
{
	if (m->vma.vm_file)
		fput(m->vma.vm_file);
	free_anon_vma_name(&m->vma);
}

static int visit_mapping(struct ckpt_ctx *ctx, struct mapping *m, bool save)
{
	ctx->where.vm_start = m->vma.vm_start;
	ctx->where.vm_end = m->vma.vm_end;
	ctx->where.kind = m->kind ? m->kind->name : "vma";
	return save ? save_mapping(ctx, m->kind, &m->vma) :
		      collect_mapping(ctx, m->kind, &m->vma);
}

/*
 * Call a kind for each mapping, in ascending order. It gets a copy: what it
 * does to files must not wait under the mmap lock, and others can still change
 * a mapping in between (a userfaultfd of somebody else).
 */
static int walk_mappings(struct ckpt_ctx *ctx, struct mm_struct *mm, bool save)
{
	const char *name = ctx->where.kind;
	unsigned long addr = 0;
	struct mapping *copies;
	int i, nr, err, ret = 0;
	bool stop;

	copies = kmalloc_array(NR_MAPPINGS, sizeof(*copies),
			       GFP_KERNEL_ACCOUNT);
	if (!copies)
		return -ENOMEM;
	do {
		nr = copy_mappings(mm, addr, copies);
		if (nr < 0)
			ret = ret ?: nr;
		stop = nr <= 0;
		for (i = 0; i < nr; i++) {
			err = stop ? 0 : visit_mapping(ctx, &copies[i], save);
			ret = ret ?: err;
			/* Collecting finds all the reasons. */
			stop = stop || (err && save) || err == -ENOMEM ||
			       err == -EINTR;
			addr = copies[i].vma.vm_end;
			put_mapping(&copies[i]);
			cond_resched();
		}
	} while (!stop);
	kfree(copies);
	ctx->where.vm_end = 0;
	ctx->where.kind = name;
	return ret;
}

static int collect_exe(struct ckpt_ctx *ctx, struct mm_struct *mm)
{
	struct file *exe = get_mm_exe_file(mm);
	int ret;

	if (!exe)
		return 0;
	ret = ckpt_file_collect(ctx, exe);
	if (!ret)
		ckpt_file_mark_mapped(ckpt_obj_find(ctx, exe));
	fput(exe);
	return ret;
}

static void fill_layout(struct mm_struct *mm, struct ckpt_mm_layout *layout)
{
	unsigned long flags = READ_ONCE(mm->flags);
	unsigned int i;

	spin_lock(&mm->arg_lock);
	layout->start_code = mm->start_code;
	layout->end_code = mm->end_code;
	layout->start_data = mm->start_data;
	layout->end_data = mm->end_data;
	layout->start_brk = mm->start_brk;
	layout->brk = mm->brk;
	layout->start_stack = mm->start_stack;
	layout->arg_start = mm->arg_start;
	layout->arg_end = mm->arg_end;
	layout->env_start = mm->env_start;
	layout->env_end = mm->env_end;
	spin_unlock(&mm->arg_lock);

	for (i = 0; i < ARRAY_SIZE(layout_flags); i++)
		if (flags & BIT(layout_flags[i].bit))
			layout->flags |= layout_flags[i].flag;
	if (mm->def_flags & VM_LOCKED)
		layout->flags |= CKPT_LAYOUT_LOCK_FUTURE;
	if (mm->def_flags & VM_LOCKONFAULT)
		layout->flags |= CKPT_LAYOUT_LOCK_ONFAULT;
	layout->dumpable = __get_dumpable(flags);
	layout->coredump_filter = (flags & MMF_DUMP_FILTER_MASK) >>
				  MMF_DUMP_FILTER_SHIFT;
#ifdef CONFIG_MEMBARRIER
	for (i = 0; i < ARRAY_SIZE(membarriers); i++)
		if (atomic_read(&mm->membarrier_state) & membarriers[i].ready)
			layout->membarrier |= membarriers[i].cmd;
#endif
}

/*
 * As validate_prctl_map_addr() in kernel/sys.c, without the system's limits.
 * @error: of a layout that is not like that.
 */
static int check_layout_addrs(struct ckpt_ctx *ctx,
			      const struct ckpt_mm_layout *layout, int error)
{
	const u64 *addr;

	for (addr = &layout->start_code; addr <= &layout->env_end; addr++)
		if (*addr >= TASK_SIZE_MAX)
			return ckpt_refuse(ctx, error,
					   "an address of the layout is 0x%llx",
					   *addr);
	if (layout->start_code >= layout->end_code ||
	    layout->start_data > layout->end_data ||
	    layout->start_brk > layout->brk ||
	    layout->arg_start > layout->arg_end ||
	    layout->env_start > layout->env_end)
		return ckpt_refuse(ctx, error,
				   "addresses of the layout out of order");
	return 0;
}

static int mm_collect(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	struct mm_struct *mm = obj->ptr;
	struct ckpt_mm_layout layout = {};
	int ret, err;

	ret = collect_state(ctx, mm);
	fill_layout(mm, &layout);
	err = check_layout_addrs(ctx, &layout, -EOPNOTSUPP);
	ret = ret ?: err;
	err = walk_mappings(ctx, mm, false);
	ret = ret ?: err;
	err = ckpt_pages_collect(ctx, mm);
	ret = ret ?: err;
	err = collect_exe(ctx, mm);
	return ret ?: err;
}

/* --- saving -------------------------------------------------------------------- */

static int save_layout(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	struct ckpt_mm_layout layout = {};
	struct mm_struct *mm = obj->ptr;
	unsigned int nr = 0;
	struct file *exe;
	u64 *auxv;
	int ret;

	fill_layout(mm, &layout);
	exe = get_mm_exe_file(mm);
	if (exe) {
		layout.exe = ckpt_ref(ctx, exe);
		fput(exe);
	}

	static_assert(sizeof(mm->saved_auxv[0]) == sizeof(u64));
	auxv = kmemdup(mm->saved_auxv, sizeof(mm->saved_auxv),
		       GFP_KERNEL_ACCOUNT);
	if (!auxv)
		return -ENOMEM;
	while (nr < AT_VECTOR_SIZE - 2 && auxv[nr])
		nr += 2;
	auxv[nr] = AT_NULL;
	auxv[nr + 1] = 0;
	ret = ckpt_write_tail(ctx, &ckpt_kind_mm_layout, obj->ref, &layout,
			      sizeof(layout), auxv,
			      (nr + 2) * sizeof(auxv[0]));
	kfree(auxv);
	return ret;
}

static int mm_save(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	struct mm_struct *mm = obj->ptr;
	struct ckpt_mm rec = {
		.mmap_base = mm->mmap_base,
		.mmap_legacy_base = mm->mmap_legacy_base,
	};
	int ret;

	if (test_bit(MMF_TOPDOWN, &mm->flags))
		rec.flags |= CKPT_MM_TOPDOWN;
	ckpt_arch_get_pkeys(mm, &rec);
	ret = ckpt_write(ctx, &ckpt_kind_mm, obj->ref, &rec, sizeof(rec));
	if (!ret)
		ret = walk_mappings(ctx, mm, true);
	if (!ret)
		ret = ckpt_arch_save_mm(ctx, obj);
	if (!ret)
		ret = save_layout(ctx, obj);
	return ret;
}

/* --- from one mm to another ------------------------------------------------------ */

/* Who is charged for what others (KSM, khugepaged) do in it. */
static void own_mm(struct task_struct *task, struct mm_struct *mm)
{
#ifdef CONFIG_MEMCG
	task_lock(task);
	if (!rcu_access_pointer(mm->owner)) {
		rcu_assign_pointer(mm->owner, task);
		lru_gen_migrate_mm(mm);
	}
	task_unlock(task);
#endif
}

/* The builder, who is the owner as long as it is in there, may be gone soon. */
static void disown_mm(struct mm_struct *mm)
{
#ifdef CONFIG_MEMCG
	if (rcu_access_pointer(mm->owner) == current)
		RCU_INIT_POINTER(mm->owner, NULL);
#endif
}

/*
 * The middle part of exec_mmap(): current runs in @mm from now on, for the
 * first time when @fresh. References on both stay where they are.
 */
static void install_mm(struct mm_struct *mm, bool fresh)
{
	struct task_struct *tsk = current;
	struct mm_struct *active_mm;

	sched_mm_cid_before_execve(tsk);
	task_lock(tsk);
	local_irq_disable();
	/* As membarrier_exec_mmap(), but @mm keeps its registrations. */
	smp_mb();
	membarrier_update_current_mm(mm);
	active_mm = tsk->active_mm;
	tsk->active_mm = mm;
	tsk->mm = mm;
	if (!IS_ENABLED(CONFIG_ARCH_WANT_IRQS_OFF_ACTIVATE_MM))
		local_irq_enable();
	activate_mm(active_mm, mm);
	if (IS_ENABLED(CONFIG_ARCH_WANT_IRQS_OFF_ACTIVATE_MM))
		local_irq_enable();
	if (fresh)
		lru_gen_add_mm(mm);
	task_unlock(tsk);
	lru_gen_use_mm(mm);
	sched_mm_cid_after_execve(tsk);
}

static int enter_mm(struct ckpt_ctx *ctx, struct mm_struct *mm, bool fresh)
{
	if (down_write_killable(&current->signal->exec_update_lock))
		return -EINTR;
	if (!ctx->old_mm)
		ctx->old_mm = current->mm;
	install_mm(mm, fresh);
	up_write(&current->signal->exec_update_lock);
	return 0;
}

/**
 * ckpt_mm_enter() - the builder goes into an address space, for the time being
 * @ctx: the restart; the first time @ctx->old_mm becomes the one that is left
 * @mm: an address space that is being restored, whose object holds it
 *
 * Context: the builder. Takes exec_update_lock, as exec does, so that nobody
 * who was allowed to look at the old mm sees the new one.
 * Return: 0 or -EINTR when current was killed.
 */
int ckpt_mm_enter(struct ckpt_ctx *ctx, struct mm_struct *mm)
{
	return current->mm == mm ? 0 : enter_mm(ctx, mm, false);
}

/**
 * ckpt_mm_leave() - the builder goes back to where it came from
 * @ctx: the restart; nothing is done unless there was a ckpt_mm_enter()
 */
void ckpt_mm_leave(struct ckpt_ctx *ctx)
{
	struct ckpt_obj *obj;

	if (!ctx->old_mm)
		return;
	down_write(&current->signal->exec_update_lock);
	install_mm(ctx->old_mm, false);
	up_write(&current->signal->exec_update_lock);
	ctx->old_mm = NULL;

	list_for_each_entry(obj, &ctx->objs, node)
		if (obj->kind == &ckpt_kind_mm && obj->ptr)
			disown_mm(obj->ptr);
}

/* As copy_mm() does it: the scheduler sees to the rest when it runs. */
static void begin_in_mm(struct task_struct *task, struct mm_struct *mm)
{
	task_lock(task);
	task->mm = mm;
	task->active_mm = mm;
	task_unlock(task);
}

/**
 * ckpt_mm_adopt() - run in a restored address space from now on
 * @task: current, or a new task that has not run yet
 * @mm: the address space, the task takes a reference
 *
 * As in execve(), the end of the old program: it is in the old memory that
 * robust futexes are marked and waiters are woken.
 *
 * Context: Process context. Takes exec_update_lock.
 */
void ckpt_mm_adopt(struct task_struct *task, struct mm_struct *mm)
{
	struct mm_struct *old = task->mm;

	mmget(mm);
	if (task == current)
		exec_mm_release(task, old);
	down_write(&task->signal->exec_update_lock);
	if (task == current)
		install_mm(mm, false);
	else
		begin_in_mm(task, mm);
	up_write(&task->signal->exec_update_lock);
	own_mm(task, mm);
	if (task == current)
		mm_update_next_owner(old);
	mmput(old);
}

/**
 * ckpt_mm_adopt_empty() - run in an address space where there is nothing
 *
 * For a task that only exits, with credentials of others: nobody may look
 * through it at what the caller of restart() has.
 *
 * Context: a new task.
 * Return: 0 or -ENOMEM.
 */
int ckpt_mm_adopt_empty(void)
{
	struct mm_struct *mm = mm_alloc();

	if (!mm)
		return -ENOMEM;
	mm->flags &= ~MMF_DUMPABLE_MASK;
	mm->flags |= SUID_DUMP_DISABLE;
	ckpt_mm_adopt(current, mm);
	mmput(mm);
	return 0;
}

/* --- restarting ------------------------------------------------------------------ */

static int mm_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_mm *mm = ckpt_payload(rec, struct ckpt_mm);

	/* Key 0 is every memory's. */
	if (mm->pkeys & 1 || mm->exec_pkey > 15 ||
	    (mm->exec_pkey && !(mm->pkeys & BIT(mm->exec_pkey))))
		return ckpt_refuse(ctx, -EINVAL, "protection keys 0x%x, %u",
				   mm->pkeys, mm->exec_pkey);
	if (mm->flags & ~CKPT_MM_TOPDOWN)
		return ckpt_refuse(ctx, -EINVAL, "flags 0x%x", mm->flags);
	if (!PAGE_ALIGNED(mm->mmap_base) || !mm->mmap_base ||
	    mm->mmap_base > DEFAULT_MAP_WINDOW ||
	    !PAGE_ALIGNED(mm->mmap_legacy_base) || !mm->mmap_legacy_base ||
	    mm->mmap_legacy_base > DEFAULT_MAP_WINDOW)
		return ckpt_refuse(ctx, -EINVAL,
				   "mappings begin at 0x%llx and 0x%llx",
				   mm->mmap_base, mm->mmap_legacy_base);
	return 0;
}

static bool has_layout(struct ckpt_ctx *ctx, const struct ckpt_rec *mm)
{
	struct ckpt_rec *rec;

	list_for_each_entry(rec, &ckpt_obj_get(ctx, mm->objref)->recs, own)
		if (rec->type == CKPT_REC_MM_LAYOUT)
			return true;
	return false;
}

/*
 * A new mm, as execve() makes it. Until the layout is restored it is not
 * dumpable, has no huge pages but those that fill.c asks for, and locks
 * nothing. What the caller has to hand on to its children (MDWE) it has.
 */
static int mm_restore(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_mm *saved = ckpt_payload(rec, struct ckpt_mm);
	struct rlimit stack;
	struct mm_struct *mm;
	int ret;

	if (!has_layout(ctx, rec))
		return ckpt_refuse(ctx, -EINVAL,
				   "an address space without a layout");
	if (ctx->self && current->io_uring)
		return ckpt_refuse(ctx, -EBUSY, "the caller uses io_uring");

	mm = mm_alloc();
	if (!mm)
		return -ENOMEM;
	mm->flags &= ~(MMF_DUMPABLE_MASK | MMF_VM_MERGE_ANY_MASK);
	mm->flags |= SUID_DUMP_DISABLE | MMF_DISABLE_THP_MASK;
	mm->def_flags = 0;
	mm->task_size = TASK_SIZE;

	task_lock(current->group_leader);
	stack = current->signal->rlim[RLIMIT_STACK];
	task_unlock(current->group_leader);
	arch_pick_mmap_layout(mm, &stack);
	mm->mmap_base = saved->mmap_base;
	mm->mmap_legacy_base = saved->mmap_legacy_base;
	if (saved->flags & CKPT_MM_TOPDOWN)
		set_bit(MMF_TOPDOWN, &mm->flags);
	else
		clear_bit(MMF_TOPDOWN, &mm->flags);

	ckpt_obj_set(ctx, rec->objref, mm, mm_put);
	ret = ckpt_arch_set_pkeys(ctx, mm, saved);
	if (ret)
		return ret;
	ret = enter_mm(ctx, mm, true);
	if (ret)
		return ret;
	/* Core dumps are its business. Saved only when the same as ours. */
	set_binfmt(ctx->old_mm->binfmt);
	return 0;
}

const struct ckpt_kind ckpt_kind_mm = {
	.name = "mm",
	.about = "the address space: mappings, contents, where mmap() searches",
	.family = CKPT_FAMILY_OBJECT,
	.type = CKPT_REC_MM,
	.phase = CKPT_PHASE_MM,
	.version = 1,
	.min_version = 1,
	CKPT_PAYLOAD(struct ckpt_mm),
	.object = true,
	.obj_get = mm_get,
	.obj_put = mm_put,
	.obj_collect = mm_collect,
	.obj_save = mm_save,
	.check = mm_check,
	.restore = mm_restore,
};

/* --- the layout ------------------------------------------------------------------- */

static int layout_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_mm_layout *layout =
		ckpt_payload(rec, struct ckpt_mm_layout);
	u32 len = ckpt_tail_len(rec, sizeof(*layout));
	u32 nr = len / sizeof(layout->auxv[0]), i;

	if (layout->flags & ~LAYOUT_FLAGS ||
	    layout->membarrier & ~(u64)MEMBARRIER_CMDS)
		return ckpt_refuse(ctx, -EINVAL, "flags 0x%x, membarrier 0x%llx",
				   layout->flags, layout->membarrier);
	if ((layout->flags & CKPT_LAYOUT_MDWE_NO_INHERIT &&
	     !(layout->flags & CKPT_LAYOUT_MDWE)) ||
	    (layout->flags & CKPT_LAYOUT_LOCK_ONFAULT &&
	     !(layout->flags & CKPT_LAYOUT_LOCK_FUTURE)))
		return ckpt_refuse(ctx, -EINVAL,
				   "flags 0x%x contradict each other",
				   layout->flags);
	if (layout->dumpable > SUID_DUMP_ROOT ||
	    layout->coredump_filter & ~GENMASK(MMF_DUMP_FILTER_BITS - 1, 0))
		return ckpt_refuse(ctx, -EINVAL,
				   "dumpable %u, core dump filter 0x%x",
				   layout->dumpable, layout->coredump_filter);
	if (layout->exe &&
	    (!ckpt_ref_is_open_file(ctx, layout->exe) ||
	     ckpt_ref_is_type(ctx, layout->exe, CKPT_REC_FILE_EXTERNAL)))
		return ckpt_refuse(ctx, -EINVAL, "object %u is no program",
				   layout->exe);
	if (len % (2 * sizeof(layout->auxv[0])) || nr < 2 ||
	    nr > AT_VECTOR_SIZE)
		return ckpt_refuse(ctx, -EINVAL, "auxv of %u bytes", len);
	for (i = 0; i < nr; i += 2)
		if (!layout->auxv[i] != (i == nr - 2))
			return ckpt_refuse(ctx, -EINVAL,
					   "auxv without an end, or with two");
	return check_layout_addrs(ctx, layout, -EINVAL);
}

/*
 * prctl(PR_SET_MM_EXE_FILE) needs CAP_CHECKPOINT_RESTORE, because of those who
 * read /proc/PID/exe. But who may execute and read a program can also start it
 * and make it do anything by ptrace(): that right is enough here. Nor does it
 * become less where ptrace() is forbidden (Yama's ptrace_scope from 2 on, other
 * security modules): then exe is no proof of what a process executes.
 */
static int restore_exe(struct ckpt_ctx *ctx, const struct ckpt_mm_layout *layout)
{
	struct file *exe;
	int ret;

	if (!layout->exe)
		return 0;
	exe = ckpt_obj_ptr(ctx, layout->exe);
	if (!exe || !S_ISREG(file_inode(exe)->i_mode) ||
	    !(exe->f_mode & FMODE_READ) || path_noexec(&exe->f_path))
		return ckpt_refuse(ctx, -EACCES,
				   "the program cannot be executed here");
	ret = file_permission(exe, MAY_EXEC | MAY_READ);
	if (ret)
		return ckpt_refuse(ctx, ret,
				   "no permission to execute the program %pD",
				   exe);
	ret = set_mm_exe_file(current->mm, exe);
	if (ret)
		return ckpt_refuse(ctx, -ETXTBSY,
				   "the program %pD is open for writing", exe);
	return 0;
}

static int restore_flags(struct ckpt_ctx *ctx,
			 const struct ckpt_mm_layout *layout)
{
	u32 mdwe = CKPT_LAYOUT_MDWE | CKPT_LAYOUT_MDWE_NO_INHERIT;
	struct mm_struct *mm = current->mm;
	unsigned long filter;
	unsigned int i;
	u32 have = 0;

	/* It is handed on and cannot be taken off, also not by a restart. */
	if (test_bit(MMF_HAS_MDWE, &mm->flags))
		have |= CKPT_LAYOUT_MDWE;
	if (test_bit(MMF_HAS_MDWE_NO_INHERIT, &mm->flags))
		have |= CKPT_LAYOUT_MDWE_NO_INHERIT;
	if (have && have != (layout->flags & mdwe))
		return ckpt_refuse(ctx, -EPERM,
				   "the caller is bound by PR_SET_MDWE and the process was not");

	/* Dumps in which root owns what the user wrote: see prctl(2). */
	if (layout->dumpable == SUID_DUMP_ROOT &&
	    !checkpoint_restore_ns_capable(&init_user_ns))
		return ckpt_refuse(ctx, -EPERM,
				   "dumpable 2 needs CAP_CHECKPOINT_RESTORE");

	if (layout->flags & CKPT_LAYOUT_LOCK_FUTURE && !can_do_mlock())
		return ckpt_refuse(ctx, -EPERM,
				   "mlockall() is not allowed (RLIMIT_MEMLOCK)");

	for (i = 0; i < ARRAY_SIZE(layout_flags); i++) {
		if (layout->flags & layout_flags[i].flag)
			set_bit(layout_flags[i].bit, &mm->flags);
		else
			clear_bit(layout_flags[i].bit, &mm->flags);
	}
	for (i = 0; i < MMF_DUMP_FILTER_BITS; i++) {
		filter = layout->coredump_filter & BIT(i);
		if (filter)
			set_bit(MMF_DUMP_FILTER_SHIFT + i, &mm->flags);
		else
			clear_bit(MMF_DUMP_FILTER_SHIFT + i, &mm->flags);
	}

	if (layout->flags & CKPT_LAYOUT_LOCK_FUTURE)
		mm->def_flags |= VM_LOCKED;
	if (layout->flags & CKPT_LAYOUT_LOCK_ONFAULT)
		mm->def_flags |= VM_LOCKONFAULT;
	return 0;
}

/* The mappings have their flags already, as they had them when saved. */
static int restore_ksm(struct ckpt_ctx *ctx,
		       const struct ckpt_mm_layout *layout)
{
#ifdef CONFIG_KSM
	struct mm_struct *mm = current->mm;

	if (layout->flags & CKPT_LAYOUT_KSM_ANY &&
	    !test_bit(MMF_VM_MERGEABLE, &mm->flags))
		return __ksm_enter(mm);
	return 0;
#else
	if (layout->flags & CKPT_LAYOUT_KSM_ANY)
		return ckpt_refuse(ctx, -EOPNOTSUPP, "this kernel has no KSM");
	return 0;
#endif
}

/* Nobody else is in that mm yet: registering waits for nobody. */
static int restore_membarrier(struct ckpt_ctx *ctx, u64 cmds)
{
#ifdef CONFIG_MEMBARRIER
	struct mm_struct *mm = current->mm;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(membarriers); i++) {
		if (!(cmds & membarriers[i].cmd))
			continue;
		if (!membarriers[i].here)
			return ckpt_refuse(ctx, -EOPNOTSUPP,
					   "this kernel lacks the membarrier() command 0x%x",
					   membarriers[i].cmd);
		atomic_or(membarriers[i].set | membarriers[i].ready,
			  &mm->membarrier_state);
	}
	preempt_disable();
	membarrier_update_current_mm(mm);
	/* Before what it will access in user mode. */
	smp_mb();
	preempt_enable();
	return 0;
#else
	if (cmds)
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "this kernel has no membarrier()");
	return 0;
#endif
}

static int restore_addrs(struct ckpt_ctx *ctx,
			 const struct ckpt_mm_layout *layout, u32 auxv_len)
{
	struct mm_struct *mm = current->mm;
	const u64 *addr;

	for (addr = &layout->start_code; addr <= &layout->env_end; addr++)
		if (*addr < mmap_min_addr)
			return ckpt_refuse(ctx, -EPERM,
					   "an address of the layout is 0x%llx, allowed is 0x%lx and up",
					   *addr, mmap_min_addr);
	if (check_data_rlimit(rlimit(RLIMIT_DATA), layout->brk,
			      layout->start_brk, layout->end_data,
			      layout->start_data))
		return ckpt_refuse(ctx, -ENOMEM, "RLIMIT_DATA is too low");

	mmap_write_lock(mm);
	spin_lock(&mm->arg_lock);
	mm->start_code = layout->start_code;
	mm->end_code = layout->end_code;
	mm->start_data = layout->start_data;
	mm->end_data = layout->end_data;
	mm->start_brk = layout->start_brk;
	mm->brk = layout->brk;
	mm->start_stack = layout->start_stack;
	mm->arg_start = layout->arg_start;
	mm->arg_end = layout->arg_end;
	mm->env_start = layout->env_start;
	mm->env_end = layout->env_end;
	spin_unlock(&mm->arg_lock);
	memcpy(mm->saved_auxv, layout->auxv, auxv_len);
	mmap_write_unlock(mm);
	return 0;
}

/* mlock() brings in what is locked, also what needed no contents from us. */
static void populate_locked(struct ckpt_obj *mm)
{
	struct ckpt_rec *rec;
	struct ckpt_vma *vma;

	list_for_each_entry(rec, &mm->recs, own) {
		if (rec->type != CKPT_REC_VMA_ANON &&
		    rec->type != CKPT_REC_VMA_FILE &&
		    rec->type != CKPT_REC_VMA_SHMEM)
			continue;
		vma = ckpt_payload(rec, struct ckpt_vma);
		if (vma->flags & CKPT_VMA_LOCKED &&
		    !(vma->flags & CKPT_VMA_LOCKONFAULT))
			mm_populate(vma->start, vma->end - vma->start);
	}
}

/* When they were mapped, huge pages were disabled. */
static void enter_khugepaged(struct mm_struct *mm)
{
	struct vm_area_struct *vma;
	struct vma_iterator vmi;

	mmap_write_lock(mm);
	vma_iter_init(&vmi, mm, 0);
	for_each_vma(vmi, vma) {
		if (test_bit(MMF_VM_HUGEPAGE, &mm->flags))
			break;
		khugepaged_enter_vma(vma, vma->vm_flags);
	}
	mmap_write_unlock(mm);
}

static int layout_restore(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_mm_layout *layout =
		ckpt_payload(rec, struct ckpt_mm_layout);
	int ret;

	populate_locked(ckpt_obj_get(ctx, rec->objref));
	ret = restore_exe(ctx, layout);
	if (!ret)
		ret = restore_addrs(ctx, layout,
				    ckpt_tail_len(rec, sizeof(*layout)));
	if (!ret)
		ret = restore_ksm(ctx, layout);
	if (!ret)
		ret = restore_membarrier(ctx, layout->membarrier);
	if (!ret)
		ret = restore_flags(ctx, layout);
	if (!ret)
		enter_khugepaged(current->mm);
	return ret;
}

/* Others may look at it from now on. */
static void layout_commit(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	set_dumpable(ckpt_obj_ptr(ctx, rec->objref),
		     ckpt_payload(rec, struct ckpt_mm_layout)->dumpable);
}

const struct ckpt_kind ckpt_kind_mm_layout = {
	.name = "mm_layout",
	.about = "exe, cmdline, environ, auxv, brk, dumpable, mlockall, THP, KSM, MDWE, membarrier",
	.family = CKPT_FAMILY_OBJECT,
	.owner = CKPT_REC_MM,
	.type = CKPT_REC_MM_LAYOUT,
	.phase = CKPT_PHASE_MM_END,
	.version = 1,
	.min_version = 1,
	CKPT_PAYLOAD_TAIL(struct ckpt_mm_layout, AT_VECTOR_SIZE * sizeof(u64)),
	.single = true,
	.check = layout_check,
	.restore = layout_restore,
	.commit = layout_commit,
};
