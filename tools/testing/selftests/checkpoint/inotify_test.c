// SPDX-License-Identifier: GPL-2.0
/*
 * Inotify: watches, their numbers, events that were not read yet.
 */
#include "ckpt_test.h"

#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mount.h>

static int new_inotify(void)
{
	int fd = inotify_init1(IN_NONBLOCK);

	NEED(fd >= 0);
	return fd;
}

static int watch(int fd, const char *path, uint32_t mask)
{
	int wd = inotify_add_watch(fd, path, mask);

	NEED(wd > 0);
	return wd;
}

static int make_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT, 0600);

	return fd < 0 || close(fd) ? -1 : 0;
}

/* The next event; a name of "" is none. */
struct event {
	int wd;
	uint32_t mask;
	uint32_t cookie;
	char name[256];
};

static struct event next_event(int fd)
{
	char buf[sizeof(struct inotify_event) + 256]
		__attribute__((aligned(8))) = "";
	struct inotify_event *in = (struct inotify_event *)buf;
	struct event event = {};
	ssize_t len = -1;
	int room, size;

	/* One at a time: as much room as it takes. */
	for (room = 16; room <= (int)sizeof(buf) && len < 0; room += 16) {
		len = read(fd, buf, room);
		if (len < 0 && errno != EINVAL)
			return event;
	}
	size = sizeof(*in) + in->len;
	if (!CHECK_EQ(size, len))
		return event;
	event.wd = in->wd;
	event.mask = in->mask;
	event.cookie = in->cookie;
	if (in->len)
		snprintf(event.name, sizeof(event.name), "%s", in->name);
	return event;
}

static void expect(int fd, int wd, uint32_t mask, const char *name)
{
	struct event event = next_event(fd);

	CHECK_SAY(event.wd == wd && event.mask == mask &&
		  !strcmp(event.name, name),
		  "got %d %#x '%s' and not %d %#x '%s'", event.wd, event.mask,
		  event.name, wd, mask, name);
}

static void expect_none(int fd)
{
	struct event event = next_event(fd);

	CHECK_SAY(!event.mask, "got %d %#x '%s'", event.wd, event.mask,
		  event.name);
}

ROUNDTRIP(watches)
{
	int fd = new_inotify(), dir, file, link;

	NEED(!mkdir("dir", 0700) && !make_file("dir/file"));
	NEED(!symlink("nowhere", "link"));
	dir = watch(fd, "dir", IN_CREATE | IN_DELETE);
	file = watch(fd, "dir/file", IN_ATTRIB | IN_CLOSE_WRITE);
	link = watch(fd, "link", IN_ALL_EVENTS | IN_DONT_FOLLOW);
	ckpt_point();
	CHECK_EQ(O_NONBLOCK, fcntl(fd, F_GETFL));
	expect_none(fd);
	NEED(!make_file("dir/new"));
	expect(fd, dir, IN_CREATE, "new");
	NEED(!chmod("dir/file", 0644));
	expect(fd, file, IN_ATTRIB, "");
	NEED(!make_file("dir/file"));
	expect(fd, file, IN_CLOSE_WRITE, "");
	NEED(!unlink("link"));
	expect(fd, link, IN_ATTRIB, "");
	expect(fd, link, IN_DELETE_SELF, "");
	expect(fd, link, IN_IGNORED, "");
	NEED(!mkdir("dir/sub", 0700));
	expect(fd, dir, IN_CREATE | IN_ISDIR, "sub");
	expect_none(fd);
	/* The same inode keeps its number. */
	CHECK_EQ(dir, inotify_add_watch(fd, "dir", IN_OPEN | IN_MASK_ADD));
	CHECK_EQ(0, inotify_rm_watch(fd, file));
	expect(fd, file, IN_IGNORED, "");
	CHECK_EQ(-1, inotify_rm_watch(fd, file));
}

/* Numbers have gaps, and are not used again soon. */
ROUNDTRIP(numbers)
{
	int fd = new_inotify(), wd[10], i;
	char name[16];

	for (i = 0; i < 10; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		NEED(!make_file(name));
		wd[i] = watch(fd, name, IN_ATTRIB);
	}
	for (i = 0; i < 10; i += 3)
		NEED(!inotify_rm_watch(fd, wd[i]));
	for (i = 0; i < 10; i += 3)
		expect(fd, wd[i], IN_IGNORED, "");
	ckpt_point();
	for (i = 0; i < 10; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		NEED(!chmod(name, 0640));
		if (i % 3)
			expect(fd, wd[i], IN_ATTRIB, "");
	}
	expect_none(fd);
	CHECK_EQ(wd[9] + 1, inotify_add_watch(fd, "f0", IN_ATTRIB));
	CHECK_EQ(wd[9] + 2, inotify_add_watch(fd, "f3", IN_ATTRIB));
}

ROUNDTRIP(events)
{
	int fd = new_inotify(), dir, bytes;
	char longest[256];
	uint32_t cookie;
	struct event event;

	memset(longest, 'n', 255);
	longest[255] = '\0';
	/* The restart opens this again. */
	NEED(open("kept", O_RDWR | O_CREAT, 0600) >= 0);
	dir = watch(fd, ".", IN_ALL_EVENTS);
	NEED(!make_file("a") && !rename("a", "b") && !mkdir("d", 0700));
	NEED(!mkdir(longest, 0700) && !rmdir(longest));
	/* The first of a pair is read before. */
	expect(fd, dir, IN_CREATE, "a");
	expect(fd, dir, IN_OPEN, "a");
	expect(fd, dir, IN_CLOSE_WRITE, "a");
	event = next_event(fd);
	NEED(event.mask == IN_MOVED_FROM);
	cookie = event.cookie;
	ckpt_point();
	CHECK_EQ(0, ioctl(fd, FIONREAD, &bytes));
	CHECK_EQ(4 * 16 + 2 * 16 + 2 * 256, bytes);
	event = next_event(fd);
	CHECK_EQ(IN_MOVED_TO, event.mask);
	CHECK_EQ(cookie, event.cookie);
	CHECK(!strcmp("b", event.name));
	expect(fd, dir, IN_CREATE | IN_ISDIR, "d");
	expect(fd, dir, IN_CREATE | IN_ISDIR, longest);
	expect(fd, dir, IN_DELETE | IN_ISDIR, longest);
	/* The restart has not seen itself. */
	expect_none(fd);
	NEED(!rmdir("d"));
	expect(fd, dir, IN_DELETE | IN_ISDIR, "d");
}

ROUNDTRIP(flags)
{
	int fd = new_inotify(), once, excl, file;

	NEED(!make_file("once") && !mkdir("excl", 0700));
	once = watch(fd, "once", IN_ATTRIB | IN_ONESHOT);
	excl = watch(fd, "excl", IN_MODIFY | IN_EXCL_UNLINK);
	NEED((file = open("excl/file", O_WRONLY | O_CREAT, 0600)) >= 0);
	ckpt_point();
	NEED(!chmod("once", 0644) && !chmod("once", 0600));
	expect(fd, once, IN_ATTRIB, "");
	expect(fd, once, IN_IGNORED, "");
	expect_none(fd);
	NEED(write(file, "x", 1) == 1);
	expect(fd, excl, IN_MODIFY, "file");
	NEED(!unlink("excl/file"));
	NEED(write(file, "x", 1) == 1);
	expect_none(fd);
	CHECK_EQ(-1, inotify_rm_watch(fd, once));
}

/* Its last watch is gone, the event of that is not read. */
ROUNDTRIP(ignored)
{
	int fd = new_inotify(), wd;

	NEED(!make_file("file"));
	wd = watch(fd, "file", IN_DELETE_SELF);
	NEED(!unlink("file"));
	ckpt_point();
	expect(fd, wd, IN_DELETE_SELF, "");
	expect(fd, wd, IN_IGNORED, "");
	expect_none(fd);
}

ROUNDTRIP(overflow)
{
	static char events[1 << 20];
	int fd = new_inotify(), dir, i, n, max = 0;
	char *text = ckpt_read_file("/proc/sys/fs/inotify/max_queued_events",
				    NULL);
	struct inotify_event *last = NULL;

	if (text)
		max = atoi(text);
	free(text);
	if (!max || max > 20000)
		ckpt_skip("a queue of %d events", max);
	dir = watch(fd, ".", IN_ATTRIB);
	NEED(!make_file("a") && !make_file("b"));
	/* The same event twice is one. */
	for (i = 0; i < max + 10; i++)
		NEED(!chmod(i & 1 ? "a" : "b", 0600));
	ckpt_point();
	n = 0;
	for (i = 0; i < 100; i++) {
		char *at = events;
		ssize_t len = read(fd, events, sizeof(events));

		for (; len > 0; len -= sizeof(*last) + last->len) {
			last = (struct inotify_event *)at;
			at += sizeof(*last) + last->len;
			n++;
			if (last->mask != IN_Q_OVERFLOW)
				CHECK_EQ(dir, last->wd);
		}
	}
	CHECK_EQ(max + 1, n);
	CHECK(last && last->mask == IN_Q_OVERFLOW && last->wd == -1);
	NEED(!chmod("a", 0644));
	expect(fd, dir, IN_ATTRIB, "a");
}

/* Files that nobody has open, of other file systems. */
ROUNDTRIP(elsewhere)
{
	int fd = new_inotify(), proc, root;

	proc = watch(fd, "/proc/sys/kernel/hostname", IN_OPEN);
	root = watch(fd, "/", IN_DELETE_SELF);
	ckpt_point();
	close(open("/proc/sys/kernel/hostname", O_RDONLY));
	expect(fd, proc, IN_OPEN, "");
	CHECK_EQ(0, inotify_rm_watch(fd, root));
}

/* In an epoll file. */
ROUNDTRIP(watched)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };
	int ready = new_inotify(), idle = new_inotify(), ep = epoll_create1(0);

	NEED(ep >= 0 && !mkdir("one", 0700) && !mkdir("two", 0700));
	watch(ready, "one", IN_CREATE);
	watch(idle, "two", IN_CREATE);
	NEED(!epoll_ctl(ep, EPOLL_CTL_ADD, ready, &event));
	event.data.u32 = 2;
	NEED(!epoll_ctl(ep, EPOLL_CTL_ADD, idle, &event));
	NEED(!make_file("one/file"));
	ckpt_point();
	CHECK_EQ(1, epoll_wait(ep, &event, 1, 0));
	CHECK_EQ(0, event.data.u32);
	CHECK_EQ(0, epoll_wait(ep, &event, 1, 0));
	NEED(!make_file("two/file"));
	CHECK_EQ(1, epoll_wait(ep, &event, 1, 0));
	CHECK_EQ(2, event.data.u32);
}

REFUSED(deleted, EOPNOTSUPP, "inotify", "deleted")
{
	int fd = new_inotify(), file, wd;

	NEED((file = open("file", O_RDWR | O_CREAT, 0600)) >= 0);
	wd = watch(fd, "file", IN_MODIFY);
	NEED(!unlink("file"));
	ckpt_value[0] = fd;
	ckpt_point();
	NEED(write(file, "x", 1) == 1);
	expect(fd, wd, IN_MODIFY, "");
	close(file);
}

REFUSED(hidden, EOPNOTSUPP, "inotify", "hidden")
{
	int fd = new_inotify();

	NEED(!mkdir("top", 0700) && !mkdir("top/sub", 0700));
	watch(fd, "top/sub", IN_CREATE);
	watch(fd, "top", IN_CREATE);
	if (mount("none", "top", "tmpfs", 0, NULL))
		ckpt_skip("mount: %s", strerror(errno));
	ckpt_value[0] = fd;
	ckpt_point();
	umount("top");
}

/* What is there at the restart. */
SCENARIO(has_watch)
{
	int fd = new_inotify(), wd;

	NEED(!mkdir("dir", 0700));
	wd = watch(fd, "dir", IN_CREATE);
	ckpt_point();
	NEED(!make_file("dir/x"));
	expect(fd, wd, IN_CREATE, "x");
	expect_none(fd);
}

TEST_F(checkpoint, lost_and_limits)
{
	static const char file[] = "/proc/sys/fs/inotify/max_user_watches";
	struct ckpt_test *t = &self->t;
	char path[256], *old;
	pid_t pid;

	NOT_DRY();
	START(pid, has_watch, NULL);
	ASSERT_LT(0, ckpt_checkpoint(t, pid, t->image, 0));
	ASSERT_EQ(0, ckpt_kill(t, pid));
	snprintf(path, sizeof(path), "%s/dir", t->run);
	ASSERT_EQ(0, rmdir(path));
	EXPECT_EQ(-ENOENT, ckpt_restart(t, t->image, 0));
	EXPECT_TRUE(ckpt_reason(t, ENOENT, "inotify_watch", -1, 0, path));
	ASSERT_EQ(0, ckpt_write_file(path, "now a file"));
	EXPECT_EQ(-ESTALE, ckpt_restart(t, t->image, 0));
	EXPECT_TRUE(ckpt_reason(t, ESTALE, "inotify_watch", -1, 0, path));
	ASSERT_EQ(0, unlink(path));
	ASSERT_EQ(0, mkdir(path, 0700));
	old = ckpt_read_file(file, NULL);
	ASSERT_NE(NULL, old);
	if (!ckpt_write_file(file, "0")) {
		EXPECT_EQ(-ENOSPC, ckpt_restart(t, t->image, 0));
		EXPECT_TRUE(ckpt_reason(t, ENOSPC, "inotify_watch", -1, 0,
					"max_user_watches"));
		EXPECT_EQ(0, ckpt_write_file(file, old));
	}
	free(old);
	EXPECT_FALSE(ckpt_has_children());
	ASSERT_EQ(pid, ckpt_restart(t, t->image, 0));
	EXPECT_EQ(0, ckpt_finish(t, pid));
}

TEST_HARNESS_MAIN
