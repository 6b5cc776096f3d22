/* SPDX-License-Identifier: MIT */
/*
 * filtered HOW CALLS start COMMAND... - runs COMMAND under a seccomp filter
 * filtered HOW CALLS listen           - listens, then puts all of its threads under a filter
 *
 * HOW is `refuse` (CALLS fail with EPERM), `kill` (CALLS kill the process) or `only` (every other
 * call kills the process).  CALLS are numbers, separated by commas; NUMBER:ARG is a call with that
 * first argument.  The filter never refuses the execve() that starts COMMAND.
 */
#define _GNU_SOURCE
#include "host.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__i386__)
#define ARCHITECTURE AUDIT_ARCH_I386
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

/* Little-endian: the lower half of an argument comes first. */
#define NUMBER offsetof(struct seccomp_data, nr)
#define ARGUMENT(n) (offsetof(struct seccomp_data, args) + (n) * sizeof(uint64_t))

static struct sock_filter filter[BPF_MAXINSNS];
static unsigned short filter_len;

static void add(uint16_t code, uint32_t k, uint8_t if_false)
{
	if (filter_len == BPF_MAXINSNS)
		host_fail("filter");
	filter[filter_len++] = (struct sock_filter){.code = code, .jf = if_false, .k = k};
}

static void load(size_t offset)
{
	add(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0);
}

/* Continues if the loaded word is `value`, else skips the next `len` instructions. */
static void expect(uint32_t value, uint8_t len)
{
	add(BPF_JMP | BPF_JEQ | BPF_K, value, len);
}

static void answer(uint32_t action)
{
	add(BPF_RET | BPF_K, action, 0);
}

static void allow_own_execve(void)
{
	load(NUMBER);
	expect(SYS_execve, 3);
	load(ARGUMENT(2));
	expect((uint32_t)(uintptr_t)environ, 1);
	answer(SECCOMP_RET_ALLOW);
}

static void add_call(const char *call, uint32_t action)
{
	const char *argument = strchr(call, ':');

	load(NUMBER);
	expect((uint32_t)strtoul(call, NULL, 10), argument ? 3 : 1);
	if (argument) {
		load(ARGUMENT(0));
		expect((uint32_t)strtoul(argument + 1, NULL, 10), 1);
	}
	answer(action);
}

struct way {
	const char *name;
	uint32_t listed, others;
};

static const struct way ways[] = {
	{"refuse", SECCOMP_RET_ERRNO | EPERM, SECCOMP_RET_ALLOW},
	{"kill", SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_ALLOW},
	{"only", SECCOMP_RET_ALLOW, SECCOMP_RET_KILL_PROCESS},
};

static const struct way *find_way(const char *name)
{
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++)
		if (strcmp(name, ways[i].name) == 0)
			return &ways[i];
	fprintf(stderr, "'%s' is no way to filter\n", name);
	exit(2);
}

static void build(const struct way *way, char *calls)
{
	load(offsetof(struct seccomp_data, arch));
	add(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 0);
	filter[filter_len - 1].jt = 1;
	answer(SECCOMP_RET_KILL_PROCESS);
	allow_own_execve();
	for (char *call = strtok(calls, ","); call; call = strtok(NULL, ","))
		add_call(call, way->listed);
	answer(way->others);
}

static void install(void)
{
	const struct sock_fprog program = {.len = filter_len, .filter = filter};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) != 0)
		host_fail("seccomp");
}

static void start(char **command)
{
	install();
	execve(command[0], command, environ);
	host_fail(command[0]);
}

static void listen_filtered(void)
{
	int listener;

	host_block();
	listener = host_listen(0, 0);
	install();
	host_print(host_port(listener));
	host_wait();
}

int main(int argc, char **argv)
{
	if (argc < 4)
		return 2;
	build(find_way(argv[1]), argv[2]);
	if (strcmp(argv[3], "start") == 0 && argc > 4)
		start(argv + 4);
	listen_filtered();
	return 0;
}
