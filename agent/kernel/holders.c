/* SPDX-License-Identifier: MIT */
/* The processes that hold a socket, from /proc/PID/fd. */
#include "holders.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/parse.h"

/* Returns the inode if the link is "socket:[INODE]", else 0. */
static uint64_t inode_of(int dir_fd, const char *name)
{
	static const char prefix[] = "socket:[";
	char target[64];
	ssize_t len = readlinkat(dir_fd, name, target, sizeof(target));
	size_t start = sizeof(prefix) - 1;
	uint64_t inode;

	if (len <= (ssize_t)start || target[len - 1] != ']' || memcmp(target, prefix, start) != 0)
		return 0;
	if (!parse_uint(target + start, (size_t)len - start - 1, 1, UINT64_MAX, &inode))
		return 0;
	return inode;
}

static int by_number(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

struct search {
	const uint64_t *inodes;
	size_t inodes_len;
	holders_found_fn *found;
	void *arg;
};

/* Opens the folder of its descriptors; NULL: unreadable. */
static DIR *open_process(pid_t pid)
{
	char path[32];
	DIR *fds;
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fds = fd < 0 ? NULL : fdopendir(fd);
	if (!fds && fd >= 0)
		close(fd);
	return fds;
}

static void search_process(pid_t pid, const struct search *search)
{
	const struct dirent *entry;
	DIR *fds = open_process(pid);

	if (!fds)
		return;
	while ((entry = readdir(fds))) {
		uint64_t inode = inode_of(dirfd(fds), entry->d_name);

		if (inode != 0 &&
		    bsearch(&inode, search->inodes, search->inodes_len, sizeof(inode), by_number))
			search->found(pid, inode, search->arg);
	}
	closedir(fds);
}

void holders_find(const uint64_t *inodes, size_t inodes_len, holders_found_fn *found, void *arg)
{
	const struct search search = {inodes, inodes_len, found, arg};
	DIR *proc = opendir("/proc");
	const struct dirent *entry;

	if (!proc)
		return;
	while ((entry = readdir(proc))) {
		uint64_t pid;

		if (parse_uint(entry->d_name, strlen(entry->d_name), 1, INT32_MAX, &pid))
			search_process((pid_t)pid, &search);
	}
	closedir(proc);
}

static enum holders_answer ask(DIR *fds, uint64_t inode, unsigned *budget)
{
	const struct dirent *entry;
	bool any = false;

	while ((entry = readdir(fds))) {
		if (entry->d_name[0] == '.')
			continue;
		if (*budget == 0)
			return HOLDERS_UNKNOWN;
		(*budget)--;
		any = true;
		if (inode_of(dirfd(fds), entry->d_name) == inode)
			return HOLDERS_YES;
	}
	return any ? HOLDERS_NO : HOLDERS_UNKNOWN;
}

enum holders_answer holders_ask(pid_t pid, uint64_t inode, unsigned *budget)
{
	DIR *fds = open_process(pid);
	enum holders_answer answer;

	if (!fds)
		return HOLDERS_UNKNOWN;
	answer = ask(fds, inode, budget);
	closedir(fds);
	return answer;
}

bool holders_holds(pid_t pid, uint64_t inode)
{
	unsigned budget = UINT_MAX;

	return holders_ask(pid, inode, &budget) == HOLDERS_YES;
}
