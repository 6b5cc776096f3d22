/* SPDX-License-Identifier: MIT */
/*
 * limited UID nproc|nofile LIMIT - becomes that user, sets its soft and its hard limit to LIMIT,
 * and then listens.
 */
#define _GNU_SOURCE
#include "host.h"

#include <err.h>
#include <grp.h>
#include <stdlib.h>
#include <sys/resource.h>

static void become(uid_t uid)
{
	if (geteuid() == uid)
		return;
	if (setgroups(0, NULL) < 0 || setgid(uid) < 0 || setuid(uid) < 0)
		err(1, "setuid");
}

int main(int argc, char **argv)
{
	struct rlimit limit;
	int resource;

	if (argc != 4)
		errx(2, "usage: limited UID nproc|nofile LIMIT");
	host_block();
	become((uid_t)strtoul(argv[1], NULL, 10));
	resource = strcmp(argv[2], "nproc") == 0 ? RLIMIT_NPROC : RLIMIT_NOFILE;
	limit.rlim_cur = limit.rlim_max = strtoul(argv[3], NULL, 10);
	if (setrlimit(resource, &limit) < 0)
		err(1, "setrlimit");
	host_print(host_port(host_listen(0, 0)));
	host_wait();
	return 0;
}
