/* SPDX-License-Identifier: MIT */
/*
 * forkstorm [-i] [-l] THREADS FORKS - listens.  On every SIGUSR1, THREADS threads together fork
 * FORKS children, which end at once, and wait for them.  It prints the median time from fork() to
 * the child's end, in nanoseconds.  -i: an idle thread exists from the start.  -l: while the others
 * fork, one more thread listens, on a new socket each time.
 */
#define _GNU_SOURCE
#include "host.h"

#include <err.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/wait.h>

#define THREADS_MAX 16
#define STACK_LEN 65536 /* the stack size of the object's thread */

static unsigned long forks_each;
static uint64_t *took_ns; /* one for each fork; each thread writes its own part */
static atomic_bool over;

static void *idle(void *unused)
{
	for (;;)
		pause();
	return unused;
}

static uint64_t fork_one(void)
{
	uint64_t begin = host_now_ns();
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(0);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
		err(1, "fork");
	return host_now_ns() - begin;
}

static void *fork_many(void *part)
{
	for (unsigned long i = 0; i < forks_each; i++)
		((uint64_t *)part)[i] = fork_one();
	return NULL;
}

static void *listen_many(void *unused)
{
	while (!over)
		close(host_listen(0, 0));
	return unused;
}

static pthread_t start(void *(*run)(void *), void *argument)
{
	pthread_attr_t attr;
	pthread_t thread = 0;

	if (pthread_attr_init(&attr) != 0 || pthread_attr_setstacksize(&attr, STACK_LEN) != 0 ||
	    pthread_create(&thread, &attr, run, argument) != 0)
		errx(1, "pthread_create");
	return thread;
}

static int compare(const void *left, const void *right)
{
	uint64_t l = *(const uint64_t *)left, r = *(const uint64_t *)right;

	return (l > r) - (l < r);
}

/* A single thread is the main one, so that no thread is added to the measured process. */
static uint64_t storm(unsigned long threads)
{
	pthread_t forking[THREADS_MAX];

	for (unsigned long i = 1; i < threads; i++)
		forking[i] = start(fork_many, took_ns + i * forks_each);
	fork_many(took_ns);
	for (unsigned long i = 1; i < threads; i++)
		pthread_join(forking[i], NULL);
	qsort(took_ns, threads * forks_each, sizeof(*took_ns), compare);
	return took_ns[threads * forks_each / 2];
}

static _Noreturn void usage(void)
{
	errx(2, "usage: forkstorm [-i] [-l] THREADS FORKS");
}

int main(int argc, char **argv)
{
	bool idles = false, listens = false;
	unsigned long threads;
	int option;

	while ((option = getopt(argc, argv, "il")) != -1) {
		idles |= option == 'i';
		listens |= option == 'l';
	}
	if (argc - optind != 2)
		usage();
	threads = strtoul(argv[optind], NULL, 10);
	forks_each = strtoul(argv[optind + 1], NULL, 10) / (threads ? threads : 1);
	if (threads < 1 || threads > THREADS_MAX || forks_each < 1)
		usage();
	took_ns = calloc(threads * forks_each, sizeof(*took_ns));
	if (!took_ns)
		err(1, "calloc");
	host_block();
	host_print(host_port(host_listen(0, 0)));
	if (idles)
		start(idle, NULL);
	for (;;) {
		pthread_t listening = 0;

		host_wait();
		over = false;
		if (listens)
			listening = start(listen_many, NULL);
		host_print((unsigned)storm(threads));
		over = true;
		if (listens)
			pthread_join(listening, NULL);
	}
}
