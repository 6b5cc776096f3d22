/* SPDX-License-Identifier: MIT */
/*
 * spawn.c - from the thread to the agent through two clones.
 *
 * 	thread -- clone, exit signal 0 --> middle -- clone --> agent (execve)
 *
 * A child whose exit signal is 0 raises no SIGCHLD and is invisible to a wait() without __WCLONE;
 * execve() would set the signal to SIGCHLD, so it is the middle's child that calls it, and the
 * middle exits.  The agent is then an orphan, and goes to the nearest reaper.  Where that is the
 * host itself (PID 1 of its namespace, a child subreaper), the middle stays as its parent instead,
 * until the agent ends.
 *
 * Both share the host's memory (CLONE_VM: nothing is copied, however large the host is) and run on
 * static stacks; what they do is limited to raw calls on what was prepared before.
 */
#include "spawn.h"

#include <asm-generic/errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/sched.h>
#include <linux/wait.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>

#include "futex.h"
#include "isolate.h"
#include "raw.h"
#include "settings.h"
#include "symbols.h"

#define LISTEN_FD 3
#define SIGNALS 64
#define STACK_LEN 16384

/* Used by the thread and, while it waits for them, by the two clones. */
static _Alignas(64) char middle_stack[STACK_LEN];
static _Alignas(64) char agent_stack[STACK_LEN];
static struct plan {
	clone_fn *clone;
	int listener;
	bool stay;                /* the middle waits for the agent */
	_Atomic int error;        /* errno of what failed in a clone */
	_Atomic uint32_t started; /* futex; 1: the agent runs, or will not */
} plan;

/* The middle that stays; 0: none. */
static long stayed_pid;

static char *stack_top(char *stack)
{
	return stack + STACK_LEN;
}

static void default_signals(void)
{
	/* the kernel's struct sigaction, all zero: SIG_DFL */
	static const unsigned long action[8];
	static const uint64_t nothing;

	for (int sig = 1; sig <= SIGNALS; sig++)
		(void)raw(SYS_rt_sigaction, sig, raw_arg(action), 0, sizeof(nothing));
	(void)raw(SYS_rt_sigprocmask, SIG_SETMASK, raw_arg(&nothing), 0, sizeof(nothing));
}

static bool arrange_descriptors(void)
{
	long listener = raw(SYS_fcntl, plan.listener, F_DUPFD_CLOEXEC, LISTEN_FD + 1);
	long null = raw(SYS_openat, AT_FDCWD, raw_arg("/dev/null"), O_RDWR);

	for (int fd = 0; fd < LISTEN_FD; fd++)
		if (null >= 0 && fd != null)
			(void)raw(SYS_dup3, null, fd, 0);
	if (null > LISTEN_FD)
		raw_close((int)null);
	if (listener < 0 || raw(SYS_dup3, listener, LISTEN_FD, 0) != LISTEN_FD)
		return false;
	isolate_close_from(LISTEN_FD + 1);
	return true;
}

static int become_agent(void *unused)
{
	static const char *const argv[] = {"etcd-registry", "agent", "--listen-fd", "3", NULL};
	char *const *environment = settings_agent_environment();
	long rc = -ENOENT;

	(void)unused;
	(void)raw(SYS_setsid);
	(void)raw(SYS_chdir, raw_arg("/"));
	if (!arrange_descriptors()) {
		atomic_store(&plan.error, EMFILE);
		return 1;
	}
	default_signals();
	for (const char *const *file = settings_agent_files(); *file; file++) {
		long r = raw(SYS_execve, raw_arg(*file), raw_arg(argv), raw_arg(environment));

		/* the error that says most: of a file that is there */
		if (r != -ENOENT)
			rc = r;
	}
	atomic_store(&plan.error, (int)-rc);
	return 1;
}

static void tell_started(void)
{
	atomic_store(&plan.started, 1);
	futex_wake(&plan.started);
}

/* With CLONE_VFORK, clone() returns when the agent has called execve() or ended. */
static int middle(void *unused)
{
	int pid = plan.clone(become_agent, stack_top(agent_stack), CLONE_VM | CLONE_VFORK, NULL);

	(void)unused;
	if (pid < 0)
		atomic_store(&plan.error, ECHILD);
	tell_started();
	if (pid > 0 && plan.stay) {
		isolate_close_from(0);
		while (raw(SYS_wait4, pid, 0, __WALL, 0) == -EINTR)
			;
	}
	return 0;
}

static bool host_reaps_orphans(void)
{
	int subreaper = 0;

	if (raw_getpid() == 1)
		return true;
	(void)raw(SYS_prctl, PR_GET_CHILD_SUBREAPER, raw_arg(&subreaper), 0, 0, 0);
	return subreaper != 0;
}

static int spawn_and_reap(void)
{
	int pid = plan.clone(middle, stack_top(middle_stack), CLONE_VM | CLONE_VFORK, NULL);

	if (pid < 0)
		return -ECHILD;
	while (raw(SYS_wait4, pid, 0, __WCLONE, 0) == -EINTR)
		;
	return -atomic_load(&plan.error);
}

static int spawn_and_stay(void)
{
	int pid = plan.clone(middle, stack_top(middle_stack), CLONE_VM, NULL);

	if (pid < 0)
		return -ECHILD;
	stayed_pid = pid;
	while (!atomic_load(&plan.started))
		futex_wait(&plan.started, 0, FUTEX_FOREVER);
	return -atomic_load(&plan.error);
}

int spawn_agent(int listener)
{
	const uint64_t all = ~(uint64_t)0;
	uint64_t before;
	int rc;

	spawn_reap();
	if (stayed_pid)
		return -EAGAIN; /* its stack is in use */
	plan.clone = symbols_clone();
	if (!plan.clone)
		return -ENOSYS;
	plan.listener = listener;
	plan.stay = host_reaps_orphans();
	atomic_store(&plan.error, 0);
	atomic_store(&plan.started, 0);
	/* a handler of the host's must not run in the clones */
	(void)raw(SYS_rt_sigprocmask, SIG_SETMASK, raw_arg(&all), raw_arg(&before), sizeof(all));
	rc = plan.stay ? spawn_and_stay() : spawn_and_reap();
	(void)raw(SYS_rt_sigprocmask, SIG_SETMASK, raw_arg(&before), 0, sizeof(before));
	return rc;
}

void spawn_reap(void)
{
	if (stayed_pid && raw(SYS_wait4, stayed_pid, 0, __WCLONE | WNOHANG, 0) != 0)
		stayed_pid = 0;
}
