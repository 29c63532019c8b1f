// SPDX-License-Identifier: GPL-2.0
/*
 * Pipes and FIFOs with both ends within the tree, and the data in them.
 *
 * A pipe object stands for the inode. A restart makes the pipe with both ends
 * open, writes the data to it, and opens each saved description of it anew;
 * its own two ends go away with the commit.
 */

#include <linux/cred.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/log2.h>
#include <linux/magic.h>
#include <linux/namei.h>
#include <linux/pipe_fs_i.h>
#include <linux/slab.h>

#include "../fs/internal.h"
#include "file.h"

/* PIPE_BUF_FLAG_* that are understood; only PACKET is a part of the contents. */
#define KNOWN_BUF_FLAGS	(PIPE_BUF_FLAG_LRU | PIPE_BUF_FLAG_ATOMIC |	\
			 PIPE_BUF_FLAG_GIFT | PIPE_BUF_FLAG_PACKET |	\
			 PIPE_BUF_FLAG_CAN_MERGE)

/**
 * struct pipe_live - a pipe that is restored
 * @end: reading and writing end; of a FIFO one that can do what is allowed
 */
struct pipe_live {
	struct file *end[2];
};

static void pipe_live_close(struct pipe_live *live)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(live->end); i++) {
		if (live->end[i])
			fput(live->end[i]);
		live->end[i] = NULL;
	}
}

static void pipe_live_free(void *ptr)
{
	pipe_live_close(ptr);
	kfree(ptr);
}

static struct pipe_inode_info *live_pipe(const struct pipe_live *live)
{
	return live->end[0]->private_data;
}

static bool is_fifo(const struct inode *inode)
{
	return inode->i_sb->s_magic != PIPEFS_MAGIC;
}

/* --- saving: the pipe ------------------------------------------------------------ */

static int pipe_collect(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	struct pipe_inode_info *pipe = ((struct inode *)obj->ptr)->i_pipe;
	unsigned int i;
	int ret = 0;

	if (pipe_has_watch_queue(pipe))
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "notification pipes are not supported");

	mutex_lock(&pipe->mutex);
	for (i = pipe->tail; i != pipe->head; i++) {
		struct pipe_buffer *buf = pipe_buf(pipe, i);

		if (buf->flags & ~KNOWN_BUF_FLAGS ||
		    buf->offset + buf->len > PAGE_SIZE) {
			ret = ckpt_refuse(ctx, -EOPNOTSUPP,
					  "data of an unknown form in the pipe");
			break;
		}
		/* A failed write() leaves it; it reads as an end of the file. */
		if (!buf->len && buf->flags & PIPE_BUF_FLAG_PACKET) {
			ret = ckpt_refuse(ctx, -EOPNOTSUPP,
					  "an empty packet in the pipe");
			break;
		}
		ret = pipe_buf_confirm(pipe, buf);
		if (ret) {
			ckpt_refuse(ctx, ret,
				    "spliced data in the pipe cannot be read");
			break;
		}
	}
	mutex_unlock(&pipe->mutex);
	return ret;
}

/*
 * Copy the next buffer from the @nr-th on, and count on. Empty ones, which a
 * write() leaves that fails with EFAULT, are no end. Nobody reads or writes
 * meanwhile: all ends are the tree's, and it stands still.
 * Return: its length, 0 behind the last one, or -errno.
 */
static int pipe_copy_buf(struct pipe_inode_info *pipe, unsigned int *nr,
			 u8 *data, struct ckpt_pipe_buf *rec)
{
	struct pipe_buffer *buf;
	int ret = 0;

	mutex_lock(&pipe->mutex);
	do {
		if (*nr >= pipe_occupancy(pipe->head, pipe->tail))
			goto out;
		buf = pipe_buf(pipe, pipe->tail + (*nr)++);
	} while (!buf->len);
	ret = pipe_buf_confirm(pipe, buf);
	if (ret)
		goto out;
	ret = -EIO;
	if (buf->offset + buf->len > PAGE_SIZE)
		goto out;
	memcpy_from_page(data, buf->page, buf->offset, buf->len);
	rec->flags = buf->flags & PIPE_BUF_FLAG_PACKET ? CKPT_PIPE_BUF_PACKET : 0;
	ret = buf->len;
out:
	mutex_unlock(&pipe->mutex);
	return ret;
}

static int pipe_save_data(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	struct pipe_inode_info *pipe = ((struct inode *)obj->ptr)->i_pipe;
	struct ckpt_pipe_buf rec = {};
	unsigned int nr = 0;
	u8 *data;
	int ret;

	data = kmalloc(PAGE_SIZE, GFP_KERNEL);
	if (!data)
		return -ENOMEM;
	for (;;) {
		ret = pipe_copy_buf(pipe, &nr, data, &rec);
		if (ret <= 0)
			break;
		ret = ckpt_write_tail(ctx, &ckpt_kind_pipe_buf, obj->ref, &rec,
				      sizeof(rec), data, ret);
		if (ret)
			break;
	}
	kfree(data);
	return ret;
}

static int pipe_save(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	struct inode *inode = obj->ptr;
	struct ckpt_pipe rec = {};
	char *buf, *name = "";
	struct file *file;
	int ret;

	file = ckpt_file_of_inode(ctx, &ckpt_kind_file_pipe, inode);
	buf = kmalloc(PATH_MAX, GFP_KERNEL);
	if (!buf)
		return -ENOMEM;
	if (is_fifo(inode))
		name = ckpt_path(ctx, &file->f_path, buf, PATH_MAX);
	if (IS_ERR(name)) {
		ret = ckpt_refuse(ctx, PTR_ERR(name), "has moved away");
		goto out;
	}
	rec.size = pipe_fcntl(file, F_GETPIPE_SZ, 0);
	rec.cred = ckpt_ref(ctx, ckpt_file_cred(ctx, file));
	ret = ckpt_write_tail(ctx, obj->kind, obj->ref, &rec, sizeof(rec),
			      name, *name ? strlen(name) + 1 : 0);
	if (!ret)
		ret = pipe_save_data(ctx, obj);
out:
	kfree(buf);
	return ret;
}

/* --- restarting: the pipe ------------------------------------------------------------ */

static int pipe_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_pipe *p = ckpt_payload(rec, struct ckpt_pipe);
	u32 len = ckpt_tail_len(rec, sizeof(*p));

	if (p->size < PAGE_SIZE || !is_power_of_2(p->size) ||
	    p->size > 1U << 31)
		return ckpt_refuse(ctx, -EINVAL, "bad size of a pipe");
	if (!ckpt_ref_is_type(ctx, p->cred, CKPT_REC_CRED))
		return ckpt_refuse(ctx, -EINVAL, "a pipe without credentials");
	if (len && !ckpt_path_valid(p->path, len))
		return ckpt_refuse(ctx, -EINVAL, "bad path");
	return 0;
}

/*
 * Hold a FIFO open so that nobody has to wait for a partner, with as many
 * rights as the opener has.
 */
static int fifo_open_ends(struct ckpt_ctx *ctx, const char *name,
			  struct pipe_live *live)
{
	struct file *file;
	struct path path;
	int ret;

	ret = kern_path(name, LOOKUP_FOLLOW, &path);
	if (ret)
		return ckpt_path_refuse(ctx, ret, name);
	if (!S_ISFIFO(d_backing_inode(path.dentry)->i_mode)) {
		path_put(&path);
		return ckpt_refuse(ctx, -ESTALE,
				   "is not a FIFO any more: %s", name);
	}
	file = file_open_root(&path, "", O_RDWR | O_NONBLOCK, 0);
	if (file == ERR_PTR(-EACCES))
		file = file_open_root(&path, "", O_RDONLY | O_NONBLOCK, 0);
	path_put(&path);
	if (IS_ERR(file))
		return ckpt_path_refuse(ctx, PTR_ERR(file), name);
	live->end[0] = file;
	if (file->f_mode & FMODE_WRITE)
		live->end[1] = get_file(file);

	/* What others write there would get between what was saved. */
	if (READ_ONCE(live_pipe(live)->files) != 1)
		return ckpt_refuse(ctx, -EBUSY,
				   "the FIFO is in use by another process: %s",
				   name);
	return 0;
}

static int pipe_restore(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_pipe *p = ckpt_payload(rec, struct ckpt_pipe);
	const struct cred *old;
	struct pipe_live *live;
	struct file *end[2];
	long size;
	int ret;

	live = kzalloc(sizeof(*live), GFP_KERNEL_ACCOUNT);
	if (!live)
		return -ENOMEM;
	ckpt_obj_set(ctx, rec->objref, live, pipe_live_free);

	old = override_creds(ckpt_obj_ptr(ctx, p->cred));
	if (ckpt_tail_len(rec, sizeof(*p))) {
		ret = fifo_open_ends(ctx, p->path, live);
	} else {
		ret = create_pipe_files(end, O_NONBLOCK);
		if (!ret)
			memcpy(live->end, end, sizeof(end));
	}
	revert_creds(old);
	if (ret)
		return ret;

	if (pipe_fcntl(live->end[0], F_GETPIPE_SZ, 0) == p->size)
		return 0;
	size = pipe_fcntl(live->end[0], F_SETPIPE_SZ, p->size);
	if (size < 0)
		return ckpt_refuse(ctx, size,
				   "the pipe's size of %u bytes is over the caller's limits",
				   p->size);
	return 0;
}

static void pipe_commit(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	pipe_live_close(ckpt_obj_ptr(ctx, rec->objref));
}

const struct ckpt_kind ckpt_kind_pipe = {
	.name		= "pipe",
	.about		= "pipes and FIFOs within the tree: size",
	.family		= CKPT_FAMILY_OBJECT,
	.type		= CKPT_REC_PIPE,
	.phase		= CKPT_PHASE_OBJECT,
	.version	= 1,
	.min_version	= 1,
	CKPT_PAYLOAD_TAIL(struct ckpt_pipe, CKPT_MAX_PATH),
	.object		= true,
	.obj_get	= ckpt_vfs_inode_get,
	.obj_put	= ckpt_vfs_inode_put,
	.obj_collect	= pipe_collect,
	.obj_save	= pipe_save,
	.check		= pipe_check,
	.restore	= pipe_restore,
	.commit		= pipe_commit,
};

/* --- the data ------------------------------------------------------------------------- */

static int pipe_buf_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_pipe_buf *p = ckpt_payload(rec, struct ckpt_pipe_buf);

	if (p->pad || p->flags & ~CKPT_PIPE_BUF_PACKET ||
	    !ckpt_tail_len(rec, sizeof(*p)))
		return ckpt_refuse(ctx, -EINVAL, "bad data of a pipe");
	return 0;
}

static int pipe_buf_restore(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_pipe_buf *p = ckpt_payload(rec, struct ckpt_pipe_buf);
	struct pipe_live *live = ckpt_obj_ptr(ctx, rec->objref);
	u32 len = ckpt_tail_len(rec, sizeof(*p));
	u32 packet = p->flags & CKPT_PIPE_BUF_PACKET ? O_DIRECT : 0;
	struct file *file = live->end[1];
	ssize_t n;

	if (!file)
		return ckpt_refuse(ctx, -EACCES,
				   "no permission to write the FIFO's data");
	/* A write of at most a page to a pipe in packet mode is one packet. */
	ckpt_file_set_flags(file, (file->f_flags & ~O_DIRECT) | packet);
	n = kernel_write(file, p->data, len, NULL);
	if (n != len)
		return ckpt_refuse(ctx, n < 0 ? n : -ENOSPC,
				   "the pipe's data does not fit");
	return 0;
}

const struct ckpt_kind ckpt_kind_pipe_buf = {
	.name		= "pipe_buf",
	.about		= "the data in a pipe, packets as packets",
	.family		= CKPT_FAMILY_OBJECT,
	.type		= CKPT_REC_PIPE_BUF,
	.phase		= CKPT_PHASE_OBJECT,
	.version	= 1,
	.min_version	= 1,
	CKPT_PAYLOAD_TAIL(struct ckpt_pipe_buf, PAGE_SIZE),
	.owner		= CKPT_REC_PIPE,
	.check		= pipe_buf_check,
	.restore	= pipe_buf_restore,
};

/* --- descriptions -------------------------------------------------------------------------- */

static bool file_pipe_match(struct file *file)
{
	return file->f_op == &pipefifo_fops;
}

static int file_pipe_collect(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	struct file *file = obj->ptr;
	struct inode *inode = file_inode(file);
	int ret, err = 0;

	ret = ckpt_desc_collect(ctx, file, CKPT_OPEN_FLAGS | CKPT_OPEN_SHOWN);
	if (is_fifo(inode))
		err = ckpt_path_collect(ctx, &file->f_path,
					ckpt_file_cred(ctx, file));
	ret = ret ?: err;
	err = ckpt_collect(ctx, &ckpt_kind_pipe, inode);
	return ret ?: err;
}

static int file_pipe_save(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	struct file *file = obj->ptr;
	struct pipe_inode_info *pipe = file->private_data;
	struct ckpt_file_pipe rec = {};

	ckpt_desc_fill(ctx, obj, &rec.desc);
	rec.desc.pos = 0;
	rec.pipe = ckpt_ref(ctx, file_inode(file));
	if (file->f_mode & FMODE_NOWAIT)
		rec.desc.bits |= CKPT_FILE_NOWAIT;
	/* See fifo_open(): poll() reports no hangup before the first writer. */
	if (is_fifo(file_inode(file)) && !(file->f_mode & FMODE_WRITE) &&
	    !pipe->writers && file->f_pipe == pipe->w_counter)
		rec.desc.bits |= CKPT_FILE_NO_WRITER;
	return ckpt_write(ctx, obj->kind, obj->ref, &rec, sizeof(rec));
}

static int file_pipe_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_file_pipe *p = ckpt_payload(rec, struct ckpt_file_pipe);

	if (p->pad || p->desc.pos ||
	    !ckpt_ref_is_type(ctx, p->pipe, CKPT_REC_PIPE))
		return ckpt_refuse(ctx, -EINVAL, "bad end of a pipe");
	if ((p->desc.open_flags & O_ACCMODE) == O_ACCMODE)
		return ckpt_refuse(ctx, -EINVAL, "bad mode of a pipe");
	return ckpt_desc_check(ctx, &p->desc, CKPT_OPEN_FLAGS | CKPT_OPEN_SHOWN,
			       CKPT_FILE_RANDOM | CKPT_FILE_NOREUSE |
			       CKPT_FILE_NOWAIT | CKPT_FILE_NO_WRITER);
}

/*
 * A FIFO belongs to others and is opened with all checks; a pipe that was just
 * made belongs to whom it is made for.
 */
static struct file *file_pipe_open(struct ckpt_ctx *ctx,
				   const struct pipe_live *live,
				   const struct ckpt_file_desc *desc)
{
	const struct path *path = &live->end[0]->f_path;
	const struct cred *cred = ckpt_obj_ptr(ctx, desc->cred);
	u32 flags = desc->open_flags & (CKPT_OPEN_FLAGS & ~O_DIRECT);
	const struct cred *old;
	struct file *file;

	if (!is_fifo(d_inode(path->dentry)))
		return dentry_open(path, flags, cred);
	old = override_creds(cred);
	file = file_open_root(path, "", flags | O_NONBLOCK, 0);
	revert_creds(old);
	return file;
}

static int file_pipe_restore(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_file_pipe *p = ckpt_payload(rec, struct ckpt_file_pipe);
	struct pipe_live *live = ckpt_obj_ptr(ctx, p->pipe);
	struct file *file;

	file = file_pipe_open(ctx, live, &p->desc);
	if (IS_ERR(file))
		return ckpt_refuse(ctx, PTR_ERR(file),
				   "cannot open an end of the pipe");
	ckpt_obj_set(ctx, rec->objref, file, ckpt_file_put);

	if (p->desc.bits & CKPT_FILE_NOWAIT)
		file->f_mode |= FMODE_NOWAIT;
	if (p->desc.bits & CKPT_FILE_NO_WRITER)
		file->f_pipe = live_pipe(live)->w_counter;
	return ckpt_desc_restore(ctx, file, &p->desc);
}

const struct ckpt_kind ckpt_kind_file_pipe = {
	.name		= "file_pipe",
	.about		= "ends of pipes and FIFOs: flags, opener",
	.family		= CKPT_FAMILY_FILE,
	.type		= CKPT_REC_FILE_PIPE,
	.phase		= CKPT_PHASE_OBJECT,
	.version	= 1,
	.min_version	= 1,
	CKPT_PAYLOAD(struct ckpt_file_pipe),
	.object		= true,
	.obj_get	= ckpt_file_get,
	.obj_put	= ckpt_file_put,
	.obj_collect	= file_pipe_collect,
	.obj_save	= file_pipe_save,
	.file_match	= file_pipe_match,
	.check		= file_pipe_check,
	.restore	= file_pipe_restore,
};
