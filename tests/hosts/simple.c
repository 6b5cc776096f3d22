/* SPDX-License-Identifier: MIT */
/*
 * simple PORT [daemon] - listens, and lives on until a signal ends it; as a daemon, in a
 * grandchild.  If compiled with THREADS, it serves in another thread.  Any libc of the last ten
 * years can compile it.  Without THREADS it does not need libpthread.
 */
#include "host.h"

#include <stdbool.h>

static void *serve(void *listener)
{
	while (true)
		close(accept(*(int *)listener, NULL, NULL));
	return NULL;
}

#ifdef THREADS
#include <pthread.h>

static void serve_in_thread(int *listener)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, serve, listener) != 0)
		host_fail("pthread_create");
	pause();
}
#endif

static void fork_and_end_parent(void)
{
	pid_t child = fork();

	if (child < 0)
		host_fail("fork");
	if (child > 0)
		_exit(0);
}

static void daemonise(void)
{
	fork_and_end_parent();
	setsid();
	fork_and_end_parent();
}

int main(int argc, char **argv)
{
	static int listener;

	if (argc < 2)
		return 2;
	listener = host_listen(0, (uint16_t)strtoul(argv[1], NULL, 10));
	if (argc > 2 && strcmp(argv[2], "daemon") == 0)
		daemonise();
#ifdef THREADS
	serve_in_thread(&listener);
#endif
	serve(&listener);
	return 0;
}
