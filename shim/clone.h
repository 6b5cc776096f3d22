/* SPDX-License-Identifier: MIT */
/*
 * clone.h - a new thread or process on a stack of its own, and the end of a thread together with
 * its stack.  Only the kernel takes part: the libc knows nothing of either.
 */
#ifndef ETCDREG_SHIM_CLONE_H
#define ETCDREG_SHIM_CLONE_H

#include <linux/sched.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "raw.h"

typedef int clone_start(void);

/*
 * The system call.  The word at `top`, which is 16-aligned with room above it, is the function to
 * start.  The kernel writes the new id to `id`, and clears it when the stack is no longer used.
 */
#if defined(__x86_64__)

static inline long clone_to(unsigned long flags, void *top, _Atomic uint32_t *id)
{
	register _Atomic uint32_t *r10 __asm__("r10") = id;
	register long r8 __asm__("r8") = 0;
	long ret;

	__asm__ volatile("syscall\n\t"
			 "test %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "xor %%ebp, %%ebp\n\t"
			 "call *(%%rsp)\n\t"
			 "mov %%eax, %%edi\n\t"
			 "mov %[exit], %%eax\n\t"
			 "syscall\n\t"
			 "hlt\n"
			 "1:"
			 : "=a"(ret)
			 : "a"(SYS_clone), "D"(flags), "S"(top), "d"(id), "r"(r10),
			   "r"(r8), [exit] "i"(SYS_exit)
			 : "rcx", "r11", "memory");
	return ret;
}

/* No memory is touched between the two calls: the stack is gone. */
__attribute__((noreturn)) static inline void clone_end(void *stack, size_t len)
{
	__asm__ volatile("syscall\n\t"
			 "xor %%edi, %%edi\n\t"
			 "mov %[exit], %%eax\n\t"
			 "syscall\n\t"
			 "hlt"
			 :
			 : "a"(SYS_munmap), "D"(stack), "S"(len), [exit] "i"(SYS_exit)
			 : "rcx", "r11", "memory");
	__builtin_unreachable();
}

#elif defined(__i386__)

static inline long clone_to(unsigned long flags, void *top, _Atomic uint32_t *id)
{
	long ret;

	__asm__ volatile("int $0x80\n\t"
			 "test %%eax, %%eax\n\t"
			 "jnz 1f\n\t"
			 "xor %%ebp, %%ebp\n\t"
			 "call *(%%esp)\n\t"
			 "mov %%eax, %%ebx\n\t"
			 "mov %[exit], %%eax\n\t"
			 "int $0x80\n\t"
			 "hlt\n"
			 "1:"
			 : "=a"(ret)
			 : "a"(SYS_clone), "b"(flags), "c"(top), "d"(id), "S"(0),
			   "D"(id), [exit] "i"(SYS_exit)
			 : "memory");
	return ret;
}

__attribute__((noreturn)) static inline void clone_end(void *stack, size_t len)
{
	__asm__ volatile("int $0x80\n\t"
			 "xor %%ebx, %%ebx\n\t"
			 "mov %[exit], %%eax\n\t"
			 "int $0x80\n\t"
			 "hlt"
			 :
			 : "a"(SYS_munmap), "b"(stack), "c"(len), [exit] "i"(SYS_exit)
			 : "memory");
	__builtin_unreachable();
}

#elif defined(__aarch64__)

static inline long clone_to(unsigned long flags, void *top, _Atomic uint32_t *id)
{
	register long x8 __asm__("x8") = SYS_clone;
	register long x0 __asm__("x0") = (long)flags;
	register void *x1 __asm__("x1") = top;
	register _Atomic uint32_t *x2 __asm__("x2") = id;
	register long x3 __asm__("x3") = 0;
	register _Atomic uint32_t *x4 __asm__("x4") = id;

	__asm__ volatile("svc 0\n\t"
			 "cbnz x0, 1f\n\t"
			 "mov x29, xzr\n\t"
			 "ldr x1, [sp]\n\t"
			 "blr x1\n\t"
			 "mov x8, %[exit]\n\t"
			 "svc 0\n\t"
			 "brk 0\n"
			 "1:"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), [exit] "i"(SYS_exit)
			 : "memory");
	return x0;
}

__attribute__((noreturn)) static inline void clone_end(void *stack, size_t len)
{
	register long x8 __asm__("x8") = SYS_munmap;
	register void *x0 __asm__("x0") = stack;
	register size_t x1 __asm__("x1") = len;

	__asm__ volatile("svc 0\n\t"
			 "mov x0, xzr\n\t"
			 "mov x8, %[exit]\n\t"
			 "svc 0\n\t"
			 "brk 0"
			 :
			 : "r"(x8), "r"(x0), "r"(x1), [exit] "i"(SYS_exit)
			 : "memory");
	__builtin_unreachable();
}

#endif

/*
 * Start `fn` as a new task, on the `len` bytes at `stack`; what it returns is its status.  `flags`
 * are those of clone(2), without a signal for the end.  *id becomes the number of the task, and 0
 * when that has ended or called execve().  Returns the number or a negative errno.
 */
static inline long clone_start_on(unsigned long flags, clone_start *fn, char *stack, size_t len,
				  _Atomic uint32_t *id)
{
	char *top = (char *)(((uintptr_t)stack + len - 64) & ~(uintptr_t)15);

	*(clone_start **)(void *)top = fn;
	return clone_to(flags | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID, top, id);
}

#endif
