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

static struct ckpt_msg_pos text_seek(const struct msg_msg *msg, size_t offset)
{
	struct ckpt_msg_pos pos = { .at = offset };

	if (offset <= DATALEN_MSG)
		return pos;
	offset -= DATALEN_MSG;
	for (pos.seg = msg->next; offset > DATALEN_SEG;
	     pos.seg = pos.seg->next)
		offset -= DATALEN_SEG;
	pos.at = offset;
	return pos;
}

/* One of @to and @from is NULL: that is the message. */
static void text_copy(struct msg_msg *msg, struct ckpt_msg_pos *pos,
		      void *to, const void *from, size_t len)
{
	size_t n;
	u8 *text;

	while (len) {
		text = pos->seg ? (u8 *)(pos->seg + 1) : (u8 *)(msg + 1);
		n = (pos->seg ? DATALEN_SEG : DATALEN_MSG) - pos->at;
		if (!n) {
			pos->seg = pos->seg ? pos->seg->next : msg->next;
			pos->at = 0;
			continue;
		}
		n = min(n, len);
		if (to) {
			memcpy(to, text + pos->at, n);
			to += n;
		} else {
			memcpy(text + pos->at, from, n);
			from += n;
		}
		pos->at += n;
		len -= n;
	}
}

/**
 * ckpt_msg_batch_alloc() - make room for the messages of a queue
 * @nr: how many there are
 * @bytes: of text in all
 *
 * Return: an empty batch for some or all of them, for kvfree(), or NULL.
 */
struct ckpt_msg_batch *ckpt_msg_batch_alloc(u64 nr, u64 bytes)
{
	struct ckpt_msg_batch *batch;
	u64 size;

	/* What a little piece needs, see ckpt_msg_add(), and padding. */
	nr = min_t(u64, nr, CKPT_MSG_BATCH) + 1;
	size = min_t(u64, bytes, CKPT_MSG_BATCH) +
	       nr * (sizeof(struct ckpt_mqueue_msg) + SZ_128 + 8);
	size = min_t(u64, size, CKPT_MSG_BATCH);
	batch = kvmalloc(struct_size(batch, data, size), GFP_KERNEL);
	if (batch)
		*batch = (struct ckpt_msg_batch) { .size = size };
	return batch;
}

/**
 * ckpt_msg_add() - put a message into a batch, as far as there is room
 * @batch: where to
 * @msg: the message batch->nth, its queue is locked
 *
 * Return: false when the batch is full.
 */
bool ckpt_msg_add(struct ckpt_msg_batch *batch, struct msg_msg *msg)
{
	struct ckpt_msg_pos pos = text_seek(msg, batch->offset);
	struct ckpt_mqueue_msg *rec;
	size_t room, len;

	do {
		room = batch->size - batch->used;
		/* A little piece is not worth it. */
		if (room < sizeof(*rec) + SZ_128)
			return false;
		rec = (void *)batch->data + batch->used;
		len = min3(msg->m_ts - batch->offset,
			   round_down(room - sizeof(*rec), 8),
			   (size_t)CKPT_MSG_CHUNK);
		rec->piece = (struct ckpt_msg_piece) {
			.type = msg->m_type,
			.size = msg->m_ts,
			.offset = batch->offset,
			.len = len,
		};
		text_copy(msg, &pos, rec->text, NULL, len);
		memset(rec->text + len, 0, ALIGN(len, 8) - len);
		batch->used += sizeof(*rec) + ALIGN(len, 8);
		batch->offset += len;
	} while (batch->offset < msg->m_ts);
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
		live->pos = (struct ckpt_msg_pos) { };
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
	text_copy(msg, &live->pos, NULL, m->text, p->len);
	live->filled += p->len;
	if (live->filled == msg->m_ts) {
		live->msg = NULL;
		*done = msg;
	}
	return 0;
}
