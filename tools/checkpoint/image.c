// SPDX-License-Identifier: GPL-2.0
/*
 * Reads an image record by record and judges it.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common.h"
#include "crc32c.h"
#include "image.h"

#define BUF_SIZE	65536

/* --- bytes --------------------------------------------------------------------- */

/* Only the first fault counts. */
__printf(3, 4)
static int fault(struct image *image, uint64_t offset, const char *fmt, ...)
{
	va_list args;

	if (image->fault[0])
		return -1;
	image->fault_offset = offset;
	va_start(args, fmt);
	vsnprintf(image->fault, sizeof(image->fault), fmt, args);
	va_end(args);
	return -1;
}

/* More bytes into the buffer, at least one. 1, 0 at the end, -1 and a fault. */
static int fill(struct image *image)
{
	ssize_t got;

	if (image->buf_pos < image->buf_len)
		return 1;
	do {
		got = read(image->fd, image->buf, BUF_SIZE);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return fault(image, image->pos, "read error: %s",
			     strerror(errno));
	image->buf_pos = 0;
	image->buf_len = got;
	return got > 0;
}

/* Takes up to @len buffered bytes; what they are, or NULL at the end. */
static const uint8_t *take(struct image *image, uint64_t len, size_t *taken)
{
	const uint8_t *bytes;
	int ret;

	ret = fill(image);
	if (ret <= 0) {
		if (!ret)
			fault(image, image->pos, "the image ends here");
		return NULL;
	}
	bytes = image->buf + image->buf_pos;
	*taken = image->buf_len - image->buf_pos;
	if (*taken > len)
		*taken = len;
	image->buf_pos += *taken;
	image->pos += *taken;
	return bytes;
}

static int read_bytes(struct image *image, void *to, size_t len)
{
	const uint8_t *bytes;
	uint8_t *at = to;
	size_t n;

	for (; len; len -= n, at += n) {
		bytes = take(image, len, &n);
		if (!bytes)
			return -1;
		memcpy(at, bytes, n);
	}
	return 0;
}

static bool is_zero(const uint8_t *bytes, size_t len)
{
	while (len--)
		if (*bytes++)
			return false;
	return true;
}

static int read_zeros(struct image *image, uint64_t len)
{
	uint64_t start = image->pos;
	const uint8_t *bytes;
	size_t n;

	for (; len; len -= n) {
		bytes = take(image, len, &n);
		if (!bytes)
			return -1;
		if (!is_zero(bytes, n))
			return fault(image, start, "padding that is not zero");
	}
	return 0;
}

/* A file need not be read to be passed over, but it must be long enough. */
static int skip_bytes(struct image *image, uint64_t len)
{
	size_t n;

	while (len && image->buf_pos < image->buf_len) {
		if (!take(image, len, &n))
			return -1;
		len -= n;
	}
	if (len && image->size != UINT64_MAX) {
		if (image->size < image->pos || image->size - image->pos < len)
			return fault(image, image->size, "the image ends here");
		if (lseek(image->fd, len, SEEK_CUR) >= 0) {
			image->pos += len;
			return 0;
		}
	}
	while (len) {
		if (!take(image, len, &n))
			return -1;
		len -= n;
	}
	return 0;
}

/* All of the bytes to a file, pipe or socket. 0 or -errno. */
int image_write(int fd, const uint8_t *bytes, size_t len)
{
	ssize_t put;

	while (len) {
		put = write(fd, bytes, len);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -errno;
		bytes += put;
		len -= put;
	}
	return 0;
}

/*
 * Writes the page contents behind the record that was read last to @to. 0, -1
 * after a fault of the image, or -errno of the write (never -EPERM, which is -1).
 */
int image_copy_pages(struct image *image, int to)
{
	const uint8_t *bytes;
	size_t n;
	int err;

	while (image->pages_left) {
		bytes = take(image, image->pages_left, &n);
		if (!bytes)
			return -1;
		image->pages_left -= n;
		err = image_write(to, bytes, n);
		if (err)
			return err == -EPERM ? -EIO : err;
	}
	return 0;
}

/* --- fields -------------------------------------------------------------------- */

/* The flexible array that a struct ends in, or NULL. */
const struct ckpt_field *image_flex(const struct ckpt_struct *layout)
{
	const struct ckpt_field *last;

	if (!layout || !layout->nr_fields)
		return NULL;
	last = &layout->fields[layout->nr_fields - 1];
	return last->array == CKPT_ARRAY_FLEX ? last : NULL;
}

/* Finds "a.b"; @offset is then from the start of the payload. */
static const struct ckpt_field *find_field(const struct ckpt_struct *layout,
					   const char *path, size_t *offset)
{
	const struct ckpt_field *field;
	size_t len = strcspn(path, ".");
	uint32_t i;

	for (i = 0; layout && i < layout->nr_fields; i++) {
		field = &layout->fields[i];
		if (strncmp(field->name, path, len) || field->name[len])
			continue;
		*offset += field->offset;
		if (!path[len])
			return field;
		if (field->array != CKPT_ARRAY_NONE)
			return NULL;
		return find_field(field->sub, path + len + 1, offset);
	}
	return NULL;
}

static uint64_t load(const uint8_t *bytes, enum ckpt_field_type type)
{
	uint16_t u16;
	uint32_t u32;
	uint64_t u64;
	int32_t s32;

	switch (type) {
	case CKPT_FIELD_U8:
		return *bytes;
	case CKPT_FIELD_U16:
		memcpy(&u16, bytes, sizeof(u16));
		return u16;
	case CKPT_FIELD_U32:
	case CKPT_FIELD_REF:
		memcpy(&u32, bytes, sizeof(u32));
		return u32;
	case CKPT_FIELD_S32:
		memcpy(&s32, bytes, sizeof(s32));
		return s32;
	case CKPT_FIELD_U64:
	case CKPT_FIELD_S64:
		memcpy(&u64, bytes, sizeof(u64));
		return u64;
	case CKPT_FIELD_STRUCT:
		break;
	}
	return 0;
}

/* The number in the field "a.b" of a record; false when it has no such field. */
bool image_num(const struct image_rec *rec, const char *path, uint64_t *value)
{
	const struct ckpt_field *field;
	size_t offset = 0;

	*value = 0;
	if (!rec->desc)
		return false;
	field = find_field(rec->desc->layout, path, &offset);
	if (!field || field->array != CKPT_ARRAY_NONE ||
	    field->type == CKPT_FIELD_STRUCT)
		return false;
	*value = load(rec->payload + offset, field->type);
	return true;
}

/* The bytes of an array, or NULL. */
const uint8_t *image_bytes(const struct image_rec *rec, const char *path,
			   size_t *len)
{
	const struct ckpt_field *field;
	size_t offset = 0;

	*len = 0;
	if (!rec->desc)
		return NULL;
	field = find_field(rec->desc->layout, path, &offset);
	if (!field)
		return NULL;
	if (field->array == CKPT_ARRAY_FLEX)
		*len = rec->hdr.len > offset ? rec->hdr.len - offset : 0;
	else
		*len = (size_t)field->size * field->count;
	return rec->payload + offset;
}

/* --- judgement ------------------------------------------------------------------ */

/* What the table alone can tell: padding and references. */
static int check_struct(struct image *image, const struct ckpt_struct *layout,
			const uint8_t *bytes, size_t len, uint64_t offset)
{
	const struct ckpt_field *field;
	const uint8_t *at;
	uint32_t i, j, count;
	uint64_t ref;

	for (i = 0; i < layout->nr_fields; i++) {
		field = &layout->fields[i];
		if (field->offset >= len)
			break;
		count = field->count;
		if (field->array == CKPT_ARRAY_FLEX)
			count = (len - field->offset) / field->size;
		at = bytes + field->offset;
		if (field->pad && !is_zero(at, (size_t)count * field->size))
			return fault(image, offset + field->offset,
				     "padding that is not zero in struct %s",
				     layout->name);
		if (field->type == CKPT_FIELD_REF) {
			for (j = 0; j < count; j++) {
				ref = load(at + (size_t)j * field->size,
					   field->type);
				if (ref <= image->nr_objects)
					continue;
				return fault(image, offset + field->offset,
					     "%s refers to object %" PRIu64 ", not yet defined",
					     field->name, ref);
			}
		}
		for (j = 0; field->sub && j < count; j++)
			if (check_struct(image, field->sub,
					 at + (size_t)j * field->size,
					 field->size, offset + field->offset +
					 (uint64_t)j * field->size))
				return -1;
	}
	return 0;
}

static int check_payload(struct image *image, const struct image_rec *rec)
{
	const struct ckpt_struct *layout = rec->desc->layout;
	uint64_t at = rec->offset + sizeof(rec->hdr), len = rec->hdr.len;
	const struct ckpt_field *flex = image_flex(layout);

	if (!layout)
		return 0;
	if (flex && len > flex->offset && (len - flex->offset) % flex->size)
		return fault(image, rec->offset,
			     "a record %s of %" PRIu64 " bytes: a part of an element",
			     rec->desc->name, len);
	if (!flex && len > layout->size &&
	    !is_zero(rec->payload + layout->size, len - layout->size))
		return fault(image, at + layout->size,
			     "bytes behind the end of what is known of record %s",
			     rec->desc->name);
	return check_struct(image, layout, rec->payload,
			    flex && len > layout->size ? len : layout->size,
			    at);
}

static int check_header(struct image *image, const struct image_rec *rec)
{
	const struct ckpt_header *header = (const void *)rec->payload;

	if (header->image_version != CKPT_IMAGE_VERSION)
		return fault(image, rec->offset, "image version %u, known is %u",
			     header->image_version, CKPT_IMAGE_VERSION);
	if (header->machine != EM_X86_64)
		return fault(image, rec->offset, "machine %u, known is x86-64 (%u)",
			     header->machine, EM_X86_64);
	if (header->page_size < 4096 || header->page_size > 65536 ||
	    header->page_size & (header->page_size - 1))
		return fault(image, rec->offset, "pages of %u bytes",
			     header->page_size);
	if (header->incompat & ~CKPT_INCOMPAT_KNOWN)
		return fault(image, rec->offset,
			     "needs features that are not known: %#llx",
			     (unsigned long long)header->incompat &
			     ~CKPT_INCOMPAT_KNOWN);
	image->page_size = header->page_size;
	return 0;
}

static int check_meta_end(struct image *image, const struct image_rec *rec)
{
	const struct ckpt_meta_end *end = (const void *)rec->payload;

	if (image->meta_ended)
		return fault(image, rec->offset, "a second end of the metadata");
	image->meta_ended = true;
	if (end->nr_records != image->nr_records ||
	    end->nr_objects != image->nr_objects ||
	    end->nr_tasks != image->nr_tasks)
		return fault(image, rec->offset,
			     "%llu records, %u objects, %u tasks, not %" PRIu64 ", %u, %u",
			     (unsigned long long)end->nr_records,
			     end->nr_objects, end->nr_tasks, image->nr_records,
			     image->nr_objects, image->nr_tasks);
	return 0;
}

static int check_pages(struct image *image, struct image_rec *rec)
{
	const struct ckpt_pages *pages = (const void *)rec->payload;
	uint64_t tail = rec->hdr.len - sizeof(*pages), sum = 0;
	uint64_t mask = image->page_size - 1;
	uint32_t i;

	if (!image->meta_ended)
		return fault(image, rec->offset, "pages within the metadata");
	if (!rec->hdr.objref || rec->hdr.objref > image->nr_objects)
		return fault(image, rec->offset, "pages of object %u, which is not defined",
			     rec->hdr.objref);
	if (!pages->nr_extents ||
	    tail != (uint64_t)pages->nr_extents * sizeof(pages->extents[0]))
		return fault(image, rec->offset, "%u extents do not fit the record",
			     pages->nr_extents);
	for (i = 0; i < pages->nr_extents; i++) {
		const struct ckpt_extent *extent = &pages->extents[i];

		if (!extent->nr_pages || extent->start & mask ||
		    extent->start + (uint64_t)extent->nr_pages *
		    image->page_size < extent->start)
			return fault(image, rec->offset,
				     "bad extent: %u pages at %#llx",
				     extent->nr_pages,
				     (unsigned long long)extent->start);
		sum += extent->nr_pages;
	}
	if (sum != pages->nr_pages)
		return fault(image, rec->offset,
			     "%u pages, but %" PRIu64 " in the extents",
			     pages->nr_pages, sum);
	rec->pages_bytes = sum * image->page_size;
	return 0;
}

static int check_end(struct image *image, const struct image_rec *rec)
{
	const struct ckpt_end *end = (const void *)rec->payload;

	if (!image->meta_ended)
		return fault(image, rec->offset, "the end within the metadata");
	if (end->nr_records != image->nr_records ||
	    end->nr_pages != image->nr_pages)
		return fault(image, rec->offset,
			     "%llu records, %llu pages, not %" PRIu64 ", %" PRIu64,
			     (unsigned long long)end->nr_records,
			     (unsigned long long)end->nr_pages,
			     image->nr_records, image->nr_pages);
	image->ended = true;
	return 0;
}

/* A checkpoint that failed half-way says why. */
static int check_error(struct image *image, const struct image_rec *rec)
{
	const struct ckpt_error *error = (const void *)rec->payload;
	size_t i, len = rec->hdr.len - sizeof(*error);
	char text[160];

	if (len >= sizeof(text))
		len = sizeof(text) - 1;
	for (i = 0; i < len; i++)
		text[i] = error->reason[i] >= ' ' && error->reason[i] < 0x7f ?
			  error->reason[i] : '?';
	text[i] = '\0';
	return fault(image, rec->offset, "the checkpoint failed here (%s): %s",
		     error->error > 0 && error->error < 4096 ?
		     strerror(error->error) : "?", text);
}

static bool is_frame(uint32_t type)
{
	return type == CKPT_REC_HEADER || type <= CKPT_REC_ERROR;
}

/* Mappings and attributes of tasks are no objects themselves. */
static bool belongs(uint32_t type)
{
	return type >= CKPT_REC_VMA_ANON && type != CKPT_REC_TASK;
}

/*
 * Objects are numbered densely in the order of their records: a record is the
 * first one of the next object or belongs to an object that is known.
 */
static int check_objref(struct image *image, const struct image_rec *rec)
{
	uint32_t type = rec->hdr.type, ref = rec->hdr.objref;
	bool next = ref == image->nr_objects + 1;

	if (is_frame(type)) {
		if (ref && type != CKPT_REC_PAGES)
			return fault(image, rec->offset,
				     "a record %s belongs to no object",
				     rec->desc->name);
		return 0;
	}
	if (image->meta_ended)
		return fault(image, rec->offset,
			     "a record %s behind the end of the metadata",
			     rec->desc->name);
	if (type == CKPT_REC_TASK) {
		if (!next)
			return fault(image, rec->offset,
				     "object %u where %u is due", ref,
				     image->nr_objects + 1);
		image->nr_tasks++;
	} else if (belongs(type)) {
		next = false;
	}
	if (next)
		image->nr_objects++;
	else if (!ref || ref > image->nr_objects)
		return fault(image, rec->offset,
			     "a record %s of object %u, which is not defined",
			     rec->desc->name, rec->hdr.objref);
	return 0;
}

static int check_hdr(struct image *image, struct image_rec *rec)
{
	const struct ckpt_rec_hdr *hdr = &rec->hdr;
	bool optional = hdr->flags & CKPT_RECF_OPTIONAL;

	if (!image->nr_records && hdr->type != CKPT_REC_HEADER)
		return fault(image, rec->offset,
			     "this is not a checkpoint image");
	if (image->nr_records && hdr->type == CKPT_REC_HEADER)
		return fault(image, rec->offset, "a second header");
	if (hdr->flags & ~CKPT_RECF_OPTIONAL)
		return fault(image, rec->offset, "unknown record flags %#x",
			     hdr->flags);
	if (hdr->len > IMAGE_MAX_RECORD)
		return fault(image, rec->offset, "a record of %llu bytes",
			     (unsigned long long)hdr->len);
	rec->desc = ckpt_rec_desc_find(hdr->type);
	if (!rec->desc && !optional)
		return fault(image, rec->offset, "unknown record type %#x",
			     hdr->type);
	if (rec->desc && !hdr->version)
		return fault(image, rec->offset, "a record %s of version 0",
			     rec->desc->name);
	if (rec->desc && hdr->len < rec->desc->min_len)
		return fault(image, rec->offset,
			     "a record %s of %llu bytes, not at least %u",
			     rec->desc->name, (unsigned long long)hdr->len,
			     rec->desc->min_len);
	if (rec->desc && is_frame(hdr->type))
		return 0;
	image->meta_bytes += hdr->len;
	if (image->nr_records >= IMAGE_MAX_RECORDS ||
	    image->meta_bytes > IMAGE_MAX_META)
		return fault(image, rec->offset, "too much metadata");
	return 0;
}

static int check_crc(struct image *image, const struct image_rec *rec)
{
	static const uint8_t zeros[8];
	struct ckpt_rec_hdr hdr = rec->hdr;
	uint32_t crc;

	if (image->skip_checksum)
		return 0;
	hdr.crc32c = 0;
	crc = crc32c(0, &hdr, sizeof(hdr));
	crc = crc32c(crc, rec->payload, hdr.len);
	crc = crc32c(crc, zeros, image_round_up(hdr.len) - hdr.len);
	if (crc == rec->hdr.crc32c)
		return 0;
	return fault(image, rec->offset, "checksum %#010x, but it should be %#010x",
		     rec->hdr.crc32c, crc);
}

static int check_rec(struct image *image, struct image_rec *rec)
{
	if (!rec->desc)
		return 0;
	if (check_payload(image, rec))
		return -1;
	switch (rec->hdr.type) {
	case CKPT_REC_HEADER:
		if (check_header(image, rec))
			return -1;
		break;
	case CKPT_REC_META_END:
		if (check_meta_end(image, rec))
			return -1;
		break;
	case CKPT_REC_PAGES:
		if (check_pages(image, rec))
			return -1;
		break;
	case CKPT_REC_END:
		if (check_end(image, rec))
			return -1;
		break;
	case CKPT_REC_ERROR:
		return check_error(image, rec);
	}
	return check_objref(image, rec);
}

/* --- records -------------------------------------------------------------------- */

/* Starts to read an image from @fd, which stays the caller's. 0 or -ENOMEM. */
int image_open(struct image *image, int fd)
{
	struct stat st;
	off_t pos;

	memset(image, 0, sizeof(*image));
	image->fd = fd;
	image->size = UINT64_MAX;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode)) {
		/* An image may begin anywhere in a file. */
		pos = lseek(fd, 0, SEEK_CUR);
		if (pos >= 0)
			image->size = st.st_size > pos ? st.st_size - pos : 0;
	}
	image->buf = malloc(BUF_SIZE);
	return image->buf ? 0 : -ENOMEM;
}

void image_close(struct image *image)
{
	free(image->buf);
	free(image->rec.payload);
	image->buf = NULL;
	image->rec.payload = NULL;
}

/* There may be nothing behind the end. NULL. */
static const struct image_rec *at_end(struct image *image)
{
	if (fill(image) > 0)
		fault(image, image->pos, "something stands behind the end");
	return NULL;
}

/*
 * The next record, which is valid until the next call. Page contents behind it
 * are passed over by the next call unless image_copy_pages() took them.
 *
 * NULL at the end of a sound image, or at the first fault (image->fault).
 */
const struct image_rec *image_next(struct image *image)
{
	struct image_rec *rec = &image->rec;
	size_t room;

	if (image->fault[0])
		return NULL;
	if (image->pages_left) {
		if (skip_bytes(image, image->pages_left))
			return NULL;
		image->pages_left = 0;
	}
	if (image->ended)
		return at_end(image);

	free(rec->payload);
	memset(rec, 0, sizeof(*rec));
	rec->offset = image->pos;
	if (!image->nr_records && !fill(image)) {
		fault(image, 0, "the image is empty");
		return NULL;
	}
	if (read_bytes(image, &rec->hdr, sizeof(rec->hdr)) ||
	    check_hdr(image, rec))
		return NULL;

	room = rec->hdr.len;
	if (rec->desc && rec->desc->layout && rec->desc->layout->size > room)
		room = rec->desc->layout->size;
	rec->payload = calloc(1, room ? room : 1);
	if (!rec->payload) {
		fault(image, rec->offset, "no memory for a record");
		return NULL;
	}
	if (read_bytes(image, rec->payload, rec->hdr.len) ||
	    read_zeros(image, image_round_up(rec->hdr.len) - rec->hdr.len) ||
	    check_crc(image, rec) || check_rec(image, rec))
		return NULL;

	image->nr_records++;
	if (rec->pages_bytes) {
		if (read_zeros(image, -image->pos & (image->page_size - 1)))
			return NULL;
		rec->pages_offset = image->pos;
		image->pages_left = rec->pages_bytes;
		image->nr_pages += rec->pages_bytes / image->page_size;
	}
	return rec;
}
