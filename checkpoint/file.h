/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the kinds of open files share: file.c provides it, inode.c, pipe.c,
 * tty.c, locks.c and files.c use it.
 */
#ifndef _CHECKPOINT_FILE_H
#define _CHECKPOINT_FILE_H

#include <linux/fcntl.h>
#include <linux/fs.h>

#include "internal.h"

/* Flags that F_SETFL or open() put into f_flags and that have an effect. */
#define CKPT_OPEN_FLAGS		(O_ACCMODE | O_APPEND | O_NONBLOCK |	\
				 O_DSYNC | __O_SYNC | O_DIRECT |	\
				 O_NOATIME)
/* Those that are only shown by F_GETFL. */
#define CKPT_OPEN_SHOWN		(O_LARGEFILE | O_NOFOLLOW | O_DIRECTORY)

extern const struct ckpt_kind ckpt_kind_cred;
extern const struct ckpt_kind ckpt_kind_file;
extern const struct ckpt_kind ckpt_kind_file_dev;
extern const struct ckpt_kind ckpt_kind_file_mqueue;
extern const struct ckpt_kind ckpt_kind_file_owner;
extern const struct ckpt_kind ckpt_kind_file_pipe;
extern const struct ckpt_kind ckpt_kind_file_pty;
extern const struct ckpt_kind ckpt_kind_file_sysv;
extern const struct ckpt_kind ckpt_kind_file_tty;
extern const struct ckpt_kind ckpt_kind_file_unlinked;
extern const struct ckpt_kind ckpt_kind_files;
extern const struct ckpt_kind ckpt_kind_fs;
extern const struct ckpt_kind ckpt_kind_inode;
extern const struct ckpt_kind ckpt_kind_locks;
extern const struct ckpt_kind ckpt_kind_mqueue;
extern const struct ckpt_kind ckpt_kind_mqueue_msg;
extern const struct ckpt_kind ckpt_kind_pipe;
extern const struct ckpt_kind ckpt_kind_pipe_buf;
extern const struct ckpt_kind ckpt_kind_pty;
extern const struct ckpt_kind ckpt_kind_pty_ldisc;
extern const struct ckpt_kind ckpt_kind_pty_queue;
extern const struct ckpt_kind ckpt_kind_sysv_shm;

/* mqueue.c */
void ckpt_mqueue_count_users(struct ckpt_ctx *ctx);
int ckpt_mqueue_check_leaks(struct ckpt_ctx *ctx, struct ckpt_obj *obj);
/* epoll.c, pidfd.c */
int ckpt_epoll_check_leaks(struct ckpt_ctx *ctx);
int ckpt_pidfd_check_leaks(struct ckpt_ctx *ctx);
/* files.c */
int ckpt_fd_in_table(struct files_struct *files, const struct file *file);

/* paths */
int ckpt_path_collect(struct ckpt_ctx *ctx, const struct path *path,
		      const struct cred *cred);
bool ckpt_path_valid(const u8 *path, u32 len);
int ckpt_path_refuse(struct ckpt_ctx *ctx, int error, const char *path);

/* file systems whose files are found again by their paths */
bool ckpt_fs_supported(const struct super_block *sb);
/* no name at all, only open descriptions */
bool ckpt_file_is_unlinked(struct file *file);

/* descriptions */
const struct cred *ckpt_file_cred(struct ckpt_ctx *ctx, struct file *file);
int ckpt_desc_collect_flags(struct ckpt_ctx *ctx, struct file *file,
			    u32 allowed);
int ckpt_desc_collect(struct ckpt_ctx *ctx, struct file *file, u32 allowed);
void ckpt_desc_fill(struct ckpt_ctx *ctx, struct ckpt_obj *obj,
		    struct ckpt_file_desc *desc);
int ckpt_desc_check_flags(struct ckpt_ctx *ctx,
			  const struct ckpt_file_desc *desc, u32 allowed,
			  u32 bits);
int ckpt_desc_check(struct ckpt_ctx *ctx, const struct ckpt_file_desc *desc,
		    u32 allowed, u32 bits);
int ckpt_desc_restore(struct ckpt_ctx *ctx, struct file *file,
		      const struct ckpt_file_desc *desc);
void ckpt_file_set_flags(struct file *file, u32 flags);
void ckpt_file_get(void *ptr);
void ckpt_file_put(void *ptr);
void ckpt_vfs_inode_get(void *ptr);
void ckpt_vfs_inode_put(void *ptr);
struct file *ckpt_file_of_inode(struct ckpt_ctx *ctx,
				const struct ckpt_kind *kind,
				const struct inode *inode);
int ckpt_file_refuse_kind(struct ckpt_ctx *ctx, struct file *file,
			  const struct ckpt_kind *kind);

#endif /* _CHECKPOINT_FILE_H */
