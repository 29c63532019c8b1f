/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Checkpoint/restart, for the rest of the kernel: functions and their no-ops.
 */
#ifndef _LINUX_CHECKPOINT_H
#define _LINUX_CHECKPOINT_H

#include <linux/types.h>

#ifdef CONFIG_CHECKPOINT_RESTART

void ckpt_quiesce_trap(void);

#else

static inline void ckpt_quiesce_trap(void) { }

#endif /* CONFIG_CHECKPOINT_RESTART */
#endif /* _LINUX_CHECKPOINT_H */
