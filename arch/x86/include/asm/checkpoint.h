/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Checkpoint/restart: the rows of this architecture.
 */
#ifndef _ASM_X86_CHECKPOINT_H
#define _ASM_X86_CHECKPOINT_H

struct ckpt_kind;

extern const struct ckpt_kind ckpt_kind_vma_special;
extern const struct ckpt_kind ckpt_kind_x86_ldt;
extern const struct ckpt_kind ckpt_kind_x86_regs;
extern const struct ckpt_kind ckpt_kind_x86_tls;
extern const struct ckpt_kind ckpt_kind_x86_xstate;

#endif /* _ASM_X86_CHECKPOINT_H */
