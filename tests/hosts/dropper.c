/* SPDX-License-Identifier: MIT */
/*
 * dropper STEP... - does one thing after the other that a server does to give up privileges, and
 * prints a line for each: its name, what it returned, errno, and the permitted and effective
 * capabilities.  Then it waits for SIGUSR1 and prints its dumpable flag.
 */
#define _GNU_SOURCE
#include "host.h"

#include <err.h>
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define USER 65534
#define PAUSE_US 300000

struct caps {
	struct __user_cap_header_struct header;
	struct __user_cap_data_struct sets[2];
};

static struct caps own_caps(void)
{
	struct caps caps = {.header.version = _LINUX_CAPABILITY_VERSION_3};

	if (syscall(SYS_capget, &caps.header, caps.sets) < 0)
		host_fail("capget");
	return caps;
}

static int keep_only(uint32_t capabilities)
{
	struct caps caps = own_caps();

	for (int i = 0; i < 2; i++) {
		caps.sets[i].permitted &= i == 0 ? capabilities : 0;
		caps.sets[i].effective = caps.sets[i].permitted;
		caps.sets[i].inheritable = 0;
	}
	return (int)syscall(SYS_capset, &caps.header, caps.sets);
}

static int capset_none(void)
{
	return keep_only(0);
}

static int capset_few(void)
{
	return keep_only(1u << CAP_SETUID | 1u << CAP_NET_BIND_SERVICE);
}

static int capset_without_setuid(void)
{
	return keep_only(~(1u << CAP_SETUID));
}

static int capset_raise(void)
{
	struct caps caps = own_caps();

	for (int i = 0; i < 2; i++)
		caps.sets[i].effective = caps.sets[i].permitted;
	return (int)syscall(SYS_capset, &caps.header, caps.sets);
}

static int drop_from_bounding_set(void)
{
	return prctl(PR_CAPBSET_DROP, CAP_SYS_CHROOT, 0, 0, 0);
}

static int keepcaps(void)
{
	return prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0);
}

static int no_new_privs(void)
{
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

static int no_groups(void)
{
	return setgroups(0, NULL);
}

static int two_groups(void)
{
	const gid_t groups[] = {12, 34};

	return setgroups(2, groups);
}

static int set_gid(void)
{
	return setgid(USER);
}

static int set_resgid(void)
{
	return setresgid(USER, USER, USER);
}

static int set_uid(void)
{
	return setuid(USER);
}

static int set_resuid(void)
{
	return setresuid(USER, USER, USER);
}

static int set_euid(void)
{
	return seteuid(USER);
}

static int set_reuid(void)
{
	return setreuid(USER, USER);
}

static int set_uid_back(void)
{
	return setuid(0);
}

/* setuid() fails and everything else is allowed, in the main thread alone. */
static int filter(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_setuid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EACCES),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = {.len = 4, .filter = code};

	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}

static int own_network(void)
{
	return unshare(CLONE_NEWNET);
}

static int own_mounts(void)
{
	return unshare(CLONE_NEWNS);
}

static int root_elsewhere(void)
{
	return chroot("/usr") < 0 ? -1 : chdir("/");
}

static int dumpable(void)
{
	return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

static int not_dumpable(void)
{
	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

static int listen_now(void)
{
	return host_listen(0, 0) < 0;
}

static int wait_a_little(void)
{
	return usleep(PAUSE_US);
}

static const struct {
	const char *name;
	int (*run)(void);
} steps[] = {
	{"listen", listen_now},
	{"pause", wait_a_little},
	{"capset-none", capset_none},
	{"capset-few", capset_few},
	{"capset-without-setuid", capset_without_setuid},
	{"capset-raise", capset_raise},
	{"bounding-set", drop_from_bounding_set},
	{"keepcaps", keepcaps},
	{"no-new-privs", no_new_privs},
	{"no-groups", no_groups},
	{"two-groups", two_groups},
	{"setgid", set_gid},
	{"setresgid", set_resgid},
	{"setuid", set_uid},
	{"setresuid", set_resuid},
	{"seteuid", set_euid},
	{"setreuid", set_reuid},
	{"setuid-0", set_uid_back},
	{"seccomp", filter},
	{"unshare-net", own_network},
	{"unshare-mnt", own_mounts},
	{"chroot", root_elsewhere},
	{"dumpable", dumpable},
	{"not-dumpable", not_dumpable},
};

static void take(const char *name)
{
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		struct caps caps;
		int rc, error;

		if (strcmp(name, steps[i].name) != 0)
			continue;
		rc = steps[i].run();
		error = rc < 0 ? errno : 0;
		caps = own_caps();
		dprintf(STDOUT_FILENO, "%s %d %d %x-%x\n", name, rc, error, caps.sets[0].permitted,
			caps.sets[0].effective);
		return;
	}
	errx(2, "no step '%s'", name);
}

int main(int argc, char **argv)
{
	host_block();
	for (int i = 1; i < argc; i++)
		take(argv[i]);
	dprintf(STDOUT_FILENO, "done\n");
	host_wait();
	dprintf(STDOUT_FILENO, "dumpable %d\n", prctl(PR_GET_DUMPABLE, 0, 0, 0, 0));
	return 0;
}
