// SPDX-License-Identifier: GPL-2.0
/*
 * The messages of System V and POSIX message queues.
 *
 * A message lies in a page and, if it is long, in further ones. It is copied
 * while its queue is locked, some at a time; one that is long goes in pieces.
 */

#include <linux/security.h>
#include <linux/slab.h>

#include "../ipc/msg.h"
#include "../ipc/util.h"
#include "msg.h"

static_assert(sizeof(struct msg_msgseg) == sizeof(void *));

/* The text from @offset on, and how much of it lies there. */
static void *text_at(const struct msg_msg *msg, size_t offset, size_t *len)
{
	struct msg_msgseg *seg;

	if (offset < DATALEN_MSG) {
		*len = DATALEN_MSG - offset;
		return (u8 *)(msg + 1) + offset;
	}
	offset -= DATALEN_MSG;
	for (seg = msg->next; offset >= DATALEN_SEG; seg = seg->next)
		offset -= DATALEN_SEG;
	*len = DATALEN_SEG - offset;
	return (u8 *)(seg + 1) + offset;
}

static void text_copy(const struct msg_msg *msg, size_t offset, void *to,
		      const void *from, size_t len)
{
	size_t n;
	void *at;

	for (; len; len -= n, offset += n) {
		at = text_at(msg, offset, &n);
		n = min(n, len);
		if (to) {
			memcpy(to, at, n);
			to += n;
		} else {
			memcpy(at, from, n);
			from += n;
		}
	}
}

/**
 * ckpt_msg_add() - put a message into a batch, as far as there is room
 * @batch: where to
 * @msg: the message batch->nth, its queue is locked
 *
 * Return: false when the batch is full.
 */
bool ckpt_msg_add(struct ckpt_msg_batch *batch, const struct msg_msg *msg)
{
	size_t room = sizeof(batch->data) - batch->used, len;
	struct ckpt_mqueue_msg *rec = (void *)batch->data + batch->used;

	/* A little piece is not worth it. */
	if (room < sizeof(*rec) + SZ_128)
		return false;
	len = min(msg->m_ts - batch->offset, room - sizeof(*rec));
	rec->piece = (struct ckpt_msg_piece) {
		.type = msg->m_type,
		.size = msg->m_ts,
		.offset = batch->offset,
		.len = len,
	};
	text_copy(msg, batch->offset, rec->text, NULL, len);
	memset(rec->text + len, 0, ALIGN(len, 8) - len);
	batch->used += sizeof(*rec) + ALIGN(len, 8);
	batch->offset += len;
	if (batch->offset < msg->m_ts)
		return false;
	batch->nth++;
	batch->offset = 0;
	return true;
}

/**
 * ckpt_msg_write() - write what is in a batch
 * @ctx: the checkpoint
 * @kind: of the records
 * @ref: the queue
 * @batch: the batch, locked no more
 *
 * Return: 0 or -errno.
 */
int ckpt_msg_write(struct ckpt_ctx *ctx, const struct ckpt_kind *kind,
		   ckpt_ref_t ref, const struct ckpt_msg_batch *batch)
{
	const struct ckpt_mqueue_msg *rec;
	size_t at;
	int ret;

	for (at = 0; at < batch->used;
	     at += sizeof(*rec) + ALIGN(rec->piece.len, 8)) {
		rec = (const void *)batch->data + at;
		ret = ckpt_write_tail(ctx, kind, ref, rec, sizeof(*rec),
				      rec->text, rec->piece.len);
		if (ret)
			return ret;
	}
	return 0;
}

/**
 * ckpt_msg_check() - judge a message, or a piece of one
 * @ctx: the restart
 * @rec: its record
 * @max_type: the highest type or priority
 * @max_size: the longest message
 *
 * Return: 0 or -EINVAL, noted as a reason.
 */
int ckpt_msg_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec, u64 max_type,
		   u64 max_size)
{
	struct ckpt_msg_piece *p = ckpt_payload(rec, struct ckpt_msg_piece);

	if (p->type > max_type || p->size > max_size ||
	    p->pad || p->len != ckpt_tail_len(rec, sizeof(*p)) ||
	    p->offset > p->size || p->len > p->size - p->offset ||
	    (!p->len && p->size))
		return ckpt_refuse(ctx, -EINVAL, "bad message in a queue");
	return 0;
}

/**
 * ckpt_msg_fill() - take a piece of a message
 * @ctx: the restart
 * @live: the messages of a queue
 * @rec: the piece
 * @done: is set to the message, which belongs to the caller, when it is
 *	complete, else to NULL
 *
 * Return: 0 or -errno, noted as a reason.
 */
int ckpt_msg_fill(struct ckpt_ctx *ctx, struct ckpt_msg_live *live,
		  const struct ckpt_rec *rec, struct msg_msg **done)
{
	const struct ckpt_mqueue_msg *m = ckpt_payload(rec, struct ckpt_mqueue_msg);
	const struct ckpt_msg_piece *p = &m->piece;
	struct msg_msg *msg = live->msg;
	int ret;

	*done = NULL;
	if (!msg && live->left && !p->offset) {
		msg = alloc_msg(p->size);
		if (!msg)
			return -ENOMEM;
		msg->m_type = p->type;
		msg->m_ts = p->size;
		live->msg = msg;
		live->filled = 0;
		live->left--;
		ret = security_msg_msg_alloc(msg);
		if (ret)
			return ckpt_refuse(ctx, ret,
					   "a security module forbids a message");
	}
	if (!msg || p->offset != live->filled || p->size != msg->m_ts ||
	    p->type != msg->m_type)
		return ckpt_refuse(ctx, -EINVAL,
				   "messages of a queue that do not fit together");
	text_copy(msg, p->offset, NULL, m->text, p->len);
	live->filled += p->len;
	if (live->filled == msg->m_ts) {
		live->msg = NULL;
		*done = msg;
	}
	return 0;
}
