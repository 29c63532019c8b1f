// SPDX-License-Identifier: GPL-2.0
/*
 * Page contents at restart: of the private pages of the new address space, and
 * of inodes that live in the image (shared memory, files without a name).
 *
 * Private pages are new ones, which are read into and then mapped. What was
 * huge, and what is mapped already, is faulted in where it belongs, by
 * get_user_pages().
 */

#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/hugetlb.h>
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/mm_inline.h>
#include <linux/mman.h>
#include <linux/pagemap.h>
#include <linux/rmap.h>
#include <linux/sched/coredump.h>
#include <linux/sched/signal.h>
#include <linux/security.h>
#include <linux/shmem_fs.h>
#include <linux/slab.h>
#include <linux/swap.h>
#include <linux/uio.h>

#include "mm.h"

/**
 * struct fill - page contents on their way in
 * @ctx: the restart
 * @ref: the object of the last extent
 * @end: where the last extent of @ref ended
 * @vma_start: the executable mapping of a file that was judged last
 * @nr_pages: elements of @pages
 * @nr_bv: elements of @bv
 * @pages: each with a reference; NULL: it has found its place
 * @bv: the same pages, contiguous ones together
 */
struct fill {
	struct ckpt_ctx *ctx;
	ckpt_ref_t ref;
	u64 end;
	unsigned long vma_start;
	unsigned int nr_pages;
	unsigned int nr_bv;
	struct page *pages[CKPT_MAX_BATCH];
	struct bio_vec bv[CKPT_MAX_BATCH];
};

static void fill_add(struct fill *f, struct page *page)
{
	struct bio_vec *last = f->nr_bv ? &f->bv[f->nr_bv - 1] : NULL;

	if (last && page_folio(page) == page_folio(last->bv_page) &&
	    page == last->bv_page + (last->bv_len >> PAGE_SHIFT))
		last->bv_len += PAGE_SIZE;
	else
		bvec_set_page(&f->bv[f->nr_bv++], page, PAGE_SIZE, 0);
}

/* Pages of our own for an extent. */
static int fill_alloc(struct fill *f, const struct ckpt_extent *e, gfp_t gfp)
{
	struct page **pages = f->pages + f->nr_pages;
	unsigned int i;
	int ret;

	ret = ckpt_pages_alloc(gfp, pages, e->nr_pages);
	if (ret)
		return ckpt_refuse(f->ctx, ret, "no memory for %u pages",
				   e->nr_pages);
	f->nr_pages += e->nr_pages;
	for (i = 0; i < e->nr_pages; i++)
		bvec_set_page(&f->bv[f->nr_bv++], pages[i], PAGE_SIZE, 0);
	return 0;
}

static void fill_drop(struct fill *f)
{
	ckpt_pages_put(f->pages, f->nr_pages);
	f->nr_pages = 0;
	f->nr_bv = 0;
}

/* --- an address space -------------------------------------------------------------- */

/*
 * Is this a place where contents may go? The live mapping says so, not the
 * image. mmap lock held.
 */
static int judge_mapping(struct fill *f, const struct ckpt_extent *e,
			 struct vm_area_struct *vma)
{
	unsigned long end = e->start + ((u64)e->nr_pages << PAGE_SHIFT);
	struct ckpt_ctx *ctx = f->ctx;
	int ret;

	if (!vma || end > vma->vm_end || !ckpt_vma_has_contents(vma) ||
	    !(vma->vm_flags & VM_MAYWRITE))
		return ckpt_refuse(ctx, -EINVAL,
				   "contents at 0x%llx-0x%lx, which is no private memory",
				   e->start, end);

	if (vma->vm_file && !vma_is_anonymous(vma) &&
	    !is_vm_hugetlb_page(vma) &&
	    linear_page_index(vma, end - 1) >=
	    DIV_ROUND_UP(i_size_read(file_inode(vma->vm_file)), PAGE_SIZE))
		return ckpt_refuse(ctx, -EINVAL,
				   "contents at 0x%llx-0x%lx, behind the end of the file %pD",
				   e->start, end, vma->vm_file);

	/*
	 * No layout is restored yet: this is what the caller is bound by. Who
	 * may not make code from data does not get it from an image.
	 */
	if (vma->vm_flags & VM_EXEC &&
	    test_bit(MMF_HAS_MDWE, &current->mm->flags))
		return ckpt_refuse(ctx, -EACCES,
				   "the caller is bound by PR_SET_MDWE, executable memory with contents is not allowed");

	/*
	 * Code that is not the file's. Security modules that have a word on
	 * this judge it when such a mapping is writable.
	 */
	if (vma->vm_file && vma->vm_flags & VM_EXEC &&
	    vma->vm_start != f->vma_start) {
		ret = security_mmap_file(vma->vm_file,
					 PROT_READ | PROT_WRITE | PROT_EXEC,
					 MAP_PRIVATE | MAP_FIXED);
		if (ret)
			return ckpt_refuse(ctx, ret,
					   "code that differs from the file %pD is not allowed",
					   vma->vm_file);
		f->vma_start = vma->vm_start;
	}
	return 0;
}

/*
 * Fault pages in, where something is already or where they become huge. The mm
 * has MMF_DISABLE_THP set, so that only what was huge becomes huge, where the
 * system's settings permit it. Each page gets a reference.
 */
static int fault_in(struct fill *f, const struct ckpt_extent *e,
		    unsigned int first, unsigned int nr, struct page **pages)
{
	unsigned long addr = e->start + ((unsigned long)first << PAGE_SHIFT);
	struct mm_struct *mm = current->mm;
	unsigned int done = 0, i;
	long n = 0;

	while (done < nr) {
		int locked = 1;

		n = mmap_read_lock_killable(mm);
		if (n)
			break;
		n = judge_mapping(f, e, vma_lookup(mm, e->start));
		if (n) {
			mmap_read_unlock(mm);
			break;
		}
		n = get_user_pages_remote(mm, addr, nr - done,
					  FOLL_WRITE | FOLL_FORCE,
					  pages + done, &locked);
		if (locked)
			mmap_read_unlock(mm);
		if (n <= 0)
			break;
		done += n;
		addr += (unsigned long)n << PAGE_SHIFT;
	}
	/* What a write to a private mapping leads to. */
	for (i = 0; i < done; i++)
		if (!PageAnon(pages[i]))
			break;
	if (done == nr && i == nr)
		return 0;

	ckpt_pages_put(pages, done);
	if (i < done)
		return ckpt_refuse(f->ctx, -EFAULT,
				   "contents at 0x%llx of a page that is not private",
				   e->start);
	if (n == -EINTR || f->ctx->nr_reasons)
		return n ?: -EFAULT;
	return ckpt_refuse(f->ctx, n ?: -EFAULT,
			   "no memory for the contents at 0x%lx", addr);
}

/* A huge page is faulted in and read into where it is. */
static int get_huge_extent(struct fill *f, const struct ckpt_extent *e)
{
	struct page **pages = f->pages + f->nr_pages;
	struct mm_struct *mm = current->mm;
	unsigned int i;
	int ret;

	clear_bit(MMF_DISABLE_THP, &mm->flags);
	ret = fault_in(f, e, 0, e->nr_pages, pages);
	set_bit(MMF_DISABLE_THP, &mm->flags);
	if (ret)
		return ret;
	f->nr_pages += e->nr_pages;
	for (i = 0; i < e->nr_pages; i++)
		fill_add(f, pages[i]);
	return 0;
}

/*
 * Small pages are new ones. They are mapped when they have been read into:
 * until then they hold what somebody else had in them.
 */
static int get_small_extent(struct fill *f, const struct ckpt_extent *e)
{
	struct page **pages = f->pages + f->nr_pages;
	unsigned int i;
	int ret;

	ret = fill_alloc(f, e, GFP_HIGHUSER_MOVABLE);
	for (i = 0; !ret && i < e->nr_pages; i++) {
		struct folio *folio = page_folio(pages[i]);

		if (mem_cgroup_charge(folio, current->mm, GFP_KERNEL))
			ret = ckpt_refuse(f->ctx, -ENOMEM,
					  "no memory in the cgroup for %u pages",
					  e->nr_pages);
		folio_throttle_swaprate(folio, GFP_KERNEL);
	}
	return ret;
}

/* The page table for an address; NULL: none, or it is not for small pages. */
static pte_t *table_lock(struct mm_struct *mm, unsigned long addr,
			 spinlock_t **ptl)
{
	p4d_t *p4d = p4d_alloc(mm, pgd_offset(mm, addr), addr);
	pud_t *pud = p4d ? pud_alloc(mm, p4d, addr) : NULL;
	pmd_t *pmd = pud ? pmd_alloc(mm, pud, addr) : NULL;

	if (!pmd || pmd_trans_huge(pmdp_get_lockless(pmd)))
		return NULL;
	return pte_alloc_map_lock(mm, pmd, addr, ptl);
}

/* Interrupts are off while so many are put into a list. */
#define RUN_MAX	64

/**
 * struct run - pages that were put into one LRU list, and not yet counted
 * @lruvec: the list's, whose lock is held; NULL: none
 * @zone: the pages' zone
 * @nr: so many pages
 */
struct run {
	struct lruvec *lruvec;
	enum zone_type zone;
	unsigned int nr;
};

static void run_count(struct run *run)
{
	if (run->nr) {
		__mod_lruvec_state(run->lruvec, NR_ANON_MAPPED, run->nr);
		update_lru_size(run->lruvec, LRU_INACTIVE_ANON, run->zone,
				run->nr);
	}
	run->nr = 0;
}

/*
 * As folio_add_new_anon_rmap() and folio_add_lru() do it for a small folio, but
 * for one after the other: the lock is taken and the statistics are brought up
 * to date once for a run of them. Else that would be half of what it takes to
 * map a page.
 */
static void run_add(struct run *run, struct folio *folio,
		    struct vm_area_struct *vma, unsigned long addr)
{
	enum zone_type zone = folio_zonenum(folio);
	struct lruvec *lruvec = run->lruvec;

	if (!lruvec || zone != run->zone || !folio_matches_lruvec(folio, lruvec)) {
		run_count(run);
		run->lruvec = folio_lruvec_relock_irq(folio, lruvec);
		run->zone = zone;
	}
	__folio_set_swapbacked(folio);
	WRITE_ONCE(folio->mapping,
		   (void *)vma->anon_vma + PAGE_MAPPING_ANON);
	folio->index = linear_page_index(vma, addr);
	atomic_set(&folio->_mapcount, 0);
	SetPageAnonExclusive(&folio->page);
	if (lru_gen_add_folio(run->lruvec, folio, false)) {
		__mod_lruvec_state(run->lruvec, NR_ANON_MAPPED, 1);
	} else {
		list_add(&folio->lru,
			 &run->lruvec->lists[LRU_INACTIVE_ANON]);
		run->nr++;
	}
	folio_set_lru(folio);
}

static void run_end(struct run *run)
{
	run_count(run);
	if (run->lruvec)
		unlock_page_lruvec_irq(run->lruvec);
	run->lruvec = NULL;
}

/*
 * Map pages at @addr within one page table, as do_anonymous_page() does, up to
 * the first place that is taken. Return: how many; their references are those
 * of the page table now. mmap lock held.
 */
static unsigned int map_some(struct vm_area_struct *vma, unsigned long addr,
			     struct page **pages, unsigned int nr)
{
	bool simple = !(vma->vm_flags & (VM_LOCKED | VM_DROPPABLE));
	struct mm_struct *mm = vma->vm_mm;
	pte_t *table, *pte, entry;
	struct run run = { };
	struct folio *folio;
	spinlock_t *ptl;	/* of the page table */
	unsigned int i;

	table = table_lock(mm, addr, &ptl);
	if (!table)
		return 0;
	for (i = 0, pte = table; i < nr; i++, pte++, addr += PAGE_SIZE) {
		if (!pte_none(ptep_get(pte)))
			break;
		if (!(i % RUN_MAX))
			run_end(&run);
		folio = page_folio(pages[i]);
		__folio_mark_uptodate(folio);
		if (simple) {
			run_add(&run, folio, vma, addr);
		} else {
			folio_add_new_anon_rmap(folio, vma, addr,
						RMAP_EXCLUSIVE);
			folio_add_lru_vma(folio, vma);
		}
		entry = pte_mkdirty(mk_pte(pages[i], vma->vm_page_prot));
		set_pte_at(mm, addr, pte, maybe_mkwrite(entry, vma));
		update_mmu_cache(vma, addr, pte);
		pages[i] = NULL;
	}
	run_end(&run);
	add_mm_counter(mm, MM_ANONPAGES, i);
	pte_unmap_unlock(table, ptl);
	return i;
}

/* The place of a page is taken: copy it. */
static int copy_page_in(struct fill *f, const struct ckpt_extent *e,
			unsigned int nr, struct page *from)
{
	struct page *to;
	int ret;

	ret = fault_in(f, e, nr, 1, &to);
	if (ret)
		return ret;
	copy_highpage(to, from);
	set_page_dirty_lock(to);
	put_page(to);
	return 0;
}

/* Put pages that have been read into where they belong. */
static int map_extent(struct fill *f, const struct ckpt_extent *e,
		      struct page **pages)
{
	struct mm_struct *mm = current->mm;
	unsigned int done = 0, nr, now;
	struct vm_area_struct *vma;
	unsigned long addr;
	int ret;

	while (done < e->nr_pages) {
		addr = e->start + ((unsigned long)done << PAGE_SHIFT);
		nr = min_t(unsigned int, e->nr_pages - done,
			   PTRS_PER_PTE - pte_index(addr));
		if (mmap_read_lock_killable(mm))
			return -EINTR;
		vma = vma_lookup(mm, e->start);
		now = 0;
		ret = judge_mapping(f, e, vma);
		if (!ret && anon_vma_prepare(vma))
			ret = -ENOMEM;
		if (!ret && !is_vm_hugetlb_page(vma))
			now = map_some(vma, addr, pages + done, nr);
		mmap_read_unlock(mm);
		if (!ret && !now) {
			ret = copy_page_in(f, e, done, pages[done]);
			now = 1;
		}
		if (ret)
			return ret;
		done += now;
	}
	return 0;
}

static int place_pages(struct fill *f, const struct ckpt_pages *p)
{
	struct page **pages = f->pages;
	unsigned int i, j;
	int ret = 0;

	for (i = 0; i < p->nr_extents && !ret; i++) {
		const struct ckpt_extent *e = &p->extents[i];

		if (e->flags & CKPT_EXTENT_HUGE) {
			for (j = 0; j < e->nr_pages; j++)
				if (!j || page_folio(pages[j]) !=
					  page_folio(pages[j - 1]))
					set_page_dirty_lock(pages[j]);
		} else {
			ret = map_extent(f, e, pages);
		}
		pages += e->nr_pages;
		cond_resched();
	}
	return ret;
}

/* --- an inode's contents ------------------------------------------------------- */

/* Pages of the page cache. */
static int get_shmem_extent(struct fill *f, struct inode *inode,
			    const struct ckpt_extent *e)
{
	pgoff_t index = e->start >> PAGE_SHIFT;
	struct folio *folio;
	struct page *page;
	unsigned int i;
	int ret;

	for (i = 0; i < e->nr_pages; i++, index++) {
		ret = shmem_get_folio(inode, index, 0, &folio, SGP_CACHE);
		if (ret)
			return ckpt_refuse(f->ctx, ret,
					   "no memory for page %lu of shared memory",
					   index);
		folio_unlock(folio);
		page = folio_file_page(folio, index);
		f->pages[f->nr_pages++] = page;
		if (PageHWPoison(page))
			return -EIO;
		fill_add(f, page);
	}
	return 0;
}

static int write_extents(struct fill *f, struct file *file,
			 const struct ckpt_pages *p)
{
	loff_t size = i_size_read(file_inode(file));
	const struct bio_vec *bv = f->bv;
	struct iov_iter iter;
	unsigned int i;
	loff_t pos;
	size_t len;
	ssize_t n;

	for (i = 0; i < p->nr_extents; i++) {
		const struct ckpt_extent *e = &p->extents[i];

		pos = e->start;
		len = min_t(u64, (u64)e->nr_pages << PAGE_SHIFT, size - pos);
		iov_iter_bvec(&iter, ITER_SOURCE, bv, e->nr_pages, len);
		while (iov_iter_count(&iter)) {
			n = vfs_iter_write(file, &iter, &pos, 0);
			if (n <= 0)
				return ckpt_refuse(f->ctx, n ?: -EIO,
						   "contents cannot be written to a file without a name");
		}
		bv += e->nr_pages;
	}
	return 0;
}

/* --- records ---------------------------------------------------------------------- */

/* Objects and extents ascend, so that nothing is filled twice. */
static int judge_order(struct fill *f, ckpt_ref_t ref,
		       const struct ckpt_pages *p)
{
	unsigned int i;

	if (ref < f->ref)
		return ckpt_refuse(f->ctx, -EINVAL,
				   "contents of object %u behind those of object %u",
				   ref, f->ref);
	if (ref != f->ref) {
		f->end = 0;
		f->vma_start = ULONG_MAX;
	}
	f->ref = ref;
	for (i = 0; i < p->nr_extents; i++) {
		const struct ckpt_extent *e = &p->extents[i];

		if (e->start < f->end)
			return ckpt_refuse(f->ctx, -EINVAL,
					   "contents at 0x%llx behind those at 0x%llx",
					   e->start, f->end);
		f->end = e->start + ((u64)e->nr_pages << PAGE_SHIFT);
	}
	return 0;
}

static int judge_size(struct fill *f, struct file *file,
		      const struct ckpt_pages *p)
{
	u64 size = i_size_read(file_inode(file));
	u64 end = round_up(size, PAGE_SIZE);
	unsigned int i;

	for (i = 0; i < p->nr_extents; i++) {
		const struct ckpt_extent *e = &p->extents[i];

		if (e->start >= end || e->flags ||
		    (u64)e->nr_pages << PAGE_SHIFT > end - e->start)
			return ckpt_refuse(f->ctx, -EINVAL,
					   "contents at 0x%llx, behind the end at 0x%llx",
					   e->start, size);
	}
	return 0;
}

/* Pages for all extents of a record, in their order. */
static int get_pages(struct fill *f, struct ckpt_obj *obj,
		     const struct ckpt_pages *p)
{
	unsigned int i;
	int ret = 0;

	if (obj->kind != &ckpt_kind_mm)
		ret = judge_size(f, obj->ptr, p);
	for (i = 0; i < p->nr_extents && !ret; i++) {
		const struct ckpt_extent *e = &p->extents[i];

		if (obj->kind == &ckpt_kind_shmem)
			ret = get_shmem_extent(f, file_inode(obj->ptr), e);
		else if (obj->kind != &ckpt_kind_mm)
			ret = fill_alloc(f, e, GFP_KERNEL_ACCOUNT);
		else if (e->flags & CKPT_EXTENT_HUGE)
			ret = get_huge_extent(f, e);
		else
			ret = get_small_extent(f, e);
		cond_resched();
	}
	return ret;
}

/* They have been read into. */
static int put_pages_in(struct fill *f, struct ckpt_obj *obj,
			const struct ckpt_pages *p)
{
	unsigned int i;

	if (obj->kind == &ckpt_kind_mm)
		return place_pages(f, p);
	if (obj->kind != &ckpt_kind_shmem)
		return write_extents(f, obj->ptr, p);
	for (i = 0; i < f->nr_pages; i++)
		set_page_dirty_lock(f->pages[i]);
	return 0;
}

static int restore_pages(struct fill *f, struct ckpt_rec *rec)
{
	struct ckpt_pages *p = ckpt_payload(rec, struct ckpt_pages);
	struct ckpt_ctx *ctx = f->ctx;
	struct ckpt_store *store = ctx->store;
	struct ckpt_obj *obj;
	int ret;

	obj = ckpt_obj_get(ctx, rec->objref);
	if (!obj || !obj->ptr ||
	    (obj->kind != &ckpt_kind_mm && obj->kind != &ckpt_kind_shmem &&
	     obj->kind->type != CKPT_REC_INODE))
		return ckpt_refuse(ctx, -EINVAL,
				   "contents of object %u, which has none",
				   rec->objref);
	ret = judge_order(f, rec->objref, p);
	if (!ret && obj->kind == &ckpt_kind_mm)
		ret = ckpt_mm_enter(ctx, obj->ptr);
	if (!ret)
		ret = ckpt_read_align(ctx);
	if (!ret)
		ret = get_pages(f, obj, p);
	if (!ret)
		ret = store->ops->read_pages(store, f->bv, f->nr_bv,
					     (size_t)p->nr_pages << PAGE_SHIFT);
	if (!ret)
		ret = put_pages_in(f, obj, p);
	fill_drop(f);
	if (!ret)
		ctx->nr_pages += p->nr_pages;
	return ret;
}

/**
 * ckpt_pages_restore() - read all page contents, up to the end of the image
 * @ctx: the restart; everything is mapped
 *
 * Return: 0 or -errno.
 */
int ckpt_pages_restore(struct ckpt_ctx *ctx)
{
	struct ckpt_rec *rec;
	struct fill *f;
	int ret = 0;
	u32 type;

	f = kvzalloc(sizeof(*f), GFP_KERNEL_ACCOUNT);
	if (!f)
		return -ENOMEM;
	f->ctx = ctx;
	f->vma_start = ULONG_MAX;
	do {
		rec = ckpt_read_rec(ctx);
		if (IS_ERR(rec)) {
			ret = PTR_ERR(rec);
			break;
		}
		type = rec->type;
		if (type == CKPT_REC_PAGES)
			ret = restore_pages(f, rec);
		else if (type != CKPT_REC_END)
			ret = ckpt_refuse(ctx, -EINVAL,
					  "metadata among page contents");
		if (!ret && fatal_signal_pending(current))
			ret = -EINTR;
		cond_resched();
	} while (!ret && type != CKPT_REC_END);
	kvfree(f);
	return ret;
}
