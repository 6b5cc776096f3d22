/* SPDX-License-Identifier: MIT */
/* RLIMIT_NOFILE. */
#include "descriptors.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>

#include "lib/base/err.h"

enum {
	WANTED = 16384, /* a connection and a pidfd for each of the most clients, and room */
	NEEDED = 20,    /* 15 with one client, more while it looks around */
};

int descriptors_raise(struct etcdreg_err *err)
{
	struct rlimit limit, wanted = {.rlim_cur = WANTED, .rlim_max = WANTED};

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return err_set(err, ETCDREG_E_SYSTEM, "RLIMIT_NOFILE: %s", strerror(errno));
	if (limit.rlim_max >= WANTED || setrlimit(RLIMIT_NOFILE, &wanted) < 0) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
	(void)getrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur < NEEDED)
		return err_set(err, ETCDREG_E_SYSTEM,
			       "RLIMIT_NOFILE is %u, and the agent needs %d descriptors",
			       (unsigned)limit.rlim_cur, NEEDED);
	return 0;
}
