// SPDX-License-Identifier: GPL-2.0
/*
 * Names of unix sockets: paths, and abstract ones.
 *
 * A restart binds a path anew, as the program did: with the name that it used,
 * in the directory where that leads to the socket's file. A name that nobody
 * finds the socket by (that of an accepted or closed one, or of a removed file)
 * is only shown.
 */

#include <linux/delay.h>
#include <linux/fs.h>
#include <linux/fs_struct.h>
#include <linux/mount.h>
#include <linux/namei.h>
#include <linux/net.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <linux/sched/signal.h>
#include <linux/security.h>
#include <linux/slab.h>
#include <linux/socket.h>

#include "../fs/internal.h"
#include "unix.h"

/* How often a name that is in use is looked at again, after a millisecond. */
#define GC_TRIES	50U

/* --- where paths lead ----------------------------------------------------- */

static struct fs_struct *swap_fs(struct fs_struct *fs)
{
	struct fs_struct *old;

	task_lock(current);
	old = current->fs;
	current->fs = fs;
	task_unlock(current);
	return old;
}

/*
 * Look up paths as a process does that is in the directory @base, and whose
 * root is that, too, when @root is set. Return: what to give to fs_leave().
 */
static struct fs_struct *fs_enter(const char *base, bool root)
{
	struct fs_struct *fs;
	struct path path;
	int ret;

	ret = kern_path(base, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &path);
	if (ret)
		return ERR_PTR(ret);
	fs = copy_fs_struct(current->fs);
	if (fs) {
		set_fs_pwd(fs, &path);
		if (root)
			set_fs_root(fs, &path);
	}
	path_put(&path);
	return fs ? swap_fs(fs) : ERR_PTR(-ENOMEM);
}

static void fs_leave(struct fs_struct *old)
{
	free_fs_struct(swap_fs(old));
}

/* A name that others find the socket by; else it is only shown. */
static bool is_bound_abstract(struct sock *sk)
{
	return sk_hashed(sk) && sk->sk_hash > UNIX_HASH_MOD;
}

static bool is_bound_path(struct sock *sk)
{
	return !hlist_unhashed(&sk->sk_bind_node);
}

/* The file of a socket that is bound to a path, held. */
static bool get_bound_path(struct sock *sk, struct path *path)
{
	bool found;

	unix_state_lock(sk);
	*path = unix_sk(sk)->path;
	found = path->dentry && is_bound_path(sk);
	if (found)
		path_get(path);
	unix_state_unlock(sk);
	return found;
}

/* Does @name lead to @path when @base is what it was for whoever bound it? */
static bool base_is_right(const char *base, const char *name,
			  const struct path *path)
{
	struct fs_struct *old;
	struct path found;
	bool right;
	int ret;

	old = fs_enter(base, *name == '/');
	if (IS_ERR(old))
		return false;
	ret = kern_path(name, 0, &found);
	fs_leave(old);
	if (ret)
		return false;
	right = found.mnt == path->mnt &&
		d_backing_inode(found.dentry) == d_backing_inode(path->dentry);
	path_put(&found);
	return right;
}

/*
 * Find the directory where a restart has to be to bind a socket to its name: a
 * name can be relative to a working directory, or absolute in another root.
 * Return: a path in @buf, or an ERR_PTR(), noted as a reason.
 */
static char *name_base(struct ckpt_ctx *ctx, struct sock *sk,
		       const struct path *path, char *buf)
{
	const char *name = ckpt_unix_name_of(ckpt_unix_get_name(sk));
	const char *tail = name;
	size_t len, tail_len;
	char *real;

	real = ckpt_path(ctx, path, buf, PATH_MAX);
	if (IS_ERR(real)) {
		ckpt_refuse(ctx, -EOPNOTSUPP,
			    "its file is not reachable from the root of the caller: %s",
			    name);
		return real;
	}
	if (*name == '/' && base_is_right("/", name, path))
		return memcpy(buf, "/", 2);

	while (tail[0] == '.' && tail[1] == '/')
		tail += 2;
	len = strlen(real);
	tail_len = strlen(tail);
	if (tail_len < len && !strcmp(real + len - tail_len, tail) &&
	    (*tail == '/' || real[len - tail_len - 1] == '/')) {
		len -= tail_len;
		if (len > 1 && real[len - 1] == '/')
			len--;
		memmove(buf, real, len);
		buf[len] = '\0';
		if (base_is_right(buf, name, path))
			return buf;
		real = ckpt_path(ctx, path, buf, PATH_MAX);
	}
	ckpt_refuse(ctx, -EOPNOTSUPP,
		    "its name does not lead to its file: %s and %s", name,
		    IS_ERR(real) ? "?" : real);
	return ERR_PTR(-EOPNOTSUPP);
}

/* Its mode does not tell what the group may, then. */
static int collect_acl(struct ckpt_ctx *ctx, const struct path *path)
{
	struct posix_acl *acl;

	acl = vfs_get_acl(mnt_idmap(path->mnt), path->dentry,
			  XATTR_NAME_POSIX_ACL_ACCESS);
	if (!IS_ERR(acl)) {
		posix_acl_release(acl);
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "its file has an access control list");
	}
	if (PTR_ERR(acl) == -ENODATA || PTR_ERR(acl) == -EOPNOTSUPP)
		return 0;
	return ckpt_refuse(ctx, PTR_ERR(acl),
			   "the access control list of its file cannot be read");
}

static int collect_path(struct ckpt_ctx *ctx, struct sock *sk,
			const struct path *path, const struct cred *cred)
{
	struct user_namespace *ns = ctx->user_ns;
	struct inode *inode = d_backing_inode(path->dentry);
	struct mnt_idmap *idmap = mnt_idmap(path->mnt);
	const struct cred *old;
	char *buf, *base;
	int ret;

	/* Nobody finds it any more: the name is all that is left. */
	if (d_unlinked(path->dentry)) {
		if (!inode->i_nlink)
			return 0;
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "is bound to a name that was removed, but its file has others");
	}
	/* That one would be of the old file, which goes away. */
	if (inode->i_nlink > 1)
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "its file has another name (a hard link)");
	if (!ckpt_fs_supported(inode->i_sb))
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "its file is in a file system of type %s",
				   inode->i_sb->s_type->name);
	/* As stat() shows it, also where the mount maps owners to others. */
	if (!vfsuid_has_mapping(ns, i_uid_into_vfsuid(idmap, inode)) ||
	    !vfsgid_has_mapping(ns, i_gid_into_vfsgid(idmap, inode)))
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "its file's owner has no number in the user namespace");
	ret = collect_acl(ctx, path);
	if (ret)
		return ret;

	buf = kmalloc(PATH_MAX, GFP_KERNEL);
	if (!buf)
		return -ENOMEM;
	old = override_creds(cred);
	base = name_base(ctx, sk, path, buf);
	revert_creds(old);
	kfree(buf);
	return PTR_ERR_OR_ZERO(base);
}

/**
 * ckpt_unix_name_collect() - will a restart be able to bind the name?
 * @ctx: the checkpoint
 * @sk: a socket that has a description
 * @cred: with whose rights
 *
 * Return: 0, or -errno, noted as a reason.
 */
int ckpt_unix_name_collect(struct ckpt_ctx *ctx, struct sock *sk,
			   const struct cred *cred)
{
	struct path path;
	int ret;

	if (!get_bound_path(sk, &path))
		return 0;
	ret = collect_path(ctx, sk, &path, cred);
	path_put(&path);
	return ret;
}

/* Fills in where the socket's file is, of which @names gets the directory. */
static int save_path(struct ckpt_ctx *ctx, struct sock *sk,
		     const struct path *path, const struct cred *cred,
		     struct ckpt_unix *rec, char *names, size_t *len)
{
	struct user_namespace *ns = ctx->user_ns;
	const struct cred *old;
	struct kstat stat;
	char *base;
	int ret;

	ret = vfs_getattr(path, &stat, STATX_BASIC_STATS,
			  AT_STATX_SYNC_AS_STAT);
	if (ret)
		return ckpt_refuse(ctx, ret,
				   "the attributes of its file cannot be read");
	old = override_creds(cred);
	base = name_base(ctx, sk, path, names + *len);
	revert_creds(old);
	if (IS_ERR(base))
		return PTR_ERR(base);

	*len += strlen(base) + 1;
	rec->flags |= CKPT_UNIX_BOUND;
	rec->mode = stat.mode & S_IALLUGO;
	rec->uid = from_kuid(ns, stat.uid);
	rec->gid = from_kgid(ns, stat.gid);
	return 0;
}

/**
 * ckpt_unix_name_save() - fill in the name
 * @ctx: the checkpoint
 * @sk: the socket
 * @cred: with whose rights its path is looked up; NULL: it has no description
 * @rec: is filled
 * @names: the tail of the record, room for CKPT_UNIX_MAX_NAME + PATH_MAX
 * @len: bytes of it that are used
 *
 * Return: 0, or -errno, noted as a reason.
 */
int ckpt_unix_name_save(struct ckpt_ctx *ctx, struct sock *sk,
			const struct cred *cred, struct ckpt_unix *rec,
			char *names, size_t *len)
{
	struct unix_address *addr = ckpt_unix_get_name(sk);
	struct path path;
	int ret = 0;

	if (!addr)
		return 0;
	*len = rec->name_len = ckpt_unix_name_len(addr);
	memcpy(names, ckpt_unix_name_of(addr), *len);
	if (is_bound_abstract(sk))
		rec->flags |= CKPT_UNIX_BOUND;
	if (cred && get_bound_path(sk, &path)) {
		if (!d_unlinked(path.dentry))
			ret = save_path(ctx, sk, &path, cred, rec, names, len);
		path_put(&path);
	}
	return ret;
}

/* --- restarting ----------------------------------------------------------- */

/* The directory behind the name. */
static const u8 *unix_base(const struct ckpt_unix *p)
{
	return p->names + p->name_len;
}

static bool has_path(const struct ckpt_unix *p)
{
	return p->flags & CKPT_UNIX_BOUND && p->names[0];
}

static bool names_valid(const struct ckpt_unix *p, u32 len)
{
	bool bound = p->flags & CKPT_UNIX_BOUND;

	if (p->name_len > len || p->name_len > CKPT_UNIX_MAX_NAME)
		return false;
	if (!p->name_len)
		return !bound && !len;
	/* A path ends with its only NUL; an abstract name is any bytes. */
	if (p->names[0] && (p->name_len < 2 ||
			    strnlen(p->names, p->name_len) != p->name_len - 1))
		return false;
	if (!p->names[0] && p->name_len > UNIX_PATH_MAX)
		return false;
	if (!bound || !p->names[0])
		return p->name_len == len;
	return ckpt_path_valid(unix_base(p), len - p->name_len);
}

/**
 * ckpt_unix_name_check() - judge what ckpt_unix_name_save() wrote
 * @ctx: the restart
 * @p: from an image
 * @len: bytes of its tail
 *
 * Return: 0 or -EINVAL, noted as a reason.
 */
int ckpt_unix_name_check(struct ckpt_ctx *ctx, const struct ckpt_unix *p,
			 u32 len)
{
	bool bad;

	if (!names_valid(p, len))
		return ckpt_refuse(ctx, -EINVAL, "bad name of a unix socket");
	if (has_path(p))
		bad = p->mode & ~S_IALLUGO || p->uid == (uid_t)-1 ||
		      p->gid == (gid_t)-1;
	else
		bad = p->mode || p->uid || p->gid;
	if (bad)
		return ckpt_refuse(ctx, -EINVAL,
				   "bad attributes of a unix socket's file");
	return 0;
}

/**
 * ckpt_unix_name_show() - give a name to a socket that is not to be found by it
 * @sk: a new socket
 * @name: sun_path
 * @len: its bytes, 0: none
 *
 * Return: 0 or -ENOMEM.
 */
int ckpt_unix_name_show(struct sock *sk, const u8 *name, u32 len)
{
	u32 addr_len = CKPT_UNIX_NAME_OFFSET + len;
	struct unix_address *addr;

	if (!len)
		return 0;
	if (WARN_ON_ONCE(ckpt_unix_get_name(sk)))
		return -EINVAL;
	addr = kmalloc(sizeof(*addr) + addr_len, GFP_KERNEL_ACCOUNT);
	if (!addr)
		return -ENOMEM;
	refcount_set(&addr->refcnt, 1);
	addr->len = addr_len;
	addr->name->sun_family = AF_UNIX;
	memcpy(ckpt_unix_name_of(addr), name, len);
	/* As bind() does; others may ask for the name of a peer. */
	smp_store_release(&unix_sk(sk)->addr, addr);
	return 0;
}

/* As unlink(2), of just this file: nothing, when it was replaced meanwhile. */
static int remove_file(const struct path *path)
{
	struct path dir = { .mnt = path->mnt };
	struct dentry *parent;
	int ret;

	/* Its directory is one that the name does not lead to. */
	if (path->dentry == path->mnt->mnt_root)
		return -EBUSY;
	parent = dget_parent(path->dentry);
	dir.dentry = parent;
	ret = mnt_want_write(path->mnt);
	if (ret)
		goto out;
	inode_lock_nested(d_inode(parent), I_MUTEX_PARENT);
	if (path->dentry->d_parent != parent || d_unhashed(path->dentry))
		ret = -ESTALE;
	else
		ret = security_path_unlink(&dir, path->dentry);
	if (!ret)
		ret = vfs_unlink(mnt_idmap(path->mnt), d_inode(parent),
				 path->dentry, NULL);
	inode_unlock(d_inode(parent));
	mnt_drop_write(path->mnt);
out:
	dput(parent);
	return ret;
}

/**
 * ckpt_unix_name_undo() - a restart failed: a file that it made goes away
 * @live: the socket, before it is closed
 */
void ckpt_unix_name_undo(struct ckpt_unix_live *live)
{
	const struct cred *old;
	struct path path;

	if (!live->path_made || !get_bound_path(live->sk, &path))
		return;
	old = override_creds(live->cred);
	remove_file(&path);
	revert_creds(old);
	path_put(&path);
}

/*
 * The sockets of a process that was just killed can have each other in their
 * queues, and keep their names until the kernel notices. Return: true when it
 * is worth to try again.
 */
static bool wait_for_gc(unsigned int *tries)
{
	if (!*tries || !READ_ONCE(unix_tot_inflight) ||
	    fatal_signal_pending(current))
		return false;
	--*tries;
	unix_gc();
	fsleep(USEC_PER_MSEC);
	return true;
}

/* Does somebody live listen to that name? Return: 0, or -errno. */
static int probe_name(const char *name, u32 len)
{
	struct sockaddr_storage addr = { .ss_family = AF_UNIX };
	struct sockaddr none = { .sa_family = AF_UNSPEC };
	struct socket *sock;
	int ret;

	ret = sock_create(AF_UNIX, SOCK_DGRAM, 0, &sock);
	if (ret)
		return ret;
	memcpy(addr.__data, name, len);
	ret = kernel_connect(sock, (struct sockaddr *)&addr,
			     CKPT_UNIX_NAME_OFFSET + len, O_NONBLOCK);
	if (!ret)
		kernel_connect(sock, &none, sizeof(none), O_NONBLOCK);
	sock_release(sock);
	switch (ret) {
	case -ECONNREFUSED:
	case -ENOENT:
		return 0;
	case 0:			/* a dgram socket, perhaps connected */
	case -EPERM:
	case -EPROTOTYPE:	/* of another type */
		return -EADDRINUSE;
	default:
		return ret;
	}
}

/* Who is replaced has its own sockets until nothing can fail any more. */
static const char *whoever_has(struct ckpt_ctx *ctx)
{
	return ctx->self ? "the caller itself, or another process," :
			   "another process";
}

/*
 * What is at the name of a socket's file: the file of the socket that was
 * saved, or of another one, which nobody has any more. That goes away, as it
 * does before a program binds a name again. Anything else stays, and is a
 * reason to refuse. @made tells whether there was nothing.
 */
static int clear_name(struct ckpt_ctx *ctx, const struct ckpt_unix *p,
		      bool *made)
{
	const char *name = (const char *)p->names;
	unsigned int tries = GC_TRIES;
	struct path path;
	int ret;

	ret = kern_path(name, 0, &path);
	if (ret == -ENOENT) {
		*made = true;
		return 0;
	}
	if (ret)
		return ckpt_path_refuse(ctx, ret, name);
	if (!S_ISSOCK(d_backing_inode(path.dentry)->i_mode)) {
		path_put(&path);
		return ckpt_refuse(ctx, -EEXIST,
				   "something that is no socket has its name: %s",
				   name);
	}
	do {
		ret = probe_name(name, p->name_len - 1);
	} while (ret == -EADDRINUSE && wait_for_gc(&tries));
	if (ret == -EADDRINUSE) {
		ckpt_refuse(ctx, ret, "%s has a socket of this name: %s",
			    whoever_has(ctx), name);
	} else if (ret) {
		ckpt_refuse(ctx, ret,
			    "cannot find out whether this name is in use: %s",
			    name);
	} else {
		ret = remove_file(&path);
		if (ret)
			ckpt_refuse(ctx, ret,
				    "cannot remove the file of the old socket: %s",
				    name);
	}
	path_put(&path);
	return ret;
}

/* What the file was changed to since bind() made it. */
static int set_file_attr(struct ckpt_ctx *ctx, const struct ckpt_unix *p,
			 const struct path *path, const struct cred *cred)
{
	struct user_namespace *ns = ctx->user_ns;
	const struct cred *old;
	struct kstat stat;
	bool give;
	int ret;

	ret = vfs_getattr(path, &stat, STATX_BASIC_STATS,
			  AT_STATX_SYNC_AS_STAT);
	if (ret)
		return ret;
	give = from_kuid(ns, stat.uid) != p->uid ||
	       from_kgid(ns, stat.gid) != p->gid;
	if (give) {
		ret = mnt_want_write(path->mnt);
		if (ret)
			return ret;
		ret = chown_common(path, p->uid, p->gid);
		mnt_drop_write(path->mnt);
	}
	if (ret || (!give && (stat.mode & S_IALLUGO) == p->mode))
		return ret;
	old = override_creds(give ? ctx->caller_cred : cred);
	ret = chmod_common(path, p->mode);
	revert_creds(old);
	return ret;
}

static int bind_name(struct socket *sock, const struct ckpt_unix *p, u32 len)
{
	struct sockaddr_storage addr = { .ss_family = AF_UNIX };

	memcpy(addr.__data, p->names, len);
	return __sys_bind_socket(sock, &addr, CKPT_UNIX_NAME_OFFSET + len);
}

static int bind_path(struct ckpt_ctx *ctx, struct ckpt_unix_live *live,
		     const struct ckpt_unix *p)
{
	const char *base = (const char *)unix_base(p);
	const struct cred *old_cred, *cred = live->cred;
	struct fs_struct *old;
	struct path path;
	int ret;

	old_cred = override_creds(cred);
	old = fs_enter(base, p->names[0] == '/');
	if (IS_ERR(old)) {
		revert_creds(old_cred);
		return ckpt_path_refuse(ctx, PTR_ERR(old), base);
	}
	/* Nobody has more rights before it gets its mode. */
	current->fs->umask = ~p->mode & 0777;
	ret = clear_name(ctx, p, &live->path_made);
	if (!ret) {
		ret = bind_name(live->base.sock, p, p->name_len - 1);
		if (ret)
			ckpt_refuse(ctx, ret, "cannot bind %s in %s",
				    (const char *)p->names, base);
	}
	fs_leave(old);
	revert_creds(old_cred);
	if (ret)
		return ret;

	if (!get_bound_path(live->sk, &path))
		return -EINVAL;
	ret = set_file_attr(ctx, p, &path, cred);
	path_put(&path);
	if (ret)
		return ckpt_refuse(ctx, ret,
				   "cannot give the socket's file to user %u, group %u, mode %o: %s",
				   p->uid, p->gid, p->mode,
				   (const char *)p->names);
	return 0;
}

/**
 * ckpt_unix_name_restore() - give a socket its name
 * @ctx: the restart
 * @live: the socket, with its messages: others find it from now on
 *
 * Return: 0, or -errno, noted as a reason.
 */
int ckpt_unix_name_restore(struct ckpt_ctx *ctx, struct ckpt_unix_live *live)
{
	const struct ckpt_unix *p = ckpt_payload(live->rec, struct ckpt_unix);
	unsigned int tries = GC_TRIES;
	int ret;

	if (!(p->flags & CKPT_UNIX_BOUND))
		return ckpt_unix_name_show(live->sk, p->names, p->name_len);
	if (has_path(p))
		return bind_path(ctx, live, p);
	do {
		ret = bind_name(live->base.sock, p, p->name_len);
	} while (ret == -EADDRINUSE && wait_for_gc(&tries));
	if (ret)
		return ckpt_refuse(ctx, ret,
				   "%s has a socket of this abstract name: @%*pE",
				   whoever_has(ctx), p->name_len - 1,
				   p->names + 1);
	return 0;
}
