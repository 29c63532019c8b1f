// SPDX-License-Identifier: GPL-2.0
/*
 * The table of file descriptors.
 */

#include <linux/capability.h>
#include <linux/delay.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/init_task.h>
#include <linux/mm.h>
#include <linux/pipe_fs_i.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>

#include "external.h"
#include "mm.h"
#include "tty.h"

#define MAX_FDS		((CKPT_MAX_RECORD - sizeof(struct ckpt_files)) / \
			 sizeof(struct ckpt_fd))

static void files_get(void *ptr)
{
	struct files_struct *files = ptr;

	atomic_inc(&files->count);
}

static void files_put(void *ptr)
{
	put_files_struct(ptr);
}

/* The next open file from @fd on, held, and its number. */
static struct file *files_next(struct files_struct *files, unsigned int *fd)
{
	struct file *file = NULL;
	struct fdtable *fdt;

	spin_lock(&files->file_lock);
	fdt = files_fdtable(files);
	for (; *fd < fdt->max_fds; ++*fd) {
		*fd = find_next_bit(fdt->open_fds, fdt->max_fds, *fd);
		if (*fd >= fdt->max_fds)
			break;
		file = files_lookup_fd_locked(files, *fd);
		if (file) {
			get_file(file);
			break;
		}
	}
	spin_unlock(&files->file_lock);
	return file;
}

/*
 * A program that checkpoints itself holds the image open. That descriptor is
 * not a part of the image: the restarted program finds it closed.
 */
static bool is_image(struct ckpt_ctx *ctx, struct file *file)
{
	return ctx->self && ctx->store && ctx->store->file == file;
}

/* --- saving -------------------------------------------------------------------- */

static int files_collect_fd(struct ckpt_ctx *ctx, struct file *file)
{
	struct ckpt_obj *obj;
	int ret;

	ret = ckpt_file_collect(ctx, file);
	obj = ckpt_obj_find(ctx, file);
	if (obj)
		obj->flags |= CKPT_OBJ_FD;
	return ret;
}

static int files_collect(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	struct files_struct *files = obj->ptr;
	unsigned int fd, nr = 0;
	struct file *file;
	int ret = 0, err;

	for (fd = 0; (file = files_next(files, &fd)); fd++) {
		ctx->where.fd = fd;
		if (!is_image(ctx, file)) {
			err = files_collect_fd(ctx, file);
			ret = ret ?: err;
			nr++;
		}
		fput(file);
		cond_resched();
	}
	ctx->where.fd = -1;
	if (nr > MAX_FDS)
		ret = ckpt_refuse(ctx, -E2BIG,
				  "%u open descriptors, an image holds %zu",
				  nr, MAX_FDS);
	return ret;
}

static int files_save(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	struct files_struct *files = obj->ptr;
	struct ckpt_files rec = {};
	struct ckpt_fd *fds;
	unsigned int fd, nr = 0;
	struct file *file;
	int ret;

	for (fd = 0; (file = files_next(files, &fd)); fd++) {
		nr++;
		fput(file);
	}
	fds = kvcalloc(nr ?: 1, sizeof(*fds), GFP_KERNEL);
	if (!fds)
		return -ENOMEM;

	for (fd = 0; (file = files_next(files, &fd)); fd++) {
		ckpt_ref_t ref = ckpt_ref(ctx, file);

		if (!is_image(ctx, file) && rec.nr_fds < nr) {
			fds[rec.nr_fds].fd = fd;
			fds[rec.nr_fds].file = ref;
			spin_lock(&files->file_lock);
			if (close_on_exec(fd, files))
				fds[rec.nr_fds].flags |= CKPT_FD_CLOEXEC;
			spin_unlock(&files->file_lock);
			rec.nr_fds++;
		}
		fput(file);
	}
	ret = ckpt_write_tail(ctx, obj->kind, obj->ref, &rec, sizeof(rec),
			      fds, rec.nr_fds * sizeof(*fds));
	kvfree(fds);
	return ret;
}

/* --- sharing with the outside ---------------------------------------------------- */

static int is_same_file(const void *what, struct file *file, unsigned int fd)
{
	return file == what ? fd + 1 : 0;
}

/**
 * ckpt_fd_in_table() - a descriptor of a file
 * @files: the table
 * @file: the file, only to be compared
 *
 * Return: the first one, or -1.
 */
int ckpt_fd_in_table(struct files_struct *files, const struct file *file)
{
	return iterate_fd(files, 0, is_same_file, file) - 1;
}

/**
 * ckpt_files_find() - a descriptor of a file, for a reason
 * @ctx: the checkpoint
 * @file: the file, only to be compared
 * @task: gets whose it is
 *
 * Return: some descriptor in the tree, or -1.
 */
int ckpt_files_find(struct ckpt_ctx *ctx, const struct file *file,
		    struct task_struct **task)
{
	struct ckpt_obj *obj;
	int fd;

	list_for_each_entry(obj, &ctx->objs, node) {
		if (obj->kind != &ckpt_kind_files)
			continue;
		fd = ckpt_fd_in_table(obj->ptr, file);
		if (fd >= 0) {
			*task = obj->task;
			return fd;
		}
	}
	return -1;
}

/*
 * Does somebody else hold this description? /proc/PID/fd and others take
 * references for a moment, so a few tries are made.
 */
static bool is_shared_outside(struct ckpt_ctx *ctx, struct ckpt_obj *obj,
			      unsigned int *tries)
{
	struct file *file = obj->ptr;
	unsigned long expected = obj->users;

	if (obj->kind->obj_get)
		expected++;
	if (ctx->store && ctx->store->file == file)
		expected++;
	if (ctx->log_file == file)
		expected++;

	while (file_count(file) > expected) {
		if (!*tries || fatal_signal_pending(current))
			return true;
		--*tries;
		fsleep(USEC_PER_MSEC);
	}
	return false;
}

static int check_file(struct ckpt_ctx *ctx, struct ckpt_obj *obj,
		      unsigned int *tries)
{
	struct file *file = obj->ptr;
	int ret = 0;

	if (obj->kind == &ckpt_kind_file_external)
		return 0;
	ckpt_about_file(ctx, file);
	if (obj->kind == &ckpt_kind_file_tty)
		ret = ckpt_tty_check(ctx, obj);
	/*
	 * What is shared is the position and the flags. Mappings use neither.
	 * Terminals of others, memory devices and O_PATH have no position, and
	 * the one flag that matters to others, O_NONBLOCK, is private from now
	 * on.
	 */
	if (!(obj->flags & CKPT_OBJ_FD) || file->f_mode & FMODE_PATH ||
	    obj->kind == &ckpt_kind_file_dev ||
	    (obj->kind == &ckpt_kind_file_tty &&
	     ckpt_tty_is_passed(ctx, file)))
		return ret;
	if (!is_shared_outside(ctx, obj, tries))
		return ret;
	return ckpt_refuse(ctx, -EBUSY,
			   "the open file is shared with a process outside");
}

static int check_pipe(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	struct inode *inode = obj->ptr;
	unsigned int nr;

	spin_lock(&inode->i_lock);
	nr = inode->i_pipe ? inode->i_pipe->files : 0;
	spin_unlock(&inode->i_lock);
	if (nr <= obj->users)
		return 0;

	ckpt_about_file(ctx, ckpt_file_of_inode(ctx, &ckpt_kind_file_pipe,
						inode));
	return ckpt_refuse(ctx, -EBUSY,
			   "the other end of the pipe is held by a process outside");
}

/**
 * ckpt_files_check_leaks() - is every open file of the tree only the tree's?
 * @ctx: the checkpoint, after everything was collected
 *
 * A description that somebody outside has, too (by fork(), or in flight in a
 * socket), would come back as one of its own. This is refused where it can be
 * noticed.
 *
 * Return: 0, or the first -EBUSY, noted as reasons.
 */
int ckpt_files_check_leaks(struct ckpt_ctx *ctx)
{
	struct ckpt_where old = ctx->where;
	unsigned int tries = 20;
	struct ckpt_obj *obj;
	int ret = 0, err;

	if (IS_ENABLED(CONFIG_SYSVIPC))
		ckpt_sysv_count_users(ctx);
	if (IS_ENABLED(CONFIG_POSIX_MQUEUE))
		ckpt_mqueue_count_users(ctx);
	list_for_each_entry(obj, &ctx->objs, node) {
		ckpt_about_file(ctx, NULL);
		ctx->where.task = obj->task;
		ctx->where.kind = obj->kind->name;
		if (obj->kind->family == CKPT_FAMILY_FILE)
			err = check_file(ctx, obj, &tries);
		else if (obj->kind == &ckpt_kind_pipe)
			err = check_pipe(ctx, obj);
		else if (obj->kind == &ckpt_kind_pty)
			err = ckpt_pty_check(ctx, obj);
		else if (IS_ENABLED(CONFIG_SYSVIPC) &&
			 obj->kind == &ckpt_kind_sysv_shm)
			err = ckpt_sysv_check_leaks(ctx, obj);
		else if (IS_ENABLED(CONFIG_POSIX_MQUEUE) &&
			 obj->kind == &ckpt_kind_mqueue)
			err = ckpt_mqueue_check_leaks(ctx, obj);
		else
			continue;
		ret = ret ?: err;
		if (fatal_signal_pending(current)) {
			ret = ret ?: -EINTR;
			break;
		}
		cond_resched();
	}
	ctx->where = old;
	err = ckpt_epoll_check_leaks(ctx);
	ret = ret ?: err;
	err = ckpt_pidfd_check_leaks(ctx);
	return ret ?: err;
}

/* --- restarting --------------------------------------------------------------------- */

static int files_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_files *p = ckpt_payload(rec, struct ckpt_files);
	s64 last = -1;
	u32 i;

	if (p->pad || ckpt_tail_len(rec, sizeof(*p)) !=
		      (u64)p->nr_fds * sizeof(p->fds[0]))
		return ckpt_refuse(ctx, -EINVAL, "bad number of descriptors");
	for (i = 0; i < p->nr_fds; i++) {
		const struct ckpt_fd *fd = &p->fds[i];

		if (fd->fd <= last || fd->flags & ~CKPT_FD_CLOEXEC)
			return ckpt_refuse(ctx, -EINVAL, "bad descriptor %d",
					   fd->fd);
		if (!ckpt_ref_is_open_file(ctx, fd->file))
			return ckpt_refuse(ctx, -EINVAL,
					   "descriptor %d is not of an open file",
					   fd->fd);
		last = fd->fd;
	}
	return 0;
}

static struct files_struct *swap_files(struct task_struct *task,
				       struct files_struct *files)
{
	struct files_struct *old;

	task_lock(task);
	old = task->files;
	task->files = files;
	task_unlock(task);
	return old;
}

/*
 * The number is given by the hint where the search for a free one starts,
 * which is exact in a table that has nothing there.
 */
static int files_install(struct files_struct *files, const struct ckpt_fd *fd,
			 struct file *file)
{
	int ret;

	spin_lock(&files->file_lock);
	files->next_fd = fd->fd;
	spin_unlock(&files->file_lock);

	ret = __get_unused_fd_flags(fd->flags & CKPT_FD_CLOEXEC ? O_CLOEXEC : 0,
				    (unsigned long)fd->fd + 1);
	if (ret < 0)
		return ret;
	if (WARN_ON_ONCE(ret != fd->fd)) {
		put_unused_fd(ret);
		return -EBUSY;
	}
	fd_install(ret, get_file(file));
	return 0;
}

static int files_fill(struct ckpt_ctx *ctx, struct files_struct *files,
		      const struct ckpt_files *p)
{
	struct file *file;
	u32 i;
	int ret;

	/* Downwards, so that the table grows once. */
	for (i = p->nr_fds; i-- > 0;) {
		file = ckpt_obj_ptr(ctx, p->fds[i].file);
		if (!file)
			return ckpt_refuse(ctx, -EINVAL,
					   "descriptor %d has no open file",
					   p->fds[i].fd);
		ret = files_install(files, &p->fds[i], file);
		if (ret)
			return ckpt_refuse(ctx, ret,
					   "cannot have descriptor %d",
					   p->fds[i].fd);
	}
	spin_lock(&files->file_lock);
	files->next_fd = 0;
	spin_unlock(&files->file_lock);
	return 0;
}

static int files_restore(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_files *p = ckpt_payload(rec, struct ckpt_files);
	struct files_struct *files, *old;
	int ret;

	/* As far as the caller could raise its own limit. */
	if (p->nr_fds && p->fds[p->nr_fds - 1].fd >= rlimit_max(RLIMIT_NOFILE) &&
	    !capable(CAP_SYS_RESOURCE))
		return ckpt_refuse(ctx, -EMFILE,
				   "descriptor %d is over the limit of open files of the caller",
				   p->fds[p->nr_fds - 1].fd);

	/* The table of the kernel threads is empty: a copy is a new table. */
	files = dup_fd(&init_files, NULL);
	if (IS_ERR(files))
		return PTR_ERR(files);
	ckpt_obj_set(ctx, rec->objref, files, files_put);

	/* What fills a table fills the one of current. */
	old = swap_files(current, files);
	ret = files_fill(ctx, files, p);
	swap_files(current, old);
	return ret;
}

/**
 * ckpt_files_adopt() - use a restored table from now on
 * @task: whose records are committed
 * @files: the table, of which the task takes a reference
 *
 * Context: Process context.
 */
void ckpt_files_adopt(struct task_struct *task, struct files_struct *files)
{
	struct files_struct *old;

	atomic_inc(&files->count);
	old = swap_files(task, files);
	if (old)
		put_files_struct(old);
}

const struct ckpt_kind ckpt_kind_files = {
	.name		= "files",
	.about		= "descriptors: numbers, close-on-exec, which share a description",
	.family		= CKPT_FAMILY_OBJECT,
	.type		= CKPT_REC_FILES,
	.phase		= CKPT_PHASE_FILES,
	.version	= 1,
	.min_version	= 1,
	CKPT_PAYLOAD_TAIL(struct ckpt_files, MAX_FDS * sizeof(struct ckpt_fd)),
	.object		= true,
	.obj_get	= files_get,
	.obj_put	= files_put,
	.obj_collect	= files_collect,
	.obj_save	= files_save,
	.check		= files_check,
	.restore	= files_restore,
};
