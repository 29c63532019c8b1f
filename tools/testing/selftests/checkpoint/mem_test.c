// SPDX-License-Identifier: GPL-2.0
/*
 * Memory: every sort of mapping, its contents, its flags, and what of it is
 * not in the image.
 */
#include "ckpt_test.h"

#include <elf.h>
#include <linux/mman.h>
#include <linux/prctl.h>
#include <setjmp.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#define PAGE	4096UL
#define KB	1024UL
#define MB	(1024 * KB)
#define GB	(1024 * MB)

#define RW	(PROT_READ | PROT_WRITE)
#define ANON	(MAP_PRIVATE | MAP_ANONYMOUS)

static void *map(size_t size, int prot, int flags, int fd)
{
	void *mem = mmap(NULL, size, prot, flags, fd, 0);

	if (!CHECK_SAY(mem != MAP_FAILED, "mmap: %s", strerror(errno)))
		ckpt_target_die();
	return mem;
}

/* A file of @size bytes with ckpt_fill() contents. */
static int make_file(const char *path, size_t size, uint64_t seed)
{
	char *buf = malloc(size);
	int fd;

	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	NEED(buf && fd >= 0);
	ckpt_fill(buf, size, seed);
	NEED(write(fd, buf, size) == (ssize_t)size);
	free(buf);
	return fd;
}

/* Value in kB of a line of the mapping's entry in smaps, or -1. */
static long smaps_kb(const void *addr, const char *name)
{
	unsigned long from = 0, to = 0;
	char *text, *line, *next;
	size_t len = strlen(name);
	long value = -1;

	text = ckpt_read_file("/proc/self/smaps", NULL);
	for (line = text; line && *line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		if (line[0] >= 'A' && line[0] <= 'Z') {
			if ((unsigned long)addr >= from &&
			    (unsigned long)addr < to &&
			    !strncmp(line, name, len) && line[len] == ':')
				value = atol(line + len + 1);
		} else {
			if (sscanf(line, "%lx-%lx", &from, &to) != 2)
				from = to;
		}
	}
	free(text);
	return value;
}

/* --- private memory ------------------------------------------------------- */

ROUNDTRIP(anonymous)
{
	char *mem = map(MB, RW, ANON, -1);

	ckpt_fill(mem, MB, 1);
	ckpt_point();
	CHECK_FILL(mem, MB, 1);
	ckpt_fill(mem, MB, 2);
	CHECK_FILL(mem, MB, 2);
}

/* Only some pages were ever touched; the others stay what they are. */
ROUNDTRIP(sparse)
{
	char *mem = map(GB, RW, ANON | MAP_NORESERVE, -1);
	unsigned char vec;
	size_t at;

	NEED(!madvise(mem, GB, MADV_NOHUGEPAGE));
	for (at = 0; at < GB; at += 33 * MB + PAGE)
		ckpt_fill(mem + at, PAGE, at);
	ckpt_point();
	CHECK_EQ(0, mincore(mem + 16 * MB, PAGE, &vec));
	CHECK(smaps_kb(mem, "Rss") <= 4 * 40);
	for (at = 0; at < GB; at += 33 * MB + PAGE) {
		CHECK_FILL(mem + at, PAGE, at);
		CHECK_EQ(0, mem[at + PAGE]);
	}
}

/* Pages that were only read are the zero page, and take no memory. */
ROUNDTRIP(zero_pages)
{
	volatile char *mem = map(4 * MB, RW, ANON, -1);
	volatile char *written = map(4 * MB, RW, ANON, -1);
	size_t at, sum = 0;

	NEED(!madvise((void *)mem, 4 * MB, MADV_NOHUGEPAGE));
	for (at = 0; at < 4 * MB; at += PAGE) {
		sum += mem[at];
		written[at] = 0;
	}
	ckpt_point();
	CHECK_EQ(0, smaps_kb((void *)mem, "Anonymous"));
	for (at = 0; at < 4 * MB; at++)
		sum += mem[at] | written[at];
	CHECK_EQ(0, sum);
}

/* The image holds what there is to save, and not more. */
SCENARIO(little_to_save)
{
	char *mem = map(64 * MB, RW, ANON, -1);
	int fd = make_file("file", 8 * MB, 1);
	volatile char *file = map(8 * MB, PROT_READ, MAP_PRIVATE, fd);
	volatile char *shared = map(8 * MB, RW, MAP_SHARED, fd);
	size_t at;
	long sum = 0;

	NEED(!madvise(mem, 64 * MB, MADV_NOHUGEPAGE));
	for (at = 0; at < 64 * MB; at += PAGE)
		sum += mem[at];
	for (at = 0; at < 8 * MB; at += PAGE)
		sum += file[at] + shared[at];
	ckpt_value[0] = sum;
	ckpt_point();
	CHECK_FILL((void *)file, 8 * MB, 1);
	CHECK_FILL((void *)shared, 8 * MB, 1);
}

TEST_F(checkpoint, image_size)
{
	pid_t pid;

	NOT_DRY();
	START(pid, little_to_save, NULL);
	ASSERT_LT(0, ckpt_checkpoint(&self->t, pid, self->t.image, 0));
	EXPECT_GT((long)(512 * KB), ckpt_file_size(self->t.image));
	ASSERT_EQ(0, ckpt_kill(&self->t, pid));
	ASSERT_EQ(pid, ckpt_restart(&self->t, self->t.image, 0));
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));
}

static sigjmp_buf escape;

static void jump(int sig)
{
	siglongjmp(escape, sig);
}

/* Does this access end in that signal (0: in none)? */
static bool access_gives(int expected, volatile char *at, bool write)
{
	struct sigaction action = { .sa_handler = jump }, segv, bus;
	int sig;

	sigaction(SIGSEGV, &action, &segv);
	sigaction(SIGBUS, &action, &bus);
	sig = sigsetjmp(escape, 1);
	if (!sig) {
		char c = *at;

		if (write)
			*at = c;
	}
	sigaction(SIGSEGV, &segv, NULL);
	sigaction(SIGBUS, &bus, NULL);
	return sig == expected;
}

/* What is protected now was written before. */
ROUNDTRIP(protected_data)
{
	char *none = map(4 * PAGE, RW, ANON, -1);
	char *gap = map(4 * PAGE, PROT_NONE, ANON, -1);
	char *read = map(4 * PAGE, RW, ANON, -1);

	ckpt_fill(none, 4 * PAGE, 1);
	ckpt_fill(read, 4 * PAGE, 2);
	NEED(!mprotect(none, 4 * PAGE, PROT_NONE));
	NEED(!mprotect(read, 4 * PAGE, PROT_READ));
	ckpt_point();
	CHECK(access_gives(SIGSEGV, none, false));
	CHECK(access_gives(SIGSEGV, gap, false));
	CHECK(access_gives(0, read, false));
	CHECK(access_gives(SIGSEGV, read, true));
	NEED(!mprotect(none, 4 * PAGE, RW));
	NEED(!mprotect(gap, 4 * PAGE, PROT_READ));
	CHECK_FILL(none, 4 * PAGE, 1);
	CHECK_FILL(read, 4 * PAGE, 2);
	CHECK_EQ(0, gap[PAGE]);
}

/* Code that the program made itself. */
ROUNDTRIP(made_code)
{
	static const uint8_t code[] = { 0x8d, 0x47, 0x2a, 0xc3 };
	int (*add42)(int number) = map(PAGE, RW, ANON, -1);

	memcpy(add42, code, sizeof(code));
	NEED(!mprotect(add42, PAGE, PROT_READ | PROT_EXEC));
	CHECK_EQ(100, add42(58));
	ckpt_point();
	CHECK_EQ(101, add42(59));
	CHECK(access_gives(SIGSEGV, (char *)add42, true));
}

/* A break point in the program's own text: a private page of a file. */
static int __attribute__((noinline)) patched_function(void)
{
	asm volatile("");
	return 1;
}

ROUNDTRIP(patched_text)
{
	static const uint8_t code[] = { 0xb8, 0x4d, 0, 0, 0, 0xc3 };
	char *page = (char *)((unsigned long)patched_function & ~(PAGE - 1));
	int (*volatile call)(void) = patched_function;

	NEED(!mprotect(page, 2 * PAGE, RW | PROT_EXEC));
	memcpy((void *)patched_function, code, sizeof(code));
	NEED(!mprotect(page, 2 * PAGE, PROT_READ | PROT_EXEC));
	CHECK_EQ(0x4d, call());
	ckpt_point();
	CHECK_EQ(0x4d, call());
}

/* --- stack and heap ------------------------------------------------------- */

static long __attribute__((noinline)) deep(long depth)
{
	volatile char frame[8 * KB];

	memset((char *)frame, depth, sizeof(frame));
	return depth ? deep(depth - 1) + frame[depth] : frame[0];
}

ROUNDTRIP(stack)
{
	char local[64 * KB];
	struct rlimit limit;
	long before;

	ckpt_fill(local, sizeof(local), 1);
	before = deep(20);
	ckpt_point();
	CHECK_FILL(local, sizeof(local), 1);
	CHECK_EQ(before, deep(20));
	/* It grows: 2 MB down. */
	NEED(!getrlimit(RLIMIT_STACK, &limit));
	CHECK(limit.rlim_cur > 4 * MB);
	deep(250);
	CHECK_FILL(local, sizeof(local), 1);
}

/* The stack overflows where it would have. */
ROUNDTRIP(stack_limit)
{
	struct rlimit limit = { 256 * KB, 8 * MB };
	volatile char *sp = __builtin_frame_address(0);
	stack_t alt = { .ss_sp = malloc(64 * KB), .ss_size = 64 * KB };
	struct sigaction action = { .sa_handler = jump, .sa_flags = SA_ONSTACK };
	int sig;

	NEED(!setrlimit(RLIMIT_STACK, &limit));
	NEED(!sigaltstack(&alt, NULL));
	NEED(!sigaction(SIGSEGV, &action, NULL));
	ckpt_point();
	sig = sigsetjmp(escape, 1);
	if (!sig)
		sp[-100L * KB] = 1;
	CHECK_EQ(0, sig);
	sig = sigsetjmp(escape, 1);
	if (!sig)
		sp[-300L * KB] = 1;
	CHECK_EQ(SIGSEGV, sig);
}

ROUNDTRIP(grows_down)
{
	char *room = map(MB, PROT_NONE, ANON | MAP_NORESERVE, -1);
	char *mem;

	NEED(!munmap(room, MB));
	mem = mmap(room + MB - PAGE, PAGE, RW, ANON | MAP_GROWSDOWN | MAP_FIXED,
		   -1, 0);
	NEED(mem != MAP_FAILED);
	ckpt_fill(mem, PAGE, 1);
	mem[-100] = 7;
	ckpt_point();
	CHECK_FILL(mem, PAGE, 1);
	CHECK_EQ(7, mem[-100]);
	mem[-(long)PAGE - 100] = 8;
	CHECK_EQ(8, mem[-(long)PAGE - 100]);
}

ROUNDTRIP(heap)
{
	char *start = sbrk(0), *end;

	NEED(sbrk(300 * KB) == start);
	ckpt_fill(start, 300 * KB, 1);
	ckpt_point();
	end = sbrk(0);
	CHECK(end == start + 300 * KB);
	CHECK_FILL(start, 300 * KB, 1);
	CHECK(sbrk(100 * KB) == end);
	end[99 * KB] = 1;
	CHECK(sbrk(-400L * KB) == end + 100 * KB);
	CHECK(sbrk(0) == start);
	CHECK(malloc(10000));
}

/* --- flags ---------------------------------------------------------------- */

/* The comparison of VmFlags in the snapshot is what tests these. */
ROUNDTRIP(advice)
{
	static const int advice[] = {
		MADV_DONTFORK, MADV_DONTDUMP, MADV_WIPEONFORK, MADV_SEQUENTIAL,
		MADV_RANDOM, MADV_NOHUGEPAGE, MADV_HUGEPAGE, MADV_MERGEABLE,
	};
	const int nr = ARRAY_SIZE(advice);
	char *mem[nr];
	int i;

	for (i = 0; i < nr; i++) {
		/* With a hole, so that none joins its neighbour. */
		mem[i] = map(4 * PAGE, RW, ANON, -1);
		NEED(!munmap(mem[i] + 3 * PAGE, PAGE));
		ckpt_fill(mem[i], 3 * PAGE, i);
		if (madvise(mem[i], 3 * PAGE, advice[i]))
			NEED(errno == EINVAL);
	}
	ckpt_point();
	for (i = 0; i < nr; i++)
		CHECK_FILL(mem[i], 3 * PAGE, i);
	if (!fork()) {
		/* Kept for one, not for the other. */
		_exit(!access_gives(SIGSEGV, mem[0], false) ||
		      mem[2][100] != 0 ||
		      ckpt_fill_differs(mem[1], 3 * PAGE, 1) != -1);
	}
	NEED(wait(&i) > 0);
	CHECK_EQ(0, i);
}

ROUNDTRIP(noreserve)
{
	char *mem = map(256 * MB, RW, ANON | MAP_NORESERVE, -1);

	mem[100 * MB] = 1;
	ckpt_point();
	CHECK_EQ(1, mem[100 * MB]);
}

ROUNDTRIP(locked)
{
	char *mem = map(16 * PAGE, RW, ANON, -1);
	char *fault = map(16 * PAGE, RW, ANON, -1);

	ckpt_fill(mem, 16 * PAGE, 1);
	NEED(!mlock(mem, 16 * PAGE));
	fault[0] = 1;
	NEED(!mlock2(fault, 16 * PAGE, MLOCK_ONFAULT));
	CHECK_EQ(64, smaps_kb(mem, "Locked"));
	ckpt_point();
	CHECK_FILL(mem, 16 * PAGE, 1);
	CHECK_EQ(64, smaps_kb(mem, "Locked"));
	CHECK_EQ(1, fault[0]);
	CHECK_EQ(4, smaps_kb(fault, "Rss"));
	CHECK(atol(ckpt_proc_value("status", "VmLck")) >= 128);
	CHECK_EQ(0, munlock(mem, 16 * PAGE));
}

ROUNDTRIP(lock_all_future)
{
	char *later;

	NEED(!mlockall(MCL_CURRENT | MCL_FUTURE));
	ckpt_point();
	later = map(16 * PAGE, RW, ANON, -1);
	CHECK_EQ(64, smaps_kb(later, "Locked"));
}

ROUNDTRIP(named)
{
	char *mem = map(16 * PAGE, RW, ANON, -1);
	char *text;

	if (prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, mem, 8 * PAGE, "a name"))
		ckpt_skip("no names for anonymous memory");
	mem[0] = 1;
	ckpt_point();
	CHECK_EQ(1, mem[0]);
	text = ckpt_read_file("/proc/self/maps", NULL);
	CHECK(text && strstr(text, "[anon:a name]"));
	free(text);
}

/* --- huge pages ----------------------------------------------------------- */

ROUNDTRIP(transparent_huge)
{
	char *area = map(8 * MB, RW, ANON, -1);
	char *mem = (char *)(((unsigned long)area + 2 * MB - 1) & -(2 * MB));

	if (madvise(mem, 4 * MB, MADV_HUGEPAGE))
		ckpt_skip("no transparent huge pages");
	ckpt_fill(mem, 4 * MB, 1);
	if (smaps_kb(mem, "AnonHugePages") < 2048)
		ckpt_skip("no huge page was to be had");
	ckpt_value[0] = smaps_kb(mem, "AnonHugePages");
	ckpt_point();
	CHECK_FILL(mem, 4 * MB, 1);
	CHECK_EQ(ckpt_value[0], smaps_kb(mem, "AnonHugePages"));
	/* Broken up it is still the same. */
	NEED(!mprotect(mem + 17 * PAGE, PAGE, PROT_READ));
	CHECK_FILL(mem, 4 * MB, 1);
}

/* A huge page of which only a part is mapped any more. */
ROUNDTRIP(huge_in_part)
{
	char *area = map(8 * MB, RW, ANON, -1);
	char *mem = (char *)(((unsigned long)area + 2 * MB - 1) & -(2 * MB));

	if (madvise(mem, 2 * MB, MADV_HUGEPAGE))
		ckpt_skip("no transparent huge pages");
	ckpt_fill(mem, 2 * MB, 1);
	NEED(!munmap(mem + MB, 256 * KB));
	NEED(!madvise(mem + 256 * KB, 256 * KB, MADV_DONTNEED));
	NEED(!mprotect(mem + 512 * KB, 64 * KB, PROT_READ));
	ckpt_point();
	CHECK_FILL(mem, 256 * KB, 1);
	CHECK_EQ(0, mem[256 * KB]);
	CHECK_EQ(0, mem[512 * KB - 1]);
	CHECK(access_gives(SIGSEGV, mem + MB, false));
	CHECK(access_gives(SIGSEGV, mem + 512 * KB, true));
}

ROUNDTRIP_OR_REFUSED(hugetlb_private)
{
	char *mem;

	mem = mmap(NULL, 4 * MB, RW, ANON | MAP_HUGETLB, -1, 0);
	if (mem == MAP_FAILED)
		ckpt_skip("no huge pages are set aside");
	ckpt_fill(mem, 2 * MB, 1);
	ckpt_point();
	CHECK_FILL(mem, 2 * MB, 1);
	CHECK_EQ(0, mem[3 * MB]);
}

ROUNDTRIP_OR_REFUSED(hugetlb_shared)
{
	char *mem;

	mem = mmap(NULL, 4 * MB, RW, MAP_SHARED | MAP_ANONYMOUS | MAP_HUGETLB,
		   -1, 0);
	if (mem == MAP_FAILED)
		ckpt_skip("no huge pages are set aside");
	ckpt_fill(mem, 2 * MB, 1);
	ckpt_point();
	CHECK_FILL(mem, 2 * MB, 1);
	CHECK_EQ(0, mem[3 * MB]);
}

ROUNDTRIP_OR_REFUSED(hugetlb_memfd)
{
	char *mem;
	int fd;

	fd = memfd_create("huge", MFD_CLOEXEC | MFD_HUGETLB);
	if (fd < 0 || ftruncate(fd, 2 * MB))
		ckpt_skip("no huge pages");
	mem = mmap(NULL, 2 * MB, RW, MAP_SHARED, fd, 0);
	if (mem == MAP_FAILED)
		ckpt_skip("no huge pages are set aside");
	ckpt_fill(mem, 2 * MB, 1);
	ckpt_point();
	CHECK_FILL(mem, 2 * MB, 1);
}

/* --- swap, KSM, lazily freed ---------------------------------------------- */

static long swap_used(void)
{
	const char *value = ckpt_proc_value("status", "VmSwap");

	return value ? atol(value) : 0;
}

ROUNDTRIP(swapped)
{
	char *mem = map(4 * MB, RW, ANON, -1);
	int i;

	NEED(!madvise(mem, 4 * MB, MADV_NOHUGEPAGE));
	ckpt_fill(mem, 4 * MB, 1);
	for (i = 0; i < 20 && swap_used() < 1024; i++) {
		if (madvise(mem, 4 * MB, MADV_PAGEOUT))
			ckpt_skip("no MADV_PAGEOUT");
		usleep(10000);
	}
	if (swap_used() < 1024)
		ckpt_skip("nothing was swapped out, is there swap?");
	ckpt_value[0] = swap_used();
	ckpt_point();
	CHECK_FILL(mem, 4 * MB, 1);
}

/* To save swapped pages does not bring them back. */
TEST_F(checkpoint, swapped_stays_out)
{
	char path[64], *status, *line;
	long before;
	pid_t pid;

	NOT_DRY();
	START(pid, swapped, NULL);
	before = ckpt_peek_value(pid, 0);
	ASSERT_LT(0, ckpt_checkpoint(&self->t, pid, self->t.image, 0));
	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	status = ckpt_read_file(path, NULL);
	ASSERT_NE(NULL, status);
	line = strstr(status, "VmSwap:");
	ASSERT_NE(NULL, line);
	EXPECT_LE(before * 9 / 10, atol(line + 7));
	free(status);
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));
}

ROUNDTRIP(shared_swapped)
{
	char *mem = map(2 * MB, RW, MAP_SHARED | MAP_ANONYMOUS, -1);

	ckpt_fill(mem, 2 * MB, 1);
	if (madvise(mem, 2 * MB, MADV_PAGEOUT))
		ckpt_skip("no MADV_PAGEOUT");
	ckpt_point();
	CHECK_FILL(mem, 2 * MB, 1);
}

ROUNDTRIP(ksm)
{
	char *mem = map(2 * MB, RW, ANON, -1);
	int i;

	if (ckpt_write_file("/sys/kernel/mm/ksm/run", "1"))
		ckpt_skip("no KSM");
	ckpt_write_file("/sys/kernel/mm/ksm/sleep_millisecs", "5");
	ckpt_write_file("/sys/kernel/mm/ksm/pages_to_scan", "2000");
	NEED(!madvise(mem, 2 * MB, MADV_NOHUGEPAGE));
	NEED(!madvise(mem, 2 * MB, MADV_MERGEABLE));
	for (i = 0; i < 512; i++)
		ckpt_fill(mem + i * PAGE, PAGE, 1 + i % 2);
	for (i = 0; i < 300 && smaps_kb(mem, "KSM") < 1024; i++)
		usleep(10000);
	ckpt_write_file("/sys/kernel/mm/ksm/run", "0");
	if (smaps_kb(mem, "KSM") < 1024)
		ckpt_skip("KSM did not merge");
	ckpt_point();
	for (i = 0; i < 512; i++)
		CHECK_FILL(mem + i * PAGE, PAGE, 1 + i % 2);
	/* What is written to one does not show in the other. */
	ckpt_fill(mem, PAGE, 7);
	CHECK_FILL(mem + 2 * PAGE, PAGE, 1);
}

ROUNDTRIP(lazily_freed)
{
	char *mem = map(64 * PAGE, RW, ANON, -1);
	int i;

	ckpt_fill(mem, 64 * PAGE, 1);
	NEED(!madvise(mem + 32 * PAGE, 32 * PAGE, MADV_FREE));
	ckpt_point();
	CHECK_FILL(mem, 32 * PAGE, 1);
	/* The old contents or zero, a page at a time. */
	for (i = 32; i < 64; i++) {
		char *page = mem + i * PAGE;
		static const char zero[PAGE];
		static char old[64 * PAGE];

		ckpt_fill(old, sizeof(old), 1);
		CHECK(!memcmp(page, zero, PAGE) ||
		      !memcmp(page, old + i * PAGE, PAGE));
	}
}

/* --- files ---------------------------------------------------------------- */

ROUNDTRIP(file_private)
{
	int fd = make_file("file", MB, 1);
	char *mem = map(MB, RW, MAP_PRIVATE, fd);
	char *clean = map(MB, PROT_READ, MAP_PRIVATE, fd);
	char page[PAGE];

	close(fd);
	ckpt_fill(mem + 5 * PAGE, 3 * PAGE, 2);
	ckpt_point();
	CHECK_FILL(clean, MB, 1);
	CHECK_FILL(mem, 5 * PAGE, 1);
	CHECK_FILL(mem + 5 * PAGE, 3 * PAGE, 2);
	CHECK(!memcmp(mem + 8 * PAGE, clean + 8 * PAGE, MB - 8 * PAGE));
	/* The file knows nothing of it. */
	NEED((fd = open("file", O_RDONLY)) >= 0);
	NEED(pread(fd, page, PAGE, 5 * PAGE) == (ssize_t)PAGE);
	CHECK(!memcmp(page, clean + 5 * PAGE, PAGE));
}

/* A private page that was truncated away below it, and one behind the end. */
ROUNDTRIP(file_end)
{
	int fd = make_file("file", 4 * PAGE + 100, 1);
	char *mem = map(16 * PAGE, RW, MAP_PRIVATE, fd);

	mem[4 * PAGE + 50] = 3;
	ckpt_point();
	CHECK_FILL(mem, 4 * PAGE + 50, 1);
	CHECK_EQ(3, mem[4 * PAGE + 50]);
	CHECK(access_gives(SIGBUS, mem + 8 * PAGE, false));
}

ROUNDTRIP(file_shared)
{
	int fd = make_file("file", MB, 1);
	char *mem = map(MB, RW, MAP_SHARED, fd);
	char buf[100];

	ckpt_fill(mem + 5 * PAGE, PAGE, 2);
	ckpt_point();
	CHECK_FILL(mem, 5 * PAGE, 1);
	CHECK_FILL(mem + 5 * PAGE, PAGE, 2);
	/* It is the file. */
	memset(mem + 9 * PAGE, 'x', 100);
	NEED(pread(fd, buf, 100, 9 * PAGE) == 100);
	CHECK_EQ('x', buf[99]);
	NEED(pwrite(fd, "yyyy", 4, 9 * PAGE) == 4);
	CHECK_EQ('y', mem[9 * PAGE + 3]);
	CHECK_EQ(0, msync(mem, MB, MS_SYNC));
}

/*
 * Contents of a shared file are not saved: the restarted process sees what is
 * in the file then.
 */
SCENARIO(sees_change)
{
	int fd = make_file("file", 4 * PAGE, 1);
	char *mem = map(4 * PAGE, RW, MAP_SHARED, fd);

	ckpt_fill(mem, PAGE, 2);
	ckpt_point();
	CHECK_EQ('n', mem[0]);
	CHECK_EQ('w', mem[2]);
}

TEST_F(checkpoint, file_shared_changes)
{
	char path[200];
	pid_t pid;

	NOT_DRY();
	START(pid, sees_change, NULL);
	ASSERT_LT(0, ckpt_checkpoint(&self->t, pid, self->t.image, 0));
	ASSERT_EQ(0, ckpt_kill(&self->t, pid));
	snprintf(path, sizeof(path), "%s/file", self->t.run);
	ASSERT_EQ(0, ckpt_write_file(path, "new"));
	ASSERT_EQ(pid, ckpt_restart(&self->t, self->t.image, 0));
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));
}

/* A read-only shared mapping stays one that cannot be made writable. */
ROUNDTRIP(file_shared_read_only)
{
	int fd = make_file("file", 4 * PAGE, 1), ro;
	char *mem;

	NEED((ro = open("file", O_RDONLY)) >= 0);
	close(fd);
	mem = map(4 * PAGE, PROT_READ, MAP_SHARED, ro);
	close(ro);
	CHECK_EQ(mem[0], mem[0]);
	ckpt_point();
	CHECK_FILL(mem, 4 * PAGE, 1);
	CHECK_EQ(-1, mprotect(mem, PAGE, RW));
	CHECK_EQ(EACCES, errno);
}

ROUNDTRIP(file_offset)
{
	int fd = make_file("file", MB, 1);
	char *whole = map(MB, PROT_READ, MAP_PRIVATE, fd);
	char *mem;

	mem = mmap(NULL, 8 * PAGE, RW, MAP_PRIVATE, fd, 100 * PAGE);
	NEED(mem != MAP_FAILED);
	mem[PAGE] ^= 1;
	ckpt_point();
	mem[PAGE] ^= 1;
	CHECK(!memcmp(whole + 100 * PAGE, mem, 8 * PAGE));
}

ROUNDTRIP(file_unlinked)
{
	int fd = make_file("file", 64 * PAGE, 1);
	char *mem = map(64 * PAGE, RW, MAP_SHARED, fd);
	char *other = map(64 * PAGE, RW, MAP_PRIVATE, fd);

	NEED(!unlink("file"));
	mem[3] = 1;
	other[PAGE] = 2;
	close(fd);
	ckpt_point();
	CHECK_EQ(1, mem[3]);
	CHECK_EQ(2, other[PAGE]);
	mem[3] = ((char *)other)[3];
	mem[2 * PAGE] = 77;
	CHECK_EQ(77, other[2 * PAGE]);
	CHECK(!memcmp(mem + 3 * PAGE, other + 3 * PAGE, 61 * PAGE));
}

SCENARIO(maps_file)
{
	int fd = make_file("file", 64 * PAGE, 1);
	char *mem = map(64 * PAGE, RW, MAP_PRIVATE, fd);

	close(fd);
	mem[3] = 1;
	ckpt_point();
	CHECK_EQ(1, mem[3]);
}

/* The restart says which file it misses. */
static int changed_file(struct ckpt_test *t, const char *what)
{
	char path[200], other[200];
	pid_t pid;
	long ret;

	pid = ckpt_start(t, "maps_file", NULL);
	if (pid <= 0 || ckpt_checkpoint(t, pid, t->image, 0) <= 0 ||
	    ckpt_kill(t, pid))
		return -1;
	snprintf(path, sizeof(path), "%s/file", t->run);
	snprintf(other, sizeof(other), "%s/other", t->run);
	/* Files have times in steps of some milliseconds. */
	usleep(20000);
	if (!strcmp(what, "lost")) {
		unlink(path);
	} else if (!strcmp(what, "shrunk")) {
		if (truncate(path, PAGE))
			return -1;
	} else {
		/* Another file under the same name. */
		if (ckpt_write_file(other, "other") ||
		    rename(other, path))
			return -1;
	}
	ret = ckpt_restart(t, t->image, 0);
	if (ret >= 0)
		return ckpt_say("the file is %s, and yet it was restarted", what);
	if (!strstr(t->log, path))
		return ckpt_say("the file is %s, but no reason names it", what);
	return ckpt_has_children() ? ckpt_say("there is a child") : 0;
}

TEST_F(checkpoint, file_changed)
{
	NOT_DRY();
	EXPECT_EQ(0, changed_file(&self->t, "lost"));
	EXPECT_EQ(0, changed_file(&self->t, "shrunk"));
	EXPECT_EQ(0, changed_file(&self->t, "replaced"));
}

ROUNDTRIP(dev_zero)
{
	int fd = open("/dev/zero", O_RDWR);
	char *private, *shared;

	NEED(fd >= 0);
	private = map(16 * PAGE, RW, MAP_PRIVATE, fd);
	shared = map(16 * PAGE, RW, MAP_SHARED, fd);
	close(fd);
	ckpt_fill(private, 8 * PAGE, 1);
	ckpt_fill(shared, 8 * PAGE, 2);
	ckpt_point();
	CHECK_FILL(private, 8 * PAGE, 1);
	CHECK_FILL(shared, 8 * PAGE, 2);
	CHECK_EQ(0, private[9 * PAGE]);
	CHECK_EQ(0, shared[9 * PAGE]);
}

/* --- shared memory -------------------------------------------------------- */

ROUNDTRIP(shared_anonymous)
{
	char *mem = map(MB, RW, MAP_SHARED | MAP_ANONYMOUS, -1);
	int status;

	ckpt_fill(mem, 512 * KB, 1);
	ckpt_point();
	CHECK_FILL(mem, 512 * KB, 1);
	CHECK_EQ(0, mem[MB - 1]);
	/* Still shared. */
	if (!fork()) {
		mem[MB - 1] = 9;
		_exit(0);
	}
	NEED(wait(&status) > 0);
	CHECK_EQ(9, mem[MB - 1]);
}

/* Two mappings of one object. */
ROUNDTRIP(shared_twice)
{
	char *one = map(64 * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1);
	char *two;

	ckpt_fill(one, 64 * PAGE, 1);
	two = mremap(one + 16 * PAGE, 0, 16 * PAGE, MREMAP_MAYMOVE);
	NEED(two != MAP_FAILED);
	ckpt_point();
	CHECK_FILL(one, 64 * PAGE, 1);
	CHECK(!memcmp(one + 16 * PAGE, two, 16 * PAGE));
	two[5] = 99;
	CHECK_EQ(99, one[16 * PAGE + 5]);
}

ROUNDTRIP(memfd)
{
	int fd = memfd_create("some name", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	const size_t size = 40 * PAGE + 77;
	char *shared, *private, link[100] = "";
	struct stat st;
	char byte;

	NEED(fd >= 0 && !ftruncate(fd, size));
	shared = map(41 * PAGE, RW, MAP_SHARED, fd);
	private = map(41 * PAGE, RW, MAP_PRIVATE, fd);
	ckpt_fill(shared, 10 * PAGE, 1);
	shared[size - 1] = 5;
	private[3 * PAGE] ^= 0x55;
	NEED(lseek(fd, 123, SEEK_SET) == 123);
	NEED(!fcntl(fd, F_ADD_SEALS, F_SEAL_GROW));
	ckpt_point();
	NEED(!fstat(fd, &st));
	CHECK_EQ(size, st.st_size);
	CHECK_FILL(shared, 10 * PAGE, 1);
	CHECK_EQ(5, shared[size - 1]);
	CHECK_EQ(shared[3 * PAGE] ^ 0x55, private[3 * PAGE]);
	CHECK_EQ(shared[3 * PAGE + 1], private[3 * PAGE + 1]);
	CHECK_EQ(F_SEAL_GROW, fcntl(fd, F_GET_SEALS));
	CHECK_EQ(-1, ftruncate(fd, 2 * size));
	CHECK_EQ(EPERM, errno);
	CHECK_EQ(123, lseek(fd, 0, SEEK_CUR));
	/* One object, however it is reached. */
	shared[123] = 'q';
	CHECK_EQ(1, read(fd, &byte, 1));
	CHECK_EQ('q', byte);
	NEED(pwrite(fd, "z", 1, 20 * PAGE) == 1);
	CHECK_EQ('z', shared[20 * PAGE]);
	CHECK_EQ('z', private[20 * PAGE]);
	NEED(readlink("/proc/self/fd/3", link, sizeof(link) - 1) > 0);
	CHECK(!strncmp(link, "/memfd:some name", 16));
}

/* Sealed so that it cannot be written, and without a descriptor left. */
ROUNDTRIP(memfd_sealed)
{
	int fd = memfd_create("sealed", MFD_ALLOW_SEALING);
	char *mem;
	int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

	NEED(fd >= 0 && !ftruncate(fd, 16 * PAGE));
	mem = map(16 * PAGE, RW, MAP_SHARED, fd);
	ckpt_fill(mem, 16 * PAGE, 1);
	NEED(!munmap(mem, 16 * PAGE));
	NEED(!fcntl(fd, F_ADD_SEALS, seals));
	mem = map(16 * PAGE, PROT_READ, MAP_SHARED, fd);
	ckpt_point();
	CHECK_FILL(mem, 16 * PAGE, 1);
	CHECK_EQ(seals, fcntl(fd, F_GET_SEALS));
	CHECK_EQ(-1, write(fd, "x", 1));
	CHECK_EQ(EPERM, errno);
	CHECK_EQ(-1, mprotect(mem, PAGE, RW));
}

ROUNDTRIP(memfd_future_write)
{
	int fd = memfd_create("future", MFD_ALLOW_SEALING);
	char *mem;

	NEED(fd >= 0 && !ftruncate(fd, 4 * PAGE));
	mem = map(4 * PAGE, RW, MAP_SHARED, fd);
	ckpt_fill(mem, 4 * PAGE, 1);
	NEED(!fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE));
	ckpt_point();
	CHECK_FILL(mem, 4 * PAGE, 1);
	mem[0] = 3;
	CHECK_EQ(-1, write(fd, "x", 1));
	CHECK(mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0) == MAP_FAILED);
}

/* Only as a descriptor, never mapped; two descriptions. */
ROUNDTRIP(memfd_not_mapped)
{
	int fd = memfd_create("m", 0), again;
	char buf[3 * PAGE];

	NEED(fd >= 0);
	ckpt_fill(buf, sizeof(buf), 1);
	NEED(write(fd, buf, sizeof(buf)) == sizeof(buf));
	NEED((again = open("/proc/self/fd/3", O_RDONLY)) >= 0);
	ckpt_point();
	CHECK_EQ(sizeof(buf), lseek(fd, 0, SEEK_CUR));
	memset(buf, 0, sizeof(buf));
	NEED(read(again, buf, sizeof(buf)) == sizeof(buf));
	CHECK_FILL(buf, sizeof(buf), 1);
	NEED(pwrite(fd, "A", 1, 0) == 1);
	NEED(pread(again, buf, 1, 0) == 1);
	CHECK_EQ('A', buf[0]);
	CHECK_EQ(-1, write(again, "x", 1));
}

/* A file of a tmpfs is a file, not an object without a name. */
ROUNDTRIP(tmpfs_file)
{
	int fd = make_file("file", 16 * PAGE, 1);
	char *mem = map(16 * PAGE, RW, MAP_SHARED, fd);

	ckpt_point();
	CHECK_FILL(mem, 16 * PAGE, 1);
}

/* --- where mappings are --------------------------------------------------- */

ROUNDTRIP(many_mappings)
{
	const int nr = 2000;
	char *mem = map(2 * nr * PAGE, RW, ANON, -1);
	int i;

	for (i = 0; i < nr; i++) {
		*(int *)(mem + 2 * i * PAGE) = i;
		NEED(!mprotect(mem + 2 * i * PAGE, PAGE, PROT_READ));
	}
	ckpt_point();
	for (i = 0; i < nr; i++)
		CHECK_EQ(i, *(int *)(mem + 2 * i * PAGE));
	CHECK(access_gives(SIGSEGV, mem + 200 * PAGE, true));
	CHECK(access_gives(0, mem + 201 * PAGE, true));
}

ROUNDTRIP(extreme_addresses)
{
	char *low, *high;

	low = mmap((void *)(64 * KB), PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0);
	high = mmap((void *)(0x7ffffffff000UL - PAGE), PAGE, RW,
		    ANON | MAP_FIXED_NOREPLACE, -1, 0);
	NEED(low != MAP_FAILED);
	low[0] = 1;
	if (high != MAP_FAILED)
		high[1] = 2;
	ckpt_point();
	CHECK_EQ(1, low[0]);
	if (high != MAP_FAILED)
		CHECK_EQ(2, high[1]);
}

/* New mappings go to where there is room, and to where one says. */
ROUNDTRIP(mapping_after)
{
	char *mem = map(16 * PAGE, RW, ANON, -1), *other, *moved;

	ckpt_fill(mem, 16 * PAGE, 1);
	ckpt_point();
	other = map(16 * PAGE, RW, ANON, -1);
	CHECK(other != mem);
	moved = mremap(mem, 16 * PAGE, 64 * PAGE, MREMAP_MAYMOVE);
	NEED(moved != MAP_FAILED);
	CHECK_FILL(moved, 16 * PAGE, 1);
	NEED(!munmap(moved, 64 * PAGE));
	CHECK(access_gives(SIGSEGV, moved, false));
}

/* Another program than the one that was executed maps its own pages. */
ROUNDTRIP(moved_arguments)
{
	struct prctl_mm_map prctl_map = {};
	char *text, *args = map(PAGE, RW, ANON, -1);
	unsigned long from[10] = {};
	int i;

	/* Fields 45 to 51 of /proc/self/stat are what is asked for. */
	text = ckpt_read_file("/proc/self/stat", NULL);
	NEED(text);
	for (i = 3; i < 53; i++) {
		char *word = i == 3 ? strtok(strrchr(text, ')') + 2, " ") :
				      strtok(NULL, " ");

		if (!word)
			break;
		if (i == 26)
			from[0] = strtoul(word, NULL, 10);
		if (i == 27)
			from[1] = strtoul(word, NULL, 10);
		if (i == 28)
			from[2] = strtoul(word, NULL, 10);
		if (i >= 45 && i <= 51)
			from[3 + i - 45] = strtoul(word, NULL, 10);
	}
	free(text);
	memcpy(args, "other\0words", 12);
	prctl_map.start_code = from[0];
	prctl_map.end_code = from[1];
	prctl_map.start_stack = from[2];
	prctl_map.start_data = from[3];
	prctl_map.end_data = from[4];
	prctl_map.start_brk = from[5];
	prctl_map.brk = (unsigned long)sbrk(0);
	prctl_map.arg_start = (unsigned long)args;
	prctl_map.arg_end = (unsigned long)args + 12;
	prctl_map.env_start = from[8];
	prctl_map.env_end = from[9];
	prctl_map.exe_fd = -1;
	if (prctl(PR_SET_MM, PR_SET_MM_MAP, &prctl_map, sizeof(prctl_map), 0))
		ckpt_skip("PR_SET_MM_MAP: %s", strerror(errno));
	ckpt_point();
	text = ckpt_read_file("/proc/self/cmdline", NULL);
	CHECK(text && !strcmp(text, "other"));
	free(text);
}

ROUNDTRIP(auxv)
{
	unsigned long pagesz = getauxval(AT_PAGESZ), entry = getauxval(AT_ENTRY);
	const char *execfn = (const char *)getauxval(AT_EXECFN);
	char exe[200] = "", first[200];

	snprintf(first, sizeof(first), "%s", execfn);
	ckpt_point();
	CHECK_EQ(pagesz, getauxval(AT_PAGESZ));
	CHECK_EQ(entry, getauxval(AT_ENTRY));
	CHECK(!strcmp(first, (const char *)getauxval(AT_EXECFN)));
	NEED(readlink("/proc/self/exe", exe, sizeof(exe) - 1) > 0);
	CHECK(!strcmp(first, exe));
}

/* The saver looks; it does not change what it looks at. */
SCENARIO(untouched)
{
	char *mem = map(MB, RW, ANON, -1);

	NEED(!madvise(mem, MB, MADV_NOHUGEPAGE));
	mem[0] = 1;
	ckpt_value[0] = (long)mem;
	ckpt_value[1] = smaps_kb(mem, "Rss");
	ckpt_point();
	CHECK_EQ(ckpt_value[1], smaps_kb(mem, "Rss"));
}

TEST_F(checkpoint, untouched)
{
	OK_OR_SKIP(ckpt_roundtrip(&self->t, "untouched", NULL, 0));
}

TEST_HARNESS_MAIN
