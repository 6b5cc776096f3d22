/* SPDX-License-Identifier: MIT */
/*
 * calls - listens, prints its port, and at each SIGUSR1 does a round of what a libc does otherwise
 * in a process with a second thread.  Prints a line for each round: nanoseconds of a fork() until
 * its child, which ends at once, is waited for; picoseconds of a putc() and of a malloc() with its
 * free(); page faults of a fork(), a hundred times their number, in the parent and in the child.
 */
#include "host.h"

#include <err.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define FORKS 100
#define CALLS 200000
#define BLOCK 64

static int compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static long faults(int who)
{
	struct rusage usage;

	getrusage(who, &usage);
	return usage.ru_minflt;
}

static uint64_t fork_once(void)
{
	uint64_t begin = host_now_ns();
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	if (pid < 0 || waitpid(pid, NULL, 0) != pid)
		err(1, "fork");
	return host_now_ns() - begin;
}

static uint64_t ps_of_putc(FILE *null)
{
	uint64_t begin = host_now_ns();

	for (int i = 0; i < CALLS; i++)
		putc('x', null);
	return (host_now_ns() - begin) * 1000 / CALLS;
}

static uint64_t ps_of_malloc(void)
{
	uint64_t begin = host_now_ns();

	for (int i = 0; i < CALLS; i++) {
		void *volatile block = malloc(BLOCK);

		free(block);
	}
	return (host_now_ns() - begin) * 1000 / CALLS;
}

static void do_round(FILE *null)
{
	long parent = faults(RUSAGE_SELF), child = faults(RUSAGE_CHILDREN);
	uint64_t took[FORKS];

	for (int i = 0; i < FORKS; i++)
		took[i] = fork_once();
	parent = (faults(RUSAGE_SELF) - parent) * 100 / FORKS;
	child = (faults(RUSAGE_CHILDREN) - child) * 100 / FORKS;
	qsort(took, FORKS, sizeof(*took), compare);
	printf("%llu %llu %llu %ld %ld\n", (unsigned long long)took[FORKS / 2],
	       (unsigned long long)ps_of_putc(null), (unsigned long long)ps_of_malloc(), parent,
	       child);
	fflush(stdout);
}

int main(void)
{
	FILE *null = fopen("/dev/null", "w");

	if (!null)
		err(1, "/dev/null");
	host_block();
	host_print(host_port(host_listen(0, 0)));
	for (;;) {
		host_wait();
		do_round(null);
	}
}
