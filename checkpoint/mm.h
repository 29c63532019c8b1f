/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the parts that save memory share: mm.c, vma.c, pages.c, shmem.c.
 */
#ifndef _CHECKPOINT_MM_H
#define _CHECKPOINT_MM_H

#include "internal.h"

extern const struct ckpt_kind ckpt_kind_mm;
extern const struct ckpt_kind ckpt_kind_mm_layout;
extern const struct ckpt_kind ckpt_kind_vma_anon;
extern const struct ckpt_kind ckpt_kind_vma_file;
extern const struct ckpt_kind ckpt_kind_vma_shmem;
extern const struct ckpt_kind ckpt_kind_vma_hugetlb;
extern const struct ckpt_kind ckpt_kind_shmem;
extern const struct ckpt_kind ckpt_kind_file_memfd;

/* vma.c: for every row of the VMA family */
u64 ckpt_vma_flags(const struct vm_area_struct *vma);
void ckpt_vma_fill(struct ckpt_vma *rec, const struct vm_area_struct *vma);
int ckpt_vma_check_range(struct ckpt_ctx *ctx, struct ckpt_rec *rec);
int ckpt_vma_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec, u64 allowed);
bool ckpt_vma_has_contents(struct vm_area_struct *vma);

/* shmem.c */
bool ckpt_shmem_is_anon(struct file *file);
bool ckpt_shmem_is_memfd(struct file *file);
bool ckpt_shmem_is_sysv(struct file *file);
bool ckpt_shmem_seal_future(struct file *file);
void ckpt_shmem_unseal_future(struct file *file);
int ckpt_shmem_seal(struct ckpt_ctx *ctx);
int ckpt_shmem_check_leaks(struct ckpt_ctx *ctx);
/* sysv.c */
void ckpt_sysv_count_users(struct ckpt_ctx *ctx);
int ckpt_sysv_check_leaks(struct ckpt_ctx *ctx, struct ckpt_obj *obj);

/* pages.c */
int ckpt_pages_collect(struct ckpt_ctx *ctx, struct mm_struct *mm);

#endif /* _CHECKPOINT_MM_H */
