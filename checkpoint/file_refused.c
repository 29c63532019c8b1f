// SPDX-License-Identifier: GPL-2.0
/*
 * Kinds of open files that are recognised to be refused by name, and the last
 * row for those that nobody knows.
 */

#include <linux/dcache.h>
#include <linux/magic.h>
#include <linux/net.h>
#include <linux/socket.h>

#include "file.h"

/* It has its magic number in its own file. */
#define CONFIG_FS_MAGIC		0x62656570

static bool has_magic(struct file *file, unsigned long magic)
{
	return file_inode(file)->i_sb->s_magic == magic;
}

/* Anonymous inodes: the name of the dentry tells who made it. */
static bool is_anon(struct file *file, const char *name)
{
	return has_magic(file, ANON_INODE_FS_MAGIC) &&
	       !strcmp(file_dentry(file)->d_name.name, name);
}

static bool is_socket(struct file *file)
{
	return has_magic(file, SOCKFS_MAGIC);
}

static int socket_family(struct file *file)
{
	struct socket *sock = NULL;

	if (IS_ENABLED(CONFIG_NET) && is_socket(file))
		sock = sock_from_file(file);
	return sock && sock->ops ? sock->ops->family : AF_UNSPEC;
}

#define REFUSED(_name, _reason, _test)					\
static bool _name##_match(struct file *file)				\
{									\
	return _test;							\
}									\
									\
extern const struct ckpt_kind ckpt_kind_##_name;			\
const struct ckpt_kind ckpt_kind_##_name = {				\
	.name		= #_name,					\
	.refuse		= _reason,					\
	.family		= CKPT_FAMILY_FILE,				\
	.file_match	= _name##_match,				\
}

/* sockets */
REFUSED(socket_packet, "packet sockets are not supported",
	socket_family(file) == AF_PACKET);
REFUSED(socket, "sockets of this family are not supported", is_socket(file));

/* anonymous inodes */
REFUSED(fanotify, "fanotify is not supported", is_anon(file, "[fanotify]"));
REFUSED(io_uring, "io_uring is not supported", is_anon(file, "[io_uring]"));
REFUSED(userfaultfd, "userfaultfd is not supported",
	is_anon(file, "[userfaultfd]"));
REFUSED(perf_event, "performance events are not supported",
	is_anon(file, "[perf_event]"));
REFUSED(bpf, "BPF objects are not supported",
	is_anon(file, "bpf-map") || is_anon(file, "bpf-prog") ||
	is_anon(file, "bpf_link") || is_anon(file, "bpf-link") ||
	is_anon(file, "bpf_iter") || is_anon(file, "bpf-stats") ||
	is_anon(file, "btf") || has_magic(file, BPF_FS_MAGIC));
REFUSED(seccomp_notify, "seccomp user notification is not supported",
	is_anon(file, "seccomp notify"));
REFUSED(fscontext, "file system contexts (fsopen) are not supported",
	is_anon(file, "[fscontext]"));
REFUSED(kvm, "virtual machines are not supported",
	is_anon(file, "kvm-vm") || is_anon(file, "kvm-vm-stats"));
REFUSED(landlock, "landlock rulesets are not supported",
	is_anon(file, "[landlock-ruleset]"));
REFUSED(anon_inode, "an unknown kind of anonymous file",
	has_magic(file, ANON_INODE_FS_MAGIC));

/* file systems of their own */
REFUSED(namespace, "descriptors of namespaces are not supported",
	has_magic(file, NSFS_MAGIC));
REFUSED(dma_buf, "DMA buffers are not supported",
	has_magic(file, DMA_BUF_MAGIC));
REFUSED(secretmem, "secret memory is not supported",
	has_magic(file, SECRETMEM_MAGIC));
REFUSED(hugetlbfs, "files of hugetlbfs are not supported",
	has_magic(file, HUGETLBFS_MAGIC));
REFUSED(proc, "files of /proc are views on the running kernel",
	has_magic(file, PROC_SUPER_MAGIC));
REFUSED(sysfs, "files of sysfs are views on the running kernel",
	has_magic(file, SYSFS_MAGIC));
REFUSED(cgroupfs, "files of cgroupfs are views on the running kernel",
	has_magic(file, CGROUP2_SUPER_MAGIC) ||
	has_magic(file, CGROUP_SUPER_MAGIC));
REFUSED(kernelfs, "files of kernel file systems are views on the running kernel",
	has_magic(file, DEBUGFS_MAGIC) || has_magic(file, TRACEFS_MAGIC) ||
	has_magic(file, SECURITYFS_MAGIC) || has_magic(file, CONFIG_FS_MAGIC) ||
	has_magic(file, SELINUX_MAGIC) || has_magic(file, SMACK_MAGIC) ||
	has_magic(file, EFIVARFS_MAGIC) || has_magic(file, PSTOREFS_MAGIC) ||
	has_magic(file, BINFMTFS_MAGIC) || has_magic(file, RDTGROUP_SUPER_MAGIC));
REFUSED(binder, "binder is not supported",
	has_magic(file, BINDERFS_SUPER_MAGIC));

/* special files; what of them is supported stands before these in the table */
REFUSED(block_dev, "block devices are not supported",
	S_ISBLK(file_inode(file)->i_mode));
REFUSED(char_dev, "character devices of this sort are not supported",
	S_ISCHR(file_inode(file)->i_mode));

/* the last row */
REFUSED(file_unknown, "an unknown kind of file", true);

/**
 * ckpt_file_refuse_kind() - refuse a file by its kind
 * @ctx: the checkpoint
 * @file: the file
 * @kind: its row; NULL: no row recognised it
 *
 * Return: -EOPNOTSUPP, noted as a reason.
 */
int ckpt_file_refuse_kind(struct ckpt_ctx *ctx, struct file *file,
			  const struct ckpt_kind *kind)
{
	const struct inode *inode = file_inode(file);
	const char *reason = kind ? kind->refuse : "an unknown kind of file";

	if (S_ISCHR(inode->i_mode) || S_ISBLK(inode->i_mode))
		return ckpt_refuse(ctx, -EOPNOTSUPP, "%s (device %u:%u)",
				   reason, imajor(inode), iminor(inode));
	if (kind == &ckpt_kind_anon_inode)
		return ckpt_refuse(ctx, -EOPNOTSUPP, "%s (%pd)", reason,
				   file_dentry(file));
	if (kind == &ckpt_kind_socket)
		return ckpt_refuse(ctx, -EOPNOTSUPP, "%s (family %d)", reason,
				   socket_family(file));
	if (!kind || kind == &ckpt_kind_file_unknown)
		return ckpt_refuse(ctx, -EOPNOTSUPP,
				   "%s (file system %s, operations %ps)",
				   reason, inode->i_sb->s_type->name,
				   file->f_op);
	return ckpt_refuse(ctx, -EOPNOTSUPP, "%s", reason);
}
