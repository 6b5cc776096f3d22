/* SPDX-License-Identifier: MIT */
/*
 * raw.h - system calls without a libc: no errno, no cancellation point, no interposer in between.
 *
 * Every raw_*() returns what the kernel returns: a value, or a negative errno.  Safe in any thread,
 * in a signal handler, and between clone(CLONE_VM) and exec.
 */
#ifndef ETCDREG_SHIM_RAW_H
#define ETCDREG_SHIM_RAW_H

#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

#if defined(__x86_64__)

static inline long raw_syscall6(long n, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}

#elif defined(__i386__)

/*
 * ebp carries the sixth argument, and cannot be named as an operand where it is the frame pointer.
 */
static inline long raw_syscall6(long n, long a, long b, long c, long d, long e, long f)
{
	const long sixth_and_number[2] = {f, n};
	long ret;

	__asm__ volatile("pushl %%ebp\n\t"
			 "movl (%%eax), %%ebp\n\t"
			 "movl 4(%%eax), %%eax\n\t"
			 "int $0x80\n\t"
			 "popl %%ebp"
			 : "=a"(ret)
			 : "a"(sixth_and_number), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e)
			 : "memory");
	return ret;
}

#elif defined(__aarch64__)

static inline long raw_syscall6(long n, long a, long b, long c, long d, long e, long f)
{
	register long x8 __asm__("x8") = n;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;

	__asm__ volatile("svc 0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
			 : "memory");
	return x0;
}

#else
#error "raw.h: no system call sequence for this architecture yet"
#endif

/*
 * A macro: a function taking a const pointer would have compilers ask for what the kernel fills in.
 */
#define raw_arg(pointer) ((long)(uintptr_t)(pointer))

#define RAW_CHOOSE(_0, _1, _2, _3, _4, _5, _6, name, ...) name
#define RAW0(n) raw_syscall6(n, 0, 0, 0, 0, 0, 0)
#define RAW1(n, a) raw_syscall6(n, a, 0, 0, 0, 0, 0)
#define RAW2(n, a, b) raw_syscall6(n, a, b, 0, 0, 0, 0)
#define RAW3(n, a, b, c) raw_syscall6(n, a, b, c, 0, 0, 0)
#define RAW4(n, a, b, c, d) raw_syscall6(n, a, b, c, d, 0, 0)
#define RAW5(n, a, b, c, d, e) raw_syscall6(n, a, b, c, d, e, 0)
#define RAW6(n, a, b, c, d, e, f) raw_syscall6(n, a, b, c, d, e, f)

/* raw(SYS_close, fd): up to six integer arguments; a pointer goes through raw_arg(). */
#define raw(...) RAW_CHOOSE(__VA_ARGS__, RAW6, RAW5, RAW4, RAW3, RAW2, RAW1, RAW0)(__VA_ARGS__)

/* The kernel's timespec of the calls used here: longs, also on 32-bit. */
struct raw_timespec {
	long tv_sec;
	long tv_nsec;
};

static inline uint32_t raw_getpid(void)
{
	return (uint32_t)raw(SYS_getpid);
}

static inline void raw_close(int fd)
{
	if (fd >= 0)
		(void)raw(SYS_close, fd);
}

#endif
