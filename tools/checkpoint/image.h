/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reads an image record by record and judges it. Nothing in it is believed: a
 * record is handed out only when its frame is sound.
 */
#ifndef _TOOLS_CHECKPOINT_IMAGE_H
#define _TOOLS_CHECKPOINT_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/checkpoint_image.h>

#include "records_table.h"

/* The bounds of the kernel's reader. */
#define IMAGE_MAX_RECORD	0x200000U
#define IMAGE_MAX_META		0x10000000U
#define IMAGE_MAX_RECORDS	0x100000U

/**
 * struct image_rec - a record
 * @offset:  of its header in the image
 * @hdr:     its header
 * @desc:    its type, or NULL for an unknown one that may be skipped
 * @payload: at least as long as @desc's struct, zero-filled behind hdr.len
 * @pages_offset: of the page contents behind it
 * @pages_bytes:  their length, 0 when it has none
 */
struct image_rec {
	uint64_t offset;
	struct ckpt_rec_hdr hdr;
	const struct ckpt_rec_desc *desc;
	uint8_t *payload;
	uint64_t pages_offset;
	uint64_t pages_bytes;
};

/**
 * struct image - an image that is being read
 * @skip_checksum: do not compare checksums
 * @pos:         how far it is read, in bytes
 * @size:        of the file; UINT64_MAX when it cannot be known
 * @page_size:   as the header tells
 * @nr_records:  how many were read
 * @nr_objects:  how many they define
 * @nr_tasks:    how many tasks
 * @nr_pages:    how many pages
 * @fault_offset: where the first fault is
 * @fault:       what it is; "" when none was found
 */
struct image {
	bool skip_checksum;
	uint64_t pos;
	uint64_t size;
	uint32_t page_size;
	uint64_t nr_records;
	uint32_t nr_objects;
	uint32_t nr_tasks;
	uint64_t nr_pages;
	uint64_t fault_offset;
	char fault[256];

	/* private */
	int fd;
	uint8_t *buf;
	size_t buf_len;
	size_t buf_pos;
	uint64_t meta_bytes;
	uint64_t pages_left;
	bool meta_ended;
	bool ended;
	struct image_rec rec;
};

int image_open(struct image *image, int fd);
void image_close(struct image *image);
const struct image_rec *image_next(struct image *image);
int image_write(int fd, const uint8_t *bytes, size_t len);
int image_copy_pages(struct image *image, int to);

/* Bytes of @len and the zeros up to a multiple of 8. */
static inline uint64_t image_round_up(uint64_t len)
{
	return (len + 7) & ~(uint64_t)7;
}

const struct ckpt_field *image_flex(const struct ckpt_struct *layout);
bool image_num(const struct image_rec *rec, const char *path, uint64_t *value);
const uint8_t *image_bytes(const struct image_rec *rec, const char *path,
			   size_t *len);

#endif /* _TOOLS_CHECKPOINT_IMAGE_H */
