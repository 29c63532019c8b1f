// SPDX-License-Identifier: GPL-2.0
/*
 * TCP and UDP over IPv4 and IPv6: names, options, listening, connections with
 * both ends in the tree.
 */
#include "ckpt_image.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/net_tstamp.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define OTHER_USER	1234

#ifndef SOL_TCP
#define SOL_TCP		6
#endif
#ifndef SOL_UDP
#define SOL_UDP		17
#endif
#ifndef IP_RECVERR_RFC4884
#define IP_RECVERR_RFC4884	26
#endif
#ifndef IPV6_RECVERR_RFC4884
#define IPV6_RECVERR_RFC4884	31
#endif
#ifndef SO_RCVMARK
#define SO_RCVMARK	75
#endif
#ifndef IP_LOCAL_PORT_RANGE
#define IP_LOCAL_PORT_RANGE	51
#endif

/* --- helpers -------------------------------------------------------------- */

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* "127.0.0.1", "::1", "::ffff:127.0.0.1" */
static socklen_t make_addr(union address *addr, const char *host, int port)
{
	memset(addr, 0, sizeof(*addr));
	if (!strchr(host, ':')) {
		addr->v4.sin_family = AF_INET;
		addr->v4.sin_port = htons(port);
		if (inet_pton(AF_INET, host, &addr->v4.sin_addr) != 1)
			abort();
		return sizeof(addr->v4);
	}
	addr->v6.sin6_family = AF_INET6;
	addr->v6.sin6_port = htons(port);
	if (inet_pton(AF_INET6, host, &addr->v6.sin6_addr) != 1)
		abort();
	return sizeof(addr->v6);
}

static int inet_socket(const char *host, int type)
{
	int fd = socket(strchr(host, ':') ? AF_INET6 : AF_INET, type, 0);

	NEED(fd >= 0);
	return fd;
}

static int bind_to(int fd, const char *host, int port)
{
	union address addr;
	socklen_t len = make_addr(&addr, host, port);

	return bind(fd, &addr.any, len);
}

static int connect_to(int fd, const char *host, int port)
{
	union address addr;
	socklen_t len = make_addr(&addr, host, port);

	return connect(fd, &addr.any, len);
}

static int disconnect(int fd)
{
	struct sockaddr none = { .sa_family = AF_UNSPEC };

	return connect(fd, &none, sizeof(none));
}

static int port_of(const union address *addr)
{
	return ntohs(addr->any.sa_family == AF_INET ? addr->v4.sin_port :
						      addr->v6.sin6_port);
}

static int own_port(int fd)
{
	union address addr;
	socklen_t len = sizeof(addr);

	return getsockname(fd, &addr.any, &len) ? -1 : port_of(&addr);
}

static bool own_name_is(int fd, const char *host, int port)
{
	union address addr, expected;
	socklen_t len = sizeof(addr), expected_len;

	expected_len = make_addr(&expected, host, port);
	return !getsockname(fd, &addr.any, &len) && len == expected_len &&
	       !memcmp(&addr, &expected, len);
}

static bool peer_name_is(int fd, const char *host, int port)
{
	union address addr, expected;
	socklen_t len = sizeof(addr), expected_len;

	expected_len = make_addr(&expected, host, port);
	return !getpeername(fd, &addr.any, &len) && len == expected_len &&
	       !memcmp(&addr, &expected, len);
}

static bool has_no_peer(int fd)
{
	union address addr;
	socklen_t len = sizeof(addr);

	return getpeername(fd, &addr.any, &len) == -1 && errno == ENOTCONN;
}

static int bound_socket(const char *host, int type, int port)
{
	int fd = inet_socket(host, type);

	NEED(!bind_to(fd, host, port));
	return fd;
}

static int listener(const char *host, int backlog)
{
	int fd = bound_socket(host, SOCK_STREAM, 0);

	NEED(!listen(fd, backlog));
	return fd;
}

static int client(const char *host, int port)
{
	int fd = inet_socket(host, SOCK_STREAM);

	NEED(!connect_to(fd, host, port));
	return fd;
}

/* A connection: p[0] has asked for it. */
static void tcp_pair(const char *host, int *p)
{
	int server = listener(host, 5);

	p[0] = client(host, own_port(server));
	p[1] = accept(server, NULL, NULL);
	NEED(p[1] >= 0);
	close(server);
}

/* What no option has when it cannot be read. */
#define NO_OPTION	0x7eadbeef

static int option(int fd, int level, int name)
{
	socklen_t len = sizeof(int);
	int value;

	return getsockopt(fd, level, name, &value, &len) ? NO_OPTION : value;
}

static int set_option(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value));
}

/* A server that can be started again. */
static int server_at(const char *host, int backlog)
{
	int fd = inet_socket(host, SOCK_STREAM);

	NEED(!set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1));
	NEED(!bind_to(fd, host, 0));
	NEED(!listen(fd, backlog));
	return fd;
}

static int tcp_state(int fd)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) ?
	       -errno : info.tcpi_state;
}

/* enum in net/tcp_states.h */
enum {
	ESTABLISHED = 1,
	SYN_SENT = 2,
	FIN_WAIT2 = 5,
	CLOSED = 7,
	CLOSE_WAIT = 8,
	LISTENING = 10,
};

/* What is on its way arrives, but nobody says when: within this, on any machine. */
#define ARRIVAL_MS	30000

static bool wait_state(int fd, int state)
{
	int i;

	for (i = 0; i < ARRIVAL_MS && tcp_state(fd) != state; i++)
		usleep(1000);
	return tcp_state(fd) == state;
}

static bool wait_unread(int fd, int bytes)
{
	int i, nr = -1;

	for (i = 0; i < ARRIVAL_MS; i++) {
		if (ioctl(fd, FIONREAD, &nr) || nr == bytes)
			break;
		usleep(1000);
	}
	return nr == bytes;
}

/* Until all has arrived, whoever is there. */
static bool wait_arrival(int fd)
{
	int i, nr = -1;

	for (i = 0; i < ARRIVAL_MS; i++) {
		if (ioctl(fd, TIOCOUTQ, &nr) || !nr)
			break;
		usleep(1000);
	}
	return nr == 0;
}

static bool wait_events(int fd, short events)
{
	struct pollfd pfd = { .fd = fd, .events = events };

	return poll(&pfd, 1, ARRIVAL_MS) == 1 && pfd.revents & events;
}

static bool next_is(int fd, const char *text)
{
	char buf[200];
	size_t len = strlen(text);

	return recv(fd, buf, len, MSG_WAITALL) == (ssize_t)len &&
	       !memcmp(buf, text, len);
}

static bool next_errno_is(int fd, int error)
{
	char byte;

	return recv(fd, &byte, 1, MSG_DONTWAIT) == -1 && errno == error;
}

static bool ends(int fd)
{
	char byte;

	return wait_events(fd, POLLIN) && recv(fd, &byte, 1, MSG_DONTWAIT) == 0;
}

static bool says(int fd, const char *text)
{
	return send(fd, text, strlen(text), MSG_NOSIGNAL) ==
	       (ssize_t)strlen(text);
}

static void check_talk(int a, int b)
{
	CHECK(says(a, "there") && next_is(b, "there"));
	CHECK(says(b, "back again") && next_is(a, "back again"));
}

/* --- not connected -------------------------------------------------------- */

static void unconnected(const char *host, const char *any)
{
	int unbound = inet_socket(host, SOCK_STREAM);
	int bound = bound_socket(host, SOCK_STREAM, 0);
	int port = own_port(bound), other;

	NEED(!fcntl(unbound, F_SETFL, O_NONBLOCK));
	NEED(!fcntl(bound, F_SETFD, FD_CLOEXEC));
	ckpt_point();
	CHECK(own_name_is(unbound, any, 0));
	CHECK(own_name_is(bound, host, port));
	CHECK(has_no_peer(unbound) && has_no_peer(bound));
	CHECK_EQ(O_RDWR | O_NONBLOCK, fcntl(unbound, F_GETFL));
	CHECK_EQ(O_RDWR, fcntl(bound, F_GETFL));
	CHECK_EQ(FD_CLOEXEC, fcntl(bound, F_GETFD));
	CHECK_EQ(IPPROTO_TCP, option(bound, SOL_SOCKET, SO_PROTOCOL));
	CHECK_EQ(SOCK_STREAM, option(bound, SOL_SOCKET, SO_TYPE));

	/* The port is its own, and of use. */
	other = inet_socket(host, SOCK_STREAM);
	CHECK_EQ(-1, bind_to(other, host, port));
	CHECK_EQ(EADDRINUSE, errno);
	CHECK(!listen(bound, 1));
	CHECK(!fcntl(unbound, F_SETFL, 0));
	CHECK(!connect_to(unbound, host, port));
	CHECK((other = accept(bound, NULL, NULL)) >= 0);
	check_talk(unbound, other);
}

ROUNDTRIP(tcp_unconnected) { unconnected("127.0.0.1", "0.0.0.0"); }
ROUNDTRIP(tcp6_unconnected) { unconnected("::1", "::"); }
ROUNDTRIP(tcp_mapped_unconnected)
{
	unconnected("::ffff:127.0.0.1", "::");
}

/* Who chose the address and the port matters when the socket is let go. */
ROUNDTRIP(udp_locks)
{
	int chosen = bound_socket("127.0.0.1", SOCK_DGRAM, 0);
	int port = own_port(chosen), fd;

	close(chosen);
	chosen = bound_socket("127.0.0.1", SOCK_DGRAM, port);
	fd = inet_socket("127.0.0.1", SOCK_DGRAM);
	NEED(!connect_to(fd, "127.0.0.1", port));
	NEED(!connect_to(chosen, "127.0.0.1", own_port(fd)));
	ckpt_point();
	CHECK(peer_name_is(fd, "127.0.0.1", port));
	CHECK(own_name_is(chosen, "127.0.0.1", port));
	CHECK(!disconnect(fd));
	CHECK(own_name_is(fd, "0.0.0.0", 0));
	CHECK(!disconnect(chosen));
	CHECK(own_name_is(chosen, "127.0.0.1", port));
}

ROUNDTRIP(address_without_port)
{
	int fd = inet_socket("127.0.0.1", SOCK_STREAM), server, other;

	server = listener("127.0.0.1", 1);
	NEED(!set_option(fd, SOL_IP, IP_BIND_ADDRESS_NO_PORT, 1));
	NEED(!bind_to(fd, "127.0.0.2", 0));
	NEED(own_port(fd) == 0);
	ckpt_point();
	CHECK(own_name_is(fd, "127.0.0.2", 0));
	CHECK(!connect_to(fd, "127.0.0.1", own_port(server)));
	CHECK((other = accept(server, NULL, NULL)) >= 0);
	CHECK(peer_name_is(other, "127.0.0.2", own_port(fd)));
}

/* --- listening ------------------------------------------------------------ */

static void listening(const char *host, const char *reach)
{
	int server = listener(host, 3), port = own_port(server), p[2];

	ckpt_point();
	CHECK_EQ(LISTENING, tcp_state(server));
	CHECK(own_name_is(server, host, port));
	CHECK_EQ(1, option(server, SOL_SOCKET, SO_ACCEPTCONN));
	p[0] = client(reach, port);
	CHECK((p[1] = accept(server, NULL, NULL)) >= 0);
	CHECK(own_name_is(p[1], strchr(host, ':') && !strchr(reach, ':') ?
			  "::ffff:127.0.0.1" : reach, port));
	check_talk(p[0], p[1]);
}

ROUNDTRIP(listening_any) { listening("0.0.0.0", "127.0.0.1"); }
ROUNDTRIP(listening_one) { listening("127.0.0.1", "127.0.0.1"); }
ROUNDTRIP(listening6_any) { listening("::", "::1"); }
ROUNDTRIP(listening6_dual) { listening("::", "127.0.0.1"); }
ROUNDTRIP(listening6_one) { listening("::1", "::1"); }

/* Both families at a port. */
ROUNDTRIP(listening_v6only)
{
	int six, four, port, fd, tries;

	/* What IPv4 has left of a connection can be at a port that IPv6 has free. */
	for (tries = 0; ; tries++) {
		six = inet_socket("::", SOCK_STREAM);
		four = inet_socket("0.0.0.0", SOCK_STREAM);
		NEED(!set_option(six, SOL_IPV6, IPV6_V6ONLY, 1));
		NEED(!bind_to(six, "::", 0));
		port = own_port(six);
		if (!bind_to(four, "0.0.0.0", port))
			break;
		NEED(errno == EADDRINUSE && tries < 20);
		close(six);
		close(four);
	}
	NEED(!listen(six, 1) && !listen(four, 1));
	NEED(!fcntl(six, F_SETFL, O_NONBLOCK));
	ckpt_point();
	CHECK_EQ(1, option(six, SOL_IPV6, IPV6_V6ONLY));
	CHECK(client("127.0.0.1", port) >= 0);
	CHECK_EQ(-1, accept(six, NULL, NULL));
	CHECK_EQ(EAGAIN, errno);
	CHECK((fd = accept(four, NULL, NULL)) >= 0);
	CHECK(client("::1", port) >= 0 && wait_events(six, POLLIN));
	CHECK(accept(six, NULL, NULL) >= 0);
}

/* How many may wait. */
ROUNDTRIP(backlog)
{
	int server = listener("127.0.0.1", 0), port = own_port(server), fd, i;
	struct pollfd pfd = { .events = POLLOUT };
	int ready = 0;

	ckpt_point();
	for (i = 0; i < 4; i++) {
		fd = inet_socket("127.0.0.1", SOCK_STREAM | SOCK_NONBLOCK);
		CHECK(!connect_to(fd, "127.0.0.1", port) ||
		      errno == EINPROGRESS);
		pfd.fd = fd;
		/* The first one is, sooner or later. */
		ready += poll(&pfd, 1, i ? 0 : ARRIVAL_MS);
	}
	/* One more than was said; the others ask again and again. */
	CHECK_EQ(1, ready);
}

/* A group of sockets at a port, and one that is bound beside it. */
ROUNDTRIP(reuse)
{
	int a = inet_socket("0.0.0.0", SOCK_STREAM);
	int b = inet_socket("0.0.0.0", SOCK_STREAM);
	int c = inet_socket("0.0.0.0", SOCK_DGRAM);
	int d = inet_socket("0.0.0.0", SOCK_DGRAM);
	int port, fd, i;

	NEED(!set_option(a, SOL_SOCKET, SO_REUSEPORT, 1));
	NEED(!set_option(b, SOL_SOCKET, SO_REUSEPORT, 1));
	NEED(!set_option(c, SOL_SOCKET, SO_REUSEADDR, 1));
	NEED(!set_option(d, SOL_SOCKET, SO_REUSEADDR, 1));
	NEED(!bind_to(a, "0.0.0.0", 0));
	port = own_port(a);
	NEED(!bind_to(b, "0.0.0.0", port));
	NEED(!listen(a, 64) && !listen(b, 64));
	NEED(!bind_to(c, "0.0.0.0", port) && !bind_to(d, "0.0.0.0", port));
	ckpt_point();
	CHECK_EQ(1, option(a, SOL_SOCKET, SO_REUSEPORT));
	CHECK_EQ(0, option(a, SOL_SOCKET, SO_REUSEADDR));
	CHECK_EQ(1, option(c, SOL_SOCKET, SO_REUSEADDR));
	CHECK(own_name_is(b, "0.0.0.0", port) &&
	      own_name_is(d, "0.0.0.0", port));
	for (i = 0; i < 40; i++)
		client("127.0.0.1", port);
	NEED(!fcntl(a, F_SETFL, O_NONBLOCK) && !fcntl(b, F_SETFL, O_NONBLOCK));
	for (i = 0; (fd = accept(a, NULL, NULL)) >= 0; i++)
		close(fd);
	CHECK(i > 0 && i < 40);
	for (; accept(b, NULL, NULL) >= 0; i++)
		;
	CHECK_EQ(40, i);
}

/* Bound first, and listening later: the one that does not listen is in front. */
ROUNDTRIP(bound_beside_a_listener)
{
	int first = inet_socket("127.0.0.1", SOCK_STREAM);
	int second = inet_socket("127.0.0.1", SOCK_STREAM);

	NEED(!set_option(first, SOL_SOCKET, SO_REUSEADDR, 1));
	NEED(!set_option(second, SOL_SOCKET, SO_REUSEADDR, 1));
	NEED(!bind_to(first, "127.0.0.1", 0));
	NEED(!bind_to(second, "127.0.0.1", own_port(first)));
	NEED(!listen(first, 1));
	ckpt_point();
	CHECK_EQ(LISTENING, tcp_state(first));
	CHECK_EQ(CLOSED, tcp_state(second));
	CHECK_EQ(own_port(first), own_port(second));
	CHECK_EQ(-1, listen(second, 1));
	CHECK_EQ(EADDRINUSE, errno);
}

/* --- UDP ------------------------------------------------------------------ */

static void udp(const char *host, const char *any)
{
	int server = bound_socket(host, SOCK_DGRAM, 0), port = own_port(server);
	int fd = inet_socket(host, SOCK_DGRAM), unbound;
	int third = bound_socket(host, SOCK_DGRAM, 0), own;
	union address addr;
	socklen_t len;

	unbound = inet_socket(host, SOCK_DGRAM);
	NEED(!connect_to(fd, host, port));
	own = own_port(fd);
	ckpt_point();
	CHECK_EQ(IPPROTO_UDP, option(fd, SOL_SOCKET, SO_PROTOCOL));
	CHECK(own_name_is(unbound, any, 0));
	CHECK(own_name_is(server, host, port) && has_no_peer(server));
	CHECK(own_name_is(fd, host, own) && peer_name_is(fd, host, port));
	CHECK(says(fd, "question") && next_is(server, "question"));
	/* Nobody else can answer. */
	len = make_addr(&addr, host, own);
	CHECK_EQ(4, sendto(third, "fake", 4, 0, &addr.any, len));
	CHECK_EQ(6, sendto(server, "answer", 6, 0, &addr.any, len));
	CHECK(next_is(fd, "answer"));
	CHECK(next_errno_is(fd, EAGAIN));
}

ROUNDTRIP(udp4) { udp("127.0.0.1", "0.0.0.0"); }
ROUNDTRIP(udp6) { udp("::1", "::"); }
ROUNDTRIP(udp_mapped) { udp("::ffff:127.0.0.1", "::"); }

/* Who only asks for the way there connects to no port. */
static void udp_port_0(const char *host, const char *any)
{
	int fd = inet_socket(host, SOCK_DGRAM), port;

	NEED(!connect_to(fd, host, 0));
	port = own_port(fd);
	ckpt_point();
	CHECK(own_name_is(fd, host, port) && has_no_peer(fd));
	CHECK(!disconnect(fd));
	CHECK(own_name_is(fd, any, 0));
}

ROUNDTRIP(udp4_port_0) { udp_port_0("127.0.0.1", "0.0.0.0"); }
ROUNDTRIP(udp6_port_0) { udp_port_0("::1", "::"); }
ROUNDTRIP(udp_mapped_port_0) { udp_port_0("::ffff:127.0.0.1", "::"); }

/* It has its port at one address only, and others have it at another one. */
ROUNDTRIP(udp_same_port)
{
	int other = inet_socket("127.0.0.2", SOCK_DGRAM), port;
	int server = bound_socket("127.0.0.1", SOCK_DGRAM, 0);
	int fd = inet_socket("127.0.0.1", SOCK_DGRAM);

	NEED(!connect_to(fd, "127.0.0.1", own_port(server)));
	port = own_port(fd);
	NEED(!bind_to(other, "127.0.0.2", port));
	ckpt_point();
	CHECK(own_name_is(other, "127.0.0.2", port));
	CHECK(own_name_is(fd, "127.0.0.1", port));
	CHECK(says(fd, "question") && next_is(server, "question"));
	CHECK(!disconnect(fd));
	CHECK(own_name_is(fd, "0.0.0.0", 0));
}

ROUNDTRIP(udp_shutdown)
{
	int server = bound_socket("127.0.0.1", SOCK_DGRAM, 0);
	int fd = inet_socket("127.0.0.1", SOCK_DGRAM);
	char byte;

	NEED(!connect_to(fd, "127.0.0.1", own_port(server)));
	NEED(!shutdown(fd, SHUT_RD));
	ckpt_point();
	CHECK_EQ(0, recv(fd, &byte, 1, 0));
	CHECK(says(fd, "still") && next_is(server, "still"));
}

/* The next datagram, and who sent it. */
static bool next_is_from(int fd, const char *text, size_t text_len,
			 const char *host, int port)
{
	union address addr, expected;
	socklen_t len = sizeof(addr);
	static char buf[70000];
	ssize_t got;

	make_addr(&expected, host, port);
	got = recvfrom(fd, buf, sizeof(buf), MSG_DONTWAIT, &addr.any, &len);
	return got == (ssize_t)text_len && !memcmp(buf, text, got) &&
	       !memcmp(&addr, &expected, len);
}

static void udp_unread(const char *host, const char *sender)
{
	int server = bound_socket(host, SOCK_DGRAM, 0), i, nr;
	int a = inet_socket(sender, SOCK_DGRAM);
	int b = inet_socket(sender, SOCK_DGRAM);
	static char large[60000];
	const char *from = host;

	if (strchr(host, ':') && !strchr(sender, ':'))
		from = "::ffff:127.0.0.1";
	NEED(!connect_to(a, sender, own_port(server)));
	NEED(!connect_to(b, sender, own_port(server)));
	ckpt_fill(large, sizeof(large), 4);
	NEED(says(a, "first"));
	NEED(send(b, "", 0, 0) == 0);
	NEED(send(b, large, sizeof(large), 0) == sizeof(large));
	for (i = 0; i < 50; i++)
		NEED(says(a, "again"));
	/* One was looked at, which moves all into another queue. */
	NEED(wait_events(server, POLLIN));
	NEED(recv(server, &nr, 1, MSG_PEEK) == 1);
	NEED(says(b, "last"));
	ckpt_point();
	CHECK(!ioctl(server, FIONREAD, &nr) && nr == 5);
	CHECK(next_is_from(server, "first", 5, from, own_port(a)));
	CHECK(next_is_from(server, "", 0, from, own_port(b)));
	CHECK(next_is_from(server, large, sizeof(large), from, own_port(b)));
	for (i = 0; i < 50; i++)
		CHECK(next_is_from(server, "again", 5, from, own_port(a)));
	CHECK(next_is_from(server, "last", 4, from, own_port(b)));
	CHECK(next_errno_is(server, EAGAIN));
	CHECK(says(a, "new") && next_is(server, "new"));
}

ROUNDTRIP(udp_unread4) { udp_unread("127.0.0.1", "127.0.0.1"); }
ROUNDTRIP(udp_unread6) { udp_unread("::1", "::1"); }
ROUNDTRIP(udp_unread_dual) { udp_unread("::", "127.0.0.1"); }

/* An IPv6 socket speaks IPv4, too, also when it is connected with IPv6. */
ROUNDTRIP(v6_and_v4)
{
	int server = bound_socket("::1", SOCK_DGRAM, 0), p[2];
	int fd = inet_socket("::1", SOCK_DGRAM);
	int four = bound_socket("127.0.0.1", SOCK_DGRAM, 0);
	union address addr;
	socklen_t len;

	NEED(!connect_to(fd, "::1", own_port(server)));
	tcp_pair("::1", p);
	NEED(option(fd, SOL_IPV6, IPV6_V6ONLY) == 0);
	NEED(option(server, SOL_IPV6, IPV6_V6ONLY) == 1);
	NEED(option(p[0], SOL_IPV6, IPV6_V6ONLY) == 0);
	ckpt_point();
	CHECK_EQ(0, option(fd, SOL_IPV6, IPV6_V6ONLY));
	CHECK_EQ(1, option(server, SOL_IPV6, IPV6_V6ONLY));
	CHECK_EQ(0, option(p[0], SOL_IPV6, IPV6_V6ONLY));
	len = make_addr(&addr, "::ffff:127.0.0.1", own_port(four));
	CHECK_EQ(5, sendto(fd, "hello", 5, 0, &addr.any, len));
	CHECK(wait_events(four, POLLIN));
	CHECK(next_is_from(four, "hello", 5, "127.0.0.1", own_port(fd)));
}

/* Behind the header of UDP there must be a y. What was there before it stays. */
ROUNDTRIP(udp_filter)
{
	static const struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 8),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 'y', 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0xffff),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog prog = { ARRAY_SIZE(code),
				   (struct sock_filter *)code };
	int server = bound_socket("127.0.0.1", SOCK_DGRAM, 0);
	int fd = inet_socket("127.0.0.1", SOCK_DGRAM), zero = 0;

	NEED(!connect_to(fd, "127.0.0.1", own_port(server)));
	NEED(says(fd, "no, but early"));
	NEED(!setsockopt(server, SOL_SOCKET, SO_ATTACH_FILTER, &prog,
			 sizeof(prog)));
	NEED(says(fd, "no") && says(fd, "yes"));
	ckpt_point();
	CHECK(says(fd, "no") && says(fd, "yonder"));
	CHECK(next_is(server, "no, but early"));
	CHECK(next_is(server, "yes") && next_is(server, "yonder"));
	CHECK_EQ(0, setsockopt(server, SOL_SOCKET, SO_DETACH_FILTER, &zero,
			       sizeof(zero)));
	CHECK(says(fd, "no") && next_is(server, "no"));
}

/* The next datagram and when it came. */
static ssize_t next_stamp(int fd, char *buf, size_t size, struct timespec *stamp)
{
	char control[200];
	struct iovec iov = { buf, size };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg;
	ssize_t ret;

	ret = recvmsg(fd, &msg, MSG_DONTWAIT);
	memset(stamp, 0, sizeof(*stamp));
	for (cmsg = CMSG_FIRSTHDR(&msg); cmsg; cmsg = CMSG_NXTHDR(&msg, cmsg))
		if (cmsg->cmsg_type == SCM_TIMESTAMPNS)
			memcpy(stamp, CMSG_DATA(cmsg), sizeof(*stamp));
	return ret;
}

static bool is_before(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec != b->tv_sec ? a->tv_sec < b->tv_sec :
					a->tv_nsec < b->tv_nsec;
}

/* Time and place of reading. */
ROUNDTRIP(udp_stamp)
{
	int server = bound_socket("127.0.0.1", SOCK_DGRAM, 0);
	int fd = inet_socket("127.0.0.1", SOCK_DGRAM), i;
	struct timespec before, after, stamp;
	char buf[20] = "";

	NEED(!set_option(server, SOL_SOCKET, SO_TIMESTAMPNS, 1));
	NEED(!connect_to(fd, "127.0.0.1", own_port(server)));
	/*
	 * Stamps are switched on a moment later. What came before that has the time
	 * of its being read.
	 */
	for (i = 0; i < ARRIVAL_MS; i++) {
		NEED(says(fd, "try") && wait_events(server, POLLIN));
		clock_gettime(CLOCK_REALTIME, &after);
		NEED(next_stamp(server, buf, sizeof(buf), &stamp) == 3);
		if (is_before(&stamp, &after))
			break;
		usleep(1000);
	}
	memset(buf, 0, sizeof(buf));
	NEED(!set_option(server, SOL_SOCKET, SO_PEEK_OFF, 2));
	clock_gettime(CLOCK_REALTIME, &before);
	NEED(says(fd, "data") && wait_events(server, POLLIN));
	clock_gettime(CLOCK_REALTIME, &after);
	ckpt_point();
	CHECK_EQ(2, recv(server, buf, 2, MSG_PEEK));
	CHECK(!strcmp(buf, "ta"));
	CHECK_EQ(4, next_stamp(server, buf, sizeof(buf), &stamp));
	CHECK(!strcmp(buf, "data"));
	NEED(stamp.tv_sec);
	CHECK(!is_before(&stamp, &before) && !is_before(&after, &stamp));
}

/* With the next datagram comes how many were lost before it; -1: nothing. */
static int next_losses(int fd, const char *text)
{
	char control[200], buf[1000] = "";
	struct iovec iov = { buf, sizeof(buf) };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg;
	int lost = -1;

	CHECK(recvmsg(fd, &msg, MSG_DONTWAIT) >= 0);
	CHECK_SAY(!strcmp(buf, text), "\"%s\" and not \"%s\"", buf, text);
	for (cmsg = CMSG_FIRSTHDR(&msg); cmsg; cmsg = CMSG_NXTHDR(&msg, cmsg))
		if (cmsg->cmsg_type == SO_RXQ_OVFL)
			memcpy(&lost, CMSG_DATA(cmsg), sizeof(lost));
	return lost;
}

ROUNDTRIP(udp_losses)
{
	int server = bound_socket("127.0.0.1", SOCK_DGRAM, 0);
	int fd = inet_socket("127.0.0.1", SOCK_DGRAM), i;
	int first = 100, second = 50;
	static char much[1000];

	NEED(!set_option(server, SOL_SOCKET, SO_RXQ_OVFL, 1));
	NEED(!set_option(server, SOL_SOCKET, SO_RCVBUF, 1));
	NEED(!connect_to(fd, "127.0.0.1", own_port(server)));
	for (i = 0; i < first; i++)
		NEED(send(fd, much, sizeof(much), 0) == sizeof(much));
	while (recv(server, much, sizeof(much), MSG_DONTWAIT) > 0)
		first--;
	NEED(first > 10 && says(fd, "a"));
	for (i = 0; i < second; i++)
		NEED(send(fd, much, sizeof(much), 0) == sizeof(much));
	ckpt_point();
	CHECK_EQ(first, next_losses(server, "a"));
	while (recv(server, much, sizeof(much), MSG_DONTWAIT) > 0)
		second--;
	CHECK(second > 10);
	CHECK(says(fd, "b"));
	CHECK_EQ(first + second, next_losses(server, "b"));
}

REFUSED(udp_unread_mark, EOPNOTSUPP, "file_socket", "control messages")
{
	int server = bound_socket("127.0.0.1", SOCK_DGRAM, 0);
	int fd = inet_socket("127.0.0.1", SOCK_DGRAM);

	NEED(!set_option(server, SOL_SOCKET, SO_RCVMARK, 1));
	NEED(!connect_to(fd, "127.0.0.1", own_port(server)));
	NEED(says(fd, "data") && wait_events(server, POLLIN));
	ckpt_value[0] = server;
	ckpt_point();
	CHECK(next_is(server, "data"));
}

REFUSED(udp_unread_pktinfo, EOPNOTSUPP, "file_socket", "control messages")
{
	int server = bound_socket("127.0.0.1", SOCK_DGRAM, 0);
	int fd = inet_socket("127.0.0.1", SOCK_DGRAM);

	NEED(!set_option(server, SOL_IP, IP_PKTINFO, 1));
	NEED(!connect_to(fd, "127.0.0.1", own_port(server)));
	NEED(says(fd, "data") && wait_events(server, POLLIN));
	ckpt_value[0] = server;
	ckpt_point();
	CHECK(next_is(server, "data"));
}

/* --- options -------------------------------------------------------------- */

struct option {
	int level, name, value;
};

static const struct option socket_options[] = {
	{ SOL_SOCKET, SO_REUSEADDR, 1 },
	{ SOL_SOCKET, SO_KEEPALIVE, 1 },
	{ SOL_SOCKET, SO_PRIORITY, 3 },
	{ SOL_SOCKET, SO_MARK, 77 },
	{ SOL_SOCKET, SO_SNDBUF, 40000 },
	{ SOL_SOCKET, SO_RCVBUF, 50000 },
	{ SOL_IP, IP_TOS, 0x10 },
	{ SOL_IP, IP_TTL, 33 },
	{ SOL_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO },
	{ SOL_IP, IP_RECVERR, 1 },
	{ SOL_IP, IP_PKTINFO, 1 },
	{ SOL_IP, IP_RECVTOS, 1 },
	{ SOL_IP, IP_RECVTTL, 1 },
	{ SOL_IP, IP_FREEBIND, 1 },
	{ SOL_IP, IP_TRANSPARENT, 1 },
	{ SOL_IP, IP_MINTTL, 5 },
	{ SOL_IP, IP_RECVERR_RFC4884, 1 },
	{ SOL_IP, IP_CHECKSUM, 1 },
};

static const struct option tcp_options[] = {
	{ SOL_SOCKET, SO_RCVLOWAT, 3 },
	{ SOL_TCP, TCP_NODELAY, 1 },
	{ SOL_TCP, TCP_CORK, 1 },
	{ SOL_TCP, TCP_MAXSEG, 1000 },
	{ SOL_TCP, TCP_KEEPIDLE, 100 },
	{ SOL_TCP, TCP_KEEPINTVL, 20 },
	{ SOL_TCP, TCP_KEEPCNT, 4 },
	{ SOL_TCP, TCP_SYNCNT, 3 },
	{ SOL_TCP, TCP_LINGER2, 30 },
	{ SOL_TCP, TCP_DEFER_ACCEPT, 7 },
	{ SOL_TCP, TCP_WINDOW_CLAMP, 30000 },
	{ SOL_TCP, TCP_USER_TIMEOUT, 12345 },
	{ SOL_TCP, TCP_THIN_LINEAR_TIMEOUTS, 1 },
	{ SOL_TCP, TCP_NOTSENT_LOWAT, 5000 },
	{ SOL_TCP, TCP_INQ, 1 },
	{ SOL_TCP, TCP_SAVE_SYN, 1 },
	{ SOL_TCP, TCP_FASTOPEN, 5 },
};

static const struct option udp_options[] = {
	{ SOL_SOCKET, SO_BROADCAST, 1 },
	{ SOL_SOCKET, SO_NO_CHECK, 1 },
	{ SOL_SOCKET, SO_PEEK_OFF, 2 },
	{ SOL_IP, IP_MULTICAST_TTL, 9 },
	{ SOL_IP, IP_MULTICAST_LOOP, 0 },
	{ SOL_IP, IP_MULTICAST_ALL, 0 },
	{ SOL_IP, IP_LOCAL_PORT_RANGE, 50000 << 16 | 40000 },
	{ SOL_UDP, UDP_CORK, 1 },
	{ SOL_UDP, UDP_SEGMENT, 1200 },
	{ SOL_UDP, UDP_GRO, 1 },
	{ SOL_UDP, UDP_NO_CHECK6_TX, 1 },
};

static const struct option v6_options[] = {
	{ SOL_IPV6, IPV6_V6ONLY, 1 },
	{ SOL_IPV6, IPV6_UNICAST_HOPS, 44 },
	{ SOL_IPV6, IPV6_TCLASS, 0x20 },
	{ SOL_IPV6, IPV6_RECVPKTINFO, 1 },
	{ SOL_IPV6, IPV6_RECVHOPLIMIT, 1 },
	{ SOL_IPV6, IPV6_RECVTCLASS, 1 },
	{ SOL_IPV6, IPV6_RECVERR, 1 },
	{ SOL_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DONT },
	{ SOL_IPV6, IPV6_DONTFRAG, 1 },
	{ SOL_IPV6, IPV6_RECVERR_RFC4884, 1 },
	{ SOL_IPV6, IPV6_AUTOFLOWLABEL, 0 },
	{ SOL_IPV6, 72 /* ADDR_PREFERENCES */, 2 },
	{ SOL_IPV6, 73 /* MINHOPCOUNT */, 6 },
};

static void set_all(int fd, const struct option *opts, int nr)
{
	for (; nr--; opts++)
		CHECK_SAY(!set_option(fd, opts->level, opts->name, opts->value),
			  "option %d of level %d: errno %d", opts->name,
			  opts->level, errno);
}

/* Some come back in another form; what counts is that nothing changes. */
static void note_all(int fd, struct option *seen, const struct option *opts,
		     int nr)
{
	for (; nr--; opts++, seen++) {
		*seen = *opts;
		seen->value = option(fd, opts->level, opts->name);
		CHECK_SAY(seen->value != NO_OPTION, "option %d of level %d",
			  opts->name, opts->level);
	}
}

static void check_all(int fd, const struct option *seen, int nr)
{
	for (; nr--; seen++)
		CHECK_SAY(option(fd, seen->level, seen->name) == seen->value,
			  "option %d of level %d is %d and not %d", seen->name,
			  seen->level, option(fd, seen->level, seen->name),
			  seen->value);
}

static void all_options(int family, int type, const struct option *opts, int nr)
{
	struct option seen[3][20], defaults[3][20];
	int fd = socket(family, type, 0), plain = socket(family, type, 0);

	NEED(fd >= 0 && plain >= 0);
	set_all(fd, socket_options, ARRAY_SIZE(socket_options));
	set_all(fd, opts, nr);
	note_all(fd, seen[0], socket_options, ARRAY_SIZE(socket_options));
	note_all(fd, seen[1], opts, nr);
	note_all(plain, defaults[0], socket_options,
		 ARRAY_SIZE(socket_options));
	note_all(plain, defaults[1], opts, nr);
	if (family == AF_INET6) {
		set_all(fd, v6_options, ARRAY_SIZE(v6_options));
		note_all(fd, seen[2], v6_options, ARRAY_SIZE(v6_options));
		note_all(plain, defaults[2], v6_options,
			 ARRAY_SIZE(v6_options));
	}
	ckpt_point();
	check_all(fd, seen[0], ARRAY_SIZE(socket_options));
	check_all(fd, seen[1], nr);
	check_all(plain, defaults[0], ARRAY_SIZE(socket_options));
	check_all(plain, defaults[1], nr);
	if (family == AF_INET6) {
		check_all(fd, seen[2], ARRAY_SIZE(v6_options));
		check_all(plain, defaults[2], ARRAY_SIZE(v6_options));
	}
}

ROUNDTRIP(options_tcp)
{
	all_options(AF_INET, SOCK_STREAM, tcp_options, ARRAY_SIZE(tcp_options));
}

ROUNDTRIP(options_tcp6)
{
	all_options(AF_INET6, SOCK_STREAM, tcp_options,
		    ARRAY_SIZE(tcp_options));
}

ROUNDTRIP(options_udp)
{
	all_options(AF_INET, SOCK_DGRAM, udp_options, ARRAY_SIZE(udp_options));
}

ROUNDTRIP(options_udp6)
{
	all_options(AF_INET6, SOCK_DGRAM, udp_options, ARRAY_SIZE(udp_options));
}

/* The limit of the one is the other, as that is just then. */
ROUNDTRIP(lowat_and_buffer)
{
	int large = inet_socket("127.0.0.1", SOCK_STREAM);
	int small = inet_socket("127.0.0.1", SOCK_STREAM);

	NEED(!set_option(large, SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20));
	NEED(!set_option(large, SOL_SOCKET, SO_RCVLOWAT, 5 << 20));
	NEED(option(large, SOL_SOCKET, SO_RCVLOWAT) == 5 << 20);
	NEED(!set_option(small, SOL_SOCKET, SO_RCVLOWAT, 100000));
	NEED(!set_option(small, SOL_SOCKET, SO_RCVBUF, 20000));
	ckpt_point();
	CHECK_EQ(32 << 20, option(large, SOL_SOCKET, SO_RCVBUF));
	CHECK_EQ(5 << 20, option(large, SOL_SOCKET, SO_RCVLOWAT));
	CHECK_EQ(40000, option(small, SOL_SOCKET, SO_RCVBUF));
	CHECK_EQ(100000, option(small, SOL_SOCKET, SO_RCVLOWAT));
}

ROUNDTRIP(congestion)
{
	int fd = inet_socket("127.0.0.1", SOCK_STREAM);
	char name[16] = "", other[16];
	socklen_t len = sizeof(name);

	/* There is always this one. */
	NEED(!setsockopt(fd, SOL_TCP, TCP_CONGESTION, "reno", 4));
	NEED(!getsockopt(fd, SOL_TCP, TCP_CONGESTION, name, &len));
	ckpt_point();
	len = sizeof(other);
	CHECK(!getsockopt(fd, SOL_TCP, TCP_CONGESTION, other, &len));
	CHECK(!strcmp(name, other) && !strcmp(name, "reno"));
}

ROUNDTRIP(timeouts_and_device)
{
	struct timeval send = { 3, 500000 }, receive = { 7, 0 }, tv;
	struct linger linger = { 1, 9 }, seen = {};
	int fd = inet_socket("127.0.0.1", SOCK_STREAM);
	char name[IFNAMSIZ] = "";
	const char *device = "";
	socklen_t len;

	NEED(!setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &send, sizeof(send)));
	NEED(!setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &receive,
			 sizeof(receive)));
	NEED(!setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)));
	/* Not every kernel can. */
	if (!setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 2))
		device = "lo";
	ckpt_point();
	len = sizeof(tv);
	CHECK(!getsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, &len));
	CHECK(tv.tv_sec == 3 && tv.tv_usec == 500000);
	len = sizeof(tv);
	CHECK(!getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, &len));
	CHECK(tv.tv_sec == 7 && tv.tv_usec == 0);
	len = sizeof(seen);
	CHECK(!getsockopt(fd, SOL_SOCKET, SO_LINGER, &seen, &len));
	CHECK(seen.l_onoff && seen.l_linger == 9);
	len = sizeof(name);
	CHECK(!getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, &len) ||
	      !*device);
	CHECK(!strcmp(name, device));
}

/* --- connections ---------------------------------------------------------- */

static void connected(const char *host)
{
	int p[2], ports[2], other;

	tcp_pair(host, p);
	ports[0] = own_port(p[0]);
	ports[1] = own_port(p[1]);
	NEED(says(p[0], "first") && says(p[0], "second"));
	NEED(says(p[1], "answer"));
	NEED(wait_unread(p[1], 11) && wait_unread(p[0], 6));
	NEED(next_is(p[1], "fir"));
	ckpt_point();
	CHECK_EQ(ESTABLISHED, tcp_state(p[0]));
	CHECK_EQ(ESTABLISHED, tcp_state(p[1]));
	CHECK(own_name_is(p[0], host, ports[0]) &&
	      peer_name_is(p[0], host, ports[1]));
	CHECK(own_name_is(p[1], host, ports[1]) &&
	      peer_name_is(p[1], host, ports[0]));
	CHECK(next_is(p[1], "stsecond"));
	CHECK(next_is(p[0], "answer"));
	CHECK(next_errno_is(p[0], EAGAIN) && next_errno_is(p[1], EAGAIN));
	check_talk(p[0], p[1]);
	/* What was chosen by connect() is given back, what by bind() is not. */
	CHECK(!close(p[1]));
	CHECK(ends(p[0]));
	close(p[0]);
	other = inet_socket(host, SOCK_STREAM);
	CHECK(!set_option(other, SOL_SOCKET, SO_REUSEADDR, 1));
	CHECK(!bind_to(other, host, ports[0]));
}

ROUNDTRIP(connected4) { connected("127.0.0.1"); }
ROUNDTRIP(connected6) { connected("::1"); }
ROUNDTRIP(connected_mapped) { connected("::ffff:127.0.0.1"); }
ROUNDTRIP_OPT(connected_fresh, CKPT_RT_FRESH) { connected("127.0.0.1"); }
ROUNDTRIP_OPT(connected_killed, CKPT_RT_KILL) { connected("127.0.0.1"); }

/* An end of each family. */
ROUNDTRIP(connected_dual)
{
	int server = server_at("::", 5), port = own_port(server), p[2];

	p[0] = client("127.0.0.1", port);
	NEED((p[1] = accept(server, NULL, NULL)) >= 0);
	NEED(says(p[0], "from v4") && says(p[1], "from v6"));
	NEED(wait_unread(p[1], 7) && wait_unread(p[0], 7));
	ckpt_point();
	CHECK(peer_name_is(p[0], "127.0.0.1", port));
	CHECK(peer_name_is(p[1], "::ffff:127.0.0.1", own_port(p[0])));
	CHECK(next_is(p[1], "from v4") && next_is(p[0], "from v6"));
	check_talk(p[0], p[1]);
}

/* Who is bound to a device finds, and is found. */
ROUNDTRIP(connected_by_device)
{
	int server = inet_socket("127.0.0.1", SOCK_STREAM), p[2], q[2];

	if (setsockopt(server, SOL_SOCKET, SO_BINDTODEVICE, "lo", 2))
		ckpt_skip("SO_BINDTODEVICE: %s", strerror(errno));
	NEED(!bind_to(server, "127.0.0.1", 0) && !listen(server, 5));
	p[0] = client("127.0.0.1", own_port(server));
	q[0] = inet_socket("127.0.0.1", SOCK_STREAM);
	NEED(!setsockopt(q[0], SOL_SOCKET, SO_BINDTODEVICE, "lo", 2));
	NEED(!connect_to(q[0], "127.0.0.1", own_port(server)));
	NEED((p[1] = accept(server, NULL, NULL)) >= 0);
	NEED((q[1] = accept(server, NULL, NULL)) >= 0);
	close(server);
	ckpt_point();
	check_talk(p[0], p[1]);
	check_talk(q[0], q[1]);
}

/* All that can be on the way, in both directions. */
static size_t write_all(int fd, char *buf, size_t len)
{
	size_t done = 0;
	ssize_t ret;
	int tries;

	/* Buffers grow as long as something is sent. */
	for (tries = 0; tries < 20 && done < len; tries++) {
		while (done < len &&
		       (ret = send(fd, buf + done, len - done,
				   MSG_DONTWAIT | MSG_NOSIGNAL)) > 0) {
			done += ret;
			tries = 0;
		}
		usleep(2000);
	}
	return done;
}

static void check_read(int fd, const char *text, size_t len)
{
	char *buf = malloc(len);
	ssize_t ret;
	size_t done = 0;

	while (done < len && (ret = recv(fd, buf + done, len - done, 0)) > 0)
		done += ret;
	CHECK_EQ(len, done);
	CHECK(!memcmp(text, buf, done));
	free(buf);
}

#define LOTS	(16 << 20)

static void full(bool fin, int lowat)
{
	char *text = malloc(LOTS), *back = text + (1 << 20);
	size_t there, here;
	int p[2];

	tcp_pair("127.0.0.1", p);
	ckpt_fill(text, LOTS, 7);
	there = write_all(p[0], text, LOTS);
	here = write_all(p[1], back, LOTS / 2);
	NEED(there > 100000 && there < LOTS && here > 100000);
	NEED(!set_option(p[0], SOL_TCP, TCP_NOTSENT_LOWAT, lowat));
	if (fin)
		NEED(!shutdown(p[0], SHUT_WR));
	ckpt_point();
	check_read(p[1], text, there);
	check_read(p[0], back, here);
	if (fin) {
		CHECK(ends(p[1]));
		CHECK(says(p[1], "half") && next_is(p[0], "half"));
		CHECK(wait_state(p[0], FIN_WAIT2));
	} else {
		check_talk(p[0], p[1]);
	}
	CHECK_EQ(lowat, option(p[0], SOL_TCP, TCP_NOTSENT_LOWAT));
}

ROUNDTRIP(full_buffers) { full(false, 0); }
ROUNDTRIP(full_buffers_and_fin) { full(true, 0); }
/* One would not write so much now. */
ROUNDTRIP(full_buffers_notsent_lowat) { full(false, 16384); }

/* The size of a segment is half a window at first, and then all that can be. */
static void mss(const char *host)
{
	int p[2];

	tcp_pair(host, p);
	NEED(option(p[0], SOL_TCP, TCP_MAXSEG) > 20000);
	NEED(option(p[1], SOL_TCP, TCP_MAXSEG) > 20000);
	ckpt_point();
	CHECK(option(p[0], SOL_TCP, TCP_MAXSEG) > 20000);
	CHECK(option(p[1], SOL_TCP, TCP_MAXSEG) > 20000);
}

ROUNDTRIP(mss4) { mss("127.0.0.1"); }
ROUNDTRIP(mss6) { mss("::1"); }

#define WINDOW_SCALING	"/proc/sys/net/ipv4/tcp_window_scaling"

/* How much the other end takes, as this one knows. */
static unsigned int window_of_peer(int fd)
{
	struct tcp_info info = {};
	socklen_t len = sizeof(info);

	CHECK(!getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len));
	return info.tcpi_snd_wnd;
}

/* A connection can be older than the choice of what is asked for. */
ROUNDTRIP(no_window_scaling)
{
	int p[2];

	if (ckpt_write_file(WINDOW_SCALING, "0"))
		ckpt_skip("cannot write " WINDOW_SCALING);
	tcp_pair("127.0.0.1", p);
	NEED(!ckpt_write_file(WINDOW_SCALING, "1"));
	check_talk(p[0], p[1]);
	NEED(window_of_peer(p[0]) > 10000 && window_of_peer(p[1]) > 10000);
	ckpt_point();
	check_talk(p[0], p[1]);
	CHECK(window_of_peer(p[0]) > 10000 && window_of_peer(p[0]) < 65536);
	CHECK(window_of_peer(p[1]) > 10000 && window_of_peer(p[1]) < 65536);
}

/* The server's process has the one end, a child's child the other. */
ROUNDTRIP(between_processes)
{
	int server = server_at("127.0.0.1", 5), port = own_port(server), fd, i;
	char text[16];
	pid_t pid;

	pid = fork();
	NEED(pid >= 0);
	if (!pid) {
		close(server);
		fd = client("127.0.0.1", port);
		for (i = 0; i < 2000; i++) {
			snprintf(text, sizeof(text), "message %4d\n", i);
			if (!CHECK(says(fd, text) && next_is(fd, text)))
				break;
		}
		ckpt_target_end();
	}
	NEED((fd = accept(server, NULL, NULL)) >= 0);
	for (i = 0; i < 1000; i++) {
		snprintf(text, sizeof(text), "message %4d\n", i);
		if (!CHECK(next_is(fd, text) && says(fd, text)))
			break;
	}
	ckpt_point();
	for (; i < 2000; i++) {
		snprintf(text, sizeof(text), "message %4d\n", i);
		if (!CHECK(next_is(fd, text) && says(fd, text)))
			break;
	}
	CHECK(ends(fd));
	CHECK(client("127.0.0.1", port) >= 0);
	NEED(waitpid(pid, &i, 0) == pid);
	CHECK_EQ(0, i);
}

/* --- connections that end ------------------------------------------------- */

ROUNDTRIP(half_closed)
{
	int p[2];

	tcp_pair("127.0.0.1", p);
	NEED(says(p[0], "last"));
	NEED(!shutdown(p[0], SHUT_WR));
	NEED(wait_state(p[1], CLOSE_WAIT) && wait_state(p[0], FIN_WAIT2));
	ckpt_point();
	CHECK(wait_state(p[1], CLOSE_WAIT) && wait_state(p[0], FIN_WAIT2));
	CHECK(!says(p[0], "x") && errno == EPIPE);
	CHECK(next_is(p[1], "last") && ends(p[1]));
	CHECK(says(p[1], "more") && next_is(p[0], "more"));
	close(p[1]);
	CHECK(ends(p[0]));
}

ROUNDTRIP(half_closed6)
{
	int p[2];

	tcp_pair("::1", p);
	NEED(!shutdown(p[1], SHUT_WR));
	NEED(wait_state(p[0], CLOSE_WAIT) && wait_state(p[1], FIN_WAIT2));
	ckpt_point();
	CHECK(wait_state(p[0], CLOSE_WAIT) && wait_state(p[1], FIN_WAIT2));
	CHECK(ends(p[0]));
	CHECK(says(p[0], "more") && next_is(p[1], "more"));
}

ROUNDTRIP(does_not_read)
{
	int p[2];

	tcp_pair("127.0.0.1", p);
	NEED(!shutdown(p[0], SHUT_RD));
	ckpt_point();
	CHECK_EQ(ESTABLISHED, tcp_state(p[0]));
	CHECK(ends(p[0]));
	CHECK(says(p[0], "out") && next_is(p[1], "out"));
}

/* The other end is gone; what it wrote is there. */
static void peer_gone(const char *host)
{
	char byte;
	int p[2], i;

	tcp_pair(host, p);
	NEED(says(p[0], "last words"));
	NEED(wait_unread(p[1], 10));
	close(p[0]);
	NEED(wait_state(p[1], CLOSE_WAIT));
	ckpt_point();
	CHECK(wait_state(p[1], CLOSE_WAIT));
	CHECK(next_is(p[1], "last words") && ends(p[1]));
	/* Nobody is there any more. */
	CHECK(says(p[1], "hello"));
	for (i = 0; i < ARRIVAL_MS && says(p[1], "?"); i++)
		usleep(1000);
	CHECK_EQ(EPIPE, errno);
	CHECK(recv(p[1], &byte, 1, 0) <= 0);
}

ROUNDTRIP(peer_gone4) { peer_gone("127.0.0.1"); }
ROUNDTRIP(peer_gone6) { peer_gone("::1"); }
ROUNDTRIP(peer_gone_mapped) { peer_gone("::ffff:127.0.0.1"); }

/* What is left of a server is not in the way of the next one. */
ROUNDTRIP(server_gone)
{
	int server = server_at("127.0.0.1", 5), port = own_port(server), fd, p;

	fd = client("127.0.0.1", port);
	NEED((p = accept(server, NULL, NULL)) >= 0);
	close(p);
	close(server);
	NEED(wait_state(fd, CLOSE_WAIT));
	ckpt_point();
	CHECK(wait_state(fd, CLOSE_WAIT));
	server = inet_socket("127.0.0.1", SOCK_STREAM);
	CHECK(!set_option(server, SOL_SOCKET, SO_REUSEADDR, 1));
	CHECK(!bind_to(server, "127.0.0.1", port));
	CHECK(!listen(server, 5));
	CHECK(ends(fd));
}

/* It was closed, and still has much to bring away. */
ROUNDTRIP(peer_brings_away)
{
	char *text = malloc(LOTS);
	size_t there;
	int p[2];

	tcp_pair("127.0.0.1", p);
	ckpt_fill(text, LOTS, 9);
	there = write_all(p[0], text, LOTS);
	NEED(there > 100000 && there < LOTS);
	close(p[0]);
	ckpt_point();
	check_read(p[1], text, there);
	CHECK(ends(p[1]));
}

/* So it has, and its process did not wait for that, as it was to exit. */
ROUNDTRIP(peer_exited_and_lingers)
{
	struct linger linger = { 1, 100000 };
	char *text = malloc(LOTS);
	size_t there;
	pid_t pid;
	int p[2];

	tcp_pair("127.0.0.1", p);
	ckpt_fill(text, LOTS, 10);
	there = write_all(p[0], text, LOTS);
	NEED(there > 100000 && there < LOTS);
	NEED(!setsockopt(p[0], SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)));
	pid = fork();
	NEED(pid >= 0);
	if (!pid) {
		pause();
		_exit(1);
	}
	close(p[0]);
	NEED(!kill(pid, SIGKILL) && waitpid(pid, NULL, 0) == pid);
	ckpt_point();
	check_read(p[1], text, there);
	CHECK(ends(p[1]));
}

/* Both have ended it, and were not closed. */
ROUNDTRIP(ended)
{
	int p[2], ports[2];
	char byte;

	tcp_pair("127.0.0.1", p);
	ports[0] = own_port(p[0]);
	ports[1] = own_port(p[1]);
	NEED(!shutdown(p[0], SHUT_WR));
	NEED(ends(p[1]));
	NEED(!shutdown(p[1], SHUT_WR));
	NEED(ends(p[0]));
	NEED(wait_state(p[0], CLOSED) && wait_state(p[1], CLOSED));
	ckpt_point();
	CHECK_EQ(CLOSED, tcp_state(p[0]));
	CHECK(own_name_is(p[0], "127.0.0.1", ports[0]) && has_no_peer(p[0]));
	CHECK(own_name_is(p[1], "127.0.0.1", ports[1]) && has_no_peer(p[1]));
	CHECK_EQ(0, recv(p[0], &byte, 1, MSG_DONTWAIT));
	CHECK_EQ(0, recv(p[1], &byte, 1, MSG_DONTWAIT));
	CHECK(!says(p[0], "x") && errno == EPIPE);
}

ROUNDTRIP(was_reset)
{
	struct linger linger = { 1, 0 };
	int p[2], q[2];
	char byte;

	tcp_pair("127.0.0.1", p);
	tcp_pair("::1", q);
	NEED(!setsockopt(p[0], SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)));
	NEED(!setsockopt(q[0], SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)));
	close(p[0]);
	close(q[0]);
	NEED(wait_state(p[1], CLOSED) && wait_state(q[1], CLOSED));
	NEED(next_errno_is(q[1], ECONNRESET));
	ckpt_point();
	CHECK(next_errno_is(p[1], ECONNRESET));
	CHECK_EQ(0, recv(p[1], &byte, 1, MSG_DONTWAIT));
	CHECK_EQ(0, recv(q[1], &byte, 1, MSG_DONTWAIT));
	CHECK(!says(q[1], "x") && errno == EPIPE);
}

/* The end was told before: it is told again, and never the error. */
ROUNDTRIP(was_reset_after_the_end)
{
	struct linger linger = { 1, 0 };
	char byte;
	int p[2];

	tcp_pair("127.0.0.1", p);
	NEED(!shutdown(p[0], SHUT_WR));
	NEED(ends(p[1]));
	NEED(!setsockopt(p[0], SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)));
	close(p[0]);
	NEED(wait_state(p[1], CLOSED));
	ckpt_point();
	CHECK_EQ(0, recv(p[1], &byte, 1, MSG_DONTWAIT));
	CHECK_EQ(EPIPE, option(p[1], SOL_SOCKET, SO_ERROR));
	CHECK_EQ(0, recv(p[1], &byte, 1, MSG_DONTWAIT));
}

/* Somebody said no. */
ROUNDTRIP(was_refused)
{
	int fd = inet_socket("127.0.0.1", SOCK_STREAM | SOCK_NONBLOCK), port;
	int server = bound_socket("127.0.0.1", SOCK_STREAM, 0);

	port = own_port(server);
	NEED(connect_to(fd, "127.0.0.1", port) == -1);
	NEED(errno == EINPROGRESS && wait_events(fd, POLLOUT));
	ckpt_point();
	CHECK_EQ(ECONNREFUSED, option(fd, SOL_SOCKET, SO_ERROR));
	CHECK(!listen(server, 1));
	CHECK(connect_to(fd, "127.0.0.1", port) == -1);
	CHECK_EQ(ECONNABORTED, errno);
}

REFUSED(ended_unread, EOPNOTSUPP, "file_socket", "data that were not read")
{
	struct linger linger = { 1, 0 };
	int p[2];

	tcp_pair("127.0.0.1", p);
	NEED(says(p[0], "data") && wait_unread(p[1], 4));
	NEED(!setsockopt(p[0], SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)));
	close(p[0]);
	NEED(wait_state(p[1], CLOSED));
	ckpt_value[0] = p[1];
	ckpt_point();
	CHECK(next_is(p[1], "data"));
}

/* --- not accepted yet ----------------------------------------------------- */

static void accept_later(const char *host, const char *reach, bool reuse)
{
	int server = reuse ? server_at(host, 5) : listener(host, 5);
	int port = own_port(server), fd[3], i, p;
	const char *texts[] = { "one", "two", "three" };
	union address addr;
	socklen_t len;

	for (i = 0; i < 3; i++) {
		fd[i] = client(reach, port);
		NEED(says(fd[i], texts[i]));
	}
	close(fd[1]);
	NEED(wait_events(server, POLLIN));
	ckpt_point();
	CHECK(wait_events(server, POLLIN));
	for (i = 0; i < 3; i++) {
		len = sizeof(addr);
		CHECK((p = accept(server, &addr.any, &len)) >= 0);
		CHECK(next_is(p, texts[i]));
		if (i == 1) {
			CHECK(ends(p));
		} else {
			CHECK_EQ(own_port(fd[i]), port_of(&addr));
			check_talk(fd[i], p);
		}
	}
	NEED(!fcntl(server, F_SETFL, O_NONBLOCK));
	CHECK_EQ(-1, accept(server, NULL, NULL));
	CHECK_EQ(EAGAIN, errno);
	CHECK(client(reach, port) >= 0 && wait_events(server, POLLIN));
	CHECK(accept(server, NULL, NULL) >= 0);
}

ROUNDTRIP(accept_later4) { accept_later("0.0.0.0", "127.0.0.1", true); }
ROUNDTRIP(accept_later6) { accept_later("::", "::1", true); }
ROUNDTRIP(accept_later_dual) { accept_later("::", "127.0.0.1", true); }
ROUNDTRIP_OPT(accept_later_killed, CKPT_RT_KILL)
{
	/* Killed this way it leaves nothing that could be in the way. */
	accept_later("0.0.0.0", "127.0.0.1", false);
}

/* One has gone already; as with that, nobody is there to be accepted. */
ROUNDTRIP(reset_before_accept)
{
	struct linger linger = { 1, 0 };
	int server = server_at("127.0.0.1", 5), port = own_port(server);
	int first = client("127.0.0.1", port);
	int second = client("127.0.0.1", port), fd;
	union address addr;
	socklen_t len = sizeof(addr);

	NEED(says(second, "here"));
	NEED(!setsockopt(first, SOL_SOCKET, SO_LINGER, &linger,
			 sizeof(linger)));
	close(first);
	ckpt_point();
	/* The original is told of it. */
	while ((fd = accept(server, &addr.any, &len)) >= 0 &&
	       port_of(&addr) != own_port(second))
		CHECK(next_errno_is(fd, ECONNRESET));
	CHECK(next_is(fd, "here"));
	check_talk(second, fd);
}

REFUSED(reset_before_accept_unread, EOPNOTSUPP, NULL, "data that were not read")
{
	struct linger linger = { 1, 0 };
	int server = server_at("127.0.0.1", 5);
	int fd = client("127.0.0.1", own_port(server));

	NEED(says(fd, "gone"));
	NEED(!setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)));
	close(fd);
	ckpt_value[0] = server;
	ckpt_point();
	CHECK((fd = accept(server, NULL, NULL)) >= 0);
	CHECK(next_is(fd, "gone"));
}

/* It is not accepted after the restart either. */
ROUNDTRIP(never_accepted)
{
	int server = server_at("127.0.0.1", 5), fd;
	char byte;

	fd = client("127.0.0.1", own_port(server));
	NEED(says(fd, "hello"));
	ckpt_point();
	close(server);
	CHECK(wait_events(fd, POLLIN));
	CHECK_EQ(-1, recv(fd, &byte, 1, 0));
	CHECK_EQ(ECONNRESET, errno);
}

/* --- who waits for events ------------------------------------------------- */

ROUNDTRIP(epoll_server)
{
	int server = server_at("127.0.0.1", 5), port = own_port(server);
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };
	int ep = epoll_create1(0), p[2];

	p[0] = client("127.0.0.1", port);
	NEED((p[1] = accept(server, NULL, NULL)) >= 0);
	event.data.fd = server;
	NEED(!epoll_ctl(ep, EPOLL_CTL_ADD, server, &event));
	event.data.fd = p[1];
	NEED(!epoll_ctl(ep, EPOLL_CTL_ADD, p[1], &event));
	NEED(epoll_wait(ep, &event, 1, 0) == 0);
	ckpt_point();
	CHECK_EQ(0, epoll_wait(ep, &event, 1, 0));
	CHECK(says(p[0], "wake up"));
	CHECK_EQ(1, epoll_wait(ep, &event, 1, ARRIVAL_MS));
	CHECK_EQ(p[1], event.data.fd);
	client("127.0.0.1", port);
	CHECK_EQ(1, epoll_wait(ep, &event, 1, ARRIVAL_MS));
	CHECK_EQ(server, event.data.fd);
}

/* --- with somebody outside ------------------------------------------------ */

SCENARIO(connects_outside)
{
	int fd = client("127.0.0.1", atoi(ckpt_arg));

	ckpt_value[0] = fd;
	ckpt_point();
	CHECK(says(fd, "still here"));
}

static int outside_server(int *port)
{
	union address addr;
	socklen_t len = make_addr(&addr, "127.0.0.1", 0);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, &addr.any, len) || listen(fd, 5))
		return -1;
	*port = own_port(fd);
	return fd;
}

TEST_F(checkpoint, outside)
{
	int server, port, fd;
	char arg[16];
	pid_t pid;

	NOT_DRY();
	server = outside_server(&port);
	ASSERT_LE(0, server);
	snprintf(arg, sizeof(arg), "%d", port);
	pid = ckpt_start(&self->t, "connects_outside", arg);
	ASSERT_LT(0, pid);
	EXPECT_EQ(-EBUSY, ckpt_checkpoint(&self->t, pid, self->t.image, 0));
	EXPECT_TRUE(ckpt_reason(&self->t, EBUSY, NULL,
				ckpt_peek_value(pid, 0), 0,
				"to be accepted by a process outside"))
		ckpt_show_log(&self->t);
	fd = accept(server, NULL, NULL);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-EBUSY, ckpt_checkpoint(&self->t, pid, self->t.image, 0));
	EXPECT_TRUE(ckpt_reason(&self->t, EBUSY, NULL,
				ckpt_peek_value(pid, 0), 0,
				"held by a process outside"))
		ckpt_show_log(&self->t);
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));
	EXPECT_TRUE(next_is(fd, "still here"));
	close(fd);
	close(server);
}

SCENARIO(has_server)
{
	int server = listener("127.0.0.1", 5);

	ckpt_value[0] = server;
	ckpt_value[1] = own_port(server);
	ckpt_point();
	CHECK(accept(server, NULL, NULL) >= 0);
}

TEST_F(checkpoint, outside_waits)
{
	union address addr;
	socklen_t len;
	pid_t pid;
	int fd;

	NOT_DRY();
	START(pid, has_server, NULL);
	len = make_addr(&addr, "127.0.0.1", ckpt_peek_value(pid, 1));
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ASSERT_EQ(0, connect(fd, &addr.any, len));
	EXPECT_EQ(-EBUSY, ckpt_checkpoint(&self->t, pid, self->t.image, 0));
	EXPECT_TRUE(ckpt_reason(&self->t, EBUSY, NULL,
				ckpt_peek_value(pid, 0), 0,
				"held by a process outside"))
		ckpt_show_log(&self->t);
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));
	close(fd);
}

/* What the other end notices is up to whether the original goes on. */
SCENARIO(is_reset)
{
	int server = listener("127.0.0.1", 5), fd;
	int inside = client("127.0.0.1", own_port(server)), mine;
	char byte;

	NEED((mine = accept(server, NULL, NULL)) >= 0);
	fd = client("127.0.0.1", atoi(ckpt_arg));
	ckpt_value[0] = own_port(server);
	ckpt_value[1] = own_port(fd);
	ckpt_point();
	CHECK_EQ(CLOSED, tcp_state(fd));
	CHECK(own_name_is(fd, "127.0.0.1", ckpt_value[1]) && has_no_peer(fd));
	CHECK(next_errno_is(fd, ECONNRESET));
	CHECK_EQ(0, recv(fd, &byte, 1, 0));
	CHECK(!says(fd, "x") && errno == EPIPE);
	check_talk(inside, mine);
	NEED(!fcntl(server, F_SETFL, O_NONBLOCK));
	CHECK_EQ(-1, accept(server, NULL, NULL));
	CHECK_EQ(EAGAIN, errno);
}

TEST_F(checkpoint, reset)
{
	int server, port, fd, waits, own;
	union address addr;
	char arg[16], byte;
	socklen_t len;
	pid_t pid;

	NOT_DRY();
	server = outside_server(&port);
	ASSERT_LE(0, server);
	snprintf(arg, sizeof(arg), "%d", port);
	pid = ckpt_start(&self->t, "is_reset", arg);
	ASSERT_LT(0, pid);
	fd = accept(server, NULL, NULL);
	ASSERT_LE(0, fd);
	own = ckpt_peek_value(pid, 1);
	len = make_addr(&addr, "127.0.0.1", ckpt_peek_value(pid, 0));
	waits = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ASSERT_EQ(0, connect(waits, &addr.any, len));
	EXPECT_EQ(0, send(fd, "lost", 4, 0) - 4);

	EXPECT_EQ(-EBUSY, ckpt_checkpoint(&self->t, pid, self->t.image,
					  CHECKPOINT_KILL));
	ASSERT_LT(0, ckpt_checkpoint(&self->t, pid, self->t.image,
				     CHECKPOINT_TCP_RESET));
	/* The original has it as before. */
	EXPECT_TRUE(peer_name_is(fd, "127.0.0.1", own));
	EXPECT_EQ(ESTABLISHED, tcp_state(fd));
	ASSERT_LT(0, ckpt_checkpoint(&self->t, pid, self->t.image,
				     CHECKPOINT_TCP_RESET | CHECKPOINT_KILL));
	ASSERT_EQ(0, ckpt_reap(&self->t, pid));
	/* It had not read something. */
	EXPECT_TRUE(wait_events(fd, POLLIN));
	EXPECT_EQ(-1, recv(fd, &byte, 1, 0));
	EXPECT_EQ(ECONNRESET, errno);
	EXPECT_EQ(pid, ckpt_restart(&self->t, self->t.image, 0));
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));
	close(waits);
	close(fd);
	close(server);
}

/* All that comes has an n, and only a y may pass; the other one has a partner. */
SCENARIO(hears_noise)
{
	static const struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 8),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 'y', 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0xffff),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog prog = { ARRAY_SIZE(code),
				   (struct sock_filter *)code };
	int server = bound_socket("127.0.0.1", SOCK_DGRAM, 0);
	int fd = inet_socket("127.0.0.1", SOCK_DGRAM), i;

	NEED(!setsockopt(server, SOL_SOCKET, SO_ATTACH_FILTER, &prog,
			 sizeof(prog)));
	NEED(!connect_to(fd, "127.0.0.1", own_port(server)));
	ckpt_value[0] = own_port(server);
	ckpt_value[1] = own_port(fd);
	for (i = 0; i < atoi(ckpt_arg); i++) {
		ckpt_point();
		CHECK(next_errno_is(server, EAGAIN));
		CHECK(next_errno_is(fd, EAGAIN));
	}
	CHECK(says(fd, "yes") && next_is(server, "yes"));
}

static void make_noise(int first, int second)
{
	union address a, b;
	socklen_t len;
	int fd, i;

	len = make_addr(&a, "127.0.0.1", first);
	make_addr(&b, "127.0.0.1", second);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	/* Without a pause nobody else would come to anything on a slow kernel. */
	for (;; usleep(1000)) {
		for (i = 0; i < 20; i++) {
			sendto(fd, "noise", 5, 0, &a.any, len);
			sendto(fd, "noise", 5, 0, &b.any, len);
		}
	}
}

#define LATE_ROUNDS	40

/* It wants more than contents, and there is much to look at behind it. */
SCENARIO(is_told_late)
{
	int server = bound_socket("127.0.0.1", SOCK_DGRAM, 0), i;
	char buf[20];

	NEED(!set_option(server, SOL_IP, IP_PKTINFO, 1));
	for (i = 0; i < 400; i++)
		NEED(epoll_create1(0) >= 0);
	ckpt_value[0] = own_port(server);
	for (i = 0; i < LATE_ROUNDS; i++) {
		while (recv(server, buf, sizeof(buf), MSG_DONTWAIT) > 0)
			;
		ckpt_point();
	}
}

static void send_now_and_then(int port)
{
	union address addr;
	socklen_t len;
	int fd;

	len = make_addr(&addr, "127.0.0.1", port);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	for (;;) {
		sendto(fd, "late", 4, 0, &addr.any, len);
		usleep(3000);
	}
}

/*
 * What comes while the checkpoint is at work is refused or left out, but is
 * not saved with less than the program wants.
 */
TEST_F(checkpoint, late_datagrams)
{
	int port, i, nr = 0;
	pid_t pid, sender;
	char *image;
	size_t len;
	long ret;

	NOT_DRY();
	START(pid, is_told_late, NULL);
	port = ckpt_peek_value(pid, 0);
	sender = fork();
	ASSERT_LE(0, sender);
	if (!sender)
		send_now_and_then(port);
	for (i = 0; i < LATE_ROUNDS; i++) {
		ret = ckpt_checkpoint(&self->t, pid, self->t.image, 0);
		EXPECT_TRUE(ret > 0 || ret == -EOPNOTSUPP)
			TH_LOG("%ld", ret);
		if (ret > 0) {
			image = ckpt_read_file(self->t.image, &len);
			nr += !!ckpt_find_record(image, len, CKPT_REC_INET_MSG,
						 0);
			free(image);
		}
		if (i == LATE_ROUNDS - 1)
			break;
		EXPECT_EQ(0, ckpt_go(pid));
		EXPECT_EQ(0, ckpt_wait_stage(&self->t, pid, i + 2));
	}
	EXPECT_EQ(0, nr);
	kill(sender, SIGKILL);
	waitpid(sender, NULL, 0);
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));
}

/* A socket is not there before it is what it was. */
TEST_F(checkpoint, noise)
{
	int ports[2], i, rounds = ckpt_scale() < 1 ? 2 : 5;
	pid_t pid, loud;

	NOT_DRY();
	START(pid, hears_noise, rounds == 2 ? "2" : "5");
	ports[0] = ckpt_peek_value(pid, 0);
	ports[1] = ckpt_peek_value(pid, 1);
	loud = fork();
	ASSERT_LE(0, loud);
	if (!loud)
		make_noise(ports[0], ports[1]);
	for (i = 0; i < rounds; i++) {
		EXPECT_LT(0, ckpt_checkpoint(&self->t, pid, self->t.image,
					     CHECKPOINT_KILL));
		EXPECT_EQ(0, ckpt_reap(&self->t, pid));
		EXPECT_EQ(pid, ckpt_restart(&self->t, self->t.image, 0));
		if (i == rounds - 1)
			break;
		EXPECT_EQ(0, ckpt_go(pid));
		EXPECT_EQ(0, ckpt_wait_stage(&self->t, pid, i + 2));
	}
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));
	kill(loud, SIGKILL);
	waitpid(loud, NULL, 0);
}

/* --- while the old ones are there ------------------------------------------ */

SCENARIO(has_connection)
{
	int p[2];

	tcp_pair("127.0.0.1", p);
	NEED(says(p[0], "data") && wait_unread(p[1], 4));
	ckpt_point();
	CHECK(next_is(p[1], "data"));
	check_talk(p[0], p[1]);
}

TEST_F(checkpoint, original_runs)
{
	pid_t pid;

	NOT_DRY();
	START(pid, has_connection, NULL);
	ASSERT_LT(0, ckpt_checkpoint(&self->t, pid, self->t.image, 0));
	EXPECT_EQ(-EADDRINUSE, ckpt_restart(&self->t, self->t.image,
					    RESTART_FRESH_PIDS));
	EXPECT_TRUE(ckpt_reason(&self->t, EADDRINUSE, "tcp", -1, 0,
				"is still there"))
		ckpt_show_log(&self->t);
	/* It did not notice. */
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));

	START(pid, has_server, NULL);
	ASSERT_LT(0, ckpt_checkpoint(&self->t, pid, self->t.image, 0));
	EXPECT_EQ(-EADDRINUSE, ckpt_restart(&self->t, self->t.image,
					    RESTART_FRESH_PIDS));
	EXPECT_TRUE(ckpt_reason(&self->t, EADDRINUSE, "inet", -1, 0,
				"is in use"))
		ckpt_show_log(&self->t);
	ASSERT_EQ(0, ckpt_kill(&self->t, pid));
	EXPECT_EQ(pid, ckpt_restart(&self->t, self->t.image, 0));
	ASSERT_EQ(0, ckpt_kill(&self->t, pid));
}

/* Generations, each of which is killed without a word. */
SCENARIO(echoes)
{
	int server = listener("127.0.0.1", 5), p[2], i;

	p[0] = client("127.0.0.1", own_port(server));
	NEED((p[1] = accept(server, NULL, NULL)) >= 0);
	for (i = 0; i < 4; i++) {
		NEED(says(p[0], "unread") && wait_unread(p[1], 6));
		ckpt_point();
		CHECK(next_is(p[1], "unread"));
		check_talk(p[0], p[1]);
		CHECK(client("127.0.0.1", own_port(server)) >= 0);
		CHECK(accept(server, NULL, NULL) >= 0);
	}
}

TEST_F(checkpoint, generations)
{
	pid_t pid;
	int i;

	NOT_DRY();
	START(pid, echoes, NULL);
	for (i = 0; i < 4; i++) {
		ASSERT_LT(0, ckpt_checkpoint(&self->t, pid, self->t.image,
					     CHECKPOINT_KILL));
		ASSERT_EQ(0, ckpt_reap(&self->t, pid));
		ASSERT_EQ(pid, ckpt_restart(&self->t, self->t.image, 0));
		if (i == 3)
			break;
		ASSERT_EQ(0, ckpt_go(pid));
		ASSERT_EQ(0, ckpt_wait_stage(&self->t, pid, i + 2));
	}
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));
}

/* --- rights --------------------------------------------------------------- */

static int connection_as_user(struct ckpt_test *t)
{
	size_t len;
	char *image;
	long ret;

	image = ckpt_save_scenario(t, "has_connection", &len);
	if (!image)
		return 1;
	ret = ckpt_restart_raw(t, image, len);
	free(image);
	return ret != -EPERM ||
	       !ckpt_reason(t, EPERM, "tcp", -1, 0, "CAP_NET_ADMIN");
}

/* A port that was not this user's. */
static int port_as_user(struct ckpt_test *t)
{
	struct ckpt_rec_hdr *hdr;
	struct ckpt_inet *inet;
	size_t len;
	char *image;
	long ret;

	image = ckpt_save_scenario(t, "has_server", &len);
	hdr = image ? ckpt_find_record(image, len, CKPT_REC_INET, 0) : NULL;
	if (!hdr)
		return 1;
	ret = ckpt_restart_raw(t, image, len);
	if (ret <= 0)
		return 2;
	inet = (void *)(hdr + 1);
	inet->local.port = 80;
	ckpt_mend_record(hdr);
	ret = ckpt_restart_raw(t, image, len);
	free(image);
	return ret != -EACCES ||
	       !ckpt_reason(t, EACCES, "inet", -1, 0, "127.0.0.1:80");
}

TEST_F(checkpoint, rights)
{
	NOT_DRY();
	if (getuid())
		SKIP(return, "needs to be root");
	/* A listener takes none, a connection that of TCP_REPAIR. */
	EXPECT_EQ(0, ckpt_as_user(&self->t, OTHER_USER, port_as_user));
	EXPECT_EQ(0, ckpt_as_user(&self->t, OTHER_USER, connection_as_user));
}

/* --- refused -------------------------------------------------------------- */

REFUSED(raw, EOPNOTSUPP, "file_socket", "raw sockets")
{
	int fd = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);

	NEED(fd >= 0);
	ckpt_value[0] = fd;
	ckpt_point();
}

REFUSED(connecting, EOPNOTSUPP, "file_socket", "being made")
{
	int server = listener("127.0.0.1", 0), port = own_port(server), fd, i;

	/* The last one finds no room. */
	for (i = 0; i < 2; i++) {
		fd = inet_socket("127.0.0.1", SOCK_STREAM | SOCK_NONBLOCK);
		connect_to(fd, "127.0.0.1", port);
	}
	NEED(tcp_state(fd) == SYN_SENT);
	ckpt_value[0] = fd;
	ckpt_point();
}

REFUSED(urgent, EOPNOTSUPP, "file_socket", "urgent data")
{
	int p[2];

	tcp_pair("127.0.0.1", p);
	NEED(send(p[0], "!", 1, MSG_OOB) == 1);
	NEED(wait_events(p[1], POLLPRI));
	ckpt_value[0] = p[1];
	ckpt_point();
}

REFUSED(multicast, EOPNOTSUPP, "file_socket", "multicast")
{
	struct ip_mreqn req = { .imr_ifindex = if_nametoindex("lo") };
	int fd = bound_socket("0.0.0.0", SOCK_DGRAM, 0);

	inet_pton(AF_INET, "224.1.2.3", &req.imr_multiaddr);
	if (setsockopt(fd, SOL_IP, IP_ADD_MEMBERSHIP, &req, sizeof(req)))
		ckpt_skip("IP_ADD_MEMBERSHIP: %s", strerror(errno));
	ckpt_value[0] = fd;
	ckpt_point();
}

REFUSED(ip_options, EOPNOTSUPP, "file_socket", "IP_OPTIONS")
{
	static const unsigned char nop[4] = { 1, 1, 1, 0 };
	int fd = inet_socket("127.0.0.1", SOCK_DGRAM);

	if (setsockopt(fd, SOL_IP, IP_OPTIONS, nop, sizeof(nop)))
		ckpt_skip("IP_OPTIONS: %s", strerror(errno));
	ckpt_value[0] = fd;
	ckpt_point();
}

REFUSED(corked_datagram, EOPNOTSUPP, "file_socket", "not complete")
{
	int server = bound_socket("127.0.0.1", SOCK_DGRAM, 0);
	int fd = inet_socket("127.0.0.1", SOCK_DGRAM);

	NEED(!connect_to(fd, "127.0.0.1", own_port(server)));
	NEED(send(fd, "half", 4, MSG_MORE) == 4);
	ckpt_value[0] = fd;
	ckpt_point();
	CHECK(says(fd, "half") && next_is(server, "halfhalf"));
}

REFUSED(error_queue, EOPNOTSUPP, "file_socket", "error queue")
{
	int fd = inet_socket("127.0.0.1", SOCK_DGRAM);
	int gone = bound_socket("127.0.0.1", SOCK_DGRAM, 0);

	NEED(!set_option(fd, SOL_IP, IP_RECVERR, 1));
	NEED(!connect_to(fd, "127.0.0.1", own_port(gone)));
	close(gone);
	NEED(says(fd, "anybody?") && wait_events(fd, POLLERR));
	ckpt_value[0] = fd;
	ckpt_point();
}

REFUSED(with_itself, EOPNOTSUPP, NULL, "with itself")
{
	int fd = bound_socket("127.0.0.1", SOCK_STREAM, 0);

	NEED(!connect_to(fd, "127.0.0.1", own_port(fd)));
	ckpt_value[0] = fd;
	ckpt_point();
	CHECK(says(fd, "me") && next_is(fd, "me"));
}

/* --- bad images ----------------------------------------------------------- */

static struct ckpt_tcp *tcp_record(char *image, size_t len, int nth,
				   struct ckpt_rec_hdr **hdr)
{
	*hdr = ckpt_find_record(image, len, CKPT_REC_TCP, nth);
	return *hdr ? (void *)(*hdr + 1) : NULL;
}

SCENARIO(has_embryo)
{
	int server = listener("127.0.0.1", 5);
	int fd = client("127.0.0.1", own_port(server));

	NEED(says(fd, "data") && wait_arrival(fd));
	ckpt_point();
	CHECK((fd = accept(server, NULL, NULL)) >= 0);
	CHECK(next_is(fd, "data"));
}

#define TRY_TCP(_nth, _error, _change)					\
	do {								\
		memcpy(image, good, len);				\
		tcp = tcp_record(image, len, _nth, &hdr);		\
		ASSERT_NE(NULL, tcp);					\
		_change;						\
		ckpt_mend_record(hdr);					\
		EXPECT_EQ(_error, ckpt_restart_raw(&self->t, image, len)) \
			TH_LOG("%s", #_change);				\
	} while (0)

TEST_F(checkpoint, bad_connection)
{
	struct ckpt_rec_hdr *hdr;
	char *good, *image;
	struct ckpt_inet *inet;
	struct ckpt_tcp *tcp;
	size_t len;

	NOT_DRY();
	good = ckpt_save_scenario(&self->t, "has_connection", &len);
	ASSERT_NE(NULL, good);
	image = malloc(len);
	memcpy(image, good, len);
	EXPECT_LT(0, ckpt_restart_raw(&self->t, image, len));
	TRY_TCP(0, -EINVAL, tcp->peer = hdr->objref);
	TRY_TCP(0, -EINVAL, tcp->peer = 1);
	TRY_TCP(0, -EINVAL, tcp->peer = 0);
	TRY_TCP(0, -EINVAL, tcp->listener = tcp->peer);
	TRY_TCP(0, -EINVAL, tcp->mss = 1);
	TRY_TCP(0, -EINVAL, tcp->rcv_wscale = 15);
	TRY_TCP(0, -EINVAL, tcp->window = 0x7fffffff);
	/* The first one waits for the second one. */
	TRY_TCP(1, -EINVAL, (tcp->peer = 0, tcp->flags |= CKPT_TCP_FIN_RECEIVED));

	/* A connection that is not made. */
	memcpy(image, good, len);
	hdr = ckpt_find_record(image, len, CKPT_REC_INET, 0);
	ASSERT_NE(NULL, hdr);
	inet = (void *)(hdr + 1);
	inet->state = CKPT_INET_UNCONNECTED;
	ckpt_mend_record(hdr);
	EXPECT_EQ(-EINVAL, ckpt_restart_raw(&self->t, image, len));

	/* An end that is somewhere else. */
	memcpy(image, good, len);
	hdr = ckpt_find_record(image, len, CKPT_REC_INET, 0);
	ASSERT_NE(NULL, hdr);
	inet = (void *)(hdr + 1);
	inet->remote.port ^= 1;
	ckpt_mend_record(hdr);
	EXPECT_EQ(-EINVAL, ckpt_restart_raw(&self->t, image, len));
	EXPECT_TRUE(ckpt_reason(&self->t, EINVAL, "tcp", -1, 0, "do not fit"))
		ckpt_show_log(&self->t);

	/* Nobody has written to what nobody has accepted. */
	free(good);
	good = ckpt_save_scenario(&self->t, "has_embryo", &len);
	ASSERT_NE(NULL, good);
	image = realloc(image, len);
	memcpy(image, good, len);
	EXPECT_LT(0, ckpt_restart_raw(&self->t, image, len));
	hdr = ckpt_find_record(image, len, CKPT_REC_INET_DATA, 0);
	ASSERT_NE(NULL, hdr);
	((struct ckpt_inet_data *)(hdr + 1))->queue = CKPT_INET_UNSENT;
	ckpt_mend_record(hdr);
	EXPECT_EQ(-EINVAL, ckpt_restart_raw(&self->t, image, len));
	EXPECT_TRUE(ckpt_reason(&self->t, EINVAL, "inet_data", -1, 0,
				"not accepted"))
		ckpt_show_log(&self->t);

	/* Options are judged by setsockopt(). */
	memcpy(image, good, len);
	hdr = ckpt_find_record(image, len, CKPT_REC_INET, 0);
	inet = (void *)(hdr + 1);
	ASSERT_EQ(SOL_IP, inet->options[4].level);
	ASSERT_EQ(IP_TOS, inet->options[4].name);
	inet->options[4].name = IP_HDRINCL;
	ckpt_mend_record(hdr);
	EXPECT_EQ(-EINVAL, ckpt_restart_raw(&self->t, image, len));
	free(image);
	free(good);
}

TEST_HARNESS_MAIN
