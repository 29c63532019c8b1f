// SPDX-License-Identifier: GPL-2.0
/*
 * ckptinfo(1): tells what is in a checkpoint image.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common.h"
#include "image.h"
#include "output.h"
#include "show.h"

enum mode {
	MODE_SUMMARY,
	MODE_RECORDS,
	MODE_JSON,
	MODE_VALIDATE,
	MODE_REWRITE,
};

static struct {
	enum mode mode;
	const char *input;
	const char *output;
	bool force;
	bool no_checksum;
	bool verbose;
} opt;

static const char *input_name(void)
{
	return strcmp(opt.input, "-") ? opt.input : "standard input";
}

static int do_rewrite(struct image *image)
{
	const char *error;
	struct output out;
	int err;

	if (output_open(&out, opt.output, opt.force))
		return EXIT_FAILED;
	err = rewrite_image(image, out.fd, &error);
	if (err && error)
		warn_msg("%s: cannot encode '%s'", input_name(), error);
	else if (err)
		warn_errno(err, "%s", opt.output);
	if (err || image->fault[0]) {
		output_discard(&out);
		return EXIT_FAILED;
	}
	return output_commit(&out, false) ? EXIT_FAILED : EXIT_OK;
}

static int do_show(struct image *image)
{
	int err = 0;

	switch (opt.mode) {
	case MODE_SUMMARY:
		err = show_summary(image, stdout);
		break;
	case MODE_RECORDS:
		err = show_records(image, stdout);
		break;
	case MODE_JSON:
		err = show_json(image, stdout);
		break;
	case MODE_VALIDATE:
		err = show_nothing(image);
		break;
	case MODE_REWRITE:
		return do_rewrite(image);
	}
	if (err)
		warn_errno(err, "%s", input_name());
	if (close_stdout())
		err = -EIO;
	return err ? EXIT_FAILED : EXIT_OK;
}

static int run(void)
{
	int fd = STDIN_FILENO, ret;
	struct image image;

	if (strcmp(opt.input, "-")) {
		fd = open(opt.input, O_RDONLY | O_CLOEXEC | O_NOCTTY);
		if (fd < 0) {
			warn_errno(errno, "%s", opt.input);
			return EXIT_FAILED;
		}
	}
	if (image_open(&image, fd)) {
		warn_errno(ENOMEM, "%s", input_name());
		return EXIT_FAILED;
	}
	image.skip_checksum = opt.no_checksum;

	ret = do_show(&image);
	if (image.fault[0]) {
		warn_msg("%s: at offset %" PRIu64 ": %s", input_name(),
			 image.fault_offset, image.fault);
		ret = EXIT_FAILED;
	} else if (ret == EXIT_OK && opt.mode == MODE_VALIDATE && opt.verbose) {
		warn_msg("%s: sound, %" PRIu64 " records, %" PRIu64 " pages, %" PRIu64 " bytes",
			 input_name(), image.nr_records, image.nr_pages,
			 image.pos);
	}
	image_close(&image);
	if (fd != STDIN_FILENO)
		close(fd);
	return ret;
}

static void usage(void)
{
	printf("Usage: %s [options] [IMAGE]\n"
	       "Tell what is in a checkpoint image, which is read from standard input by default.\n"
	       "\n"
	       "  -r, --records       print all records with all their fields\n"
	       "  -j, --json          print all records as JSON\n"
	       "  -c, --validate      print nothing, only check\n"
	       "      --rewrite FILE  decode all records, encode them again, write them to FILE\n"
	       "  -f, --force         overwrite FILE\n"
	       "      --no-checksum   do not compare checksums (--rewrite mends them)\n"
	       "  -v, --verbose       tell that the image is sound\n"
	       "  -h, --help          print this help\n"
	       "  -V, --version       print the version\n"
	       "\n"
	       "Exit status: 0: the image is sound, 1: it is not, or cannot be read, 2: wrong use.\n"
	       "\n"
	       "For more details see ckptinfo(1).\n",
	       prog);
}

enum {
	OPT_REWRITE = 256,
	OPT_NO_CHECKSUM,
};

static const struct option long_options[] = {
	{ "records",		no_argument,		NULL, 'r' },
	{ "json",		no_argument,		NULL, 'j' },
	{ "validate",		no_argument,		NULL, 'c' },
	{ "rewrite",		required_argument,	NULL, OPT_REWRITE },
	{ "force",		no_argument,		NULL, 'f' },
	{ "no-checksum",	no_argument,		NULL, OPT_NO_CHECKSUM },
	{ "verbose",		no_argument,		NULL, 'v' },
	{ "help",		no_argument,		NULL, 'h' },
	{ "version",		no_argument,		NULL, 'V' },
	{ NULL, 0, NULL, 0 }
};

static int set_mode(enum mode mode)
{
	if (opt.mode != MODE_SUMMARY && opt.mode != mode)
		return bad_usage("choose one of --records, --json, --validate and --rewrite");
	opt.mode = mode;
	return 0;
}

/* 0, or -1 when all is done, or an exit code. */
static int parse_args(int argc, char **argv)
{
	int c, ret = 0;

	while ((c = getopt_long(argc, argv, "rjcfvhV", long_options,
				NULL)) != -1) {
		switch (c) {
		case 'r':
			ret = set_mode(MODE_RECORDS);
			break;
		case 'j':
			ret = set_mode(MODE_JSON);
			break;
		case 'c':
			ret = set_mode(MODE_VALIDATE);
			break;
		case OPT_REWRITE:
			ret = set_mode(MODE_REWRITE);
			opt.output = optarg;
			break;
		case 'f':
			opt.force = true;
			break;
		case OPT_NO_CHECKSUM:
			opt.no_checksum = true;
			break;
		case 'v':
			opt.verbose = true;
			break;
		default:
			return other_option(c, usage);
		}
		if (ret)
			return ret;
	}
	opt.input = optind < argc ? argv[optind++] : "-";
	if (optind < argc)
		return bad_usage("one image at a time");
	if (!strcmp(opt.input, "-") && isatty(STDIN_FILENO))
		return bad_usage("an image does not come from a terminal; give its name");
	if (opt.output && !strcmp(opt.output, "-") && isatty(STDOUT_FILENO))
		return bad_usage("an image is not for a terminal");
	return 0;
}

int main(int argc, char **argv)
{
	int ret;

	tool_start(argv[0]);
	ret = parse_args(argc, argv);
	if (ret)
		return ret < 0 ? EXIT_OK : ret;
	return run();
}
