// SPDX-License-Identifier: GPL-2.0
/*
 * The stream store: an image goes through a file descriptor of any sort, a
 * regular file, a pipe, a socket. It never seeks back.
 */

#include <linux/file.h>
#include <linux/fs.h>
#include <linux/fsnotify.h>
#include <linux/highmem.h>
#include <linux/pagemap.h>
#include <linux/pagevec.h>
#include <linux/pipe_fs_i.h>
#include <linux/shmem_fs.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/splice.h>
#include <linux/uio.h>

#include "internal.h"

#define STREAM_BUF	SZ_32K
/* Metadata is written by so many whole pages of it; behind them is room for ... */
#define STREAM_CHUNK	(STREAM_BUF - STREAM_PLACE)
/* ... what shall be in one piece. */
#define STREAM_PLACE	SZ_4K
/* Pages are copied into a pipe by so many. */
#define PIPE_BATCH	64U

/**
 * struct ckpt_stream - a store on a file
 * @store: the interface
 * @file: the file, held
 * @read_ahead: reading may go ahead of what was asked for: a regular file
 * @buf: bytes on their way
 * @len: in @buf
 * @done: reading: bytes of @buf that were handed out
 */
struct ckpt_stream {
	struct ckpt_store store;
	struct file *file;
	bool read_ahead;
	size_t len;
	size_t done;
	u8 *buf;
};

static struct ckpt_stream *to_stream(struct ckpt_store *store)
{
	return container_of(store, struct ckpt_stream, store);
}

/* The file's position, as read(2) and write(2) use it. */
static loff_t *stream_pos_lock(struct file *file)
{
	if (file->f_mode & FMODE_STREAM)
		return NULL;
	if (file->f_mode & FMODE_ATOMIC_POS)
		mutex_lock(&file->f_pos_lock);
	return &file->f_pos;
}

static void stream_pos_unlock(struct file *file)
{
	if (!(file->f_mode & FMODE_STREAM) && file->f_mode & FMODE_ATOMIC_POS)
		mutex_unlock(&file->f_pos_lock);
}

/* All of @iter in or out. */
static int transfer(struct file *file, struct iov_iter *iter, bool write)
{
	ssize_t n = 0;
	loff_t *pos;

	pos = stream_pos_lock(file);
	while (iov_iter_count(iter)) {
		if (write)
			n = vfs_iter_write(file, iter, pos, 0);
		else
			n = vfs_iter_read(file, iter, pos, 0);
		if (n <= 0)
			break;
	}
	stream_pos_unlock(file);

	if (!iov_iter_count(iter))
		return 0;
	return n ?: write ? -EIO : -EPIPE;
}

static int stream_kvec(struct file *file, void *buf, size_t len, bool write)
{
	struct kvec kvec = { buf, len };
	struct iov_iter iter;

	iov_iter_kvec(&iter, write ? ITER_SOURCE : ITER_DEST, &kvec, 1, len);
	return transfer(file, &iter, write);
}

/**
 * ckpt_file_write() - write all of a buffer at the file's position
 * @file: open for writing, with a write_iter
 * @buf: kernel memory
 * @len: its bytes
 *
 * Return: 0 or -errno; something may have been written then.
 */
int ckpt_file_write(struct file *file, const void *buf, size_t len)
{
	return stream_kvec(file, (void *)buf, len, true);
}

static int stream_flush(struct ckpt_store *store)
{
	struct ckpt_stream *s = to_stream(store);
	int ret;

	if (!s->len)
		return 0;
	ret = stream_kvec(s->file, s->buf, s->len, true);
	s->len = 0;
	return ret;
}

static int stream_sync(struct ckpt_store *store)
{
	struct file *file = to_stream(store)->file;

	if (!S_ISREG(file_inode(file)->i_mode) || !file->f_op->fsync)
		return 0;
	return vfs_fsync(file, 0);
}

/* There is room for STREAM_PLACE bytes then. */
static int make_room(struct ckpt_stream *s)
{
	int ret;

	if (s->len < STREAM_CHUNK)
		return 0;
	ret = stream_kvec(s->file, s->buf, STREAM_CHUNK, true);
	s->len -= STREAM_CHUNK;
	memmove(s->buf, s->buf + STREAM_CHUNK, s->len);
	return ret;
}

static void *stream_reserve(struct ckpt_store *store, size_t len)
{
	struct ckpt_stream *s = to_stream(store);
	void *place;
	int ret;

	if (len > STREAM_PLACE)
		return NULL;
	ret = make_room(s);
	if (ret)
		return ERR_PTR(ret);
	place = s->buf + s->len;
	s->len += len;
	store->pos += len;
	return place;
}

static int stream_write(struct ckpt_store *store, const void *buf, size_t len)
{
	struct ckpt_stream *s = to_stream(store);
	size_t n;
	int ret;

	store->pos += len;
	while (len) {
		ret = make_room(s);
		if (ret)
			return ret;
		n = min(len, STREAM_BUF - s->len);
		memcpy(s->buf + s->len, buf, n);
		s->len += n;
		buf += n;
		len -= n;
	}
	return 0;
}

/*
 * Give whole pages to a pipe, and wait for its reader where need be. What it has
 * taken is NULL in @pages then.
 *
 * Return: how many it took, at least one, or -errno.
 */
static int pipe_give(struct file *file, struct pipe_inode_info *pipe,
		     struct page **pages, unsigned int nr)
{
	struct pipe_buffer buf = { .ops = &default_pipe_buf_ops,
				   .len = PAGE_SIZE };
	unsigned int done = 0;
	int ret = 0;

	pipe_lock(pipe);
	while (pipe->readers &&
	       pipe_full(pipe->head, pipe->tail, pipe->max_usage)) {
		if (file->f_flags & O_NONBLOCK)
			ret = -EAGAIN;
		else if (signal_pending(current))
			ret = -ERESTARTSYS;
		if (ret)
			goto out;
		pipe_wait_writable(pipe);
	}
	while (done < nr && (!done || !pipe_full(pipe->head, pipe->tail,
						 pipe->max_usage))) {
		buf.page = pages[done];
		/* It has taken the page, or, without a reader, put it. */
		pages[done++] = NULL;
		ret = add_to_pipe(pipe, &buf);
		if (ret < 0)
			goto out;
	}
	ret = done;
out:
	pipe_unlock(pipe);
	if (done) {
		wake_up_interruptible(&pipe->rd_wait);
		kill_fasync(&pipe->fasync_readers, SIGIO, POLL_IN);
		fsnotify_modify(file);
	}
	return ret;
}

/*
 * Into a pipe go copies in pages of their own, as pipe_write() makes them, but
 * whole pages and many at a time: that takes half as long. The pages themselves
 * may not: the process goes on and writes to them.
 */
static int pipe_write_pages(struct file *file, struct pipe_inode_info *pipe,
			    const struct bio_vec *bv, size_t len)
{
	struct page *pages[PIPE_BATCH];
	unsigned int nr, i, at = 0, done;
	int ret;

	/* As for every other write: security modules may have changed their mind. */
	ret = rw_verify_area(WRITE, file, NULL, len);
	while (len && ret >= 0) {
		nr = min(len >> PAGE_SHIFT, PIPE_BATCH);
		ret = ckpt_pages_alloc(GFP_HIGHUSER | __GFP_ACCOUNT, pages, nr);
		if (ret)
			return ret;
		for (i = 0; i < nr; i++) {
			copy_highpage(pages[i], bv->bv_page + at);
			if (++at == bv->bv_len >> PAGE_SHIFT) {
				bv++;
				at = 0;
			}
		}
		for (done = 0; done < nr && ret >= 0; done += ret)
			ret = pipe_give(file, pipe, pages + done, nr - done);
		if (ret < 0)
			ckpt_pages_put(pages, nr);
		len -= (size_t)nr << PAGE_SHIFT;
	}
	return ret < 0 ? ret : 0;
}

static int stream_write_pages(struct ckpt_store *store,
			      const struct bio_vec *bv, unsigned int nr,
			      size_t len)
{
	struct ckpt_stream *s = to_stream(store);
	struct pipe_inode_info *pipe = get_pipe_info(s->file, true);
	struct iov_iter iter;
	int ret;

	ret = stream_flush(store);
	if (ret)
		return ret;
	store->pos += len;
	if (pipe)
		return pipe_write_pages(s->file, pipe, bv, len);
	iov_iter_bvec(&iter, ITER_SOURCE, bv, nr, len);
	return transfer(s->file, &iter, true);
}

/*
 * Read ahead as much as there is, at least one byte, up to the end of a page of
 * the file: so that contents, which begin with a page, stay whole pages.
 */
static int stream_fill(struct ckpt_stream *s)
{
	struct kvec kvec = { s->buf, STREAM_BUF };
	struct iov_iter iter;
	loff_t *pos;
	ssize_t n;

	pos = stream_pos_lock(s->file);
	iov_iter_kvec(&iter, ITER_DEST, &kvec, 1,
		      STREAM_BUF - offset_in_page(*pos));
	n = vfs_iter_read(s->file, &iter, pos, 0);
	stream_pos_unlock(s->file);
	s->done = 0;
	s->len = n > 0 ? n : 0;
	return n > 0 ? 0 : n ?: -EPIPE;
}

static const void *stream_peek(struct ckpt_store *store, size_t len)
{
	struct ckpt_stream *s = to_stream(store);

	return len <= s->len - s->done ? s->buf + s->done : NULL;
}

static int stream_read(struct ckpt_store *store, void *buf, size_t len)
{
	struct ckpt_stream *s = to_stream(store);
	size_t n;
	int ret;

	store->pos += len;
	/* Mostly it is there. */
	if (len <= s->len - s->done) {
		memcpy(buf, s->buf + s->done, len);
		s->done += len;
		return 0;
	}
	while (len) {
		n = min(len, s->len - s->done);
		if (n) {
			memcpy(buf, s->buf + s->done, n);
			s->done += n;
			buf += n;
			len -= n;
		} else if (s->read_ahead && len < STREAM_BUF) {
			ret = stream_fill(s);
			if (ret)
				return ret;
		} else {
			return stream_kvec(s->file, buf, len, false);
		}
	}
	return 0;
}

/*
 * Whole pages from a folio of the page cache to where @to is, @left bytes at
 * the most. Return: the bytes.
 */
static size_t copy_folio(struct folio *folio, loff_t pos, loff_t left,
			 struct bvec_iter *to, const struct bio_vec *bv)
{
	size_t at = offset_in_folio(folio, pos), done = 0;

	if (!folio_test_uptodate(folio) || folio_contain_hwpoisoned_page(folio))
		return 0;
	while (at + done < folio_size(folio) && to->bi_size &&
	       left >= PAGE_SIZE) {
		copy_highpage(bvec_iter_page(bv, *to),
			      folio_page(folio, (at + done) >> PAGE_SHIFT));
		bvec_iter_advance_single(bv, to, PAGE_SIZE);
		done += PAGE_SIZE;
		left -= PAGE_SIZE;
	}
	return done;
}

/*
 * What the page cache of a tmpfs file has, as far as it goes, for @bv behind the
 * first @skip bytes. Its read_iter() looks up one page after the other, which
 * takes as long as to copy them.
 *
 * Return: bytes, with the skipped ones, or -errno.
 */
static ssize_t read_cached(struct file *file, const struct bio_vec *bv,
			   size_t skip, size_t len)
{
	struct bvec_iter to = { .bi_size = skip + len };
	struct inode *inode = file_inode(file);
	loff_t *pos = stream_pos_lock(file);
	pgoff_t index = *pos >> PAGE_SHIFT;
	struct folio_batch folios;
	unsigned int i;
	bool more;
	int ret;

	folio_batch_init(&folios);
	bvec_iter_advance(bv, &to, skip);
	ret = rw_verify_area(READ, file, pos, len);
	more = !ret && !offset_in_page(*pos) && !offset_in_page(skip);
	while (more && to.bi_size &&
	       filemap_get_folios_contig(file->f_mapping, &index,
					 index + (to.bi_size >> PAGE_SHIFT) - 1,
					 &folios)) {
		for (i = 0; more && i < folio_batch_count(&folios); i++) {
			/* Somebody may be truncating it: less than nothing is left. */
			size_t n = copy_folio(folios.folios[i], *pos,
					      i_size_read(inode) - *pos, &to, bv);

			*pos += n;
			more = n;
		}
		folio_batch_release(&folios);
		cond_resched();
	}
	file_accessed(file);
	stream_pos_unlock(file);
	return ret ?: skip + len - to.bi_size;
}

static int stream_read_pages(struct ckpt_store *store, const struct bio_vec *bv,
			     unsigned int nr, size_t len)
{
	struct ckpt_stream *s = to_stream(store);
	struct iov_iter iter;
	ssize_t done;
	size_t n;

	store->pos += len;
	iov_iter_bvec(&iter, ITER_DEST, bv, nr, len);
	n = min(len, s->len - s->done);
	if (n) {
		if (copy_to_iter(s->buf + s->done, n, &iter) != n)
			return -EFAULT;
		s->done += n;
	}
	if (n < len && shmem_file(s->file)) {
		done = read_cached(s->file, bv, n, len - n);
		if (done < 0)
			return done;
		iov_iter_advance(&iter, done - n);
	}
	return transfer(s->file, &iter, false);
}

/* The image's end: what was read ahead is not ours. */
static void stream_put(struct ckpt_store *store)
{
	struct ckpt_stream *s = to_stream(store);
	loff_t *pos;

	if (s->read_ahead && s->len > s->done) {
		pos = stream_pos_lock(s->file);
		if (pos)
			*pos -= s->len - s->done;
		stream_pos_unlock(s->file);
	}
	fput(s->file);
	kvfree(s->buf);
	kfree(s);
}

static const struct ckpt_store_ops stream_ops = {
	.reserve = stream_reserve,
	.write = stream_write,
	.write_pages = stream_write_pages,
	.flush = stream_flush,
	.sync = stream_sync,
	.peek = stream_peek,
	.read = stream_read,
	.read_pages = stream_read_pages,
	.put = stream_put,
};

/**
 * ckpt_store_stream_get() - make a store of a file descriptor of the caller
 * @fd: open for writing or reading; its position is used and moved
 * @write: an image will be written, not read
 *
 * Return: the store or an ERR_PTR(): -EBADF, -EINVAL for a file that has no
 * read_iter or write_iter, -ENOMEM.
 */
struct ckpt_store *ckpt_store_stream_get(int fd, bool write)
{
	struct ckpt_stream *s;
	struct file *file;
	int ret;

	file = fget(fd);
	if (!file)
		return ERR_PTR(-EBADF);
	ret = -EBADF;
	if (!(file->f_mode & (write ? FMODE_WRITE : FMODE_READ)))
		goto err_file;
	ret = -EINVAL;
	if (write ? !file->f_op->write_iter : !file->f_op->read_iter)
		goto err_file;

	ret = -ENOMEM;
	s = kzalloc(sizeof(*s), GFP_KERNEL_ACCOUNT);
	if (!s)
		goto err_file;
	s->buf = kvmalloc(STREAM_BUF, GFP_KERNEL_ACCOUNT);
	if (!s->buf)
		goto err_free;
	s->store.ops = &stream_ops;
	s->store.file = file;
	s->file = file;
	s->read_ahead = !write && S_ISREG(file_inode(file)->i_mode) &&
			!(file->f_mode & FMODE_STREAM);
	return &s->store;

err_free:
	kfree(s);
err_file:
	fput(file);
	return ERR_PTR(ret);
}
