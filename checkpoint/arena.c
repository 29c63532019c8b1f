// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that lives as long as an operation: the metadata of an image is very
 * many small records, which come one by one and go all at once. So they are
 * cut from chunks.
 */

#include <linux/overflow.h>
#include <linux/slab.h>

#include "internal.h"

/* What kmalloc() has without much ado. */
#define CHUNK_SIZE	SZ_32K
/* What is bigger is alone in a chunk: little is left over at the end of one. */
#define BIG		(CHUNK_SIZE / 8)

/**
 * struct ckpt_chunk - memory for many, or for a big one
 * @next: in ckpt_ctx.chunks
 * @data: what it is for
 */
struct ckpt_chunk {
	struct ckpt_chunk *next;
	u8 data[] __aligned(8);
};

static void *add_chunk(struct ckpt_ctx *ctx, size_t len)
{
	struct ckpt_chunk *chunk;

	chunk = kvmalloc(struct_size(chunk, data, len), GFP_KERNEL_ACCOUNT);
	if (!chunk)
		return NULL;
	chunk->next = ctx->chunks;
	ctx->chunks = chunk;
	return chunk->data;
}

/**
 * ckpt_alloc() - get memory that goes away with the context
 * @ctx: the context
 * @len: bytes, more than 0
 *
 * Return: memory for whatever needs no more than an alignment of 8, which is
 * not zeroed and which nobody frees, or NULL.
 */
void *ckpt_alloc(struct ckpt_ctx *ctx, size_t len)
{
	void *res;

	/* KASAN shall see who looks behind the end of his. */
	if (len > BIG || IS_ENABLED(CONFIG_KASAN))
		return add_chunk(ctx, len);

	len = ALIGN(len, 8);
	if (len > ctx->room_left) {
		res = add_chunk(ctx, CHUNK_SIZE - sizeof(struct ckpt_chunk));
		if (!res)
			return NULL;
		ctx->room = res;
		ctx->room_left = CHUNK_SIZE - sizeof(struct ckpt_chunk);
	}
	res = ctx->room;
	ctx->room += len;
	ctx->room_left -= len;
	return res;
}

/**
 * ckpt_zalloc() - get zeroed memory that goes away with the context
 * @ctx: the context
 * @len: bytes, more than 0
 *
 * Return: as ckpt_alloc().
 */
void *ckpt_zalloc(struct ckpt_ctx *ctx, size_t len)
{
	void *res = ckpt_alloc(ctx, len);

	return res ? memset(res, 0, len) : NULL;
}

/**
 * ckpt_alloc_destroy() - give back all the memory
 * @ctx: the context; nobody uses any of it any more
 */
void ckpt_alloc_destroy(struct ckpt_ctx *ctx)
{
	struct ckpt_chunk *chunk;

	while (ctx->chunks) {
		chunk = ctx->chunks;
		ctx->chunks = chunk->next;
		kvfree(chunk);
	}
	ctx->room_left = 0;
}
