/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Changing single records of an image: for the tests of a kind, which know what
 * a bad record of theirs is. image_test.c takes images apart as a whole.
 */
#ifndef CKPT_IMAGE_H
#define CKPT_IMAGE_H

#include <linux/checkpoint_image.h>

#include "ckpt_test.h"

/* CRC-32C; the caller inverts before and after. */
static inline uint32_t ckpt_crc32c(uint32_t crc, const void *buf, size_t len)
{
	const uint8_t *bytes = buf;
	int bit;

	while (len--)
		for (crc ^= *bytes++, bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
	return crc;
}

static inline size_t ckpt_record_len(const struct ckpt_rec_hdr *hdr)
{
	return sizeof(*hdr) + ((hdr->len + 7) & ~7ULL);
}

/* The nth metadata record of a type in an image that was read, or NULL. */
static inline struct ckpt_rec_hdr *ckpt_find_record(void *image, size_t len,
						    uint32_t type, int nth)
{
	struct ckpt_rec_hdr *hdr = image;
	size_t pos = 0;

	while (pos + sizeof(*hdr) <= len) {
		hdr = image + pos;
		if (hdr->type == CKPT_REC_META_END)
			break;
		if (hdr->type == type && !nth--)
			return hdr;
		pos += ckpt_record_len(hdr);
	}
	return NULL;
}

/* The payload was changed. */
static inline void ckpt_mend_record(struct ckpt_rec_hdr *hdr)
{
	hdr->crc32c = 0;
	hdr->crc32c = ~ckpt_crc32c(~0U, hdr, ckpt_record_len(hdr));
}

/* A target at its point, saved and killed; to be freed. */
static inline char *ckpt_save_scenario(struct ckpt_test *t,
				       const char *scenario, size_t *len)
{
	pid_t pid = ckpt_start(t, scenario, NULL);

	if (pid <= 0 || ckpt_checkpoint(t, pid, t->image, 0) <= 0 ||
	    ckpt_kill(t, pid))
		return NULL;
	return ckpt_read_file(t->image, len);
}

/* What comes to be is killed at once. */
static inline long ckpt_restart_raw(struct ckpt_test *t, const void *image,
				    size_t len)
{
	FILE *file = fopen(t->other, "w");
	long ret;

	if (!file || fwrite(image, 1, len, file) != len || fclose(file))
		return ckpt_say("cannot write %s", t->other);
	ret = ckpt_restart(t, t->other, RESTART_FRESH_PIDS | RESTART_STOPPED);
	if (ret > 0)
		ckpt_kill(t, ret);
	return ret;
}

/*
 * Restarts with bytes of all records of a type altered (@tries of them, on slow
 * kernels a sample): an error or a process, and no leftover. Returns how many
 * processes there were, -1: something else.
 */
static inline int ckpt_alter_records(struct ckpt_test *t, char *good,
				     size_t len, uint32_t type, int *tries)
{
	static const uint8_t values[] = { 0x01, 0x80, 0xff };
	struct ckpt_rec_hdr *hdr, *changed;
	char *image = malloc(len);
	size_t at, step;
	int nth, alive = 0;

	for (nth = 0; image; nth++) {
		hdr = ckpt_find_record(good, len, type, nth);
		if (!hdr)
			break;
		step = hdr->len < 200 ? 1 : 1 + hdr->len / 60;
		for (at = 0; at < hdr->len; at += step) {
			++*tries;
			if (!ckpt_sample())
				continue;
			memcpy(image, good, len);
			changed = (void *)(image + ((char *)hdr - good));
			((uint8_t *)(changed + 1))[at] ^=
				values[(at + nth) % ARRAY_SIZE(values)];
			ckpt_mend_record(changed);
			alive += ckpt_restart_raw(t, image, len) > 0;
			if (ckpt_has_children())
				return ckpt_say("byte %zu of record %d of type %#x left a child",
						at, nth, type);
		}
	}
	free(image);
	return image ? alive : -1;
}

/* The same for all records of these types, in an image of a scenario. */
static inline int ckpt_alter_scenario(struct ckpt_test *t, const char *scenario,
				      const uint32_t *types, int nr, int *tries)
{
	int i, ret = 0, alive = 0;
	size_t len;
	char *good;

	good = ckpt_save_scenario(t, scenario, &len);
	if (!good)
		return -1;
	for (i = 0; ret >= 0 && i < nr; i++) {
		ret = ckpt_alter_records(t, good, len, types[i], tries);
		alive += ret;
	}
	/* It was not the image that all this refused. */
	if (ret >= 0 && ckpt_restart_raw(t, good, len) <= 0) {
		ckpt_show_log(t);
		ret = -1;
	}
	free(good);
	return ret < 0 ? -1 : alive;
}

#endif /* CKPT_IMAGE_H */
