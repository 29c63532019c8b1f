// SPDX-License-Identifier: GPL-2.0
/*
 * Checkpoint/restart of x86-64: registers, FPU and other xstate, segment
 * descriptors, vdso.
 *
 * All of it is taken from a task that rests at the user-mode boundary (or from
 * current, for a checkpoint of oneself), and put in place by the restarted
 * task itself in the very last phase of a restart, on its way to user mode.
 */

#include <linux/compat.h>
#include <linux/crc32c.h>
#include <linux/init.h>
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/pkeys.h>
#include <linux/ptrace.h>
#include <linux/regset.h>
#include <linux/sched/mm.h>
#include <linux/sched/task.h>
#include <linux/sched/task_stack.h>
#include <linux/security.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/user.h>

#include <asm/checkpoint.h>
#include <asm/cpuid.h>
#include <asm/desc.h>
#include <asm/fpu/api.h>
#include <asm/fpu/regset.h>
#include <asm/fpu/signal.h>
#include <asm/fpu/xstate.h>
#include <asm/fsgsbase.h>
#include <asm/gsseg.h>
#include <asm/ldt.h>
#include <linux/mmu_context.h>
#include <asm/pkru.h>
#include <asm/prctl.h>
#include <asm/processor-flags.h>
#include <asm/segment.h>
#include <asm/switch_to.h>
#include <asm/syscall.h>
#include <asm/vdso.h>

#include "../../../checkpoint/internal.h"
#include "../../../checkpoint/mm.h"
#include "fpu/context.h"
#include "fpu/internal.h"
#include "fpu/legacy.h"
#include "fpu/xstate.h"
#include "tls.h"

/* --- registers -------------------------------------------------------------- */

/*
 * Bits of RFLAGS that a program can set by itself, but for TF. This is the mask
 * of ptrace and ID.
 */
#define USER_FLAGS	(X86_EFLAGS_CF | X86_EFLAGS_PF | X86_EFLAGS_AF |	\
			 X86_EFLAGS_ZF | X86_EFLAGS_SF | X86_EFLAGS_DF |	\
			 X86_EFLAGS_OF | X86_EFLAGS_NT | X86_EFLAGS_RF |	\
			 X86_EFLAGS_AC | X86_EFLAGS_ID)
/* Bits that are always set in user mode. */
#define FIXED_FLAGS	(X86_EFLAGS_IF | X86_EFLAGS_FIXED)

/* The record has what ptrace shows, in the same order. */
static_assert(sizeof(struct user_regs_struct) == 27 * 8);
static_assert(offsetof(struct ckpt_x86_regs, orig_ax) ==
	      offsetof(struct user_regs_struct, orig_ax));
static_assert(offsetof(struct ckpt_x86_regs, rflags) ==
	      offsetof(struct user_regs_struct, flags));
static_assert(offsetof(struct ckpt_x86_regs, gs_base) ==
	      offsetof(struct user_regs_struct, gs_base));
static_assert(offsetof(struct ckpt_x86_regs, gs) ==
	      offsetof(struct user_regs_struct, gs));
static_assert(sizeof(struct pt_regs) == 21 * 8);

#ifdef CONFIG_X86_USER_SHADOW_STACK
static unsigned long shstk_features(struct task_struct *task)
{
	return task->thread.features;
}

static unsigned long shstk_locked(struct task_struct *task)
{
	return task->thread.features_locked;
}

static void shstk_lock(unsigned long features)
{
	current->thread.features_locked = features;
}
#else
static unsigned long shstk_features(struct task_struct *task)
{
	return 0;
}

static unsigned long shstk_locked(struct task_struct *task)
{
	return 0;
}

static void shstk_lock(unsigned long features)
{
}
#endif

/*
 * The base that goes with a selector, of a task that does not run. Without
 * FSGSBASE thread.fsbase and gsbase are up to date only for a null selector.
 */
static int segment_base(struct task_struct *task, u16 sel, unsigned long base,
			u64 *res)
{
	unsigned int idx = sel >> 3;

	if (boot_cpu_has(X86_FEATURE_FSGSBASE) || !sel) {
		*res = base;
		return 0;
	}
	/* Nobody depends on it, and the mm is not ours to lock. */
	if (sel & SEGMENT_TI_MASK)
		return -EOPNOTSUPP;
	*res = 0;
	if (idx >= GDT_ENTRY_TLS_MIN && idx <= GDT_ENTRY_TLS_MAX)
		*res = get_desc_base(&task->thread.tls_array[idx -
							     GDT_ENTRY_TLS_MIN]);
	return 0;
}

static int regs_get(struct task_struct *task, struct ckpt_x86_regs *rec)
{
	const struct thread_struct *thread = &task->thread;
	const struct pt_regs *regs = task_pt_regs(task);
	u16 ds = thread->ds, es = thread->es;
	int ret;

	if (task == current) {
		current_save_fsgs();
		savesegment(ds, ds);
		savesegment(es, es);
	}

	*rec = (struct ckpt_x86_regs) {
		.r15 = regs->r15, .r14 = regs->r14,
		.r13 = regs->r13, .r12 = regs->r12,
		.bp = regs->bp, .bx = regs->bx,
		.r11 = regs->r11, .r10 = regs->r10,
		.r9 = regs->r9, .r8 = regs->r8,
		.ax = regs->ax, .cx = regs->cx, .dx = regs->dx,
		.si = regs->si, .di = regs->di,
		.orig_ax = regs->orig_ax,
		.ip = regs->ip, .cs = regs->cs, .rflags = regs->flags,
		.sp = regs->sp, .ss = regs->ss,
		.ds = ds, .es = es,
		.fs = thread->fsindex, .gs = thread->gsindex,
		.cr2 = thread->cr2,
		.trap_nr = thread->trap_nr,
		.error_code = thread->error_code,
		.shstk_locked = shstk_locked(task),
	};
	ret = segment_base(task, rec->fs, thread->fsbase, &rec->fs_base);
	if (!ret)
		ret = segment_base(task, rec->gs, thread->gsbase,
				   &rec->gs_base);
	if (ret)
		return ret;

	if (boot_cpu_has(X86_FEATURE_FSGSBASE))
		rec->state |= CKPT_X86_FSGSBASE;

	/* The one who comes back from a checkpoint of himself gets a 0. */
	if (task == current) {
		rec->ax = 0;
		rec->orig_ax = -1;
	}
	return 0;
}

/* May a 64-bit program have this in a segment register? As ptrace judges. */
static bool selector_ok(u64 sel)
{
	return !sel || (sel <= U16_MAX &&
			(sel & SEGMENT_RPL_MASK) == USER_RPL);
}

/* What is wrong with the registers, or NULL. */
static const char *regs_judge(const struct ckpt_x86_regs *rec)
{
	int nr = rec->orig_ax;

	if (rec->cs != __USER_CS)
		return "32-bit programs are not supported";
	if (nr >= 0 && nr & __X32_SYSCALL_BIT)
		return "x32 programs are not supported";
	if (rec->rflags & X86_EFLAGS_TF)
		return "a program that single-steps itself is not supported";
	if (rec->rflags & ~(USER_FLAGS | FIXED_FLAGS))
		return "unknown bits in RFLAGS";
	if (!rec->ss || !selector_ok(rec->ss) || !selector_ok(rec->ds) ||
	    !selector_ok(rec->es) || !selector_ok(rec->fs) ||
	    !selector_ok(rec->gs))
		return "a segment selector is not one of user mode";
	if (rec->fs_base >= TASK_SIZE_MAX || rec->gs_base >= TASK_SIZE_MAX)
		return "the base of FS or GS is not a user address";
	return NULL;
}

/* Parts of the mm that only this architecture knows. */
static int mm_collect(struct ckpt_ctx *ctx, struct task_struct *task,
		      struct ckpt_x86_regs *rec)
{
	unsigned long flags = 0, lam = 0;
	struct mm_struct *mm;
	bool pasid = false;
	int ret = 0;

	scoped_guard(task_lock, task) {
		mm = task->mm;
		if (!mm)
			return -ESRCH;
		flags = READ_ONCE(mm->context.flags);
		lam = mm_lam_cr3_mask(mm);
		pasid = mm_valid_pasid(mm);
	}

	if (test_bit(MM_CONTEXT_HAS_VSYSCALL, &flags))
		rec->state |= CKPT_X86_VSYSCALL;
	if (lam)
		ret = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "tagged addresses (LAM) are not supported");
	__clear_bit(MM_CONTEXT_HAS_VSYSCALL, &flags);
	__clear_bit(MM_CONTEXT_LOCK_LAM, &flags);
	if (flags)
		ret = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "an address space with flags 0x%lx is not supported",
				  flags);
	if (pasid)
		ret = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "an address space shared with a device (PASID) is not supported");
	return ret;
}

/* Read the registers and what belongs to them, find what cannot be saved. */
static int regs_read(struct ckpt_ctx *ctx, struct task_struct *task,
		     struct ckpt_x86_regs *rec)
{
	const struct thread_struct *thread = &task->thread;
	const char *why;
	int i, ret, err = 0;

	if (test_tsk_thread_flag(task, TIF_ADDR32) ||
	    (task->thread_info.status & TS_COMPAT) ||
	    task_pt_regs(task)->cs != __USER_CS)
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "32-bit programs are not supported");

	ret = regs_get(task, rec);
	if (ret)
		return ckpt_refuse(ctx, ret,
				   "FS or GS of the LDT need a processor with FSGSBASE");
	why = regs_judge(rec);
	if (why)
		err = ckpt_refuse(ctx, -EOPNOTSUPP, "%s", why);

	if (test_tsk_thread_flag(task, TIF_SINGLESTEP) ||
	    test_tsk_thread_flag(task, TIF_BLOCKSTEP) ||
	    test_tsk_thread_flag(task, TIF_FORCED_TF) ||
	    test_tsk_thread_flag(task, TIF_UPROBE))
		err = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "a debugger or a probe steps through the program");
	for (i = 0; i < HBP_NUM; i++)
		if (thread->ptrace_bps[i])
			break;
	if (i < HBP_NUM)
		err = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "hardware breakpoints are not supported");
	if (thread->iopl_emul || thread->io_bitmap ||
	    test_tsk_thread_flag(task, TIF_IO_BITMAP))
		err = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "access to I/O ports is not supported");
	if (shstk_features(task))
		err = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "a shadow stack is not supported");

	ret = mm_collect(ctx, task, rec);
	return ret ?: err;
}

static int regs_collect(struct ckpt_ctx *ctx, struct task_struct *task)
{
	struct ckpt_x86_regs rec;

	return regs_read(ctx, task, &rec);
}

static int regs_save(struct ckpt_ctx *ctx, struct task_struct *task)
{
	struct ckpt_x86_regs rec;
	int ret;

	ret = regs_read(ctx, task, &rec);
	if (ret)
		return ret;
	return ckpt_write(ctx, &ckpt_kind_x86_regs, ckpt_ref(ctx, task), &rec,
			  sizeof(rec));
}

static int regs_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	const struct ckpt_x86_regs *r = ckpt_payload(rec, struct ckpt_x86_regs);
	const char *why = regs_judge(r);

	if (why)
		return ckpt_refuse(ctx, -EINVAL, "%s", why);
	if (r->state & ~(CKPT_X86_FSGSBASE | CKPT_X86_VSYSCALL) ||
	    r->shstk_locked & ~(ARCH_SHSTK_SHSTK | ARCH_SHSTK_WRSS))
		return ckpt_refuse(ctx, -EINVAL,
				   "unknown flags beside the registers");
	return 0;
}

static int regs_restore(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	const struct ckpt_x86_regs *r = ckpt_payload(rec, struct ckpt_x86_regs);

	/*
	 * Programs learn from AT_HWCAP2 that they may use the instructions, and
	 * only with them FS and GS can have any base beside a selector.
	 */
	if (r->state & CKPT_X86_FSGSBASE &&
	    !boot_cpu_has(X86_FEATURE_FSGSBASE))
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "the program may use FSGSBASE, which is not available here");
	if (r->shstk_locked && !IS_ENABLED(CONFIG_X86_USER_SHADOW_STACK))
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "shadow stacks, locked by the program, are not available here");
	return 0;
}

static void segments_commit(const struct ckpt_x86_regs *r)
{
	struct thread_struct *thread = &current->thread;

	preempt_disable();
	loadsegment(ds, r->ds);
	loadsegment(es, r->es);
	if (static_cpu_has(X86_BUG_NULL_SEG)) {
		/* A null selector does not clear the base there. */
		loadsegment(fs, __USER_DS);
		load_gs_index(__USER_DS);
	}
	loadsegment(fs, r->fs);
	load_gs_index(r->gs);
	/* Without FSGSBASE the base belongs to the selector, unless it is 0. */
	if (boot_cpu_has(X86_FEATURE_FSGSBASE) || !r->fs) {
		x86_fsbase_write_cpu(r->fs_base);
		thread->fsbase = r->fs_base;
	}
	if (boot_cpu_has(X86_FEATURE_FSGSBASE) || !r->gs) {
		x86_gsbase_write_cpu_inactive(r->gs_base);
		thread->gsbase = r->gs_base;
	}
	preempt_enable();
}

/*
 * Called in get_signal(), in front of all that looks at the registers on the
 * way to user mode: the restart of an interrupted system call, the delivery of
 * signals, the fixup of restartable sequences.
 */
static void regs_commit(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	const struct ckpt_x86_regs *r = ckpt_payload(rec, struct ckpt_x86_regs);
	struct thread_struct *thread = &current->thread;
	struct pt_regs *regs = current_pt_regs();

	regs->r15 = r->r15;
	regs->r14 = r->r14;
	regs->r13 = r->r13;
	regs->r12 = r->r12;
	regs->bp = r->bp;
	regs->bx = r->bx;
	regs->r11 = r->r11;
	regs->r10 = r->r10;
	regs->r9 = r->r9;
	regs->r8 = r->r8;
	regs->ax = r->ax;
	regs->cx = r->cx;
	regs->dx = r->dx;
	regs->si = r->si;
	regs->di = r->di;
	regs->orig_ax = r->orig_ax;
	regs->ip = r->ip;
	regs->cs = r->cs;
	regs->flags = (r->rflags & USER_FLAGS) | FIXED_FLAGS;
	regs->sp = r->sp;
	regs->ss = r->ss;
	segments_commit(r);

	thread->cr2 = r->cr2;
	thread->trap_nr = r->trap_nr;
	thread->error_code = r->error_code;
	thread->virtual_dr6 = 0;
	thread->ptrace_dr7 = 0;
	/* A child has no access to ports, whatever its creator has. */
	thread->iopl_emul = 0;
	shstk_lock(r->shstk_locked);
	if (r->state & CKPT_X86_VSYSCALL)
		set_bit(MM_CONTEXT_HAS_VSYSCALL, &current->mm->context.flags);

	/*
	 * The system call that the checkpoint interrupted restarts as after a
	 * stop, which arch_do_signal_or_restart() sees to.
	 */
	set_thread_flag(TIF_SIGPENDING);
}

const struct ckpt_kind ckpt_kind_x86_regs = {
	.name = "x86_regs",
	.about = "general registers, flags, segments, FS and GS base",
	.family = CKPT_FAMILY_TASK,
	.type = CKPT_REC_X86_REGS,
	.phase = CKPT_PHASE_CPU,
	.version = 1,
	.min_version = 1,
	CKPT_PAYLOAD(struct ckpt_x86_regs),
	.single = true,
	.required = true,
	.task_collect = regs_collect,
	.task_save = regs_save,
	.check = regs_check,
	.restore = regs_restore,
	.commit = regs_commit,
};

/* --- protection keys ----------------------------------------------------------- */

/**
 * ckpt_arch_get_pkeys() - which protection keys an address space has
 * @mm: of a tree that stands still
 * @rec: the part about them is filled
 */
void ckpt_arch_get_pkeys(struct mm_struct *mm, struct ckpt_mm *rec)
{
#ifdef CONFIG_X86_INTEL_MEMORY_PROTECTION_KEYS
	rec->pkeys = READ_ONCE(mm->context.pkey_allocation_map) & ~1U;
	rec->exec_pkey = max_t(s16, 0,
			       READ_ONCE(mm->context.execute_only_pkey));
#endif
}

/**
 * ckpt_arch_set_pkeys() - allocate protection keys in a new address space
 * @ctx: the restart
 * @mm: nobody uses it yet
 * @rec: was checked
 *
 * What a thread may do with them is in its PKRU.
 *
 * Return: 0 or -EOPNOTSUPP, noted as a reason.
 */
int ckpt_arch_set_pkeys(struct ckpt_ctx *ctx, struct mm_struct *mm,
			const struct ckpt_mm *rec)
{
	if (!rec->pkeys)
		return 0;
	if (!cpu_feature_enabled(X86_FEATURE_OSPKE))
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "memory protection keys are not available here");
#ifdef CONFIG_X86_INTEL_MEMORY_PROTECTION_KEYS
	mm->context.pkey_allocation_map |= rec->pkeys;
	if (rec->exec_pkey)
		mm->context.execute_only_pkey = rec->exec_pkey;
#endif
	return 0;
}

/* --- FPU, vectors and other xstate --------------------------------------------- */

/* PKRU of a program that did not touch it: all keys but 0 deny all access. */
#define PKRU_DEFAULT	0x55555554U
/* Where the XSAVE header and behind it the components that are not legacy lie. */
#define XSAVE_HDR	offsetof(struct xregs_state, header)
#define XSAVE_EXTENDED	offsetof(struct xregs_state, extended_state_area)
/* No CPU today has 16 KB of it. */
#define XSTATE_MAX_AREA	SZ_64K

static_assert(XSAVE_HDR == 512);
static_assert(XSAVE_EXTENDED == 576);
static_assert(ARRAY_SIZE(((struct ckpt_x86_xstate *)0)->size) >= XFEATURE_MAX);

/**
 * ckpt_arch_xfeatures() - which xstate components programs can have here
 *
 * Return: a mask as XGETBV(0) shows it.
 */
u64 ckpt_arch_xfeatures(void)
{
	return use_xsave() ? fpu_user_cfg.max_features : XFEATURE_MASK_FPSSE;
}

/**
 * ckpt_arch_xstate_size() - how big the xstate of a program can be here
 *
 * Return: bytes, in the uncompacted form.
 */
u32 ckpt_arch_xstate_size(void)
{
	return use_xsave() ? fpu_user_cfg.max_size :
			     sizeof(struct fxregs_state);
}

static void xstate_layout(int nr, u32 *offset, u32 *size)
{
	u32 ecx, edx;

	cpuid_count(XSTATE_CPUID, nr, size, offset, &ecx, &edx);
}

static bool xstate_dynamic(struct task_struct *task)
{
	const struct fpu *fpu = &task->group_leader->thread.fpu;

	return (READ_ONCE(fpu->perm.__state_perm) |
		READ_ONCE(fpu->guest_perm.__state_perm)) &
	       ~fpu_kernel_cfg.default_features;
}

static int xstate_collect(struct ckpt_ctx *ctx, struct task_struct *task)
{
	if (!use_fxsr())
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "the FPU of this processor is not supported");
	if (xstate_dynamic(task) ||
	    (use_xsave() && task->thread.fpu.fpstate->user_xfeatures !=
			    fpu_user_cfg.default_features))
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "permission for xstate components on request (AMX) is not supported");
	return 0;
}

static int xstate_save(struct ckpt_ctx *ctx, struct task_struct *task)
{
	struct fpu *fpu = &task->thread.fpu;
	struct xregs_state *xsave;
	struct ckpt_x86_xstate rec = {};
	size_t size = XSAVE_EXTENDED, used = XSAVE_EXTENDED;
	void *area;
	int i, ret;

	if (use_xsave())
		size = max_t(size_t, size, fpu_user_cfg.default_size);
	/* All of it is written in either way. */
	area = kvmalloc(size, GFP_KERNEL_ACCOUNT);
	if (!area)
		return -ENOMEM;
	xsave = area;

	if (task == current)
		fpu_sync_fpstate(fpu);
	if (use_xsave()) {
		struct membuf to = { .p = area, .left = size };
		const struct fxregs_state *fx = &fpu->fpstate->regs.fxsave;

		__copy_xstate_to_uabi_buf(to, fpu->fpstate,
					  fpu_user_cfg.default_features &
					  ~XFEATURE_MASK_PKRU, 0,
					  XSTATE_COPY_XSAVE);
		rec.flags |= CKPT_X86_XSAVE;
		rec.enabled = fpu_user_cfg.default_features;
		rec.xfeatures = xsave->header.xfeatures;
		/*
		 * Plain XSAVE does not count MXCSR as a part of SSE, and
		 * restores it all the same.
		 */
		if (!cpu_feature_enabled(X86_FEATURE_XCOMPACTED) &&
		    !(rec.xfeatures & (XFEATURE_MASK_SSE | XFEATURE_MASK_YMM)) &&
		    fx->mxcsr != MXCSR_DEFAULT) {
			xsave->i387.mxcsr = fx->mxcsr;
			xsave->i387.mxcsr_mask = fx->mxcsr_mask;
			rec.xfeatures |= XFEATURE_MASK_SSE;
			xsave->header.xfeatures |= XFEATURE_MASK_SSE;
		}
	} else {
		memcpy(&xsave->i387, &fpu->fpstate->regs.fxsave,
		       sizeof(xsave->i387));
		memset(&xsave->header, 0, sizeof(xsave->header));
		rec.enabled = XFEATURE_MASK_FPSSE;
		rec.xfeatures = XFEATURE_MASK_FPSSE;
		xsave->header.xfeatures = XFEATURE_MASK_FPSSE;
	}
	/* Of use in a signal frame only, or to the processor. */
	memset(xsave->i387.padding, 0, sizeof(xsave->i387.padding));
	memset(xsave->i387.sw_reserved, 0, sizeof(xsave->i387.sw_reserved));

	if (cpu_feature_enabled(X86_FEATURE_OSPKE)) {
		rec.flags |= CKPT_X86_PKU;
		rec.pkru = task == current ? read_pkru() : task->thread.pkru;
	}
	/* Up to the end of the last one that says something. */
	for (i = 2; i < XFEATURE_MAX; i++) {
		if (!(rec.xfeatures & BIT_ULL(i)))
			continue;
		xstate_layout(i, &rec.offset[i], &rec.size[i]);
		used = max_t(size_t, used, rec.offset[i] + rec.size[i]);
	}
	ret = ckpt_write_tail(ctx, &ckpt_kind_x86_xstate, ckpt_ref(ctx, task),
			      &rec, sizeof(rec), area, used);
	kvfree(area);
	return ret;
}

static u32 xstate_mxcsr(const struct ckpt_x86_xstate *x)
{
	u32 mxcsr;

	memcpy(&mxcsr, x->area + offsetof(struct fxregs_state, mxcsr),
	       sizeof(mxcsr));
	return mxcsr;
}

static int xstate_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	const struct ckpt_x86_xstate *x =
		ckpt_payload(rec, struct ckpt_x86_xstate);
	u32 len = ckpt_tail_len(rec, sizeof(*x));
	struct xstate_header hdr;
	unsigned long placed = 0;
	int i;

	if (len < XSAVE_EXTENDED)
		return ckpt_refuse(ctx, -EINVAL, "the xstate area is too short");
	if (x->flags & ~(CKPT_X86_XSAVE | CKPT_X86_PKU) ||
	    (!(x->flags & CKPT_X86_PKU) && x->pkru))
		return ckpt_refuse(ctx, -EINVAL, "unknown xstate flags");
	if (x->enabled > U32_MAX || x->xfeatures & ~x->enabled ||
	    x->xfeatures & XFEATURE_MASK_PKRU ||
	    (x->enabled & XFEATURE_MASK_FPSSE) != XFEATURE_MASK_FPSSE ||
	    (!(x->flags & CKPT_X86_XSAVE) && x->enabled & ~XFEATURE_MASK_FPSSE))
		return ckpt_refuse(ctx, -EINVAL,
				   "the sets of xstate components do not fit together");
	memcpy(&hdr, x->area + XSAVE_HDR, sizeof(hdr));
	if (hdr.xfeatures != x->xfeatures || hdr.xcomp_bv ||
	    memchr_inv(hdr.reserved, 0, sizeof(hdr.reserved)))
		return ckpt_refuse(ctx, -EINVAL, "a bad xstate header");
	if (xstate_mxcsr(x) >> 16)
		return ckpt_refuse(ctx, -EINVAL, "reserved bits in MXCSR");
	for (i = 0; i < ARRAY_SIZE(x->size); i++)
		if (x->offset[i] | x->size[i])
			placed |= BIT(i);
	if (placed != (x->xfeatures & ~XFEATURE_MASK_FPSSE))
		return ckpt_refuse(ctx, -EINVAL,
				   "places of xstate components that are not there, or none");
	for_each_set_bit(i, &placed, ARRAY_SIZE(x->size))
		if (x->offset[i] < XSAVE_EXTENDED || !x->size[i] ||
		    (u64)x->offset[i] + x->size[i] > len)
			return ckpt_refuse(ctx, -EINVAL,
					   "xstate component %d lies outside of the area",
					   i);
	return 0;
}

static int xstate_restore(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	const struct ckpt_x86_xstate *x =
		ckpt_payload(rec, struct ckpt_x86_xstate);
	u64 have = use_xsave() ? fpu_user_cfg.default_features :
				 XFEATURE_MASK_FPSSE;
	u64 missing = x->enabled & ~have & ~XFEATURE_MASK_PKRU;
	u32 mxcsr = xstate_mxcsr(x) & ~mxcsr_feature_mask;
	u32 offset, size;
	const char *name;
	int i;

	if (!use_fxsr())
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "the FPU of this processor is not supported");
	/*
	 * Also a component in its initial state: the program has seen that it
	 * is there and may use it at any time.
	 */
	if (missing) {
		i = fls64(missing) - 1;
		cpu_has_xfeatures(BIT_ULL(i), &name);
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "xstate component %d (%s) is not available here",
				   i, name);
	}
	if (x->flags & CKPT_X86_XSAVE && !use_xsave())
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "the program may use XSAVE, which is not available here");
	if (x->flags & CKPT_X86_PKU && x->pkru != PKRU_DEFAULT &&
	    !cpu_feature_enabled(X86_FEATURE_OSPKE))
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "memory protection keys are not available here");
	if (mxcsr)
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "bits 0x%x of MXCSR are not available here",
				   mxcsr);
	for (i = 2; i < XFEATURE_MAX; i++) {
		if (!(x->xfeatures & BIT_ULL(i)))
			continue;
		xstate_layout(i, &offset, &size);
		if (size != x->size[i])
			return ckpt_refuse(ctx, -EOPNOTSUPP,
					   "xstate component %d has %u bytes here, not %u",
					   i, size, x->size[i]);
	}
	return 0;
}

/* Does this CPU have the components of the area where they are in it? */
static bool xstate_fits(const struct ckpt_x86_xstate *x)
{
	u32 offset, size;
	int i;

	for (i = 2; i < XFEATURE_MAX; i++) {
		if (!(x->xfeatures & BIT_ULL(i)))
			continue;
		xstate_layout(i, &offset, &size);
		if (offset != x->offset[i])
			return false;
	}
	return true;
}

/*
 * The area with its components where this CPU has them, as far as there are
 * any: the one in the record, or a new one.
 */
static void *xstate_area(struct ckpt_x86_xstate *x)
{
	struct xregs_state *xsave = (void *)x->area;
	bool fits = xstate_fits(x);
	u32 offset, size;
	int i;

	/* A commit cannot fail; this is a page or little more. */
	if (!fits) {
		xsave = kvzalloc(max_t(size_t, XSAVE_EXTENDED,
				       fpu_user_cfg.max_size),
				 GFP_KERNEL | __GFP_NOFAIL);
		memcpy(xsave, x->area, XSAVE_EXTENDED);
	}
	/* Without this the MXCSR of whoever was here before would stay. */
	if (!(x->xfeatures & (XFEATURE_MASK_FPSSE | XFEATURE_MASK_YMM))) {
		xsave->i387.mxcsr = MXCSR_DEFAULT;
		memset(xsave->i387.xmm_space, 0, sizeof(xsave->i387.xmm_space));
		xsave->header.xfeatures |= XFEATURE_MASK_SSE;
	}
	for (i = 2; !fits && i < XFEATURE_MAX; i++) {
		if (!(x->xfeatures & BIT_ULL(i)))
			continue;
		xstate_layout(i, &offset, &size);
		memcpy((void *)xsave + offset, x->area + x->offset[i],
		       x->size[i]);
	}
	return xsave;
}

static void xstate_commit(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_x86_xstate *x = ckpt_payload(rec, struct ckpt_x86_xstate);
	struct fpu *fpu = &current->thread.fpu;
	struct xregs_state *xsave = xstate_area(x);
	int ret = 0;
	u32 pkru;

	fpregs_lock();
	/* For the components that are the kernel's, which stay. */
	fpu_sync_fpstate(fpu);
	__fpu_invalidate_fpregs_state(fpu);
	if (use_xsave())
		ret = copy_uabi_from_kernel_to_xstate(fpu->fpstate, xsave,
						      &pkru);
	else
		memcpy(&fpu->fpstate->regs.fxsave, &xsave->i387,
		       sizeof(xsave->i387));
	set_thread_flag(TIF_NEED_FPU_LOAD);
	fpregs_unlock();
	/* It judges by what restore() has judged. */
	WARN_ON_ONCE(ret);
	if ((void *)xsave != x->area)
		kvfree(xsave);

	write_pkru(x->flags & CKPT_X86_PKU ? x->pkru : pkru_get_init_value());
}

const struct ckpt_kind ckpt_kind_x86_xstate = {
	.name = "x86_xstate",
	.about = "FPU, SSE, AVX, AVX-512 and PKRU",
	.family = CKPT_FAMILY_TASK,
	.type = CKPT_REC_X86_XSTATE,
	.phase = CKPT_PHASE_CPU,
	.version = 1,
	.min_version = 1,
	CKPT_PAYLOAD_TAIL(struct ckpt_x86_xstate, XSTATE_MAX_AREA),
	.single = true,
	.required = true,
	.task_collect = xstate_collect,
	.task_save = xstate_save,
	.check = xstate_check,
	.restore = xstate_restore,
	.commit = xstate_commit,
};

/* --- segment descriptors: TLS ------------------------------------------------------ */

/* All bits but lm, which the kernel never sets. */
#define DESC_FLAGS	0x7fU

static_assert(sizeof(struct user_desc) == sizeof(struct ckpt_x86_desc));
static_assert(sizeof(struct ckpt_x86_tls) ==
	      GDT_ENTRY_TLS_ENTRIES * sizeof(struct user_desc));

static struct user_desc desc_get(const struct ckpt_x86_desc *desc)
{
	struct user_desc info;

	memcpy(&info, desc, sizeof(info));
	return info;
}

#ifdef CONFIG_IA32_EMULATION
static void tls_get(struct task_struct *task, struct ckpt_x86_tls *rec)
{
	struct membuf to = { .p = rec, .left = sizeof(*rec) };

	regset_tls_get(task, NULL, to);
}

static void tls_set(struct task_struct *task, const struct ckpt_x86_tls *tls)
{
	/* It judges by what check() has judged. */
	WARN_ON_ONCE(regset_tls_set(task, NULL, 0, sizeof(*tls), tls, NULL));
}
#else
/* Only set_thread_area() of 32-bit programs, or of their ABI, sets them. */
static void tls_get(struct task_struct *task, struct ckpt_x86_tls *rec)
{
	struct user_desc info = { .read_exec_only = 1, .seg_not_present = 1 };
	int i;

	for (i = 0; i < ARRAY_SIZE(rec->desc); i++) {
		info.entry_number = GDT_ENTRY_TLS_MIN + i;
		memcpy(&rec->desc[i], &info, sizeof(info));
	}
}

static void tls_set(struct task_struct *task, const struct ckpt_x86_tls *tls)
{
}
#endif

/* Programs of 64 bits have none. */
static bool has_tls(struct task_struct *task)
{
	return memchr_inv(task->thread.tls_array, 0,
			  sizeof(task->thread.tls_array));
}

static int tls_save(struct ckpt_ctx *ctx, struct task_struct *task)
{
	struct ckpt_x86_tls rec = {};

	if (!has_tls(task))
		return 0;
	tls_get(task, &rec);
	return ckpt_write(ctx, &ckpt_kind_x86_tls, ckpt_ref(ctx, task), &rec,
			  sizeof(rec));
}

/* As set_thread_area() judges. */
static bool tls_ok(const struct user_desc *info)
{
	if (LDT_empty(info) || LDT_zero(info))
		return true;
	return info->seg_32bit && info->contents <= 1 && !info->seg_not_present;
}

static int tls_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	const struct ckpt_x86_tls *tls = ckpt_payload(rec, struct ckpt_x86_tls);
	struct user_desc info;
	int i;

	for (i = 0; i < ARRAY_SIZE(tls->desc); i++) {
		info = desc_get(&tls->desc[i]);
		if (info.entry_number != GDT_ENTRY_TLS_MIN + i ||
		    tls->desc[i].flags & ~DESC_FLAGS || !tls_ok(&info))
			return ckpt_refuse(ctx, -EINVAL,
					   "TLS descriptor %d is not one of user mode",
					   i);
	}
	return 0;
}

static int tls_restore(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	const struct ckpt_x86_tls *tls = ckpt_payload(rec, struct ckpt_x86_tls);
	struct user_desc info;
	int i;

	for (i = 0; i < ARRAY_SIZE(tls->desc); i++) {
		info = desc_get(&tls->desc[i]);
		if (!IS_ENABLED(CONFIG_IA32_EMULATION) &&
		    !LDT_empty(&info) && !LDT_zero(&info))
			return ckpt_refuse(ctx, -EOPNOTSUPP,
					   "TLS descriptors need a kernel with IA32 emulation");
	}
	return 0;
}

static void tls_commit(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	tls_set(current, ckpt_payload(rec, struct ckpt_x86_tls));
}

const struct ckpt_kind ckpt_kind_x86_tls = {
	.name = "x86_tls",
	.about = "TLS descriptors of the GDT",
	.family = CKPT_FAMILY_TASK,
	.type = CKPT_REC_X86_TLS,
	.phase = CKPT_PHASE_CPU,
	.version = 1,
	.min_version = 1,
	CKPT_PAYLOAD(struct ckpt_x86_tls),
	.single = true,
	.task_save = tls_save,
	.check = tls_check,
	.restore = tls_restore,
	.commit = tls_commit,
};

/* --- segment descriptors: LDT ------------------------------------------------- */

#ifdef CONFIG_MODIFY_LDT_SYSCALL
static struct ckpt_x86_desc ldt_entry(u32 nr, const struct desc_struct *desc)
{
	struct user_desc info = {
		.entry_number = nr,
		.base_addr = get_desc_base(desc),
		.limit = get_desc_limit(desc),
		.seg_32bit = desc->d,
		.contents = desc->type >> 2,
		.read_exec_only = !(desc->type & 2),
		.limit_in_pages = desc->g,
		.seg_not_present = !desc->p,
		.useable = desc->avl,
	};
	struct ckpt_x86_desc rec;

	memcpy(&rec, &info, sizeof(rec));
	return rec;
}

/* The LDT is replaced as a whole when it changes, under context.lock. */
static int ldt_read(struct mm_struct *mm, struct ckpt_x86_ldt *rec,
		    struct ckpt_x86_desc **descs)
{
	const struct ldt_struct *ldt;
	u32 i, n = 0;

	guard(mutex)(&mm->context.lock);
	ldt = mm->context.ldt;
	if (!ldt)
		return 0;
	*descs = kvmalloc_array(ldt->nr_entries, sizeof(**descs),
				GFP_KERNEL_ACCOUNT);
	if (!*descs)
		return -ENOMEM;
	rec->nr_entries = ldt->nr_entries;
	for (i = 0; i < ldt->nr_entries; i++)
		if (!desc_empty(&ldt->entries[i]))
			(*descs)[n++] = ldt_entry(i, &ldt->entries[i]);
	return n;
}

/**
 * ckpt_arch_save_mm() - save what the processor has for an address space
 * @ctx: the checkpoint
 * @obj: the address space
 *
 * Return: 0 or -errno.
 */
int ckpt_arch_save_mm(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	struct ckpt_x86_desc *descs = NULL;
	struct ckpt_x86_ldt rec = {};
	int ret;

	ret = ldt_read(obj->ptr, &rec, &descs);
	if (ret >= 0 && rec.nr_entries)
		ret = ckpt_write_tail(ctx, &ckpt_kind_x86_ldt, obj->ref, &rec,
				      sizeof(rec), descs, ret * sizeof(*descs));
	kvfree(descs);
	return ret;
}

static int ldt_restore(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_x86_ldt *ldt = ckpt_payload(rec, struct ckpt_x86_ldt);
	u32 n = ckpt_tail_len(rec, sizeof(*ldt)) / sizeof(ldt->desc[0]);
	int ret;

	ret = ldt_install_entries((struct user_desc *)ldt->desc, n,
				  ldt->nr_entries);
	if (ret == -EINVAL)
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "16-bit segments are not available here");
	if (ret)
		return ckpt_refuse(ctx, ret, "cannot make the LDT");
	return 0;
}
#else
int ckpt_arch_save_mm(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	return 0;
}

static int ldt_restore(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	return ckpt_refuse(ctx, -EOPNOTSUPP,
			   "an LDT is not available in this kernel");
}
#endif /* CONFIG_MODIFY_LDT_SYSCALL */

/* As modify_ldt(0x11) judges, but for what depends on the running system. */
static bool ldt_ok(const struct user_desc *info)
{
	return !LDT_empty(info) &&
	       (info->contents != 3 || info->seg_not_present);
}

static int ldt_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	const struct ckpt_x86_ldt *ldt = ckpt_payload(rec, struct ckpt_x86_ldt);
	u32 len = ckpt_tail_len(rec, sizeof(*ldt));
	struct user_desc info;
	u32 i, next = 0;

	if (ldt->pad || !ldt->nr_entries || ldt->nr_entries > LDT_ENTRIES ||
	    len % sizeof(ldt->desc[0]))
		return ckpt_refuse(ctx, -EINVAL, "a bad LDT");
	for (i = 0; i < len / sizeof(ldt->desc[0]); i++) {
		info = desc_get(&ldt->desc[i]);
		if (info.entry_number < next ||
		    info.entry_number >= ldt->nr_entries ||
		    ldt->desc[i].flags & ~DESC_FLAGS || !ldt_ok(&info))
			return ckpt_refuse(ctx, -EINVAL,
					   "descriptor %u of the LDT is not one of user mode",
					   i);
		next = info.entry_number + 1;
	}
	return 0;
}

const struct ckpt_kind ckpt_kind_x86_ldt = {
	.name = "x86_ldt",
	.about = "LDT",
	.family = CKPT_FAMILY_OBJECT,
	.owner = CKPT_REC_MM,
	.type = CKPT_REC_X86_LDT,
	.phase = CKPT_PHASE_MM_END,
	.version = 2,
	.min_version = 2,
	CKPT_PAYLOAD_TAIL(struct ckpt_x86_ldt,
			  LDT_ENTRIES * sizeof(struct ckpt_x86_desc)),
	.single = true,
	.check = ldt_check,
	.restore = ldt_restore,
};

/* --- vdso and vvar ------------------------------------------------------------ */

/* What map_vdso() gives, less the protection. */
#define VDSO_VM_FLAGS	(VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC)
#define VVAR_VM_FLAGS	(VM_MAYREAD | VM_IO | VM_DONTDUMP | VM_PFNMAP)
/* What the mm adds to any mapping and nobody can see in these. */
#define ANY_VM_FLAGS	(VM_DONTEXPAND | VM_SOFTDIRTY | VM_MERGEABLE)
#define PROT_VM_FLAGS	(VM_READ | VM_WRITE | VM_EXEC)

static_assert(VM_READ == PROT_READ && VM_WRITE == PROT_WRITE &&
	      VM_EXEC == PROT_EXEC);

static bool is_vvar(struct vm_area_struct *vma)
{
	return vma_is_special_mapping(vma, vdso_special_mapping(true));
}

static bool special_match(struct vm_area_struct *vma)
{
	return vma_is_special_mapping(vma, vdso_special_mapping(false)) ||
	       is_vvar(vma);
}

static u64 special_len(const struct vdso_image *image, bool vvar)
{
	return vvar ? -image->sym_vvar_start : image->size;
}

/* As the kernel has patched it for its CPU at boot: that is what programs see. */
static u32 vdso_crc32c __ro_after_init;

static int __init vdso_crc32c_init(void)
{
	vdso_crc32c = crc32c(~0, vdso_image_64.data, vdso_image_64.size);
	return 0;
}
late_initcall(vdso_crc32c_init);

static int special_collect(struct ckpt_ctx *ctx, struct vm_area_struct *vma)
{
	const struct vdso_image *image = vma->vm_mm->context.vdso_image;
	bool vvar = is_vvar(vma);
	unsigned long odd = vma->vm_flags &
		~((vvar ? VVAR_VM_FLAGS : VDSO_VM_FLAGS) | ANY_VM_FLAGS |
		  VM_READ | (vvar ? 0 : VM_EXEC));

	if (image != &vdso_image_64)
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "the vdso is not the one of 64-bit programs");
	if (vma->anon_vma)
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "the program's vdso was changed");
	if (odd)
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "flags 0x%lx of the vdso's mapping were changed",
				   odd);
	/* Special mappings cannot be split. */
	if (WARN_ON_ONCE(vma->vm_end - vma->vm_start !=
			 special_len(image, vvar)))
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "the vdso is not mapped as a whole");
	return 0;
}

static int special_save(struct ckpt_ctx *ctx, struct vm_area_struct *vma)
{
	const mm_context_t *context = &vma->vm_mm->context;
	struct ckpt_vma_special rec = {
		.start = vma->vm_start,
		.end = vma->vm_end,
		.which = is_vvar(vma) ? CKPT_SPECIAL_VVAR : CKPT_SPECIAL_VDSO,
		.prot = vma->vm_flags & PROT_VM_FLAGS,
		.image_size = vdso_image_64.size,
		.image_crc32c = vdso_crc32c,
	};

	if (rec.which == CKPT_SPECIAL_VDSO &&
	    (unsigned long)context->vdso == vma->vm_start)
		rec.flags |= CKPT_SPECIAL_CURRENT;
	return ckpt_write(ctx, &ckpt_kind_vma_special,
			  ckpt_ref(ctx, vma->vm_mm), &rec, sizeof(rec));
}

static bool has_special(const struct ckpt_obj *mm, u32 which)
{
	struct ckpt_rec *rec;

	if (!mm)
		return false;
	list_for_each_entry(rec, &mm->recs, own)
		if (rec->type == CKPT_REC_VMA_SPECIAL &&
		    ckpt_payload(rec, struct ckpt_vma_special)->which == which)
			return true;
	return false;
}

static int special_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	const struct ckpt_vma_special *s =
		ckpt_payload(rec, struct ckpt_vma_special);
	bool vvar = s->which == CKPT_SPECIAL_VVAR;
	int ret;

	if ((!vvar && s->which != CKPT_SPECIAL_VDSO) || s->pad ||
	    s->flags & ~(vvar ? 0 : CKPT_SPECIAL_CURRENT) ||
	    s->prot & ~(PROT_READ | (vvar ? 0 : PROT_EXEC)))
		return ckpt_refuse(ctx, -EINVAL,
				   "a special mapping that is not known");
	ret = ckpt_vma_check_range(ctx, rec);
	if (ret)
		return ret;
	/* One of each, as in map_vdso_once(): these escape the limits. */
	if (has_special(ckpt_obj_get(ctx, rec->objref), s->which))
		return ckpt_refuse(ctx, -EINVAL, "a second such mapping");
	return 0;
}

static int special_install(const struct ckpt_vma_special *s)
{
	struct mm_struct *mm = current->mm;
	bool vvar = s->which == CKPT_SPECIAL_VVAR;
	struct vm_area_struct *vma;
	int ret = 0;

	if (mmap_write_lock_killable(mm))
		return -EINTR;
	vma = _install_special_mapping(mm, s->start, s->end - s->start,
				       s->prot | (vvar ? VVAR_VM_FLAGS :
							 VDSO_VM_FLAGS),
				       vdso_special_mapping(vvar));
	if (IS_ERR(vma)) {
		ret = PTR_ERR(vma);
		goto out;
	}
	mm->context.vdso_image = &vdso_image_64;
	if (s->flags & CKPT_SPECIAL_CURRENT)
		mm->context.vdso = (void __user *)s->start;
out:
	mmap_write_unlock(mm);
	return ret;
}

static int special_restore(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	const struct ckpt_vma_special *s =
		ckpt_payload(rec, struct ckpt_vma_special);
	int ret;

	/*
	 * The program knows addresses in the vdso, and may have been stopped in
	 * the middle of it.
	 */
	if (s->image_size != vdso_image_64.size ||
	    s->image_crc32c != vdso_crc32c ||
	    s->end - s->start != special_len(&vdso_image_64, s->which ==
							     CKPT_SPECIAL_VVAR))
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "the vdso of this kernel on this processor is not the one that the program has");
	ret = s->end > TASK_SIZE ? -EINVAL : security_mmap_addr(s->start);
	if (!ret)
		ret = special_install(s);
	if (ret)
		return ckpt_refuse(ctx, ret, "cannot map the %s at 0x%llx",
				   s->which == CKPT_SPECIAL_VVAR ? "vvar" : "vdso",
				   s->start);
	return 0;
}

const struct ckpt_kind ckpt_kind_vma_special = {
	.name = "vma_special",
	.about = "vdso and vvar, at their place, when the kernel has the same",
	.family = CKPT_FAMILY_VMA,
	.type = CKPT_REC_VMA_SPECIAL,
	.phase = CKPT_PHASE_VMA,
	.version = 1,
	.min_version = 1,
	CKPT_PAYLOAD(struct ckpt_vma_special),
	.vma_match = special_match,
	.vma_collect = special_collect,
	.vma_save = special_save,
	.check = special_check,
	.restore = special_restore,
};

/* --- the caller of restart() ------------------------------------------------ */

static bool ldt_selector(void)
{
	u16 ds, es, fs, gs;

	savesegment(ds, ds);
	savesegment(es, es);
	savesegment(fs, fs);
	savesegment(gs, gs);
	return (ds | es | fs | gs) & SEGMENT_TI_MASK;
}

/**
 * ckpt_arch_reset() - forget what a task has only where a record says so
 * @task: current, or a new task that has not run yet or sleeps
 *
 * Context: Process context, before the commit() of its records.
 */
void ckpt_arch_reset(struct task_struct *task)
{
	struct ckpt_x86_tls none = {};
	int i;

	if (!has_tls(task))
		return;
	for (i = 0; i < ARRAY_SIZE(none.desc); i++)
		none.desc[i].entry_number = GDT_ENTRY_TLS_MIN + i;
	tls_set(task, &none);
}

/**
 * ckpt_arch_share_mm() - several tasks use this address space from now on
 * @mm: a restored one
 *
 * As copy_thread() with CLONE_VM.
 */
void ckpt_arch_share_mm(struct mm_struct *mm)
{
	set_bit(MM_CONTEXT_LOCK_LAM, &mm->context.flags);
}

/**
 * ckpt_arch_prepare() - may current restart something?
 * @ctx: the restart, nothing of it done yet
 *
 * Refuses a caller from whom a child would inherit, or who as the one that is
 * replaced would keep, what an image cannot express.
 *
 * Context: Process context of the caller of restart().
 * Return: 0 or -errno with the reason in @ctx.
 */
int ckpt_arch_prepare(struct ckpt_ctx *ctx)
{
	const struct thread_struct *thread = &current->thread;
	int i;

	if (in_32bit_syscall() || test_thread_flag(TIF_ADDR32))
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "restart from a 32-bit program is not supported");
	if (shstk_features(current))
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "restart from a program with a shadow stack is not supported");
	if (!ctx->self)
		return 0;

	for (i = 0; i < HBP_NUM; i++)
		if (thread->ptrace_bps[i])
			return ckpt_refuse(ctx, -EBUSY,
					   "the caller to be replaced has hardware breakpoints");
	if (test_thread_flag(TIF_IO_BITMAP) || thread->iopl_emul)
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "the caller to be replaced has access to I/O ports");
	if (xstate_dynamic(current))
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "the caller to be replaced has permission for xstate components on request (AMX)");
	/* They would be lost in the other mm, also when the restart fails. */
	if (ldt_selector())
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "the caller to be replaced uses segments of its LDT");
	return 0;
}
