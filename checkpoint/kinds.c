// SPDX-License-Identifier: GPL-2.0
/*
 * The table of resource kinds: what can be saved, and what is refused by name.
 *
 * A row stands in the file of its kind. The order here matters twice: a file
 * or a mapping is of the first kind that matches, and a task's attributes are
 * saved in this order.
 */

#include <linux/fs.h>
#include <linux/init.h>
#include <linux/nospec.h>

#include <asm/checkpoint.h>

#include "external.h"
#include "kinds.h"
#include "mm.h"
#include "task.h"

const struct ckpt_kind *const ckpt_kinds[] = {
	/* the frame */
	&ckpt_kind_header,
	&ckpt_kind_meta_end,
	&ckpt_kind_pages,
	&ckpt_kind_end,
	&ckpt_kind_error,

	/* tasks and their attributes */
	&ckpt_kind_task,
	&ckpt_kind_ptrace,
	&ckpt_kind_shared,
	&ckpt_kind_namespaces,
#ifdef CONFIG_CGROUPS
	&ckpt_kind_cgroup,
#endif
	&ckpt_kind_seccomp,
	&ckpt_kind_keyrings,
	&ckpt_kind_user_dispatch,
	&ckpt_kind_task_io_uring,
	&ckpt_kind_perf,
	&ckpt_kind_uprobes,
#ifdef CONFIG_SYSVIPC
	&ckpt_kind_sysvsem,
#endif
	&ckpt_kind_futex_pi,
	&ckpt_kind_mempolicy,
	&ckpt_kind_core_sched,
	&ckpt_kind_cputime,
	&ckpt_kind_rlimits,
	&ckpt_kind_sched,
	&ckpt_kind_task_attr,
	&ckpt_kind_prctl,
	&ckpt_kind_signal,
	&ckpt_kind_sigpending,
	&ckpt_kind_task_epoll,
	&ckpt_kind_posix_timer,
	&ckpt_kind_itimers,
	&ckpt_kind_robust,
	&ckpt_kind_rseq,
	&ckpt_kind_restart_block,
	&ckpt_kind_x86_tls,
	&ckpt_kind_x86_xstate,
	&ckpt_kind_x86_regs,

	/* objects */
	&ckpt_kind_mm,
	&ckpt_kind_mm_layout,
	&ckpt_kind_x86_ldt,
	&ckpt_kind_shmem,
#ifdef CONFIG_SYSVIPC
	&ckpt_kind_ipc_ns,
	&ckpt_kind_sysv_shm,
	&ckpt_kind_sysv_sem,
	&ckpt_kind_sysv_msg,
	&ckpt_kind_sysv_text,
#endif
	&ckpt_kind_cred,
	&ckpt_kind_sighand,
	&ckpt_kind_files,
	&ckpt_kind_fs,
	&ckpt_kind_pipe,
	&ckpt_kind_pipe_buf,
	&ckpt_kind_epoll_items,
	&ckpt_kind_inotify_watch,
	&ckpt_kind_inotify_event,
	&ckpt_kind_pty,
	&ckpt_kind_pty_ldisc,
	&ckpt_kind_pty_queue,
#ifdef CONFIG_POSIX_MQUEUE
	&ckpt_kind_mqueue,
	&ckpt_kind_mqueue_msg,
#endif
	&ckpt_kind_inode,
	&ckpt_kind_locks,
	&ckpt_kind_file_owner,
#ifdef CONFIG_NET
	&ckpt_kind_sock_filter,
	&ckpt_kind_netlink,
	&ckpt_kind_netlink_msg,
#endif
#ifdef CONFIG_UNIX
	&ckpt_kind_unix,
	&ckpt_kind_unix_msg,
	&ckpt_kind_unix_state,
#endif
#ifdef CONFIG_INET
	&ckpt_kind_inet,
	&ckpt_kind_inet_msg,
	&ckpt_kind_inet_data,
	&ckpt_kind_tcp,
#endif

	/* open files */
	&ckpt_kind_file_external,
	&ckpt_kind_file_memfd,
#ifdef CONFIG_SYSVIPC
	&ckpt_kind_file_sysv,
#endif
#ifdef CONFIG_POSIX_MQUEUE
	&ckpt_kind_file_mqueue,
#endif
	&ckpt_kind_file_shmem,
	&ckpt_kind_file,
	&ckpt_kind_file_unlinked,
	&ckpt_kind_file_pipe,
	&ckpt_kind_file_dev,
	&ckpt_kind_file_pty,
	&ckpt_kind_file_tty,
	&ckpt_kind_eventfd,
	&ckpt_kind_signalfd,
	&ckpt_kind_timerfd,
	&ckpt_kind_epoll,
	&ckpt_kind_pidfd,
	&ckpt_kind_inotify,
#ifdef CONFIG_NET
	&ckpt_kind_file_socket,
#endif
	/* recognised to be refused; the last row matches everything */
	&ckpt_kind_socket_packet,
	&ckpt_kind_socket,
	&ckpt_kind_fanotify,
	&ckpt_kind_io_uring,
	&ckpt_kind_userfaultfd,
	&ckpt_kind_perf_event,
	&ckpt_kind_bpf,
	&ckpt_kind_seccomp_notify,
	&ckpt_kind_fscontext,
	&ckpt_kind_kvm,
	&ckpt_kind_landlock,
	&ckpt_kind_anon_inode,
	&ckpt_kind_namespace,
	&ckpt_kind_dma_buf,
	&ckpt_kind_secretmem,
	&ckpt_kind_hugetlbfs,
	&ckpt_kind_proc,
	&ckpt_kind_sysfs,
	&ckpt_kind_cgroupfs,
	&ckpt_kind_kernelfs,
	&ckpt_kind_binder,
	&ckpt_kind_block_dev,
	&ckpt_kind_char_dev,
	&ckpt_kind_file_unknown,

	/* mappings */
	&ckpt_kind_vma_special,
	/* refused for what makes them special, before the ordinary ones */
	&ckpt_kind_vma_secretmem,
	&ckpt_kind_vma_uffd,
	&ckpt_kind_vma_device,
	&ckpt_kind_vma_shadow_stack,
	&ckpt_kind_vma_sealed,
	&ckpt_kind_vma_mempolicy,
	&ckpt_kind_vma_aio,
	&ckpt_kind_vma_sysv,
	&ckpt_kind_vma_hugetlb_file,
	&ckpt_kind_vma_anon,
	&ckpt_kind_vma_shmem,
	&ckpt_kind_vma_hugetlb,
	&ckpt_kind_vma_file,
};

const unsigned int ckpt_nr_kinds = ARRAY_SIZE(ckpt_kinds);

static const struct ckpt_kind *by_type[CKPT_NR_TYPES] __ro_after_init;
/* Each ends with NULL. */
static const struct ckpt_kind *
	rows[CKPT_NR_ROWS][ARRAY_SIZE(ckpt_kinds) + 1] __ro_after_init;

static bool __init is_row(const struct ckpt_kind *kind, enum ckpt_rows which)
{
	switch (which) {
	case CKPT_ROWS_TASK_COLLECT:
		return kind->family == CKPT_FAMILY_TASK && kind->task_collect;
	case CKPT_ROWS_TASK_SAVE:
		return kind->family == CKPT_FAMILY_TASK && kind->task_save;
	case CKPT_ROWS_FILE_MATCH:
		return kind->file_match;
	case CKPT_ROWS_VMA_MATCH:
		return kind->vma_match;
	default:
		return false;
	}
}

static int __init ckpt_kinds_init(void)
{
	unsigned int i, which, nr[CKPT_NR_ROWS] = {};

	for (i = 0; i < ckpt_nr_kinds; i++) {
		const struct ckpt_kind *kind = ckpt_kinds[i];

		if (kind->type && kind->type < CKPT_NR_TYPES)
			by_type[kind->type] = kind;
		for (which = 0; which < CKPT_NR_ROWS; which++)
			if (is_row(kind, which))
				rows[which][nr[which]++] = kind;
	}
	return 0;
}
core_initcall(ckpt_kinds_init);

/**
 * ckpt_rows() - the rows of the table that have something
 * @which: what
 *
 * Return: them, in the order of the table, with NULL behind the last.
 */
const struct ckpt_kind *const *ckpt_rows(enum ckpt_rows which)
{
	return rows[which];
}

/**
 * ckpt_kind_of_type() - the row of a record type
 * @type: CKPT_REC_*
 *
 * Return: the row, or NULL when this kernel does not know the type.
 */
const struct ckpt_kind *ckpt_kind_of_type(u32 type)
{
	if (type == CKPT_REC_HEADER)
		return &ckpt_kind_header;
	return type < CKPT_NR_TYPES ?
		by_type[array_index_nospec(type, CKPT_NR_TYPES)] : NULL;
}

/**
 * ckpt_kind_of_file() - the first row that recognises an open file
 * @file: the file
 *
 * Return: the row, which may be one that refuses, or NULL.
 */
const struct ckpt_kind *ckpt_kind_of_file(struct file *file)
{
	const struct ckpt_kind *const *row;

	ckpt_for_each_row(row, CKPT_ROWS_FILE_MATCH)
		if ((*row)->file_match(file))
			break;
	return *row;
}

/**
 * ckpt_kind_of_vma() - the first row that recognises a mapping
 * @vma: the mapping; mmap lock held for reading
 *
 * Return: the row, which may be one that refuses, or NULL.
 */
const struct ckpt_kind *ckpt_kind_of_vma(struct vm_area_struct *vma)
{
	const struct ckpt_kind *const *row;

	ckpt_for_each_row(row, CKPT_ROWS_VMA_MATCH)
		if ((*row)->vma_match(vma))
			break;
	return *row;
}

static const char *const family_names[] = {
	[CKPT_FAMILY_TASK] = "task",
	[CKPT_FAMILY_OBJECT] = "object",
	[CKPT_FAMILY_FILE] = "file",
	[CKPT_FAMILY_VMA] = "mapping",
};

/**
 * ckpt_kinds_print() - write the coverage table
 * @file: where to, as text; a line a row: family, name, "saved" or "refused",
 *	and what of it is saved or why it is refused, separated by tabs
 *
 * Return: 0 or -errno of the write.
 */
int ckpt_kinds_print(struct file *file)
{
	char line[CKPT_MAX_REASON];
	unsigned int i;
	int len, ret;

	for (i = 0; i < ckpt_nr_kinds; i++) {
		const struct ckpt_kind *kind = ckpt_kinds[i];

		if (kind->family == CKPT_FAMILY_FRAME)
			continue;
		len = scnprintf(line, sizeof(line), "%s\t%s\t%s\t%s\n",
				family_names[kind->family], kind->name,
				kind->refuse ? "refused" : "saved",
				kind->refuse ?: kind->about ?: "");
		ret = ckpt_file_write(file, line, len);
		if (ret)
			return ret;
	}
	return 0;
}
