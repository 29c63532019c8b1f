/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Open files that stay outside of the tree, see external.c.
 */
#ifndef _CHECKPOINT_EXTERNAL_H
#define _CHECKPOINT_EXTERNAL_H

#include "internal.h"

extern const struct ckpt_kind ckpt_kind_file_external;

/* the system calls */
int ckpt_external_read(struct ckpt_ctx *ctx, bool restart);
void ckpt_external_free(struct ckpt_ctx *ctx);
/* save */
int ckpt_external_collect(struct ckpt_ctx *ctx);
bool ckpt_external_is(struct ckpt_ctx *ctx, const struct file *file);
/* restart */
int ckpt_external_match(struct ckpt_ctx *ctx, pid_t root);

#endif /* _CHECKPOINT_EXTERNAL_H */
