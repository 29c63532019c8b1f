// SPDX-License-Identifier: GPL-2.0
/*
 * The smallest program worth a checkpoint: no C library, one page of data of
 * its own. It spins, and ends with status 7 once the word at 0x10000000 becomes
 * 1. Its image is small enough to be cut at every byte and to be altered in
 * every field, and its restart quick enough to fail at every allocation.
 *
 * As "tiny_target rich" it has something of everything first, so that its image
 * has a record of every sort. As "tiny_target tty" it has pseudo terminals and
 * System V memory, of which there is only one with a number: such images cannot
 * be restarted several at a time. As "tiny_target exit" it ends at once.
 */
#include <asm/ioctls.h>
#include <asm/ldt.h>
#include <asm/signal.h>
#include <asm/unistd.h>
#include <linux/eventpoll.h>
#include <linux/fcntl.h>
#include <linux/futex.h>
#include <linux/mman.h>
#include <linux/prctl.h>
#include <linux/time.h>

static volatile int go __attribute__((section(".go"))) = -1;

static long call(long nr, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long ret;

	__asm__ volatile ("syscall" : "=a" (ret)
			  : "0" (nr), "D" (a), "S" (b), "d" (c), "r" (r10),
			    "r" (r8), "r" (r9)
			  : "rcx", "r11", "memory");
	return ret;
}

#define C1(nr, a)		call(nr, (long)(a), 0, 0, 0, 0, 0)
#define C2(nr, a, b)		call(nr, (long)(a), (long)(b), 0, 0, 0, 0)
#define C3(nr, a, b, c)		call(nr, (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define C4(nr, a, b, c, d)	call(nr, (long)(a), (long)(b), (long)(c), \
				     (long)(d), 0, 0)

#define MAP(size, prot, flags, fd)					\
	call(__NR_mmap, 0, size, prot, flags, fd, 0)

/* Unix sockets: data and files in them, a connection that is not accepted. */
static void sockets(void)
{
	struct {
		unsigned short family;
		char path[14];
	} addr = { 1, "socket" };
	struct {
		unsigned long len;
		int level;
		int type;
		int fds[2];
	} rights = { 24, 1, 1 };
	struct {
		void *base;
		unsigned long len;
	} iov = { "file", 4 };
	struct {
		void *name;
		unsigned long namelen;
		void *iov;
		unsigned long iovlen;
		void *control;
		unsigned long controllen;
		unsigned long flags;
	} msg = { 0, 0, &iov, 1, &rights, sizeof(rights), 0 };
	int pair[2] = { -1, -1 }, gone[2] = { -1, -1 };
	long listener, client, dgram;

	C4(__NR_socketpair, 1, 5, 0, pair);
	C3(__NR_write, pair[0], "message", 7);
	rights.fds[0] = pair[1];
	rights.fds[1] = 1;
	C3(__NR_sendmsg, pair[0], &msg, 0);
	listener = C3(__NR_socket, 1, 1, 0);
	C3(__NR_bind, listener, &addr, 9);
	C2(__NR_listen, listener, 3);
	client = C3(__NR_socket, 1, 1, 0);
	C3(__NR_connect, client, &addr, 9);
	C3(__NR_write, client, "hello", 5);
	C4(__NR_socketpair, 1, 1, 0, gone);
	C3(__NR_write, gone[0], "last", 4);
	C1(__NR_close, gone[0]);
	/* An abstract name that the kernel chooses. */
	dgram = C3(__NR_socket, 1, 2, 0);
	C3(__NR_bind, dgram, &addr, 2);
}

/* What fails here is missing in the image, and that is all. */
static void something_of_everything(void)
{
	unsigned long action[4] = { 0x400000, 0x14000004, 0x400000, 0x200 };
	unsigned long stack[3] = {}, mask = 0x4200;
	long timer[8] = { 0x1234, (long)SIGUSR1, 0 };
	long spec[4] = { 0, 0, 1000, 0 };
	struct epoll_event event = { .events = EPOLLIN };
	struct user_desc desc = {};
	struct flock range = { .l_type = F_RDLCK, .l_len = 10 };
	int pair[2] = { -1, -1 }, id = 0;
	long fd, mem, epoll;

	/* files: regular, unlinked, directory, device, pipe, FIFO, memfd */
	fd = C3(__NR_open, "file", O_RDWR | O_CREAT, 0644);
	C3(__NR_write, fd, "contents", 8);
	mem = MAP(4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd);
	if (mem > 0)
		*(volatile char *)mem = 1;
	MAP(4096, PROT_READ, MAP_SHARED, fd);
	C1(__NR_dup, fd);
	/* Locks that two processes of one image can have. */
	C2(__NR_flock, fd, 1);
	C3(__NR_fcntl, fd, F_SETLK, &range);
	range.l_start = 20;
	C3(__NR_fcntl, fd, F_OFD_SETLK, &range);
	fd = C3(__NR_open, "gone", O_RDWR | O_CREAT, 0600);
	C3(__NR_write, fd, "unlinked", 8);
	C1(__NR_unlink, "gone");
	C3(__NR_open, ".", O_RDONLY | O_DIRECTORY, 0);
	C3(__NR_open, "/dev/zero", O_RDWR, 0);
	C1(__NR_pipe, pair);
	C3(__NR_write, pair[1], "in the pipe", 11);
	C3(__NR_mknod, "fifo", 0010600, 0);
	C3(__NR_open, "fifo", O_RDWR, 0);
	fd = C2(__NR_memfd_create, "tiny", 2);
	C2(__NR_ftruncate, fd, 8192);
	mem = MAP(8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
	if (mem > 0)
		*(volatile char *)mem = 2;
	mem = MAP(8192, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1);
	if (mem > 0)
		*(volatile char *)mem = 3;
	C3(__NR_mprotect, mem, 4096, PROT_READ);
	mem = MAP(2 << 20, PROT_READ | PROT_WRITE,
		  MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1);
	mem = MAP(16384, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	if (mem > 0)
		*(volatile char *)mem = 4;
	call(__NR_prctl, PR_SET_VMA, PR_SET_VMA_ANON_NAME, mem, 8192,
	     (long)"tiny", 0);

	/* event files; the epoll file watches them all, once more its own */
	epoll = C1(__NR_epoll_create1, 0);
	event.data = C2(__NR_eventfd2, 3, 0);
	C4(__NR_epoll_ctl, epoll, EPOLL_CTL_ADD, event.data, &event);
	event.data = C2(__NR_timerfd_create, 1, 0);
	C4(__NR_timerfd_settime, event.data, 0, spec, 0);
	C4(__NR_epoll_ctl, epoll, EPOLL_CTL_ADD, event.data, &event);
	event.data = C4(__NR_signalfd4, -1, &mask, 8, 0);
	C4(__NR_epoll_ctl, epoll, EPOLL_CTL_ADD, event.data, &event);
	event.data = C2(__NR_pidfd_open, C1(__NR_getpid, 0), 0);
	C4(__NR_epoll_ctl, epoll, EPOLL_CTL_ADD, event.data, &event);
	event.data = pair[1];
	event.events = EPOLLOUT | EPOLLET;
	C4(__NR_epoll_ctl, epoll, EPOLL_CTL_ADD, event.data, &event);
	event.data = C1(__NR_epoll_create1, 0);
	C4(__NR_epoll_ctl, event.data, EPOLL_CTL_ADD, epoll, &event);

	fd = C1(__NR_inotify_init1, 0);
	C3(__NR_inotify_add_watch, fd, ".", 0x100);
	C2(__NR_mkdir, "seen", 0700);

	sockets();

	/* signals */
	C4(__NR_rt_sigaction, SIGUSR1, action, 0, 8);
	C4(__NR_rt_sigprocmask, 0, &mask, 0, 8);
	stack[0] = 0x10000800;
	stack[2] = 0x10000;
	C2(__NR_sigaltstack, stack, 0);
	C2(__NR_kill, C1(__NR_getpid, 0), SIGUSR1);
	C3(__NR_tgkill, C1(__NR_getpid, 0), C1(__NR_getpid, 0), SIGTERM);

	/* timers */
	C3(__NR_setitimer, 0, spec, 0);
	C3(__NR_timer_create, 1, timer, &id);
	C4(__NR_timer_settime, id, 0, spec, 0);

	/* the task, the processor */
	call(__NR_prctl, PR_SET_PDEATHSIG, SIGUSR2, 0, 0, 0, 0);
	C2(__NR_set_robust_list, 0x10000700, 24);
	C1(__NR_set_tid_address, 0x10000780);
	desc.entry_number = 2;
	desc.base_addr = 0x10000000;
	desc.limit = 100;
	desc.seg_32bit = 1;
	desc.useable = 1;
	C3(__NR_modify_ldt, 0x11, &desc, sizeof(desc));
	C2(__NR_arch_prctl, 0x1001, 0x10000100);
	C4(__NR_rseq, 0x10000800, 32, 0, 0x53053053);
}

static long new_pty(void)
{
	int unlock = 0;
	long fd = C3(__NR_open, "/dev/ptmx", O_RDWR | O_NOCTTY, 0);

	C3(__NR_ioctl, fd, TIOCSPTLCK, &unlock);
	return fd;
}

static void what_has_a_number(void)
{
	long master, slave, id, mem;

	/* a pair with data in both directions, and a dead slave */
	master = new_pty();
	slave = C3(__NR_ioctl, master, TIOCGPTPEER, O_RDWR | O_NOCTTY);
	C3(__NR_write, master, "a line\nand", 10);
	C3(__NR_write, slave, "output", 6);
	master = new_pty();
	slave = C3(__NR_ioctl, master, TIOCGPTPEER, O_RDWR | O_NOCTTY);
	C1(__NR_close, master);

	/* a segment that goes with us */
	id = C3(__NR_shmget, 0, 5000, 0600);
	mem = C3(__NR_shmat, id, 0, 0);
	C3(__NR_shmctl, id, 0, 0);
	if (mem > 0)
		*(volatile char *)mem = 5;
}

static void __attribute__((noreturn, used)) begin(char **stack)
{
	/* argc, argv[0], argv[1] */
	if (stack[0] == (char *)2 && stack[2][0] == 'r')
		something_of_everything();
	if (stack[0] == (char *)2 && stack[2][0] == 't')
		what_has_a_number();
	if (stack[0] == (char *)2 && stack[2][0] == 'e')
		C1(__NR_exit_group, 0);
	go = 0;
	while (!go)
		__builtin_ia32_pause();
	for (;;)
		C1(__NR_exit_group, 7);
}

__asm__(".globl _start\n"
	"_start: movq %rsp, %rdi\n"
	"call begin\n");
