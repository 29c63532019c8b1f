/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of System V IPC share.
 */
#ifndef _CHECKPOINT_SYSV_H
#define _CHECKPOINT_SYSV_H

#include "internal.h"

struct ipc_ids;
struct ipc_ref;
struct kern_ipc_perm;

extern const struct ckpt_kind ckpt_kind_ipc_ns;
extern const struct ckpt_kind ckpt_kind_sysv_msg;
extern const struct ckpt_kind ckpt_kind_sysv_sem;
extern const struct ckpt_kind ckpt_kind_sysv_text;

/* sysv.c */
bool ckpt_sysv_has_owner(struct ckpt_ctx *ctx, const struct kern_ipc_perm *perm);
void ckpt_sysv_want_id(struct ipc_ids *ids, int from, int to);
int ckpt_sysv_check_owner(struct ckpt_ctx *ctx, const struct ckpt_ipc_perm *p);
void ckpt_sysv_set_owner(struct ckpt_ctx *ctx, struct kern_ipc_perm *perm,
			 const struct ckpt_ipc_perm *p);
void ckpt_sysv_set_pid(struct ckpt_ctx *ctx, struct pid **to, pid_t saved);
/* sysv_ns.c */
int ckpt_sysv_ns_collect(struct ckpt_ctx *ctx);
const struct ipc_ref *ckpt_sysv_sem_find(struct ckpt_ctx *ctx, int semid);
void ckpt_sysv_sem_ready(const struct ipc_ref *ref, u32 num, int op);
/* mqueue.c */
int ckpt_mqueue_collect_all(struct ckpt_ctx *ctx);

#endif /* _CHECKPOINT_SYSV_H */
