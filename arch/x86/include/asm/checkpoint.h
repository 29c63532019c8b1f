/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Checkpoint/restart: the rows of this architecture.
 */
#ifndef _ASM_X86_CHECKPOINT_H
#define _ASM_X86_CHECKPOINT_H

#include <asm/pkru.h>

struct ckpt_kind;

/* What the current task may do with memory that has protection keys. */
static inline u32 ckpt_arch_key_rights(void)
{
	return read_pkru();
}

static inline void ckpt_arch_set_key_rights(u32 rights)
{
	write_pkru(rights);
}

extern const struct ckpt_kind ckpt_kind_vma_special;
extern const struct ckpt_kind ckpt_kind_x86_ldt;
extern const struct ckpt_kind ckpt_kind_x86_regs;
extern const struct ckpt_kind ckpt_kind_x86_tls;
extern const struct ckpt_kind ckpt_kind_x86_xstate;

#endif /* _ASM_X86_CHECKPOINT_H */
