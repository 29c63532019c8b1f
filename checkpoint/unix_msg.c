// SPDX-License-Identifier: GPL-2.0
/*
 * What waits in unix sockets: messages, with descriptors and credentials, and
 * connections that are not accepted yet.
 */

#include <linux/file.h>
#include <linux/net.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <linux/socket.h>
#include <net/scm.h>

#include "anon.h"
#include "unix.h"

#define MAX_MSG_TAIL	(CKPT_MAX_RECORD - sizeof(struct ckpt_unix_msg))
/* What can stand in front of the contents. */
#define MAX_MSG_HEAD	(SCM_MAX_FD * sizeof(ckpt_ref_t) + CKPT_UNIX_MAX_NAME)

/* A message is saved member by member. */
static_assert(sizeof_field(struct unix_skb_parms, consumed) == sizeof(u32));

static bool is_stream(const struct sock *sk)
{
	return sk->sk_type == SOCK_STREAM;
}

/* --- saving --------------------------------------------------------------- */

/*
 * The next thing in a queue, held, instead of @prev. Outsiders may put
 * something in, but only behind; when the tree is killed the queue ends.
 */
static struct sk_buff *queue_next(struct sock *sk, struct sk_buff *prev)
{
	struct sk_buff_head *queue = &sk->sk_receive_queue;
	struct sk_buff *skb;

	spin_lock(&queue->lock);
	if (!prev)
		skb = skb_peek(queue);
	else
		skb = prev->next ? skb_peek_next(prev, queue) : NULL;
	if (skb)
		skb_get(skb);
	spin_unlock(&queue->lock);
	consume_skb(prev);
	return skb;
}

/* The socket behind an entry of a queue of connections, held. */
static struct sock *embryo_get(struct sock *listener, struct sk_buff *skb)
{
	struct sock *sk = NULL;

	spin_lock(&listener->sk_receive_queue.lock);
	if (skb->next) {
		sk = skb->sk;
		sock_hold(sk);
	}
	spin_unlock(&listener->sk_receive_queue.lock);
	return sk;
}

/* The files in a message, held. Return: how many of SCM_MAX_FD. */
static int msg_get_files(struct sock *sk, struct sk_buff *skb,
			 struct file **files)
{
	struct unix_sock *u = unix_sk(sk);
	struct scm_fp_list *fp;
	int i, nr = 0;

	/* Whoever reads the message takes them out under this lock. */
	mutex_lock(&u->iolock);
	fp = UNIXCB(skb).fp;
	if (fp)
		nr = fp->count;
	for (i = 0; i < nr; i++)
		files[i] = get_file(fp->fp[i]);
	mutex_unlock(&u->iolock);
	return nr;
}

static unsigned int msg_consumed(struct sock *sk, struct sk_buff *skb)
{
	return is_stream(sk) ? UNIXCB(skb).consumed : 0;
}

static int collect_files(struct ckpt_ctx *ctx, struct sock *sk,
			 struct sk_buff *skb)
{
	struct ckpt_obj *obj;
	struct file **files;
	int i, nr, ret = 0, err;

	files = kmalloc_array(SCM_MAX_FD, sizeof(*files), GFP_KERNEL);
	if (!files)
		return -ENOMEM;
	nr = msg_get_files(sk, skb, files);
	for (i = 0; i < nr; i++) {
		err = ckpt_file_collect(ctx, files[i]);
		ret = ret ?: err;
		/* Whoever receives it has the position and the flags. */
		obj = ckpt_obj_find(ctx, files[i]);
		if (obj)
			obj->flags |= CKPT_OBJ_FD;
		fput(files[i]);
	}
	kfree(files);
	return ret;
}

/* A sender in another pid namespace, or from before a restart, has no pid. */
static bool has_creds(const struct unix_skb_parms *cb)
{
	return uid_valid(cb->uid);
}

/* Can the image name the user and the group who sent it? */
static bool has_numbers(struct ckpt_ctx *ctx, const struct unix_skb_parms *cb)
{
	struct user_namespace *ns = ctx->user_ns;

	return kuid_has_mapping(ns, cb->uid) && kgid_has_mapping(ns, cb->gid);
}

/* What a stream has in its queue is never that long. */
static bool is_too_long(const struct sock *sk, const struct sk_buff *skb)
{
	return !is_stream(sk) && skb->len > MAX_MSG_TAIL - MAX_MSG_HEAD;
}

static int collect_msg(struct ckpt_ctx *ctx, struct sock *sk,
		       struct sk_buff *skb)
{
	const struct unix_skb_parms *cb = &UNIXCB(skb);

	if (is_too_long(sk, skb))
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "a message of %u bytes in the socket",
				   skb->len);
	if (!skb->sk || (sk->sk_type != SOCK_DGRAM && skb->sk != unix_peer(sk)))
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "data of an unknown origin in the socket");
	if (has_creds(cb) && !has_numbers(ctx, cb))
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "a message whose sender has no number in the user namespace");
	return cb->fp ? collect_files(ctx, sk, skb) : 0;
}

/**
 * ckpt_unix_queue_collect() - collect what waits in a socket
 * @ctx: the checkpoint, when all tasks were collected
 * @sk: the socket
 *
 * Return: 0, or the first -errno, noted as reasons.
 */
int ckpt_unix_queue_collect(struct ckpt_ctx *ctx, struct sock *sk)
{
	bool listening = ckpt_unix_is_listening(sk);
	struct sk_buff *skb = NULL;
	struct sock *embryo;
	int ret = 0, err;

	while ((skb = queue_next(sk, skb))) {
		if (!listening) {
			err = collect_msg(ctx, sk, skb);
		} else {
			embryo = embryo_get(sk, skb);
			if (!embryo)
				continue;
			err = ckpt_collect(ctx, &ckpt_kind_unix, embryo);
			sock_put(embryo);
		}
		ret = ret ?: err;
		cond_resched();
	}
	return ret;
}

/* A sender that is not saved: its name is all that the receiver gets of it. */
static void fill_sender(struct ckpt_ctx *ctx, struct sock *sk,
			struct sk_buff *skb, struct ckpt_unix_msg *rec,
			u8 *name)
{
	struct unix_address *addr = ckpt_unix_get_name(skb->sk);

	if (sk->sk_type != SOCK_DGRAM || !ckpt_unix_is_dead(skb->sk))
		rec->from = ckpt_ref(ctx, skb->sk);
	if (rec->from || !addr)
		return;
	rec->name_len = ckpt_unix_name_len(addr);
	memcpy(name, ckpt_unix_name_of(addr), rec->name_len);
}

/*
 * Return: 0, or -ENODATA for a message of somebody without a number: it came
 * from outside when the tree stood still already.
 */
static int fill_creds(struct ckpt_ctx *ctx, struct sk_buff *skb,
		      struct ckpt_unix_msg *rec)
{
	const struct unix_skb_parms *cb = &UNIXCB(skb);

	if (!has_creds(cb))
		return 0;
	if (!has_numbers(ctx, cb))
		return -ENODATA;
	rec->flags |= CKPT_UNIX_MSG_CREDS;
	rec->pid = pid_nr_ns(cb->pid, ctx->pid_ns);
	rec->uid = from_kuid(ctx->user_ns, cb->uid);
	rec->gid = from_kgid(ctx->user_ns, cb->gid);
	return 0;
}

/*
 * Return: how many, or -ENODATA for a message with a file that was not
 * collected: it came from outside when the tree stood still already.
 */
static int fill_files(struct ckpt_ctx *ctx, struct sock *sk,
		      struct sk_buff *skb, ckpt_ref_t *refs)
{
	struct file **files;
	int i, nr;

	if (!UNIXCB(skb).fp)
		return 0;
	files = kmalloc_array(SCM_MAX_FD, sizeof(*files), GFP_KERNEL);
	if (!files)
		return -ENOMEM;
	nr = msg_get_files(sk, skb, files);
	for (i = 0; i < nr; i++) {
		refs[i] = ckpt_ref(ctx, files[i]);
		fput(files[i]);
	}
	kfree(files);
	for (i = 0; i < nr; i++)
		if (!refs[i])
			return -ENODATA;
	return nr;
}

static bool is_oob(struct sock *sk, struct sk_buff *skb)
{
#if IS_ENABLED(CONFIG_AF_UNIX_OOB)
	return READ_ONCE(unix_sk(sk)->oob_skb) == skb;
#else
	return false;
#endif
}

static int save_msg(struct ckpt_ctx *ctx, struct ckpt_obj *obj,
		    struct sk_buff *skb)
{
	struct sock *sk = obj->ptr;
	unsigned int skip = msg_consumed(sk, skb), len = skb->len - skip;
	struct ckpt_unix_msg rec = { .stamp_ns = skb->tstamp };
	u8 *data, *p;
	int ret;

	if (is_too_long(sk, skb))
		return -ENODATA;
	/* A byte that was sent out of band leaves a mark where it was read. */
	if (is_stream(sk) && !len)
		rec.flags |= CKPT_UNIX_MSG_OOB_READ;
	else if (is_oob(sk, skb))
		rec.flags |= CKPT_UNIX_MSG_OOB;

	data = kvmalloc(MAX_MSG_HEAD + len, GFP_KERNEL);
	if (!data)
		return -ENOMEM;
	ret = fill_files(ctx, sk, skb, (ckpt_ref_t *)data);
	if (ret < 0)
		goto out;
	rec.nr_files = ret;
	p = data + ret * sizeof(ckpt_ref_t);
	fill_sender(ctx, sk, skb, &rec, p);
	p += rec.name_len;
	ret = fill_creds(ctx, skb, &rec);
	if (!ret)
		ret = skb_copy_bits(skb, skip, p, len);
	if (!ret)
		ret = ckpt_write_tail(ctx, &ckpt_kind_unix_msg, obj->ref, &rec,
				      sizeof(rec), data, p + len - data);
out:
	kvfree(data);
	return ret;
}

static int save_connection(struct ckpt_ctx *ctx, struct ckpt_obj *obj,
			   struct sk_buff *skb)
{
	struct ckpt_unix_msg rec = {
		.flags = CKPT_UNIX_MSG_CONNECTION,
		.from = ckpt_ref(ctx, skb->sk),
	};

	if (!rec.from)
		return -ENODATA;
	return ckpt_write(ctx, &ckpt_kind_unix_msg, obj->ref, &rec,
			  sizeof(rec));
}

/**
 * ckpt_unix_queue_save() - write the records of what waits in a socket
 * @ctx: the checkpoint
 * @obj: the socket's object
 *
 * Return: 0 or -errno.
 */
int ckpt_unix_queue_save(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	bool listening = ckpt_unix_is_listening(obj->ptr);
	struct sk_buff *skb = NULL;
	int ret = 0;

	while (!ret && (skb = queue_next(obj->ptr, skb)))
		ret = listening ? save_connection(ctx, obj, skb) :
				  save_msg(ctx, obj, skb);
	consume_skb(skb);
	/* What came later is not a part of this moment. */
	return ret == -ENODATA ? 0 : ret;
}

/* --- restarting: pids ----------------------------------------------------- */

/**
 * ckpt_unix_get_pid() - a pid that is to be shown
 * @ctx: the restart
 * @nr: as it was saved, 0: none
 * @pid: gets it, held, or NULL
 *
 * Of a process that is not the tree's: as in a message with SCM_CREDENTIALS,
 * the right to show any is asked for. It is mostly of a process that has ended.
 * Its number is taken, and given back at once, so that what remains is a struct
 * pid as processes that have ended leave it behind. Who gets fresh pids gets 0
 * for such a one.
 *
 * Return: 0, or -errno, noted as a reason.
 */
int ckpt_unix_get_pid(struct ckpt_ctx *ctx, s32 nr, struct pid **pid)
{
	struct pid_namespace *ns = task_active_pid_ns(current);
	struct pid *new;

	*pid = nr ? get_pid(ckpt_pid(ctx, nr)) : NULL;
	if (*pid || !nr || ctx->flags & RESTART_FRESH_PIDS)
		return 0;
	if (!ns_capable(ns->user_ns, CAP_SYS_ADMIN))
		return ckpt_refuse(ctx, -EPERM,
				   "shows pid %d of a process that is not restarted, which needs CAP_SYS_ADMIN; with fresh pids it does not",
				   nr);
	*pid = find_get_pid(nr);
	if (*pid)
		return 0;
	new = alloc_pid(ns, &nr, 1);
	if (IS_ERR(new))
		return ckpt_refuse(ctx, PTR_ERR(new),
				   "cannot show pid %d of a process that is not restarted",
				   nr);
	*pid = get_pid(new);
	free_pid(new);
	return 0;
}

/* --- restarting: records -------------------------------------------------- */

static int check_connection(struct ckpt_ctx *ctx, const struct ckpt_rec *rec)
{
	const struct ckpt_unix_msg *p = (const void *)rec->payload;
	const struct ckpt_unix *to = ckpt_unix_of(ctx, rec->objref);
	const struct ckpt_unix *from = ckpt_unix_of(ctx, p->from);

	if (p->flags != CKPT_UNIX_MSG_CONNECTION || p->pid || p->uid ||
	    p->gid || p->nr_files || p->name_len || p->stamp_ns ||
	    ckpt_tail_len(rec, sizeof(*p)))
		return ckpt_refuse(ctx, -EINVAL, "a connection with contents");
	if (!from || !(from->flags & CKPT_UNIX_EMBRYO) ||
	    from->sock.type != to->sock.type ||
	    to->flags & (CKPT_UNIX_DEAD | CKPT_UNIX_EMBRYO))
		return ckpt_refuse(ctx, -EINVAL,
				   "a connection of an unsuitable socket");
	return 0;
}

static const ckpt_ref_t *msg_files(const struct ckpt_unix_msg *p)
{
	return (const ckpt_ref_t *)p->data;
}

static const u8 *msg_name(const struct ckpt_unix_msg *p)
{
	return p->data + p->nr_files * sizeof(ckpt_ref_t);
}

static u32 msg_len(const struct ckpt_rec *rec)
{
	const struct ckpt_unix_msg *p = (const void *)rec->payload;

	return ckpt_tail_len(rec, sizeof(*p)) - p->name_len -
	       p->nr_files * sizeof(ckpt_ref_t);
}

static bool msg_parts_valid(struct ckpt_ctx *ctx, const struct ckpt_rec *rec,
			    bool dgram)
{
	const struct ckpt_unix_msg *p = (const void *)rec->payload;
	u32 len = ckpt_tail_len(rec, sizeof(*p)), i;

	if (p->nr_files > SCM_MAX_FD || p->name_len > CKPT_UNIX_MAX_NAME ||
	    p->nr_files * sizeof(ckpt_ref_t) + p->name_len > len ||
	    (p->name_len && (!dgram || p->from)))
		return false;
	for (i = 0; i < p->nr_files; i++)
		if (!ckpt_ref_is_open_file(ctx, msg_files(p)[i]))
			return false;
	return true;
}

static bool msg_flags_valid(const struct ckpt_rec *rec, u32 type)
{
	const struct ckpt_unix_msg *p = (const void *)rec->payload;
	u32 oob = p->flags & (CKPT_UNIX_MSG_OOB | CKPT_UNIX_MSG_OOB_READ);

	if (p->flags & ~(CKPT_UNIX_MSG_OOB | CKPT_UNIX_MSG_OOB_READ |
			 CKPT_UNIX_MSG_CREDS))
		return false;
	if (type != SOCK_STREAM)
		return !oob;
	switch (oob) {
	case 0:
		return msg_len(rec);
	case CKPT_UNIX_MSG_OOB:
		return msg_len(rec) == 1;
	case CKPT_UNIX_MSG_OOB_READ:
		return !msg_len(rec);
	default:
		return false;
	}
}

static int unix_msg_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_unix_msg *p = ckpt_payload(rec, struct ckpt_unix_msg);
	const struct ckpt_unix *to = ckpt_unix_of(ctx, rec->objref);
	const struct ckpt_unix *from = ckpt_unix_of(ctx, p->from);
	bool dgram;

	if (!to || p->pad)
		return ckpt_refuse(ctx, -EINVAL, "bad message of a unix socket");
	if (p->flags & CKPT_UNIX_MSG_CONNECTION)
		return check_connection(ctx, rec);

	dgram = to->sock.type == SOCK_DGRAM;
	if (!msg_parts_valid(ctx, rec, dgram) ||
	    !msg_flags_valid(rec, to->sock.type) || p->stamp_ns < 0)
		return ckpt_refuse(ctx, -EINVAL, "bad message of a unix socket");
	if (p->flags & CKPT_UNIX_MSG_CREDS ?
	    p->pid < 0 || p->uid == (uid_t)-1 || p->gid == (gid_t)-1 :
	    p->pid || p->uid || p->gid)
		return ckpt_refuse(ctx, -EINVAL,
				   "bad credentials of a message");
	if (to->flags & CKPT_UNIX_DEAD ||
	    (p->from || !dgram ? !from || from->sock.type != to->sock.type :
				 false) ||
	    (!dgram && p->from == rec->objref))
		return ckpt_refuse(ctx, -EINVAL,
				   "a message of an unsuitable socket");
	return 0;
}

/* --- restarting: messages ------------------------------------------------- */

/* The control message for files, which names descriptors of current. */
static int put_files(struct ckpt_ctx *ctx, struct ckpt_scratch *scratch,
		     const struct ckpt_unix_msg *p, struct cmsghdr *cmsg)
{
	int *fds = CMSG_DATA(cmsg);
	struct file *file;
	u32 i;
	int ret;

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(p->nr_files * sizeof(int));
	for (i = 0; i < p->nr_files; i++) {
		file = ckpt_obj_ptr(ctx, msg_files(p)[i]);
		if (!file)
			return ckpt_refuse(ctx, -EINVAL,
					   "a file in a message that does not exist");
		ret = ckpt_scratch_add(scratch, i, file);
		if (ret)
			return ret;
		fds[i] = i;
	}
	return 0;
}

/*
 * Send from one new socket to another, as if they were connected and however
 * much is in the queue already. Return: bytes or -errno.
 */
static int send_between(struct sock *from, struct sock *to, struct msghdr *msg,
			const void *data, u32 len)
{
	struct kvec vec = { .iov_base = (void *)data, .iov_len = len };
	struct sock *peer = unix_peer(from);
	u8 state = from->sk_state;
	int sndbuf = from->sk_sndbuf, ret;
	u32 backlog = to->sk_max_ack_backlog;

	msg->msg_flags |= MSG_DONTWAIT | MSG_NOSIGNAL;
	unix_state_lock(from);
	unix_peer(from) = to;
	WRITE_ONCE(from->sk_state, TCP_ESTABLISHED);
	unix_state_unlock(from);
	WRITE_ONCE(from->sk_sndbuf, INT_MAX);
	WRITE_ONCE(to->sk_max_ack_backlog, U32_MAX);

	ret = kernel_sendmsg(from->sk_socket, msg, &vec, 1, len);

	WRITE_ONCE(to->sk_max_ack_backlog, backlog);
	WRITE_ONCE(from->sk_sndbuf, sndbuf);
	unix_state_lock(from);
	unix_peer(from) = peer;
	WRITE_ONCE(from->sk_state, state);
	unix_state_unlock(from);
	return ret;
}

/* The same with files: in a table of descriptors made for this. */
static int send_msg(struct ckpt_ctx *ctx, const struct ckpt_rec *rec,
		    struct sock *from, struct sock *to, struct msghdr *msg)
{
	static const u8 read_byte[1];
	const struct ckpt_unix_msg *p = (const void *)rec->payload;
	const u8 *data = msg_name(p) + p->name_len;
	struct ckpt_scratch scratch;
	u32 len = msg_len(rec);
	int ret;

	if (p->flags & CKPT_UNIX_MSG_OOB_READ) {
		data = read_byte;
		len = sizeof(read_byte);
	}
	if (!p->nr_files)
		return send_between(from, to, msg, data, len);

	msg->msg_controllen = CMSG_SPACE(p->nr_files * sizeof(int));
	msg->msg_control = kzalloc(msg->msg_controllen, GFP_KERNEL);
	if (!msg->msg_control)
		return -ENOMEM;
	ret = ckpt_scratch_begin(&scratch);
	if (!ret) {
		ret = put_files(ctx, &scratch, p, msg->msg_control);
		if (!ret)
			ret = send_between(from, to, msg, data, len);
		ckpt_scratch_end(&scratch);
	}
	kfree(msg->msg_control);
	return ret;
}

/*
 * What was put into the queue gets what only its true sender could send. The
 * reader of a stream sees whether two messages have the same struct pid.
 */
static int fix_skb(struct ckpt_ctx *ctx, const struct ckpt_unix_msg *p,
		   struct sk_buff *skb, struct sk_buff *before)
{
	struct pid *pid = before ? UNIXCB(before).pid : NULL;
	int ret;

	skb->tstamp = p->stamp_ns;
	if (p->flags & CKPT_UNIX_MSG_OOB_READ)
		UNIXCB(skb).consumed = skb->len;
	if (!(p->flags & CKPT_UNIX_MSG_CREDS))
		return 0;

	ret = ckpt_sock_may_show(ctx, p->uid, p->gid);
	if (ret)
		return ret;
	/* A fresh pid is no saved one, and of the tree's: the same by itself. */
	if (p->pid && !(ctx->flags & RESTART_FRESH_PIDS) &&
	    pid_vnr(pid) == p->pid)
		get_pid(pid);
	else
		ret = ckpt_unix_get_pid(ctx, p->pid, &pid);
	if (ret)
		return ret;
	UNIXCB(skb).pid = pid;
	UNIXCB(skb).uid = make_kuid(ctx->user_ns, p->uid);
	UNIXCB(skb).gid = make_kgid(ctx->user_ns, p->gid);
	return 0;
}

static int fix_skbs(struct ckpt_ctx *ctx, struct sock *sk,
		    const struct ckpt_unix_msg *p, struct sk_buff *before)
{
	struct sk_buff_head *queue = &sk->sk_receive_queue;
	struct sk_buff *skb;
	int ret = 0;

	skb = before ? skb_peek_next(before, queue) : skb_peek(queue);
	while (!ret && skb) {
		ret = fix_skb(ctx, p, skb, before);
		before = skb;
		skb = skb_peek_next(skb, queue);
	}
	return ret;
}

/* Nobody but us has the sockets: their descriptions are not in use yet. */
static int restore_msg(struct ckpt_ctx *ctx, struct ckpt_rec *rec,
		       struct sock *from, struct ckpt_unix_live *to)
{
	struct ckpt_unix_msg *p = ckpt_payload(rec, struct ckpt_unix_msg);
	u32 len = p->flags & CKPT_UNIX_MSG_OOB_READ ? 1 : msg_len(rec);
	struct msghdr msg = {};
	struct sk_buff *before = skb_peek_tail(&to->sk->sk_receive_queue);
	const struct cred *old = NULL;
	int ret;

	if (p->flags & CKPT_UNIX_MSG_OOB)
		msg.msg_flags = MSG_OOB;
	/* Files in flight are counted for the sender. */
	if (from->sk_socket->file)
		old = override_creds(from->sk_socket->file->f_cred);
	ret = send_msg(ctx, rec, from, to->sk, &msg);
	if (old)
		revert_creds(old);
	if (ret != len)
		return ckpt_refuse(ctx, ret < 0 ? ret : -ENOSPC,
				   "the data of a unix socket cannot be sent");
	return fix_skbs(ctx, to->sk, p, before);
}

/* From a sender of which the name is all that is left. */
static int restore_orphan_msg(struct ckpt_ctx *ctx, struct ckpt_rec *rec,
			      struct ckpt_unix_live *to)
{
	struct ckpt_unix_msg *p = ckpt_payload(rec, struct ckpt_unix_msg);
	struct socket *sock;
	int ret;

	ret = sock_create(AF_UNIX, to->sk->sk_type, 0, &sock);
	if (ret)
		return ckpt_refuse(ctx, ret, "cannot make a unix socket");
	ret = ckpt_unix_name_show(sock->sk, msg_name(p), p->name_len);
	if (!ret)
		ret = restore_msg(ctx, rec, sock->sk, to);
	sock_release(sock);
	return ret;
}

static int restore_connection(struct ckpt_ctx *ctx, struct ckpt_unix_live *to,
			      struct ckpt_unix_live *from)
{
	if (!to->base.sock || !from->base.sock || from->base.file ||
	    from->listener)
		return ckpt_refuse(ctx, -EINVAL,
				   "a connection that is made twice");
	sock_hold(to->sk);
	from->listener = to->sk;
	unix_sk(from->sk)->listener = to->sk;
	list_add_tail(&from->embryo_node, &to->embryos);
	return 0;
}

static int unix_msg_restore(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_unix_msg *p = ckpt_payload(rec, struct ckpt_unix_msg);
	struct ckpt_unix_live *to = ckpt_obj_ptr(ctx, rec->objref);
	struct ckpt_unix_live *from = ckpt_obj_ptr(ctx, p->from);

	if (p->flags & CKPT_UNIX_MSG_CONNECTION)
		return restore_connection(ctx, to, from);
	if (!to->base.sock || to->stated || (from && !from->base.sock))
		return ckpt_refuse(ctx, -EINVAL,
				   "a message behind the end of a socket");
	if (to->sk->sk_type != SOCK_DGRAM) {
		if (to->sender && to->sender != from)
			return ckpt_refuse(ctx, -EINVAL,
					   "messages of two senders");
		to->sender = from;
	}
	return from ? restore_msg(ctx, rec, from->sk, to) :
		      restore_orphan_msg(ctx, rec, to);
}

const struct ckpt_kind ckpt_kind_unix_msg = {
	.name		= "unix_msg",
	.about		= "what waits in unix sockets: data, files, credentials, connections",
	.family		= CKPT_FAMILY_OBJECT,
	.type		= CKPT_REC_UNIX_MSG,
	.phase		= CKPT_PHASE_OBJECT,
	.version	= 1,
	.min_version	= 1,
	CKPT_PAYLOAD_TAIL(struct ckpt_unix_msg, MAX_MSG_TAIL),
	.owner		= CKPT_REC_UNIX,
	.check		= unix_msg_check,
	.restore	= unix_msg_restore,
};
