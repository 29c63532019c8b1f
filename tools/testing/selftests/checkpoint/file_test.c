// SPDX-License-Identifier: GPL-2.0
/*
 * Open files: which they are, where they stand, who shares them; working
 * directory and root.
 */
#include "ckpt_test.h"

#include <dirent.h>
#include <poll.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <termios.h>

#define USER	1000

static int make_file(const char *path, const char *text)
{
	NEED(!ckpt_write_file(path, text));
	return 0;
}

static int need_open(const char *path, int flags)
{
	int fd = open(path, flags, 0644);

	if (!CHECK_SAY(fd >= 0, "%s: %s", path, strerror(errno)))
		ckpt_target_die();
	return fd;
}

/* --- regular files -------------------------------------------------------- */

ROUNDTRIP(offset_and_flags)
{
	int rd, wr, rw, app, sync;
	char buf[16] = "";

	make_file("file", "0123456789");
	rd = need_open("file", O_RDONLY | O_CLOEXEC);
	wr = need_open("file", O_WRONLY);
	rw = need_open("file", O_RDWR | O_NOATIME);
	app = need_open("log", O_WRONLY | O_APPEND | O_CREAT);
	sync = need_open("sync", O_RDWR | O_CREAT | O_SYNC | O_NONBLOCK);
	NEED(lseek(rd, 3, SEEK_SET) == 3);
	NEED(lseek(wr, 5, SEEK_SET) == 5);
	NEED(lseek(rw, 1000000000000LL, SEEK_SET) == 1000000000000LL);
	NEED(write(app, "one", 3) == 3);
	NEED(!lseek(app, 0, SEEK_SET));
	ckpt_point();
	CHECK_EQ(2, read(rd, buf, 2));
	CHECK(!strcmp(buf, "34"));
	CHECK_EQ(-1, write(rd, "x", 1));
	CHECK_EQ(EBADF, errno);
	CHECK_EQ(1, write(wr, "X", 1));
	CHECK_EQ(-1, read(wr, buf, 1));
	CHECK_EQ(1, pread(rd, buf, 1, 5));
	CHECK_EQ('X', buf[0]);
	CHECK_EQ(1000000000000LL, lseek(rw, 0, SEEK_CUR));
	CHECK_EQ(O_RDWR | O_NOATIME, fcntl(rw, F_GETFL) & ~0x8000);
	CHECK_EQ(3, write(app, "two", 3));
	CHECK_EQ(6, lseek(app, 0, SEEK_CUR));
	CHECK_EQ(O_APPEND | O_WRONLY, fcntl(app, F_GETFL) & ~0x8000);
	CHECK_EQ(O_SYNC | O_RDWR | O_NONBLOCK, fcntl(sync, F_GETFL) & ~0x8000);
	CHECK_EQ(FD_CLOEXEC, fcntl(rd, F_GETFD));
	CHECK_EQ(0, fcntl(wr, F_GETFD));
}

/* Descriptors of one description move together, those of two do not. */
ROUNDTRIP(shared_descriptions)
{
	int a, b, c, high;

	make_file("file", "0123456789");
	a = need_open("file", O_RDONLY);
	c = need_open("file", O_RDONLY);
	NEED((b = fcntl(a, F_DUPFD_CLOEXEC, 20)) == 20);
	NEED((high = dup2(a, 900)) == 900);
	ckpt_point();
	CHECK_EQ(4, lseek(a, 4, SEEK_SET));
	CHECK_EQ(4, lseek(b, 0, SEEK_CUR));
	CHECK_EQ(4, lseek(high, 0, SEEK_CUR));
	CHECK_EQ(0, lseek(c, 0, SEEK_CUR));
	CHECK_EQ(FD_CLOEXEC, fcntl(b, F_GETFD));
	CHECK_EQ(0, fcntl(high, F_GETFD));
	NEED(!fcntl(b, F_SETFL, O_APPEND));
	CHECK_EQ(O_APPEND, fcntl(a, F_GETFL) & O_APPEND);
	CHECK_EQ(0, fcntl(c, F_GETFL) & O_APPEND);
	/* The lowest free one comes next. */
	CHECK_EQ(5, dup(a));
}

ROUNDTRIP(many_files)
{
	const int nr = 700;
	char name[32], buf[32];
	int i;

	for (i = 0; i < nr; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		make_file(name, name);
		NEED(open(name, O_RDWR | (i % 3 ? 0 : O_CLOEXEC)) == 3 + i);
		NEED(lseek(3 + i, i % 2, SEEK_SET) == i % 2);
	}
	for (i = 0; i < nr; i += 5)
		close(3 + i);
	ckpt_point();
	for (i = 0; i < nr; i++) {
		ssize_t got;

		if (i % 5 == 0) {
			CHECK_EQ(-1, fcntl(3 + i, F_GETFD));
			continue;
		}
		snprintf(name, sizeof(name), "f%d", i);
		got = read(3 + i, buf, sizeof(buf) - 1);
		NEED(got > 0);
		buf[got] = '\0';
		CHECK(!strcmp(buf, name + i % 2));
		CHECK_EQ(i % 3 ? 0 : FD_CLOEXEC, fcntl(3 + i, F_GETFD));
	}
}

/* More descriptors than the limit allows now. */
ROUNDTRIP(over_the_limit)
{
	struct rlimit limit = { 10, 10 };
	int fd;

	make_file("file", "text");
	fd = need_open("file", O_RDONLY);
	NEED(dup2(fd, 500) == 500);
	NEED(!setrlimit(RLIMIT_NOFILE, &limit));
	ckpt_point();
	CHECK_EQ(2, lseek(500, 2, SEEK_SET));
	CHECK_EQ(2, lseek(fd, 0, SEEK_CUR));
	CHECK_EQ(-1, dup2(fd, 499));
}

ROUNDTRIP(no_descriptors)
{
	int fd;

	for (fd = 0; fd < 10; fd++)
		close(fd);
	ckpt_point();
	for (fd = 0; fd < 10; fd++)
		CHECK_EQ(-1, fcntl(fd, F_GETFD));
	CHECK_EQ(0, open("/dev/null", O_RDWR));
}

ROUNDTRIP(directory)
{
	char names[20][32], name[32];
	struct dirent *entry;
	int i, dirfd, count = 0;
	DIR *dir;
	long pos;

	NEED(!mkdir("dir", 0755));
	for (i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "dir/file%d", i);
		make_file(name, "");
	}
	dirfd = need_open("dir", O_RDONLY | O_DIRECTORY);
	NEED((dir = fdopendir(dirfd)));
	for (i = 0; i < 7; i++) {
		NEED((entry = readdir(dir)));
		snprintf(names[i], sizeof(names[i]), "%.31s", entry->d_name);
	}
	pos = telldir(dir);
	NEED(lseek(dirfd, pos, SEEK_SET) == pos);
	ckpt_point();
	CHECK_EQ(pos, lseek(dirfd, 0, SEEK_CUR));
	/* The rest, and nothing of what was seen. */
	seekdir(dir, pos);
	while ((entry = readdir(dir))) {
		count++;
		for (i = 0; i < 7; i++)
			CHECK(strcmp(names[i], entry->d_name));
	}
	CHECK_EQ(15, count);
	CHECK_EQ(0, faccessat(dirfd, "file3", R_OK, 0));
}

ROUNDTRIP(o_path)
{
	int file, link, dir;
	char buf[64] = "";
	struct stat st;

	make_file("file", "text");
	NEED(!symlink("file", "link"));
	NEED(!mkdir("dir", 0755));
	make_file("dir/inner", "inner");
	file = need_open("file", O_PATH);
	link = need_open("link", O_PATH | O_NOFOLLOW | O_CLOEXEC);
	dir = need_open("dir", O_PATH | O_DIRECTORY);
	ckpt_point();
	CHECK_EQ(-1, read(file, buf, 1));
	CHECK_EQ(EBADF, errno);
	CHECK_EQ(0, fstat(file, &st));
	CHECK_EQ(4, st.st_size);
	CHECK_EQ(4, readlinkat(link, "", buf, sizeof(buf)));
	CHECK(!strcmp(buf, "file"));
	CHECK_EQ(FD_CLOEXEC, fcntl(link, F_GETFD));
	CHECK_EQ(0, fchdir(dir));
	CHECK_EQ(0, access("inner", R_OK));
}

ROUNDTRIP(devices)
{
	static const char *const names[] = {
		"/dev/null", "/dev/zero", "/dev/full", "/dev/random",
		"/dev/urandom",
	};
	char buf[8];
	int fd[5], i;

	for (i = 0; i < 5; i++)
		fd[i] = need_open(names[i], O_RDWR | (i ? 0 : O_CLOEXEC));
	ckpt_point();
	CHECK_EQ(0, read(fd[0], buf, 8));
	CHECK_EQ(8, write(fd[0], buf, 8));
	memset(buf, 1, 8);
	CHECK_EQ(8, read(fd[1], buf, 8));
	CHECK_EQ(0, buf[7]);
	CHECK_EQ(-1, write(fd[2], buf, 8));
	CHECK_EQ(ENOSPC, errno);
	CHECK_EQ(8, read(fd[3], buf, 8));
	CHECK_EQ(8, read(fd[4], buf, 8));
	CHECK_EQ(FD_CLOEXEC, fcntl(fd[0], F_GETFD));
}

/* A name that has more to it than letters. */
ROUNDTRIP(strange_names)
{
	static const char *const names[] = {
		"with blank", "new\nline", "\xff\xfe not utf8", " (deleted)",
		"name (deleted)", "tab\there", "-", "a\\b",
	};
	int i, fd[8];
	char buf[32];

	for (i = 0; i < 8; i++) {
		make_file(names[i], names[i]);
		fd[i] = need_open(names[i], O_RDONLY);
	}
	ckpt_point();
	for (i = 0; i < 8; i++) {
		memset(buf, 0, sizeof(buf));
		CHECK(read(fd[i], buf, sizeof(buf) - 1) > 0);
		CHECK(!strcmp(buf, names[i]));
	}
}

ROUNDTRIP(deep_path)
{
	char name[201];
	int i, fd;

	memset(name, 'd', 200);
	name[200] = '\0';
	for (i = 0; i < 15; i++) {
		NEED(!mkdir(name, 0755));
		NEED(!chdir(name));
	}
	make_file("file", "deep");
	fd = need_open("file", O_RDONLY);
	ckpt_point();
	CHECK_EQ(4, lseek(fd, 0, SEEK_END));
	CHECK_EQ(0, access("file", R_OK));
}

/* Deeper than any path that can be named. */
ROUNDTRIP_OR_REFUSED(too_deep_path)
{
	char name[251];
	int i;

	memset(name, 'd', 250);
	name[250] = '\0';
	for (i = 0; i < 20; i++) {
		NEED(!mkdir(name, 0755));
		NEED(!chdir(name));
	}
	make_file("file", "deep");
	ckpt_point();
	CHECK_EQ(0, access("file", R_OK));
}

/* A hard link to something else has the old name now. */
ROUNDTRIP(opened_through_link)
{
	int fd;

	make_file("file", "text");
	NEED(!symlink("file", "link"));
	fd = need_open("link", O_RDONLY);
	NEED(!unlink("link"));
	ckpt_point();
	CHECK_EQ(4, lseek(fd, 0, SEEK_END));
}

/* What was opened with rights that the process has not any more. */
ROUNDTRIP(dropped_rights)
{
	char buf[8];
	int fd;

	if (getuid())
		ckpt_skip("not root");
	make_file("secret", "secret");
	NEED(!chmod("secret", 0600));
	fd = need_open("secret", O_RDWR);
	NEED(!setresgid(USER, USER, USER) && !setresuid(USER, USER, USER));
	ckpt_point();
	CHECK_EQ(6, read(fd, buf, 8));
	CHECK_EQ(-1, open("secret", O_RDONLY));
	CHECK_EQ(EACCES, errno);
}

ROUNDTRIP_OR_REFUSED(direct_io)
{
	int fd = open("file", O_RDWR | O_CREAT | O_DIRECT, 0644);

	if (fd < 0)
		ckpt_skip("no O_DIRECT here");
	ckpt_point();
	CHECK_EQ(O_DIRECT, fcntl(fd, F_GETFL) & O_DIRECT);
}

/* --- without a name ------------------------------------------------------- */

ROUNDTRIP(unlinked)
{
	char text[20000], buf[20000];
	int fd, again, dup_fd;
	struct stat st;

	ckpt_fill(text, sizeof(text), 1);
	fd = need_open("file", O_RDWR | O_CREAT);
	NEED(fchmod(fd, 0640) == 0);
	NEED(write(fd, text, sizeof(text)) == sizeof(text));
	again = need_open("file", O_RDONLY);
	NEED((dup_fd = dup(fd)) >= 0);
	NEED(!unlink("file"));
	NEED(lseek(fd, 777, SEEK_SET) == 777);
	ckpt_point();
	CHECK_EQ(777, lseek(dup_fd, 0, SEEK_CUR));
	CHECK_EQ(0, lseek(again, 0, SEEK_CUR));
	NEED(!fstat(fd, &st));
	CHECK_EQ(sizeof(text), st.st_size);
	CHECK_EQ(0, st.st_nlink);
	CHECK_EQ(S_IFREG | 0640, st.st_mode);
	CHECK_EQ(sizeof(buf), read(again, buf, sizeof(buf)));
	CHECK_FILL(buf, sizeof(buf), 1);
	/* Both descriptions are of one file. */
	CHECK_EQ(1, pwrite(fd, "Q", 1, 5));
	CHECK_EQ(1, pread(again, buf, 1, 5));
	CHECK_EQ('Q', buf[0]);
	CHECK_EQ(-1, write(again, "x", 1));
	CHECK_EQ(-1, access("file", F_OK));
}

ROUNDTRIP(unlinked_sparse)
{
	char buf[8] = "";
	struct stat st;
	int fd;

	fd = need_open("file", O_RDWR | O_CREAT);
	NEED(!unlink("file"));
	NEED(pwrite(fd, "begin", 5, 0) == 5);
	NEED(pwrite(fd, "end", 3, 1 << 30) == 3);
	ckpt_point();
	NEED(!fstat(fd, &st));
	CHECK_EQ((1 << 30) + 3, st.st_size);
	CHECK(st.st_blocks < 1000);
	CHECK_EQ(3, pread(fd, buf, 8, 1 << 30));
	CHECK(!strcmp(buf, "end"));
	CHECK_EQ(5, pread(fd, buf, 5, 0));
	CHECK(!memcmp(buf, "begin", 5));
}

ROUNDTRIP(tmpfile_without_name)
{
	int fd = open(".", O_TMPFILE | O_RDWR, 0600);
	char buf[8] = "";

	if (fd < 0)
		ckpt_skip("no O_TMPFILE here");
	NEED(write(fd, "text", 4) == 4);
	ckpt_point();
	CHECK_EQ(4, lseek(fd, 0, SEEK_CUR));
	CHECK_EQ(4, pread(fd, buf, 8, 0));
	CHECK(!strcmp(buf, "text"));
}

/* Another file has taken the name. */
ROUNDTRIP(unlinked_and_replaced)
{
	char buf[8] = "";
	int old, new;

	make_file("file", "old");
	old = need_open("file", O_RDWR);
	NEED(!unlink("file"));
	make_file("file", "newer");
	new = need_open("file", O_RDWR);
	ckpt_point();
	CHECK_EQ(3, read(old, buf, 8));
	CHECK(!strcmp(buf, "old"));
	CHECK_EQ(5, read(new, buf, 8));
	CHECK(!strcmp(buf, "newer"));
}

/* Two names of one file, both of them removed, and the directories, too. */
ROUNDTRIP_OPT(unlinked_links, CKPT_RT_NO_SNAP)
{
	char buf[8] = "";
	struct stat a, b;
	int one, two;

	NEED(!mkdir("d1", 0700) && !mkdir("d2", 0700) && !mkdir("d2/d3", 0700));
	make_file("d1/file", "text");
	NEED(!link("d1/file", "d2/d3/second"));
	one = need_open("d1/file", O_RDWR);
	two = need_open("d2/d3/second", O_RDONLY);
	NEED(!unlink("d1/file") && !rmdir("d1"));
	NEED(!unlink("d2/d3/second") && !rmdir("d2/d3") && !rmdir("d2"));
	ckpt_point();
	NEED(!fstat(one, &a) && !fstat(two, &b));
	CHECK_EQ(a.st_ino, b.st_ino);
	CHECK_EQ(a.st_dev, b.st_dev);
	CHECK_EQ(0, a.st_nlink);
	CHECK_EQ(1, pwrite(one, "T", 1, 0));
	CHECK_EQ(4, read(two, buf, 8));
	CHECK(!strcmp(buf, "Text"));
	CHECK_EQ(-1, access("d1", F_OK));
	CHECK_EQ(-1, access("d2", F_OK));
}

/* Made without a name, given one later; O_EXCL forbids that. */
ROUNDTRIP(tmpfile_linked_later)
{
	int fd = open(".", O_TMPFILE | O_RDWR, 0640);
	int never = open(".", O_TMPFILE | O_RDWR | O_EXCL, 0600);
	char name[64], buf[8] = "";
	struct stat st;

	if (fd < 0 || never < 0)
		ckpt_skip("no O_TMPFILE here");
	NEED(write(fd, "text", 4) == 4);
	ckpt_point();
	sprintf(name, "/proc/self/fd/%d", fd);
	CHECK_EQ(0, linkat(AT_FDCWD, name, AT_FDCWD, "named",
			   AT_SYMLINK_FOLLOW));
	CHECK_EQ(0, stat("named", &st));
	CHECK_EQ(1, st.st_nlink);
	CHECK_EQ(S_IFREG | 0640, st.st_mode);
	CHECK_EQ(4, read(need_open("named", O_RDONLY), buf, 8));
	CHECK(!strcmp(buf, "text"));
	sprintf(name, "/proc/self/fd/%d", never);
	CHECK_EQ(-1, linkat(AT_FDCWD, name, AT_FDCWD, "never",
			    AT_SYMLINK_FOLLOW));
	CHECK_EQ(ENOENT, errno);
}

/* As a program does it that makes a file under a name for the time being. */
ROUNDTRIP_OPT(linked_under_another_name, CKPT_RT_NO_SNAP)
{
	char buf[8] = "";
	struct stat st;
	int fd;

	make_file("file.tmp", "text");
	fd = need_open("file.tmp", O_RDWR);
	NEED(lseek(fd, 2, SEEK_SET) == 2);
	NEED(!link("file.tmp", "file") && !unlink("file.tmp"));
	make_file("file.tmp", "another");
	ckpt_point();
	CHECK_EQ(2, read(fd, buf, 8));
	CHECK(!strcmp(buf, "xt"));
	CHECK_EQ(1, pwrite(fd, "T", 1, 0));
	CHECK_EQ(4, read(need_open("file", O_RDONLY), buf, 8));
	CHECK(!memcmp(buf, "Text", 4));
	NEED(!fstat(fd, &st));
	CHECK_EQ(1, st.st_nlink);
}

/* Mapped, and no descriptor left. */
ROUNDTRIP(unlinked_mapped)
{
	char *shared, *private, buf[8] = "";
	int fd = need_open("file", O_RDWR | O_CREAT), other;

	NEED(!ftruncate(fd, 8192));
	NEED(pwrite(fd, "first", 5, 0) == 5 && pwrite(fd, "second", 6, 4096) == 6);
	shared = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	private = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	NEED(shared != MAP_FAILED && private != MAP_FAILED);
	other = need_open("file", O_RDONLY);
	NEED(!unlink("file"));
	close(fd);
	strcpy(private, "mine");
	strcpy(shared, "ours");
	ckpt_point();
	CHECK(!strcmp(shared, "ours"));
	CHECK(!strcmp(private, "mine"));
	CHECK(!strcmp(shared + 4096, "second"));
	CHECK(!strcmp(private + 4096, "second"));
	/* They are still of one file. */
	strcpy(shared + 4096, "SECOND");
	CHECK(!strcmp(private + 4096, "SECOND"));
	CHECK_EQ(6, pread(other, buf, 6, 4096));
	CHECK(!strcmp(buf, "SECOND"));
}

/* A library that was replaced by another one. */
ROUNDTRIP(unlinked_code)
{
	static const unsigned char code[] = { 0xb8, 42, 0, 0, 0, 0xc3 };
	int fd = need_open("file", O_RDWR | O_CREAT);
	int (*function)(void);

	NEED(!fchmod(fd, 0755));
	NEED(pwrite(fd, code, sizeof(code), 4096) == sizeof(code));
	close(fd);
	fd = need_open("file", O_RDONLY);
	function = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd,
			4096);
	if ((void *)function == MAP_FAILED)
		ckpt_skip("cannot execute what is here");
	close(fd);
	NEED(!unlink("file"));
	make_file("file", "another");
	ckpt_point();
	CHECK_EQ(42, function());
}

REFUSED(deleted_directory, EOPNOTSUPP, "file", "was deleted")
{
	int fd;

	NEED(!mkdir("gone", 0755));
	fd = need_open("gone", O_RDONLY | O_DIRECTORY);
	ckpt_value[0] = fd;
	NEED(!rmdir("gone"));
	ckpt_point();
	CHECK_EQ(-1, openat(fd, "x", O_RDWR | O_CREAT, 0600));
	CHECK_EQ(ENOENT, errno);
}

REFUSED(deleted_root, EOPNOTSUPP, "root", "was deleted")
{
	int dir = need_open(".", O_RDONLY | O_DIRECTORY);

	NEED(!mkdir("gone", 0755) && !chdir("gone"));
	if (chroot("."))
		ckpt_skip("no chroot");
	NEED(!unlinkat(dir, "gone", AT_REMOVEDIR));
	close(dir);
	ckpt_point();
}

/* Another one has the name now: it is not taken for the old one. */
REFUSED(deleted_and_made_again, EOPNOTSUPP, "file", "was deleted")
{
	NEED(!mkdir("gone", 0755));
	ckpt_value[0] = need_open("gone", O_RDONLY | O_DIRECTORY);
	NEED(!rmdir("gone") && !mkdir("gone", 0755));
	ckpt_point();
}

/* --- other mounts --------------------------------------------------------- */

/* All of it in the directory of the target, which is the tester's to unmount. */
static int with_mount(struct ckpt_test *t, const char *scenario,
		      const char *type, const char *options,
		      int (*run)(struct ckpt_test *t, const char *scenario,
				 const char *path))
{
	static const char *const dirs[] = { "lower", "upper", "work", "mnt" };
	char path[300], opts[1200];
	unsigned int i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(dirs); i++) {
		snprintf(path, sizeof(path), "%s/%s", t->dir, dirs[i]);
		if (mkdir(path, 0755) && errno != EEXIST)
			return ckpt_say("%s: %s", path, strerror(errno));
	}
	snprintf(opts, sizeof(opts), options, t->dir, t->dir, t->dir);
	snprintf(path, sizeof(path), "%s/lower/old", t->dir);
	if (ckpt_write_file(path, "lower text"))
		return ckpt_say("%s: %s", path, strerror(errno));
	snprintf(path, sizeof(path), "%s/mnt", t->dir);
	if (!strcmp(type, "bind"))
		ret = mount(opts, path, NULL, MS_BIND, NULL);
	else
		ret = mount(type, path, type, 0, opts);
	if (ret) {
		snprintf(t->why, sizeof(t->why), "mount %s: %s", type,
			 strerror(errno));
		return CKPT_SKIPPED;
	}
	ret = run(t, scenario, path);
	umount2(path, MNT_DETACH);
	return ret;
}

static int run_there(struct ckpt_test *t, const char *scenario,
		     const char *path)
{
	return ckpt_roundtrip(t, scenario, path, CKPT_RT_ONCE);
}

/* Files that are there, made, changed, removed; a working directory. */
SCENARIO(on_mount)
{
	int dir, old, new, map, gone, tmp;
	char buf[32] = "", *mapped;

	NEED(!chdir(ckpt_arg));
	dir = need_open(".", O_RDONLY | O_DIRECTORY);
	old = need_open("old", O_RDONLY);
	NEED(read(old, buf, 6) == 6);
	map = need_open("old", O_RDONLY);
	mapped = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, map, 0);
	NEED(mapped != MAP_FAILED && mapped[0] == 'l');
	close(map);
	unlink("new");
	new = need_open("new", O_RDWR | O_CREAT);
	NEED(write(new, "new text", 8) == 8);
	gone = need_open("gone", O_RDWR | O_CREAT);
	NEED(write(gone, "gone", 4) == 4 && !unlink("gone"));
	tmp = open(".", O_TMPFILE | O_RDWR, 0600);
	if (tmp >= 0)
		NEED(write(tmp, "tmp", 3) == 3);
	ckpt_point();
	CHECK_EQ(4, read(old, buf, 32));
	CHECK(!memcmp(buf, "text", 4));
	CHECK(!memcmp(mapped, "lower text", 10));
	CHECK_EQ(8, lseek(new, 0, SEEK_CUR));
	CHECK_EQ(2, write(new, "er", 2));
	CHECK_EQ(10, pread(need_open("new", O_RDONLY), buf, 32, 0));
	CHECK(!memcmp(buf, "new texter", 10));
	CHECK_EQ(4, pread(gone, buf, 32, 0));
	CHECK(!memcmp(buf, "gone", 4));
	if (tmp >= 0) {
		CHECK_EQ(3, pread(tmp, buf, 32, 0));
		CHECK(!memcmp(buf, "tmp", 3));
	}
	CHECK_EQ(0, faccessat(dir, "old", R_OK, 0));
	CHECK(getcwd(buf, 0) || errno == EINVAL || errno == ERANGE);
	CHECK_EQ(0, access("old", R_OK));
}

TEST_F(checkpoint, bind_mount)
{
	OK_OR_SKIP(with_mount(&self->t, "on_mount", "bind", "%s/lower",
			      run_there));
}

TEST_F(checkpoint, overlayfs)
{
	OK_OR_SKIP(with_mount(&self->t, "on_mount", "overlay",
			      "lowerdir=%s/lower,upperdir=%s/upper,workdir=%s/work",
			      run_there));
}

/* Open on overlayfs for reading, and copied up since: it is the old one still. */
SCENARIO(copied_up)
{
	char buf[32] = "";
	int fd, up;

	NEED(!chdir(ckpt_arg));
	fd = need_open("old", O_RDONLY);
	up = need_open("old", O_RDWR);
	NEED(pwrite(up, "LOWER", 5, 0) == 5);
	ckpt_value[0] = pread(fd, buf, 1, 0) == 1 ? buf[0] : 0;
	ckpt_point();
	CHECK_EQ(1, pread(up, buf, 1, 0));
	CHECK_EQ('L', buf[0]);
	CHECK_EQ(1, pread(fd, buf, 1, 0));
	CHECK_EQ(ckpt_value[0], buf[0]);
}

TEST_F(checkpoint, overlayfs_copied_up)
{
	OK_OR_SKIP(with_mount(&self->t, "copied_up", "overlay",
			      "lowerdir=%s/lower,upperdir=%s/upper,workdir=%s/work",
			      run_there));
}

/* The mount is gone, or hidden, when it is saved. */
SCENARIO(holds_file)
{
	char path[300];

	snprintf(path, sizeof(path), "%s/old", ckpt_arg);
	ckpt_value[0] = need_open(path, O_RDONLY);
	ckpt_point();
	CHECK_EQ(5, read(ckpt_value[0], path, 5));
}

static int detached(struct ckpt_test *t, const char *scenario, const char *path)
{
	pid_t pid = ckpt_start(t, scenario, path);
	int ret = 0;

	if (pid <= 0)
		return pid ? -1 : CKPT_SKIPPED;
	if (mount("tmpfs", path, "tmpfs", 0, NULL))
		ret = ckpt_say("tmpfs: %s", strerror(errno));
	if (ckpt_checkpoint(t, pid, t->image, 0) != -EOPNOTSUPP ||
	    !ckpt_reason(t, EOPNOTSUPP, "file", ckpt_peek_value(pid, 0), 0,
			 "its path leads to nothing"))
		ret = ckpt_say("a hidden file was not refused");
	umount2(path, MNT_DETACH);
	umount2(path, MNT_DETACH);
	if (ckpt_checkpoint(t, pid, t->image, 0) != -EOPNOTSUPP ||
	    !ckpt_reason(t, EOPNOTSUPP, "file", ckpt_peek_value(pid, 0), 0,
			 "not reachable from the root"))
		ret = ckpt_say("a file that cannot be reached was not refused");
	return ckpt_finish(t, pid) ?: ret;
}

TEST_F(checkpoint, mount_is_gone)
{
	NOT_DRY();
	OK_OR_SKIP(with_mount(&self->t, "holds_file", "bind", "%s/lower",
			      detached));
}

/* The name is gone, but another leads to it. */
ROUNDTRIP_OPT(unlinked_with_another_name, CKPT_RT_NO_SNAP)
{
	char buf[8] = "";
	int fd, other;

	make_file("file", "text");
	NEED(!link("file", "second"));
	fd = need_open("file", O_RDWR);
	NEED(!unlink("file"));
	ckpt_point();
	CHECK_EQ(1, pwrite(fd, "T", 1, 0));
	other = need_open("second", O_RDONLY);
	CHECK_EQ(4, read(other, buf, 8));
	CHECK(!strcmp(buf, "Text"));
}

ROUNDTRIP(renamed)
{
	int fd;

	make_file("file", "text");
	fd = need_open("file", O_RDONLY);
	NEED(!rename("file", "other"));
	ckpt_point();
	CHECK_EQ(4, lseek(fd, 0, SEEK_END));
}

/* --- changed between checkpoint and restart ------------------------------- */

SCENARIO(has_file)
{
	int fd;

	make_file("file", "0123456789");
	fd = need_open("file", O_RDWR | O_APPEND);
	NEED(lseek(fd, 4, SEEK_SET) == 4);
	ckpt_point();
	CHECK_EQ(4, lseek(fd, 0, SEEK_CUR));
}

enum change { LOST, SHRUNK, REPLACED, NO_RIGHTS, DIRECTORY, FIFO, GROWN, TOUCHED };

static int changed(struct ckpt_test *t, enum change change)
{
	static const char *const names[] = {
		"lost", "shrunk", "replaced", "not readable", "a directory",
		"a FIFO", "grown", "touched",
	};
	bool fine = change == GROWN || change == TOUCHED;
	char path[200], other[200];
	pid_t pid;
	long ret;

	pid = ckpt_start(t, "has_file", NULL);
	if (pid <= 0 || ckpt_checkpoint(t, pid, t->image, 0) <= 0 ||
	    ckpt_kill(t, pid))
		return -1;
	snprintf(path, sizeof(path), "%s/file", t->run);
	snprintf(other, sizeof(other), "%s/other", t->run);
	/* Files have times in steps of some milliseconds. */
	usleep(20000);
	switch (change) {
	case LOST:
		ret = unlink(path);
		break;
	case SHRUNK:
		ret = truncate(path, 3);
		break;
	case REPLACED:
		ret = ckpt_write_file(other, "something else") ||
		      rename(other, path);
		break;
	case NO_RIGHTS:
		/* Of a directory above it, which root does not mind. */
		ret = rename(path, other) || symlink("/proc/1/nothing", path);
		break;
	case DIRECTORY:
		ret = unlink(path) || mkdir(path, 0755);
		break;
	case FIFO:
		ret = unlink(path) || mkfifo(path, 0644);
		break;
	case GROWN:
		ret = ckpt_write_file(path, "0123456789 and more");
		break;
	default:
		ret = utimensat(AT_FDCWD, path, NULL, 0);
	}
	if (ret)
		return ckpt_say("%s: %s", names[change], strerror(errno));
	ret = ckpt_restart(t, t->image, 0);
	if (fine) {
		if (ret != pid)
			return ckpt_say("the file is %s, that is no reason",
					names[change]);
		return ckpt_finish(t, pid);
	}
	if (ret >= 0)
		return ckpt_say("the file is %s, and yet it was restarted",
				names[change]);
	if (!strstr(t->log, path))
		return ckpt_say("the file is %s, but no reason names it",
				names[change]);
	return ckpt_has_children() ? ckpt_say("there is a child") : 0;
}

TEST_F(checkpoint, changed_files)
{
	enum change change;

	NOT_DRY();
	for (change = LOST; change <= TOUCHED; change++)
		EXPECT_EQ(0, changed(&self->t, change));
}

/* --- working directory, root, umask --------------------------------------- */

ROUNDTRIP(working_directory)
{
	char cwd[300], *end;

	NEED(!mkdir("a", 0755) && !mkdir("a/b", 0755));
	NEED(!chdir("a/b"));
	umask(0137);
	ckpt_point();
	NEED(getcwd(cwd, sizeof(cwd)));
	end = cwd + strlen(cwd) - 4;
	CHECK(!strcmp(end, "/a/b"));
	CHECK_EQ(0137, umask(0));
}

ROUNDTRIP(other_root)
{
	char cwd[100];
	int fd;

	if (getuid())
		ckpt_skip("not root");
	NEED(!mkdir("newroot", 0755) && !mkdir("newroot/inner", 0755));
	make_file("newroot/file", "in the root");
	NEED(!chroot("newroot") && !chdir("/inner"));
	fd = need_open("/file", O_RDONLY);
	ckpt_point();
	NEED(getcwd(cwd, sizeof(cwd)));
	CHECK(!strcmp(cwd, "/inner"));
	CHECK_EQ(0, access("/file", R_OK));
	CHECK_EQ(-1, access("/proc", R_OK));
	CHECK_EQ(11, lseek(fd, 0, SEEK_END));
}

/* /proc is where it was, the directory of a process in it is not. */
ROUNDTRIP(directory_proc)
{
	char cwd[100];

	NEED(!chdir("/proc"));
	ckpt_point();
	NEED(getcwd(cwd, sizeof(cwd)));
	CHECK(!strcmp(cwd, "/proc"));
}

REFUSED(directory_in_proc, EOPNOTSUPP, "cwd", "file system of type proc")
{
	NEED(!chdir("/proc/self"));
	ckpt_point();
	CHECK_EQ(0, access("status", R_OK));
}

/* The directory is gone. */
ROUNDTRIP_OR_REFUSED(removed_directory)
{
	char cwd[300];

	NEED(!mkdir("gone", 0755) && !chdir("gone") && !rmdir("../gone"));
	ckpt_point();
	CHECK(!getcwd(cwd, sizeof(cwd)));
	CHECK_EQ(ENOENT, errno);
}

SCENARIO(in_directory)
{
	NEED(!mkdir("gone", 0755) && !chdir("gone"));
	ckpt_point();
}

TEST_F(checkpoint, lost_directory)
{
	char path[200];
	pid_t pid;

	NOT_DRY();
	START(pid, in_directory, NULL);
	ASSERT_LT(0, ckpt_checkpoint(&self->t, pid, self->t.image, 0));
	ASSERT_EQ(0, ckpt_kill(&self->t, pid));
	snprintf(path, sizeof(path), "%s/gone", self->t.run);
	ASSERT_EQ(0, rmdir(path));
	EXPECT_GT(0, ckpt_restart(&self->t, self->t.image, 0));
	EXPECT_NE(NULL, strstr(self->t.log, path));
}

/* A file on a file system that is mounted over now. */
SCENARIO(under_mount)
{
	int fd;

	NEED(!mkdir("mnt", 0755));
	make_file("mnt/file", "hidden");
	fd = need_open("mnt/file", O_RDONLY);
	ckpt_announce();
	while (ckpt_allowed < 1)
		usleep(1000);
	CHECK_EQ(6, lseek(fd, 0, SEEK_END));
}

TEST_F(checkpoint, hidden_by_mount)
{
	char path[200];
	pid_t pid;

	NOT_DRY();
	START(pid, under_mount, NULL);
	snprintf(path, sizeof(path), "%s/mnt", self->t.run);
	if (mount("over", path, "tmpfs", 0, NULL))
		SKIP(return, "cannot mount: %s", strerror(errno));
	EXPECT_EQ(-EOPNOTSUPP, ckpt_checkpoint(&self->t, pid, self->t.image, 0));
	EXPECT_EQ(0, umount(path));
	EXPECT_LT(0, ckpt_checkpoint(&self->t, pid, self->t.image, 0));
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));
}

/* Files on another file system than that of the root. */
ROUNDTRIP(other_file_systems)
{
	char buf[16] = "";
	int shm, disk = -1;

	shm = open("/dev/shm/ckpt-test", O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (shm < 0)
		ckpt_skip("no /dev/shm");
	NEED(write(shm, "shm", 3) == 3);
	disk = open("/disk/ckpt-test", O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (disk >= 0)
		NEED(write(disk, "disk", 4) == 4);
	ckpt_point();
	CHECK_EQ(3, pread(shm, buf, 16, 0));
	CHECK(!strcmp(buf, "shm"));
	if (disk >= 0) {
		CHECK_EQ(4, pread(disk, buf, 16, 0));
		CHECK(!strcmp(buf, "disk"));
	}
	CHECK_EQ(0, unlink("/dev/shm/ckpt-test"));
	if (disk >= 0)
		CHECK_EQ(0, unlink("/disk/ckpt-test"));
}

/* --- the controlling terminal --------------------------------------------- */

/* The tester has a terminal; what it starts inherits it, what it restarts too. */
SCENARIO(with_terminal)
{
	struct termios termios;
	char buf[16] = "";
	int fd = atoi(ckpt_arg);

	NEED(fd > 0);
	ckpt_point();
	CHECK(isatty(fd));
	CHECK_EQ(0, tcgetattr(fd, &termios));
	CHECK_EQ(4, write(fd, "out\n", 4));
	CHECK(read(fd, buf, sizeof(buf)) == 3);
	CHECK(!strcmp(buf, "in\n"));
	CHECK(open("/dev/tty", O_RDWR) >= 0);
}

/*
 * In a session of its own, on a pseudo terminal: start, checkpoint, kill,
 * restart. Returns an exit status.
 */
static int terminal_session(struct ckpt_test *t, int master, const char *slave)
{
	char exe[300], dir[200], buf[64] = "", image[200];
	ssize_t len, got;
	uint64_t started = 0;
	int fd, stage = 0, status;
	pid_t pid;
	long ret;

	setsid();
	fd = open(slave, O_RDWR);
	if (fd < 0 || ioctl(fd, TIOCSCTTY, 0))
		return 10;
	signal(SIGTTOU, SIG_IGN);
	snprintf(dir, sizeof(dir), "%s/tty", t->dir);
	snprintf(image, sizeof(image), "%s/tty.image", t->dir);
	len = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	if (len < 0 || mkdir(dir, 0755))
		return 11;
	exe[len] = '\0';
	pid = fork();
	if (!pid) {
		struct rlimit cpu = { 600, 600 };
		char *argv[] = { "target", "--scenario", "with_terminal", "3",
				 NULL };

		setrlimit(RLIMIT_CPU, &cpu);
		if (chdir(dir))
			_exit(12);
		close(fd);
		for (fd = 0; fd < 3; fd++)
			close(fd);
		syscall(SYS_close_range, 3, ~0U, 0);
		if (open("/dev/null", O_RDWR) || dup(0) != 1 || dup(0) != 2 ||
		    open(slave, O_RDWR) != 3)
			_exit(13);
		execv(exe, argv);
		_exit(14);
	}
	while (started != CKPT_STARTED || !stage) {
		ckpt_peek(pid, &ckpt_started, &started, sizeof(started));
		ckpt_peek(pid, &ckpt_stage, &stage, sizeof(stage));
		if (waitpid(pid, &status, WNOHANG))
			return 15;
		usleep(1000);
	}
	ret = ckpt_checkpoint(t, pid, image, 0);
	kill(pid, SIGKILL);
	if (waitpid(pid, &status, 0) != pid)
		return 16;
	if (ret <= 0)
		return 17;
	pid = ckpt_restart(t, image, 0);
	if (pid <= 0)
		return 18;
	ckpt_forget(t, pid);
	if (write(master, "in\n", 3) != 3 || ckpt_go(pid))
		return 19;
	if (waitpid(pid, &status, 0) != pid)
		return 20;
	/*
	 * The echo of what was typed, and what was written: it comes by and by, and
	 * in as many pieces as the kernel likes.
	 */
	for (len = 0; !strstr(buf, "in") || !strstr(buf, "out"); len += got) {
		struct pollfd pfd = { .fd = master, .events = POLLIN };

		if (poll(&pfd, 1, 30000) != 1)
			return 21;
		got = read(master, buf + len, sizeof(buf) - 1 - len);
		if (got <= 0)
			return 22;
	}
	if (status) {
		char path[300], *text;

		snprintf(path, sizeof(path), "%s/report", dir);
		text = ckpt_read_file(path, NULL);
		ckpt_say("%s", text ?: "no report");
	}
	return status ? 23 : 0;
}

TEST_F(checkpoint, controlling_terminal)
{
	int master, status;
	char slave[64];
	pid_t pid;

	NOT_DRY();
	master = open("/dev/ptmx", O_RDWR | O_NOCTTY);
	if (master < 0)
		SKIP(return, "no pseudo terminals");
	ASSERT_EQ(0, grantpt(master));
	ASSERT_EQ(0, unlockpt(master));
	ASSERT_EQ(0, ptsname_r(master, slave, sizeof(slave)));
	fflush(stdout);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		status = terminal_session(&self->t, master, slave);
		fflush(stdout);
		_exit(status);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status) {
		TH_LOG("the session ended with %d", WEXITSTATUS(status));
	}
	close(master);
}

TEST_HARNESS_MAIN
