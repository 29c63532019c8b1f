/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Every bound of checkpoint/restart.
 */
#ifndef _CHECKPOINT_LIMITS_H
#define _CHECKPOINT_LIMITS_H

#include <linux/limits.h>
#include <linux/sizes.h>

/* Payload of one metadata record; a kind's own max_len is mostly far below. */
#define CKPT_MAX_RECORD		SZ_2M
/* Metadata of one image, held in memory (charged to the caller) by restart. */
#define CKPT_MAX_META		SZ_256M
#define CKPT_MAX_RECORDS	1048576U
/* Pages behind one PAGES record, and so the pages held at a time in a batch. */
#define CKPT_MAX_BATCH		512U
/* Text of reasons kept for the log fd; what is over is counted. */
#define CKPT_MAX_LOG		SZ_64K
/* One reason. */
#define CKPT_MAX_REASON		512
/* Text of arguments of a system call. */
#define CKPT_MAX_ARGS		SZ_16K
/* A path in an image, with its NUL. */
#define CKPT_MAX_PATH		PATH_MAX
/* Items of an epoll file in one record; there can be several. */
#define CKPT_MAX_EPOLL		1024U
/* Mounts of a file system that are tried for the path of a watched inode. */
#define CKPT_MAX_MOUNTS		1000U
/* Semaphores of a set: struct sembuf has 16 bits for a number. */
#define CKPT_MAX_SEMS		65536U

#endif /* _CHECKPOINT_LIMITS_H */
