// SPDX-License-Identifier: GPL-2.0
/*
 * Netlink sockets: names, groups, options, answers and messages that wait.
 */
#include "ckpt_image.h"

#include <linux/filter.h>
#include <linux/genetlink.h>
#include <linux/if.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <arpa/inet.h>
#include <sched.h>
#include <sys/socket.h>

#define OTHER_USER	1234
#define SOME_PORTID	0x7abc0001U

#ifndef SOL_NETLINK
#define SOL_NETLINK	270
#endif

/* The loopback interface is always the first one. */
#define LO_INDEX	1

/* --- helpers -------------------------------------------------------------- */

static int nl_socket(int protocol)
{
	int fd = socket(AF_NETLINK, SOCK_RAW, protocol);

	NEED(fd >= 0);
	return fd;
}

static int bind_to(int fd, uint32_t portid, uint32_t groups)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK,
				    .nl_pid = portid, .nl_groups = groups };

	return bind(fd, (struct sockaddr *)&addr, sizeof(addr));
}

static int connect_to(int fd, uint32_t portid, uint32_t groups)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK,
				    .nl_pid = portid, .nl_groups = groups };

	return connect(fd, (struct sockaddr *)&addr, sizeof(addr));
}

static ssize_t send_to(int fd, uint32_t portid, uint32_t groups,
		       const void *data, size_t len)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK,
				    .nl_pid = portid, .nl_groups = groups };

	return sendto(fd, data, len, 0, (struct sockaddr *)&addr, sizeof(addr));
}

static int bound_socket(int protocol, uint32_t portid, uint32_t groups)
{
	int fd = nl_socket(protocol);

	NEED(!bind_to(fd, portid, groups));
	return fd;
}

static struct sockaddr_nl own_name(int fd)
{
	struct sockaddr_nl addr = {};
	socklen_t len = sizeof(addr);

	if (getsockname(fd, (struct sockaddr *)&addr, &len))
		addr.nl_pid = -1;
	return addr;
}

static void check_own_name(int fd, uint32_t portid, uint32_t groups)
{
	struct sockaddr_nl addr = own_name(fd);

	CHECK_EQ(portid, addr.nl_pid);
	CHECK_EQ(groups, addr.nl_groups);
}

static void check_peer_name(int fd, uint32_t portid, uint32_t groups)
{
	struct sockaddr_nl addr = {};
	socklen_t len = sizeof(addr);

	CHECK_EQ(0, getpeername(fd, (struct sockaddr *)&addr, &len));
	CHECK_EQ(portid, addr.nl_pid);
	CHECK_EQ(groups, addr.nl_groups);
}

static int set_option(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value));
}

static int option(int fd, int level, int name)
{
	socklen_t len = sizeof(int);
	int value;

	return getsockopt(fd, level, name, &value, &len) ? -1 : value;
}

static int join(int fd, int group)
{
	return set_option(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, group);
}

/* A mask of the groups from 1 to 64, and of how many bytes the kernel tells. */
static uint64_t memberships(int fd, socklen_t *len)
{
	uint64_t groups[16] = {};

	*len = sizeof(groups);
	NEED(!getsockopt(fd, SOL_NETLINK, NETLINK_LIST_MEMBERSHIPS, groups,
			 len));
	return groups[0];
}

/* A message with all that can be known of it. */
struct received {
	ssize_t len;
	int error;
	struct sockaddr_nl from;
	int group;		/* NETLINK_PKTINFO, -1: not told */
	struct ucred creds;	/* pid -1: not told */
	char data[200000] __attribute__((aligned(8)));
};

static struct received got, twin;

static bool receive(int fd, struct received *r)
{
	char control[200] __attribute__((aligned(8)));
	struct iovec iov = { r->data, sizeof(r->data) };
	struct msghdr msg = {
		.msg_name = &r->from, .msg_namelen = sizeof(r->from),
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg;

	memset(r, 0, offsetof(struct received, data) + 1000);
	r->group = -1;
	r->creds.pid = -1;
	r->len = recvmsg(fd, &msg, MSG_DONTWAIT);
	if (r->len < 0) {
		r->error = errno;
		return false;
	}
	for (cmsg = CMSG_FIRSTHDR(&msg); cmsg; cmsg = CMSG_NXTHDR(&msg, cmsg)) {
		if (cmsg->cmsg_level == SOL_NETLINK &&
		    cmsg->cmsg_type == NETLINK_PKTINFO)
			memcpy(&r->group, CMSG_DATA(cmsg), sizeof(r->group));
		if (cmsg->cmsg_level == SOL_SOCKET &&
		    cmsg->cmsg_type == SCM_CREDENTIALS)
			memcpy(&r->creds, CMSG_DATA(cmsg), sizeof(r->creds));
	}
	return true;
}

static bool is_empty(int fd)
{
	return !receive(fd, &got) && got.error == EAGAIN;
}

static bool next_is(int fd, const char *text)
{
	return receive(fd, &got) && got.len == (ssize_t)strlen(text) &&
	       !memcmp(got.data, text, got.len);
}

/* The one that another socket has got, too. */
static bool is_twin(void)
{
	return got.len == twin.len && !memcmp(got.data, twin.data, got.len) &&
	       !memcmp(&got.from, &twin.from, sizeof(got.from)) &&
	       got.group == twin.group &&
	       !memcmp(&got.creds, &twin.creds, sizeof(got.creds));
}

/* --- requests ------------------------------------------------------------- */

struct request {
	struct nlmsghdr hdr;
	union {
		struct ifinfomsg link;
		struct ifaddrmsg addr;
		struct ndtmsg neigh;
	};
	char attrs[64];
};

static void add_attr(struct request *req, int type, const void *data,
		     size_t len)
{
	struct rtattr *attr = (void *)req + NLMSG_ALIGN(req->hdr.nlmsg_len);

	attr->rta_type = type;
	attr->rta_len = RTA_LENGTH(len);
	memcpy(RTA_DATA(attr), data, len);
	req->hdr.nlmsg_len = NLMSG_ALIGN(req->hdr.nlmsg_len) +
			     RTA_ALIGN(attr->rta_len);
}

/* About one link: its answer is one message. */
static int ask_link(int fd, int index, uint32_t seq)
{
	struct request req = {
		.hdr = {
			.nlmsg_len = NLMSG_LENGTH(sizeof(req.link)),
			.nlmsg_type = RTM_GETLINK,
			.nlmsg_flags = NLM_F_REQUEST,
			.nlmsg_seq = seq,
		},
		.link.ifi_index = index,
	};

	return send(fd, &req, req.hdr.nlmsg_len, 0) ==
	       (ssize_t)req.hdr.nlmsg_len ? 0 : -1;
}

static void check_link(int fd, uint32_t seq)
{
	const struct nlmsghdr *hdr = (void *)got.data;
	const struct ifinfomsg *link = NLMSG_DATA(hdr);

	NEED(receive(fd, &got));
	CHECK_EQ(RTM_NEWLINK, hdr->nlmsg_type);
	CHECK_EQ(seq, hdr->nlmsg_seq);
	CHECK_EQ(own_name(fd).nl_pid, hdr->nlmsg_pid);
	CHECK_EQ(LO_INDEX, link->ifi_index);
	CHECK_EQ(0, got.from.nl_pid);
}

/* A table of which the kernel tells the end in a message of its own. */
static void ask_table(int fd, uint32_t seq)
{
	struct request req = {
		.hdr = {
			.nlmsg_len = NLMSG_LENGTH(sizeof(req.neigh)),
			.nlmsg_type = RTM_GETNEIGHTBL,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
			.nlmsg_seq = seq,
		},
	};

	NEED(send(fd, &req, req.hdr.nlmsg_len, 0) ==
	     (ssize_t)req.hdr.nlmsg_len);
}

static bool next_type_is(int fd, int type, uint32_t seq)
{
	const struct nlmsghdr *hdr = (void *)got.data;

	return receive(fd, &got) && hdr->nlmsg_type == type &&
	       hdr->nlmsg_seq == seq;
}

/* To change something; 0 or -errno. */
static int command(struct request *req)
{
	int fd = nl_socket(NETLINK_ROUTE), ret = -EIO;
	struct nlmsghdr *hdr = (void *)got.data;

	req->hdr.nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
	if (send(fd, req, req->hdr.nlmsg_len, 0) ==
	    (ssize_t)req->hdr.nlmsg_len && receive(fd, &got) &&
	    hdr->nlmsg_type == NLMSG_ERROR)
		ret = ((struct nlmsgerr *)NLMSG_DATA(hdr))->error;
	close(fd);
	return ret;
}

/* Told to the group of links. */
static void set_alias(const char *text)
{
	struct request req = {
		.hdr = {
			.nlmsg_len = NLMSG_LENGTH(sizeof(req.link)),
			.nlmsg_type = RTM_SETLINK,
		},
		.link.ifi_index = LO_INDEX,
	};
	int ret;

	add_attr(&req, IFLA_IFALIAS, text, strlen(text));
	ret = command(&req);
	if (ret == -EPERM && ckpt_started != CKPT_STARTED)
		ckpt_skip("no right to change a link");
	CHECK_EQ(0, ret);
}

static bool next_alias_is(int fd, const char *text)
{
	const struct nlmsghdr *hdr = (void *)got.data;
	const struct rtattr *attr;
	int len;

	if (!receive(fd, &got) || hdr->nlmsg_type != RTM_NEWLINK)
		return false;
	len = IFLA_PAYLOAD(hdr);
	for (attr = IFLA_RTA((struct ifinfomsg *)NLMSG_DATA(hdr));
	     RTA_OK(attr, len); attr = RTA_NEXT(attr, len))
		if (attr->rta_type == IFLA_IFALIAS)
			return !strcmp(RTA_DATA(attr), text);
	return !*text;
}

/* Told to the group of IPv4 addresses. */
static int change_addr(int type)
{
	struct request req = {
		.hdr = {
			.nlmsg_len = NLMSG_LENGTH(sizeof(req.addr)),
			.nlmsg_type = type,
			.nlmsg_flags = type == RTM_NEWADDR ? NLM_F_CREATE : 0,
		},
		.addr = {
			.ifa_family = AF_INET,
			.ifa_prefixlen = 32,
			.ifa_index = LO_INDEX,
		},
	};
	struct in_addr addr = { htonl(0x7f090909) };

	add_attr(&req, IFA_LOCAL, &addr, sizeof(addr));
	return command(&req);
}

/* --- names and groups ----------------------------------------------------- */

ROUNDTRIP(names)
{
	int unbound = socket(AF_NETLINK, SOCK_DGRAM | SOCK_NONBLOCK,
			     NETLINK_ROUTE);
	int chosen = bound_socket(NETLINK_ROUTE, SOME_PORTID,
				  RTMGRP_LINK | RTMGRP_IPV4_IFADDR);
	int automatic = bound_socket(NETLINK_ROUTE, 0, 0);
	int second = bound_socket(NETLINK_ROUTE, 0, 0), other;
	uint32_t first_id = own_name(automatic).nl_pid;
	uint32_t second_id = own_name(second).nl_pid;

	NEED(unbound >= 0);
	NEED(first_id == (uint32_t)getpid() && (int32_t)second_id < 0);
	NEED(!fcntl(second, F_SETFD, FD_CLOEXEC));
	ckpt_point();
	check_own_name(unbound, 0, 0);
	check_own_name(chosen, SOME_PORTID, RTMGRP_LINK | RTMGRP_IPV4_IFADDR);
	check_own_name(automatic, first_id, 0);
	check_own_name(second, second_id, 0);
	CHECK_EQ(FD_CLOEXEC, fcntl(second, F_GETFD));
	CHECK_EQ(O_RDWR | O_NONBLOCK, fcntl(unbound, F_GETFL));
	CHECK_EQ(SOCK_DGRAM, option(unbound, SOL_SOCKET, SO_TYPE));
	CHECK_EQ(SOCK_RAW, option(chosen, SOL_SOCKET, SO_TYPE));
	CHECK_EQ(AF_NETLINK, option(chosen, SOL_SOCKET, SO_DOMAIN));
	CHECK_EQ(NETLINK_ROUTE, option(chosen, SOL_SOCKET, SO_PROTOCOL));
	check_peer_name(chosen, 0, 0);
	/* The names are taken, but in this family only. */
	CHECK_EQ(-1, bind_to(unbound, SOME_PORTID, 0));
	CHECK_EQ(EADDRINUSE, errno);
	other = nl_socket(NETLINK_SOCK_DIAG);
	CHECK_EQ(0, bind_to(other, SOME_PORTID, 0));
	CHECK_EQ(-1, bind_to(chosen, SOME_PORTID + 1, 0));
	CHECK_EQ(EINVAL, errno);
}

ROUNDTRIP(groups)
{
	int high = nl_socket(NETLINK_ROUTE), left = nl_socket(NETLINK_ROUTE);
	int both = bound_socket(NETLINK_ROUTE, 0, RTMGRP_LINK);
	int none = nl_socket(NETLINK_ROUTE);
	int diag = nl_socket(NETLINK_SOCK_DIAG);
	socklen_t len, left_len, high_len;

	NEED(!join(high, RTNLGRP_STATS));
	NEED(!join(left, RTNLGRP_LINK));
	NEED(!set_option(left, SOL_NETLINK, NETLINK_DROP_MEMBERSHIP,
			 RTNLGRP_LINK));
	NEED(!join(both, RTNLGRP_NSID) && !join(both, RTNLGRP_TUNNEL));
	NEED(!join(diag, SKNLGRP_INET_TCP_DESTROY));
	memberships(left, &left_len);
	memberships(high, &high_len);
	NEED(left_len && high_len);
	ckpt_point();
	CHECK_EQ(1ULL << (RTNLGRP_STATS - 1), memberships(high, &len));
	CHECK_EQ(high_len, len);
	CHECK_EQ(0, memberships(left, &len));
	CHECK_EQ(left_len, len);
	CHECK_EQ(1 | 1ULL << (RTNLGRP_NSID - 1) | 1ULL << (RTNLGRP_TUNNEL - 1),
		 memberships(both, &len));
	CHECK_EQ(0, memberships(none, &len));
	CHECK_EQ(0, len);
	CHECK_EQ(1, memberships(diag, &len));
	/* A member need not have a name. */
	check_own_name(high, 0, 0);
	check_own_name(left, 0, 0);
	CHECK_EQ(0, own_name(diag).nl_pid);
}

ROUNDTRIP(notifications)
{
	int links = bound_socket(NETLINK_ROUTE, 0, RTMGRP_LINK);
	int addrs = bound_socket(NETLINK_ROUTE, 0, 0);

	NEED(!join(addrs, RTNLGRP_IPV4_IFADDR));
	set_alias("before");
	NEED(next_alias_is(links, "before"));
	ckpt_point();
	CHECK(is_empty(links) && is_empty(addrs));
	set_alias("after");
	CHECK(next_alias_is(links, "after"));
	CHECK(is_empty(links) && is_empty(addrs));
	CHECK_EQ(0, change_addr(RTM_NEWADDR));
	CHECK(receive(addrs, &got));
	CHECK_EQ(RTM_NEWADDR, ((struct nlmsghdr *)got.data)->nlmsg_type);
	CHECK_EQ(0, change_addr(RTM_DELADDR));
	CHECK(receive(addrs, &got));
	CHECK_EQ(RTM_DELADDR, ((struct nlmsghdr *)got.data)->nlmsg_type);
	CHECK(is_empty(links) && is_empty(addrs));
	/* In and out of groups. */
	CHECK_EQ(0, join(addrs, RTNLGRP_LINK));
	CHECK_EQ(0, set_option(links, SOL_NETLINK, NETLINK_DROP_MEMBERSHIP,
			       RTNLGRP_LINK));
	set_alias("");
	CHECK(next_alias_is(addrs, ""));
	CHECK(is_empty(links));
}

/* A name that was taken is shown, until the kernel chooses another one. */
ROUNDTRIP(bound_in_vain)
{
	int a = bound_socket(NETLINK_USERSOCK, SOME_PORTID, 0);
	int b = nl_socket(NETLINK_USERSOCK);

	NEED(bind_to(b, SOME_PORTID, 0) == -1 && errno == EADDRINUSE);
	NEED(own_name(b).nl_pid == SOME_PORTID);
	ckpt_point();
	check_own_name(b, SOME_PORTID, 0);
	CHECK_EQ(4, send_to(b, SOME_PORTID, 0, "text", 4));
	CHECK(next_is(a, "text"));
	CHECK_EQ(getpid(), own_name(b).nl_pid);
	CHECK_EQ(getpid(), got.from.nl_pid);
}

ROUNDTRIP(connected)
{
	int a = bound_socket(NETLINK_USERSOCK, 101, 0);
	int b = bound_socket(NETLINK_USERSOCK, 102, 0);
	int c = bound_socket(NETLINK_USERSOCK, 103, 0);
	int d = nl_socket(NETLINK_USERSOCK), e = nl_socket(NETLINK_ROUTE);
	struct sockaddr none = { .sa_family = AF_UNSPEC };

	NEED(!connect_to(a, 102, 0) && !connect_to(d, 0, 1 << 6));
	NEED(!connect_to(e, 0, 0));
	NEED(!connect_to(c, 101, 0) && !connect(c, &none, sizeof(none)));
	ckpt_point();
	check_peer_name(a, 102, 0);
	check_peer_name(b, 0, 0);
	check_peer_name(c, 0, 0);
	check_peer_name(d, 0, 1 << 6);
	check_peer_name(e, 0, 0);
	check_own_name(e, getpid(), 0);
	check_own_name(d, getpid(), 0);
	CHECK_EQ(4, send(a, "from", 4, 0));
	CHECK(next_is(b, "from"));
	/* Who is connected hears nobody else. */
	CHECK_EQ(-1, send_to(c, 101, 0, "third", 5));
	CHECK_EQ(ECONNREFUSED, errno);
	CHECK_EQ(6, send_to(b, 101, 0, "answer", 6));
	CHECK(next_is(a, "answer"));
	CHECK_EQ(0, connect(a, &none, sizeof(none)));
	CHECK_EQ(5, send_to(c, 101, 0, "third", 5));
	CHECK(next_is(a, "third"));
}

/* --- requests and answers ------------------------------------------------- */

static void answers(void)
{
	int fd = bound_socket(NETLINK_ROUTE, 0, 0);
	int unbound = nl_socket(NETLINK_ROUTE);
	uint32_t portid = own_name(fd).nl_pid, i;

	for (i = 1; i <= 3; i++)
		NEED(!ask_link(fd, LO_INDEX, i));
	NEED(!ask_link(fd, 999999, 4));
	ckpt_point();
	for (i = 1; i <= 3; i++)
		check_link(fd, i);
	CHECK(next_type_is(fd, NLMSG_ERROR, 4));
	CHECK(is_empty(fd));
	/* Its name is in what comes back. */
	CHECK_EQ(0, ask_link(fd, LO_INDEX, 5));
	check_link(fd, 5);
	check_own_name(fd, portid, 0);
	CHECK_EQ(0, ask_link(unbound, LO_INDEX, 6));
	check_link(unbound, 6);
	CHECK(own_name(unbound).nl_pid != portid &&
	      own_name(unbound).nl_pid);
}

ROUNDTRIP(answered) { answers(); }
/* The pid is another one, the port id is not. */
ROUNDTRIP_OPT(answered_fresh, CKPT_RT_FRESH) { answers(); }

ROUNDTRIP(end_of_a_table)
{
	int fd = nl_socket(NETLINK_ROUTE);

	ask_table(fd, 1);
	NEED(next_type_is(fd, RTM_NEWNEIGHTBL, 1));
	/* What comes is not all, or the end. */
	while (recv(fd, got.data, 100, MSG_PEEK | MSG_DONTWAIT) > 0 &&
	       ((struct nlmsghdr *)got.data)->nlmsg_type == RTM_NEWNEIGHTBL)
		NEED(receive(fd, &got));
	ckpt_point();
	CHECK(next_type_is(fd, NLMSG_DONE, 1));
	CHECK(is_empty(fd));
	ask_table(fd, 2);
	CHECK(next_type_is(fd, RTM_NEWNEIGHTBL, 2));
	while (next_type_is(fd, RTM_NEWNEIGHTBL, 2))
		;
	CHECK_EQ(NLMSG_DONE, ((struct nlmsghdr *)got.data)->nlmsg_type);
}

REFUSED(amid_a_table, EAGAIN, "file_socket", "NLM_F_DUMP")
{
	int fd = nl_socket(NETLINK_ROUTE);

	ask_table(fd, 1);
	ckpt_value[0] = fd;
	ckpt_point();
	CHECK(next_type_is(fd, RTM_NEWNEIGHTBL, 1));
	while (next_type_is(fd, RTM_NEWNEIGHTBL, 1))
		;
	CHECK_EQ(NLMSG_DONE, ((struct nlmsghdr *)got.data)->nlmsg_type);
}

/* What waits to be read takes so much memory. */
static uint32_t memory(int fd)
{
	uint32_t info[SK_MEMINFO_VARS] = {};
	socklen_t len = sizeof(info);

	NEED(!getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &len));
	return info[SK_MEMINFO_RMEM_ALLOC];
}

/* There is room for as much as the program has shown that it can read. */
ROUNDTRIP(buffer_size)
{
	int large = nl_socket(NETLINK_ROUTE), small = nl_socket(NETLINK_ROUTE);
	char some[3000];
	int tries;

	NEED(!ask_link(large, LO_INDEX, 1));
	NEED(receive(large, &got));
	ckpt_point();
	/* A large piece that is not there at once is made for the next time. */
	for (tries = 0; tries < 100; tries++) {
		ask_table(large, 2);
		ask_table(small, 2);
		if (memory(large) > 2 * memory(small))
			break;
		while (recv(large, some, sizeof(some), MSG_DONTWAIT) > 0)
			;
		while (recv(small, some, sizeof(some), MSG_DONTWAIT) > 0)
			;
		usleep(100000);
	}
	CHECK(memory(large) > 2 * memory(small));
	CHECK(next_type_is(large, RTM_NEWNEIGHTBL, 2));
	CHECK(next_type_is(small, RTM_NEWNEIGHTBL, 2));
}

/* --- messages that wait --------------------------------------------------- */

static int watcher(void)
{
	int fd = bound_socket(NETLINK_ROUTE, 0, RTMGRP_LINK);

	NEED(!set_option(fd, SOL_NETLINK, NETLINK_PKTINFO, 1));
	NEED(!set_option(fd, SOL_SOCKET, SO_PASSCRED, 1));
	return fd;
}

ROUNDTRIP(from_the_kernel)
{
	int a = watcher(), b = watcher(), c = watcher();

	set_alias("one");
	set_alias("two");
	NEED(receive(b, &twin));
	ckpt_point();
	CHECK(receive(a, &got));
	CHECK(is_twin());
	CHECK_EQ(0, got.from.nl_pid);
	CHECK_EQ(RTMGRP_LINK, got.from.nl_groups);
	CHECK_EQ(RTNLGRP_LINK, got.group);
	CHECK_EQ(0, got.creds.pid);
	CHECK_EQ(0, got.creds.uid);
	CHECK_EQ(0, got.creds.gid);
	CHECK(next_alias_is(a, "two") && is_empty(a));
	CHECK(next_alias_is(b, "two") && is_empty(b));
	CHECK(next_alias_is(c, "one") && next_alias_is(c, "two"));
	set_alias("three");
	CHECK(next_alias_is(a, "three") && next_alias_is(b, "three"));
	CHECK(next_alias_is(c, "three") && is_empty(c));
	set_alias("");
}

static void from_programs(void)
{
	int a = bound_socket(NETLINK_USERSOCK, 101, 0);
	int b = bound_socket(NETLINK_USERSOCK, 102, 0), c;
	static char large[150000];
	int i;

	ckpt_fill(large, sizeof(large), 7);
	NEED(!set_option(a, SOL_SOCKET, SO_PASSCRED, 1));
	NEED(!set_option(a, SOL_NETLINK, NETLINK_PKTINFO, 1));
	if (join(a, 5))
		ckpt_skip("no right to be in a group");
	for (i = 0; i < 20; i++)
		NEED(send_to(b, 101, 0, large, i + 1) == i + 1);
	NEED(send_to(b, 101, 0, large, sizeof(large)) == sizeof(large));
	/* To a group; there is no kernel that hears it, too. */
	NEED(send_to(b, 0, 1 << 4, "all", 3) == -1 && errno == ECONNREFUSED);
	c = bound_socket(NETLINK_USERSOCK, 103, 0);
	NEED(send_to(c, 101, 0, "last", 4) == 4);
	/* Who has sent it is gone. */
	close(c);
	/* What waits is more than there is room for now. */
	NEED(!set_option(a, SOL_SOCKET, SO_RCVBUF, 1));
	ckpt_point();
	for (i = 0; i < 20; i++) {
		CHECK(receive(a, &got));
		CHECK_EQ(i + 1, got.len);
		CHECK_FILL(got.data, i + 1, 7);
		CHECK_EQ(102, got.from.nl_pid);
		CHECK_EQ(0, got.from.nl_groups);
		CHECK_EQ(0, got.group);
		CHECK_EQ(getpid(), got.creds.pid);
		CHECK_EQ(getuid(), got.creds.uid);
		CHECK_EQ(getgid(), got.creds.gid);
	}
	CHECK(receive(a, &got));
	CHECK_EQ(sizeof(large), got.len);
	CHECK_FILL(got.data, sizeof(large), 7);
	CHECK(next_is(a, "all"));
	CHECK_EQ(1 << 4, got.from.nl_groups);
	CHECK_EQ(5, got.group);
	CHECK(next_is(a, "last"));
	CHECK_EQ(103, got.from.nl_pid);
	CHECK(is_empty(a));
	CHECK_EQ(3, send_to(b, 101, 0, "new", 3));
	CHECK(next_is(a, "new"));
}

ROUNDTRIP(messages) { from_programs(); }
ROUNDTRIP_OPT(messages_fresh, CKPT_RT_FRESH) { from_programs(); }

/* What was sent by somebody who is not in the tree. */
SCENARIO(has_letter)
{
	int fd = bound_socket(NETLINK_USERSOCK, SOME_PORTID, 0);

	NEED(!set_option(fd, SOL_SOCKET, SO_PASSCRED, 1));
	ckpt_point();
	CHECK(next_is(fd, "letter"));
	CHECK_EQ(SOME_PORTID + 1, got.from.nl_pid);
	CHECK_EQ(atoi(ckpt_arg), got.creds.pid);
	CHECK(is_empty(fd));
}

TEST_F(checkpoint, from_outside)
{
	char own[20];
	pid_t pid;
	int fd;

	NOT_DRY();
	if (getuid())
		SKIP(return, "needs to be root");
	snprintf(own, sizeof(own), "%d", getpid());
	START(pid, has_letter, own);
	fd = nl_socket(NETLINK_USERSOCK);
	ASSERT_EQ(0, bind_to(fd, SOME_PORTID + 1, 0));
	ASSERT_EQ(6, send_to(fd, SOME_PORTID, 0, "letter", 6));
	ASSERT_LT(0, ckpt_checkpoint(&self->t, pid, self->t.image,
				     CHECKPOINT_KILL));
	ASSERT_EQ(0, ckpt_reap(&self->t, pid));
	ASSERT_EQ(pid, ckpt_restart(&self->t, self->t.image, 0));
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));
	close(fd);
}

/* Behind 'y' only. What was there before the filter stays. */
ROUNDTRIP(filter)
{
	static const struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 'y', 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0xffff),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog prog = { ARRAY_SIZE(code),
				   (struct sock_filter *)code };
	int a = bound_socket(NETLINK_USERSOCK, 101, 0);
	int b = nl_socket(NETLINK_USERSOCK), zero = 0;

	NEED(send_to(b, 101, 0, "no, but early", 13) == 13);
	NEED(!setsockopt(a, SOL_SOCKET, SO_ATTACH_FILTER, &prog,
			 sizeof(prog)));
	NEED(send_to(b, 101, 0, "no", 2) == 2);
	NEED(send_to(b, 101, 0, "yes", 3) == 3);
	ckpt_point();
	CHECK_EQ(2, send_to(b, 101, 0, "no", 2));
	CHECK_EQ(6, send_to(b, 101, 0, "yonder", 6));
	CHECK(next_is(a, "no, but early"));
	CHECK(next_is(a, "yes") && next_is(a, "yonder") && is_empty(a));
	CHECK_EQ(0, setsockopt(a, SOL_SOCKET, SO_DETACH_FILTER, &zero,
			       sizeof(zero)));
	CHECK_EQ(2, send_to(b, 101, 0, "no", 2));
	CHECK(next_is(a, "no"));
}

/* Who has lost something is told, and gets nothing until all is read. */
ROUNDTRIP(congested)
{
	int fd = bound_socket(NETLINK_ROUTE, 0, RTMGRP_LINK);
	int other = bound_socket(NETLINK_ROUTE, 0, RTMGRP_LINK);

	NEED(!set_option(other, SOL_NETLINK, NETLINK_NO_ENOBUFS, 1));
	NEED(!set_option(fd, SOL_SOCKET, SO_RCVBUF, 1));
	NEED(!set_option(other, SOL_SOCKET, SO_RCVBUF, 1));
	set_alias("one");
	set_alias("lost");
	set_alias("lost, too");
	ckpt_point();
	CHECK_EQ(0, set_option(fd, SOL_SOCKET, SO_RCVBUF, 100000));
	CHECK_EQ(0, set_option(other, SOL_SOCKET, SO_RCVBUF, 100000));
	set_alias("two");
	CHECK(!receive(fd, &got) && got.error == ENOBUFS);
	CHECK(next_alias_is(fd, "one"));
	CHECK(is_empty(fd));
	/* This one did not want to know. */
	CHECK(next_alias_is(other, "one"));
	CHECK(next_alias_is(other, "two"));
	CHECK(is_empty(other));
	set_alias("three");
	CHECK(next_alias_is(fd, "three") && is_empty(fd));
	CHECK(next_alias_is(other, "three"));
	set_alias("");
}

/* --- options -------------------------------------------------------------- */

static const int options[] = {
	NETLINK_PKTINFO, NETLINK_BROADCAST_ERROR, NETLINK_NO_ENOBUFS,
	NETLINK_LISTEN_ALL_NSID, NETLINK_CAP_ACK, NETLINK_EXT_ACK,
	NETLINK_GET_STRICT_CHK,
};

/* Each alone in a socket, and all of them. */
ROUNDTRIP(netlink_options)
{
	int fd[ARRAY_SIZE(options)], all = nl_socket(NETLINK_ROUTE);
	unsigned int i, k;

	for (i = 0; i < ARRAY_SIZE(options); i++) {
		fd[i] = nl_socket(NETLINK_ROUTE);
		if (set_option(fd[i], SOL_NETLINK, options[i], 1) ||
		    set_option(all, SOL_NETLINK, options[i], 1))
			ckpt_skip("option %d: %s", options[i], strerror(errno));
	}
	ckpt_point();
	for (i = 0; i < ARRAY_SIZE(options); i++) {
		for (k = 0; k < ARRAY_SIZE(options); k++)
			CHECK_EQ(i == k,
				 option(fd[i], SOL_NETLINK, options[k]));
		CHECK_EQ(1, option(all, SOL_NETLINK, options[i]));
		CHECK_EQ(0, set_option(all, SOL_NETLINK, options[i], 0));
		CHECK_EQ(0, option(all, SOL_NETLINK, options[i]));
	}
}

ROUNDTRIP(socket_options)
{
	int fd = bound_socket(NETLINK_ROUTE, 0, 0), rcvbuf, sndbuf;
	struct timeval tv = { 7, 500000 }, now = {};
	socklen_t len = sizeof(now);

	NEED(!set_option(fd, SOL_SOCKET, SO_RCVBUF, 30000));
	NEED(!set_option(fd, SOL_SOCKET, SO_SNDBUF, 20000));
	NEED(!set_option(fd, SOL_SOCKET, SO_PASSCRED, 1));
	NEED(!setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)));
	rcvbuf = option(fd, SOL_SOCKET, SO_RCVBUF);
	sndbuf = option(fd, SOL_SOCKET, SO_SNDBUF);
	ckpt_point();
	CHECK_EQ(rcvbuf, option(fd, SOL_SOCKET, SO_RCVBUF));
	CHECK_EQ(sndbuf, option(fd, SOL_SOCKET, SO_SNDBUF));
	CHECK_EQ(1, option(fd, SOL_SOCKET, SO_PASSCRED));
	CHECK(!getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &now, &len) &&
	      now.tv_sec == 7 && now.tv_usec == 500000);
}

/* --- uevents -------------------------------------------------------------- */

static void make_uevent(void)
{
	int fd = open("/sys/class/mem/null/uevent", O_WRONLY);

	if (fd < 0 || write(fd, "change", 6) != 6) {
		if (ckpt_started != CKPT_STARTED)
			ckpt_skip("no uevents: %s", strerror(errno));
		CHECK_SAY(false, "no uevents: %s", strerror(errno));
	}
	close(fd);
}

ROUNDTRIP(uevents)
{
	int a = bound_socket(NETLINK_KOBJECT_UEVENT, 0, 1);
	int b = bound_socket(NETLINK_KOBJECT_UEVENT, 0, 1);
	static const char begin[] = "change@/devices/virtual/mem/null";

	NEED(!set_option(a, SOL_SOCKET, SO_PASSCRED, 1));
	NEED(!set_option(b, SOL_SOCKET, SO_PASSCRED, 1));
	make_uevent();
	NEED(receive(b, &twin));
	ckpt_point();
	CHECK(receive(a, &got) && is_twin());
	CHECK(!memcmp(got.data, begin, sizeof(begin)));
	CHECK_EQ(1, got.from.nl_groups);
	CHECK_EQ(0, got.creds.uid);
	CHECK(is_empty(a));
	make_uevent();
	CHECK(receive(a, &got) && receive(b, &twin) && is_twin());
	CHECK(!memcmp(got.data, begin, sizeof(begin)));
}

/* --- port ids in use ------------------------------------------------------ */

SCENARIO(has_portid)
{
	int fd = bound_socket(NETLINK_ROUTE, SOME_PORTID, RTMGRP_LINK);

	NEED(!ask_link(fd, LO_INDEX, 1));
	ckpt_point();
	check_link(fd, 1);
	check_own_name(fd, SOME_PORTID, RTMGRP_LINK);
}

TEST_F(checkpoint, while_the_original_runs)
{
	pid_t pid, copy;
	int fd;

	NOT_DRY();
	START(pid, has_portid, NULL);
	ASSERT_LT(0, ckpt_checkpoint(&self->t, pid, self->t.image, 0));
	EXPECT_EQ(-EADDRINUSE, ckpt_restart(&self->t, self->t.image,
					    RESTART_FRESH_PIDS));
	EXPECT_TRUE(ckpt_reason(&self->t, EADDRINUSE, "netlink", -1, 0,
				"NETLINK_ROUTE has port id 2059141121"))
		ckpt_show_log(&self->t);
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));
	/* Now it is free, ... */
	copy = ckpt_restart(&self->t, self->t.image, RESTART_FRESH_PIDS);
	ASSERT_LT(0, copy);
	EXPECT_EQ(0, ckpt_finish(&self->t, copy));
	/* ... and nothing is left of it. */
	fd = nl_socket(NETLINK_ROUTE);
	EXPECT_EQ(0, bind_to(fd, SOME_PORTID, 0));
	close(fd);
}

/* --- rights --------------------------------------------------------------- */

union payload {
	struct ckpt_netlink nl;
	struct ckpt_netlink_msg msg;
};

/* Restart an image with one record changed. */
#define TRY(_kind, _type, _error, _text, _change)			\
	({								\
		struct ckpt_rec_hdr *_hdr;				\
		union payload *p;					\
		long _ret;						\
									\
		memcpy(image, good, len);				\
		_hdr = ckpt_find_record(image, len, _type, 0);		\
		p = (void *)(_hdr + 1);					\
		_change;						\
		ckpt_mend_record(_hdr);					\
		_ret = ckpt_restart_raw(t, image, len);			\
		if (_ret != -(_error) ||				\
		    !ckpt_reason(t, _error, _kind, -1, 0, _text)) {	\
			ckpt_show_log(t);				\
			return ckpt_say("%s gives %ld", #_change, _ret); \
		}							\
	})
#define TRY_SOCKET(...)		TRY("netlink", CKPT_REC_NETLINK, __VA_ARGS__)
#define TRY_MESSAGE(...)						\
	TRY("netlink_msg", CKPT_REC_NETLINK_MSG, __VA_ARGS__)

/* An image is read, and it can be restarted; returns what is to be freed. */
static char *good_image(struct ckpt_test *t, const char *scenario, size_t *len)
{
	char *good = ckpt_save_scenario(t, scenario, len);

	if (good && ckpt_restart_raw(t, good, *len) <= 0)
		return NULL;
	return good;
}

/* Who listens and asks needs no rights. */
static int watcher_as_user(struct ckpt_test *t)
{
	char *good, *image;
	size_t len;

	good = good_image(t, "has_portid", &len);
	if (!good)
		return 1;
	image = malloc(len);
	TRY_SOCKET(EPERM, "CAP_NET_BROADCAST",
		   p->nl.flags |= CKPT_NETLINK_LISTEN_ALL_NSID);
	TRY_SOCKET(EPERM, "group 30",
		   p->nl.groups[0] |= 1U << (RTNLGRP_IPV4_MROUTE_R - 1));
	TRY_SOCKET(EPERM, "cannot send",
		   (p->nl.flags |= CKPT_NETLINK_CONNECTED,
		    p->nl.dst_portid = 1));
	TRY_SOCKET(EPERM, "over the limit", p->nl.sock.rcvbuf = 0x7fffffff);
	TRY_MESSAGE(EPERM, "CAP_NET_ADMIN",
		    (p->msg.flags = CKPT_NETLINK_MSG_CREDS, p->msg.portid = 5,
		     p->msg.uid = OTHER_USER, p->msg.gid = OTHER_USER));
	TRY_MESSAGE(EPERM, "CAP_SETUID",
		    p->msg.flags = CKPT_NETLINK_MSG_CREDS);
	free(image);
	free(good);
	return 0;
}

SCENARIO(has_letters)
{
	int a = bound_socket(NETLINK_USERSOCK, SOME_PORTID, 0);
	static char large[100000];

	NEED(send_to(a, SOME_PORTID, 0, large, sizeof(large)) ==
	     sizeof(large));
	NEED(send_to(a, SOME_PORTID, 0, "text", 4) == 4);
	ckpt_point();
	CHECK(receive(a, &got) && got.len == sizeof(large));
	CHECK(next_is(a, "text"));
}

static int letters_as_user(struct ckpt_test *t)
{
	char *good, *image;
	size_t len;

	good = good_image(t, "has_letters", &len);
	if (!good)
		return 1;
	image = malloc(len);
	TRY_MESSAGE(EPERM, "CAP_SETUID", p->msg.uid = 0);
	TRY_MESSAGE(EPERM, "CAP_SETGID", p->msg.gid = 0);
	free(image);
	free(good);
	return 0;
}

/* A pid of somebody else: with the saved pids it is shown. */
static int pid_as_user(struct ckpt_test *t)
{
	struct ckpt_netlink_msg *msg;
	struct ckpt_rec_hdr *hdr;
	size_t len;
	char *image;
	FILE *file;

	image = ckpt_save_scenario(t, "has_letters", &len);
	hdr = image ? ckpt_find_record(image, len, CKPT_REC_NETLINK_MSG, 0) :
		      NULL;
	if (!hdr)
		return 1;
	msg = (void *)(hdr + 1);
	msg->pid = 1;
	ckpt_mend_record(hdr);
	if (ckpt_restart_raw(t, image, len) <= 0)
		return 2;
	file = fopen(t->other, "w");
	if (!file || fwrite(image, 1, len, file) != len || fclose(file))
		return 3;
	free(image);
	/* Saved pids need a right, too, which comes first. */
	return ckpt_restart(t, t->other, 0) != -EPERM;
}

TEST_F(checkpoint, rights)
{
	NOT_DRY();
	if (getuid())
		SKIP(return, "needs to be root");
	EXPECT_EQ(0, ckpt_as_user(&self->t, OTHER_USER, watcher_as_user));
	EXPECT_EQ(0, ckpt_as_user(&self->t, OTHER_USER, letters_as_user));
	EXPECT_EQ(0, ckpt_as_user(&self->t, OTHER_USER, pid_as_user));
}

/* --- refused -------------------------------------------------------------- */

REFUSED(generic, EOPNOTSUPP, "file_socket", "NETLINK_GENERIC")
{
	ckpt_value[0] = nl_socket(NETLINK_GENERIC);
	ckpt_point();
}

REFUSED(other_family, EOPNOTSUPP, "file_socket", "NETLINK_FIB_LOOKUP (10)")
{
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_FIB_LOOKUP);

	if (fd < 0)
		ckpt_skip("no such family");
	ckpt_value[0] = fd;
	ckpt_point();
}

REFUSED(other_network, EOPNOTSUPP, "file_socket", "network namespace")
{
	int fd = nl_socket(NETLINK_ROUTE);

	if (unshare(CLONE_NEWNET))
		ckpt_skip("unshare: %s", strerror(errno));
	ckpt_value[0] = fd;
	ckpt_point();
	CHECK_EQ(0, ask_link(fd, LO_INDEX, 1));
	check_link(fd, 1);
}

/* --- bad images ----------------------------------------------------------- */

static int bad_images(struct ckpt_test *t)
{
	char *good, *image;
	size_t len;

	good = good_image(t, "has_portid", &len);
	if (!good)
		return 1;
	image = malloc(len);
	TRY_SOCKET(EINVAL, "bad type", p->nl.sock.protocol = NETLINK_GENERIC);
	TRY_SOCKET(EINVAL, "bad type", p->nl.sock.type = SOCK_STREAM);
	TRY_SOCKET(EINVAL, "bad state", p->nl.portid = 0);
	TRY_SOCKET(EINVAL, "bad state", p->nl.dst_portid = 1);
	TRY_SOCKET(EINVAL, "bad groups", p->nl.nr_groups = 65);
	TRY_SOCKET(EINVAL, "bad groups", p->nl.groups[1] |= 1U << 31);
	TRY_SOCKET(EOPNOTSUPP, "no group 64",
		   (p->nl.nr_groups = 64, p->nl.groups[1] |= 1U << 31));
	TRY_SOCKET(EINVAL, "credentials", p->nl.cred = 0);
	TRY_MESSAGE(EINVAL, "credentials", p->msg.portid = 1);
	TRY_MESSAGE(EINVAL, "credentials", p->msg.uid = 1);
	TRY_MESSAGE(EINVAL, "namespace", p->msg.nsid = 1);
	TRY_MESSAGE(EINVAL, "bad message", p->msg.pad = 1);
	free(image);
	free(good);
	return 0;
}

TEST_F(checkpoint, bad_sockets)
{
	NOT_DRY();
	EXPECT_EQ(0, bad_images(&self->t));
}

TEST_F(checkpoint, altered_sockets)
{
	static const uint32_t types[] = {
		CKPT_REC_NETLINK, CKPT_REC_NETLINK_MSG,
	};
	int alive, tries = 0;

	NOT_DRY();
	alive = ckpt_alter_scenario(&self->t, "has_portid", types,
				    ARRAY_SIZE(types), &tries);
	TH_LOG("%d tries, %d processes", tries, alive);
	EXPECT_LT(100, tries);
	EXPECT_LT(ckpt_sampled(5), alive);
}

TEST_HARNESS_MAIN
