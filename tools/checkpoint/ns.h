/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Namespaces that restart(1) makes before it restarts.
 */
#ifndef _TOOLS_CHECKPOINT_NS_H
#define _TOOLS_CHECKPOINT_NS_H

/**
 * struct ns_opts - what the user asks for
 * @flags: CLONE_NEW*
 * @users, @groups: maps of a user namespace, INNER:OUTER:COUNT[,...], or NULL
 */
struct ns_opts {
	int flags;
	const char *users;
	const char *groups;
};

int ns_make(const struct ns_opts *opts, int image);

#endif /* _TOOLS_CHECKPOINT_NS_H */
