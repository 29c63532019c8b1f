// SPDX-License-Identifier: GPL-2.0
/*
 * The cgroup of a task in the hierarchy of version 2, by its path.
 *
 * A cgroup belongs to a place, and without RESTART_CGROUPS the new tasks stay in
 * the caller's. With it each moves to the cgroup of the same path, through the
 * file cgroup.procs and with the checks that a write to it has.
 */

#include <linux/cgroup.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kernfs.h>
#include <linux/mount.h>
#include <linux/nsproxy.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "../fs/pnode.h"
#include "file.h"
#include "task.h"

/* The first thread brings all others along, if it is there to do so. */
static bool moves_along(struct task_struct *task)
{
	struct task_struct *leader = task->group_leader;
	bool same;

	if (task == leader || ckpt_has_exited(leader) || ckpt_is_zombie(leader))
		return false;
	rcu_read_lock();
	same = task_dfl_cgroup(task) == task_dfl_cgroup(leader);
	rcu_read_unlock();
	return same;
}

static int cgroup_save(struct ckpt_ctx *ctx, struct task_struct *task)
{
	struct ckpt_cgroup rec = {};
	struct cgroup *cgrp;
	char *path;
	int ret;

	if (moves_along(task))
		return 0;
	path = kmalloc(PATH_MAX, GFP_KERNEL);
	if (!path)
		return -ENOMEM;
	rcu_read_lock();
	cgrp = task_dfl_cgroup(task);
	if (!cgroup_tryget(cgrp))
		cgrp = NULL;
	rcu_read_unlock();
	/* Only a task that was killed leaves a cgroup that goes away. */
	ret = -ESRCH;
	if (cgrp) {
		ret = cgroup_path_ns(cgrp, path, PATH_MAX, ctx->ns->cgroup_ns);
		cgroup_put(cgrp);
	}
	if (ret < 0 || ret >= PATH_MAX)
		ret = ckpt_refuse(ctx, ret < 0 ? ret : -ENAMETOOLONG,
				  "the path of its cgroup cannot be told");
	else
		ret = ckpt_write_tail(ctx, &ckpt_kind_cgroup,
				      ckpt_ref(ctx, task), &rec, sizeof(rec),
				      path, strlen(path) + 1);
	kfree(path);
	return ret;
}

static int cgroup_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_cgroup *p = ckpt_payload(rec, struct ckpt_cgroup);

	if (p->flags || p->pad ||
	    !ckpt_path_valid(p->path, ckpt_tail_len(rec, sizeof(*p))))
		return ckpt_refuse(ctx, -EINVAL, "bad path of a cgroup");
	return 0;
}

/* The directory of a cgroup, by a mount that the caller can use. */
struct found {
	struct ckpt_ctx *ctx;
	struct cgroup *cgrp;
	struct path dir;
	int error;
};

/* Each directory above it is asked, too, whether the caller may search it. */
static void find_dir(struct super_block *sb, void *arg)
{
	struct found *found = arg;
	struct dentry *dentry;
	struct mount *mnt;

	if (found->dir.mnt)
		return;
	dentry = kernfs_node_dentry(found->cgrp->kn, sb);
	if (IS_ERR(dentry)) {
		found->error = PTR_ERR(dentry);
		return;
	}
	read_seqlock_excl(&mount_lock);
	list_for_each_entry(mnt, &sb->s_mounts, mnt_instance) {
		if (mnt->mnt_ns != current->nsproxy->mnt_ns ||
		    __mnt_is_readonly(&mnt->mnt) ||
		    !is_subdir(dentry, mnt->mnt.mnt_root) ||
		    !is_path_reachable(mnt, mnt->mnt.mnt_root,
				       &found->ctx->root))
			continue;
		found->dir.mnt = mntget(&mnt->mnt);
		found->dir.dentry = dget(dentry);
		break;
	}
	read_sequnlock_excl(&mount_lock);
	dput(dentry);
}

/* Write "0", which is the writer, to a file of a cgroup. */
static int enter(const struct path *dir, const char *name)
{
	struct file *file;
	loff_t pos = 0;
	ssize_t n;

	file = file_open_root(dir, name, O_WRONLY, 0);
	if (IS_ERR(file))
		return PTR_ERR(file);
	n = kernel_write(file, "0", 1, &pos);
	/* Its mount is not in use any more when restart() returns. */
	__fput_sync(file);
	return n < 0 ? n : 0;
}

/* Context: what is asked for are the caller's rights. */
static int change(struct ckpt_ctx *ctx, const char *path)
{
	struct found found = { .ctx = ctx, .error = -ENODEV };
	struct file_system_type *type;
	struct cgroup *cgrp;
	bool there, same_domain;
	int ret;

	cgrp = cgroup_get_from_path(path);
	if (IS_ERR(cgrp))
		return ckpt_refuse(ctx, PTR_ERR(cgrp),
				   "there is no cgroup %s", path);
	rcu_read_lock();
	there = task_dfl_cgroup(current) == cgrp;
	same_domain = task_dfl_cgroup(current)->dom_cgrp == cgrp->dom_cgrp;
	rcu_read_unlock();
	ret = 0;
	if (there)
		goto out;
	if (ctx->self) {
		ret = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "the caller to be replaced is not in cgroup %s",
				  path);
		goto out;
	}
	found.cgrp = cgrp;
	type = get_fs_type("cgroup2");
	if (type) {
		iterate_supers_type(type, find_dir, &found);
		put_filesystem(type);
	}
	if (!found.dir.mnt) {
		ret = ckpt_refuse(ctx, found.error,
				  found.error == -ENODEV ?
				  "no writable cgroup2 mount of the caller shows cgroup %s" :
				  "cannot look up cgroup %s", path);
		goto out;
	}
	/* If the first thread has exited another one moves the process. */
	ret = enter(&found.dir, thread_group_leader(current) || !same_domain ?
				"cgroup.procs" : "cgroup.threads");
	path_put(&found.dir);
	if (ret)
		ckpt_refuse(ctx, ret, "cannot move to cgroup %s (errno %d)",
			    path, -ret);
out:
	cgroup_put(cgrp);
	return ret;
}

/* A failure ends the task. */
static int cgroup_restore(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_cgroup *p = ckpt_payload(rec, struct ckpt_cgroup);
	const struct cred *old;
	int ret;

	if (!(ctx->flags & RESTART_CGROUPS))
		return 0;
	old = override_creds(ctx->caller_cred);
	ret = change(ctx, p->path);
	revert_creds(old);
	return ret;
}

/* Who moves others stops every fork(), exec() and exit() meanwhile. */
static bool cgroup_needs_run(struct ckpt_ctx *ctx, const struct ckpt_rec *rec)
{
	return ctx->flags & RESTART_CGROUPS;
}

const struct ckpt_kind ckpt_kind_cgroup = {
	.name		= "cgroup",
	.about		= "path in the cgroup2 hierarchy, where a restart asks for it",
	.family		= CKPT_FAMILY_TASK,
	.type		= CKPT_REC_CGROUP,
	.phase		= CKPT_PHASE_TASK,
	.version	= 1,
	.min_version	= 1,
	CKPT_PAYLOAD_TAIL(struct ckpt_cgroup, CKPT_MAX_PATH),
	.single		= true,
	.task_save	= cgroup_save,
	.check		= cgroup_check,
	.restore	= cgroup_restore,
	.needs_run	= cgroup_needs_run,
};
