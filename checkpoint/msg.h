/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What System V and POSIX message queues have in common: their messages.
 */
#ifndef _CHECKPOINT_MSG_H
#define _CHECKPOINT_MSG_H

#include <linux/msg.h>

#include "internal.h"

struct msg_msgseg;

/* Text of a message in one record. */
#define CKPT_MSG_CHUNK	SZ_32K
/*
 * Bytes of messages that are copied with a queue locked. Each time the way to where
 * it goes on is gone again, so that there must not be many times.
 */
#define CKPT_MSG_BATCH	SZ_1M

/**
 * struct ckpt_msg_batch - messages, or pieces of them, on their way to an image
 * @nth: the message that is next ...
 * @offset: ... and what of it is in the image
 * @used: bytes in @data
 * @size: room in @data
 * @data: structs ckpt_mqueue_msg with their texts, each padded to 8
 */
struct ckpt_msg_batch {
	unsigned long nth;
	size_t offset;
	size_t used;
	size_t size;
	u8 data[] __aligned(8);
};

/**
 * struct ckpt_msg_pos - a place in the text of a message
 * @seg: in which of the further pages, NULL: in the first one
 * @at: bytes of text in front of it there
 */
struct ckpt_msg_pos {
	struct msg_msgseg *seg;
	size_t at;
};

/**
 * struct ckpt_msg_live - messages that are restored
 * @msg: one of which a part is there, or NULL
 * @filled: how much of it
 * @pos: its end
 * @left: how many have not begun yet
 */
struct ckpt_msg_live {
	struct msg_msg *msg;
	size_t filled;
	struct ckpt_msg_pos pos;
	u64 left;
};

struct ckpt_msg_batch *ckpt_msg_batch_alloc(u64 nr, u64 bytes);
bool ckpt_msg_add(struct ckpt_msg_batch *batch, struct msg_msg *msg);
int ckpt_msg_write(struct ckpt_ctx *ctx, const struct ckpt_kind *kind,
		   ckpt_ref_t ref, const struct ckpt_msg_batch *batch);
int ckpt_msg_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec, u64 max_type,
		   u64 max_size);
int ckpt_msg_fill(struct ckpt_ctx *ctx, struct ckpt_msg_live *live,
		  const struct ckpt_rec *rec, struct msg_msg **done);

#endif /* _CHECKPOINT_MSG_H */
