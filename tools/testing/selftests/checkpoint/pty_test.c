// SPDX-License-Identifier: GPL-2.0
/*
 * Pseudo terminals with both sides within the process: names, attributes,
 * modes, data in both directions, hang-ups, the controlling terminal.
 */
#include "ckpt_image.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/sysmacros.h>
/* struct termios2; termios.h of the C library has another struct termios. */
#include <asm/termbits.h>

#ifndef TIOCGPTPEER
#define TIOCGPTPEER	_IO('T', 0x41)
#endif
#define PTMX		"/dev/ptmx"

/* --- helpers of the targets ------------------------------------------------ */

static int new_master(const char *ptmx, int flags)
{
	int unlock = 0, fd = open(ptmx, flags | O_NOCTTY);

	if (fd < 0 && errno == ENOENT)
		ckpt_skip("no pseudo terminals");
	NEED(fd >= 0);
	NEED(!ioctl(fd, TIOCSPTLCK, &unlock));
	return fd;
}

static unsigned int pty_index(int master)
{
	unsigned int index = ~0U;

	NEED(!ioctl(master, TIOCGPTN, &index));
	return index;
}

static int open_slave(int master, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/dev/pts/%u", pty_index(master));
	return open(path, flags | O_NOCTTY);
}

/* A pair; the slave is as a shell finds it: canonical, with echo. */
static int new_pair(int *slave)
{
	int master = new_master(PTMX, O_RDWR);

	*slave = open_slave(master, O_RDWR);
	NEED(*slave >= 0);
	return master;
}

static void set_modes(int fd, unsigned int iflag, unsigned int oflag,
		      unsigned int lflag)
{
	struct termios2 t;

	NEED(!ioctl(fd, TCGETS2, &t));
	t.c_iflag = iflag;
	t.c_oflag = oflag;
	t.c_lflag = lflag;
	t.c_cc[VMIN] = 1;
	t.c_cc[VTIME] = 0;
	NEED(!ioctl(fd, TCSETS2, &t));
}

static void set_raw(int fd)
{
	set_modes(fd, 0, 0, 0);
}

static void put(int fd, const char *text)
{
	NEED(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
}

/* This much is there, and it is that. */
static void expect(int fd, const char *text)
{
	size_t len = strlen(text), got = 0;
	char buf[512] = "";
	ssize_t n;

	while (got < len && (n = read(fd, buf + got, len - got)) > 0)
		got += n;
	CHECK_SAY(got == len && !memcmp(buf, text, len),
		  "got %zu bytes \"%s\" and not \"%s\"", got, buf, text);
}

/* One read() gives this. */
static void expect_read(int fd, const char *text, int len)
{
	char buf[512] = "";
	int n = read(fd, buf, sizeof(buf) - 1);

	CHECK_SAY(n == len && (n <= 0 || !memcmp(buf, text, n)),
		  "read() gave %d, \"%s\", and not %d, \"%s\"", n, buf, len,
		  text);
}

/* Events now; whoever polls waits for what is on the way to this side. */
static int events(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN | POLLOUT | POLLPRI };

	NEED(poll(&pfd, 1, 0) >= 0);
	return pfd.revents;
}

/* Nothing more can be read, after what the other side may echo. */
static void expect_nothing(int fd, int other)
{
	if (other >= 0)
		events(other);
	CHECK_EQ(0, events(fd) & POLLIN);
}

static int nonblocking(int fd, bool on)
{
	return fcntl(fd, F_SETFL, on ? O_NONBLOCK : 0);
}

/* Until nothing fits any more; returns how much that was. */
static long fill_up(int fd, int other, uint64_t seed)
{
	static char data[1 << 16];
	long done = 0, n;
	int tries;

	ckpt_fill(data, sizeof(data), seed);
	NEED(!nonblocking(fd, true));
	for (tries = 0; tries < 5; tries++) {
		while ((n = write(fd, data + done, sizeof(data) - done)) > 0) {
			done += n;
			tries = 0;
		}
		NEED(n < 0 && errno == EAGAIN);
		events(other);
	}
	NEED(done > 4096 && done < (long)sizeof(data));
	return done;
}

static void drain(int fd, long len, uint64_t seed)
{
	static char data[1 << 16];
	long done = 0, n;

	while (done < len && (n = read(fd, data + done, len - done)) > 0)
		done += n;
	CHECK_EQ(len, done);
	CHECK_FILL(data, done, seed);
}

static int winch;

static void count_winch(int sig)
{
	(void)sig;
	winch++;
}

/* --- what it is ------------------------------------------------------------ */

/* With gaps below: a restart cannot take the lowest numbers. */
ROUNDTRIP(names)
{
	int master[4], slave[4], i;
	unsigned int index[4];
	char path[64], link[64];
	struct stat st;

	for (i = 0; i < 4; i++) {
		master[i] = new_pair(&slave[i]);
		index[i] = pty_index(master[i]);
	}
	for (i = 0; i < 4; i += 2) {
		close(slave[i]);
		close(master[i]);
	}
	NEED(!fchmod(slave[1], 0640) && !fchown(slave[3], 12, 34));
	ckpt_point();
	for (i = 1; i < 4; i += 2) {
		CHECK_EQ(index[i], pty_index(master[i]));
		snprintf(path, sizeof(path), "/dev/pts/%u", index[i]);
		CHECK(!strcmp(path, ttyname(slave[i]) ?: "none"));
		CHECK_EQ(0, fstat(slave[i], &st));
		CHECK_EQ(index[i], minor(st.st_rdev));
		CHECK_EQ(i == 1 ? 0640 : 0, i == 1 ? st.st_mode & 07777 : 0);
		CHECK_EQ(i == 1 ? 0 : 12, st.st_uid);
		CHECK(i == 1 || st.st_gid == 34);
		CHECK_EQ(0, stat(path, &st));
		snprintf(link, sizeof(link), "/proc/self/fd/%d", slave[i]);
		CHECK_EQ(0, access(link, F_OK));
		put(master[i], "in\n");
		expect(slave[i], "in\n");
		put(slave[i], "out");
		expect(master[i], "in\r\nout");
	}
}

ROUNDTRIP(attributes)
{
	struct winsize ws = { 11, 22, 33, 44 }, now;
	struct termios2 t, after;
	int master, slave, i;

	master = new_pair(&slave);
	NEED(!ioctl(slave, TCGETS2, &t));
	t.c_iflag ^= IUTF8 | IXANY | IMAXBEL | PARMRK;
	t.c_oflag ^= ONOCR | TAB3;
	t.c_cflag = (t.c_cflag & ~CBAUD) | BOTHER | HUPCL | CLOCAL;
	t.c_lflag ^= ECHOPRT | TOSTOP | NOFLSH;
	t.c_ispeed = 12345;
	t.c_ospeed = 12345;
	t.c_line = 7;
	for (i = 0; i < NCCS; i++)
		t.c_cc[i] = 100 + i;
	NEED(!ioctl(slave, TCSETS2, &t));
	NEED(!ioctl(slave, TCGETS2, &t));
	NEED(!ioctl(master, TIOCSWINSZ, &ws));
	signal(SIGWINCH, count_winch);
	ckpt_point();
	CHECK_EQ(0, ioctl(slave, TCGETS2, &after));
	CHECK_EQ(t.c_iflag, after.c_iflag);
	CHECK_EQ(t.c_oflag, after.c_oflag);
	CHECK_EQ(t.c_cflag, after.c_cflag);
	CHECK_EQ(t.c_lflag, after.c_lflag);
	CHECK_EQ(12345, after.c_ispeed);
	CHECK_EQ(12345, after.c_ospeed);
	CHECK_EQ(7, after.c_line);
	CHECK(!memcmp(t.c_cc, after.c_cc, NCCS));
	CHECK_EQ(0, ioctl(slave, TIOCGWINSZ, &now));
	CHECK(!memcmp(&ws, &now, sizeof(ws)));
	CHECK_EQ(0, winch);
}

ROUNDTRIP(descriptions)
{
	int master, slave, reader, writer, peer, again;

	master = new_pair(&slave);
	NEED((reader = open_slave(master, O_RDONLY | O_NONBLOCK)) >= 0);
	NEED((writer = open_slave(master, O_WRONLY | O_CLOEXEC)) >= 0);
	NEED((peer = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY)) >= 0);
	NEED((again = dup(slave)) >= 0);
	NEED(!fcntl(master, F_SETFL, O_NONBLOCK));
	ckpt_point();
	CHECK_EQ(O_NONBLOCK | O_RDWR, fcntl(master, F_GETFL) &
				      (O_NONBLOCK | O_ACCMODE));
	CHECK_EQ(O_NONBLOCK | O_RDONLY, fcntl(reader, F_GETFL) &
					(O_NONBLOCK | O_ACCMODE));
	CHECK_EQ(O_WRONLY, fcntl(writer, F_GETFL) & (O_NONBLOCK | O_ACCMODE));
	CHECK_EQ(FD_CLOEXEC, fcntl(writer, F_GETFD));
	CHECK_EQ(0, fcntl(slave, F_GETFL) & O_NONBLOCK);
	CHECK_EQ(-1, write(reader, "x", 1));
	CHECK_EQ(EBADF, errno);
	CHECK_EQ(0, fcntl(again, F_SETFL, O_NONBLOCK));
	CHECK_EQ(O_NONBLOCK, fcntl(slave, F_GETFL) & O_NONBLOCK);
	CHECK_EQ(0, fcntl(peer, F_GETFL) & O_NONBLOCK);
	put(writer, "w");
	put(peer, "p");
	expect(master, "wp");
	/* Only the last one of them is the end. */
	close(slave);
	close(again);
	close(reader);
	close(writer);
	expect_read(master, "", -1);
	CHECK_EQ(EAGAIN, errno);
	close(peer);
	expect_read(master, "", -1);
	CHECK_EQ(EIO, errno);
}

ROUNDTRIP(many)
{
	int master[50], slave[50], i;
	char text[16];

	for (i = 0; i < 50; i++) {
		master[i] = new_pair(&slave[i]);
		set_raw(slave[i]);
		snprintf(text, sizeof(text), "to %d", i);
		put(master[i], text);
	}
	ckpt_point();
	for (i = 0; i < 50; i++) {
		snprintf(text, sizeof(text), "to %d", i);
		expect(slave[i], text);
	}
}

/* An instance of its own, which is not the one in /dev. */
ROUNDTRIP(other_instance)
{
	int master, slave, unlock = 0;
	char link[64] = "", dir[128];
	unsigned int index;

	NEED(!mkdir("pts", 0755));
	if (mount("devpts", "pts", "devpts", 0, "newinstance,ptmxmode=0666"))
		ckpt_skip("cannot mount devpts: %s", strerror(errno));
	master = open("pts/ptmx", O_RDWR | O_NOCTTY);
	NEED(master >= 0 && !ioctl(master, TIOCSPTLCK, &unlock));
	NEED(pty_index(master) == 0);
	NEED((slave = open("pts/0", O_RDWR | O_NOCTTY)) >= 0);
	put(master, "line\n");
	ckpt_point();
	index = pty_index(master);
	CHECK_EQ(0, index);
	expect(slave, "line\n");
	expect(master, "line\r\n");
	snprintf(dir, sizeof(dir), "/proc/self/fd/%d", slave);
	CHECK(readlink(dir, link, sizeof(link) - 1) > 0);
	CHECK(strstr(link, "/pts/0") && strncmp(link, "/dev/", 5));
	CHECK_EQ(0, umount2("pts", MNT_DETACH));
}

/* --- modes ----------------------------------------------------------------- */

ROUNDTRIP(locked)
{
	int master, slave, lock = -1;

	NEED((master = open(PTMX, O_RDWR | O_NOCTTY)) >= 0);
	ckpt_point();
	CHECK_EQ(0, ioctl(master, TIOCGPTLCK, &lock));
	CHECK_EQ(1, lock);
	CHECK_EQ(-1, open_slave(master, O_RDWR));
	CHECK_EQ(EIO, errno);
	lock = 0;
	CHECK_EQ(0, ioctl(master, TIOCSPTLCK, &lock));
	CHECK((slave = open_slave(master, O_RDWR)) >= 0);
	put(slave, "x");
	expect(master, "x");
}

ROUNDTRIP(locked_again)
{
	int master, slave, lock = 1;

	master = new_pair(&slave);
	NEED(!ioctl(master, TIOCSPTLCK, &lock));
	ckpt_point();
	lock = -1;
	CHECK_EQ(0, ioctl(master, TIOCGPTLCK, &lock));
	CHECK_EQ(1, lock);
	put(slave, "x");
	expect(master, "x");
	/* This also breaks it for those who have it open. */
	CHECK_EQ(-1, open_slave(master, O_RDWR));
	CHECK_EQ(EIO, errno);
	CHECK_EQ(-1, write(slave, "x", 1));
}

ROUNDTRIP(exclusive)
{
	int master, slave, second, excl = -1;

	master = new_pair(&slave);
	NEED((second = open_slave(master, O_RDWR)) >= 0);
	NEED(!ioctl(slave, TIOCEXCL));
	ckpt_point();
	CHECK_EQ(0, ioctl(slave, TIOCGEXCL, &excl));
	CHECK_EQ(1, excl);
	CHECK_EQ(0, ioctl(second, TIOCNXCL));
	CHECK_EQ(0, ioctl(slave, TIOCGEXCL, &excl));
	CHECK_EQ(0, excl);
}

ROUNDTRIP(packet_mode)
{
	int master, slave, on = 1;

	master = new_pair(&slave);
	NEED(!ioctl(master, TIOCPKT, &on));
	/* A status that was not read, and one before it that was. */
	NEED(!ioctl(slave, TCXONC, TCOOFF));
	expect_read(master, "\004", 1);
	NEED(!ioctl(slave, TCXONC, TCOON));
	NEED(!ioctl(slave, TCFLSH, TCIFLUSH));
	put(slave, "data");
	ckpt_point();
	on = 0;
	CHECK_EQ(0, ioctl(master, TIOCGPKT, &on));
	CHECK_EQ(1, on);
	CHECK_EQ(POLLPRI | POLLIN, events(master) & (POLLPRI | POLLIN));
	expect_read(master, "\011", 1);
	expect_read(master, "\0data", 5);
	CHECK_EQ(0, ioctl(slave, TCFLSH, TCOFLUSH));
	expect_read(master, "\002", 1);
}

/* Stopped by the program, and by ctrl-S; each starts as it should. */
ROUNDTRIP(stopped)
{
	int master, slave, stop, typed;

	master = new_pair(&slave);
	stop = new_pair(&typed);
	NEED(!ioctl(slave, TCXONC, TCOOFF));
	put(stop, "\023");
	events(typed);
	NEED(!nonblocking(slave, true) && !nonblocking(typed, true));
	NEED(write(slave, "x", 1) == -1 && errno == EAGAIN);
	NEED(write(typed, "x", 1) == -1 && errno == EAGAIN);
	ckpt_point();
	CHECK_EQ(-1, write(slave, "x", 1));
	CHECK_EQ(-1, write(typed, "x", 1));
	/* A key does not start what the program has stopped. */
	put(master, "\021");
	events(slave);
	CHECK_EQ(-1, write(slave, "x", 1));
	CHECK_EQ(0, ioctl(slave, TCXONC, TCOON));
	put(slave, "go");
	expect(master, "go");
	put(stop, "\021");
	events(typed);
	put(typed, "on");
	expect(stop, "on");
}

/* --- data ------------------------------------------------------------------ */

ROUNDTRIP(output)
{
	int master, slave;

	master = new_pair(&slave);
	put(slave, "hello\nworld");
	ckpt_point();
	expect(master, "hello\r\nworld");
	expect_nothing(master, slave);
	put(slave, "!\n");
	expect(master, "!\r\n");
}

/* Complete lines, an incomplete one that goes on, and no second echo. */
ROUNDTRIP(lines)
{
	int master, slave;

	master = new_pair(&slave);
	put(master, "one\ntwo\nthre3");
	expect(master, "one\r\ntwo\r\nthre3");
	ckpt_point();
	expect_nothing(master, slave);
	put(master, "\177e\n");
	expect(master, "\b \be\r\n");
	expect_read(slave, "one\n", 4);
	expect_read(slave, "two\n", 4);
	expect_read(slave, "three\n", 6);
	expect_nothing(slave, master);
	expect_nothing(master, slave);
}

/* The buffer has wrapped, and a line is read in part. */
ROUNDTRIP(rest_of_a_line)
{
	char line[1001], buf[1001];
	int master, slave, i;

	master = new_pair(&slave);
	set_modes(slave, 0, 0, ICANON);
	memset(line, 'a', 1000);
	line[999] = '\n';
	line[1000] = '\0';
	for (i = 0; i < 6; i++) {
		put(master, line);
		NEED(read(slave, buf, sizeof(buf)) == 1000);
	}
	put(master, line);
	put(master, "next\n");
	NEED(read(slave, buf, 300) == 300);
	ckpt_point();
	CHECK_EQ(700, read(slave, buf, sizeof(buf)));
	CHECK(!memcmp(buf, line + 300, 700));
	expect_read(slave, "next\n", 5);
}

ROUNDTRIP(ends_of_file)
{
	int master, slave;

	master = new_pair(&slave);
	put(master, "abc\004def\004\004ghi");
	events(slave);
	ckpt_point();
	expect_read(slave, "abc", 3);
	expect_read(slave, "def", 3);
	expect_read(slave, "", 0);
	expect_nothing(slave, master);
	put(master, "\n");
	expect_read(slave, "ghi\n", 4);
}

/* Without echo the kernel wipes what was read; passwords come this way. */
ROUNDTRIP(no_echo)
{
	int master, slave;

	master = new_pair(&slave);
	set_modes(slave, ICRNL, OPOST | ONLCR, ICANON | ISIG);
	put(master, "secret\rhalf");
	events(slave);
	ckpt_point();
	expect_read(slave, "secret\n", 7);
	put(master, "\r");
	expect_read(slave, "half\n", 5);
	expect_nothing(master, slave);
}

ROUNDTRIP(raw_data)
{
	char data[3000], buf[4000];
	int master, slave;

	master = new_pair(&slave);
	set_raw(slave);
	ckpt_fill(data, sizeof(data), 3);
	NEED(write(master, data, sizeof(data)) == sizeof(data));
	NEED(read(slave, buf, 100) == 100);
	NEED(write(slave, data, sizeof(data)) == sizeof(data));
	ckpt_point();
	CHECK_EQ(2900, read(slave, buf + 100, sizeof(buf) - 100));
	CHECK_FILL(buf, sizeof(data), 3);
	drain(master, sizeof(data), 3);
	expect_nothing(slave, master);
	expect_nothing(master, slave);
}

/* From raw mode back to lines: what is there is one, without an end. */
ROUNDTRIP(pushed)
{
	int master, slave;

	master = new_pair(&slave);
	set_raw(slave);
	put(master, "rest");
	events(slave);
	set_modes(slave, ICRNL, 0, ICANON);
	put(master, "more\n");
	events(slave);
	ckpt_point();
	expect_read(slave, "rest", 4);
	expect_read(slave, "more\n", 5);
}

ROUNDTRIP(all_full)
{
	int master, slave;
	long in, out;

	master = new_pair(&slave);
	set_raw(slave);
	in = fill_up(master, slave, 7);
	out = fill_up(slave, master, 8);
	ckpt_value[2] = in;
	ckpt_point();
	CHECK_EQ(0, nonblocking(master, false) | nonblocking(slave, false));
	drain(slave, in, 7);
	drain(master, out, 8);
	expect_nothing(slave, master);
	expect_nothing(master, slave);
	put(master, "x");
	expect(slave, "x");
}

/* Single bytes take the most room in the buffers. */
ROUNDTRIP(full_of_small_writes)
{
	int master, slave, i, n = 0;
	char byte, line[2];

	master = new_pair(&slave);
	set_modes(slave, 0, 0, ICANON);
	NEED(!nonblocking(master, true));
	for (i = 0; i < 40000; i++) {
		byte = i & 1 ? '\n' : 'a' + (i / 2) % 26;
		if (write(master, &byte, 1) != 1) {
			events(slave);
			if (write(master, &byte, 1) != 1)
				break;
		}
	}
	NEED(i < 40000 && i > 4096);
	ckpt_point();
	for (n = 0; n < i / 2; n++) {
		if (!CHECK_EQ(2, read(slave, line, 2)) ||
		    !CHECK_EQ('a' + n % 26, line[0]))
			break;
	}
}

/* Stops and starts that wait behind full buffers were obeyed at once. */
ROUNDTRIP(stop_in_queue)
{
	int master, slave;
	char buf[4096];
	long n;

	master = new_pair(&slave);
	set_modes(slave, IXON, 0, 0);
	memset(buf, 'x', sizeof(buf));
	NEED(!nonblocking(master, true) && !nonblocking(slave, true));
	NEED(write(master, buf, 4095) == 4095);
	events(slave);
	NEED(write(master, buf, 100) == 100);
	NEED(write(master, "\023", 1) == 1);
	while (events(slave) & POLLOUT)
		usleep(1000);
	/* This stop is over, though it is still in the queue. */
	NEED(!ioctl(slave, TCXONC, TCOOFF) && !ioctl(slave, TCXONC, TCOON));
	NEED(write(slave, "a", 1) == 1);
	ckpt_point();
	CHECK_EQ(1, write(slave, "b", 1));
	while ((n = read(slave, buf, sizeof(buf))) > 0)
		CHECK(!memchr(buf, 023, n));
	CHECK_EQ(1, write(slave, "c", 1));
	expect(master, "abc");
}

/* The echo waits until the master reads. */
ROUNDTRIP(echo_waits)
{
	int master, slave;
	long out;

	master = new_pair(&slave);
	set_modes(slave, 0, 0, ICANON | ECHO | ECHOE | ISIG | ECHOCTL | IEXTEN);
	out = fill_up(slave, master, 9);
	NEED(!nonblocking(slave, false));
	put(master, "typed\001");
	events(slave);
	ckpt_point();
	drain(master, out, 9);
	put(slave, "!");
	expect(master, "typed^A!");
	put(master, "\177\n");
	expect(master, "\b \b\b \b\n");
	expect_read(slave, "typed\n", 6);
}

/* What is behind ctrl-V is no ctrl-C. */
ROUNDTRIP(literal_next)
{
	int master, slave;

	master = new_pair(&slave);
	put(master, "a\026");
	events(slave);
	ckpt_point();
	put(master, "\003b\n");
	expect_read(slave, "a\003b\n", 4);
	expect(master, "a^\b^Cb\r\n");
}

ROUNDTRIP(columns)
{
	int master, slave;

	master = new_pair(&slave);
	set_modes(slave, ICRNL, OPOST | ONLCR | TAB3,
		  ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN);
	put(slave, "abc");
	put(master, "d");
	expect(master, "abcd");
	ckpt_point();
	put(slave, "\t|");
	expect(master, "    |");
	/* The d is erased where it began. */
	put(master, "\t\177\025x\n");
	expect(master, "       ");
}

/* Between the backslash and the slash of printed erasure. */
ROUNDTRIP(erasing)
{
	int master, slave;

	master = new_pair(&slave);
	set_modes(slave, ICRNL, 0, ICANON | ECHO | ECHOE | ECHOPRT | IEXTEN);
	put(master, "ab\177");
	expect(master, "ab\\b");
	ckpt_point();
	put(master, "\177c\n");
	expect(master, "a/c\n");
	expect_read(slave, "c\n", 2);
}

/* --- closed, hung up ------------------------------------------------------- */

ROUNDTRIP(never_opened)
{
	int master = new_master(PTMX, O_RDWR | O_NONBLOCK), slave;

	ckpt_point();
	CHECK_EQ(0, events(master) & POLLHUP);
	expect_read(master, "", -1);
	CHECK_EQ(EAGAIN, errno);
	NEED((slave = open_slave(master, O_RDWR)) >= 0);
	put(slave, "x");
	expect(master, "x");
}

ROUNDTRIP(slaves_closed)
{
	int master, slave;

	master = new_pair(&slave);
	put(slave, "bye");
	close(slave);
	ckpt_point();
	CHECK_EQ(POLLHUP, events(master) & POLLHUP);
	expect(master, "bye");
	expect_read(master, "", -1);
	CHECK_EQ(EIO, errno);
	NEED((slave = open_slave(master, O_RDWR)) >= 0);
	CHECK_EQ(0, events(master) & POLLHUP);
	put(slave, "again");
	expect(master, "again");
}

ROUNDTRIP(master_closed)
{
	char buf[8], path[64], link[64] = "", after[64] = "";
	int master, slave, reader;

	master = new_pair(&slave);
	NEED((reader = open_slave(master, O_RDONLY)) >= 0);
	put(slave, "lost");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", slave);
	signal(SIGHUP, SIG_IGN);
	close(master);
	NEED(readlink(path, link, sizeof(link) - 1) > 0);
	ckpt_point();
	CHECK_EQ(0, read(slave, buf, sizeof(buf)));
	CHECK_EQ(0, read(reader, buf, sizeof(buf)));
	CHECK_EQ(-1, write(slave, "x", 1));
	CHECK_EQ(EIO, errno);
	CHECK_EQ(-1, write(reader, "x", 1));
	CHECK_EQ(EBADF, errno);
	CHECK_EQ(POLLHUP | POLLERR, events(slave) & (POLLHUP | POLLERR));
	CHECK_EQ(-1, ioctl(slave, TIOCOUTQ, buf));
	CHECK_EQ(EIO, errno);
	CHECK(readlink(path, after, sizeof(after) - 1) > 0);
	CHECK(!strcmp(link, after));
}

/* As getty(8) does it. */
static void hang_up(int master)
{
	int slave, status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	NEED(pid >= 0);
	if (!pid) {
		slave = open_slave(master, O_RDWR);
		close(master);
		signal(SIGHUP, SIG_IGN);
		_exit(setsid() < 0 || ioctl(slave, TIOCSCTTY, 0) || vhangup());
	}
	NEED(waitpid(pid, &status, 0) == pid && !status);
}

ROUNDTRIP(hung_up)
{
	int master, slave, next;
	char buf[8];

	master = new_pair(&slave);
	hang_up(master);
	NEED(read(slave, buf, 1) == 0);
	ckpt_point();
	CHECK_EQ(0, read(slave, buf, sizeof(buf)));
	CHECK_EQ(-1, write(slave, "x", 1));
	CHECK_EQ(EIO, errno);
	NEED((next = open_slave(master, O_RDWR)) >= 0);
	CHECK_EQ(0, read(slave, buf, sizeof(buf)));
	put(next, "alive");
	expect(master, "alive");
	put(master, "a\n");
	expect(next, "a\n");
}

ROUNDTRIP(hung_up_and_opened)
{
	int master, slave, next;
	char buf[8];

	master = new_pair(&slave);
	hang_up(master);
	NEED((next = open_slave(master, O_RDWR)) >= 0);
	set_modes(next, 0, 0, ICANON);
	put(master, "line\n");
	ckpt_point();
	CHECK_EQ(0, read(slave, buf, sizeof(buf)));
	expect_read(next, "line\n", 5);
	put(next, "\n");
	expect(master, "\n");
	CHECK_EQ(0, read(slave, buf, sizeof(buf)));
}

/* Hung up, and all descriptions closed since. */
ROUNDTRIP(hung_up_and_closed)
{
	int master, slave;

	master = new_pair(&slave);
	close(slave);
	hang_up(master);
	ckpt_point();
	expect_read(master, "", -1);
	CHECK_EQ(EIO, errno);
	NEED((slave = open_slave(master, O_RDWR)) >= 0);
	put(slave, "x");
	expect(master, "x");
}

/* --- the controlling terminal ---------------------------------------------- */

static volatile sig_atomic_t interrupted;

static void on_interrupt(int sig)
{
	(void)sig;
	interrupted++;
}

ROUNDTRIP(controlling)
{
	int master, slave, tty, again, pid = 0;

	NEED(getsid(0) == getpid());
	master = new_pair(&slave);
	if (ioctl(slave, TIOCSCTTY, 0))
		ckpt_skip("no controlling terminal: %s", strerror(errno));
	NEED((tty = open("/dev/tty", O_RDWR)) >= 0);
	signal(SIGINT, on_interrupt);
	ckpt_point();
	CHECK_EQ(getpid(), getsid(0));
	CHECK_EQ(0, ioctl(slave, TIOCGPGRP, &pid));
	CHECK_EQ(getpgrp(), pid);
	pid = 0;
	CHECK_EQ(0, ioctl(master, TIOCGPGRP, &pid));
	CHECK_EQ(getpgrp(), pid);
	CHECK_EQ(0, ioctl(tty, TIOCGSID, &pid));
	CHECK_EQ(getsid(0), pid);
	put(tty, "by its name");
	expect(master, "by its name");
	NEED((again = open("/dev/tty", O_RDWR)) >= 0);
	put(again, "x");
	expect(master, "x");
	put(master, "\003");
	events(slave);
	CHECK_EQ(1, interrupted);
	expect(master, "^C");
}

/* What was hung up by the name of /dev/tty still has that name. */
static void dev_tty_hung_up(bool alone)
{
	char path[64], link[64] = "", byte;
	int master, slave, tty;
	struct stat st;

	master = new_pair(&slave);
	if (ioctl(slave, TIOCSCTTY, 0))
		ckpt_skip("no controlling terminal: %s", strerror(errno));
	NEED((tty = open("/dev/tty", O_RDWR)) >= 0);
	signal(SIGHUP, SIG_IGN);
	if (alone)
		close(slave);
	close(master);
	ckpt_point();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", tty);
	CHECK(readlink(path, link, sizeof(link) - 1) > 0);
	CHECK_SAY(!strcmp(link, "/dev/tty"), "it is %s", link);
	CHECK_EQ(0, fstat(tty, &st));
	CHECK_EQ(makedev(5, 0), st.st_rdev);
	CHECK_EQ(0, read(tty, &byte, 1));
	CHECK_EQ(-1, write(tty, "x", 1));
	CHECK_EQ(EIO, errno);
	CHECK_EQ(-1, open("/dev/tty", O_RDWR));
	CHECK_EQ(ENXIO, errno);
}

ROUNDTRIP(dev_tty_and_slave_hung_up)
{
	dev_tty_hung_up(false);
}

ROUNDTRIP(only_dev_tty_hung_up)
{
	dev_tty_hung_up(true);
}

/* --- refused --------------------------------------------------------------- */

REFUSED(line_discipline, EOPNOTSUPP, "pty", "n_null")
{
	int master, slave, ldisc = 27;

	master = new_pair(&slave);
	if (ioctl(slave, TIOCSETD, &ldisc))
		ckpt_skip("no N_NULL");
	ckpt_value[0] = master;
	ckpt_point();
	ldisc = 0;
	CHECK_EQ(0, ioctl(slave, TIOCSETD, &ldisc));
}

REFUSED(locked_attributes, EOPNOTSUPP, "pty", "TIOCSLCKTRMIOS")
{
	struct termios lock = { .c_lflag = ECHO };
	int master, slave;

	master = new_pair(&slave);
	if (ioctl(slave, TIOCSLCKTRMIOS, &lock))
		ckpt_skip("cannot lock attributes");
	ckpt_value[0] = master;
	ckpt_point();
	put(slave, "x");
	expect(master, "x");
}

SCENARIO(has_pair)
{
	int master, slave;

	master = new_pair(&slave);
	ckpt_value[0] = master;
	ckpt_value[1] = slave;
	ckpt_value[2] = pty_index(master);
	put(master, "data\n");
	ckpt_point();
	expect_read(slave, "data\n", 5);
	CHECK_EQ(ckpt_value[2], pty_index(master));
}

/* The tester opens the slave by its name, or gets a description of the target. */
TEST_F(checkpoint, side_outside)
{
	int fd, i, pidfd, their;
	char path[64];
	pid_t pid;

	NOT_DRY();
	START(pid, has_pair, NULL);
	snprintf(path, sizeof(path), "/dev/pts/%ld", ckpt_peek_value(pid, 2));
	fd = open(path, O_RDWR | O_NOCTTY);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-EBUSY, ckpt_checkpoint(&self->t, pid, self->t.image, 0));
	EXPECT_TRUE(ckpt_reason(&self->t, EBUSY, "pty", ckpt_peek_value(pid, 0),
				0, "is open in a process outside"))
		ckpt_show_log(&self->t);
	close(fd);
	pidfd = syscall(SYS_pidfd_open, pid, 0);
	ASSERT_LE(0, pidfd);
	for (i = 0; i < 2; i++) {
		their = ckpt_peek_value(pid, i);
		fd = syscall(SYS_pidfd_getfd, pidfd, their, 0);
		ASSERT_LE(0, fd);
		EXPECT_EQ(-EBUSY, ckpt_checkpoint(&self->t, pid, self->t.image,
						  0));
		EXPECT_TRUE(ckpt_reason(&self->t, EBUSY, i ? "file_tty" :
					"file_pty", their, 0, "is shared"))
			ckpt_show_log(&self->t);
		close(fd);
	}
	close(pidfd);
	EXPECT_LT(0, ckpt_checkpoint(&self->t, pid, self->t.image, 0));
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));
}

/* A slave whose master the tester has, and which controls nobody. */
SCENARIO(has_slave)
{
	int fd = open(ckpt_arg, O_RDWR | O_NOCTTY);

	NEED(fd >= 0);
	ckpt_value[0] = fd;
	ckpt_point();
	put(fd, "x");
}

TEST_F(checkpoint, master_outside)
{
	int master, unlock = 0;
	unsigned int index;
	char path[64];

	NOT_DRY();
	master = open(PTMX, O_RDWR | O_NOCTTY);
	ASSERT_LE(0, master);
	ASSERT_EQ(0, ioctl(master, TIOCSPTLCK, &unlock));
	ASSERT_EQ(0, ioctl(master, TIOCGPTN, &index));
	snprintf(path, sizeof(path), "/dev/pts/%u", index);
	OK_OR_SKIP(ckpt_refused(&self->t, "has_slave", path, EOPNOTSUPP,
				"file_tty", "not the controlling one"));
	close(master);
}

/* A child in a session of its own has it, and holds no descriptor of it. */
SCENARIO(child_has_terminal)
{
	int fd, status;
	pid_t child = fork();

	NEED(child >= 0);
	if (!child) {
		NEED(setsid() == getpid());
		NEED((fd = open(ckpt_arg, O_RDWR)) >= 0);
		NEED(!close(fd));
		NEED((fd = open("/dev/tty", O_RDWR)) >= 0);
		NEED(!close(fd));
		ckpt_point();
		ckpt_target_end();
	}
	while (ckpt_peek(child, &ckpt_stage, &status, sizeof(status)) ||
	       status < 1)
		usleep(1000);
	ckpt_point();
	NEED(!ckpt_go(child));
	CHECK_EQ(child, waitpid(child, &status, 0));
	CHECK_EQ(0, status);
}

TEST_F(checkpoint, terminal_of_child)
{
	int master, unlock = 0;
	unsigned int index;
	char path[64];

	NOT_DRY();
	master = open(PTMX, O_RDWR | O_NOCTTY);
	ASSERT_LE(0, master);
	ASSERT_EQ(0, ioctl(master, TIOCSPTLCK, &unlock));
	ASSERT_EQ(0, ioctl(master, TIOCGPTN, &index));
	snprintf(path, sizeof(path), "/dev/pts/%u", index);
	OK_OR_SKIP(ckpt_refused(&self->t, "child_has_terminal", path,
				EOPNOTSUPP, NULL,
				"is neither the tree's nor that of process"));
	close(master);
}

/* --- at a restart ---------------------------------------------------------- */

/* Pairs until one has this index; returns how many are in fds, -1: it is not free. */
static int occupy(unsigned int index, int *fds, int max)
{
	unsigned int got = ~0U;
	int n = 0;

	while (n < max && got != index) {
		fds[n] = open(PTMX, O_RDWR | O_NOCTTY);
		if (fds[n] < 0 || ioctl(fds[n], TIOCGPTN, &got))
			break;
		n++;
	}
	return got == index ? n : -1;
}

TEST_F(checkpoint, index_in_use)
{
	char path[64];
	int fds[64], n, i;
	long index;
	pid_t pid;

	NOT_DRY();
	START(pid, has_pair, NULL);
	index = ckpt_peek_value(pid, 2);
	ASSERT_LT(0, ckpt_checkpoint(&self->t, pid, self->t.image, 0));
	ASSERT_EQ(0, ckpt_kill(&self->t, pid));
	n = occupy(index, fds, 64);
	ASSERT_LT(0, n);
	snprintf(path, sizeof(path), "/dev/pts/%ld is in use", index);
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(-EBUSY, ckpt_restart(&self->t, self->t.image,
					       i ? RESTART_FRESH_PIDS : 0));
		EXPECT_TRUE(ckpt_reason(&self->t, EBUSY, "pty", -1, 0, path))
			ckpt_show_log(&self->t);
	}
	for (i = 0; i < n; i++)
		close(fds[i]);
	/* Nothing is left of the failures. */
	pid = ckpt_restart(&self->t, self->t.image, 0);
	EXPECT_LT(0, pid);
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));
}

SCENARIO(has_dead)
{
	int master, slave;
	char byte;

	master = new_pair(&slave);
	ckpt_value[2] = pty_index(master);
	close(master);
	ckpt_point();
	CHECK_EQ(0, read(slave, &byte, 1));
}

/* The number of a dead one matters to nobody. */
TEST_F(checkpoint, dead_index_in_use)
{
	int fds[64], n, i;
	pid_t pid;

	NOT_DRY();
	START(pid, has_dead, NULL);
	ASSERT_LT(0, ckpt_checkpoint(&self->t, pid, self->t.image, 0));
	n = ckpt_peek_value(pid, 2);
	ASSERT_EQ(0, ckpt_kill(&self->t, pid));
	n = occupy(n, fds, 64);
	ASSERT_LT(0, n);
	pid = ckpt_restart(&self->t, self->t.image, 0);
	EXPECT_LT(0, pid);
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));
	for (i = 0; i < n; i++)
		close(fds[i]);
}

SCENARIO(has_terminal)
{
	int master, slave, sid = 0;

	NEED(getsid(0) == getpid());
	master = new_pair(&slave);
	NEED(!ioctl(slave, TIOCSCTTY, 0));
	ckpt_value[2] = pty_index(master);
	ckpt_point();
	CHECK_EQ(0, ioctl(slave, TIOCGSID, &sid));
	CHECK_EQ(getsid(0), sid);
	put(slave, "alive");
	expect(master, "alive");
}

static pid_t session_of(int fd)
{
	pid_t sid = -1;

	return ioctl(fd, TIOCGSID, &sid) ? -1 : sid;
}

/* The child that a restarter has left to us. */
static pid_t only_child(void)
{
	char path[64], *text, *end;
	size_t len;
	long pid;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
	text = ckpt_read_file(path, &len);
	if (!text)
		return -1;
	pid = strtol(text, &end, 10);
	while (*end == ' ')
		end++;
	if (*end)
		pid = -1;
	free(text);
	return pid;
}

/* Leads a session, opens a terminal, and loses it. */
static int open_and_lose(const char *path, int ready, int go)
{
	int fd, ms;
	char byte;

	if (setsid() < 0)
		return 1;
	fd = open(path, O_RDWR);
	/* It may not be there yet, or not be unlocked. */
	for (ms = 0; fd < 0 && ms < 20000; ms++) {
		usleep(1000);
		fd = open(path, O_RDWR);
	}
	if (fd < 0)
		return 2;
	if (session_of(fd) != getpid())
		return 3;
	if (write(ready, "", 1) != 1 || read(go, &byte, 1) != 1)
		return 4;
	return open("/dev/tty", O_RDWR) >= 0 || errno != ENXIO ? 5 : 0;
}

/* While a restart goes on, somebody of the same user takes the terminal. */
TEST_F(checkpoint, taken_meanwhile)
{
	int in, status, ready[2], go[2];
	pid_t pid, restarter, other;
	char path[64], byte;
	size_t len;
	char *image;

	NOT_DRY();
	START(pid, has_terminal, NULL);
	snprintf(path, sizeof(path), "/dev/pts/%ld", ckpt_peek_value(pid, 2));
	ASSERT_LT(0, ckpt_checkpoint(&self->t, pid, self->t.image, 0));
	ASSERT_EQ(0, ckpt_kill(&self->t, pid));
	restarter = ckpt_stalled_restart(&self->t, &in, 8, NULL);
	ASSERT_LT(0, restarter);
	ASSERT_EQ(0, pipe(ready) | pipe(go));
	other = fork();
	ASSERT_LE(0, other);
	if (!other) {
		close(in);
		close(ready[0]);
		close(go[1]);
		_exit(open_and_lose(path, ready[1], go[0]));
	}
	close(ready[1]);
	close(go[0]);
	EXPECT_EQ(1, read(ready[0], &byte, 1));
	image = ckpt_read_file(self->t.image, &len);
	ASSERT_NE(NULL, image);
	EXPECT_EQ(8, write(in, image + len - 8, 8));
	free(image);
	close(in);
	EXPECT_EQ(restarter, waitpid(restarter, &status, 0));
	EXPECT_EQ(2 << 8, status);
	EXPECT_EQ(1, write(go[1], "", 1));
	EXPECT_EQ(other, waitpid(other, &status, 0));
	EXPECT_EQ(0, status);
	close(ready[0]);
	close(go[1]);
	pid = only_child();
	ASSERT_LT(0, pid);
	ckpt_remember(&self->t, pid);
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));
}

/* --- bad images ------------------------------------------------------------ */

SCENARIO(has_everything)
{
	int master, slave, dead, hung;

	master = new_pair(&slave);
	put(master, "line\nrest");
	put(slave, "output");
	NEED((hung = open_slave(master, O_RDWR)) >= 0);
	new_pair(&hung);
	dead = new_pair(&slave);
	close(dead);
	master = new_pair(&slave);
	set_raw(slave);
	fill_up(master, slave, 1);
	ckpt_point();
}

/* What the image demands, its user may not do. */
static int give_away(struct ckpt_test *t)
{
	struct ckpt_rec_hdr *hdr;
	struct ckpt_pty *pty;
	size_t len;
	char *image;
	long ret;

	image = ckpt_save_scenario(t, "has_pair", &len);
	hdr = image ? ckpt_find_record(image, len, CKPT_REC_PTY, 0) : NULL;
	if (!hdr)
		return 1;
	pty = (void *)(hdr + 1);
	ret = ckpt_restart_raw(t, image, len);
	if (pty->uid != 1000 || ret <= 0)
		return 2;
	pty->uid = 4321;
	ckpt_mend_record(hdr);
	ret = ckpt_restart_raw(t, image, len);
	free(image);
	return ret != -EPERM ||
	       !ckpt_reason(t, EPERM, "pty", -1, 0, "cannot give /dev/pts/");
}

TEST_F(checkpoint, owner_of_node)
{
	NOT_DRY();
	if (getuid())
		SKIP(return, "needs root");
	EXPECT_EQ(0, ckpt_as_user(&self->t, 1000, give_away))
		ckpt_show_log(&self->t);
}

/* What only a restart can find out. */
TEST_F(checkpoint, bad_pairs)
{
	struct ckpt_file_pty *file;
	struct ckpt_rec_hdr *hdr;
	struct ckpt_pty *pty;
	char *image, *good;
	uint32_t first;
	size_t len;
	int i;

	NOT_DRY();
	good = ckpt_save_scenario(&self->t, "has_everything", &len);
	ASSERT_NE(NULL, good);
	image = malloc(len);
	ASSERT_NE(NULL, image);
	EXPECT_LT(0, ckpt_restart_raw(&self->t, good, len))
		ckpt_show_log(&self->t);

	/* Two masters of a pair. */
	memcpy(image, good, len);
	hdr = ckpt_find_record(image, len, CKPT_REC_FILE_PTY, 0);
	ASSERT_NE(NULL, hdr);
	file = (void *)(hdr + 1);
	ASSERT_EQ(CKPT_PTY_MASTER, file->side);
	first = file->pty;
	for (i = 1; (hdr = ckpt_find_record(image, len, CKPT_REC_FILE_PTY, i)); i++) {
		file = (void *)(hdr + 1);
		if (file->side == CKPT_PTY_MASTER)
			break;
	}
	ASSERT_NE(NULL, hdr);
	file->pty = first;
	ckpt_mend_record(hdr);
	EXPECT_EQ(-EINVAL, ckpt_restart_raw(&self->t, image, len));
	EXPECT_TRUE(ckpt_reason(&self->t, EINVAL, "file_pty", -1, 0, "bad master"))
		ckpt_show_log(&self->t);

	/* Two pairs of a number. */
	memcpy(image, good, len);
	pty = (void *)(ckpt_find_record(image, len, CKPT_REC_PTY, 0) + 1);
	first = pty->index;
	hdr = ckpt_find_record(image, len, CKPT_REC_PTY, 1);
	ASSERT_NE(NULL, hdr);
	pty = (void *)(hdr + 1);
	pty->index = first;
	ckpt_mend_record(hdr);
	EXPECT_EQ(-EBUSY, ckpt_restart_raw(&self->t, image, len));

	/* Of a device that is no ptmx. */
	memcpy(image, good, len);
	hdr = ckpt_find_record(image, len, CKPT_REC_PTY, 0);
	pty = (void *)(hdr + 1);
	ASSERT_LE(sizeof(*pty) + sizeof("/dev/ptmx"), hdr->len);
	ASSERT_EQ(0, strncmp((char *)pty->path, "/dev/", 5));
	memset(pty->path, 0, hdr->len - sizeof(*pty));
	memset(pty->path, '/', hdr->len - sizeof(*pty) - 1);
	memcpy(pty->path + hdr->len - sizeof(*pty) - 10, "/dev/null", 9);
	ckpt_mend_record(hdr);
	EXPECT_EQ(-ESTALE, ckpt_restart_raw(&self->t, image, len));
	EXPECT_TRUE(ckpt_reason(&self->t, ESTALE, "pty", -1, 0, "/dev/null"))
		ckpt_show_log(&self->t);
	free(image);
	free(good);
}

/* An open of it would bring any discipline, whose data would be overwritten. */
TEST_F(checkpoint, no_line_discipline)
{
	struct ckpt_pty_ldisc *ldisc;
	struct ckpt_rec_hdr *hdr;
	struct ckpt_pty *pty;
	size_t len;
	char *image;
	int i;

	NOT_DRY();
	image = ckpt_save_scenario(&self->t, "has_pair", &len);
	ASSERT_NE(NULL, image);
	hdr = ckpt_find_record(image, len, CKPT_REC_PTY, 0);
	ASSERT_NE(NULL, hdr);
	pty = (void *)(hdr + 1);
	EXPECT_EQ(0, pty->flags & CKPT_PTY_NO_LDISC);
	pty->flags |= CKPT_PTY_NO_LDISC;
	pty->termios.line = 27;
	ckpt_mend_record(hdr);
	EXPECT_EQ(-EINVAL, ckpt_restart_raw(&self->t, image, len));
	EXPECT_TRUE(ckpt_reason(&self->t, EINVAL, "pty_ldisc", -1, 0,
				"data in a pseudo terminal that is none"))
		ckpt_show_log(&self->t);
	for (i = 0; (hdr = ckpt_find_record(image, len, CKPT_REC_PTY_LDISC, i)); i++) {
		ldisc = (void *)(hdr + 1);
		ldisc->side = CKPT_PTY_MASTER;
		ckpt_mend_record(hdr);
	}
	EXPECT_EQ(2, i);
	EXPECT_EQ(-EINVAL, ckpt_restart_raw(&self->t, image, len));
	EXPECT_TRUE(ckpt_reason(&self->t, EINVAL, "file_pty", -1, 0,
				"an open slave without a line discipline"))
		ckpt_show_log(&self->t);
	free(image);
}

/* All bytes of these records, altered: an error, or a process, nothing else. */
TEST_F(checkpoint, altered)
{
	static const uint32_t types[] = {
		CKPT_REC_PTY, CKPT_REC_PTY_LDISC, CKPT_REC_PTY_QUEUE,
		CKPT_REC_FILE_PTY,
	};
	int alive, tries = 0;

	NOT_DRY();
	alive = ckpt_alter_scenario(&self->t, "has_everything", types,
				    ARRAY_SIZE(types), &tries);
	TH_LOG("%d tries, %d processes", tries, alive);
	EXPECT_LT(300, tries);
	EXPECT_LT(ckpt_sampled(20), alive);
}

TEST_HARNESS_MAIN
