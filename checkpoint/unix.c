// SPDX-License-Identifier: GPL-2.0
/*
 * Unix domain sockets, both sides within the tree.
 *
 * An object UNIX is a struct sock: one side, which an open file description
 * has, or a listening socket's queue (not accepted yet), or only a peer (it was
 * closed). Sockets refer to each other in circles: as peers, by messages, by
 * descriptors in messages. So a UNIX record refers to no other socket, and what
 * is between sockets is collected and saved when all objects of the tree are
 * known: a UNIX_MSG for each thing in a queue, then a UNIX_STATE for each
 * socket. No depth of nesting is a recursion here.
 *
 * A restart makes the sockets and their descriptions, sends the messages while
 * nobody else can find the sockets, and then connects and names them.
 */

#include <linux/file.h>
#include <linux/net.h>
#include <linux/slab.h>

#include "unix.h"

/* --- saving: the socket --------------------------------------------------- */

static void unix_get(void *ptr)
{
	sock_hold(ptr);
}

static void unix_put(void *ptr)
{
	sock_put(ptr);
}

static int unix_collect(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	struct sock *sk = obj->ptr;
	const struct cred *cred;
	int ret, err;

	if (ckpt_unix_is_dead(sk))
		return 0;
	ret = ckpt_sock_collect(ctx, sk);
	if (sk->sk_type != SOCK_STREAM && sk->sk_type != SOCK_DGRAM &&
	    sk->sk_type != SOCK_SEQPACKET)
		ret = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "unix sockets of type %u are not supported",
				  sk->sk_type);
	cred = ckpt_sock_cred(ctx, sk);
	if (!cred)
		return ret;
	err = ckpt_unix_name_collect(ctx, sk, cred);
	ret = ret ?: err;
	err = ckpt_collect(ctx, &ckpt_kind_cred, (void *)cred);
	put_cred(cred);
	return ret ?: err;
}

static int unix_save(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	struct sock *sk = obj->ptr;
	const struct cred *cred;
	struct ckpt_unix rec = {};
	size_t len = 0;
	char *names;
	int ret;

	names = kmalloc(CKPT_UNIX_MAX_NAME + PATH_MAX, GFP_KERNEL);
	if (!names)
		return -ENOMEM;
	cred = ckpt_sock_cred(ctx, sk);
	ckpt_sock_fill(sk, &rec.sock);
	rec.cred = ckpt_ref(ctx, cred);
	if (ckpt_unix_is_dead(sk))
		rec.flags = CKPT_UNIX_DEAD;
	else if (ckpt_unix_is_embryo(sk))
		rec.flags = CKPT_UNIX_EMBRYO;
	ret = ckpt_unix_name_save(ctx, sk, cred, &rec, names, &len);
	if (!ret)
		ret = ckpt_write_tail(ctx, obj->kind, obj->ref, &rec,
				      sizeof(rec), names, len);
	put_cred(cred);
	kfree(names);
	return ret;
}

/* --- saving: what is between sockets -------------------------------------- */

/*
 * Reasons that follow are about this socket of the tree: they name its
 * descriptor, or that of the one who will accept it.
 */
static void enter_sock(struct ckpt_ctx *ctx, const struct ckpt_obj *obj)
{
	struct sock *sk = obj->ptr, *listener = NULL;

	ctx->where.task = obj->task;
	if (ckpt_unix_is_embryo(sk))
		listener = READ_ONCE(unix_sk(sk)->listener);
	if (listener && ckpt_obj_find(ctx, listener))
		sk = listener;
	ckpt_sock_where(ctx, sk);
}

/* What a socket of the tree holds; all of it may be new. */
static int collect_contents(struct ckpt_ctx *ctx, struct sock *sk)
{
	const struct cred *cred;
	int ret = 0, err;
	s32 pid;

	if (ckpt_unix_is_dead(sk))
		return 0;
	cred = ckpt_unix_get_peer_cred(ctx, sk, &pid);
	if (cred) {
		ret = ckpt_collect(ctx, &ckpt_kind_cred, (void *)cred);
		put_cred(cred);
	}
	err = ckpt_unix_queue_collect(ctx, sk);
	return ret ?: err;
}

/*
 * Whom it sends to: somebody in the tree, who has been found by now, nobody any
 * more, or somebody outside.
 */
static int collect_peer(struct ckpt_ctx *ctx, struct sock *sk)
{
	struct sock *peer;
	int ret = 0;

	peer = unix_peer_get(sk);
	if (!peer)
		return 0;
	if (ckpt_obj_find(ctx, peer))
		goto out;
	if (ckpt_unix_is_dead(peer))
		ret = ckpt_collect(ctx, &ckpt_kind_unix, peer);
	else if (ckpt_unix_is_embryo(peer))
		ret = ckpt_refuse(ctx, -EBUSY,
				  "waits to be accepted by a process outside");
	else
		ret = ckpt_refuse(ctx, -EBUSY,
				  "the other side of the socket is held by a process outside");
out:
	sock_put(peer);
	return ret;
}

/**
 * ckpt_unix_collect() - collect what unix sockets refer to
 * @ctx: the checkpoint, after all tasks were collected
 *
 * Connections that wait to be accepted, files in messages, and what these refer
 * to, in turn; then the peers.
 *
 * Return: 0, or the first -errno, noted as reasons.
 */
int ckpt_unix_collect(struct ckpt_ctx *ctx)
{
	const struct ckpt_where where = ctx->where;
	struct ckpt_obj *obj;
	int ret = 0, err;

	/* The list grows at its end meanwhile. */
	list_for_each_entry(obj, &ctx->objs, node) {
		if (obj->kind != &ckpt_kind_unix)
			continue;
		enter_sock(ctx, obj);
		err = collect_contents(ctx, obj->ptr);
		ret = ret ?: err;
		if (fatal_signal_pending(current))
			goto interrupted;
		cond_resched();
	}
	list_for_each_entry(obj, &ctx->objs, node) {
		if (obj->kind != &ckpt_kind_unix)
			continue;
		enter_sock(ctx, obj);
		err = collect_peer(ctx, obj->ptr);
		ret = ret ?: err;
		if (fatal_signal_pending(current))
			goto interrupted;
		cond_resched();
	}
	ctx->where = where;
	return ret;

interrupted:
	ctx->where = where;
	return ret ?: -EINTR;
}

/*
 * The order in which a restart needs it. Connections come first: who takes
 * them out has to be known before there are files in them. A socket listens
 * when its connections are complete.
 */
enum unix_pass {
	PASS_CONNECTIONS,
	PASS_MESSAGES,
	PASS_STATE,
	PASS_STATE_DEAD,
	PASS_STATE_LISTENING,
	NR_PASSES
};

static int save_pass(struct ckpt_ctx *ctx, struct ckpt_obj *obj,
		     enum unix_pass pass)
{
	bool listening = ckpt_unix_is_listening(obj->ptr);
	bool dead = ckpt_unix_is_dead(obj->ptr);

	switch (pass) {
	case PASS_CONNECTIONS:
		return listening ? ckpt_unix_queue_save(ctx, obj) : 0;
	case PASS_MESSAGES:
		return listening || dead ? 0 : ckpt_unix_queue_save(ctx, obj);
	case PASS_STATE:
		return listening || dead ? 0 : ckpt_unix_state_save(ctx, obj);
	case PASS_STATE_DEAD:
		return dead ? ckpt_unix_state_save(ctx, obj) : 0;
	default:
		return listening ? ckpt_unix_state_save(ctx, obj) : 0;
	}
}

/**
 * ckpt_unix_save() - write the messages and states of all unix sockets
 * @ctx: the checkpoint, after the records of all objects
 *
 * Return: 0 or -errno.
 */
int ckpt_unix_save(struct ckpt_ctx *ctx)
{
	const struct ckpt_where where = ctx->where;
	struct ckpt_obj *obj;
	int pass, ret = 0;

	for (pass = 0; !ret && pass < NR_PASSES; pass++) {
		list_for_each_entry(obj, &ctx->objs, node) {
			if (obj->kind != &ckpt_kind_unix)
				continue;
			ctx->where.kind = obj->kind->name;
			ret = save_pass(ctx, obj, pass);
			if (ret)
				break;
		}
	}
	ctx->where = where;
	return ret;
}

/**
 * ckpt_unix_is_quiet() - can only the tree reach this socket?
 * @sk: a socket that is saved or restored
 *
 * Return: true when it has its peer for ever, or when nobody finds it.
 */
bool ckpt_unix_is_quiet(struct sock *sk)
{
	if (sk->sk_type != SOCK_DGRAM)
		return READ_ONCE(sk->sk_state) == TCP_ESTABLISHED;
	return !ckpt_unix_get_name(sk);
}

/* --- restarting ----------------------------------------------------------- */

/**
 * ckpt_unix_of() - the record of a UNIX that is defined
 * @ctx: the restart
 * @ref: a number, from an image
 *
 * Return: the record, or NULL.
 */
const struct ckpt_unix *ckpt_unix_of(struct ckpt_ctx *ctx, ckpt_ref_t ref)
{
	if (!ckpt_ref_is_type(ctx, ref, CKPT_REC_UNIX))
		return NULL;
	return ckpt_payload(ckpt_obj_get(ctx, ref)->rec, struct ckpt_unix);
}

/**
 * ckpt_unix_has_file() - can a description refer to this?
 * @ctx: the restart
 * @ref: a number, from an image
 *
 * Return: true for a UNIX that is neither closed nor not accepted yet.
 */
bool ckpt_unix_has_file(struct ckpt_ctx *ctx, ckpt_ref_t ref)
{
	const struct ckpt_unix *p = ckpt_unix_of(ctx, ref);

	return p && !(p->flags & (CKPT_UNIX_DEAD | CKPT_UNIX_EMBRYO));
}

static int unix_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_unix *p = ckpt_payload(rec, struct ckpt_unix);
	bool own = !(p->flags & (CKPT_UNIX_DEAD | CKPT_UNIX_EMBRYO));
	int ret;

	if (p->sock.protocol ||
	    (p->sock.type != SOCK_STREAM && p->sock.type != SOCK_DGRAM &&
	     p->sock.type != SOCK_SEQPACKET))
		return ckpt_refuse(ctx, -EINVAL, "bad type of a unix socket");
	if (p->flags & ~(CKPT_UNIX_DEAD | CKPT_UNIX_EMBRYO | CKPT_UNIX_BOUND) ||
	    (!own && p->flags & (p->flags - 1)) ||
	    (p->flags & CKPT_UNIX_EMBRYO && p->sock.type == SOCK_DGRAM))
		return ckpt_refuse(ctx, -EINVAL, "bad flags of a unix socket");
	if (own ? !ckpt_ref_is_type(ctx, p->cred, CKPT_REC_CRED) : p->cred)
		return ckpt_refuse(ctx, -EINVAL,
				   "a unix socket without credentials");
	ret = ckpt_unix_name_check(ctx, p, ckpt_tail_len(rec, sizeof(*p)));
	return ret ?: ckpt_sock_check(ctx, &p->sock);
}

/* The embryo is not in the hands of whoever listens, and never will be. */
static void forget_listener(struct ckpt_unix_live *live)
{
	list_del_init(&live->embryo_node);
	if (!live->listener)
		return;
	unix_update_edges(unix_sk(live->sk));
	sock_put(live->listener);
	live->listener = NULL;
}

static void unix_live_free(void *ptr)
{
	struct ckpt_unix_live *live = ptr, *embryo, *next_embryo;
	bool committed = live->committed;

	if (!committed)
		ckpt_unix_name_undo(live);
	list_for_each_entry_safe(embryo, next_embryo, &live->embryos,
				 embryo_node)
		forget_listener(embryo);
	forget_listener(live);
	ckpt_sock_live_close(&live->base);
	if (live->sk)
		sock_put(live->sk);
	put_cred(live->cred);
	kfree(live);
	/* What is in its own queue is closed by nobody, and has its name. */
	if (!committed && READ_ONCE(unix_tot_inflight))
		unix_gc();
}

static int unix_restore(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_unix *p = ckpt_payload(rec, struct ckpt_unix);
	const struct cred *old, *cred = ctx->caller_cred;
	struct ckpt_unix_live *live;
	int ret;

	if (p->cred)
		cred = ckpt_obj_ptr(ctx, p->cred);
	live = kzalloc(sizeof(*live), GFP_KERNEL_ACCOUNT);
	if (!live)
		return -ENOMEM;
	live->rec = rec;
	live->cred = get_cred(cred);
	INIT_LIST_HEAD(&live->embryos);
	INIT_LIST_HEAD(&live->embryo_node);
	ckpt_obj_set(ctx, rec->objref, live, unix_live_free);

	old = override_creds(cred);
	ret = sock_create(AF_UNIX, p->sock.type, 0, &live->base.sock);
	revert_creds(old);
	if (ret)
		return ckpt_refuse(ctx, ret, "cannot make a unix socket");
	live->sk = live->base.sock->sk;
	sock_hold(live->sk);
	/*
	 * A state in which it can neither listen nor connect: with something in
	 * its queue it must not, and whether that fits is known in the end.
	 */
	if (p->sock.type != SOCK_DGRAM)
		live->sk->sk_state = TCP_CLOSING;
	return 0;
}

static void unix_commit(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_unix_live *live = ckpt_obj_ptr(ctx, rec->objref);

	live->committed = true;
}

const struct ckpt_kind ckpt_kind_unix = {
	.name		= "unix",
	.about		= "unix sockets with both sides in the tree: type, name, options",
	.family		= CKPT_FAMILY_OBJECT,
	.type		= CKPT_REC_UNIX,
	.phase		= CKPT_PHASE_OBJECT,
	.version	= 1,
	.min_version	= 1,
	CKPT_PAYLOAD_TAIL(struct ckpt_unix, CKPT_UNIX_MAX_NAME + CKPT_MAX_PATH),
	.object		= true,
	.obj_get	= unix_get,
	.obj_put	= unix_put,
	.obj_collect	= unix_collect,
	.obj_save	= unix_save,
	.check		= unix_check,
	.restore	= unix_restore,
	.commit		= unix_commit,
};
