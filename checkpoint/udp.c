// SPDX-License-Identifier: GPL-2.0
/*
 * Datagrams that wait in UDP sockets. The socket itself: inet.c.
 */

#include <linux/in.h>
#include <linux/ip.h>
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <linux/udp.h>
#include <net/dsfield.h>
#include <net/ipv6.h>
#include <net/udp.h>

#include "inet.h"

static_assert(UDP_FLAGS_UDPLITE_RECV_CC == 8);

/* So many times the receive buffer can be in it; memory is counted roughly. */
#define MAX_OVERRUN	4
/* Datagrams up to here are in one piece. */
#define MAX_LINEAR	2048
/* What its length field can tell. */
#define MAX_DATAGRAM	(U16_MAX - sizeof(struct udphdr))

/* udp_sock.udp_flags that options set; ENCAP_ENABLED comes with GRO_ENABLED. */
#define SAVED_UDP_FLAGS							\
	(BIT(UDP_FLAGS_CORK) | BIT(UDP_FLAGS_NO_CHECK6_TX) |		\
	 BIT(UDP_FLAGS_NO_CHECK6_RX) | BIT(UDP_FLAGS_GRO_ENABLED) |	\
	 BIT(UDP_FLAGS_ACCEPT_L4) | BIT(UDP_FLAGS_ENCAP_ENABLED))

/* --- saving --------------------------------------------------------------- */

/*
 * The datagrams that wait, in order and held. Return: how many, or -ENOMEM. What
 * comes meanwhile is or is not among them.
 */
static int get_datagrams(struct sock *sk, struct sk_buff ***skbs)
{
	struct sk_buff_head *front = &udp_sk(sk)->reader_queue;
	struct sk_buff_head *back = &sk->sk_receive_queue;
	struct sk_buff *skb;
	int max, nr = 0;

	max = skb_queue_len_lockless(front) + skb_queue_len_lockless(back);
	*skbs = kvmalloc_array(max + 1, sizeof(**skbs), GFP_KERNEL_ACCOUNT);
	if (!*skbs)
		return -ENOMEM;
	spin_lock_bh(&front->lock);
	spin_lock(&back->lock);
	skb_queue_walk(front, skb)
		if (nr < max)
			(*skbs)[nr++] = skb_get(skb);
	skb_queue_walk(back, skb)
		if (nr < max)
			(*skbs)[nr++] = skb_get(skb);
	spin_unlock(&back->lock);
	spin_unlock_bh(&front->lock);
	return nr;
}

static void put_datagrams(struct sk_buff **skbs, int nr)
{
	while (nr > 0)
		consume_skb(skbs[--nr]);
	kvfree(skbs);
}

static bool is_ipv4(const struct sk_buff *skb)
{
	return skb->protocol == htons(ETH_P_IP);
}

/* Does the program get more with them than contents, sender, time, losses? */
static bool wants_more(struct sock *sk)
{
	if (inet_cmsg_flags(inet_sk(sk)) || udp_test_bit(GRO_ENABLED, sk) ||
	    sock_flag(sk, SOCK_RCVMARK) ||
	    READ_ONCE(sk->sk_tsflags) & SOF_TIMESTAMPING_RAW_HARDWARE)
		return true;
#if IS_ENABLED(CONFIG_IPV6)
	if (sk->sk_family == AF_INET6 && inet6_sk(sk)->rxopt.all)
		return true;
#endif
	return false;
}

/* Is its sender's name nothing without a device? */
static bool is_from_link(const struct sk_buff *skb)
{
	return !is_ipv4(skb) &&
	       ipv6_addr_type(&ipv6_hdr(skb)->saddr) & IPV6_ADDR_LINKLOCAL;
}

static int collect_datagrams(struct ckpt_ctx *ctx, struct sock *sk)
{
	struct sk_buff **skbs;
	int i, nr, ret = 0;

	nr = get_datagrams(sk, &skbs);
	if (nr < 0)
		return nr;
	if (nr && wants_more(sk))
		ret = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "datagrams that were not read, of a socket that asks for control messages (like IP_PKTINFO), are not supported");
	for (i = 0; i < nr; i++) {
		if (!is_from_link(skbs[i]))
			continue;
		ret = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "a datagram that was not read from an address of a link is not supported");
		break;
	}
	put_datagrams(skbs, nr);
	return ret;
}

/**
 * ckpt_udp_collect() - find what cannot be saved of a UDP socket
 * @ctx: the checkpoint
 * @sk: the socket
 *
 * Return: 0, or the last -errno, noted as reasons.
 */
int ckpt_udp_collect(struct ckpt_ctx *ctx, struct sock *sk)
{
	struct udp_sock *up = udp_sk(sk);
	int ret;

	ret = collect_datagrams(ctx, sk);
	if (READ_ONCE(up->pending))
		ret = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "a datagram that is not complete (MSG_MORE, UDP_CORK) is not supported");
	if (READ_ONCE(up->encap_type) || READ_ONCE(up->encap_rcv) ||
	    READ_ONCE(up->udp_flags) & ~SAVED_UDP_FLAGS)
		ret = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "encapsulation in UDP is not supported");
	return ret;
}

static void fill_headers(const struct sk_buff *skb, struct ckpt_inet_msg *rec)
{
	const struct ipv6hdr *v6 = ipv6_hdr(skb);
	const struct iphdr *v4 = ip_hdr(skb);

	rec->from.port = ntohs(udp_hdr(skb)->source);
	rec->to.port = ntohs(udp_hdr(skb)->dest);
	rec->stamp_ns = ktime_to_ns(skb->tstamp);
	rec->drops = SOCK_SKB_CB(skb)->dropcount;
	if (is_ipv4(skb)) {
		rec->family = AF_INET;
		memcpy(rec->from.addr, &v4->saddr, 4);
		memcpy(rec->to.addr, &v4->daddr, 4);
		rec->ttl = v4->ttl;
		rec->tos = v4->tos;
		return;
	}
	rec->family = AF_INET6;
	memcpy(rec->from.addr, &v6->saddr, 16);
	memcpy(rec->to.addr, &v6->daddr, 16);
	rec->ttl = v6->hop_limit;
	rec->tos = ipv6_get_dsfield(v6);
}

static int save_datagram(struct ckpt_ctx *ctx, struct ckpt_obj *obj,
			 struct sk_buff *skb)
{
	struct ckpt_inet_msg rec = {};
	u8 *data;
	int ret;

	/* Whoever reads it would not get it. */
	if (udp_lib_checksum_complete(skb))
		return 0;
	data = kvmalloc(skb->len + 1, GFP_KERNEL_ACCOUNT);
	if (!data)
		return -ENOMEM;
	fill_headers(skb, &rec);
	ret = skb_copy_bits(skb, 0, data, skb->len);
	if (ret)
		ckpt_refuse(ctx, ret, "a datagram cannot be read");
	else
		ret = ckpt_write_tail(ctx, &ckpt_kind_inet_msg, obj->ref, &rec,
				      sizeof(rec), data, skb->len);
	kvfree(data);
	return ret;
}

/**
 * ckpt_udp_save() - write the records of the datagrams in a socket
 * @ctx: the checkpoint
 * @obj: the socket's object, which was written
 *
 * Those that could not be saved were refused. When there are some now they have
 * come later, and are left out: a datagram can get lost.
 *
 * Return: 0 or -errno.
 */
int ckpt_udp_save(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	struct sk_buff **skbs;
	int i, nr, ret = 0;

	if (wants_more(obj->ptr))
		return 0;
	nr = get_datagrams(obj->ptr, &skbs);
	if (nr < 0)
		return nr;
	for (i = 0; i < nr && !ret; i++)
		if (!is_from_link(skbs[i]))
			ret = save_datagram(ctx, obj, skbs[i]);
	put_datagrams(skbs, nr);
	return ret;
}

/* --- restarting ----------------------------------------------------------- */

static int inet_msg_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_inet_msg *p = ckpt_payload(rec, struct ckpt_inet_msg);
	const struct ckpt_inet *inet = ckpt_inet_of(ctx, rec->objref);

	if (!inet || inet->sock.type != SOCK_DGRAM ||
	    (p->family != AF_INET && p->family != AF_INET6) ||
	    (p->family == AF_INET6 && inet->family == AF_INET) ||
	    p->ttl > U8_MAX || p->tos > U8_MAX || p->stamp_ns < 0)
		return ckpt_refuse(ctx, -EINVAL, "bad datagram");
	if (!ckpt_inet_name_valid(&p->from, p->family) ||
	    !ckpt_inet_name_valid(&p->to, p->family))
		return ckpt_refuse(ctx, -EINVAL, "bad name in a datagram");
	return 0;
}

static void put_headers(struct sk_buff *skb, const struct ckpt_inet_msg *p,
			u32 len)
{
	struct ipv6hdr *v6;
	struct udphdr *uh;
	struct iphdr *v4;

	skb_reset_network_header(skb);
	if (p->family == AF_INET) {
		v4 = skb_put_zero(skb, sizeof(*v4));
		v4->version = 4;
		v4->ihl = sizeof(*v4) / 4;
		v4->tos = p->tos;
		v4->ttl = p->ttl;
		v4->protocol = IPPROTO_UDP;
		v4->tot_len = htons(min_t(u32, U16_MAX, sizeof(*v4) +
					  sizeof(*uh) + len));
		memcpy(&v4->saddr, p->from.addr, 4);
		memcpy(&v4->daddr, p->to.addr, 4);
		skb->protocol = htons(ETH_P_IP);
	} else {
		v6 = skb_put_zero(skb, sizeof(*v6));
		ip6_flow_hdr(v6, p->tos, 0);
		v6->hop_limit = p->ttl;
		v6->nexthdr = IPPROTO_UDP;
		v6->payload_len = htons(sizeof(*uh) + len);
		memcpy(&v6->saddr, p->from.addr, 16);
		memcpy(&v6->daddr, p->to.addr, 16);
		skb->protocol = htons(ETH_P_IPV6);
	}
	skb_set_transport_header(skb, skb->len);
	uh = skb_put_zero(skb, sizeof(*uh));
	uh->source = htons(p->from.port);
	uh->dest = htons(p->to.port);
	uh->len = htons(sizeof(*uh) + len);
}

static struct sk_buff *make_datagram(const struct ckpt_inet_msg *p, u32 len)
{
	u32 room = sizeof(struct ipv6hdr) + sizeof(struct udphdr);
	u32 linear = len <= MAX_LINEAR ? len : 0;
	struct sk_buff *skb;
	int ret;

	skb = alloc_skb_with_frags(room + linear, len - linear,
				   PAGE_ALLOC_COSTLY_ORDER, &ret, GFP_KERNEL);
	if (!skb)
		return NULL;
	put_headers(skb, p, len);
	__skb_pull(skb, skb->len);
	skb_put(skb, linear);
	skb->data_len = len - linear;
	skb->len = len;
	if (skb_store_bits(skb, 0, p->data, len)) {
		kfree_skb(skb);
		return NULL;
	}
	skb->ip_summed = CHECKSUM_UNNECESSARY;
	skb->tstamp = ns_to_ktime(p->stamp_ns);
	return skb;
}

/* As if it had just come. */
static int inet_msg_restore(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_inet_msg *p = ckpt_payload(rec, struct ckpt_inet_msg);
	struct ckpt_inet_live *live = ckpt_obj_ptr(ctx, rec->objref);
	struct sock *sk = live->sk;
	struct sk_buff *skb;
	int rcvbuf, ret;

	if (sk_rmem_alloc_get(sk) / MAX_OVERRUN > ckpt_sock_max_receive(sk))
		return ckpt_refuse(ctx, -ENOBUFS,
				   "more datagrams than the socket has room for");
	skb = make_datagram(p, ckpt_tail_len(rec, sizeof(*p)));
	if (!skb)
		return -ENOMEM;
	lock_sock(sk);
	rcvbuf = sk->sk_rcvbuf;
	WRITE_ONCE(sk->sk_rcvbuf, INT_MAX / 2);
	/* The socket's own number comes at the commit. */
	atomic_set(&sk->sk_drops, p->drops);
	local_bh_disable();
	ret = __udp_enqueue_schedule_skb(sk, skb);
	local_bh_enable();
	WRITE_ONCE(sk->sk_rcvbuf, rcvbuf);
	release_sock(sk);
	if (!ret)
		return 0;
	kfree_skb(skb);
	return ckpt_refuse(ctx, ret, "cannot put a datagram into a socket");
}

const struct ckpt_kind ckpt_kind_inet_msg = {
	.name		= "inet_msg",
	.about		= "datagrams in UDP sockets, with sender and time",
	.family		= CKPT_FAMILY_OBJECT,
	.type		= CKPT_REC_INET_MSG,
	.phase		= CKPT_PHASE_OBJECT,
	.version	= 1,
	.min_version	= 1,
	CKPT_PAYLOAD_TAIL(struct ckpt_inet_msg, MAX_DATAGRAM),
	.owner		= CKPT_REC_INET,
	.check		= inet_msg_check,
	.restore	= inet_msg_restore,
};
