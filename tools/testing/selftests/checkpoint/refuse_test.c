// SPDX-License-Identifier: GPL-2.0
/*
 * What is refused: each kind by its name, with its descriptor or address, and
 * the program runs on. What belongs to a kind that is supported otherwise has
 * its refusals in the tests of that kind.
 */
#include "ckpt_test.h"

#include <glob.h>
#include <linux/aio_abi.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <linux/io_uring.h>
#include <linux/landlock.h>
#include <linux/netlink.h>
#include <linux/perf_event.h>
#include <linux/seccomp.h>
#include <linux/userfaultfd.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <sys/fanotify.h>
#include <sys/io.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/user.h>

#ifndef SYS_mseal
#define SYS_mseal	462
#endif
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset	444
#define SYS_landlock_restrict_self	446
#endif
#ifndef SYS_memfd_secret
#define SYS_memfd_secret	447
#endif
#ifndef SYS_fsopen
#define SYS_fsopen	430
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open	434
#endif
#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd	438
#endif

#define PAGE	4096UL
#define RW	(PROT_READ | PROT_WRITE)
#define ANON	(MAP_PRIVATE | MAP_ANONYMOUS)

/* Where the descriptor or the address goes for the tester to compare. */
static int is_fd(int fd, const char *what)
{
	if (fd < 0)
		ckpt_skip("%s: %s", what, strerror(errno));
	ckpt_value[0] = fd;
	return fd;
}

static void *is_addr(void *mem, const char *what)
{
	if (mem == MAP_FAILED)
		ckpt_skip("%s: %s", what, strerror(errno));
	ckpt_value[1] = (long)mem;
	return mem;
}

/* --- sockets -------------------------------------------------------------- */

REFUSED(socket_netlink, EOPNOTSUPP, "file_socket", "netlink")
{
	is_fd(socket(AF_NETLINK, SOCK_RAW, NETLINK_GENERIC), "socket");
	ckpt_point();
}

REFUSED(socket_packet, EOPNOTSUPP, "socket_packet", "socket")
{
	is_fd(socket(AF_PACKET, SOCK_RAW, 0), "socket");
	ckpt_point();
}

/* --- anonymous inodes ----------------------------------------------------- */

REFUSED(fanotify_is_refused, EOPNOTSUPP, "fanotify", NULL)
{
	is_fd(fanotify_init(FAN_CLASS_NOTIF, O_RDONLY), "fanotify_init");
	ckpt_point();
}

REFUSED(io_uring_is_refused, EOPNOTSUPP, "io_uring", NULL)
{
	struct io_uring_params params = {};

	is_fd(syscall(SYS_io_uring_setup, 4, &params), "io_uring_setup");
	ckpt_point();
}

/* The descriptor is closed; the task has used it. */
REFUSED(io_uring_was_used, EOPNOTSUPP, "task_io_uring", NULL)
{
	struct io_uring_params params = {};
	int fd = syscall(SYS_io_uring_setup, 4, &params);

	if (fd < 0)
		ckpt_skip("io_uring_setup: %s", strerror(errno));
	close(fd);
	ckpt_point();
}

REFUSED(io_uring_rings, EOPNOTSUPP, NULL, NULL)
{
	struct io_uring_params params = {};
	int fd = syscall(SYS_io_uring_setup, 4, &params);

	if (fd < 0)
		ckpt_skip("io_uring_setup: %s", strerror(errno));
	is_addr(mmap(NULL, PAGE, RW, MAP_SHARED, fd, IORING_OFF_SQ_RING), "mmap");
	ckpt_point();
}

static int make_userfaultfd(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC);

	if (fd < 0)
		ckpt_skip("userfaultfd: %s", strerror(errno));
	NEED(!ioctl(fd, UFFDIO_API, &api));
	return fd;
}

REFUSED(userfaultfd_is_refused, EOPNOTSUPP, "userfaultfd", NULL)
{
	is_fd(make_userfaultfd(), "userfaultfd");
	ckpt_point();
}

REFUSED(userfaultfd_memory, EOPNOTSUPP, "vma_userfaultfd", NULL)
{
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	int fd = make_userfaultfd();
	char *mem = is_addr(mmap(NULL, 4 * PAGE, RW, ANON, -1, 0), "mmap");

	reg.range.start = (unsigned long)mem;
	reg.range.len = 4 * PAGE;
	NEED(!ioctl(fd, UFFDIO_REGISTER, &reg));
	ckpt_point();
}

static int open_perf(int pid)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE, .size = sizeof(attr),
		.config = PERF_COUNT_SW_PAGE_FAULTS, .exclude_kernel = 1,
	};

	return syscall(SYS_perf_event_open, &attr, pid, -1, -1, 0);
}

REFUSED(perf_event, EOPNOTSUPP, "perf_event", NULL)
{
	is_fd(open_perf(0), "perf_event_open");
	ckpt_point();
}

REFUSED(perf_of_task, EOPNOTSUPP, "perf", NULL)
{
	if (open_perf(0) < 0)
		ckpt_skip("perf_event_open: %s", strerror(errno));
	ckpt_point();
}

REFUSED(bpf_map, EOPNOTSUPP, "bpf", NULL)
{
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4,
		.value_size = 8, .max_entries = 1,
	};

	is_fd(syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr)), "bpf");
	ckpt_point();
}

REFUSED(fs_context, EOPNOTSUPP, "fscontext", NULL)
{
	is_fd(syscall(SYS_fsopen, "tmpfs", 0), "fsopen");
	ckpt_point();
}

REFUSED(landlock_ruleset, EOPNOTSUPP, "landlock", NULL)
{
	struct landlock_ruleset_attr attr = {
		.handled_access_fs = LANDLOCK_ACCESS_FS_EXECUTE,
	};

	is_fd(syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0),
	      "landlock_create_ruleset");
	ckpt_point();
}

/* --- file systems of their own -------------------------------------------- */

REFUSED(namespace_fd, EOPNOTSUPP, "namespace", NULL)
{
	is_fd(open("/proc/self/ns/uts", O_RDONLY), "ns/uts");
	ckpt_point();
}

REFUSED(secret_file, EOPNOTSUPP, "secretmem", NULL)
{
	is_fd(syscall(SYS_memfd_secret, 0), "memfd_secret");
	ckpt_point();
}

REFUSED(secret_memory, EOPNOTSUPP, "vma_secretmem", NULL)
{
	int fd = syscall(SYS_memfd_secret, 0);

	if (fd < 0)
		ckpt_skip("memfd_secret: %s", strerror(errno));
	NEED(!ftruncate(fd, PAGE));
	is_addr(mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0), "mmap");
	close(fd);
	ckpt_point();
}

REFUSED(proc_file, EOPNOTSUPP, "proc", NULL)
{
	is_fd(open("/proc/self/status", O_RDONLY), "/proc");
	ckpt_point();
}

REFUSED(sysfs_file, EOPNOTSUPP, "sysfs", NULL)
{
	is_fd(open("/sys/kernel/mm/transparent_hugepage/enabled", O_RDONLY),
	      "/sys");
	ckpt_point();
}

REFUSED(cgroup_file, EOPNOTSUPP, "cgroupfs", NULL)
{
	is_fd(open("/sys/fs/cgroup/cgroup.procs", O_RDONLY), "cgroup2");
	ckpt_point();
}

REFUSED(debugfs_file, EOPNOTSUPP, "kernelfs", NULL)
{
	is_fd(open("/sys/kernel/debug", O_RDONLY | O_DIRECTORY), "debugfs");
	ckpt_point();
}

REFUSED(hugetlbfs_file, EOPNOTSUPP, "hugetlbfs", NULL)
{
	is_fd(open("/dev/hugepages/ckpt-test", O_RDWR | O_CREAT, 0600),
	      "/dev/hugepages");
	unlink("/dev/hugepages/ckpt-test");
	ckpt_point();
}

REFUSED(block_device, EOPNOTSUPP, "block_dev", NULL)
{
	int fd = open("/dev/loop0", O_RDONLY);

	is_fd(fd < 0 ? open("/dev/vda", O_RDONLY) : fd, "no block device");
	ckpt_point();
}

REFUSED(character_device, EOPNOTSUPP, "char_dev", NULL)
{
	is_fd(open("/dev/kmsg", O_RDONLY), "/dev/kmsg");
	ckpt_point();
}

/* --- memory --------------------------------------------------------------- */

REFUSED(sealed_memory, EOPNOTSUPP, "vma_sealed", "mseal")
{
	char *mem = is_addr(mmap(NULL, 4 * PAGE, RW, ANON, -1, 0), "mmap");

	if (syscall(SYS_mseal, mem, 4 * PAGE, 0))
		ckpt_skip("mseal: %s", strerror(errno));
	mem[0] = 1;
	ckpt_point();
	CHECK_EQ(1, mem[0]);
}

REFUSED(device_memory, EOPNOTSUPP, "vma_device", NULL)
{
	void *mem = MAP_FAILED;
	glob_t found;
	size_t i;
	int fd;

	/* A part of some PCI device. */
	if (glob("/sys/bus/pci/devices/*/resource[0-9]", 0, NULL, &found))
		ckpt_skip("no device to be mapped");
	for (i = 0; i < found.gl_pathc && mem == MAP_FAILED; i++) {
		fd = open(found.gl_pathv[i], O_RDWR);
		if (fd >= 0)
			mem = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
		close(fd);
	}
	globfree(&found);
	is_addr(mem, "no device can be mapped");
	ckpt_point();
}

REFUSED(perf_memory, EOPNOTSUPP, NULL, NULL)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE, .size = sizeof(attr),
		.config = PERF_COUNT_SW_DUMMY,
	};
	int fd = syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);

	if (fd < 0)
		ckpt_skip("perf_event_open: %s", strerror(errno));
	is_addr(mmap(NULL, 2 * PAGE, RW, MAP_SHARED, fd, 0), "mmap");
	ckpt_point();
}

REFUSED(asynchronous_io, EOPNOTSUPP, NULL, "asynchronous I/O")
{
	aio_context_t ctx = 0;

	if (syscall(SYS_io_setup, 4, &ctx))
		ckpt_skip("io_setup: %s", strerror(errno));
	ckpt_point();
	CHECK_EQ(0, syscall(SYS_io_destroy, ctx));
}

REFUSED(hugetlb_file, EOPNOTSUPP, "vma_hugetlb_file", NULL)
{
	char *mem;

	mem = mmap(NULL, 2 << 20, RW, MAP_SHARED | MAP_ANONYMOUS | MAP_HUGETLB,
		   -1, 0);
	is_addr(mem, "huge pages");
	ckpt_point();
}

/* --- the task ------------------------------------------------------------- */

static void *idle(void *arg)
{
	(void)arg;
	for (;;)
		pause();
	return NULL;
}

/* Within the tree that is saved; this one is a sibling. */
REFUSED(shared_files, EBUSY, "shared", "shares descriptors with process")
{
	pid_t pid = syscall(SYS_clone, CLONE_PARENT | CLONE_FILES, 0, 0, 0, 0);

	if (!pid)
		idle(NULL);
	NEED(pid > 0);
	ckpt_point();
	CHECK_EQ(0, kill(pid, SIGKILL));
}

REFUSED(shared_directories, EBUSY, "shared", "shares directories with process")
{
	pid_t pid = syscall(SYS_clone, CLONE_PARENT | CLONE_FS, 0, 0, 0, 0);

	if (!pid)
		idle(NULL);
	NEED(pid > 0);
	ckpt_point();
	CHECK_EQ(0, kill(pid, SIGKILL));
}

/* As above, but with an own stack, and as glibc's clone() makes it. */
static char stack[65536] __attribute__((aligned(16)));

static int idle_process(void *arg)
{
	idle(arg);
	return 0;
}

REFUSED(shared_address_space, EBUSY, "shared", "shares memory with process")
{
	pid_t pid = clone(idle_process, stack + sizeof(stack),
			  CLONE_PARENT | CLONE_VM, NULL);

	NEED(pid > 0);
	ckpt_point();
	CHECK_EQ(0, kill(pid, SIGKILL));
}

REFUSED(strict_seccomp, EOPNOTSUPP, "seccomp", "strict")
{
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT))
		ckpt_skip("no seccomp");
	ckpt_point();
	syscall(SYS_exit, 0);
}

REFUSED(filter_seccomp, EOPNOTSUPP, "seccomp", "filters")
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { 1, filter };

	NEED(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog))
		ckpt_skip("no seccomp filters");
	ckpt_point();
}

static char dispatch_selector;

REFUSED(user_dispatch, EOPNOTSUPP, "user_dispatch", NULL)
{
	if (prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON, 0, 0,
		  &dispatch_selector))
		ckpt_skip("no PR_SET_SYSCALL_USER_DISPATCH");
	ckpt_point();
}

REFUSED(landlock_domain, EOPNOTSUPP, NULL, "Landlock")
{
	struct landlock_ruleset_attr attr = {
		.handled_access_fs = LANDLOCK_ACCESS_FS_EXECUTE,
	};
	int fd;

	fd = syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	if (fd < 0)
		ckpt_skip("no Landlock");
	NEED(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	NEED(!syscall(SYS_landlock_restrict_self, fd, 0));
	close(fd);
	ckpt_point();
}

#define NAMESPACE(_name, _flag, _text)					\
	REFUSED(_name, EOPNOTSUPP, NULL, _text)				\
	{								\
		if (unshare(_flag))					\
			ckpt_skip("unshare: %s", strerror(errno));	\
		ckpt_point();						\
	}

NAMESPACE(pid_namespace, CLONE_NEWPID, "pid namespace")
NAMESPACE(time_namespace, 0x80, "time namespace")
NAMESPACE(user_namespace, CLONE_NEWUSER, "user namespace")

REFUSED(keyring, EOPNOTSUPP, "keyrings", "keyring")
{
	/* add_key("user", "name", ..., KEY_SPEC_PROCESS_KEYRING) */
	if (syscall(SYS_add_key, "user", "name", "x", 1, -2) < 0)
		ckpt_skip("add_key: %s", strerror(errno));
	ckpt_point();
}

REFUSED(io_ports, EOPNOTSUPP, NULL, "I/O ports")
{
	if (ioperm(0x80, 1, 1))
		ckpt_skip("ioperm: %s", strerror(errno));
	ckpt_point();
}

REFUSED(io_privilege, EOPNOTSUPP, NULL, "I/O ports")
{
	if (iopl(3))
		ckpt_skip("iopl: %s", strerror(errno));
	ckpt_point();
}

REFUSED(shadow_stack, EOPNOTSUPP, NULL, "shadow stack")
{
	/* arch_prctl(ARCH_SHSTK_ENABLE, ARCH_SHSTK_SHSTK) and no return ever */
	if (syscall(SYS_arch_prctl, 0x5001, 1))
		ckpt_skip("this processor has no shadow stacks");
	ckpt_point();
	_exit(0);
}

/* --- with somebody outside ------------------------------------------------ */

SCENARIO(plain)
{
	static char data[10000];
	char *shared;
	int fd;

	ckpt_fill(data, sizeof(data), 1);
	fd = open("file", O_RDWR | O_CREAT, 0600);
	NEED(fd == 3);
	shared = mmap(NULL, 4 * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	NEED(shared != MAP_FAILED);
	shared[0] = 1;
	ckpt_value[1] = (long)shared;
	ckpt_point();
	CHECK_FILL(data, sizeof(data), 1);
}

static int refused_now(struct ckpt_test *t, pid_t pid, int error,
		       const char *kind, int fd, unsigned long addr,
		       const char *text)
{
	long ret = ckpt_checkpoint_fd(t, pid, -1, CHECKPOINT_DRY_RUN);

	if (ckpt_is_first_error(t, ret) && ckpt_reason(t, error, kind, fd, addr, text))
		return 0;
	ckpt_say("gave %ld; no reason with errno=%d kind=%s fd=%d '%s'", ret,
		 error, kind ?: "any", fd, text ?: "");
	ckpt_show_log(t);
	return -1;
}

TEST_F(checkpoint, traced)
{
	int status;
	pid_t pid;

	NOT_DRY();
	START(pid, plain, NULL);
	ASSERT_EQ(0, ptrace(PTRACE_SEIZE, pid, NULL, NULL));
	EXPECT_EQ(0, refused_now(&self->t, pid, EBUSY, NULL, -1, 0, "traced"));
	/* Also while it stands in a stop of the tracer. */
	ASSERT_EQ(0, ptrace(PTRACE_INTERRUPT, pid, NULL, NULL));
	ASSERT_EQ(pid, waitpid(pid, &status, __WALL));
	ASSERT_TRUE(WIFSTOPPED(status));
	EXPECT_GT(0, ckpt_checkpoint_fd(&self->t, pid, -1, CHECKPOINT_DRY_RUN));
	ASSERT_EQ(0, ptrace(PTRACE_DETACH, pid, NULL, NULL));
	EXPECT_EQ(0, ckpt_checkpoint_fd(&self->t, pid, -1, CHECKPOINT_DRY_RUN));
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));
}

TEST_F(checkpoint, breakpoint)
{
	int status;
	pid_t pid;

	NOT_DRY();
	START(pid, plain, NULL);
	ASSERT_EQ(0, ptrace(PTRACE_ATTACH, pid, NULL, NULL));
	ASSERT_EQ(pid, waitpid(pid, &status, __WALL));
	if (ptrace(PTRACE_POKEUSER, pid, offsetof(struct user, u_debugreg[0]),
		   0x1000) ||
	    ptrace(PTRACE_POKEUSER, pid, offsetof(struct user, u_debugreg[7]),
		   0x1)) {
		ptrace(PTRACE_DETACH, pid, NULL, NULL);
		SKIP(return, "no hardware breakpoints");
	}
	ASSERT_EQ(0, ptrace(PTRACE_DETACH, pid, NULL, NULL));
	EXPECT_EQ(0, refused_now(&self->t, pid, EOPNOTSUPP, NULL, -1, 0,
				 "breakpoint"));
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));
}

TEST_F(checkpoint, tracer)
{
	pid_t pid;

	NOT_DRY();
	START(pid, traces_child, NULL);
	EXPECT_EQ(0, refused_now(&self->t, pid, EBUSY, "ptrace", -1, 0, "traced"));
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));
}

SCENARIO(traces_child)
{
	pid_t pid = fork();

	if (!pid)
		idle(NULL);
	NEED(!ptrace(PTRACE_SEIZE, pid, NULL, NULL));
	ckpt_point();
	CHECK_EQ(0, kill(pid, SIGKILL));
	CHECK_EQ(pid, waitpid(pid, NULL, __WALL));
}

/* A descriptor that somebody else has got too. */
TEST_F(checkpoint, shared_description)
{
	int pidfd, fd;
	pid_t pid;

	NOT_DRY();
	START(pid, plain, NULL);
	pidfd = syscall(SYS_pidfd_open, pid, 0);
	ASSERT_LE(0, pidfd);
	fd = syscall(SYS_pidfd_getfd, pidfd, 3, 0);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, refused_now(&self->t, pid, EBUSY, NULL, 3, 0, "shared"));
	close(fd);
	close(pidfd);
	EXPECT_EQ(0, ckpt_checkpoint_fd(&self->t, pid, -1, CHECKPOINT_DRY_RUN));
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));
}

/* Memory that somebody else has mapped, or opened. */
TEST_F(checkpoint, shared_memory)
{
	unsigned long addr;
	char path[100];
	void *mem;
	pid_t pid;
	int fd;

	NOT_DRY();
	START(pid, plain, NULL);
	addr = ckpt_peek_value(pid, 1);
	snprintf(path, sizeof(path), "/proc/%d/map_files/%lx-%lx", pid, addr,
		 addr + 4 * PAGE);
	fd = open(path, O_RDWR);
	if (fd < 0)
		SKIP(return, "%s: %s", path, strerror(errno));
	EXPECT_EQ(0, refused_now(&self->t, pid, EBUSY, NULL, -1, 0, NULL));
	mem = mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, mem);
	close(fd);
	EXPECT_EQ(0, refused_now(&self->t, pid, EBUSY, NULL, -1, 0, NULL));
	munmap(mem, PAGE);
	EXPECT_EQ(0, ckpt_checkpoint_fd(&self->t, pid, -1, CHECKPOINT_DRY_RUN));
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));
}

TEST_F(checkpoint, watched_by_perf)
{
	pid_t pid;
	int fd;

	NOT_DRY();
	START(pid, plain, NULL);
	fd = open_perf(pid);
	if (fd < 0) {
		EXPECT_EQ(0, ckpt_finish(&self->t, pid));
		SKIP(return, "perf_event_open: %s", strerror(errno));
	}
	EXPECT_EQ(0, refused_now(&self->t, pid, EBUSY, "perf", -1, 0, NULL));
	close(fd);
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));
}

/* --- several at once ------------------------------------------------------ */

SCENARIO(several)
{
	char *mem, *ready;
	pthread_t thread;
	pid_t pid;

	ready = mmap(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	NEED(ready != MAP_FAILED);
	NEED(open("/proc/self/ns/uts", O_RDONLY) == 3);
	NEED(open("/proc/self/status", O_RDONLY) == 4);
	NEED(socket(AF_NETLINK, SOCK_RAW, NETLINK_GENERIC) == 5);
	NEED(socket(AF_NETLINK, SOCK_RAW, NETLINK_GENERIC) == 6);
	NEED(dup2(3, 70) == 70);
	mem = mmap(NULL, 8 * PAGE, RW, ANON, -1, 0);
	NEED(mem != MAP_FAILED);
	if (!syscall(SYS_mseal, mem, PAGE, 0))
		ckpt_value[1] = (long)mem;
	pid = fork();
	if (!pid) {
		NEED(open("/proc/self/ns/uts", O_RDONLY) == 7 &&
		     dup2(7, 80) == 80);
		*ready = 1;
		idle(NULL);
	}
	while (!*(volatile char *)ready)
		usleep(1000);
	NEED(!pthread_create(&thread, NULL, idle, NULL));
	ckpt_point();
	CHECK_EQ(0, kill(pid, SIGKILL));
	CHECK_EQ(pid, waitpid(pid, NULL, 0));
}

TEST_F(checkpoint, all_at_once)
{
	struct ckpt_test *t = &self->t;
	unsigned long addr;
	pid_t pid;
	int pass;

	NOT_DRY();
	START(pid, several, NULL);
	addr = ckpt_peek_value(pid, 1);
	for (pass = 0; pass < 2; pass++) {
		long ret;

		ret = pass ? ckpt_checkpoint(t, pid, t->image, 0) :
			     ckpt_checkpoint_fd(t, pid, -1, CHECKPOINT_DRY_RUN);
		EXPECT_GT(0, ret);
		EXPECT_TRUE(ckpt_reason(t, EOPNOTSUPP, "namespace", 3, 0, NULL));
		EXPECT_TRUE(ckpt_reason(t, EOPNOTSUPP, "proc", 4, 0, NULL));
		EXPECT_TRUE(ckpt_reason(t, EOPNOTSUPP, "file_socket", 5, 0, NULL));
		EXPECT_TRUE(ckpt_reason(t, EOPNOTSUPP, "file_socket", 6, 0, NULL));
		/* The child's, too. */
		EXPECT_TRUE(ckpt_reason(t, EOPNOTSUPP, "namespace", 7, 0, NULL));
		EXPECT_TRUE(ckpt_reason(t, EOPNOTSUPP, "namespace", 80, 0, NULL));
		EXPECT_TRUE(!addr || ckpt_reason(t, EOPNOTSUPP, "vma_sealed",
						 -1, addr, NULL));
		/* All the descriptors are named. */
		EXPECT_TRUE(ckpt_reason(t, EOPNOTSUPP, "namespace", 70, 0, NULL));
	}
	EXPECT_EQ(0, ckpt_file_size(t->image));
	EXPECT_EQ(0, ckpt_finish(t, pid));
}

/* More reasons than the log holds are counted. */
SCENARIO(very_many)
{
	struct rlimit limit = { 4000, 4000 };
	int i;

	if (setrlimit(RLIMIT_NOFILE, &limit))
		ckpt_skip("no limit of 4000 files");
	for (i = 3; i < 4000; i++)
		NEED(open("/proc/self/ns/uts", O_RDONLY) == i);
	ckpt_point();
}

TEST_F(checkpoint, more_than_fit)
{
	pid_t pid;

	NOT_DRY();
	START(pid, very_many, NULL);
	EXPECT_EQ(-EOPNOTSUPP, ckpt_checkpoint_fd(&self->t, pid, -1,
						  CHECKPOINT_DRY_RUN));
	EXPECT_LT(50000, (long)self->t.log_len);
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));
}

TEST_HARNESS_MAIN
