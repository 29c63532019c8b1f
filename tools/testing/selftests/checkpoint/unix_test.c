// SPDX-License-Identifier: GPL-2.0
/*
 * Unix sockets with both sides in the tree: pairs, names, listening, messages.
 */
#include "ckpt_test.h"
#include "ckpt_image.h"

#include <linux/bpf.h>
#include <linux/filter.h>
#include <sched.h>
#include <linux/net_tstamp.h>
#include <linux/netlink.h>
#include <linux/sockios.h>
#include <linux/time_types.h>
#include <poll.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/xattr.h>

#ifndef SO_PASSPIDFD
#define SO_PASSPIDFD 76
#endif
#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

#define OTHER_USER	1234

/* --- helpers -------------------------------------------------------------- */

/* "@" makes it abstract. */
static socklen_t make_name(struct sockaddr_un *addr, const char *name)
{
	size_t len = strlen(name);

	memset(addr, 0, sizeof(*addr));
	addr->sun_family = AF_UNIX;
	if (len > sizeof(addr->sun_path))
		abort();
	memcpy(addr->sun_path, name, len);
	if (*name != '@')
		return offsetof(struct sockaddr_un, sun_path) + len + 1;
	addr->sun_path[0] = '\0';
	return offsetof(struct sockaddr_un, sun_path) + len;
}

static int bind_to(int fd, const char *name)
{
	struct sockaddr_un addr;
	socklen_t len = make_name(&addr, name);

	return bind(fd, (struct sockaddr *)&addr, len);
}

static int connect_to(int fd, const char *name)
{
	struct sockaddr_un addr;
	socklen_t len = make_name(&addr, name);

	return connect(fd, (struct sockaddr *)&addr, len);
}

static ssize_t send_to(int fd, const char *name, const char *text)
{
	struct sockaddr_un addr;
	socklen_t len = make_name(&addr, name);

	return sendto(fd, text, strlen(text), 0, (struct sockaddr *)&addr, len);
}

static int unix_socket(int type)
{
	int fd = socket(AF_UNIX, type, 0);

	NEED(fd >= 0);
	return fd;
}

static int bound_socket(int type, const char *name)
{
	int fd = unix_socket(type);

	NEED(!bind_to(fd, name));
	return fd;
}

static int listener(int type, const char *name)
{
	int fd = bound_socket(type, name);

	NEED(!listen(fd, 5));
	return fd;
}

static int client(int type, const char *name)
{
	int fd = unix_socket(type);

	NEED(!connect_to(fd, name));
	return fd;
}

static bool is_name(const struct sockaddr_un *addr, socklen_t len,
		    const char *name)
{
	struct sockaddr_un expected;
	socklen_t expected_len = make_name(&expected, name);

	if (!*name)
		return len == sizeof(sa_family_t);
	return len == expected_len && !memcmp(addr, &expected, len);
}

static bool own_name_is(int fd, const char *name)
{
	struct sockaddr_un addr;
	socklen_t len = sizeof(addr);

	return !getsockname(fd, (struct sockaddr *)&addr, &len) &&
	       is_name(&addr, len, name);
}

static bool peer_name_is(int fd, const char *name)
{
	struct sockaddr_un addr;
	socklen_t len = sizeof(addr);

	return !getpeername(fd, (struct sockaddr *)&addr, &len) &&
	       is_name(&addr, len, name);
}

/* The next message is this text, from a socket of this name. */
static bool next_is(int fd, const char *text, const char *from)
{
	struct sockaddr_un addr;
	socklen_t len = sizeof(addr);
	char buf[200];
	ssize_t got;

	got = recvfrom(fd, buf, sizeof(buf), MSG_DONTWAIT,
		       (struct sockaddr *)&addr, &len);
	if (got != (ssize_t)strlen(text) || memcmp(buf, text, got))
		return false;
	if (from && !*from)
		return !len;
	return !from || is_name(&addr, len, from);
}

static bool next_errno_is(int fd, int error)
{
	char byte;

	return recv(fd, &byte, 1, MSG_DONTWAIT) == -1 && errno == error;
}

static int option(int fd, int name)
{
	socklen_t len = sizeof(int);
	int value = -1;

	if (getsockopt(fd, SOL_SOCKET, name, &value, &len))
		return -errno;
	return value;
}

static int set_option(int fd, int name, int value)
{
	return setsockopt(fd, SOL_SOCKET, name, &value, sizeof(value));
}

static int send_fds_flags(int fd, const char *text, const int *fds, int nr,
			  int flags)
{
	char control[CMSG_SPACE(253 * sizeof(int))] = "";
	struct iovec iov = { (void *)text, strlen(text) };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
		.msg_controllen = CMSG_SPACE(nr * sizeof(int)),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(nr * sizeof(int));
	memcpy(CMSG_DATA(cmsg), fds, nr * sizeof(int));
	return sendmsg(fd, &msg, flags) == (ssize_t)iov.iov_len ? 0 : -errno;
}

static int send_fds(int fd, const char *text, const int *fds, int nr)
{
	return send_fds_flags(fd, text, fds, nr, 0);
}

/* Return: how many files came with the next message, or -errno. */
static int receive_fds(int fd, char *text, size_t size, int *fds)
{
	char control[CMSG_SPACE(253 * sizeof(int))];
	struct iovec iov = { text, size };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg;
	ssize_t got;
	int nr;

	memset(text, 0, size);
	got = recvmsg(fd, &msg, MSG_DONTWAIT);
	if (got < 0)
		return -errno;
	for (cmsg = CMSG_FIRSTHDR(&msg); cmsg; cmsg = CMSG_NXTHDR(&msg, cmsg))
		if (cmsg->cmsg_type == SCM_RIGHTS)
			break;
	if (!cmsg)
		return 0;
	nr = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	memcpy(fds, CMSG_DATA(cmsg), nr * sizeof(int));
	return nr;
}

static int receive_fd(int fd, const char *text)
{
	int fds[253] = { -1 };
	char buf[200];

	NEED(receive_fds(fd, buf, sizeof(buf), fds) == 1);
	CHECK(!strcmp(buf, text));
	return fds[0];
}

static int send_creds(int fd, const char *text, struct ucred creds)
{
	char control[CMSG_SPACE(sizeof(creds))] = "";
	struct iovec iov = { (void *)text, strlen(text) };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_CREDENTIALS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(creds));
	memcpy(CMSG_DATA(cmsg), &creds, sizeof(creds));
	return sendmsg(fd, &msg, 0) == (ssize_t)iov.iov_len ? 0 : -errno;
}

/* The next message's text, bytes, and who sent it. */
static ssize_t receive_creds(int fd, char *text, size_t size,
			     struct ucred *creds)
{
	char control[200];
	struct iovec iov = { text, size };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg;
	ssize_t got;

	memset(text, 0, size);
	memset(creds, 0xff, sizeof(*creds));
	got = recvmsg(fd, &msg, MSG_DONTWAIT);
	if (got < 0)
		return -errno;
	for (cmsg = CMSG_FIRSTHDR(&msg); cmsg; cmsg = CMSG_NXTHDR(&msg, cmsg))
		if (cmsg->cmsg_type == SCM_CREDENTIALS)
			memcpy(creds, CMSG_DATA(cmsg), sizeof(*creds));
	return got;
}

/* The next message is this text, of that sender. */
static void check_creds(int fd, const char *text, pid_t pid, uid_t uid,
			gid_t gid)
{
	struct ucred creds;
	char buf[200];

	CHECK_SAY(receive_creds(fd, buf, sizeof(buf), &creds) ==
		  (ssize_t)strlen(text) && !strcmp(buf, text),
		  "'%s' and not '%s'", buf, text);
	CHECK_SAY(creds.pid == pid && creds.uid == uid && creds.gid == gid,
		  "'%s' is from pid %d, user %u, group %u", text, creds.pid,
		  creds.uid, creds.gid);
}

static struct ucred peer_cred(int fd)
{
	struct ucred creds;
	socklen_t len = sizeof(creds);

	memset(&creds, 0xff, sizeof(creds));
	CHECK(!getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &creds, &len));
	return creds;
}

static short events(int fd)
{
	struct pollfd pfd = {
		.fd = fd,
		.events = POLLIN | POLLOUT | POLLRDHUP | POLLPRI,
	};

	return poll(&pfd, 1, 0) < 0 ? -1 : pfd.revents;
}

/* --- pairs ---------------------------------------------------------------- */

static void pair_with_data(int type)
{
	char buf[100] = "";
	int p[2];

	NEED(!socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, p));
	NEED(!fcntl(p[1], F_SETFL, O_NONBLOCK));
	NEED(write(p[0], "first ", 6) == 6 && write(p[0], "second", 6) == 6);
	NEED(write(p[1], "back", 4) == 4);
	NEED(type == SOCK_STREAM || write(p[1], "", 0) == 0);
	ckpt_point();
	if (type == SOCK_STREAM) {
		CHECK_EQ(12, read(p[1], buf, sizeof(buf)));
		CHECK(!strcmp(buf, "first second"));
	} else {
		CHECK(next_is(p[1], "first ", ""));
		CHECK(next_is(p[1], "second", ""));
	}
	CHECK(next_is(p[0], "back", ""));
	if (type != SOCK_STREAM)
		CHECK(next_is(p[0], "", ""));
	CHECK(next_errno_is(p[0], EAGAIN));
	CHECK(next_errno_is(p[1], EAGAIN));
	CHECK_EQ(type, option(p[0], SO_TYPE));
	CHECK_EQ(FD_CLOEXEC, fcntl(p[0], F_GETFD));
	CHECK_EQ(O_RDWR, fcntl(p[0], F_GETFL));
	CHECK_EQ(O_RDWR | O_NONBLOCK, fcntl(p[1], F_GETFL));
	CHECK(own_name_is(p[0], "") && peer_name_is(p[0], ""));

	/* It is alive both ways, to the end. */
	CHECK_EQ(3, write(p[0], "new", 3));
	CHECK(next_is(p[1], "new", ""));
	CHECK_EQ(3, write(p[1], "wen", 3));
	CHECK(next_is(p[0], "wen", ""));
	close(p[0]);
	if (type == SOCK_DGRAM) {
		CHECK_EQ(-1, send(p[1], "x", 1, MSG_NOSIGNAL));
		CHECK_EQ(ECONNREFUSED, errno);
	} else {
		CHECK_EQ(0, read(p[1], buf, 1));
		CHECK_EQ(-1, send(p[1], "x", 1, MSG_NOSIGNAL));
		CHECK_EQ(EPIPE, errno);
	}
}

ROUNDTRIP(stream_pair)
{
	pair_with_data(SOCK_STREAM);
}

ROUNDTRIP(dgram_pair)
{
	pair_with_data(SOCK_DGRAM);
}

ROUNDTRIP(seqpacket_pair)
{
	pair_with_data(SOCK_SEQPACKET);
}

/* Reads that begin and end in the middle of what was written. */
ROUNDTRIP(partly_read)
{
	char text[100000], buf[100000];
	int p[2], n;

	NEED(!socketpair(AF_UNIX, SOCK_STREAM, 0, p));
	ckpt_fill(text, sizeof(text), 1);
	NEED(write(p[0], text, 60000) == 60000);
	NEED(write(p[0], text + 60000, 40000) == 40000);
	NEED(read(p[1], buf, 37003) == 37003);
	ckpt_point();
	CHECK(!ioctl(p[1], FIONREAD, &n));
	CHECK_EQ(sizeof(text) - 37003, n);
	CHECK_EQ(sizeof(text) - 37003,
		 recv(p[1], buf + 37003, sizeof(buf), MSG_WAITALL | MSG_DONTWAIT));
	CHECK_FILL(buf, sizeof(text), 1);
}

/* As much as fits, more than a new socket's buffer holds. */
static void full_pair(int type)
{
	char text[5000], buf[5000];
	int p[2], nr = 0, i;

	NEED(!socketpair(AF_UNIX, type | SOCK_NONBLOCK, 0, p));
	NEED(!set_option(p[0], SO_SNDBUFFORCE, 1000000));
	ckpt_fill(text, sizeof(text), 3);
	while (write(p[0], text, sizeof(text)) == sizeof(text))
		nr++;
	NEED(errno == EAGAIN && nr > 100);
	/* The data is over the limit of the buffer, then. */
	NEED(!set_option(p[0], SO_SNDBUF, 10000));
	ckpt_point();
	CHECK_EQ(20000, option(p[0], SO_SNDBUF));
	CHECK_EQ(0, events(p[0]) & POLLOUT);
	CHECK_EQ(-1, write(p[0], text, sizeof(text)));
	CHECK_EQ(EAGAIN, errno);
	for (i = 0; i < nr; i++) {
		CHECK_EQ(sizeof(buf), read(p[1], buf, sizeof(buf)));
		if (!CHECK_EQ(-1, ckpt_fill_differs(buf, sizeof(buf), 3)))
			break;
	}
	if (type == SOCK_STREAM)
		while (read(p[1], buf, sizeof(buf)) > 0)
			;
	CHECK(next_errno_is(p[1], EAGAIN));
	CHECK_EQ(POLLOUT, events(p[0]));
}

ROUNDTRIP(full_stream)
{
	full_pair(SOCK_STREAM);
}

ROUNDTRIP(full_dgram)
{
	full_pair(SOCK_DGRAM);
}

ROUNDTRIP(big_messages)
{
	static char text[190000], buf[190000];
	int p[2];

	NEED(!socketpair(AF_UNIX, SOCK_SEQPACKET, 0, p));
	ckpt_fill(text, sizeof(text), 4);
	NEED(write(p[0], text, sizeof(text)) == sizeof(text));
	ckpt_point();
	CHECK_EQ(sizeof(text), read(p[1], buf, sizeof(buf)));
	CHECK_FILL(buf, sizeof(buf), 4);
}

ROUNDTRIP(many_pairs)
{
	int p[100][2], i, n = -1;

	for (i = 0; i < 100; i++) {
		NEED(!socketpair(AF_UNIX, i % 2 ? SOCK_STREAM : SOCK_SEQPACKET,
				 0, p[i]));
		NEED(write(p[i][1], &i, sizeof(i)) == sizeof(i));
	}
	ckpt_point();
	for (i = 0; i < 100; i++) {
		CHECK_EQ(sizeof(n), read(p[i][0], &n, sizeof(n)));
		CHECK_EQ(i, n);
	}
}

/* Descriptors that share a description, and its flags. */
ROUNDTRIP(shared_description)
{
	int p[2];

	NEED(!socketpair(AF_UNIX, SOCK_STREAM, 0, p));
	NEED(dup2(p[0], 50) == 50);
	ckpt_point();
	CHECK(!fcntl(50, F_SETFL, O_NONBLOCK));
	CHECK_EQ(O_NONBLOCK, fcntl(p[0], F_GETFL) & O_NONBLOCK);
	close(p[0]);
	CHECK(next_errno_is(p[1], EAGAIN));
	close(50);
	CHECK_EQ(0, recv(p[1], p, 1, 0));
}

/* --- ends ----------------------------------------------------------------- */

ROUNDTRIP(shut_down)
{
	static const int types[] = { SOCK_STREAM, SOCK_SEQPACKET };
	int p[6][2], before[6][2], how, t, i;
	char byte;

	signal(SIGPIPE, SIG_IGN);
	for (t = 0; t < 2; t++) {
		for (how = SHUT_RD; how <= SHUT_RDWR; how++) {
			i = 3 * t + how;
			NEED(!socketpair(AF_UNIX, types[t], 0, p[i]));
			NEED(write(p[i][0], "last", 4) == 4);
			NEED(!shutdown(p[i][0], how));
			before[i][0] = events(p[i][0]);
			before[i][1] = events(p[i][1]);
		}
	}
	ckpt_point();
	for (i = 0; i < 6; i++) {
		how = i % 3;
		CHECK_EQ(before[i][0], events(p[i][0]));
		CHECK_EQ(before[i][1], events(p[i][1]));
		CHECK(next_is(p[i][1], "last", NULL));
		if (how == SHUT_RD)
			CHECK(next_errno_is(p[i][1], EAGAIN));
		else
			CHECK_EQ(0, read(p[i][1], &byte, 1));
		CHECK_EQ(how == SHUT_RD ? 1 : -1, write(p[i][0], "x", 1));
		CHECK_EQ(how == SHUT_WR ? 1 : -1, write(p[i][1], "x", 1));
	}
}

ROUNDTRIP(peer_closed)
{
	int p[2], q[2], d[2], r[2];
	char byte;

	signal(SIGPIPE, SIG_IGN);
	/* Data, then the end. */
	NEED(!socketpair(AF_UNIX, SOCK_STREAM, 0, p));
	NEED(write(p[1], "last", 4) == 4);
	close(p[1]);
	/* The other one had not read all. */
	NEED(!socketpair(AF_UNIX, SOCK_SEQPACKET, 0, q));
	NEED(write(q[0], "lost", 4) == 4);
	close(q[1]);
	NEED(!socketpair(AF_UNIX, SOCK_DGRAM, 0, d));
	NEED(write(d[1], "last", 4) == 4);
	close(d[1]);
	NEED(!socketpair(AF_UNIX, SOCK_STREAM, 0, r));
	close(r[1]);
	ckpt_point();
	CHECK(peer_name_is(p[0], ""));
	CHECK_EQ(POLLIN | POLLOUT | POLLRDHUP | POLLHUP, events(p[0]));
	CHECK(next_is(p[0], "last", ""));
	CHECK_EQ(0, read(p[0], &byte, 1));
	CHECK_EQ(-1, write(p[0], "x", 1));
	CHECK_EQ(EPIPE, errno);

	CHECK_EQ(POLLERR, events(q[0]) & POLLERR);
	CHECK_EQ(ECONNRESET, option(q[0], SO_ERROR));
	CHECK_EQ(0, option(q[0], SO_ERROR));
	CHECK_EQ(0, read(q[0], &byte, 1));

	CHECK(next_is(d[0], "last", ""));
	CHECK_EQ(-1, write(d[0], "x", 1));
	CHECK_EQ(ECONNREFUSED, errno);
	CHECK_EQ(-1, write(d[0], "x", 1));
	CHECK_EQ(ENOTCONN, errno);

	CHECK_EQ(0, read(r[0], &byte, 1));
}

/* --- options -------------------------------------------------------------- */

static const struct {
	int name;
	int value;
} options[] = {
	{ SO_REUSEADDR, 1 }, { SO_KEEPALIVE, 1 }, { SO_BROADCAST, 1 },
	{ SO_OOBINLINE, 1 }, { SO_DONTROUTE, 1 }, { SO_PRIORITY, 5 },
	{ SO_MARK, 77 }, { SO_RCVLOWAT, 3 }, { SO_PASSCRED, 1 },
	{ SO_PASSSEC, 1 }, { SO_PASSPIDFD, 1 }, { SO_TIMESTAMPNS, 1 },
	{ SO_RXQ_OVFL, 1 }, { SO_NO_CHECK, 1 }, { SO_PEEK_OFF, 2 },
	{ SO_SELECT_ERR_QUEUE, 1 }, { SO_INCOMING_CPU, 0 }, { SO_DEBUG, 1 },
	{ SO_BUSY_POLL, 50 }, { SO_MAX_PACING_RATE, 100000 },
	{ SO_LOCK_FILTER, 1 }, { SO_NOFCS, 1 }, { SO_WIFI_STATUS, 1 },
};

#define NR_OPTIONS	((int)ARRAY_SIZE(options))

ROUNDTRIP(socket_options)
{
	struct linger linger = { 1, 17 }, off = { 0, 5 }, seen;
	struct timeval tv = { 3, 500000 }, tv2;
	struct so_timestamping ts = {
		.flags = SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE,
	};
	int p[2], before[NR_OPTIONS], fresh[NR_OPTIONS], i, changed = 0;
	bool device;
	socklen_t len;
	char name[16];

	NEED(!socketpair(AF_UNIX, SOCK_STREAM, 0, p));
	for (i = 0; i < NR_OPTIONS; i++) {
		fresh[i] = option(p[1], options[i].name);
		if (set_option(p[0], options[i].name, options[i].value))
			before[i] = -1;
		else
			before[i] = option(p[0], options[i].name);
		changed += before[i] != -1 && before[i] != fresh[i];
	}
	NEED(changed > 15);
	NEED(!setsockopt(p[0], SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)));
	NEED(!setsockopt(p[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)));
	NEED(!setsockopt(p[0], SOL_SOCKET, SO_TIMESTAMPING, &ts, sizeof(ts)));
	NEED(!set_option(p[0], SO_SNDBUF, 30000));
	NEED(!set_option(p[0], SO_RCVBUF, 40000));
	device = !setsockopt(p[0], SOL_SOCKET, SO_BINDTODEVICE, "lo", 3);
	NEED(device || errno == ENOPROTOOPT);
	/* Switched on and off again leaves its time. */
	NEED(!setsockopt(p[1], SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)));
	NEED(!setsockopt(p[1], SOL_SOCKET, SO_LINGER, &off, sizeof(off)));
	tv.tv_sec = 0;
	NEED(!setsockopt(p[1], SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)));
	ckpt_point();
	for (i = 0; i < NR_OPTIONS; i++) {
		if (before[i] != -1 &&
		    !CHECK_EQ(before[i], option(p[0], options[i].name)))
			ckpt_target_fail(__FILE__, __LINE__, "option %d",
					 options[i].name);
		if (!CHECK_EQ(fresh[i], option(p[1], options[i].name)))
			ckpt_target_fail(__FILE__, __LINE__, "option %d",
					 options[i].name);
	}
	len = sizeof(seen);
	CHECK(!getsockopt(p[0], SOL_SOCKET, SO_LINGER, &seen, &len));
	CHECK(!memcmp(&seen, &linger, len));
	CHECK(!getsockopt(p[1], SOL_SOCKET, SO_LINGER, &seen, &len));
	CHECK_EQ(0, seen.l_onoff);
	CHECK_EQ(17, seen.l_linger);
	len = sizeof(tv2);
	CHECK(!getsockopt(p[0], SOL_SOCKET, SO_RCVTIMEO, &tv2, &len));
	CHECK(tv2.tv_sec == 3 && tv2.tv_usec == 500000);
	CHECK(!getsockopt(p[0], SOL_SOCKET, SO_SNDTIMEO, &tv2, &len));
	CHECK(!tv2.tv_sec && !tv2.tv_usec);
	CHECK(!getsockopt(p[1], SOL_SOCKET, SO_SNDTIMEO, &tv2, &len));
	CHECK(!tv2.tv_sec && tv2.tv_usec == 500000);
	len = sizeof(ts);
	CHECK(!getsockopt(p[0], SOL_SOCKET, SO_TIMESTAMPING, &ts, &len));
	CHECK_EQ(SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE,
		 ts.flags);
	CHECK_EQ(60000, option(p[0], SO_SNDBUF));
	CHECK_EQ(80000, option(p[0], SO_RCVBUF));
	CHECK_EQ(3, option(p[0], SO_BUF_LOCK));
	CHECK_EQ(0, option(p[1], SO_BUF_LOCK));
	len = sizeof(name);
	if (device) {
		CHECK(!getsockopt(p[0], SOL_SOCKET, SO_BINDTODEVICE, name,
				  &len));
		CHECK(!strcmp(name, "lo"));
	}
}

/* Numbers that nobody would think of. */
ROUNDTRIP(strange_options)
{
	struct timeval none = { -1, 0 }, ages = { 20000000000000, 0 }, tv;
	socklen_t len = sizeof(tv);
	int p[2];

	NEED(!socketpair(AF_UNIX, SOCK_STREAM, 0, p));
	NEED(!set_option(p[0], SO_INCOMING_CPU, -77));
	/* No time at all, which getsockopt() does not tell from no limit. */
	NEED(!setsockopt(p[0], SOL_SOCKET, SO_RCVTIMEO, &none, sizeof(none)));
	/* More microseconds than fit into 64 bits. */
	NEED(!setsockopt(p[1], SOL_SOCKET, SO_RCVTIMEO, &ages, sizeof(ages)));
	ckpt_point();
	CHECK_EQ(-77, option(p[0], SO_INCOMING_CPU));
	alarm(60);
	CHECK_EQ(-1, recv(p[0], &tv, 1, 0));
	CHECK_EQ(EAGAIN, errno);
	alarm(0);
	CHECK(!getsockopt(p[1], SOL_SOCKET, SO_RCVTIMEO, &tv, &len));
	CHECK(!tv.tv_sec || tv.tv_sec == ages.tv_sec);
	CHECK(!tv.tv_usec);
}

/* Owner and mode of the descriptor's inode. */
ROUNDTRIP(inode_attributes)
{
	struct stat st;
	int p[2];

	NEED(!socketpair(AF_UNIX, SOCK_STREAM, 0, p));
	NEED(!fchmod(p[0], 0751));
	if (!getuid())
		NEED(!fchown(p[0], OTHER_USER, 4321));
	NEED(!fstat(p[0], &st));
	ckpt_value[2] = st.st_uid;
	ckpt_point();
	CHECK(!fstat(p[0], &st));
	CHECK_EQ(S_IFSOCK | 0751, st.st_mode);
	CHECK_EQ(ckpt_value[2], st.st_uid);
	CHECK(!fstat(p[1], &st));
	CHECK_EQ(getuid(), st.st_uid);
	CHECK_EQ(S_IFSOCK | 0777, st.st_mode);
}

/* Sockets of which nothing was made yet. */
ROUNDTRIP(unconnected)
{
	int stream = unix_socket(SOCK_STREAM), dgram = unix_socket(SOCK_DGRAM);
	int seq = unix_socket(SOCK_SEQPACKET), shut = unix_socket(SOCK_STREAM);
	int before[4];

	NEED(!set_option(dgram, SO_PASSCRED, 1));
	NEED(!shutdown(shut, SHUT_WR));
	before[0] = events(stream);
	before[1] = events(dgram);
	before[2] = events(seq);
	before[3] = events(shut);
	ckpt_point();
	CHECK_EQ(before[0], events(stream));
	CHECK_EQ(before[1], events(dgram));
	CHECK_EQ(before[2], events(seq));
	CHECK_EQ(before[3], events(shut));
	CHECK_EQ(1, option(dgram, SO_PASSCRED));
	CHECK_EQ(-1, write(stream, "x", 1));
	CHECK_EQ(ENOTCONN, errno);
	CHECK_EQ(0, peer_cred(stream).pid);
	/* And they can become anything. */
	CHECK(!bind_to(seq, "seq") && !listen(seq, 1));
	CHECK(!bind_to(dgram, "dgram"));
	CHECK_EQ(1, send_to(unix_socket(SOCK_DGRAM), "dgram", "x"));
}

ROUNDTRIP(peek_offset)
{
	char buf[10] = "";
	int p[2];

	NEED(!socketpair(AF_UNIX, SOCK_STREAM, 0, p));
	NEED(write(p[0], "abcdef", 6) == 6);
	NEED(!set_option(p[1], SO_PEEK_OFF, 0));
	NEED(recv(p[1], buf, 2, MSG_PEEK) == 2);
	ckpt_point();
	CHECK_EQ(2, option(p[1], SO_PEEK_OFF));
	CHECK_EQ(1, recv(p[1], buf, 1, MSG_PEEK));
	CHECK_EQ('c', buf[0]);
	CHECK_EQ(6, recv(p[1], buf, 10, 0));
	CHECK_EQ('a', buf[0]);
}

/* When a message was sent. */
ROUNDTRIP(time_stamps)
{
	struct timespec before, seen = {}, now;
	char control[200], byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1,
			      .msg_control = control,
			      .msg_controllen = sizeof(control) };
	struct cmsghdr *cmsg;
	int p[2];

	NEED(!socketpair(AF_UNIX, SOCK_DGRAM, 0, p));
	NEED(!set_option(p[1], SO_TIMESTAMPNS, 1));
	NEED(write(p[0], "x", 1) == 1);
	clock_gettime(CLOCK_REALTIME, &before);
	ckpt_point();
	usleep(1000);
	clock_gettime(CLOCK_REALTIME, &now);
	CHECK_EQ(1, recvmsg(p[1], &msg, MSG_DONTWAIT));
	cmsg = CMSG_FIRSTHDR(&msg);
	if (CHECK(cmsg && cmsg->cmsg_type == SO_TIMESTAMPNS))
		memcpy(&seen, CMSG_DATA(cmsg), sizeof(seen));
	CHECK(seen.tv_sec > before.tv_sec - 60);
	CHECK(seen.tv_sec < before.tv_sec ||
	      (seen.tv_sec == before.tv_sec && seen.tv_nsec <= before.tv_nsec));
}

/* --- bytes out of band ---------------------------------------------------- */

ROUNDTRIP(out_of_band)
{
	char buf[10] = "", byte = 0;
	int p[2], q[2], r[2], mark;

	NEED(!socketpair(AF_UNIX, SOCK_STREAM, 0, p));
	if (send(p[0], "abc!", 4, MSG_OOB) != 4)
		ckpt_skip("no MSG_OOB for unix sockets");
	NEED(write(p[0], "def", 3) == 3);
	/* Was read: the mark is left. */
	NEED(!socketpair(AF_UNIX, SOCK_STREAM, 0, q));
	NEED(send(q[0], "abc!", 4, MSG_OOB) == 4);
	NEED(write(q[0], "def", 3) == 3);
	NEED(recv(q[1], &byte, 1, MSG_OOB) == 1 && byte == '!');
	/* Read in between the others. */
	NEED(!socketpair(AF_UNIX, SOCK_STREAM, 0, r));
	NEED(!set_option(r[1], SO_OOBINLINE, 1));
	NEED(send(r[0], "abc!", 4, MSG_OOB) == 4);
	ckpt_point();
	CHECK_EQ(POLLPRI, events(p[1]) & POLLPRI);
	CHECK_EQ(3, read(p[1], buf, sizeof(buf)));
	CHECK(!memcmp(buf, "abc", 3));
	CHECK(!ioctl(p[1], SIOCATMARK, &mark) && mark);
	CHECK_EQ(1, recv(p[1], &byte, 1, MSG_OOB));
	CHECK_EQ('!', byte);
	CHECK_EQ(3, read(p[1], buf, sizeof(buf)));
	CHECK(!memcmp(buf, "def", 3));

	CHECK_EQ(0, events(q[1]) & POLLPRI);
	CHECK_EQ(-1, recv(q[1], &byte, 1, MSG_OOB | MSG_DONTWAIT));
	CHECK_EQ(3, read(q[1], buf, sizeof(buf)));
	CHECK(!ioctl(q[1], SIOCATMARK, &mark) && mark);
	CHECK_EQ(3, read(q[1], buf, sizeof(buf)));
	CHECK(!memcmp(buf, "def", 3));

	CHECK_EQ(3, read(r[1], buf, sizeof(buf)));
	CHECK_EQ(1, read(r[1], buf, sizeof(buf)));
	CHECK_EQ('!', buf[0]);
}

/* Files that came with a byte out of band stay when that was read. */
ROUNDTRIP(out_of_band_with_a_file)
{
	char buf[10];
	int p[2], q[2];

	NEED(!socketpair(AF_UNIX, SOCK_STREAM, 0, p));
	NEED(!pipe2(q, O_NONBLOCK));
	if (send_fds_flags(p[0], "!", &q[1], 1, MSG_OOB))
		ckpt_skip("no MSG_OOB for unix sockets");
	close(q[1]);
	NEED(recv(p[1], buf, 1, MSG_OOB) == 1 && buf[0] == '!');
	NEED(write(p[0], "def", 3) == 3);
	ckpt_point();
	CHECK_EQ(-1, read(q[0], buf, 1));
	CHECK_EQ(EAGAIN, errno);
	CHECK_EQ(3, read(p[1], buf, sizeof(buf)));
	CHECK_EQ(0, read(q[0], buf, 1));
}

/* --- credentials ---------------------------------------------------------- */

/* Set before the messages are sent: they carry who sent them. */
static void creds_of(int type)
{
	pid_t me = getpid();
	int p[2];

	NEED(!socketpair(AF_UNIX, type, 0, p));
	NEED(write(p[0], "without", 7) == 7);
	NEED(!set_option(p[1], SO_PASSCRED, 1));
	NEED(write(p[0], "with", 4) == 4);
	NEED(!send_creds(p[0], "too", (struct ucred){ me, getuid(), getgid() }));
	if (!getuid())
		NEED(!send_creds(p[0], "other",
				 (struct ucred){ me, OTHER_USER, 4321 }));
	ckpt_point();
	/* Without the option at that time: nobody. */
	check_creds(p[1], "without", 0, 65534, 65534);
	if (type == SOCK_STREAM) {
		check_creds(p[1], "withtoo", me, getuid(), getgid());
	} else {
		check_creds(p[1], "with", me, getuid(), getgid());
		check_creds(p[1], "too", me, getuid(), getgid());
	}
	if (!getuid())
		check_creds(p[1], "other", me, OTHER_USER, 4321);
}

ROUNDTRIP(stream_creds)
{
	creds_of(SOCK_STREAM);
}

ROUNDTRIP(dgram_creds)
{
	creds_of(SOCK_DGRAM);
}

ROUNDTRIP(peer_creds)
{
	struct ucred seen;
	int p[2], l, c, a;

	NEED(!socketpair(AF_UNIX, SOCK_STREAM, 0, p));
	l = listener(SOCK_STREAM, "@peer_creds");
	NEED(getuid() || !setegid(4321));
	c = client(SOCK_STREAM, "@peer_creds");
	NEED(getuid() || !setegid(0));
	NEED((a = accept(l, NULL, NULL)) >= 0);
	ckpt_point();
	seen = peer_cred(p[0]);
	CHECK(seen.pid == getpid() && seen.uid == getuid() &&
	      seen.gid == getgid());
	seen = peer_cred(a);
	CHECK_EQ(getpid(), seen.pid);
	CHECK_EQ(getuid() ? getgid() : 4321, seen.gid);
	seen = peer_cred(c);
	CHECK_EQ(getpid(), seen.pid);
	CHECK_EQ(getgid(), seen.gid);
	seen = peer_cred(l);
	CHECK_EQ(getpid(), seen.pid);
}

/* Made and sent to by a process that has ended. */
static pid_t by_a_dead_one(int *pair, int *to)
{
	char text[10];
	int carrier[2];
	pid_t pid;

	NEED(!socketpair(AF_UNIX, SOCK_STREAM, 0, carrier));
	NEED(!socketpair(AF_UNIX, SOCK_STREAM, 0, to));
	NEED(!set_option(to[1], SO_PASSCRED, 1));
	pid = fork();
	if (!pid) {
		if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) ||
		    send_fds(carrier[0], "pair", pair, 2) ||
		    write(to[0], "one", 3) != 3 || write(to[0], "two", 3) != 3)
			_exit(1);
		_exit(0);
	}
	NEED(pid > 0 && waitpid(pid, NULL, 0) == pid);
	NEED(receive_fds(carrier[1], text, sizeof(text), pair) == 2);
	close(carrier[0]);
	close(carrier[1]);
	return pid;
}

ROUNDTRIP(pids_of_the_dead)
{
	int pair[2], to[2], fd;
	socklen_t len = sizeof(fd);
	pid_t pid;

	if (getuid())
		ckpt_skip("not root");
	pid = by_a_dead_one(pair, to);
	ckpt_point();
	CHECK_EQ(pid, peer_cred(pair[0]).pid);
	CHECK_EQ(pid, peer_cred(pair[1]).pid);
	/* In one read, as they have the same sender. */
	check_creds(to[1], "onetwo", pid, 0, 0);
	/* Nobody took the number. */
	CHECK_EQ(-1, kill(pid, 0));
	CHECK_EQ(ESRCH, errno);
	CHECK_EQ(-1, getsockopt(pair[0], SOL_SOCKET, SO_PEERPIDFD, &fd, &len));
}

/* With other pids that number means nothing. */
SCENARIO(fresh_dead)
{
	int pair[2], to[2];
	pid_t me = getpid();

	by_a_dead_one(pair, to);
	NEED(write(to[0], "mine", 4) == 4);
	ckpt_point();
	if (getpid() != me) {
		CHECK_EQ(0, peer_cred(pair[0]).pid);
		check_creds(to[1], "onetwo", 0, getuid(), getgid());
	} else {
		CHECK(peer_cred(pair[0]).pid);
		recv(to[1], pair, 6, 0);
	}
	/* Its own pid is the new one. */
	check_creds(to[1], "mine", getpid(), getuid(), getgid());
	CHECK_EQ(getpid(), peer_cred(to[0]).pid);
}

static int fresh_dead_roundtrip(struct ckpt_test *t)
{
	int ret;

	unlink(t->image);
	ret = ckpt_roundtrip(t, "fresh_dead", NULL, CKPT_RT_FRESH);
	unlink(t->image);
	return ret == CKPT_SKIPPED ? 0 : ret;
}

TEST_F(checkpoint, pids_of_the_dead_fresh)
{
	EXPECT_EQ(0, fresh_dead_roundtrip(&self->t));
	if (getuid())
		return;
	/* It takes no rights. */
	EXPECT_EQ(0, ckpt_as_user(&self->t, OTHER_USER, fresh_dead_roundtrip));
}

/* Somebody without a pid is a user still, also the next time. */
SCENARIO(of_nobody)
{
	int pair[2], to[2];

	by_a_dead_one(pair, to);
	ckpt_point();
	check_creds(to[1], "onetwo", 0, getuid(), getgid());
}

TEST_F(checkpoint, creds_of_two_generations)
{
	struct ckpt_test *t = &self->t;
	pid_t pid;

	NOT_DRY();
	START(pid, of_nobody, NULL);
	ASSERT_LT(0, ckpt_checkpoint(t, pid, t->image, 0));
	ASSERT_EQ(0, ckpt_kill(t, pid));
	pid = ckpt_restart(t, t->image, RESTART_FRESH_PIDS);
	ASSERT_LT(0, pid);
	ASSERT_LT(0, ckpt_checkpoint(t, pid, t->other, 0));
	ASSERT_EQ(0, ckpt_kill(t, pid));
	pid = ckpt_restart(t, t->other, RESTART_FRESH_PIDS);
	ASSERT_LT(0, pid);
	EXPECT_EQ(0, ckpt_finish(t, pid));
}

#define NR_SENDERS	8

/* Tells its pid whenever it is asked, and sends before that when it shall. */
static void be_sender(int ask, int box)
{
	char what;
	pid_t me;

	while (read(ask, &what, 1) == 1) {
		me = getpid();
		if (what == 's' && write(box, "x", 1) != 1)
			break;
		if (write(ask, &me, sizeof(me)) != sizeof(me))
			break;
	}
	_exit(0);
}

static pid_t ask_sender(int ask, char what)
{
	pid_t pid = -1;

	CHECK_EQ(1, write(ask, &what, 1));
	CHECK_EQ(sizeof(pid), read(ask, &pid, sizeof(pid)));
	return pid;
}

/* As fork(), with this pid. */
static pid_t fork_with_pid(pid_t pid)
{
	struct {
		uint64_t flags, pidfd, child_tid, parent_tid, exit_signal;
		uint64_t stack, stack_size, tls, set_tid, set_tid_size, cgroup;
	} args = {
		.exit_signal = SIGCHLD, .set_tid = (uintptr_t)&pid,
		.set_tid_size = 1,
	};

	return syscall(SYS_clone3, &args, sizeof(args));
}

/*
 * Each sends behind each other one. Their pids are those that they will get as
 * fresh ones, or nearly: a new number means somebody else as an old one.
 */
SCENARIO(senders)
{
	int ask[NR_SENDERS][2], box[2], i, j, k;
	pid_t first = getpid() + 200;
	struct ucred creds;
	char buf[10];

	if (getuid())
		ckpt_skip("not root");
	NEED(!socketpair(AF_UNIX, SOCK_SEQPACKET, 0, box));
	NEED(!set_option(box[1], SO_PASSCRED, 1));
	for (i = 0; i < NR_SENDERS; i++) {
		NEED(!socketpair(AF_UNIX, SOCK_STREAM, 0, ask[i]));
		switch (fork_with_pid(first + i)) {
		case 0:
			for (k = 0; k <= i; k++)
				close(ask[k][0]);
			be_sender(ask[i][1], box[0]);
			break;
		case -1:
			ckpt_skip("pid %d: %s", first + i, strerror(errno));
		}
		close(ask[i][1]);
	}
	for (i = 0; i < NR_SENDERS; i++) {
		for (j = 0; j < NR_SENDERS; j++) {
			NEED(ask_sender(ask[i][0], 's') == first + i);
			NEED(ask_sender(ask[j][0], 's') == first + j);
		}
	}
	ckpt_value[2] = first;
	ckpt_point();
	for (i = 0; i < NR_SENDERS; i++) {
		for (j = 0; j < NR_SENDERS; j++) {
			CHECK_EQ(1, receive_creds(box[1], buf, 10, &creds));
			CHECK_EQ(ask_sender(ask[i][0], 'p'), creds.pid);
			CHECK_EQ(1, receive_creds(box[1], buf, 10, &creds));
			CHECK_EQ(ask_sender(ask[j][0], 'p'), creds.pid);
		}
	}
	for (i = 0; i < NR_SENDERS; i++)
		close(ask[i][0]);
	while (wait(NULL) > 0)
		;
}

TEST_F(checkpoint, senders_with_fresh_pids)
{
	pid_t pid, first, last;

	NOT_DRY();
	START(pid, senders, NULL);
	first = ckpt_peek_value(pid, 2);
	ASSERT_LT(0, ckpt_checkpoint(&self->t, pid, self->t.image, 0));
	ASSERT_EQ(0, ckpt_kill(&self->t, pid));
	/* The next number is for the root, and those behind for the senders. */
	do {
		last = fork();
		if (!last)
			_exit(0);
		ASSERT_EQ(last, waitpid(last, NULL, 0));
	} while (last < first - 1);
	pid = ckpt_restart(&self->t, self->t.image, RESTART_FRESH_PIDS);
	ASSERT_LT(0, pid);
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));
}

/*
 * A datagram that comes when the tree stands still and everything was found
 * already, from somebody who has no number for the caller: it is not a part of
 * the image.
 */
SCENARIO(slow_to_save)
{
	static char text[100000];
	int p[2], server;

	NEED(!socketpair(AF_UNIX, SOCK_STREAM, 0, p));
	NEED(write(p[0], text, sizeof(text)) == sizeof(text));
	server = bound_socket(SOCK_DGRAM, "@ckpt_slow_to_save");
	NEED(!set_option(server, SO_PASSCRED, 1));
	ckpt_point();
	CHECK(next_errno_is(server, EAGAIN));
	CHECK_EQ(sizeof(text), recv(p[1], text, sizeof(text), MSG_WAITALL));
}

/* Another user, who sends a datagram when told so. */
static pid_t late_stranger(int ask)
{
	pid_t pid;
	char what;

	fflush(NULL);
	pid = fork();
	if (pid)
		return pid;
	if (setresgid(OTHER_USER, OTHER_USER, OTHER_USER) ||
	    setresuid(OTHER_USER, OTHER_USER, OTHER_USER) ||
	    read(ask, &what, 1) != 1)
		_exit(1);
	_exit(send_to(socket(AF_UNIX, SOCK_DGRAM, 0), "@ckpt_slow_to_save",
		      "late") == 4 ? 0 : 2);
}

static int exit_status(pid_t pid)
{
	int status = -1;

	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

/* Checkpoint into a pipe that is not read before the stranger has sent. */
static int checkpoint_with_stranger(struct ckpt_test *t, pid_t pid, int go,
				    pid_t stranger)
{
	int pair[2], image, n = 0;
	char buf[4096];
	ssize_t got;
	pid_t saver;

	image = open(t->image, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (image < 0 || pipe2(pair, O_CLOEXEC) ||
	    fcntl(pair[1], F_SETPIPE_SZ, 4096) < 0)
		return ckpt_say("pipe: %s", strerror(errno));
	fflush(NULL);
	saver = fork();
	if (!saver)
		_exit(ckpt_checkpoint_fd(t, pid, pair[1], 0) > 0 ? 0 : 1);
	close(pair[1]);
	while (!ioctl(pair[0], FIONREAD, &n) && !n)
		usleep(1000);
	if (write(go, "x", 1) != 1 || exit_status(stranger))
		return ckpt_say("the stranger has failed");
	while ((got = read(pair[0], buf, sizeof(buf))) > 0)
		if (write(image, buf, got) != got)
			return ckpt_say("image: %s", strerror(errno));
	close(pair[0]);
	close(image);
	return exit_status(saver) ? ckpt_say("the checkpoint has failed") : 0;
}

static int late_stranger_test(struct ckpt_test *t)
{
	int go[2];
	pid_t pid, stranger;

	if (pipe2(go, O_CLOEXEC))
		return 1;
	stranger = late_stranger(go[0]);
	if (unshare(CLONE_NEWUSER)) {
		kill(stranger, SIGKILL);
		exit_status(stranger);
		return CKPT_SKIPPED;
	}
	if (ckpt_write_file("/proc/self/setgroups", "deny") ||
	    ckpt_write_file("/proc/self/uid_map", "0 0 1") ||
	    ckpt_write_file("/proc/self/gid_map", "0 0 1"))
		return 2;
	pid = ckpt_start(t, "slow_to_save", NULL);
	if (pid <= 0 || checkpoint_with_stranger(t, pid, go[1], stranger))
		return 3;
	if (ckpt_kill(t, pid))
		return 5;
	pid = ckpt_restart(t, t->image, RESTART_FRESH_PIDS);
	if (pid <= 0)
		return 6;
	return ckpt_finish(t, pid) ? 7 : 0;
}

TEST_F(checkpoint, stranger_comes_late)
{
	int ret;

	NOT_DRY();
	if (getuid())
		SKIP(return, "not root");
	ret = ckpt_as_user(&self->t, 0, late_stranger_test);
	if (ret == CKPT_SKIPPED)
		SKIP(return, "no user namespaces");
	EXPECT_EQ(0, ret);
}

/* --- names ---------------------------------------------------------------- */

ROUNDTRIP(named_dgrams)
{
	int server = bound_socket(SOCK_DGRAM, "server"), to;
	int named = bound_socket(SOCK_DGRAM, "named");
	int unnamed = unix_socket(SOCK_DGRAM);
	int dead = bound_socket(SOCK_DGRAM, "dead");
	int nobody = unix_socket(SOCK_DGRAM);
	int one_way = unix_socket(SOCK_DGRAM);

	NEED(send_to(named, "server", "from named") == 10);
	NEED(send_to(unnamed, "server", "from unnamed") == 12);
	NEED(send_to(dead, "server", "from dead") == 9);
	NEED(send_to(nobody, "server", "") == 0);
	NEED(send_to(server, "server", "from itself") == 11);
	close(dead);
	close(nobody);
	NEED(!connect_to(one_way, "server"));
	ckpt_point();
	CHECK(next_is(server, "from named", "named"));
	CHECK(next_is(server, "from unnamed", ""));
	CHECK(next_is(server, "from dead", "dead"));
	CHECK(next_is(server, "", ""));
	CHECK(next_is(server, "from itself", "server"));
	CHECK(next_errno_is(server, EAGAIN));
	CHECK(own_name_is(server, "server") && own_name_is(named, "named"));
	/* The answer finds its way. */
	CHECK_EQ(6, send_to(server, "named", "answer"));
	CHECK(next_is(named, "answer", "server"));
	CHECK_EQ(-1, send_to(server, "dead", "x"));
	CHECK_EQ(ECONNREFUSED, errno);
	/* Connected in one direction. */
	CHECK(peer_name_is(one_way, "server"));
	CHECK_EQ(4, write(one_way, "more", 4));
	CHECK(next_is(server, "more", ""));
	CHECK_EQ(-1, write(server, "x", 1));
	CHECK_EQ(ENOTCONN, errno);
	to = unix_socket(SOCK_DGRAM);
	CHECK_EQ(3, send_to(to, "server", "new"));
	CHECK(next_is(server, "new", ""));
}

/* Nobody may send to it but its peer; what came before it was connected stays. */
ROUNDTRIP(connected_later)
{
	int a = bound_socket(SOCK_DGRAM, "@a"), b = bound_socket(SOCK_DGRAM, "@b");
	int c = bound_socket(SOCK_DGRAM, "@c");

	NEED(send_to(c, "@a", "early") == 5);
	NEED(!connect_to(a, "@b") && !connect_to(b, "@a"));
	NEED(write(b, "late", 4) == 4);
	ckpt_point();
	CHECK_EQ(-1, send_to(c, "@a", "x"));
	CHECK_EQ(EPERM, errno);
	CHECK(next_is(a, "early", "@c"));
	CHECK(next_is(a, "late", "@b"));
	CHECK_EQ(1, write(a, "x", 1));
	CHECK(next_is(b, "x", "@a"));
}

ROUNDTRIP(sends_to_itself)
{
	int self = bound_socket(SOCK_DGRAM, "self");

	NEED(!connect_to(self, "self"));
	NEED(write(self, "one", 3) == 3);
	ckpt_point();
	CHECK_EQ(3, write(self, "two", 3));
	CHECK(next_is(self, "one", "self"));
	CHECK(next_is(self, "two", "self"));
}

/* A queue as long as a stranger may make it. */
ROUNDTRIP(full_queue)
{
	int server = bound_socket(SOCK_DGRAM, "server");
	int from = unix_socket(SOCK_DGRAM), nr = 0;

	NEED(!connect_to(from, "server"));
	while (send(from, "x", 1, MSG_DONTWAIT) == 1)
		nr++;
	NEED(errno == EAGAIN);
	ckpt_point();
	CHECK_EQ(0, events(from));
	CHECK_EQ(-1, send(from, "x", 1, MSG_DONTWAIT));
	CHECK_EQ(EAGAIN, errno);
	while (nr--)
		CHECK(next_is(server, "x", ""));
	CHECK_EQ(POLLOUT, events(from));
}

static void accepted(int type)
{
	int l = listener(type, "listener"), c = unix_socket(type), a;

	NEED(!bind_to(c, "client") && !connect_to(c, "listener"));
	NEED((a = accept(l, NULL, NULL)) >= 0);
	NEED(write(c, "hello", 5) == 5 && write(a, "welcome", 7) == 7);
	ckpt_point();
	CHECK(own_name_is(l, "listener") && own_name_is(a, "listener"));
	CHECK(own_name_is(c, "client") && peer_name_is(a, "client"));
	CHECK(peer_name_is(c, "listener"));
	CHECK_EQ(1, option(l, SO_ACCEPTCONN));
	CHECK(next_is(a, "hello", NULL) && next_is(c, "welcome", NULL));
	CHECK_EQ(1, write(c, "x", 1));
	CHECK(next_is(a, "x", NULL));
	/* It goes on listening. */
	c = client(type, "listener");
	CHECK((a = accept(l, NULL, NULL)) >= 0);
	CHECK_EQ(1, write(c, "y", 1));
	CHECK(next_is(a, "y", NULL));
}

ROUNDTRIP(accepted_stream)
{
	accepted(SOCK_STREAM);
}

ROUNDTRIP(accepted_seqpacket)
{
	accepted(SOCK_SEQPACKET);
}

/* The one that listened is gone, and its file, too. */
ROUNDTRIP(listener_gone)
{
	int l = listener(SOCK_STREAM, "gone"), c = client(SOCK_STREAM, "gone"), a;

	NEED((a = accept(l, NULL, NULL)) >= 0);
	close(l);
	unlink("gone");
	NEED(write(c, "hello", 5) == 5);
	ckpt_point();
	CHECK(own_name_is(a, "gone") && peer_name_is(c, "gone"));
	CHECK(next_is(a, "hello", NULL));
	CHECK_EQ(-1, access("gone", F_OK));
}

static void not_accepted(int type)
{
	int l = listener(type, "listener"), c[4], a, i;
	char text[10];

	NEED(!set_option(l, SO_PASSCRED, 1));
	for (i = 0; i < 4; i++) {
		c[i] = unix_socket(type);
		if (i == 2)
			NEED(!bind_to(c[i], "client"));
		NEED(!connect_to(c[i], "listener"));
		snprintf(text, sizeof(text), "hello %d", i);
		NEED(i == 1 || write(c[i], text, 7) == 7);
	}
	/* One has gone away again. */
	close(c[3]);
	ckpt_point();
	CHECK_EQ(POLLIN, events(l));
	CHECK(peer_name_is(c[0], "listener"));
	CHECK_EQ(1, write(c[0], "x", 1));
	for (i = 0; i < 4; i++) {
		NEED((a = accept4(l, NULL, NULL, SOCK_NONBLOCK)) >= 0);
		CHECK(own_name_is(a, "listener"));
		CHECK(peer_name_is(a, i == 2 ? "client" : ""));
		CHECK_EQ(1, option(a, SO_PASSCRED));
		CHECK_EQ(getpid(), peer_cred(a).pid);
		snprintf(text, sizeof(text), "hello %d", i);
		if (i == 0 && type == SOCK_STREAM) {
			check_creds(a, "hello 0x", getpid(), getuid(), getgid());
		} else if (i == 0) {
			check_creds(a, "hello 0", getpid(), getuid(), getgid());
			CHECK(next_is(a, "x", NULL));
		} else if (i != 1) {
			CHECK(next_is(a, text, NULL));
		}
		if (i == 3) {
			CHECK_EQ(0, read(a, text, 1));
			continue;
		}
		CHECK(next_errno_is(a, EAGAIN));
		CHECK_EQ(1, write(a, "y", 1));
		CHECK(next_is(c[i], "y", NULL));
	}
	CHECK_EQ(0, events(l));
	/* The backlog is as long as it was. */
	CHECK(!fcntl(l, F_SETFL, O_NONBLOCK));
	for (i = 0; i < 6; i++)
		CHECK(!connect_to(unix_socket(type), "listener"));
	a = unix_socket(type);
	CHECK(!fcntl(a, F_SETFL, O_NONBLOCK));
	CHECK_EQ(-1, connect_to(a, "listener"));
	CHECK_EQ(EAGAIN, errno);
}

ROUNDTRIP(not_accepted_stream)
{
	not_accepted(SOCK_STREAM);
}

ROUNDTRIP(not_accepted_seqpacket)
{
	not_accepted(SOCK_SEQPACKET);
}

/* A client that connects to a listener that refuses from now on. */
ROUNDTRIP(listener_shut_down)
{
	int l = listener(SOCK_STREAM, "listener");
	int c = client(SOCK_STREAM, "listener"), a;

	NEED(!shutdown(l, SHUT_RD));
	ckpt_point();
	CHECK_EQ(-1, connect_to(unix_socket(SOCK_STREAM), "listener"));
	CHECK_EQ(ECONNREFUSED, errno);
	CHECK((a = accept(l, NULL, NULL)) >= 0);
	CHECK_EQ(1, write(c, "x", 1));
	CHECK(next_is(a, "x", NULL));
}

/* Names are what bind() was told, files are where they are. */
ROUNDTRIP(names)
{
	char path[108], dir[60], longest[109];
	int rel, sub, full, moved_cwd, gone, abstract, autobound, again, lng;
	struct sockaddr_un addr = { .sun_family = AF_UNIX }, seen;
	socklen_t len = sizeof(seen);
	struct stat st;

	NEED(getcwd(dir, sizeof(dir)));
	snprintf(path, sizeof(path), "%s/full", dir);
	rel = listener(SOCK_STREAM, "./rel");
	NEED(!mkdir("sub", 0700));
	sub = listener(SOCK_STREAM, "sub/s");
	full = listener(SOCK_STREAM, path);
	NEED(!chmod("full", 0620));
	if (!getuid())
		NEED(!chown("full", OTHER_USER, 4321));
	NEED(!chdir("sub"));
	moved_cwd = listener(SOCK_STREAM, "in_sub");
	NEED(!chdir(".."));
	gone = listener(SOCK_STREAM, "gone");
	NEED(!unlink("gone"));
	again = listener(SOCK_STREAM, "gone");
	abstract = listener(SOCK_STREAM, "@abstract name");
	autobound = unix_socket(SOCK_DGRAM);
	NEED(!bind(autobound, (struct sockaddr *)&addr, sizeof(sa_family_t)));
	NEED(!getsockname(autobound, (struct sockaddr *)&addr, &len));
	/* As long as possible, without a NUL. */
	memset(longest, 'l', 108);
	longest[108] = '\0';
	lng = unix_socket(SOCK_DGRAM);
	memset(seen.sun_path, 'l', sizeof(seen.sun_path));
	seen.sun_family = AF_UNIX;
	NEED(!bind(lng, (struct sockaddr *)&seen, sizeof(seen)));
	ckpt_point();
	CHECK(own_name_is(rel, "./rel") && own_name_is(sub, "sub/s"));
	CHECK(own_name_is(full, path) && own_name_is(moved_cwd, "in_sub"));
	CHECK(own_name_is(gone, "gone") && own_name_is(again, "gone"));
	CHECK(own_name_is(abstract, "@abstract name"));
	CHECK(!getsockname(autobound, (struct sockaddr *)&seen, &len));
	CHECK_EQ(sizeof(sa_family_t) + 6, len);
	CHECK(!memcmp(&addr, &seen, len));
	CHECK(!connect_to(unix_socket(SOCK_STREAM), "rel"));
	CHECK(!connect_to(unix_socket(SOCK_STREAM), "sub/s"));
	CHECK(!connect_to(unix_socket(SOCK_STREAM), "full"));
	CHECK(!connect_to(unix_socket(SOCK_STREAM), "sub/in_sub"));
	CHECK(!connect_to(unix_socket(SOCK_STREAM), "@abstract name"));
	/* The second one has that name. */
	CHECK(!connect_to(unix_socket(SOCK_STREAM), "gone"));
	CHECK(accept4(again, NULL, NULL, 0) >= 0);
	CHECK(!fcntl(gone, F_SETFL, O_NONBLOCK));
	CHECK_EQ(-1, accept(gone, NULL, NULL));
	CHECK_EQ(EAGAIN, errno);
	CHECK(!stat("full", &st));
	CHECK_EQ(S_IFSOCK | 0620, st.st_mode);
	CHECK_EQ(getuid() ? getuid() : OTHER_USER, st.st_uid);
	CHECK_EQ(getuid() ? getgid() : 4321, st.st_gid);
	CHECK(!stat("rel", &st));
	CHECK_EQ(S_IFSOCK | 0755, st.st_mode);
	CHECK(!stat(longest, &st));
	CHECK(S_ISSOCK(st.st_mode));
	/* Names that nobody has are free. */
	CHECK_EQ(-1, bind_to(unix_socket(SOCK_STREAM), "@abstract name"));
	CHECK_EQ(EADDRINUSE, errno);
	close(abstract);
	CHECK(!bind_to(unix_socket(SOCK_STREAM), "@abstract name"));
}

/* NULs are as good as any other byte in an abstract name. */
ROUNDTRIP(name_with_nuls)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX }, seen;
	int fd = unix_socket(SOCK_STREAM);
	socklen_t len = sizeof(addr), size = sizeof(seen);

	/* All of sun_path. */
	memcpy(addr.sun_path, "\0ckpt\0nuls\0\0", 12);
	NEED(!bind(fd, (struct sockaddr *)&addr, len) && !listen(fd, 1));
	ckpt_point();
	CHECK(!getsockname(fd, (struct sockaddr *)&seen, &size));
	CHECK_EQ(len, size);
	CHECK(!memcmp(&addr, &seen, len));
	CHECK(!connect(unix_socket(SOCK_STREAM), (struct sockaddr *)&addr, len));
	CHECK_EQ(-1, connect(unix_socket(SOCK_STREAM), (struct sockaddr *)&addr,
			     len - 1));
}

ROUNDTRIP(name_in_chroot)
{
	int l;

	if (getuid())
		ckpt_skip("not root");
	NEED(!mkdir("jail", 0755) && !mkdir("jail/run", 0755));
	NEED(!chroot("jail") && !chdir("/"));
	l = listener(SOCK_STREAM, "/run/s");
	ckpt_point();
	CHECK(own_name_is(l, "/run/s"));
	CHECK(!connect_to(unix_socket(SOCK_STREAM), "/run/s"));
	CHECK(!connect_to(unix_socket(SOCK_STREAM), "run/s"));
}

/* By a path with a symbolic link in it. */
ROUNDTRIP(name_by_symlink)
{
	char path[108], dir[60];
	int l;

	NEED(getcwd(dir, sizeof(dir)));
	NEED(!mkdir("real", 0755) && !symlink("real", "link"));
	snprintf(path, sizeof(path), "%s/link/s", dir);
	l = listener(SOCK_STREAM, path);
	ckpt_point();
	CHECK(own_name_is(l, path));
	CHECK(!connect_to(unix_socket(SOCK_STREAM), "real/s"));
}

REFUSED(renamed, EOPNOTSUPP, "file_socket", "does not lead to its file")
{
	ckpt_value[0] = listener(SOCK_STREAM, "old");
	NEED(!rename("old", "new"));
	ckpt_point();
	CHECK(!connect_to(unix_socket(SOCK_STREAM), "new"));
}

REFUSED(linked, EOPNOTSUPP, "file_socket", "has others")
{
	ckpt_value[0] = listener(SOCK_STREAM, "old");
	NEED(!link("old", "new") && !unlink("old"));
	ckpt_point();
	CHECK(!connect_to(unix_socket(SOCK_STREAM), "new"));
}

REFUSED(linked_too, EOPNOTSUPP, "file_socket", "another name")
{
	ckpt_value[0] = listener(SOCK_STREAM, "one");
	NEED(!link("one", "two"));
	ckpt_point();
	CHECK(!connect_to(unix_socket(SOCK_STREAM), "one"));
	CHECK(!connect_to(unix_socket(SOCK_STREAM), "two"));
}

/* Its mode shows the mask in place of what the group may. */
REFUSED(access_list, EOPNOTSUPP, "file_socket", "access control list")
{
	static const struct {
		uint32_t version;
		struct {
			uint16_t tag, perm;
			uint32_t id;
		} entry[5];
	} acl = {
		2, { { 1, 6, ~0U }, { 2, 6, OTHER_USER }, { 4, 0, ~0U },
		     { 0x10, 6, ~0U }, { 0x20, 0, ~0U } }
	};

	ckpt_value[0] = listener(SOCK_STREAM, "listed");
	if (setxattr("listed", "system.posix_acl_access", &acl, sizeof(acl),
		     0)) {
		NEED(errno == EOPNOTSUPP);
		ckpt_skip("no access control lists here");
	}
	ckpt_point();
}

/* --- files in messages ---------------------------------------------------- */

/* A pipe, a file with its position, one twice, one that is open here, too. */
static void files_in_flight(int type)
{
	int p[2], q[2], fd, fds[4], got[4], i;
	char buf[100] = "";

	NEED(!socketpair(AF_UNIX, type, 0, p) && !pipe(q));
	NEED((fd = open("file", O_RDWR | O_CREAT, 0600)) >= 0);
	NEED(write(fd, "0123456789", 10) == 10 && lseek(fd, 3, SEEK_SET) == 3);
	fds[0] = q[1];
	fds[1] = fd;
	fds[2] = fd;
	fds[3] = 1;
	NEED(write(p[0], "before", 6) == 6);
	NEED(!send_fds(p[0], "files", fds, 4));
	NEED(write(p[0], "after", 5) == 5);
	close(q[1]);
	close(fd);
	ckpt_point();
	/* A stream's read stops behind the files, but not in front of them. */
	if (type != SOCK_STREAM) {
		CHECK(next_is(p[1], "before", NULL));
		NEED(receive_fds(p[1], buf, sizeof(buf), got) == 4);
		CHECK(!strcmp(buf, "files"));
	} else {
		NEED(receive_fds(p[1], buf, sizeof(buf), got) == 4);
		CHECK(!strcmp(buf, "beforefiles"));
	}
	CHECK(next_is(p[1], "after", NULL));
	CHECK_EQ(1, write(got[0], "x", 1));
	CHECK(read(q[0], buf, 1) == 1 && buf[0] == 'x');
	CHECK(read(got[1], buf, 1) == 1 && buf[0] == '3');
	CHECK(read(got[2], buf, 1) == 1 && buf[0] == '4');
	CHECK_EQ(lseek(1, 0, SEEK_CUR), lseek(got[3], 0, SEEK_CUR));
	/* No other writer was left. */
	close(got[0]);
	CHECK_EQ(0, read(q[0], buf, 1));
	for (i = 1; i < 4; i++)
		close(got[i]);
}

ROUNDTRIP(files_in_stream)
{
	files_in_flight(SOCK_STREAM);
}

ROUNDTRIP(files_in_dgram)
{
	files_in_flight(SOCK_DGRAM);
}

ROUNDTRIP(many_files)
{
	int p[2], fds[253], i;
	char buf[10];

	NEED(!socketpair(AF_UNIX, SOCK_STREAM, 0, p));
	for (i = 0; i < 253; i++)
		NEED((fds[i] = open("/dev/null", i % 2 ? O_RDONLY : O_WRONLY)) >= 0);
	NEED(!send_fds(p[0], "x", fds, 253));
	for (i = 0; i < 253; i++)
		close(fds[i]);
	ckpt_point();
	CHECK_EQ(253, receive_fds(p[1], buf, 10, fds));
	for (i = 0; i < 253; i++)
		CHECK_EQ(i % 2 ? O_RDONLY : O_WRONLY,
			 fcntl(fds[i], F_GETFL) & O_ACCMODE);
}

/* A socket in its own queue, and a ring of two. */
ROUNDTRIP(sockets_in_circles)
{
	int p[2], q[2], fd;

	NEED(!socketpair(AF_UNIX, SOCK_STREAM, 0, p));
	NEED(!socketpair(AF_UNIX, SOCK_DGRAM, 0, q));
	NEED(!send_fds(p[0], "itself", &p[1], 1));
	NEED(!send_fds(p[0], "other", &q[1], 1));
	NEED(!send_fds(q[0], "one", &p[1], 1));
	close(q[1]);
	ckpt_point();
	fd = receive_fd(p[1], "itself");
	close(p[1]);
	p[1] = fd;
	q[1] = receive_fd(p[1], "other");
	fd = receive_fd(q[1], "one");
	CHECK_EQ(4, write(p[0], "last", 4));
	CHECK(next_is(fd, "last", NULL));
	CHECK_EQ(4, write(q[0], "last", 4));
	CHECK(next_is(q[1], "last", NULL));
}

/* Each in the queue of the one before: more than any recursion could bear. */
ROUNDTRIP(deeply_nested)
{
	int p[2], next[2], first, i, fd;

	NEED(!socketpair(AF_UNIX, SOCK_STREAM, 0, p));
	first = p[1];
	for (i = 0; i < 300; i++) {
		NEED(!socketpair(AF_UNIX, SOCK_STREAM, 0, next));
		NEED(!send_fds(p[0], "next", &next[1], 1));
		close(next[1]);
		close(p[0]);
		p[0] = next[0];
	}
	NEED(write(p[0], "end", 3) == 3);
	ckpt_point();
	for (i = 0; i < 300; i++) {
		fd = receive_fd(first, "next");
		close(first);
		first = fd;
	}
	CHECK(next_is(first, "end", NULL));
}

/* In the queue of a connection that is not accepted. */
ROUNDTRIP(files_not_accepted)
{
	int l = listener(SOCK_STREAM, "@files_not_accepted");
	int c = client(SOCK_STREAM, "@files_not_accepted"), p[2], fd, a;

	NEED(!socketpair(AF_UNIX, SOCK_SEQPACKET, 0, p));
	NEED(!send_fds(c, "pair", &p[1], 1));
	NEED(!send_fds(c, "listener", &l, 1));
	NEED(!send_fds(p[0], "listener", &l, 1));
	close(p[1]);
	ckpt_point();
	NEED((a = accept(l, NULL, NULL)) >= 0);
	p[1] = receive_fd(a, "pair");
	fd = receive_fd(a, "listener");
	CHECK_EQ(1, option(fd, SO_ACCEPTCONN));
	close(fd);
	close(l);
	l = receive_fd(p[1], "listener");
	CHECK(!connect_to(unix_socket(SOCK_STREAM), "@files_not_accepted"));
	close(l);
	CHECK_EQ(-1, connect_to(unix_socket(SOCK_STREAM), "@files_not_accepted"));
}

ROUNDTRIP(listener_in_flight)
{
	int l = listener(SOCK_STREAM, "@listener_in_flight");
	int c = client(SOCK_STREAM, "@listener_in_flight"), p[2], fd, a;

	NEED(!socketpair(AF_UNIX, SOCK_SEQPACKET, 0, p));
	NEED(!send_fds(p[0], "listener", &l, 1));
	NEED(!send_fds(c, "pair", &p[0], 1));
	close(l);
	close(p[0]);
	ckpt_point();
	l = receive_fd(p[1], "listener");
	NEED((a = accept(l, NULL, NULL)) >= 0);
	fd = receive_fd(a, "pair");
	CHECK_EQ(1, write(fd, "x", 1));
	CHECK(next_is(p[1], "x", NULL));
}

/* --- several processes --------------------------------------------------------- */

/* Does what it is asked for until there is nobody who asks. */
static void serve(int ask, int data, int l)
{
	struct ucred creds;
	char what, buf[100];
	int a = -1, fd;

	while (read(ask, &what, 1) == 1) {
		switch (what) {
		case 'd':	/* data that waited */
			CHECK(next_is(data, "waiting", NULL));
			break;
		case 'f':	/* a file that waited */
			fd = receive_fd(data, "file");
			CHECK_EQ(5, write(fd, "child", 5));
			close(fd);
			break;
		case 'a':	/* a connection that waited */
			a = accept(l, NULL, NULL);
			CHECK(a >= 0 && next_is(a, "hello", NULL));
			CHECK_EQ(getppid(), peer_cred(a).pid);
			CHECK_EQ(7, write(a, "welcome", 7));
			break;
		case 'c':	/* who has sent it */
			CHECK(receive_creds(data, buf, sizeof(buf), &creds) == 3);
			CHECK_EQ(getppid(), creds.pid);
			break;
		default:
			CHECK(false);
		}
		CHECK_EQ(1, write(ask, &what, 1));
	}
	close(a);
}

static void asks(int ask, char what)
{
	char seen = 0;

	CHECK_EQ(1, write(ask, &what, 1));
	CHECK_EQ(1, read(ask, &seen, 1));
	CHECK_EQ(what, seen);
}

static void with_a_child(void)
{
	int ask[2], data[2], l, c, fd, status = -1;
	char buf[10] = "", ready;
	pid_t pid;

	NEED(!socketpair(AF_UNIX, SOCK_STREAM, 0, ask));
	NEED(!socketpair(AF_UNIX, SOCK_SEQPACKET, 0, data));
	NEED((fd = open("file", O_RDWR | O_CREAT | O_TRUNC, 0600)) >= 0);
	pid = fork();
	if (!pid) {
		close(ask[0]);
		close(data[0]);
		close(fd);
		NEED(!set_option(data[1], SO_PASSCRED, 1));
		l = listener(SOCK_STREAM, "child");
		NEED(write(ask[1], "r", 1) == 1);
		serve(ask[1], data[1], l);
		/* What has failed was reported. */
		_exit(access("report", F_OK) ? 0 : 1);
	}
	close(ask[1]);
	close(data[1]);
	NEED(pid > 0 && read(ask[0], &ready, 1) == 1);
	c = client(SOCK_STREAM, "child");
	NEED(write(c, "hello", 5) == 5 && write(data[0], "waiting", 7) == 7);
	NEED(!send_fds(data[0], "file", &fd, 1));
	NEED(write(data[0], "who", 3) == 3);
	ckpt_point();
	asks(ask[0], 'd');
	asks(ask[0], 'f');
	CHECK_EQ(5, lseek(fd, 0, SEEK_CUR));
	asks(ask[0], 'c');
	asks(ask[0], 'a');
	CHECK(next_is(c, "welcome", NULL));
	/* Both ends of this one were made by us. */
	CHECK_EQ(getpid(), peer_cred(ask[0]).pid);
	pid = peer_cred(c).pid;
	close(ask[0]);
	CHECK_EQ(pid, waitpid(-1, &status, 0));
	CHECK_EQ(0, status);
	CHECK_EQ(0, read(c, buf, 1));
}

ROUNDTRIP(tree)
{
	with_a_child();
}

ROUNDTRIP_OPT(tree_fresh, CKPT_RT_FRESH)
{
	with_a_child();
}

/* --- watched by epoll --------------------------------------------------------- */

static int watch(int ep, int fd, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.fd = fd };

	return epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event);
}

static uint32_t ready(int ep, int fd)
{
	struct epoll_event event[8];
	int i, nr = epoll_wait(ep, event, 8, 0);

	for (i = 0; i < nr; i++)
		if (event[i].data.fd == fd)
			return event[i].events;
	return 0;
}

ROUNDTRIP(epoll)
{
	int p[2], q[2], r[2], l, c, ep, ep_l, ep_r;
	char buf[10];

	NEED((ep = epoll_create1(0)) >= 0 && (ep_l = epoll_create1(0)) >= 0 &&
	     (ep_r = epoll_create1(0)) >= 0);
	NEED(!socketpair(AF_UNIX, SOCK_STREAM, 0, p));
	NEED(!socketpair(AF_UNIX, SOCK_STREAM, 0, q));
	NEED(!socketpair(AF_UNIX, SOCK_STREAM, 0, r));
	l = listener(SOCK_STREAM, "listener");
	/* An edge that was seen, data that was not, the end that was not. */
	NEED(!watch(ep, p[0], EPOLLIN | EPOLLET));
	NEED(write(p[1], "old", 3) == 3 && ready(ep, p[0]));
	NEED(!ready(ep, p[0]));
	NEED(!watch(ep_l, q[0], EPOLLIN) && !watch(ep_l, l, EPOLLIN));
	NEED(!watch(ep_r, r[0], EPOLLIN | EPOLLRDHUP));
	NEED(write(q[1], "new", 3) == 3 && !shutdown(r[1], SHUT_WR));
	c = client(SOCK_STREAM, "listener");
	ckpt_point();
	CHECK_EQ(0, ready(ep, p[0]));
	CHECK_EQ(1, write(p[1], "x", 1));
	CHECK_EQ(EPOLLIN, ready(ep, p[0]));
	CHECK_EQ(EPOLLIN, ready(ep_l, q[0]));
	CHECK_EQ(EPOLLIN, ready(ep_l, l));
	CHECK_EQ(EPOLLIN | EPOLLRDHUP, ready(ep_r, r[0]));
	CHECK_EQ(3, read(q[0], buf, 10));
	CHECK_EQ(0, ready(ep_l, q[0]));
	CHECK_EQ(1, write(q[1], "y", 1));
	CHECK_EQ(EPOLLIN, ready(ep_l, q[0]));
	CHECK(accept(l, NULL, NULL) >= 0);
	CHECK_EQ(0, ready(ep_l, l));
	c = client(SOCK_STREAM, "listener");
	CHECK_EQ(EPOLLIN, ready(ep_l, l));
	(void)c;
}

/* --- filters -------------------------------------------------------------- */

/* Lets through what begins with 'y', but only the first three bytes. */
static const struct sock_filter only_y[] = {
	BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 'y', 0, 1),
	BPF_STMT(BPF_RET | BPF_K, 3),
	BPF_STMT(BPF_RET | BPF_K, 0),
};

static void attach(int fd, const struct sock_filter *code, int nr)
{
	struct sock_fprog prog = { nr, (struct sock_filter *)code };

	NEED(!setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog,
			 sizeof(prog)));
}

static void check_filter(int fd, const struct sock_filter *code, int nr)
{
	struct sock_filter got[100];
	socklen_t len = ARRAY_SIZE(got);

	CHECK_EQ(0, getsockopt(fd, SOL_SOCKET, SO_GET_FILTER, got, &len));
	CHECK_EQ(nr, len);
	CHECK(!memcmp(got, code, nr * sizeof(*code)));
}

static void check_works(int from, int to)
{
	char buf[16] = "";

	CHECK_EQ(4, send(from, "noes", 4, 0));
	CHECK_EQ(4, send(from, "yeah", 4, 0));
	CHECK_EQ(3, recv(to, buf, sizeof(buf), MSG_DONTWAIT));
	CHECK(!memcmp(buf, "yea", 3));
	CHECK_EQ(-1, recv(to, buf, sizeof(buf), MSG_DONTWAIT));
}

ROUNDTRIP(filter)
{
	int p[2], yes = 1;
	char buf[4];

	NEED(!socketpair(AF_UNIX, SOCK_DGRAM, 0, p));
	attach(p[1], only_y, ARRAY_SIZE(only_y));
	ckpt_point();
	check_filter(p[1], only_y, ARRAY_SIZE(only_y));
	check_works(p[0], p[1]);
	CHECK_EQ(0, setsockopt(p[1], SOL_SOCKET, SO_DETACH_FILTER, &yes, sizeof(yes)));
	CHECK_EQ(4, send(p[0], "noes", 4, 0));
	CHECK_EQ(4, recv(p[1], buf, 4, MSG_DONTWAIT));
}

/* What came before the filter is not filtered by a restart. */
ROUNDTRIP(filter_behind_messages)
{
	int p[2], yes = 1;
	char buf[16];

	NEED(!socketpair(AF_UNIX, SOCK_SEQPACKET, 0, p));
	NEED(send(p[0], "not so", 6, 0) == 6);
	attach(p[1], only_y, ARRAY_SIZE(only_y));
	NEED(!setsockopt(p[1], SOL_SOCKET, SO_LOCK_FILTER, &yes, sizeof(yes)));
	ckpt_point();
	CHECK_EQ(6, recv(p[1], buf, sizeof(buf), 0));
	CHECK(!memcmp(buf, "not so", 6));
	check_filter(p[1], only_y, ARRAY_SIZE(only_y));
	check_works(p[0], p[1]);
	CHECK_EQ(-1, setsockopt(p[1], SOL_SOCKET, SO_DETACH_FILTER, &yes, sizeof(yes)));
	CHECK_EQ(EPERM, errno);
}

/* On both sides, of a child too, one of them of many instructions. */
ROUNDTRIP(filters)
{
	struct sock_filter code[99];
	int p[2], status;
	unsigned int i;
	char buf[4];
	pid_t pid;

	for (i = 0; i < ARRAY_SIZE(code) - 1; i++)
		code[i] = (struct sock_filter)
			BPF_STMT(BPF_LD | BPF_IMM, 0x12345678 + i);
	code[i] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0xffffffff);
	NEED(!socketpair(AF_UNIX, SOCK_DGRAM, 0, p));
	attach(p[0], code, ARRAY_SIZE(code));
	attach(p[1], only_y, ARRAY_SIZE(only_y));
	pid = fork();
	NEED(pid >= 0);
	if (!pid) {
		while (send(p[0], "y", 1, MSG_DONTWAIT) != 1)
			sched_yield();
		pause();
	}
	NEED(recv(p[1], buf, 4, 0) == 1);
	ckpt_point();
	check_filter(p[0], code, ARRAY_SIZE(code));
	check_filter(p[1], only_y, ARRAY_SIZE(only_y));
	check_works(p[0], p[1]);
	CHECK_EQ(2, send(p[1], "no", 2, 0));
	CHECK_EQ(2, recv(p[0], buf, 4, 0));
	NEED(!kill(pid, SIGKILL));
	CHECK_EQ(pid, waitpid(pid, &status, 0));
}

SCENARIO(has_filter)
{
	int p[2];

	NEED(!socketpair(AF_UNIX, SOCK_DGRAM, 0, p));
	attach(p[1], only_y, ARRAY_SIZE(only_y));
	ckpt_point();
}

/* No instruction gets in that SO_ATTACH_FILTER would not take. */
TEST_F(checkpoint, hostile_filter)
{
	struct ckpt_sock_filter *filter;
	struct ckpt_rec_hdr *hdr;
	int tries = 0;
	char *image;
	size_t len;

	NOT_DRY();
	image = ckpt_save_scenario(&self->t, "has_filter", &len);
	ASSERT_NE(NULL, image);
	hdr = ckpt_find_record(image, len, CKPT_REC_SOCK_FILTER, 0);
	ASSERT_NE(NULL, hdr);
	filter = (void *)(hdr + 1);
	EXPECT_EQ(ARRAY_SIZE(only_y), filter->nr_insns);
	/* A jump out of it, and no end. */
	filter->insns[1].jt = 200;
	ckpt_mend_record(hdr);
	EXPECT_EQ(-EINVAL, ckpt_restart_raw(&self->t, image, len));
	EXPECT_TRUE(ckpt_reason(&self->t, EINVAL, "sock_filter", -1, 0,
				"is not sound"));
	filter->insns[1].jt = 0;
	filter->insns[3].code = BPF_LD | BPF_IMM;
	ckpt_mend_record(hdr);
	EXPECT_EQ(-EINVAL, ckpt_restart_raw(&self->t, image, len));
	filter->insns[3].code = BPF_RET | BPF_K;
	ckpt_mend_record(hdr);
	EXPECT_LT(0, ckpt_restart_raw(&self->t, image, len));
	EXPECT_LE(0, ckpt_alter_records(&self->t, image, len,
					CKPT_REC_SOCK_FILTER, &tries));
	EXPECT_LT(0, tries);
	free(image);
}

/* --- refusals ------------------------------------------------------------- */

REFUSED(ebpf_filter, EOPNOTSUPP, "file_socket", "eBPF")
{
	static const struct bpf_insn code[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = 1000 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_SOCKET_FILTER,
		.insns = (uintptr_t)code,
		.insn_cnt = ARRAY_SIZE(code),
		.license = (uintptr_t)"GPL",
	};
	int p[2], prog;

	NEED(!socketpair(AF_UNIX, SOCK_DGRAM, 0, p));
	prog = syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
	if (prog < 0)
		ckpt_skip("no eBPF");
	ckpt_value[0] = p[1];
	NEED(!setsockopt(p[1], SOL_SOCKET, SO_ATTACH_BPF, &prog, sizeof(prog)));
	close(prog);
	ckpt_point();
	CHECK_EQ(1, write(p[0], "x", 1));
}

REFUSED(unsupported_in_flight, EOPNOTSUPP, "file_socket", "netlink")
{
	int p[2], fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_GENERIC);

	NEED(!socketpair(AF_UNIX, SOCK_STREAM, 0, p));
	ckpt_value[0] = p[1];
	NEED(!send_fds(p[0], "x", &fd, 1));
	close(fd);
	ckpt_point();
}

/* --- with somebody outside ------------------------------------------------ */

/* Connects to the tester, who may accept it or not. */
SCENARIO(has_connection)
{
	NEED(client(SOCK_STREAM, ckpt_arg) == 3);
	ckpt_point();
	write(3, "x", 1);
}

static int not_the_trees(struct ckpt_test *t, pid_t pid, int fd,
			 const char *text)
{
	long ret = ckpt_checkpoint(t, pid, t->image, 0);

	if (ret != -EBUSY ||
	    !ckpt_reason(t, EBUSY, "file_socket", fd, 0, text))
		return ckpt_say("gave %ld and not -EBUSY", ret);
	if (ckpt_file_size(t->image))
		return ckpt_say("something was written");
	return 0;
}

TEST_F(checkpoint, connected_outside)
{
	char name[] = "@ckpt_connected_outside";
	struct sockaddr_un addr;
	socklen_t len = make_name(&addr, name);
	int l, a;
	pid_t pid;

	NOT_DRY();
	l = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ASSERT_EQ(0, bind(l, (struct sockaddr *)&addr, len));
	ASSERT_EQ(0, listen(l, 5));
	START(pid, has_connection, name);
	EXPECT_EQ(0, not_the_trees(&self->t, pid, 3, "accepted by a process outside"));
	a = accept4(l, NULL, NULL, SOCK_CLOEXEC);
	ASSERT_LE(0, a);
	EXPECT_EQ(0, not_the_trees(&self->t, pid, 3, "other side"));
	/* That was all. */
	close(a);
	EXPECT_LT(0, ckpt_checkpoint(&self->t, pid, self->t.image, 0));
	close(l);
	ckpt_kill(&self->t, pid);
}

/* Sends a descriptor of its pair to the tester. */
SCENARIO(sends_away)
{
	int p[2], out;

	NEED(!socketpair(AF_UNIX, SOCK_STREAM, 0, p));
	NEED(p[0] == 3 && p[1] == 4);
	out = client(SOCK_STREAM, ckpt_arg);
	NEED(!send_fds(out, "x", &p[1], 1));
	close(p[1]);
	close(out);
	ckpt_point();
}

TEST_F(checkpoint, sent_outside)
{
	char name[] = "@ckpt_sent_outside";
	struct sockaddr_un addr;
	socklen_t len = make_name(&addr, name);
	pid_t pid;
	int l;

	NOT_DRY();
	l = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ASSERT_EQ(0, bind(l, (struct sockaddr *)&addr, len));
	ASSERT_EQ(0, listen(l, 5));
	START(pid, sends_away, name);
	EXPECT_EQ(0, not_the_trees(&self->t, pid, 3, "other side"));
	close(l);
	ckpt_kill(&self->t, pid);
}

/* A file that is only in flight, and which the tester has got, too. */
SCENARIO(sends_shared)
{
	int p[2], fd = open("file", O_RDWR | O_CREAT, 0600);

	NEED(fd == 3);
	ckpt_point();
	NEED(!socketpair(AF_UNIX, SOCK_STREAM, 0, p));
	NEED(!send_fds(p[0], "x", &fd, 1));
	close(fd);
	ckpt_point();
	CHECK(receive_fd(p[1], "x") >= 0);
}

TEST_F(checkpoint, shared_in_flight)
{
	int pidfd, fd;
	pid_t pid;

	NOT_DRY();
	START(pid, sends_shared, NULL);
	pidfd = syscall(SYS_pidfd_open, pid, 0);
	ASSERT_LE(0, pidfd);
	fd = syscall(SYS_pidfd_getfd, pidfd, 3, 0);
	ASSERT_LE(0, fd);
	close(pidfd);
	ASSERT_EQ(0, ckpt_go(pid));
	ASSERT_EQ(0, ckpt_wait_stage(&self->t, pid, 2));
	EXPECT_EQ(-EBUSY, ckpt_checkpoint(&self->t, pid, self->t.image, 0));
	EXPECT_TRUE(ckpt_reason(&self->t, EBUSY, "file", -1, 0, "shared"));
	close(fd);
	EXPECT_LT(0, ckpt_checkpoint(&self->t, pid, self->t.image, 0));
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));
}

SCENARIO(serves)
{
	int l = listener(SOCK_STREAM, "stream"), d = bound_socket(SOCK_DGRAM, "dgram");

	NEED(l == 3 && d == 4);
	ckpt_point();
	CHECK(next_is(d, "hello", "@ckpt_outside"));
	CHECK(next_errno_is(d, EAGAIN));
	CHECK(!connect_to(unix_socket(SOCK_STREAM), "stream"));
}

static int outside_socket(struct ckpt_test *t, int type, const char *to)
{
	char path[200];
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	snprintf(path, sizeof(path), "%s/%s", t->run, to);
	if (fd < 0 || (type == SOCK_DGRAM && bind_to(fd, "@ckpt_outside")) ||
	    connect_to(fd, path))
		return ckpt_say("%s: %s", path, strerror(errno));
	return fd;
}

TEST_F(checkpoint, clients_outside)
{
	pid_t pid;
	int s, d;

	NOT_DRY();
	START(pid, serves, NULL);
	s = outside_socket(&self->t, SOCK_STREAM, "stream");
	ASSERT_LE(0, s);
	EXPECT_EQ(0, not_the_trees(&self->t, pid, 3, "other side"));
	close(s);
	/* What it sent is only a message. */
	d = outside_socket(&self->t, SOCK_DGRAM, "dgram");
	ASSERT_LE(0, d);
	ASSERT_EQ(5, write(d, "hello", 5));
	EXPECT_EQ(pid, ckpt_go(pid) ? -1 : pid);
	ASSERT_EQ(0, ckpt_wait(&self->t, pid));

	START(pid, serves, NULL);
	close(d);
	d = outside_socket(&self->t, SOCK_DGRAM, "dgram");
	ASSERT_LE(0, d);
	ASSERT_EQ(5, write(d, "hello", 5));
	ASSERT_LT(0, ckpt_checkpoint(&self->t, pid, self->t.image, 0));
	ASSERT_EQ(0, ckpt_kill(&self->t, pid));
	ASSERT_EQ(pid, ckpt_restart(&self->t, self->t.image, 0));
	EXPECT_EQ(-1, write(d, "x", 1));
	EXPECT_EQ(ECONNREFUSED, errno);
	close(d);
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));
}

/* --- names that are not free at a restart --------------------------------- */

SCENARIO(has_names)
{
	NEED(listener(SOCK_STREAM, "name") == 3);
	NEED(bound_socket(SOCK_DGRAM, "@ckpt_has_names") == 4);
	ckpt_point();
	CHECK(own_name_is(3, "name") && own_name_is(4, "@ckpt_has_names"));
	CHECK(!connect_to(unix_socket(SOCK_STREAM), "name"));
}

static int bind_outside(int type, const char *name)
{
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	return fd < 0 || bind_to(fd, name) ? -1 : fd;
}

TEST_F(checkpoint, name_in_use)
{
	static const int types[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET };
	char path[200];
	struct stat st, st2;
	unsigned int i;
	pid_t pid;
	int fd;

	NOT_DRY();
	START(pid, has_names, NULL);
	snprintf(path, sizeof(path), "%s/name", self->t.run);
	ASSERT_LT(0, ckpt_checkpoint(&self->t, pid, self->t.image, 0));
	/* By the saved process itself, which runs on. */
	EXPECT_EQ(-EADDRINUSE, ckpt_restart(&self->t, self->t.image,
					    RESTART_FRESH_PIDS));
	EXPECT_NE(NULL, strstr(self->t.log, "has a socket"));
	ASSERT_EQ(0, ckpt_kill(&self->t, pid));

	/* Somebody else's, of whatever type. */
	for (i = 0; i < ARRAY_SIZE(types); i++) {
		ASSERT_EQ(0, unlink(path));
		fd = bind_outside(types[i], path);
		ASSERT_LE(0, fd);
		ASSERT_EQ(0, stat(path, &st));
		EXPECT_EQ(-EADDRINUSE, ckpt_restart(&self->t, self->t.image, 0));
		EXPECT_NE(NULL, strstr(self->t.log, "another process has"));
		ASSERT_EQ(0, stat(path, &st2));
		EXPECT_EQ(st.st_ino, st2.st_ino);
		close(fd);
	}
	/* No socket at all. */
	ASSERT_EQ(0, unlink(path));
	ASSERT_EQ(0, ckpt_write_file(path, "a file"));
	EXPECT_EQ(-EEXIST, ckpt_restart(&self->t, self->t.image, 0));
	EXPECT_NE(NULL, strstr(self->t.log, "no socket"));
	EXPECT_EQ(6, ckpt_file_size(path));
	ASSERT_EQ(0, unlink(path));
	ASSERT_EQ(0, symlink("elsewhere", path));
	EXPECT_EQ(-EEXIST, ckpt_restart(&self->t, self->t.image, 0));
	ASSERT_EQ(0, unlink(path));

	/* The other name; what was made for the first one goes away. */
	fd = bind_outside(SOCK_DGRAM, "@ckpt_has_names");
	ASSERT_LE(0, fd);
	EXPECT_EQ(-EADDRINUSE, ckpt_restart(&self->t, self->t.image, 0));
	EXPECT_NE(NULL, strstr(self->t.log, "ckpt_has_names"));
	EXPECT_EQ(-1, stat(path, &st));
	close(fd);

	ASSERT_EQ(pid, ckpt_restart(&self->t, self->t.image, 0));
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));
	/* And again, over what that one left. */
	ASSERT_EQ(pid, ckpt_restart(&self->t, self->t.image, 0));
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));
}

TEST_F(checkpoint, directory_gone)
{
	char path[200], away[200];
	pid_t pid;

	NOT_DRY();
	START(pid, has_names, NULL);
	ASSERT_LT(0, ckpt_checkpoint(&self->t, pid, self->t.image, 0));
	ASSERT_EQ(0, ckpt_kill(&self->t, pid));
	snprintf(path, sizeof(path), "%s", self->t.run);
	snprintf(away, sizeof(away), "%s.away", self->t.run);
	ASSERT_EQ(0, rename(path, away));
	EXPECT_EQ(-ENOENT, ckpt_restart(&self->t, self->t.image, 0));
	ASSERT_EQ(0, rename(away, path));
	ASSERT_EQ(pid, ckpt_restart(&self->t, self->t.image, 0));
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));
}

/* --- with less rights, or with those of somebody else --------------------- */

/* What a child that is another user has found out. */
static struct {
	char run[128];
	pid_t pid;
} *found;

static int find_room(void)
{
	found = mmap(NULL, sizeof(*found), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return found == MAP_FAILED ? -1 : 0;
}

static int save_names(struct ckpt_test *t)
{
	pid_t pid = ckpt_start(t, "has_names", NULL);

	memcpy(found->run, t->run, sizeof(found->run));
	found->pid = pid;
	if (pid <= 0 || ckpt_checkpoint(t, pid, t->image, 0) <= 0)
		return 1;
	return ckpt_kill(t, pid) ? 2 : 0;
}

/*
 * Root restarts what is another user's. Who may not remove a file does not get
 * it removed by that.
 */
TEST_F(checkpoint, names_of_others)
{
	char path[200];
	struct stat st;
	int fd;

	NOT_DRY();
	if (getuid())
		SKIP(return, "not root");
	ASSERT_EQ(0, find_room());
	ASSERT_EQ(0, ckpt_as_user(&self->t, OTHER_USER, save_names));
	snprintf(path, sizeof(path), "%s/name", found->run);
	ASSERT_EQ(0, unlink(path));
	ASSERT_EQ(0, chown(found->run, 0, 0));
	ASSERT_EQ(0, chmod(found->run, 01777));
	fd = bind_outside(SOCK_STREAM, path);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, chmod(path, 0777));
	close(fd);
	EXPECT_EQ(-EPERM, ckpt_restart(&self->t, self->t.image, 0));
	EXPECT_TRUE(ckpt_reason(&self->t, EPERM, NULL, -1, 0,
				"cannot remove the file"));
	EXPECT_EQ(0, stat(path, &st));
	EXPECT_EQ(0, st.st_uid);

	/* It may not even ask whether somebody is there. */
	ASSERT_EQ(0, chmod(path, 0700));
	EXPECT_EQ(-EACCES, ckpt_restart(&self->t, self->t.image, 0));
	EXPECT_TRUE(ckpt_reason(&self->t, EACCES, NULL, -1, 0,
				"cannot find out"));
	ASSERT_EQ(0, unlink(path));
	ASSERT_EQ(found->pid, ckpt_restart(&self->t, self->t.image, 0));
	EXPECT_EQ(0, stat(path, &st));
	EXPECT_EQ(OTHER_USER, st.st_uid);
	EXPECT_EQ(0, ckpt_finish(&self->t, found->pid));
}

/* Gets what another user could not have by itself. */
SCENARIO(gifted)
{
	int p[2], server;

	NEED(!socketpair(AF_UNIX, SOCK_STREAM, 0, p));
	server = bound_socket(SOCK_DGRAM, "server");
	NEED(!set_option(server, SO_PASSCRED, 1));
	NEED(p[0] == 3 && p[1] == 4 && server == 5);
	ckpt_point();
}

/* Root's part: ask[0] gets the pid, a byte tells that it is done. */
enum gift { NONE, PRIORITY, MARK, DEBUG, SNDBUF, RCVBUF, MESSAGE, NR_GIFTS };

static const struct {
	int option;
	int value;
	int error;
	const char *reason;
} gifts[NR_GIFTS] = {
	[NONE] = { 0, 0, 0, NULL },
	[PRIORITY] = { SO_PRIORITY, 7, EPERM, "no permission for option 12 " },
	[MARK] = { SO_MARK, 5, EPERM, "no permission for option 36 " },
	[DEBUG] = { SO_DEBUG, 1, EACCES, "no permission for option 1 " },
	[SNDBUF] = { SO_SNDBUFFORCE, 1 << 28, EPERM, "send" },
	[RCVBUF] = { SO_RCVBUFFORCE, 1 << 28, EPERM, "receive" },
	[MESSAGE] = { 0, 0, EPERM, "user 0, group 0" },
};

static int give(pid_t pid, enum gift gift)
{
	int pidfd, fd, ret, to;

	pidfd = syscall(SYS_pidfd_open, pid, 0);
	fd = syscall(SYS_pidfd_getfd, pidfd, gift == MESSAGE ? 5 : 3, 0);
	if (fd < 0)
		return -1;
	if (gift == MESSAGE) {
		struct sockaddr_un addr;
		socklen_t len = sizeof(addr);
		char path[64];

		/* By its name, which is relative to its directory. */
		snprintf(path, sizeof(path), "/proc/%d/cwd/server", pid);
		to = socket(AF_UNIX, SOCK_DGRAM, 0);
		ret = getsockname(fd, (struct sockaddr *)&addr, &len) ||
		      send_to(to, path, "from root") != 9;
		close(to);
	} else {
		ret = gift ? set_option(fd, gifts[gift].option,
					gifts[gift].value) : 0;
	}
	close(fd);
	close(pidfd);
	return ret;
}

static int ask[2];

static pid_t be_giver(void)
{
	struct {
		pid_t pid;
		enum gift gift;
	} what;
	pid_t pid;
	char ok;

	fflush(NULL);
	pid = fork();
	if (pid)
		return pid;
	close(ask[0]);
	while (read(ask[1], &what, sizeof(what)) == sizeof(what)) {
		ok = !give(what.pid, what.gift);
		if (write(ask[1], &ok, 1) != 1)
			break;
	}
	_exit(0);
}

static int restart_gifted(struct ckpt_test *t, int gift)
{
	pid_t pid = ckpt_start(t, "gifted", NULL);
	int what[2] = { pid, gift };
	char ok = 0;
	long ret;

	if (pid <= 0 || write(ask[0], what, sizeof(what)) != sizeof(what) ||
	    read(ask[0], &ok, 1) != 1 || !ok)
		return ckpt_say("gift %d: is not given", gift);
	unlink(t->image);
	if (ckpt_checkpoint(t, pid, t->image, 0) <= 0 || ckpt_kill(t, pid))
		return ckpt_say("gift %d: no checkpoint", gift);
	ret = ckpt_restart(t, t->image, RESTART_FRESH_PIDS);
	if (!gift)
		return ret > 0 ? ckpt_finish(t, ret) : -1;
	if (ret != -gifts[gift].error ||
	    !ckpt_reason(t, gifts[gift].error, NULL, -1, 0,
			 gifts[gift].reason)) {
		ckpt_show_log(t);
		return ckpt_say("gift %d: restart gave %ld", gift, ret);
	}
	return 0;
}

static int restart_all_gifted(struct ckpt_test *t)
{
	int gift, ret = 0;

	for (gift = 0; gift < NR_GIFTS; gift++)
		if (restart_gifted(t, gift))
			ret = 1;
	return ret;
}

/* A restart does not give what the caller could not take. */
TEST_F(checkpoint, more_than_the_caller_may)
{
	pid_t giver;

	NOT_DRY();
	if (getuid())
		SKIP(return, "not root");
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ask));
	giver = be_giver();
	close(ask[1]);
	EXPECT_EQ(0, ckpt_as_user(&self->t, OTHER_USER, restart_all_gifted));
	close(ask[0]);
	EXPECT_EQ(0, exit_status(giver));
}

/* --- names that others find, or shall not find ---------------------------- */

/* What is mounted on the name is somebody else's, and not to be removed. */
TEST_F(checkpoint, name_is_a_mount)
{
	char path[200], theirs[200];
	struct stat st;
	pid_t pid;
	int fd;

	NOT_DRY();
	if (getuid())
		SKIP(return, "not root");
	START(pid, has_names, NULL);
	snprintf(path, sizeof(path), "%s/name", self->t.run);
	snprintf(theirs, sizeof(theirs), "%s/theirs", self->t.dir);
	ASSERT_LT(0, ckpt_checkpoint(&self->t, pid, self->t.image, 0));
	ASSERT_EQ(0, ckpt_kill(&self->t, pid));
	fd = bind_outside(SOCK_STREAM, theirs);
	ASSERT_LE(0, fd);
	close(fd);
	ASSERT_EQ(0, mount(theirs, path, NULL, MS_BIND, NULL));
	EXPECT_EQ(-EBUSY, ckpt_restart(&self->t, self->t.image, 0));
	EXPECT_TRUE(ckpt_reason(&self->t, EBUSY, NULL, -1, 0,
				"cannot remove the file"));
	EXPECT_EQ(0, stat(theirs, &st));
	ASSERT_EQ(0, umount2(path, MNT_DETACH));
	ASSERT_EQ(pid, ckpt_restart(&self->t, self->t.image, 0));
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));
}

/* Undo: the caller has its own names until it is replaced. */
SCENARIO(undo_named)
{
	int l = listener(SOCK_STREAM, ckpt_arg), out, log;
	char text[500] = "";
	long ret;

	NEED((log = open("log", O_RDWR | O_CREAT, 0600)) >= 0);
	NEED((out = open("image", O_RDWR | O_CREAT | O_CLOEXEC, 0600)) >= 0);
	ret = ckpt_sys_checkpoint(0, out, 0);
	NEED(ret >= 0);
	if (ret) {
		NEED(!lseek(out, 0, SEEK_SET));
		CHECK_EQ(-EADDRINUSE,
			 ckpt_sys_restart(0, out, RESTART_SELF |
				(log + 1UL) << CHECKPOINT_LOG_SHIFT));
		CHECK(pread(log, text, sizeof(text) - 1, 0) > 0);
		CHECK_SAY(strstr(text, "the caller itself"), "%s", text);
		CHECK(!connect_to(unix_socket(SOCK_STREAM), ckpt_arg));
		close(l);
		NEED(!lseek(out, 0, SEEK_SET));
		ret = ckpt_sys_restart(0, out, RESTART_SELF);
		ckpt_target_fail(__FILE__, __LINE__, "restart of oneself: %s",
				 strerror(-ret));
		ckpt_target_die();
	}
	CHECK(!connect_to(unix_socket(SOCK_STREAM), ckpt_arg));
	CHECK(accept(l, NULL, NULL) >= 0);
	ckpt_point();
}

TEST_F(checkpoint, undo_named)
{
	static const char *const names[] = { "name", "@ckpt_undo_named" };
	unsigned int i;
	pid_t pid;

	NOT_DRY();
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		START(pid, undo_named, names[i]);
		EXPECT_EQ(0, ckpt_finish(&self->t, pid));
	}
}

/* Is in its own queue. */
SCENARIO(own_circle)
{
	int s = bound_socket(SOCK_DGRAM, "@ckpt_own_circle");
	struct rlimit limit = { 100, 100 };

	NEED(!connect_to(s, "@ckpt_own_circle"));
	NEED(!send_fds(s, "itself", &s, 1));
	NEED(dup2(0, 300) == 300);
	NEED(!setrlimit(RLIMIT_NOFILE, &limit));
	ckpt_point();
	CHECK_EQ(SOCK_DGRAM, option(receive_fd(s, "itself"), SO_TYPE));
}

/* Without to close a socket, which would make the kernel look for circles. */
static bool name_gets_free(int fd, const char *name)
{
	int i;

	for (i = 0; i < 10000; i++) {
		if (!bind_to(fd, name))
			return true;
		usleep(1000);
	}
	return false;
}

static int fail_with_circle(struct ckpt_test *t)
{
	struct rlimit limit = { 100, 100 };
	int fd, other;
	pid_t pid;

	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	other = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	pid = ckpt_start(t, "own_circle", NULL);
	if (pid <= 0 || ckpt_checkpoint(t, pid, t->image, 0) <= 0 ||
	    ckpt_kill(t, pid))
		return 1;
	/* The one that was killed is a circle, too. */
	close(socket(AF_UNIX, SOCK_DGRAM, 0));
	if (!name_gets_free(other, "@ckpt_own_circle"))
		return 2;
	close(other);

	fflush(NULL);
	pid = fork();
	if (!pid) {
		if (setrlimit(RLIMIT_NOFILE, &limit))
			_exit(1);
		_exit(ckpt_restart(t, t->image, RESTART_FRESH_PIDS) != -EMFILE ||
		      !ckpt_reason(t, EMFILE, NULL, -1, 0, "descriptor 300"));
	}
	if (exit_status(pid))
		return 3;
	if (!name_gets_free(fd, "@ckpt_own_circle"))
		return ckpt_say("the name of a failed restart is not free");
	close(fd);
	pid = ckpt_restart(t, t->image, RESTART_FRESH_PIDS);
	return pid > 0 && !ckpt_finish(t, pid) ? 0 : 4;
}

TEST_F(checkpoint, circle_of_a_failed_restart)
{
	NOT_DRY();
	EXPECT_EQ(0, ckpt_as_user(&self->t, getuid() ?: OTHER_USER,
				  fail_with_circle));
}

/* Others find it, and it is not ready before everything is restored. */
SCENARIO(not_ready_yet)
{
	static char mem[1 << 20];
	int l = listener(SOCK_STREAM, "stream"), ep[2], i;
	int d = bound_socket(SOCK_DGRAM, "dgram");
	struct pollfd pfd[2];

	ckpt_fill(mem, sizeof(mem), 5);
	for (i = 0; i < 2; i++) {
		NEED((ep[i] = epoll_create1(0)) >= 0);
		NEED(!watch(ep[i], i ? d : l,
			    EPOLLIN | EPOLLRDHUP | (i ? EPOLLET : 0)));
		pfd[i].fd = ep[i];
		pfd[i].events = POLLIN;
	}
	ckpt_point();
	CHECK_FILL(mem, sizeof(mem), 5);
	CHECK_EQ(0, poll(pfd, 2, 0));
	CHECK_EQ(0, ready(ep[0], l));
	CHECK_EQ(0, ready(ep[1], d));
	CHECK(next_errno_is(d, EAGAIN));
	CHECK(!fcntl(l, F_SETFL, O_NONBLOCK));
	CHECK_EQ(-1, accept(l, NULL, NULL));
	CHECK_EQ(EAGAIN, errno);
	client(SOCK_STREAM, "stream");
	CHECK_EQ(EPOLLIN, ready(ep[0], l));
	CHECK_EQ(1, send_to(unix_socket(SOCK_DGRAM), "dgram", "x"));
	CHECK_EQ(EPOLLIN, ready(ep[1], d));
	CHECK(accept(l, NULL, NULL) >= 0);
	CHECK(next_is(d, "x", ""));
}

/* Nobody is let in while it lasts. */
static int outsiders_wait(struct ckpt_test *t)
{
	char path[200];
	int fd;

	snprintf(path, sizeof(path), "%s/stream", t->run);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	errno = 0;
	if (connect_to(fd, path) != -1 || errno != ECONNREFUSED)
		return ckpt_say("connect: %s", strerror(errno));
	close(fd);
	snprintf(path, sizeof(path), "%s/dgram", t->run);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	errno = 0;
	if (send_to(fd, path, "early") != -1 || errno != EPIPE)
		return ckpt_say("send: %s", strerror(errno));
	close(fd);
	return 0;
}

/* Feed an image to a restart, but for its end; the rest when @all is set. */
static pid_t feed(struct ckpt_test *t, int to, bool all)
{
	size_t len = 0, done = 0, most;
	int n = -1, ret;
	ssize_t got;
	char *image;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid)
		return pid;
	image = ckpt_read_file(t->image, &len);
	if (!image || len < 1 << 20)
		_exit(2);
	most = len - 8192;
	while (done < most) {
		got = write(to, image + done, most - done);
		if (got <= 0)
			_exit(3);
		done += got;
	}
	/* Then it waits for the last pages. */
	while (!ioctl(to, FIONREAD, &n) && n)
		usleep(1000);
	ret = outsiders_wait(t);
	while (all && done < len) {
		got = write(to, image + done, len - done);
		if (got <= 0)
			_exit(4);
		done += got;
	}
	_exit(ret ? 1 : 0);
}

TEST_F(checkpoint, outsiders_while_it_lasts)
{
	int pair[2], round;
	pid_t pid, feeder;
	long ret;

	NOT_DRY();
	signal(SIGPIPE, SIG_IGN);
	START(pid, not_ready_yet, NULL);
	ASSERT_LT(0, ckpt_checkpoint(&self->t, pid, self->t.image, 0));
	ASSERT_EQ(0, ckpt_kill(&self->t, pid));
	/* One that fails at last, and one that does not. */
	for (round = 0; round < 2; round++) {
		ASSERT_EQ(0, pipe2(pair, O_CLOEXEC));
		feeder = feed(&self->t, pair[1], round);
		close(pair[1]);
		ret = ckpt_restart_fd(&self->t, pair[0], 0);
		close(pair[0]);
		EXPECT_EQ(0, exit_status(feeder));
		EXPECT_EQ(round ? pid : -EINVAL, ret);
	}
	if (ret > 0)
		EXPECT_EQ(0, ckpt_finish(&self->t, pid));
}

TEST_HARNESS_MAIN
