// SPDX-License-Identifier: GPL-2.0
/*
 * The walker that saves: everything is collected and judged first, then
 * everything is written.
 */

#include <linux/elf.h>
#include <linux/mm.h>
#include <linux/sched/task.h>
#include <linux/time_namespace.h>
#include <linux/timekeeping.h>
#include <linux/utsname.h>

#include <asm/checkpoint.h>

#include "external.h"
#include "mm.h"
#include "socket.h"

/* The clocks are those that the saver sees; see namespaces_save(). */
static int save_header(struct ckpt_ctx *ctx)
{
	struct timespec64 monotonic, boottime;
	struct ckpt_header header = {
		.image_version = CKPT_IMAGE_VERSION,
		.machine = EM_X86_64,
		.page_size = PAGE_SIZE,
		.crid = ctx->crid,
		.task_size = TASK_SIZE_MAX,
		.xfeatures = ckpt_arch_xfeatures(),
		.xstate_size = ckpt_arch_xstate_size(),
		.nsig = _NSIG,
		.realtime_ns = ktime_get_real_ns(),
	};

	ktime_get_ts64(&monotonic);
	timens_add_monotonic(&monotonic);
	header.monotonic_ns = timespec64_to_ns(&monotonic);
	ktime_get_boottime_ts64(&boottime);
	timens_add_boottime(&boottime);
	header.boottime_ns = timespec64_to_ns(&boottime);

	static_assert(sizeof(header.release) == sizeof(init_uts_ns.name.release));
	static_assert(sizeof(header.version) == sizeof(init_uts_ns.name.version));
	memcpy(header.release, init_utsname()->release, sizeof(header.release));
	memcpy(header.version, init_utsname()->version, sizeof(header.version));
	return ckpt_write(ctx, &ckpt_kind_header, 0, &header, sizeof(header));
}

static int save_meta_end(struct ckpt_ctx *ctx)
{
	struct ckpt_meta_end end = {
		.nr_records = ctx->nr_records,
		.nr_objects = ctx->nr_objs,
		.nr_tasks = ctx->nr_tasks,
	};

	return ckpt_write(ctx, &ckpt_kind_meta_end, 0, &end, sizeof(end));
}

static int save_end(struct ckpt_ctx *ctx)
{
	struct ckpt_end end = {
		.nr_records = ctx->nr_records,
		.nr_pages = ctx->nr_pages,
	};

	return ckpt_write(ctx, &ckpt_kind_end, 0, &end, sizeof(end));
}

/*
 * The reader of an incomplete image learns why it ends. Nothing can be done
 * when this cannot be written either.
 */
static void save_error(struct ckpt_ctx *ctx, int error)
{
	struct ckpt_error rec = { .error = -error };
	size_t len = 0;

	/* Nothing can follow what was written in part. */
	if (ctx->store->broken)
		return;
	if (ctx->log) {
		char *nl = memchr(ctx->log, '\n', ctx->log_len);

		len = nl ? nl - ctx->log : 0;
	}
	if (!ckpt_write_tail(ctx, &ckpt_kind_error, 0, &rec, sizeof(rec),
			     ctx->log, min(len, CKPT_MAX_REASON)))
		ctx->store->ops->flush(ctx->store);
}

/*
 * Disks fill and fail behind write(): nobody is killed before the image is where
 * it stays.
 */
static int sync_store(struct ckpt_ctx *ctx)
{
	int ret = ctx->store->ops->sync(ctx->store);

	/* It has its end already. */
	if (ret)
		ctx->store->broken = true;
	return ret;
}

static int save(struct ckpt_ctx *ctx)
{
	int ret;

	ret = save_header(ctx);
	if (!ret)
		ret = ckpt_objs_save(ctx);
	if (!ret)
		ret = ckpt_unix_save(ctx);
	if (!ret)
		ret = ckpt_inet_save(ctx);
	if (!ret)
		ret = save_meta_end(ctx);
	if (!ret)
		ret = ckpt_pages_save(ctx);
	if (!ret)
		ret = ckpt_tree_check_alive(ctx);
	if (!ret)
		ret = save_end(ctx);
	if (!ret)
		ret = ctx->store->ops->flush(ctx->store);
	if (!ret && ctx->flags & CHECKPOINT_KILL)
		ret = sync_store(ctx);
	if (ret && !ctx->nr_reasons)
		ckpt_refuse(ctx, ret, ret == -EINTR ?
			    "interrupted by a signal, the image is incomplete" :
			    "the image cannot be written");
	if (ret)
		save_error(ctx, ret);
	return ret;
}

/* Everything that can be said without writing. */
static int collect(struct ckpt_ctx *ctx)
{
	struct ckpt_member *m;
	int ret;

	ret = ckpt_tree_check_access(ctx);
	if (!ret)
		ret = ckpt_external_collect(ctx);
	if (ret)
		return ret;

	list_for_each_entry(m, &ctx->members, node) {
		ret = ckpt_collect(ctx, &ckpt_kind_task, m->task);
		if (ret && !ctx->nr_reasons)
			return ret;
		if (fatal_signal_pending(current))
			return -EINTR;
	}
	ret = ckpt_tree_check_leaks(ctx);
	if (ret && !ctx->nr_reasons)
		return ret;
	ret = ckpt_unix_collect(ctx);
	if (ret && !ctx->nr_reasons)
		return ret;
	ret = ckpt_inet_collect(ctx);
	if (ret && !ctx->nr_reasons)
		return ret;
	ret = ckpt_locks_collect(ctx);
	if (ret && !ctx->nr_reasons)
		return ret;
	ret = ckpt_files_check_leaks(ctx);
	if (ret && !ctx->nr_reasons)
		return ret;
	ret = ckpt_shmem_check_leaks(ctx);
	if (ret && !ctx->nr_reasons)
		return ret;
	ret = ckpt_session_check_terminals(ctx);
	if (ret && !ctx->nr_reasons)
		return ret;
	/* Holds files, which would be taken for leaks. */
	ret = ckpt_owner_collect(ctx);
	if (ret && !ctx->nr_reasons)
		return ret;
	return ctx->first_error;
}

/**
 * ckpt_do_checkpoint() - save the tree to the store
 * @ctx: the checkpoint, with the task, and the store unless it is a dry run
 *
 * The tree stands still meanwhile, but for the caller if that is in it, and goes
 * on at the end whatever happens.
 *
 * Return: 0 or -errno, with reasons in @ctx.
 */
int ckpt_do_checkpoint(struct ckpt_ctx *ctx)
{
	int ret;

	ctx->where.task = ctx->task;
	ret = ckpt_tree_quiesce(ctx);
	if (!ret && ctx->self && ctx->flags & CHECKPOINT_KILL)
		ret = ckpt_refuse(ctx, -EINVAL,
				  "the caller is one of the processes to be killed");
	if (!ret)
		ret = ckpt_objs_init(ctx, ctx->nr_tasks);
	if (!ret)
		ret = ckpt_ns_enter(ctx);
	if (!ret)
		ret = collect(ctx);
	if (!ret && !(ctx->flags & CHECKPOINT_DRY_RUN))
		ret = save(ctx);
	ckpt_ns_leave(ctx);
	if (!ret && ctx->flags & CHECKPOINT_KILL) {
		ckpt_inet_kill(ctx);
		ckpt_tree_kill(ctx);
	}
	ckpt_tree_release(ctx);
	return ret;
}
