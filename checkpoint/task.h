/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A task and its attributes: the rows, and what their files share.
 */
#ifndef _CHECKPOINT_TASK_H
#define _CHECKPOINT_TASK_H

#include <linux/rcupdate.h>
#include <linux/sched/signal.h>

#include "internal.h"

/* task.c */
extern const struct ckpt_kind ckpt_kind_core_sched;
extern const struct ckpt_kind ckpt_kind_futex_pi;
extern const struct ckpt_kind ckpt_kind_task_io_uring;
extern const struct ckpt_kind ckpt_kind_mempolicy;
extern const struct ckpt_kind ckpt_kind_perf;
extern const struct ckpt_kind ckpt_kind_prctl;
extern const struct ckpt_kind ckpt_kind_ptrace;
extern const struct ckpt_kind ckpt_kind_rlimits;
extern const struct ckpt_kind ckpt_kind_seccomp;
extern const struct ckpt_kind ckpt_kind_task;
extern const struct ckpt_kind ckpt_kind_task_attr;
extern const struct ckpt_kind ckpt_kind_uprobes;
extern const struct ckpt_kind ckpt_kind_user_dispatch;
/* cgroup.c, ns.c */
extern const struct ckpt_kind ckpt_kind_cgroup;
extern const struct ckpt_kind ckpt_kind_namespaces;
/* tree.c */
extern const struct ckpt_kind ckpt_kind_shared;
/* sysv.c */
extern const struct ckpt_kind ckpt_kind_sysvsem;
/* sched.c */
extern const struct ckpt_kind ckpt_kind_cputime;
extern const struct ckpt_kind ckpt_kind_sched;
/* cred.c */
extern const struct ckpt_kind ckpt_kind_cred;
extern const struct ckpt_kind ckpt_kind_keyrings;
/* signal.c */
extern const struct ckpt_kind ckpt_kind_sighand;
extern const struct ckpt_kind ckpt_kind_signal;
extern const struct ckpt_kind ckpt_kind_sigpending;
/* timer.c */
extern const struct ckpt_kind ckpt_kind_itimers;
extern const struct ckpt_kind ckpt_kind_posix_timer;
/* the objects of a task that other files have */
extern const struct ckpt_kind ckpt_kind_files;
extern const struct ckpt_kind ckpt_kind_fs;
extern const struct ckpt_kind ckpt_kind_mm;

struct k_itimer;
struct signal_struct;

void ckpt_signal_stopped(struct task_struct *task, struct ckpt_task *rec);
void ckpt_signal_stop(const struct ckpt_task *t);
void ckpt_sighand_put(void *ptr);
void ckpt_cred_commit(struct task_struct *task, struct cred *cred);
struct k_itimer *ckpt_timer_find(struct signal_struct *sig, s32 id);

/* It does not change under current. */
static inline spinlock_t *ckpt_siglock(void)
{
	return &unrcu_pointer(current->sighand)->siglock;
}

/* Keep the first error, go on to find the other reasons. */
static inline void ckpt_first(int *first, int error)
{
	if (!*first)
		*first = error;
}

#endif /* _CHECKPOINT_TASK_H */
