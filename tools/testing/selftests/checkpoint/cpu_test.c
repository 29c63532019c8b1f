// SPDX-License-Identifier: GPL-2.0
/*
 * The processor's state: registers, segments, vdso, restartable sequences.
 */
#include "ckpt_test.h"

#include <asm/ldt.h>
#include <asm/prctl.h>
#include <cpuid.h>
#include <elf.h>
#include <link.h>
#include <linux/rseq.h>
#include <sched.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/rseq.h>
#include <sys/time.h>

/* --- general registers ---------------------------------------------------- */

/*
 * All registers but one are loaded from a table, then the loop waits without a
 * change to any other register or flag, then all are stored.
 */
uint64_t regs_in[17], regs_out[17];
uint64_t saved_rsp;

#define LOAD_REGS							\
	"movq regs_in+0x00, %%rax\n"					\
	"movq regs_in+0x08, %%rbx\n"					\
	"movq regs_in+0x10, %%rcx\n"					\
	"movq regs_in+0x18, %%rdx\n"					\
	"movq regs_in+0x20, %%rsi\n"					\
	"movq regs_in+0x28, %%rdi\n"					\
	"movq regs_in+0x30, %%rbp\n"					\
	"movq regs_in+0x38, %%r8\n"					\
	"movq regs_in+0x40, %%r9\n"					\
	"movq regs_in+0x48, %%r10\n"					\
	"movq regs_in+0x50, %%r11\n"					\
	"movq regs_in+0x58, %%r12\n"					\
	"movq regs_in+0x60, %%r13\n"					\
	"movq regs_in+0x68, %%r14\n"					\
	"movq regs_in+0x70, %%r15\n"

#define STORE_REGS							\
	"movq %%rax, regs_out+0x00\n"					\
	"movq %%rbx, regs_out+0x08\n"					\
	"movq %%rcx, regs_out+0x10\n"					\
	"movq %%rdx, regs_out+0x18\n"					\
	"movq %%rsi, regs_out+0x20\n"					\
	"movq %%rdi, regs_out+0x28\n"					\
	"movq %%rbp, regs_out+0x30\n"					\
	"movq %%r8, regs_out+0x38\n"					\
	"movq %%r9, regs_out+0x40\n"					\
	"movq %%r10, regs_out+0x48\n"					\
	"movq %%r11, regs_out+0x50\n"					\
	"movq %%r12, regs_out+0x58\n"					\
	"movq %%r13, regs_out+0x60\n"					\
	"movq %%r14, regs_out+0x68\n"					\
	"movq %%r15, regs_out+0x70\n"

#define ALL_REGS "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", \
	"r11", "r12", "r13", "r14", "r15", "memory", "cc"

/* CF, PF, AF, ZF, SF, DF, OF */
#define FLAGS	0xcd5UL

static void check_regs(int except)
{
	static const char *const names[] = {
		"rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "r8", "r9",
		"r10", "r11", "r12", "r13", "r14", "r15",
	};
	int i;

	for (i = 0; i < 15; i++)
		CHECK_SAY(i == except || regs_in[i] == regs_out[i],
			  "%s was %#lx, is %#lx", names[i], regs_in[i],
			  regs_out[i]);
}

/* Waits with rcx, and so without touching flags. */
ROUNDTRIP(general_registers_flags)
{
	int i;

	for (i = 0; i < 15; i++)
		regs_in[i] = 0x8877665544332211UL * (i + 1);
	regs_in[15] = FLAGS | 0x202;
	ckpt_announce();
	asm volatile("movq %%rsp, saved_rsp\n"
		     "pushq %%rbp\n"
		     "pushq regs_in+0x78\n"
		     "popfq\n"
		     LOAD_REGS
		     "1: movl ckpt_allowed, %%ecx\n"
		     "jrcxz 1b\n"
		     STORE_REGS
		     "pushfq\n"
		     "popq regs_out+0x78\n"
		     "cld\n"
		     "popq %%rbp\n"
		     "subq %%rsp, saved_rsp\n" : : : ALL_REGS);
	check_regs(2);
	CHECK_EQ(FLAGS, regs_out[15] & FLAGS);
	CHECK_EQ(0, saved_rsp);
}

/* Waits with rax; rcx and r11 are those that system calls destroy. */
ROUNDTRIP(general_registers)
{
	int i;

	for (i = 0; i < 15; i++)
		regs_in[i] = ~(0x0123456789abcdefUL * (i + 3));
	ckpt_announce();
	asm volatile("subq $128, %%rsp\n"
		     "pushq %%rbp\n"
		     LOAD_REGS
		     "1: movl ckpt_allowed, %%eax\n"
		     "testl %%eax, %%eax\n"
		     "jz 1b\n"
		     STORE_REGS
		     "popq %%rbp\n"
		     "addq $128, %%rsp\n" : : : ALL_REGS);
	check_regs(0);
}

/* The red zone below the stack pointer is used without moving it. */
ROUNDTRIP(red_zone)
{
	uint64_t sum;

	ckpt_announce();
	asm volatile("subq $256, %%rsp\n"
		     "movq $0x1234567, -8(%%rsp)\n"
		     "movq $0x1000000, -128(%%rsp)\n"
		     "1: movl ckpt_allowed, %%eax\n"
		     "testl %%eax, %%eax\n"
		     "jz 1b\n"
		     "movq -8(%%rsp), %0\n"
		     "addq -128(%%rsp), %0\n"
		     "addq $256, %%rsp\n" : "=r"(sum) : : "rax", "memory", "cc");
	CHECK_EQ(0x2234567, sum);
}

/* In a system call: all but rax, rcx, r11 come back. */
static int in_call(struct ckpt_test *t, const char *scenario, long nr)
{
	pid_t pid;

	pid = ckpt_start(t, scenario, NULL);
	if (pid <= 0)
		return pid ? -1 : CKPT_SKIPPED;
	if (ckpt_wait_syscall(pid, nr) ||
	    ckpt_checkpoint(t, pid, t->image, 0) <= 0)
		return -1;
	if (!ckpt_dry()) {
		if (ckpt_kill(t, pid) || ckpt_restart(t, t->image, 0) != pid ||
		    ckpt_wait_syscall(pid, nr))
			return -1;
	}
	return ckpt_wake(pid, 4) ?: ckpt_wait(t, pid);
}

TEST_F(checkpoint, registers_in_call)
{
	OK_OR_SKIP(in_call(&self->t, "registers_in_call", SYS_read));
}

SCENARIO(registers_in_call)
{
	static char byte;
	int pair[2], i;

	NEED(!pipe(pair));
	for (i = 0; i < 15; i++)
		regs_in[i] = 0x1122334455667788UL * (i + 5);
	regs_in[0] = SYS_read;
	regs_in[5] = pair[0];
	regs_in[4] = (uint64_t)&byte;
	regs_in[3] = 1;
	ckpt_announce();
	asm volatile("pushq %%rbp\n"
		     LOAD_REGS
		     "syscall\n"
		     STORE_REGS
		     "popq %%rbp\n" : : : ALL_REGS);
	CHECK_EQ(1, regs_out[0]);
	regs_out[0] = regs_in[0];
	regs_out[10] = regs_in[10];
	check_regs(2);
	CHECK_EQ('w', byte);
}

/* --- floating point and vectors ------------------------------------------- */

static uint8_t area_before[8192] __attribute__((aligned(64)));
static uint8_t area_after[8192] __attribute__((aligned(64)));
static uint8_t pattern[64 * 32] __attribute__((aligned(64)));

#define WAIT	"1: movl ckpt_allowed, %%eax\n"				\
		"testl %%eax, %%eax\n"					\
		"jz 1b\n"

static void compare_areas(size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (area_before[i] != area_after[i])
			break;
	}
	CHECK_SAY(i == len, "byte %zu was %#x, is %#x", i, area_before[i],
		  area_after[i]);
}

/* x87, MMX and SSE with everything that fxsave knows. */
ROUNDTRIP(fxsave)
{
	static const uint32_t mxcsr = 0x1f80 | 0x6000 | 0x0021 | 0x8000;
	static const uint16_t fcw = 0x037f & ~0x0300;
	static const double third = 1.0 / 3;

	ckpt_fill(pattern, sizeof(pattern), 3);
	ckpt_announce();
	asm volatile("fninit\n"
		     "fldcw %[fcw]\n"
		     "fldpi\n"
		     "fldl %[third]\n"
		     "fldlg2\n"
		     "fldz\n"
		     "fld1\n"
		     "fdivp %%st, %%st(1)\n"
		     "ldmxcsr %[mxcsr]\n"
		     "movaps 0x00(%[pat]), %%xmm0\n"
		     "movaps 0x10(%[pat]), %%xmm1\n"
		     "movaps 0x20(%[pat]), %%xmm2\n"
		     "movaps 0x30(%[pat]), %%xmm3\n"
		     "movaps 0x40(%[pat]), %%xmm4\n"
		     "movaps 0x50(%[pat]), %%xmm5\n"
		     "movaps 0x60(%[pat]), %%xmm6\n"
		     "movaps 0x70(%[pat]), %%xmm7\n"
		     "movaps 0x80(%[pat]), %%xmm8\n"
		     "movaps 0x90(%[pat]), %%xmm9\n"
		     "movaps 0xa0(%[pat]), %%xmm10\n"
		     "movaps 0xb0(%[pat]), %%xmm11\n"
		     "movaps 0xc0(%[pat]), %%xmm12\n"
		     "movaps 0xd0(%[pat]), %%xmm13\n"
		     "movaps 0xe0(%[pat]), %%xmm14\n"
		     "movaps 0xf0(%[pat]), %%xmm15\n"
		     "fxsave64 (%[before])\n"
		     WAIT
		     "fxsave64 (%[after])\n"
		     "fninit\n"
		     : : [fcw] "m"(fcw), [mxcsr] "m"(mxcsr), [third] "m"(third),
		       [pat] "r"(pattern), [before] "r"(area_before),
		       [after] "r"(area_after)
		     : "rax", "memory", "cc", "xmm0", "xmm1", "xmm2", "xmm3",
		       "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10",
		       "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
	compare_areas(512);
	CHECK(!memcmp(area_after + 160, pattern, 256));
}

static bool has_xfeature(unsigned int bit)
{
	unsigned int a, b, c, d, low, high;

	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE))
		return false;
	asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return low >> bit & 1;
}

/* The upper half of a register is a component of its own. */
static void load_ymm(void)
{
	asm volatile("vmovaps 0x000(%0), %%ymm0\n"
		     "vmovaps 0x020(%0), %%ymm1\n"
		     "vmovaps 0x040(%0), %%ymm2\n"
		     "vmovaps 0x060(%0), %%ymm3\n"
		     "vmovaps 0x080(%0), %%ymm4\n"
		     "vmovaps 0x0a0(%0), %%ymm5\n"
		     "vmovaps 0x0c0(%0), %%ymm6\n"
		     "vmovaps 0x0e0(%0), %%ymm7\n"
		     "vmovaps 0x100(%0), %%ymm8\n"
		     "vmovaps 0x120(%0), %%ymm9\n"
		     "vmovaps 0x140(%0), %%ymm10\n"
		     "vmovaps 0x160(%0), %%ymm11\n"
		     "vmovaps 0x180(%0), %%ymm12\n"
		     "vmovaps 0x1a0(%0), %%ymm13\n"
		     "vmovaps 0x1c0(%0), %%ymm14\n"
		     "vmovaps 0x1e0(%0), %%ymm15\n" : : "r"(pattern));
}

static void store_ymm(void)
{
	asm volatile("vmovaps %%ymm0, 0x000(%0)\n"
		     "vmovaps %%ymm1, 0x020(%0)\n"
		     "vmovaps %%ymm2, 0x040(%0)\n"
		     "vmovaps %%ymm3, 0x060(%0)\n"
		     "vmovaps %%ymm4, 0x080(%0)\n"
		     "vmovaps %%ymm5, 0x0a0(%0)\n"
		     "vmovaps %%ymm6, 0x0c0(%0)\n"
		     "vmovaps %%ymm7, 0x0e0(%0)\n"
		     "vmovaps %%ymm8, 0x100(%0)\n"
		     "vmovaps %%ymm9, 0x120(%0)\n"
		     "vmovaps %%ymm10, 0x140(%0)\n"
		     "vmovaps %%ymm11, 0x160(%0)\n"
		     "vmovaps %%ymm12, 0x180(%0)\n"
		     "vmovaps %%ymm13, 0x1a0(%0)\n"
		     "vmovaps %%ymm14, 0x1c0(%0)\n"
		     "vmovaps %%ymm15, 0x1e0(%0)\n"
		     "vzeroupper\n" : : "r"(area_after) : "memory");
}

ROUNDTRIP(avx)
{
	if (!has_xfeature(2))
		ckpt_skip("this processor has no AVX");
	ckpt_fill(pattern, sizeof(pattern), 4);
	ckpt_announce();
	load_ymm();
	asm volatile(WAIT : : : "rax", "cc", "memory");
	store_ymm();
	CHECK(!memcmp(area_after, pattern, 512));
}

TEST_F(checkpoint, avx_in_call)
{
	OK_OR_SKIP(in_call(&self->t, "avx_in_call", SYS_read));
}

SCENARIO(avx_in_call)
{
	static char byte;
	int pair[2];
	long ret;

	if (!has_xfeature(2))
		ckpt_skip("this processor has no AVX");
	NEED(!pipe(pair));
	ckpt_fill(pattern, sizeof(pattern), 5);
	ckpt_announce();
	load_ymm();
	asm volatile("syscall" : "=a"(ret)
		     : "0"(SYS_read), "D"((long)pair[0]), "S"(&byte), "d"(1L)
		     : "rcx", "r11", "memory");
	store_ymm();
	CHECK_EQ(1, ret);
	CHECK(!memcmp(area_after, pattern, 512));
}

/* All 32 registers of 512 bits and the mask registers. */
ROUNDTRIP(avx512)
{
	if (!has_xfeature(5))
		ckpt_skip("this processor has no AVX-512");
	ckpt_fill(pattern, sizeof(pattern), 6);
	ckpt_announce();
	asm volatile("kmovw 0(%0), %%k1\n"
		     "kmovw 2(%0), %%k7\n"
		     "vmovaps 0x000(%0), %%zmm0\n"
		     "vmovaps 0x040(%0), %%zmm15\n"
		     "vmovaps 0x080(%0), %%zmm16\n"
		     "vmovaps 0x0c0(%0), %%zmm31\n"
		     WAIT
		     "vmovaps %%zmm0, 0x000(%1)\n"
		     "vmovaps %%zmm15, 0x040(%1)\n"
		     "vmovaps %%zmm16, 0x080(%1)\n"
		     "vmovaps %%zmm31, 0x0c0(%1)\n"
		     "kmovw %%k1, 0x100(%1)\n"
		     "kmovw %%k7, 0x102(%1)\n"
		     "vzeroupper\n"
		     : : "r"(pattern), "r"(area_after) : "rax", "cc", "memory");
	CHECK(!memcmp(area_after, pattern, 256));
	CHECK(!memcmp(area_after + 256, pattern, 4));
}

/* Whatever components there are: xsave before is xsave after. */
ROUNDTRIP(xsave)
{
	unsigned int a, b, c, d;

	if (!has_xfeature(1))
		ckpt_skip("this processor has no xsave");
	__cpuid_count(0xd, 0, a, b, c, d);
	if (b > sizeof(area_before))
		ckpt_skip("the state has %u bytes", b);
	ckpt_fill(pattern, sizeof(pattern), 7);
	ckpt_announce();
	if (has_xfeature(2))
		load_ymm();
	asm volatile("fninit\n"
		     "fldpi\n"
		     "movl $-1, %%eax\n"
		     "movl $-1, %%edx\n"
		     "xsave64 (%0)\n"
		     WAIT
		     "movl $-1, %%eax\n"
		     "movl $-1, %%edx\n"
		     "xsave64 (%1)\n"
		     "fninit\n"
		     : : "r"(area_before), "r"(area_after)
		     : "rax", "rdx", "cc", "memory");
	compare_areas(b);
}

/* The rounding mode counts in the next computation. */
ROUNDTRIP(rounding)
{
	volatile float one = 1.0f, three = 3.0f, up, down;
	uint32_t mxcsr, changed;

	asm volatile("stmxcsr %0" : "=m"(mxcsr));
	changed = (mxcsr & ~0x6000) | 0x2000;
	asm volatile("ldmxcsr %0" : : "m"(changed));
	down = one / three;
	ckpt_point();
	CHECK(one / three == down);
	asm volatile("stmxcsr %0" : "=m"(changed));
	CHECK_EQ(0x2000, changed & 0x6000);
	changed = (mxcsr & ~0x6000) | 0x4000;
	asm volatile("ldmxcsr %0" : : "m"(changed));
	up = one / three;
	CHECK(up > down);
	asm volatile("ldmxcsr %0" : : "m"(mxcsr));
}

/* --- segments ------------------------------------------------------------- */

static long arch_prctl(int code, void *addr)
{
	return syscall(SYS_arch_prctl, code, addr);
}

static uint64_t gs_data[2] = { 0x1111, 0xfeedfacecafe };

static uint64_t read_gs(void)
{
	uint64_t value;

	asm volatile("movq %%gs:8, %0" : "=r"(value));
	return value;
}

ROUNDTRIP(fs_and_gs_base)
{
	unsigned long fs, gs, now;

	NEED(!arch_prctl(ARCH_GET_FS, &fs));
	NEED(!arch_prctl(ARCH_SET_GS, gs_data));
	gs = (unsigned long)gs_data;
	ckpt_announce();
	asm volatile(WAIT : : : "rax", "cc", "memory");
	CHECK_EQ(0xfeedfacecafe, read_gs());
	NEED(!arch_prctl(ARCH_GET_FS, &now));
	CHECK_EQ(fs, now);
	NEED(!arch_prctl(ARCH_GET_GS, &now));
	CHECK_EQ(gs, now);
}

/* Bases that only the instructions can set. */
ROUNDTRIP(wrgsbase)
{
	unsigned long odd = 0x00007edcba987000UL, now;

	if (!(getauxval(AT_HWCAP2) & 2))
		ckpt_skip("no FSGSBASE instructions");
	asm volatile("wrgsbase %0" : : "r"(odd));
	ckpt_announce();
	asm volatile(WAIT : : : "rax", "cc", "memory");
	asm volatile("rdgsbase %0" : "=r"(now));
	CHECK_EQ(odd, now);
}

ROUNDTRIP(selectors)
{
	unsigned short ds, es, fs, gs, want = 0x2b;

	asm volatile("movw %0, %%ds\n"
		     "movw %1, %%es\n" : : "r"(want), "r"((unsigned short)0));
	ckpt_announce();
	asm volatile(WAIT : : : "rax", "cc", "memory");
	asm volatile("movw %%ds, %0\n"
		     "movw %%es, %1\n"
		     "movw %%fs, %2\n"
		     "movw %%gs, %3\n"
		     : "=r"(ds), "=r"(es), "=r"(fs), "=r"(gs));
	CHECK_EQ(want, ds);
	CHECK_EQ(0, es);
	CHECK_EQ(0, fs);
	CHECK_EQ(0, gs);
}

static int modify_ldt(int func, void *ptr, unsigned long len)
{
	return syscall(SYS_modify_ldt, func, ptr, len);
}

ROUNDTRIP(ldt)
{
	static uint8_t before[8192 * 8], after[8192 * 8];
	struct user_desc desc = {
		.entry_number = 3, .base_addr = (unsigned long)gs_data,
		.limit = 15, .seg_32bit = 1, .useable = 1,
	};
	unsigned short gs;
	int len;

	NEED((unsigned long)gs_data < 1UL << 32);
	if (modify_ldt(0x11, &desc, sizeof(desc)) < 0)
		ckpt_skip("no modify_ldt()");
	/* Another that is not usable, and one of pages. */
	desc.entry_number = 40;
	desc.useable = 0;
	desc.read_exec_only = 1;
	NEED(!modify_ldt(0x11, &desc, sizeof(desc)));
	desc.entry_number = 41;
	desc.limit_in_pages = 1;
	desc.limit = 0xfffff;
	NEED(!modify_ldt(0x11, &desc, sizeof(desc)));
	len = modify_ldt(0, before, sizeof(before));
	CHECK(len > 0);
	asm volatile("movw %0, %%gs" : : "r"((unsigned short)(3 << 3 | 7)));
	CHECK_EQ(0xfeedfacecafe, read_gs());
	ckpt_announce();
	asm volatile(WAIT : : : "rax", "cc", "memory");
	asm volatile("movw %%gs, %0" : "=r"(gs));
	CHECK_EQ(3 << 3 | 7, gs);
	CHECK_EQ(0xfeedfacecafe, read_gs());
	CHECK_EQ(len, modify_ldt(0, after, sizeof(after)));
	CHECK(!memcmp(before, after, len));
}

/* --- vdso and vsyscall ---------------------------------------------------- */

ROUNDTRIP(vdso)
{
	struct timespec ts, by_call;
	unsigned long ehdr = getauxval(AT_SYSINFO_EHDR);
	unsigned int cpu, node;
	int64_t before[4];
	int i;

	static const clockid_t clocks[4] = {
		CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_REALTIME_COARSE,
		CLOCK_BOOTTIME,
	};

	NEED(ehdr);
	for (i = 0; i < 4; i++)
		before[i] = ckpt_now_ns(clocks[i]);
	ckpt_point();
	CHECK(!memcmp((void *)ehdr, ELFMAG, SELFMAG));
	for (i = 0; i < 4; i++) {
		CHECK(ckpt_now_ns(clocks[i]) >= before[i]);
		NEED(!syscall(SYS_clock_gettime, clocks[i], &by_call));
		NEED(!clock_gettime(clocks[i], &ts));
		before[i] = (ts.tv_sec - by_call.tv_sec) * 1000000000LL +
			    ts.tv_nsec - by_call.tv_nsec;
		CHECK_SAY(before[i] >= 0 && before[i] < 5000000000LL,
			  "clock %d of the vdso is off by %lld ns", clocks[i],
			  (long long)before[i]);
	}
	CHECK_EQ(0, getcpu(&cpu, &node));
	CHECK(time(NULL) >= by_call.tv_sec - 1);
}

/* The bounds of mappings, by name as in /proc/self/maps. */
static bool find_map(const char *name, unsigned long *from, unsigned long *to)
{
	char line[256];
	FILE *maps = fopen("/proc/self/maps", "re");
	bool found = false;

	while (maps && !found && fgets(line, sizeof(line), maps)) {
		found = strstr(line, name) &&
			sscanf(line, "%lx-%lx", from, to) == 2;
	}
	if (maps)
		fclose(maps);
	return found;
}

ROUNDTRIP_OR_REFUSED(vdso_gone)
{
	unsigned long from, to;

	if (!find_map("[vdso]", &from, &to))
		ckpt_skip("there is no vdso");
	NEED(!munmap((void *)from, to - from));
	ckpt_announce();
	asm volatile(WAIT : : : "rax", "cc", "memory");
	CHECK(!find_map("[vdso]", &from, &to));
}

ROUNDTRIP_OR_REFUSED(vdso_moved)
{
	unsigned long from, to, vvar, vvar_end, there = 0x200000000UL;
	const Elf64_Ehdr *ehdr;

	if (!find_map("[vdso]", &from, &to) ||
	    !find_map("[vvar]", &vvar, &vvar_end))
		ckpt_skip("there is no vdso");
	NEED(vvar_end <= from);
	NEED(mremap((void *)vvar, vvar_end - vvar, vvar_end - vvar,
		    MREMAP_MAYMOVE | MREMAP_FIXED, there) == (void *)there);
	there += from - vvar;
	NEED(mremap((void *)from, to - from, to - from,
		    MREMAP_MAYMOVE | MREMAP_FIXED, there) == (void *)there);
	ckpt_announce();
	asm volatile(WAIT : : : "rax", "cc", "memory");
	ehdr = (const void *)there;
	CHECK(!memcmp(ehdr->e_ident, ELFMAG, SELFMAG));
}

ROUNDTRIP(vsyscall)
{
	int (*gettimeofday_page)(struct timeval *tv, void *tz) =
		(void *)0xffffffffff600000UL;
	struct timeval tv = {};
	unsigned long from, to;

	if (!find_map("[vsyscall]", &from, &to))
		ckpt_skip("there is no vsyscall page");
	ckpt_point();
	CHECK_EQ(0, gettimeofday_page(&tv, NULL));
	CHECK(tv.tv_sec > 0);
}

/* --- restartable sequences ------------------------------------------------ */

static struct rseq *my_rseq(void)
{
	if (!__rseq_size)
		ckpt_skip("rseq is not registered");
	return (struct rseq *)((char *)__builtin_thread_pointer() +
			       __rseq_offset);
}

#define RSEQ_SIG	0x53053053

ROUNDTRIP(rseq)
{
	struct rseq *area = my_rseq();
	unsigned int cpu, node;

	ckpt_point();
	NEED(!syscall(SYS_getcpu, &cpu, &node, NULL));
	CHECK(*(volatile uint32_t *)&area->cpu_id < 4096);
	/* Was and is registered: cannot be again, can be taken back. */
	CHECK_EQ(-1, syscall(SYS_rseq, area, 32, 0, RSEQ_SIG));
	CHECK_EQ(EBUSY, errno);
	CHECK_EQ(0, syscall(SYS_rseq, area, 32, RSEQ_FLAG_UNREGISTER, RSEQ_SIG));
}

/* Whoever is checkpointed within a critical section starts it again. */
struct rseq_cs section __attribute__((aligned(32)));
volatile long aborts;

SCENARIO(rseq_section)
{
	struct rseq *area = my_rseq();
	unsigned long start, end, abort;

	asm("movq $section_start, %0\n"
	    "movq $section_end, %1\n"
	    "movq $section_abort, %2\n" : "=r"(start), "=r"(end), "=r"(abort));
	section.start_ip = start;
	section.post_commit_offset = end - start;
	section.abort_ip = abort;
	ckpt_value[0] = (long)&area->rseq_cs;
	ckpt_announce();
	asm volatile("3: leaq section, %%rcx\n"
		     "movq %%rcx, %0\n"
		     ".globl section_start, section_end, section_abort\n"
		     "section_start:\n"
		     WAIT
		     "section_end:\n"
		     "jmp 4f\n"
		     ".long 0x53053053\n"
		     "section_abort:\n"
		     "incq aborts\n"
		     "jmp 3b\n"
		     "4:\n" : "=m"(area->rseq_cs) : : "rax", "rcx", "cc", "memory");
	CHECK(aborts > 0);
}

static long peek_aborts(pid_t pid)
{
	long value = -1;

	ckpt_peek(pid, &aborts, &value, sizeof(value));
	return value;
}

TEST_F(checkpoint, rseq_section)
{
	long before, after;
	uint64_t in = 0;
	pid_t pid;
	int ms;

	NOT_DRY();
	START(pid, rseq_section, NULL);
	/* It has to be in there, and nobody says how long the way is. */
	for (ms = 0; ms < 60000 && !in; ms++) {
		usleep(1000);
		ckpt_peek(pid, (void *)ckpt_peek_value(pid, 0), &in, sizeof(in));
	}
	EXPECT_NE(0, in);
	before = peek_aborts(pid);
	ASSERT_LT(0, ckpt_checkpoint(&self->t, pid, self->t.image, 0));
	for (ms = 0, after = before; ms < 20000 && after <= before; ms++) {
		usleep(1000);
		after = peek_aborts(pid);
	}
	EXPECT_LT(before, after);
	ASSERT_EQ(0, ckpt_kill(&self->t, pid));
	ASSERT_EQ(pid, ckpt_restart(&self->t, self->t.image, 0));
	for (ms = 0, after = before; ms < 20000 && after <= before; ms++) {
		usleep(1000);
		after = peek_aborts(pid);
	}
	EXPECT_LT(before, after);
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));
}

/* --- switches ------------------------------------------------------------- */

ROUNDTRIP_OR_REFUSED(no_tsc)
{
	int mode = 0;

	if (prctl(PR_SET_TSC, PR_TSC_SIGSEGV))
		ckpt_skip("no PR_SET_TSC");
	ckpt_announce();
	asm volatile(WAIT : : : "rax", "cc", "memory");
	NEED(!prctl(PR_GET_TSC, &mode));
	CHECK_EQ(PR_TSC_SIGSEGV, mode);
}

ROUNDTRIP_OR_REFUSED(no_cpuid)
{
	if (arch_prctl(ARCH_SET_CPUID, NULL))
		ckpt_skip("this processor has no cpuid faulting");
	ckpt_announce();
	asm volatile(WAIT : : : "rax", "cc", "memory");
	CHECK_EQ(0, arch_prctl(ARCH_GET_CPUID, NULL));
}

ROUNDTRIP_OR_REFUSED(permission_for_amx)
{
	unsigned long perm = 0, now = 0;

	if (arch_prctl(ARCH_REQ_XCOMP_PERM, (void *)18UL))
		ckpt_skip("this processor has no AMX");
	NEED(!arch_prctl(ARCH_GET_XCOMP_PERM, &perm));
	ckpt_point();
	NEED(!arch_prctl(ARCH_GET_XCOMP_PERM, &now));
	CHECK_EQ(perm, now);
}

TEST_HARNESS_MAIN
