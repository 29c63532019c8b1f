// SPDX-License-Identifier: GPL-2.0
/*
 * Memory: every sort of mapping, its contents, its flags, and what of it is
 * not in the image.
 */
#include "ckpt_test.h"

#include <elf.h>
#include <linux/mman.h>
#include <linux/prctl.h>
#include <sched.h>
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

/* Who must not make code of data (PR_SET_MDWE) gets none by an image. */
SCENARIO(has_made_code)
{
	static const uint8_t code[] = { 0x8d, 0x47, 0x2a, 0xc3 };
	int (*add42)(int number) = map(PAGE, RW, ANON, -1);

	memcpy(add42, code, sizeof(code));
	NEED(!mprotect(add42, PAGE, PROT_READ | PROT_EXEC));
	ckpt_point();
	CHECK_EQ(100, add42(58));
}

static int restart_with_mdwe(struct ckpt_test *t)
{
	int fd = open(t->image, O_RDONLY | O_CLOEXEC);
	long ret;

	if (fd < 0 || prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0))
		return 1;
	ret = ckpt_restart_fd(t, fd, RESTART_FRESH_PIDS);
	if (ret == -EACCES &&
	    ckpt_reason(t, EACCES, NULL, -1, 0, "PR_SET_MDWE"))
		return 0;
	ckpt_show_log(t);
	return ret > 0 ? 2 : 3;
}

TEST_F(checkpoint, made_code_for_mdwe)
{
	pid_t pid;

	NOT_DRY();
	if (prctl(PR_GET_MDWE, 0, 0, 0, 0) < 0)
		SKIP(return, "no PR_SET_MDWE");
	START(pid, has_made_code, NULL);
	ASSERT_LT(0, ckpt_checkpoint(&self->t, pid, self->t.image, 0));
	ASSERT_EQ(0, ckpt_kill(&self->t, pid));
	EXPECT_EQ(0, ckpt_as_user(&self->t, getuid(), restart_with_mdwe));
	/* Nobody was harmed by this. */
	ASSERT_EQ(pid, ckpt_restart(&self->t, self->t.image, 0));
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));
}

/* Who has bound himself stays bound, also with code from before. */
static void be_bound(int flags)
{
	static const uint8_t code[] = { 0x8d, 0x47, 0x2a, 0xc3 };
	int (*add42)(int number) = map(PAGE, RW, ANON, -1);
	char *data = map(PAGE, RW, ANON, -1);
	int status;

	memcpy(add42, code, sizeof(code));
	data[0] = 1;
	NEED(!mprotect(add42, PAGE, PROT_READ | PROT_EXEC));
	if (prctl(PR_SET_MDWE, flags, 0, 0, 0))
		ckpt_skip("PR_SET_MDWE: %s", strerror(errno));
	ckpt_point();
	CHECK_EQ(flags, prctl(PR_GET_MDWE, 0, 0, 0, 0));
	CHECK_EQ(100, add42(58));
	CHECK_EQ(-1, mprotect(data, PAGE, PROT_READ | PROT_EXEC));
	CHECK_EQ(EACCES, errno);
	if (!fork())
		_exit(prctl(PR_GET_MDWE, 0, 0, 0, 0) !=
		      (flags & PR_MDWE_NO_INHERIT ? 0 : flags));
	NEED(wait(&status) > 0);
	CHECK_EQ(0, status);
}

ROUNDTRIP(mdwe)
{
	be_bound(PR_MDWE_REFUSE_EXEC_GAIN);
}

ROUNDTRIP(mdwe_no_inherit)
{
	be_bound(PR_MDWE_REFUSE_EXEC_GAIN | PR_MDWE_NO_INHERIT);
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

/* --- many small pages ----------------------------------------------------- */

#define AREA		(8 * MB)
#define AREA_PAGES	((int)(AREA / PAGE))
#define TABLE		512	/* pages that one page table maps */

/* Which pages of the area hold something: odd lengths, at odd places. */
static bool has_page(int nr)
{
	/* All around the borders of page tables, and nothing but a border. */
	if (nr < 2 * TABLE)
		return nr % TABLE < 3 || nr % TABLE > TABLE - 3;
	if (nr == 3 * TABLE || nr == 3 * TABLE - 1)
		return true;
	/* Longer than a table, and than what is saved at a time. */
	if (nr < 3 * TABLE)
		return nr > 2 * TABLE + 100 && nr < 3 * TABLE - 7;
	/* One page each; then ever longer runs with holes of a page. */
	if (nr < 3 * TABLE + 200)
		return nr % 2;
	return nr * (long)nr % 97;
}

/* Begins where a page table does, so that it has holes of whole tables too. */
static char *make_area(void)
{
	char *room = map(AREA + 4 * MB, RW, ANON | MAP_NORESERVE, -1);
	char *mem = (char *)(((unsigned long)room + 2 * MB - 1) & -(2 * MB));

	NEED(!munmap(mem + AREA, room + 4 * MB - mem));
	if (mem != room)
		NEED(!munmap(room, mem - room));
	NEED(!madvise(mem, AREA, MADV_NOHUGEPAGE));
	return mem;
}

static void fill_area(char *mem)
{
	int i;

	for (i = 0; i < AREA_PAGES; i++) {
		if (has_page(i))
			ckpt_fill(mem + i * PAGE, PAGE, i);
	}
}

/* The holes, too: also such that are no pages. */
static void check_area(char *mem)
{
	static unsigned char there[AREA / PAGE];
	static const char zero[PAGE];
	int i;

	NEED(!mincore(mem, AREA, there));
	for (i = 0; i < AREA_PAGES; i++) {
		if (!CHECK_SAY((there[i] & 1) == has_page(i), "page %d is %s",
			       i, there[i] & 1 ? "there" : "not there"))
			break;
		if (has_page(i) ? !CHECK_FILL(mem + i * PAGE, PAGE, i) :
				  !CHECK(!memcmp(mem + i * PAGE, zero, PAGE)))
			break;
	}
}

/* A flag of the page behind an address (linux/kernel-page-flags.h), or -1. */
static int page_flag(const void *addr, int bit)
{
	uint64_t entry = 0, flags = 0;
	int map = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	int all = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);
	bool ok;

	ok = pread(map, &entry, 8, (unsigned long)addr / PAGE * 8) == 8 &&
	     entry >> 63 && entry & ((1ULL << 55) - 1) &&
	     pread(all, &flags, 8, (entry & ((1ULL << 55) - 1)) * 8) == 8;
	close(map);
	close(all);
	return ok ? flags >> bit & 1 : -1;
}

#define FLAG_MLOCKED	33

ROUNDTRIP(odd_runs)
{
	char *mem = make_area();

	fill_area(mem);
	ckpt_point();
	check_area(mem);
	/* And they are ordinary pages: they can be swapped out and in. */
	ckpt_fill(mem + PAGE, PAGE, 99);
	CHECK_EQ(0, madvise(mem, AREA, MADV_PAGEOUT));
	CHECK_FILL(mem + PAGE, PAGE, 99);
	CHECK_FILL(mem + 2 * PAGE, PAGE, 2);
}

/* The same, locked when it is touched; what is touched later is locked, too. */
ROUNDTRIP(odd_runs_locked)
{
	char *mem = make_area();
	cpu_set_t one;
	long kb = 0;
	int i;

	NEED(!mlock2(mem, AREA, MLOCK_ONFAULT));
	fill_area(mem);
	for (i = 0; i < AREA_PAGES; i++)
		kb += has_page(i) ? 4 : 0;
	CHECK_EQ(kb, smaps_kb(mem, "Locked"));
	ckpt_value[0] = page_flag(mem, FLAG_MLOCKED);
	ckpt_point();
	CHECK_EQ(kb, smaps_kb(mem, "Locked"));
	CHECK_EQ(kb, smaps_kb(mem, "Anonymous"));
	CHECK_EQ(AREA / KB, atol(ckpt_proc_value("status", "VmLck")));
	for (i = 0; i < AREA_PAGES; i++) {
		if (has_page(i) && ckpt_value[0] == 1 &&
		    !CHECK_SAY(page_flag(mem + i * PAGE, FLAG_MLOCKED) == 1,
			       "page %d is not locked", i))
			break;
	}
	check_area(mem);
	/* Each processor does this for some pages at a time: let it be one. */
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	CHECK_EQ(0, sched_setaffinity(0, sizeof(one), &one));
	CHECK_EQ(0, munlock(mem, AREA));
	CHECK_EQ(0, atol(ckpt_proc_value("status", "VmLck")));
	if (ckpt_value[0] == 1)
		CHECK_EQ(0, page_flag(mem, FLAG_MLOCKED));
}

/* All of it locked, holes filled up. */
ROUNDTRIP(all_locked)
{
	char *mem = make_area();
	int i;

	fill_area(mem);
	NEED(!mlock(mem, AREA));
	NEED(smaps_kb(mem, "Locked") == AREA / KB);
	ckpt_point();
	CHECK_EQ(AREA / KB, smaps_kb(mem, "Locked"));
	CHECK_EQ(AREA / KB, smaps_kb(mem, "Anonymous"));
	CHECK_EQ(AREA / KB, atol(ckpt_proc_value("status", "VmLck")));
	for (i = 0; i < AREA_PAGES; i++) {
		if (has_page(i) ? !CHECK_FILL(mem + i * PAGE, PAGE, i) :
				  !CHECK_EQ(0, mem[i * PAGE + 77]))
			break;
	}
}

/* Value in kB of a line in a file of /proc/PID, or -1. */
static long proc_kb(pid_t pid, const char *file, const char *name)
{
	char path[64], *text, *line;
	long value = -1;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	text = ckpt_read_file(path, NULL);
	line = text ? strstr(text, name) : NULL;
	if (line)
		value = atol(line + strlen(name));
	free(text);
	return value;
}

/* Private pages by the page tables, and by the counters. What is out counts. */
static long walked_kb(pid_t pid)
{
	return proc_kb(pid, "smaps_rollup", "\nAnonymous:") +
	       proc_kb(pid, "smaps_rollup", "\nSwap:");
}

static long counted_kb(pid_t pid)
{
	return proc_kb(pid, "status", "\nRssAnon:") +
	       proc_kb(pid, "status", "\nVmSwap:");
}

/* As many pages as before. */
TEST_F(checkpoint, resident_pages)
{
	static const char *const names[] = { "odd_runs", "odd_runs_locked",
					     "anonymous" };
	long walked, counted, cpus, slack;
	unsigned int i;
	pid_t pid;

	NOT_DRY();
	/* Each processor counts for itself up to here. */
	cpus = sysconf(_SC_NPROCESSORS_CONF);
	slack = 2 * 4 * cpus * (cpus > 16 ? 2 * cpus : 32);
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		pid = ckpt_start(&self->t, names[i], NULL);
		ASSERT_LT(0, pid);
		walked = walked_kb(pid);
		counted = counted_kb(pid);
		EXPECT_LT(1000, walked);
		ASSERT_LT(0, ckpt_checkpoint(&self->t, pid, self->t.image, 0));
		ASSERT_EQ(0, ckpt_kill(&self->t, pid));
		ASSERT_EQ(pid, ckpt_restart(&self->t, self->t.image, 0));
		EXPECT_EQ(walked, walked_kb(pid));
		EXPECT_GE(slack, labs(counted - counted_kb(pid)));
		EXPECT_GE(slack, labs(walked - counted_kb(pid)));
		EXPECT_EQ(0, ckpt_finish(&self->t, pid));
	}
}

/* --- huge pages ----------------------------------------------------------- */

ROUNDTRIP(transparent_huge)
{
	char *area = map(8 * MB, RW, ANON, -1);
	char *mem = (char *)(((unsigned long)area + 2 * MB - 1) & -(2 * MB));

	if (madvise(mem, 4 * MB, MADV_HUGEPAGE))
		ckpt_skip("no transparent huge pages");
	ckpt_fill(mem, 4 * MB, 1);
	/* With one of them khugepaged could make another later. */
	if (smaps_kb(mem, "AnonHugePages") < 4096)
		ckpt_skip("no huge pages were to be had");
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

/*
 * KSM puts the zero page in the place of pages of zeroes. In a private mapping
 * of a file it is not what is below it.
 */
SCENARIO(ksm_zeroes)
{
	int fd = open("file", O_RDWR | O_CREAT, 0600), i;
	char page[PAGE], *mem;

	memset(page, 'x', PAGE);
	for (i = 0; i < 4; i++)
		NEED(fd >= 0 && write(fd, page, PAGE) == (ssize_t)PAGE);
	mem = map(4 * PAGE, RW, MAP_PRIVATE, fd);
	memset(mem + PAGE, 0, 2 * PAGE);
	NEED(!madvise(mem, 4 * PAGE, MADV_MERGEABLE));
	ckpt_point();
	for (i = 0; i < 4 * (int)PAGE; i++) {
		char c = i >= (int)PAGE && i < 3 * (int)PAGE ? 0 : 'x';

		if (!CHECK_SAY(mem[i] == c, "byte %d is %#x", i, mem[i]))
			break;
	}
	/* Still of its own. */
	mem[PAGE] = 'y';
	mem[3 * PAGE] = 'z';
	NEED(pread(fd, page, 1, PAGE) == 1);
	CHECK_EQ('x', page[0]);
	CHECK_EQ(0, mem[PAGE + 1]);
	CHECK_EQ(0, mem[2 * PAGE]);
}

static int zeroes_roundtrip(struct ckpt_test *t)
{
	long zeroes = 0;
	pid_t pid;
	int ms;

	pid = ckpt_start(t, "ksm_zeroes", NULL);
	if (pid <= 0)
		return -1;
	for (ms = 0; ms < 20000 && zeroes >= 0 && zeroes < 2; ms += 10) {
		usleep(10000);
		zeroes = proc_kb(pid, "ksm_stat", "ksm_zero_pages");
	}
	if (zeroes < 2) {
		snprintf(t->why, sizeof(t->why), "KSM has put no zero pages");
		return ckpt_finish(t, pid) ?: CKPT_SKIPPED;
	}
	if (zeroes != 2)
		return ckpt_say("%ld zero pages", zeroes);
	if (ckpt_checkpoint(t, pid, t->image, 0) <= 0 || ckpt_kill(t, pid) ||
	    ckpt_restart(t, t->image, 0) != pid)
		return -1;
	return ckpt_finish(t, pid);
}

TEST_F(checkpoint, ksm_zero_pages)
{
	static const struct {
		const char *path, *value;
	} settings[] = {
		{ "/sys/kernel/mm/ksm/use_zero_pages", "1" },
		{ "/sys/kernel/mm/ksm/sleep_millisecs", "5" },
		{ "/sys/kernel/mm/ksm/pages_to_scan", "2000" },
		{ "/sys/kernel/mm/ksm/run", "1" },
	};
	char *old[ARRAY_SIZE(settings)];
	int i, nr = ARRAY_SIZE(settings);

	NOT_DRY();
	for (i = 0; i < nr; i++) {
		old[i] = ckpt_read_file(settings[i].path, NULL);
		if (!old[i])
			SKIP(return, "no %s", settings[i].path);
	}
	for (i = 0; i < nr; i++)
		EXPECT_EQ(0, ckpt_write_file(settings[i].path,
					     settings[i].value));
	i = zeroes_roundtrip(&self->t);
	while (nr--) {
		EXPECT_EQ(0, ckpt_write_file(settings[nr].path, old[nr]));
		free(old[nr]);
	}
	OK_OR_SKIP(i);
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

/* That it was mapped, read and filled again is no access. */
ROUNDTRIP(memfd_times)
{
	struct timespec times[2] = { { 1000000000, 1 }, { 1100000000, 2 } };
	int fd = memfd_create("times", MFD_CLOEXEC);
	struct stat st;
	char *mem;

	NEED(fd >= 0 && !ftruncate(fd, 16 * PAGE));
	mem = map(16 * PAGE, RW, MAP_SHARED, fd);
	ckpt_fill(mem, 16 * PAGE, 1);
	NEED(!mlock(mem, 8 * PAGE));
	NEED(!futimens(fd, times));
	ckpt_point();
	NEED(!fstat(fd, &st));
	CHECK_EQ(times[0].tv_sec, st.st_atim.tv_sec);
	CHECK_EQ(times[0].tv_nsec, st.st_atim.tv_nsec);
	CHECK_EQ(times[1].tv_sec, st.st_mtim.tv_sec);
	CHECK_EQ(times[1].tv_nsec, st.st_mtim.tv_nsec);
	CHECK_FILL(mem, 16 * PAGE, 1);
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
