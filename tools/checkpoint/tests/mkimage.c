// SPDX-License-Identifier: GPL-2.0
/*
 * Writes a small image that holds a record of every type there is, made from
 * the table, to standard output. No kernel would restart it: it is for the
 * tools.
 */
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/checkpoint_image.h>

#include "crc32c.h"
#include "records_table.h"

#define PAGE_SIZE	4096
#define FLEX_COUNT	5

static unsigned char *image;
static size_t used;
static uint64_t nr_records;
static uint32_t nr_objects;
static uint32_t seed = 1;

static uint32_t next_random(void)
{
	seed = seed * 1664525 + 1013904223;
	return seed >> 8;
}

static void put(const void *bytes, size_t len)
{
	image = realloc(image, used + len);
	if (!image)
		abort();
	memcpy(image + used, bytes, len);
	used += len;
}

static void put_zeros(size_t len)
{
	static const unsigned char zeros[PAGE_SIZE];

	put(zeros, len);
}

static void put_rec(uint32_t type, uint16_t flags, uint32_t objref,
		    const void *payload, size_t len)
{
	struct ckpt_rec_hdr hdr = {
		.type = type,
		.version = 1,
		.flags = flags,
		.len = len,
		.objref = objref,
	};
	size_t start = used;

	put(&hdr, sizeof(hdr));
	put(payload, len);
	put_zeros(-len & 7);
	hdr.crc32c = crc32c(0, image + start, used - start);
	memcpy(image + start, &hdr, sizeof(hdr));
	nr_records++;
}

static void fill_struct(const struct ckpt_struct *layout, unsigned char *to);

/* Bytes: in turn text, text that is not ASCII, and anything. */
static void fill_bytes(unsigned char *to, size_t len)
{
	static const char *const texts[] = {
		"/usr/bin/true", "caf\xc3\xa9 \\ \"\xe2\x82\xac\"",
		"\x1b[31m\xc2\x9b\xff\xfe\xed\xa0\x80\xc0\xaf\n\\x41",
	};
	const char *text = texts[next_random() % 3];
	size_t n = strlen(text);

	if (n > len)
		n = len;
	memcpy(to, text, n);
}

static void fill_one(const struct ckpt_field *field, unsigned char *to)
{
	uint64_t value = next_random();
	int64_t negative = -(int64_t)(next_random() % 1000);

	switch (field->type) {
	case CKPT_FIELD_U64:
		value = next_random() & 1 ? UINT64_MAX - value :
					    value << 20 | value;
		break;
	case CKPT_FIELD_S32:
	case CKPT_FIELD_S64:
		memcpy(to, &negative, field->size);
		return;
	case CKPT_FIELD_REF:
		value = next_random() % (nr_objects + 1);
		break;
	case CKPT_FIELD_STRUCT:
		fill_struct(field->sub, to);
		return;
	default:
		break;
	}
	memcpy(to, &value, field->size);
}

static void fill_field(const struct ckpt_field *field, unsigned char *to,
		       uint32_t count)
{
	uint32_t i;

	if (field->pad)
		return;
	if (field->type == CKPT_FIELD_U8 && field->array != CKPT_ARRAY_NONE) {
		fill_bytes(to, count);
		return;
	}
	for (i = 0; i < count; i++)
		fill_one(field, to + i * field->size);
}

static void fill_struct(const struct ckpt_struct *layout, unsigned char *to)
{
	const struct ckpt_field *field;
	uint32_t i;

	for (i = 0; i < layout->nr_fields; i++) {
		field = &layout->fields[i];
		fill_field(field, to + field->offset,
			   field->array == CKPT_ARRAY_FLEX ?
			   FLEX_COUNT + (field->size == 1) * 40 : field->count);
	}
}

static size_t full_len(const struct ckpt_struct *layout)
{
	const struct ckpt_field *last = &layout->fields[layout->nr_fields - 1];

	if (last->array != CKPT_ARRAY_FLEX)
		return layout->size;
	return layout->size + last->size * (FLEX_COUNT + (last->size == 1) * 40);
}

static void put_header(void)
{
	struct ckpt_header header = {
		.image_version = CKPT_IMAGE_VERSION,
		.machine = EM_X86_64,
		.page_size = PAGE_SIZE,
		.crid = 7,
		.task_size = 0x7ffffffff000,
		.xfeatures = 7,
		.xstate_size = 832,
		.nsig = 64,
		.realtime_ns = 1767225600000000000,
		.monotonic_ns = 12345678901,
		.boottime_ns = 12345678902,
		.release = "6.12.0-golden",
		.version = "#1 SMP",
	};

	put_rec(CKPT_REC_HEADER, 0, 0, &header, sizeof(header));
}

static void put_from_table(const struct ckpt_rec_desc *desc)
{
	static uint64_t address = 0x400000;
	uint32_t objref = nr_objects;
	struct ckpt_vma *vma;
	unsigned char *payload;
	size_t len = full_len(desc->layout);

	payload = calloc(1, len);
	if (!payload)
		abort();
	fill_struct(desc->layout, payload);
	if (!strncmp(desc->name, "VMA_", 4)) {
		vma = (void *)payload;
		vma->start = address;
		vma->end = address + 16 * PAGE_SIZE;
		vma->flags = address >> 16 & 0x7f;
		address += 16 * PAGE_SIZE;
		objref = 1;
	} else if (desc->type < CKPT_REC_VMA_ANON ||
		   desc->type == CKPT_REC_TASK) {
		objref = ++nr_objects;
	}
	put_rec(desc->type, 0, objref, payload, len);
	free(payload);
}

static void put_pages(uint64_t start, uint32_t nr)
{
	struct {
		struct ckpt_pages pages;
		struct ckpt_extent extents[2];
	} rec = {
		.pages = { .nr_pages = nr + 1, .nr_extents = 2 },
		.extents = {
			{ start, nr, CKPT_EXTENT_HUGE },
			{ start + 8 * PAGE_SIZE, 1, 0 },
		},
	};
	uint32_t i;

	put_rec(CKPT_REC_PAGES, 0, 1, &rec, sizeof(rec));
	put_zeros(-used & (PAGE_SIZE - 1));
	for (i = 0; i < (nr + 1) * PAGE_SIZE / 4; i++) {
		uint32_t word = next_random();

		put(&word, sizeof(word));
	}
}

int main(void)
{
	static const unsigned char unknown[13] = "whatever\0\x80!";
	struct ckpt_meta_end meta_end = { .nr_tasks = 1 };
	struct ckpt_end end = { .nr_pages = 5 };
	const struct ckpt_rec_desc *desc;
	unsigned int i;

	put_header();
	for (i = 0; i < ckpt_rec_table_len; i++) {
		desc = &ckpt_rec_table[i];
		if (desc->type > CKPT_REC_ERROR && desc->layout &&
		    desc->type != CKPT_REC_HEADER)
			put_from_table(desc);
	}
	put_rec(0x4711, CKPT_RECF_OPTIONAL, 0, unknown, sizeof(unknown));
	meta_end.nr_records = nr_records;
	meta_end.nr_objects = nr_objects;
	put_rec(CKPT_REC_META_END, 0, 0, &meta_end, sizeof(meta_end));
	put_pages(0x400000, 2);
	put_pages(0x410000, 1);
	end.nr_records = nr_records;
	put_rec(CKPT_REC_END, 0, 0, &end, sizeof(end));

	if (fwrite(image, 1, used, stdout) != used || fflush(stdout))
		return 1;
	free(image);
	return 0;
}
