// SPDX-License-Identifier: GPL-2.0
/*
 * The ways to look at an image.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common.h"
#include "json_util.h"
#include "show.h"
#include "tree.h"

/* More bytes of one field than this only JSON shows. */
#define MAX_BYTES_SHOWN		256

/* --- all records as text ------------------------------------------------------- */

static void print_bytes(FILE *to, const uint8_t *bytes, size_t len)
{
	size_t shown = len < MAX_BYTES_SHOWN ? len : MAX_BYTES_SHOWN;
	char *s = escape_bytes(bytes, shown);

	fprintf(to, "\"%s\"", s ? s : "");
	if (shown < len)
		fprintf(to, "... (%zu bytes)", len);
	free(s);
}

static uint64_t load_num(const struct ckpt_field *field, const uint8_t *bytes)
{
	uint64_t value = 0;

	/* The image is little endian, and so are we. */
	memcpy(&value, bytes, field->size);
	return value;
}

static void print_num(FILE *to, const struct ckpt_field *field,
		      const uint8_t *bytes)
{
	uint64_t value = load_num(field, bytes);

	if (field->type == CKPT_FIELD_S32)
		fprintf(to, "%" PRId32, (int32_t)value);
	else if (field->type == CKPT_FIELD_S64)
		fprintf(to, "%" PRId64, (int64_t)value);
	else if (field->type == CKPT_FIELD_REF)
		fprintf(to, value ? "#%" PRIu64 : "none", value);
	else if (value > 0xffff)
		fprintf(to, "%#" PRIx64, value);
	else
		fprintf(to, "%" PRIu64, value);
}

static void print_struct(FILE *to, const char *prefix,
			 const struct ckpt_struct *layout, const uint8_t *bytes,
			 size_t len)
{
	const struct ckpt_field *field;
	const uint8_t *at;
	char name[256];
	size_t count, j;
	uint32_t i;

	for (i = 0; i < layout->nr_fields; i++) {
		field = &layout->fields[i];
		if (field->pad || field->offset > len)
			continue;
		count = field->count;
		if (field->array == CKPT_ARRAY_FLEX)
			count = (len - field->offset) / field->size;
		at = bytes + field->offset;
		if (field->array != CKPT_ARRAY_NONE &&
		    field->type == CKPT_FIELD_U8) {
			fprintf(to, "    %s%s = ", prefix, field->name);
			print_bytes(to, at, count);
			fputc('\n', to);
			continue;
		}
		for (j = 0; j < count; j++, at += field->size) {
			if (field->array == CKPT_ARRAY_NONE)
				snprintf(name, sizeof(name), "%s%s", prefix,
					 field->name);
			else
				snprintf(name, sizeof(name), "%s%s[%zu]",
					 prefix, field->name, j);
			if (field->sub) {
				strncat(name, ".",
					sizeof(name) - strlen(name) - 1);
				print_struct(to, name, field->sub, at,
					     field->size);
				continue;
			}
			fprintf(to, "    %s = ", name);
			print_num(to, field, at);
			fputc('\n', to);
		}
	}
}

int show_records(struct image *image, FILE *to)
{
	const struct image_rec *rec;
	size_t len;

	while ((rec = image_next(image))) {
		fprintf(to, "%#10" PRIx64 "  ", rec->offset);
		if (rec->desc)
			fputs(rec->desc->name, to);
		else
			fprintf(to, "unknown %#x", rec->hdr.type);
		fprintf(to, "  len %" PRIu64 ", version %u",
			(uint64_t)rec->hdr.len, rec->hdr.version);
		if (rec->hdr.flags)
			fprintf(to, ", flags %#x", rec->hdr.flags);
		if (rec->hdr.objref)
			fprintf(to, ", object #%u", rec->hdr.objref);
		fprintf(to, ", crc32c %#010x\n", rec->hdr.crc32c);
		if (rec->desc && rec->desc->layout) {
			len = rec->hdr.len;
			if (len < rec->desc->layout->size)
				len = rec->desc->layout->size;
			print_struct(to, "", rec->desc->layout, rec->payload,
				     len);
		} else {
			fputs("    ", to);
			print_bytes(to, rec->payload, rec->hdr.len);
			fputc('\n', to);
		}
		if (rec->pages_bytes)
			fprintf(to, "%#10" PRIx64 "  contents, %" PRIu64 " bytes\n",
				rec->pages_offset, rec->pages_bytes);
	}
	return 0;
}

/* --- JSON ---------------------------------------------------------------------- */

#define JSON_FLAGS	(JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE)

static struct json_object *totals(const struct image *image)
{
	struct json_object *tree = json_object_new_object();
	struct json_object *fault;

	json_put_bool(tree, "valid", !image->fault[0]);
	json_put_u64(tree, "bytes", image->pos);
	json_put_u64(tree, "page_size", image->page_size);
	json_put_u64(tree, "records", image->nr_records);
	json_put_u64(tree, "objects", image->nr_objects);
	json_put_u64(tree, "tasks", image->nr_tasks);
	json_put_u64(tree, "pages", image->nr_pages);
	if (image->fault[0]) {
		fault = json_object_new_object();
		json_put_u64(fault, "offset", image->fault_offset);
		json_put_str(fault, "text", image->fault);
		json_object_object_add(tree, "fault", fault);
	}
	return tree;
}

/* A record at a time, so that memory does not grow with the image. */
int show_json(struct image *image, FILE *to)
{
	const struct image_rec *rec;
	struct json_object *tree;
	bool first = true;

	fputs("{\n\"format\": \"checkpoint-image\",\n\"schema\": 1,\n", to);
	fputs("\"records\": [", to);
	while ((rec = image_next(image))) {
		tree = tree_from_rec(rec);
		if (!tree)
			return -ENOMEM;
		fprintf(to, "%s\n%s", first ? "" : ",",
			json_object_to_json_string_ext(tree, JSON_FLAGS));
		json_object_put(tree);
		first = false;
	}
	tree = totals(image);
	fprintf(to, "\n],\n\"summary\": %s\n}\n",
		json_object_to_json_string_ext(tree, JSON_FLAGS));
	json_object_put(tree);
	return 0;
}

int show_nothing(struct image *image)
{
	while (image_next(image))
		;
	return 0;
}

/* --- there and back -------------------------------------------------------------- */

/* Through the text of JSON, so that nothing gets around it. */
static int rewrite_rec(const struct image_rec *rec, int to, uint64_t *pos,
		       const char **error)
{
	struct json_object *tree = tree_from_rec(rec), *again;
	uint8_t *bytes;
	size_t len;
	int err;

	if (!tree)
		return -ENOMEM;
	again = json_tokener_parse(json_object_to_json_string(tree));
	json_object_put(tree);
	*error = "JSON";
	if (!again)
		return -EINVAL;
	err = tree_to_rec(again, &bytes, &len, error);
	json_object_put(again);
	if (err)
		return err;
	err = image_write(to, bytes, len);
	free(bytes);
	*pos += len;
	*error = NULL;
	return err;
}

static int write_zeros(int to, uint64_t len)
{
	static const uint8_t zeros[4096];
	size_t n;
	int err;

	for (; len; len -= n) {
		n = len < sizeof(zeros) ? len : sizeof(zeros);
		err = image_write(to, zeros, n);
		if (err)
			return err;
	}
	return 0;
}

/*
 * Decodes each record and encodes it again; copies the page contents. @error is
 * the name of what could not be encoded, if that is the reason.
 */
int rewrite_image(struct image *image, int to, const char **error)
{
	const struct image_rec *rec;
	uint64_t pos = 0, gap;
	int err;

	*error = NULL;
	while ((rec = image_next(image))) {
		err = rewrite_rec(rec, to, &pos, error);
		if (err)
			return err;
		if (!rec->pages_bytes)
			continue;
		gap = -pos & (image->page_size - 1);
		err = write_zeros(to, gap);
		if (err)
			return err;
		pos += gap + rec->pages_bytes;
		err = image_copy_pages(image, to);
		if (image->fault[0])
			return 0;
		if (err)
			return err;
	}
	return 0;
}

/* --- summary --------------------------------------------------------------------- */

/* A mapping, and how much of it the image holds. */
struct vma {
	uint32_t mm;
	const char *kind;
	uint64_t start;
	uint64_t end;
	uint64_t flags;
	uint64_t offset;
	uint32_t ref;
	char *name;
	uint64_t pages;
};

/* What an object is called: the path of a file and the like. */
struct object {
	uint32_t type;
	char *name;
};

struct summary {
	struct object *objects;
	size_t nr_objects;
	struct vma *vmas;
	size_t nr_vmas;
	bool sorted;
	char *header;
	size_t header_len;
	char *tasks;
	size_t tasks_len;
	char *files;
	size_t files_len;
	unsigned int nr_files;
	uint64_t huge_pages;
};

static void *grow(void *list, size_t nr, size_t size)
{
	/* Doubles at the powers of two. */
	if (nr & (nr - 1))
		return list;
	return reallocarray(list, nr ? 2 * nr : 1, size);
}

static uint64_t num(const struct image_rec *rec, const char *path)
{
	uint64_t value;

	image_num(rec, path, &value);
	return value;
}

static char *text(const struct image_rec *rec, const char *path)
{
	const uint8_t *bytes;
	size_t len;

	bytes = image_bytes(rec, path, &len);
	return bytes ? escape_bytes(bytes, len) : NULL;
}

static void header_summary(struct summary *summary, const struct image_rec *rec)
{
	char *release = text(rec, "release"), *version = text(rec, "version");
	time_t seconds = num(rec, "realtime_ns") / 1000000000;
	char when[64] = "?";
	struct tm tm;
	FILE *to;

	to = open_memstream(&summary->header, &summary->header_len);
	if (to) {
		if (gmtime_r(&seconds, &tm))
			strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S UTC",
				 &tm);
		fprintf(to, "checkpoint %" PRIu64 ", %s\n", num(rec, "crid"),
			when);
		fprintf(to, "kernel %s %s, x86-64, ", release ? release : "",
			version ? version : "");
		fprintf(to, "pages of %" PRIu64 " bytes, image version %" PRIu64 "\n",
			num(rec, "page_size"), num(rec, "image_version"));
		fclose(to);
	}
	free(release);
	free(version);
}

static void task_summary(FILE *to, const struct image_rec *rec)
{
	char *comm = text(rec, "comm");

	fprintf(to, "task %d (%s)%s, parent %d, process group %d, session %d\n",
		(int)num(rec, "pid"), comm ? comm : "",
		num(rec, "flags") & CKPT_TASK_STOPPED ? ", stopped" : "",
		(int)num(rec, "ppid"), (int)num(rec, "pgid"),
		(int)num(rec, "sid"));
	free(comm);
}

/* The object that a record defines, if it does, under the best of its names. */
static int note_object(struct summary *summary, const struct image_rec *rec,
		       uint32_t nr_objects)
{
	static const char *const names[] = { "path", "name", "dir" };
	struct object *object;
	size_t i, len;
	void *list;

	if (nr_objects <= summary->nr_objects)
		return 0;
	list = grow(summary->objects, summary->nr_objects, sizeof(*object));
	if (!list)
		return -ENOMEM;
	summary->objects = list;
	object = &summary->objects[summary->nr_objects++];
	object->type = rec->hdr.type;
	object->name = NULL;
	if (rec->hdr.type == CKPT_REC_FILE_EXTERNAL &&
	    asprintf(&object->name, "outside, as %d:%d", (int)num(rec, "pid"),
		     (int)num(rec, "fd")) < 0)
		return -ENOMEM;
	for (i = 0; i < 3 && !object->name; i++)
		if (image_bytes(rec, names[i], &len) && len)
			object->name = text(rec, names[i]);
	return 0;
}

static const char *type_name(uint32_t type)
{
	const struct ckpt_rec_desc *desc = ckpt_rec_desc_find(type);

	return desc ? desc->name : "unknown";
}

static const char *object_name(const struct summary *summary, uint32_t ref)
{
	const struct object *object;

	if (!ref || ref > summary->nr_objects)
		return "";
	object = &summary->objects[ref - 1];
	return object->name && *object->name ? object->name :
					       type_name(object->type);
}

static int note_vma(struct summary *summary, const struct image_rec *rec)
{
	struct vma *vma;
	uint64_t ref;
	void *list;

	list = grow(summary->vmas, summary->nr_vmas, sizeof(*vma));
	if (!list)
		return -ENOMEM;
	summary->vmas = list;
	vma = &summary->vmas[summary->nr_vmas++];
	vma->mm = rec->hdr.objref;
	vma->kind = rec->desc->name;
	vma->start = num(rec, "vma.start");
	vma->end = num(rec, "vma.end");
	vma->flags = num(rec, "vma.flags");
	vma->offset = num(rec, "offset");
	if (!image_num(rec, "file", &ref))
		image_num(rec, "shmem", &ref);
	vma->ref = ref;
	vma->name = text(rec, "name");
	vma->pages = 0;
	return 0;
}

static void files_summary(FILE *to, struct summary *summary,
			  const struct image_rec *rec)
{
	struct ckpt_fd fd;
	const uint8_t *bytes;
	size_t len, at;

	bytes = image_bytes(rec, "fds", &len);
	for (at = 0; bytes && len - at >= sizeof(fd); at += sizeof(fd)) {
		memcpy(&fd, bytes + at, sizeof(fd));
		fprintf(to, "%5d  %-14s #%-4u %s%s\n", fd.fd,
			fd.file && fd.file <= summary->nr_objects ?
			type_name(summary->objects[fd.file - 1].type) : "?",
			fd.file, object_name(summary, fd.file),
			fd.flags & CKPT_FD_CLOEXEC ? "  (close-on-exec)" : "");
		summary->nr_files++;
	}
}

static int vma_cmp(const void *a, const void *b)
{
	const struct vma *x = a, *y = b;

	if (x->mm != y->mm)
		return x->mm < y->mm ? -1 : 1;
	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return 0;
}

/* All mappings are known when the first pages come. */
static struct vma *find_vma(struct summary *summary, uint32_t mm, uint64_t addr)
{
	size_t low = 0, high = summary->nr_vmas, mid;
	struct vma *vma;

	if (!summary->sorted && high)
		qsort(summary->vmas, high, sizeof(*vma), vma_cmp);
	summary->sorted = true;
	while (low < high) {
		mid = low + (high - low) / 2;
		vma = &summary->vmas[mid];
		if (mm < vma->mm || (mm == vma->mm && addr < vma->start))
			high = mid;
		else if (mm > vma->mm || addr >= vma->end)
			low = mid + 1;
		else
			return vma;
	}
	return NULL;
}

static void pages_summary(struct summary *summary, const struct image_rec *rec)
{
	const struct ckpt_pages *pages = (const void *)rec->payload;
	struct vma *vma;
	uint32_t i;

	for (i = 0; i < pages->nr_extents; i++) {
		if (pages->extents[i].flags & CKPT_EXTENT_HUGE)
			summary->huge_pages += pages->extents[i].nr_pages;
		vma = find_vma(summary, rec->hdr.objref,
			       pages->extents[i].start);
		if (vma)
			vma->pages += pages->extents[i].nr_pages;
	}
}

static void print_vmas(const struct summary *summary, uint32_t page_size,
		       FILE *to)
{
	const struct vma *vma;
	const char *name;
	size_t i;

	if (summary->nr_vmas)
		fprintf(to, "\nmappings\n");
	for (i = 0; i < summary->nr_vmas; i++) {
		vma = &summary->vmas[i];
		name = vma->name && *vma->name ? vma->name :
		       object_name(summary, vma->ref);
		fprintf(to, "%012" PRIx64 "-%012" PRIx64 " ", vma->start,
			vma->end);
		fprintf(to, "%c%c%c%c %08" PRIx64 " %8" PRIu64 " KiB  %-12s %s\n",
			vma->flags & CKPT_VMA_READ ? 'r' : '-',
			vma->flags & CKPT_VMA_WRITE ? 'w' : '-',
			vma->flags & CKPT_VMA_EXEC ? 'x' : '-',
			vma->flags & CKPT_VMA_SHARED ? 's' : 'p',
			vma->offset, vma->pages * (page_size >> 10),
			vma->kind + strlen("VMA_"), name);
	}
}

static void print_totals(const struct summary *summary,
			 const struct image *image, FILE *to)
{
	fprintf(to, "\n%" PRIu64 " bytes, %" PRIu64 " records, %u objects, ",
		image->pos, image->nr_records, image->nr_objects);
	fprintf(to, "%u tasks, %zu mappings, %u file descriptors\n",
		image->nr_tasks, summary->nr_vmas, summary->nr_files);
	fprintf(to, "%" PRIu64 " pages, %" PRIu64 " KiB of contents",
		image->nr_pages, image->nr_pages * (image->page_size >> 10));
	if (summary->huge_pages)
		fprintf(to, ", %" PRIu64 " of the pages in huge pages",
			summary->huge_pages);
	fputc('\n', to);
}

static bool is_vma(const struct image_rec *rec)
{
	return !strncmp(rec->desc->name, "VMA_", strlen("VMA_"));
}

static int summary_read(struct summary *summary, struct image *image,
			FILE *tasks, FILE *files)
{
	const struct image_rec *rec;
	uint32_t type;
	int err = 0;

	while (!err && (rec = image_next(image))) {
		type = rec->hdr.type;
		if (!rec->desc)
			continue;
		err = note_object(summary, rec, image->nr_objects);
		if (type == CKPT_REC_HEADER)
			header_summary(summary, rec);
		else if (type == CKPT_REC_TASK)
			task_summary(tasks, rec);
		else if (type == CKPT_REC_FILES)
			files_summary(files, summary, rec);
		else if (type == CKPT_REC_PAGES)
			pages_summary(summary, rec);
		else if (is_vma(rec) && !err)
			err = note_vma(summary, rec);
	}
	return err;
}

/* For people: who, when, and how much of what. */
int show_summary(struct image *image, FILE *to)
{
	struct summary summary = { 0 };
	FILE *tasks, *files;
	int err = -ENOMEM;
	size_t i;

	tasks = open_memstream(&summary.tasks, &summary.tasks_len);
	files = open_memstream(&summary.files, &summary.files_len);
	if (tasks && files)
		err = summary_read(&summary, image, tasks, files);
	if (tasks)
		fclose(tasks);
	if (files)
		fclose(files);

	if (!err && image->nr_records) {
		fputs(summary.header ? summary.header : "", to);
		fputs(summary.tasks, to);
		print_vmas(&summary, image->page_size, to);
		if (summary.nr_files)
			fprintf(to, "\nfiles\n%s", summary.files);
		print_totals(&summary, image, to);
	}

	for (i = 0; i < summary.nr_vmas; i++)
		free(summary.vmas[i].name);
	for (i = 0; i < summary.nr_objects; i++)
		free(summary.objects[i].name);
	free(summary.vmas);
	free(summary.objects);
	free(summary.header);
	free(summary.tasks);
	free(summary.files);
	return err;
}
