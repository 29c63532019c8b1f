// SPDX-License-Identifier: GPL-2.0
/*
 * Credentials, of tasks and of open files.
 *
 * Nobody gets by an image what the system calls would not give him: for each
 * part that differs from the caller's, what setresuid(2), setresgid(2),
 * setfsuid(2), setgroups(2), capset(2) and prctl(2) ask for is asked for here,
 * of the caller. What is equal needs no permission.
 */

#include <linux/capability.h>
#include <linux/cn_proc.h>
#include <linux/cred.h>
#include <linux/key.h>
#include <linux/keyctl.h>
#include <linux/sched/coredump.h>
#include <linux/sched/signal.h>
#include <linux/sched/user.h>
#include <linux/securebits.h>
#include <linux/security.h>
#include <linux/slab.h>
#include <linux/uidgid.h>
#include <linux/user_namespace.h>

#ifdef CONFIG_SECURITY_LANDLOCK
#include "../security/landlock/cred.h"
#endif

#include "task.h"

/* A later kernel's new securebit or reqkey default must be thought about. */
static_assert((SECURE_ALL_BITS | SECURE_ALL_LOCKS) == 0xff);
static_assert(KEY_REQKEY_DEFL_REQUESTOR_KEYRING == 7);

/* --- keyrings: refused ------------------------------------------------------ */

static int keyrings_collect(struct ckpt_ctx *ctx, struct task_struct *task)
{
	int ret = 0;
#ifdef CONFIG_KEYS
	const struct cred *cred = get_task_cred(task);

	if (cred->thread_keyring || cred->process_keyring)
		ret = ckpt_refuse(ctx, -EOPNOTSUPP, "has a %s keyring",
				  cred->thread_keyring ? "thread" : "process");
	else if (cred->request_key_auth)
		ret = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "is instantiating a key for somebody");
	put_cred(cred);
#endif
	return ret;
}

const struct ckpt_kind ckpt_kind_keyrings = {
	.name = "keyrings",
	.about = "the session keyring becomes the one of the restart's caller",
	.refuse = "thread and process keyrings",
	.family = CKPT_FAMILY_TASK,
	.task_collect = keyrings_collect,
};

/* --- saving ----------------------------------------------------------------- */

/*
 * The security context as text, empty when no security module has any.
 * Return: 0 or -E2BIG.
 */
static int cred_label(const struct cred *cred, u8 *label, size_t size)
{
	char *text;
	u32 secid, len;
	int ret = 0;

	memset(label, 0, size);
	security_cred_getsecid(cred, &secid);
	if (security_secid_to_secctx(secid, &text, &len))
		return 0;
	len = strnlen(text, len);
	if (len < size)
		memcpy(label, text, len);
	else
		ret = -E2BIG;
	security_release_secctx(text, len);
	return ret;
}

static int collect_label(struct ckpt_ctx *ctx, const struct cred *cred)
{
	u8 label[sizeof_field(struct ckpt_cred, label)];

	if (cred_label(cred, label, sizeof(label)))
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "has a security context of more than %zu bytes",
				   sizeof(label) - 1);
#ifdef CONFIG_SECURITY_LANDLOCK
	if (landlock_initialized && landlock_cred(cred)->domain)
		return ckpt_refuse(ctx, -EOPNOTSUPP, "is confined by Landlock");
#endif
	return 0;
}

static int cred_collect(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	struct user_namespace *ns = ctx->user_ns;
	const struct cred *cred = obj->ptr;
	const kuid_t uids[] = { cred->uid, cred->suid, cred->euid, cred->fsuid };
	const kgid_t gids[] = { cred->gid, cred->sgid, cred->egid, cred->fsgid };
	int i;

	if (cred->user_ns != ns)
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "has credentials of another user namespace");
	for (i = 0; i < ARRAY_SIZE(uids); i++)
		if (!kuid_has_mapping(ns, uids[i]))
			return ckpt_refuse(ctx, -EOPNOTSUPP,
					   "has a user id without a number in its user namespace");
	for (i = 0; i < ARRAY_SIZE(gids); i++)
		if (!kgid_has_mapping(ns, gids[i]))
			return ckpt_refuse(ctx, -EOPNOTSUPP,
					   "has a group id without a number in its user namespace");
	for (i = 0; i < cred->group_info->ngroups; i++)
		if (!kgid_has_mapping(ns, cred->group_info->gid[i]))
			return ckpt_refuse(ctx, -EOPNOTSUPP,
					   "has a supplementary group without a number in its user namespace");
	if (cred->securebits & ~(SECURE_ALL_BITS | SECURE_ALL_LOCKS))
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "has unknown securebits 0x%x",
				   cred->securebits);
	return collect_label(ctx, cred);
}

static int cred_save(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	const struct cred *cred = obj->ptr;
	const struct group_info *gi = cred->group_info;
	struct user_namespace *ns = cred->user_ns;
	struct ckpt_cred rec = {
		.uid = from_kuid(ns, cred->uid),
		.gid = from_kgid(ns, cred->gid),
		.suid = from_kuid(ns, cred->suid),
		.sgid = from_kgid(ns, cred->sgid),
		.euid = from_kuid(ns, cred->euid),
		.egid = from_kgid(ns, cred->egid),
		.fsuid = from_kuid(ns, cred->fsuid),
		.fsgid = from_kgid(ns, cred->fsgid),
		.cap_inheritable = cred->cap_inheritable.val,
		.cap_permitted = cred->cap_permitted.val,
		.cap_effective = cred->cap_effective.val,
		.cap_bset = cred->cap_bset.val,
		.cap_ambient = cred->cap_ambient.val,
		.securebits = cred->securebits,
	};
	u32 *groups;
	int i, ret;

#ifdef CONFIG_KEYS
	rec.reqkey_keyring = cred->jit_keyring;
#endif
	ret = cred_label(cred, rec.label, sizeof(rec.label));
	if (ret)
		return ret;

	groups = kvmalloc_array(gi->ngroups, sizeof(*groups),
				GFP_KERNEL_ACCOUNT);
	if (!groups)
		return -ENOMEM;
	for (i = 0; i < gi->ngroups; i++)
		groups[i] = from_kgid(ns, gi->gid[i]);
	ret = ckpt_write_tail(ctx, obj->kind, obj->ref, &rec, sizeof(rec),
			      groups, gi->ngroups * sizeof(*groups));
	kvfree(groups);
	return ret;
}

/* --- restarting --------------------------------------------------------------- */

static int cred_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_cred *c = ckpt_payload(rec, struct ckpt_cred);
	u64 caps = c->cap_inheritable | c->cap_permitted | c->cap_effective |
		   c->cap_bset | c->cap_ambient;

	if (ckpt_tail_len(rec, sizeof(*c)) % sizeof(c->groups[0]))
		return ckpt_refuse(ctx, -EINVAL, "a part of a group id");
	if (caps & ~CAP_VALID_MASK)
		return ckpt_refuse(ctx, -EINVAL,
				   "has capabilities unknown here: 0x%llx",
				   caps & ~CAP_VALID_MASK);
	if (c->cap_effective & ~c->cap_permitted)
		return ckpt_refuse(ctx, -EINVAL,
				   "effective capabilities that are not permitted");
	if (c->cap_ambient & ~(c->cap_permitted & c->cap_inheritable))
		return ckpt_refuse(ctx, -EINVAL,
				   "ambient capabilities that are not permitted and inheritable");
	if (c->securebits & ~(SECURE_ALL_BITS | SECURE_ALL_LOCKS))
		return ckpt_refuse(ctx, -EINVAL, "unknown securebits 0x%x",
				   c->securebits);
	if (c->reqkey_keyring > KEY_REQKEY_DEFL_USER_SESSION_KEYRING)
		return ckpt_refuse(ctx, -EINVAL, "unknown default keyring %u",
				   c->reqkey_keyring);
	if (!memchr(c->label, 0, sizeof(c->label)))
		return ckpt_refuse(ctx, -EINVAL,
				   "a security context without an end");
	return 0;
}

static bool uid_is_own(kuid_t uid, const struct cred *old)
{
	return uid_eq(uid, old->uid) || uid_eq(uid, old->euid) ||
	       uid_eq(uid, old->suid);
}

static bool gid_is_own(kgid_t gid, const struct cred *old)
{
	return gid_eq(gid, old->gid) || gid_eq(gid, old->egid) ||
	       gid_eq(gid, old->sgid);
}

/* As setresuid(2) and setfsuid(2). */
static int set_uids(struct ckpt_ctx *ctx, const struct ckpt_cred *c,
		    struct cred *new, const struct cred *old)
{
	struct user_namespace *ns = old->user_ns;
	struct user_struct *user;
	int ret;

	new->uid = make_kuid(ns, c->uid);
	new->euid = make_kuid(ns, c->euid);
	new->suid = make_kuid(ns, c->suid);
	new->fsuid = make_kuid(ns, c->fsuid);
	if (!uid_valid(new->uid) || !uid_valid(new->euid) ||
	    !uid_valid(new->suid) || !uid_valid(new->fsuid))
		return ckpt_refuse(ctx, -EINVAL,
				   "user ids %u %u %u %u do not all exist in this user namespace",
				   c->uid, c->euid, c->suid, c->fsuid);
	if (uid_eq(new->uid, old->uid) && uid_eq(new->euid, old->euid) &&
	    uid_eq(new->suid, old->suid) && uid_eq(new->fsuid, old->fsuid))
		return 0;

	if ((!uid_is_own(new->uid, old) || !uid_is_own(new->euid, old) ||
	     !uid_is_own(new->suid, old) ||
	     (!uid_is_own(new->fsuid, old) &&
	      !uid_eq(new->fsuid, old->fsuid))) &&
	    !ns_capable_setid(ns, CAP_SETUID))
		return ckpt_refuse(ctx, -EPERM,
				   "user ids %u %u %u %u are not the caller's and need CAP_SETUID",
				   c->uid, c->euid, c->suid, c->fsuid);

	if (!uid_eq(new->uid, old->uid)) {
		user = alloc_uid(new->uid);
		if (!user)
			return -EAGAIN;
		free_uid(new->user);
		new->user = user;
	}
	ret = security_task_fix_setuid(new, old, LSM_SETID_RES);
	if (ret)
		return ckpt_refuse(ctx, ret,
				   "a security module forbids user ids %u %u %u",
				   c->uid, c->euid, c->suid);
	ret = set_cred_ucounts(new);
	return ret;
}

/* As setresgid(2) and setfsgid(2). */
static int set_gids(struct ckpt_ctx *ctx, const struct ckpt_cred *c,
		    struct cred *new, const struct cred *old)
{
	struct user_namespace *ns = old->user_ns;
	int ret;

	new->gid = make_kgid(ns, c->gid);
	new->egid = make_kgid(ns, c->egid);
	new->sgid = make_kgid(ns, c->sgid);
	new->fsgid = make_kgid(ns, c->fsgid);
	if (!gid_valid(new->gid) || !gid_valid(new->egid) ||
	    !gid_valid(new->sgid) || !gid_valid(new->fsgid))
		return ckpt_refuse(ctx, -EINVAL,
				   "group ids %u %u %u %u do not all exist in this user namespace",
				   c->gid, c->egid, c->sgid, c->fsgid);
	if (gid_eq(new->gid, old->gid) && gid_eq(new->egid, old->egid) &&
	    gid_eq(new->sgid, old->sgid) && gid_eq(new->fsgid, old->fsgid))
		return 0;

	if ((!gid_is_own(new->gid, old) || !gid_is_own(new->egid, old) ||
	     !gid_is_own(new->sgid, old) ||
	     (!gid_is_own(new->fsgid, old) &&
	      !gid_eq(new->fsgid, old->fsgid))) &&
	    !ns_capable_setid(ns, CAP_SETGID))
		return ckpt_refuse(ctx, -EPERM,
				   "group ids %u %u %u %u are not the caller's and need CAP_SETGID",
				   c->gid, c->egid, c->sgid, c->fsgid);
	ret = security_task_fix_setgid(new, old, LSM_SETID_RES);
	if (ret)
		return ckpt_refuse(ctx, ret,
				   "a security module forbids group ids %u %u %u",
				   c->gid, c->egid, c->sgid);
	return 0;
}

static bool groups_equal(const struct group_info *a, const struct group_info *b)
{
	int i;

	if (a->ngroups != b->ngroups)
		return false;
	for (i = 0; i < a->ngroups; i++)
		if (!gid_eq(a->gid[i], b->gid[i]))
			return false;
	return true;
}

/* As setgroups(2). */
static int set_supplementary(struct ckpt_ctx *ctx, const struct ckpt_rec *rec,
			     const struct ckpt_cred *c, struct cred *new,
			     const struct cred *old)
{
	u32 nr = ckpt_tail_len(rec, sizeof(*c)) / sizeof(c->groups[0]);
	struct group_info *gi;
	int ret = 0;
	u32 i;

	gi = groups_alloc(nr);
	if (!gi)
		return -ENOMEM;
	for (i = 0; i < nr; i++) {
		gi->gid[i] = make_kgid(old->user_ns, c->groups[i]);
		if (!gid_valid(gi->gid[i])) {
			ret = ckpt_refuse(ctx, -EINVAL,
					  "group %u does not exist in this user namespace",
					  c->groups[i]);
			goto out;
		}
	}
	groups_sort(gi);
	if (groups_equal(gi, old->group_info))
		goto out;
	if (!may_setgroups()) {
		ret = ckpt_refuse(ctx, -EPERM,
				  "supplementary groups differ from the caller's, which needs CAP_SETGID (and setgroups allowed)");
		goto out;
	}
	set_groups(new, gi);
	ret = security_task_fix_setgroups(new, old);
	if (ret)
		ckpt_refuse(ctx, ret,
			    "a security module forbids the supplementary groups");
out:
	put_group_info(gi);
	return ret;
}

/* As PR_SET_SECUREBITS and PR_SET_KEEPCAPS. */
static int set_securebits(struct ckpt_ctx *ctx, const struct ckpt_cred *c,
			  struct cred *new, const struct cred *old)
{
	u32 differ = c->securebits ^ old->securebits;

	if (((old->securebits & SECURE_ALL_LOCKS) >> 1) & differ ||
	    old->securebits & SECURE_ALL_LOCKS & ~c->securebits)
		return ckpt_refuse(ctx, -EPERM,
				   "securebits 0x%x, but the caller's 0x%x are locked",
				   c->securebits, old->securebits);
	if (differ & ~issecure_mask(SECURE_KEEP_CAPS) &&
	    !ns_capable(old->user_ns, CAP_SETPCAP))
		return ckpt_refuse(ctx, -EPERM,
				   "securebits 0x%x differ from the caller's 0x%x, which needs CAP_SETPCAP",
				   c->securebits, old->securebits);
	new->securebits = c->securebits;
	return 0;
}

/*
 * As PR_CAPBSET_DROP, capset(2) and PR_CAP_AMBIENT. @new has been through
 * security_task_fix_setuid(): it has the capabilities that remain when the
 * user ids change.
 */
static int set_caps(struct ckpt_ctx *ctx, const struct ckpt_cred *c,
		    struct cred *new, const struct cred *old)
{
	kernel_cap_t inheritable = { c->cap_inheritable };
	kernel_cap_t permitted = { c->cap_permitted };
	kernel_cap_t effective = { c->cap_effective };
	kernel_cap_t ambient = { c->cap_ambient };
	kernel_cap_t bset = { c->cap_bset };
	kernel_cap_t can_have = old->cap_permitted;
	int ret;

	if (!cap_issubset(bset, old->cap_bset))
		return ckpt_refuse(ctx, -EPERM,
				   "bounding set 0x%llx exceeds the caller's 0x%llx",
				   bset.val, old->cap_bset.val);
	if (bset.val != old->cap_bset.val &&
	    !ns_capable(old->user_ns, CAP_SETPCAP))
		return ckpt_refuse(ctx, -EPERM,
				   "a smaller bounding set than the caller's needs CAP_SETPCAP");

	/* Unless PR_SET_KEEPCAPS could have prevented it: */
	if (issecure(SECURE_KEEP_CAPS_LOCKED) && !issecure(SECURE_KEEP_CAPS))
		can_have = new->cap_permitted;
	if (!cap_issubset(permitted, can_have))
		return ckpt_refuse(ctx, -EPERM,
				   "permitted capabilities 0x%llx exceed the caller's 0x%llx",
				   permitted.val, can_have.val);
	/* An ambient capability which a change of user ids would clear, too. */
	if (!cap_issubset(ambient, new->cap_ambient) &&
	    issecure(SECURE_NO_CAP_AMBIENT_RAISE))
		return ckpt_refuse(ctx, -EPERM,
				   "ambient capabilities 0x%llx, but the caller may not raise any",
				   ambient.val);

	ret = 0;
	if (inheritable.val != new->cap_inheritable.val ||
	    permitted.val != new->cap_permitted.val ||
	    effective.val != new->cap_effective.val)
		ret = security_capset(new, old, &effective, &inheritable,
				      &permitted);
	if (ret)
		return ckpt_refuse(ctx, ret,
				   "capabilities (inheritable 0x%llx, permitted 0x%llx) exceed what the caller may set",
				   inheritable.val, permitted.val);
	new->cap_bset = bset;
	new->cap_ambient = ambient;
	return 0;
}

static int check_label(struct ckpt_ctx *ctx, const struct ckpt_cred *c,
		       const struct cred *old)
{
	u8 label[sizeof_field(struct ckpt_cred, label)];

	if (!cred_label(old, label, sizeof(label)) &&
	    !strcmp(label, c->label))
		return 0;
	return ckpt_refuse(ctx, -EPERM,
			   "the saved security context is not the caller's: '%*pE'",
			   (int)strlen(c->label), c->label);
}

/* As for a new process; a saved one has none. */
static void drop_keyrings(struct cred *new)
{
#ifdef CONFIG_KEYS
	key_put(new->thread_keyring);
	new->thread_keyring = NULL;
	key_put(new->process_keyring);
	new->process_keyring = NULL;
#endif
}

static void cred_release(void *ptr)
{
	put_cred(ptr);
}

static int cred_restore(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_cred *c = ckpt_payload(rec, struct ckpt_cred);
	const struct cred *old = current_cred();
	struct cred *new;
	int ret;

	/*
	 * The permissions are those of the caller: current is the caller, or
	 * its child with a copy of its credentials, which it changes when all
	 * is restored.
	 */
	if (WARN_ON_ONCE(old->user_ns != ctx->user_ns))
		return -EPERM;
#ifdef CONFIG_SECURITY_LANDLOCK
	if (landlock_initialized && landlock_cred(old)->domain)
		return ckpt_refuse(ctx, -EPERM,
				   "the caller is confined by Landlock, the saved process was not");
#endif
	ret = check_label(ctx, c, old);
	if (ret)
		return ret;

	new = prepare_creds();
	if (!new)
		return -ENOMEM;
	drop_keyrings(new);
#ifdef CONFIG_KEYS
	new->jit_keyring = c->reqkey_keyring;
#endif
	ret = set_gids(ctx, c, new, old);
	if (!ret)
		ret = set_supplementary(ctx, rec, c, new, old);
	if (!ret)
		ret = set_uids(ctx, c, new, old);
	if (!ret)
		ret = set_caps(ctx, c, new, old);
	if (!ret)
		ret = set_securebits(ctx, c, new, old);
	if (ret) {
		abort_creds(new);
		return ret;
	}
	ckpt_obj_set(ctx, rec->objref, new, cred_release);
	return 0;
}

/*
 * As copy_creds() does it for a thread, of a new one that has not run yet or
 * sleeps: it has those of its creator.
 */
static void give_creds(struct task_struct *task, const struct cred *new)
{
	const struct cred *old = unrcu_pointer(task->real_cred);

	get_cred_many(new, 2);
	inc_rlimit_ucounts(new->ucounts, UCOUNT_RLIMIT_NPROC, 1);
	rcu_assign_pointer(task->real_cred, new);
	rcu_assign_pointer(task->cred, new);
	dec_rlimit_ucounts(old->ucounts, UCOUNT_RLIMIT_NPROC, 1);
	if (!uid_eq(new->uid, old->uid) || !uid_eq(new->euid, old->euid) ||
	    !uid_eq(new->suid, old->suid) || !uid_eq(new->fsuid, old->fsuid))
		proc_id_connector(task, PROC_EVENT_UID);
	if (!gid_eq(new->gid, old->gid) || !gid_eq(new->egid, old->egid) ||
	    !gid_eq(new->sgid, old->sgid) || !gid_eq(new->fsgid, old->fsgid))
		proc_id_connector(task, PROC_EVENT_GID);
	put_cred_many(old, 2);
}

/**
 * ckpt_cred_commit() - give a task restored credentials
 * @task: current, or a new task that has not run yet or sleeps
 * @cred: what the restore of a CRED record made; its reference stays there
 *
 * Leaves alone what commit_creds() resets with a change of user: dumpability
 * belongs to the mm, which has been restored. The signal for the death of the
 * parent is reset, and has to be set behind this.
 *
 * Context: Process context, credentials not overridden.
 */
void ckpt_cred_commit(struct task_struct *task, struct cred *cred)
{
	bool same_user = cred->ucounts == task_ucounts(task);
	int dumpable;

	if (task == current) {
		dumpable = get_dumpable(current->mm);
		commit_creds((struct cred *)get_cred(cred));
		set_dumpable(current->mm, dumpable);
	} else {
		give_creds(task, cred);
	}

	/* As after setuid(): too many processes show in execve(). */
	if (same_user)
		return;
	if (is_rlimit_overlimit(cred->ucounts, UCOUNT_RLIMIT_NPROC,
				rlimit(RLIMIT_NPROC)) &&
	    cred->user != INIT_USER)
		task->flags |= PF_NPROC_EXCEEDED;
	else
		task->flags &= ~PF_NPROC_EXCEEDED;
}

static void cred_obj_get(void *ptr)
{
	get_cred(ptr);
}

const struct ckpt_kind ckpt_kind_cred = {
	.name = "cred",
	.about = "ids, groups, capabilities, securebits; the security context is compared",
	.family = CKPT_FAMILY_OBJECT,
	.type = CKPT_REC_CRED,
	.phase = CKPT_PHASE_CRED,
	.version = 1,
	.min_version = 1,
	CKPT_PAYLOAD_TAIL(struct ckpt_cred, NGROUPS_MAX * sizeof(u32)),
	.object = true,
	.obj_get = cred_obj_get,
	.obj_put = cred_release,
	.obj_collect = cred_collect,
	.obj_save = cred_save,
	.check = cred_check,
	.restore = cred_restore,
};
