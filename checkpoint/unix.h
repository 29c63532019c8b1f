/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the parts of unix sockets share: unix.c (the socket), unix_name.c,
 * unix_msg.c (what waits in it), unix_state.c (what it is connected with).
 */
#ifndef _CHECKPOINT_UNIX_H
#define _CHECKPOINT_UNIX_H

#include <linux/un.h>
#include <net/af_unix.h>
#include <net/tcp_states.h>

#include "socket.h"

/* The longest sun_path has no room for the NUL that the kernel appends. */
#define CKPT_UNIX_MAX_NAME	(UNIX_PATH_MAX + 1)
#define CKPT_UNIX_NAME_OFFSET	offsetof(struct sockaddr_un, sun_path)

extern const struct ckpt_kind ckpt_kind_unix_msg;
extern const struct ckpt_kind ckpt_kind_unix_state;

/**
 * struct ckpt_unix_live - a socket that is restored
 * @base: the socket and its description
 * @sk: the same socket, held, also when @base has it no more
 * @cred: who makes it
 * @rec: its record
 * @embryos: struct ckpt_unix_live that wait to be accepted, in order
 * @embryo_node: in the list of the one that listens
 * @listener: that one, held
 * @path_made: the socket's file was not there before
 * @sender: of the messages in its queue, unless it takes those of anybody
 * @wants: its peer, which is not ready yet
 * @stated: its UNIX_STATE was restored: no messages come any more
 * @committed: nothing is undone any more
 */
struct ckpt_unix_live {
	struct ckpt_sock_live base;
	struct sock *sk;
	const struct cred *cred;
	struct ckpt_rec *rec;
	struct list_head embryos;
	struct list_head embryo_node;
	struct sock *listener;
	const struct ckpt_unix_live *sender;
	const struct ckpt_unix_live *wants;
	bool path_made;
	bool stated;
	bool committed;
};

static inline bool ckpt_unix_is_listening(const struct sock *sk)
{
	return sk->sk_type != SOCK_DGRAM &&
	       READ_ONCE(sk->sk_state) == TCP_LISTEN;
}

/* Was closed, and lives because somebody refers to it. */
static inline bool ckpt_unix_is_dead(const struct sock *sk)
{
	return sock_flag(sk, SOCK_DEAD);
}

/* Is not accepted yet. */
static inline bool ckpt_unix_is_embryo(const struct sock *sk)
{
	return !ckpt_unix_is_dead(sk) && !READ_ONCE(sk->sk_socket);
}

/* It does not change, and goes away with the socket. */
static inline struct unix_address *ckpt_unix_get_name(struct sock *sk)
{
	/* Pairs with where the kernel sets it. */
	return smp_load_acquire(&unix_sk(sk)->addr);
}

static inline unsigned int ckpt_unix_name_len(const struct unix_address *addr)
{
	return addr->len - CKPT_UNIX_NAME_OFFSET;
}

/* A path can be one byte longer than sun_path, with its NUL. */
static inline char *ckpt_unix_name_of(const struct unix_address *addr)
{
	return (char *)addr->name + CKPT_UNIX_NAME_OFFSET;
}

/* unix.c */
const struct ckpt_unix *ckpt_unix_of(struct ckpt_ctx *ctx, ckpt_ref_t ref);

/* unix_name.c */
int ckpt_unix_name_collect(struct ckpt_ctx *ctx, struct sock *sk,
			   const struct cred *cred);
int ckpt_unix_name_save(struct ckpt_ctx *ctx, struct sock *sk,
			const struct cred *cred, struct ckpt_unix *rec,
			char *names, size_t *len);
int ckpt_unix_name_check(struct ckpt_ctx *ctx, const struct ckpt_unix *p,
			 u32 len);
int ckpt_unix_name_show(struct sock *sk, const u8 *name, u32 len);
int ckpt_unix_name_restore(struct ckpt_ctx *ctx, struct ckpt_unix_live *live);
void ckpt_unix_name_undo(struct ckpt_unix_live *live);

/* unix_msg.c */
int ckpt_unix_queue_collect(struct ckpt_ctx *ctx, struct sock *sk);
int ckpt_unix_queue_save(struct ckpt_ctx *ctx, struct ckpt_obj *obj);
int ckpt_unix_get_pid(struct ckpt_ctx *ctx, s32 nr, struct pid **pid);

/* unix_state.c */
const struct cred *ckpt_unix_get_peer_cred(struct ckpt_ctx *ctx,
					   struct sock *sk, s32 *pid);
int ckpt_unix_state_save(struct ckpt_ctx *ctx, struct ckpt_obj *obj);

#endif /* _CHECKPOINT_UNIX_H */
