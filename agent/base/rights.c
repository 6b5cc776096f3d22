/* SPDX-License-Identifier: MIT */
/* The limit of file descriptors, capabilities, core dumps. */
#include "rights.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/base/array.h"
#include "lib/base/err.h"

enum {
	DESCRIPTORS_WANTED = 16384, /* a connection and a pidfd for each client, and some more */
	DESCRIPTORS_NEEDED = 20,    /* 15 with one client, more while it reads /proc */
};

int rights_raise_descriptors(struct etcdreg_err *err)
{
	struct rlimit wanted = {.rlim_cur = DESCRIPTORS_WANTED, .rlim_max = DESCRIPTORS_WANTED};
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return err_set(err, ETCDREG_E_SYSTEM, "cannot read RLIMIT_NOFILE: %s",
			       strerror(errno));
	if (limit.rlim_max >= DESCRIPTORS_WANTED || setrlimit(RLIMIT_NOFILE, &wanted) < 0) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
	(void)getrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur < DESCRIPTORS_NEEDED)
		return err_set(err, ETCDREG_E_SYSTEM,
			       "RLIMIT_NOFILE is %u, but the agent needs %d file descriptors; "
			       "raise the hard limit",
			       (unsigned)limit.rlim_cur, DESCRIPTORS_NEEDED);
	return 0;
}

/*
 * Without these, /proc/PID/fd answers EACCES, even to root.  CAP_SYS_PTRACE reads the descriptors
 * of a process that has capabilities which the reader does not have.  CAP_DAC_READ_SEARCH opens the
 * folder of another uid's process, such as nginx's workers.  The first is the stronger of the two,
 * so the second gives nothing away.
 */
static const unsigned kept[] = {CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH};

static uint64_t kept_mask(void)
{
	uint64_t mask = 0;

	for (size_t i = 0; i < ARRAY_LEN(kept); i++)
		mask |= UINT64_C(1) << kept[i];
	return mask;
}

/*
 * The agent inherits the host's seccomp filter, which may kill a process that calls capset(): for
 * example systemd's @system-service without @privileged.
 */
static bool is_filtered(void)
{
	return prctl(PR_GET_SECCOMP, 0, 0, 0, 0) > 0;
}

static void keep_capabilities(bool effective)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
	uint64_t mask = kept_mask();

	if (is_filtered() || syscall(SYS_capget, &header, data) < 0)
		return;
	for (unsigned i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		data[i].permitted &= (uint32_t)(mask >> 32 * i);
		data[i].effective = effective ? data[i].permitted : 0;
		data[i].inheritable = 0;
	}
	(void)syscall(SYS_capset, &header, data);
}

void rights_drop(void)
{
	const struct rlimit no_core = {0};

	keep_capabilities(false);
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	(void)setrlimit(RLIMIT_CORE, &no_core);
}

void rights_take(void)
{
	keep_capabilities(true);
}
