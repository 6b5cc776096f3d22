/* SPDX-License-Identifier: MIT */
/* second - a library that also interposes listen(), and prints on stderr that it was called. */
#define _GNU_SOURCE
#include "../host.h"

#include <sys/syscall.h>

int listen(int fd, int backlog)
{
	static const char line[] = "second\n";

	if (write(STDERR_FILENO, line, sizeof(line) - 1) < 0)
		return -1;
	return (int)syscall(SYS_listen, fd, backlog);
}
