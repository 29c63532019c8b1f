// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that belongs to an inode of the kernel's own tmpfs: shared anonymous
 * memory and memfds. It is an object, its contents are saved once however
 * often it is mapped and opened.
 */

#include <linux/ctype.h>
#include <linux/dcache.h>
#include <linux/delay.h>
#include <linux/file.h>
#include <linux/memfd.h>
#include <linux/mm.h>
#include <linux/pid_namespace.h>
#include <linux/sched/signal.h>
#include <linux/shmem_fs.h>
#include <linux/slab.h>

#include "file.h"
#include "kinds.h"
#include "mm.h"

/* Names that memfd_create(), mmap() and shmget() keep to themselves. */
#define MEMFD_PREFIX	"memfd:"
#define MEMFD_NAME_MAX	(NAME_MAX - (sizeof(MEMFD_PREFIX) - 1))
#define ANON_NAME	"dev/zero"
#define SYSV_PREFIX	"SYSV"
#define SYSV_NAME_LEN	12

#define KNOWN_SEALS	(F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW |	\
			 F_SEAL_WRITE | F_SEAL_FUTURE_WRITE | F_SEAL_EXEC)

/* --- recognising -------------------------------------------------------------- */

static bool is_kernel_shmem(struct file *file)
{
	return shmem_mapping(file->f_mapping) &&
	       file_inode(file)->i_sb->s_flags & SB_KERNMOUNT;
}

static const char *shmem_name(struct file *file)
{
	return file->f_path.dentry->d_name.name;
}

/**
 * ckpt_shmem_is_anon() - is this behind a shared anonymous mapping?
 * @file: an open or mapped file
 *
 * Return: true for what mmap(MAP_SHARED | MAP_ANONYMOUS) makes.
 */
bool ckpt_shmem_is_anon(struct file *file)
{
	return is_kernel_shmem(file) && IS_PRIVATE(file_inode(file)) &&
	       !strcmp(shmem_name(file), ANON_NAME);
}

/**
 * ckpt_shmem_is_memfd() - is this a memfd, not of huge pages?
 * @file: an open or mapped file
 *
 * Return: true for what memfd_create() makes and later opens of it.
 */
bool ckpt_shmem_is_memfd(struct file *file)
{
	return is_kernel_shmem(file) &&
	       str_has_prefix(shmem_name(file), MEMFD_PREFIX);
}

/**
 * ckpt_shmem_is_sysv() - is this System V shared memory?
 * @file: an open or mapped file
 *
 * Return: true for what shmat() maps.
 */
bool ckpt_shmem_is_sysv(struct file *file)
{
	return file_inode(file)->i_sb->s_flags & SB_KERNMOUNT &&
	       IS_PRIVATE(file_inode(file)) &&
	       str_has_prefix(shmem_name(file), SYSV_PREFIX);
}

/* --- the memory --------------------------------------------------------------- */

/* Is it mapped by somebody outside of the tree? All of it was collected. */
static bool is_mapped_outside(struct ckpt_ctx *ctx, struct inode *inode)
{
	struct address_space *mapping = inode->i_mapping;
	struct vm_area_struct *vma;
	bool outside = false;

	i_mmap_lock_read(mapping);
	vma_interval_tree_foreach(vma, &mapping->i_mmap, 0, ULONG_MAX)
		if (!ckpt_obj_find(ctx, vma->vm_mm))
			outside = true;
	i_mmap_unlock_read(mapping);
	return outside;
}

static int shmem_collect(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	struct inode *inode = obj->ptr;
	struct shmem_inode_info *info = SHMEM_I(inode);
	int ret = 0;

	/* Only shmctl() locks, and its record tells of it. */
	if (info->flags & ~(unsigned long)(VM_NORESERVE | VM_LOCKED))
		ret = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "shared memory with flags 0x%lx",
				  info->flags);
	if (info->seals & ~KNOWN_SEALS)
		ret = ckpt_refuse(ctx, -EOPNOTSUPP, "a memfd with seals 0x%x",
				  info->seals & ~KNOWN_SEALS);
	if (info->fsflags)
		ret = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "a memfd with file attributes 0x%x",
				  info->fsflags);
	if (!RB_EMPTY_ROOT(&info->xattrs.rb_root))
		ret = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "a memfd with extended attributes");
#ifdef CONFIG_NUMA
	if (!RB_EMPTY_ROOT(&info->policy.root))
		ret = ckpt_refuse(ctx, -EOPNOTSUPP,
				  "shared memory with a NUMA policy");
#endif
	return ret;
}

static int shmem_save(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	struct user_namespace *ns = ctx->user_ns;
	struct inode *inode = obj->ptr;
	struct shmem_inode_info *info = SHMEM_I(inode);
	struct ckpt_shmem rec = {
		.size = i_size_read(inode),
		.seals = info->seals,
		.mode = inode->i_mode & S_IALLUGO,
		.uid = from_kuid_munged(ns, inode->i_uid),
		.gid = from_kgid_munged(ns, inode->i_gid),
		.atime_sec = inode_get_atime_sec(inode),
		.atime_nsec = inode_get_atime_nsec(inode),
		.mtime_sec = inode_get_mtime_sec(inode),
		.mtime_nsec = inode_get_mtime_nsec(inode),
	};
	const char *name = NULL;
	struct dentry *dentry;
	size_t len = 0;
	int ret;

	if (info->flags & VM_NORESERVE)
		rec.flags |= CKPT_SHMEM_NORESERVE;
	/* Its name never changes, nothing else hangs on the inode. */
	dentry = d_find_any_alias(inode);
	if (!dentry)
		return -ESRCH;
	if (!IS_PRIVATE(inode)) {
		rec.flags |= CKPT_SHMEM_MEMFD;
		name = dentry->d_name.name + strlen(MEMFD_PREFIX);
	} else if (str_has_prefix(dentry->d_name.name, SYSV_PREFIX)) {
		rec.flags |= CKPT_SHMEM_SYSV;
		name = dentry->d_name.name;
	}
	if (name)
		len = strlen(name);
	ret = ckpt_write_tail(ctx, &ckpt_kind_shmem, obj->ref, &rec,
			      sizeof(rec), name, len);
	dput(dentry);
	return ret;
}

/**
 * ckpt_shmem_check_leaks() - is all shared memory only the tree's?
 * @ctx: the checkpoint, after everything was collected
 *
 * Neither mapped nor open: each open description holds the one dentry that such
 * an inode has, and those of a memfd also lie in the tables of others.
 *
 * Return: 0, or the last -EBUSY, noted as reasons.
 */
int ckpt_shmem_check_leaks(struct ckpt_ctx *ctx)
{
	struct ckpt_where old = ctx->where;
	unsigned int known, tries = 20;
	struct ckpt_obj *obj, *file;
	struct dentry *dentry;
	int ret = 0;

	list_for_each_entry(obj, &ctx->objs, node) {
		if (obj->kind != &ckpt_kind_shmem)
			continue;
		ctx->where.task = obj->task;
		ctx->where.kind = obj->kind->name;
		if (is_mapped_outside(ctx, obj->ptr)) {
			ret = ckpt_refuse(ctx, -EBUSY,
					  "the memory is shared with a process outside");
			continue;
		}
		/* One that is mapped without a description is anonymous. */
		known = IS_PRIVATE((struct inode *)obj->ptr) ? 1 : 0;
		list_for_each_entry(file, &ctx->objs, node)
			if ((file->kind == &ckpt_kind_file_memfd ||
			     (IS_ENABLED(CONFIG_SYSVIPC) &&
			      file->kind == &ckpt_kind_file_sysv)) &&
			    file_inode(file->ptr) == obj->ptr)
				known++;
		dentry = d_find_any_alias(obj->ptr);
		if (!dentry)
			continue;
		/* /proc/PID/maps and others hold it for a moment. */
		while (d_count(dentry) > known + 1 && tries) {
			tries--;
			fsleep(USEC_PER_MSEC);
		}
		if (d_count(dentry) > known + 1)
			ret = ckpt_refuse(ctx, -EBUSY,
					  "the memory is open outside of the tree: %pd",
					  dentry);
		dput(dentry);
	}
	ctx->where = old;
	return ret;
}

static int check_sysv(struct ckpt_ctx *ctx, const struct ckpt_shmem *shmem,
		      u32 len)
{
	u32 i;

	if (shmem->flags & CKPT_SHMEM_MEMFD || !shmem->size ||
	    shmem->seals != F_SEAL_SEAL || len != SYSV_NAME_LEN ||
	    memcmp(shmem->name, SYSV_PREFIX, strlen(SYSV_PREFIX)))
		return ckpt_refuse(ctx, -EINVAL,
				   "bad memory of a System V segment");
	for (i = strlen(SYSV_PREFIX); i < len; i++)
		if (!isxdigit(shmem->name[i]))
			return ckpt_refuse(ctx, -EINVAL,
					   "bad name of a System V segment");
	return 0;
}

static int shmem_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_shmem *shmem = ckpt_payload(rec, struct ckpt_shmem);
	u32 len = ckpt_tail_len(rec, sizeof(*shmem));

	if (shmem->pad)
		return ckpt_refuse(ctx, -EINVAL, "padding that is not zero");
	if (shmem->flags & ~(CKPT_SHMEM_MEMFD | CKPT_SHMEM_NORESERVE |
			     CKPT_SHMEM_SYSV) ||
	    shmem->seals & ~KNOWN_SEALS || shmem->mode & ~S_IALLUGO)
		return ckpt_refuse(ctx, -EINVAL,
				   "flags 0x%x, seals 0x%x, mode 0%o of shared memory",
				   shmem->flags, shmem->seals, shmem->mode);
	if (shmem->size > MAX_LFS_FILESIZE)
		return ckpt_refuse(ctx, -EINVAL, "shared memory of %llu bytes",
				   shmem->size);
	if (shmem->atime_nsec >= NSEC_PER_SEC ||
	    shmem->mtime_nsec >= NSEC_PER_SEC)
		return ckpt_refuse(ctx, -EINVAL, "a time that is none");
	if (shmem->uid == (uid_t)-1 || shmem->gid == (gid_t)-1)
		return ckpt_refuse(ctx, -EINVAL, "shared memory of nobody");
	if (strnlen(shmem->name, len) != len)
		return ckpt_refuse(ctx, -EINVAL, "a name with a NUL");
	if (shmem->flags & CKPT_SHMEM_SYSV)
		return check_sysv(ctx, shmem, len);
	if (!(shmem->flags & CKPT_SHMEM_MEMFD) &&
	    (len || shmem->seals != F_SEAL_SEAL ||
	     !PAGE_ALIGNED(shmem->size)))
		return ckpt_refuse(ctx, -EINVAL,
				   "anonymous memory that looks like a memfd");
	return 0;
}

static void put_shmem_file(void *ptr)
{
	fput(ptr);
}

static int add_seals(struct ckpt_ctx *ctx, struct file *file, u32 seals)
{
	int ret;

	if (!seals)
		return 0;
	ret = memfd_fcntl(file, F_ADD_SEALS, seals);
	if (ret)
		return ckpt_refuse(ctx, ret, "a memfd cannot be sealed (0x%x)",
				   seals);
	return 0;
}

/*
 * memfd_create() makes an executable file unless the administrator forbids
 * this.
 */
static int check_memfd_policy(struct ckpt_ctx *ctx, u32 mode)
{
	struct pid_namespace *ns = task_active_pid_ns(current);

	if (mode & 0111 &&
	    pidns_memfd_noexec_scope(ns) >= MEMFD_NOEXEC_SCOPE_NOEXEC_ENFORCED)
		return ckpt_refuse(ctx, -EACCES,
				   "executable memfds are forbidden here (vm.memfd_noexec)");
	return 0;
}

static int restore_memfd(struct ckpt_ctx *ctx, const struct ckpt_shmem *shmem,
			 struct file *file)
{
	struct user_namespace *ns = current_user_ns();
	struct inode *inode = file_inode(file);
	u32 seals = shmem->seals;
	int ret = 0;

	if (!IS_ENABLED(CONFIG_MEMFD_CREATE))
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "this kernel has no memfd_create()");
	ret = check_memfd_policy(ctx, shmem->mode);
	if (ret)
		return ret;

	/* As memfd_create() */
	file->f_mode |= FMODE_LSEEK | FMODE_PREAD | FMODE_PWRITE;
	file->f_flags |= O_LARGEFILE;

	if (from_kuid_munged(ns, inode->i_uid) != shmem->uid ||
	    from_kgid_munged(ns, inode->i_gid) != shmem->gid)
		ret = vfs_fchown(file, shmem->uid, shmem->gid);
	if (!ret && (inode->i_mode & S_IALLUGO) != shmem->mode)
		ret = vfs_fchmod(file, shmem->mode);
	if (ret)
		return ckpt_refuse(ctx, ret,
				   "a memfd cannot get its owner %u:%u and mode 0%o",
				   shmem->uid, shmem->gid, shmem->mode);

	/*
	 * A memfd that is sealed against writing has no mapping that could be
	 * made writable, which is so only when the seal is there before the
	 * mappings. Against future writing it is the other way round.
	 */
	if (!(seals & F_SEAL_WRITE))
		seals &= ~(F_SEAL_FUTURE_WRITE | F_SEAL_SEAL);
	SHMEM_I(inode)->seals = 0;
	return add_seals(ctx, file, seals);
}

static int shmem_restore(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_shmem *shmem = ckpt_payload(rec, struct ckpt_shmem);
	u32 len = ckpt_tail_len(rec, sizeof(*shmem));
	char *name, sysv[SYSV_NAME_LEN + 1] = "";
	unsigned long flags = 0;
	struct file *file;

	if (shmem->flags & CKPT_SHMEM_NORESERVE)
		flags |= VM_NORESERVE;
	if (shmem->flags & CKPT_SHMEM_MEMFD) {
		name = kasprintf(GFP_KERNEL_ACCOUNT, MEMFD_PREFIX "%.*s",
				 (int)len, shmem->name);
		if (!name)
			return -ENOMEM;
		file = shmem_file_setup(name, shmem->size, flags);
		kfree(name);
	} else if (shmem->flags & CKPT_SHMEM_SYSV) {
		memcpy(sysv, shmem->name, SYSV_NAME_LEN);
		file = shmem_kernel_file_setup(sysv, shmem->size, flags);
	} else {
		file = shmem_kernel_file_setup(ANON_NAME, shmem->size, flags);
	}
	if (IS_ERR(file))
		return ckpt_refuse(ctx, PTR_ERR(file),
				   "no shared memory of %llu bytes",
				   shmem->size);
	ckpt_obj_set(ctx, rec->objref, file, put_shmem_file);

	if (shmem->flags & CKPT_SHMEM_MEMFD)
		return restore_memfd(ctx, shmem, file);
	return 0;
}

/**
 * ckpt_shmem_seal_future() - forbid new mappings that can write
 * @file: a memfd that is being restored, not seen by anybody else
 *
 * Return: true when it was not so before; ckpt_shmem_unseal_future() undoes it.
 */
bool ckpt_shmem_seal_future(struct file *file)
{
	struct shmem_inode_info *info = SHMEM_I(file_inode(file));

	if (info->seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE))
		return false;
	info->seals |= F_SEAL_FUTURE_WRITE;
	return true;
}

/**
 * ckpt_shmem_unseal_future() - allow them again
 * @file: the memfd
 */
void ckpt_shmem_unseal_future(struct file *file)
{
	SHMEM_I(file_inode(file))->seals &= ~F_SEAL_FUTURE_WRITE;
}

/**
 * ckpt_shmem_seal() - what had to wait for mappings and contents: seals, times
 * @ctx: the restart
 *
 * mmap() is an access, which moves a time.
 *
 * Return: 0 or -errno, noted as a reason.
 */
int ckpt_shmem_seal(struct ckpt_ctx *ctx)
{
	struct shmem_inode_info *info;
	struct ckpt_shmem *shmem;
	struct ckpt_rec *rec;
	struct inode *inode;
	struct file *file;
	int ret;

	list_for_each_entry(rec, &ctx->recs, node) {
		if (rec->type != CKPT_REC_SHMEM)
			continue;
		shmem = ckpt_payload(rec, struct ckpt_shmem);
		file = ckpt_obj_ptr(ctx, rec->objref);
		if (!file)
			continue;
		inode = file_inode(file);
		inode_set_atime(inode, shmem->atime_sec, shmem->atime_nsec);
		inode_set_mtime(inode, shmem->mtime_sec, shmem->mtime_nsec);
		if (!(shmem->flags & CKPT_SHMEM_MEMFD))
			continue;
		info = SHMEM_I(inode);
		ret = add_seals(ctx, file, shmem->seals & ~info->seals);
		if (ret)
			return ret;
		if (info->seals != shmem->seals)
			return ckpt_refuse(ctx, -EINVAL,
					   "a memfd has got seals 0x%x, not 0x%x",
					   info->seals, shmem->seals);
	}
	return 0;
}

const struct ckpt_kind ckpt_kind_shmem = {
	.name = "shmem",
	.about = "shared anonymous memory and memfds: contents, size, name, seals, mode, owner",
	.family = CKPT_FAMILY_OBJECT,
	.type = CKPT_REC_SHMEM,
	.phase = CKPT_PHASE_OBJECT,
	.version = 1,
	.min_version = 1,
	CKPT_PAYLOAD_TAIL(struct ckpt_shmem, MEMFD_NAME_MAX),
	.object = true,
	.obj_get = ckpt_vfs_inode_get,
	.obj_put = ckpt_vfs_inode_put,
	.obj_collect = shmem_collect,
	.obj_save = shmem_save,
	.check = shmem_check,
	.restore = shmem_restore,
};

/* --- open descriptions of memfds --------------------------------------------- */

/* O_PATH descriptions of something without a path cannot be made again. */
static bool memfd_match(struct file *file)
{
	return ckpt_shmem_is_memfd(file) && !(file->f_mode & FMODE_PATH);
}

static int memfd_collect(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	struct file *file = obj->ptr;
	int ret, err;

	ret = ckpt_desc_collect(ctx, file, CKPT_OPEN_FLAGS | CKPT_OPEN_SHOWN);
	err = ckpt_collect(ctx, &ckpt_kind_shmem, file_inode(file));
	return err ?: ret;
}

static int memfd_save(struct ckpt_ctx *ctx, struct ckpt_obj *obj)
{
	struct file *file = obj->ptr;
	struct ckpt_file_memfd rec = {
		.shmem = ckpt_ref(ctx, file_inode(file)),
	};

	ckpt_desc_fill(ctx, obj, &rec.desc);
	/* An open for writing is counted, memfd_create()'s is not. */
	if (file->f_mode & FMODE_WRITE && !(file->f_mode & FMODE_WRITER))
		rec.flags |= CKPT_MEMFD_CREATED;
	return ckpt_write(ctx, &ckpt_kind_file_memfd, obj->ref, &rec,
			  sizeof(rec));
}

static int memfd_check(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_file_memfd *memfd =
		ckpt_payload(rec, struct ckpt_file_memfd);
	u32 allowed = CKPT_OPEN_FLAGS | CKPT_OPEN_SHOWN;
	struct ckpt_obj *obj;
	int ret;

	if (memfd->flags & ~CKPT_MEMFD_CREATED)
		return ckpt_refuse(ctx, -EINVAL, "memfd flags 0x%x",
				   memfd->flags);
	if (memfd->flags & CKPT_MEMFD_CREATED) {
		if ((memfd->desc.open_flags & O_ACCMODE) != O_RDWR)
			return ckpt_refuse(ctx, -EINVAL,
					   "memfd_create() opens for reading and writing");
		/* What F_SETFL would not allow on such a description. */
		allowed &= ~(u32)O_DIRECT;
	}
	ret = ckpt_desc_check(ctx, &memfd->desc, allowed,
			      CKPT_FILE_MAPPED | CKPT_FILE_EXEC |
			      CKPT_FILE_RANDOM | CKPT_FILE_NOREUSE);
	if (ret)
		return ret;
	if (!ckpt_ref_is_type(ctx, memfd->shmem, CKPT_REC_SHMEM))
		return ckpt_refuse(ctx, -EINVAL, "object %u is no memfd",
				   memfd->shmem);
	obj = ckpt_obj_get(ctx, memfd->shmem);
	if (!(ckpt_payload(obj->rec, struct ckpt_shmem)->flags &
	      CKPT_SHMEM_MEMFD))
		return ckpt_refuse(ctx, -EINVAL,
				   "an open file of anonymous memory");
	/* They would become one description. */
	if (memfd->flags & CKPT_MEMFD_CREATED) {
		if (obj->flags & CKPT_OBJ_CREATED)
			return ckpt_refuse(ctx, -EINVAL,
					   "memfd_create() makes one description and not two");
		obj->flags |= CKPT_OBJ_CREATED;
	}
	return 0;
}

static int memfd_restore(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_file_memfd *memfd =
		ckpt_payload(rec, struct ckpt_file_memfd);
	struct file *file, *shmem = ckpt_obj_ptr(ctx, memfd->shmem);
	int flags = memfd->desc.open_flags;

	if (memfd->flags & CKPT_MEMFD_CREATED) {
		file = get_file(shmem);
	} else {
		/* As an open of /proc/PID/fd/N */
		if (memfd->desc.bits & CKPT_FILE_EXEC)
			flags |= __FMODE_EXEC;
		file = dentry_open(&shmem->f_path, flags,
				   ckpt_obj_ptr(ctx, memfd->desc.cred));
		if (IS_ERR(file))
			return ckpt_refuse(ctx, PTR_ERR(file),
					   "the memfd cannot be opened");
	}
	ckpt_obj_set(ctx, rec->objref, file, ckpt_file_put);
	return ckpt_desc_restore(ctx, file, &memfd->desc);
}

const struct ckpt_kind ckpt_kind_file_memfd = {
	.name = "file_memfd",
	.about = "memfds: flags, position, contents and seals of the memory",
	.family = CKPT_FAMILY_FILE,
	.type = CKPT_REC_FILE_MEMFD,
	.phase = CKPT_PHASE_OBJECT,
	.version = 1,
	.min_version = 1,
	CKPT_PAYLOAD(struct ckpt_file_memfd),
	.object = true,
	.obj_get = ckpt_file_get,
	.obj_put = ckpt_file_put,
	.obj_collect = memfd_collect,
	.obj_save = memfd_save,
	.file_match = memfd_match,
	.check = memfd_check,
	.restore = memfd_restore,
};

/* --- refused by name ---------------------------------------------------------- */

static bool file_shmem_match(struct file *file)
{
	return is_kernel_shmem(file);
}

/* Stands behind file_memfd in the table, and before regular files. */
const struct ckpt_kind ckpt_kind_file_shmem = {
	.name = "file_shmem",
	.refuse = "an open file of the kernel's shared memory that is no memfd",
	.family = CKPT_FAMILY_FILE,
	.file_match = file_shmem_match,
};
