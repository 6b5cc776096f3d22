/* SPDX-License-Identifier: MIT */
/* Processes by file descriptor. */
#include "pidfd.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/parse.h"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

#define PIDFS_MAGIC 0x50494446

enum { P_PIDFD_TYPE = 3 }; /* P_PIDFD, which older headers lack */

int pidfd_of(pid_t pid)
{
	return pid > 0 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
}

int pidfd_of_peer(int fd, pid_t pid)
{
	int pidfd;
	socklen_t len = sizeof(pidfd);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &len) == 0)
		return pidfd;
	return pidfd_of(pid);
}

/*
 * waitid() accepts pidfds only.  It fails with ECHILD for a process that is not our child, and with
 * EBADF for any other descriptor.
 */
static bool is_pidfd(int fd)
{
	siginfo_t info;

	return waitid((idtype_t)P_PIDFD_TYPE, (id_t)fd, &info, WEXITED | WNOHANG | WNOWAIT) == 0 ||
	       errno == ECHILD;
}

/* Reads the line "Pid:\t4711" of the fdinfo.  Returns 0 for the -1 of an ended process. */
static pid_t read_pid(int pidfd)
{
	char path[64], line[128];
	uint64_t pid = 0;
	FILE *file;

	(void)snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", pidfd);
	file = fopen(path, "re");
	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file)) {
		size_t len = strcspn(line, "\n");

		if (strncmp(line, "Pid:\t", 5) == 0 &&
		    parse_uint(line + 5, len - 5, 1, INT32_MAX, &pid))
			break;
	}
	fclose(file);
	return (pid_t)pid;
}

/* In pidfs each process has an inode of its own.  Before pidfs, all pidfds shared one. */
static uint64_t read_id(int pidfd, pid_t pid)
{
	struct statfs fs;
	struct stat st;

	if (fstatfs(pidfd, &fs) == 0 && fs.f_type == PIDFS_MAGIC && fstat(pidfd, &st) == 0)
		return st.st_ino;
	return (uint64_t)pid;
}

bool pidfd_identify(int pidfd, pid_t *ret_pid, uint64_t *ret_id)
{
	if (!is_pidfd(pidfd))
		return false;
	*ret_pid = read_pid(pidfd);
	*ret_id = read_id(pidfd, *ret_pid);
	return true;
}

bool pidfd_has_ended(int pidfd)
{
	struct pollfd pfd = {.fd = pidfd, .events = POLLIN};

	return poll(&pfd, 1, 0) == 1;
}

bool pidfd_shares_network(int pidfd, pid_t pid)
{
	char path[64];
	struct stat ours, theirs;

	(void)snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	return pid > 0 && stat("/proc/self/ns/net", &ours) == 0 && stat(path, &theirs) == 0 &&
	       ours.st_ino == theirs.st_ino && ours.st_dev == theirs.st_dev &&
	       !pidfd_has_ended(pidfd);
}
