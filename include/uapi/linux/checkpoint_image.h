/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The checkpoint image: a sequence of records.
 *
 *	HEADER
 *	metadata records; an object precedes its first use
 *	META_END
 *	PAGES records, each followed by page-aligned page contents
 *	END
 *
 * All numbers are little endian. A record is a struct ckpt_rec_hdr, its
 * payload, and zero bytes up to a multiple of 8. Payload structs grow at the
 * tail only: a shorter payload than the reader knows is extended with zero
 * bytes (down to a minimum), the unknown tail of a longer one must be zero. A
 * new meaning is a new record type. See checkpoint-image(5).
 *
 * This file is the only description of the records: ckptinfo's decoder and
 * encoder and the field fuzzer are generated from it. So it keeps to a simple
 * form: members are __u8 to __u64, __s32, __s64, ckpt_ref_t, structs of this
 * file, or arrays of those with a constant in decimal; the last member may be a
 * flexible array; a comment "rec: NAME" stands in the line above the struct
 * which is the payload of the record type CKPT_REC_NAME. Members named pad or
 * padN are zero. There is no implicit padding.
 */
#ifndef _UAPI_LINUX_CHECKPOINT_IMAGE_H
#define _UAPI_LINUX_CHECKPOINT_IMAGE_H

#include <linux/types.h>

/* Format version, raised when old readers must not read new images. */
#define CKPT_IMAGE_VERSION	1

/* An object's number in its image, dense from 1. 0 is "none". */
typedef __u32 ckpt_ref_t;

/**
 * struct ckpt_rec_hdr - in front of each record
 * @type:    CKPT_REC_*
 * @version: version of the payload for this type
 * @flags:   CKPT_RECF_*
 * @len:     bytes of payload, without the padding to 8
 * @objref:  the object that this record defines or belongs to
 * @crc32c:  over header (with 0 in this field), payload and padding; finds bit
 *           rot, protects against nothing else
 */
struct ckpt_rec_hdr {
	__u32 type;
	__u16 version;
	__u16 flags;
	__u64 len;
	__u32 objref;
	__u32 crc32c;
};

/* A reader that does not know this type may skip the record. */
#define CKPT_RECF_OPTIONAL	(1U << 0)

/* Types. The first one makes the image begin with the bytes "CKPT". */
#define CKPT_REC_HEADER		0x54504b43U

/* the frame of the image */
#define CKPT_REC_META_END	0x01U
#define CKPT_REC_PAGES		0x02U
#define CKPT_REC_END		0x03U
#define CKPT_REC_ERROR		0x04U

/* objects that tasks share */
#define CKPT_REC_CRED		0x10U
#define CKPT_REC_MM		0x11U
#define CKPT_REC_FILES		0x12U
#define CKPT_REC_FS		0x13U
#define CKPT_REC_SIGHAND	0x14U
#define CKPT_REC_INODE		0x15U	/* a file without a name: contents */
#define CKPT_REC_SHMEM		0x16U	/* shared anonymous memory, memfd */
#define CKPT_REC_PIPE		0x17U
#define CKPT_REC_PIPE_BUF	0x18U	/* data in a PIPE */
#define CKPT_REC_NETLINK	0x26U	/* a netlink socket */
#define CKPT_REC_NETLINK_MSG	0x27U	/* what waits in a NETLINK */
#define CKPT_REC_LOCKS		0x2fU	/* file locks, all on a file */
#define CKPT_REC_SYSV_TEXT	0x2cU	/* a message in a SYSV_MSG, or a piece of it */
#define CKPT_REC_IPC_NS		0x2dU	/* limits of an own IPC namespace */
#define CKPT_REC_FILE_OWNER	0x2eU	/* who gets signals on I/O */
#define CKPT_REC_EPOLL_ITEMS	0x28U	/* what a FILE_EPOLL watches */
#define CKPT_REC_INOTIFY_WATCH	0x29U	/* of a FILE_INOTIFY */
#define CKPT_REC_INOTIFY_EVENT	0x2aU	/* in the queue of a FILE_INOTIFY */
#define CKPT_REC_PTY		0x30U	/* a pair of pseudo terminals */
#define CKPT_REC_PTY_LDISC	0x31U	/* the line discipline of one of its sides */
#define CKPT_REC_PTY_QUEUE	0x32U	/* data on the way to that */
#define CKPT_REC_MQUEUE_MSG	0x33U	/* a message in an MQUEUE, or a piece of it */
#define CKPT_REC_SYSV_SHM	0x34U
#define CKPT_REC_SYSV_SEM	0x35U	/* a set of semaphores */
#define CKPT_REC_SYSV_MSG	0x36U	/* a message queue */
#define CKPT_REC_MQUEUE		0x37U	/* a POSIX message queue */
#define CKPT_REC_UNIX		0x38U	/* one side of a unix socket */
#define CKPT_REC_UNIX_MSG	0x39U	/* what waits in a UNIX */
#define CKPT_REC_UNIX_STATE	0x3aU	/* how a UNIX is connected */
#define CKPT_REC_INET		0x3bU	/* a socket of TCP or UDP */
#define CKPT_REC_INET_DATA	0x3cU	/* what waits in an INET */
#define CKPT_REC_TCP		0x3dU	/* how an INET is connected */
#define CKPT_REC_INET_MSG	0x3eU	/* a datagram in an INET */
#define CKPT_REC_SOCK_FILTER	0x3fU	/* of a FILE_SOCKET */

/* open file descriptions, objects too */
#define CKPT_REC_FILE		0x40U	/* regular file, directory, O_PATH */
#define CKPT_REC_FILE_DEV	0x41U	/* /dev/null and its like */
#define CKPT_REC_FILE_TTY	0x42U
#define CKPT_REC_FILE_PIPE	0x43U
#define CKPT_REC_FILE_MEMFD	0x44U
#define CKPT_REC_FILE_UNLINKED	0x45U
#define CKPT_REC_FILE_EXTERNAL	0x4fU	/* stays outside, a restart is given another */
#define CKPT_REC_FILE_EVENTFD	0x50U
#define CKPT_REC_FILE_SIGNALFD	0x51U
#define CKPT_REC_FILE_TIMERFD	0x52U
#define CKPT_REC_FILE_EPOLL	0x53U
#define CKPT_REC_FILE_PIDFD	0x54U
#define CKPT_REC_FILE_INOTIFY	0x55U
#define CKPT_REC_FILE_PTY	0x60U
#define CKPT_REC_FILE_SYSV	0x61U	/* what shmat() attaches */
#define CKPT_REC_FILE_MQUEUE	0x62U
#define CKPT_REC_FILE_SOCKET	0x68U	/* of any family */

/* mappings, belonging to an MM */
#define CKPT_REC_VMA_ANON	0x80U
#define CKPT_REC_VMA_FILE	0x81U
#define CKPT_REC_VMA_SHMEM	0x82U
#define CKPT_REC_VMA_HUGETLB	0x83U
#define CKPT_REC_VMA_SPECIAL	0x84U	/* vdso, vvar */
#define CKPT_REC_MM_LAYOUT	0x85U	/* what an MM has besides mappings */

/* a task (an object) and what belongs to it */
#define CKPT_REC_TASK		0xc0U
#define CKPT_REC_TASK_ATTR	0xc1U
#define CKPT_REC_RLIMITS	0xc2U
#define CKPT_REC_SCHED		0xc3U
#define CKPT_REC_PRCTL		0xc4U
#define CKPT_REC_SIGNAL		0xc5U	/* masks, altstack */
#define CKPT_REC_SIGPENDING	0xc6U
#define CKPT_REC_ITIMERS	0xc7U
#define CKPT_REC_POSIX_TIMER	0xc8U
#define CKPT_REC_RSEQ		0xc9U
#define CKPT_REC_ROBUST		0xcaU	/* robust list, clear_child_tid */
#define CKPT_REC_RESTART_BLOCK	0xcbU
#define CKPT_REC_CPUTIME	0xccU
#define CKPT_REC_TASK_EPOLL	0xd8U	/* its signals in a FILE_EPOLL */
#define CKPT_REC_SEM_UNDO	0xe0U
#define CKPT_REC_NAMESPACES	0xe1U	/* of the first task, if not the saver's */
#define CKPT_REC_CGROUP		0xe2U

/* architecture: x86-64 */
#define CKPT_REC_X86_REGS	0x100U
#define CKPT_REC_X86_XSTATE	0x101U
#define CKPT_REC_X86_LDT	0x102U
#define CKPT_REC_X86_TLS	0x103U

/* --- the frame -------------------------------------------------------- */

/* ckpt_header.incompat: what a reader must know to read this image */
#define CKPT_INCOMPAT_KNOWN	0ULL

/* rec: HEADER */
struct ckpt_header {
	__u32 image_version;
	__u32 machine;		/* EM_X86_64 */
	__u32 page_size;
	__u32 crid;
	__u64 incompat;
	__u64 compat;
	__u64 task_size;
	__u64 xfeatures;	/* components that the saving kernel enabled */
	__u32 xstate_size;
	__u32 nsig;
	__u64 realtime_ns;	/* clocks of the saver at the moment of the checkpoint */
	__u64 monotonic_ns;
	__u64 boottime_ns;
	__u8 release[65];	/* uts, for people */
	__u8 version[65];
	__u8 pad[6];
};

/* rec: META_END */
struct ckpt_meta_end {
	__u64 nr_records;	/* before this one, the header too */
	__u32 nr_objects;
	__u32 nr_tasks;
};

/*
 * Page contents: the record, zero bytes up to a multiple of page_size in the
 * image, then nr_pages pages, those of the first extent first. They have no
 * checksum.
 */
#define CKPT_EXTENT_HUGE	(1U << 0)	/* was mapped by a huge page */

struct ckpt_extent {
	__u64 start;		/* vaddr in an MM, byte offset in an INODE or SHMEM */
	__u32 nr_pages;
	__u32 flags;
};

/* rec: PAGES */
struct ckpt_pages {
	__u32 nr_pages;
	__u32 nr_extents;
	struct ckpt_extent extents[];
};

/* rec: END */
struct ckpt_end {
	__u64 nr_records;	/* before this one, in the whole image */
	__u64 nr_pages;
};

/* Stands where saving failed, instead of all that would follow. */
/* rec: ERROR */
struct ckpt_error {
	__s32 error;		/* errno, positive */
	__u32 pad;
	__u8 reason[];		/* as on the log fd, no NUL */
};

/* --- tasks ------------------------------------------------------------ */

/*
 * The first one is the root of the tree. A parent stands in front of its
 * children, the first thread of a process in front of the other ones, which
 * have none of these flags.
 */
#define CKPT_TASK_STOPPED	(1U << 0)	/* in a job control stop */
#define CKPT_TASK_FOREGROUND	(1U << 1)	/* in its terminal's foreground group */
#define CKPT_TASK_TERMINAL	(1U << 2)	/* has a controlling terminal */
#define CKPT_TASK_STOPPING	(1U << 3)	/* with STOPPED: its parent does not know yet */
#define CKPT_TASK_CONTINUED	(1U << 4)	/* for wait(2) with WCONTINUED */
#define CKPT_TASK_ZOMBIE	(1U << 5)	/* has exited; no mm, files, fs, sighand */
#define CKPT_TASK_OWN_GROUP	(1U << 6)	/* the process group is the tree's */
#define CKPT_TASK_OWN_SESSION	(1U << 7)	/* the session is the tree's */
#define CKPT_TASK_TELL_STOPPED	(1U << 8)	/* its parent is to be told of a stop, */
#define CKPT_TASK_TELL_CONTINUED (1U << 9)	/* ... of a continue */
#define CKPT_TASK_EXITED	(1U << 10)	/* first thread, others live; no mm, files, fs */

/* rec: TASK */
struct ckpt_task {
	__s32 pid;		/* all as seen from the saver's pid namespace */
	__s32 tgid;
	__s32 ppid;
	__s32 pgid;
	__s32 sid;
	__s32 exit_signal;
	__u32 flags;		/* CKPT_TASK_* */
	__u32 stop_signal;	/* of the job control stop */
	ckpt_ref_t cred;
	ckpt_ref_t mm;
	ckpt_ref_t files;
	ckpt_ref_t fs;
	ckpt_ref_t sighand;
	__s32 parent;		/* pid of the thread that it is the child of, 0: none in the tree */
	__u8 comm[16];
	__s32 wait_status;	/* of a ZOMBIE, or not yet waited for of a STOPPED one */
	__s32 exit_code;	/* of an EXITED one, as in wait(2) */
};

/* --- task attributes (task.c, cred.c, signal.c, timer.c, ...) ------------ */

#define CKPT_ATTR_NO_NEW_PRIVS	(1U << 0)
#define CKPT_ATTR_FORKNOEXEC	(1U << 1)	/* has not called execve() */

/* rec: TASK_ATTR */
struct ckpt_task_attr {
	__u32 personality;
	__u32 flags;		/* CKPT_ATTR_* */
	__u64 timer_slack_ns;
	__u64 default_timer_slack_ns;
	__s32 oom_score_adj;
	__s32 oom_score_adj_min;
	__u32 ioprio;		/* as in ioprio_set(2), 0: none was set */
	__u32 pad;
};

struct ckpt_rlimit {
	__u64 cur;		/* all bits set: no limit */
	__u64 max;
};

/* rec: RLIMITS */
struct ckpt_rlimits {
	struct ckpt_rlimit limits[16];
};

#define CKPT_SCHED_RESET_ON_FORK	(1U << 0)
#define CKPT_SCHED_AFFINITY		(1U << 1)	/* was set by the program */

/* rec: SCHED */
struct ckpt_sched {
	__u32 policy;		/* SCHED_* */
	__s32 nice;
	__u32 rt_priority;
	__u32 flags;		/* CKPT_SCHED_* */
	__u64 slice_ns;		/* sched_attr.sched_runtime, 0: the default */
	__u64 cpus[];		/* with CKPT_SCHED_AFFINITY: bit n % 64 of word n / 64 */
};

#define CKPT_PRCTL_SUBREAPER	(1U << 0)
#define CKPT_PRCTL_IO_FLUSHER	(1U << 1)
#define CKPT_PRCTL_MCE_PROCESS	(1U << 2)	/* PR_MCE_KILL_SET was used */
#define CKPT_PRCTL_MCE_EARLY	(1U << 3)	/* ... with PR_MCE_KILL_EARLY */
#define CKPT_PRCTL_NO_TSC	(1U << 4)	/* PR_TSC_SIGSEGV */

/* rec: PRCTL */
struct ckpt_prctl {
	__u32 flags;		/* CKPT_PRCTL_* */
	__u32 pdeath_signal;
	__u32 spec_store_bypass;	/* these as PR_GET_SPECULATION_CTRL says */
	__u32 spec_indirect_branch;
	__u32 spec_l1d_flush;
	__u32 pad;
};

struct ckpt_usage {
	__u64 utime_ns;
	__u64 stime_ns;
	__u64 gtime_ns;
	__u64 runtime_ns;	/* 0 for children */
	__u64 nvcsw;
	__u64 nivcsw;
	__u64 min_flt;
	__u64 maj_flt;
	__u64 inblock;		/* as in struct rusage, in units of 512 bytes */
	__u64 oublock;
	__u64 maxrss_pages;	/* 0 for the thread */
	__u64 shown_utime_ns;	/* the last that anybody was told, from which it may
				 * not go back: of the thread; of the whole process,
				 * with the dead threads; 0 for children
				 */
	__u64 shown_stime_ns;
};

/* Behind the first member it may end, if the rest is zero. */
/* rec: CPUTIME */
struct ckpt_cputime {
	struct ckpt_usage thread;
	struct ckpt_usage dead_threads;
	struct ckpt_usage children;
};

/* rec: CRED */
struct ckpt_cred {
	__u32 uid;		/* ids as seen from the saver's user namespace */
	__u32 gid;
	__u32 suid;
	__u32 sgid;
	__u32 euid;
	__u32 egid;
	__u32 fsuid;
	__u32 fsgid;
	__u64 cap_inheritable;	/* capability sets: bit n is CAP_n */
	__u64 cap_permitted;
	__u64 cap_effective;
	__u64 cap_bset;
	__u64 cap_ambient;
	__u32 securebits;
	__u32 reqkey_keyring;	/* KEYCTL_SET_REQKEY_KEYRING */
	__u8 label[256];	/* security context, empty: none */
	__u32 groups[];		/* ascending */
};

struct ckpt_sigaction {
	__u64 handler;
	__u64 flags;		/* SA_* */
	__u64 restorer;
	__u64 mask;		/* signal sets: bit n - 1 is signal n */
};

/* rec: SIGHAND */
struct ckpt_sighand {
	struct ckpt_sigaction actions[64];
};

#define CKPT_SIGNAL_RESTORE_MASK	(1U << 0)	/* saved_mask is to be put back */

/* rec: SIGNAL */
struct ckpt_signal {
	__u64 blocked;
	__u64 saved_mask;	/* in ppoll() and the like: the mask outside of it */
	__u64 altstack_sp;
	__u64 altstack_size;
	__u32 altstack_flags;	/* SS_* */
	__u32 flags;		/* CKPT_SIGNAL_* */
};

/* This entry is the one of the POSIX timer whose id is in it. */
#define CKPT_SIGINFO_TIMER	(1U << 0)

struct ckpt_siginfo {
	__s32 signo;
	__s32 error;
	__s32 code;
	__u32 flags;		/* CKPT_SIGINFO_*; padding in a siginfo_t */
	__u8 fields[112];	/* as in a siginfo_t */
};

/*
 * A queue can take several records, its entries are in order. A signal can be
 * pending without an entry.
 */
/* rec: SIGPENDING */
struct ckpt_sigpending {
	__u64 set;
	__u32 shared;		/* 0: of the thread, 1: of the process */
	__u32 nr_infos;
	struct ckpt_siginfo infos[];
};

#define CKPT_ITIMER_REAL_ACTIVE	(1U << 0)
/* These signals were pending when the timers were looked at. */
#define CKPT_ITIMER_SIGALRM	(1U << 1)
#define CKPT_ITIMER_SIGVTALRM	(1U << 2)
#define CKPT_ITIMER_SIGPROF	(1U << 3)
#define CKPT_ITIMER_SIGNALS	(CKPT_ITIMER_SIGALRM | CKPT_ITIMER_SIGVTALRM | \
				 CKPT_ITIMER_SIGPROF)

/*
 * Times are in ns, remaining ones from the checkpoint on. For real they are
 * negative when the timer expired and waits for its signal to be taken.
 */
/* rec: ITIMERS */
struct ckpt_itimers {
	__s64 real_remaining;
	__u64 real_interval;
	__u64 virt_remaining;	/* 0: not armed */
	__u64 virt_interval;
	__u64 prof_remaining;
	__u64 prof_interval;
	__u32 flags;		/* CKPT_ITIMER_* */
	__u32 next_posix_timer;	/* the id that timer_create() tries first */
};

#define CKPT_PTIMER_ACTIVE	(1U << 0)	/* waits for its time */
#define CKPT_PTIMER_PENDING	(1U << 1)	/* its signal is pending */
#define CKPT_PTIMER_REQUEUE	(1U << 2)	/* goes on when its signal is taken */

/* rec: POSIX_TIMER */
struct ckpt_posix_timer {
	__s32 id;
	__s32 clock;		/* clockid_t; the CPU clock of the process with pid 0 */
	__s32 notify;		/* SIGEV_* */
	__s32 signo;
	__u64 value;		/* sigev_value */
	__u64 remaining_ns;	/* 0: not armed */
	__u64 interval_ns;
	__s64 overrun;		/* so far, -1: no expiry yet */
	__s64 overrun_last;	/* of the last signal that was taken */
	__u32 flags;		/* CKPT_PTIMER_* */
	__s32 thread;		/* with SIGEV_THREAD_ID: its pid */
};

/* --- the ABI of a thread (restart_block.c, robust.c, rseq.c) -------------- */

/* ckpt_restart_block.which */
#define CKPT_RESTART_NONE	0U	/* restart_syscall() gives EINTR */
#define CKPT_RESTART_NANOSLEEP	1U
#define CKPT_RESTART_POLL	2U
#define CKPT_RESTART_FUTEX	3U	/* FUTEX_WAIT, FUTEX_WAIT_BITSET */
/* ckpt_restart_block.flags */
#define CKPT_RESTART_TIMEOUT	(1U << 0)	/* there is one */
#define CKPT_RESTART_REALTIME	(1U << 1)	/* absolute, CLOCK_REALTIME */
#define CKPT_RESTART_REMAINING	(1U << 2)	/* nanosleep tells what is left */
#define CKPT_RESTART_SHARED	(1U << 3)	/* not FUTEX_PRIVATE_FLAG */

/* How an interrupted system call goes on. What does not apply is 0. */
/* rec: RESTART_BLOCK */
struct ckpt_restart_block {
	__u32 which;		/* CKPT_RESTART_* */
	__u32 flags;
	__s64 time_ns;		/* that was left of the timeout, or its end */
	__u64 addr;		/* vaddr of rmtp, of fds, of the futex */
	__s32 clockid;		/* nanosleep */
	__s32 nfds;		/* poll */
	__u32 val;		/* futex */
	__u32 bitset;		/* futex */
};

/* rec: ROBUST */
struct ckpt_robust {
	__u64 robust_list;	/* vaddr of the head, 0: none */
	__u64 clear_child_tid;	/* vaddr, 0: none */
};

/* rec: RSEQ */
struct ckpt_rseq {
	__u64 rseq;		/* vaddr, 0: not registered */
	__u32 len;
	__u32 sig;
	__u32 feature_size;	/* bytes of struct rseq that the kernel knew */
	__u32 pad;
};

/* --- architecture x86-64 (arch/x86/kernel/checkpoint.c) ------------------ */

/* ckpt_x86_regs.state */
#define CKPT_X86_FSGSBASE	(1U << 0)	/* may use RDFSBASE and so on */
#define CKPT_X86_VSYSCALL	(1U << 1)	/* sees the vsyscall page */

/*
 * The members down to gs are those of struct user_regs_struct, but for flags,
 * here rflags. Behind them what the next signal frame will show of the last
 * fault.
 */
/* rec: X86_REGS */
struct ckpt_x86_regs {
	__u64 r15;
	__u64 r14;
	__u64 r13;
	__u64 r12;
	__u64 bp;
	__u64 bx;
	__u64 r11;
	__u64 r10;
	__u64 r9;
	__u64 r8;
	__u64 ax;
	__u64 cx;
	__u64 dx;
	__u64 si;
	__u64 di;
	__u64 orig_ax;
	__u64 ip;
	__u64 cs;
	__u64 rflags;
	__u64 sp;
	__u64 ss;
	__u64 fs_base;
	__u64 gs_base;
	__u64 ds;
	__u64 es;
	__u64 fs;
	__u64 gs;
	__u64 cr2;
	__u64 trap_nr;
	__u64 error_code;
	__u32 state;		/* CKPT_X86_* */
	__u32 shstk_locked;	/* as ARCH_SHSTK_LOCK takes it */
};

/* ckpt_x86_xstate.flags */
#define CKPT_X86_XSAVE		(1U << 0)	/* else FXSAVE, no component > 1 */
#define CKPT_X86_PKU		(1U << 1)	/* pkru has a meaning */

/*
 * area is an uncompacted XSAVE area, as NT_X86_XSTATE shows it, with an empty
 * software area, with PKRU kept out of it, up to the end of the last component
 * that is in xfeatures, or of the header. Components lie where the saving CPU
 * puts them; offset and size (by number, 0 for 0 and 1, which have a fixed
 * place, and for those that are not in xfeatures) say where.
 */
/* rec: X86_XSTATE */
struct ckpt_x86_xstate {
	__u64 xfeatures;	/* components that are not in their initial state */
	__u64 enabled;		/* components that the program could use */
	__u32 flags;		/* CKPT_X86_* */
	__u32 pkru;
	__u32 offset[32];
	__u32 size[32];
	__u8 area[];
};

/* A segment descriptor in the form of struct user_desc. */
struct ckpt_x86_desc {
	__u32 entry_number;
	__u32 base_addr;
	__u32 limit;
	__u32 flags;		/* from bit 0: seg_32bit, contents (2 bits),
				 * read_exec_only, limit_in_pages,
				 * seg_not_present, useable
				 */
};

/* rec: X86_TLS */
struct ckpt_x86_tls {
	struct ckpt_x86_desc desc[3];	/* entry_number 12, 13, 14 */
};

/* Descriptors that are not empty, with a rising entry_number. */
/* rec: X86_LDT */
struct ckpt_x86_ldt {
	__u32 nr_entries;	/* size of the table */
	__u32 pad;
	struct ckpt_x86_desc desc[];
};

/* ckpt_vma_special.which */
#define CKPT_SPECIAL_VDSO	1U
#define CKPT_SPECIAL_VVAR	2U
/* ckpt_vma_special.flags */
#define CKPT_SPECIAL_CURRENT	(1U << 0)	/* where the kernel believes it */

/* A mapping of which the kernel has the contents. */
/* rec: VMA_SPECIAL */
struct ckpt_vma_special {
	__u64 start;
	__u64 end;
	__u32 which;		/* CKPT_SPECIAL_* */
	__u32 prot;		/* PROT_* */
	__u32 flags;
	__u32 image_size;	/* of the vdso's code, in bytes */
	__u32 image_crc32c;
	__u32 pad;
};

/* --- memory (mm.c, vma.c, shmem.c) -------------------------------------- */

/*
 * The records of an MM follow each other: MM, its VMA_* in ascending order,
 * MM_LAYOUT.
 */

#define CKPT_MM_TOPDOWN		(1U << 0)	/* mmap() searches downwards */

/* rec: MM */
struct ckpt_mm {
	__u64 mmap_base;
	__u64 mmap_legacy_base;
	__u32 flags;		/* CKPT_MM_* */
	__u16 pkeys;		/* protection keys that are allocated, but for 0 */
	__u16 exec_pkey;	/* the one of execute-only memory, 0: none */
};

#define CKPT_LAYOUT_THP_DISABLE		(1U << 0)	/* PR_SET_THP_DISABLE */
#define CKPT_LAYOUT_KSM_ANY		(1U << 1)	/* PR_SET_MEMORY_MERGE */
#define CKPT_LAYOUT_MDWE		(1U << 2)	/* PR_SET_MDWE */
#define CKPT_LAYOUT_MDWE_NO_INHERIT	(1U << 3)
#define CKPT_LAYOUT_LOCK_FUTURE		(1U << 4)	/* MCL_FUTURE */
#define CKPT_LAYOUT_LOCK_ONFAULT	(1U << 5)	/* MCL_ONFAULT */

/* rec: MM_LAYOUT */
struct ckpt_mm_layout {
	__u64 start_code;	/* as in prctl(PR_SET_MM_MAP) */
	__u64 end_code;
	__u64 start_data;
	__u64 end_data;
	__u64 start_brk;
	__u64 brk;
	__u64 start_stack;
	__u64 arg_start;
	__u64 arg_end;
	__u64 env_start;
	__u64 env_end;
	ckpt_ref_t exe;		/* the file of /proc/PID/exe */
	__u32 flags;		/* CKPT_LAYOUT_* */
	__u32 dumpable;		/* as prctl(PR_GET_DUMPABLE) tells */
	__u32 coredump_filter;	/* as /proc/PID/coredump_filter shows */
	__u64 membarrier;	/* MEMBARRIER_CMD_REGISTER_* that were done */
	__u64 auxv[];		/* pairs, the last is AT_NULL */
};

/* ckpt_vma.flags */
#define CKPT_VMA_READ		(1ULL << 0)
#define CKPT_VMA_WRITE		(1ULL << 1)
#define CKPT_VMA_EXEC		(1ULL << 2)
#define CKPT_VMA_MAYREAD	(1ULL << 3)	/* mprotect() may give it */
#define CKPT_VMA_MAYWRITE	(1ULL << 4)
#define CKPT_VMA_MAYEXEC	(1ULL << 5)
#define CKPT_VMA_SHARED		(1ULL << 6)	/* MAP_SHARED */
#define CKPT_VMA_GROWSDOWN	(1ULL << 7)
#define CKPT_VMA_NORESERVE	(1ULL << 8)
#define CKPT_VMA_DROPPABLE	(1ULL << 9)	/* MAP_DROPPABLE */
#define CKPT_VMA_LOCKED		(1ULL << 10)
#define CKPT_VMA_LOCKONFAULT	(1ULL << 11)
#define CKPT_VMA_DONTFORK	(1ULL << 12)	/* this and below: MADV_* */
#define CKPT_VMA_WIPEONFORK	(1ULL << 13)
#define CKPT_VMA_DONTDUMP	(1ULL << 14)
#define CKPT_VMA_HUGEPAGE	(1ULL << 15)
#define CKPT_VMA_NOHUGEPAGE	(1ULL << 16)
#define CKPT_VMA_MERGEABLE	(1ULL << 17)
#define CKPT_VMA_SEQUENTIAL	(1ULL << 18)
#define CKPT_VMA_RANDOM		(1ULL << 19)
#define CKPT_VMA_DONTEXPAND	(1ULL << 20)	/* not by mremap() */
#define CKPT_VMA_ACCOUNT	(1ULL << 21)	/* not writable, but was: charged */
#define CKPT_VMA_PKEY_0		(1ULL << 24)	/* the protection key, in four bits */
#define CKPT_VMA_PKEY_1		(1ULL << 25)
#define CKPT_VMA_PKEY_2		(1ULL << 26)
#define CKPT_VMA_PKEY_3		(1ULL << 27)

/* Every VMA_* record begins with start and end, those of memory with this. */
struct ckpt_vma {
	__u64 start;
	__u64 end;
	__u64 flags;		/* CKPT_VMA_* */
};

/* Private anonymous memory. */
/* rec: VMA_ANON */
struct ckpt_vma_anon {
	struct ckpt_vma vma;
	__u8 name[];		/* PR_SET_VMA_ANON_NAME, no NUL */
};

/* A mapping of an open file description. */
/* rec: VMA_FILE */
struct ckpt_vma_file {
	struct ckpt_vma vma;
	__u64 offset;		/* in the file, bytes */
	ckpt_ref_t file;
	__u32 pad;
};

/* Shared anonymous memory. */
/* rec: VMA_SHMEM */
struct ckpt_vma_shmem {
	struct ckpt_vma vma;
	__u64 offset;
	ckpt_ref_t shmem;
	__u32 pad;
	__u8 name[];
};

/* Private anonymous memory of huge pages of a fixed size. */
/* rec: VMA_HUGETLB */
struct ckpt_vma_hugetlb {
	struct ckpt_vma vma;
	__u64 offset;
	__u64 huge_size;	/* bytes of a huge page */
};

#define CKPT_SHMEM_MEMFD	(1U << 0)	/* else shared anonymous memory */
#define CKPT_SHMEM_NORESERVE	(1U << 1)
#define CKPT_SHMEM_SYSV		(1U << 2)	/* of a SYSV_SHM */

/* rec: SHMEM */
struct ckpt_shmem {
	__u64 size;
	__u32 flags;		/* CKPT_SHMEM_* */
	__u32 seals;		/* F_SEAL_* */
	__u32 mode;		/* permission bits */
	__u32 uid;		/* in the saver's user namespace */
	__u32 gid;
	__u32 pad;
	__s64 atime_sec;
	__s64 mtime_sec;
	__u32 atime_nsec;
	__u32 mtime_nsec;
	__u8 name[];		/* as given to memfd_create(), or SYSV and the
				 * key in 8 hexadecimal digits; no NUL
				 */
};

/* --- files (files.c, file.c, inode.c, fs.c, pipe.c, tty.c) --------------- */

#define CKPT_FD_CLOEXEC		(1U << 0)

struct ckpt_fd {
	__s32 fd;
	__u32 flags;		/* CKPT_FD_* */
	ckpt_ref_t file;
};

/* rec: FILES */
struct ckpt_files {
	__u32 nr_fds;
	__u32 pad;
	struct ckpt_fd fds[];	/* ascending */
};

/* rec: FS */
struct ckpt_fs {
	__u32 umask;
	__u32 root_len;		/* bytes of the first path, with its NUL */
	__u8 paths[];		/* root and working directory, two strings */
};

/* ckpt_file_desc.bits */
#define CKPT_FILE_MAPPED	(1U << 0)	/* contents must be unchanged */
#define CKPT_FILE_EXEC		(1U << 1)	/* opened by execve() */
#define CKPT_FILE_RANDOM	(1U << 2)	/* POSIX_FADV_RANDOM */
#define CKPT_FILE_NOREUSE	(1U << 3)	/* POSIX_FADV_NOREUSE */
#define CKPT_FILE_NOWAIT	(1U << 4)	/* pipes: RWF_NOWAIT works */
#define CKPT_FILE_NO_WRITER	(1U << 5)	/* FIFOs: none was seen yet */
#define CKPT_FILE_DEV_TTY	(1U << 6)	/* terminals: is /dev/tty */
#define CKPT_FILE_HUNG_UP	(1U << 7)	/* terminals: was hung up */

/* What all open file descriptions have. */
struct ckpt_file_desc {
	__u64 pos;
	__u32 open_flags;	/* as F_GETFL gives them */
	__u32 bits;		/* CKPT_FILE_* */
	ckpt_ref_t cred;	/* of the one who opened it */
	__u32 pad;
};

#define CKPT_FILE_ID_BTIME	(1U << 0)	/* btime is known */

/* How a restart knows that what it finds at a path is what was there. */
struct ckpt_file_id {
	__u64 size;
	__s64 mtime_sec;
	__s64 btime_sec;
	__u32 mtime_nsec;
	__u32 btime_nsec;
	__u32 mode;		/* type only, S_IFMT */
	__u32 rdev_major;
	__u32 rdev_minor;
	__u32 flags;		/* CKPT_FILE_ID_* */
};

/* rec: FILE */
struct ckpt_file {
	struct ckpt_file_desc desc;
	struct ckpt_file_id id;
	__u8 path[];		/* with its NUL */
};

/* rec: FILE_DEV */
struct ckpt_file_dev {
	struct ckpt_file_desc desc;
	struct ckpt_file_id id;
	__u8 path[];
};

/* rec: FILE_TTY */
struct ckpt_file_tty {
	struct ckpt_file_desc desc;
	__u8 name[64];		/* of the terminal, for people */
};

/* rec: PIPE */
struct ckpt_pipe {
	__u32 size;		/* bytes, as F_GETPIPE_SZ gives it */
	ckpt_ref_t cred;	/* who makes it */
	__u8 path[];		/* of a FIFO; none: a pipe */
};

#define CKPT_PIPE_BUF_PACKET	(1U << 0)

/* rec: PIPE_BUF */
struct ckpt_pipe_buf {
	__u32 flags;		/* CKPT_PIPE_BUF_* */
	__u32 pad;
	__u8 data[];		/* at most a page */
};

/* rec: FILE_PIPE */
struct ckpt_file_pipe {
	struct ckpt_file_desc desc;
	ckpt_ref_t pipe;
	__u32 pad;
};

#define CKPT_INODE_LINKABLE	(1U << 0)	/* O_TMPFILE without O_EXCL */

/* rec: INODE */
struct ckpt_inode {
	__u64 size;
	__s64 mtime_sec;
	__u32 mtime_nsec;
	__u32 mode;		/* permissions only, 07777 */
	__u32 uid;		/* as the saver's user namespace sees them */
	__u32 gid;
	ckpt_ref_t cred;	/* who makes it */
	__u32 flags;		/* CKPT_INODE_* */
	__u8 dir[];		/* the directory where it is made, with its NUL */
};

/* rec: FILE_UNLINKED */
struct ckpt_file_unlinked {
	struct ckpt_file_desc desc;
	ckpt_ref_t inode;
	__u32 pad;
};

/* The description that memfd_create() made, not one of a later open. */
#define CKPT_MEMFD_CREATED	(1U << 0)

/* rec: FILE_MEMFD */
struct ckpt_file_memfd {
	struct ckpt_file_desc desc;
	ckpt_ref_t shmem;
	__u32 flags;		/* CKPT_MEMFD_* */
};

/* --- event files (eventfd.c, epoll.c, pidfd.c) --------------------------- */

#define CKPT_EVENTFD_SEMAPHORE	(1U << 0)

/* rec: FILE_EVENTFD */
struct ckpt_file_eventfd {
	struct ckpt_file_desc desc;
	__u64 count;
	__u32 flags;		/* CKPT_EVENTFD_* */
	__u32 pad;
};

/* rec: FILE_SIGNALFD */
struct ckpt_file_signalfd {
	struct ckpt_file_desc desc;
	__u64 mask;		/* as signalfd(2) takes it */
};

#define CKPT_TIMERFD_ACTIVE	(1U << 0)	/* waits for its time */
#define CKPT_TIMERFD_EXPIRED	(1U << 1)	/* at its time, not looked at since */
#define CKPT_TIMERFD_ABSOLUTE	(1U << 2)	/* a time of CLOCK_REALTIME */
#define CKPT_TIMERFD_CANCEL	(1U << 3)	/* TFD_TIMER_CANCEL_ON_SET */
#define CKPT_TIMERFD_CANCELED	(1U << 4)	/* which read() has not told yet */
#define CKPT_TIMERFD_FLAGS	(CKPT_TIMERFD_ACTIVE | CKPT_TIMERFD_EXPIRED | \
				 CKPT_TIMERFD_ABSOLUTE | CKPT_TIMERFD_CANCEL | \
				 CKPT_TIMERFD_CANCELED)

/* rec: FILE_TIMERFD */
struct ckpt_file_timerfd {
	struct ckpt_file_desc desc;
	__s32 clock;		/* clockid_t */
	__u32 settime_flags;	/* TFD_TIMER_*, as fdinfo shows them */
	__u64 ticks;		/* expirations that were not read yet */
	__u64 interval_ns;
	__s64 time_ns;		/* that remains, or was; absolute by flag */
	__u32 flags;		/* CKPT_TIMERFD_* */
	__u32 pad;
};

/* rec: FILE_EPOLL */
struct ckpt_file_epoll {
	struct ckpt_file_desc desc;
	__u32 busy_poll_usecs;	/* these as EPIOCGPARAMS gives them */
	__u32 busy_poll_budget;
	__u32 prefer_busy_poll;
	__u32 pad;
};

#define CKPT_EPOLL_READY	(1U << 0)	/* epoll_wait() looks at it */

struct ckpt_epoll_item {
	__u64 data;
	__u32 events;		/* EPOLL*; disabled by EPOLLONESHOT: only flags */
	__s32 fd;		/* the descriptor when it was added */
	ckpt_ref_t file;
	__u32 flags;		/* CKPT_EPOLL_* */
};

/* Of an epoll file there can be several. */
/* rec: EPOLL_ITEMS */
struct ckpt_epoll_items {
	__u32 nr_items;
	__u32 pad;
	struct ckpt_epoll_item items[];
};

/* Signal descriptors in an epoll file tell of the signals of this task. */
/* rec: TASK_EPOLL */
struct ckpt_task_epoll {
	ckpt_ref_t epoll;
	__u32 nr_items;
	struct ckpt_epoll_item items[];
};

#define CKPT_PIDFD_THREAD	(1U << 0)	/* PIDFD_THREAD */

/* rec: FILE_PIDFD */
struct ckpt_file_pidfd {
	struct ckpt_file_desc desc;
	__s32 pid;		/* of a TASK */
	__u32 flags;		/* CKPT_PIDFD_* */
};

/* --- inotify (inotify.c) -------------------------------------------------- */

/* rec: FILE_INOTIFY */
struct ckpt_file_inotify {
	struct ckpt_file_desc desc;
	__u32 next_wd;		/* from where a number for a watch is looked for */
	__u32 pad;
};

/* rec: INOTIFY_WATCH */
struct ckpt_inotify_watch {
	__s32 wd;
	__u32 mask;		/* IN_*, with IN_ONESHOT and IN_EXCL_UNLINK */
	__u32 mode;		/* of what is watched: type only, S_IFMT */
	__u32 pad;
	__u8 path[];		/* with its NUL */
};

/* In order, as read(2) gives them. */
/* rec: INOTIFY_EVENT */
struct ckpt_inotify_event {
	__s32 wd;		/* -1: of IN_Q_OVERFLOW */
	__u32 mask;
	__u32 cookie;
	__u32 pad;
	__u8 name[];		/* no NUL */
};

/* --- pseudo terminals (pty.c) --------------------------------------------- */

/* As in struct termios2. */
struct ckpt_termios {
	__u32 iflag;
	__u32 oflag;
	__u32 cflag;
	__u32 lflag;
	__u32 ispeed;
	__u32 ospeed;
	__u8 line;
	__u8 cc[19];
};

/* ckpt_pty.flags; with OUTSIDE all else is 0, with CLOSED all but the index */
#define CKPT_PTY_OUTSIDE	(1U << 0)	/* not saved, a number only */
#define CKPT_PTY_CLOSED		(1U << 1)	/* the master is closed */
#define CKPT_PTY_PACKET		(1U << 2)	/* TIOCPKT */
#define CKPT_PTY_NO_LDISC	(1U << 3)	/* slave: hung up, not opened again */

/* ckpt_pty.state */
#define CKPT_PTY_THROTTLED	(1U << 0)
#define CKPT_PTY_IO_ERROR	(1U << 1)	/* closed, or could not be opened */
#define CKPT_PTY_OTHER_CLOSED	(1U << 2)	/* the other side was closed */
#define CKPT_PTY_EXCLUSIVE	(1U << 3)	/* TIOCEXCL */
#define CKPT_PTY_LOCKED		(1U << 4)	/* TIOCSPTLCK */
#define CKPT_PTY_HUPPED		(1U << 5)	/* hung up, not opened again */
#define CKPT_PTY_STOPPED	(1U << 6)	/* output: by ctrl-S, tcflow() */
#define CKPT_PTY_TCO_STOPPED	(1U << 7)	/* ... by tcflow() */

/* The two sides, indices of ckpt_pty.state */
#define CKPT_PTY_MASTER		0U
#define CKPT_PTY_SLAVE		1U

/* A pseudo terminal whose master is within the tree. */
/* rec: PTY */
struct ckpt_pty {
	__u32 index;		/* N of /dev/pts/N */
	__u32 flags;		/* CKPT_PTY_* */
	__s32 session;		/* whose controlling terminal it is, 0: none's */
	__s32 pgrp;		/* in the foreground, 0: none */
	__u32 open_flags;	/* of the master, O_ACCMODE only */
	__u32 state[2];		/* CKPT_PTY_* of each side */
	__u32 pktstatus;	/* TIOCPKT_*, to be read in packet mode */
	__u32 mode;		/* permissions of /dev/pts/N */
	__u32 uid;		/* its owner, in the saver's user namespace */
	__u32 gid;
	__u16 rows;		/* struct winsize */
	__u16 cols;
	__u16 xpixel;
	__u16 ypixel;
	struct ckpt_termios termios;	/* of the slave, the master has none */
	__u8 path[];		/* of ptmx, with its NUL */
};

/* ckpt_pty_ldisc.flags */
#define CKPT_PTY_LNEXT		(1U << 0)	/* the next character is literal */
#define CKPT_PTY_ERASING	(1U << 1)	/* between \ and / of ECHOPRT */
#define CKPT_PTY_PUSH		(1U << 2)	/* ends without a newline */

/*
 * N_TTY. Positions count from the first byte that was not read. data has
 * nr_read bytes of input, of which the ends of lines are marked in ends, and
 * behind them nr_echo bytes that wait to be echoed, in the form that the
 * kernel's echo buffer has.
 */
/* rec: PTY_LDISC */
struct ckpt_pty_ldisc {
	__u32 side;		/* CKPT_PTY_MASTER, CKPT_PTY_SLAVE */
	__u32 flags;		/* CKPT_PTY_* */
	__u32 nr_read;
	__u32 nr_commit;	/* may be read in raw mode */
	__u32 nr_canon;		/* complete lines */
	__u32 nr_echo;
	__u32 echo_commit;
	__u32 echo_mark;
	__u32 column;
	__u32 canon_column;
	__u64 ends[64];		/* bit n % 64 of word n / 64: a line ends */
	__u8 data[];
};

/* Written by the other side, and there was no room in the line discipline. */
/* rec: PTY_QUEUE */
struct ckpt_pty_queue {
	__u32 side;		/* that is to get it */
	__u32 pad;
	__u8 data[];
};

/* rec: FILE_PTY */
struct ckpt_file_pty {
	struct ckpt_file_desc desc;
	ckpt_ref_t pty;
	__u32 side;		/* CKPT_PTY_MASTER, CKPT_PTY_SLAVE */
	__u8 path[];		/* of a slave that was not hung up, with its NUL */
};

/* --- System V IPC (sysv.c) ------------------------------------------------ */

/* A segment; its size is that of the memory. */
/* rec: SYSV_SHM */
struct ckpt_sysv_shm {
	__s32 id;
	__u32 key;
	__u32 mode;		/* permissions, SHM_DEST, SHM_LOCKED */
	__u32 uid;		/* all four in the saver's user namespace */
	__u32 gid;
	__u32 cuid;		/* creator */
	__u32 cgid;
	__s32 cpid;		/* as seen from the saver's pid namespace */
	__s32 lpid;
	ckpt_ref_t shmem;
	__s64 atime;		/* seconds */
	__s64 dtime;
	__s64 ctime;
};

#define CKPT_SYSV_RDONLY	(1U << 0)	/* SHM_RDONLY */

/* VMA_FILE records refer to it. */
/* rec: FILE_SYSV */
struct ckpt_file_sysv {
	ckpt_ref_t segment;
	__u32 flags;		/* CKPT_SYSV_* */
};

struct ckpt_sem_adj {
	__u32 num;
	__s32 adj;		/* what the exit of the process adds, not 0 */
};

/* Operations on one set of System V semaphores that its exit is to undo. */
/* rec: SEM_UNDO */
struct ckpt_sem_undo {
	__s32 semid;
	__u32 key;
	__u32 nr_sems;		/* of the set */
	__u32 pad;
	struct ckpt_sem_adj adj[];	/* ascending */
};

/* --- file locks ------------------------------------------------------- */

/* ckpt_lock.kind */
#define CKPT_LOCK_POSIX		0	/* F_SETLK */
#define CKPT_LOCK_OFD		1	/* F_OFD_SETLK */
#define CKPT_LOCK_FLOCK		2	/* flock() */

/* ckpt_lock.flags */
#define CKPT_LOCK_WRITE		(1U << 0)	/* exclusive */

struct ckpt_lock {
	__u64 start;
	__u64 end;		/* the last byte; all that a file can have: 2^63 - 1 */
	ckpt_ref_t file;	/* the description through which it was set */
	ckpt_ref_t files;	/* POSIX: whose it is, else 0 */
	__s32 fd;		/* POSIX: a descriptor of file in files, else -1 */
	__s32 pid;		/* of who set it, 0: of nobody here */
	__u16 kind;		/* CKPT_LOCK_* */
	__u16 flags;
	__u32 pad;
};

/* rec: LOCKS */
struct ckpt_locks {
	__u32 nr_locks;
	__u32 pad;
	struct ckpt_lock locks[];
};

/* --- sockets of all families (socket.c) ----------------------------------- */

/* ckpt_sock.flags: options of SOL_SOCKET that are on */
#define CKPT_SOCK_DEBUG			(1ULL << 0)
#define CKPT_SOCK_REUSEADDR		(1ULL << 1)
#define CKPT_SOCK_REUSEPORT		(1ULL << 2)
#define CKPT_SOCK_KEEPALIVE		(1ULL << 3)
#define CKPT_SOCK_BROADCAST		(1ULL << 4)
#define CKPT_SOCK_DONTROUTE		(1ULL << 5)
#define CKPT_SOCK_OOBINLINE		(1ULL << 6)
#define CKPT_SOCK_LINGER		(1ULL << 7)
#define CKPT_SOCK_NO_CHECK		(1ULL << 8)
#define CKPT_SOCK_RXQ_OVFL		(1ULL << 9)
#define CKPT_SOCK_WIFI_STATUS		(1ULL << 10)
#define CKPT_SOCK_NOFCS			(1ULL << 11)
#define CKPT_SOCK_SELECT_ERR_QUEUE	(1ULL << 12)
#define CKPT_SOCK_RCVMARK		(1ULL << 13)
#define CKPT_SOCK_LOCK_FILTER		(1ULL << 14)
#define CKPT_SOCK_ZEROCOPY		(1ULL << 15)
#define CKPT_SOCK_PASSCRED		(1ULL << 16)
#define CKPT_SOCK_PASSSEC		(1ULL << 17)
#define CKPT_SOCK_PASSPIDFD		(1ULL << 18)
#define CKPT_SOCK_PREFER_BUSY_POLL	(1ULL << 19)
#define CKPT_SOCK_SNDBUF_LOCK		(1ULL << 20)	/* SO_BUF_LOCK */
#define CKPT_SOCK_RCVBUF_LOCK		(1ULL << 21)
#define CKPT_SOCK_TIMESTAMP		(1ULL << 22)	/* messages have one */
#define CKPT_SOCK_TIMESTAMPNS		(1ULL << 23)	/* ... in nanoseconds */
#define CKPT_SOCK_TIMESTAMP_NEW		(1ULL << 24)	/* ... in 64 bits */
#define CKPT_SOCK_STAMPED		(1ULL << 25)	/* for SIOCGSTAMP */
#define CKPT_SOCK_TXTIME		(1ULL << 26)
#define CKPT_SOCK_TXTIME_DEADLINE	(1ULL << 27)
#define CKPT_SOCK_TXTIME_ERRORS		(1ULL << 28)

/* What sockets of all families have; the record of a family begins with it. */
struct ckpt_sock {
	__u64 flags;		/* CKPT_SOCK_* */
	__u32 type;		/* SOCK_* */
	__u32 protocol;
	__s32 sndbuf;		/* these as getsockopt() gives them */
	__s32 rcvbuf;
	__s32 rcvlowat;
	__s32 peek_off;
	__u32 priority;
	__u32 mark;
	__s64 rcvtimeo_us;	/* -1: no limit */
	__s64 sndtimeo_us;
	__s64 linger_s;		/* -1: no limit */
	__s64 stamp_ns;		/* of the last message that was read */
	__u64 max_pacing_rate;	/* all bits set: no limit */
	__u32 timestamping;	/* SOF_TIMESTAMPING_* */
	__u32 tskey;		/* number of the next one with OPT_ID */
	__u32 zckey;		/* the same for MSG_ZEROCOPY */
	__u32 busy_poll_us;
	__u32 busy_poll_budget;
	__s32 incoming_cpu;	/* -1: none */
	__s32 txtime_clock;
	__u32 txrehash;
	__s32 error;		/* errno that SO_ERROR will tell */
	__s32 error_soft;
	__u8 device[16];	/* SO_BINDTODEVICE, with its NUL */
};

/* rec: FILE_SOCKET */
struct ckpt_file_socket {
	struct ckpt_file_desc desc;
	ckpt_ref_t sock;	/* UNIX, INET, NETLINK */
	__u32 mode;		/* of the inode, as fstat() shows them */
	__u32 uid;
	__u32 gid;
};

/* As in SO_ATTACH_FILTER. */
struct ckpt_bpf_insn {
	__u16 code;
	__u8 jt;
	__u8 jf;
	__u32 k;
};

/* rec: SOCK_FILTER */
struct ckpt_sock_filter {
	__u32 nr_insns;
	__u32 pad;
	struct ckpt_bpf_insn insns[];
};

/* --- unix sockets (unix.c) -------------------------------------------------- */

/* ckpt_unix.flags */
#define CKPT_UNIX_DEAD		(1U << 0)	/* was closed; others refer to it */
#define CKPT_UNIX_EMBRYO	(1U << 1)	/* not accepted yet */
#define CKPT_UNIX_BOUND		(1U << 2)	/* others find it by its name */

/*
 * The name is sun_path as getsockname() gives it; abstract when it begins with
 * a zero byte. With BOUND and a path follows the directory in which (as "." or
 * as "/") that path leads to the socket's file, with its NUL.
 */
/* rec: UNIX */
struct ckpt_unix {
	struct ckpt_sock sock;
	__u32 flags;		/* CKPT_UNIX_* */
	ckpt_ref_t cred;	/* who makes it; 0: DEAD, EMBRYO */
	__u32 name_len;
	__u32 mode;		/* of the file: permissions, owner */
	__u32 uid;
	__u32 gid;
	__u8 names[];
};

/* ckpt_unix_msg.flags */
#define CKPT_UNIX_MSG_CONNECTION (1U << 0)	/* from waits to be accepted */
#define CKPT_UNIX_MSG_OOB	(1U << 1)	/* a byte sent with MSG_OOB */
#define CKPT_UNIX_MSG_OOB_READ	(1U << 2)	/* was one, a mark is left */
#define CKPT_UNIX_MSG_CREDS	(1U << 3)	/* pid, uid, gid have a meaning */

/* One message; of a stream what was written at once and is not read yet. */
/* rec: UNIX_MSG */
struct ckpt_unix_msg {
	__u32 flags;		/* CKPT_UNIX_MSG_* */
	ckpt_ref_t from;	/* UNIX that sent it; 0: one that is not saved */
	__s32 pid;		/* SCM_CREDENTIALS, as the saver saw them */
	__u32 uid;
	__u32 gid;
	__u32 nr_files;		/* SCM_RIGHTS */
	__u32 name_len;		/* of a sender that is not saved */
	__u32 pad;
	__s64 stamp_ns;		/* when it was sent, 0: not known */
	__u8 data[];		/* ckpt_ref_t of the files, name, contents */
};

/* ckpt_unix_state.flags */
#define CKPT_UNIX_LISTENING	(1U << 0)
#define CKPT_UNIX_CONNECTED	(1U << 1)	/* is or was connected, TCP_ESTABLISHED */
#define CKPT_UNIX_SS_CONNECTED	(1U << 2)	/* the state of its struct socket */

/* Stands behind all messages. */
/* rec: UNIX_STATE */
struct ckpt_unix_state {
	__u32 flags;		/* CKPT_UNIX_* */
	__u32 shutdown;		/* 1: does not receive, 2: does not send */
	ckpt_ref_t peer;	/* UNIX that it sends to */
	ckpt_ref_t peer_cred;	/* SO_PEERCRED, 0: none */
	__s32 peer_pid;
	__u32 backlog;		/* of listen() */
};

/* --- message queues, semaphores (msg.c, mqueue.c, sysv_ns.c) --------------- */

struct ckpt_stamp {
	__s64 sec;
	__u32 nsec;
	__u32 pad;
};

#define CKPT_MQUEUE_UNLINKED	(1U << 0)	/* only open descriptions have it */
#define CKPT_MQUEUE_NOTIFY	(1U << 1)	/* somebody has called mq_notify() */
#define CKPT_MQUEUE_STALE	(1U << 2)	/* ... and execve() since */

/* rec: MQUEUE */
struct ckpt_mqueue {
	__u32 flags;		/* CKPT_MQUEUE_* */
	__u32 mode;
	__u32 uid;
	__u32 gid;
	__u64 max_msgs;
	__u64 max_size;
	__u64 nr_msgs;
	struct ckpt_stamp atime;
	struct ckpt_stamp mtime;
	struct ckpt_stamp ctime;
	__s32 notify_pid;	/* these with CKPT_MQUEUE_NOTIFY */
	__u32 notify;		/* SIGEV_* */
	__u32 notify_signal;
	__u32 pad;
	__u64 notify_value;
	__u8 name[];		/* no slash, with a NUL */
};

/*
 * The messages of a queue stand in their order; a long one in pieces, one behind
 * the other.
 */
struct ckpt_msg_piece {
	__u64 type;		/* or priority */
	__u64 size;		/* of the whole message */
	__u64 offset;		/* of this piece */
	__u32 len;		/* of this piece */
	__u32 pad;
};

/* rec: MQUEUE_MSG */
struct ckpt_mqueue_msg {
	struct ckpt_msg_piece piece;
	__u8 text[];
};

/* rec: FILE_MQUEUE */
struct ckpt_file_mqueue {
	struct ckpt_file_desc desc;
	ckpt_ref_t queue;
	__u32 pad;
	__u8 mount[];		/* path of the mount that it was opened in; empty: mq_open() */
};

/* As in /proc/sys/kernel and /proc/sys/fs/mqueue. */
/* rec: IPC_NS */
struct ckpt_ipc_ns {
	__u32 sem[4];
	__u32 msgmax;
	__u32 msgmnb;
	__u32 msgmni;
	__u32 shmmni;
	__u64 shmmax;
	__u64 shmall;
	__u32 shm_rmid_forced;
	__u32 queues_max;
	__u32 msg_max;
	__u32 msgsize_max;
	__u32 msg_default;
	__u32 msgsize_default;
};

struct ckpt_ipc_perm {
	__s32 id;
	__u32 key;
	__u32 mode;
	__u32 uid;		/* all four in the tree's user namespace */
	__u32 gid;
	__u32 cuid;		/* creator */
	__u32 cgid;
	__u32 pad;
};

struct ckpt_sem {
	__s32 value;
	__s32 pid;		/* of the last operation */
	__s64 otime;		/* seconds */
};

/* rec: SYSV_SEM */
struct ckpt_sysv_sem {
	struct ckpt_ipc_perm perm;
	__s64 ctime;
	struct ckpt_sem sems[];
};

/* rec: SYSV_MSG */
struct ckpt_sysv_msg {
	struct ckpt_ipc_perm perm;
	__s64 stime;
	__s64 rtime;
	__s64 ctime;
	__u64 max_bytes;
	__u64 nr_msgs;
	__s32 lspid;
	__s32 lrpid;
};

/* rec: SYSV_TEXT */
struct ckpt_sysv_text {
	struct ckpt_msg_piece piece;
	__u8 text[];
};

/* --- namespaces (ns.c) -------------------------------------------------------- */

#define CKPT_NS_UTS		(1U << 0)
#define CKPT_NS_IPC		(1U << 1)
#define CKPT_NS_MNT		(1U << 2)
#define CKPT_NS_PID		(1U << 3)
#define CKPT_NS_NET		(1U << 4)
#define CKPT_NS_TIME		(1U << 5)
#define CKPT_NS_CGROUP		(1U << 6)
#define CKPT_NS_USER		(1U << 7)

#define CKPT_NS_INIT		(1U << 0)	/* the first task is its pid namespace's init */

/* Ids and pids in the image are those of the tree's own namespaces. */
/* rec: NAMESPACES */
struct ckpt_namespaces {
	__u32 own;		/* CKPT_NS_* that were not the saver's */
	__u32 flags;		/* CKPT_NS_INIT */
	__u8 hostname[65];	/* these with CKPT_NS_UTS */
	__u8 domainname[65];
	__u8 pad[6];
	struct ckpt_stamp monotonic;	/* with CKPT_NS_TIME: clock minus the header's */
	struct ckpt_stamp boottime;
};

/* rec: CGROUP */
struct ckpt_cgroup {
	__u32 flags;		/* 0 */
	__u32 pad;
	__u8 path[];		/* from the root of the tree's cgroup namespace, with a NUL */
};

/* --- open files that stay outside (external.c) ------------------------------ */

/* ckpt_file_external.flags */
#define CKPT_EXTERNAL_READ	(1U << 0)	/* is open for that */
#define CKPT_EXTERNAL_WRITE	(1U << 1)
#define CKPT_EXTERNAL_TTY	(1U << 2)	/* any terminal */

/* Whatever takes its place is of the same sort. What does not apply is 0. */
/* rec: FILE_EXTERNAL */
struct ckpt_file_external {
	__s32 pid;		/* by this process and ... */
	__s32 fd;		/* ... its descriptor it was named */
	__u32 mode;		/* type: S_IFMT; 0: an anonymous file */
	__u32 flags;		/* CKPT_EXTERNAL_* */
	__u32 rdev_major;	/* of a device, but no terminal */
	__u32 rdev_minor;
	__u32 family;		/* of a socket */
	__u32 type;
	__u32 protocol;
	__u32 pad;
	__u8 name[32];		/* of an anonymous file, "[eventfd]" */
};

/* --- signals on I/O (owner.c) ------------------------------------------------ */

/* ckpt_file_owner.flags */
#define CKPT_OWNER_ASYNC	(1U << 0)	/* O_ASYNC */

/* rec: FILE_OWNER */
struct ckpt_file_owner {
	ckpt_ref_t file;	/* any open file */
	ckpt_ref_t cred;	/* with whose rights they are sent, 0: pid is */
	__s32 pid;		/* who gets them, 0: nobody */
	__u32 type;		/* F_OWNER_* */
	__u32 signum;		/* F_SETSIG, 0: SIGIO */
	__u32 flags;		/* CKPT_OWNER_* */
	__s32 fd;		/* what they tell, -1: O_ASYNC has no effect */
	__u32 pad;
};

/* --- internet sockets (inet.c, tcp.c) ------------------------------------- */

/* IPv4 and IPv6 */
struct ckpt_inet_name {
	__u8 addr[16];		/* as in a packet; of IPv4 the first four bytes */
	__u16 port;
	__u16 pad;
};

/* An option that is a number, as getsockopt() gives it. */
struct ckpt_inet_option {
	__u32 level;
	__u32 name;
	__s32 value;
};

/* ckpt_inet.flags */
#define CKPT_INET_DEAD		(1U << 0)	/* was closed; data are on the way */
#define CKPT_INET_EMBRYO	(1U << 1)	/* not accepted yet */
#define CKPT_INET_BOUND		(1U << 2)	/* has its port, else it only shows it */
#define CKPT_INET_ADDR_LOCK	(1U << 3)	/* the address was chosen by bind(), */
#define CKPT_INET_PORT_LOCK	(1U << 4)	/* ... the port */
#define CKPT_INET_DONE		(1U << 5)	/* CLOSED: its stream had ended before */

/* ckpt_inet.state */
#define CKPT_INET_UNCONNECTED	0U
#define CKPT_INET_CONNECTED	1U	/* TCP: a TCP record follows */
#define CKPT_INET_LISTENING	2U
#define CKPT_INET_CLOSED	3U	/* TCP: was connected, or could not be */

/* rec: INET */
struct ckpt_inet {
	struct ckpt_sock sock;
	__u32 family;		/* AF_INET, AF_INET6 */
	__u32 flags;		/* CKPT_INET_* */
	__u32 state;		/* CKPT_INET_* */
	__u32 socket_state;	/* SS_* of its struct socket */
	__u32 shutdown;		/* 1: does not receive, 2: does not send */
	__u32 backlog;		/* of listen() */
	ckpt_ref_t cred;	/* who makes it; 0: DEAD, EMBRYO */
	__u32 drops;		/* what did not get in, as SO_RXQ_OVFL counts it */
	struct ckpt_inet_name local;
	struct ckpt_inet_name remote;
	__u8 congestion[16];	/* TCP_CONGESTION, with its NUL */
	struct ckpt_inet_option options[];	/* in the order of the kernel's table */
};

/* One datagram that was not read yet. */
/* rec: INET_MSG */
struct ckpt_inet_msg {
	struct ckpt_inet_name from;
	struct ckpt_inet_name to;
	__s64 stamp_ns;		/* when it came, 0: not known */
	__u32 family;		/* of the packet: AF_INET, AF_INET6 */
	__u32 ttl;		/* hop limit */
	__u32 tos;		/* traffic class */
	__u32 drops;		/* of its socket, before it came; 0: not asked for */
	__u8 data[];
};

/* ckpt_inet_data.queue */
#define CKPT_INET_RECEIVED	0U
#define CKPT_INET_UNSENT	1U	/* has not arrived at the other end */

/* A part of a stream; there can be several. */
/* rec: INET_DATA */
struct ckpt_inet_data {
	__u32 queue;		/* CKPT_INET_* */
	__u32 pad;
	__u8 data[];
};

/* ckpt_tcp.flags */
#define CKPT_TCP_FIN		(1U << 0)	/* has ended sending, behind its data */
#define CKPT_TCP_FIN_RECEIVED	(1U << 1)	/* without peer: that has ended sending */
#define CKPT_TCP_TIMESTAMPS	(1U << 2)	/* options of the connection */
#define CKPT_TCP_SACK		(1U << 3)
#define CKPT_TCP_WSCALE		(1U << 4)

/* One end of a connection. Stands behind its data. */
/* rec: TCP */
struct ckpt_tcp {
	__u32 flags;		/* CKPT_TCP_* */
	ckpt_ref_t peer;	/* INET at the other end, 0: is gone */
	ckpt_ref_t listener;	/* INET that is to accept an EMBRYO */
	__u32 mss;		/* the largest segment that the other end takes */
	__u32 snd_wscale;
	__u32 rcv_wscale;
	__u32 window;		/* bytes that it has offered to take */
	__u32 pad;
};

/* --- netlink sockets (netlink.c) ------------------------------------------- */

/* ckpt_netlink.flags */
#define CKPT_NETLINK_BOUND		(1U << 0)	/* others find it by its portid */
#define CKPT_NETLINK_CONNECTED		(1U << 1)
#define CKPT_NETLINK_CONGESTED		(1U << 2)	/* takes nothing until it is read empty */
#define CKPT_NETLINK_PKTINFO		(1U << 3)	/* options of SOL_NETLINK */
#define CKPT_NETLINK_BROADCAST_ERROR	(1U << 4)
#define CKPT_NETLINK_NO_ENOBUFS		(1U << 5)
#define CKPT_NETLINK_LISTEN_ALL_NSID	(1U << 6)
#define CKPT_NETLINK_CAP_ACK		(1U << 7)
#define CKPT_NETLINK_EXT_ACK		(1U << 8)
#define CKPT_NETLINK_GET_STRICT_CHK	(1U << 9)

/* rec: NETLINK */
struct ckpt_netlink {
	struct ckpt_sock sock;
	__u32 flags;		/* CKPT_NETLINK_* */
	__u32 portid;		/* its own; without BOUND only shown */
	__u32 dst_portid;	/* of connect() */
	__u32 dst_group;
	__u32 max_recv;		/* the longest buffer it was read with */
	__u32 drops;		/* messages that it had no room for */
	ckpt_ref_t cred;	/* who makes it */
	__u32 nr_groups;	/* that it knows of, 0: it never had any */
	__u32 groups[];		/* a bit for each, set: is a member */
};

/* ckpt_netlink_msg.flags: the sender's ids are those that follow, ... */
#define CKPT_NETLINK_MSG_CREDS	(1U << 0)
/* ... those of root in the network namespace, ... */
#define CKPT_NETLINK_MSG_ROOT	(1U << 1)
/* ... else those that the kernel itself has. */
#define CKPT_NETLINK_MSG_NSID	(1U << 2)	/* came from another network namespace */

/* A message that was not read yet. */
/* rec: NETLINK_MSG */
struct ckpt_netlink_msg {
	__u32 flags;		/* CKPT_NETLINK_MSG_* */
	__u32 portid;		/* who sent it; 0: the kernel */
	__u32 dst_group;	/* to which group; 0: to this socket alone */
	__s32 nsid;		/* NETLINK_LISTEN_ALL_NSID */
	__s32 pid;		/* SCM_CREDENTIALS, as the sender saw them */
	__u32 uid;
	__u32 gid;
	__u32 pad;
	__u8 data[];
};

#endif /* _UAPI_LINUX_CHECKPOINT_IMAGE_H */
