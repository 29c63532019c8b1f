// SPDX-License-Identifier: GPL-2.0
/*
 * Epoll files: what they watch, and what of it may be ready.
 *
 * An item refers to an open file, not to a descriptor: the number is only the
 * one that the file had when it was added, which may be closed by now, or
 * another process's. The watched files are collected by the epoll file and so
 * precede it in the image. An item holds no reference on its file; somebody in
 * the tree must.
 *
 * A restart adds the items with do_epoll_ctl(), in a table of descriptors in
 * which only the two files are open, under the numbers that the items have.
 * Readiness comes from three sources. The files say whether they are ready when
 * they are added. What was in the ready list of the saved epoll file is put
 * there again: the program may not have seen the edge yet. And what was not,
 * with EPOLLET, is taken out, when nothing can have happened to the file since
 * it was saved. Where something can have (a connection to another machine), an
 * edge is reported once too often rather than once too rarely.
 *
 * A signal descriptor is ready by the signals of who polls it, and an item of
 * it waits in the queue of the signal actions of who added it. Such items are
 * in records of that task, which adds them itself.
 */

#include <linux/capability.h>
#include <linux/fdtable.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <linux/netdevice.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
/* Needs what stands above. */
#include <linux/eventpoll.h>

#include "../fs/event_state.h"
#include "anon.h"
#include "external.h"
#include "kinds.h"
#include "socket.h"
#include "task.h"
#include "tty.h"

/* See fs/eventpoll.c: flags that are no events, what EPOLLEXCLUSIVE permits. */
#define PRIVATE_BITS	((__force u32)(EPOLLWAKEUP | EPOLLONESHOT |	\
				       EPOLLET | EPOLLEXCLUSIVE))
#define ALWAYS_BITS	((__force u32)(EPOLLERR | EPOLLHUP))
#define EXCLUSIVE_BITS	((__force u32)(EPOLLIN | EPOLLOUT | EPOLLERR |	\
				       EPOLLHUP | EPOLLWAKEUP | EPOLLET | \
				       EPOLLEXCLUSIVE))

/* --- items ------------------------------------------------------------------------ */

/**
 * struct items - what an epoll file watches
 * @item: with references on the files
 * @nr: how many there are
 */
struct items {
	struct eventpoll_item *item;
	unsigned int nr;
};

static int items_get(struct file *epoll, struct items *items)
{
	unsigned int max = eventpoll_count_items(epoll);

	items->nr = 0;
	items->item = kvcalloc(max ?: 1, sizeof(*items->item),
			       GFP_KERNEL_ACCOUNT);
	if (!items->item)
		return -ENOMEM;
	items->nr = eventpoll_get_items(epoll, items->item, max);
	return 0;
}

static void items_put(struct items *items)
{
	while (items->nr)
		fput(items->item[--items->nr].file);
	kvfree(items->item);
}

/*
 * Whose signal actions an item waits for.
 * Return: NULL when @obj, what the item watches, is no signal descriptor; an
 * ERR_PTR() when it waits for somebody who is gone.
 */
static struct sighand_struct *item_sighand(const struct eventpoll_item *item,
					   const struct ckpt_obj *obj)
{
	if (!obj || obj->kind != &ckpt_kind_signalfd)
		return NULL;
	if (!item->wait)
		return ERR_PTR(-ESRCH);
	return container_of(item->wait, struct sighand_struct, signalfd_wqh);
}

/* --- collecting ------------------------------------------------------------------- */

static bool epoll_match(struct file *file)
{
	return eventpoll_is_file(file);
}

/* What cannot be saved is refused where its descriptor is. */
static int epoll_collect_target(struct ckpt_ctx *ctx, struct file *file)
{
	const struct ckpt_kind *kind = ckpt_kind_of_file(file);
	struct ckpt_obj *obj;
	int ret;

	if (!kind || kind->refuse)
		return 0;
	ret = ckpt_file_collect(ctx, file);
	/* An item is no user, it holds nothing. */
	obj = ckpt_obj_find(ctx, file);
	if (obj)
		obj->users--;
	return ret;
}

static int epoll_collect(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	int fd = ctx->where.fd, ret, err;
	struct items items;
	unsigned int i;

	ret = ckpt_anon_collect(ctx, obj);
	err = items_get(obj->ptr, &items);
	if (err)
		return err;
	for (i = 0; i < items.nr; i++) {
		ctx->where.fd = items.item[i].fd;
		err = epoll_collect_target(ctx, items.item[i].file);
		ret = ret ?: err;
		cond_resched();
	}
	ctx->where.fd = fd;
	items_put(&items);
	return ret;
}

/* --- sharing with the outside ------------------------------------------------------- */

static bool is_outside(const struct file *epoll, void *data)
{
	struct ckpt_obj *obj = ckpt_obj_find(data, epoll);

	return !obj || obj->kind != &ckpt_kind_epoll;
}

static int check_item(struct ckpt_ctx *ctx, const struct eventpoll_item *item)
{
	struct ckpt_obj *obj = ckpt_obj_find(ctx, item->file);
	struct sighand_struct *sighand;

	if (!obj || !obj->users) {
		/* Else it has been refused by its kind. */
		if (obj || !ctx->nr_reasons)
			return ckpt_refuse(ctx, -EBUSY,
					   "watches what was descriptor %d, an open file that only a process outside has",
					   item->fd);
		return 0;
	}
	sighand = item_sighand(item, obj);
	if (!sighand)
		return 0;
	if (!IS_ERR(sighand))
		obj = ckpt_obj_find(ctx, sighand);
	if (IS_ERR(sighand) || !obj || obj->kind != &ckpt_kind_sighand)
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "watches with descriptor %d the signals of a process that is gone or outside",
				   item->fd);
	return 0;
}

static int check_epoll(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	struct items items;
	unsigned int i;
	int ret, err;

	ret = items_get(obj->ptr, &items);
	if (ret)
		return ret;
	for (i = 0; i < items.nr; i++) {
		err = check_item(ctx, &items.item[i]);
		ret = ret ?: err;
	}
	items_put(&items);
	return ret;
}

/**
 * ckpt_epoll_check_leaks() - do epolls and what they watch belong together?
 * @ctx: the checkpoint, after everything was collected
 *
 * An epoll file outside that watches a file of the tree would not watch the
 * restarted one, and an epoll file of the tree can watch a file that it has
 * not, which must have been passed to somebody else.
 *
 * Return: 0, or the first -errno, noted as reasons.
 */
int ckpt_epoll_check_leaks(struct ckpt_ctx *ctx)
{
	struct ckpt_where old = ctx->where;
	struct ckpt_obj *obj;
	int ret = 0, err = 0;

	list_for_each_entry(obj, &ctx->objs, node) {
		if (obj->kind->family != CKPT_FAMILY_FILE ||
		    obj->kind == &ckpt_kind_file_external)
			continue;
		ckpt_about_file(ctx, obj->ptr);
		ctx->where.task = obj->task;
		ctx->where.kind = obj->kind->name;
		if (obj->kind == &ckpt_kind_epoll) {
			err = check_epoll(ctx, obj);
			ret = ret ?: err;
		}
		/* These may be shared: then the watcher has what it watches. */
		if (!(obj->kind == &ckpt_kind_file_tty &&
		      ckpt_tty_is_passed(ctx, obj->ptr)) &&
		    obj->kind != &ckpt_kind_file_dev &&
		    eventpoll_find_watcher(obj->ptr, is_outside, ctx)) {
			err = ckpt_refuse(ctx, -EBUSY,
					  "is watched by an epoll file of a process outside");
			ret = ret ?: err;
		}
	}
	ctx->where = old;
	return ret;
}

/* --- saving ------------------------------------------------------------------------ */

/* The task that adds the items which wait for these signal actions. */
static struct ckpt_obj *task_of_sighand(struct ckpt_ctx *ctx,
					const struct sighand_struct *sighand)
{
	struct ckpt_member *m;

	list_for_each_entry(m, &ctx->members, node)
		if (rcu_access_pointer(m->task->sighand) == sighand &&
		    !READ_ONCE(m->task->exit_state))
			return ckpt_obj_find(ctx, m->task);
	return NULL;
}

/*
 * Write the items that wait for @sighand, or with NULL those that wait for no
 * signals, in as many records as it takes.
 */
static int save_items(struct ckpt_ctx *ctx, struct ckpt_obj *epoll,
		      const struct items *items,
		      const struct sighand_struct *sighand, ckpt_ref_t task)
{
	const struct ckpt_kind *kind = sighand ? &ckpt_kind_task_epoll :
						 &ckpt_kind_epoll_items;
	struct ckpt_epoll_item *to;
	struct ckpt_obj *target;
	unsigned int i = 0, nr;
	int ret = 0;

	if (!items->nr)
		return 0;
	to = kvcalloc(min(items->nr, CKPT_MAX_EPOLL), sizeof(*to),
		      GFP_KERNEL_ACCOUNT);
	if (!to)
		return -ENOMEM;
	while (!ret && i < items->nr) {
		for (nr = 0; i < items->nr && nr < CKPT_MAX_EPOLL; i++) {
			const struct eventpoll_item *item = &items->item[i];

			target = ckpt_obj_find(ctx, item->file);
			if (item_sighand(item, target) != sighand)
				continue;
			to[nr++] = (struct ckpt_epoll_item) {
				.data = item->data,
				.events = item->events,
				.fd = item->fd,
				.file = target ? target->ref : 0,
				.flags = item->ready ? CKPT_EPOLL_READY : 0,
			};
		}
		if (nr && sighand) {
			struct ckpt_task_epoll rec = {
				.epoll = epoll->ref,
				.nr_items = nr,
			};

			ret = ckpt_write_tail(ctx, kind, task, &rec,
					      sizeof(rec), to,
					      nr * sizeof(*to));
		} else if (nr) {
			struct ckpt_epoll_items rec = { .nr_items = nr };

			ret = ckpt_write_tail(ctx, kind, epoll->ref, &rec,
					      sizeof(rec), to,
					      nr * sizeof(*to));
		}
	}
	kvfree(to);
	return ret;
}

/* The signal actions that the @nr-th item is the first one to wait for. */
static struct sighand_struct *new_sighand(struct ckpt_ctx *ctx,
					  const struct items *items,
					  unsigned int nr)
{
	const struct eventpoll_item *item = &items->item[nr], *other;
	struct sighand_struct *sighand;

	sighand = item_sighand(item, ckpt_obj_find(ctx, item->file));
	if (IS_ERR_OR_NULL(sighand))
		return NULL;
	for (other = items->item; other < item; other++)
		if (other->wait == item->wait)
			return NULL;
	return sighand;
}

/*
 * A record that refers to both comes behind both: when the epoll file is behind
 * the task it is the epoll file that writes the records of the task.
 */
static int save_for_tasks(struct ckpt_ctx *ctx, struct ckpt_obj *epoll,
			  const struct items *items)
{
	const struct sighand_struct *sighand;
	struct ckpt_obj *obj, *task;
	unsigned int i;
	int ret;

	for (i = 0; i < items->nr; i++) {
		sighand = new_sighand(ctx, items, i);
		if (!sighand)
			continue;
		obj = ckpt_obj_find(ctx, sighand);
		task = task_of_sighand(ctx, sighand);
		if (!obj || !task)
			return -ESRCH;
		if (task->ref > epoll->ref) {
			obj->flags |= CKPT_OBJ_EPOLLED;
			continue;
		}
		ret = save_items(ctx, epoll, items, sighand, task->ref);
		if (ret)
			return ret;
	}
	return 0;
}

static int epoll_save(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	struct ckpt_file_epoll rec = {};
	struct epoll_params params;
	struct items items;
	int ret;

	ckpt_anon_fill(ctx, obj, &rec.desc);
	eventpoll_get_params(obj->ptr, &params);
	rec.busy_poll_usecs = params.busy_poll_usecs;
	rec.busy_poll_budget = params.busy_poll_budget;
	rec.prefer_busy_poll = params.prefer_busy_poll;
	ret = ckpt_write(ctx, obj->kind, obj->ref, &rec, sizeof(rec));
	if (ret)
		return ret;

	ret = items_get(obj->ptr, &items);
	if (ret)
		return ret;
	ret = save_items(ctx, obj, &items, NULL, 0);
	if (!ret)
		ret = save_for_tasks(ctx, obj, &items);
	items_put(&items);
	return ret;
}

static int task_epoll_save(struct ckpt_ctx *ctx, struct task_struct *task)
{
	const struct sighand_struct *sighand;
	struct ckpt_obj *obj, *self;
	struct items items;
	int ret;

	sighand = rcu_access_pointer(task->sighand);
	obj = sighand ? ckpt_obj_find(ctx, sighand) : NULL;
	if (!obj || !(obj->flags & CKPT_OBJ_EPOLLED))
		return 0;
	self = ckpt_obj_find(ctx, task);
	if (task_of_sighand(ctx, sighand) != self)
		return 0;
	list_for_each_entry(obj, &ctx->objs, node) {
		if (obj->ref > self->ref)
			break;
		if (obj->kind != &ckpt_kind_epoll)
			continue;
		ret = items_get(obj->ptr, &items);
		if (ret)
			return ret;
		ret = save_items(ctx, obj, &items, sighand, self->ref);
		items_put(&items);
		if (ret)
			return ret;
	}
	return 0;
}

/* --- judging ----------------------------------------------------------------------- */

static int epoll_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_file_epoll *p = ckpt_payload(rec, struct ckpt_file_epoll);

	/* As ep_eventpoll_bp_ioctl(). */
	if (p->pad || p->busy_poll_usecs > S32_MAX ||
	    p->busy_poll_budget > U16_MAX || p->prefer_busy_poll > 1)
		return ckpt_refuse(ctx, -EINVAL,
				   "bad parameters of busy polling");
	return ckpt_anon_check(ctx, &p->desc);
}

static int check_events(struct ckpt_ctx *ctx, u32 events)
{
	bool disabled = !(events & ~PRIVATE_BITS);

	if (events & (__force u32)EPOLLEXCLUSIVE &&
	    events & ~EXCLUSIVE_BITS)
		return ckpt_refuse(ctx, -EINVAL,
				   "events 0x%x do not go with EPOLLEXCLUSIVE",
				   events);
	if (disabled ? !(events & (__force u32)EPOLLONESHOT) :
		       (events & ALWAYS_BITS) != ALWAYS_BITS)
		return ckpt_refuse(ctx, -EINVAL,
				   "events 0x%x cannot be watched for",
				   events);
	return 0;
}

static int check_items(struct ckpt_ctx *ctx, const struct ckpt_rec *rec,
		       const struct ckpt_epoll_item *item, u32 nr, size_t fixed,
		       bool signals)
{
	int ret;
	u32 i;

	if (ckpt_tail_len(rec, fixed) != (u64)nr * sizeof(*item) || !nr)
		return ckpt_refuse(ctx, -EINVAL, "bad number of items");
	for (i = 0; i < nr; i++, item++) {
		if (item->fd < 0 || item->flags & ~CKPT_EPOLL_READY)
			return ckpt_refuse(ctx, -EINVAL, "bad item %u", i);
		if (!ckpt_ref_is_open_file(ctx, item->file) ||
		    ckpt_ref_is_type(ctx, item->file, CKPT_REC_FILE_SIGNALFD) !=
		    signals)
			return ckpt_refuse(ctx, -EINVAL,
					   "item %u watches something else", i);
		ret = check_events(ctx, item->events);
		if (ret)
			return ret;
	}
	return 0;
}

static int epoll_items_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_epoll_items *p = ckpt_payload(rec, struct ckpt_epoll_items);

	if (p->pad)
		return ckpt_refuse(ctx, -EINVAL, "bad items");
	return check_items(ctx, rec, p->items, p->nr_items, sizeof(*p), false);
}

static int task_epoll_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_task_epoll *p = ckpt_payload(rec, struct ckpt_task_epoll);

	if (!ckpt_ref_is_type(ctx, p->epoll, CKPT_REC_FILE_EPOLL))
		return ckpt_refuse(ctx, -EINVAL, "items of no epoll file");
	return check_items(ctx, rec, p->items, p->nr_items, sizeof(*p), true);
}

/* --- restarting -------------------------------------------------------------------- */

static int epoll_make(const void *arg)
{
	return eventpoll_create();
}

static int epoll_restore(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_file_epoll *p = ckpt_payload(rec, struct ckpt_file_epoll);
	struct epoll_params params = {
		.busy_poll_usecs = p->busy_poll_usecs,
		.busy_poll_budget = p->busy_poll_budget,
		.prefer_busy_poll = p->prefer_busy_poll,
	};
	struct file *file;

	file = ckpt_anon_make(ctx, rec, &p->desc, epoll_make, NULL);
	if (IS_ERR(file))
		return PTR_ERR(file);
	if (p->busy_poll_budget > NAPI_POLL_WEIGHT && !capable(CAP_NET_ADMIN))
		return ckpt_refuse(ctx, -EPERM,
				   "a budget of %u packets needs CAP_NET_ADMIN",
				   p->busy_poll_budget);
	if (!eventpoll_set_params(file, &params))
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "this kernel has no busy polling");
	return 0;
}

/*
 * Can nothing have happened to this file since it was made? Such files are the
 * tree's alone. Timers do not run yet, but the clock may have been set. Unix
 * sockets that others find seem to be at their end until the restart commits;
 * who waits looks again.
 */
static bool is_quiet(const struct ckpt_obj *obj)
{
	struct timerfd_state timer;
	struct file *file = obj->ptr;

	if (obj->kind == &ckpt_kind_timerfd)
		return timerfd_get_state(file, &timer) && !timer.might_cancel;
	return obj->kind == &ckpt_kind_eventfd ||
	       ckpt_sock_is_quiet(file) ||
	       (obj->kind == &ckpt_kind_file_pipe &&
		file_inode(file)->i_sb->s_magic == PIPEFS_MAGIC);
}

static enum eventpoll_ready item_ready(const struct ckpt_epoll_item *item,
				       const struct ckpt_obj *obj)
{
	if (item->flags & CKPT_EPOLL_READY)
		return EVENTPOLL_READY;
	if (!(item->events & ~PRIVATE_BITS))
		return EVENTPOLL_NOT_READY;
	if (item->events & (__force u32)EPOLLET && is_quiet(obj))
		return EVENTPOLL_NOT_READY;
	return EVENTPOLL_LEAVE;
}

/* As epoll_ctl(), of which the numbers matter only in the messages. */
static int epoll_ctl_add(struct ckpt_scratch *scratch, struct file *epoll,
			 struct file *target,
			 const struct ckpt_epoll_item *item)
{
	struct epoll_event event = {
		.events = (__force __poll_t)item->events,
		.data = item->data,
	};
	int epfd = item->fd ? 0 : 1;
	int ret;

	ret = ckpt_scratch_add(scratch, epfd, epoll);
	if (ret)
		return ret;
	ret = ckpt_scratch_add(scratch, item->fd, target);
	if (!ret) {
		ret = do_epoll_ctl(epfd, EPOLL_CTL_ADD, item->fd, &event, false);
		fput(file_close_fd(item->fd));
	}
	fput(file_close_fd(epfd));
	return ret;
}

static int refuse_item(struct ckpt_ctx *ctx, int error, int fd)
{
	switch (error) {
	case -ENOSPC:
		return ckpt_refuse(ctx, error,
				   "over the limit of watched files, see /proc/sys/fs/epoll/max_user_watches");
	case -EPERM:
		return ckpt_refuse(ctx, error,
				   "descriptor %d is of a file that cannot be watched",
				   fd);
	case -EMFILE:
		return ckpt_refuse(ctx, error,
				   "descriptor %d is over the limit of open files",
				   fd);
	case -ELOOP:
		return ckpt_refuse(ctx, error, "watches itself");
	default:
		return ckpt_refuse(ctx, error,
				   "cannot watch descriptor %d (errno %d)", fd,
				   -error);
	}
}

static int add_item(struct ckpt_ctx *ctx, struct ckpt_scratch *scratch,
		    struct file *epoll, const struct ckpt_epoll_item *item)
{
	struct ckpt_obj *obj = ckpt_obj_get(ctx, item->file);
	int ret;

	if (!obj->ptr)
		return ckpt_refuse(ctx, -EINVAL,
				   "watches a file that is not there yet");
	if (item->events & (__force u32)EPOLLWAKEUP &&
	    !(IS_ENABLED(CONFIG_PM_SLEEP) && capable(CAP_BLOCK_SUSPEND)))
		return ckpt_refuse(ctx, -EPERM,
				   "EPOLLWAKEUP needs CAP_BLOCK_SUSPEND, and a kernel that can be suspended");
	/* As for the descriptors that are open. */
	if (item->fd >= rlimit_max(RLIMIT_NOFILE) && !capable(CAP_SYS_RESOURCE))
		return refuse_item(ctx, -EMFILE, item->fd);

	ret = epoll_ctl_add(scratch, epoll, obj->ptr, item);
	if (ret)
		return refuse_item(ctx, ret, item->fd);
	eventpoll_set_item(epoll, obj->ptr, item->fd, item->events,
			   item_ready(item, obj));
	return 0;
}

static int add_items(struct ckpt_ctx *ctx, ckpt_ref_t ref,
		     const struct ckpt_epoll_item *item, u32 nr)
{
	struct file *epoll = ckpt_obj_ptr(ctx, ref);
	struct ckpt_scratch scratch;
	const struct cred *old;
	int ret;
	u32 i;

	ret = ckpt_scratch_begin(&scratch);
	if (ret)
		return ret;
	old = override_creds(epoll->f_cred);
	for (i = 0; !ret && i < nr; i++) {
		ret = add_item(ctx, &scratch, epoll, &item[i]);
		cond_resched();
	}
	revert_creds(old);
	ckpt_scratch_end(&scratch);
	return ret;
}

static int epoll_items_restore(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_epoll_items *p = ckpt_payload(rec, struct ckpt_epoll_items);

	return add_items(ctx, rec->objref, p->items, p->nr_items);
}

/* In the process whose signals are watched: its threads have one wait queue. */
static int task_epoll_restore(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_task_epoll *p = ckpt_payload(rec, struct ckpt_task_epoll);

	return add_items(ctx, p->epoll, p->items, p->nr_items);
}

const struct ckpt_kind ckpt_kind_epoll = {
	.name		= "epoll",
	.about		= "epoll: busy polling",
	.family		= CKPT_FAMILY_FILE,
	.type		= CKPT_REC_FILE_EPOLL,
	.phase		= CKPT_PHASE_OBJECT,
	.version	= 1,
	.min_version	= 1,
	CKPT_PAYLOAD(struct ckpt_file_epoll),
	.object		= true,
	.obj_get	= ckpt_file_get,
	.obj_put	= ckpt_file_put,
	.obj_collect	= epoll_collect,
	.obj_save	= epoll_save,
	.file_match	= epoll_match,
	.check		= epoll_check,
	.restore	= epoll_restore,
};

const struct ckpt_kind ckpt_kind_epoll_items = {
	.name		= "epoll_items",
	.about		= "what an epoll file watches: files, events, data, what is ready",
	.family		= CKPT_FAMILY_OBJECT,
	.type		= CKPT_REC_EPOLL_ITEMS,
	/* Behind sockets, which are ready when they are complete. */
	.phase		= CKPT_PHASE_FILES,
	.version	= 1,
	.min_version	= 1,
	CKPT_PAYLOAD_TAIL(struct ckpt_epoll_items,
			  CKPT_MAX_EPOLL * sizeof(struct ckpt_epoll_item)),
	.owner		= CKPT_REC_FILE_EPOLL,
	.check		= epoll_items_check,
	.restore	= epoll_items_restore,
};

const struct ckpt_kind ckpt_kind_task_epoll = {
	.name		= "task_epoll",
	.about		= "signal descriptors that an epoll file watches for this task",
	.family		= CKPT_FAMILY_TASK,
	.type		= CKPT_REC_TASK_EPOLL,
	.phase		= CKPT_PHASE_SIGNAL,
	.version	= 1,
	.min_version	= 1,
	CKPT_PAYLOAD_TAIL(struct ckpt_task_epoll,
			  CKPT_MAX_EPOLL * sizeof(struct ckpt_epoll_item)),
	.task_save	= task_epoll_save,
	.check		= task_epoll_check,
	.restore	= task_epoll_restore,
};
