/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The system call interface of checkpoint/restart.
 *
 *	long checkpoint(pid_t pid, int fd, unsigned long flags);
 *	long restart(int crid, int fd, unsigned long flags);
 *
 * See checkpoint(2), restart(2) and Documentation/checkpoint.txt.
 */
#ifndef _UAPI_LINUX_CHECKPOINT_H
#define _UAPI_LINUX_CHECKPOINT_H

#ifndef __NR_checkpoint
#define __NR_checkpoint		548
#endif
#ifndef __NR_restart
#define __NR_restart		549
#endif

/* The version of this interface, as CHECKPOINT_QUERY reports it. */
#define CHECKPOINT_ABI_VERSION	1

/*
 * Flags of checkpoint().
 */

/* Write nothing, find every reason why a checkpoint would be refused. */
#define CHECKPOINT_DRY_RUN	(1UL << 0)
/* Write the coverage table of this kernel as text to fd; pid must be 0. */
#define CHECKPOINT_QUERY	(1UL << 1)
/* Kill all processes (SIGKILL) once their image is complete; none runs on. */
#define CHECKPOINT_KILL		(1UL << 2)

/* Save TCP connections with others as ones that were reset (ECONNRESET). */
#define CHECKPOINT_TCP_RESET	(1UL << 3)

/* The log file holds arguments, see below. */
#define CHECKPOINT_ARGS		(1UL << 10)

#define CHECKPOINT_FLAGS	(CHECKPOINT_DRY_RUN | CHECKPOINT_QUERY | \
				 CHECKPOINT_KILL | CHECKPOINT_TCP_RESET | \
				 CHECKPOINT_ARGS)

/*
 * Flags of restart().
 */

/* Replace the caller instead of making a new child. */
#define RESTART_SELF		(1UL << 0)
/* Take fresh pids instead of the saved ones. */
#define RESTART_FRESH_PIDS	(1UL << 1)
/* Leave the new processes stopped, as if by SIGSTOP. */
#define RESTART_STOPPED		(1UL << 2)
/*
 * Take the caller's namespaces as they are where the saved process had own ones:
 * names of the host and limits of IPC are not restored.
 */
#define RESTART_CALLERS_NS	(1UL << 8)
/* Move each task to the cgroup of its saved path; else it stays in the caller's. */
#define RESTART_CGROUPS		(1UL << 9)

/* The log file holds arguments, see below. */
#define RESTART_ARGS		(1UL << 10)

#define RESTART_FLAGS		(RESTART_SELF | RESTART_FRESH_PIDS | \
				 RESTART_STOPPED | RESTART_CALLERS_NS | \
				 RESTART_CGROUPS | RESTART_ARGS)

/*
 * The reasons. Both calls take in the upper half of their flags a file
 * descriptor to which the reasons of a failure are written as text, a reason a
 * line, after the checkpointed processes run again:
 *
 *	errno=95 pid=17 comm=cat fd=5 kind=fanotify: fanotify is not supported
 *
 * In front of the colon stand pairs of a name and a value without blanks, in
 * this order, those left out that do not apply: errno, pid, comm (with bytes
 * outside of 0x21 to 0x7e, and '\\', '=' and ':', written as \ooo), fd, vaddr
 * (0xSTART-0xEND), rec (the offset of a record in the image), kind. Behind
 * the colon and one blank stands a sentence for people.
 */
#define CHECKPOINT_LOG_SHIFT	32
#define CHECKPOINT_LOG_FD(fd)	(((unsigned long)(fd) + 1) << \
				 CHECKPOINT_LOG_SHIFT)

/*
 * The arguments. With CHECKPOINT_ARGS and RESTART_ARGS the calls first read
 * lines of text from the beginning of that file, whatever its position is:
 *
 *	external fd:N		this open file stays outside of the tree
 *	inherit fd:N=FD		for restart(): FD of the caller takes its place
 *
 * A descriptor of another process than the root is PID:N. The reasons are
 * written where the position is, as always: behind the arguments, when these
 * were written just before.
 */

#endif /* _UAPI_LINUX_CHECKPOINT_H */
