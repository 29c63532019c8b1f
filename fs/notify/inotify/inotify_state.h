/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The end of inotify_user.c: its state, for a checkpoint and a restart.
 */

#ifdef CONFIG_CHECKPOINT_RESTART

#include "../fsnotify.h"
#include "../../event_state.h"

/**
 * inotify_is_file() - is this an inotify file?
 * @file: any file
 *
 * Return: true for those that inotify_init() makes.
 */
bool inotify_is_file(const struct file *file)
{
	return file->f_op == &inotify_fops;
}

/**
 * inotify_create() - inotify_init()
 *
 * Return: a descriptor or -errno.
 */
int inotify_create(void)
{
	return do_inotify_init(0);
}

/**
 * inotify_get_cursor() - which number will the next watch have?
 * @file: an inotify file
 *
 * Return: where the search for a free one begins.
 */
unsigned int inotify_get_cursor(struct file *file)
{
	struct fsnotify_group *group = file->private_data;
	struct inotify_group_private_data *data = &group->inotify_data;
	unsigned int cursor;

	spin_lock(&data->idr_lock);
	cursor = idr_get_cursor(&data->idr);
	spin_unlock(&data->idr_lock);
	return cursor;
}

/**
 * inotify_set_cursor() - likewise
 * @file: an inotify file
 * @cursor: what inotify_get_cursor() gave
 */
void inotify_set_cursor(struct file *file, unsigned int cursor)
{
	struct fsnotify_group *group = file->private_data;
	struct inotify_group_private_data *data = &group->inotify_data;

	spin_lock(&data->idr_lock);
	idr_set_cursor(&data->idr, cursor);
	spin_unlock(&data->idr_lock);
}

/**
 * inotify_count_watches() - how many watches are there?
 * @file: an inotify file
 *
 * Return: their number, the room that inotify_get_watches() needs.
 */
unsigned int inotify_count_watches(struct file *file)
{
	struct fsnotify_group *group = file->private_data;
	struct fsnotify_mark *mark;
	unsigned int nr = 0;

	fsnotify_group_lock(group);
	list_for_each_entry(mark, &group->marks_list, g_list)
		nr++;
	fsnotify_group_unlock(group);
	return nr;
}

/**
 * inotify_get_watches() - what is watched, and for what?
 * @file: an inotify file
 * @watches: is filled; the caller lets go of each inode with iput(), then of
 *	its file system with deactivate_super()
 * @max: how many there is room for
 *
 * Leaves out what is just being deleted or unmounted.
 *
 * Return: how many were filled.
 */
unsigned int inotify_get_watches(struct file *file,
				 struct inotify_watch *watches,
				 unsigned int max)
{
	struct fsnotify_group *group = file->private_data;
	struct inotify_inode_mark *i_mark;
	struct fsnotify_mark *mark;
	struct super_block *sb;
	unsigned int nr = 0;
	struct inode *inode;

	/* The newest is the first. */
	fsnotify_group_lock(group);
	list_for_each_entry_reverse(mark, &group->marks_list, g_list) {
		if (nr == max)
			break;
		if (mark->connector->type != FSNOTIFY_OBJ_TYPE_INODE)
			continue;
		inode = igrab(fsnotify_conn_inode(mark->connector));
		if (!inode)
			continue;
		/* An inode alone does not keep its file system. */
		sb = inode->i_sb;
		if (!atomic_inc_not_zero(&sb->s_active)) {
			iput(inode);
			continue;
		}
		i_mark = container_of(mark, struct inotify_inode_mark, fsn_mark);
		watches[nr++] = (struct inotify_watch) {
			.inode = inode,
			.wd = i_mark->wd,
			.mask = inotify_mark_user_mask(mark),
		};
	}
	fsnotify_group_unlock(group);
	return nr;
}

/**
 * inotify_get_events() - what would read() give?
 * @file: an inotify file
 * @buf: is filled with whole events
 * @size: bytes of @buf
 *
 * Return: how many bytes all of them are; not all are in a @buf that is less.
 */
size_t inotify_get_events(struct file *file, void *buf, size_t size)
{
	struct fsnotify_group *group = file->private_data;
	struct fsnotify_event *fsn_event;
	struct inotify_event_info *info;
	struct inotify_event event;
	size_t all = 0;

	spin_lock(&group->notification_lock);
	list_for_each_entry(fsn_event, &group->notification_list, list) {
		info = INOTIFY_E(fsn_event);
		event = (struct inotify_event) {
			.wd = info->wd,
			.mask = inotify_mask_to_arg(info->mask),
			.cookie = info->sync_cookie,
			.len = round_event_name_len(fsn_event),
		};
		if (all + sizeof(event) + event.len <= size) {
			memcpy(buf + all, &event, sizeof(event));
			memset(buf + all + sizeof(event), 0, event.len);
			memcpy(buf + all + sizeof(event), info->name,
			       info->name_len);
		}
		all += sizeof(event) + event.len;
	}
	spin_unlock(&group->notification_lock);
	return all;
}

/**
 * inotify_add_deaf() - add a watch that sees nothing yet
 * @file: an inotify file
 * @inode: what is to be watched; permission has been checked
 * @wd: the number that it is to have
 *
 * It only tells when it ends, by deletion or unmounting.
 *
 * Return: 0, -EEXIST when there is such an inode or number, or -errno.
 */
int inotify_add_deaf(struct file *file, struct inode *inode, int wd)
{
	struct fsnotify_group *group = file->private_data;
	int ret;

	fsnotify_group_lock(group);
	ret = inotify_update_existing_watch(group, inode, IN_MASK_CREATE);
	if (ret == -ENOENT) {
		inotify_set_cursor(file, wd);
		ret = inotify_new_watch(group, inode, 0);
	}
	fsnotify_group_unlock(group);
	if (ret < 0)
		return ret;
	return ret == wd ? 0 : -EEXIST;
}

/**
 * inotify_set_mask() - let a watch see something; cannot fail
 * @file: an inotify file
 * @wd: of a watch that inotify_add_deaf() made, and that may have ended
 * @mask: from inotify_get_watches()
 */
void inotify_set_mask(struct file *file, int wd, u32 mask)
{
	struct fsnotify_group *group = file->private_data;
	struct inotify_inode_mark *i_mark;
	struct fsnotify_mark *mark;
	struct inode *inode = NULL;

	i_mark = inotify_idr_find(group, wd);
	if (!i_mark)
		return;
	mark = &i_mark->fsn_mark;
	fsnotify_group_lock(group);
	if (mark->flags & FSNOTIFY_MARK_FLAG_ATTACHED)
		inode = igrab(fsnotify_conn_inode(mark->connector));
	if (inode)
		inotify_update_existing_watch(group, inode, mask);
	fsnotify_group_unlock(group);
	if (inode)
		iput(inode);
	fsnotify_put_mark(mark);
}

/**
 * inotify_add_event() - let read() give this
 * @file: an inotify file
 * @event: all but the name
 * @name: of event->len bytes without a NUL
 *
 * Return: 0, -ENOSPC when there are as many as there may be, -ENOMEM.
 */
int inotify_add_event(struct file *file, const struct inotify_event *event,
		      const char *name)
{
	struct fsnotify_group *group = file->private_data;
	struct inotify_event_info *info;

	if (event->mask & IN_Q_OVERFLOW) {
		fsnotify_queue_overflow(group);
		return 0;
	}
	info = kzalloc(struct_size(info, name, event->len + 1),
		       GFP_KERNEL_ACCOUNT);
	if (!info)
		return -ENOMEM;
	fsnotify_init_event(&info->fse);
	info->mask = event->mask;
	info->wd = event->wd;
	info->sync_cookie = event->cookie;
	info->name_len = event->len;
	memcpy(info->name, name, event->len);
	if (!fsnotify_add_event(group, &info->fse, NULL))
		return 0;
	fsnotify_destroy_event(group, &info->fse);
	return -ENOSPC;
}

#endif /* CONFIG_CHECKPOINT_RESTART */
