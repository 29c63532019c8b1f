/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the parts of checkpoint/restart share.
 *
 *	syscalls.c	the system calls: flags, permission to call
 *	ctx.c		one operation: its life, its reasons (log.c)
 *	arena.c		memory that lives as long as the operation
 *	quiesce.c	a task stops at the user-mode boundary, and goes on
 *	tree.c		the tasks of a tree: found, all at rest at one moment
 *	checkpoint.c	the walker that saves
 *	restart.c	reads and checks metadata, makes tasks
 *	ns.c		namespaces: those of the tree, those of the caller
 *	session.c	process groups, sessions, who is whose child
 *	external.c	open files that stay outside of the tree; arguments
 *	record.c	records on top of a store, checksums
 *	objhash.c	objects: number them (save), find them (restart)
 *	kinds.c		the table of resource kinds; a row stands in its own file
 *	store_*.c	where records and pages go
 */
#ifndef _CHECKPOINT_INTERNAL_H
#define _CHECKPOINT_INTERNAL_H

#include <linux/bitmap.h>
#include <linux/bvec.h>
#include <linux/checkpoint.h>
#include <linux/completion.h>
#include <linux/cred.h>
#include <linux/list.h>
#include <linux/nospec.h>
#include <linux/rhashtable.h>
#include <linux/sched.h>
#include <linux/time64.h>
#include <linux/types.h>
#include <linux/xarray.h>
#include <uapi/linux/checkpoint.h>
#include <uapi/linux/checkpoint_image.h>

#include "limits.h"

struct ckpt_chunk;
struct ckpt_ctx;
struct ckpt_kind;
struct ckpt_obj;
struct file;
struct files_struct;
struct fs_struct;
struct mm_struct;
struct nsproxy;
struct pid_namespace;
struct task_struct;
struct user_namespace;
struct vm_area_struct;

/* --- stores --------------------------------------------------------------- */

struct ckpt_store;

/**
 * struct ckpt_store_ops - where records and pages go to and come from
 * @reserve: append @len bytes, which the caller fills before its next call: where
 *	they go, NULL when they are too many for that, or an ERR_PTR()
 * @write: append @len bytes; may keep them in a buffer of its own
 * @write_pages: append the contents of whole pages; the store copies them or
 *	takes references, the caller keeps its own references
 * @flush: everything that was appended is where it belongs
 * @sync: what was flushed outlasts a crash as far as that can be asked for
 * @peek: the next @len bytes, which read() is to give, NULL when they are not at
 *	hand; they stay there until the next call
 * @read: the next @len bytes, all of them or an error (-EPIPE at the end)
 * @read_pages: the next contents, read straight into the pages
 * @put: give back the store
 *
 * All else return 0 or -errno. A store is used by one task at a time.
 */
struct ckpt_store_ops {
	void *(*reserve)(struct ckpt_store *store, size_t len);
	int (*write)(struct ckpt_store *store, const void *buf, size_t len);
	int (*write_pages)(struct ckpt_store *store, const struct bio_vec *bv,
			   unsigned int nr, size_t len);
	int (*flush)(struct ckpt_store *store);
	int (*sync)(struct ckpt_store *store);
	const void *(*peek)(struct ckpt_store *store, size_t len);
	int (*read)(struct ckpt_store *store, void *buf, size_t len);
	int (*read_pages)(struct ckpt_store *store, const struct bio_vec *bv,
			  unsigned int nr, size_t len);
	void (*put)(struct ckpt_store *store);
};

struct ckpt_store {
	const struct ckpt_store_ops *ops;
	struct file *file;	/* of a stream, NULL: none */
	u64 pos;		/* bytes of the image behind us */
	bool broken;		/* a write has failed */
};

struct ckpt_store *ckpt_store_stream_get(int fd, bool write);
int ckpt_file_write(struct file *file, const void *buf, size_t len);

/* --- kinds ------------------------------------------------------------------ */

enum ckpt_family {
	CKPT_FAMILY_FRAME,	/* the image itself */
	CKPT_FAMILY_TASK,	/* an attribute of a task */
	CKPT_FAMILY_OBJECT,	/* what tasks share: mm, files, creds, contents */
	CKPT_FAMILY_FILE,	/* an open file description */
	CKPT_FAMILY_VMA,	/* a mapping */
};

/*
 * The order in which a task is restored, whatever the order in the image. Within
 * a phase the order is the one of the image. What needs that a thread runs comes
 * last.
 */
enum ckpt_phase {
	CKPT_PHASE_NONE,	/* not restored by itself */
	CKPT_PHASE_CRED,	/* first: files are opened with saved creds */
	CKPT_PHASE_OBJECT,	/* contents and files, each before its users */
	CKPT_PHASE_MM,		/* the new mm, switched to but not committed */
	CKPT_PHASE_VMA,
	CKPT_PHASE_PAGES,	/* the page contents are read here */
	CKPT_PHASE_MM_END,	/* what needs all mappings and contents */
	CKPT_PHASE_FILES,	/* fd tables, fs */
	CKPT_PHASE_TASK,	/* attributes */
	CKPT_PHASE_SIGNAL,
	CKPT_PHASE_TIMER,
	CKPT_PHASE_CPU,		/* last: registers */
	CKPT_NR_PHASES
};

/**
 * struct ckpt_rec - a metadata record on the restart side
 * @node:   in ckpt_ctx.recs, image order
 * @own:    in ckpt_obj.recs of the object that it defines or belongs to; the
 *	record of a SIGHAND in those of the first task that uses it
 * @build:  in ckpt_ctx.phases, when the builder has something to do with it
 * @kind:   its row
 * @type:   CKPT_REC_*
 * @objref: the object it defines or belongs to
 * @len:    bytes of payload in the image
 * @pos:    where it stands in the image, for reasons
 * @hdr:    its header as it was read, but without the checksum; the payload
 *	follows, so that one checksum goes over both
 * @payload: at least kind->len bytes, zero-filled behind @len
 *
 * Nobody frees a record but the context: those of the metadata live as long as
 * it (ckpt_alloc()), one that is read behind them until the next one is read.
 */
struct ckpt_rec {
	struct list_head node;
	struct list_head own;
	struct list_head build;
	const struct ckpt_kind *kind;
	u32 type;
	u32 objref;
	u32 len;
	u16 version;
	u64 pos;
	struct ckpt_rec_hdr hdr;
	u8 payload[] __aligned(8);
};

/**
 * struct ckpt_kind - a row of the kinds table
 * @name:     for reasons and the coverage table, one word
 * @about:    for the coverage table: what of it is saved
 * @refuse:   not NULL: recognised only to be refused, with this reason
 * @family:   which of the ops below are its
 * @type:     CKPT_REC_*, 0 when nothing is written
 * @phase:    when it is restored
 * @version:  of the payload that is written
 * @min_version: oldest payload that is read
 * @min_len:  shortest payload that is read, in bytes
 * @len:      the payload struct of today without a flexible array
 * @max_len:  longest payload that is read
 * @owner:    type of the object that a record belongs to; 0: TASK for the
 *	TASK family, MM for the VMA family, the object itself for objects
 * @tail:     a flexible array follows the struct
 * @object:   each record defines an object (and has a new objref)
 * @single:   at most one such record for an objref
 * @required: exactly one such record for each task
 * @process: an attribute of a process: only its first thread has it
 * @zombie: a task that has exited has it, too
 * @in_task: not of the TASK family, but restored with the task
 *
 * Saving. The tree stands still. First everything is collected, then
 * everything is saved, so that a refusal comes before the first byte.
 *
 * @task_collect: find what cannot be saved, collect the objects it refers to
 *	(ckpt_collect()). Refuse with ckpt_refuse(); the walker goes on to find
 *	all the reasons.
 * @task_save: write the records
 * @obj_get, @obj_put: a reference on a collected object: the tree may be killed
 *	while it is saved, and then lets go of everything. Both or none.
 * @obj_collect, @obj_save: the same for an object; @ptr is what was collected
 * @file_match: is this file of this kind? No side effects.
 * @vma_match: likewise for a mapping
 * @vma_save: write the mapping's record; contents are not its business
 *	(FILE kinds use obj_collect and obj_save, VMA kinds vma_collect and
 *	vma_save)
 *
 * Restarting.
 *
 * @check: judge the whole record before anything is created. Pure: no side
 *	effects but on the record, no access to the running system. References
 *	are checked with ckpt_ref_kind(). NULL: lengths are all there is to check.
 * @restore: make the object, or allocate and check permissions. May fail. Must
 *	not change what a replaced caller would miss after a failure
 *	(ctx->self), and all it makes must go away with ckpt_obj_set()'s
 *	release.
 * @commit: there is no failure any more: take effect.
 * @needs_run: ctx->who is a thread that has not run yet: is there something to
 *	restore, so that it has to run and do it? NULL: it is restored as it is.
 *
 * A task's attributes are those of ctx->who, and restored and committed by the
 * first thread of its process, or the caller that is replaced: for itself, and
 * for the other threads before they run for the first time, unless @needs_run.
 * From the phase SIGNAL on a thread commits itself. Everything else is done by
 * one of the tasks, the builder, while the others wait: objects are made once,
 * and adopted by those who use them when their TASK records are committed. What
 * belongs to an MM is restored with that one as current->mm.
 */
struct ckpt_kind {
	const char *name;
	const char *about;
	const char *refuse;
	enum ckpt_family family;
	u32 type;
	enum ckpt_phase phase;
	u16 version;
	u16 min_version;
	u32 min_len;
	u32 len;
	u32 max_len;
	u32 owner;
	bool tail;
	bool object;
	bool single;
	bool required;
	bool process;
	bool zombie;
	bool in_task;

	int (*task_collect)(struct ckpt_ctx *ctx, struct task_struct *task);
	int (*task_save)(struct ckpt_ctx *ctx, struct task_struct *task);
	void (*obj_get)(void *ptr);
	void (*obj_put)(void *ptr);
	int (*obj_collect)(struct ckpt_ctx *ctx, struct ckpt_obj *obj);
	int (*obj_save)(struct ckpt_ctx *ctx, struct ckpt_obj *obj);
	bool (*file_match)(struct file *file);
	bool (*vma_match)(struct vm_area_struct *vma);
	int (*vma_collect)(struct ckpt_ctx *ctx, struct vm_area_struct *vma);
	int (*vma_save)(struct ckpt_ctx *ctx, struct vm_area_struct *vma);

	int (*check)(struct ckpt_ctx *ctx, struct ckpt_rec *rec);
	int (*restore)(struct ckpt_ctx *ctx, struct ckpt_rec *rec);
	void (*commit)(struct ckpt_ctx *ctx, struct ckpt_rec *rec);
	bool (*needs_run)(struct ckpt_ctx *ctx, const struct ckpt_rec *rec);
};

/* A row's sizes for a payload struct without a flexible array ... */
#define CKPT_PAYLOAD(struct_type)					\
	.min_len = sizeof(struct_type), .len = sizeof(struct_type),	\
	.max_len = sizeof(struct_type) + 256
/* ... and for one with, of at most @tail_len bytes. */
#define CKPT_PAYLOAD_TAIL(struct_type, tail_len)			\
	.min_len = sizeof(struct_type), .len = sizeof(struct_type),	\
	.max_len = sizeof(struct_type) + (tail_len), .tail = true

/* All types are smaller numbers, but for the header's. */
#define CKPT_NR_TYPES	0x200

extern const struct ckpt_kind *const ckpt_kinds[];
extern const unsigned int ckpt_nr_kinds;

/* The rows that have something, in the order of the table. */
enum ckpt_rows {
	CKPT_ROWS_TASK_COLLECT,
	CKPT_ROWS_TASK_SAVE,
	CKPT_ROWS_FILE_MATCH,
	CKPT_ROWS_VMA_MATCH,
	CKPT_NR_ROWS
};

const struct ckpt_kind *const *ckpt_rows(enum ckpt_rows which);

/**
 * ckpt_for_each_row() - go over the rows that have something
 * @row: a const struct ckpt_kind *const *
 * @which: enum ckpt_rows
 */
#define ckpt_for_each_row(row, which) \
	for ((row) = ckpt_rows(which); *(row); (row)++)

const struct ckpt_kind *ckpt_kind_of_type(u32 type);
const struct ckpt_kind *ckpt_kind_of_file(struct file *file);
const struct ckpt_kind *ckpt_kind_of_vma(struct vm_area_struct *vma);
int ckpt_kinds_print(struct file *file);

/* The frame's rows are used by name where the frame is written. */
extern const struct ckpt_kind ckpt_kind_header;
extern const struct ckpt_kind ckpt_kind_meta_end;
extern const struct ckpt_kind ckpt_kind_pages;
extern const struct ckpt_kind ckpt_kind_end;
extern const struct ckpt_kind ckpt_kind_error;
extern const struct ckpt_kind ckpt_kind_task;

#ifdef CONFIG_CHECKPOINT_SKIP_CHECKSUM
extern int ckpt_skip_checksum;
#endif

/* --- objects -------------------------------------------------------------- */

/**
 * struct ckpt_obj - something that can have several users in a tree
 * @ptr:   save: the kernel's object, held by kind->obj_get. Restart: what
 *	   restore made, or NULL.
 * @kind:  its row
 * @ref:   its number in the image
 * @users: save: how many references were found within the tree; of SYSV_SHM and
 *	   MQUEUE: those of processes, when all were found. Restart, of a
 *	   PTY: how many descriptions of it were hung up
 * @flags: CKPT_OBJ_*
 * @task:  save: through whom it was found first
 * @user:  restart, of a SIGHAND or MM: the first task that uses it
 * @rec:   restart: the record that defines it
 * @singles: restart: the types of single kinds of which it has a record
 * @recs:  restart: that one and those that belong to it, in image order; of a
 *	   task by phase, then in image order, when all of them are known
 * @release: restart: gives back @ptr when the operation ends
 */
struct ckpt_obj {
	struct rhash_head hash_node;
	struct list_head node;		/* ckpt_ctx.objs, in order of @ref */
	void *ptr;
	const struct ckpt_kind *kind;
	ckpt_ref_t ref;
	unsigned int users;
	u32 flags;			/* CKPT_OBJ_* */
	struct task_struct *task;
	struct ckpt_member *user;
	struct ckpt_rec *rec;
	DECLARE_BITMAP(singles, CKPT_NR_TYPES);
	struct list_head recs;
	void (*release)(void *ptr);
};

/* ckpt_obj.flags; save, of files */
#define CKPT_OBJ_FD		BIT(0)	/* has a descriptor */
#define CKPT_OBJ_MAPPED		BIT(1)	/* contents must not change */
/* save, of signal actions */
#define CKPT_OBJ_EPOLLED	BIT(3)	/* an epoll file in front waits for them */
/* save, of pseudo terminals */
#define CKPT_OBJ_INSIDE		BIT(4)	/* the master is the tree's */
/* restart, of a memfd's memory */
#define CKPT_OBJ_CREATED	BIT(2)	/* its first description is known */

/* save */
int ckpt_objs_init(struct ckpt_ctx *ctx, unsigned int nr);
int ckpt_collect(struct ckpt_ctx *ctx, const struct ckpt_kind *kind, void *ptr);
struct ckpt_obj *ckpt_obj_find(struct ckpt_ctx *ctx, const void *ptr);
ckpt_ref_t ckpt_ref(struct ckpt_ctx *ctx, const void *ptr);
int ckpt_objs_save(struct ckpt_ctx *ctx);
/* restart */
int ckpt_obj_define(struct ckpt_ctx *ctx, struct ckpt_rec *rec);
void ckpt_obj_set(struct ckpt_ctx *ctx, ckpt_ref_t ref, void *ptr,
		  void (*release)(void *ptr));
void *ckpt_obj_ptr(struct ckpt_ctx *ctx, ckpt_ref_t ref);
bool ckpt_ref_is_type(struct ckpt_ctx *ctx, ckpt_ref_t ref, u32 type);
bool ckpt_ref_is_family(struct ckpt_ctx *ctx, ckpt_ref_t ref,
			enum ckpt_family family);
/* both */
void ckpt_objs_release(struct ckpt_ctx *ctx);
void ckpt_objs_destroy(struct ckpt_ctx *ctx);

/* --- the tasks of a tree ---------------------------------------------------- */

/* What a new task is told to do next, see restart.c. */
enum ckpt_step {
	CKPT_STEP_THREADS,	/* make the other threads of the process */
	CKPT_STEP_RESTORE,	/* the builder: make all objects; restore a process */
	CKPT_STEP_SETTLE,	/* the builder: commit the objects; commit a process */
	CKPT_STEP_COMMIT,	/* commit what has had to wait for others */
	CKPT_STEP_RELEASE,	/* let go of the objects, tell all to go */
	CKPT_STEP_GO,		/* run as what was saved */
	CKPT_STEP_EXIT,		/* become a zombie */
	CKPT_STEP_ABORT,	/* vanish */
};

/**
 * struct ckpt_member - a task of the tree
 * @node:  in ckpt_ctx.members: the root is the first one, parents stand in front
 *	of their children, the first thread of a process in front of the others
 * @task:  the task, held; restart: NULL until it is made
 *
 * Saving.
 * @hash_node: in ckpt_ctx.member_hash
 * @seen:  the last scan that has found it
 * @dead:  that scan has found it as a zombie
 * @asked: to stand still, by us
 * @stack: its kernel stack is held
 *
 * Restarting. One process does a step at a time, by its first thread; the caller
 * of restart() says who.
 * @ctx:   the restart
 * @obj:   the object of its TASK record
 * @pid:   its number in the caller's pid namespace, when it is made
 * @leader: the first thread of its process
 * @threads: of a leader: the others, by @thread_node
 * @own_session: its session is made, it does not go into the caller's
 * @is_new: it has not run yet, whoever tells it the first step wakes it up
 * @turn:  it shall do @step
 * @cpu_work: commits what the task itself has to, as the last thing
 */
struct ckpt_member {
	struct list_head node;
	struct task_struct *task;

	struct rhash_head hash_node;
	unsigned int seen;
	bool dead;
	bool asked;
	bool stack;

	struct ckpt_ctx *ctx;
	struct ckpt_obj *obj;
	pid_t pid;
	struct ckpt_member *leader;
	struct list_head threads;
	struct list_head thread_node;
	bool own_session;
	bool is_new;
	struct completion turn;
	enum ckpt_step step;
	struct callback_head cpu_work;
};

/* --- the context ---------------------------------------------------------- */

/* What a reason is about; the walkers keep it up to date. */
struct ckpt_where {
	struct task_struct *task;	/* save */
	int fd;				/* -1: none, or that of ... */
	const struct file *file;	/* save: only compared, may be gone */
	unsigned long vm_start;		/* vm_end 0: none */
	unsigned long vm_end;
	u64 rec_pos;			/* U64_MAX: none */
	const char *kind;		/* NULL: none */
};

/**
 * struct ckpt_ctx - one checkpoint or restart
 *
 * Used by one task at a time: the caller of the system call, or during a
 * restart the new task while the caller waits for it.
 */
struct ckpt_ctx {
	struct ckpt_store *store;
	unsigned long flags;
	int crid;
	struct ckpt_where where;

	/* objects */
	struct rhashtable obj_hash;	/* save, by ptr ... */
	struct ckpt_obj *obj_found;	/* ... the last one asked for */
	struct ckpt_obj **obj_by_ref;	/* restart, from 1 to nr_objs ... */
	ckpt_ref_t obj_room;		/* ... with room for so many, and for 0 */
	struct list_head objs;
	ckpt_ref_t nr_objs;

	/* memory that lives as long as the context: arena.c */
	struct ckpt_chunk *chunks;
	void *room;			/* of the newest shared chunk */
	size_t room_left;

	/* reasons */
	struct file *log_file;		/* NULL: nobody asked */
	char *log;
	size_t log_len;
	unsigned int nr_reasons;
	unsigned int nr_lost;		/* reasons that found no room */
	int first_error;

	struct list_head externals;	/* open files that the caller named */

	u64 nr_records;
	u64 meta_bytes;
	u64 nr_pages;
	struct list_head members;

	/* the tree's namespaces, which a restart's caller has made; held */
	struct nsproxy *ns;
	struct pid_namespace *pid_ns;
	struct user_namespace *user_ns;
	u32 own_ns;			/* CKPT_NS_*: those that are not the saver's */

	/* save */
	struct task_struct *task;	/* root of the tree ... */
	struct pid *root_pid;		/* ... which another thread can become */
	struct rhashtable member_hash;	/* by task */
	unsigned int nr_scans;
	struct xarray own_groups;	/* by number: is it the tree's? */
	struct xarray own_sessions;
	unsigned int nr_tasks;		/* both: threads count, zombies too */
	bool self;			/* the caller is in, or replaced by, the tree */
	const struct cred *caller_cred;	/* whose rights count */
	struct path root;		/* the caller's, for paths in the image ... */
	struct fs_struct *old_fs;	/* ... if not the tree's is in its place */

	/* restart */
	/*
	 * Whose records are restored or committed: current, or a thread of its
	 * process that has not run yet or sleeps; not for cpu_work.
	 */
	struct task_struct *who;
	struct list_head recs;
	struct list_head phases[CKPT_NR_PHASES]; /* of them, what the builder does */
	struct ckpt_rec *frame;		/* the last one read behind the metadata */
	struct xarray terminals;	/* PTY records, by session */
	bool meta_done;			/* only page contents follow */
	bool timers;			/* POSIX timers, on the clocks of any process */
	struct ckpt_header header;
	struct xarray pids;		/* members, by saved pid */
	struct xarray group_pids;	/* made for groups without a leader */
	struct completion done;		/* the member has done its step ... */
	int result;			/* ... with this result */
	bool in_turn;			/* or tells the next one to do the same */
	struct completion thread_done;	/* a thread has done its part of it */
	atomic_t nr_running;		/* tasks that use the context */
	struct completion finished;	/* none does any more */
	struct mm_struct *old_mm;	/* the builder's, while it is in another one */
};

struct ckpt_ctx *ckpt_ctx_alloc(unsigned long flags);
void ckpt_ctx_free(struct ckpt_ctx *ctx);
void *ckpt_alloc(struct ckpt_ctx *ctx, size_t len);
void *ckpt_zalloc(struct ckpt_ctx *ctx, size_t len);
void ckpt_alloc_destroy(struct ckpt_ctx *ctx);

/**
 * ckpt_obj_get() - the object of a number
 * @ctx: the restart
 * @ref: its number, which can be from an image
 *
 * Return: the object, or NULL when no record has defined it yet.
 */
static inline struct ckpt_obj *ckpt_obj_get(struct ckpt_ctx *ctx,
					    ckpt_ref_t ref)
{
	if (!ref || ref > ctx->nr_objs)
		return NULL;
	return ctx->obj_by_ref[array_index_nospec(ref, ctx->nr_objs + 1)];
}

/**
 * ckpt_about_file() - reasons that follow are about this open file
 * @ctx: the checkpoint
 * @file: the file, or NULL: about none
 *
 * They name a descriptor of it and whose that is. Both are looked for when a
 * reason is said, not before: it takes time, and mostly there is none.
 */
static inline void ckpt_about_file(struct ckpt_ctx *ctx,
				   const struct file *file)
{
	ctx->where.fd = -1;
	ctx->where.file = file;
}

/**
 * ckpt_refuse() - note a reason why this cannot be done
 * @ctx: the operation, with its where up to date
 * @error: -errno: -EOPNOTSUPP for what is not supported, -EBUSY for what is
 *	shared with outside, -EINVAL for a bad image, -EPERM, ...
 * @fmt: a sentence for people, no newline, no final stop
 *
 * Return: @error.
 */
__printf(3, 4)
int ckpt_refuse(struct ckpt_ctx *ctx, int error, const char *fmt, ...);
int ckpt_log_flush(struct ckpt_ctx *ctx);

/* --- records --------------------------------------------------------------- */

int ckpt_write(struct ckpt_ctx *ctx, const struct ckpt_kind *kind,
	       ckpt_ref_t ref, const void *payload, size_t len);
int ckpt_write_tail(struct ckpt_ctx *ctx, const struct ckpt_kind *kind,
		    ckpt_ref_t ref, const void *payload, size_t len,
		    const void *tail, size_t tail_len);
int ckpt_write_pages(struct ckpt_ctx *ctx, ckpt_ref_t ref,
		     const struct ckpt_extent *extents, unsigned int nr_extents,
		     const struct bio_vec *bv, unsigned int nr_bv);
struct ckpt_rec *ckpt_read_rec(struct ckpt_ctx *ctx);
int ckpt_read_align(struct ckpt_ctx *ctx);

/* The payload of @rec as its struct; its kind says which. */
#define ckpt_payload(rec, struct_type) ((struct_type *)(rec)->payload)

/* Bytes behind the fixed struct: the flexible array. */
static inline u32 ckpt_tail_len(const struct ckpt_rec *rec, size_t fixed)
{
	return rec->len > fixed ? rec->len - fixed : 0;
}

static inline struct ckpt_stamp ckpt_stamp(struct timespec64 ts)
{
	return (struct ckpt_stamp) { .sec = ts.tv_sec, .nsec = ts.tv_nsec };
}

static inline bool ckpt_stamp_ok(const struct ckpt_stamp *stamp)
{
	return stamp->nsec < NSEC_PER_SEC && !stamp->pad;
}

/* --- the walkers ----------------------------------------------------------- */

int ckpt_do_checkpoint(struct ckpt_ctx *ctx);
int ckpt_do_restart(struct ckpt_ctx *ctx);

/* quiesce.c */
int ckpt_quiesce_ask(struct ckpt_ctx *ctx, struct task_struct *task,
		     bool first);
int ckpt_quiesce_wait(struct task_struct *task);
void ckpt_quiesce_end(struct task_struct *task);
bool ckpt_is_quiesced(struct task_struct *task);

/* tree.c: save */
int ckpt_tree_init(struct ckpt_ctx *ctx);
int ckpt_tree_quiesce(struct ckpt_ctx *ctx);
int ckpt_tree_check_access(struct ckpt_ctx *ctx);
int ckpt_tree_check_leaks(struct ckpt_ctx *ctx);
int ckpt_tree_check_alive(struct ckpt_ctx *ctx);
void ckpt_tree_kill(struct ckpt_ctx *ctx);
void ckpt_tree_release(struct ckpt_ctx *ctx);
void ckpt_tree_destroy(struct ckpt_ctx *ctx);
bool ckpt_in_tree(struct ckpt_ctx *ctx, const struct task_struct *task);
bool ckpt_is_zombie(const struct task_struct *task);
bool ckpt_has_exited(const struct task_struct *task);
struct task_struct *ckpt_first_thread(struct task_struct *task);

/* session.c */
int ckpt_session_collect(struct ckpt_ctx *ctx, struct task_struct *task);
bool ckpt_session_is_trees(struct ckpt_ctx *ctx, struct pid *pid,
			   enum pid_type type);
u32 ckpt_session_flags(struct ckpt_ctx *ctx, struct task_struct *task);
int ckpt_session_check_terminals(struct ckpt_ctx *ctx);
int ckpt_session_check(struct ckpt_ctx *ctx);
int ckpt_session_prepare(struct ckpt_ctx *ctx);
void ckpt_session_adopt_children(struct ckpt_ctx *ctx);
void ckpt_session_commit(struct ckpt_ctx *ctx);
void ckpt_session_destroy(struct ckpt_ctx *ctx);

/* ns.c */
int ckpt_ns_enter(struct ckpt_ctx *ctx);
void ckpt_ns_leave(struct ckpt_ctx *ctx);
bool ckpt_ns_is_init(struct ckpt_ctx *ctx, struct task_struct *task);
int ckpt_ns_prepare(struct ckpt_ctx *ctx);

/* restart.c */
struct pid *ckpt_pid(struct ckpt_ctx *ctx, pid_t saved);

/* memory: mm.c, pages.c, fill.c */
int ckpt_pages_alloc(gfp_t gfp, struct page **pages, unsigned int nr);
void ckpt_pages_put(struct page **pages, unsigned int nr);
int ckpt_pages_save(struct ckpt_ctx *ctx);
int ckpt_pages_restore(struct ckpt_ctx *ctx);
int ckpt_mm_enter(struct ckpt_ctx *ctx, struct mm_struct *mm);
void ckpt_mm_leave(struct ckpt_ctx *ctx);
void ckpt_mm_adopt(struct task_struct *task, struct mm_struct *mm);
int ckpt_mm_adopt_empty(void);

/* files: file.c, files.c, inode.c, locks.c, owner.c */
char *ckpt_path(struct ckpt_ctx *ctx, const struct path *path, char *buf,
		size_t size);
int ckpt_file_collect(struct ckpt_ctx *ctx, struct file *file);
bool ckpt_ref_is_open_file(struct ckpt_ctx *ctx, ckpt_ref_t ref);
void ckpt_file_mark_mapped(struct ckpt_obj *obj);
int ckpt_files_check_leaks(struct ckpt_ctx *ctx);
int ckpt_files_find(struct ckpt_ctx *ctx, const struct file *file,
		    struct task_struct **task);
int ckpt_locks_collect(struct ckpt_ctx *ctx);
int ckpt_owner_collect(struct ckpt_ctx *ctx);
void ckpt_files_adopt(struct task_struct *task, struct files_struct *files);
void ckpt_fs_adopt(struct task_struct *task, struct fs_struct *fs);
struct file *ckpt_inode_open(struct ckpt_ctx *ctx, struct ckpt_obj *obj);

/* architecture: arch/x86/kernel/checkpoint.c */
u64 ckpt_arch_xfeatures(void);
u32 ckpt_arch_xstate_size(void);
int ckpt_arch_prepare(struct ckpt_ctx *ctx);
void ckpt_arch_reset(struct task_struct *task);
void ckpt_arch_share_mm(struct mm_struct *mm);
void ckpt_arch_get_pkeys(struct mm_struct *mm, struct ckpt_mm *rec);
int ckpt_arch_set_pkeys(struct ckpt_ctx *ctx, struct mm_struct *mm,
			const struct ckpt_mm *rec);
int ckpt_arch_save_mm(struct ckpt_ctx *ctx, struct ckpt_obj *obj);

/* the ABI of a thread: restart_block.c, robust.c, rseq.c */
extern const struct ckpt_kind ckpt_kind_restart_block;
extern const struct ckpt_kind ckpt_kind_robust;
extern const struct ckpt_kind ckpt_kind_rseq;

#endif /* _CHECKPOINT_INTERNAL_H */
