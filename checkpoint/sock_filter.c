// SPDX-License-Identifier: GPL-2.0
/*
 * Classic filters of sockets (SO_ATTACH_FILTER), by the instructions that the
 * program gave. Those of eBPF are refused.
 *
 * A restart attaches a filter at the very end: what waits in a socket has
 * passed it already. Until then nothing passes that comes from outside: see
 * ckpt_sock_filter_shut().
 */

#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/slab.h>

#include "socket.h"

#define MAX_TAIL	(BPF_MAXINSNS * sizeof(struct ckpt_bpf_insn))

/* What was given can be given again as it is. */
static_assert(sizeof(struct ckpt_bpf_insn) == sizeof(struct sock_filter));
static_assert(offsetof(struct ckpt_bpf_insn, jt) ==
	      offsetof(struct sock_filter, jt));
static_assert(offsetof(struct ckpt_bpf_insn, jf) ==
	      offsetof(struct sock_filter, jf));
static_assert(offsetof(struct ckpt_bpf_insn, k) ==
	      offsetof(struct sock_filter, k));

/* --- saving -------------------------------------------------------------------- */

/* Context: RCU. */
static const struct sock_fprog_kern *get_classic(const struct sk_filter *filter)
{
	const struct bpf_prog *prog = filter->prog;

	return bpf_prog_was_classic(prog) ? prog->orig_prog : NULL;
}

/**
 * ckpt_sock_filter_collect() - find what cannot be saved of a socket's filter
 * @ctx: the checkpoint
 * @sk: the socket
 *
 * Return: 0, or -errno, noted as a reason.
 */
int ckpt_sock_filter_collect(struct ckpt_ctx *ctx, struct sock *sk)
{
	const struct sk_filter *filter;
	bool ok;

	rcu_read_lock();
	filter = rcu_dereference(sk->sk_filter);
	ok = !filter || get_classic(filter);
	rcu_read_unlock();
	if (!ok)
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "eBPF filters of sockets (SO_ATTACH_BPF) are not supported");
	if (filter && !ckpt_sock_file(sk))
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "filters of sockets that are not accepted yet are not supported");
	return 0;
}

/**
 * ckpt_sock_filter_save() - write the filter of a socket, if it has one
 * @ctx: the checkpoint
 * @obj: the open file of the socket
 * @sk: the socket
 *
 * Return: 0 or -errno.
 */
int ckpt_sock_filter_save(struct ckpt_ctx *ctx, struct ckpt_obj *obj,
			  struct sock *sk)
{
	const struct sock_fprog_kern *orig;
	const struct sk_filter *filter;
	struct ckpt_sock_filter rec = {};
	void *insns = NULL;
	int ret = 0;

	lock_sock(sk);
	filter = rcu_dereference_protected(sk->sk_filter,
					   lockdep_sock_is_held(sk));
	if (!filter)
		goto out;
	ret = -ENOMEM;
	orig = get_classic(filter);
	if (orig)
		insns = kmemdup(orig->filter, bpf_classic_proglen(orig),
				GFP_KERNEL_ACCOUNT);
	if (insns) {
		rec.nr_insns = orig->len;
		ret = 0;
	}
out:
	release_sock(sk);
	if (insns)
		ret = ckpt_write_tail(ctx, &ckpt_kind_sock_filter, obj->ref,
				      &rec, sizeof(rec), insns,
				      rec.nr_insns *
				      sizeof(struct ckpt_bpf_insn));
	kfree(insns);
	return ret;
}

/* --- restarting ------------------------------------------------------------------ */

static int sock_filter_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_sock_filter *p =
		ckpt_payload(rec, struct ckpt_sock_filter);

	if (p->pad || !p->nr_insns || p->nr_insns > BPF_MAXINSNS ||
	    ckpt_tail_len(rec, sizeof(*p)) !=
	    p->nr_insns * sizeof(p->insns[0]))
		return ckpt_refuse(ctx, -EINVAL, "bad filter of a socket");
	return 0;
}

/* SO_GET_FILTER gives what was attached, not what was made of it. */
static struct sock_fprog_kern *copy_original(const struct sock_fprog_kern *fprog)
{
	struct sock_fprog_kern *orig;

	orig = kmalloc(sizeof(*orig), GFP_KERNEL_ACCOUNT);
	if (!orig)
		return NULL;
	orig->len = fprog->len;
	orig->filter = kmemdup(fprog->filter, bpf_classic_proglen(fprog),
			       GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!orig->filter) {
		kfree(orig);
		return NULL;
	}
	return orig;
}

/*
 * A program with its original. What bpf_prog_create() judges and translates
 * has none, and nothing can be written to it any more: so this is another one
 * with the same instructions.
 */
static struct bpf_prog *make_prog(struct sock_fprog_kern *fprog)
{
	struct bpf_prog *checked, *prog;
	int ret;

	ret = bpf_prog_create(&checked, fprog);
	if (ret)
		return ERR_PTR(ret);
	ret = -ENOMEM;
	prog = bpf_prog_alloc(bpf_prog_size(checked->len), GFP_KERNEL_ACCOUNT);
	if (!prog)
		goto out;
	prog->len = checked->len;
	memcpy(prog->insnsi, checked->insnsi, bpf_prog_insn_size(checked));
	prog->orig_prog = copy_original(fprog);
	if (prog->orig_prog)
		prog = bpf_prog_select_runtime(prog, &ret);
	/* The original goes with it. */
	if (ret)
		bpf_prog_destroy(prog);
out:
	bpf_prog_destroy(checked);
	return ret ? ERR_PTR(ret) : prog;
}

/* As sk_attach_filter(), up to the attachment. */
static struct sk_filter *make_filter(struct sock *sk,
				     struct sock_fprog_kern *fprog)
{
	struct sk_filter *filter;
	struct bpf_prog *prog;

	prog = make_prog(fprog);
	if (IS_ERR(prog))
		return ERR_CAST(prog);
	filter = kzalloc(sizeof(*filter), GFP_KERNEL);
	if (!filter)
		goto err;
	filter->prog = prog;
	refcount_set(&filter->refcnt, 1);
	if (!sk_filter_charge(sk, filter))
		goto err;
	/* That was a reference of its own. */
	refcount_dec(&filter->refcnt);
	return filter;
err:
	kfree(filter);
	bpf_prog_destroy(prog);
	return ERR_PTR(-ENOMEM);
}

/* @filter is charged for, or NULL. */
static void set_filter(struct sock *sk, struct sk_filter *filter)
{
	struct sk_filter *old;

	lock_sock(sk);
	old = rcu_replace_pointer(sk->sk_filter, filter,
				  lockdep_sock_is_held(sk));
	release_sock(sk);
	if (old)
		sk_filter_uncharge(sk, old);
}

/**
 * ckpt_sock_filter_shut() - let a new socket receive nothing
 * @ctx: the restart
 * @sk: the socket, which nobody can reach yet
 *
 * Others could send before it is what it was: before it is connected, before
 * it has its filter, before it is certain that it stays.
 *
 * Return: 0, or -errno, noted as a reason.
 */
int ckpt_sock_filter_shut(struct ckpt_ctx *ctx, struct sock *sk)
{
	struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog_kern fprog = { .len = 1, .filter = &nothing };
	struct sk_filter *filter;

	filter = make_filter(sk, &fprog);
	if (IS_ERR(filter))
		return ckpt_refuse(ctx, PTR_ERR(filter),
				   "cannot shut a socket while it is restored");
	set_filter(sk, filter);
	return 0;
}

/**
 * ckpt_sock_filter_open() - let it receive, if it has no filter of its own
 * @live: the socket
 * @sk: the same
 *
 * That comes in the place of the other one.
 */
void ckpt_sock_filter_open(struct ckpt_sock_live *live, struct sock *sk)
{
	if (!live->filter)
		set_filter(sk, NULL);
}

static struct ckpt_sock_live *live_of(struct ckpt_ctx *ctx,
				      const struct ckpt_rec *rec)
{
	struct ckpt_obj *obj = ckpt_obj_get(ctx, rec->objref);

	return ckpt_obj_ptr(ctx, ckpt_payload(obj->rec,
					      struct ckpt_file_socket)->sock);
}

static int sock_filter_restore(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_sock_filter *p =
		ckpt_payload(rec, struct ckpt_sock_filter);
	struct ckpt_sock_live *live = live_of(ctx, rec);
	struct sock_fprog_kern fprog = {
		.len = p->nr_insns,
		.filter = (struct sock_filter *)p->insns,
	};
	struct sk_filter *filter;

	filter = make_filter(live->sock->sk, &fprog);
	if (filter == ERR_PTR(-ENOMEM))
		return ckpt_refuse(ctx, -ENOMEM,
				   "a filter of %u instructions is over the limit (net.core.optmem_max)",
				   p->nr_insns);
	if (IS_ERR(filter))
		return ckpt_refuse(ctx, PTR_ERR(filter),
				   "the filter of a socket is not sound");
	live->filter = filter;
	return 0;
}

/**
 * ckpt_sock_filter_drop() - forget a filter that was not attached
 * @live: the socket, which still is one
 */
void ckpt_sock_filter_drop(struct ckpt_sock_live *live)
{
	if (live->filter)
		sk_filter_uncharge(live->sock->sk, live->filter);
	live->filter = NULL;
}

static void sock_filter_commit(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_sock_live *live = live_of(ctx, rec);

	set_filter(live->sock->sk, live->filter);
	live->filter = NULL;
}

const struct ckpt_kind ckpt_kind_sock_filter = {
	.name		= "sock_filter",
	.about		= "classic filters of sockets (SO_ATTACH_FILTER)",
	.family		= CKPT_FAMILY_OBJECT,
	.type		= CKPT_REC_SOCK_FILTER,
	.phase		= CKPT_PHASE_OBJECT,
	.version	= 1,
	.min_version	= 1,
	CKPT_PAYLOAD_TAIL(struct ckpt_sock_filter, MAX_TAIL),
	.owner		= CKPT_REC_FILE_SOCKET,
	.single		= true,
	.check		= sock_filter_check,
	.restore	= sock_filter_restore,
	.commit		= sock_filter_commit,
};
