// SPDX-License-Identifier: GPL-2.0
/*
 * Memory protection keys: which are allocated, which memory has them, what
 * each thread may do, execute-only memory.
 */
#include "ckpt_test.h"

#include <pthread.h>
#include <setjmp.h>

#define LEN	(8 * 4096)
#define RW	(PROT_READ | PROT_WRITE)

static int new_key(unsigned int rights)
{
	int key = pkey_alloc(0, rights);

	if (key < 0)
		ckpt_skip("pkey_alloc: %s", strerror(errno));
	return key;
}

static char *new_memory(int flags)
{
	char *mem = mmap(NULL, LEN, RW, flags | MAP_ANONYMOUS, -1, 0);

	NEED(mem != MAP_FAILED);
	return mem;
}

/* --- what an access does ------------------------------------------------------ */

static sigjmp_buf back;
static volatile int fault_key;

static void on_fault(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	fault_key = info->si_code == SEGV_PKUERR ? (int)info->si_pkey : -1;
	siglongjmp(back, 1);
}

static void catch_faults(void)
{
	struct sigaction action = {
		.sa_sigaction = on_fault,
		.sa_flags = SA_SIGINFO,
	};

	NEED(!sigaction(SIGSEGV, &action, NULL));
}

/* The key that forbids it, 0: it is allowed. The handler has default rights. */
static int reading(volatile char *at)
{
	fault_key = 0;
	if (!sigsetjmp(back, 1))
		(void)*at;
	return fault_key;
}

static int writing(volatile char *at)
{
	fault_key = 0;
	if (!sigsetjmp(back, 1))
		*at = 1;
	return fault_key;
}

ROUNDTRIP(memory)
{
	int open = new_key(0), fixed = new_key(PKEY_DISABLE_WRITE);
	int hidden = new_key(PKEY_DISABLE_ACCESS), later;
	char *a = new_memory(MAP_PRIVATE), *b = new_memory(MAP_PRIVATE);
	char *c = new_memory(MAP_PRIVATE);

	ckpt_fill(a, LEN, 1);
	ckpt_fill(b, LEN, 2);
	ckpt_fill(c, LEN, 3);
	/* In the middle, so that mappings are split. */
	NEED(!pkey_mprotect(a + 4096, LEN - 8192, RW, open));
	NEED(!pkey_mprotect(b, LEN, RW, fixed));
	NEED(!pkey_mprotect(c, LEN, RW, hidden));
	catch_faults();
	ckpt_point();
	CHECK_EQ(0, pkey_get(open));
	CHECK_EQ(PKEY_DISABLE_WRITE, pkey_get(fixed));
	CHECK_EQ(PKEY_DISABLE_ACCESS, pkey_get(hidden) & PKEY_DISABLE_ACCESS);
	CHECK_FILL(a, LEN, 1);
	CHECK_FILL(b, LEN, 2);
	CHECK_EQ(0, writing(a + 4096));
	/* A handler starts with the rights of a new program. */
	NEED(!pkey_set(fixed, PKEY_DISABLE_WRITE));
	CHECK_EQ(fixed, writing(b));
	NEED(!pkey_set(hidden, PKEY_DISABLE_ACCESS));
	CHECK_EQ(hidden, reading(c + LEN - 1));
	NEED(!pkey_set(hidden, 0));
	CHECK_FILL(c, LEN, 3);
	/* They are taken, and can be given back. */
	later = pkey_alloc(0, 0);
	CHECK(later > 0 && later != open && later != fixed && later != hidden);
	CHECK_EQ(0, pkey_free(open));
	CHECK_EQ(open, pkey_alloc(0, 0));
}

ROUNDTRIP(only_allocated)
{
	int key = new_key(0);

	ckpt_point();
	CHECK_EQ(0, pkey_free(key));
	CHECK_EQ(-1, pkey_free(key));
}

/* Memory keeps a key that was given back. */
ROUNDTRIP(freed)
{
	char *mem = new_memory(MAP_PRIVATE);
	int key = new_key(0);

	ckpt_fill(mem, LEN, 4);
	NEED(!pkey_mprotect(mem, LEN, RW, key) && !pkey_free(key));
	catch_faults();
	ckpt_point();
	CHECK_FILL(mem, LEN, 4);
	NEED(!pkey_set(key, PKEY_DISABLE_ACCESS));
	CHECK_EQ(key, reading(mem));
	CHECK_EQ(key, pkey_alloc(0, 0));
}

ROUNDTRIP(shared_and_file)
{
	char *shared = new_memory(MAP_SHARED), *file;
	int key = new_key(0), fd = open("file", O_RDWR | O_CREAT, 0600);

	NEED(fd >= 0 && !ftruncate(fd, LEN));
	file = mmap(NULL, LEN, RW, MAP_PRIVATE, fd, 0);
	NEED(file != MAP_FAILED);
	ckpt_fill(shared, LEN, 5);
	ckpt_fill(file, LEN / 2, 6);
	NEED(!pkey_mprotect(shared, LEN, RW, key));
	NEED(!pkey_mprotect(file, LEN, RW, key));
	catch_faults();
	ckpt_point();
	CHECK_FILL(shared, LEN, 5);
	CHECK_FILL(file, LEN / 2, 6);
	NEED(!pkey_set(key, PKEY_DISABLE_WRITE));
	CHECK_EQ(key, writing(shared));
	CHECK_EQ(0, pkey_get(0));
	NEED(!pkey_set(key, PKEY_DISABLE_WRITE));
	CHECK_EQ(key, writing(file));
}

static int thread_key;
static volatile int thread_state;

static void *other_thread(void *arg)
{
	(void)arg;
	NEED(!pkey_set(thread_key, PKEY_DISABLE_ACCESS));
	thread_state = 1;
	while (thread_state != 2)
		usleep(1000);
	CHECK_EQ(PKEY_DISABLE_ACCESS, pkey_get(thread_key) & PKEY_DISABLE_ACCESS);
	return NULL;
}

/* Rights are a thread's. */
ROUNDTRIP(threads)
{
	pthread_t thread;

	thread_key = new_key(0);
	NEED(!pthread_create(&thread, NULL, other_thread, NULL));
	while (thread_state != 1)
		usleep(1000);
	ckpt_point();
	CHECK_EQ(0, pkey_get(thread_key));
	thread_state = 2;
	NEED(!pthread_join(thread, NULL));
}

/* return 42 */
static const char code[] = { 0xb8, 42, 0, 0, 0, 0xc3 };

ROUNDTRIP(execute_only)
{
	char *mem = new_memory(MAP_PRIVATE);
	int first = new_key(0);

	memcpy(mem, code, sizeof(code));
	NEED(!mprotect(mem, LEN, PROT_EXEC));
	NEED(!pkey_free(first));
	catch_faults();
	ckpt_point();
	CHECK_EQ(42, ((int (*)(void))mem)());
	CHECK(reading(mem) > 0);
	/* More of it gets the same key. */
	mem = new_memory(MAP_PRIVATE);
	memcpy(mem, code, sizeof(code));
	NEED(!mprotect(mem, LEN, PROT_EXEC));
	CHECK_EQ(42, ((int (*)(void))mem)());
	CHECK(reading(mem) > 0);
	CHECK_EQ(first, pkey_alloc(0, 0));
}

REFUSED(execute_only_with_another, EOPNOTSUPP, "vma_anon", "a protection key of its own")
{
	char *mem = new_memory(MAP_PRIVATE);

	memcpy(mem, code, sizeof(code));
	NEED(!pkey_mprotect(mem, LEN, PROT_EXEC, new_key(0)));
	ckpt_value[1] = (long)mem;
	ckpt_point();
	CHECK_EQ(42, ((int (*)(void))mem)());
}

TEST_HARNESS_MAIN
