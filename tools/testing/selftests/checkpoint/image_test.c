// SPDX-License-Identifier: GPL-2.0
/*
 * Bad images: cut off anywhere, altered in any byte and any field, with the
 * checksums mended, records lost, doubled, swapped and foreign. Each gives an
 * error, or a process that is killed at once; never anything else.
 *
 * $CKPT_TEST_SCALE multiplies how many there are, 2 is all of them. Without it
 * there are half of them, and fewer on a kernel that $SLOW says is slow (see
 * ckpt_scale() and ckpt_sample()).
 */
#include "ckpt_test.h"

#include <linux/checkpoint_image.h>
#include <sched.h>
#include <sys/socket.h>

#include "records_table.h"

#define USER		1000
#define PAGE		4096UL
#define MAX_RECORDS	512
#define MAX_IMAGE	(1 << 20)
#define FRESH		((unsigned long)RESTART_FRESH_PIDS)
#define STOPPED		((unsigned long)RESTART_STOPPED)

/* Of the changed images that there could be. */
static double how_many(void)
{
	return ckpt_scale() / 2;
}

/* --- images --------------------------------------------------------------- */

struct record {
	struct ckpt_rec_hdr hdr;	/* as it will be written */
	uint8_t *payload;
	uint8_t *pages;			/* behind a PAGES record */
	size_t pages_len;
	size_t pos;			/* where it was, or was built */
};

struct image {
	struct record rec[MAX_RECORDS];
	int nr;
	uint8_t *raw;			/* as it was saved */
	size_t len;
};

/* CRC-32C; the caller inverts before and after. */
static uint32_t crc32c(uint32_t crc, const void *buf, size_t len)
{
	static uint32_t table[256];
	const uint8_t *bytes = buf;
	int i, bit;

	for (i = 0; !table[255] && i < 256; i++) {
		uint32_t value = i;

		for (bit = 0; bit < 8; bit++)
			value = value >> 1 ^ (value & 1 ? 0x82f63b78 : 0);
		table[i] = value;
	}
	while (len--)
		crc = crc >> 8 ^ table[(crc ^ *bytes++) & 0xff];
	return crc;
}

static size_t pad8(size_t len)
{
	return -len & 7;
}

static uint32_t record_crc(const struct record *rec)
{
	static const uint8_t zeros[8];
	struct ckpt_rec_hdr hdr = rec->hdr;
	uint32_t crc;

	hdr.crc32c = 0;
	crc = crc32c(~0U, &hdr, sizeof(hdr));
	crc = crc32c(crc, rec->payload, rec->hdr.len);
	return ~crc32c(crc, zeros, pad8(rec->hdr.len));
}

/* The image as a list of records, which point into it. */
static int parse(struct image *im)
{
	size_t pos = 0;

	im->nr = 0;
	while (pos + sizeof(struct ckpt_rec_hdr) <= im->len) {
		struct record *rec = &im->rec[im->nr];

		if (im->nr++ == MAX_RECORDS)
			return ckpt_say("too many records");
		memset(rec, 0, sizeof(*rec));
		rec->pos = pos;
		memcpy(&rec->hdr, im->raw + pos, sizeof(rec->hdr));
		rec->payload = im->raw + pos + sizeof(rec->hdr);
		pos += sizeof(rec->hdr) + rec->hdr.len + pad8(rec->hdr.len);
		if (pos > im->len)
			return ckpt_say("a record ends behind the image");
		if (record_crc(rec) != rec->hdr.crc32c)
			return ckpt_say("record %d has checksum %#x and not %#x",
					im->nr - 1, rec->hdr.crc32c,
					record_crc(rec));
		if (rec->hdr.type == CKPT_REC_PAGES) {
			struct ckpt_pages *pages = (void *)rec->payload;

			pos = (pos + PAGE - 1) & -PAGE;
			rec->pages = im->raw + pos;
			rec->pages_len = pages->nr_pages * PAGE;
			pos += rec->pages_len;
		}
	}
	return pos == im->len && im->nr ? 0 : ckpt_say("bytes behind the end");
}

/* Puts an image together, with right checksums. Returns its length. */
static size_t build(struct image *im, uint8_t *buf)
{
	size_t pos = 0, pad;
	int i;

	for (i = 0; i < im->nr; i++) {
		struct record *rec = &im->rec[i];

		rec->pos = pos;
		rec->hdr.crc32c = record_crc(rec);
		memcpy(buf + pos, &rec->hdr, sizeof(rec->hdr));
		pos += sizeof(rec->hdr);
		memcpy(buf + pos, rec->payload, rec->hdr.len);
		pos += rec->hdr.len;
		pad = pad8(rec->hdr.len);
		memset(buf + pos, 0, pad);
		pos += pad;
		if (rec->pages) {
			pad = -pos & (PAGE - 1);
			memset(buf + pos, 0, pad);
			pos += pad;
			memcpy(buf + pos, rec->pages, rec->pages_len);
			pos += rec->pages_len;
		}
	}
	return pos;
}

static int find(const struct image *im, uint32_t type)
{
	int i;

	for (i = 0; i < im->nr; i++) {
		if (im->rec[i].hdr.type == type)
			return i;
	}
	return -1;
}

/* The counts in META_END and END are made to fit. */
static void mend_counts(struct image *im)
{
	struct ckpt_meta_end *meta;
	struct ckpt_end *end;
	int i;

	i = find(im, CKPT_REC_META_END);
	if (i >= 0) {
		meta = (void *)im->rec[i].payload;
		meta->nr_records = i;
	}
	i = find(im, CKPT_REC_END);
	if (i >= 0) {
		end = (void *)im->rec[i].payload;
		end->nr_records = i;
	}
}

static const char *record_name(const struct record *rec)
{
	const struct ckpt_rec_desc *desc = ckpt_rec_desc_find(rec->hdr.type);

	return desc ? desc->name : "unknown";
}

static int read_image(struct image *im, const char *path)
{
	im->raw = (uint8_t *)ckpt_read_file(path, &im->len);
	if (!im->raw)
		return ckpt_say("no memory");
	return parse(im);
}

/* An image of its own of tiny_target. */
static int make_image(struct ckpt_test *t, struct image *im, const char *arg)
{
	pid_t pid;

	pid = ckpt_start_tiny(t, arg);
	if (pid < 0)
		return -1;
	if (ckpt_checkpoint(t, pid, t->image, 0) <= 0 || ckpt_kill(t, pid))
		return -1;
	return read_image(im, t->image);
}

static struct image *copy_image(const struct image *im)
{
	struct image *copy = malloc(sizeof(*copy));
	int i;

	if (!copy)
		abort();
	*copy = *im;
	copy->raw = malloc(im->len);
	if (!copy->raw)
		abort();
	memcpy(copy->raw, im->raw, im->len);
	for (i = 0; i < copy->nr; i++) {
		copy->rec[i].payload += copy->raw - im->raw;
		if (copy->rec[i].pages)
			copy->rec[i].pages += copy->raw - im->raw;
	}
	return copy;
}

static void free_image(struct image *im)
{
	free(im->raw);
	free(im);
}

/* --- one try -------------------------------------------------------------- */

/* A worker's own: it has a file, and does not get stuck. */
struct worker {
	struct ckpt_test *t;
	int fd;
	int log;
	int number, workers;
	unsigned long tries, alive;
	uint64_t random;
};

static uint64_t random64(struct worker *w)
{
	uint64_t z = (w->random += 0x9e3779b97f4a7c15ULL);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

static uint64_t below(struct worker *w, uint64_t limit)
{
	return random64(w) % limit;
}

static int load(struct worker *w, const void *buf, size_t len)
{
	if (ftruncate(w->fd, len) || pwrite(w->fd, buf, len, 0) != (ssize_t)len)
		return ckpt_say("cannot write: %s", strerror(errno));
	return 0;
}

/*
 * Restart from what is in the file. Returns the error (negative), or 1 when
 * there was a process; it is gone then. Positive above 1: something is wrong.
 */
static int try_file(struct worker *w, unsigned long flags)
{
	int status;
	long ret;

	if (!(w->tries++ % 64))
		alarm(ckpt_test_seconds() / 2);
	if (w->tries % 8 == 0 && w->log >= 0) {
		if (ftruncate(w->log, 0))
			return 2;
		flags |= CHECKPOINT_LOG_FD(w->log);
	}
	lseek(w->fd, 0, SEEK_SET);
	ret = ckpt_sys_restart(0, w->fd, flags | RESTART_FRESH_PIDS);
	if (ret < 0) {
		if (ret < -4095 || ckpt_has_children()) {
			ckpt_say("error %ld left a child behind", ret);
			return 3;
		}
		return ret;
	}
	w->alive++;
	if (kill(ret, SIGKILL) || waitpid(ret, &status, __WALL) != ret ||
	    ckpt_has_children()) {
		ckpt_say("cannot end process %ld", ret);
		return 4;
	}
	return 1;
}

static int try_image(struct worker *w, const void *buf, size_t len,
		     unsigned long flags)
{
	return load(w, buf, len) ? 5 : try_file(w, flags);
}

/* A caller that would be replaced stays what it is after an error. */
static int try_self(struct worker *w)
{
	static char data[5000];
	int status, ms;
	pid_t pid, got;
	long ret;

	pid = fork();
	if (!pid) {
		ckpt_fill(data, sizeof(data), 1);
		lseek(w->fd, 0, SEEK_SET);
		ret = ckpt_sys_restart(0, w->fd, RESTART_SELF |
				       RESTART_FRESH_PIDS | RESTART_STOPPED);
		_exit(ret >= 0 || ckpt_fill_differs(data, sizeof(data), 1) != -1 ||
		      fcntl(w->fd, F_GETFD) < 0);
	}
	for (ms = 0; ms < 20000; ms++) {
		got = waitpid(pid, &status, WUNTRACED | WNOHANG);
		if (got == pid && !WIFSTOPPED(status))
			return status;
		/* It was replaced, and stopped; or it runs and does not end. */
		if (got == pid || ms == 10000) {
			kill(pid, SIGKILL);
			waitpid(pid, &status, 0);
			w->alive++;
			return 0;
		}
		usleep(ms < 10 ? 200 : 1000);
	}
	return -1;
}

/*
 * Runs work in as many processes as there are processors, each with an image of
 * its own: two processes of one image can get into each other's way.
 */
static int run_workers(struct ckpt_test *t, const char *arg,
		       int (*work)(struct worker *w, const struct image *im))
{
	static struct image im;
	struct worker w = { .t = t };
	pid_t pids[8];
	cpu_set_t set;
	int64_t start = ckpt_now_ns(CLOCK_MONOTONIC);
	int i, status, bad = 0;

	w.workers = 1;
	if (!sched_getaffinity(0, sizeof(set), &set))
		w.workers = CPU_COUNT(&set);
	if (w.workers > 8)
		w.workers = 8;
	fflush(stdout);
	for (i = 0; i < w.workers; i++) {
		pids[i] = fork();
		if (pids[i] < 0)
			return ckpt_say("fork: %s", strerror(errno));
		if (pids[i])
			continue;
		w.number = i;
		w.random = i + 1;
		w.fd = open(t->dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
		w.log = open(t->dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
		if (w.fd < 0)
			_exit(ckpt_say("no file: %s", strerror(errno)));
		snprintf(t->image, sizeof(t->image), "%s/image.%d", t->dir, i);
		if (chdir(t->dir) || make_image(t, &im, arg))
			_exit(1);
		status = work(&w, &im);
		ckpt_say("worker %d: %lu tries, %lu of them with a process, %lld ms",
			 i, w.tries, w.alive,
			 (long long)(ckpt_now_ns(CLOCK_MONOTONIC) - start) /
			 1000000);
		fflush(stdout);
		_exit(status ? 1 : 0);
	}
	for (i = 0; i < w.workers; i++) {
		if (waitpid(pids[i], &status, 0) != pids[i] || status) {
			ckpt_say("worker %d ended with %#x", i, status);
			bad++;
		}
	}
	return bad;
}

/* --- the image itself ----------------------------------------------------- */

TEST_F(checkpoint, good_image)
{
	static const char *const args[] = { NULL, "rich" };
	struct image im;
	uint8_t *buf;
	size_t len;
	pid_t pid;
	int i, fd;

	NOT_DRY();
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, make_image(&self->t, &im, args[i]));
		TH_LOG("%s: %d records, %zu bytes", args[i] ?: "tiny", im.nr,
		       im.len);
		EXPECT_EQ(CKPT_REC_HEADER, im.rec[0].hdr.type);
		EXPECT_EQ(0, memcmp(im.raw, "CKPT", 4));
		EXPECT_EQ(CKPT_REC_END, im.rec[im.nr - 1].hdr.type);
		/* Put together again it is the same. */
		buf = malloc(MAX_IMAGE);
		ASSERT_NE(NULL, buf);
		len = build(&im, buf);
		ASSERT_EQ(im.len, len);
		EXPECT_EQ(0, memcmp(buf, im.raw, len));
		/* What follows it is nobody's business. */
		buf[len] = 0x55;
		fd = open(self->t.other, O_RDWR | O_CREAT | O_TRUNC, 0600);
		ASSERT_EQ((ssize_t)len + 1, write(fd, buf, len + 1));
		ASSERT_EQ(0, lseek(fd, 0, SEEK_SET));
		pid = ckpt_restart_fd(&self->t, fd, FRESH);
		ASSERT_LT(0, pid)
			ckpt_show_log(&self->t);
		EXPECT_EQ((off_t)len, lseek(fd, 0, SEEK_CUR));
		ASSERT_EQ(0, ckpt_go_tiny(pid));
		EXPECT_EQ(TINY_STATUS, ckpt_wait(&self->t, pid));
		close(fd);
		free(buf);
		free(im.raw);
	}
}

/* --- cut off -------------------------------------------------------------- */

/* Is this byte one of page contents, which have no checksum? */
static bool in_contents(const struct image *im, size_t pos)
{
	int i;

	for (i = 0; i < im->nr; i++) {
		const uint8_t *pages = im->rec[i].pages;

		if (pages && im->raw + pos >= pages &&
		    im->raw + pos < pages + im->rec[i].pages_len)
			return true;
	}
	return false;
}

static int truncated(struct worker *w, const struct image *im)
{
	double scale = how_many();
	size_t len;
	int ret;

	/* From the end, so that the file is written once. */
	if (load(w, im->raw, im->len))
		return -1;
	for (len = im->len - 1; len + 1 > 0; len--) {
		if ((int)(len % w->workers) != w->number || !ckpt_sample())
			continue;
		/* Within a page all places are much the same. */
		if (scale < 1 && in_contents(im, len) && in_contents(im, len - 1) &&
		    below(w, 100) > scale * 10)
			continue;
		if (ftruncate(w->fd, len))
			return ckpt_say("ftruncate: %s", strerror(errno));
		ret = try_file(w, 0);
		if (ret >= 0)
			return ckpt_say("cut off at %zu of %zu it gave %d", len,
					im->len, ret);
	}
	return 0;
}

TEST_F(checkpoint, cut_off_at_every_byte)
{
	NOT_DRY();
	EXPECT_EQ(0, run_workers(&self->t, NULL, truncated));
}

/* A pipe tells the end in another way. */
TEST_F(checkpoint, cut_off_in_pipe)
{
	struct image im;
	size_t len, part, done;
	int pair[2], i;
	long ret;
	pid_t pid;

	NOT_DRY();
	ASSERT_EQ(0, make_image(&self->t, &im, NULL));
	for (i = 0; i < 40; i++) {
		len = im.len * i / 40 + i % 7;
		ASSERT_EQ(0, pipe(pair));
		fflush(stdout);
		pid = fork();
		ASSERT_LE(0, pid);
		if (!pid) {
			signal(SIGPIPE, SIG_IGN);
			close(pair[0]);
			for (done = 0; done < len; done += part) {
				part = len - done < 1000 ? len - done : 1000;
				if (write(pair[1], im.raw + done, part) !=
				    (ssize_t)part)
					break;
			}
			_exit(0);
		}
		close(pair[1]);
		ret = ckpt_restart_fd(&self->t, pair[0], FRESH);
		EXPECT_GT(0, ret);
		close(pair[0]);
		ASSERT_EQ(pid, waitpid(pid, NULL, 0));
	}
	free(im.raw);
}

/* --- bytes ---------------------------------------------------------------- */

static int altered_byte(struct worker *w, const struct image *im)
{
	uint8_t byte;
	size_t pos;
	int ret;

	if (load(w, im->raw, im->len))
		return -1;
	for (pos = w->number; pos < im->len; pos += w->workers) {
		if (in_contents(im, pos) || !ckpt_sample())
			continue;
		byte = im->raw[pos] ^ (1 << below(w, 8));
		if (pwrite(w->fd, &byte, 1, pos) != 1)
			return -1;
		ret = try_file(w, 0);
		if (ret >= 0)
			return ckpt_say("byte %zu was %#x, became %#x: gave %d",
					pos, im->raw[pos], byte, ret);
		if (pwrite(w->fd, &im->raw[pos], 1, pos) != 1)
			return -1;
	}
	return try_file(w, 0) == 1 ? 0 : ckpt_say("it is not good any more");
}

TEST_F(checkpoint, every_byte_altered)
{
	NOT_DRY();
	EXPECT_EQ(0, run_workers(&self->t, NULL, altered_byte));
}

/* --- fields --------------------------------------------------------------- */

struct where {
	struct worker *w;
	const struct image *im;
	const struct record *rec;
	int (*judge)(struct where *where, const char *name, int ret);
	uint64_t old, new;
	size_t offset;
	unsigned int index;		/* of all the fields */
};

static uint64_t get_field(const uint8_t *at, size_t size)
{
	uint64_t value = 0;

	memcpy(&value, at, size);
	return value;
}

/* Writes the record as it is now, with a right checksum, and tries it. */
static int try_record(struct where *where, struct record *rec)
{
	struct worker *w = where->w;
	int ret = 5;

	rec->hdr.crc32c = record_crc(rec);
	if (pwrite(w->fd, &rec->hdr, sizeof(rec->hdr), rec->pos) ==
		    sizeof(rec->hdr) &&
	    pwrite(w->fd, rec->payload, where->rec->hdr.len,
		   rec->pos + sizeof(rec->hdr)) == (ssize_t)where->rec->hdr.len)
		ret = try_file(w, w->tries % 4 ? STOPPED : 0);
	return ret;
}

static int try_value(struct where *where, uint8_t *at, size_t size,
		     uint64_t value, bool pad, const char *name)
{
	struct record changed = *where->rec;
	static uint8_t payload[1 << 20];
	size_t offset = at - where->rec->payload;
	int ret;

	if (where->rec->hdr.len > sizeof(payload))
		return 0;
	memcpy(payload, where->rec->payload, where->rec->hdr.len);
	changed.payload = payload;
	memcpy(payload + offset, &value, size);
	where->new = get_field(payload + offset, size);
	where->offset = offset;
	if (where->new == where->old)
		return 0;
	ret = try_record(where, &changed);
	if (ret > 1 || (pad && ret >= 0))
		return ckpt_say("%s.%s was %#llx, became %#llx: gave %d",
				record_name(where->rec), name,
				(unsigned long long)where->old,
				(unsigned long long)where->new, ret);
	return where->judge ? where->judge(where, name, ret) : 0;
}

static int try_field(struct where *where, uint8_t *at,
		     const struct ckpt_field *field)
{
	uint64_t old = get_field(at, field->size);
	uint64_t top = 1ULL << (field->size * 8 - 1);
	uint64_t values[] = {
		0, 1, ~0ULL, top, top - 1, old + 1, old - 1, old ^ top,
		old << 1, old >> 1, random64(where->w),
		old ^ 1ULL << below(where->w, field->size * 8),
		old ^ 1ULL << below(where->w, field->size * 8), 0x1000,
		0x7fffffff, old + 0x1000,
	};
	unsigned int i, nr = ARRAY_SIZE(values);

	/* References: to each object there can be. */
	where->old = old;
	for (i = 0; i < nr; i++) {
		if (below(where->w, 100) < 100 * how_many() &&
		    try_value(where, at, field->size, values[i], field->pad,
			      field->name))
			return -1;
	}
	for (i = 0; field->type == CKPT_FIELD_REF && i < 20; i++) {
		if (ckpt_sample() &&
		    try_value(where, at, field->size, i, false, field->name))
			return -1;
	}
	return 0;
}

static int try_struct(struct where *where, uint8_t *base,
		      const struct ckpt_struct *layout, size_t room)
{
	unsigned int i, n, count;
	uint8_t *at;

	for (i = 0; i < layout->nr_fields; i++) {
		const struct ckpt_field *field = &layout->fields[i];

		if (field->offset > room)
			break;
		count = field->count;
		if (field->array == CKPT_ARRAY_FLEX)
			count = (room - field->offset) / field->size;
		for (n = 0; n < count; n++) {
			/* Of long arrays some, the first and last always. */
			if (count > 24 && n > 3 && n + 3 < count &&
			    below(where->w, count) > 16)
				continue;
			at = base + field->offset + n * field->size;
			if (field->type == CKPT_FIELD_STRUCT) {
				if (try_struct(where, at, field->sub,
					       field->size))
					return -1;
				continue;
			}
			if ((int)(where->index++ % where->w->workers) !=
			    where->w->number)
				continue;
			if (try_field(where, at, field))
				return -1;
		}
	}
	return 0;
}

static int altered_fields(struct worker *w, const struct image *im)
{
	struct where where = { .w = w, .im = im };
	int i;

	if (load(w, im->raw, im->len))
		return -1;
	/* Each worker its own random choice, but all of the same elements. */
	w->random = 12345;
	for (i = 0; i < im->nr; i++) {
		const struct ckpt_rec_desc *desc;

		where.rec = &im->rec[i];
		desc = ckpt_rec_desc_find(where.rec->hdr.type);
		if (!desc || !desc->layout)
			return ckpt_say("record %d of type %#x is not in the table",
					i, where.rec->hdr.type);
		if (try_struct(&where, where.rec->payload, desc->layout,
			       where.rec->hdr.len))
			return -1;
		if (pwrite(w->fd, im->raw + where.rec->pos,
			   sizeof(where.rec->hdr) + where.rec->hdr.len,
			   where.rec->pos) < 0)
			return -1;
	}
	return try_file(w, 0) == 1 ? 0 : ckpt_say("it is not good any more");
}

TEST_F(checkpoint, every_field_altered)
{
	NOT_DRY();
	EXPECT_EQ(0, run_workers(&self->t, "rich", altered_fields));
}

/* The headers of all records, and the record HEADER's most of all. */
static int altered_headers(struct worker *w, const struct image *im)
{
	static const struct {
		size_t offset, size;
	} fields[] = {
		{ offsetof(struct ckpt_rec_hdr, type), 4 },
		{ offsetof(struct ckpt_rec_hdr, version), 2 },
		{ offsetof(struct ckpt_rec_hdr, flags), 2 },
		{ offsetof(struct ckpt_rec_hdr, len), 8 },
		{ offsetof(struct ckpt_rec_hdr, objref), 4 },
	};
	unsigned int f, v;
	int i, ret;

	if (load(w, im->raw, im->len))
		return -1;
	for (i = w->number; i < im->nr; i += w->workers) {
		for (f = 0; f < 5; f++) {
			const uint8_t *at = im->raw + im->rec[i].pos +
					    fields[f].offset;
			uint64_t old = get_field(at, fields[f].size);
			uint64_t values[] = {
				0, 1, 2, ~0ULL, old + 1, old - 1, old + 8,
				old - 8, 1ULL << 63, 1ULL << 31, 1ULL << 21,
				old + 4096, ~0ULL - 7, ~0ULL - 24, 0x10, 0x11,
				0xc0,
			};

			for (v = 0; v < ARRAY_SIZE(values); v++) {
				struct record changed = im->rec[i];
				uint64_t crc_len;

				memcpy((uint8_t *)&changed.hdr + fields[f].offset,
				       &values[v], fields[f].size);
				if (!memcmp(&changed.hdr, at - fields[f].offset,
					    sizeof(changed.hdr)) ||
				    !ckpt_sample())
					continue;
				/* A checksum over what is there. */
				crc_len = changed.hdr.len;
				if (crc_len > im->len - im->rec[i].pos - 24)
					changed.hdr.len = im->rec[i].hdr.len;
				changed.hdr.crc32c = record_crc(&changed);
				changed.hdr.len = crc_len;
				if (pwrite(w->fd, &changed.hdr, 24,
					   im->rec[i].pos) != 24)
					return -1;
				ret = try_file(w, STOPPED);
				/*
				 * That it may be skipped changes nothing, some
				 * more bytes of padding make longer data, and
				 * contents may fit into another object too.
				 */
				if (ret >= 0 && f != 2 &&
				    !(f == 3 && crc_len + pad8(crc_len) ==
				      im->rec[i].hdr.len +
				      pad8(im->rec[i].hdr.len)) &&
				    !(f == 4 && im->rec[i].pages))
					return ckpt_say("record %d (%s): field %u made %#llx gave %d",
							i, record_name(&im->rec[i]), f,
							(unsigned long long)values[v], ret);
			}
		}
		if (pwrite(w->fd, &im->rec[i].hdr, 24, im->rec[i].pos) != 24)
			return -1;
	}
	return try_file(w, 0) == 1 ? 0 : ckpt_say("it is not good any more");
}

TEST_F(checkpoint, every_header_altered)
{
	NOT_DRY();
	EXPECT_EQ(0, run_workers(&self->t, "rich", altered_headers));
}

/* --- whole records -------------------------------------------------------- */

static void delete_record(struct image *im, int at)
{
	memmove(&im->rec[at], &im->rec[at + 1],
		(im->nr - at - 1) * sizeof(im->rec[0]));
	im->nr--;
}

static void insert_record(struct image *im, int at, const struct record *rec)
{
	if (im->nr == MAX_RECORDS)
		return;
	memmove(&im->rec[at + 1], &im->rec[at],
		(im->nr - at) * sizeof(im->rec[0]));
	im->rec[at] = *rec;
	im->nr++;
}

static int odd_records(struct worker *w, const struct image *im)
{
	uint8_t *buf = malloc(2 * MAX_IMAGE);
	struct image *copy;
	int i, j, what, ret;

	if (!buf)
		return -1;
	for (i = w->number; i < im->nr; i += w->workers) {
		for (what = 0; what < 8; what++) {
			struct record rec;

			copy = copy_image(im);
			j = below(w, im->nr);
			switch (what) {
			case 0:		/* lost */
			case 1:
				delete_record(copy, i);
				break;
			case 2:		/* doubled */
			case 3:
				insert_record(copy, i, &im->rec[i]);
				break;
			case 4:		/* doubled elsewhere */
				insert_record(copy, j, &im->rec[i]);
				break;
			case 5:		/* moved */
				delete_record(copy, i);
				insert_record(copy, below(w, im->nr - 1),
					      &im->rec[i]);
				break;
			case 6:		/* swapped */
				copy->rec[i] = im->rec[j];
				copy->rec[j] = im->rec[i];
				break;
			default:	/* as another type */
				rec = im->rec[i];
				rec.hdr.type = im->rec[j].hdr.type;
				copy->rec[i] = rec;
			}
			if (what != 0 && what != 2)
				mend_counts(copy);
			ret = try_image(w, buf, build(copy, buf), STOPPED);
			free_image(copy);
			if (ret > 1)
				return ckpt_say("record %d, change %d: gave %d",
						i, what, ret);
		}
	}
	free(buf);
	return 0;
}

TEST_F(checkpoint, odd_records)
{
	NOT_DRY();
	EXPECT_EQ(0, run_workers(&self->t, "rich", odd_records));
}

/* A file with the records that are in the image now; at its beginning. */
static int open_built(struct ckpt_test *t, struct image *im)
{
	uint8_t *buf = malloc(im->len + MAX_IMAGE);
	size_t len;
	int fd;

	if (!buf)
		return ckpt_say("no memory");
	mend_counts(im);
	len = build(im, buf);
	fd = open(t->other, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, buf, len) != (ssize_t)len)
		return ckpt_say("%s: %s", t->other, strerror(errno));
	lseek(fd, 0, SEEK_SET);
	free(buf);
	return fd;
}

/* Restart from them. */
static long restart_records(struct ckpt_test *t, struct image *im)
{
	int fd = open_built(t, im);
	long ret;

	if (fd < 0)
		return -1;
	ret = ckpt_restart_fd(t, fd, FRESH);
	close(fd);
	return ret;
}

/* The same for an image of tiny_target, which then ends. */
static long restart_built(struct ckpt_test *t, struct image *im)
{
	long ret = restart_records(t, im);

	if (ret > 0 && (ckpt_go_tiny(ret) || ckpt_wait(t, ret) != TINY_STATUS))
		return ckpt_say("it did not end as it should");
	return ret;
}

/* What a later kernel may write: more than this one knows. */
TEST_F(checkpoint, unknown_records)
{
	uint8_t payload[300] = "whatever";
	struct record rec = { .payload = payload };
	struct image im, *copy;
	int i;

	NOT_DRY();
	ASSERT_EQ(0, make_image(&self->t, &im, NULL));
	rec.hdr.type = 0x7abcdef0;
	rec.hdr.version = 3;
	rec.hdr.len = 13;
	for (i = 1; i < im.nr; i++) {
		/* One that need not be known is skipped, wherever it stands. */
		copy = copy_image(&im);
		rec.hdr.flags = CKPT_RECF_OPTIONAL;
		insert_record(copy, i, &rec);
		EXPECT_LT(0, restart_built(&self->t, copy)) {
			TH_LOG("before record %d (%s)", i, record_name(&im.rec[i]));
			ckpt_show_log(&self->t);
		}
		free_image(copy);
		/* Another is not. */
		copy = copy_image(&im);
		rec.hdr.flags = 0;
		insert_record(copy, i, &rec);
		EXPECT_GT(0, restart_built(&self->t, copy));
		free_image(copy);
		if (i > 6 && i < im.nr - 6)
			i += 4;
	}
	free(im.raw);
}

/* A longer payload is fine if what is more is zero. */
TEST_F(checkpoint, longer_payload)
{
	static uint8_t longer[1 << 16];
	struct image im, *copy;
	int i;

	NOT_DRY();
	ASSERT_EQ(0, make_image(&self->t, &im, NULL));
	i = find(&im, CKPT_REC_TASK);
	ASSERT_LT(0, i);
	memcpy(longer, im.rec[i].payload, im.rec[i].hdr.len);
	copy = copy_image(&im);
	copy->rec[i].payload = longer;
	copy->rec[i].hdr.len += 16;
	EXPECT_LT(0, restart_built(&self->t, copy))
		ckpt_show_log(&self->t);
	longer[im.rec[i].hdr.len + 9] = 1;
	EXPECT_GT(0, restart_built(&self->t, copy));
	free_image(copy);
	/* A shorter one than there ever was is not. */
	copy = copy_image(&im);
	copy->rec[i].hdr.len -= 8;
	EXPECT_GT(0, restart_built(&self->t, copy));
	free_image(copy);
	free(im.raw);
}

/* Where saving failed the image says so, and the restart says it again. */
TEST_F(checkpoint, error_record)
{
	struct {
		struct ckpt_error error;
		char reason[40];
	} payload = { { .error = ENOSPC }, "errno=28: the disk was full" };
	struct record rec = {
		.hdr = { .type = CKPT_REC_ERROR, .version = 1,
			 .len = sizeof(struct ckpt_error) + 27 },
		.payload = (uint8_t *)&payload,
	};
	struct image im, *copy;
	int at;

	NOT_DRY();
	ASSERT_EQ(0, make_image(&self->t, &im, NULL));
	for (at = 1; at < im.nr; at += 5) {
		copy = copy_image(&im);
		insert_record(copy, at, &rec);
		copy->nr = at + 1;
		EXPECT_GT(0, restart_built(&self->t, copy));
		EXPECT_NE(NULL, strstr(self->t.log, "disk was full"));
		free_image(copy);
	}
	free(im.raw);
}

/* So many bytes of metadata more. */
SCENARIO(with_bytes)
{
	int p[2], left = atoi(ckpt_arg), n;
	static char buf[4096];

	NEED(!pipe2(p, O_NONBLOCK));
	for (; left > 0; left -= n) {
		n = left < 4096 ? left : 4096;
		NEED(write(p[1], buf, n) == n);
	}
	ckpt_point();
}

/* Where the padding in front of the first contents begins, or -1. */
static long padding_begins(struct ckpt_test *t, const char *arg)
{
	static struct image im;
	pid_t pid;
	int i;

	pid = ckpt_start(t, "with_bytes", arg);
	if (pid <= 0 || ckpt_checkpoint(t, pid, t->image, 0) <= 0 ||
	    ckpt_kill(t, pid) || read_image(&im, t->image))
		return -1;
	free(im.raw);
	i = find(&im, CKPT_REC_PAGES);
	if (i < 0)
		return -1;
	return im.rec[i].pos + sizeof(im.rec[i].hdr) + im.rec[i].hdr.len +
	       pad8(im.rec[i].hdr.len);
}

/*
 * The padding in front of the contents cannot be written, but what would come
 * behind it could: then nothing follows. Metadata are written by 16 kB, so they
 * are made so long that the padding ends the first piece.
 */
TEST_F(checkpoint, error_in_padding)
{
	const long piece = 16384;
	char arg[20], buf[20000];
	int out, other;
	pid_t pid;
	long at;

	NOT_DRY();
	at = padding_begins(&self->t, "0");
	ASSERT_LT(0, at);
	if (at > piece - 2000)
		SKIP(return, "%ld bytes of metadata are too many", at);
	snprintf(arg, sizeof(arg), "%ld", piece - 1500 - at);
	at = padding_begins(&self->t, arg);
	ASSERT_LT(piece - 4096, at);
	ASSERT_GT(piece, at);

	START(pid, with_bytes, arg);
	out = ckpt_fails_once(&other);
	ASSERT_LE(0, out);
	EXPECT_EQ(-ECONNRESET, ckpt_checkpoint_fd(&self->t, pid, out, 0));
	EXPECT_EQ(-1, recv(other, buf, sizeof(buf), MSG_DONTWAIT));
	EXPECT_EQ(1, write(out, "x", 1));
	EXPECT_EQ(1, recv(other, buf, sizeof(buf), MSG_DONTWAIT));
	close(out);
	close(other);
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));
}

/* --- contradictions ------------------------------------------------------- */

/* Shared anonymous memory has no private mappings. */
TEST_F(checkpoint, private_mapping_of_shared_memory)
{
	struct ckpt_vma_shmem *shmem;
	struct image im;
	int i;

	NOT_DRY();
	ASSERT_EQ(0, make_image(&self->t, &im, "rich"));
	i = find(&im, CKPT_REC_VMA_SHMEM);
	ASSERT_LT(0, i);
	shmem = (void *)im.rec[i].payload;
	EXPECT_EQ(CKPT_VMA_SHARED, shmem->vma.flags & CKPT_VMA_SHARED);
	shmem->vma.flags &= ~CKPT_VMA_SHARED;
	EXPECT_EQ(-EINVAL, restart_built(&self->t, &im));
	EXPECT_TRUE(ckpt_reason(&self->t, EINVAL, NULL, -1, 0, "private mapping"))
		ckpt_show_log(&self->t);
	free(im.raw);
}

/* Of memfd_create() there is one description, of later opens as many as may be. */
TEST_F(checkpoint, memfd_created_twice)
{
	struct ckpt_file_memfd memfd;
	struct ckpt_meta_end *meta;
	struct record rec;
	struct image im;
	int i, end;

	NOT_DRY();
	ASSERT_EQ(0, make_image(&self->t, &im, "rich"));
	i = find(&im, CKPT_REC_FILE_MEMFD);
	end = find(&im, CKPT_REC_META_END);
	ASSERT_LT(0, i);
	ASSERT_LT(i, end);
	rec = im.rec[i];
	ASSERT_EQ(sizeof(memfd), rec.hdr.len);
	memcpy(&memfd, rec.payload, sizeof(memfd));
	EXPECT_EQ(CKPT_MEMFD_CREATED, memfd.flags);
	meta = (void *)im.rec[end].payload;
	rec.hdr.objref = ++meta->nr_objects;
	rec.payload = (uint8_t *)&memfd;
	insert_record(&im, end, &rec);
	EXPECT_EQ(-EINVAL, restart_built(&self->t, &im));
	EXPECT_TRUE(ckpt_reason(&self->t, EINVAL, NULL, -1, 0, "memfd_create()"))
		ckpt_show_log(&self->t);
	memfd.flags = 0;
	EXPECT_LT(0, restart_built(&self->t, &im))
		ckpt_show_log(&self->t);
	free(im.raw);
}

/* The record of the open file whose path ends like this. */
static int find_path(const struct image *im, const char *end)
{
	size_t len = strlen(end) + 1;
	int i;

	for (i = 0; i < im->nr; i++) {
		const struct record *rec = &im->rec[i];

		if (rec->hdr.type == CKPT_REC_FILE &&
		    rec->hdr.len >= sizeof(struct ckpt_file) + len &&
		    !memcmp(rec->payload + rec->hdr.len - len, end, len))
			return i;
	}
	return -1;
}

/*
 * A path that leads to the memory of the one who opens it, which is the
 * caller's at that time. Nothing else is wrong with it.
 */
TEST_F(checkpoint, file_in_proc)
{
	static const char path[] = "/proc/self/mem";
	uint8_t payload[sizeof(struct ckpt_file) + sizeof(path)] = {};
	struct ckpt_file *file = (void *)payload;
	struct image im;
	int i;

	NOT_DRY();
	ASSERT_EQ(0, make_image(&self->t, &im, NULL));
	i = find_path(&im, "/out");
	ASSERT_LT(0, i);
	memcpy(file, im.rec[i].payload, sizeof(*file));
	EXPECT_EQ(0, file->desc.bits & CKPT_FILE_MAPPED);
	memcpy(file->path, path, sizeof(path));
	file->id.size = 0;
	file->id.flags = 0;
	file->id.btime_sec = 0;
	file->id.btime_nsec = 0;
	file->desc.pos = 0;
	im.rec[i].payload = payload;
	im.rec[i].hdr.len = sizeof(payload);
	EXPECT_EQ(-EOPNOTSUPP, restart_built(&self->t, &im));
	EXPECT_TRUE(ckpt_reason(&self->t, EOPNOTSUPP, "file", -1, 0,
				"file system of type proc"))
		ckpt_show_log(&self->t);
	free(im.raw);
}

/* Where the records of a unix socket are. */
struct unix_place {
	int sock, state, msg, file;
};

/* The UNIX with this type of socket and this number among those that match. */
static struct unix_place find_unix(const struct image *im, uint32_t type,
				   uint32_t flags, uint32_t state_flags, int nth)
{
	struct unix_place place = { -1, -1, -1, -1 };
	int i, j;

	for (i = 0; i < im->nr; i++) {
		const struct ckpt_unix *un = (void *)im->rec[i].payload;
		uint32_t ref = im->rec[i].hdr.objref;

		if (im->rec[i].hdr.type != CKPT_REC_UNIX ||
		    un->sock.type != type || (un->flags & flags) != flags)
			continue;
		place = (struct unix_place) { i, -1, -1, -1 };
		for (j = 0; j < im->nr; j++) {
			const struct record *rec = &im->rec[j];

			if (rec->hdr.type == CKPT_REC_UNIX_STATE &&
			    rec->hdr.objref == ref)
				place.state = j;
			if (rec->hdr.type == CKPT_REC_UNIX_MSG &&
			    rec->hdr.objref == ref && place.msg < 0)
				place.msg = j;
			if (rec->hdr.type == CKPT_REC_FILE_SOCKET &&
			    ((struct ckpt_file_socket *)rec->payload)->sock == ref)
				place.file = j;
		}
		if (place.state >= 0 && state_flags &
		    ~((struct ckpt_unix_state *)im->rec[place.state].payload)->flags)
			continue;
		if (!nth--)
			return place;
	}
	return (struct unix_place) { -1, -1, -1, -1 };
}

/* Restarting from the copy is refused like that; the copy goes away. */
static int contradicts(struct ckpt_test *t, struct image *copy, const char *text)
{
	long ret = restart_built(t, copy);

	free_image(copy);
	if (ret == -EINVAL && ckpt_reason(t, EINVAL, NULL, -1, 0, text))
		return 0;
	ckpt_show_log(t);
	return ckpt_say("it gave %ld and no reason with '%s'", ret, text);
}

#define UNIX_STATE(im, place)						\
	((struct ckpt_unix_state *)(im)->rec[(place).state].payload)
#define UNIX_MSG(im, place)						\
	((struct ckpt_unix_msg *)(im)->rec[(place).msg].payload)
#define UNIX_REF(im, place)	((im)->rec[(place).sock].hdr.objref)

/*
 * What each record alone cannot tell. The danger is a listening socket with
 * something else than connections in its queue: accept() believes what is there.
 */
TEST_F(checkpoint, unix_sockets_contradict)
{
	struct unix_place one, two, listener, embryo, dead, alive, client;
	struct ckpt_meta_end *meta;
	struct image im, *copy;
	struct record rec;
	int end, i;

	NOT_DRY();
	ASSERT_EQ(0, make_image(&self->t, &im, "rich"));
	one = find_unix(&im, 5, 0, 0, 0);
	two = find_unix(&im, 5, 0, 0, 1);
	listener = find_unix(&im, 1, 0, CKPT_UNIX_LISTENING, 0);
	embryo = find_unix(&im, 1, CKPT_UNIX_EMBRYO, 0, 0);
	dead = find_unix(&im, 1, CKPT_UNIX_DEAD, 0, 0);
	ASSERT_TRUE(one.state >= 0 && two.state >= 0 && listener.state >= 0 &&
		    listener.msg >= 0 && embryo.state >= 0 && embryo.msg >= 0 &&
		    dead.state >= 0);
	client = dead;
	alive = dead;
	for (i = 0; client.sock == dead.sock || alive.sock == dead.sock; i++) {
		struct unix_place place = find_unix(&im, 1, 0,
						    CKPT_UNIX_CONNECTED, i);

		ASSERT_LE(0, place.sock);
		if (UNIX_STATE(&im, place)->peer == UNIX_REF(&im, embryo))
			client = place;
		if (UNIX_STATE(&im, place)->peer == UNIX_REF(&im, dead))
			alive = place;
	}
	end = find(&im, CKPT_REC_META_END);

	/* Messages without a connection. */
	copy = copy_image(&im);
	UNIX_STATE(copy, one)->peer = 0;
	UNIX_STATE(copy, one)->flags = 0;
	UNIX_STATE(copy, two)->peer = 0;
	UNIX_STATE(copy, two)->flags = 0;
	EXPECT_EQ(0, contradicts(&self->t, copy, "without a connection"));
	copy = copy_image(&im);
	copy->rec[embryo.msg].hdr.objref = UNIX_REF(copy, listener);
	EXPECT_EQ(0, contradicts(&self->t, copy, "without a connection"));
	/* From another one than the peer. */
	copy = copy_image(&im);
	UNIX_MSG(copy, embryo)->from = UNIX_REF(copy, alive);
	EXPECT_EQ(0, contradicts(&self->t, copy, "unsuitable peer"));
	/* Peers that do not agree. */
	copy = copy_image(&im);
	UNIX_STATE(copy, client)->peer = UNIX_REF(copy, listener);
	EXPECT_EQ(0, contradicts(&self->t, copy, NULL));
	copy = copy_image(&im);
	UNIX_STATE(copy, client)->peer = UNIX_REF(copy, alive);
	EXPECT_EQ(0, contradicts(&self->t, copy, NULL));
	/* Twice the same connection, or description. */
	copy = copy_image(&im);
	rec = copy->rec[listener.msg];
	insert_record(copy, listener.msg, &rec);
	EXPECT_EQ(0, contradicts(&self->t, copy, "made twice"));
	copy = copy_image(&im);
	rec = copy->rec[client.file];
	meta = (void *)copy->rec[end].payload;
	rec.hdr.objref = ++meta->nr_objects;
	insert_record(copy, end, &rec);
	EXPECT_EQ(0, contradicts(&self->t, copy, "two descriptions"));
	/* Messages that come too late. */
	copy = copy_image(&im);
	rec = copy->rec[alive.msg];
	insert_record(copy, end, &rec);
	EXPECT_EQ(0, contradicts(&self->t, copy, "behind the end"));

	/* What is missing leaves sockets that are good for nothing. */
	copy = copy_image(&im);
	delete_record(copy, two.state);
	EXPECT_LT(0, restart_built(&self->t, copy))
		ckpt_show_log(&self->t);
	free_image(copy);
	copy = copy_image(&im);
	delete_record(copy, listener.msg);
	EXPECT_LT(0, restart_built(&self->t, copy))
		ckpt_show_log(&self->t);
	free_image(copy);
	EXPECT_LT(0, restart_built(&self->t, &im))
		ckpt_show_log(&self->t);
	free(im.raw);
}

/* One of the three locks that tiny_target has on a file. */
static struct ckpt_lock *find_lock(struct image *im, int kind)
{
	int at = find(im, CKPT_REC_LOCKS);
	struct ckpt_locks *locks = (void *)im->rec[at < 0 ? 0 : at].payload;
	uint32_t i;

	for (i = 0; at >= 0 && i < locks->nr_locks; i++) {
		if (locks->locks[i].kind == kind)
			return &locks->locks[i];
	}
	ckpt_say("no lock of kind %d", kind);
	abort();
}

/* The number of the open file of such a type. */
static uint32_t find_file(const struct image *im, uint32_t type, uint32_t mode)
{
	int i;

	for (i = 0; i < im->nr; i++) {
		const struct ckpt_file *file = (void *)im->rec[i].payload;

		if (im->rec[i].hdr.type == type && file->id.mode == mode)
			return im->rec[i].hdr.objref;
	}
	return 0;
}

static bool locks_refused(struct ckpt_test *t, struct image *im, int error,
			  const char *text)
{
	long ret = restart_built(t, im);

	if (ret == -error && ckpt_reason(t, error, "locks", -1, 0, text))
		return true;
	ckpt_say("gave %ld and not %d, %s", ret, -error, text);
	ckpt_show_log(t);
	return false;
}

/* Locks that nobody could have got, or that nothing would end. */
TEST_F(checkpoint, odd_locks)
{
	struct image im, *copy;
	struct ckpt_lock *ofd;
	uint32_t file;
	int i;

	NOT_DRY();
	ASSERT_EQ(0, make_image(&self->t, &im, "rich"));

	/* The descriptor is not of this file. */
	copy = copy_image(&im);
	find_lock(copy, CKPT_LOCK_POSIX)->fd = 0;
	EXPECT_TRUE(locks_refused(&self->t, copy, EINVAL, "descriptor"));
	free_image(copy);

	/* A file that is open for reading only. */
	file = find_file(&im, CKPT_REC_FILE, S_IFDIR);
	ASSERT_NE(0, file);
	for (i = 0; i < 2; i++) {
		copy = copy_image(&im);
		ofd = find_lock(copy, CKPT_LOCK_OFD);
		ofd->file = file;
		ofd->flags = i ? CKPT_LOCK_WRITE : 0;
		EXPECT_TRUE(i ? locks_refused(&self->t, copy, EINVAL,
					      "could not have got") :
				restart_built(&self->t, copy) > 0);
		free_image(copy);
	}

	/* What is open with O_PATH has no locks, and would keep them. */
	copy = copy_image(&im);
	find_lock(copy, CKPT_LOCK_FLOCK)->file = file;
	for (i = 0; copy->rec[i].hdr.objref != file; i++)
		;
	((struct ckpt_file *)copy->rec[i].payload)->desc.open_flags = O_PATH;
	EXPECT_TRUE(locks_refused(&self->t, copy, EINVAL, "could not have got"));
	free_image(copy);

	file = find_file(&im, CKPT_REC_FILE_DEV, S_IFCHR);
	ASSERT_NE(0, file);
	copy = copy_image(&im);
	find_lock(copy, CKPT_LOCK_FLOCK)->file = file;
	EXPECT_TRUE(locks_refused(&self->t, copy, EOPNOTSUPP, "kind of file"));
	free_image(copy);

	copy = copy_image(&im);
	find_lock(copy, CKPT_LOCK_POSIX)->pid = 0x7ffffff0;
	EXPECT_TRUE(locks_refused(&self->t, copy, EINVAL, "not in the image"));
	free_image(copy);

	/* Two that exclude each other. */
	for (i = 0; i < 2; i++) {
		copy = copy_image(&im);
		find_lock(copy, CKPT_LOCK_POSIX)->flags = CKPT_LOCK_WRITE;
		find_lock(copy, CKPT_LOCK_OFD)->flags = CKPT_LOCK_WRITE;
		find_lock(copy, CKPT_LOCK_OFD)->start -= i * 15;
		EXPECT_TRUE(i ? locks_refused(&self->t, copy, EBUSY,
					      "holds a lock") :
				restart_built(&self->t, copy) > 0);
		free_image(copy);
	}
	free(im.raw);
}

/* The working directory of a process that is another one now. */
TEST_F(checkpoint, directory_in_proc)
{
	static const char *const paths[] = { "/proc/self", "/proc/1", "/proc" };
	uint8_t payload[sizeof(struct ckpt_fs) + 64] = {};
	struct ckpt_fs *fs = (void *)payload;
	struct image im;
	unsigned int i;
	long ret;
	int at;

	NOT_DRY();
	ASSERT_EQ(0, make_image(&self->t, &im, NULL));
	at = find(&im, CKPT_REC_FS);
	ASSERT_LT(0, at);
	memcpy(fs, im.rec[at].payload, sizeof(*fs));
	fs->root_len = 2;
	im.rec[at].payload = payload;
	for (i = 0; i < ARRAY_SIZE(paths); i++) {
		memcpy(fs->paths, "/", 2);
		strcpy((char *)fs->paths + 2, paths[i]);
		im.rec[at].hdr.len = sizeof(*fs) + 2 + strlen(paths[i]) + 1;
		ret = restart_built(&self->t, &im);
		if (i == 2) {
			/* Where it was. */
			EXPECT_LT(0, ret)
				ckpt_show_log(&self->t);
			continue;
		}
		EXPECT_EQ(-EOPNOTSUPP, ret);
		EXPECT_TRUE(ckpt_reason(&self->t, EOPNOTSUPP, "fs", -1, 0,
					"file system of type proc"))
			ckpt_show_log(&self->t);
	}
	free(im.raw);
}

/* A caller who is not replaced keeps the rights of his protection keys. */
static int keeps_keys(int fd)
{
	int key = pkey_alloc(0, 0);
	long ret;

	ret = ckpt_sys_restart(0, fd, RESTART_SELF | FRESH | STOPPED);
	return (ret != -EOPNOTSUPP) | (key <= 0 || pkey_get(key)) << 1;
}

/*
 * Where execute-only memory gets a protection key it cannot come back as it was
 * on a processor without them.
 */
TEST_F(checkpoint, execute_only)
{
	const uint64_t all = CKPT_VMA_READ | CKPT_VMA_WRITE | CKPT_VMA_EXEC;
	int i, fd, key, status;
	struct ckpt_vma *vma;
	struct image im;
	pid_t pid;

	NOT_DRY();
	key = pkey_alloc(0, 0);
	if (key < 0)
		SKIP(return, "pkey_alloc: %s", strerror(errno));
	pkey_free(key);
	ASSERT_EQ(0, make_image(&self->t, &im, NULL));
	i = find(&im, CKPT_REC_VMA_ANON);
	ASSERT_LT(0, i);
	vma = (void *)im.rec[i].payload;
	vma->flags = (vma->flags & ~all) | CKPT_VMA_EXEC | CKPT_VMA_MAYEXEC;
	EXPECT_EQ(-EOPNOTSUPP, restart_built(&self->t, &im));
	EXPECT_TRUE(ckpt_reason(&self->t, EOPNOTSUPP, NULL, -1, vma->start,
				"protection key"))
		ckpt_show_log(&self->t);
	fd = open_built(&self->t, &im);
	ASSERT_LE(0, fd);
	fflush(stdout);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(keeps_keys(fd));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	close(fd);
	free(im.raw);
}

/* --- extents --------------------------------------------------------------- */

#define MB	(1UL << 20)
#define RW	(PROT_READ | PROT_WRITE)
#define ANON	(MAP_PRIVATE | MAP_ANONYMOUS)

/* Which small pages there are: runs of odd length with holes, also at borders. */
static bool has_page(int nr)
{
	return nr < 600 ? nr % 7 : nr % 512 < 4 || nr % 512 > 508;
}

/* Memory of 4 MB that begins with a huge page. */
static char *huge_room(int flags)
{
	char *mem = mmap(NULL, 8 * MB, RW, ANON | flags, -1, 0);

	if (mem == MAP_FAILED)
		ckpt_skip("no huge pages: %s", strerror(errno));
	return (char *)(((unsigned long)mem + 2 * MB - 1) & -(2 * MB));
}

SCENARIO(in_extents)
{
	bool small = !strncmp(ckpt_arg, "small", 5), more = false;
	char *mem = huge_room(strcmp(ckpt_arg, "hugetlb") ? 0 : MAP_HUGETLB);
	char *file = NULL;
	int i, fd;

	if (!strcmp(ckpt_arg, "transparent")) {
		if (madvise(mem, 4 * MB, MADV_HUGEPAGE))
			ckpt_skip("no transparent huge pages");
	} else if (small) {
		/* Small pages where there could be huge ones. */
		NEED(!madvise(mem, 4 * MB, MADV_NOHUGEPAGE));
		fd = open("file", O_RDWR | O_CREAT, 0600);
		NEED(fd >= 0 && !ftruncate(fd, 64 * PAGE));
		file = mmap(NULL, 64 * PAGE, RW, MAP_PRIVATE, fd, 0);
		NEED(file != MAP_FAILED);
		for (i = 0; i < 64; i += 3)
			ckpt_fill(file + i * PAGE, PAGE, i);
	}
	for (i = 0; small && i < 1024; i++) {
		if (has_page(i))
			ckpt_fill(mem + i * PAGE, PAGE, i);
	}
	if (!strcmp(ckpt_arg, "small"))
		madvise(mem, 4 * MB, MADV_HUGEPAGE);
	else if (!small)
		ckpt_fill(mem, 2 * MB, 7);
	ckpt_point();
	for (i = 0; small && i < 1024; i++) {
		if (has_page(i)) {
			if (!CHECK_FILL(mem + i * PAGE, PAGE, i))
				break;
			continue;
		}
		more |= mem[i * PAGE] || mem[i * PAGE + PAGE - 1];
	}
	for (i = 0; file && i < 64 * (int)PAGE; i += PAGE) {
		if (i / PAGE % 3)
			more |= file[i] || file[i + PAGE - 1];
		else
			CHECK_FILL(file + i, PAGE, i / PAGE);
	}
	if (!small)
		CHECK_FILL(mem, 2 * MB, 7);
	for (i = 0; !small && i < (int)(2 * MB); i += 64)
		more |= mem[2 * MB + i];
	CHECK(!more);
}

/* Its image; 0, CKPT_SKIPPED or -1. */
static int extents_image(struct ckpt_test *t, struct image *im, const char *arg)
{
	pid_t pid = ckpt_start(t, "in_extents", arg);

	if (pid <= 0)
		return pid ? -1 : CKPT_SKIPPED;
	if (ckpt_checkpoint(t, pid, t->image, 0) <= 0 || ckpt_kill(t, pid))
		return -1;
	return read_image(im, t->image);
}

/* Restart from it: an error, or contents as they were. */
static long restart_extents(struct ckpt_test *t, struct image *im)
{
	long ret = restart_records(t, im);

	if (ret > 0 && ckpt_finish(t, ret))
		return 0;
	if (ret < 0 && !t->log_len)
		return ckpt_say("error %ld without a reason", ret) + 1;
	return ret;
}

/* Sets or clears the flag in each nth extent of the memory; returns how many. */
static int flag_extents(struct image *im, bool set, int nth)
{
	int i, mm = find(im, CKPT_REC_MM), nr = 0, changed = 0;
	uint32_t j;

	for (i = 0; mm >= 0 && i < im->nr; i++) {
		struct ckpt_pages *pages = (void *)im->rec[i].payload;

		if (im->rec[i].hdr.type != CKPT_REC_PAGES ||
		    im->rec[i].hdr.objref != im->rec[mm].hdr.objref)
			continue;
		for (j = 0; j < pages->nr_extents; j++) {
			struct ckpt_extent *e = &pages->extents[j];

			if (!!(e->flags & CKPT_EXTENT_HUGE) == set || nr++ % nth)
				continue;
			e->flags ^= CKPT_EXTENT_HUGE;
			changed++;
		}
	}
	return changed;
}

/*
 * Calls @run with images that have huge pages of both sorts, as far as they are
 * to be had. Returns how many it had, or -1.
 */
static int with_huge_pages(struct ckpt_test *t,
			   int (*run)(struct ckpt_test *t, struct image *im,
				      const char *what))
{
	static const char *const args[] = { "hugetlb", "transparent" };
	static struct image im;
	int ret, nr, sum = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(args); i++) {
		ret = extents_image(t, &im, args[i]);
		if (ret == CKPT_SKIPPED)
			continue;
		if (ret)
			return -1;
		nr = run(t, &im, args[i]);
		free(im.raw);
		if (nr < 0)
			return -1;
		sum += nr;
	}
	return sum;
}

static int huge_as_small(struct ckpt_test *t, struct image *im,
			 const char *what)
{
	int nr = flag_extents(im, false, 1);

	ckpt_say("%s: %d huge pages", what, nr);
	if (restart_extents(t, im) <= 0) {
		ckpt_show_log(t);
		return -1;
	}
	return nr;
}

/* Huge pages that come as small ones. */
TEST_F(checkpoint, huge_as_small)
{
	int nr;

	NOT_DRY();
	nr = with_huge_pages(&self->t, huge_as_small);
	ASSERT_LE(0, nr);
	if (!nr)
		SKIP(return, "no huge pages were to be had");
}

/* Small pages that come as huge ones. */
TEST_F(checkpoint, small_as_huge)
{
	struct image im, *copy;
	int nth, nr;
	long ret;

	NOT_DRY();
	ASSERT_EQ(0, extents_image(&self->t, &im, "small"));
	for (nth = 1; nth < 6; nth++) {
		copy = copy_image(&im);
		nr = flag_extents(copy, true, nth);
		EXPECT_LT(0, nr);
		ret = restart_extents(&self->t, copy);
		EXPECT_NE(0, ret);
		TH_LOG("%d extents made huge: %s", nr,
		       ret > 0 ? "restarted" : strerror(-ret));
		free_image(copy);
	}
	free(im.raw);
}

/* The first huge page of an image: its record and its extent, or false. */
static bool find_huge(const struct image *im, int *at, int *extent)
{
	const struct ckpt_pages *pages;
	int i, j;

	for (i = 0; i < im->nr; i++) {
		pages = (void *)im->rec[i].payload;
		if (im->rec[i].hdr.type != CKPT_REC_PAGES)
			continue;
		for (j = 0; j < (int)pages->nr_extents; j++) {
			if (!(pages->extents[j].flags & CKPT_EXTENT_HUGE) ||
			    pages->extents[j].nr_pages != 512)
				continue;
			*at = i;
			*extent = j;
			return true;
		}
	}
	return false;
}

static int huge_in_parts(struct ckpt_test *t, struct image *im,
			 const char *what)
{
	uint8_t payload[1 << 14];
	struct ckpt_pages *pages = (void *)payload;
	struct ckpt_extent *e;
	struct image *copy;
	int at, extent, way;
	long ret;

	if (!find_huge(im, &at, &extent))
		return 0;
	if (im->rec[at].hdr.len > sizeof(payload) - sizeof(*e))
		return ckpt_say("too many extents");
	for (way = 0; way < 4; way++) {
		copy = copy_image(im);
		memcpy(payload, im->rec[at].payload, im->rec[at].hdr.len);
		e = &pages->extents[extent];
		memmove(e + 1, e, (pages->nr_extents - extent) * sizeof(*e));
		pages->nr_extents++;
		e[0].nr_pages = 101;
		e[0].flags = way & 1 ? CKPT_EXTENT_HUGE : 0;
		e[1].start += 101 * PAGE;
		e[1].nr_pages -= 101;
		e[1].flags = way & 2 ? CKPT_EXTENT_HUGE : 0;
		copy->rec[at].payload = payload;
		copy->rec[at].hdr.len += sizeof(*e);
		ret = restart_extents(t, copy);
		ckpt_say("%s, way %d: %s", what, way,
			 ret > 0 ? "restarted" : strerror(-ret));
		free_image(copy);
		if (!ret)
			return -1;
	}
	return 1;
}

/* A huge page that comes in two parts, each of which says it or not. */
TEST_F(checkpoint, huge_in_parts)
{
	NOT_DRY();
	EXPECT_LE(0, with_huge_pages(&self->t, huge_in_parts));
}

/* --- pipes ------------------------------------------------------------------ */

/* Copies to a file in a child, so much at a time, with breaks. */
static pid_t copy_slowly(int from, const char *path, int close_also,
			 size_t chunk, int delay_us)
{
	static char buf[1 << 20];
	pid_t pid = fork();
	ssize_t got;
	int fd;

	if (pid)
		return pid;
	close(close_also);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	while ((got = read(from, buf, chunk)) > 0) {
		if (write(fd, buf, got) != got)
			_exit(1);
		if (delay_us)
			usleep(delay_us);
	}
	_exit(got < 0);
}

/* Number of records that differ, but for those that are about time. */
static int differing_records(const struct image *a, const struct image *b)
{
	int i, bad = 0;

	if (a->nr != b->nr)
		return ckpt_say("%d and %d records", a->nr, b->nr);
	for (i = 0; i < a->nr; i++) {
		const struct record *one = &a->rec[i], *two = &b->rec[i];

		if (one->hdr.type == CKPT_REC_HEADER ||
		    one->hdr.type == CKPT_REC_CPUTIME)
			continue;
		if (one->hdr.type != two->hdr.type ||
		    one->hdr.len != two->hdr.len ||
		    memcmp(one->payload, two->payload, one->hdr.len) ||
		    one->pages_len != two->pages_len ||
		    (one->pages && memcmp(one->pages, two->pages, one->pages_len))) {
			ckpt_say("record %d (%s) differs", i, record_name(one));
			bad++;
		}
	}
	return bad;
}

/* Whatever reads a pipe, and how: what comes out is what is in a file. */
TEST_F(checkpoint, pipe_as_file)
{
	static const struct {
		size_t chunk;
		int delay_us, size;
	} readers[] = {
		{ 65536, 0, 0 }, { 3001, 100, 4096 }, { 4096, 0, 1 << 20 },
		{ 1 << 20, 20000, 0 }, { 100000, 3000, 8192 },
	};
	struct image file, through;
	unsigned int i;
	int pair[2], status;
	pid_t pid, copier;

	NOT_DRY();
	/* They stay small, and the holes are holes: nobody makes huge ones of them. */
	pid = ckpt_start(&self->t, "in_extents", "small for ever");
	ASSERT_LT(0, pid);
	ASSERT_EQ(0, kill(pid, SIGSTOP));
	ASSERT_EQ(0, ckpt_wait_state(pid, 'T'));
	ASSERT_LT(0, ckpt_checkpoint(&self->t, pid, self->t.image, 0));
	ASSERT_EQ(0, read_image(&file, self->t.image));
	EXPECT_LT(2000000, (long)file.len);
	for (i = 0; i < ARRAY_SIZE(readers); i++) {
		ASSERT_EQ(0, pipe(pair));
		if (readers[i].size)
			ASSERT_LT(0, fcntl(pair[1], F_SETPIPE_SZ,
					   readers[i].size));
		fflush(stdout);
		copier = copy_slowly(pair[0], self->t.other, pair[1],
				     readers[i].chunk, readers[i].delay_us);
		ASSERT_LT(0, copier);
		close(pair[0]);
		EXPECT_LT(0, ckpt_checkpoint_fd(&self->t, pid, pair[1], 0))
			ckpt_show_log(&self->t);
		close(pair[1]);
		ASSERT_EQ(copier, waitpid(copier, &status, 0));
		EXPECT_EQ(0, status);
		EXPECT_EQ((long)file.len, ckpt_file_size(self->t.other));
		ASSERT_EQ(0, read_image(&through, self->t.other));
		EXPECT_EQ(0, differing_records(&file, &through))
			TH_LOG("reader %u", i);
		free(through.raw);
	}
	free(file.raw);
	/* The last of them is as good as any. */
	ASSERT_EQ(0, ckpt_kill(&self->t, pid));
	ASSERT_EQ(pid, ckpt_restart(&self->t, self->t.other, 0));
	ASSERT_EQ(0, kill(pid, SIGCONT));
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));
}

/* --- at random ------------------------------------------------------------ */

static void mutate(struct worker *w, struct image *im)
{
	static const uint64_t odd[] = {
		0, 1, 0x7fffffff, 0x80000000, 0xffffffff, 0x7fffffffffffffff,
		0x8000000000000000, ~0ULL, 0x1000, 0x7ffffffff000, 0xfff,
		0xffffffffff600000, 64, 4095, 1ULL << 47,
	};
	struct record *rec = &im->rec[below(w, im->nr)];
	size_t len = rec->hdr.len, at, size;
	uint64_t value;

	if (!len)
		return;
	switch (below(w, 8)) {
	case 0:
	case 1:		/* a bit */
		rec->payload[below(w, len)] ^= 1 << below(w, 8);
		break;
	case 2:		/* a byte */
		rec->payload[below(w, len)] = random64(w);
		break;
	case 3:		/* an odd number, in its place */
		size = 1 << below(w, 4);
		at = below(w, len) & -size;
		value = odd[below(w, ARRAY_SIZE(odd))];
		if (at + size <= len)
			memcpy(rec->payload + at, &value, size);
		break;
	case 4:		/* a little more or less */
		size = 4;
		at = below(w, len) & -size;
		if (at + size <= len) {
			uint32_t number;

			memcpy(&number, rec->payload + at, size);
			number += below(w, 9) - 4;
			memcpy(rec->payload + at, &number, size);
		}
		break;
	case 5:		/* shorter, in steps of 8 */
		at = below(w, len + 1);
		rec->hdr.len = at;
		break;
	case 6:		/* the owner */
		rec->hdr.objref = below(w, 24);
		break;
	default:	/* a part of another record */
		at = below(w, len);
		size = 1 + below(w, len - at);
		rec = &im->rec[below(w, im->nr)];
		if (at + size <= rec->hdr.len) {
			struct record *other = &im->rec[below(w, im->nr)];

			if (size <= other->hdr.len)
				memmove(rec->payload + at, other->payload, size);
		}
	}
}

static int random_changes(struct worker *w, const struct image *im)
{
	uint8_t *buf = malloc(2 * MAX_IMAGE);
	int ret, i, n, changes;
	struct image *copy;

	n = 12000 * how_many() / w->workers;
	for (i = 0; buf && i < n; i++) {
		copy = copy_image(im);
		for (changes = 1 + below(w, 3); changes; changes--)
			mutate(w, copy);
		if (below(w, 10) == 0)
			delete_record(copy, below(w, copy->nr));
		if (below(w, 10) == 0)
			insert_record(copy, below(w, copy->nr),
				      &copy->rec[below(w, copy->nr)]);
		if (below(w, 2))
			mend_counts(copy);
		ret = try_image(w, buf, build(copy, buf),
				below(w, 4) ? STOPPED : 0);
		free_image(copy);
		if (ret > 1)
			return ckpt_say("try %d gave %d", i, ret);
	}
	free(buf);
	return 0;
}

TEST_F(checkpoint, random_changes)
{
	NOT_DRY();
	EXPECT_EQ(0, run_workers(&self->t, "rich", random_changes));
}

/* A caller that is to be replaced. */
static int random_changes_self(struct worker *w, const struct image *im)
{
	uint8_t *buf = malloc(2 * MAX_IMAGE);
	int ret, i, n;
	struct image *copy;

	n = 400 * how_many() / w->workers;
	for (i = 0; buf && i < n; i++) {
		alarm(ckpt_test_seconds() / 2);
		w->tries++;
		copy = copy_image(im);
		mutate(w, copy);
		mend_counts(copy);
		if (load(w, buf, build(copy, buf)))
			return -1;
		free_image(copy);
		ret = try_self(w);
		if (ret)
			return ckpt_say("try %d ended with %#x", i, ret);
	}
	free(buf);
	return 0;
}

TEST_F(checkpoint, random_changes_self)
{
	NOT_DRY();
	EXPECT_EQ(0, run_workers(&self->t, NULL, random_changes_self));
}

/* No image at all. */
TEST_F(checkpoint, noise)
{
	struct worker w = { .t = &self->t, .log = -1, .random = 99 };
	static uint64_t buf[1024];
	unsigned int i, j;

	NOT_DRY();
	w.fd = open(self->t.other, O_RDWR | O_CREAT, 0600);
	ASSERT_LE(0, w.fd);
	for (i = 0; i < 500; i++) {
		for (j = 0; j < 1024; j++)
			buf[j] = random64(&w);
		if (i % 2)
			memcpy(buf, "CKPT", 4);
		if (i % 4 == 3)
			memset((char *)buf + 4, 0, 20);
		ASSERT_GT(0, try_image(&w, buf, below(&w, sizeof(buf)), 0));
	}
	close(w.fd);
	w.fd = open("/dev/zero", O_RDONLY);
	EXPECT_GT(0, ckpt_restart_fd(&self->t, w.fd, FRESH));
	close(w.fd);
	w.fd = open("/dev/urandom", O_RDONLY);
	EXPECT_GT(0, ckpt_restart_fd(&self->t, w.fd, FRESH));
	close(w.fd);
	alarm(0);
}

/* --- rights --------------------------------------------------------------- */

static char user_status[4096];

/* The lines of /proc/PID/status that say what a process may do. */
static void get_rights(pid_t pid, char *out, size_t size)
{
	static const char *const names[] = {
		"Uid:", "Gid:", "Groups:", "CapInh:", "CapPrm:", "CapEff:",
		"CapBnd:", "CapAmb:",
	};
	char path[64], *text, *line, *next;
	unsigned int i;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	text = ckpt_read_file(path, NULL);
	out[0] = '\0';
	for (line = text; line && *line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		for (i = 0; i < ARRAY_SIZE(names); i++) {
			if (!strncmp(line, names[i], strlen(names[i])) &&
			    strlen(out) + strlen(line) + 2 < size) {
				strcat(out, line);
				strcat(out, "\n");
			}
		}
	}
	free(text);
}

/* Each change to credentials gives an error, or no more rights than before. */
static int try_rights(struct worker *w, const char *what, int nr)
{
	char now[4096];
	int status;
	long pid;

	lseek(w->fd, 0, SEEK_SET);
	w->tries++;
	pid = ckpt_sys_restart(0, w->fd, RESTART_FRESH_PIDS | RESTART_STOPPED);
	if (pid < 0)
		return 0;
	w->alive++;
	get_rights(pid, now, sizeof(now));
	kill(pid, SIGKILL);
	waitpid(pid, &status, __WALL);
	if (!strcmp(now, user_status))
		return 0;
	ckpt_say("%s, value %d: it was\n# %s# and became\n# %s", what, nr,
		 user_status, now);
	return -1;
}

static int user_changes(struct ckpt_test *t)
{
	struct worker w = { .t = t, .log = -1, .random = 7 };
	static const uint32_t values[] = {
		0, 1, USER, USER + 1, 0xffffffff, 0x80000000, 0x3f, 0xff,
		1 << 21, 2, 4, 6, 12, 0x1ff,
	};
	static struct image im;
	unsigned int v, off;
	char what[64];
	pid_t pid;
	int i;

	get_rights(getpid(), user_status, sizeof(user_status));
	snprintf(t->image, sizeof(t->image), "%s/user.image", t->dir);
	w.fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (w.fd < 0 || make_image(t, &im, NULL) || load(&w, im.raw, im.len))
		return 1;
	pid = ckpt_restart_fd(t, w.fd, FRESH);
	if (pid <= 0 || ckpt_kill(t, pid)) {
		ckpt_show_log(t);
		return 2;
	}
	for (i = 0; i < im.nr; i++) {
		struct record *rec = &im.rec[i], changed = *rec;
		static uint8_t payload[1 << 16];

		if (rec->hdr.type == CKPT_REC_PAGES ||
		    rec->hdr.len > sizeof(payload))
			continue;
		/* Everything in the credentials, some of all the rest. */
		for (off = 0; off + 4 <= rec->hdr.len; off += 4) {
			for (v = 0; v < ARRAY_SIZE(values); v++) {
				if (!ckpt_sample() ||
				    (rec->hdr.type != CKPT_REC_CRED &&
				     below(&w, 40)))
					continue;
				memcpy(payload, rec->payload, rec->hdr.len);
				memcpy(payload + off, &values[v], 4);
				changed.payload = payload;
				changed.hdr.crc32c = record_crc(&changed);
				if (pwrite(w.fd, &changed.hdr, 24, rec->pos) != 24 ||
				    pwrite(w.fd, payload, rec->hdr.len,
					   rec->pos + 24) != (ssize_t)rec->hdr.len)
					return 3;
				snprintf(what, sizeof(what), "%s+%u",
					 record_name(rec), off);
				if (try_rights(&w, what, values[v]))
					return 4;
			}
		}
		if (pwrite(w.fd, im.raw + rec->pos, 24 + rec->hdr.len,
			   rec->pos) < 0)
			return 5;
	}
	ckpt_say("%lu tries, %lu of them with a process", w.tries, w.alive);
	return 0;
}

TEST_F(checkpoint, no_gain_by_changes)
{
	NOT_DRY();
	if (getuid())
		SKIP(return, "not root");
	EXPECT_EQ(0, ckpt_as_user(&self->t, USER, user_changes));
}

TEST_HARNESS_MAIN
