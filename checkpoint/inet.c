// SPDX-License-Identifier: GPL-2.0
/*
 * Sockets of IPv4 and IPv6: TCP and UDP, their names and options.
 *
 * An object INET is a struct sock. All that it is by itself is in its record: a
 * restart makes the socket, sets the options, and binds it. A TCP socket
 * that listens or is connected has a TCP record behind all objects, see tcp.c.
 */

#include <linux/in.h>
#include <linux/net.h>
#include <linux/security.h>
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <linux/udp.h>
#include <net/addrconf.h>
#include <net/ip.h>
#include <net/tcp.h>
#include <net/transp_v6.h>
#include <net/udp.h>

#include "inet.h"

/* What is new must be thought about. */
static_assert(INET_FLAGS_RTALERT == 30);
static_assert(sizeof_field(struct ipv6_pinfo, rxopt) == 2);
static_assert(sizeof_field(struct ckpt_inet, congestion) == TCP_CA_NAME_MAX);
static_assert(SS_UNCONNECTED == 1 && SS_DISCONNECTING == 4);

#define INET_LOCKS	(CKPT_INET_ADDR_LOCK | CKPT_INET_PORT_LOCK)
#define INET_FLAGS	(CKPT_INET_DEAD | CKPT_INET_EMBRYO | CKPT_INET_BOUND | \
			 INET_LOCKS | CKPT_INET_DONE)

/* inet_sock.inet_flags that a record does not tell. */
#define REFUSED_INET_FLAGS						\
	(BIT(INET_FLAGS_HDRINCL) | BIT(INET_FLAGS_NODEFRAG) |		\
	 BIT(INET_FLAGS_DEFER_CONNECT) | BIT(INET_FLAGS_REPFLOW) |	\
	 BIT(INET_FLAGS_RTALERT) | BIT(INET_FLAGS_RTALERT_ISOLATE) |	\
	 ~(BIT(INET_FLAGS_RTALERT + 1) - 1))

/* --- options that are numbers --------------------------------------------- */

#define FOR_V6		BIT(0)
#define FOR_TCP		BIT(1)
#define FOR_UDP		BIT(2)
#define FOR_ALL		(FOR_TCP | FOR_UDP)

/*
 * In the order in which they are set: some need others, and some change others.
 * Those of SOL_IP are for IPv6 too, which can speak IPv4.
 */
static const struct inet_option {
	int level;
	int name;
	u32 use;	/* FOR_* */
} inet_options[] = {
	{ SOL_IP, IP_FREEBIND, FOR_ALL },
	{ SOL_IP, IP_TRANSPARENT, FOR_ALL },
	{ SOL_IP, IP_BIND_ADDRESS_NO_PORT, FOR_ALL },
	{ SOL_IP, IP_LOCAL_PORT_RANGE, FOR_ALL },
	{ SOL_IP, IP_TOS, FOR_ALL },
	{ SOL_IP, IP_TTL, FOR_ALL },
	{ SOL_IP, IP_MINTTL, FOR_ALL },
	{ SOL_IP, IP_MTU_DISCOVER, FOR_ALL },
	{ SOL_IP, IP_RECVERR, FOR_ALL },
	{ SOL_IP, IP_RECVERR_RFC4884, FOR_ALL },
	{ SOL_IP, IP_PKTINFO, FOR_ALL },
	{ SOL_IP, IP_RECVTTL, FOR_ALL },
	{ SOL_IP, IP_RECVTOS, FOR_ALL },
	{ SOL_IP, IP_RECVOPTS, FOR_ALL },
	{ SOL_IP, IP_RETOPTS, FOR_ALL },
	{ SOL_IP, IP_PASSSEC, FOR_ALL },
	{ SOL_IP, IP_RECVORIGDSTADDR, FOR_ALL },
	{ SOL_IP, IP_CHECKSUM, FOR_ALL },
	{ SOL_IP, IP_RECVFRAGSIZE, FOR_UDP },
	{ SOL_IP, IP_MULTICAST_TTL, FOR_UDP },
	{ SOL_IP, IP_MULTICAST_LOOP, FOR_ALL },
	{ SOL_IP, IP_MULTICAST_ALL, FOR_ALL },
	{ SOL_IPV6, IPV6_V6ONLY, FOR_V6 | FOR_ALL },
	{ SOL_IPV6, IPV6_UNICAST_HOPS, FOR_V6 | FOR_ALL },
	{ SOL_IPV6, IPV6_MULTICAST_HOPS, FOR_V6 | FOR_UDP },
	{ SOL_IPV6, IPV6_MULTICAST_LOOP, FOR_V6 | FOR_ALL },
	{ SOL_IPV6, IPV6_MULTICAST_ALL, FOR_V6 | FOR_ALL },
	{ SOL_IPV6, IPV6_MTU_DISCOVER, FOR_V6 | FOR_ALL },
	{ SOL_IPV6, IPV6_RECVERR, FOR_V6 | FOR_ALL },
	{ SOL_IPV6, IPV6_RECVERR_RFC4884, FOR_V6 | FOR_ALL },
	{ SOL_IPV6, IPV6_RECVPKTINFO, FOR_V6 | FOR_ALL },
	{ SOL_IPV6, IPV6_2292PKTINFO, FOR_V6 | FOR_ALL },
	{ SOL_IPV6, IPV6_RECVHOPLIMIT, FOR_V6 | FOR_ALL },
	{ SOL_IPV6, IPV6_2292HOPLIMIT, FOR_V6 | FOR_ALL },
	{ SOL_IPV6, IPV6_RECVRTHDR, FOR_V6 | FOR_ALL },
	{ SOL_IPV6, IPV6_2292RTHDR, FOR_V6 | FOR_ALL },
	{ SOL_IPV6, IPV6_RECVHOPOPTS, FOR_V6 | FOR_ALL },
	{ SOL_IPV6, IPV6_2292HOPOPTS, FOR_V6 | FOR_ALL },
	{ SOL_IPV6, IPV6_RECVDSTOPTS, FOR_V6 | FOR_ALL },
	{ SOL_IPV6, IPV6_2292DSTOPTS, FOR_V6 | FOR_ALL },
	{ SOL_IPV6, IPV6_RECVTCLASS, FOR_V6 | FOR_ALL },
	{ SOL_IPV6, IPV6_TCLASS, FOR_V6 | FOR_ALL },
	{ SOL_IPV6, IPV6_FLOWINFO, FOR_V6 | FOR_ALL },
	{ SOL_IPV6, IPV6_FLOWINFO_SEND, FOR_V6 | FOR_ALL },
	{ SOL_IPV6, IPV6_RECVPATHMTU, FOR_V6 | FOR_ALL },
	{ SOL_IPV6, IPV6_RECVORIGDSTADDR, FOR_V6 | FOR_ALL },
	{ SOL_IPV6, IPV6_RECVFRAGSIZE, FOR_V6 | FOR_ALL },
	{ SOL_IPV6, IPV6_ADDR_PREFERENCES, FOR_V6 | FOR_ALL },
	{ SOL_IPV6, IPV6_MINHOPCOUNT, FOR_V6 | FOR_ALL },
	{ SOL_IPV6, IPV6_DONTFRAG, FOR_V6 | FOR_ALL },
	{ SOL_IPV6, IPV6_AUTOFLOWLABEL, FOR_V6 | FOR_ALL },
	{ SOL_TCP, TCP_MAXSEG, FOR_TCP },
	{ SOL_TCP, TCP_WINDOW_CLAMP, FOR_TCP },
	{ SOL_TCP, TCP_NODELAY, FOR_TCP },
	{ SOL_TCP, TCP_CORK, FOR_TCP },
	{ SOL_TCP, TCP_KEEPIDLE, FOR_TCP },
	{ SOL_TCP, TCP_KEEPINTVL, FOR_TCP },
	{ SOL_TCP, TCP_KEEPCNT, FOR_TCP },
	{ SOL_TCP, TCP_SYNCNT, FOR_TCP },
	{ SOL_TCP, TCP_LINGER2, FOR_TCP },
	{ SOL_TCP, TCP_DEFER_ACCEPT, FOR_TCP },
	{ SOL_TCP, TCP_USER_TIMEOUT, FOR_TCP },
	{ SOL_TCP, TCP_THIN_LINEAR_TIMEOUTS, FOR_TCP },
	{ SOL_TCP, TCP_SAVE_SYN, FOR_TCP },
	{ SOL_TCP, TCP_NOTSENT_LOWAT, FOR_TCP },
	{ SOL_TCP, TCP_INQ, FOR_TCP },
	{ SOL_TCP, TCP_TX_DELAY, FOR_TCP },
	{ SOL_TCP, TCP_FASTOPEN, FOR_TCP },
	{ SOL_TCP, TCP_FASTOPEN_CONNECT, FOR_TCP },
	{ SOL_TCP, TCP_FASTOPEN_NO_COOKIE, FOR_TCP },
	{ SOL_UDP, UDP_CORK, FOR_UDP },
	{ SOL_UDP, UDP_NO_CHECK6_TX, FOR_UDP },
	{ SOL_UDP, UDP_NO_CHECK6_RX, FOR_UDP },
	{ SOL_UDP, UDP_SEGMENT, FOR_UDP },
	{ SOL_UDP, UDP_GRO, FOR_UDP },
};

static bool option_is_for(const struct inet_option *opt, int family, int type)
{
	if (opt->use & FOR_V6 && family != AF_INET6)
		return false;
	return opt->use & (type == SOCK_STREAM ? FOR_TCP : FOR_UDP);
}

static int get_tcp_option(struct sock *sk, int name, int *value)
{
	sockptr_t len = KERNEL_SOCKPTR(&(int){ sizeof(*value) });

	switch (name) {
	case TCP_MAXSEG:	/* not what came out of it */
		*value = tcp_sk(sk)->rx_opt.user_mss;
		return 0;
	case TCP_WINDOW_CLAMP:	/* that of a connection moves, */
	case TCP_FASTOPEN_CONNECT:	/* and this one cannot be set */
		if (BIT(READ_ONCE(sk->sk_state)) & CKPT_TCPF_CONNECTED) {
			*value = 0;
			return 0;
		}
		fallthrough;
	default:
		return do_tcp_getsockopt(sk, SOL_TCP, name,
					 KERNEL_SOCKPTR(value), len);
	}
}

static int get_udp_option(struct sock *sk, int name, int *value)
{
	switch (name) {
	case UDP_CORK:
		*value = udp_test_bit(CORK, sk);
		return 0;
	case UDP_NO_CHECK6_TX:
		*value = udp_test_bit(NO_CHECK6_TX, sk);
		return 0;
	case UDP_NO_CHECK6_RX:
		*value = udp_test_bit(NO_CHECK6_RX, sk);
		return 0;
	case UDP_SEGMENT:
		*value = READ_ONCE(udp_sk(sk)->gso_size);
		return 0;
	case UDP_GRO:
		*value = udp_test_bit(GRO_ENABLED, sk);
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

#if IS_ENABLED(CONFIG_IPV6)
static int get_ipv6_option(struct sock *sk, int name, int *value)
{
	sockptr_t len = KERNEL_SOCKPTR(&(int){ sizeof(*value) });

	switch (name) {
	case IPV6_UNICAST_HOPS:	/* -1: as the route has it */
		*value = READ_ONCE(inet6_sk(sk)->hop_limit);
		return 0;
	case IPV6_MULTICAST_HOPS:
		*value = READ_ONCE(inet6_sk(sk)->mcast_hops);
		return 0;
	default:
		return do_ipv6_getsockopt(sk, SOL_IPV6, name,
					  KERNEL_SOCKPTR(value), len);
	}
}
#endif

/* The value of an option, as what sets it takes it. */
static int read_option(struct sock *sk, const struct inet_option *opt,
		       int *value)
{
	sockptr_t len = KERNEL_SOCKPTR(&(int){ sizeof(*value) });

	*value = 0;
	switch (opt->level) {
	case SOL_TCP:
		return get_tcp_option(sk, opt->name, value);
	case SOL_UDP:
		return get_udp_option(sk, opt->name, value);
#if IS_ENABLED(CONFIG_IPV6)
	case SOL_IPV6:
		return get_ipv6_option(sk, opt->name, value);
#endif
	default:
		if (opt->name == IP_TTL) {
			*value = READ_ONCE(inet_sk(sk)->uc_ttl);
			return 0;
		}
		return do_ip_getsockopt(sk, SOL_IP, opt->name,
					KERNEL_SOCKPTR(value), len);
	}
}

/* --- saving --------------------------------------------------------------- */

static void inet_get(void *ptr)
{
	sock_hold(ptr);
}

static void inet_put(void *ptr)
{
	sock_put(ptr);
}

/* Return: a sentence, or NULL when the sort of socket is supported. */
static const char *unsupported_sort(const struct sock *sk)
{
	if (sk->sk_type == SOCK_RAW)
		return "raw sockets are not supported";
	switch (sk->sk_protocol) {
	case IPPROTO_TCP:
		if (sk->sk_type == SOCK_STREAM)
			return NULL;
		break;
	case IPPROTO_UDP:
		if (sk->sk_type == SOCK_DGRAM)
			return NULL;
		break;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return "ping sockets are not supported";
	case IPPROTO_UDPLITE:
		return "UDP-Lite is not supported";
	case IPPROTO_SCTP:
		return "SCTP is not supported";
	case IPPROTO_DCCP:
		return "DCCP is not supported";
	case IPPROTO_MPTCP:
		return "MPTCP is not supported, a program can be told to use TCP";
	case IPPROTO_SMC:
		return "SMC is not supported";
	case IPPROTO_L2TP:
		return "L2TP is not supported";
	}
	return "a socket of a protocol that is not supported";
}

#if IS_ENABLED(CONFIG_IPV6)
static int collect_ipv6(struct ckpt_ctx *ctx, struct sock *sk)
{
	struct ipv6_pinfo *np = inet6_sk(sk);
	int ret = 0;

	if (rcu_access_pointer(np->opt) ||
	    READ_ONCE(np->sticky_pktinfo.ipi6_ifindex) ||
	    !ipv6_addr_any(&np->sticky_pktinfo.ipi6_addr))
		ret = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "extension headers and sticky options of IPv6 are not supported");
	if (rcu_access_pointer(np->ipv6_mc_list) || np->ipv6_ac_list)
		ret = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "memberships in multicast or anycast groups are not supported");
	if (rcu_access_pointer(inet_sk(sk)->ipv6_fl_list) || np->flow_label)
		ret = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "flow labels of IPv6 are not supported");
	if (READ_ONCE(np->ucast_oif) ||
	    (sk->sk_type == SOCK_DGRAM && READ_ONCE(np->mcast_oif)))
		ret = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "IPV6_UNICAST_IF and IPV6_MULTICAST_IF are not supported");
	if (READ_ONCE(np->frag_size))
		ret = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "IPV6_MTU is not supported");
	if (READ_ONCE(np->rxpmtu) || READ_ONCE(np->pktoptions))
		ret = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "messages of IPV6_RECVPATHMTU and IPV6_2292PKTOPTIONS are not supported");
	return ret;
}
#else
static int collect_ipv6(struct ckpt_ctx *ctx, struct sock *sk)
{
	return 0;
}
#endif

static int collect_ip(struct ckpt_ctx *ctx, struct sock *sk)
{
	struct inet_sock *inet = inet_sk(sk);
	unsigned long flags = READ_ONCE(inet->inet_flags);
	int ret = 0;

	if (flags & REFUSED_INET_FLAGS)
		ret = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "unsupported flags 0x%lx of an internet socket",
				  flags & REFUSED_INET_FLAGS);
	if (rcu_access_pointer(inet->inet_opt))
		ret = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "IP_OPTIONS is not supported");
	if (rcu_access_pointer(inet->mc_list))
		ret = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "memberships in multicast groups are not supported");
	if (READ_ONCE(inet->uc_index) ||
	    (sk->sk_type == SOCK_DGRAM &&
	     (READ_ONCE(inet->mc_index) || READ_ONCE(inet->mc_addr))))
		ret = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "IP_UNICAST_IF and IP_MULTICAST_IF are not supported");
	return ret;
}

static int inet_collect(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	struct sock *sk = obj->ptr;
	const char *reason = unsupported_sort(sk);
	const struct cred *cred;
	int ret, err;

	if (reason)
		return ckpt_refuse(ctx, -EOPNOTSUPP, "%s", reason);
	ret = ckpt_sock_collect(ctx, sk);
	err = collect_ip(ctx, sk);
	ret = ret ?: err;
	if (sk->sk_family == AF_INET6) {
		err = collect_ipv6(ctx, sk);
		ret = ret ?: err;
	}
	err = ckpt_inet_is_tcp(sk) ? ckpt_tcp_collect(ctx, sk) :
				     ckpt_udp_collect(ctx, sk);
	ret = ret ?: err;
	cred = ckpt_sock_cred(ctx, sk);
	if (!cred)
		return ret;
	err = ckpt_collect(ctx, &ckpt_kind_cred, (void *)cred);
	put_cred(cred);
	return ret ?: err;
}

/* UDP can be connected to port 0. */
static bool has_remote(const struct sock *sk)
{
	return inet_sk(sk)->inet_dport ||
	       (!ckpt_inet_is_tcp(sk) && sk->sk_state == TCP_ESTABLISHED);
}

static void fill_names(struct sock *sk, struct ckpt_inet *rec)
{
	struct inet_sock *inet = inet_sk(sk);

	rec->local.port = ntohs(inet->inet_sport);
	rec->remote.port = ntohs(inet->inet_dport);
#if IS_ENABLED(CONFIG_IPV6)
	if (sk->sk_family == AF_INET6) {
		memcpy(rec->local.addr, &sk->sk_v6_rcv_saddr, 16);
		if (has_remote(sk))
			memcpy(rec->remote.addr, &sk->sk_v6_daddr, 16);
		return;
	}
#endif
	memcpy(rec->local.addr, &inet->inet_rcv_saddr, 4);
	if (has_remote(sk))
		memcpy(rec->remote.addr, &inet->inet_daddr, 4);
}

static bool has_port(struct sock *sk)
{
	if (ckpt_inet_is_tcp(sk))
		return inet_csk(sk)->icsk_bind_hash;
	return inet_sk(sk)->inet_num;
}

static u32 fill_flags(struct sock *sk)
{
	u32 flags = 0;

	if (ckpt_inet_is_dead(sk))
		flags |= CKPT_INET_DEAD;
	else if (ckpt_inet_is_embryo(sk))
		flags |= CKPT_INET_EMBRYO;
	if (has_port(sk))
		flags |= CKPT_INET_BOUND;
	if (sk->sk_userlocks & SOCK_BINDADDR_LOCK)
		flags |= CKPT_INET_ADDR_LOCK;
	if (sk->sk_userlocks & SOCK_BINDPORT_LOCK)
		flags |= CKPT_INET_PORT_LOCK;
	return flags;
}

static u32 get_socket_state(struct sock *sk)
{
	u32 state = SS_UNCONNECTED;

	read_lock_bh(&sk->sk_callback_lock);
	if (sk->sk_socket)
		state = sk->sk_socket->state;
	read_unlock_bh(&sk->sk_callback_lock);
	return state;
}

/* Socket locked. */
static u32 inet_state(struct sock *sk, const struct ckpt_inet *rec)
{
	if (ckpt_inet_is_listening(sk))
		return CKPT_INET_LISTENING;
	if (ckpt_inet_is_connected(sk))
		return CKPT_INET_CONNECTED;
	if (!ckpt_inet_is_tcp(sk))
		return sk->sk_state == TCP_ESTABLISHED ? CKPT_INET_CONNECTED :
							 CKPT_INET_UNCONNECTED;
	/* What a new socket cannot have. */
	if (ckpt_inet_is_dead(sk) || rec->shutdown ||
	    rec->socket_state != SS_UNCONNECTED || rec->remote.port ||
	    (rec->local.port && !has_port(sk)))
		return CKPT_INET_CLOSED;
	return CKPT_INET_UNCONNECTED;
}

static int fill_options(struct sock *sk, struct ckpt_inet_option *options)
{
	const struct inet_option *opt;
	int i, value, ret, nr = 0;

	for (i = 0; i < ARRAY_SIZE(inet_options); i++) {
		opt = &inet_options[i];
		if (!option_is_for(opt, sk->sk_family, sk->sk_type))
			continue;
		ret = read_option(sk, opt, &value);
		if (ret)
			return ret;
		options[nr++] = (struct ckpt_inet_option) {
			.level = opt->level,
			.name = opt->name,
			.value = value,
		};
	}
	return nr;
}

/*
 * What a reset leaves, but for a port that bind() had chosen: it may be in use by
 * what is left of the original, or be one of an address of another machine.
 */
static void fill_reset(struct ckpt_inet *rec)
{
	rec->state = CKPT_INET_CLOSED;
	rec->flags &= CKPT_INET_ADDR_LOCK;
	rec->shutdown = SHUTDOWN_MASK;
	rec->sock.error = ECONNRESET;
}

/* Connections that are being closed end on their own. */
static bool has_ended(const struct sock *sk, const struct ckpt_inet *rec)
{
	if (rec->flags & CKPT_INET_DEAD)
		return false;
	if (rec->flags & CKPT_INET_EMBRYO)
		return rec->state != CKPT_INET_CONNECTED;
	return rec->state == CKPT_INET_CLOSED &&
	       !skb_queue_empty_lockless(&sk->sk_receive_queue);
}

static int inet_save(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	struct ckpt_inet_option *options;
	struct sock *sk = obj->ptr;
	const struct cred *cred;
	struct ckpt_inet rec = {};
	int ret;

	options = kcalloc(ARRAY_SIZE(inet_options), sizeof(*options),
			  GFP_KERNEL);
	if (!options)
		return -ENOMEM;
	ckpt_sock_fill(sk, &rec.sock);
	rec.family = sk->sk_family;
	rec.flags = fill_flags(sk);
	if (!(rec.flags & (CKPT_INET_DEAD | CKPT_INET_EMBRYO))) {
		cred = ckpt_sock_cred(ctx, sk);
		rec.cred = ckpt_ref(ctx, cred);
		put_cred(cred);
	}
	rec.socket_state = get_socket_state(sk);
	rec.drops = atomic_read(&sk->sk_drops);

	lock_sock(sk);
	fill_names(sk, &rec);
	rec.shutdown = sk->sk_shutdown;
	rec.state = inet_state(sk, &rec);
	if (rec.state == CKPT_INET_CLOSED && sock_flag(sk, SOCK_DONE))
		rec.flags |= CKPT_INET_DONE;
	if (obj->flags & CKPT_OBJ_RESET)
		fill_reset(&rec);
	if (ckpt_inet_is_tcp(sk) && rec.state == CKPT_INET_CONNECTED)
		obj->flags |= CKPT_OBJ_CONNECTED;
	if (rec.state == CKPT_INET_LISTENING)
		rec.backlog = READ_ONCE(sk->sk_max_ack_backlog);
	if (ckpt_inet_is_tcp(sk))
		strscpy_pad(rec.congestion, inet_csk(sk)->icsk_ca_ops->name);
	release_sock(sk);

	ret = fill_options(sk, options);
	if (ret < 0)
		ckpt_refuse(ctx, ret,
			    "the options of the socket cannot be read");
	else if (!(obj->flags & CKPT_OBJ_RESET) && has_ended(sk, &rec))
		ret = ckpt_refuse(ctx, -EAGAIN,
				  "a connection has ended during the checkpoint, try again");
	else
		ret = ckpt_write_tail(ctx, obj->kind, obj->ref, &rec,
				      sizeof(rec), options,
				      ret * sizeof(*options));
	kfree(options);
	if (!ret && sk->sk_type == SOCK_DGRAM)
		ret = ckpt_udp_save(ctx, obj);
	return ret;
}

/* --- restarting: judging a record ----------------------------------------- */

/**
 * ckpt_inet_of() - the record of an INET that is defined
 * @ctx: the restart
 * @ref: a number, from an image
 *
 * Return: the record, or NULL.
 */
const struct ckpt_inet *ckpt_inet_of(struct ckpt_ctx *ctx, ckpt_ref_t ref)
{
	if (!ckpt_ref_is_type(ctx, ref, CKPT_REC_INET))
		return NULL;
	return ckpt_payload(ckpt_obj_get(ctx, ref)->rec, struct ckpt_inet);
}

/**
 * ckpt_inet_has_file() - can a description refer to this?
 * @ctx: the restart
 * @ref: a number, from an image
 *
 * Return: true for an INET that is neither closed nor not accepted yet.
 */
bool ckpt_inet_has_file(struct ckpt_ctx *ctx, ckpt_ref_t ref)
{
	const struct ckpt_inet *p = ckpt_inet_of(ctx, ref);

	return p && !(p->flags & (CKPT_INET_DEAD | CKPT_INET_EMBRYO));
}

/**
 * ckpt_inet_name_valid() - is this a name of that family?
 * @name: from an image
 * @family: AF_INET, AF_INET6
 *
 * Return: false when it is longer.
 */
bool ckpt_inet_name_valid(const struct ckpt_inet_name *name, u32 family)
{
	return !name->pad &&
	       (family == AF_INET6 || !memchr_inv(name->addr + 4, 0, 12));
}

static bool sort_valid(const struct ckpt_inet *p)
{
	if (p->family != AF_INET && p->family != AF_INET6)
		return false;
	if (p->sock.type == SOCK_STREAM)
		return p->sock.protocol == IPPROTO_TCP;
	return p->sock.type == SOCK_DGRAM && p->sock.protocol == IPPROTO_UDP;
}

static bool state_valid(const struct ckpt_inet *p)
{
	bool tcp = p->sock.type == SOCK_STREAM;

	if (p->socket_state < SS_UNCONNECTED ||
	    p->socket_state > SS_DISCONNECTING || p->shutdown & ~SHUTDOWN_MASK ||
	    (p->backlog && p->state != CKPT_INET_LISTENING))
		return false;
	switch (p->state) {
	case CKPT_INET_UNCONNECTED:
		return !tcp || (!p->shutdown && !p->remote.port &&
				p->socket_state == SS_UNCONNECTED);
	case CKPT_INET_CONNECTED:
		return p->flags & CKPT_INET_BOUND && p->local.port &&
		       (p->remote.port || !tcp);
	case CKPT_INET_LISTENING:
		return tcp && p->flags & CKPT_INET_BOUND && p->local.port &&
		       !p->remote.port && p->socket_state == SS_UNCONNECTED;
	case CKPT_INET_CLOSED:
		return tcp;
	default:
		return false;
	}
}

static bool flags_valid(const struct ckpt_inet *p)
{
	bool own = !(p->flags & (CKPT_INET_DEAD | CKPT_INET_EMBRYO));

	if (p->flags & ~INET_FLAGS ||
	    (p->flags & CKPT_INET_DONE && p->state != CKPT_INET_CLOSED))
		return false;
	if (p->flags & CKPT_INET_BOUND ? !p->local.port :
	    p->flags & CKPT_INET_PORT_LOCK)
		return false;
	if (own)
		return true;
	if (p->sock.type != SOCK_STREAM ||
	    (p->flags & CKPT_INET_DEAD && p->flags & CKPT_INET_EMBRYO))
		return false;
	/* What was closed may have ended. */
	return p->state == CKPT_INET_CONNECTED ||
	       (p->flags & CKPT_INET_DEAD && p->state == CKPT_INET_CLOSED);
}

/* In the order of the table, each at most once. */
static bool options_valid(const struct ckpt_inet *p, u32 len)
{
	u32 nr = len / sizeof(p->options[0]), i, k = 0;

	if (len % sizeof(p->options[0]))
		return false;
	for (i = 0; i < nr; i++) {
		while (k < ARRAY_SIZE(inet_options) &&
		       (inet_options[k].level != p->options[i].level ||
			inet_options[k].name != p->options[i].name))
			k++;
		if (k == ARRAY_SIZE(inet_options) ||
		    !option_is_for(&inet_options[k++], p->family, p->sock.type))
			return false;
	}
	return true;
}

static int inet_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_inet *p = ckpt_payload(rec, struct ckpt_inet);
	bool own = !(p->flags & (CKPT_INET_DEAD | CKPT_INET_EMBRYO));

	if (!sort_valid(p))
		return ckpt_refuse(ctx, -EINVAL,
				   "bad type of an internet socket");
	if (!state_valid(p) || !flags_valid(p))
		return ckpt_refuse(ctx, -EINVAL,
				   "bad state of an internet socket");
	if (!ckpt_inet_name_valid(&p->local, p->family) ||
	    !ckpt_inet_name_valid(&p->remote, p->family))
		return ckpt_refuse(ctx, -EINVAL,
				   "bad name of an internet socket");
	if (!options_valid(p, ckpt_tail_len(rec, sizeof(*p))))
		return ckpt_refuse(ctx, -EINVAL,
				   "bad options of an internet socket");
	if (p->sock.type == SOCK_STREAM ?
	    !p->congestion[0] || !memchr(p->congestion, 0, TCP_CA_NAME_MAX) :
	    !!memchr_inv(p->congestion, 0, TCP_CA_NAME_MAX))
		return ckpt_refuse(ctx, -EINVAL,
				   "bad congestion control of a socket");
	if (own ? !ckpt_ref_is_type(ctx, p->cred, CKPT_REC_CRED) : p->cred)
		return ckpt_refuse(ctx, -EINVAL,
				   "an internet socket without credentials");
	return ckpt_sock_check(ctx, &p->sock);
}

/* --- restarting: names ---------------------------------------------------- */

union inet_address {
	struct sockaddr_storage any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static int make_address(union inet_address *addr, struct sock *sk, u32 family,
			const struct ckpt_inet_name *name)
{
	memset(addr, 0, sizeof(*addr));
	if (family == AF_INET) {
		addr->v4.sin_family = AF_INET;
		addr->v4.sin_port = htons(name->port);
		memcpy(&addr->v4.sin_addr, name->addr, 4);
		return sizeof(addr->v4);
	}
	addr->v6.sin6_family = AF_INET6;
	addr->v6.sin6_port = htons(name->port);
	memcpy(&addr->v6.sin6_addr, name->addr, 16);
	/* An address of a link has one, to which the socket is bound. */
	addr->v6.sin6_scope_id = READ_ONCE(sk->sk_bound_dev_if);
	return sizeof(addr->v6);
}

/**
 * ckpt_inet_bind() - give a new socket its address, as bind(2) does
 * @ctx: the restart
 * @sock: the socket
 * @p: its record
 * @name: the address
 *
 * With the rights of current.
 *
 * Return: 0, or -errno, noted as a reason.
 */
int ckpt_inet_bind(struct ckpt_ctx *ctx, struct socket *sock,
		   const struct ckpt_inet *p, const struct ckpt_inet_name *name)
{
	bool v6only = sock->sk->sk_ipv6only;
	union inet_address addr;
	int len, ret;

	len = make_address(&addr, sock->sk, p->family, name);
	ret = __sys_bind_socket(sock, &addr.any, len);
	switch (ret) {
	case 0:
		/* That was set, and an address of IPv6 changes it. */
		lock_sock(sock->sk);
		sock->sk->sk_ipv6only = v6only;
		release_sock(sock->sk);
		return 0;
	case -EADDRINUSE:
		return ckpt_refuse(ctx, ret,
				   "%pISpc is in use, or was a minute ago by a connection (which SO_REUSEADDR would not mind)",
				   (struct sockaddr *)&addr);
	case -EADDRNOTAVAIL:
		return ckpt_refuse(ctx, ret,
				   "%pISpc is not an address of this machine",
				   (struct sockaddr *)&addr);
	case -EACCES:
	case -EPERM:
		return ckpt_refuse(ctx, ret, "no permission to use %pISpc",
				   (struct sockaddr *)&addr);
	default:
		return ckpt_refuse(ctx, ret, "cannot bind to %pISpc",
				   (struct sockaddr *)&addr);
	}
}

/**
 * ckpt_inet_connect() - as connect(2)
 * @sock: a new socket
 * @family: of the address
 * @name: the address
 *
 * Return: 0 or -errno.
 */
int ckpt_inet_connect(struct socket *sock, u32 family,
		      const struct ckpt_inet_name *name)
{
	union inet_address addr;
	int len, ret;

	len = make_address(&addr, sock->sk, family, name);
	ret = security_socket_connect(sock, (struct sockaddr *)&addr, len);
	if (ret)
		return ret;
	return sock->ops->connect(sock, (struct sockaddr *)&addr, len,
				  O_NONBLOCK);
}

/**
 * ckpt_inet_set_locks() - who chose the address and the port
 * @sk: a socket that is bound
 * @flags: CKPT_INET_*
 */
void ckpt_inet_set_locks(struct sock *sk, u32 flags)
{
	lock_sock(sk);
	sk->sk_userlocks &= ~(SOCK_BINDADDR_LOCK | SOCK_BINDPORT_LOCK);
	if (flags & CKPT_INET_ADDR_LOCK)
		sk->sk_userlocks |= SOCK_BINDADDR_LOCK;
	if (flags & CKPT_INET_PORT_LOCK)
		sk->sk_userlocks |= SOCK_BINDPORT_LOCK;
	release_sock(sk);
}

/* A name that the socket has no more, and whether it has told the end. */
static void show_past(struct sock *sk, const struct ckpt_inet *p)
{
	struct inet_sock *inet = inet_sk(sk);

	lock_sock(sk);
	if (p->flags & CKPT_INET_DONE)
		sock_set_flag(sk, SOCK_DONE);
	inet->inet_dport = htons(p->remote.port);
	if (!(p->flags & CKPT_INET_BOUND))
		inet->inet_sport = htons(p->local.port);
#if IS_ENABLED(CONFIG_IPV6)
	if (p->family == AF_INET6) {
		memcpy(&sk->sk_v6_daddr, p->remote.addr, 16);
		/* Otherwise bind() has set it, and hashed it. */
		if (!(p->flags & CKPT_INET_BOUND)) {
			memcpy(&sk->sk_v6_rcv_saddr, p->local.addr, 16);
			memcpy(&inet6_sk(sk)->saddr, p->local.addr, 16);
		}
		release_sock(sk);
		return;
	}
#endif
	memcpy(&inet->inet_daddr, p->remote.addr, 4);
	if (!(p->flags & CKPT_INET_BOUND)) {
		memcpy(&inet->inet_rcv_saddr, p->local.addr, 4);
		inet->inet_saddr = inet->inet_rcv_saddr;
	}
	release_sock(sk);
}

/* --- restarting: the socket ----------------------------------------------- */

static int set_congestion(struct ckpt_ctx *ctx, struct socket *sock,
			  const struct ckpt_inet *p)
{
	const char *name = (const char *)p->congestion;
	int ret;

	if (p->sock.type != SOCK_STREAM ||
	    !strcmp(inet_csk(sock->sk)->icsk_ca_ops->name, name))
		return 0;
	ret = do_sock_setsockopt(sock, false, SOL_TCP, TCP_CONGESTION,
				 KERNEL_SOCKPTR((void *)name), strlen(name));
	if (ret)
		return ckpt_refuse(ctx, ret,
				   "cannot use the congestion control %s",
				   name);
	return 0;
}

static int set_options(struct ckpt_ctx *ctx, struct socket *sock,
		       const struct ckpt_inet *p, u32 nr)
{
	int value, now, ret;
	u32 i;

	for (i = 0; i < nr; i++) {
		struct inet_option opt = {
			.level = p->options[i].level,
			.name = p->options[i].name,
		};

		value = p->options[i].value;
		ret = read_option(sock->sk, &opt, &now);
		if (!ret && now != value)
			ret = do_sock_setsockopt(sock, false, opt.level,
						 opt.name,
						 KERNEL_SOCKPTR(&value),
						 sizeof(value));
		if (ret)
			return ckpt_refuse(ctx, ret,
					   "cannot set option %d of level %d of a socket",
					   opt.name, opt.level);
	}
	return 0;
}

/**
 * ckpt_inet_set_error() - the error that SO_ERROR will tell
 * @sk: the socket, otherwise restored
 * @p: its record
 */
void ckpt_inet_set_error(struct sock *sk, const struct ckpt_inet *p)
{
	WRITE_ONCE(sk->sk_err, p->sock.error);
	WRITE_ONCE(sk->sk_err_soft, p->sock.error_soft);
}

/* A datagram socket sends to whom it likes, and receives from nobody else. */
static int connect_udp(struct ckpt_ctx *ctx, struct socket *sock,
		       const struct ckpt_inet *p)
{
	union inet_address addr;
	int ret;

	make_address(&addr, sock->sk, p->family, &p->remote);
	ret = ckpt_inet_connect(sock, p->family, &p->remote);
	if (ret)
		return ckpt_refuse(ctx, ret, "cannot send to %pISpc",
				   (struct sockaddr *)&addr);
#if IS_ENABLED(CONFIG_IPV6)
	/* What bind() to an address of IPv6 leaves; connect() leaves none. */
	lock_sock(sock->sk);
	if (p->family == AF_INET6 && !(p->flags & CKPT_INET_ADDR_LOCK) &&
	    inet_sk(sock->sk)->inet_saddr == LOOPBACK4_IPV6)
		inet_sk(sock->sk)->inet_saddr = 0;
	release_sock(sock->sk);
#endif
	return 0;
}

/* Who chose it, bind() or connect(), is told by the locks. */
static int bind_own(struct ckpt_ctx *ctx, struct socket *sock,
		    const struct ckpt_inet *p)
{
	if (p->flags & CKPT_INET_BOUND ||
	    (p->flags & CKPT_INET_ADDR_LOCK && !p->local.port))
		return ckpt_inet_bind(ctx, sock, p, &p->local);
	return 0;
}

static int restore_udp(struct ckpt_ctx *ctx, struct socket *sock,
		       const struct ckpt_inet *p)
{
	struct sock *sk = sock->sk;
	int ret;

	WRITE_ONCE(udp_sk(sk)->forward_threshold, sk->sk_rcvbuf >> 2);
	ret = bind_own(ctx, sock, p);
	if (!ret && p->state == CKPT_INET_CONNECTED)
		ret = connect_udp(ctx, sock, p);
	if (ret)
		return ret;
	ckpt_inet_set_locks(sk, p->flags);
	WRITE_ONCE(sk->sk_shutdown, p->shutdown);
	ckpt_inet_set_error(sk, p);
	sock->state = p->socket_state;
	return 0;
}

static int restore_tcp(struct ckpt_ctx *ctx, struct socket *sock,
		       const struct ckpt_inet *p)
{
	struct sock *sk = sock->sk;
	int ret;

	/* That is done when all others have their ports. */
	if (p->state == CKPT_INET_CONNECTED)
		return 0;
	ret = bind_own(ctx, sock, p);
	if (ret)
		return ret;
	ckpt_inet_set_locks(sk, p->flags);
	if (p->state == CKPT_INET_CLOSED) {
		show_past(sk, p);
		WRITE_ONCE(sk->sk_shutdown, p->shutdown);
		sock->state = p->socket_state;
	}
	ckpt_inet_set_error(sk, p);
	return 0;
}

/* Who closes it here was not told to wait by SO_LINGER: that is over. */
static void forget_linger(struct sock *sk)
{
	lock_sock(sk);
	sock_reset_flag(sk, SOCK_LINGER);
	release_sock(sk);
}

static void inet_live_free(void *ptr)
{
	struct ckpt_inet_live *live = ptr;

	if (!live->committed) {
		ckpt_tcp_silence(live->sk);
		if (live->gone)
			ckpt_tcp_silence(live->gone->sk);
	}
	if (live->gone)
		sock_release(live->gone);
	if (live->base.sock && !live->base.file)
		forget_linger(live->sk);
	ckpt_sock_live_close(&live->base);
	if (live->sk)
		sock_put(live->sk);
	kfree(live);
}

/* Can others send to it without having been accepted? */
static bool is_open(const struct ckpt_inet *p)
{
	return p->sock.type == SOCK_DGRAM || p->state == CKPT_INET_LISTENING;
}

/* Who listens or is connected has a TCP record, too. */
static bool is_complete(struct ckpt_ctx *ctx, const struct ckpt_rec *rec)
{
	const struct ckpt_inet *p = (const void *)rec->payload;
	struct ckpt_rec *other;

	if (p->sock.type != SOCK_STREAM || p->flags & CKPT_INET_DEAD ||
	    (p->state != CKPT_INET_LISTENING &&
	     p->state != CKPT_INET_CONNECTED))
		return true;
	list_for_each_entry(other, &ckpt_obj_get(ctx, rec->objref)->recs, own)
		if (other->kind == &ckpt_kind_tcp)
			return true;
	return false;
}

static int inet_restore(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_inet *p = ckpt_payload(rec, struct ckpt_inet);
	u32 nr = ckpt_tail_len(rec, sizeof(*p)) / sizeof(p->options[0]);
	const struct cred *old, *cred = ctx->caller_cred;
	struct ckpt_sock options = p->sock;
	struct ckpt_inet_live *live;
	struct socket *sock;
	int ret;

	if (!is_complete(ctx, rec))
		return ckpt_refuse(ctx, -EINVAL,
				   "a connection without its state");
	if (p->cred)
		cred = ckpt_obj_ptr(ctx, p->cred);
	live = kzalloc(sizeof(*live), GFP_KERNEL_ACCOUNT);
	if (!live)
		return -ENOMEM;
	live->rec = rec;
	ckpt_obj_set(ctx, rec->objref, live, inet_live_free);

	old = override_creds(cred);
	ret = sock_create(p->family, p->sock.type, p->sock.protocol, &sock);
	revert_creds(old);
	if (ret)
		return ckpt_refuse(ctx, ret, "cannot make a socket");
	live->base.sock = sock;
	live->sk = sock->sk;
	sock_hold(live->sk);

	/* An error would be told to what follows. */
	options.error = 0;
	options.error_soft = 0;
	ret = set_congestion(ctx, sock, p);
	if (!ret)
		ret = set_options(ctx, sock, p, nr);
	if (!ret)
		ret = ckpt_sock_restore(ctx, sock, &options);
	if (!ret && is_open(p))
		ret = ckpt_sock_filter_shut(ctx, live->sk);
	if (ret)
		return ret;
	return p->sock.type == SOCK_STREAM ? restore_tcp(ctx, sock, p) :
					     restore_udp(ctx, sock, p);
}

static void inet_commit(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	const struct ckpt_inet *p = ckpt_payload(rec, struct ckpt_inet);
	struct ckpt_inet_live *live = ckpt_obj_ptr(ctx, rec->objref);

	if (is_open(p))
		ckpt_sock_filter_open(&live->base, live->sk);
	atomic_set(&live->sk->sk_drops, p->drops);
	live->committed = true;
}

const struct ckpt_kind ckpt_kind_inet = {
	.name		= "inet",
	.about		= "TCP and UDP over IPv4 and IPv6: names, options",
	.family		= CKPT_FAMILY_OBJECT,
	.type		= CKPT_REC_INET,
	.phase		= CKPT_PHASE_OBJECT,
	.version	= 1,
	.min_version	= 1,
	CKPT_PAYLOAD_TAIL(struct ckpt_inet, ARRAY_SIZE(inet_options) *
			  sizeof(struct ckpt_inet_option)),
	.object		= true,
	.obj_get	= inet_get,
	.obj_put	= inet_put,
	.obj_collect	= inet_collect,
	.obj_save	= inet_save,
	.check		= inet_check,
	.restore	= inet_restore,
	.commit		= inet_commit,
};
