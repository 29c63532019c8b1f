/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A file that appears whole or not at all.
 */
#ifndef _TOOLS_CHECKPOINT_OUTPUT_H
#define _TOOLS_CHECKPOINT_OUTPUT_H

#include <stdbool.h>

/**
 * struct output - where an image goes
 * @fd:    to be written to
 * @path:  what it will be called, or what it is called when there is no @tmp
 * @tmp:   what it is called until then; NULL: written in place, because
 *	it is stdout, a device or a FIFO
 * @force: it may take the place of an existing file
 */
struct output {
	int fd;
	char *path;
	char *tmp;
	bool force;
};

int output_open(struct output *out, const char *path, bool force);
void output_hold(void);
int output_commit(struct output *out, bool keep);
void output_discard(struct output *out);

#endif /* _TOOLS_CHECKPOINT_OUTPUT_H */
