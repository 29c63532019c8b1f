// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of what the rows of the table of kinds judge: their check().
 *
 * Of each kind there is one good payload, which is accepted, and a list of
 * changes to it: some make it bad, others go up to a boundary and are still
 * good. What is right follows from the description of the image and from what
 * system calls let a program set, not from the code of the check.
 */

#include <kunit/test.h>
#include <linux/capability.h>
#include <linux/elf.h>
#include <linux/fcntl.h>
#include <linux/filter.h>
#include <linux/inotify.h>
#include <linux/keyctl.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/net.h>
#include <linux/net_tstamp.h>
#include <linux/netlink.h>
#include <linux/oom.h>
#include <linux/pipe_fs_i.h>
#include <linux/prctl.h>
#include <linux/resource.h>
#include <linux/sched.h>
#include <linux/securebits.h>
#include <linux/signal.h>
#include <linux/sizes.h>
#include <linux/stat.h>
#include <linux/termios.h>
#include <linux/time64.h>
#include <linux/timerfd.h>
#include <uapi/linux/eventpoll.h>
#include <net/sock.h>
#include <uapi/linux/membarrier.h>

#include <asm/ldt.h>
#include <asm/prctl.h>
#include <asm/processor-flags.h>
#include <asm/segment.h>

#include "test.h"

/* --- what is in front of the record that is judged ------------------------ */

/* Objects, one of each type that a record can refer to. */
enum {
	REF_NONE,
	REF_CRED,
	REF_FILES,
	REF_FS,
	REF_SIGHAND,
	REF_INODE,
	REF_MEMFD,
	REF_SHMEM,	/* shared anonymous memory */
	REF_SEGMENT,	/* the memory of a System V segment */
	REF_SYSV,
	REF_SYSV_MSG,
	REF_MQUEUE,
	REF_PIPE,
	REF_PTY,
	REF_FILE,
	REF_SIGNALFD,
	REF_EPOLL,
	REF_INOTIFY,
	REF_FILE_SYSV,	/* a mapping's, never open */
	REF_UNIX,	/* a stream, as the next two */
	REF_UNIX_PEER,
	REF_UNIX_EMBRYO,
	REF_UNIX_DEAD,
	REF_UNIX_DGRAM,
	REF_SOCKET,
	REF_INET,	/* TCP over IPv4, connected, as the next one */
	REF_INET_PEER,
	REF_INET_EMBRYO,
	REF_INET_LISTENER,
	REF_UDP,
	REF_NETLINK,
	REF_TASK,
	REF_MM,		/* last, as its mappings follow it */
	REF_NEW		/* what an object that is judged is to become */
};

static const struct {
	u32 type;
	u32 shmem_flags;
	struct ckpt_unix un;
	struct ckpt_inet inet;
} objects[REF_NEW] = {
	[REF_CRED] = { CKPT_REC_CRED },
	[REF_FILES] = { CKPT_REC_FILES },
	[REF_FS] = { CKPT_REC_FS },
	[REF_SIGHAND] = { CKPT_REC_SIGHAND },
	[REF_INODE] = { CKPT_REC_INODE },
	[REF_MEMFD] = { CKPT_REC_SHMEM, CKPT_SHMEM_MEMFD },
	[REF_SHMEM] = { CKPT_REC_SHMEM },
	[REF_SEGMENT] = { CKPT_REC_SHMEM, CKPT_SHMEM_SYSV },
	[REF_SYSV] = { CKPT_REC_SYSV_SHM },
	[REF_SYSV_MSG] = { CKPT_REC_SYSV_MSG },
	[REF_MQUEUE] = { CKPT_REC_MQUEUE },
	[REF_PIPE] = { CKPT_REC_PIPE },
	[REF_PTY] = { CKPT_REC_PTY },
	[REF_FILE] = { CKPT_REC_FILE },
	[REF_SIGNALFD] = { CKPT_REC_FILE_SIGNALFD },
	[REF_EPOLL] = { CKPT_REC_FILE_EPOLL },
	[REF_INOTIFY] = { CKPT_REC_FILE_INOTIFY },
	[REF_FILE_SYSV] = { CKPT_REC_FILE_SYSV },
	[REF_UNIX] = { CKPT_REC_UNIX, .un = {
		.sock.type = SOCK_STREAM, .name_len = 2 } },
	[REF_UNIX_PEER] = { CKPT_REC_UNIX, .un.sock.type = SOCK_STREAM },
	[REF_UNIX_EMBRYO] = { CKPT_REC_UNIX, .un = {
		.sock.type = SOCK_STREAM, .flags = CKPT_UNIX_EMBRYO } },
	[REF_UNIX_DEAD] = { CKPT_REC_UNIX, .un = {
		.sock.type = SOCK_STREAM, .flags = CKPT_UNIX_DEAD } },
	[REF_UNIX_DGRAM] = { CKPT_REC_UNIX, .un.sock.type = SOCK_DGRAM },
	[REF_SOCKET] = { CKPT_REC_FILE_SOCKET },
	[REF_INET] = { CKPT_REC_INET, .inet = {
		.family = AF_INET, .sock.type = SOCK_STREAM,
		.state = CKPT_INET_CONNECTED } },
	[REF_INET_PEER] = { CKPT_REC_INET, .inet = {
		.family = AF_INET, .sock.type = SOCK_STREAM,
		.state = CKPT_INET_CONNECTED } },
	[REF_INET_EMBRYO] = { CKPT_REC_INET, .inet = {
		.family = AF_INET, .sock.type = SOCK_STREAM,
		.flags = CKPT_INET_EMBRYO, .state = CKPT_INET_CONNECTED } },
	[REF_INET_LISTENER] = { CKPT_REC_INET, .inet = {
		.family = AF_INET, .sock.type = SOCK_STREAM,
		.state = CKPT_INET_LISTENING } },
	[REF_UDP] = { CKPT_REC_INET, .inet = {
		.family = AF_INET, .sock.type = SOCK_DGRAM,
		.state = CKPT_INET_CONNECTED } },
	[REF_NETLINK] = { CKPT_REC_NETLINK },
	[REF_TASK] = { CKPT_REC_TASK },
	[REF_MM] = { CKPT_REC_MM },
};

/* The one descriptor in REF_FILES, of REF_FILE. */
#define THE_FD		3

/* Numbers that the end of the metadata and of the image must have. */
#define NR_RECORDS	40
#define NR_PAGES	7

static struct ckpt_rec *rec_alloc(struct kunit *test, u32 type, u32 objref,
				  u32 len)
{
	const struct ckpt_kind *kind = ckpt_kind_of_type(type);
	struct ckpt_rec *rec;

	KUNIT_ASSERT_NOT_NULL_MSG(test, kind, "type 0x%x", type);
	/* As much as the reader allocates: KASAN sees who looks behind it. */
	rec = kvzalloc(struct_size(rec, payload, max(len, kind->len)),
		       GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, rec);
	rec->kind = kind;
	rec->type = type;
	rec->version = kind->version;
	rec->objref = objref;
	rec->len = len;
	return rec;
}

static void define_object(struct kunit *test, struct ckpt_ctx *ctx, u32 ref)
{
	u32 type = objects[ref].type;
	u32 len = ckpt_kind_of_type(type)->len;
	struct ckpt_files *files;
	struct ckpt_rec *rec;

	if (type == CKPT_REC_FILES)
		len += sizeof(struct ckpt_fd);
	rec = rec_alloc(test, type, ref, len);
	if (type == CKPT_REC_FILES) {
		files = ckpt_payload(rec, struct ckpt_files);
		files->nr_fds = 1;
		files->fds[0].fd = THE_FD;
		files->fds[0].file = REF_FILE;
	}
	if (type == CKPT_REC_SHMEM)
		ckpt_payload(rec, struct ckpt_shmem)->flags =
			objects[ref].shmem_flags;
	if (type == CKPT_REC_UNIX)
		*ckpt_payload(rec, struct ckpt_unix) = objects[ref].un;
	if (type == CKPT_REC_INET)
		*ckpt_payload(rec, struct ckpt_inet) = objects[ref].inet;
	list_add_tail(&rec->node, &ctx->recs);
	KUNIT_ASSERT_EQ(test, 0, ckpt_obj_define(ctx, rec));
}

static int kinds_init(struct kunit *test)
{
	struct ckpt_ctx *ctx = test_ctx_alloc(test);
	u32 ref;

	test->priv = ctx;
	for (ref = REF_CRED; ref < REF_NEW; ref++)
		define_object(test, ctx, ref);
	/* The reader counts them. */
	ctx->nr_tasks = 1;
	return 0;
}

static void kinds_exit(struct kunit *test)
{
	struct ckpt_ctx *ctx = test->priv;
	struct ckpt_rec *rec, *next;

	if (!ctx)
		return;
	/* These are not the context's, see rec_alloc(). */
	list_for_each_entry_safe(rec, next, &ctx->recs, node)
		kvfree(rec);
	ckpt_ctx_free(ctx);
}

/* The object that a record of this kind defines or belongs to. */
static u32 objref_of(const struct ckpt_kind *kind)
{
	u32 ref;

	if (kind->object)
		return REF_NEW;
	if (kind->family == CKPT_FAMILY_FRAME)
		return REF_NONE;
	/* Other things wait in TCP sockets, which come first. */
	if (kind->type == CKPT_REC_INET_MSG)
		return REF_UDP;
	for (ref = REF_CRED; ref < REF_NEW; ref++)
		if (objects[ref].type == kind->owner)
			return ref;
	return kind->family == CKPT_FAMILY_VMA ? REF_MM : REF_TASK;
}

/* --- changes -------------------------------------------------------------- */

enum change_how {
	CHANGE_VALUE,
	CHANGE_FROM_END,	/* value counts from the end of user memory */
	CHANGE_FILL,		/* each byte */
	CHANGE_OR,		/* these bits are set */
	CHANGE_AND		/* all others are cleared */
};

struct change {
	u32 offset;
	u32 size;
	u64 value;
	enum change_how how;
};

#define MEMBER(s, member)						\
	.offset = offsetof(struct s, member),				\
	.size = sizeof_field(struct s, member)

/* A member of a payload struct gets a value, ... */
#define SET(s, member, v)						\
	{ MEMBER(s, member), .value = (u64)(v) }
/* ... an address as far behind the end of user memory, ... */
#define SET_END(s, member, v)						\
	{ MEMBER(s, member), .value = (u64)(v), .how = CHANGE_FROM_END }
/* ... more bits, less bits, ... */
#define ADD(s, member, v)						\
	{ MEMBER(s, member), .value = (v), .how = CHANGE_OR }
#define DROP(s, member, v)						\
	{ MEMBER(s, member), .value = ~(u64)(v), .how = CHANGE_AND }
/* ... or is filled with a byte; likewise bytes of a flexible array. */
#define FILL(s, member, byte)						\
	{ MEMBER(s, member), .value = (byte), .how = CHANGE_FILL }
#define FILL_TAIL(s, member, n, byte)					\
	{ .offset = offsetof(struct s, member), .size = (n),		\
	  .value = (byte), .how = CHANGE_FILL }

/**
 * struct change_case - a change of a good payload
 * @what: its text
 * @error: what the check says of it
 * @len: the payload is so long, 0: as it was
 * @changes: what changes, in this order
 */
struct change_case {
	const char *what;
	int error;
	u32 len;
	struct change changes[5];
};

#define BAD(...)							\
	{ .what = #__VA_ARGS__, .error = -EINVAL, .changes = { __VA_ARGS__ } }
#define OK(...)								\
	{ .what = #__VA_ARGS__, .changes = { __VA_ARGS__ } }
/* The same with another length of the payload. */
#define BAD_LEN(n, ...)							\
	{ .what = #n " bytes, " #__VA_ARGS__, .error = -EINVAL, .len = n, \
	  .changes = { __VA_ARGS__ } }
#define OK_LEN(n, ...)							\
	{ .what = #n " bytes, " #__VA_ARGS__, .len = n,			\
	  .changes = { __VA_ARGS__ } }

/* Bytes of a payload with so many elements. */
#define LEN(s, array, n)	offsetof(struct s, array[n])

/* Canonical, but the kernel's. */
#define KERNEL_ADDR	0xffff888000000000ULL

/* --- the frame ------------------------------------------------------------ */

/* Its task_size comes later, it may not be a constant. */
static const struct ckpt_header good_header = {
	.image_version = CKPT_IMAGE_VERSION,
	.machine = EM_X86_64,
	.page_size = PAGE_SIZE,
	.crid = 1,
	.xfeatures = 7,
	.xstate_size = 832,
	.nsig = 64,
	.realtime_ns = 1700000000ULL * NSEC_PER_SEC,
	.monotonic_ns = 17,
	.boottime_ns = 18,
	.release = "6.12.0",
	.version = "#1 SMP",
};

static const struct change_case header_cases[] = {
	BAD(SET(ckpt_header, image_version, 0)),
	BAD(SET(ckpt_header, image_version, CKPT_IMAGE_VERSION + 1)),
	BAD(SET(ckpt_header, machine, EM_386)),
	BAD(SET(ckpt_header, machine, EM_AARCH64)),
	BAD(SET(ckpt_header, page_size, 0)),
	BAD(SET(ckpt_header, page_size, 2 * PAGE_SIZE)),
	BAD(SET(ckpt_header, incompat, 1)),
	BAD(SET(ckpt_header, incompat, BIT_ULL(63))),
	BAD(SET(ckpt_header, nsig, 63)),
	BAD(SET(ckpt_header, nsig, 65)),
	BAD(SET(ckpt_header, task_size, 0)),
	BAD(SET_END(ckpt_header, task_size, -PAGE_SIZE)),
	BAD(SET_END(ckpt_header, task_size, PAGE_SIZE)),
	BAD(FILL(ckpt_header, release, 'x')),
	BAD(FILL(ckpt_header, version, 'x')),
	BAD(SET(ckpt_header, pad[0], 1)),
	BAD(SET(ckpt_header, pad[5], 0x80)),
	OK(FILL(ckpt_header, release, 'x'), SET(ckpt_header, release[64], 0)),
	OK(FILL(ckpt_header, version, 0)),
	/* What readers that do not know it can do without. */
	OK(SET(ckpt_header, compat, U64_MAX)),
	/* Judged where the xstate is. */
	OK(SET(ckpt_header, xfeatures, BIT_ULL(18))),
};

static const struct ckpt_meta_end good_meta_end = {
	.nr_records = NR_RECORDS,
	.nr_objects = REF_NEW - 1,
	.nr_tasks = 1,
};

static const struct change_case meta_end_cases[] = {
	BAD(SET(ckpt_meta_end, nr_records, NR_RECORDS - 1)),
	BAD(SET(ckpt_meta_end, nr_records, NR_RECORDS + 1)),
	BAD(SET(ckpt_meta_end, nr_records, BIT_ULL(32) + NR_RECORDS)),
	BAD(SET(ckpt_meta_end, nr_objects, REF_NEW - 2)),
	BAD(SET(ckpt_meta_end, nr_objects, REF_NEW)),
	BAD(SET(ckpt_meta_end, nr_tasks, 0)),
	BAD(SET(ckpt_meta_end, nr_tasks, 2)),
};

static const struct ckpt_pages good_pages = {
	.nr_pages = 3,
	.nr_extents = 2,
	.extents = {
		{ .start = 0x10000, .nr_pages = 2 },
		{ .start = 0x20000, .nr_pages = 1, .flags = CKPT_EXTENT_HUGE },
	},
};

static const struct change_case pages_cases[] = {
	BAD(SET(ckpt_pages, nr_pages, 0)),
	BAD(SET(ckpt_pages, nr_pages, 2)),
	BAD(SET(ckpt_pages, nr_pages, 4)),
	BAD(SET(ckpt_pages, nr_extents, 0)),
	BAD(SET(ckpt_pages, nr_extents, 1)),
	BAD(SET(ckpt_pages, nr_extents, 3)),
	BAD(SET(ckpt_pages, nr_extents, U32_MAX)),
	/* So many that their bytes are those of two, in 32 bits. */
	BAD(SET(ckpt_pages, nr_extents, 0x10000002)),
	BAD(SET(ckpt_pages, extents[0].nr_pages, 0)),
	BAD(SET(ckpt_pages, extents[1].nr_pages, 0),
	    SET(ckpt_pages, nr_pages, 2)),
	BAD(SET(ckpt_pages, extents[0].nr_pages, U32_MAX),
	    SET(ckpt_pages, nr_pages, 0)),
	BAD(SET(ckpt_pages, extents[0].nr_pages, CKPT_MAX_BATCH),
	    SET(ckpt_pages, nr_pages, CKPT_MAX_BATCH + 1)),
	BAD(SET(ckpt_pages, extents[0].start, 0x10001)),
	BAD(SET(ckpt_pages, extents[1].start, 0x20800)),
	BAD(SET(ckpt_pages, extents[1].start, BIT_ULL(63))),
	BAD(SET(ckpt_pages, extents[1].start, PAGE_MASK)),
	BAD(SET(ckpt_pages, extents[0].flags, 2)),
	BAD(SET(ckpt_pages, extents[1].flags, CKPT_EXTENT_HUGE | BIT(31))),
	BAD_LEN(LEN(ckpt_pages, extents, 0), {}),
	BAD_LEN(LEN(ckpt_pages, extents, 1), {}),
	BAD_LEN(LEN(ckpt_pages, extents, 2) - 1, {}),
	BAD_LEN(LEN(ckpt_pages, extents, 2) + 8, {}),
	BAD_LEN(LEN(ckpt_pages, extents, 0), SET(ckpt_pages, nr_extents, 0),
		SET(ckpt_pages, nr_pages, 0)),
	OK(SET(ckpt_pages, extents[0].nr_pages, CKPT_MAX_BATCH - 1),
	   SET(ckpt_pages, nr_pages, CKPT_MAX_BATCH)),
	OK(SET(ckpt_pages, extents[0].start, 0)),
	OK_LEN(LEN(ckpt_pages, extents, 1), SET(ckpt_pages, nr_extents, 1),
	       SET(ckpt_pages, nr_pages, 2)),
};

static const struct ckpt_end good_end = {
	.nr_records = NR_RECORDS,
	.nr_pages = NR_PAGES,
};

static const struct change_case end_cases[] = {
	BAD(SET(ckpt_end, nr_records, 0)),
	BAD(SET(ckpt_end, nr_records, NR_RECORDS - 1)),
	BAD(SET(ckpt_end, nr_records, NR_RECORDS + 1)),
	BAD(SET(ckpt_end, nr_pages, NR_PAGES - 1)),
	BAD(SET(ckpt_end, nr_pages, NR_PAGES + 1)),
	BAD(SET(ckpt_end, nr_pages, BIT_ULL(32) + NR_PAGES)),
};

/* Where this stands an image ends badly, whatever it says. */
static const struct ckpt_error good_error = {
	.error = 28,
	.reason = "no room\n\001",
};

static const struct change_case error_cases[] = {
	BAD(SET(ckpt_error, error, 0)),
	BAD(SET(ckpt_error, error, INT_MIN)),
	BAD_LEN(sizeof(struct ckpt_error), {}),
	BAD_LEN(LEN(ckpt_error, reason, CKPT_MAX_REASON),
		FILL_TAIL(ckpt_error, reason, CKPT_MAX_REASON, '%')),
};

/* --- tasks ---------------------------------------------------------------- */

static const struct ckpt_task good_task = {
	.pid = 17,
	.tgid = 17,
	.ppid = 1,
	.pgid = 16,
	.sid = 15,
	.exit_signal = SIGCHLD,
	.flags = CKPT_TASK_FOREGROUND | CKPT_TASK_TERMINAL,
	.cred = REF_CRED,
	.mm = REF_MM,
	.files = REF_FILES,
	.fs = REF_FS,
	.sighand = REF_SIGHAND,
	.comm = "bc",
};

/* Neither mm nor files, fs, sighand: of a process that has exited. */
#define NO_REFS		FILL_TAIL(ckpt_task, mm, 16, 0)
#define EXITED		SET(ckpt_task, flags, CKPT_TASK_ZOMBIE)
#define LEFT		SET(ckpt_task, flags, CKPT_TASK_EXITED)

static const struct change_case task_cases[] = {
	BAD(SET(ckpt_task, pid, 0), SET(ckpt_task, tgid, 0)),
	BAD(SET(ckpt_task, pid, -1), SET(ckpt_task, tgid, -1)),
	/* Another thread than the first one has no exit signal. */
	BAD(SET(ckpt_task, tgid, 16)),
	BAD(SET(ckpt_task, tgid, -1), SET(ckpt_task, exit_signal, -1)),
	BAD(SET(ckpt_task, ppid, -1)),
	BAD(SET(ckpt_task, pgid, -1)),
	BAD(SET(ckpt_task, sid, INT_MIN)),
	BAD(SET(ckpt_task, parent, -1)),
	BAD(SET(ckpt_task, exit_signal, -2)),
	BAD(SET(ckpt_task, exit_signal, -1)),
	BAD(SET(ckpt_task, exit_signal, 65)),
	BAD(SET(ckpt_task, tgid, 16), SET(ckpt_task, exit_signal, 0)),
	/* What the process has is with its first thread. */
	BAD(SET(ckpt_task, tgid, 16), SET(ckpt_task, exit_signal, -1)),
	BAD(SET(ckpt_task, flags, BIT(11))),
	BAD(SET(ckpt_task, flags, BIT(31))),
	BAD(SET(ckpt_task, flags, CKPT_TASK_STOPPING)),
	BAD(SET(ckpt_task, flags, CKPT_TASK_STOPPED)),
	BAD(SET(ckpt_task, stop_signal, SIGSTOP)),
	BAD(SET(ckpt_task, flags, CKPT_TASK_STOPPED),
	    SET(ckpt_task, stop_signal, SIGKILL)),
	BAD(SET(ckpt_task, flags, CKPT_TASK_STOPPED),
	    SET(ckpt_task, stop_signal, SIGCONT)),
	BAD(SET(ckpt_task, flags, CKPT_TASK_STOPPED),
	    SET(ckpt_task, stop_signal, SIGRTMIN)),
	BAD(SET(ckpt_task, flags, CKPT_TASK_STOPPED),
	    SET(ckpt_task, stop_signal, 64 + SIGSTOP)),
	BAD(SET(ckpt_task, flags, CKPT_TASK_STOPPED),
	    SET(ckpt_task, stop_signal, U32_MAX)),
	BAD(SET(ckpt_task, flags, CKPT_TASK_STOPPED | CKPT_TASK_CONTINUED),
	    SET(ckpt_task, stop_signal, SIGSTOP)),
	BAD(SET(ckpt_task, flags, CKPT_TASK_STOPPED),
	    SET(ckpt_task, stop_signal, SIGSTOP),
	    SET(ckpt_task, wait_status, 65)),
	BAD(SET(ckpt_task, flags, CKPT_TASK_STOPPED),
	    SET(ckpt_task, stop_signal, SIGSTOP),
	    SET(ckpt_task, wait_status, -1)),
	/* What has neither stopped nor exited. */
	BAD(SET(ckpt_task, wait_status, SIGSTOP)),
	BAD(SET(ckpt_task, flags, CKPT_TASK_CONTINUED),
	    SET(ckpt_task, wait_status, SIGCONT)),
	/* Who has exited has let go of everything, and cannot be stopped. */
	BAD(EXITED),
	BAD(NO_REFS),
	BAD(EXITED, NO_REFS, SET(ckpt_task, mm, REF_MM)),
	BAD(EXITED, NO_REFS, SET(ckpt_task, files, REF_FILES)),
	BAD(EXITED, NO_REFS, SET(ckpt_task, fs, REF_FS)),
	BAD(EXITED, NO_REFS, SET(ckpt_task, sighand, REF_SIGHAND)),
	BAD(EXITED, NO_REFS, SET(ckpt_task, cred, REF_NONE)),
	BAD(EXITED, NO_REFS, ADD(ckpt_task, flags, CKPT_TASK_STOPPED),
	    SET(ckpt_task, stop_signal, SIGSTOP)),
	BAD(EXITED, NO_REFS, SET(ckpt_task, wait_status, -1)),
	BAD(EXITED, NO_REFS, SET(ckpt_task, wait_status, 0x10000)),
	BAD(EXITED, NO_REFS, SET(ckpt_task, wait_status, 0x7f)),
	BAD(EXITED, NO_REFS, SET(ckpt_task, wait_status, 65)),
	BAD(EXITED, NO_REFS, SET(ckpt_task, wait_status, 0x0141)),
	BAD(SET(ckpt_task, flags, CKPT_TASK_FOREGROUND)),
	BAD(SET(ckpt_task, exit_code, 1)),
	/* A first thread has, but others have not. */
	BAD(LEFT),
	BAD(LEFT, NO_REFS),
	BAD(LEFT, NO_REFS, SET(ckpt_task, sighand, REF_MM)),
	BAD(LEFT, NO_REFS, SET(ckpt_task, sighand, REF_SIGHAND),
	    SET(ckpt_task, mm, REF_MM)),
	BAD(LEFT, NO_REFS, SET(ckpt_task, sighand, REF_SIGHAND),
	    SET(ckpt_task, files, REF_FILES)),
	BAD(LEFT, NO_REFS, SET(ckpt_task, sighand, REF_SIGHAND),
	    SET(ckpt_task, exit_code, 0x10000)),
	BAD(LEFT, NO_REFS, SET(ckpt_task, sighand, REF_SIGHAND),
	    SET(ckpt_task, wait_status, 1)),
	BAD(LEFT, NO_REFS, SET(ckpt_task, sighand, REF_SIGHAND),
	    ADD(ckpt_task, flags, CKPT_TASK_ZOMBIE)),
	BAD(LEFT, NO_REFS, SET(ckpt_task, sighand, REF_SIGHAND),
	    SET(ckpt_task, tgid, 16), SET(ckpt_task, exit_signal, -1)),
	BAD(FILL(ckpt_task, comm, 'x')),
	/* Out of sight in the saver's pid namespace. */
	OK(SET(ckpt_task, ppid, 0), SET(ckpt_task, pgid, 0),
	   SET(ckpt_task, sid, 0)),
	OK(SET(ckpt_task, pid, INT_MAX), SET(ckpt_task, tgid, INT_MAX)),
	OK(SET(ckpt_task, exit_signal, 0)),
	OK(SET(ckpt_task, exit_signal, 64)),
	OK(SET(ckpt_task, flags, 0)),
	/* A thread, a child. */
	OK(SET(ckpt_task, tgid, 16), SET(ckpt_task, exit_signal, -1),
	   SET(ckpt_task, flags, 0)),
	OK(SET(ckpt_task, flags, CKPT_TASK_TELL_STOPPED |
				 CKPT_TASK_TELL_CONTINUED)),
	OK(SET(ckpt_task, ppid, 2), SET(ckpt_task, parent, 2)),
	/* How these fit those of others is seen when all are there. */
	OK(SET(ckpt_task, flags, CKPT_TASK_OWN_GROUP)),
	OK(SET(ckpt_task, flags, CKPT_TASK_OWN_GROUP | CKPT_TASK_OWN_SESSION)),
	OK(SET(ckpt_task, flags, CKPT_TASK_CONTINUED)),
	OK(SET(ckpt_task, flags, CKPT_TASK_STOPPED | CKPT_TASK_STOPPING),
	   SET(ckpt_task, stop_signal, SIGSTOP)),
	OK(SET(ckpt_task, flags, CKPT_TASK_STOPPED),
	   SET(ckpt_task, stop_signal, SIGSTOP),
	   SET(ckpt_task, wait_status, SIGSTOP)),
	OK(EXITED, NO_REFS),
	OK(LEFT, NO_REFS, SET(ckpt_task, sighand, REF_SIGHAND)),
	OK(LEFT, NO_REFS, SET(ckpt_task, sighand, REF_SIGHAND),
	   SET(ckpt_task, exit_code, 0xff00)),
	OK(EXITED, NO_REFS, SET(ckpt_task, wait_status, 0xff00)),
	OK(EXITED, NO_REFS, SET(ckpt_task, wait_status, 0x80 | SIGSEGV)),
	OK(EXITED, NO_REFS, SET(ckpt_task, wait_status, 64)),
	OK(SET(ckpt_task, flags, CKPT_TASK_STOPPED),
	   SET(ckpt_task, stop_signal, SIGSTOP)),
	OK(SET(ckpt_task, flags, CKPT_TASK_STOPPED | CKPT_TASK_TERMINAL),
	   SET(ckpt_task, stop_signal, SIGTSTP)),
	OK(SET(ckpt_task, flags, CKPT_TASK_STOPPED | CKPT_TASK_TERMINAL),
	   SET(ckpt_task, stop_signal, SIGTTIN)),
	OK(SET(ckpt_task, flags, CKPT_TASK_STOPPED | CKPT_TASK_TERMINAL),
	   SET(ckpt_task, stop_signal, SIGTTOU)),
	OK(FILL(ckpt_task, comm, 'x'), SET(ckpt_task, comm[15], 0)),
	OK(FILL(ckpt_task, comm, 0)),
};

static const struct ckpt_task_attr good_task_attr = {
	.personality = ADDR_NO_RANDOMIZE,
	.flags = CKPT_ATTR_NO_NEW_PRIVS,
	.timer_slack_ns = 50000,
	.default_timer_slack_ns = 50000,
	.oom_score_adj = 100,
	.oom_score_adj_min = -5,
	.ioprio = 0x4004,
};

static const struct change_case task_attr_cases[] = {
	/* personality(0xffffffff) asks for the current one. */
	BAD(SET(ckpt_task_attr, personality, U32_MAX)),
	BAD(SET(ckpt_task_attr, flags, BIT(2))),
	BAD(SET(ckpt_task_attr, flags, BIT(31))),
	BAD(SET(ckpt_task_attr, oom_score_adj, -1001)),
	BAD(SET(ckpt_task_attr, oom_score_adj, 1001)),
	BAD(SET(ckpt_task_attr, oom_score_adj_min, -1001)),
	BAD(SET(ckpt_task_attr, oom_score_adj_min, 1001)),
	BAD(SET(ckpt_task_attr, ioprio, BIT(16))),
	BAD(SET(ckpt_task_attr, ioprio, BIT(31) | 0x4004)),
	BAD(SET(ckpt_task_attr, pad, 1)),
	OK(SET(ckpt_task_attr, personality, 0)),
	OK(SET(ckpt_task_attr, flags,
	       CKPT_ATTR_NO_NEW_PRIVS | CKPT_ATTR_FORKNOEXEC)),
	OK(SET(ckpt_task_attr, timer_slack_ns, 0)),
	OK(SET(ckpt_task_attr, timer_slack_ns, U64_MAX)),
	OK(SET(ckpt_task_attr, oom_score_adj, -1000),
	   SET(ckpt_task_attr, oom_score_adj_min, -1000)),
	OK(SET(ckpt_task_attr, oom_score_adj, 1000),
	   SET(ckpt_task_attr, oom_score_adj_min, 1000)),
	/* An administrator can go below what the program can. */
	OK(SET(ckpt_task_attr, oom_score_adj, -6)),
	OK(SET(ckpt_task_attr, ioprio, 0)),
};

static const struct ckpt_rlimits good_rlimits = {
	.limits = {
		[0 ... 6] = { .cur = U64_MAX, .max = U64_MAX },
		[RLIMIT_NOFILE] = { .cur = 1024, .max = 4096 },
		[8 ... 15] = { .cur = U64_MAX, .max = U64_MAX },
	},
};

static const struct change_case rlimits_cases[] = {
	BAD(SET(ckpt_rlimits, limits[0].max, U64_MAX - 1)),
	BAD(SET(ckpt_rlimits, limits[15].max, 0)),
	BAD(SET(ckpt_rlimits, limits[RLIMIT_NOFILE].cur, 4097)),
	BAD(SET(ckpt_rlimits, limits[RLIMIT_NOFILE].cur, U64_MAX)),
	OK(SET(ckpt_rlimits, limits[RLIMIT_NOFILE].cur, 4096)),
	OK(SET(ckpt_rlimits, limits[RLIMIT_CPU].cur, 0),
	   SET(ckpt_rlimits, limits[RLIMIT_CPU].max, 0)),
};

static const struct ckpt_sched good_sched = {
	.policy = SCHED_NORMAL,
	.nice = 5,
	.flags = CKPT_SCHED_AFFINITY,
	.cpus = { 3 },
};

static const struct change_case sched_cases[] = {
	BAD(SET(ckpt_sched, policy, 4)),
	BAD(SET(ckpt_sched, policy, SCHED_DEADLINE)),
	BAD(SET(ckpt_sched, policy, 7)),
	BAD(SET(ckpt_sched, policy, SCHED_RESET_ON_FORK)),
	BAD(SET(ckpt_sched, nice, -21)),
	BAD(SET(ckpt_sched, nice, 20)),
	BAD(SET(ckpt_sched, rt_priority, 1)),
	BAD(SET(ckpt_sched, policy, SCHED_IDLE),
	    SET(ckpt_sched, rt_priority, 1)),
	BAD(SET(ckpt_sched, policy, SCHED_FIFO)),
	BAD(SET(ckpt_sched, policy, SCHED_FIFO),
	    SET(ckpt_sched, rt_priority, 100)),
	BAD(SET(ckpt_sched, policy, SCHED_RR),
	    SET(ckpt_sched, rt_priority, U32_MAX)),
	BAD(SET(ckpt_sched, flags, BIT(2) | CKPT_SCHED_AFFINITY)),
	/* CPUs that were not set, none that were. */
	BAD(SET(ckpt_sched, flags, 0)),
	BAD_LEN(LEN(ckpt_sched, cpus, 0), {}),
	BAD_LEN(LEN(ckpt_sched, cpus, 0) + 4, {}),
	BAD_LEN(LEN(ckpt_sched, cpus, 1) + 1, {}),
	BAD(SET(ckpt_sched, slice_ns, 1)),
	BAD(SET(ckpt_sched, slice_ns, 100 * NSEC_PER_USEC - 1)),
	BAD(SET(ckpt_sched, slice_ns, 100 * NSEC_PER_MSEC + 1)),
	BAD(SET(ckpt_sched, slice_ns, U64_MAX)),
	OK(SET(ckpt_sched, nice, -20)),
	OK(SET(ckpt_sched, nice, 19)),
	OK(SET(ckpt_sched, policy, SCHED_BATCH)),
	OK(SET(ckpt_sched, policy, SCHED_IDLE)),
	OK(SET(ckpt_sched, policy, SCHED_FIFO),
	   SET(ckpt_sched, rt_priority, 1)),
	OK(SET(ckpt_sched, policy, SCHED_RR),
	   SET(ckpt_sched, rt_priority, 99)),
	OK(SET(ckpt_sched, slice_ns, 100 * NSEC_PER_USEC)),
	OK(SET(ckpt_sched, slice_ns, 100 * NSEC_PER_MSEC)),
	OK(SET(ckpt_sched, flags,
	       CKPT_SCHED_RESET_ON_FORK | CKPT_SCHED_AFFINITY)),
	OK_LEN(LEN(ckpt_sched, cpus, 0), SET(ckpt_sched, flags, 0)),
	OK_LEN(LEN(ckpt_sched, cpus, 128), {}),
};

static const struct ckpt_prctl good_prctl = {
	.pdeath_signal = SIGTERM,
	.spec_store_bypass = PR_SPEC_PRCTL | PR_SPEC_ENABLE,
	.spec_indirect_branch = PR_SPEC_NOT_AFFECTED,
	.spec_l1d_flush = PR_SPEC_FORCE_DISABLE,
};

static const struct change_case prctl_cases[] = {
	BAD(SET(ckpt_prctl, flags, BIT(5))),
	BAD(SET(ckpt_prctl, flags, BIT(31))),
	BAD(SET(ckpt_prctl, pdeath_signal, 65)),
	BAD(SET(ckpt_prctl, pdeath_signal, U32_MAX)),
	BAD(SET(ckpt_prctl, spec_store_bypass,
		PR_SPEC_PRCTL | PR_SPEC_ENABLE | PR_SPEC_DISABLE)),
	BAD(SET(ckpt_prctl, spec_indirect_branch, BIT(5))),
	BAD(SET(ckpt_prctl, spec_indirect_branch, U32_MAX)),
	BAD(SET(ckpt_prctl, spec_l1d_flush,
		PR_SPEC_FORCE_DISABLE | PR_SPEC_ENABLE)),
	BAD(SET(ckpt_prctl, pad, 1)),
	OK(SET(ckpt_prctl, flags, BIT(5) - 1)),
	OK(SET(ckpt_prctl, pdeath_signal, 0)),
	OK(SET(ckpt_prctl, pdeath_signal, 64)),
	OK(SET(ckpt_prctl, spec_store_bypass,
	       PR_SPEC_PRCTL | PR_SPEC_DISABLE_NOEXEC)),
	OK(SET(ckpt_prctl, spec_indirect_branch,
	       PR_SPEC_PRCTL | PR_SPEC_FORCE_DISABLE)),
	OK(SET(ckpt_prctl, spec_l1d_flush, PR_SPEC_PRCTL | PR_SPEC_DISABLE)),
};

#define TEN_YEARS	(10ULL * 365 * 24 * 3600 * NSEC_PER_SEC)

static const struct ckpt_cputime good_cputime = {
	.thread = { .utime_ns = 5000000, .stime_ns = 70000, .gtime_ns = 1,
		    .runtime_ns = 5080000, .nvcsw = 3, .nivcsw = 4,
		    .min_flt = 100, .maj_flt = 2, .inblock = 8, .oublock = 16,
		    .shown_utime_ns = 5000001, .shown_stime_ns = 69999 },
	.dead_threads = { .runtime_ns = 5, .maxrss_pages = 300 },
	.children = { .utime_ns = 6, .maxrss_pages = 200 },
};

static const struct change_case cputime_cases[] = {
	BAD(SET(ckpt_cputime, thread.utime_ns, U64_MAX)),
	BAD(SET(ckpt_cputime, thread.stime_ns, U64_MAX)),
	BAD(SET(ckpt_cputime, thread.gtime_ns, U64_MAX)),
	BAD(SET(ckpt_cputime, thread.runtime_ns, U64_MAX)),
	BAD(SET(ckpt_cputime, thread.nvcsw, U64_MAX)),
	BAD(SET(ckpt_cputime, thread.nivcsw, U64_MAX)),
	BAD(SET(ckpt_cputime, thread.min_flt, U64_MAX)),
	BAD(SET(ckpt_cputime, thread.maj_flt, U64_MAX)),
	BAD(SET(ckpt_cputime, thread.inblock, U64_MAX)),
	BAD(SET(ckpt_cputime, thread.oublock, U64_MAX)),
	BAD(SET(ckpt_cputime, thread.maxrss_pages, 1)),
	BAD(SET(ckpt_cputime, dead_threads.utime_ns, BIT_ULL(63))),
	BAD(SET(ckpt_cputime, dead_threads.maxrss_pages, U64_MAX)),
	/* More than there are bytes. */
	BAD(SET(ckpt_cputime, dead_threads.maxrss_pages, BIT_ULL(52))),
	BAD(SET(ckpt_cputime, children.stime_ns, BIT_ULL(63))),
	BAD(SET(ckpt_cputime, children.runtime_ns, 1)),
	BAD(SET(ckpt_cputime, children.maxrss_pages, BIT_ULL(52))),
	BAD(SET(ckpt_cputime, thread.shown_utime_ns, U64_MAX)),
	BAD(SET(ckpt_cputime, thread.shown_stime_ns, BIT_ULL(63))),
	BAD(SET(ckpt_cputime, dead_threads.shown_stime_ns, U64_MAX)),
	BAD(SET(ckpt_cputime, children.shown_utime_ns, 1)),
	BAD(SET(ckpt_cputime, children.shown_stime_ns, 1)),
	OK(SET(ckpt_cputime, thread.utime_ns, TEN_YEARS),
	   SET(ckpt_cputime, thread.stime_ns, TEN_YEARS)),
	OK(SET(ckpt_cputime, dead_threads.maxrss_pages, BIT_ULL(40))),
	OK(FILL(ckpt_cputime, thread, 0), FILL(ckpt_cputime, dead_threads, 0),
	   FILL(ckpt_cputime, children, 0)),
};

#define CAPS_ALL	(BIT_ULL(CAP_LAST_CAP + 1) - 1)

static const struct ckpt_cred good_cred = {
	.uid = 1000, .gid = 1000, .suid = 1000, .sgid = 1000,
	.euid = 0, .egid = 1000, .fsuid = 0, .fsgid = 1000,
	.cap_inheritable = BIT_ULL(CAP_CHOWN) | BIT_ULL(CAP_KILL),
	.cap_permitted = BIT_ULL(CAP_CHOWN) | BIT_ULL(CAP_SYS_ADMIN),
	.cap_effective = BIT_ULL(CAP_SYS_ADMIN),
	.cap_bset = CAPS_ALL,
	.cap_ambient = BIT_ULL(CAP_CHOWN),
	.label = "unconfined",
	.groups = { 4, 27, 1000 },
};

static const struct change_case cred_cases[] = {
	BAD(SET(ckpt_cred, cap_inheritable, BIT_ULL(CAP_LAST_CAP + 1)),
	    SET(ckpt_cred, cap_ambient, 0)),
	BAD(SET(ckpt_cred, cap_permitted, U64_MAX)),
	BAD(SET(ckpt_cred, cap_bset, CAPS_ALL | BIT_ULL(63))),
	/* Effective ones are permitted, ambient ones inheritable, too. */
	BAD(SET(ckpt_cred, cap_effective, BIT_ULL(CAP_KILL))),
	BAD(SET(ckpt_cred, cap_ambient, BIT_ULL(CAP_KILL))),
	BAD(SET(ckpt_cred, cap_ambient, BIT_ULL(CAP_SYS_ADMIN))),
	BAD(SET(ckpt_cred, securebits, 0x100)),
	BAD(SET(ckpt_cred, securebits, BIT(31))),
	BAD(SET(ckpt_cred, reqkey_keyring, 6)),
	BAD(SET(ckpt_cred, reqkey_keyring, KEY_REQKEY_DEFL_NO_CHANGE)),
	BAD(FILL(ckpt_cred, label, 'x')),
	BAD_LEN(LEN(ckpt_cred, groups, 3) - 1, {}),
	BAD_LEN(LEN(ckpt_cred, groups, 0) + 2, {}),
	OK(SET(ckpt_cred, cap_effective, 0)),
	OK(SET(ckpt_cred, cap_inheritable, CAPS_ALL),
	   SET(ckpt_cred, cap_permitted, CAPS_ALL),
	   SET(ckpt_cred, cap_effective, CAPS_ALL),
	   SET(ckpt_cred, cap_ambient, CAPS_ALL)),
	/* The bounding set bounds what execve() gives. */
	OK(SET(ckpt_cred, cap_bset, 0)),
	OK(SET(ckpt_cred, securebits, 0xff)),
	OK(SET(ckpt_cred, reqkey_keyring,
	       KEY_REQKEY_DEFL_USER_SESSION_KEYRING)),
	OK(FILL(ckpt_cred, label, 'x'), SET(ckpt_cred, label[255], 0)),
	OK(FILL(ckpt_cred, label, 0)),
	OK_LEN(LEN(ckpt_cred, groups, 0), {}),
	/* setgroups(2) allows the same one twice. */
	OK(SET(ckpt_cred, groups[0], 27)),
};

/* --- signals and timers --------------------------------------------------- */

#define SIGBIT(sig)	BIT_ULL((sig) - 1)
#define ALL_BUT(a, b)	(~(SIGBIT(a) | SIGBIT(b)))
#define ALL_SA_FLAGS	((u32)(SA_NOCLDSTOP | SA_NOCLDWAIT | SA_SIGINFO | \
			       SA_ONSTACK | SA_RESTART | SA_NODEFER |	\
			       SA_RESETHAND | SA_EXPOSE_TAGBITS | SA_RESTORER))

static const struct ckpt_sighand good_sighand = {
	.actions = {
		[SIGHUP - 1] = { .handler = 1 },
		[SIGTERM - 1] = { .handler = 0x401000, .restorer = 0x402000,
				  .flags = SA_RESTART | SA_RESTORER,
				  .mask = SIGBIT(SIGHUP) },
	},
};

static const struct change_case sighand_cases[] = {
	BAD(SET(ckpt_sighand, actions[0].flags, SA_UNSUPPORTED)),
	BAD(SET(ckpt_sighand, actions[63].flags, BIT_ULL(32))),
	BAD(SET(ckpt_sighand, actions[SIGTERM - 1].flags, BIT_ULL(63))),
	BAD(SET(ckpt_sighand, actions[SIGTERM - 1].mask, SIGBIT(SIGKILL))),
	BAD(SET(ckpt_sighand, actions[63].mask, SIGBIT(SIGSTOP))),
	BAD(SET(ckpt_sighand, actions[SIGKILL - 1].handler, 1)),
	BAD(SET(ckpt_sighand, actions[SIGKILL - 1].flags, SA_RESTART)),
	BAD(SET(ckpt_sighand, actions[SIGSTOP - 1].restorer, 0x402000)),
	BAD(SET(ckpt_sighand, actions[SIGSTOP - 1].mask, SIGBIT(SIGHUP))),
	OK(SET(ckpt_sighand, actions[63].flags, ALL_SA_FLAGS)),
	OK(SET(ckpt_sighand, actions[63].mask, ALL_BUT(SIGKILL, SIGSTOP))),
	/* sigaction(2) does not look at it. */
	OK(SET(ckpt_sighand, actions[63].handler, U64_MAX)),
};

static const struct ckpt_signal good_signal = {
	.blocked = SIGBIT(SIGTERM),
	.saved_mask = SIGBIT(SIGHUP),
	.altstack_sp = 0x7ffff000,
	.altstack_size = 8192,
	.altstack_flags = (u32)SS_AUTODISARM,
	.flags = CKPT_SIGNAL_RESTORE_MASK,
};

static const struct change_case signal_cases[] = {
	BAD(SET(ckpt_signal, blocked, SIGBIT(SIGKILL))),
	BAD(SET(ckpt_signal, blocked, U64_MAX)),
	BAD(SET(ckpt_signal, saved_mask, SIGBIT(SIGSTOP))),
	BAD(SET(ckpt_signal, flags, 0)),
	BAD(SET(ckpt_signal, flags, BIT(1) | CKPT_SIGNAL_RESTORE_MASK)),
	BAD(SET(ckpt_signal, altstack_flags, SS_ONSTACK | SS_DISABLE)),
	BAD(SET(ckpt_signal, altstack_flags, 4)),
	BAD(SET(ckpt_signal, altstack_flags, BIT(30))),
	BAD(SET(ckpt_signal, altstack_flags, SS_DISABLE)),
	BAD(SET(ckpt_signal, altstack_flags, SS_DISABLE),
	    SET(ckpt_signal, altstack_sp, 0)),
	BAD(SET(ckpt_signal, altstack_size, MINSIGSTKSZ - 1)),
	BAD(SET(ckpt_signal, altstack_size, 0)),
	OK(SET(ckpt_signal, blocked, ALL_BUT(SIGKILL, SIGSTOP)),
	   SET(ckpt_signal, saved_mask, ALL_BUT(SIGKILL, SIGSTOP))),
	OK(SET(ckpt_signal, flags, 0), SET(ckpt_signal, saved_mask, 0)),
	OK(SET(ckpt_signal, saved_mask, 0)),
	OK(SET(ckpt_signal, altstack_size, MINSIGSTKSZ)),
	OK(SET(ckpt_signal, altstack_flags, SS_ONSTACK)),
	OK(SET(ckpt_signal, altstack_flags, SS_DISABLE),
	   SET(ckpt_signal, altstack_sp, 0),
	   SET(ckpt_signal, altstack_size, 0)),
	/* After execve(). */
	OK(SET(ckpt_signal, altstack_flags, 0),
	   SET(ckpt_signal, altstack_sp, 0),
	   SET(ckpt_signal, altstack_size, 0)),
};

static const struct ckpt_sigpending good_sigpending = {
	.set = SIGBIT(SIGUSR1) | SIGBIT(SIGRTMIN),
	.shared = 1,
	.nr_infos = 2,
	.infos = {
		{ .signo = SIGUSR1, .code = SI_USER, .fields = { 1, 2, 3, 4 } },
		{ .signo = SIGRTMIN, .code = SI_TIMER,
		  .flags = CKPT_SIGINFO_TIMER },
	},
};

static const struct change_case sigpending_cases[] = {
	BAD(SET(ckpt_sigpending, set, SIGBIT(SIGKILL))),
	BAD(SET(ckpt_sigpending, shared, 2)),
	BAD(SET(ckpt_sigpending, shared, U32_MAX)),
	BAD(SET(ckpt_sigpending, nr_infos, 0)),
	BAD(SET(ckpt_sigpending, nr_infos, 1)),
	BAD(SET(ckpt_sigpending, nr_infos, 3)),
	BAD(SET(ckpt_sigpending, nr_infos, U32_MAX)),
	/* So many that their bytes are those of two, in 32 bits. */
	BAD(SET(ckpt_sigpending, nr_infos, BIT(25) + 2)),
	BAD(SET(ckpt_sigpending, infos[0].signo, 0)),
	BAD(SET(ckpt_sigpending, infos[0].signo, -1)),
	BAD(SET(ckpt_sigpending, infos[1].signo, 65)),
	BAD(SET(ckpt_sigpending, infos[1].signo, SIGKILL)),
	BAD(SET(ckpt_sigpending, infos[0].flags, BIT(1))),
	/* A timer's signal says that it is one. */
	BAD(SET(ckpt_sigpending, infos[0].flags, CKPT_SIGINFO_TIMER)),
	/* The kernel's siginfo ends at 48 bytes. */
	BAD(SET(ckpt_sigpending, infos[0].fields[32], 1)),
	BAD(SET(ckpt_sigpending, infos[1].fields[111], 1)),
	BAD_LEN(LEN(ckpt_sigpending, infos, 0), {}),
	BAD_LEN(LEN(ckpt_sigpending, infos, 1), {}),
	BAD_LEN(LEN(ckpt_sigpending, infos, 2) - 1, {}),
	BAD_LEN(LEN(ckpt_sigpending, infos, 2) + 8, {}),
	OK(SET(ckpt_sigpending, shared, 0)),
	OK(SET(ckpt_sigpending, set, ~SIGBIT(SIGKILL))),
	OK(SET(ckpt_sigpending, infos[0].signo, 64)),
	OK(SET(ckpt_sigpending, infos[0].code, SI_TIMER)),
	OK(SET(ckpt_sigpending, infos[0].fields[31], 1)),
	OK_LEN(LEN(ckpt_sigpending, infos, 0),
	       SET(ckpt_sigpending, nr_infos, 0)),
	OK_LEN(LEN(ckpt_sigpending, infos, 1),
	       SET(ckpt_sigpending, nr_infos, 1)),
};

static const struct ckpt_itimers good_itimers = {
	.real_remaining = 1500,
	.real_interval = NSEC_PER_SEC,
	.virt_remaining = 7,
	.virt_interval = 8,
	.prof_remaining = 9,
	.flags = CKPT_ITIMER_REAL_ACTIVE | CKPT_ITIMER_SIGPROF,
	.next_posix_timer = 4,
};

static const struct change_case itimers_cases[] = {
	BAD(SET(ckpt_itimers, flags, BIT(4))),
	BAD(SET(ckpt_itimers, flags, BIT(31) | CKPT_ITIMER_REAL_ACTIVE)),
	BAD(SET(ckpt_itimers, real_remaining, S64_MIN)),
	BAD(SET(ckpt_itimers, real_interval, BIT_ULL(63))),
	BAD(SET(ckpt_itimers, virt_remaining, BIT_ULL(63))),
	BAD(SET(ckpt_itimers, virt_interval, U64_MAX)),
	BAD(SET(ckpt_itimers, prof_remaining, U64_MAX)),
	BAD(SET(ckpt_itimers, prof_interval, BIT_ULL(63))),
	BAD(SET(ckpt_itimers, next_posix_timer, BIT(31))),
	OK(SET(ckpt_itimers, flags,
	       CKPT_ITIMER_REAL_ACTIVE | CKPT_ITIMER_SIGNALS)),
	OK(SET(ckpt_itimers, real_remaining, KTIME_MAX)),
	OK(SET(ckpt_itimers, real_remaining, -1),
	   SET(ckpt_itimers, flags, CKPT_ITIMER_SIGALRM)),
	OK(SET(ckpt_itimers, real_interval, KTIME_MAX),
	   SET(ckpt_itimers, virt_interval, KTIME_MAX),
	   SET(ckpt_itimers, prof_remaining, KTIME_MAX)),
	OK(SET(ckpt_itimers, next_posix_timer, INT_MAX)),
	OK(SET(ckpt_itimers, next_posix_timer, 0)),
};

/* As glibc makes them of a pid; the last bits are the kind of clock. */
#define CPU_CLOCK(pid, which)	(~(pid) * 8 | (which))

static const struct ckpt_posix_timer good_posix_timer = {
	.id = 3,
	.clock = CLOCK_MONOTONIC,
	.notify = SIGEV_SIGNAL,
	.signo = SIGALRM,
	.value = U64_MAX,
	.remaining_ns = 5,
	.interval_ns = NSEC_PER_SEC,
	.overrun = -1,
	.overrun_last = 2,
	.flags = CKPT_PTIMER_ACTIVE,
};

static const struct change_case posix_timer_cases[] = {
	BAD(SET(ckpt_posix_timer, id, -1)),
	BAD(SET(ckpt_posix_timer, id, INT_MIN)),
	/* Clocks without timers: raw, coarse, and none at all. */
	BAD(SET(ckpt_posix_timer, clock, CLOCK_MONOTONIC_RAW)),
	BAD(SET(ckpt_posix_timer, clock, CLOCK_REALTIME_COARSE)),
	BAD(SET(ckpt_posix_timer, clock, CLOCK_MONOTONIC_COARSE)),
	BAD(SET(ckpt_posix_timer, clock, 10)),
	BAD(SET(ckpt_posix_timer, clock, 12)),
	BAD(SET(ckpt_posix_timer, clock, INT_MAX)),
	/* That of the process has pid 0, that of a thread its pid. */
	BAD(SET(ckpt_posix_timer, clock, CPU_CLOCK(1, 2))),
	OK(SET(ckpt_posix_timer, clock, CPU_CLOCK(0, 6))),
	/* A clock by a descriptor; no such clock. */
	BAD(SET(ckpt_posix_timer, clock, CPU_CLOCK(0, 3))),
	BAD(SET(ckpt_posix_timer, clock, CPU_CLOCK(0, 7))),
	BAD(SET(ckpt_posix_timer, notify, 3)),
	BAD(SET(ckpt_posix_timer, notify, SIGEV_THREAD_ID | SIGEV_NONE)),
	BAD(SET(ckpt_posix_timer, notify, 8)),
	BAD(SET(ckpt_posix_timer, notify, -1)),
	BAD(SET(ckpt_posix_timer, notify, SIGEV_NONE)),
	BAD(SET(ckpt_posix_timer, notify, SIGEV_NONE),
	    SET(ckpt_posix_timer, flags, CKPT_PTIMER_PENDING)),
	BAD(SET(ckpt_posix_timer, signo, 0)),
	BAD(SET(ckpt_posix_timer, signo, 65)),
	BAD(SET(ckpt_posix_timer, signo, -1)),
	BAD(SET(ckpt_posix_timer, notify, SIGEV_THREAD_ID),
	    SET(ckpt_posix_timer, thread, 17),
	    SET(ckpt_posix_timer, signo, 0)),
	BAD(SET(ckpt_posix_timer, flags, BIT(3))),
	BAD(SET(ckpt_posix_timer, flags, BIT(31) | CKPT_PTIMER_ACTIVE)),
	BAD(SET(ckpt_posix_timer, remaining_ns, BIT_ULL(63))),
	BAD(SET(ckpt_posix_timer, interval_ns, U64_MAX)),
	BAD(SET(ckpt_posix_timer, overrun, -2)),
	BAD(SET(ckpt_posix_timer, overrun, S64_MAX)),
	BAD(SET(ckpt_posix_timer, overrun_last, S64_MIN)),
	BAD(SET(ckpt_posix_timer, overrun_last, S64_MAX)),
	/* Only SIGEV_THREAD_ID has a thread, and must have one. */
	BAD(SET(ckpt_posix_timer, thread, 17)),
	BAD(SET(ckpt_posix_timer, notify, SIGEV_THREAD),
	    SET(ckpt_posix_timer, thread, 17)),
	BAD(SET(ckpt_posix_timer, notify, SIGEV_THREAD_ID)),
	BAD(SET(ckpt_posix_timer, notify, SIGEV_THREAD_ID),
	    SET(ckpt_posix_timer, thread, -1)),
	OK(SET(ckpt_posix_timer, id, 0)),
	OK(SET(ckpt_posix_timer, id, INT_MAX)),
	OK(SET(ckpt_posix_timer, clock, CLOCK_REALTIME)),
	OK(SET(ckpt_posix_timer, clock, CLOCK_BOOTTIME)),
	OK(SET(ckpt_posix_timer, clock, CLOCK_TAI)),
	OK(SET(ckpt_posix_timer, clock, CLOCK_REALTIME_ALARM)),
	OK(SET(ckpt_posix_timer, clock, CLOCK_BOOTTIME_ALARM)),
	/* Of the process: all time, user time, run time. */
	OK(SET(ckpt_posix_timer, clock, CPU_CLOCK(0, 0))),
	OK(SET(ckpt_posix_timer, clock, CPU_CLOCK(0, 1))),
	OK(SET(ckpt_posix_timer, clock, CPU_CLOCK(0, 2))),
	/* Of the thread. */
	OK(SET(ckpt_posix_timer, clock, CPU_CLOCK(17, 6))),
	OK(SET(ckpt_posix_timer, notify, SIGEV_THREAD)),
	OK(SET(ckpt_posix_timer, notify, SIGEV_THREAD_ID),
	   SET(ckpt_posix_timer, thread, 17),
	   SET(ckpt_posix_timer, signo, 64)),
	OK(SET(ckpt_posix_timer, notify, SIGEV_NONE),
	   SET(ckpt_posix_timer, flags, 0), SET(ckpt_posix_timer, signo, 0)),
	OK(SET(ckpt_posix_timer, flags,
	       CKPT_PTIMER_PENDING | CKPT_PTIMER_REQUEUE)),
	OK(SET(ckpt_posix_timer, remaining_ns, KTIME_MAX),
	   SET(ckpt_posix_timer, interval_ns, KTIME_MAX)),
	OK(SET(ckpt_posix_timer, overrun, INT_MAX),
	   SET(ckpt_posix_timer, overrun_last, INT_MAX)),
};

/* --- the ABI of a thread -------------------------------------------------- */

static const struct ckpt_rseq good_rseq = {
	.rseq = 0x7ff00020,
	.len = 32,
	.sig = 0x53053053,
	.feature_size = 28,
};

static const struct change_case rseq_cases[] = {
	BAD(SET(ckpt_rseq, pad, 1)),
	BAD(SET(ckpt_rseq, rseq, 0)),
	BAD(FILL(ckpt_rseq, rseq, 0), FILL(ckpt_rseq, len, 0),
	    FILL(ckpt_rseq, feature_size, 0)),
	BAD(FILL(ckpt_rseq, rseq, 0), FILL(ckpt_rseq, sig, 0),
	    FILL(ckpt_rseq, feature_size, 0)),
	BAD(FILL(ckpt_rseq, rseq, 0), FILL(ckpt_rseq, sig, 0),
	    FILL(ckpt_rseq, len, 0)),
	BAD(SET(ckpt_rseq, rseq, 0x7ff00010)),
	BAD(SET(ckpt_rseq, len, 31)),
	BAD(SET(ckpt_rseq, len, 0)),
	OK(FILL(ckpt_rseq, rseq, 0), FILL(ckpt_rseq, sig, 0),
	   FILL(ckpt_rseq, len, 0), FILL(ckpt_rseq, feature_size, 0)),
	OK(SET(ckpt_rseq, sig, 0)),
	OK(SET(ckpt_rseq, len, 64)),
};

static const struct ckpt_restart_block good_restart_block = {
	.which = CKPT_RESTART_NANOSLEEP,
	.flags = CKPT_RESTART_TIMEOUT | CKPT_RESTART_REMAINING,
	.time_ns = NSEC_PER_SEC,
	.addr = 0x7ff00000,
	.clockid = CLOCK_MONOTONIC,
};

/* Make something else of it. */
#define AS_NONE		{ .size = sizeof(struct ckpt_restart_block),	\
			  .how = CHANGE_FILL }
#define AS_POLL		SET(ckpt_restart_block, which, CKPT_RESTART_POLL)
#define AS_FUTEX	SET(ckpt_restart_block, which, CKPT_RESTART_FUTEX)
#define NO_CLOCK	SET(ckpt_restart_block, clockid, 0)
#define BLOCK_FLAGS(v)	SET(ckpt_restart_block, flags, v)

static const struct change_case restart_block_cases[] = {
	BAD(SET(ckpt_restart_block, which, 4)),
	BAD(SET(ckpt_restart_block, which, U32_MAX)),
	BAD(SET(ckpt_restart_block, time_ns, -1)),
	BAD(SET_END(ckpt_restart_block, addr, 0)),
	BAD(SET(ckpt_restart_block, addr, BIT_ULL(63))),
	/* nanosleep has a timeout, a known clock, and nothing of the others. */
	BAD(BLOCK_FLAGS(CKPT_RESTART_REMAINING)),
	BAD(BLOCK_FLAGS(CKPT_RESTART_TIMEOUT)),
	BAD(BLOCK_FLAGS(CKPT_RESTART_TIMEOUT | CKPT_RESTART_REMAINING |
			CKPT_RESTART_REALTIME)),
	BAD(BLOCK_FLAGS(CKPT_RESTART_TIMEOUT | CKPT_RESTART_REMAINING |
			CKPT_RESTART_SHARED)),
	BAD(BLOCK_FLAGS(CKPT_RESTART_TIMEOUT | CKPT_RESTART_REMAINING |
			BIT(4))),
	BAD(SET(ckpt_restart_block, clockid, CLOCK_REALTIME)),
	BAD(SET(ckpt_restart_block, clockid, CLOCK_PROCESS_CPUTIME_ID)),
	BAD(SET(ckpt_restart_block, clockid, -1)),
	BAD(SET(ckpt_restart_block, nfds, 1)),
	BAD(SET(ckpt_restart_block, val, 1)),
	BAD(SET(ckpt_restart_block, bitset, 1)),
	OK(SET(ckpt_restart_block, clockid, CLOCK_BOOTTIME)),
	OK(SET(ckpt_restart_block, clockid, CLOCK_TAI)),
	OK(SET(ckpt_restart_block, time_ns, 0)),
	OK(SET(ckpt_restart_block, time_ns, KTIME_MAX)),
	OK(SET_END(ckpt_restart_block, addr, -1)),
	OK(BLOCK_FLAGS(CKPT_RESTART_TIMEOUT),
	   SET(ckpt_restart_block, addr, 0)),
	/* none */
	OK(AS_NONE),
	BAD(AS_NONE, BLOCK_FLAGS(CKPT_RESTART_TIMEOUT)),
	BAD(AS_NONE, SET(ckpt_restart_block, time_ns, 1)),
	BAD(AS_NONE, SET(ckpt_restart_block, addr, 1)),
	BAD(AS_NONE, SET(ckpt_restart_block, clockid, 1)),
	BAD(AS_NONE, SET(ckpt_restart_block, nfds, 1)),
	BAD(AS_NONE, SET(ckpt_restart_block, val, 1)),
	BAD(AS_NONE, SET(ckpt_restart_block, bitset, 1)),
	/* poll, with and without a timeout */
	OK(AS_NONE, AS_POLL, SET(ckpt_restart_block, nfds, 3)),
	OK(AS_POLL, NO_CLOCK, BLOCK_FLAGS(CKPT_RESTART_TIMEOUT)),
	BAD(AS_POLL, NO_CLOCK, BLOCK_FLAGS(0)),
	BAD(AS_POLL, BLOCK_FLAGS(CKPT_RESTART_TIMEOUT)),
	BAD(AS_POLL, NO_CLOCK,
	    BLOCK_FLAGS(CKPT_RESTART_TIMEOUT | CKPT_RESTART_REMAINING)),
	BAD(AS_NONE, AS_POLL, SET(ckpt_restart_block, nfds, -1)),
	BAD(AS_NONE, AS_POLL, SET(ckpt_restart_block, val, 1)),
	BAD(AS_NONE, AS_POLL, SET(ckpt_restart_block, bitset, 1)),
	/* futex, which is restarted only with a timeout */
	OK(AS_FUTEX, NO_CLOCK, BLOCK_FLAGS(CKPT_RESTART_TIMEOUT),
	   SET(ckpt_restart_block, bitset, U32_MAX)),
	BAD(AS_FUTEX, NO_CLOCK, BLOCK_FLAGS(CKPT_RESTART_TIMEOUT)),
	OK(AS_FUTEX, NO_CLOCK, SET(ckpt_restart_block, val, U32_MAX),
	   SET(ckpt_restart_block, bitset, 1),
	   BLOCK_FLAGS(CKPT_RESTART_TIMEOUT | CKPT_RESTART_REALTIME |
		       CKPT_RESTART_SHARED)),
	BAD(AS_NONE, AS_FUTEX),
	BAD(AS_FUTEX, BLOCK_FLAGS(CKPT_RESTART_TIMEOUT)),
	BAD(AS_FUTEX, NO_CLOCK,
	    BLOCK_FLAGS(CKPT_RESTART_TIMEOUT | CKPT_RESTART_REMAINING)),
	BAD(AS_FUTEX, NO_CLOCK, BLOCK_FLAGS(CKPT_RESTART_TIMEOUT),
	    SET(ckpt_restart_block, nfds, 1)),
};

/* --- x86-64 --------------------------------------------------------------- */

static const struct ckpt_x86_regs good_x86_regs = {
	.ax = -512,
	.orig_ax = 35,
	.ip = 0x401000,
	.cs = __USER_CS,
	.rflags = X86_EFLAGS_IF | X86_EFLAGS_FIXED | X86_EFLAGS_ZF,
	.sp = 0x7ffff000,
	.ss = __USER_DS,
	.fs_base = 0x7ff00740,
	.state = CKPT_X86_FSGSBASE,
};

static const struct change_case x86_regs_cases[] = {
	BAD(SET(ckpt_x86_regs, cs, __USER32_CS)),
	BAD(SET(ckpt_x86_regs, cs, __KERNEL_CS)),
	BAD(SET(ckpt_x86_regs, cs, 0)),
	BAD(SET(ckpt_x86_regs, cs, BIT(16) | __USER_CS)),
	BAD(SET(ckpt_x86_regs, orig_ax, __X32_SYSCALL_BIT + 35)),
	BAD(SET(ckpt_x86_regs, rflags, X86_EFLAGS_TF)),
	BAD(SET(ckpt_x86_regs, rflags, X86_EFLAGS_IOPL)),
	BAD(SET(ckpt_x86_regs, rflags, X86_EFLAGS_VM)),
	BAD(SET(ckpt_x86_regs, rflags, X86_EFLAGS_VIF)),
	BAD(SET(ckpt_x86_regs, rflags, BIT_ULL(32))),
	BAD(SET(ckpt_x86_regs, ss, 0)),
	BAD(SET(ckpt_x86_regs, ss, __KERNEL_DS)),
	BAD(SET(ckpt_x86_regs, ss, BIT(16) | __USER_DS)),
	BAD(SET(ckpt_x86_regs, ds, __KERNEL_DS)),
	BAD(SET(ckpt_x86_regs, es, 1)),
	BAD(SET(ckpt_x86_regs, fs, __KERNEL_CS)),
	BAD(SET(ckpt_x86_regs, gs, BIT_ULL(32) | 3)),
	BAD(SET_END(ckpt_x86_regs, fs_base, 0)),
	BAD(SET(ckpt_x86_regs, fs_base, KERNEL_ADDR)),
	BAD(SET(ckpt_x86_regs, gs_base, BIT_ULL(62))),
	BAD(SET(ckpt_x86_regs, gs_base, U64_MAX)),
	BAD(SET(ckpt_x86_regs, state, BIT(2))),
	BAD(SET(ckpt_x86_regs, state, BIT(31))),
	BAD(SET(ckpt_x86_regs, shstk_locked, BIT(2))),
	OK(SET(ckpt_x86_regs, orig_ax, -1)),
	OK(SET(ckpt_x86_regs, rflags,
	       X86_EFLAGS_IF | X86_EFLAGS_FIXED | X86_EFLAGS_CF |
	       X86_EFLAGS_PF | X86_EFLAGS_AF | X86_EFLAGS_ZF | X86_EFLAGS_SF |
	       X86_EFLAGS_DF | X86_EFLAGS_OF | X86_EFLAGS_NT | X86_EFLAGS_RF |
	       X86_EFLAGS_AC | X86_EFLAGS_ID)),
	OK(SET(ckpt_x86_regs, ds, __USER_DS), SET(ckpt_x86_regs, es, 7)),
	OK(SET(ckpt_x86_regs, fs, GDT_ENTRY_TLS_MIN * 8 + 3)),
	OK(SET_END(ckpt_x86_regs, gs_base, -1)),
	OK(SET(ckpt_x86_regs, state, CKPT_X86_FSGSBASE | CKPT_X86_VSYSCALL)),
	OK(SET(ckpt_x86_regs, shstk_locked,
	       ARCH_SHSTK_SHSTK | ARCH_SHSTK_WRSS)),
	/* ptrace sets them to anything, too. */
	OK(SET(ckpt_x86_regs, ip, BIT_ULL(63)),
	   SET(ckpt_x86_regs, sp, U64_MAX), SET(ckpt_x86_regs, cr2, U64_MAX)),
};

/* The form of an XSAVE area: FXSAVE, header at 512, YMM at 576. */
static const struct ckpt_x86_xstate good_x86_xstate = {
	.xfeatures = 7,
	.enabled = 7 | BIT(9),
	.flags = CKPT_X86_XSAVE | CKPT_X86_PKU,
	.pkru = 0x55555554,
	.offset = { [2] = 576 },
	.size = { [2] = 256 },
	.area = {
		[24] = 0x80, [25] = 0x1f,	/* MXCSR */
		[512] = 7,
		[576 ... 831] = 0xaa,
	},
};

#define XHDR(i)		SET(ckpt_x86_xstate, area[512 + (i)], 1)
#define XSAVE_LEN(n)	LEN(ckpt_x86_xstate, area, n)

static const struct change_case x86_xstate_cases[] = {
	BAD(SET(ckpt_x86_xstate, flags,
		BIT(2) | CKPT_X86_XSAVE | CKPT_X86_PKU)),
	BAD(SET(ckpt_x86_xstate, flags, CKPT_X86_XSAVE)),
	BAD(SET(ckpt_x86_xstate, flags, CKPT_X86_PKU)),
	/* In use but not there; PKRU is kept out of the area. */
	BAD(SET(ckpt_x86_xstate, enabled, 3)),
	BAD(SET(ckpt_x86_xstate, xfeatures, 7 | BIT(9)),
	    SET(ckpt_x86_xstate, area[513], 2),
	    SET(ckpt_x86_xstate, offset[9], 576),
	    SET(ckpt_x86_xstate, size[9], 8)),
	BAD(SET(ckpt_x86_xstate, enabled, BIT_ULL(32) | 7)),
	BAD(SET(ckpt_x86_xstate, enabled, 6),
	    SET(ckpt_x86_xstate, xfeatures, 6),
	    SET(ckpt_x86_xstate, area[512], 6)),
	BAD(SET(ckpt_x86_xstate, enabled, 5),
	    SET(ckpt_x86_xstate, xfeatures, 5),
	    SET(ckpt_x86_xstate, area[512], 5)),
	/* The area's own header. */
	BAD(SET(ckpt_x86_xstate, area[512], 3)),
	BAD(XHDR(7)),
	BAD(XHDR(8)),
	BAD(XHDR(15)),
	BAD(XHDR(16)),
	BAD(XHDR(63)),
	/* Reserved bits of MXCSR. */
	BAD(SET(ckpt_x86_xstate, area[26], 1)),
	BAD(SET(ckpt_x86_xstate, area[27], 0x80)),
	BAD(SET(ckpt_x86_xstate, offset[2], 512)),
	BAD(SET(ckpt_x86_xstate, offset[2], 577)),
	BAD(SET(ckpt_x86_xstate, offset[2], 832)),
	BAD(SET(ckpt_x86_xstate, offset[2], U32_MAX)),
	BAD(SET(ckpt_x86_xstate, size[2], 0)),
	BAD(SET(ckpt_x86_xstate, size[2], 257)),
	BAD(SET(ckpt_x86_xstate, size[2], U32_MAX)),
	/* A sum that is in the area, in 32 bits. */
	BAD(SET(ckpt_x86_xstate, size[2], U32_MAX - 576 + 2)),
	BAD(SET(ckpt_x86_xstate, offset[0], 576)),
	BAD(SET(ckpt_x86_xstate, size[1], 256)),
	BAD(SET(ckpt_x86_xstate, offset[31], 576)),
	BAD(SET(ckpt_x86_xstate, size[5], 1)),
	BAD_LEN(XSAVE_LEN(0), {}),
	BAD_LEN(XSAVE_LEN(575), {}),
	BAD_LEN(XSAVE_LEN(831), {}),
	OK(SET(ckpt_x86_xstate, pkru, U32_MAX)),
	OK(SET(ckpt_x86_xstate, flags, CKPT_X86_XSAVE),
	   SET(ckpt_x86_xstate, pkru, 0)),
	/* All in its initial state, in as short an area as there is. */
	OK_LEN(XSAVE_LEN(576), SET(ckpt_x86_xstate, xfeatures, 0),
	       SET(ckpt_x86_xstate, area[512], 0),
	       SET(ckpt_x86_xstate, offset[2], 0),
	       SET(ckpt_x86_xstate, size[2], 0)),
	OK_LEN(XSAVE_LEN(1088), SET(ckpt_x86_xstate, offset[2], 832)),
	OK(SET(ckpt_x86_xstate, area[25], 0xff)),
};

/* The bits of struct user_desc. */
#define DESC_32BIT	BIT(0)
#define DESC_CONTENTS(n) ((n) << 1)
#define DESC_READONLY	BIT(3)
#define DESC_PAGES	BIT(4)
#define DESC_ABSENT	BIT(5)
#define DESC_USEABLE	BIT(6)
#define DESC_EMPTY	(DESC_READONLY | DESC_ABSENT)

static const struct ckpt_x86_tls good_x86_tls = {
	.desc = {
		{ .entry_number = 12, .base_addr = 0x1000, .limit = 0xfffff,
		  .flags = DESC_32BIT | DESC_PAGES | DESC_USEABLE },
		{ .entry_number = 13, .flags = DESC_EMPTY },
		{ .entry_number = 14 },
	},
};

static const struct change_case x86_tls_cases[] = {
	BAD(SET(ckpt_x86_tls, desc[0].entry_number, 11)),
	BAD(SET(ckpt_x86_tls, desc[0].entry_number, 13)),
	BAD(SET(ckpt_x86_tls, desc[2].entry_number, 0)),
	BAD(SET(ckpt_x86_tls, desc[2].entry_number, 15)),
	/* A 64-bit segment, and what set_thread_area(2) does not allow. */
	BAD(SET(ckpt_x86_tls, desc[0].flags, DESC_32BIT | BIT(7))),
	BAD(SET(ckpt_x86_tls, desc[2].flags, BIT(31))),
	BAD(SET(ckpt_x86_tls, desc[0].flags, DESC_PAGES)),
	BAD(SET(ckpt_x86_tls, desc[0].flags, DESC_32BIT | DESC_CONTENTS(2))),
	BAD(SET(ckpt_x86_tls, desc[0].flags, DESC_32BIT | DESC_CONTENTS(3))),
	BAD(SET(ckpt_x86_tls, desc[0].flags, DESC_32BIT | DESC_ABSENT)),
	BAD(SET(ckpt_x86_tls, desc[1].limit, 1)),
	BAD(SET(ckpt_x86_tls, desc[2].base_addr, 1)),
	OK(SET(ckpt_x86_tls, desc[2].base_addr, U32_MAX),
	   SET(ckpt_x86_tls, desc[2].flags,
	       DESC_32BIT | DESC_CONTENTS(1) | DESC_READONLY)),
};

static const struct ckpt_x86_ldt good_x86_ldt = {
	.nr_entries = 8,
	.desc = {
		{ .entry_number = 0, .base_addr = 0x1000, .limit = 0xfff,
		  .flags = DESC_32BIT },
		{ .entry_number = 7, .base_addr = 0x2000, .limit = 1,
		  .flags = DESC_CONTENTS(2) | DESC_USEABLE },
	},
};

static const struct change_case x86_ldt_cases[] = {
	BAD(SET(ckpt_x86_ldt, nr_entries, 0)),
	BAD(SET(ckpt_x86_ldt, nr_entries, 7)),
	BAD(SET(ckpt_x86_ldt, nr_entries, LDT_ENTRIES + 1)),
	BAD(SET(ckpt_x86_ldt, nr_entries, U32_MAX)),
	BAD(SET(ckpt_x86_ldt, pad, 1)),
	/* Rising numbers. */
	BAD(SET(ckpt_x86_ldt, desc[0].entry_number, 7)),
	BAD(SET(ckpt_x86_ldt, desc[1].entry_number, 0)),
	BAD(SET(ckpt_x86_ldt, desc[1].entry_number, 8)),
	BAD(SET(ckpt_x86_ldt, desc[1].entry_number, U32_MAX)),
	BAD(SET(ckpt_x86_ldt, desc[1].flags, BIT(7))),
	BAD(SET(ckpt_x86_ldt, desc[1].flags, BIT(31))),
	/* A conforming code segment that is there. */
	BAD(SET(ckpt_x86_ldt, desc[1].flags, DESC_32BIT | DESC_CONTENTS(3))),
	/* An empty one would be left out. */
	BAD(SET(ckpt_x86_ldt, desc[0].base_addr, 0),
	    SET(ckpt_x86_ldt, desc[0].limit, 0),
	    SET(ckpt_x86_ldt, desc[0].flags, DESC_EMPTY)),
	BAD_LEN(LEN(ckpt_x86_ldt, desc, 2) - 1, {}),
	BAD_LEN(LEN(ckpt_x86_ldt, desc, 1) + 8, {}),
	OK(SET(ckpt_x86_ldt, nr_entries, LDT_ENTRIES),
	   SET(ckpt_x86_ldt, desc[1].entry_number, LDT_ENTRIES - 1)),
	OK(SET(ckpt_x86_ldt, desc[0].entry_number, 6)),
	OK(SET(ckpt_x86_ldt, desc[1].flags, DESC_CONTENTS(3) | DESC_ABSENT)),
	OK_LEN(LEN(ckpt_x86_ldt, desc, 1), {}),
	OK_LEN(LEN(ckpt_x86_ldt, desc, 0), {}),
};

static const struct ckpt_vma_special good_vma_special = {
	.start = 0x7ff0000000,
	.end = 0x7ff0002000,
	.which = CKPT_SPECIAL_VDSO,
	.prot = PROT_READ | PROT_EXEC,
	.flags = CKPT_SPECIAL_CURRENT,
	.image_size = 0x2000,
	.image_crc32c = 0x12345678,
};

#define AS_VVAR		SET(ckpt_vma_special, which, CKPT_SPECIAL_VVAR)

static const struct change_case vma_special_cases[] = {
	BAD(SET(ckpt_vma_special, which, 0)),
	BAD(SET(ckpt_vma_special, which, 3)),
	BAD(SET(ckpt_vma_special, prot, PROT_READ | PROT_WRITE)),
	BAD(SET(ckpt_vma_special, prot, PROT_SEM)),
	BAD(SET(ckpt_vma_special, flags, BIT(1))),
	BAD(SET(ckpt_vma_special, flags, BIT(31) | CKPT_SPECIAL_CURRENT)),
	BAD(SET(ckpt_vma_special, pad, 1)),
	BAD(AS_VVAR),
	BAD(AS_VVAR, SET(ckpt_vma_special, flags, 0)),
	BAD(AS_VVAR, SET(ckpt_vma_special, prot, PROT_READ)),
	BAD(SET(ckpt_vma_special, start, 0x7ff0002000)),
	BAD(SET(ckpt_vma_special, start, 0x7ff0003000)),
	BAD(SET(ckpt_vma_special, start, 0x7ff0000001)),
	BAD(SET(ckpt_vma_special, end, 0x7ff0001fff)),
	BAD(SET_END(ckpt_vma_special, end, PAGE_SIZE)),
	BAD(SET(ckpt_vma_special, end, PAGE_MASK)),
	OK(AS_VVAR, SET(ckpt_vma_special, prot, PROT_READ),
	   SET(ckpt_vma_special, flags, 0)),
	OK(SET(ckpt_vma_special, prot, 0), SET(ckpt_vma_special, flags, 0)),
	OK(SET_END(ckpt_vma_special, end, 0)),
};

/* --- memory --------------------------------------------------------------- */

static const struct ckpt_mm good_mm = {
	.mmap_base = 0x7ffff7fff000,
	.mmap_legacy_base = 0x2aaaaaaab000,
	.flags = CKPT_MM_TOPDOWN,
};

static const struct change_case mm_cases[] = {
	BAD(SET(ckpt_mm, pkeys, 1)),
	BAD(SET(ckpt_mm, exec_pkey, 1)),
	BAD(SET(ckpt_mm, pkeys, 0xfffe), SET(ckpt_mm, exec_pkey, 16)),
	BAD(SET(ckpt_mm, pkeys, 4), SET(ckpt_mm, exec_pkey, 1)),
	OK(SET(ckpt_mm, pkeys, 0xfffe)),
	OK(SET(ckpt_mm, pkeys, 4), SET(ckpt_mm, exec_pkey, 2)),
	BAD(SET(ckpt_mm, flags, BIT(1))),
	BAD(SET(ckpt_mm, flags, BIT(31) | CKPT_MM_TOPDOWN)),
	BAD(SET(ckpt_mm, mmap_base, 0)),
	BAD(SET(ckpt_mm, mmap_base, 0x7ffff7fff001)),
	BAD(SET(ckpt_mm, mmap_base, DEFAULT_MAP_WINDOW + PAGE_SIZE)),
	BAD(SET(ckpt_mm, mmap_base, PAGE_MASK)),
	BAD(SET(ckpt_mm, mmap_legacy_base, 0)),
	BAD(SET(ckpt_mm, mmap_legacy_base, 0x2aaaaaaab800)),
	BAD(SET(ckpt_mm, mmap_legacy_base, BIT_ULL(63))),
	OK(SET(ckpt_mm, flags, 0)),
	OK(SET(ckpt_mm, mmap_base, DEFAULT_MAP_WINDOW),
	   SET(ckpt_mm, mmap_legacy_base, PAGE_SIZE)),
};

static const struct ckpt_mm_layout good_mm_layout = {
	.start_code = 0x400000,
	.end_code = 0x401234,
	.start_data = 0x402000,
	.end_data = 0x402100,
	.start_brk = 0x500000,
	.brk = 0x521000,
	.start_stack = 0x7ffff0001230,
	.arg_start = 0x7ffff0002000,
	.arg_end = 0x7ffff0002003,
	.env_start = 0x7ffff0002003,
	.env_end = 0x7ffff0002ff0,
	.exe = REF_FILE,
	.flags = CKPT_LAYOUT_THP_DISABLE,
	.dumpable = 1,
	.coredump_filter = 0x33,
	.membarrier = MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED,
	.auxv = { AT_PAGESZ, PAGE_SIZE, AT_SECURE, 0, AT_NULL, 0 },
};

#define LAYOUT_FLAGS(v)	SET(ckpt_mm_layout, flags, v)
#define AUXV_LEN(n)	LEN(ckpt_mm_layout, auxv, n)

static const struct change_case mm_layout_cases[] = {
	BAD(LAYOUT_FLAGS(BIT(6))),
	BAD(LAYOUT_FLAGS(BIT(31))),
	BAD(LAYOUT_FLAGS(CKPT_LAYOUT_MDWE_NO_INHERIT)),
	BAD(LAYOUT_FLAGS(CKPT_LAYOUT_LOCK_ONFAULT)),
	BAD(SET(ckpt_mm_layout, exe, REF_CRED)),
	BAD(SET(ckpt_mm_layout, exe, REF_SHMEM)),
	BAD(SET(ckpt_mm_layout, exe, REF_FILE_SYSV)),
	BAD(SET(ckpt_mm_layout, exe, REF_NEW)),
	BAD(SET(ckpt_mm_layout, dumpable, 3)),
	BAD(SET(ckpt_mm_layout, dumpable, U32_MAX)),
	BAD(SET(ckpt_mm_layout, coredump_filter, BIT(9))),
	BAD(SET(ckpt_mm_layout, coredump_filter, BIT(31))),
	/* A command that registers nothing, and one of the future. */
	BAD(SET(ckpt_mm_layout, membarrier, MEMBARRIER_CMD_GLOBAL)),
	BAD(SET(ckpt_mm_layout, membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED)),
	BAD(SET(ckpt_mm_layout, membarrier, BIT_ULL(40))),
	BAD(SET_END(ckpt_mm_layout, end_code, 0)),
	BAD(SET_END(ckpt_mm_layout, end_data, 0)),
	BAD(SET(ckpt_mm_layout, brk, BIT_ULL(63))),
	BAD(SET_END(ckpt_mm_layout, start_stack, 0)),
	BAD(SET(ckpt_mm_layout, start_stack, U64_MAX)),
	BAD(SET_END(ckpt_mm_layout, arg_end, 0)),
	BAD(SET_END(ckpt_mm_layout, env_end, 0)),
	BAD(SET(ckpt_mm_layout, start_code, 0x401234)),
	BAD(SET(ckpt_mm_layout, start_data, 0x402101)),
	BAD(SET(ckpt_mm_layout, start_brk, 0x521001)),
	BAD(SET(ckpt_mm_layout, arg_start, 0x7ffff0002004)),
	BAD(SET(ckpt_mm_layout, env_start, 0x7ffff0002ff1)),
	/* An auxiliary vector has its end, and only there. */
	BAD(SET(ckpt_mm_layout, auxv[0], AT_NULL)),
	BAD(SET(ckpt_mm_layout, auxv[4], AT_UID)),
	BAD_LEN(AUXV_LEN(0), {}),
	BAD_LEN(AUXV_LEN(1), {}),
	BAD_LEN(AUXV_LEN(2), {}),
	BAD_LEN(AUXV_LEN(5), {}),
	BAD_LEN(AUXV_LEN(6) - 4, {}),
	BAD_LEN(AUXV_LEN(8), {}),
	OK(LAYOUT_FLAGS(BIT(6) - 1)),
	OK(LAYOUT_FLAGS(0)),
	OK(SET(ckpt_mm_layout, exe, REF_NONE)),
	OK(SET(ckpt_mm_layout, dumpable, 0)),
	OK(SET(ckpt_mm_layout, dumpable, 2)),
	OK(SET(ckpt_mm_layout, coredump_filter, BIT(9) - 1)),
	OK(SET(ckpt_mm_layout, membarrier,
	       MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED |
	       MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED |
	       MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE |
	       MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ)),
	OK(SET(ckpt_mm_layout, end_data, 0x402000),
	   SET(ckpt_mm_layout, brk, 0x500000),
	   SET(ckpt_mm_layout, arg_end, 0x7ffff0002000),
	   SET(ckpt_mm_layout, env_end, 0x7ffff0002003)),
	OK(SET_END(ckpt_mm_layout, start_stack, -1),
	   SET_END(ckpt_mm_layout, env_end, -1)),
	OK_LEN(AUXV_LEN(2), SET(ckpt_mm_layout, auxv[0], AT_NULL)),
	OK(SET(ckpt_mm_layout, auxv[2], U64_MAX)),
};

#define VMA_RWX		(CKPT_VMA_READ | CKPT_VMA_WRITE | CKPT_VMA_EXEC)
#define VMA_MAY		(CKPT_VMA_MAYREAD | CKPT_VMA_MAYWRITE | \
			 CKPT_VMA_MAYEXEC)
#define VMA_RW		(CKPT_VMA_READ | CKPT_VMA_WRITE | VMA_MAY)
/* Flags that no kind has. */
#define VMA_NEW		BIT_ULL(22)

/* What all mapping records begin with; the good ones can be written to. */
static const struct change_case vma_cases[] = {
	BAD(SET(ckpt_vma, start, 0x10400000)),
	BAD(SET(ckpt_vma, start, 0x10401000)),
	BAD(SET(ckpt_vma, start, 0x10000001)),
	BAD(SET(ckpt_vma, end, 0x103fffff)),
	BAD(SET(ckpt_vma, end, 0)),
	BAD(SET_END(ckpt_vma, end, PAGE_SIZE)),
	BAD(SET_END(ckpt_vma, end, 1)),
	BAD(SET(ckpt_vma, end, PAGE_MASK)),
	BAD(SET(ckpt_vma, start, KERNEL_ADDR),
	    SET(ckpt_vma, end, KERNEL_ADDR + SZ_4M)),
	BAD(ADD(ckpt_vma, flags, VMA_NEW)),
	BAD(ADD(ckpt_vma, flags, BIT_ULL(63))),
	/* More than mprotect() may give. */
	BAD(DROP(ckpt_vma, flags, CKPT_VMA_MAYREAD)),
	BAD(DROP(ckpt_vma, flags, CKPT_VMA_MAYWRITE)),
	BAD(ADD(ckpt_vma, flags, CKPT_VMA_EXEC),
	    DROP(ckpt_vma, flags, CKPT_VMA_MAYEXEC)),
	BAD(ADD(ckpt_vma, flags, CKPT_VMA_LOCKONFAULT)),
	BAD(ADD(ckpt_vma, flags, CKPT_VMA_HUGEPAGE | CKPT_VMA_NOHUGEPAGE)),
	BAD(ADD(ckpt_vma, flags, CKPT_VMA_SEQUENTIAL | CKPT_VMA_RANDOM)),
	/* Only of what is not writable any more. */
	BAD(ADD(ckpt_vma, flags, CKPT_VMA_ACCOUNT)),
	OK(DROP(ckpt_vma, flags, VMA_RWX)),
	OK(DROP(ckpt_vma, flags, VMA_RWX | VMA_MAY)),
	OK(ADD(ckpt_vma, flags, CKPT_VMA_EXEC)),
	OK(ADD(ckpt_vma, flags, CKPT_VMA_NORESERVE)),
	OK(ADD(ckpt_vma, flags, CKPT_VMA_DONTFORK | CKPT_VMA_DONTDUMP)),
	OK(ADD(ckpt_vma, flags, CKPT_VMA_NOHUGEPAGE | CKPT_VMA_RANDOM)),
};

/* Those of ordinary pages. */
static const struct change_case vma_pages_cases[] = {
	OK(ADD(ckpt_vma, flags, CKPT_VMA_LOCKED)),
	OK(ADD(ckpt_vma, flags, CKPT_VMA_LOCKED | CKPT_VMA_LOCKONFAULT)),
	OK(ADD(ckpt_vma, flags, CKPT_VMA_HUGEPAGE | CKPT_VMA_SEQUENTIAL)),
	OK(SET_END(ckpt_vma, end, 0)),
	OK(SET(ckpt_vma, start, 0)),
};

/* Stands for a text in a flexible array. */
struct text {
	u8 at[CKPT_MAX_PATH + 1];
};

/* prctl(PR_SET_VMA): printable, 80 bytes with the NUL, none of \`$[] */
#define VMA_NAME	"a stack"
#define VMA_NAME_MAX	79

static const struct change_case vma_name_cases[] = {
	BAD(SET(text, at[0], '[')),
	BAD(SET(text, at[1], ']')),
	BAD(SET(text, at[2], '\\')),
	BAD(SET(text, at[3], '`')),
	BAD(SET(text, at[4], '$')),
	BAD(SET(text, at[5], 0x1f)),
	BAD(SET(text, at[6], 0x7f)),
	BAD(SET(text, at[0], 0x80)),
	BAD(SET(text, at[6], 0)),
	OK(SET(text, at[0], ' ')),
	OK(SET(text, at[6], '~')),
	OK_LEN(VMA_NAME_MAX, FILL_TAIL(text, at, VMA_NAME_MAX, '!')),
};

static const struct ckpt_vma_anon good_vma_anon = {
	.vma = { .start = 0x10000000, .end = 0x10400000,
		 .flags = VMA_RW },
	.name = VMA_NAME,
};

#define ANON_FLAGS(v)	SET(ckpt_vma_anon, vma.flags, v)
#define DROPPABLE	(CKPT_VMA_DROPPABLE | CKPT_VMA_NORESERVE | \
			 CKPT_VMA_WIPEONFORK | CKPT_VMA_DONTDUMP)

static const struct change_case vma_anon_cases[] = {
	BAD(ANON_FLAGS(VMA_RW | CKPT_VMA_SHARED)),
	BAD(ANON_FLAGS(VMA_RW | CKPT_VMA_DONTEXPAND)),
	OK_LEN(LEN(ckpt_vma_anon, name, 0), {}),
	/* MAP_DROPPABLE has consequences. */
	BAD(ANON_FLAGS(VMA_RW | CKPT_VMA_DROPPABLE)),
	BAD(ANON_FLAGS(VMA_RW | (DROPPABLE & ~CKPT_VMA_NORESERVE))),
	BAD(ANON_FLAGS(VMA_RW | (DROPPABLE & ~CKPT_VMA_WIPEONFORK))),
	BAD(ANON_FLAGS(VMA_RW | (DROPPABLE & ~CKPT_VMA_DONTDUMP))),
	BAD(ANON_FLAGS(VMA_RW | DROPPABLE | CKPT_VMA_LOCKED)),
	BAD(ANON_FLAGS(VMA_RW | DROPPABLE | CKPT_VMA_GROWSDOWN)),
	BAD(ANON_FLAGS(VMA_RW | DROPPABLE | CKPT_VMA_MERGEABLE)),
	OK(ANON_FLAGS(VMA_RW | DROPPABLE)),
	OK(ANON_FLAGS(VMA_RW | CKPT_VMA_GROWSDOWN)),
	OK(ANON_FLAGS(VMA_RW | CKPT_VMA_WIPEONFORK)),
	OK(ANON_FLAGS(VMA_RW | CKPT_VMA_MERGEABLE)),
	OK(ANON_FLAGS((VMA_RW & ~CKPT_VMA_WRITE) | CKPT_VMA_ACCOUNT)),
};

static const struct ckpt_vma_file good_vma_file = {
	.vma = { .start = 0x10000000, .end = 0x10400000,
		 .flags = VMA_RW },
	.offset = 0x3000,
	.file = REF_FILE,
};

#define FILE_FLAGS(v)	SET(ckpt_vma_file, vma.flags, v)

static const struct change_case vma_file_cases[] = {
	BAD(SET(ckpt_vma_file, pad, 1)),
	BAD(SET(ckpt_vma_file, offset, 0x3001)),
	BAD(SET(ckpt_vma_file, offset, BIT_ULL(63))),
	BAD(SET(ckpt_vma_file, offset, PAGE_MASK)),
	/* An end of more than a file can have. */
	BAD(SET(ckpt_vma_file, offset, S64_MAX & PAGE_MASK)),
	BAD(FILE_FLAGS(VMA_RW | CKPT_VMA_GROWSDOWN)),
	BAD(FILE_FLAGS(VMA_RW | CKPT_VMA_WIPEONFORK)),
	BAD(FILE_FLAGS(VMA_RW | CKPT_VMA_DROPPABLE)),
	BAD(FILE_FLAGS(VMA_RW | DROPPABLE)),
	BAD(FILE_FLAGS(VMA_RW | CKPT_VMA_DONTEXPAND)),
	BAD(FILE_FLAGS(VMA_RW | CKPT_VMA_SHARED | CKPT_VMA_MERGEABLE)),
	BAD(FILE_FLAGS((VMA_RW & ~CKPT_VMA_WRITE) | CKPT_VMA_SHARED |
		       CKPT_VMA_ACCOUNT)),
	OK(FILE_FLAGS(VMA_RW | CKPT_VMA_SHARED)),
	OK(FILE_FLAGS(VMA_RW | CKPT_VMA_MERGEABLE)),
	OK(FILE_FLAGS((VMA_RW & ~CKPT_VMA_WRITE) | CKPT_VMA_ACCOUNT)),
	OK(SET(ckpt_vma_file, offset, 0)),
	OK(SET(ckpt_vma_file, offset, (S64_MAX & PAGE_MASK) - 0x400000)),
};

#define VMA_SHARED	(VMA_RW | CKPT_VMA_SHARED)

static const struct ckpt_vma_shmem good_vma_shmem = {
	.vma = { .start = 0x10000000, .end = 0x10400000,
		 .flags = VMA_SHARED },
	.offset = 0x3000,
	.shmem = REF_SHMEM,
	.name = VMA_NAME,
};

#define SHMEM_FLAGS(v)	SET(ckpt_vma_shmem, vma.flags, v)

static const struct change_case vma_shmem_cases[] = {
	/* A memfd is mapped by an open file. */
	BAD(SET(ckpt_vma_shmem, shmem, REF_MEMFD)),
	BAD(SET(ckpt_vma_shmem, pad, 1)),
	BAD(SET(ckpt_vma_shmem, offset, 0x3800)),
	BAD(SET(ckpt_vma_shmem, offset, BIT_ULL(63))),
	BAD(SET(ckpt_vma_shmem, offset, S64_MAX & PAGE_MASK)),
	/* A private mapping would have contents of its own. */
	BAD(SHMEM_FLAGS(VMA_RW)),
	BAD(SHMEM_FLAGS(VMA_SHARED | CKPT_VMA_GROWSDOWN)),
	BAD(SHMEM_FLAGS(VMA_SHARED | CKPT_VMA_WIPEONFORK)),
	BAD(SHMEM_FLAGS(VMA_SHARED | CKPT_VMA_DROPPABLE)),
	BAD(SHMEM_FLAGS(VMA_SHARED | CKPT_VMA_MERGEABLE)),
	BAD(SHMEM_FLAGS(VMA_SHARED | CKPT_VMA_DONTEXPAND)),
	OK_LEN(LEN(ckpt_vma_shmem, name, 0), {}),
	OK(SET(ckpt_vma_shmem, offset, 0)),
};

static const struct ckpt_vma_hugetlb good_vma_hugetlb = {
	.vma = { .start = 0x10000000, .end = 0x10400000,
		 .flags = VMA_RW | CKPT_VMA_DONTEXPAND },
	.offset = SZ_2M,
	.huge_size = SZ_2M,
};

#define HUGETLB_FLAGS(v) SET(ckpt_vma_hugetlb, vma.flags, v)

static const struct change_case vma_hugetlb_cases[] = {
	BAD(SET(ckpt_vma_hugetlb, vma.start, 0x10001000)),
	BAD(SET(ckpt_vma_hugetlb, vma.end, 0x10500000)),
	BAD(SET(ckpt_vma_hugetlb, offset, SZ_1M)),
	BAD(SET(ckpt_vma_hugetlb, offset, BIT_ULL(63))),
	BAD(SET(ckpt_vma_hugetlb, huge_size, 0)),
	BAD(SET(ckpt_vma_hugetlb, huge_size, 1)),
	BAD(SET(ckpt_vma_hugetlb, huge_size, PAGE_SIZE)),
	BAD(SET(ckpt_vma_hugetlb, huge_size, 3 * SZ_1M)),
	BAD(SET(ckpt_vma_hugetlb, huge_size, SZ_1G)),
	BAD(SET(ckpt_vma_hugetlb, huge_size, BIT_ULL(63))),
	BAD(SET(ckpt_vma_hugetlb, vma.start, 0),
	    SET(ckpt_vma_hugetlb, vma.end, SZ_2G),
	    SET(ckpt_vma_hugetlb, offset, 0),
	    SET(ckpt_vma_hugetlb, huge_size, SZ_2G)),
	BAD(HUGETLB_FLAGS(VMA_SHARED)),
	BAD(HUGETLB_FLAGS(VMA_RW | CKPT_VMA_LOCKED)),
	BAD(HUGETLB_FLAGS(VMA_RW | CKPT_VMA_MERGEABLE)),
	BAD(HUGETLB_FLAGS(VMA_RW | CKPT_VMA_GROWSDOWN)),
	BAD(HUGETLB_FLAGS(VMA_RW | CKPT_VMA_WIPEONFORK)),
	BAD(HUGETLB_FLAGS(VMA_RW | CKPT_VMA_DROPPABLE)),
	BAD(HUGETLB_FLAGS((VMA_RW & ~CKPT_VMA_WRITE) | CKPT_VMA_ACCOUNT)),
	OK(SET(ckpt_vma_hugetlb, offset, 0)),
	OK(SET(ckpt_vma_hugetlb, vma.start, SZ_1G),
	   SET(ckpt_vma_hugetlb, vma.end, SZ_2G),
	   SET(ckpt_vma_hugetlb, offset, SZ_1G),
	   SET(ckpt_vma_hugetlb, huge_size, SZ_1G)),
};

#define SHMEM_NAME_MAX	249	/* memfd_create(2) */

static const struct ckpt_shmem good_shmem = {
	.size = 12345,
	.flags = CKPT_SHMEM_MEMFD | CKPT_SHMEM_NORESERVE,
	.seals = F_SEAL_SHRINK,
	.mode = 0777,
	.uid = 1000,
	.gid = 1000,
	.atime_sec = 1700000000,
	.mtime_sec = 1700000000,
	.atime_nsec = 1,
	.mtime_nsec = NSEC_PER_SEC - 1,
	.name = "a/name",
};

#define AS_ANON		SET(ckpt_shmem, flags, 0)
#define ANON_SIZE(n)	SET(ckpt_shmem, size, n)
#define ANON_SEALS(v)	SET(ckpt_shmem, seals, v)

#define SYSV_NAME(digit, n)						\
	SET(ckpt_shmem, flags, CKPT_SHMEM_SYSV),			\
	ANON_SEALS(F_SEAL_SEAL),					\
	{ .offset = offsetof(struct ckpt_shmem, name), .size = 4,	\
	  .value = 0x56535953 /* SYSV */ },				\
	{ .offset = offsetof(struct ckpt_shmem, name[4]), .size = (n),	\
	  .value = (digit), .how = CHANGE_FILL }

static const struct change_case shmem_cases[] = {
	BAD(SET(ckpt_shmem, flags, CKPT_SHMEM_MEMFD | CKPT_SHMEM_SYSV)),
	BAD(SET(ckpt_shmem, flags, CKPT_SHMEM_MEMFD | BIT(3))),
	BAD(SET(ckpt_shmem, flags, BIT(31))),
	BAD(SET(ckpt_shmem, uid, U32_MAX)),
	BAD(SET(ckpt_shmem, gid, U32_MAX)),
	BAD(SET(ckpt_shmem, seals, BIT(6))),
	BAD(SET(ckpt_shmem, seals, BIT(31))),
	BAD(SET(ckpt_shmem, mode, S_IFREG | 0777)),
	BAD(SET(ckpt_shmem, size, BIT_ULL(63))),
	BAD(SET(ckpt_shmem, size, U64_MAX)),
	BAD(SET(ckpt_shmem, atime_nsec, NSEC_PER_SEC)),
	BAD(SET(ckpt_shmem, mtime_nsec, U32_MAX)),
	BAD(SET(ckpt_shmem, pad, 1)),
	BAD(SET(ckpt_shmem, name[0], 0)),
	BAD(SET(ckpt_shmem, name[5], 0)),
	/* Anonymous memory: no name, no seals but the last, whole pages. */
	BAD(AS_ANON, ANON_SIZE(SZ_4K), ANON_SEALS(F_SEAL_SEAL)),
	BAD_LEN(LEN(ckpt_shmem, name, 0), AS_ANON, ANON_SIZE(SZ_4K)),
	BAD_LEN(LEN(ckpt_shmem, name, 0), AS_ANON, ANON_SIZE(SZ_4K),
		ANON_SEALS(0)),
	BAD_LEN(LEN(ckpt_shmem, name, 0), AS_ANON, ANON_SEALS(F_SEAL_SEAL)),
	OK_LEN(LEN(ckpt_shmem, name, 0), AS_ANON, ANON_SIZE(SZ_4K),
	       ANON_SEALS(F_SEAL_SEAL)),
	/* Of a System V segment: its name, and some bytes. */
	BAD(SET(ckpt_shmem, flags, CKPT_SHMEM_SYSV), ANON_SEALS(F_SEAL_SEAL)),
	BAD_LEN(LEN(ckpt_shmem, name, 12), SYSV_NAME('F', 8), ANON_SIZE(0)),
	BAD_LEN(LEN(ckpt_shmem, name, 12), SYSV_NAME('F', 8), ANON_SEALS(0)),
	BAD_LEN(LEN(ckpt_shmem, name, 12), SYSV_NAME('g', 8)),
	BAD_LEN(LEN(ckpt_shmem, name, 11), SYSV_NAME('f', 7)),
	BAD_LEN(LEN(ckpt_shmem, name, 13), SYSV_NAME('f', 9)),
	OK_LEN(LEN(ckpt_shmem, name, 12), SYSV_NAME('f', 8)),
	OK(ANON_SEALS(BIT(6) - 1)),
	OK(SET(ckpt_shmem, mode, 07777)),
	OK(ANON_SIZE(0)),
	OK(ANON_SIZE(S64_MAX)),
	OK(SET(ckpt_shmem, mtime_sec, -1)),
	OK_LEN(LEN(ckpt_shmem, name, 0), {}),
	OK_LEN(LEN(ckpt_shmem, name, SHMEM_NAME_MAX),
	       FILL_TAIL(ckpt_shmem, name, SHMEM_NAME_MAX, 0xff)),
};

static const struct ckpt_sysv_shm good_sysv_shm = {
	.id = 32769,
	.key = 0x5432,
	.mode = 0600,
	.uid = 1000,
	.gid = 1000,
	.cuid = 1000,
	.cgid = 1000,
	.cpid = 17,
	.lpid = 0,
	.shmem = REF_SEGMENT,
	.atime = 1700000000,
};

static const struct change_case sysv_shm_cases[] = {
	BAD(SET(ckpt_sysv_shm, id, -1)),
	BAD(SET(ckpt_sysv_shm, mode, 04600)),
	BAD(SET(ckpt_sysv_shm, mode, S_IFREG | 0600)),
	/* What was removed has no key any more. */
	BAD(SET(ckpt_sysv_shm, mode, 01600)),
	BAD(SET(ckpt_sysv_shm, uid, U32_MAX)),
	BAD(SET(ckpt_sysv_shm, gid, U32_MAX)),
	BAD(SET(ckpt_sysv_shm, cuid, U32_MAX)),
	BAD(SET(ckpt_sysv_shm, cgid, U32_MAX)),
	BAD(SET(ckpt_sysv_shm, cpid, -1)),
	BAD(SET(ckpt_sysv_shm, lpid, INT_MIN)),
	BAD(SET(ckpt_sysv_shm, shmem, REF_SHMEM)),
	BAD(SET(ckpt_sysv_shm, shmem, REF_MEMFD)),
	OK(SET(ckpt_sysv_shm, mode, 03777), SET(ckpt_sysv_shm, key, 0)),
	OK(SET(ckpt_sysv_shm, mode, 02000)),
	OK(SET(ckpt_sysv_shm, id, 0)),
	OK(SET(ckpt_sysv_shm, key, U32_MAX)),
	OK(SET(ckpt_sysv_shm, ctime, -1)),
};

static const struct ckpt_sem_undo good_sem_undo = {
	.semid = 5,
	.key = 0x5432,
	.nr_sems = 3,
	.adj = { { 0, 1 }, { 2, -1 } },
};

static const struct change_case sem_undo_cases[] = {
	BAD(SET(ckpt_sem_undo, semid, -1)),
	BAD(SET(ckpt_sem_undo, pad, 1)),
	BAD(SET(ckpt_sem_undo, nr_sems, 2)),
	BAD(SET(ckpt_sem_undo, adj[0].num, 2)),
	BAD(SET(ckpt_sem_undo, adj[0].num, U32_MAX)),
	BAD(SET(ckpt_sem_undo, adj[1].num, 0)),
	BAD(SET(ckpt_sem_undo, adj[1].num, U32_MAX)),
	BAD(SET(ckpt_sem_undo, adj[1].adj, 0)),
	BAD(SET(ckpt_sem_undo, adj[0].adj, 32768)),
	BAD(SET(ckpt_sem_undo, adj[0].adj, -32768)),
	BAD(SET(ckpt_sem_undo, adj[0].adj, INT_MIN)),
	BAD_LEN(LEN(ckpt_sem_undo, adj, 0), {}),
	BAD_LEN(LEN(ckpt_sem_undo, adj, 1) + 4, {}),
	OK_LEN(LEN(ckpt_sem_undo, adj, 1), {}),
	OK(SET(ckpt_sem_undo, adj[0].adj, 32767)),
	OK(SET(ckpt_sem_undo, adj[0].adj, -32767)),
	OK(SET(ckpt_sem_undo, nr_sems, 65536),
	   SET(ckpt_sem_undo, adj[1].num, 65535)),
	OK(SET(ckpt_sem_undo, nr_sems, 70000)),
	BAD(SET(ckpt_sem_undo, nr_sems, 70000),
	    SET(ckpt_sem_undo, adj[1].num, 65536)),
};

static const struct ckpt_file_sysv good_file_sysv = {
	.segment = REF_SYSV,
	.flags = CKPT_SYSV_RDONLY,
};

static const struct change_case file_sysv_cases[] = {
	BAD(SET(ckpt_file_sysv, flags, BIT(1))),
	BAD(SET(ckpt_file_sysv, flags, BIT(31))),
	OK(SET(ckpt_file_sysv, flags, 0)),
};

/* --- queues, semaphores, namespaces ------------------------------------------ */

static const struct ckpt_mqueue good_mqueue = {
	.flags = CKPT_MQUEUE_NOTIFY,
	.mode = 0640,
	.uid = 1000,
	.gid = 1000,
	.max_msgs = 10,
	.max_size = 8192,
	.nr_msgs = 10,
	.atime = { 1700000000, NSEC_PER_SEC - 1 },
	.mtime = { -1, 1 },
	.notify_pid = 17,
	.notify = SIGEV_SIGNAL,
	.notify_signal = SIGUSR1,
	.notify_value = U64_MAX,
	.name = "queue",
};

#define NO_NOTIFY	SET(ckpt_mqueue, notify, 0),			\
			SET(ckpt_mqueue, notify_signal, 0),		\
			SET(ckpt_mqueue, notify_value, 0),		\
			SET(ckpt_mqueue, notify_pid, 0)

static const struct change_case mqueue_cases[] = {
	BAD(SET(ckpt_mqueue, flags, BIT(3) | CKPT_MQUEUE_NOTIFY)),
	BAD(SET(ckpt_mqueue, flags, BIT(31) | CKPT_MQUEUE_NOTIFY)),
	BAD(SET(ckpt_mqueue, flags, 0)),
	BAD(SET(ckpt_mqueue, flags, CKPT_MQUEUE_STALE), NO_NOTIFY),
	BAD(SET(ckpt_mqueue, mode, S_IFREG | 0600)),
	BAD(SET(ckpt_mqueue, pad, 1)),
	BAD(SET(ckpt_mqueue, max_msgs, 0), SET(ckpt_mqueue, nr_msgs, 0)),
	BAD(SET(ckpt_mqueue, max_msgs, 65537)),
	BAD(SET(ckpt_mqueue, max_size, 0)),
	BAD(SET(ckpt_mqueue, max_size, SZ_16M + 1)),
	BAD(SET(ckpt_mqueue, nr_msgs, 11)),
	BAD(SET(ckpt_mqueue, nr_msgs, U64_MAX)),
	BAD(SET(ckpt_mqueue, atime.nsec, NSEC_PER_SEC)),
	BAD(SET(ckpt_mqueue, mtime.nsec, U32_MAX)),
	BAD(SET(ckpt_mqueue, ctime.pad, 1)),
	BAD(SET(ckpt_mqueue, notify_pid, 0)),
	BAD(SET(ckpt_mqueue, notify_pid, -1)),
	BAD(SET(ckpt_mqueue, notify, SIGEV_THREAD)),
	BAD(SET(ckpt_mqueue, notify, SIGEV_THREAD_ID)),
	BAD(SET(ckpt_mqueue, notify, SIGEV_NONE)),
	BAD(SET(ckpt_mqueue, notify_signal, 65)),
	BAD(SET(ckpt_mqueue, name[0], 0)),
	BAD(SET(ckpt_mqueue, name[2], 0)),
	BAD(SET(ckpt_mqueue, name[2], '/')),
	BAD(SET(ckpt_mqueue, name[5], 'x')),
	BAD_LEN(LEN(ckpt_mqueue, name, 0), {}),
	BAD_LEN(LEN(ckpt_mqueue, name, 1), SET(ckpt_mqueue, name[0], 0)),
	BAD_LEN(LEN(ckpt_mqueue, name, 2), SET(ckpt_mqueue, name[0], '.'),
		SET(ckpt_mqueue, name[1], 0)),
	BAD_LEN(LEN(ckpt_mqueue, name, 3), SET(ckpt_mqueue, name[0], '.'),
		SET(ckpt_mqueue, name[1], '.'), SET(ckpt_mqueue, name[2], 0)),
	OK(SET(ckpt_mqueue, flags, CKPT_MQUEUE_UNLINKED), NO_NOTIFY),
	OK(ADD(ckpt_mqueue, flags, CKPT_MQUEUE_STALE)),
	OK(SET(ckpt_mqueue, max_msgs, 65536), SET(ckpt_mqueue, nr_msgs, 65536)),
	OK(SET(ckpt_mqueue, max_size, SZ_16M)),
	OK(SET(ckpt_mqueue, notify_signal, 0)),
	OK(SET(ckpt_mqueue, notify, SIGEV_NONE),
	   SET(ckpt_mqueue, notify_signal, 0), SET(ckpt_mqueue, notify_value, 0)),
	OK_LEN(LEN(ckpt_mqueue, name, NAME_MAX + 1),
	       FILL_TAIL(ckpt_mqueue, name, NAME_MAX, 0xff),
	       SET(ckpt_mqueue, name[NAME_MAX], 0)),
};

static const struct ckpt_mqueue_msg good_mqueue_msg = {
	.piece = { .type = 32767, .size = 10, .offset = 6, .len = 4 },
	.text = "abcd",
};

static const struct ckpt_sysv_text good_sysv_text = {
	.piece = { .type = S64_MAX, .size = 10, .offset = 6, .len = 4 },
	.text = "abcd",
};

static const struct change_case piece_cases[] = {
	BAD(SET(ckpt_msg_piece, type, U64_MAX)),
	BAD(SET(ckpt_msg_piece, size, 9)),
	BAD(SET(ckpt_msg_piece, size, U64_MAX)),
	BAD(SET(ckpt_msg_piece, offset, 7)),
	BAD(SET(ckpt_msg_piece, offset, U64_MAX - 3)),
	BAD(SET(ckpt_msg_piece, len, 3)),
	BAD(SET(ckpt_msg_piece, len, 5)),
	BAD(SET(ckpt_msg_piece, len, U32_MAX)),
	BAD(SET(ckpt_msg_piece, pad, 1)),
	BAD_LEN(sizeof(struct ckpt_msg_piece), SET(ckpt_msg_piece, len, 0)),
	OK_LEN(sizeof(struct ckpt_msg_piece), SET(ckpt_msg_piece, len, 0),
	       SET(ckpt_msg_piece, size, 0), SET(ckpt_msg_piece, offset, 0)),
	OK(SET(ckpt_msg_piece, offset, 0)),
	OK(SET(ckpt_msg_piece, type, 1)),
	OK(SET(ckpt_msg_piece, size, SZ_16M)),
};

static const struct change_case mqueue_msg_cases[] = {
	BAD(SET(ckpt_mqueue_msg, piece.type, 32768)),
	BAD(SET(ckpt_mqueue_msg, piece.size, SZ_16M + 1)),
	OK(SET(ckpt_mqueue_msg, piece.type, 0)),
};

static const struct change_case sysv_text_cases[] = {
	BAD(SET(ckpt_sysv_text, piece.type, 0)),
	BAD(SET(ckpt_sysv_text, piece.size, SZ_2G)),
	OK(SET(ckpt_sysv_text, piece.size, INT_MAX)),
};

static const struct ckpt_file_mqueue good_file_mqueue = {
	.desc = { .pos = 5, .open_flags = O_RDWR | O_NONBLOCK,
		  .cred = REF_CRED },
	.queue = REF_MQUEUE,
	.mount = "/a/b/path",
};

static const struct change_case file_mqueue_cases[] = {
	BAD(SET(ckpt_file_mqueue, pad, 1)),
	BAD(SET(ckpt_file_mqueue, desc.open_flags, O_ACCMODE)),
	BAD(SET(ckpt_file_mqueue, desc.open_flags, O_APPEND)),
	BAD(SET(ckpt_file_mqueue, desc.open_flags, O_PATH)),
	BAD(SET(ckpt_file_mqueue, desc.pos, BIT_ULL(63))),
	BAD(SET(ckpt_file_mqueue, desc.bits, CKPT_FILE_EXEC)),
	BAD(SET(ckpt_file_mqueue, desc.pad, 1)),
	OK(SET(ckpt_file_mqueue, desc.open_flags, O_WRONLY | O_LARGEFILE)),
	OK_LEN(LEN(ckpt_file_mqueue, mount, 0), {}),
};

static const struct ckpt_ipc_ns good_ipc_ns = {
	.sem = { 32000, INT_MAX, 500, 32000 },
	.msgmax = 8192,
	.msgmnb = 16384,
	.msgmni = 32000,
	.shmmni = 4096,
	.shmmax = U64_MAX,
	.shmall = U64_MAX,
	.shm_rmid_forced = 1,
	.queues_max = 256,
	.msg_max = 1,
	.msgsize_max = 128,
	.msg_default = 65536,
	.msgsize_default = SZ_16M,
};

static const struct change_case ipc_ns_cases[] = {
	BAD(SET(ckpt_ipc_ns, sem[3], SZ_16M + 1)),
	BAD(SET(ckpt_ipc_ns, msgmax, BIT(31))),
	BAD(SET(ckpt_ipc_ns, msgmnb, U32_MAX)),
	BAD(SET(ckpt_ipc_ns, msgmni, SZ_16M + 1)),
	BAD(SET(ckpt_ipc_ns, shmmni, U32_MAX)),
	BAD(SET(ckpt_ipc_ns, shm_rmid_forced, 2)),
	BAD(SET(ckpt_ipc_ns, msg_max, 0)),
	BAD(SET(ckpt_ipc_ns, msg_max, 65537)),
	BAD(SET(ckpt_ipc_ns, msgsize_max, 127)),
	BAD(SET(ckpt_ipc_ns, msgsize_max, SZ_16M + 1)),
	BAD(SET(ckpt_ipc_ns, msg_default, 0)),
	BAD(SET(ckpt_ipc_ns, msgsize_default, 127)),
	OK(SET(ckpt_ipc_ns, shm_rmid_forced, 0)),
	OK(SET(ckpt_ipc_ns, sem[0], BIT(31))),
	OK(SET(ckpt_ipc_ns, sem[2], U32_MAX)),
	OK(SET(ckpt_ipc_ns, queues_max, 0)),
	OK(SET(ckpt_ipc_ns, queues_max, U32_MAX)),
	OK(SET(ckpt_ipc_ns, msgmni, 0)),
};

#define GOOD_PERM							\
	.perm = {							\
		.id = 32769, .key = 0x5432, .mode = 0640, .uid = 1000,	\
		.gid = 1000, .cuid = 1000, .cgid = 1000			\
	}

static const struct change_case ipc_perm_cases[] = {
	BAD(SET(ckpt_ipc_perm, id, -1)),
	BAD(SET(ckpt_ipc_perm, mode, 01600)),
	BAD(SET(ckpt_ipc_perm, mode, S_IFREG | 0600)),
	BAD(SET(ckpt_ipc_perm, uid, U32_MAX)),
	BAD(SET(ckpt_ipc_perm, gid, U32_MAX)),
	BAD(SET(ckpt_ipc_perm, cuid, U32_MAX)),
	BAD(SET(ckpt_ipc_perm, cgid, U32_MAX)),
	BAD(SET(ckpt_ipc_perm, pad, 1)),
	OK(SET(ckpt_ipc_perm, id, 0)),
	OK(SET(ckpt_ipc_perm, key, U32_MAX)),
	OK(SET(ckpt_ipc_perm, mode, 0777)),
};

static const struct ckpt_sysv_sem good_sysv_sem = {
	GOOD_PERM,
	.ctime = 1700000000,
	.sems = { { 32767, 17, 1700000000 }, { 0, 0, 0 } },
};

static const struct change_case sysv_sem_cases[] = {
	BAD(SET(ckpt_sysv_sem, sems[0].value, 32768)),
	BAD(SET(ckpt_sysv_sem, sems[1].value, -1)),
	BAD(SET(ckpt_sysv_sem, sems[1].pid, -1)),
	BAD_LEN(LEN(ckpt_sysv_sem, sems, 0), {}),
	BAD_LEN(LEN(ckpt_sysv_sem, sems, 1) + 8, {}),
	OK_LEN(LEN(ckpt_sysv_sem, sems, 1), {}),
	OK(SET(ckpt_sysv_sem, sems[0].otime, -1)),
};

static const struct ckpt_sysv_msg good_sysv_msg = {
	GOOD_PERM,
	.stime = 1700000000,
	.max_bytes = 16384,
	.nr_msgs = 3,
	.lspid = 17,
};

static const struct change_case sysv_msg_cases[] = {
	BAD(SET(ckpt_sysv_msg, lspid, -1)),
	BAD(SET(ckpt_sysv_msg, lrpid, INT_MIN)),
	OK(SET(ckpt_sysv_msg, max_bytes, 0)),
	OK(SET(ckpt_sysv_msg, max_bytes, U64_MAX)),
	OK(SET(ckpt_sysv_msg, nr_msgs, U64_MAX)),
};

static const struct ckpt_namespaces good_namespaces = {
	.own = CKPT_NS_UTS | CKPT_NS_PID | CKPT_NS_TIME,
	.flags = CKPT_NS_INIT,
	.hostname = "host",
	.domainname = "(none)",
	.monotonic = { -1000, NSEC_PER_SEC - 1 },
	.boottime = { 1000, 0 },
};

static const struct change_case namespaces_cases[] = {
	BAD(SET(ckpt_namespaces, own, 0)),
	BAD(ADD(ckpt_namespaces, own, BIT(8))),
	BAD(ADD(ckpt_namespaces, own, BIT(31))),
	BAD(DROP(ckpt_namespaces, own, CKPT_NS_PID)),
	BAD(DROP(ckpt_namespaces, own, CKPT_NS_UTS)),
	BAD(DROP(ckpt_namespaces, own, CKPT_NS_TIME)),
	BAD(SET(ckpt_namespaces, flags, BIT(1))),
	BAD(FILL(ckpt_namespaces, hostname, 'x')),
	BAD(FILL(ckpt_namespaces, domainname, 'x')),
	BAD(SET(ckpt_namespaces, pad[5], 1)),
	BAD(SET(ckpt_namespaces, monotonic.nsec, NSEC_PER_SEC)),
	BAD(SET(ckpt_namespaces, monotonic.sec, S64_MIN)),
	BAD(SET(ckpt_namespaces, boottime.sec, S64_MAX)),
	BAD(SET(ckpt_namespaces, boottime.pad, 1)),
	OK(SET(ckpt_namespaces, flags, 0)),
	OK(SET(ckpt_namespaces, flags, 0),
	   DROP(ckpt_namespaces, own, CKPT_NS_PID)),
	OK(ADD(ckpt_namespaces, own, 0xff)),
	OK(FILL(ckpt_namespaces, hostname, 0)),
};

static const struct ckpt_cgroup good_cgroup = {
	.path = "/a/b/path",
};

static const struct change_case cgroup_cases[] = {
	BAD(SET(ckpt_cgroup, flags, 1)),
	BAD(SET(ckpt_cgroup, pad, 1)),
	BAD_LEN(LEN(ckpt_cgroup, path, 0), {}),
};

/* --- files ---------------------------------------------------------------- */

/* The good paths have these bytes with the NUL. */
#define PATH_LEN	10

static const struct change_case path_cases[] = {
	BAD(SET(text, at[0], 'x')),
	BAD(SET(text, at[0], 0)),
	BAD(SET(text, at[1], 0)),
	BAD(SET(text, at[PATH_LEN - 2], 0)),
	BAD(SET(text, at[PATH_LEN - 1], 'x')),
	BAD_LEN(1, {}),
	BAD_LEN(1, SET(text, at[0], 0)),
	BAD_LEN(PATH_LEN - 1, {}),
	BAD_LEN(PATH_LEN + 1, {}),
	BAD_LEN(CKPT_MAX_PATH, FILL_TAIL(text, at, CKPT_MAX_PATH, '/')),
	OK_LEN(2, SET(text, at[1], 0)),
	OK_LEN(CKPT_MAX_PATH, FILL_TAIL(text, at, CKPT_MAX_PATH, '/'),
	       SET(text, at[CKPT_MAX_PATH - 1], 0)),
};

/* What records of open descriptions begin with. */
static const struct change_case desc_cases[] = {
	BAD(SET(ckpt_file_desc, pad, 1)),
	BAD(SET(ckpt_file_desc, pos, BIT_ULL(63))),
	BAD(SET(ckpt_file_desc, pos, U64_MAX)),
	BAD(SET(ckpt_file_desc, open_flags, O_CREAT)),
	BAD(SET(ckpt_file_desc, open_flags, O_TRUNC | O_WRONLY)),
	BAD(SET(ckpt_file_desc, open_flags, O_CLOEXEC)),
	BAD(SET(ckpt_file_desc, open_flags, FASYNC)),
	BAD(SET(ckpt_file_desc, open_flags, BIT(31))),
	BAD(SET(ckpt_file_desc, bits, BIT(7))),
	BAD(SET(ckpt_file_desc, bits, BIT(31))),
	OK(SET(ckpt_file_desc, open_flags,
	       O_RDWR | O_APPEND | O_NONBLOCK | O_LARGEFILE | O_SYNC |
	       O_NOATIME)),
	OK(SET(ckpt_file_desc, open_flags, O_RDWR | O_NOFOLLOW)),
	OK(SET(ckpt_file_desc, bits, CKPT_FILE_RANDOM | CKPT_FILE_NOREUSE)),
};

/* Those that seek. */
static const struct change_case seek_cases[] = {
	BAD(SET(ckpt_file_desc, bits, CKPT_FILE_NOWAIT)),
	BAD(SET(ckpt_file_desc, bits, CKPT_FILE_NO_WRITER)),
	BAD(SET(ckpt_file_desc, bits, CKPT_FILE_DEV_TTY)),
	OK(SET(ckpt_file_desc, pos, S64_MAX)),
	OK(SET(ckpt_file_desc, bits, CKPT_FILE_MAPPED)),
};

/* How a file is found to be the same. */
static const struct change_case id_cases[] = {
	BAD(SET(ckpt_file_id, flags, BIT(1))),
	BAD(SET(ckpt_file_id, flags, BIT(31) | CKPT_FILE_ID_BTIME)),
	BAD(SET(ckpt_file_id, mtime_nsec, NSEC_PER_SEC)),
	BAD(SET(ckpt_file_id, btime_nsec, U32_MAX)),
	BAD(SET(ckpt_file_id, size, BIT_ULL(63))),
	OK(SET(ckpt_file_id, size, S64_MAX)),
	OK(SET(ckpt_file_id, mtime_sec, -1),
	   SET(ckpt_file_id, btime_sec, S64_MIN)),
	OK(SET(ckpt_file_id, flags, 0)),
};

static const struct ckpt_file good_file = {
	.desc = { .pos = 77, .open_flags = O_RDWR | O_LARGEFILE,
		  .cred = REF_CRED },
	.id = { .size = 1000, .mtime_sec = 1700000000, .mode = S_IFREG,
		.btime_sec = 1600000000, .mtime_nsec = NSEC_PER_SEC - 1,
		.flags = CKPT_FILE_ID_BTIME },
	.path = "/tmp/logs",
};

#define OPEN_FLAGS(v)	SET(ckpt_file, desc.open_flags, v)
#define FILE_BITS(v)	SET(ckpt_file, desc.bits, v)
#define FILE_MODE(v)	SET(ckpt_file, id.mode, v)
#define AT_0		SET(ckpt_file, desc.pos, 0)

static const struct change_case file_cases[] = {
	BAD(FILE_MODE(0)),
	BAD(FILE_MODE(S_IFCHR)),
	BAD(FILE_MODE(S_IFIFO)),
	BAD(FILE_MODE(S_IFLNK)),
	BAD(FILE_MODE(S_IFSOCK)),
	BAD(FILE_MODE(S_IFREG | 0644)),
	BAD(FILE_MODE(S_IFREG | BIT(16))),
	BAD(OPEN_FLAGS(__O_TMPFILE | O_RDWR)),
	/* O_PATH has no position, nothing that reads or writes. */
	BAD(OPEN_FLAGS(O_PATH)),
	BAD(OPEN_FLAGS(O_PATH | O_RDWR), AT_0),
	BAD(OPEN_FLAGS(O_PATH | O_APPEND), AT_0),
	BAD(OPEN_FLAGS(O_PATH), AT_0, FILE_BITS(CKPT_FILE_RANDOM)),
	BAD(OPEN_FLAGS(O_PATH), AT_0, FILE_BITS(CKPT_FILE_MAPPED)),
	/* What execve() opens is regular and only read. */
	BAD(OPEN_FLAGS(O_RDWR), FILE_BITS(CKPT_FILE_EXEC)),
	BAD(OPEN_FLAGS(O_WRONLY), FILE_BITS(CKPT_FILE_EXEC)),
	BAD(OPEN_FLAGS(O_DIRECT), FILE_BITS(CKPT_FILE_EXEC)),
	BAD(OPEN_FLAGS(0), FILE_BITS(CKPT_FILE_EXEC), FILE_MODE(S_IFDIR)),
	OK(OPEN_FLAGS(O_LARGEFILE), AT_0,
	   FILE_BITS(CKPT_FILE_EXEC | CKPT_FILE_MAPPED)),
	OK(OPEN_FLAGS(O_DIRECTORY), FILE_MODE(S_IFDIR)),
	OK(OPEN_FLAGS(O_PATH), AT_0),
	OK(OPEN_FLAGS(O_PATH | O_NOFOLLOW), AT_0, FILE_MODE(S_IFLNK)),
	OK(OPEN_FLAGS(O_PATH | O_DIRECTORY), AT_0, FILE_MODE(S_IFDIR)),
	OK(OPEN_FLAGS(O_PATH), AT_0, FILE_MODE(S_IFSOCK)),
	OK(OPEN_FLAGS(O_RDWR | O_DIRECT)),
};

static const struct ckpt_file_dev good_file_dev = {
	.desc = { .open_flags = O_RDWR | O_LARGEFILE },
	.id = { .mode = S_IFCHR, .rdev_major = 1, .rdev_minor = 3,
		.flags = CKPT_FILE_ID_BTIME },
	.path = "/dev/null",
};

static const struct change_case file_dev_cases[] = {
	/* Anybody may open these. */
	BAD(SET(ckpt_file_dev, desc.cred, REF_CRED)),
	BAD(SET(ckpt_file_dev, desc.open_flags, O_PATH)),
	BAD(SET(ckpt_file_dev, desc.bits, CKPT_FILE_EXEC)),
	BAD(SET(ckpt_file_dev, id.mode, S_IFREG)),
	BAD(SET(ckpt_file_dev, id.mode, S_IFBLK)),
	/* Not mem, kmem, port, aio, kmsg, nor those of another driver. */
	BAD(SET(ckpt_file_dev, id.rdev_minor, 0)),
	BAD(SET(ckpt_file_dev, id.rdev_minor, 1)),
	BAD(SET(ckpt_file_dev, id.rdev_minor, 2)),
	BAD(SET(ckpt_file_dev, id.rdev_minor, 4)),
	BAD(SET(ckpt_file_dev, id.rdev_minor, 6)),
	BAD(SET(ckpt_file_dev, id.rdev_minor, 10)),
	BAD(SET(ckpt_file_dev, id.rdev_minor, 11)),
	BAD(SET(ckpt_file_dev, id.rdev_minor, 256 + 3)),
	BAD(SET(ckpt_file_dev, id.rdev_major, 0)),
	BAD(SET(ckpt_file_dev, id.rdev_major, 5)),
	OK(SET(ckpt_file_dev, id.rdev_minor, 5)),
	OK(SET(ckpt_file_dev, id.rdev_minor, 7)),
	OK(SET(ckpt_file_dev, id.rdev_minor, 8)),
	OK(SET(ckpt_file_dev, id.rdev_minor, 9)),
};

static const struct ckpt_file_tty good_file_tty = {
	.desc = { .open_flags = O_RDWR | O_LARGEFILE },
	.name = "ttyS0",
};

static const struct change_case file_tty_cases[] = {
	BAD(SET(ckpt_file_tty, desc.cred, REF_CRED)),
	BAD(SET(ckpt_file_tty, desc.pos, 1)),
	BAD(SET(ckpt_file_tty, desc.open_flags, O_PATH)),
	BAD(SET(ckpt_file_tty, desc.bits, CKPT_FILE_MAPPED)),
	BAD(SET(ckpt_file_tty, desc.bits, CKPT_FILE_EXEC)),
	BAD(SET(ckpt_file_tty, desc.bits, CKPT_FILE_NOWAIT)),
	BAD(SET(ckpt_file_tty, desc.bits, CKPT_FILE_NO_WRITER)),
	BAD(FILL(ckpt_file_tty, name, 'x')),
	OK(SET(ckpt_file_tty, desc.bits, CKPT_FILE_DEV_TTY)),
	OK(FILL(ckpt_file_tty, name, 'x'), SET(ckpt_file_tty, name[63], 0)),
	OK(FILL(ckpt_file_tty, name, 0)),
};

static const struct ckpt_file_pipe good_file_pipe = {
	.desc = { .open_flags = O_WRONLY | O_NONBLOCK, .cred = REF_CRED,
		  .bits = CKPT_FILE_NOWAIT },
	.pipe = REF_PIPE,
};

static const struct change_case file_pipe_cases[] = {
	BAD(SET(ckpt_file_pipe, pad, 1)),
	BAD(SET(ckpt_file_pipe, desc.pos, 1)),
	BAD(SET(ckpt_file_pipe, desc.open_flags, O_ACCMODE)),
	BAD(SET(ckpt_file_pipe, desc.open_flags, O_PATH)),
	BAD(SET(ckpt_file_pipe, desc.bits, CKPT_FILE_MAPPED)),
	BAD(SET(ckpt_file_pipe, desc.bits, CKPT_FILE_EXEC)),
	BAD(SET(ckpt_file_pipe, desc.bits, CKPT_FILE_DEV_TTY)),
	OK(SET(ckpt_file_pipe, desc.open_flags, O_RDONLY),
	   SET(ckpt_file_pipe, desc.bits, CKPT_FILE_NO_WRITER)),
	/* Packets. */
	OK(SET(ckpt_file_pipe, desc.open_flags, O_WRONLY | O_DIRECT)),
	OK(SET(ckpt_file_pipe, desc.bits, 0)),
};

/* A slave. */
static const struct ckpt_file_pty good_file_pty = {
	.desc = { .open_flags = O_RDWR | O_LARGEFILE },
	.pty = REF_PTY,
	.side = CKPT_PTY_SLAVE,
	.path = "/dev/pts7",
};

static const struct change_case file_pty_cases[] = {
	BAD(SET(ckpt_file_pty, side, 2)),
	BAD(SET(ckpt_file_pty, desc.cred, REF_CRED)),
	BAD(SET(ckpt_file_pty, desc.pos, 1)),
	BAD(SET(ckpt_file_pty, desc.open_flags, O_ACCMODE)),
	BAD(SET(ckpt_file_pty, desc.open_flags, O_PATH)),
	BAD(SET(ckpt_file_pty, desc.bits, CKPT_FILE_MAPPED)),
	BAD(SET(ckpt_file_pty, desc.bits, CKPT_FILE_EXEC)),
	BAD(SET(ckpt_file_pty, desc.bits, CKPT_FILE_NOWAIT)),
	/* The master has no path, and what was hung up only /dev/tty. */
	BAD(SET(ckpt_file_pty, side, CKPT_PTY_MASTER)),
	BAD(SET(ckpt_file_pty, desc.bits, CKPT_FILE_HUNG_UP)),
	BAD_LEN(LEN(ckpt_file_pty, path, 0),
		SET(ckpt_file_pty, side, CKPT_PTY_MASTER),
		SET(ckpt_file_pty, desc.bits, CKPT_FILE_HUNG_UP)),
	BAD_LEN(LEN(ckpt_file_pty, path, 0),
		SET(ckpt_file_pty, side, CKPT_PTY_MASTER),
		SET(ckpt_file_pty, desc.bits, CKPT_FILE_DEV_TTY)),
	OK_LEN(LEN(ckpt_file_pty, path, 0),
	       SET(ckpt_file_pty, side, CKPT_PTY_MASTER)),
	OK_LEN(LEN(ckpt_file_pty, path, 0),
	       SET(ckpt_file_pty, desc.bits, CKPT_FILE_HUNG_UP)),
	BAD_LEN(LEN(ckpt_file_pty, path, 0),
		SET(ckpt_file_pty, desc.bits,
		    CKPT_FILE_DEV_TTY | CKPT_FILE_HUNG_UP)),
	OK(SET(ckpt_file_pty, desc.bits, CKPT_FILE_DEV_TTY)),
	OK(SET(ckpt_file_pty, desc.bits,
	       CKPT_FILE_DEV_TTY | CKPT_FILE_HUNG_UP)),
	OK(SET(ckpt_file_pty, desc.open_flags, O_WRONLY | O_NONBLOCK)),
};

static const struct ckpt_file_unlinked good_file_unlinked = {
	.desc = { .pos = 5, .open_flags = O_RDWR | O_LARGEFILE,
		  .cred = REF_CRED },
	.inode = REF_INODE,
};

static const struct change_case file_unlinked_cases[] = {
	BAD(SET(ckpt_file_unlinked, pad, 1)),
	BAD(SET(ckpt_file_unlinked, desc.open_flags, O_PATH),
	    SET(ckpt_file_unlinked, desc.pos, 0)),
	BAD(SET(ckpt_file_unlinked, desc.bits, CKPT_FILE_EXEC)),
	/* Made by O_TMPFILE. */
	OK(SET(ckpt_file_unlinked, desc.open_flags, O_TMPFILE | O_RDWR)),
};

static const struct ckpt_file_external good_file_external = {
	.pid = 17,
	.fd = 5,
	.mode = S_IFSOCK,
	.flags = CKPT_EXTERNAL_READ | CKPT_EXTERNAL_WRITE,
	.family = 1,
	.type = SOCK_STREAM,
};

static const struct change_case file_external_cases[] = {
	BAD(SET(ckpt_file_external, pad, 1)),
	BAD(SET(ckpt_file_external, pid, 0)),
	BAD(SET(ckpt_file_external, pid, -1)),
	BAD(SET(ckpt_file_external, fd, -1)),
	BAD(SET(ckpt_file_external, mode, S_IFSOCK | 0600)),
	BAD(SET(ckpt_file_external, mode, S_IFIFO)),
	BAD(SET(ckpt_file_external, flags, BIT(3))),
	BAD(SET(ckpt_file_external, flags, CKPT_EXTERNAL_TTY)),
	BAD(SET(ckpt_file_external, rdev_major, 1)),
	BAD(SET(ckpt_file_external, rdev_minor, 1)),
	OK(SET(ckpt_file_external, fd, 0)),
	OK(SET(ckpt_file_external, fd, INT_MAX)),
	OK(SET(ckpt_file_external, flags, 0)),
	OK(SET(ckpt_file_external, name[0], 'x')),
	BAD(SET(ckpt_file_external, name[1], 'x')),
	BAD(SET(ckpt_file_external, name[31], 'x')),
};

static const struct ckpt_file_owner good_file_owner = {
	.file = REF_FILE,
	.cred = REF_CRED,
	.pid = 17,
	.type = F_OWNER_PID,
	.signum = SIGRTMIN,
	.flags = CKPT_OWNER_ASYNC,
	.fd = 3,
};

static const struct change_case file_owner_cases[] = {
	BAD(SET(ckpt_file_owner, pad, 1)),
	BAD(SET(ckpt_file_owner, pid, 0)),
	BAD(SET(ckpt_file_owner, pid, -1)),
	BAD(SET(ckpt_file_owner, cred, 0)),
	BAD(SET(ckpt_file_owner, type, F_OWNER_PGRP + 1)),
	BAD(SET(ckpt_file_owner, signum, _NSIG + 1)),
	BAD(SET(ckpt_file_owner, signum, U32_MAX)),
	BAD(SET(ckpt_file_owner, flags, 0)),
	BAD(SET(ckpt_file_owner, flags, CKPT_OWNER_ASYNC | BIT(1))),
	BAD(SET(ckpt_file_owner, fd, -2)),
	OK(SET(ckpt_file_owner, fd, -1)),
	OK(SET(ckpt_file_owner, fd, -1), SET(ckpt_file_owner, flags, 0)),
	OK(SET(ckpt_file_owner, signum, 0)),
	OK(SET(ckpt_file_owner, signum, _NSIG)),
	OK(SET(ckpt_file_owner, type, F_OWNER_TID)),
	OK(SET(ckpt_file_owner, pid, 0), SET(ckpt_file_owner, cred, 0)),
};

static const struct ckpt_sock_filter good_sock_filter = {
	.nr_insns = 2,
	.insns = { { .code = BPF_LD | BPF_IMM, .k = 1 },
		   { .code = BPF_RET | BPF_K, .k = U32_MAX } },
};

static const struct change_case sock_filter_cases[] = {
	BAD(SET(ckpt_sock_filter, pad, 1)),
	BAD(SET(ckpt_sock_filter, nr_insns, 0)),
	BAD(SET(ckpt_sock_filter, nr_insns, 1)),
	BAD(SET(ckpt_sock_filter, nr_insns, 3)),
	BAD(SET(ckpt_sock_filter, nr_insns, U32_MAX)),
	/* The same in 16 bits, and in the bytes of 32. */
	BAD(SET(ckpt_sock_filter, nr_insns, BIT(16) + 2)),
	BAD(SET(ckpt_sock_filter, nr_insns, BIT(29) + 2)),
	BAD_LEN(LEN(ckpt_sock_filter, insns, 0),
		SET(ckpt_sock_filter, nr_insns, 0)),
	BAD_LEN(LEN(ckpt_sock_filter, insns, 2) - 4, {}),
	OK_LEN(LEN(ckpt_sock_filter, insns, 1),
	       SET(ckpt_sock_filter, nr_insns, 1)),
};

static const struct ckpt_file_memfd good_file_memfd = {
	.desc = { .pos = 5, .open_flags = O_RDWR | O_LARGEFILE,
		  .cred = REF_CRED },
	.shmem = REF_MEMFD,
	.flags = CKPT_MEMFD_CREATED,
};

static const struct change_case file_memfd_cases[] = {
	BAD(SET(ckpt_file_memfd, shmem, REF_SHMEM)),
	BAD(SET(ckpt_file_memfd, flags, BIT(1))),
	BAD(SET(ckpt_file_memfd, flags, BIT(31) | CKPT_MEMFD_CREATED)),
	/* memfd_create() opens for both, F_SETFL knows no O_DIRECT there. */
	BAD(SET(ckpt_file_memfd, desc.open_flags, O_RDONLY)),
	BAD(SET(ckpt_file_memfd, desc.open_flags, O_WRONLY)),
	BAD(SET(ckpt_file_memfd, desc.open_flags, O_RDWR | O_DIRECT)),
	BAD(SET(ckpt_file_memfd, desc.open_flags, O_PATH),
	    SET(ckpt_file_memfd, desc.pos, 0),
	    SET(ckpt_file_memfd, flags, 0)),
	OK(SET(ckpt_file_memfd, flags, 0),
	   SET(ckpt_file_memfd, desc.open_flags, O_RDONLY)),
	OK(SET(ckpt_file_memfd, flags, 0),
	   SET(ckpt_file_memfd, desc.bits, CKPT_FILE_EXEC),
	   SET(ckpt_file_memfd, desc.open_flags, O_RDONLY)),
};

static const struct ckpt_files good_files = {
	.nr_fds = 3,
	.fds = {
		{ .fd = 0, .file = REF_FILE },
		{ .fd = 1, .file = REF_FILE },
		{ .fd = 255, .file = REF_FILE, .flags = CKPT_FD_CLOEXEC },
	},
};

static const struct change_case files_cases[] = {
	BAD(SET(ckpt_files, nr_fds, 0)),
	BAD(SET(ckpt_files, nr_fds, 2)),
	BAD(SET(ckpt_files, nr_fds, 4)),
	BAD(SET(ckpt_files, nr_fds, U32_MAX)),
	/* So many that their bytes are those of three, in 32 bits. */
	BAD(SET(ckpt_files, nr_fds, BIT(30) + 3)),
	BAD(SET(ckpt_files, pad, 1)),
	BAD(SET(ckpt_files, fds[0].fd, -1)),
	BAD(SET(ckpt_files, fds[0].fd, INT_MIN)),
	BAD(SET(ckpt_files, fds[0].fd, 1)),
	BAD(SET(ckpt_files, fds[0].fd, 2)),
	BAD(SET(ckpt_files, fds[2].fd, 1)),
	BAD(SET(ckpt_files, fds[2].fd, -1)),
	BAD(SET(ckpt_files, fds[0].flags, BIT(1))),
	BAD(SET(ckpt_files, fds[2].flags, BIT(31) | CKPT_FD_CLOEXEC)),
	BAD_LEN(LEN(ckpt_files, fds, 0), {}),
	BAD_LEN(LEN(ckpt_files, fds, 3) - 4, {}),
	BAD_LEN(LEN(ckpt_files, fds, 4), {}),
	OK(SET(ckpt_files, fds[2].fd, 2)),
	OK(SET(ckpt_files, fds[2].fd, INT_MAX)),
	OK_LEN(LEN(ckpt_files, fds, 0), SET(ckpt_files, nr_fds, 0)),
};

static const struct ckpt_fs good_fs = {
	.umask = 022,
	.root_len = 6,
	.paths = "/root\0/root/home",
};

#define FS_LEN(n)	LEN(ckpt_fs, paths, n)

static const struct change_case fs_cases[] = {
	BAD(SET(ckpt_fs, paths[0], 'x')),
	BAD(SET(ckpt_fs, paths[0], 0)),
	BAD(SET(ckpt_fs, paths[4], 0)),
	BAD(SET(ckpt_fs, paths[5], 'x')),
	BAD(SET(ckpt_fs, umask, 01000)),
	BAD(SET(ckpt_fs, umask, U32_MAX)),
	BAD(SET(ckpt_fs, root_len, 0)),
	BAD(SET(ckpt_fs, root_len, 1)),
	BAD(SET(ckpt_fs, root_len, 5)),
	BAD(SET(ckpt_fs, root_len, 7)),
	BAD(SET(ckpt_fs, root_len, 16)),
	BAD(SET(ckpt_fs, root_len, 17)),
	BAD(SET(ckpt_fs, root_len, 18)),
	BAD(SET(ckpt_fs, root_len, U32_MAX)),
	/* The working directory. */
	BAD(SET(ckpt_fs, paths[6], 'x')),
	BAD(SET(ckpt_fs, paths[8], 0)),
	BAD(SET(ckpt_fs, paths[16], 'x')),
	BAD_LEN(FS_LEN(0), {}),
	BAD_LEN(FS_LEN(6), {}),
	BAD_LEN(FS_LEN(7), {}),
	BAD_LEN(FS_LEN(16), {}),
	BAD_LEN(FS_LEN(18), {}),
	OK(SET(ckpt_fs, umask, 0777)),
	OK_LEN(FS_LEN(4), SET(ckpt_fs, root_len, 2), SET(ckpt_fs, paths[1], 0),
	       SET(ckpt_fs, paths[2], '/'), SET(ckpt_fs, paths[3], 0)),
};

static const struct ckpt_pipe good_pipe = {
	.size = SZ_64K,
	.cred = REF_CRED,
	.path = "/tmp/fifo",
};

static const struct change_case pipe_cases[] = {
	BAD(SET(ckpt_pipe, size, 0)),
	BAD(SET(ckpt_pipe, size, PAGE_SIZE / 2)),
	BAD(SET(ckpt_pipe, size, PAGE_SIZE + 1)),
	BAD(SET(ckpt_pipe, size, 3 * PAGE_SIZE)),
	BAD(SET(ckpt_pipe, size, U32_MAX)),
	/* Without a path it is a pipe. */
	OK_LEN(LEN(ckpt_pipe, path, 0), {}),
	OK(SET(ckpt_pipe, size, PAGE_SIZE)),
	OK(SET(ckpt_pipe, size, BIT(31))),
};

static const struct ckpt_pipe_buf good_pipe_buf = {
	.flags = CKPT_PIPE_BUF_PACKET,
	.data = "data",
};

static const struct change_case pipe_buf_cases[] = {
	BAD(SET(ckpt_pipe_buf, flags, BIT(1))),
	BAD(SET(ckpt_pipe_buf, flags, BIT(31) | CKPT_PIPE_BUF_PACKET)),
	BAD(SET(ckpt_pipe_buf, pad, 1)),
	BAD_LEN(LEN(ckpt_pipe_buf, data, 0), {}),
	OK(SET(ckpt_pipe_buf, flags, 0)),
	OK_LEN(LEN(ckpt_pipe_buf, data, 1), {}),
	OK_LEN(LEN(ckpt_pipe_buf, data, PAGE_SIZE), {}),
};

static const struct ckpt_pty good_pty = {
	.index = 7,
	.flags = CKPT_PTY_PACKET,
	.session = 17,
	.pgrp = 18,
	.open_flags = O_RDWR,
	.state = { CKPT_PTY_LOCKED | CKPT_PTY_THROTTLED, CKPT_PTY_STOPPED },
	.pktstatus = TIOCPKT_STOP,
	.mode = 0620,
	.uid = 1000,
	.gid = 5,
	.rows = 25,
	.cols = 80,
	.termios = { .cflag = B38400 | CS8 | CREAD },
	.path = "/dev/ptmx",
};

#define PTY_ZERO	FILL_TAIL(ckpt_pty, session,			\
				  sizeof(struct ckpt_pty) -		\
				  offsetof(struct ckpt_pty, session), 0)

static const struct change_case pty_cases[] = {
	BAD(SET(ckpt_pty, index, BIT(20))),
	BAD(SET(ckpt_pty, index, U32_MAX)),
	BAD(SET(ckpt_pty, flags, BIT(4))),
	BAD(SET(ckpt_pty, flags, BIT(31))),
	BAD(SET(ckpt_pty, session, -1)),
	BAD(SET(ckpt_pty, pgrp, -1)),
	BAD(SET(ckpt_pty, session, 0)),
	BAD(SET(ckpt_pty, open_flags, O_ACCMODE)),
	BAD(SET(ckpt_pty, open_flags, O_RDWR | O_NONBLOCK)),
	BAD(SET(ckpt_pty, state[0], BIT(8))),
	BAD(SET(ckpt_pty, state[1], BIT(31))),
	BAD(SET(ckpt_pty, state[1], CKPT_PTY_LOCKED)),
	BAD(SET(ckpt_pty, pktstatus, BIT(7))),
	BAD(SET(ckpt_pty, pktstatus, BIT(8))),
	BAD(SET(ckpt_pty, mode, 010000)),
	BAD(SET(ckpt_pty, uid, U32_MAX)),
	BAD(SET(ckpt_pty, gid, U32_MAX)),
	BAD(SET(ckpt_pty, termios.cflag, B38400 | CS7 | CREAD)),
	BAD(SET(ckpt_pty, termios.cflag, B38400 | CS8)),
	BAD(SET(ckpt_pty, termios.cflag, CS8 | CREAD | PARENB)),
	BAD(SET(ckpt_pty, flags, CKPT_PTY_OUTSIDE)),
	BAD(SET(ckpt_pty, flags, CKPT_PTY_CLOSED)),
	BAD(SET(ckpt_pty, flags, CKPT_PTY_OUTSIDE), PTY_ZERO,
	    SET(ckpt_pty, index, 0)),
	BAD_LEN(LEN(ckpt_pty, path, 0), PTY_ZERO,
		SET(ckpt_pty, flags, CKPT_PTY_OUTSIDE)),
	BAD_LEN(LEN(ckpt_pty, path, 0), PTY_ZERO, SET(ckpt_pty, index, 0),
		SET(ckpt_pty, flags, CKPT_PTY_OUTSIDE | CKPT_PTY_CLOSED)),
	BAD_LEN(LEN(ckpt_pty, path, 0), PTY_ZERO, SET(ckpt_pty, index, 0),
		SET(ckpt_pty, flags, CKPT_PTY_OUTSIDE),
		SET(ckpt_pty, rows, 1)),
	BAD(PTY_ZERO, SET(ckpt_pty, flags, CKPT_PTY_CLOSED),
	    SET(ckpt_pty, termios.cc[18], 1)),
	OK_LEN(LEN(ckpt_pty, path, 0), PTY_ZERO, SET(ckpt_pty, index, 0),
	       SET(ckpt_pty, flags, CKPT_PTY_OUTSIDE)),
	OK(PTY_ZERO, SET(ckpt_pty, flags, CKPT_PTY_CLOSED)),
	OK(SET(ckpt_pty, flags, CKPT_PTY_NO_LDISC)),
	OK(SET(ckpt_pty, index, BIT(20) - 1)),
	OK(SET(ckpt_pty, session, 0), SET(ckpt_pty, pgrp, 0)),
	OK(SET(ckpt_pty, pgrp, 0)),
	OK(SET(ckpt_pty, mode, 07777)),
	OK(FILL(ckpt_pty, termios.cc, 0xff)),
	OK(SET(ckpt_pty, termios.line, 0xff)),
	OK(SET(ckpt_pty, termios.lflag, U32_MAX)),
};

/* Two lines and a half, and one byte of echo. */
static const struct ckpt_pty_ldisc good_pty_ldisc = {
	.side = CKPT_PTY_SLAVE,
	.flags = CKPT_PTY_LNEXT,
	.nr_read = 5,
	.nr_canon = 4,
	.nr_echo = 1,
	.echo_commit = 1,
	.echo_mark = 1,
	.column = 3,
	.ends = { 0xa },
	.data = "a\nb\nce",
};

static const struct change_case pty_ldisc_cases[] = {
	BAD(SET(ckpt_pty_ldisc, side, 2)),
	BAD(SET(ckpt_pty_ldisc, flags, BIT(3))),
	BAD(SET(ckpt_pty_ldisc, nr_read, 4)),
	BAD(SET(ckpt_pty_ldisc, nr_read, 6)),
	BAD(SET(ckpt_pty_ldisc, nr_read, U32_MAX),
	    SET(ckpt_pty_ldisc, nr_echo, 7),
	    SET(ckpt_pty_ldisc, nr_commit, 0)),
	BAD(SET(ckpt_pty_ldisc, nr_commit, 6)),
	BAD(SET(ckpt_pty_ldisc, nr_canon, 6)),
	BAD(SET(ckpt_pty_ldisc, nr_canon, U32_MAX)),
	BAD(SET(ckpt_pty_ldisc, nr_echo, 0)),
	BAD(SET(ckpt_pty_ldisc, nr_echo, 2)),
	BAD(SET(ckpt_pty_ldisc, echo_commit, 2)),
	BAD(SET(ckpt_pty_ldisc, echo_mark, 2)),
	BAD(SET(ckpt_pty_ldisc, ends[0], BIT_ULL(5))),
	BAD(SET(ckpt_pty_ldisc, ends[63], BIT_ULL(63))),
	BAD_LEN(LEN(ckpt_pty_ldisc, data, 4097),
		SET(ckpt_pty_ldisc, nr_read, 4097),
		SET(ckpt_pty_ldisc, nr_echo, 0),
		SET(ckpt_pty_ldisc, echo_commit, 0),
		SET(ckpt_pty_ldisc, echo_mark, 0)),
	BAD_LEN(LEN(ckpt_pty_ldisc, data, 4101),
		SET(ckpt_pty_ldisc, nr_echo, 4096)),
	OK_LEN(LEN(ckpt_pty_ldisc, data, 4097),
	       SET(ckpt_pty_ldisc, nr_read, 4096),
	       SET(ckpt_pty_ldisc, ends[63], BIT_ULL(63))),
	OK_LEN(LEN(ckpt_pty_ldisc, data, 4100),
	       SET(ckpt_pty_ldisc, nr_echo, 4095)),
	OK(SET(ckpt_pty_ldisc, nr_commit, 5)),
	OK(SET(ckpt_pty_ldisc, side, CKPT_PTY_MASTER)),
	OK(SET(ckpt_pty_ldisc, column, U32_MAX)),
	OK(SET(ckpt_pty_ldisc, flags, CKPT_PTY_ERASING | CKPT_PTY_PUSH)),
};

static const struct ckpt_pty_queue good_pty_queue = {
	.side = CKPT_PTY_MASTER,
	.data = "data",
};

static const struct change_case pty_queue_cases[] = {
	BAD(SET(ckpt_pty_queue, side, 2)),
	BAD(SET(ckpt_pty_queue, pad, 1)),
	BAD_LEN(LEN(ckpt_pty_queue, data, 0), {}),
	OK(SET(ckpt_pty_queue, side, CKPT_PTY_SLAVE)),
	OK_LEN(LEN(ckpt_pty_queue, data, SZ_32K), {}),
};

static const struct ckpt_locks good_locks = {
	.nr_locks = 3,
	.locks = {
		{
			.start = 100,
			.end = 109,
			.file = REF_FILE,
			.files = REF_FILES,
			.fd = THE_FD,
			.pid = 77,
			.kind = CKPT_LOCK_POSIX,
			.flags = CKPT_LOCK_WRITE,
		}, {
			.start = 0,
			.end = 0,
			.file = REF_FILE,
			.fd = -1,
			.kind = CKPT_LOCK_OFD,
		}, {
			.end = S64_MAX,
			.file = REF_FILE,
			.fd = -1,
			.pid = 77,
			.kind = CKPT_LOCK_FLOCK,
			.flags = CKPT_LOCK_WRITE,
		},
	},
};

static const struct change_case locks_cases[] = {
	BAD(SET(ckpt_locks, pad, 1)),
	BAD(SET(ckpt_locks, nr_locks, 2)),
	BAD(SET(ckpt_locks, nr_locks, 4)),
	BAD(SET(ckpt_locks, nr_locks, U32_MAX)),
	BAD_LEN(LEN(ckpt_locks, locks, 2), {}),
	BAD_LEN(LEN(ckpt_locks, locks, 3) - 4, {}),
	BAD(SET(ckpt_locks, locks[0].pad, 1)),
	BAD(SET(ckpt_locks, locks[0].flags, BIT(1))),
	BAD(SET(ckpt_locks, locks[0].kind, 3)),
	BAD(SET(ckpt_locks, locks[0].kind, U16_MAX)),
	BAD(SET(ckpt_locks, locks[0].pid, -1)),
	BAD(SET(ckpt_locks, locks[0].start, 110)),
	BAD(SET(ckpt_locks, locks[0].end, BIT_ULL(63))),
	/* Nothing would end it. */
	BAD(SET(ckpt_locks, locks[0].fd, -1)),
	BAD(SET(ckpt_locks, locks[0].fd, THE_FD - 1)),
	BAD(SET(ckpt_locks, locks[0].fd, THE_FD + 1)),
	BAD(SET(ckpt_locks, locks[0].file, REF_PIPE)),
	/* Those of an open file have no descriptor. */
	BAD(SET(ckpt_locks, locks[0].kind, CKPT_LOCK_OFD)),
	BAD(SET(ckpt_locks, locks[1].files, REF_FILES)),
	BAD(SET(ckpt_locks, locks[1].fd, THE_FD)),
	BAD(SET(ckpt_locks, locks[1].kind, CKPT_LOCK_POSIX)),
	BAD(SET(ckpt_locks, locks[1].kind, CKPT_LOCK_FLOCK)),
	/* flock() has no range. */
	BAD(SET(ckpt_locks, locks[2].start, 1)),
	BAD(SET(ckpt_locks, locks[2].end, S64_MAX - 1)),
	OK_LEN(LEN(ckpt_locks, locks, 0), SET(ckpt_locks, nr_locks, 0)),
	OK_LEN(LEN(ckpt_locks, locks, 2), SET(ckpt_locks, nr_locks, 2)),
	OK(SET(ckpt_locks, locks[0].start, 109)),
	OK(SET(ckpt_locks, locks[0].end, S64_MAX)),
	OK(SET(ckpt_locks, locks[0].flags, 0)),
	OK(SET(ckpt_locks, locks[0].pid, 0)),
	OK(SET(ckpt_locks, locks[2].kind, CKPT_LOCK_OFD)),
};

static const struct ckpt_inode good_inode = {
	.size = 5000,
	.mtime_sec = 1700000000,
	.mtime_nsec = 5,
	.mode = 0600,
	.uid = 1000,
	.gid = 1000,
	.cred = REF_CRED,
	.dir = "/tmp/dirs",
};

static const struct change_case inode_cases[] = {
	BAD(SET(ckpt_inode, size, BIT_ULL(63))),
	BAD(SET(ckpt_inode, mtime_nsec, NSEC_PER_SEC)),
	BAD(SET(ckpt_inode, mode, S_IFREG | 0600)),
	BAD(SET(ckpt_inode, mode, BIT(31))),
	BAD(SET(ckpt_inode, uid, U32_MAX)),
	BAD(SET(ckpt_inode, gid, U32_MAX)),
	BAD(SET(ckpt_inode, flags, BIT(1))),
	BAD(SET(ckpt_inode, flags, BIT(31) | CKPT_INODE_LINKABLE)),
	OK(SET(ckpt_inode, size, S64_MAX)),
	OK(SET(ckpt_inode, size, 0)),
	OK(SET(ckpt_inode, mtime_nsec, NSEC_PER_SEC - 1)),
	OK(SET(ckpt_inode, mode, 07777)),
	OK(SET(ckpt_inode, uid, U32_MAX - 1)),
	OK(SET(ckpt_inode, flags, CKPT_INODE_LINKABLE)),
};

/* --- event files ---------------------------------------------------------- */

#define GOOD_ANON	{ .open_flags = O_RDWR | O_NONBLOCK, .cred = REF_CRED }

/* They have no position, and are open for both. */
static const struct change_case anon_cases[] = {
	BAD(SET(ckpt_file_desc, pos, 1)),
	BAD(SET(ckpt_file_desc, open_flags, O_RDONLY)),
	BAD(SET(ckpt_file_desc, open_flags, O_WRONLY)),
	BAD(SET(ckpt_file_desc, open_flags, O_ACCMODE)),
	BAD(SET(ckpt_file_desc, open_flags, O_RDWR | O_DIRECT)),
	BAD(SET(ckpt_file_desc, open_flags, O_RDWR | O_PATH)),
	BAD(SET(ckpt_file_desc, open_flags, O_RDWR | FASYNC)),
	BAD(SET(ckpt_file_desc, open_flags, O_RDWR | O_CLOEXEC)),
	BAD(SET(ckpt_file_desc, bits, CKPT_FILE_MAPPED)),
	BAD(SET(ckpt_file_desc, bits, CKPT_FILE_EXEC)),
	BAD(SET(ckpt_file_desc, bits, CKPT_FILE_DEV_TTY)),
	BAD(SET(ckpt_file_desc, pad, 1)),
	OK(SET(ckpt_file_desc, open_flags, O_RDWR)),
	OK(SET(ckpt_file_desc, open_flags, O_RDWR | O_APPEND)),
};

static const struct ckpt_file_eventfd good_file_eventfd = {
	.desc = GOOD_ANON,
	.count = 5,
	.flags = CKPT_EVENTFD_SEMAPHORE,
};

static const struct change_case file_eventfd_cases[] = {
	BAD(SET(ckpt_file_eventfd, flags, BIT(1))),
	BAD(SET(ckpt_file_eventfd, flags, BIT(31))),
	BAD(SET(ckpt_file_eventfd, pad, 1)),
	OK(SET(ckpt_file_eventfd, flags, 0)),
	OK(SET(ckpt_file_eventfd, count, 0)),
	/* That it has run over. */
	OK(SET(ckpt_file_eventfd, count, U64_MAX)),
};

static const struct ckpt_file_signalfd good_file_signalfd = {
	.desc = GOOD_ANON,
	.mask = 0x4200,
};

static const struct change_case file_signalfd_cases[] = {
	BAD(SET(ckpt_file_signalfd, mask, BIT_ULL(SIGKILL - 1))),
	BAD(SET(ckpt_file_signalfd, mask, BIT_ULL(SIGSTOP - 1))),
	BAD(SET(ckpt_file_signalfd, mask, U64_MAX)),
	OK(SET(ckpt_file_signalfd, mask, 0)),
	OK(SET(ckpt_file_signalfd, mask, ~(BIT_ULL(SIGKILL - 1) |
					   BIT_ULL(SIGSTOP - 1)))),
};

static const struct ckpt_file_timerfd good_file_timerfd = {
	.desc = GOOD_ANON,
	.clock = CLOCK_MONOTONIC,
	.settime_flags = TFD_TIMER_ABSTIME,
	.ticks = 3,
	.interval_ns = 10,
	.time_ns = NSEC_PER_SEC,
	.flags = CKPT_TIMERFD_ACTIVE,
};

#define TFD_FLAGS(v)	SET(ckpt_file_timerfd, flags, CKPT_TIMERFD_##v)
#define TFD_FLAGS2(v, w)						\
	SET(ckpt_file_timerfd, flags, CKPT_TIMERFD_##v | CKPT_TIMERFD_##w)
#define TFD_CLOCK(v)	SET(ckpt_file_timerfd, clock, v)

static const struct change_case file_timerfd_cases[] = {
	BAD(TFD_CLOCK(CLOCK_TAI)),
	BAD(TFD_CLOCK(CLOCK_PROCESS_CPUTIME_ID)),
	BAD(TFD_CLOCK(CLOCK_MONOTONIC_RAW)),
	BAD(TFD_CLOCK(-1)),
	BAD(TFD_CLOCK(12)),
	BAD(SET(ckpt_file_timerfd, settime_flags, BIT(2))),
	BAD(SET(ckpt_file_timerfd, settime_flags, U32_MAX)),
	BAD(SET(ckpt_file_timerfd, flags, BIT(5))),
	BAD(SET(ckpt_file_timerfd, flags, BIT(31))),
	BAD(SET(ckpt_file_timerfd, pad, 1)),
	BAD(SET(ckpt_file_timerfd, interval_ns, BIT_ULL(63))),
	BAD(SET(ckpt_file_timerfd, time_ns, S64_MIN)),
	BAD(SET(ckpt_file_timerfd, flags, 0)),
	BAD(TFD_FLAGS2(ACTIVE, EXPIRED)),
	BAD(TFD_FLAGS2(ACTIVE, ABSOLUTE)),
	BAD(TFD_FLAGS2(ACTIVE, CANCEL)),
	BAD(TFD_CLOCK(CLOCK_BOOTTIME_ALARM), TFD_FLAGS2(ACTIVE, ABSOLUTE)),
	BAD(TFD_CLOCK(CLOCK_REALTIME), TFD_FLAGS2(ACTIVE, CANCELED)),
	BAD(TFD_CLOCK(CLOCK_REALTIME), TFD_FLAGS2(ACTIVE, ABSOLUTE),
	    SET(ckpt_file_timerfd, time_ns, -1)),
	OK(TFD_CLOCK(CLOCK_REALTIME)),
	OK(TFD_CLOCK(CLOCK_BOOTTIME)),
	OK(TFD_CLOCK(CLOCK_REALTIME_ALARM), TFD_FLAGS2(ACTIVE, ABSOLUTE)),
	OK(TFD_CLOCK(CLOCK_BOOTTIME_ALARM)),
	OK(TFD_CLOCK(CLOCK_REALTIME), TFD_FLAGS2(EXPIRED, CANCEL)),
	OK(TFD_CLOCK(CLOCK_REALTIME), TFD_FLAGS2(CANCEL, CANCELED),
	   SET(ckpt_file_timerfd, time_ns, 0)),
	OK(TFD_FLAGS(EXPIRED), SET(ckpt_file_timerfd, time_ns, -KTIME_MAX)),
	OK(SET(ckpt_file_timerfd, time_ns, KTIME_MAX)),
	OK(SET(ckpt_file_timerfd, interval_ns, KTIME_MAX)),
	OK(SET(ckpt_file_timerfd, ticks, U64_MAX)),
	OK(SET(ckpt_file_timerfd, flags, 0),
	   SET(ckpt_file_timerfd, time_ns, 0)),
	OK(SET(ckpt_file_timerfd, settime_flags, TFD_SETTIME_FLAGS)),
};

static const struct ckpt_file_epoll good_file_epoll = {
	.desc = GOOD_ANON,
	.busy_poll_usecs = 64,
	.busy_poll_budget = 16,
	.prefer_busy_poll = 1,
};

static const struct change_case file_epoll_cases[] = {
	BAD(SET(ckpt_file_epoll, busy_poll_usecs, BIT(31))),
	BAD(SET(ckpt_file_epoll, busy_poll_budget, BIT(16))),
	BAD(SET(ckpt_file_epoll, prefer_busy_poll, 2)),
	BAD(SET(ckpt_file_epoll, pad, 1)),
	OK(SET(ckpt_file_epoll, busy_poll_usecs, S32_MAX)),
	OK(SET(ckpt_file_epoll, busy_poll_budget, U16_MAX)),
	OK(SET(ckpt_file_epoll, prefer_busy_poll, 0)),
};

/* As the kernel keeps them. */
#define EVENTS(v)	((__force u32)((v) | EPOLLERR | EPOLLHUP))
#define ONLY_FLAGS(v)	((__force u32)(v))

static const struct ckpt_epoll_items good_epoll_items = {
	.nr_items = 2,
	.items = {
		{ .data = U64_MAX, .events = EVENTS(EPOLLIN | EPOLLET),
		  .fd = 3, .file = REF_FILE, .flags = CKPT_EPOLL_READY },
		{ .events = EVENTS(EPOLLOUT), .fd = 0, .file = REF_EPOLL },
	},
};

/* The items begin at the same place for a task, too. */
static_assert(offsetof(struct ckpt_epoll_items, items) ==
	      offsetof(struct ckpt_task_epoll, items));

static const struct change_case item_cases[] = {
	BAD(SET(ckpt_epoll_items, items[0].flags, BIT(1))),
	BAD(SET(ckpt_epoll_items, items[1].flags, BIT(31))),
	BAD(SET(ckpt_epoll_items, items[0].fd, -1)),
	BAD(SET(ckpt_epoll_items, items[1].fd, INT_MIN)),
	/* The two that are always watched for. */
	BAD(SET(ckpt_epoll_items, items[0].events, ONLY_FLAGS(EPOLLIN))),
	BAD(SET(ckpt_epoll_items, items[0].events, ONLY_FLAGS(EPOLLIN | EPOLLHUP))),
	/* Watched for nothing is what EPOLLONESHOT has disabled. */
	BAD(SET(ckpt_epoll_items, items[0].events, 0)),
	BAD(SET(ckpt_epoll_items, items[0].events, ONLY_FLAGS(EPOLLET))),
	OK(SET(ckpt_epoll_items, items[0].events, ONLY_FLAGS(EPOLLONESHOT))),
	OK(SET(ckpt_epoll_items, items[0].events, ONLY_FLAGS(EPOLLONESHOT | EPOLLET))),
	OK(SET(ckpt_epoll_items, items[0].events, EVENTS(0))),
	OK(SET(ckpt_epoll_items, items[0].events, EVENTS(EPOLLIN | EPOLLWAKEUP))),
	OK(SET(ckpt_epoll_items, items[0].events, EVENTS(EPOLLIN | EPOLLEXCLUSIVE))),
	BAD(SET(ckpt_epoll_items, items[0].events,
		EVENTS(EPOLLPRI | EPOLLEXCLUSIVE))),
	BAD(SET(ckpt_epoll_items, items[0].events,
		EVENTS(EPOLLONESHOT | EPOLLEXCLUSIVE))),
	BAD(SET(ckpt_epoll_items, items[0].events,
		ONLY_FLAGS(EPOLLONESHOT | EPOLLEXCLUSIVE))),
	OK(SET(ckpt_epoll_items, items[0].fd, INT_MAX)),
	OK(SET(ckpt_epoll_items, items[1].flags, CKPT_EPOLL_READY)),
};

static const struct change_case epoll_items_cases[] = {
	BAD(SET(ckpt_epoll_items, nr_items, 0)),
	BAD(SET(ckpt_epoll_items, nr_items, 1)),
	BAD(SET(ckpt_epoll_items, nr_items, 3)),
	BAD(SET(ckpt_epoll_items, nr_items, U32_MAX)),
	BAD_LEN(LEN(ckpt_epoll_items, items, 0), SET(ckpt_epoll_items, nr_items, 0)),
	BAD_LEN(LEN(ckpt_epoll_items, items, 2) - 8, {}),
	BAD(SET(ckpt_epoll_items, pad, 1)),
	/* These are for a task. */
	BAD(SET(ckpt_epoll_items, items[0].file, REF_SIGNALFD)),
	BAD(SET(ckpt_epoll_items, items[1].file, REF_SIGNALFD)),
	OK_LEN(LEN(ckpt_epoll_items, items, 1),
	       SET(ckpt_epoll_items, nr_items, 1)),
};

static const struct ckpt_task_epoll good_task_epoll = {
	.epoll = REF_EPOLL,
	.nr_items = 2,
	.items = {
		{ .data = 7, .events = EVENTS(EPOLLIN), .fd = 3,
		  .file = REF_SIGNALFD },
		{ .events = EVENTS(EPOLLIN), .fd = 4, .file = REF_SIGNALFD },
	},
};

static const struct change_case task_epoll_cases[] = {
	BAD(SET(ckpt_task_epoll, nr_items, 0)),
	BAD(SET(ckpt_task_epoll, nr_items, 1)),
	BAD(SET(ckpt_task_epoll, nr_items, 3)),
	BAD(SET(ckpt_task_epoll, nr_items, U32_MAX)),
	BAD_LEN(LEN(ckpt_task_epoll, items, 0), SET(ckpt_task_epoll, nr_items, 0)),
	BAD_LEN(LEN(ckpt_task_epoll, items, 2) - 8, {}),
	OK_LEN(LEN(ckpt_task_epoll, items, 1),
	       SET(ckpt_task_epoll, nr_items, 1)),
};

static const struct ckpt_file_pidfd good_file_pidfd = {
	.desc = GOOD_ANON,
	.pid = 17,
	.flags = CKPT_PIDFD_THREAD,
};

static const struct change_case file_pidfd_cases[] = {
	BAD(SET(ckpt_file_pidfd, pid, 0)),
	BAD(SET(ckpt_file_pidfd, pid, -1)),
	BAD(SET(ckpt_file_pidfd, flags, BIT(1))),
	BAD(SET(ckpt_file_pidfd, flags, BIT(31))),
	/* PIDFD_THREAD has a flag of its own. */
	BAD(SET(ckpt_file_pidfd, desc.open_flags, O_RDWR | O_EXCL)),
	OK(SET(ckpt_file_pidfd, pid, INT_MAX)),
	OK(SET(ckpt_file_pidfd, flags, 0)),
};

static const struct ckpt_file_inotify good_file_inotify = {
	.desc = { .open_flags = O_NONBLOCK, .cred = REF_CRED },
	.next_wd = 5,
};

static const struct change_case file_inotify_cases[] = {
	BAD(SET(ckpt_file_inotify, desc.pos, 1)),
	BAD(SET(ckpt_file_inotify, desc.open_flags, O_RDWR)),
	BAD(SET(ckpt_file_inotify, desc.open_flags, O_WRONLY)),
	BAD(SET(ckpt_file_inotify, desc.open_flags, O_PATH)),
	BAD(SET(ckpt_file_inotify, desc.bits, CKPT_FILE_MAPPED)),
	BAD(SET(ckpt_file_inotify, pad, 1)),
	OK(SET(ckpt_file_inotify, desc.open_flags, O_RDONLY)),
	/* It goes around. */
	OK(SET(ckpt_file_inotify, next_wd, U32_MAX)),
};

static const struct ckpt_inotify_watch good_inotify_watch = {
	.wd = 3,
	.mask = IN_CREATE | IN_DELETE | IN_ONESHOT,
	.mode = S_IFDIR,
	.path = "/tmp/dirs",
};

static const struct change_case inotify_watch_cases[] = {
	BAD(SET(ckpt_inotify_watch, wd, 0)),
	BAD(SET(ckpt_inotify_watch, wd, -1)),
	BAD(SET(ckpt_inotify_watch, mask, IN_ISDIR)),
	BAD(SET(ckpt_inotify_watch, mask, IN_MASK_ADD | IN_CREATE)),
	BAD(SET(ckpt_inotify_watch, mask, IN_ONLYDIR | IN_CREATE)),
	BAD(SET(ckpt_inotify_watch, mask, IN_UNMOUNT)),
	BAD(SET(ckpt_inotify_watch, mode, S_IFDIR | 0700)),
	BAD(SET(ckpt_inotify_watch, pad, 1)),
	OK(SET(ckpt_inotify_watch, wd, INT_MAX)),
	OK(SET(ckpt_inotify_watch, mask, 0)),
	OK(SET(ckpt_inotify_watch, mask, IN_ALL_EVENTS | IN_EXCL_UNLINK)),
	OK(SET(ckpt_inotify_watch, mode, S_IFREG)),
};

static const struct ckpt_inotify_event good_inotify_event = {
	.wd = 3,
	.mask = IN_MOVED_TO | IN_ISDIR,
	.cookie = 77,
	.name = "name",
};

static const struct change_case inotify_event_cases[] = {
	BAD(SET(ckpt_inotify_event, wd, 0)),
	BAD(SET(ckpt_inotify_event, wd, -1)),
	BAD(SET(ckpt_inotify_event, mask, 0)),
	BAD(SET(ckpt_inotify_event, mask, IN_ONESHOT)),
	BAD(SET(ckpt_inotify_event, mask, BIT(27))),
	BAD(SET(ckpt_inotify_event, pad, 1)),
	BAD(SET(ckpt_inotify_event, name[2], 0)),
	/* Some were lost. */
	BAD(SET(ckpt_inotify_event, mask, IN_Q_OVERFLOW)),
	BAD_LEN(LEN(ckpt_inotify_event, name, 0),
		SET(ckpt_inotify_event, mask, IN_Q_OVERFLOW),
		SET(ckpt_inotify_event, cookie, 0)),
	BAD_LEN(LEN(ckpt_inotify_event, name, 0),
		SET(ckpt_inotify_event, mask, IN_Q_OVERFLOW | IN_OPEN),
		SET(ckpt_inotify_event, wd, -1),
		SET(ckpt_inotify_event, cookie, 0)),
	OK_LEN(LEN(ckpt_inotify_event, name, 0),
	       SET(ckpt_inotify_event, mask, IN_Q_OVERFLOW),
	       SET(ckpt_inotify_event, wd, -1),
	       SET(ckpt_inotify_event, cookie, 0)),
	OK_LEN(LEN(ckpt_inotify_event, name, 0),
	       SET(ckpt_inotify_event, mask, IN_IGNORED)),
	OK_LEN(LEN(ckpt_inotify_event, name, NAME_MAX),
	       FILL_TAIL(ckpt_inotify_event, name, NAME_MAX, 'x')),
	OK(SET(ckpt_inotify_event, wd, INT_MAX)),
};

/* --- sockets -------------------------------------------------------------- */

static const struct ckpt_file_socket good_file_socket = {
	.desc = { .open_flags = O_RDWR | O_NONBLOCK, .cred = REF_CRED },
	.sock = REF_UNIX,
	.mode = 0777,
	.uid = 1000,
	.gid = 1000,
};

static const struct change_case file_socket_cases[] = {
	BAD(SET(ckpt_file_socket, desc.pos, 1)),
	BAD(SET(ckpt_file_socket, desc.open_flags, O_RDONLY)),
	BAD(SET(ckpt_file_socket, desc.open_flags, O_WRONLY)),
	BAD(SET(ckpt_file_socket, desc.open_flags, O_PATH)),
	BAD(SET(ckpt_file_socket, desc.open_flags, O_RDWR | O_DIRECT)),
	BAD(SET(ckpt_file_socket, desc.open_flags, O_RDWR | O_DIRECTORY)),
	BAD(SET(ckpt_file_socket, desc.open_flags, O_RDWR | O_LARGEFILE)),
	BAD(SET(ckpt_file_socket, desc.open_flags, O_RDWR | FASYNC)),
	BAD(ADD(ckpt_file_socket, desc.open_flags, BIT(31))),
	BAD(SET(ckpt_file_socket, desc.pad, 1)),
	BAD(ADD(ckpt_file_socket, desc.bits, BIT(31))),
	BAD(SET(ckpt_file_socket, desc.bits, CKPT_FILE_MAPPED)),
	BAD(SET(ckpt_file_socket, desc.bits, CKPT_FILE_EXEC)),
	BAD(SET(ckpt_file_socket, desc.bits, CKPT_FILE_NOWAIT)),
	BAD(SET(ckpt_file_socket, sock, REF_UNIX_DEAD)),
	BAD(SET(ckpt_file_socket, sock, REF_UNIX_EMBRYO)),
	BAD(SET(ckpt_file_socket, mode, S_IFSOCK | 0777)),
	BAD(SET(ckpt_file_socket, uid, U32_MAX)),
	BAD(SET(ckpt_file_socket, gid, U32_MAX)),
	OK(SET(ckpt_file_socket, desc.open_flags,
	       O_RDWR | O_APPEND | O_NOATIME)),
	OK(SET(ckpt_file_socket, desc.bits,
	       CKPT_FILE_RANDOM | CKPT_FILE_NOREUSE)),
	OK(SET(ckpt_file_socket, sock, REF_UNIX_DGRAM)),
	OK(SET(ckpt_file_socket, sock, REF_NETLINK)),
};

#define GOOD_SOCK(socket_type)						\
	{								\
		.type = (socket_type),					\
		.sndbuf = 212992,					\
		.rcvbuf = 212992,					\
		.rcvlowat = 1,						\
		.peek_off = -1,						\
		.rcvtimeo_us = -1,					\
		.sndtimeo_us = -1,					\
		.stamp_ns = SK_DEFAULT_STAMP,				\
		.max_pacing_rate = U64_MAX,				\
		.incoming_cpu = -1,					\
	}

static const struct change_case sock_cases[] = {
	BAD(SET(ckpt_sock, flags, BIT_ULL(29))),
	BAD(SET(ckpt_sock, flags, BIT_ULL(63))),
	BAD(SET(ckpt_sock, flags, CKPT_SOCK_TIMESTAMPNS)),
	BAD(SET(ckpt_sock, flags, CKPT_SOCK_TXTIME_DEADLINE)),
	BAD(SET(ckpt_sock, flags, CKPT_SOCK_TXTIME_ERRORS)),
	BAD(SET(ckpt_sock, sndbuf, 0)),
	BAD(SET(ckpt_sock, sndbuf, -1)),
	BAD(SET(ckpt_sock, rcvbuf, 0)),
	BAD(SET(ckpt_sock, rcvbuf, INT_MIN)),
	BAD(SET(ckpt_sock, rcvlowat, 0)),
	BAD(SET(ckpt_sock, rcvtimeo_us, -2)),
	BAD(SET(ckpt_sock, sndtimeo_us, -2)),
	BAD(SET(ckpt_sock, linger_s, -2)),
	BAD(SET(ckpt_sock, linger_s, 1LL << 31)),
	BAD(SET(ckpt_sock, stamp_ns, SK_DEFAULT_STAMP - 1)),
	BAD(SET(ckpt_sock, timestamping, SOF_TIMESTAMPING_LAST << 1)),
	BAD(SET(ckpt_sock, timestamping, SOF_TIMESTAMPING_BIND_PHC)),
	BAD(SET(ckpt_sock, timestamping, SOF_TIMESTAMPING_OPT_ID_TCP)),
	BAD(SET(ckpt_sock, timestamping, SOF_TIMESTAMPING_OPT_STATS)),
	BAD(SET(ckpt_sock, busy_poll_us, BIT(31))),
	BAD(SET(ckpt_sock, busy_poll_budget, BIT(16))),
	BAD(SET(ckpt_sock, txtime_clock, CLOCK_MONOTONIC)),
	BAD(SET(ckpt_sock, flags, CKPT_SOCK_TXTIME),
	    SET(ckpt_sock, txtime_clock, CLOCK_BOOTTIME)),
	BAD(SET(ckpt_sock, txrehash, 2)),
	BAD(SET(ckpt_sock, error, -1)),
	BAD(SET(ckpt_sock, error, MAX_ERRNO + 1)),
	BAD(SET(ckpt_sock, error_soft, -1)),
	BAD(FILL(ckpt_sock, device, 'x')),
	OK(SET(ckpt_sock, flags, GENMASK_ULL(28, 0)),
	   SET(ckpt_sock, txtime_clock, CLOCK_TAI)),
	OK(SET(ckpt_sock, incoming_cpu, INT_MIN)),
	OK(SET(ckpt_sock, sndbuf, INT_MAX)),
	OK(SET(ckpt_sock, rcvlowat, INT_MAX)),
	OK(SET(ckpt_sock, rcvtimeo_us, 0)),
	OK(SET(ckpt_sock, sndtimeo_us, S64_MAX)),
	OK(SET(ckpt_sock, linger_s, -1)),
	OK(SET(ckpt_sock, peek_off, INT_MIN)),
	OK(SET(ckpt_sock, error, ECONNRESET)),
	OK(FILL(ckpt_sock, device, 'x'), SET(ckpt_sock, device[15], 0)),
};

/* Bound to /tmp/s. */
static const struct ckpt_unix good_unix = {
	.sock = GOOD_SOCK(SOCK_STREAM),
	.flags = CKPT_UNIX_BOUND,
	.cred = REF_CRED,
	.name_len = 2,
	.mode = 0700,
	.uid = 1000,
	.gid = 1000,
	.names = "s\0/tmp",
};

/* mode, uid and gid are 0. */
#define UNIX_NO_FILE							\
	{ .offset = offsetof(struct ckpt_unix, mode),			\
	  .size = 3 * sizeof(u32), .how = CHANGE_FILL }

static const struct change_case unix_cases[] = {
	BAD(SET(ckpt_unix, sock.type, 0)),
	BAD(SET(ckpt_unix, sock.type, SOCK_RAW)),
	BAD(SET(ckpt_unix, sock.type, SOCK_SEQPACKET | SOCK_NONBLOCK)),
	BAD(SET(ckpt_unix, sock.protocol, 1)),
	BAD(SET(ckpt_unix, flags, BIT(3) | CKPT_UNIX_BOUND)),
	BAD(SET(ckpt_unix, flags, BIT(31) | CKPT_UNIX_BOUND)),
	BAD(ADD(ckpt_unix, flags, CKPT_UNIX_DEAD), SET(ckpt_unix, cred, 0)),
	BAD(ADD(ckpt_unix, flags, CKPT_UNIX_EMBRYO), SET(ckpt_unix, cred, 0)),
	BAD(SET(ckpt_unix, cred, REF_FS)),
	BAD(SET(ckpt_unix, cred, 0)),
	BAD(SET(ckpt_unix, name_len, 0)),
	BAD(SET(ckpt_unix, name_len, 1)),
	BAD(SET(ckpt_unix, name_len, 3)),
	BAD(SET(ckpt_unix, name_len, 8)),
	BAD(SET(ckpt_unix, name_len, U32_MAX)),
	BAD(SET(ckpt_unix, names[1], 't')),
	BAD(SET(ckpt_unix, names[2], 't')),
	BAD(SET(ckpt_unix, names[4], 0)),
	BAD(SET(ckpt_unix, names[6], 'x')),
	BAD(SET(ckpt_unix, mode, S_IFSOCK | 0700)),
	BAD(SET(ckpt_unix, uid, U32_MAX)),
	BAD(SET(ckpt_unix, gid, U32_MAX)),
	/* An abstract name has no file. */
	BAD(SET(ckpt_unix, names[0], 0), UNIX_NO_FILE),
	BAD_LEN(LEN(ckpt_unix, names, 2), SET(ckpt_unix, names[0], 0)),
	/* Only shown, as nothing is left of the file. */
	BAD(SET(ckpt_unix, flags, 0), UNIX_NO_FILE),
	BAD_LEN(LEN(ckpt_unix, names, 2), SET(ckpt_unix, flags, 0)),
	BAD_LEN(LEN(ckpt_unix, names, 0), SET(ckpt_unix, name_len, 0),
		UNIX_NO_FILE),
	BAD_LEN(LEN(ckpt_unix, names, 2), SET(ckpt_unix, flags, CKPT_UNIX_EMBRYO),
		UNIX_NO_FILE),
	BAD_LEN(LEN(ckpt_unix, names, 110), SET(ckpt_unix, name_len, 110),
		SET(ckpt_unix, names[0], 0), UNIX_NO_FILE),
	OK(SET(ckpt_unix, sock.type, SOCK_DGRAM)),
	OK(SET(ckpt_unix, sock.type, SOCK_SEQPACKET)),
	OK(SET(ckpt_unix, names[0], 0xff)),
	OK_LEN(LEN(ckpt_unix, names, 2), SET(ckpt_unix, names[0], 0),
	       UNIX_NO_FILE),
	OK_LEN(LEN(ckpt_unix, names, 2), SET(ckpt_unix, flags, 0),
	       UNIX_NO_FILE),
	OK_LEN(LEN(ckpt_unix, names, 0), SET(ckpt_unix, flags, 0),
	       SET(ckpt_unix, name_len, 0), UNIX_NO_FILE),
};

static const struct ckpt_unix_msg good_unix_msg = {
	.flags = CKPT_UNIX_MSG_CREDS,
	.from = REF_UNIX_PEER,
	.pid = 5,
	.uid = 1000,
	.gid = 1000,
	.nr_files = 1,
	.stamp_ns = 17,
	.data = { REF_FILE, 0, 0, 0, 'd', 'a', 't', 'a' },
};

#define UNIX_MSG_LEN(n)		LEN(ckpt_unix_msg, data, n)
/* pid, uid and gid are 0. */
#define UNIX_MSG_BARE							\
	{ .offset = offsetof(struct ckpt_unix_msg, pid),		\
	  .size = 3 * sizeof(u32), .how = CHANGE_FILL }

static const struct change_case unix_msg_cases[] = {
	BAD(SET(ckpt_unix_msg, pad, 1)),
	BAD(ADD(ckpt_unix_msg, flags, BIT(4))),
	BAD(ADD(ckpt_unix_msg, flags, BIT(31))),
	BAD(ADD(ckpt_unix_msg, flags, CKPT_UNIX_MSG_OOB)),
	BAD(ADD(ckpt_unix_msg, flags, CKPT_UNIX_MSG_OOB_READ)),
	BAD(ADD(ckpt_unix_msg, flags, CKPT_UNIX_MSG_CONNECTION)),
	BAD(SET(ckpt_unix_msg, flags, 0)),
	BAD(SET(ckpt_unix_msg, pid, -1)),
	BAD(SET(ckpt_unix_msg, uid, U32_MAX)),
	BAD(SET(ckpt_unix_msg, gid, U32_MAX)),
	BAD(SET(ckpt_unix_msg, stamp_ns, -1)),
	BAD(SET(ckpt_unix_msg, from, REF_UNIX)),
	BAD(SET(ckpt_unix_msg, from, REF_UNIX_DGRAM)),
	BAD(SET(ckpt_unix_msg, nr_files, 2)),
	BAD(SET(ckpt_unix_msg, nr_files, 254)),
	BAD(SET(ckpt_unix_msg, nr_files, U32_MAX)),
	BAD(SET(ckpt_unix_msg, name_len, 1)),
	BAD(SET(ckpt_unix_msg, name_len, U32_MAX)),
	BAD(SET(ckpt_unix_msg, data[0], REF_CRED)),
	BAD(SET(ckpt_unix_msg, data[0], REF_FILE_SYSV)),
	BAD(SET(ckpt_unix_msg, data[0], 0)),
	/* A stream has no empty messages. */
	BAD_LEN(UNIX_MSG_LEN(4), {}),
	BAD_LEN(UNIX_MSG_LEN(0), {}),
	BAD_LEN(UNIX_MSG_LEN(6), ADD(ckpt_unix_msg, flags, CKPT_UNIX_MSG_OOB)),
	BAD_LEN(UNIX_MSG_LEN(5),
		ADD(ckpt_unix_msg, flags, CKPT_UNIX_MSG_OOB_READ)),
	BAD_LEN(UNIX_MSG_LEN(0), SET(ckpt_unix_msg, nr_files, 0),
		ADD(ckpt_unix_msg, flags, CKPT_UNIX_MSG_OOB |
					  CKPT_UNIX_MSG_OOB_READ)),
	OK_LEN(UNIX_MSG_LEN(5), ADD(ckpt_unix_msg, flags, CKPT_UNIX_MSG_OOB)),
	OK_LEN(UNIX_MSG_LEN(0), SET(ckpt_unix_msg, nr_files, 0),
	       ADD(ckpt_unix_msg, flags, CKPT_UNIX_MSG_OOB_READ)),
	OK_LEN(UNIX_MSG_LEN(4),
	       ADD(ckpt_unix_msg, flags, CKPT_UNIX_MSG_OOB_READ)),
	OK(SET(ckpt_unix_msg, nr_files, 0)),
	OK(SET(ckpt_unix_msg, from, REF_UNIX_DEAD)),
	OK(SET(ckpt_unix_msg, from, REF_UNIX_EMBRYO)),
	OK(SET(ckpt_unix_msg, pid, 0)),
	OK(SET(ckpt_unix_msg, flags, 0), UNIX_MSG_BARE),
};

static const struct ckpt_unix_state good_unix_state = {
	.flags = CKPT_UNIX_CONNECTED | CKPT_UNIX_SS_CONNECTED,
	.shutdown = 1,
	.peer = REF_UNIX_PEER,
	.peer_cred = REF_CRED,
	.peer_pid = 5,
};

static const struct change_case unix_state_cases[] = {
	BAD(ADD(ckpt_unix_state, flags, BIT(3))),
	BAD(ADD(ckpt_unix_state, flags, BIT(31))),
	BAD(ADD(ckpt_unix_state, flags, CKPT_UNIX_LISTENING)),
	BAD(DROP(ckpt_unix_state, flags, CKPT_UNIX_CONNECTED)),
	BAD(SET(ckpt_unix_state, shutdown, 4)),
	BAD(SET(ckpt_unix_state, peer, 0)),
	BAD(SET(ckpt_unix_state, peer, REF_UNIX)),
	BAD(SET(ckpt_unix_state, peer, REF_UNIX_DGRAM)),
	BAD(SET(ckpt_unix_state, peer_cred, REF_FS)),
	BAD(SET(ckpt_unix_state, peer_pid, -1)),
	BAD(SET(ckpt_unix_state, backlog, 1)),
	OK(SET(ckpt_unix_state, shutdown, 3)),
	OK(SET(ckpt_unix_state, peer, REF_UNIX_DEAD)),
	OK(SET(ckpt_unix_state, peer_cred, 0)),
	OK(SET(ckpt_unix_state, flags, CKPT_UNIX_LISTENING),
	   SET(ckpt_unix_state, peer, 0), SET(ckpt_unix_state, backlog, 128)),
	OK(SET(ckpt_unix_state, flags, 0), SET(ckpt_unix_state, peer, 0)),
};

/* Bound to 127.0.0.1:80. */
static const struct ckpt_inet good_inet = {
	.sock = {
		.type = SOCK_STREAM,
		.protocol = IPPROTO_TCP,
		.sndbuf = 16384,
		.rcvbuf = 131072,
		.rcvlowat = 1,
		.peek_off = -1,
		.rcvtimeo_us = -1,
		.sndtimeo_us = -1,
		.stamp_ns = -1,
		.incoming_cpu = -1,
	},
	.family = AF_INET,
	.flags = CKPT_INET_BOUND | CKPT_INET_ADDR_LOCK | CKPT_INET_PORT_LOCK,
	.socket_state = 1,
	.cred = REF_CRED,
	.local = { .addr = { 127, 0, 0, 1 }, .port = 80 },
	.congestion = "reno",
	.options = {
		{ 0, 1 /* IP_TOS */, 16 },
		{ 0, 2 /* IP_TTL */, 64 },
		{ 6, 1 /* TCP_NODELAY */, 1 },
	},
};

#define INET_UDP							\
	SET(ckpt_inet, sock.type, SOCK_DGRAM),				\
	SET(ckpt_inet, sock.protocol, IPPROTO_UDP),			\
	{ .offset = offsetof(struct ckpt_inet, congestion),		\
	  .size = 16, .how = CHANGE_FILL }
#define INET_CONNECTED							\
	SET(ckpt_inet, state, CKPT_INET_CONNECTED),			\
	SET(ckpt_inet, remote.port, 81)

static const struct change_case inet_cases[] = {
	BAD(SET(ckpt_inet, sock.type, SOCK_RAW)),
	BAD(SET(ckpt_inet, sock.type, SOCK_DGRAM)),
	BAD(SET(ckpt_inet, sock.protocol, 0)),
	BAD(SET(ckpt_inet, sock.protocol, IPPROTO_UDP)),
	BAD(SET(ckpt_inet, family, AF_UNIX)),
	BAD(SET(ckpt_inet, family, 0)),
	BAD(ADD(ckpt_inet, flags, BIT(6))),
	BAD(ADD(ckpt_inet, flags, BIT(31))),
	BAD(ADD(ckpt_inet, flags, CKPT_INET_DONE)),
	BAD(ADD(ckpt_inet, flags, CKPT_INET_DONE), INET_CONNECTED),
	BAD(ADD(ckpt_inet, flags, CKPT_INET_DEAD), SET(ckpt_inet, cred, 0)),
	BAD(ADD(ckpt_inet, flags, CKPT_INET_DEAD | CKPT_INET_EMBRYO),
	    SET(ckpt_inet, cred, 0), INET_CONNECTED),
	BAD(ADD(ckpt_inet, flags, CKPT_INET_EMBRYO), INET_CONNECTED),
	BAD(SET(ckpt_inet, flags, CKPT_INET_PORT_LOCK)),
	BAD(SET(ckpt_inet, state, 4)),
	BAD(SET(ckpt_inet, state, CKPT_INET_CONNECTED)),
	BAD(INET_CONNECTED, SET(ckpt_inet, flags, 0)),
	BAD(SET(ckpt_inet, state, CKPT_INET_LISTENING),
	    SET(ckpt_inet, flags, 0)),
	BAD(SET(ckpt_inet, state, CKPT_INET_LISTENING),
	    SET(ckpt_inet, remote.port, 1)),
	BAD(SET(ckpt_inet, remote.port, 1)),
	BAD(SET(ckpt_inet, local.port, 0)),
	BAD(SET(ckpt_inet, local.pad, 1)),
	BAD(SET(ckpt_inet, local.addr[4], 1)),
	BAD(SET(ckpt_inet, remote.addr[15], 1)),
	BAD(SET(ckpt_inet, socket_state, 0)),
	BAD(SET(ckpt_inet, socket_state, 5)),
	BAD(SET(ckpt_inet, shutdown, 3)),
	BAD(SET(ckpt_inet, state, CKPT_INET_CLOSED),
	    SET(ckpt_inet, shutdown, 4)),
	BAD(SET(ckpt_inet, backlog, 1)),
	BAD(SET(ckpt_inet, cred, 0)),
	BAD(SET(ckpt_inet, cred, REF_FS)),
	BAD(SET(ckpt_inet, congestion[0], 0)),
	BAD(FILL(ckpt_inet, congestion, 'x')),
	BAD(SET(ckpt_inet, options[0].name, 3)),
	BAD(SET(ckpt_inet, options[0].level, 1)),
	BAD(SET(ckpt_inet, options[1].name, 1)),
	BAD(SET(ckpt_inet, options[2].level, 17)),
	BAD(SET(ckpt_inet, options[2].level, 41),
	    SET(ckpt_inet, options[2].name, 26)),
	BAD_LEN(LEN(ckpt_inet, options, 3) - 4),
	BAD(INET_UDP),
	BAD_LEN(LEN(ckpt_inet, options, 2), INET_UDP,
		SET(ckpt_inet, congestion[0], 'r')),
	BAD_LEN(LEN(ckpt_inet, options, 2), INET_UDP,
		SET(ckpt_inet, state, CKPT_INET_LISTENING)),
	OK_LEN(LEN(ckpt_inet, options, 2), INET_UDP),
	OK_LEN(LEN(ckpt_inet, options, 2), INET_UDP, INET_CONNECTED),
	OK_LEN(LEN(ckpt_inet, options, 2), INET_UDP,
	       SET(ckpt_inet, state, CKPT_INET_CONNECTED)),
	OK_LEN(LEN(ckpt_inet, options, 0)),
	OK(SET(ckpt_inet, family, AF_INET6), SET(ckpt_inet, local.addr[15], 1)),
	OK(SET(ckpt_inet, state, CKPT_INET_LISTENING),
	   SET(ckpt_inet, backlog, 128)),
	OK(INET_CONNECTED, SET(ckpt_inet, shutdown, 3)),
	OK(INET_CONNECTED, SET(ckpt_inet, cred, 0),
	   ADD(ckpt_inet, flags, CKPT_INET_EMBRYO)),
	OK(INET_CONNECTED, SET(ckpt_inet, cred, 0),
	   ADD(ckpt_inet, flags, CKPT_INET_DEAD)),
	OK(ADD(ckpt_inet, flags, CKPT_INET_DONE),
	   SET(ckpt_inet, state, CKPT_INET_CLOSED)),
	OK(SET(ckpt_inet, state, CKPT_INET_CLOSED), SET(ckpt_inet, flags, 0),
	   SET(ckpt_inet, shutdown, 3), SET(ckpt_inet, socket_state, 3)),
	OK(SET(ckpt_inet, options[0].value, -1)),
};

static const struct ckpt_inet_msg good_inet_msg = {
	.from = { .addr = { 127, 0, 0, 1 }, .port = 4000 },
	.to = { .addr = { 127, 0, 0, 2 }, .port = 53 },
	.stamp_ns = 1,
	.family = AF_INET,
	.ttl = 64,
	.data = "data",
};

static const struct change_case inet_msg_cases[] = {
	BAD(SET(ckpt_inet_msg, family, AF_INET6)),
	BAD(SET(ckpt_inet_msg, family, AF_UNIX)),
	BAD(SET(ckpt_inet_msg, ttl, 256)),
	BAD(SET(ckpt_inet_msg, tos, 256)),
	BAD(SET(ckpt_inet_msg, stamp_ns, -1)),
	BAD(SET(ckpt_inet_msg, from.pad, 1)),
	BAD(SET(ckpt_inet_msg, from.addr[4], 1)),
	BAD(SET(ckpt_inet_msg, to.addr[15], 1)),
	OK(SET(ckpt_inet_msg, from.port, 0)),
	OK(SET(ckpt_inet_msg, ttl, 255), SET(ckpt_inet_msg, tos, 255)),
	OK_LEN(LEN(ckpt_inet_msg, data, 0)),
	OK_LEN(LEN(ckpt_inet_msg, data, 65527)),
};

static const struct ckpt_inet_data good_inet_data = {
	.queue = CKPT_INET_UNSENT,
	.data = "data",
};

static const struct change_case inet_data_cases[] = {
	BAD(SET(ckpt_inet_data, pad, 1)),
	BAD(SET(ckpt_inet_data, queue, 2)),
	BAD_LEN(LEN(ckpt_inet_data, data, 0)),
	OK(SET(ckpt_inet_data, queue, CKPT_INET_RECEIVED)),
	OK_LEN(LEN(ckpt_inet_data, data, 1)),
};

static const struct ckpt_tcp good_tcp = {
	.flags = CKPT_TCP_TIMESTAMPS | CKPT_TCP_SACK | CKPT_TCP_WSCALE,
	.peer = REF_INET_PEER,
	.mss = 65483,
	.snd_wscale = 7,
	.rcv_wscale = 14,
	.window = 65536,
};

#define TCP_ALONE							\
	SET(ckpt_tcp, peer, 0),						\
	ADD(ckpt_tcp, flags, CKPT_TCP_FIN_RECEIVED)

static const struct change_case tcp_cases[] = {
	BAD(SET(ckpt_tcp, pad, 1)),
	BAD(ADD(ckpt_tcp, flags, BIT(5))),
	BAD(ADD(ckpt_tcp, flags, BIT(31))),
	BAD(ADD(ckpt_tcp, flags, CKPT_TCP_FIN_RECEIVED)),
	BAD(SET(ckpt_tcp, peer, 0)),
	BAD(SET(ckpt_tcp, peer, REF_INET)),
	BAD(SET(ckpt_tcp, peer, REF_UDP)),
	BAD(SET(ckpt_tcp, peer, REF_UNIX)),
	BAD(SET(ckpt_tcp, peer, REF_INET_LISTENER)),
	BAD(SET(ckpt_tcp, listener, REF_INET_LISTENER)),
	BAD(SET(ckpt_tcp, mss, 87)),
	BAD(SET(ckpt_tcp, mss, 65536)),
	BAD(SET(ckpt_tcp, snd_wscale, 15)),
	BAD(SET(ckpt_tcp, rcv_wscale, 15)),
	BAD(SET(ckpt_tcp, flags, 0)),
	BAD(SET(ckpt_tcp, window, (65535 << 14) + 1)),
	OK(ADD(ckpt_tcp, flags, CKPT_TCP_FIN)),
	OK(TCP_ALONE),
	OK(SET(ckpt_tcp, flags, 0), SET(ckpt_tcp, snd_wscale, 0),
	   SET(ckpt_tcp, rcv_wscale, 0)),
	OK(SET(ckpt_tcp, peer, REF_INET_EMBRYO)),
	OK(SET(ckpt_tcp, window, 65535 << 14)),
};

/* Of NETLINK_ROUTE, bound and connected, a member of groups 1, 5 and 33. */
static const struct ckpt_netlink good_netlink = {
	.sock = {
		.type = SOCK_RAW,
		.protocol = NETLINK_ROUTE,
		.sndbuf = 212992,
		.rcvbuf = 212992,
		.rcvlowat = 1,
		.peek_off = -1,
		.rcvtimeo_us = -1,
		.sndtimeo_us = -1,
		.stamp_ns = -1,
		.incoming_cpu = -1,
	},
	.flags = CKPT_NETLINK_BOUND | CKPT_NETLINK_CONNECTED |
		 CKPT_NETLINK_PKTINFO,
	.portid = 77,
	.dst_portid = 78,
	.dst_group = 32,
	.max_recv = 8192,
	.cred = REF_CRED,
	.nr_groups = 36,
	.groups = { BIT(0) | BIT(4), BIT(0) },
};

static const struct change_case netlink_cases[] = {
	BAD(SET(ckpt_netlink, sock.type, SOCK_STREAM)),
	BAD(SET(ckpt_netlink, sock.type, 0)),
	BAD(SET(ckpt_netlink, sock.protocol, NETLINK_GENERIC)),
	BAD(SET(ckpt_netlink, sock.protocol, NETLINK_NETFILTER)),
	BAD(SET(ckpt_netlink, sock.protocol, MAX_LINKS)),
	BAD(SET(ckpt_netlink, sock.protocol, U32_MAX)),
	BAD(ADD(ckpt_netlink, flags, BIT(10))),
	BAD(ADD(ckpt_netlink, flags, BIT(31))),
	BAD(SET(ckpt_netlink, portid, 0)),
	BAD(DROP(ckpt_netlink, flags, CKPT_NETLINK_BOUND)),
	BAD(DROP(ckpt_netlink, flags, CKPT_NETLINK_CONNECTED)),
	BAD(DROP(ckpt_netlink, flags, CKPT_NETLINK_CONNECTED),
	    SET(ckpt_netlink, dst_portid, 0)),
	BAD(DROP(ckpt_netlink, flags, CKPT_NETLINK_CONNECTED),
	    SET(ckpt_netlink, dst_group, 0)),
	BAD(SET(ckpt_netlink, dst_group, 33)),
	BAD(SET(ckpt_netlink, max_recv, 32769)),
	BAD(SET(ckpt_netlink, nr_groups, 0)),
	BAD(SET(ckpt_netlink, nr_groups, 32)),
	BAD(SET(ckpt_netlink, nr_groups, 65)),
	BAD(SET(ckpt_netlink, nr_groups, U32_MAX)),
	BAD(ADD(ckpt_netlink, groups[1], BIT(4))),
	BAD(ADD(ckpt_netlink, groups[1], BIT(31))),
	BAD_LEN(LEN(ckpt_netlink, groups, 1)),
	BAD_LEN(LEN(ckpt_netlink, groups, 2) - 1),
	BAD_LEN(LEN(ckpt_netlink, groups, 3)),
	BAD_LEN(LEN(ckpt_netlink, groups, 32),
		SET(ckpt_netlink, nr_groups, 1025)),
	OK_LEN(LEN(ckpt_netlink, groups, 32),
	       SET(ckpt_netlink, nr_groups, 1024)),
	OK_LEN(LEN(ckpt_netlink, groups, 1), SET(ckpt_netlink, nr_groups, 32)),
	OK_LEN(LEN(ckpt_netlink, groups, 0), SET(ckpt_netlink, nr_groups, 0)),
	OK(ADD(ckpt_netlink, groups[1], BIT(3))),
	OK(ADD(ckpt_netlink, flags, BIT(10) - 1)),
	OK(SET(ckpt_netlink, dst_portid, 0), SET(ckpt_netlink, dst_group, 0)),
	OK(SET(ckpt_netlink, flags, 0), SET(ckpt_netlink, dst_portid, 0),
	   SET(ckpt_netlink, dst_group, 0)),
	OK(SET(ckpt_netlink, flags, 0), SET(ckpt_netlink, dst_portid, 0),
	   SET(ckpt_netlink, dst_group, 0), SET(ckpt_netlink, portid, 0)),
	OK(SET(ckpt_netlink, max_recv, 32768)),
	OK(SET(ckpt_netlink, drops, U32_MAX)),
	OK(SET(ckpt_netlink, sock.type, SOCK_DGRAM)),
	OK(SET(ckpt_netlink, sock.protocol, NETLINK_USERSOCK)),
	OK(SET(ckpt_netlink, sock.protocol, NETLINK_SOCK_DIAG)),
	OK(SET(ckpt_netlink, sock.protocol, NETLINK_KOBJECT_UEVENT)),
};

static const struct ckpt_netlink_msg good_netlink_msg = {
	.flags = CKPT_NETLINK_MSG_CREDS | CKPT_NETLINK_MSG_NSID,
	.portid = 5,
	.dst_group = 2,
	.nsid = 1,
	.pid = 6,
	.uid = 7,
	.gid = 8,
	.data = "data",
};

#define NETLINK_MSG_BARE						\
	{ .offset = offsetof(struct ckpt_netlink_msg, pid),		\
	  .size = 12, .how = CHANGE_FILL }

static const struct change_case netlink_msg_cases[] = {
	BAD(SET(ckpt_netlink_msg, pad, 1)),
	BAD(ADD(ckpt_netlink_msg, flags, BIT(3))),
	BAD(ADD(ckpt_netlink_msg, flags, BIT(31))),
	BAD(ADD(ckpt_netlink_msg, flags, CKPT_NETLINK_MSG_ROOT)),
	BAD(DROP(ckpt_netlink_msg, flags, CKPT_NETLINK_MSG_NSID)),
	BAD(DROP(ckpt_netlink_msg, flags, CKPT_NETLINK_MSG_CREDS)),
	BAD(DROP(ckpt_netlink_msg, flags, CKPT_NETLINK_MSG_CREDS),
	    SET(ckpt_netlink_msg, portid, 0)),
	BAD(DROP(ckpt_netlink_msg, flags, CKPT_NETLINK_MSG_CREDS),
	    NETLINK_MSG_BARE),
	BAD(DROP(ckpt_netlink_msg, flags, CKPT_NETLINK_MSG_CREDS),
	    SET(ckpt_netlink_msg, portid, 0), NETLINK_MSG_BARE,
	    SET(ckpt_netlink_msg, gid, 1)),
	BAD(SET(ckpt_netlink_msg, nsid, -1)),
	BAD(SET(ckpt_netlink_msg, dst_group, 1025)),
	BAD(SET(ckpt_netlink_msg, dst_group, U32_MAX)),
	BAD(SET(ckpt_netlink_msg, pid, -1)),
	BAD(SET(ckpt_netlink_msg, uid, U32_MAX)),
	BAD(SET(ckpt_netlink_msg, gid, U32_MAX)),
	OK(SET(ckpt_netlink_msg, flags, 0), SET(ckpt_netlink_msg, portid, 0),
	   SET(ckpt_netlink_msg, nsid, 0), NETLINK_MSG_BARE),
	OK(SET(ckpt_netlink_msg, flags, CKPT_NETLINK_MSG_ROOT),
	   SET(ckpt_netlink_msg, portid, 0), SET(ckpt_netlink_msg, nsid, 0),
	   NETLINK_MSG_BARE),
	OK(SET(ckpt_netlink_msg, portid, 0)),
	OK(SET(ckpt_netlink_msg, dst_group, 1024)),
	OK(SET(ckpt_netlink_msg, pid, 0), SET(ckpt_netlink_msg, nsid, 0)),
	OK_LEN(LEN(ckpt_netlink_msg, data, 0)),
};

/* --- the table of this test ----------------------------------------------- */

/* Cases that several kinds have, of what begins at an offset. */
struct case_list {
	const struct change_case *cases;
	unsigned int nr;
	u32 offset;
};

#define CASES(array)		{ .cases = (array), .nr = ARRAY_SIZE(array) }
#define CASES_AT(s, member, array)					\
	{ .cases = (array), .nr = ARRAY_SIZE(array),			\
	  .offset = offsetof(struct s, member) }

/* A reference that must be of one type or family, and is bad with @wrong. */
struct good_ref {
	u32 offset;
	u32 wrong;
};

#define REF(s, member, bad)						\
	{ .offset = offsetof(struct s, member), .wrong = (bad) }

/**
 * struct good - the good payload of a kind, and its cases
 * @type: which kind
 * @payload: the payload
 * @len: its bytes
 * @error: what the check says of it
 * @fix: a change that a constant cannot hold
 * @lists: cases of changes to it
 * @refs: references in it
 */
struct good {
	u32 type;
	const void *payload;
	u32 len;
	int error;
	struct change fix;
	struct case_list lists[5];
	struct good_ref refs[5];
};

#define PAYLOAD(what)							\
	.payload = &good_##what, .len = sizeof(good_##what)
#define PAYLOAD_TAIL(what, array, n)					\
	.payload = &good_##what, .len = LEN(ckpt_##what, array, n)

static const struct good goods[] = {
	{
		.type = CKPT_REC_HEADER,
		PAYLOAD(header),
		.fix = SET_END(ckpt_header, task_size, 0),
		.lists = { CASES(header_cases) },
	}, {
		.type = CKPT_REC_META_END,
		PAYLOAD(meta_end),
		.lists = { CASES(meta_end_cases) },
	}, {
		.type = CKPT_REC_PAGES,
		PAYLOAD_TAIL(pages, extents, 2),
		.lists = { CASES(pages_cases) },
	}, {
		.type = CKPT_REC_END,
		PAYLOAD(end),
		.lists = { CASES(end_cases) },
	}, {
		.type = CKPT_REC_ERROR,
		PAYLOAD_TAIL(error, reason, 9),
		.error = -EINVAL,
		.lists = { CASES(error_cases) },
	}, {
		.type = CKPT_REC_TASK,
		PAYLOAD(task),
		.lists = { CASES(task_cases) },
		.refs = {
			REF(ckpt_task, cred, REF_MM),
			REF(ckpt_task, mm, REF_CRED),
			REF(ckpt_task, files, REF_FS),
			REF(ckpt_task, fs, REF_FILES),
			REF(ckpt_task, sighand, REF_TASK),
		},
	}, {
		.type = CKPT_REC_TASK_ATTR,
		PAYLOAD(task_attr),
		.lists = { CASES(task_attr_cases) },
	}, {
		.type = CKPT_REC_RLIMITS,
		PAYLOAD(rlimits),
		.lists = { CASES(rlimits_cases) },
	}, {
		.type = CKPT_REC_SCHED,
		PAYLOAD_TAIL(sched, cpus, 1),
		.lists = { CASES(sched_cases) },
	}, {
		.type = CKPT_REC_PRCTL,
		PAYLOAD(prctl),
		.lists = { CASES(prctl_cases) },
	}, {
		.type = CKPT_REC_CPUTIME,
		PAYLOAD(cputime),
		.lists = { CASES(cputime_cases) },
	}, {
		.type = CKPT_REC_CRED,
		PAYLOAD_TAIL(cred, groups, 3),
		.lists = { CASES(cred_cases) },
	}, {
		.type = CKPT_REC_SIGHAND,
		PAYLOAD(sighand),
		.lists = { CASES(sighand_cases) },
	}, {
		.type = CKPT_REC_SIGNAL,
		PAYLOAD(signal),
		.lists = { CASES(signal_cases) },
	}, {
		.type = CKPT_REC_SIGPENDING,
		PAYLOAD_TAIL(sigpending, infos, 2),
		.lists = { CASES(sigpending_cases) },
	}, {
		.type = CKPT_REC_ITIMERS,
		PAYLOAD(itimers),
		.lists = { CASES(itimers_cases) },
	}, {
		.type = CKPT_REC_POSIX_TIMER,
		PAYLOAD(posix_timer),
		.lists = { CASES(posix_timer_cases) },
	}, {
		.type = CKPT_REC_RSEQ,
		PAYLOAD(rseq),
		.lists = { CASES(rseq_cases) },
	}, {
		.type = CKPT_REC_RESTART_BLOCK,
		PAYLOAD(restart_block),
		.lists = { CASES(restart_block_cases) },
	}, {
		.type = CKPT_REC_X86_REGS,
		PAYLOAD(x86_regs),
		.lists = { CASES(x86_regs_cases) },
	}, {
		.type = CKPT_REC_X86_XSTATE,
		PAYLOAD_TAIL(x86_xstate, area, 832),
		.lists = { CASES(x86_xstate_cases) },
	}, {
		.type = CKPT_REC_X86_TLS,
		PAYLOAD(x86_tls),
		.lists = { CASES(x86_tls_cases) },
	}, {
		.type = CKPT_REC_X86_LDT,
		PAYLOAD_TAIL(x86_ldt, desc, 2),
		.lists = { CASES(x86_ldt_cases) },
	}, {
		.type = CKPT_REC_VMA_SPECIAL,
		PAYLOAD(vma_special),
		.lists = { CASES(vma_special_cases) },
	}, {
		.type = CKPT_REC_MM,
		PAYLOAD(mm),
		.lists = { CASES(mm_cases) },
	}, {
		.type = CKPT_REC_MM_LAYOUT,
		PAYLOAD_TAIL(mm_layout, auxv, 6),
		.lists = { CASES(mm_layout_cases) },
	}, {
		.type = CKPT_REC_VMA_ANON,
		PAYLOAD_TAIL(vma_anon, name, sizeof(VMA_NAME) - 1),
		.lists = {
			CASES(vma_anon_cases),
			CASES(vma_cases),
			CASES(vma_pages_cases),
			CASES_AT(ckpt_vma_anon, name, vma_name_cases),
		},
	}, {
		.type = CKPT_REC_VMA_FILE,
		PAYLOAD(vma_file),
		.lists = {
			CASES(vma_file_cases),
			CASES(vma_cases),
			CASES(vma_pages_cases),
		},
		.refs = { REF(ckpt_vma_file, file, REF_SHMEM) },
	}, {
		.type = CKPT_REC_VMA_SHMEM,
		PAYLOAD_TAIL(vma_shmem, name, sizeof(VMA_NAME) - 1),
		.lists = {
			CASES(vma_shmem_cases),
			CASES(vma_cases),
			CASES(vma_pages_cases),
			CASES_AT(ckpt_vma_shmem, name, vma_name_cases),
		},
		.refs = { REF(ckpt_vma_shmem, shmem, REF_FILE) },
	}, {
		.type = CKPT_REC_VMA_HUGETLB,
		PAYLOAD(vma_hugetlb),
		.lists = {
			CASES(vma_hugetlb_cases),
			CASES(vma_cases),
		},
	}, {
		.type = CKPT_REC_SHMEM,
		PAYLOAD_TAIL(shmem, name, 6),
		.lists = { CASES(shmem_cases) },
	}, {
		.type = CKPT_REC_FILES,
		PAYLOAD_TAIL(files, fds, 3),
		.lists = { CASES(files_cases) },
		.refs = {
			REF(ckpt_files, fds[0].file, REF_CRED),
			REF(ckpt_files, fds[1].file, REF_FILE_SYSV),
			REF(ckpt_files, fds[2].file, REF_MEMFD),
		},
	}, {
		.type = CKPT_REC_FS,
		PAYLOAD_TAIL(fs, paths, 17),
		.lists = { CASES(fs_cases) },
	}, {
		.type = CKPT_REC_FILE,
		PAYLOAD_TAIL(file, path, PATH_LEN),
		.lists = {
			CASES(file_cases),
			CASES(desc_cases),
			CASES(seek_cases),
			CASES_AT(ckpt_file, id, id_cases),
			CASES_AT(ckpt_file, path, path_cases),
		},
		.refs = { REF(ckpt_file, desc.cred, REF_FS) },
	}, {
		.type = CKPT_REC_FILE_DEV,
		PAYLOAD_TAIL(file_dev, path, PATH_LEN),
		.lists = {
			CASES(file_dev_cases),
			CASES(desc_cases),
			CASES(seek_cases),
			CASES_AT(ckpt_file_dev, id, id_cases),
			CASES_AT(ckpt_file_dev, path, path_cases),
		},
	}, {
		.type = CKPT_REC_FILE_TTY,
		PAYLOAD(file_tty),
		.lists = {
			CASES(file_tty_cases),
			CASES(desc_cases),
		},
	}, {
		.type = CKPT_REC_FILE_PIPE,
		PAYLOAD(file_pipe),
		.lists = {
			CASES(file_pipe_cases),
			CASES(desc_cases),
		},
		.refs = {
			REF(ckpt_file_pipe, desc.cred, REF_FS),
			REF(ckpt_file_pipe, pipe, REF_FILE),
		},
	}, {
		.type = CKPT_REC_FILE_PTY,
		PAYLOAD_TAIL(file_pty, path, PATH_LEN),
		.lists = {
			CASES(file_pty_cases),
			CASES(desc_cases),
			CASES_AT(ckpt_file_pty, path, path_cases),
		},
		.refs = { REF(ckpt_file_pty, pty, REF_PIPE) },
	}, {
		.type = CKPT_REC_FILE_UNLINKED,
		PAYLOAD(file_unlinked),
		.lists = {
			CASES(file_unlinked_cases),
			CASES(desc_cases),
			CASES(seek_cases),
		},
		.refs = {
			REF(ckpt_file_unlinked, desc.cred, REF_FS),
			REF(ckpt_file_unlinked, inode, REF_MEMFD),
		},
	}, {
		.type = CKPT_REC_FILE_EXTERNAL,
		PAYLOAD(file_external),
		.lists = { CASES(file_external_cases) },
	}, {
		.type = CKPT_REC_FILE_OWNER,
		PAYLOAD(file_owner),
		.lists = { CASES(file_owner_cases) },
		.refs = {
			REF(ckpt_file_owner, file, REF_PIPE),
			REF(ckpt_file_owner, cred, REF_FS),
		},
	}, {
		.type = CKPT_REC_FILE_MEMFD,
		PAYLOAD(file_memfd),
		.lists = {
			CASES(file_memfd_cases),
			CASES(desc_cases),
			CASES(seek_cases),
		},
		.refs = {
			REF(ckpt_file_memfd, desc.cred, REF_FS),
			REF(ckpt_file_memfd, shmem, REF_INODE),
		},
	}, {
		.type = CKPT_REC_PIPE,
		PAYLOAD_TAIL(pipe, path, PATH_LEN),
		.lists = {
			CASES(pipe_cases),
			CASES_AT(ckpt_pipe, path, path_cases),
		},
		.refs = { REF(ckpt_pipe, cred, REF_INODE) },
	}, {
		.type = CKPT_REC_PIPE_BUF,
		PAYLOAD_TAIL(pipe_buf, data, 4),
		.lists = { CASES(pipe_buf_cases) },
	}, {
		.type = CKPT_REC_FILE_EVENTFD,
		PAYLOAD(file_eventfd),
		.lists = { CASES(file_eventfd_cases), CASES(anon_cases) },
		.refs = { REF(ckpt_file_eventfd, desc.cred, REF_FS) },
	}, {
		.type = CKPT_REC_FILE_SIGNALFD,
		PAYLOAD(file_signalfd),
		.lists = { CASES(file_signalfd_cases), CASES(anon_cases) },
		.refs = { REF(ckpt_file_signalfd, desc.cred, REF_MM) },
	}, {
		.type = CKPT_REC_FILE_TIMERFD,
		PAYLOAD(file_timerfd),
		.lists = { CASES(file_timerfd_cases), CASES(anon_cases) },
		.refs = { REF(ckpt_file_timerfd, desc.cred, REF_FILE) },
	}, {
		.type = CKPT_REC_FILE_EPOLL,
		PAYLOAD(file_epoll),
		.lists = { CASES(file_epoll_cases), CASES(anon_cases) },
		.refs = { REF(ckpt_file_epoll, desc.cred, REF_EPOLL) },
	}, {
		.type = CKPT_REC_EPOLL_ITEMS,
		PAYLOAD_TAIL(epoll_items, items, 2),
		.lists = { CASES(epoll_items_cases), CASES(item_cases) },
		.refs = {
			REF(ckpt_epoll_items, items[0].file, REF_PIPE),
			REF(ckpt_epoll_items, items[0].file, REF_FILE_SYSV),
			REF(ckpt_epoll_items, items[1].file, REF_TASK),
		},
	}, {
		.type = CKPT_REC_TASK_EPOLL,
		PAYLOAD_TAIL(task_epoll, items, 2),
		.lists = { CASES(task_epoll_cases), CASES(item_cases) },
		.refs = {
			REF(ckpt_task_epoll, epoll, REF_SIGNALFD),
			REF(ckpt_task_epoll, items[0].file, REF_FILE),
			REF(ckpt_task_epoll, items[1].file, REF_EPOLL),
		},
	}, {
		.type = CKPT_REC_FILE_PIDFD,
		PAYLOAD(file_pidfd),
		.lists = { CASES(file_pidfd_cases), CASES(anon_cases) },
		.refs = { REF(ckpt_file_pidfd, desc.cred, REF_PIPE) },
	}, {
		.type = CKPT_REC_FILE_INOTIFY,
		PAYLOAD(file_inotify),
		.lists = { CASES(file_inotify_cases) },
		.refs = { REF(ckpt_file_inotify, desc.cred, REF_PIPE) },
	}, {
		.type = CKPT_REC_INOTIFY_WATCH,
		PAYLOAD_TAIL(inotify_watch, path, PATH_LEN),
		.lists = {
			CASES(inotify_watch_cases),
			CASES_AT(ckpt_inotify_watch, path, path_cases),
		},
	}, {
		.type = CKPT_REC_INOTIFY_EVENT,
		PAYLOAD_TAIL(inotify_event, name, 4),
		.lists = { CASES(inotify_event_cases) },
	}, {
		.type = CKPT_REC_SYSV_SHM,
		PAYLOAD(sysv_shm),
		.lists = { CASES(sysv_shm_cases) },
		.refs = { REF(ckpt_sysv_shm, shmem, REF_FILE) },
	}, {
		.type = CKPT_REC_MQUEUE,
		PAYLOAD_TAIL(mqueue, name, 6),
		.lists = { CASES(mqueue_cases) },
	}, {
		.type = CKPT_REC_MQUEUE_MSG,
		PAYLOAD_TAIL(mqueue_msg, text, 4),
		.lists = { CASES(piece_cases), CASES(mqueue_msg_cases) },
	}, {
		.type = CKPT_REC_FILE_MQUEUE,
		PAYLOAD_TAIL(file_mqueue, mount, PATH_LEN),
		.lists = {
			CASES(file_mqueue_cases),
			CASES_AT(ckpt_file_mqueue, mount, path_cases),
		},
		.refs = {
			REF(ckpt_file_mqueue, desc.cred, REF_FS),
			REF(ckpt_file_mqueue, queue, REF_PIPE),
		},
	}, {
		.type = CKPT_REC_IPC_NS,
		PAYLOAD(ipc_ns),
		.lists = { CASES(ipc_ns_cases) },
	}, {
		.type = CKPT_REC_SYSV_SEM,
		PAYLOAD_TAIL(sysv_sem, sems, 2),
		.lists = { CASES(ipc_perm_cases), CASES(sysv_sem_cases) },
	}, {
		.type = CKPT_REC_SYSV_MSG,
		PAYLOAD(sysv_msg),
		.lists = { CASES(ipc_perm_cases), CASES(sysv_msg_cases) },
	}, {
		.type = CKPT_REC_SYSV_TEXT,
		PAYLOAD_TAIL(sysv_text, text, 4),
		.lists = { CASES(piece_cases), CASES(sysv_text_cases) },
	}, {
		.type = CKPT_REC_NAMESPACES,
		PAYLOAD(namespaces),
		.lists = { CASES(namespaces_cases) },
	}, {
		.type = CKPT_REC_CGROUP,
		PAYLOAD_TAIL(cgroup, path, PATH_LEN),
		.lists = {
			CASES(cgroup_cases),
			CASES_AT(ckpt_cgroup, path, path_cases),
		},
	}, {
		.type = CKPT_REC_SEM_UNDO,
		PAYLOAD_TAIL(sem_undo, adj, 2),
		.lists = { CASES(sem_undo_cases) },
	}, {
		.type = CKPT_REC_FILE_SYSV,
		PAYLOAD(file_sysv),
		.lists = { CASES(file_sysv_cases) },
		.refs = { REF(ckpt_file_sysv, segment, REF_SEGMENT) },
	}, {
		.type = CKPT_REC_PTY,
		PAYLOAD_TAIL(pty, path, PATH_LEN),
		.lists = {
			CASES(pty_cases),
			CASES_AT(ckpt_pty, path, path_cases),
		},
	}, {
		.type = CKPT_REC_PTY_LDISC,
		PAYLOAD_TAIL(pty_ldisc, data, 6),
		.lists = { CASES(pty_ldisc_cases) },
	}, {
		.type = CKPT_REC_PTY_QUEUE,
		PAYLOAD_TAIL(pty_queue, data, 4),
		.lists = { CASES(pty_queue_cases) },
	}, {
		.type = CKPT_REC_LOCKS,
		PAYLOAD_TAIL(locks, locks, 3),
		.lists = { CASES(locks_cases) },
		.refs = {
			REF(ckpt_locks, locks[0].file, REF_FS),
			REF(ckpt_locks, locks[0].files, REF_FILE),
			REF(ckpt_locks, locks[1].file, REF_FILE_SYSV),
			REF(ckpt_locks, locks[2].file, REF_PIPE),
		},
	}, {
		.type = CKPT_REC_INODE,
		PAYLOAD_TAIL(inode, dir, PATH_LEN),
		.lists = {
			CASES(inode_cases),
			CASES_AT(ckpt_inode, dir, path_cases),
		},
		.refs = { REF(ckpt_inode, cred, REF_MM) },
	}, {
		.type = CKPT_REC_FILE_SOCKET,
		PAYLOAD(file_socket),
		.lists = { CASES(file_socket_cases) },
		.refs = {
			REF(ckpt_file_socket, desc.cred, REF_FS),
			REF(ckpt_file_socket, sock, REF_FILE),
		},
	}, {
		.type = CKPT_REC_UNIX,
		PAYLOAD_TAIL(unix, names, 7),
		.lists = {
			CASES(unix_cases),
			CASES_AT(ckpt_unix, sock, sock_cases),
		},
		.refs = { REF(ckpt_unix, cred, REF_FS) },
	}, {
		.type = CKPT_REC_UNIX_MSG,
		PAYLOAD_TAIL(unix_msg, data, 8),
		.lists = { CASES(unix_msg_cases) },
		.refs = { REF(ckpt_unix_msg, from, REF_FILE) },
	}, {
		.type = CKPT_REC_UNIX_STATE,
		PAYLOAD(unix_state),
		.lists = { CASES(unix_state_cases) },
	}, {
		.type = CKPT_REC_SOCK_FILTER,
		PAYLOAD_TAIL(sock_filter, insns, 2),
		.lists = { CASES(sock_filter_cases) },
	}, {
		.type = CKPT_REC_NETLINK,
		PAYLOAD_TAIL(netlink, groups, 2),
		.lists = {
			CASES(netlink_cases),
			CASES_AT(ckpt_netlink, sock, sock_cases),
		},
		.refs = { REF(ckpt_netlink, cred, REF_FS) },
	}, {
		.type = CKPT_REC_NETLINK_MSG,
		PAYLOAD_TAIL(netlink_msg, data, 4),
		.lists = { CASES(netlink_msg_cases) },
	}, {
		.type = CKPT_REC_INET,
		PAYLOAD_TAIL(inet, options, 3),
		.lists = {
			CASES(inet_cases),
			CASES_AT(ckpt_inet, sock, sock_cases),
		},
		.refs = { REF(ckpt_inet, cred, REF_FS) },
	}, {
		.type = CKPT_REC_INET_MSG,
		PAYLOAD_TAIL(inet_msg, data, 4),
		.lists = { CASES(inet_msg_cases) },
	}, {
		.type = CKPT_REC_INET_DATA,
		PAYLOAD_TAIL(inet_data, data, 4),
		.lists = { CASES(inet_data_cases) },
	}, {
		.type = CKPT_REC_TCP,
		PAYLOAD(tcp),
		.lists = { CASES(tcp_cases) },
		.refs = { REF(ckpt_tcp, peer, REF_FILE) },
	},
};

static const struct good *good_of_type(u32 type)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(goods); i++)
		if (goods[i].type == type)
			return &goods[i];
	return NULL;
}

static void good_name(const struct good *good, char *name)
{
	const struct ckpt_kind *kind = ckpt_kind_of_type(good->type);

	strscpy(name, kind ? kind->name : "?", KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(goods, goods, good_name);

/* --- to judge ------------------------------------------------------------- */

/* A change of what begins at @offset. */
static void change(struct kunit *test, struct ckpt_rec *rec, u32 offset,
		   const struct change *c)
{
	u8 *at = rec->payload + offset + c->offset;
	u64 value = 0;

	KUNIT_ASSERT_LE(test, offset + c->offset + c->size,
			max(rec->len, rec->kind->len));
	if (c->how == CHANGE_FILL) {
		memset(at, c->value, c->size);
		return;
	}
	/* Little endian. */
	memcpy(&value, at, c->size);
	switch (c->how) {
	case CHANGE_FROM_END:
		value = TASK_SIZE_MAX + c->value;
		break;
	case CHANGE_OR:
		value |= c->value;
		break;
	case CHANGE_AND:
		value &= c->value;
		break;
	default:
		value = c->value;
	}
	memcpy(at, &value, c->size);
}

/* A record with the good payload, cut or extended with zero bytes to @len. */
static struct ckpt_rec *good_rec(struct kunit *test, const struct good *good,
				 u32 len)
{
	const struct ckpt_kind *kind = ckpt_kind_of_type(good->type);
	struct ckpt_rec *rec;

	KUNIT_ASSERT_NOT_NULL_MSG(test, kind, "type 0x%x", good->type);
	rec = rec_alloc(test, good->type, objref_of(kind), len);
	memcpy(rec->payload, good->payload, min(len, good->len));
	if (good->fix.size)
		change(test, rec, 0, &good->fix);
	return rec;
}

/* What the records of an image in front of it have told is forgotten. */
static void forget(struct ckpt_ctx *ctx)
{
	struct ckpt_obj *obj;

	list_for_each_entry(obj, &ctx->objs, node)
		obj->flags = 0;
	xa_destroy(&ctx->terminals);
}

static int judge(struct kunit *test, struct ckpt_rec *rec)
{
	struct ckpt_ctx *ctx = test->priv;

	/* The reader sees to these bounds before. */
	KUNIT_EXPECT_GE(test, rec->len, rec->kind->min_len);
	KUNIT_EXPECT_LE(test, rec->len, rec->kind->max_len);

	ctx->nr_records = rec->type == CKPT_REC_HEADER ? 0 : NR_RECORDS;
	ctx->nr_pages = NR_PAGES;
	ctx->nr_reasons = 0;
	ctx->first_error = 0;
	ctx->log_len = 0;
	ctx->where.kind = rec->kind->name;
	forget(ctx);
	return rec->kind->check(ctx, rec);
}

static void expect(struct kunit *test, struct ckpt_rec *rec, int error,
		   const char *what)
{
	struct ckpt_ctx *ctx = test->priv;

	KUNIT_EXPECT_EQ_MSG(test, error, judge(test, rec), "%s: %s",
			    rec->kind->name, what);
	/* One reason when it is bad, which the caller is told, else none. */
	KUNIT_EXPECT_EQ_MSG(test, error ? 1 : 0, ctx->nr_reasons, "%s: %s",
			    rec->kind->name, what);
	KUNIT_EXPECT_EQ_MSG(test, error, ctx->first_error, "%s: %s",
			    rec->kind->name, what);
}

/* Return: how many of the cases are bad. */
static unsigned int judge_cases(struct kunit *test, const struct good *good,
				const struct case_list *list)
{
	unsigned int i, j, nr_bad = 0;
	struct ckpt_rec *rec;

	for (i = 0; i < list->nr; i++) {
		const struct change_case *c = &list->cases[i];

		rec = good_rec(test, good,
			       c->len ? list->offset + c->len : good->len);
		for (j = 0; j < ARRAY_SIZE(c->changes); j++)
			if (c->changes[j].size)
				change(test, rec, list->offset,
				       &c->changes[j]);
		expect(test, rec, c->error, c->what);
		nr_bad += !!c->error;
		kvfree(rec);
	}
	return nr_bad;
}

static void good_and_bad_payloads(struct kunit *test)
{
	const struct good *good = test->param_value;
	unsigned int i, nr_bad = 0;
	struct ckpt_rec *rec;

	rec = good_rec(test, good, good->len);
	KUNIT_ASSERT_NOT_NULL(test, rec->kind->check);
	expect(test, rec, good->error, "the good payload");
	kvfree(rec);

	for (i = 0; i < ARRAY_SIZE(good->lists); i++)
		nr_bad += judge_cases(test, good, &good->lists[i]);
	KUNIT_EXPECT_GT(test, nr_bad, 0);
}

/* None, of another type, what is judged itself, and nothing at all. */
static void good_and_bad_references(struct kunit *test)
{
	const struct good *good = test->param_value;
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(good->refs); i++) {
		const struct good_ref *ref = &good->refs[i];
		const u32 bad[] = { REF_NONE, ref->wrong, REF_NEW, U32_MAX };
		struct ckpt_rec *rec;

		for (j = 0; ref->wrong && j < ARRAY_SIZE(bad); j++) {
			rec = good_rec(test, good, good->len);
			memcpy(rec->payload + ref->offset, &bad[j],
			       sizeof(bad[j]));
			expect(test, rec, -EINVAL, "a reference");
			kvfree(rec);
		}
	}
}

/* Whatever is in it, a payload is good or bad, and judging it does no harm. */
static void any_payload(struct kunit *test)
{
	static const u8 flips[] = { 0x01, 0x80, 0xff };
	const struct good *good = test->param_value;
	struct ckpt_rec *rec;
	unsigned int i, j;
	u32 len;
	int ret;

	rec = good_rec(test, good, good->len);
	for (i = 0; i < good->len; i++) {
		for (j = 0; j < ARRAY_SIZE(flips); j++) {
			rec->payload[i] ^= flips[j];
			ret = judge(test, rec);
			KUNIT_EXPECT_TRUE_MSG(test, !ret || ret == -EINVAL,
					      "%s: byte %u ^ 0x%x gives %d",
					      rec->kind->name, i, flips[j],
					      ret);
			rec->payload[i] ^= flips[j];
		}
	}
	len = rec->kind->min_len;
	kvfree(rec);

	for (; len <= good->len; len++) {
		rec = good_rec(test, good, len);
		ret = judge(test, rec);
		KUNIT_EXPECT_TRUE_MSG(test, !ret || ret == -EINVAL,
				      "%s: %u bytes give %d", rec->kind->name,
				      len, ret);
		kvfree(rec);
	}
}

/* --- what is not in a payload --------------------------------------------- */

static void header_is_first(struct kunit *test)
{
	const struct good *good = good_of_type(CKPT_REC_HEADER);
	struct ckpt_ctx *ctx = test->priv;
	struct ckpt_rec *rec;

	KUNIT_ASSERT_NOT_NULL(test, good);
	rec = good_rec(test, good, good->len);
	ctx->nr_records = 1;
	KUNIT_EXPECT_EQ(test, -EINVAL, rec->kind->check(ctx, rec));
	KUNIT_EXPECT_TRUE(test, test_logged(ctx, "a second header"));
	kvfree(rec);
}

/* Two would become one. */
static void memfd_created_once(struct kunit *test)
{
	const struct good *good = good_of_type(CKPT_REC_FILE_MEMFD);
	struct ckpt_ctx *ctx = test->priv;
	struct ckpt_file_memfd *memfd;
	struct ckpt_rec *rec;

	KUNIT_ASSERT_NOT_NULL(test, good);
	rec = good_rec(test, good, good->len);
	memfd = ckpt_payload(rec, struct ckpt_file_memfd);
	KUNIT_EXPECT_EQ(test, 0, rec->kind->check(ctx, rec));
	KUNIT_EXPECT_EQ(test, -EINVAL, rec->kind->check(ctx, rec));
	memfd->flags = 0;
	KUNIT_EXPECT_EQ(test, 0, rec->kind->check(ctx, rec));
	kvfree(rec);
}

static void expect_owned(struct kunit *test, u32 type, u32 owner,
			 const void *payload, u32 len, int error,
			 const char *what)
{
	struct ckpt_rec *rec = rec_alloc(test, type, owner, len);

	memcpy(rec->payload, payload, len);
	expect(test, rec, error, what);
	kvfree(rec);
}

/* What messages may be depends on the socket that they wait in. */
static void unix_messages(struct kunit *test)
{
	const struct {
		const char *what;
		int error;
		u32 owner;
		struct ckpt_unix_msg msg;
	} cases[] = {
		{ "a connection", 0, REF_UNIX,
		  { .flags = CKPT_UNIX_MSG_CONNECTION,
		    .from = REF_UNIX_EMBRYO } },
		{ "a connection with a stamp", -EINVAL, REF_UNIX,
		  { .flags = CKPT_UNIX_MSG_CONNECTION,
		    .from = REF_UNIX_EMBRYO, .stamp_ns = 1 } },
		{ "an accepted one", -EINVAL, REF_UNIX,
		  { .flags = CKPT_UNIX_MSG_CONNECTION,
		    .from = REF_UNIX_PEER } },
		{ "a connection in a connection", -EINVAL, REF_UNIX_EMBRYO,
		  { .flags = CKPT_UNIX_MSG_CONNECTION,
		    .from = REF_UNIX_EMBRYO } },
		{ "a connection of another type", -EINVAL, REF_UNIX_DGRAM,
		  { .flags = CKPT_UNIX_MSG_CONNECTION,
		    .from = REF_UNIX_EMBRYO } },
		{ "an empty datagram from nobody", 0, REF_UNIX_DGRAM, {} },
		{ "... from itself", 0, REF_UNIX_DGRAM,
		  { .from = REF_UNIX_DGRAM } },
		{ "... out of band", -EINVAL, REF_UNIX_DGRAM,
		  { .flags = CKPT_UNIX_MSG_OOB_READ } },
		{ "... of another type", -EINVAL, REF_UNIX_DGRAM,
		  { .from = REF_UNIX } },
		{ "... from a name that is cut off", -EINVAL, REF_UNIX_DGRAM,
		  { .name_len = 1 } },
		{ "the mark of a read byte in a closed socket", -EINVAL,
		  REF_UNIX_DEAD,
		  { .flags = CKPT_UNIX_MSG_OOB_READ, .from = REF_UNIX } },
		{ "... in one that is not accepted", 0, REF_UNIX_EMBRYO,
		  { .flags = CKPT_UNIX_MSG_OOB_READ, .from = REF_UNIX } },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++)
		expect_owned(test, CKPT_REC_UNIX_MSG, cases[i].owner,
			     &cases[i].msg, sizeof(cases[i].msg),
			     cases[i].error, cases[i].what);
}

/* What a connection may be depends on the socket that is connected. */
static void tcp_states(struct kunit *test)
{
	const struct {
		const char *what;
		int error;
		u32 owner;
		struct ckpt_tcp tcp;
	} cases[] = {
		{ "of a datagram socket", -EINVAL, REF_UDP,
		  { .peer = REF_INET_PEER, .mss = 1000 } },
		{ "who listens", 0, REF_INET_LISTENER, {} },
		{ "who listens and is connected", -EINVAL, REF_INET_LISTENER,
		  { .peer = REF_INET_PEER, .mss = 1000 } },
		{ "who listens to something", -EINVAL, REF_INET_LISTENER,
		  { .mss = 1000 } },
		{ "who waits to be accepted", 0, REF_INET_EMBRYO,
		  { .peer = REF_INET_PEER, .listener = REF_INET_LISTENER,
		    .mss = 1000 } },
		{ "... by nobody", -EINVAL, REF_INET_EMBRYO,
		  { .peer = REF_INET_PEER, .mss = 1000 } },
		{ "... by one who does not listen", -EINVAL, REF_INET_EMBRYO,
		  { .peer = REF_INET_PEER, .listener = REF_INET,
		    .mss = 1000 } },
		{ "... and has ended it", -EINVAL, REF_INET_EMBRYO,
		  { .peer = REF_INET_PEER, .listener = REF_INET_LISTENER,
		    .mss = 1000, .flags = CKPT_TCP_FIN } },
		{ "... for one who is gone", 0, REF_INET_EMBRYO,
		  { .listener = REF_INET_LISTENER, .mss = 1000,
		    .flags = CKPT_TCP_FIN_RECEIVED } },
	};
	static const struct ckpt_inet_data data;
	static const struct ckpt_inet_msg msg = { .family = AF_INET };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++)
		expect_owned(test, CKPT_REC_TCP, cases[i].owner,
			     &cases[i].tcp, sizeof(cases[i].tcp),
			     cases[i].error, cases[i].what);
	expect_owned(test, CKPT_REC_INET_DATA, REF_UDP, &data, sizeof(data),
		     -EINVAL, "data in a datagram socket");
	expect_owned(test, CKPT_REC_INET_DATA, REF_INET_LISTENER, &data,
		     sizeof(data), -EINVAL, "data in one who listens");
	expect_owned(test, CKPT_REC_INET_MSG, REF_INET, &msg, sizeof(msg),
		     -EINVAL, "a datagram in a connection");
}

static void unix_states(struct kunit *test)
{
	const struct {
		const char *what;
		int error;
		u32 owner;
		struct ckpt_unix_state state;
	} cases[] = {
		{ "without a name", -EINVAL, REF_UNIX_PEER,
		  { .flags = CKPT_UNIX_LISTENING } },
		{ "not a stream", -EINVAL, REF_UNIX_DGRAM,
		  { .flags = CKPT_UNIX_LISTENING } },
		{ "not connected", -EINVAL, REF_UNIX_EMBRYO, {} },
		{ "connected", 0, REF_UNIX_EMBRYO,
		  { .flags = CKPT_UNIX_CONNECTED, .peer = REF_UNIX } },
		{ "closed", 0, REF_UNIX_DEAD, {} },
		{ "closed, with a state", -EINVAL, REF_UNIX_DEAD,
		  { .shutdown = 3 } },
		{ "somebody sends to it", 0, REF_UNIX_DGRAM,
		  { .flags = CKPT_UNIX_CONNECTED } },
		{ "sends to itself", 0, REF_UNIX_DGRAM,
		  { .flags = CKPT_UNIX_CONNECTED, .peer = REF_UNIX_DGRAM } },
		{ "sends, but is not connected", -EINVAL, REF_UNIX_DGRAM,
		  { .peer = REF_UNIX_DGRAM } },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++)
		expect_owned(test, CKPT_REC_UNIX_STATE, cases[i].owner,
			     &cases[i].state, sizeof(cases[i].state),
			     cases[i].error, cases[i].what);
}

/* Put a mapping of anonymous memory in front of what is judged next. */
static void add_mapping(struct kunit *test, u32 objref, u64 start, u64 end)
{
	struct ckpt_ctx *ctx = test->priv;
	struct ckpt_vma_anon *anon;
	struct ckpt_rec *rec;

	rec = rec_alloc(test, CKPT_REC_VMA_ANON, objref, sizeof(*anon));
	anon = ckpt_payload(rec, struct ckpt_vma_anon);
	anon->vma.start = start;
	anon->vma.end = end;
	list_add_tail(&rec->node, &ctx->recs);
}

/* The records of an MM follow each other in ascending order. */
static const u32 mapping_types[] = {
	CKPT_REC_VMA_ANON, CKPT_REC_VMA_FILE, CKPT_REC_VMA_SHMEM,
	CKPT_REC_VMA_HUGETLB, CKPT_REC_VMA_SPECIAL,
};

static void mappings_in_order(struct kunit *test)
{
	struct ckpt_ctx *ctx = test->priv;
	struct ckpt_rec *rec, *prev;
	const struct good *good;
	u64 start, end;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(mapping_types); i++) {
		good = good_of_type(mapping_types[i]);
		KUNIT_ASSERT_NOT_NULL(test, good);
		rec = good_rec(test, good, good->len);
		start = ckpt_payload(rec, struct ckpt_vma)->start;
		end = ckpt_payload(rec, struct ckpt_vma)->end;
		expect(test, rec, 0, "behind its MM");

		add_mapping(test, REF_MM, start - PAGE_SIZE, start);
		expect(test, rec, 0, "behind an adjacent one");
		add_mapping(test, REF_MM, start - PAGE_SIZE, start + PAGE_SIZE);
		expect(test, rec, -EINVAL, "behind one that overlaps");
		add_mapping(test, REF_MM, start, end);
		expect(test, rec, -EINVAL, "the same twice");
		add_mapping(test, REF_MM, end, end + PAGE_SIZE);
		expect(test, rec, -EINVAL, "behind a higher one");
		add_mapping(test, REF_TASK, start - PAGE_SIZE, start);
		expect(test, rec, -EINVAL, "behind that of another MM");

		/* Something else in between. */
		prev = rec_alloc(test, CKPT_REC_MM_LAYOUT, REF_MM,
				 sizeof(struct ckpt_mm_layout));
		list_add_tail(&prev->node, &ctx->recs);
		expect(test, rec, -EINVAL, "behind the layout");
		prev = rec_alloc(test, CKPT_REC_MM, REF_MM,
				 sizeof(struct ckpt_mm));
		list_add_tail(&prev->node, &ctx->recs);
		kvfree(rec);
	}
}

/* They escape the limits of an address space, so there is one of each. */
static void special_mappings_once(struct kunit *test)
{
	const struct good *good = good_of_type(CKPT_REC_VMA_SPECIAL);
	struct ckpt_obj *mm = ckpt_obj_get(test->priv, REF_MM);
	struct ckpt_vma_special *other;
	struct ckpt_rec *rec, *first;

	KUNIT_ASSERT_NOT_NULL(test, good);
	KUNIT_ASSERT_NOT_NULL(test, mm);
	rec = good_rec(test, good, good->len);
	first = rec_alloc(test, CKPT_REC_VMA_SPECIAL, REF_MM, sizeof(*other));
	other = ckpt_payload(first, struct ckpt_vma_special);
	list_add_tail(&first->own, &mm->recs);
	other->which = CKPT_SPECIAL_VVAR;
	expect(test, rec, 0, "the vdso behind the vvar");
	other->which = CKPT_SPECIAL_VDSO;
	expect(test, rec, -EINVAL, "a second vdso");
	list_del(&first->own);
	kvfree(first);
	kvfree(rec);
}

static void mapping_without_mm(struct kunit *test)
{
	struct ckpt_ctx *ctx = test->priv;
	const struct good *good;
	struct ckpt_rec *rec;
	LIST_HEAD(recs);
	unsigned int i;

	list_splice_init(&ctx->recs, &recs);
	for (i = 0; i < ARRAY_SIZE(mapping_types); i++) {
		good = good_of_type(mapping_types[i]);
		KUNIT_ASSERT_NOT_NULL(test, good);
		rec = good_rec(test, good, good->len);
		expect(test, rec, -EINVAL, "the first record");
		kvfree(rec);
	}
	list_splice(&recs, &ctx->recs);
}

/* --- the table of kinds --------------------------------------------------- */

/* Of these the lengths are all there is to check. */
static bool has_nothing_to_check(const struct ckpt_kind *kind)
{
	/* Any address will do, see robust.c. */
	return kind->type == CKPT_REC_ROBUST;
}

static void every_kind_is_tested(struct kunit *test)
{
	unsigned int i, j;

	for (i = 0; i < ckpt_nr_kinds; i++) {
		const struct ckpt_kind *k = ckpt_kinds[i];

		if (k->check)
			KUNIT_EXPECT_NOT_NULL_MSG(test, good_of_type(k->type),
						  "%s", k->name);
		else if (k->type && !k->refuse)
			KUNIT_EXPECT_TRUE_MSG(test, has_nothing_to_check(k),
					      "%s", k->name);
	}
	for (i = 0; i < ARRAY_SIZE(goods); i++)
		for (j = 0; j < i; j++)
			KUNIT_EXPECT_NE(test, goods[i].type, goods[j].type);
}

static bool is_word(const char *name)
{
	size_t len = strlen(name);

	return len && len < KUNIT_PARAM_DESC_SIZE &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == len;
}

/* One field of a line of the coverage table, no sentence. */
static bool is_field(const char *text)
{
	size_t len = strlen(text);

	return len && len < CKPT_MAX_REASON / 2 && !strpbrk(text, "\t\n") &&
	       text[len - 1] != '.' && text[0] != ' ';
}

static void rows_tell_what_they_are(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < ckpt_nr_kinds; i++) {
		const struct ckpt_kind *k = ckpt_kinds[i];

		KUNIT_EXPECT_TRUE_MSG(test, is_word(k->name), "%s", k->name);
		if (k->about)
			KUNIT_EXPECT_TRUE_MSG(test, is_field(k->about), "%s",
					      k->name);
		if (k->refuse)
			KUNIT_EXPECT_TRUE_MSG(test, is_field(k->refuse), "%s",
					      k->name);
		KUNIT_EXPECT_LE(test, k->family, CKPT_FAMILY_VMA);
		KUNIT_EXPECT_LT(test, k->phase, CKPT_NR_PHASES);
	}
}

/* Who shares with the outside is known when everything was collected. */
static bool is_found_last(const struct ckpt_kind *kind)
{
	return !strcmp(kind->name, "shared");
}

/* What is only refused has neither records nor ways to make them. */
static void refusing_rows_save_nothing(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < ckpt_nr_kinds; i++) {
		const struct ckpt_kind *k = ckpt_kinds[i];

		if (!k->refuse)
			continue;
		KUNIT_EXPECT_EQ_MSG(test, k->type, 0, "%s", k->name);
		KUNIT_EXPECT_FALSE_MSG(test, k->object || k->required,
				       "%s", k->name);
		KUNIT_EXPECT_FALSE_MSG(test, k->task_save || k->obj_save ||
				       k->vma_save || k->check || k->restore ||
				       k->commit, "%s", k->name);
		KUNIT_EXPECT_TRUE_MSG(test, k->task_collect || k->file_match ||
				      k->vma_match || is_found_last(k), "%s",
				      k->name);
	}
}

static void expect_family(struct kunit *test, const struct ckpt_kind *k)
{
	switch (k->family) {
	case CKPT_FAMILY_FRAME:
		KUNIT_EXPECT_FALSE_MSG(test, k->object || k->restore ||
				       k->commit, "%s", k->name);
		break;
	case CKPT_FAMILY_TASK:
		KUNIT_EXPECT_FALSE_MSG(test, k->object, "%s", k->name);
		KUNIT_EXPECT_NOT_NULL_MSG(test, k->task_save, "%s", k->name);
		KUNIT_EXPECT_TRUE_MSG(test, k->restore || k->commit, "%s",
				      k->name);
		break;
	case CKPT_FAMILY_OBJECT:
		KUNIT_EXPECT_TRUE_MSG(test, k->object || k->owner, "%s",
				      k->name);
		KUNIT_EXPECT_TRUE_MSG(test, k->restore || k->commit, "%s",
				      k->name);
		break;
	case CKPT_FAMILY_FILE:
		KUNIT_EXPECT_TRUE_MSG(test, k->object, "%s", k->name);
		KUNIT_EXPECT_NOT_NULL_MSG(test, k->file_match, "%s", k->name);
		KUNIT_EXPECT_NOT_NULL_MSG(test, k->restore, "%s", k->name);
		KUNIT_EXPECT_EQ_MSG(test, k->phase, CKPT_PHASE_OBJECT, "%s",
				    k->name);
		break;
	case CKPT_FAMILY_VMA:
		KUNIT_EXPECT_FALSE_MSG(test, k->object, "%s", k->name);
		KUNIT_EXPECT_NOT_NULL_MSG(test, k->vma_match, "%s", k->name);
		KUNIT_EXPECT_NOT_NULL_MSG(test, k->vma_save, "%s", k->name);
		KUNIT_EXPECT_NOT_NULL_MSG(test, k->restore, "%s", k->name);
		KUNIT_EXPECT_EQ_MSG(test, k->phase, CKPT_PHASE_VMA, "%s",
				    k->name);
		break;
	}
}

static void saving_rows_are_complete(struct kunit *test)
{
	const struct ckpt_kind *owner;
	unsigned int i;

	for (i = 0; i < ckpt_nr_kinds; i++) {
		const struct ckpt_kind *k = ckpt_kinds[i];

		KUNIT_EXPECT_EQ_MSG(test, !k->obj_get, !k->obj_put, "%s",
				    k->name);
		if (k->object)
			KUNIT_EXPECT_NOT_NULL_MSG(test, k->obj_get, "%s",
						  k->name);
		if (k->refuse)
			continue;
		KUNIT_EXPECT_NE_MSG(test, k->type, 0, "%s", k->name);
		KUNIT_EXPECT_GT_MSG(test, k->min_version, 0, "%s", k->name);
		KUNIT_EXPECT_GT_MSG(test, k->min_len, 0, "%s", k->name);
		expect_family(test, k);
		if (!k->owner)
			continue;
		owner = ckpt_kind_of_type(k->owner);
		KUNIT_EXPECT_TRUE_MSG(test, owner && owner->object &&
				      !k->object, "%s", k->name);
	}
}

static struct kunit_case kinds_cases[] = {
	KUNIT_CASE_PARAM(good_and_bad_payloads, goods_gen_params),
	KUNIT_CASE_PARAM(good_and_bad_references, goods_gen_params),
	KUNIT_CASE_PARAM(any_payload, goods_gen_params),
	KUNIT_CASE(header_is_first),
	KUNIT_CASE(memfd_created_once),
	KUNIT_CASE(unix_messages),
	KUNIT_CASE(unix_states),
	KUNIT_CASE(tcp_states),
	KUNIT_CASE(mappings_in_order),
	KUNIT_CASE(special_mappings_once),
	KUNIT_CASE(mapping_without_mm),
	KUNIT_CASE(every_kind_is_tested),
	KUNIT_CASE(rows_tell_what_they_are),
	KUNIT_CASE(refusing_rows_save_nothing),
	KUNIT_CASE(saving_rows_are_complete),
	{}
};

static struct kunit_suite kinds_suite = {
	.name = "checkpoint_kinds",
	.init = kinds_init,
	.exit = kinds_exit,
	.test_cases = kinds_cases,
};

kunit_test_suite(kinds_suite);

MODULE_LICENSE("GPL");
