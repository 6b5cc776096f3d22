/* SPDX-License-Identifier: MIT */
/* filter.c - the filters of this thread beside those of process 1, by /proc. */
#include "filter.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/prctl.h>

#include "raw.h"
#include "settings.h"
#include "status.h"

struct filters {
	uint64_t mode, count;
};

static bool read_filters(const char *path, struct filters *ret)
{
	static struct status status;

	if (!status_read_at(&status, path))
		return false;
	ret->mode = status_number(&status, "Seccomp", 10);
	ret->count = status_number(&status, "Seccomp_filters", 10); /* 0 before Linux 5.9 */
	return true;
}

/*
 * prctl() takes no time, but is itself in the set @process of systemd, which units exclude: there
 * it is asked only if /proc does not tell.
 */
static bool is_filtered(struct filters *ret)
{
	*ret = (struct filters){0};
	if (!settings_in_unit() && raw(SYS_prctl, PR_GET_SECCOMP, 0, 0, 0, 0) == 0)
		return false;
	if (!read_filters("/proc/thread-self/status", ret))
		ret->mode = (uint64_t)raw(SYS_prctl, PR_GET_SECCOMP, 0, 0, 0, 0);
	return ret->mode != 0;
}

enum filter filter_of_this_thread(void)
{
	struct filters own, first;

	if (!is_filtered(&own))
		return FILTER_NONE;
	if (settings_thread_is_asked_for())
		return FILTER_TRUSTED;
	if (!read_filters("/proc/1/status", &first) || first.mode != own.mode ||
	    first.count < own.count)
		return FILTER_FEARED;
	return FILTER_TRUSTED;
}
