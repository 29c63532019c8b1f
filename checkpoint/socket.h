/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the kinds of sockets share: socket.c provides it, each family uses it.
 *
 * A family has a kind for its struct sock, an object. Its record begins with
 * struct ckpt_sock, and what its restore makes with struct ckpt_sock_live. The
 * open file description is of the same kind for all families, and refers to it.
 */
#ifndef _CHECKPOINT_SOCKET_H
#define _CHECKPOINT_SOCKET_H

#include <net/sock.h>

#include "file.h"

/**
 * struct ckpt_sock_live - a socket that is restored
 * @sock: the socket; NULL when it is none any more, or not yet
 * @file: its open file description, which owns @sock then
 * @filter: is to be attached, NULL: none, or done
 */
struct ckpt_sock_live {
	struct socket *sock;
	struct file *file;
	struct sk_filter *filter;
};

extern const struct ckpt_kind ckpt_kind_file_socket;
extern const struct ckpt_kind ckpt_kind_sock_filter;
extern const struct ckpt_kind ckpt_kind_netlink;
extern const struct ckpt_kind ckpt_kind_netlink_msg;
extern const struct ckpt_kind ckpt_kind_unix;
extern const struct ckpt_kind ckpt_kind_inet;

#ifdef CONFIG_NET
bool ckpt_sock_is_quiet(struct file *file);
#else
static inline bool ckpt_sock_is_quiet(struct file *file)
{
	return false;
}
#endif

struct file *ckpt_sock_get_file(struct sock *sk);
const struct file *ckpt_sock_file(struct sock *sk);
const struct cred *ckpt_sock_cred(struct ckpt_ctx *ctx, struct sock *sk);
void ckpt_sock_where(struct ckpt_ctx *ctx, struct sock *sk);

int ckpt_sock_collect(struct ckpt_ctx *ctx, struct sock *sk);
void ckpt_sock_fill(struct sock *sk, struct ckpt_sock *rec);
int ckpt_sock_check(struct ckpt_ctx *ctx, const struct ckpt_sock *rec);
int ckpt_sock_restore(struct ckpt_ctx *ctx, struct socket *sock,
		      const struct ckpt_sock *rec);
void ckpt_sock_live_close(struct ckpt_sock_live *live);

int ckpt_sock_may_show(struct ckpt_ctx *ctx, u32 uid, u32 gid);
unsigned int ckpt_sock_max_receive(const struct sock *sk);

/* sock_filter.c */
int ckpt_sock_filter_collect(struct ckpt_ctx *ctx, struct sock *sk);
int ckpt_sock_filter_save(struct ckpt_ctx *ctx, struct ckpt_obj *obj,
			  struct sock *sk);
int ckpt_sock_filter_shut(struct ckpt_ctx *ctx, struct sock *sk);
void ckpt_sock_filter_open(struct ckpt_sock_live *live, struct sock *sk);
void ckpt_sock_filter_drop(struct ckpt_sock_live *live);

/* What needs all sockets of the tree; behind all other objects. */
#ifdef CONFIG_UNIX
int ckpt_unix_collect(struct ckpt_ctx *ctx);
int ckpt_unix_save(struct ckpt_ctx *ctx);
bool ckpt_unix_has_file(struct ckpt_ctx *ctx, ckpt_ref_t ref);
bool ckpt_unix_is_quiet(struct sock *sk);
#else
static inline int ckpt_unix_collect(struct ckpt_ctx *ctx)
{
	return 0;
}

static inline int ckpt_unix_save(struct ckpt_ctx *ctx)
{
	return 0;
}

static inline bool ckpt_unix_has_file(struct ckpt_ctx *ctx, ckpt_ref_t ref)
{
	return false;
}

static inline bool ckpt_unix_is_quiet(struct sock *sk)
{
	return false;
}
#endif

#ifdef CONFIG_INET
int ckpt_inet_collect(struct ckpt_ctx *ctx);
int ckpt_inet_save(struct ckpt_ctx *ctx);
void ckpt_inet_kill(struct ckpt_ctx *ctx);
bool ckpt_inet_has_file(struct ckpt_ctx *ctx, ckpt_ref_t ref);
#else
static inline int ckpt_inet_collect(struct ckpt_ctx *ctx)
{
	return 0;
}

static inline int ckpt_inet_save(struct ckpt_ctx *ctx)
{
	return 0;
}

static inline void ckpt_inet_kill(struct ckpt_ctx *ctx)
{
}

static inline bool ckpt_inet_has_file(struct ckpt_ctx *ctx, ckpt_ref_t ref)
{
	return false;
}
#endif

#endif /* _CHECKPOINT_SOCKET_H */
