// SPDX-License-Identifier: GPL-2.0
/*
 * One checkpoint or restart: its context and the reasons why it failed.
 */

#include <linux/ctype.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/fs_struct.h>
#include <linux/nsproxy.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/seq_buf.h>
#include <linux/slab.h>
#include <linux/user_namespace.h>

#include "external.h"

/**
 * ckpt_ctx_alloc() - make the context of one operation of the caller
 * @flags: of the system call; the upper half names the log fd
 *
 * Return: the context, to be given back with ckpt_ctx_free(), or an ERR_PTR():
 * -ENOMEM, -EBADF for the log fd.
 */
struct ckpt_ctx *ckpt_ctx_alloc(unsigned long flags)
{
	unsigned int log_fd = flags >> CHECKPOINT_LOG_SHIFT;
	struct ckpt_ctx *ctx;
	unsigned int i;
	int ret;

	ctx = kzalloc(sizeof(*ctx), GFP_KERNEL_ACCOUNT);
	if (!ctx)
		return ERR_PTR(-ENOMEM);

	ctx->flags = flags & ((1UL << CHECKPOINT_LOG_SHIFT) - 1);
	ctx->where.fd = -1;
	ctx->where.rec_pos = U64_MAX;
	INIT_LIST_HEAD(&ctx->objs);
	INIT_LIST_HEAD(&ctx->recs);
	for (i = 0; i < ARRAY_SIZE(ctx->phases); i++)
		INIT_LIST_HEAD(&ctx->phases[i]);
	INIT_LIST_HEAD(&ctx->members);
	INIT_LIST_HEAD(&ctx->externals);
	xa_init(&ctx->terminals);
	xa_init(&ctx->pids);
	xa_init(&ctx->group_pids);
	xa_init(&ctx->own_groups);
	xa_init(&ctx->own_sessions);
	init_completion(&ctx->done);
	init_completion(&ctx->thread_done);
	init_completion(&ctx->finished);

	ret = ckpt_tree_init(ctx);
	if (ret)
		goto err_free;

	if (log_fd) {
		ctx->log_file = fget(log_fd - 1);
		if (!ctx->log_file || !(ctx->log_file->f_mode & FMODE_WRITE)) {
			ret = -EBADF;
			goto err_log;
		}
		ctx->log = kvmalloc(CKPT_MAX_LOG, GFP_KERNEL_ACCOUNT);
		if (!ctx->log) {
			ret = -ENOMEM;
			goto err_log;
		}
	}

	ctx->caller_cred = get_current_cred();
	ctx->ns = current->nsproxy;
	get_nsproxy(ctx->ns);
	ctx->pid_ns = get_pid_ns(task_active_pid_ns(current));
	ctx->user_ns = get_user_ns(current_user_ns());
	get_fs_root(current->fs, &ctx->root);
	return ctx;

err_log:
	if (ctx->log_file)
		fput(ctx->log_file);
	ckpt_tree_destroy(ctx);
err_free:
	kfree(ctx);
	return ERR_PTR(ret);
}

/**
 * ckpt_ctx_free() - give back a context and everything that it holds
 * @ctx: the context; nobody else uses it any more
 */
void ckpt_ctx_free(struct ckpt_ctx *ctx)
{
	ckpt_objs_destroy(ctx);
	ckpt_external_free(ctx);
	kvfree(ctx->frame);
	xa_destroy(&ctx->terminals);
	ckpt_session_destroy(ctx);
	xa_destroy(&ctx->pids);
	ckpt_tree_destroy(ctx);
	if (ctx->store)
		ctx->store->ops->put(ctx->store);
	if (ctx->task)
		put_task_struct(ctx->task);
	put_pid(ctx->root_pid);
	path_put(&ctx->root);
	put_user_ns(ctx->user_ns);
	put_pid_ns(ctx->pid_ns);
	put_nsproxy(ctx->ns);
	put_cred(ctx->caller_cred);
	kvfree(ctx->log);
	if (ctx->log_file)
		fput(ctx->log_file);
	ckpt_alloc_destroy(ctx);
	kfree(ctx);
}

/* Room in @s for a comm in the form of the log: no blank, '=' or ':'. */
static void log_comm(struct seq_buf *s, struct task_struct *task)
{
	char comm[TASK_COMM_LEN];
	char *c;

	get_task_comm(comm, task);
	seq_buf_puts(s, " comm=");
	for (c = comm; *c; c++) {
		if (isascii(*c) && isgraph(*c) && !strchr("\\=:", *c))
			seq_buf_putc(s, *c);
		else
			seq_buf_printf(s, "\\%03o", (unsigned char)*c);
	}
}

int ckpt_refuse(struct ckpt_ctx *ctx, int error, const char *fmt, ...)
{
	struct ckpt_where where = ctx->where;
	char line[CKPT_MAX_REASON];
	struct seq_buf s;
	va_list args;

	if (!ctx->first_error)
		ctx->first_error = error;
	ctx->nr_reasons++;
	if (!ctx->log)
		return error;
	if (ctx->nr_lost) {
		ctx->nr_lost++;
		return error;
	}
	if (where.fd < 0 && where.file)
		where.fd = ckpt_files_find(ctx, where.file, &where.task);

	seq_buf_init(&s, line, sizeof(line) - 1);
	seq_buf_printf(&s, "errno=%d", -error);
	if (where.task) {
		seq_buf_printf(&s, " pid=%d", task_pid_vnr(where.task));
		log_comm(&s, where.task);
	}
	if (where.fd >= 0)
		seq_buf_printf(&s, " fd=%d", where.fd);
	if (where.vm_end)
		seq_buf_printf(&s, " vaddr=0x%lx-0x%lx", where.vm_start,
			       where.vm_end);
	if (where.rec_pos != U64_MAX)
		seq_buf_printf(&s, " rec=%llu", where.rec_pos);
	if (where.kind)
		seq_buf_printf(&s, " kind=%s", where.kind);
	seq_buf_puts(&s, ": ");
	va_start(args, fmt);
	seq_buf_vprintf(&s, fmt, args);
	va_end(args);

	/* Paths and names can hold anything; a reason is one line of text. */
	s.len = min(s.len, s.size);
	for (size_t i = 0; i < s.len; i++)
		if (iscntrl(line[i]))
			line[i] = '?';
	line[s.len++] = '\n';

	if (ctx->log_len + s.len > CKPT_MAX_LOG) {
		ctx->nr_lost++;
		return error;
	}
	memcpy(ctx->log + ctx->log_len, line, s.len);
	ctx->log_len += s.len;
	return error;
}

/**
 * ckpt_log_flush() - write the reasons to the log fd of the caller
 * @ctx: the operation; the tree runs again, so that a slow reader of the log
 *	holds up only the caller
 *
 * Return: 0, also when nobody asked for reasons, or -errno of the write.
 */
int ckpt_log_flush(struct ckpt_ctx *ctx)
{
	char lost[64];
	int len, ret;

	if (!ctx->log_file || !ctx->log_len)
		return 0;

	ret = ckpt_file_write(ctx->log_file, ctx->log, ctx->log_len);
	if (ret || !ctx->nr_lost)
		return ret;
	len = scnprintf(lost, sizeof(lost),
			"errno=7: %u more reasons found no room\n",
			ctx->nr_lost);
	return ckpt_file_write(ctx->log_file, lost, len);
}
