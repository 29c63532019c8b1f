// SPDX-License-Identifier: GPL-2.0
/*
 * What unix sockets are connected with, whether they listen, who was there when
 * they were connected.
 */

#include <linux/net.h>
#include <linux/pid.h>
#include <linux/security.h>
#include <linux/skbuff.h>
#include <linux/socket.h>

#include "unix.h"

static_assert(SHUTDOWN_MASK == 3);

/**
 * ckpt_unix_get_peer_cred() - what SO_PEERCRED tells
 * @ctx: the checkpoint
 * @sk: the socket
 * @pid: gets the pid as the tree sees it, or 0
 *
 * Return: credentials, held, or NULL.
 */
const struct cred *ckpt_unix_get_peer_cred(struct ckpt_ctx *ctx,
					   struct sock *sk, s32 *pid)
{
	const struct cred *cred;

	spin_lock(&sk->sk_peer_lock);
	cred = sk->sk_peer_cred ? get_cred(sk->sk_peer_cred) : NULL;
	*pid = pid_nr_ns(sk->sk_peer_pid, ctx->pid_ns);
	spin_unlock(&sk->sk_peer_lock);
	return cred;
}

/**
 * ckpt_unix_state_save() - write the record of a socket's state
 * @ctx: the checkpoint
 * @obj: the socket's object
 *
 * Return: 0 or -errno.
 */
int ckpt_unix_state_save(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	struct ckpt_unix_state rec = {};
	struct sock *sk = obj->ptr, *peer;
	const struct cred *cred;

	if (!ckpt_unix_is_dead(sk)) {
		rec.shutdown = READ_ONCE(sk->sk_shutdown);
		cred = ckpt_unix_get_peer_cred(ctx, sk, &rec.peer_pid);
		rec.peer_cred = ckpt_ref(ctx, cred);
		put_cred(cred);
		peer = unix_peer_get(sk);
		rec.peer = ckpt_ref(ctx, peer);
		if (peer)
			sock_put(peer);
		if (READ_ONCE(sk->sk_state) == TCP_ESTABLISHED)
			rec.flags |= CKPT_UNIX_CONNECTED;
		if (ckpt_unix_is_listening(sk)) {
			rec.flags |= CKPT_UNIX_LISTENING;
			rec.backlog = READ_ONCE(sk->sk_max_ack_backlog);
		}
		read_lock_bh(&sk->sk_callback_lock);
		if (sk->sk_socket && sk->sk_socket->state == SS_CONNECTED)
			rec.flags |= CKPT_UNIX_SS_CONNECTED;
		read_unlock_bh(&sk->sk_callback_lock);
	}
	return ckpt_write(ctx, &ckpt_kind_unix_state, obj->ref, &rec,
			  sizeof(rec));
}

static int check_peer(struct ckpt_ctx *ctx, const struct ckpt_unix *u,
		      const struct ckpt_unix_state *p)
{
	const struct ckpt_unix *peer = ckpt_unix_of(ctx, p->peer);
	bool connected = p->flags & CKPT_UNIX_CONNECTED;

	if (p->peer && (!peer || peer->sock.type != u->sock.type ||
			!connected))
		return ckpt_refuse(ctx, -EINVAL, "bad peer of a unix socket");
	if (u->sock.type == SOCK_DGRAM)
		return 0;
	/* These are connected once and for all. */
	if (connected != !!p->peer || peer == u)
		return ckpt_refuse(ctx, -EINVAL, "bad peer of a unix socket");
	if (u->flags & CKPT_UNIX_EMBRYO && !connected)
		return ckpt_refuse(ctx, -EINVAL,
				   "a connection that is not connected");
	return 0;
}

static int unix_state_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_unix_state *p = ckpt_payload(rec, struct ckpt_unix_state);
	const struct ckpt_unix *u = ckpt_unix_of(ctx, rec->objref);
	bool bad;

	if (!u || p->flags & ~(CKPT_UNIX_LISTENING | CKPT_UNIX_CONNECTED |
			       CKPT_UNIX_SS_CONNECTED) ||
	    p->shutdown & ~SHUTDOWN_MASK || p->peer_pid < 0)
		return ckpt_refuse(ctx, -EINVAL, "bad state of a unix socket");
	if (p->peer_cred && !ckpt_ref_is_type(ctx, p->peer_cred, CKPT_REC_CRED))
		return ckpt_refuse(ctx, -EINVAL,
				   "bad credentials of a unix socket's peer");
	if (u->flags & CKPT_UNIX_DEAD &&
	    (p->flags || p->shutdown || p->peer || p->peer_cred ||
	     p->peer_pid || p->backlog))
		return ckpt_refuse(ctx, -EINVAL,
				   "a closed unix socket with a state");
	if (p->flags & CKPT_UNIX_LISTENING)
		bad = u->sock.type == SOCK_DGRAM || !u->name_len || p->peer ||
		      u->flags & CKPT_UNIX_EMBRYO;
	else
		bad = p->backlog;
	if (bad)
		return ckpt_refuse(ctx, -EINVAL,
				   "a unix socket that cannot listen");
	return check_peer(ctx, u, p);
}

static void set_peer(struct sock *sk, struct sock *peer)
{
	sock_hold(peer);
	unix_state_lock(sk);
	unix_peer(sk) = peer;
	WRITE_ONCE(sk->sk_state, TCP_ESTABLISHED);
	unix_state_unlock(sk);
}

/*
 * A dgram socket sends to whom it likes. Others are connected both ways, when
 * both are ready, or have only the rest of a peer that was closed.
 */
static int restore_peer(struct ckpt_ctx *ctx, struct ckpt_unix_live *live,
			struct ckpt_unix_live *peer)
{
	const struct ckpt_unix *p = ckpt_payload(peer->rec, struct ckpt_unix);
	bool one_way = p->sock.type == SOCK_DGRAM || p->flags & CKPT_UNIX_DEAD;
	int ret;

	if (!peer->base.sock || (live->sender && live->sender != peer))
		return ckpt_refuse(ctx, -EINVAL,
				   "an unsuitable peer of a unix socket");
	if (!one_way && !peer->stated) {
		live->wants = peer;
		return 0;
	}
	if (!one_way && peer->wants != live)
		return ckpt_refuse(ctx, -EINVAL,
				   "a unix socket with two peers");

	if (!one_way || unix_peer(peer->sk) == live->sk)
		ret = security_socket_socketpair(peer->base.sock,
						 live->base.sock);
	else
		ret = security_unix_may_send(live->base.sock, peer->base.sock);
	if (ret)
		return ckpt_refuse(ctx, ret,
				   "a security module forbids to connect unix sockets");
	set_peer(live->sk, peer->sk);
	if (!one_way) {
		set_peer(peer->sk, live->sk);
		peer->wants = NULL;
	}
	return 0;
}

/* Without a peer nothing may be in its queue: that would be accepted. */
static int restore_alone(struct ckpt_ctx *ctx, struct ckpt_unix_live *live,
			 const struct ckpt_unix_state *p)
{
	if (live->sk->sk_type == SOCK_DGRAM) {
		if (p->flags & CKPT_UNIX_CONNECTED)
			WRITE_ONCE(live->sk->sk_state, TCP_ESTABLISHED);
		return 0;
	}
	if (!skb_queue_empty(&live->sk->sk_receive_queue))
		return ckpt_refuse(ctx, -EINVAL,
				   "messages without a connection");
	WRITE_ONCE(live->sk->sk_state, TCP_CLOSE);
	return 0;
}

static int restore_peer_cred(struct ckpt_ctx *ctx, struct sock *sk,
			     const struct ckpt_unix_state *p)
{
	const struct cred *cred = ckpt_obj_ptr(ctx, p->peer_cred);
	struct pid *pid;
	int ret;

	ret = ckpt_unix_get_pid(ctx, p->peer_pid, &pid);
	if (ret)
		return ret;
	if (cred)
		get_cred(cred);
	spin_lock(&sk->sk_peer_lock);
	swap(sk->sk_peer_cred, cred);
	swap(sk->sk_peer_pid, pid);
	spin_unlock(&sk->sk_peer_lock);
	put_cred(cred);
	put_pid(pid);
	return 0;
}

/*
 * Put a connection into the queue, as unix_stream_connect() does: without a
 * struct socket, which accept() gives it.
 */
static int queue_connection(struct ckpt_unix_live *to,
			    struct ckpt_unix_live *embryo)
{
	struct socket *sock = embryo->base.sock;
	struct sock *sk = embryo->sk;
	struct sk_buff *skb;

	skb = sock_wmalloc(sk, 1, 1, GFP_KERNEL);
	if (!skb)
		return -ENOMEM;
	write_lock_bh(&sk->sk_callback_lock);
	RCU_INIT_POINTER(sk->sk_wq, &unix_sk(sk)->peer_wq);
	sk_set_socket(sk, NULL);
	sock->sk = NULL;
	write_unlock_bh(&sk->sk_callback_lock);
	embryo->base.sock = NULL;
	sock_release(sock);

	list_del_init(&embryo->embryo_node);
	sock_put(embryo->listener);
	embryo->listener = NULL;
	skb_queue_tail(&to->sk->sk_receive_queue, skb);
	return 0;
}

static int restore_listening(struct ckpt_ctx *ctx, struct ckpt_unix_live *live,
			     const struct ckpt_unix_state *p)
{
	struct ckpt_unix_live *embryo, *next;
	int ret;

	ret = __sys_listen_socket(live->base.sock, p->backlog);
	if (ret)
		return ckpt_refuse(ctx, ret, "a unix socket cannot listen");
	list_for_each_entry_safe(embryo, next, &live->embryos, embryo_node) {
		if (embryo->sk->sk_state != TCP_ESTABLISHED)
			return ckpt_refuse(ctx, -EINVAL,
					   "a connection that is not connected");
		ret = queue_connection(live, embryo);
		if (ret)
			return ret;
	}
	return 0;
}

static bool is_open_to_others(const struct ckpt_unix *u,
			      const struct ckpt_unix_state *p)
{
	return p->flags & CKPT_UNIX_LISTENING ||
	       (u->sock.type == SOCK_DGRAM && u->flags & CKPT_UNIX_BOUND);
}

static int unix_state_restore(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_unix_state *p = ckpt_payload(rec, struct ckpt_unix_state);
	struct ckpt_unix_live *live = ckpt_obj_ptr(ctx, rec->objref);
	const struct ckpt_unix *u = ckpt_payload(live->rec, struct ckpt_unix);
	struct ckpt_unix_live *peer = ckpt_obj_ptr(ctx, p->peer);
	struct sock *sk = live->sk;
	int ret;

	if (!live->base.sock)
		return ckpt_refuse(ctx, -EINVAL,
				   "the state of a closed unix socket");
	live->stated = true;
	if (u->flags & CKPT_UNIX_DEAD) {
		ret = ckpt_unix_name_restore(ctx, live);
		ckpt_sock_live_close(&live->base);
		return ret;
	}
	ret = peer ? restore_peer(ctx, live, peer) :
		     restore_alone(ctx, live, p);
	if (!ret)
		ret = ckpt_sock_restore(ctx, live->base.sock, &u->sock);
	if (ret)
		return ret;
	if (p->flags & CKPT_UNIX_SS_CONNECTED)
		live->base.sock->state = SS_CONNECTED;
	/*
	 * Others find it from now on. Nobody is let in before nothing can fail:
	 * what they send would be lost with the socket.
	 */
	WRITE_ONCE(sk->sk_shutdown, is_open_to_others(u, p) ?
		   p->shutdown | RCV_SHUTDOWN : p->shutdown);

	ret = ckpt_unix_name_restore(ctx, live);
	if (!ret && p->flags & CKPT_UNIX_LISTENING)
		ret = restore_listening(ctx, live, p);
	return ret ?: restore_peer_cred(ctx, sk, p);
}

static void unix_state_commit(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_unix_state *p = ckpt_payload(rec, struct ckpt_unix_state);
	struct ckpt_unix_live *live = ckpt_obj_ptr(ctx, rec->objref);

	unix_state_lock(live->sk);
	WRITE_ONCE(live->sk->sk_shutdown, p->shutdown);
	unix_state_unlock(live->sk);
}

const struct ckpt_kind ckpt_kind_unix_state = {
	.name		= "unix_state",
	.about		= "who is connected with whom, listening, shutdown, SO_PEERCRED",
	.family		= CKPT_FAMILY_OBJECT,
	.type		= CKPT_REC_UNIX_STATE,
	.phase		= CKPT_PHASE_OBJECT,
	.version	= 1,
	.min_version	= 1,
	CKPT_PAYLOAD(struct ckpt_unix_state),
	.owner		= CKPT_REC_UNIX,
	.single		= true,
	.check		= unix_state_check,
	.restore	= unix_state_restore,
	.commit		= unix_state_commit,
};
