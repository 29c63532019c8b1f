/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A record as a JSON tree, and back.
 *
 * Numbers are JSON numbers, structs are objects, arrays are arrays. An array of
 * bytes is a string: UTF-8 as it is, '\' as "\\", other bytes as "\xNN" (these
 * are two and four characters of the string), zeros at its end left out. Members
 * that must be zero, and are, are left out.
 */
#ifndef _TOOLS_CHECKPOINT_TREE_H
#define _TOOLS_CHECKPOINT_TREE_H

#include <stddef.h>
#include <stdint.h>

#include "image.h"

struct json_object;

struct json_object *tree_from_rec(const struct image_rec *rec);
int tree_to_rec(struct json_object *tree, uint8_t **bytes, size_t *len,
		const char **error);

#endif /* _TOOLS_CHECKPOINT_TREE_H */
