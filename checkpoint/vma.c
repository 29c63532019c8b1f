// SPDX-License-Identifier: GPL-2.0
/*
 * Mappings: what they are and where. Their contents are the business of
 * pages.c.
 *
 * A mapping is saved with flags of our own, made from a positive list: what
 * stands on no list is refused. It is made again by do_mmap() with the checks
 * that mmap() has, then compared with its record.
 */

#include <linux/dax.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/hugetlb.h>
#include <linux/ksm.h>
#include <linux/mempolicy.h>
#include <linux/mm.h>
#include <linux/mm_inline.h>
#include <linux/mman.h>
#include <linux/mmu_context.h>
#include <linux/personality.h>
#include <linux/pkeys.h>
#include <linux/prctl.h>
#include <linux/secretmem.h>
#include <linux/security.h>
#include <linux/shmem_fs.h>
#include <linux/userfaultfd_k.h>

#include <asm/checkpoint.h>

#include "external.h"
#include "kinds.h"
#include "mm.h"

/* As in mm/madvise.c and kernel/sys.c, where they are private. */
#define NAME_LEN_MAX	(80 - 1)
#define NAME_INVALID	"\\`$[]"

static const struct {
	u64 flag;
	vm_flags_t vm;
} flag_map[] = {
	{ CKPT_VMA_READ, VM_READ },
	{ CKPT_VMA_WRITE, VM_WRITE },
	{ CKPT_VMA_EXEC, VM_EXEC },
	{ CKPT_VMA_MAYREAD, VM_MAYREAD },
	{ CKPT_VMA_MAYWRITE, VM_MAYWRITE },
	{ CKPT_VMA_MAYEXEC, VM_MAYEXEC },
	/* VM_SHARED is missing where the file cannot be written to. */
	{ CKPT_VMA_SHARED, VM_MAYSHARE },
	{ CKPT_VMA_GROWSDOWN, VM_GROWSDOWN },
	{ CKPT_VMA_NORESERVE, VM_NORESERVE },
	{ CKPT_VMA_DROPPABLE, VM_DROPPABLE },
	{ CKPT_VMA_LOCKED, VM_LOCKED },
	{ CKPT_VMA_LOCKONFAULT, VM_LOCKONFAULT },
	{ CKPT_VMA_DONTFORK, VM_DONTCOPY },
	{ CKPT_VMA_WIPEONFORK, VM_WIPEONFORK },
	{ CKPT_VMA_DONTDUMP, VM_DONTDUMP },
	{ CKPT_VMA_HUGEPAGE, VM_HUGEPAGE },
	{ CKPT_VMA_NOHUGEPAGE, VM_NOHUGEPAGE },
	{ CKPT_VMA_MERGEABLE, VM_MERGEABLE },
	{ CKPT_VMA_SEQUENTIAL, VM_SEQ_READ },
	{ CKPT_VMA_RANDOM, VM_RAND_READ },
	{ CKPT_VMA_DONTEXPAND, VM_DONTEXPAND },
#ifdef CONFIG_ARCH_HAS_PKEYS
	{ CKPT_VMA_PKEY_0, VM_PKEY_BIT0 },
	{ CKPT_VMA_PKEY_1, VM_PKEY_BIT1 },
	{ CKPT_VMA_PKEY_2, VM_PKEY_BIT2 },
	{ CKPT_VMA_PKEY_3, VM_PKEY_BIT3 },
#endif
};

#define VMA_PKEY_FLAGS		(CKPT_VMA_PKEY_0 | CKPT_VMA_PKEY_1 |	\
				 CKPT_VMA_PKEY_2 | CKPT_VMA_PKEY_3)

/* Set by the kernel as a consequence of the above, or not state at all. */
#define VM_DERIVED	(VM_SHARED | VM_ACCOUNT | VM_SOFTDIRTY)

/* What an ordinary private mapping can have. */
#define VMA_PRIVATE_FLAGS	(CKPT_VMA_READ | CKPT_VMA_WRITE |	\
				 CKPT_VMA_EXEC | CKPT_VMA_MAYREAD |	\
				 CKPT_VMA_MAYWRITE | CKPT_VMA_MAYEXEC |	\
				 CKPT_VMA_NORESERVE | CKPT_VMA_LOCKED |	\
				 CKPT_VMA_LOCKONFAULT |			\
				 CKPT_VMA_DONTFORK | CKPT_VMA_DONTDUMP | \
				 CKPT_VMA_HUGEPAGE |			\
				 CKPT_VMA_NOHUGEPAGE |			\
				 CKPT_VMA_MERGEABLE |			\
				 CKPT_VMA_SEQUENTIAL | CKPT_VMA_RANDOM | \
				 CKPT_VMA_ACCOUNT | VMA_PKEY_FLAGS)
#define VMA_ANON_FLAGS		(VMA_PRIVATE_FLAGS | CKPT_VMA_GROWSDOWN | \
				 CKPT_VMA_DROPPABLE | CKPT_VMA_WIPEONFORK)
#define VMA_FILE_FLAGS		(VMA_PRIVATE_FLAGS | CKPT_VMA_SHARED)
#define VMA_SHMEM_FLAGS		(VMA_FILE_FLAGS & ~CKPT_VMA_MERGEABLE)
#define VMA_HUGETLB_FLAGS	((VMA_PRIVATE_FLAGS |			\
				  CKPT_VMA_DONTEXPAND) &		\
				 ~(CKPT_VMA_MERGEABLE | CKPT_VMA_LOCKED | \
				   CKPT_VMA_LOCKONFAULT | CKPT_VMA_ACCOUNT))

/* --- common to all kinds ----------------------------------------------------- */

/**
 * ckpt_vma_flags() - a mapping's flags in the form of the image
 * @vma: the mapping, stable
 *
 * Return: CKPT_VMA_*
 */
u64 ckpt_vma_flags(const struct vm_area_struct *vma)
{
	unsigned int i;
	u64 flags = 0;

	for (i = 0; i < ARRAY_SIZE(flag_map); i++)
		if (vma->vm_flags & flag_map[i].vm)
			flags |= flag_map[i].flag;
	/* mprotect() leaves the charge of what was writable once. */
	if (vma->vm_flags & VM_ACCOUNT &&
	    !(vma->vm_flags & (VM_WRITE | VM_MAYSHARE | VM_HUGETLB)))
		flags |= CKPT_VMA_ACCOUNT;
	return flags;
}

static_assert(offsetof(struct ckpt_vma, start) ==
	      offsetof(struct ckpt_vma_special, start));
static_assert(offsetof(struct ckpt_vma, end) ==
	      offsetof(struct ckpt_vma_special, end));

/**
 * ckpt_vma_check_range() - judge the place of a mapping
 * @ctx: the restart
 * @rec: the record; its payload begins with start and end
 *
 * A mapping's record follows directly the one of its MM or of the mapping
 * below it, so that none can replace another one.
 *
 * Return: 0 or -EINVAL with a reason.
 */
int ckpt_vma_check_range(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_vma *vma = ckpt_payload(rec, struct ckpt_vma);
	struct ckpt_rec *prev;

	if (vma->start >= vma->end || vma->end > TASK_SIZE_MAX ||
	    !PAGE_ALIGNED(vma->start) || !PAGE_ALIGNED(vma->end))
		return ckpt_refuse(ctx, -EINVAL, "a mapping at 0x%llx-0x%llx",
				   vma->start, vma->end);

	/* Not in the list itself before it is judged. */
	prev = list_empty(&ctx->recs) ? NULL :
	       list_last_entry(&ctx->recs, struct ckpt_rec, node);
	if (!prev || prev->objref != rec->objref ||
	    (prev->type != CKPT_REC_MM &&
	     prev->kind->family != CKPT_FAMILY_VMA))
		return ckpt_refuse(ctx, -EINVAL,
				   "a mapping apart from its address space");
	if (prev->type != CKPT_REC_MM &&
	    ckpt_payload(prev, struct ckpt_vma)->end > vma->start)
		return ckpt_refuse(ctx, -EINVAL, "mappings out of order");
	return 0;
}

/**
 * ckpt_vma_check() - judge the part that all mappings but special ones have
 * @ctx: the restart
 * @rec: the record; its payload begins with a struct ckpt_vma
 * @allowed: CKPT_VMA_* that its kind can have
 *
 * Return: 0 or -EINVAL with a reason.
 */
int ckpt_vma_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec, u64 allowed)
{
	struct ckpt_vma *vma = ckpt_payload(rec, struct ckpt_vma);
	const u64 droppable = CKPT_VMA_DROPPABLE | CKPT_VMA_NORESERVE |
			      CKPT_VMA_WIPEONFORK | CKPT_VMA_DONTDUMP;
	u64 flags = vma->flags;
	int ret;

	ret = ckpt_vma_check_range(ctx, rec);
	if (ret)
		return ret;
	if (flags & ~allowed)
		return ckpt_refuse(ctx, -EINVAL, "mapping flags 0x%llx",
				   flags & ~allowed);
	/* MAYREAD, MAYWRITE, MAYEXEC are three bits above. */
	if (flags & (CKPT_VMA_READ | CKPT_VMA_WRITE | CKPT_VMA_EXEC) &
	    ~(flags >> 3))
		return ckpt_refuse(ctx, -EINVAL,
				   "mapping flags 0x%llx allow more than they may",
				   flags);
	if ((flags & CKPT_VMA_LOCKONFAULT && !(flags & CKPT_VMA_LOCKED)) ||
	    (flags & CKPT_VMA_HUGEPAGE && flags & CKPT_VMA_NOHUGEPAGE) ||
	    (flags & CKPT_VMA_SEQUENTIAL && flags & CKPT_VMA_RANDOM) ||
	    (flags & CKPT_VMA_SHARED && flags & CKPT_VMA_MERGEABLE) ||
	    (flags & CKPT_VMA_ACCOUNT &&
	     flags & (CKPT_VMA_SHARED | CKPT_VMA_WRITE)) ||
	    (flags & CKPT_VMA_DROPPABLE &&
	     ((flags & droppable) != droppable ||
	      flags & (CKPT_VMA_LOCKED | CKPT_VMA_GROWSDOWN |
		       CKPT_VMA_MERGEABLE))))
		return ckpt_refuse(ctx, -EINVAL,
				   "mapping flags 0x%llx contradict each other",
				   flags);
	return 0;
}

/**
 * ckpt_vma_fill() - the part that all mapping records have
 * @rec: to fill
 * @vma: the mapping, stable
 */
void ckpt_vma_fill(struct ckpt_vma *rec, const struct vm_area_struct *vma)
{
	rec->start = vma->vm_start;
	rec->end = vma->vm_end;
	rec->flags = ckpt_vma_flags(vma);
}

/*
 * do_mmap() gives execute-only memory the key that the address space has for
 * it; pkey_mprotect() can give it any other one.
 */
static bool has_other_exec_key(struct vm_area_struct *vma)
{
#ifdef CONFIG_ARCH_HAS_PKEYS
	return (vma->vm_flags & VM_ACCESS_FLAGS) == VM_EXEC &&
	       vma->vm_flags & ARCH_VM_PKEY_FLAGS &&
	       vma_pkey(vma) !=
	       vma->vm_mm->context.execute_only_pkey;
#else
	return false;
#endif
}

/*
 * What no saved kind supports, found here at any mapping that no refusing row
 * below has recognised.
 */
static int collect_common(struct ckpt_ctx *ctx, struct vm_area_struct *vma,
			  u64 allowed, vm_flags_t also)
{
	vm_flags_t left = vma->vm_flags & ~(VM_DERIVED | also);
	unsigned int i;

	for (i = 0; left && i < ARRAY_SIZE(flag_map); i++)
		if (flag_map[i].flag & allowed)
			left &= ~flag_map[i].vm;
	if (left)
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "a mapping with flags that are not supported: 0x%lx",
				   left);
	if (has_other_exec_key(vma))
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "execute-only memory with a protection key of its own is not supported");
	return 0;
}

static size_t anon_name_len(const struct vm_area_struct *vma, const u8 **name)
{
#ifdef CONFIG_ANON_VMA_NAME
	/* anon_vma_name() wants the mmap lock, this is a copy of our own. */
	if (vma->anon_name) {
		*name = vma->anon_name->name;
		return strlen(vma->anon_name->name);
	}
#endif
	*name = NULL;
	return 0;
}

static int check_anon_name(struct ckpt_ctx *ctx, const u8 *name, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (name[i] <= 0x1f || name[i] >= 0x7f ||
		    strchr(NAME_INVALID, name[i]))
			return ckpt_refuse(ctx, -EINVAL,
					   "a mapping's name with the character 0x%02x",
					   name[i]);
	return 0;
}

static int set_anon_name(struct ckpt_ctx *ctx, const struct ckpt_vma *rec,
			 const u8 *name, size_t len)
{
#ifdef CONFIG_ANON_VMA_NAME
	struct mm_struct *mm = current->mm;
	struct anon_vma_name *anon_name;
	char buf[NAME_LEN_MAX + 1];
	int ret;

	if (!len)
		return 0;
	memcpy(buf, name, len);
	buf[len] = 0;
	anon_name = anon_vma_name_alloc(buf);
	if (!anon_name)
		return -ENOMEM;
	mmap_write_lock(mm);
	ret = madvise_set_anon_name(mm, rec->start, rec->end - rec->start,
				    anon_name);
	mmap_write_unlock(mm);
	anon_vma_name_put(anon_name);
	return ret;
#else
	if (!len)
		return 0;
	return ckpt_refuse(ctx, -EOPNOTSUPP,
			   "this kernel has no names of anonymous memory");
#endif
}

/*
 * Is what was mapped what the record says? Adjacent mappings may be merged. mmap
 * lock held.
 */
static int compare(struct ckpt_ctx *ctx, const struct ckpt_vma *rec,
		   struct file *file, unsigned long pgoff)
{
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma;
	u64 ignore = 0, live = 0;
	bool same = false;

	/* Wanted and not allowed is no difference that anybody sees. */
	if (sysctl_overcommit_memory == OVERCOMMIT_NEVER)
		ignore |= CKPT_VMA_NORESERVE;

	vma = vma_lookup(mm, rec->start);
	if (vma && vma->vm_end >= rec->end) {
		live = ckpt_vma_flags(vma);
		same = true;
		if (file)
			same = vma->vm_file &&
			       path_equal(file_user_path(vma->vm_file),
					  &file->f_path) &&
			       linear_page_index(vma, rec->start) == pgoff;
		else
			same = !vma->vm_file;
	}
	if (!same)
		return ckpt_refuse(ctx, -EINVAL, "something else was mapped");
	live = (live ^ rec->flags) & ~ignore;
	if (live & (CKPT_VMA_MAYREAD | CKPT_VMA_MAYWRITE | CKPT_VMA_MAYEXEC))
		return ckpt_refuse(ctx, -EACCES,
				   "what mprotect() may give differs from the time of the checkpoint: %s%s%s",
				   live & CKPT_VMA_MAYREAD ? "r" : "",
				   live & CKPT_VMA_MAYWRITE ? "w" : "",
				   live & CKPT_VMA_MAYEXEC ? "x" : "");
	if (live)
		return ckpt_refuse(ctx, -EINVAL,
				   "mapped with flags that differ in 0x%llx",
				   live);
	return 0;
}

static void where_vma(struct ckpt_ctx *ctx, const struct ckpt_rec *rec)
{
	struct ckpt_vma *vma = ckpt_payload(rec, struct ckpt_vma);

	ctx->where.vm_start = vma->start;
	ctx->where.vm_end = vma->end;
}

/* madvise(MADV_MERGEABLE) makes the mm known to KSM first. */
static int enter_ksm(struct ckpt_ctx *ctx, struct mm_struct *mm)
{
#ifdef CONFIG_KSM
	if (test_bit(MMF_VM_MERGEABLE, &mm->flags))
		return 0;
	return __ksm_enter(mm);
#else
	return ckpt_refuse(ctx, -EOPNOTSUPP, "this kernel has no KSM");
#endif
}

/*
 * Map as mmap() does, where nothing is, see ckpt_vma_check_range(). What
 * madvise() and mlock() have set is there from the beginning, so that mappings
 * which were apart are not merged. @anon: the file is one that mmap() makes by
 * itself, which security modules are not asked about.
 */
static int map(struct ckpt_ctx *ctx, const struct ckpt_vma *rec,
	       struct file *file, u64 offset, bool anon)
{
	unsigned long flags = MAP_FIXED, prot = 0, populate, addr;
	struct mm_struct *mm = current->mm;
	unsigned int personality;
	vm_flags_t vm_flags = 0;
	u32 rights;
	unsigned long charge = 0;
	LIST_HEAD(uf);
	int ret, differs = 0;

	if (rec->flags & CKPT_VMA_READ)
		prot |= PROT_READ;
	if (rec->flags & CKPT_VMA_WRITE)
		prot |= PROT_WRITE;
	if (rec->flags & CKPT_VMA_EXEC)
		prot |= PROT_EXEC;

	if (rec->flags & CKPT_VMA_SHARED)
		flags |= MAP_SHARED;
	else if (rec->flags & CKPT_VMA_DROPPABLE)
		flags |= MAP_DROPPABLE;
	else
		flags |= MAP_PRIVATE;
	if (rec->flags & CKPT_VMA_GROWSDOWN)
		flags |= MAP_GROWSDOWN;
	if (rec->flags & CKPT_VMA_NORESERVE)
		flags |= MAP_NORESERVE;
	if (rec->flags & CKPT_VMA_LOCKED)
		flags |= MAP_LOCKED;

	if (rec->flags & CKPT_VMA_LOCKONFAULT)
		vm_flags |= VM_LOCKONFAULT;
	if (rec->flags & CKPT_VMA_DONTFORK)
		vm_flags |= VM_DONTCOPY;
	if (rec->flags & CKPT_VMA_WIPEONFORK)
		vm_flags |= VM_WIPEONFORK;
	if (rec->flags & CKPT_VMA_DONTDUMP)
		vm_flags |= VM_DONTDUMP;
	if (rec->flags & CKPT_VMA_HUGEPAGE)
		vm_flags |= VM_HUGEPAGE;
	if (rec->flags & CKPT_VMA_NOHUGEPAGE)
		vm_flags |= VM_NOHUGEPAGE;
	if (rec->flags & CKPT_VMA_MERGEABLE)
		vm_flags |= VM_MERGEABLE;
	if (rec->flags & CKPT_VMA_SEQUENTIAL)
		vm_flags |= VM_SEQ_READ;
	if (rec->flags & CKPT_VMA_RANDOM)
		vm_flags |= VM_RAND_READ;
#ifdef CONFIG_ARCH_HAS_PKEYS
	if (rec->flags & CKPT_VMA_PKEY_0)
		vm_flags |= VM_PKEY_BIT0;
	if (rec->flags & CKPT_VMA_PKEY_1)
		vm_flags |= VM_PKEY_BIT1;
	if (rec->flags & CKPT_VMA_PKEY_2)
		vm_flags |= VM_PKEY_BIT2;
	if (rec->flags & CKPT_VMA_PKEY_3)
		vm_flags |= VM_PKEY_BIT3;
#endif

	if (rec->flags & VMA_PKEY_FLAGS && !arch_pkeys_enabled())
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "memory protection keys are not available here");
	/* Here such memory gets a protection key. */
	if (prot == PROT_EXEC && arch_pkeys_enabled() &&
	    !(rec->flags & VMA_PKEY_FLAGS))
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "execute-only memory has a protection key on this processor, and had none");
	if (rec->flags & CKPT_VMA_MERGEABLE && file &&
	    IS_DAX(file_inode(file)))
		return ckpt_refuse(ctx, -EINVAL, "KSM cannot merge DAX memory");

	ret = security_mmap_file(anon ? NULL : file, prot, flags);
	if (ret)
		goto out;
	if (mmap_write_lock_killable(mm))
		return -EINTR;
	if (rec->flags & CKPT_VMA_MERGEABLE)
		ret = enter_ksm(ctx, mm);
	/* do_mmap() charges only what is writable. */
	if (!ret && rec->flags & CKPT_VMA_ACCOUNT) {
		charge = (rec->end - rec->start) >> PAGE_SHIFT;
		ret = security_vm_enough_memory_mm(mm, charge);
		vm_flags |= VM_ACCOUNT;
	}
	if (!ret) {
		/* The record says itself what is executable. */
		personality = current->personality;
		current->personality &= ~READ_IMPLIES_EXEC;
		/* For execute-only memory it takes a right away. */
		rights = ckpt_arch_key_rights();
		addr = do_mmap(file, rec->start, rec->end - rec->start, prot,
			       flags, vm_flags, offset >> PAGE_SHIFT, &populate,
			       &uf);
		ckpt_arch_set_key_rights(rights);
		current->personality = personality;
		if (IS_ERR_VALUE(addr)) {
			ret = addr;
			vm_unacct_memory(charge);
		} else {
			differs = compare(ctx, rec, file, offset >> PAGE_SHIFT);
		}
	}
	mmap_write_unlock(mm);
	userfaultfd_unmap_complete(mm, &uf);
	if (!ret)
		return differs;
out:
	return ckpt_refuse(ctx, ret, "cannot be mapped");
}

/**
 * ckpt_vma_has_contents() - are page contents of this mapping saved?
 * @vma: the mapping, stable
 *
 * Only those that nothing else can give back: the pages of its own that a
 * private mapping has. What is shared belongs to the file or the memory object
 * behind it, and the vdso to the kernel.
 *
 * Return: true for a mapping that PAGES records may be about.
 */
bool ckpt_vma_has_contents(struct vm_area_struct *vma)
{
	const struct ckpt_kind *kind;

	if (vma->vm_flags & (VM_SHARED | VM_MAYSHARE | VM_DROPPABLE))
		return false;
	kind = ckpt_kind_of_vma(vma);
	return kind == &ckpt_kind_vma_anon || kind == &ckpt_kind_vma_file ||
	       kind == &ckpt_kind_vma_hugetlb;
}

/* --- private anonymous memory ----------------------------------------------- */

static bool vma_anon_match(struct vm_area_struct *vma)
{
	return vma_is_anonymous(vma) && !vma->vm_file &&
	       !(vma->vm_flags & VM_MAYSHARE);
}

static int vma_anon_collect(struct ckpt_ctx *ctx, struct vm_area_struct *vma)
{
	return collect_common(ctx, vma, VMA_ANON_FLAGS, 0);
}

static int vma_anon_save(struct ckpt_ctx *ctx, struct vm_area_struct *vma)
{
	struct ckpt_vma_anon rec = {};
	const u8 *name;
	size_t len;

	ckpt_vma_fill(&rec.vma, vma);
	len = anon_name_len(vma, &name);
	return ckpt_write_tail(ctx, &ckpt_kind_vma_anon,
			       ckpt_ref(ctx, vma->vm_mm), &rec, sizeof(rec),
			       name, len);
}

static int vma_anon_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_vma_anon *anon = ckpt_payload(rec, struct ckpt_vma_anon);
	int ret;

	ret = ckpt_vma_check(ctx, rec, VMA_ANON_FLAGS);
	if (!ret)
		ret = check_anon_name(ctx, anon->name,
				      ckpt_tail_len(rec, sizeof(*anon)));
	return ret;
}

static int vma_anon_restore(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_vma_anon *anon = ckpt_payload(rec, struct ckpt_vma_anon);
	int ret;

	where_vma(ctx, rec);
	ret = map(ctx, &anon->vma, NULL, 0, true);
	if (!ret)
		ret = set_anon_name(ctx, &anon->vma, anon->name,
				    ckpt_tail_len(rec, sizeof(*anon)));
	ctx->where.vm_end = 0;
	return ret;
}

const struct ckpt_kind ckpt_kind_vma_anon = {
	.name = "vma_anon",
	.about = "private anonymous memory: contents, madvise and mlock flags, name",
	.family = CKPT_FAMILY_VMA,
	.type = CKPT_REC_VMA_ANON,
	.phase = CKPT_PHASE_VMA,
	.version = 1,
	.min_version = 1,
	CKPT_PAYLOAD_TAIL(struct ckpt_vma_anon, NAME_LEN_MAX),
	.vma_match = vma_anon_match,
	.vma_collect = vma_anon_collect,
	.vma_save = vma_anon_save,
	.check = vma_anon_check,
	.restore = vma_anon_restore,
};

/* --- files ------------------------------------------------------------------- */

static bool vma_file_match(struct vm_area_struct *vma)
{
	return vma->vm_file && !is_vm_hugetlb_page(vma);
}

static int vma_file_collect(struct ckpt_ctx *ctx, struct vm_area_struct *vma)
{
	int ret, err;

	ret = collect_common(ctx, vma, VMA_FILE_FLAGS, 0);
	if (ckpt_external_is(ctx, vma->vm_file))
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "maps a file that is named as external");
	err = ckpt_file_collect(ctx, vma->vm_file);
	if (err)
		return err;
	/* What is not saved of a private mapping is read from the file. */
	if (!(vma->vm_flags & VM_MAYSHARE) &&
	    S_ISREG(file_inode(vma->vm_file)->i_mode))
		ckpt_file_mark_mapped(ckpt_obj_find(ctx, vma->vm_file));
	return ret;
}

static int vma_file_save(struct ckpt_ctx *ctx, struct vm_area_struct *vma)
{
	struct ckpt_vma_file rec = {
		.offset = (u64)vma->vm_pgoff << PAGE_SHIFT,
		.file = ckpt_ref(ctx, vma->vm_file),
	};

	ckpt_vma_fill(&rec.vma, vma);
	return ckpt_write(ctx, &ckpt_kind_vma_file, ckpt_ref(ctx, vma->vm_mm),
			  &rec, sizeof(rec));
}

static int check_offset(struct ckpt_ctx *ctx, const struct ckpt_vma *vma,
			u64 offset)
{
	if (offset > S64_MAX || !PAGE_ALIGNED(offset) ||
	    vma->end - vma->start > S64_MAX - offset)
		return ckpt_refuse(ctx, -EINVAL, "a mapping of offset 0x%llx",
				   offset);
	return 0;
}

static int vma_file_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_vma_file *file = ckpt_payload(rec, struct ckpt_vma_file);
	int ret;

	ret = ckpt_vma_check(ctx, rec, VMA_FILE_FLAGS);
	if (ret)
		return ret;
	if (file->pad)
		return ckpt_refuse(ctx, -EINVAL, "padding that is not zero");
	if (!ckpt_ref_is_family(ctx, file->file, CKPT_FAMILY_FILE) ||
	    ckpt_ref_is_type(ctx, file->file, CKPT_REC_FILE_EXTERNAL))
		return ckpt_refuse(ctx, -EINVAL, "object %u is no file",
				   file->file);
	return check_offset(ctx, &file->vma, file->offset);
}

static int vma_file_restore(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_vma_file *vma = ckpt_payload(rec, struct ckpt_vma_file);
	struct file *file = ckpt_obj_ptr(ctx, vma->file);
	unsigned int seals = 0;
	bool memfd;
	int ret;

	where_vma(ctx, rec);
	memfd = ckpt_ref_is_type(ctx, vma->file, CKPT_REC_FILE_MEMFD);
	if (!file) {
		ret = ckpt_refuse(ctx, -EINVAL, "its file was not opened");
		goto out;
	}
	/*
	 * A mapping that was made after a memfd was sealed against future
	 * writing; the seal itself comes when all are mapped.
	 */
	if (memfd && vma->vma.flags & CKPT_VMA_SHARED &&
	    !(vma->vma.flags & CKPT_VMA_MAYWRITE))
		seals = ckpt_shmem_seal_future(file);
	ret = map(ctx, &vma->vma, file, vma->offset, false);
	if (seals)
		ckpt_shmem_unseal_future(file);
out:
	ctx->where.vm_end = 0;
	return ret;
}

const struct ckpt_kind ckpt_kind_vma_file = {
	.name = "vma_file",
	.about = "mapped files: private ones with pages that differ, shared ones by reference",
	.family = CKPT_FAMILY_VMA,
	.type = CKPT_REC_VMA_FILE,
	.phase = CKPT_PHASE_VMA,
	.version = 1,
	.min_version = 1,
	CKPT_PAYLOAD(struct ckpt_vma_file),
	.vma_match = vma_file_match,
	.vma_collect = vma_file_collect,
	.vma_save = vma_file_save,
	.check = vma_file_check,
	.restore = vma_file_restore,
};

/* --- shared anonymous memory ------------------------------------------------- */

static bool vma_shmem_match(struct vm_area_struct *vma)
{
	/* A private mapping of it has contents of its own: of no kind here. */
	return vma->vm_file && vma->vm_flags & VM_MAYSHARE &&
	       ckpt_shmem_is_anon(vma->vm_file);
}

static int vma_shmem_collect(struct ckpt_ctx *ctx, struct vm_area_struct *vma)
{
	int ret;

	ret = collect_common(ctx, vma, VMA_SHMEM_FLAGS, 0);
	return ckpt_collect(ctx, &ckpt_kind_shmem, file_inode(vma->vm_file)) ?:
	       ret;
}

static int vma_shmem_save(struct ckpt_ctx *ctx, struct vm_area_struct *vma)
{
	struct ckpt_vma_shmem rec = {
		.offset = (u64)vma->vm_pgoff << PAGE_SHIFT,
		.shmem = ckpt_ref(ctx, file_inode(vma->vm_file)),
	};
	const u8 *name;
	size_t len;

	ckpt_vma_fill(&rec.vma, vma);
	len = anon_name_len(vma, &name);
	return ckpt_write_tail(ctx, &ckpt_kind_vma_shmem,
			       ckpt_ref(ctx, vma->vm_mm), &rec, sizeof(rec),
			       name, len);
}

static int vma_shmem_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_vma_shmem *shmem = ckpt_payload(rec, struct ckpt_vma_shmem);
	struct ckpt_obj *obj;
	int ret;

	ret = ckpt_vma_check(ctx, rec, VMA_SHMEM_FLAGS);
	if (ret)
		return ret;
	if (shmem->pad)
		return ckpt_refuse(ctx, -EINVAL, "padding that is not zero");
	if (!(shmem->vma.flags & CKPT_VMA_SHARED))
		return ckpt_refuse(ctx, -EINVAL,
				   "a private mapping of shared memory");
	if (!ckpt_ref_is_type(ctx, shmem->shmem, CKPT_REC_SHMEM))
		return ckpt_refuse(ctx, -EINVAL, "object %u is no shared memory",
				   shmem->shmem);
	obj = ckpt_obj_get(ctx, shmem->shmem);
	if (ckpt_payload(obj->rec, struct ckpt_shmem)->flags &
	    (CKPT_SHMEM_MEMFD | CKPT_SHMEM_SYSV))
		return ckpt_refuse(ctx, -EINVAL,
				   "a memfd or segment without an open file");
	ret = check_offset(ctx, &shmem->vma, shmem->offset);
	if (!ret)
		ret = check_anon_name(ctx, shmem->name,
				      ckpt_tail_len(rec, sizeof(*shmem)));
	return ret;
}

static int vma_shmem_restore(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_vma_shmem *vma = ckpt_payload(rec, struct ckpt_vma_shmem);
	struct file *file = ckpt_obj_ptr(ctx, vma->shmem);
	int ret;

	where_vma(ctx, rec);
	if (file)
		ret = map(ctx, &vma->vma, file, vma->offset, true);
	else
		ret = ckpt_refuse(ctx, -EINVAL, "its memory was not made");
	if (!ret)
		ret = set_anon_name(ctx, &vma->vma, vma->name,
				    ckpt_tail_len(rec, sizeof(*vma)));
	ctx->where.vm_end = 0;
	return ret;
}

const struct ckpt_kind ckpt_kind_vma_shmem = {
	.name = "vma_shmem",
	.about = "shared anonymous memory within the tree",
	.family = CKPT_FAMILY_VMA,
	.type = CKPT_REC_VMA_SHMEM,
	.phase = CKPT_PHASE_VMA,
	.version = 1,
	.min_version = 1,
	CKPT_PAYLOAD_TAIL(struct ckpt_vma_shmem, NAME_LEN_MAX),
	.vma_match = vma_shmem_match,
	.vma_collect = vma_shmem_collect,
	.vma_save = vma_shmem_save,
	.check = vma_shmem_check,
	.restore = vma_shmem_restore,
};

/* --- huge pages of a fixed size ---------------------------------------------- */

static bool vma_hugetlb_match(struct vm_area_struct *vma)
{
	return is_vm_hugetlb_page(vma) && !(vma->vm_flags & VM_MAYSHARE) &&
	       file_inode(vma->vm_file)->i_sb->s_flags & SB_KERNMOUNT &&
	       !strcmp(vma->vm_file->f_path.dentry->d_name.name,
		       HUGETLB_ANON_FILE);
}

static int vma_hugetlb_collect(struct ckpt_ctx *ctx, struct vm_area_struct *vma)
{
	/* get_user_pages() cannot write to such memory behind its back. */
	if (vma->anon_vma && !(vma->vm_flags & VM_WRITE))
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "hugetlb memory that cannot be written to and holds data");
	return collect_common(ctx, vma, VMA_HUGETLB_FLAGS, VM_HUGETLB);
}

static int vma_hugetlb_save(struct ckpt_ctx *ctx, struct vm_area_struct *vma)
{
	struct ckpt_vma_hugetlb rec = {
		.offset = (u64)vma->vm_pgoff << PAGE_SHIFT,
		.huge_size = vma_kernel_pagesize(vma),
	};

	ckpt_vma_fill(&rec.vma, vma);
	return ckpt_write(ctx, &ckpt_kind_vma_hugetlb,
			  ckpt_ref(ctx, vma->vm_mm), &rec, sizeof(rec));
}

static int vma_hugetlb_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_vma_hugetlb *huge =
		ckpt_payload(rec, struct ckpt_vma_hugetlb);
	u64 mask = huge->huge_size - 1;
	int ret;

	ret = ckpt_vma_check(ctx, rec, VMA_HUGETLB_FLAGS);
	if (ret)
		return ret;
	if (!is_power_of_2(huge->huge_size) || huge->huge_size <= PAGE_SIZE ||
	    huge->huge_size > SZ_1G || huge->vma.start & mask ||
	    huge->vma.end & mask || huge->offset & mask ||
	    huge->offset > TASK_SIZE_MAX)
		return ckpt_refuse(ctx, -EINVAL,
				   "huge pages of 0x%llx bytes at offset 0x%llx",
				   huge->huge_size, huge->offset);
	return 0;
}

static int vma_hugetlb_restore(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_vma_hugetlb *vma =
		ckpt_payload(rec, struct ckpt_vma_hugetlb);
	u64 size = vma->offset + vma->vma.end - vma->vma.start;
	struct file *file;
	int ret;

	where_vma(ctx, rec);
	/* As mmap(MAP_HUGETLB): mapping the file reserves, making it does not. */
	file = hugetlb_file_setup(HUGETLB_ANON_FILE, size, VM_NORESERVE,
				  HUGETLB_ANONHUGE_INODE,
				  ilog2(vma->huge_size));
	if (IS_ERR(file)) {
		ret = ckpt_refuse(ctx, PTR_ERR(file),
				  "this kernel has no huge pages of %llu bytes",
				  vma->huge_size);
	} else {
		ret = map(ctx, &vma->vma, file, vma->offset, false);
		fput(file);
	}
	ctx->where.vm_end = 0;
	return ret;
}

const struct ckpt_kind ckpt_kind_vma_hugetlb = {
	.name = "vma_hugetlb",
	.about = "private anonymous memory of hugetlb pages",
	.family = CKPT_FAMILY_VMA,
	.type = CKPT_REC_VMA_HUGETLB,
	.phase = CKPT_PHASE_VMA,
	.version = 1,
	.min_version = 1,
	CKPT_PAYLOAD(struct ckpt_vma_hugetlb),
	.vma_match = vma_hugetlb_match,
	.vma_collect = vma_hugetlb_collect,
	.vma_save = vma_hugetlb_save,
	.check = vma_hugetlb_check,
	.restore = vma_hugetlb_restore,
};

/* --- refused by name --------------------------------------------------------- */

/*
 * These rows come before the ones above: what makes such a mapping special is
 * an attribute that ordinary ones can have too.
 */

static bool vma_secretmem_match(struct vm_area_struct *vma)
{
	return vma_is_secretmem(vma);
}

const struct ckpt_kind ckpt_kind_vma_secretmem = {
	.name = "vma_secretmem",
	.refuse = "memory of memfd_secret() must not leave the process",
	.family = CKPT_FAMILY_VMA,
	.vma_match = vma_secretmem_match,
};

static bool vma_uffd_match(struct vm_area_struct *vma)
{
	return vma->vm_flags & __VM_UFFD_FLAGS;
}

const struct ckpt_kind ckpt_kind_vma_uffd = {
	.name = "vma_userfaultfd",
	.refuse = "memory that is registered with a userfaultfd is not supported",
	.family = CKPT_FAMILY_VMA,
	.vma_match = vma_uffd_match,
};

static bool vma_device_match(struct vm_area_struct *vma)
{
	return vma->vm_flags & (VM_PFNMAP | VM_IO | VM_MIXEDMAP | VM_PAT |
				VM_SYNC | VM_ALLOW_ANY_UNCACHED);
}

const struct ckpt_kind ckpt_kind_vma_device = {
	.name = "vma_device",
	.refuse = "memory of a device is not supported",
	.family = CKPT_FAMILY_VMA,
	.vma_match = vma_device_match,
};

static bool vma_shadow_stack_match(struct vm_area_struct *vma)
{
	return vma->vm_flags & VM_SHADOW_STACK;
}

const struct ckpt_kind ckpt_kind_vma_shadow_stack = {
	.name = "vma_shadow_stack",
	.refuse = "shadow stacks are not supported",
	.family = CKPT_FAMILY_VMA,
	.vma_match = vma_shadow_stack_match,
};

static bool vma_sealed_match(struct vm_area_struct *vma)
{
#ifdef CONFIG_64BIT
	return vma->vm_flags & VM_SEALED;
#else
	return false;
#endif
}

const struct ckpt_kind ckpt_kind_vma_sealed = {
	.name = "vma_sealed",
	.refuse = "mappings sealed by mseal() are not supported",
	.family = CKPT_FAMILY_VMA,
	.vma_match = vma_sealed_match,
};

static bool vma_mempolicy_match(struct vm_area_struct *vma)
{
	return vma_policy(vma);
}

const struct ckpt_kind ckpt_kind_vma_mempolicy = {
	.name = "vma_mempolicy",
	.refuse = "memory with a NUMA policy set by mbind() is not supported",
	.family = CKPT_FAMILY_VMA,
	.vma_match = vma_mempolicy_match,
};

static bool vma_sysv_match(struct vm_area_struct *vma)
{
	return vma->vm_file && ckpt_shmem_is_sysv(vma->vm_file) &&
	       is_vm_hugetlb_page(vma);
}

const struct ckpt_kind ckpt_kind_vma_sysv = {
	.name = "vma_sysv",
	.refuse = "System V shared memory of huge pages is not supported",
	.family = CKPT_FAMILY_VMA,
	.vma_match = vma_sysv_match,
};

static bool vma_hugetlb_file_match(struct vm_area_struct *vma)
{
	return is_vm_hugetlb_page(vma) && !vma_hugetlb_match(vma);
}

const struct ckpt_kind ckpt_kind_vma_hugetlb_file = {
	.name = "vma_hugetlb_file",
	.refuse = "shared hugetlb memory and files on hugetlbfs are not supported",
	.family = CKPT_FAMILY_VMA,
	.vma_match = vma_hugetlb_file_match,
};

static bool vma_aio_match(struct vm_area_struct *vma)
{
	return vma->vm_file &&
	       file_inode(vma->vm_file)->i_sb->s_flags & SB_KERNMOUNT &&
	       !strcmp(vma->vm_file->f_path.dentry->d_name.name, "[aio]");
}

const struct ckpt_kind ckpt_kind_vma_aio = {
	.name = "vma_aio",
	.refuse = "asynchronous I/O (io_setup) is not supported",
	.family = CKPT_FAMILY_VMA,
	.vma_match = vma_aio_match,
};
