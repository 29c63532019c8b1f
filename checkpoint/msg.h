/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What System V and POSIX message queues have in common: their messages.
 */
#ifndef _CHECKPOINT_MSG_H
#define _CHECKPOINT_MSG_H

#include <linux/msg.h>

#include "internal.h"

/* Bytes of messages that are copied with a queue locked, and in one record. */
#define CKPT_MSG_CHUNK	SZ_32K

/**
 * struct ckpt_msg_batch - messages, or pieces of them, on their way to an image
 * @nth: the message that is next ...
 * @offset: ... and what of it is in the image
 * @used: bytes in @data
 * @data: structs ckpt_mqueue_msg with their texts, each padded to 8
 */
struct ckpt_msg_batch {
	unsigned long nth;
	size_t offset;
	size_t used;
	u8 data[CKPT_MSG_CHUNK];
};

/**
 * struct ckpt_msg_live - messages that are restored
 * @msg: one of which a part is there, or NULL
 * @filled: how much of it
 * @left: how many have not begun yet
 */
struct ckpt_msg_live {
	struct msg_msg *msg;
	size_t filled;
	u64 left;
};

bool ckpt_msg_add(struct ckpt_msg_batch *batch, const struct msg_msg *msg);
int ckpt_msg_write(struct ckpt_ctx *ctx, const struct ckpt_kind *kind,
		   ckpt_ref_t ref, const struct ckpt_msg_batch *batch);
int ckpt_msg_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec, u64 max_type,
		   u64 max_size);
int ckpt_msg_fill(struct ckpt_ctx *ctx, struct ckpt_msg_live *live,
		  const struct ckpt_rec *rec, struct msg_msg **done);

#endif /* _CHECKPOINT_MSG_H */
