// SPDX-License-Identifier: GPL-2.0
/*
 * Unix98 pseudo terminals whose master is within the tree: both sides, what
 * they are set to, and the data in them.
 *
 * A PTY object stands for a pair. Whether the master is within the tree is
 * known when everything is collected; a pair whose master is outside stays a
 * mere number in the image, and its slaves are terminals like any other
 * (tty.c). A restart opens ptmx, which makes a new pair, and chooses the index.
 *
 * What the line disciplines hold is copied and not read and written, as that
 * would take it from the program, and process and echo it a second time. What
 * waits in the buffers in front of them is put there again by the function
 * that a write to the other side ends in.
 */

#include <linux/bitmap.h>
#include <linux/cred.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/major.h>
#include <linux/mount.h>
#include <linux/namei.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/tty.h>
#include <linux/tty_flip.h>
#include <linux/uidgid.h>
/* Needs tty.h. */
#include <linux/devpts_fs.h>

#include "../drivers/tty/n_tty.h"
#include "../drivers/tty/tty.h"
#include "../fs/internal.h"
#include "task.h"
#include "tty.h"

/* Both sides' buffers are limited to 8 KB of allocations, see queue_push(). */
#define MAX_QUEUE	SZ_32K
#define PTMX_DEV	MKDEV(TTYAUX_MAJOR, 2)

#define PTY_FLAGS	(CKPT_PTY_OUTSIDE | CKPT_PTY_CLOSED |	\
			 CKPT_PTY_PACKET | CKPT_PTY_NO_LDISC)
#define LDISC_FLAGS	(CKPT_PTY_LNEXT | CKPT_PTY_ERASING | CKPT_PTY_PUSH)
#define PKT_STATUS	(TIOCPKT_FLUSHREAD | TIOCPKT_FLUSHWRITE |	\
			 TIOCPKT_STOP | TIOCPKT_START | TIOCPKT_NOSTOP |	\
			 TIOCPKT_DOSTOP | TIOCPKT_IOCTL)

/* What is copied is known to be all that there is. */
static_assert(sizeof(struct ktermios) == sizeof(struct ckpt_termios));
static_assert(sizeof_field(struct ckpt_termios, cc) == NCCS);
static_assert(BITS_PER_BYTE * sizeof_field(struct ckpt_pty_ldisc, ends) ==
	      N_TTY_BUF_SIZE);
static_assert(offsetof(struct n_tty_data, atomic_read_lock) == 8840);
static_assert(sizeof_field(struct tty_struct, flow) ==
	      sizeof(struct { spinlock_t lock; bool b[2]; }));
static_assert(sizeof_field(struct tty_struct, ctrl) ==
	      sizeof(struct { void *p[2]; spinlock_t lock; u8 b[2]; }));

/* TTY_* in tty->flags and how they are saved. */
static const struct {
	unsigned int tty;
	u32 saved;
} state_bits[] = {
	{ TTY_THROTTLED, CKPT_PTY_THROTTLED },
	{ TTY_IO_ERROR, CKPT_PTY_IO_ERROR },
	{ TTY_OTHER_CLOSED, CKPT_PTY_OTHER_CLOSED },
	{ TTY_EXCLUSIVE, CKPT_PTY_EXCLUSIVE },
	{ TTY_PTY_LOCK, CKPT_PTY_LOCKED },
	{ TTY_HUPPED, CKPT_PTY_HUPPED },
};

#define PTY_STATE	(CKPT_PTY_THROTTLED | CKPT_PTY_IO_ERROR |	\
			 CKPT_PTY_OTHER_CLOSED | CKPT_PTY_EXCLUSIVE |	\
			 CKPT_PTY_LOCKED | CKPT_PTY_HUPPED |		\
			 CKPT_PTY_STOPPED | CKPT_PTY_TCO_STOPPED)

static struct tty_struct *master_of(struct tty_struct *tty)
{
	return ckpt_tty_is_master(tty) ? tty : tty->link;
}

static struct tty_struct *side_of(struct tty_struct *master, u32 side)
{
	return side == CKPT_PTY_MASTER ? master : master->link;
}

/**
 * ckpt_pty_is() - is this one side of a Unix98 pseudo terminal?
 * @tty: any terminal
 *
 * Return: false also for the old ones with BSD's names.
 */
bool ckpt_pty_is(const struct tty_struct *tty)
{
	return tty->driver->type == TTY_DRIVER_TYPE_PTY &&
	       tty->driver->flags & TTY_DRIVER_DEVPTS_MEM;
}

/* --- saving: the pair -------------------------------------------------------- */

/* Each side holds a reference on the other one only as long as it is open. */
static void pty_get(void *ptr)
{
	struct tty_struct *master = ptr;

	tty_kref_get(master);
	tty_kref_get(master->link);
}

static void pty_put(void *ptr)
{
	struct tty_struct *master = ptr;

	tty_kref_put(master->link);
	tty_kref_put(master);
}

/**
 * ckpt_pty_collect() - note one more description of a pseudo terminal
 * @ctx: the checkpoint
 * @tty: either side, open
 *
 * Return: 0 or -errno.
 */
int ckpt_pty_collect(struct ckpt_ctx *ctx, struct tty_struct *tty)
{
	return ckpt_collect(ctx, &ckpt_kind_pty, master_of(tty));
}

/* It has one description, ptmx makes a new pair for each open. */
static struct file *master_file(struct ckpt_ctx *ctx, struct tty_struct *master)
{
	struct tty_file_private *priv;
	struct ckpt_obj *obj = NULL;

	spin_lock(&master->files_lock);
	priv = list_first_entry_or_null(&master->tty_files,
					struct tty_file_private, list);
	if (priv)
		obj = ckpt_obj_find(ctx, priv->file);
	spin_unlock(&master->files_lock);
	return obj ? obj->ptr : NULL;
}

/* Some collected description of the slave; @hung_up: one that was hung up. */
static struct file *slave_file(struct ckpt_ctx *ctx, struct tty_struct *master,
			       bool hung_up)
{
	struct tty_struct *slave = master->link;
	struct tty_file_private *priv;
	struct ckpt_obj *obj = NULL;

	spin_lock(&slave->files_lock);
	list_for_each_entry(priv, &slave->tty_files, list) {
		if (!!tty_hung_up_p(priv->file) == hung_up)
			obj = ckpt_obj_find(ctx, priv->file);
		if (obj)
			break;
	}
	spin_unlock(&slave->files_lock);
	return obj ? obj->ptr : NULL;
}

static struct ckpt_obj *pty_obj(struct ckpt_ctx *ctx, struct tty_struct *tty)
{
	return ckpt_pty_is(tty) ? ckpt_obj_find(ctx, master_of(tty)) : NULL;
}

/**
 * ckpt_pty_inside() - is this a pseudo terminal of the tree's own?
 * @ctx: the checkpoint, after ckpt_pty_check() of all of them
 * @tty: any terminal
 *
 * Return: true when its master is the tree's, or is closed.
 */
bool ckpt_pty_inside(struct ckpt_ctx *ctx, struct tty_struct *tty)
{
	struct ckpt_obj *obj = pty_obj(ctx, tty);

	return obj && obj->flags & CKPT_OBJ_INSIDE;
}

/* Has somebody the slave open whom we did not meet? */
static bool slave_is_shared(struct ckpt_ctx *ctx, struct tty_struct *slave)
{
	struct tty_file_private *priv;
	bool shared = false;

	spin_lock(&slave->files_lock);
	list_for_each_entry(priv, &slave->tty_files, list)
		if (!tty_hung_up_p(priv->file) &&
		    !ckpt_obj_find(ctx, priv->file))
			shared = true;
	spin_unlock(&slave->files_lock);
	return shared;
}

static int check_ldisc(struct ckpt_ctx *ctx, struct tty_struct *tty)
{
	struct tty_ldisc *ld = tty_ldisc_ref_wait(tty);
	int ret = 0;

	if (!ld)
		return 0;
	if (ld->ops->num != N_TTY)
		ret = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "the line discipline %s (%d) is not supported",
				  ld->ops->name ?: "?", ld->ops->num);
	tty_ldisc_deref(ld);
	return ret;
}

/* Nothing sets the attributes of the master but an open of ptmx. */
static int check_termios(struct ckpt_ctx *ctx, struct tty_struct *master)
{
	struct tty_struct *slave = master->link;
	int ret = 0;

	down_read(&slave->termios_rwsem);
	if (memchr_inv(&slave->termios_locked, 0, sizeof(struct ktermios)))
		ret = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "locked attributes of a terminal (TIOCSLCKTRMIOS) are not supported");
	up_read(&slave->termios_rwsem);
	down_read(&master->termios_rwsem);
	if (memcmp(&master->termios, &master->driver->init_termios,
		   sizeof(struct ktermios)))
		ret = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "unknown attributes of the master of a pseudo terminal");
	up_read(&master->termios_rwsem);
	return ret;
}

/**
 * ckpt_pty_check() - find out whose it is, and what of it cannot be saved
 * @ctx: the checkpoint, after everything was collected
 * @obj: the pair
 *
 * Return: 0, or the first -errno, noted as reasons.
 */
int ckpt_pty_check(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	struct tty_struct *master = obj->ptr, *slave = master->link;
	struct file *file = master_file(ctx, master);
	int ret;

	/* The last one that closes it hangs up the slave before. */
	if (!READ_ONCE(master->count)) {
		obj->flags |= CKPT_OBJ_INSIDE;
		return 0;
	}
	if (!file)
		return 0;
	obj->flags |= CKPT_OBJ_INSIDE;
	ckpt_about_file(ctx, file);

	if (tty_hung_up_p(file))
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "the master of a pseudo terminal was hung up");
	ret = check_ldisc(ctx, master);
	ckpt_first(&ret, check_ldisc(ctx, slave));
	ckpt_first(&ret, check_termios(ctx, master));
	ckpt_first(&ret, ckpt_path_collect(ctx, &file->f_path,
					   ctx->caller_cred));
	if (slave_is_shared(ctx, slave))
		ckpt_first(&ret, ckpt_refuse(ctx, -EBUSY,
					     "the other side of the pseudo terminal (%s) is open in a process outside",
					     slave->name));
	/*
	 * What is on its way arrives now: a ^C in it is a signal to tasks of
	 * which nothing is written yet. What the slave takes can be echoed.
	 */
	tty_buffer_flush_work(slave->port);
	tty_buffer_flush_work(master->port);
	return ret;
}

/* The text of the path of a ptmx that makes pairs beside a closed one. */
static char *closed_path(struct ckpt_ctx *ctx, struct tty_struct *master,
			 char *buf)
{
	struct file *file = slave_file(ctx, master, true);
	struct path dir;
	char *name;
	size_t len;

	if (!file)
		return ERR_PTR(-ENOENT);
	dir.mnt = file->f_path.mnt;
	/* Or that of /dev/tty, which is in the same place. */
	if (ckpt_file_is_dev_tty(file))
		dir.dentry = dget_parent(file->f_path.dentry);
	else
		dir.dentry = dget(dir.mnt->mnt_root);
	name = ckpt_path(ctx, &dir, buf, PATH_MAX);
	dput(dir.dentry);
	if (IS_ERR(name))
		return name;
	/* The one in it is mostly not for everybody: /dev/ptmx of /dev/pts. */
	len = strlen(name);
	if (len > 4 && !strcmp(name + len - 4, "/pts"))
		len -= 4;
	if (len + sizeof("/ptmx") > PATH_MAX)
		return ERR_PTR(-ENAMETOOLONG);
	memmove(buf, name, len);
	strscpy(buf + len, "/ptmx", PATH_MAX - len);
	return buf;
}

static u32 side_state(struct tty_struct *tty)
{
	unsigned int i;
	u32 state = 0;

	for (i = 0; i < ARRAY_SIZE(state_bits); i++)
		if (test_bit(state_bits[i].tty, &tty->flags))
			state |= state_bits[i].saved;
	spin_lock_irq(&tty->flow.lock);
	if (tty->flow.stopped)
		state |= CKPT_PTY_STOPPED;
	if (tty->flow.tco_stopped)
		state |= CKPT_PTY_TCO_STOPPED;
	spin_unlock_irq(&tty->flow.lock);
	return state;
}

static void fill_ctrl(struct ckpt_ctx *ctx, struct tty_struct *master,
		      struct ckpt_pty *rec)
{
	struct tty_struct *slave = master->link;

	spin_lock_irq(&master->ctrl.lock);
	if (master->ctrl.packet)
		rec->flags |= CKPT_PTY_PACKET;
	spin_unlock_irq(&master->ctrl.lock);
	spin_lock_irq(&slave->ctrl.lock);
	rec->pktstatus = slave->ctrl.pktstatus;
	rec->session = pid_nr_ns(slave->ctrl.session, ctx->pid_ns);
	if (rec->session)
		rec->pgrp = pid_nr_ns(slave->ctrl.pgrp, ctx->pid_ns);
	spin_unlock_irq(&slave->ctrl.lock);
}

static void fill_termios(struct tty_struct *slave, struct ckpt_pty *rec)
{
	const struct ktermios *t = &slave->termios;

	down_read(&slave->termios_rwsem);
	rec->termios = (struct ckpt_termios) {
		.iflag = t->c_iflag,
		.oflag = t->c_oflag,
		.cflag = t->c_cflag,
		.lflag = t->c_lflag,
		.ispeed = t->c_ispeed,
		.ospeed = t->c_ospeed,
		.line = t->c_line,
	};
	memcpy(rec->termios.cc, t->c_cc, sizeof(rec->termios.cc));
	up_read(&slave->termios_rwsem);

	mutex_lock(&slave->winsize_mutex);
	rec->rows = slave->winsize.ws_row;
	rec->cols = slave->winsize.ws_col;
	rec->xpixel = slave->winsize.ws_xpixel;
	rec->ypixel = slave->winsize.ws_ypixel;
	mutex_unlock(&slave->winsize_mutex);
}

/* The node lives as long as the master, which we hold, is open. */
static void fill_node(struct ckpt_ctx *ctx, struct tty_struct *slave,
		      struct ckpt_pty *rec)
{
	const struct dentry *dentry = slave->driver_data;
	const struct inode *inode = d_backing_inode(dentry);

	rec->mode = inode->i_mode & S_IALLUGO;
	rec->uid = from_kuid_munged(ctx->user_ns, inode->i_uid);
	rec->gid = from_kgid_munged(ctx->user_ns, inode->i_gid);
}

static void fill_pty(struct ckpt_ctx *ctx, struct tty_struct *master,
		     struct file *file, struct ckpt_pty *rec)
{
	struct tty_struct *slave = master->link;
	struct tty_ldisc *ld;

	rec->open_flags = file->f_flags & O_ACCMODE;
	rec->state[CKPT_PTY_MASTER] = side_state(master);
	rec->state[CKPT_PTY_SLAVE] = side_state(slave);
	ld = tty_ldisc_ref_wait(slave);
	if (ld)
		tty_ldisc_deref(ld);
	else
		rec->flags |= CKPT_PTY_NO_LDISC;
	fill_ctrl(ctx, master, rec);
	fill_termios(slave, rec);
	fill_node(ctx, slave, rec);
}

/* --- saving: the data -------------------------------------------------------- */

/* How far @pos is ahead of @from, if it is. */
static size_t ahead(size_t pos, size_t from)
{
	return (ssize_t)(pos - from) > 0 ? pos - from : 0;
}

/*
 * Raw mode has no use for canon_head, canonical mode none for commit_head: what
 * has fallen behind is as good as the first unread byte. The data has room for
 * both buffers.
 */
static int fill_ldisc(const struct n_tty_data *ldata,
		      struct ckpt_pty_ldisc *rec)
{
	size_t i, tail = ldata->read_tail;

	rec->nr_read = ahead(ldata->read_head, tail);
	rec->nr_commit = ahead(ldata->commit_head, tail);
	rec->nr_canon = ahead(ldata->canon_head, tail);
	rec->nr_echo = ahead(ldata->echo_head, ldata->echo_tail);
	rec->echo_commit = ahead(ldata->echo_commit, ldata->echo_tail);
	rec->echo_mark = ahead(ldata->echo_mark, ldata->echo_tail);
	rec->column = ldata->column;
	rec->canon_column = ldata->canon_column;
	if (ldata->lnext)
		rec->flags |= CKPT_PTY_LNEXT;
	if (ldata->erasing)
		rec->flags |= CKPT_PTY_ERASING;
	if (ldata->push)
		rec->flags |= CKPT_PTY_PUSH;
	if (rec->nr_read > N_TTY_BUF_SIZE || rec->nr_echo >= N_TTY_BUF_SIZE)
		return -EIO;

	for (i = 0; i < rec->nr_read; i++) {
		size_t at = (tail + i) % N_TTY_BUF_SIZE;

		rec->data[i] = ldata->read_buf[at];
		if (test_bit(at, ldata->read_flags))
			rec->ends[i / 64] |= BIT_ULL(i % 64);
	}
	for (i = 0; i < rec->nr_echo; i++)
		rec->data[rec->nr_read + i] =
			ldata->echo_buf[(ldata->echo_tail + i) % N_TTY_BUF_SIZE];
	return 0;
}

static int save_ldisc(struct ckpt_ctx *ctx, struct ckpt_obj *obj, u32 side)
{
	struct tty_struct *tty = side_of(obj->ptr, side);
	struct ckpt_pty_ldisc *rec;
	struct tty_ldisc *ld;
	int ret;

	rec = kvzalloc(struct_size(rec, data, 2 * N_TTY_BUF_SIZE), GFP_KERNEL);
	if (!rec)
		return -ENOMEM;
	rec->side = side;

	ld = tty_ldisc_ref_wait(tty);
	if (!ld) {
		ret = 0;
		goto out;
	}
	ret = -EOPNOTSUPP;
	if (ld->ops->num == N_TTY) {
		down_write(&tty->termios_rwsem);
		ret = fill_ldisc(tty->disc_data, rec);
		up_write(&tty->termios_rwsem);
	}
	tty_ldisc_deref(ld);
	if (ret)
		ckpt_refuse(ctx, ret, "the line discipline has changed");
	else
		ret = ckpt_write_tail(ctx, &ckpt_kind_pty_ldisc, obj->ref, rec,
				      sizeof(*rec), rec->data,
				      rec->nr_read + rec->nr_echo);
out:
	kvfree(rec);
	return ret;
}

/* Nobody takes anything away while it is copied; what comes is outsiders'. */
static int copy_queue(struct tty_port *port, u8 *data, size_t *size)
{
	struct tty_buffer *buf, *next;
	int ret = 0;

	*size = 0;
	tty_buffer_lock_exclusive(port);
	for (buf = port->buf.head; buf && !ret; buf = next) {
		unsigned int len;

		/* Before what is committed is read, as in flush_to_ldisc(). */
		next = smp_load_acquire(&buf->next);
		/* Likewise before the data. */
		len = smp_load_acquire(&buf->commit) - buf->read;
		if (!len)
			continue;
		if (len > MAX_QUEUE - *size)
			ret = -E2BIG;
		/* No side of a pseudo terminal sends breaks or errors. */
		else if (buf->flags)
			ret = -EOPNOTSUPP;
		else
			memcpy(data + *size, char_buf_ptr(buf, buf->read), len);
		if (!ret)
			*size += len;
	}
	tty_buffer_unlock_exclusive(port);
	return ret;
}

static int save_queue(struct ckpt_ctx *ctx, struct ckpt_obj *obj, u32 side)
{
	struct ckpt_pty_queue rec = { .side = side };
	size_t size;
	u8 *data;
	int ret;

	data = kvmalloc(MAX_QUEUE, GFP_KERNEL);
	if (!data)
		return -ENOMEM;
	ret = copy_queue(side_of(obj->ptr, side)->port, data, &size);
	if (ret)
		ckpt_refuse(ctx, ret,
			    "data of an unknown form in the pseudo terminal");
	else if (size)
		ret = ckpt_write_tail(ctx, &ckpt_kind_pty_queue, obj->ref, &rec,
				      sizeof(rec), data, size);
	kvfree(data);
	return ret;
}

static int save_data(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	u32 side;
	int ret = 0;

	for (side = CKPT_PTY_MASTER; side <= CKPT_PTY_SLAVE && !ret; side++)
		ret = save_ldisc(ctx, obj, side);
	for (side = CKPT_PTY_MASTER; side <= CKPT_PTY_SLAVE && !ret; side++)
		ret = save_queue(ctx, obj, side);
	return ret;
}

static int pty_save(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	struct tty_struct *master = obj->ptr;
	struct file *file = master_file(ctx, master);
	struct ckpt_pty rec = {};
	char *buf, *name;
	int ret;

	if (!(obj->flags & CKPT_OBJ_INSIDE)) {
		rec.flags = CKPT_PTY_OUTSIDE;
		return ckpt_write(ctx, obj->kind, obj->ref, &rec, sizeof(rec));
	}
	buf = kmalloc(PATH_MAX, GFP_KERNEL);
	if (!buf)
		return -ENOMEM;
	rec.index = master->index;
	if (file) {
		fill_pty(ctx, master, file, &rec);
		name = ckpt_path(ctx, &file->f_path, buf, PATH_MAX);
	} else {
		rec.flags = CKPT_PTY_CLOSED;
		name = closed_path(ctx, master, buf);
	}
	if (IS_ERR(name)) {
		ret = ckpt_refuse(ctx, PTR_ERR(name),
				  "the device of its master has moved away");
		goto out;
	}
	ret = ckpt_write_tail(ctx, obj->kind, obj->ref, &rec, sizeof(rec),
			      name, strlen(name) + 1);
	if (!ret && file)
		ret = save_data(ctx, obj);
out:
	kfree(buf);
	return ret;
}

/* --- restarting: the pair ---------------------------------------------------- */

/**
 * struct pty_live - a pair that is restored
 * @master: its description; NULL: was closed
 * @tty: both sides
 * @node: /dev/pts/N
 * @taken: the description has found its record
 */
struct pty_live {
	struct file *master;
	struct tty_struct *tty;
	struct path node;
	bool taken;
};

/* Only one task at a time can want an index. */
static DEFINE_MUTEX(index_mutex);

static void pty_live_free(void *ptr)
{
	struct pty_live *live = ptr;

	path_put(&live->node);
	if (live->master)
		fput(live->master);
	if (live->tty)
		pty_put(live->tty);
	kfree(live);
}

static int pty_check_values(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	const struct ckpt_pty *p = ckpt_payload(rec, struct ckpt_pty);
	u32 state = p->state[CKPT_PTY_MASTER] | p->state[CKPT_PTY_SLAVE];
	int ret;

	if (p->session < 0 || p->pgrp < 0 || (p->pgrp && !p->session))
		return ckpt_refuse(ctx, -EINVAL,
				   "bad session %d or foreground group %d of a terminal",
				   p->session, p->pgrp);
	if (p->open_flags & ~O_ACCMODE ||
	    (p->open_flags & O_ACCMODE) == O_ACCMODE || state & ~PTY_STATE ||
	    p->state[CKPT_PTY_SLAVE] & CKPT_PTY_LOCKED ||
	    p->pktstatus & ~PKT_STATUS)
		return ckpt_refuse(ctx, -EINVAL,
				   "bad state of a pseudo terminal");
	if (p->mode & ~S_IALLUGO || p->uid == (u32)-1 || p->gid == (u32)-1)
		return ckpt_refuse(ctx, -EINVAL,
				   "bad owner or mode of a pseudo terminal");
	/* See pty_set_termios(). */
	if ((p->termios.cflag & (CSIZE | PARENB | CREAD)) != (CS8 | CREAD))
		return ckpt_refuse(ctx, -EINVAL,
				   "bad attributes of a pseudo terminal");
	if (!p->session)
		return 0;
	ret = xa_insert(&ctx->terminals, p->session, rec, GFP_KERNEL_ACCOUNT);
	if (ret == -EBUSY)
		ret = ckpt_refuse(ctx, -EINVAL,
				  "session %d has two terminals", p->session);
	return ret;
}

static int pty_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_pty *p = ckpt_payload(rec, struct ckpt_pty);
	u32 len = ckpt_tail_len(rec, sizeof(*p));
	bool zero = !memchr_inv(&p->session, 0,
				sizeof(*p) - offsetof(typeof(*p), session));

	if (p->flags & ~PTY_FLAGS)
		return ckpt_refuse(ctx, -EINVAL,
				   "unknown flags of a pseudo terminal");
	if (p->flags & CKPT_PTY_OUTSIDE) {
		if (p->flags != CKPT_PTY_OUTSIDE || p->index || len || !zero)
			return ckpt_refuse(ctx, -EINVAL,
					   "bad pseudo terminal of others");
		return 0;
	}
	if (p->index >= NR_UNIX98_PTY_MAX)
		return ckpt_refuse(ctx, -EINVAL,
				   "bad index of a pseudo terminal");
	if (!ckpt_path_valid(p->path, len))
		return ckpt_refuse(ctx, -EINVAL, "bad path");
	if (p->flags & CKPT_PTY_CLOSED) {
		if (p->flags != CKPT_PTY_CLOSED || !zero)
			return ckpt_refuse(ctx, -EINVAL,
					   "bad closed pseudo terminal");
		return 0;
	}
	return pty_check_values(ctx, rec);
}

/* @index: NULL: any. */
static struct file *open_ptmx(const struct path *path, u32 flags,
			      const u32 *index)
{
	struct file *file;

	if (!index)
		return file_open_root(path, "", flags, 0);
	mutex_lock(&index_mutex);
	devpts_want_index(current, *index);
	file = file_open_root(path, "", flags, 0);
	devpts_want_index(NULL, 0);
	mutex_unlock(&index_mutex);
	return file;
}

/*
 * Whoever the owner of the node was, it is the caller who makes a terminal for
 * the new process, with the rights to do so.
 */
static struct file *open_master(struct ckpt_ctx *ctx, const struct ckpt_pty *p)
{
	u32 flags = (p->flags & CKPT_PTY_CLOSED ? O_RDWR : p->open_flags) |
		    O_NOCTTY;
	struct inode *inode;
	struct file *file;
	struct path path;
	int ret;

	ret = kern_path(p->path, LOOKUP_FOLLOW, &path);
	if (ret)
		return ERR_PTR(ckpt_path_refuse(ctx, ret, p->path));
	inode = d_backing_inode(path.dentry);
	if (!S_ISCHR(inode->i_mode) || inode->i_rdev != PTMX_DEV) {
		path_put(&path);
		return ERR_PTR(ckpt_refuse(ctx, -ESTALE,
					   "makes no pseudo terminals: %s",
					   p->path));
	}
	file = open_ptmx(&path, flags, &p->index);
	if (file == ERR_PTR(-ENOSPC)) {
		/* No more of them at all, or only not this one? */
		file = open_ptmx(&path, flags, NULL);
		if (!IS_ERR(file) && !(p->flags & CKPT_PTY_CLOSED)) {
			fput(file);
			file = ERR_PTR(-EBUSY);
		}
	}
	path_put(&path);
	if (file == ERR_PTR(-ENOSPC))
		ckpt_refuse(ctx, -ENOSPC,
			    "no more pseudo terminals are allowed (kernel.pty.max)");
	else if (file == ERR_PTR(-EBUSY))
		ckpt_refuse(ctx, -EBUSY,
			    "the pseudo terminal /dev/pts/%u is in use",
			    p->index);
	else if (IS_ERR(file))
		ckpt_path_refuse(ctx, PTR_ERR(file), p->path);
	return file;
}

static int set_node(struct ckpt_ctx *ctx, const struct path *node,
		    const struct ckpt_pty *p)
{
	const struct inode *inode = d_backing_inode(node->dentry);
	struct user_namespace *ns = current_user_ns();
	int ret;

	if (from_kuid_munged(ns, inode->i_uid) != p->uid ||
	    from_kgid_munged(ns, inode->i_gid) != p->gid) {
		ret = mnt_want_write(node->mnt);
		if (!ret) {
			ret = chown_common(node, p->uid, p->gid);
			mnt_drop_write(node->mnt);
		}
		if (ret)
			return ckpt_refuse(ctx, ret,
					   "cannot give /dev/pts/%u to user %u, group %u",
					   p->index, p->uid, p->gid);
	}
	if ((inode->i_mode & S_IALLUGO) == p->mode)
		return 0;
	ret = chmod_common(node, p->mode);
	if (ret)
		return ckpt_refuse(ctx, ret, "cannot set the mode of /dev/pts/%u",
				   p->index);
	return 0;
}

static void set_slave(struct tty_struct *slave, const struct ckpt_pty *p)
{
	struct ktermios t = {
		.c_iflag = p->termios.iflag,
		.c_oflag = p->termios.oflag,
		.c_cflag = p->termios.cflag,
		.c_lflag = p->termios.lflag,
		.c_ispeed = p->termios.ispeed,
		.c_ospeed = p->termios.ospeed,
		.c_line = p->termios.line,
	};

	memcpy(t.c_cc, p->termios.cc, sizeof(t.c_cc));
	tty_set_termios(slave, &t);

	/* Nobody wants a signal for it. */
	mutex_lock(&slave->winsize_mutex);
	slave->winsize.ws_row = p->rows;
	slave->winsize.ws_col = p->cols;
	slave->winsize.ws_xpixel = p->xpixel;
	slave->winsize.ws_ypixel = p->ypixel;
	mutex_unlock(&slave->winsize_mutex);
}

/* The holder of the master can have any slave, see TIOCGPTPEER. */
static struct file *open_slave(const struct path *path, u32 flags)
{
	return dentry_open(path, (flags & CKPT_OPEN_FLAGS) | O_NOCTTY,
			   current_cred());
}

/*
 * /dev/tty opens the controlling terminal of current. For a moment it is this
 * one. What is current's own may be hung up meanwhile: then it is gone behind
 * it, as it would have been.
 */
static struct file *open_dev_tty(struct tty_struct *slave,
				 const struct path *path, u32 flags)
{
	struct tty_struct *old = get_current_tty();
	struct tty_struct *drop = NULL;
	struct file *file;

	spin_lock_irq(ckpt_siglock());
	current->signal->tty = slave;
	spin_unlock_irq(ckpt_siglock());

	file = file_open_root(path, "", flags, 0);

	if (old)
		tty_lock(old);
	spin_lock_irq(ckpt_siglock());
	current->signal->tty = old;
	if (old && old->ctrl.session != task_session(current)) {
		current->signal->tty = NULL;
		drop = old;
	}
	spin_unlock_irq(ckpt_siglock());
	if (old)
		tty_unlock(old);
	tty_kref_put(drop);
	tty_kref_put(old);
	return file;
}

static struct file *open_path(struct ckpt_ctx *ctx, const struct pty_live *live,
			      const struct ckpt_file_pty *p)
{
	u32 flags = (p->desc.open_flags & CKPT_OPEN_FLAGS) | O_NOCTTY;
	struct inode *inode;
	struct file *file;
	struct path path;
	int ret;

	ret = kern_path(p->path, LOOKUP_FOLLOW, &path);
	if (ret)
		return ERR_PTR(ckpt_path_refuse(ctx, ret, p->path));
	inode = d_backing_inode(path.dentry);
	if (p->desc.bits & CKPT_FILE_DEV_TTY) {
		if (S_ISCHR(inode->i_mode) && inode->i_rdev == CKPT_DEV_TTY)
			file = open_dev_tty(live->tty->link, &path, flags);
		else
			file = ERR_PTR(-ESTALE);
	} else {
		if (inode == d_backing_inode(live->node.dentry))
			file = open_slave(&path, flags);
		else
			file = ERR_PTR(-ESTALE);
	}
	path_put(&path);
	if (file == ERR_PTR(-ESTALE))
		ckpt_refuse(ctx, -ESTALE, "is another terminal now: %s",
			    p->path);
	else if (IS_ERR(file))
		ckpt_path_refuse(ctx, PTR_ERR(file), p->path);
	return file;
}

static struct file *open_live(struct ckpt_ctx *ctx, const struct pty_live *live,
			      u32 flags)
{
	struct file *file = open_slave(&live->node, flags);

	if (IS_ERR(file))
		ckpt_refuse(ctx, PTR_ERR(file),
			    "cannot open the slave of a pseudo terminal");
	return file;
}

/*
 * Descriptions that were hung up have a dead terminal for ever, while later
 * ones are alive. So all of the former are made before, and hung up together.
 */
static int open_hung_up(struct ckpt_ctx *ctx, struct ckpt_rec *pty,
			const struct pty_live *live, unsigned int *nr)
{
	unsigned int total = ckpt_obj_get(ctx, pty->objref)->users;
	struct ckpt_rec *rec = pty;
	struct ckpt_file_pty *p;
	struct file *file;

	/* They are behind it, the first one mostly right behind it. */
	list_for_each_entry_continue(rec, &ctx->recs, node) {
		if (*nr == total)
			break;
		if (rec->type != CKPT_REC_FILE_PTY)
			continue;
		p = ckpt_payload(rec, struct ckpt_file_pty);
		if (p->pty != pty->objref ||
		    !(p->desc.bits & CKPT_FILE_HUNG_UP))
			continue;
		if (p->desc.bits & CKPT_FILE_DEV_TTY)
			file = open_path(ctx, live, p);
		else
			file = open_live(ctx, live, p->desc.open_flags);
		if (IS_ERR(file))
			return PTR_ERR(file);
		ckpt_obj_set(ctx, rec->objref, file, ckpt_file_put);
		++*nr;
	}
	return 0;
}

static int hang_up(struct ckpt_ctx *ctx, struct ckpt_rec *rec,
		   struct pty_live *live)
{
	struct ckpt_pty *p = ckpt_payload(rec, struct ckpt_pty);
	struct file *file, *master;
	unsigned int nr = 0;
	int ret;

	ret = open_hung_up(ctx, rec, live, &nr);
	if (ret)
		return ret;
	if (p->flags & CKPT_PTY_CLOSED) {
		/* This hangs up the slaves, now. */
		master = live->master;
		live->master = NULL;
		__fput_sync(master);
		return 0;
	}
	if (!nr && !(p->flags & CKPT_PTY_NO_LDISC))
		return 0;
	tty_vhangup(live->tty->link);
	if (p->flags & CKPT_PTY_NO_LDISC)
		return 0;

	/* An open after that brought the terminal back to life. */
	file = open_live(ctx, live, O_RDWR);
	if (IS_ERR(file))
		return PTR_ERR(file);
	__fput_sync(file);
	return 0;
}

static int pty_make(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_pty *p = ckpt_payload(rec, struct ckpt_pty);
	struct tty_struct *master;
	struct pty_live *live;
	struct vfsmount *mnt;
	int ret;

	live = kzalloc(sizeof(*live), GFP_KERNEL_ACCOUNT);
	if (!live)
		return -ENOMEM;
	ckpt_obj_set(ctx, rec->objref, live, pty_live_free);

	live->master = open_master(ctx, p);
	if (IS_ERR(live->master)) {
		ret = PTR_ERR(live->master);
		live->master = NULL;
		return ret;
	}
	master = ckpt_file_tty(live->master);
	pty_get(master);
	live->tty = master;
	if (!(p->flags & CKPT_PTY_CLOSED) && master->index != p->index)
		return ckpt_refuse(ctx, -ENOSPC,
				   "no pseudo terminal %u is allowed there",
				   p->index);

	mnt = devpts_mntget(live->master, master->driver_data);
	if (IS_ERR(mnt))
		return ckpt_refuse(ctx, PTR_ERR(mnt),
				   "cannot find the directory of pseudo terminals");
	live->node.mnt = mnt;
	live->node.dentry = dget(master->link->driver_data);

	if (!(p->flags & CKPT_PTY_CLOSED)) {
		ret = set_node(ctx, &live->node, p);
		if (ret)
			return ret;
	}
	/* It was made locked. Whom its mode lets in can open it from now on. */
	clear_bit(TTY_PTY_LOCK, &master->flags);
	ret = hang_up(ctx, rec, live);
	if (ret || p->flags & CKPT_PTY_CLOSED)
		return ret;
	set_slave(master->link, p);
	return 0;
}

static int pty_restore(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_pty *p = ckpt_payload(rec, struct ckpt_pty);
	const struct cred *old;
	int ret;

	if (p->flags & CKPT_PTY_OUTSIDE)
		return 0;
	old = override_creds(ctx->caller_cred);
	ret = pty_make(ctx, rec);
	revert_creds(old);
	return ret;
}

static void set_side(struct tty_struct *tty, u32 state)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(state_bits); i++)
		assign_bit(state_bits[i].tty, &tty->flags,
			   state & state_bits[i].saved);
	spin_lock_irq(&tty->flow.lock);
	tty->flow.stopped = state & CKPT_PTY_STOPPED;
	tty->flow.tco_stopped = state & CKPT_PTY_TCO_STOPPED;
	spin_unlock_irq(&tty->flow.lock);
}

/* What opening the descriptions would have changed, or what forbids it. */
static void pty_commit(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_pty *p = ckpt_payload(rec, struct ckpt_pty);
	struct pty_live *live = ckpt_obj_ptr(ctx, rec->objref);
	struct tty_struct *master, *slave;

	if (p->flags & (CKPT_PTY_OUTSIDE | CKPT_PTY_CLOSED))
		return;
	master = live->tty;
	slave = master->link;
	set_side(master, p->state[CKPT_PTY_MASTER]);
	set_side(slave, p->state[CKPT_PTY_SLAVE]);
	spin_lock_irq(&slave->ctrl.lock);
	slave->ctrl.pktstatus = p->pktstatus;
	spin_unlock_irq(&slave->ctrl.lock);
	spin_lock_irq(&master->ctrl.lock);
	master->ctrl.packet = p->flags & CKPT_PTY_PACKET;
	spin_unlock_irq(&master->ctrl.lock);
}

const struct ckpt_kind ckpt_kind_pty = {
	.name		= "pty",
	.about		= "pseudo terminals of the tree: name, owner, attributes, size, modes",
	.family		= CKPT_FAMILY_OBJECT,
	.type		= CKPT_REC_PTY,
	.phase		= CKPT_PHASE_OBJECT,
	.version	= 1,
	.min_version	= 1,
	CKPT_PAYLOAD_TAIL(struct ckpt_pty, CKPT_MAX_PATH),
	.object		= true,
	.obj_get	= pty_get,
	.obj_put	= pty_put,
	.obj_save	= pty_save,
	.check		= pty_check,
	.restore	= pty_restore,
	.commit		= pty_commit,
};

/* --- restarting: the data ---------------------------------------------------- */

/* CKPT_PTY_* of the pair. */
static u32 pty_flags(struct ckpt_ctx *ctx, ckpt_ref_t ref)
{
	struct ckpt_obj *obj = ckpt_obj_get(ctx, ref);

	return ckpt_payload(obj->rec, struct ckpt_pty)->flags;
}

/* A pair that can have data. */
static bool is_alive(struct ckpt_ctx *ctx, ckpt_ref_t ref)
{
	return !(pty_flags(ctx, ref) & (CKPT_PTY_OUTSIDE | CKPT_PTY_CLOSED));
}

static int pty_ldisc_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_pty_ldisc *p = ckpt_payload(rec, struct ckpt_pty_ldisc);
	u32 i;

	if (p->side > CKPT_PTY_SLAVE || p->flags & ~LDISC_FLAGS ||
	    p->nr_read > N_TTY_BUF_SIZE || p->nr_commit > p->nr_read ||
	    p->nr_canon > p->nr_read || p->nr_echo >= N_TTY_BUF_SIZE ||
	    p->echo_commit > p->nr_echo || p->echo_mark > p->nr_echo ||
	    ckpt_tail_len(rec, sizeof(*p)) != p->nr_read + p->nr_echo)
		return ckpt_refuse(ctx, -EINVAL,
				   "bad state of a line discipline");
	for (i = p->nr_read; i < N_TTY_BUF_SIZE; i++)
		if (p->ends[i / 64] & BIT_ULL(i % 64))
			return ckpt_refuse(ctx, -EINVAL,
					   "a line ends behind the data");
	if (!is_alive(ctx, rec->objref) ||
	    (p->side == CKPT_PTY_SLAVE &&
	     pty_flags(ctx, rec->objref) & CKPT_PTY_NO_LDISC))
		return ckpt_refuse(ctx, -EINVAL,
				   "data in a pseudo terminal that is none");
	return 0;
}

static void set_ldisc(struct n_tty_data *ldata, const struct ckpt_pty_ldisc *p)
{
	u32 i;

	ldata->read_tail = 0;
	ldata->line_start = 0;
	ldata->read_head = p->nr_read;
	ldata->commit_head = p->nr_commit;
	ldata->canon_head = p->nr_canon;
	memcpy(ldata->read_buf, p->data, p->nr_read);
	bitmap_zero(ldata->read_flags, N_TTY_BUF_SIZE);
	for (i = 0; i < p->nr_read; i++)
		if (p->ends[i / 64] & BIT_ULL(i % 64))
			__set_bit(i, ldata->read_flags);

	ldata->echo_tail = 0;
	ldata->echo_head = p->nr_echo;
	ldata->echo_commit = p->echo_commit;
	ldata->echo_mark = p->echo_mark;
	memcpy(ldata->echo_buf, p->data + p->nr_read, p->nr_echo);

	ldata->column = p->column;
	ldata->canon_column = p->canon_column;
	ldata->lnext = !!(p->flags & CKPT_PTY_LNEXT);
	ldata->erasing = !!(p->flags & CKPT_PTY_ERASING);
	ldata->push = !!(p->flags & CKPT_PTY_PUSH);
}

/*
 * The slave's attributes are set, what follows from them is known. Its owner
 * can have it open by now, and another line discipline in it.
 */
static int pty_ldisc_restore(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_pty_ldisc *p = ckpt_payload(rec, struct ckpt_pty_ldisc);
	struct pty_live *live = ckpt_obj_ptr(ctx, rec->objref);
	struct tty_struct *tty = side_of(live->tty, p->side);
	struct tty_ldisc *ld = tty_ldisc_ref_wait(tty);
	int ret = 0;

	if (!ld)
		return ckpt_refuse(ctx, -EINVAL,
				   "data in a line discipline that is none");
	if (ld->ops->num == N_TTY) {
		down_write(&tty->termios_rwsem);
		set_ldisc(tty->disc_data, p);
		up_write(&tty->termios_rwsem);
	} else {
		ret = ckpt_refuse(ctx, -EBUSY,
				  "somebody has changed the line discipline to %s (%d)",
				  ld->ops->name ?: "?", ld->ops->num);
	}
	tty_ldisc_deref(ld);
	return ret;
}

const struct ckpt_kind ckpt_kind_pty_ldisc = {
	.name		= "pty_ldisc",
	.about		= "their line disciplines: input that was not read, echo, column",
	.family		= CKPT_FAMILY_OBJECT,
	.type		= CKPT_REC_PTY_LDISC,
	.phase		= CKPT_PHASE_OBJECT,
	.version	= 1,
	.min_version	= 1,
	CKPT_PAYLOAD_TAIL(struct ckpt_pty_ldisc, 2 * N_TTY_BUF_SIZE),
	.owner		= CKPT_REC_PTY,
	.check		= pty_ldisc_check,
	.restore	= pty_ldisc_restore,
};

static int pty_queue_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_pty_queue *p = ckpt_payload(rec, struct ckpt_pty_queue);

	if (p->side > CKPT_PTY_SLAVE || p->pad ||
	    !ckpt_tail_len(rec, sizeof(*p)) || !is_alive(ctx, rec->objref))
		return ckpt_refuse(ctx, -EINVAL,
				   "bad data of a pseudo terminal");
	return 0;
}

/*
 * A buffer for n bytes holds 2 * n. What fits must fit again, however it was
 * divided: the limit is checked before a buffer is allocated, so first come
 * small ones, up to the limit, and then a last one, as big as they get.
 */
static size_t queue_push(struct tty_port *port, const u8 *data, size_t len)
{
	size_t done = 0;

	while (done < len) {
		bool last = tty_buffer_space_avail(port) < 256;
		size_t size = min(len - done, last ? 1792 : 256);
		int n;

		n = tty_insert_flip_string_and_push_buffer(port, data + done,
							   size);
		if (n <= 0)
			break;
		done += n;
	}
	return done;
}

/* Stops and starts in it were obeyed when they were looked at before. */
static void mask_ixon(struct tty_struct *tty, tcflag_t ixon)
{
	down_write(&tty->termios_rwsem);
	tty->termios.c_iflag = (tty->termios.c_iflag & ~IXON) | ixon;
	up_write(&tty->termios_rwsem);
}

static int pty_queue_restore(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_pty_queue *p = ckpt_payload(rec, struct ckpt_pty_queue);
	struct pty_live *live = ckpt_obj_ptr(ctx, rec->objref);
	struct tty_struct *tty = side_of(live->tty, p->side);
	u32 len = ckpt_tail_len(rec, sizeof(*p));
	tcflag_t ixon = I_IXON(tty);
	size_t done;

	mask_ixon(tty, 0);
	done = queue_push(tty->port, p->data, len);
	tty_buffer_flush_work(tty->port);
	mask_ixon(tty, ixon);
	if (done != len)
		return ckpt_refuse(ctx, -ENOSPC,
				   "the pseudo terminal's data does not fit");
	return 0;
}

const struct ckpt_kind ckpt_kind_pty_queue = {
	.name		= "pty_queue",
	.about		= "data that was written to them and had no room there",
	.family		= CKPT_FAMILY_OBJECT,
	.type		= CKPT_REC_PTY_QUEUE,
	.phase		= CKPT_PHASE_OBJECT,
	.version	= 1,
	.min_version	= 1,
	CKPT_PAYLOAD_TAIL(struct ckpt_pty_queue, MAX_QUEUE),
	.owner		= CKPT_REC_PTY,
	.check		= pty_queue_check,
	.restore	= pty_queue_restore,
};

/* --- descriptions ------------------------------------------------------------ */

static bool file_pty_match(struct file *file)
{
	return file->f_op->release == tty_release &&
	       ckpt_pty_is(ckpt_file_tty(file)) &&
	       ckpt_tty_is_master(ckpt_file_tty(file));
}

static void fill_file(struct ckpt_ctx *ctx, struct ckpt_obj *obj,
		      struct ckpt_file_pty *rec)
{
	ckpt_desc_fill(ctx, obj, &rec->desc);
	rec->desc.cred = 0;
	rec->desc.pos = 0;
	rec->pty = ckpt_ref(ctx, master_of(ckpt_file_tty(obj->ptr)));
}

static int file_pty_save(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	struct ckpt_file_pty rec = { .side = CKPT_PTY_MASTER };

	fill_file(ctx, obj, &rec);
	return ckpt_write(ctx, obj->kind, obj->ref, &rec, sizeof(rec));
}

/**
 * ckpt_pty_save_slave() - save a description of the slave
 * @ctx: the checkpoint
 * @obj: a FILE_TTY by kind, of a pair that is the tree's
 *
 * Return: 0 or -errno.
 */
int ckpt_pty_save_slave(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	struct ckpt_file_pty rec = { .side = CKPT_PTY_SLAVE };
	struct file *file = obj->ptr;
	char *buf, *name = "";
	int ret;

	buf = kmalloc(PATH_MAX, GFP_KERNEL);
	if (!buf)
		return -ENOMEM;
	fill_file(ctx, obj, &rec);
	if (ckpt_file_is_dev_tty(file))
		rec.desc.bits |= CKPT_FILE_DEV_TTY;
	if (tty_hung_up_p(file))
		rec.desc.bits |= CKPT_FILE_HUNG_UP;
	/* The node of the pair can be gone, /dev/tty is there. */
	if (!tty_hung_up_p(file) || rec.desc.bits & CKPT_FILE_DEV_TTY)
		name = ckpt_path(ctx, &file->f_path, buf, PATH_MAX);
	if (IS_ERR(name))
		ret = ckpt_refuse(ctx, PTR_ERR(name), "has moved away");
	else
		ret = ckpt_write_tail(ctx, &ckpt_kind_file_pty, obj->ref, &rec,
				      sizeof(rec), name,
				      *name ? strlen(name) + 1 : 0);
	kfree(buf);
	return ret;
}

static int file_pty_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_file_pty *p = ckpt_payload(rec, struct ckpt_file_pty);
	u32 bits = CKPT_FILE_RANDOM | CKPT_FILE_NOREUSE;
	u32 len = ckpt_tail_len(rec, sizeof(*p));
	bool hung_up = p->desc.bits & CKPT_FILE_HUNG_UP;

	if (p->side > CKPT_PTY_SLAVE || p->desc.cred || p->desc.pos ||
	    (p->desc.open_flags & O_ACCMODE) == O_ACCMODE)
		return ckpt_refuse(ctx, -EINVAL,
				   "bad side of a pseudo terminal");
	if (!ckpt_ref_is_type(ctx, p->pty, CKPT_REC_PTY) ||
	    (hung_up ? pty_flags(ctx, p->pty) & CKPT_PTY_OUTSIDE :
		       !is_alive(ctx, p->pty)))
		return ckpt_refuse(ctx, -EINVAL,
				   "a side of no pseudo terminal");
	/* An open brings a new line discipline, that of its termios.line. */
	if (p->side == CKPT_PTY_SLAVE && !hung_up &&
	    pty_flags(ctx, p->pty) & CKPT_PTY_NO_LDISC)
		return ckpt_refuse(ctx, -EINVAL,
				   "an open slave without a line discipline");
	if (p->side == CKPT_PTY_SLAVE)
		bits |= CKPT_FILE_DEV_TTY | CKPT_FILE_HUNG_UP;
	if (p->side == CKPT_PTY_MASTER ||
	    (hung_up && !(p->desc.bits & CKPT_FILE_DEV_TTY)) ? len :
	    !ckpt_path_valid(p->path, len))
		return ckpt_refuse(ctx, -EINVAL, "bad path");
	if (hung_up)
		ckpt_obj_get(ctx, p->pty)->users++;
	return ckpt_desc_check_flags(ctx, &p->desc,
				     CKPT_OPEN_FLAGS | CKPT_OPEN_SHOWN, bits);
}

static struct file *take_master(struct ckpt_ctx *ctx, struct pty_live *live,
				const struct ckpt_file_pty *p)
{
	if (live->taken || (p->desc.open_flags ^ live->master->f_flags) &
			   O_ACCMODE)
		return ERR_PTR(ckpt_refuse(ctx, -EINVAL,
					   "bad master of a pseudo terminal"));
	live->taken = true;
	return get_file(live->master);
}

static int file_pty_restore(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_file_pty *p = ckpt_payload(rec, struct ckpt_file_pty);
	struct pty_live *live = ckpt_obj_ptr(ctx, p->pty);
	const struct cred *old;
	struct file *file;

	/* Made with the pair. */
	if (p->desc.bits & CKPT_FILE_HUNG_UP)
		return ckpt_desc_restore(ctx, ckpt_obj_ptr(ctx, rec->objref),
					 &p->desc);
	if (p->side == CKPT_PTY_MASTER) {
		file = take_master(ctx, live, p);
	} else {
		old = override_creds(ctx->caller_cred);
		file = open_path(ctx, live, p);
		revert_creds(old);
	}
	if (IS_ERR(file))
		return PTR_ERR(file);
	ckpt_obj_set(ctx, rec->objref, file, ckpt_file_put);
	return ckpt_desc_restore(ctx, file, &p->desc);
}

const struct ckpt_kind ckpt_kind_file_pty = {
	.name		= "file_pty",
	.about		= "both sides of pseudo terminals of the tree: flags, hung up or not",
	.family		= CKPT_FAMILY_FILE,
	.type		= CKPT_REC_FILE_PTY,
	.phase		= CKPT_PHASE_OBJECT,
	.version	= 1,
	.min_version	= 1,
	CKPT_PAYLOAD_TAIL(struct ckpt_file_pty, CKPT_MAX_PATH),
	.object		= true,
	.obj_get	= ckpt_file_get,
	.obj_put	= ckpt_file_put,
	.obj_collect	= ckpt_tty_collect,
	.obj_save	= file_pty_save,
	.file_match	= file_pty_match,
	.check		= file_pty_check,
	.restore	= file_pty_restore,
};

/* --- the controlling terminal ------------------------------------------------ */

/**
 * ckpt_pty_has_session() - is the terminal of a session one of the tree's?
 * @ctx: the restart, all metadata is read
 * @sid: number of the session, as it was saved
 *
 * Return: false: it has none, or one outside.
 */
bool ckpt_pty_has_session(struct ckpt_ctx *ctx, s32 sid)
{
	return xa_load(&ctx->terminals, sid);
}

static void set_ctrl(struct tty_struct *slave, struct pid *session,
		     struct pid *pgrp)
{
	struct task_struct *leader, *member;

	leader = pid_task(session, PIDTYPE_SID);
	if (!leader || task_session(leader) != session)
		return;
	/* A group of which nobody is left cannot be had again. */
	member = pgrp ? pid_task(pgrp, PIDTYPE_PGID) : NULL;
	if (!member || task_session(member) != session)
		pgrp = NULL;

	/* A leader outside who has opened it has taken it for his own. */
	if (slave->ctrl.session)
		session_clear_tty(slave->ctrl.session);
	spin_lock_irq(&slave->ctrl.lock);
	put_pid(slave->ctrl.session);
	put_pid(slave->ctrl.pgrp);
	slave->ctrl.session = get_pid(session);
	slave->ctrl.pgrp = get_pid(pgrp);
	spin_unlock_irq(&slave->ctrl.lock);
}

/**
 * ckpt_pty_set_ctrl() - the tree's pseudo terminals get their sessions
 * @ctx: the restart, which commits; all tasks are in their sessions and process
 *	groups, and none of them runs in user mode
 *
 * The processes get the terminals by ckpt_pty_attach().
 */
void ckpt_pty_set_ctrl(struct ckpt_ctx *ctx)
{
	struct pty_live *live;
	struct ckpt_rec *rec;
	struct pid *session;
	struct ckpt_pty *p;

	list_for_each_entry(rec, &ctx->recs, node) {
		if (rec->type != CKPT_REC_PTY)
			continue;
		p = ckpt_payload(rec, struct ckpt_pty);
		live = ckpt_obj_ptr(ctx, rec->objref);
		if (!p->session || !live)
			continue;
		tty_lock(live->tty->link);
		read_lock(&tasklist_lock);
		session = ckpt_pid(ctx, p->session);
		if (session)
			set_ctrl(live->tty->link, session,
				 p->pgrp ? ckpt_pid(ctx, p->pgrp) : NULL);
		read_unlock(&tasklist_lock);
		tty_unlock(live->tty->link);
	}
}

/**
 * ckpt_pty_attach() - a process has the terminal of its session
 * @ctx: the restart, which commits, behind ckpt_pty_set_ctrl()
 * @task: the first thread of the process, which does not run
 * @sid: number of the session, as it was saved
 *
 * To be called once for each process that had a controlling terminal. Does
 * nothing when the terminal is outside of the tree.
 */
void ckpt_pty_attach(struct ckpt_ctx *ctx, struct task_struct *task, s32 sid)
{
	struct ckpt_rec *rec = xa_load(&ctx->terminals, sid);
	struct tty_struct *slave, *old = NULL;
	struct pty_live *live;
	unsigned long flags;

	live = rec ? ckpt_obj_ptr(ctx, rec->objref) : NULL;
	if (!live)
		return;
	slave = live->tty->link;
	tty_lock(slave);
	if (slave->ctrl.session == task_session(task) &&
	    lock_task_sighand(task, &flags)) {
		old = task->signal->tty;
		task->signal->tty = tty_kref_get(slave);
		unlock_task_sighand(task, &flags);
	}
	tty_unlock(slave);
	tty_kref_put(old);
}
