/* SPDX-License-Identifier: MIT */
/* isolate.c - a file table, a folder and a scheduling class of the thread's own. */
#include "isolate.h"

#include <asm-generic/errno.h>
#include <linux/close_range.h>
#include <linux/resource.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <sys/prctl.h>

#include "directory.h"
#include "raw.h"
#include "thread.h"

#define KEPT 2
#define MOST_DESCRIPTORS 1048576u

/*
 * A filter may kill the host for a call that it does not know.  Older lists of systemd's
 * @system-service have no close_range(), and @resources has the sched_ family.
 */
static bool filtered(void)
{
	return raw(SYS_prctl, PR_GET_SECCOMP, 0, 0, 0, 0) != SECCOMP_MODE_DISABLED;
}

static int number_of(const char *digits)
{
	int n = 0;

	for (; *digits >= '0' && *digits <= '9'; digits++)
		n = n * 10 + (*digits - '0');
	return n;
}

/* Closing while reading may skip entries, so it is read until a pass finds nothing to close. */
static void close_listed(struct directory *open, int first)
{
	const char *name;
	bool closed;

	do {
		closed = false;
		directory_rewind(open);
		while ((name = directory_next(open))) {
			int fd = number_of(name);

			if (fd < first || fd == open->fd)
				continue;
			raw_close(fd);
			closed = true;
		}
	} while (closed);
}

static void close_each(int first)
{
	struct rlimit limit = {.rlim_cur = MOST_DESCRIPTORS};
	struct directory open;

	if (directory_open(&open, "/proc/thread-self/fd") == 0) {
		close_listed(&open, first);
		directory_close(&open);
		return;
	}
	(void)raw(SYS_getrlimit, RLIMIT_NOFILE, raw_arg(&limit));
	for (unsigned long fd = (unsigned)first; fd < limit.rlim_cur && fd < MOST_DESCRIPTORS; fd++)
		raw_close((int)fd);
}

void isolate_close_from(int first)
{
	if (filtered() || raw(SYS_close_range, first, ~0u, 0) < 0)
		close_each(first);
}

/*
 * close_range() copies the table only up to the range that it closes: of the host's descriptors the
 * thread holds none, not even for a moment, but for 0 and 1.
 */
static int leave_file_table(void)
{
	long rc = -ENOSYS;

	if (!filtered())
		rc = raw(SYS_close_range, KEPT + 1, ~0u, CLOSE_RANGE_UNSHARE);
	if (rc < 0) {
		rc = raw(SYS_unshare, CLONE_FILES);
		if (rc == 0)
			close_each(KEPT + 1);
	}
	return (int)rc;
}

int isolate_thread(void)
{
	int rc = 0;

	if (thread_flags() & CLONE_FILES)
		rc = leave_file_table();
	else
		close_each(KEPT + 1);
	if (rc < 0)
		return rc;
	raw_close(0);
	raw_close(1);
	if (!(thread_flags() & CLONE_FS) || raw(SYS_unshare, CLONE_FS) == 0)
		(void)raw(SYS_chdir, raw_arg("/"));
	return 0;
}

void isolate_scheduling(void)
{
	const int priority = 0;
	long policy;

	if (filtered())
		return;
	policy = raw(SYS_sched_getscheduler, 0);
	if (policy >= 0 && ((policy & ~SCHED_RESET_ON_FORK) == SCHED_FIFO ||
			    (policy & ~SCHED_RESET_ON_FORK) == SCHED_RR))
		(void)raw(SYS_sched_setscheduler, 0, SCHED_NORMAL, raw_arg(&priority));
}
