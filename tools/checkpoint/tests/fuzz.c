// SPDX-License-Identifier: GPL-2.0
/*
 * fuzz IMAGE RUNS [SEED]: cuts the image off at every byte, then changes it at
 * random RUNS times, and lets all ways to look at an image have it. Built with
 * sanitizers, which end it at the first wrong step.
 *
 * What must hold: an image is sound or has a fault; one that is cut off has a
 * fault; one that is sound survives decode and encode byte by byte.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crc32c.h"
#include "image.h"
#include "show.h"

#define MAX_GROWTH	4096

static uint64_t state;
static FILE *nowhere;

static uint32_t rnd(uint32_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 11) % below;
}

static void die(const char *what)
{
	fprintf(stderr, "fuzz: %s\n", what);
	exit(1);
}

static void put(int fd, const uint8_t *bytes, size_t len)
{
	if (ftruncate(fd, 0) || pwrite(fd, bytes, len, 0) != (ssize_t)len ||
	    lseek(fd, 0, SEEK_SET))
		die("cannot write");
}

static bool same(int fd, const uint8_t *bytes, size_t len)
{
	uint8_t *other = malloc(len + 1);
	ssize_t got = pread(fd, other, len + 1, 0);
	bool ret = got == (ssize_t)len && !memcmp(other, bytes, len);

	free(other);
	return ret;
}

/* Through one of the ways; is it sound? */
static bool look(int fd, int way, bool skip_checksum, int out)
{
	struct image image;
	const char *error;
	bool sound;
	int err = 0;

	if (lseek(fd, 0, SEEK_SET) || image_open(&image, fd))
		die("cannot open");
	image.skip_checksum = skip_checksum;
	switch (way) {
	case 0:
		err = show_nothing(&image);
		break;
	case 1:
		err = show_summary(&image, nowhere);
		break;
	case 2:
		err = show_records(&image, nowhere);
		break;
	case 3:
		err = show_json(&image, nowhere);
		break;
	case 4:
		if (ftruncate(out, 0) || lseek(out, 0, SEEK_SET))
			die("cannot truncate");
		err = rewrite_image(&image, out, &error);
		break;
	}
	if (err)
		die("a way failed");
	sound = !image.fault[0];
	image_close(&image);
	return sound;
}

static bool look_all(int fd, bool skip_checksum, int out)
{
	bool sound = look(fd, 0, skip_checksum, out);
	int way;

	for (way = 1; way <= 4; way++)
		if (look(fd, way, skip_checksum, out) != sound)
			die("the ways do not agree");
	return sound;
}

/* So that the change gets past the checksum. */
static void mend(uint8_t *bytes, size_t len)
{
	struct ckpt_rec_hdr hdr;
	struct ckpt_pages pages;
	size_t at = 0, size;

	while (len - at >= sizeof(hdr)) {
		memcpy(&hdr, bytes + at, sizeof(hdr));
		if (hdr.len > len)
			return;
		size = sizeof(hdr) + image_round_up(hdr.len);
		if (size > len - at)
			return;
		hdr.crc32c = 0;
		memcpy(bytes + at, &hdr, sizeof(hdr));
		hdr.crc32c = crc32c(0, bytes + at, size);
		memcpy(bytes + at, &hdr, sizeof(hdr));
		if (hdr.type == CKPT_REC_PAGES && hdr.len >= sizeof(pages)) {
			memcpy(&pages, bytes + at + sizeof(hdr), sizeof(pages));
			at = (at + size + 4095) & ~(size_t)4095;
			if (at > len || pages.nr_pages > (len - at) / 4096)
				return;
			at += pages.nr_pages * (size_t)4096;
		} else {
			at += size;
		}
	}
}

static const uint64_t interesting[] = {
	0, 1, 2, 7, 8, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 4095, 4096,
	0x7fffffff, 0x80000000, 0xffffffff, 0x7fffffffffffffff,
	0x8000000000000000, 0xffffffffffffffff, 0xfffffffffffff000, 2 << 20,
};

/* One change; the length may grow by no more than MAX_GROWTH in all. */
static size_t mutate(uint8_t *bytes, size_t len, size_t room)
{
	size_t at = rnd(len), other = rnd(len), n;
	uint64_t value;

	/* Metadata is where it matters. */
	if (rnd(4) && len > 8192)
		at = rnd(8192);
	switch (rnd(7)) {
	case 0:
		bytes[at] ^= 1 << rnd(8);
		return len;
	case 1:
		bytes[at] = rnd(256);
		return len;
	case 2:
	case 3:
		n = 1 << rnd(4);
		at &= ~(n - 1);
		value = interesting[rnd(sizeof(interesting) /
					sizeof(interesting[0]))];
		if (len - at >= n)
			memcpy(bytes + at, &value, n);
		return len;
	case 4:
		n = 8 * (1 + rnd(32));
		if (len - at >= n && len - other >= n)
			memmove(bytes + at, bytes + other, n);
		return len;
	case 5:
		at &= ~7UL;
		n = 8 * (1 + rnd(16));
		if (len - at <= n)
			return len;
		memmove(bytes + at, bytes + at + n, len - at - n);
		return len - n;
	default:
		at &= ~7UL;
		n = 8 * (1 + rnd(16));
		if (room - len < n || len - at < n)
			return len;
		memmove(bytes + at + n, bytes + at, len - at);
		return len + n;
	}
}

static uint8_t *load(const char *path, size_t *len)
{
	struct stat st;
	uint8_t *bytes;
	int fd;

	fd = open(path, O_RDONLY);
	if (fd < 0 || fstat(fd, &st) || st.st_size < 32)
		die("cannot read the image");
	*len = st.st_size;
	bytes = malloc(*len);
	if (!bytes || read(fd, bytes, *len) != st.st_size)
		die("cannot read the image");
	close(fd);
	return bytes;
}

int main(int argc, char **argv)
{
	unsigned long runs, run, sound = 0;
	size_t len, len2, i;
	uint8_t *bytes, *copy;
	int in, out, n;
	bool skip;

	if (argc < 3)
		die("usage: fuzz IMAGE RUNS [SEED]");
	bytes = load(argv[1], &len);
	runs = strtoul(argv[2], NULL, 0);
	state = argc > 3 ? strtoull(argv[3], NULL, 0) : 0x9e3779b97f4a7c15;
	state |= 1;
	copy = malloc(len + MAX_GROWTH);
	in = memfd_create("in", 0);
	out = memfd_create("out", 0);
	nowhere = fopen("/dev/null", "w");
	if (!copy || in < 0 || out < 0 || !nowhere)
		die("cannot start");

	put(in, bytes, len);
	if (!look_all(in, false, out) || !same(out, bytes, len))
		die("the image itself does not pass");
	for (i = 0; i < len; i++) {
		if (ftruncate(in, len - 1 - i))
			die("cannot truncate");
		if (look(in, 0, false, out))
			die("an image that was cut off passed");
		if (!(i % 61))
			look_all(in, false, out);
	}
	printf("cut off at each of %zu bytes\n", len);

	for (run = 0; run < runs; run++) {
		memcpy(copy, bytes, len);
		len2 = len;
		for (n = 1 + rnd(4); n; n--)
			len2 = mutate(copy, len2, len + MAX_GROWTH);
		skip = !rnd(8);
		if (!skip && rnd(8))
			mend(copy, len2);
		put(in, copy, len2);
		if (!look_all(in, skip, out))
			continue;
		sound++;
		if (!skip && !same(out, copy, len2))
			die("there and back is not the same");
	}
	printf("changed %lu times, %lu still sound\n", runs, sound);
	free(copy);
	free(bytes);
	fclose(nowhere);
	return 0;
}
