// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of records, of the object hash and of the table of kinds.
 */

#include <kunit/test.h>
#include <linux/crc32c.h>
#include <linux/slab.h>

#include "test.h"

/* --- a store in memory ---------------------------------------------------- */

#define TEST_STORE_SIZE SZ_64K

struct test_store {
	struct ckpt_store store;
	size_t len;		/* bytes written */
	size_t fail_at;		/* writing beyond this fails with -ENOSPC */
	bool no_place;		/* nothing is reserved */
	u8 *buf;
};

static void *test_reserve(struct ckpt_store *store, size_t len)
{
	struct test_store *t = container_of(store, struct test_store, store);

	if (t->no_place)
		return NULL;
	if (t->len + len > t->fail_at)
		return ERR_PTR(-ENOSPC);
	t->len += len;
	store->pos += len;
	return t->buf + t->len - len;
}

static int test_write(struct ckpt_store *store, const void *buf, size_t len)
{
	struct test_store *t = container_of(store, struct test_store, store);

	if (t->len + len > t->fail_at)
		return -ENOSPC;
	memcpy(t->buf + t->len, buf, len);
	t->len += len;
	store->pos += len;
	return 0;
}

static int test_read(struct ckpt_store *store, void *buf, size_t len)
{
	struct test_store *t = container_of(store, struct test_store, store);

	if (store->pos + len > t->len)
		return -EPIPE;
	memcpy(buf, t->buf + store->pos, len);
	store->pos += len;
	return 0;
}

/* Now and then it is at hand. */
static const void *test_peek(struct ckpt_store *store, size_t len)
{
	struct test_store *t = container_of(store, struct test_store, store);

	if (store->pos / 8 % 2 || store->pos + len > t->len)
		return NULL;
	return t->buf + store->pos;
}

static int test_write_pages(struct ckpt_store *store, const struct bio_vec *bv,
			    unsigned int nr, size_t len)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < nr && !ret; i++)
		ret = test_write(store, bvec_virt((struct bio_vec *)&bv[i]), bv[i].bv_len);
	return ret;
}

static void test_put(struct ckpt_store *store)
{
}

static const struct ckpt_store_ops test_store_ops = {
	.reserve = test_reserve,
	.write = test_write,
	.write_pages = test_write_pages,
	.peek = test_peek,
	.read = test_read,
	.put = test_put,
};

struct core_test {
	struct ckpt_ctx *ctx;
	struct test_store t;
};

static int core_init(struct kunit *test)
{
	struct core_test *c = kunit_kzalloc(test, sizeof(*c), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, c);
	c->t.buf = kunit_kzalloc(test, TEST_STORE_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, c->t.buf);
	c->t.fail_at = TEST_STORE_SIZE;
	c->t.store.ops = &test_store_ops;
	c->ctx = test_ctx_alloc(test);
	c->ctx->store = &c->t.store;
	test->priv = c;
	return 0;
}

static void core_exit(struct kunit *test)
{
	struct core_test *c = test->priv;

	if (c && c->ctx)
		ckpt_ctx_free(c->ctx);
}

static bool logged(struct core_test *c, const char *text)
{
	return test_logged(c->ctx, text);
}

/* From writing to reading. */
static void rewind_store(struct core_test *c)
{
	c->t.store.pos = 0;
	c->ctx->nr_records = 0;
	c->ctx->nr_pages = 0;
}

static void write_header(struct kunit *test)
{
	struct core_test *c = test->priv;
	struct ckpt_header h = {
		.image_version = CKPT_IMAGE_VERSION,
		.machine = 62,
		.page_size = PAGE_SIZE,
		.nsig = _NSIG,
		.task_size = TASK_SIZE_MAX,
	};

	KUNIT_ASSERT_EQ(test, 0, ckpt_write(c->ctx, &ckpt_kind_header, 0, &h,
					    sizeof(h)));
}

/* Mend the checksum of the record at @pos after the test has changed it. */
static void mend(struct core_test *c, size_t pos)
{
	struct ckpt_rec_hdr *hdr = (void *)(c->t.buf + pos);

	hdr->crc32c = 0;
	hdr->crc32c = ~crc32c(~0, hdr, sizeof(*hdr) + ALIGN(hdr->len, 8));
}

static void expect_error(struct kunit *test, int error, const char *reason)
{
	struct core_test *c = test->priv;
	struct ckpt_rec *rec;

	rewind_store(c);
	rec = ckpt_read_rec(c->ctx);
	KUNIT_EXPECT_EQ(test, error, PTR_ERR_OR_ZERO(rec));
	if (reason)
		KUNIT_EXPECT_TRUE_MSG(test, logged(c, reason), "%.*s",
				      (int)c->ctx->log_len, c->ctx->log);
}

/* --- records --------------------------------------------------------------- */

static void record_round_trip(struct kunit *test)
{
	struct core_test *c = test->priv;
	struct ckpt_header *h;
	struct ckpt_rec *rec;

	write_header(test);
	KUNIT_EXPECT_EQ(test, 0, c->t.len % 8);
	KUNIT_EXPECT_EQ(test, 0, memcmp(c->t.buf, "CKPT", 4));

	rewind_store(c);
	rec = ckpt_read_rec(c->ctx);
	KUNIT_ASSERT_FALSE(test, IS_ERR(rec));
	h = ckpt_payload(rec, struct ckpt_header);
	KUNIT_EXPECT_EQ(test, CKPT_REC_HEADER, rec->type);
	KUNIT_EXPECT_EQ(test, sizeof(*h), rec->len);
	KUNIT_EXPECT_EQ(test, PAGE_SIZE, h->page_size);
	KUNIT_EXPECT_EQ(test, 1, c->ctx->nr_records);
	KUNIT_EXPECT_EQ(test, -EPIPE, PTR_ERR(ckpt_read_rec(c->ctx)));
}

/* Whatever way a record goes into the store, the bytes are the same. */
static void record_in_parts(struct kunit *test)
{
	struct core_test *c = test->priv;
	struct ckpt_error error = { .error = EIO };
	u8 *whole, tail[13];
	size_t len, full;
	int i;

	memset(tail, 0x5a, sizeof(tail));
	whole = kunit_kzalloc(test, SZ_1K, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, whole);
	for (len = 0; len <= sizeof(tail); len++) {
		for (i = 0; i < 2; i++) {
			memset(c->t.buf, 0xff, SZ_1K);
			c->t.len = 0;
			c->t.store.pos = 0;
			c->t.no_place = i;
			KUNIT_ASSERT_EQ(test, 0, ckpt_write_tail(c->ctx, &ckpt_kind_error, 7,
								 &error, sizeof(error),
								 tail, len));
			if (i)
				break;
			full = c->t.len;
			memcpy(whole, c->t.buf, SZ_1K);
		}
		KUNIT_EXPECT_EQ(test, full, c->t.len);
		KUNIT_EXPECT_EQ(test, 0, full % 8);
		KUNIT_EXPECT_MEMEQ(test, whole, c->t.buf, SZ_1K);
	}
	c->t.no_place = false;
}

/* A cut at every byte is an error, never a record. */
static void record_truncated(struct kunit *test)
{
	struct core_test *c = test->priv;
	size_t full, len;

	write_header(test);
	full = c->t.len;
	for (len = 0; len < full; len++) {
		c->t.len = len;
		expect_error(test, -EPIPE, NULL);
	}
}

/* Every bit of a record is covered by the checksum or checked otherwise. */
static void record_bit_flips(struct kunit *test)
{
	struct core_test *c = test->priv;
	struct ckpt_rec *rec;
	size_t i;

	write_header(test);
	for (i = 0; i < c->t.len * 8; i++) {
		c->t.buf[i / 8] ^= 1 << i % 8;
		rewind_store(c);
		rec = ckpt_read_rec(c->ctx);
		KUNIT_EXPECT_TRUE_MSG(test, IS_ERR(rec), "bit %zu", i);
		c->t.buf[i / 8] ^= 1 << i % 8;
	}
}

static void record_bad_headers(struct kunit *test)
{
	struct core_test *c = test->priv;
	struct ckpt_rec_hdr *hdr = (void *)c->t.buf;
	struct ckpt_rec_hdr good;

	write_header(test);
	good = *hdr;

	hdr->len = CKPT_MAX_RECORD + 1;
	expect_error(test, -EINVAL, "a record of");
	*hdr = good;
	hdr->len = U64_MAX;
	expect_error(test, -EINVAL, "a record of");
	*hdr = good;
	hdr->len = ckpt_kind_header.min_len - 1;
	expect_error(test, -EINVAL, "a record of");
	*hdr = good;
	hdr->version = ckpt_kind_header.version + 1;
	expect_error(test, -EINVAL, "version");
	*hdr = good;
	hdr->flags = 0x8000;
	expect_error(test, -EINVAL, "unknown record flags");
	*hdr = good;
	hdr->type = 0xdead;
	expect_error(test, -EINVAL, "unknown record type 0xdead");
	*hdr = good;
	hdr->objref = 7;
	mend(c, 0);
	expect_error(test, -EINVAL, "belongs to no object");
	*hdr = good;
	hdr->crc32c ^= 1;
	expect_error(test, -EINVAL, "checksum");
}

static void record_optional_is_skipped(struct kunit *test)
{
	struct core_test *c = test->priv;
	struct ckpt_rec_hdr hdr = {
		.type = 0xdead, .flags = CKPT_RECF_OPTIONAL, .len = 300,
	};
	u8 junk[304] = { 1, 2, 3 };
	struct ckpt_rec *rec;

	test_write(&c->t.store, &hdr, sizeof(hdr));
	test_write(&c->t.store, junk, sizeof(junk));
	write_header(test);
	rewind_store(c);
	/* The header has to be the first record; what was skipped counts. */
	rec = ckpt_read_rec(c->ctx);
	KUNIT_EXPECT_EQ(test, -EINVAL, PTR_ERR_OR_ZERO(rec));
	KUNIT_EXPECT_TRUE(test, logged(c, "a second header"));
}

/* A newer writer's longer struct: zero is fine, anything else is not known. */
static void record_longer_tail(struct kunit *test)
{
	struct core_test *c = test->priv;
	struct ckpt_rec_hdr *hdr = (void *)c->t.buf;
	struct ckpt_rec *rec;

	write_header(test);
	hdr->len += 16;
	c->t.len += 16;
	mend(c, 0);
	rewind_store(c);
	rec = ckpt_read_rec(c->ctx);
	KUNIT_ASSERT_FALSE(test, IS_ERR(rec));

	c->t.buf[c->t.len - 1] = 1;
	mend(c, 0);
	expect_error(test, -EINVAL, "behind the end");
}

static void record_store_full(struct kunit *test)
{
	struct core_test *c = test->priv;
	struct ckpt_header h = {};

	c->t.fail_at = sizeof(struct ckpt_rec_hdr) + 8;
	KUNIT_EXPECT_EQ(test, -ENOSPC, ckpt_write(c->ctx, &ckpt_kind_header, 0,
						  &h, sizeof(h)));
	KUNIT_EXPECT_EQ(test, 0, c->ctx->nr_records);
}

static void record_refuses_wrong_size(struct kunit *test)
{
	struct core_test *c = test->priv;
	u32 small = 0;

	KUNIT_EXPECT_EQ(test, -E2BIG, ckpt_write(c->ctx, &ckpt_kind_header, 0,
						 &small, sizeof(small)));
	KUNIT_EXPECT_EQ(test, 0, c->t.len);
}

/* Nothing is written that nobody would read. */
static void record_bounds_of_metadata(struct kunit *test)
{
	struct core_test *c = test->priv;
	struct ckpt_task t = {};

	c->ctx->nr_records = CKPT_MAX_RECORDS;
	KUNIT_EXPECT_EQ(test, -E2BIG, ckpt_write(c->ctx, &ckpt_kind_task, 1,
						 &t, sizeof(t)));
	c->ctx->nr_records = CKPT_MAX_RECORDS - 1;
	c->ctx->meta_bytes = CKPT_MAX_META - sizeof(t) + 1;
	KUNIT_EXPECT_EQ(test, -E2BIG, ckpt_write(c->ctx, &ckpt_kind_task, 1,
						 &t, sizeof(t)));
	KUNIT_EXPECT_EQ(test, 0, c->t.len);
	c->ctx->meta_bytes--;
	KUNIT_EXPECT_EQ(test, 0, ckpt_write(c->ctx, &ckpt_kind_task, 1, &t,
					    sizeof(t)));
}

/* As much as is written can be read. */
static void record_bounds_are_the_same(struct kunit *test)
{
	const struct ckpt_kind *kind = ckpt_kind_of_type(CKPT_REC_SIGHAND);
	struct core_test *c = test->priv;
	struct ckpt_sighand *actions;
	struct ckpt_rec *rec;
	u64 written;

	actions = kunit_kzalloc(test, sizeof(*actions), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, actions);
	KUNIT_ASSERT_EQ(test, 0, ckpt_write(c->ctx, kind, 1, actions,
					    sizeof(*actions)));
	written = c->ctx->meta_bytes;
	KUNIT_EXPECT_EQ(test, sizeof(*actions), written);

	rewind_store(c);
	c->ctx->meta_bytes = CKPT_MAX_META - written;
	rec = ckpt_read_rec(c->ctx);
	KUNIT_ASSERT_FALSE(test, IS_ERR(rec));
	list_add_tail(&rec->node, &c->ctx->recs);
	KUNIT_EXPECT_EQ(test, CKPT_MAX_META, c->ctx->meta_bytes);
}

static void pages_are_aligned(struct kunit *test)
{
	struct core_test *c = test->priv;
	struct ckpt_extent e = { .start = 0x10000, .nr_pages = 1 };
	struct page *page = alloc_page(GFP_KERNEL);
	struct bio_vec bv;
	struct ckpt_rec *rec;

	KUNIT_ASSERT_NOT_NULL(test, page);
	memset(page_address(page), 0x5a, PAGE_SIZE);
	bvec_set_page(&bv, page, PAGE_SIZE, 0);
	KUNIT_EXPECT_EQ(test, 0, ckpt_write_pages(c->ctx, 0, &e, 1, &bv, 1));
	KUNIT_EXPECT_EQ(test, 2 * PAGE_SIZE, c->t.len);
	KUNIT_EXPECT_EQ(test, 1, c->ctx->nr_pages);

	rewind_store(c);
	rec = ckpt_read_rec(c->ctx);
	KUNIT_ASSERT_FALSE(test, IS_ERR(rec));
	KUNIT_EXPECT_EQ(test, 0, ckpt_read_align(c->ctx));
	KUNIT_EXPECT_EQ(test, PAGE_SIZE, c->t.store.pos);

	c->t.buf[PAGE_SIZE - 1] = 1;
	rewind_store(c);
	rec = ckpt_read_rec(c->ctx);
	KUNIT_ASSERT_FALSE(test, IS_ERR(rec));
	KUNIT_EXPECT_EQ(test, -EINVAL, ckpt_read_align(c->ctx));
	__free_page(page);
}

static void pages_bad_extents(struct kunit *test)
{
	static const struct ckpt_extent bad[] = {
		{ .start = 0x10000, .nr_pages = 0 },
		{ .start = 0x10001, .nr_pages = 1 },
		{ .start = 0x10000, .nr_pages = CKPT_MAX_BATCH + 1 },
		{ .start = 0x10000, .nr_pages = 1, .flags = 0x80 },
		{ .start = 1ULL << 63, .nr_pages = 1 },
	};
	struct core_test *c = test->priv;
	struct ckpt_pages p = { .nr_extents = 1 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		c->t.len = 0;
		p.nr_pages = bad[i].nr_pages;
		KUNIT_EXPECT_EQ(test, 0,
				ckpt_write_tail(c->ctx, &ckpt_kind_pages, 0, &p,
						sizeof(p), &bad[i],
						sizeof(bad[i])));
		expect_error(test, -EINVAL, "bad extent");
	}
	/* More extents than the record holds: the old reader's first bug. */
	c->t.len = 0;
	p.nr_extents = 400;
	p.nr_pages = 400;
	ckpt_write_tail(c->ctx, &ckpt_kind_pages, 0, &p, sizeof(p), bad,
			sizeof(bad));
	expect_error(test, -EINVAL, "do not fit");
}

/* --- objects -------------------------------------------------------------- */

static int obj_refs;

static void count_get(void *ptr)
{
	obj_refs++;
}

static void count_put(void *ptr)
{
	obj_refs--;
}

static const struct ckpt_kind test_leaf_kind = {
	.name = "leaf", .family = CKPT_FAMILY_OBJECT, .object = true,
	.type = 0xf00, .obj_get = count_get, .obj_put = count_put,
};

static int leaf;

static int node_collect(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	return ckpt_collect(ctx, &test_leaf_kind, &leaf);
}

static const struct ckpt_kind test_node_kind = {
	.name = "node", .family = CKPT_FAMILY_OBJECT, .object = true,
	.type = 0xf01, .obj_get = count_get, .obj_put = count_put,
	.obj_collect = node_collect,
};

static void objects_collected_once(struct kunit *test)
{
	struct core_test *c = test->priv;
	int node, other;

	obj_refs = 0;
	KUNIT_EXPECT_EQ(test, 0, ckpt_collect(c->ctx, &test_node_kind, &node));
	KUNIT_EXPECT_EQ(test, 0, ckpt_collect(c->ctx, &test_node_kind, &other));
	KUNIT_EXPECT_EQ(test, 0, ckpt_collect(c->ctx, &test_node_kind, &node));

	/* What is used comes before its users. */
	KUNIT_EXPECT_EQ(test, 1, ckpt_ref(c->ctx, &leaf));
	KUNIT_EXPECT_EQ(test, 2, ckpt_ref(c->ctx, &node));
	KUNIT_EXPECT_EQ(test, 3, ckpt_ref(c->ctx, &other));
	KUNIT_EXPECT_EQ(test, 0, ckpt_ref(c->ctx, NULL));
	KUNIT_EXPECT_EQ(test, 2, ckpt_obj_find(c->ctx, &leaf)->users);
	KUNIT_EXPECT_EQ(test, 2, ckpt_obj_find(c->ctx, &node)->users);
	KUNIT_EXPECT_EQ(test, 3, obj_refs);

	/* One address cannot be two things. */
	KUNIT_EXPECT_EQ(test, -EINVAL,
			ckpt_collect(c->ctx, &test_leaf_kind, &node));

	c->ctx->store = NULL;
	ckpt_ctx_free(c->ctx);
	c->ctx = NULL;
	KUNIT_EXPECT_EQ(test, 0, obj_refs);
}

/* The old reader's third bug: two puts for one reference. */
static void objects_released_once(struct kunit *test)
{
	struct core_test *c = test->priv;
	struct ckpt_rec *rec;

	obj_refs = 1;
	rec = kvzalloc(sizeof(*rec), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, rec);
	rec->kind = &test_leaf_kind;
	rec->objref = 2;
	KUNIT_EXPECT_EQ(test, -EINVAL, ckpt_obj_define(c->ctx, rec));
	rec->objref = 1;
	KUNIT_EXPECT_EQ(test, 0, ckpt_obj_define(c->ctx, rec));
	KUNIT_EXPECT_EQ(test, -EINVAL, ckpt_obj_define(c->ctx, rec));

	KUNIT_EXPECT_TRUE(test, ckpt_ref_is_type(c->ctx, 1, 0xf00));
	KUNIT_EXPECT_FALSE(test, ckpt_ref_is_type(c->ctx, 1, 0xf01));
	KUNIT_EXPECT_FALSE(test, ckpt_ref_is_type(c->ctx, 2, 0xf00));
	KUNIT_EXPECT_FALSE(test, ckpt_ref_is_type(c->ctx, 0, 0xf00));
	KUNIT_EXPECT_NULL(test, ckpt_obj_ptr(c->ctx, 1));
	ckpt_obj_set(c->ctx, 1, &leaf, count_put);
	KUNIT_EXPECT_PTR_EQ(test, (void *)&leaf, ckpt_obj_ptr(c->ctx, 1));

	c->ctx->store = NULL;
	ckpt_ctx_free(c->ctx);
	c->ctx = NULL;
	kvfree(rec);
	KUNIT_EXPECT_EQ(test, 0, obj_refs);
}

/* --- reasons -------------------------------------------------------------- */

static void reasons_have_one_form(struct kunit *test)
{
	struct core_test *c = test->priv;

	c->ctx->where.fd = 5;
	c->ctx->where.vm_start = 0x1000;
	c->ctx->where.vm_end = 0x3000;
	c->ctx->where.kind = "thing";
	KUNIT_EXPECT_EQ(test, -EBUSY,
			ckpt_refuse(c->ctx, -EBUSY, "two\nlines %d", 7));
	KUNIT_EXPECT_STREQ(test, c->ctx->log,
			   "errno=16 fd=5 vaddr=0x1000-0x3000 kind=thing: two?lines 7\n");
	KUNIT_EXPECT_EQ(test, -EBUSY, c->ctx->first_error);
	ckpt_refuse(c->ctx, -EPERM, "second");
	KUNIT_EXPECT_EQ(test, -EBUSY, c->ctx->first_error);
	KUNIT_EXPECT_EQ(test, 2, c->ctx->nr_reasons);
}

static void reasons_are_bounded(struct kunit *test)
{
	struct core_test *c = test->priv;
	unsigned int i;

	for (i = 0; i < 10000; i++)
		ckpt_refuse(c->ctx, -EPERM, "%0400d", i);
	KUNIT_EXPECT_LE(test, c->ctx->log_len, (size_t)CKPT_MAX_LOG);
	KUNIT_EXPECT_GT(test, c->ctx->nr_lost, 0);
	KUNIT_EXPECT_EQ(test, '\n', c->ctx->log[c->ctx->log_len - 1]);
}

/* --- the table ------------------------------------------------------------ */

static void table_is_sound(struct kunit *test)
{
	unsigned int i, j;

	for (i = 0; i < ckpt_nr_kinds; i++) {
		const struct ckpt_kind *k = ckpt_kinds[i];

		KUNIT_ASSERT_NOT_NULL(test, k->name);
		for (j = 0; j < i; j++) {
			KUNIT_EXPECT_STRNEQ(test, k->name, ckpt_kinds[j]->name);
			if (k->type)
				KUNIT_EXPECT_NE_MSG(test, k->type,
						    ckpt_kinds[j]->type, "%s",
						    k->name);
		}
		if (k->refuse)
			continue;
		if (k->family != CKPT_FAMILY_FRAME)
			KUNIT_EXPECT_NOT_NULL_MSG(test, k->about, "%s", k->name);
		if (!k->type)
			continue;
		KUNIT_EXPECT_PTR_EQ(test, k, ckpt_kind_of_type(k->type));
		KUNIT_EXPECT_LT_MSG(test, k->type == CKPT_REC_HEADER ? 1 : k->type,
				    CKPT_NR_TYPES, "%s", k->name);
		if (k->single)
			KUNIT_EXPECT_NE_MSG(test, k->family, CKPT_FAMILY_FRAME,
					    "%s", k->name);
		KUNIT_EXPECT_GT_MSG(test, k->version, 0, "%s", k->name);
		KUNIT_EXPECT_GE(test, k->version, k->min_version);
		KUNIT_EXPECT_LE_MSG(test, k->min_len, k->len, "%s", k->name);
		KUNIT_EXPECT_LE_MSG(test, k->len, k->max_len, "%s", k->name);
		KUNIT_EXPECT_LE_MSG(test, k->max_len, CKPT_MAX_RECORD, "%s",
				    k->name);
		if (k->object)
			KUNIT_EXPECT_TRUE_MSG(test, k->obj_save, "%s", k->name);
		if (k->required)
			KUNIT_EXPECT_TRUE_MSG(test, k->single || k->object,
					      "%s", k->name);
		if (k->commit || k->restore)
			KUNIT_EXPECT_NE_MSG(test, k->phase, CKPT_PHASE_NONE,
					    "%s", k->name);
	}
	KUNIT_EXPECT_NULL(test, ckpt_kind_of_type(0));
	KUNIT_EXPECT_NULL(test, ckpt_kind_of_type(0xdead));
}

/* Each list has the rows that it is for, all of them, in the order of the table. */
static void lists_of_rows(struct kunit *test)
{
	const struct ckpt_kind *const *collect = ckpt_rows(CKPT_ROWS_TASK_COLLECT);
	const struct ckpt_kind *const *save = ckpt_rows(CKPT_ROWS_TASK_SAVE);
	const struct ckpt_kind *const *file = ckpt_rows(CKPT_ROWS_FILE_MATCH);
	const struct ckpt_kind *const *vma = ckpt_rows(CKPT_ROWS_VMA_MATCH);
	unsigned int i;

	for (i = 0; i < ckpt_nr_kinds; i++) {
		const struct ckpt_kind *k = ckpt_kinds[i];

		if (k->task_collect)
			KUNIT_ASSERT_PTR_EQ(test, k, *collect++);
		if (k->task_save)
			KUNIT_ASSERT_PTR_EQ(test, k, *save++);
		if (k->file_match)
			KUNIT_ASSERT_PTR_EQ(test, k, *file++);
		if (k->vma_match)
			KUNIT_ASSERT_PTR_EQ(test, k, *vma++);
	}
	KUNIT_EXPECT_NULL(test, *collect);
	KUNIT_EXPECT_NULL(test, *save);
	KUNIT_EXPECT_NULL(test, *file);
	KUNIT_EXPECT_NULL(test, *vma);
}

static struct kunit_case core_cases[] = {
	KUNIT_CASE(record_round_trip),
	KUNIT_CASE(record_in_parts),
	KUNIT_CASE(record_truncated),
	KUNIT_CASE(record_bit_flips),
	KUNIT_CASE(record_bad_headers),
	KUNIT_CASE(record_optional_is_skipped),
	KUNIT_CASE(record_longer_tail),
	KUNIT_CASE(record_store_full),
	KUNIT_CASE(record_refuses_wrong_size),
	KUNIT_CASE(record_bounds_of_metadata),
	KUNIT_CASE(record_bounds_are_the_same),
	KUNIT_CASE(pages_are_aligned),
	KUNIT_CASE(pages_bad_extents),
	KUNIT_CASE(objects_collected_once),
	KUNIT_CASE(objects_released_once),
	KUNIT_CASE(reasons_have_one_form),
	KUNIT_CASE(reasons_are_bounded),
	KUNIT_CASE(table_is_sound),
	KUNIT_CASE(lists_of_rows),
	{}
};

static struct kunit_suite core_suite = {
	.name = "checkpoint",
	.init = core_init,
	.exit = core_exit,
	.test_cases = core_cases,
};

kunit_test_suite(core_suite);

MODULE_LICENSE("GPL");
