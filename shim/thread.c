/* SPDX-License-Identifier: MIT */
/* thread.c - clone() with a small stack and a full signal mask. */
#include "thread.h"

#include <asm-generic/errno.h>
#include <linux/mman.h>
#include <signal.h>

#include "settings.h"
#include "symbols.h"

/* A page of the largest size that the architecture has. */
#ifdef __aarch64__
#define GUARD_LEN 65536
#else
#define GUARD_LEN 4096
#endif
#define STACK_LEN 65536
#define MAPPED_LEN (GUARD_LEN + STACK_LEN)

#define THREAD (CLONE_VM | CLONE_SIGHAND | CLONE_THREAD)
#define AS_A_LIBC (THREAD | CLONE_FS | CLONE_FILES | CLONE_SYSVSEM)

#ifdef SYS_mmap2
#define MMAP SYS_mmap2
#else
#define MMAP SYS_mmap
#endif

static char *stack;         /* its first page is the guard */
static unsigned long flags; /* written by the creator before the thread starts */
static _Atomic uint32_t id; /* written and cleared by the kernel */

/* A forked child, which has no such thread, does not get a copy. */
static long map_stack(void)
{
	long at = raw(MMAP, 0, MAPPED_LEN, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);

	if (at < 0 && at > -4096)
		return at;
	(void)raw(SYS_mprotect, at, GUARD_LEN, PROT_NONE);
	(void)raw(SYS_madvise, at, MAPPED_LEN, MADV_DONTFORK);
	stack = (char *)(uintptr_t)at;
	return 0;
}

static long start(unsigned long how, clone_start *fn)
{
	flags = how;
	return clone_start_on(how, fn, stack + GUARD_LEN, STACK_LEN, &id);
}

/* valgrind aborts for flags that no libc uses, and qemu-user refuses them. */
static long start_any(clone_start *fn, bool copy_files)
{
	long rc = -EINVAL;

	if (!settings_valgrind())
		rc = start(THREAD | (copy_files ? 0 : CLONE_FILES), fn);
	return rc == -EINVAL ? start(AS_A_LIBC, fn) : rc;
}

int thread_create(clone_start *fn, bool copy_files)
{
	const uint64_t blocked = ~((uint64_t)1 << (symbols_signal_to_all_threads() - 1));
	uint64_t before;
	long rc = map_stack();

	if (rc < 0)
		return (int)rc;
	(void)raw(SYS_rt_sigprocmask, SIG_SETMASK, raw_arg(&blocked), raw_arg(&before),
		  sizeof(before));
	rc = start_any(fn, copy_files);
	(void)raw(SYS_rt_sigprocmask, SIG_SETMASK, raw_arg(&before), 0, sizeof(before));
	if (rc > 0)
		return 0;
	(void)raw(SYS_munmap, raw_arg(stack), MAPPED_LEN);
	return (int)rc;
}

unsigned long thread_flags(void)
{
	return flags;
}

/* Only the pid of process 1 can be the pid of its copy, in another pid namespace. */
bool thread_is_here(void)
{
	uint32_t pid = raw_getpid();

	return pid != 1 || raw(SYS_tgkill, pid, atomic_load(&id), 0) == 0;
}

void *thread_stack(void)
{
	return stack;
}

/* A handler would need the stack. */
void thread_end(void *of)
{
	const uint64_t all = ~(uint64_t)0;

	(void)raw(SYS_rt_sigprocmask, SIG_SETMASK, raw_arg(&all), 0, sizeof(all));
	clone_end(of, MAPPED_LEN);
}
