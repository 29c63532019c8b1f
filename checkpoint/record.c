// SPDX-License-Identifier: GPL-2.0
/*
 * Records on top of a store: framing, bounds, checksums; and the kinds that
 * frame an image.
 */

#include <crypto/hash.h>
#include <linux/crc32c.h>
#include <linux/elf.h>
#include <linux/init.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/uio.h>

#include "internal.h"

static_assert(sizeof(struct ckpt_rec_hdr) == 24);
static_assert(sizeof(struct ckpt_header) % 8 == 0);

static const u8 zeros[8];

#ifdef CONFIG_CHECKPOINT_SKIP_CHECKSUM
int ckpt_skip_checksum __read_mostly;

static bool skip_checksum(void)
{
	return READ_ONCE(ckpt_skip_checksum);
}
#else
static bool skip_checksum(void)
{
	return false;
}
#endif

/* NULL: crc32c() will do. */
static struct crypto_shash *crc32c_tfm __ro_after_init;

static int __init crc32c_init(void)
{
	struct crypto_shash *tfm = crypto_alloc_shash("crc32c", 0, 0);

	if (!IS_ERR(tfm) && crypto_shash_descsize(tfm) == sizeof(u32))
		crc32c_tfm = tfm;
	else if (!IS_ERR(tfm))
		crypto_free_shash(tfm);
	return 0;
}
late_initcall(crc32c_init);

/*
 * crc32c() takes as long for its room on the stack, which is for any hash and
 * which a hardened kernel clears, as for a small record.
 */
static u32 sum(u32 crc, const void *buf, size_t len)
{
	u8 room[sizeof(struct shash_desc) + sizeof(crc)]
		__aligned(__alignof__(struct shash_desc));
	struct shash_desc *desc = (struct shash_desc *)room;
	u32 *state = shash_desc_ctx(desc);

	if (!crc32c_tfm)
		return crc32c(crc, buf, len);
	desc->tfm = crc32c_tfm;
	*state = crc;
	/* Who has no key and takes all lengths cannot fail. */
	WARN_ON_ONCE(crypto_shash_update(desc, buf, len));
	return *state;
}

static unsigned int rec_pad(u64 len)
{
	return -len & 7;
}

/* What is written can be read again: the same bounds hold for both. */
static int count_meta(struct ckpt_ctx *ctx, const struct ckpt_kind *kind,
		      u64 len)
{
	size_t room = max_t(size_t, len, kind->len);

	if (kind->family == CKPT_FAMILY_FRAME)
		return 0;
	if (ctx->nr_records >= CKPT_MAX_RECORDS ||
	    ctx->meta_bytes + room > CKPT_MAX_META)
		return ckpt_refuse(ctx, -E2BIG,
				   "too much metadata: an image holds %u records, %u MiB of them",
				   CKPT_MAX_RECORDS, CKPT_MAX_META >> 20);
	ctx->meta_bytes += room;
	return 0;
}

/* In one piece, so that there is one checksum to begin and to end. */
static void put_in_place(u8 *at, const struct ckpt_rec_hdr *hdr,
			 const struct kvec *parts, unsigned int nr)
{
	struct ckpt_rec_hdr *put = (struct ckpt_rec_hdr *)at;
	u8 *to = at + sizeof(*hdr);
	unsigned int i;

	*put = *hdr;
	for (i = 0; i < nr; i++) {
		memcpy(to, parts[i].iov_base, parts[i].iov_len);
		to += parts[i].iov_len;
	}
	memset(to, 0, rec_pad(hdr->len));
	to += rec_pad(hdr->len);
	put->crc32c = ~sum(~0, at, to - at);
}

static int put_parts(struct ckpt_store *store, struct ckpt_rec_hdr *hdr,
		     const struct kvec *parts, unsigned int nr)
{
	unsigned int i;
	u32 crc;
	int ret;

	crc = sum(~0, hdr, sizeof(*hdr));
	for (i = 0; i < nr; i++)
		crc = sum(crc, parts[i].iov_base, parts[i].iov_len);
	hdr->crc32c = ~sum(crc, zeros, rec_pad(hdr->len));

	ret = store->ops->write(store, hdr, sizeof(*hdr));
	for (i = 0; i < nr && !ret; i++)
		ret = store->ops->write(store, parts[i].iov_base,
					parts[i].iov_len);
	return ret ?: store->ops->write(store, zeros, rec_pad(hdr->len));
}

static int put_rec(struct ckpt_ctx *ctx, const struct ckpt_kind *kind,
		   ckpt_ref_t ref, const struct kvec *parts, unsigned int nr)
{
	struct ckpt_store *store = ctx->store;
	struct ckpt_rec_hdr hdr = {
		.type = kind->type,
		.version = kind->version,
		.objref = ref,
	};
	unsigned int i;
	void *at;
	int ret;

	for (i = 0; i < nr; i++)
		hdr.len += parts[i].iov_len;
	if (hdr.len < kind->min_len || hdr.len > kind->max_len)
		return ckpt_refuse(ctx, -E2BIG,
				   "a record of %llu bytes, not %u to %u",
				   hdr.len, kind->min_len, kind->max_len);
	ret = count_meta(ctx, kind, hdr.len);
	if (ret)
		return ret;

	at = store->ops->reserve(store,
				 sizeof(hdr) + hdr.len + rec_pad(hdr.len));
	if (IS_ERR(at))
		ret = PTR_ERR(at);
	else if (at)
		put_in_place(at, &hdr, parts, nr);
	else
		ret = put_parts(store, &hdr, parts, nr);
	if (ret)
		store->broken = true;
	else
		ctx->nr_records++;
	return ret;
}

/**
 * ckpt_write() - append a record
 * @ctx: the checkpoint
 * @kind: its row, which gives type and version
 * @ref: the object that it defines or belongs to
 * @payload: the payload, in the form of the image
 * @len: its bytes
 *
 * Return: 0, -E2BIG when the length is not within the bounds of the kind,
 * -errno of the store.
 */
int ckpt_write(struct ckpt_ctx *ctx, const struct ckpt_kind *kind,
	       ckpt_ref_t ref, const void *payload, size_t len)
{
	struct kvec part = { (void *)payload, len };

	return put_rec(ctx, kind, ref, &part, 1);
}

/**
 * ckpt_write_tail() - append a record that ends in a flexible array
 * @ctx: the checkpoint
 * @kind: its row
 * @ref: the object that it defines or belongs to
 * @payload: the fixed part
 * @len: its bytes
 * @tail: the elements of the flexible array
 * @tail_len: their bytes
 *
 * Return: as ckpt_write().
 */
int ckpt_write_tail(struct ckpt_ctx *ctx, const struct ckpt_kind *kind,
		    ckpt_ref_t ref, const void *payload, size_t len,
		    const void *tail, size_t tail_len)
{
	struct kvec parts[] = {
		{ (void *)payload, len },
		{ (void *)tail, tail_len },
	};

	return put_rec(ctx, kind, ref, parts, ARRAY_SIZE(parts));
}

/**
 * ckpt_write_pages() - append page contents
 * @ctx: the checkpoint
 * @ref: the MM, SHMEM or INODE that they belong to
 * @extents: where they belong, ascending
 * @nr_extents: at least 1
 * @bv: the pages, in the order of @extents; whole pages, an element may hold
 *	several contiguous ones
 * @nr_bv: elements of @bv; all the pages together are at most CKPT_MAX_BATCH
 *
 * Return: 0 or -errno.
 */
int ckpt_write_pages(struct ckpt_ctx *ctx, ckpt_ref_t ref,
		     const struct ckpt_extent *extents, unsigned int nr_extents,
		     const struct bio_vec *bv, unsigned int nr_bv)
{
	struct ckpt_store *store = ctx->store;
	struct ckpt_pages pages = { .nr_extents = nr_extents };
	unsigned int i;
	int ret;

	for (i = 0; i < nr_extents; i++)
		pages.nr_pages += extents[i].nr_pages;

	ret = ckpt_write_tail(ctx, &ckpt_kind_pages, ref, &pages, sizeof(pages),
			      extents, nr_extents * sizeof(*extents));
	if (ret)
		return ret;

	ret = store->ops->write(store, empty_zero_page,
				-store->pos & ~PAGE_MASK);
	if (!ret)
		ret = store->ops->write_pages(store, bv, nr_bv,
					      (size_t)pages.nr_pages <<
					      PAGE_SHIFT);
	if (ret)
		store->broken = true;
	else
		ctx->nr_pages += pages.nr_pages;
	return ret;
}

/* Read @len bytes that must be zero. */
static int read_zeros(struct ckpt_ctx *ctx, size_t len)
{
	u8 buf[64];
	size_t n;
	int ret;

	for (; len; len -= n) {
		n = min(len, sizeof(buf));
		ret = ctx->store->ops->read(ctx->store, buf, n);
		if (ret)
			return ret;
		if (memchr_inv(buf, 0, n))
			return ckpt_refuse(ctx, -EINVAL,
					   "padding that is not zero");
	}
	return 0;
}

/**
 * ckpt_read_align() - go over the padding in front of page contents
 * @ctx: the restart
 *
 * Return: 0 or -errno; -EINVAL when the padding is not zero.
 */
int ckpt_read_align(struct ckpt_ctx *ctx)
{
	return read_zeros(ctx, -ctx->store->pos & ~PAGE_MASK);
}

/* A record that this kernel need not know. */
static int skip_rec(struct ckpt_ctx *ctx, const struct ckpt_rec_hdr *hdr)
{
	u64 left = hdr->len + rec_pad(hdr->len);
	u8 buf[256];
	size_t n;
	int ret;

	/* Counted as if it were kept, so that there is an end to it. */
	ctx->meta_bytes += left;
	if (ctx->meta_bytes > CKPT_MAX_META)
		return ckpt_refuse(ctx, -E2BIG, "too much metadata");

	for (; left; left -= n) {
		n = min_t(u64, left, sizeof(buf));
		ret = ctx->store->ops->read(ctx->store, buf, n);
		if (ret)
			return ret;
	}
	ctx->nr_records++;
	return 0;
}

static int check_hdr(struct ckpt_ctx *ctx, const struct ckpt_rec_hdr *hdr,
		     const struct ckpt_kind *kind)
{
	if (hdr->flags & ~CKPT_RECF_OPTIONAL)
		return ckpt_refuse(ctx, -EINVAL, "unknown record flags 0x%x",
				   hdr->flags);
	if (hdr->len > CKPT_MAX_RECORD)
		return ckpt_refuse(ctx, -EINVAL, "a record of %llu bytes",
				   hdr->len);
	if (!kind) {
		if (hdr->flags & CKPT_RECF_OPTIONAL)
			return 0;
		return ckpt_refuse(ctx, -EINVAL, "unknown record type 0x%x",
				   hdr->type);
	}
	if (kind->refuse)
		return ckpt_refuse(ctx, -EOPNOTSUPP, "%s", kind->refuse);
	if (ctx->meta_done && kind->family != CKPT_FAMILY_FRAME)
		return ckpt_refuse(ctx, -EINVAL,
				   "metadata among page contents");
	if (hdr->version < kind->min_version || hdr->version > kind->version)
		return ckpt_refuse(ctx, -EINVAL, "version %u, known are %u to %u",
				   hdr->version, kind->min_version,
				   kind->version);
	if (hdr->len < kind->min_len || hdr->len > kind->max_len)
		return ckpt_refuse(ctx, -EINVAL,
				   "a record of %llu bytes, not %u to %u",
				   hdr->len, kind->min_len, kind->max_len);
	return 0;
}

/* The padding that was read is zero, and still there. */
static int check_crc(struct ckpt_ctx *ctx, const struct ckpt_rec *rec, u32 want)
{
	u32 crc;

	static_assert(offsetof(struct ckpt_rec, payload) ==
		      offsetofend(struct ckpt_rec, hdr));

	crc = ~sum(~0, &rec->hdr, sizeof(rec->hdr) + ALIGN(rec->len, 8));
	if (crc == want || skip_checksum())
		return 0;
	return ckpt_refuse(ctx, -EINVAL, "checksum 0x%08x, not 0x%08x", crc,
			   want);
}

/* Whoever is done with it leaves it alone, see struct ckpt_rec. */
static struct ckpt_rec *alloc_rec(struct ckpt_ctx *ctx, size_t room)
{
	size_t size = struct_size_t(struct ckpt_rec, payload, room);

	if (!ctx->meta_done)
		return ckpt_alloc(ctx, size);
	kvfree(ctx->frame);
	ctx->frame = kvmalloc(size, GFP_KERNEL_ACCOUNT);
	return ctx->frame;
}

/*
 * The payload with its padding, at once, and with the header if that was only
 * looked at; judged is the copy.
 */
static int read_payload(struct ckpt_ctx *ctx, struct ckpt_rec *rec, size_t room,
			bool peeked)
{
	struct ckpt_store *store = ctx->store;
	size_t len = ALIGN(rec->len, 8);
	u32 crc = rec->hdr.crc32c;
	int ret;

	if (peeked)
		ret = store->ops->read(store, &rec->hdr,
				       sizeof(rec->hdr) + len);
	else
		ret = store->ops->read(store, rec->payload, len);
	if (ret)
		return ret;
	if (len > rec->len &&
	    memchr_inv(rec->payload + rec->len, 0, len - rec->len))
		return ckpt_refuse(ctx, -EINVAL, "padding that is not zero");
	if (room > len)
		memset(rec->payload + len, 0, room - len);
	rec->hdr.crc32c = 0;
	return check_crc(ctx, rec, crc);
}

/**
 * ckpt_read_rec() - read and check the next record
 * @ctx: the restart
 *
 * Everything that does not depend on what the record means is checked here:
 * type, version, length, padding, checksum, a zero tail behind the struct of
 * today, no second record of a single kind, objects defined in order and
 * before their use, the type of the owner. Then the kind's check() judges it.
 *
 * Return: the record, which the context frees, or an ERR_PTR().
 */
struct ckpt_rec *ckpt_read_rec(struct ckpt_ctx *ctx)
{
	struct ckpt_store *store = ctx->store;
	const struct ckpt_kind *kind;
	struct ckpt_rec *rec;
	struct ckpt_rec_hdr hdr;
	struct ckpt_obj *obj;
	const void *next;
	size_t room;
	u32 owner;
	int ret;

	for (;;) {
		ctx->where.kind = NULL;
		ctx->where.rec_pos = store->pos;
		ret = 0;
		next = store->ops->peek(store, sizeof(hdr));
		if (next)
			memcpy(&hdr, next, sizeof(hdr));
		else
			ret = store->ops->read(store, &hdr, sizeof(hdr));
		if (ret)
			goto err;
		kind = ckpt_kind_of_type(hdr.type);
		ctx->where.kind = kind ? kind->name : NULL;
		ret = check_hdr(ctx, &hdr, kind);
		if (ret)
			goto err;
		if (kind)
			break;
		ret = ctx->nr_records < CKPT_MAX_RECORDS ? 0 :
			ckpt_refuse(ctx, -E2BIG, "too much metadata");
		if (ret)
			goto err;
		if (next)
			ret = store->ops->read(store, &hdr, sizeof(hdr));
		if (!ret)
			ret = skip_rec(ctx, &hdr);
		if (!ret && fatal_signal_pending(current))
			ret = -EINTR;
		if (ret)
			goto err;
		cond_resched();
	}

	ret = count_meta(ctx, kind, hdr.len);
	if (ret)
		goto err;
	room = max_t(size_t, ALIGN(hdr.len, 8), kind->len);
	rec = alloc_rec(ctx, room);
	if (!rec) {
		ret = -ENOMEM;
		goto err;
	}
	rec->kind = kind;
	rec->type = hdr.type;
	rec->version = hdr.version;
	rec->objref = hdr.objref;
	rec->len = hdr.len;
	rec->pos = ctx->where.rec_pos;
	rec->hdr = hdr;
	ret = read_payload(ctx, rec, room, next);
	if (ret)
		goto err;

	if (!kind->tail && hdr.len > kind->len &&
	    memchr_inv(rec->payload + kind->len, 0, hdr.len - kind->len)) {
		ret = ckpt_refuse(ctx, -EINVAL,
				  "bytes behind the end of what is known");
		goto err;
	}

	if (kind->object) {
		if (hdr.objref != ctx->nr_objs + 1) {
			ret = ckpt_refuse(ctx, -EINVAL,
					  "object %u where %u is due",
					  hdr.objref, ctx->nr_objs + 1);
			goto err;
		}
	} else if (kind->family == CKPT_FAMILY_FRAME) {
		if (hdr.objref && kind != &ckpt_kind_pages) {
			ret = ckpt_refuse(ctx, -EINVAL, "belongs to no object");
			goto err;
		}
	} else {
		owner = kind->owner ?:
			kind->family == CKPT_FAMILY_VMA ? CKPT_REC_MM :
							  CKPT_REC_TASK;
		if (!ckpt_ref_is_type(ctx, hdr.objref, owner)) {
			ret = ckpt_refuse(ctx, -EINVAL,
					  "object %u cannot be its owner",
					  hdr.objref);
			goto err;
		}
	}

	if (kind->check) {
		ret = kind->check(ctx, rec);
		if (ret) {
			if (!ctx->nr_reasons)
				ckpt_refuse(ctx, ret, "a bad record");
			goto err;
		}
	}

	if (kind->object) {
		ret = ckpt_obj_define(ctx, rec);
		if (ret)
			goto err;
		if (kind == &ckpt_kind_task)
			ctx->nr_tasks++;
	}
	if (kind->family != CKPT_FAMILY_FRAME) {
		obj = ckpt_obj_get(ctx, rec->objref);
		if (kind->single && __test_and_set_bit(kind->type, obj->singles)) {
			ret = ckpt_refuse(ctx, -EINVAL, "a second such record");
			goto err;
		}
		list_add_tail(&rec->own, &obj->recs);
	}
	ctx->nr_records++;
	return rec;

err:
	return ERR_PTR(ret);
}

/* --- the kinds of the frame ------------------------------------------------ */

static int header_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_header *h = ckpt_payload(rec, struct ckpt_header);

	if (ctx->nr_records)
		return ckpt_refuse(ctx, -EINVAL, "a second header");
	if (h->image_version != CKPT_IMAGE_VERSION)
		return ckpt_refuse(ctx, -EINVAL,
				   "image version %u, this kernel reads %u",
				   h->image_version, CKPT_IMAGE_VERSION);
	if (h->machine != EM_X86_64)
		return ckpt_refuse(ctx, -EINVAL,
				   "an image of machine %u, this is x86-64 (%u)",
				   h->machine, EM_X86_64);
	if (h->page_size != PAGE_SIZE)
		return ckpt_refuse(ctx, -EINVAL, "pages of %u bytes, here %lu",
				   h->page_size, PAGE_SIZE);
	if (h->incompat & ~CKPT_INCOMPAT_KNOWN)
		return ckpt_refuse(ctx, -EINVAL,
				   "needs features that this kernel has not: 0x%llx",
				   h->incompat & ~CKPT_INCOMPAT_KNOWN);
	if (h->nsig != _NSIG)
		return ckpt_refuse(ctx, -EINVAL, "%u signals, here %u", h->nsig,
				   _NSIG);
	if (h->task_size != TASK_SIZE_MAX)
		return ckpt_refuse(ctx, -EINVAL,
				   "address spaces end at 0x%llx, here at 0x%lx",
				   h->task_size, TASK_SIZE_MAX);
	if (!memchr(h->release, 0, sizeof(h->release)) ||
	    !memchr(h->version, 0, sizeof(h->version)))
		return ckpt_refuse(ctx, -EINVAL, "a string without an end");
	if (memchr_inv(h->pad, 0, sizeof(h->pad)))
		return ckpt_refuse(ctx, -EINVAL, "padding that is not zero");
	return 0;
}

static int meta_end_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_meta_end *end = ckpt_payload(rec, struct ckpt_meta_end);

	if (end->nr_records != ctx->nr_records ||
	    end->nr_objects != ctx->nr_objs || end->nr_tasks != ctx->nr_tasks)
		return ckpt_refuse(ctx, -EINVAL,
				   "%llu records, %u objects, %u tasks, but %llu, %u, %u were read",
				   end->nr_records, end->nr_objects,
				   end->nr_tasks, ctx->nr_records,
				   ctx->nr_objs, ctx->nr_tasks);
	return 0;
}

static int pages_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_pages *p = ckpt_payload(rec, struct ckpt_pages);
	u32 tail = ckpt_tail_len(rec, sizeof(*p));
	u64 sum = 0;
	u32 i;

	if (!p->nr_extents || p->nr_extents > CKPT_MAX_BATCH ||
	    tail != p->nr_extents * sizeof(p->extents[0]))
		return ckpt_refuse(ctx, -EINVAL,
				   "%u extents do not fit the record",
				   p->nr_extents);
	for (i = 0; i < p->nr_extents; i++) {
		struct ckpt_extent *e = &p->extents[i];

		if (!e->nr_pages || e->start & ~PAGE_MASK ||
		    e->flags & ~CKPT_EXTENT_HUGE || e->start >= S64_MAX ||
		    e->nr_pages > CKPT_MAX_BATCH)
			return ckpt_refuse(ctx, -EINVAL,
					   "bad extent: %u pages at 0x%llx, flags 0x%x",
					   e->nr_pages, e->start, e->flags);
		sum += e->nr_pages;
	}
	if (sum != p->nr_pages || sum > CKPT_MAX_BATCH)
		return ckpt_refuse(ctx, -EINVAL,
				   "%u pages, but %llu in the extents",
				   p->nr_pages, sum);
	return 0;
}

static int end_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_end *end = ckpt_payload(rec, struct ckpt_end);

	if (end->nr_records != ctx->nr_records ||
	    end->nr_pages != ctx->nr_pages)
		return ckpt_refuse(ctx, -EINVAL,
				   "%llu records and %llu pages, but %llu and %llu were read",
				   end->nr_records, end->nr_pages,
				   ctx->nr_records, ctx->nr_pages);
	return 0;
}

static int error_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_error *error = ckpt_payload(rec, struct ckpt_error);

	return ckpt_refuse(ctx, -EINVAL,
			   "the checkpoint failed here with errno %d: %.*s",
			   error->error,
			   (int)min(ckpt_tail_len(rec, sizeof(*error)), 256),
			   error->reason);
}

const struct ckpt_kind ckpt_kind_header = {
	.name = "header",
	.family = CKPT_FAMILY_FRAME,
	.type = CKPT_REC_HEADER,
	.version = 1,
	.min_version = 1,
	CKPT_PAYLOAD(struct ckpt_header),
	.check = header_check,
};

const struct ckpt_kind ckpt_kind_meta_end = {
	.name = "meta_end",
	.family = CKPT_FAMILY_FRAME,
	.type = CKPT_REC_META_END,
	.version = 1,
	.min_version = 1,
	CKPT_PAYLOAD(struct ckpt_meta_end),
	.check = meta_end_check,
};

const struct ckpt_kind ckpt_kind_pages = {
	.name = "pages",
	.family = CKPT_FAMILY_FRAME,
	.type = CKPT_REC_PAGES,
	.version = 1,
	.min_version = 1,
	CKPT_PAYLOAD_TAIL(struct ckpt_pages,
			  CKPT_MAX_BATCH * sizeof(struct ckpt_extent)),
	.check = pages_check,
};

const struct ckpt_kind ckpt_kind_end = {
	.name = "end",
	.family = CKPT_FAMILY_FRAME,
	.type = CKPT_REC_END,
	.version = 1,
	.min_version = 1,
	CKPT_PAYLOAD(struct ckpt_end),
	.check = end_check,
};

const struct ckpt_kind ckpt_kind_error = {
	.name = "error",
	.family = CKPT_FAMILY_FRAME,
	.type = CKPT_REC_ERROR,
	.version = 1,
	.min_version = 1,
	CKPT_PAYLOAD_TAIL(struct ckpt_error, CKPT_MAX_REASON),
	.check = error_check,
};
