// SPDX-License-Identifier: GPL-2.0
/*
 * What sockets of all families have: the open file description, and the
 * options of SOL_SOCKET.
 *
 * An option is either saved or has to be as in a new socket. A restart sets
 * those that differ with setsockopt(2), and so with its checks.
 */

#include <linux/filter.h>
#include <linux/net.h>
#include <linux/netdevice.h>
#include <linux/security.h>
#include <linux/sockios.h>
#include <net/sock_reuseport.h>

#include "../net/core/dev.h"
#include "socket.h"

/* What is new must be thought about. */
static_assert(SOCK_RCVMARK == 27);
static_assert(SOCK_BUF_LOCK_MASK == 3);
static_assert(SOF_TIMESTAMPING_LAST == SOF_TIMESTAMPING_OPT_RX_FILTER);
static_assert(SOF_TXTIME_FLAGS_MASK == 3);
static_assert(SOCK_PASSPIDFD == 7);
static_assert(sizeof_field(struct ckpt_sock, device) == IFNAMSIZ);

#define SOCK_OPEN_FLAGS		(O_ACCMODE | O_APPEND | O_NONBLOCK | O_NOATIME)

/* Flags of struct sock that are on or off, and the options that set them. */
static const struct {
	u64 flag;
	enum sock_flags sk_flag;
	int option;
} sk_switches[] = {
	{ CKPT_SOCK_DEBUG, SOCK_DBG, SO_DEBUG },
	{ CKPT_SOCK_KEEPALIVE, SOCK_KEEPOPEN, SO_KEEPALIVE },
	{ CKPT_SOCK_BROADCAST, SOCK_BROADCAST, SO_BROADCAST },
	{ CKPT_SOCK_DONTROUTE, SOCK_LOCALROUTE, SO_DONTROUTE },
	{ CKPT_SOCK_OOBINLINE, SOCK_URGINLINE, SO_OOBINLINE },
	{ CKPT_SOCK_RXQ_OVFL, SOCK_RXQ_OVFL, SO_RXQ_OVFL },
	{ CKPT_SOCK_WIFI_STATUS, SOCK_WIFI_STATUS, SO_WIFI_STATUS },
	{ CKPT_SOCK_NOFCS, SOCK_NOFCS, SO_NOFCS },
	{ CKPT_SOCK_SELECT_ERR_QUEUE, SOCK_SELECT_ERR_QUEUE,
	  SO_SELECT_ERR_QUEUE },
	{ CKPT_SOCK_RCVMARK, SOCK_RCVMARK, SO_RCVMARK },
	{ CKPT_SOCK_LOCK_FILTER, SOCK_FILTER_LOCKED, SO_LOCK_FILTER },
	{ CKPT_SOCK_ZEROCOPY, SOCK_ZEROCOPY, SO_ZEROCOPY },
};

/* The same for those of struct socket. */
static const struct {
	u64 flag;
	int bit;
	int option;
} socket_switches[] = {
	{ CKPT_SOCK_PASSCRED, SOCK_PASSCRED, SO_PASSCRED },
	{ CKPT_SOCK_PASSSEC, SOCK_PASSSEC, SO_PASSSEC },
	{ CKPT_SOCK_PASSPIDFD, SOCK_PASSPIDFD, SO_PASSPIDFD },
};

/*
 * Flags of struct sock that are saved in another form, or are of no interest:
 * what the protocol notes for itself.
 */
#define OTHER_SK_FLAGS							\
	(BIT(SOCK_DEAD) | BIT(SOCK_DONE) | BIT(SOCK_ZAPPED) |		\
	 BIT(SOCK_USE_WRITE_QUEUE) | BIT(SOCK_RCU_FREE) |		\
	 BIT(SOCK_LINGER) | BIT(SOCK_TIMESTAMP) | BIT(SOCK_RCVTSTAMP) |	\
	 BIT(SOCK_RCVTSTAMPNS) | BIT(SOCK_TSTAMP_NEW) |			\
	 BIT(SOCK_TIMESTAMPING_RX_SOFTWARE) | BIT(SOCK_TXTIME) |	\
	 BIT(SOCK_FASYNC))

#define OTHER_FLAGS							\
	(CKPT_SOCK_REUSEADDR | CKPT_SOCK_REUSEPORT | CKPT_SOCK_LINGER |	\
	 CKPT_SOCK_NO_CHECK | CKPT_SOCK_PREFER_BUSY_POLL |		\
	 CKPT_SOCK_SNDBUF_LOCK | CKPT_SOCK_RCVBUF_LOCK |		\
	 CKPT_SOCK_TIMESTAMP | CKPT_SOCK_TIMESTAMPNS |			\
	 CKPT_SOCK_TIMESTAMP_NEW | CKPT_SOCK_STAMPED |			\
	 CKPT_SOCK_TXTIME | CKPT_SOCK_TXTIME_DEADLINE |			\
	 CKPT_SOCK_TXTIME_ERRORS)

/* --- saving --------------------------------------------------------------- */

/**
 * ckpt_sock_get_file() - the open file description of a socket
 * @sk: a socket that does not go away
 *
 * Return: the file, held, or NULL.
 */
struct file *ckpt_sock_get_file(struct sock *sk)
{
	struct file *file = NULL;

	read_lock_bh(&sk->sk_callback_lock);
	if (sk->sk_socket && sk->sk_socket->file)
		file = get_file_active(&sk->sk_socket->file);
	read_unlock_bh(&sk->sk_callback_lock);
	return file;
}

/**
 * ckpt_sock_file() - the address of the description of a socket
 * @sk: a socket that does not go away
 *
 * Return: to be compared with files that are held; or NULL.
 */
const struct file *ckpt_sock_file(struct sock *sk)
{
	const struct file *file;

	read_lock_bh(&sk->sk_callback_lock);
	file = sk->sk_socket ? sk->sk_socket->file : NULL;
	read_unlock_bh(&sk->sk_callback_lock);
	return file;
}

/**
 * ckpt_sock_cred() - with whose rights is a socket made and bound?
 * @ctx: the checkpoint
 * @sk: a socket that does not go away
 *
 * Return: those of its description, as ckpt_file_cred() tells them, held; NULL
 * when it has none.
 */
const struct cred *ckpt_sock_cred(struct ckpt_ctx *ctx, struct sock *sk)
{
	struct file *file = ckpt_sock_get_file(sk);
	const struct cred *cred;

	if (!file)
		return NULL;
	/* A peer outside is refused, but not here. */
	cred = ckpt_obj_find(ctx, file) ? ckpt_file_cred(ctx, file) :
					  file->f_cred;
	get_cred(cred);
	fput(file);
	return cred;
}

/**
 * ckpt_sock_where() - reasons that follow are about this socket
 * @ctx: the checkpoint
 * @sk: the socket, or NULL: about none
 */
void ckpt_sock_where(struct ckpt_ctx *ctx, struct sock *sk)
{
	ckpt_about_file(ctx, sk ? ckpt_sock_file(sk) : NULL);
	ctx->where.kind = sk ? ckpt_kind_file_socket.name : NULL;
}

static bool has_bpf(struct sock *sk)
{
#ifdef CONFIG_BPF_SYSCALL
	if (rcu_access_pointer(sk->sk_bpf_storage))
		return true;
#endif
	return false;
}

static bool has_policy(struct sock *sk)
{
#ifdef CONFIG_XFRM
	return rcu_access_pointer(sk->sk_policy[0]) ||
	       rcu_access_pointer(sk->sk_policy[1]);
#else
	return false;
#endif
}

/* A group itself comes back when its sockets are bound. */
static bool has_reuseport_prog(struct sock *sk)
{
	struct sock_reuseport *reuse;
	bool found;

	rcu_read_lock();
	reuse = rcu_dereference(sk->sk_reuseport_cb);
	found = reuse && rcu_access_pointer(reuse->prog);
	rcu_read_unlock();
	return found;
}

static unsigned long unknown_sk_flags(struct sock *sk)
{
	unsigned long known = OTHER_SK_FLAGS;
	int i;

	for (i = 0; i < ARRAY_SIZE(sk_switches); i++)
		known |= BIT(sk_switches[i].sk_flag);
	return sk->sk_flags & ~known;
}

/**
 * ckpt_sock_collect() - find what cannot be saved of the options of a socket
 * @ctx: the checkpoint
 * @sk: the socket
 *
 * Return: 0, or the last -errno, noted as reasons.
 */
int ckpt_sock_collect(struct ckpt_ctx *ctx, struct sock *sk)
{
	char name[IFNAMSIZ];
	int dev = READ_ONCE(sk->sk_bound_dev_if), ret;

	ret = ckpt_sock_filter_collect(ctx, sk);
	if (sock_net(sk) != ctx->ns->net_ns)
		ret = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "a socket of another network namespace");
	if (sk->sk_kern_sock)
		ret = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "a socket that the kernel made for itself");
	if (has_reuseport_prog(sk))
		ret = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "programs that choose a socket of SO_REUSEPORT are not supported");
	if (has_bpf(sk) || sk->sk_user_data ||
	    READ_ONCE(sk->sk_prot) != sk->sk_prot_creator)
		ret = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "is used by a BPF program or by the kernel");
	if (has_policy(sk))
		ret = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "IPsec policies of a socket are not supported");
	if (!skb_queue_empty_lockless(&sk->sk_error_queue))
		ret = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "messages in the error queue (MSG_ERRQUEUE) are not supported");
	if (READ_ONCE(sk->sk_reserved_mem))
		ret = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "SO_RESERVE_MEM is not supported");
	if (READ_ONCE(sk->sk_bind_phc))
		ret = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "time stamps of a PTP clock are not supported");
	if (dev && netdev_get_name(sock_net(sk), name, dev))
		ret = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "is bound to a device that is gone");
	if (unknown_sk_flags(sk))
		ret = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "unsupported flags 0x%lx of a socket",
				  unknown_sk_flags(sk));
	return ret;
}

/* As SO_RCVTIMEO gives it. What is too long to be told is for ever. */
static s64 timeo_to_us(long timeo)
{
	if (timeo / HZ >= S64_MAX / USEC_PER_SEC)
		return -1;
	return (s64)(timeo / HZ) * USEC_PER_SEC +
	       (timeo % HZ) * USEC_PER_SEC / HZ;
}

static u64 fill_flags(struct sock *sk)
{
	u64 flags = 0;
	int i;

	for (i = 0; i < ARRAY_SIZE(sk_switches); i++)
		if (sock_flag(sk, sk_switches[i].sk_flag))
			flags |= sk_switches[i].flag;

	read_lock_bh(&sk->sk_callback_lock);
	for (i = 0; sk->sk_socket && i < ARRAY_SIZE(socket_switches); i++)
		if (test_bit(socket_switches[i].bit, &sk->sk_socket->flags))
			flags |= socket_switches[i].flag;
	read_unlock_bh(&sk->sk_callback_lock);

	if (sk->sk_reuse)
		flags |= CKPT_SOCK_REUSEADDR;
	if (sk->sk_reuseport)
		flags |= CKPT_SOCK_REUSEPORT;
	if (sk->sk_no_check_tx)
		flags |= CKPT_SOCK_NO_CHECK;
	if (sock_flag(sk, SOCK_LINGER))
		flags |= CKPT_SOCK_LINGER;
	if (sk->sk_userlocks & SOCK_SNDBUF_LOCK)
		flags |= CKPT_SOCK_SNDBUF_LOCK;
	if (sk->sk_userlocks & SOCK_RCVBUF_LOCK)
		flags |= CKPT_SOCK_RCVBUF_LOCK;
	if (sock_flag(sk, SOCK_RCVTSTAMP))
		flags |= CKPT_SOCK_TIMESTAMP;
	if (sock_flag(sk, SOCK_RCVTSTAMPNS))
		flags |= CKPT_SOCK_TIMESTAMPNS;
	if (sock_flag(sk, SOCK_TSTAMP_NEW))
		flags |= CKPT_SOCK_TIMESTAMP_NEW;
	if (sock_flag(sk, SOCK_TIMESTAMP))
		flags |= CKPT_SOCK_STAMPED;
	if (sock_flag(sk, SOCK_TXTIME))
		flags |= CKPT_SOCK_TXTIME;
	if (sk->sk_txtime_deadline_mode)
		flags |= CKPT_SOCK_TXTIME_DEADLINE;
	if (sk->sk_txtime_report_errors)
		flags |= CKPT_SOCK_TXTIME_ERRORS;
#ifdef CONFIG_NET_RX_BUSY_POLL
	if (READ_ONCE(sk->sk_prefer_busy_poll))
		flags |= CKPT_SOCK_PREFER_BUSY_POLL;
#endif
	return flags;
}

/**
 * ckpt_sock_fill() - the part of a record that all sockets have
 * @sk: the socket, which has been collected
 * @rec: is filled
 */
void ckpt_sock_fill(struct sock *sk, struct ckpt_sock *rec)
{
	unsigned long linger = READ_ONCE(sk->sk_lingertime);
	int dev = READ_ONCE(sk->sk_bound_dev_if);

	*rec = (struct ckpt_sock) {
		.flags = fill_flags(sk),
		.type = sk->sk_type,
		.protocol = sk->sk_protocol,
		.sndbuf = READ_ONCE(sk->sk_sndbuf),
		.rcvbuf = READ_ONCE(sk->sk_rcvbuf),
		.rcvlowat = READ_ONCE(sk->sk_rcvlowat),
		.peek_off = READ_ONCE(sk->sk_peek_off),
		.priority = READ_ONCE(sk->sk_priority),
		.mark = READ_ONCE(sk->sk_mark),
		.rcvtimeo_us = timeo_to_us(READ_ONCE(sk->sk_rcvtimeo)),
		.sndtimeo_us = timeo_to_us(READ_ONCE(sk->sk_sndtimeo)),
		.linger_s = linger == MAX_SCHEDULE_TIMEOUT ? -1 : linger / HZ,
		.stamp_ns = sock_read_timestamp(sk),
		.max_pacing_rate = READ_ONCE(sk->sk_max_pacing_rate),
		.timestamping = READ_ONCE(sk->sk_tsflags),
		.tskey = atomic_read(&sk->sk_tskey),
		.zckey = atomic_read(&sk->sk_zckey),
		.incoming_cpu = READ_ONCE(sk->sk_incoming_cpu),
		.txtime_clock = sk->sk_clockid,
		.txrehash = READ_ONCE(sk->sk_txrehash),
		.error = READ_ONCE(sk->sk_err),
		.error_soft = READ_ONCE(sk->sk_err_soft),
	};
#ifdef CONFIG_NET_RX_BUSY_POLL
	rec->busy_poll_us = READ_ONCE(sk->sk_ll_usec);
	rec->busy_poll_budget = READ_ONCE(sk->sk_busy_poll_budget);
#endif
	if (dev)
		netdev_get_name(sock_net(sk), rec->device, dev);
}

/* --- restarting ----------------------------------------------------------- */

static bool flags_valid(u64 flags)
{
	u64 known = OTHER_FLAGS;
	int i;

	for (i = 0; i < ARRAY_SIZE(sk_switches); i++)
		known |= sk_switches[i].flag;
	for (i = 0; i < ARRAY_SIZE(socket_switches); i++)
		known |= socket_switches[i].flag;
	if (flags & CKPT_SOCK_TIMESTAMPNS && !(flags & CKPT_SOCK_TIMESTAMP))
		return false;
	return !(flags & ~known);
}

static bool timestamping_valid(u32 flags)
{
	if (flags & ~SOF_TIMESTAMPING_MASK ||
	    flags & SOF_TIMESTAMPING_BIND_PHC)
		return false;
	if (flags & SOF_TIMESTAMPING_OPT_ID_TCP &&
	    !(flags & SOF_TIMESTAMPING_OPT_ID))
		return false;
	return !(flags & SOF_TIMESTAMPING_OPT_STATS) ||
	       flags & SOF_TIMESTAMPING_OPT_TSONLY;
}

static bool txtime_valid(const struct ckpt_sock *rec)
{
	if (!(rec->flags & CKPT_SOCK_TXTIME))
		return !rec->txtime_clock &&
		       !(rec->flags & (CKPT_SOCK_TXTIME_DEADLINE |
				       CKPT_SOCK_TXTIME_ERRORS));
	return rec->txtime_clock == CLOCK_REALTIME ||
	       rec->txtime_clock == CLOCK_MONOTONIC ||
	       rec->txtime_clock == CLOCK_TAI;
}

/**
 * ckpt_sock_check() - judge what ckpt_sock_fill() wrote
 * @ctx: the restart
 * @rec: from an image; the family judges type and protocol
 *
 * Return: 0 or -EINVAL, noted as a reason.
 */
int ckpt_sock_check(struct ckpt_ctx *ctx, const struct ckpt_sock *rec)
{
	if (!flags_valid(rec->flags))
		return ckpt_refuse(ctx, -EINVAL, "unknown flags of a socket");
	if (rec->sndbuf <= 0 || rec->rcvbuf <= 0 || rec->rcvlowat <= 0)
		return ckpt_refuse(ctx, -EINVAL,
				   "bad size of a socket's buffer");
	if (rec->rcvtimeo_us < -1 || rec->sndtimeo_us < -1 ||
	    rec->linger_s < -1 || rec->linger_s > INT_MAX ||
	    rec->stamp_ns < SK_DEFAULT_STAMP)
		return ckpt_refuse(ctx, -EINVAL, "bad time of a socket");
	if (!timestamping_valid(rec->timestamping) || !txtime_valid(rec))
		return ckpt_refuse(ctx, -EINVAL,
				   "bad time stamps of a socket");
	if (rec->busy_poll_us > INT_MAX || rec->busy_poll_budget > U16_MAX ||
	    rec->txrehash > SOCK_TXREHASH_ENABLED)
		return ckpt_refuse(ctx, -EINVAL, "bad option of a socket");
	if (rec->error < 0 || rec->error > MAX_ERRNO || rec->error_soft < 0 ||
	    rec->error_soft > MAX_ERRNO)
		return ckpt_refuse(ctx, -EINVAL, "bad error of a socket");
	if (!memchr(rec->device, 0, sizeof(rec->device)))
		return ckpt_refuse(ctx, -EINVAL, "bad device of a socket");
	return 0;
}

static int set_option(struct ckpt_ctx *ctx, struct socket *sock, int option,
		      const void *value, size_t len)
{
	int ret = do_sock_setsockopt(sock, false, SOL_SOCKET, option,
				     KERNEL_SOCKPTR((void *)value), len);

	if (ret == -EPERM || ret == -EACCES)
		return ckpt_refuse(ctx, ret,
				   "no permission for option %d of a socket",
				   option);
	if (ret)
		return ckpt_refuse(ctx, ret,
				   "cannot set option %d of a socket", option);
	return 0;
}

static int set_number(struct ckpt_ctx *ctx, struct socket *sock, int option,
		      int value)
{
	return set_option(ctx, sock, option, &value, sizeof(value));
}

/* Those that are on; in a new socket all are off. */
static int set_flags(struct ckpt_ctx *ctx, struct socket *sock, u64 flags)
{
	int i, ret = 0;

	for (i = 0; !ret && i < ARRAY_SIZE(sk_switches); i++)
		if (flags & sk_switches[i].flag)
			ret = set_number(ctx, sock, sk_switches[i].option, 1);
	for (i = 0; !ret && i < ARRAY_SIZE(socket_switches); i++)
		if (flags & socket_switches[i].flag)
			ret = set_number(ctx, sock, socket_switches[i].option,
					 1);
	if (!ret && flags & CKPT_SOCK_REUSEADDR)
		ret = set_number(ctx, sock, SO_REUSEADDR, 1);
	if (!ret && flags & CKPT_SOCK_REUSEPORT)
		ret = set_number(ctx, sock, SO_REUSEPORT, 1);
	if (!ret && flags & CKPT_SOCK_NO_CHECK)
		ret = set_number(ctx, sock, SO_NO_CHECK, 1);
	return ret;
}

/*
 * As SO_SNDBUF and SO_SNDBUFFORCE. A default that was another one when the
 * socket was made is not the program's choice, but counts like one.
 */
static int set_buffer(struct ckpt_ctx *ctx, int *buf, int value, int min,
		      u32 max, const char *what)
{
	value = max(value, min);
	if (value == *buf)
		return 0;
	if (value > *buf && value / 2 > max && !capable(CAP_NET_ADMIN))
		return ckpt_refuse(ctx, -EPERM,
				   "a %s buffer of %d bytes is over the limit and needs CAP_NET_ADMIN",
				   what, value);
	WRITE_ONCE(*buf, value);
	return 0;
}

/* TCP makes those larger by itself that nobody has set. */
static u32 max_buffer(const struct sock *sk, u32 max, const int *tcp_mem,
		      bool locked)
{
	if (sk_is_tcp(sk) && !locked)
		return max_t(u32, max, READ_ONCE(tcp_mem[2]) / 2);
	return max;
}

static int set_buffers(struct ckpt_ctx *ctx, struct sock *sk,
		       const struct ckpt_sock *rec)
{
	const struct netns_ipv4 *net = &sock_net(sk)->ipv4;
	u32 max_send, max_receive;
	int ret;

	max_send = max_buffer(sk, READ_ONCE(sysctl_wmem_max),
			      net->sysctl_tcp_wmem,
			      rec->flags & CKPT_SOCK_SNDBUF_LOCK);
	max_receive = max_buffer(sk, READ_ONCE(sysctl_rmem_max),
				 net->sysctl_tcp_rmem,
				 rec->flags & CKPT_SOCK_RCVBUF_LOCK);
	lock_sock(sk);
	ret = set_buffer(ctx, &sk->sk_sndbuf, rec->sndbuf, SOCK_MIN_SNDBUF,
			 max_send, "send");
	if (!ret)
		ret = set_buffer(ctx, &sk->sk_rcvbuf, rec->rcvbuf,
				 SOCK_MIN_RCVBUF, max_receive, "receive");
	if (rec->flags & CKPT_SOCK_SNDBUF_LOCK)
		sk->sk_userlocks |= SOCK_SNDBUF_LOCK;
	if (rec->flags & CKPT_SOCK_RCVBUF_LOCK)
		sk->sk_userlocks |= SOCK_RCVBUF_LOCK;
	release_sock(sk);
	return ret;
}

static int set_timeo(struct ckpt_ctx *ctx, struct socket *sock, int option,
		     long *timeo, s64 us)
{
	struct __kernel_sock_timeval tv;
	s32 rest;

	if (us < 0)
		return 0;
	/* No time at all: setsockopt() takes 0 for no limit. */
	if (!us) {
		WRITE_ONCE(*timeo, 0);
		return 0;
	}
	tv.tv_sec = div_s64_rem(us, USEC_PER_SEC, &rest);
	tv.tv_usec = rest;
	return set_option(ctx, sock, option, &tv, sizeof(tv));
}

static int set_linger(struct ckpt_ctx *ctx, struct socket *sock,
		      const struct ckpt_sock *rec)
{
	struct linger linger = { .l_onoff = 1, .l_linger = rec->linger_s };
	int ret;

	if (!rec->linger_s && !(rec->flags & CKPT_SOCK_LINGER))
		return 0;
	ret = set_option(ctx, sock, SO_LINGER, &linger, sizeof(linger));
	if (ret || rec->flags & CKPT_SOCK_LINGER)
		return ret;
	linger.l_onoff = 0;
	return set_option(ctx, sock, SO_LINGER, &linger, sizeof(linger));
}

static int set_stamps(struct ckpt_ctx *ctx, struct socket *sock,
		      const struct ckpt_sock *rec)
{
	bool new = rec->flags & CKPT_SOCK_TIMESTAMP_NEW;
	struct so_timestamping stamping = { .flags = rec->timestamping };
	struct sock *sk = sock->sk;
	int option, ret = 0;

	if (rec->flags & CKPT_SOCK_TIMESTAMPNS)
		option = new ? SO_TIMESTAMPNS_NEW : SO_TIMESTAMPNS_OLD;
	else
		option = new ? SO_TIMESTAMP_NEW : SO_TIMESTAMP_OLD;
	if (rec->flags & CKPT_SOCK_TIMESTAMP)
		ret = set_number(ctx, sock, option, 1);
	if (!ret && rec->timestamping)
		ret = set_option(ctx, sock, new ? SO_TIMESTAMPING_NEW :
						  SO_TIMESTAMPING_OLD,
				 &stamping, sizeof(stamping));
	if (ret)
		return ret;

	/* What is left of options that were on. */
	lock_sock(sk);
	if (new)
		sock_set_flag(sk, SOCK_TSTAMP_NEW);
	if (rec->flags & CKPT_SOCK_STAMPED)
		sock_enable_timestamp(sk, SOCK_TIMESTAMP);
	sock_write_timestamp(sk, rec->stamp_ns);
	atomic_set(&sk->sk_tskey, rec->tskey);
	atomic_set(&sk->sk_zckey, rec->zckey);
	release_sock(sk);
	return 0;
}

static int set_txtime(struct ckpt_ctx *ctx, struct socket *sock,
		      const struct ckpt_sock *rec)
{
	struct sock_txtime txtime = { .clockid = rec->txtime_clock };

	if (!(rec->flags & CKPT_SOCK_TXTIME))
		return 0;
	if (rec->flags & CKPT_SOCK_TXTIME_DEADLINE)
		txtime.flags |= SOF_TXTIME_DEADLINE_MODE;
	if (rec->flags & CKPT_SOCK_TXTIME_ERRORS)
		txtime.flags |= SOF_TXTIME_REPORT_ERRORS;
	return set_option(ctx, sock, SO_TXTIME, &txtime, sizeof(txtime));
}

static int set_busy_poll(struct ckpt_ctx *ctx, struct socket *sock,
			 const struct ckpt_sock *rec)
{
	int ret = 0;
#ifdef CONFIG_NET_RX_BUSY_POLL
	struct sock *sk = sock->sk;

	if (rec->busy_poll_us != READ_ONCE(sk->sk_ll_usec))
		ret = set_number(ctx, sock, SO_BUSY_POLL, rec->busy_poll_us);
	if (!ret && rec->busy_poll_budget != READ_ONCE(sk->sk_busy_poll_budget))
		ret = set_number(ctx, sock, SO_BUSY_POLL_BUDGET,
				 rec->busy_poll_budget);
	if (!ret && rec->flags & CKPT_SOCK_PREFER_BUSY_POLL)
		ret = set_number(ctx, sock, SO_PREFER_BUSY_POLL, 1);
#else
	if (rec->busy_poll_us || rec->busy_poll_budget ||
	    rec->flags & CKPT_SOCK_PREFER_BUSY_POLL)
		ret = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "this kernel has no busy polling of sockets");
#endif
	return ret;
}

/* Numbers that a new socket has, too. */
static int set_numbers(struct ckpt_ctx *ctx, struct socket *sock,
		       const struct ckpt_sock *rec)
{
	unsigned long rate = rec->max_pacing_rate;
	struct sock *sk = sock->sk;
	int ret = 0;

	/* It was judged by a buffer that may have been another one then. */
	WRITE_ONCE(sk->sk_rcvlowat, rec->rcvlowat);
	if (rec->peek_off != READ_ONCE(sk->sk_peek_off))
		ret = set_number(ctx, sock, SO_PEEK_OFF, rec->peek_off);
	if (!ret && rec->priority != READ_ONCE(sk->sk_priority))
		ret = set_number(ctx, sock, SO_PRIORITY, rec->priority);
	if (!ret && rec->mark != READ_ONCE(sk->sk_mark))
		ret = set_number(ctx, sock, SO_MARK, rec->mark);
	if (!ret && rec->incoming_cpu != READ_ONCE(sk->sk_incoming_cpu))
		ret = set_number(ctx, sock, SO_INCOMING_CPU, rec->incoming_cpu);
	if (!ret && rec->txrehash != READ_ONCE(sk->sk_txrehash))
		ret = set_number(ctx, sock, SO_TXREHASH, rec->txrehash);
	if (!ret && rate != READ_ONCE(sk->sk_max_pacing_rate))
		ret = set_option(ctx, sock, SO_MAX_PACING_RATE, &rate,
				 sizeof(rate));
	return ret;
}

/**
 * ckpt_sock_restore() - set the options of a new socket
 * @ctx: the restart
 * @sock: the socket; with data in it if the buffers must not be in the way
 * @rec: what was saved
 *
 * With the rights of current, as setsockopt(2).
 *
 * Return: 0, or -errno, noted as a reason.
 */
int ckpt_sock_restore(struct ckpt_ctx *ctx, struct socket *sock,
		      const struct ckpt_sock *rec)
{
	struct sock *sk = sock->sk;
	int ret;

	ret = set_flags(ctx, sock, rec->flags);
	if (!ret)
		ret = set_numbers(ctx, sock, rec);
	if (!ret)
		ret = set_buffers(ctx, sk, rec);
	if (!ret)
		ret = set_timeo(ctx, sock, SO_RCVTIMEO_NEW, &sk->sk_rcvtimeo,
				rec->rcvtimeo_us);
	if (!ret)
		ret = set_timeo(ctx, sock, SO_SNDTIMEO_NEW, &sk->sk_sndtimeo,
				rec->sndtimeo_us);
	if (!ret)
		ret = set_linger(ctx, sock, rec);
	if (!ret)
		ret = set_stamps(ctx, sock, rec);
	if (!ret)
		ret = set_txtime(ctx, sock, rec);
	if (!ret)
		ret = set_busy_poll(ctx, sock, rec);
	if (!ret && rec->device[0])
		ret = set_option(ctx, sock, SO_BINDTODEVICE, rec->device,
				 strlen(rec->device));
	if (ret)
		return ret;
	WRITE_ONCE(sk->sk_err, rec->error);
	WRITE_ONCE(sk->sk_err_soft, rec->error_soft);
	return 0;
}

/**
 * ckpt_sock_may_show() - may the caller send as this user and this group?
 * @ctx: the restart
 * @uid: as saved in a message
 * @gid: likewise
 *
 * As for SCM_CREDENTIALS; whoever shows a pid asks for that, too.
 *
 * Return: 0, or -errno, noted as a reason.
 */
int ckpt_sock_may_show(struct ckpt_ctx *ctx, u32 uid, u32 gid)
{
	const struct cred *cred = ctx->caller_cred;
	kuid_t kuid = make_kuid(ctx->user_ns, uid);
	kgid_t kgid = make_kgid(ctx->user_ns, gid);

	if (!uid_valid(kuid) || !gid_valid(kgid))
		return ckpt_refuse(ctx, -EINVAL,
				   "a message of user %u, group %u, which do not exist in this user namespace",
				   uid, gid);
	if ((!uid_eq(kuid, cred->uid) && !uid_eq(kuid, cred->euid) &&
	     !uid_eq(kuid, cred->suid) &&
	     !ns_capable(cred->user_ns, CAP_SETUID)) ||
	    (!gid_eq(kgid, cred->gid) && !gid_eq(kgid, cred->egid) &&
	     !gid_eq(kgid, cred->sgid) &&
	     !ns_capable(cred->user_ns, CAP_SETGID)))
		return ckpt_refuse(ctx, -EPERM,
				   "a message of user %u, group %u, who are not the caller, needs CAP_SETUID and CAP_SETGID",
				   uid, gid);
	return 0;
}

/**
 * ckpt_sock_max_receive() - how much may wait in a socket that is restored
 * @sk: the socket
 *
 * Return: bytes; the size of its buffer, or what anybody may set it to: it may
 * have become smaller when all that was in it already.
 */
unsigned int ckpt_sock_max_receive(const struct sock *sk)
{
	return max_t(unsigned int, READ_ONCE(sk->sk_rcvbuf),
		     2 * READ_ONCE(sysctl_rmem_max));
}

/**
 * ckpt_sock_live_close() - give back a socket that was restored
 * @live: the socket; it goes on when its description is used
 */
void ckpt_sock_live_close(struct ckpt_sock_live *live)
{
	ckpt_sock_filter_drop(live);
	if (live->file)
		fput(live->file);
	else if (live->sock)
		sock_release(live->sock);
	live->file = NULL;
	live->sock = NULL;
}

/**
 * ckpt_sock_is_quiet() - can nobody outside have done anything to this socket?
 * @file: any file
 *
 * Return: true for a socket that only the tree can reach.
 */
bool ckpt_sock_is_quiet(struct file *file)
{
	struct socket *sock = sock_from_file(file);

	return sock && sock->sk && sock->sk->sk_family == AF_UNIX &&
	       ckpt_unix_is_quiet(sock->sk);
}

/* --- descriptions --------------------------------------------------------- */

/* The kind of a family's struct sock; NULL: not supported. */
static const struct ckpt_kind *kind_of_family(int family)
{
	switch (family) {
	case AF_NETLINK:
		return &ckpt_kind_netlink;
#ifdef CONFIG_UNIX
	case AF_UNIX:
		return &ckpt_kind_unix;
#endif
#ifdef CONFIG_INET
	case AF_INET:
	case AF_INET6:
		return &ckpt_kind_inet;
#endif
	default:
		return NULL;
	}
}

/* A socket of one of these families, of those that have a description. */
static bool is_sock_ref(struct ckpt_ctx *ctx, ckpt_ref_t ref)
{
	return ckpt_ref_is_type(ctx, ref, CKPT_REC_NETLINK) ||
	       ckpt_unix_has_file(ctx, ref) || ckpt_inet_has_file(ctx, ref);
}

static bool file_socket_match(struct file *file)
{
	struct socket *sock = sock_from_file(file);

	return sock && sock->sk && kind_of_family(sock->sk->sk_family);
}

static int file_socket_collect(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	struct user_namespace *ns = ctx->user_ns;
	struct file *file = obj->ptr;
	const struct inode *inode = file_inode(file);
	struct sock *sk = sock_from_file(file)->sk;
	int ret, err;

	ret = ckpt_desc_collect(ctx, file, SOCK_OPEN_FLAGS);
	if (!kuid_has_mapping(ns, inode->i_uid) ||
	    !kgid_has_mapping(ns, inode->i_gid))
		ret = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "a socket whose owner has no number in the user namespace");
	err = ckpt_collect(ctx, kind_of_family(sk->sk_family), sk);
	return ret ?: err;
}

static int file_socket_save(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	struct user_namespace *ns = ctx->user_ns;
	struct file *file = obj->ptr;
	const struct inode *inode = file_inode(file);
	struct ckpt_file_socket rec = {
		.sock = ckpt_ref(ctx, sock_from_file(file)->sk),
		.mode = inode->i_mode & S_IALLUGO,
		.uid = from_kuid(ns, inode->i_uid),
		.gid = from_kgid(ns, inode->i_gid),
	};
	int ret;

	ckpt_desc_fill(ctx, obj, &rec.desc);
	rec.desc.pos = 0;
	ret = ckpt_write(ctx, obj->kind, obj->ref, &rec, sizeof(rec));
	return ret ?: ckpt_sock_filter_save(ctx, obj, sock_from_file(file)->sk);
}

static int file_socket_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_file_socket *p =
		ckpt_payload(rec, struct ckpt_file_socket);

	if (p->desc.pos || p->mode & ~S_IALLUGO || p->uid == (uid_t)-1 ||
	    p->gid == (gid_t)-1 || !is_sock_ref(ctx, p->sock))
		return ckpt_refuse(ctx, -EINVAL, "bad socket");
	if ((p->desc.open_flags & O_ACCMODE) != O_RDWR)
		return ckpt_refuse(ctx, -EINVAL, "bad mode of a socket");
	return ckpt_desc_check(ctx, &p->desc, SOCK_OPEN_FLAGS,
			       CKPT_FILE_RANDOM | CKPT_FILE_NOREUSE);
}

/* As fchown(2) and fchmod(2), of what somebody had changed. */
static int set_attr(struct ckpt_ctx *ctx, struct file *file,
		    const struct ckpt_file_socket *p)
{
	struct user_namespace *ns = current_user_ns();
	struct inode *inode = file_inode(file);
	int ret = 0;

	if (from_kuid(ns, inode->i_uid) != p->uid ||
	    from_kgid(ns, inode->i_gid) != p->gid)
		ret = vfs_fchown(file, p->uid, p->gid);
	if (!ret && (inode->i_mode & S_IALLUGO) != p->mode)
		ret = vfs_fchmod(file, p->mode);
	if (ret)
		return ckpt_refuse(ctx, ret,
				   "cannot give the socket to user %u, group %u, mode %o",
				   p->uid, p->gid, p->mode);
	return 0;
}

static int file_socket_restore(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_file_socket *p =
		ckpt_payload(rec, struct ckpt_file_socket);
	struct ckpt_sock_live *live = ckpt_obj_ptr(ctx, p->sock);
	const struct cred *old;
	struct file *file;
	int ret;

	if (!live || !live->sock || live->file)
		return ckpt_refuse(ctx, -EINVAL,
				   "two descriptions of a socket, or one of a closed one");

	old = override_creds(ckpt_obj_ptr(ctx, p->desc.cred));
	file = sock_alloc_file(live->sock, p->desc.open_flags & O_NONBLOCK,
			       NULL);
	revert_creds(old);
	if (IS_ERR(file)) {
		live->sock = NULL;
		return ckpt_refuse(ctx, PTR_ERR(file),
				   "cannot open a socket");
	}
	ckpt_obj_set(ctx, rec->objref, file, ckpt_file_put);
	live->file = get_file(file);

	ret = set_attr(ctx, file, p);
	return ret ?: ckpt_desc_restore(ctx, file, &p->desc);
}

const struct ckpt_kind ckpt_kind_file_socket = {
	.name		= "file_socket",
	.about		= "sockets of the families listed as objects: flags, opener, owner, mode",
	.family		= CKPT_FAMILY_FILE,
	.type		= CKPT_REC_FILE_SOCKET,
	.phase		= CKPT_PHASE_OBJECT,
	.version	= 1,
	.min_version	= 1,
	CKPT_PAYLOAD(struct ckpt_file_socket),
	.object		= true,
	.obj_get	= ckpt_file_get,
	.obj_put	= ckpt_file_put,
	.obj_collect	= file_socket_collect,
	.obj_save	= file_socket_save,
	.file_match	= file_socket_match,
	.check		= file_socket_check,
	.restore	= file_socket_restore,
};
