// SPDX-License-Identifier: GPL-2.0
/*
 * POSIX message queues: messages with their priorities, limits, rights, names
 * and their removal, who is notified; what is there at a restart.
 */
#include "ckpt_image.h"

#include <mqueue.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <linux/capability.h>

/* No libcap here. */
static struct __user_cap_header_struct cap_header = {
	.version = _LINUX_CAPABILITY_VERSION_3,
};

static struct __user_cap_data_struct cap_data[2];

/* --- helpers of the targets ------------------------------------------------- */

static const char *own_name(void)
{
	static char name[32];

	snprintf(name, sizeof(name), "/ckpt-%d", getpid());
	return name;
}

static mqd_t new_queue(const char *name, int flags, long max, long size)
{
	struct mq_attr attr = { .mq_maxmsg = max, .mq_msgsize = size };
	mqd_t q = mq_open(name, flags | O_CREAT | O_EXCL, 0640, &attr);

	if (q < 0 && errno == ENOSYS)
		ckpt_skip("no POSIX message queues");
	NEED(q >= 0);
	return q;
}

static void put(mqd_t q, size_t len, unsigned int prio, uint64_t seed)
{
	char *text = malloc(len + 1);

	ckpt_fill(text, len, seed);
	NEED(!mq_send(q, text, len, prio));
	free(text);
}

static void get(mqd_t q, size_t len, unsigned int prio, uint64_t seed)
{
	struct mq_attr attr;
	unsigned int seen = ~0;
	char *text;

	NEED(!mq_getattr(q, &attr));
	text = malloc(attr.mq_msgsize);
	CHECK_EQ(len, mq_receive(q, text, attr.mq_msgsize, &seen));
	CHECK_EQ(prio, seen);
	CHECK_FILL(text, len, seed);
	free(text);
}

static long nr_messages(mqd_t q)
{
	struct mq_attr attr = {};

	CHECK_EQ(0, mq_getattr(q, &attr));
	return attr.mq_curmsgs;
}

/* --- what comes back -------------------------------------------------------- */

ROUNDTRIP(queue)
{
	struct stat before, after;
	const char *name = own_name();
	struct mq_attr attr;
	mqd_t q, ro;

	umask(0);
	q = new_queue(name, O_RDWR, 10, 8192);
	ro = mq_open(name, O_RDONLY | O_NONBLOCK);
	NEED(ro >= 0);
	put(q, 100, 3, 1);
	put(q, 8192, 7, 2);
	put(q, 0, 3, 3);
	put(q, 5000, 0, 4);
	put(q, 1, 7, 5);
	put(q, 7, 32767, 6);
	NEED(!fstat(q, &before));
	ckpt_point();
	NEED(!fstat(q, &after));
	CHECK_EQ(before.st_mode, after.st_mode);
	CHECK_EQ(before.st_uid, after.st_uid);
	CHECK_EQ(before.st_mtim.tv_sec, after.st_mtim.tv_sec);
	CHECK_EQ(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
	CHECK_EQ(before.st_ctim.tv_nsec, after.st_ctim.tv_nsec);
	CHECK_EQ(before.st_atim.tv_nsec, after.st_atim.tv_nsec);
	CHECK_EQ(0, mq_getattr(ro, &attr));
	CHECK_EQ(O_NONBLOCK, attr.mq_flags);
	CHECK_EQ(10, attr.mq_maxmsg);
	CHECK_EQ(8192, attr.mq_msgsize);
	CHECK_EQ(6, attr.mq_curmsgs);
	CHECK_EQ(0, mq_getattr(q, &attr));
	CHECK_EQ(0, attr.mq_flags);
	CHECK_EQ(-1, mq_send(ro, "x", 1, 0));
	CHECK_EQ(EBADF, errno);
	get(q, 7, 32767, 6);
	get(ro, 8192, 7, 2);
	put(q, 9, 7, 7);
	get(q, 1, 7, 5);
	get(q, 9, 7, 7);
	get(q, 100, 3, 1);
	get(q, 0, 3, 3);
	get(q, 5000, 0, 4);
	CHECK_EQ(-1, mq_receive(ro, malloc(8192), 8192, NULL));
	CHECK_EQ(EAGAIN, errno);
	CHECK_EQ(0, mq_unlink(name));
}

ROUNDTRIP(unlinked_queue)
{
	const char *name = own_name();
	mqd_t q = new_queue(name, O_RDWR, 2, 64), other;

	put(q, 64, 1, 1);
	NEED(!mq_unlink(name));
	/* The name is another one's. */
	other = new_queue(name, O_RDWR, 3, 32);
	put(other, 32, 2, 2);
	ckpt_point();
	CHECK_EQ(1, nr_messages(q));
	get(q, 64, 1, 1);
	get(other, 32, 2, 2);
	CHECK_EQ(0, nr_messages(q));
	CHECK_EQ(0, mq_unlink(name));
	CHECK_EQ(-1, mq_unlink(name));
}

/* More than fits into a piece, more than is copied at a time. */
ROUNDTRIP(big_messages)
{
	mqd_t q;

	if (getuid())
		ckpt_skip("needs root");
	ckpt_write_file("/proc/sys/fs/mqueue/msgsize_max", "200000");
	ckpt_write_file("/proc/sys/fs/mqueue/msg_max", "300");
	q = new_queue(own_name(), O_RDWR, 4, 150001);
	NEED(!mq_unlink(own_name()));
	put(q, 150001, 1, 1);
	put(q, 32768, 1, 2);
	put(q, 100000, 2, 3);
	ckpt_point();
	get(q, 100000, 2, 3);
	get(q, 150001, 1, 1);
	get(q, 32768, 1, 2);
	ckpt_write_file("/proc/sys/fs/mqueue/msgsize_max", "8192");
	ckpt_write_file("/proc/sys/fs/mqueue/msg_max", "10");
}

ROUNDTRIP(many_messages)
{
	mqd_t q;
	int i;

	if (getuid())
		ckpt_skip("needs root");
	ckpt_write_file("/proc/sys/fs/mqueue/msg_max", "300");
	q = new_queue(own_name(), O_RDWR, 300, 300);
	NEED(!mq_unlink(own_name()));
	for (i = 0; i < 300; i++)
		put(q, i + 1, i % 5, i);
	ckpt_point();
	for (i = 0; i < 300; i++)
		get(q, i % 60 * 5 + 4 - i / 60 + 1, 4 - i / 60,
		    i % 60 * 5 + 4 - i / 60);
	ckpt_write_file("/proc/sys/fs/mqueue/msg_max", "10");
}

/* Parent and child have it, and one description of it. */
ROUNDTRIP(shared_queue)
{
	mqd_t q = new_queue(own_name(), O_RDWR, 4, 64), back;
	int status;
	pid_t pid;

	NEED(!mq_unlink(own_name()));
	back = new_queue(own_name(), O_RDWR, 4, 64);
	NEED(!mq_unlink(own_name()));
	put(q, 10, 1, 1);
	pid = fork();
	NEED(pid >= 0);
	if (!pid) {
		get(q, 10, 1, 1);
		get(q, 11, 1, 2);
		put(back, 12, 1, 3);
		get(q, 13, 0, 4);
		ckpt_target_end();
	}
	/* The child sleeps in mq_receive(). */
	while (nr_messages(q) || ckpt_wait_state(pid, 'S'))
		;
	ckpt_point();
	put(q, 11, 1, 2);
	get(back, 12, 1, 3);
	put(q, 13, 0, 4);
	CHECK_EQ(pid, waitpid(pid, &status, 0));
	CHECK_EQ(0, status);
}

static volatile sig_atomic_t nr_signals;
static siginfo_t last;

static void on_message(int sig, siginfo_t *info, void *context)
{
	nr_signals++;
	last = *info;
}

ROUNDTRIP(notification)
{
	struct sigaction action = {
		.sa_sigaction = on_message, .sa_flags = SA_SIGINFO,
	};
	struct sigevent event = {
		.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2,
		.sigev_value.sival_ptr = (void *)0x123456789abcUL,
	};
	mqd_t q = new_queue(own_name(), O_RDWR, 4, 64);
	mqd_t none;

	NEED(!mq_unlink(own_name()));
	none = new_queue(own_name(), O_RDWR, 4, 64);
	NEED(!mq_unlink(own_name()));
	NEED(!sigaction(SIGUSR2, &action, NULL));
	NEED(!mq_notify(q, &event));
	event.sigev_notify = SIGEV_NONE;
	NEED(!mq_notify(none, &event));
	ckpt_point();
	CHECK_EQ(-1, mq_notify(q, &event));
	CHECK_EQ(EBUSY, errno);
	CHECK_EQ(-1, mq_notify(none, &event));
	CHECK_EQ(EBUSY, errno);
	CHECK_EQ(0, nr_signals);
	put(q, 1, 1, 1);
	CHECK_EQ(1, nr_signals);
	CHECK_EQ(SI_MESGQ, last.si_code);
	CHECK_EQ(0x123456789abcUL, (unsigned long)last.si_value.sival_ptr);
	CHECK_EQ(getpid(), last.si_pid);
	put(none, 1, 1, 1);
	CHECK_EQ(0, mq_notify(none, &event));
	CHECK_EQ(0, mq_notify(q, &event));
}

ROUNDTRIP(polled_queue)
{
	mqd_t q = new_queue(own_name(), O_RDWR, 1, 64);
	struct pollfd pfd = { .fd = q, .events = POLLIN | POLLOUT };

	NEED(!mq_unlink(own_name()));
	put(q, 1, 1, 1);
	ckpt_point();
	CHECK_EQ(1, poll(&pfd, 1, 0));
	CHECK_EQ(POLLIN, pfd.revents);
	get(q, 1, 1, 1);
	CHECK_EQ(1, poll(&pfd, 1, 0));
	CHECK_EQ(POLLOUT, pfd.revents);
}

/* Opened by its path. */
ROUNDTRIP(queue_by_path)
{
	char path[64], link[64] = "", text[81] = "";
	mqd_t q = new_queue(own_name(), O_RDWR, 4, 64);
	int fd;

	put(q, 17, 1, 1);
	snprintf(path, sizeof(path), "/dev/mqueue%s", own_name());
	fd = open(path, O_RDONLY);
	if (fd < 0)
		ckpt_skip("no /dev/mqueue");
	NEED(!mq_close(q));
	NEED(read(fd, text, 5) == 5);
	ckpt_point();
	CHECK_EQ(5, lseek(fd, 0, SEEK_CUR));
	CHECK(read(fd, text, 80) > 0);
	CHECK_SAY(!strncmp(text, ":17 ", 4), "\"%s\"", text);
	snprintf(text, sizeof(text), "/proc/self/fd/%d", fd);
	CHECK_EQ(strlen(path), readlink(text, link, sizeof(link) - 1));
	CHECK_SAY(!strcmp(path, link), "\"%s\"", link);
	get(fd, 17, 1, 1);
	CHECK_EQ(0, mq_unlink(own_name()));
}

/* --- at a restart ------------------------------------------------------------ */

SCENARIO(has_queue)
{
	mqd_t q = new_queue(own_name(), O_RDWR, 4, 64);

	put(q, 33, 2, 1);
	ckpt_point();
	get(q, 33, 2, 1);
	CHECK_EQ(0, nr_messages(q));
	CHECK_EQ(0, mq_unlink(own_name()));
}

SCENARIO(has_unlinked)
{
	struct sigevent event = {
		.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2,
		.sigev_value.sival_int = 5,
	};
	mqd_t q = new_queue(own_name(), O_RDWR, 4, 64);

	NEED(!mq_unlink(own_name()));
	put(q, 33, 2, 1);
	NEED(!mq_notify(q, &event));
	ckpt_point();
	get(q, 33, 2, 1);
}

static long restart_cut_off(struct ckpt_test *t)
{
	size_t len;
	char *image = ckpt_read_file(t->image, &len);
	long ret = -1;

	if (image && len > 8192)
		ret = ckpt_restart_raw(t, image, len - 8);
	free(image);
	return ret;
}

TEST_F(checkpoint, queue_left_behind)
{
	struct mq_attr attr;
	char name[32], text[64];
	mqd_t q;
	pid_t pid;

	NOT_DRY();
	START(pid, has_queue, NULL);
	snprintf(name, sizeof(name), "/ckpt-%d", pid);
	/* Somebody else has it. */
	q = mq_open(name, O_RDWR);
	ASSERT_LE(0, q);
	EXPECT_EQ(-EBUSY, ckpt_checkpoint(&self->t, pid, self->t.image, 0));
	EXPECT_TRUE(ckpt_reason(&self->t, EBUSY, "mqueue", -1, 0,
				"open in a process outside"))
		ckpt_show_log(&self->t);
	ASSERT_EQ(0, mq_close(q));
	ASSERT_LT(0, ckpt_checkpoint(&self->t, pid, self->t.image, 0));
	ASSERT_EQ(0, ckpt_kill(&self->t, pid));
	q = mq_open(name, O_RDWR);
	ASSERT_LE(0, q);
	ASSERT_EQ(33, mq_receive(q, text, sizeof(text), NULL));
	ASSERT_EQ(0, mq_send(q, "new", 3, 1));
	ASSERT_EQ(0, mq_send(q, "newer", 5, 1));
	EXPECT_EQ(-EBUSY, ckpt_restart(&self->t, self->t.image, 0));
	EXPECT_TRUE(ckpt_reason(&self->t, EBUSY, "mqueue", -1, 0,
				"somebody has it open"))
		ckpt_show_log(&self->t);
	ASSERT_EQ(0, mq_close(q));
	/* A failure changes nothing. */
	EXPECT_GT(0, restart_cut_off(&self->t));
	q = mq_open(name, O_RDONLY);
	ASSERT_LE(0, q);
	ASSERT_EQ(0, mq_getattr(q, &attr));
	EXPECT_EQ(2, attr.mq_curmsgs);
	EXPECT_EQ(0, fchmod(q, 0600));
	ASSERT_EQ(0, mq_close(q));
	EXPECT_EQ(-EBUSY, ckpt_restart(&self->t, self->t.image, 0));
	EXPECT_TRUE(ckpt_reason(&self->t, EBUSY, "mqueue", -1, 0,
				"it is another one"))
		ckpt_show_log(&self->t);
	q = mq_open(name, O_RDONLY);
	EXPECT_EQ(0, fchmod(q, 0640));
	ASSERT_EQ(0, mq_close(q));
	pid = ckpt_restart(&self->t, self->t.image, 0);
	EXPECT_LT(0, pid)
		ckpt_show_log(&self->t);
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));
	EXPECT_EQ(-1, mq_open(name, O_RDONLY));
}

TEST_F(checkpoint, queue_made_anew)
{
	char name[32];
	pid_t pid;

	NOT_DRY();
	START(pid, has_queue, NULL);
	snprintf(name, sizeof(name), "/ckpt-%d", pid);
	ASSERT_LT(0, ckpt_checkpoint(&self->t, pid, self->t.image, 0));
	ASSERT_EQ(0, ckpt_kill(&self->t, pid));
	ASSERT_EQ(0, mq_unlink(name));
	/* A failure leaves nothing. */
	EXPECT_GT(0, restart_cut_off(&self->t));
	EXPECT_EQ(-1, mq_open(name, O_RDONLY));
	pid = ckpt_restart(&self->t, self->t.image, 0);
	EXPECT_LT(0, pid)
		ckpt_show_log(&self->t);
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));
	EXPECT_EQ(-1, mq_open(name, O_RDONLY));
}

/* One of somebody else is not replaced. */
static int not_mine(struct ckpt_test *t)
{
	struct ckpt_rec_hdr *hdr;
	struct ckpt_mqueue *p;
	size_t len;
	char *image = ckpt_save_scenario(t, "has_queue", &len), old[64];
	long ret;

	hdr = image ? ckpt_find_record(image, len, CKPT_REC_MQUEUE, 0) : NULL;
	if (!hdr)
		return 1;
	p = (void *)(hdr + 1);
	snprintf(old, sizeof(old), "/%s", (char *)p->name);
	mq_unlink(old);
	memset(p->name, 'r', hdr->len - sizeof(*p) - 1);
	ckpt_mend_record(hdr);
	ret = ckpt_restart_raw(t, image, len);
	free(image);
	if (ret == -EPERM &&
	    ckpt_reason(t, EPERM, "mqueue", -1, 0, "cannot be replaced"))
		return 0;
	return 2;
}

/* As long as "/ckpt-1" to "/ckpt-9999999". */
TEST_F(checkpoint, queue_of_somebody_else)
{
	struct mq_attr attr = { .mq_maxmsg = 4, .mq_msgsize = 64 };
	const char *longest = "/rrrrrrrrrrrr";
	char name[16];
	mqd_t queue;
	int len;

	NOT_DRY();
	if (getuid())
		SKIP(return, "needs root");
	for (len = 7; len <= 13; len++) {
		snprintf(name, sizeof(name), "%.*s", len, longest);
		queue = mq_open(name, O_CREAT | O_RDWR, 0640, &attr);
		EXPECT_LE(0, queue);
		mq_close(queue);
	}
	EXPECT_EQ(0, ckpt_as_user(&self->t, 1000, not_mine))
		ckpt_show_log(&self->t);
	for (len = 7; len <= 13; len++) {
		snprintf(name, sizeof(name), "%.*s", len, longest);
		EXPECT_EQ(0, mq_unlink(name));
	}
}

/*
 * The caller can give it away, and then not remove it: the directory is a sticky
 * one. What was removed is restored, and a failure leaves nothing.
 */
static int given_away(struct ckpt_test *t)
{
	struct ckpt_rec_hdr *hdr;
	struct ckpt_mqueue *p;
	char *image, name[64];
	size_t len;

	/* Capabilities but not the user stay, and one of them goes. */
	if (prctl(PR_SET_KEEPCAPS, 1) || setresgid(1000, 1000, 1000) ||
	    setresuid(1000, 1000, 1000) || prctl(PR_SET_KEEPCAPS, 0))
		return 1;
	cap_data[0].effective = 1 << CAP_CHOWN;
	cap_data[0].permitted = 1 << CAP_CHOWN;
	if (syscall(SYS_capset, &cap_header, cap_data))
		return 2;

	image = ckpt_save_scenario(t, "has_unlinked", &len);
	hdr = image ? ckpt_find_record(image, len, CKPT_REC_MQUEUE, 0) : NULL;
	if (!hdr)
		return 3;
	p = (void *)(hdr + 1);
	p->uid = 2000;
	ckpt_mend_record(hdr);
	if (ckpt_restart_raw(t, image, len) <= 0)
		return 5;
	free(image);

	image = ckpt_save_scenario(t, "has_queue", &len);
	hdr = image ? ckpt_find_record(image, len, CKPT_REC_MQUEUE, 0) : NULL;
	if (!hdr)
		return 6;
	p = (void *)(hdr + 1);
	snprintf(name, sizeof(name), "/%s", (char *)p->name);
	if (mq_unlink(name))
		return 7;
	p->uid = 2000;
	ckpt_mend_record(hdr);
	if (ckpt_restart_raw(t, image, len - 8) > 0)
		return 8;
	free(image);
	return mq_open(name, O_RDONLY) >= 0 || errno != ENOENT ? 9 : 0;
}

TEST_F(checkpoint, given_away)
{
	NOT_DRY();
	if (getuid())
		SKIP(return, "needs root");
	EXPECT_EQ(0, ckpt_as_user(&self->t, 0, given_away))
		ckpt_show_log(&self->t);
}

/* --- refused ----------------------------------------------------------------- */

REFUSED(thread_notification, EOPNOTSUPP, NULL, "SIGEV_THREAD")
{
	struct sigevent event = { .sigev_notify = SIGEV_THREAD };
	char cookie[32] = "";
	mqd_t q = new_queue(own_name(), O_RDWR, 4, 64);

	NEED(!mq_unlink(own_name()));
	/* What the library makes of it, without its thread. */
	event.sigev_signo = socket(AF_NETLINK, SOCK_RAW, 0);
	if (event.sigev_signo < 0)
		ckpt_skip("no netlink");
	event.sigev_value.sival_ptr = cookie;
	NEED(!syscall(__NR_mq_notify, q, &event));
	ckpt_point();
}

/* --- bad images --------------------------------------------------------------- */

TEST_F(checkpoint, altered_queues)
{
	static const uint32_t types[] = {
		CKPT_REC_MQUEUE, CKPT_REC_MQUEUE_MSG, CKPT_REC_FILE_MQUEUE,
	};
	int alive, tries = 0;

	NOT_DRY();
	alive = ckpt_alter_scenario(&self->t, "has_unlinked", types,
				    ARRAY_SIZE(types), &tries);
	TH_LOG("%d tries, %d processes", tries, alive);
	EXPECT_LT(100, tries);
	EXPECT_LT(ckpt_sampled(5), alive);
}

/* A message fewer, or one twice. */
TEST_F(checkpoint, number_of_messages)
{
	struct ckpt_rec_hdr *hdr;
	struct ckpt_mqueue *p;
	size_t len;
	char *good;

	NOT_DRY();
	good = ckpt_save_scenario(&self->t, "has_unlinked", &len);
	ASSERT_NE(NULL, good);
	hdr = ckpt_find_record(good, len, CKPT_REC_MQUEUE, 0);
	ASSERT_NE(NULL, hdr);
	p = (void *)(hdr + 1);
	EXPECT_EQ(1, p->nr_msgs);
	p->nr_msgs = 2;
	ckpt_mend_record(hdr);
	EXPECT_EQ(-EINVAL, ckpt_restart_raw(&self->t, good, len));
	EXPECT_TRUE(ckpt_reason(&self->t, EINVAL, "file_mqueue", -1, 0,
				"lacks messages"))
		ckpt_show_log(&self->t);
	p->nr_msgs = 0;
	ckpt_mend_record(hdr);
	EXPECT_EQ(-EINVAL, ckpt_restart_raw(&self->t, good, len));
	EXPECT_TRUE(ckpt_reason(&self->t, EINVAL, "mqueue_msg", -1, 0,
				"do not fit together"))
		ckpt_show_log(&self->t);
	free(good);
}

TEST_HARNESS_MAIN
