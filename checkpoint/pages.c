// SPDX-License-Identifier: GPL-2.0
/*
 * Page contents at checkpoint: of the private pages of an address space, and of
 * inodes that live in the image (shared memory, files without a name).
 *
 * The page tables are walked. Nothing is faulted in: a page that was never
 * touched stays so, one that is swapped out is read through the swap cache.
 * References are taken under the page table lock, a batch of them is written
 * outside of all locks. How the contents come back is in fill.c.
 */

#include <linux/dcache.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/huge_mm.h>
#include <linux/hugetlb.h>
#include <linux/ksm.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/pagewalk.h>
#include <linux/sched/coredump.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/shmem_fs.h>
#include <linux/slab.h>
#include <linux/swap.h>
#include <linux/swapops.h>
#include <linux/uio.h>

#include "../mm/swap.h"
#include "mm.h"

/* Pages behind a PMD, the huge pages that matter here. */
#define HUGE_NR		(PMD_SIZE >> PAGE_SHIFT)
/* Swap slots whose reading is started together. */
#define SWAP_AHEAD	32

static_assert(HUGE_NR <= CKPT_MAX_BATCH);

/* --- pages of our own ------------------------------------------------------------ */

/**
 * ckpt_pages_put() - give back pages
 * @pages: each with a reference, or NULL
 * @nr: so many
 */
void ckpt_pages_put(struct page **pages, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (pages[i])
			put_page(pages[i]);
}

/**
 * ckpt_pages_alloc() - allocate single pages, many at a time
 * @gfp: as for alloc_page()
 * @pages: where they go
 * @nr: so many
 *
 * Return: 0, or -ENOMEM and there are none.
 */
int ckpt_pages_alloc(gfp_t gfp, struct page **pages, unsigned int nr)
{
	unsigned int done = 0, now;

	memset(pages, 0, nr * sizeof(*pages));
	while (done < nr) {
		now = alloc_pages_bulk_array(gfp, nr, pages);
		if (now == done) {
			ckpt_pages_put(pages, done);
			return -ENOMEM;
		}
		done = now;
	}
	return 0;
}

/* --- batches --------------------------------------------------------------------- */

/**
 * struct batch - pages on their way to or from the store
 * @ctx: the operation
 * @ref: the object that they belong to
 * @nr_pages: so many
 * @nr_bv: elements of @bv; each holds one reference, on its first page, when
 *	saving
 * @nr_extents: elements of @extents
 * @split: the next page begins an extent
 * @extents: where they belong
 * @bv: the pages
 */
struct batch {
	struct ckpt_ctx *ctx;
	ckpt_ref_t ref;
	unsigned int nr_pages;
	unsigned int nr_bv;
	unsigned int nr_extents;
	bool split;
	struct ckpt_extent extents[CKPT_MAX_BATCH];
	struct bio_vec bv[CKPT_MAX_BATCH];
};

static struct batch *batch_alloc(struct ckpt_ctx *ctx, ckpt_ref_t ref)
{
	struct batch *b = kvzalloc(sizeof(*b), GFP_KERNEL_ACCOUNT);

	if (b) {
		b->ctx = ctx;
		b->ref = ref;
	}
	return b;
}

static bool batch_has_room(const struct batch *b, unsigned int nr)
{
	return b->nr_pages + nr <= CKPT_MAX_BATCH;
}

/* Add @nr contiguous pages; there is room. Takes over a reference on @page. */
static void batch_add(struct batch *b, u64 start, struct page *page,
		      unsigned int nr, u32 flags)
{
	struct ckpt_extent *e = &b->extents[b->nr_extents];

	/* An extent of huge pages is one huge page. */
	if (b->nr_extents && !b->split && !flags && !e[-1].flags &&
	    e[-1].start + ((u64)e[-1].nr_pages << PAGE_SHIFT) == start) {
		e[-1].nr_pages += nr;
	} else {
		e->start = start;
		e->nr_pages = nr;
		e->flags = flags;
		b->nr_extents++;
		b->split = false;
	}
	bvec_set_page(&b->bv[b->nr_bv++], page, nr << PAGE_SHIFT, 0);
	b->nr_pages += nr;
}

static void batch_drop(struct batch *b)
{
	unsigned int i;

	for (i = 0; i < b->nr_bv; i++)
		folio_put(page_folio(b->bv[i].bv_page));
	b->nr_pages = 0;
	b->nr_bv = 0;
	b->nr_extents = 0;
}

static int batch_write(struct batch *b)
{
	int ret = 0;

	if (b->nr_pages)
		ret = ckpt_write_pages(b->ctx, b->ref, b->extents,
				       b->nr_extents, b->bv, b->nr_bv);
	batch_drop(b);
	if (!ret && fatal_signal_pending(current))
		ret = -EINTR;
	cond_resched();
	return ret;
}

/* --- saving an address space ------------------------------------------------------ */

/* Why a walk has stopped; negative: -errno, with @why. */
enum {
	WALK_DONE,
	WALK_FULL,	/* no room in the batch */
	WALK_AGAIN,	/* something is on its way, try again */
	WALK_WAIT,	/* likewise, after a moment */
};

/**
 * struct walk - a walk over page tables
 * @batch: where pages are added; NULL: only judge
 * @next: the address that it stopped at
 * @why: what is there, when it is refused
 * @held: a page of the swap cache, kept there until it was found
 * @nr_swap: elements of @swap
 * @swap: slots to be read
 */
struct walk {
	struct batch *batch;
	unsigned long next;
	const char *why;
	struct folio *held;
	unsigned int nr_swap;
	swp_entry_t swap[SWAP_AHEAD];
};

static int walk_refuse(struct walk *w, int error, unsigned long addr,
		       const char *why)
{
	w->next = addr;
	w->why = why;
	return error;
}

static int walk_stop(struct walk *w, int how, unsigned long addr)
{
	w->next = addr;
	return how;
}

static bool has_memory_error(struct page *page, unsigned int nr)
{
	struct folio *folio = page_folio(page);

	if (PageHWPoison(page))
		return true;
	if (nr == 1)
		return false;
	return folio_test_hugetlb(folio) ? folio_test_hwpoison(folio) :
					   folio_test_has_hwpoisoned(folio);
}

/* Page table lock held. */
static int walk_page(struct walk *w, struct mm_struct *mm, unsigned long addr,
		     struct page *page, unsigned int nr, u32 flags)
{
	struct folio *folio = page_folio(page);

	if (has_memory_error(page, nr))
		return walk_refuse(w, -EIO, addr, "a page with a memory error");
	/*
	 * Maybe: KSM pages with very many users look so, too. That it was ever
	 * done is known for sure.
	 */
	if (test_bit(MMF_HAS_PINNED, &mm->flags) && !folio_test_ksm(folio) &&
	    folio_maybe_dma_pinned(folio))
		return walk_refuse(w, -EBUSY, addr,
				   "a page that a device or io_uring has pinned");
	if (!w->batch)
		return WALK_DONE;
	if (!batch_has_room(w->batch, nr))
		return walk_stop(w, WALK_FULL, addr);
	folio_get(folio);
	batch_add(w->batch, addr, page, nr, flags);
	return WALK_DONE;
}

/*
 * A page that is swapped out. The slot belongs to the page table that we hold
 * the lock of, so what the swap cache has of it is the contents.
 */
static int walk_swap(struct walk *w, struct mm_struct *mm, unsigned long addr,
		     swp_entry_t entry)
{
	struct folio *folio;
	struct page *page;
	int ret;

	if (!IS_ENABLED(CONFIG_SWAP))
		return walk_refuse(w, -EIO, addr, "a swapped page without swap");
	if (!w->batch)
		return WALK_DONE;
	folio = filemap_get_folio(swap_address_space(entry),
				  swap_cache_index(entry));
	if (IS_ERR(folio))
		return walk_stop(w, WALK_AGAIN, addr);

	page = folio_file_page(folio, swp_offset(entry));
	if (PageHWPoison(page))
		ret = walk_refuse(w, -EIO, addr, "a page with a memory error");
	else if (!folio_test_uptodate(folio))
		ret = walk_stop(w, WALK_AGAIN, addr);
	else if (!batch_has_room(w->batch, 1))
		ret = walk_stop(w, WALK_FULL, addr);
	else
		ret = WALK_DONE;
	/* Our reference goes to the batch. */
	if (ret == WALK_DONE)
		batch_add(w->batch, addr, page, 1, 0);
	else
		folio_put(folio);
	return ret;
}

/*
 * The zero page is what anonymous memory has by itself. In a mapped file it
 * stands for a page that was written to: KSM puts it there (use_zero_pages).
 */
static int walk_zero(struct walk *w, struct vm_area_struct *vma,
		     unsigned long addr, pte_t pte)
{
	struct page *page = pfn_to_page(pte_pfn(pte));

	if (!w->batch || vma_is_anonymous(vma))
		return WALK_DONE;
	if (!batch_has_room(w->batch, 1))
		return walk_stop(w, WALK_FULL, addr);
	get_page(page);
	batch_add(w->batch, addr, page, 1, 0);
	return WALK_DONE;
}

static int walk_pte(struct walk *w, struct vm_area_struct *vma,
		    unsigned long addr, pte_t pte)
{
	struct page *page;
	swp_entry_t entry;

	if (pte_none(pte))
		return WALK_DONE;

	if (pte_present(pte)) {
		page = vm_normal_page(vma, addr, pte);
		if (!page && is_zero_pfn(pte_pfn(pte)))
			return walk_zero(w, vma, addr, pte);
		if (!page)
			return walk_refuse(w, -EOPNOTSUPP, addr,
					   "memory that is not made of pages");
		if (PageAnon(page))
			return walk_page(w, vma->vm_mm, addr, page, 1, 0);
		/* The page cache of the file gives it back. */
		if (vma->vm_file && !vma_is_anonymous(vma))
			return WALK_DONE;
		return walk_refuse(w, -EOPNOTSUPP, addr,
				   "a page that is not anonymous");
	}

	entry = pte_to_swp_entry(pte);
	if (!non_swap_entry(entry))
		return walk_swap(w, vma->vm_mm, addr, entry);
	if (is_migration_entry(entry))
		return w->batch ? walk_stop(w, WALK_WAIT, addr) : WALK_DONE;
	if (is_hwpoison_entry(entry))
		return walk_refuse(w, -EIO, addr, "a page with a memory error");
	if (is_pte_marker_entry(entry))
		return walk_refuse(w, -EOPNOTSUPP, addr,
				   "a page marked by userfaultfd or poisoned");
	return walk_refuse(w, -EOPNOTSUPP, addr, "memory of a device");
}

#ifdef CONFIG_TRANSPARENT_HUGEPAGE
/* A huge page, or one on its way; page table lock held. */
static int walk_huge_pmd(struct walk *w, struct vm_area_struct *vma,
			 unsigned long addr, unsigned long end, pmd_t pmd)
{
	unsigned int nr = (end - addr) >> PAGE_SHIFT;
	struct page *page;

	if (!pmd_present(pmd)) {
		if (is_pmd_migration_entry(pmd))
			return w->batch ? walk_stop(w, WALK_WAIT, addr) :
					  WALK_DONE;
		return walk_refuse(w, -EOPNOTSUPP, addr, "memory of a device");
	}
	if (is_huge_zero_pmd(pmd))
		return WALK_DONE;
	page = vm_normal_page_pmd(vma, addr, pmd);
	if (!page)
		return walk_refuse(w, -EOPNOTSUPP, addr,
				   "memory that is not made of pages");
	if (!PageAnon(page)) {
		if (vma->vm_file && !vma_is_anonymous(vma))
			return WALK_DONE;
		return walk_refuse(w, -EOPNOTSUPP, addr,
				   "a page that is not anonymous");
	}
	/* The rest of one that has become huge since the batch was full. */
	page += (addr & ~PMD_MASK) >> PAGE_SHIFT;
	return walk_page(w, vma->vm_mm, addr, page, nr,
			 nr == HUGE_NR ? CKPT_EXTENT_HUGE : 0);
}
#endif

/* Slots that will be asked for next; page table lock held. */
static void gather_swap(struct walk *w, pte_t *pte, unsigned long addr,
			unsigned long end)
{
	swp_entry_t entry;

	w->nr_swap = 0;
	for (; addr < end && w->nr_swap < SWAP_AHEAD;
	     pte++, addr += PAGE_SIZE) {
		if (!is_swap_pte(ptep_get(pte)))
			continue;
		entry = pte_to_swp_entry(ptep_get(pte));
		if (!non_swap_entry(entry))
			w->swap[w->nr_swap++] = entry;
	}
}

/* Read them, and wait for the first one. The mmap lock is held. */
static int read_swap(struct walk *w, struct vm_area_struct *vma)
{
#ifdef CONFIG_SWAP
	struct swap_iocb *plug = NULL;
	struct folio *folio, *first = NULL;
	unsigned int i;

	for (i = 0; i < w->nr_swap; i++) {
		folio = read_swap_cache_async(w->swap[i], GFP_HIGHUSER_MOVABLE,
					      vma, w->next, &plug);
		if (!i)
			first = folio;
		else if (folio)
			folio_put(folio);
	}
	swap_read_unplug(plug);
	/* No memory, or the slot has just gone. */
	if (!first)
		return WALK_WAIT;
	folio_wait_locked(first);
	if (!folio_test_uptodate(first)) {
		folio_put(first);
		return walk_refuse(w, -EIO, w->next,
				   "a page that cannot be read from swap");
	}
	if (w->held)
		folio_put(w->held);
	w->held = first;
	return WALK_AGAIN;
#else
	return WALK_AGAIN;
#endif
}

static int pmd_entry(pmd_t *pmd, unsigned long addr, unsigned long end,
		     struct mm_walk *walk)
{
	struct vm_area_struct *vma = walk->vma;
	struct walk *w = walk->private;
	pte_t *start, *pte;
	spinlock_t *ptl;	/* of the page table */
	int ret = 0;

#ifdef CONFIG_TRANSPARENT_HUGEPAGE
	ptl = pmd_trans_huge_lock(pmd, vma);
	if (ptl) {
		ret = walk_huge_pmd(w, vma, addr, end, *pmd);
		spin_unlock(ptl);
		return ret;
	}
#endif
	start = pte_offset_map_lock(walk->mm, pmd, addr, &ptl);
	if (!start) {
		walk->action = ACTION_AGAIN;
		return 0;
	}
	for (pte = start; addr < end; pte++, addr += PAGE_SIZE) {
		ret = walk_pte(w, vma, addr, ptep_get(pte));
		if (ret)
			break;
	}
	if (ret == WALK_AGAIN)
		gather_swap(w, pte, addr, end);
	pte_unmap_unlock(start, ptl);

	if (ret == WALK_AGAIN)
		ret = read_swap(w, vma);
	cond_resched();
	return ret;
}

#ifdef CONFIG_HUGETLB_PAGE
static int hugetlb_entry(pte_t *ptep, unsigned long hmask, unsigned long addr,
			 unsigned long end, struct mm_walk *walk)
{
	struct vm_area_struct *vma = walk->vma;
	struct hstate *h = hstate_vma(vma);
	struct walk *w = walk->private;
	struct page *page;
	unsigned int nr;
	spinlock_t *ptl;	/* of the page table */
	pte_t pte;
	int ret = 0;

	ptl = huge_pte_lock(h, walk->mm, ptep);
	pte = huge_ptep_get(walk->mm, addr & hmask, ptep);
	if (huge_pte_none(pte))
		goto out;
	if (!pte_present(pte)) {
		if (is_migration_entry(pte_to_swp_entry(pte)))
			ret = w->batch ? walk_stop(w, WALK_WAIT, addr) : 0;
		else
			ret = walk_refuse(w, -EOPNOTSUPP, addr,
					  "a hugetlb page that is not there");
		goto out;
	}
	page = pte_page(pte);
	if (!PageAnon(page)) {
		ret = walk_refuse(w, -EOPNOTSUPP, addr,
				  "a hugetlb page that is not anonymous");
		goto out;
	}
	/* A larger one in pieces, so that each fits a batch. */
	page += (addr & ~hmask) >> PAGE_SHIFT;
	for (; addr < end && !ret; addr += (unsigned long)nr << PAGE_SHIFT) {
		nr = min_t(unsigned long, HUGE_NR, (end - addr) >> PAGE_SHIFT);
		ret = walk_page(w, walk->mm, addr, page, nr, CKPT_EXTENT_HUGE);
		page += nr;
	}
out:
	spin_unlock(ptl);
	return ret;
}
#endif

static const struct mm_walk_ops walk_ops = {
	.pmd_entry = pmd_entry,
#ifdef CONFIG_HUGETLB_PAGE
	.hugetlb_entry = hugetlb_entry,
#endif
	.walk_lock = PGWALK_RDLOCK,
};

/*
 * One round under the mmap lock: from @addr to where the walk stops in the
 * mapping there. Return: as enum; -ENOENT at the end of the address space.
 */
static int walk_some(struct ckpt_ctx *ctx, struct mm_struct *mm,
		     struct walk *w, unsigned long *addr)
{
	VMA_ITERATOR(vmi, mm, *addr);
	struct vm_area_struct *vma;
	int ret = -ENOENT;

	if (mmap_read_lock_killable(mm))
		return -EINTR;
	for_each_vma(vmi, vma) {
		/* Without an anon_vma there are no pages of its own. */
		if (vma->anon_vma && ckpt_vma_has_contents(vma))
			break;
		*addr = vma->vm_end;
	}
	if (vma) {
		ctx->where.vm_start = vma->vm_start;
		ctx->where.vm_end = vma->vm_end;
		if (*addr < vma->vm_start)
			*addr = vma->vm_start;
		/* An extent lies within one mapping. */
		if (w->batch && *addr == vma->vm_start)
			w->batch->split = true;
		w->next = vma->vm_end;
		ret = walk_page_range_vma(vma, *addr, vma->vm_end, &walk_ops,
					  w);
		/* Refused: one reason for a mapping is enough. */
		*addr = ret < 0 ? vma->vm_end : w->next;
	}
	mmap_read_unlock(mm);
	return ret;
}

static int walk_mm(struct ckpt_ctx *ctx, struct mm_struct *mm,
		   struct batch *batch)
{
	struct walk w = { .batch = batch };
	unsigned long addr = 0;
	int ret, err = 0;

	for (;;) {
		w.why = NULL;
		ret = walk_some(ctx, mm, &w, &addr);
		if (ret == -ENOENT)
			break;
		if (ret < 0) {
			if (w.why)
				ckpt_refuse(ctx, ret, "%s at 0x%lx", w.why,
					    w.next);
			err = err ?: ret;
			/* Judging finds all the reasons. */
			if (batch || ret == -EINTR)
				break;
		}
		if (ret == WALK_WAIT)
			schedule_timeout_killable(1);
		ret = ret == WALK_FULL ? batch_write(batch) : 0;
		if (!ret && fatal_signal_pending(current))
			ret = -EINTR;
		if (ret) {
			err = ret;
			break;
		}
		cond_resched();
	}
	if (w.held)
		folio_put(w.held);
	ctx->where.vm_end = 0;
	return err;
}

/**
 * ckpt_pages_collect() - find page contents that cannot be saved
 * @ctx: the checkpoint
 * @mm: the address space, held
 *
 * Goes over the page tables and touches no page.
 *
 * Return: 0, or the first -errno, noted as reasons.
 */
int ckpt_pages_collect(struct ckpt_ctx *ctx, struct mm_struct *mm)
{
	return walk_mm(ctx, mm, NULL);
}

/* --- saving an inode's contents ----------------------------------------------------- */

/* Shared memory: references on the page cache, where swapped pages come, too. */
static int save_shmem_range(struct batch *b, struct inode *inode, pgoff_t index,
			    pgoff_t end)
{
	struct folio *folio;
	struct page *page;
	int ret = 0;

	for (; index < end && !ret; index++) {
		ret = shmem_get_folio(inode, index, 0, &folio, SGP_READ);
		if (ret)
			return ckpt_refuse(b->ctx, ret,
					   "page %lu of shared memory cannot be read",
					   index);
		if (!folio)
			continue;
		folio_unlock(folio);
		page = folio_file_page(folio, index);
		if (PageHWPoison(page)) {
			folio_put(folio);
			return ckpt_refuse(b->ctx, -EIO,
					   "page %lu of shared memory has a memory error",
					   index);
		}
		batch_add(b, (u64)index << PAGE_SHIFT, page, 1, 0);
		if (!batch_has_room(b, 1))
			ret = batch_write(b);
	}
	return ret;
}

static int save_shmem(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	struct inode *inode = obj->ptr;
	loff_t pos = 0, end, size = i_size_read(inode);
	struct batch *b;
	int ret = 0;

	b = batch_alloc(ctx, obj->ref);
	if (!b)
		return -ENOMEM;
	/* Nobody changes its size: it belongs to a task that stands still. */
	while (pos < size && !ret) {
		pos = mapping_seek_hole_data(inode->i_mapping, pos, size,
					     SEEK_DATA);
		if (pos < 0)
			break;
		end = mapping_seek_hole_data(inode->i_mapping, pos, size,
					     SEEK_HOLE);
		if (end <= pos)
			break;
		ret = save_shmem_range(b, inode, pos >> PAGE_SHIFT,
				       DIV_ROUND_UP(end, PAGE_SIZE));
		pos = round_up(end, PAGE_SIZE);
	}
	if (!ret)
		ret = batch_write(b);
	batch_drop(b);
	kvfree(b);
	return ret;
}

/* Files on a disk: copies, read as the program would. */
static int save_file_range(struct batch *b, struct file *file, loff_t pos,
			   loff_t end)
{
	struct iov_iter iter;
	unsigned int nr, i;
	struct page *page;
	size_t len;
	ssize_t n;
	int ret;

	for (; pos < end; pos += (loff_t)nr << PAGE_SHIFT) {
		len = min_t(loff_t, end - pos, CKPT_MAX_BATCH << PAGE_SHIFT);
		nr = DIV_ROUND_UP(len, PAGE_SIZE);
		for (i = 0; i < nr; i++) {
			page = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
			if (!page)
				return -ENOMEM;
			batch_add(b, pos + ((loff_t)i << PAGE_SHIFT), page, 1,
				  0);
		}
		iov_iter_bvec(&iter, ITER_DEST, b->bv, nr, len);
		while (iov_iter_count(&iter)) {
			loff_t at = pos + len - iov_iter_count(&iter);

			n = vfs_iter_read(file, &iter, &at, 0);
			if (n < 0)
				return ckpt_refuse(b->ctx, n,
						   "cannot be read at %lld",
						   pos);
			/* Shorter than its size: the rest is zero. */
			if (!n)
				break;
		}
		ret = batch_write(b);
		if (ret)
			return ret;
	}
	return 0;
}

/* @file is a description of our own: its position changes. */
static int save_file(struct ckpt_ctx *ctx, ckpt_ref_t ref, struct file *file)
{
	loff_t pos = 0, end, size = i_size_read(file_inode(file));
	struct batch *b;
	int ret = 0;

	b = batch_alloc(ctx, ref);
	if (!b)
		return -ENOMEM;
	while (pos < size && !ret) {
		pos = vfs_llseek(file, pos, SEEK_DATA);
		if (pos == -ENXIO)
			break;
		if (pos < 0) {
			ret = ckpt_refuse(ctx, pos, "data cannot be found");
			break;
		}
		end = vfs_llseek(file, pos, SEEK_HOLE);
		if (end < 0 || end > size)
			end = size;
		/* Blocks can be smaller than pages. */
		pos = round_down(pos, PAGE_SIZE);
		ret = save_file_range(b, file, pos, end);
		pos = round_up(end, PAGE_SIZE);
	}
	batch_drop(b);
	kvfree(b);
	return ret;
}

static int save_inode(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	struct file *file = ckpt_inode_open(ctx, obj);
	int ret;

	if (IS_ERR(file))
		return ckpt_refuse(ctx, PTR_ERR(file), "cannot be read");
	ret = save_file(ctx, obj->ref, file);
	fput(file);
	return ret;
}

static int save_mm(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	struct batch *b;
	int ret;

	b = batch_alloc(ctx, obj->ref);
	if (!b)
		return -ENOMEM;
	ret = walk_mm(ctx, obj->ptr, b);
	if (!ret)
		ret = batch_write(b);
	batch_drop(b);
	kvfree(b);
	return ret;
}

/**
 * ckpt_pages_save() - write the contents of everything that has some
 * @ctx: the checkpoint, its metadata written
 *
 * Objects in the order of their numbers, extents ascending within each.
 *
 * Return: 0 or -errno.
 */
int ckpt_pages_save(struct ckpt_ctx *ctx)
{
	struct ckpt_obj *obj;
	int ret = 0;

	list_for_each_entry(obj, &ctx->objs, node) {
		ctx->where.kind = obj->kind->name;
		if (obj->kind == &ckpt_kind_mm)
			ret = save_mm(ctx, obj);
		else if (obj->kind == &ckpt_kind_shmem)
			ret = save_shmem(ctx, obj);
		else if (obj->kind->type == CKPT_REC_INODE)
			ret = save_inode(ctx, obj);
		if (ret)
			break;
	}
	ctx->where.kind = NULL;
	return ret;
}
