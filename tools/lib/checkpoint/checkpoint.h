/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libcheckpoint: checkpoint and restart running programs.
 *
 * The library is thread-safe and keeps no global state. Nothing in it prints
 * or exits.
 */
#ifndef _CHECKPOINT_CHECKPOINT_H
#define _CHECKPOINT_CHECKPOINT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Flags of ckpt_checkpoint(), those of checkpoint(2). */
#define CKPT_DRY_RUN	(1UL << 0)	/* write nothing, find all reasons */
#define CKPT_KILL	(1UL << 2)	/* kill all processes once saved */
#define CKPT_TCP_RESET	(1UL << 3)	/* connections with others come back reset */

/* Flags of ckpt_restart(), those of restart(2). */
#define CKPT_SELF	(1UL << 0)	/* replace the caller */
#define CKPT_FRESH_PIDS	(1UL << 1)	/* fresh pids, not the saved ones */
#define CKPT_STOPPED	(1UL << 2)	/* leave all processes stopped */
#define CKPT_CALLERS_NS	(1UL << 8)	/* do without own namespaces */
#define CKPT_CGROUPS	(1UL << 9)	/* move to the saved cgroups */

#define CKPT_NO_FD	(-1)
#define CKPT_NO_REC	UINT64_MAX

/**
 * struct ckpt_reason - why something cannot be checkpointed or restarted
 * @line:     all of it, as the kernel wrote it
 * @text:     the sentence for people
 * @comm:     the name of the process, or NULL
 * @kind:     the kind of resource, or NULL
 * @error:    errno, 0 when the kernel did not tell
 * @pid:      0: none
 * @fd:       CKPT_NO_FD: none
 * @vm_start: a range of addresses; none when @vm_end is 0
 * @vm_end:   its end
 * @rec:      the offset of a record in the image, or CKPT_NO_REC
 *
 * Later versions may add members at the end.
 */
struct ckpt_reason {
	const char *line;
	const char *text;
	const char *comm;
	const char *kind;
	int error;
	pid_t pid;
	int fd;
	uint64_t vm_start;
	uint64_t vm_end;
	uint64_t rec;
};

struct ckpt_reasons;

/* How many there are; 0 when @reasons is NULL. */
size_t ckpt_reasons_count(const struct ckpt_reasons *reasons);
/* Number @index, from 0; NULL behind the last. Lives as long as the list. */
const struct ckpt_reason *ckpt_reasons_get(const struct ckpt_reasons *reasons,
					   size_t index);
void ckpt_reasons_free(struct ckpt_reasons *reasons);

/*
 * Takes text of the form that checkpoint(2) describes apart, a reason a line.
 * 0 or -ENOMEM.
 */
int ckpt_reasons_parse(const char *text, size_t len,
		       struct ckpt_reasons **reasons);

/**
 * struct ckpt_external - an open file that a process outside of the tree has, too
 * @pid:  the process in the tree that has it; 0: the root of the tree
 * @fd:   its descriptor there
 * @with: for ckpt_restart(): a descriptor of the caller, which takes its place
 */
struct ckpt_external {
	pid_t pid;
	int fd;
	int with;
};

/**
 * struct ckpt_opts - options of the calls
 * @size:    sizeof(struct ckpt_opts), as the caller was built
 * @flags:   CKPT_*; unknown ones are for the kernel to judge
 * @reasons: where to put the reasons of a failure, to be freed by
 *	ckpt_reasons_free(); set to NULL when there are none. NULL: not wanted
 * @log:     called for each reason, and for what the library has to tell, with
 *	a line without a newline. NULL: not wanted
 * @log_arg: passed to @log
 * @externals: open files that stay outside, or what is given for them
 * @nr_externals: how many
 *
 * Use CKPT_OPTS_INIT, or set all to zero and then @size.
 */
struct ckpt_opts {
	size_t size;
	unsigned long flags;
	struct ckpt_reasons **reasons;
	void (*log)(void *arg, const char *line);
	void *log_arg;
	const struct ckpt_external *externals;
	size_t nr_externals;
};

#define CKPT_OPTS_INIT { sizeof(struct ckpt_opts), 0, NULL, NULL, NULL, NULL, 0 }

/*
 * checkpoint(2). Writes an image of process @pid (0: the caller), of its
 * threads and all its descendants to @fd.
 *
 * Returns the id of the checkpoint (0 for a dry run that found nothing to
 * refuse), or -errno. A caller who is one of them returns once more, with 0,
 * when they are restarted. -ENOSYS: the kernel has no checkpoint/restart.
 */
int ckpt_checkpoint(pid_t pid, int fd, const struct ckpt_opts *opts);

/*
 * restart(2). Makes the processes that are saved in the image that @fd gives.
 * @crid is 0 (or, where the kernel keeps checkpoints, one of their ids; @fd is
 * then -1).
 *
 * Returns the pid of the root, or -errno. With CKPT_SELF, returns only after a
 * failure.
 */
int ckpt_restart(int crid, int fd, const struct ckpt_opts *opts);

/*
 * What the running kernel can save, and what it refuses, as text. *@text is to
 * be freed by free(). 0 or -errno.
 */
int ckpt_query(char **text);

/*
 * A sentence for people about the -errno that a call of this library returned.
 * A constant, or what strerror_r() makes of it in @buf.
 */
const char *ckpt_strerror(int error, char *buf, size_t size);

/* The version of this library, such as "1.0". */
const char *ckpt_version(void);

#ifdef __cplusplus
}
#endif

#endif /* _CHECKPOINT_CHECKPOINT_H */
