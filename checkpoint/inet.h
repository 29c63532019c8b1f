/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the parts of internet sockets share: inet.c (the socket: names, options),
 * udp.c (datagrams), tcp.c (listening, connections).
 */
#ifndef _CHECKPOINT_INET_H
#define _CHECKPOINT_INET_H

#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <net/inet_sock.h>
#include <net/ipv6.h>

#include "socket.h"

extern const struct ckpt_kind ckpt_kind_inet_data;
extern const struct ckpt_kind ckpt_kind_inet_msg;
extern const struct ckpt_kind ckpt_kind_tcp;

/* States of connections, with another end. */
#define CKPT_TCPF_CONNECTED						\
	(TCPF_ESTABLISHED | TCPF_FIN_WAIT1 | TCPF_FIN_WAIT2 |		\
	 TCPF_CLOSE_WAIT | TCPF_CLOSING | TCPF_LAST_ACK)

/* ckpt_obj.flags, of an INET */
#define CKPT_OBJ_CONNECTED	BIT(16)	/* its record says so: a TCP one follows */
#define CKPT_OBJ_CONN_SAVED	BIT(17)	/* that was written */
#define CKPT_OBJ_RESET		BIT(18)	/* is to come back as one that was reset */

/**
 * struct ckpt_inet_live - a socket that is restored
 * @base: the socket and its description
 * @sk: the same socket, held, also when @base has it no more
 * @rec: its record
 * @tcp: the record of its connection, once that was seen
 * @gone: the other end, made for its FIN, or NULL
 * @committed: nothing is undone any more
 */
struct ckpt_inet_live {
	struct ckpt_sock_live base;
	struct sock *sk;
	struct ckpt_rec *rec;
	struct ckpt_rec *tcp;
	struct socket *gone;
	bool committed;
};

static inline bool ckpt_inet_is_tcp(const struct sock *sk)
{
	return sk->sk_type == SOCK_STREAM && sk->sk_protocol == IPPROTO_TCP;
}

static inline bool ckpt_inet_is_listening(const struct sock *sk)
{
	return ckpt_inet_is_tcp(sk) && READ_ONCE(sk->sk_state) == TCP_LISTEN;
}

static inline bool ckpt_inet_is_connected(const struct sock *sk)
{
	return ckpt_inet_is_tcp(sk) &&
	       BIT(READ_ONCE(sk->sk_state)) & CKPT_TCPF_CONNECTED;
}

/* Was closed, and only brings away what was written. */
static inline bool ckpt_inet_is_dead(const struct sock *sk)
{
	return sock_flag(sk, SOCK_DEAD);
}

/* Is not accepted yet. */
static inline bool ckpt_inet_is_embryo(const struct sock *sk)
{
	return !ckpt_inet_is_dead(sk) && !READ_ONCE(sk->sk_socket);
}

/* inet.c */
const struct ckpt_inet *ckpt_inet_of(struct ckpt_ctx *ctx, ckpt_ref_t ref);
int ckpt_inet_bind(struct ckpt_ctx *ctx, struct socket *sock,
		   const struct ckpt_inet *p, const struct ckpt_inet_name *name);
int ckpt_inet_connect(struct socket *sock, u32 family,
		      const struct ckpt_inet_name *name);
void ckpt_inet_set_locks(struct sock *sk, u32 flags);
void ckpt_inet_set_error(struct sock *sk, const struct ckpt_inet *p);

bool ckpt_inet_name_valid(const struct ckpt_inet_name *name, u32 family);

/* udp.c */
int ckpt_udp_collect(struct ckpt_ctx *ctx, struct sock *sk);
int ckpt_udp_save(struct ckpt_ctx *ctx, struct ckpt_obj *obj);

/* tcp.c */
int ckpt_tcp_collect(struct ckpt_ctx *ctx, struct sock *sk);
void ckpt_tcp_silence(struct sock *sk);

#endif /* _CHECKPOINT_INET_H */
