// SPDX-License-Identifier: GPL-2.0
/*
 * The stream store: an image goes through a file descriptor of any sort, a
 * regular file, a pipe, a socket. It never seeks back.
 */

#include <linux/file.h>
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/uio.h>

#include "internal.h"

/* Metadata is gathered to chunks of this size for a write or a read. */
#define STREAM_BUF	SZ_16K

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

static int stream_write(struct ckpt_store *store, const void *buf, size_t len)
{
	struct ckpt_stream *s = to_stream(store);
	size_t n;
	int ret;

	store->pos += len;
	while (len) {
		n = min(len, STREAM_BUF - s->len);
		memcpy(s->buf + s->len, buf, n);
		s->len += n;
		buf += n;
		len -= n;
		if (s->len == STREAM_BUF) {
			ret = stream_flush(store);
			if (ret)
				return ret;
		}
	}
	return 0;
}

static int stream_write_pages(struct ckpt_store *store,
			      const struct bio_vec *bv, unsigned int nr,
			      size_t len)
{
	struct ckpt_stream *s = to_stream(store);
	struct iov_iter iter;
	int ret;

	ret = stream_flush(store);
	if (ret)
		return ret;
	store->pos += len;
	iov_iter_bvec(&iter, ITER_SOURCE, bv, nr, len);
	return transfer(s->file, &iter, true);
}

/* Read ahead as much as there is, at least one byte. */
static int stream_fill(struct ckpt_stream *s)
{
	struct kvec kvec = { s->buf, STREAM_BUF };
	struct iov_iter iter;
	loff_t *pos;
	ssize_t n;

	iov_iter_kvec(&iter, ITER_DEST, &kvec, 1, STREAM_BUF);
	pos = stream_pos_lock(s->file);
	n = vfs_iter_read(s->file, &iter, pos, 0);
	stream_pos_unlock(s->file);
	s->done = 0;
	s->len = n > 0 ? n : 0;
	return n > 0 ? 0 : n ?: -EPIPE;
}

static int stream_read(struct ckpt_store *store, void *buf, size_t len)
{
	struct ckpt_stream *s = to_stream(store);
	size_t n;
	int ret;

	store->pos += len;
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

static int stream_read_pages(struct ckpt_store *store, const struct bio_vec *bv,
			     unsigned int nr, size_t len)
{
	struct ckpt_stream *s = to_stream(store);
	struct iov_iter iter;
	size_t n;

	store->pos += len;
	iov_iter_bvec(&iter, ITER_DEST, bv, nr, len);
	n = min(len, s->len - s->done);
	if (n) {
		if (copy_to_iter(s->buf + s->done, n, &iter) != n)
			return -EFAULT;
		s->done += n;
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
	.write = stream_write,
	.write_pages = stream_write_pages,
	.flush = stream_flush,
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
