/* SPDX-License-Identifier: MIT */
/* stay.c - wait for the agent, and for the host to leave the memory that both are in. */
#include "stay.h"

#include <asm-generic/errno.h>
#include <fcntl.h>
#include <linux/wait.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/prctl.h>

#include "futex.h"
#include "isolate.h"
#include "raw.h"
#include "text.h"

#define CREATOR_ENDED SIGUSR1
#define LOOK_MS 500 /* how often, once the creator has ended */
#define STAT_MAX 1024
#define PARENT 4 /* fields of /proc/PID/stat, by proc(5) */
#define START_OF_CODE 26
#define START_OF_STACK 28
#define PAGE_MAX 65536 /* the largest page of any architecture */

/* The first and the last byte of the object, by the linker. */
extern const char __ehdr_start[] __attribute__((visibility("hidden")));
extern const char _end[] __attribute__((visibility("hidden")));

static uint32_t host, creator; /* process and thread */

void stay_prepare(void)
{
	host = raw_getpid();
	creator = (uint32_t)raw(SYS_gettid);
}

static uint64_t signals(void)
{
	return (uint64_t)1 << (SIGCHLD - 1) | (uint64_t)1 << (CREATOR_ENDED - 1);
}

/* With SIGCHLD ignored, as the host may have it, the kernel would not keep the agent's end. */
static void prepare_signals(void)
{
	static const unsigned long defaults[8]; /* the kernel's struct sigaction, SIG_DFL */

	(void)raw(SYS_rt_sigaction, SIGCHLD, raw_arg(defaults), 0, sizeof(uint64_t));
	(void)raw(SYS_prctl, PR_SET_PDEATHSIG, CREATOR_ENDED, 0, 0, 0);
}

/*
 * The kernel signals the end of the thread that created this process, and an execve() of the host
 * ends every thread but the main one.
 */
static bool creator_will_be_told_of(void)
{
	return creator != host && raw(SYS_tgkill, host, creator, 0) != -ESRCH;
}

static void wait_for_signal(bool for_ever)
{
	const uint64_t awaited = signals();
	const struct raw_timespec soon = {.tv_nsec = LOOK_MS * 1000000L};

	(void)raw(SYS_rt_sigtimedwait, raw_arg(&awaited), 0, for_ever ? 0 : raw_arg(&soon),
		  sizeof(awaited));
}

/* Fields are separated by spaces; the second one is in parentheses and may hold any character. */
static const char *field(const char *stat, int number)
{
	const char *at = stat, *end = NULL;

	for (; *at; at++)
		if (*at == ')')
			end = at;
	for (at = end ? end : at; *at && number > 2; at++)
		number -= *at == ' ';
	return at;
}

static bool read_stat(const char *task, char ret[STAT_MAX])
{
	char storage[32];
	struct text path = TEXT_OF(storage);
	long fd, len;

	text_puts(&path, task);
	text_puts(&path, "/stat");
	fd = raw(SYS_openat, AT_FDCWD, raw_arg(storage), O_RDONLY | O_CLOEXEC);
	len = raw(SYS_read, fd, raw_arg(ret), STAT_MAX - 1);
	raw_close((int)fd);
	ret[len > 0 ? len : 0] = '\0';
	return len > 0;
}

/* Do the fields from START_OF_CODE to START_OF_STACK differ? */
static bool differs(const char *a, const char *b)
{
	int spaces = START_OF_STACK - START_OF_CODE + 1;

	for (a = field(a, START_OF_CODE), b = field(b, START_OF_CODE); spaces > 0; a++, b++) {
		if (*a != *b)
			return true;
		if (!*a)
			return false;
		spaces -= *a == ' ';
	}
	return false;
}

/*
 * The addresses at which code and stack begin belong to the memory and are random.  So a process
 * with other addresses has another memory.  They are 0 or 1 where they may not be read.  The
 * parent's number is taken from /proc too, which may be that of another pid namespace.
 */
static bool is_left_by_parent(void)
{
	char task[32], theirs[STAT_MAX], ours[STAT_MAX];
	struct text t = TEXT_OF(task);
	const char *parent;

	if (!read_stat("/proc/self", ours))
		return false;
	parent = field(ours, PARENT);
	text_puts(&t, "/proc/");
	text_add(&t, parent, (size_t)(field(ours, PARENT + 1) - 1 - parent));
	return read_stat(task, theirs) && !text_starts(field(theirs, START_OF_STACK), "0 ") &&
	       differs(theirs, ours);
}

/*
 * The kernel unmaps all of a range or nothing: nothing if the range goes beyond the address space,
 * or has a mapping that is sealed, as newer kernels have.
 */
static void unmap(unsigned long from, unsigned long to)
{
	unsigned long half = (to - from) / 2 & ~(PAGE_MAX - 1ul);

	if (from >= to || raw(SYS_munmap, from, to - from) == 0 || half == 0)
		return;
	if (raw(SYS_munmap, from, PAGE_MAX) == -EINVAL)
		return; /* all of it is beyond */
	unmap(from, from + half);
	unmap(from + half, to);
}

static void unmap_others(void)
{
	unmap(0, (unsigned long)__ehdr_start & ~(PAGE_MAX - 1ul));
	unmap(((unsigned long)_end + PAGE_MAX - 1) & ~(PAGE_MAX - 1ul), ~(PAGE_MAX - 1ul));
}

/* One look only after LOOK_MS: a process that the host has made by vfork() may be here too. */
void stay_until_end_of(long agent, _Atomic uint32_t *busy)
{
	bool alone = false, gone = false;

	isolate_close_from(0);
	prepare_signals();
	while (raw(SYS_wait4, agent, 0, __WALL | WNOHANG, 0) == 0) {
		if (gone && !alone && !atomic_load(busy) && is_left_by_parent()) {
			unmap_others();
			alone = true;
		}
		gone = !creator_will_be_told_of();
		wait_for_signal(alone || !gone);
	}
}
