/* SPDX-License-Identifier: MIT */
/*
 * thread.h - a thread that the host's libc does not know.
 *
 * The kernel makes it, on a stack that is mapped for it.  It has no thread-local storage and no
 * place on the libc's list of threads.  So the libc goes on as with one thread less: setuid() does
 * not reach it, pthread_exit() does not wait for it, stdio and fork() take no locks because of it.
 * It may make system calls and nothing else.
 *
 * There is one at a time.  A forked child has none, and no copy of the stack.
 */
#ifndef ETCDREG_SHIM_THREAD_H
#define ETCDREG_SHIM_THREAD_H

#include <stdbool.h>

#include "clone.h"

/*
 * Run `fn` in a new thread.  Its root, working folder and umask are copies of the caller's.  With
 * `copy_files` its file table is a copy too; else the table is shared, and `fn` has to leave it at
 * once.  Every signal is blocked in it but one that a libc sends to all threads.
 * Async-signal-safe.  Returns 0 or a negative errno; -EINVAL also where the host's children would
 * be in another pid namespace.
 */
int thread_create(clone_start *fn, bool copy_files);

/*
 * In the new thread: the flags of clone(2) that it was created with.  Other than asked for, they
 * have CLONE_FS and CLONE_FILES under valgrind and qemu-user, which know only a libc's flags.
 */
unsigned long thread_flags(void);

/*
 * Is the thread in the calling process, whose pid is that of the creator?  Not where a raw clone()
 * with CLONE_NEWPID has copied process 1.
 */
bool thread_is_here(void);

/*
 * In the new thread: its stack, to be asked for while no other thread can be created, and its end,
 * which unmaps the stack.
 */
void *thread_stack(void);
__attribute__((noreturn)) void thread_end(void *stack);

#endif
