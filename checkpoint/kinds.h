/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The rows that only the table of kinds refers to.
 */
#ifndef _CHECKPOINT_KINDS_H
#define _CHECKPOINT_KINDS_H

#include "internal.h"

/* open files: files.c, file.c, inode.c, fs.c, pipe.c, tty.c, pty.c, file_refused.c */
extern const struct ckpt_kind ckpt_kind_files;
extern const struct ckpt_kind ckpt_kind_fs;
extern const struct ckpt_kind ckpt_kind_pipe;
extern const struct ckpt_kind ckpt_kind_pipe_buf;
extern const struct ckpt_kind ckpt_kind_pty;
extern const struct ckpt_kind ckpt_kind_pty_ldisc;
extern const struct ckpt_kind ckpt_kind_pty_queue;
extern const struct ckpt_kind ckpt_kind_sysv_shm;
extern const struct ckpt_kind ckpt_kind_mqueue_msg;
extern const struct ckpt_kind ckpt_kind_file_mqueue;
extern const struct ckpt_kind ckpt_kind_ipc_ns;
extern const struct ckpt_kind ckpt_kind_sysv_sem;
extern const struct ckpt_kind ckpt_kind_sysv_msg;
extern const struct ckpt_kind ckpt_kind_sysv_text;
extern const struct ckpt_kind ckpt_kind_inode;
extern const struct ckpt_kind ckpt_kind_locks;
extern const struct ckpt_kind ckpt_kind_file_owner;
extern const struct ckpt_kind ckpt_kind_file;
extern const struct ckpt_kind ckpt_kind_file_unlinked;
extern const struct ckpt_kind ckpt_kind_file_pipe;
extern const struct ckpt_kind ckpt_kind_file_pty;
extern const struct ckpt_kind ckpt_kind_file_dev;
extern const struct ckpt_kind ckpt_kind_file_tty;
extern const struct ckpt_kind ckpt_kind_file_sysv;
extern const struct ckpt_kind ckpt_kind_socket_packet;
extern const struct ckpt_kind ckpt_kind_socket;
extern const struct ckpt_kind ckpt_kind_eventfd;
extern const struct ckpt_kind ckpt_kind_epoll;
extern const struct ckpt_kind ckpt_kind_epoll_items;
extern const struct ckpt_kind ckpt_kind_task_epoll;
extern const struct ckpt_kind ckpt_kind_signalfd;
extern const struct ckpt_kind ckpt_kind_timerfd;
extern const struct ckpt_kind ckpt_kind_inotify;
extern const struct ckpt_kind ckpt_kind_inotify_event;
extern const struct ckpt_kind ckpt_kind_inotify_watch;
extern const struct ckpt_kind ckpt_kind_fanotify;
extern const struct ckpt_kind ckpt_kind_io_uring;
extern const struct ckpt_kind ckpt_kind_userfaultfd;
extern const struct ckpt_kind ckpt_kind_perf_event;
extern const struct ckpt_kind ckpt_kind_bpf;
extern const struct ckpt_kind ckpt_kind_seccomp_notify;
extern const struct ckpt_kind ckpt_kind_fscontext;
extern const struct ckpt_kind ckpt_kind_kvm;
extern const struct ckpt_kind ckpt_kind_landlock;
extern const struct ckpt_kind ckpt_kind_anon_inode;
extern const struct ckpt_kind ckpt_kind_pidfd;
extern const struct ckpt_kind ckpt_kind_namespace;
extern const struct ckpt_kind ckpt_kind_dma_buf;
extern const struct ckpt_kind ckpt_kind_secretmem;
extern const struct ckpt_kind ckpt_kind_hugetlbfs;
extern const struct ckpt_kind ckpt_kind_mqueue;
extern const struct ckpt_kind ckpt_kind_proc;
extern const struct ckpt_kind ckpt_kind_sysfs;
extern const struct ckpt_kind ckpt_kind_cgroupfs;
extern const struct ckpt_kind ckpt_kind_kernelfs;
extern const struct ckpt_kind ckpt_kind_binder;
extern const struct ckpt_kind ckpt_kind_block_dev;
extern const struct ckpt_kind ckpt_kind_char_dev;
extern const struct ckpt_kind ckpt_kind_file_unknown;

/* sockets: socket.c, netlink.c, unix.c, inet.c, tcp.c */
extern const struct ckpt_kind ckpt_kind_file_socket;
extern const struct ckpt_kind ckpt_kind_sock_filter;
extern const struct ckpt_kind ckpt_kind_netlink;
extern const struct ckpt_kind ckpt_kind_netlink_msg;
extern const struct ckpt_kind ckpt_kind_unix;
extern const struct ckpt_kind ckpt_kind_unix_msg;
extern const struct ckpt_kind ckpt_kind_unix_state;
extern const struct ckpt_kind ckpt_kind_inet;
extern const struct ckpt_kind ckpt_kind_inet_data;
extern const struct ckpt_kind ckpt_kind_inet_msg;
extern const struct ckpt_kind ckpt_kind_tcp;

/* mappings and memory that are only refused: vma.c, shmem.c; the others: mm.h */
extern const struct ckpt_kind ckpt_kind_vma_secretmem;
extern const struct ckpt_kind ckpt_kind_vma_uffd;
extern const struct ckpt_kind ckpt_kind_vma_device;
extern const struct ckpt_kind ckpt_kind_vma_shadow_stack;
extern const struct ckpt_kind ckpt_kind_vma_sealed;
extern const struct ckpt_kind ckpt_kind_vma_mempolicy;
extern const struct ckpt_kind ckpt_kind_vma_aio;
extern const struct ckpt_kind ckpt_kind_vma_sysv;
extern const struct ckpt_kind ckpt_kind_vma_hugetlb_file;
extern const struct ckpt_kind ckpt_kind_file_shmem;

#endif /* _CHECKPOINT_KINDS_H */
