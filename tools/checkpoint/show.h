/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The ways to look at an image. Each reads it to its end; whether it is sound
 * is then known from image->fault.
 *
 * They return 0 or -errno of what is not the image's fault.
 */
#ifndef _TOOLS_CHECKPOINT_SHOW_H
#define _TOOLS_CHECKPOINT_SHOW_H

#include <stdio.h>

#include "image.h"

int show_summary(struct image *image, FILE *to);
int show_records(struct image *image, FILE *to);
int show_json(struct image *image, FILE *to);
int show_nothing(struct image *image);
int rewrite_image(struct image *image, int to, const char **error);

#endif /* _TOOLS_CHECKPOINT_SHOW_H */
