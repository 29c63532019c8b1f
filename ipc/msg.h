/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What msg.c, msgutil.c and a checkpoint of message queues share.
 */
#ifndef _IPC_MSG_H
#define _IPC_MSG_H

#include <linux/ipc_namespace.h>
#include <linux/msg.h>

/* one msq_queue structure for each present queue on the system */
struct msg_queue {
	struct kern_ipc_perm q_perm;
	time64_t q_stime;		/* last msgsnd time */
	time64_t q_rtime;		/* last msgrcv time */
	time64_t q_ctime;		/* last change time */
	unsigned long q_cbytes;		/* current number of bytes on queue */
	unsigned long q_qnum;		/* number of messages in queue */
	unsigned long q_qbytes;		/* max number of bytes on queue */
	struct pid *q_lspid;		/* pid of last msgsnd */
	struct pid *q_lrpid;		/* last receive pid */

	struct list_head q_messages;
	struct list_head q_receivers;
	struct list_head q_senders;
} __randomize_layout;

struct msg_msgseg {
	struct msg_msgseg *next;
	/* the next part of the message follows immediately */
};

#define DATALEN_MSG	((size_t)PAGE_SIZE - sizeof(struct msg_msg))
#define DATALEN_SEG	((size_t)PAGE_SIZE - sizeof(struct msg_msgseg))

/* Room for a message, without contents; free_msg() gives it back. */
struct msg_msg *alloc_msg(size_t len);

/*
 * Called with msg_ids.rwsem (writer) and the object locked, in an RCU section.
 * Only msg_ids.rwsem remains locked on exit.
 */
void freeque(struct ipc_namespace *ns, struct kern_ipc_perm *ipcp);

#endif /* _IPC_MSG_H */
