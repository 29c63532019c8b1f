// SPDX-License-Identifier: GPL-2.0
/*
 * Open files that stay outside of the tree.
 *
 * A description that a process outside has, too, cannot be made anew: it would
 * be another one. The caller of checkpoint() can name it by a descriptor; then
 * the image holds that name and what sort of file it was, and nothing of its
 * state, which belongs to those outside. The caller of restart() gives an open
 * file of its own for each such name, which the tree then shares with the
 * caller, as any child shares what it inherits.
 *
 * The names are lines of text in the file behind CHECKPOINT_LOG_FD().
 */

#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <linux/net.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/tty.h>
#include <net/sock.h>

#include "../drivers/tty/tty.h"
#include "external.h"
#include "file.h"

/**
 * struct ckpt_external - an open file that was named
 * @node: in ckpt_ctx.externals
 * @pid:  of the process, 0: the root. As the saver sees it, until it is found;
 *	  then, and in the image, as the tree sees it
 * @fd:   its descriptor
 * @file: save: that file; restart: what takes its place; held
 * @used: restart: the image asks for it
 */
struct ckpt_external {
	struct list_head node;
	pid_t pid;
	int fd;
	struct file *file;
	bool used;
};

/* --- names --------------------------------------------------------------------- */

static bool parse_number(const char *text, int *nr)
{
	return *text >= '0' && *text <= '9' && !kstrtoint(text, 10, nr);
}

/* fd:N, or PID:N */
static bool parse_name(char *text, struct ckpt_external *ext)
{
	char *colon = strchr(text, ':');

	if (!colon)
		return false;
	*colon++ = '\0';
	if (!strcmp(text, "fd"))
		ext->pid = 0;
	else if (!parse_number(text, &ext->pid) || !ext->pid)
		return false;
	return parse_number(colon, &ext->fd);
}

static struct ckpt_external *find_name(struct ckpt_ctx *ctx, pid_t pid, int fd)
{
	struct ckpt_external *ext;

	list_for_each_entry(ext, &ctx->externals, node)
		if (ext->pid == pid && ext->fd == fd)
			return ext;
	return NULL;
}

static int add_name(struct ckpt_ctx *ctx, char *text, char *value)
{
	struct ckpt_external *ext;
	int with;

	ext = kzalloc(sizeof(*ext), GFP_KERNEL_ACCOUNT);
	if (!ext)
		return -ENOMEM;
	list_add_tail(&ext->node, &ctx->externals);
	if (!parse_name(text, ext))
		return ckpt_refuse(ctx, -EINVAL,
				   "an argument names neither fd:N nor PID:N");
	if (find_name(ctx, ext->pid, ext->fd) != ext)
		return ckpt_refuse(ctx, -EINVAL,
				   "descriptor %d is named twice", ext->fd);
	if (!value)
		return 0;
	if (!parse_number(value, &with))
		return ckpt_refuse(ctx, -EINVAL,
				   "an argument gives no descriptor for %d",
				   ext->fd);
	ext->file = fget(with);
	if (!ext->file)
		return ckpt_refuse(ctx, -EBADF,
				   "descriptor %d of the caller, to take the place of %d, is not open",
				   with, ext->fd);
	return 0;
}

static int parse_line(struct ckpt_ctx *ctx, char *line, bool restart)
{
	char *value = NULL;
	size_t len;

	len = str_has_prefix(line, restart ? "inherit " : "external ");
	if (!len)
		return ckpt_refuse(ctx, -EINVAL, "unknown argument: %s", line);
	line += len;
	if (restart) {
		value = strchr(line, '=');
		if (!value)
			return ckpt_refuse(ctx, -EINVAL,
					   "an argument gives nothing for %s",
					   line);
		*value++ = '\0';
	}
	return add_name(ctx, line, value);
}

/* All of the file, as a text to be freed, or an ERR_PTR(). */
static char *read_args(struct ckpt_ctx *ctx)
{
	struct file *file = ctx->log_file;
	size_t len = 0;
	loff_t pos = 0;
	ssize_t n;
	char *text;

	if (!file || !(file->f_mode & FMODE_READ) ||
	    !(file->f_mode & FMODE_PREAD))
		return ERR_PTR(-EINVAL);
	text = kvmalloc(CKPT_MAX_ARGS + 1, GFP_KERNEL_ACCOUNT);
	if (!text)
		return ERR_PTR(-ENOMEM);
	while (len <= CKPT_MAX_ARGS) {
		n = kernel_read(file, text + len, CKPT_MAX_ARGS + 1 - len,
				&pos);
		if (n > 0) {
			len += n;
			continue;
		}
		if (n < 0) {
			kvfree(text);
			return ERR_PTR(n);
		}
		text[len] = '\0';
		if (len && strlen(text) == len && text[len - 1] == '\n')
			return text;
		break;
	}
	kvfree(text);
	return ERR_PTR(-EINVAL);
}

/**
 * ckpt_external_read() - read the arguments of the system call
 * @ctx: the operation, with the log file
 * @restart: which of the two it is
 *
 * Context: the caller of the system call.
 * Return: 0 or -errno, noted as a reason.
 */
int ckpt_external_read(struct ckpt_ctx *ctx, bool restart)
{
	char *text, *next, *line;
	int ret = 0;

	text = read_args(ctx);
	if (IS_ERR(text))
		return ckpt_refuse(ctx, PTR_ERR(text),
				   "the log file descriptor holds no arguments");
	next = text;
	while (!ret && (line = strsep(&next, "\n")) && next)
		ret = parse_line(ctx, line, restart);
	kvfree(text);
	return ret;
}

/**
 * ckpt_external_free() - forget the arguments
 * @ctx: the operation
 */
void ckpt_external_free(struct ckpt_ctx *ctx)
{
	struct ckpt_external *ext, *next;

	list_for_each_entry_safe(ext, next, &ctx->externals, node) {
		if (ext->file)
			fput(ext->file);
		kfree(ext);
	}
	INIT_LIST_HEAD(&ctx->externals);
}

/* --- saving --------------------------------------------------------------------- */

/* Its first thread that lives, which has descriptors. */
static struct task_struct *find_process(struct ckpt_ctx *ctx, pid_t pid)
{
	struct ckpt_member *m;

	if (!pid)
		pid = task_tgid_vnr(ctx->task);
	list_for_each_entry(m, &ctx->members, node)
		if (task_tgid_vnr(m->task) == pid &&
		    !READ_ONCE(m->task->exit_state))
			return m->task;
	return NULL;
}

static struct ckpt_external *find_file(struct ckpt_ctx *ctx,
				       const struct file *file)
{
	struct ckpt_external *ext;

	list_for_each_entry(ext, &ctx->externals, node)
		if (ext->file == file)
			return ext;
	return NULL;
}

/**
 * ckpt_external_is() - was this file named?
 * @ctx: the checkpoint
 * @file: a file of the tree
 *
 * Return: true when it stays outside.
 */
bool ckpt_external_is(struct ckpt_ctx *ctx, const struct file *file)
{
	return find_file(ctx, file);
}

static int collect_name(struct ckpt_ctx *ctx, struct ckpt_external *ext)
{
	struct ckpt_external *other;
	struct task_struct *task;
	struct file *file;

	task = find_process(ctx, ext->pid);
	if (!task)
		return ckpt_refuse(ctx, -ESRCH,
				   "process %d, of which descriptor %d is named as external, is not in the tree",
				   ext->pid, ext->fd);
	ctx->where.task = task;
	ctx->where.fd = ext->fd;
	ext->pid = task_tgid_nr_ns(task, ctx->pid_ns);
	rcu_read_lock();
	file = task_lookup_fdget_rcu(task, ext->fd);
	rcu_read_unlock();
	if (!file)
		return ckpt_refuse(ctx, -EBADF,
				   "is named as external but is not open");
	other = find_file(ctx, file);
	ext->file = file;
	if (other)
		return ckpt_refuse(ctx, -EINVAL,
				   "is named as external twice, descriptor %d is the same open file",
				   other->fd);
	if (file->f_mode & FMODE_PATH)
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "an O_PATH file cannot be external");
	return 0;
}

/**
 * ckpt_external_collect() - find the files that were named
 * @ctx: the checkpoint; the tree stands still
 *
 * Return: 0, or the first -errno, noted as reasons.
 */
int ckpt_external_collect(struct ckpt_ctx *ctx)
{
	struct ckpt_where old = ctx->where;
	struct ckpt_external *ext;
	int ret = 0, err;

	list_for_each_entry(ext, &ctx->externals, node) {
		ctx->where.kind = ckpt_kind_file_external.name;
		err = collect_name(ctx, ext);
		ret = ret ?: err;
		ctx->where = old;
	}
	return ret;
}

static bool is_tty(const struct file *file)
{
	return IS_ENABLED(CONFIG_TTY) && file->f_op->release == tty_release;
}

/* What sort of file this is: what its place can be taken by. */
static void fill_sort(struct file *file, struct ckpt_file_external *rec)
{
	const struct inode *inode = file_inode(file);
	struct socket *sock = NULL;

	rec->mode = inode->i_mode & S_IFMT;
	if (file->f_mode & FMODE_READ)
		rec->flags |= CKPT_EXTERNAL_READ;
	if (file->f_mode & FMODE_WRITE)
		rec->flags |= CKPT_EXTERNAL_WRITE;
	if (is_tty(file)) {
		rec->flags |= CKPT_EXTERNAL_TTY;
	} else if (S_ISCHR(inode->i_mode) || S_ISBLK(inode->i_mode)) {
		rec->rdev_major = imajor(inode);
		rec->rdev_minor = iminor(inode);
	}
	if (IS_ENABLED(CONFIG_NET) && S_ISSOCK(inode->i_mode))
		sock = sock_from_file(file);
	if (sock && sock->sk) {
		rec->family = sock->sk->sk_family;
		rec->type = sock->type;
		rec->protocol = sock->sk->sk_protocol;
	}
	/* Made by anon_inode_getfile(): the name tells of what it is. */
	if (inode->i_sb->s_magic == ANON_INODE_FS_MAGIC)
		scnprintf((char *)rec->name, sizeof(rec->name), "%pd",
			  file_dentry(file));
}

/* None is by itself, see ckpt_file_collect(). */
static bool external_file_match(struct file *file)
{
	return false;
}

static int external_save(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	const struct ckpt_external *ext = find_file(ctx, obj->ptr);
	struct ckpt_file_external rec = {
		.pid = ext->pid,
		.fd = ext->fd,
	};

	fill_sort(obj->ptr, &rec);
	return ckpt_write(ctx, obj->kind, obj->ref, &rec, sizeof(rec));
}

/* --- restarting ------------------------------------------------------------------- */

static int external_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_file_external *p =
		ckpt_payload(rec, struct ckpt_file_external);
	bool dev = S_ISCHR(p->mode) || S_ISBLK(p->mode);
	size_t len = strnlen((char *)p->name, sizeof(p->name));

	if (p->pad || p->pid <= 0 || p->fd < 0 || p->mode & ~S_IFMT ||
	    p->flags & ~(CKPT_EXTERNAL_READ | CKPT_EXTERNAL_WRITE |
			 CKPT_EXTERNAL_TTY) ||
	    len == sizeof(p->name) ||
	    memchr_inv(p->name + len, 0, sizeof(p->name) - len))
		return ckpt_refuse(ctx, -EINVAL, "bad external file");
	if ((p->flags & CKPT_EXTERNAL_TTY && !S_ISCHR(p->mode)) ||
	    (!dev && (p->rdev_major || p->rdev_minor)) ||
	    (!S_ISSOCK(p->mode) && (p->family || p->type || p->protocol)))
		return ckpt_refuse(ctx, -EINVAL, "bad sort of an external file");
	return 0;
}

/* Who it is when nothing else is known of it. */
static const char *sort_name(const struct ckpt_file_external *p)
{
	if (p->flags & CKPT_EXTERNAL_TTY)
		return "a terminal";
	switch (p->mode) {
	case S_IFIFO:
		return "a pipe";
	case S_IFSOCK:
		return "a socket";
	case S_IFREG:
		return "a regular file";
	case S_IFDIR:
		return "a directory";
	case S_IFCHR:
		return "a character device";
	case S_IFBLK:
		return "a block device";
	default:
		return *p->name ? (char *)p->name : "a special file";
	}
}

/* Can it take the place of what was saved? */
static int judge(struct ckpt_ctx *ctx, const struct ckpt_file_external *p,
		 struct file *file)
{
	struct ckpt_file_external now = {};
	u32 missing;

	fill_sort(file, &now);
	if (now.mode != p->mode ||
	    (now.flags ^ p->flags) & CKPT_EXTERNAL_TTY ||
	    strcmp((char *)now.name, (char *)p->name))
		return ckpt_refuse(ctx, -EINVAL,
				   "%d:%d was %s, what is given for it is %s",
				   p->pid, p->fd, sort_name(p),
				   sort_name(&now));
	if (now.rdev_major != p->rdev_major || now.rdev_minor != p->rdev_minor)
		return ckpt_refuse(ctx, -EINVAL,
				   "%d:%d was device %u:%u, what is given for it is %u:%u",
				   p->pid, p->fd, p->rdev_major, p->rdev_minor,
				   now.rdev_major, now.rdev_minor);
	if (now.family != p->family || now.type != p->type ||
	    now.protocol != p->protocol)
		return ckpt_refuse(ctx, -EINVAL,
				   "%d:%d was a socket of family %u, type %u, protocol %u, what is given for it is of %u, %u, %u",
				   p->pid, p->fd, p->family, p->type,
				   p->protocol, now.family, now.type,
				   now.protocol);
	missing = p->flags & ~now.flags;
	if (missing)
		return ckpt_refuse(ctx, -EACCES,
				   "%d:%d was open for %s, what is given for it is not",
				   p->pid, p->fd,
				   missing & CKPT_EXTERNAL_WRITE ?
				   "writing" : "reading");
	return 0;
}

static struct ckpt_external *find_given(struct ckpt_ctx *ctx,
					const struct ckpt_file_external *p,
					pid_t root)
{
	struct ckpt_external *ext = NULL;

	if (p->pid == root)
		ext = find_name(ctx, 0, p->fd);
	return ext ?: find_name(ctx, p->pid, p->fd);
}

/**
 * ckpt_external_match() - is something given for each external file?
 * @ctx: the restart; all metadata was read
 * @root: the saved pid of the root
 *
 * Return: 0, or the first -errno, noted as reasons.
 */
int ckpt_external_match(struct ckpt_ctx *ctx, pid_t root)
{
	struct ckpt_external *ext;
	struct ckpt_obj *obj;
	int ret = 0, err;

	list_for_each_entry(obj, &ctx->objs, node) {
		struct ckpt_file_external *p;

		if (obj->kind != &ckpt_kind_file_external)
			continue;
		p = ckpt_payload(obj->rec, struct ckpt_file_external);
		ctx->where.rec_pos = obj->rec->pos;
		ctx->where.kind = obj->kind->name;
		ext = find_given(ctx, p, root);
		if (!ext) {
			err = ckpt_refuse(ctx, -EBADF,
					  "%d:%d was %s outside, and nothing is given for it",
					  p->pid, p->fd, sort_name(p));
		} else if (ext->used) {
			err = ckpt_refuse(ctx, -EINVAL,
					  "%d:%d is two external files",
					  p->pid, p->fd);
		} else {
			ext->used = true;
			ext->pid = p->pid;
			err = judge(ctx, p, ext->file);
		}
		ret = ret ?: err;
	}
	ctx->where.rec_pos = U64_MAX;
	ctx->where.kind = NULL;
	list_for_each_entry(ext, &ctx->externals, node) {
		if (ext->used)
			continue;
		err = ckpt_refuse(ctx, -EINVAL,
				  "something is given for %d:%d, which is no external file of the image",
				  ext->pid ?: root, ext->fd);
		ret = ret ?: err;
	}
	return ret;
}

static int external_restore(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_file_external *p =
		ckpt_payload(rec, struct ckpt_file_external);
	struct ckpt_external *ext = find_name(ctx, p->pid, p->fd);

	if (WARN_ON_ONCE(!ext))
		return -EBADF;
	ckpt_obj_set(ctx, rec->objref, get_file(ext->file), ckpt_file_put);
	return 0;
}

const struct ckpt_kind ckpt_kind_file_external = {
	.name		= "file_external",
	.about		= "named by the caller: its sort; a restart is given another",
	.family		= CKPT_FAMILY_FILE,
	.type		= CKPT_REC_FILE_EXTERNAL,
	.phase		= CKPT_PHASE_OBJECT,
	.version	= 1,
	.min_version	= 1,
	CKPT_PAYLOAD(struct ckpt_file_external),
	.object		= true,
	.obj_get	= ckpt_file_get,
	.obj_put	= ckpt_file_put,
	.obj_save	= external_save,
	.file_match	= external_file_match,
	.check		= external_check,
	.restore	= external_restore,
};
