/* SPDX-License-Identifier: MIT */
/*
 * spawn.c - from the host to the agent through two clones.
 *
 * 	thread -- clone, exit signal 0 --> middle -- clone --> agent (execve)
 *
 * A child whose exit signal is 0 raises no SIGCHLD and is invisible to a wait() without __WCLONE;
 * execve() would set the signal to SIGCHLD, so it is the middle's child that calls it, and the
 * middle exits.  The agent is then an orphan, and goes to the nearest reaper.  If that is the
 * host itself (PID 1 of its namespace, a child subreaper), the middle stays as its parent instead,
 * until the agent ends (stay.h).
 *
 * Both share the host's memory (CLONE_VM: nothing is copied, however large the host is) and run on
 * static stacks; what they do is limited to raw calls on what was prepared before.  Nobody waits
 * for execve(), which may take as long as a file system does.  Both may outlive the host: its
 * memory stays until they have left it.  The kernel clears their ids when they have left their
 * stacks.
 */
#include "spawn.h"

#include <asm-generic/errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/wait.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>

#include "clone.h"
#include "futex.h"
#include "isolate.h"
#include "settings.h"
#include "status.h"
#include "stay.h"
#include "text.h"

#define LISTEN_FD 3
#define SIGNALS 64
#define STACK_LEN 16384

static _Alignas(64) char middle_stack[STACK_LEN];
static _Alignas(64) char agent_stack[STACK_LEN];
static _Atomic uint32_t middle_id, agent_id; /* written and cleared by the kernel */

/* Written by the caller before the clones start. */
static struct plan {
	int listener;
	bool stay;         /* the middle waits for the agent */
	bool vfork;        /* the clones are to look as those of vfork() */
	_Atomic int error; /* errno of what failed in a clone */
} plan;

static long middle_pid;  /* to be collected; 0: none */
static uint32_t spawner; /* the process that all of this is of; a forked child has a copy */

static void forget_another_process(void)
{
	uint32_t self = raw_getpid();

	if (spawner == self)
		return;
	spawner = self;
	middle_pid = 0;
	atomic_store(&middle_id, 0);
	atomic_store(&agent_id, 0);
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

static int become_agent(void)
{
	static const char *const argv[] = {"etcd-registry", "agent", "--listen-fd", "3", NULL};
	char *const *environment = settings_agent_environment();
	long rc = -ENOENT;

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

/*
 * valgrind and qemu-user know only a clone() that is a thread or a vfork(), and a debugger takes
 * every other for a thread of the host.  After a vfork() the stack is free, and in valgrind the
 * child has a copy of the id.
 */
static long clone_process(clone_start *fn, char *stack, _Atomic uint32_t *id)
{
	long pid = -EINVAL;

	if (!plan.vfork)
		pid = clone_start_on(CLONE_VM, fn, stack, STACK_LEN, id);
	if (pid != -EINVAL)
		return pid;
	pid = clone_start_on(CLONE_VM | CLONE_VFORK, fn, stack, STACK_LEN, id);
	atomic_store(id, 0);
	return pid;
}

static bool is_traced(void)
{
	static struct status status;

	return status_read_at(&status, "/proc/thread-self/status") &&
	       status_number(&status, "TracerPid", 10) != 0;
}

/* Its session keeps it out of the host's process group. */
static int middle(void)
{
	long pid;

	(void)raw(SYS_setsid);
	pid = clone_process(become_agent, agent_stack, &agent_id);
	if (pid < 0)
		atomic_store(&plan.error, ECHILD);
	else if (plan.stay)
		stay_until_end_of(pid, &agent_id);
	return 0;
}

static bool read_namespace(const char *path, char ret[64])
{
	long len = raw(SYS_readlinkat, AT_FDCWD, raw_arg(path), raw_arg(ret), 63);

	ret[len > 0 ? len : 0] = '\0';
	return len > 0;
}

/*
 * After unshare(CLONE_NEWPID) the next child is process 1 of the new namespace, which is for the
 * host to choose.  The link of a namespace that has no process yet cannot be read.
 */
static bool children_are_elsewhere(void)
{
	char own[64], of_children[64];

	return read_namespace("/proc/thread-self/ns/pid", own) &&
	       (!read_namespace("/proc/thread-self/ns/pid_for_children", of_children) ||
		!text_equal(own, of_children));
}

static bool host_reaps_orphans(void)
{
	int subreaper = 0;

	if (raw_getpid() == 1)
		return true;
	(void)raw(SYS_prctl, PR_GET_CHILD_SUBREAPER, raw_arg(&subreaper), 0, 0, 0);
	return subreaper != 0;
}

/* A handler of the host's must not run in the clones. */
static long clone_middle(void)
{
	const uint64_t all = ~(uint64_t)0;
	uint64_t before;
	long pid;

	(void)raw(SYS_rt_sigprocmask, SIG_SETMASK, raw_arg(&all), raw_arg(&before), sizeof(all));
	pid = clone_process(middle, middle_stack, &middle_id);
	(void)raw(SYS_rt_sigprocmask, SIG_SETMASK, raw_arg(&before), 0, sizeof(before));
	return pid;
}

int spawn_agent(int listener)
{
	long pid;

	forget_another_process();
	spawn_reap();
	if (middle_pid || atomic_load(&middle_id) || atomic_load(&agent_id))
		return -EAGAIN; /* a stack is in use */
	if (children_are_elsewhere())
		return -EXDEV;
	plan.listener = listener;
	plan.stay = host_reaps_orphans();
	plan.vfork = settings_valgrind() || is_traced();
	atomic_store(&plan.error, 0);
	if (plan.stay)
		stay_prepare();
	pid = clone_middle();
	if (pid < 0)
		return -ECHILD;
	middle_pid = pid;
	return 0;
}

int spawn_error(void)
{
	return -atomic_exchange(&plan.error, 0);
}

void spawn_wait(uint32_t timeout_ms)
{
	uint64_t deadline = now_ms() + timeout_ms;

	while ((atomic_load(&agent_id) || (atomic_load(&middle_id) && !plan.stay)) &&
	       now_ms() < deadline)
		sleep_ms(1);
	spawn_reap();
}

void spawn_reap(void)
{
	if (middle_pid && raw(SYS_wait4, middle_pid, 0, __WCLONE | WNOHANG, 0) != 0)
		middle_pid = 0;
}
