/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Files without a path that a system call makes: eventfd, timerfd, signalfd,
 * epoll, inotify. anon.c provides what they share.
 */
#ifndef _CHECKPOINT_ANON_H
#define _CHECKPOINT_ANON_H

#include "file.h"

struct files_struct;

extern const struct ckpt_kind ckpt_kind_epoll;
extern const struct ckpt_kind ckpt_kind_eventfd;
extern const struct ckpt_kind ckpt_kind_pidfd;
extern const struct ckpt_kind ckpt_kind_signalfd;
extern const struct ckpt_kind ckpt_kind_timerfd;

/**
 * struct ckpt_scratch - a table of descriptors for a moment
 * @files: the table, the one of current meanwhile
 * @old: what current had before
 *
 * For functions that take descriptors or return new ones.
 */
struct ckpt_scratch {
	struct files_struct *files;
	struct files_struct *old;
};

int ckpt_scratch_begin(struct ckpt_scratch *scratch);
void ckpt_scratch_end(struct ckpt_scratch *scratch);
int ckpt_scratch_add(struct ckpt_scratch *scratch, int fd, struct file *file);

int ckpt_anon_collect(struct ckpt_ctx *ctx, struct ckpt_obj *obj);
void ckpt_anon_fill(struct ckpt_ctx *ctx, struct ckpt_obj *obj,
		    struct ckpt_file_desc *desc);
int ckpt_anon_check(struct ckpt_ctx *ctx, const struct ckpt_file_desc *desc);
struct file *ckpt_anon_make(struct ckpt_ctx *ctx, struct ckpt_rec *rec,
			    const struct ckpt_file_desc *desc,
			    int (*make)(const void *arg), const void *arg);

#endif /* _CHECKPOINT_ANON_H */
