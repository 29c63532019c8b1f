// SPDX-License-Identifier: GPL-2.0
/*
 * TCP: listening, and connections with both ends in the tree.
 *
 * A stream has bytes that the receiver has and did not read, and bytes that did
 * not arrive yet, whether they were sent or not. Both ends are looked at in one
 * moment, so that each byte is of one of the two sorts. A restart connects the
 * ends aside (TCP_REPAIR), gives each of them what it had received, and then
 * lets them speak with each other: the first one writes again what had not
 * arrived, and ends the stream if it had done so. What the protocol keeps for
 * itself (sequence numbers, estimates of the time, windows that have grown)
 * begins anew.
 *
 * An end whose process has closed it can still have to bring away data; it is
 * an object without a description then. When it is gone altogether, what is
 * left is that the other end has received the end of the stream: a restart
 * makes another end, and closes that.
 */

#include <linux/inetdevice.h>
#include <linux/net.h>
#include <linux/random.h>
#include <linux/security.h>
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <linux/socket.h>
#include <net/addrconf.h>
#include <net/inet6_hashtables.h>
#include <net/inet_connection_sock.h>
#include <net/inet_hashtables.h>
#include <net/ip.h>
#include <net/route.h>
#include <net/tcp.h>
#include <net/transp_v6.h>

#include "inet.h"

#define TCP_FLAGS	(CKPT_TCP_FIN | CKPT_TCP_FIN_RECEIVED |		\
			 CKPT_TCP_TIMESTAMPS | CKPT_TCP_SACK | CKPT_TCP_WSCALE)
#define MAX_DATA	SZ_1M
/* The widest window that can be told. */
#define MAX_WINDOW	((u32)U16_MAX << TCP_MAX_WSCALE)
/* Milliseconds that are given to what a restart sends, to arrive. */
#define ARRIVAL_TRIES	100

static bool is_ipv4(const struct sock *sk)
{
#if IS_ENABLED(CONFIG_IPV6)
	return sk->sk_family == AF_INET ||
	       ipv6_addr_v4mapped(&sk->sk_v6_daddr);
#else
	return true;
#endif
}

/* --- saving: what is not supported ---------------------------------------- */

static bool has_keys(struct sock *sk)
{
#ifdef CONFIG_TCP_MD5SIG
	if (rcu_access_pointer(tcp_sk(sk)->md5sig_info))
		return true;
#endif
#ifdef CONFIG_TCP_AO
	if (rcu_access_pointer(tcp_sk(sk)->ao_info))
		return true;
#endif
	return false;
}

static bool is_subflow(struct sock *sk)
{
#if IS_ENABLED(CONFIG_MPTCP)
	return tcp_sk(sk)->is_mptcp;
#else
	return false;
#endif
}

static bool is_watched(struct sock *sk)
{
#ifdef CONFIG_BPF
	return tcp_sk(sk)->bpf_sock_ops_cb_flags;
#else
	return false;
#endif
}

static bool has_fastopen(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (READ_ONCE(tp->fastopen_req) ||
	    rcu_access_pointer(tp->fastopen_rsk))
		return true;
	return BIT(READ_ONCE(sk->sk_state)) & (TCPF_CLOSE | TCPF_LISTEN) &&
	       rcu_access_pointer(inet_csk(sk)->icsk_accept_queue.fastopenq.ctx);
}

static int collect_state(struct ckpt_ctx *ctx, struct sock *sk)
{
	u32 state = BIT(READ_ONCE(sk->sk_state));

	if (state & (TCPF_LISTEN | CKPT_TCPF_CONNECTED))
		return 0;
	if (!(state & TCPF_CLOSE))
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "a connection that is being made (state %u) is not supported, try again when it is there",
				   READ_ONCE(sk->sk_state));
	if (!skb_queue_empty_lockless(&sk->sk_receive_queue))
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "data that were not read of a connection that has ended are not supported");
	return 0;
}

/**
 * ckpt_tcp_collect() - find what cannot be saved of a TCP socket by itself
 * @ctx: the checkpoint
 * @sk: the socket
 *
 * Return: 0, or the last -errno, noted as reasons.
 */
int ckpt_tcp_collect(struct ckpt_ctx *ctx, struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	int ret;

	ret = collect_state(ctx, sk);
	if (READ_ONCE(inet_csk(sk)->icsk_ulp_ops))
		ret = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "TLS in the kernel and other protocols on TCP (TCP_ULP) are not supported");
	if (is_subflow(sk))
		ret = ckpt_refuse(ctx, -EOPNOTSUPP, "MPTCP is not supported");
	if (has_keys(sk))
		ret = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "keys of TCP (TCP_MD5SIG, TCP_AO) are not supported");
	if (is_watched(sk))
		ret = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "is watched by a BPF program");
	if (has_fastopen(sk))
		ret = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "TCP fast open under way, or with a key of its own, is not supported");
	if (READ_ONCE(tp->urg_data) ||
	    (ckpt_inet_is_connected(sk) && tp->snd_una != tp->snd_up))
		ret = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "urgent data (MSG_OOB) are not supported");
	if (tp->repair)
		ret = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "is being repaired (TCP_REPAIR)");
	if (READ_ONCE(tp->saved_syn))
		ret = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "a SYN that was saved (TCP_SAVED_SYN) is not supported");
	if (READ_ONCE(sk->sk_tsflags) & SOF_TIMESTAMPING_OPT_ID)
		ret = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "time stamps with numbers (SOF_TIMESTAMPING_OPT_ID) are not supported");
	if (!xa_empty(&sk->sk_user_frags))
		ret = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "memory of devices in a socket is not supported");
	return ret;
}

/* --- saving: who is at the other end -------------------------------------- */

/*
 * The device from which what this one sends to the machine itself comes, as
 * inet_iif() and tcp_v6_iif() tell it: not the one that carries it but the one
 * that has the address, and that is the one to which the sender is bound. A
 * receiver can be bound to it, too. Context: RCU.
 */
static int arrival_ifindex(const struct sock *sk)
{
	struct net *net = sock_net(sk);
	int bound = READ_ONCE(sk->sk_bound_dev_if);
	struct net_device *dev;

	if (bound)
		return bound;
#if IS_ENABLED(CONFIG_IPV6)
	if (!is_ipv4(sk))
		dev = ipv6_dev_find(net, &sk->sk_v6_daddr, NULL);
	else
#endif
		dev = __ip_dev_find(net, inet_sk(sk)->inet_daddr, false);
	return dev ? dev->ifindex : LOOPBACK_IFINDEX;
}

/* The socket that gets what this one sends, held, if it is on this machine. */
static struct sock *find_peer(struct sock *sk)
{
	const struct inet_sock *inet = inet_sk(sk);
	struct net *net = sock_net(sk);
	struct inet_hashinfo *hashinfo = net->ipv4.tcp_death_row.hashinfo;
	u16 port = ntohs(inet->inet_dport);
	struct sock *peer;
	int dif;

	rcu_read_lock();
	dif = arrival_ifindex(sk);
#if IS_ENABLED(CONFIG_IPV6)
	if (!is_ipv4(sk))
		peer = __inet6_lookup_established(net, hashinfo,
						  &sk->sk_v6_rcv_saddr,
						  inet->inet_sport,
						  &sk->sk_v6_daddr, port, dif,
						  0);
	else
#endif
		peer = __inet_lookup_established(net, hashinfo,
						 inet->inet_rcv_saddr,
						 inet->inet_sport,
						 inet->inet_daddr, port, dif,
						 0);
	rcu_read_unlock();
	if (peer && !sk_fullsock(peer)) {
		sock_gen_put(peer);
		return NULL;
	}
	return peer;
}

static bool is_local(struct sock *sk)
{
#if IS_ENABLED(CONFIG_IPV6)
	if (!is_ipv4(sk))
		return ipv6_chk_addr(sock_net(sk), &sk->sk_v6_daddr, NULL, 0);
#endif
	return inet_addr_type(sock_net(sk), inet_sk(sk)->inet_daddr) ==
	       RTN_LOCAL;
}

static bool has_received_fin(const struct sock *sk)
{
	return BIT(READ_ONCE(sk->sk_state)) &
	       (TCPF_CLOSE_WAIT | TCPF_CLOSING | TCPF_LAST_ACK);
}

/* A connection with others: refused, or to be reset if the caller wants that. */
static int refuse_peer(struct ckpt_ctx *ctx, struct sock *sk, int error,
		       const char *why)
{
	int port = ntohs(inet_sk(sk)->inet_dport);

	if (ctx->flags & CHECKPOINT_TCP_RESET && !ckpt_inet_is_embryo(sk)) {
		ckpt_obj_find(ctx, sk)->flags |= CKPT_OBJ_RESET;
		return 0;
	}
#if IS_ENABLED(CONFIG_IPV6)
	if (!is_ipv4(sk))
		return ckpt_refuse(ctx, error, "%s ([%pI6c]:%d)", why,
				   &sk->sk_v6_daddr, port);
#endif
	return ckpt_refuse(ctx, error, "%s (%pI4:%d)", why,
			   &inet_sk(sk)->inet_daddr, port);
}

/*
 * Both ends have to be in the tree, or the other one has to be closed. @named
 * is the socket of which a reason can tell the descriptor.
 */
static int collect_peer(struct ckpt_ctx *ctx, struct sock *sk,
			struct sock *named)
{
	struct sock *peer = find_peer(sk);
	int ret = 0;

	if (peer && peer != sk && ckpt_obj_find(ctx, peer))
		goto out;
	ckpt_sock_where(ctx, named);
	if (peer == sk)
		ret = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "a socket that is connected with itself is not supported");
	else if (peer && ckpt_inet_is_dead(peer))
		ret = ckpt_collect(ctx, &ckpt_kind_inet, peer);
	else if (peer && ckpt_inet_is_embryo(peer))
		ret = refuse_peer(ctx, sk, -EBUSY,
				  "waits to be accepted by a process outside");
	else if (peer)
		ret = refuse_peer(ctx, sk, -EBUSY,
				  "the other end of the connection is held by a process outside");
	else if (!is_local(sk))
		ret = refuse_peer(ctx, sk, -EOPNOTSUPP,
				  "a connection to another machine is not supported, but CHECKPOINT_TCP_RESET (--tcp-close) resets it at the restart");
	else if (!has_received_fin(sk))
		ret = refuse_peer(ctx, sk, -EOPNOTSUPP,
				  "the other end of the connection cannot be found on this machine");
out:
	if (peer)
		sock_put(peer);
	return ret;
}

/*
 * The connections that wait to be accepted, in order and held. Return: how
 * many, or -ENOMEM.
 */
static int get_embryos(struct sock *sk, struct sock ***embryos)
{
	struct request_sock_queue *queue = &inet_csk(sk)->icsk_accept_queue;
	struct request_sock *req;
	int nr, i = 0;

	nr = READ_ONCE(sk->sk_ack_backlog);
	*embryos = kvmalloc_array(nr + 1, sizeof(**embryos), GFP_KERNEL);
	if (!*embryos)
		return -ENOMEM;
	spin_lock_bh(&queue->rskq_lock);
	for (req = queue->rskq_accept_head; req && i < nr; req = req->dl_next) {
		if (!req->sk)
			continue;
		sock_hold(req->sk);
		(*embryos)[i++] = req->sk;
	}
	spin_unlock_bh(&queue->rskq_lock);
	return i;
}

static void put_embryos(struct sock **embryos, int nr)
{
	while (nr > 0)
		sock_put(embryos[--nr]);
	kvfree(embryos);
}

/* As if those had been reset before they were accepted. */
static bool is_left_out(struct ckpt_ctx *ctx, struct sock *embryo)
{
	struct sock *peer;
	bool inside;

	if (!(ctx->flags & CHECKPOINT_TCP_RESET))
		return false;
	peer = find_peer(embryo);
	inside = peer ? ckpt_inet_is_dead(peer) || ckpt_obj_find(ctx, peer) :
			is_local(embryo) && has_received_fin(embryo);
	if (peer)
		sock_put(peer);
	return !inside;
}

/*
 * Was reset before it was accepted, and nothing is in it. To accept it tells no
 * more than that.
 */
static bool is_stillborn(struct sock *embryo)
{
	return READ_ONCE(embryo->sk_state) == TCP_CLOSE &&
	       skb_queue_empty_lockless(&embryo->sk_receive_queue);
}

static int collect_embryos(struct ckpt_ctx *ctx, struct sock *sk)
{
	struct sock **embryos;
	int i, nr, ret = 0, err;

	nr = get_embryos(sk, &embryos);
	if (nr < 0)
		return nr;
	if (nr)
		ckpt_sock_where(ctx, sk);
	for (i = 0; i < nr; i++) {
		if (is_stillborn(embryos[i]) || is_left_out(ctx, embryos[i]))
			continue;
		err = ckpt_collect(ctx, &ckpt_kind_inet, embryos[i]);
		ret = ret ?: err;
	}
	put_embryos(embryos, nr);
	return ret;
}

static int collect_embryo_peers(struct ckpt_ctx *ctx, struct sock *sk)
{
	struct sock **embryos;
	int i, nr, ret = 0, err;

	nr = get_embryos(sk, &embryos);
	if (nr < 0)
		return nr;
	for (i = 0; i < nr; i++) {
		if (!ckpt_obj_find(ctx, embryos[i]) ||
		    !ckpt_inet_is_connected(embryos[i]))
			continue;
		err = collect_peer(ctx, embryos[i], sk);
		ret = ret ?: err;
	}
	put_embryos(embryos, nr);
	return ret;
}

/**
 * ckpt_inet_collect() - collect what is between internet sockets
 * @ctx: the checkpoint, after all tasks were collected
 *
 * Connections that wait to be accepted, then who is at the other ends.
 *
 * Return: 0, or the first -errno, noted as reasons.
 */
int ckpt_inet_collect(struct ckpt_ctx *ctx)
{
	const struct ckpt_where where = ctx->where;
	struct ckpt_obj *obj;
	int ret = 0, err = 0;

	/* The list grows at its end meanwhile. */
	list_for_each_entry(obj, &ctx->objs, node) {
		if (obj->kind != &ckpt_kind_inet ||
		    !ckpt_inet_is_listening(obj->ptr))
			continue;
		ctx->where.task = obj->task;
		err = collect_embryos(ctx, obj->ptr);
		ret = ret ?: err;
	}
	list_for_each_entry(obj, &ctx->objs, node) {
		struct sock *sk = obj->ptr;

		if (obj->kind != &ckpt_kind_inet)
			continue;
		ctx->where.task = obj->task;
		if (ckpt_inet_is_listening(sk))
			err = collect_embryo_peers(ctx, sk);
		else if (ckpt_inet_is_connected(sk) &&
			 !ckpt_inet_is_embryo(sk))
			err = collect_peer(ctx, sk, sk);
		else
			continue;
		ret = ret ?: err;
	}
	ctx->where = where;
	return ret;
}

/* --- saving: a connection ------------------------------------------------- */

/* One end, as it was at one moment. */
struct tcp_end {
	struct ckpt_obj *obj;
	struct sock *sk;
	struct ckpt_tcp rec;
	u8 *data[2];		/* CKPT_INET_RECEIVED, CKPT_INET_UNSENT */
	size_t len[2];
};

/*
 * The tree stands still, but its connections do not: who was closed is gone when
 * the last of what it had to say has been acknowledged. Then we look again.
 */
#define MAX_LOOKS	10

static int changed(struct ckpt_ctx *ctx)
{
	return ckpt_refuse(ctx, -EAGAIN,
			   "a connection has ended during the checkpoint, try again");
}

/* The bytes of an skb of the stream from @from on. */
static int copy_skb(const struct sk_buff *skb, u32 from, u8 *to, size_t *len)
{
	u32 seq = TCP_SKB_CB(skb)->seq;
	int skip = after(from, seq) ? from - seq : 0;

	if (skip >= skb->len)
		return 0;
	if (to && skb_copy_bits(skb, skip, to + *len, skb->len - skip))
		return -EFAULT;
	*len += skb->len - skip;
	return 0;
}

static int copy_received(const struct tcp_end *end, u8 *to, size_t *len)
{
	struct sk_buff *skb;
	int ret = 0;

	*len = 0;
	skb_queue_walk(&end->sk->sk_receive_queue, skb) {
		ret = copy_skb(skb, tcp_sk(end->sk)->copied_seq, to, len);
		if (ret)
			break;
	}
	return ret;
}

static int copy_unsent(const struct tcp_end *end, u32 from, u8 *to, size_t *len)
{
	struct sk_buff *skb;
	int ret = 0;

	*len = 0;
	for (skb = skb_rb_first(&end->sk->tcp_rtx_queue); skb && !ret;
	     skb = skb_rb_next(skb))
		ret = copy_skb(skb, from, to, len);
	skb_queue_walk(&end->sk->sk_write_queue, skb) {
		if (ret)
			break;
		ret = copy_skb(skb, from, to, len);
	}
	return ret;
}

static bool is_zerocopy(const struct tcp_end *end)
{
	struct sk_buff *skb;

	for (skb = skb_rb_first(&end->sk->tcp_rtx_queue); skb;
	     skb = skb_rb_next(skb))
		if (skb_zcopy(skb))
			return true;
	skb_queue_walk(&end->sk->sk_write_queue, skb)
		if (skb_zcopy(skb))
			return true;
	return false;
}

static void fill_rec(struct tcp_end *end)
{
	const struct tcp_sock *tp = tcp_sk(end->sk);

	if (BIT(end->sk->sk_state) & (TCPF_FIN_WAIT1 | TCPF_FIN_WAIT2 |
				      TCPF_CLOSING | TCPF_LAST_ACK))
		end->rec.flags |= CKPT_TCP_FIN;
	if (tp->rx_opt.tstamp_ok)
		end->rec.flags |= CKPT_TCP_TIMESTAMPS;
	if (tcp_is_sack(tp))
		end->rec.flags |= CKPT_TCP_SACK;
	if (tp->rx_opt.wscale_ok) {
		end->rec.flags |= CKPT_TCP_WSCALE;
		end->rec.snd_wscale = tp->rx_opt.snd_wscale;
		end->rec.rcv_wscale = tp->rx_opt.rcv_wscale;
	}
	end->rec.mss = tp->rx_opt.mss_clamp;
	end->rec.window = tcp_receive_window(tp);
}

/*
 * Sockets locked. @peer is NULL when it is gone. Return: 0, 1: the connection is
 * none any more; or -errno.
 */
static int read_end(struct ckpt_ctx *ctx, struct tcp_end *end,
		    const struct tcp_end *peer)
{
	u32 arrived = peer ? tcp_sk(peer->sk)->rcv_nxt : 0;
	int ret;

	if (!ckpt_inet_is_connected(end->sk))
		return 1;
	if (peer && is_zerocopy(end))
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "data that are sent with MSG_ZEROCOPY are not supported");
	fill_rec(end);
	ret = copy_received(end, NULL, &end->len[CKPT_INET_RECEIVED]);
	if (!ret && peer)
		ret = copy_unsent(end, arrived, NULL,
				  &end->len[CKPT_INET_UNSENT]);
	if (ret)
		return ret;
	end->data[CKPT_INET_RECEIVED] =
		kvmalloc(end->len[CKPT_INET_RECEIVED] + 1, GFP_KERNEL_ACCOUNT);
	end->data[CKPT_INET_UNSENT] =
		kvmalloc(end->len[CKPT_INET_UNSENT] + 1, GFP_KERNEL_ACCOUNT);
	if (!end->data[CKPT_INET_RECEIVED] || !end->data[CKPT_INET_UNSENT])
		return -ENOMEM;
	ret = copy_received(end, end->data[CKPT_INET_RECEIVED],
			    &end->len[CKPT_INET_RECEIVED]);
	if (!ret && peer)
		ret = copy_unsent(end, arrived, end->data[CKPT_INET_UNSENT],
				  &end->len[CKPT_INET_UNSENT]);
	if (ret)
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "data in a connection that cannot be read");
	return 0;
}

/* Both ends at one moment: with their locks nothing arrives. */
static int read_both(struct ckpt_ctx *ctx, struct tcp_end *a, struct tcp_end *b)
{
	struct sock *first = min(a->sk, b->sk), *second = max(a->sk, b->sk);
	int ret;

	lock_sock(first);
	lock_sock_nested(second, SINGLE_DEPTH_NESTING);
	ret = read_end(ctx, a, b);
	if (!ret)
		ret = read_end(ctx, b, a);
	release_sock(second);
	release_sock(first);
	return ret;
}

static int read_alone(struct ckpt_ctx *ctx, struct tcp_end *end)
{
	int ret;

	lock_sock(end->sk);
	ret = read_end(ctx, end, NULL);
	if (!ret && !has_received_fin(end->sk))
		ret = 1;
	release_sock(end->sk);
	end->rec.flags |= CKPT_TCP_FIN_RECEIVED;
	return ret;
}

static int write_end(struct ckpt_ctx *ctx, struct tcp_end *end)
{
	struct ckpt_inet_data rec = {};
	size_t at, len;
	int ret;

	for (rec.queue = 0; rec.queue < ARRAY_SIZE(end->len); rec.queue++) {
		for (at = 0; at < end->len[rec.queue]; at += len) {
			len = min_t(size_t, end->len[rec.queue] - at, MAX_DATA);
			ret = ckpt_write_tail(ctx, &ckpt_kind_inet_data,
					      end->obj->ref, &rec, sizeof(rec),
					      end->data[rec.queue] + at, len);
			if (ret)
				return ret;
		}
	}
	end->obj->flags |= CKPT_OBJ_CONN_SAVED;
	return ckpt_write(ctx, &ckpt_kind_tcp, end->obj->ref, &end->rec,
			  sizeof(end->rec));
}

static void free_end(struct tcp_end *end)
{
	kvfree(end->data[CKPT_INET_RECEIVED]);
	kvfree(end->data[CKPT_INET_UNSENT]);
}

/*
 * Writes both ends when both are there. @listener is to accept @obj, which is
 * the one that did not ask for the connection; 0: it was accepted.
 *
 * Return: 0, 1: it has changed since @obj was looked at; or -errno.
 */
static int save_connection(struct ckpt_ctx *ctx, struct ckpt_obj *obj,
			   ckpt_ref_t listener)
{
	struct tcp_end b = {}, a = {
		.obj = obj, .sk = obj->ptr, .rec.listener = listener,
	};
	struct sock *peer;
	int ret;

	peer = find_peer(a.sk);
	b.obj = peer ? ckpt_obj_find(ctx, peer) : NULL;
	if (b.obj) {
		b.sk = peer;
		b.rec.peer = obj->ref;
		a.rec.peer = b.obj->ref;
		ret = read_both(ctx, &a, &b);
	} else {
		ret = peer ? 1 : read_alone(ctx, &a);
	}
	if (!ret)
		ret = write_end(ctx, &a);
	if (!ret && b.obj)
		ret = write_end(ctx, &b);
	free_end(&a);
	free_end(&b);
	if (peer)
		sock_put(peer);
	return ret;
}

static int save_embryo(struct ckpt_ctx *ctx, struct ckpt_obj *obj,
		       ckpt_ref_t listener)
{
	int looks, ret;

	for (looks = 0; looks < MAX_LOOKS; looks++) {
		ret = save_connection(ctx, obj, listener);
		if (ret <= 0)
			return ret;
	}
	return changed(ctx);
}

static int save_embryos(struct ckpt_ctx *ctx, struct ckpt_obj *listener)
{
	struct sock **embryos;
	struct ckpt_obj *obj;
	int i, nr, ret = 0;

	nr = get_embryos(listener->ptr, &embryos);
	if (nr < 0)
		return nr;
	for (i = 0; i < nr && !ret; i++) {
		/* What came later is not a part of this moment. */
		obj = ckpt_obj_find(ctx, embryos[i]);
		if (obj && !(obj->flags & CKPT_OBJ_CONN_SAVED))
			ret = save_embryo(ctx, obj, listener->ref);
	}
	put_embryos(embryos, nr);
	return ret;
}

/* The order in which a restart needs it: those who listen need a free port. */
enum tcp_pass {
	PASS_LISTENING,
	PASS_EMBRYOS,
	PASS_CONNECTIONS,
	NR_PASSES
};

static int save_pass(struct ckpt_ctx *ctx, struct ckpt_obj *obj,
		     enum tcp_pass pass)
{
	static const struct ckpt_tcp none;
	bool listening = ckpt_inet_is_listening(obj->ptr);
	int looks, ret;

	switch (pass) {
	case PASS_LISTENING:
		return listening ? ckpt_write(ctx, &ckpt_kind_tcp, obj->ref,
					      &none, sizeof(none)) : 0;
	case PASS_EMBRYOS:
		return listening ? save_embryos(ctx, obj) : 0;
	default:
		break;
	}
	for (looks = 0; looks < MAX_LOOKS; looks++) {
		if (!(obj->flags & CKPT_OBJ_CONNECTED) ||
		    obj->flags & CKPT_OBJ_CONN_SAVED)
			return 0;
		/* Its listener was closed: a process was killed. */
		if (ckpt_inet_is_embryo(obj->ptr))
			return changed(ctx);
		/* One that was closed may have brought away its data. */
		if (!ckpt_inet_is_connected(obj->ptr))
			return ckpt_inet_is_dead(obj->ptr) ? 0 : changed(ctx);
		ret = save_connection(ctx, obj, 0);
		if (ret <= 0)
			return ret;
	}
	return changed(ctx);
}

/**
 * ckpt_inet_save() - write the records of all connections
 * @ctx: the checkpoint, after the records of all objects
 *
 * Return: 0 or -errno.
 */
int ckpt_inet_save(struct ckpt_ctx *ctx)
{
	const struct ckpt_where where = ctx->where;
	struct ckpt_obj *obj;
	int pass, ret = 0;

	for (pass = 0; !ret && pass < NR_PASSES; pass++) {
		list_for_each_entry(obj, &ctx->objs, node) {
			if (obj->kind != &ckpt_kind_inet)
				continue;
			ctx->where.kind = ckpt_kind_tcp.name;
			ctx->where.task = obj->task;
			ret = save_pass(ctx, obj, pass);
			if (ret)
				break;
		}
	}
	ctx->where = where;
	return ret;
}

/**
 * ckpt_tcp_silence() - close a connection without a word, when it is closed
 * @sk: one of its ends, or any other internet socket
 */
void ckpt_tcp_silence(struct sock *sk)
{
	if (!sk || !ckpt_inet_is_tcp(sk))
		return;
	lock_sock(sk);
	if (sk->sk_state != TCP_LISTEN)
		tcp_sk(sk)->repair = 1;
	release_sock(sk);
}

/**
 * ckpt_inet_kill() - the tree will be killed: its connections go with it
 * @ctx: the checkpoint, which has succeeded; the tasks stand still
 *
 * Both ends are in the image. If they said goodbye to each other, a restart
 * could find the rest of that at their addresses.
 */
void ckpt_inet_kill(struct ckpt_ctx *ctx)
{
	struct ckpt_obj *obj;

	list_for_each_entry(obj, &ctx->objs, node)
		if (obj->kind == &ckpt_kind_inet &&
		    !(obj->flags & CKPT_OBJ_RESET))
			ckpt_tcp_silence(obj->ptr);
	/* Nobody will close those. */
	list_for_each_entry(obj, &ctx->objs, node)
		if (obj->kind == &ckpt_kind_inet &&
		    ckpt_inet_is_dead(obj->ptr))
			tcp_abort(obj->ptr, ECONNABORTED);
}

/* --- restarting: records -------------------------------------------------- */

static int inet_data_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_inet_data *p = ckpt_payload(rec, struct ckpt_inet_data);
	const struct ckpt_inet *inet = ckpt_inet_of(ctx, rec->objref);

	if (!inet || inet->sock.type != SOCK_STREAM ||
	    inet->state != CKPT_INET_CONNECTED || p->pad ||
	    p->queue > CKPT_INET_UNSENT || !ckpt_tail_len(rec, sizeof(*p)))
		return ckpt_refuse(ctx, -EINVAL, "bad data of a connection");
	/* accept() looks at memory for received data only, to charge for it. */
	if (inet->flags & CKPT_INET_EMBRYO && p->queue == CKPT_INET_UNSENT)
		return ckpt_refuse(ctx, -EINVAL,
				   "data of a connection that was not accepted");
	return 0;
}

/* The record of the connection, behind it, takes it from here. */
static int inet_data_restore(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	const struct ckpt_inet_live *live = ckpt_obj_ptr(ctx, rec->objref);

	if (live->tcp)
		return ckpt_refuse(ctx, -EINVAL,
				   "data behind the state of a connection");
	return 0;
}

const struct ckpt_kind ckpt_kind_inet_data = {
	.name		= "inet_data",
	.about		= "data in TCP connections, received or not",
	.family		= CKPT_FAMILY_OBJECT,
	.type		= CKPT_REC_INET_DATA,
	.phase		= CKPT_PHASE_OBJECT,
	.version	= 1,
	.min_version	= 1,
	CKPT_PAYLOAD_TAIL(struct ckpt_inet_data, MAX_DATA),
	.owner		= CKPT_REC_INET,
	.check		= inet_data_check,
	.restore	= inet_data_restore,
};

static bool numbers_valid(const struct ckpt_tcp *p)
{
	bool scaled = p->flags & CKPT_TCP_WSCALE;

	return p->mss >= TCP_MIN_MSS && p->mss <= U16_MAX &&
	       p->snd_wscale <= (scaled ? TCP_MAX_WSCALE : 0) &&
	       p->rcv_wscale <= (scaled ? TCP_MAX_WSCALE : 0) &&
	       p->window <= MAX_WINDOW;
}

/* Who has none knows why. */
static bool peer_valid(struct ckpt_ctx *ctx, const struct ckpt_inet *inet,
		       const struct ckpt_tcp *p)
{
	const struct ckpt_inet *peer = ckpt_inet_of(ctx, p->peer);
	bool alone = p->flags & CKPT_TCP_FIN_RECEIVED;

	if (!p->peer)
		return alone && !(inet->flags & CKPT_INET_DEAD);
	/* One has asked the other one. */
	if (peer && inet->flags & peer->flags & CKPT_INET_EMBRYO)
		return false;
	return !alone && peer && peer != inet &&
	       peer->sock.type == SOCK_STREAM &&
	       peer->state == CKPT_INET_CONNECTED;
}

static bool listener_valid(struct ckpt_ctx *ctx, const struct ckpt_inet *inet,
			   const struct ckpt_tcp *p)
{
	const struct ckpt_inet *listener = ckpt_inet_of(ctx, p->listener);

	if (!(inet->flags & CKPT_INET_EMBRYO))
		return !p->listener;
	return listener && listener->state == CKPT_INET_LISTENING &&
	       listener->family == inet->family &&
	       !(p->flags & CKPT_TCP_FIN);
}

static int tcp_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_tcp *p = ckpt_payload(rec, struct ckpt_tcp);
	const struct ckpt_inet *inet = ckpt_inet_of(ctx, rec->objref);

	if (!inet || inet->sock.type != SOCK_STREAM || p->pad ||
	    p->flags & ~TCP_FLAGS)
		return ckpt_refuse(ctx, -EINVAL, "bad state of a connection");
	if (inet->state == CKPT_INET_LISTENING) {
		if (memchr_inv(p, 0, sizeof(*p)))
			return ckpt_refuse(ctx, -EINVAL,
					   "a socket that listens and is connected");
		return 0;
	}
	if (inet->state != CKPT_INET_CONNECTED || !numbers_valid(p))
		return ckpt_refuse(ctx, -EINVAL, "bad state of a connection");
	if (!peer_valid(ctx, inet, p))
		return ckpt_refuse(ctx, -EINVAL,
				   "bad other end of a connection");
	if (!listener_valid(ctx, inet, p))
		return ckpt_refuse(ctx, -EINVAL,
				   "a connection that nobody can accept");
	return 0;
}

/* --- restarting: one end -------------------------------------------------- */

/**
 * struct side - an end of a connection that is made
 * @live: the socket that was saved; NULL: one that is there for its FIN only
 * @sock: the socket
 * @inet: its record: names
 * @tcp: the record of the connection
 * @seq: number of the first byte that it will send
 */
struct side {
	struct ckpt_inet_live *live;
	struct socket *sock;
	const struct ckpt_inet *inet;
	const struct ckpt_tcp *tcp;
	u32 seq;
};

static int set_tcp(struct socket *sock, int option, const void *value,
		   size_t len)
{
	return do_sock_setsockopt(sock, false, SOL_TCP, option,
				  KERNEL_SOCKPTR((void *)value), len);
}

static int set_tcp_number(struct socket *sock, int option, int value)
{
	return set_tcp(sock, option, &value, sizeof(value));
}

static int set_seq(struct socket *sock, int queue, u32 seq)
{
	int ret;

	ret = set_tcp_number(sock, TCP_REPAIR_QUEUE, queue);
	return ret ?: set_tcp_number(sock, TCP_QUEUE_SEQ, seq);
}

static int set_tcp_options(struct socket *sock, const struct ckpt_tcp *p)
{
	struct tcp_repair_opt opts[4];
	int nr = 0;

	opts[nr++] = (struct tcp_repair_opt) { TCPOPT_MSS, p->mss };
	if (p->flags & CKPT_TCP_WSCALE)
		opts[nr++] = (struct tcp_repair_opt) {
			TCPOPT_WINDOW, p->snd_wscale | p->rcv_wscale << 16 };
	if (p->flags & CKPT_TCP_SACK)
		opts[nr++] = (struct tcp_repair_opt) { TCPOPT_SACK_PERM, 0 };
	if (p->flags & CKPT_TCP_TIMESTAMPS)
		opts[nr++] = (struct tcp_repair_opt) { TCPOPT_TIMESTAMP, 0 };
	return set_tcp(sock, TCP_REPAIR_OPTIONS, opts, nr * sizeof(opts[0]));
}

/*
 * What comes of options with an answer to the SYN, as in
 * tcp_rcv_synsent_state_process(). Here none came, and what would be asked for
 * now may be something else.
 */
static void apply_tcp_options(struct sock *sk, const struct ckpt_tcp *p)
{
	struct tcp_sock *tp = tcp_sk(sk);

	lock_sock(sk);
	tp->tcp_header_len = sizeof(struct tcphdr);
	if (p->flags & CKPT_TCP_TIMESTAMPS)
		tp->tcp_header_len += TCPOLEN_TSTAMP_ALIGNED;
	if (!(p->flags & CKPT_TCP_WSCALE)) {
		tp->rx_opt.rcv_wscale = 0;
		WRITE_ONCE(tp->window_clamp, min(tp->window_clamp, U16_MAX));
	}
	/* Was predicted before all of that. */
	tp->pred_flags = 0;
	release_sock(sk);
}

/* Return: the next record of data for this queue behind @rec, or NULL. */
static struct ckpt_rec *next_data(struct ckpt_ctx *ctx, const struct side *side,
				  u32 queue, struct ckpt_rec *rec)
{
	struct ckpt_obj *obj;

	if (!side->live)
		return NULL;
	obj = ckpt_obj_get(ctx, side->live->rec->objref);
	if (!rec)
		rec = list_entry(&obj->recs, struct ckpt_rec, own);
	list_for_each_entry_continue(rec, &obj->recs, own)
		if (rec->kind == &ckpt_kind_inet_data &&
		    ckpt_payload(rec, struct ckpt_inet_data)->queue == queue)
			return rec;
	return NULL;
}

static u32 data_len(const struct ckpt_rec *rec)
{
	return ckpt_tail_len(rec, sizeof(struct ckpt_inet_data));
}

static u32 nr_received(struct ckpt_ctx *ctx, const struct side *side)
{
	struct ckpt_rec *rec = NULL;
	u32 nr = 0;

	while ((rec = next_data(ctx, side, CKPT_INET_RECEIVED, rec)))
		nr += data_len(rec);
	return nr;
}

/* Connects it with nobody asking or answering; the other side does the same. */
static int connect_side(struct ckpt_ctx *ctx, struct side *side, u32 rcv_seq)
{
	struct socket *sock = side->sock;
	int ret;

	ret = set_tcp_number(sock, TCP_REPAIR, TCP_REPAIR_ON);
	if (ret == -EPERM)
		return ckpt_refuse(ctx, ret,
				   "to restore a TCP connection needs CAP_NET_ADMIN in the network namespace");
	if (ret)
		return ckpt_refuse(ctx, ret,
				   "a TCP connection cannot be repaired");
	ret = ckpt_inet_bind(ctx, sock, side->inet, &side->inet->local);
	if (ret)
		return ret;
	ret = set_seq(sock, TCP_SEND_QUEUE, side->seq);
	if (!ret)
		ret = set_seq(sock, TCP_RECV_QUEUE, rcv_seq);
	if (!ret)
		ret = ckpt_inet_connect(sock, side->inet->family,
					&side->inet->remote);
	if (ret == -EADDRNOTAVAIL)
		return ckpt_refuse(ctx, -EADDRINUSE,
				   "the connection between ports %u and %u is still there: its processes run, or have ended a moment ago",
				   side->inet->local.port,
				   side->inet->remote.port);
	if (!ret)
		ret = set_tcp_options(sock, side->tcp);
	if (ret)
		return ckpt_refuse(ctx, ret,
				   "cannot connect the ports %u and %u",
				   side->inet->local.port,
				   side->inet->remote.port);
	apply_tcp_options(sock->sk, side->tcp);
	ckpt_inet_set_locks(sock->sk, side->inet->flags);
	return 0;
}

static int send_data(struct socket *sock, const struct ckpt_rec *rec)
{
	const struct ckpt_inet_data *p = (const void *)rec->payload;
	struct msghdr msg;
	struct kvec vec;
	u32 at = 0;
	int ret;

	while (at < data_len(rec)) {
		vec.iov_base = (void *)p->data + at;
		vec.iov_len = data_len(rec) - at;
		msg = (struct msghdr) {
			.msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL,
		};
		ret = kernel_sendmsg(sock, &msg, &vec, 1, vec.iov_len);
		if (ret <= 0)
			return ret ?: -ENOMEM;
		at += ret;
	}
	return 0;
}

/* However much it is: that was in the socket before. */
static int send_queue(struct ckpt_ctx *ctx, struct side *side, u32 queue)
{
	struct ckpt_rec *rec = NULL;
	struct sock *sk = side->sock->sk;
	struct tcp_sock *tp = tcp_sk(sk);
	int *buf = queue == CKPT_INET_RECEIVED ? &sk->sk_rcvbuf :
						 &sk->sk_sndbuf;
	u32 lowat = READ_ONCE(tp->notsent_lowat);
	int old = *buf, ret = 0;

	WRITE_ONCE(*buf, INT_MAX / 2);
	WRITE_ONCE(tp->notsent_lowat, U32_MAX);
	while (!ret && (rec = next_data(ctx, side, queue, rec)))
		ret = send_data(side->sock, rec);
	WRITE_ONCE(tp->notsent_lowat, lowat);
	WRITE_ONCE(*buf, old);
	if (ret)
		return ckpt_refuse(ctx, ret,
				   "cannot put the data into a connection");
	return 0;
}

/* Each knows how much the other one wants. */
static int set_window(struct ckpt_ctx *ctx, const struct side *side,
		      const struct side *peer)
{
	struct sock *sk = side->sock->sk;
	const struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_repair_window window = {
		.snd_wl1 = tp->rcv_nxt,
		.snd_wnd = peer->tcp->window,
		.max_window = max_t(u32, peer->tcp->window, U16_MAX),
		.rcv_wnd = side->tcp->window,
		.rcv_wup = tp->rcv_nxt,
	};
	int ret;

	ret = set_tcp(side->sock, TCP_REPAIR_WINDOW, &window, sizeof(window));
	if (!ret)
		ret = set_tcp_number(side->sock, TCP_REPAIR,
				     TCP_REPAIR_OFF_NO_WP);
	if (ret)
		return ckpt_refuse(ctx, ret,
				   "cannot set the window of a connection");
	lock_sock(sk);
	/* Repair leaves none, or any. */
	sk->sk_reuse = side->inet->sock.flags & CKPT_SOCK_REUSEADDR ?
		SK_CAN_REUSE : SK_NO_REUSE;
	/* So far it is that of somebody who said nothing about it. */
	tcp_sync_mss(sk, inet_csk(sk)->icsk_pmtu_cookie);
	release_sock(sk);
	return 0;
}

/* What was sent arrives at once but when the machine has too much to do. */
static void wait_for_arrival(const struct side *from, const struct side *to)
{
	unsigned int tries = ARRIVAL_TRIES;

	while (READ_ONCE(tcp_sk(from->sock->sk)->snd_nxt) !=
	       READ_ONCE(tcp_sk(to->sock->sk)->rcv_nxt) && tries-- &&
	       !fatal_signal_pending(current))
		fsleep(USEC_PER_MSEC);
}

/*
 * Put a connection into the queue of the one that listens, as the end of the
 * handshake does: without a struct socket, which accept() gives it.
 */
static int queue_embryo(struct ckpt_inet_live *live,
			struct ckpt_inet_live *listener)
{
	struct socket *sock = live->base.sock;
	struct sock *sk = live->sk;
	struct request_sock *req;
	int pages;

	req = inet_reqsk_alloc(sk->sk_prot->rsk_prot, listener->sk, false);
	if (!req)
		return -ENOMEM;
	tcp_rsk(req)->tfo_listener = false;
	refcount_set(&req->rsk_refcnt, 1);

	/* Who accepts it is charged for it. */
	lock_sock(sk);
	if (mem_cgroup_sockets_enabled && sk->sk_memcg) {
		pages = sk_mem_pages(sk->sk_forward_alloc +
				     atomic_read(&sk->sk_rmem_alloc));
		mem_cgroup_uncharge_skmem(sk->sk_memcg, pages);
		mem_cgroup_sk_free(sk);
		sk->sk_memcg = NULL;
	}
	write_lock_bh(&sk->sk_callback_lock);
	RCU_INIT_POINTER(sk->sk_wq, NULL);
	sk_set_socket(sk, NULL);
	sock->sk = NULL;
	write_unlock_bh(&sk->sk_callback_lock);
	release_sock(sk);
	live->base.sock = NULL;
	sock_release(sock);

	lock_sock(listener->sk);
	local_bh_disable();
	inet_csk_reqsk_queue_add(listener->sk, req, sk);
	local_bh_enable();
	release_sock(listener->sk);
	return 0;
}

static int finish_side(struct ckpt_ctx *ctx, struct side *side)
{
	struct ckpt_inet_live *listener;
	struct sock *sk = side->sock->sk;

	if (side->inet->shutdown & RCV_SHUTDOWN) {
		lock_sock(sk);
		WRITE_ONCE(sk->sk_shutdown, sk->sk_shutdown | RCV_SHUTDOWN);
		release_sock(sk);
	}
	if (side->inet->flags & CKPT_INET_DEAD)
		return 0;
	ckpt_inet_set_error(sk, side->inet);
	side->sock->state = side->inet->socket_state;
	if (!(side->inet->flags & CKPT_INET_EMBRYO))
		return 0;
	listener = ckpt_obj_ptr(ctx, side->tcp->listener);
	return queue_embryo(side->live, listener);
}

/* --- restarting: both ends ------------------------------------------------ */

static int connect_sides(struct ckpt_ctx *ctx, struct side *a, struct side *b)
{
	int ret;

	a->seq = get_random_u32();
	b->seq = get_random_u32();
	ret = connect_side(ctx, a, b->seq - nr_received(ctx, a));
	if (!ret)
		ret = connect_side(ctx, b, a->seq - nr_received(ctx, b));
	if (!ret)
		ret = send_queue(ctx, a, CKPT_INET_RECEIVED);
	if (!ret)
		ret = send_queue(ctx, b, CKPT_INET_RECEIVED);
	if (!ret)
		ret = set_window(ctx, a, b);
	if (!ret)
		ret = set_window(ctx, b, a);
	return ret;
}

/* From here on they speak. */
static int send_side(struct ckpt_ctx *ctx, struct side *side)
{
	int ret;

	ret = send_queue(ctx, side, CKPT_INET_UNSENT);
	if (!ret && side->tcp->flags & CKPT_TCP_FIN) {
		ret = kernel_sock_shutdown(side->sock, SHUT_WR);
		if (ret)
			ckpt_refuse(ctx, ret, "cannot end a connection");
	}
	return ret;
}

static void name_to_v6(struct in6_addr *addr, const struct ckpt_inet *p,
		       const struct ckpt_inet_name *name)
{
	__be32 v4;

	memcpy(addr, name->addr, sizeof(*addr));
	if (p->family != AF_INET)
		return;
	memcpy(&v4, name->addr, sizeof(v4));
	ipv6_addr_set_v4mapped(v4, addr);
}

static bool same_name(const struct ckpt_inet *a, const struct ckpt_inet_name *x,
		      const struct ckpt_inet *b, const struct ckpt_inet_name *y)
{
	struct in6_addr v6_x, v6_y;

	name_to_v6(&v6_x, a, x);
	name_to_v6(&v6_y, b, y);
	return x->port == y->port && ipv6_addr_equal(&v6_x, &v6_y);
}

static void side_init(struct side *side, struct ckpt_inet_live *live)
{
	*side = (struct side) {
		.live = live,
		.sock = live->base.sock,
		.inet = ckpt_payload(live->rec, struct ckpt_inet),
		.tcp = ckpt_payload(live->tcp, struct ckpt_tcp),
	};
}

static int restore_pair(struct ckpt_ctx *ctx, struct ckpt_inet_live *live,
			struct ckpt_inet_live *peer)
{
	struct side a, b;
	int ret;

	side_init(&a, live);
	side_init(&b, peer);
	if (!same_name(a.inet, &a.inet->local, b.inet, &b.inet->remote) ||
	    !same_name(a.inet, &a.inet->remote, b.inet, &b.inet->local))
		return ckpt_refuse(ctx, -EINVAL,
				   "the ends of a connection do not fit");
	ret = connect_sides(ctx, &a, &b);
	if (!ret)
		ret = send_side(ctx, &a);
	if (!ret)
		ret = send_side(ctx, &b);
	if (ret)
		return ret;
	wait_for_arrival(&a, &b);
	wait_for_arrival(&b, &a);
	ret = finish_side(ctx, &a);
	return ret ?: finish_side(ctx, &b);
}

/* The other end, as the image would have it. */
static void mirror(const struct side *side, struct ckpt_inet *inet,
		   struct ckpt_tcp *tcp)
{
	const struct ckpt_inet *p = side->inet;

	*inet = (struct ckpt_inet) {
		/* What it leaves at its port is in nobody's way. */
		.sock.flags = CKPT_SOCK_REUSEADDR,
		.family = p->family,
		.local = p->remote,
		.remote = p->local,
	};
	if (p->family == AF_INET6 &&
	    ipv6_addr_v4mapped((const struct in6_addr *)p->local.addr)) {
		inet->family = AF_INET;
		memcpy(inet->local.addr, p->remote.addr + 12, 4);
		memset(inet->local.addr + 4, 0, 12);
		memcpy(inet->remote.addr, p->local.addr + 12, 4);
		memset(inet->remote.addr + 4, 0, 12);
	}
	*tcp = (struct ckpt_tcp) {
		.flags = side->tcp->flags & ~CKPT_TCP_FIN,
		.mss = side->tcp->mss,
		.snd_wscale = side->tcp->rcv_wscale,
		.rcv_wscale = side->tcp->snd_wscale,
		.window = U16_MAX,
	};
}

/* The other end is gone, and this one knows. */
static int restore_alone(struct ckpt_ctx *ctx, struct ckpt_inet_live *live)
{
	struct ckpt_tcp tcp;
	struct side a, b = { .tcp = &tcp };
	struct ckpt_inet *inet;
	int ret;

	inet = kzalloc(sizeof(*inet), GFP_KERNEL);
	if (!inet)
		return -ENOMEM;
	side_init(&a, live);
	mirror(&a, inet, &tcp);
	b.inet = inet;
	ret = sock_create(inet->family, SOCK_STREAM, IPPROTO_TCP, &b.sock);
	if (ret)
		goto out;
	/* Is closed with the last things, when nothing fails any more. */
	live->gone = b.sock;
	ret = connect_sides(ctx, &a, &b);
	if (!ret)
		ret = kernel_sock_shutdown(b.sock, SHUT_WR);
	if (ret)
		goto out;
	wait_for_arrival(&b, &a);
	ret = send_side(ctx, &a);
	if (!ret)
		ret = finish_side(ctx, &a);
out:
	kfree(inet);
	return ret;
}

static int restore_listening(struct ckpt_ctx *ctx, struct ckpt_inet_live *live)
{
	const struct ckpt_inet *p = ckpt_payload(live->rec, struct ckpt_inet);
	int ret;

	ret = __sys_listen_socket(live->base.sock, p->backlog);
	if (ret)
		return ckpt_refuse(ctx, ret, ret == -EADDRINUSE ?
				   "another socket uses port %u" :
				   "a socket cannot listen at port %u",
				   p->local.port);
	return 0;
}

/* Both ends say the same: whoever is the first one waits for the other. */
static bool is_mutual(struct ckpt_ctx *ctx, const struct ckpt_rec *rec,
		      ckpt_ref_t peer)
{
	struct ckpt_rec *other;

	list_for_each_entry(other, &ckpt_obj_get(ctx, peer)->recs, own)
		if (other->kind == &ckpt_kind_tcp)
			return ckpt_payload(other, struct ckpt_tcp)->peer ==
			       rec->objref;
	return false;
}

static int tcp_restore(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_tcp *p = ckpt_payload(rec, struct ckpt_tcp);
	struct ckpt_inet_live *live = ckpt_obj_ptr(ctx, rec->objref);
	struct ckpt_inet_live *listener = ckpt_obj_ptr(ctx, p->listener);
	struct ckpt_inet_live *peer = ckpt_obj_ptr(ctx, p->peer);

	live->tcp = rec;
	if (ckpt_payload(live->rec, struct ckpt_inet)->state ==
	    CKPT_INET_LISTENING)
		return restore_listening(ctx, live);
	if (listener && !ckpt_inet_is_listening(listener->sk))
		return ckpt_refuse(ctx, -EINVAL,
				   "who is to accept a connection does not listen yet");
	if (!peer)
		return restore_alone(ctx, live);
	if (!is_mutual(ctx, rec, p->peer))
		return ckpt_refuse(ctx, -EINVAL,
				   "the other end is connected with another one");
	/* The second one connects them. */
	return peer->tcp ? restore_pair(ctx, live, peer) : 0;
}

const struct ckpt_kind ckpt_kind_tcp = {
	.name		= "tcp",
	.about		= "who listens; connections with both ends in the tree",
	.family		= CKPT_FAMILY_OBJECT,
	.type		= CKPT_REC_TCP,
	.phase		= CKPT_PHASE_OBJECT,
	.version	= 1,
	.min_version	= 1,
	CKPT_PAYLOAD(struct ckpt_tcp),
	.owner		= CKPT_REC_INET,
	.single		= true,
	.check		= tcp_check,
	.restore	= tcp_restore,
};
