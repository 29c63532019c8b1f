// SPDX-License-Identifier: GPL-2.0
/*
 * Netlink sockets, by which the kernel tells of links, routes and devices.
 *
 * An object NETLINK is a struct sock, and each message that waits in it is a
 * record. Supported are families of which the kernel knows no more about a
 * socket than is in struct netlink_sock: no tables that belong to it, no
 * listeners that were registered under its portid. Nothing is between two
 * sockets.
 *
 * A portid is an address: the program may know it (getsockname()), finds it in
 * answers, and compares. So a socket has its own again, also when the kernel
 * had taken the pid for it and the process has a fresh one now.
 *
 * A restart makes the socket and lets bind(2), connect(2) and setsockopt(2) do
 * the rest, with their checks. Until the restart is complete it takes no
 * messages: these would come before the saved ones, and pass no filter.
 */

#include <linux/bitmap.h>
#include <linux/net.h>
#include <linux/netlink.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/security.h>
#include <linux/skbuff.h>
#include <linux/slab.h>

#include "../net/netlink/af_netlink.h"
#include "socket.h"

/* What is new must be thought about. */
static_assert(NETLINK_F_STRICT_CHK == 7);
static_assert(NETLINK_SMC == 22);
static_assert(sizeof(struct netlink_skb_parms) ==
	      offsetof(struct netlink_skb_parms, nsid) + sizeof(int));

/* The bit of netlink_sock.state, private to af_netlink.c. */
#define STATE_CONGESTED		0

/* Families with more have no bits here. */
#define MAX_GROUPS		1024
#define MAX_WORDS		(MAX_GROUPS / 32)
/* connect() takes groups as a mask. */
#define MAX_DST_GROUP		32
/* Answers are not made longer, see netlink_recvmsg(). */
#define MAX_RECV		32768
/* So many times the receive buffer can be in it; memory is counted roughly. */
#define MAX_OVERRUN		4
#define MAX_MSG			(CKPT_MAX_RECORD - \
				 sizeof(struct ckpt_netlink_msg))

/* Options that are on or off. */
static const struct {
	u32 flag;
	int bit;
	int option;
} switches[] = {
	{ CKPT_NETLINK_PKTINFO, NETLINK_F_RECV_PKTINFO, NETLINK_PKTINFO },
	{ CKPT_NETLINK_BROADCAST_ERROR, NETLINK_F_BROADCAST_SEND_ERROR,
	  NETLINK_BROADCAST_ERROR },
	{ CKPT_NETLINK_NO_ENOBUFS, NETLINK_F_RECV_NO_ENOBUFS,
	  NETLINK_NO_ENOBUFS },
	{ CKPT_NETLINK_LISTEN_ALL_NSID, NETLINK_F_LISTEN_ALL_NSID,
	  NETLINK_LISTEN_ALL_NSID },
	{ CKPT_NETLINK_CAP_ACK, NETLINK_F_CAP_ACK, NETLINK_CAP_ACK },
	{ CKPT_NETLINK_EXT_ACK, NETLINK_F_EXT_ACK, NETLINK_EXT_ACK },
	{ CKPT_NETLINK_GET_STRICT_CHK, NETLINK_F_STRICT_CHK,
	  NETLINK_GET_STRICT_CHK },
};

#define OTHER_FLAGS	(CKPT_NETLINK_BOUND | CKPT_NETLINK_CONNECTED |	\
			 CKPT_NETLINK_CONGESTED)

static const char *const families[MAX_LINKS] = {
	[NETLINK_ROUTE] = "NETLINK_ROUTE",
	[NETLINK_USERSOCK] = "NETLINK_USERSOCK",
	[NETLINK_SOCK_DIAG] = "NETLINK_SOCK_DIAG",
	[NETLINK_NFLOG] = "NETLINK_NFLOG",
	[NETLINK_XFRM] = "NETLINK_XFRM",
	[NETLINK_SELINUX] = "NETLINK_SELINUX",
	[NETLINK_ISCSI] = "NETLINK_ISCSI",
	[NETLINK_AUDIT] = "NETLINK_AUDIT",
	[NETLINK_FIB_LOOKUP] = "NETLINK_FIB_LOOKUP",
	[NETLINK_CONNECTOR] = "NETLINK_CONNECTOR",
	[NETLINK_NETFILTER] = "NETLINK_NETFILTER",
	[NETLINK_KOBJECT_UEVENT] = "NETLINK_KOBJECT_UEVENT",
	[NETLINK_GENERIC] = "NETLINK_GENERIC",
	[NETLINK_SCSITRANSPORT] = "NETLINK_SCSITRANSPORT",
	[NETLINK_ECRYPTFS] = "NETLINK_ECRYPTFS",
	[NETLINK_RDMA] = "NETLINK_RDMA",
	[NETLINK_CRYPTO] = "NETLINK_CRYPTO",
	[NETLINK_SMC] = "NETLINK_SMC",
};

static const char *family_name(u32 protocol)
{
	const char *name = protocol < MAX_LINKS ? families[protocol] : NULL;

	return name ?: "an unknown family";
}

static bool is_supported(u32 protocol)
{
	switch (protocol) {
	case NETLINK_ROUTE:
	case NETLINK_USERSOCK:
	case NETLINK_SOCK_DIAG:
	case NETLINK_KOBJECT_UEVENT:
		return true;
	default:
		return false;
	}
}

/* --- saving: messages ------------------------------------------------------ */

/*
 * The messages that wait, in order and held. Return: how many, or -ENOMEM. What
 * comes meanwhile is not a part of this moment.
 */
static int get_messages(struct sock *sk, struct sk_buff ***skbs)
{
	struct sk_buff_head *queue = &sk->sk_receive_queue;
	struct sk_buff *skb;
	int max, nr = 0;

	max = skb_queue_len_lockless(queue);
	*skbs = kvmalloc_array(max + 1, sizeof(**skbs), GFP_KERNEL_ACCOUNT);
	if (!*skbs)
		return -ENOMEM;
	spin_lock_irq(&queue->lock);
	skb_queue_walk(queue, skb)
		if (nr < max)
			(*skbs)[nr++] = skb_get(skb);
	spin_unlock_irq(&queue->lock);
	return nr;
}

static void put_messages(struct sk_buff **skbs, int nr)
{
	while (nr > 0)
		consume_skb(skbs[--nr]);
	kvfree(skbs);
}

/* What the kernel is for whom it sends to: itself, or root of that network. */
static void kernel_creds(struct sock *sk, bool root, struct scm_creds *creds)
{
	struct user_namespace *ns = sock_net(sk)->user_ns;
	kuid_t uid = make_kuid(ns, 0);
	kgid_t gid = make_kgid(ns, 0);

	*creds = (struct scm_creds) {
		.uid = root && uid_valid(uid) ? uid : GLOBAL_ROOT_UID,
		.gid = root && gid_valid(gid) ? gid : GLOBAL_ROOT_GID,
	};
}

static bool is_of_kernel(struct sock *sk, const struct netlink_skb_parms *cb,
			 bool root)
{
	struct scm_creds creds;

	kernel_creds(sk, root, &creds);
	return !cb->portid && cb->creds.pid == creds.pid &&
	       uid_eq(cb->creds.uid, creds.uid) &&
	       gid_eq(cb->creds.gid, creds.gid);
}

/* Return: 0, or -ENODATA for a sender that has no number in the image. */
static int fill_creds(struct ckpt_ctx *ctx, struct sock *sk,
		      const struct netlink_skb_parms *cb,
		      struct ckpt_netlink_msg *rec)
{
	struct user_namespace *ns = ctx->user_ns;

	if (is_of_kernel(sk, cb, false))
		return 0;
	if (is_of_kernel(sk, cb, true)) {
		rec->flags |= CKPT_NETLINK_MSG_ROOT;
		return 0;
	}
	if (!kuid_has_mapping(ns, cb->creds.uid) ||
	    !kgid_has_mapping(ns, cb->creds.gid))
		return -ENODATA;
	rec->flags |= CKPT_NETLINK_MSG_CREDS;
	rec->pid = cb->creds.pid;
	rec->uid = from_kuid(ns, cb->creds.uid);
	rec->gid = from_kgid(ns, cb->creds.gid);
	return 0;
}

/* Return: 0, or -ENODATA for a message that cannot be in an image. */
static int fill_msg(struct ckpt_ctx *ctx, struct sock *sk,
		    const struct sk_buff *skb, struct ckpt_netlink_msg *rec)
{
	const struct netlink_skb_parms *cb = &NETLINK_CB(skb);

	if (skb->len > MAX_MSG || cb->dst_group > MAX_GROUPS)
		return -ENODATA;
	*rec = (struct ckpt_netlink_msg) {
		.portid = cb->portid,
		.dst_group = cb->dst_group,
	};
	if (cb->nsid_is_set) {
		rec->flags |= CKPT_NETLINK_MSG_NSID;
		rec->nsid = cb->nsid;
	}
	return fill_creds(ctx, sk, cb, rec);
}

static int collect_messages(struct ckpt_ctx *ctx, struct sock *sk)
{
	struct ckpt_netlink_msg rec;
	struct sk_buff **skbs;
	int i, nr, ret = 0;

	nr = get_messages(sk, &skbs);
	if (nr < 0)
		return nr;
	for (i = 0; i < nr && !ret; i++)
		if (fill_msg(ctx, sk, skbs[i], &rec))
			ret = ckpt_refuse(ctx, -EOPNOTSUPP,
					  "a message of %u bytes that was not read, from a user without a number in the user namespace, or too long",
					  skbs[i]->len);
	put_messages(skbs, nr);
	return ret;
}

static int save_message(struct ckpt_ctx *ctx, struct ckpt_obj *obj,
			struct sk_buff *skb)
{
	struct ckpt_netlink_msg rec;
	u8 *data;
	int ret;

	ret = fill_msg(ctx, obj->ptr, skb, &rec);
	if (ret)
		return ret;
	data = kvmalloc(skb->len + 1, GFP_KERNEL_ACCOUNT);
	if (!data)
		return -ENOMEM;
	/* Not what 32-bit tasks would get instead, in its list of fragments. */
	ret = skb_copy_bits(skb, 0, data, skb->len);
	if (ret)
		ckpt_refuse(ctx, ret, "a message cannot be read");
	else
		ret = ckpt_write_tail(ctx, &ckpt_kind_netlink_msg, obj->ref,
				      &rec, sizeof(rec), data, skb->len);
	kvfree(data);
	return ret;
}

static int save_messages(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	struct sk_buff **skbs;
	int i, nr, ret = 0;

	nr = get_messages(obj->ptr, &skbs);
	if (nr < 0)
		return nr;
	for (i = 0; i < nr && !ret; i++)
		ret = save_message(ctx, obj, skbs[i]);
	put_messages(skbs, nr);
	/* What came later is not a part of this moment. */
	return ret == -ENODATA ? 0 : ret;
}

/* --- saving: the socket ---------------------------------------------------- */

static void netlink_get(void *ptr)
{
	sock_hold(ptr);
}

static void netlink_put(void *ptr)
{
	sock_put(ptr);
}

static unsigned long unknown_flags(struct netlink_sock *nlk)
{
	unsigned long known = 0;
	int i;

	for (i = 0; i < ARRAY_SIZE(switches); i++)
		known |= BIT(switches[i].bit);
	return READ_ONCE(nlk->flags) & ~known;
}

/* Return: how many the socket knows of, at most MAX_GROUPS. */
static u32 get_groups(struct netlink_sock *nlk, u32 *words)
{
	unsigned long flags;
	u32 nr;

	read_lock_irqsave(&nl_table_lock, flags);
	nr = min_t(u32, nlk->ngroups, MAX_GROUPS);
	bitmap_to_arr32(words, nlk->groups, nr);
	read_unlock_irqrestore(&nl_table_lock, flags);
	return nr;
}

static int netlink_collect(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	struct sock *sk = obj->ptr;
	struct netlink_sock *nlk = nlk_sk(sk);
	const struct cred *cred;
	int ret, err;

	if (sk->sk_protocol == NETLINK_GENERIC)
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "generic netlink sockets (NETLINK_GENERIC) are not supported: what is registered with them, and the numbers of families and groups, are the running kernel's");
	if (!is_supported(sk->sk_protocol))
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "netlink sockets of %s (%d) are not supported",
				   family_name(sk->sk_protocol),
				   sk->sk_protocol);
	if (nlk_test_bit(KERNEL_SOCKET, sk) || nlk->netlink_rcv)
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "a socket that the kernel made for itself");

	ret = ckpt_sock_collect(ctx, sk);
	if (READ_ONCE(nlk->cb_running))
		ret = ckpt_refuse(ctx, -EAGAIN,
				  "the answer to a request (NLM_F_DUMP) is not read to its end, try again");
	if (READ_ONCE(nlk->ngroups) > MAX_GROUPS)
		ret = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "a family of %u groups", nlk->ngroups);
	if (unknown_flags(nlk) || READ_ONCE(nlk->state) & ~BIT(STATE_CONGESTED))
		ret = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "unsupported flags 0x%lx of a netlink socket, or state 0x%lx",
				  unknown_flags(nlk), READ_ONCE(nlk->state));
	err = collect_messages(ctx, sk);
	ret = ret ?: err;
	cred = ckpt_sock_cred(ctx, sk);
	if (!cred)
		return ret;
	err = ckpt_collect(ctx, &ckpt_kind_cred, (void *)cred);
	put_cred(cred);
	return ret ?: err;
}

static u32 fill_flags(struct netlink_sock *nlk)
{
	unsigned long bits = READ_ONCE(nlk->flags);
	u32 flags = 0;
	int i;

	for (i = 0; i < ARRAY_SIZE(switches); i++)
		if (bits & BIT(switches[i].bit))
			flags |= switches[i].flag;
	if (READ_ONCE(nlk->bound))
		flags |= CKPT_NETLINK_BOUND;
	if (READ_ONCE(nlk->sk.sk_state) == NETLINK_CONNECTED)
		flags |= CKPT_NETLINK_CONNECTED;
	if (test_bit(STATE_CONGESTED, &nlk->state))
		flags |= CKPT_NETLINK_CONGESTED;
	return flags;
}

static int netlink_save(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	struct sock *sk = obj->ptr;
	struct netlink_sock *nlk = nlk_sk(sk);
	const struct cred *cred;
	struct ckpt_netlink rec = {};
	u32 groups[MAX_WORDS];
	int ret;

	ckpt_sock_fill(sk, &rec.sock);
	cred = ckpt_sock_cred(ctx, sk);
	rec.cred = ckpt_ref(ctx, cred);
	put_cred(cred);
	rec.flags = fill_flags(nlk);
	rec.portid = READ_ONCE(nlk->portid);
	if (rec.flags & CKPT_NETLINK_CONNECTED) {
		rec.dst_portid = READ_ONCE(nlk->dst_portid);
		rec.dst_group = READ_ONCE(nlk->dst_group);
	}
	rec.max_recv = READ_ONCE(nlk->max_recvmsg_len);
	rec.drops = atomic_read(&sk->sk_drops);
	rec.nr_groups = get_groups(nlk, groups);
	ret = ckpt_write_tail(ctx, obj->kind, obj->ref, &rec, sizeof(rec),
			      groups, BITS_TO_U32(rec.nr_groups) * sizeof(u32));
	return ret ?: save_messages(ctx, obj);
}

/* --- restarting: the socket ------------------------------------------------ */

/**
 * struct netlink_live - a socket that is restored
 * @base: the socket and its description
 * @sk: the same socket, held
 * @drops: of the saved one
 * @congested: so was that
 * @committed: others can have it
 */
struct netlink_live {
	struct ckpt_sock_live base;
	struct sock *sk;
	u32 drops;
	bool congested;
	bool committed;
};

static bool flags_valid(const struct ckpt_netlink *p)
{
	u32 known = OTHER_FLAGS;
	int i;

	for (i = 0; i < ARRAY_SIZE(switches); i++)
		known |= switches[i].flag;
	if (p->flags & ~known)
		return false;
	if (p->flags & CKPT_NETLINK_BOUND && !p->portid)
		return false;
	/* connect() binds it. */
	if (p->flags & CKPT_NETLINK_CONNECTED)
		return p->flags & CKPT_NETLINK_BOUND &&
		       p->dst_group <= MAX_DST_GROUP;
	return !p->dst_portid && !p->dst_group;
}

static bool groups_valid(const struct ckpt_netlink *p, u32 len)
{
	u32 rest = p->nr_groups % 32;

	if (p->nr_groups > MAX_GROUPS ||
	    len != BITS_TO_U32(p->nr_groups) * sizeof(p->groups[0]))
		return false;
	return !rest || !(p->groups[p->nr_groups / 32] >> rest);
}

static int netlink_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_netlink *p = ckpt_payload(rec, struct ckpt_netlink);

	if ((p->sock.type != SOCK_RAW && p->sock.type != SOCK_DGRAM) ||
	    !is_supported(p->sock.protocol))
		return ckpt_refuse(ctx, -EINVAL, "bad type of a netlink socket");
	if (!flags_valid(p) || p->max_recv > MAX_RECV)
		return ckpt_refuse(ctx, -EINVAL,
				   "bad state of a netlink socket");
	if (!groups_valid(p, ckpt_tail_len(rec, sizeof(*p))))
		return ckpt_refuse(ctx, -EINVAL,
				   "bad groups of a netlink socket");
	if (!ckpt_ref_is_type(ctx, p->cred, CKPT_REC_CRED))
		return ckpt_refuse(ctx, -EINVAL,
				   "a netlink socket without credentials");
	return ckpt_sock_check(ctx, &p->sock);
}

static int set_option(struct socket *sock, int option, int value)
{
	return do_sock_setsockopt(sock, false, SOL_NETLINK, option,
				  KERNEL_SOCKPTR(&value), sizeof(value));
}

/*
 * Who listens to other network namespaces must have a file, by which a broadcast
 * judges its rights: that is for netlink_commit().
 */
static int set_switches(struct ckpt_ctx *ctx, struct socket *sock, u32 flags)
{
	int i, ret;

	if (flags & CKPT_NETLINK_LISTEN_ALL_NSID &&
	    !ns_capable(sock_net(sock->sk)->user_ns, CAP_NET_BROADCAST))
		return ckpt_refuse(ctx, -EPERM,
				   "option %d of a netlink socket needs CAP_NET_BROADCAST",
				   NETLINK_LISTEN_ALL_NSID);
	flags &= ~CKPT_NETLINK_LISTEN_ALL_NSID;
	for (i = 0; i < ARRAY_SIZE(switches); i++) {
		if (!(flags & switches[i].flag))
			continue;
		ret = set_option(sock, switches[i].option, 1);
		if (ret)
			return ckpt_refuse(ctx, ret,
					   "cannot set option %d of a netlink socket",
					   switches[i].option);
	}
	return 0;
}

union netlink_address {
	struct sockaddr_storage any;
	struct sockaddr_nl nl;
};

static int bind_portid(struct ckpt_ctx *ctx, struct socket *sock,
		       const struct ckpt_netlink *p)
{
	union netlink_address addr = {
		.nl = { .nl_family = AF_NETLINK, .nl_pid = p->portid },
	};
	int ret;

	if (!(p->flags & CKPT_NETLINK_BOUND)) {
		/* What a bind() leaves that was in vain. */
		WRITE_ONCE(nlk_sk(sock->sk)->portid, p->portid);
		return 0;
	}
	ret = __sys_bind_socket(sock, &addr.any, sizeof(addr.nl));
	if (ret == -EADDRINUSE)
		return ckpt_refuse(ctx, ret,
				   "another socket of %s has port id %u in this network namespace",
				   family_name(p->sock.protocol), p->portid);
	if (ret)
		return ckpt_refuse(ctx, ret,
				   "cannot bind a socket of %s to port id %u",
				   family_name(p->sock.protocol), p->portid);
	return 0;
}

/* Needs no more rights than the program needed, see NL_CFG_F_NONROOT_RECV. */
static int join_groups(struct ckpt_ctx *ctx, struct socket *sock,
		       const struct ckpt_netlink *p)
{
	DECLARE_BITMAP(groups, MAX_GROUPS);
	unsigned int group;
	int ret = 0;

	bitmap_from_arr32(groups, p->groups, p->nr_groups);
	for_each_set_bit(group, groups, p->nr_groups) {
		ret = set_option(sock, NETLINK_ADD_MEMBERSHIP, group + 1);
		if (ret == -EINVAL)
			return ckpt_refuse(ctx, -EOPNOTSUPP,
					   "%s has no group %u in this kernel",
					   family_name(p->sock.protocol),
					   group + 1);
		if (ret)
			return ckpt_refuse(ctx, ret,
					   "cannot be in group %u of %s",
					   group + 1,
					   family_name(p->sock.protocol));
	}
	/* Who has left all is told that there are some. */
	if (p->nr_groups && !nlk_sk(sock->sk)->ngroups)
		ret = set_option(sock, NETLINK_DROP_MEMBERSHIP, 1);
	if (ret)
		return ckpt_refuse(ctx, ret, "cannot have groups of %s",
				   family_name(p->sock.protocol));
	return 0;
}

/* As connect(2). */
static int connect_to(struct ckpt_ctx *ctx, struct socket *sock,
		      const struct ckpt_netlink *p)
{
	union netlink_address addr = {
		.nl = { .nl_family = AF_NETLINK, .nl_pid = p->dst_portid },
	};
	struct sockaddr *sa = (struct sockaddr *)&addr;
	int ret;

	if (!(p->flags & CKPT_NETLINK_CONNECTED))
		return 0;
	if (p->dst_group)
		addr.nl.nl_groups = BIT(p->dst_group - 1);
	ret = security_socket_connect(sock, sa, sizeof(addr.nl));
	if (!ret)
		ret = sock->ops->connect(sock, sa, sizeof(addr.nl), 0);
	if (ret)
		return ckpt_refuse(ctx, ret,
				   "cannot send to port id %u, group %u of %s",
				   p->dst_portid, p->dst_group,
				   family_name(p->sock.protocol));
	return 0;
}

/* Whoever sends alone to it waits, what is for all is not for it yet. */
static void close_gate(struct netlink_sock *nlk)
{
	set_bit(STATE_CONGESTED, &nlk->state);
}

static void open_gate(const struct netlink_live *live)
{
	struct netlink_sock *nlk = nlk_sk(live->sk);

	/* Those that did not get in are not its. */
	atomic_set(&live->sk->sk_drops, live->drops);
	if (live->congested)
		return;
	clear_bit(STATE_CONGESTED, &nlk->state);
	wake_up_interruptible(&nlk->wait);
}

/* The filter is attached by now, and no task of the tree has run. */
static void netlink_live_free(void *ptr)
{
	struct netlink_live *live = ptr;

	if (live->committed)
		open_gate(live);
	ckpt_sock_live_close(&live->base);
	if (live->sk)
		sock_put(live->sk);
	kfree(live);
}

static int netlink_restore(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_netlink *p = ckpt_payload(rec, struct ckpt_netlink);
	const struct cred *old;
	struct netlink_live *live;
	struct socket *sock;
	int ret;

	live = kzalloc(sizeof(*live), GFP_KERNEL_ACCOUNT);
	if (!live)
		return -ENOMEM;
	live->drops = p->drops;
	live->congested = p->flags & CKPT_NETLINK_CONGESTED;
	ckpt_obj_set(ctx, rec->objref, live, netlink_live_free);

	old = override_creds(ckpt_obj_ptr(ctx, p->cred));
	ret = sock_create(AF_NETLINK, p->sock.type, p->sock.protocol, &sock);
	revert_creds(old);
	if (ret)
		return ckpt_refuse(ctx, ret, "cannot make a socket of %s",
				   family_name(p->sock.protocol));
	live->base.sock = sock;
	live->sk = sock->sk;
	sock_hold(live->sk);

	WRITE_ONCE(nlk_sk(live->sk)->max_recvmsg_len,
		   min_t(u32, p->max_recv, SKB_WITH_OVERHEAD(MAX_RECV)));
	ret = ckpt_sock_restore(ctx, sock, &p->sock);
	if (!ret)
		ret = set_switches(ctx, sock, p->flags);
	if (ret)
		return ret;
	/* Nobody finds it before it has a name. */
	close_gate(nlk_sk(live->sk));
	ret = bind_portid(ctx, sock, p);
	if (!ret)
		ret = join_groups(ctx, sock, p);
	return ret ?: connect_to(ctx, sock, p);
}

static void netlink_commit(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	const struct ckpt_netlink *p = ckpt_payload(rec, struct ckpt_netlink);
	struct netlink_live *live = ckpt_obj_ptr(ctx, rec->objref);

	/* The gate is closed: nothing is lost so far. */
	if (p->flags & CKPT_NETLINK_LISTEN_ALL_NSID && live->base.file)
		set_bit(NETLINK_F_LISTEN_ALL_NSID, &nlk_sk(live->sk)->flags);
	live->committed = true;
}

const struct ckpt_kind ckpt_kind_netlink = {
	.name		= "netlink",
	.about		= "netlink sockets of routes, uevents, sockets, users: name, groups",
	.family		= CKPT_FAMILY_OBJECT,
	.type		= CKPT_REC_NETLINK,
	.phase		= CKPT_PHASE_OBJECT,
	.version	= 1,
	.min_version	= 1,
	CKPT_PAYLOAD_TAIL(struct ckpt_netlink, MAX_WORDS * sizeof(u32)),
	.object		= true,
	.obj_get	= netlink_get,
	.obj_put	= netlink_put,
	.obj_collect	= netlink_collect,
	.obj_save	= netlink_save,
	.check		= netlink_check,
	.restore	= netlink_restore,
	.commit		= netlink_commit,
};

/* --- restarting: messages -------------------------------------------------- */

static bool creds_valid(const struct ckpt_netlink_msg *p)
{
	if (p->flags & CKPT_NETLINK_MSG_CREDS)
		return !(p->flags & CKPT_NETLINK_MSG_ROOT) && p->pid >= 0 &&
		       p->uid != (uid_t)-1 && p->gid != (gid_t)-1;
	/* The kernel's. */
	return !p->portid && !p->pid && !p->uid && !p->gid;
}

static int netlink_msg_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_netlink_msg *p =
		ckpt_payload(rec, struct ckpt_netlink_msg);

	if (!ckpt_ref_is_type(ctx, rec->objref, CKPT_REC_NETLINK) || p->pad ||
	    p->flags & ~(CKPT_NETLINK_MSG_CREDS | CKPT_NETLINK_MSG_ROOT |
			 CKPT_NETLINK_MSG_NSID) ||
	    p->dst_group > MAX_GROUPS)
		return ckpt_refuse(ctx, -EINVAL,
				   "bad message of a netlink socket");
	if (p->flags & CKPT_NETLINK_MSG_NSID ? p->nsid < 0 : p->nsid)
		return ckpt_refuse(ctx, -EINVAL,
				   "bad network namespace of a message");
	if (!creds_valid(p))
		return ckpt_refuse(ctx, -EINVAL,
				   "bad credentials of a message");
	return 0;
}

/*
 * As SCM_CREDENTIALS asks. A pid of the tree is that which the process has now;
 * with fresh ones that of another process means nothing any more.
 */
static int show_pid(struct ckpt_ctx *ctx, s32 nr, u32 *show)
{
	struct pid *pid = nr ? ckpt_pid(ctx, nr) : NULL;

	*show = nr;
	if (pid)
		*show = pid_vnr(pid);
	else if (ctx->flags & RESTART_FRESH_PIDS)
		*show = 0;
	else if (nr && !ns_capable(task_active_pid_ns(current)->user_ns,
				   CAP_SYS_ADMIN))
		return ckpt_refuse(ctx, -EPERM,
				   "a message of pid %d, a process that is not restarted, needs CAP_SYS_ADMIN; with fresh pids it does not",
				   nr);
	return 0;
}

/* As whoever sends to a socket is asked, see NL_CFG_F_NONROOT_SEND. */
static bool may_send(struct sock *sk)
{
	unsigned int flags;

	read_lock_irq(&nl_table_lock);
	flags = nl_table[sk->sk_protocol].flags;
	read_unlock_irq(&nl_table_lock);
	return flags & NL_CFG_F_NONROOT_SEND ||
	       ns_capable(sock_net(sk)->user_ns, CAP_NET_ADMIN);
}

/*
 * Whoever brings an image says what is in the queue, also what the kernel is to
 * have said, which nobody can send. That is no gain: only the restarted program
 * reads it, and runs with rights that the one who brings the image may give it.
 * He could as well write to its memory what it is to have read. Who is given a
 * socket by somebody else must not trust what comes out of it, and does not know
 * either in which network namespace that kernel speaks. What other programs are
 * to have sent is asked for like sending it.
 */
static int show_creds(struct ckpt_ctx *ctx, struct sock *sk,
		      const struct ckpt_netlink_msg *p, struct scm_creds *creds)
{
	int ret;

	if (!(p->flags & CKPT_NETLINK_MSG_CREDS)) {
		kernel_creds(sk, p->flags & CKPT_NETLINK_MSG_ROOT, creds);
		return 0;
	}
	if (p->portid && !may_send(sk))
		return ckpt_refuse(ctx, -EPERM,
				   "a message of port id %u, a program, needs CAP_NET_ADMIN",
				   p->portid);
	ret = ckpt_sock_may_show(ctx, p->uid, p->gid);
	if (ret)
		return ret;
	creds->uid = make_kuid(ctx->user_ns, p->uid);
	creds->gid = make_kgid(ctx->user_ns, p->gid);
	return show_pid(ctx, p->pid, &creds->pid);
}

/* A long one is in virtual memory, and has what frees that. */
static void own_message(struct sk_buff *skb, struct sock *sk)
{
	skb->sk = sk;
	if (!skb->destructor)
		skb->destructor = sock_rfree;
	atomic_add(skb->truesize, &sk->sk_rmem_alloc);
	sk_mem_charge(sk, skb->truesize);
}

/* Its buffer may have been made smaller since, but not larger than allowed. */
static int netlink_msg_restore(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_netlink_msg *p =
		ckpt_payload(rec, struct ckpt_netlink_msg);
	struct netlink_live *live = ckpt_obj_ptr(ctx, rec->objref);
	struct netlink_skb_parms cb = {
		.portid = p->portid,
		.dst_group = p->dst_group,
		.nsid_is_set = p->flags & CKPT_NETLINK_MSG_NSID,
		.nsid = p->nsid,
	};
	u32 len = ckpt_tail_len(rec, sizeof(*p));
	struct sock *sk = live->sk;
	struct sk_buff *skb;
	int ret;

	if (atomic_read(&sk->sk_rmem_alloc) / MAX_OVERRUN >
	    ckpt_sock_max_receive(sk))
		return ckpt_refuse(ctx, -ENOBUFS,
				   "more messages than the socket has room for");
	ret = show_creds(ctx, sk, p, &cb.creds);
	if (ret)
		return ret;
	skb = netlink_alloc_large_skb(len, 0);
	if (!skb)
		return -ENOMEM;
	skb_put_data(skb, p->data, len);
	NETLINK_CB(skb) = cb;
	own_message(skb, sk);
	skb_queue_tail(&sk->sk_receive_queue, skb);
	return 0;
}

const struct ckpt_kind ckpt_kind_netlink_msg = {
	.name		= "netlink_msg",
	.about		= "messages in netlink sockets, with sender and group",
	.family		= CKPT_FAMILY_OBJECT,
	.type		= CKPT_REC_NETLINK_MSG,
	.phase		= CKPT_PHASE_OBJECT,
	.version	= 1,
	.min_version	= 1,
	CKPT_PAYLOAD_TAIL(struct ckpt_netlink_msg, MAX_MSG),
	.owner		= CKPT_REC_NETLINK,
	.check		= netlink_msg_check,
	.restore	= netlink_msg_restore,
};
