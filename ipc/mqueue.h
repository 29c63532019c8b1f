/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What mqueue.c and a checkpoint of POSIX message queues share.
 */
#ifndef _IPC_MQUEUE_H
#define _IPC_MQUEUE_H

#include <linux/fs.h>
#include <linux/list.h>
#include <linux/mqueue.h>
#include <linux/msg.h>
#include <linux/rbtree.h>
#include <linux/signal.h>
#include <linux/wait.h>

struct sk_buff;
struct sock;
struct ucounts;
struct user_namespace;

struct posix_msg_tree_node {
	struct rb_node		rb_node;
	struct list_head	msg_list;
	int			priority;
};

struct ext_wait_queue {		/* queue of sleeping tasks */
	struct task_struct *task;
	struct list_head list;
	struct msg_msg *msg;	/* ptr of loaded message */
	int state;		/* one of STATE_* values */
};

struct mqueue_inode_info {
	spinlock_t lock;	/* of all that follows but the inode */
	struct inode vfs_inode;
	wait_queue_head_t wait_q;

	struct rb_root msg_tree;
	struct rb_node *msg_tree_rightmost;
	struct posix_msg_tree_node *node_cache;
	struct mq_attr attr;

	struct sigevent notify;
	struct pid *notify_owner;
	u32 notify_self_exec_id;
	struct user_namespace *notify_user_ns;
	struct ucounts *ucounts;	/* user who created, for accounting */
	struct sock *notify_sock;
	struct sk_buff *notify_cookie;

	/* for tasks waiting for free space and messages, respectively */
	struct ext_wait_queue e_wait_q[2];

	unsigned long qsize; /* size of queue in memory (sum of all msgs) */
};

static inline struct mqueue_inode_info *MQUEUE_I(struct inode *inode)
{
	return container_of(inode, struct mqueue_inode_info, vfs_inode);
}

extern const struct file_operations mqueue_file_operations;

/*
 * Called with info->lock held, or when nobody else has @info. The inode need not
 * be one: only the tree and its counts are used.
 */
int msg_insert(struct msg_msg *msg, struct mqueue_inode_info *info);
/* For vfs_mkobj(); @arg is a struct mq_attr or NULL. */
int mqueue_create_attr(struct dentry *dentry, umode_t mode, void *arg);

#endif /* _IPC_MQUEUE_H */
